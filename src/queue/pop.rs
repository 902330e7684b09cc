//! Consuming: a message copied out, or several with one wake, or taken in hand where it lies.

use super::{OnDeath, Peeked, Popped, Queue, Ticket};
use crate::{
    bytes,
    error::{Error, Result},
    member::{Depth, Home, MemberId},
    ring::{Claim, Refused},
    sync::{self, Ordering::*},
    time::Deadline,
    wait::EVERYBODY,
};

impl<'r, H: Home> Queue<'r, H> {
    /// Takes the next message into `buffer`, waiting for one for ever. Of a joinable queue the message stays
    /// in hand until [`Queue::task_done`].
    ///
    /// Errors: `BufferTooSmall` if `buffer` is smaller than the queue's largest message (nothing taken),
    /// `Closed` when closed and drained, `Poisoned` (see [`OnDeath::Stop`]), `TooManyMembers`,
    /// `TooManyHeld`. Blocks; not async-signal-safe.
    /// If we die before returning, the message is redelivered or was ours.
    pub fn pop(&self, buffer: &mut [u8]) -> Result<Popped> {
        self.pop_until(buffer, Deadline::NEVER)
    }

    /// As [`Queue::pop`], but `WouldBlock` instead of waiting.
    #[inline]
    pub fn try_pop(&self, buffer: &mut [u8]) -> Result<Popped> {
        self.pop_until(buffer, Deadline::NOW)
    }

