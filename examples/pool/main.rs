//! Counts lines and CRC-32s of real files with a pool of worker processes, and exactly, even while they are killed with
//! SIGKILL.
//!
//! ```text
//!                    tasks: offset, length, path
//!   parent       ----------------------------------->  worker (Rust, forked by a fork server)
//!   cuts files   ----------------------------------->  worker (C, the program examples/c/poolcount.c)
//!   into pieces,                                       reads the piece, counts
//!   adds up      <-----------------------------------
//!                    results: length, lines, CRC-32
//! ```
//!
//! Large files are cut, so that all workers have a share of them. Why the answer is exact whoever is killed, and when:
//!
//! - *Nothing is lost.* Who dies with a piece in hand leaves it to another worker. Only who has counted all of it, and
//!   left the result in the pool's table, whole, lets it go.
//! - *Nothing is counted twice.* The pool reports each task once, with the index of its item.
//! - *Done again is as well.* To count a piece changes nothing, and gives the same each time. So it does not matter how
//!   far the dead worker had got: the report's `attempt` tells, and need not be looked at.
//! - *Nobody waits for the dead.* The pool looks after its workers while the parent waits for reports; the workers are
//!   daemons, so they end with the parent, whatever it dies of.
//!
//! `files`: which files, and their pieces. `count`: what is counted, how parts are added up. `crew`: how workers are
//! started, and killed. `bar`: how far it is.

mod bar;
#[allow(dead_code)] // it builds a worker for wordcount as well
#[path = "../wordcount/c_worker.rs"]
mod c_worker;
mod count;
mod crew;
mod files;

use bar::Bar;
use count::Count;
use crew::Crew;
use files::Files;
use rialto::{
    Error, Region, RegionConfig,
    pool::{Outcome, Pool, PoolConfig, Progress},
    process,
};
use std::{
    cell::Cell,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

const USAGE: &str = "\
usage: pool [--kill] [--list] [--workers N] [--rust-only] [FILE or FOLDER ...]

Counts lines and CRC-32s of files, without names of this program and of C headers, in a pool of N processes.

  --kill         kill random workers with SIGKILL every few milliseconds; go round again until 20 were
  --list         CRC-32, lines, bytes and path of each file
  --workers N    worker processes, 1 to 32 (default 4); every other one is the C program
  --rust-only    do not build and use the C program
  -h, --help     this text

The last line begins with `exact` if all is as one process counts it alone. Exit status: 0 exact, 1 not exact or failed,
2 bad arguments or input.
";

/// The pool's name in its region.
const NAME: &str = "count";
/// With `--kill` we go round again until so many were killed, however fast the machine is.
const KILLS_MIN: u64 = 20;
/// How long we wait for a report before we look at the clock: whom to kill, what to show.
const NAP_NS: u64 = 5_000_000;
/// Without a single report for so long, something is wrong. And so long we go round at most.
const WATCHDOG: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Options {
    kill: bool,
    list: bool,
    rust_only: bool,
    workers: u32,
    paths: Vec<PathBuf>,
}

/// What the pool has counted.
struct Counted {
    /// Of each piece.
    pieces: Vec<Count>,
    rounds: usize,
    killed: u64,
    redone: u64,
    /// Pieces that a worker in C has counted, all rounds together.
    by_c: usize,
    elapsed: Duration,
}

/// `None`: help is wanted.
fn parse(mut args: impl Iterator<Item = std::ffi::OsString>) -> Result<Option<Options>, String> {
    let mut options = Options { workers: 4, ..Options::default() };
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--kill") => options.kill = true,
            Some("--list") => options.list = true,
            Some("--rust-only") => options.rust_only = true,
            Some("--workers") => {
                let number = args.next().and_then(|n| n.to_str()?.parse().ok());
                let number = number.filter(|n| (1..=32).contains(n));
                options.workers = number.ok_or("--workers: a number from 1 to 32 is needed")?;
            }
            Some("-h" | "--help") => return Ok(None),
            Some("--") => options.paths.extend(args.by_ref().map(PathBuf::from)),
            Some(flag) if flag.starts_with('-') => return Err(format!("unknown option {flag}")),
            _ => options.paths.push(PathBuf::from(arg)),
        }
    }
    Ok(Some(options))
}

