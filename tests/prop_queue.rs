//! Random sequences of calls against a plain model of a queue, and recorded histories of threads checked
//! for being those of a first-in-first-out queue.

mod procs;

use procs::{WATCHDOG_SECONDS, watchdog};
use proptest::{collection::vec, prelude::*, test_runner::Config};
use rialto::{Error, Peeked, Queue, QueueConfig, Region, RegionConfig};
use std::{
    collections::{HashMap, VecDeque},
    sync::atomic::{AtomicU64, Ordering::*},
    thread,
};

// ---- one thread, against a model

#[derive(Clone, Debug)]
enum Op {
    Push(usize),
    Pop,
    Peek,
    Release(usize),
    GiveBack(usize),
    TakePoisoned,
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..=MAX_BYTES).prop_map(Op::Push),
        4 => Just(Op::Pop),
        4 => Just(Op::Peek),
        3 => any::<usize>().prop_map(Op::Release),
        2 => any::<usize>().prop_map(Op::GiveBack),
        1 => Just(Op::TakePoisoned),
    ]
}

const MAX_BYTES: usize = 37;

fn message(number: u64, len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (number.wrapping_mul(31) + i) as u8).collect()
}

/// What a queue holds.
#[derive(Default)]
struct Model {
    limit: u8,
    capacity: usize,
    kill_only: bool,
    closed: bool,
    /// Never delivered, oldest first.
    waiting: VecDeque<Vec<u8>>,
    /// Given back: how often delivered before.
    given_back: Vec<(Vec<u8>, u8)>,
    in_hand: Vec<(Vec<u8>, u8)>,
    /// A slot still in use was passed over by a push. Until the queue is empty once more, a slot freed
    /// behind waiting messages cannot be used before these are gone.
    passed_over: bool,
}

impl Model {
    fn used(&self) -> usize {
        self.waiting.len() + self.given_back.len() + self.in_hand.len()
    }

    fn pushed(&mut self, bytes: Vec<u8>, result: Result<(), Error>) -> Result<(), TestCaseError> {
        let held = !self.in_hand.is_empty() || !self.given_back.is_empty();
        match result {
            Ok(()) => {
                prop_assert!(!self.closed && self.used() < self.capacity, "more than fits");
                self.passed_over |= held;
                self.waiting.push_back(bytes);
            }
            Err(Error::Closed) => prop_assert!(self.closed),
            Err(error) => {
                prop_assert_eq!(error, Error::WouldBlock);
                prop_assert!(!self.closed);
                // A held slot stops a kill-only queue; in a stop-safe one only messages that wait may.
                let excused = match self.kill_only {
                    true => !self.in_hand.is_empty() || self.passed_over,
                    false => self.passed_over && !self.waiting.is_empty(),
                };
                prop_assert!(self.used() == self.capacity || excused, "{} of {}", self.used(), self.capacity);
            }
        }
        Ok(())
    }

    /// What a pop or peek brought must be a message whose turn it is.
    fn taken(
        &mut self,
        result: Result<(Vec<u8>, u8), Error>,
    ) -> Result<Option<(Vec<u8>, u8)>, TestCaseError> {
        let again = self.given_back.iter().any(|(_, attempt)| *attempt < self.limit);
        match result {
            Ok((bytes, 0)) => {
                prop_assert!(!again, "redelivered messages come first");
                let front = self.waiting.pop_front();
                prop_assert_eq!(Some(&bytes), front.as_ref());
                Ok(Some((bytes, 0)))
            }
            Ok((bytes, attempt)) => {
                prop_assert!(attempt <= self.limit, "delivered too often");
                let at = self.given_back.iter().position(|given| *given == (bytes.clone(), attempt - 1));
                prop_assert!(at.is_some(), "nobody gave that back");
                self.given_back.swap_remove(at.unwrap());
                Ok(Some((bytes, attempt)))
            }
            Err(error) => {
                prop_assert!(!again && self.waiting.is_empty(), "{:?}, but there are messages", error);
                prop_assert_eq!(error, if self.closed { Error::Closed } else { Error::WouldBlock });
                Ok(None)
            }
        }
    }

    fn rest(&mut self) {
        if self.used() == 0 {
            self.passed_over = false;
        }
    }
}

fn bytes_of(peeked: &Peeked) -> (Vec<u8>, u8) {
    let mut buffer = vec![0; peeked.len()];
    assert_eq!(peeked.copy_to(&mut buffer), buffer.len());
    (buffer, peeked.attempt())
}

