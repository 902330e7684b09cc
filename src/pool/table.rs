//! The table that a pool's parent and its workers share: what each task is at, its result, who works on it.
//!
//! # Memory
//! A raw array of 64-bit words, under the pool's name and `.table`:
//!
//! | words | |
//! |---|---|
//! | 0 | "RLTPOOL" and the version 1, stored last |
//! | 1 | slots `<< 32 \|` workers |
//! | 2 | longest task `<< 32 \|` longest result, in bytes |
//! | 3 | 0 open, 1 closed, 2 terminated |
//! | 4 | tasks submitted |
//! | 5 | 0 |
//! | 6 | how often one was begun again after its worker's death |
//! | 7 | how often that may be |
//! | 8 | how many workers have left by themselves |
//! | 9..16 | 0 |
//! | 16.. | 8 for each worker, its notes: process id, 1 + the slot that it works on, since when (ns; idle: when it last looked for a task), tasks done, 1 starting, 2 ready, 3 leaving, what the initializer returned, 0, 0 |
//! | then | for each slot 4, and its result rounded up to 2: stamp, code, length, 0 |
//!
//! # States
//! A slot's stamp is `id:40 | attempt:8 | worker:8 | state:8`.
//!
//! | from | to | by |
//! |---|---|---|
//! | Free, or anything that was collected | Pending | parent, before it pushes the task |
//! | Pending, Running of a dead worker | Running | the worker that has the task in hand |
//! | Running | Done | that worker, after the result |
//! | Running | TimedOut, Cancelled | parent, then it kills the worker |
//! | Pending | Cancelled | parent |
//! | Pending, Running of a dead worker | Died | worker or parent that finds too many attempts |
//! | Done, TimedOut, Cancelled, Died | Free | parent, when it has the result |
//!
//! # Invariants
//! 1. Who has a task in hand (its message in the queue) is the only one that writes its slot's result: a slot that was
//!    taken from a living worker is not used again before that worker is dead.
//! 2. A stamp never repeats: ids go up, and so do a task's attempts. Ids are 40 bits; for one to come back in the same
//!    slot while somebody has the old one in hand, he must sleep through 2^40 tasks: twelve days, at a million a second.
//! 3. A worker whose slot is Running under its number has that slot in its notes, and since when. If not, it is another one
//!    that has the place of a dead one, and is not killed for it.
//!
//! Which slots are free, whose they are, and how many items a chunk has, the parent knows itself (`held`).
//!
//! # Ordering
//! Words are stored with Release and loaded with Acquire (see `raw`): who sees Done, sees the result; who sees Running,
//! sees the worker's notes, which were written before.
//!
//! # Crash
//! A worker killed in Running has the task's message in hand, so it goes to another one, which finds Running and takes it
//! over. Killed in Done and before it released the message: the other one finds Done and drops it.
//! The parent killed anywhere: the pool ends, see `worker`.

use crate::{
    error::{Error, Result},
    raw::RawArray,
};

const MAGIC: u64 = u64::from_le_bytes(*b"RLTPOOL\x01");
const HEAD: u32 = 16;
const PER_WORKER: u32 = 8;
const PER_SLOT: u32 = 4;
/// Most workers that a pool has.
pub const MAX_WORKERS: usize = 64;
/// Most tasks that are under way.
pub const MAX_SLOTS: u32 = 1 << 15;
/// Longest task or result.
pub const MAX_BYTES: u32 = 1 << 26;

/// So many different ids.
const IDS: u64 = 1 << 40;

/// What a slot is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum State {
    Free = 0,
    Pending = 1,
    Running = 2,
    Done = 3,
    TimedOut = 4,
    Cancelled = 5,
    Died = 6,
}

impl State {
    pub fn is_over(self) -> bool {
        self as u8 >= State::Done as u8
    }
}

/// A slot's stamp, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub id: u64,
    pub attempt: u8,
    pub worker: u8,
    pub state: State,
}

