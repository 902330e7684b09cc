//! Processes killed and stopped at random while they push, pop and lock: nothing is lost beyond what the
//! dead had in hand, nothing comes twice unmarked, nobody stalls.
//!
//! `RIALTO_STORM_SECONDS` says how long (5; the CI script asks for 20; try 600). `RIALTO_STORM_SEED`
//! repeats the choices of a run, though not its timing. Each test ends with a line of counts.
//!
//! # How messages are accounted for
//! A message is its number, written many times over. The ledger has a byte per number: whether its
//! `push` returned, and how often it was delivered unmarked and marked. Each worker says in its own word
//! when it is inside a call, so that after its death the referee knows what can have been in its hand:
//! - killed inside `push`: the message may be there or not.
//! - killed inside `pop`: one message may be gone (it was the dead one's), or come again, marked.
//! - killed between `peek` and `release`: one message comes again, marked.
//!
//! At the end of each round everybody is told to finish, what is left is drained, and the sums must hold.

mod procs;
mod storms;

use procs::{Child, Shared, fork, watchdog};
use rialto::{Acquired, Depth, Error, Lock, Outcome, Queue, QueueConfig, Region, RegionConfig};
use std::{
    sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::*},
    thread,
    time::{Duration, Instant},
};
use storms::{BYTES, Random, number_of, read, write};

/// Messages per round at most.
const NUMBERS: usize = 4 << 20;
/// Numbers that one incarnation of a producer may use.
const BLOCK: u64 = 1 << 15;
const WORKERS: usize = 16;
/// Much more than any hold-up that the design allows.
const STALL_SECONDS: u64 = 60;

const RETURNED: u8 = 0x80;
const MARKED: u8 = 0x10; // up to 7
const UNMARKED: u8 = 0x01; // up to 15

const IDLE: u32 = 0;
const PUSHING: u32 = 1;
const POPPING: u32 = 2;
const PEEKING: u32 = 3;

struct Ledger {
    /// What each worker is doing.
    doing: [AtomicU32; WORKERS],
    /// 0: run; 1: producers finish; 2: everybody finishes.
    finish: AtomicU32,
    /// Things done, to see that the storm moves.
    done: AtomicU64,
    /// Messages given back on purpose.
    given_back: AtomicU64,
    numbers: [AtomicU8; NUMBERS],
}

fn seconds() -> u64 {
    number_of("RIALTO_STORM_SECONDS", 5)
}

fn seed() -> u64 {
    number_of("RIALTO_STORM_SEED", 0xC0FFEE)
}

// ---- workers

fn produce(ledger: &Ledger, queue: Queue, me: usize, first: u64, random: &mut Random) -> i32 {
    for number in first..first + BLOCK {
        let mut buffer = [0; BYTES];
        let message = write(number, &mut buffer);
        loop {
            if ledger.finish.load(Relaxed) != 0 {
                return 0;
            }
            ledger.doing[me].store(PUSHING, SeqCst);
            let result = match random.below(4) {
                0 => queue.push(message),
                1 => queue.push_timeout(message, random.below(5_000_000)),
                _ => queue.try_push(message),
            };
            if result.is_ok() {
                ledger.numbers[number as usize].fetch_or(RETURNED, SeqCst);
            }
            ledger.doing[me].store(IDLE, SeqCst);
            match result {
                Ok(()) => break,
                Err(Error::WouldBlock | Error::TimedOut) => thread::yield_now(),
                Err(error) => panic!("push: {error:?}"),
            }
        }
    }
    0
}

fn consume(ledger: &Ledger, queue: Queue, me: usize, peek_only: bool, random: &mut Random) -> i32 {
    let mut buffer = [0; BYTES];
    let mut last = vec![0u64; NUMBERS / BLOCK as usize];
    let mut record = |message: &[u8], attempt: u8| {
        if message.is_empty() {
            return false; // the end
        }
        let number = read(message);
        let weight = if attempt > 0 { MARKED } else { UNMARKED };
        if attempt == 0 {
            let last = &mut last[(number / BLOCK) as usize];
            assert!(*last <= number, "one producer's messages came in another order: {last} before {number}");
            *last = number + 1;
        }
        ledger.numbers[number as usize].fetch_add(weight, SeqCst);
        ledger.done.fetch_add(1, Relaxed);
        true
    };
    loop {
        let form = random.below(4);
        let timeout_ns = random.below(5_000_000);
        let result = if !peek_only && random.below(2) == 0 {
            ledger.doing[me].store(POPPING, SeqCst);
            let result = match form {
                0 => queue.pop(&mut buffer),
                1 => queue.pop_timeout(&mut buffer, timeout_ns),
                _ => queue.try_pop(&mut buffer),
            };
            result.map(|popped| record(&buffer[..popped.len], popped.attempt))
        } else {
            ledger.doing[me].store(PEEKING, SeqCst);
            let result = match form {
                0 => queue.peek(),
                1 => queue.peek_timeout(timeout_ns),
                _ => queue.try_peek(),
            };
            result.map(|peeked| {
                if !peeked.is_empty() && random.below(64) == 0 {
                    ledger.given_back.fetch_add(1, SeqCst);
                    drop(peeked);
                    return true;
                }
                // Now and then longer in hand, so that many die so.
                let pause = if random.below(64) == 0 { random.below(10_000) } else { 0 };
                (0..pause).for_each(|_| std::hint::spin_loop());
                let len = peeked.copy_to(&mut buffer);
                let go_on = record(&buffer[..len], peeked.attempt());
                peeked.release();
                go_on
            })
        };
        ledger.doing[me].store(IDLE, SeqCst);
        match result {
            Ok(true) => {}
            Ok(false) | Err(Error::Closed) => return 0,
            Err(Error::WouldBlock | Error::TimedOut) => thread::yield_now(),
            Err(error) => panic!("pop: {error:?}"),
        }
    }
}

