//! The owner-tagged ring.

use super::{
    index::Geometry,
    word::{FULL, MemberId, ORPHAN, READING, WRITING, Word},
};
use crate::{
    layout::Line,
    sync::{AtomicU64, Ordering::*},
};

/// The largest `limit` of [`Ring::claim`].
pub const MAX_ATTEMPTS: u8 = 30;

/// Bit 0 of the orphan word; the rest is a generation.
pub(super) const PRESENT: u64 = 1;

/// Where the slot words are: in a region, or, in models, in a `Vec`.
pub trait Slots: Copy {
    /// The word of slot `index`, which is below the ring's capacity.
    fn word(&self, index: u32) -> &AtomicU64;
}

/// What a ring shares besides its slots. All-zero is a valid start, see [`Ring::format`].
#[repr(C)]
pub struct Header {
    pub(super) tail: Line<AtomicU64>,
    pub(super) head: Line<AtomicU64>,
    pub(super) orphans: Line<AtomicU64>,
    pub(super) dropped: Line<AtomicU64>,
}

#[cfg(not(rialto_loom))]
static_assertions::const_assert_eq!(size_of::<Header>(), 512);

macro_rules! new_header {
    ($($const:tt)?) => {
        /// All zero.
        #[allow(clippy::new_without_default)]
        pub $($const)? fn new() -> Self {
            Header {
                tail: Line(AtomicU64::new(0)),
                head: Line(AtomicU64::new(0)),
                orphans: Line(AtomicU64::new(0)),
                dropped: Line(AtomicU64::new(0)),
            }
        }
    };
}

impl Header {
    // loom's atomics cannot be made in a constant.
    #[cfg(not(rialto_loom))]
    new_header!(const);
    #[cfg(rialto_loom)]
    new_header!();

    /// Messages given up because their last allowed holder died too. May miss one if the party that
    /// gave it up was killed before it counted.
    pub fn dropped(&self) -> u64 {
        self.dropped.0.load(Relaxed)
    }

    /// Sets both hints, as a party that was stopped before it stored them does. For tests: any value
    /// that was once right (or lies before one that was) is harmless, wherever the ring is by now.
    #[doc(hidden)]
    pub fn set_hints(&self, tail: u64, head: u64) {
        self.tail.0.store(tail, Relaxed);
        self.head.0.store(head, Relaxed);
    }

    /// Both hints, tail first.
    #[doc(hidden)]
    pub fn hints(&self) -> (u64, u64) {
        (self.tail.0.load(Relaxed), self.head.0.load(Relaxed))
    }
}

/// Why there is no slot now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// `reserve`: every slot holds a message or is held.
    Full,
    /// `claim`: no message.
    Empty,
    /// Others changed the ring at every step for as long as this call looks; ask again later.
    Contended,
}

/// A slot reserved for writing; good for one `publish` or `cancel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Position {
    /// The slot, below the capacity.
    pub index: u32,
    /// The lap in which it was reserved.
    pub turn: u64,
}

/// A message in hand; good for one `release` or `abandon`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Claim {
    /// The slot, below the capacity.
    pub index: u32,
    /// How often the message was redelivered; 0: this is the first time that anybody has it.
    pub attempt: u8,
    /// The lap of the slot when it was claimed.
    pub turn: u64,
}

/// One party's view of a ring: the shared parts and the parameters, which are private copies.
#[derive(Clone, Copy)]
pub struct Ring<'a, S> {
    pub(super) header: &'a Header,
    slots: S,
    pub(super) geometry: Geometry,
    pub(super) stop_safe: bool,
}

/// Steps that one call may take. Honest peers make a call look at each slot a few times at most, and
/// each retry more means that somebody else got on; a hostile one must not hold us for ever.
pub(super) struct Budget(u32);

impl Budget {
    pub(super) fn new(capacity: u32) -> Budget {
        Budget(8 * capacity + 1000)
    }
    pub(super) fn spend(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 != 0
    }
}

