//! Timeouts and deadlines: one conversion, then one monotonic deadline for every inner wait.

use crate::sys::Platform;

/// "Never": the timeout that waits for ever, and the deadline that never comes.
pub const FOREVER: u64 = u64::MAX;

/// How long a sleeper outside a region sleeps at most before it looks around again (in a region: its
/// `tick_ms`, usually the same): the bound within which a wake-up that died with its receiver, or a death that the kernel did not tell, is noticed.
/// 0.02 % of a CPU per sleeper at this value (measured with 40 sleepers).
pub const TICK_NS: u64 = 100_000_000;

/// A point on the platform's monotonic clock, in nanoseconds; [`FOREVER`] never comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub u64);

impl Deadline {
    /// Has passed already: a poll.
    pub const NOW: Deadline = Deadline(0);
    /// Never comes.
    pub const NEVER: Deadline = Deadline(FOREVER);

    /// `timeout_ns` from now; 0 polls, [`FOREVER`] (or an overflow) never comes.
    #[inline]
    pub fn after(platform: impl Platform, timeout_ns: u64) -> Deadline {
        match timeout_ns {
            0 => Deadline::NOW,
            FOREVER => Deadline::NEVER,
            ns => Deadline(platform.now_ns().saturating_add(ns)),
        }
    }

    /// True once the clock has reached it. Reads the clock only if it must.
    #[inline]
    pub fn passed(self, platform: impl Platform) -> bool {
        match self.0 {
            0 => true,
            FOREVER => false,
            at => platform.now_ns() >= at,
        }
    }

    /// The end of the next sleep: this deadline or a tick of `tick_ns` from now, whichever is first.
    #[inline]
    pub fn or_tick(self, platform: impl Platform, tick_ns: u64) -> Deadline {
        if tick_ns == FOREVER {
            return self;
        }
        Deadline(self.0.min(platform.now_ns().saturating_add(tick_ns)))
    }
}
