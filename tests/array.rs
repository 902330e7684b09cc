//! Arrays, raw arrays: Python's `multiprocessing.Array` and `RawArray`, in Rust. TESTING.md has the table.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

use rialto::{Error, Region, RegionConfig};

fn region() -> Region {
    Region::create_anonymous(1 << 20, &RegionConfig::default()).unwrap()
}

#[test]
fn a_new_array_is_zero_or_what_it_was_created_of() {
    let region = region();
    let zeros = region.create_array::<i16>("zeros", 5).unwrap();
    assert_eq!((zeros.len(), zeros.iter().unwrap().collect::<Vec<_>>()), (5, vec![0; 5]));
    region.create_array_of("abc", &[1.5f64, 2.5]).unwrap();
    let found = region.open_array::<f64>("abc").unwrap();
    assert_eq!(found.iter().unwrap().collect::<Vec<_>>(), [1.5, 2.5]);
    let raw = region.create_raw_array::<u8>("raw", 3).unwrap();
    assert_eq!(raw.iter().collect::<Vec<_>>(), [0; 3]);
    assert_eq!(region.create_array::<u8>("none", 0).err(), Some(Error::Invalid));
    assert_eq!(region.create_array::<u64>("many", 1 << 27 | 1).err(), Some(Error::Invalid));
    assert_eq!(region.create_array::<u64>("much", 1 << 20).err(), Some(Error::NoSpace));
    assert_eq!(region.create_raw_array::<u64>("much", 1 << 20).err(), Some(Error::NoSpace));
}

#[test]
fn an_array_of_another_type_is_refused() {
    let region = region();
    region.create_array::<u32>("a", 4).unwrap();
    region.create_raw_array::<u32>("r", 4).unwrap();
    assert_eq!(region.open_array::<i32>("a").err(), Some(Error::WrongKind));
    assert_eq!(region.open_array::<u16>("a").err(), Some(Error::WrongKind));
    assert_eq!(region.open_raw_array::<u32>("a").err(), Some(Error::WrongKind));
    assert_eq!(region.open_raw_array::<f32>("r").err(), Some(Error::WrongKind));
}

#[test]
fn an_index_out_of_bounds_changes_nothing() {
    let region = region();
    let array = region.create_array_of("a", &[1u32, 2, 3]).unwrap();
    let raw = region.create_raw_array::<u16>("r", 3).unwrap();
    let mut two = [0; 2];
    assert_eq!(array.get(3), Err(Error::NotFound));
    assert_eq!(array.set(3, 9), Err(Error::NotFound));
    assert_eq!(array.get(u32::MAX), Err(Error::NotFound));
    assert_eq!(array.write_slice(2, &[9, 9]), Err(Error::NotFound));
    assert_eq!(array.read_slice(2, &mut two), Err(Error::NotFound));
    assert_eq!(array.read_slice(u32::MAX, &mut two), Err(Error::NotFound));
    assert_eq!(array.write_slice(3, &[]), Ok(()));
    assert_eq!(array.edit(|edit| edit.set(0, 9).and(edit.set(3, 9))), Err(Error::NotFound));
    assert_eq!(array.iter().unwrap().collect::<Vec<_>>(), [1, 2, 3], "edit took back what it had set");
    assert_eq!((raw.get(3), raw.set(3, 9)), (Err(Error::NotFound), Err(Error::NotFound)));
    assert_eq!(raw.fetch_add(3, 1), Err(Error::NotFound));
    assert_eq!(raw.write_slice(2, &[9, 9]), Err(Error::NotFound));
    assert_eq!(raw.iter().collect::<Vec<_>>(), [0; 3]);
}

#[test]
fn slices_are_copied_in_and_out_at_any_offset() {
    let region = region();
    macro_rules! check {
        ($($type:ty),*) => { $(
            let name = stringify!($type);
            let array = region.create_array::<$type>(name, 40).unwrap();
            let raw = region.create_raw_array::<$type>(&format!("raw {name}"), 40).unwrap();
            for start in 0..33u32 {
                for len in 0..8usize {
                    let put: Vec<$type> = (0..len).map(|i| (start as usize + i + 1) as $type).collect();
                    array.fill(99 as $type).unwrap();
                    raw.write_slice(0, &[99 as $type; 40]).unwrap();
                    array.write_slice(start, &put).unwrap();
                    raw.write_slice(start, &put).unwrap();
                    let mut expected = [99 as $type; 40];
                    expected[start as usize..start as usize + len].copy_from_slice(&put);
                    let (mut all, mut same) = ([0 as $type; 40], [0 as $type; 40]);
                    array.read_slice(0, &mut all).unwrap();
                    raw.read_slice(0, &mut same).unwrap();
                    assert_eq!((all, same), (expected, expected));
                    let mut part = vec![0 as $type; len];
                    array.read_slice(start, &mut part).unwrap();
                    assert_eq!(part, put);
                }
            }
        )* };
    }
    check!(u8, u16, i32, u64, f32, f64);
}

