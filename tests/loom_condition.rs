//! Models of `Condition`, on a `Lock` and on an `RLock` (held twice): every interleaving within the preemption
//! bound stated, and every point at which a waiter or a notifier can be killed.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_condition --target-dir target/loom`
//!
//! Each line was tried once, and the model named (among others) failed:
//!
//! | weakened in `src/condition.rs` (and `lock`, `rlock`, `wait`) | fails |
//! |---|---|
//! | `notified` is read when the lock is given up already | `a_notify_by_a_later_owner_counts_without_the_lock_too` |
//! | `wait`: load of `notified`, Acquire -> Relaxed | `a_notify_by_a_later_owner_counts_without_the_lock_too` |
//! | `notify`: SeqCst -> Relaxed | `a_notify_by_a_later_owner_counts_without_the_lock_too` |
//! | the lock's release: Release -> Relaxed | `what_was_changed_under_the_lock_is_seen` |
//! | no fence in `prepare`, or in `notify_many`; `notify` wakes nobody | `what_was_changed_under_the_lock_is_seen` |
//! | no fence in `notify_all_onto` | `notify_all_without_the_lock_strands_nobody` |
//! | a move does not bump the generation; a refused one is given up | `notify_all_by_the_owner_moves_everybody_...` |
//! | `notify_all` by no owner wakes nobody | `notify_all_without_the_lock_strands_nobody` |
//! | `expect_sleepers` does not set WAITERS | `killed_receiver_of_all_by_the_owner` |
//! | who was moved acquires without WAITERS | `notify_all_without_the_lock_strands_nobody` |
//! | a moved one that was not notified keeps the wake-up | `who_is_moved_though_not_notified_passes_on` |
//! | an RLock is held once afterwards | `on_rlock::what_was_changed_under_the_lock_is_seen` |
//! | the lock is not held after a timeout | `the_lock_is_held_after_a_timeout_too` |
//! | `TimedOut` outranks `OwnerDied` | `killed_owner` |
//!
//! Not shown: what the third row of the table orders by itself. To read a count that a later owner has raised,
//! a load would have to see what is written after the release behind it: loom has no load buffering. That
//! the count is read before the lock is given up is shown.
#![cfg(rialto_loom)]

mod models;

use loom::{cell::UnsafeCell, sync::Arc, thread};
use models::{Finished, killed_at_every_access, model, until_asleep};
use rialto::{
    Condition, Error, Lock, Lockable, Outcome, RLock, Result,
    sync::fuel::run_killed_at,
    sys::{Cell, model::Model},
    time::FOREVER,
};

trait Kind: Lockable + Send + Sync + 'static {
    /// How often it is held.
    const DEPTH: u32;
    /// For the larger models.
    const PREEMPTIONS: usize;
    fn make() -> Self;
    fn the_cell(&self) -> &Cell;
}

impl Kind for Lock {
    const DEPTH: u32 = 1;
    const PREEMPTIONS: usize = 2;
    fn make() -> Lock {
        // SAFETY: moved into an Arc before it is used.
        unsafe { Lock::new() }
    }
    fn the_cell(&self) -> &Cell {
        self.cell()
    }
}

impl Kind for RLock {
    const DEPTH: u32 = 2;
    const PREEMPTIONS: usize = 1;
    fn make() -> RLock {
        // SAFETY: as above.
        unsafe { RLock::new() }
    }
    fn the_cell(&self) -> &Cell {
        self.cell()
    }
}

struct Shared<L> {
    lock: L,
    condition: Condition,
    /// What the lock protects, and waiters wait for. loom reports any unordered access.
    amount: UnsafeCell<u32>,
    /// What a notifier writes before it notifies, without the lock.
    told: UnsafeCell<u32>,
    finished: Finished,
}

// SAFETY: loom's UnsafeCell reports the accesses that lock and condition do not order.
unsafe impl<L: Kind> Sync for Shared<L> {}
unsafe impl<L: Kind> Send for Shared<L> {}

impl<L: Kind> Shared<L> {
    fn new() -> Arc<Shared<L>> {
        Arc::new(Shared {
            lock: L::make(),
            condition: Condition::new(),
            amount: UnsafeCell::new(0),
            told: UnsafeCell::new(0),
            finished: Finished::new(),
        })
    }

