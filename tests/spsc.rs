//! What an SPSC queue promises, claim by claim: ends, deaths, closing, waiting, event loops, hostile bytes.

mod hostile_driver;
mod procs;

use hostile_driver::Arena;
use procs::{Child, Shared, WATCHDOG_SECONDS, fork, wait_until, watchdog};
use proptest::{prelude::*, test_runner::Config};
use rialto::{
    Consumer, Depth, Error, Producer, QueueConfig, Region, RegionConfig, Spsc, SpscConfig,
    spsc::{OnDeath, Popped},
};
use std::{
    mem::forget,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::*},
    thread,
    time::{Duration, Instant},
};

const MS: u64 = 1_000_000;
const FOREVER: u64 = u64::MAX;
const MAX: usize = 64;

fn region() -> Region {
    Region::create_anonymous(1 << 17, &RegionConfig { members: 8, ..Default::default() }).unwrap()
}

/// One in which no tick wakes anybody in time: what is not told is missed, and [`Untold`] finds it.
fn without_ticks() -> Region {
    let config = RegionConfig { members: 8, tick_ms: 60_000, ..Default::default() };
    Region::create_anonymous(1 << 17, &config).unwrap()
}

/// Fails if it is dropped so late that a tick of [`without_ticks`] must have helped.
struct Untold(Instant);

fn untold() -> Untold {
    Untold(Instant::now())
}

impl Drop for Untold {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert!(self.0.elapsed() < Duration::from_secs(45), "only the tick woke them");
        }
    }
}

/// A queue of `slots` messages of at most 64 bytes.
fn spsc(region: &Region, slots: u32) -> Spsc<'_> {
    region.create_spsc("q", &SpscConfig::new(slots, MAX as u32)).unwrap()
}

fn opened(region: &Region) -> Spsc<'_> {
    region.open_spsc("q").unwrap()
}

/// Pops without waiting; `None` if there is nothing.
fn take(consumer: &mut Consumer) -> Option<(Vec<u8>, u8)> {
    let mut buffer = vec![0; consumer.max_message_bytes()];
    match consumer.try_pop(&mut buffer) {
        Ok(popped) => Some((buffer[..popped.len].to_vec(), popped.attempt)),
        Err(Error::WouldBlock) => None,
        Err(error) => panic!("{error:?}"),
    }
}

fn sleep_for_ever() -> i32 {
    loop {
        thread::sleep(Duration::from_secs(1000));
    }
}

/// A child that has done `f`, and stands still with what it has claimed.
fn child_with<'r, T>(region: &'r Region, f: impl FnOnce(Spsc<'r>) -> T) -> Child {
    // SAFETY: zero is a valid atomic.
    let done: Shared<AtomicU32> = unsafe { Shared::zeroed() };
    let child = fork(|| {
        let kept = f(opened(region));
        done.store(1, SeqCst);
        forget(kept);
        sleep_for_ever()
    });
    wait_until("the child has done it", || done.load(SeqCst) == 1);
    child
}

/// A child consumer with the next message in hand, which expects that attempt.
fn holder(region: &Region, attempt: u8) -> Child {
    child_with(region, |spsc| {
        let mut consumer = spsc.consumer_timeout(FOREVER).unwrap();
        assert_eq!(consumer.peek().unwrap().attempt(), attempt);
        consumer
    })
}

// ---- parameters

#[test]
fn impossible_parameters_are_refused() {
    let region = region();
    let good = SpscConfig::new(4, 8);
    for bad in [
        SpscConfig { slots: 0, ..good },
        SpscConfig { slots: u32::MAX, ..good },
        SpscConfig { slots: 1 << 29, ..good },
        SpscConfig { max_message_bytes: 0, ..good },
        SpscConfig { max_message_bytes: 1 << 30, ..good },
        SpscConfig { max_message_bytes: u32::MAX, ..good },
        SpscConfig { max_message_bytes: 1 << 29, ..good },
        SpscConfig { max_attempts: 0, ..good },
        SpscConfig { max_attempts: 15, ..good },
    ] {
        assert_eq!(bad.layout(), Err(Error::Invalid), "{bad:?}");
        assert_eq!(region.create_spsc("bad", &bad).err(), Some(Error::Invalid), "{bad:?}");
    }
    assert_eq!(region.open_spsc("bad").err(), Some(Error::NotFound));
    // The largest stream there is: 2^26 records of 16 bytes, and one more would be too many.
    let most = SpscConfig::new((1 << 26) - 1, 8);
    assert_eq!(most.layout().unwrap().size, 768 + (1 << 30) + 128);
    assert_eq!(SpscConfig::new(1 << 26, 8).layout(), Err(Error::Invalid));
}

#[test]
fn another_kind_and_other_parameters_are_refused() {
    let region = region();
    let config = SpscConfig::new(4, 64);
    region.create_spsc("spsc", &config).unwrap();
    region.create_queue("queue", &QueueConfig::new(4, 64)).unwrap();
    assert_eq!(region.open_queue("spsc").err(), Some(Error::WrongKind));
    assert_eq!(region.open_spsc("queue").err(), Some(Error::WrongKind));
    assert_eq!(region.open_barrier("spsc").err(), Some(Error::WrongKind));
    assert_eq!(region.create_spsc("queue", &config).err(), Some(Error::Exists));
    assert!(region.open_spsc_as("spsc", &config).is_ok());
    for other in [
        SpscConfig { slots: 5, ..config },
        SpscConfig { max_message_bytes: 63, ..config },
        SpscConfig { max_attempts: 4, ..config },
        SpscConfig { on_death: OnDeath::Drop, ..config },
        SpscConfig { slots: 0, ..config },
    ] {
        assert_eq!(region.open_spsc_as("spsc", &other).err(), Some(Error::WrongKind), "{other:?}");
    }
}

