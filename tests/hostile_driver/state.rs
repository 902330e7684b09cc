//! Values, arrays, lists, dicts and namespaces among hostile bytes: a sound region with one of each, how it is
//! damaged, and what is then done with them.
//!
//! Where they lie is found by their magic numbers, so damage hits what is there, wherever that is.

use super::{Arena, Input, tick};
use rialto::{
    Array, Attribute, Dict, DictConfig, List, ListConfig, Namespace, NamespaceConfig, RawArray, RawValue,
    Region, RegionConfig, Value, shadow::Held, sys::Os,
};
use std::{cmp::Ordering, sync::OnceLock, thread};

/// Small, so that damage hits something.
const CONFIG: RegionConfig = RegionConfig { members: 2, objects: 10, tick_ms: 2 };
const DIRECTORY: usize = 256;
const MAGICS: [[u8; 4]; 7] = [*b"RLTV", *b"RLTA", *b"RLTL", *b"RLTD", *b"RLTN", *b"RLRV", *b"RLRA"];
const LIST: ListConfig = ListConfig::new(4, 12);
const DICT: DictConfig = DictConfig::new(4, 8, 8);
const NAMESPACE: NamespaceConfig = NamespaceConfig::new(3, 8, 8);
/// What is stored, and looked for.
const WORDS: [&[u8]; 6] = [b"", b"a", b"b", b"four", b"eight...", b"twelve......"];

fn word<'w>(input: &mut Input) -> &'w [u8] {
    WORDS[input.below(WORDS.len())]
}

fn name<'w>(input: &mut Input) -> &'w str {
    ["", "a", "b", "four", "eight...", "longer name"][input.below(6)]
}

/// All of it, and nothing behind: whoever reads on touches the page that may not be touched.
pub fn tight_bytes() -> usize {
    static BYTES: OnceLock<usize> = OnceLock::new();
    *BYTES.get_or_init(|| {
        let arena = Arena::new(super::SOUND_BYTES);
        create(&arena, 1_000_000_000);
        let last = objects(&arena).last().map(|object| object.0).expect("a namespace");
        last + NAMESPACE.layout().expect("possible").size as usize
    })
}

/// A region with one of each, as far as others let us. The namespace is last.
fn create(arena: &Arena, timeout_ns: u64) {
    // SAFETY: the arena outlives every thread of a case.
    let Ok(region) = (unsafe { Region::init(arena.ptr(), arena.len(), &CONFIG) }) else { return };
    let _ = region.create_value_timeout("v", [1u64, 2, 3], timeout_ns);
    let _ = region.create_value_timeout("b", true, timeout_ns);
    let _ = region.create_array_timeout::<u32>("a", 6, timeout_ns);
    let _ = region.create_raw_value_timeout("rv", 5u64, timeout_ns);
    let _ = region.create_raw_array_timeout::<u16>("ra", 7, timeout_ns);
    let _ = region.create_list_timeout("l", &LIST, timeout_ns);
    let _ = region.create_dict_timeout("d", &DICT, timeout_ns);
    let _ = region.create_namespace_timeout("n", &NAMESPACE, timeout_ns);
}

/// Fills `arena` with a region in use; of some objects the last owner of the lock is dead.
pub fn make_sound(arena: &Arena, input: &mut Input) {
    create(arena, 1_000_000_000);
    // SAFETY: as in `create`.
    let region = unsafe { Region::attach(arena.ptr(), arena.len()) }.expect("just made");
    let (list, dict) = (region.open_list("l").expect("made"), region.open_dict("d").expect("made"));
    let namespace = region.open_namespace("n").expect("made");
    for i in 0..input.below(5) {
        list.append(WORDS[i]).expect("room");
        dict.set(&WORDS[i][..WORDS[i].len().min(8)], WORDS[4 - i]).expect("room");
    }
    for (i, name) in ["a", "b", "four"].into_iter().enumerate().take(input.below(4)) {
        let value = [Attribute::I64(-1), Attribute::Str("eight..."), Attribute::Bool(true)][i];
        namespace.set(name, value).expect("room");
    }
    let dead = input.byte();
    thread::scope(|scope| {
        // This one ends with locks held. Joined: only that waits for the thread's very end.
        let owner = scope.spawn(|| {
            let _ = (dead & 1 != 0).then(|| list.acquire(1_000_000));
            let _ = (dead & 2 != 0).then(|| dict.acquire(1_000_000));
            let _ = (dead & 4 != 0).then(|| namespace.acquire(1_000_000));
        });
        owner.join().expect("no panic");
    });
    for (at, magic) in objects(arena) {
        // And in the middle of an update.
        if dead & 8 != 0 && magic[2] == b'T' {
            arena.scribble(at + 136, 4, 1);
        }
    }
}

