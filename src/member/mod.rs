//! Who takes part in a region: a table of members, each with a liveness cell that tells its death.
//!
//! Claims (queue slots, later permits and arrivals) carry a member id, so everything that a dead
//! member had in hand can be found by its id and given back. Joining and leaving scan the table;
//! nothing here blocks.
//!
//! # Memory
//! One [`Cell`] of 64 bytes per member, ids 1..=n (0 is nobody). The cell's word is the thread id of
//! the member's thread, on that thread's robust list; `aux` is the state word `epoch:62 | state:2`.
//!
//! # States
//! | state word | cell's owner | means |
//! |---|---|---|
//! | FREE(e) | none | may be joined |
//! | FREE(e) | somebody | being joined, or just left; if that thread is dead: to be cleared away |
//! | LIVE(e) | somebody | a member |
//! | LIVE(e) | none (0 or DIED) | **dead, for certain**: needs recovery |
//! | DYING(e) | any | recovery is under way; anybody may finish it |
//!
//! FREE(e) -> LIVE(e) by the joiner, LIVE(e) -> DYING(e) by a recoverer (or the member itself when it
//! leaves), DYING(e) -> FREE(e+1) by whoever has swept every object, FREE(e) -> FREE(e+1) by whoever
//! clears away a joiner (or leaver) that died there unmarked. The state word never repeats.
//!
//! # Invariants
//! 1. A joiner owns the cell before it writes LIVE, and a leaver writes FREE before it gives the cell
//!    up. So LIVE(e) read before and after a look at the cell proves that an ownerless cell is a death.
//! 2. An id is issued only from FREE, that is after one whole sweep of all objects since its last
//!    holder's death. A late recoverer of incarnation e meets FREE(e+1) or later, and goes home: see
//!    [`Table::is_dying`], which every sweep asks after loading a claim and before taking it.
//! 3. Only the kernel, the owner and the undertaker take a word from an owner. The undertaker has the
//!    licence in the tag (see `sys::cell`), of which there is one. It is issued against the dead one's
//!    tag, after a look at word and state that is later than the death: the kernel has marked by then
//!    what it will mark, so the word stays as it is until the undertaker changes it.
//! 4. From before a joiner's CAS on the word until its store of the tag, the tag is 0 or not about it.
//!    Where that fails (another lives and dies there between the joiner's look and its CAS), the epoch
//!    has changed and the joiner does not become a member.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | cell is owned | joiner's CAS to LIVE, Release | `death_of`'s Acquire load of the state |
//! | LIVE(e) of the new holder | its claims, AcqRel (see `ring`) | a sweeper that reads the claim, then the state |
//! | all objects are swept | CAS DYING -> FREE, Release | joiner's Acquire load of FREE |
//! | somebody owns the word | the undertaker's CAS on the tag, Release | joiner's Acquire load of the tag |
//! | the tag is not about me; I saw FREE(e) | joiner's CAS on the word, Release | `undertake`'s Acquire loads of the word |
//!
//! The licence needs no order: one CAS on the tag succeeds. What the kernel marks it marks before
//! [`Platform::liveness`] says Dead.
//!
//! # Crash
//! - joiner killed before LIVE: the kernel marks the cell DIED under FREE; the next joiner takes it.
//! - member killed: the kernel marks the cell; whoever looks next recovers.
//! - leaver killed after DYING: as a recoverer killed, somebody else finishes.
//! - recoverer killed or stopped anywhere: the state stays DYING and the sweep is run again from its
//!   beginning; sweeps are idempotent and may run at the same time.
//! - no kernel help (no robust list here, exec from a second thread, a list cut short): the backstop,
//!   at ticks, asks the platform whether the thread of the cell still exists. `Unknown` never steals.
//!   About joiners and leavers, which are under FREE, it asks only in [`Depth::Thorough`]: when there is
//!   no room to join, or when the caller of `Region::recover` wants it.
//! - undertaker killed with the licence: it passes on; after the CAS on the word: the next joiner, or
//!   its tag, puts an end to the licence.
//!
//! # Limits
//! - 4095 members; one thread can be 16 regions' member, and cells count against its 64 held cells.
//! - A thread that the kernel does not mark, killed in the two instructions between word and tag (in
//!   that order joining, in the other leaving), is not noticed, and its id is lost.
//! - A joiner stopped right after it took a DIED word that in between had become another's death hides
//!   that death until it goes on or dies.
//! - An undertaker stopped between its CAS on the tag and the one on the word holds up that one burial.
//! - Tags of equal start time hash (see `sys::linux`'s `proc`) are one thread here too.
//!
//! # Checked by
//! `tests/loom_member.rs`, `tests/sweep_region.rs`, `tests/proc_region.rs`.

