//! Barriers, deaths and resets that come at the wrong time.
#![cfg(all(target_os = "linux", feature = "os", not(rialto_loom)))]

mod procs;

use procs::{fork, wait_until};
use rialto::{Depth, Error, Member, Region, RegionConfig, member::Incarnation};
use std::cell::Cell;

/// Two deaths that the kernel has marked: of somebody who never was at the barrier, which is found first, and
/// of a party that waits there. A poll finds one death in any case, and must not go on as if that were all.
#[test]
fn a_poll_does_not_complete_a_generation_with_a_dead_party() {
    let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let barrier = region.create_barrier("barrier", 2).unwrap();
    let semaphore = region.create_semaphore("semaphore", 1).unwrap();
    let me = region.join().unwrap();
    let elsewhere = fork(|| {
        std::mem::forget(semaphore.acquire().unwrap());
        std::thread::sleep(std::time::Duration::from_secs(60));
        1
    });
    wait_until("the first one is a member", || semaphore.value() == 0);
    let party = fork(|| barrier.wait().map_or(0, |_| 1));
    wait_until("the second one has come", || barrier.n_waiting() == 1);
    party.kill();
    elsewhere.kill();
    let error =
        barrier.as_member(&me).wait_timeout(0).expect_err("completed, and one of two parties is dead");
    assert!(matches!(error, Error::TimedOut | Error::Broken), "{error:?}");
    assert!(barrier.is_broken());
    barrier.reset();
    let other = fork(|| barrier.wait().map_or(1, |_| 0));
    assert!(barrier.as_member(&me).wait().is_ok(), "whole again");
    other.succeeds();
}

/// Stopped while it waited, it cannot leave; who comes after the reset takes its place.
#[test]
fn a_party_that_is_stopped_when_it_is_reset_holds_nobody_up() {
    let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let barrier = region.create_barrier("barrier", 2).unwrap();
    let stopped = fork(|| (barrier.wait() != Err(Error::Broken)).into());
    stopped.wait_until_asleep();
    stopped.stop();
    barrier.reset();
    for generation in 0..4 {
        let other = fork(|| barrier.wait().map_or(1, |_| 0));
        assert!(barrier.wait_timeout(20_000_000_000).is_ok(), "generation {generation}");
        other.succeeds();
    }
    stopped.go_on();
    stopped.succeeds();
    assert!(!barrier.is_broken());
}

/// As often as the number of resets can tell apart, while somebody's place is left as it was.
#[test]
fn a_barrier_may_be_reset_2_to_the_26_times() {
    let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let barrier = region.create_barrier("barrier", 2).unwrap();
    assert_eq!(barrier.wait_timeout(1), Err(Error::TimedOut));
    (0..1u32 << 26).for_each(|_| barrier.reset());
    let other = fork(|| barrier.wait().map_or(1, |_| 0));
    assert!(barrier.wait_timeout(20_000_000_000).is_ok());
    other.succeeds();
}

/// Two recover the same death; one is late, and meanwhile the barrier is reset.
#[test]
fn a_death_breaks_it_once_however_many_recover() {
    let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let barrier = region.create_barrier("barrier", 2).unwrap();
    barrier.register().unwrap(); // as member 1
    let dead = Incarnation { id: 1, epoch: 0 };
    let first = Cell::new(true);
    let (found, whole) = barrier.sweep(dead, || {
        if first.replace(false) {
            // The other, up to this object. It has more of them to see, so the death is not over yet.
            assert_eq!(barrier.sweep(dead, || true).0.broken, 1);
            assert!(barrier.is_broken());
            barrier.reset();
        }
        true
    });
    assert!(whole);
    assert_eq!((found.broken, barrier.is_broken()), (0, false));
}

/// Its member has ended, and whoever kept the handle acts as it still.
#[test]
fn who_acts_as_a_member_that_is_gone_is_told() {
    let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let barrier = region.create_barrier("barrier", 2).unwrap();
    let semaphore = region.create_semaphore("semaphore", 1).unwrap();
    let gone: &'static Member = std::thread::scope(|scope| {
        let region = &region;
        let handle = scope.spawn(move || Box::leak(Box::new(region.join().unwrap())) as *mut _ as usize);
        // SAFETY: leaked; the region outlives its use below.
        unsafe { &*(handle.join().unwrap() as *const Member) }
    });
    wait_until("its thread has ended", || region.recover(Depth::Marked).members == 1);
    assert_eq!(semaphore.as_member(gone).try_acquire().err(), Some(Error::NotOwner));
    assert_eq!(semaphore.value(), 1);
    assert_eq!(barrier.as_member(gone).register(), Err(Error::NotOwner));
    assert_eq!(barrier.as_member(gone).wait(), Err(Error::NotOwner));
    assert_eq!((barrier.is_broken(), barrier.n_waiting()), (false, 0), "nothing was touched");
    std::mem::forget(region); // the member's cell is this region's memory
}
