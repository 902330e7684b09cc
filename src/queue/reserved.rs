//! A loan: room for a message that is written where the reader will read it.
#![allow(clippy::result_large_err)] // a loan that could not be committed comes back, and there is no heap

use super::{Queue, push::RESENDS};
use crate::{
    bytes,
    error::{Error, Result},
    member::{Home, Incarnation},
    ring::Position,
    sync::Ordering::*,
    time::Deadline,
};
use core::marker::PhantomData;

/// Room for a message, reserved by [`Queue::reserve`]. Write it, then [`Reserved::commit`]; dropped, it is
/// given back and nothing was sent. It stays on the thread that reserved, whose death gives it back.
///
/// A loan that is held long: in a ring (`QueueKind::Ring`) others overtake it, and the message comes after
/// theirs; in a kill-only ring the messages behind it wait for it. A loan takes a slot. `close` does not end
/// the stream before the loan has ended, but in a ring it does for one that others overtook: its `commit`
/// says `Closed`.
///
/// A forked child inherits a copy that is not its own: it must neither use nor drop it.
pub struct Reserved<'r, H: Home> {
    queue: Queue<'r, H>,
    me: Incarnation,
    position: Position,
    len: usize,
    /// Its memory is others' once the thread has ended: not `Send`.
    _thread: PhantomData<*const ()>,
}

impl<'r, H: Home> Queue<'r, H> {
    /// Reserves room for a message of `len` bytes, waiting for it for ever. What is in it is undefined.
    ///
    /// Errors: as [`Queue::push`]. If we die before `commit` returns, the room is given back, or the message
    /// is in the queue.
    pub fn reserve(&self, len: usize) -> Result<Reserved<'r, H>> {
        self.reserve_until(len, Deadline::NEVER)
    }

    /// As [`Queue::reserve`], but `WouldBlock` instead of waiting.
    pub fn try_reserve(&self, len: usize) -> Result<Reserved<'r, H>> {
        self.reserve_until(len, Deadline::NOW)
    }

    /// As [`Queue::reserve`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn reserve_timeout(&self, len: usize, timeout_ns: u64) -> Result<Reserved<'r, H>> {
        self.reserve_until(len, Deadline::after(self.home.platform(), timeout_ns))
    }

    fn reserve_until(&self, len: usize, deadline: Deadline) -> Result<Reserved<'r, H>> {
        self.check_len(len)?;
        let me = self.me()?;
        let position = self.block_for_room(deadline, || self.reserve_once(me.id))?;
        Ok(Reserved { queue: *self, me, position, len, _thread: PhantomData })
    }
}

impl<H: Home> Reserved<'_, H> {
    /// The message's bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// An empty message.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes the message shorter (a longer `len` changes nothing): for who knows only after writing.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Where the message goes, 16-aligned, `len` bytes: others neither read nor write there, unless they
    /// write wild. [`Reserved::write`] is the safe way. `commit` may move it, so do not keep this.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.queue.shared.slots().payload(self.position.index)
    }

    /// Writes the whole message. Errors: `Invalid` if `message` is not `len` bytes long; `NotOwner` if the member
    /// that reserved has left.
    pub fn write(&mut self, message: &[u8]) -> Result<()> {
        if message.len() != self.len {
            return Err(Error::Invalid);
        }
        if !self.queue.home.is_still(self.me) {
            return Err(Error::NotOwner);
        }
        // SAFETY: invariant 1 of `queue`: the slot is ours; `len` is at most its payload, which is 16-aligned.
        unsafe { bytes::copy_in(message, self.as_mut_ptr()) };
        Ok(())
    }

    /// Sends the message. Waits, for ever, only where others have overtaken it in a ring and there is no
    /// room; there it is copied.
    ///
    /// Errors, with the loan still there: `Closed` (only where it had to wait or be copied), `NotOwner` (we
    /// were taken for dead). If we die here, the message is in the queue or was in our hand.
    pub fn commit(self) -> core::result::Result<(), (Self, Error)> {
        self.commit_until(Deadline::NEVER)
    }

    /// As [`Reserved::commit`], but `WouldBlock` instead of waiting.
    pub fn try_commit(self) -> core::result::Result<(), (Self, Error)> {
        self.commit_until(Deadline::NOW)
    }

    /// As [`Reserved::commit`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn commit_timeout(self, timeout_ns: u64) -> core::result::Result<(), (Self, Error)> {
        let deadline = Deadline::after(self.queue.home.platform(), timeout_ns);
        self.commit_until(deadline)
    }

    fn commit_until(mut self, deadline: Deadline) -> core::result::Result<(), (Self, Error)> {
        let queue = self.queue;
        match queue.block_for_room(deadline, || self.publish()) {
            Ok(()) => {
                queue.notify_data(1);
                core::mem::forget(self);
                Ok(())
            }
            Err(error) => Err((self, error)),
        }
    }

    /// Once; of a ring, into a new slot for as long as others overtake.
    fn publish(&mut self) -> Result<()> {
        let (queue, me) = (self.queue, self.me);
        for _ in 0..RESENDS {
            // Or the length would be that of somebody else's message, and an entry would say "sent" of nothing.
            if !queue.home.is_still(me) {
                return Err(Error::NotOwner);
            }
            queue.shared.slots().length(self.position.index).store(self.len as u32, Relaxed);
            if queue.shared.publish(me.id, self.position) {
                return Ok(());
            }
            if !queue.home.is_still(me) {
                return Err(Error::NotOwner);
            }
            if queue.shared.geometry.indexed {
                return Err(Error::WouldBlock); // no entry for it now
            }
            // Voided: the memory is ours still, the place in the order is not.
            let next = queue.reserve_once(me.id)?;
            let slots = queue.shared.slots();
            // SAFETY: both slots are ours, and not the same; `len` is at most the payload of each.
            unsafe {
                bytes::copy_shared(slots.payload(self.position.index), slots.payload(next.index), self.len)
            };
            let old = core::mem::replace(&mut self.position, next);
            queue.shared.ring.cancel_if(me.id, old, || queue.home.is_still(me));
            queue.notify_space(1);
        }
        Err(Error::WouldBlock)
    }
}

impl<H: Home> Drop for Reserved<'_, H> {
    fn drop(&mut self) {
        let (queue, me) = (self.queue, self.me);
        queue.shared.ring.cancel_if(me.id, self.position, || queue.home.is_still(me));
        queue.notify_unused();
    }
}
