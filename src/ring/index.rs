//! Wrapping arithmetic on turns and positions. Pure: no atomics, no memory.
//!
//! A *turn* counts the laps of one slot, in 44 bits. A *position* counts the messages of one ring: its
//! turn, then the slot's index, in `44 + shift` bits where the ring has `1 << shift` slots. Both wrap to
//! zero together, so a position's successor is always `+ 1`.
//!
//! # Invariants
//! 1. Nothing is compared by `<` or `max` but by the sign of a difference in the number's own width:
//!    right while the two are less than half the range, 2^43 laps, apart. Only a party stopped in the
//!    middle of a call for so long could see more: two days at full speed for a ring of two slots,
//!    two months for one of 64.
//! 2. Any `u64` may come in, from a hostile peer too: it is cut to width first, and nothing panics.
//!
//! # Checked by
//! `tests/prop_ring.rs`, against 128-bit arithmetic.

/// Bits of a turn.
pub const TURN_BITS: u32 = 44;
/// The largest `shift`: rings have 2 to 65536 slots.
pub const MAX_SHIFT: u32 = 16;

const TURN_MASK: u64 = (1 << TURN_BITS) - 1;

/// `a - b` as a signed number of `bits` bits.
const fn signed_difference(a: u64, b: u64, bits: u32) -> i64 {
    (a.wrapping_sub(b) << (64 - bits)) as i64 >> (64 - bits)
}

/// How many laps `a` is ahead of `b`; negative if behind.
#[inline(always)]
pub const fn turns_ahead(a: u64, b: u64) -> i64 {
    signed_difference(a, b, TURN_BITS)
}

/// The turn after this one.
#[inline(always)]
pub const fn next_turn(turn: u64) -> u64 {
    turn.wrapping_add(1) & TURN_MASK
}

/// The turn before this one.
#[inline(always)]
pub const fn previous_turn(turn: u64) -> u64 {
    turn.wrapping_sub(1) & TURN_MASK
}

/// The arithmetic of a ring of `1 << shift` slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    shift: u32,
    /// The capacity less one.
    mask: u32,
}

impl Geometry {
    /// `shift` is brought into `1..=`[`MAX_SHIFT`], so that no later step can overflow.
    #[inline(always)]
    pub const fn new(shift: u32) -> Geometry {
        let shift = if shift < 1 {
            1
        } else if shift > MAX_SHIFT {
            MAX_SHIFT
        } else {
            shift
        };
        Geometry { shift, mask: (1 << shift) - 1 }
    }

    /// Slots.
    #[inline(always)]
    pub const fn capacity(self) -> u32 {
        self.mask + 1
    }

    const fn bits(self) -> u32 {
        TURN_BITS + self.shift
    }

    /// A position out of any bits: those above the width are dropped.
    #[inline(always)]
    pub const fn wrap(self, raw: u64) -> u64 {
        raw & ((self.mask as u64) << TURN_BITS | TURN_MASK)
    }

    /// The position of slot `index` in lap `turn`.
    #[inline(always)]
    pub const fn position(self, turn: u64, index: u32) -> u64 {
        ((turn & TURN_MASK) << self.shift) | self.mask(index) as u64
    }

    /// The lap of a position.
    #[inline(always)]
    pub const fn turn(self, position: u64) -> u64 {
        (position >> self.shift) & TURN_MASK
    }

    /// The slot of a position: always below the capacity.
    #[inline(always)]
    pub const fn index(self, position: u64) -> u32 {
        self.mask(position as u32)
    }

    /// An index out of any bits: always below the capacity.
    #[inline(always)]
    pub const fn mask(self, index: u32) -> u32 {
        index & self.mask
    }

    /// The position `count` after this one.
    #[inline(always)]
    pub const fn add(self, position: u64, count: u32) -> u64 {
        self.wrap(position.wrapping_add(count as u64))
    }

    /// How far `a` is ahead of `b`; negative if behind.
    #[inline(always)]
    pub const fn ahead(self, a: u64, b: u64) -> i64 {
        signed_difference(a, b, self.bits())
    }

    const fn later(self, a: u64, b: u64) -> u64 {
        if self.ahead(a, b) > 0 { a } else { b }
    }

    /// The first position that may still be unspent (see `mpmc`), given that the slot of `at` was seen
    /// in `turn`, later than `at`'s: its position of the lap before `turn` is spent, hence all before.
    #[inline]
    pub const fn after_spent(self, turn: u64, at: u64) -> u64 {
        let spent = self.position(previous_turn(turn), self.index(at));
        self.add(self.later(spent, at), 1)
    }

    /// The first position that may still hold a message, given that the slot of `at` was seen in `turn`,
    /// later than `at`'s. Its position of the lap before `turn` is dead too, but those before that one
    /// need not be: a producer may have voided it before consumers came by. Two laps back all are.
    #[inline]
    pub const fn after_dead(self, turn: u64, at: u64) -> u64 {
        let dead = self.position(previous_turn(previous_turn(turn)), self.index(at));
        self.add(self.later(dead, at), 1)
    }
}
