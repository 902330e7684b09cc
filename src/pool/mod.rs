//! A pool of worker processes that divide tasks among them: Python's `multiprocessing.Pool`, which goes on whoever of its
//! workers is killed.
//!
//! The parent submits tasks, each a function's name and bytes; workers, in any language, take them from a queue of the
//! region, and leave results in a table. Who dies with a task in hand leaves it to another worker, which says so in
//! the report; a task that has killed too many is reported as dead. The parent replaces dead workers while it waits.
//!
//! # Example
//! ```
//! use rialto::{FOREVER, Region, RegionConfig};
//! use rialto::pool::{Function, Outcome, Pool, PoolConfig, work};
//! use rialto::process::{Process, ProcessConfig};
//!
//! const FUNCTIONS: &[Function] = &[Function::new("length", &|task, result| {
//!     let _ = result.write(task.len().to_string().as_bytes());
//!     0
//! })];
//!
//! let region = Region::create_anonymous(1 << 20, &RegionConfig::default())?;
//! let mut pool = Pool::create(&region, "lengths", &PoolConfig::new(2), |told| {
//!     let config = ProcessConfig { args: told, daemon: true, ..Default::default() };
//!     // SAFETY: this example has a single thread. Programs with more spawn, or ask a fork server.
//!     unsafe { Process::fork(&config, |child| work(child.args(), &region, FUNCTIONS)) }
//! })?;
//!
//! assert_eq!(pool.apply("length", b"four", FOREVER)?.outcome, Outcome::Done(&b"4"[..]));
//! let mut all = Vec::new();
//! pool.map("length", ["one", "three"], 1, |_, report| all.push(report.done().unwrap()[0]))?;
//! assert_eq!(all, *b"35");
//! pool.close();
//! pool.join(FOREVER)?;
//! # Ok::<(), rialto::Error>(())
//! ```
//!
//! # Memory
//! Three objects of the region: the queue `NAME.tasks`, the raw array `NAME.table` (see `table`) and the event
//! `NAME.done`, set whenever a task has ended. What the parent keeps is private: a handle of fixed size, and
//! mappings as large as two tasks, a result, and 32 bytes for each slot.
//!
//! | file | what |
//! |---|---|
//! | `config`, `report` | what goes in, what comes out |
//! | `submit` | tasks, one at a time: [`Pool::submit`], [`Pool::wait`], [`Pool::next`], [`Pool::cancel`] |
//! | `walk`, `map` | many tasks of one function, in chunks: [`Pool::imap`], [`Pool::imap_unordered`]; [`Pool::map`] |
//! | `tend` | the parent's care for its workers |
//! | `held` | what the parent knows by itself |
//! | `table`, `record` | what is shared, and what is said |
//! | `worker`, `lifeline` | what a worker does: [`work`] |
//! | `progress` | what everybody can see: [`Progress`] |
//!
//! # Crash
//! Of a worker: see `table`. Of the parent: workers started as daemons are killed, others end within a tick of having
//! finished their task. The objects stay in the region; [`crate::Region::remove`] takes them out.
//!
//! # Hostile workers
//! They can make tasks fail, be lost ([`Outcome::Lost`]), or never end (then waits end by their timeouts), and have
//! each other killed. The parent signals nobody but its own workers, and calls back for its own items only, each once.
//!
//! # Limits
//! - 64 workers, 32768 tasks under way (submitted, and their report not collected), 64 MiB for a task or a result.
//! - One parent; its `Pool` is used by one thread at a time, and in a forked child not at all.
//! - Without a timeout, a worker that is stopped, or loops, keeps its task; a function that ends neither by
//!   itself nor by signals (stuck in the kernel) keeps who wants to kill it.
//! - A function that closes descriptors it has not opened takes its worker's lifeline: that one ends after the
//!   task, and is replaced.
//!
//! # Checked by
//! `tests/pool.rs`; the unit tests of `held` and `record`; `ffi-tests/c/pool.c`.

mod config;
mod held;
mod lifeline;
mod map;
mod progress;
mod record;
mod report;
pub(crate) mod scratch;
mod submit;
mod table;
mod tend;
mod walk;
mod worker;

