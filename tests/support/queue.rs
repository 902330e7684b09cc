//! A queue under the sweep: what is asked of it, the real one, and the books that must balance.

use super::shared::{Board, Shared};
use rialto::{Depth, Error, Queue, QueueConfig, Region, RegionConfig};
use std::{ops::Range, time::Duration};

/// Slots of every queue here.
pub const CAPACITY: u64 = 8;
/// Nobody that is owed something may sleep longer than this. A tick is 20 ms.
pub const WATCHDOG: Duration = Duration::from_secs(15);
pub const TICK_MS: u32 = 20;

/// How a message is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// `pop`: the caller learns of it when it is released already.
    Pop,
    /// `peek`, then look, then `release`.
    Peek,
    /// `peek`, look, and keep it in hand for ever.
    Keep,
}

/// Options of a queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kind {
    pub kill_only: bool,
    pub first_turn: u64,
    /// 0: [`TICK_MS`].
    pub tick_ms: u32,
}

/// A queue of u64 in memory shared with the children that are forked later.
pub trait Subject {
    fn create(kind: Kind) -> Self;
    /// First use in this process, on another queue.
    fn warm(&self);
    /// Waits at most that long; false if there was no room.
    fn push(&self, value: u64, wait: Duration) -> bool;
    /// `seen` gets (value, attempt): before the release with `Peek`, after it with `Pop`.
    fn take(&self, how: Take, wait: Duration, seen: impl FnOnce(u64, u8)) -> bool;
    /// Messages ready to be taken.
    fn len(&self) -> u64;
    /// Of all that others can see.
    fn fingerprint(&self) -> u64 {
        0
    }
    /// Gives back what the dead have in hand; how many dead.
    fn recover(&self, depth: Depth) -> u32;
}

/// The real queue. `queue` borrows from `region`, which stays where it is and is dropped last.
pub struct Rialto {
    queue: Queue<'static>,
    warm: Queue<'static>,
    region: Box<Region>,
}

impl Rialto {
    pub fn with(kind: Kind, members: u16) -> Rialto {
        let tick_ms = if kind.tick_ms == 0 { TICK_MS } else { kind.tick_ms };
        let config = RegionConfig { members, objects: 4, tick_ms };
        let region = Box::new(Region::create_anonymous(1 << 15, &config).expect("region"));
        // SAFETY: the box is not moved out of, and outlives both handles (see the fields' order).
        let forever: &'static Region = unsafe { &*core::ptr::from_ref::<Region>(&*region) };
        let mut config = QueueConfig::new(CAPACITY as u32, 16);
        config.kill_only = kind.kill_only;
        let queue = forever.create_queue_at_turn("sweep", &config, kind.first_turn).expect("queue");
        let warm = forever.create_queue("warm", &config).expect("queue");
        Rialto { queue, warm, region }
    }

    pub fn region(&self) -> &Region {
        &self.region
    }

    pub fn queue(&self) -> Queue<'_> {
        self.queue
    }
}

fn message(value: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&value.to_ne_bytes());
    bytes[8..].copy_from_slice(&(!value).to_ne_bytes());
    bytes
}

/// A torn or foreign message has a number that no book knows.
fn value(bytes: &[u8]) -> u64 {
    let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
    if bytes.len() == 16 && word(0) == !word(8) { word(0) } else { 0xdead }
}

fn nanos(wait: Duration) -> u64 {
    wait.as_nanos() as u64
}

fn there<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(it) => Some(it),
        Err(Error::WouldBlock | Error::TimedOut) => None,
        Err(error) => panic!("unexpected: {error:?}"),
    }
}

impl Subject for Rialto {
    fn create(kind: Kind) -> Self {
        Rialto::with(kind, 8)
    }

    fn warm(&self) {
        let mut buffer = [0; 16];
        self.warm.try_push(&message(1)).unwrap();
        self.warm.try_pop(&mut buffer).unwrap();
        self.warm.try_push(&message(1)).unwrap();
        self.warm.try_peek().unwrap().release();
    }