#[test]
fn elements_that_are_no_words_and_elements_with_forbidden_bytes() {
    let region = region();
    let odd = region.create_array::<[u8; 3]>("odd", 9).unwrap();
    odd.set(4, [1, 2, 3]).unwrap();
    assert_eq!((odd.get(3), odd.get(4), odd.get(5)), (Ok([0; 3]), Ok([1, 2, 3]), Ok([0; 3])));
    let raw = region.create_raw_array::<[u8; 3]>("raw odd", 9).unwrap();
    raw.set(4, [1, 2, 3]).unwrap();
    assert_eq!((raw.get(3), raw.get(4), raw.get(5)), (Ok([0; 3]), Ok([1, 2, 3]), Ok([0; 3])));
    let flags = region.create_array::<bool>("flags", 70).unwrap();
    flags.set(69, true).unwrap();
    let mut all = [true; 70];
    flags.read_slice(0, &mut all).unwrap();
    assert!(all[69] && !all[..69].iter().any(|flag| *flag));
    // A peer writes a 2 there.
    let raw = region.create_raw_array::<bool>("raw flags", 5).unwrap();
    // SAFETY: the element is there, and any byte can be written.
    unsafe { raw.as_ptr().cast::<u8>().add(2).write_volatile(2) };
    assert_eq!((raw.get(1), raw.get(2)), (Ok(false), Err(Error::BadRegion)));
    assert_eq!(raw.read_slice(0, &mut [false; 5]), Err(Error::BadRegion));
    assert_eq!(raw.iter().count(), 2);
}

#[test]
fn many_elements_change_together_or_not_at_all() {
    let region = region();
    let accounts = region.create_array::<i64>("accounts", 100).unwrap();
    std::thread::scope(|scope| {
        for t in 0..3u32 {
            scope.spawn(move || {
                for i in 0..2000u32 {
                    let (from, to) = ((i * 7 + t * 31) % 100, (i * 13 + t) % 100);
                    let moved = accounts.edit(|edit| {
                        edit.set(from, edit.get(from)? - 5)?;
                        edit.set(to, edit.get(to)? + 5)?;
                        if i % 10 == 3 { Err(Error::WouldBlock) } else { Ok(()) }
                    });
                    assert_eq!(moved.is_err(), i % 10 == 3);
                }
            });
        }
        scope.spawn(move || {
            let mut all = [0; 100];
            for _ in 0..2000 {
                accounts.read_slice(0, &mut all).unwrap();
                assert_eq!(all.iter().sum::<i64>(), 0);
            }
        });
    });
    assert_ne!(accounts.iter().unwrap().map(i64::abs).sum::<i64>(), 0);
}

