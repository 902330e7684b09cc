//! What the parent does while it waits: replaces dead workers, gives back what they had, kills those whose task takes too
//! long, and those that were stopped.

use super::{
    Pool, Start,
    record::{TOLD_BYTES, Task, Told},
    table::{CLOSED, Count, LEAVING, Note, OPEN, READY, STARTING, Stamp, State, TERMINATED},
    tick,
};
use crate::{
    error::{Error, Result},
    member::Depth,
    process::Process,
    sys::{Platform, linux::Linux},
    time::FOREVER,
};

/// Kills it and waits until it is gone: a moment, unless it is stuck in the kernel.
pub(super) fn end(mut process: Process) {
    let _ = process.kill();
    let _ = process.join();
}

/// What those who wait say of an error of `start`. `NotFound` would tell them that there is no such task, or no more: then
/// it is `Broken`, and so is whatever else means something of their own.
fn while_waiting(error: Error) -> Error {
    let taken = [
        Error::NotFound,
        Error::NotOwner,
        Error::WouldBlock,
        Error::TimedOut,
        Error::Busy,
        Error::Closed,
        Error::MessageTooLarge,
    ];
    // By the code, which is all that C's have.
    if taken.iter().any(|other| other.code() == error.code()) { Error::Broken } else { error }
}

/// How long there may be no worker, because none can be started, before that is an error of those who wait.
const PATIENCE_NS: u64 = 5_000_000_000;
/// What an end before it was ready counts; SIGKILL, which may come from outside, counts 1.
const FAILURE: u32 = 32;
/// How long a worker that says that it leaves is waited for at a time.
const FAREWELL_NS: u64 = 50_000_000;
/// How long a worker may not look for a task, at least, before it counts as stopped.
const STOPPED_NS: u64 = 2_000_000_000;

