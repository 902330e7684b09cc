//! What the parent does while it waits: replaces dead workers, gives back what they had, kills those whose task takes too
//! long; and what it, and any other process, can see of it.

use super::{
    Names, Pool, TaskId,
    record::{Task, Told},
    table::{CLOSED, Count, MAX_WORKERS, Note, OPEN, Stamp, State, TERMINATED, Table},
    worker::{BUSY, STARTING},
};
use crate::{
    error::Result,
    member::Depth,
    process::Process,
    region::Region,
    sys::{Platform, linux::Linux},
    time::FOREVER,
};

/// Kills it and waits until it is gone: a moment, unless it is stuck in the kernel.
pub(super) fn end(mut process: Process) {
    let _ = process.kill();
    let _ = process.join();
}

impl<S> Pool<'_, S>
where
    S: FnMut(&[u8]) -> Result<Process>,
{
    /// More workers in a row than there are did not get through their start: it makes no sense to go on.
    pub(super) fn is_broken(&self) -> bool {
        self.failures > 2 * self.table.shape.workers + 3
    }

    pub(super) fn tend_now_and_then(&mut self) -> Result<()> {
        let now = Linux.now_ns();
        if now.saturating_sub(self.tended_ns) < self.tasks.tick_ns() / 2 { Ok(()) } else { self.tend() }
    }

    /// Errors: those of `start`, for a worker that is to be replaced; it is tried again at the next look.
    pub fn tend(&mut self) -> Result<()> {
        self.tended_ns = Linux.now_ns();
        if self.table.phase() == TERMINATED {
            return Ok(());
        }
        self.time_out()?;
        self.bury();
        self.set_aside();
        self.hire()
    }

    /// Takes tasks from workers that have had them for too long.
    fn time_out(&mut self) -> Result<()> {
        if self.timeout_ns == FOREVER || self.outstanding == 0 {
            return Ok(());
        }
        for slot in 0..self.table.shape.slots {
            let stamp = self.table.stamp(slot)?;
            let taken = Linux.now_ns().saturating_sub(self.table.begun(slot)?);
            if stamp.state == State::Running && taken > self.timeout_ns {
                self.take_from_worker(slot, stamp, State::TimedOut)?;
            }
        }
        Ok(())
    }

    /// The slot's worker is killed, before anybody can use the slot again (invariant 1 of `table`).
    fn take_from_worker(&mut self, slot: u32, stamp: Stamp, why: State) -> Result<bool> {
        let is_ours = self.table.change(slot, stamp, Stamp { state: why, ..stamp })?;
        if is_ours {
            if let Some(process) = self.workers.get_mut(usize::from(stamp.worker)).and_then(Option::take) {
                end(process);
                self.region.recover(Depth::Marked);
            }
            self.table.add(Count::Ended, 1);
        }
        Ok(is_ours)
    }

    /// Finds out who has ended.
    fn bury(&mut self) {
        let mut deaths = false;
        for (index, worker) in self.workers.iter_mut().enumerate() {
            let Some(process) = worker else { continue };
            if process.is_alive() {
                continue;
            }
            *worker = None;
            deaths = true;
            let started = self.table.note(index as u32, Note::State) != STARTING;
            self.failures = if started { 0 } else { self.failures + 1 };
        }
        if deaths {
            self.region.recover(Depth::Marked);
        }
    }

    /// Tasks that have killed so many that the queue itself gives up.
    fn set_aside(&mut self) {
        while let Ok(popped) = self.tasks.take_poisoned(self.task.bytes()) {
            let Some((task, _)) = Task::unpack(&self.task.bytes()[..popped.len]) else { continue };
            let Ok(stamp) = self.table.stamp(task.slot) else { continue };
            if stamp.id == task.id && !stamp.state.is_over() && stamp.state != State::Free {
                let _ = self.table.change(task.slot, stamp, Stamp { state: State::Died, ..stamp });
                self.table.add(Count::Ended, 1);
            }
        }
    }

    /// Starts workers where there are none, as long as there may be something to do.
    fn hire(&mut self) -> Result<()> {
        let phase = self.table.phase();
        for index in 0..self.table.shape.workers {
            let place = index as usize;
            let wanted = phase == OPEN || (phase == CLOSED && self.is_unfinished());
            if self.workers[place].is_some() || !wanted || self.is_broken() {
                continue;
            }
            self.table.set_note(index, Note::State, STARTING);
            self.table.set_note(index, Note::Slot, 0);
            let initializer = self.initializer.as_ref().map(|(name, argument)| (*name, &argument[..]));
            let told = Told { worker: index, tasks: self.tasks_per_worker, pool: self.name, initializer };
            let mut bytes = [0; super::record::TOLD_BYTES];
            self.workers[place] = Some((self.start)(told.pack(&mut bytes)?)?);
        }
        Ok(())
    }

    /// Whether a task is waiting or being worked on.
    pub(super) fn is_unfinished(&self) -> bool {
        let unfinished = |slot| {
            self.table.stamp(slot).is_ok_and(|stamp| matches!(stamp.state, State::Pending | State::Running))
        };
        self.outstanding > 0 && (0..self.table.shape.slots).any(unfinished)
    }

    /// Nobody will end them any more.
    pub(super) fn drain_unfinished(&mut self) -> Result<()> {
        for slot in 0..self.table.shape.slots {
            let stamp = self.table.stamp(slot)?;
            if matches!(stamp.state, State::Pending | State::Running) {
                self.table.set_stamp(slot, Stamp { state: State::Cancelled, ..stamp })?;
            }
        }
        Ok(())
    }

    /// Takes a task back: one that nobody has begun, or from its worker, which is killed and replaced. It is reported as
    /// [`super::Outcome::Cancelled`]. `Ok(false)`: it had ended. Errors: `NotFound`: it was collected.
    pub fn cancel(&mut self, id: TaskId) -> Result<bool> {
        loop {
            let (slot, stamp) = self.slot_of(id)?;
            let taken = match stamp.state {
                State::Pending => {
                    let taken = self.table.change(slot, stamp, Stamp { state: State::Cancelled, ..stamp })?;
                    self.table.add(Count::Ended, u64::from(taken));
                    taken
                }
                State::Running => self.take_from_worker(slot, stamp, State::Cancelled)?,
                _ => return Ok(false),
            };
            if taken {
                return Ok(true);
            }
        }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        Progress::of(self.table)
    }

    /// The workers' process ids, by index; 0 where there is none just now.
    pub fn pids(&self) -> [i32; MAX_WORKERS] {
        core::array::from_fn(|index| self.workers[index].as_ref().map_or(0, Process::pid))
    }
}

