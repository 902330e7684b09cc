//! Waiting for a message without taking it, and event loops; how those work stands in `queue::poll`.

use super::Connection;
use crate::{
    error::{Error, Result},
    member::{Depth, Home},
    time::Deadline,
    wait::{Fd, Notifiers},
};

impl<H: Home> Connection<'_, H> {
    /// Waits at most `timeout_ns` until a `recv` would bring something: true if a message has begun to arrive,
    /// or the stream has ended (as Python's `poll`). False: the time is up. 0 polls.
    ///
    /// Errors: `NotSupported`, `NotOwner`, `BadRegion`. Blocks; not async-signal-safe.
    pub fn poll(&mut self, timeout_ns: u64) -> Result<bool> {
        let (home, ends) = (self.home, self.ends);
        ends.check()?;
        let half = self.receiver.as_mut().ok_or(Error::NotSupported)?;
        let deadline = Deadline::after(home.platform(), timeout_ns);
        match home.block_for(&half.way.data.sleepers, Notifiers::Light, deadline, || {
            half.look(home.platform(), ends).map(drop)
        }) {
            Ok(()) | Err(Error::Closed) => Ok(true),
            Err(Error::TimedOut | Error::WouldBlock) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What is sent from here on signals `fd`, a descriptor of this process, if the receiver has armed; as
    /// `Queue::with_data_fd`. `NotSupported`: this end only receives.
    pub fn set_data_fd(&mut self, fd: Fd) -> Result<()> {
        self.sender.as_mut().ok_or(Error::NotSupported)?.fd = fd;
        Ok(())
    }

    /// What is received from here on signals `fd` if the sender has armed for room. `NotSupported`: this end
    /// only sends.
    pub fn set_space_fd(&mut self, fd: Fd) -> Result<()> {
        self.receiver.as_mut().ok_or(Error::NotSupported)?.fd = fd;
        Ok(())
    }

    /// Before polling for a message: from now on the next one, and the end of the stream, is signalled. True if
    /// a `recv` is worth a try at once. Never blocks.
    pub fn arm_data(&mut self) -> bool {
        self.look_for_data(Depth::Marked)
    }

    /// What an event loop calls at each tick: recovers the dead, looks, and arms anew. True as for
    /// [`Connection::arm_data`]. A peer's death is noticed here, and signals nothing.
    pub fn recheck_data(&mut self) -> bool {
        self.look_for_data(Depth::Tick)
    }

    /// As [`Connection::arm_data`], for room: true if sending a message of `len` bytes (or the next chunk of a
    /// longer one) is worth a try.
    pub fn arm_space(&mut self, len: usize) -> bool {
        self.look_for_space(len, Depth::Marked)
    }

    /// As [`Connection::recheck_data`], for room.
    pub fn recheck_space(&mut self, len: usize) -> bool {
        self.look_for_space(len, Depth::Tick)
    }

    /// How often to recheck.
    pub fn tick_ns(&self) -> u64 {
        self.home.tick_ns()
    }

    fn look_for_data(&mut self, depth: Depth) -> bool {
        self.home.recover_until(depth, Deadline::NOW);
        let Some(half) = &mut self.receiver else { return true };
        let _ = half.way.data.pollers.prepare();
        half.look(self.home.platform(), self.ends).map(drop) != Err(Error::WouldBlock)
    }

    fn look_for_space(&mut self, len: usize, depth: Depth) -> bool {
        self.home.recover_until(depth, Deadline::NOW);
        let len = len.min(self.max_chunk_bytes()) as u32;
        let Some(half) = &mut self.sender else { return true };
        let _ = half.way.space.pollers.prepare();
        half.stream.has_room(len) || self.ends.is_peer_closed() || self.ends.check().is_err()
    }
}
