//! Models of `shadow`'s control: writers one after the other, one of them killed at each of its accesses, and
//! readers who must never see half of anything.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_shadow --target-dir target/loom`
//!
//! Each line was tried once, alone:
//!
//! | weakened or broken | fails |
//! |---|---|
//! | no fence in `begin` | two_writers_in_turn_and_a_reader |
//! | `publish` Relaxed, or no fence behind it | all |
//! | the first look at `seq` in `read` Relaxed, or no fence before the second | all |
//! | `begin` does not say so in `drafting` | killed_anywhere.. |
//! | `published` always 0 | all |
//!
//! No model fails for `end` Relaxed: what it orders is one thread's stores under a kill, which loom does not reorder.
#![cfg(rialto_loom)]

mod models;

use loom::{sync::Arc, thread};
use models::{killed_at_every_access, model};
use rialto::{
    shadow::Control,
    sync::{AtomicU32, Ordering::*, fuel::run_killed_at},
};

/// A state of two words, which are always equal.
struct Pair {
    control: Control,
    copies: [[AtomicU32; 2]; 2],
    /// The lock: whose turn it is to write. A kernel hands a dead owner's on.
    turn: AtomicU32,
}

impl Pair {
    fn new() -> Arc<Pair> {
        let zero = || [AtomicU32::new(0), AtomicU32::new(0)];
        Arc::new(Pair { control: Control::new(), copies: [zero(), zero()], turn: AtomicU32::new(0) })
    }

    fn draft(&self) -> &[AtomicU32; 2] {
        &self.copies[self.control.published() ^ 1]
    }

    fn put(&self, value: u32) {
        self.draft().iter().for_each(|word| word.store(value, Relaxed));
    }

    /// As `Shadow::update`.
    fn write(&self, value: u32) {
        self.control.begin();
        self.put(value);
        self.control.publish();
        self.put(value);
        self.control.end();
    }

    /// As `Shadow::acquire`, behind somebody's death.
    fn repair(&self) {
        if self.control.is_drafting() {
            self.control.begin();
            let published = &self.copies[self.control.published()];
            for (from, to) in published.iter().zip(self.draft()) {
                to.store(from.load(Relaxed), Relaxed);
            }
            self.control.end();
        }
        let [one, two] = &self.copies;
        assert!(one.iter().zip(two).all(|(a, b)| a.load(Relaxed) == b.load(Relaxed)), "not repaired");
    }

    fn read(&self) -> Option<u32> {
        let (first, second) = self.control.read(|which| {
            let [first, second] = &self.copies[which];
            (first.load(Relaxed), second.load(Relaxed))
        })?;
        assert_eq!(first, second, "half of a state");
        Some(first)
    }

    /// What a reader sees never goes back.
    fn read_twice(&self) {
        if let (Some(first), Some(second)) = (self.read(), self.read()) {
            assert!(first <= second, "{first}, then {second}");
        }
    }

    fn wait_for_turn(&self, turn: u32) {
        while self.turn.load(Acquire) != turn {
            thread::yield_now();
        }
    }
}

#[test]
fn a_reader_sees_whole_states_in_order() {
    model(3, || {
        let pair = Pair::new();
        let (one, two) = (pair.clone(), pair.clone());
        let writer = thread::spawn(move || {
            one.write(1);
            one.write(2);
        });
        let reader = thread::spawn(move || two.read_twice());
        writer.join().unwrap();
        reader.join().unwrap();
        assert_eq!(pair.read(), Some(2), "nobody disturbs");
    });
}

#[test]
fn two_writers_in_turn_and_a_reader() {
    model(2, || {
        let pair = Pair::new();
        let (one, two, three) = (pair.clone(), pair.clone(), pair.clone());
        let first = thread::spawn(move || {
            one.write(1);
            one.turn.store(1, Release);
        });
        let second = thread::spawn(move || {
            two.wait_for_turn(1);
            two.write(2);
        });
        let reader = thread::spawn(move || three.read_twice());
        for thread in [first, second, reader] {
            thread.join().unwrap();
        }
        assert_eq!(pair.read(), Some(2));
    });
}

#[test]
fn killed_anywhere_a_writer_leaves_the_old_state_or_the_new() {
    killed_at_every_access(9, 3, |n| {
        let pair = Pair::new();
        let (one, two) = (pair.clone(), pair.clone());
        let writer = thread::spawn(move || {
            let died = run_killed_at(n, || one.write(1)).is_none();
            // The lock's next owner; that it comes behind the dead one is the lock's to see to.
            one.repair();
            let left = one.read().expect("nobody else writes");
            assert!(left <= 1 && (died || left == 1));
            one.write(2);
            died
        });
        let reader = thread::spawn(move || two.read_twice());
        reader.join().unwrap();
        let died = writer.join().unwrap();
        assert_eq!(pair.read(), Some(2));
        died
    });
}
