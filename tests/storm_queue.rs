//! As `storm`, of queues in full: loans, batches, tasks and joining in rings and indexed queues, by processes
//! that are killed and stopped at random.
//!
//! `RIALTO_STORM_SECONDS` says how long (5), `RIALTO_STORM_SEED` repeats the choices of a run, though not its timing.
//!
//! # How messages are accounted for
//! As in `storm`: a byte for each number, and each worker's word says what call it is in, and with how many
//! messages. After a kill
//! - in a push, so many messages may be there or not;
//! - in a pop that ends what it takes, so many may be gone, or come again, marked;
//! - with messages in hand (peeked, or popped and not `task_done`), so many come again, marked. Nothing is lost.
//!
//! At the end of a round all is drained, the sums must hold, nothing is unfinished, `join` returns, and three
//! times as many messages as ever fit.

mod procs;
mod storms;

use procs::{Child, Shared, fork, watchdog};
use rialto::{Depth, Error, Popped, Queue, QueueConfig, QueueKind, Region, RegionConfig};
use std::{
    sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::*},
    thread,
    time::{Duration, Instant},
};
use storms::{BYTES, Random, number_of, read, write};

const NUMBERS: usize = 4 << 20;
/// Numbers that one incarnation of a producer may use.
const BLOCK: u64 = 1 << 15;
const WORKERS: usize = 12;
const BATCH: usize = 4;
/// Much more than any hold-up that the design allows.
const STALL_SECONDS: u64 = 60;

const RETURNED: u8 = 0x80;
const MARKED: u8 = 0x10; // up to 7
const UNMARKED: u8 = 0x01; // up to 15

/// What a worker is doing; the number of messages is beside it.
const IDLE: u32 = 0;
const PUTTING: u32 = 1;
const TAKING: u32 = 2;
const HOLDING: u32 = 3;

struct Ledger {
    doing: [AtomicU32; WORKERS],
    /// 0: run; 1: producers finish; 2: everybody finishes.
    finish: AtomicU32,
    done: AtomicU64,
    given_back: AtomicU64,
    joined: AtomicU64,
    numbers: [AtomicU8; NUMBERS],
}

struct Round {
    seed: u64,
    length: Duration,
    kind: QueueKind,
    joinable: bool,
    close: bool,
    slots: u32,
    producers: usize,
    consumers: usize,
}

#[derive(Clone, Copy)]
struct Worker<'a> {
    round: &'a Round,
    ledger: &'a Ledger,
    queue: Queue<'a>,
    me: usize,
}

