//! A recursive lock: [`Lock`], and its owner may acquire it again. As often as it was acquired it must be
//! released.
//!
//! `try_acquire` is lock-free; `acquire` and `acquire_timeout` wait, but never for the caller itself;
//! `release` never waits. It belongs to a thread. POSIX cousin: `pthread_mutex_t`, process-shared, robust
//! and recursive. Python's: `multiprocessing.RLock`.
//!
//! # Example
//! ```
//! use rialto::RLock;
//!
//! // SAFETY: a static is never moved or freed.
//! static LOCK: RLock = unsafe { RLock::new() };
//! let outer = LOCK.acquire()?;
//! let inner = LOCK.acquire()?;
//! assert_eq!(LOCK.recursion(), 2);
//! drop((inner, outer));
//! assert!(!LOCK.is_locked());
//! # Ok::<(), rialto::Error>(())
//! ```
//!
//! # Memory
//! A lock's 64 bytes (see `lock`) under another magic, `"RRLK"`; `aux`, offset 56, is how often its owner
//! holds it, 1..=2^32-1, and means nothing while nobody does.
//!
//! # States
//! A lock's, times the count. The first acquisition writes 1 whatever was there: a dead owner's count dies
//! with it.
//!
//! # Invariants
//! 1. As in `lock`: the proof of ownership is the thread's private set of held cells.
//! 2. The count is written by the owner only, between its acquisition and its release.
//!
//! # Ordering
//! A lock's. The count needs none: only its writer reads it (Relaxed).
//!
//! # Crash
//! A lock's. Killed between acquiring and writing the count, or with any count: the next owner is told and
//! writes its own.
//!
//! # Limits
//! A lock's. A peer that scribbles on the count makes the owner release too early or too late: the count
//! 0 counts as 1. Not async-signal-safe.
//!
//! # Checked by
//! `tests/semantics_locks.rs`, `tests/sweep_sync.rs`, `tests/loom_condition.rs`.

#[cfg(not(rialto_loom))]
use crate::place::{self, Placed};
use crate::{
    error::{Error, Result},
    lock::{Acquired, Lock, Lockable, Outcome, Suspend},
    sync::AtomicU32,
    sys::{Os, Platform, Thread},
    time::FOREVER,
};

const MAGIC: u32 = u32::from_le_bytes(*b"RRLK");

/// See the module's comment.
#[repr(transparent)]
#[derive(Debug)]
pub struct RLock {
    lock: Lock,
}

#[cfg(not(rialto_loom))]
// SAFETY: a `Lock`, which is so.
unsafe impl Placed for RLock {
    const MAGIC: u32 = MAGIC;
}

macro_rules! new_rlock {
    ($($const:tt)?) => {
        /// A free lock; the same bytes as C's `RIALTO_RLOCK_INIT`.
        ///
        /// # Safety
        /// As [`Lock::new`]: not moved, freed or overwritten while any thread holds it or is about to.
        pub $($const)? unsafe fn new() -> RLock {
            // SAFETY: the caller's.
            RLock { lock: unsafe { Lock::of_kind(MAGIC) } }
        }
    };
}

impl RLock {
    // loom's atomics cannot be made in a constant.
    #[cfg(not(rialto_loom))]
    new_rlock!(const);
    #[cfg(rialto_loom)]
    new_rlock!();

    /// Makes a free lock in place. If we die half-way, `attach` refuses it.
    ///
    /// # Safety
    /// As [`Lock::init`].
    #[cfg(not(rialto_loom))]
    pub unsafe fn init(ptr: *mut RLock) {
        // SAFETY: the caller's.
        unsafe { place::init(ptr, RLock::new()) }
    }

    /// The lock that somebody made at `ptr`. Errors: `Invalid` (null or misaligned), `BadRegion` (no
    /// recursive lock there).
    ///
    /// # Safety
    /// As [`Lock::attach`].
    #[cfg(not(rialto_loom))]
    pub unsafe fn attach<'a>(ptr: *const RLock) -> Result<&'a RLock> {
        // SAFETY: the caller's; `place` checks the rest.
        let rlock: &RLock = unsafe { place::attach(ptr) }?;
        rlock.lock.check_cell()?;
        Ok(rlock)
    }

    /// The cell, for models and tests.
    #[doc(hidden)]
    pub fn cell(&self) -> &crate::sys::Cell {
        self.lock.cell()
    }

