//! `RLock`, and what `Lock` has in common with it: the documentation of `threading` and `multiprocessing`, case
//! by case. TESTING.md has the table, and says where we differ on purpose.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Acquired, Error, FOREVER, Lock, Lockable, Outcome, RLock, sys::Os};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use sync_kit::*;

struct Area {
    lock: Lock,
    rlock: RLock,
    more: [RLock; 70],
    ready: AtomicU32,
    quit: AtomicU32,
}

fn area() -> &'static Area {
    let area: &'static mut Area = shared();
    // SAFETY: fresh memory, never unmapped.
    unsafe {
        Lock::init(&mut area.lock);
        RLock::init(&mut area.rlock);
        area.more.iter_mut().for_each(|lock| RLock::init(lock));
    }
    area
}

impl Area {
    /// A process that acquires the RLock so often and holds it until it is killed, or told to quit.
    fn holder(&'static self, depth: u32) -> Child {
        let child = Child::fork(|| {
            for _ in 0..depth {
                ensure!(self.rlock.acquire_raw(FOREVER) == Ok(Outcome::Clean));
            }
            self.ready.store(1, SeqCst);
            while self.quit.load(SeqCst) == 0 {
                sleep_ms(1);
            }
            for _ in 0..depth {
                ensure!(self.rlock.release() == Ok(()));
            }
        });
        until("it is held", || self.ready.swap(0, SeqCst) == 1);
        child
    }
}

fn nest(lock: &RLock, depth: u32) {
    for _ in 0..depth {
        assert!(lock.acquire_raw(0).is_ok());
    }
}

/// In another thread.
fn elsewhere<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    Waiter::start(f).join()
}

