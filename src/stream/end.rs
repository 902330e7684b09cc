//! Who has an end: one word, changed by compare-and-swap. Public for models.
//!
//! # Memory
//! | bits | field | |
//! |---|---|---|
//! | 0 | `claimed` | somebody has the end; 0: free |
//! | 1..32 | `count` | one more at every claim and take-over; wraps |
//!
//! # States
//! free -> claimed (one more) -> free; claimed -> claimed (one more): taken over.
//!
//! # Invariants
//! 1. A handle knows the word that it stored. As long as it stands there the end is the handle's; once it does
//!    not, it is somebody else's, or free.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | what the owner before did to its end of the ring | giving back, Release | the claiming CAS, Acquire |
//! | the same of a dead one | whatever told that it is dead | who takes over: its caller's word |
//! | that of one who gave the end back and whose death was told all the same | giving back, Release | taking over, Acquire |
//!
//! # Limits
//! A handle that was robbed of its end while alive, against the rules, notices; unless 2^31 claims later the word is
//! the same again.

use crate::{
    error::{Error, Result},
    sync::{AtomicU32, Ordering::*},
};

const CLAIMED: u32 = 1;
const COUNT: u32 = 2;
/// Each retry means that the word has changed: by others who claim, or against the rules.
const TRIES: u32 = 1000;

/// One of the two ends.
#[derive(Clone, Copy)]
pub struct End<'m>(pub &'m AtomicU32);

impl End<'_> {
    /// The word that says that it is ours. `EndTaken` if it is not free.
    pub fn claim(self) -> Result<u32> {
        let seen = self.0.load(Relaxed);
        if seen & CLAIMED != 0 {
            return Err(Error::EndTaken);
        }
        let mine = seen.wrapping_add(COUNT) | CLAIMED;
        self.0.compare_exchange(seen, mine, Acquire, Relaxed).map_err(|_| Error::EndTaken)?;
        Ok(mine)
    }

    /// As [`End::claim`], whoever has it. `BadRegion`: the word does not stand still.
    pub fn take_over(self) -> Result<u32> {
        let mut seen = self.0.load(Relaxed);
        for _ in 0..TRIES {
            let mine = seen.wrapping_add(COUNT) | CLAIMED;
            match self.0.compare_exchange(seen, mine, Acquire, Relaxed) {
                Ok(_) => return Ok(mine),
                Err(now) => seen = now,
            }
        }
        Err(Error::BadRegion)
    }

    /// Whether it is still that claim's. Relaxed: nothing is read because of the answer.
    #[inline(always)]
    pub fn is(self, mine: u32) -> bool {
        self.0.load(Relaxed) == mine
    }

    /// No effect if it is not that claim's any more.
    pub fn give_back(self, mine: u32) {
        let _ = self.0.compare_exchange(mine, mine & !CLAIMED, Release, Relaxed);
    }

    /// Whether somebody has it, or died with it.
    pub fn is_claimed(self) -> bool {
        self.0.load(Relaxed) & CLAIMED != 0
    }
}