#[test]
fn what_is_too_long_or_too_short_is_refused_and_changes_nothing() {
    let region = region();
    let spsc = spsc(&region, 4);
    let (mut producer, mut consumer) = (spsc.producer().unwrap(), spsc.consumer().unwrap());
    assert_eq!((spsc.capacity(), spsc.max_message_bytes()), (4, MAX));
    let long = [1; MAX + 1];
    assert_eq!(producer.push(&long), Err(Error::MessageTooLarge));
    assert_eq!(producer.try_push(&long), Err(Error::MessageTooLarge));
    assert_eq!(producer.push_timeout(&long, MS), Err(Error::MessageTooLarge));
    assert_eq!(producer.push_many(&[b"fits", &long]), Err(Error::MessageTooLarge));
    assert_eq!(producer.reserve(MAX + 1).err(), Some(Error::MessageTooLarge));
    assert_eq!(producer.push_many(&[]), Ok(0));
    assert!(spsc.is_empty());

    producer.push(b"abc").unwrap();
    let (mut small, mut popped) = ([0; MAX - 1], [Popped::default(); 2]);
    assert_eq!(consumer.pop(&mut small), Err(Error::BufferTooSmall));
    assert_eq!(consumer.pop_many(&mut small, &mut popped), Err(Error::BufferTooSmall));
    assert_eq!(consumer.take_poisoned(&mut small), Err(Error::BufferTooSmall));
    assert_eq!(consumer.pop_many(&mut [0; MAX], &mut []), Err(Error::Invalid));
    assert_eq!(spsc.len(), 1);

    let mut large = [0xee; 100];
    assert_eq!(consumer.pop(&mut large), Ok(Popped { len: 3, attempt: 0 }));
    assert_eq!(&large[..3], b"abc");
    assert!(large[3..].iter().all(|byte| *byte == 0xee));
}

#[test]
fn a_message_takes_what_it_needs_and_a_loan_what_was_committed() {
    let region = region();
    let spsc = spsc(&region, 4); // 5 times 80 bytes
    let mut producer = spsc.producer().unwrap();
    for _ in 0..5 {
        let mut loan = producer.reserve(MAX).unwrap();
        loan.truncate(8);
        loan.write(b"8 bytes.").unwrap();
        loan.commit().unwrap();
    }
    // 80 bytes are taken, 320 left: of which one more header must stay free.
    for _ in 0..19 {
        producer.try_push(b"8 bytes.").unwrap();
    }
    assert_eq!(producer.try_push(b"8 bytes."), Err(Error::WouldBlock));
    assert_eq!(spsc.len(), 24);
}

// ---- ends

#[test]
fn each_end_is_one_handles_at_a_time() {
    let region = region();
    let spsc = spsc(&region, 2);
    let producer = spsc.producer().unwrap();
    assert_eq!(spsc.producer().err(), Some(Error::EndTaken));
    assert_eq!(producer.producer().err(), Some(Error::EndTaken));
    assert_eq!(spsc.producer_timeout(0).err(), Some(Error::EndTaken));
    let consumer = spsc.consumer().unwrap();
    assert_eq!(spsc.consumer().err(), Some(Error::EndTaken));
    fork(|| {
        assert_eq!(opened(&region).producer().err(), Some(Error::EndTaken));
        assert_eq!(opened(&region).consumer().err(), Some(Error::EndTaken));
        0
    })
    .succeeds();
    drop(producer);
    let producer = spsc.producer().unwrap();
    assert_eq!(spsc.consumer().err(), Some(Error::EndTaken));
    drop(consumer);
    let _consumer = spsc.consumer_timeout(0).unwrap();
    assert_eq!(spsc.producer().err(), Some(Error::EndTaken));
    drop(producer);
}

#[test]
fn who_waits_for_an_end_gets_it_when_it_is_given_back_or_its_owner_is_killed() {
    let _watchdog = watchdog("ends", WATCHDOG_SECONDS);
    let region = region();
    let spsc = spsc(&region, 2);
    let (producer, consumer) = (spsc.producer().unwrap(), spsc.consumer().unwrap());
    let begin = Instant::now();
    assert_eq!(spsc.producer_timeout(30 * MS).err(), Some(Error::TimedOut));
    assert_eq!(spsc.consumer_timeout(130 * MS).err(), Some(Error::TimedOut));
    assert!(begin.elapsed() >= Duration::from_millis(160), "early");

    let waits = |killed: bool| {
        let child = fork(|| {
            let ends = (opened(&region).producer_timeout(FOREVER), opened(&region).consumer_timeout(FOREVER));
            assert!(ends.0.is_ok() && ends.1.is_ok());
            if killed {
                forget(ends);
            }
            0
        });
        child.wait_until_asleep();
        child
    };
    let child = waits(false);
    drop((producer, consumer));
    child.succeeds();

    let owner = child_with(&region, |spsc| (spsc.producer().unwrap(), spsc.consumer().unwrap()));
    let child = waits(true);
    owner.kill();
    child.succeeds();
    // That one has ended with both: they are free again, for who asks once.
    assert!(spsc.producer().is_ok() && spsc.consumer().is_ok());
}

#[test]
fn an_owner_that_is_killed_is_found_by_who_claims_and_by_who_recovers() {
    let region = region();
    let spsc = spsc(&region, 2);
    let owner = child_with(&region, |spsc| (spsc.producer().unwrap(), spsc.consumer().unwrap()));
    assert_eq!(spsc.producer().err(), Some(Error::EndTaken));
    owner.kill();
    let producer = spsc.producer().unwrap(); // recovers
    drop(producer);

    let owner = child_with(&region, |spsc| spsc.producer().unwrap());
    owner.kill();
    let found = region.recover(Depth::Marked);
    assert_eq!((found.members, found.ends, found.redelivered), (1, 1, 0));
    assert_eq!(region.recover(Depth::Marked).ends, 0);
    let _ = spsc.producer().unwrap();
}

