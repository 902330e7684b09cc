//! List: what Python's documentation says of `list` (a manager's list proxies one), sentence by sentence, and what is
//! different here: a fixed capacity, byte strings, no negative indices.
#![cfg(all(feature = "std", feature = "os", target_os = "linux"))]

mod procs;

use procs::{fork, watchdog};
use rialto::{Error, List, ListConfig, Region, RegionConfig, list, sys::Os};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering::*},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

const CAPACITY: u32 = 8;
const MAX: u32 = 20;

fn region() -> Region {
    let config = RegionConfig { members: 8, objects: 8, tick_ms: 20 };
    Region::create_anonymous(1 << 16, &config).unwrap()
}

/// `f` on a list of these items.
fn with(items: &[&str], f: impl FnOnce(List<'_>)) {
    let _watchdog = watchdog("a list", 60);
    let region = region();
    let list = region.create_list("list", &ListConfig::new(CAPACITY, MAX)).unwrap();
    items.iter().for_each(|item| list.append(item.as_bytes()).unwrap());
    f(list);
}

#[track_caller]
fn holds(list: &List, expected: &[&str]) {
    let items = list.to_vec().unwrap();
    let items: Vec<_> = items.iter().map(|item| std::str::from_utf8(item).unwrap()).collect();
    assert_eq!(items, expected);
    assert_eq!(list.len(), Ok(expected.len()));
}

#[test]
fn append_adds_to_the_end_of_the_sequence() {
    with(&[], |list| {
        assert_eq!(list.is_empty(), Ok(true));
        list.append(b"a").unwrap();
        list.append(b"").unwrap();
        list.append(&[b'z'; MAX as usize]).unwrap();
        holds(&list, &["a", "", "zzzzzzzzzzzzzzzzzzzz"]);
        assert_eq!(list.is_empty(), Ok(false));
    });
}

#[test]
fn extend_adds_the_contents_of_another() {
    with(&["a"], |list| {
        list.extend(&[b"b", b"cc"]).unwrap();
        list.extend(&[]).unwrap();
        holds(&list, &["a", "b", "cc"]);
    });
}

#[test]
fn extend_adds_all_or_nothing() {
    with(&["a", "b", "c", "d", "e", "f"], |list| {
        assert_eq!(list.extend(&[b"g", b"h", b"i"]), Err(Error::NoSpace));
        assert_eq!(list.extend(&[b"g", &[0; MAX as usize + 1]]), Err(Error::MessageTooLarge));
        holds(&list, &["a", "b", "c", "d", "e", "f"]);
        list.extend(&[b"g", b"h"]).unwrap();
        holds(&list, &["a", "b", "c", "d", "e", "f", "g", "h"]);
    });
}

#[test]
fn insert_puts_it_at_the_index_and_clamps_as_slices_do() {
    with(&["a", "c"], |list| {
        list.insert(1, b"b").unwrap();
        list.insert(0, b"first").unwrap();
        list.insert(4, b"last").unwrap();
        list.insert(usize::MAX, b"behind").unwrap();
        holds(&list, &["first", "a", "b", "c", "last", "behind"]);
    });
}

#[test]
fn pop_retrieves_the_item_and_also_removes_it() {
    with(&["a", "b", "c", "d"], |list| {
        let mut buffer = [0; MAX as usize];
        assert_eq!(list.pop(1, &mut buffer), Ok(1));
        assert_eq!(&buffer[..1], b"b");
        assert_eq!(list.pop(0, &mut buffer), Ok(1));
        assert_eq!(&buffer[..1], b"a");
        holds(&list, &["c", "d"]);
        assert_eq!(list.pop(2, &mut buffer), Err(Error::NotFound));
        holds(&list, &["c", "d"]);
    });
}

#[test]
fn pop_without_an_index_takes_the_last_item() {
    with(&["a", "bb"], |list| {
        let mut buffer = [0; 2];
        assert_eq!(list.pop_last(&mut buffer), Ok(2));
        assert_eq!(&buffer, b"bb");
        assert_eq!(list.pop_last(&mut buffer), Ok(1));
        assert_eq!(list.pop_last(&mut buffer), Err(Error::NotFound), "IndexError: pop from empty list");
    });
}

#[test]
fn a_small_buffer_takes_nothing() {
    with(&["abc", "de"], |list| {
        let mut buffer = [0; 2];
        assert_eq!(list.get(0, &mut buffer), Err(Error::BufferTooSmall));
        assert_eq!(list.pop(0, &mut buffer), Err(Error::BufferTooSmall));
        assert_eq!(list.get(1, &mut buffer), Ok(2));
        list.pop(1, &mut buffer).unwrap();
        assert_eq!(list.pop_last(&mut buffer), Err(Error::BufferTooSmall));
        holds(&list, &["abc"]);
    });
}

#[test]
fn remove_removes_the_first_item_that_equals() {
    with(&["a", "b", "a", "c"], |list| {
        list.remove(b"a").unwrap();
        holds(&list, &["b", "a", "c"]);
        assert_eq!(list.remove(b"x"), Err(Error::NotFound), "ValueError");
        assert_eq!(list.remove(b"aa"), Err(Error::NotFound));
        assert_eq!(list.remove(b""), Err(Error::NotFound));
        holds(&list, &["b", "a", "c"]);
    });
}

#[test]
fn del_removes_the_item_at_the_index() {
    with(&["a", "b", "c"], |list| {
        list.delete(1).unwrap();
        assert_eq!(list.delete(2), Err(Error::NotFound));
        holds(&list, &["a", "c"]);
    });
}

#[test]
fn index_is_that_of_the_first_occurrence_within_start_and_end() {
    with(&["a", "b", "a", "b"], |list| {
        assert_eq!(list.index(b"b"), Ok(1));
        assert_eq!(list.index_in(2..4, b"b"), Ok(3));
        assert_eq!(list.index_in(2..3, b"b"), Err(Error::NotFound));
        assert_eq!(list.index_in(2..usize::MAX, b"a"), Ok(2));
        #[allow(clippy::reversed_empty_ranges)]
        let none = list.index_in(3..1, b"b");
        assert_eq!(none, Err(Error::NotFound));
        assert_eq!(list.index(b"c"), Err(Error::NotFound), "ValueError");
    });
}

#[test]
fn count_is_the_number_of_occurrences_and_in_says_whether_there_is_one() {
    with(&["a", "b", "a", ""], |list| {
        assert_eq!((list.count(b"a"), list.count(b""), list.count(b"c")), (Ok(2), Ok(1), Ok(0)));
        assert_eq!((list.contains(b"b"), list.contains(b"c")), (Ok(true), Ok(false)));
    });
}

#[test]
fn an_item_is_got_and_set_by_its_index() {
    with(&["a", "b"], |list| {
        let mut buffer = [7; 4];
        list.set(1, b"bbb").unwrap();
        assert_eq!(list.get(1, &mut buffer), Ok(3));
        assert_eq!(&buffer, b"bbb\x07");
        list.set(1, b"").unwrap();
        assert_eq!(list.get(1, &mut buffer), Ok(0));
        assert_eq!(list.get(2, &mut buffer), Err(Error::NotFound), "IndexError");
        assert_eq!(list.set(2, b"c"), Err(Error::NotFound));
        assert_eq!(list.set(0, &[0; MAX as usize + 1]), Err(Error::MessageTooLarge));
        holds(&list, &["a", ""]);
    });
}

#[test]
fn a_slice_has_what_there_is_of_it() {
    with(&["a", "bb", "", "ccc"], |list| {
        let (mut buffer, mut lens) = ([0; 16], [9; 4]);
        assert_eq!(list.copy_range(1..3, &mut buffer, &mut lens), Ok(2));
        assert_eq!((&buffer[..2], &lens[..2]), (&b"bb"[..], &[2, 0][..]));
        assert_eq!(list.copy_range(0..usize::MAX, &mut buffer, &mut lens), Ok(4));
        assert_eq!((&buffer[..6], lens), (&b"abbccc"[..], [1, 2, 0, 3]));
        assert_eq!(list.copy_range(4..9, &mut buffer, &mut lens), Ok(0));
        #[allow(clippy::reversed_empty_ranges)]
        let none = list.copy_range(3..1, &mut buffer, &mut lens);
        assert_eq!(none, Ok(0));
        assert_eq!(list.copy_range(0..4, &mut buffer[..5], &mut lens), Err(Error::BufferTooSmall));
        assert_eq!(list.copy_range(0..4, &mut buffer, &mut lens[..3]), Err(Error::BufferTooSmall));
    });
}

#[test]
fn clear_removes_all_items_and_reverse_reverses_in_place() {
    with(&["a", "b", "c"], |list| {
        list.reverse().unwrap();
        holds(&list, &["c", "b", "a"]);
        list.append(b"d").unwrap();
        list.reverse().unwrap();
        holds(&list, &["d", "a", "b", "c"]);
        list.clear().unwrap();
        holds(&list, &[]);
        list.reverse().unwrap();
        (0..CAPACITY).for_each(|_| list.append(b"x").unwrap());
        assert_eq!(list.append(b"y"), Err(Error::NoSpace));
    });
}

#[test]
fn sort_orders_by_bytes() {
    with(&["b", "", "ab", "a", "abc", "b"], |list| {
        list.sort().unwrap();
        holds(&list, &["", "a", "ab", "abc", "b", "b"]);
    });
    // Longer than what is compared at once.
    let region = region();
    let list = region.create_list("long", &ListConfig::new(4, 200)).unwrap();
    let item = |len: usize, last: u8| {
        let mut item = vec![b'x'; len];
        item[len - 1] = last;
        item
    };
    let items = [item(150, b'z'), item(150, b'a'), item(64, b'x'), item(128, b'x')];
    items.iter().for_each(|item| list.append(item).unwrap());
    list.sort().unwrap();
    let mut expected = items.to_vec();
    expected.sort();
    assert_eq!(list.to_vec().unwrap(), expected);
}

#[test]
fn sort_is_stable() {
    with(&["b2", "a1", "b1", "c1", "a3", "c0", "a2"], |list| {
        let mut buffer = [0; 2 * MAX as usize];
        list.sort_by(&mut buffer, |x, y| x[0].cmp(&y[0])).unwrap();
        holds(&list, &["a1", "a3", "a2", "b2", "b1", "c1", "c0"]);
        list.sort_by(&mut buffer, |x, y| y[0].cmp(&x[0])).unwrap();
        holds(&list, &["c1", "c0", "b2", "b1", "a1", "a3", "a2"]);
    });
}

#[test]
fn sorting_compares_no_more_than_n_log_n_times() {
    let region = region();
    let list = region.create_list("many", &ListConfig::new(512, 4)).unwrap();
    let mut state = 1u32;
    for _ in 0..512 {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        list.append(&state.to_be_bytes()).unwrap();
    }
    let mut compared = 0;
    list.sort_by(&mut [0; 8], |x, y| {
        compared += 1;
        x.cmp(y)
    })
    .unwrap();
    assert!(compared <= 512 * 9, "{compared} comparisons");
    let items = list.to_vec().unwrap();
    assert!(items.len() == 512 && items.is_sorted());
}

#[test]
fn if_any_comparison_fails_the_list_is_as_it_was() {
    with(&["c", "b", "a", "d"], |list| {
        let mut compared = 0;
        let sorted = catch_unwind(AssertUnwindSafe(|| {
            list.sort_by(&mut [0; 40], |x, y| {
                compared += 1;
                assert!(compared < 4, "planned");
                x.cmp(y)
            })
        }));
        assert!(sorted.is_err());
        assert!(!list.is_locked());
        holds(&list, &["c", "b", "a", "d"]);
        assert_eq!(list.deaths(), 0);
        assert_eq!(list.sort_by(&mut [0; 39], |x, y| x.cmp(y)), Err(Error::BufferTooSmall));
        holds(&list, &["c", "b", "a", "d"]);
    });
}

#[test]
fn a_comparator_that_contradicts_itself_ends_with_the_same_items() {
    with(&["c", "b", "a", "d", "e", "f", "g"], |list| {
        let mut bit = 0u32;
        list.sort_by(&mut [0; 40], |_, _| {
            bit = bit.wrapping_mul(1664525).wrapping_add(1013904223);
            if bit >> 31 == 0 { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater }
        })
        .unwrap();
        list.sort().unwrap();
        holds(&list, &["a", "b", "c", "d", "e", "f", "g"]);
    });
}

#[test]
fn a_comparator_may_read_the_list_and_not_change_it() {
    with(&["b", "a"], |list| {
        list.sort_by(&mut [0; 40], |x, y| {
            holds(&list, &["b", "a"]); // as it was
            assert_eq!(list.append(b"c"), Err(Error::Deadlock));
            assert_eq!(list.clear(), Err(Error::Deadlock));
            assert_eq!(list.sort(), Err(Error::Deadlock));
            x.cmp(y)
        })
        .unwrap();
        holds(&list, &["a", "b"]);
    });
}

#[test]
fn iteration_is_over_one_state_of_the_list() {
    with(&["a", "b", "c"], |list| {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let mut seen = Vec::new();
            let mut writer = None;
            list.for_each(&mut [0; MAX as usize], |i, item| {
                if writer.is_none() {
                    writer = Some(scope.spawn(|| {
                        list.clear().unwrap();
                        done.store(true, SeqCst);
                    }));
                    thread::sleep(Duration::from_millis(50));
                }
                assert!(!done.load(SeqCst), "a writer got in");
                seen.push((i, item.to_vec()));
            })
            .unwrap();
            assert_eq!(seen, [(0, b"a".to_vec()), (1, b"b".to_vec()), (2, b"c".to_vec())]);
        });
        holds(&list, &[]);
    });
}

