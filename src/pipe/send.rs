//! Sending: a message as one record, or as several if it is long.

use super::Connection;
use crate::{
    bytes,
    error::{Error, Result},
    member::Home,
    ring::stream::{self, Refused},
    sync::{Ordering::*, compiler_fence},
    time::Deadline,
    wait::Notifiers,
};

/// In a tag: this chunk goes on; the rest says how much of the message came before. Not set: this is the first,
/// and the rest is how long the message is.
pub(crate) const GOES_ON: u32 = 1 << 31;

impl<H: Home> Connection<'_, H> {
    /// Sends a message, waiting for room for ever.
    ///
    /// Errors: `MessageTooLarge`, `BrokenPipe` (the other end was closed, or its holder died: the message will
    /// not be read), `NotSupported` (this end only receives), `NotOwner` (we were taken for dead: the peer
    /// may have got the message or not), `BadRegion`.
    /// Blocks; not async-signal-safe. If we die here, the peer gets the whole message or nothing of it.
    pub fn send(&mut self, message: &[u8]) -> Result<()> {
        self.send_until(message, Deadline::NEVER)
    }

    /// As [`Connection::send`], but `WouldBlock`, with nothing sent, instead of waiting. `MessageTooLarge` also
    /// if the message would have to go in chunks, see [`Connection::max_chunk_bytes`]: that takes a receiver.
    pub fn try_send(&mut self, message: &[u8]) -> Result<()> {
        self.send_until(message, Deadline::NOW)
    }

    /// As [`Connection::send`], waiting at most `timeout_ns`: then `TimedOut`, and nothing of the message will
    /// be delivered, even if some of it went already. 0 polls, as [`Connection::try_send`].
    pub fn send_timeout(&mut self, message: &[u8], timeout_ns: u64) -> Result<()> {
        let deadline = Deadline::after(self.home.platform(), timeout_ns);
        self.send_until(message, deadline)
    }

    /// The longest message that goes in one piece. Never changes.
    pub fn max_chunk_bytes(&self) -> usize {
        let half = self.sender.as_ref().map(|half| half.way.area);
        let half = half.or(self.receiver.as_ref().map(|half| half.way.area));
        half.map_or(0, |area| stream::max_len(stream::Area::bytes(&area)) as usize)
    }

    fn send_until(&mut self, message: &[u8], deadline: Deadline) -> Result<()> {
        if message.len() > self.max_message as usize {
            return Err(Error::MessageTooLarge);
        }
        let piece = self.max_chunk_bytes();
        if message.len() <= piece {
            return self.send_chunk(message, message.len() as u32, deadline);
        }
        if deadline == Deadline::NOW {
            return Err(Error::MessageTooLarge);
        }
        // Half a piece at a time, so that the receiver copies one while we copy the next.
        let mut tag = message.len() as u32;
        let mut sent = 0;
        for chunk in message.chunks(piece.div_ceil(2)) {
            self.send_chunk(chunk, tag, deadline)?;
            sent += chunk.len() as u32;
            tag = GOES_ON | sent;
        }
        Ok(())
    }

    fn send_chunk(&mut self, chunk: &[u8], tag: u32, deadline: Deadline) -> Result<()> {
        let (home, ends) = (self.home, self.ends);
        ends.check()?;
        let half = self.sender.as_mut().ok_or(Error::NotSupported)?;
        let place = home.block_for(&half.way.space.sleepers, Notifiers::Light, deadline, || {
            if ends.is_peer_closed() {
                return Err(Error::BrokenPipe);
            }
            match half.stream.reserve(chunk.len() as u32) {
                // We may be given up while we wait.
                Err(Refused::Full) => ends.check().and(Err(Error::WouldBlock)),
                other => Ok(other?),
            }
        })?;
        // SAFETY: the place is ours until the commit, as long as was asked for, and 16-aligned; `chunk` is
        // private memory.
        unsafe { bytes::copy_in(chunk, half.way.area.payload(place.at())) };
        match half.stream.commit(place, chunk.len() as u32, tag) {
            // The receiver ends the stream only when it has seen our end closed (invariant 2), even if we do not
            // see that yet.
            Err(Refused::Ended) => return Err(Error::NotOwner),
            other => other?,
        }
        if half.stream.is_light() {
            // A light commit overwrites the end of the stream. But whoever ends it for us has seen our end lost,
            // then had a slow fence executed, then looked: it found this chunk, or we see it here.
            compiler_fence(SeqCst);
            ends.check()?;
        }
        half.way.data.notify_if_light(home.platform(), half.fd, half.stream.is_light());
        Ok(())
    }
}
