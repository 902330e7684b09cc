//! Models of the eventcount: a wake-up that is lost shows as a deadlock.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_wait --target-dir target/loom`
//!
//! Each line was tried once, and the model named (among others) failed:
//!
//! | weakened in `src/wait.rs` | fails |
//! |---|---|
//! | no fence in `prepare` | `a_publication_is_seen_or_the_sleeper_is_woken` |
//! | no fence in `notify` (in models: stands for SeqCst) | `a_publication_is_seen_or_the_sleeper_is_woken` |
//! | the same in `notify_all` | `notify_all_wakes_everybody` |
//! | a wake does not bump the generation | `a_publication_is_seen_or_the_sleeper_is_woken` |
//! | `prepare` does not | `clearing_the_bit_does_not_hide_a_sleeper_who_comes` |
//! | the bit cleared although somebody was woken | `two_publications_wake_two_sleepers` |
//! | the bit cleared although the word has changed | `clearing_the_bit_does_not_hide_a_sleeper_who_comes` |
//! | `notify_many` wakes one | `a_publication_of_two_wakes_two_sleepers` |
//! | no fence in `notify_all_onto` | `a_sleeper_is_moved_or_turned_back` |
//! | a move does not bump the generation | `a_sleeper_is_moved_or_turned_back` |
//! | a move that was refused is given up | `two_sleepers_are_moved_or_turned_back` |
//! | `block` does not look between `prepare` and the sleep | `whoever_blocks_sees_a_publication_or_is_woken` |
//!
//! Not shown: that the accesses to the word are SeqCst themselves. loom treats SeqCst accesses as
//! acquire/release, and the fences above stand in for it.
#![cfg(rialto_loom)]

use loom::{
    model::Builder,
    sync::{Arc, atomic::AtomicBool},
    thread,
};
use rialto::{
    Error,
    sync::{AtomicU32, Ordering::*, fuel::run_killed_at},
    sys::{Platform, model::Model},
    time::Deadline,
    wait::EventCount,
};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst as STD};

/// A counter of permits, and who waits for one.
struct Permits {
    count: AtomicU32,
    event: EventCount,
}

impl Permits {
    fn new() -> Arc<Permits> {
        Arc::new(Permits { count: AtomicU32::new(0), event: EventCount::new() })
    }

    fn put(&self) {
        self.count.fetch_add(1, SeqCst);
        self.event.notify(Model);
    }

    fn try_take(&self) -> bool {
        let mut count = self.count.load(Relaxed);
        while count > 0 {
            match self.count.compare_exchange(count, count - 1, SeqCst, Relaxed) {
                Ok(_) => return true,
                Err(now) => count = now,
            }
        }
        false
    }

    fn take(&self) {
        while !self.try_take() {
            let ticket = self.event.prepare();
            if self.try_take() {
                return;
            }
            self.event.wait(Model, ticket, Deadline::NEVER);
        }
    }

    /// Until there is one.
    fn see(&self) {
        while self.count.load(Relaxed) == 0 {
            let ticket = self.event.prepare();
            if self.count.load(Relaxed) != 0 {
                break;
            }
            self.event.wait(Model, ticket, Deadline::NEVER);
        }
    }
}

/// A participant. The main thread of a model only spawns and joins (but in the largest models, where it is one of
/// several that put): loom 0.7 hardly ever preempts it before its first accesses.
fn spawn<R: 'static>(
    permits: &Arc<Permits>,
    f: impl FnOnce(&Permits) -> R + 'static,
) -> thread::JoinHandle<R> {
    let permits = permits.clone();
    thread::spawn(move || f(&permits))
}

fn join<const N: usize>(threads: [thread::JoinHandle<()>; N]) {
    for thread in threads {
        thread.join().unwrap();
    }
}

fn model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(f);
}

#[test]
fn a_publication_is_seen_or_the_sleeper_is_woken() {
    model(5, || {
        let p = Permits::new();
        let sleeper = spawn(&p, |p| p.take());
        let notifier = spawn(&p, |p| p.put());
        notifier.join().unwrap();
        sleeper.join().unwrap();
    });
}

#[test]
fn two_publications_wake_two_sleepers() {
    model(2, || {
        let p = Permits::new();
        let sleepers = [(); 2].map(|()| spawn(&p, |p| p.take()));
        let notifier = spawn(&p, |p| {
            p.put();
            p.put();
        });
        notifier.join().unwrap();
        join(sleepers);
    });
}

#[test]
fn two_notifiers_at_once_wake_two_sleepers() {
    model(2, || {
        let p = Permits::new();
        let threads =
            [true, false, false].map(|puts| spawn(&p, move |p| if puts { p.put() } else { p.take() }));
        p.put();
        join(threads);
    });
}

/// The bit is there although nobody sleeps: the notifier that finds so clears it, while somebody
/// comes to sleep.
#[test]
fn clearing_the_bit_does_not_hide_a_sleeper_who_comes() {
    model(3, || {
        let p = Permits::new();
        let _ = p.event.prepare(); // a sleeper that found what it wanted
        let sleeper = spawn(&p, |p| {
            p.take();
            p.take();
        });
        let notifier = spawn(&p, |p| {
            p.put();
            p.put();
        });
        notifier.join().unwrap();
        sleeper.join().unwrap();
    });
}

