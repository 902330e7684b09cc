//! `Event`: the documentation of `threading` and `multiprocessing`, case by case. Signal handlers are in
//! `semantics_signals.rs`; TESTING.md has the table.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Error, Event, FOREVER};
use std::sync::atomic::{AtomicU32, Ordering::*};
use sync_kit::*;

/// Shared with the children.
fn event() -> &'static Event {
    let it: &'static mut Event = shared();
    // SAFETY: fresh memory, never unmapped.
    unsafe { Event::init(it) };
    it
}

/// Where the phase is, see the module.
fn phase(event: &Event) -> &AtomicU32 {
    word_at(event, 8)
}

#[test]
fn the_flag_is_false_at_first() {
    assert!(!event().is_set() && !Event::new().is_set());
    assert_eq!(Event::new().wait_timeout(0), Err(Error::WouldBlock));
}

#[test]
fn set_makes_it_true_and_clear_false_however_often() {
    let e = event();
    for _ in 0..3 {
        for _ in 0..3 {
            e.set();
            assert!(e.is_set());
        }
        for _ in 0..3 {
            e.clear();
            assert!(!e.is_set());
        }
    }
}

#[test]
fn wait_returns_at_once_while_it_is_set_and_leaves_it_set() {
    let e = event();
    e.set();
    for timeout in [0, 1, MS, FOREVER] {
        assert_eq!(e.wait_timeout(timeout), Ok(()));
    }
    assert_eq!((e.wait(), e.is_set()), (Ok(()), true));
}

/// Python: `wait` returns False.
#[test]
fn wait_with_a_timeout_says_that_it_was_not_set() {
    let e = event();
    assert_eq!((e.wait_timeout(2 * MS), e.is_set()), (Err(Error::TimedOut), false));
    assert_eq!(e.wait_timeout(0), Err(Error::WouldBlock));
    assert_eq!(e.wait_timeout(110 * MS), Err(Error::TimedOut)); // beyond a tick
}

#[test]
fn wait_waits_until_another_thread_sets_it() {
    let e = event();
    let waiter = Waiter::asleep(|| (e.wait(), e.is_set()));
    assert!(!waiter.is_done());
    e.set();
    assert_eq!(waiter.join(), (Ok(()), true));
}

#[test]
fn wait_waits_until_another_process_sets_it_and_sees_what_that_one_wrote() {
    let (e, page): (_, &'static mut AtomicU32) = (event(), shared());
    let page: &'static AtomicU32 = page;
    let waiter = Child::fork(|| ensure!(e.wait_timeout(20 * SECOND) == Ok(()) && page.load(Relaxed) == 7));
    waiter.wait_asleep();
    Child::fork(|| {
        page.store(7, Relaxed);
        e.set();
    })
    .succeeded();
    waiter.succeeded();
    assert!(e.is_set());
}

/// Without ticks: everybody is woken, nobody merely looks again.
#[test]
fn set_wakes_all_who_wait_threads_and_processes() {
    let e = event();
    let children: Vec<_> =
        (0..2).map(|_| Child::fork(|| ensure!(e.wait_on(NoTick, FOREVER) == Ok(())))).collect();
    children.iter().for_each(Child::wait_asleep);
    let threads: Vec<_> = (0..3).map(|_| Waiter::asleep(|| e.wait_on(NoTick, FOREVER))).collect();
    e.set();
    assert!(threads.into_iter().all(|thread| thread.join() == Ok(())));
    children.into_iter().for_each(Child::succeeded);
}

#[test]
fn after_clear_it_is_waited_for_again() {
    let e = event();
    for _ in 0..3 {
        e.set();
        assert_eq!(e.wait(), Ok(()));
        e.clear();
        assert_eq!(e.wait_timeout(MS), Err(Error::TimedOut));
        let waiter = Waiter::asleep(|| e.wait());
        sleep_ms(2);
        assert!(!waiter.is_done());
        e.set();
        assert_eq!(waiter.join(), Ok(()));
        e.clear();
    }
}

/// As in `threading`, where a waiter that was notified returns, whatever came since. The waiter is stopped
/// meanwhile, so that it cannot see the flag while it is set.
#[test]
fn a_set_with_a_clear_right_behind_it_releases_all_who_were_waiting() {
    let e = event();
    let child = Child::fork(|| ensure!(e.wait_on(NoTick, FOREVER) == Ok(())));
    child.wait_asleep();
    for stop in [true, false] {
        if stop {
            child.signal(libc::SIGSTOP);
            until("it stands", || {
                let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.0)).unwrap();
                stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
            });
            e.set();
            e.clear();
        } else {
            child.signal(libc::SIGCONT);
        }
    }
    child.succeeded();
    assert!(!e.is_set());
    // Who comes now is too late.
    assert_eq!(e.wait_timeout(0), Err(Error::WouldBlock));
    assert_eq!(e.wait_timeout(MS), Err(Error::TimedOut));
}

