//! Models of `Semaphore` (plain) and of `TrackedSemaphore`: every interleaving within the preemption bound
//! stated, and every point at which an acquirer, a releaser or a recoverer can be killed.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_semaphore --target-dir target/loom`
//!
//! Each line was tried once, and the model named (among others) failed:
//!
//! | weakened in `src/semaphore.rs` (and `src/wait.rs`) | fails |
//! |---|---|
//! | `take`: Acquire -> Relaxed | `plain_an_acquirer_sees_what_the_releaser_wrote` |
//! | `release`: SeqCst -> Acquire | `plain_an_acquirer_sees_what_the_releaser_wrote` |
//! | no fence in `prepare`, or in `notify_many` | `a_permit_given_back_is_seen_or_a_sleeper_is_woken` |
//! | `release(n)` wakes one, or nobody | `plain_a_release_of_two_is_seen_or_two_sleepers_are_woken` |
//! | `release` adds what it checked before | `plain_releases_beyond_the_bound_change_nothing` |
//!
//! | weakened in `src/permits.rs` | fails |
//! |---|---|
//! | `take`: AcqRel -> Release | `the_next_holder_sees_what_a_dead_one_wrote` |
//! | `take`: AcqRel -> Acquire | `a_late_recoverer_does_not_rob_the_ids_next_holder` |
//! | `release_token`: SeqCst -> Acquire | `the_next_holder_sees_what_the_last_one_wrote` |
//! | `release_token`, `sweep` wake nobody | `a_permit_given_back_is_...`, `a_member_that_leaves_...` |
//! | `release_token` stores instead | `a_permit_comes_back_once_of_a_release_and_two_recoveries` |
//! | `sweep`: load Acquire -> Relaxed | `a_late_recoverer_does_not_rob_the_ids_next_holder` |
//! | `sweep`: CAS SeqCst -> Relaxed | `the_next_holder_sees_what_a_dead_one_wrote` |
//! | `sweep` does not ask whether the member is dying | `a_late_recoverer_does_not_rob_the_ids_next_holder` |
//! | a permit given back has the generation it had | `a_permit_comes_back_once_of_a_release_and_two_recoveries` |
//!
//! Not shown: SeqCst against AcqRel, see `loom_wait`.
#![cfg(rialto_loom)]

mod models;

use loom::{cell::UnsafeCell, sync::Arc, thread, thread::yield_now};
use models::{Finished, Object, World, killed_at_every_access, leave, model, spawn, spawn_victim};
use rialto::{
    Error, Recovered, Semaphore,
    member::{Incarnation, MemberId},
    permits::{self, TrackedSemaphore},
    sync::{AtomicU64, Ordering::*, fuel::run_killed_at},
    sys::model::Model,
    time::FOREVER,
    wait::EventCount,
};

/// What the permits guard. loom reports any unordered access.
struct Guarded(UnsafeCell<u32>);

// SAFETY: loom's UnsafeCell reports the accesses that the semaphore does not order.
unsafe impl Sync for Guarded {}
unsafe impl Send for Guarded {}

impl Guarded {
    fn new() -> Guarded {
        Guarded(UnsafeCell::new(0))
    }
    fn add(&self) {
        // SAFETY: loom checks that nobody else is here.
        self.0.with_mut(|n| unsafe { *n += 1 });
    }
    fn get(&self) -> u32 {
        // SAFETY: as above.
        self.0.with(|n| unsafe { *n })
    }
}

mod plain {
    use super::*;

    struct Shared {
        semaphore: Semaphore,
        guarded: Guarded,
        finished: Finished,
    }

    impl Shared {
        fn new(semaphore: Semaphore) -> Arc<Shared> {
            Arc::new(Shared { semaphore, guarded: Guarded::new(), finished: Finished::new() })
        }

        fn acquire(&self) {
            self.semaphore.acquire_on(Model, FOREVER).unwrap();
            self.finished.add();
        }

        fn release(&self, n: u32) {
            self.semaphore.release_on(Model, n).unwrap();
        }

        /// With the one permit there is.
        fn visit(&self) {
            self.semaphore.acquire_on(Model, FOREVER).unwrap();
            self.guarded.add();
            self.release(1);
        }
    }