    #[inline(never)]
    fn push(&self, value: u64, wait: Duration) -> bool {
        let message = message(value);
        let result = match wait {
            Duration::ZERO => self.queue.try_push(&message),
            wait => self.queue.push_timeout(&message, nanos(wait)),
        };
        there(result).is_some()
    }

    #[inline(never)]
    fn take(&self, how: Take, wait: Duration, seen: impl FnOnce(u64, u8)) -> bool {
        let mut buffer = [0; 16];
        if how == Take::Pop {
            let result = match wait {
                Duration::ZERO => self.queue.try_pop(&mut buffer),
                wait => self.queue.pop_timeout(&mut buffer, nanos(wait)),
            };
            let Some(popped) = there(result) else { return false };
            seen(value(&buffer[..popped.len]), popped.attempt);
            return true;
        }
        let result = match wait {
            Duration::ZERO => self.queue.try_peek(),
            wait => self.queue.peek_timeout(nanos(wait)),
        };
        let Some(peeked) = there(result) else { return false };
        let len = peeked.copy_to(&mut buffer);
        seen(value(&buffer[..len]), peeked.attempt());
        match how {
            Take::Peek => peeked.release(),
            _ => core::mem::forget(peeked),
        }
        true
    }

    fn len(&self) -> u64 {
        self.queue.len() as u64
    }

    fn fingerprint(&self) -> u64 {
        fingerprint(self.region.as_ptr(), self.region.len())
    }

    fn recover(&self, depth: Depth) -> u32 {
        self.region.recover(depth).members
    }
}

/// Of shared memory that may change while we look.
pub fn fingerprint(start: *const u8, len: usize) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for at in (0..len).step_by(8) {
        // SAFETY: the caller's mapped, 8-aligned region; a torn value only makes one point more.
        let word = unsafe { start.add(at).cast::<u64>().read_volatile() };
        hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    }
    hash
}

/// (value, attempt), in the order in which the survivors got them.
pub type Log = Vec<(u64, u8)>;

/// Takes all there is, without waiting.
pub fn drain(subject: &impl Subject) -> Log {
    let (mut log, mut misses) = (Log::new(), 0);
    while misses < 3 && log.len() < 100 {
        if subject.take(Take::Pop, Duration::ZERO, |value, attempt| log.push((value, attempt))) {
            misses = 0;
        } else {
            misses += 1;
        }
    }
    log
}

/// Pushes base, base + 1, ... until there is no room, without waiting; how many.
pub fn fill(subject: &impl Subject, base: u64) -> u64 {
    let (mut count, mut misses) = (0, 0);
    while misses < 3 && count < 100 {
        if subject.push(base + count, Duration::ZERO) {
            (count, misses) = (count + 1, 0);
        } else {
            misses += 1;
        }
    }
    count
}

/// `n` times full and empty again: at least `room` must fit, and come out in order, unmarked. What else
/// comes out goes to `log`.
pub fn laps(subject: &impl Subject, n: u64, base: u64, room: u64, log: &mut Log) -> Result<(), String> {
    for lap in 0..n {
        let base = base + lap * 100;
        let count = fill(subject, base);
        if count < room || count > CAPACITY {
            return Err(format!("lap {base}: room for {count}, not {room}"));
        }
        let all = drain(subject);
        let (mine, others): (Log, Log) = all.iter().partition(|it| (base..base + 100).contains(&it.0));
        if mine != (base..base + count).map(|v| (v, 0)).collect::<Log>() {
            return Err(format!("lap {base}: pushed {count}, got {mine:?}"));
        }
        log.extend(others);
    }
    Ok(())
}

/// What is known of one taker that was killed, stopped, or done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hand {
    /// What it said it saw; 0 for nothing.
    pub value: u64,
    pub attempt: u64,
    /// Its call had returned.
    pub returned: bool,
}

impl Hand {
    /// From three words of the board.
    pub fn read(board: &Shared<Board>, at: usize) -> Hand {
        Hand::read_at(board, at)
    }

