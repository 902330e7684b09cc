//! [`Lock`] for the operating system's threads: the plain methods, and a guard (for `RLock`, too).

use super::{Lock, Lockable, Outcome};
use crate::{error::Result, sys::Os, time::FOREVER};
use core::marker::PhantomData;

/// A lock just acquired, and whether its last owner died.
#[derive(Debug)]
#[must_use = "dropping it releases the lock at once"]
pub enum Acquired<'a, L: Lockable = Lock> {
    /// The last owner released it.
    Clean(Guard<'a, L>),
    /// The last owner died: repair what the lock protects, then [`Guard::mark_consistent`]. If the guard
    /// is dropped without, the lock is not recoverable.
    OwnerDied(Guard<'a, L>),
}

impl<'a, L: Lockable> Acquired<'a, L> {
    /// Acquires `lock` under a guard, waiting at most `timeout_ns`.
    #[inline]
    pub(crate) fn of(lock: &'a L, timeout_ns: u64) -> Result<Self> {
        let outcome = lock.acquire_on(Os {}, timeout_ns)?;
        let guard = Guard { lock, thread: PhantomData };
        Ok(match outcome {
            Outcome::Clean => Acquired::Clean(guard),
            Outcome::OwnerDied => Acquired::OwnerDied(guard),
        })
    }

    /// The guard, either way.
    pub fn guard(self) -> Guard<'a, L> {
        match self {
            Acquired::Clean(guard) | Acquired::OwnerDied(guard) => guard,
        }
    }

    /// Whether the last owner died.
    pub fn owner_died(&self) -> bool {
        matches!(self, Acquired::OwnerDied(_))
    }
}

/// Holds a [`Lock`] (or `RLock`) of the calling thread; releases it when dropped.
#[derive(Debug)]
#[must_use = "dropping it releases the lock at once"]
pub struct Guard<'a, L: Lockable = Lock> {
    lock: &'a L,
    /// Not Send: the lock belongs to the thread.
    thread: PhantomData<*mut ()>,
}

impl<'a, L: Lockable> Guard<'a, L> {
    /// The lock that it holds, for a `Condition`.
    pub fn lock(&self) -> &'a L {
        self.lock
    }

    /// What the dead owner left is repaired. No effect after a clean acquisition.
    pub fn mark_consistent(&self) {
        // It fails only for a thread that does not hold the lock.
        let _ = self.lock.mark_consistent_on(Os {});
    }
}

impl<L: Lockable> Drop for Guard<'_, L> {
    fn drop(&mut self) {
        // Fails if released by hand meanwhile, in a forked child, or if a peer overwrote the lock:
        // nothing is held then, and there is nobody to tell.
        let _ = self.lock.release_on(Os {});
    }
}

impl Lock {
    /// Acquires, waiting as long as it takes.
    ///
    /// Errors: `Deadlock`, `NotRecoverable`, `TooManyHeld`, `BadRegion`, `NoMemory` (first use).
    pub fn acquire(&self) -> Result<Acquired<'_>> {
        Acquired::of(self, FOREVER)
    }

    /// Acquires without waiting. Errors: `WouldBlock` (held, by whomever), and as [`Lock::acquire`].
    pub fn try_acquire(&self) -> Result<Acquired<'_>> {
        Acquired::of(self, 0)
    }

    /// Acquires, waiting at most `timeout_ns`; 0 polls. Errors: `TimedOut`, and as [`Lock::acquire`].
    pub fn acquire_timeout(&self, timeout_ns: u64) -> Result<Acquired<'_>> {
        Acquired::of(self, timeout_ns)
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
