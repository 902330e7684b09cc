//! The sweeps of the synchronization family: one stage, on which each primitive's play is given.
//!
//! A [`Play`] says what the world is, what the victim does, what sleepers sleep for, and what the survivors
//! must find. The [`Stage`] brings the victim to its point: before or while others sleep, until it
//! falls asleep, or from the moment it is woken.

pub mod barrier;
mod barrier_subjects;
mod bill;
pub mod close;
pub mod condition;
mod condition_subjects;
pub mod event;
mod ground;
pub mod life;
pub mod rlock;
pub mod semaphore;
pub mod tracked;

pub use bill::Bill;
pub use ground::{Ticking, futex, limit, region};

use crate::support::{
    process::{Child, Exit, asleep, fork, relax},
    queue::fingerprint,
    runner::Scene,
    shared::{Board, Shared},
    step::{Step, Victim, trap},
};
use rialto::{
    FOREVER, Region,
    sys::{Os, Platform},
};
use std::{
    sync::atomic::AtomicU32,
    time::{Duration, Instant},
};

/// What is wrong, if anything is.
pub type Verdict = Result<(), String>;

/// Nobody that is owed something may sleep longer than this.
pub const WATCHDOG: Duration = Duration::from_secs(15);
pub const WATCHDOG_NS: u64 = WATCHDOG.as_nanos() as u64;
/// A victim that is led astray (it took another path than the run before) need not sleep so long.
pub const VICTIM_NS: u64 = 5_000_000_000;

// Words of the board.
pub const DONE: usize = 0;
/// The victim's own, 8 of them.
pub const VICTIM: usize = 1;
/// Set when sleepers may end.
pub const GO: usize = 9;
const SEATS: usize = 10;

/// The words of the i-th sleeper or newcomer, 4 each; the first is not 0 when it is through.
pub fn seat(i: usize) -> usize {
    SEATS + 4 * i
}

/// How the survivors come to their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Sleepers tick, and get by themselves what is there for them.
    Ticks,
    /// Sleepers do not tick; a survivor wakes them by doing it again.
    Again,
    /// The victim lives, sleepers do not tick: it must have woken them itself.
    Lives,
}

/// How the victim gets to its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// From the trap to the end; the sleepers sleep already.
    Runs,
    /// The same; the sleepers come when [`Play::busy`].
    Meets,
    /// From the trap until it sleeps.
    FallsAsleep,
    /// From the moment when somebody wakes it, or its time is up, to the end. The sleepers came after it.
    Woken,
    /// The same; it goes to sleep once more on the way, until somebody lets go.
    Barred,
    /// As `Woken`; the sleepers came first.
    WokenLast,
}

pub trait Play: Clone + 'static {
    type World;
    /// Anew, with sleepers that tick that often if they are a region's.
    fn build(&self, tick_ms: u32, board: &Board) -> Self::World;
    /// This process gives up what it holds, before the world goes.
    fn give_up(&self, _world: &Self::World, _board: &Board) {}
    /// The victim, before its trap: first uses, and what it holds.
    fn prepare(&self, world: &Self::World, board: &Board);
    /// The victim's operation.
    fn act(&self, world: &Self::World, board: &Board);
    /// A sleeper; `at` is its seat.
    fn sleep<P: Platform>(&self, platform: P, world: &Self::World, board: &Board, at: usize);
    /// Sleepers come before the victim starts.
    fn early(&self) -> bool {
        false
    }
    /// Right before the victim goes.
    fn eve(&self, _world: &Self::World, _board: &Board) {}
    /// What wakes the victim. It stays asleep if its time is up by itself.
    fn wake(&self, _world: &Self::World, _board: &Board) {}
    /// What lets it go on after it was barred.
    fn let_go(&self, _world: &Self::World) {}
    /// Whether sleepers find something to sleep for.
    fn busy(&self, _world: &Self::World) -> bool {
        false
    }
    /// The memory that others see: start and length.
    fn memory(&self, world: &Self::World) -> (*const u8, usize);
    /// The victim is dead, or has done its work.
    fn judge(&self, cast: &mut Cast<Self::World>) -> Verdict;
}