/// As [`make_sound`] where somebody else writes meanwhile: whatever comes of it.
pub fn make_beside(arena: &Arena) {
    create(arena, 1_000_000);
}

/// Where objects are, and their magic numbers.
fn objects(arena: &Arena) -> Vec<(usize, [u8; 4])> {
    let mut found = vec![];
    for at in (0..arena.len().saturating_sub(128)).step_by(128) {
        // SAFETY: inside, aligned.
        let magic = unsafe { arena.ptr().add(at).cast::<u32>().read_volatile() }.to_le_bytes();
        if MAGICS.contains(&magic) {
            found.push((at, magic));
        }
    }
    found
}

/// Bytes of a copy, as the object says, and where the copies are.
fn copies(arena: &Arena, at: usize) -> [usize; 2] {
    // SAFETY: at + 4 is inside, see `objects`.
    let bytes = unsafe { arena.ptr().add(at + 4).cast::<u32>().read_volatile() } as usize;
    [at + 256, at + 256 + (bytes % arena.len().max(1)).next_multiple_of(128)]
}

/// Rings, crossed links, lengths that are none: a number of a list, a dict or a namespace becomes another small
/// one, in both copies. And arrays that agree with themselves, and are too long for their place.
fn links(arena: &Arena, input: &mut Input) {
    let all: Vec<_> = objects(arena).into_iter().filter(|object| b"LDNA".contains(&object.1[3])).collect();
    if all.is_empty() {
        return;
    }
    let (at, magic) = all[input.below(all.len())];
    if magic == *b"RLTA" {
        let len = if input.byte() % 2 == 0 { input.nasty() } else { u64::from(input.byte()) * 64 };
        arena.scribble(at + 12, 4, len);
        return arena.scribble(at + 4, 4, len.wrapping_mul(4));
    }
    // Parameters that have nothing to do with the size.
    if input.byte() % 8 == 0 {
        return arena.scribble(at + 8 + 4 * input.below(3), 4, 1 + u64::from(input.byte()) * 8);
    }
    // See `Memory` of `list` and `dict`; slots have 16 and 64 bytes here.
    let offset = match magic[3] {
        b'L' => [0, 16 + 4 * input.below(4), 48 + 16 * input.below(4)][input.below(3)],
        // A namespace's string: its first four bytes.
        b'N' if input.byte() % 4 == 0 => {
            let value = input.nasty();
            let text = 48 + 64 * input.below(3) + 48 + 4;
            return copies(arena, at).into_iter().for_each(|copy| arena.scribble(copy + text, 4, value));
        }
        _ => match input.below(4) {
            0 => 4 * input.below(6),
            1 => 32 + 4 * input.below(4),
            _ => 48 + 64 * input.below(4) + 4 * input.below(6),
        },
    };
    let value = if input.byte() % 8 == 0 { input.nasty() } else { input.below(6) as u64 };
    copies(arena, at).into_iter().for_each(|copy| arena.scribble(copy + offset, 4, value));
}

/// Words that are believed: directory, headers, locks, controls; lengths, links and slots of the copies.
pub fn damage(arena: &Arena, input: &mut Input) {
    if input.byte() % 3 == 0 {
        return links(arena, input);
    }
    let len = arena.len();
    let all = objects(arena);
    let kind = input.byte() % 12;
    let object = if all.is_empty() { 0 } else { all[input.below(all.len())].0 };
    let copy = copies(arena, object.min(len.saturating_sub(8)))[input.below(2)];
    let offset = match kind {
        0 => input.below(128),
        1 => DIRECTORY + input.below(10 * 64),
        2 => object + input.below(40),
        3 => object + 64 + input.below(64),
        4 => object + 128 + input.below(16),
        5 => copy + input.below(32),
        6..=8 => copy + input.below(128),
        9 | 10 => copy + input.below(512),
        _ => input.below(len),
    } % len.max(1);
    // Links, slots and lengths are small.
    let value = if input.byte() % 2 == 0 { u64::from(input.byte() % 16) } else { input.nasty() };
    match input.byte() % 4 {
        0 => arena.flip(offset, 1 << (value % 8)),
        1 | 2 => arena.scribble(offset & !3, 4, value),
        _ => arena.scribble(offset, 1, value),
    }
}