    fn hold(&self) {
        for _ in 0..L::DEPTH {
            if self.lock.acquire_on(Model, FOREVER).unwrap() == Outcome::OwnerDied {
                self.lock.mark_consistent_on(Model).unwrap();
            }
        }
    }

    fn let_go(&self) {
        for _ in 0..L::DEPTH {
            self.lock.release_on(Model).expect("not held as often as before");
        }
        assert!(!self.lock.is_mine_on(Model), "held more often than before");
    }

    fn amount(&self) -> u32 {
        // SAFETY: here and below, loom checks that no unordered access is made.
        self.amount.with(|amount| unsafe { *amount })
    }

    fn set_amount(&self, to: u32) {
        self.amount.with_mut(|amount| unsafe { *amount = to });
    }

    /// Under the lock.
    fn change(&self, to: u32) {
        self.hold();
        self.set_amount(to);
        self.let_go();
    }

    /// Waits, holding the lock, until there are `least`. Deaths are repaired.
    fn wait_for(&self, least: u32) {
        while let Outcome::OwnerDied =
            self.condition.wait_for_on(Model, &self.lock, FOREVER, || self.amount() >= least).unwrap()
        {
            self.lock.mark_consistent_on(Model).unwrap();
        }
        assert!(self.amount() >= least);
    }

    fn visit(&self) {
        self.visit_for(1);
    }

    fn visit_for(&self, least: u32) {
        self.hold();
        self.wait_for(least);
        self.let_go();
        self.finished.add();
    }

    /// One `wait`, held.
    fn wait(&self, timeout_ns: u64) -> Result<Outcome> {
        self.condition.wait_on(Model, &self.lock, timeout_ns)
    }

    fn notify_all(&self) {
        self.condition.notify_all_on(Model, &self.lock);
    }

    /// The kernel's part of the calling thread's death.
    fn die(&self) {
        Model.bury(&[self.lock.the_cell()]);
    }
}

fn spawn<L: Kind, R: 'static>(
    s: &Arc<Shared<L>>,
    f: impl FnOnce(&Shared<L>) -> R + 'static,
) -> thread::JoinHandle<R> {
    let s = s.clone();
    thread::spawn(move || f(&s))
}

/// Killed at its access `n`: true.
fn spawn_victim<L: Kind>(
    s: &Arc<Shared<L>>,
    n: u32,
    f: impl FnOnce(&Shared<L>) + 'static,
) -> thread::JoinHandle<bool> {
    spawn(s, move |s| {
        let killed = run_killed_at(n, || f(s)).is_none();
        if killed {
            s.die();
        }
        killed
    })
}

fn what_was_changed_under_the_lock_is_seen<L: Kind>() {
    model(3, || {
        let s = Shared::<L>::new();
        let waiter = spawn(&s, Shared::visit);
        let notifier = spawn(&s, |s| {
            s.hold();
            s.set_amount(1);
            s.condition.notify_on(Model, 1);
            s.let_go();
        });
        waiter.join().unwrap();
        notifier.join().unwrap();
    });
}

/// And what the notifier wrote before, even without the lock.
fn a_notify_by_a_later_owner_counts_without_the_lock_too<L: Kind>() {
    model(4, || {
        let s = Shared::<L>::new();
        let waiter = spawn(&s, |s| {
            s.hold();
            if s.amount() == 0 {
                s.set_amount(1);
                assert_eq!(s.wait(FOREVER), Ok(Outcome::Clean));
                assert_eq!(s.told.with(|told| unsafe { *told }), 1);
            }
            s.let_go();
        });
        let notifier = spawn(&s, |s| {
            s.hold();
            let somebody_waits = s.amount() == 1;
            s.set_amount(2);
            s.let_go();
            if somebody_waits {
                s.told.with_mut(|told| unsafe { *told = 1 });
                s.condition.notify_on(Model, 1);
            }
        });
        waiter.join().unwrap();
        notifier.join().unwrap();
    });
}

fn the_lock_is_held_after_a_timeout_too<L: Kind>() {
    model(3, || {
        let s = Shared::<L>::new();
        let waiter = spawn(&s, |s| {
            s.hold();
            let result = s.wait(10);
            assert!(matches!(result, Ok(Outcome::Clean) | Err(Error::TimedOut)), "{result:?}");
            s.set_amount(s.amount() + 1);
            s.let_go();
        });
        let notifier = spawn(&s, |s| {
            s.hold();
            s.set_amount(s.amount() + 1);
            s.notify_all();
            s.let_go();
        });
        waiter.join().unwrap();
        notifier.join().unwrap();
        assert_eq!(s.amount(), 2);
    });
}

