//! Tasks per second: our pool, Python's `multiprocessing.Pool`, and a pool written by hand (fork, a pipe to each worker and
//! one from it), in turn, medians of the same run. `cargo bench --bench pool`.
//!
//! Two workers (or `WORKERS`); tasks that echo 0 or 64 bytes, or spin for 100 us; one by one and in chunks of 64. Workers
//! are started before the clock is.

use rialto::{
    Region, RegionConfig,
    pool::{Function, Output, Pool, PoolConfig, work},
    process::{Process, ProcessConfig},
};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    os::fd::{AsRawFd, FromRawFd},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

const ROUNDS: usize = 7;

/// Tasks, bytes of each, microseconds of each, items in a chunk.
#[derive(Clone, Copy)]
struct Job(usize, usize, u64, usize);

const JOBS: [(&str, Job); 6] = [
    ("empty, one by one", Job(5_000, 0, 0, 1)),
    ("empty, chunks of 64", Job(64_000, 0, 0, 64)),
    ("64 bytes, one by one", Job(5_000, 64, 0, 1)),
    ("64 bytes, chunks of 64", Job(64_000, 64, 0, 64)),
    ("100 us, one by one", Job(2_000, 0, 100, 1)),
    ("100 us, chunks of 64", Job(6_400, 0, 100, 64)),
];

fn spin(us: u64) {
    let begin = Instant::now();
    while us > 0 && begin.elapsed().as_micros() < us.into() {
        std::hint::spin_loop();
    }
}

fn echo(task: &[u8], output: &mut Output<'_>) -> i32 {
    output.write(task).map_or(1, |()| 0)
}

fn slow(task: &[u8], output: &mut Output<'_>) -> i32 {
    spin(100);
    echo(task, output)
}

/// Our pool: seconds for `map`, and for `imap_unordered`.
fn ours(pool: &mut Pool<'_, impl FnMut(&[u8]) -> rialto::Result<Process>>, job: Job) -> [f64; 2] {
    let Job(tasks, bytes, us, chunk) = job;
    let function = if us == 0 { "echo" } else { "slow" };
    let item = vec![7u8; bytes];
    let items = || std::iter::repeat_n(&item, tasks);
    let begin = Instant::now();
    let mut count = 0;
    pool.map(function, items(), chunk, |_, report| count += usize::from(report.done().is_ok())).unwrap();
    let mapped = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    let mut walk = pool.imap_unordered(function, items(), chunk).unwrap();
    while let Some((_, report)) = walk.next_timeout(rialto::FOREVER).unwrap() {
        count += usize::from(report.done().is_ok());
    }
    assert_eq!(count, 2 * tasks);
    [mapped, begin.elapsed().as_secs_f64()]
}

/// A worker of the pool by hand: gets chunks (count, bytes, microseconds, items), gives the items back.
struct ByHand {
    to: File,
    from: File,
    pid: i32,
}

fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: room for two, which are ours then.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1]))
    }
}