impl<S: Start> Pool<'_, S> {
    /// More workers in a row than there are did not get through their start, and none is there: it makes no sense to go on.
    pub(super) fn is_broken(&self) -> bool {
        self.ready == 0 && self.failures > (2 * self.table.shape.workers + 3) * FAILURE
    }

    pub(super) fn tend_now_and_then(&mut self) {
        let now = Linux.now_ns();
        let is_time = now.saturating_sub(self.tended_ns) >= tick(&self.tasks) / 2;
        if is_time || self.table.count(Count::Left) != self.left {
            // What is to be known of a failure is kept.
            let _ = self.tend();
        }
    }

    pub(super) fn tend_or_give_up(&mut self) -> Result<()> {
        let _ = self.tend();
        self.give_up_without_workers()
    }

    pub(super) fn give_up_without_workers(&self) -> Result<()> {
        match self.start_error {
            Some((error, since))
                if self.workers.iter().all(Option::is_none)
                    && Linux.now_ns().saturating_sub(since) > PATIENCE_NS =>
            {
                Err(while_waiting(error))
            }
            _ => Ok(()),
        }
    }

    /// Replaces workers that have ended, and kills those that take too long. All that waits does this each half tick (50 ms);
    /// who does not wait for long, calls it now and then. Errors: `NotOwner`; those of `start`, for a worker
    /// that is to be replaced: it is tried again at the next look.
    pub fn tend(&mut self) -> Result<()> {
        if !self.is_mine() {
            return Err(Error::NotOwner);
        }
        self.tended_ns = Linux.now_ns();
        if self.table.phase() == TERMINATED {
            return Ok(());
        }
        self.bury();
        self.time_out();
        self.set_aside();
        self.drop_forgotten();
        self.hire()
    }

    /// Finds out who has ended.
    pub(super) fn bury(&mut self) {
        let left = self.table.count(Count::Left);
        let some_leave = core::mem::replace(&mut self.left, left) != left;
        let mut deaths = false;
        for (index, worker) in self.workers.iter_mut().enumerate() {
            let Some(process) = worker else { continue };
            let state = self.table.note(index as u32, Note::State);
            if state != STARTING && self.ready & 1 << index == 0 {
                self.ready |= 1 << index;
                self.failures = 0;
            }
            if some_leave && state == LEAVING {
                let _ = process.join_timeout(FAREWELL_NS);
            }
            if process.is_alive() {
                continue;
            }
            // It may have got there since.
            let started = self.table.note(index as u32, Note::State) != STARTING;
            let weight = if process.exit_code() == Some(-libc::SIGKILL) { 1 } else { FAILURE };
            self.failures = if started { 0 } else { self.failures.saturating_add(weight) };
            *worker = None;
            self.ready &= !(1 << index);
            self.table.vacate(index as u32);
            deaths = true;
        }
        if deaths {
            self.region.recover(Depth::Marked);
        }
    }

    /// Takes tasks from workers that have had them for too long, and ends workers that are stopped otherwise.
    fn time_out(&mut self) {
        if self.timeout_ns == FOREVER {
            return;
        }
        for worker in 0..self.table.shape.workers {
            // In this order: a worker writes them the other way round.
            let state = self.table.note(worker, Note::State);
            let slot = self.table.note(worker, Note::Slot);
            let slot = slot.checked_sub(1).and_then(|slot| u32::try_from(slot).ok());
            let task = slot.and_then(|slot| Some((slot, self.table.stamp(slot).ok()?)));
            let is_its = |stamp: &Stamp| stamp.state == State::Running && u32::from(stamp.worker) == worker;
            let taken = Linux.now_ns().saturating_sub(self.table.note(worker, Note::Since));
            if let Some((slot, stamp)) = task.filter(|(_, stamp)| is_its(stamp)) {
                if taken > self.timeout_ns && self.held.entry(slot).is_some() {
                    let _ = self.take_away(slot, stamp, State::TimedOut);
                }
            } else if state == READY && taken > self.timeout_ns.max(STOPPED_NS) {
                self.dismiss(worker);
            }
        }
    }

    /// Ends a worker. What it had in hand goes to others.
    fn dismiss(&mut self, worker: u32) {
        if let Some(process) = self.workers.get_mut(worker as usize).and_then(Option::take) {
            end(process);
            self.ready &= !(1 << worker);
            self.table.vacate(worker);
            self.region.recover(Depth::Marked);
        }
    }

    /// Takes a task that is under way: whether it was still as `stamp` says. If it has a worker, that one is gone before
    /// anybody can use the slot again (invariants 1 and 3 of `table`).
    pub(super) fn take_away(&mut self, slot: u32, stamp: Stamp, why: State) -> Result<bool> {
        let is_ours = self.table.change(slot, stamp, Stamp { state: why, ..stamp })?;
        if is_ours {
            let worker = u32::from(stamp.worker);
            if stamp.state == State::Running && self.table.note(worker, Note::Slot) == u64::from(slot) + 1 {
                self.dismiss(worker);
            }
        }
        Ok(is_ours)
    }

    /// Tasks that have killed so many that the queue itself gives up.
    fn set_aside(&mut self) {
        // As many as there can be, whatever the queue says.
        for _ in 0..2 * self.table.shape.slots {
            let Ok(popped) = self.tasks.take_poisoned(self.poisoned.get_mut()) else { break };
            let Some((task, _)) = Task::unpack(&self.poisoned.get()[..popped.len]) else { continue };
            let Ok(stamp) = self.table.stamp(task.slot) else { continue };
            if stamp.id == task.id && matches!(stamp.state, State::Pending | State::Running) {
                let died = Stamp { state: State::Died, attempt: popped.attempt, ..stamp };
                let _ = self.table.change(task.slot, stamp, died);
            }
        }
    }

    /// Starts workers where there are none, as long as there may be something to do for them.
    fn hire(&mut self) -> Result<()> {
        let workers = self.table.shape.workers;
        let mut wanted = match self.table.phase() {
            OPEN => workers,
            // Others have nothing to wait for, and leave.
            CLOSED => self.unfinished().min(workers),
            _ => 0,
        };
        wanted = wanted.saturating_sub(self.workers.iter().flatten().count() as u32);
        for index in 0..workers {
            let place = index as usize;
            if wanted == 0 || self.is_broken() {
                break;
            }
            if self.workers[place].is_some() {
                continue;
            }
            self.table.set_note(index, Note::Slot, 0);
            self.table.set_note(index, Note::State, STARTING);
            let initializer = self.initializer.as_ref().map(|(name, argument)| (*name, &argument[..]));
            let told = Told { worker: index, tasks: self.tasks_per_worker, pool: self.name, initializer };
            let mut bytes = [0; TOLD_BYTES];
            match self.start.start(told.pack(&mut bytes)?) {
                Ok(process) => self.workers[place] = Some(process),
                Err(error) => {
                    let since = self.start_error.map_or_else(|| Linux.now_ns(), |(_, since)| since);
                    self.start_error = Some((error, since));
                    return Err(error);
                }
            }
            self.start_error = None;
            wanted -= 1;
        }
        Ok(())
    }

    /// How many tasks wait, or are being worked on.
    pub(super) fn unfinished(&self) -> u32 {
        self.held.iter().filter(|(slot, _)| !self.is_over(*slot)).count() as u32
    }

    /// Nobody will end them any more: there are no workers.
    pub(super) fn cancel_unfinished(&mut self) {
        for (slot, _) in self.held.iter().filter(|(slot, _)| !self.is_over(*slot)) {
            if let Ok(stamp) = self.table.stamp(slot) {
                let _ = self.table.set_stamp(slot, Stamp { state: State::Cancelled, ..stamp });
            }
        }
    }
}
