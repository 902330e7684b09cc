//! Queue: byte messages from any member to any one other, bounded, first in first out. `try_` calls are
//! lock-free (see `ring::mpmc`); the others sleep on an eventcount, never longer than a tick at a time.
//!
//! # Memory
//! See `shared.rs`.
//!
//! # States
//! open -> closed. A message: reserved by its producer, ready, in the hand of a consumer, released; or,
//! its holder dead, an orphan that the next `pop` adopts, marked with its attempt count.
//!
//! # Invariants
//! 1. A payload is touched only between a successful claim of its slot and the slot's release.
//! 2. A message is delivered once, or again only with `attempt > 0` and only after its holder is
//!    certainly dead or gave it back.
//! 3. After `close` returned, no push that begins later succeeds; a pop says `Closed` only when no
//!    message is ready, no producer is between reserve and publish, and what marked dead consumers had
//!    in hand was redelivered. A living one that dies later, or gives its message back, brings it back
//!    after `Closed` was said: the next pop gets it.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | payload and length | ring's publishing CAS | the claiming CAS of `pop` |
//! | message is ready | publishing CAS, SeqCst, then `notify` | sleeper, see `wait` |
//! | room is there | releasing CAS, SeqCst, then `notify` | sleeper, see `wait` |
//! | closed | `close`'s SeqCst swap | pop's Acquire load, then fence, then the walk for writers |
//! | a writer is there | reserve's SeqCst CAS, then SeqCst load of `closed` | that walk |
//!
//! The last two are Dekker's pattern: a producer that read "open" has its reservation in the SeqCst
//! order before the close, so a consumer that read "closed" meets its W (or what became of it).
//!
//! # Crash
//! - producer killed before publishing: the slot is freed at recovery, the message was in its hand.
//! - producer killed after publishing, before waking: sleepers find the message at their tick.
//! - consumer killed between claim and release: the message is redelivered, `attempt` one higher.
//! - consumer killed after release: a producer asleep on a full queue finds the room at its tick.
//! - closer killed before waking: sleepers find the queue closed at their tick.
//! - Who recovers: any blocked caller before its first sleep and at each tick, `join` when the table
//!   is full, `Region::recover`.
//!
//! # Limits
//! 65536 slots, messages of 1 GiB, 4095 members. A stopped holder occupies its slot; when all are
//! occupied the queue is full. A position that was voided (its producer died, or was overtaken) counts
//! as taken until the consumers have come past it: full may be said one slot early for up to a lap. A
//! stopped producer delays end-of-stream until it goes on or dies.
//!
//! # Checked by
//! `tests/queue.rs`, `tests/prop_queue.rs`, `tests/sweep_queue.rs`, `tests/storm.rs`, `tests/loom_ring.rs`.

mod hand;
mod shared;
mod typed;

pub use hand::{Peeked, Popped};
pub use shared::QueueConfig;
pub use typed::TypedQueue;

use crate::{
    bytes,
    error::{Error, Result},
    member::{Actor, Depth, Home, Incarnation, Member, MemberId, Recovered},
    ring::{Claim, Position, Recovery, Refused},
    sync::{self, Ordering::*},
    time::Deadline,
    wait::EventCount,
};
use core::ptr::NonNull;
use shared::Shared;

/// How often a push starts over when others void its position, before it says `WouldBlock`. Each time
/// takes a consumer that overtook it.
const RESENDS: u32 = 16;

/// A handle to a queue in a region. Small, copyable, usable from every thread; the calling thread's
/// own membership is used (joined on first use), or an explicit one after [`Queue::as_member`].
pub struct Queue<'r, H: Home> {
    home: &'r H,
    shared: Shared<'r>,
    actor: Actor,
}

impl<H: Home> Clone for Queue<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<H: Home> Copy for Queue<'_, H> {}

impl<'r, H: Home> Queue<'r, H> {
    /// Formats a queue in fresh memory.
    ///
    /// # Safety
    /// `at` is 128-aligned; `config.layout()` bytes from it stay mapped and shared for 'r, and nobody
    /// uses them yet.
    pub(crate) unsafe fn format(
        home: &'r H,
        at: NonNull<u8>,
        config: &QueueConfig,
        first_turn: u64,
    ) -> Result<Self> {
        // SAFETY: the caller's word.
        let shared = unsafe { Shared::format(at, config, first_turn)? };
        Ok(Queue { home, shared, actor: Actor::Thread })
    }

    /// Attaches to `size` bytes that claim to be a queue.
    ///
    /// # Safety
    /// `at` is 128-aligned and `size` bytes from it stay mapped and shared for 'r.
    pub(crate) unsafe fn attach(home: &'r H, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        let shared = unsafe { Shared::attach(at, size)? };
        Ok(Queue { home, shared, actor: Actor::Thread })
    }