/// The input's own bytes for directory and objects: each time a place, a length, and so many bytes.
pub fn overlay(arena: &Arena, input: &mut Input) {
    (0..input.below(8)).for_each(|_| links(arena, input));
    for _ in 0..input.below(12) {
        let all = objects(arena);
        if all.is_empty() {
            return;
        }
        let object = all[input.below(all.len())].0;
        let [first, second] = copies(arena, object);
        let place = input.byte() % 8;
        // Both copies, so that whichever is published has them.
        let at: &[usize] = match place {
            0 => &[DIRECTORY + 64 * input.below(10)],
            1 => &[object + 4],
            2 => &[object + 64],
            3 => &[object + 128],
            _ => &[first, second],
        };
        let skip = if place > 3 { 4 * input.below(64) } else { 0 };
        let bytes: Vec<u8> = (0..input.below(65)).map(|_| input.byte()).collect();
        for at in at {
            for (i, byte) in bytes.iter().enumerate() {
                arena.scribble(at + skip + i, 1, u64::from(*byte));
            }
        }
    }
}

/// The handles, as far as they could be opened.
struct Handles<'r> {
    value: Option<Value<'r, [u64; 3]>>,
    flag: Option<Value<'r, bool>>,
    array: Option<Array<'r, u32>>,
    raw_value: Option<RawValue<'r, u64>>,
    raw_array: Option<RawArray<'r, u16>>,
    list: Option<List<'r>>,
    dict: Option<Dict<'r>>,
    namespace: Option<Namespace<'r>>,
}

impl<'r> Handles<'r> {
    /// `timeout_ns` for those that wait.
    fn open(region: &'r Region, timeout_ns: u64) -> Handles<'r> {
        Handles {
            value: region.open_value("v").ok().map(|it| it.with_timeout(timeout_ns)),
            flag: region.open_value("b").ok().map(|it| it.with_timeout(timeout_ns)),
            array: region.open_array("a").ok().map(|it| it.with_timeout(timeout_ns)),
            raw_value: region.open_raw_value("rv").ok(),
            raw_array: region.open_raw_array("ra").ok(),
            list: region.open_list("l").ok().map(|it| it.with_timeout(timeout_ns)),
            dict: region.open_dict("d").ok().map(|it| it.with_timeout(timeout_ns)),
            namespace: region.open_namespace("n").ok().map(|it| it.with_timeout(timeout_ns)),
        }
    }
}

/// A script of calls. Errors are all right, each and every one; panics are not.
pub fn act(region: &Region, arena: &Arena, input: &mut Input, calls: usize) {
    let timeout_ns = 1_000_000 * (1 + u64::from(input.byte() % 5));
    let mut handles = Handles::open(region, timeout_ns);
    let mut held: Vec<Held<'_, Os>> = vec![];
    for call in 0..calls {
        if input.is_empty() {
            break;
        }
        let op = input.byte() % 16;
        tick(call as u64 * 100 + 40_000 + u64::from(op));
        match op {
            0 => damage(arena, input),
            1 => handles = Handles::open(region, timeout_ns),
            2 if held.len() < 3 => held.extend(hold(&handles, input)),
            2 => drop(held.remove(input.below(held.len()))),
            3 => create_more(region, input, timeout_ns),
            4 => values(&handles, input),
            5 | 6 => arrays(&handles, input),
            7 => raw(&handles, input),
            8..=10 => handles.list.into_iter().for_each(|list| lists(list, input)),
            11..=13 => handles.dict.into_iter().for_each(|dict| dicts(dict, input)),
            _ => handles.namespace.into_iter().for_each(|namespace| namespaces(namespace, input)),
        }
    }
    tick(50_000);
    drop(held);
}

fn hold<'r>(handles: &Handles<'r>, input: &mut Input) -> Option<Held<'r, Os>> {
    match input.below(4) {
        0 => handles.value?.lock().ok(),
        1 => handles.list?.lock().ok(),
        2 => handles.dict?.lock().ok(),
        _ => handles.namespace?.lock().ok(),
    }
}