mod home;

pub(crate) use home::Actor;
pub use home::{Depth, Home, Member, Recovered};

use crate::{
    error::{Error, Result},
    sync::Ordering::*,
    sys::{Cell, DIED, Liveness, OWNER, Platform, Thread, UNDERTAKER, WAITERS, tag_id},
};

/// A member's place in the table: 1..=4095; 0 is nobody.
pub type MemberId = u16;

/// Ids must fit the 12 bits that a claim has for them.
pub const MAX_MEMBERS: u16 = 4095;

const STATE: u64 = 3;
const FREE: u64 = 0;
const LIVE: u64 = 1;
const DYING: u64 = 2;

/// "RLTM"
const MAGIC: u32 = u32::from_le_bytes(*b"RLTM");

/// One incarnation of a member id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incarnation {
    /// The place in the table.
    pub id: MemberId,
    /// Grows each time the id is issued anew.
    pub epoch: u64,
}

/// The member table over its cells.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    cells: &'a [Cell],
}

impl<'a> Table<'a> {
    /// Over initialised cells, at most [`MAX_MEMBERS`].
    ///
    /// # Safety
    /// The cells stay mapped and in place, and are used as members' cells only, until every thread of this
    /// process that joined has left or ended, even if that is after `'a`.
    pub unsafe fn new(cells: &'a [Cell]) -> Self {
        debug_assert!(cells.len() <= usize::from(MAX_MEMBERS));
        Table { cells }
    }

    /// A cell for a free member. Public for models and tests.
    #[doc(hidden)]
    pub fn new_cell() -> Cell {
        Cell::new(MAGIC)
    }

    /// How many can join.
    pub fn capacity(self) -> u16 {
        self.cells.len() as u16
    }

