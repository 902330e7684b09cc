//! Values, raw values: Python's `multiprocessing.Value` and `RawValue`, in Rust. TESTING.md has the table.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;

use processes::{Child, shared, sleep_ms, until};
use rialto::{Error, Region, RegionConfig, sys::Os};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

fn region() -> Region {
    Region::create_anonymous(1 << 20, &RegionConfig::default()).unwrap()
}

#[test]
fn every_type_is_stored_and_loaded_and_found_by_name() {
    let region = region();
    macro_rules! check {
        ($($name:literal: $first:expr, $second:expr;)*) => { $(
            let value = region.create_value($name, $first).unwrap();
            assert_eq!(value.load(), Ok($first));
            value.store($second).unwrap();
            let found = region.open_value($name).unwrap();
            assert_eq!(found.load(), Ok($second));
            assert_eq!(found.swap($first), Ok($second));
            assert_eq!(value.load(), Ok($first));
            let raw = region.create_raw_value(concat!("raw ", $name), $first).unwrap();
            raw.store($second).unwrap();
            let found = region.open_raw_value(concat!("raw ", $name)).unwrap();
            assert_eq!((raw.load(), found.load()), (Ok($second), Ok($second)));
        )* };
    }
    check! {
        "u8": 1u8, 255u8; "i8": -1i8, 127i8; "u16": 1u16, 65535u16; "i16": -1i16, 300i16;
        "u32": 1u32, u32::MAX; "i32": -1i32, i32::MIN; "u64": 1u64, u64::MAX; "i64": -1i64, i64::MIN;
        "f32": 1.5f32, f32::MIN; "f64": -0.25f64, f64::MAX; "bool": true, false; "char": 'a', 'ß';
        "bytes": *b"thirteen byte", *b"and as many..";
        "block": [7u64; 9], [8u64; 9];
    }
}

#[test]
fn a_value_of_another_type_or_size_is_refused() {
    let region = region();
    region.create_value("v", 1u32).unwrap();
    assert_eq!(region.open_value::<i32>("v").err(), Some(Error::WrongKind));
    assert_eq!(region.open_value::<f32>("v").err(), Some(Error::WrongKind));
    assert_eq!(region.open_value::<u64>("v").err(), Some(Error::WrongKind));
    assert_eq!(region.open_raw_value::<u32>("v").err(), Some(Error::WrongKind));
    assert_eq!(region.open_array::<u32>("v").err(), Some(Error::WrongKind));
    assert_eq!(region.open_value::<u32>("w").err(), Some(Error::NotFound));
    assert_eq!(region.create_value("v", 1u8).err(), Some(Error::Exists));
    region.create_value("block", [0u8; 5]).unwrap();
    assert_eq!(region.open_value::<[u8; 6]>("block").err(), Some(Error::WrongKind));
    region.create_raw_value("r", [0u8; 5]).unwrap();
    assert_eq!(region.open_raw_value::<[u8; 6]>("r").err(), Some(Error::WrongKind));
    assert_eq!(region.open_raw_array::<[u8; 5]>("r").err(), Some(Error::WrongKind));
}

#[test]
fn the_lock_keeps_others_from_storing_and_us_from_nothing() {
    let region = region();
    let value = region.create_value("v", 1u32).unwrap();
    let held = value.lock().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(value.load(), Ok(1)); // readers do not wait
            assert_eq!(value.with_timeout(0).lock().err(), Some(Error::WouldBlock));
            assert_eq!(value.with_timeout(1_000_000).lock().err(), Some(Error::TimedOut));
        });
    });
    let again = value.lock().unwrap();
    value.store(2).unwrap();
    drop(again);
    assert_eq!(value.fetch_add(5), Ok(2));
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(value.with_timeout(0).lock().err(), Some(Error::WouldBlock), "held still"));
    });
    drop(held);
    std::thread::scope(|scope| {
        scope.spawn(|| value.store(9).unwrap());
    });
    assert_eq!(value.load(), Ok(9));
}

