//! A pool of worker processes that divide tasks among them: Python's `multiprocessing.Pool`, which goes on whoever of its
//! workers is killed.
//!
//! The parent submits tasks, each a function's name and bytes; workers, in any language, take them from a queue of the
//! region, and leave results in a table. Who dies with a task in hand leaves it to another worker, which says so in
//! the report; a task that has killed too many is reported as dead. The parent replaces dead workers while it waits.
//!
//! # Memory
//! Three objects of the region: the queue `NAME.tasks`, the raw array `NAME.table` (see `table`) and the event
//! `NAME.done`, set whenever a task has ended. What the parent keeps is private, of fixed size, but for one
//! mapping as large as a result.
//!
//! # Crash
//! Of a worker: see `table`. Of the parent: workers started as daemons are killed, others end within a tick of having
//! finished their task.
//!
//! # Limits
//! 64 workers, 32768 tasks under way (submitted, and their result not collected), 64 MiB for a task or a result. One
//! parent; its `Pool` is used by one thread at a time.
//!
//! # Checked by
//! `tests/pool.rs`, `tests/storm_pool.rs`.

mod map;
mod record;
mod scratch;
mod table;
mod tend;
mod worker;

pub use map::{Imap, ImapUnordered};
pub use record::MAX_INITIALIZER_BYTES;
pub use table::{MAX_BYTES, MAX_SLOTS, MAX_WORKERS};
pub use tend::{Progress, WorkerState};
pub use worker::{Function, Output, work};

use crate::{
    error::{Error, Result},
    event::Event,
    process::Process,
    queue::{OnDeath, Queue, QueueConfig},
    region::Region,
    sys::{Platform, linux::Linux},
    time::{Deadline, FOREVER},
};
use record::{CHUNK, Name, TASK_BYTES, Task};
use scratch::Scratch;
use table::{CLOSED, Count, OPEN, Shape, Stamp, State, TERMINATED, Table};

/// The code of a result that was too long.
const TOO_LARGE: i64 = 1 << 32;

/// How a pool is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolConfig<'c> {
    /// 1 to 64.
    pub workers: u32,
    /// Tasks under way at a time, those counted whose result waits to be collected. 1 to 32768.
    pub slots: u32,
    /// Longest task; with [`Pool::map`] longest chunk: 4 bytes for each item besides.
    pub max_task_bytes: u32,
    /// Longest result; of a chunk: 16 bytes for each item besides.
    pub max_result_bytes: u32,
    /// How often a task is begun again after the death of the worker that had it. Then it is [`Outcome::Died`]. 0: at the first
    /// death; at most 20.
    pub retries: u8,
    /// How long a task may take, from when a worker has begun it; then the worker is killed, and the task is
    /// [`Outcome::TimedOut`]. Looked at while the parent waits, each tick.
    pub timeout_ns: u64,
    /// A worker that has done so many is replaced. 0: none is.
    pub tasks_per_worker: u32,
    /// A function that each worker calls first, and its argument, of at most [`MAX_INITIALIZER_BYTES`]. If it fails in
    /// worker after worker, the pool is broken.
    pub initializer: Option<(&'c str, &'c [u8])>,
}

impl PoolConfig<'_> {
    /// So many workers, 16 tasks under way for each, of up to 4 KiB, results too; begun again twice; no timeout.
    pub fn new(workers: u32) -> Self {
        PoolConfig {
            workers,
            slots: workers.saturating_mul(16),
            max_task_bytes: 4096,
            max_result_bytes: 4096,
            retries: 2,
            timeout_ns: FOREVER,
            tasks_per_worker: 0,
            initializer: None,
        }
    }

    fn shape(&self) -> Shape {
        Shape {
            workers: self.workers,
            slots: self.slots,
            task_bytes: self.max_task_bytes,
            result_bytes: self.max_result_bytes,
        }
    }

    /// Of the queue. Twice the slots, because a place that a dead worker had may stay void for a lap.
    fn queue(&self) -> Result<QueueConfig> {
        let bytes = self.max_task_bytes.checked_add(TASK_BYTES as u32).ok_or(Error::Invalid)?;
        let slots = self.slots.saturating_mul(2).checked_next_power_of_two().ok_or(Error::Invalid)?;
        Ok(QueueConfig { on_death: OnDeath::Redeliver, max_attempts: 30, ..QueueConfig::new(slots, bytes) })
    }

    /// How many bytes of a region it needs, at most. Errors: `Invalid`, `NoSpace`.
    pub fn bytes(&self) -> Result<u64> {
        let table = u64::from(self.shape().words()?) * 8 + 256;
        Ok(table + self.queue()?.layout()?.size + 1024)
    }
}

