//! The coordinator: feeds records, collects results, and counts each record once.

use super::{
    Options, c_worker,
    crew::{Crew, Language},
    message::{self, JOB_MAX, RESULT_MAX, TEXT_MAX, Tally},
    report::Screen,
    text::{Counts, Records, Source},
};
use rialto::{Error, Queue, QueueConfig, Region, RegionConfig};
use std::time::{Duration, Instant};

/// Messages per queue: enough to keep a crew busy while we add up.
const SLOTS: u32 = 64;
/// A job that was in the hands of so many dead workers is nobody's any more. Ours are killed at random,
/// not by the job, so we give each as many chances as there are, and count the rest here.
const ATTEMPTS_MAX: u8 = 30;
/// How long we sleep without a result before we look after the crew.
const NAP_NS: u64 = 5_000_000;
/// With `--kill`, a default text goes on until so many were killed, however fast the machine is.
const KILLS_MIN: usize = 20;
/// Without a single new result for so long, something is wrong.
const WATCHDOG: Duration = Duration::from_secs(30);

/// What a run brought.
#[derive(Default)]
pub struct Outcome {
    pub counts: Counts,
    pub passes: usize,
    pub elapsed: Duration,
    /// Records cut, and so results counted.
    pub records: u64,
    /// Of these, counted by the C worker.
    pub by_c: u64,
    pub killed_rust: usize,
    pub killed_c: usize,
    /// Workers that ended by themselves, too early.
    pub accidents: usize,
    /// Results of jobs that an earlier worker had in hand when it died.
    pub redelivered: u64,
    /// Results of records that were counted already.
    pub duplicates: u64,
    /// Records that the coordinator had to count itself.
    pub poisoned: u64,
}

/// The results so far.
struct Ledger {
    outcome: Outcome,
    /// By record id: counted?
    seen: Vec<bool>,
}

impl Ledger {
    fn missing(&self) -> u64 {
        self.seen.len() as u64 - self.outcome.records
    }

    /// Adds a result, unless its record was counted already. False if it is no result of ours.
    fn enter(&mut self, result: &[u8]) -> bool {
        let Some(tally) = Tally::read(result) else { return false };
        let Some(seen) = usize::try_from(tally.id).ok().and_then(|id| self.seen.get_mut(id)) else {
            return false;
        };
        let outcome = &mut self.outcome;
        outcome.redelivered += u64::from(tally.attempt > 0);
        if std::mem::replace(seen, true) {
            outcome.duplicates += 1;
            return true;
        }
        outcome.records += 1;
        outcome.by_c += u64::from(tally.language == b'C');
        tally.add_to(&mut outcome.counts);
        true
    }
}

/// Counts the words of `source` with a crew.
pub fn run(options: &Options, source: &Source) -> Result<Outcome, String> {
    let mut screen = Screen::new();
    screen.line(&format!("text: {}, {} times", source.origin, source.passes()));
    let c_program = c_program(options, &mut screen);
    let region = region().map_err(|error| format!("cannot make the region: {error}"))?;
    let (jobs, results) = queues(&region).map_err(|error| format!("cannot make the queues: {error}"))?;
    screen.line(&format!(
        "region: {} KiB in a memfd; queues: jobs {SLOTS} x {JOB_MAX} bytes, results {SLOTS} x {RESULT_MAX} bytes",
        region.len() >> 10
    ));
    let start = Instant::now();
    let mut crew = Crew::start(&region, options.workers, c_program, options.linger, options.kill)?;
    let in_c = crew.languages().filter(|language| *language == Language::C).count();
    screen.line(&format!("workers: {} in Rust, {in_c} in C", options.workers - in_c));

    let mut outcome = work(options, source, &mut crew, jobs, results, &mut screen)?;
    outcome.elapsed = start.elapsed();

    // Only now: a worker that meets a closed and empty queue goes home, but while a job is in the hand
    // of another worker it may come back.
    jobs.close();
    if !crew.dismiss(WATCHDOG) {
        return Err(format!("workers did not end well:\n{}", crew.describe()));
    }
    Ok(outcome)
}

