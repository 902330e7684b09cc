//! Dict: what Python's documentation says of `dict` (a manager's dict proxies one), sentence by sentence, and what is
//! different here: a fixed capacity, byte strings, a walk under the lock instead of views.
#![cfg(all(feature = "std", feature = "os", target_os = "linux"))]

mod procs;

use procs::{fork, watchdog};
use rialto::{Dict, DictConfig, Error, Region, RegionConfig, dict, sys::Os};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering::*},
    thread,
    time::Duration,
};

const CAPACITY: u32 = 6;
const MAX_KEY: u32 = 10;
const MAX_VALUE: u32 = 20;

fn region() -> Region {
    let config = RegionConfig { members: 8, objects: 8, tick_ms: 20 };
    Region::create_anonymous(1 << 17, &config).unwrap()
}

/// `f` on a dict of these items.
fn with(items: &[(&str, &str)], f: impl FnOnce(Dict<'_>)) {
    let _watchdog = watchdog("a dict", 60);
    let region = region();
    let dict = region.create_dict("dict", &DictConfig::new(CAPACITY, MAX_KEY, MAX_VALUE)).unwrap();
    items.iter().for_each(|(key, value)| dict.set(key.as_bytes(), value.as_bytes()).unwrap());
    f(dict);
}

#[track_caller]
fn holds(dict: &Dict, expected: &[(&str, &str)]) {
    let items = dict.to_vec().unwrap();
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    let items: Vec<_> = items.iter().map(|(key, value)| (text(key), text(value))).collect();
    assert_eq!(items, expected);
    assert_eq!(dict.len(), Ok(expected.len()));
}

#[test]
fn an_item_is_set_and_got_by_its_key() {
    with(&[], |dict| {
        let mut buffer = [7; MAX_VALUE as usize];
        assert_eq!(dict.is_empty(), Ok(true));
        assert_eq!(dict.get(b"a", &mut buffer), Err(Error::NotFound), "KeyError");
        dict.set(b"a", b"one").unwrap();
        dict.set(b"", b"").unwrap();
        dict.set(&[b'k'; 10], &[b'v'; 20]).unwrap();
        assert_eq!(dict.get(b"a", &mut buffer), Ok(3));
        assert_eq!(&buffer[..4], b"one\x07");
        assert_eq!(dict.get(b"", &mut buffer), Ok(0));
        assert_eq!(dict.get(&[b'k'; 10], &mut buffer), Ok(20));
        assert_eq!(buffer, [b'v'; 20]);
        assert_eq!(dict.get(&[b'k'; 11], &mut buffer), Err(Error::NotFound), "longer than any key");
        dict.set(b"a", b"1").unwrap();
        assert_eq!(dict.get(b"a", &mut buffer), Ok(1));
        holds(&dict, &[("a", "1"), ("", ""), ("kkkkkkkkkk", "vvvvvvvvvvvvvvvvvvvv")]);
    });
}

#[test]
fn get_returns_the_default_if_the_key_is_not_there() {
    with(&[("a", "1")], |dict| {
        let mut buffer = [0; 4];
        assert_eq!(dict.get_or(b"a", b"no", &mut buffer), Ok(1));
        assert_eq!(dict.get_or(b"b", b"no", &mut buffer), Ok(2));
        assert_eq!(&buffer[..2], b"no");
        assert_eq!(dict.get_or(b"b", b"longer", &mut buffer), Err(Error::BufferTooSmall));
        assert_eq!(dict.get_or(b"a", b"longer", &mut []), Err(Error::BufferTooSmall));
        assert_eq!(dict.contains(b"b"), Ok(false));
    });
}

#[test]
fn dictionaries_preserve_insertion_order_and_an_update_does_not_affect_it() {
    with(&[("one", "1"), ("two", "2"), ("three", "3"), ("four", "4")], |dict| {
        dict.set(b"one", b"42").unwrap();
        holds(&dict, &[("one", "42"), ("two", "2"), ("three", "3"), ("four", "4")]);
        // Keys added after deletion are inserted at the end.
        dict.remove(b"two").unwrap();
        dict.set(b"two", b"new").unwrap();
        holds(&dict, &[("one", "42"), ("three", "3"), ("four", "4"), ("two", "new")]);
        dict.remove(b"one").unwrap();
        dict.remove(b"two").unwrap();
        holds(&dict, &[("three", "3"), ("four", "4")]);
    });
}

#[test]
fn del_removes_the_key() {
    with(&[("a", "1"), ("b", "2")], |dict| {
        dict.remove(b"a").unwrap();
        assert_eq!(dict.remove(b"a"), Err(Error::NotFound), "KeyError");
        assert_eq!((dict.contains(b"a"), dict.contains(b"b")), (Ok(false), Ok(true)));
        holds(&dict, &[("b", "2")]);
    });
}

#[test]
fn pop_removes_the_key_and_returns_its_value() {
    with(&[("a", "1"), ("b", "22")], |dict| {
        let mut buffer = [0; 2];
        assert_eq!(dict.pop(b"b", &mut buffer[..1]), Err(Error::BufferTooSmall));
        holds(&dict, &[("a", "1"), ("b", "22")]);
        assert_eq!(dict.pop(b"b", &mut buffer), Ok(2));
        assert_eq!(&buffer, b"22");
        assert_eq!(dict.pop(b"b", &mut buffer), Err(Error::NotFound), "KeyError");
        holds(&dict, &[("a", "1")]);
    });
}

#[test]
fn popitem_is_last_in_first_out() {
    with(&[("a", "1"), ("bb", "2"), ("c", "333")], |dict| {
        let (mut key, mut value) = ([0; 2], [0; 3]);
        assert_eq!(dict.popitem(&mut key, &mut value[..2]), Err(Error::BufferTooSmall));
        assert_eq!(dict.popitem(&mut [], &mut value), Err(Error::BufferTooSmall));
        assert_eq!(dict.popitem(&mut key, &mut value), Ok((1, 3)));
        assert_eq!((&key[..1], &value), (&b"c"[..], b"333"));
        assert_eq!(dict.popitem(&mut key, &mut value), Ok((2, 1)));
        holds(&dict, &[("a", "1")]);
        assert_eq!(dict.popitem(&mut key, &mut value), Ok((1, 1)));
        assert_eq!(dict.popitem(&mut key, &mut value), Err(Error::NotFound), "KeyError: empty");
        dict.set(b"z", b"").unwrap();
        holds(&dict, &[("z", "")]);
    });
}

#[test]
fn setdefault_inserts_only_a_key_that_is_not_there_and_returns_the_value() {
    with(&[("a", "1")], |dict| {
        let mut buffer = [0; 4];
        assert_eq!(dict.setdefault(b"a", b"no", &mut buffer), Ok(1));
        assert_eq!(&buffer[..1], b"1");
        assert_eq!(dict.setdefault(b"b", b"yes", &mut buffer), Ok(3));
        assert_eq!(&buffer[..3], b"yes");
        holds(&dict, &[("a", "1"), ("b", "yes")]);
        assert_eq!(dict.setdefault(b"c", b"too long", &mut buffer), Err(Error::BufferTooSmall));
        holds(&dict, &[("a", "1"), ("b", "yes")]);
        dict.update(&[(b"c", b""), (b"d", b""), (b"e", b""), (b"f", b"")]).unwrap();
        assert_eq!(dict.setdefault(b"g", b"", &mut buffer), Err(Error::NoSpace));
        assert_eq!(dict.setdefault(b"f", b"", &mut buffer), Ok(0));
    });
}

#[test]
fn update_overwrites_existing_keys_all_or_nothing() {
    with(&[("a", "1"), ("b", "2"), ("c", "3")], |dict| {
        dict.update(&[(b"b", b"two"), (b"d", b"4"), (b"d", b"four"), (b"a", b"one")]).unwrap();
        let expected = [("a", "one"), ("b", "two"), ("c", "3"), ("d", "four")];
        holds(&dict, &expected);
        assert_eq!(dict.update(&[(b"a", b"x"), (b"e", b""), (b"f", b""), (b"g", b"")]), Err(Error::NoSpace));
        holds(&dict, &expected);
        assert_eq!(dict.update(&[(b"a", b"x"), (b"e", &[0; 21])]), Err(Error::MessageTooLarge));
        assert_eq!(dict.update(&[(b"a", b"x"), (&[0; 11], b"")]), Err(Error::MessageTooLarge));
        dict.update(&[]).unwrap();
        holds(&dict, &expected);
        dict.update(&[(b"e", b"5"), (b"f", b"6")]).unwrap();
        assert_eq!(dict.set(b"g", b""), Err(Error::NoSpace));
        dict.set(b"f", b"six, full or not").unwrap();
    });
}

#[test]
fn clear_removes_all_items() {
    with(&[("a", "1"), ("b", "2"), ("c", "3")], |dict| {
        dict.remove(b"b").unwrap();
        dict.clear().unwrap();
        holds(&dict, &[]);
        assert_eq!(dict.contains(b"a"), Ok(false));
        (0..CAPACITY as u8).for_each(|i| dict.set(&[b'0' + i], b"").unwrap());
        assert_eq!(dict.set(b"x", b""), Err(Error::NoSpace));
        holds(&dict, &[("0", ""), ("1", ""), ("2", ""), ("3", ""), ("4", ""), ("5", "")]);
    });
}

#[test]
fn list_of_a_dict_is_its_keys_and_items_are_pairs() {
    with(&[("a", "1"), ("bb", ""), ("", "333")], |dict| {
        let (mut buffer, mut lens, mut pairs) = ([0; 8], [9; 3], [(9, 9); 3]);
        assert_eq!(dict.copy_keys(&mut buffer, &mut lens), Ok(3));
        assert_eq!((&buffer[..3], lens), (&b"abb"[..], [1, 2, 0]));
        assert_eq!(dict.copy_items(&mut buffer, &mut pairs), Ok(3));
        assert_eq!((&buffer[..7], pairs), (&b"a1bb333"[..], [(1, 1), (2, 0), (0, 3)]));
        assert_eq!(dict.copy_keys(&mut buffer[..2], &mut lens), Err(Error::BufferTooSmall));
        assert_eq!(dict.copy_keys(&mut buffer, &mut lens[..2]), Err(Error::BufferTooSmall));
        assert_eq!(dict.copy_items(&mut buffer[..6], &mut pairs), Err(Error::BufferTooSmall));
        assert_eq!(dict.copy_items(&mut buffer, &mut pairs[..2]), Err(Error::BufferTooSmall));
    });
}

#[test]
fn iteration_is_over_one_state_of_the_dict() {
    with(&[("a", "1"), ("b", "2")], |dict| {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let mut seen = Vec::new();
            dict.for_each(&mut [0; 10], &mut [0; 20], |key, value| {
                if seen.is_empty() {
                    scope.spawn(|| {
                        dict.clear().unwrap();
                        done.store(true, SeqCst);
                    });
                    thread::sleep(Duration::from_millis(50));
                }
                assert!(!done.load(SeqCst), "a writer got in");
                seen.push((key.to_vec(), value.to_vec()));
            })
            .unwrap();
            assert_eq!(seen, [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"2".to_vec())]);
        });
        holds(&dict, &[]);
    });
}