fn check(config: QueueConfig, first_turn: u64, ops: &[Op]) -> Result<(), TestCaseError> {
    let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let queue = region.create_queue_at_turn("q", &config, first_turn).unwrap();
    let mut model = Model {
        limit: config.max_attempts,
        capacity: queue.capacity(),
        kill_only: config.kill_only,
        ..Model::default()
    };
    let mut in_hand: Vec<Peeked> = Vec::new();
    let mut buffer = [0; MAX_BYTES];
    for (number, op) in ops.iter().enumerate() {
        match *op {
            Op::Push(len) => {
                let bytes = message(number as u64, len);
                let result = queue.try_push(&bytes);
                model.pushed(bytes, result)?;
            }
            Op::Pop => {
                let result = queue.try_pop(&mut buffer);
                model.taken(result.map(|popped| (buffer[..popped.len].to_vec(), popped.attempt)))?;
            }
            Op::Peek => {
                let result = queue.try_peek();
                if let Some(taken) = model.taken(result.as_ref().map(bytes_of).map_err(|error| *error))? {
                    model.in_hand.push(taken);
                    in_hand.push(result.ok().unwrap());
                }
            }
            Op::Release(i) if !in_hand.is_empty() => {
                let i = i % in_hand.len();
                let peeked = in_hand.swap_remove(i);
                prop_assert_eq!(bytes_of(&peeked), model.in_hand.swap_remove(i), "it changed in our hand");
                peeked.release();
            }
            Op::GiveBack(i) if !in_hand.is_empty() => {
                let i = i % in_hand.len();
                drop(in_hand.swap_remove(i));
                let given = model.in_hand.swap_remove(i);
                model.given_back.push(given);
            }
            Op::TakePoisoned => match queue.take_poisoned(&mut buffer) {
                Ok(popped) => {
                    let given = (buffer[..popped.len].to_vec(), popped.attempt - 1);
                    prop_assert!(given.1 >= model.limit, "that one was for pop");
                    let at = model.given_back.iter().position(|other| *other == given);
                    prop_assert!(at.is_some());
                    model.given_back.swap_remove(at.unwrap());
                }
                Err(error) => {
                    prop_assert_eq!(error, Error::WouldBlock);
                    prop_assert!(model.given_back.iter().all(|(_, attempt)| *attempt < model.limit));
                }
            },
            Op::Close => {
                queue.close();
                model.closed = true;
            }
            Op::Release(_) | Op::GiveBack(_) => {}
        }
        model.rest();
        let poisoned = model.given_back.iter().filter(|(_, attempt)| *attempt >= model.limit).count();
        let waiting = model.waiting.len() + model.given_back.len();
        let len = queue.len();
        prop_assert!(len == waiting || len == waiting - poisoned, "len {} of {}", len, waiting);
        prop_assert_eq!(queue.is_closed(), model.closed);
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 1500, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_queue_is_what_the_model_says(
        ops in vec(op(), 1..200),
        slots in 2u32..10,
        max_attempts in 1u8..4,
        kill_only in any::<bool>(),
        first_turn in prop_oneof![Just(0u64), (1u64 << 44) - 8..1 << 44, any::<u64>()],
        close_at in any::<proptest::sample::Index>(),
        closes in any::<bool>(),
    ) {
        let mut ops = ops;
        if closes {
            let at = close_at.index(ops.len());
            ops.insert(at, Op::Close);
        }
        let config = QueueConfig { max_attempts, kill_only, ..QueueConfig::new(slots, MAX_BYTES as u32) };
        check(config, first_turn, &ops)?;
    }
}

// ---- histories of threads

/// One call: when it began and ended on the global counter, and what it was.
#[derive(Clone, Copy, Debug)]
struct Call {
    began: u64,
    ended: u64,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Pushed(u64),
    Popped(u64),
    FoundNothing,
}

fn record(queue: Queue, producers: u64, consumers: usize, count: u64) -> Vec<Call> {
    let clock = AtomicU64::new(0);
    let left = AtomicU64::new(producers * count);
    let timed = |call: &mut dyn FnMut() -> Option<What>| {
        let began = clock.fetch_add(1, SeqCst);
        let what = call();
        let ended = clock.fetch_add(1, SeqCst);
        what.map(|what| Call { began, ended, what })
    };
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for producer in 0..producers {
            let timed = &timed;
            threads.push(scope.spawn(move || {
                let mut calls = Vec::new();
                for i in 0..count {
                    let number = producer * count + i;
                    while {
                        let pushed =
                            &mut || queue.try_push(&number.to_le_bytes()).ok().map(|()| What::Pushed(number));
                        let call = timed(pushed);
                        calls.extend(call);
                        call.is_none()
                    } {
                        thread::yield_now();
                    }
                }
                calls
            }));
        }
        for _ in 0..consumers {
            let (timed, left) = (&timed, &left);
            threads.push(scope.spawn(move || {
                let mut calls = Vec::new();
                while left.load(Relaxed) > 0 {
                    let mut bytes = [0; 8];
                    let call = timed(&mut || match queue.try_pop(&mut bytes) {
                        Ok(popped) => {
                            assert_eq!((popped.len, popped.attempt), (8, 0));
                            Some(What::Popped(u64::from_le_bytes(bytes)))
                        }
                        Err(error) => {
                            assert_eq!(error, Error::WouldBlock);
                            Some(What::FoundNothing)
                        }
                    })
                    .unwrap();
                    match call.what {
                        What::Popped(_) => drop(left.fetch_sub(1, Relaxed)),
                        _ => thread::yield_now(),
                    }
                    calls.push(call);
                }
                calls
            }));
        }
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// For a queue whose messages differ, these are all the ways not to be linearizable (Henzinger, Sezgin,
/// Vafeiadis, "Aspect-oriented linearizability proofs", 2013), the last one in a weaker form.
fn check_history(calls: &[Call], stop_safe: bool) {
    let (mut pushes, mut pops) = (HashMap::new(), HashMap::new());
    for call in calls {
        match call.what {
            What::Pushed(number) => assert!(pushes.insert(number, *call).is_none()),
            What::Popped(number) => assert!(pops.insert(number, *call).is_none(), "{number} came twice"),
            What::FoundNothing => {}
        }
    }
    assert_eq!(pushes.len(), pops.len(), "lost");
    let mut all: Vec<(Call, Call)> = pushes.iter().map(|(number, push)| (*push, pops[number])).collect();
    for (push, pop) in &all {
        assert!(push.began < pop.ended, "popped before it was pushed: {push:?} {pop:?}");
    }
    // Whoever was pushed wholly before another is not popped wholly after it. By the pushes' beginnings:
    // the pushes that ended before one begins are a prefix by their ends.
    all.sort_by_key(|(push, _)| push.ended);
    let mut by_begin = all.clone();
    by_begin.sort_by_key(|(push, _)| push.began);
    let (mut i, mut latest) = (0, 0);
    for (push, pop) in &by_begin {
        while i < all.len() && all[i].0.ended < push.began {
            latest = latest.max(all[i].1.began);
            i += 1;
        }
        assert!(latest <= pop.ended, "overtaken: {:?} by {:?}", all[i.saturating_sub(1)], (push, pop));
    }
    // Nothing is found only if nothing was surely there all the time. A kill-only queue may say so while
    // a producer is at work further ahead.
    if stop_safe {
        for call in calls.iter().filter(|call| call.what == What::FoundNothing) {
            let there = all.iter().find(|(push, pop)| push.ended < call.began && call.ended < pop.began);
            assert!(there.is_none(), "{call:?} although there was {there:?}");
        }
    }
}

#[test]
fn histories_of_threads_are_those_of_a_first_in_first_out_queue() {
    let _watchdog = watchdog("histories", 2 * WATCHDOG_SECONDS);
    let region =
        Region::create_anonymous(1 << 20, &RegionConfig { objects: 100, ..Default::default() }).unwrap();
    let mut found_nothing = 0;
    for round in 0..48u32 {
        let kill_only = round % 3 == 0;
        let config = QueueConfig { kill_only, ..QueueConfig::new([2, 4, 64][round as usize / 3 % 3], 8) };
        let first_turn = if round % 2 == 0 { 0 } else { (1 << 44) - 20 };
        let queue = region.create_queue_at_turn(&format!("q{round}"), &config, first_turn).unwrap();
        let (producers, consumers) = [(1, 1), (2, 2), (3, 1), (1, 3)][round as usize % 4];
        let calls = record(queue, producers, consumers, 1500 / producers);
        found_nothing += calls.iter().filter(|call| call.what == What::FoundNothing).count();
        check_history(&calls, !kill_only);
        assert!(queue.is_empty());
    }
    assert!(found_nothing > 0, "no pop ever met an empty queue");
}

#[test]
fn the_checker_of_histories_finds_what_is_wrong() {
    let call = |began, ended, what| Call { began, ended, what };
    let fails = |calls: &[Call]| std::panic::catch_unwind(|| check_history(calls, true)).is_err();
    use What::*;
    let fine = [call(0, 1, Pushed(1)), call(2, 3, Pushed(2)), call(4, 7, Popped(2)), call(5, 6, Popped(1))];
    check_history(&fine, true);
    let overtaken =
        [call(0, 1, Pushed(1)), call(2, 3, Pushed(2)), call(4, 5, Popped(2)), call(6, 7, Popped(1))];
    assert!(fails(&overtaken));
    assert!(fails(&[call(0, 1, Pushed(1))]));
    assert!(fails(&[call(0, 1, Pushed(1)), call(2, 3, Popped(1)), call(4, 5, Popped(1))]));
    assert!(fails(&[call(0, 1, Pushed(1)), call(2, 3, FoundNothing), call(4, 5, Popped(1))]));
    assert!(fails(&[call(2, 3, Pushed(1)), call(0, 1, Popped(1))]));
}
