//! The owner-tagged ring: a bounded queue of slots for many producers and consumers that survives the
//! death, and if wanted the stopping, of any of them at any instruction. Lock-free; no call waits.
//!
//! # Memory
//! [`Header`], 512 bytes, all-zero is a valid start; then, wherever [`Slots`] finds them, 64-bit words:
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 8 | `tail`: a position, hint where producers look first | producers |
//! | 128 | 8 | `head`: the same for consumers | consumers |
//! | 256 | 8 | `orphans`: bit 0 "there may be one", bits 1.. a generation | recoverers, adopters |
//! | 384 | 8 | `dropped`: messages given up | recoverers |
//! | a slot | 8 | its word: turn, attempt, owner, phase; see `word` | below |
//!
//! # States
//! Of one slot; `t` is its turn, `a` the attempt, `me` and `d` members.
//! | transition | who | when |
//! |---|---|---|
//! | E(t) -> W(t,me) | producer | reserve, at the tail |
//! | W(t,me) -> F(t) | its writer | publish |
//! | F(t) -> R(t,0,me) | consumer | claim, at the head |
//! | R(t,a,me) -> E(t+1) | its reader | release |
//! | W,H(t,me) -> E(t+1) | its writer | cancel, or publishing failed: "give back" |
//! | W(t,d) -> H(t,d) | consumer | *void*: at the head, and a later message is ready |
//! | W(t-1,d) -> H(t,d); R,O,H(t-1) -> same(t) | producer | *lap*: at the tail, and a later slot is free |
//! | W,H(t,d) -> E(t+1); R(t,a,d) -> O(t,a) | recovery | `d` is dead (a = 31: -> E(t+1), dropped) |
//! | R(t,a,me) -> O(t,a) | its reader | abandon |
//! | O(t,a) -> R(t,a+1,me) | consumer | adopt, before looking at the head |
//!
//! *Kill-only* rings publish, cancel and release by plain stores instead of compare-and-swaps; in return
//! nobody voids a W or laps what has an owner, so a party that is stopped there holds the others up.
//!
//! # Invariants
//! A position is *spent* once its slot was reserved or lapped in its turn, and *dead* once it holds no
//! message and never will (claimed, voided, freed, lapped).
//! 1. Positions are spent in order: a producer takes or laps position p only after seeing all before
//!    spent. So a slot seen in turn x proves its position of turn x-1 spent, and all before that.
//! 2. They need not die in order (a lap may void a position that the head has not reached), but a slot
//!    seen in turn x proves its position of turn x-2, and all before that, dead.
//! 3. Hints are never ahead of the truth, and may lie behind it by any number of laps (a party stopped
//!    before its plain store sets them back): everybody scans on from them by 1 and 2.
//! 4. A slot's word never repeats (`word`, 1): **a compare-and-swap succeeds only in the state that its
//!    author saw**, however long it was stopped in between.
//! 5. A slot that is not E is written only by its owner, or by the rows above; the memory of a W, R or H
//!    belongs to its owner until the owner itself, or its recovery, frees it.
//!
//! FIFO: attempt 0 comes in order of positions. Orphans come before all that, in slot order. A slot held
//! by a stopped party costs one slot; a voided position may count as in use until the head has passed.
//!
//! # Ordering
//! | | publishes | by | to |
//! |---|---|---|---|
//! | 1 | payload | publish, W -> F | claim, F -> R; adopt, O -> R |
//! | 2 | the payload's memory | every -> E (release, give back, cancel, recovery) | reserve, E -> W |
//! | 3 | "this member lives in epoch e" | reserve, claim, adopt, which write its tag (Release) | the slot load in `recover` (Acquire), then the member word |
//! | 4 | an orphan | `raise` (Release) after the -> O | the load of `orphans` in `claim` (Acquire), then the scan |
//! | 5 | work for a sleeper | publish, -> E, -> O with raise: SeqCst | the fence in `EventCount::prepare`; then our caller's `notify` (SeqCst load) sees the sleeper, or the sleeper sees the work |
//! | 6 | "there is a writer" | reserve, then a SeqCst load of the closed flag | a SeqCst store of it, then `has_writers` (SeqCst loads) |
//! | 7 | nothing | hints, and the loads of `look` (Relaxed) | they choose which compare-and-swap to try; that one decides. "Full" and "empty" need no more than 5 |
//!
//! Laps and voids are Relaxed: they hand nothing over, and being read-modify-writes they keep what an
//! earlier Release in the same slot published (1, 2, 3) visible to who reads them.
//! In 5, a SeqCst *store* does as well as a read-modify-write: if the sleeper's load misses it, the
//! sleeper's fence comes before it in the SeqCst order, hence before our later load of the event word.
//!
//! # Crash
//! Everything shared is changed by single words, so only these gaps exist.
//! - *Before the claim, or after release:* nothing is held. Between the claim and its hint: a hint is
//!   stale (invariant 3).
//! - *Writer, W to publish:* consumers void it, producers lap it, recovery frees the slot. Its message
//!   was not sent. *Reader, R to release:* lapped; recovery makes it an orphan; it is delivered again,
//!   with a higher attempt, and was delivered at most once per attempt.
//! - *Recovery, or abandon, killed between -> O and the raise:* an orphan that no consumer looks for. The
//!   id is still DYING (for abandon: becomes DYING), so somebody reruns `recover`, which raises for any
//!   orphan it **meets**, not only for its own.
//! - *Adopter killed between a CAS and its return:* it holds R with its tag, like any reader.
//!
//! Two victims, or one dead and one that comes late. What a late party has in hand is one CAS with the
//! word it saw; by invariant 4 it fails if anything happened to the slot meanwhile. So:
//! - *Adopter x recoverer:* R(t,a,d) -> O(t,a) -> R(t,a+1,d'): if the adopter dies, it is d' that is
//!   recovered; the late recoverer of d still has R(t,a,d), which the attempt distinguishes from
//!   R(t,a+1,d) even where d' is d's id, reissued. A late adopter's O(t,a) differs from O(t,a+1).
//! - *Recoverer x recoverer, one stopped:* the other finishes, the id goes FREE, LIVE, and its new holder
//!   claims. The late one either loaded its slot word before that: its CAS fails by 4. Or it loads the
//!   word only now, with the new tag: then (row 3) it reads the member word in a later epoch, and goes
//!   home. Hence the order in `recover`: slot word, member word, CAS.
//! - *Recoverer killed:* the id is not FREE, as only a whole scan with its raise frees it. Reissuing
//!   earlier would let the rerun take slots from the new holder; freeing before the raise would leave
//!   nobody who knows of the orphan.
//! - *Producer lapping x recoverer:* both change R(t,a,d); one fails and looks again, at R(t+1,a,d) or at
//!   O(t,a), which it may still change. The same for H. A late lap of a slot that was freed fails.
//! - *Consumer voiding x writer publishing x recoverer freeing:* all start from W(t,d): one wins.
//! - *Orphan word, clear x raise:* an adopter clears by a CAS on the value that it read before its scan.
//!   A raise first adds to the generation: a clear that began before can only come earlier still, and then
//!   the raise's second step sets the bit; one that begins after has read the new generation, so (row
//!   4) its scan saw the orphan.
//!
//! # Limits
//! 2 to 65536 slots, 4095 members, 31 redeliveries. Wraps: see `index`. Every loop has a budget, as slot
//! words may be hostile; running out is `Contended`. A consumer's claim is not a wake-up for producers
//! even where it makes a lap possible: a sleeping producer notices at its tick.
//!
//! # Checked by
//! `tests/prop_ring.rs` (arithmetic, random histories, hostile words), `tests/loom_ring.rs` (the tables
//! above, weakened one by one).

