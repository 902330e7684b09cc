//! Random operations on lists, dicts and namespaces against vectors, exactly: what each answers, and the whole
//! state behind it. Small ones, so that they are full and empty all the time, keys collide, and some arguments are as long as can
//! be or one byte longer.
//!
//! And the same sequences, over and over, in a child that is killed at some moment: what is left is the state after
//! as many operations as the child said, or one more, to who only reads and to who writes then; and the
//! survivor goes on with the rest of the sequence as if nothing had happened.
#![cfg(all(feature = "std", feature = "os", target_os = "linux"))]

mod procs;

use procs::{Shared, fork, watchdog};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use rialto::{
    Attribute, Dict, DictConfig, Error, List, ListConfig, Namespace, NamespaceConfig, Region, RegionConfig,
};
use std::{
    fmt::Debug,
    sync::atomic::{AtomicU32, AtomicU64, Ordering::*},
    time::{Duration, Instant},
};

type Bytes = Vec<u8>;
/// What an operation says, numbers as text.
type Answer = Result<Bytes, Error>;

fn number(n: usize) -> Bytes {
    n.to_string().into_bytes()
}

/// An object, and its oracle.
trait Subject: Copy {
    type Op: Clone + Debug;
    type State: Clone + Debug + PartialEq + Default;
    fn run(self, op: &Self::Op) -> Answer;
    fn state(self) -> Self::State;
    fn len(self) -> usize;
    fn deaths(self) -> u32;
    /// An update that changes nothing.
    fn touch(self);
    /// What `run` should do and say.
    fn expect(self, state: &mut Self::State, op: &Self::Op) -> Answer;
    fn len_of(state: &Self::State) -> usize;
}

/// Of a few letters, so that many are equal; rarely as long as can be, or longer.
fn text(max: usize) -> impl Strategy<Value = Bytes> {
    let len = prop_oneof![8 => 0..=max.min(2), 1 => Just(max), 1 => Just(max + 1)];
    (len, vec(0..3u8, max + 1)).prop_map(|(len, letters)| letters[..len].iter().map(|l| b'a' + l).collect())
}

#[derive(Clone, Debug)]
enum ListOp {
    Append(Bytes),
    Extend(Vec<Bytes>),
    Insert(usize, Bytes),
    Set(usize, Bytes),
    Get(usize, usize),
    Slice(usize, usize),
    Pop(usize, usize),
    PopLast,
    Delete(usize),
    Remove(Bytes),
    Index(usize, usize, Bytes),
    Count(Bytes),
    Contains(Bytes),
    Sort,
    SortByFirst,
    Reverse,
    Clear,
}

fn list_op(max: usize) -> impl Strategy<Value = ListOp> {
    use ListOp::*;
    let at = || prop_oneof![9 => 0..6usize, 1 => Just(usize::MAX)];
    let room = || prop_oneof![9 => Just(max), 1 => 0..=max];
    prop_oneof![
        6 => text(max).prop_map(Append),
        2 => vec(text(max), 0..4).prop_map(Extend),
        3 => (at(), text(max)).prop_map(|(i, item)| Insert(i, item)),
        2 => (at(), text(max)).prop_map(|(i, item)| Set(i, item)),
        1 => (at(), room()).prop_map(|(i, room)| Get(i, room)),
        1 => (at(), at()).prop_map(|(i, j)| Slice(i, j)),
        2 => (at(), room()).prop_map(|(i, room)| Pop(i, room)),
        2 => Just(PopLast),
        2 => at().prop_map(Delete),
        2 => text(max).prop_map(Remove),
        1 => (at(), at(), text(max)).prop_map(|(i, j, item)| Index(i, j, item)),
        1 => text(max).prop_map(Count),
        1 => text(max).prop_map(Contains),
        1 => Just(Sort),
        1 => Just(SortByFirst),
        1 => Just(Reverse),
        1 => Just(Clear),
    ]
}

/// `f`'s answer and buffer.
fn filled(room: usize, f: impl FnOnce(&mut [u8]) -> Result<usize, Error>) -> Answer {
    let mut buffer = vec![0; room];
    let len = f(&mut buffer)?;
    buffer.truncate(len);
    Ok(buffer)
}

