//! The reader's end.

use super::{Peeked, Stream};
use crate::{
    bytes,
    error::{Error, Result},
    ring::{
        RawArea,
        stream::{Reader, Record, Refused},
    },
    sys::{Os, Platform},
    time::Deadline,
};
use core::ops::Deref;

/// What `pop` brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Popped {
    /// The message's bytes.
    pub len: usize,
    /// 0, or how often it was in hand before, of a reader that died or gave it back; 15 may be more.
    pub attempt: u8,
}

impl Popped {
    /// Somebody may have acted on this message already.
    pub fn redelivered(&self) -> bool {
        self.attempt > 0
    }
}

/// The reader's end of a stream, until it is dropped; and, by `Deref`, the stream. May be moved to another thread.
///
/// A forked child inherits a copy that is not its own: it must neither use nor drop it.
pub struct StreamReader<'m, P: Platform = Os> {
    pub(super) stream: Stream<'m, P>,
    /// The owner word as we stored it.
    pub(super) mine: u32,
    pub(super) reader: Reader<RawArea<'m>>,
}

impl<'m, P: Platform> StreamReader<'m, P> {
    /// Takes the next message into `buffer`, waiting for one for ever.
    ///
    /// Errors: `BufferTooSmall` if `buffer` is smaller than the stream's largest message (nothing taken),
    /// `Closed` when closed and drained, `NotOwner` (somebody has taken the end over), `BadRegion`. Blocks; not
    /// async-signal-safe. If we die before returning, the message was ours, or comes again, marked.
    pub fn pop(&mut self, buffer: &mut [u8]) -> Result<Popped> {
        self.pop_until(buffer, Deadline::NEVER)
    }

    /// As [`StreamReader::pop`], but `WouldBlock` instead of waiting. Wait-free. In an interrupt or a signal
    /// handler, if that is the only user of this end.
    #[inline]
    pub fn try_pop(&mut self, buffer: &mut [u8]) -> Result<Popped> {
        self.pop_until(buffer, Deadline::NOW)
    }

    /// As [`StreamReader::pop`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn pop_timeout(&mut self, buffer: &mut [u8], timeout_ns: u64) -> Result<Popped> {
        self.pop_until(buffer, Deadline::after(self.stream.platform, timeout_ns))
    }

    #[inline]
    fn pop_until(&mut self, buffer: &mut [u8], deadline: Deadline) -> Result<Popped> {
        if buffer.len() < self.stream.max_message_bytes() {
            return Err(Error::BufferTooSmall);
        }
        let record = self.hold_until(deadline)?;
        let len = self.copy_some(&record, buffer);
        self.release(&record);
        Ok(Popped { len, attempt: record.attempt() })
    }

    /// Takes the next message in hand, waiting for one for ever. As [`StreamReader::pop`] otherwise.
    pub fn peek(&mut self) -> Result<Peeked<'_, 'm, P>> {
        self.peek_until(Deadline::NEVER)
    }

    /// As [`StreamReader::peek`], but `WouldBlock` instead of waiting. Wait-free.
    pub fn try_peek(&mut self) -> Result<Peeked<'_, 'm, P>> {
        self.peek_until(Deadline::NOW)
    }

    /// As [`StreamReader::peek`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn peek_timeout(&mut self, timeout_ns: u64) -> Result<Peeked<'_, 'm, P>> {
        self.peek_until(Deadline::after(self.stream.platform, timeout_ns))
    }

    fn peek_until(&mut self, deadline: Deadline) -> Result<Peeked<'_, 'm, P>> {
        let record = self.hold_until(deadline)?;
        Ok(Peeked { reader: self, record })
    }

    #[inline]
    fn hold_until(&mut self, deadline: Deadline) -> Result<Record> {
        let Stream { shared, platform, .. } = self.stream;
        let data = &shared.header.life.data;
        let record = data.block(platform, P::TICK_NS, deadline, |_| {}, || self.find())?;
        self.reader.hold(&record);
        Ok(record)
    }

    /// The next message, if there is one that honest writers write.
    #[inline(always)]
    fn find(&mut self) -> Result<Record> {
        if !self.stream.readers_end().is(self.mine) {
            return Err(Error::NotOwner);
        }
        let record = match self.reader.look() {
            Err(Refused::Empty) => self.ended()?,
            other => other?,
        };
        if record.len() > self.stream.shared.geometry.max_message {
            return Err(Error::BadRegion);
        }
        Ok(record)
    }

    /// Nothing is there: is that the end? If so, no push can succeed behind this, see invariant 3 of the module.
    #[cold]
    fn ended(&mut self) -> Result<Record> {
        if !self.stream.is_closed() {
            return Err(Error::WouldBlock);
        }
        if self.reader.end() { Err(Refused::Ended.into()) } else { Ok(self.reader.look()?) }
    }

    /// Where its message lies.
    pub(super) fn bytes_of(&self, record: &Record) -> *const u8 {
        self.stream.shared.area.payload(record.at())
    }

    /// As much as there is, or fits.
    #[inline(always)]
    pub(super) fn copy_some(&self, record: &Record, buffer: &mut [u8]) -> usize {
        let len = buffer.len().min(record.len() as usize);
        // SAFETY: the record is in hand, and has `len` bytes in the ring, 16-aligned; the buffer is private.
        unsafe { bytes::copy_out(self.bytes_of(record), &mut buffer[..len]) };
        len
    }

    #[inline]
    pub(super) fn release(&mut self, record: &Record) {
        if self.stream.readers_end().is(self.mine) {
            self.reader.release(record);
            self.stream.shared.header.life.space.notify(self.stream.platform);
        }
    }
}

impl<'m, P: Platform> Deref for StreamReader<'m, P> {
    type Target = Stream<'m, P>;
    fn deref(&self) -> &Stream<'m, P> {
        &self.stream
    }
}

impl<P: Platform> Drop for StreamReader<'_, P> {
    fn drop(&mut self) {
        self.stream.readers_end().give_back(self.mine);
    }
}
