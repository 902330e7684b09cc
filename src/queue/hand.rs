//! A message in hand, and what is known of it.

use super::{OnDeath, Queue};
use crate::{
    bytes,
    member::{Home, Incarnation},
    ring::Claim,
    wait::EVERYBODY,
};

/// What `pop` brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)] // the C header has the same
pub struct Popped {
    /// The message's bytes.
    pub len: usize,
    /// 0, or how many holders before you died (or gave it back) with it in hand.
    pub attempt: u8,
    /// Of a joinable queue: for [`Queue::task_done`].
    pub ticket: Ticket,
}

/// Which message is done, see [`Queue::task_done`]. The default is nobody's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Ticket {
    turn: u64,
    /// [`Ticket::MADE`], the attempt from bit 32 on, the slot in bits 0..32.
    place: u64,
}

impl Ticket {
    /// Tells a ticket from zeros, which would be the first message of the first slot.
    const MADE: u64 = 1 << 63;

    #[inline]
    pub(super) fn of(claim: Claim) -> Ticket {
        let place = Self::MADE | u64::from(claim.attempt) << 32 | u64::from(claim.index);
        Ticket { turn: claim.turn, place }
    }

    /// The claim that it was made of, if it was; the caller of C may pass any bits.
    #[inline]
    pub(super) fn claim(self) -> Option<Claim> {
        let attempt = (self.place >> 32) as u8;
        let made = self.place & Self::MADE != 0;
        made.then_some(Claim { index: self.place as u32, attempt, turn: self.turn })
    }
}

impl Popped {
    /// Somebody else may have acted on this message already.
    pub fn redelivered(&self) -> bool {
        self.attempt > 0
    }
}

/// A message in hand, still in its slot. Released by [`Peeked::release`]; dropped, or if its holder
/// dies, it goes to somebody else, marked. It may be moved to another thread, but the holder stays the
/// member that peeked: when that one's thread ends, the message is given to somebody else.
///
/// A forked child inherits a copy that is not its own: it must neither use nor drop it.
pub struct Peeked<'r, H: Home> {
    pub(super) queue: Queue<'r, H>,
    /// Not only the id: the thread that peeked may have ended, and the id be somebody else's.
    pub(super) me: Incarnation,
    pub(super) claim: Claim,
    pub(super) len: usize,
}

impl<H: Home> Peeked<'_, H> {
    /// The message's bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// An empty message.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// 0, or how many holders before you died (or gave it back) with it in hand.
    pub fn attempt(&self) -> u8 {
        self.claim.attempt
    }

    /// Somebody else may have acted on this message already.
    pub fn redelivered(&self) -> bool {
        self.attempt() > 0
    }

    /// The bytes in the slot, 16-aligned. A peer that writes wild may change them while you look;
    /// [`Peeked::copy_to`] is the safe way.
    pub fn as_ptr(&self) -> *const u8 {
        self.queue.shared.slots().payload(self.claim.index)
    }

    /// Copies the message, or as much of it as fits; returns how much.
    pub fn copy_to(&self, buffer: &mut [u8]) -> usize {
        let len = buffer.len().min(self.len());
        // SAFETY: invariant 1: the slot is claimed by us; `len` is at most the slot's payload.
        unsafe { bytes::copy_out(self.as_ptr(), &mut buffer[..len]) };
        len
    }

    /// Done with it: the slot is free again. If the member that holds it is gone meanwhile (its thread
    /// ended before the handle did), the message is somebody else's already and nothing happens.
    pub fn release(self) {
        self.queue.release_claim(self.me, self.claim);
        core::mem::forget(self);
    }
}

impl<H: Home> Drop for Peeked<'_, H> {
    fn drop(&mut self) {
        self.queue.give_back_claim(self.me, self.claim);
    }
}

impl<H: Home> Queue<'_, H> {
    /// Done with a message in hand, if it is in our hand still.
    pub(super) fn release_claim(&self, me: Incarnation, claim: Claim) {
        self.shared.ring.release_if(me.id, claim, || self.home.is_still(me));
        self.notify_space(1);
    }

    /// Gives a message in hand to somebody else, if it is in our hand still.
    pub(super) fn give_back_claim(&self, me: Incarnation, claim: Claim) {
        if self.shared.ring.abandon_if(me.id, claim, || self.home.is_still(me)) {
            // Who stops on it: all of them say so.
            let stops = self.shared.geometry.on_death == OnDeath::Stop;
            self.notify_data(if stops { EVERYBODY } else { 1 });
            self.notify_done(); // set aside, maybe
        } else {
            self.notify_space(1); // handed on too often to be counted: dropped
        }
    }
}