/// Who is there when a point is judged.
pub struct Cast<'a, W> {
    pub world: &'a W,
    pub board: &'a Board,
    pub others: &'a mut [Child],
    pub after: After,
}

impl<W> Cast<'_, W> {
    /// The victim's operation had returned.
    pub fn done(&self) -> bool {
        self.board.get(DONE) != 0
    }

    /// How many sleepers have what they slept for.
    pub fn through(&self) -> usize {
        (0..self.others.len()).filter(|i| self.board.get(seat(*i)) != 0).count()
    }

    /// Waits until so many are through.
    pub fn expect(&mut self, count: usize, patience: Duration) -> Verdict {
        let start = Instant::now();
        let mut looks = 0;
        while self.through() < count {
            if start.elapsed() > patience {
                let all = self.others.len();
                return Err(format!("{} of {all} sleepers are through, not {count}", self.through()));
            }
            for (i, other) in self.others.iter_mut().enumerate() {
                other.poll(libc::WNOHANG);
                if other.exited().is_some_and(|exit| exit != Exit::Code(0)) {
                    return Err(format!("sleeper {i} ended with {:?}", other.exited()));
                }
            }
            looks += 1;
            relax(looks);
        }
        Ok(())
    }

    /// All of them end.
    pub fn finish(&mut self, patience: Duration) -> Verdict {
        let count = self.others.len();
        self.expect(count, patience)?;
        self.others.iter_mut().enumerate().try_for_each(|(i, other)| finish(other, i, patience))
    }
}

/// That child ends, and well.
pub fn finish(child: &mut Child, i: usize, patience: Duration) -> Verdict {
    match child.wait(patience) {
        Some(Exit::Code(0)) => Ok(()),
        Some(exit) => Err(format!("sleeper {i} ended with {exit:?}")),
        None => Err(format!("sleeper {i} does not end")),
    }
}

/// `what`, if not `right`.
pub fn check(right: bool, what: impl FnOnce() -> String) -> Verdict {
    if right { Ok(()) } else { Err(what()) }
}

/// Naps until the board says so.
pub fn nap_until(board: &Board, at: usize) {
    while board.get(at) == 0 {
        // SAFETY: a nap.
        unsafe { libc::usleep(100) };
    }
}

/// One play, one course.
pub struct Stage<P: Play> {
    play: P,
    course: Course,
    sleepers: usize,
    after: After,
    board: Shared<Board>,
    world: Option<P::World>,
    others: Vec<Child>,
    ended: bool,
    /// This process bars the victim's way.
    barring: bool,
}

impl<P: Play> Stage<P> {
    fn new(play: P, course: Course, sleepers: usize, after: After) -> Self {
        let (board, others) = (Board::new(), vec![]);
        Stage { play, course, sleepers, after, board, world: None, others, ended: false, barring: false }
    }

    fn world(&self) -> &P::World {
        self.world.as_ref().expect("a world")
    }

    fn is_woken(&self) -> bool {
        matches!(self.course, Course::Woken | Course::Barred | Course::WokenLast)
    }

    fn tick_ms(&self) -> u32 {
        match self.after {
            After::Again | After::Lives => 60_000,
            // A sleeper that ticks would be in the woken one's way.
            After::Ticks if self.is_woken() => 60,
            After::Ticks => 20,
        }
    }

    fn let_go(&mut self) {
        if core::mem::take(&mut self.barring) {
            self.play.let_go(self.world());
        }
    }

    fn tear_down(&mut self) {
        self.others.clear();
        if self.world.is_some() {
            self.let_go();
            self.play.give_up(self.world(), &self.board);
        }
        self.world = None;
    }

    fn add_other(&mut self) {
        let (world, board, at) = (self.world(), &*self.board, seat(self.others.len()));
        let (play, tick) = (&self.play, self.tick_ms());
        let other = fork(|| match tick {
            20 => play.sleep(Ticking::<20>, world, board, at),
            60 => play.sleep(Ticking::<60>, world, board, at),
            _ => play.sleep(Ticking::<60_000>, world, board, at),
        });
        self.others.push(other);
    }

