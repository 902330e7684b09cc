//! The producers' side of the ring: reserve, publish, cancel. The argument is in `mpmc`'s comment.

use super::{
    index::turns_ahead,
    mpmc::{Ahead, Budget, Position, Refused, Ring, Slots},
    word::{HOLE, MAX_MEMBERS, MemberId, ORPHAN, READING, WRITING, Word},
};
use crate::sync::Ordering::*;

impl<S: Slots> Ring<'_, S> {
    /// Reserves the slot of the next position, or refuses with `Full` or `Contended`.
    /// If we die holding it: the position is void, recovery frees the slot.
    #[inline(always)]
    pub fn reserve(&self, me: MemberId) -> Result<Position, Refused> {
        match self.reserve_fast(me) {
            Some(position) => Ok(position),
            None => self.reserve_slow(self.geometry.wrap(self.header.tail.0.load(Relaxed)), me),
        }
    }

    /// What [`Ring::reserve`] does when there is nothing special, and only that; see [`Ring::claim_fast`].
    #[inline(always)]
    pub fn reserve_fast(&self, me: MemberId) -> Option<Position> {
        debug_assert!((1..=MAX_MEMBERS).contains(&me));
        let at = self.geometry.wrap(self.header.tail.0.load(Relaxed));
        let is_free = self.look(at) == Word::empty(self.geometry.turn(at));
        (is_free && self.try_reserve(at, me)).then(|| self.reserved(at))
    }

    #[inline(always)]
    fn try_reserve(&self, at: u64, me: MemberId) -> bool {
        let turn = self.geometry.turn(at);
        // SeqCst: partner is `close`, see Ordering, row 6.
        self.slot(self.geometry.index(at))
            .compare_exchange(Word::empty(turn).0, Word::writing(turn, me).0, SeqCst, Relaxed)
            .is_ok()
    }

    #[inline(always)]
    fn reserved(&self, at: u64) -> Position {
        self.advance(&self.header.tail.0, self.geometry.add(at, 1));
        Position { index: self.geometry.index(at), turn: self.geometry.turn(at) }
    }

    #[cold]
    #[inline(never)]
    fn reserve_slow(&self, mut at: u64, me: MemberId) -> Result<Position, Refused> {
        let geometry = self.geometry;
        let mut budget = Budget::new(self.capacity());
        let mut free = at; // if later than `at`: a free slot was seen there, all before may be lapped
        while budget.spend() {
            let turn = geometry.turn(at);
            let seen = self.look(at);
            if seen == Word::empty(turn) {
                if self.try_reserve(at, me) {
                    return Ok(self.reserved(at));
                }
                continue;
            }
            match turns_ahead(seen.turn(), turn) {
                0 => at = geometry.add(at, 1),
                1.. => at = geometry.after_spent(seen.turn(), at),
                -1 if self.may_lap(seen) => {
                    if geometry.ahead(free, at) <= 0 {
                        free = match self.find_free(at, &mut budget) {
                            Ahead::At(position) => position,
                            Ahead::Nothing => return Err(self.full(at)),
                            Ahead::Contended => break,
                        };
                    }
                    // Relaxed: nothing is handed over. Whoever did it, look again.
                    let _ = self.slot(geometry.index(at)).compare_exchange(
                        seen.0,
                        seen.lapped(turn).0,
                        Relaxed,
                        Relaxed,
                    );
                }
                _ => return Err(self.full(at)),
            }
        }
        Err(Refused::Contended)
    }

    fn full(&self, at: u64) -> Refused {
        self.advance(&self.header.tail.0, at);
        Refused::Full
    }

    /// Whether a producer may void this lap's position of a slot still in use since the last lap.
    /// Kill-only owners publish and release by plain stores, so only what has no owner may be lapped.
    pub(super) fn may_lap(&self, word: Word) -> bool {
        match word.phase() {
            ORPHAN => true,
            WRITING | READING | HOLE => self.stop_safe,
            _ => false,
        }
    }

    /// Looks behind the slot in use at `at` for one that is free in this lap. Stops at a message: while
    /// one waits, the ring is honestly full.
    pub(super) fn find_free(&self, at: u64, budget: &mut Budget) -> Ahead {
        let mut position = at;
        for _ in 1..self.capacity() {
            if !budget.spend() {
                return Ahead::Contended;
            }
            position = self.geometry.add(position, 1);
            let turn = self.geometry.turn(position);
            let seen = self.look(position);
            match turns_ahead(seen.turn(), turn) {
                0 if seen == Word::empty(turn) => return Ahead::At(position),
                0 => {}
                1.. => return Ahead::At(position), // others are far ahead: lapping `at` will fail
                -1 if self.may_lap(seen) => {}
                _ => return Ahead::Nothing,
            }
        }
        Ahead::Nothing
    }

    /// Publishes what was written. False (never in a kill-only ring): the position was voided meanwhile,
    /// the slot has been given back, the message must go into a new one.
    #[inline(always)]
    #[must_use]
    pub fn publish(&self, me: MemberId, position: Position) -> bool {
        let published = self.try_publish(me, position);
        if !published {
            self.give_back(me, position.index, WRITING, || true);
        }
        published
    }

    /// As [`Ring::publish`], but a slot whose position was voided stays ours (in phase H, its memory
    /// untouched) until [`Ring::cancel_if`].
    #[inline(always)]
    #[must_use]
    pub fn try_publish(&self, me: MemberId, position: Position) -> bool {
        let slot = self.slot(position.index);
        let full = Word::full(position.turn).0;
        // SeqCst: partner is the sleeper's fence in `EventCount::prepare`, see Ordering, row 5.
        if !self.stop_safe {
            slot.store(full, SeqCst);
            return true;
        }
        let writing = Word::writing(position.turn, me).0;
        // A failure is Acquire: who asks then whether it is a member still, must not read an older answer.
        slot.compare_exchange(writing, full, SeqCst, Acquire).is_ok()
    }

    /// Gives a reserved slot back unused. Its position is void.
    pub fn cancel(&self, me: MemberId, position: Position) {
        if self.stop_safe {
            self.give_back(me, position.index, WRITING, || true);
        } else {
            self.slot(position.index).store(Word::writing(position.turn, me).freed().0, SeqCst);
        }
    }

    /// As [`Ring::cancel`], for a position that may have outlived its member; see [`Ring::release_if`].
    pub fn cancel_if(&self, me: MemberId, position: Position, still_me: impl Fn() -> bool) {
        self.give_back(me, position.index, WRITING, still_me);
    }
}