#[test]
fn a_handle_that_has_lost_its_end_says_so_and_takes_nothing_with_it() {
    let _watchdog = watchdog("lost ends", WATCHDOG_SECONDS);
    let region = region();
    let spsc = spsc(&region, 2);
    spsc.producer().unwrap().push(b"first").unwrap();
    // Claimed for a thread that ends; the handles go on without it.
    let (mut producer, mut consumer) = thread::scope(|scope| {
        scope.spawn(|| (spsc.producer().unwrap(), spsc.consumer().unwrap())).join().unwrap()
    });
    assert_eq!(region.recover(Depth::Marked).ends, 2);
    let mut buffer = [0; MAX];
    assert_eq!(producer.try_push(b"x"), Err(Error::NotOwner));
    assert_eq!(producer.push(b"x"), Err(Error::NotOwner));
    assert_eq!(producer.push_many(&[b"x"]), Err(Error::NotOwner));
    assert_eq!(producer.reserve(1).err(), Some(Error::NotOwner));
    assert_eq!(consumer.try_pop(&mut buffer), Err(Error::NotOwner));
    assert_eq!(consumer.pop(&mut buffer), Err(Error::NotOwner));
    assert_eq!(consumer.peek().err(), Some(Error::NotOwner));
    assert_eq!(consumer.take_poisoned(&mut buffer), Err(Error::NotOwner));
    assert!(producer.arm_space() && consumer.arm_data(), "there is something to be told");

    let (mut next_producer, mut next_consumer) = (spsc.producer().unwrap(), spsc.consumer().unwrap());
    drop((producer, consumer));
    assert_eq!(spsc.producer().err(), Some(Error::EndTaken));
    next_producer.push(b"second").unwrap();
    assert_eq!(take(&mut next_consumer), Some((b"first".to_vec(), 0)));
    assert_eq!(take(&mut next_consumer), Some((b"second".to_vec(), 0)));
}

#[test]
fn a_message_in_hand_and_a_loan_are_worth_nothing_once_the_end_is_lost() {
    let region = region();
    let spsc = spsc(&region, 4);
    spsc.producer().unwrap().push_many(&[b"1", b"2"]).unwrap();
    let (mut producer, mut consumer) = thread::scope(|scope| {
        scope.spawn(|| (spsc.producer().unwrap(), spsc.consumer().unwrap())).join().unwrap()
    });
    let mut loan = producer.reserve(1).unwrap();
    loan.write(b"3").unwrap();
    let peeked = consumer.peek().unwrap();
    let found = region.recover(Depth::Marked);
    assert_eq!((found.ends, found.redelivered), (2, 1));
    assert_eq!(loan.commit(), Err(Error::NotOwner));
    peeked.release();
    let mut next = spsc.consumer().unwrap();
    assert_eq!(take(&mut next), Some((b"1".to_vec(), 1)));
    assert_eq!(take(&mut next), Some((b"2".to_vec(), 0)));
    assert_eq!(take(&mut next), None);
}

#[test]
fn a_loan_committed_after_others_took_over_changes_nothing_of_theirs() {
    // From every offset, so that the loan lies in front of what was skipped, too.
    for first in (0..5 * 80).step_by(16) {
        let region = region();
        let spsc = region.create_spsc_at("q", &SpscConfig::new(4, MAX as u32), first).unwrap();
        let mut lost = thread::scope(|scope| scope.spawn(|| spsc.producer().unwrap()).join().unwrap());
        let mut loan = lost.reserve(MAX).unwrap();
        loan.write(&[0xff; MAX]).unwrap();
        region.recover(Depth::Marked);
        let mut next = spsc.producer().unwrap();
        let mut consumer = spsc.consumer().unwrap();
        for i in 0..3 {
            next.push(&[i; 20]).unwrap();
        }
        assert_eq!(take(&mut consumer), Some((vec![0; 20], 0)));
        assert_eq!(loan.commit(), Err(Error::NotOwner));
        drop(next);
        spsc.producer().unwrap().push(&[3; 20]).unwrap();
        for i in 1..4 {
            assert_eq!(take(&mut consumer), Some((vec![i; 20], 0)), "from {first}");
        }
        assert_eq!(take(&mut consumer), None);
        let mut keeps = spsc.producer().unwrap();
        assert_eq!(lost.try_push(b"x"), Err(Error::NotOwner));
        spsc.close();
        assert_eq!(consumer.pop_timeout(&mut [0; MAX], 10_000 * MS), Err(Error::Closed));
        assert_eq!(keeps.push(b"x"), Err(Error::Closed));
    }
}

#[test]
fn one_who_sleeps_when_its_end_is_lost_wakes_and_says_so() {
    let _watchdog = watchdog("lost while asleep", 2 * WATCHDOG_SECONDS);
    let region = without_ticks();
    let spsc = spsc(&region, 1);
    let (mut producer, mut consumer) = thread::scope(|scope| {
        scope.spawn(|| (spsc.producer().unwrap(), spsc.consumer().unwrap())).join().unwrap()
    });
    let tid = AtomicU32::new(0);
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            // SAFETY: no memory is involved.
            tid.store(unsafe { libc::gettid() } as u32, SeqCst);
            // It finds its own end's owner dead before it sleeps, or sleeps and is told.
            let popped = consumer.pop(&mut [0; MAX]);
            (popped, producer.push(b"x"))
        });
        wait_until("it runs", || tid.load(SeqCst) != 0);
        let _untold = untold();
        region.recover(Depth::Marked);
        assert_eq!(sleeper.join().unwrap(), (Err(Error::NotOwner), Err(Error::NotOwner)));
    });
}

#[test]
fn a_member_with_an_end_is_busy_and_takes_it_along_when_it_leaves() {
    let region = region();
    let spsc = spsc(&region, 2);
    let producer = spsc.producer().unwrap();
    assert_eq!(region.leave(), Err(Error::Busy));
    drop(producer);
    let consumer = spsc.consumer().unwrap();
    assert_eq!(region.leave(), Err(Error::Busy));
    drop(consumer);
    assert_eq!(region.leave(), Ok(()));

    let member = region.join().unwrap();
    let producer = spsc.as_member(&member).producer().unwrap();
    assert_eq!(spsc.producer().err(), Some(Error::EndTaken));
    forget(producer);
    drop(member);
    assert!(spsc.producer().is_ok());

    let other = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let stranger = other.join().unwrap();
    // The lifetimes are the same, the regions are not.
    assert_eq!(spsc.as_member(&stranger).producer().err(), Some(Error::Invalid));
}