/// What a worker is at, as it says itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerState {
    /// Its process, as it sees its own id; 0: none yet.
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
    /// Tasks submitted.
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
    /// Of the pool of that name: for any process that is attached to the region. Errors: `NotFound`, `WrongKind`, those of
    /// opening an object.
    pub fn read(region: &Region, pool: &str) -> Result<Progress> {
        Ok(Self::of(Table::attach(region.open_raw_array(&Names::of(pool)?.table)?)?))
    }

    fn of(table: Table<'_>) -> Progress {
        let now = Linux.now_ns();
        let in_state = |state| {
            let slots = 0..table.shape.slots;
            slots.filter(|slot| table.stamp(*slot).is_ok_and(|stamp| stamp.state == state)).count() as u32
        };
        let worker = |index: usize| {
            let note = |what| table.note(index as u32, what);
            let is_busy = note(Note::State) == BUSY;
            let since = if is_busy { note(Note::Since) } else { now };
            WorkerState {
                pid: note(Note::Pid) as u32,
                is_busy,
                busy_ns: now.saturating_sub(since),
                done: note(Note::Done),
            }
        };
        Progress {
            submitted: table.count(Count::Submitted),
            ended: table.count(Count::Ended),
            pending: in_state(State::Pending),
            running: in_state(State::Running),
            redone: table.count(Count::Redone),
            worker_count: table.shape.workers,
            workers: core::array::from_fn(worker),
        }
    }
}