fn of_both(f: impl Fn(&'static dyn Held)) {
    let a = area();
    f(&a.lock);
    f(&a.rlock);
}

/// `Lock` and `RLock` alike.
trait Held: Sync {
    fn acquire(&self, timeout: u64) -> rialto::Result<Outcome>;
    fn release(&self) -> rialto::Result<()>;
    fn is_mine(&self) -> bool;
    fn is_locked(&self) -> bool;
}

macro_rules! held {
    ($($lock:ty)*) => {$(
        impl Held for $lock {
            fn acquire(&self, timeout: u64) -> rialto::Result<Outcome> {
                self.acquire_raw(timeout)
            }
            fn release(&self) -> rialto::Result<()> {
                <$lock>::release(self)
            }
            fn is_mine(&self) -> bool {
                <$lock>::is_mine(self)
            }
            fn is_locked(&self) -> bool {
                <$lock>::is_locked(self)
            }
        }
    )*};
}
held!(Lock RLock);

#[test]
fn a_new_lock_is_free_and_acquiring_it_makes_it_held_by_the_caller() {
    of_both(|lock| {
        assert!(!lock.is_locked() && !lock.is_mine());
        assert_eq!(lock.acquire(FOREVER), Ok(Outcome::Clean));
        assert!(lock.is_locked() && lock.is_mine());
        assert!(elsewhere(|| lock.is_locked() && !lock.is_mine()));
        assert_eq!(lock.release(), Ok(()));
        assert!(!lock.is_locked() && !lock.is_mine());
    });
}

#[test]
fn acquire_waits_for_another_threads_release() {
    of_both(|lock| {
        lock.acquire(0).unwrap();
        let waiter = Waiter::asleep(|| (lock.acquire(FOREVER), lock.release()));
        assert!(!waiter.is_done());
        lock.release().unwrap();
        assert_eq!(waiter.join(), (Ok(Outcome::Clean), Ok(())));
    });
}

#[test]
fn acquire_waits_for_another_processs_release() {
    let a = area();
    let holder = a.holder(2);
    let waiter = Waiter::asleep(|| (a.rlock.acquire_raw(FOREVER), a.rlock.recursion(), a.rlock.release()));
    a.quit.store(1, SeqCst);
    assert_eq!(waiter.join(), (Ok(Outcome::Clean), 1, Ok(())));
    holder.succeeded();
}

#[test]
fn without_blocking_a_held_lock_is_refused_at_once() {
    of_both(|lock| {
        lock.acquire(0).unwrap();
        assert_eq!(elsewhere(|| lock.acquire(0)), Err(Error::WouldBlock));
        assert_eq!(elsewhere(|| lock.release()), Err(Error::NotOwner));
        lock.release().unwrap();
        assert_eq!(elsewhere(|| (lock.acquire(0), lock.release())), (Ok(Outcome::Clean), Ok(())));
    });
}

#[test]
fn with_a_timeout_a_held_lock_is_refused_after_it_and_a_free_one_is_had() {
    of_both(|lock| {
        lock.acquire(0).unwrap();
        assert_eq!(elsewhere(|| lock.acquire(5 * MS)), Err(Error::TimedOut));
        assert!(lock.is_mine());
        lock.release().unwrap();
        assert_eq!(elsewhere(|| (lock.acquire(1), lock.release())), (Ok(Outcome::Clean), Ok(())));
    });
}

#[test]
fn a_release_lets_exactly_one_of_many_go_on() {
    of_both(|lock| {
        static INSIDE: AtomicU32 = AtomicU32::new(0);
        static MAY_LEAVE: AtomicU32 = AtomicU32::new(0);
        INSIDE.store(0, SeqCst);
        MAY_LEAVE.store(0, SeqCst);
        lock.acquire(0).unwrap();
        let stay = || {
            lock.acquire(FOREVER).unwrap();
            let nth = INSIDE.fetch_add(1, SeqCst) + 1;
            until("it may leave", || MAY_LEAVE.load(SeqCst) >= nth);
            lock.release().unwrap();
        };
        let waiters: Vec<_> = (0..3).map(|_| Waiter::asleep(stay)).collect();
        lock.release().unwrap();
        for nth in 1..=3 {
            until("one goes on", || INSIDE.load(SeqCst) == nth);
            sleep_ms(5); // were there two, the second would be inside, too
            assert_eq!(INSIDE.load(SeqCst), nth);
            MAY_LEAVE.store(nth, SeqCst);
        }
        waiters.into_iter().for_each(Waiter::join);
    });
}

/// Python: RuntimeError, ValueError, AssertionError. Differs: Python's `Lock` may be released by anybody.
#[test]
fn releasing_what_one_does_not_hold_is_refused_and_changes_nothing() {
    of_both(|lock| {
        assert_eq!(lock.release(), Err(Error::NotOwner));
        lock.acquire(0).unwrap();
        assert_eq!(elsewhere(|| lock.release()), Err(Error::NotOwner));
        assert!(lock.is_mine());
        assert_eq!(elsewhere(|| lock.acquire(0)), Err(Error::WouldBlock));
        Child::fork(|| ensure!(lock.release() == Err(Error::NotOwner) && !lock.is_mine())).succeeded();
        assert!(lock.is_mine());
        assert_eq!(lock.release(), Ok(()));
        assert_eq!(lock.release(), Err(Error::NotOwner));
    });
}

#[test]
fn a_foreign_release_of_a_nested_rlock_is_refused_and_changes_nothing() {
    let a = area();
    nest(&a.rlock, 3);
    assert_eq!(elsewhere(|| a.rlock.release()), Err(Error::NotOwner));
    Child::fork(|| {
        ensure!(a.rlock.release() == Err(Error::NotOwner));
        ensure!(a.rlock.recursion() == 0 && !a.rlock.is_mine());
        ensure!(a.rlock.acquire_raw(0) == Err(Error::WouldBlock));
    })
    .succeeded();
    assert_eq!(a.rlock.recursion(), 3);
    let holder_quits = [Ok(()), Ok(()), Ok(()), Err(Error::NotOwner)];
    assert_eq!(holder_quits, [(); 4].map(|()| a.rlock.release()));
}

/// Differs: Python's `Lock` waits for itself for ever.
#[test]
fn a_plain_lock_acquired_twice_is_a_deadlock_that_is_told() {
    let a = area();
    a.lock.acquire_raw(0).unwrap();
    assert_eq!(a.lock.acquire_raw(FOREVER), Err(Error::Deadlock));
    assert_eq!(a.lock.acquire_raw(MS), Err(Error::Deadlock));
    assert_eq!(a.lock.acquire_raw(0), Err(Error::WouldBlock));
    assert!(a.lock.is_mine());
    a.lock.release().unwrap();
}

#[test]
fn the_owner_of_an_rlock_acquires_it_again_at_once_in_every_form() {
    let a = area();
    let first = a.rlock.acquire().unwrap();
    for timeout in [0, 1, MS, FOREVER] {
        assert_eq!(a.rlock.acquire_raw(timeout), Ok(Outcome::Clean));
    }
    let (nested, polled) = (a.rlock.acquire().unwrap(), a.rlock.try_acquire().unwrap());
    let timed = a.rlock.acquire_timeout(MS).unwrap();
    assert!(![&first, &nested, &polled, &timed].iter().any(|it| it.owner_died()));
    assert_eq!(a.rlock.recursion(), 8);
    drop((first, nested, polled, timed)); // in whatever order
    assert_eq!(a.rlock.recursion(), 4);
    (0..4).for_each(|_| a.rlock.release().unwrap());
    assert!(!a.rlock.is_locked());
}

#[test]
fn an_rlock_is_free_only_after_as_many_releases_as_acquisitions() {
    let a = area();
    for depth in 1..=1000 {
        assert_eq!(a.rlock.acquire_raw(0), Ok(Outcome::Clean));
        assert_eq!(a.rlock.recursion(), depth);
    }
    let waiter = Waiter::asleep(|| (a.rlock.acquire_raw(FOREVER), a.rlock.recursion(), a.rlock.release()));
    for depth in (1..1000).rev() {
        assert_eq!(a.rlock.release(), Ok(()));
        assert_eq!(a.rlock.recursion(), depth);
    }
    assert!(a.rlock.is_mine() && !waiter.is_done());
    assert_eq!(elsewhere(|| a.rlock.acquire_raw(0)), Err(Error::WouldBlock));
    assert_eq!(a.rlock.release(), Ok(()));
    assert_eq!(a.rlock.recursion(), 0);
    assert_eq!(waiter.join(), (Ok(Outcome::Clean), 1, Ok(())));
    assert_eq!(a.rlock.release(), Err(Error::NotOwner));
}

#[test]
fn recursion_is_the_callers_own_and_0_for_everybody_else() {
    let a = area();
    assert_eq!(a.rlock.recursion(), 0);
    a.rlock.acquire_raw(0).unwrap();
    a.rlock.acquire_raw(0).unwrap();
    assert_eq!((a.rlock.recursion(), elsewhere(|| a.rlock.recursion())), (2, 0));
    a.rlock.release().unwrap();
    a.rlock.release().unwrap();
}

#[test]
fn a_recursion_that_cannot_be_counted_is_refused_and_changes_nothing() {
    let a = area();
    let count = word_at(&a.rlock, 56);
    a.rlock.acquire_raw(0).unwrap();
    count.store(u32::MAX - 1, SeqCst);
    assert_eq!(a.rlock.acquire_raw(FOREVER), Ok(Outcome::Clean));
    assert_eq!(a.rlock.recursion(), u32::MAX);
    for timeout in [0, MS, FOREVER] {
        assert_eq!(a.rlock.acquire_raw(timeout), Err(Error::Overflow));
    }
    assert_eq!(a.rlock.recursion(), u32::MAX);
    assert_eq!(a.rlock.release(), Ok(()));
    assert_eq!(a.rlock.recursion(), u32::MAX - 1);
    count.store(1, SeqCst);
    assert_eq!(a.rlock.release(), Ok(()));
    assert!(!a.rlock.is_locked());
}

#[test]
fn nested_acquisitions_need_one_of_the_threads_64_places_only() {
    let a = area();
    elsewhere(|| {
        for lock in &a.more[..64] {
            nest(lock, 3);
        }
        assert_eq!(a.more[64].acquire_raw(0), Err(Error::TooManyHeld));
        assert_eq!(a.more[0].acquire_raw(0), Ok(Outcome::Clean));
        assert_eq!((a.more[0].recursion(), a.more[63].recursion()), (4, 3));
    });
    assert!(a.more[..64].iter().all(|lock| lock.acquire_raw(0) == Ok(Outcome::OwnerDied)));
}

#[test]
fn guards_release_when_they_go_also_in_a_panic() {
    let a = area();
    {
        let outer = a.rlock.acquire().unwrap().guard();
        let _inner = outer.lock().acquire().unwrap().guard();
        assert_eq!(a.rlock.recursion(), 2);
    }
    let thrown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = a.rlock.acquire().unwrap();
        let _lock_too = a.lock.acquire().unwrap();
        std::panic::resume_unwind(Box::new(1));
    }));
    assert!(thrown.is_err() && !a.rlock.is_locked() && !a.lock.is_locked());
}

