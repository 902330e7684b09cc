//! What an object in a region needs of it ([`Home`]), and the handle of an explicit membership.

use super::{Incarnation, MemberId};
use crate::{
    error::{Error, Result},
    sys::Platform,
    time::Deadline,
    wait::{EventCount, Notifiers},
};

/// How hard to look for the dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Those that are marked: two loads per member.
    Marked,
    /// Also ask the operating system about one of the unmarked ones, the next one each time: some
    /// 15 us. What sleepers do at each tick: a death that the kernel does not tell is noticed within as
    /// many ticks as there are members.
    Tick,
    /// Ask about all of them.
    Thorough,
}

/// What an object in a region needs from its region.
pub trait Home: Sync {
    /// The region's platform.
    type Platform: Platform;
    /// The region's platform.
    fn platform(&self) -> Self::Platform;
    /// How long its sleepers sleep at most at a time.
    fn tick_ns(&self) -> u64;
    /// The calling thread's own member; joins on first use.
    fn me(&self) -> Result<MemberId>;
    /// Recovers the members that are certainly dead, in all objects of the region: at least one, and no
    /// more after `until`. False: the time was up before everybody was looked at.
    fn recover_until(&self, depth: Depth, until: Deadline) -> bool;
    /// Ends a membership: whatever it has in hand is given back.
    fn leave(&self, member: Incarnation) -> Result<()>;
    /// The epoch of the id's present incarnation.
    fn epoch(&self, id: MemberId) -> u64;
    /// Whether exactly that incarnation is a member still (not even leaving). Acquire.
    fn is_still(&self, member: Incarnation) -> bool;
    /// Whether that member has a message, a slot or a permit in hand, in any object.
    fn has_in_hand(&self, member: MemberId) -> bool;

    /// Does `once` until it says something else than `WouldBlock`, sleeping on `event` between tries and
    /// recovering the dead: the marked ones before each sleep, an unmarked one at each tick. As
    /// [`EventCount::block`].
    #[inline]
    fn block<T>(&self, event: &EventCount, deadline: Deadline, once: impl FnMut() -> Result<T>) -> Result<T>
    where
        Self: Sized,
    {
        self.block_for(event, Notifiers::Fenced, deadline, once)
    }

    /// As [`Home::block`], for those notifiers.
    #[inline]
    fn block_for<T>(
        &self,
        event: &EventCount,
        notifiers: Notifiers,
        deadline: Deadline,
        once: impl FnMut() -> Result<T>,
    ) -> Result<T>
    where
        Self: Sized,
    {
        let look = |ticked| {
            self.recover_until(if ticked { Depth::Tick } else { Depth::Marked }, deadline);
        };
        event.block_for(self.platform(), notifiers, self.tick_ns(), deadline, look, once)
    }
}

/// As whom a handle to an object acts.
#[derive(Clone, Copy)]
pub(crate) enum Actor {
    /// The calling thread's own member, who joins on first use.
    Thread,
    /// An explicit one. Not only its id: it may have left, and the id be somebody else's.
    Explicit(Incarnation),
    /// One of another region, or made with another handle: here its id would be nobody's, or somebody
    /// else's.
    Stranger,
}

impl Actor {
    /// `member`, if it is one of `home`.
    pub(crate) fn explicit<H: Home>(member: &Member<'_, H>, home: &H) -> Actor {
        if core::ptr::eq(member.home, home) { Actor::Explicit(member.incarnation) } else { Actor::Stranger }
    }

    /// Its id, for claims. Errors: `Invalid` (a stranger); `NotOwner` (it has left); those of [`Home::me`].
    #[inline]
    pub(crate) fn id<H: Home>(self, home: &H) -> Result<MemberId> {
        match self {
            Actor::Thread => home.me(),
            Actor::Explicit(member) if home.is_still(member) => Ok(member.id),
            Actor::Explicit(_) => Err(Error::NotOwner),
            Actor::Stranger => Err(Error::Invalid),
        }
    }

    /// The same, for what may outlive the member.
    pub(crate) fn incarnation<H: Home>(self, home: &H) -> Result<Incarnation> {
        let id = self.id(home)?;
        match self {
            Actor::Explicit(member) => Ok(member),
            _ => Ok(Incarnation { id, epoch: home.epoch(id) }),
        }
    }

    /// Whether the explicit member is none any more. Asked after a claim, which recovery then sees, or we see
    /// that it is over.
    pub(crate) fn is_gone<H: Home>(self, home: &H) -> bool {
        matches!(self, Actor::Explicit(member) if !home.is_still(member))
    }
}

/// What a recovery found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Members whose recovery was completed by this call.
    pub members: u32,
    /// Messages that dead members had in hand, now waiting for somebody else.
    pub redelivered: u32,
    /// Queue slots that dead producers had claimed and not filled.
    pub freed: u32,
    /// Messages given up: as the queue drops those of the dead, or because 31 holders died with them.
    pub dropped: u32,
    /// Permits of tracked semaphores that dead members held.
    pub permits: u32,
    /// Barriers that were broken because a party of theirs died.
    pub broken: u32,
    /// Ends of pipes and of SPSC queues that dead members held.
    pub ends: u32,
}

impl Recovered {
    /// Counts what another object gave back.
    pub(crate) fn add(&mut self, more: Recovered) {
        self.members = self.members.saturating_add(more.members);
        self.redelivered = self.redelivered.saturating_add(more.redelivered);
        self.freed = self.freed.saturating_add(more.freed);
        self.dropped = self.dropped.saturating_add(more.dropped);
        self.permits = self.permits.saturating_add(more.permits);
        self.broken = self.broken.saturating_add(more.broken);
        self.ends = self.ends.saturating_add(more.ends);
    }
}

/// An explicit membership, see `Region::join`. Lives on the thread that made it (its death is told
/// through that thread), may be used from any.
pub struct Member<'r, H: Home> {
    home: &'r H,
    incarnation: Incarnation,
    /// Its cell hangs in this thread's list, so only this thread may end it: not `Send`.
    _thread: core::marker::PhantomData<*const ()>,
}

// SAFETY: other threads only read the id; leaving needs `&mut` or ownership, which `!Send` keeps here.
unsafe impl<H: Home> Sync for Member<'_, H> {}

impl<'r, H: Home> Member<'r, H> {
    pub(crate) fn new(home: &'r H, incarnation: Incarnation) -> Self {
        Member { home, incarnation, _thread: core::marker::PhantomData }
    }

    /// Its id in the region.
    pub fn id(&self) -> MemberId {
        self.incarnation.id
    }

    /// Ends it, as dropping it does. `NotOwner`, with the handle back, in a forked child, or (from C) on
    /// another thread.
    pub fn leave(self) -> core::result::Result<(), (Self, Error)> {
        match self.home.leave(self.incarnation) {
            Ok(()) => {
                core::mem::forget(self);
                Ok(())
            }
            Err(error) => Err((self, error)),
        }
    }

    /// Whether it has a message, a slot or a permit in hand, in whatever object.
    #[cfg(all(feature = "capi", target_os = "linux", not(rialto_loom)))]
    pub(crate) fn has_in_hand(&self) -> bool {
        self.home.has_in_hand(self.id())
    }
}

impl<H: Home> Drop for Member<'_, H> {
    fn drop(&mut self) {
        // In a forked child this is not our membership any more, and `leave` refuses.
        let _ = self.home.leave(self.incarnation);
    }
}