    fn cell(self, id: MemberId) -> Option<&'a Cell> {
        self.cells.get(usize::from(id).checked_sub(1)?)
    }

    /// Makes the calling thread a member. The caller recovers the dead first if this finds no room.
    pub fn join<P: Platform>(self, platform: P) -> Result<Incarnation> {
        let thread = platform.thread()?;
        if !thread.has_room() {
            return Err(Error::TooManyHeld);
        }
        for id in 1..=self.capacity() {
            let Some(cell) = self.cell(id) else { break };
            if let Some(epoch) = try_join(cell, thread) {
                return Ok(Incarnation { id, epoch });
            }
        }
        Err(Error::TooManyMembers)
    }

    /// First half of leaving: from here on the claims of `member` may be swept.
    pub fn begin_leave<P: Platform>(self, platform: P, member: Incarnation) -> Result<()> {
        let cell = self.cell(member.id).ok_or(Error::Invalid)?;
        if !platform.thread()?.holds(cell) {
            return Err(Error::NotOwner);
        }
        let live = member.epoch << 2 | LIVE;
        cell.aux
            .compare_exchange(live, member.epoch << 2 | DYING, AcqRel, Relaxed)
            .map_err(|_| Error::NotOwner)?;
        Ok(())
    }

    /// Second half: FREE if the sweep was complete (else others will finish), then the cell goes
    /// (invariant 1).
    pub fn finish_leave<P: Platform>(self, platform: P, member: Incarnation, complete: bool) -> Result<()> {
        let cell = self.cell(member.id).ok_or(Error::Invalid)?;
        let thread = platform.thread()?;
        if complete {
            self.set_free(cell, member.epoch);
        }
        give_up(cell, thread, 0);
        Ok(())
    }

    /// If `id` is dead for certain, or its recovery was begun: its incarnation.
    /// `ask`: also ask the platform, if it is not marked; a joiner or leaver that died under FREE is then
    /// cleared away, which is nobody's recovery: `None`.
    pub fn death_of<P: Platform>(self, platform: P, id: MemberId, ask: bool) -> Option<Incarnation> {
        let cell = self.cell(id)?;
        let state = cell.aux.load(Acquire);
        let incarnation = Incarnation { id, epoch: state >> 2 };
        if state & STATE == DYING {
            return Some(incarnation);
        }
        let live = state & STATE == LIVE;
        let word = cell.word.load(Acquire);
        if word & OWNER == 0 {
            // Invariant 1. Acquire pairs with the joiner's CAS: had it joined between, we would see it. If
            // its recovery was begun between, it is ours, too: who has looked may rely on its end.
            let now = cell.aux.load(Acquire);
            return (live && (now == state || now == incarnation.epoch << 2 | DYING)).then_some(incarnation);
        }
        if !ask {
            return None;
        }
        let licence = undertake(cell, platform, state, word)?;
        // Invariant 3: nobody else writes the word now.
        let marked = if live {
            cell.word.compare_exchange(word, word & WAITERS | DIED, AcqRel, Relaxed).is_ok()
        } else {
            // A new epoch first: a joiner that this robs after all does not become a member (invariant 4).
            if cell.aux.compare_exchange(state, next_epoch(state), AcqRel, Relaxed).is_ok() {
                let _ = cell.word.compare_exchange(word, 0, AcqRel, Relaxed);
            }
            false
        };
        let _ = cell.tag.compare_exchange(licence, 0, AcqRel, Relaxed);
        marked.then_some(incarnation)
    }

    /// Recovers one dead incarnation: `sweep` must take its claims out of every object, asking
    /// [`Table::is_dying`] each time, and say whether it got through. True if this call completed it.
    pub fn bury(self, dead: Incarnation, sweep: impl FnOnce() -> bool) -> bool {
        let Some(cell) = self.cell(dead.id) else { return false };
        let (live, dying) = (dead.epoch << 2 | LIVE, dead.epoch << 2 | DYING);
        match cell.aux.compare_exchange(live, dying, AcqRel, Acquire) {
            Err(now) if now != dying => return false,
            _ => {}
        }
        if !sweep() {
            return false;
        }
        // Clears DIED before FREE, so that a joiner's CAS on the word cannot mistake this death for a
        // later one. A leaver's cell is still owned by it, and stays so.
        let word = cell.word.load(Relaxed);
        if word & OWNER == 0 {
            let _ = cell.word.compare_exchange(word, 0, AcqRel, Relaxed);
        }
        self.set_free(cell, dead.epoch)
    }

    /// Whether recovery of exactly this incarnation is still unfinished (invariant 2).
    pub fn is_dying(self, member: Incarnation) -> bool {
        self.cell(member.id).is_some_and(|cell| cell.aux.load(Acquire) == member.epoch << 2 | DYING)
    }

    /// The epoch that `id` is in.
    pub fn epoch(self, id: MemberId) -> u64 {
        self.cell(id).map_or(0, |cell| cell.aux.load(Acquire) >> 2)
    }

    /// Whether `member` has neither been found dead nor begun to leave. As in invariant 2, but for the
    /// holder: whoever acts on a claim asks after loading it and before changing it.
    pub fn is_still(self, member: Incarnation) -> bool {
        self.cell(member.id).is_some_and(|cell| cell.aux.load(Acquire) == member.epoch << 2 | LIVE)
    }

    /// Whether `id` is LIVE at about this time, dead or not.
    pub fn is_live(self, id: MemberId) -> bool {
        self.cell(id).is_some_and(|cell| cell.aux.load(Relaxed) & STATE == LIVE)
    }

    /// How many are LIVE at about this time, the unnoticed dead included.
    pub fn live(self) -> u32 {
        self.cells.iter().filter(|cell| cell.aux.load(Relaxed) & STATE == LIVE).count() as u32
    }

    fn set_free(self, cell: &Cell, epoch: u64) -> bool {
        let dying = epoch << 2 | DYING;
        cell.aux.compare_exchange(dying, next_epoch(dying), AcqRel, Relaxed).is_ok()
    }
}

