//! How a pool is made, and what its objects are called.

use super::{record::TASK_BYTES, table::Shape};
use crate::{
    error::{Error, Result},
    queue::{OnDeath, QueueConfig},
    time::FOREVER,
};

/// How a pool is made. [`PoolConfig::new`], then change what you like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolConfig<'c> {
    /// 1 to 64. Each is a member of the region, and so is the parent.
    pub workers: u32,
    /// Tasks under way at a time, those counted whose report waits to be collected. 1 to 32768.
    pub slots: u32,
    /// Longest task; of a chunk of items: 4 bytes for each besides. Up to 64 MiB.
    pub max_task_bytes: u32,
    /// Longest result; of a chunk: 16 bytes for each item besides. Up to 64 MiB.
    pub max_result_bytes: u32,
    /// How often a task is begun again after the death of the worker that had it. Then it is
    /// [`super::Outcome::Died`]. 0: at the first death; at most 20.
    pub retries: u8,
    /// How long a task may take, in nanoseconds, from when a worker has begun it; then the worker is killed, and the
    /// task is [`super::Outcome::TimedOut`]. Workers that were stopped between tasks are killed as well, after
    /// 2 s at least. Looked at while the parent waits, each half tick. [`FOREVER`]: as long as it likes; 0 is no such word,
    /// but too short for any.
    pub timeout_ns: u64,
    /// A worker that has done so many tasks (chunks count as one) is replaced. 0: none is.
    pub tasks_per_worker: u32,
    /// A function that each worker calls first, however long that takes, and its argument, of at most
    /// [`super::MAX_INITIALIZER_BYTES`]. If worker after worker does not get through it, the pool is broken: `2 * workers + 4` in
    /// a row, or 32 times as many that were killed by SIGKILL meanwhile.
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

    pub(super) fn shape(&self) -> Shape {
        Shape {
            workers: self.workers,
            slots: self.slots,
            task_bytes: self.max_task_bytes,
            result_bytes: self.max_result_bytes,
        }
    }

    /// Of the queue. Twice the slots, because a place that a dead worker had may stay void for a lap.
    pub(super) fn queue(&self) -> Result<QueueConfig> {
        let bytes = self.max_task_bytes.checked_add(TASK_BYTES as u32).ok_or(Error::Invalid)?;
        let slots = self.slots.saturating_mul(2).checked_next_power_of_two().ok_or(Error::Invalid)?;
        Ok(QueueConfig { on_death: OnDeath::Redeliver, max_attempts: 30, ..QueueConfig::new(slots, bytes) })
    }

    /// How many bytes its objects need in a region, at most; the region's own bookkeeping not counted.
    /// Errors: `Invalid`, `NoSpace`.
    pub fn bytes(&self) -> Result<u64> {
        let table = u64::from(self.shape().words()?) * 8 + 256;
        Ok(table + self.queue()?.layout()?.size + 1024)
    }
}

/// What the three objects are called.
pub(super) struct Names {
    pub tasks: heapless::String<31>,
    pub table: heapless::String<31>,
    pub done: heapless::String<31>,
}

impl Names {
    /// Errors: `Invalid`: the name is longer than 24 bytes, or empty.
    pub fn of(pool: &str) -> Result<Names> {
        let with = |end: &str| -> Result<heapless::String<31>> {
            let mut name = heapless::String::new();
            name.push_str(pool).and_then(|()| name.push_str(end)).map_err(|_| Error::Invalid)?;
            if pool.is_empty() || pool.len() > 24 { Err(Error::Invalid) } else { Ok(name) }
        };
        Ok(Names { tasks: with(".tasks")?, table: with(".table")?, done: with(".done")? })
    }
}
