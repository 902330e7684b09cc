//! What Rialto needs from the machine below it: sleeping, waking, a clock, and who is alive.
//!
//! Everything above is written against [`Platform`], a small copyable value. [`linux`] is the backend
//! behind the `os` feature; `model` is loom's; a bare-metal program brings its own.
//! It takes raw deadlines in nanoseconds; `time` makes them.

mod cell;
#[cfg(not(rialto_loom))]
pub(crate) use cell::CELL_KIND;
#[cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]
pub mod linux;
#[cfg(rialto_loom)]
pub mod model;
#[cfg(not(any(all(feature = "os", target_os = "linux"), rialto_loom)))]
mod none;
#[cfg(any(not(target_has_atomic = "64"), all(test, not(rialto_loom))))]
mod short;

pub use cell::{Cell, DIED, OWNER, TAG_ID, UNDERTAKER, UNRECOVERABLE, WAITERS, tag_id};

use crate::{error::Result, sync::AtomicU32};

/// The platform that the plain types use.
#[cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]
pub type Os = linux::Linux;
/// The platform that the plain types use.
#[cfg(rialto_loom)]
pub type Os = model::Model;
/// No operating system is compiled in: bring a [`Platform`] of your own.
#[cfg(not(any(all(feature = "os", target_os = "linux"), rialto_loom)))]
pub type Os = none::None;

/// How a [`Platform::wait`] ended. Spurious wake-ups are `Woken`: callers look again in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Woken, interrupted, or the word no longer held the expected value.
    Woken,
    /// The deadline passed. Never early.
    TimedOut,
}

/// What is known of a thread that once wrote its id somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It runs, or is stopped.
    Alive,
    /// It is certain that it will never run again.
    Dead,
    /// Nobody here can say (another PID namespace, no /proc). **Never steal on this.**
    Unknown,
}

/// The operating system, or what stands in for it. Cheap to copy.
pub trait Platform: Copy + Default + Send + Sync {
    /// The calling thread, as [`Platform::thread`] finds it.
    type Thread: Thread;

    /// How often to look at a word before sleeping on it. 0 in models.
    const SPINS: u32;

    /// Sleepers on a lock wake at least this often, see [`crate::time::TICK_NS`]; those in a region have
    /// its own `tick_ms`. `u64::MAX`: no ticks at all; in models, where a wake-up that is lost must show as
    /// a deadlock instead of being healed.
    const TICK_NS: u64;

    /// Monotonic nanoseconds, unaffected by the wall clock. Async-signal-safe.
    fn now_ns(self) -> u64;

    /// Sleeps while `word` holds `expected`, until a [`Platform::wake`] or `deadline_ns` (absolute;
    /// `u64::MAX`: none). The comparison and going to sleep are one step against `wake`.
    fn wait(self, word: &AtomicU32, expected: u32, deadline_ns: u64) -> Waited;

    /// Wakes at most `count` sleepers on `word`, in any process; returns how many. Async-signal-safe.
    fn wake(self, word: &AtomicU32, count: u32) -> u32;

    /// If `from` still holds `expected`: wakes at most `wake` of those who sleep on it, has the others sleep
    /// on at `to` with the deadlines they have, and says true. False: nothing was done, the word has
    /// changed or the platform cannot. Async-signal-safe.
    fn requeue(self, from: &AtomicU32, expected: u32, to: &AtomicU32, wake: u32) -> bool {
        let _ = (from, expected, to, wake);
        false
    }

    /// Makes a descriptor of this process readable for whoever polls it (Linux: adds 1 to an eventfd). True
    /// if it is readable now. Never blocks on an eventfd made with `EFD_NONBLOCK`. Async-signal-safe.
    fn signal(self, fd: i32) -> bool {
        let _ = fd;
        false
    }

    /// From here on [`Platform::heavy_fence`], by whomever, reaches every thread of this process: Linux'
    /// `membarrier`. False: it does not, so this process must publish with fences of its own.
    fn accept_heavy_fences(self) -> bool {
        false
    }

    /// Between what the caller wrote before and what it reads behind, every thread of all processes that
    /// accept such fences executes a `fence(SeqCst)`. False: it could not be done.
    fn heavy_fence(self) -> bool {
        false
    }

    /// As [`Platform::heavy_fence`], but reaches every thread there is, and may take tens of milliseconds: for
    /// what must not go wrong even once, see `sys::linux`.
    fn slow_fence(self) -> bool {
        false
    }

