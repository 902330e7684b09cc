//! Whose death breaks a barrier: parties that are registered, and parties that are there. See `barrier`.

use super::{BROKEN, Barrier, OWNER, TAG, TRIES, owner};
use crate::{
    error::{Error, Result},
    member::{Depth, Home, Incarnation, MemberId, Recovered},
    sync::Ordering::*,
    time::Deadline,
};

impl<H: Home> Barrier<'_, H> {
    /// Makes the calling thread's member (see [`Barrier::as_member`]) known as a party: from here on its
    /// death, or its thread's end, breaks the barrier also while it is elsewhere; it cannot leave the region
    /// before [`Barrier::unregister`]. Once is enough; a second time changes nothing. Never waits, but if the
    /// registry is full, looks among all members for the dead, a tick at most.
    ///
    /// Errors: `NoSpace` (so many members as there are parties have registered), and as `wait` on first use.
    pub fn register(&self) -> Result<()> {
        let me = self.actor.id(self.home)?;
        if self.is_registered(me) {
            return Ok(());
        }
        self.take_registration(me).or_else(|_| {
            let platform = self.home.platform();
            self.home.recover_until(Depth::Thorough, Deadline::after(platform, self.home.tick_ns()));
            self.take_registration(me)
        })?;
        if self.actor.is_gone(self.home) {
            return self.unregister().and(Err(Error::NotOwner));
        }
        Ok(())
    }

    fn take_registration(&self, me: MemberId) -> Result<()> {
        for entry in self.parts.registry {
            let free = entry.load(Relaxed);
            let taken = free | u64::from(me);
            if owner(free) == 0 && entry.compare_exchange(free, taken, AcqRel, Relaxed).is_ok() {
                return Ok(());
            }
        }
        Err(Error::NoSpace)
    }

    /// Undoes [`Barrier::register`]. Errors: `NotOwner` (not registered).
    pub fn unregister(&self) -> Result<()> {
        let me = self.actor.id(self.home)?;
        for entry in self.parts.registry {
            let word = entry.load(Relaxed);
            if owner(word) == me && entry.compare_exchange(word, unregistered(word), AcqRel, Relaxed).is_ok()
            {
                return Ok(());
            }
        }
        Err(Error::NotOwner)
    }

    fn is_registered(&self, member: MemberId) -> bool {
        self.parts.registry.iter().any(|entry| owner(entry.load(Relaxed)) == member)
    }

    /// Whether `member` is registered or waits here.
    pub(crate) fn holds(&self, member: MemberId) -> bool {
        let mut places = self.parts.places.into_iter().flatten();
        self.is_registered(member) || places.any(|word| owner(word.load(Relaxed)) == member)
    }

    /// Whether anybody is registered or waits here.
    pub(crate) fn is_in_hand(&self) -> bool {
        let places = self.parts.places.into_iter().flatten();
        self.parts.registry.iter().chain(places).any(|word| owner(word.load(Relaxed)) != 0)
    }

    /// Breaks the barrier if `dead` is a party of it, and takes its places and registrations. `is_dying` as
    /// the member table says it. Idempotent, several at once. The second value: whether nothing of `dead` is
    /// left here. Public for models.
    #[doc(hidden)]
    pub fn sweep(&self, dead: Incarnation, is_dying: impl Fn() -> bool) -> (Recovered, bool) {
        let mut found = Recovered::default();
        let registry = self.parts.registry.iter().map(|word| (word, true));
        let places = self.parts.places.into_iter().flatten().map(|word| (word, false));
        for (at, registered) in registry.chain(places) {
            let word = at.load(Acquire);
            if owner(word) != dead.id {
                continue;
            }
            // Only the generation that it came to; of a registered one, whichever is there.
            let concerns = |state: u64| registered || state & TAG == word & TAG;
            // Another recoverer that has got through has broken what is to be broken.
            let is_owed = || at.load(Acquire) == word;
            if !self.break_for_the_dead(concerns, is_owed, &is_dying, &mut found) {
                return (found, false);
            }
            let vacant = if registered { unregistered(word) } else { word & TAG };
            if at.compare_exchange(word, vacant, SeqCst, Relaxed).is_ok() {
                self.parts.vacated.notify_all(self.home.platform());
            }
        }
        (found, true)
    }

    /// Breaks the present generation, if it `concerns` the dead one. False: the recovery is over, and so nothing
    /// may be done.
    fn break_for_the_dead(
        &self,
        concerns: impl Fn(u64) -> bool,
        is_owed: impl Fn() -> bool,
        is_dying: impl Fn() -> bool,
        found: &mut Recovered,
    ) -> bool {
        for _ in 0..TRIES {
            // The state before the questions: if the answers change in between, the CAS fails, but for a reset
            // that comes between another recoverer's break and its next step.
            let state = self.parts.state.load(Acquire);
            if !is_owed() {
                return true;
            }
            if !is_dying() {
                return false;
            }
            if state & BROKEN != 0 || !concerns(state) {
                return true;
            }
            if self.parts.state.compare_exchange(state, state | BROKEN, SeqCst, Relaxed).is_ok() {
                found.broken += 1;
                self.wake_all();
                return true;
            }
        }
        false
    }
}

/// The next generation of a registration, free.
fn unregistered(word: u64) -> u64 {
    (word & TAG).wrapping_add(OWNER + 1)
}
