//! What `sweep_state` builds anew for every point: a region with an object, perhaps a writer that died in it, a victim
//! in the middle of an operation, and those who come after it.

pub mod subjects;

use crate::support::{
    queue::fingerprint,
    runner::Scene,
    shared::{Board, Shared},
    step::{Reached, Route, Step, Victim, trap},
};
use rialto::{Error, Region, RegionConfig};
use std::time::Duration;

const WATCHDOG: Duration = Duration::from_secs(15);
pub const PATIENT: u64 = 15_000_000_000;
const DONE: usize = 0;

/// An object under the sweep. `create` makes one that is neither empty nor full.
pub trait Subject: Copy + 'static {
    /// Whether there is a lock, and two copies.
    const LOCKED: bool = true;
    fn create(region: &'static Region, name: &str) -> Self;
    /// All of its state, without the lock.
    fn see(self) -> Result<String, Error>;
    /// An operation of a survivor: it changes every state.
    fn further(self) -> Result<(), Error>;
    /// Whatever the state is: adds as much as fits, takes all of it out, and again.
    fn brim(self) -> Result<(), String>;
    /// This handle, which waits at most so long.
    fn within(self, _timeout_ns: u64) -> Self {
        self
    }
    fn take(self) -> Result<(), Error> {
        Ok(())
    }
    fn give(self) -> Result<(), Error> {
        Ok(())
    }
    /// How many repairs there were.
    fn repairs(self) -> u32 {
        0
    }
}

/// How far the first of two victims comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Half {
    /// Its draft is not what is published any more.
    Drafted,
    /// And now the draft is published, and the other copy is old.
    Published,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    Killed,
    /// And resumed.
    Stopped,
    /// Planted: killed, and somebody says that there is nothing to repair.
    Forgotten,
}

/// What a case does.
pub struct Plan<S> {
    pub act: fn(S),
    /// Somebody was killed in this before.
    pub first: Option<(fn(S), Half)>,
    /// `act` changes nothing.
    pub idle: bool,
    pub fate: Fate,
}

impl<S> Clone for Plan<S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Plan<S> {}

/// What there is before and after the operation, and what `further` makes of both.
struct States {
    old: String,
    new: String,
    old_further: String,
    new_further: String,
}

pub struct StateScene<S> {
    plan: Plan<S>,
    states: Option<States>,
    /// The first point at which the new state was read.
    new_from: u64,
    /// How many survivors found a draft and repaired.
    pub repairs: u64,
    /// The first victim's way, and at which point it is killed.
    first: Option<(Route, u64)>,
    board: Shared<Board>,
    world: Option<(S, Box<Region>)>,
}

impl<S: Subject> StateScene<S> {
    pub fn new(plan: Plan<S>) -> Self {
        let (new_from, board) = (u64::MAX, Board::new());
        let mut scene =
            StateScene { plan, states: None, new_from, repairs: 0, first: None, board, world: None };
        scene.states = Some(scene.ask_states());
        scene
    }

    /// By doing all of it in turn, undisturbed.
    fn ask_states(&mut self) -> States {
        let plan = self.plan;
        let mut after = |acts: &[fn(S)]| {
            let (it, _) = self.build();
            if let Some((first, Half::Published)) = plan.first {
                first(it);
            }
            acts.iter().for_each(|act| act(it));
            it.see().expect("a state")
        };
        let further = |it: S| it.further().expect("room");
        let states = States {
            old: after(&[]),
            new: after(&[plan.act]),
            old_further: after(&[further]),
            new_further: after(&[plan.act, further]),
        };
        assert_eq!(states.old == states.new, plan.idle, "{}", states.old);
        assert!(states.old != states.old_further && states.new != states.new_further);
        states
    }

    /// A new world; its object, and another to warm up with.
    fn build(&mut self) -> (S, S) {
        self.world = None;
        let config = RegionConfig { members: 4, objects: 2, tick_ms: 60_000 };
        let region = Box::new(Region::create_anonymous(1 << 13, &config).expect("region"));
        // SAFETY: the box is not moved out of, and what borrows is not used after it.
        let forever: &'static Region = unsafe { &*core::ptr::from_ref::<Region>(&*region) };
        let (it, warm) = (S::create(forever, "it"), S::create(forever, "warm"));
        self.world = Some((it, region));
        (it, warm)
    }

    fn region(&self) -> &Region {
        &self.world.as_ref().expect("a world").1
    }

    fn print(&self) -> u64 {
        fingerprint(self.region().as_ptr(), self.region().len())
    }

    /// Kills somebody in the middle of `act`. Stepped the first time only.
    fn kill_half_way(&mut self, it: S, warm: S, act: fn(S), half: Half) {
        let copies = Copies::all(self.region())[0];
        let seq = copies.seq();
        let is_there = || !copies.are_equal() && (copies.seq() != seq) == (half == Half::Published);
        for _ in 0..3 {
            let mut victim = Victim::start(|| {
                warm.further().unwrap();
                trap();
                act(it);
            });
            let Some((route, k)) = &self.first else {
                let mut route = Route::default();
                route.push(victim.pc());
                while !is_there() {
                    assert!(victim.step() == Step::Stopped, "it came to its end and was never {half:?}");
                    route.push(victim.pc());
                }
                self.first = Some((route, victim.at()));
                return victim.kill();
            };
            let reached = victim.advance(route, *k);
            victim.kill();
            if reached == Reached::Yes && is_there() {
                return;
            }
        }
        panic!("the first victim does not come there again");
    }

