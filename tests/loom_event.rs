//! Models of `Event`: every interleaving within the preemption bound stated, and every point at which a
//! setter or a waiter can be killed.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_event --target-dir target/loom`
//!
//! Each line was tried once, and the model named (among others) failed:
//!
//! | weakened in `src/event.rs` (and `src/wait.rs`) | fails |
//! |---|---|
//! | `set`: SeqCst -> Relaxed | `a_waiter_sees_what_the_setter_wrote` |
//! | `wait`: either load Acquire -> Relaxed | `a_waiter_sees_what_the_setter_wrote` |
//! | `is_set`: Acquire -> Relaxed | `whoever_finds_it_set_sees_what_the_setter_wrote` |
//! | `clear`: AcqRel -> Acquire | `whoever_finds_it_cleared_sees_what_the_clearer_wrote` |
//! | no fence in `prepare`, or in `notify_many` | `that_it_is_set_is_seen_or_the_sleepers_are_woken` |
//! | `set` notifies before it sets, or wakes one only | `that_it_is_set_is_seen_or_the_sleepers_are_woken` |
//! | `set` adds 1 to whatever there is | `sets_and_clears_at_once_leave_it_as_the_last_of_them_says` |
//! | `set` wakes nobody if it was set | `a_setter_killed_anywhere_leaves_nobody_asleep_whom_...` |
//! | `clear` goes back to the phase before | `a_set_with_a_clear_behind_it_releases_who_was_waiting` |
//! | `wait` looks at the bit, not at the phase | `a_set_with_a_clear_behind_it_releases_who_was_waiting` |
//!
//! Not shown: the Acquire half of `clear`'s AcqRel: whoever clears is not told whether it did, so nobody reads by
//! it. That `set` is SeqCst and not AcqRel: see `loom_wait`.
#![cfg(rialto_loom)]

mod models;

use loom::{cell::UnsafeCell, sync::Arc, thread};
use models::{Finished, killed_at_every_access, model, until_asleep};
use rialto::{Error, Event, sync::fuel::run_killed_at, sys::model::Model, time::FOREVER};

/// An event and what it tells of. loom reports any unordered access.
struct Shared {
    event: Event,
    told: UnsafeCell<u32>,
    finished: Finished,
}

// SAFETY: loom's UnsafeCell reports the accesses that the event does not order.
unsafe impl Sync for Shared {}
unsafe impl Send for Shared {}

impl Shared {
    fn new() -> Arc<Shared> {
        Arc::new(Shared { event: Event::new(), told: UnsafeCell::new(0), finished: Finished::new() })
    }

    fn write(&self) {
        // SAFETY: loom checks that nobody else is here.
        self.told.with_mut(|told| unsafe { *told = 1 });
    }

    fn read(&self) -> u32 {
        // SAFETY: as above.
        self.told.with(|told| unsafe { *told })
    }

    fn wait(&self) {
        self.event.wait_on(Model, FOREVER).unwrap();
        self.finished.add();
    }
}

/// See `models::spawn`.
fn spawn<R: 'static>(s: &Arc<Shared>, f: impl FnOnce(&Shared) -> R + 'static) -> thread::JoinHandle<R> {
    let s = s.clone();
    thread::spawn(move || f(&s))
}

/// Killed at its access `n`: true. Then somebody else goes on in its thread.
fn spawn_victim<R: 'static>(
    s: &Arc<Shared>,
    n: u32,
    f: impl FnOnce(&Shared) -> R + 'static,
    then: impl FnOnce(&Shared) + 'static,
) -> thread::JoinHandle<bool> {
    spawn(s, move |s| {
        let killed = run_killed_at(n, || f(s)).is_none();
        if killed {
            Model.vanish();
            then(s);
        }
        killed
    })
}

#[test]
fn a_waiter_sees_what_the_setter_wrote() {
    model(4, || {
        let s = Shared::new();
        let waiter = spawn(&s, |s| {
            s.wait();
            assert_eq!(s.read(), 1);
        });
        let setter = spawn(&s, |s| {
            s.write();
            s.event.set_on(Model);
        });
        waiter.join().unwrap();
        setter.join().unwrap();
    });
}

