//! What every cell is made of: survivors that come in one by one and fall asleep, a traced victim that is
//! killed at exactly one place, and a referee who says what the survivors got and how long after.
//!
//! A cell is played in a process of its own (the referee): nothing of it is left behind, whatever happens.

use crate::support::{
    process::{Child, Exit, fork, relax},
    shared::{Board, Shared},
    step::{Victim, trap},
};
use std::time::{Duration, Instant};

/// What a survivor came back with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Got(pub u64);

impl Got {
    pub const TOLD: Got = Got(1);
    pub const CLEAN: Got = Got(2);
    pub const PERMIT: Got = Got(3);
    pub const SET: Got = Got(4);
    pub const BROKEN: Got = Got(5);
    pub const CLOSED: Got = Got(6);
    pub const MESSAGE: Got = Got(7);
    pub const MARKED: Got = Got(8);
    pub const RELEASED: Got = Got(9);
    pub const ROOM: Got = Got(10);
    pub const JOINED: Got = Got(11);
    pub const BROKEN_PIPE: Got = Got(12);
    /// Cut off in the middle of a message, and told so.
    pub const CUT: Got = Got(13);
    /// A message that nobody sent.
    pub const GARBLED: Got = Got(14);
    /// An operation failed, or an invariant did; its message is on standard error.
    pub const WRONG: Got = Got(99);
    const INDEX: u64 = 1000;

    /// Released from a barrier, as that number.
    pub fn index(i: u32) -> Got {
        Got(Got::INDEX + u64::from(i))
    }
}

impl std::fmt::Display for Got {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match *self {
            Got(0) => "nothing",
            Got::CLEAN => "clean",
            Got::TOLD => "told",
            Got::PERMIT => "permit",
            Got::SET => "set",
            Got::BROKEN => "broken",
            Got::CLOSED => "closed",
            Got::MESSAGE => "message",
            Got::MARKED => "redelivered",
            Got::RELEASED => "released",
            Got::ROOM => "room",
            Got::JOINED => "joined",
            Got::BROKEN_PIPE => "broken pipe",
            Got::CUT => "cut off",
            Got::GARBLED => "garbled",
            Got(i) if i >= Got::INDEX => return write!(f, "index {}", i - Got::INDEX),
            _ => "WRONG",
        })
    }
}

/// Why a cell was not played to its end.
#[derive(Debug)]
pub enum Trouble {
    /// The victim was not where it should be killed: try again.
    Missed,
    /// The survivors did not finish in time, or not well.
    Failed(String),
    /// They finished well, but something is gone.
    Lost(String),
}

/// The survivors have finished.
#[derive(Debug)]
pub struct Ended {
    /// Sorted.
    pub got: Vec<Got>,
    /// Until the last had, since the kill, or since what was to wake them if that came later.
    pub after_ns: u64,
}

pub type Verdict = Result<Ended, Trouble>;

impl Ended {
    /// These, and no others.
    pub fn with(self, mut expected: Vec<Got>) -> Verdict {
        expected.sort();
        if self.got == expected {
            Ok(self)
        } else {
            Err(Trouble::Failed(format!("got {}, not {}", list(&self.got), list(&expected))))
        }
    }

    /// Nothing is gone.
    pub fn and(self, whole: bool, what: impl FnOnce() -> String) -> Verdict {
        if whole { Ok(self) } else { Err(Trouble::Lost(what())) }
    }
}

pub fn list(got: &[Got]) -> String {
    got.iter().map(Got::to_string).collect::<Vec<_>>().join(" + ")
}

fn failed<T>(what: &str) -> Result<T, Trouble> {
    Err(Trouble::Failed(what.into()))
}

pub fn now_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid clock and out-pointer.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// Looks again and again; false after `within`.
pub fn until(within: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    let mut looks = 0;
    while !done() {
        if start.elapsed() > within {
            return false;
        }
        looks += 1;
        relax(looks);
    }
    true
}

pub struct Stage {
    /// How long survivors may take.
    pub patience: Duration,
    /// So many others sleep where the victim dies, each in a process of its own.
    pub survivors: usize,
    /// The system call that they sleep in.
    pub call: libc::c_long,
}