    fn spawn<R: 'static>(s: &Arc<Shared>, f: impl FnOnce(&Shared) -> R + 'static) -> thread::JoinHandle<R> {
        let s = s.clone();
        thread::spawn(move || f(&s))
    }

    /// Killed at its access `n`: true. Then somebody else goes on in its thread.
    fn spawn_victim(
        s: &Arc<Shared>,
        n: u32,
        f: impl FnOnce(&Shared) + 'static,
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
    fn plain_an_acquirer_sees_what_the_releaser_wrote() {
        model(4, || {
            let s = Shared::new(Semaphore::new(0));
            let acquirer = spawn(&s, |s| {
                s.acquire();
                assert_eq!(s.guarded.get(), 1);
            });
            let releaser = spawn(&s, |s| {
                s.guarded.add();
                s.release(1);
            });
            acquirer.join().unwrap();
            releaser.join().unwrap();
        });
    }

    #[test]
    fn plain_holders_of_the_one_permit_exclude_each_other_and_lose_no_wake() {
        model(3, || {
            let s = Shared::new(Semaphore::bounded(1));
            let threads = [(); 2].map(|()| spawn(&s, |s| (s.visit(), s.visit())));
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!((s.guarded.get(), s.semaphore.value()), (4, 1));
        });
    }

    #[test]
    fn plain_a_release_of_two_is_seen_or_two_sleepers_are_woken() {
        model(2, || {
            let s = Shared::new(Semaphore::new(0));
            let threads =
                [spawn(&s, Shared::acquire), spawn(&s, Shared::acquire), spawn(&s, |s| s.release(2))];
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(s.semaphore.value(), 0);
        });
    }

    #[test]
    fn plain_releases_beyond_the_bound_change_nothing() {
        model(4, || {
            let s = Shared::new(Semaphore::bounded(2));
            s.semaphore.acquire_on(Model, 0).unwrap();
            let threads = [(); 2].map(|()| spawn(&s, |s| s.semaphore.release_on(Model, 1)));
            let results = threads.map(|thread| thread.join().unwrap());
            assert!(results.contains(&Ok(())) && results.contains(&Err(Error::Overflow)), "{results:?}");
            assert_eq!(s.semaphore.value(), 2);
        });
    }

    /// It had a permit or it had not; in the first case, that one is gone with it. What woke it without its
    /// taking anything reaches the other within a tick.
    #[test]
    fn plain_an_acquirer_killed_anywhere_takes_one_permit_or_none() {
        killed_at_every_access(8, 1, |n| {
            let s = Shared::new(Semaphore::new(0));
            let victim = spawn_victim(&s, n, |s| s.semaphore.acquire_on(Model, FOREVER).unwrap(), |_| {});
            let survivor = spawn(&s, Shared::acquire);
            let releaser = spawn(&s, |s| (s.release(1), s.release(1)));
            releaser.join().unwrap();
            let killed = victim.join().unwrap();
            if killed {
                s.finished.tick_until(1);
            }
            survivor.join().unwrap();
            assert!(s.semaphore.value() <= u32::from(killed), "a permit too many");
            killed
        });
    }

    #[test]
    fn plain_a_releaser_killed_anywhere_has_given_all_or_nothing() {
        killed_at_every_access(6, 1, |n| {
            let s = Shared::new(Semaphore::new(0));
            let waiters = [spawn(&s, Shared::acquire), spawn(&s, Shared::acquire)];
            let victim = spawn_victim(
                &s,
                n,
                |s| s.release(2),
                move |s| {
                    // Its accesses: magic, bound, count, and the fourth publishes.
                    if n < 4 {
                        s.release(2);
                    } else {
                        s.finished.tick_until(2);
                    }
                },
            );
            for waiter in waiters {
                waiter.join().unwrap();
            }
            let killed = victim.join().unwrap();
            assert_eq!(s.semaphore.value(), 0);
            killed
        });
    }
}

struct Permits {
    event: EventCount,
    words: Vec<AtomicU64>,
    guarded: Guarded,
}

impl Object for Permits {
    fn sweep(w: &World<Permits>, dead: Incarnation, is_dying: &dyn Fn() -> bool) -> (Recovered, bool) {
        semaphore(w).sweep(dead, is_dying)
    }
}

type Holders = World<Permits>;

fn semaphore(w: &Holders) -> TrackedSemaphore<'_, Holders> {
    TrackedSemaphore::over(w, &w.object.event, &w.object.words)
}