pub use config::PoolConfig;
pub use progress::{Progress, WorkerState};
pub use record::MAX_INITIALIZER_BYTES;
pub use report::{Outcome, Report, TaskId};
pub use table::{MAX_BYTES, MAX_SLOTS, MAX_WORKERS};
pub use walk::{Imap, ImapUnordered};
pub use worker::{Function, Output, work};
#[cfg(feature = "capi")]
pub(crate) use worker::{Functions, work_with};

use crate::{
    error::{Error, Result},
    event::Event,
    member::Depth,
    process::{Process, getpid},
    queue::Queue,
    region::Region,
    time::TICK_NS,
};
use config::Names;
use held::Held;
use record::Name;
use scratch::Scratch;
use table::{CLOSED, OPEN, TERMINATED, Table};

/// What starts a worker: see [`Pool::create`]. Every `FnMut(&[u8]) -> Result<Process>` is one.
pub trait Start {
    /// Starts a process whose entry calls [`work`] with `told`.
    fn start(&mut self, told: &[u8]) -> Result<Process>;
}

impl<F: FnMut(&[u8]) -> Result<Process>> Start for F {
    fn start(&mut self, told: &[u8]) -> Result<Process> {
        self(told)
    }
}

/// How often those who wait look around, in nanoseconds: the region's tick, if that is not longer than usual.
fn tick(tasks: &Queue<'_, Region>) -> u64 {
    tasks.tick_ns().min(TICK_NS)
}

/// The parent's handle. Dropped, the pool is terminated.
pub struct Pool<'r, S: Start> {
    region: &'r Region,
    tasks: Queue<'r, Region>,
    table: Table<'r>,
    done: &'r Event,
    start: S,
    name: Name,
    /// The process whose it is.
    owner: i32,
    timeout_ns: u64,
    tasks_per_worker: u32,
    initializer: Option<(Name, heapless::Vec<u8, MAX_INITIALIZER_BYTES>)>,
    workers: [Option<Process>; MAX_WORKERS],
    /// Workers that got through their start, a bit each.
    ready: u64,
    /// Workers in a row that ended before they were ready: see `tend`.
    failures: u32,
    /// The last start that failed, until one works; and since when.
    start_error: Option<(Error, u64)>,
    /// How many workers had left by themselves.
    left: u64,
    serial: u64,
    held: Held,
    tended_ns: u64,
    /// The report that was collected last.
    result: Scratch,
    /// The task that is being submitted.
    task: Scratch,
    /// One that has killed too many.
    poisoned: Scratch,
}

impl<'r, S> Pool<'r, S>
where
    S: FnMut(&[u8]) -> Result<Process>,
{
    /// Creates the pool's objects in the region, under a name of 1 to 24 bytes, and starts its workers. `start` starts a
    /// process with the arguments that it is given, whose entry calls [`work`]; it is called again for each worker that has
    /// to be replaced. Let it start daemons: then they end with the parent, whatever they are doing.
    ///
    /// Errors: those of creating objects, of `start`; `Invalid`; `MessageTooLarge` (the initializer's argument);
    /// `TooManyMembers`: the region ([`crate::RegionConfig::members`]) has not a place for each worker, and one for this
    /// thread. Nothing is left then.
    pub fn create(region: &'r Region, name: &str, config: &PoolConfig<'_>, start: S) -> Result<Self> {
        Self::create_with(region, name, config, start)
    }
}

