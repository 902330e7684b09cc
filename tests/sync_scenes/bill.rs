//! The bill: which play is given on which course, and how closely the sweep looks.

use super::*;
use crate::support::runner::{Case, Tally, clean, planted, sweep, sweep_merged};

/// Kills it at its points, and also in its sleep, if it stays asleep; else it lets one live.
fn give<P: Play>(play: &P, course: Course, sleepers: usize, after: After, gap: u64, tally: &Tally) {
    let mut stage = Stage::new(play.clone(), course, sleepers, after);
    match course {
        Course::Runs | Course::Meets if gap == 1 => sweep(&mut stage, tally),
        Course::FallsAsleep => sweep_merged(&mut stage, tally, gap.max(4)),
        _ => sweep_merged(&mut stage, tally, gap),
    }
    if course == Course::FallsAsleep {
        for _ in 0..3 {
            let mut victim = stage.set();
            assert!(victim.run_to_sleep(), "the victim does not sleep");
            tally.point("asleep", stage.judge(victim));
        }
    } else if after == After::Ticks {
        let mut stage = Stage::new(play.clone(), course, sleepers, After::Lives);
        tally.point("alive", stage.lives());
    }
}

/// The cases.
pub struct Bill {
    pub cases: Vec<Case>,
    /// Of the next ones: every so many instructions are points, besides those where something changes.
    pub gap: u64,
}

impl Bill {
    pub fn new() -> Bill {
        Bill { cases: vec![], gap: 1 }
    }

    pub fn add<P: Play>(&mut self, name: &str, play: P, course: Course, sleepers: usize, at_least: u64) {
        self.clean(name, play, course, sleepers, After::Ticks, at_least);
    }

    /// Without ticks: a survivor does it again.
    pub fn again<P: Play>(&mut self, name: &str, play: P, course: Course, sleepers: usize, at_least: u64) {
        self.clean(&format!("again {name}"), play, course, sleepers, After::Again, at_least);
    }

    fn clean<P: Play>(
        &mut self,
        name: &str,
        play: P,
        course: Course,
        sleepers: usize,
        after: After,
        at_least: u64,
    ) {
        let (gap, name) = (self.gap, format!("{name}: {course:?}, {sleepers} asleep"));
        self.cases.push(clean(name, at_least, move |tally| give(&play, course, sleepers, after, gap, tally)));
    }

    pub fn plant<P: Play>(&mut self, name: &str, play: P, course: Course, sleepers: usize) {
        let name = format!("{name}: {course:?}, {sleepers} asleep");
        self.cases.push(planted(name, move |tally| give(&play, course, sleepers, After::Ticks, 1, tally)));
    }
}
