//! A barrier's parties are members of its region: who they are, who has registered, and what their deaths do.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Barrier, Depth, Error, FOREVER, Recovered, Region};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use sync_kit::*;

const TICK_MS: u32 = 20;

fn with(parties: u32) -> (&'static Region, Barrier<'static>) {
    let region = region(TICK_MS);
    (region, region.create_barrier("b", parties).unwrap())
}

/// A process that does `f` and then nothing until it is killed.
fn idle(f: impl FnOnce()) -> Child {
    let ready: &'static mut AtomicU32 = shared();
    let ready: &'static AtomicU32 = ready;
    let child = Child::fork(|| {
        f();
        ready.store(1, SeqCst);
        loop {
            sleep_ms(1000);
        }
    });
    until("the child is there", || ready.load(SeqCst) == 1);
    child
}

fn elsewhere<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    Waiter::start(f).join()
}

#[test]
fn a_party_that_dies_waiting_breaks_it_for_the_others() {
    let (region, b) = with(3);
    let doomed = Child::fork(|| ensure!(b.wait().is_ok()));
    doomed.wait_asleep();
    let thread = Waiter::asleep(move || b.wait());
    doomed.kill();
    assert_eq!(thread.join(), Err(Error::Broken));
    assert_eq!((b.is_broken(), b.n_waiting(), b.wait()), (true, 0, Err(Error::Broken)));
    // It is all cleared away (the thread that has ended is nobody's loss), and a reset is enough.
    assert_eq!(region.recover(Depth::Thorough).broken, 0);
    b.reset();
    let others: Vec<_> = (0..2).map(|_| Waiter::start(move || b.wait())).collect();
    assert!(b.wait().is_ok() && others.into_iter().all(|other| other.join().is_ok()));
}

#[test]
fn the_last_to_come_finds_a_dead_party_and_does_not_run_the_action() {
    let (_, b) = with(2);
    let doomed = Child::fork(|| ensure!(b.wait().is_ok()));
    doomed.wait_asleep();
    doomed.kill();
    let mut acted = false;
    let act = || {
        acted = true;
        true
    };
    assert_eq!((b.wait_with(FOREVER, act), acted), (Err(Error::Broken), false));
}

#[test]
fn a_party_that_dies_in_the_action_breaks_it() {
    let (_, b) = with(2);
    let waiter = Waiter::asleep(move || b.wait());
    let acting: &'static mut AtomicU32 = shared();
    let acting: &'static AtomicU32 = acting;
    let doomed = Child::fork(|| {
        let _ = b.wait_with(FOREVER, || {
            acting.store(1, SeqCst);
            sleep_ms(60_000);
            true
        });
    });
    until("it acts", || acting.load(SeqCst) == 1);
    assert_eq!(b.n_waiting(), 2);
    doomed.kill();
    assert_eq!((waiter.join(), b.is_broken()), (Err(Error::Broken), true));
}

#[test]
fn recover_breaks_it_for_the_dead_and_says_so_once() {
    let (region, b) = with(3);
    let doomed = Child::fork(|| ensure!(b.wait().is_ok()));
    doomed.wait_asleep();
    doomed.kill();
    assert_eq!((b.is_broken(), b.n_waiting()), (false, 1)); // nobody has looked yet
    let found = region.recover(Depth::Marked);
    assert_eq!(found, Recovered { members: 1, broken: 1, ..Recovered::default() });
    assert_eq!(region.recover(Depth::Thorough), Recovered::default());
    assert_eq!((b.is_broken(), b.n_waiting()), (true, 0));
    b.reset();
    assert!(!b.is_broken());
}

#[test]
fn a_registered_party_that_dies_elsewhere_breaks_it() {
    let (_, b) = with(2);
    let doomed = idle(|| ensure!(b.register() == Ok(())));
    let waiter = Waiter::asleep(move || b.wait());
    doomed.kill();
    assert_eq!((waiter.join(), b.is_broken()), (Err(Error::Broken), true));
    b.reset();
    // Its registration is gone, so it breaks no other generation.
    let waiter = Waiter::asleep(move || b.wait());
    assert_eq!((b.wait(), waiter.join()), (Ok(1), Ok(0)));
}

#[test]
fn one_that_is_not_registered_and_dies_elsewhere_is_not_missed() {
    let (region, b) = with(2);
    idle(|| ensure!(b.parties() == 2 && region.join().is_ok())).kill();
    let doomed = idle(|| ensure!(b.register() == Ok(()) && b.unregister() == Ok(())));
    doomed.kill();
    region.recover(Depth::Thorough);
    assert_eq!(b.wait_timeout(u64::from(3 * TICK_MS) * MS), Err(Error::TimedOut));
}

#[test]
fn a_registered_thread_that_ends_breaks_it_and_so_does_one_that_leaves_as_a_member() {
    let (region, b) = with(2);
    elsewhere(move || b.register().unwrap());
    assert_eq!(elsewhere(move || b.wait()), Err(Error::Broken));
    b.reset();
    let member = region.join().unwrap();
    assert_eq!(b.as_member(&member).register(), Ok(()));
    let waiter = Waiter::asleep(move || b.wait());
    assert!(member.leave().is_ok());
    assert_eq!((waiter.join(), b.is_broken()), (Err(Error::Broken), true));
}

