//! `Semaphore`, plain and bounded: the documentation of `threading` and `multiprocessing`, case by case. The
//! tracked one is in `semantics_permits.rs`, signal handlers in `semantics_signals.rs`; TESTING.md has the table.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Error, FOREVER, Semaphore};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use sync_kit::*;

/// Shared with the children.
fn semaphore(value: u32) -> &'static Semaphore {
    let it: &'static mut Semaphore = shared();
    // SAFETY: fresh memory, never unmapped.
    unsafe { Semaphore::init(it, value) }.unwrap();
    it
}

fn bounded(value: u32) -> &'static Semaphore {
    let it: &'static mut Semaphore = shared();
    // SAFETY: fresh memory, never unmapped.
    unsafe { Semaphore::init_bounded(it, value) }.unwrap();
    it
}

#[test]
fn the_counter_begins_at_the_value_given() {
    for value in [0, 1, 7, Semaphore::MAX] {
        assert_eq!((Semaphore::new(value).value(), Semaphore::new(value).bound()), (value, Semaphore::MAX));
        assert_eq!((Semaphore::bounded(value).value(), Semaphore::bounded(value).bound()), (value, value));
    }
}

/// Python: ValueError for a negative value.
#[test]
fn a_value_that_cannot_be_is_refused() {
    let it: &'static mut Semaphore = shared();
    for value in [Semaphore::MAX + 1, u32::MAX] {
        // SAFETY: fresh memory, never unmapped.
        unsafe {
            assert_eq!(Semaphore::init(it, value), Err(Error::Invalid));
            assert_eq!(Semaphore::init_bounded(it, value), Err(Error::Invalid));
            assert_eq!(Semaphore::attach(it).err(), Some(Error::BadRegion)); // nothing was made
        }
        assert!(std::panic::catch_unwind(|| Semaphore::new(value)).is_err());
        assert!(std::panic::catch_unwind(|| Semaphore::bounded(value)).is_err());
    }
}

#[test]
fn acquire_takes_one_at_once_while_there_are_any() {
    let s = Semaphore::new(4);
    assert_eq!((s.acquire(), s.value()), (Ok(()), 3));
    assert_eq!((s.try_acquire(), s.value()), (Ok(()), 2));
    assert_eq!((s.acquire_timeout(1), s.value()), (Ok(()), 1));
    assert_eq!((s.acquire_timeout(0), s.value()), (Ok(()), 0));
}

#[test]
fn without_blocking_zero_is_refused_at_once() {
    let s = Semaphore::new(0);
    assert_eq!((s.try_acquire(), s.acquire_timeout(0)), (Err(Error::WouldBlock), Err(Error::WouldBlock)));
    assert_eq!(s.value(), 0);
}

#[test]
fn with_a_timeout_zero_is_refused_after_it() {
    let s = Semaphore::new(0);
    assert_eq!((s.acquire_timeout(3 * MS), s.value()), (Err(Error::TimedOut), 0));
    s.release().unwrap();
    assert_eq!((s.acquire_timeout(3 * MS), s.value()), (Ok(()), 0));
}

#[test]
fn acquire_at_zero_waits_for_a_release() {
    let s = semaphore(0);
    let waiter = Waiter::asleep(|| s.acquire());
    assert!(!waiter.is_done());
    assert_eq!(s.release(), Ok(()));
    assert_eq!((waiter.join(), s.value()), (Ok(()), 0));
}

#[test]
fn another_process_may_release_and_another_may_acquire() {
    let s = semaphore(0);
    let waiter = Child::fork(|| ensure!(s.acquire() == Ok(())));
    waiter.wait_asleep();
    Child::fork(|| ensure!(s.release() == Ok(()))).succeeded();
    waiter.succeeded();
    assert_eq!(s.value(), 0);
}

#[test]
fn a_release_wakes_exactly_one() {
    static GOT: AtomicU32 = AtomicU32::new(0);
    let s = semaphore(0);
    let take = || {
        s.acquire().unwrap();
        GOT.fetch_add(1, SeqCst);
    };
    let waiters: Vec<_> = (0..3).map(|_| Waiter::asleep(take)).collect();
    for nth in 1..=3 {
        assert_eq!(s.release(), Ok(()));
        until("one has it", || GOT.load(SeqCst) == nth);
        sleep_ms(5);
        assert_eq!((GOT.load(SeqCst), s.value()), (nth, 0));
    }
    waiters.into_iter().for_each(Waiter::join);
}

/// The wake-ups themselves: without ticks, nobody would look again.
#[test]
fn release_of_n_wakes_n_and_what_nobody_wants_stays() {
    static GOT: AtomicU32 = AtomicU32::new(0);
    let s = semaphore(0);
    let take = || {
        s.acquire_on(NoTick, FOREVER).unwrap();
        GOT.fetch_add(1, SeqCst);
    };
    let waiters: Vec<_> = (0..3).map(|_| Waiter::asleep(take)).collect();
    assert_eq!(s.release_many(2), Ok(()));
    until("two have it", || GOT.load(SeqCst) == 2);
    sleep_ms(5);
    assert_eq!((GOT.load(SeqCst), s.value()), (2, 0));
    assert_eq!(s.release_many(5), Ok(()));
    waiters.into_iter().for_each(Waiter::join);
    assert_eq!(s.value(), 4);
}

