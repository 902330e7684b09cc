//! Counts words with a crew of worker processes, and exactly, even while they are killed with SIGKILL.
//!
//! ```text
//!                        jobs: (record id, text)
//!   coordinator  ----------------------------------->  worker (Rust)   peek a job
//!   cuts text    ----------------------------------->  worker (Rust)   count its words
//!   into records ----------------------------------->  worker (C)      push the result
//!   adds it up   <-----------------------------------                  release the job
//!                        results: (record id, counts)
//! ```
//!
//! Both queues lie in one shared region, a memfd. Why the sum is exact whoever is killed, and when:
//!
//! - *Nothing is lost.* A worker releases a job only after the job's result is in the results queue.
//!   Killed before the release, it still had the job in hand, so the job goes to another worker.
//! - *Nothing is counted twice.* Killed after the push and before the release, its result arrives and
//!   the job is done again by somebody else. Both results carry the record id, and the coordinator,
//!   which is the only one that adds up, drops the second.
//! - *Nothing half-written is read.* A message is in the queue whole, or its writer's slot is freed.
//! - *Nobody waits for the dead.* Whoever sleeps on a queue looks for members that died at least ten
//!   times a second, and gives back what they had in hand.
//!
//! `text`: what a word is, cutting, the default text. `message`: the bytes of a job and of a result.
//! `worker` and `worker.c`: the same worker twice. `c_worker`: compiles the second. `crew`: starting,
//! killing and burying workers. `coordinator`: the loop. `report`: what is printed.

mod c_worker;
mod coordinator;
mod crew;
mod message;
mod report;
mod text;
mod worker;

use std::{path::PathBuf, process::ExitCode, time::Duration};

const USAGE: &str = "\
usage: wordcount [--kill] [--workers N] [--mib N] [--rust-only] [--linger-us N] [FILE ...]

Counts the words of FILEs, or of a default text, in N processes through shared memory.

  --kill         kill random workers with SIGKILL all the time, and start new ones
  --workers N    worker processes, 1 to 32 (default 4); the last one is the C program
  --mib N        repeat the text until it has N MiB (default text: 64, with --kill 192)
  --rust-only    do not build and use the C worker
  --linger-us N  workers sleep so long between pushing a result and releasing its job: a kill that
                 lands there makes a duplicate, which the coordinator has to drop
  -h, --help     this text

The last line contains `exact` if every word was counted exactly once. Exit status: 0 exact, 1 not
exact or failed, 2 bad arguments or input.
";

/// What the command line says.
struct Options {
    kill: bool,
    workers: usize,
    mib: Option<usize>,
    rust_only: bool,
    linger: Duration,
    files: Vec<PathBuf>,
}

enum Command {
    Help,
    /// This process is a worker; the region is its descriptor 0.
    Work {
        linger: Duration,
    },
    Coordinate(Options),
}

fn parse(mut args: impl Iterator<Item = std::ffi::OsString>) -> Result<Command, String> {
    let mut options = Options {
        kill: false,
        workers: 4,
        mib: None,
        rust_only: false,
        linger: Duration::ZERO,
        files: Vec::new(),
    };
    let mut only_files = false;
    while let Some(arg) = args.next() {
        let text = arg.to_str().unwrap_or("");
        if only_files || !text.starts_with('-') || text == "-" {
            options.files.push(PathBuf::from(&arg));
            continue;
        }
        let (flag, mut inline) = match text.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (text, None),
        };
        let mut number = |range: std::ops::RangeInclusive<usize>| -> Result<usize, String> {
            let value = match inline.take() {
                Some(value) => value,
                None => args
                    .next()
                    .map(|v| v.to_string_lossy().into_owned())
                    .ok_or(format!("{flag} needs a number"))?,
            };
            let number = value.parse().ok().filter(|n| range.contains(n));
            number.ok_or(format!(
                "{flag} {value}: a number from {} to {} is needed",
                range.start(),
                range.end()
            ))
        };
        match flag {
            "--workers" => options.workers = number(1..=32)?,
            "--mib" => options.mib = Some(number(1..=1 << 20)?),
            "--linger-us" => options.linger = Duration::from_micros(number(0..=1_000_000)? as u64),
            "--worker" => {
                return Ok(Command::Work { linger: Duration::from_micros(number(0..=1_000_000)? as u64) });
            }
            "--kill" => options.kill = true,
            "--rust-only" => options.rust_only = true,
            "-h" | "--help" => return Ok(Command::Help),
            "--" => only_files = true,
            _ => return Err(format!("unknown option {flag}")),
        }
        if inline.is_some() {
            return Err(format!("{flag} takes no value"));
        }
    }
    Ok(Command::Coordinate(options))
}

fn main() -> ExitCode {
    let options = match parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => {
            report::out(USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Work { linger }) => return worker::main(linger),
        Ok(Command::Coordinate(options)) => options,
        Err(complaint) => {
            eprint!("wordcount: {complaint}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mib = options.mib.unwrap_or(if options.kill { 192 } else { 64 });
    let source = match options.files.as_slice() {
        [] => text::Source::default_text(mib),
        files => text::Source::from_files(files, options.mib),
    };
    let source = match source {
        Ok(source) => source,
        Err(complaint) => {
            eprintln!("wordcount: {complaint}");
            return ExitCode::from(2);
        }
    };
    let outcome = match coordinator::run(&options, &source) {
        Ok(outcome) => outcome,
        Err(complaint) => {
            eprintln!("wordcount: {complaint}");
            return ExitCode::FAILURE;
        }
    };
    if report::verdict(&source, &outcome) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
