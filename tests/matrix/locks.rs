//! `Lock` and `RLock`: holding it, waiting, woken, inside release.

use super::stage::{Got, Stage, Verdict, check, place};
use rialto::{Lock, Lockable, Outcome, RLock, sys::Os};
use std::sync::atomic::{AtomicU32, Ordering::*};

/// A lock of either kind, made in place, and how deep it is held here.
pub trait Kind: Lockable + Sized + 'static {
    const DEPTH: u32;
    fn make() -> &'static Self;
    fn is_held(&self) -> bool;
    /// How often the caller holds it, if that is known.
    fn depth(&self) -> u32;

    /// Acquires it, as deep as it goes.
    fn take(&self) -> Got {
        let first = self.acquire_on(Os {}, u64::MAX);
        if first == Ok(Outcome::OwnerDied) {
            self.mark_consistent_on(Os {}).expect("held");
        }
        for _ in 1..Self::DEPTH {
            assert_eq!(self.acquire_on(Os {}, 0), Ok(Outcome::Clean));
        }
        let got = match first {
            Ok(Outcome::Clean) => Got::CLEAN,
            Ok(Outcome::OwnerDied) => Got::TOLD,
            Err(_) => Got::WRONG,
        };
        check(self.depth() == Self::DEPTH, "the recursion count is off", got)
    }

    fn give(&self) {
        (0..Self::DEPTH).for_each(|_| self.release_on(Os {}).expect("held"));
    }
}

impl Kind for Lock {
    const DEPTH: u32 = 1;
    fn make() -> &'static Lock {
        let lock = place::<Lock>();
        // SAFETY: fresh memory, 64-aligned (a page), for ever.
        unsafe { Lock::init(std::ptr::from_ref(lock).cast_mut()) };
        lock
    }
    fn is_held(&self) -> bool {
        self.is_locked()
    }
    fn depth(&self) -> u32 {
        u32::from(self.is_mine())
    }
}

impl Kind for RLock {
    const DEPTH: u32 = 3;
    fn make() -> &'static RLock {
        let lock = place::<RLock>();
        // SAFETY: fresh memory, 64-aligned (a page), for ever.
        unsafe { RLock::init(std::ptr::from_ref(lock).cast_mut()) };
        lock
    }
    fn is_held(&self) -> bool {
        self.is_locked()
    }
    fn depth(&self) -> u32 {
        self.recursion()
    }
}

struct World<L: Kind> {
    lock: &'static L,
    inside: &'static AtomicU32,
}

impl<L: Kind> World<L> {
    fn new() -> World<L> {
        World { lock: L::make(), inside: place() }
    }

    fn turn(&self) -> Got {
        let got = self.lock.take();
        let alone = self.inside.swap(1, SeqCst) == 0;
        self.inside.store(0, SeqCst);
        self.lock.give();
        check(alone, "two inside", got)
    }

    fn free(&self, verdict: Verdict) -> Verdict {
        verdict?.and(!self.lock.is_held(), || "it stays locked".into())
    }
}

pub fn holding<L: Kind>(stage: &Stage) -> Verdict {
    let world = World::<L>::new();
    let take = || _ = world.lock.take();
    let ended = stage.holding(|| world.turn(), take, || {})?;
    world.free(ended.with(vec![Got::TOLD, Got::CLEAN]))
}

pub fn waiting<L: Kind>(stage: &Stage) -> Verdict {
    let world = World::<L>::new();
    world.lock.take();
    let wait = || _ = world.turn();
    let ended = stage.waiting(|| world.turn(), wait, || world.lock.give())?;
    world.free(ended.with(vec![Got::CLEAN; 2]))
}

pub fn woken<L: Kind>(stage: &Stage) -> Verdict {
    let world = World::<L>::new();
    world.lock.take();
    let wait = || _ = world.turn();
    let ended = stage.woken(|| world.turn(), wait, || world.lock.give())?;
    world.free(ended.with(vec![Got::CLEAN; 2]))
}

/// Woken, and somebody else has the lock by then, whose release must wake the next.
pub fn barged<L: Kind>(stage: &Stage) -> Verdict {
    let world = World::<L>::new();
    world.lock.take();
    let (wait, wake) = (|| _ = world.turn(), || world.lock.give());
    let (barge, leave) = (|| _ = world.lock.take(), || world.lock.give());
    let ended = stage.woken_too_late(|| world.turn(), wait, wake, barge, leave)?;
    world.free(ended.with(vec![Got::CLEAN; 2]))
}

pub fn release<L: Kind>(stage: &Stage) -> Verdict {
    let world = World::<L>::new();
    let before = || _ = world.lock.take();
    let ended = stage.inside(|| world.turn(), before, || world.lock.give())?;
    world.free(ended.with(vec![Got::CLEAN; 2]))
}
