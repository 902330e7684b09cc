//! The objects that are swept: how each is made, read, and filled to its capacity.

use super::Subject;
use rialto::{
    Array, Dict, DictConfig, Error, List, ListConfig, Namespace, NamespaceConfig, RawArray, RawValue, Region,
    Value,
};
use std::fmt::Debug;

pub type Wide = [u64; 3];

macro_rules! locked {
    () => {
        fn within(self, timeout_ns: u64) -> Self {
            self.with_timeout(timeout_ns)
        }
        fn take(self) -> Result<(), Error> {
            self.acquire(super::PATIENT)
        }
        fn give(self) -> Result<(), Error> {
            self.release()
        }
        fn repairs(self) -> u32 {
            self.deaths()
        }
    };
}

fn text(what: impl Debug) -> String {
    format!("{what:?}")
}

/// Says what is not as it should be.
fn same<T: PartialEq + Debug>(what: &str, got: T, expected: T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("{what}: {got:?}, not {expected:?}")) }
}

impl Subject for Value<'static, Wide> {
    locked!();
    fn create(region: &'static Region, name: &str) -> Self {
        region.create_value(name, [1, 2, 3]).expect("room")
    }
    fn see(self) -> Result<String, Error> {
        self.load().map(text)
    }
    fn further(self) -> Result<(), Error> {
        self.update(|was| was.map(|word| word + 1000)).map(|_| ())
    }
    fn brim(self) -> Result<(), String> {
        for value in [[0; 3], [u64::MAX; 3]] {
            same("store", (self.store(value), self.load()), (Ok(()), Ok(value)))?;
        }
        Ok(())
    }
}

impl Subject for Value<'static, u64> {
    locked!();
    fn create(region: &'static Region, name: &str) -> Self {
        region.create_value(name, 1).expect("room")
    }
    fn see(self) -> Result<String, Error> {
        self.load().map(text)
    }
    fn further(self) -> Result<(), Error> {
        self.fetch_add(1000).map(|_| ())
    }
    fn brim(self) -> Result<(), String> {
        for value in [0, u64::MAX] {
            same("store", (self.store(value), self.load()), (Ok(()), Ok(value)))?;
        }
        Ok(())
    }
}

/// Planted: a value whose readers take its lock, as Python's.
#[derive(Clone, Copy)]
pub struct InTurn(pub Value<'static, Wide>);

impl Subject for InTurn {
    fn create(region: &'static Region, name: &str) -> Self {
        InTurn(Subject::create(region, name))
    }
    fn see(self) -> Result<String, Error> {
        let _held = self.0.lock()?;
        self.0.see()
    }
    fn further(self) -> Result<(), Error> {
        self.0.further()
    }
    fn brim(self) -> Result<(), String> {
        self.0.brim()
    }
    fn within(self, timeout_ns: u64) -> Self {
        InTurn(self.0.within(timeout_ns))
    }
}

const ELEMENTS: u32 = 6;

impl Subject for Array<'static, u32> {
    locked!();
    fn create(region: &'static Region, name: &str) -> Self {
        region.create_array_of(name, &[10, 11, 12, 13, 14, 15]).expect("room")
    }
    fn see(self) -> Result<String, Error> {
        let mut all = [0; ELEMENTS as usize];
        self.read_slice(0, &mut all).map(|()| text(all))
    }
    fn further(self) -> Result<(), Error> {
        self.edit(|edit| (0..ELEMENTS).try_for_each(|i| edit.set(i, edit.get(i)? + 1000)))
    }
    fn brim(self) -> Result<(), String> {
        for i in 0..ELEMENTS {
            same("set", (self.set(i, !i), self.get(i)), (Ok(()), Ok(!i)))?;
        }
        same("behind the end", self.set(ELEMENTS, 0), Err(Error::NotFound))
    }
}

impl Subject for RawValue<'static, u64> {
    const LOCKED: bool = false;
    fn create(region: &'static Region, name: &str) -> Self {
        region.create_raw_value(name, 1).expect("room")
    }
    fn see(self) -> Result<String, Error> {
        self.load().map(text)
    }
    fn further(self) -> Result<(), Error> {
        self.fetch_add(1000).map(|_| ())
    }
    fn brim(self) -> Result<(), String> {
        same("store", (self.store(9), self.load()), (Ok(()), Ok(9)))
    }
}