fn slices(items: &[Bytes]) -> Vec<&[u8]> {
    items.iter().map(|item| &item[..]).collect()
}

/// Lengths and bytes, so that nothing is hidden.
fn joined<'a>(items: impl IntoIterator<Item = &'a Bytes>) -> Bytes {
    items.into_iter().flat_map(|item| [number(item.len()), vec![b':'], item.clone()].concat()).collect()
}

fn split(mut bytes: &[u8], lens: impl IntoIterator<Item = u32>) -> Vec<Bytes> {
    let mut next = |len: u32| {
        let (item, rest) = bytes.split_at(len as usize);
        bytes = rest;
        item.to_vec()
    };
    lens.into_iter().map(&mut next).collect()
}

impl Subject for List<'_> {
    type Op = ListOp;
    type State = Vec<Bytes>;

    fn run(self, op: &ListOp) -> Answer {
        let nothing = |done: Result<(), Error>| done.map(|()| Bytes::new());
        match op {
            ListOp::Append(item) => nothing(self.append(item)),
            ListOp::Extend(items) => nothing(self.extend(&slices(items))),
            ListOp::Insert(i, item) => nothing(self.insert(*i, item)),
            ListOp::Set(i, item) => nothing(self.set(*i, item)),
            ListOp::Get(i, room) => filled(*room, |buffer| self.get(*i, buffer)),
            ListOp::Slice(i, j) => {
                let mut lens = vec![0; self.capacity()];
                let mut buffer = vec![0; self.capacity() * self.max_item_bytes()];
                let count = self.copy_range(*i..*j, &mut buffer, &mut lens)?;
                lens.truncate(count);
                Ok(joined(&split(&buffer, lens)))
            }
            ListOp::Pop(i, room) => filled(*room, |buffer| self.pop(*i, buffer)),
            ListOp::PopLast => filled(self.max_item_bytes(), |buffer| self.pop_last(buffer)),
            ListOp::Delete(i) => nothing(self.delete(*i)),
            ListOp::Remove(item) => nothing(self.remove(item)),
            ListOp::Index(i, j, item) => self.index_in(*i..*j, item).map(number),
            ListOp::Count(item) => self.count(item).map(number),
            ListOp::Contains(item) => self.contains(item).map(|is| vec![is.into()]),
            ListOp::Sort => nothing(self.sort()),
            ListOp::SortByFirst => {
                let mut buffer = vec![0; 2 * self.max_item_bytes()];
                nothing(self.sort_by(&mut buffer, |a, b| b.first().cmp(&a.first())))
            }
            ListOp::Reverse => nothing(self.reverse()),
            ListOp::Clear => nothing(self.clear()),
        }
    }

    fn state(self) -> Vec<Bytes> {
        // Reading only: without the lock, which somebody dead may hold.
        let mut lens = vec![0; self.capacity()];
        let mut buffer = vec![0; self.capacity() * self.max_item_bytes()];
        let count = self.copy_range(0..usize::MAX, &mut buffer, &mut lens).unwrap();
        lens.truncate(count);
        split(&buffer, lens)
    }

    fn len(self) -> usize {
        List::len(&self).unwrap()
    }
    fn len_of(state: &Vec<Bytes>) -> usize {
        state.len()
    }
    fn deaths(self) -> u32 {
        List::deaths(&self)
    }
    fn touch(self) {
        self.with_timeout(30_000_000_000).extend(&[]).unwrap();
    }

    fn expect(self, state: &mut Vec<Bytes>, op: &ListOp) -> Answer {
        let (capacity, max) = (self.capacity(), self.max_item_bytes());
        let fits = |item: &Bytes| if item.len() > max { Err(Error::MessageTooLarge) } else { Ok(()) };
        let there = |state: &Vec<Bytes>, i: usize| state.get(i).cloned().ok_or(Error::NotFound);
        let into = |item: Bytes, room: usize| {
            if item.len() > room { Err(Error::BufferTooSmall) } else { Ok(item) }
        };
        let position =
            |state: &Vec<Bytes>, item: &Bytes| state.iter().position(|it| it == item).ok_or(Error::NotFound);
        match op {
            ListOp::Append(item) => {
                fits(item)?;
                if state.len() == capacity {
                    return Err(Error::NoSpace);
                }
                state.push(item.clone());
            }
            ListOp::Extend(items) => {
                items.iter().try_for_each(fits)?;
                if state.len() + items.len() > capacity {
                    return Err(Error::NoSpace);
                }
                state.extend(items.iter().cloned());
            }
            ListOp::Insert(i, item) => {
                fits(item)?;
                if state.len() == capacity {
                    return Err(Error::NoSpace);
                }
                state.insert((*i).min(state.len()), item.clone());
            }
            ListOp::Set(i, item) => {
                fits(item)?;
                *state.get_mut(*i).ok_or(Error::NotFound)? = item.clone();
            }
            ListOp::Get(i, room) => return into(there(state, *i)?, *room),
            ListOp::Slice(i, j) => return Ok(joined(state.iter().take(*j).skip(*i))),
            ListOp::Pop(i, room) => {
                let item = into(there(state, *i)?, *room)?;
                state.remove(*i);
                return Ok(item);
            }
            ListOp::PopLast => return state.pop().ok_or(Error::NotFound),
            ListOp::Delete(i) => {
                there(state, *i)?;
                state.remove(*i);
            }
            ListOp::Remove(item) => {
                state.remove(position(state, item)?);
            }
            ListOp::Index(i, j, item) => {
                let mut part = state.iter().enumerate().take(*j).skip(*i);
                return part.find(|(_, it)| *it == item).map(|(at, _)| number(at)).ok_or(Error::NotFound);
            }
            ListOp::Count(item) => return Ok(number(state.iter().filter(|it| *it == item).count())),
            ListOp::Contains(item) => return Ok(vec![state.contains(item).into()]),
            ListOp::Sort => state.sort(),
            ListOp::SortByFirst => state.sort_by(|a, b| b.first().cmp(&a.first())),
            ListOp::Reverse => state.reverse(),
            ListOp::Clear => state.clear(),
        }
        Ok(Bytes::new())
    }
}

