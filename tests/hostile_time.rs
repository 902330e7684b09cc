//! A peer that makes recovery endless, and one that hides our own members from us.
#![cfg(all(feature = "std", feature = "os", target_os = "linux"))]

mod procs;

use procs::watchdog;
use rialto::{Error, QueueConfig, Region, RegionConfig};

/// All members dead, all directory entries the same large queue: a sweep for each pair.
#[test]
fn a_call_keeps_its_deadline_though_everybody_is_dead_and_every_object_is_the_same() {
    let _watchdog = watchdog("a short timeout", 20);
    {
        let config = RegionConfig { members: 4095, objects: 4096, tick_ms: 100 };
        let region = Region::create_anonymous(8 << 20, &config).unwrap();
        let queue = region.create_queue("q", &QueueConfig::new(65536, 1)).unwrap();
        assert_eq!(queue.try_pop(&mut [0; 1]), Err(Error::WouldBlock));
        let base = region.as_ptr();
        let members = (256 + 64 * 4096usize).next_multiple_of(128);
        // SAFETY: what a hostile peer does; all of it lies in the region.
        unsafe {
            for i in 1..4096 {
                base.add(256).copy_to_nonoverlapping(base.add(256 + 64 * i), 64);
            }
            for i in 1..4095 {
                base.add(members + 64 * i + 56).cast::<u64>().write_volatile(1); // LIVE, and no owner
            }
        }
        let begin = std::time::Instant::now();
        assert_eq!(queue.pop_timeout(&mut [0; 1], 10_000_000), Err(Error::TimedOut));
        eprintln!("10 ms took {:?}", begin.elapsed());
    }
}

/// A dead member, hundreds of objects, and all places for visits taken: a tick for each of them would be too long.
#[test]
fn a_call_does_not_wait_for_a_place_to_visit_from_at_every_object() {
    let _watchdog = watchdog("a short timeout", 20);
    let config = RegionConfig { members: 8, objects: 512, tick_ms: 100 };
    let region = Region::create_anonymous(1 << 20, &config).unwrap();
    let queue = region.create_queue("q", &QueueConfig::new(4, 1)).unwrap();
    for i in 0..500 {
        region.create_event(&format!("{i}")).unwrap();
    }
    assert_eq!(queue.try_pop(&mut [0; 1]), Err(Error::WouldBlock));
    let base = region.as_ptr();
    let members = (256 + 64 * 512usize).next_multiple_of(128);
    let users = (members + 64 * 8).next_multiple_of(128);
    // SAFETY: what a hostile peer does; all of it lies in the region.
    unsafe {
        for row in 0..8 + 16 {
            for visit in 1..7 {
                base.add(users + 8 * (row * (7 + 8) + visit)).cast::<u64>().write_volatile(u64::MAX);
            }
        }
        base.add(members + 64 + 56).cast::<u64>().write_volatile(1); // LIVE, and no owner
    }
    let begin = std::time::Instant::now();
    assert_eq!(queue.pop_timeout(&mut [0; 1], 10_000_000), Err(Error::TimedOut));
    eprintln!("10 ms took {:?}", begin.elapsed());
    std::mem::forget(region); // leaving would find no place either
}