#[test]
fn iterating_while_adding_or_deleting_entries_is_an_error() {
    with(&[("a", "1"), ("b", "2")], |dict| {
        let walk = |f: &dyn Fn(&[u8])| {
            let mut seen = 0;
            let end = dict.for_each(&mut [0; 10], &mut [0; 20], |key, _| {
                seen += 1;
                f(key);
            });
            (seen, end)
        };
        // Values may be set.
        assert_eq!(walk(&|key| dict.set(key, b"set").unwrap()), (2, Ok(())));
        assert_eq!(walk(&|key| dict.remove(key).unwrap()), (1, Err(Error::Busy)));
        holds(&dict, &[("b", "set")]);
        assert_eq!(walk(&|_| dict.set(b"new", b"").unwrap()), (1, Err(Error::Busy)));
        holds(&dict, &[("b", "set"), ("new", "")]);
        // Not told by the length.
        let swap = |key: &[u8]| {
            dict.remove(key).unwrap();
            dict.set(key, b"").unwrap();
        };
        assert_eq!(walk(&swap), (1, Err(Error::Busy)));
        assert!(catch_unwind(AssertUnwindSafe(|| walk(&|_| panic!("planned")))).is_err());
        assert!(!dict.is_locked());
        assert_eq!(dict.for_each(&mut [0; 2], &mut [0; 20], |_, _| ()), Err(Error::BufferTooSmall));
        assert_eq!(dict.for_each(&mut [0; 10], &mut [0; 2], |_, _| ()), Ok(()));
    });
}

