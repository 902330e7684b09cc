//! `Lock` and `RLock`: one inside at a time; whoever follows a dead owner is told. A pair of numbers that are
//! equal whenever nobody is inside, and were not left half-way by a death, says so.

use super::{Crew, Game, Random, Worker, place};
use rialto::{Error, Lock, Lockable, Outcome, RLock, sys::Os};
use std::sync::atomic::{AtomicU64, Ordering::*};

/// A lock of either kind, made in place.
pub trait Kind: Lockable + Sized + 'static {
    /// How deep it may be held.
    const DEPTH: u64;
    fn make() -> &'static Self;
    fn depth(&self) -> u64;
}

impl Kind for Lock {
    const DEPTH: u64 = 1;
    fn make() -> &'static Lock {
        let lock = place::<Lock>();
        // SAFETY: fresh memory, 64-aligned (a page), for ever.
        unsafe { Lock::init(std::ptr::from_ref(lock).cast_mut()) };
        lock
    }
    fn depth(&self) -> u64 {
        u64::from(self.is_mine())
    }
}

impl Kind for RLock {
    const DEPTH: u64 = 4;
    fn make() -> &'static RLock {
        let lock = place::<RLock>();
        // SAFETY: fresh memory, 64-aligned (a page), for ever.
        unsafe { RLock::init(std::ptr::from_ref(lock).cast_mut()) };
        lock
    }
    fn depth(&self) -> u64 {
        self.recursion().into()
    }
}

pub struct Till<L: Kind> {
    lock: &'static L,
    book: &'static Book,
}

struct Book {
    pair: [AtomicU64; 2],
    /// Who is inside.
    inside: AtomicU64,
    told: AtomicU64,
}

impl<L: Kind> Till<L> {
    pub fn new() -> Self {
        Till { lock: L::make(), book: place() }
    }

    fn enter(&self, me: Worker) {
        assert_eq!(
            self.book.inside.swap(me.who, Relaxed),
            0,
            "two inside, or a death that nobody was told of"
        );
    }

    fn leave(&self, me: Worker) {
        assert_eq!(self.book.inside.swap(0, Relaxed), me.who, "two inside");
    }

    /// A half turn counts as a whole one.
    fn repair(&self) {
        let pair = &self.book.pair;
        let most = pair[0].load(Relaxed).max(pair[1].load(Relaxed));
        pair.iter().for_each(|word| word.store(most, Relaxed));
        self.book.inside.store(0, Relaxed);
        self.book.told.fetch_add(1, Relaxed);
        self.lock.mark_consistent_on(Os {}).expect("held");
    }

    fn acquire(&self, timeout_ns: u64) -> bool {
        match self.lock.acquire_on(Os {}, timeout_ns) {
            Ok(Outcome::Clean) => true,
            Ok(Outcome::OwnerDied) => {
                self.repair();
                true
            }
            Err(Error::WouldBlock | Error::TimedOut) if timeout_ns != u64::MAX => false,
            Err(error) => panic!("acquire: {error:?}"),
        }
    }
}

impl<L: Kind> Game for Till<L> {
    fn work(&self, crew: &Crew, me: Worker, random: &mut Random) {
        let pair = &self.book.pair;
        while !crew.is_over() {
            let timeout_ns = [u64::MAX, u64::MAX, 0, random.below(3_000_000)][random.below(4) as usize];
            if !self.acquire(timeout_ns) {
                std::thread::yield_now();
                continue;
            }
            self.enter(me);
            assert_eq!(self.lock.depth(), 1, "the count of another owner");
            let depth = 1 + random.below(L::DEPTH);
            for so_far in 1..depth {
                assert_eq!(self.lock.acquire_on(Os {}, random.below(2) * u64::MAX), Ok(Outcome::Clean));
                assert_eq!(self.lock.depth(), so_far + 1);
            }
            let (a, b) = (pair[0].load(Relaxed), pair[1].load(Relaxed));
            assert_eq!(a, b, "the last owner did not finish, and nobody was told");
            pair[0].store(a + 1, Relaxed);
            random.pause(300);
            // The inner releases give nothing up.
            (1..depth).for_each(|_| self.lock.release_on(Os {}).expect("held"));
            pair[1].store(b + 1, Relaxed);
            self.leave(me);
            crew.round(me);
            self.lock.release_on(Os {}).expect("held");
            if random.below(4) == 0 {
                assert_eq!(self.lock.release_on(Os {}), Err(Error::NotOwner));
            }
        }
    }

    fn judge(&self, crew: &Crew, kills: u64) -> String {
        assert!(self.acquire(0), "held at the end");
        self.lock.release_on(Os {}).expect("held");
        let [a, b] = [0, 1].map(|i| self.book.pair[i].load(SeqCst));
        let (turns, told) = (crew.total(), self.book.told.load(SeqCst));
        assert_eq!(a, b);
        assert!(turns <= a && a <= turns + kills, "{turns} turns, {kills} kills, but the sum is {a}");
        assert!(told <= kills, "told of {told} deaths, there were {kills}");
        format!(", {told} told of a death")
    }
}