    /// The calling thread's context, made on first use and anew after `fork`.
    ///
    /// Errors: `NoMemory` if the thread's private page could not be had.
    fn thread(self) -> Result<Self::Thread>;

    /// A number for a region of this process: not 0, and never issued before. The platform counts this
    /// process's memberships under it, in private memory: peers' bytes must not decide about unmapping.
    fn claim(self) -> u64;

    /// A thread of this process has become a member of that region.
    fn enter(self, region: u64);

    /// Such a membership has ended, and the thread touches its cell no more. Release.
    fn exit(self, region: u64);

    /// How many there are, or more if that is not known; a forked child has none of its parent's.
    /// Acquire, pairs with `exit`. Asked only to decide about unmapping: 0 where nothing is ever unmapped.
    fn users(self, region: u64) -> u32;

    /// That region's handle is gone. Memberships left in it may still end.
    fn give_back(self, region: u64);

    /// Whether the thread that wrote `id` and `tag` (see [`Thread`]) still exists.
    fn liveness(self, id: u32, tag: u64) -> Liveness;

    /// Who the calling process is: not 0, and another one in a forked child. What [`Platform::process_liveness`]
    /// understands, in any process. The default is for platforms without processes.
    ///
    /// Errors: as [`Platform::thread`].
    fn process(self) -> Result<u64> {
        Ok(1)
    }

    /// Whether any thread of the process that wrote this tag may still run. What is in `tag` does not matter.
    fn process_liveness(self, tag: u64) -> Liveness {
        let _ = tag;
        Liveness::Unknown
    }
}

/// The calling thread: its id, and the set of [`Cell`]s that its death must be told through.
///
/// The order of calls that makes a hand-over kill-safe at every instruction:
/// *acquire*: `announce(cell)`, CAS the word to `id()`, `link(cell)`, `settle()`;
/// *release*: `announce(cell)`, `unlink(cell)`, CAS the word away, `settle()`.
/// Between `announce` and `settle` the kernel, finding this thread dead, looks at the announced cell
/// as if it were linked. `announce` only on a word just seen free, or that is ours: across PID
/// namespaces two threads may have the same id, and the kernel compares nothing else.
pub trait Thread: Copy {
    /// Nonzero, below 2^30 - 1 ([`UNRECOVERABLE`]), unique among live threads of one PID namespace.
    fn id(self) -> u32;
    /// Who precisely, for [`Cell`]'s `tag`: the id in bits 41..63, evidence for [`Platform::liveness`]
    /// below, bit 63 clear; 0 where it cannot be known. On targets without 64-bit atomics the evidence has
    /// 9 bits, 0..9.
    fn tag(self) -> u64;
    /// Whether one more cell may be linked.
    fn has_room(self) -> bool;
    /// From here on our death is told through `cell` too, if its word then holds our id.
    ///
    /// # Safety
    /// `cell` stays mapped and in place until `settle`.
    unsafe fn announce(self, cell: &Cell);
    /// Ends `announce`.
    fn settle(self);
    /// Adds `cell` to the set. It must be announced, ours, and there must be room.
    ///
    /// # Safety
    /// `cell` stays mapped and in place until it is unlinked or the thread has ended, and its bytes 16..48
    /// are used for nothing else: its neighbours in the list, and the kernel, write and read there. What
    /// is linked already is still mapped and in place.
    unsafe fn link(self, cell: &Cell);
    /// Removes `cell` from the set; it must be in it.
    ///
    /// # Safety
    /// What is linked is still mapped and in place, as `link` was promised.
    unsafe fn unlink(self, cell: &Cell);
    /// Whether `cell` is in the set: the only proof that this thread owns it.
    fn holds(self, cell: &Cell) -> bool;
    /// Whether any cell of the set lies in those bytes.
    fn holds_within(self, start: *const u8, len: usize) -> bool;
    /// The thread's own member in the region that this process knows by that number.
    fn membership(self, region: u64) -> Option<u16>;
    /// Remembers it, until the thread ends. `TooManyHeld` if there are too many regions.
    fn set_membership(self, region: u64, id: u16, epoch: u64) -> Result<()>;
    /// Forgets it; returns (id, epoch).
    fn remove_membership(self, region: u64) -> Option<(u16, u64)>;
}