// ---- deaths

#[test]
fn messages_outlive_their_producer_and_the_next_goes_on_behind_them() {
    let region = region();
    let spsc = spsc(&region, 4);
    let producer = child_with(&region, |spsc| {
        let mut producer = spsc.producer().unwrap();
        producer.push(b"1").unwrap();
        producer.push_many(&[b"2", b"3"]).unwrap();
        let mut loan = producer.reserve(1).unwrap();
        loan.write(b"x").unwrap();
        producer
    });
    producer.kill();
    spsc.producer().unwrap().push(b"4").unwrap();
    let mut consumer = spsc.consumer().unwrap();
    for expected in [b"1", b"2", b"3", b"4"] {
        assert_eq!(take(&mut consumer), Some((expected.to_vec(), 0)));
    }
    assert_eq!(take(&mut consumer), None);
}

#[test]
fn only_what_a_dead_consumer_had_in_hand_is_marked_and_with_how_many_died() {
    let region = region();
    let spsc = spsc(&region, 4);
    let mut producer = spsc.producer().unwrap();
    producer.push_many(&[b"1", b"2"]).unwrap();
    // One dies idle.
    child_with(&region, |spsc| spsc.consumer().unwrap()).kill();
    // Three die with the first message.
    (0..3).for_each(|attempt| holder(&region, attempt).kill());
    // One takes it, and dies before it takes the second.
    let taker = child_with(&region, |spsc| {
        let mut consumer = spsc.consumer_timeout(FOREVER).unwrap();
        assert_eq!(take(&mut consumer), Some((b"1".to_vec(), 3)));
        consumer
    });
    taker.kill();
    let mut consumer = spsc.consumer().unwrap();
    assert_eq!(take(&mut consumer), Some((b"2".to_vec(), 0)));
    producer.push(b"3").unwrap();
    assert_eq!(take(&mut consumer), Some((b"3".to_vec(), 0)));
}

#[test]
fn a_message_that_keeps_killing_is_set_aside_until_somebody_takes_it() {
    for max_attempts in [1, 14] {
        let region = region();
        let spsc = region.create_spsc("q", &SpscConfig { max_attempts, ..SpscConfig::new(4, 64) }).unwrap();
        spsc.producer().unwrap().push_many(&[b"bad", b"good"]).unwrap();
        (0..=max_attempts).for_each(|attempt| holder(&region, attempt).kill());
        let mut consumer = spsc.consumer().unwrap();
        let mut buffer = [0; MAX];
        for _ in 0..2 {
            assert_eq!(consumer.try_pop(&mut buffer), Err(Error::Poisoned));
            assert_eq!(consumer.pop(&mut buffer), Err(Error::Poisoned));
            assert_eq!(consumer.peek().err(), Some(Error::Poisoned));
        }
        assert_eq!(consumer.poisoned(), 1);
        let popped = consumer.take_poisoned(&mut buffer).unwrap();
        assert_eq!((&buffer[..popped.len], popped.attempt), (&b"bad"[..], max_attempts + 1));
        assert_eq!(consumer.poisoned(), 0);
        assert_eq!(consumer.take_poisoned(&mut buffer), Err(Error::WouldBlock));
        assert_eq!(take(&mut consumer), Some((b"good".to_vec(), 0)));
        assert_eq!(consumer.take_poisoned(&mut buffer), Err(Error::WouldBlock));
    }
}

#[test]
fn a_queue_that_drops_drops_what_died_and_keeps_what_was_given_back() {
    let region = region();
    let config = SpscConfig { on_death: OnDeath::Drop, ..SpscConfig::new(2, 64) };
    let spsc = region.create_spsc("q", &config).unwrap();
    let mut producer = spsc.producer().unwrap();
    producer.push_many(&[b"1", b"2"]).unwrap();
    holder(&region, 0).kill();
    assert_eq!(region.recover(Depth::Marked).redelivered, 0);
    assert_eq!(spsc.dropped(), 0, "nobody has come to drop it");
    let mut consumer = spsc.consumer().unwrap();
    assert_eq!((spsc.dropped(), spsc.len()), (1, 1));
    let _ = consumer.peek().unwrap(); // given back
    drop(consumer); // living
    let mut consumer = spsc.consumer().unwrap();
    assert_eq!(take(&mut consumer), Some((b"2".to_vec(), 1)));
    drop(consumer);
    // One that dies idle drops nothing.
    producer.push(b"3").unwrap();
    child_with(&region, |spsc| spsc.consumer().unwrap()).kill();
    assert_eq!(take(&mut spsc.consumer().unwrap()), Some((b"3".to_vec(), 0)));
    assert_eq!(spsc.dropped(), 1);
}

#[test]
fn a_producer_that_sleeps_is_woken_by_the_room_of_a_dropped_message() {
    let _watchdog = watchdog("dropped room", 2 * WATCHDOG_SECONDS);
    let region = without_ticks();
    let _untold = untold();
    let config = SpscConfig { on_death: OnDeath::Drop, ..SpscConfig::new(1, 64) };
    let spsc = region.create_spsc("q", &config).unwrap();
    spsc.producer().unwrap().push(&[1; MAX]).unwrap();
    let dead = holder(&region, 0);
    let producer = fork(|| opened(&region).producer().unwrap().push(&[2; MAX]).map_or(1, |()| 0));
    producer.wait_until_asleep();
    dead.kill();
    let mut consumer = spsc.consumer_timeout(FOREVER).unwrap();
    producer.succeeds();
    assert_eq!(take(&mut consumer), Some((vec![2; MAX], 0)));
}

