//! A barrier's last party comes without time to look for all of the dead; a stopped one has its barrier reset.
#![cfg(all(target_os = "linux", feature = "os", not(rialto_loom)))]

mod procs;

use procs::{fork, wait_until};
use rialto::{Error, Region, RegionConfig};

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
