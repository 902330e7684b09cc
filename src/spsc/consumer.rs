//! The consumer's end: messages copied out, one or several, or taken in hand where they lie.

use super::{Peeked, Spsc, ends::Claimed};
use crate::{
    bytes,
    error::{Error, Result},
    member::{Depth, Home},
    ring::{
        RawArea,
        stream::{self, Reader, Record, Refused},
    },
    sync::{self, Ordering::*},
    time::Deadline,
    wait::{Fd, Grace, Notifiers},
};
use core::ops::Deref;

/// What `pop` brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Popped {
    /// The message's bytes.
    pub len: usize,
    /// 0, or how often it was in hand before, of a consumer that died or gave it back.
    pub attempt: u8,
}

impl Popped {
    /// Somebody may have acted on this message already.
    pub fn redelivered(&self) -> bool {
        self.attempt > 0
    }
}

/// The consumer's end of an SPSC queue, until it is dropped; and, by `Deref`, the queue. May be moved to
/// another thread, see the module's Limits.
///
/// A forked child inherits a copy that is not its own: it must neither use nor drop it.
pub struct Consumer<'r, H: Home> {
    pub(super) spsc: Spsc<'r, H>,
    /// The owner word as we stored it.
    pub(super) mine: u32,
    pub(super) reader: Reader<RawArea<'r>>,
    /// Since we first found the queue closed and empty.
    pub(super) grace: Grace,
}

impl<'r, H: Home> Consumer<'r, H> {
    /// Takes the next message into `buffer`, waiting for one for ever.
    ///
    /// Errors: `BufferTooSmall` if `buffer` is smaller than the queue's largest message (nothing taken),
    /// `Closed` when closed and drained, `Poisoned` (see [`Consumer::take_poisoned`]), `NotOwner` (the member
    /// that claimed the end is gone), `BadRegion`. Blocks; not async-signal-safe. If we die before returning,
    /// the message was ours or is seen to as [`super::OnDeath`] says.
    pub fn pop(&mut self, buffer: &mut [u8]) -> Result<Popped> {
        self.pop_until(buffer, Deadline::NEVER)
    }

    /// As [`Consumer::pop`], but `WouldBlock` instead of waiting.
    #[inline]
    pub fn try_pop(&mut self, buffer: &mut [u8]) -> Result<Popped> {
        self.pop_until(buffer, Deadline::NOW)
    }