#[test]
fn notify_all_wakes_everybody() {
    model(2, || {
        let p = Permits::new();
        let sleepers = [(); 2].map(|()| spawn(&p, |p| p.see()));
        let notifier = spawn(&p, |p| {
            p.count.fetch_add(1, SeqCst);
            p.event.notify_all(Model);
        });
        notifier.join().unwrap();
        join(sleepers);
    });
}

/// A sleeper killed anywhere swallows at most the wake that it was given: after a tick the others have
/// everything. What it took before it died stays taken.
#[test]
fn a_killed_sleeper_costs_the_others_a_tick_at_most() {
    for n in 0.. {
        assert!(n < 50, "the victim never finishes");
        let deaths = std::sync::Arc::new(AtomicUsize::new(0));
        let count = deaths.clone();
        model(2, move || {
            let p = Permits::new();
            let victim = spawn(&p, move |p| {
                let dead = run_killed_at(n, || p.take()).is_none();
                if dead {
                    Model.bury(&[]);
                    Model.tick();
                }
                dead
            });
            let survivor = spawn(&p, |p| p.take());
            p.put();
            p.put();
            if victim.join().unwrap() {
                count.fetch_add(1, STD);
            }
            survivor.join().unwrap();
        });
        if deaths.load(STD) == 0 {
            assert!(n > 3, "too few kill points: {n}");
            println!("{n} kill points");
            return;
        }
    }
}

/// The same for a notifier: published, and nobody told.
#[test]
fn a_killed_notifier_costs_the_others_a_tick_at_most() {
    for n in 0..8 {
        model(3, move || {
            let p = Permits::new();
            let done = Arc::new(AtomicBool::new(false));
            let set = done.clone();
            let sleeper = spawn(&p, move |p| {
                p.take();
                set.store(true, SeqCst);
            });
            let victim = spawn(&p, move |p| {
                if run_killed_at(n, || p.put()).is_some() {
                    return;
                }
                Model.bury(&[]);
                if n == 0 {
                    p.put(); // it had not published: somebody else does
                } else {
                    // The sleeper may have looked already and fall asleep after this tick: the next.
                    while !done.load(SeqCst) {
                        Model.tick();
                        thread::yield_now();
                    }
                }
            });
            victim.join().unwrap();
            sleeper.join().unwrap();
        });
    }
}

#[test]
fn a_publication_of_two_wakes_two_sleepers() {
    model(2, || {
        let p = Permits::new();
        let sleepers = [(); 2].map(|()| spawn(&p, |p| p.take()));
        let notifier = spawn(&p, |p| {
            p.count.fetch_add(2, SeqCst);
            p.event.notify_many(Model, 2);
        });
        notifier.join().unwrap();
        join(sleepers);
    });
}

/// Those who were asleep are moved, and woken where they sleep then; who was about to sleep is turned back.
/// One who prepares meanwhile makes the kernel refuse the move.
fn moved(preemptions: usize, sleepers: usize) {
    model(preemptions, move || {
        let p = Permits::new();
        let to = Arc::new(AtomicU32::new(0));
        let sleepers: Vec<_> = (0..sleepers).map(|_| spawn(&p, |p| p.see())).collect();
        let there = to.clone();
        let mover = spawn(&p, move |p| {
            p.count.fetch_add(1, SeqCst);
            p.event.notify_all_onto(Model, &there, || 0);
            Model.wake(&there, u32::MAX);
        });
        mover.join().unwrap();
        for sleeper in sleepers {
            sleeper.join().unwrap();
        }
    });
}

#[test]
fn a_sleeper_is_moved_or_turned_back() {
    moved(5, 1);
}

#[test]
fn two_sleepers_are_moved_or_turned_back() {
    moved(2, 2);
}

#[test]
fn whoever_blocks_sees_a_publication_or_is_woken() {
    model(4, || {
        let p = Permits::new();
        let sleeper = spawn(&p, |p| {
            let take = || p.try_take().then_some(7).ok_or(Error::WouldBlock);
            assert_eq!(p.event.block(Model, Model::TICK_NS, Deadline::NEVER, |_| {}, take), Ok(7));
        });
        let notifier = spawn(&p, |p| p.put());
        sleeper.join().unwrap();
        notifier.join().unwrap();
    });
}

/// Nothing is lost of what came when it gave up.
#[test]
fn whoever_blocks_too_long_has_taken_nothing() {
    model(3, || {
        let p = Permits::new();
        let threads = [Deadline(10), Deadline::NEVER].map(|deadline| {
            spawn(&p, move |p| {
                let take = || p.try_take().then_some(()).ok_or(Error::WouldBlock);
                let result = p.event.block(Model, Model::TICK_NS, deadline, |_| {}, take);
                if result == Ok(()) && deadline != Deadline::NEVER {
                    p.put(); // for the other
                }
                result
            })
        });
        p.put();
        let [hasty, patient] = threads.map(|t| t.join().unwrap());
        assert!(matches!(hasty, Ok(()) | Err(Error::TimedOut)), "{hasty:?}");
        assert_eq!(patient, Ok(()));
        assert_eq!(p.count.load(Relaxed), 0);
    });
}