#[test]
fn within_an_edit_the_array_is_as_it_was_and_cannot_be_changed_otherwise() {
    let region = region();
    let array = region.create_array_of("a", &[1u8, 2]).unwrap();
    array
        .edit(|edit| {
            edit.set(0, 9)?;
            assert_eq!((edit.get(0), array.get(0)), (Ok(9), Ok(1)));
            assert_eq!(array.set(1, 9), Err(Error::Deadlock));
            assert_eq!(array.edit(|_| Ok(())), Err(Error::Deadlock));
            assert_eq!(array.release(), Err(Error::NotOwner));
            Ok(())
        })
        .unwrap();
    assert_eq!(array.iter().unwrap().collect::<Vec<_>>(), [9, 2]);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        array.edit::<()>(|edit| {
            edit.set(1, 7)?;
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(array.iter().unwrap().collect::<Vec<_>>(), [9, 2]);
    array.set(1, 3).unwrap();
    assert_eq!(array.get(1), Ok(3));
    assert_eq!(array.release(), Err(Error::NotOwner));
}

#[test]
fn more_places_than_are_remembered_are_copied_all_the_same() {
    let region = region();
    let array = region.create_array::<u8>("a", 5000).unwrap();
    let mut oracle = vec![0u8; 5000];
    for round in 1..20u32 {
        array
            .edit(|edit| {
                for i in 0..60 {
                    let at = (i * 797 + round * 131) % 5000;
                    edit.set(at, round as u8)?;
                    oracle[at as usize] = round as u8;
                }
                Ok(())
            })
            .unwrap();
        let mut all = vec![0; 5000];
        array.read_slice(0, &mut all).unwrap();
        assert_eq!(all, oracle);
    }
}

#[test]
fn update_and_compare_exchange_of_an_element() {
    let region = region();
    let array = region.create_array_of("a", &[1u32, 2, 3]).unwrap();
    assert_eq!(array.update(1, |v| v * 10), Ok(2));
    assert_eq!(array.fetch_add(2, u32::MAX), Ok(3));
    assert_eq!(array.compare_exchange(0, 5, 6), Ok(Err(1)));
    assert_eq!(array.compare_exchange(0, 1, 6), Ok(Ok(1)));
    assert_eq!(array.update(3, |v| v), Err(Error::NotFound));
    assert_eq!(array.iter().unwrap().collect::<Vec<_>>(), [6, 20, 2]);
    let held = array.lock().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(array.with_timeout(0).lock().err(), Some(Error::WouldBlock));
            assert_eq!(array.get(0), Ok(6));
        });
    });
    drop(held);
}

#[test]
fn small_raw_neighbours_do_not_disturb_each_other() {
    let region = region();
    let raw = region.create_raw_array::<u8>("r", 7).unwrap();
    std::thread::scope(|scope| {
        for t in 0..4u32 {
            scope.spawn(move || {
                for i in 0..20_000u32 {
                    match t {
                        3 => raw.set(t, i as u8).unwrap(),
                        _ => assert_eq!(raw.fetch_add(t, 1), Ok(i as u8)),
                    }
                }
            });
        }
    });
    assert_eq!(raw.iter().collect::<Vec<_>>(), [32, 32, 32, 31, 0, 0, 0]);
    assert_eq!(raw.swap(4, 9), Ok(0));
    assert_eq!(raw.compare_exchange(4, 8, 1), Ok(Err(9)));
}

/// Were it free in the middle of the edit, others would repair the draft under our hands.
#[test]
fn guards_dropped_in_any_order_or_within_an_edit_do_not_release_early() {
    let region = region();
    let array = region.create_array_of("a", &[1u32, 2]).unwrap();
    let others = |expected: Result<(), Error>| {
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(array.with_timeout(0).lock().map(drop), expected));
        });
    };
    let (outer, inner) = (array.lock().unwrap(), array.lock().unwrap());
    drop(outer);
    others(Err(Error::WouldBlock));
    let done = array.edit(|edit| {
        drop(inner);
        edit.set(0, 7)?;
        others(Err(Error::WouldBlock));
        edit.set(1, 8)
    });
    assert_eq!(done, Ok(()));
    others(Ok(()));
    let held = array.lock().unwrap();
    array
        .update(0, |_| {
            drop(held);
            others(Err(Error::WouldBlock));
            9
        })
        .unwrap();
    others(Ok(()));
    assert_eq!((array.get(0), array.get(1), array.deaths()), (Ok(9), Ok(8), 0));
}

#[test]
fn a_region_does_not_go_from_under_a_guard_that_another_thread_forgot() {
    let region = std::sync::Arc::new(region());
    let (base, mine) = (region.as_ptr(), region.clone());
    let (forgotten, go_on) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        let (forgotten, go_on) = (&forgotten, &go_on);
        let thread = scope.spawn(move || {
            std::mem::forget(mine.create_value("v", 1u8).unwrap().lock().unwrap());
            drop(mine);
            forgotten.wait();
            go_on.wait();
        });
        forgotten.wait();
        drop(region);
        // SAFETY: no memory involved; says whether the page is mapped.
        let mapped = unsafe { libc::msync(base.cast(), 4096, libc::MS_ASYNC) };
        assert_eq!(mapped, 0, "unmapped, and in a thread's robust list");
        go_on.wait();
        thread.join().unwrap();
    });
}