fn next_epoch(state: u64) -> u64 {
    (state >> 2).wrapping_add(1) << 2 | FREE
}

/// The licence (now in the tag) to take `word` from its owner, if that is dead, certainly, and the
/// kernel did not mark it.
#[cold]
fn undertake<P: Platform>(cell: &Cell, platform: P, state: u64, word: u32) -> Option<u64> {
    let me = platform.thread().ok()?.tag();
    let tag = cell.tag.load(Acquire);
    // An undertaker has found the owner dead. If it is dead too, the licence passes on.
    let who = if tag & UNDERTAKER != 0 { tag_id(tag) } else { word & OWNER };
    if me == 0 || platform.liveness(who, tag & !UNDERTAKER) != Liveness::Dead {
        return None;
    }
    // Looked at after the death: if the kernel marks it, it has. Then the state: if the word is a
    // namesake's by now, the Acquire shows us that it joined another epoch.
    if cell.word.load(Acquire) != word || cell.aux.load(Acquire) != state {
        return None;
    }
    // A dead one's tag, once gone, does not come back: so nobody has taken the word from it since.
    let licence = me | UNDERTAKER;
    cell.tag.compare_exchange(tag, licence, AcqRel, Relaxed).ok().map(|_| licence)
}

fn try_join<T: Thread>(cell: &Cell, thread: T) -> Option<u64> {
    // The word before the state: if somebody joins and dies in between, the word has changed.
    let word = cell.word.load(Acquire);
    let state = cell.aux.load(Acquire);
    if word & OWNER != 0 || state & STATE != FREE {
        return None;
    }
    // Before the word is ours, what is left of a dead namesake or undertaker must go (invariant 4).
    // Acquire: a licence against somebody who came after our look shows that one in the word.
    let tag = cell.tag.load(Acquire);
    if tag & UNDERTAKER != 0 || tag_id(tag) == thread.id() {
        if cell.word.load(Relaxed) != word {
            return None;
        }
        let _ = cell.tag.compare_exchange(tag, 0, Relaxed, Relaxed); // published by the CAS on the word
    }
    // SAFETY: `Table::new` was promised that the cells stay.
    unsafe { thread.announce(cell) };
    if cell.word.compare_exchange(word, thread.id(), AcqRel, Relaxed).is_err() {
        thread.settle();
        return None;
    }
    // SAFETY: as above.
    unsafe { thread.link(cell) };
    cell.tag.store(thread.tag(), Release);
    thread.settle();
    if cell.aux.compare_exchange(state, state | LIVE, AcqRel, Relaxed).is_ok() {
        return Some(state >> 2);
    }
    // Somebody joined and died there after our two loads and a DIED word came back: it is their death
    // that the cell has to tell. Or an undertaker mistook us for a dead joiner.
    give_up(cell, thread, DIED);
    None
}

fn give_up<T: Thread>(cell: &Cell, thread: T, leave_behind: u32) {
    cell.tag.store(0, Release);
    // SAFETY: as in `try_join`; so for what else is linked.
    unsafe {
        thread.announce(cell);
        thread.unlink(cell);
    }
    // Nobody sleeps on a member's cell, and nobody but the kernel or a wrong backstop changes it under
    // its owner; then it is not ours to write.
    let _ = cell.word.compare_exchange(thread.id(), leave_behind, AcqRel, Relaxed);
    thread.settle();
}
