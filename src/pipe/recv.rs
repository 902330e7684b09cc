//! Receiving: messages put together from their chunks.

use super::{Connection, Ends, Half, send::GOES_ON};
use crate::{
    bytes,
    error::{Error, Result},
    member::Home,
    ring::{
        RawArea,
        stream::{self, Area, Reader, Record},
    },
    sys::Platform,
    time::Deadline,
    wait::Notifiers,
};

/// How many chunks may go by between two looks at the clock.
const CLOCK_EVERY: u64 = 1024;

/// A message of which not all chunks have come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    total: u32,
    got: u32,
}

impl Begun {
    /// The message that goes on with `record`, if one has `begun`, or begins with it, as it is before that. None:
    /// no honest sender's.
    fn of(record: &Record, begun: Option<Begun>, max_message: u32) -> Option<Begun> {
        // Invariant 3.
        let message = match (begun, record.tag() & GOES_ON != 0) {
            (_, false) => Begun { total: record.tag(), got: 0 },
            (Some(begun), true) if record.tag() == GOES_ON | begun.got => begun,
            _ => return None,
        };
        let left = message.total.checked_sub(message.got)?;
        // All but the last chunk carry something, so that this ends.
        let is_sound = record.len() == left || (1..left).contains(&record.len());
        (is_sound && message.total <= max_message).then_some(message)
    }
}

type Receiver<'r> = Half<'r, Reader<RawArea<'r>>>;

impl<H: Home> Connection<'_, H> {
    /// Receives the next message into `buffer`, waiting for ever; returns its length.
    ///
    /// Errors: `Closed` (the peer closed or died, and all it had sent whole was received: sticky),
    /// `BufferTooSmall` (nothing taken; [`Connection::next_len`] says how much it takes), `NotSupported` (this
    /// end only sends), `NotOwner` (we were taken for dead), `BadRegion` (a peer damaged the message).
    /// Blocks; not async-signal-safe. If we die here, the message is lost with us.
    pub fn recv(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.recv_until(buffer, Deadline::NEVER)
    }

    /// As [`Connection::recv`], but `WouldBlock` instead of waiting. If only some chunks of a long message are
    /// there, as [`Connection::recv_timeout`] says.
    pub fn try_recv(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.recv_until(buffer, Deadline::NOW)
    }

    /// As [`Connection::recv`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    ///
    /// If the time is up in the middle of a message that goes in chunks, **what has come is in `buffer`
    /// already**: the next call goes on behind it, so it must be given the same buffer, or one with the same
    /// bytes in it. [`Connection::received_bytes`] says how many.
    pub fn recv_timeout(&mut self, buffer: &mut [u8], timeout_ns: u64) -> Result<usize> {
        let deadline = Deadline::after(self.home.platform(), timeout_ns);
        self.recv_until(buffer, deadline)
    }

    /// How much of a message that goes in chunks is in the buffer of a `recv` that ran out of time in it;
    /// mostly 0.
    pub fn received_bytes(&self) -> usize {
        self.begun.map_or(0, |begun| begun.got as usize)
    }

    /// The length of the next message, if it has begun to arrive; of one in chunks it is the length of the whole,
    /// also if its sender will give it up, or dies. Errors: as [`Connection::try_recv`].
    pub fn next_len(&mut self) -> Result<usize> {
        self.ends.check()?;
        let half = self.receiver.as_mut().ok_or(Error::NotSupported)?;
        let record = half.look(self.home.platform(), self.ends)?;
        let message = Begun::of(&record, self.begun, self.max_message).ok_or(Error::BadRegion)?;
        Ok(message.total as usize)
    }

    fn recv_until(&mut self, buffer: &mut [u8], deadline: Deadline) -> Result<usize> {
        let (home, ends) = (self.home, self.ends);
        let max_message = self.max_message;
        let mut begun = self.begun;
        ends.check()?;
        let half = self.receiver.as_mut().ok_or(Error::NotSupported)?;
        // More chunks than can lie there: somebody sends faster than we read. Honest ones end, others must
        // not hold us past the deadline.
        let at_once = u64::from(half.way.area.bytes() / stream::UNIT);
        let at_once = if deadline == Deadline::NOW { at_once } else { at_once.min(CLOCK_EVERY) };
        let mut chunks = 0u64;
        let result = loop {
            chunks += 1;
            if chunks % at_once == 0 && home.platform().now_ns() >= deadline.0 {
                break Err(if deadline == Deadline::NOW { Error::WouldBlock } else { Error::TimedOut });
            }
            let chunk = home.block_for(&half.way.data.sleepers, Notifiers::Light, deadline, || {
                half.look(home.platform(), ends)
            });
            let record = match chunk {
                Ok(record) => record,
                Err(error) => break Err(error),
            };
            let Some(message) = Begun::of(&record, begun, max_message) else {
                begun = None;
                half.done(home, &record);
                break Err(Error::BadRegion);
            };
            let (from, to) = (message.got as usize, (message.got + record.len()) as usize);
            if message.total as usize > buffer.len() {
                break Err(Error::BufferTooSmall);
            }
            // SAFETY: the record lies in the stream, 16-aligned, and stays until it is released.
            unsafe { bytes::copy_out(half.way.area.payload(record.at()), &mut buffer[from..to]) };
            half.done(home, &record);
            if to == message.total as usize {
                begun = None;
                break Ok(to);
            }
            begun = Some(Begun { got: to as u32, ..message });
        };
        self.begun = if result == Err(Error::Closed) { None } else { begun };
        result
    }
}

impl Receiver<'_> {
    /// The next chunk, or `Closed`, or `WouldBlock`.
    pub(super) fn look(&mut self, platform: impl Platform, ends: Ends) -> Result<Record> {
        if self.over {
            return Err(Error::Closed);
        }
        match self.stream.look().map_err(Error::from) {
            Err(Error::WouldBlock) => {}
            other => return other,
        }
        // We may be given up while we wait.
        ends.check()?;
        if !ends.is_peer_closed() {
            return Err(Error::WouldBlock);
        }
        // Invariant 2. Who closed its end was through; who was given up may be sending still, where it is a
        // thread that has ended and another one uses its connection: see `send_chunk`.
        if ends.has_peer_died() && !self.grace.is_over(platform) {
            return Err(Error::WouldBlock);
        }
        self.over = self.stream.end();
        if self.over { Err(Error::Closed) } else { Ok(self.stream.look()?) }
    }

    fn done<H: Home>(&mut self, home: &H, record: &Record) {
        self.stream.release(record);
        self.way.space.notify_if_light(home.platform(), self.fd, self.stream.is_light());
    }
}