impl Stamp {
    fn pack(self) -> u64 {
        (self.id % IDS) << 24
            | u64::from(self.attempt) << 16
            | u64::from(self.worker) << 8
            | self.state as u64
    }

    /// Of a task that nobody has begun.
    pub fn pending(serial: u64) -> Stamp {
        Stamp { id: serial % IDS, attempt: 0, worker: 0, state: State::Pending }
    }

    /// Whether it is of the task with that serial number.
    pub fn is_of(&self, serial: u64) -> bool {
        self.id == serial % IDS
    }

    /// Any word is a stamp; a state that there is not, is `Free`.
    fn unpack(word: u64) -> Stamp {
        let states =
            [State::Pending, State::Running, State::Done, State::TimedOut, State::Cancelled, State::Died];
        let state = states.into_iter().find(|state| *state as u64 == word & 0xff).unwrap_or(State::Free);
        Stamp { id: word >> 24, attempt: (word >> 16) as u8, worker: (word >> 8) as u8, state }
    }
}

/// How large it all is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub workers: u32,
    pub slots: u32,
    pub task_bytes: u32,
    pub result_bytes: u32,
}

impl Shape {
    fn is_sound(&self) -> bool {
        (1..=MAX_WORKERS as u32).contains(&self.workers)
            && (1..=MAX_SLOTS).contains(&self.slots)
            && (1..=MAX_BYTES).contains(&self.task_bytes)
            && (1..=MAX_BYTES).contains(&self.result_bytes)
    }

    fn slot_words(&self) -> u64 {
        u64::from(PER_SLOT) + 2 * u64::from(self.result_bytes).div_ceil(16)
    }

    /// How many words the table has. Errors: `Invalid`, `NoSpace`.
    pub fn words(&self) -> Result<u32> {
        if !self.is_sound() {
            return Err(Error::Invalid);
        }
        let words = u64::from(HEAD + PER_WORKER * self.workers) + u64::from(self.slots) * self.slot_words();
        u32::try_from(words).map_err(|_| Error::NoSpace)
    }
}

/// What a worker tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Note {
    Pid = 0,
    Slot = 1,
    Since = 2,
    Done = 3,
    State = 4,
    Code = 5,
}

/// Counters, and the pool's own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Phase = 3,
    Submitted = 4,
    Redone = 6,
    Retries = 7,
    Left = 8,
}

pub(super) const OPEN: u64 = 0;
pub(super) const CLOSED: u64 = 1;
pub(super) const TERMINATED: u64 = 2;

/// In a worker's notes.
pub(super) const STARTING: u64 = 1;
pub(super) const READY: u64 = 2;
pub(super) const LEAVING: u64 = 3;

/// A view of the table. Whatever it says was written by peers; indices are checked by the array.
#[derive(Clone, Copy)]
pub(super) struct Table<'r> {
    words: RawArray<'r, u64>,
    pub shape: Shape,
}