#[test]
fn under_its_lock_several_operations_are_one_for_other_writers() {
    with(&[("count", "\x01")], |dict| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let _guard = dict.lock().unwrap();
                        let mut count = [0];
                        dict.get(b"count", &mut count).unwrap();
                        thread::yield_now();
                        dict.set(b"count", &[count[0] + 1]).unwrap();
                    }
                });
            }
        });
        let mut count = [0];
        dict.get(b"count", &mut count).unwrap();
        assert_eq!(count, [101]);
        let _guard = dict.lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(dict.with_timeout(0).set(b"a", b""), Err(Error::WouldBlock));
                assert_eq!(dict.with_timeout(1_000_000).clear(), Err(Error::TimedOut));
                assert_eq!(dict.get(b"count", &mut [0]), Ok(1), "reading waits for nobody");
            });
        });
    });
}

#[test]
fn one_process_sees_what_another_set_and_the_dead_leave_whole_updates() {
    with(&[("a", "1")], |dict| {
        fork(|| {
            dict.acquire(0).unwrap();
            dict.update(&[(b"b", b"2"), (b"a", b"one")]).unwrap();
            0
        })
        .succeeds();
        holds(&dict, &[("a", "one"), ("b", "2")]);
        dict.with_timeout(10_000_000_000).set(b"c", b"3").unwrap();
        holds(&dict, &[("a", "one"), ("b", "2"), ("c", "3")]);
    });
}

