//! `Condition` on a `Lock` and on an `RLock`: the documentation of `threading` and `multiprocessing`, case by
//! case. What a death in between does is in `semantics_condition_death.rs`; TESTING.md has the table.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

mod calls;
mod processes;
mod sync_kit;

use processes::*;
use rialto::{Condition, Error, FOREVER, Lock, Lockable, Outcome, RLock, sys::Os};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use sync_kit::*;

struct Area {
    condition: Condition,
    lock: Lock,
    rlock: RLock,
    /// What is waited for.
    state: AtomicU32,
    returned: AtomicU32,
}

fn area() -> &'static Area {
    let area: &'static mut Area = shared();
    // SAFETY: fresh memory, never unmapped.
    unsafe {
        Condition::init(&mut area.condition);
        Lock::init(&mut area.lock);
        RLock::init(&mut area.rlock);
    }
    area
}

fn acquire(lock: &impl Lockable) {
    assert_eq!(lock.acquire_on(Os {}, FOREVER), Ok(Outcome::Clean));
}

fn release(lock: &impl Lockable) {
    assert_eq!(lock.release_on(Os {}), Ok(()));
}

fn is_mine(lock: &impl Lockable) -> bool {
    lock.is_mine_on(Os {})
}

fn elsewhere<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    Waiter::start(f).join()
}

impl Area {
    /// Threads asleep in `wait`, without ticks, each of which counts itself when it returns with the lock.
    fn waiters(&'static self, n: u32, lock: &'static (impl Lockable + Sync)) -> Vec<Waiter<()>> {
        let wait = move || {
            acquire(lock);
            assert_eq!(self.condition.wait_on(NoTick, lock, FOREVER), Ok(Outcome::Clean));
            assert!(is_mine(lock));
            self.returned.fetch_add(1, SeqCst);
            release(lock);
        };
        (0..n).map(|_| Waiter::asleep(wait)).collect()
    }

    fn must_have_returned(&self, n: u32) {
        until("they return", || self.returned.load(SeqCst) >= n);
        sleep_ms(5);
        assert_eq!(self.returned.load(SeqCst), n);
    }
}