    /// As [`Consumer::pop`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn pop_timeout(&mut self, buffer: &mut [u8], timeout_ns: u64) -> Result<Popped> {
        self.pop_until(buffer, Deadline::after(self.spsc.home.platform(), timeout_ns))
    }

    #[inline]
    fn pop_until(&mut self, buffer: &mut [u8], deadline: Deadline) -> Result<Popped> {
        self.check_buffer(buffer)?;
        self.blocking(deadline, |this| {
            let record = this.find()?;
            Ok(this.take(&record, buffer))
        })
    }

    /// Takes as many messages as there are, at least one and at most `messages.len()`, waiting for the first
    /// for ever. Message `i` lies in `buffer` from `i * max_message_bytes()` on; returns how many. They are
    /// released all at once, with one wake.
    ///
    /// Errors, with none taken: as [`Consumer::pop`]; `BufferTooSmall` if not one message fits `buffer`; fewer
    /// are taken if fewer fit. `Invalid` if `messages` is empty. If we die before they are released, all of
    /// them come again, the first one marked: we had returned none.
    pub fn pop_many(&mut self, buffer: &mut [u8], messages: &mut [Popped]) -> Result<usize> {
        self.pop_many_until(buffer, messages, |popped| popped, Deadline::NEVER)
    }

    /// As [`Consumer::pop_many`], but `WouldBlock` instead of waiting.
    pub fn try_pop_many(&mut self, buffer: &mut [u8], messages: &mut [Popped]) -> Result<usize> {
        self.pop_many_until(buffer, messages, |popped| popped, Deadline::NOW)
    }

    /// As [`Consumer::pop_many`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn pop_many_timeout(
        &mut self,
        buffer: &mut [u8],
        messages: &mut [Popped],
        timeout_ns: u64,
    ) -> Result<usize> {
        self.pop_many_as(buffer, messages, |popped| popped, timeout_ns)
    }

    /// As [`Consumer::pop_many_timeout`], to what `as_told` makes of what is told.
    pub(crate) fn pop_many_as<T>(
        &mut self,
        buffer: &mut [u8],
        messages: &mut [T],
        as_told: impl Fn(Popped) -> T,
        timeout_ns: u64,
    ) -> Result<usize> {
        let deadline = Deadline::after(self.spsc.home.platform(), timeout_ns);
        self.pop_many_until(buffer, messages, as_told, deadline)
    }

    fn pop_many_until<T>(
        &mut self,
        buffer: &mut [u8],
        messages: &mut [T],
        as_told: impl Fn(Popped) -> T,
        deadline: Deadline,
    ) -> Result<usize> {
        if messages.is_empty() {
            return Err(Error::Invalid);
        }
        self.check_buffer(buffer)?;
        self.blocking(deadline, |this| this.pop_batch(buffer, messages, &as_told))
    }

    fn pop_batch<T>(
        &mut self,
        buffer: &mut [u8],
        messages: &mut [T],
        as_told: &impl Fn(Popped) -> T,
    ) -> Result<usize> {
        let mut record = self.find()?;
        self.reader.hold(&record);
        let mut count = 0;
        let places = buffer.chunks_exact_mut(self.spsc.max_message_bytes());
        for (place, popped) in places.zip(messages) {
            if count > 0 {
                match self.reader.look_behind(&record) {
                    Ok(next) if self.fits(&next) => record = next,
                    _ => break,
                }
            }
            *popped = as_told(self.copy(&record, place));
            count += 1;
        }
        self.reader.release(&record);
        self.spsc.notify_space(self.reader.is_light());
        Ok(count)
    }

    /// Takes the next message in hand, waiting for one for ever. As [`Consumer::pop`] otherwise.
    pub fn peek(&mut self) -> Result<Peeked<'_, 'r, H>> {
        self.peek_until(Deadline::NEVER)
    }

    /// As [`Consumer::peek`], but `WouldBlock` instead of waiting.
    #[inline]
    pub fn try_peek(&mut self) -> Result<Peeked<'_, 'r, H>> {
        self.peek_until(Deadline::NOW)
    }

    /// As [`Consumer::peek`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn peek_timeout(&mut self, timeout_ns: u64) -> Result<Peeked<'_, 'r, H>> {
        self.peek_until(Deadline::after(self.spsc.home.platform(), timeout_ns))
    }

    #[inline]
    fn peek_until(&mut self, deadline: Deadline) -> Result<Peeked<'_, 'r, H>> {
        let record = self.hold_until(deadline)?;
        Ok(Peeked { consumer: self, record })
    }

    /// As [`Consumer::peek_timeout`], for who cannot borrow us meanwhile: before the message is released or
    /// forgotten, nothing else may be taken or looked at.
    #[cfg(feature = "capi")]
    pub(crate) fn hold_timeout(&mut self, timeout_ns: u64) -> Result<Record> {
        self.hold_until(Deadline::after(self.spsc.home.platform(), timeout_ns))
    }

    #[inline]
    fn hold_until(&mut self, deadline: Deadline) -> Result<Record> {
        let record = self.blocking(deadline, Self::find)?;
        self.reader.hold(&record);
        Ok(record)
    }

    /// Where its message lies.
    #[inline]
    pub(crate) fn bytes_of(&self, record: &Record) -> *const u8 {
        self.spsc.shared.area.payload(record.at())
    }

    /// As [`Peeked::copy_to`].
    #[inline]
    pub(crate) fn copy_some(&self, record: &Record, buffer: &mut [u8]) -> usize {
        let len = buffer.len().min(record.len() as usize);
        // SAFETY: the record is in hand, and has `len` bytes in the stream.
        unsafe { bytes::copy_out(self.bytes_of(record), &mut buffer[..len]) };
        len
    }

    /// As [`Peeked::release`].
    #[inline]
    pub(crate) fn release(&mut self, record: &Record) {
        if self.spsc.consumers_end().is(self.mine) {
            self.reader.release(record);
            self.spsc.notify_space(self.reader.is_light());
        }
    }

    /// The next message if it is poisoned: it was in hand `max_attempts + 1` times and came back each time (or
    /// once, where the queue is to stop). Nothing else comes before somebody takes it.
    ///
    /// Errors: `WouldBlock` if the next one is not, or there is none; `BufferTooSmall`, `NotOwner`,
    /// `BadRegion`. Never blocks.
    pub fn take_poisoned(&mut self, buffer: &mut [u8]) -> Result<Popped> {
        self.check_buffer(buffer)?;
        match self.look() {
            Ok(record) if self.is_poisoned(&record) => Ok(self.take(&record, buffer)),
            Ok(_) | Err(Error::Closed) => Err(Error::WouldBlock),
            Err(error) => Err(error),
        }
    }

    /// 1 if the next message is poisoned, else 0.
    pub fn poisoned(&self) -> usize {
        usize::from(self.look().is_ok_and(|record| self.is_poisoned(&record)))
    }

    #[inline]
    fn check_buffer(&self, buffer: &[u8]) -> Result<()> {
        if buffer.len() < self.spsc.max_message_bytes() { Err(Error::BufferTooSmall) } else { Ok(()) }
    }

    #[inline]
    fn is_poisoned(&self, record: &Record) -> bool {
        record.attempt() > self.spsc.shared.geometry.limit()
    }

    /// Only a peer that writes wild makes longer ones.
    #[inline(always)]
    fn fits(&self, record: &Record) -> bool {
        record.len() <= self.spsc.shared.geometry.max_message
    }

    /// The next message, whatever may be done with it. `WouldBlock` also if closed.
    #[inline(always)]
    fn look(&self) -> Result<Record> {
        if !self.spsc.consumers_end().is(self.mine) {
            return Err(Error::NotOwner);
        }
        let record = self.reader.look()?;
        if !self.fits(&record) {
            return Err(Error::BadRegion);
        }
        Ok(record)
    }

    /// The next message, if it may be delivered.
    #[inline(always)]
    fn find(&mut self) -> Result<Record> {
        let record = match self.look() {
            Ok(record) => record,
            Err(Error::WouldBlock) => self.ended()?,
            Err(error) => return Err(error),
        };
        if self.is_poisoned(&record) {
            return Err(Error::Poisoned);
        }
        Ok(record)
    }

    /// Nothing is there: is that the end?
    fn ended(&mut self) -> Result<Record> {
        if self.spsc.shared.header.life.0.closed.load(SeqCst) == 0 {
            return Err(Error::WouldBlock);
        }
        // Invariant 3 of the module: a push may be under way that has seen the queue open.
        if self.is_push_under_way() {
            return Err(Error::WouldBlock);
        }
        if self.reader.end() { Err(Refused::Ended.into()) } else { self.look() }
    }

    /// Behind the look at the closed flag: see Light in `ring::stream`.
    #[cold]
    fn is_push_under_way(&mut self) -> bool {
        // Whoever claims it after this finds the queue closed: see Ordering in the module.
        sync::model_fence(); // for these SeqCst looks
        if !self.spsc.producers_end().is_held() {
            return false;
        }
        // A push that had seen the queue open says busy by now, and every later one sees it closed.
        if !self.grace.is_over(self.spsc.home.platform()) {
            return true;
        }
        stream::is_busy(self.spsc.shared.area) && self.spsc.producers_end().is_held()
    }

    #[inline(always)]
    fn take(&mut self, record: &Record, buffer: &mut [u8]) -> Popped {
        self.reader.hold(record);
        let popped = self.copy(record, buffer);
        self.reader.release(record);
        self.spsc.notify_space(self.reader.is_light());
        popped
    }

    /// `buffer` has room for the largest message.
    #[inline(always)]
    fn copy(&self, record: &Record, buffer: &mut [u8]) -> Popped {
        let len = record.len() as usize;
        // SAFETY: the record is in hand, its payload has `len` bytes, 16-aligned, in the stream; `fits` was
        // asked, and the buffer checked, so it has as many.
        unsafe { bytes::copy_out(self.spsc.shared.area.payload(record.at()), &mut buffer[..len]) };
        Popped { len, attempt: record.attempt() }
    }

    /// Gives a message up that the consumer before had in hand when it died.
    #[cold]
    pub(super) fn drop_marked(&mut self) -> Result<()> {
        match self.look() {
            Ok(record) if record.attempt() > 0 => {
                self.reader.release(&record);
                self.spsc.shared.header.consumer.0.dropped.fetch_add(1, Relaxed);
                self.spsc.notify_space(self.reader.is_light());
                Ok(())
            }
            Ok(_) | Err(Error::WouldBlock | Error::Closed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    #[inline]
    fn blocking<T>(&mut self, deadline: Deadline, mut once: impl FnMut(&mut Self) -> Result<T>) -> Result<T> {
        let Spsc { home, shared, .. } = self.spsc;
        home.block_for(&shared.header.data.0.sleepers, Notifiers::Light, deadline, || once(self))
    }

    /// Before polling for data: from now on the next push is signalled. True if a pop is worth a try at once
    /// (a message is there, or something else to be told than `WouldBlock`): then do not poll. Never blocks.
    pub fn arm_data(&mut self) -> bool {
        self.arm(Depth::Marked)
    }

    /// What the loop calls at each tick: recovers the dead, looks, and arms anew. True as for
    /// [`Consumer::arm_data`]. Takes some 15 us, see [`Depth::Tick`].
    pub fn recheck_data(&mut self) -> bool {
        self.arm(Depth::Tick)
    }

    fn arm(&mut self, depth: Depth) -> bool {
        self.spsc.home.recover_until(depth, Deadline::NOW);
        let _ = self.spsc.shared.header.data.0.pollers.prepare();
        !matches!(self.find(), Err(Error::WouldBlock))
    }

    /// As [`Spsc::with_data_fd`], for this end (which brings data only by closing).
    pub fn set_data_fd(&mut self, fd: Fd) {
        self.spsc.data_fd = fd;
    }

    /// As [`Spsc::with_space_fd`], for this end.
    pub fn set_space_fd(&mut self, fd: Fd) {
        self.spsc.space_fd = fd;
    }
}

impl<'r, H: Home> Deref for Consumer<'r, H> {
    type Target = Spsc<'r, H>;
    fn deref(&self) -> &Spsc<'r, H> {
        &self.spsc
    }
}

impl<H: Home> Drop for Consumer<'_, H> {
    fn drop(&mut self) {
        let claimed = Claimed { mine: self.mine, died: false };
        self.spsc.give_back(self.spsc.consumers_end(), claimed);
    }
}