fn create_more(region: &Region, input: &mut Input, timeout_ns: u64) {
    match input.below(8) {
        // Also what we go on using: it must not hurt anybody but us.
        5 | 6 => {
            let _ = region.remove_timeout(["v", "a", "ra", "l", "d", "l2", "a2"][input.below(7)], timeout_ns);
        }
        7 => assert!(region.space().free <= region.len() as u64),
        0 => drop(region.create_value_timeout("v2", 1.5f64, timeout_ns).map(|_| ())),
        1 => drop(region.create_array_timeout::<u8>("a2", 1 + input.byte() as u32, timeout_ns).map(|_| ())),
        2 => drop(region.create_list_timeout("l2", &ListConfig::new(1, 1), timeout_ns).map(|_| ())),
        3 => drop(region.open_dict_as("d", &DICT).map(|_| ())),
        _ => drop(region.open_value::<u32>("v").map(|_| ())),
    }
}

fn values(handles: &Handles, input: &mut Input) {
    if let Some(value) = handles.value {
        let word = input.nasty();
        match input.below(6) {
            0 => drop(value.load()),
            1 => drop(value.store([word; 3])),
            2 => drop(value.swap([word; 3])),
            3 => drop(value.update(|[a, ..]| {
                let _ = value.store([9; 3]); // of its own
                [a; 3]
            })),
            4 => drop(value.compare_exchange([1, 2, 3], [word; 3])),
            _ => assert!(value.is_mine() || value.release() != Ok(())),
        }
    }
    // A bool of two is none.
    if let Some(flag) = handles.flag {
        let _ = flag.load();
        let _ = flag.update(|flag| !flag);
    }
}

fn arrays(handles: &Handles, input: &mut Input) {
    let Some(array) = handles.array else { return };
    let at = input.nasty() as u32 % 9;
    let mut some = [7; 5];
    let count = input.below(6);
    match input.below(9) {
        0 => drop(array.get(input.nasty() as u32)),
        1 => drop(array.set(input.nasty() as u32, 3)),
        2 => drop(array.read_slice(at, &mut some[..count])),
        3 => drop(array.write_slice(at, &some[..count])),
        4 => drop(array.fill(at)),
        5 => drop(array.fetch_add(at, u32::MAX)),
        6 => drop(array.compare_exchange(at, 0, 1)),
        7 => drop(array.edit(|edit| {
            assert!(array.set(at, 1).is_err(), "within an edit");
            edit.set(at, edit.get(0)?)?;
            edit.read_slice(at, &mut some[..count])?;
            edit.write_slice(0, &some[..count])
        })),
        _ => assert!(array.iter().map_or(0, |all| all.count()) <= array.len() as usize),
    }
}

fn raw(handles: &Handles, input: &mut Input) {
    let (index, word) = (input.nasty() as u32, input.nasty());
    if let Some(value) = handles.raw_value {
        assert!(value.store(word).is_ok() && value.load().is_ok());
        let _ = (value.swap(word), value.fetch_add(word), value.compare_exchange(word, 1));
    }
    if let Some(array) = handles.raw_array {
        let mut some = [7; 5];
        match input.below(6) {
            0 => drop((array.get(index), array.set(index, word as u16))),
            1 => drop((array.swap(index % 9, 1), array.fetch_add(index % 9, 1))),
            2 => drop(array.compare_exchange(index % 9, 1, 2)),
            3 => drop(array.read_slice(index % 9, &mut some)),
            4 => drop(array.write_slice(index % 9, &some[..input.below(6)])),
            _ => assert!(array.iter().count() == array.len() as usize),
        }
    }
}

fn lists(list: List, input: &mut Input) {
    let (i, item) = (input.below(6), word(input));
    let mut buffer = [0; 64];
    let room = [12, 64, input.below(64)][input.below(3)];
    let buffer = &mut buffer[..room];
    let mut lens = [0; 5];
    let fits = |len: rialto::Result<usize>| assert!(len.unwrap_or(0) <= room);
    match input.below(20) {
        0 => drop(list.append(item)),
        1 => drop(list.extend(&[item, b"x", item][..input.below(4)])),
        2 => drop(list.insert(i, item)),
        3 => drop(list.set(i, item)),
        4 => fits(list.get(i, buffer)),
        5 => fits(list.pop(i, buffer)),
        6 => fits(list.pop_last(buffer)),
        7 => drop(list.delete(i)),
        8 => drop(list.remove(item)),
        9 => drop(list.index(item)),
        10 => drop(list.index_in(input.below(5)..input.below(9), item)),
        11 => drop((list.contains(item), list.count(item))),
        12 => drop(list.clear()),
        13 => drop(list.reverse()),
        14 => drop(list.sort()),
        // One that contradicts itself, and wants to change what it sorts.
        15 => drop(list.sort_by(&mut [0; 64], |a, b| {
            assert!(list.append(b"x").is_err());
            if input.byte() % 3 == 0 { Ordering::Less } else { a.cmp(b) }
        })),
        16 => {
            let range = input.below(5)..[input.below(9), usize::MAX][input.below(2)];
            let count = list.copy_range(range, buffer, &mut lens);
            assert!(count.unwrap_or(0) <= list.capacity());
        }
        17 => {
            let mut count = 0;
            let _ = list.for_each(buffer, |_, item| {
                count += 1;
                assert!(item.len() <= list.max_item_bytes() && count <= list.capacity());
                let _ = list.append(item);
            });
        }
        18 => assert!(list.to_vec().map_or(0, |all| all.len()) <= list.capacity()),
        _ => assert!(list.len().unwrap_or(0) <= list.capacity()),
    }
}