fn notify_all_by_the_owner_moves_everybody_and_strands_nobody<L: Kind>() {
    model(L::PREEMPTIONS, || {
        let s = Shared::<L>::new();
        let waiters = [spawn(&s, Shared::visit), spawn(&s, Shared::visit)];
        let notifier = spawn(&s, |s| {
            s.hold();
            s.set_amount(1);
            s.notify_all();
            s.let_go();
        });
        for waiter in waiters {
            waiter.join().unwrap();
        }
        notifier.join().unwrap();
    });
}

fn notify_all_without_the_lock_strands_nobody<L: Kind>() {
    model(L::PREEMPTIONS, || {
        let s = Shared::<L>::new();
        let waiters = [spawn(&s, Shared::visit), spawn(&s, Shared::visit)];
        let notifier = spawn(&s, |s| {
            s.change(1);
            s.notify_all();
        });
        for waiter in waiters {
            waiter.join().unwrap();
        }
        notifier.join().unwrap();
    });
}

/// One who came between a notify and its move is moved too, and may sleep at the lock in front of one who was
/// notified. The other is asleep at first, or this model were too large.
fn who_is_moved_though_not_notified_passes_its_wake_up_on<L: Kind>() {
    model(2, || {
        let s = Shared::<L>::new();
        let wait = |s: &Shared<L>| {
            s.hold();
            assert_eq!(s.wait(FOREVER), Ok(Outcome::Clean));
            s.let_go();
        };
        let waiter = spawn(&s, wait);
        until_asleep(1);
        let later = spawn(&s, move |s| {
            wait(s);
            s.finished.add();
        });
        let notifier = spawn(&s, |s| {
            s.notify_all();
            s.hold();
            s.let_go();
        });
        waiter.join().unwrap();
        notifier.join().unwrap();
        s.finished.repeat_until(1, || s.notify_all());
        later.join().unwrap();
    });
}

fn notify_all_while_somebody_else_is_the_owner_strands_nobody<L: Kind>() {
    model(1, || {
        let s = Shared::<L>::new();
        let waiters = [spawn(&s, Shared::visit), spawn(&s, Shared::visit)];
        let owner = spawn(&s, |s| {
            s.hold();
            s.amount();
            s.let_go();
        });
        let notifier = spawn(&s, |s| {
            s.change(1);
            s.notify_all();
        });
        for waiter in waiters {
            waiter.join().unwrap();
        }
        owner.join().unwrap();
        notifier.join().unwrap();
    });
}

/// One notify for two waiters; whoever gets it notifies again, unless it is dead.
fn a_notify_that_died_with_its_receiver_reaches_another<L: Kind>() {
    killed_at_every_access(20, 1, |n| {
        let s = Shared::<L>::new();
        let victim = spawn_victim(&s, n, |s| {
            s.hold();
            s.wait_for(1);
            s.let_go();
            s.condition.notify_on(Model, 1);
        });
        let survivor = spawn(&s, |s| {
            s.visit();
            s.condition.notify_on(Model, 1);
        });
        let notifier = spawn(&s, |s| {
            s.change(1);
            s.condition.notify_on(Model, 1);
            s.finished.add();
        });
        let killed = victim.join().unwrap();
        if killed {
            s.finished.tick_until(2);
        }
        notifier.join().unwrap();
        survivor.join().unwrap();
        killed
    });
}

/// The first whom it woke, or one of those that were moved.
fn a_receiver_of_notify_all_killed_anywhere_cuts_the_chain_for_a_tick<L: Kind>(owner: bool) {
    killed_at_every_access(20, 1, move |n| {
        let s = Shared::<L>::new();
        let victim = spawn_victim(&s, n, |s| {
            s.hold();
            s.wait_for(1);
            s.let_go();
        });
        let survivor = spawn(&s, Shared::visit);
        let notifier = spawn(&s, move |s| {
            s.hold();
            s.set_amount(1);
            if owner {
                s.notify_all();
            }
            s.let_go();
            if !owner {
                s.notify_all();
            }
            s.finished.add();
        });
        let killed = victim.join().unwrap();
        if killed {
            s.finished.tick_until(2);
        }
        notifier.join().unwrap();
        survivor.join().unwrap();
        killed
    });
}

