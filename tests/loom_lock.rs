//! Models of `Lock`: every interleaving (within the preemption bound stated), every kill point.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_lock --target-dir target/loom`
//!
//! Each line was tried once, and the model named (among others) failed:
//!
//! | weakened in `src/lock.rs` | fails |
//! |---|---|
//! | `take`, clean: Acquire -> Relaxed | `two_threads_exclude_each_other_and_lose_no_wake` |
//! | `take`, *died*: AcqRel -> Release | `a_victim_killed_anywhere_is_told_if_and_only_if_it_held` |
//! | `release_on`: CAS Release -> Relaxed | `two_threads_exclude_each_other_and_lose_no_wake` |
//! | `release_slow`: swap(WAITERS) Release -> Relaxed | `two_sleepers_are_woken_one_after_the_other` |
//! | `release_slow`: swap(UNRECOVERABLE) Release -> Relaxed | `reset_hands_on_what_the_last_owner_left` |
//! | `reset`: Release -> Relaxed | `reset_hands_the_repairs_to_the_next_owner` |
//! | not announced in `take`, or in `release_on` | `a_victim_killed_anywhere_is_told_if_and_only_if_it_held` |
//! | a contended release stores 0, not WAITERS | `a_woken_waiter_killed_anywhere_costs_the_others_a_tick_at_most` |
//! | whoever slept does not keep WAITERS | `a_hint_cleared_late_strands_nobody` |
//! | no wake in a contended release | `two_sleepers_are_woken_one_after_the_other` |
//! | unrepaired: wakes nobody / only one | `a_release_unrepaired_is_seen_by_a_sleeper` / `.._wakes_every_sleeper` |
//! | DIED dropped by the heir | `a_release_unrepaired_is_seen_by_a_sleeper` |
//! | an undertaker without a licence | `a_stalled_undertaker_does_not_rob_a_namesake` |
//! | the licence is 0, not the undertaker's tag | `an_undertaker_killed_anywhere_is_buried_by_the_next` |
//! | no `disown_tag` | `a_namesake_that_inherits_does_not_look_dead` |
//! | the tag not cleared in a release | `a_namesake_that_acquires_a_free_lock_does_not_look_dead` |
//! | the tag cleared after the release | `two_threads_exclude_each_other_and_lose_no_wake` |
//!
//! Not shown: the Release half of AcqRel in `take` of a *died* word and the Acquire of the load before
//! `bury`. They forbid that an undertaker sees a namesake's word and yet wins the CAS on the tag that
//! the namesake cleared before: load buffering, which loom does not model.
#![cfg(rialto_loom)]

use loom::{cell::UnsafeCell, model::Builder, sync::Arc, thread};
use rialto::{
    Error,
    lock::{Lock, Outcome},
    sync::{Ordering::*, fuel::run_killed_at},
    sys::{DIED, OWNER, Platform, Thread, WAITERS, model::Model},
    time::FOREVER,
};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst as STD};

/// What the lock protects: `dirty` while somebody is inside. loom reports any unordered access.
struct Shared {
    lock: Lock,
    dirty: UnsafeCell<bool>,
    entries: UnsafeCell<u32>,
}

// SAFETY: loom's UnsafeCell reports the accesses that the lock does not order.
unsafe impl Sync for Shared {}
unsafe impl Send for Shared {}

impl Shared {
    fn new() -> Arc<Shared> {
        // SAFETY: in an Arc it is not moved; a model's threads keep no reference to it when they end.
        let lock = unsafe { Lock::new() };
        Arc::new(Shared { lock, dirty: UnsafeCell::new(false), entries: UnsafeCell::new(0) })
    }

    fn word(&self) -> u32 {
        self.lock.cell().word().load(Relaxed)
    }

    /// Enters the critical section, dies there if the fuel says so. True: somebody died inside.
    fn section(&self) -> bool {
        let found = self.dirty.with_mut(|d| unsafe { std::mem::replace(&mut *d, true) });
        self.entries.with_mut(|e| unsafe { *e += 1 });
        self.word(); // an access of its own: a kill point inside
        self.dirty.with_mut(|d| unsafe { *d = false });
        found
    }

