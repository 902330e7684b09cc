//! Queue: byte messages from any member to any one other, bounded, first in first out. `try_` calls are
//! lock-free (see `ring::mpmc`); the others sleep on an eventcount, never longer than a tick at a time.
//!
//! | file | idea |
//! |---|---|
//! | `shared` | the bytes; what a ring of slots and an indexed queue do differently |
//! | `push`, `reserved` | producing: copies and batches; loans |
//! | `pop`, `hand` | consuming: copies and batches; loans |
//! | `join` | a joinable queue: tickets, and waiting until all is done |
//! | `poll` | event loops: companion descriptors |
//! | `typed` | messages that are values |
//!
//! # Memory
//! See `shared`.
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
//! occupied the queue is full. A position of a ring that was voided (its producer died, was overtaken, or
//! dropped the loan) counts as taken until the consumers have come past it: full may be said one slot early
//! for each, for up to a lap. A stopped producer delays end-of-stream until it goes on or dies.
//!
//! # Checked by
//! `tests/queue.rs`, `tests/prop_queue.rs`, `tests/sweep_queue.rs`, `tests/storm.rs`, `tests/loom_ring.rs`.

mod hand;
mod join;
#[cfg(rialto_loom)]
mod model;
mod poll;
mod pop;
mod push;
mod reserved;
mod shared;
mod typed;

pub use crate::ring::OnDeath;
pub use hand::{Peeked, Popped, Ticket};
pub use reserved::Reserved;
pub use shared::{QueueConfig, QueueKind};
pub use typed::TypedQueue;

use crate::{
    error::Result,
    member::{Actor, Home, Incarnation, Member, MemberId, Recovered},
    ring::Recovery,
    sync::Ordering::*,
    wait::{EVERYBODY, Fd, NO_FD},
};
use core::ptr::NonNull;
use shared::Shared;