impl Worker<'_> {
    fn doing(&self, what: u32, count: usize) {
        self.ledger.doing[self.me].store(what | (count as u32) << 8, SeqCst);
    }

    /// By a loan; some are let go.
    fn lend(&self, message: &[u8], form: u64, timeout_ns: u64, random: &mut Random) -> Result<usize, Error> {
        let mut loan = match form {
            0 => self.queue.reserve(message.len())?,
            1 => self.queue.reserve_timeout(message.len(), timeout_ns)?,
            _ => self.queue.try_reserve(message.len())?,
        };
        random.dawdle();
        loan.write(message)?;
        if random.below(16) == 0 {
            return Ok(0);
        }
        let sent = match form {
            0 => loan.commit(),
            1 => loan.commit_timeout(timeout_ns),
            _ => loan.try_commit(),
        };
        sent.map(|()| 1).map_err(|(_, error)| error)
    }

    fn produce(&self, first: u64, random: &mut Random) -> i32 {
        let mut number = first;
        while number < first + BLOCK - BATCH as u64 {
            if self.ledger.finish.load(Relaxed) != 0 {
                return 0;
            }
            let mut buffers = [[0; BYTES]; BATCH];
            let count = if random.below(3) == 0 { 2 + random.below(BATCH as u64 - 1) as usize } else { 1 };
            let mut numbers = number..;
            let messages = buffers.each_mut().map(|buffer| write(numbers.next().unwrap(), buffer));
            let messages = &messages[..count];
            let (form, timeout_ns) = (random.below(4), random.below(5_000_000));
            self.doing(PUTTING, count);
            let sent = if count > 1 {
                match form {
                    0 => self.queue.push_many(messages),
                    1 => self.queue.push_many_timeout(messages, timeout_ns),
                    _ => self.queue.try_push_many(messages),
                }
            } else if random.below(2) == 0 {
                self.lend(messages[0], form, timeout_ns, random)
            } else {
                match form {
                    0 => self.queue.push(messages[0]),
                    1 => self.queue.push_timeout(messages[0], timeout_ns),
                    _ => self.queue.try_push(messages[0]),
                }
                .map(|()| 1)
            };
            let all = sent.unwrap_or(0) as u64;
            for number in number..number + all {
                self.ledger.numbers[number as usize].fetch_or(RETURNED, SeqCst);
            }
            self.doing(IDLE, 0);
            number += all;
            match sent {
                Ok(_) => {}
                Err(Error::WouldBlock | Error::TimedOut) => thread::yield_now(),
                Err(error) => panic!("put: {error:?}"),
            }
        }
        0
    }

    fn record(&self, message: &[u8], attempt: u8, last: &mut [u64]) {
        let number = read(message);
        if attempt == 0 && self.round.kind == QueueKind::Ring {
            let last = &mut last[(number / BLOCK) as usize];
            assert!(*last <= number, "one producer's messages came in another order: {last} before {number}");
            *last = number + 1;
        }
        let weight = if attempt > 0 { MARKED } else { UNMARKED };
        self.ledger.numbers[number as usize].fetch_add(weight, SeqCst);
        self.ledger.done.fetch_add(1, Relaxed);
    }

    /// Whether to give back what is in hand.
    fn gives_back(&self, random: &mut Random) -> bool {
        random.below(64) == 0 && {
            self.ledger.given_back.fetch_add(1, SeqCst);
            true
        }
    }

    fn peek(&self, form: u64, timeout_ns: u64, last: &mut [u64], random: &mut Random) -> Result<(), Error> {
        self.doing(HOLDING, 1);
        let peeked = match form {
            0 => self.queue.peek()?,
            1 => self.queue.peek_timeout(timeout_ns)?,
            _ => self.queue.try_peek()?,
        };
        if self.gives_back(random) {
            return Ok(()); // dropped
        }
        random.dawdle();
        let mut buffer = [0; BYTES];
        let len = peeked.copy_to(&mut buffer);
        self.record(&buffer[..len], peeked.attempt(), last);
        peeked.release();
        Ok(())
    }

    fn pop(&self, form: u64, timeout_ns: u64, last: &mut [u64], random: &mut Random) -> Result<(), Error> {
        let (mut buffer, mut popped) = ([0; BATCH * BYTES], [Popped::default(); BATCH]);
        let most = 1 + random.below(BATCH as u64) as usize;
        self.doing(if self.round.joinable { HOLDING } else { TAKING }, most);
        let popped = &mut popped[..most];
        let count = match (most, form) {
            (1, 0) => self.queue.pop(&mut buffer).map(|it| popped[0] = it).map(|()| 1)?,
            (1, 1) => self.queue.pop_timeout(&mut buffer, timeout_ns).map(|it| popped[0] = it).map(|()| 1)?,
            (1, _) => self.queue.try_pop(&mut buffer).map(|it| popped[0] = it).map(|()| 1)?,
            (_, 0) => self.queue.pop_many(&mut buffer, popped)?,
            (_, 1) => self.queue.pop_many_timeout(&mut buffer, popped, timeout_ns)?,
            (_, _) => self.queue.try_pop_many(&mut buffer, popped)?,
        };
        for (it, bytes) in popped[..count].iter().zip(buffer.chunks(BYTES)) {
            if self.round.joinable && self.gives_back(random) {
                self.queue.give_back(it.ticket)?;
                assert_eq!(self.queue.task_done(it.ticket), Err(Error::NotOwner));
                continue;
            }
            if self.round.joinable {
                random.dawdle();
            }
            self.record(&bytes[..it.len], it.attempt, last);
            if self.round.joinable {
                self.queue.task_done(it.ticket)?;
            }
        }
        Ok(())
    }

    fn consume(&self, random: &mut Random) -> i32 {
        let mut last = vec![0u64; NUMBERS / BLOCK as usize];
        loop {
            // Where nobody closes, everybody looks up now and then.
            let form = if self.round.close { random.below(4) } else { 1 + random.below(3) };
            let timeout_ns = random.below(5_000_000);
            let over = self.ledger.finish.load(SeqCst) == 2;
            let result = match random.below(3) {
                0 => self.peek(form, timeout_ns, &mut last, random),
                _ => self.pop(form, timeout_ns, &mut last, random),
            };
            self.doing(IDLE, 0);
            match result {
                Ok(()) => {}
                Err(Error::Closed) => return 0,
                Err(Error::WouldBlock | Error::TimedOut) if over => return 0,
                Err(Error::WouldBlock | Error::TimedOut) => thread::yield_now(),
                Err(error) => panic!("take: {error:?}"),
            }
        }
    }

    /// Recovers, and joins.
    fn look_after(&self, region: &Region, random: &mut Random) -> i32 {
        while self.ledger.finish.load(Relaxed) < 2 {
            region.recover(if random.below(4) == 0 { Depth::Thorough } else { Depth::Marked });
            if self.round.joinable {
                match self.queue.join_timeout(random.below(500_000)) {
                    Ok(()) => _ = self.ledger.joined.fetch_add(1, Relaxed),
                    Err(Error::WouldBlock | Error::TimedOut) => {}
                    Err(error) => panic!("join: {error:?}"),
                }
            }
            thread::sleep(Duration::from_micros(random.below(500)));
        }
        0
    }
}