#[test]
fn update_under_the_lock_loses_no_increment() {
    let region = region();
    let (value, raw) = (region.create_value("v", 0u64).unwrap(), region.create_raw_value("r", 0u16).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for i in 0..5000 {
                    match i % 3 {
                        0 => drop(value.fetch_add(1).unwrap()),
                        1 => drop(value.update(|v| v + 1).unwrap()),
                        _ => loop {
                            let now = value.load().unwrap();
                            if value.compare_exchange(now, now + 1).unwrap().is_ok() {
                                break;
                            }
                        },
                    }
                    raw.fetch_add(1).unwrap();
                }
            });
        }
    });
    assert_eq!((value.load(), raw.load()), (Ok(20_000), Ok(20_000)));
}

#[test]
fn compare_exchange_compares_bytes() {
    let region = region();
    let value = region.create_value("v", [1u8, 2]).unwrap();
    assert_eq!(value.compare_exchange([1, 3], [9, 9]), Ok(Err([1, 2])));
    assert_eq!(value.compare_exchange([1, 2], [9, 9]), Ok(Ok([1, 2])));
    assert_eq!(value.load(), Ok([9, 9]));
    let zero = region.create_value("z", 0.0f64).unwrap();
    assert!(zero.compare_exchange(-0.0, 1.0).unwrap().is_err());
    assert_eq!(zero.fetch_update(|_| None), Ok((0.0, 0.0)));
    let raw = region.create_raw_value("r", true).unwrap();
    assert_eq!(raw.compare_exchange(false, true), Ok(Err(true)));
    assert_eq!(raw.compare_exchange(true, false), Ok(Ok(true)));
    assert_eq!(raw.swap(true), Ok(false));
}

#[test]
fn a_panicking_update_stores_nothing_and_leaves_the_lock_free() {
    let region = region();
    let value = region.create_value("v", 1u32).unwrap();
    let panicked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| value.update(|_| panic!("on purpose"))));
    assert!(panicked.is_err());
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(value.fetch_add(1), Ok(1)));
    });
}

#[test]
fn the_lock_of_a_killed_holder_comes_back() {
    let region = region();
    let value = region.create_value("v", 1u32).unwrap();
    let held: &'static AtomicU32 = shared();
    let child = Child::fork(|| {
        let guard = value.lock().unwrap();
        value.store(2).unwrap();
        held.store(1, SeqCst);
        sleep_ms(100_000);
        drop(guard);
    });
    until("held", || held.load(SeqCst) == 1);
    assert_eq!(value.with_timeout(0).lock().err(), Some(Error::WouldBlock));
    child.kill();
    assert_eq!(value.fetch_add(1), Ok(2));
    assert_eq!(value.deaths(), 0, "it died between two operations");
}

#[test]
fn outside_of_a_region() {
    #[repr(align(128))]
    struct Memory([u8; 1024]);
    let mut memory = Memory([0xaa; 1024]);
    let at = memory.0.as_mut_ptr();
    // SAFETY: `memory` outlives the handles, and nobody else uses it.
    unsafe {
        use rialto::value::Value;
        let platform = Os::default();
        assert_eq!(Value::<u32, _>::attach_on(platform, at, 1024).err(), Some(Error::BadRegion));
        assert_eq!(Value::init_on(platform, at, 511, 5u32).err(), Some(Error::NoSpace));
        assert_eq!(Value::init_on(platform, at.add(64), 512, 5u32).err(), Some(Error::Invalid));
        assert_eq!(Value::init_on(platform, std::ptr::null_mut(), 512, 5u32).err(), Some(Error::Invalid));
        let value = Value::init_on(platform, at, 512, 5u32).unwrap();
        let found = Value::<u32, _>::attach_on(platform, at, 1024).unwrap();
        assert_eq!(Value::<u32, _>::attach_on(platform, at, 511).err(), Some(Error::BadRegion));
        value.store(6).unwrap();
        assert_eq!(found.load(), Ok(6));
        assert!(memory.0[512..].iter().all(|byte| *byte == 0xaa));
    }
}
