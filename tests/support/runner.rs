//! Runs sweeps: every case in a process of its own, one on each processor, a line for each, and an exit
//! status. The processes that fork victims have a single thread.
//!
//! A case is a [`Scene`]: a world that is built anew for every point, a victim in it, and a verdict.
//! [`sweep`] walks one victim through the whole operation to learn its [`Route`], then takes a fresh
//! victim in a fresh world to every point of it. Arguments: words that a case's name must contain;
//! options of the usual test harness are ignored.

use super::{
    process::{Child, Exit, fork, pin, relax},
    shared::{Board, Shared},
    step::{Reached, Route, Step, Victim},
};
use std::time::Instant;

/// A world with a victim in it.
pub trait Scene {
    /// Builds the world anew; the victim stands at its trap.
    fn set(&mut self) -> Victim;
    /// Whether the operation has ended.
    fn over(&self) -> bool;
    /// Whether what is over was the operation as it should be: if not, this run is done again.
    fn valid(&self) -> bool {
        true
    }
    /// Whether something has to happen to the world before the victim's next instruction.
    fn due(&mut self, _victim: &Victim) -> bool {
        false
    }
    /// Makes it happen; once in each run, at the same point. May step the victim over a futex wait.
    fn act(&mut self, _victim: &mut Victim) {}
    /// Of all that others, or the kernel on the victim's behalf, can see; for [`sweep_merged`].
    fn fingerprint(&self, _victim: &Victim) -> u64 {
        0
    }
    /// Kills or leaves the victim where it stands, and says whether the others fare well.
    fn judge(&mut self, victim: Victim) -> Result<(), String>;
}

/// What a case found.
pub struct Tally {
    page: Shared<Page>,
    /// Give up the case after so many failures: enough to show that a planted bug is caught.
    pub enough: u64,
}

#[repr(C)]
struct Page {
    board: Board,
    first: [std::sync::atomic::AtomicU8; 600],
}

const POINTS: usize = 0;
const FAILURES: usize = 1;
const WALKED: usize = 2;
const MISSED: usize = 3;
const NOW_AT: usize = 4;
const FIRST_LEN: usize = 5;

impl Tally {
    fn new() -> Tally {
        // SAFETY: atomics of zero.
        Tally { page: unsafe { Shared::zeroed() }, enough: 10 }
    }

    fn bump(&self, at: usize) {
        self.page.board.set(at, self.page.board.get(at) + 1);
    }

    /// Where the case is, should it die.
    pub fn at(&self, k: u64) {
        self.page.board.set(NOW_AT, k);
    }

    /// One point, with its verdict.
    pub fn point(&self, place: impl std::fmt::Display, verdict: Result<(), String>) {
        self.bump(POINTS);
        if let Err(what) = verdict {
            if self.failures() == 0 {
                let text = format!("{place}: {what}");
                let len = text.len().min(self.page.first.len());
                for (to, from) in self.page.first.iter().zip(text.bytes()) {
                    to.store(from, std::sync::atomic::Ordering::SeqCst);
                }
                self.page.board.set(FIRST_LEN, len as u64);
            }
            self.bump(FAILURES);
        }
    }

    pub fn points(&self) -> u64 {
        self.page.board.get(POINTS)
    }

    pub fn failures(&self) -> u64 {
        self.page.board.get(FAILURES)
    }

    pub fn is_enough(&self) -> bool {
        self.failures() >= self.enough
    }