#[derive(Clone, Debug)]
enum DictOp {
    Set(Bytes, Bytes),
    Update(Vec<(Bytes, Bytes)>),
    SetDefault(Bytes, Bytes),
    Get(Bytes, usize),
    GetOr(Bytes, Bytes),
    Contains(Bytes),
    Keys,
    Pop(Bytes, usize),
    PopItem,
    Remove(Bytes),
    Clear,
}

fn dict_op(max_key: usize, max_value: usize) -> impl Strategy<Value = DictOp> {
    use DictOp::*;
    let key = move || text(max_key);
    let value = move || text(max_value);
    let room = move || prop_oneof![9 => Just(max_value), 1 => 0..=max_value];
    prop_oneof![
        8 => (key(), value()).prop_map(|(k, v)| Set(k, v)),
        2 => vec((key(), value()), 0..4).prop_map(Update),
        2 => (key(), value()).prop_map(|(k, v)| SetDefault(k, v)),
        1 => (key(), room()).prop_map(|(k, room)| Get(k, room)),
        1 => (key(), value()).prop_map(|(k, v)| GetOr(k, v)),
        1 => key().prop_map(Contains),
        1 => Just(Keys),
        2 => (key(), room()).prop_map(|(k, room)| Pop(k, room)),
        2 => Just(PopItem),
        3 => key().prop_map(Remove),
        1 => Just(Clear),
    ]
}

type Pairs = Vec<(Bytes, Bytes)>;

/// The oracle of a dict: sets a key, or says that there is no room.
fn put(state: &mut Pairs, capacity: usize, key: &Bytes, value: &Bytes) -> Result<(), Error> {
    match place(state, key) {
        Ok(at) => state[at].1 = value.clone(),
        Err(_) if state.len() == capacity => return Err(Error::NoSpace),
        Err(_) => state.push((key.clone(), value.clone())),
    }
    Ok(())
}

fn place(state: &Pairs, key: &Bytes) -> Result<usize, Error> {
    state.iter().position(|(k, _)| k == key).ok_or(Error::NotFound)
}

