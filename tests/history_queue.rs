//! Recorded histories of threads that push, push batches, write loans, pop, pop batches, peek, give back,
//! finish and join at the same time, on every kind of queue.
//!
//! Checked, by search for an order that a first-in-first-out queue of that capacity allows (`linear`; nothing
//! is sampled, neither in short histories nor in long ones):
//! - Each message that was pushed is taken once, unmarked, in the order of the pushes; given back, it is taken
//!   again, its attempt one higher. There is never more in the queue than fits, what is in hand included.
//! - A pop that found nothing: there was an instant in it when nothing waited. Not asked of a kill-only ring,
//!   where a message behind an unfinished one has to wait.
//! - A `join` that returned: there was an instant in it when nothing waited, was in hand, or had been given back.
//! - A batch is pushed and taken in its order; others' messages may come in between. One that was cut short
//!   found no more.
//! - A loan of a ring has its place in the order from the reservation on (unless it is overtaken), so it is one
//!   call from there to the end of its commit; one of an indexed queue is pushed within its commit.
//!
//! By necessary conditions (there is no order to find, as these answers come from a walk over the slots, and no
//! instant need fit them):
//! - A message that was given back comes first.
//! - A push that found no room, indexed: as many messages as there are slots were in the queue, or on their way
//!   in or out, at some time during the call. Rings say it earlier (see `queue`, Limits); single-threaded,
//!   `prop_queue` says exactly when.

mod linear;
mod procs;

use linear::{Call, Step, check, is_linearizable};
use procs::{WATCHDOG_SECONDS, watchdog};
use rialto::{Error, Peeked, Popped, Queue, QueueConfig, QueueKind, Region, RegionConfig, Ticket};
use std::{
    sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::*},
    thread,
};

const BYTES: usize = 4;

/// What all threads share.
struct Recorder {
    clock: AtomicU64,
    numbers: AtomicU32,
    standing: AtomicUsize,
}

/// Messages in hand.
enum Hand<'r> {
    Peeked(u32, Peeked<'r>),
    Popped(u32, Ticket),
}

struct Thread<'a> {
    recorder: &'a Recorder,
    queue: Queue<'a>,
    config: QueueConfig,
    random: u64,
    calls: Vec<Call>,
    /// Calls that found no room, and how many messages they had.
    refused: Vec<(u64, u64)>,
    hands: Vec<Hand<'a>>,
}

fn number_of(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("a whole number"))
}

impl<'a> Thread<'a> {
    fn below(&mut self, n: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % n
    }

    fn now(&self) -> u64 {
        self.recorder.clock.fetch_add(1, SeqCst)
    }

    fn done(&mut self, began: u64, steps: Vec<Step>) {
        let ended = self.now();
        if !steps.is_empty() {
            self.calls.push(Call { began, ended, steps });
        }
    }

    fn number(&self) -> u32 {
        self.recorder.numbers.fetch_add(1, Relaxed)
    }

    fn found_nothing(&self) -> Option<Step> {
        let exact = self.config.kind == QueueKind::Indexed || !self.config.kill_only;
        exact.then_some(Step::Nothing)
    }

