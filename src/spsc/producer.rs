//! The producer's end: messages copied in, or several at once.

use super::{Reserved, Spsc, ends::Claimed};
use crate::{
    bytes,
    error::{Error, Result},
    member::{Depth, Home},
    ring::{
        RawArea,
        stream::{Place, Writer},
    },
    sync::Ordering::*,
    time::Deadline,
    wait::{Fd, Notifiers},
};
use core::ops::Deref;

/// The producer's end of an SPSC queue, until it is dropped; and, by `Deref`, the queue. May be moved to
/// another thread, see the module's Limits.
///
/// A forked child inherits a copy that is not its own: it must neither use nor drop it.
pub struct Producer<'r, H: Home> {
    pub(super) spsc: Spsc<'r, H>,
    /// The owner word as we stored it.
    pub(super) mine: u32,
    pub(super) writer: Writer<RawArea<'r>>,
}

impl<'r, H: Home> Producer<'r, H> {
    /// Appends a message, waiting for room for ever.
    ///
    /// Errors: `MessageTooLarge` (nothing written), `Closed`, `NotOwner` (the member that claimed the end is
    /// gone), `BadRegion`. Blocks; not async-signal-safe. If we die here, the message is either in the queue
    /// or was in our hand.
    pub fn push(&mut self, message: &[u8]) -> Result<()> {
        self.push_until(message, Deadline::NEVER)
    }

    /// As [`Producer::push`], but `WouldBlock` instead of waiting.
    #[inline]
    pub fn try_push(&mut self, message: &[u8]) -> Result<()> {
        self.push_until(message, Deadline::NOW)
    }