impl<'r> Table<'r> {
    /// Over fresh zeros.
    pub fn format(words: RawArray<'r, u64>, shape: Shape, retries: u8) -> Result<Table<'r>> {
        words.set(Count::Retries as u32, u64::from(retries))?;
        words.set(1, u64::from(shape.slots) << 32 | u64::from(shape.workers))?;
        words.set(2, u64::from(shape.task_bytes) << 32 | u64::from(shape.result_bytes))?;
        words.set(0, MAGIC)?;
        Ok(Table { words, shape })
    }

    /// Errors: `WrongKind` if it is no pool's table, or not finished.
    pub fn attach(words: RawArray<'r, u64>) -> Result<Table<'r>> {
        let (one, two) = (words.get(1)?, words.get(2)?);
        let shape = Shape {
            workers: one as u32,
            slots: (one >> 32) as u32,
            task_bytes: (two >> 32) as u32,
            result_bytes: two as u32,
        };
        if words.get(0)? != MAGIC || shape.words().map_or(true, |count| count != words.len()) {
            return Err(Error::WrongKind);
        }
        Ok(Table { words, shape })
    }

    pub fn count(&self, what: Count) -> u64 {
        self.words.get(what as u32).unwrap_or(0)
    }

    pub fn add(&self, what: Count, more: u64) {
        let _ = self.words.fetch_add(what as u32, more);
    }

    pub fn phase(&self) -> u64 {
        self.count(Count::Phase)
    }

    pub fn set_phase(&self, phase: u64) {
        let _ = self.words.set(Count::Phase as u32, phase);
    }

    fn of_worker(&self, worker: u32, what: Note) -> u32 {
        HEAD + PER_WORKER * worker + what as u32
    }

    pub fn note(&self, worker: u32, what: Note) -> u64 {
        if worker >= self.shape.workers {
            0
        } else {
            self.words.get(self.of_worker(worker, what)).unwrap_or(0)
        }
    }

    pub fn set_note(&self, worker: u32, what: Note, value: u64) {
        if worker < self.shape.workers {
            let _ = self.words.set(self.of_worker(worker, what), value);
        }
    }

    /// Nobody is in that worker's place.
    pub fn vacate(&self, worker: u32) {
        self.set_note(worker, Note::Slot, 0);
        self.set_note(worker, Note::Pid, 0);
    }

    /// The word of a slot, whose index is in range.
    fn of_slot(&self, slot: u32, word: u32) -> Result<u32> {
        if slot >= self.shape.slots {
            return Err(Error::NotFound);
        }
        // In range: `words` said that all of it is.
        Ok(HEAD + PER_WORKER * self.shape.workers + slot * self.shape.slot_words() as u32 + word)
    }

    pub fn stamp(&self, slot: u32) -> Result<Stamp> {
        Ok(Stamp::unpack(self.words.get(self.of_slot(slot, 0)?)?))
    }

    /// The parent's, while nobody else has the slot.
    pub fn set_stamp(&self, slot: u32, stamp: Stamp) -> Result<()> {
        self.words.set(self.of_slot(slot, 0)?, stamp.pack())
    }

    /// Whether it was `from`, and is `to` now.
    pub fn change(&self, slot: u32, from: Stamp, to: Stamp) -> Result<bool> {
        Ok(self.words.compare_exchange(self.of_slot(slot, 0)?, from.pack(), to.pack())?.is_ok())
    }

    /// What the function returned, and how many bytes; at most as many as there is room for.
    pub fn result(&self, slot: u32) -> Result<(i64, u64)> {
        Ok((self.words.get(self.of_slot(slot, 1)?)? as i64, self.words.get(self.of_slot(slot, 2)?)?))
    }

    /// As invariant 1 says: by who has the task in hand.
    pub fn set_result(&self, slot: u32, code: i64, len: u64, bytes: &[u8]) -> Result<()> {
        self.words.set(self.of_slot(slot, 1)?, code as u64)?;
        self.words.set(self.of_slot(slot, 2)?, len)?;
        let at = self.room(slot)?;
        let len = bytes.len().min(self.shape.result_bytes as usize);
        // SAFETY: the slot's room, in the array, at a multiple of 16; nobody else writes there (invariant 1), and if a peer does, this is a
        // copy that allows for it.
        unsafe { crate::bytes::copy_in(&bytes[..len], at) };
        Ok(())
    }

    /// Copies `to.len()` bytes of the result, at most as many as there is room for.
    pub fn copy_result(&self, slot: u32, to: &mut [u8]) -> Result<()> {
        let at = self.room(slot)?;
        let len = to.len().min(self.shape.result_bytes as usize);
        // SAFETY: as in `set_result`.
        unsafe { crate::bytes::copy_out(at, &mut to[..len]) };
        Ok(())
    }

    fn room(&self, slot: u32) -> Result<*mut u8> {
        let at = self.of_slot(slot, PER_SLOT)? as usize;
        // SAFETY: in the array, as `of_slot` says.
        Ok(unsafe { self.words.as_ptr().add(at) }.cast())
    }
}
