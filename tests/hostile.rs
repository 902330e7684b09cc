//! Bytes are input: nothing in a region's memory makes a call panic, touch what is outside, or outlive its
//! deadline. The cases are in `hostile_driver`; `fuzz/` feeds the same from libFuzzer.
//!
//! Under AddressSanitizer (it finds what a page boundary does not):
//! `RUSTFLAGS="-Zsanitizer=address" cargo +nightly test --target x86_64-unknown-linux-gnu --test hostile`
//!
//! `RIALTO_HOSTILE_CASES` sets the number of cases (2000).

mod hostile_driver;
mod procs;

use hostile_driver::{Arena, SOUND_BYTES, World, run, run_state, wild_writes, work_beside_a_wild_writer};
use proptest::{collection::vec, prelude::*, test_runner::Config};
use std::{
    sync::atomic::{AtomicBool, Ordering::*},
    thread,
    time::{Duration, Instant},
};

fn cases() -> u32 {
    std::env::var("RIALTO_HOSTILE_CASES").ok().map_or(2000, |value| value.parse().expect("a number"))
}

fn config() -> Config {
    Config { cases: cases(), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn arbitrary_memory_is_refused_or_used_without_harm(mut bytes in vec(any::<u8>(), 2..2000)) {
        let _alone = procs::ALONE.lock();
        bytes[0] &= !3;
        run(&bytes);
    }

    #[test]
    fn a_damaged_region_is_refused_or_used_without_harm(mut bytes in vec(any::<u8>(), 2..400)) {
        let _alone = procs::ALONE.lock();
        bytes[0] |= 1;
        bytes[0] &= !8;
        run(&bytes);
    }

    #[test]
    fn damaged_shared_state_is_refused_or_used_without_harm(mut bytes in vec(any::<u8>(), 2..600)) {
        let _alone = procs::ALONE.lock();
        bytes[0] |= 9;
        run(&bytes);
    }

    #[test]
    fn shared_state_of_arbitrary_bytes_is_refused_or_used_without_harm(bytes in vec(any::<u8>(), 2..900)) {
        let _alone = procs::ALONE.lock();
        run_state(&bytes);
    }
}

fn xorshift(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// Leaves the region alone for a moment after some writes, so that attach finds one.
fn now_and_then(mut go_on: impl FnMut() -> bool) -> impl FnMut() -> bool {
    let mut writes = 0u64;
    move || {
        writes += 1;
        if writes % 64 == 0 {
            thread::sleep(Duration::from_micros(300));
        }
        go_on()
    }
}

fn script(round: u64) -> Vec<u8> {
    let mut random = xorshift(round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    (0..20).flat_map(|_| random().to_le_bytes()).collect()
}

fn beside_a_thread(what: World) {
    let _alone = procs::ALONE.lock();
    let arena = Arena::new(SOUND_BYTES);
    let done = AtomicBool::new(false);
    let accepted = thread::scope(|scope| {
        scope.spawn(|| {
            wild_writes(&arena, what, xorshift(77), now_and_then(|| !done.load(Relaxed)));
        });
        let until = Instant::now() + Duration::from_secs(2);
        let accepted = work_beside_a_wild_writer(&arena, what, script, until);
        done.store(true, Relaxed);
        accepted
    });
    println!("accepted {accepted} times");
    assert!(accepted > 0, "the writer never let us in: nothing was tested");
}

fn beside_a_process(what: World) {
    let _alone = procs::ALONE.lock();
    let arena = Arena::new(SOUND_BYTES);
    let until = Instant::now() + Duration::from_secs(2);
    let peer = procs::fork(|| {
        let late = until + Duration::from_secs(1);
        wild_writes(&arena, what, xorshift(99), now_and_then(|| Instant::now() < late));
        0
    });
    let accepted = work_beside_a_wild_writer(&arena, what, script, until);
    peer.kill();
    println!("accepted {accepted} times");
    assert!(accepted > 0, "the writer never let us in: nothing was tested");
}

#[test]
fn a_thread_that_writes_wild_while_we_work_does_no_harm() {
    beside_a_thread(World::Queues);
}

#[test]
fn a_process_that_writes_wild_while_we_work_does_no_harm() {
    beside_a_process(World::Queues);
}

#[test]
fn a_thread_that_writes_wild_in_shared_state_does_no_harm() {
    beside_a_thread(World::State);
}

#[test]
fn a_process_that_writes_wild_in_shared_state_does_no_harm() {
    beside_a_process(World::State);
}