/// Feeds and collects until every record is accounted for.
///
/// One thread does both, so it must never wait for room in `jobs`: with both queues full, workers wait
/// for us to take results. It pushes while there is room, and sleeps only on `results`: a worker that
/// makes room has pushed its result before.
fn work(
    options: &Options,
    source: &Source,
    crew: &mut Crew<'_>,
    jobs: Queue<'_>,
    results: Queue<'_>,
    screen: &mut Screen,
) -> Result<Outcome, String> {
    let mut ledger = Ledger { outcome: Outcome::default(), seen: Vec::new() };
    let mut records = Records::new(source);
    let mut job = Vec::with_capacity(JOB_MAX);
    let mut result = vec![0; RESULT_MAX];
    let mut last_progress = Instant::now();
    let start = last_progress;
    let failed = |what: &str, error: Error| format!("{what}: {error}");
    loop {
        // Feed. `job` keeps a record that found no room; it has its id already.
        let mut all_cut = false;
        loop {
            if job.is_empty() {
                let Some(text) = records.next(TEXT_MAX) else {
                    all_cut = true;
                    break;
                };
                message::write_job(&mut job, ledger.seen.len() as u64, text);
                ledger.seen.push(false);
            }
            match jobs.try_push(&job) {
                Ok(()) => job.clear(),
                Err(Error::WouldBlock) => break,
                Err(error) => return Err(failed("pushing a job", error)),
            }
        }
        if all_cut {
            let killed = ledger.outcome.killed_rust + ledger.outcome.killed_c;
            if options.kill && killed < KILLS_MIN && source.is_endless() {
                records.extend();
            } else if ledger.missing() == 0 {
                ledger.outcome.passes = records.passes();
                return Ok(ledger.outcome);
            }
        }

        // Collect: sleep for the first, then take what is there. That ends: workers run out of jobs.
        let mut popped = results.pop_timeout(&mut result, NAP_NS);
        let idle = popped == Err(Error::TimedOut);
        loop {
            match popped {
                Ok(message) => {
                    if !ledger.enter(&result[..message.len]) {
                        return Err("a worker pushed something that is no result".into());
                    }
                    last_progress = Instant::now();
                }
                Err(Error::TimedOut | Error::WouldBlock) => break,
                Err(error) => return Err(failed("popping a result", error)),
            }
            popped = results.try_pop(&mut result);
        }
        if idle {
            count_poisoned(jobs, &mut ledger, &mut result)?;
        }

        crew.tend(|death| {
            match (death.by_us, death.language) {
                (false, _) => ledger.outcome.accidents += 1,
                (true, Language::Rust) => ledger.outcome.killed_rust += 1,
                (true, Language::C) => ledger.outcome.killed_c += 1,
            }
            screen.death(death);
        })?;
        screen.progress(&ledger.outcome, source.bytes(records.passes()), start.elapsed());
        if last_progress.elapsed() > WATCHDOG {
            return Err(format!(
                "no result for {} s: {} of {} records missing; jobs: {} of {} ready, results: {} of {}\n{}",
                WATCHDOG.as_secs(),
                ledger.missing(),
                ledger.seen.len(),
                jobs.len(),
                jobs.capacity(),
                results.len(),
                results.capacity(),
                crew.describe()
            ));
        }
    }
}

/// The last resort: jobs that `ATTEMPTS_MAX` workers did not survive.
fn count_poisoned(jobs: Queue<'_>, ledger: &mut Ledger, buffer: &mut [u8]) -> Result<(), String> {
    loop {
        match jobs.take_poisoned(buffer) {
            Ok(popped) => {
                let mut result = Vec::with_capacity(RESULT_MAX);
                let (id, text) = message::read_job(&mut buffer[..popped.len]).ok_or("a job without an id")?;
                message::write_result(&mut result, id, text, popped.attempt);
                ledger.enter(&result);
                ledger.outcome.poisoned += 1;
            }
            Err(Error::WouldBlock) => return Ok(()),
            Err(error) => return Err(format!("taking a poisoned job: {error}")),
        }
    }
}

fn region() -> rialto::Result<Region> {
    let config = RegionConfig::default();
    let queues = jobs_config().layout()?.size + results_config().layout()?.size;
    let size = config.layout()?.size + queues;
    // The queues' places are aligned to 128 bytes.
    Region::create_memfd((size as usize + 256).next_multiple_of(4096), &config)
}

fn queues(region: &Region) -> rialto::Result<(Queue<'_>, Queue<'_>)> {
    Ok((region.create_queue("jobs", &jobs_config())?, region.create_queue("results", &results_config())?))
}

fn jobs_config() -> QueueConfig {
    QueueConfig { max_attempts: ATTEMPTS_MAX, ..QueueConfig::new(SLOTS, JOB_MAX as u32) }
}

fn results_config() -> QueueConfig {
    QueueConfig::new(SLOTS, RESULT_MAX as u32)
}

/// Builds the C worker, or says why there is none.
fn c_program(options: &Options, screen: &mut Screen) -> Option<std::path::PathBuf> {
    if options.rust_only {
        return None;
    }
    screen.line("building the C worker against target/ffi/c/librialto.a (the first time takes a while)");
    match c_worker::build() {
        Ok(program) => Some(program),
        Err(why) => {
            screen.line(&format!("no C worker, a Rust one instead: {why}"));
            None
        }
    }
}