/// Each case on a `Lock` and on an `RLock`.
macro_rules! on_both {
    ($($(#[$doc:meta])* fn $name:ident($a:ident, $lock:ident) $body:block)*) => {
        $($(#[$doc])* #[test]
        fn $name() {
            fn case($a: &'static Area, $lock: &'static (impl Lockable + Sync)) $body
            let (one, other) = (area(), area());
            case(one, &one.lock);
            case(other, &other.rlock);
        })*
    };
}

on_both! {
    /// Python: RuntimeError.
    fn wait_without_the_lock_is_refused_and_nothing_happens(a, lock) {
        for timeout in [0, MS, FOREVER] {
            assert_eq!(a.condition.wait_timeout(lock, timeout), Err(Error::NotOwner));
            let never = || panic!("asked without the lock");
            assert_eq!(a.condition.wait_for_timeout(lock, timeout, never), Err(Error::NotOwner));
        }
        acquire(lock);
        assert_eq!(elsewhere(|| a.condition.wait(lock)), Err(Error::NotOwner));
        assert_eq!(elsewhere(|| a.condition.wait_for(lock, || true)), Err(Error::NotOwner));
        Child::fork(|| ensure!(a.condition.wait(lock) == Err(Error::NotOwner))).succeeded();
        assert!(is_mine(lock));
        release(lock);
    }

    fn wait_gives_the_lock_up_and_has_it_again_when_it_returns(a, lock) {
        let waiters = a.waiters(1, lock);
        acquire(lock); // free, as it waits
        a.condition.notify(1);
        sleep_ms(5);
        assert_eq!(a.returned.load(SeqCst), 0); // notify does not release it
        release(lock);
        a.must_have_returned(1);
        waiters.into_iter().for_each(Waiter::join);
    }

    /// Python: `wait` returns False.
    fn wait_with_a_timeout_says_so_and_holds_the_lock(a, lock) {
        acquire(lock);
        for timeout in [1, 5 * MS, 120 * MS] {
            assert_eq!(a.condition.wait_timeout(lock, timeout), Err(Error::TimedOut));
            assert!(is_mine(lock));
        }
        assert_eq!(a.condition.wait_timeout(lock, 0), Err(Error::WouldBlock));
        assert!(is_mine(lock));
        release(lock);
    }

    /// Differs: in Python, RuntimeError.
    fn notify_without_the_lock_is_allowed(a, lock) {
        let waiters = a.waiters(2, lock);
        a.condition.notify(1);
        a.must_have_returned(1);
        a.condition.notify_all(lock);
        a.must_have_returned(2);
        waiters.into_iter().for_each(Waiter::join);
        acquire(lock);
        elsewhere(|| a.condition.notify_all(lock)); // nor does it wait for it
        release(lock);
    }

    fn a_notify_that_nobody_waits_for_is_forgotten(a, lock) {
        acquire(lock);
        a.condition.notify(1);
        a.condition.notify_all(lock);
        assert!(is_mine(lock));
        assert_eq!(a.condition.wait_timeout(lock, 5 * MS), Err(Error::TimedOut));
        release(lock);
    }

    fn notify_wakes_as_many_as_it_was_told_and_no_more(a, lock) {
        let waiters = a.waiters(6, lock);
        a.condition.notify(1);
        a.must_have_returned(1);
        acquire(lock);
        a.condition.notify(2);
        release(lock);
        a.must_have_returned(3);
        a.condition.notify(0);
        a.must_have_returned(3);
        a.condition.notify(7); // all, if there are fewer
        a.must_have_returned(6);
        waiters.into_iter().for_each(Waiter::join);
    }

    fn notify_all_wakes_all_and_each_has_the_lock_in_turn(a, lock) {
        for held in [true, false] {
            a.returned.store(0, SeqCst);
            let threads = a.waiters(3, lock);
            let children: Vec<_> = (0..2).map(|_| Child::fork(|| {
                ensure!(lock.acquire_on(Os {}, FOREVER) == Ok(Outcome::Clean));
                ensure!(a.condition.wait_on(NoTick, lock, FOREVER) == Ok(Outcome::Clean));
                a.returned.fetch_add(1, SeqCst);
                ensure!(lock.release_on(Os {}) == Ok(()));
            })).collect();
            children.iter().for_each(Child::wait_asleep);
            if held {
                acquire(lock);
            }
            a.condition.notify_all_on(NoTick, lock);
            if held {
                assert_eq!(a.returned.load(SeqCst), 0);
                release(lock);
            }
            a.must_have_returned(5);
            threads.into_iter().for_each(Waiter::join);
            children.into_iter().for_each(Child::succeeded);
        }
    }

    /// The sleepers are moved to the lock; nobody, or one, is woken at once.
    fn notify_all_wakes_no_herd(a, lock) {
        for held in [true, false] {
            a.returned.store(0, SeqCst);
            let threads = a.waiters(4, lock);
            if held {
                acquire(lock);
            }
            let ((), calls) = calls::record(|| a.condition.notify_all(lock));
            let [call] = calls.futex[..] else { panic!("{:?}", calls.futex) };
            assert_eq!((call.op, call.result), (libc::FUTEX_CMP_REQUEUE, 4));
            assert_eq!(call.value, if held { 0 } else { 1 });
            if held {
                release(lock);
            }
            a.must_have_returned(4);
            threads.into_iter().for_each(Waiter::join);
        }
    }

    fn wait_for_what_is_true_already_neither_waits_nor_gives_the_lock_up(a, lock) {
        acquire(lock);
        for timeout in [0, MS, FOREVER] {
            let mut asked = 0;
            let (result, calls) = calls::record(|| a.condition.wait_for_timeout(lock, timeout, || {
                asked += 1;
                true
            }));
            assert_eq!((result, asked), (Ok(Outcome::Clean), 1));
            assert!(calls.futex.is_empty() && is_mine(lock));
        }
        release(lock);
    }

    fn wait_for_returns_when_it_is_true_and_not_at_every_notify(a, lock) {
        let waiter = Waiter::asleep(move || {
            acquire(lock);
            let mut asked = 0;
            let result = a.condition.wait_for(lock, || {
                assert!(is_mine(lock));
                asked += 1;
                a.state.load(SeqCst) == 3
            });
            assert!(is_mine(lock));
            release(lock);
            (result, asked)
        });
        for state in 1..=3 {
            waiter.wait_asleep();
            acquire(lock);
            assert!(!waiter.is_done());
            a.state.store(state, SeqCst);
            a.condition.notify(1);
            release(lock);
            sleep_ms(2);
        }
        let (result, asked) = waiter.join();
        assert_eq!(result, Ok(Outcome::Clean));
        assert!(asked >= 2);
    }

    /// Python: it returns the last value of the predicate.
    fn wait_for_says_false_only_if_it_was_false_to_the_last(a, lock) {
        acquire(lock);
        for (timeout, late) in [(0, Error::WouldBlock), (3 * MS, Error::TimedOut)] {
            let mut asked = 0;
            let result = a.condition.wait_for_timeout(lock, timeout, || { asked += 1; false });
            assert_eq!((result, is_mine(lock)), (Err(late), true));
            assert!(asked >= 2);
            // Nobody notifies, but when it is over it has come true.
            let mut asked = 0;
            let result = a.condition.wait_for_timeout(lock, timeout, || { asked += 1; asked > 1 });
            assert_eq!((result, asked, is_mine(lock)), (Ok(Outcome::Clean), 2, true));
        }
        release(lock);
    }

    /// Without ticks: a notify that falls between giving the lock up and sleeping counts, too.
    fn a_notify_by_the_next_holder_of_the_lock_is_never_missed(a, lock) {
        const ROUNDS: u32 = 3000;
        let play = move |mine: u32| {
            for round in 0..ROUNDS {
                acquire(lock);
                let my_turn = || a.state.load(SeqCst) == 2 * round + mine;
                assert_eq!(a.condition.wait_for_on(NoTick, lock, FOREVER, my_turn), Ok(Outcome::Clean));
                a.state.fetch_add(1, SeqCst);
                a.condition.notify(1);
                release(lock);
            }
        };
        let other = Child::fork(|| play(1));
        Waiter::start(move || play(0)).join();
        other.succeeded();
        assert_eq!(a.state.load(SeqCst), 2 * ROUNDS);
    }

    fn a_damaged_condition_is_refused_and_the_lock_stays_held(a, lock) {
        acquire(lock);
        word_at(&a.condition, 0).store(0, SeqCst);
        assert_eq!(a.condition.wait(lock), Err(Error::BadRegion));
        assert_eq!(a.condition.wait_for(lock, || false), Err(Error::BadRegion));
        a.condition.notify(1);
        a.condition.notify_all(lock);
        assert_eq!(word_at(&a.condition, 8).load(SeqCst), 0);
        assert!(is_mine(lock));
        release(lock);
    }
}

/// Consumers and a producer in processes and threads, one place, two conditions on one lock.
#[test]
fn items_go_from_process_to_process_and_none_is_lost() {
    const ITEMS: u32 = 2000;
    let (a, other): (_, &'static mut Condition) = (area(), shared());
    // SAFETY: fresh memory, never unmapped.
    unsafe { Condition::init(other) };
    let (full, empty): (&'static Condition, &'static Condition) = (&a.condition, other);
    let consume = move || {
        let mut got = 0;
        while got < ITEMS / 2 {
            let guard = a.lock.acquire().unwrap().guard();
            full.wait_for(guard.lock(), || a.state.load(SeqCst) != 0).unwrap();
            a.state.store(0, SeqCst);
            got += 1;
            empty.notify(1);
        }
        a.returned.fetch_add(got, SeqCst);
    };
    let process = Child::fork(consume);
    let thread = Waiter::start(consume);
    for _ in 0..ITEMS {
        let guard = a.lock.acquire().unwrap().guard();
        empty.wait_for(guard.lock(), || a.state.load(SeqCst) == 0).unwrap();
        a.state.store(1, SeqCst);
        full.notify(1);
    }
    thread.join();
    process.succeeded();
    assert_eq!((a.returned.load(SeqCst), a.state.load(SeqCst)), (ITEMS, 0));
}

#[test]
fn the_whole_recursion_of_an_rlock_is_given_up_and_restored() {
    let a = area();
    for depth in [1, 3, 1000] {
        (0..depth).for_each(|_| acquire(&a.rlock));
        let meddler = move || {
            acquire(&a.rlock); // free although it was held so often
            acquire(&a.rlock);
            assert_eq!(a.rlock.recursion(), 2);
            a.state.store(1, SeqCst);
            a.condition.notify_all(&a.rlock);
            release(&a.rlock);
            release(&a.rlock);
        };
        let other = Waiter::asleep(meddler);
        assert_eq!(a.condition.wait_for(&a.rlock, || a.state.swap(0, SeqCst) == 1), Ok(Outcome::Clean));
        assert_eq!(a.rlock.recursion(), depth);
        other.join();
        assert_eq!(a.condition.wait_timeout(&a.rlock, MS), Err(Error::TimedOut));
        assert_eq!(a.rlock.recursion(), depth);
        assert_eq!(a.condition.wait_timeout(&a.rlock, 0), Err(Error::WouldBlock));
        assert_eq!(a.condition.wait_for_timeout(&a.rlock, MS, || false), Err(Error::TimedOut));
        assert_eq!(a.rlock.recursion(), depth);
        (0..depth).for_each(|_| release(&a.rlock));
        assert!(!a.rlock.is_locked());
    }
}

#[test]
fn what_is_no_condition_is_refused() {
    let zero: &'static mut [u8; 256] = shared();
    let event: &'static mut rialto::Event = shared();
    // SAFETY: mapped memory, 64 bytes each.
    unsafe {
        rialto::Event::init(event);
        assert_eq!(Condition::attach(core::ptr::null()).err(), Some(Error::Invalid));
        assert_eq!(Condition::attach(zero.as_ptr().add(16).cast()).err(), Some(Error::Invalid));
        assert_eq!(Condition::attach(zero.as_ptr().cast()).err(), Some(Error::BadRegion));
        assert_eq!(Condition::attach(core::ptr::from_ref(event).cast()).err(), Some(Error::BadRegion));
        assert!(Condition::attach(&raw const area().condition).is_ok());
    }
    assert!(same_bytes(&area().condition, &Condition::new()));
}