/// Its second access counts the notify: from there on all who wait return within a tick. Killed before it,
/// nobody was notified, and the next notifier's counts. It holds the lock, so that its death is one inside.
fn a_notifier_killed_anywhere<L: Kind>(waiters: usize, notify: fn(&Shared<L>)) {
    killed_at_every_access(4, 1, move |n| {
        let s = Shared::<L>::new();
        let waiters: Vec<_> = (0..waiters).map(|_| spawn(&s, Shared::visit)).collect();
        if waiters.len() > 1 {
            until_asleep(waiters.len()); // or this model were too large
        }
        let victim = spawn(&s, move |s| {
            s.hold();
            s.set_amount(1);
            let killed = run_killed_at(n, || notify(s)).is_none();
            match killed {
                true => s.die(),
                false => s.let_go(),
            }
            killed
        });
        let killed = victim.join().unwrap();
        if killed && n >= 2 {
            s.finished.tick_until(waiters.len() as u32);
        } else if killed {
            s.hold();
            s.notify_all();
            s.let_go();
        }
        for waiter in waiters {
            waiter.join().unwrap();
        }
        killed
    });
}

/// The lock's owner is killed while somebody waits: that one inherits, and is told, even if its time is up.
fn an_owner_killed_anywhere_is_told_to_who_waited<L: Kind>() {
    killed_at_every_access(6, 2, |n| {
        let s = Shared::<L>::new();
        let waiter = spawn(&s, |s| {
            s.hold();
            s.set_amount(0); // repaired, if need be
            let result = s.wait(10);
            if result == Ok(Outcome::OwnerDied) {
                s.lock.mark_consistent_on(Model).unwrap();
            }
            assert!(s.amount() == 0 || result == Ok(Outcome::OwnerDied), "not told of a death inside");
            s.let_go();
            s.finished.add();
        });
        let victim = spawn_victim(&s, n, |s| {
            s.hold();
            s.set_amount(1);
            s.notify_all(); // accesses of its own: kill points inside
            s.set_amount(0);
            s.let_go();
        });
        let killed = victim.join().unwrap();
        if killed {
            s.finished.tick_until(1);
        }
        waiter.join().unwrap();
        killed
    });
}

macro_rules! on_both {
    ($($name:ident ($($arg:expr),*);)*) => {
        mod on_lock {
            $(#[test] fn $name() { super::$name::<super::Lock>($($arg),*) })*
        }
        mod on_rlock {
            $(#[test] fn $name() { super::$name::<super::RLock>($($arg),*) })*
        }
    };
}

on_both! {
    what_was_changed_under_the_lock_is_seen();
    a_notify_by_a_later_owner_counts_without_the_lock_too();
    the_lock_is_held_after_a_timeout_too();
    notify_all_by_the_owner_moves_everybody_and_strands_nobody();
    notify_all_without_the_lock_strands_nobody();
}

#[test]
fn who_is_moved_though_not_notified_passes_on() {
    who_is_moved_though_not_notified_passes_its_wake_up_on::<Lock>();
}

#[test]
fn notify_all_while_somebody_else_owns() {
    notify_all_while_somebody_else_is_the_owner_strands_nobody::<Lock>();
}

#[test]
fn killed_receiver_of_one() {
    a_notify_that_died_with_its_receiver_reaches_another::<Lock>();
}

#[test]
fn killed_receiver_of_all_by_the_owner() {
    a_receiver_of_notify_all_killed_anywhere_cuts_the_chain_for_a_tick::<Lock>(true);
}

#[test]
fn killed_receiver_of_all_without_the_lock() {
    a_receiver_of_notify_all_killed_anywhere_cuts_the_chain_for_a_tick::<RLock>(false);
}

#[test]
fn killed_notifier_of_one() {
    a_notifier_killed_anywhere::<Lock>(1, |s| s.condition.notify_on(Model, 1));
}

#[test]
fn killed_notifier_of_all() {
    a_notifier_killed_anywhere::<Lock>(1, |s| s.notify_all());
}

#[test]
fn killed_notifier_of_all_with_two_asleep() {
    a_notifier_killed_anywhere::<Lock>(2, |s| s.notify_all());
}

#[test]
fn killed_owner() {
    an_owner_killed_anywhere_is_told_to_who_waited::<Lock>();
}

#[test]
fn killed_owner_of_an_rlock() {
    an_owner_killed_anywhere_is_told_to_who_waited::<RLock>();
}