    fn push(&mut self) {
        let message = self.number();
        let began = self.now();
        match self.queue.try_push(&message.to_le_bytes()) {
            Ok(()) => self.done(began, vec![Step::Push(message)]),
            Err(Error::WouldBlock) => {
                let ended = self.now();
                self.refused.push((began, ended));
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    fn push_many(&mut self) {
        let count = 1 + self.below(4) as usize;
        let messages: Vec<u32> = (0..count).map(|_| self.number()).collect();
        let bytes: Vec<[u8; BYTES]> = messages.iter().map(|message| message.to_le_bytes()).collect();
        let slices: Vec<&[u8]> = bytes.iter().map(|bytes| &bytes[..]).collect();
        let began = self.now();
        match self.queue.try_push_many(&slices) {
            Ok(pushed) => self.done(began, messages[..pushed].iter().map(|m| Step::Push(*m)).collect()),
            Err(error) => assert_eq!(error, Error::WouldBlock),
        }
    }

    fn lend(&mut self) {
        let mut began = self.now();
        let Ok(mut loan) = self.queue.try_reserve(BYTES) else { return };
        for _ in 0..self.below(3) {
            thread::yield_now();
        }
        if self.below(4) == 0 {
            return drop(loan);
        }
        let message = self.number();
        loan.write(&message.to_le_bytes()).unwrap();
        if self.config.kind == QueueKind::Indexed {
            began = self.now();
        }
        for _ in 0..100 {
            loan = match loan.try_commit() {
                Ok(()) => return self.done(began, vec![Step::Push(message)]),
                Err((loan, error)) => {
                    assert_eq!(error, Error::WouldBlock);
                    loan
                }
            };
            thread::yield_now();
        }
    }

    /// The step of a message that came.
    fn took(&mut self, bytes: &[u8], attempt: u8) -> Step {
        let message = number_of(bytes);
        if attempt == 0 { Step::Take(message) } else { Step::TakeAgain(message, attempt) }
    }

    fn pop_many(&mut self, most: usize) {
        let mut buffer = [0; 4 * BYTES];
        let mut popped = [Popped::default(); 4];
        let began = self.now();
        let result = if most == 1 {
            self.queue.try_pop(&mut buffer).map(|only| {
                popped[0] = only;
                1
            })
        } else {
            self.queue.try_pop_many(&mut buffer, &mut popped[..most])
        };
        let count = match result {
            Ok(count) => count,
            Err(error) => {
                assert_eq!(error, Error::WouldBlock);
                0
            }
        };
        let mut steps = vec![];
        for (i, popped) in popped[..count].iter().enumerate() {
            let bytes = &buffer[i * BYTES..][..popped.len];
            steps.push(self.took(bytes, popped.attempt));
            if self.config.joinable {
                self.hands.push(Hand::Popped(number_of(bytes), popped.ticket));
            }
        }
        if count < most {
            steps.extend(self.found_nothing());
        }
        if !self.config.joinable {
            // Some time after all were taken.
            steps.extend((0..count).map(|i| Step::Done(number_of(&buffer[i * BYTES..][..BYTES]))));
        }
        self.done(began, steps);
    }

    fn peek(&mut self) {
        let began = self.now();
        match self.queue.try_peek() {
            Ok(peeked) => {
                let mut bytes = [0; BYTES];
                assert_eq!(peeked.copy_to(&mut bytes), BYTES);
                let step = self.took(&bytes, peeked.attempt());
                self.hands.push(Hand::Peeked(number_of(&bytes), peeked));
                self.done(began, vec![step]);
            }
            Err(error) => {
                assert_eq!(error, Error::WouldBlock);
                let steps = self.found_nothing().into_iter().collect();
                self.done(began, steps);
            }
        }
    }

    fn put_down(&mut self, give_back: bool) {
        if self.hands.is_empty() {
            return;
        }
        let which = self.below(self.hands.len() as u64) as usize;
        let hand = self.hands.swap_remove(which);
        let began = self.now();
        let message = match hand {
            Hand::Peeked(message, peeked) => {
                if give_back {
                    drop(peeked)
                } else {
                    peeked.release()
                }
                message
            }
            Hand::Popped(message, ticket) => {
                let result =
                    if give_back { self.queue.give_back(ticket) } else { self.queue.task_done(ticket) };
                assert_eq!(result, Ok(()));
                message
            }
        };
        self.done(began, vec![if give_back { Step::GiveBack(message) } else { Step::Done(message) }]);
    }

    fn join(&mut self) {
        let began = self.now();
        if self.queue.join_timeout(0).is_ok() {
            self.done(began, vec![Step::AllDone]);
        }
    }

    fn act(&mut self) {
        match self.below(16) {
            0..=3 => self.push(),
            4 => self.push_many(),
            5 | 6 => self.lend(),
            7..=9 => self.pop_many(1),
            10 => {
                let most = 1 + self.below(4) as usize;
                self.pop_many(most);
            }
            11 if self.hands.len() < 2 => self.peek(),
            12 | 13 => self.put_down(false),
            14 if self.below(2) == 0 => self.put_down(true),
            15 if self.config.joinable => self.join(),
            _ => {}
        }
        // Nobody keeps all the room.
        while self.hands.len() > 2 {
            self.put_down(false);
        }
    }
}

/// What `threads` threads did, each `calls` things; the last one is who empties the queue afterwards.
fn record(queue: Queue, threads: usize, calls: usize, seed: u64) -> (Vec<Vec<Call>>, Vec<(u64, u64)>) {
    let config = queue.config();
    let recorder =
        Recorder { clock: AtomicU64::new(1), numbers: AtomicU32::new(0), standing: AtomicUsize::new(0) };
    let thread = |nth: usize| Thread {
        recorder: &recorder,
        queue,
        config,
        random: (seed * 64 + nth as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        calls: vec![],
        refused: vec![],
        hands: vec![],
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|nth| {
                let (thread, recorder) = (&thread, &recorder);
                scope.spawn(move || {
                    let mut thread = thread(nth);
                    recorder.standing.fetch_add(1, SeqCst);
                    for _ in 0..10_000 {
                        if recorder.standing.load(SeqCst) == threads {
                            break;
                        }
                        thread::yield_now();
                    }
                    (0..calls).for_each(|_| thread.act());
                    while !thread.hands.is_empty() {
                        thread.put_down(false);
                    }
                    (thread.calls, thread.refused)
                })
            })
            .collect();
        let mut all = (vec![], vec![]);
        for running in running {
            let (calls, refused) = running.join().unwrap();
            all.0.push(calls);
            all.1.extend(refused);
        }
        let mut last = thread(threads);
        while !queue.is_empty() {
            last.pop_many(1);
            last.put_down(false);
        }
        last.pop_many(1);
        if config.joinable {
            let before = last.calls.len();
            last.join();
            assert_eq!(last.calls.len(), before + 1, "all is done");
        }
        all.0.push(last.calls);
        all
    })
}

/// Whoever found no room in an indexed queue: that many messages were in it meanwhile.
fn check_refused(threads: &[Vec<Call>], refused: &[(u64, u64)], others: usize, capacity: usize) {
    let when = |is: fn(&Step) -> bool| {
        let calls = threads.iter().flatten();
        calls.flat_map(move |call| call.steps.iter().filter(move |step| is(step)).map(move |_| call))
    };
    for (began, ended) in refused {
        let pushed = when(|step| matches!(step, Step::Push(_))).filter(|call| call.began < *ended).count();
        let gone = when(|step| matches!(step, Step::Done(_))).filter(|call| call.ended < *began).count();
        // Each other thread may have a loan out that comes to nothing.
        assert!(pushed + others >= capacity + gone, "no room at {began}: {pushed} pushed, {gone} gone");
    }
}

fn overlaps(threads: &[Vec<Call>]) -> usize {
    let mut calls: Vec<&Call> = threads.iter().flatten().collect();
    calls.sort_by_key(|call| call.began);
    calls.windows(2).filter(|two| two[1].began < two[0].ended).count()
}

/// Many histories on queues of every kind; how many calls there were, and how many of them overlapped.
fn histories(rounds: u64, calls: usize) -> (usize, usize) {
    let (mut count, mut overlapping) = (0, 0);
    for round in 0..rounds {
        let bit = |n: u64| round >> n & 1 == 1;
        let config = QueueConfig {
            kind: if bit(0) { QueueKind::Indexed } else { QueueKind::Ring },
            kill_only: bit(1),
            joinable: bit(2),
            max_attempts: 30,
            ..QueueConfig::new([2, 4, 16][round as usize / 8 % 3], BYTES as u32)
        };
        let first_turn = [0, (1 << 44) - 5, (1 << 26) - 5][round as usize / 3 % 3];
        let region = Region::create_anonymous(1 << 15, &RegionConfig::default()).unwrap();
        let queue = region.create_queue_at_turn("q", &config, first_turn).unwrap();
        let (threads, refused) = record(queue, 2 + round as usize % 3, calls, round);
        count += threads.iter().map(Vec::len).sum::<usize>();
        overlapping += overlaps(&threads);
        check(&threads);
        assert!(is_linearizable(&threads, queue.capacity()), "no order fits: {config:?} {threads:#?}");
        if config.kind == QueueKind::Indexed {
            check_refused(&threads, &refused, threads.len(), queue.capacity());
        }
    }
    (count, overlapping)
}

#[test]
fn short_histories_are_those_of_a_first_in_first_out_queue() {
    let _watchdog = watchdog("short histories", 4 * WATCHDOG_SECONDS);
    let (calls, overlapping) = histories(3000, 8);
    println!("{calls} calls, {overlapping} of them overlapping");
    assert!(overlapping > 0, "nothing happened at the same time");
}

#[test]
fn long_histories_are_those_of_a_first_in_first_out_queue() {
    let _watchdog = watchdog("long histories", 4 * WATCHDOG_SECONDS);
    let (calls, overlapping) = histories(96, 500);
    println!("{calls} calls, {overlapping} of them overlapping");
    assert!(overlapping > 0, "nothing happened at the same time");
}

#[test]
fn the_search_finds_what_is_wrong() {
    use Step::*;
    let call = |began, ended, steps: &[Step]| Call { began, ended, steps: steps.to_vec() };
    let is_fine =
        |threads: &[&[Call]]| is_linearizable(&threads.iter().map(|it| it.to_vec()).collect::<Vec<_>>(), 2);
    let pushes = [call(0, 1, &[Push(1)]), call(2, 3, &[Push(2)])];
    // Two pops at the same time, in whichever order; not one after the other in the wrong one.
    assert!(is_fine(&[&pushes, &[call(4, 7, &[Take(2)])], &[call(5, 6, &[Take(1)])]]));
    assert!(!is_fine(&[&pushes, &[call(4, 5, &[Take(2)])], &[call(6, 7, &[Take(1)])]]));
    // Two pushes at the same time, in either order.
    let both = [call(4, 5, &[Take(2)]), call(6, 7, &[Take(1)])];
    assert!(is_fine(&[&[call(0, 3, &[Push(1)])], &[call(1, 2, &[Push(2)])], &both]));
    // Nothing there, although there was all the time; or at one instant.
    assert!(!is_fine(&[&pushes[..1], &[call(2, 3, &[Nothing]), call(4, 5, &[Take(1)])]]));
    assert!(is_fine(&[&[call(0, 3, &[Push(1)])], &[call(1, 2, &[Nothing]), call(4, 5, &[Take(1)])]]));
    // Taken before it is there, and twice.
    assert!(!is_fine(&[&[call(2, 3, &[Push(1)])], &[call(0, 1, &[Take(1)])]]));
    assert!(!is_fine(&[&pushes[..1], &[call(2, 3, &[Take(1)]), call(4, 5, &[Take(1)])]]));
    // More than fits: in hand it takes room, too.
    let third = [pushes[0].clone(), pushes[1].clone(), call(6, 7, &[Push(3)])];
    assert!(!is_fine(&[&third, &[call(4, 5, &[Take(1)])]]));
    assert!(is_fine(&[&third, &[call(4, 5, &[Take(1), Done(1)])]]));
    // A batch in its order, with another in between.
    let batch = [call(0, 5, &[Push(1), Push(2)])];
    let gone = |a, b| call(6, 7, &[Take(a), Take(b)]);
    assert!(is_fine(&[&batch, &[gone(1, 2)]]) && !is_fine(&[&batch, &[gone(2, 1)]]));
    // Given back: again, one higher, by nobody before.
    let mine = [pushes[0].clone(), call(2, 3, &[Take(1)]), call(4, 5, &[GiveBack(1)])];
    assert!(is_fine(&[&mine, &[call(6, 7, &[TakeAgain(1, 1)])]]));
    assert!(!is_fine(&[&mine, &[call(6, 7, &[TakeAgain(1, 2)])]]));
    assert!(!is_fine(&[&mine[..2], &[call(6, 7, &[TakeAgain(1, 1)])]]));
    // A join while something is in hand.
    assert!(!is_fine(&[&mine[..2], &[call(4, 5, &[AllDone]), call(6, 7, &[Done(1)])]]));
    assert!(is_fine(&[&mine[..2], &[call(4, 5, &[Done(1)]), call(6, 7, &[AllDone])]]));

    let breaks = |threads: &[Vec<Call>]| std::panic::catch_unwind(|| check(threads)).is_err();
    let passed = vec![call(6, 7, &[Push(2)]), call(8, 9, &[Take(2), Done(2)])];
    let again = |began| vec![call(began, 20, &[TakeAgain(1, 1)]), call(21, 22, &[Done(1)])];
    assert!(breaks(&[mine.to_vec(), passed.clone(), again(10)]), "it should have come first");
    check(&[mine.to_vec(), passed, again(8)]);
    assert!(breaks(&[pushes.to_vec()]), "lost");
}
