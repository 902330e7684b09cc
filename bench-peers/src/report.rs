//! Samples, filed by how far the processors were apart, and what is made of them.
//!
//! A ratio is taken within one round, from bursts a fraction of a second apart, both near or both far; the table
//! shows the median over the rounds, and the quartiles, which are the noise.

use crate::{
    contest::Kind,
    goals::{Row, size_name},
    registry::LINE,
};
use std::collections::BTreeMap;

/// A line's round trip below this many nanoseconds is near, unless told. Machines seen: 100 near and 430 far on one
/// that moves its processors about; 160 to 230 on one that does not.
pub const NEAR_BELOW: f64 = 250.0;
/// Brackets further apart than this factor disagree, even on the same side of the limit.
const BRACKETS_AGREE: f64 = 1.5;

/// Two threads may lose their processors this often in a burst: a tick's work, not another program.
const PREEMPTED_AT_MOST: i64 = 4;

/// One contestant in one discipline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub kind: Kind,
    pub size: usize,
    pub who: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    Near,
    Far,
}

impl File {
    pub const ALL: [File; 2] = [File::Near, File::Far];
    /// By the line's round trips before and after, and how often the threads lost their processors.
    pub fn of(before: f64, after: f64, near_below: f64, preempted: i64) -> Result<File, Dropped> {
        let (least, most) = (before.min(after), before.max(after));
        if preempted > PREEMPTED_AT_MOST {
            Err(Dropped::Preempted)
        } else if most > BRACKETS_AGREE * least || (least < near_below) != (most < near_below) {
            Err(Dropped::Moved)
        } else {
            Ok(if most < near_below { File::Near } else { File::Far })
        }
    }
    pub fn name(self) -> &'static str {
        match self {
            File::Near => "near",
            File::Far => "far",
        }
    }
}

/// Why a burst is in no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// The brackets around it disagree.
    Moved,
    /// Others had the processors.
    Preempted,
}

impl Dropped {
    pub fn name(self) -> &'static str {
        match self {
            Dropped::Moved => "dropped: brackets disagree",
            Dropped::Preempted => "dropped: preempted",
        }
    }
}

/// One burst.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub filed: Result<File, Dropped>,
    pub ns: f64,
    /// The line's round trip around it.
    pub line: f64,
    pub preempted: i64,
}

/// Least quarter, median, and most quarter of some numbers.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub low: f64,
    pub middle: f64,
    pub high: f64,
    pub n: usize,
}

impl Spread {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let n = values.len();
        let at = |quarter: usize| {
            let (index, part) = ((n - 1) * quarter / 4, ((n - 1) * quarter % 4) as f64 / 4.0);
            values[index] * (1.0 - part) + values[(index + 1).min(n - 1)] * part
        };
        (n > 0).then(|| Spread { low: at(1), middle: at(2), high: at(3), n })
    }
}

/// By cell and round.
#[derive(Default)]
pub struct Samples(BTreeMap<Cell, BTreeMap<usize, Sample>>);

impl Samples {
    pub fn add(&mut self, cell: Cell, round: usize, sample: Sample) {
        self.0.entry(cell).or_default().insert(round, sample);
    }

    fn of(&self, cell: Cell, file: File) -> impl Iterator<Item = (usize, Sample)> {
        let rounds = self.0.get(&cell).into_iter().flatten();
        rounds.map(|(&round, &sample)| (round, sample)).filter(move |(_, sample)| sample.filed == Ok(file))
    }

    pub fn time(&self, cell: Cell, file: File) -> Option<Spread> {
        Spread::of(self.of(cell, file).map(|(_, sample)| sample.ns))
    }

    /// The row's ratio over the rounds that have both sides in `file`.
    pub fn ratio(&self, row: &Row, file: File) -> Option<Spread> {
        let cell = |who| Cell { kind: row.kind, size: row.size, who };
        let theirs: BTreeMap<_, _> = self.of(cell(row.peer), file).collect();
        Spread::of(self.of(cell(row.ours), file).filter_map(|(round, ours)| {
            let theirs = if row.peer == LINE { ours.line } else { theirs.get(&round)?.ns };
            Some(if row.against_floor() { ours.ns / theirs } else { theirs / ours.ns })
        }))
    }

    fn count(&self, filed: Result<File, Dropped>) -> usize {
        self.0.values().flat_map(BTreeMap::values).filter(|sample| sample.filed == filed).count()
    }

    /// The tables.
    pub fn print(&self, rows: &[Row]) {
        for (index, file) in File::ALL.into_iter().enumerate() {
            let ratios: Vec<_> = rows.iter().filter_map(|row| Some((row, self.ratio(row, file)?))).collect();
            println!("\n{}: {} bursts", file.name(), self.count(Ok(file)));
            let width = ratios.iter().map(|(row, _)| row.label().len()).max().unwrap_or(0);
            if width > 0 {
                let head = "ours | against | what";
                println!("{head:width$}    ratio         quartiles     goal           samples");
            }
            for (row, ratio) in ratios {
                let (goal, met) = match row.goals[index] {
                    Some(goal) => (goal.name(), if goal.met_by(ratio.middle) { "met" } else { "MISSED" }),
                    None => ("-".into(), ""),
                };
                let (label, quartiles) = (row.label(), format!("{:.2}..{:.2}", ratio.low, ratio.high));
                println!(
                    "{label:width$} {:8.2} {quartiles:>17} {goal:>8}   {met:6} {:9}",
                    ratio.middle, ratio.n
                );
            }
        }
        for why in [Dropped::Moved, Dropped::Preempted] {
            println!("\n{}: {} bursts", why.name(), self.count(Err(why)));
        }
        println!("\nNanoseconds per message, or per round trip: median [quartiles]");
        for &cell in self.0.keys() {
            let of = |file| match self.time(cell, file) {
                Some(Spread { low, middle, high, n }) => format!("{middle:.1} [{low:.1}..{high:.1}] of {n}"),
                None => "-".into(),
            };
            let what = format!("{} {}", cell.kind.name(), size_name(cell.size));
            println!("{what:26} {:24} near {:36} far {}", cell.who, of(File::Near), of(File::Far));
        }
    }
}