impl Subject for Dict<'_> {
    type Op = DictOp;
    type State = Pairs;

    fn run(self, op: &DictOp) -> Answer {
        let nothing = |done: Result<(), Error>| done.map(|()| Bytes::new());
        // A default may be longer than what is in the dict.
        let max = self.max_value_bytes() + 1;
        match op {
            DictOp::Set(key, value) => nothing(self.set(key, value)),
            DictOp::Update(pairs) => {
                let pairs: Vec<_> = pairs.iter().map(|(k, v)| (&k[..], &v[..])).collect();
                nothing(self.update(&pairs))
            }
            DictOp::SetDefault(key, value) => filled(max, |buffer| self.setdefault(key, value, buffer)),
            DictOp::Get(key, room) => filled(*room, |buffer| self.get(key, buffer)),
            DictOp::GetOr(key, value) => filled(max, |buffer| self.get_or(key, value, buffer)),
            DictOp::Contains(key) => self.contains(key).map(|is| vec![is.into()]),
            DictOp::Keys => {
                let mut lens = vec![0; self.capacity()];
                let mut buffer = vec![0; self.capacity() * self.max_key_bytes()];
                let count = self.copy_keys(&mut buffer, &mut lens)?;
                lens.truncate(count);
                Ok(joined(&split(&buffer, lens)))
            }
            DictOp::Pop(key, room) => filled(*room, |buffer| self.pop(key, buffer)),
            DictOp::PopItem => {
                let (mut key, mut value) = (vec![0; self.max_key_bytes()], vec![0; max]);
                let (key_len, value_len) = self.popitem(&mut key, &mut value)?;
                key.truncate(key_len);
                value.truncate(value_len);
                Ok(joined([&key, &value]))
            }
            DictOp::Remove(key) => nothing(self.remove(key)),
            DictOp::Clear => nothing(self.clear()),
        }
    }

    fn state(self) -> Pairs {
        let mut lens = vec![(0, 0); self.capacity()];
        let mut buffer = vec![0; self.capacity() * (self.max_key_bytes() + self.max_value_bytes())];
        let count = self.copy_items(&mut buffer, &mut lens).unwrap();
        let texts = split(&buffer, lens[..count].iter().flat_map(|(key, value)| [*key, *value]));
        let pairs: Pairs = texts.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        // Each is found, too.
        for (key, value) in &pairs {
            assert_eq!(filled(value.len(), |buffer| self.get(key, buffer)).as_ref(), Ok(value));
        }
        pairs
    }

    fn len(self) -> usize {
        Dict::len(&self).unwrap()
    }
    fn len_of(state: &Pairs) -> usize {
        state.len()
    }
    fn deaths(self) -> u32 {
        Dict::deaths(&self)
    }
    fn touch(self) {
        self.with_timeout(30_000_000_000).update(&[]).unwrap();
    }

    fn expect(self, state: &mut Pairs, op: &DictOp) -> Answer {
        let capacity = self.capacity();
        let fits = |key: &Bytes, value: &Bytes| {
            let fits = key.len() <= self.max_key_bytes() && value.len() <= self.max_value_bytes();
            if fits { Ok(()) } else { Err(Error::MessageTooLarge) }
        };
        let into = |item: &Bytes, room: usize| {
            if item.len() > room { Err(Error::BufferTooSmall) } else { Ok(item.clone()) }
        };
        match op {
            DictOp::Set(key, value) => {
                fits(key, value)?;
                put(state, capacity, key, value)?;
            }
            DictOp::Update(pairs) => {
                pairs.iter().try_for_each(|(key, value)| fits(key, value))?;
                let mut new = state.clone();
                pairs.iter().try_for_each(|(key, value)| put(&mut new, capacity, key, value))?;
                *state = new;
            }
            DictOp::SetDefault(key, value) => {
                fits(key, value)?;
                if place(state, key).is_err() {
                    put(state, capacity, key, value)?;
                }
                return Ok(state[place(state, key)?].1.clone());
            }
            DictOp::Get(key, room) => return into(&state[place(state, key)?].1, *room),
            DictOp::GetOr(key, value) => {
                return Ok(place(state, key).map_or(value.clone(), |at| state[at].1.clone()));
            }
            DictOp::Contains(key) => return Ok(vec![place(state, key).is_ok().into()]),
            DictOp::Keys => return Ok(joined(state.iter().map(|(key, _)| key))),
            DictOp::Pop(key, room) => {
                let at = place(state, key)?;
                let value = into(&state[at].1, *room)?;
                state.remove(at);
                return Ok(value);
            }
            DictOp::PopItem => {
                let (key, value) = state.pop().ok_or(Error::NotFound)?;
                return Ok(joined([&key, &value]));
            }
            DictOp::Remove(key) => {
                state.remove(place(state, key)?);
            }
            DictOp::Clear => state.clear(),
        }
        Ok(Bytes::new())
    }
}