impl Subject for RawArray<'static, u16> {
    const LOCKED: bool = false;
    fn create(region: &'static Region, name: &str) -> Self {
        let array = region.create_raw_array(name, ELEMENTS).expect("room");
        array.write_slice(0, &[10, 11, 12, 13, 14, 15]).expect("room");
        array
    }
    fn see(self) -> Result<String, Error> {
        Ok(text(self.iter().collect::<Vec<u16>>()))
    }
    fn further(self) -> Result<(), Error> {
        self.fetch_add(2, 1000).map(|_| ())
    }
    fn brim(self) -> Result<(), String> {
        for i in 0..ELEMENTS {
            same("set", (self.set(i, 7), self.get(i)), (Ok(()), Ok(7)))?;
        }
        same("behind the end", self.set(ELEMENTS, 0), Err(Error::NotFound))
    }
}

/// Planted: words that pretend to be one value.
#[derive(Clone, Copy)]
pub struct RawWords(RawArray<'static, u64>);

impl RawWords {
    pub fn store(self, words: [u64; 4]) {
        self.0.write_slice(0, &words).unwrap();
    }
}

impl Subject for RawWords {
    const LOCKED: bool = false;
    fn create(region: &'static Region, name: &str) -> Self {
        RawWords(region.create_raw_array(name, 4).expect("room"))
    }
    fn see(self) -> Result<String, Error> {
        Ok(text(self.0.iter().collect::<Vec<u64>>()))
    }
    fn further(self) -> Result<(), Error> {
        self.0.fetch_add(1, 1000).map(|_| ())
    }
    fn brim(self) -> Result<(), String> {
        Ok(())
    }
}

const ITEMS: usize = 6;
const MAX: usize = 8;

fn items(list: List<'static>) -> Result<Vec<Vec<u8>>, Error> {
    let (mut buffer, mut lens) = ([0; ITEMS * MAX], [0; ITEMS]);
    let count = list.copy_range(0..usize::MAX, &mut buffer, &mut lens)?;
    if list.len()? != count {
        return Err(Error::BadRegion);
    }
    let mut at = 0;
    let item = |len: &u32| {
        at += *len as usize;
        buffer[at - *len as usize..at].to_vec()
    };
    Ok(lens[..count].iter().map(item).collect())
}

fn strings(items: &[Vec<u8>]) -> String {
    text(items.iter().map(|item| String::from_utf8_lossy(item)).collect::<Vec<_>>())
}

impl Subject for List<'static> {
    locked!();
    /// Free slots that were used, and some that were not.
    fn create(region: &'static Region, name: &str) -> Self {
        let list = region.create_list(name, &ListConfig::new(ITEMS as u32, MAX as u32)).expect("room");
        list.extend(&[b"delta", b"echo", b"alpha", b"charlie.", b""]).expect("room");
        list.delete(1).expect("there");
        list
    }
    fn see(self) -> Result<String, Error> {
        items(self).map(|items| strings(&items))
    }
    fn further(self) -> Result<(), Error> {
        match self.insert(1, b"later") {
            Err(Error::NoSpace) => self.delete(3),
            other => other,
        }
    }
    fn brim(self) -> Result<(), String> {
        let mut all = items(self).map_err(text)?;
        for round in 0..2 {
            while all.len() < ITEMS {
                let item = format!("{round}{}", ".".repeat(all.len()).as_str()).into_bytes();
                same("append", self.append(&item), Ok(()))?;
                all.push(item);
            }
            same("one too many", self.append(b"x"), Err(Error::NoSpace))?;
            same("full", items(self), Ok(all.clone()))?;
            let mut buffer = [0; MAX];
            while !all.is_empty() {
                let i = all.len() / 2;
                let item = all.remove(i);
                let popped = self.pop(i, &mut buffer).map(|len| buffer[..len].to_vec());
                same("pop", popped, Ok(item))?;
            }
            same("empty", self.pop_last(&mut buffer), Err(Error::NotFound))?;
        }
        Ok(())
    }
}