#[test]
fn a_list_may_be_changed_while_it_is_iterated_over() {
    // Python: the index goes on, the list is shorter.
    with(&["a", "b", "c", "d"], |list| {
        let mut seen = Vec::new();
        list.for_each(&mut [0; MAX as usize], |_, item| {
            seen.push(item.to_vec());
            list.remove(item).unwrap();
        })
        .unwrap();
        assert_eq!(seen, [b"a", b"c"]);
        holds(&list, &["b", "d"]);
        // And one that grows is iterated over to its new end, which here it has.
        let mut appended = 0;
        list.for_each(&mut [0; MAX as usize], |_, _| appended += u32::from(list.append(b"x").is_ok()))
            .unwrap();
        assert_eq!(appended, CAPACITY - 2);
        assert_eq!(list.for_each(&mut [], |_, _| ()), Err(Error::BufferTooSmall));
        assert!(!list.is_locked());
    });
}

#[test]
fn under_its_lock_several_operations_are_one_for_other_writers() {
    with(&["1"], |list| {
        let seen = AtomicU32::new(0);
        let guard = list.lock().unwrap();
        assert!(list.is_mine() && list.is_locked());
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(!list.is_mine());
                assert_eq!(list.with_timeout(0).append(b"x"), Err(Error::WouldBlock));
                let start = Instant::now();
                let late = list.with_timeout(30_000_000).append(b"x");
                assert_eq!(late, Err(Error::TimedOut));
                assert!(start.elapsed() >= Duration::from_millis(30));
                assert_eq!(list.len(), Ok(1), "reading waits for nobody");
                seen.store(1, SeqCst);
                list.append(b"3").unwrap();
            });
            procs::wait_until("the other writer came and went", || seen.load(SeqCst) == 1);
            let inner = list.lock().unwrap();
            list.append(b"2").unwrap();
            drop(inner);
            assert!(list.is_mine(), "the outer one holds on");
            holds(&list, &["1", "2"]);
            drop(guard);
        });
        holds(&list, &["1", "2", "3"]);
        list.acquire(0).unwrap();
        assert_eq!(list.acquire(1), Err(Error::Deadlock));
        assert_eq!(list.acquire(0), Err(Error::WouldBlock), "a poll says no more");
        list.release().unwrap();
        assert_eq!(list.release(), Err(Error::NotOwner));
    });
}