/// A handle to a queue in a region. Small, copyable, usable from every thread; the calling thread's
/// own membership is used (joined on first use), or an explicit one after [`Queue::as_member`].
pub struct Queue<'r, H: Home> {
    home: &'r H,
    shared: Shared<'r>,
    actor: Actor,
    /// Signalled by what this handle does; see `poll`.
    data_fd: Fd,
    space_fd: Fd,
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
        Ok(Self::over(home, unsafe { Shared::format(at, config, first_turn)? }))
    }

    /// Attaches to `size` bytes that claim to be a queue.
    ///
    /// # Safety
    /// `at` is 128-aligned and `size` bytes from it stay mapped and shared for 'r.
    pub(crate) unsafe fn attach(home: &'r H, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        Ok(Self::over(home, unsafe { Shared::attach(at, size)? }))
    }

    fn over(home: &'r H, shared: Shared<'r>) -> Self {
        Queue { home, shared, actor: Actor::Thread, data_fd: NO_FD, space_fd: NO_FD }
    }

    /// The same queue, acting as `member` instead of the calling thread's own membership. A member of
    /// another region (or made with another handle) is refused by every operation, as `Invalid`.
    pub fn as_member<'m>(&self, member: &'m Member<'r, H>) -> Queue<'m, H>
    where
        'r: 'm,
    {
        Queue { actor: Actor::explicit(member, self.home), ..*self }
    }

    /// No more pushes; pops drain what is there, then say `Closed`. Wakes everybody. Idempotent;
    /// async-signal-safe. If we die here, sleepers notice at their tick.
    pub fn close(&self) {
        let header = self.shared.header;
        header.life.0.closed.swap(1, SeqCst);
        header.data.0.notify_all(self.home.platform(), self.data_fd);
        header.space.0.notify_all(self.home.platform(), self.space_fd);
    }

    /// Once true, always true.
    pub fn is_closed(&self) -> bool {
        self.shared.header.life.0.closed.load(Acquire) != 0
    }

    /// Messages that wait at about this time: redelivered ones included, and those set aside as poisoned, which
    /// no `pop` takes; those in hand not. Old as soon as it is returned, unless the caller is the only consumer (then it can only
    /// grow) or the only producer (only shrink). Walks all slots.
    pub fn len(&self) -> usize {
        self.shared.ring.len() as usize
    }

    /// Whether `len` is 0; as old as that. Walks all slots.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `try_push` would find no room; as old as `len`. Messages in hand take room too.
    pub fn is_full(&self) -> bool {
        !self.shared.has_room()
    }

    /// Slots, Python's `maxsize`: what was asked for, rounded up to a power of two. Never changes.
    pub fn capacity(&self) -> usize {
        1 << self.shared.geometry.shift
    }

    /// The longest message, in bytes. Never changes.
    pub fn max_message_bytes(&self) -> usize {
        self.shared.geometry.max_message as usize
    }

    /// What the queue was created with, the slots as [`Queue::capacity`] says. Never changes.
    pub fn config(&self) -> QueueConfig {
        self.shared.geometry.config()
    }

    /// Whether it was created with these parameters.
    pub(crate) fn has(&self, config: &QueueConfig) -> bool {
        shared::Geometry::new(config) == Ok(self.shared.geometry)
    }

    /// Messages that are set aside for `take_poisoned`: as old as `len`. Walks all slots.
    pub fn poisoned(&self) -> usize {
        self.shared.ring.poisoned(self.shared.geometry.limit()) as usize
    }

    /// Messages given up since the queue was made: their holders died, and the queue drops such messages
    /// ([`OnDeath::Drop`]), or 31 did. Whoever gave one up and was killed before counting it is missed.
    pub fn dropped(&self) -> u64 {
        self.shared.ring.header().dropped()
    }

    /// The same queue for values of `T`. `WrongKind` if a `T` is not exactly as large as this
    /// queue's largest message.
    pub fn typed<T: bytemuck::Pod>(&self) -> Result<TypedQueue<'r, T, H>> {
        TypedQueue::new(*self)
    }

    fn me(&self) -> Result<Incarnation> {
        self.actor.incarnation(self.home)
    }

    #[inline]
    fn notify_data(&self, messages: u32) {
        // SeqCst, after the publishing: those who saw "closed", and us writing, wait for the end of the stream,
        // and this may have been it.
        let count = || if self.shared.header.life.0.closed.load(SeqCst) != 0 { EVERYBODY } else { messages };
        self.shared.header.data.0.notify_so_many(self.home.platform(), count, self.data_fd);
    }

    /// A slot was given back unused. Who drains a closed queue waits for that.
    fn notify_unused(&self) {
        self.notify_space(1);
        // SeqCst: as in `notify_data`.
        if self.shared.header.life.0.closed.load(SeqCst) != 0 {
            self.shared.header.data.0.notify_all(self.home.platform(), self.data_fd);
        }
    }

    /// Slots were freed; of a joinable queue, maybe the last unfinished ones.
    #[inline]
    fn notify_space(&self, slots: u32) {
        self.shared.header.space.0.notify_many(self.home.platform(), slots, self.space_fd);
        self.notify_done();
    }

    /// Whether `member` has a message or a slot of this queue in hand.
    pub(crate) fn holds(&self, member: MemberId) -> bool {
        self.shared.ring.holds(member)
            || self.shared.geometry.indexed && self.shared.indexed().entries.holds(member)
    }

    /// Whether anybody holds a slot.
    pub(crate) fn is_in_hand(&self) -> bool {
        self.shared.ring.is_held() || self.shared.geometry.indexed && self.shared.indexed().entries.is_held()
    }

    /// Takes the claims of `dead` out of this queue and wakes everybody. `is_dying` as the member table
    /// says it. Idempotent, several at once. The second value: whether nothing of `dead` is left here, as
    /// far as this call can vouch for it.
    pub(crate) fn sweep(&self, dead: Incarnation, is_dying: impl Fn() -> bool) -> (Recovered, bool) {
        let ring = self.shared.ring;
        let ring = if self.shared.geometry.on_death == OnDeath::Drop { ring.dropping() } else { ring };
        let mut found = ring.recover(dead.id, &is_dying);
        if self.shared.geometry.indexed {
            // Entries are no messages: they come again, and bring theirs if it is there still.
            let entries = self.shared.indexed().entries.recover(dead.id, &is_dying);
            found.complete &= entries.complete;
        }
        let Recovery { redelivered, freed, dropped, complete, .. } = found;
        // Also if we found nothing: whoever did may have been killed before it told anybody.
        let (header, platform) = (self.shared.header, self.home.platform());
        header.data.0.notify_all(platform, self.data_fd);
        header.space.0.notify_all(platform, self.space_fd);
        header.life.0.done.notify_all(platform, NO_FD);
        (Recovered { redelivered, freed, dropped, ..Recovered::default() }, complete)
    }
}