/// The first sleep where a light notifier may overlook it is a millisecond; the next one is a tick.
const SETTLED: Duration = Duration::from_millis(5);
/// Whatever cannot block.
const SOON: Duration = Duration::from_secs(20);

// Words of the board.
const GATE: usize = 0;
const GOT: usize = 10;
const WHEN: usize = 20;

struct Others {
    board: Shared<Board>,
    children: Vec<Child>,
    patience: Duration,
    call: libc::c_long,
}

impl Others {
    /// Lets them in, one after the other, each when the one before sleeps.
    fn fall_asleep(&mut self) -> Result<(), Trouble> {
        for (i, child) in self.children.iter_mut().enumerate() {
            self.board.set(GATE, i as u64 + 1);
            if !child.wait_asleep_in(self.call, SOON) {
                return failed("a survivor did not wait");
            }
        }
        if self.children.len() == 1 {
            // In a queue of two parties: not in its first sleep.
            std::thread::sleep(SETTLED);
            if !self.children[0].wait_asleep_in(self.call, SOON) {
                return failed("the survivor waits no more");
            }
        }
        Ok(())
    }

    fn anybody_done(&mut self) -> bool {
        self.children.iter_mut().any(|child| child.wait(Duration::ZERO).is_some())
    }

    fn finish(mut self, since_ns: u64) -> Verdict {
        let end = Instant::now() + self.patience;
        for child in &mut self.children {
            match child.wait(end.saturating_duration_since(Instant::now())) {
                Some(Exit::Code(0)) => {}
                Some(exit) => return failed(&format!("a survivor ended with {exit:?}")),
                None => return failed("hangs"),
            }
        }
        let words = |first| (0..self.children.len()).map(move |i| first + i);
        let last = words(WHEN).map(|at| self.board.get(at)).max().unwrap_or(0);
        let mut got: Vec<Got> = words(GOT).map(|at| Got(self.board.get(at))).collect();
        got.sort();
        Ok(Ended { got, after_ns: last.saturating_sub(since_ns) })
    }
}

impl Stage {
    /// With one survivor: the other party, or who goes on in the victim's place.
    pub fn alone(&self) -> Stage {
        Stage { survivors: 1, ..*self }
    }

    /// With survivors that sleep in that system call.
    pub fn asleep_in(&self, call: libc::c_long) -> Stage {
        Stage { call, ..*self }
    }

    fn others(&self, survivor: impl Fn() -> Got) -> Others {
        let board = Board::new();
        let play = |i| {
            fork(|| {
                if !until(SOON, || board.get(GATE) > i as u64) {
                    crate::support::process::exit(98);
                }
                board.set(GOT + i, survivor().0);
                board.set(WHEN + i, now_ns());
            })
        };
        let children = (0..self.survivors).map(play).collect();
        Others { board, children, patience: self.patience, call: self.call }
    }

    /// The victim has done `take`; the others fall asleep; it is killed; then comes `then`.
    pub fn holding(&self, survivor: impl Fn() -> Got, take: impl FnOnce(), then: impl FnOnce()) -> Verdict {
        let mut others = self.others(survivor);
        let mut victim = Victim::start(|| {
            take();
            trap();
        });
        others.fall_asleep()?;
        let since = now_ns();
        victim.kill();
        then();
        others.finish(since)
    }

    /// As [`Stage::holding`], but the others sleep before the victim does `take`.
    pub fn holding_late(&self, survivor: impl Fn() -> Got, take: impl FnOnce()) -> Verdict {
        let mut others = self.others(survivor);
        let mut victim = Victim::start(|| {
            trap();
            take();
            trap();
        });
        others.fall_asleep()?;
        if !victim.run_to_trap() {
            return failed("the victim did not get there");
        }
        let since = now_ns();
        victim.kill();
        others.finish(since)
    }