#[test]
fn a_queue_that_stops_stops_at_the_first_death_or_return() {
    let region = region();
    let config = SpscConfig { on_death: OnDeath::Stop, ..SpscConfig::new(4, 64) };
    let spsc = region.create_spsc("q", &config).unwrap();
    spsc.producer().unwrap().push_many(&[b"1", b"2", b"3"]).unwrap();
    holder(&region, 0).kill();
    let mut consumer = spsc.consumer().unwrap();
    let mut buffer = [0; MAX];
    assert_eq!(consumer.pop(&mut buffer), Err(Error::Poisoned));
    assert_eq!(consumer.take_poisoned(&mut buffer).unwrap().attempt, 1);
    let _ = consumer.peek().unwrap(); // given back
    assert_eq!(consumer.pop(&mut buffer), Err(Error::Poisoned));
    assert_eq!(consumer.take_poisoned(&mut buffer).unwrap().attempt, 1);
    assert_eq!(take(&mut consumer), Some((b"3".to_vec(), 0)));
}

/// A number's fate: how often it was acted on by somebody who was told that he is the first, and otherwise.
struct Fates {
    next: AtomicU32,
    first: [AtomicU32; FATES],
    again: [AtomicU32; FATES],
}

const FATES: usize = 1 << 20;

#[test]
fn whoever_is_killed_whenever_each_message_is_acted_on_or_comes_again_marked() {
    let _watchdog = watchdog("killed whenever", 2 * WATCHDOG_SECONDS);
    let region = region();
    let spsc = spsc(&region, 3);
    // SAFETY: zeros are valid atomics.
    let fates: Shared<Fates> = unsafe { Shared::zeroed() };
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    let producer = || {
        fork(|| {
            let mut producer = opened(&region).producer_timeout(FOREVER).unwrap();
            loop {
                // Whoever comes after a death repeats the number that the dead one was at.
                let number = fates.next.load(SeqCst);
                if number as usize == FATES {
                    return 0;
                }
                let mut bytes = [0; MAX];
                bytes[..4].copy_from_slice(&number.to_le_bytes());
                producer.push(&bytes[..4 + number as usize % 61]).unwrap();
                fates.next.store(number + 1, SeqCst);
            }
        })
    };
    let consumer = || {
        fork(|| {
            let mut consumer = opened(&region).consumer_timeout(FOREVER).unwrap();
            loop {
                let peeked = consumer.peek().unwrap();
                let mut bytes = [0; MAX];
                assert_eq!(peeked.copy_to(&mut bytes), peeked.len());
                let number = number(&bytes);
                assert_eq!(peeked.len(), 4 + number % 61);
                let fate = if peeked.redelivered() { &fates.again } else { &fates.first };
                fate[number].fetch_add(1, SeqCst);
                peeked.release();
            }
        })
    };
    const ROUNDS: u64 = 60;
    let (mut p, mut c) = (producer(), consumer());
    for round in 0..ROUNDS {
        thread::sleep(Duration::from_micros(round * 7919 % 3000));
        let (dies_p, dies_c) = (round % 3 != 0, round % 3 != 1);
        if dies_p {
            p.kill();
            p = producer();
        }
        if dies_c {
            c.kill();
            c = consumer();
        }
    }
    p.kill();
    c.kill();
    let mut last = spsc.consumer().unwrap();
    while let Some((bytes, attempt)) = take(&mut last) {
        let fate = if attempt > 0 { &fates.again } else { &fates.first };
        fate[number(&bytes)].fetch_add(1, SeqCst);
    }
    let pushed = fates.next.load(SeqCst) as usize;
    assert!(pushed > 100, "nothing was tested: {pushed}");
    let (mut twice, mut marked) = (0, 0);
    for i in 0..pushed {
        let (first, again) = (fates.first[i].load(SeqCst), fates.again[i].load(SeqCst));
        // Twice as a first one: pushed by a producer that died before it could say so, and by the next.
        assert!(first + again > 0, "{i} of {pushed} was lost");
        assert!(first <= 3, "{i}: {first} {again}");
        twice += u64::from(first.saturating_sub(1));
        marked += u64::from(again);
    }
    assert!(twice <= ROUNDS && marked <= ROUNDS, "{twice} twice, {marked} marked");
    println!("{pushed} pushed, {twice} pushed twice, {marked} redelivered");
}

// ---- closing

#[test]
fn after_a_close_pops_drain_and_pushes_fail() {
    let region = region();
    let spsc = spsc(&region, 4);
    let (mut producer, mut consumer) = (spsc.producer().unwrap(), spsc.consumer().unwrap());
    producer.push(b"1").unwrap();
    let mut loan = producer.reserve(1).unwrap();
    loan.write(b"2").unwrap();
    spsc.close();
    spsc.close();
    assert_eq!(loan.commit(), Err(Error::Closed));
    assert_eq!(producer.try_push(b"3"), Err(Error::Closed));
    assert_eq!(producer.push(b"3"), Err(Error::Closed));
    assert_eq!(producer.push_many(&[b"3"]), Err(Error::Closed));
    assert_eq!(producer.reserve(1).err(), Some(Error::Closed));
    assert_eq!(take(&mut consumer), Some((b"1".to_vec(), 0)));
    let mut buffer = [0; MAX];
    for _ in 0..2 {
        assert_eq!(consumer.try_pop(&mut buffer), Err(Error::Closed));
        assert_eq!(consumer.pop(&mut buffer), Err(Error::Closed));
        assert_eq!(consumer.peek_timeout(MS).err(), Some(Error::Closed));
        assert_eq!(consumer.take_poisoned(&mut buffer), Err(Error::WouldBlock));
    }
    assert!(spsc.is_closed() && spsc.is_empty());
    // For who comes later, too.
    drop((producer, consumer));
    assert_eq!(spsc.consumer().unwrap().pop(&mut buffer), Err(Error::Closed));
    assert_eq!(spsc.producer().unwrap().push(b"3"), Err(Error::Closed));
}

