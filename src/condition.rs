//! A condition variable on a [`Lock`](crate::Lock) or an [`RLock`](crate::RLock). Python's
//! `multiprocessing.Condition`, POSIX's `pthread_cond_t`.
//!
//! `wait` gives the lock up, waits, and acquires it again; `notify` and `notify_all` never wait, and need
//! not hold the lock. Nothing is owned here, so nothing can be left behind.
//!
//! # Example
//! ```
//! use rialto::{Condition, Lock, Outcome};
//! use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
//!
//! // SAFETY: a static is never moved or freed.
//! static LOCK: Lock = unsafe { Lock::new() };
//! static CHANGED: Condition = Condition::new();
//! static READY: AtomicBool = AtomicBool::new(false); // what the lock protects
//!
//! let waiter = std::thread::spawn(|| {
//!     let guard = LOCK.acquire()?.guard();
//!     let outcome = CHANGED.wait_for(guard.lock(), || READY.load(Relaxed))?;
//!     if outcome == Outcome::OwnerDied {
//!         guard.mark_consistent(); // after a look at what it protects
//!     }
//!     Ok::<_, rialto::Error>(outcome)
//! });
//! {
//!     let _guard = LOCK.acquire()?;
//!     READY.store(true, Relaxed);
//!     CHANGED.notify_all(&LOCK);
//! }
//! assert_eq!(waiter.join().unwrap()?, Outcome::Clean);
//! # Ok::<(), rialto::Error>(())
//! ```
//!
//! # Memory
//! 64 bytes, 64-aligned, anywhere in shared memory:
//!
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` "RCND", set last by `init`; 0 = not initialised | init |
//! | 4 | 4 | `event`, an [`EventCount`] | sleepers, wakers |
//! | 8 | 4 | `notified`: how often anybody was notified, wraps | notifiers |
//! | 12 | 52 | 0 | nobody |
//!
//! # States
//! None but the count: a waiter remembers it as it was while the lock was held, and waits for another.
//!
//! # Invariants
//! 1. A waiter reads `notified` while it holds the lock. So a notify by whoever acquired the lock
//!    after it counts for it, whether or not it sleeps by then.
//! 2. Of those asleep, a notify wakes as many as it was told. Whoever is awake anyway (it had not yet gone to
//!    sleep, a signal came, its tick has passed) goes by the count and returns too: that is why `wait` may
//!    return spuriously, and how a notification that died with its receiver reaches another.
//! 3. Nobody counts waiters, and no wake-up is stored: a notify without a waiter is forgotten.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | what the lock protects | the lock | the lock |
//! | that there was a notify | `notified`, SeqCst RMW, then `notify_many` | sleeper, see `wait` (the module) |
//! | the count before a later notify | the lock's release, Release | that notifier's acquisition |
//!
//! # Crash
//! - waiter killed holding the lock, before or after: the next owner is told, as with any lock.
//! - waiter killed asleep: a wasted wake-up at most, which wakes the next.
//! - waiter killed after it was woken: the others return at their tick ([`crate::time::TICK_NS`]).
//! - notifier killed before the RMW: nobody was notified; behind it: sleepers return at their tick.
//! - notifier killed after it moved the sleepers to the lock: the lock's release, or its owner's death, wakes
//!   the first of them, that one the next. If that chain is cut by another death: their tick.
//! - an owner killed while we were waiting: we inherit, and are told `OwnerDied`, whatever else happened.
//!
//! # No herd
//! Everybody whom `notify_all` wakes wants the lock, so it wakes one at most and moves the rest to the
//! lock's own word (FUTEX_CMP_REQUEUE): each release wakes the next. A sleeper that finds itself woken there
//! though nobody notified it passes that wake-up on.
//!
//! # Limits
//! The wake-up of a notify without the lock may go to somebody who began to wait in its very midst (under
//! real-time priorities): the one it was meant for returns at its tick.
//!
//! A waiter that does not run for exactly 2^32 notifies sleeps on. All waiters use the same lock, or
//! `notify_all` moves some to a lock that they do not wait for, where they sleep until their tick.
//!
//! # Checked by
//! `tests/semantics_condition.rs`, `tests/semantics_condition_death.rs`,
//! `tests/sweep_sync.rs`, `tests/loom_condition.rs`, `tests/kill_matrix.rs`,
//! `tests/no_herd.rs`, `tests/stress_sync.rs`.

#[cfg(not(rialto_loom))]
use crate::place;
use crate::{
    error::{Error, Result},
    lock::{Lockable, Outcome},
    sync::{AtomicU32, Ordering::*},
    sys::{Os, Platform},
    time::{Deadline, FOREVER},
    wait::EventCount,
};

const MAGIC: u32 = u32::from_le_bytes(*b"RCND");

/// See the module's comment.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Condition {
    magic: AtomicU32,
    event: EventCount,
    notified: AtomicU32,
    #[cfg(not(rialto_loom))]
    _reserved: [AtomicU32; 13],
}

#[cfg(not(rialto_loom))]
const _: () = assert!(size_of::<Condition>() == 64 && core::mem::offset_of!(Condition, notified) == 8);

#[cfg(not(rialto_loom))]
// SAFETY: as `Placed` wants it; the sizes are asserted.
unsafe impl place::Placed for Condition {
    const MAGIC: u32 = MAGIC;
}

macro_rules! new_condition {
    ($($const:tt)?) => {
        /// With nobody waiting; the same bytes as C's `RIALTO_CONDITION_INIT`.
        #[allow(clippy::new_without_default)]
        pub $($const)? fn new() -> Condition {
            Condition {
                magic: AtomicU32::new(MAGIC),
                event: EventCount::new(),
                notified: AtomicU32::new(0),
                #[cfg(not(rialto_loom))]
                _reserved: [const { AtomicU32::new(0) }; 13],
            }
        }
    };
}

impl Condition {
    // loom's atomics cannot be made in a constant.
    #[cfg(not(rialto_loom))]
    new_condition!(const);
    #[cfg(rialto_loom)]
    new_condition!();

    /// Makes a condition in place. If we die half-way, `attach` refuses it.
    ///
    /// # Safety
    /// `ptr` is aligned to 64 and valid for 64 bytes, which nobody uses as a condition now.
    #[cfg(not(rialto_loom))]
    pub unsafe fn init(ptr: *mut Condition) {
        // SAFETY: the caller's.
        unsafe { place::init(ptr, Condition::new()) }
    }

    /// The condition that somebody made at `ptr`. Errors: `Invalid` (null or misaligned), `BadRegion`.
    ///
    /// # Safety
    /// `ptr` is valid for 64 bytes of memory for `'a`, shared or not, that is written as a condition only.
    #[cfg(not(rialto_loom))]
    pub unsafe fn attach<'a>(ptr: *const Condition) -> Result<&'a Condition> {
        // SAFETY: the caller's; `place` checks the rest.
        unsafe { place::attach(ptr) }
    }

    /// Gives `lock` up (an `RLock` wholly, however often it is held), waits for a notify at most `timeout_ns`
    /// (0 polls, [`FOREVER`]), and acquires it again as it was. That last part has no timeout, as in
    /// Python. May return spuriously, if others were notified: look at what you wait for.
    ///
    /// A death by itself ends no wait: the lock's next owner is told, and notifies.
    ///
    /// `Ok(OwnerDied)`: the last owner died, repair and `mark_consistent`; whether there was a notify is not
    /// said. A lock that was acquired so must be repaired before it is waited with: it is released here.
    ///
    /// Errors, **holding the lock**: `TimedOut`; polling, `WouldBlock`. Not holding it: `NotOwner` (the
    /// caller did not hold it either; nothing happened), `NotRecoverable` (somebody, perhaps the caller by
    /// this call, released it unrepaired), `BadRegion` (damaged; nothing happened if it is the condition:
    /// `is_mine` tells).
    #[inline]
    pub fn wait_on<P: Platform, L: Lockable>(
        &self,
        platform: P,
        lock: &L,
        timeout_ns: u64,
    ) -> Result<Outcome> {
        self.wait_until(platform, lock, Deadline::after(platform, timeout_ns))
    }

    fn wait_until<P: Platform, L: Lockable>(
        &self,
        platform: P,
        lock: &L,
        deadline: Deadline,
    ) -> Result<Outcome> {
        if self.magic.load(Relaxed) != MAGIC {
            return Err(Error::BadRegion);
        }
        let came_in = self.notified.load(Relaxed); // invariant 1
        let depth = lock.suspend(platform)?;
        let nothing = || self.notified.load(Acquire) == came_in;
        let mut slept = false;
        let look = |_| {
            // The wake-up may have been one of the lock's, and not meant for us: see No herd.
            if slept && nothing() {
                platform.wake(lock.word(), 1);
            }
            slept = true;
        };
        let once = || match nothing() {
            false => Ok(()),
            // Nobody can acquire it, so nobody will notify.
            true if lock.is_lost() => Err(Error::NotRecoverable),
            true => Err(Error::WouldBlock),
        };
        let notified = self.event.block(platform, P::TICK_NS, deadline, look, once);
        match lock.resume(platform, depth)? {
            Outcome::OwnerDied => Ok(Outcome::OwnerDied),
            Outcome::Clean if notified == Err(Error::NotRecoverable) => Ok(Outcome::Clean), // reset meanwhile
            Outcome::Clean => notified.map(|()| Outcome::Clean),
        }
    }

    /// Waits until `predicate` says true, at most `timeout_ns`. It is called holding the lock.
    ///
    /// `Ok(Clean)`: it is true now. `Ok(OwnerDied)`: an owner died meanwhile, the lock is held and what it
    /// protects wants repair first; the predicate was not asked since. Errors: as [`Condition::wait_on`];
    /// with `TimedOut` or `WouldBlock` it was false to the last.
    pub fn wait_for_on<P: Platform, L: Lockable>(
        &self,
        platform: P,
        lock: &L,
        timeout_ns: u64,
        mut predicate: impl FnMut() -> bool,
    ) -> Result<Outcome> {
        if !lock.is_mine_on(platform) {
            return Err(Error::NotOwner);
        }
        let deadline = Deadline::after(platform, timeout_ns);
        loop {
            if predicate() {
                return Ok(Outcome::Clean);
            }
            let late = match self.wait_until(platform, lock, deadline) {
                Ok(Outcome::Clean) if !deadline.passed(platform) => continue,
                // Notifies that never stop must not keep us here.
                Ok(Outcome::Clean) if deadline == Deadline::NOW => Error::WouldBlock,
                Ok(Outcome::Clean) => Error::TimedOut,
                Err(late @ (Error::TimedOut | Error::WouldBlock)) => late,
                other => return other,
            };
            // The time is up, but it may have come true while we waited for the lock.
            return if predicate() { Ok(Outcome::Clean) } else { Err(late) };
        }
    }

    /// Notifies `n` of those who wait, or all if there are fewer; others may return too. Usually called
    /// holding the lock; without it, a waiter that is just being overtaken by the change that you notify of
    /// may miss it, unless the change itself was made under the lock. Never waits; async-signal-safe. If we
    /// die here, all who were waiting return within a tick or nobody was notified.
    #[inline]
    pub fn notify_on<P: Platform>(&self, platform: P, n: u32) {
        if n > 0 && self.magic.load(Relaxed) == MAGIC {
            self.notified.fetch_add(1, SeqCst);
            self.event.notify_many(platform, n);
        }
    }

    /// Notifies everybody. As [`Condition::notify_on`], but not async-signal-safe; `lock` is the one that they
    /// wait with, see No herd.
    pub fn notify_all_on<P: Platform, L: Lockable>(&self, platform: P, lock: &L) {
        if self.magic.load(Relaxed) == MAGIC {
            self.notified.fetch_add(1, SeqCst);
            let wake = || if lock.expect_sleepers(platform) { 0 } else { 1 };
            self.event.notify_all_onto(platform, lock.word(), wake);
        }
    }
}

