//! Two pinned threads that start together, and how far their processors are from each other.

use std::{
    hint::spin_loop,
    mem,
    sync::{
        Barrier,
        atomic::{AtomicU32, AtomicU64, Ordering::*},
    },
    time::Instant,
};

/// A burst that takes longer has hung: SIGALRM ends the program.
const HUNG_AFTER_SECONDS: u32 = 60;
/// Round trips of a line in one look at the distance, and of how many looks the shortest is taken: a look
/// during which somebody else had the processor says nothing.
const TRIPS: u64 = 300;
const LOOKS: usize = 5;

/// The least real-time priority: ahead of all that has none.
const PRIORITY: i32 = 1;

/// The processors of the main thread, which receives and times, and of the other, which sends.
#[derive(Clone, Copy, Debug)]
pub struct Duo {
    pub here: usize,
    pub there: usize,
    /// Ask for a real-time priority while it runs.
    pub realtime: bool,
}

/// What a race says: what its timed side says, and how often either side lost its processor to somebody else.
#[derive(Clone, Copy, Debug)]
pub struct Raced {
    pub ns: f64,
    pub preempted: i64,
}

/// Where both meet before they start.
pub struct Start(AtomicU32);

impl Start {
    pub fn wait(&self) {
        self.0.fetch_add(1, AcqRel);
        while self.0.load(Acquire) < 2 {
            spin_loop();
        }
    }
}

fn pin(cpu: usize) {
    // SAFETY: zeros are an empty set; `cpu` is one that the kernel told us of; this thread only.
    unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        assert_eq!(libc::sched_setaffinity(0, size_of_val(&set), &set), 0, "cannot run on processor {cpu}");
    }
}

/// Real-time or ordinary from now on, this thread only.
fn set_realtime(on: bool) {
    let param = libc::sched_param { sched_priority: if on { PRIORITY } else { 0 } };
    let policy = if on { libc::SCHED_FIFO } else { libc::SCHED_OTHER };
    // SAFETY: this thread, a valid parameter.
    let done = unsafe { libc::sched_setscheduler(0, policy, &param) };
    assert_eq!(done, 0, "--realtime needs the right to it (CAP_SYS_NICE)");
}

/// How often the calling thread lost its processor without asking.
fn preempted() -> i64 {
    // SAFETY: zeros are valid, and the kernel fills them.
    unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_THREAD, &mut usage), 0);
        usage.ru_nivcsw
    }
}

impl Duo {
    /// The first and the last processor that we may use; with only one there is nothing to measure.
    pub fn allowed() -> Result<Duo, String> {
        // SAFETY: zeros are an empty set, and the kernel fills it.
        let set = unsafe {
            let mut set: libc::cpu_set_t = mem::zeroed();
            assert_eq!(libc::sched_getaffinity(0, size_of_val(&set), &mut set), 0);
            set
        };
        // SAFETY: below the set's size.
        let mut cpus = (0..libc::CPU_SETSIZE as usize).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) });
        match (cpus.next(), cpus.next_back()) {
            (Some(here), Some(there)) => Ok(Duo { here, there, realtime: false }),
            _ => Err("two processors are needed".into()),
        }
    }

    /// Pins the calling thread, which must be the one that calls [`Duo::race`].
    pub fn pin_here(self) {
        pin(self.here);
    }

    /// Runs `there` in a thread of its own and `here` in this one, which says how long it took.
    pub fn race(self, there: impl FnOnce(&Start) + Send, here: impl FnOnce(&Start) -> f64) -> Raced {
        // SAFETY: only sets a timer.
        unsafe { libc::alarm(HUNG_AFTER_SECONDS) };
        let (start, in_place, taken) = (Start(AtomicU32::new(0)), Barrier::new(2), Instant::now());
        let raced = std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                pin(self.there);
                in_place.wait(); // it began on our processor, which we take for ourselves now
                self.counting(|| there(&start)).1
            });
            in_place.wait();
            let (ns, preempted) = self.counting(|| here(&start));
            Raced { ns, preempted: preempted + other.join().expect("every message is right") }
        });
        if self.realtime {
            // Whoever else lives here gets as much as we took.
            std::thread::sleep(taken.elapsed());
        }
        raced
    }

    /// Runs one side, and counts how often it lost its processor.
    fn counting<T>(self, side: impl FnOnce() -> T) -> (T, i64) {
        if self.realtime {
            set_realtime(true);
        }
        let before = preempted();
        let result = side();
        let lost = preempted() - before;
        if self.realtime {
            set_realtime(false);
        }
        (result, lost)
    }

    /// A cache line's round trip between the two, in nanoseconds.
    pub fn distance(self) -> f64 {
        #[repr(align(128))]
        struct Line(AtomicU64);
        let line = Line(AtomicU64::new(0));
        let pass = |i: u64, odd: u64| {
            while line.0.load(Acquire) != 2 * i + odd {
                spin_loop();
            }
            line.0.store(2 * i + odd + 1, Release);
        };
        self.race(
            |start| {
                start.wait();
                (0..TRIPS * LOOKS as u64).for_each(|i| pass(i, 1));
            },
            |start| {
                start.wait();
                let look = |n: usize| {
                    let n = n as u64;
                    nanoseconds_each(TRIPS, || (n * TRIPS..(n + 1) * TRIPS).for_each(|i| pass(i, 0)))
                };
                (0..LOOKS).map(look).fold(f64::INFINITY, f64::min)
            },
        )
        .ns
    }
}

/// How long each of the `n` things took that `f` does.
pub fn nanoseconds_each(n: u64, f: impl FnOnce()) -> f64 {
    let start = Instant::now();
    f();
    start.elapsed().as_nanos() as f64 / n as f64
}