fn recover(ledger: &Ledger, region: &Region, random: &mut Random) -> i32 {
    while ledger.finish.load(Relaxed) < 2 {
        region.recover(if random.below(4) == 0 { Depth::Thorough } else { Depth::Marked });
        thread::sleep(Duration::from_micros(random.below(500)));
    }
    0
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    Producer,
    Consumer,
    Recoverer,
}

#[derive(Default, Debug)]
struct Counts {
    rounds: u64,
    pushed: u64,
    unmarked: u64,
    marked: u64,
    in_dead_hands: u64,
    given_back: u64,
    kills: u64,
    kills_inside: [u64; 4],
    stops: u64,
}

/// A round's parameters.
struct Round {
    seed: u64,
    length: Duration,
    producers: usize,
    consumers: usize,
    slots: u32,
    kill_only: bool,
    /// Nobody pops without a loan: then nothing may be lost at all.
    peek_only: bool,
    close: bool,
}

/// Everybody works on one queue of a fresh region until the time or the numbers are used up.
fn round(round: &Round, totals: &mut Counts) {
    let what = format!("seed {} slots {} kill_only {}", round.seed, round.slots, round.kill_only);
    let random = &mut Random::new(round.seed);
    // Two places more than live workers: the dead's must be found again all the time.
    let workers = round.producers + round.consumers + 2;
    let config = RegionConfig { members: workers as u16 + 1, objects: 2, tick_ms: 20 };
    let region = Region::create_anonymous(1 << 20, &config).unwrap();
    let config = QueueConfig {
        max_attempts: 30,
        kill_only: round.kill_only,
        ..QueueConfig::new(round.slots, BYTES as u32)
    };
    let first_turn = if random.below(2) == 0 { (1 << 44) - random.below(2000) - 1 } else { 0 };
    let queue = region.create_queue_at_turn("storm", &config, first_turn).unwrap();
    // SAFETY: zero is valid for atomics.
    let ledger: Shared<Ledger> = unsafe { Shared::zeroed() };

    let mut next_block = 0;
    let mut kills_inside = [0u64; 4];
    let (mut kills, mut stops) = (0, 0);
    let mut incarnation = round.seed;
    let role = |i: usize| match i {
        i if i < round.producers => Role::Producer,
        i if i < round.producers + round.consumers => Role::Consumer,
        _ => Role::Recoverer,
    };
    let mut start = |i: usize, next_block: &mut u64| {
        incarnation = incarnation.wrapping_mul(31).wrapping_add(7);
        let (seed, first) = (incarnation, *next_block * BLOCK);
        if role(i) == Role::Producer {
            *next_block += 1;
        }
        fork(|| {
            let random = &mut Random::new(seed);
            match role(i) {
                Role::Producer => produce(&ledger, queue, i, first, random),
                Role::Consumer => consume(&ledger, queue, i, round.peek_only, random),
                Role::Recoverer => recover(&ledger, &region, random),
            }
        })
    };
    let mut children: Vec<Child> = (0..workers).map(|i| start(i, &mut next_block)).collect();
    let mut stopped = vec![false; workers];
    let begin = Instant::now();
    let (mut moved, mut moved_at) = (0, Instant::now());
    let more = |next_block: u64| ((next_block + 1) * BLOCK) as usize <= NUMBERS;
    while begin.elapsed() < round.length && more(next_block) {
        thread::sleep(Duration::from_micros(200 + random.below(2000)));
        let i = random.below(workers as u64) as usize;
        if let Some(end) = children[i].poll() {
            assert_eq!((role(i), end), (Role::Producer, procs::End::Exit(0)), "{what}");
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
                kills_inside[ledger.doing[i].swap(IDLE, SeqCst) as usize] += 1;
                stopped[i] = false;
                children[i] = start(i, &mut next_block);
            }
        }
        // Stopped ones go on after a while, or a small kill-only queue would stand still.
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
    for i in 0..workers {
        if stopped[i] {
            children[i].go_on();
        }
    }
    ledger.finish.store(1, SeqCst);
    let rest = children.split_off(round.producers);
    children.into_iter().for_each(Child::succeeds);
    if round.close {
        queue.close();
    } else {
        (0..round.consumers).for_each(|_| queue.push(b"").unwrap());
    }
    ledger.finish.store(2, SeqCst);
    rest.into_iter().for_each(Child::succeeds);

    // Whatever the last dead had in hand.
    region.recover(Depth::Thorough);
    let mut buffer = [0; BYTES];
    loop {
        match queue.try_pop(&mut buffer) {
            Ok(popped) if popped.len == 0 => {}
            Ok(popped) => {
                let weight = if popped.attempt > 0 { MARKED } else { UNMARKED };
                ledger.numbers[read(&buffer[..popped.len]) as usize].fetch_add(weight, SeqCst);
            }
            Err(error) => {
                assert_eq!(error, if round.close { Error::Closed } else { Error::WouldBlock });
                break;
            }
        }
    }
    assert_eq!(queue.take_poisoned(&mut buffer), Err(Error::WouldBlock), "{what}");

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
    let [_, pushing, popping, peeking] = kills_inside;
    assert!(lost <= popping, "{what}: {lost} messages are lost, and only {popping} died inside pop");
    assert!(unsaid <= pushing, "{what}: {unsaid} messages no push spoke of, {pushing} died inside push");
    let in_hand = popping + peeking + given_back;
    assert!(
        marked <= in_hand,
        "{what}: {marked} deliveries marked, but only {in_hand} given back or in dead hands"
    );
    if !round.close {
        for i in 0..queue.capacity() {
            queue.try_push(b"x").unwrap_or_else(|error| panic!("{what}: slot {i} is lost: {error:?}"));
        }
        assert_eq!(queue.try_push(b"x"), Err(Error::WouldBlock));
    }
    assert_eq!(region.member_count(), 1, "{what}: only the referee is left");

    totals.rounds += 1;
    totals.pushed += returned;
    totals.unmarked += unmarked;
    totals.marked += marked;
    totals.in_dead_hands += lost;
    totals.given_back += given_back;
    totals.kills += kills;
    totals.stops += stops;
    for (total, n) in totals.kills_inside.iter_mut().zip(kills_inside) {
        *total += n;
    }
}

