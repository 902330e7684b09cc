//! One victim, and somebody who sleeps and is owed something: by the victim's doing, by its death, or by what
//! the survivors do then.

use super::{
    TICK_MS, Verdict, WATCHDOG, World,
    alone::{print, start},
    books::{Books, Log},
    check,
    diary::{Diary, FIRST, SLEEPER, diaries},
    drain, laps,
};
use crate::support::{
    process::{Child, Exit, fork, relax},
    runner::Scene,
    shared::Shared,
    step::{Step, Victim},
};
use rialto::Depth;
use std::time::{Duration, Instant};

/// Who sleeps, and for what. They do it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleeper {
    Popper,
    Pusher,
    Joiner,
    /// Event loops, asleep on a descriptor.
    DataLoop,
    SpaceLoop,
}

/// How the sleeper comes to its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// By its tick.
    Ticks,
    /// The victim lives, and nobody ticks: it must have woken it.
    Lives,
    /// Planted: nobody ticks, and the victim dies.
    Never,
}

pub struct Company<W: World> {
    setup: W::Setup,
    op: W::Op,
    sleeper: Sleeper,
    after: After,
    diaries: Shared<[Diary; 4]>,
    world: Option<W>,
    other: Option<Child>,
    put: Vec<u64>,
    log: Log,
}

const HELP: u64 = 500;

/// Waits for it, and reads it; false if the time is up.
pub fn poll(fd: i32, wait: Duration) -> bool {
    let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let mut word = 0u64;
    // SAFETY: our own descriptor and places.
    unsafe {
        let ready = libc::poll(&raw mut poll, 1, wait.as_millis() as i32) > 0;
        if ready {
            libc::read(fd, (&raw mut word).cast(), 8);
        }
        ready
    }
}

/// Whether it sleeps in a poll.
fn polls(pid: i32) -> bool {
    let read = |file| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let calls = [libc::SYS_poll, libc::SYS_ppoll].map(|call| call.to_string());
    let (call, stat) = (read("syscall"), read("stat"));
    let asleep = stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'));
    asleep && call.split(' ').next().is_some_and(|call| calls.iter().any(|it| it == call))
}

impl<W: World> Company<W> {
    pub fn new(setup: W::Setup, op: W::Op, sleeper: Sleeper, after: After) -> Self {
        let diaries = diaries();
        Company { setup, op, sleeper, after, diaries, world: None, other: None, put: vec![], log: vec![] }
    }

    fn tick(&self) -> Duration {
        let ms = if self.after == After::Ticks { TICK_MS } else { 60_000 };
        Duration::from_millis(ms.into())
    }

    /// The victim lives to its end.
    pub fn lives(&mut self) -> Verdict {
        let mut victim = self.set();
        while !self.over() {
            if victim.step() == Step::Gone {
                break;
            }
        }
        check(self.over(), || "alive, the victim does not do its work".into())?;
        self.judge(victim)
    }

    fn wait(&mut self) -> Verdict {
        let (world, sleeper) = (self.world.as_ref().ok_or("no world")?, self.sleeper);
        let other = self.other.as_mut().ok_or("no other")?;
        let patience = if self.after == After::Never { Duration::from_millis(500) } else { WATCHDOG };
        let (start, mut helped) = (Instant::now(), false);
        while other.wait(Duration::from_millis(1)).is_none() {
            check(start.elapsed() < patience, || format!("a sleeper is never woken; helped: {helped}"))?;
            // While the dead one is not buried, what it had may be owed.
            // (Who only joins the tasks is no member.)
            let settled = world.members() <= if sleeper == Sleeper::Joiner { 1 } else { 2 };
            if settled && !helped && self.after != After::Lives && world.owes_nothing(sleeper) {
                helped = true;
                // A dead one is no member from the beginning of its burial; what it had is there at the end.
                world.recover(Depth::Marked);
                match sleeper {
                    Sleeper::Popper | Sleeper::DataLoop => {
                        self.put.push(HELP);
                        check(world.put(HELP), || "no room in an empty one".into())?;
                    }
                    Sleeper::Pusher | Sleeper::SpaceLoop => self.log.extend(world.take()),
                    Sleeper::Joiner => drain(world, &mut self.log),
                }
            }
        }
        check(other.exited() == Some(Exit::Code(0)), || {
            format!("a sleeper ended with {:?}", other.exited())
        })?;
        let said = self.diaries[SLEEPER].said();
        check(sleeper != Sleeper::Joiner || said == Some(0), || {
            format!("joined, and {said:?} are unfinished")
        })
    }
}

impl<W: World> Scene for Company<W> {
    fn set(&mut self) -> Victim {
        (self.other, self.world) = (None, None);
        self.diaries.iter().for_each(Diary::clear);
        (self.put, self.log) = (vec![], vec![]);
        let tick = self.tick();
        let world = self.world.insert(W::create(&self.setup, tick.as_millis() as u32));
        let (sleeper, diary) = (self.sleeper, &self.diaries[SLEEPER]);
        let sleep = |world: &W| fork(|| world.sleep(sleeper, tick, diary));
        // Of a victim that holds something at its trap, the sleeper may not get it.
        let victim = start(world, self.op, 0, &self.diaries[FIRST]);
        let mut other = sleep(world);
        let (start, mut looks) = (Instant::now(), 0);
        while !polls(other.pid()) && !crate::support::process::asleep(other.pid()) {
            other.poll(libc::WNOHANG);
            assert!(other.exited().is_none(), "the sleeper has not slept: {:?}", other.exited());
            assert!(start.elapsed() < WATCHDOG, "the sleeper does not sleep");
            looks += 1;
            relax(looks);
        }
        world.eve(&mut self.put, &mut self.log);
        self.other = Some(other);
        victim
    }

    fn over(&self) -> bool {
        self.diaries[FIRST].is_closed()
    }

    fn fingerprint(&self, victim: &Victim) -> u64 {
        self.world.as_ref().map_or(0, |world| print(world, &self.diaries, victim))
    }

    fn judge(&mut self, mut victim: Victim) -> Verdict {
        if self.after != After::Lives {
            victim.kill();
        }
        self.wait()?;
        drop(victim);
        let world = self.world.as_ref().ok_or("no world")?;
        world.recover(Depth::Marked);
        let mut log = core::mem::take(&mut self.log);
        drain(world, &mut log);
        laps(world, 3, 5000, world.room(), &mut log)?;
        world.is_settled()?;
        let (first, put, diaries, terms) = (&world.first(), &self.put, &self.diaries[..], world.terms());
        Books { first, put, log: &log, diaries, terms }.balance()
    }
}
