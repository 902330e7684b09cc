//! Who has an end: one word, changed by compare-and-swap. Public for models.
//!
//! # Memory
//! | bits | field | |
//! |---|---|---|
//! | 0..12 | `owner` | the member that has the end; 0: free |
//! | 12 | `died` | (free) its last owner was swept: it died, or left with the end in hand |
//! | 13..32 | `count` | one more at every change |
//!
//! # Invariants
//! 1. A handle knows the word that it stored. As long as it stands there the end is the handle's; once it does
//!    not, it never again is.
//! 2. A recoverer asks whether the member is still dying after it has read the word, and before its
//!    compare-and-swap: see `member`'s invariant 2. The count makes the compare-and-swap of a late one fail.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | what the owner before did to its end of the stream | giving back, Release; sweeping, AcqRel | the claiming CAS, Acquire |
//! | who has it | the claiming CAS, Release | a recoverer's Acquire load, before it asks the member table |
//!
//! # Limits
//! A recoverer stopped between its look and its compare-and-swap for exactly 2^19 changes, at the last of which
//! the same id claims, takes the end from its owner.

use crate::{
    error::{Error, Result},
    member::MemberId,
    sync::{AtomicU32, Ordering::*},
};

pub(crate) const OWNER: u32 = 0xfff;
pub(crate) const DIED: u32 = 1 << 12;
const COUNT: u32 = 1 << 13;
/// Each retry means that the word has changed; twice, if everybody is honest.
const TRIES: u32 = 4;

fn next(word: u32, low: u32) -> u32 {
    (word & !(COUNT - 1)).wrapping_add(COUNT) | low
}

/// What a claim stored, and found.
#[derive(Clone, Copy, Debug)]
pub struct Claimed {
    /// The word.
    pub mine: u32,
    /// The owner before was swept.
    pub died: bool,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// It is not the dead member's (any more).
    NotTheirs,
    /// Taken from it.
    Freed,
    /// This call cannot vouch for it.
    Unknown,
}

/// One of the two ends.
#[derive(Clone, Copy)]
pub struct End<'r>(pub &'r AtomicU32);

impl End<'_> {
    /// `EndTaken` if it is not free.
    pub fn claim(self, me: MemberId) -> Result<Claimed> {
        let seen = self.0.load(Relaxed);
        if seen & OWNER != 0 {
            return Err(Error::EndTaken);
        }
        let mine = next(seen, u32::from(me));
        // SeqCst: before the claimer's look at what tells that the stream is to end.
        self.0.compare_exchange(seen, mine, SeqCst, Relaxed).map_err(|_| Error::EndTaken)?;
        Ok(Claimed { mine, died: seen & DIED != 0 })
    }

    /// Whether it is still that claim's. Relaxed: nothing is read because of the answer.
    #[inline(always)]
    pub fn is(self, mine: u32) -> bool {
        self.0.load(Relaxed) == mine
    }

    /// False: it was not that claim's any more. Whoever claims it next is told `died` again if that is set: a
    /// claim that came to nothing.
    pub fn give_back(self, claimed: Claimed) -> bool {
        let free = next(claimed.mine, if claimed.died { DIED } else { 0 });
        self.0.compare_exchange(claimed.mine, free, SeqCst, Relaxed).is_ok()
    }

    /// Whether that member has it.
    pub fn is_held_by(self, member: MemberId) -> bool {
        self.0.load(Acquire) & OWNER == u32::from(member)
    }

    /// Whether anybody has it. SeqCst: behind a slow fence.
    pub fn is_held(self) -> bool {
        self.0.load(SeqCst) & OWNER != 0
    }

    /// Takes it from `dead`.
    pub fn sweep(self, dead: MemberId, is_dying: impl Fn() -> bool) -> Swept {
        for _ in 0..TRIES {
            let seen = self.0.load(Acquire); // before the question (invariant 2)
            if seen & OWNER != u32::from(dead) {
                return Swept::NotTheirs;
            }
            if !is_dying() {
                return Swept::Unknown;
            }
            if self.0.compare_exchange(seen, next(seen, DIED), SeqCst, Relaxed).is_ok() {
                return Swept::Freed;
            }
        }
        Swept::Unknown
    }
}
