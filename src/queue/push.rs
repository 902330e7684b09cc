//! Producing: a message copied in, or several with one wake.

use super::Queue;
use crate::{
    bytes,
    error::{Error, Result},
    member::{Home, MemberId},
    ring::{Position, Refused},
    sync::{self, Ordering::*},
    sys::Platform,
    time::{Deadline, FOREVER},
};

/// How often a push starts over when others void its position, before it says `WouldBlock`. Each time
/// takes a consumer that overtook it.
pub(super) const RESENDS: u32 = 16;

impl<H: Home> Queue<'_, H> {
    /// Appends a message, waiting for room for ever.
    ///
    /// Errors: `MessageTooLarge` (nothing written), `Closed`, `TooManyMembers` and `TooManyHeld` (on the
    /// thread's first use). Blocks; not async-signal-safe. If we die here, the message is either in the
    /// queue or was in our hand; nobody is held up beyond a tick.
    pub fn push(&self, message: &[u8]) -> Result<()> {
        self.push_until(message, Deadline::NEVER)
    }

    /// As [`Queue::push`], but `WouldBlock` instead of waiting.
    #[inline]
    pub fn try_push(&self, message: &[u8]) -> Result<()> {
        self.push_until(message, Deadline::NOW)
    }

    /// As [`Queue::push`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn push_timeout(&self, message: &[u8], timeout_ns: u64) -> Result<()> {
        self.push_until(message, Deadline::after(self.home.platform(), timeout_ns))
    }

    #[inline]
    fn push_until(&self, message: &[u8], deadline: Deadline) -> Result<()> {
        self.check_len(message.len())?;
        let me = self.actor.id(self.home)?;
        if self.push_fast(me, message) { Ok(()) } else { self.push_slow(me, message, deadline) }
    }

    /// What a push does when there is nothing special, and only that: false, with nothing done, otherwise.
    #[inline(always)]
    fn push_fast(&self, me: MemberId, message: &[u8]) -> bool {
        let closed = &self.shared.header.life.0.closed;
        if self.shared.geometry.indexed || closed.load(Acquire) != 0 {
            return false;
        }
        let Some(position) = self.shared.ring.reserve_fast(me) else { return false };
        // As in `reserve_once`.
        sync::model_fence();
        if closed.load(SeqCst) != 0 || !self.fill_and_publish(me, position, message) {
            self.withdraw(me, position);
            return false;
        }
        self.notify_data(1);
        true
    }

    #[cold]
    #[inline(never)]
    fn push_slow(&self, me: MemberId, message: &[u8], deadline: Deadline) -> Result<()> {
        self.block_for_room(deadline, || self.push_once(me, message))?;
        self.notify_data(1);
        Ok(())
    }

    /// Appends the messages in order, waiting for room for ever, and wakes consumers once for as many as fit
    /// at a time. Returns how many: all, or fewer if the queue was closed meanwhile.
    ///
    /// Errors, with none appended: as [`Queue::push`]; `MessageTooLarge` if any of them is. Others' messages
    /// may come between ours. If we die here, the first so many are in the queue.
    pub fn push_many(&self, messages: &[&[u8]]) -> Result<usize> {
        self.push_many_as(messages, |message| message, FOREVER)
    }

    /// As [`Queue::push_many`], but only as many as there is room for now: `WouldBlock` if for none.
    pub fn try_push_many(&self, messages: &[&[u8]]) -> Result<usize> {
        self.push_many_as(messages, |message| message, 0)
    }

    /// As [`Queue::push_many`], waiting at most `timeout_ns` in all: fewer if the time is up, `TimedOut` if
    /// none. 0 polls: `WouldBlock`.
    pub fn push_many_timeout(&self, messages: &[&[u8]], timeout_ns: u64) -> Result<usize> {
        self.push_many_as(messages, |message| message, timeout_ns)
    }

    /// As [`Queue::push_many_timeout`], for messages of any form; `bytes` says the same at each time.
    pub(crate) fn push_many_as<M>(
        &self,
        messages: &[M],
        bytes: impl Fn(&M) -> &[u8],
        timeout_ns: u64,
    ) -> Result<usize> {
        let deadline = Deadline::after(self.home.platform(), timeout_ns);
        messages.iter().try_for_each(|message| self.check_len(bytes(message).len()))?;
        let me = self.actor.id(self.home)?;
        let mut sent = 0;
        while sent < messages.len() {
            let before = sent;
            let refused = loop {
                let Some(message) = messages.get(sent) else { break Error::WouldBlock };
                match self.push_once(me, bytes(message)) {
                    Ok(()) => sent += 1,
                    Err(error) => break error,
                }
            };
            if sent > before {
                self.notify_data(u32::try_from(sent - before).unwrap_or(u32::MAX));
            }
            let Some(message) = messages.get(sent) else { break };
            let more = match refused {
                Error::WouldBlock if deadline != Deadline::NOW => {
                    // Room that keeps turning up must not take us past the deadline.
                    if sent > 0 && self.home.platform().now_ns() >= deadline.0 {
                        break;
                    }
                    self.block_for_room(deadline, || self.push_once(me, bytes(message)))
                }
                error => Err(error),
            };
            match more {
                Ok(()) => sent += 1,
                Err(error) if sent == 0 => return Err(error),
                Err(_) => break,
            }
            self.notify_data(1);
        }
        Ok(sent)
    }

    /// Does `once` until it says something else than `WouldBlock`, sleeping between tries.
    #[inline]
    pub(super) fn block_for_room<T>(
        &self,
        deadline: Deadline,
        mut once: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        match once() {
            Err(Error::WouldBlock) if deadline != Deadline::NOW => self.sleep_for_room(deadline, once),
            other => other,
        }
    }

    #[cold]
    fn sleep_for_room<T>(&self, deadline: Deadline, once: impl FnMut() -> Result<T>) -> Result<T> {
        let sleepers = &self.space().sleepers;
        let done = self.home.block(sleepers, deadline, once);
        // Who was woken before us for a slot that could not be used yet (one that others hold was before it)
        // sleeps again: whoever finds more room, passes the wake on.
        if done.is_ok() && self.shared.has_room() {
            sleepers.notify(self.home.platform());
        }
        done
    }

    pub(super) fn check_len(&self, len: usize) -> Result<()> {
        if len > self.max_message_bytes() { Err(Error::MessageTooLarge) } else { Ok(()) }
    }

    /// Without waking anybody.
    fn push_once(&self, me: MemberId, message: &[u8]) -> Result<()> {
        for _ in 0..RESENDS {
            let position = self.reserve_once(me)?;
            if self.fill_and_publish(me, position, message) {
                return Ok(());
            }
            self.withdraw(me, position);
            if self.shared.geometry.indexed {
                break; // no entry for it now
            }
        }
        Err(Error::WouldBlock)
    }

    #[inline(always)]
    fn fill_and_publish(&self, me: MemberId, position: Position, message: &[u8]) -> bool {
        let index = position.index;
        self.shared.slots().length(index).store(message.len() as u32, Relaxed);
        // SAFETY: invariant 1: the slot is reserved for us; its payload has `max_message` bytes
        // (checked by the caller) and is 16-aligned; `message` is private memory.
        unsafe { bytes::copy_in(message, self.shared.slots().payload(index)) };
        self.shared.publish(me, position)
    }

    /// Gives a position back that came to nothing: it may be the slot that another producer waits for, and
    /// who drains waits for writers to end.
    #[cold]
    #[inline(never)]
    fn withdraw(&self, me: MemberId, position: Position) {
        self.shared.ring.cancel(me, position);
        self.notify_unused();
    }

    /// A position to write to, unless the queue is closed.
    #[inline]
    pub(super) fn reserve_once(&self, me: MemberId) -> Result<Position> {
        let closed = &self.shared.header.life.0.closed;
        if closed.load(Acquire) != 0 {
            return Err(Error::Closed);
        }
        let position = self.shared.reserve(me).map_err(|_: Refused| Error::WouldBlock)?;
        sync::model_fence();
        if closed.load(SeqCst) != 0 {
            // Invariant 3; partner: `drained`.
            self.withdraw(me, position);
            return Err(Error::Closed);
        }
        Ok(position)
    }
}