#[derive(Default, Debug)]
struct Counts {
    rounds: u64,
    returned: u64,
    unmarked: u64,
    marked: u64,
    lost: u64,
    given_back: u64,
    joined: u64,
    kills: u64,
    stops: u64,
    /// Messages that the dead can have put, ended, or had in hand.
    put: u64,
    ended: u64,
    held: u64,
}

fn play(round: &Round, totals: &mut Counts) {
    let random = &mut Random::new(round.seed);
    let what =
        format!("seed {} {:?} joinable {} slots {}", round.seed, round.kind, round.joinable, round.slots);
    let workers = round.producers + round.consumers + 2;
    let config = RegionConfig { members: workers as u16 + 1, objects: 2, tick_ms: 20 };
    let region = Region::create_anonymous(1 << 20, &config).unwrap();
    let config = QueueConfig {
        max_attempts: 30,
        kind: round.kind,
        joinable: round.joinable,
        ..QueueConfig::new(round.slots, BYTES as u32)
    };
    let first_turn = if random.below(2) == 0 { (1 << 44) - random.below(2000) - 1 } else { 0 };
    let queue = region.create_queue_at_turn("storm", &config, first_turn).unwrap();
    // SAFETY: zero is valid for atomics.
    let ledger: Shared<Ledger> = unsafe { Shared::zeroed() };

    let (mut next_block, mut incarnation) = (0, round.seed);
    let is_producer = |i: usize| i < round.producers;
    let mut start = |i: usize, next_block: &mut u64| {
        incarnation = incarnation.wrapping_mul(31).wrapping_add(7);
        let (seed, first) = (incarnation, *next_block * BLOCK);
        *next_block += u64::from(is_producer(i));
        fork(|| {
            let worker = Worker { round, ledger: &ledger, queue, me: i };
            let random = &mut Random::new(seed);
            match i {
                i if is_producer(i) => worker.produce(first, random),
                i if i < round.producers + round.consumers => worker.consume(random),
                _ => worker.look_after(&region, random),
            }
        })
    };
    let mut children: Vec<Child> = (0..workers).map(|i| start(i, &mut next_block)).collect();
    let mut stopped = vec![false; workers];
    let (mut inside, mut kills, mut stops) = ([0u64; 4], 0, 0);
    let begin = Instant::now();
    let (mut moved, mut moved_at) = (0, Instant::now());
    while begin.elapsed() < round.length && ((next_block + 1) * BLOCK) as usize <= NUMBERS {
        thread::sleep(Duration::from_micros(200 + random.below(2000)));
        let i = random.below(workers as u64) as usize;
        if let Some(end) = children[i].poll() {
            assert_eq!((is_producer(i), end), (true, procs::End::Exit(0)), "{what}");
            stopped[i] = false;
            children[i] = start(i, &mut next_block);
            continue;
        }
        match random.below(4) {
            0 if !stopped[i] => {
                children[i].stop_soon();
                stopped[i] = true;
                stops += 1;
            }
            0 | 1 if stopped[i] => {
                children[i].go_on();
                stopped[i] = false;
            }
            _ => {
                // Also of stopped ones.
                children[i].kill_in_place();
                kills += 1;
                let doing = ledger.doing[i].swap(IDLE, SeqCst);
                inside[(doing & 0xff) as usize] += u64::from(doing >> 8);
                stopped[i] = false;
                children[i] = start(i, &mut next_block);
            }
        }
        // Stopped ones go on after a while, or those who have every slot in hand would hold all up.
        let awake = random.below(workers as u64) as usize;
        if stopped[awake] {
            children[awake].go_on();
            stopped[awake] = false;
        }
        let now = ledger.done.load(Relaxed);
        if now != moved {
            (moved, moved_at) = (now, Instant::now());
        }
        assert!(moved_at.elapsed().as_secs() < STALL_SECONDS, "{what}: everybody stalls");
    }
    // Everybody goes on and comes to an end by himself.
    (0..workers).filter(|i| stopped[*i]).for_each(|i| children[i].go_on());
    ledger.finish.store(1, SeqCst);
    let rest = children.split_off(round.producers);
    children.into_iter().for_each(Child::succeeds);
    if round.close {
        queue.close();
    }
    ledger.finish.store(2, SeqCst);
    rest.into_iter().for_each(Child::succeeds);

    // Whatever the last dead had in hand.
    region.recover(Depth::Thorough);
    let mut buffer = [0; BYTES];
    let mut drain = |each: &mut dyn FnMut(u8, &[u8])| {
        loop {
            match queue.try_pop(&mut buffer) {
                Ok(popped) => {
                    if round.joinable {
                        queue.task_done(popped.ticket).unwrap();
                    }
                    each(popped.attempt, &buffer[..popped.len]);
                }
                Err(error) => {
                    assert_eq!(error, if round.close { Error::Closed } else { Error::WouldBlock }, "{what}");
                    break;
                }
            }
        }
        assert_eq!(queue.take_poisoned(&mut buffer), Err(Error::WouldBlock), "{what}");
    };
    drain(&mut |attempt, message| {
        let weight = if attempt > 0 { MARKED } else { UNMARKED };
        ledger.numbers[read(message) as usize].fetch_add(weight, SeqCst);
    });
    assert_eq!((queue.unfinished(), queue.len(), queue.dropped()), (0, 0, 0), "{what}");
    if round.joinable {
        assert_eq!(queue.join_timeout(0), Ok(()), "{what}");
    }

    // The sums.
    let (mut returned, mut unmarked, mut marked, mut lost, mut unsaid) = (0, 0, 0, 0, 0);
    for (number, entry) in ledger.numbers[..(next_block * BLOCK) as usize].iter().enumerate() {
        let entry = entry.load(SeqCst);
        let (said, again, once) = (entry & RETURNED != 0, (entry / MARKED) & 7, entry & 15);
        assert!(once <= 1, "{what}: message {number} came {once} times unmarked");
        returned += u64::from(said);
        unmarked += u64::from(once);
        marked += u64::from(again);
        lost += u64::from(said && once == 0 && again == 0);
        unsaid += u64::from(!said && once + again > 0);
    }
    let given_back = ledger.given_back.load(SeqCst);
    let [_, put, ended, held] = inside;
    assert!(lost <= ended, "{what}: {lost} messages are lost, and only {ended} were in calls that end them");
    assert!(unsaid <= put, "{what}: {unsaid} messages no push spoke of, {put} were in a dead one's");
    let in_hand = ended + held + given_back;
    assert!(marked <= in_hand, "{what}: {marked} marked, but only {in_hand} given back or in dead hands");
    if !round.close {
        for _ in 0..3 {
            for i in 0..queue.capacity() {
                queue.try_push(&[0; 8]).unwrap_or_else(|error| panic!("{what}: slot {i} is lost: {error:?}"));
            }
            assert_eq!(queue.try_push(&[0; 8]), Err(Error::WouldBlock), "{what}");
            drain(&mut |attempt, message| assert_eq!((attempt, message), (0, &[0; 8][..])));
        }
    }
    assert_eq!(region.member_count(), 1, "{what}: only the referee is left");

    let joined = ledger.joined.load(SeqCst);
    for (total, n) in [
        (&mut totals.rounds, 1),
        (&mut totals.returned, returned),
        (&mut totals.unmarked, unmarked),
        (&mut totals.marked, marked),
        (&mut totals.lost, lost),
        (&mut totals.given_back, given_back),
        (&mut totals.joined, joined),
        (&mut totals.kills, kills),
        (&mut totals.stops, stops),
        (&mut totals.put, put),
        (&mut totals.ended, ended),
        (&mut totals.held, held),
    ] {
        *total += n;
    }
}