    fn add_sleepers(&mut self) {
        while self.others.len() < self.sleepers {
            self.add_other();
            assert!(self.others.last_mut().unwrap().wait_asleep(WATCHDOG), "a sleeper does not sleep");
        }
    }

    fn try_set(&mut self) -> Option<Victim> {
        self.tear_down();
        self.board.clear();
        self.ended = false;
        self.world = Some(self.play.build(self.tick_ms(), &self.board));
        let late = matches!(self.course, Course::Meets | Course::Woken | Course::Barred);
        let early = !late && (self.play.early() || self.course == Course::WokenLast);
        if early {
            self.add_sleepers();
        }
        let (play, world, board) = (&self.play, self.world(), &*self.board);
        let mut victim = Victim::start(|| {
            play.prepare(world, board);
            trap();
            play.act(world, board);
            board.set(DONE, 1);
        });
        if !late {
            self.add_sleepers();
        }
        self.play.eve(self.world(), &self.board);
        if self.is_woken() {
            if !victim.run_to_sleep() {
                return None;
            }
            self.add_sleepers();
            // If a tick has ended its sleep, a single wake-up would go to another one.
            if self.course != Course::WokenLast && !asleep(victim.pid()) {
                return None;
            }
            self.play.wake(self.world(), &self.board);
            self.barring = self.course == Course::Barred;
            assert!(victim.woken(WATCHDOG), "the victim is never woken");
            victim.start_counting();
        }
        Some(victim)
    }

    /// The victim lives; what it is to wake, it must wake.
    fn lives(&mut self) -> Verdict {
        let mut victim = self.set();
        let mut acted = false;
        while !self.over() {
            if !acted && self.due(&victim) {
                acted = true;
                self.act(&mut victim);
            }
            if self.board.get(DONE) == 0 && victim.step() == Step::Gone {
                break;
            }
        }
        check(self.board.get(DONE) != 0, || "alive, the victim does not do its work".into())?;
        self.rest(|_| ())?;
        drop(victim);
        Ok(())
    }

    fn rest(&mut self, kill: impl FnOnce(&mut Self)) -> Verdict {
        kill(self);
        while self.others.len() < self.sleepers {
            self.add_other();
        }
        self.let_go();
        let world = self.world.as_ref().ok_or("no world")?;
        let (board, others, after) = (&*self.board, &mut self.others[..], self.after);
        self.play.judge(&mut Cast { world, board, others, after })
    }
}

impl<P: Play> Drop for Stage<P> {
    fn drop(&mut self) {
        self.tear_down();
    }
}

impl<P: Play> Scene for Stage<P> {
    fn set(&mut self) -> Victim {
        (0..100).find_map(|_| self.try_set()).expect("the victim is never where it should be")
    }

    fn over(&self) -> bool {
        self.ended || self.board.get(DONE) != 0
    }

    fn valid(&self) -> bool {
        self.ended == (self.course == Course::FallsAsleep)
    }

    fn due(&mut self, victim: &Victim) -> bool {
        match self.course {
            Course::Meets => self.others.is_empty() && self.sleepers > 0 && self.play.busy(self.world()),
            Course::Barred if self.barring => victim.before_futex_wait(),
            // Woken, it was robbed: no point of this operation.
            _ => {
                self.ended |= victim.before_futex_wait();
                false
            }
        }
    }

    fn act(&mut self, victim: &mut Victim) {
        if self.course == Course::Meets {
            self.add_sleepers();
            return;
        }
        victim.step_or_sleep();
        self.let_go();
        assert!(victim.woken(WATCHDOG), "the victim is never woken again");
    }

    fn fingerprint(&self, victim: &Victim) -> u64 {
        let (start, len) = self.play.memory(self.world());
        fingerprint(start, len) ^ victim.robust_list()
    }

    fn judge(&mut self, mut victim: Victim) -> Verdict {
        self.rest(|_| {
            victim.kill();
            drop(victim);
        })
    }
}