    /// Acquire, enter, repair if need be, release. Says how it was acquired.
    fn visit(&self) -> Outcome {
        let outcome = self.lock.acquire_on(Model, FOREVER).unwrap();
        let tag = Model.thread().unwrap().tag();
        assert_eq!(self.lock.cell().tag().load(Relaxed), tag, "our evidence is gone");
        let found = self.section();
        assert!(!found || outcome == Outcome::OwnerDied, "not told of a death inside");
        if outcome == Outcome::OwnerDied {
            self.lock.mark_consistent_on(Model).unwrap();
        }
        self.lock.release_on(Model).unwrap();
        outcome
    }
}

fn model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(f);
}

/// Runs `f` for fuel 0, 1, 2 ... until a whole exploration in which the victim never died.
fn killed_at_every_access(preemptions: usize, f: impl Fn(u32) -> bool + Sync + Send + Copy + 'static) {
    for n in 0.. {
        assert!(n < 100, "the victim never finishes");
        let deaths = std::sync::Arc::new(AtomicUsize::new(0));
        let count = deaths.clone();
        model(preemptions, move || {
            if f(n) {
                count.fetch_add(1, STD);
            }
        });
        if deaths.load(STD) == 0 {
            assert!(n > 5, "too few kill points: {n}");
            println!("{n} kill points");
            return;
        }
    }
}

#[test]
fn two_threads_exclude_each_other_and_lose_no_wake() {
    model(4, || {
        let s = Shared::new();
        let t = s.clone();
        let other = thread::spawn(move || {
            t.visit();
            t.visit();
        });
        s.visit();
        other.join().unwrap();
        s.entries.with(|e| assert_eq!(unsafe { *e }, 3));
        assert_eq!(s.word() & OWNER, 0);
    });
}

#[test]
fn three_threads_exclude_each_other_and_lose_no_wake() {
    model(2, || {
        let s = Shared::new();
        let others: Vec<_> = (0..2)
            .map(|_| {
                let t = s.clone();
                thread::spawn(move || t.visit())
            })
            .collect();
        s.visit();
        for other in others {
            other.join().unwrap();
        }
        s.entries.with(|e| assert_eq!(unsafe { *e }, 3));
    });
}

#[test]
fn two_sleepers_are_woken_one_after_the_other() {
    model(2, || {
        let s = Shared::new();
        s.lock.acquire_on(Model, FOREVER).unwrap();
        let others: Vec<_> = (0..2)
            .map(|_| {
                let t = s.clone();
                thread::spawn(move || t.visit())
            })
            .collect();
        s.lock.release_on(Model).unwrap();
        for other in others {
            assert_eq!(other.join().unwrap(), Outcome::Clean);
        }
    });
}

/// A releaser that woke nobody stalls before it clears the hint, while two others go to sleep.
#[test]
fn a_hint_cleared_late_strands_nobody() {
    model(2, || {
        let s = Shared::new();
        s.lock.acquire_on(Model, FOREVER).unwrap();
        s.lock.cell().word().fetch_or(WAITERS, Relaxed); // whoever set it has given up
        let others: Vec<_> = (0..3)
            .map(|_| {
                let t = s.clone();
                thread::spawn(move || {
                    // Nothing inside: this model is large as it is.
                    t.lock.acquire_on(Model, FOREVER).unwrap();
                    t.lock.release_on(Model).unwrap();
                })
            })
            .collect();
        s.lock.release_on(Model).unwrap();
        for other in others {
            other.join().unwrap();
        }
    });
}

/// The kernel alone tells the survivor: no tick unless the victim died with nothing in hand.
#[test]
fn a_victim_killed_anywhere_is_told_if_and_only_if_it_held() {
    killed_at_every_access(3, |n| {
        let s = Shared::new();
        let t = s.clone();
        let survivor = thread::spawn(move || t.visit());
        let mut marked = 0;
        let died = run_killed_at(n, || s.visit()).is_none();
        if died {
            marked = Model.bury(&[s.lock.cell()]);
            if marked == 0 {
                Model.tick(); // killed between giving the lock away and the wake
            }
        }
        let outcome = survivor.join().unwrap();
        assert!(outcome == Outcome::Clean || marked == 1, "told of a death that was none");
        // Whoever came first left the mark to the next.
        assert_eq!(marked == 1 && outcome == Outcome::Clean, s.word() & DIED != 0);
        died
    });
}

