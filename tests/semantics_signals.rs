//! What is async-signal-safe, from a handler that interrupts the very thread that is inside the same object,
//! thousands of times at different instructions, with the books kept.
//!
//! Each test is a process of its own with one thread. Nobody ticks: a wake-up that is lost is a hang, which is
//! ended and told.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

mod calls;
mod processes;
mod sync_kit;

use processes::*;
use rialto::{Condition, Error, Event, FOREVER, Lock, Outcome, Semaphore};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use sync_kit::*;

static EVENT: Event = Event::new();
static SEMAPHORE: Semaphore = Semaphore::new(0);
static CONDITION: Condition = Condition::new();
// SAFETY: a static.
static LOCK: Lock = unsafe { Lock::new() };
static SIGNALS: AtomicU32 = AtomicU32::new(0);

/// Has SIGALRM run it, without SA_RESTART.
fn handle(f: extern "C" fn(i32)) {
    // SAFETY: all-zero is valid; the handlers here use atomics and what is under test.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = f as usize;
        assert_eq!(libc::sigaction(libc::SIGALRM, &raw const action, core::ptr::null_mut()), 0);
    }
}

/// One signal after so many microseconds, then every `again`, 0: never.
fn signal_in(microseconds: i64, again: i64) {
    let us = |us| libc::timeval { tv_sec: 0, tv_usec: us };
    let times = libc::itimerval { it_interval: us(again), it_value: us(microseconds) };
    // SAFETY: our own timer.
    ensure!(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const times, core::ptr::null_mut()) } == 0);
}

/// The children's alarm is used up here, so their parent ends those that hang.
fn in_a_process(body: impl FnOnce()) {
    let child = Child::fork(body);
    let end = now_ns() + 60 * SECOND;
    let mut status = 0;
    // SAFETY: our own child.
    while unsafe { libc::waitpid(child.0, &raw mut status, libc::WNOHANG) } == 0 {
        if now_ns() > end {
            child.kill();
            panic!("a wake-up was lost");
        }
        sleep_ms(2);
    }
    assert_eq!(status, 0, "the child failed");
}

/// Different moments: before the wait, on the way into sleep, and in it.
fn moment(round: u32) -> i64 {
    i64::from(round.wrapping_mul(2_654_435_761) >> 8) % 12 + 1
}

const ROUNDS: u32 = 8000;

#[test]
fn an_event_set_by_a_handler_wakes_the_thread_that_it_interrupts() {
    extern "C" fn set(_: i32) {
        SIGNALS.fetch_add(1, SeqCst);
        EVENT.set();
    }
    in_a_process(|| {
        handle(set);
        for round in 1..=ROUNDS {
            signal_in(moment(round), 0);
            ensure!(EVENT.wait_on(NoTick, FOREVER) == Ok(()));
            ensure!(SIGNALS.load(SeqCst) == round && EVENT.is_set());
            EVENT.clear();
            ensure!(!EVENT.is_set());
        }
    });
}

#[test]
fn an_event_set_by_a_handler_in_the_midst_of_set_and_clear_is_whole() {
    extern "C" fn set(_: i32) {
        SIGNALS.fetch_add(1, SeqCst);
        EVENT.set();
    }
    in_a_process(|| {
        handle(set);
        signal_in(20, 20);
        while SIGNALS.load(SeqCst) < ROUNDS {
            EVENT.set();
            ensure!(EVENT.is_set() && EVENT.wait_on(NoTick, FOREVER) == Ok(()));
            EVENT.clear();
            // Polls sleep never, and say what was the case at some moment.
            ensure!(matches!(EVENT.wait_timeout(0), Ok(()) | Err(Error::WouldBlock)));
        }
        signal_in(0, 0);
        EVENT.clear();
        ensure!(!EVENT.is_set());
    });
}

#[test]
fn a_permit_released_by_a_handler_wakes_the_thread_that_it_interrupts() {
    extern "C" fn release(_: i32) {
        ensure!(SEMAPHORE.release() == Ok(()));
    }
    in_a_process(|| {
        handle(release);
        for round in 1..=ROUNDS {
            signal_in(moment(round), 0);
            ensure!(SEMAPHORE.acquire_on(NoTick, FOREVER) == Ok(()));
            ensure!(SEMAPHORE.value() == 0);
        }
    });
}

#[test]
fn permits_released_by_a_handler_in_the_midst_of_acquire_and_release_are_all_there() {
    extern "C" fn release(_: i32) {
        SIGNALS.fetch_add(1, SeqCst);
        ensure!(SEMAPHORE.release_many(3) == Ok(()));
    }
    in_a_process(|| {
        handle(release);
        signal_in(20, 20);
        let (mut taken, mut given) = (0u32, 0u32);
        while SIGNALS.load(SeqCst) < ROUNDS {
            ensure!(SEMAPHORE.release() == Ok(()));
            given += 1;
            (0..2).for_each(|_| taken += u32::from(SEMAPHORE.try_acquire().is_ok()));
            ensure!(SEMAPHORE.acquire_on(NoTick, FOREVER) == Ok(()));
            taken += 1;
        }
        signal_in(0, 0);
        ensure!(SEMAPHORE.value() == 3 * SIGNALS.load(SeqCst) + given - taken);
    });
}

/// Neither waits for the lock that the interrupted thread may be inside of.
#[test]
fn a_notify_by_a_handler_wakes_the_thread_that_it_interrupts_in_its_wait() {
    extern "C" fn notify(_: i32) {
        SIGNALS.fetch_add(1, SeqCst);
        CONDITION.notify(1);
    }
    in_a_process(|| {
        handle(notify);
        ensure!(LOCK.acquire_raw(FOREVER) == Ok(Outcome::Clean));
        for round in 1..=ROUNDS {
            // A notify before the wait is nobody's: this one comes again.
            signal_in(moment(round), 500);
            ensure!(CONDITION.wait_on(NoTick, &LOCK, FOREVER) == Ok(Outcome::Clean));
            ensure!(LOCK.is_mine());
            signal_in(0, 0);
        }
        ensure!(SIGNALS.load(SeqCst) >= ROUNDS);
    });
}

#[test]
fn a_handler_leaves_errno_as_it_was() {
    extern "C" fn all(_: i32) {
        SIGNALS.fetch_add(1, SeqCst);
        EVENT.set();
        ensure!(SEMAPHORE.release() == Ok(()));
        CONDITION.notify(1);
        CONDITION.notify_all(&LOCK);
        EVENT.clear();
    }
    in_a_process(|| {
        handle(all);
        // With a sleeper's mark on each, so that they do ask the kernel; which refuses half of the time.
        for round in 0..200 {
            calls::NO_FUTEX.set(round % 2 == 0);
            for word in [word_at(&EVENT, 4), word_at(&SEMAPHORE, 4), word_at(&CONDITION, 4)] {
                word.fetch_or(1, SeqCst);
            }
            // SAFETY: our own errno; our own signal.
            unsafe {
                *libc::__errno_location() = 1000 + round;
                libc::raise(libc::SIGALRM);
                ensure!(*libc::__errno_location() == 1000 + round);
            }
        }
        ensure!(SIGNALS.load(SeqCst) == 200 && SEMAPHORE.value() == 200);
    });
}
