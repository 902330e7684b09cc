//! Who uses which object: one row for every handle to the region, so that nobody's object is removed under it.
//!
//! # Memory
//! A row is a line of u64 words; a bit of the map stands for an entry of the directory:
//!
//! | word | field | writer |
//! |---|---|---|
//! | 0 | `owner`: the tag of the process that the handle is in (see `sys::linux`'s `proc`), 0: nobody's | see States |
//! | 1..7 | `visits`: an entry's index + 1 while a thread of the handle looks at that object, else 0 | owner |
//! | 7.. | map of the objects that were created or opened through the handle | owner |
//!
//! # States of a row
//! 0 -> tag by a handle's first create, open or recovery. Tag -> 0 by the handle when it goes. Tag of a process
//! that is certainly dead -> tag of who needs a row and finds no free one; then it clears the row.
//!
//! # Invariants
//! 1. Only the owner writes a row, but for taking over a dead one's. Nobody else writes the directory for it.
//! 2. A bit of the map is set while its entry cannot go away: by an opener with a visit to it, by a creator before
//!    the entry is ready. So nobody ever has to take back a bit that another thread of the handle relies on.
//!    It is cleared by who removes the object through this very handle, or when the handle goes.
//! 3. What a visitor finds ready, after it has announced its visit, stays until the visit ends; what is in a
//!    map stays until the handle goes. See `directory`, "Removing".
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | a visit, before the look at the entry's state | SeqCst | remover's SeqCst look at the row, after its SeqCst store of REMOVING |
//! | a bit, before the visit ends | SeqCst; the visit's end is a Release | the same, which looks at visits first |
//! | a row is cleared | `owner` 0, Release | the CAS of who claims it, Acquire |
//!
//! # Crash
//! The rows of the dead count for nothing; they are used again when rows run short. Killed between taking
//! over a row and clearing it: the next one clears it. A process is dead when its last thread is: a
//! leader that has ended before the others is a zombie, and its process lives. What cannot be known
//! (another PID namespace, no /proc) lives for ever: its objects stay `Busy`.
//!
//! # Limits
//! - As many rows as members, and [`SPARE_ROWS`] more. A process that runs another program by `exec` keeps its row
//!   until it ends.
//! - A forked child has a row of its own from the first time that it creates, opens, removes, recovers or becomes a
//!   member; it then begins with the objects of its parent's. Before that, and if its parent was gone by then,
//!   the objects that it inherited are not known to be in use.
//!
//! # Checked by
//! `tests/directory.rs`, `tests/sweep_directory.rs`, `tests/prop_directory.rs`, `tests/hostile.rs`.

use crate::{
    error::{Error, Result},
    sync::{AtomicU64, Ordering::*, model_fence},
    sys::{Liveness, Platform},
};

/// For handles that are no member's: of parents that only create, of tools.
pub(super) const SPARE_ROWS: u16 = 16;
/// So many threads of a handle can look at objects at the same time.
pub(super) const VISITS: usize = 6;
const MAP: usize = 1 + VISITS;

/// Words of a row.
pub(super) const fn row_words(objects: u16) -> usize {
    MAP + (objects as usize).div_ceil(64)
}

/// The table.
#[derive(Clone, Copy)]
pub(super) struct Users<'r> {
    pub words: &'r [AtomicU64],
    /// Of a row.
    pub width: usize,
}

/// One row.
#[derive(Clone, Copy)]
pub(super) struct Row<'r>(&'r [AtomicU64]);

/// A look at an object, which stays as long.
pub(super) struct Visit<'r>(&'r AtomicU64);

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.0.store(0, Release);
    }
}

/// What stands in the way of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InUse {
    No,
    /// Only somebody who looks at it, for a moment.
    Visited,
    Yes,
}

impl<'r> Users<'r> {
    /// Nobody is there. While nobody else uses the region.
    pub fn format(self) {
        self.words.iter().for_each(|word| word.store(0, Relaxed));
    }

    fn rows(self) -> impl Iterator<Item = Row<'r>> + use<'r> {
        self.words.chunks_exact(self.width).map(Row)
    }