#[test]
fn a_woken_waiter_killed_anywhere_costs_the_others_a_tick_at_most() {
    killed_at_every_access(2, |n| {
        let s = Shared::new();
        s.lock.acquire_on(Model, FOREVER).unwrap();
        let (v, t) = (s.clone(), s.clone());
        let victim = thread::spawn(move || {
            let died = run_killed_at(n, || v.visit()).is_none();
            if died {
                Model.bury(&[v.lock.cell()]);
            }
            died
        });
        let survivor = thread::spawn(move || t.visit());
        s.lock.release_on(Model).unwrap();
        let died = victim.join().unwrap();
        if Model.sleepers(s.lock.cell().word()) > 0 {
            assert!(died, "a wake was lost");
            assert!(s.word() & WAITERS != 0, "no later release would wake the sleeper");
            Model.tick();
        }
        survivor.join().unwrap();
        died
    });
}

/// Holds the lock and is gone. `marked`: by the kernel.
fn dead_owner(s: &Shared, marked: bool) {
    s.lock.acquire_on(Model, FOREVER).unwrap();
    if marked {
        assert_eq!(Model.bury(&[s.lock.cell()]), 1);
    } else {
        Model.vanish();
    }
}

#[test]
fn a_release_unrepaired_is_seen_by_a_sleeper() {
    model(3, || {
        let s = Shared::new();
        dead_owner(&s, true);
        let others: Vec<_> = (0..2)
            .map(|_| {
                let t = s.clone();
                thread::spawn(move || match t.lock.acquire_on(Model, FOREVER) {
                    Ok(outcome) => {
                        assert_eq!(outcome, Outcome::OwnerDied);
                        t.section();
                        t.lock.release_on(Model).unwrap();
                        true
                    }
                    Err(error) => {
                        assert_eq!(error, Error::NotRecoverable);
                        false
                    }
                })
            })
            .collect();
        let got: usize = others.into_iter().map(|t| usize::from(t.join().unwrap())).sum();
        assert_eq!(got, 1);
        assert_eq!(s.lock.reset(), Ok(()));
        assert_eq!(s.visit(), Outcome::Clean);
    });
}

#[test]
fn a_release_unrepaired_wakes_every_sleeper() {
    model(2, || {
        let s = Shared::new();
        dead_owner(&s, true);
        assert_eq!(s.lock.acquire_on(Model, 0), Ok(Outcome::OwnerDied));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let t = s.clone();
                thread::spawn(move || t.lock.acquire_on(Model, FOREVER))
            })
            .collect();
        s.lock.release_on(Model).unwrap();
        for other in others {
            assert_eq!(other.join().unwrap(), Err(Error::NotRecoverable));
        }
    });
}