    /// As [`Producer::push`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn push_timeout(&mut self, message: &[u8], timeout_ns: u64) -> Result<()> {
        self.push_until(message, Deadline::after(self.spsc.home.platform(), timeout_ns))
    }

    #[inline]
    fn push_until(&mut self, message: &[u8], deadline: Deadline) -> Result<()> {
        self.check_len(message.len())?;
        self.blocking(deadline, |this| this.push_once(message))
    }

    #[inline]
    fn push_once(&mut self, message: &[u8]) -> Result<()> {
        let len = message.len() as u32; // checked
        self.ready()?;
        let place = self.writer.reserve(len)?;
        // SAFETY: the place is the producer's, that is ours, until the commit; it has `len` bytes, 16-aligned.
        // `message` is private memory.
        unsafe { bytes::copy_in(message, self.spsc.shared.area.payload(place.at())) };
        self.writer.prepare(place, len, 0);
        self.publish()
    }

    /// Commits what was prepared, unless the queue was closed.
    #[inline(always)]
    fn publish(&mut self) -> Result<()> {
        if !self.spsc.producers_end().is(self.mine) {
            return Err(self.withdraw(Error::NotOwner)); // the tail is another's to mark
        }
        self.writer.begin();
        if let Err(error) = self.ready() {
            return Err(self.withdraw(error));
        }
        self.writer.publish()?;
        self.spsc.notify_data(self.writer.is_light());
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn withdraw(&mut self, error: Error) -> Error {
        self.writer.forget();
        if error != Error::NotOwner {
            self.writer.rest();
            // Who ends the stream may be waiting for us.
            self.spsc.notify_data(self.writer.is_light());
        }
        error
    }

    /// Appends the messages in order, waiting for room for ever. As many as fit at a time appear all at once,
    /// with one wake. Returns how many: all, or fewer if the queue was closed meanwhile.
    ///
    /// Errors, with none appended: as [`Producer::push`]; `MessageTooLarge` if any of them is. If we die here,
    /// the first so many are in the queue.
    pub fn push_many(&mut self, messages: &[&[u8]]) -> Result<usize> {
        self.push_many_until(messages, |message| message, Deadline::NEVER)
    }

    /// As [`Producer::push_many`], but only as many as there is room for now: `WouldBlock` if for none.
    pub fn try_push_many(&mut self, messages: &[&[u8]]) -> Result<usize> {
        self.push_many_until(messages, |message| message, Deadline::NOW)
    }

    /// As [`Producer::push_many`], waiting at most `timeout_ns` in all: fewer if the time is up, `TimedOut` if
    /// none. 0 polls: `WouldBlock`.
    pub fn push_many_timeout(&mut self, messages: &[&[u8]], timeout_ns: u64) -> Result<usize> {
        self.push_many_as(messages, |message| message, timeout_ns)
    }

    /// As [`Producer::push_many_timeout`], of what `bytes_of` makes bytes of, always the same ones.
    pub(crate) fn push_many_as<T>(
        &mut self,
        messages: &[T],
        bytes_of: impl Fn(&T) -> &[u8],
        timeout_ns: u64,
    ) -> Result<usize> {
        let deadline = Deadline::after(self.spsc.home.platform(), timeout_ns);
        self.push_many_until(messages, bytes_of, deadline)
    }

    fn push_many_until<T>(
        &mut self,
        messages: &[T],
        bytes_of: impl Fn(&T) -> &[u8],
        deadline: Deadline,
    ) -> Result<usize> {
        messages.iter().try_for_each(|message| self.check_len(bytes_of(message).len()))?;
        let mut sent = 0;
        while let Some(rest) = messages.get(sent..).filter(|rest| !rest.is_empty()) {
            match self.blocking(deadline, |this| this.push_batch(rest, &bytes_of)) {
                Ok(count) => sent += count,
                Err(error) if sent == 0 => return Err(error),
                Err(_) => break,
            }
            if deadline == Deadline::NOW {
                break;
            }
        }
        Ok(sent)
    }

    /// As many as there is room for, with one commit; not none.
    fn push_batch<T>(&mut self, messages: &[T], bytes_of: &impl Fn(&T) -> &[u8]) -> Result<usize> {
        self.ready()?;
        let mut count = 0;
        let mut refused = Ok(());
        for message in messages.iter().map(bytes_of) {
            let len = message.len() as u32; // checked
            match self.writer.reserve(len) {
                Ok(place) => {
                    // SAFETY: as in `push_once`.
                    unsafe { bytes::copy_in(message, self.spsc.shared.area.payload(place.at())) };
                    self.writer.prepare(place, len, 0);
                    count += 1;
                }
                Err(error) => {
                    refused = Err(error);
                    break;
                }
            }
        }
        if count == 0 {
            refused?;
        }
        self.publish()?;
        Ok(count)
    }

    /// Room for a message of up to `len` bytes, to be written in place, waiting for it for ever. It appears when
    /// it is committed; dropped, nothing has happened.
    ///
    /// Errors: as [`Producer::push`]. If we die with it, nothing has happened either.
    pub fn reserve(&mut self, len: usize) -> Result<Reserved<'_, 'r, H>> {
        self.reserve_until(len, Deadline::NEVER)
    }

    /// As [`Producer::reserve`], but `WouldBlock` instead of waiting.
    #[inline]
    pub fn try_reserve(&mut self, len: usize) -> Result<Reserved<'_, 'r, H>> {
        self.reserve_until(len, Deadline::NOW)
    }

    /// As [`Producer::reserve`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn reserve_timeout(&mut self, len: usize, timeout_ns: u64) -> Result<Reserved<'_, 'r, H>> {
        self.reserve_until(len, Deadline::after(self.spsc.home.platform(), timeout_ns))
    }

    #[inline]
    fn reserve_until(&mut self, len: usize, deadline: Deadline) -> Result<Reserved<'_, 'r, H>> {
        let place = self.place_until(len, deadline)?;
        Ok(Reserved { producer: self, place, len })
    }

    /// As [`Producer::reserve_timeout`], for who cannot borrow us meanwhile: before the place is committed or
    /// forgotten, nothing else may be pushed or reserved.
    #[cfg(feature = "capi")]
    pub(crate) fn place_timeout(&mut self, len: usize, timeout_ns: u64) -> Result<Place> {
        self.place_until(len, Deadline::after(self.spsc.home.platform(), timeout_ns))
    }

    #[inline]
    fn place_until(&mut self, len: usize, deadline: Deadline) -> Result<Place> {
        self.check_len(len)?;
        self.blocking(deadline, |this| {
            this.ready()?;
            Ok(this.writer.reserve(len as u32)?)
        })
    }

    /// Where its message goes.
    #[inline]
    pub(crate) fn bytes_of(&self, place: &Place) -> *mut u8 {
        self.spsc.shared.area.payload(place.at())
    }

    /// As [`Reserved::commit`], of the first `len` bytes, at most as many as were reserved.
    #[inline]
    pub(crate) fn commit(&mut self, place: Place, len: usize) -> Result<()> {
        // The loan may be older than somebody else's claim: not one word of theirs may be touched.
        self.ready()?;
        self.writer.prepare(place, len as u32, 0);
        self.publish()
    }

    #[inline]
    fn check_len(&self, len: usize) -> Result<()> {
        if len > self.spsc.max_message_bytes() { Err(Error::MessageTooLarge) } else { Ok(()) }
    }

    /// Whether the end is ours and the queue open.
    #[inline(always)]
    fn ready(&self) -> Result<()> {
        if !self.spsc.producers_end().is(self.mine) {
            return Err(Error::NotOwner);
        }
        // SeqCst: behind a claim, see Ordering in the module.
        if self.spsc.shared.header.life.0.closed.load(SeqCst) != 0 {
            return Err(Error::Closed);
        }
        Ok(())
    }

    #[inline]
    fn blocking<T>(&mut self, deadline: Deadline, mut once: impl FnMut(&mut Self) -> Result<T>) -> Result<T> {
        let Spsc { home, shared, .. } = self.spsc;
        home.block_for(&shared.header.space.0.sleepers, Notifiers::Light, deadline, || once(self))
    }

    /// Before polling for room: from now on the next release is signalled. True if a push is worth a try at once
    /// (there is room for the largest message, or something else to be told than `WouldBlock`): then do not
    /// poll. Never blocks.
    pub fn arm_space(&mut self) -> bool {
        self.arm(Depth::Marked)
    }

    /// What the loop calls at each tick: recovers the dead, looks, and arms anew. True as for
    /// [`Producer::arm_space`]. Takes some 15 us, see [`Depth::Tick`].
    pub fn recheck_space(&mut self) -> bool {
        self.arm(Depth::Tick)
    }

    fn arm(&mut self, depth: Depth) -> bool {
        self.spsc.home.recover_until(depth, Deadline::NOW);
        let _ = self.spsc.shared.header.space.0.pollers.prepare();
        self.ready().is_err() || self.writer.has_room(self.spsc.shared.geometry.max_message)
    }

    /// As [`Spsc::with_data_fd`], for this end.
    pub fn set_data_fd(&mut self, fd: Fd) {
        self.spsc.data_fd = fd;
    }

    /// As [`Spsc::with_space_fd`], for this end (which makes room only by closing).
    pub fn set_space_fd(&mut self, fd: Fd) {
        self.spsc.space_fd = fd;
    }
}

impl<'r, H: Home> Deref for Producer<'r, H> {
    type Target = Spsc<'r, H>;
    fn deref(&self) -> &Spsc<'r, H> {
        &self.spsc
    }
}

impl<H: Home> Drop for Producer<'_, H> {
    fn drop(&mut self) {
        let claimed = Claimed { mine: self.mine, died: false };
        self.spsc.give_back(self.spsc.producers_end(), claimed);
    }
}
