//! [`Lock`] for the operating system's threads: the plain methods, and a guard.

use super::{Lock, Outcome};
use crate::{error::Result, sys::Os, time::FOREVER};
use core::marker::PhantomData;

/// A lock just acquired, and whether its last owner died.
#[derive(Debug)]
#[must_use = "dropping it releases the lock at once"]
pub enum Acquired<'a> {
    /// The last owner released it.
    Clean(Guard<'a>),
    /// The last owner died: repair what the lock protects, then [`Guard::mark_consistent`]. If the guard
    /// is dropped without, the lock is not recoverable.
    OwnerDied(Guard<'a>),
}

impl<'a> Acquired<'a> {
    /// The guard, either way.
    pub fn guard(self) -> Guard<'a> {
        match self {
            Acquired::Clean(guard) | Acquired::OwnerDied(guard) => guard,
        }
    }

    /// Whether the last owner died.
    pub fn owner_died(&self) -> bool {
        matches!(self, Acquired::OwnerDied(_))
    }
}

/// Holds a [`Lock`] of the calling thread; releases it when dropped.
#[derive(Debug)]
#[must_use = "dropping it releases the lock at once"]
pub struct Guard<'a> {
    lock: &'a Lock,
    /// Not Send: the lock belongs to the thread.
    thread: PhantomData<*mut ()>,
}

impl Guard<'_> {
    /// What the dead owner left is repaired. No effect after a clean acquisition.
    pub fn mark_consistent(&self) {
        // It fails only for a thread that does not hold the lock.
        let _ = self.lock.mark_consistent();
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // Fails if released by hand meanwhile, in a forked child, or if a peer overwrote the lock:
        // nothing is held then, and there is nobody to tell.
        let _ = self.lock.release();
    }
}

impl Lock {
    fn acquired(&self, timeout_ns: u64) -> Result<Acquired<'_>> {
        let outcome = self.acquire_raw(timeout_ns)?;
        let guard = Guard { lock: self, thread: PhantomData };
        Ok(match outcome {
            Outcome::Clean => Acquired::Clean(guard),
            Outcome::OwnerDied => Acquired::OwnerDied(guard),
        })
    }

    /// Acquires, waiting as long as it takes.
    ///
    /// Errors: `Deadlock`, `NotRecoverable`, `TooManyHeld`, `BadRegion`, `NoMemory` (first use).
    pub fn acquire(&self) -> Result<Acquired<'_>> {
        self.acquired(FOREVER)
    }

    /// Acquires without waiting. Errors: `WouldBlock` (held, by whomever), and as [`Lock::acquire`].
    pub fn try_acquire(&self) -> Result<Acquired<'_>> {
        self.acquired(0)
    }

    /// Acquires, waiting at most `timeout_ns`; 0 polls. Errors: `TimedOut`, and as [`Lock::acquire`].
    pub fn acquire_timeout(&self, timeout_ns: u64) -> Result<Acquired<'_>> {
        self.acquired(timeout_ns)
    }

    /// Acquires without a guard, waiting at most `timeout_ns` (0 polls, [`FOREVER`]); pair it with
    /// [`Lock::release`]. Errors: see [`Lock::acquire_on`].
    #[inline]
    pub fn acquire_raw(&self, timeout_ns: u64) -> Result<Outcome> {
        self.acquire_on(Os {}, timeout_ns)
    }

    /// Releases. Errors: `NotOwner`; `BadRegion`, see [`Lock::release_on`].
    #[inline]
    pub fn release(&self) -> Result<()> {
        self.release_on(Os {})
    }

    /// What the dead owner left is repaired. Errors: `NotOwner`.
    pub fn mark_consistent(&self) -> Result<()> {
        self.mark_consistent_on(Os {})
    }

    /// Whether the calling thread holds it.
    pub fn is_mine(&self) -> bool {
        self.is_mine_on(Os {})
    }
}
