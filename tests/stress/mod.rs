//! Four processes at one game, undisturbed or killed at random, and the referee who started them.

pub mod barrier;
pub mod condition;
pub mod event;
pub mod locks;
pub mod permits;

use crate::procs::{Child, End, Shared, fork};
use std::{
    sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::*},
    thread,
    time::{Duration, Instant},
};

pub const WORKERS: usize = 4;
/// Much more than any hold-up that the design allows.
const STALL: Duration = Duration::from_secs(20);
/// Incarnations that can be told apart.
const MANY: usize = 1 << 17;

/// xorshift64*: Vigna 2016.
pub struct Random(u64);
impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }
    pub fn pause(&mut self, most: u64) {
        (0..self.below(most)).for_each(|_| std::hint::spin_loop());
    }
}

/// Zeroed shared memory for as long as this program runs.
pub fn place<T>() -> &'static T {
    // SAFETY: all that is placed here is made of atomics, or made in place before it is used.
    let memory: Shared<T> = unsafe { Shared::zeroed() };
    Box::leak(Box::new(memory))
}

/// What all games share.
pub struct Crew {
    finish: AtomicU32,
    /// Rounds finished, by each worker; its next incarnation counts on.
    pub rounds: [AtomicU64; WORKERS],
    pub kills_begun: AtomicU64,
    pub kills_done: AtomicU64,
    condemned: [AtomicU8; MANY],
}

/// A worker: which of the four, and which incarnation, never 0.
#[derive(Clone, Copy)]
pub struct Worker {
    pub at: usize,
    pub who: u64,
}

impl Crew {
    pub fn is_over(&self) -> bool {
        self.finish.load(SeqCst) != 0
    }
    pub fn round(&self, worker: Worker) {
        self.rounds[worker.at].fetch_add(1, Relaxed);
    }
    pub fn total(&self) -> u64 {
        self.rounds.iter().map(|n| n.load(SeqCst)).sum()
    }
    /// Killed, or about to be.
    pub fn is_condemned(&self, who: u64) -> bool {
        self.condemned[who as usize].load(SeqCst) != 0
    }
}

pub trait Game {
    /// Plays until the crew's time is over. Panics if an invariant does not hold. The workers bring each other
    /// home: nobody wakes them up at the end, so that a lost wake-up shows.
    fn work(&self, crew: &Crew, me: Worker, random: &mut Random);
    /// That worker is dead, and the next one not there yet.
    fn buried(&self, _me: Worker) {}
    /// All have ended; the sums, by assertion. `kills` deaths, none in a quiet game.
    fn judge(&self, crew: &Crew, kills: u64) -> String;
}

fn ended_well(child: &mut Child) -> bool {
    match child.poll() {
        None => false,
        Some(End::Exit(0)) => true,
        Some(end) => panic!("a worker failed: {end:?}; its message is above"),
    }
}

/// One game. Returns what to print.
pub fn play(game: &impl Game, storm: bool, length: Duration, seed: u64) -> String {
    let crew = place::<Crew>();
    let random = &mut Random::new(seed);
    let mut who = 0;
    let mut start = |at| {
        who += 1;
        let me = Worker { at, who };
        let child = fork(|| {
            game.work(crew, me, &mut Random::new(seed ^ me.who << 8));
            0
        });
        (me, child)
    };
    let mut workers: Vec<(Worker, Child)> = (0..WORKERS).map(&mut start).collect();
    let (mut kills, mut seen, mut seen_at) = (0, 0, Instant::now());
    let begin = Instant::now();
    while begin.elapsed() < length && kills < MANY as u64 - 10 {
        thread::sleep(Duration::from_micros(if storm { 20_000 + random.below(30_000) } else { 20_000 }));
        for (_, child) in &mut workers {
            assert!(!ended_well(child), "a worker went home early");
        }
        let now = crew.total();
        if now != seen {
            (seen, seen_at) = (now, Instant::now());
        }
        assert!(seen_at.elapsed() < STALL, "everybody stalls");
        if storm {
            let (me, child) = &mut workers[random.below(WORKERS as u64) as usize];
            crew.kills_begun.fetch_add(1, SeqCst);
            crew.condemned[me.who as usize].store(1, SeqCst);
            child.kill_in_place();
            game.buried(*me);
            kills += 1;
            crew.kills_done.fetch_add(1, SeqCst);
            let at = me.at;
            (*me, *child) = start(at);
        }
    }
    // The last ones of a storm come to something.
    thread::sleep(Duration::from_millis(if storm { 50 } else { 0 }));
    crew.finish.store(1, SeqCst);
    let end = Instant::now();
    for (me, mut child) in workers {
        while !ended_well(&mut child) {
            assert!(end.elapsed() < STALL, "time is over, and worker {} hangs", me.at);
            thread::sleep(Duration::from_millis(1));
        }
    }
    let said = game.judge(crew, kills);
    let rounds = crew.total();
    assert!(rounds > 100, "{rounds} rounds: that was no stress");
    let killed = if storm { format!(", {kills} kills") } else { String::new() };
    format!("{rounds} rounds{killed}{said}")
}
