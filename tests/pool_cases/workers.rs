//! What workers do, and other children of the cases.

use super::{COUNTERS, MS, Place, Way, sleep_ms};
use rialto::{
    Region,
    pool::{Function, Output, Pool, PoolConfig, Progress, work},
    process::{Child, Entry},
};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub static ENTRIES: [Entry; 8] = [
    Entry { name: "worker", run: worker },
    Entry { name: "mortal", run: mortal },
    Entry { name: "exits", run: |_| 0 },
    // SAFETY: a signal to itself.
    Entry { name: "killed", run: |_| unsafe { libc::raise(libc::SIGKILL) } },
    Entry { name: "parent", run: parent },
    Entry { name: "onlooker", run: onlooker },
    Entry { name: "late", run: late },
    Entry { name: "late parent", run: late_parent },
];

/// What the initializer was given, 0 before.
static INITIAL: AtomicU64 = AtomicU64::new(0);

fn worker(child: &Child) -> i32 {
    let region = Region::attach_fd(child.fds()[0]).unwrap();
    let counters = region.open_raw_array::<u64>("counters").unwrap();
    let count = |task: &[u8]| counters.fetch_add(number(task) % COUNTERS, 1).unwrap();
    // The counter that the task names: how often it was begun.
    let count_it = |task: &[u8], result: &mut Output<'_>| {
        count(task);
        spin(100_000);
        result.write(&answer(task)).map_or(1, |()| 0)
    };
    let dies = |task: &[u8], _: &mut Output<'_>| {
        count(task);
        die()
    };
    let dies_twice = |task: &[u8], result: &mut Output<'_>| {
        if count(task) < 2 { die() } else { double(task, result) }
    };
    let counts_and_hangs = |task: &[u8], result: &mut Output<'_>| {
        count(task);
        hangs(task, result)
    };
    // Half a second, at least.
    let counts_and_sleeps = |task: &[u8], result: &mut Output<'_>| {
        count(task);
        sleep_ms(u64::from(number(task)).max(500));
        double(task, result)
    };
    let exits = |task: &[u8], _: &mut Output<'_>| {
        count(task);
        std::process::exit(0)
    };
    let functions = [
        Function::new("double", &double),
        Function::new("count", &count_it),
        Function::new("dies", &dies),
        Function::new("dies twice", &dies_twice),
        Function::new("exits", &exits),
        Function::new("hangs", &counts_and_hangs),
        Function::new("counts and sleeps", &counts_and_sleeps),
        Function::new("stops", &stops),
        Function::new("raises", &raises),
        Function::new("panics", &|_, _| panic!("no {}", 1)),
        Function::new("much", &much),
        Function::new("closes", &closes),
        Function::new("sleep", &sleep),
        Function::new("pid", &|_, result| result.write(&std::process::id().to_le_bytes()).map_or(1, |()| 0)),
        Function::new("initialize", &initialize),
        Function::new("initial", &initial),
        Function::new("fails", &|_, _| 3),
    ];
    work(child.args(), &region, &functions)
}

/// A worker that is killed some time within its first 0.3 s, wherever it is then: of three, one each 50 ms.
fn mortal(child: &Child) -> i32 {
    let mut random = 0u64;
    // SAFETY: room for what is asked for; a timer of our own.
    unsafe {
        libc::getrandom((&raw mut random).cast(), 8, 0);
        let mut event: libc::sigevent = std::mem::zeroed();
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = libc::SIGKILL;
        let mut timer: libc::timer_t = std::mem::zeroed();
        assert_eq!(libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer), 0);
        let mut when: libc::itimerspec = std::mem::zeroed();
        when.it_value.tv_nsec = (random % (300 * MS)) as i64 + 1;
        assert_eq!(libc::timer_settime(timer, 0, &raw const when, std::ptr::null_mut()), 0);
    }
    worker(child)
}

/// The number that a task begins with.
fn number(task: &[u8]) -> u32 {
    task.get(..4).map_or(0, |bytes| u32::from_le_bytes(bytes.try_into().unwrap()))
}

/// What "count" answers, here and there.
pub fn answer(task: &[u8]) -> Vec<u8> {
    let sum = task
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    [task, &sum.to_le_bytes()].concat()
}

