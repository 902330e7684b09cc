//! Random sequences of calls against a plain model of a queue with two ends: every size, from every offset, in
//! areas so small that messages wrap all the time; loans, batches, ends that change hands, living and dead.

mod procs;

use procs::{WATCHDOG_SECONDS, watchdog};
use proptest::{collection::vec, prelude::*, test_runner::Config};
use rialto::{
    Consumer, Depth, Error, Producer, Region, RegionConfig, Spsc, SpscConfig,
    spsc::{OnDeath, Popped},
};
use std::{collections::VecDeque, thread};

#[derive(Clone, Debug)]
enum Op {
    Push(usize),
    PushMany(Vec<usize>),
    /// Reserve so much, write so much of it, commit that (or drop it).
    Loan(usize, usize, bool),
    Pop,
    PopMany(usize),
    /// Peek, and release it or not.
    Peek(bool),
    TakePoisoned,
    Close,
    /// The end is given back and claimed anew; true: its member dies instead, for the consumer with a message in
    /// hand if there is one.
    ProducerChanges(bool),
    ConsumerChanges(bool),
}

const MAX_BYTES: usize = 100;

fn op() -> impl Strategy<Value = Op> {
    let len = || prop_oneof![3 => 0..=MAX_BYTES, 1 => Just(0), 1 => Just(MAX_BYTES), 2 => 0..=24usize];
    prop_oneof![
        8 => len().prop_map(Op::Push),
        3 => vec(len(), 0..6).prop_map(Op::PushMany),
        4 => (len(), len(), any::<bool>()).prop_map(|(a, b, done)| Op::Loan(a.max(b), a.min(b), done)),
        8 => Just(Op::Pop),
        3 => (1..6usize).prop_map(Op::PopMany),
        4 => any::<bool>().prop_map(Op::Peek),
        1 => Just(Op::TakePoisoned),
        1 => any::<bool>().prop_map(Op::ProducerChanges),
        1 => any::<bool>().prop_map(Op::ConsumerChanges),
    ]
}

fn message(number: u64, len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (number.wrapping_mul(31) + i) as u8).collect()
}

/// Bytes from one record to the next.
fn record(len: usize) -> usize {
    (len + 8).next_multiple_of(16)
}

/// What a queue holds, and where it begins and ends.
struct Model {
    config: SpscConfig,
    max: usize,
    /// Bytes of the stream.
    bytes: usize,
    tail: usize,
    /// Each with the bytes that it takes, skipped ones included.
    waiting: VecDeque<(Vec<u8>, usize)>,
    /// How often the first was in hand.
    marks: u8,
    dropped: u64,
    closed: bool,
}

impl Model {
    /// Where a message would go, and what it would take, if it fits.
    fn place(&self, len: usize) -> Option<(usize, usize)> {
        let used: usize = self.waiting.iter().map(|(_, took)| took).sum();
        let skip = if self.tail + record(len) > self.bytes { self.bytes - self.tail } else { 0 };
        let took = skip + record(len);
        (used + took + 16 <= self.bytes).then_some(((self.tail + skip) % self.bytes, took))
    }

    fn pushed(&mut self, bytes: Vec<u8>, room: usize) -> bool {
        let Some((at, took)) = self.place(room) else { return false };
        let took = took - record(room) + record(bytes.len());
        self.tail = (at + record(bytes.len())) % self.bytes;
        self.waiting.push_back((bytes, took));
        true
    }

    fn limit(&self) -> u8 {
        if self.config.on_death == OnDeath::Stop { 0 } else { self.config.max_attempts }
    }

    fn push_error(&self) -> Error {
        if self.closed { Error::Closed } else { Error::WouldBlock }
    }

    /// What a pop that takes the first says, before it does.
    fn first(&self) -> Result<(Vec<u8>, u8), Error> {
        match self.waiting.front() {
            None if self.closed => Err(Error::Closed),
            None => Err(Error::WouldBlock),
            Some(_) if self.marks > self.limit() => Err(Error::Poisoned),
            Some((bytes, _)) => Ok((bytes.clone(), self.marks)),
        }
    }

    fn released(&mut self) {
        self.waiting.pop_front();
        self.marks = 0;
    }

