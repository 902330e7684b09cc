//! What is printed. A reader who went away (`| head`) is no reason to stop counting.

use super::{
    coordinator::Outcome,
    crew::Death,
    text::{Counts, Source},
};
use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// Prints to standard output.
pub fn out(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// Lines for everybody, and one that changes if this is a terminal.
pub struct Screen {
    terminal: bool,
    next: Instant,
    /// Deaths that wait for their line to be full.
    deaths: Vec<String>,
}

const DEATHS_PER_LINE: usize = 8;

impl Screen {
    pub fn new() -> Self {
        Screen { terminal: io::stdout().is_terminal(), next: Instant::now(), deaths: Vec::new() }
    }

    pub fn line(&mut self, line: &str) {
        out(&if self.terminal { format!("\r\x1b[K{line}\n") } else { format!("{line}\n") });
    }

    /// Who died: killed ones by the line, accidents at once.
    pub fn death(&mut self, death: &Death) {
        if !death.by_us {
            return self.line(&format!("worker died by itself: {death}"));
        }
        self.deaths.push(death.to_string());
        if self.deaths.len() == DEATHS_PER_LINE {
            self.flush_deaths();
        }
    }

    fn flush_deaths(&mut self) {
        if !self.deaths.is_empty() {
            let line = format!("killed (SIGKILL): {}", self.deaths.join(", "));
            self.deaths.clear();
            self.line(&line);
        }
    }

    /// How far we are; on a terminal only.
    pub fn progress(&mut self, outcome: &Outcome, total: usize, elapsed: Duration) {
        if !self.terminal || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + Duration::from_millis(100);
        let done = outcome.counts.bytes;
        let percent = (done as f64 / total as f64 * 100.0).min(100.0);
        out(&format!(
            "\r\x1b[K{percent:3.0} %  {:.0} MB/s  killed {}  redelivered {}  duplicates {}",
            rate(done, elapsed),
            outcome.killed_rust + outcome.killed_c,
            outcome.redelivered,
            outcome.duplicates,
        ));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.flush_deaths();
        if self.terminal {
            out("\r\x1b[K");
        }
    }
}

fn rate(bytes: u64, elapsed: Duration) -> f64 {
    bytes as f64 / 1e6 / elapsed.as_secs_f64().max(1e-9)
}

/// Prints the sums, counts again in this process alone, and compares. True if all is equal.
pub fn verdict(source: &Source, outcome: &Outcome) -> bool {
    let counts = &outcome.counts;
    let seconds = outcome.elapsed.as_secs_f64();
    out(&format!(
        "counted: {:.1} MB, {} lines, {} words, {} of them distinct, in {} records\n\
         speed: {seconds:.2} s, {:.1} MB/s, {:.0} records/s; {:.0} % of the records by the C worker\n\
         killed: {} Rust and {} C workers; {} jobs redelivered, {} duplicates dropped, {} poisoned\n",
        counts.bytes as f64 / 1e6,
        counts.lines,
        counts.words,
        counts.by_word.len(),
        outcome.records,
        rate(counts.bytes, outcome.elapsed),
        outcome.records as f64 / seconds.max(1e-9),
        outcome.by_c as f64 / outcome.records.max(1) as f64 * 100.0,
        outcome.killed_rust,
        outcome.killed_c,
        outcome.redelivered,
        outcome.duplicates,
        outcome.poisoned,
    ));
    if outcome.accidents > 0 {
        out(&format!("accidents: {} workers died by themselves\n", outcome.accidents));
    }
    let start = Instant::now();
    let truth = source.count(outcome.passes);
    let alone = start.elapsed();
    out(&format!("one process alone: {:.2} s, {:.1} MB/s\n", alone.as_secs_f64(), rate(truth.bytes, alone)));
    if *counts == truth {
        out("exact: every word has the same count as in the one process\n");
        return true;
    }
    out(&difference(counts, &truth));
    false
}

/// What differs, a few words of it.
fn difference(ours: &Counts, truth: &Counts) -> String {
    let mut lines = format!(
        "WRONG: {} bytes instead of {}, {} lines instead of {}, {} words instead of {}\n",
        ours.bytes, truth.bytes, ours.lines, truth.lines, ours.words, truth.words
    );
    let all =
        truth.by_word.keys().chain(ours.by_word.keys().filter(|word| !truth.by_word.contains_key(*word)));
    let count = |counts: &Counts, word| counts.by_word.get(word).copied().unwrap_or(0);
    for word in all.filter(|word| count(ours, *word) != count(truth, *word)).take(10) {
        let (is, should) = (count(ours, word), count(truth, word));
        lines += &format!("  {:?}: {is} instead of {should}\n", String::from_utf8_lossy(word));
    }
    lines
}