fn spin(ns: u64) {
    let begin = std::time::Instant::now();
    while (begin.elapsed().as_nanos() as u64) < ns {
        std::hint::spin_loop();
    }
}

fn die() -> ! {
    // SAFETY: ends this process, which is a worker.
    unsafe { libc::raise(libc::SIGKILL) };
    unreachable!()
}

fn double(task: &[u8], result: &mut Output<'_>) -> i32 {
    i32::from(result.write(task).and_then(|()| result.write(task)).is_err())
}

fn hangs(_: &[u8], _: &mut Output<'_>) -> i32 {
    loop {
        sleep_ms(1000);
    }
}

fn stops(_: &[u8], _: &mut Output<'_>) -> i32 {
    // SAFETY: this process, which is a worker.
    unsafe { libc::raise(libc::SIGSTOP) };
    0
}

fn raises(_: &[u8], result: &mut Output<'_>) -> i32 {
    result.write(b"why").unwrap();
    -7
}

/// As many bytes as it is told.
fn much(task: &[u8], result: &mut Output<'_>) -> i32 {
    for _ in 0..number(task) {
        let _ = result.write(&[1]);
    }
    0
}

fn closes(task: &[u8], result: &mut Output<'_>) -> i32 {
    for fd in 0..1000 {
        // SAFETY: a worker that does not care.
        unsafe { libc::close(fd) };
    }
    double(task, result)
}

fn sleep(task: &[u8], result: &mut Output<'_>) -> i32 {
    sleep_ms(number(task).into());
    double(task, result)
}

fn initialize(argument: &[u8], _: &mut Output<'_>) -> i32 {
    INITIAL.fetch_add(number(argument).into(), Relaxed);
    0
}

fn initial(_: &[u8], result: &mut Output<'_>) -> i32 {
    result.write(&INITIAL.load(Relaxed).to_le_bytes()).map_or(1, |()| 0)
}

/// Has a pool of its own in the region that it is given, with a task for each but one of its three workers, and waits. Told: the
/// way, and whether its workers are daemons.
fn parent(child: &Child) -> i32 {
    let (way, daemons) = match child.args() {
        [way, daemons] => (super::WAYS[usize::from(*way)], *daemons != 0),
        _ => (Way::Fork, true),
    };
    let region = Region::attach_fd(child.fds()[0]).unwrap();
    let place = Place { daemons, ..Place::over(region, child.fds()[0], way) };
    let mut pool = crate::pool!(place, 3);
    if daemons {
        pool.submit("hangs", b"").unwrap();
        pool.submit("stops", b"").unwrap();
    }
    loop {
        pool.tend().unwrap();
        sleep_ms(10);
    }
}

/// A worker that says that it is there in counter 1, and begins when counter 0 says so.
fn late(child: &Child) -> i32 {
    let region = Region::attach_fd(child.fds()[0]).unwrap();
    let counters = region.open_raw_array::<u64>("counters").unwrap();
    counters.set(1, std::process::id().into()).unwrap();
    while counters.get(0).unwrap() == 0 {
        sleep_ms(1);
    }
    worker(child)
}

/// Has a pool of one of these, that outlives it.
fn late_parent(child: &Child) -> i32 {
    let region = Region::attach_fd(child.fds()[0]).unwrap();
    let place = Place { daemons: false, ..Place::over(region, child.fds()[0], Way::Fork) };
    let config = PoolConfig::new(1);
    let _pool = Pool::create(&place.region, "pool", &config, place.starter("late")).unwrap();
    loop {
        sleep_ms(1000);
    }
}

/// Another process that looks how far the pool is: until three tasks have ended and one is being worked on.
fn onlooker(child: &Child) -> i32 {
    let region = Region::attach_fd(child.fds()[0]).unwrap();
    for _ in 0..30_000 {
        let progress = Progress::read(&region, "pool").unwrap();
        let busy = progress.workers.iter().filter(|worker| worker.is_busy && worker.pid != 0).count();
        let done: u64 = progress.workers.iter().map(|worker| worker.done).sum();
        if (progress.submitted, progress.ended, progress.pending, progress.running) == (4, 3, 0, 1)
            && (busy, done, progress.worker_count) == (1, 3, 2)
        {
            return 0;
        }
        sleep_ms(1);
    }
    1
}