    /// Acquires, waiting at most `timeout_ns` (0 polls, [`FOREVER`]) for others; the owner never waits, and
    /// gets `Outcome::Clean`.
    ///
    /// Errors: `WouldBlock` (polling), `TimedOut`, `NotRecoverable`, `Overflow` (2^32 - 1 times),
    /// `TooManyHeld`, `BadRegion`, `NoMemory` (first use).
    #[inline]
    pub fn acquire_on<P: Platform>(&self, platform: P, timeout_ns: u64) -> Result<Outcome> {
        self.lock.check_kind(MAGIC)?;
        let me = platform.thread()?;
        if me.holds(self.cell()) {
            self.set_count(self.count().checked_add(1).ok_or(Error::Overflow)?);
            return Ok(Outcome::Clean);
        }
        let outcome = self.lock.acquire_checked(platform, me, timeout_ns)?;
        self.set_count(1);
        Ok(outcome)
    }

    /// Undoes one acquisition; the last one releases.
    ///
    /// Errors: `NotOwner`; `BadRegion`, see [`Lock::release_on`].
    #[inline]
    pub fn release_on<P: Platform>(&self, platform: P) -> Result<()> {
        let count = self.count();
        if count > 1 {
            if !self.is_mine_on(platform) {
                return Err(Error::NotOwner);
            }
            self.set_count(count - 1);
            return Ok(());
        }
        self.lock.release_on(platform)
    }

    /// As [`Lock::mark_consistent_on`].
    pub fn mark_consistent_on<P: Platform>(&self, platform: P) -> Result<()> {
        self.lock.mark_consistent_on(platform)
    }

    /// Whether the calling thread holds it.
    pub fn is_mine_on<P: Platform>(&self, platform: P) -> bool {
        self.lock.is_mine_on(platform)
    }

    /// Whether anybody holds it, or it is not recoverable. True or false a moment ago.
    pub fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }

    /// As [`Lock::reset`].
    pub fn reset(&self) -> Result<()> {
        self.lock.check_kind(MAGIC)?;
        self.lock.reset_checked()
    }

    /// As [`Lock::destroy`].
    pub fn destroy(&self) -> Result<()> {
        self.lock.check_kind(MAGIC)?;
        self.lock.destroy_checked()
    }

    fn count(&self) -> u32 {
        self.cell().count()
    }

    fn set_count(&self, count: u32) {
        self.cell().set_count(count);
    }
}

/// For the operating system's threads.
impl RLock {
    /// Acquires, waiting as long as it takes. Errors: see [`RLock::acquire_on`].
    pub fn acquire(&self) -> Result<Acquired<'_, RLock>> {
        Acquired::of(self, FOREVER)
    }

    /// Acquires without waiting: `WouldBlock` if another thread holds it.
    pub fn try_acquire(&self) -> Result<Acquired<'_, RLock>> {
        Acquired::of(self, 0)
    }

    /// Acquires, waiting at most `timeout_ns`; 0 polls.
    pub fn acquire_timeout(&self, timeout_ns: u64) -> Result<Acquired<'_, RLock>> {
        Acquired::of(self, timeout_ns)
    }

    /// Acquires without a guard; pair it with [`RLock::release`].
    #[inline]
    pub fn acquire_raw(&self, timeout_ns: u64) -> Result<Outcome> {
        self.acquire_on(Os {}, timeout_ns)
    }

    /// Undoes one acquisition. Errors: `NotOwner`, `BadRegion`.
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

    /// How often the calling thread holds it; 0: not at all.
    pub fn recursion(&self) -> u32 {
        if self.is_mine() { self.count().max(1) } else { 0 }
    }
}

impl Lockable for RLock {
    #[inline]
    fn acquire_on<P: Platform>(&self, platform: P, timeout_ns: u64) -> Result<Outcome> {
        RLock::acquire_on(self, platform, timeout_ns)
    }
    #[inline]
    fn release_on<P: Platform>(&self, platform: P) -> Result<()> {
        RLock::release_on(self, platform)
    }
    fn mark_consistent_on<P: Platform>(&self, platform: P) -> Result<()> {
        RLock::mark_consistent_on(self, platform)
    }
    fn is_mine_on<P: Platform>(&self, platform: P) -> bool {
        RLock::is_mine_on(self, platform)
    }
}

impl Suspend for RLock {
    fn suspend<P: Platform>(&self, platform: P) -> Result<u32> {
        let depth = self.count();
        self.lock.release_on(platform).map(|()| depth)
    }
    fn resume<P: Platform>(&self, platform: P, depth: u32) -> Result<Outcome> {
        let outcome = self.lock.acquire_again(platform)?;
        self.set_count(depth);
        Ok(outcome)
    }
    fn word(&self) -> &AtomicU32 {
        Suspend::word(&self.lock)
    }
    fn is_lost(&self) -> bool {
        self.lock.is_lost()
    }
    fn expect_sleepers<P: Platform>(&self, platform: P) -> bool {
        self.lock.expect_sleepers(platform)
    }
}