#[test]
fn whoever_finds_it_set_sees_what_the_setter_wrote() {
    model(4, || {
        let s = Shared::new();
        let asker = spawn(&s, |s| {
            if s.event.is_set() {
                assert_eq!(s.read(), 1);
            }
            if s.event.wait_on(Model, 0) != Err(Error::WouldBlock) {
                assert_eq!(s.read(), 1);
            }
        });
        let setter = spawn(&s, |s| {
            s.write();
            s.event.set_on(Model);
        });
        asker.join().unwrap();
        setter.join().unwrap();
    });
}

#[test]
fn whoever_finds_it_cleared_sees_what_the_clearer_wrote() {
    model(4, || {
        let s = Shared::new();
        s.event.set_on(Model);
        let asker = spawn(&s, |s| {
            if !s.event.is_set() {
                assert_eq!(s.read(), 1);
            }
        });
        let clearer = spawn(&s, |s| {
            s.write();
            s.event.clear();
        });
        asker.join().unwrap();
        clearer.join().unwrap();
    });
}

#[test]
fn that_it_is_set_is_seen_or_the_sleepers_are_woken() {
    model(2, || {
        let s = Shared::new();
        let threads =
            [spawn(&s, Shared::wait), spawn(&s, Shared::wait), spawn(&s, |s| s.event.set_on(Model))];
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_set_with_a_clear_behind_it_releases_who_was_waiting() {
    model(2, || {
        let s = Shared::new();
        let waiter = spawn(&s, Shared::wait);
        let setter = spawn(&s, |s| {
            until_asleep(1);
            s.event.set_on(Model);
            s.event.clear();
        });
        waiter.join().unwrap();
        setter.join().unwrap();
        assert!(!s.event.is_set());
    });
}

#[test]
fn sets_and_clears_at_once_leave_it_as_the_last_of_them_says() {
    model(2, || {
        let s = Shared::new();
        let toggle = |s: &Shared| {
            s.event.clear();
            s.event.set_on(Model);
        };
        let threads = [spawn(&s, toggle), spawn(&s, toggle)];
        let waiter = spawn(&s, Shared::wait);
        for thread in threads {
            thread.join().unwrap();
        }
        waiter.join().unwrap();
        assert!(s.event.is_set(), "each ended with a set");
    });
}

#[test]
fn a_setter_killed_anywhere_has_set_it_for_all_within_a_tick_or_not_at_all() {
    killed_at_every_access(4, 1, |n| {
        let s = Shared::new();
        let waiters = [spawn(&s, Shared::wait), spawn(&s, Shared::wait)];
        let victim = spawn_victim(
            &s,
            n,
            |s| s.event.set_on(Model),
            |s| {
                if !s.event.is_set() {
                    s.event.set_on(Model); // then somebody else does, and no tick is needed
                } else {
                    s.finished.tick_until(2);
                }
            },
        );
        for waiter in waiters {
            waiter.join().unwrap();
        }
        victim.join().unwrap()
    });
}

#[test]
fn a_setter_killed_anywhere_leaves_nobody_asleep_whom_the_next_one_would_not_wake() {
    killed_at_every_access(4, 2, |n| {
        let s = Shared::new();
        let waiter = spawn(&s, Shared::wait);
        let victim = spawn_victim(&s, n, |s| s.event.set_on(Model), |_| {});
        let next = spawn(&s, |s| s.event.set_on(Model));
        waiter.join().unwrap();
        next.join().unwrap();
        victim.join().unwrap()
    });
}

#[test]
fn a_waiter_killed_anywhere_costs_the_others_nothing() {
    killed_at_every_access(7, 1, |n| {
        let s = Shared::new();
        let victim = spawn_victim(&s, n, Shared::wait, |_| {});
        let survivor = spawn(&s, Shared::wait);
        let setter = spawn(&s, |s| s.event.set_on(Model));
        survivor.join().unwrap();
        setter.join().unwrap();
        victim.join().unwrap()
    });
}