#[test]
fn whatever_a_close_comes_between_what_was_pushed_is_popped() {
    let _watchdog = watchdog("close races", 2 * WATCHDOG_SECONDS);
    const ROUNDS: u32 = 600; // each end of a stream takes a slow fence
    let config = RegionConfig { members: 8, objects: 4096, ..Default::default() };
    let region = Region::create_anonymous(8 << 20, &config).unwrap();
    let queues: Vec<Spsc> =
        (0..ROUNDS).map(|i| region.create_spsc(&format!("q{i}"), &SpscConfig::new(4, 64)).unwrap()).collect();
    let round = AtomicU32::new(0);
    let mut all = 0;
    thread::scope(|scope| {
        let producer = scope.spawn(|| {
            let mut pushed = Vec::new();
            for (i, spsc) in queues.iter().enumerate() {
                let mut producer = spsc.producer().unwrap();
                wait_for(&round, i as u32);
                let begin = pushed.len();
                pushed.push(0);
                // Long copies: what a close comes between.
                while producer.push(&[1; MAX]).is_ok() {
                    pushed[begin] += 1;
                }
            }
            pushed
        });
        let mut popped = Vec::new();
        for spsc in &queues {
            let mut consumer = spsc.consumer().unwrap();
            round.fetch_add(1, SeqCst);
            let mut count = 0;
            while consumer.try_pop(&mut [0; MAX]).is_err() {}
            count += 1;
            spsc.close();
            while consumer.pop(&mut [0; MAX]).is_ok() {
                count += 1;
            }
            popped.push(count);
        }
        all += popped.iter().sum::<u32>();
        let pushed = producer.join().unwrap();
        for (round, both) in pushed.iter().zip(&popped).enumerate() {
            assert_eq!(both.0, both.1, "pushed and popped in round {round}");
        }
    });
    assert!(all > ROUNDS, "no close ever came after more than one push");
}

fn wait_for(round: &AtomicU32, i: u32) {
    while round.load(SeqCst) <= i {
        std::hint::spin_loop();
    }
}

#[test]
fn a_close_wakes_both_who_sleep() {
    let _watchdog = watchdog("close wakes", 2 * WATCHDOG_SECONDS);
    let region = without_ticks();
    let full = region.create_spsc("full", &SpscConfig::new(1, 64)).unwrap();
    spsc(&region, 1);
    let _untold = untold();
    let consumer = fork(|| {
        assert_eq!(opened(&region).consumer().unwrap().pop(&mut [0; MAX]), Err(Error::Closed));
        0
    });
    let producer = fork(|| {
        let mut producer = region.open_spsc("full").unwrap().producer().unwrap();
        producer.push(&[1; MAX]).unwrap();
        assert_eq!(producer.push_many(&[&[1; MAX], &[1; MAX]]), Err(Error::Closed));
        0
    });
    consumer.wait_until_asleep();
    producer.wait_until_asleep();
    opened(&region).close();
    full.close();
    consumer.succeeds();
    producer.succeeds();
}

#[test]
fn what_a_dead_consumer_had_in_hand_comes_before_the_end() {
    let region = region();
    let spsc = spsc(&region, 4);
    spsc.producer().unwrap().push(b"1").unwrap();
    let dead = holder(&region, 0);
    spsc.close();
    dead.kill();
    let mut consumer = spsc.consumer().unwrap();
    assert_eq!(take(&mut consumer), Some((b"1".to_vec(), 1)));
    assert_eq!(consumer.pop(&mut [0; MAX]), Err(Error::Closed));
}

// ---- waiting

#[test]
fn polling_does_not_wait_and_a_timeout_is_never_early() {
    let region = region();
    let spsc = spsc(&region, 1);
    let (mut producer, mut consumer) = (spsc.producer().unwrap(), spsc.consumer().unwrap());
    let (mut buffer, mut popped) = ([0; MAX], [Popped::default()]);
    assert_eq!(consumer.try_pop(&mut buffer), Err(Error::WouldBlock));
    assert_eq!(consumer.pop_timeout(&mut buffer, 0), Err(Error::WouldBlock));
    assert_eq!(consumer.try_peek().err(), Some(Error::WouldBlock));
    assert_eq!(consumer.try_pop_many(&mut buffer, &mut popped), Err(Error::WouldBlock));
    let never_early = |timeout_ns: u64, call: &mut dyn FnMut(u64) -> Error| {
        let begin = Instant::now();
        assert_eq!(call(timeout_ns), Error::TimedOut);
        assert!(begin.elapsed() >= Duration::from_nanos(timeout_ns), "early: {:?}", begin.elapsed());
    };
    for timeout_ns in [1, 1000, 30 * MS, 130 * MS] {
        never_early(timeout_ns, &mut |ns| consumer.pop_timeout(&mut buffer, ns).unwrap_err());
        never_early(timeout_ns, &mut |ns| consumer.peek_timeout(ns).err().unwrap());
        never_early(timeout_ns, &mut |ns| {
            consumer.pop_many_timeout(&mut buffer, &mut popped, ns).unwrap_err()
        });
    }
    let message = [7; MAX];
    producer.push(&message).unwrap();
    assert_eq!(producer.try_push(&message), Err(Error::WouldBlock));
    assert_eq!(producer.push_timeout(&message, 0), Err(Error::WouldBlock));
    assert_eq!(producer.try_reserve(MAX).err(), Some(Error::WouldBlock));
    assert_eq!(producer.try_push_many(&[&message]), Err(Error::WouldBlock));
    for timeout_ns in [1, 1000, 30 * MS, 130 * MS] {
        never_early(timeout_ns, &mut |ns| producer.push_timeout(&message, ns).unwrap_err());
        never_early(timeout_ns, &mut |ns| producer.reserve_timeout(MAX, ns).err().unwrap());
        never_early(timeout_ns, &mut |ns| producer.push_many_timeout(&[&message], ns).unwrap_err());
    }
    // Of several, those that fit.
    consumer.pop(&mut buffer).unwrap();
    assert_eq!(producer.push_many_timeout(&[&message, &message], 10 * MS), Ok(1));
}