#[test]
fn a_dead_owner_is_told_to_the_next_whose_count_is_one() {
    let a = area();
    let owner = a.holder(17);
    let waiter = Waiter::asleep(|| {
        let outcome = a.rlock.acquire_raw(FOREVER);
        let depth = a.rlock.recursion();
        (outcome, depth, a.rlock.mark_consistent(), a.rlock.release())
    });
    owner.kill();
    assert_eq!(waiter.join(), (Ok(Outcome::OwnerDied), 1, Ok(()), Ok(())));
    assert_eq!(a.rlock.acquire_raw(0), Ok(Outcome::Clean));
    assert_eq!((a.rlock.recursion(), a.rlock.release()), (1, Ok(())));
}

#[test]
fn a_timed_wait_that_meets_a_death_says_so_and_a_poll_too() {
    let a = area();
    let owner = a.holder(1);
    let waiter = Waiter::asleep(|| (a.rlock.acquire_timeout(20 * SECOND).map(|it| it.owner_died()), ()));
    owner.kill();
    assert_eq!(waiter.join().0, Ok(true));
    // That guard went unrepaired.
    assert_eq!(a.rlock.acquire_raw(0), Err(Error::NotRecoverable));
    assert_eq!(a.rlock.reset(), Ok(()));
    a.holder(1).kill();
    assert_eq!(a.rlock.acquire_raw(0), Ok(Outcome::OwnerDied));
    assert_eq!((a.rlock.mark_consistent(), a.rlock.release()), (Ok(()), Ok(())));
}

