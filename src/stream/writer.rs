//! The writer's end.

use super::{Reserved, Stream};
use crate::{
    bytes,
    error::{Error, Result},
    ring::{
        RawArea,
        stream::{Place, Writer},
    },
    sys::{Os, Platform},
    time::Deadline,
};
use core::ops::Deref;

/// The writer's end of a stream, until it is dropped; and, by `Deref`, the stream. May be moved to another thread.
///
/// A forked child inherits a copy that is not its own: it must neither use nor drop it.
pub struct StreamWriter<'m, P: Platform = Os> {
    pub(super) stream: Stream<'m, P>,
    /// The owner word as we stored it.
    pub(super) mine: u32,
    pub(super) writer: Writer<RawArea<'m>>,
}

impl<'m, P: Platform> StreamWriter<'m, P> {
    /// Appends a message, waiting for room for ever.
    ///
    /// Errors: `MessageTooLarge` (nothing written), `Closed`, `NotOwner` (somebody has taken the end over),
    /// `BadRegion`. Blocks; not async-signal-safe. If we die here, the message is there whole or not at all.
    pub fn push(&mut self, message: &[u8]) -> Result<()> {
        self.push_until(message, Deadline::NEVER)
    }

    /// As [`StreamWriter::push`], but `WouldBlock` instead of waiting. Wait-free. In an interrupt or a signal
    /// handler, if that is the only user of this end.
    #[inline]
    pub fn try_push(&mut self, message: &[u8]) -> Result<()> {
        self.push_until(message, Deadline::NOW)
    }

    /// As [`StreamWriter::push`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn push_timeout(&mut self, message: &[u8], timeout_ns: u64) -> Result<()> {
        self.push_until(message, Deadline::after(self.stream.platform, timeout_ns))
    }

    #[inline]
    fn push_until(&mut self, message: &[u8], deadline: Deadline) -> Result<()> {
        let place = self.place_until(message.len(), deadline)?;
        // SAFETY: the place is the writer's, that is ours, until the commit; it has `len` bytes, 16-aligned.
        // `message` is private memory.
        unsafe { bytes::copy_in(message, self.bytes_of(&place)) };
        self.commit(place, message.len())
    }

    /// Room for a message of up to `len` bytes, to be written in place, waiting for it for ever. It appears when
    /// it is committed; dropped, nothing has happened.
    ///
    /// Errors: as [`StreamWriter::push`]. If we die with it, nothing has happened either.
    pub fn reserve(&mut self, len: usize) -> Result<Reserved<'_, 'm, P>> {
        self.reserve_until(len, Deadline::NEVER)
    }

    /// As [`StreamWriter::reserve`], but `WouldBlock` instead of waiting. Wait-free.
    pub fn try_reserve(&mut self, len: usize) -> Result<Reserved<'_, 'm, P>> {
        self.reserve_until(len, Deadline::NOW)
    }

    /// As [`StreamWriter::reserve`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn reserve_timeout(&mut self, len: usize, timeout_ns: u64) -> Result<Reserved<'_, 'm, P>> {
        self.reserve_until(len, Deadline::after(self.stream.platform, timeout_ns))
    }

    fn reserve_until(&mut self, len: usize, deadline: Deadline) -> Result<Reserved<'_, 'm, P>> {
        let place = self.place_until(len, deadline)?;
        Ok(Reserved { writer: self, place, len })
    }

    #[inline]
    fn place_until(&mut self, len: usize, deadline: Deadline) -> Result<Place> {
        if len > self.stream.max_message_bytes() {
            return Err(Error::MessageTooLarge);
        }
        let Stream { shared, platform, .. } = self.stream;
        let once = || {
            self.ready()?;
            Ok(self.writer.reserve(len as u32)?) // checked
        };
        shared.header.life.space.block(platform, P::TICK_NS, deadline, |_| {}, once)
    }

    /// Where its message goes.
    pub(super) fn bytes_of(&self, place: &Place) -> *mut u8 {
        self.stream.shared.area.payload(place.at())
    }

    /// Of the first `len` bytes, at most as many as were reserved.
    #[inline]
    pub(super) fn commit(&mut self, place: Place, len: usize) -> Result<()> {
        self.ready()?;
        self.writer.commit(place, len as u32, 0)?;
        self.stream.shared.header.life.data.notify(self.stream.platform);
        Ok(())
    }

    /// Whether the end is ours and the stream open.
    #[inline(always)]
    fn ready(&self) -> Result<()> {
        if !self.stream.writers_end().is(self.mine) {
            return Err(Error::NotOwner);
        }
        if self.stream.is_closed() { Err(Error::Closed) } else { Ok(()) }
    }
}

impl<'m, P: Platform> Deref for StreamWriter<'m, P> {
    type Target = Stream<'m, P>;
    fn deref(&self) -> &Stream<'m, P> {
        &self.stream
    }
}

impl<P: Platform> Drop for StreamWriter<'_, P> {
    fn drop(&mut self) {
        self.stream.writers_end().give_back(self.mine);
    }
}