#[test]
fn processes_that_sleep_at_both_ends_wake_each_other() {
    let _watchdog = watchdog("both ends", 2 * WATCHDOG_SECONDS);
    let region = without_ticks();
    let spsc = spsc(&region, 1);
    let _untold = untold();
    const COUNT: u32 = 3000;
    let child = fork(|| {
        let mut producer = opened(&region).producer().unwrap();
        for i in 0..COUNT {
            producer.push(&[&i.to_le_bytes()[..], &[0; 60]].concat()).unwrap();
        }
        0
    });
    let mut consumer = spsc.consumer().unwrap();
    let mut buffer = [0; MAX];
    for i in 0..COUNT {
        consumer.pop(&mut buffer).unwrap();
        assert_eq!(buffer[..4], i.to_le_bytes());
        if i % 500 == 0 {
            child.wait_until_asleep();
        }
    }
    child.succeeds();
}

// ---- event loops

fn eventfd() -> i32 {
    // SAFETY: no memory is involved.
    let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK) };
    assert!(fd >= 0);
    fd
}

/// Whether it is readable; reads it.
fn read(fd: i32) -> bool {
    let mut value = 0u64;
    // SAFETY: 8 bytes of ours.
    unsafe { libc::read(fd, (&raw mut value).cast(), 8) == 8 }
}

#[test]
fn descriptors_are_signalled_if_somebody_has_armed_and_only_then() {
    let region = region();
    let (data, space) = (eventfd(), eventfd());
    let spsc = spsc(&region, 1).with_data_fd(data).with_space_fd(space);
    let (mut producer, mut consumer) = (spsc.producer().unwrap(), spsc.consumer().unwrap());
    let message = [1; MAX];
    // Nobody has armed.
    producer.push(&message).unwrap();
    assert!(take(&mut consumer).is_some());
    assert!(!read(data) && !read(space));

    assert!(!consumer.arm_data());
    assert!(!read(data));
    producer.push(&message).unwrap();
    assert!(read(data) && !read(space));
    assert!(consumer.arm_data(), "it is there");
    assert!(!producer.arm_space());
    assert!(take(&mut consumer).is_some());
    assert!(read(space));
    assert!(producer.arm_space());

    // By each of the ways that bring something.
    let pushes: [fn(&mut Producer); 3] = [
        |producer| assert_eq!(producer.push_many(&[b"1", b"2"]), Ok(2)),
        |producer| producer.reserve(1).unwrap().commit().unwrap(),
        |producer| producer.close(),
    ];
    for push in pushes {
        while take_or_closed(&mut consumer) {}
        read(data);
        assert!(!consumer.recheck_data());
        push(&mut producer);
        assert!(read(data));
        assert!(consumer.recheck_data());
    }
    assert!(producer.recheck_space(), "closed: something to be told");

    let other = region.create_spsc("other", &SpscConfig::new(1, 64)).unwrap();
    let (mut producer, mut consumer) = (other.producer().unwrap(), other.consumer().unwrap());
    consumer.set_space_fd(space);
    consumer.set_data_fd(data);
    producer.set_data_fd(data);
    producer.set_space_fd(space);
    let releases: [fn(&mut Consumer); 3] = [
        |consumer| consumer.peek().unwrap().release(),
        |consumer| {
            let mut popped = [Popped::default(); 2];
            assert_eq!(consumer.pop_many(&mut [0; 2 * MAX], &mut popped), Ok(1));
        },
        |consumer| consumer.close(),
    ];
    for release in releases {
        producer.push(&message).unwrap();
        read(space);
        assert!(!producer.arm_space());
        release(&mut consumer);
        assert!(read(space));
    }
    // SAFETY: ours.
    unsafe { (libc::close(data), libc::close(space)) };
}

fn take_or_closed(consumer: &mut Consumer) -> bool {
    consumer.try_pop(&mut [0; MAX]).is_ok()
}

#[test]
fn a_loop_that_rechecks_finds_an_end_whose_owner_is_dead() {
    let region = region();
    let spsc = spsc(&region, 1);
    let mut consumer = spsc.consumer().unwrap();
    child_with(&region, |spsc| spsc.producer().unwrap()).kill();
    assert!(!consumer.recheck_data());
    assert!(spsc.producer().is_ok(), "it was recovered");
}

// ---- hostile bytes

/// A region whose one object, an SPSC queue, ends where the next page may not be touched.
struct Hostile<'a> {
    region: Region,
    arena: &'a Arena,
}

/// Header, one entry, four members, the rows of as many users and 16 more; then the queue.
const OBJECT: usize = 256 + 64 + 64 + 4 * 64 + 20 * 64;

/// Runs `f` in a thread of its own, before whose end the memory stays: damage may make it impossible for a
/// member to leave.
fn hostile(config: &SpscConfig, first: u32, f: impl FnOnce(&Hostile) + Send) {
    let arena = Arena::new(OBJECT + config.layout().unwrap().size as usize);
    thread::scope(|scope| {
        let case = scope.spawn(|| {
            let region_config = RegionConfig { members: 4, objects: 1, tick_ms: 2 };
            // SAFETY: the arena lives until the thread has ended.
            let region = unsafe { Region::init(arena.ptr(), arena.len(), &region_config) }.unwrap();
            region.create_spsc_at("q", config, first).unwrap();
            // SAFETY: inside the arena.
            let magic = unsafe { arena.ptr().add(OBJECT).cast::<[u8; 4]>().read() };
            assert_eq!(magic, *b"RLT1", "damage would miss");
            f(&Hostile { region, arena: &arena });
        });
        case.join().unwrap(); // only that waits for the thread's very end
    });
}