#[test]
fn reset_hands_the_repairs_to_the_next_owner() {
    model(3, || {
        let s = Shared::new();
        dead_owner(&s, true);
        s.lock.acquire_on(Model, FOREVER).unwrap();
        s.lock.release_on(Model).unwrap();
        let t = s.clone();
        let other = thread::spawn(move || {
            if t.lock.acquire_on(Model, FOREVER).is_ok() {
                t.section();
                t.lock.release_on(Model).unwrap();
            }
        });
        s.section(); // repairs what nobody can acquire
        s.lock.reset().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn reset_hands_on_what_the_last_owner_left() {
    model(3, || {
        let s = Shared::new();
        dead_owner(&s, true);
        let t = s.clone();
        let other = thread::spawn(move || {
            if t.lock.acquire_on(Model, 0).is_ok() {
                t.section();
                t.lock.release_on(Model).unwrap();
            }
        });
        Model.thread().unwrap(); // a new id: a system call, whose order must not help
        let _ = s.lock.reset();
        if s.lock.acquire_on(Model, 0).is_ok() {
            s.section();
            s.lock.release_on(Model).unwrap();
        }
        other.join().unwrap();
    });
}

/// Polls as a sleeper does whose ticks end: `Some` once it has the lock.
fn inherit(s: &Shared, tries: usize) -> Option<Outcome> {
    (0..tries).find_map(|_| s.lock.acquire_on(Model, 1).ok())
}

#[test]
fn of_two_heirs_of_an_unmarked_death_one_inherits() {
    model(3, || {
        let s = Shared::new();
        dead_owner(&s, false);
        let t = s.clone();
        let heir = |s: &Shared| match inherit(s, 1) {
            Some(outcome) => {
                s.section();
                if outcome == Outcome::OwnerDied {
                    s.lock.mark_consistent_on(Model).unwrap();
                }
                s.lock.release_on(Model).unwrap();
                Some(outcome)
            }
            None => None,
        };
        let other = thread::spawn(move || heir(&t));
        let both = [heir(&s), other.join().unwrap()];
        assert_eq!(both.iter().filter(|o| **o == Some(Outcome::OwnerDied)).count(), 1, "{both:?}");
    });
}

#[test]
fn an_undertaker_killed_anywhere_is_buried_by_the_next() {
    killed_at_every_access(3, |n| {
        let s = Shared::new();
        dead_owner(&s, false);
        let t = s.clone();
        let other = thread::spawn(move || {
            let got = inherit(&t, 1);
            if got.is_some() {
                t.section();
                t.lock.mark_consistent_on(Model).unwrap();
                t.lock.release_on(Model).unwrap();
            }
            got
        });
        let repaired = std::cell::Cell::new(false);
        let first = run_killed_at(n, || {
            if inherit(&s, 1).is_some() {
                s.section();
                s.lock.mark_consistent_on(Model).unwrap();
                repaired.set(true);
                s.lock.release_on(Model).unwrap();
            }
        });
        if first.is_none() {
            Model.bury(&[s.lock.cell()]);
        }
        let second = other.join().unwrap();
        // Somebody who comes later gets it in any case; told, unless a survivor has repaired it.
        let third = inherit(&s, 1).expect("stuck");
        assert!(repaired.get() || second.is_some() || third == Outcome::OwnerDied);
        first.is_none()
    });
}

/// An undertaker that judged, and stalls, must not take the lock from a namesake of the dead owner.
#[test]
fn a_stalled_undertaker_does_not_rob_a_namesake() {
    model(3, || {
        let s = Shared::new();
        dead_owner(&s, false);
        let namesake = s.word() & OWNER;
        let t = s.clone();
        let other = thread::spawn(move || {
            if inherit(&t, 1).is_some() {
                t.section();
                t.lock.mark_consistent_on(Model).unwrap();
                t.lock.release_on(Model).unwrap();
            }
        });
        if inherit(&s, 1).is_some() {
            s.section();
            s.lock.mark_consistent_on(Model).unwrap();
            s.lock.release_on(Model).unwrap();
            Model.vanish();
            Model.reincarnate(namesake);
            if s.lock.acquire_on(Model, 0).is_ok() {
                s.lock.cell().word().fetch_or(WAITERS, Relaxed); // a third party goes to sleep
                s.section();
                s.lock.release_on(Model).unwrap();
            }
        }
        other.join().unwrap();
    });
}

/// The same after a predecessor that released and died later.
#[test]
fn a_namesake_that_acquires_a_free_lock_does_not_look_dead() {
    model(3, || {
        let s = Shared::new();
        let t = s.clone();
        let other = thread::spawn(move || {
            if inherit(&t, 1).is_some() {
                t.section();
                t.lock.release_on(Model).unwrap();
            }
        });
        let id = Model.thread().unwrap().id();
        if s.lock.acquire_on(Model, 0).is_ok() {
            s.lock.release_on(Model).unwrap();
        }
        Model.vanish();
        Model.reincarnate(id);
        if s.lock.acquire_on(Model, 0).is_ok() {
            s.section();
            s.lock.release_on(Model).unwrap();
        }
        other.join().unwrap();
    });
}

/// A namesake that inherits from its dead predecessor is in flux for a moment: it must not look dead.
#[test]
fn a_namesake_that_inherits_does_not_look_dead() {
    model(3, || {
        let s = Shared::new();
        dead_owner(&s, false);
        let namesake = s.word() & OWNER;
        // Marked late: the tag of the dead is still there.
        s.lock.cell().word().store(DIED | WAITERS, Relaxed);
        let t = s.clone();
        let other = thread::spawn(move || {
            if inherit(&t, 1).is_some() {
                t.section();
                t.lock.mark_consistent_on(Model).unwrap();
                t.lock.release_on(Model).unwrap();
            }
        });
        Model.reincarnate(namesake);
        if inherit(&s, 1).is_some() {
            s.section();
            s.lock.mark_consistent_on(Model).unwrap();
            s.lock.release_on(Model).unwrap();
        }
        other.join().unwrap();
    });
}