#[test]
fn queue_storm() {
    let _alone = procs::ALONE.lock();
    let length = Duration::from_secs(seconds());
    let _watchdog = watchdog("the queue storm", length.as_secs() + 2 * STALL_SECONDS);
    let mut random = Random::new(seed());
    let mut totals = Counts::default();
    let begin = Instant::now();
    while begin.elapsed() < length {
        round(
            &Round {
                seed: random.below(1 << 30),
                length: Duration::from_millis(400 + random.below(1200)).min(length),
                producers: 1 + random.below(4) as usize,
                consumers: 1 + random.below(4) as usize,
                slots: [2, 4, 16, 64][random.below(4) as usize],
                kill_only: random.below(4) == 0,
                peek_only: random.below(2) == 0,
                close: random.below(2) == 0,
            },
            &mut totals,
        );
    }
    println!(
        "storm: {} s, {} rounds, {} pushes returned, {} delivered unmarked, {} marked, {} in dead hands, \
         {} given back, {} kills (idle/push/pop/peek {:?}), {} stops",
        begin.elapsed().as_secs(),
        totals.rounds,
        totals.pushed,
        totals.unmarked,
        totals.marked,
        totals.in_dead_hands,
        totals.given_back,
        totals.kills,
        totals.kills_inside,
        totals.stops
    );
    assert!(totals.kills > 20 && totals.marked > 0, "that was no storm");
}

// ---- Lock

const LOCKERS: usize = 5;

struct Till {
    lock: Lock,
    /// Equal whenever the lock is free and its last owner did not die.
    pair: [AtomicU64; 2],
    /// Who is inside.
    inside: AtomicU64,
    /// Finished turns, counted by each locker itself.
    turns: [AtomicU64; LOCKERS],
    told: AtomicU64,
    finish: AtomicU32,
}

