//! Looking around a ring without taking anything. **Each answer may be old as soon as it is given**: others
//! go on meanwhile. What can be relied on stands at each function.

use super::{
    index::turns_ahead,
    mpmc::{Ahead, Budget, Claim, Ring, Slots},
    word::{EMPTY, FULL, HOLE, MemberId, ORPHAN, READING, WRITING, Word},
};
use crate::sync::Ordering::*;

impl<S: Slots> Ring<'_, S> {
    /// Messages that wait: published, or orphaned (poisoned ones too). Looks at every slot.
    pub fn len(&self) -> u32 {
        self.count(|word| matches!(word.phase(), FULL | ORPHAN))
    }

    /// Whether no message waits. Looks at every slot.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Orphans that [`Ring::claim`] with this limit passes over. Looks at every slot.
    pub fn poisoned(&self, limit: u8) -> u32 {
        self.count(|word| word.phase() == ORPHAN && word.attempt() >= limit)
    }

    /// Messages published and not released, poisoned ones not. Looks at every slot.
    pub fn unfinished(&self, limit: u8) -> u32 {
        self.count(|word| is_unfinished(word, limit))
    }

    /// Whether [`Ring::unfinished`] is not 0. Looks until it finds one.
    pub fn has_unfinished(&self, limit: u8) -> bool {
        (0..self.capacity()).any(|index| is_unfinished(self.seen(index), limit))
    }

    /// Whether somebody has reserved and not yet published. Looks at every slot. After a SeqCst store of
    /// a flag that writers load (SeqCst) behind their `reserve`, false means: no writer that missed the
    /// flag will publish any more (Ordering, row 6).
    pub fn has_writers(&self) -> bool {
        self.count(|word| word.phase() == WRITING) != 0
    }

    /// Whether `member` holds a slot. Looks at every slot.
    pub fn holds(&self, member: MemberId) -> bool {
        (0..self.capacity()).any(|index| self.seen(index).is_held_by(member))
    }

    /// Whether any slot is in anybody's hand.
    pub fn is_held(&self) -> bool {
        (0..self.capacity()).any(|index| self.seen(index).is_held())
    }

    /// Whether that claim of `me`'s is still in its hand. A lap changes nothing, see `word`.
    pub fn is_in_hand(&self, me: MemberId, claim: Claim) -> bool {
        let word = self.seen(claim.index);
        word.phase() == READING && word.owner() == me && word.attempt() == claim.attempt
    }

    /// Whether there was an **instant** during this call at which every published message had been
    /// released (poisoned ones do not count). Looks at every slot twice.
    ///
    /// Proof: each look wants every slot in E, W, H or a poisoned O, and sums `(turn, attempt, is it O)`. From
    /// one of those phases to the next the triple never shrinks, and grows if the slot held a message in
    /// hand or ready meanwhile (`word`, 1: that leaves W or O of one turn for a later turn, for O, or for O
    /// with a higher attempt). So two equal sums mean that no slot did between its two looks; and the
    /// instant between the two walks lies between the two looks of every slot.
    ///
    /// E, W and H are as one, for a reservation begun meanwhile must not make the answer false: nobody would
    /// tell who waits for it. (A lap does, seldom; it ends at the tick.)
    pub fn was_finished(&self, limit: u8) -> bool {
        let first = self.finished_sum(limit);
        first.is_some() && first == self.finished_sum(limit)
    }

    fn finished_sum(&self, limit: u8) -> Option<u64> {
        (0..self.capacity()).try_fold(0u64, |sum, index| {
            let word = self.seen(index);
            let orphan = u64::from(word.phase() == ORPHAN);
            let stamp = (word.turn() << 8) | u64::from(word.attempt()) << 3 | orphan;
            (!is_unfinished(word, limit)).then(|| sum.wrapping_add(stamp))
        })
    }

    /// Whether there is a message where the head hint says. One look; a hint itself.
    #[inline]
    pub fn looks_ready(&self) -> bool {
        let at = self.geometry.wrap(self.header.head.0.load(Acquire));
        self.look(at) == Word::full(self.geometry.turn(at))
    }

    /// Whether [`Ring::claim`] would find a message, orphans apart. After a SeqCst fence: one that was
    /// published before is not missed (Ordering, row 5). Usually one look.
    pub fn has_message(&self) -> bool {
        let geometry = self.geometry;
        let mut at = geometry.wrap(self.header.head.0.load(Relaxed));
        let mut budget = Budget::new(self.capacity());
        while budget.spend() {
            let turn = geometry.turn(at);
            let seen = self.look(at);
            if seen == Word::full(turn) {
                return true;
            }
            match turns_ahead(seen.turn(), turn) {
                1.. => at = geometry.after_dead(seen.turn(), at),
                0 if matches!(seen.phase(), READING | HOLE | ORPHAN) => at = geometry.add(at, 1),
                0 if seen.phase() == WRITING && self.stop_safe => {
                    return !matches!(self.find_message(at, &mut budget), Ahead::Nothing);
                }
                _ => return false,
            }
        }
        true // others are busy here: worth a try
    }

    /// Whether [`Ring::reserve`] would find a slot. After a SeqCst fence: one that was freed before is not
    /// missed. Usually one look.
    pub fn has_room(&self) -> bool {
        let geometry = self.geometry;
        let mut at = geometry.wrap(self.header.tail.0.load(Relaxed));
        let mut budget = Budget::new(self.capacity());
        while budget.spend() {
            let turn = geometry.turn(at);
            let seen = self.look(at);
            if seen == Word::empty(turn) {
                return true;
            }
            match turns_ahead(seen.turn(), turn) {
                0 => at = geometry.add(at, 1),
                1.. => at = geometry.after_spent(seen.turn(), at),
                -1 if self.may_lap(seen) => {
                    return !matches!(self.find_free(at, &mut budget), Ahead::Nothing);
                }
                _ => return false,
            }
        }
        true
    }

    /// Whether any slot is free, wherever. Looks at every slot.
    pub fn has_free_slot(&self) -> bool {
        (0..self.capacity()).any(|index| self.seen(index).phase() == EMPTY)
    }

    fn seen(&self, index: u32) -> Word {
        Word(self.slot(index).load(SeqCst))
    }

    fn count(&self, counts: impl Fn(Word) -> bool) -> u32 {
        (0..self.capacity()).filter(|index| counts(self.seen(*index))).count() as u32
    }
}

fn is_unfinished(word: Word, limit: u8) -> bool {
    match word.phase() {
        EMPTY | WRITING | HOLE => false,
        ORPHAN => word.attempt() < limit,
        _ => true,
    }
}