/// What the three objects are called.
struct Names {
    tasks: heapless::String<31>,
    table: heapless::String<31>,
    done: heapless::String<31>,
}

impl Names {
    /// Errors: `Invalid`: the name is longer than 24 bytes, or empty.
    fn of(pool: &str) -> Result<Names> {
        let with = |end: &str| -> Result<heapless::String<31>> {
            let mut name = heapless::String::new();
            name.push_str(pool).and_then(|()| name.push_str(end)).map_err(|_| Error::Invalid)?;
            if pool.is_empty() || pool.len() > 24 { Err(Error::Invalid) } else { Ok(name) }
        };
        Ok(Names { tasks: with(".tasks")?, table: with(".table")?, done: with(".done")? })
    }
}

/// Which task it is. Goes up with each one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(u64);

/// How a task went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report<'p> {
    /// 0, or how many workers had begun it before and died: then some of its effects may have happened twice.
    pub attempt: u8,
    /// What came of it.
    pub outcome: Outcome<'p>,
}

/// What came of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<'p> {
    /// The function returned 0, and wrote this.
    Done(&'p [u8]),
    /// It returned this, and wrote that.
    Failed(i32, &'p [u8]),
    /// It panicked, saying this.
    Panicked(&'p [u8]),
    /// Its result would have had so many bytes.
    TooLarge(u64),
    /// No worker's table has a function of that name.
    NoFunction,
    /// Its workers died, as often as the pool allows.
    Died,
    /// It took too long; its worker was killed.
    TimedOut,
    /// By [`Pool::cancel`].
    Cancelled,
}

impl<'p> Outcome<'p> {
    fn of(code: i64, len: u64, bytes: &'p [u8]) -> Outcome<'p> {
        match code {
            0 => Outcome::Done(bytes),
            TOO_LARGE => Outcome::TooLarge(len),
            worker::NO_FUNCTION => Outcome::NoFunction,
            worker::PANICKED => Outcome::Panicked(bytes),
            _ => Outcome::Failed(code as i32, bytes),
        }
    }
}

/// The parent's handle. Dropped, the pool is terminated.
pub struct Pool<'r, S>
where
    S: FnMut(&[u8]) -> Result<Process>,
{
    region: &'r Region,
    tasks: Queue<'r, Region>,
    table: Table<'r>,
    done: &'r Event,
    start: S,
    name: Name,
    timeout_ns: u64,
    tasks_per_worker: u32,
    initializer: Option<(Name, heapless::Vec<u8, MAX_INITIALIZER_BYTES>)>,
    workers: [Option<Process>; MAX_WORKERS],
    /// Workers in a row that ended before they were idle.
    failures: u32,
    next_id: u64,
    /// Slots that are not free.
    outstanding: u32,
    /// Where the next free slot, or ended task, is looked for.
    next_slot: u32,
    tended_ns: u64,
    result: Scratch,
    task: Scratch,
}

impl<'r, S> Pool<'r, S>
where
    S: FnMut(&[u8]) -> Result<Process>,
{
    /// Creates the pool's objects in the region, under a name of 1 to 24 bytes, and starts its workers. `start` starts a
    /// process with the arguments that it is given, whose entry calls [`work`]; it is called again for each worker that has
    /// to be replaced. Let it start daemons: then they end with the parent, whatever they are doing.
    ///
    /// Errors: those of creating objects, of `start`; `Invalid`.
    pub fn create(region: &'r Region, name: &str, config: &PoolConfig<'_>, start: S) -> Result<Self> {
        let names = Names::of(name)?;
        let shape = config.shape();
        let words = shape.words()?;
        if config.retries > 20 {
            return Err(Error::Invalid);
        }
        let initializer = match config.initializer {
            Some((name, argument)) => {
                let argument = heapless::Vec::from_slice(argument).map_err(|()| Error::MessageTooLarge)?;
                Some((record::pack(name)?, argument))
            }
            None => None,
        };
        let tasks = region.create_queue(&names.tasks, &config.queue()?)?;
        let table = Table::format(region.create_raw_array(&names.table, words)?, shape, config.retries)?;
        let done = region.create_event(&names.done)?;
        let mut pool = Pool {
            region,
            tasks,
            table,
            done,
            start,
            name: record::pack(name)?,
            timeout_ns: config.timeout_ns,
            tasks_per_worker: config.tasks_per_worker,
            initializer,
            workers: [const { None }; MAX_WORKERS],
            failures: 0,
            next_id: 1,
            outstanding: 0,
            next_slot: 0,
            tended_ns: 0,
            result: Scratch::new(shape.result_bytes as usize)?,
            task: Scratch::new(tasks.max_message_bytes())?,
        };
        pool.tend()?;
        Ok(pool)
    }

    /// Gives the workers a task. Does not wait: `WouldBlock` if as many are under way as there are slots, so collect a
    /// result first ([`Pool::next`]). Other errors: `MessageTooLarge`; `Closed`; `Broken`: no worker gets through its
    /// initializer; `Invalid`: the function's name.
    pub fn submit(&mut self, function: &str, task: &[u8]) -> Result<TaskId> {
        let function = record::pack(function)?;
        self.put(function, 0, 0, |to| {
            to.get_mut(..task.len())?.copy_from_slice(task);
            Some(task.len())
        })
    }

    /// `fill` writes the task and says how long it is, or that it is too long.
    fn put(
        &mut self,
        function: Name,
        flags: u32,
        items: u64,
        fill: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Result<TaskId> {
        if self.table.phase() != OPEN {
            return Err(Error::Closed);
        }
        if self.is_broken() {
            return Err(Error::Broken);
        }
        let id = self.next_id;
        let slot = self.free_slot(id)?;
        let most = self.table.shape.task_bytes as usize;
        let message = self.task.bytes();
        let len = fill(&mut message[TASK_BYTES..TASK_BYTES + most]).ok_or(Error::MessageTooLarge)?;
        message[..TASK_BYTES].copy_from_slice(&Task { id, slot, flags, function }.pack());
        self.table.set_items(slot, items)?;
        self.table.set_stamp(slot, Stamp { id, attempt: 0, worker: 0, state: State::Pending })?;
        self.next_id = (id + 1) & ((1 << 40) - 1);
        // There is room as soon as places of the dead are free again: with workers alive that is soon.
        while let Err(error) =
            self.tasks.push_timeout(&self.task.bytes()[..TASK_BYTES + len], self.tasks.tick_ns())
        {
            if error != Error::TimedOut || self.is_broken() {
                self.table.set_stamp(slot, Stamp { id, attempt: 0, worker: 0, state: State::Free })?;
                return Err(error);
            }
            self.tend()?;
        }
        self.outstanding += 1;
        self.table.add(Count::Submitted, 1);
        Ok(TaskId(id))
    }

    /// The one that the id would like best, or any other.
    fn free_slot(&mut self, id: u64) -> Result<u32> {
        let slots = self.table.shape.slots;
        if self.outstanding >= slots {
            return Err(Error::WouldBlock);
        }
        let first = (id % u64::from(slots)) as u32;
        let mut all = (first..slots).chain(0..first);
        all.find(|slot| self.table.stamp(*slot).is_ok_and(|stamp| stamp.state == State::Free))
            .ok_or(Error::WouldBlock)
    }

    fn slot_of(&self, id: TaskId) -> Result<(u32, Stamp)> {
        let slots = self.table.shape.slots;
        let first = (id.0 % u64::from(slots)) as u32;
        for slot in (first..slots).chain(0..first) {
            let stamp = self.table.stamp(slot)?;
            if stamp.id == id.0 && stamp.state != State::Free {
                return Ok((slot, stamp));
            }
        }
        Err(Error::NotFound)
    }

    /// Waits until that task has ended, and collects its report. Errors: `NotFound`: it was collected, or there was none;
    /// `TimedOut` (0 polls: `WouldBlock`); `Broken`, as [`Pool::submit`].
    pub fn wait(&mut self, id: TaskId, timeout_ns: u64) -> Result<Report<'_>> {
        let (slot, _) = self.slot_of(id)?;
        self.until(timeout_ns, |pool| {
            let stamp = pool.table.stamp(slot)?;
            if stamp.id != id.0 {
                return Err(Error::BadRegion);
            }
            Ok(stamp.state.is_over().then_some(slot))
        })
        .and_then(|slot| self.collect(slot))
    }

    /// Waits until any task has ended, and collects its report. Errors: `NotFound`: none is under way; else as
    /// [`Pool::wait`].
    pub fn next(&mut self, timeout_ns: u64) -> Result<(TaskId, Report<'_>)> {
        let slot = self.next_over(timeout_ns, |_| true)?;
        let id = TaskId(self.table.stamp(slot)?.id);
        Ok((id, self.collect(slot)?))
    }

    /// The slot of an ended task that is wanted.
    fn next_over(&mut self, timeout_ns: u64, wanted: impl Fn(u64) -> bool) -> Result<u32> {
        self.until(timeout_ns, |pool| {
            if pool.outstanding == 0 {
                return Err(Error::NotFound);
            }
            let (first, slots) = (pool.next_slot, pool.table.shape.slots);
            let mut all = (first..slots).chain(0..first);
            let found = all.find(|slot| {
                pool.table.stamp(*slot).is_ok_and(|stamp| stamp.state.is_over() && wanted(stamp.id))
            });
            if let Some(slot) = found {
                pool.next_slot = (slot + 1) % slots;
            }
            Ok(found)
        })
    }

    /// Submits, waits, and reports: Python's `apply`.
    pub fn apply(&mut self, function: &str, task: &[u8], timeout_ns: u64) -> Result<Report<'_>> {
        let id = self.submit(function, task)?;
        self.wait(id, timeout_ns)
    }

    /// Looks, tends the workers, sleeps, looks again.
    fn until<T>(
        &mut self,
        timeout_ns: u64,
        mut look: impl FnMut(&mut Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let deadline = Deadline::after(Linux, timeout_ns);
        loop {
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            if self.is_broken() {
                return Err(Error::Broken);
            }
            self.tend_now_and_then()?;
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
            let tick = deadline.or_tick(Linux, self.tasks.tick_ns()).0;
            let _ = self.done.wait_timeout(tick.saturating_sub(Linux.now_ns()));
        }
    }

    /// Reports, and frees the slot.
    fn collect(&mut self, slot: u32) -> Result<Report<'_>> {
        let stamp = self.table.stamp(slot)?;
        let (code, len) = self.table.result(slot)?;
        let most = self.table.shape.result_bytes as usize;
        let held = usize::try_from(len).unwrap_or(usize::MAX).min(most);
        let held = if code == TOO_LARGE { 0 } else { held };
        if stamp.state == State::Done {
            self.table.copy_result(slot, &mut self.result.bytes()[..held])?;
        }
        self.table.set_stamp(slot, Stamp { state: State::Free, ..stamp })?;
        self.outstanding = self.outstanding.saturating_sub(1);
        let outcome = match stamp.state {
            State::Done => Outcome::of(code, len, &self.result.bytes()[..held]),
            State::TimedOut => Outcome::TimedOut,
            State::Cancelled => Outcome::Cancelled,
            _ => Outcome::Died,
        };
        Ok(Report { attempt: stamp.attempt, outcome })
    }

    /// No more tasks. Workers end when those that there are have ended. See [`Pool::join`].
    pub fn close(&mut self) {
        self.table.set_phase(CLOSED);
        self.tasks.close();
    }

    /// Waits until all tasks have ended, and all workers. Reports can be collected afterwards. Errors: `Busy`: it is not
    /// closed; `TimedOut`; `Broken`.
    pub fn join(&mut self, timeout_ns: u64) -> Result<()> {
        if self.table.phase() == OPEN {
            return Err(Error::Busy);
        }
        self.until(timeout_ns, |pool| {
            pool.tend()?;
            Ok((pool.workers.iter().all(Option::is_none) && !pool.is_unfinished()).then_some(()))
        })
    }

    /// Kills all workers, and waits for their ends. What had not ended is lost; reports of what had can be collected.
    pub fn terminate(&mut self) {
        self.table.set_phase(TERMINATED);
        self.tasks.close();
        for worker in self.workers.iter_mut() {
            if let Some(process) = worker.take() {
                tend::end(process);
            }
        }
        self.region.recover(crate::member::Depth::Marked);
        let _ = self.drain_unfinished();
    }
}

impl<S> Drop for Pool<'_, S>
where
    S: FnMut(&[u8]) -> Result<Process>,
{
    fn drop(&mut self) {
        self.terminate();
    }
}
