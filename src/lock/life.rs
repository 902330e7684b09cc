//! How a [`Lock`] begins, is found, is made whole, and ends. `RLock` is made of the same, under its own magic.

use super::{CHURN, Lock, MAGIC};
use crate::{
    error::{Error, Result},
    sync::Ordering::*,
    sys::{Cell, OWNER, UNRECOVERABLE},
};
#[cfg(not(rialto_loom))]
use crate::{
    place::{self, Placed},
    sys::CELL_KIND,
};

#[cfg(not(rialto_loom))]
// SAFETY: a `Cell`, whose size is asserted, and whose node only the owner's thread writes and nobody reads.
unsafe impl Placed for Lock {
    const MAGIC: u32 = MAGIC;
}

macro_rules! new_lock {
    ($($const:tt)?) => {
        /// A free lock; the same bytes as C's `RIALTO_LOCK_INIT`.
        ///
        /// # Safety
        /// From the first acquisition on, it is not moved, and its memory is neither freed nor used for
        /// anything else, while any thread holds it, is about to acquire it, or is still inside a call on it
        /// (`release`: the next owner may have it by then); forgotten guards included. The list of what a thread holds, which the kernel reads too, runs through it. A
        /// `static`, and memory that is never freed, always keep this.
        pub $($const)? unsafe fn new() -> Lock {
            // SAFETY: the caller's.
            unsafe { Lock::of_kind(MAGIC) }
        }

        /// The same bytes but for the magic.
        ///
        /// # Safety
        /// As [`Lock::new`].
        pub(crate) $($const)? unsafe fn of_kind(magic: u32) -> Lock {
            Lock { cell: Cell::new(magic) }
        }
    };
}

impl Lock {
    // loom's atomics cannot be made in a constant.
    #[cfg(not(rialto_loom))]
    new_lock!(const);
    #[cfg(rialto_loom)]
    new_lock!();

    /// Makes a free lock in place. If we die half-way, `attach` refuses it.
    ///
    /// # Safety
    /// `ptr` is aligned to 64 and valid for 64 bytes, which nobody uses as a lock now. From here on as for
    /// [`Lock::new`].
    #[cfg(not(rialto_loom))]
    pub unsafe fn init(ptr: *mut Lock) {
        // SAFETY: the caller's.
        unsafe { place::init(ptr, Lock::new()) }
    }

    /// The lock that somebody made at `ptr`. Checks alignment and magic.
    ///
    /// Errors: `Invalid` (null or misaligned), `BadRegion` (no lock there).
    ///
    /// # Safety
    /// `ptr` is valid for 64 bytes of memory, shared or not, for `'a`, that is written as a lock only. It
    /// stays mapped beyond `'a` while a thread of this process holds the lock, see [`Lock::new`].
    #[cfg(not(rialto_loom))]
    pub unsafe fn attach<'a>(ptr: *const Lock) -> Result<&'a Lock> {
        // SAFETY: the caller's; `place` checks the rest.
        let lock: &Lock = unsafe { place::attach(ptr) }?;
        lock.check_cell()?;
        Ok(lock)
    }

    /// The second mark of a cell, for musl, which `attach` looks at besides the magic.
    #[cfg(not(rialto_loom))]
    pub(crate) fn check_cell(&self) -> Result<()> {
        if self.cell.kind.load(Relaxed) == CELL_KIND { Ok(()) } else { Err(Error::BadRegion) }
    }

    /// Makes a lock that was released unrepaired usable again; whoever calls it vouches for what the
    /// lock protects. No effect on a free one.
    ///
    /// Errors: `Busy` (somebody holds it), `BadRegion`.
    pub fn reset(&self) -> Result<()> {
        self.check_kind(MAGIC)?;
        self.reset_checked()
    }

    pub(crate) fn reset_checked(&self) -> Result<()> {
        let mut word = self.cell.word.load(Relaxed);
        for _ in 0..CHURN {
            match word & OWNER {
                0 => return Ok(()),
                UNRECOVERABLE => {}
                _ => return Err(Error::Busy),
            }
            match self.cell.word.compare_exchange(word, 0, Release, Relaxed) {
                Ok(_) => return Ok(()), // partner: `take`, for the repairs
                Err(now) => word = now,
            }
        }
        Err(Error::Busy)
    }

    /// Ends a lock that nobody will use again: `attach` and `acquire` refuse it from here on. Dropping
    /// or overwriting a lock that is not held is as good; this one finds mistakes.
    ///
    /// Errors: `Busy` (held), `BadRegion` (no lock).
    pub fn destroy(&self) -> Result<()> {
        self.check_kind(MAGIC)?;
        self.destroy_checked()
    }

    pub(crate) fn destroy_checked(&self) -> Result<()> {
        if !matches!(self.cell.word.load(Relaxed) & OWNER, 0 | UNRECOVERABLE) {
            return Err(Error::Busy);
        }
        self.cell.magic.store(0, Relaxed); // nobody else is there to see it
        Ok(())
    }
}
