//! Event loops: a companion descriptor (Linux: an eventfd) that becomes readable when a pop, or a push, may
//! succeed.
//!
//! Descriptors are each process's own, so the shared bytes know nothing of them. Who polls makes an eventfd
//! (`EFD_NONBLOCK`) and passes it to the other side's processes, by `fork` or `SCM_RIGHTS`; there it is told
//! to the handle that pushes ([`Queue::with_data_fd`]) or pops ([`Queue::with_space_fd`]). A handle without
//! one does nothing, at no cost; one with it writes only if somebody has armed since the last write.
//!
//! **One descriptor per queue and side**: all who push signal the same eventfd (by numbers of their own), for all
//! loops that wait for data. With two, a signal of one would disarm the other's.
//!
//! ```text
//! loop {
//!     while let Ok(message) = queue.try_pop(..) { .. }
//!     if queue.arm_data() { continue }        // something came meanwhile
//!     if poll(fd, tick) == timed out { queue.recheck_data() } else { read(fd) }
//! }
//! ```
//!
//! # Crash
//! A producer killed between its publish and its write leaves the descriptor silent although a message is
//! there, and a dead consumer's message comes back without a write (recovery knows no descriptors). So the
//! loop wakes at least once per tick (the region's, [`Queue::tick_ns`]) and calls `recheck_data`.
//!
//! # Ordering
//! As `wait`: `arm` is `prepare` and the look is behind its fence; the write is the wake.
//!
//! # Checked by
//! `tests/loom_poll.rs`, `tests/poll.rs`, `tests/sweep_queue_full.rs`.

use super::Queue;
use crate::{
    member::{Depth, Home},
    time::Deadline,
    wait::{Fd, Signal},
};

impl<H: Home> Queue<'_, H> {
    /// The same queue, whose pushes through this handle signal `fd` if somebody has armed for data.
    /// `fd` is not closed, and must stay what it is; if it is closed, nothing is signalled.
    #[must_use]
    pub fn with_data_fd(&self, fd: Fd) -> Self {
        Queue { data_fd: fd, ..*self }
    }

    /// The same queue, whose pops and releases through this handle signal `fd` if somebody has armed for
    /// room. As [`Queue::with_data_fd`].
    #[must_use]
    pub fn with_space_fd(&self, fd: Fd) -> Self {
        Queue { space_fd: fd, ..*self }
    }

    /// Before polling for data: from now on the next message is signalled. True if a pop is worth a try
    /// at once (a message, or the end of the stream, is there): then do not poll. Never blocks.
    pub fn arm_data(&self) -> bool {
        self.arm(self.data(), Depth::Marked, || self.is_worth_a_pop())
    }

    /// What the loop calls at each tick: recovers the dead, looks, and arms anew. True as for
    /// [`Queue::arm_data`]. Takes some 15 us, see [`Depth::Tick`].
    pub fn recheck_data(&self) -> bool {
        self.arm(self.data(), Depth::Tick, || self.is_worth_a_pop())
    }

    /// As [`Queue::arm_data`], for room: true if a push is worth a try (there is room, or the queue is
    /// closed).
    pub fn arm_space(&self) -> bool {
        self.arm(self.space(), Depth::Marked, || self.shared.has_room() || self.is_closed())
    }

    /// As [`Queue::recheck_data`], for room.
    pub fn recheck_space(&self) -> bool {
        self.arm(self.space(), Depth::Tick, || self.shared.has_room() || self.is_closed())
    }

    /// How often to recheck.
    pub fn tick_ns(&self) -> u64 {
        self.home.tick_ns()
    }

    fn arm(&self, signal: &Signal, depth: Depth, ready: impl FnOnce() -> bool) -> bool {
        self.home.recover_until(depth, Deadline::NOW);
        let _ = signal.pollers.prepare();
        ready()
    }

    /// Closed, it is not yet the end while somebody writes (maybe for long: a loan). Who ends that, signals.
    fn is_worth_a_pop(&self) -> bool {
        self.shared.has_message() || self.is_closed() && !self.shared.ring.has_writers()
    }

    pub(super) fn data(&self) -> &Signal {
        &self.shared.header.data.0
    }

    pub(super) fn space(&self) -> &Signal {
        &self.shared.header.space.0
    }
}