fn turn(till: &Till, me: usize, who: u64, random: &mut Random) {
    let (a, b) = (till.pair[0].load(Relaxed), till.pair[1].load(Relaxed));
    assert_eq!(till.inside.swap(who, Relaxed), 0, "two inside, or a death that nobody was told of");
    assert_eq!(a, b, "the last owner did not finish, and nobody was told");
    till.pair[0].store(a + 1, Relaxed);
    for _ in 0..random.below(300) {
        std::hint::spin_loop();
    }
    till.pair[1].store(b + 1, Relaxed);
    assert_eq!(till.inside.swap(0, Relaxed), who, "two inside");
    till.turns[me].fetch_add(1, Relaxed);
}

fn repair(till: &Till) {
    // A half turn counts as a whole one.
    let most = till.pair[0].load(Relaxed).max(till.pair[1].load(Relaxed));
    till.pair.iter().for_each(|word| word.store(most, Relaxed));
    till.inside.store(0, Relaxed);
    till.told.fetch_add(1, Relaxed);
}

fn lock_and_unlock(till: &Till, me: usize, who: u64, random: &mut Random) -> i32 {
    while till.finish.load(Relaxed) == 0 {
        if random.below(2) == 0 {
            let result = match random.below(3) {
                0 => till.lock.acquire(),
                1 => till.lock.acquire_timeout(random.below(3_000_000)),
                _ => till.lock.try_acquire(),
            };
            match result {
                Ok(Acquired::Clean(guard)) => {
                    turn(till, me, who, random);
                    drop(guard);
                }
                Ok(Acquired::OwnerDied(guard)) => {
                    repair(till);
                    guard.mark_consistent();
                    turn(till, me, who, random);
                    drop(guard);
                }
                Err(Error::WouldBlock | Error::TimedOut) => thread::yield_now(),
                Err(error) => panic!("acquire: {error:?}"),
            }
        } else {
            match till.lock.acquire_raw(random.below(20_000_000)) {
                Ok(outcome) => {
                    if outcome == Outcome::OwnerDied {
                        repair(till);
                        till.lock.mark_consistent().unwrap();
                    }
                    turn(till, me, who, random);
                    till.lock.release().unwrap();
                }
                Err(Error::WouldBlock | Error::TimedOut) => thread::yield_now(),
                Err(error) => panic!("acquire: {error:?}"),
            }
        }
    }
    0
}

#[test]
fn lock_storm() {
    let _alone = procs::ALONE.lock();
    let length = Duration::from_millis(seconds() * 1000 / 2);
    let _watchdog = watchdog("the lock storm", length.as_secs() + 2 * STALL_SECONDS);
    let random = &mut Random::new(seed());
    // SAFETY: zero is valid for atomics, and the lock is initialised next, before anybody sees it.
    let till: Shared<Till> = unsafe { Shared::zeroed() };
    // SAFETY: as above.
    unsafe { Lock::init(std::ptr::from_ref(&till.lock).cast_mut()) };
    let mut who = 0;
    let mut start = |i: usize| {
        who += 1;
        let who = who;
        fork(move || lock_and_unlock(&till, i, who, &mut Random::new(who)))
    };
    let mut children: Vec<Child> = (0..LOCKERS).map(&mut start).collect();
    let mut stopped = [false; LOCKERS];
    let (mut kills, mut stops) = (0u64, 0u64);
    let begin = Instant::now();
    while begin.elapsed() < length {
        thread::sleep(Duration::from_micros(200 + random.below(1500)));
        let i = random.below(LOCKERS as u64) as usize;
        assert_eq!(children[i].poll(), None, "a locker failed");
        match random.below(3) {
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
                children[i].kill_in_place();
                kills += 1;
                stopped[i] = false;
                children[i] = start(i);
            }
        }
        let awake = random.below(LOCKERS as u64) as usize;
        if stopped[awake] {
            children[awake].go_on();
            stopped[awake] = false;
        }
    }
    for i in 0..LOCKERS {
        if stopped[i] {
            children[i].go_on();
        }
    }
    till.finish.store(1, SeqCst);
    children.into_iter().for_each(Child::succeeds);
    match till.lock.try_acquire().expect("free at the end") {
        Acquired::Clean(_guard) => {}
        Acquired::OwnerDied(guard) => {
            repair(&till);
            guard.mark_consistent();
        }
    }
    let [a, b] = [till.pair[0].load(SeqCst), till.pair[1].load(SeqCst)];
    let turns: u64 = till.turns.iter().map(|n| n.load(SeqCst)).sum();
    let told = till.told.load(SeqCst);
    println!("lock storm: {turns} turns, {kills} kills, {told} told of an owner's death, {stops} stops");
    assert_eq!(a, b);
    assert!(turns <= a && a <= turns + kills, "{turns} turns, {kills} kills, but the sum is {a}");
    assert!(told <= kills, "more deaths told than there were");
    assert!(kills > 20 && told > 0 && turns > 1000, "that was no storm");
}