    /// The victim sleeps in `wait`, the others behind it; it is killed; then comes `wake`.
    pub fn waiting(&self, survivor: impl Fn() -> Got, wait: impl FnOnce(), wake: impl FnOnce()) -> Verdict {
        let mut others = self.others(survivor);
        let mut victim = asleep(wait)?;
        others.fall_asleep()?;
        victim.kill();
        let since = now_ns();
        wake();
        others.finish(since)
    }

    /// The victim sleeps in `wait`, first in the row; `wake` wakes it; it is killed before it has done one
    /// more instruction.
    pub fn woken(&self, survivor: impl Fn() -> Got, wait: impl FnOnce(), wake: impl FnOnce()) -> Verdict {
        let mut others = self.others(survivor);
        let mut victim = asleep(wait)?;
        others.fall_asleep()?;
        wake();
        if !victim.woken(SOON) {
            return failed("the victim was never woken");
        }
        if victim.returned() != 0 {
            return Err(Trouble::Missed); // its tick has come in between
        }
        let since = now_ns();
        victim.kill();
        others.finish(since)
    }

    /// As [`Stage::woken`], but before the kill a third party does `barge`, and after it `leave`, which has to
    /// wake one of the others: nobody else will.
    pub fn woken_too_late(
        &self,
        survivor: impl Fn() -> Got,
        wait: impl FnOnce(),
        wake: impl FnOnce(),
        barge: impl FnOnce(),
        leave: impl FnOnce(),
    ) -> Verdict {
        let mut others = self.others(survivor);
        let mut third = Victim::start(|| {
            trap();
            barge();
            trap();
            leave();
        });
        let mut victim = asleep(wait)?;
        others.fall_asleep()?;
        wake();
        if !victim.woken(SOON) {
            return failed("the victim was never woken");
        }
        if victim.returned() != 0 {
            return Err(Trouble::Missed); // its tick has come in between
        }
        if !third.run_to_trap() {
            return failed("the third party did not get there");
        }
        if others.anybody_done() {
            return Err(Trouble::Missed); // at its tick, before the third party came
        }
        victim.kill();
        if !third.run_to_wake() {
            return failed("the third party wakes nobody");
        }
        let since = now_ns();
        if !third.finish(SOON) {
            return failed("the third party does not come to its end");
        }
        others.finish(since)
    }

    /// The others sleep; the victim, which has done `before`, does `call`, and is killed when it has changed
    /// the state and is about to wake somebody.
    pub fn inside(&self, survivor: impl Fn() -> Got, before: impl FnOnce(), call: impl FnOnce()) -> Verdict {
        self.inside_then(survivor, before, call, || {})
    }

    /// As [`Stage::inside`]; then comes `then`, which wakes nobody either.
    pub fn inside_then(
        &self,
        survivor: impl Fn() -> Got,
        before: impl FnOnce(),
        call: impl FnOnce(),
        then: impl FnOnce(),
    ) -> Verdict {
        let mut others = self.others(survivor);
        let mut victim = Victim::start(|| {
            before();
            trap();
            call();
        });
        others.fall_asleep()?;
        if !victim.run_to_wake() {
            return failed("the victim never woke anybody");
        }
        let since = now_ns();
        victim.kill();
        then();
        others.finish(since)
    }
}

fn asleep(wait: impl FnOnce()) -> Result<Victim, Trouble> {
    let mut victim = Victim::start(|| {
        trap();
        wait();
    });
    // A short sleep is over in between, and then comes a long one.
    for _ in 0..20 {
        if !victim.run_to_sleep() {
            return failed("the victim did not wait");
        }
        if !victim.woken(SETTLED) {
            return Ok(victim);
        }
    }
    failed("the victim never sleeps for long")
}

/// Zeroed shared memory for ever (the referee's ever).
pub fn place<T>() -> &'static T {
    // SAFETY: all that is placed here is made of atomics, or made in place before it is used.
    let memory = unsafe { Shared::<T>::zeroed() };
    Box::leak(Box::new(memory))
}

/// In a survivor: says so if not.
pub fn check(holds: bool, what: &str, got: Got) -> Got {
    if holds {
        got
    } else {
        eprintln!("a survivor: {what}");
        Got::WRONG
    }
}
