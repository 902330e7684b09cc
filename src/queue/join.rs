//! A joinable queue: a message that was popped stays in its slot until it is said to be done, and one can
//! wait until all are. Python's `JoinableQueue`, whose `task_done` is lost if the worker is killed before it;
//! here the message comes again.
//!
//! # States
//! Of a message: waiting, in hand (popped, ticket not used), done. *Unfinished* is what waits or is in hand,
//! but not what is set aside as poisoned: nobody would finish that. Unfinished messages take room.
//!
//! # Invariants
//! 1. The stamp of a slot is not 0 only while its message is in the hand of who popped it, or that one died:
//!    every end sets it to 0 first. So one of two `task_done` with the same ticket fails. A dead one's stamp
//!    goes with its message: before the next one is published it is 0, so whoever has the dead one's id now
//!    cannot end with an old ticket what it has peeked (a peek sets no stamp).
//! 2. A ticket fits only the claim that it was made for: slot, owner and attempt are the word's, and the
//!    stamp has 26 bits of the lap: while the holder lives, only 2^26 laps of the queue would repeat it.
//!
//! # Crash
//! - Killed before `task_done`, or in it before the slot is free: the message comes again, marked.
//! - Killed between the free slot and the wake: those who join notice at their tick.
//!
//! # Checked by
//! `tests/joinable.rs`, `tests/loom_join.rs`, `tests/prop_queue.rs`, `tests/sweep_queue_full.rs`.

use super::{Queue, Ticket};
use crate::{
    error::{Error, Result},
    member::{Home, Incarnation},
    ring::Claim,
    sync::Ordering::*,
    time::Deadline,
};

fn stamp_of(claim: Claim) -> u32 {
    1 << 31 | (claim.turn as u32) << 5 & !(1 << 31) | u32::from(claim.attempt)
}

impl<H: Home> Queue<'_, H> {
    /// Done with a popped message: its slot is free, and if it was the last, those who `join` go on.
    ///
    /// Errors: `NotOwner` (this message is done already, or given back; or the caller is not who popped it; or
    /// the queue is not joinable), and those of the thread's first use. Never blocks; not
    /// async-signal-safe. If we die here, the message is done or comes again.
    pub fn task_done(&self, ticket: Ticket) -> Result<()> {
        let (me, claim) = self.redeem(ticket)?;
        self.release_claim(me, claim);
        Ok(())
    }

    /// Gives a popped message to somebody else (or us), who gets it marked, as if we had died. Errors: as
    /// [`Queue::task_done`].
    pub fn give_back(&self, ticket: Ticket) -> Result<()> {
        let (me, claim) = self.redeem(ticket)?;
        self.give_back_claim(me, claim);
        Ok(())
    }

    /// Invariant 1. Whoever gets `Ok` ends the claim, nobody else does.
    fn redeem(&self, ticket: Ticket) -> Result<(Incarnation, Claim)> {
        let claim = ticket.claim().ok_or(Error::NotOwner)?;
        let me = self.me()?;
        let mine = self.shared.ring.is_in_hand(me.id, claim) && self.home.is_still(me);
        let stamp = self.shared.slots().stamp(claim.index);
        // Relaxed: which of two threads of ours it is; they hand nothing over.
        if !mine || stamp.compare_exchange(stamp_of(claim), 0, Relaxed, Relaxed).is_err() {
            return Err(Error::NotOwner);
        }
        Ok((me, claim))
    }

    /// The message is in our hand, and `task_done` will be told so.
    pub(super) fn stamp(&self, claim: Claim) {
        self.shared.slots().stamp(claim.index).store(stamp_of(claim), Relaxed);
    }

    /// Waits until there was an instant, during this call, at which no message was unfinished, for ever.
    /// Messages pushed meanwhile count too. Those set aside as poisoned do not: see [`Queue::poisoned`].
    ///
    /// Errors: `NotSupported` if the queue is not joinable. Blocks; not async-signal-safe. Walks all slots,
    /// twice, at each try. If we die here, nobody notices.
    pub fn join(&self) -> Result<()> {
        self.join_until(Deadline::NEVER)
    }

    /// As [`Queue::join`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn join_timeout(&self, timeout_ns: u64) -> Result<()> {
        self.join_until(Deadline::after(self.home.platform(), timeout_ns))
    }

    fn join_until(&self, deadline: Deadline) -> Result<()> {
        if !self.shared.geometry.joinable {
            return Err(Error::NotSupported);
        }
        let limit = self.shared.geometry.limit();
        let finished = || self.shared.ring.was_finished(limit).then_some(()).ok_or(Error::WouldBlock);
        self.home.block(&self.shared.header.life.0.done.sleepers, deadline, finished)
    }

    /// Messages that wait or are in hand: as old as `len`. Walks all slots.
    pub fn unfinished(&self) -> usize {
        self.shared.ring.unfinished(self.shared.geometry.limit()) as usize
    }

    /// Wakes those who join, if it may be time: a message was done or set aside, or a slot changed for another
    /// reason, which `was_finished` may have taken for that.
    #[inline]
    pub(super) fn notify_done(&self) {
        if !self.shared.geometry.joinable {
            return;
        }
        let done = &self.shared.header.life.0.done.sleepers;
        // Of several who finish at once, the last one's SeqCst release comes before its look.
        done.notify_all_if(self.home.platform(), || {
            !self.shared.ring.has_unfinished(self.shared.geometry.limit())
        });
    }
}