fn main() -> ExitCode {
    // First of all: a process that was started as a worker works, and does not come back from here.
    if let Err(error) = process::main(crew::ENTRIES) {
        eprintln!("pool: {error}");
        return ExitCode::FAILURE;
    }
    let options = match parse(std::env::args_os().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprint!("pool: {complaint}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let files = match Files::find(&options.paths) {
        Ok(files) => files,
        Err(complaint) => {
            eprintln!("pool: {complaint}");
            return ExitCode::from(2);
        }
    };
    match count(&options, &files) {
        Ok(counted) if verdict(&options, &files, &counted) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(complaint) => {
            eprintln!("pool: {complaint}");
            ExitCode::FAILURE
        }
    }
}

/// Counts all pieces in a pool.
fn count(options: &Options, files: &Files) -> Result<Counted, String> {
    let failed = |what: &'static str| move |error: Error| format!("{what}: {error}");
    let c_program = match options.rust_only {
        true => None,
        false => c_worker::static_library()
            .and_then(|library| crew::build_c_program(&library))
            .inspect_err(|why| eprintln!("workers in Rust only: {why}"))
            .ok(),
    };

    // Our pieces are not to blame for the deaths, so each gets as many chances as there are.
    let config = PoolConfig { retries: 20, ..PoolConfig::new(options.workers) };
    let bytes = config.bytes().map_err(failed("the pool's size"))? as usize + 64 * 1024;
    // The dead are replaced within half a tick.
    let usual = RegionConfig { tick_ms: 20, ..RegionConfig::default() };
    let region = Region::create_memfd(bytes, &usual).map_err(failed("making the region"))?;
    let crew = Crew::new(&region, c_program).map_err(failed("starting the fork server"))?;
    let mut pool =
        Pool::create(&region, NAME, &config, |told| crew.start(told)).map_err(failed("making the pool"))?;

    let start = Instant::now();
    let mut bar = Bar::new();
    let killed = Cell::new(0);
    let mut counted: Vec<Option<Count>> = vec![None; files.pieces.len()];
    // All pieces; then, if not enough were killed yet, all pieces again, and so on.
    let rounds = Cell::new(0);
    let once_more = || {
        let too_few = options.kill && killed.get() < KILLS_MIN;
        rounds.get() == 0 || too_few && start.elapsed() < WATCHDOG
    };
    let tasks = std::iter::from_fn(|| once_more().then(|| rounds.set(rounds.get() + 1)))
        .flat_map(|()| files.pieces.iter().map(|piece| files.task(piece)));
    let mut reports = pool.imap_unordered("count", tasks, 1).map_err(failed("submitting"))?;
    let mut by_c = 0;
    let (mut next_kill, mut last_report) = (start + Duration::from_millis(10), start);
    loop {
        match reports.next_timeout(NAP_NS) {
            Ok(None) => break,
            Ok(Some((index, report))) => {
                let piece = index % files.pieces.len();
                let count = match report.outcome {
                    Outcome::Done(bytes) => {
                        let (count, language) = Count::read(bytes).ok_or("a result that is none")?;
                        by_c += usize::from(language == b'C');
                        count
                    }
                    // So many were killed with just this piece in hand: the last resort.
                    Outcome::Died => count::count_part(&files.task(&files.pieces[piece]))
                        .map_err(|error| format!("counting a piece: {error}"))?,
                    Outcome::Failed(code, _) => {
                        let why = std::io::Error::from_raw_os_error(code);
                        return Err(format!("{}: {why}", files.path(piece).display()));
                    }
                    other => return Err(format!("{}: {other}", files.path(piece).display())),
                };
                if counted[piece].replace(count).is_some_and(|before| before != count) {
                    return Err(format!("{} has changed meanwhile", files.path(piece).display()));
                }
                last_report = Instant::now();
            }
            Err(Error::TimedOut) => {}
            Err(error) => return Err(format!("waiting for reports: {error}")),
        }
        let kills = options.kill && Instant::now() >= next_kill;
        if kills || bar.is_time() {
            // What any process can read that is attached to the region.
            let progress = Progress::read(&region, NAME).map_err(failed("reading the progress"))?;
            if kills {
                next_kill = Instant::now() + crew::pause();
                killed.set(killed.get() + u64::from(crew.kill_one(&progress)));
            }
            if bar.is_time() {
                bar.show(&progress, rounds.get() * files.pieces.len(), killed.get());
            }
        }
        if last_report.elapsed() > WATCHDOG {
            let progress = Progress::read(&region, NAME);
            return Err(format!("no report for {} s: {progress:?}", WATCHDOG.as_secs()));
        }
    }
    drop(reports);
    let elapsed = start.elapsed();
    let progress = pool.progress();
    bar.last(&progress, rounds.get() * files.pieces.len(), killed.get());
    pool.close();
    pool.join(WATCHDOG.as_nanos() as u64).map_err(failed("waiting for the workers' ends"))?;
    let pieces = counted.into_iter().collect::<Option<_>>().ok_or("a piece was not reported")?;
    Ok(Counted { pieces, rounds: rounds.get(), killed: killed.get(), redone: progress.redone, by_c, elapsed })
}

/// Counts again in this process alone, in one pass through each file, and compares. True if all is equal.
fn verdict(options: &Options, files: &Files, counted: &Counted) -> bool {
    let reports = counted.rounds * counted.pieces.len();
    println!(
        "pieces: {}, {} % of them counted by workers in C",
        counted.pieces.len(),
        counted.by_c * 100 / reports
    );
    let start = Instant::now();
    let (mut all, mut is_exact) = (Count::default(), true);
    for file in &files.files {
        let ours =
            counted.pieces[file.pieces.clone()].iter().fold(Count::default(), |sum, next| sum.and(next));
        match count::count_file(&file.path, file.len) {
            Ok(truth) if ours == truth => {}
            Ok(truth) => {
                println!("WRONG: {}: {ours:?} instead of {truth:?}", file.path.display());
                is_exact = false;
            }
            Err(error) => {
                println!("WRONG: {}: {error}", file.path.display());
                is_exact = false;
            }
        }
        if options.list {
            println!("{:08x} {:10} {:12} {}", ours.crc, ours.lines, ours.len, file.path.display());
        }
        all = Count { len: all.len + ours.len, lines: all.lines + ours.lines, crc: 0 };
    }
    println!(
        "{}: {} files, {} lines, {} bytes; {} workers killed, {} pieces redone; pool {:.3} s (rounds: {}), one process {:.3} s",
        if is_exact { "exact" } else { "WRONG" },
        files.files.len(),
        all.lines,
        all.len,
        counted.killed,
        counted.redone,
        counted.elapsed.as_secs_f64(),
        counted.rounds,
        start.elapsed().as_secs_f64(),
    );
    is_exact
}
