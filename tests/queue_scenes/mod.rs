//! The sweeps of queues in full: loans, batches, tasks, policies, event loops, in rings and indexed queues.
//!
//! A [`World`] says what is there, what a victim does, and what survivors can do; a [`Setup`](World::Setup)
//! what lies in it at first. Whoever acts keeps a [diary](diary), and the [books](books) know from that what
//! the dead can have done. Three scenes: [`alone`], [`company`] (somebody sleeps), [`pair`] (two victims).
//! Another kind of channel is another `World`.
#![allow(dead_code)]

pub mod alone;
pub mod bill;
pub mod books;
pub mod company;
pub mod diary;
pub mod pair;
pub mod queue;

use books::{Delivery, Log, Terms};
use diary::Diary;
use rialto::Depth;
use std::{fmt::Debug, time::Duration};

/// What is wrong, if anything is.
pub type Verdict = Result<(), String>;

/// Nobody that is owed something may sleep longer than this.
pub const WATCHDOG: Duration = Duration::from_secs(15);
pub const TICK_MS: u32 = 20;

/// `what`, if not `right`.
pub fn check(right: bool, what: impl FnOnce() -> String) -> Verdict {
    if right { Ok(()) } else { Err(what()) }
}

pub trait World: Sized + 'static {
    type Setup: Clone + Debug + 'static;
    type Op: Copy + Debug + 'static;
    /// What a victim has in hand at its trap.
    type Held;

    fn create(setup: &Self::Setup, tick_ms: u32) -> Self;
    /// What lies there at first, and the attempt that its next holder is told.
    fn first(&self) -> Vec<(u64, u8)>;
    /// Leaves somebody dead behind, not buried yet, with something in hand; how many.
    fn leave_corpses(&self, diary: &Diary) -> u32;
    /// A victim, before its trap: first uses, and what it holds.
    fn prepare(&self, op: Self::Op, who: usize, diary: &Diary) -> Self::Held;
    /// The others, while it stands there. What they put goes to `put`, what they took to `log`.
    fn eve(&self, put: &mut Vec<u64>, log: &mut Log);
    /// The victim's operation. `who`: 0 or 1.
    fn act(&self, op: Self::Op, who: usize, held: Self::Held, diary: &Diary);
    /// As [`World::act`], of a sleeper: waits.
    fn sleep(&self, sleeper: company::Sleeper, tick: Duration, diary: &Diary);
    /// Whether a sleeper has nothing to hope for, as things are.
    fn owes_nothing(&self, sleeper: company::Sleeper) -> bool;

    /// A survivor puts a message there, if it can at once.
    fn put(&self, value: u64) -> bool;
    /// A survivor takes one, if there is one, and is done with it.
    fn take(&self) -> Option<Delivery>;
    /// Messages that fit.
    fn room(&self) -> u64;
    /// How many places the operation keeps while it stands still.
    fn keeps(&self, op: Self::Op) -> u64;
    /// Nobody has anything to do any more.
    fn is_settled(&self) -> Verdict;
    /// What must hold after that operation. `over`: it has returned.
    fn after(&self, _op: Self::Op, _over: bool, _diary: &Diary) -> Verdict {
        Ok(())
    }
    /// It can be filled no more.
    fn is_closed(&self) -> bool;
    /// What the dead have in hand comes back; how many dead.
    fn recover(&self, depth: Depth) -> u32;
    /// Members, dead ones that nobody has noticed included.
    fn members(&self) -> u32;
    fn terms(&self) -> Terms;
    /// The memory that others see: start and length.
    fn memory(&self) -> (*const u8, usize);
}

/// Takes all there is, without waiting.
pub fn drain(world: &impl World, log: &mut Log) {
    let mut misses = 0;
    while misses < 3 && log.len() < 300 {
        match world.take() {
            Some(delivery) => {
                misses = 0;
                log.push(delivery);
            }
            None => misses += 1,
        }
    }
}

/// `n` times full and empty again: at least `room` must fit, and come out in order, unmarked. What else comes
/// out goes to `log`.
pub fn laps(world: &impl World, n: u64, base: u64, room: u64, log: &mut Log) -> Verdict {
    if world.is_closed() {
        return Ok(());
    }
    for lap in 0..n {
        let base = base + lap * 100;
        let (mut count, mut misses) = (0, 0);
        while misses < 3 && count < 100 {
            if world.put(base + count) {
                (count, misses) = (count + 1, 0);
            } else {
                misses += 1;
            }
        }
        check((room..=world.room()).contains(&count), || {
            format!("lap {base}: room for {count}, not {room}")
        })?;
        let mut all = Log::new();
        drain(world, &mut all);
        let (mine, others): (Log, Log) = all.iter().partition(|it| (base..base + 100).contains(&it.value));
        let right = mine.len() as u64 == count
            && mine.iter().zip(base..).all(|(it, value)| it.value == value && it.attempt == 0);
        check(right, || format!("lap {base}: put {count}, got {mine:?}"))?;
        log.extend(others);
    }
    Ok(())
}