#[test]
fn an_update_of_many_keys_is_seen_as_one() {
    let _watchdog = watchdog("a dict under updates", 60);
    let region = region();
    let dict = region.create_dict("wide", &DictConfig::new(16, 1, 100)).unwrap();
    let update = |round: u8| {
        let keys: [[u8; 1]; 16] = std::array::from_fn(|i| [i as u8]);
        let value = [round; 100];
        dict.update(&keys.each_ref().map(|key| (&key[..], &value[..]))).unwrap();
    };
    update(0);
    let child = fork(|| {
        let mut round = 0u8;
        loop {
            round = round.wrapping_add(1);
            update(round);
        }
    });
    let mut states = std::collections::BTreeSet::new();
    procs::wait_until("many states were read", || {
        for _ in 0..2000 {
            let (mut buffer, mut lens) = ([0; 16 * 101], [(0, 0); 16]);
            assert_eq!(dict.copy_items(&mut buffer, &mut lens), Ok(16));
            assert_eq!(lens, [(1, 100); 16]);
            for (i, item) in buffer.chunks(101).enumerate() {
                assert_eq!(usize::from(item[0]), i);
                assert!(item[1..].iter().all(|byte| *byte == buffer[1]), "torn");
            }
            states.insert(buffer[1]);
        }
        states.len() > 50
    });
    child.kill();
}

#[test]
fn keys_of_one_bucket_come_and_go() {
    let region = region();
    // One bucket: all keys are in one chain.
    let dict = region.create_dict("one", &DictConfig::new(1, 4, 0)).unwrap();
    dict.set(b"a", b"").unwrap();
    assert_eq!(dict.set(b"b", b""), Err(Error::NoSpace));
    assert_eq!(dict.contains(b"b"), Ok(false));
    dict.remove(b"a").unwrap();
    dict.set(b"b", b"").unwrap();
    assert_eq!((dict.contains(b"a"), dict.contains(b"b")), (Ok(false), Ok(true)));
    // Many in few, over and over, so that chains have heads, middles and ends.
    let dict = region.create_dict("many", &DictConfig::new(300, 4, 4)).unwrap();
    let mut oracle = std::collections::BTreeMap::new();
    let mut state = 7u32;
    for round in 0..20_000u32 {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        let key = (state >> 16) % 400;
        let bytes = key.to_le_bytes();
        if state >> 31 == 0 && oracle.len() < 300 {
            dict.set(&bytes, &round.to_le_bytes()).unwrap();
            oracle.insert(key, round);
        } else {
            assert_eq!(dict.remove(&bytes).is_ok(), oracle.remove(&key).is_some());
        }
    }
    assert!(oracle.len() > 50);
    let mut items = dict.to_vec().unwrap();
    items.sort_by_key(|(key, _)| u32::from_le_bytes(key[..].try_into().unwrap()));
    let expected: Vec<_> =
        oracle.iter().map(|(k, v)| (k.to_le_bytes().to_vec(), v.to_le_bytes().to_vec())).collect();
    assert_eq!(items, expected);
}

#[test]
fn names_kinds_and_parameters_are_checked() {
    let region = region();
    let config = DictConfig::new(3, 5, 7);
    let dict = region.create_dict("dict", &config).unwrap();
    assert_eq!((dict.capacity(), dict.max_key_bytes(), dict.max_value_bytes()), (3, 5, 7));
    assert_eq!(dict.config(), config);
    assert_eq!(region.create_dict("dict", &config).err(), Some(Error::Exists));
    dict.set(b"is", b"here").unwrap();
    assert_eq!(region.open_dict("dict").unwrap().contains(b"is"), Ok(true));
    assert!(region.open_dict_as("dict", &config).is_ok());
    for other in [DictConfig::new(4, 5, 7), DictConfig::new(3, 6, 7), DictConfig::new(3, 5, 8)] {
        assert_eq!(region.open_dict_as("dict", &other).err(), Some(Error::WrongKind));
    }
    assert_eq!(region.open_list("dict").err(), Some(Error::WrongKind));
    for (capacity, key, value) in
        [(0, 1, 1), (1, 0, 1), (u32::MAX, 1, 1), (1 << 30, 1, 1), (1, u32::MAX, 1), (1, 1, u32::MAX)]
    {
        assert_eq!(DictConfig::new(capacity, key, value).layout(), Err(Error::Invalid));
    }
}