/// Python: ValueError.
#[test]
fn release_of_less_than_one_is_refused() {
    let s = Semaphore::new(1);
    assert_eq!((s.release_many(0), s.value()), (Err(Error::Invalid), 1));
}

#[test]
fn whoever_releases_need_not_have_acquired_and_the_first_value_is_no_limit() {
    let s = semaphore(1);
    assert_eq!((s.release(), s.value()), (Ok(()), 2));
    Waiter::start(|| s.release_many(3).unwrap()).join();
    assert_eq!(s.value(), 5);
}

#[test]
fn a_counter_that_would_overflow_is_refused_and_nothing_changes() {
    let s = Semaphore::new(0);
    assert_eq!((s.release_many(Semaphore::MAX), s.value()), (Ok(()), Semaphore::MAX));
    for n in [1, 2, Semaphore::MAX, u32::MAX] {
        assert_eq!((s.release_many(n), s.value()), (Err(Error::Overflow), Semaphore::MAX));
    }
    s.acquire().unwrap();
    assert_eq!((s.release_many(2), s.value()), (Err(Error::Overflow), Semaphore::MAX - 1));
    assert_eq!((s.release(), s.value()), (Ok(()), Semaphore::MAX));
    assert_eq!(Semaphore::new(5).release_many(u32::MAX), Err(Error::Overflow));
}

/// Python: ValueError.
#[test]
fn a_bounded_semaphore_released_too_often_says_so_and_nothing_changes() {
    let s = bounded(3);
    assert_eq!((s.release(), s.value()), (Err(Error::Overflow), 3));
    (0..2).for_each(|_| s.acquire().unwrap());
    assert_eq!((s.release_many(3), s.value()), (Err(Error::Overflow), 1));
    assert_eq!((s.release_many(2), s.value()), (Ok(()), 3));
    assert_eq!((s.release(), s.value()), (Err(Error::Overflow), 3));
    Child::fork(|| ensure!(s.release() == Err(Error::Overflow))).succeeded();
    assert_eq!((s.release_many(0), s.value()), (Err(Error::Invalid), 3));
}

#[test]
fn a_bounded_semaphore_of_one_goes_back_and_forth() {
    let s = bounded(1);
    for _ in 0..100 {
        assert_eq!((s.acquire(), s.try_acquire()), (Ok(()), Err(Error::WouldBlock)));
        assert_eq!((s.release(), s.release()), (Ok(()), Err(Error::Overflow)));
    }
    assert_eq!(bounded(0).release(), Err(Error::Overflow));
}

#[test]
fn a_bounded_semaphore_lets_no_more_in_than_its_value() {
    static INSIDE: AtomicU32 = AtomicU32::new(0);
    let s = bounded(2);
    let visit = || {
        for _ in 0..3000 {
            s.acquire().unwrap();
            assert!(INSIDE.fetch_add(1, SeqCst) < 2);
            INSIDE.fetch_sub(1, SeqCst);
            s.release().unwrap();
        }
    };
    let visitors: Vec<_> = (0..4).map(|_| Waiter::start(visit)).collect();
    visitors.into_iter().for_each(Waiter::join);
    assert_eq!(s.value(), 2);
}

/// Not so with the tracked one.
#[test]
fn the_permit_of_a_process_that_died_is_gone_until_somebody_gives_another() {
    let s = bounded(1);
    Child::fork(|| ensure!(s.acquire() == Ok(()))).succeeded();
    assert_eq!(s.acquire_timeout(150 * MS), Err(Error::TimedOut));
    assert_eq!((s.release(), s.acquire()), (Ok(()), Ok(())));
}

#[test]
fn a_waiter_that_was_killed_takes_nothing_along() {
    let s = semaphore(0);
    let doomed = Child::fork(|| ensure!(s.acquire() == Ok(())));
    doomed.wait_asleep();
    let waiter = Waiter::asleep(|| s.acquire_timeout(20 * SECOND));
    doomed.kill();
    s.release().unwrap();
    assert_eq!((waiter.join(), s.value()), (Ok(()), 0));
}

#[test]
fn what_is_no_semaphore_is_refused() {
    let zero: &'static mut [u8; 256] = shared();
    let event: &'static mut rialto::Event = shared();
    // SAFETY: mapped memory, 64 bytes each.
    unsafe {
        rialto::Event::init(event);
        assert_eq!(Semaphore::attach(core::ptr::null()).err(), Some(Error::Invalid));
        assert_eq!(Semaphore::attach(zero.as_ptr().add(32).cast()).err(), Some(Error::Invalid));
        assert_eq!(Semaphore::attach(zero.as_ptr().cast()).err(), Some(Error::BadRegion));
        assert_eq!(Semaphore::attach(core::ptr::from_ref(event).cast()).err(), Some(Error::BadRegion));
        let attached = Semaphore::attach(semaphore(3)).unwrap();
        assert_eq!((attached.value(), attached.acquire()), (3, Ok(())));
        let blank = &*zero.as_ptr().cast::<Semaphore>();
        for timeout in [0, MS, FOREVER] {
            assert_eq!(blank.acquire_timeout(timeout), Err(Error::BadRegion));
        }
        assert_eq!((blank.release(), blank.value()), (Err(Error::BadRegion), 0));
    }
    assert!(same_bytes(semaphore(3), &Semaphore::new(3)) && same_bytes(bounded(3), &Semaphore::bounded(3)));
}