#[test]
fn a_dead_holder_of_the_lock_leaves_what_it_had_done() {
    with(&["a"], |list| {
        let child = fork(|| {
            list.acquire(0).unwrap();
            list.append(b"b").unwrap();
            0
        });
        child.succeeds();
        holds(&list, &["a", "b"]);
        list.with_timeout(10_000_000_000).append(b"c").unwrap();
        holds(&list, &["a", "b", "c"]);
    });
}

#[test]
fn one_process_sees_what_another_appended() {
    with(&[], |list| {
        for round in 0..4u8 {
            fork(|| list.append(&[round]).map_or(1, |()| 0)).succeeds();
        }
        assert_eq!(list.to_vec().unwrap(), [[0], [1], [2], [3]]);
    });
}

#[test]
fn appends_of_many_threads_are_all_there() {
    let _watchdog = watchdog("appends", 60);
    let region = region();
    let list = region.create_list("list", &ListConfig::new(200, 8)).unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for thread in 0..4u8 {
            let sender = sender.clone();
            scope.spawn(move || {
                for i in 0..50u8 {
                    list.append(&[thread, i]).unwrap();
                    let (mut buffer, mut lens) = ([0; 1600], [0; 200]);
                    let count = list.copy_range(0..200, &mut buffer, &mut lens).unwrap();
                    assert!(lens[..count].iter().all(|len| *len == 2), "torn");
                    sender.send(count).unwrap();
                }
            });
        }
        drop(sender);
        assert_eq!(receiver.iter().count(), 200);
    });
    let mut items = list.to_vec().unwrap();
    for thread in 0..4u8 {
        let mine: Vec<u8> = items.iter().filter(|item| item[0] == thread).map(|item| item[1]).collect();
        assert!(mine.len() == 50 && mine.is_sorted(), "of thread {thread}: {mine:?}");
    }
    items.sort();
    items.dedup();
    assert_eq!(items.len(), 200);
}

