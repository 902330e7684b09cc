//! Slots whose owner died: freed if nothing was published, else orphaned and adopted. The argument is in
//! `mpmc`'s comment, which covers both files.

use super::{
    mpmc::{Budget, Claim, MAX_ATTEMPTS, PRESENT, Ring, Slots},
    word::{LAST_ATTEMPT, MemberId, ORPHAN, READING, Word},
};
use crate::sync::Ordering::*;
use core::ops::Range;

/// What one [`Ring::recover`] did. Others may have done part of the same work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Recovery {
    /// Messages in the dead member's hand that are orphans now.
    pub redelivered: u32,
    /// Slots that it was writing, freed.
    pub freed: u32,
    /// Messages given up: their holders died too often, or the ring does not redeliver.
    pub dropped: u32,
    /// There are orphans, and the orphan word says so: wake consumers.
    pub raised: bool,
    /// The whole ring was looked at, nothing of the dead member's is left, and orphans are announced:
    /// as far as this ring goes, the id may be given to somebody else. If false (another recoverer was
    /// faster, or the budget ran out) this call proves nothing; leave the id DYING.
    pub complete: bool,
}

impl<S: Slots> Ring<'_, S> {
    /// Takes back what `dead` holds. `still_dying` loads (Acquire) the member word and says whether it
    /// still names the very incarnation that was found dead, marked DYING; it is asked after each slot
    /// word is read and before it is changed. Any number of parties may do this at once, at any time,
    /// and be killed or stopped in it.
    #[cold]
    #[inline(never)]
    pub fn recover(&self, dead: MemberId, still_dying: impl Fn() -> bool) -> Recovery {
        let mut result = Recovery::default();
        let mut orphans = false;
        let mut complete = true;
        let mut budget = Budget::new(self.capacity());
        'slots: for index in 0..self.capacity() {
            let slot = self.slot(index);
            loop {
                if !budget.spend() {
                    complete = false;
                    break 'slots;
                }
                // Acquire: the member word must be read after this, and at least as new as the tag.
                let seen = Word(slot.load(Acquire));
                if seen.phase() == ORPHAN {
                    // Ours or not: whoever made it may have died before the raise.
                    orphans = true;
                }
                if !seen.is_held_by(dead) {
                    break;
                }
                if !still_dying() {
                    complete = false;
                    break 'slots;
                }
                let message = seen.phase() == READING;
                let keep = message && self.redeliver && seen.attempt() < LAST_ATTEMPT;
                let next = if keep { Word::orphan(seen.turn(), seen.attempt()) } else { seen.freed() };
                if slot.compare_exchange(seen.0, next.0, SeqCst, Relaxed).is_err() {
                    continue; // lapped, or another recoverer
                }
                if keep {
                    result.redelivered += 1;
                    orphans = true;
                } else if message {
                    result.dropped += 1;
                    self.header.dropped.0.fetch_add(1, Relaxed);
                } else {
                    result.freed += 1;
                }
                break;
            }
        }
        if orphans {
            self.raise();
        }
        Recovery { raised: orphans, complete, ..result }
    }

    /// Gives a message in hand back for redelivery, as if we had died, but at once. False: it had been
    /// redelivered as often as can be told, and is dropped.
    pub fn abandon(&self, me: MemberId, claim: Claim) -> bool {
        self.abandon_if(me, claim, || true)
    }

    /// As [`Ring::abandon`], for a claim that may have outlived its member; see [`Ring::release_if`].
    #[cold]
    #[inline(never)]
    pub fn abandon_if(&self, me: MemberId, claim: Claim, still_me: impl Fn() -> bool) -> bool {
        let slot = self.slot(claim.index);
        let mut budget = Budget::new(self.capacity());
        let mut seen = Word::reading(claim.turn, claim.attempt, me);
        let mut keep = true;
        while seen.is_held_by(me) && seen.phase() == READING && budget.spend() && still_me() {
            keep = seen.attempt() < LAST_ATTEMPT;
            let next = if keep { Word::orphan(seen.turn(), seen.attempt()) } else { seen.freed() };
            match slot.compare_exchange(seen.0, next.0, SeqCst, Acquire) {
                Ok(_) if keep => {
                    self.raise();
                    break;
                }
                Ok(_) => {
                    self.header.dropped.0.fetch_add(1, Relaxed);
                    break;
                }
                Err(now) => seen = Word(now),
            }
        }
        keep
    }

    /// Takes an orphan that was redelivered `limit` times or more and that [`Ring::claim`] passes over.
    /// Looks at every slot.
    #[cold]
    #[inline(never)]
    pub fn claim_poisoned(&self, me: MemberId, limit: u8) -> Option<Claim> {
        self.adopt(me, limit.min(MAX_ATTEMPTS)..LAST_ATTEMPT, &mut Budget::new(self.capacity()))
    }

    /// Takes an orphan with fewer than `limit` redeliveries, if there is one: what [`Ring::claim`] does first.
    #[inline(always)]
    pub(super) fn claim_orphan(&self, me: MemberId, limit: u8) -> Option<Claim> {
        // Acquire: partner is the raise, see Ordering, row 4.
        let announced = self.header.orphans.0.load(Acquire);
        if announced & PRESENT == 0 { None } else { self.adopt_or_clear(me, limit, announced) }
    }

    /// `announced`: the orphan word, loaded (Acquire) before.
    #[cold]
    #[inline(never)]
    fn adopt_or_clear(&self, me: MemberId, limit: u8, announced: u64) -> Option<Claim> {
        if limit == 0 {
            return None; // we are to leave orphans alone: others look for them, so do not clear
        }
        let mut budget = Budget::new(self.capacity());
        let claim = self.adopt(me, 0..limit.min(MAX_ATTEMPTS), &mut budget);
        if claim.is_none() && budget.spend() {
            // Fails if anything was raised since `announced` was read. Relaxed: nothing is handed over,
            // and the next raise is a read-modify-write of whatever it finds.
            let clear = announced & !PRESENT;
            let _ = self.header.orphans.0.compare_exchange(announced, clear, Relaxed, Relaxed);
        }
        claim
    }

    /// Whether there is an orphan with fewer than `limit` redeliveries. Looks at every slot if there may be
    /// one; if there is none, later calls with this limit need not.
    #[inline]
    pub fn has_orphan(&self, limit: u8) -> bool {
        let announced = self.header.orphans.0.load(SeqCst);
        announced & PRESENT != 0 && self.find_orphan(limit, announced)
    }

    #[cold]
    fn find_orphan(&self, limit: u8, announced: u64) -> bool {
        // Relaxed: as in `adopt`.
        let found = (0..self.capacity())
            .map(|index| Word(self.slot(index).load(Relaxed)))
            .any(|word| word.phase() == ORPHAN && word.attempt() < limit);
        if !found {
            // As in `adopt_or_clear`.
            let clear = announced & !PRESENT;
            let _ = self.header.orphans.0.compare_exchange(announced, clear, Relaxed, Relaxed);
        }
        found
    }

    /// The first orphan, in slot order, whose attempt is in `attempts` (which ends at 31 at most).
    fn adopt(&self, me: MemberId, attempts: Range<u8>, budget: &mut Budget) -> Option<Claim> {
        for index in 0..self.capacity() {
            let slot = self.slot(index);
            // Relaxed: `announced` was an Acquire load, so what was raised before is seen here.
            let mut seen = Word(slot.load(Relaxed));
            while seen.phase() == ORPHAN && attempts.contains(&seen.attempt()) && budget.spend() {
                let claim = Claim { index, attempt: seen.attempt() + 1, turn: seen.turn() };
                let mine = Word::reading(claim.turn, claim.attempt, me);
                // As in `try_claim`.
                match slot.compare_exchange(seen.0, mine.0, AcqRel, Relaxed) {
                    Ok(_) => return Some(claim),
                    Err(now) => seen = Word(now),
                }
            }
        }
        None
    }

    /// Announces orphans; after their CAS. Two steps instead of a loop: from the first on, no clear that
    /// was begun earlier can succeed; one begun in between has seen our orphan.
    fn raise(&self) {
        let orphans = &self.header.orphans.0;
        orphans.fetch_add(PRESENT << 1, SeqCst);
        orphans.fetch_or(PRESENT, SeqCst);
    }

    /// Whether [`Ring::claim`] has to look for orphans. Test it before sleeping: an orphan may wait.
    #[inline]
    pub fn has_orphans(&self) -> bool {
        self.header.orphans.0.load(SeqCst) & PRESENT != 0
    }
}