/// What a look ahead found.
pub(super) enum Ahead {
    /// Yes, at this position.
    At(u64),
    /// No.
    Nothing,
    /// The budget ran out.
    Contended,
}

impl<'a, S: Slots> Ring<'a, S> {
    /// A view of a ring of `1 << shift` slots (`shift` in `1..=16`, others are brought into that range).
    /// All parties must use the same `shift` and `stop_safe`.
    #[inline]
    pub fn new(header: &'a Header, slots: S, shift: u32, stop_safe: bool) -> Self {
        Ring { header, slots, geometry: Geometry::new(shift), stop_safe }
    }

    /// Makes an empty ring whose first lap is `first_turn`. Only while nobody else uses it. The same as
    /// zeroing everything if `first_turn` is 0; others let tests begin shortly before the wrap.
    pub fn format(&self, first_turn: u64) {
        // Relaxed: whoever makes the ring known to others publishes these too.
        for index in 0..self.capacity() {
            let first = Word::empty(self.geometry.turn(self.geometry.position(first_turn, index)));
            self.slot(index).store(first.0, Relaxed);
        }
        let first = self.geometry.position(first_turn, 0);
        self.header.tail.0.store(first, Relaxed);
        self.header.head.0.store(first, Relaxed);
        self.header.orphans.0.store(0, Relaxed);
        self.header.dropped.0.store(0, Relaxed);
    }

    /// Slots.
    #[inline]
    pub fn capacity(&self) -> u32 {
        self.geometry.capacity()
    }

    #[inline(always)]
    pub(super) fn slot(&self, index: u32) -> &AtomicU64 {
        self.slots.word(self.geometry.mask(index))
    }

    /// Relaxed: what is read here only chooses which compare-and-swap to try (Ordering, row 7).
    #[inline(always)]
    pub(super) fn look(&self, position: u64) -> Word {
        Word(self.slot(self.geometry.index(position)).load(Relaxed))
    }

    /// Stores a hint, unless somebody is known to be further. Going back is harmless (invariant 3).
    #[inline(always)]
    pub(super) fn advance(&self, hint: &AtomicU64, to: u64) {
        if self.geometry.ahead(to, hint.load(Relaxed)) > 0 {
            hint.store(to, Relaxed);
        }
    }

    /// Frees a slot of ours whose turn others may be raising. `phase`: W (then H will do) or R.
    #[cold]
    #[inline(never)]
    pub(super) fn give_back(&self, me: MemberId, index: u32, phase: u64) {
        let slot = self.slot(index);
        let mut budget = Budget::new(self.capacity());
        let mut seen = Word(slot.load(Relaxed));
        while seen.is_held_by(me) && (seen.phase() == READING) == (phase == READING) && budget.spend() {
            match slot.compare_exchange(seen.0, seen.freed().0, SeqCst, Relaxed) {
                Ok(_) => return,
                Err(now) => seen = Word(now),
            }
        }
        // Not ours: only a hostile peer can have taken it. Nothing to give back.
    }

    // ---- looking around. Each answer may be old as soon as it is given.

    /// Messages that wait: published, or orphaned (poisoned ones too). Looks at every slot.
    pub fn len(&self) -> u32 {
        self.count(|phase| phase == FULL || phase == ORPHAN)
    }

    /// Whether no message waits. Looks at every slot.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether somebody has reserved and not yet published. Looks at every slot. After a SeqCst store of
    /// a flag that writers load (SeqCst) behind their `reserve`, false means: no writer that missed the
    /// flag will publish any more (Ordering, row 6).
    pub fn has_writers(&self) -> bool {
        self.count(|phase| phase == WRITING) != 0
    }

    fn count(&self, phase: impl Fn(u64) -> bool) -> u32 {
        let phase_at = |index| Word(self.slot(index).load(SeqCst)).phase();
        (0..self.capacity()).filter(|index| phase(phase_at(*index))).count() as u32
    }
}
