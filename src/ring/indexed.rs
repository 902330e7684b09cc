//! Long loans of large buffers: slots that are taken and given back in any order, called *blocks*, and a
//! ring of their indices that gives the messages their order. A writer fills its block for as long as it
//! likes, and only then gets a position; so it holds nobody up, and never has to copy.
//!
//! # Memory
//! Blocks are slots of `mpmc` (a [`Header`](super::Header) and slot words), entries are slots of a second
//! ring, at least twice as many, each with a 64-bit value: `turn:44 | index:20` of a block.
//!
//! # States
//! A block has `mpmc`'s phases; its turn counts how often it was used.
//! | transition | who | when |
//! |---|---|---|
//! | E(t) -> W(t,me) | producer | take, any free block |
//! | W(t,me) -> F(t) | its writer | after an entry (index, t) was published |
//! | F(t), W(t,d) -> R(t,0,me) | consumer | it has claimed an entry (index, t) |
//! | all others but void and lap | | as in `mpmc` |
//!
//! # Invariants
//! 1. A block's word never repeats (`word`, 1), so an entry (index, t) brings its message once: who claims
//!    the block by it, leaves F(t) and W(t,d) for good. Entries whose block is past that are *stale*, and
//!    passed over.
//! 2. A block in F(t) has an entry that nobody has used up: it is published before F, and released only
//!    after a consumer has taken the block out of F (or found it past).
//! 3. Nobody voids or laps a block: a writer's W is left only by itself, a consumer with its entry, or its
//!    recovery.
//!
//! # Ordering
//! As in `mpmc`. The payload: publish of the entry (Release) -> claim of the entry (Acquire). "There is a
//! message" for sleepers: the SeqCst publish of the entry comes before the notify.
//!
//! # Crash
//! - *Producer before its entry is published:* recovery frees the block; the message was in its hand.
//! - *Between entry and F:* a consumer takes the block out of W, or recovery frees it and the entry is stale:
//!   whoever is first. The push had not returned.
//! - *Consumer before it has the block:* its entry becomes an orphan of the entries' ring, and brings the
//!   block, still in F, to the next, unmarked: nobody saw the message.
//! - *With the block, before the entry is released:* the block becomes an orphan, as any message in hand; the
//!   entry comes again, and is stale.
//! - *Stopped anywhere:* it keeps one block and one entry.
//!
//! # Limits
//! 32768 blocks. Stale entries count against the entries until a consumer passes them. An entry that 30
//! consumers in a row die with, between its claim and the block's, is not looked at any more.
//!
//! # Checked by
//! `tests/loom_indexed.rs`, `tests/prop_queue.rs`, `tests/sweep_queue_full.rs`, `tests/storm_queue.rs`.

use super::{
    mpmc::{Claim, MAX_ATTEMPTS, Position, Refused, Ring, Slots},
    word::{FULL, MemberId, WRITING, Word},
};
use crate::sync::{AtomicU64, Ordering::*};

const INDEX_BITS: u32 = 20;

/// Where the entries are.
pub trait Entries: Slots {
    /// The value of entry `index`, which is below the ring's capacity.
    fn value(&self, index: u32) -> &AtomicU64;
}

/// One party's view.
#[derive(Clone, Copy)]
pub struct Indexed<'a, S, E> {
    /// The buffers. Only its `release`, `abandon`, `cancel`, `recover`, `claim_poisoned` and looks are of use.
    pub blocks: Ring<'a, S>,
    /// Their order.
    pub entries: Ring<'a, E>,
}

/// How [`Indexed::publish`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Published {
    /// The message is out.
    Done,
    /// No entry is free now; the block is ours still.
    NoEntry,
}

/// How often an entry is tried that consumers void because they overtook us.
const RESENDS: u32 = 16;

impl<S: Slots, E: Entries> Indexed<'_, S, E> {
    /// Takes a free block, or refuses with `Full`.
    pub fn take(&self, me: MemberId) -> Result<Position, Refused> {
        let blocks = &self.blocks;
        let geometry = blocks.geometry;
        // Relaxed: the hint says where to look first, and may say anything.
        let first = geometry.index(blocks.header.tail.0.load(Relaxed));
        for step in 0..blocks.capacity() {
            let index = geometry.mask(first.wrapping_add(step));
            let seen = Word(blocks.slot(index).load(Relaxed));
            // SeqCst: as `Ring::reserve`'s.
            let mine = Word::writing(seen.turn(), me).0;
            if seen == Word::empty(seen.turn())
                && blocks.slot(index).compare_exchange(seen.0, mine, SeqCst, Relaxed).is_ok()
            {
                blocks.header.tail.0.store(u64::from(index) + 1, Relaxed);
                return Ok(Position { index, turn: seen.turn() });
            }
        }
        Err(Refused::Full)
    }

    /// Puts the block into its place in the order.
    pub fn publish(&self, me: MemberId, block: Position) -> Published {
        let value = block.turn << INDEX_BITS | u64::from(block.index);
        for _ in 0..RESENDS {
            let Ok(entry) = self.entries.reserve(me) else { return Published::NoEntry };
            // Relaxed: published with the entry.
            self.entries.slots.value(entry.index).store(value, Relaxed);
            if !self.entries.publish(me, entry) {
                continue; // voided, and given back
            }
            // From here on recovery lets the message be. If it fails, a consumer was faster.
            let (mine, full) = (Word::writing(block.turn, me).0, Word::full(block.turn).0);
            let _ = self.blocks.slot(block.index).compare_exchange(mine, full, SeqCst, Relaxed);
            return Published::Done;
        }
        Published::NoEntry
    }

    /// Takes an orphaned message with fewer than `limit` redeliveries, else the next one, as
    /// [`Ring::claim`].
    pub fn claim(&self, me: MemberId, limit: u8) -> Result<Claim, Refused> {
        if let Some(claim) = self.blocks.claim_orphan(me, limit) {
            return Ok(claim);
        }
        // Each round uses up a stale entry: more than there are, and others are at work.
        for _ in 0..=self.entries.capacity() {
            let entry = self.entries.claim(me, MAX_ATTEMPTS)?;
            let value = self.entries.slots.value(entry.index).load(Relaxed);
            let claim = self.claim_block(me, value);
            self.entries.release(me, entry);
            if let Some(claim) = claim {
                return Ok(claim);
            }
        }
        Err(Refused::Contended)
    }

    fn claim_block(&self, me: MemberId, value: u64) -> Option<Claim> {
        let blocks = &self.blocks;
        let index = blocks.geometry.mask(value as u32 & ((1 << INDEX_BITS) - 1));
        let turn = value >> INDEX_BITS;
        let slot = blocks.slot(index);
        let mine = Word::reading(turn, 0, me).0;
        let mut seen = Word(slot.load(Relaxed));
        // Twice: its writer may be just taking it from W to F.
        for _ in 0..2 {
            let message = seen.turn() == turn && matches!(seen.phase(), FULL | WRITING);
            if !message {
                return None;
            }
            // AcqRel: as `Ring::claim`'s.
            match slot.compare_exchange(seen.0, mine, AcqRel, Relaxed) {
                Ok(_) => return Some(Claim { index, attempt: 0, turn }),
                Err(now) => seen = Word(now),
            }
        }
        None
    }
}

// A turn must fit beside an index.
const _: () = assert!(INDEX_BITS + super::index::TURN_BITS <= 64 && super::index::MAX_SHIFT < INDEX_BITS);