#[test]
fn a_list_that_is_reversed_is_seen_before_or_behind_it() {
    let _watchdog = watchdog("a list under reversals", 60);
    let region = region();
    let list = region.create_list("list", &ListConfig::new(250, 8)).unwrap();
    (0..250u8).for_each(|i| list.append(&[i]).unwrap());
    let child = fork(|| {
        loop {
            list.reverse().unwrap();
        }
    });
    let (mut up, mut down) = (0u32, 0u32);
    procs::wait_until("both were seen", || {
        for _ in 0..2000 {
            let (mut buffer, mut lens) = ([0; 250], [0; 250]);
            assert_eq!(list.copy_range(0..250, &mut buffer, &mut lens), Ok(250));
            match buffer[0] {
                0 => up += u32::from(buffer.is_sorted()),
                _ => down += u32::from(buffer.iter().rev().is_sorted()),
            }
        }
        assert_eq!((up + down) % 2000, 0, "torn");
        up > 1000 && down > 1000
    });
    child.kill();
}

#[test]
fn names_kinds_and_parameters_are_checked() {
    let region = region();
    let config = ListConfig::new(3, 5);
    let list = region.create_list("list", &config).unwrap();
    assert_eq!((list.capacity(), list.max_item_bytes(), list.config()), (3, 5, config));
    assert_eq!(region.create_list("list", &config).err(), Some(Error::Exists));
    list.append(b"here").unwrap();
    assert_eq!(region.open_list("list").unwrap().to_vec().unwrap(), [b"here"]);
    assert!(region.open_list_as("list", &config).is_ok());
    assert_eq!(region.open_list_as("list", &ListConfig::new(4, 5)).err(), Some(Error::WrongKind));
    assert_eq!(region.open_list_as("list", &ListConfig::new(3, 6)).err(), Some(Error::WrongKind));
    assert_eq!(region.open_dict("list").err(), Some(Error::WrongKind));
    assert_eq!(region.open_list("other").err(), Some(Error::NotFound));
    for (capacity, max) in [(0, 1), (1, 0), (u32::MAX, u32::MAX), (1 << 30, 1), (1, 1 << 30)] {
        assert_eq!(ListConfig::new(capacity, max).layout(), Err(Error::Invalid), "{capacity} {max}");
    }
    assert_eq!(region.create_list("huge", &ListConfig::new(1 << 20, 64)).err(), Some(Error::NoSpace));
}