fn new(permits: usize, members: u16) -> Arc<Holders> {
    let words: Vec<_> = (0..permits).map(|_| AtomicU64::new(0)).collect();
    permits::format(&words);
    World::new(members, Permits { event: EventCount::new(), words, guarded: Guarded::new() })
}

/// With the one permit there is.
fn visit(w: &Holders) {
    let permit = semaphore(w).acquire().unwrap();
    w.object.guarded.add();
    permit.release().expect("the living were robbed");
    w.finished.add();
}

/// How often the first permit was given back.
fn generation(w: &Holders) -> u64 {
    w.object.words[0].load(Relaxed) >> 28
}

/// Whatever the dead had is found now, and all permits are there.
fn finish(w: &Holders) {
    w.recover();
    assert_eq!(semaphore(w).value(), semaphore(w).bound());
}

#[test]
fn the_next_holder_sees_what_the_last_one_wrote() {
    model(3, || {
        let w = new(1, 2);
        let holders = [1, 2].map(|id| spawn(&w, id, |w| (visit(w), visit(w))));
        for holder in holders {
            holder.join().unwrap();
        }
        assert_eq!((w.object.guarded.get(), generation(&w)), (4, 4));
        finish(&w);
    });
}

#[test]
fn a_permit_given_back_is_seen_or_a_sleeper_is_woken() {
    model(2, || {
        let w = new(1, 3);
        let holders = [1, 2, 3].map(|id| spawn(&w, id, visit));
        for holder in holders {
            holder.join().unwrap();
        }
        assert_eq!((w.object.guarded.get(), generation(&w)), (3, 3));
        finish(&w);
    });
}

#[test]
fn of_two_permits_each_is_held_once() {
    model(2, || {
        let w = new(2, 3);
        let holders = [1, 2, 3].map(|id| {
            spawn(&w, id, move |w| {
                let permit = semaphore(w).try_acquire().map(|permit| permit.into_token());
                if let Ok(token) = permit {
                    assert_eq!(token >> 16 & 0xfff, u64::from(id));
                }
                permit
            })
        });
        let mut tokens: Vec<_> =
            holders.into_iter().filter_map(|holder| holder.join().unwrap().ok()).collect();
        assert_eq!((tokens.len(), semaphore(&w).value()), (2, 0));
        tokens.dedup_by_key(|token| *token & 0xffff);
        assert_eq!(tokens.len(), 2, "one permit twice");
    });
}

/// Member 1 is dead with the one permit, after writing; the kernel has marked it. Its token.
fn with_a_dead_holder(members: u16) -> (Arc<Holders>, u64) {
    let w = new(1, members);
    let dead = spawn(&w, 1, |w| {
        let token = semaphore(w).acquire().unwrap().into_token();
        w.object.guarded.add();
        w.die();
        token
    });
    let token = dead.join().unwrap();
    (w, token)
}

#[test]
fn the_next_holder_sees_what_a_dead_one_wrote() {
    model(3, || {
        let w = new(1, 2);
        let dead = spawn(&w, 1, |w| {
            let permit = semaphore(w).try_acquire();
            if let Ok(permit) = permit {
                w.object.guarded.add();
                permit.into_token();
            }
            w.die();
        });
        let recoverer = spawn(&w, 0, World::recover);
        let next = spawn(&w, 2, |w| {
            let permit = semaphore(w).try_acquire();
            if let Ok(permit) = permit {
                w.object.guarded.add();
                permit.release().unwrap();
            }
        });
        next.join().unwrap();
        dead.join().unwrap();
        recoverer.join().unwrap();
        finish(&w);
    });
}

#[test]
fn a_permit_comes_back_once_of_a_release_and_two_recoveries() {
    model(2, || {
        let (w, token) = with_a_dead_holder(1);
        let releaser = spawn(&w, 0, move |w| semaphore(w).release_token(token));
        let recoverers = [(); 2].map(|()| spawn(&w, 0, |w| w.recover().permits));
        let released = releaser.join().unwrap();
        assert!(matches!(released, Ok(()) | Err(Error::NotOwner)), "{released:?}");
        let recovered: u32 = recoverers.map(|recoverer| recoverer.join().unwrap()).iter().sum();
        assert_eq!(u32::from(released.is_ok()) + recovered, 1);
        assert_eq!(generation(&w), 1);
        assert_eq!(semaphore(&w).release_token(token), Err(Error::NotOwner));
        finish(&w);
    });
}