    pub fn row(self, index: usize) -> Option<Row<'r>> {
        self.rows().nth(index)
    }

    /// A row for the process `me`: a free one, or else that of one that is certainly dead. Its index.
    ///
    /// Errors: `TooManyMembers`.
    pub fn claim<P: Platform>(self, platform: P, me: u64) -> Result<usize> {
        let free = self.rows().position(|row| row.take(0, me));
        let mut dead = self.rows().enumerate().filter(|(_, row)| {
            let owner = row.owner();
            owner != me && platform.process_liveness(owner) == Liveness::Dead && row.take(owner, me)
        });
        free.or_else(|| dead.next().map(|(index, _)| index)).ok_or(Error::TooManyMembers)
    }

    /// Whether anybody but `own` uses that entry, or looks at it. `Yes` where it is not known.
    pub fn in_use<P: Platform>(self, platform: P, me: u64, own: Option<Row<'r>>, entry: usize) -> InUse {
        let mut result = InUse::No;
        for row in self.rows() {
            // Visits first: who ends one has set its bit before.
            let visited = row.visits().any(|visit| visit.load(SeqCst) == entry as u64 + 1);
            let used = row.has(entry) && own.is_none_or(|own| !own.is(row));
            if (!visited && !used) || !row.lives(platform, me) {
                continue;
            }
            if used {
                return InUse::Yes;
            }
            result = InUse::Visited;
        }
        result
    }

    /// How many handles use that entry.
    pub fn count<P: Platform>(self, platform: P, me: u64, entry: usize) -> u32 {
        self.rows().filter(|row| row.has(entry) && row.lives(platform, me)).count() as u32
    }
}

impl<'r> Row<'r> {
    pub fn owner(self) -> u64 {
        self.0[0].load(Acquire)
    }

    fn is(self, other: Row) -> bool {
        core::ptr::eq(self.0, other.0)
    }

    fn visits(self) -> impl Iterator<Item = &'r AtomicU64> {
        self.0[1..MAP].iter()
    }

    fn take(self, from: u64, me: u64) -> bool {
        let taken = self.0[0].compare_exchange(from, me, AcqRel, Relaxed).is_ok();
        if taken {
            self.clear();
        }
        taken
    }

    fn clear(self) {
        self.0[1..].iter().for_each(|word| word.store(0, SeqCst));
    }

    fn lives<P: Platform>(self, platform: P, me: u64) -> bool {
        match self.owner() {
            0 => false,
            owner => owner == me || platform.process_liveness(owner) != Liveness::Dead,
        }
    }

    fn has(self, entry: usize) -> bool {
        self.0.get(MAP + entry / 64).is_some_and(|word| word.load(SeqCst) >> (entry % 64) & 1 != 0)
    }

    /// Whether it was set before.
    pub fn set(self, entry: usize) -> bool {
        let bit = 1 << (entry % 64);
        self.0.get(MAP + entry / 64).is_some_and(|word| word.fetch_or(bit, SeqCst) & bit != 0)
    }

    /// Whether it was set before.
    pub fn unset(self, entry: usize) -> bool {
        let bit = 1 << (entry % 64);
        self.0.get(MAP + entry / 64).is_some_and(|word| word.fetch_and(!bit, SeqCst) & bit != 0)
    }

    /// Also what `parent` has.
    pub fn inherit(self, parent: Row) {
        for (ours, theirs) in self.0[MAP..].iter().zip(&parent.0[MAP..]) {
            ours.fetch_or(theirs.load(SeqCst), SeqCst);
        }
    }

    /// Announces a visit. None: as many threads of this handle as possible are visiting already.
    pub fn visit(self, entry: usize) -> Option<Visit<'r>> {
        let announce =
            |word: &&AtomicU64| word.compare_exchange(0, entry as u64 + 1, SeqCst, Relaxed).is_ok();
        let visit = self.visits().find(announce).map(Visit);
        model_fence();
        visit
    }

    /// The handle goes, and nobody uses it any more.
    pub fn give_back(self, me: u64) {
        if self.owner() == me {
            self.clear();
            let _ = self.0[0].compare_exchange(me, 0, Release, Relaxed);
        }
    }
}
