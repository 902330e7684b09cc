//! Every kind of queue against its peers, in one interleaved run, as ratios beside the goals.
//!
//! `cargo run --release --manifest-path bench-peers/Cargo.toml -- [FILTER...] [--seconds N] [--cpus A,B]
//!     [--pauses N] [--near-below NS] [--realtime] [--json] [--list]`
//!
//! - FILTER: only ratios whose label (see `--list`) contains every one of these words, e.g. `crossbeam 64B`.
//! - `--seconds`: how long to go on; the round that is under way is finished. 120 unless told.
//! - `--pauses`: who polls waits 1, 2, 4 ... up to N pauses of the processor between two tries. 1 unless told.
//! - `--near-below`: how long a cache line's round trip is at most between near processors. 250 unless told.
//! - `--realtime`: a real-time priority during bursts, and a rest as long after each: for a machine that others
//!   use too. It needs the right to that (root has it).
//! - `--json`: every burst as one object per line, on standard output instead of the tables.
//!
//! # How
//! Two threads, pinned to two processors: one sends, one receives and times. A round runs every contestant
//! once for about 50 ms, discipline by discipline; rounds follow each other until the time is up, and the first,
//! which also finds out how many messages 50 ms are, is thrown away. Between any two bursts a cache line goes
//! to and fro for about a millisecond: virtual machines move their processors, and what was measured between near
//! ones says nothing about far ones. Each burst is filed under near or far by the brackets around it, or dropped
//! if they disagree, or if either thread lost its processor to somebody else more than a few times.

#[cfg(have_boost)]
mod boost;
mod contest;
mod duo;
mod floor;
mod goals;
#[cfg(feature = "iceoryx2")]
mod iceoryx;
mod kernel;
mod memory;
mod options;
mod ours;
mod pair;
mod payload;
mod registry;
mod report;
mod rings;

use contest::Contest;
use duo::{Duo, Raced};
use goals::Row;
use options::Options;
use report::{Cell, Dropped, File, Sample, Samples};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

#[global_allocator]
static MEMORY: memory::SharedWhenLarge = memory::SharedWhenLarge;

const BURST_NS: f64 = 50e6;
const FIRST_BURST: u64 = 100;
/// Values of [u8; 65536] and queues of them pass through the stack.
const STACK_BYTES: usize = 256 << 20;

/// Somebody in one discipline, and how many messages his next burst has.
struct Entrant {
    cell: Cell,
    contest: Box<dyn Contest>,
    n: u64,
}

impl Entrant {
    fn burst(&mut self, duo: Duo) -> Raced {
        let raced = self.contest.burst(duo, self.n);
        let n = BURST_NS / raced.ns.max(0.1);
        self.n = n.clamp(FIRST_BURST as f64, self.n as f64 * 100.0) as u64;
        raced
    }
}

/// Who is needed for `rows`, discipline by discipline, and who cannot be had, with the reason.
fn entrants(rows: &[Row]) -> (Vec<Entrant>, BTreeMap<Cell, String>) {
    let cells = rows.iter().flat_map(|row| {
        let cell = |who| Cell { kind: row.kind, size: row.size, who };
        [cell(row.ours), cell(row.peer)]
    });
    let cells: BTreeSet<_> = cells.filter(|cell| cell.who != registry::LINE).collect();
    let (mut entrants, mut missing) = (vec![], BTreeMap::new());
    for cell in cells {
        match registry::make(cell.who, cell.kind, cell.size) {
            Ok(contest) => entrants.push(Entrant { cell, contest, n: FIRST_BURST }),
            Err(reason) => drop(missing.insert(cell, reason)),
        }
    }
    (entrants, missing)
}

fn run(options: Options) -> Result<(), String> {
    let rows: Vec<_> = goals::rows().into_iter().filter(|row| options.wants(&row.label())).collect();
    if options.list {
        rows.iter().for_each(|row| println!("{}", row.label()));
        return Ok(());
    }
    let duo = options.duo()?;
    duo.pin_here();
    let (mut entrants, missing) = entrants(&rows);
    for (cell, reason) in &missing {
        eprintln!("left out: {cell:?}: {reason}");
    }
    eprintln!("{duo:?}, {} contestants, {} ratios", entrants.len(), rows.len());
    // Twice: how many messages a burst has is found out step by step.
    for _ in 0..2 {
        for entrant in &mut entrants {
            entrant.burst(duo);
        }
    }
    let mut samples = Samples::default();
    let start = Instant::now();
    let mut rounds = 0;
    while start.elapsed() < Duration::from_secs(options.seconds) || rounds == 0 {
        let mut before = duo.distance();
        for entrant in &mut entrants {
            let Raced { ns, preempted } = entrant.burst(duo);
            let after = duo.distance();
            let sample = Sample {
                filed: File::of(before, after, options.near_below, preempted),
                ns,
                line: (before + after) / 2.0,
                preempted,
            };
            if options.json {
                println!("{}", json(rounds, entrant.cell, sample));
            }
            samples.add(entrant.cell, rounds, sample);
            before = after;
        }
        rounds += 1;
    }
    eprintln!("{rounds} rounds in {:.0} s", start.elapsed().as_secs_f64());
    if !options.json {
        samples.print(&rows);
    }
    Ok(())
}

fn json(
    round: usize,
    Cell { kind, size, who }: Cell,
    Sample { filed, ns, line, preempted }: Sample,
) -> String {
    let file = filed.map_or_else(Dropped::name, File::name);
    format!(
        r#"{{"round":{round},"who":"{who}","what":"{}","bytes":{size},"ns":{ns:.2},"line_ns":{line:.1},"preempted":{preempted},"file":"{file}"}}"#,
        kind.name()
    )
}

fn main() -> Result<(), String> {
    let options = Options::parse(std::env::args().skip(1))?;
    let run = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(|| run(options));
    run.expect("a thread").join().expect("no contestant fails")
}