/// An [`Attribute`] of its own.
#[derive(Clone, Debug, PartialEq)]
enum Owned {
    I64(i64),
    U64(u64),
    F64(f64),
    Bool(bool),
    Bytes(Bytes),
    Str(String),
}

impl Owned {
    fn of(attribute: Attribute) -> Owned {
        match attribute {
            Attribute::I64(it) => Owned::I64(it),
            Attribute::U64(it) => Owned::U64(it),
            Attribute::F64(it) => Owned::F64(it),
            Attribute::Bool(it) => Owned::Bool(it),
            Attribute::Bytes(it) => Owned::Bytes(it.to_vec()),
            Attribute::Str(it) => Owned::Str(it.into()),
        }
    }

    fn lent(&self) -> Attribute<'_> {
        match self {
            Owned::I64(it) => Attribute::I64(*it),
            Owned::U64(it) => Attribute::U64(*it),
            Owned::F64(it) => Attribute::F64(*it),
            Owned::Bool(it) => Attribute::Bool(*it),
            Owned::Bytes(it) => Attribute::Bytes(it),
            Owned::Str(it) => Attribute::Str(it),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Owned::Bytes(it) => it.len(),
            Owned::Str(it) => it.len(),
            _ => 0,
        }
    }
}

#[derive(Clone, Debug)]
enum NamespaceOp {
    Set(String, Owned),
    Get(String, usize),
    GetI64(String),
    GetStr(String),
    TypeOf(String),
    Contains(String),
    Remove(String),
}

fn namespace_op(max_name: usize, max_bytes: usize) -> impl Strategy<Value = NamespaceOp> {
    use NamespaceOp::*;
    let string = |max| text(max).prop_map(|text| String::from_utf8(text).unwrap());
    let name = move || string(max_name);
    let value = prop_oneof![
        any::<i64>().prop_map(Owned::I64),
        any::<u64>().prop_map(Owned::U64),
        (-1e9..1e9).prop_map(Owned::F64),
        any::<bool>().prop_map(Owned::Bool),
        text(max_bytes).prop_map(Owned::Bytes),
        string(max_bytes).prop_map(Owned::Str),
    ];
    prop_oneof![
        8 => (name(), value).prop_map(|(name, value)| Set(name, value)),
        2 => (name(), 0..=max_bytes).prop_map(|(name, room)| Get(name, room)),
        1 => name().prop_map(GetI64),
        1 => name().prop_map(GetStr),
        1 => name().prop_map(TypeOf),
        1 => name().prop_map(Contains),
        4 => name().prop_map(Remove),
    ]
}