#[test]
fn registering_twice_is_registering_once() {
    let (_, b) = with(2);
    elsewhere(move || {
        assert_eq!(b.unregister(), Err(Error::NotOwner));
        assert_eq!((b.register(), b.register()), (Ok(()), Ok(())));
        assert_eq!((b.unregister(), b.unregister()), (Ok(()), Err(Error::NotOwner)));
    });
    assert_eq!(elsewhere(move || b.wait_timeout(0)), Err(Error::TimedOut)); // not broken by that one's end
}

#[test]
fn no_more_can_register_than_there_are_parties_but_the_dead_make_room() {
    let (region, b) = with(2);
    let first = idle(|| ensure!(b.register() == Ok(())));
    let second = idle(|| ensure!(b.register() == Ok(())));
    assert_eq!(b.register(), Err(Error::NoSpace));
    assert_eq!(b.unregister(), Err(Error::NotOwner));
    first.kill();
    assert_eq!(b.register(), Ok(())); // recovers it
    assert!(b.is_broken());
    assert_eq!(Waiter::start(move || b.register()).join(), Err(Error::NoSpace));
    second.kill();
    region.recover(Depth::Thorough);
    assert_eq!((b.unregister(), b.unregister()), (Ok(()), Err(Error::NotOwner)));
}

#[test]
fn one_who_registered_and_waits_is_one_party_only() {
    let (_, b) = with(2);
    let registered = Waiter::asleep(move || {
        b.register().unwrap();
        (b.wait(), b.unregister())
    });
    assert_eq!(b.n_waiting(), 1);
    assert_eq!((b.wait(), registered.join()), (Ok(1), (Ok(0), Ok(()))));
    assert!(!b.is_broken());
}

#[test]
fn a_registered_member_does_not_leave() {
    let (region, b) = with(2);
    elsewhere(move || {
        b.register().unwrap();
        assert_eq!(region.leave(), Err(Error::Busy));
        b.unregister().unwrap();
        assert_eq!(region.leave(), Ok(()));
    });
    assert!(!b.is_broken());
}

#[test]
fn who_has_passed_may_leave_and_die_without_harm() {
    let (region, b) = with(2);
    for _ in 0..5 {
        let child = Child::fork(|| ensure!(b.wait() == Ok(0) && region.leave() == Ok(())));
        child.wait_asleep();
        assert_eq!(elsewhere(move || b.wait()), Ok(1));
        child.succeeded();
    }
    let found = region.recover(Depth::Thorough);
    assert_eq!((found.broken, b.is_broken()), (0, false));
}

#[test]
fn explicit_members_are_parties_of_their_own() {
    let (region, b) = with(3);
    let (one, two) = (region.join().unwrap(), region.join().unwrap());
    let (first, second) = (b.as_member(&one), b.as_member(&two));
    assert_eq!((first.parties(), second.register(), first.register()), (3, Ok(()), Ok(())));
    std::thread::scope(|scope| {
        let early = scope.spawn(|| first.wait());
        until("the first is there", || b.n_waiting() == 1);
        let later = scope.spawn(|| second.wait());
        until("the second is there", || b.n_waiting() == 2);
        assert_eq!((b.wait(), early.join().unwrap(), later.join().unwrap()), (Ok(2), Ok(0), Ok(1)));
    });
    assert_eq!(b.register(), Ok(())); // as ourselves
    assert_eq!((first.unregister(), first.unregister()), (Ok(()), Err(Error::NotOwner)));
    drop(one);
    assert!(!b.is_broken()); // it was not registered any more
    drop(two);
    assert!(b.is_broken());
    assert_eq!(b.unregister(), Ok(()));
}

#[test]
fn a_member_of_another_region_is_refused() {
    let ((_, b), (other, c)) = (with(1), with(1));
    let foreign = other.join().unwrap();
    let wrong = b.as_member(&foreign);
    for timeout in [0, MS, FOREVER] {
        let never = || panic!("the action of a stranger");
        assert_eq!(wrong.wait_timeout(timeout), Err(Error::Invalid));
        assert_eq!(wrong.wait_with(timeout, never), Err(Error::Invalid));
    }
    assert_eq!((wrong.register(), wrong.unregister()), (Err(Error::Invalid), Err(Error::Invalid)));
    assert_eq!((b.is_broken(), b.n_waiting(), b.wait()), (false, 0, Ok(0)));
    assert_eq!((c.as_member(&foreign).wait(), wrong.parties()), (Ok(0), 1));
}

/// A generation does not wait for one that was killed while it left the one before.
#[test]
fn a_thread_that_was_told_and_ends_leaves_nothing_behind() {
    let (region, b) = with(2);
    for _ in 0..50 {
        let parties: Vec<_> = (0..2).map(|_| Waiter::start(move || b.wait().unwrap())).collect();
        let sum: u32 = parties.into_iter().map(Waiter::join).sum();
        assert_eq!(sum, 1);
    }
    region.recover(Depth::Thorough);
    assert_eq!((b.n_waiting(), b.is_broken(), region.member_count()), (0, false, 0));
}