/// For the operating system's threads.
impl Condition {
    /// Waits for a notify. See [`Condition::wait_on`].
    pub fn wait<L: Lockable>(&self, lock: &L) -> Result<Outcome> {
        self.wait_on(Os {}, lock, FOREVER)
    }

    /// Waits for a notify, at most `timeout_ns`: then `TimedOut`, holding the lock. 0 polls: `WouldBlock`,
    /// having released and acquired it.
    pub fn wait_timeout<L: Lockable>(&self, lock: &L, timeout_ns: u64) -> Result<Outcome> {
        self.wait_on(Os {}, lock, timeout_ns)
    }

    /// Waits until `predicate` says true. See [`Condition::wait_for_on`].
    pub fn wait_for<L: Lockable>(&self, lock: &L, predicate: impl FnMut() -> bool) -> Result<Outcome> {
        self.wait_for_on(Os {}, lock, FOREVER, predicate)
    }

    /// Waits until `predicate` says true, at most `timeout_ns`.
    pub fn wait_for_timeout<L: Lockable>(
        &self,
        lock: &L,
        timeout_ns: u64,
        predicate: impl FnMut() -> bool,
    ) -> Result<Outcome> {
        self.wait_for_on(Os {}, lock, timeout_ns, predicate)
    }

    /// Notifies `n` of those who wait. See [`Condition::notify_on`].
    #[inline]
    pub fn notify(&self, n: u32) {
        self.notify_on(Os {}, n);
    }

    /// Notifies everybody who waits. See [`Condition::notify_all_on`].
    pub fn notify_all<L: Lockable>(&self, lock: &L) {
        self.notify_all_on(Os {}, lock);
    }
}
