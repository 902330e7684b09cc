//! What any process can see of a pool.

use super::{
    config::Names,
    table::{Count, MAX_WORKERS, Note, State, Table},
};
use crate::{
    error::Result,
    region::Region,
    sys::{Platform, linux::Linux},
};

/// What a worker is at, as it says itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerState {
    /// Its process, as it sees its own id; 0: there is none just now, or it has not begun.
    pub pid: u32,
    /// Whether it has a task.
    pub is_busy: bool,
    /// For how long, in nanoseconds.
    pub busy_ns: u64,
    /// How many tasks workers in its place have done.
    pub done: u64,
}

/// How far a pool is. Figures of several moments: they may be one off against each other.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Tasks submitted; of `map` and the like, chunks.
    pub submitted: u64,
    /// Tasks that ended, however.
    pub ended: u64,
    /// Tasks that nobody has begun.
    pub pending: u32,
    /// Tasks being worked on.
    pub running: u32,
    /// How often a task was begun again after a death.
    pub redone: u64,
    /// How many of `workers` there are.
    pub worker_count: u32,
    /// Each worker.
    pub workers: [WorkerState; MAX_WORKERS],
}

impl Progress {
    /// Of the pool of that name: for any process that is attached to the region. Looks at every slot. Errors: `NotFound`,
    /// `WrongKind`, those of opening an object.
    pub fn read(region: &Region, pool: &str) -> Result<Progress> {
        Ok(Self::of(Table::attach(region.open_raw_array(&Names::of(pool)?.table)?)?))
    }

    pub(super) fn of(table: Table<'_>) -> Progress {
        let now = Linux.now_ns();
        // Before the slots: what is submitted meanwhile has not ended.
        let submitted = table.count(Count::Submitted);
        let (mut pending, mut running) = (0u32, 0u32);
        for slot in 0..table.shape.slots {
            match table.stamp(slot).map(|stamp| stamp.state) {
                Ok(State::Pending) => pending += 1,
                Ok(State::Running) => running += 1,
                _ => {}
            }
        }
        let worker = |index: usize| {
            let note = |what| table.note(index as u32, what);
            let is_busy = note(Note::Slot) != 0;
            let since = if is_busy { note(Note::Since) } else { now };
            WorkerState {
                pid: note(Note::Pid) as u32,
                is_busy,
                busy_ns: now.saturating_sub(since),
                done: note(Note::Done),
            }
        };
        Progress {
            submitted,
            // Not counted: who dies with the count in hand would leave it wrong for ever.
            ended: submitted.saturating_sub(pending.into()).saturating_sub(running.into()),
            pending,
            running,
            redone: table.count(Count::Redone),
            worker_count: table.shape.workers,
            workers: core::array::from_fn(worker),
        }
    }
}