impl Subject for Namespace<'_> {
    type Op = NamespaceOp;
    type State = Vec<(String, Owned)>;

    fn run(self, op: &NamespaceOp) -> Answer {
        let told = |value: Attribute| format!("{value:?}").into_bytes();
        let mut buffer = [0; 64];
        match op {
            NamespaceOp::Set(name, value) => self.set(name, value.lent()).map(|()| Bytes::new()),
            NamespaceOp::Get(name, room) => self.get(name, &mut buffer[..*room]).map(told),
            NamespaceOp::GetI64(name) => self.get_i64(name).map(|value| told(Attribute::I64(value))),
            NamespaceOp::GetStr(name) => {
                self.get_str(name, &mut buffer).map(|value| told(Attribute::Str(value)))
            }
            NamespaceOp::TypeOf(name) => self.type_of(name).map(|it| format!("{it:?}").into_bytes()),
            NamespaceOp::Contains(name) => self.contains(name).map(|is| vec![is.into()]),
            NamespaceOp::Remove(name) => self.remove(name).map(|()| Bytes::new()),
        }
    }

    fn state(self) -> Self::State {
        let value = |name: &String| Owned::of(self.get(name, &mut [0; 64]).unwrap());
        self.names().unwrap().into_iter().map(|name| (name.clone(), value(&name))).collect()
    }

    fn len(self) -> usize {
        Namespace::len(&self).unwrap()
    }
    fn len_of(state: &Self::State) -> usize {
        state.len()
    }
    fn deaths(self) -> u32 {
        Namespace::deaths(&self)
    }
    fn touch(self) {
        drop(self.with_timeout(30_000_000_000).lock().unwrap());
    }

    fn expect(self, state: &mut Self::State, op: &NamespaceOp) -> Answer {
        let config = self.config();
        let find = |state: &Self::State, name: &String| {
            state.iter().position(|(it, _)| it == name).ok_or(Error::NotFound)
        };
        let told = |value: &Owned| format!("{:?}", value.lent()).into_bytes();
        match op {
            NamespaceOp::Set(name, value) => {
                if name.len() > config.max_name as usize || value.bytes() > config.max_bytes as usize {
                    return Err(Error::MessageTooLarge);
                }
                match find(state, name) {
                    Ok(at) => state[at].1 = value.clone(),
                    Err(_) if state.len() == self.capacity() => return Err(Error::NoSpace),
                    Err(_) => state.push((name.clone(), value.clone())),
                }
            }
            NamespaceOp::Get(name, room) => {
                let value = &state[find(state, name)?].1;
                return if value.bytes() > *room { Err(Error::BufferTooSmall) } else { Ok(told(value)) };
            }
            NamespaceOp::GetI64(name) => {
                let value = &state[find(state, name)?].1;
                return if matches!(value, Owned::I64(_)) { Ok(told(value)) } else { Err(Error::WrongKind) };
            }
            NamespaceOp::GetStr(name) => {
                let value = &state[find(state, name)?].1;
                return if matches!(value, Owned::Str(_)) { Ok(told(value)) } else { Err(Error::WrongKind) };
            }
            NamespaceOp::TypeOf(name) => {
                let of = state[find(state, name)?].1.lent().type_of();
                return Ok(format!("{of:?}").into_bytes());
            }
            NamespaceOp::Contains(name) => return Ok(vec![find(state, name).is_ok().into()]),
            NamespaceOp::Remove(name) => {
                state.remove(find(state, name)?);
            }
        }
        Ok(Bytes::new())
    }
}

type Checked = Result<(), TestCaseError>;

/// From `state` on, each operation says and does what the oracle does.
fn agree<S: Subject>(subject: S, state: &mut S::State, ops: &[S::Op]) -> Checked {
    for op in ops {
        let expected = subject.expect(state, op);
        prop_assert_eq!(subject.run(op), expected, "{:?}", op);
        prop_assert_eq!(&subject.state(), &*state, "after {:?}", op);
        prop_assert_eq!(subject.len(), S::len_of(state));
    }
    Ok(())
}

/// How many operations a child does at most.
const LONG: usize = 100_000;

