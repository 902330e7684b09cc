//! The slot word: what its 64 bits mean, and the one direction in which they move. Pure.
//!
//! # Memory
//! | bits | field | |
//! |---|---|---|
//! | 20..64 | `turn` | the lap that the word speaks of; see `index` |
//! | 15..20 | `attempt` | how often the message was redelivered; 0 unless phase is R or O |
//! | 3..15 | `owner` | the member that holds the slot; 0 in E, F and O |
//! | 0..3 | `phase` | below; 6 and 7 do not occur |
//!
//! # States
//! | phase | | in the slot | owner |
//! |---|---|---|---|
//! | E | empty | nothing | - |
//! | W | writing | a message in the making | its writer |
//! | F | full | a message | - |
//! | R | reading | a message in hand | its reader |
//! | H | hole | scraps; the position is void, the memory still the writer's | the writer |
//! | O | orphan | a message whose reader died, or gave it back | - |
//!
//! # Invariants
//! 1. Every transition raises `(turn, attempt, rank of the phase)` lexically, where E < W < H and
//!    W < F < R < O: so a slot's word **never has the same value twice** within 2^44 laps, and a
//!    compare-and-swap can succeed only in the very state that its author saw.
//! 2. Any 64 bits decode without a panic; a word that no transition makes fails every exact comparison.

use super::index::next_turn;

/// Who holds a slot: `1..=`[`MAX_MEMBERS`]; 0 is nobody.
pub type MemberId = u16;
/// The largest member id.
pub const MAX_MEMBERS: MemberId = 4095;

/// Phase E.
pub const EMPTY: u64 = 0;
/// Phase W.
pub const WRITING: u64 = 1;
/// Phase F.
pub const FULL: u64 = 2;
/// Phase R.
pub const READING: u64 = 3;
/// Phase H.
pub const HOLE: u64 = 4;
/// Phase O.
pub const ORPHAN: u64 = 5;

/// The largest attempt that the word can tell; it guards against ABA, so it must never wrap.
pub const LAST_ATTEMPT: u8 = 31;

const PHASE_BITS: u32 = 3;
const OWNER_BITS: u32 = 12;
const ATTEMPT_BITS: u32 = 5;
const OWNER_AT: u32 = PHASE_BITS;
const ATTEMPT_AT: u32 = OWNER_AT + OWNER_BITS;
const TURN_AT: u32 = ATTEMPT_AT + ATTEMPT_BITS;

/// A slot word, taken apart on demand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Word(
    /// As in memory.
    pub u64,
);

impl Word {
    #[inline(always)]
    const fn new(turn: u64, attempt: u8, owner: MemberId, phase: u64) -> Word {
        Word(
            (turn << TURN_AT)
                | ((attempt & LAST_ATTEMPT) as u64) << ATTEMPT_AT
                | ((owner & MAX_MEMBERS) as u64) << OWNER_AT
                | phase,
        )
    }
    /// E: may be reserved in lap `turn`.
    #[inline(always)]
    pub const fn empty(turn: u64) -> Word {
        Word::new(turn, 0, 0, EMPTY)
    }
    /// W: `owner` fills it.
    #[inline(always)]
    pub const fn writing(turn: u64, owner: MemberId) -> Word {
        Word::new(turn, 0, owner, WRITING)
    }
    /// F: published.
    #[inline(always)]
    pub const fn full(turn: u64) -> Word {
        Word::new(turn, 0, 0, FULL)
    }
    /// R: in `owner`'s hand, for the `attempt`th time after the first.
    #[inline(always)]
    pub const fn reading(turn: u64, attempt: u8, owner: MemberId) -> Word {
        Word::new(turn, attempt, owner, READING)
    }
    /// H: void, `owner` does not know yet.
    #[inline(always)]
    pub const fn hole(turn: u64, owner: MemberId) -> Word {
        Word::new(turn, 0, owner, HOLE)
    }
    /// O: waits for somebody to adopt it.
    #[inline(always)]
    pub const fn orphan(turn: u64, attempt: u8) -> Word {
        Word::new(turn, attempt, 0, ORPHAN)
    }

    /// The lap.
    #[inline(always)]
    pub const fn turn(self) -> u64 {
        self.0 >> TURN_AT
    }
    /// Redeliveries so far, `0..=31`.
    #[inline(always)]
    pub const fn attempt(self) -> u8 {
        (self.0 >> ATTEMPT_AT) as u8 & LAST_ATTEMPT
    }
    /// The holder, or 0.
    #[inline(always)]
    pub const fn owner(self) -> MemberId {
        (self.0 >> OWNER_AT) as u16 & MAX_MEMBERS
    }
    /// One of the constants above, or 6 or 7.
    #[inline(always)]
    pub const fn phase(self) -> u64 {
        self.0 & ((1 << PHASE_BITS) - 1)
    }

    /// W, R or H of `member`.
    #[inline]
    pub const fn is_held_by(self, member: MemberId) -> bool {
        self.owner() == member && matches!(self.phase(), WRITING | READING | HOLE)
    }

    /// W or R: a message or room for one in a hand. A hole is nobody's work any more.
    #[inline]
    pub const fn is_held(self) -> bool {
        matches!(self.phase(), WRITING | READING)
    }

    /// The slot given back: E of the next lap.
    #[inline(always)]
    pub const fn freed(self) -> Word {
        Word::empty(next_turn(self.turn()))
    }

    /// The slot lapped by a producer: the position `turn` is void, and what is inside stays.
    #[inline]
    pub const fn lapped(self, turn: u64) -> Word {
        match self.phase() {
            WRITING => Word::hole(turn, self.owner()),
            phase => Word::new(turn, self.attempt(), self.owner(), phase),
        }
    }
}

/// `W(5, owner 3)`, for failing tests and debuggers.
impl core::fmt::Debug for Word {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let phase = ["E", "W", "F", "R", "H", "O", "?6", "?7"][self.phase() as usize];
        write!(f, "{phase}({}, attempt {}, owner {})", self.turn(), self.attempt(), self.owner())
    }
}
