//! An event: a flag that any number of threads wait for. Python's `multiprocessing.Event`.
//!
//! `set` is wait-free, `clear` and `is_set` are lock-free; `wait` waits. No owner: anybody may do anything.
//!
//! # Example
//! ```
//! static GO: rialto::Event = rialto::Event::new(); // in shared memory: `Event::init`, `Event::attach`
//! let waiter = std::thread::spawn(|| GO.wait());
//! GO.set();
//! waiter.join().unwrap()?;
//! # Ok::<(), rialto::Error>(())
//! ```
//!
//! # Memory
//! 64 bytes, 64-aligned, anywhere in shared memory:
//!
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` "REVT", set last by `init`; 0 = not initialised | init |
//! | 4 | 4 | `event`, an [`EventCount`] | sleepers, wakers |
//! | 8 | 4 | `phase`: odd = set; a `set` adds 1 to an even one, a `clear` 1 to an odd one | anybody |
//! | 12 | 52 | 0 | nobody |
//!
//! # States
//! clear (even) -> set (odd) -> clear (the next even) ...
//!
//! # Invariants
//! 1. Who waits remembers the phase that it came in. Odd, or another one: it was set since. So a `set`
//!    with a `clear` right behind it releases everybody who was waiting, as in `threading`.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | what the setter wrote | `phase`, SeqCst RMW in `set` | Acquire load in `wait`, `is_set` |
//! | that it is set | the same RMW, then `notify_all` | sleeper, see `wait` (the module) |
//!
//! # Crash
//! Setter killed before the RMW: nothing happened; behind it, before waking: sleepers see it at their tick
//! ([`crate::time::TICK_NS`]), or at the next `set`, which wakes again if there may be a sleeper.
//! A killed waiter leaves nothing but a wasted wake-up.
//!
//! # Limits
//! A waiter that does not run for exactly 2^31 rounds of set and clear waits for the next one.
//!
//! # Checked by
//! `tests/semantics_event.rs`, `tests/semantics_signals.rs`,
//! `tests/sweep_sync.rs`, `tests/loom_event.rs`, `tests/kill_matrix.rs`.

#[cfg(not(rialto_loom))]
use crate::place;
use crate::{
    error::{Error, Result},
    sync::{AtomicU32, Ordering::*},
    sys::{Os, Platform},
    time::{Deadline, FOREVER},
    wait::EventCount,
};

const MAGIC: u32 = u32::from_le_bytes(*b"REVT");
const SET: u32 = 1;
/// Others who set and clear at the same time make `clear` try again; a scribbling peer might for ever.
const CLEAR_TRIES: u32 = 100_000;

/// See the module's comment.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Event {
    magic: AtomicU32,
    event: EventCount,
    phase: AtomicU32,
    #[cfg(not(rialto_loom))]
    _reserved: [AtomicU32; 13],
}

#[cfg(not(rialto_loom))]
// SAFETY: as `Placed` wants it; the sizes are asserted.
unsafe impl place::Placed for Event {
    const MAGIC: u32 = MAGIC;
}

#[cfg(not(rialto_loom))]
const _: () = assert!(size_of::<Event>() == 64 && core::mem::offset_of!(Event, phase) == 8);

macro_rules! new_event {
    ($($const:tt)?) => {
        /// A clear event; the same bytes as C's `RIALTO_EVENT_INIT`.
        #[allow(clippy::new_without_default)]
        pub $($const)? fn new() -> Event {
            Event {
                magic: AtomicU32::new(MAGIC),
                event: EventCount::new(),
                phase: AtomicU32::new(0),
                #[cfg(not(rialto_loom))]
                _reserved: [const { AtomicU32::new(0) }; 13],
            }
        }
    };
}

impl Event {
    // loom's atomics cannot be made in a constant.
    #[cfg(not(rialto_loom))]
    new_event!(const);
    #[cfg(rialto_loom)]
    new_event!();

    /// Makes a clear event in place. If we die half-way, `attach` refuses it.
    ///
    /// # Safety
    /// `ptr` is aligned to 64 and valid for 64 bytes, which nobody uses as an event now.
    #[cfg(not(rialto_loom))]
    pub unsafe fn init(ptr: *mut Event) {
        // SAFETY: the caller's.
        unsafe { place::init(ptr, Event::new()) }
    }

    /// The event that somebody made at `ptr`. Errors: `Invalid` (null or misaligned), `BadRegion`.
    ///
    /// # Safety
    /// `ptr` is valid for 64 bytes of memory for `'a`, shared or not, that is written as an event only.
    #[cfg(not(rialto_loom))]
    pub unsafe fn attach<'a>(ptr: *const Event) -> Result<&'a Event> {
        // SAFETY: the caller's; `place` checks the rest.
        unsafe { place::attach(ptr) }
    }

    /// Sets it and wakes everybody who waits. Never waits; async-signal-safe. If we die here, it is set or
    /// it is not, and waiters see which at their tick at the latest. No effect on memory that is no event.
    #[inline]
    pub fn set_on<P: Platform>(&self, platform: P) {
        if self.magic.load(Relaxed) != MAGIC {
            return;
        }
        self.phase.fetch_or(SET, SeqCst);
        // If it was set already: its setter may have died before it woke them.
        self.event.notify_all(platform);
    }

    /// Clears it. Who waits because of an earlier clear, and was released by a `set` in between, returns all
    /// the same. Never waits; async-signal-safe.
    pub fn clear(&self) {
        let mut phase = self.phase.load(Relaxed);
        for _ in 0..CLEAR_TRIES {
            if phase & SET == 0 {
                return;
            }
            // Release: whoever sees the next phase sees what we did before.
            match self.phase.compare_exchange(phase, phase.wrapping_add(1), AcqRel, Relaxed) {
                Ok(_) => return,
                Err(now) => phase = now,
            }
        }
    }

    /// Whether it is set, at about this time. Acquire. Async-signal-safe.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.phase.load(Acquire) & SET != 0
    }

    /// Waits until it is set, at most `timeout_ns` (0 polls, [`FOREVER`]).
    ///
    /// Errors: `WouldBlock` (polling), `TimedOut`, `BadRegion`.
    #[inline]
    pub fn wait_on<P: Platform>(&self, platform: P, timeout_ns: u64) -> Result<()> {
        if self.magic.load(Relaxed) != MAGIC {
            return Err(Error::BadRegion);
        }
        let came_in = self.phase.load(Acquire);
        if came_in & SET != 0 {
            return Ok(());
        }
        let deadline = Deadline::after(platform, timeout_ns);
        self.event.block(
            platform,
            P::TICK_NS,
            deadline,
            |_| {},
            || {
                // Acquire: partner is `set`.
                if self.phase.load(Acquire) == came_in { Err(Error::WouldBlock) } else { Ok(()) }
            },
        )
    }
}

/// For the operating system's threads.
impl Event {
    /// As [`Event::set_on`].
    #[inline]
    pub fn set(&self) {
        self.set_on(Os {});
    }

    /// Waits until it is set. Errors: `BadRegion`.
    pub fn wait(&self) -> Result<()> {
        self.wait_on(Os {}, FOREVER)
    }

    /// Waits until it is set, at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn wait_timeout(&self, timeout_ns: u64) -> Result<()> {
        self.wait_on(Os {}, timeout_ns)
    }
}