#[test]
fn nested_acquisitions_of_an_inherited_rlock_are_clean_and_only_the_last_release_gives_it_up() {
    let a = area();
    a.holder(2).kill();
    assert!(matches!(a.rlock.acquire().unwrap(), Acquired::OwnerDied(guard) if {
        assert_eq!(a.rlock.acquire_raw(FOREVER), Ok(Outcome::Clean));
        assert_eq!((a.rlock.recursion(), a.rlock.release()), (2, Ok(())));
        assert_eq!(elsewhere(|| a.rlock.acquire_raw(0)), Err(Error::WouldBlock)); // not yet unrecoverable
        assert_eq!(elsewhere(|| a.rlock.mark_consistent()), Err(Error::NotOwner));
        guard.mark_consistent();
        true
    }));
    assert_eq!(a.rlock.acquire_raw(0), Ok(Outcome::Clean));
    assert_eq!(a.rlock.release(), Ok(()));
}

#[test]
fn released_unrepaired_it_is_not_recoverable_until_reset() {
    let a = area();
    a.holder(2).kill();
    assert_eq!(a.rlock.acquire_raw(0), Ok(Outcome::OwnerDied));
    let waiter = Waiter::asleep(|| a.rlock.acquire_raw(FOREVER));
    assert_eq!(a.rlock.reset(), Err(Error::Busy));
    assert_eq!(a.rlock.release(), Ok(()));
    assert_eq!(waiter.join(), Err(Error::NotRecoverable));
    for timeout in [0, MS, FOREVER] {
        assert_eq!(a.rlock.acquire_raw(timeout), Err(Error::NotRecoverable));
    }
    assert!(a.rlock.is_locked());
    assert_eq!((a.rlock.reset(), a.rlock.reset()), (Ok(()), Ok(())));
    assert_eq!(a.rlock.acquire_raw(0), Ok(Outcome::Clean));
    assert_eq!((a.rlock.recursion(), a.rlock.release()), (1, Ok(())));
}

#[test]
fn a_thread_that_ends_holding_an_rlock_is_a_dead_owner() {
    let a = area();
    elsewhere(|| nest(&a.rlock, 3));
    assert_eq!(a.rlock.acquire_raw(FOREVER), Ok(Outcome::OwnerDied));
    assert_eq!((a.rlock.recursion(), a.rlock.mark_consistent(), a.rlock.release()), (1, Ok(()), Ok(())));
}

#[test]
fn an_rlock_is_no_lock_and_what_is_neither_is_refused() {
    let a = area();
    let zero: &'static mut [u8; 256] = shared();
    // SAFETY: mapped memory, 64 bytes each.
    unsafe {
        assert_eq!(RLock::attach(core::ptr::null()).err(), Some(Error::Invalid));
        assert_eq!(RLock::attach(zero.as_ptr().add(8).cast()).err(), Some(Error::Invalid));
        assert_eq!(RLock::attach(zero.as_ptr().cast()).err(), Some(Error::BadRegion));
        assert_eq!(RLock::attach((&raw const a.lock).cast()).err(), Some(Error::BadRegion));
        assert_eq!(Lock::attach((&raw const a.rlock).cast()).err(), Some(Error::BadRegion));
        assert!(RLock::attach(&raw const a.rlock).is_ok());
        let blank = &*zero.as_ptr().cast::<RLock>();
        assert_eq!(blank.acquire_raw(FOREVER), Err(Error::BadRegion));
        assert_eq!((blank.reset(), blank.destroy()), (Err(Error::BadRegion), Err(Error::BadRegion)));
        assert_eq!(blank.release(), Err(Error::NotOwner));
        assert!(same_bytes(&RLock::new(), &a.rlock));
    }
}

#[test]
fn a_destroyed_rlock_is_refused_and_a_held_one_is_not_destroyed() {
    let a = area();
    a.rlock.acquire_raw(0).unwrap();
    assert_eq!((a.rlock.destroy(), a.rlock.reset()), (Err(Error::Busy), Err(Error::Busy)));
    assert_eq!(Lockable::release_on(&a.rlock, Os {}), Ok(()));
    assert_eq!(a.rlock.destroy(), Ok(()));
    assert_eq!(a.rlock.acquire_raw(0), Err(Error::BadRegion));
    // SAFETY: mapped for ever.
    assert_eq!(unsafe { RLock::attach(&raw const a.rlock) }.err(), Some(Error::BadRegion));
}
