//! Tasks, one at a time: submitted, waited for, collected, taken back.

use super::{
    Outcome, Pool, Report, Start, TaskId,
    record::{self, Name, TASK_BYTES, Task},
    table::{Count, OPEN, Stamp, State},
    tick,
    worker::TOO_LARGE,
};
use crate::{
    error::{Error, Result},
    sys::{Platform, linux::Linux},
    time::Deadline,
};

/// How long a task that has a slot waits for room in the queue. There is some as soon as places of the dead are free
/// again; or it is full of tasks that were taken back, and nobody comes to look at them.
const ROOM_NS: u64 = 1_000_000_000;

/// How long to sleep, in nanoseconds: until then, or for a look around. Not 0, which would poll.
fn left(until: Deadline, tick_ns: u64) -> u64 {
    until.or_tick(Linux, tick_ns).0.saturating_sub(Linux.now_ns()).max(1)
}

/// What was collected; its bytes are in the pool's `result`.
#[derive(Clone, Copy)]
pub(super) struct Collected {
    pub attempt: u8,
    /// `None`: see `code`.
    pub failure: Option<Outcome<()>>,
    pub code: i64,
    pub len: u64,
    pub index: u64,
    pub items: u32,
}

impl<S: Start> Pool<'_, S> {
    /// Gives the workers a task. Does not wait: `WouldBlock` if as many are under way as there are slots, so collect a
    /// report first ([`Pool::next`]); or, after a second, if busy workers have left the queue full of tasks that were
    /// taken back. Other errors: `MessageTooLarge`; `Closed`; `Broken`: no worker gets through its
    /// initializer; `Invalid`: the function's name.
    pub fn submit(&mut self, function: &str, task: &[u8]) -> Result<TaskId> {
        let function = record::pack(function)?;
        self.ready()?;
        let most = self.table.shape.task_bytes as usize;
        let room = &mut self.task.get_mut()[TASK_BYTES..TASK_BYTES + most];
        room.get_mut(..task.len()).ok_or(Error::MessageTooLarge)?.copy_from_slice(task);
        self.send(function, 0, 0, task.len(), Deadline::after(Linux, ROOM_NS))
    }

    /// Whether a task could be submitted now. Errors: as [`Pool::submit`].
    pub(super) fn ready(&mut self) -> Result<()> {
        self.tend_now_and_then();
        if self.table.phase() != OPEN {
            return Err(Error::Closed);
        }
        if self.is_broken() {
            return Err(Error::Broken);
        }
        if self.held.free().is_none() {
            self.drop_forgotten();
        }
        self.held.free().map(|_| ()).ok_or(Error::WouldBlock)
    }

    /// As [`Pool::ready`], but waits for the ends of tasks that nobody will ask for, if only those keep it from being so.
    pub(super) fn wait_ready(&mut self, until: Deadline) -> Result<()> {
        loop {
            match self.ready() {
                Err(Error::WouldBlock) if self.held.any_forgotten() && !until.passed(Linux) => {}
                other => return other,
            }
            self.give_up_without_workers()?;
            self.done.clear();
            self.drop_forgotten();
            if self.held.free().is_none() {
                let _ = self.done.wait_timeout(left(until, tick(&self.tasks) / 2));
            }
        }
    }

    /// Submits what is in `task`, behind the header: `items` of a chunk, or a task of its own (0). What has failed can be
    /// tried again. `WouldBlock`: there was no room in the queue until then.
    pub(super) fn send(
        &mut self,
        function: Name,
        index: u64,
        items: u32,
        len: usize,
        until: Deadline,
    ) -> Result<TaskId> {
        let slot = self.held.free().ok_or(Error::WouldBlock)?;
        let serial = self.serial;
        let stamp = Stamp::pending(serial);
        let flags = if items == 0 { 0 } else { record::CHUNK };
        let header = Task { id: stamp.id, slot, flags, function };
        self.task.get_mut()[..TASK_BYTES].copy_from_slice(&header.pack());
        self.table.set_stamp(slot, stamp)?;
        if let Err(error) = self.push(TASK_BYTES + len, until) {
            // Nobody has seen it: the serial number is used again.
            self.table.set_stamp(slot, Stamp { state: State::Free, ..stamp })?;
            return Err(error);
        }
        self.held.take(serial, index, items);
        self.serial += 1;
        self.table.add(Count::Submitted, 1);
        Ok(TaskId { serial, slot })
    }

    fn push(&mut self, len: usize, until: Deadline) -> Result<()> {
        loop {
            let ns = match until {
                Deadline::NOW => 0,
                _ => left(until, tick(&self.tasks)),
            };
            match self.tasks.push_timeout(&self.task.get()[..len], ns) {
                Err(Error::TimedOut | Error::WouldBlock) if self.is_broken() => return Err(Error::Broken),
                Err(Error::TimedOut | Error::WouldBlock) if until.passed(Linux) => {
                    return Err(Error::WouldBlock);
                }
                Err(Error::TimedOut | Error::WouldBlock) => self.tend_or_give_up()?,
                other => return other,
            }
        }
    }

    /// Waits until that task has ended, and collects its report. Errors: `NotFound`: it was collected, or there was none;
    /// `TimedOut`, `WouldBlock` (0); `Broken`, as [`Pool::submit`]; those of `start`, if there is no worker and has
    /// not been one for five seconds: then it can be asked again. Of these, `NotFound` and others that mean something else
    /// here are `Broken`; [`Pool::tend`] says which.
    pub fn wait(&mut self, id: TaskId, timeout_ns: u64) -> Result<Report<&[u8]>> {
        let collected = self.wait_for(id, timeout_ns)?;
        Ok(self.report(collected))
    }

    pub(super) fn wait_for(&mut self, id: TaskId, timeout_ns: u64) -> Result<Collected> {
        self.wait_over(id, timeout_ns)?;
        self.collect(id.slot)
    }

    pub(super) fn wait_over(&mut self, id: TaskId, timeout_ns: u64) -> Result<()> {
        let slot = self.held.slot_of(id).ok_or(Error::NotFound)?;
        self.until(timeout_ns, |pool| Ok(pool.is_over(slot).then_some(())))
    }

    /// Waits until any task has ended, and collects its report; of several, the oldest. Errors: `NotFound`: none is under
    /// way; else as [`Pool::wait`].
    pub fn next(&mut self, timeout_ns: u64) -> Result<(TaskId, Report<&[u8]>)> {
        let slot = self.next_over(timeout_ns, 0)?;
        let serial = self.held.entry(slot).map_or(0, |entry| entry.serial);
        let collected = self.collect(slot)?;
        Ok((TaskId { serial, slot }, self.report(collected)))
    }

    /// The slot of the oldest task that has ended, from `first` on.
    pub(super) fn next_over(&mut self, timeout_ns: u64, first: u64) -> Result<u32> {
        self.until(timeout_ns, |pool| {
            if pool.held.wanted() == 0 {
                return Err(Error::NotFound);
            }
            Ok(pool.held.find(|slot, entry| {
                entry.serial >= first && pool.is_over(slot) && !pool.held.is_forgotten(slot)
            }))
        })
    }

    /// Submits, waits, and reports: Python's `apply`. Errors: as [`Pool::submit`] and [`Pool::wait`]; if it has not ended in
    /// time, it is taken back, as by [`Pool::cancel`].
    pub fn apply(&mut self, function: &str, task: &[u8], timeout_ns: u64) -> Result<Report<&[u8]>> {
        let id = self.submit(function, task)?;
        match self.wait_for(id, timeout_ns) {
            Ok(collected) => Ok(self.report(collected)),
            Err(error) => {
                let _ = self.cancel(id);
                if let Some(slot) = self.held.slot_of(id) {
                    let _ = self.collect(slot);
                }
                Err(error)
            }
        }
    }

    /// Takes a task back: one that nobody has begun, or from its worker, which is killed and replaced. It is reported as
    /// [`Outcome::Cancelled`]. `Ok(false)`: it had ended. Errors: `NotFound`: it was collected; `NotOwner`.
    pub fn cancel(&mut self, id: TaskId) -> Result<bool> {
        if !self.is_mine() {
            return Err(Error::NotOwner);
        }
        let slot = self.held.slot_of(id).ok_or(Error::NotFound)?;
        // It changes when a worker begins or ends it, or takes it over; a peer gone wild does not keep us.
        for _ in 0..1000 {
            let stamp = self.table.stamp(slot)?;
            if self.is_over(slot) {
                return Ok(false);
            }
            if self.take_away(slot, stamp, State::Cancelled)? {
                return Ok(true);
            }
        }
        Err(Error::BadRegion)
    }

    /// Looks, tends the workers, sleeps, looks again.
    pub(super) fn until<T>(
        &mut self,
        timeout_ns: u64,
        mut look: impl FnMut(&mut Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let deadline = Deadline::after(Linux, timeout_ns);
        loop {
            self.tend_now_and_then();
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            if self.is_broken() {
                return Err(Error::Broken);
            }
            if timeout_ns == 0 {
                return Err(Error::WouldBlock);
            }
            // What ends from here on sets it again, and what ended before is seen.
            self.done.clear();
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            if deadline.passed(Linux) {
                return Err(Error::TimedOut);
            }
            self.give_up_without_workers()?;
            let _ = self.done.wait_timeout(left(deadline, tick(&self.tasks) / 2));
        }
    }

    /// Of a slot that is held: whether its task has ended. What is not of that task any more, is lost.
    pub(super) fn is_over(&self, slot: u32) -> bool {
        let serial = self.held.entry(slot).map_or(0, |entry| entry.serial);
        match self.table.stamp(slot) {
            Ok(stamp) => stamp.state.is_over() || stamp.state == State::Free || !stamp.is_of(serial),
            Err(_) => true,
        }
    }

    /// Takes the report of a task that has ended, and frees the slot.
    pub(super) fn collect(&mut self, slot: u32) -> Result<Collected> {
        let entry = *self.held.entry(slot).ok_or(Error::NotFound)?;
        let stamp = self.table.stamp(slot)?;
        let (code, len) = self.table.result(slot)?;
        let failure = match stamp.state {
            _ if !stamp.is_of(entry.serial) => Some(Outcome::Lost),
            State::Done => None,
            State::TimedOut => Some(Outcome::TimedOut),
            State::Cancelled => Some(Outcome::Cancelled),
            State::Died => Some(Outcome::Died),
            State::Free | State::Pending | State::Running => Some(Outcome::Lost),
        };
        let len = if failure.is_some() { 0 } else { len };
        if failure.is_none() && code != TOO_LARGE {
            let most = self.table.shape.result_bytes as usize;
            let held = usize::try_from(len).unwrap_or(usize::MAX).min(most);
            self.table.copy_result(slot, &mut self.result.get_mut()[..held])?;
        }
        self.table.set_stamp(slot, Stamp { state: State::Free, ..stamp })?;
        self.held.give_back(slot);
        let attempt = if failure == Some(Outcome::Lost) { 0 } else { stamp.attempt };
        Ok(Collected { attempt, failure, code, len, index: entry.index, items: entry.items })
    }

    /// With the bytes, which the pool keeps until it collects again.
    pub(super) fn report(&self, collected: Collected) -> Report<&[u8]> {
        let Collected { attempt, failure, code, len, .. } = collected;
        let outcome = match failure {
            Some(failure) => failure.map(|()| &[][..]),
            None => {
                let held = if code == TOO_LARGE { 0 } else { usize::try_from(len).unwrap_or(usize::MAX) };
                Outcome::of(code, len, &self.result.get()[..held.min(self.result.get().len())])
            }
        };
        Report { attempt, outcome }
    }

    /// Nobody will ask for its report: it is not done if nobody has begun it.
    pub(super) fn forget(&mut self, slot: u32) {
        if let Ok(stamp @ Stamp { state: State::Pending, .. }) = self.table.stamp(slot) {
            let _ = self.take_away(slot, stamp, State::Cancelled);
        }
        self.held.forget(slot);
        if self.is_over(slot) {
            let _ = self.collect(slot);
        }
    }

    /// Frees the slots of ended tasks that nobody will ask for.
    pub(super) fn drop_forgotten(&mut self) {
        while self.held.any_forgotten() {
            let ended = self.held.find(|slot, _| self.held.is_forgotten(slot) && self.is_over(slot));
            let Some(slot) = ended else { break };
            if self.collect(slot).is_err() {
                break;
            }
        }
    }
}
