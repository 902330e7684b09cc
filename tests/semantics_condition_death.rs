//! A condition's `wait` when an owner of the lock dies meanwhile: told, also when the time was up; and when the
//! lock was given up for good. Nothing here depends on the clock: the platform of the waiting thread lets the
//! others in exactly between giving the lock up and acquiring it again.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Condition, Error, FOREVER, Lock, Lockable, Outcome, RLock, Result, sys::Os};
use std::{
    cell::Cell,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};
use sync_kit::*;

struct Area {
    condition: Condition,
    lock: Lock,
    rlock: RLock,
    /// 1: the others may acquire it; 2: they have done what they do.
    stage: AtomicU32,
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

thread_local!(static AREA: Cell<Option<&'static Area>> = const { Cell::new(None) });

/// In the waiting thread: when it has just given the lock up, the others come in.
fn let_the_others_in() {
    let a = AREA.get().unwrap();
    let held = a.lock.is_mine() || a.rlock.is_mine();
    if !held && a.stage.compare_exchange(0, 1, SeqCst, SeqCst).is_ok() {
        until("the others have been there", || a.stage.load(SeqCst) == 2);
    }
}

/// How it waits: the timeout, which is over when the lock is acquired again, and whether with a predicate.
const WAYS: &[(u64, bool)] = &[(1, false), (0, false), (1, true), (0, true), (50 * MS, false)];

fn wait_so<L: Lockable>(a: &'static Area, lock: &L, way: (u64, bool)) -> Result<Outcome> {
    AREA.set(Some(a));
    MEANWHILE.set(Some(let_the_others_in));
    let result = match way {
        (timeout, false) => a.condition.wait_on(NoTick, lock, timeout),
        (timeout, true) => {
            let mut asked = 0;
            let result = a.condition.wait_for_on(NoTick, lock, timeout, || {
                asked += 1;
                false
            });
            assert_eq!(asked, 1); // and not again, as what it looks at may be half done
            result
        }
    };
    MEANWHILE.set(None);
    result
}

/// A process that acquires the lock when it may.
fn intruder(a: &'static Area, lock: &'static (impl Lockable + Sync)) -> Child {
    Child::fork(|| {
        until("it may", || a.stage.load(SeqCst) == 1);
        ensure!(lock.acquire_on(Os {}, FOREVER) == Ok(Outcome::Clean));
        a.stage.store(2, SeqCst);
        sleep_ms(60_000);
    })
}

fn a_death_outranks<L: Lockable + Sync>(pick: fn(&'static Area) -> &'static L, depth: u32) {
    for &way in WAYS {
        let a = area();
        let lock = pick(a);
        let owner = intruder(a, lock);
        let waiter = Waiter::start(move || {
            (0..depth).for_each(|_| assert!(lock.acquire_on(Os {}, FOREVER).is_ok()));
            let result = wait_so(a, lock, way);
            assert!(lock.is_mine_on(Os {}));
            assert_eq!(a.rlock.recursion(), if a.rlock.is_mine() { depth } else { 0 });
            assert_eq!(lock.mark_consistent_on(Os {}), Ok(()));
            (0..depth).for_each(|_| assert_eq!(lock.release_on(Os {}), Ok(())));
            assert_eq!(lock.acquire_on(Os {}, 0), Ok(Outcome::Clean));
            assert_eq!(lock.release_on(Os {}), Ok(()));
            result
        });
        until("it is taken", || a.stage.load(SeqCst) == 2);
        waiter.wait_asleep(); // on the lock: its time is long up
        owner.kill();
        assert_eq!(waiter.join(), Ok(Outcome::OwnerDied), "{way:?}");
    }
}

#[test]
fn an_owners_death_in_between_is_told_also_when_the_time_was_up() {
    a_death_outranks(|a| &a.lock, 1);
}

#[test]
fn an_owners_death_in_between_restores_the_recursion_of_an_rlock_all_the_same() {
    a_death_outranks(|a| &a.rlock, 3);
}

fn given_up<L: Lockable + Sync>(pick: fn(&'static Area) -> &'static L, depth: u32) {
    for &way in WAYS {
        let a = area();
        let lock = pick(a);
        // It dies at once, and its heir does not repair.
        let intruder = Child::fork(|| {
            until("it may", || a.stage.load(SeqCst) == 1);
            ensure!(lock.acquire_on(Os {}, FOREVER) == Ok(Outcome::Clean));
        });
        let heir = Waiter::start(move || {
            intruder.succeeded();
            assert_eq!(lock.acquire_on(Os {}, FOREVER), Ok(Outcome::OwnerDied));
            assert_eq!(lock.release_on(Os {}), Ok(()));
            a.stage.store(2, SeqCst);
        });
        let result = elsewhere(move || {
            (0..depth).for_each(|_| assert!(lock.acquire_on(Os {}, FOREVER).is_ok()));
            let result = wait_so(a, lock, way);
            assert!(!lock.is_mine_on(Os {}));
            assert_eq!(lock.release_on(Os {}), Err(Error::NotOwner));
            result
        });
        heir.join();
        assert_eq!(result, Err(Error::NotRecoverable), "{way:?}");
        assert_eq!(a.condition.wait(lock), Err(Error::NotOwner));
    }
}

fn elsewhere<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    Waiter::start(f).join()
}

#[test]
fn a_lock_given_up_in_between_is_not_held_when_wait_returns() {
    given_up(|a| &a.lock, 1);
    given_up(|a| &a.rlock, 3);
}

fn unrepaired<L: Lockable + Sync>(a: &'static Area, lock: &'static L) {
    a.stage.store(1, SeqCst);
    kill_when_done(a, intruder(a, lock));
    assert_eq!(lock.acquire_on(Os {}, FOREVER), Ok(Outcome::OwnerDied));
    assert_eq!(a.condition.wait_timeout(lock, MS), Err(Error::NotRecoverable));
    assert!(!lock.is_mine_on(Os {}));
    assert_eq!(lock.acquire_on(Os {}, 0), Err(Error::NotRecoverable));
}

fn kill_when_done(a: &Area, child: Child) {
    until("it may be killed", || a.stage.load(SeqCst) == 2);
    child.kill();
}

#[test]
fn waiting_with_an_unrepaired_lock_gives_it_up_for_good() {
    let (a, b) = (area(), area());
    unrepaired(a, &a.lock);
    unrepaired(b, &b.rlock);
}

/// Those whom `notify_all` moved to the lock sleep there: the kernel, or each other, must pass the death on.
fn moved_sleepers<L: Lockable + Sync>(a: &'static Area, lock: &'static L, repair: bool) {
    let wait = move || {
        lock.acquire_on(Os {}, FOREVER).unwrap();
        let result = a.condition.wait_on(NoTick, lock, FOREVER);
        if result.is_ok() {
            if repair {
                lock.mark_consistent_on(Os {}).unwrap();
            }
            lock.release_on(Os {}).unwrap();
        }
        result
    };
    let waiters: Vec<_> = (0..3).map(|_| Waiter::asleep(wait)).collect();
    let owner = Child::fork(|| {
        ensure!(lock.acquire_on(Os {}, FOREVER) == Ok(Outcome::Clean));
        a.condition.notify_all_on(NoTick, lock);
        a.stage.store(2, SeqCst);
        sleep_ms(60_000);
    });
    kill_when_done(a, owner);
    let mut results: Vec<_> = waiters.into_iter().map(Waiter::join).collect();
    results.sort_by_key(|result| result.map_or(2, |outcome| u32::from(outcome == Outcome::Clean)));
    let others = if repair { Ok(Outcome::Clean) } else { Err(Error::NotRecoverable) };
    assert_eq!(results, [Ok(Outcome::OwnerDied), others, others]);
}

#[test]
fn the_first_of_those_whom_a_dying_owner_notified_is_told_and_the_others_follow() {
    for repair in [true, false] {
        let (a, b) = (area(), area());
        moved_sleepers(a, &a.lock, repair);
        moved_sleepers(b, &b.rlock, repair);
    }
}

/// Nobody can acquire the lock, so nobody will ever notify.
#[test]
fn a_lock_lost_in_the_meantime_ends_a_wait_without_a_notify() {
    // SAFETY: leaked: it is never moved.
    let lock: &'static Lock = Box::leak(Box::new(unsafe { Lock::new() }));
    let condition: &'static Condition = Box::leak(Box::new(Condition::new()));
    let waiter = Waiter::asleep(move || {
        assert_eq!(lock.acquire_raw(FOREVER), Ok(Outcome::Clean));
        condition.wait(lock)
    });
    Waiter::start(move || std::mem::forget(lock.acquire().unwrap())).join();
    assert_eq!(lock.acquire_raw(FOREVER), Ok(Outcome::OwnerDied));
    lock.release().unwrap(); // unrepaired
    assert_eq!(waiter.join(), Err(Error::NotRecoverable));
}