    /// The same queue, acting as `member` instead of the calling thread's own membership. A member of
    /// another region (or made with another handle) is refused by every operation, as `Invalid`.
    pub fn as_member<'m>(&self, member: &'m Member<'r, H>) -> Queue<'m, H>
    where
        'r: 'm,
    {
        Queue { actor: Actor::explicit(member, self.home), ..*self }
    }

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
        if message.len() > self.shared.geometry.max_message as usize {
            return Err(Error::MessageTooLarge);
        }
        let me = self.actor.id(self.home)?;
        match self.push_once(me, message) {
            Err(Error::WouldBlock) if deadline != Deadline::NOW => {
                self.blocking(&self.shared.header.not_full.0, deadline, || self.push_once(me, message))
            }
            other => other,
        }
    }

    #[inline]
    fn push_once(&self, me: MemberId, message: &[u8]) -> Result<()> {
        for _ in 0..RESENDS {
            let position = self.reserve(me)?;
            let index = position.index;
            self.shared.slots.length(index).store(message.len() as u32, Relaxed);
            // SAFETY: invariant 1: the slot is reserved for us; its payload has `max_message` bytes
            // (checked by the caller) and is 16-aligned; `message` is private memory.
            unsafe { bytes::copy_in(message, self.shared.slots.payload(index)) };
            if self.shared.ring().publish(me, position) {
                self.shared.header.not_empty.0.notify(self.home.platform());
                return Ok(());
            }
            // Voided. The slot that we gave back may be the one that another producer waits for.
            self.shared.header.not_full.0.notify(self.home.platform());
        }
        Err(Error::WouldBlock)
    }

    /// A position to write to, unless the queue is closed.
    #[inline]
    fn reserve(&self, me: MemberId) -> Result<Position> {
        let closed = &self.shared.header.closed.0;
        if closed.load(Acquire) != 0 {
            return Err(Error::Closed);
        }
        let ring = self.shared.ring();
        let position = ring.reserve(me).map_err(|_: Refused| Error::WouldBlock)?;
        sync::model_fence();
        if closed.load(SeqCst) != 0 {
            // Invariant 3; partner: `drained`.
            ring.cancel(me, position);
            self.shared.header.not_empty.0.notify_all(self.home.platform());
            return Err(Error::Closed);
        }
        Ok(position)
    }

    /// Takes the next message into `buffer`, waiting for one for ever.
    ///
    /// Errors: `BufferTooSmall` if `buffer` is smaller than the queue's largest message (nothing taken),
    /// `Closed` when closed and drained, `TooManyMembers`, `TooManyHeld`. Blocks; not async-signal-safe.
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
        if buffer.len() < self.shared.geometry.max_message as usize {
            return Err(Error::BufferTooSmall);
        }
        let me = self.actor.id(self.home)?;
        let claim = self.claim_until(me, deadline)?;
        self.take(me, claim, buffer)
    }

    /// Copies a claimed message out and releases its slot.
    #[inline]
    fn take(&self, me: MemberId, claim: Claim, buffer: &mut [u8]) -> Result<Popped> {
        let len = self.message_len(me, claim)?;
        // SAFETY: invariant 1: the slot is claimed by us; `len` is at most the slot's payload, and that
        // at most the buffer (checked by the callers).
        unsafe { bytes::copy_out(self.shared.slots.payload(claim.index), &mut buffer[..len]) };
        self.release(me, claim);
        Ok(Popped { len, attempt: claim.attempt })
    }

    #[inline]
    fn release(&self, me: MemberId, claim: Claim) {
        self.shared.ring().release(me, claim);
        self.shared.header.not_full.0.notify(self.home.platform());
    }

    /// The length of a claimed message. One that is too long to be one is released.
    #[inline]
    fn message_len(&self, me: MemberId, claim: Claim) -> Result<usize> {
        let len = self.shared.slots.length(claim.index).load(Relaxed);
        if len > self.shared.geometry.max_message {
            // Only a peer that writes wild does that. The slot goes back, the message is not one.
            self.release(me, claim);
            return Err(Error::BadRegion);
        }
        Ok(len as usize)
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
        let id = self.actor.id(self.home)?;
        let me = Incarnation { id, epoch: self.home.epoch(id) };
        let claim = self.claim_until(id, deadline)?;
        let len = self.message_len(id, claim)?;
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
        let not_empty = &self.shared.header.not_empty.0;
        let claim = self.blocking(not_empty, deadline, || self.claim_once(me))?;
        // We may have swallowed a wake-up that was one of several: whoever finds more, passes it on.
        if self.shared.ring().looks_ready() {
            not_empty.notify(self.home.platform());
        }
        Ok(claim)
    }

    #[inline]
    fn claim_once(&self, me: MemberId) -> Result<Claim> {
        match self.shared.ring().claim(me, self.shared.geometry.max_attempts) {
            Ok(claim) => Ok(claim),
            Err(_) if self.shared.header.closed.0.load(Acquire) == 0 => Err(Error::WouldBlock),
            Err(_) => self.drained(me),
        }
    }

    /// Closed, and nothing was there: is that the end, or is a producer about to publish, or has a dead
    /// consumer a message in hand?
    #[cold]
    fn drained(&self, me: MemberId) -> Result<Claim> {
        if !self.home.recover_until(Depth::Marked, Deadline::NOW) {
            return Err(Error::WouldBlock); // more dead than one: no end before all are seen to
        }
        sync::fence(SeqCst); // partner: the SeqCst load of `closed` in `reserve`
        if self.shared.ring().has_writers() {
            return Err(Error::WouldBlock);
        }
        // Whoever was writing a moment ago has published by now.
        match self.shared.ring().claim(me, self.shared.geometry.max_attempts) {
            Ok(claim) => Ok(claim),
            Err(Refused::Contended) => Err(Error::WouldBlock),
            Err(_) => Err(Error::Closed),
        }
    }

    /// A message that was redelivered `max_attempts` times and came back again; `pop` passes it over.
    ///
    /// Errors: `WouldBlock` if there is none, `BufferTooSmall`, and as `pop`. Never blocks.
    pub fn take_poisoned(&self, buffer: &mut [u8]) -> Result<Popped> {
        if buffer.len() < self.shared.geometry.max_message as usize {
            return Err(Error::BufferTooSmall);
        }
        let me = self.actor.id(self.home)?;
        let limit = self.shared.geometry.max_attempts;
        let claim = self.shared.ring().claim_poisoned(me, limit).ok_or(Error::WouldBlock)?;
        self.take(me, claim, buffer)
    }

    /// No more pushes; pops drain what is there, then say `Closed`. Wakes everybody. Idempotent;
    /// async-signal-safe. If we die here, sleepers notice at their tick.
    pub fn close(&self) {
        let header = self.shared.header;
        header.closed.0.swap(1, SeqCst);
        header.not_empty.0.notify_all(self.home.platform());
        header.not_full.0.notify_all(self.home.platform());
    }

    /// Once true, always true.
    pub fn is_closed(&self) -> bool {
        self.shared.header.closed.0.load(Acquire) != 0
    }

    /// Messages that a `pop` could take at about this time, redelivered ones included and those in hand
    /// not. Old as soon as it is returned, unless the caller is the only consumer (then it can only
    /// grow) or the only producer (only shrink). Walks all slots.
    pub fn len(&self) -> usize {
        self.shared.ring().len() as usize
    }

    /// Whether `len` is 0; as old as that.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Slots: what was asked for, rounded up to a power of two.
    pub fn capacity(&self) -> usize {
        1 << self.shared.geometry.shift
    }

    /// The longest message, in bytes.
    pub fn max_message_bytes(&self) -> usize {
        self.shared.geometry.max_message as usize
    }

    /// The same queue for values of `T`. `WrongKind` if a `T` is not exactly as large as this
    /// queue's largest message.
    pub fn typed<T: bytemuck::Pod>(&self) -> Result<TypedQueue<'r, T, H>> {
        TypedQueue::new(*self)
    }

    /// Tries, and sleeps between tries until `deadline`, recovering the dead.
    #[inline]
    fn blocking<T>(
        &self,
        event: &EventCount,
        deadline: Deadline,
        once: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        self.home.block(event, deadline, once)
    }

    /// Whether `member` has a message or a slot of this queue in hand.
    pub(crate) fn holds(&self, member: MemberId) -> bool {
        self.shared.ring().holds(member)
    }

    /// Takes the claims of `dead` out of this queue and wakes everybody. `is_dying` as the member table
    /// says it. Idempotent, several at once. The second value: whether nothing of `dead` is left here, as far as this call can vouch for it.
    pub(crate) fn sweep(&self, dead: Incarnation, is_dying: impl Fn() -> bool) -> (Recovered, bool) {
        let found = self.shared.ring().recover(dead.id, is_dying);
        if found.raised {
            self.shared.header.not_empty.0.notify_all(self.home.platform());
        }
        if found.freed > 0 || found.dropped > 0 {
            self.shared.header.not_full.0.notify_all(self.home.platform());
            self.shared.header.not_empty.0.notify_all(self.home.platform());
        }
        let Recovery { redelivered, freed, dropped, complete, .. } = found;
        (Recovered { redelivered, freed, dropped, ..Recovered::default() }, complete)
    }
}
