//! Producing: a message copied in, or several with one wake.

use super::Queue;
use crate::{
    bytes,
    error::{Error, Result},
    member::{Home, MemberId},
    ring::{Position, Refused},
    sync::{self, Ordering::*},
    time::Deadline,
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
        match self.push_once(me, message) {
            Err(Error::WouldBlock) if deadline != Deadline::NOW => {
                self.home.block(&self.space().sleepers, deadline, || self.push_once(me, message))?;
            }
            other => other?,
        }
        self.notify_data(1);
        Ok(())
    }

    /// Appends the messages in order, waiting for room for ever, and wakes consumers once for as many as fit
    /// at a time. Returns how many: all, or fewer if the queue was closed meanwhile.
    ///
    /// Errors, with none appended: as [`Queue::push`]; `MessageTooLarge` if any of them is. Others' messages
    /// may come between ours. If we die here, the first so many are in the queue.
    pub fn push_many(&self, messages: &[&[u8]]) -> Result<usize> {
        self.push_many_until(messages, Deadline::NEVER)
    }

    /// As [`Queue::push_many`], but only as many as there is room for now: `WouldBlock` if for none.
    pub fn try_push_many(&self, messages: &[&[u8]]) -> Result<usize> {
        self.push_many_until(messages, Deadline::NOW)
    }

    /// As [`Queue::push_many`], waiting at most `timeout_ns` in all: fewer if the time is up, `TimedOut` if
    /// none. 0 polls: `WouldBlock`.
    pub fn push_many_timeout(&self, messages: &[&[u8]], timeout_ns: u64) -> Result<usize> {
        self.push_many_until(messages, Deadline::after(self.home.platform(), timeout_ns))
    }

    fn push_many_until(&self, messages: &[&[u8]], deadline: Deadline) -> Result<usize> {
        messages.iter().try_for_each(|message| self.check_len(message.len()))?;
        let me = self.actor.id(self.home)?;
        let mut sent = 0;
        while sent < messages.len() {
            let before = sent;
            let refused = loop {
                let Some(message) = messages.get(sent) else { break Error::WouldBlock };
                match self.push_once(me, message) {
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
                    self.home.block(&self.space().sleepers, deadline, || self.push_once(me, message))
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

    pub(super) fn check_len(&self, len: usize) -> Result<()> {
        if len > self.max_message_bytes() { Err(Error::MessageTooLarge) } else { Ok(()) }
    }

    /// Without waking anybody.
    #[inline]
    fn push_once(&self, me: MemberId, message: &[u8]) -> Result<()> {
        for _ in 0..RESENDS {
            let position = self.reserve_once(me)?;
            let index = position.index;
            self.shared.slots.length(index).store(message.len() as u32, Relaxed);
            // SAFETY: invariant 1: the slot is reserved for us; its payload has `max_message` bytes
            // (checked by the caller) and is 16-aligned; `message` is private memory.
            unsafe { bytes::copy_in(message, self.shared.slots.payload(index)) };
            if self.shared.publish(me, position) {
                return Ok(());
            }
            // Voided, or no entry. The slot that we give back may be the one that another producer waits for.
            self.shared.ring().cancel(me, position);
            self.notify_unused();
            if self.shared.geometry.indexed {
                break;
            }
        }
        Err(Error::WouldBlock)
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
            self.shared.ring().cancel(me, position);
            self.notify_unused();
            return Err(Error::Closed);
        }
        Ok(position)
    }
}