fn dicts(dict: Dict, input: &mut Input) {
    let (key, value) = (word(input), word(input));
    let (mut buffer, mut other) = ([0; 64], [0; 16]);
    let room = [8, 64, input.below(64)][input.below(3)];
    let buffer = &mut buffer[..room];
    let fits = |len: rialto::Result<usize>| assert!(len.unwrap_or(0) <= room);
    match input.below(18) {
        0..=2 => drop(dict.set(key, value)),
        3 => drop(dict.update(&[(key, value), (b"a", b""), (value, key)][..input.below(4)])),
        4 => fits(dict.setdefault(key, value, buffer)),
        5 => fits(dict.get(key, buffer)),
        6 => fits(dict.get_or(key, value, buffer)),
        7 | 8 => fits(dict.pop(key, buffer)),
        9 => {
            let (key, value) = dict.popitem(buffer, &mut other).unwrap_or((0, 0));
            assert!(key <= room && value <= 16);
        }
        10 => drop(dict.remove(key)),
        11 => drop(dict.contains(key)),
        12 => drop(dict.clear()),
        13 => assert!(dict.copy_keys(buffer, &mut [0; 5]).unwrap_or(0) <= dict.capacity()),
        14 => assert!(dict.copy_items(buffer, &mut [(0, 0); 5]).unwrap_or(0) <= dict.capacity()),
        15 => {
            let changes = input.byte() % 2 == 0;
            let mut count = 0;
            let _ = dict.for_each(buffer, &mut other, |key, value| {
                count += 1;
                assert!(key.len() <= dict.max_key_bytes() && value.len() <= dict.max_value_bytes());
                let _ = if changes { dict.remove(key) } else { dict.set(key, value) };
            });
            assert!(count <= dict.capacity());
        }
        16 => assert!(dict.to_vec().map_or(0, |all| all.len()) <= dict.capacity()),
        _ => assert!(dict.len().unwrap_or(0) <= dict.capacity()),
    }
}

fn namespaces(namespace: Namespace, input: &mut Input) {
    let name = name(input);
    let mut buffer = [0; 16];
    let room = [8, 16, input.below(16)][input.below(3)];
    match input.below(12) {
        0 => drop(namespace.set(name, input.nasty())),
        1 => drop(namespace.set(name, input.nasty() as i64)),
        2 => drop(namespace.set(name, f64::from_bits(input.nasty()))),
        3 => drop(namespace.set(name, true)),
        4 => drop(namespace.set(name, word(input))),
        5 => drop(namespace.set(name, "string")),
        6 => match namespace.get(name, &mut buffer[..room]) {
            Ok(Attribute::Bytes(bytes)) => assert!(bytes.len() <= room),
            Ok(Attribute::Str(text)) => assert!(text.chars().count() <= room),
            _ => {}
        },
        7 => {
            let _ = (namespace.get_i64(name), namespace.get_u64(name), namespace.get_f64(name));
            let _ = (namespace.get_bool(name), namespace.type_of(name), namespace.contains(name));
            let _ = namespace.get_bytes(name, &mut buffer).map(|bytes| bytes.len());
            let _ = namespace.get_str(name, &mut buffer).map(|text| text.len());
        }
        8 => drop(namespace.remove(name)),
        9 => assert!(
            namespace.copy_names(&mut buffer[..room], &mut [0; 4]).unwrap_or(0) <= namespace.capacity()
        ),
        10 => assert!(namespace.names().map_or(0, |names| names.len()) <= namespace.capacity()),
        _ => assert!(namespace.len().unwrap_or(0) <= namespace.capacity()),
    }
}