impl Hostile<'_> {
    /// Where the words are that anybody believes, and which values break more than random ones.
    fn damage(&self, random: &mut dyn FnMut() -> u64) {
        let bytes = self.arena.len() - OBJECT;
        let at = match random() % 8 {
            0 => random() as usize % 24,
            1 => 128 + 4 * (random() as usize % 2),
            2 => 512 + 4 * (random() as usize % 2),
            3 => 640 + 4 * (random() as usize % 3),
            4 => 256 + 128 * (random() as usize % 2),
            // Words of records.
            5 | 6 => 768 + 16 * (random() as usize % ((bytes - 768) / 16)) + 8,
            _ => random() as usize % bytes,
        };
        let value = match random() % 8 {
            0 => 0,
            1 => u64::from(u32::MAX),
            2 => u64::from(u32::MAX) - 1,
            3 => random() % 200,
            4 => 16 * (random() % 64),
            5 => 1 << (random() % 32),
            6 => (1 << 30) + random() % 4 - 2,
            _ => random(),
        };
        self.arena.scribble(OBJECT + (at & !3), 4, value);
    }

    /// Calls, each of which may fail as it likes, but not panic, hang, or touch what is outside.
    fn use_it(&self, random: &mut dyn FnMut() -> u64, calls: u32, damage: bool) {
        let mut buffer = vec![0; 4 * 200];
        let Ok(spsc) = self.region.open_spsc("q") else { return };
        let max = spsc.max_message_bytes();
        // What a hostile peer may have written there is believed if it fits the memory.
        buffer.resize(buffer.len().max(4 * max), 0);
        let (mut producer, mut consumer) = (spsc.producer().ok(), spsc.consumer().ok());
        let mut popped = [Popped::default(); 4];
        for _ in 0..calls {
            if damage && random() % 3 == 0 {
                self.damage(random);
            }
            let len = random() as usize % (max + 1);
            match (random() % 20, &mut producer, &mut consumer) {
                (0..=3, Some(producer), _) => drop(producer.try_push(&buffer[..len])),
                (4, Some(producer), _) => drop(producer.push_timeout(&buffer[..len], MS)),
                (5, Some(producer), _) => {
                    let _ = producer.try_push_many(&[&buffer[..len], b"", &buffer[..max]]);
                }
                (6, Some(producer), _) => {
                    if let Ok(mut loan) = producer.try_reserve(len) {
                        loan.write(&buffer[..len]).unwrap();
                        let _ = loan.commit();
                    }
                }
                (7, Some(producer), _) => drop(producer.arm_space()),
                (8..=10, _, Some(consumer)) => {
                    if let Ok(popped) = consumer.try_pop(&mut buffer) {
                        assert!(popped.len <= max);
                    }
                }
                (11, _, Some(consumer)) => drop(consumer.pop_timeout(&mut buffer, MS)),
                (12, _, Some(consumer)) => drop(consumer.try_pop_many(&mut buffer, &mut popped)),
                (13, _, Some(consumer)) => {
                    if let Ok(peeked) = consumer.peek_timeout(MS) {
                        assert!(peeked.len() <= max && peeked.copy_to(&mut buffer) == peeked.len());
                        peeked.release();
                    }
                }
                (14, _, Some(consumer)) => drop(consumer.take_poisoned(&mut buffer)),
                (15, _, Some(consumer)) => drop((consumer.arm_data(), consumer.poisoned())),
                (16, ..) => {
                    assert!(spsc.len() <= self.arena.len() / 16 + 1);
                    let _ = (spsc.is_full(), spsc.is_closed(), spsc.dropped());
                }
                (17, ..) => {
                    drop(producer.take());
                    producer = spsc.producer_timeout(MS).ok();
                }
                (18, ..) => {
                    drop(consumer.take());
                    consumer = spsc.consumer_timeout(MS).ok();
                }
                (19, ..) if random() % 8 == 0 => spsc.close(),
                _ => {}
            }
        }
    }
}

fn xorshift(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

proptest! {
    #![proptest_config(Config { cases: 1500, failure_persistence: None, ..Config::default() })]

    #[test]
    fn damaged_bytes_are_refused_or_used_without_harm(
        seed in 1..u64::MAX,
        slots in 1u32..5,
        max in 1u32..200,
        first in any::<u32>(),
        policy in 0u32..3,
        before in 0usize..4,
    ) {
        let _watchdog = watchdog("damaged bytes", WATCHDOG_SECONDS);
        let on_death = OnDeath::from_u32(policy).unwrap();
        hostile(&SpscConfig { on_death, ..SpscConfig::new(slots, max) }, first, |it| {
            let mut random = xorshift(seed);
            it.use_it(&mut random, 10, false);
            // Some before it is opened, some behind its back; by one who ends with what it has.
            for _ in 0..2 {
                (0..before).for_each(|_| it.damage(&mut random));
                thread::scope(|scope| {
                    scope.spawn(|| it.use_it(&mut random, 60, true)).join().unwrap();
                });
                it.region.recover(Depth::Marked);
            }
        });
    }
}

#[test]
fn a_thread_that_writes_wild_while_we_work_does_no_harm() {
    let _watchdog = watchdog("wild writer", WATCHDOG_SECONDS);
    hostile(&SpscConfig::new(3, 100), 0, work_beside_a_wild_writer);
}

fn work_beside_a_wild_writer(it: &Hostile) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = xorshift(77);
            let mut writes = 0u64;
            while !done.load(Relaxed) {
                it.damage(&mut random);
                writes += 1;
                if writes % 16 == 0 {
                    thread::sleep(Duration::from_micros(200));
                    // Sound again, so that it can be opened.
                    let arena = it.arena;
                    for (at, word) in [(0, u32::from_le_bytes(*b"RLT1")), (4, 0), (8, 3), (12, 100)] {
                        arena.scribble(OBJECT + at, 4, word.into());
                    }
                    for (at, word) in [(16, 4 * 112), (20, 5), (128, 0), (512, 0), (640, 0)] {
                        arena.scribble(OBJECT + at, 4, word);
                    }
                }
            }
        });
        let mut random = xorshift(99);
        let until = Instant::now() + Duration::from_secs(2);
        let mut opened = 0;
        while Instant::now() < until {
            opened += u32::from(it.region.open_spsc("q").is_ok());
            it.use_it(&mut random, 50, false);
        }
        done.store(true, Relaxed);
        assert!(opened > 0, "the writer never let us in: nothing was tested");
        println!("opened {opened} times");
    });
}