#[test]
fn no_round_of_set_and_clear_is_missed_by_a_waiter() {
    static WAITING: AtomicU32 = AtomicU32::new(0);
    let e = event();
    let waiter = Waiter::start(|| {
        for round in 1..=2000 {
            WAITING.store(round, SeqCst);
            e.wait_on(NoTick, FOREVER).unwrap();
        }
    });
    // It announces itself, then waits: if it came too late for one, there is another.
    while !waiter.is_done() {
        let round = WAITING.load(SeqCst);
        e.set();
        e.clear();
        if WAITING.load(SeqCst) == round {
            std::thread::yield_now();
        }
    }
    waiter.join();
}

#[test]
fn the_phases_wrap_without_harm() {
    let e = event();
    phase(e).store(u32::MAX - 1, SeqCst);
    assert!(!e.is_set());
    let waiter = Waiter::asleep(|| e.wait_on(NoTick, FOREVER));
    e.set();
    assert_eq!((e.is_set(), phase(e).load(SeqCst)), (true, u32::MAX));
    e.clear();
    assert_eq!((e.is_set(), phase(e).load(SeqCst)), (false, 0));
    assert_eq!(waiter.join(), Ok(()));
    let waiter = Waiter::asleep(|| e.wait_on(NoTick, FOREVER));
    e.set();
    assert_eq!((waiter.join(), phase(e).load(SeqCst)), (Ok(()), 1));
}

#[test]
fn a_killed_waiter_takes_nothing_along_and_a_killed_setter_has_set() {
    let e = event();
    let doomed = Child::fork(|| ensure!(e.wait() == Ok(())));
    doomed.wait_asleep();
    let waiter = Waiter::asleep(|| e.wait_on(NoTick, FOREVER));
    doomed.kill();
    let setter = Child::fork(|| {
        e.set();
        sleep_ms(60_000);
    });
    assert_eq!(waiter.join(), Ok(()));
    setter.kill();
    assert!(e.is_set());
}

#[test]
fn what_is_no_event_is_refused_and_left_alone() {
    let zero: &'static mut [u8; 256] = shared();
    let semaphore: &'static mut rialto::Semaphore = shared();
    // SAFETY: mapped memory, 64 bytes each.
    unsafe {
        rialto::Semaphore::init(semaphore, 1).unwrap();
        assert_eq!(Event::attach(core::ptr::null()).err(), Some(Error::Invalid));
        assert_eq!(Event::attach(zero.as_ptr().add(4).cast()).err(), Some(Error::Invalid));
        assert_eq!(Event::attach(zero.as_ptr().cast()).err(), Some(Error::BadRegion));
        assert_eq!(Event::attach(core::ptr::from_ref(semaphore).cast()).err(), Some(Error::BadRegion));
        let set = event();
        set.set();
        assert!(Event::attach(set).unwrap().is_set());
        let blank = &*zero.as_ptr().cast::<Event>();
        blank.set();
        blank.clear();
        assert!(!blank.is_set());
        for timeout in [0, MS, FOREVER] {
            assert_eq!(blank.wait_timeout(timeout), Err(Error::BadRegion));
        }
    }
    assert!(zero.iter().all(|byte| *byte == 0));
    assert!(same_bytes(event(), &Event::new()));
}
