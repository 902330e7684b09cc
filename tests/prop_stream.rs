//! Random calls on a `Stream` against a list: every size, in rings so small that messages wrap all the time, ends that
//! change hands; and hostile bytes: nothing that stands in its memory, or is written there meanwhile, makes a call
//! panic, write outside, or outlive its deadline.
#![cfg(not(rialto_loom))]

use proptest::{collection::vec, prelude::*, test_runner::Config};
use rialto::{Error, Stream, StreamConfig, StreamReader, StreamWriter, stream::Popped};
use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::*},
    thread,
    time::{Duration, Instant},
};

const LEN: usize = 2048;
const GUARD: usize = 256;

/// Memory with something on both sides that must stay as it is.
#[repr(C, align(64))]
struct Memory {
    before: [u8; GUARD],
    words: [AtomicU32; LEN / 4],
    behind: [u8; GUARD],
}

impl Memory {
    fn new() -> Box<Memory> {
        let words = [const { AtomicU32::new(0) }; LEN / 4];
        Box::new(Memory { before: [0x5a; GUARD], words, behind: [0x5a; GUARD] })
    }

    fn at(&self) -> *mut u8 {
        self.words.as_ptr().cast_mut().cast()
    }

    fn is_sound(&self) -> bool {
        self.before.iter().chain(&self.behind).all(|byte| *byte == 0x5a)
    }
}

#[derive(Clone, Debug)]
enum Op {
    Push(usize),
    /// Reserve so much, write so much of it, commit that (or drop it).
    Loan(usize, usize, bool),
    Pop,
    /// Peek, and release it or not.
    Peek(bool),
    Close,
    /// True: as if it had died.
    WriterChanges(bool),
    ReaderChanges(bool),
    Looks,
}

const MAX: usize = 70;

fn op() -> impl Strategy<Value = Op> {
    let len = || prop_oneof![3 => 0..=MAX, 1 => Just(0), 1 => Just(MAX), 2 => 0..=24usize];
    prop_oneof![
        10 => len().prop_map(Op::Push),
        4 => (len(), len(), any::<bool>()).prop_map(|(a, b, done)| Op::Loan(a.max(b), a.min(b), done)),
        10 => Just(Op::Pop),
        4 => any::<bool>().prop_map(Op::Peek),
        1 => any::<bool>().prop_map(Op::WriterChanges),
        1 => any::<bool>().prop_map(Op::ReaderChanges),
        2 => Just(Op::Looks),
    ]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    (vec(op(), 0..150), any::<Option<u8>>()).prop_map(|(mut ops, close)| {
        if let Some(at) = close {
            ops.insert(at as usize % (ops.len() + 1), Op::Close);
        }
        ops
    })
}

fn message(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|i| (number * 31 + i) as u8).collect()
}

struct Ends<'m> {
    stream: Stream<'m>,
    writer: Option<StreamWriter<'m>>,
    reader: Option<StreamReader<'m>>,
}

impl<'m> Ends<'m> {
    fn of(stream: Stream<'m>) -> rialto::Result<Self> {
        // SAFETY: nobody else uses it.
        let (writer, reader) = unsafe { (stream.take_over_writer()?, stream.take_over_reader()?) };
        Ok(Ends { stream, writer: Some(writer), reader: Some(reader) })
    }