    fn after_a_kill(&mut self, it: S, seen: &str) -> Result<(), String> {
        let fail = |error: Error| error.to_string();
        let dead = self.print();
        let again = it.within(0).see().map_err(|error| format!("reading after the death: {error:?}"))?;
        if again != seen {
            return Err(format!("{seen}, and after the death {again}"));
        }
        if self.print() != dead {
            return Err("a reader writes".into());
        }
        if self.plan.fate == Fate::Forgotten {
            Copies::all(self.region())[0].forget();
        }
        it.take().map_err(|error| format!("the dead one's lock: {error:?}"))?;
        let again = it.see().map_err(fail)?;
        it.give().map_err(fail)?;
        if again != seen { Err(format!("{seen}, and under the lock {again}")) } else { Ok(()) }
    }
}

impl<S: Subject> Scene for StateScene<S> {
    fn set(&mut self) -> Victim {
        let plan = self.plan;
        self.board.clear();
        let (it, warm) = self.build();
        if let Some((act, half)) = plan.first {
            self.kill_half_way(it, warm, act, half);
        }
        let board = &*self.board;
        Victim::start(|| {
            warm.further().unwrap();
            trap();
            (plan.act)(it);
            board.set(DONE, 1);
        })
    }

    fn over(&self) -> bool {
        self.board.get(DONE) != 0
    }

    fn fingerprint(&self, victim: &Victim) -> u64 {
        self.print() ^ victim.robust_list()
    }

    fn judge(&mut self, mut victim: Victim) -> Result<(), String> {
        let it = self.world.as_ref().expect("a world").0.within(PATIENT);
        let states = self.states.take().expect("asked first");
        let result = self.judge_by(&states, it, &mut victim);
        self.states = Some(states);
        result
    }
}

impl<S: Subject> StateScene<S> {
    fn judge_by(&mut self, states: &States, it: S, victim: &mut Victim) -> Result<(), String> {
        let before = self.print();
        let mut seen = it.within(0).see().map_err(|error| format!("reading beside it: {error:?}"))?;
        if self.print() != before {
            return Err("a reader writes".into());
        }
        if seen == states.new {
            self.new_from = self.new_from.min(victim.at());
        } else if seen != states.old {
            return Err(format!("{seen} is neither {} nor {}", states.old, states.new));
        } else if self.new_from <= victim.at() {
            return Err(format!("{seen} again"));
        }
        if self.plan.fate == Fate::Stopped {
            if !victim.finish(WATCHDOG) {
                return Err("going on, the victim does not come to its end".into());
            }
            seen = it.see().map_err(|error| error.to_string())?;
            if seen != states.new {
                return Err(format!("it has done its work, and there is {seen}"));
            }
        } else {
            victim.kill();
            self.after_a_kill(it, &seen)?;
        }
        let repairs = it.repairs();
        let deaths = u32::from(self.plan.fate != Fate::Stopped) + u32::from(self.plan.first.is_some());
        if repairs > deaths {
            return Err(format!("{repairs} repairs"));
        }
        self.repairs += u64::from(repairs);
        it.further().map_err(|error| format!("an operation afterwards: {error:?}"))?;
        let (after, expected) = (
            it.see().map_err(|error| error.to_string())?,
            if seen == states.new { &states.new_further } else { &states.old_further },
        );
        if after != *expected {
            return Err(format!("{after} afterwards, not {expected}"));
        }
        sound(self.region())?;
        it.brim()?;
        sound(self.region())
    }
}

/// Every object is at rest.
fn sound(region: &Region) -> Result<(), String> {
    let copies = Copies::all(region);
    if copies.iter().all(|copies| copies.are_equal() && !copies.is_drafting()) {
        Ok(())
    } else {
        Err("the copies differ".into())
    }
}

/// An object's two copies, see `src/shadow`.
#[derive(Clone, Copy)]
pub struct Copies {
    at: *const u8,
    bytes: usize,
}

impl Copies {
    /// Those of a region, by their magic numbers.
    pub fn all(region: &Region) -> Vec<Copies> {
        let mut all = vec![];
        for offset in (0..region.len()).step_by(128) {
            let at = region.as_ptr().wrapping_add(offset).cast_const();
            // SAFETY: inside the region, aligned.
            let words = unsafe { at.cast::<[u32; 2]>().read_volatile() };
            if [*b"RLTV", *b"RLTA", *b"RLTL", *b"RLTD", *b"RLTN"].contains(&words[0].to_le_bytes()) {
                all.push(Copies { at, bytes: words[1] as usize });
            }
        }
        all
    }

    fn word(&self, offset: usize) -> u32 {
        // SAFETY: in its header.
        unsafe { self.at.add(offset).cast::<u32>().read_volatile() }
    }

    fn seq(&self) -> u32 {
        self.word(128)
    }

    fn is_drafting(&self) -> bool {
        self.word(136) != 0
    }

    fn forget(&self) {
        // SAFETY: as above; atomics of others, whom we imitate.
        unsafe { self.at.add(136).cast::<u32>().cast_mut().write_volatile(0) }
    }

    fn are_equal(&self) -> bool {
        let stride = self.bytes.next_multiple_of(128);
        // SAFETY: nobody writes them while the victim stands; inside the object.
        let (a, b) = unsafe {
            (
                std::slice::from_raw_parts(self.at.add(256), self.bytes),
                std::slice::from_raw_parts(self.at.add(256 + stride), self.bytes),
            )
        };
        a == b
    }
}
