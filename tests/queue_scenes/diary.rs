//! What actors say of themselves while they act, in shared memory: nothing else is known of the dead.

use crate::support::shared::Shared;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// The victims' diaries, the sleeper's, and that of one who was dead before.
pub const FIRST: usize = 0;
pub const SECOND: usize = 1;
pub const SLEEPER: usize = 2;
pub const CORPSE: usize = 3;

/// One thing said. What is said in the `-ing` form may have happened or not, if nothing follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A call may put this message there.
    Putting(u64),
    Put(u64),
    NotPut(u64),
    /// A call may take so many messages. `ends`: they are done with when it returns.
    Taking {
        count: u64,
        ends: bool,
    },
    /// All that it took is said.
    Took,
    /// Has this message in hand, the attempt.
    Saw(u64, u8),
    /// Had it, and it is done with.
    Got(u64, u8),
    Ending(u64),
    Ended(u64),
    GivingBack(u64),
    GaveBack(u64),
    /// What a call returned, of those that move no message.
    Said(u64),
}

const NOTES: usize = 30;

#[repr(C)]
pub struct Diary {
    count: AtomicU64,
    done: AtomicU64,
    notes: [AtomicU64; NOTES],
}

/// Of four actors, all empty.
pub fn diaries() -> Shared<[Diary; 4]> {
    // SAFETY: atomics of zero.
    unsafe { Shared::zeroed() }
}

impl Diary {
    pub fn clear(&self) {
        self.count.store(0, SeqCst);
        self.done.store(0, SeqCst);
    }

    pub fn note(&self, note: Note) {
        use Note::*;
        let (kind, attempt, value) = match note {
            Putting(value) => (1, 0, value),
            Put(value) => (2, 0, value),
            NotPut(value) => (3, 0, value),
            Taking { count, ends } => (4, u8::from(ends), count),
            Took => (5, 0, 0),
            Saw(value, attempt) => (6, attempt, value),
            Got(value, attempt) => (7, attempt, value),
            Ending(value) => (8, 0, value),
            Ended(value) => (9, 0, value),
            GivingBack(value) => (10, 0, value),
            GaveBack(value) => (11, 0, value),
            Said(value) => (12, 0, value),
        };
        let at = self.count.load(SeqCst);
        self.notes[at as usize].store(kind << 56 | u64::from(attempt) << 48 | value, SeqCst);
        self.count.store(at + 1, SeqCst);
    }

    pub fn notes(&self) -> Vec<Note> {
        use Note::*;
        let read = |word: &AtomicU64| {
            let word = word.load(SeqCst);
            let (attempt, value) = ((word >> 48) as u8, word & ((1 << 48) - 1));
            match word >> 56 {
                1 => Putting(value),
                2 => Put(value),
                3 => NotPut(value),
                4 => Taking { count: value, ends: attempt != 0 },
                5 => Took,
                6 => Saw(value, attempt),
                7 => Got(value, attempt),
                8 => Ending(value),
                9 => Ended(value),
                10 => GivingBack(value),
                11 => GaveBack(value),
                _ => Said(value),
            }
        };
        self.notes[..self.count.load(SeqCst) as usize].iter().map(read).collect()
    }

    /// The operation is over.
    pub fn close(&self) {
        self.done.store(1, SeqCst);
    }

    pub fn is_closed(&self) -> bool {
        self.done.load(SeqCst) != 0
    }

    /// What the last call returned that moves no message.
    pub fn said(&self) -> Option<u64> {
        self.notes().iter().rev().find_map(|note| if let Note::Said(it) = note { Some(*it) } else { None })
    }
}