impl<'r, S: Start> Pool<'r, S> {
    /// As [`Pool::create`], for those who have a `Start` of their own.
    pub fn create_with(region: &'r Region, name: &str, config: &PoolConfig<'_>, start: S) -> Result<Self> {
        let names = Names::of(name)?;
        let shape = config.shape();
        let words = shape.words()?;
        if config.retries > 20 {
            return Err(Error::Invalid);
        }
        if region.most_members() <= config.workers {
            return Err(Error::TooManyMembers);
        }
        let initializer = match config.initializer {
            Some((name, argument)) => {
                let argument = heapless::Vec::from_slice(argument).map_err(|()| Error::MessageTooLarge)?;
                Some((record::pack(name)?, argument))
            }
            None => None,
        };
        let queue = config.queue()?;
        let held = Held::new(shape.slots)?;
        let result = Scratch::new(shape.result_bytes as usize)?;
        let (task, poisoned) = (
            Scratch::new(queue.max_message_bytes as usize)?,
            Scratch::new(queue.max_message_bytes as usize)?,
        );

        let tasks = region.create_queue(&names.tasks, &queue)?;
        let table = region
            .create_raw_array(&names.table, words)
            .and_then(|words| Table::format(words, shape, config.retries))
            .inspect_err(|_| remove(region, &[&names.tasks]))?;
        let done = region
            .create_event(&names.done)
            .inspect_err(|_| remove(region, &[&names.table, &names.tasks]))?;
        let mut pool = Pool {
            region,
            tasks,
            table,
            done,
            start,
            name: record::pack(name)?,
            owner: getpid(),
            timeout_ns: config.timeout_ns,
            tasks_per_worker: config.tasks_per_worker,
            initializer,
            workers: [const { None }; MAX_WORKERS],
            ready: 0,
            failures: 0,
            start_error: None,
            left: 0,
            serial: 1,
            held,
            tended_ns: 0,
            result,
            task,
            poisoned,
        };
        if let Err(error) = pool.tend() {
            let _ = pool.remove();
            return Err(error);
        }
        Ok(pool)
    }

    /// No more tasks. Workers end when those that there are have ended. See [`Pool::join`].
    pub fn close(&mut self) {
        if self.is_mine() && self.table.phase() == OPEN {
            self.table.set_phase(CLOSED);
            self.tasks.close();
        }
    }

    /// Waits until all tasks have ended, and all workers; dead ones are replaced meanwhile, as long as there is something
    /// to do. Reports can be collected afterwards. Errors: `Busy`: it is not closed; `TimedOut`, `WouldBlock` (0); `Broken`.
    pub fn join(&mut self, timeout_ns: u64) -> Result<()> {
        if self.table.phase() == OPEN {
            return Err(Error::Busy);
        }
        self.until(timeout_ns, |pool| {
            pool.bury();
            Ok((pool.workers.iter().all(Option::is_none) && pool.unfinished() == 0).then_some(()))
        })
    }

    /// Kills all workers, and waits for their ends. What had not ended is [`Outcome::Cancelled`]; all reports can be
    /// collected afterwards.
    pub fn terminate(&mut self) {
        if !self.is_mine() {
            return;
        }
        self.table.set_phase(TERMINATED);
        self.tasks.close();
        for worker in self.workers.iter().flatten() {
            let _ = worker.kill();
        }
        for worker in self.workers.iter_mut() {
            if let Some(process) = worker.take() {
                tend::end(process);
            }
        }
        self.region.recover(Depth::Marked);
        self.cancel_unfinished();
    }

    /// Terminates the pool, and removes its objects from the region, so that their space and the name are free again. See
    /// [`Region::remove`]. Errors: `Busy`: another process has them open; they stay, and can be removed one by one.
    pub fn remove(mut self) -> Result<()> {
        if !self.is_mine() {
            return Err(Error::NotOwner);
        }
        self.terminate();
        let names = Names::of(record::unpack(&self.name))?;
        let region = self.region;
        drop(self);
        region.remove(&names.done)?;
        region.remove(&names.table)?;
        region.remove(&names.tasks)
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        Progress::of(self.table)
    }

    /// The workers' process ids, by index; 0 where there is none just now.
    pub fn pids(&self) -> [i32; MAX_WORKERS] {
        core::array::from_fn(|index| self.workers[index].as_ref().map_or(0, Process::pid))
    }

    /// Not a forked child's, which has a copy.
    pub(crate) fn is_mine(&self) -> bool {
        self.owner == getpid()
    }
}

fn remove(region: &Region, names: &[&str]) {
    for name in names {
        let _ = region.remove(name);
    }
}

impl<S: Start> Drop for Pool<'_, S> {
    fn drop(&mut self) {
        self.terminate();
    }
}