    fn died(&mut self) {
        if self.marks > 0 && self.config.on_death == OnDeath::Drop {
            self.dropped += 1;
            self.released();
        }
    }
}

fn bytes_of(popped: Popped, buffer: &[u8]) -> (Vec<u8>, u8) {
    (buffer[..popped.len].to_vec(), popped.attempt)
}

/// In a thread of its own, which ends: `f`, with the end that it claims and takes with it.
fn dies(region: &Region, f: impl FnOnce() + Send) {
    thread::scope(|scope| scope.spawn(f).join()).unwrap();
    region.recover(Depth::Marked);
}

fn check(config: SpscConfig, first: u32, ops: &[Op]) -> Result<(), TestCaseError> {
    let region =
        Region::create_anonymous(1 << 14, &RegionConfig { members: 8, ..Default::default() }).unwrap();
    let spsc: Spsc = region.create_spsc_at("q", &config, first).unwrap();
    let max = config.max_message_bytes as usize;
    let bytes = (config.slots as usize + 1) * record(max);
    let mut model = Model {
        config,
        max,
        bytes,
        tail: first as usize % bytes / 16 * 16,
        waiting: VecDeque::new(),
        marks: 0,
        dropped: 0,
        closed: false,
    };
    let mut producer: Producer = spsc.producer().unwrap();
    let mut consumer: Consumer = spsc.consumer().unwrap();
    let mut buffer = [0; 8 * MAX_BYTES];
    for (number, op) in ops.iter().enumerate() {
        let number = number as u64;
        match op {
            Op::Push(len) => {
                let bytes = message(number, *len);
                let result = producer.try_push(&bytes);
                if *len > model.max {
                    prop_assert_eq!(result, Err(Error::MessageTooLarge));
                } else if !model.closed && model.pushed(bytes, *len) {
                    prop_assert_eq!(result, Ok(()));
                } else {
                    prop_assert_eq!(result, Err(model.push_error()));
                }
            }
            Op::PushMany(lens) => {
                let all: Vec<Vec<u8>> =
                    lens.iter().enumerate().map(|(i, len)| message(number + i as u64, *len)).collect();
                let slices: Vec<&[u8]> = all.iter().map(|bytes| &bytes[..]).collect();
                let result = producer.try_push_many(&slices);
                if lens.iter().any(|len| *len > model.max) {
                    prop_assert_eq!(result, Err(Error::MessageTooLarge));
                    continue;
                }
                let fit = all
                    .iter()
                    .take_while(|bytes| !model.closed && model.pushed(bytes.to_vec(), bytes.len()))
                    .count();
                if fit == 0 && !lens.is_empty() {
                    prop_assert_eq!(result, Err(model.push_error()));
                } else {
                    prop_assert_eq!(result, Ok(fit));
                }
            }
            Op::Loan(room, len, done) => {
                let fits = !model.closed && model.place(*room).is_some();
                match producer.try_reserve(*room) {
                    Ok(mut loan) => {
                        prop_assert!(fits && *room <= model.max && loan.len() == *room);
                        let bytes = message(number, *len);
                        prop_assert_eq!(loan.as_mut_ptr() as usize % 16, 0);
                        loan.truncate(*len);
                        loan.truncate(*len + 1);
                        prop_assert_eq!(loan.write(&[0; MAX_BYTES + 1]), Err(Error::Invalid));
                        prop_assert_eq!(loan.write(&bytes), Ok(()));
                        if *done {
                            prop_assert_eq!(loan.commit(), Ok(()));
                            prop_assert!(model.pushed(bytes, *room));
                        }
                    }
                    Err(error) if *room > model.max => prop_assert_eq!(error, Error::MessageTooLarge),
                    Err(error) => {
                        prop_assert!(!fits);
                        prop_assert_eq!(error, model.push_error());
                    }
                }
            }
            Op::Pop => {
                let result = consumer.try_pop(&mut buffer).map(|popped| bytes_of(popped, &buffer));
                let expected = model.first();
                if expected.is_ok() {
                    model.released();
                }
                prop_assert_eq!(result, expected);
            }
            Op::PopMany(count) => {
                let mut popped = [Popped::default(); 6];
                let result = consumer.try_pop_many(&mut buffer, &mut popped[..*count]);
                if let Err(error) = model.first() {
                    prop_assert_eq!(result, Err(error));
                    continue;
                }
                let fit = (*count).min(buffer.len() / model.max);
                prop_assert_eq!(result, Ok(fit.min(model.waiting.len())));
                for (i, popped) in popped[..result.unwrap()].iter().enumerate() {
                    prop_assert_eq!(Ok(bytes_of(*popped, &buffer[i * model.max..])), model.first());
                    model.released();
                }
            }
            Op::Peek(release) => {
                let expected = model.first();
                let peeked = consumer.try_peek();
                let result = peeked.as_ref().map_err(|error| *error).map(|peeked| {
                    assert_eq!(peeked.copy_to(&mut buffer), peeked.len());
                    (buffer[..peeked.len()].to_vec(), peeked.attempt())
                });
                let taken = expected.is_ok();
                prop_assert_eq!(result, expected);
                match peeked {
                    Ok(peeked) if *release => {
                        peeked.release();
                        model.released();
                    }
                    _ => model.marks += u8::from(taken),
                }
            }
            Op::TakePoisoned => {
                let result = consumer.take_poisoned(&mut buffer).map(|popped| bytes_of(popped, &buffer));
                if model.first() == Err(Error::Poisoned) {
                    let expected = (model.waiting[0].0.clone(), model.marks);
                    prop_assert_eq!(result, Ok(expected));
                    model.released();
                } else {
                    prop_assert_eq!(result, Err(Error::WouldBlock));
                }
            }
            Op::Close => {
                spsc.close();
                model.closed = true;
            }
            Op::ProducerChanges(dead) => {
                prop_assert_eq!(spsc.producer().err(), Some(Error::EndTaken));
                drop(producer);
                if *dead {
                    dies(&region, || {
                        // With a loan, and with a batch behind the tail of which nothing was committed.
                        let mut mine = region.open_spsc("q").unwrap().producer().unwrap();
                        if let Ok(mut loan) = mine.try_reserve(model.max) {
                            loan.write(&vec![0xff; model.max]).unwrap();
                        }
                        std::mem::forget(mine);
                    });
                }
                producer = spsc.producer().unwrap();
            }
            Op::ConsumerChanges(dead) => {
                prop_assert_eq!(spsc.consumer().err(), Some(Error::EndTaken));
                drop(consumer);
                if *dead {
                    let holds = model.first().is_ok();
                    dies(&region, || {
                        let mut mine = region.open_spsc("q").unwrap().consumer().unwrap();
                        assert_eq!(mine.try_peek().is_ok(), holds); // not released
                        std::mem::forget(mine);
                    });
                    model.marks += u8::from(holds);
                    model.died();
                }
                consumer = spsc.consumer().unwrap();
            }
        }
        prop_assert_eq!(spsc.len(), model.waiting.len());
        prop_assert_eq!(spsc.is_empty(), model.waiting.is_empty());
        prop_assert_eq!(spsc.is_full(), model.place(model.max).is_none());
        prop_assert_eq!(spsc.is_closed(), model.closed);
        prop_assert_eq!(spsc.dropped(), model.dropped);
        prop_assert_eq!(consumer.poisoned(), usize::from(model.first() == Err(Error::Poisoned)));
        prop_assert_eq!(consumer.arm_data(), model.first() != Err(Error::WouldBlock));
        prop_assert_eq!(producer.arm_space(), model.closed || model.place(model.max).is_some());
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 3000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn an_spsc_queue_is_what_the_model_says(
        ops in vec(op(), 1..150),
        slots in 1u32..6,
        max_message_bytes in prop_oneof![1 => 1..=MAX_BYTES as u32, 1 => Just(1u32), 1 => 8u32..=40],
        max_attempts in 1u8..=14,
        on_death in prop_oneof![2 => Just(OnDeath::Redeliver), 1 => Just(OnDeath::Drop), 1 => Just(OnDeath::Stop)],
        first in any::<u32>(),
        close_at in any::<proptest::sample::Index>(),
        closes in any::<bool>(),
    ) {
        let mut ops = ops;
        if closes {
            let at = close_at.index(ops.len());
            ops.insert(at, Op::Close);
        }
        let max_attempts = if max_attempts > 7 { 14 } else { max_attempts.min(2) };
        check(SpscConfig { slots, max_message_bytes, max_attempts, on_death }, first, &ops)?;
    }

    /// As the configuration promises, whatever the offset and whatever was in the queue before.
    #[test]
    fn so_many_of_the_largest_always_fit(
        slots in 1u32..9,
        max_message_bytes in 1u32..200,
        first in any::<u32>(),
        before in vec(0usize..200, 0..20),
    ) {
        let region = Region::create_anonymous(1 << 14, &RegionConfig { members: 8, ..Default::default() }).unwrap();
        let config = SpscConfig::new(slots, max_message_bytes);
        let spsc = region.create_spsc_at("q", &config, first).unwrap();
        let (mut producer, mut consumer) = (spsc.producer().unwrap(), spsc.consumer().unwrap());
        let max = max_message_bytes as usize;
        let mut buffer = [0; 200];
        for len in before {
            producer.try_push(&vec![7; len % (max + 1)]).unwrap();
            consumer.try_pop(&mut buffer).unwrap();
        }
        for i in 0..slots {
            prop_assert_eq!(producer.try_push(&message(u64::from(i), max)), Ok(()));
        }
        prop_assert_eq!(spsc.len(), slots as usize);
        for i in 0..slots {
            let popped = consumer.try_pop(&mut buffer).unwrap();
            prop_assert_eq!(&buffer[..popped.len], message(u64::from(i), max));
        }
    }
}

/// Two threads, each size, constantly wrapping: order, bytes, nothing lost, none twice.
#[test]
fn what_one_thread_pushes_another_pops() {
    let _watchdog = watchdog("two threads", 2 * WATCHDOG_SECONDS);
    let region =
        Region::create_anonymous(1 << 16, &RegionConfig { objects: 64, ..Default::default() }).unwrap();
    for (round, (slots, max)) in
        [(1, 1), (1, 100), (2, 8), (3, 40), (7, 64), (64, 24)].into_iter().enumerate()
    {
        let spsc = region.create_spsc(&format!("q{round}"), &SpscConfig::new(slots, max as u32)).unwrap();
        let len = |i: u64| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % (max + 1);
        const COUNT: u64 = 20_000;
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut producer = spsc.producer().unwrap();
                let mut i = 0;
                while i < COUNT {
                    match i % 3 {
                        0 => producer.push(&message(i, len(i))).unwrap(),
                        1 => {
                            let mut loan = producer.reserve(max).unwrap();
                            loan.truncate(len(i));
                            loan.write(&message(i, len(i))).unwrap();
                            loan.commit().unwrap();
                        }
                        _ => {
                            let all: Vec<_> = (i..COUNT.min(i + 4)).map(|i| message(i, len(i))).collect();
                            let all: Vec<&[u8]> = all.iter().map(|bytes| &bytes[..]).collect();
                            assert_eq!(producer.push_many(&all), Ok(all.len()));
                            i += all.len() as u64 - 1;
                        }
                    }
                    i += 1;
                }
                producer.close();
            });
            let mut consumer = spsc.consumer().unwrap();
            let mut buffer = vec![0; 5 * max];
            let mut popped = [Popped::default(); 5];
            let mut i = 0;
            loop {
                if i % 2 == 0 {
                    match consumer.peek() {
                        Ok(peeked) => {
                            assert_eq!((peeked.len(), peeked.attempt()), (len(i), 0));
                            peeked.copy_to(&mut buffer);
                            peeked.release();
                            assert_eq!(buffer[..len(i)], message(i, len(i)));
                            i += 1;
                        }
                        Err(error) => break assert_eq!(error, Error::Closed),
                    }
                } else {
                    match consumer.pop_many(&mut buffer, &mut popped) {
                        Ok(count) => {
                            for (k, popped) in popped[..count].iter().enumerate() {
                                assert_eq!((popped.len, popped.attempt), (len(i), 0));
                                assert_eq!(buffer[k * max..][..len(i)], message(i, len(i)));
                                i += 1;
                            }
                        }
                        Err(error) => break assert_eq!(error, Error::Closed),
                    }
                }
            }
            assert_eq!(i, COUNT);
        });
    }
}