/// Planted: a list that has lost a slot and another one twice, so that one item fewer fits.
#[derive(Clone, Copy)]
pub struct Leaky(pub List<'static>);

impl Subject for Leaky {
    fn create(region: &'static Region, name: &str) -> Self {
        let list = Subject::create(region, name);
        let at = super::Copies::all(region).last().expect("just made").at.cast_mut();
        for copy in 0..2 {
            let bytes: usize = 16 + 8 * ITEMS + 16 * ITEMS;
            let order = at.wrapping_add(256 + copy * bytes.next_multiple_of(128) + 16).cast::<u32>();
            // SAFETY: inside the list.
            unsafe { order.add(ITEMS - 1).write(order.add(ITEMS - 2).read()) };
        }
        Leaky(list)
    }
    fn see(self) -> Result<String, Error> {
        self.0.see()
    }
    fn further(self) -> Result<(), Error> {
        self.0.delete(0)
    }
    fn brim(self) -> Result<(), String> {
        self.0.brim()
    }
    fn within(self, timeout_ns: u64) -> Self {
        Leaky(self.0.within(timeout_ns))
    }
    fn take(self) -> Result<(), Error> {
        self.0.take()
    }
    fn give(self) -> Result<(), Error> {
        self.0.give()
    }
}

const KEYS: usize = 5;
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn pairs(dict: Dict<'static>) -> Result<Pairs, Error> {
    let (mut buffer, mut lens) = ([0; 2 * KEYS * MAX], [(0, 0); KEYS]);
    let count = dict.copy_items(&mut buffer, &mut lens)?;
    if dict.len()? != count {
        return Err(Error::BadRegion);
    }
    let (mut rest, mut all) = (&buffer[..], vec![]);
    for (key, value) in &lens[..count] {
        let (key, behind) = rest.split_at(*key as usize);
        let (value, behind) = behind.split_at(*value as usize);
        // The order and the buckets' chains lead to the same.
        let mut found = [0; MAX];
        let len = dict.get(key, &mut found)?;
        if found[..len] != *value {
            return Err(Error::BadRegion);
        }
        all.push((key.to_vec(), value.to_vec()));
        rest = behind;
    }
    Ok(all)
}

impl Subject for Dict<'static> {
    locked!();
    /// Two free slots, one of them used before.
    fn create(region: &'static Region, name: &str) -> Self {
        let config = DictConfig::new(KEYS as u32, MAX as u32, MAX as u32);
        let dict = region.create_dict(name, &config).expect("room");
        dict.update(&[(b"one", b"1"), (b"two", b"22"), (b"three", b""), (b"eight...", b"88888888")])
            .expect("room");
        dict.remove(b"two").expect("there");
        dict
    }
    fn see(self) -> Result<String, Error> {
        let all = pairs(self)?;
        let flat: Vec<Vec<u8>> = all.into_iter().flat_map(|(key, value)| [key, value]).collect();
        Ok(strings(&flat))
    }
    fn further(self) -> Result<(), Error> {
        match self.set(b"later", b"later") {
            Err(Error::NoSpace) => self.popitem(&mut [0; MAX], &mut [0; MAX]).map(|_| ()),
            other => other,
        }
    }
    fn brim(self) -> Result<(), String> {
        let mut all = pairs(self).map_err(text)?;
        for round in 0..2 {
            while all.len() < KEYS {
                let pair = (format!("{round}k{}", all.len()).into_bytes(), b".".repeat(all.len()));
                same("set", self.set(&pair.0, &pair.1), Ok(()))?;
                all.push(pair);
            }
            same("one too many", self.set(b"x", b""), Err(Error::NoSpace))?;
            same("full", pairs(self), Ok(all.clone()))?;
            let mut buffer = [0; MAX];
            while !all.is_empty() {
                let (key, value) = all.remove(all.len() / 2);
                let popped = self.pop(&key, &mut buffer).map(|len| buffer[..len].to_vec());
                same("pop", popped, Ok(value))?;
                same("what is gone", self.contains(&key), Ok(false))?;
            }
            same("empty", self.remove(b"x"), Err(Error::NotFound))?;
        }
        Ok(())
    }
}

const NAMES: usize = 4;

impl Subject for Namespace<'static> {
    locked!();
    fn create(region: &'static Region, name: &str) -> Self {
        let config = NamespaceConfig::new(NAMES as u32, MAX as u32, MAX as u32);
        let namespace = region.create_namespace(name, &config).expect("room");
        namespace.set("gone", true).expect("room");
        namespace.set("rank", 5i64).expect("room");
        namespace.set("label", "eight...").expect("room");
        namespace.remove("gone").expect("there");
        namespace
    }
    fn see(self) -> Result<String, Error> {
        let mut all = vec![];
        for name in self.names()? {
            all.push(format!("{name} = {:?}", self.get(&name, &mut [0; MAX])?));
        }
        if all.len() == self.len()? { Ok(text(all)) } else { Err(Error::BadRegion) }
    }
    fn further(self) -> Result<(), Error> {
        self.set("label", 1u64)
    }
    fn brim(self) -> Result<(), String> {
        for round in 0..2 {
            for i in self.names().map_err(text)?.len()..NAMES {
                same("set", self.set(&format!("{round}n{i}"), i as u64), Ok(()))?;
                same("get", self.get_u64(&format!("{round}n{i}")), Ok(i as u64))?;
            }
            same("one too many", self.set("x", false), Err(Error::NoSpace))?;
            let names = self.names().map_err(text)?;
            same("full", (names.len(), self.len()), (NAMES, Ok(NAMES)))?;
            for name in names {
                same("remove", (self.remove(&name), self.contains(&name)), (Ok(()), Ok(false)))?;
            }
            same("empty", self.len(), Ok(0))?;
        }
        Ok(())
    }
}