#[test]
fn a_storm_of_loans_batches_and_tasks() {
    let length = Duration::from_secs(number_of("RIALTO_STORM_SECONDS", 5));
    let _watchdog = watchdog("the storm", length.as_secs() + 2 * STALL_SECONDS);
    let mut random = Random::new(number_of("RIALTO_STORM_SEED", 0xC0FFEE));
    let mut totals = Counts::default();
    let begin = Instant::now();
    while begin.elapsed() < length {
        // Indexed and joinable, then a ring that is not, then what comes.
        let chosen = match totals.rounds {
            0 => 3,
            1 => 0,
            _ => random.below(4),
        };
        let round = Round {
            seed: random.below(1 << 30),
            length: Duration::from_millis(400 + random.below(1200)).min(length),
            kind: if chosen & 1 == 0 { QueueKind::Ring } else { QueueKind::Indexed },
            joinable: chosen & 2 != 0,
            close: random.below(2) == 0,
            slots: [4, 16, 64][random.below(3) as usize],
            producers: 1 + random.below(4) as usize,
            consumers: 1 + random.below(4) as usize,
        };
        play(&round, &mut totals);
    }
    println!("storm of queues in full: {} s, {totals:?}", begin.elapsed().as_secs());
    assert!(totals.kills > 20 && totals.marked > 0, "that was no storm");
}