    /// As [`Queue::pop`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn pop_timeout(&self, buffer: &mut [u8], timeout_ns: u64) -> Result<Popped> {
        self.pop_until(buffer, Deadline::after(self.home.platform(), timeout_ns))
    }

    #[inline]
    fn pop_until(&self, buffer: &mut [u8], deadline: Deadline) -> Result<Popped> {
        if buffer.len() < self.max_message_bytes() {
            return Err(Error::BufferTooSmall);
        }
        let me = self.actor.id(self.home)?;
        // What a pop does when there is nothing special; everything else out of line.
        if self.shared.geometry.is_plain() {
            if let Some(claim) = self.shared.ring.claim_fast(me) {
                return self.take(me, claim, buffer);
            }
        }
        self.pop_slow(me, buffer, deadline)
    }

    #[cold]
    #[inline(never)]
    fn pop_slow(&self, me: MemberId, buffer: &mut [u8], deadline: Deadline) -> Result<Popped> {
        let claim = self.claim_until(me, deadline)?;
        self.take(me, claim, buffer)
    }

    /// Takes as many messages as there are, at least one and at most `messages.len()`, waiting for the first
    /// for ever. Message `i` lies in `buffer` from `i * max_message_bytes()` on; returns how many. All of
    /// them are in hand until all are copied, then they are released with one wake (of a joinable queue:
    /// each by its [`Queue::task_done`]).
    ///
    /// Errors, with none taken: as [`Queue::pop`]; `BufferTooSmall` if not one message fits `buffer`; fewer
    /// are taken if fewer fit. `Invalid` if `messages` is empty.
    /// If we die here, each of them is redelivered or was ours.
    pub fn pop_many(&self, buffer: &mut [u8], messages: &mut [Popped]) -> Result<usize> {
        self.pop_many_until(buffer, messages, Deadline::NEVER)
    }

    /// As [`Queue::pop_many`], but `WouldBlock` instead of waiting.
    pub fn try_pop_many(&self, buffer: &mut [u8], messages: &mut [Popped]) -> Result<usize> {
        self.pop_many_until(buffer, messages, Deadline::NOW)
    }

    /// As [`Queue::pop_many`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn pop_many_timeout(
        &self,
        buffer: &mut [u8],
        messages: &mut [Popped],
        timeout_ns: u64,
    ) -> Result<usize> {
        self.pop_many_until(buffer, messages, Deadline::after(self.home.platform(), timeout_ns))
    }

    fn pop_many_until(
        &self,
        buffer: &mut [u8],
        messages: &mut [Popped],
        deadline: Deadline,
    ) -> Result<usize> {
        if messages.is_empty() {
            return Err(Error::Invalid);
        }
        if buffer.len() < self.max_message_bytes() {
            return Err(Error::BufferTooSmall);
        }
        let me = self.actor.id(self.home)?;
        let first = self.claim_until(me, deadline)?;
        let mut count = 0;
        for (place, popped) in buffer.chunks_exact_mut(self.max_message_bytes()).zip(&mut *messages) {
            let claim = if count == 0 { Ok(first) } else { self.claim_once(me) };
            match claim.and_then(|claim| self.copy(me, claim, place)) {
                Ok(taken) => *popped = taken,
                Err(error) if count == 0 => return Err(error),
                Err(_) => break, // no more; or damaged, and gone
            }
            count += 1;
        }
        if !self.shared.geometry.joinable {
            for claim in messages[..count].iter().filter_map(|popped| popped.ticket.claim()) {
                self.shared.ring.release(me, claim);
            }
            self.notify_space(count as u32);
        }
        Ok(count)
    }

    /// Copies a claimed message out and, unless it is to be waited for, releases its slot.
    #[inline(always)]
    fn take(&self, me: MemberId, claim: Claim, buffer: &mut [u8]) -> Result<Popped> {
        let popped = self.copy(me, claim, buffer)?;
        if !self.shared.geometry.joinable {
            self.release(me, claim);
        }
        Ok(popped)
    }

    #[inline(always)]
    fn copy(&self, me: MemberId, claim: Claim, buffer: &mut [u8]) -> Result<Popped> {
        let len = self.message_len(me, claim)?;
        // SAFETY: invariant 1: the slot is claimed by us; `len` is at most the slot's payload, and that
        // at most the buffer (checked by the callers).
        unsafe { bytes::copy_out(self.shared.slots().payload(claim.index), &mut buffer[..len]) };
        if self.shared.geometry.joinable {
            self.stamp(claim);
        }
        Ok(Popped { len, attempt: claim.attempt, ticket: Ticket::of(claim) })
    }

    #[inline(always)]
    fn release(&self, me: MemberId, claim: Claim) {
        self.shared.ring.release(me, claim);
        self.notify_space(1);
    }

    /// The length of a claimed message. One that is too long to be one is released.
    #[inline(always)]
    fn message_len(&self, me: MemberId, claim: Claim) -> Result<usize> {
        let len = self.shared.slots().length(claim.index).load(Relaxed);
        if len > self.shared.geometry.max_message {
            return Err(self.reject(me, claim));
        }
        Ok(len as usize)
    }

    /// Only a peer that writes wild does that. The slot goes back, the message is not one.
    #[cold]
    #[inline(never)]
    fn reject(&self, me: MemberId, claim: Claim) -> Error {
        self.release(me, claim);
        Error::BadRegion
    }

    /// Takes the next message in hand, waiting for one for ever. As [`Queue::pop`] otherwise.
    pub fn peek(&self) -> Result<Peeked<'r, H>> {
        self.peek_until(Deadline::NEVER)
    }

    /// As [`Queue::peek`], but `WouldBlock` instead of waiting.
    pub fn try_peek(&self) -> Result<Peeked<'r, H>> {
        self.peek_until(Deadline::NOW)
    }

    /// As [`Queue::peek`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn peek_timeout(&self, timeout_ns: u64) -> Result<Peeked<'r, H>> {
        self.peek_until(Deadline::after(self.home.platform(), timeout_ns))
    }

    fn peek_until(&self, deadline: Deadline) -> Result<Peeked<'r, H>> {
        let me = self.me()?;
        let claim = self.claim_until(me.id, deadline)?;
        let len = self.message_len(me.id, claim)?;
        Ok(Peeked { queue: *self, me, claim, len })
    }

    #[inline]
    fn claim_until(&self, me: MemberId, deadline: Deadline) -> Result<Claim> {
        match self.claim_once(me) {
            Err(Error::WouldBlock) if deadline != Deadline::NOW => self.claim_blocking(me, deadline),
            other => other,
        }
    }

    #[cold]
    fn claim_blocking(&self, me: MemberId, deadline: Deadline) -> Result<Claim> {
        let sleepers = &self.shared.header.data.0.sleepers;
        let claim = self.home.block(sleepers, deadline, || self.claim_once(me));
        // We may have swallowed a wake-up that was one of several: whoever finds more, passes it on. When a
        // closed queue's last writer has ended, it is the end for all, and only one was woken.
        if matches!(claim, Ok(_) | Err(Error::Closed)) && self.is_closed() {
            sleepers.notify_all(self.home.platform());
        } else if claim.is_ok() && self.shared.looks_ready() {
            sleepers.notify(self.home.platform());
        }
        claim
    }

    #[inline]
    fn claim_once(&self, me: MemberId) -> Result<Claim> {
        if self.is_stopped() {
            return Err(Error::Poisoned);
        }
        match self.shared.claim(me) {
            Ok(claim) => Ok(claim),
            Err(_) if self.shared.header.life.0.closed.load(Acquire) == 0 => Err(Error::WouldBlock),
            Err(_) => self.drained(me),
        }
    }

    /// A message waits for somebody to look at it.
    #[inline]
    fn is_stopped(&self) -> bool {
        self.shared.geometry.on_death == OnDeath::Stop && self.shared.ring.has_orphan(u8::MAX)
    }

    /// Closed, and nothing was there: is that the end, or is a producer about to publish, or has a dead
    /// consumer a message in hand?
    #[cold]
    fn drained(&self, me: MemberId) -> Result<Claim> {
        if !self.home.recover_until(Depth::Marked, Deadline::NOW) {
            return Err(Error::WouldBlock); // more dead than one: no end before all are seen to
        }
        sync::fence(SeqCst); // partner: the SeqCst load of `closed` in `reserve_once`
        if self.shared.ring.has_writers() {
            return Err(Error::WouldBlock);
        }
        if self.is_stopped() {
            return Err(Error::Poisoned); // the dead that we have just recovered had it in hand
        }
        // Whoever was writing a moment ago has published by now.
        match self.shared.claim(me) {
            Ok(claim) => Ok(claim),
            Err(Refused::Contended) => Err(Error::WouldBlock),
            Err(_) => Err(Error::Closed),
        }
    }

    /// A message that was redelivered `max_attempts` times and came back again, which `pop` passes over; or
    /// the one for which `pop` says `Poisoned`. Of a joinable queue, [`Queue::task_done`] ends it.
    ///
    /// Errors: `WouldBlock` if there is none, `BufferTooSmall`, and as `pop`. Never blocks.
    pub fn take_poisoned(&self, buffer: &mut [u8]) -> Result<Popped> {
        if buffer.len() < self.max_message_bytes() {
            return Err(Error::BufferTooSmall);
        }
        let me = self.actor.id(self.home)?;
        let limit = self.shared.geometry.limit();
        let claim = self.shared.ring.claim_poisoned(me, limit).ok_or(Error::WouldBlock)?;
        let taken = self.take(me, claim, buffer);
        if self.shared.geometry.on_death == OnDeath::Stop {
            self.notify_data(EVERYBODY); // it goes on, and those who were woken meanwhile sleep again
        }
        taken
    }
}