use super::{
    index::Geometry,
    word::{MemberId, READING, Word},
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    pub(super) slots: S,
    pub(super) geometry: Geometry,
    pub(super) stop_safe: bool,
    pub(super) redeliver: bool,
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
        Ring { header, slots, geometry: Geometry::new(shift), stop_safe, redeliver: true }
    }

    /// The same, but [`Ring::recover`] frees what the dead had in hand instead of making orphans of it.
    #[inline]
    #[must_use]
    pub fn dropping(self) -> Self {
        Ring { redeliver: false, ..self }
    }

    /// Where its slots are.
    #[inline(always)]
    pub fn slots(&self) -> S {
        self.slots
    }

    /// What it shares besides its slots.
    pub fn header(&self) -> &'a Header {
        self.header
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
    /// `still_me`: as for [`Ring::release_if`]; asked between load and compare-and-swap, for which each
    /// load is an Acquire one (row 3).
    #[cold]
    #[inline(never)]
    pub(super) fn give_back(&self, me: MemberId, index: u32, phase: u64, still_me: impl Fn() -> bool) {
        let slot = self.slot(index);
        let mut budget = Budget::new(self.capacity());
        let mut seen = Word(slot.load(Acquire));
        while seen.is_held_by(me)
            && (seen.phase() == READING) == (phase == READING)
            && budget.spend()
            && still_me()
        {
            match slot.compare_exchange(seen.0, seen.freed().0, SeqCst, Acquire) {
                Ok(_) => return,
                Err(now) => seen = Word(now),
            }
        }
        // Not ours: we were given up for dead, or a hostile peer took it. Nothing to give back.
    }
}