#[repr(C, align(128))]
struct Memory([u8; 4096]);

#[test]
fn bytes_that_are_no_dict_are_refused_and_walks_end() {
    let mut memory = Box::new(Memory([0xff; 4096]));
    let at = memory.0.as_mut_ptr();
    let config = DictConfig::new(2, 4, 4);
    let size = config.layout().unwrap().size as usize;
    // SAFETY: 4096 bytes, aligned, ours, and gone after the handles; offsets stay inside.
    unsafe {
        let refused = |ptr, len| dict::Dict::attach_on(Os {}, ptr, len).err();
        assert_eq!(refused(at, 4096), Some(Error::BadRegion));
        assert_eq!(refused(at.add(64), 1024), Some(Error::Invalid));
        assert_eq!(dict::Dict::init_on(Os {}, at, size - 1, &config).err(), Some(Error::NoSpace));
        let dict = dict::Dict::init_on(Os {}, at, size, &config).unwrap();
        assert!((size..4096).all(|i| at.add(i).read() == 0xff));
        dict.update(&[(b"a", b"1"), (b"b", b"2")]).unwrap();
        assert_eq!(refused(at, size - 1), Some(Error::BadRegion));
        let params = at.add(8).cast::<u32>();
        for (i, value) in [(0, 0), (0, 3), (0, u32::MAX), (1, 0), (1, 64), (2, 64), (2, u32::MAX)] {
            let before = params.add(i).read();
            params.add(i).write(value);
            assert_eq!(refused(at, 4096), Some(Error::BadRegion), "param {i} = {value}");
            params.add(i).write(before);
        }
        let mut buffer = [0; 16];
        // Everything but the two keys' chains and texts: any number there is an error or a garbled dict, soon.
        let copy = at.add(256 + (at.add(128).read() & 1) as usize * 256);
        for offset in (0..48 + 2 * 64).step_by(4) {
            let word = copy.add(offset).cast::<u32>();
            let before = word.read();
            for value in [0, 1, 2, 3, 5, u32::MAX] {
                word.write(value);
                for key in [b"a", b"b", b"c"] {
                    let _ = dict.get(key, &mut buffer);
                }
                let _ = dict.to_vec();
                let _ = dict.copy_items(&mut buffer, &mut [(0, 0); 2]);
            }
            word.write(before);
        }
        // Rings: the first key's chain leads to itself, and its order too.
        let first = copy.add(48);
        for field in [4, 12] {
            let word = first.add(field).cast::<u32>();
            let before = word.read();
            word.write(1);
            let heads = [copy.add(32).cast::<u32>(), copy.add(36).cast::<u32>()];
            let saved = heads.map(|head| head.read());
            heads.iter().for_each(|head| head.write(1));
            if field == 4 {
                assert_eq!(dict.get(b"c", &mut buffer), Err(Error::BadRegion));
                assert_eq!(dict.contains(b"c"), Err(Error::BadRegion));
            }
            assert_eq!(dict.to_vec().unwrap().len(), 2, "no further than there are keys");
            heads.iter().zip(saved).for_each(|(head, saved)| head.write(saved));
            word.write(before);
        }
        assert_eq!(dict.get(b"b", &mut buffer), Ok(1));
        // Nor do writers: each of these words, wild, under every kind of update.
        for offset in (0..48 + 2 * 64).step_by(4) {
            for value in [1, 2, 3, 77, u32::MAX] {
                let dict = dict::Dict::init_on(Os {}, at, size, &config).unwrap();
                dict.update(&[(b"a", b"1"), (b"b", b"2")]).unwrap();
                for which in 0..2 {
                    at.add(256 + which * 256 + offset).cast::<u32>().write(value);
                }
                let _ = dict.popitem(&mut buffer, &mut [0; 16]);
                let _ = dict.remove(b"a");
                let _ = dict.set(b"d", b"4");
                let _ = dict.set(b"e", b"5");
                let _ = dict.pop(b"b", &mut buffer);
                let _ = dict.clear();
                assert!(!dict.is_locked());
            }
        }
        assert!((size..4096).all(|i| at.add(i).read() == 0xff), "outside");
    }
}