#[repr(C, align(128))]
struct Memory([u8; 4096]);

#[test]
fn a_list_lies_anywhere_and_bytes_that_are_none_are_refused() {
    let mut memory = Box::new(Memory([0xff; 4096]));
    let at = memory.0.as_mut_ptr();
    let config = ListConfig::new(2, 4);
    let size = config.layout().unwrap().size as usize;
    // SAFETY: 4096 bytes, aligned, ours, and gone after the handles; offsets stay inside.
    unsafe {
        let refused = |ptr, len| list::List::attach_on(Os {}, ptr, len).err();
        assert_eq!(refused(at, 4096), Some(Error::BadRegion));
        assert_eq!(refused(at.add(64), 1024), Some(Error::Invalid));
        assert_eq!(refused(std::ptr::null_mut(), 1024), Some(Error::Invalid));
        let made = list::List::init_on(Os {}, at, size - 1, &config).err();
        assert_eq!(made, Some(Error::NoSpace));
        let list = list::List::init_on(Os {}, at, size, &config).unwrap();
        assert!(memory_untouched(at, size));
        list.extend(&[b"a", b"bcde"]).unwrap();
        assert_eq!(list::List::attach_on(Os {}, at, size).unwrap().to_vec().unwrap(), list.to_vec().unwrap());
        assert_eq!(refused(at, size - 1), Some(Error::BadRegion));
        assert_eq!(refused(at, 255), Some(Error::BadRegion));
        // Parameters that do not fit the bytes.
        let params = at.add(8).cast::<u32>();
        for (i, value) in [(0, 0), (0, 3), (0, u32::MAX), (1, 0), (1, 64), (1, u32::MAX)] {
            let before = params.add(i).read();
            params.add(i).write(value);
            assert_eq!(refused(at, 4096), Some(Error::BadRegion), "param {i} = {value}");
            params.add(i).write(before);
        }
        // A length, a slot number and an item's length that cannot be.
        let (mut buffer, copy) = ([0; 8], at.add(256));
        let copy = copy.add((at.add(128).read() & 1) as usize * 128);
        for offset in [0, 16, 32] {
            let word = copy.add(offset).cast::<u32>();
            let before = word.read();
            word.write(5);
            assert_eq!(list.get(0, &mut buffer), Err(Error::BadRegion), "at {offset}");
            assert_eq!(list.to_vec(), Err(Error::BadRegion), "at {offset}");
            word.write(before);
        }
        assert_eq!(list.get(0, &mut buffer), Ok(1));
    }
}

/// # Safety
/// There are 4096 bytes.
unsafe fn memory_untouched(at: *const u8, from: usize) -> bool {
    // SAFETY: the caller's word.
    (from..4096).all(|i| unsafe { at.add(i).read() } == 0xff)
}
