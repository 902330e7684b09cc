//! A counting semaphore in plain mode: anybody may release, whoever acquired. Python's
//! `multiprocessing.Semaphore` and `BoundedSemaphore`.
//!
//! For signalling between different parties. A permit belongs to nobody here, so that of a process that dies
//! is gone: where the same party acquires and releases, use the tracked semaphore of a region (`permits`),
//! which gives the permits of the dead back. `try_acquire`, `release` and `value` are lock-free.
//!
//! # Example
//! ```
//! use rialto::{Error, Semaphore};
//!
//! static SLOTS: Semaphore = Semaphore::bounded(2);
//! SLOTS.acquire()?;
//! assert_eq!(SLOTS.value(), 1);
//! SLOTS.release()?;
//! assert_eq!(SLOTS.release(), Err(Error::Overflow)); // once too often: nothing changed
//! # Ok::<(), Error>(())
//! ```
//!
//! # Memory
//! 64 bytes, 64-aligned, anywhere in shared memory:
//!
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` "RSEM", set last by `init`; 0 = not initialised | init |
//! | 4 | 4 | `event`, an [`EventCount`] | sleepers, wakers |
//! | 8 | 4 | `count`, the free permits | anybody |
//! | 12 | 4 | `bound`, at most 2^31 - 1: more there cannot be | init |
//! | 16 | 48 | 0 | nobody |
//!
//! # States
//! The count, 0 to bound.
//!
//! # Invariants
//! 1. `count` changes by one CAS, from a value that was checked. A release that would go beyond the bound
//!    changes nothing.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | what the releaser wrote | `count`, SeqCst CAS in `release` | Acquire CAS in `acquire` |
//! | that there is a permit | the same CAS, then `notify_many` | sleeper, see `wait` |
//!
//! # Crash
//! Killed before the CAS: nothing happened. Releaser killed behind it, before waking, or a woken waiter
//! killed before it takes: the permit is in the count; others asleep find it at their tick
//! ([`crate::time::TICK_NS`]). Acquirer killed behind it: it had the permit.
//!
//! # Limits
//! 2^31 - 1 permits. Not fair.
//!
//! # Checked by
//! `tests/semantics_semaphore.rs`, `tests/semantics_signals.rs`,
//! `tests/sweep_sync.rs`, `tests/loom_semaphore.rs`, `tests/kill_matrix.rs`.

#[cfg(not(rialto_loom))]
use crate::place;
use crate::{
    error::{Error, Result},
    sync::{AtomicU32, Ordering::*},
    sys::{Os, Platform},
    time::{Deadline, FOREVER},
    wait::EventCount,
};

const MAGIC: u32 = u32::from_le_bytes(*b"RSEM");
/// A CAS fails because another succeeds; a scribbling peer might make it fail for ever.
const TRIES: u32 = 100_000;

/// See the module's comment.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Semaphore {
    magic: AtomicU32,
    event: EventCount,
    count: AtomicU32,
    bound: AtomicU32,
    #[cfg(not(rialto_loom))]
    _reserved: [AtomicU32; 12],
}

#[cfg(not(rialto_loom))]
// SAFETY: as `Placed` wants it; the sizes are asserted.
unsafe impl place::Placed for Semaphore {
    const MAGIC: u32 = MAGIC;
}

#[cfg(not(rialto_loom))]
const _: () = assert!(size_of::<Semaphore>() == 64 && core::mem::offset_of!(Semaphore, bound) == 12);

macro_rules! new_semaphore {
    ($($const:tt)?) => {
        /// `value` permits, and room for [`Semaphore::MAX`]; the same bytes as C's `RIALTO_SEMAPHORE_INIT`.
        ///
        /// # Panics
        /// If `value` is more than that.
        pub $($const)? fn new(value: u32) -> Semaphore {
            Semaphore::with_bound(value, Semaphore::MAX)
        }

        /// `value` permits, and never more: who releases too often is told. Python's `BoundedSemaphore`.
        ///
        /// # Panics
        /// If `value` is more than [`Semaphore::MAX`].
        pub $($const)? fn bounded(value: u32) -> Semaphore {
            Semaphore::with_bound(value, value)
        }

        $($const)? fn with_bound(value: u32, bound: u32) -> Semaphore {
            assert!(value <= Semaphore::MAX);
            Semaphore {
                magic: AtomicU32::new(MAGIC),
                event: EventCount::new(),
                count: AtomicU32::new(value),
                bound: AtomicU32::new(bound),
                #[cfg(not(rialto_loom))]
                _reserved: [const { AtomicU32::new(0) }; 12],
            }
        }
    };
}

impl Semaphore {
    /// The most permits that there can be.
    pub const MAX: u32 = i32::MAX as u32;

    // loom's atomics cannot be made in a constant.
    #[cfg(not(rialto_loom))]
    new_semaphore!(const);
    #[cfg(rialto_loom)]
    new_semaphore!();

    /// Makes one with `value` permits in place. If we die half-way, `attach` refuses it.
    /// Errors: `Invalid` (more than [`Semaphore::MAX`]).
    ///
    /// # Safety
    /// `ptr` is aligned to 64 and valid for 64 bytes, which nobody uses as a semaphore now.
    #[cfg(not(rialto_loom))]
    pub unsafe fn init(ptr: *mut Semaphore, value: u32) -> Result<()> {
        // SAFETY: the caller's.
        unsafe { Self::init_with_bound(ptr, value, Self::MAX) }
    }

    /// As [`Semaphore::init`], with `value` for a bound.
    ///
    /// # Safety
    /// As [`Semaphore::init`].
    #[cfg(not(rialto_loom))]
    pub unsafe fn init_bounded(ptr: *mut Semaphore, value: u32) -> Result<()> {
        // SAFETY: the caller's.
        unsafe { Self::init_with_bound(ptr, value, value) }
    }

    #[cfg(not(rialto_loom))]
    unsafe fn init_with_bound(ptr: *mut Semaphore, value: u32, bound: u32) -> Result<()> {
        if value > Self::MAX {
            return Err(Error::Invalid);
        }
        // SAFETY: the caller's.
        unsafe { place::init(ptr, Self::with_bound(value, bound)) };
        Ok(())
    }

    /// The semaphore that somebody made at `ptr`. Errors: `Invalid` (null or misaligned), `BadRegion`.
    ///
    /// # Safety
    /// `ptr` is valid for 64 bytes of memory for `'a`, shared or not, that is written as a semaphore only.
    #[cfg(not(rialto_loom))]
    pub unsafe fn attach<'a>(ptr: *const Semaphore) -> Result<&'a Semaphore> {
        // SAFETY: the caller's; `place` checks the rest.
        unsafe { place::attach(ptr) }
    }

    /// Takes a permit, waiting for one at most `timeout_ns` (0 polls, [`FOREVER`]).
    ///
    /// Errors: `WouldBlock` (polling), `TimedOut`, `BadRegion`. If we die here, we had the permit or we had
    /// not.
    #[inline]
    pub fn acquire_on<P: Platform>(&self, platform: P, timeout_ns: u64) -> Result<()> {
        if self.magic.load(Relaxed) != MAGIC {
            return Err(Error::BadRegion);
        }
        match self.take() {
            Err(Error::WouldBlock) if timeout_ns != 0 => {
                let deadline = Deadline::after(platform, timeout_ns);
                self.event.block(platform, P::TICK_NS, deadline, |_| {}, || self.take())
            }
            other => other,
        }
    }

    #[inline]
    fn take(&self) -> Result<()> {
        let mut count = self.count.load(Relaxed);
        for _ in 0..TRIES {
            if count == 0 {
                break;
            }
            // Acquire: partner is the CAS in `release_on`.
            match self.count.compare_exchange(count, count - 1, Acquire, Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => count = now,
            }
        }
        Err(Error::WouldBlock)
    }

    /// Gives `n` permits and wakes as many waiters. Never waits; async-signal-safe. If we die here, all of
    /// them are there or none, and waiters find them at their tick at the latest.
    ///
    /// Errors, changing nothing: `Overflow` (more than the bound), `Invalid` (`n` is 0), `BadRegion`.
    #[inline]
    pub fn release_on<P: Platform>(&self, platform: P, n: u32) -> Result<()> {
        if self.magic.load(Relaxed) != MAGIC {
            return Err(Error::BadRegion);
        }
        if n == 0 {
            return Err(Error::Invalid);
        }
        let bound = self.bound.load(Relaxed);
        let mut count = self.count.load(Relaxed);
        for _ in 0..TRIES {
            let more = count.checked_add(n).filter(|more| *more <= bound).ok_or(Error::Overflow)?;
            match self.count.compare_exchange(count, more, SeqCst, Relaxed) {
                Ok(_) => {
                    self.event.notify_many(platform, n);
                    return Ok(());
                }
                Err(now) => count = now,
            }
        }
        Err(Error::BadRegion)
    }

    /// Free permits at about this time. Async-signal-safe.
    pub fn value(&self) -> u32 {
        self.count.load(Relaxed)
    }

    /// The most permits that there can be here.
    pub fn bound(&self) -> u32 {
        self.bound.load(Relaxed)
    }
}

/// For the operating system's threads.
impl Semaphore {
    /// Takes a permit, waiting as long as it takes. Errors: `BadRegion`.
    #[inline]
    pub fn acquire(&self) -> Result<()> {
        self.acquire_on(Os {}, FOREVER)
    }

    /// Takes a permit if there is one: else `WouldBlock`.
    #[inline]
    pub fn try_acquire(&self) -> Result<()> {
        self.acquire_on(Os {}, 0)
    }

    /// Takes a permit, waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    #[inline]
    pub fn acquire_timeout(&self, timeout_ns: u64) -> Result<()> {
        self.acquire_on(Os {}, timeout_ns)
    }

    /// Gives one permit. Errors: see [`Semaphore::release_on`].
    #[inline]
    pub fn release(&self) -> Result<()> {
        self.release_on(Os {}, 1)
    }

    /// Gives `n` permits, all or none. Errors: see [`Semaphore::release_on`].
    #[inline]
    pub fn release_many(&self, n: u32) -> Result<()> {
        self.release_on(Os {}, n)
    }
}
