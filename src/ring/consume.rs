//! The consumers' side of the ring: claim, release. Orphans are in `recovery`; the argument is in
//! `mpmc`'s comment.

use super::{
    index::turns_ahead,
    mpmc::{Ahead, Budget, Claim, PRESENT, Refused, Ring, Slots},
    word::{HOLE, MAX_MEMBERS, MemberId, ORPHAN, READING, WRITING, Word},
};
use crate::sync::Ordering::*;

impl<S: Slots> Ring<'_, S> {
    /// Takes an orphan with fewer than `limit` redeliveries, else the next message. Refuses with `Empty`
    /// or `Contended`. If we die holding it: recovery makes it an orphan.
    /// `limit` is at most [`super::MAX_ATTEMPTS`]; every party must use the same.
    #[inline(always)]
    pub fn claim(&self, me: MemberId, limit: u8) -> Result<Claim, Refused> {
        debug_assert!((1..=MAX_MEMBERS).contains(&me));
        if let Some(claim) = self.claim_orphan(me, limit) {
            return Ok(claim);
        }
        match self.claim_at_hint(me) {
            Some(claim) => Ok(claim),
            None => self.claim_slow(self.geometry.wrap(self.header.head.0.load(Relaxed)), me),
        }
    }

    /// What [`Ring::claim`] does when there is nothing special, and only that: apart, so that the few
    /// instructions it takes need not meet those of the rest.
    #[inline(always)]
    pub fn claim_fast(&self, me: MemberId) -> Option<Claim> {
        debug_assert!((1..=MAX_MEMBERS).contains(&me));
        // Acquire: as in `claim_orphan`.
        if self.header.orphans.0.load(Acquire) & PRESENT == 0 { self.claim_at_hint(me) } else { None }
    }

    #[inline(always)]
    fn claim_at_hint(&self, me: MemberId) -> Option<Claim> {
        let at = self.geometry.wrap(self.header.head.0.load(Relaxed));
        let is_full = self.look(at) == Word::full(self.geometry.turn(at));
        (is_full && self.try_claim(at, me)).then(|| self.claimed(at))
    }

    #[inline(always)]
    fn try_claim(&self, at: u64, me: MemberId) -> bool {
        let turn = self.geometry.turn(at);
        // Acquire: the payload. Release: who reads our tag sees that we live (Ordering, row 3).
        self.slot(self.geometry.index(at))
            .compare_exchange(Word::full(turn).0, Word::reading(turn, 0, me).0, AcqRel, Relaxed)
            .is_ok()
    }

    #[inline(always)]
    fn claimed(&self, at: u64) -> Claim {
        self.advance(&self.header.head.0, self.geometry.add(at, 1));
        Claim { index: self.geometry.index(at), attempt: 0, turn: self.geometry.turn(at) }
    }

    #[cold]
    #[inline(never)]
    fn claim_slow(&self, mut at: u64, me: MemberId) -> Result<Claim, Refused> {
        let geometry = self.geometry;
        let mut budget = Budget::new(self.capacity());
        let mut message = at; // if later than `at`: one was seen there, every W before may be voided
        while budget.spend() {
            let turn = geometry.turn(at);
            let seen = self.look(at);
            if seen == Word::full(turn) {
                if self.try_claim(at, me) {
                    return Ok(self.claimed(at));
                }
                continue;
            }
            match turns_ahead(seen.turn(), turn) {
                1.. => {
                    at = geometry.after_dead(seen.turn(), at);
                    continue;
                }
                0 => {}
                _ => return Err(self.empty(at)),
            }
            match seen.phase() {
                READING | HOLE | ORPHAN => at = geometry.add(at, 1),
                WRITING if self.stop_safe => {
                    if geometry.ahead(message, at) <= 0 {
                        message = match self.find_message(at, &mut budget) {
                            Ahead::At(position) => position,
                            Ahead::Nothing => return Err(self.empty(at)),
                            Ahead::Contended => break,
                        };
                    }
                    // Relaxed: nothing is handed over. Whoever did it, look again.
                    let hole = Word::hole(turn, seen.owner()).0;
                    let _ = self.slot(geometry.index(at)).compare_exchange(seen.0, hole, Relaxed, Relaxed);
                }
                // E: the tail. A kill-only W: its message comes first. A bad F: hostile.
                _ => return Err(self.empty(at)),
            }
        }
        Err(Refused::Contended)
    }

    fn empty(&self, at: u64) -> Refused {
        self.advance(&self.header.head.0, at);
        Refused::Empty
    }

    /// Looks behind the unfinished message at `at` for a published one.
    pub(super) fn find_message(&self, at: u64, budget: &mut Budget) -> Ahead {
        let mut position = at;
        for _ in 1..self.capacity() {
            if !budget.spend() {
                return Ahead::Contended;
            }
            position = self.geometry.add(position, 1);
            let turn = self.geometry.turn(position);
            let seen = self.look(position);
            if seen == Word::full(turn) {
                return Ahead::At(position);
            }
            if seen == Word::empty(turn) || turns_ahead(seen.turn(), turn) < 0 {
                return Ahead::Nothing; // the tail
            }
        }
        Ahead::Nothing
    }

    /// The message is done with; its slot may be written again.
    #[inline(always)]
    pub fn release(&self, me: MemberId, claim: Claim) {
        let slot = self.slot(claim.index);
        let mine = Word::reading(claim.turn, claim.attempt, me);
        // Release: who writes next must not overtake our reading. SeqCst: as in `publish`.
        if !self.stop_safe {
            slot.store(mine.freed().0, SeqCst);
        } else if slot.compare_exchange(mine.0, mine.freed().0, SeqCst, Relaxed).is_err() {
            self.give_back(me, claim.index, READING, || true); // lapped meanwhile
        }
    }

    /// As [`Ring::release`], for a claim that may have outlived its member: `still_me` loads (Acquire)
    /// the member word and says whether it still names the incarnation that claimed. A word that was
    /// lapped cannot be told from one that the id's next holder claimed, so it is asked then; the exact
    /// word cannot come again. Never a plain store, which would hit whatever is in the slot by now.
    #[inline]
    pub fn release_if(&self, me: MemberId, claim: Claim, still_me: impl Fn() -> bool) {
        let mine = Word::reading(claim.turn, claim.attempt, me);
        if self.slot(claim.index).compare_exchange(mine.0, mine.freed().0, SeqCst, Relaxed).is_err() {
            self.give_back(me, claim.index, READING, still_me);
        }
    }
}