    /// What `op` brought.
    fn act(&mut self, op: &Op, number: usize) -> rialto::Result<Option<(Vec<u8>, u8)>> {
        let writer = self.writer.as_mut().unwrap();
        let reader = self.reader.as_mut().unwrap();
        let max = self.stream.max_message_bytes();
        match *op {
            Op::Push(len) => writer.try_push(&message(number, len))?,
            Op::Loan(reserved, len, done) => {
                let mut loan = writer.try_reserve(reserved)?;
                loan.truncate(len);
                loan.write(&message(number, len))?;
                if done {
                    loan.commit()?;
                }
            }
            Op::Pop => {
                let mut buffer = vec![0; max];
                let Popped { len, attempt } = reader.try_pop(&mut buffer)?;
                buffer.truncate(len);
                return Ok(Some((buffer, attempt)));
            }
            Op::Peek(release) => {
                let peeked = reader.try_peek()?;
                let (mut buffer, attempt) = (vec![0; peeked.len()], peeked.attempt());
                peeked.copy_to(&mut buffer);
                if release {
                    peeked.release();
                }
                return Ok(Some((buffer, attempt)));
            }
            Op::Close => self.stream.close(),
            Op::WriterChanges(died) => {
                let old = self.writer.take().unwrap();
                if died {
                    core::mem::forget(old)
                } else {
                    drop(old)
                }
                self.writer = Some(if died {
                    // SAFETY: it is gone.
                    unsafe { self.stream.take_over_writer()? }
                } else {
                    self.stream.writer()?
                });
            }
            Op::ReaderChanges(died) => {
                let old = self.reader.take().unwrap();
                if died {
                    core::mem::forget(old)
                } else {
                    drop(old)
                }
                self.reader = Some(if died {
                    // SAFETY: it is gone.
                    unsafe { self.stream.take_over_reader()? }
                } else {
                    self.stream.reader()?
                });
            }
            Op::Looks => {
                let (stream, bound) = (&self.stream, LEN / 16);
                assert!(stream.len() <= bound && stream.capacity() <= bound);
                let _ = (stream.is_empty(), stream.is_full(), stream.is_closed());
            }
        }
        Ok(None)
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_stream_is_a_list_with_two_ends(
        slots in 1..6u32, max in 1..=MAX as u32, first in 0..2000u32, ops in ops(),
    ) {
        let memory = Memory::new();
        let config = StreamConfig::new(slots, max);
        // SAFETY: aligned, long enough, ours.
        let stream = unsafe { Stream::init_at(Default::default(), memory.at(), LEN, &config, first) }.unwrap();
        let mut ends = Ends::of(stream).unwrap();
        let (mut list, mut closed) = (VecDeque::new(), false);
        for (number, op) in ops.iter().enumerate() {
            let got = ends.act(op, number);
            match op {
                Op::Push(len) | Op::Loan(len, ..) if *len > max as usize => {
                    prop_assert_eq!(got, Err(Error::MessageTooLarge));
                }
                Op::Push(_) | Op::Loan(..) if closed => prop_assert_eq!(got, Err(Error::Closed)),
                Op::Push(len) | Op::Loan(_, len, true) => match got {
                    Ok(_) => list.push_back((message(number, *len), 0)),
                    // So many of the largest fit, wherever they begin.
                    other => {
                        prop_assert_eq!(other, Err(Error::WouldBlock));
                        prop_assert!(list.len() >= slots as usize);
                    }
                },
                Op::Pop | Op::Peek(_) => match list.front_mut() {
                    Some(next) => {
                        prop_assert_eq!(got, Ok(Some(next.clone())));
                        if let Op::Peek(false) = op {
                            next.1 = (next.1 + 1).min(15);
                        } else {
                            list.pop_front();
                        }
                    }
                    None => prop_assert_eq!(got, Err(if closed { Error::Closed } else { Error::WouldBlock })),
                },
                Op::Close => closed = true,
                Op::Loan(_, _, false) => prop_assert!(matches!(got, Ok(None) | Err(Error::WouldBlock))),
                Op::WriterChanges(_) | Op::ReaderChanges(_) | Op::Looks => prop_assert_eq!(got, Ok(None)),
            }
            prop_assert_eq!((stream.len(), stream.is_empty()), (list.len(), list.is_empty()));
        }
        prop_assert!(memory.is_sound());
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_used_without_harm(
        bytes in vec(any::<u32>(), LEN / 4), wild in vec((0..80usize, any::<u32>()), 0..12), sound in 0..3,
        ops in vec(op(), 0..40),
    ) {
        let memory = Memory::new();
        memory.words.iter().zip(&bytes).for_each(|(word, byte)| word.store(*byte, Relaxed));
        if sound > 0 {
            // SAFETY: as above.
            unsafe { Stream::init(memory.at(), LEN, &StreamConfig::new(5, MAX as u32)) }.unwrap();
        }
        for (at, value) in &wild {
            // Small ones too: they are positions.
            let value = if value % 3 == 0 { value / 3 % 600 } else { *value };
            // Beside the header's first line, when something is to be let in.
            memory.words[if sound > 1 { 16 + at } else { *at }].store(value, Relaxed);
        }
        // SAFETY: as above; hostile bytes are what it is asked about.
        let stream = unsafe { Stream::attach(memory.at(), LEN) };
        prop_assert!(sound < 2 || stream.is_ok());
        if let Ok(Ok(mut ends)) = stream.map(Ends::of) {
            for (number, op) in ops.iter().enumerate() {
                if ends.act(op, number).is_err() && (ends.writer.is_none() || ends.reader.is_none()) {
                    break;
                }
            }
            if let (Some(writer), Some(reader)) = (&mut ends.writer, &mut ends.reader) {
                let _ = reader.pop_timeout(&mut vec![0; LEN], 10_000);
                let _ = writer.push_timeout(&[1; 20], 10_000);
            }
        }
        prop_assert!(memory.is_sound());
    }
}

#[test]
fn a_peer_that_writes_wild_while_we_work_does_no_harm() {
    let memory = Memory::new();
    let done = AtomicBool::new(false);
    let until = Instant::now() + Duration::from_secs(2);
    let mut state = 88172645463325252u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let worked = thread::scope(|scope| {
        let mut scribbler = random;
        let (memory, done) = (&*memory, &done);
        scope.spawn(move || {
            while !done.load(Relaxed) {
                let (at, value) = (scribbler() as usize % (LEN / 4), scribbler());
                let value = if value & 1 == 0 { value as u32 >> 1 } else { value as u32 >> 1 & 0x3ff };
                memory.words[at.max(16)].store(value, Relaxed);
                (0..value % 64).for_each(|_| core::hint::spin_loop());
            }
        });
        let mut worked = 0;
        while Instant::now() < until {
            // SAFETY: as above.
            let stream =
                unsafe { Stream::init(memory.at(), LEN, &StreamConfig::new(9, MAX as u32)) }.unwrap();
            let Ok(mut ends) = Ends::of(stream) else { continue };
            for number in 0..100 {
                let len = random() as usize % (MAX + 1);
                let ops = [Op::Push(len), Op::Pop, Op::Peek(true), Op::Looks, Op::Loan(len, len / 2, true)];
                if ends.act(&ops[random() as usize % ops.len()], number).is_ok() {
                    worked += 1;
                }
            }
            let _ = ends.reader.as_mut().unwrap().pop_timeout(&mut [0; MAX], 1000);
            let _ = ends.writer.as_mut().unwrap().push_timeout(&[1; 20], 1000);
        }
        done.store(true, Relaxed);
        worked
    });
    println!("{worked} calls succeeded");
    assert!(worked > 100, "the writer never let us in: nothing was tested");
    assert!(memory.is_sound());
}
