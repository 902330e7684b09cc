//! What [`Lock`] and `RLock` have in common: what a guard and a `Condition` need of them.

use super::{Lock, Outcome};
use crate::{
    error::Result,
    sync::{AtomicU32, Ordering::*},
    sys::{OWNER, Platform, UNRECOVERABLE, WAITERS},
};

/// A lock of either kind: what a `Condition` and a guard need of it. Sealed.
pub trait Lockable: Suspend {
    /// As [`Lock::acquire_on`].
    fn acquire_on<P: Platform>(&self, platform: P, timeout_ns: u64) -> Result<Outcome>;
    /// As [`Lock::release_on`].
    fn release_on<P: Platform>(&self, platform: P) -> Result<()>;
    /// As [`Lock::mark_consistent_on`].
    fn mark_consistent_on<P: Platform>(&self, platform: P) -> Result<()>;
    /// As [`Lock::is_mine_on`].
    fn is_mine_on<P: Platform>(&self, platform: P) -> bool;
}

/// For `condition` only.
pub trait Suspend {
    /// Gives the lock up, however often it is held; says how often.
    fn suspend<P: Platform>(&self, platform: P) -> Result<u32>;
    /// Acquires it again, as often, as one whom a condition may have moved to the lock's word meanwhile, and
    /// others with it.
    fn resume<P: Platform>(&self, platform: P, depth: u32) -> Result<Outcome>;
    /// What its waiters sleep on.
    fn word(&self) -> &AtomicU32;
    /// Whether it was released unrepaired: only a `reset` helps.
    fn is_lost(&self) -> bool;
    /// Before sleepers are moved to the word: true if the caller holds the lock, and then its release is
    /// certain to wake the first of them.
    fn expect_sleepers<P: Platform>(&self, platform: P) -> bool;
}

impl Lockable for Lock {
    #[inline]
    fn acquire_on<P: Platform>(&self, platform: P, timeout_ns: u64) -> Result<Outcome> {
        Lock::acquire_on(self, platform, timeout_ns)
    }
    #[inline]
    fn release_on<P: Platform>(&self, platform: P) -> Result<()> {
        Lock::release_on(self, platform)
    }
    fn mark_consistent_on<P: Platform>(&self, platform: P) -> Result<()> {
        Lock::mark_consistent_on(self, platform)
    }
    fn is_mine_on<P: Platform>(&self, platform: P) -> bool {
        Lock::is_mine_on(self, platform)
    }
}

impl Suspend for Lock {
    fn suspend<P: Platform>(&self, platform: P) -> Result<u32> {
        self.release_on(platform).map(|()| 1)
    }
    fn resume<P: Platform>(&self, platform: P, _: u32) -> Result<Outcome> {
        self.acquire_again(platform)
    }
    fn word(&self) -> &AtomicU32 {
        &self.cell.word
    }
    fn is_lost(&self) -> bool {
        self.cell.word.load(Relaxed) & OWNER == UNRECOVERABLE
    }
    fn expect_sleepers<P: Platform>(&self, platform: P) -> bool {
        let mine = self.is_mine_on(platform);
        if mine {
            self.cell.word.fetch_or(WAITERS, Relaxed); // as any waiter does; see Ordering
        }
        mine
    }
}