impl ByHand {
    fn start() -> ByHand {
        let ((mut task, to), (from, mut result)) = (pipe(), pipe());
        // SAFETY: a single thread.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0);
        if pid > 0 {
            return ByHand { to, from, pid };
        }
        drop((to, from));
        let mut head = [0; 12];
        while task.read_exact(&mut head).is_ok() {
            let [count, bytes, us] =
                [0, 4, 8].map(|at| u32::from_le_bytes(head[at..at + 4].try_into().unwrap()));
            let mut items = vec![0; (count * bytes) as usize];
            task.read_exact(&mut items).unwrap();
            (0..count).for_each(|_| spin(us.into()));
            result.write_all(&[&count.to_le_bytes()[..], &items].concat()).unwrap();
        }
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(0) }
    }

    fn send(&mut self, count: usize, job: Job) {
        let head = [count as u32, job.1 as u32, job.2 as u32].map(u32::to_le_bytes).concat();
        self.to.write_all(&[&head[..], &vec![7; count * job.1]].concat()).unwrap();
    }

    fn receive(&mut self, job: Job) -> usize {
        let mut count = [0; 4];
        self.from.read_exact(&mut count).unwrap();
        let count = u32::from_le_bytes(count) as usize;
        self.from.read_exact(&mut vec![0; count * job.1]).unwrap();
        count
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        // SAFETY: our child, which was not waited for.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}

/// Two chunks for each worker, then another one whenever one is done.
fn by_hand(workers: &mut [ByHand], job: Job) -> f64 {
    let Job(tasks, _, _, chunk) = job;
    let begin = Instant::now();
    let (mut left, mut done) = (tasks, 0);
    let mut send = |worker: &mut ByHand| {
        let count = chunk.min(left);
        left -= count;
        if count > 0 {
            worker.send(count, job);
        }
    };
    for _ in 0..2 {
        workers.iter_mut().for_each(&mut send);
    }
    let mut asked: Vec<_> = workers
        .iter()
        .map(|worker| libc::pollfd { fd: worker.from.as_raw_fd(), events: libc::POLLIN, revents: 0 })
        .collect();
    while done < tasks {
        // SAFETY: so many entries.
        unsafe { libc::poll(asked.as_mut_ptr(), asked.len() as u64, -1) };
        for (worker, asked) in workers.iter_mut().zip(&asked) {
            if asked.revents & libc::POLLIN != 0 {
                done += worker.receive(job);
                send(worker);
            }
        }
    }
    begin.elapsed().as_secs_f64()
}

const PYTHON: &str = r#"
import sys, time, multiprocessing
def echo(task): return task
def slow(task):
    end = time.perf_counter() + 100e-6
    while time.perf_counter() < end: pass
    return task
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    with multiprocessing.Pool(int(sys.argv[1])) as pool:
        pool.map(echo, [b""] * 100)
        for line in sys.stdin:
            tasks, size, us, chunk = map(int, line.split())
            items = [b"\7" * size] * tasks
            function = slow if us else echo
            begin = time.perf_counter()
            assert len(pool.map(function, items, chunk)) == tasks
            middle = time.perf_counter()
            assert sum(1 for _ in pool.imap_unordered(function, items, chunk)) == tasks
            print(middle - begin, time.perf_counter() - middle, flush=True)
"#;

struct Python(Child, ChildStdin, BufReader<ChildStdout>);

impl Python {
    fn start(workers: u32) -> Option<Python> {
        let mut command = Command::new("python3");
        command.args(["-c", PYTHON, &workers.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let (to, from) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Python(child, to, from))
    }

    fn run(&mut self, Job(tasks, bytes, us, chunk): Job) -> [f64; 2] {
        writeln!(self.1, "{tasks} {bytes} {us} {chunk}").unwrap();
        let mut line = String::new();
        self.2.read_line(&mut line).unwrap();
        let mut numbers = line.split_whitespace().map(|text| text.parse().expect("seconds"));
        [numbers.next().unwrap(), numbers.next().unwrap()]
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let workers = std::env::var("WORKERS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let functions = [Function::new("echo", &echo), Function::new("slow", &slow)];
    let region = Region::create_anonymous(8 << 20, &RegionConfig::default()).unwrap();
    let config = PoolConfig { max_task_bytes: 8192, max_result_bytes: 8192, ..PoolConfig::new(workers) };
    let mut pool = Pool::create(&region, "pool", &config, |told| {
        let config = ProcessConfig { args: told, daemon: true, ..ProcessConfig::default() };
        // SAFETY: a single thread.
        unsafe { Process::fork(&config, |child| work(child.args(), &region, &functions)) }
    })
    .unwrap();
    let mut hands: Vec<ByHand> = (0..workers).map(|_| ByHand::start()).collect();
    let mut python = Python::start(workers);
    if python.is_none() {
        println!("no python3 here: without it");
    }
    println!(
        "{workers} workers; thousands of tasks per second, and ours against the others (medians of {ROUNDS})"
    );
    for (name, job) in JOBS {
        let mut seconds: [Vec<f64>; 5] = Default::default();
        for _ in 0..ROUNDS {
            let [map, imap] = ours(&mut pool, job);
            let [python_map, python_imap] = python.as_mut().map_or([f64::NAN; 2], |python| python.run(job));
            for (to, from) in
                seconds.iter_mut().zip([map, imap, python_map, python_imap, by_hand(&mut hands, job)])
            {
                to.push(from);
            }
        }
        let ratio = |theirs: usize, ours: usize| {
            median(seconds[theirs].iter().zip(&seconds[ours]).map(|(theirs, ours)| theirs / ours).collect())
        };
        let rate = |which: usize| job.0 as f64 / median(seconds[which].clone()) / 1000.0;
        println!(
            "{name:24} map {:8.1}: {:5.1} x Python's, {:4.2} x by hand;   imap_unordered {:8.1}: {:5.1} x, {:4.2} x",
            rate(0),
            ratio(2, 0),
            ratio(4, 0),
            rate(1),
            ratio(3, 1),
            ratio(4, 1),
        );
    }
}