    fn first(&self) -> String {
        let len = self.page.board.get(FIRST_LEN) as usize;
        let bytes: Vec<u8> =
            self.page.first[..len].iter().map(|b| b.load(std::sync::atomic::Ordering::SeqCst)).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Walks a victim to the end. Says the way, where `act` was due, and before which instructions the
/// fingerprint had changed. The shortest of three: one on which something came between (a tick, a clock that
/// was read twice) would send the others where they do not go.
pub fn record(scene: &mut impl Scene, fingerprints: bool) -> (Route, Option<u64>, Vec<u64>) {
    let mut ways = vec![];
    for _ in 0..50 {
        let way = record_once(scene, fingerprints);
        if scene.valid() {
            ways.push(way);
        }
        if ways.len() == 3 {
            break;
        }
    }
    ways.into_iter().min_by_key(|way| way.0.len()).expect("no run of the operation is as it should be")
}

fn record_once(scene: &mut impl Scene, fingerprints: bool) -> (Route, Option<u64>, Vec<u64>) {
    let mut victim = scene.set();
    let (mut route, mut station, mut changes) = (Route::default(), None, vec![]);
    let (mut print, mut after_call) = (0, false);
    while !scene.over() {
        if fingerprints {
            let now = scene.fingerprint(&victim);
            let call = victim.before_call();
            if core::mem::replace(&mut print, now) != now || call || after_call {
                changes.push(victim.at());
            }
            after_call = call;
        }
        assert!(route.len() < 200_000, "the operation does not end");
        let here = victim.at();
        route.push(victim.pc());
        if station.is_none() && scene.due(&victim) {
            station = Some(here);
            scene.act(&mut victim);
        }
        if victim.at() == here && victim.step() == Step::Gone {
            break;
        }
    }
    (route, station, changes)
}

/// Takes a fresh victim to point `k`; `None` if it does not come there. And whether it took some pains.
pub fn reach(scene: &mut impl Scene, route: &Route, station: Option<u64>, k: u64) -> (Option<Victim>, bool) {
    // A run may be shorter than the route (it spun less often): another may be as long again.
    for _ in 0..3 {
        let (victim, walked) = reach_once(scene, route, station, k);
        if victim.is_some() {
            return (victim, walked);
        }
    }
    (None, true)
}

fn reach_once(scene: &mut impl Scene, route: &Route, station: Option<u64>, k: u64) -> (Option<Victim>, bool) {
    let mut victim = scene.set();
    let mut way = Reached::Yes;
    if let Some(station) = station.filter(|station| *station < k) {
        way = victim.advance(route, station);
        if way == Reached::Yes {
            scene.act(&mut victim);
        }
    }
    if way == Reached::Yes && victim.advance(route, k) == Reached::Yes && !scene.over() {
        return (Some(victim), false);
    }
    drop(victim);
    // Another path than the route's (a clock that was read twice, say): step all the way.
    let mut victim = scene.set();
    let mut acted = false;
    while victim.at() < k {
        if !acted && scene.due(&victim) {
            acted = true;
            scene.act(&mut victim);
        } else if victim.step() == Step::Gone {
            return (None, true);
        }
    }
    if scene.over() { (None, true) } else { (Some(victim), true) }
}

/// Every point.
pub fn sweep(scene: &mut impl Scene, tally: &Tally) {
    let (route, station, _) = record(scene, false);
    (0..route.len()).for_each(|k| point(scene, tally, &route, station, k));
}

/// For operations where a point costs much: the points before which something changed that others can
/// see, those before and behind a system call, and every `gap`-th besides. `RIALTO_SWEEP_STRIDE` replaces `gap`; 1 is every point.
pub fn sweep_merged(scene: &mut impl Scene, tally: &Tally, gap: u64) {
    let gap = stride(gap);
    let (route, station, changes) = record(scene, true);
    let chosen = |k: &u64| *k % gap == 0 || changes.binary_search(k).is_ok();
    (0..route.len()).filter(chosen).for_each(|k| point(scene, tally, &route, station, k));
}

/// `RIALTO_SWEEP_STRIDE`, if it is set.
pub fn stride(default: u64) -> u64 {
    let set = std::env::var("RIALTO_SWEEP_STRIDE").ok().and_then(|word| word.parse().ok());
    set.unwrap_or(default).max(1)
}

/// One point, reached and judged.
pub fn point(scene: &mut impl Scene, tally: &Tally, route: &Route, station: Option<u64>, k: u64) {
    if tally.is_enough() {
        return;
    }
    tally.at(k);
    let (victim, walked) = reach(scene, route, station, k);
    if walked {
        tally.bump(WALKED);
    }
    match victim {
        Some(victim) => tally.point(format_args!("k={k} of {}", route.len()), scene.judge(victim)),
        None => tally.bump(MISSED),
    }
}

/// What a case must show.
#[derive(Clone, Copy)]
pub enum Expect {
    /// No failure, at this many points or more.
    Clean(u64),
    /// The subject has a planted bug: at least one failure.
    Caught,
}

pub struct Case {
    pub name: String,
    pub expect: Expect,
    pub run: Box<dyn Fn(&Tally)>,
}

/// A case of the real thing.
pub fn clean(name: impl Into<String>, at_least: u64, run: impl Fn(&Tally) + 'static) -> Case {
    Case { name: name.into(), expect: Expect::Clean(at_least), run: Box::new(run) }
}

/// A case with a planted bug.
pub fn planted(name: impl Into<String>, run: impl Fn(&Tally) + 'static) -> Case {
    Case { name: format!("PLANTED {}", name.into()), expect: Expect::Caught, run: Box::new(run) }
}

/// Runs the cases that the arguments name; exits with 1 if any does not show what it must.
pub fn main(title: &str, cases: Vec<Case>) {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if std::env::args().any(|word| word == "--list") {
        cases.iter().for_each(|case| println!("{}: test", case.name));
        return;
    }
    assert_bound();
    let chosen: Vec<&Case> =
        cases.iter().filter(|case| words.iter().all(|word| case.name.contains(word.as_str()))).collect();
    let lanes = std::thread::available_parallelism().map_or(1, |n| n.get() * 2).min(chosen.len()).max(1);
    println!("\n{title}: {} cases", chosen.len());
    let start = Instant::now();
    let (mut next, mut bad, mut points) = (0, 0, 0);
    let mut running: Vec<Option<(usize, Tally, Child, Instant)>> = (0..lanes).map(|_| None).collect();
    while next < chosen.len() || running.iter().any(Option::is_some) {
        for (lane, slot) in running.iter_mut().enumerate() {
            if let Some((at, tally, child, since)) = slot {
                child.poll(libc::WNOHANG);
                if let Some(exit) = child.exited() {
                    bad += u32::from(!report(chosen[*at], tally, exit, *since));
                    points += tally.points();
                    *slot = None;
                }
            } else if next < chosen.len() {
                let case = chosen[next];
                let mut tally = Tally::new();
                if let Expect::Caught = case.expect {
                    tally.enough = 3;
                }
                let child = fork(|| {
                    pin(lane);
                    (case.run)(&tally)
                });
                *slot = Some((next, tally, child, Instant::now()));
                next += 1;
            }
        }
        relax(u32::MAX);
    }
    println!("{title}: {points} points, {bad} bad cases, {:.1} s", start.elapsed().as_secs_f32());
    if bad > 0 {
        std::process::exit(1);
    }
}

fn report(case: &Case, tally: &Tally, exit: Exit, since: Instant) -> bool {
    let (points, failures) = (tally.points(), tally.failures());
    let get = |at| tally.page.board.get(at);
    let mut good = exit == Exit::Code(0)
        && match case.expect {
            // Where the path depends on a clock or on others' ticks, a point may not be met again: few on a
            // quiet machine, more on a loaded one.
            Expect::Clean(at_least) => failures == 0 && points >= at_least && get(MISSED) * 2 <= points,
            Expect::Caught => failures > 0,
        };
    let mut line = format!(
        "{:58} points={points:<5} failures={failures:<4} {:5.1} s",
        case.name,
        since.elapsed().as_secs_f32()
    );
    if get(WALKED) + get(MISSED) > 0 {
        line += &format!(" (stepped all the way: {}, not reached: {})", get(WALKED), get(MISSED));
    }
    if exit != Exit::Code(0) {
        line += &format!(" ENDED with {exit:?} at k={}", get(NOW_AT));
    }
    if failures > 0 {
        line += &format!("\n    first: {}", tally.first());
    }
    match case.expect {
        Expect::Clean(at_least) if points < at_least => {
            line += &format!("\n    too few points: at least {at_least} expected");
            good = false;
        }
        _ => {}
    }
    println!("{} {line}", if good { "ok  " } else { "FAIL" });
    good
}

/// A victim that resolves symbols lazily would step through the dynamic linker instead of our code.
fn assert_bound() {
    const DT_FLAGS: u64 = 30;
    const DT_FLAGS_1: u64 = 0x6fff_fffb;
    unsafe extern "C" {
        #[link_name = "_DYNAMIC"]
        static DYNAMIC: [[u64; 2]; 1];
    }
    // SAFETY: the linker's own table of this executable, ended by a zero tag.
    let bound = unsafe {
        let mut entry = (&raw const DYNAMIC).cast::<[u64; 2]>();
        loop {
            match *entry {
                [0, _] => break false,
                [DT_FLAGS, flags] if flags & 8 != 0 => break true,
                [DT_FLAGS_1, flags] if flags & 1 != 0 => break true,
                _ => entry = entry.add(1),
            }
        }
    };
    assert!(bound, "the test program is not linked with -z now");
}
