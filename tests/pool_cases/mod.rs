//! The cases, and what they share.

mod ends;
mod hostile;
mod many;
mod outcomes;
mod room;
mod starts;
mod storms;
mod tasks;
pub mod workers;

pub use crate::cases::{Case, WAYS, Way, case, no_children, sleep_ms};
use crate::cases::{Starter, starter};
use rialto::{
    FOREVER, Region, RegionConfig, Result,
    pool::{Pool, PoolConfig, Report},
    process::{Process, ProcessConfig},
};
use std::cell::Cell;

pub const SECOND: u64 = 1_000_000_000;
pub const MS: u64 = 1_000_000;
/// Nothing here takes longer, on the busiest machine; storms have their own length besides.
pub const WATCHDOG_SECONDS: u32 = 180;
/// So many counters, see `workers`.
pub const COUNTERS: u32 = 4096;

/// A region with counters, and a way to start workers.
pub struct Place {
    pub region: Region,
    fd: i32,
    starter: Starter,
    /// Whether workers die with the parent.
    pub daemons: bool,
    /// How many were started.
    pub starts: Cell<u32>,
}

impl Place {
    pub fn new(way: Way) -> Place {
        Place::of(&RegionConfig::default(), way)
    }

    pub fn of(config: &RegionConfig, way: Way) -> Place {
        let region = Region::create_memfd(1 << 22, config).expect("a region");
        let fd = region.fd().expect("of the region");
        Place::over(region, fd, way)
    }

    pub fn over(region: Region, fd: i32, way: Way) -> Place {
        if region.open_raw_array::<u64>("counters").is_err() {
            region.create_raw_array::<u64>("counters", COUNTERS).expect("counters");
        }
        Place { region, fd, starter: starter(way), daemons: true, starts: Cell::new(0) }
    }

    pub fn start(&self, entry: &str, args: &[u8]) -> Result<Process> {
        self.starts.set(self.starts.get() + 1);
        let fds = [self.fd];
        let config = ProcessConfig { args, fds: &fds, daemon: self.daemons, ..ProcessConfig::default() };
        Process::start(self.starter.method(), entry, &config)
    }

    /// What [`Pool::create`] wants.
    pub fn starter<'p>(&'p self, entry: &'static str) -> impl FnMut(&[u8]) -> Result<Process> + use<'p> {
        move |told| self.start(entry, told)
    }

    pub fn counter(&self, index: u32) -> u64 {
        self.region.open_raw_array::<u64>("counters").unwrap().get(index).unwrap()
    }

    pub fn clear_counters(&self) {
        let counters = self.region.open_raw_array::<u64>("counters").unwrap();
        (0..COUNTERS).for_each(|i| counters.set(i, 0).unwrap());
    }
}

/// A pool of ordinary workers.
#[macro_export]
macro_rules! pool {
    ($place:expr, $workers:expr $(, $field:ident: $value:expr)*) => {
        rialto::pool::Pool::create(
            &$place.region,
            "pool",
            &rialto::pool::PoolConfig { $($field: $value,)* ..rialto::pool::PoolConfig::new($workers) },
            $place.starter("worker"),
        )
        .expect("a pool")
    };
}

/// One task, whatever it takes.
pub fn apply<S: FnMut(&[u8]) -> Result<Process>>(
    pool: &mut Pool<'_, S>,
    function: &str,
    task: impl AsRef<[u8]>,
) -> Report<Vec<u8>> {
    pool.apply(function, task.as_ref(), FOREVER).expect("a report").to_vec()
}

/// The ordinary configuration, for those who start something else.
pub fn config() -> PoolConfig<'static> {
    PoolConfig::new(3)
}

/// How many descriptors we have.
pub fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("/proc").count()
}

pub fn run() {
    let mut cases = vec![];
    for way in WAYS {
        cases.extend(outcomes::cases(way));
        cases.extend(tasks::cases(way));
        cases.extend(many::cases(way));
        cases.extend(ends::cases(way));
        cases.extend(storms::cases(way));
    }
    cases.extend(starts::cases());
    cases.extend(room::cases());
    cases.extend(hostile::cases());
    crate::cases::run("pool", &cases, WATCHDOG_SECONDS + storms::seconds() as u32);
}