/// A child does `ops` over and over, and is killed `after` that; how many died in the middle of an update.
fn survive<S: Subject>(subject: S, ops: &[S::Op], after: Duration) -> Result<u32, TestCaseError> {
    // SAFETY: an atomic of zero.
    let done: Shared<AtomicU64> = unsafe { Shared::zeroed() };
    let child = fork(|| {
        for op in ops.iter().cycle().take(LONG) {
            let _ = subject.run(op);
            done.fetch_add(1, SeqCst);
        }
        loop {
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    procs::wait_until("the child begins", || done.load(SeqCst) > 0);
    let start = Instant::now();
    while start.elapsed() < after {
        std::hint::spin_loop();
    }
    child.kill();
    let done = done.load(SeqCst) as usize;
    let mut state = S::State::default();
    for op in ops.iter().cycle().take(done) {
        let _ = subject.expect(&mut state, op);
    }
    let mut later = state.clone();
    let mut done = done;
    if done < LONG {
        let _ = subject.expect(&mut later, &ops[done % ops.len()]);
    }
    let seen = subject.state();
    prop_assert!(seen == state || seen == later, "{:?}: neither {:?} nor {:?}", seen, state, later);
    subject.touch();
    prop_assert_eq!(&subject.state(), &seen, "the repair changed it");
    if seen != state {
        state = later;
        done += 1;
    }
    let rest: Vec<_> = ops.iter().cycle().skip(done % ops.len()).take(ops.len()).cloned().collect();
    agree(subject, &mut state, &rest)?;
    Ok(subject.deaths())
}

fn region() -> Region {
    let config = RegionConfig { members: 4, objects: 2, tick_ms: 20 };
    Region::create_anonymous(1 << 17, &config).unwrap()
}

fn capacity() -> impl Strategy<Value = u32> {
    prop_oneof![Just(1u32), Just(2), Just(5), Just(60)]
}

fn lists(ops: usize) -> impl Strategy<Value = (ListConfig, Vec<ListOp>)> {
    let config = (capacity(), prop_oneof![Just(1u32), Just(4), Just(33)]);
    config.prop_flat_map(move |(capacity, max)| {
        (Just(ListConfig::new(capacity, max)), vec(list_op(max as usize), 1..ops))
    })
}

fn dicts(ops: usize) -> impl Strategy<Value = (DictConfig, Vec<DictOp>)> {
    let config = (capacity(), prop_oneof![Just(1u32), Just(4), Just(33)], prop_oneof![Just(0u32), Just(19)]);
    config.prop_flat_map(move |(capacity, key, value)| {
        (Just(DictConfig::new(capacity, key, value)), vec(dict_op(key as usize, value as usize), 1..ops))
    })
}

fn namespaces(ops: usize) -> impl Strategy<Value = (NamespaceConfig, Vec<NamespaceOp>)> {
    let config = (capacity(), prop_oneof![Just(1u32), Just(5)], prop_oneof![Just(0u32), Just(3), Just(20)]);
    config.prop_flat_map(move |(capacity, name, bytes)| {
        let config = NamespaceConfig::new(capacity, name, bytes);
        (Just(config), vec(namespace_op(name as usize, bytes as usize), 1..ops))
    })
}

proptest! {
    #[test]
    fn a_list_is_a_vector_of_byte_strings((config, ops) in lists(60)) {
        let region = region();
        agree(region.create_list("it", &config).unwrap(), &mut Vec::new(), &ops)?;
    }

    #[test]
    fn a_dict_is_a_vector_of_pairs((config, ops) in dicts(60)) {
        let region = region();
        agree(region.create_dict("it", &config).unwrap(), &mut Vec::new(), &ops)?;
    }

    #[test]
    fn a_namespace_is_a_vector_of_names_and_values((config, ops) in namespaces(60)) {
        let region = region();
        agree(region.create_namespace("it", &config).unwrap(), &mut Vec::new(), &ops)?;
    }
}

/// Runs `case` with a delay in microseconds, until children died in the middle of updates, too.
fn kill_some<T: Debug>(
    cases: impl Strategy<Value = T>,
    case: impl Fn(T, Duration) -> Result<u32, TestCaseError>,
) {
    let _alone = procs::ALONE.lock();
    let _watchdog = watchdog("killing", 250);
    // A failure depends on the moment: it is shown as it happened.
    let config = Config { cases: 96, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let deaths = AtomicU32::new(0);
    let result = TestRunner::new(config).run(&(cases, 0..1500u64), |(ops, after)| {
        deaths.fetch_add(case(ops, Duration::from_micros(after))?, SeqCst);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    println!("{} children died in the middle of an update", deaths.load(SeqCst));
    assert!(deaths.load(SeqCst) > 0, "nobody died in the middle of an update");
}

#[test]
fn a_killed_process_leaves_a_list_before_or_behind_its_operation() {
    kill_some(lists(30), |(config, ops), after| {
        let region = region();
        survive(region.create_list("it", &config).unwrap(), &ops, after)
    });
}

#[test]
fn a_killed_process_leaves_a_dict_before_or_behind_its_operation() {
    kill_some(dicts(30), |(config, ops), after| {
        let region = region();
        survive(region.create_dict("it", &config).unwrap(), &ops, after)
    });
}

#[test]
fn a_killed_process_leaves_a_namespace_before_or_behind_its_operation() {
    kill_some(namespaces(30), |(config, ops), after| {
        let region = region();
        survive(region.create_namespace("it", &config).unwrap(), &ops, after)
    });
}