#[test]
fn a_permit_recovered_is_seen_or_a_sleeper_is_woken() {
    // The waiters recover too, but one of them may be asleep when the other's recovery is over.
    model(1, || {
        let (w, _) = with_a_dead_holder(3);
        let waiters = [2, 3].map(|id| spawn(&w, id, visit));
        let recoverer = spawn(&w, 0, World::recover);
        for waiter in waiters {
            waiter.join().unwrap();
        }
        recoverer.join().unwrap();
        assert_eq!((w.object.guarded.get(), generation(&w)), (3, 3));
        finish(&w);
    });
}

/// With and without a yield in the recoverer: with it loom tries more orders, without it older values.
#[test]
fn a_late_recoverer_does_not_rob_the_ids_next_holder() {
    for pause in [yield_now, || {}] {
        model(3, move || {
            let (w, _) = with_a_dead_holder(1);
            let late = spawn(&w, 0, move |w| w.recover_by(pause));
            // Joins, with the dead one's id.
            let next = spawn(&w, 0, |w| {
                w.recover();
                let permit = semaphore(w).acquire().unwrap();
                assert_eq!(permit_owner(w), 1, "it got another id, and the model shows nothing");
                permit.release().expect("the living were robbed");
                leave(w, 1).unwrap();
            });
            next.join().unwrap();
            late.join().unwrap();
            assert_eq!(generation(&w), 2);
            finish(&w);
        });
    }
}

fn permit_owner(w: &Holders) -> MemberId {
    (w.object.words[0].load(Relaxed) >> 16 & 0xfff) as MemberId
}

#[test]
fn a_member_that_leaves_with_a_permit_gives_it_back_once() {
    model(2, || {
        let w = new(1, 2);
        let leaver = spawn(&w, 1, |w| {
            let token = semaphore(w).acquire().unwrap().into_token();
            w.object.guarded.add();
            leave(w, 1).unwrap();
            assert_eq!(semaphore(w).release_token(token), Err(Error::NotOwner));
        });
        let next = spawn(&w, 2, visit);
        leaver.join().unwrap();
        next.join().unwrap();
        assert_eq!((w.object.guarded.get(), generation(&w)), (2, 2));
        finish(&w);
    });
}

#[test]
fn a_holder_killed_anywhere_gives_its_permit_back_once_within_a_tick() {
    killed_at_every_access(6, 2, |n| {
        let w = new(1, 2);
        let victim = spawn_victim(&w, 1, n, visit, |w| w.finished.tick_until(2));
        let survivor = spawn(&w, 2, |w| (visit(w), visit(w)));
        survivor.join().unwrap();
        let killed = victim.join().unwrap();
        finish(&w);
        let held = 2 + u64::from(w.object.guarded.get() > 2);
        assert!((held..=3).contains(&generation(&w)), "a permit came back twice");
        killed
    });
}

#[test]
fn a_recoverer_killed_anywhere_is_followed_by_another() {
    killed_at_every_access(8, 2, |n| {
        let (w, _) = with_a_dead_holder(2);
        let victim = spawn_victim(&w, 0, n, World::recover, |_| {});
        // It recovers before it sleeps, so no tick is needed.
        let waiter = spawn(&w, 2, visit);
        waiter.join().unwrap();
        let killed = victim.join().unwrap();
        finish(&w);
        assert_eq!(generation(&w), 2);
        killed
    });
}

/// The sweep itself, of a member whose recovery was begun.
#[test]
fn a_sleeper_is_not_forgotten_by_a_recoverer_killed_anywhere() {
    killed_at_every_access(8, 1, |n| {
        let w = new(1, 2);
        let dead = spawn(&w, 1, |w| {
            semaphore(w).acquire().unwrap().into_token();
        });
        dead.join().unwrap();
        let waiter = spawn(&w, 2, visit);
        let victim = spawn(&w, 1, move |w| {
            w.die(); // the member is; the thread goes on as its recoverer
            let killed = run_killed_at(n, || w.recover()).is_none();
            if killed {
                w.die();
            }
            // The waiter looked before the death, and sleeps.
            w.finished.tick_until(1);
            killed
        });
        waiter.join().unwrap();
        let killed = victim.join().unwrap();
        finish(&w);
        assert_eq!(generation(&w), 2);
        killed
    });
}