    pub fn read_at(board: &Board, at: usize) -> Hand {
        Hand { value: board.get(at), attempt: board.get(at + 1), returned: board.get(at + 2) != 0 }
    }
}

pub fn count(log: &Log, value: u64) -> usize {
    log.iter().filter(|it| it.0 == value).count()
}

/// What must balance after a point.
pub struct Books<'a> {
    /// What the survivors took.
    pub log: &'a Log,
    /// What the victim took, as far as it said so.
    pub hand: Hand,
    /// A silent victim may have one of these in hand; empty if it is no taker.
    pub heads: Range<u64>,
    /// The victim spoke only after the release, so one of `heads` may be gone without a word.
    pub pops: bool,
    /// The values below 100 + this had a dead holder before.
    pub orphans: u64,
    /// The victim was stopped, not killed, and has finished.
    pub alive: bool,
}

impl Books<'_> {
    /// Each value was taken once by the survivors; or by the victim, and then again only if that died
    /// before its release, and marked higher. Unmarked ones came out in order.
    pub fn balance(&self, values: impl Iterator<Item = u64>) -> Result<(), String> {
        let (mut last, mut silent) = (0, self.hand.value == 0 && !self.alive);
        for v in values {
            let base = u64::from(v >= 100 && v < 100 + self.orphans);
            let (times, mine) = (count(self.log, v), self.hand.value == v);
            let perhaps = silent && self.heads.contains(&v);
            let attempt = self.log.iter().find(|it| it.0 == v).map(|it| u64::from(it.1));
            let marked = attempt.is_some_and(|attempt| attempt > base);
            let wrong = if times > 1 {
                "delivered twice"
            } else if times == 0 && !mine && !(perhaps && self.pops) {
                "lost"
            } else if mine && self.hand.attempt != base {
                "wrongly marked for the victim"
            } else if times == 1 && mine && (self.hand.returned || self.alive) {
                "delivered again after its release"
            } else if times == 1 && mine && !marked {
                "delivered again without a mark"
            } else if attempt.is_some_and(|attempt| attempt < base) {
                "a mark was lost"
            } else if marked && (self.alive || !(mine || perhaps)) {
                "marked although nobody died with it"
            } else if times == 0 || marked {
                // It can have had one in hand.
                silent = false;
                continue;
            } else if attempt == Some(0) {
                let at = self.log.iter().position(|it| it.0 == v).unwrap_or(0);
                if at + 1 < core::mem::replace(&mut last, at + 1) { "out of order" } else { continue }
            } else {
                continue;
            };
            let hand = self.hand;
            return Err(format!(
                "{v} {wrong} (taken {times} times, attempt {attempt:?}, {hand:?}): {:?}",
                self.log
            ));
        }
        Ok(())
    }

    /// Each of these was taken exactly once, unmarked.
    pub fn exactly_once(&self, values: &[u64]) -> Result<(), String> {
        for &v in values {
            if count(self.log, v) != 1 || !self.log.contains(&(v, 0)) {
                return Err(format!("{v} is not there once and unmarked: {:?}", self.log));
            }
        }
        Ok(())
    }

    /// `value` that the victim pushed: `pushed` is 0 if it did not live to say, 1 if it did push, 2 if not.
    pub fn pushed(&self, value: u64, pushed: u64) -> Result<(), String> {
        let times = count(self.log, value);
        let right = match pushed {
            0 => times <= 1,
            1 => times == 1,
            _ => times == 0,
        };
        if right && self.log.iter().all(|it| it.0 != value || it.1 == 0) {
            return Ok(());
        }
        Err(format!(
            "the victim's push ended with {pushed}, and {value} is there {times} times: {:?}",
            self.log
        ))
    }

    /// Nothing came out that was never put in.
    pub fn nothing_else(&self, known: impl Fn(u64) -> bool) -> Result<(), String> {
        match self.log.iter().find(|it| !known(it.0)) {
            Some(it) => Err(format!("{it:?} was never pushed: {:?}", self.log)),
            None => Ok(()),
        }
    }
}
