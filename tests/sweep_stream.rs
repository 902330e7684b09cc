//! Kills, and stops, one operation on a `Stream` at every machine instruction; somebody who knows of the death takes
//! the end over and asks what is there.
//!
//! # Points
//! From the victim's trap to the word it writes behind the operation: init over an older stream, push (short; one that goes to the ring's
//! beginning), a loan, pop, peek and release, peek and give back, close, the pop that ends a closed stream, claims
//! and take-overs of either end.
//!
//! # What is asked
//! Every message comes once, in order; or, if it was in the hand of a dead reader, first and marked, or not at all
//! where that one may have had it whole. What a dead writer was sending is there whole or not at all. Afterwards as many
//! of the largest messages fit as before. Stopped: the other end's bounded calls come back meanwhile, and when
//! the victim goes on, everything arrives.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

mod support;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the sweep reads x86-64 registers through Linux's ptrace");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    support::runner::main("sweep_stream", scenes::cases());
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod scenes {
    use crate::support::{
        runner::{Case, Scene, Tally, clean, planted, sweep},
        shared::{Board, Shared},
        step::{Victim, trap},
    };
    use rialto::{Error, Stream, StreamConfig, StreamReader, StreamWriter};
    use std::{sync::atomic::AtomicU8, time::Duration};

    const WATCHDOG: Duration = Duration::from_secs(15);
    const SLOTS: u32 = 4;
    const MAX: usize = 40;
    const LEN: usize = 1024;
    const DONE: usize = 0;
    /// What the victim's push said.
    const SENT: usize = 1;
    const CONFIG: StreamConfig = StreamConfig::new(SLOTS, MAX as u32);
    const OTHER: StreamConfig = StreamConfig::new(SLOTS + 3, 20);

    #[repr(C, align(64))]
    struct Bytes([AtomicU8; LEN]);

    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Op {
        /// Over a stream of other parameters.
        Init,
        Push,
        /// To the ring's beginning, past what is left before its end.
        PushRound,
        /// Stopped in it, while somebody else closes the stream and reads it to its end.
        PushClosed,
        /// Planted: the same message again.
        PushTwice,
        Loan,
        Pop,
        PeekRelease,
        PeekBack,
        Close,
        /// The pop that finds a closed stream empty.
        End,
        ClaimWriter,
        ClaimReader,
        /// Of an end whose owner died with it, the reader with a message in hand.
        TakeWriter,
        TakeReader,
    }
    use Op::*;

    impl Op {
        fn sends(self) -> bool {
            matches!(self, Push | PushRound | PushTwice | Loan)
        }

        fn before(self) -> u32 {
            if matches!(self, Init | Op::End) { 0 } else { 2 }
        }
    }

    enum End {
        Writer(StreamWriter<'static>),
        Reader(StreamReader<'static>),
        None,
    }

    fn message(number: u32) -> [u8; MAX] {
        core::array::from_fn(|i| (number as u8).wrapping_mul(31).wrapping_add(i as u8))
    }

    struct StreamScene {
        op: Op,
        stopped: bool,
        board: Shared<Board>,
        memory: Shared<Bytes>,
    }

    #[inline(never)]
    fn act(
        op: Op,
        board: &Board,
        memory: &Shared<Bytes>,
        stream: Stream<'static>,
        end: &mut End,
        first: u32,
    ) {
        match (op, end) {
            (Push | PushRound, End::Writer(end)) => end.try_push(&message(first)).unwrap(),
            (PushClosed, End::Writer(end)) => match end.try_push(&message(first)) {
                Ok(()) => board.set(SENT, 1),
                Err(error) => assert_eq!(error, Error::Closed),
            },
            (PushTwice, End::Writer(end)) => {
                end.try_push(&message(first)).unwrap();
                end.try_push(&message(first)).unwrap();
            }
            (Loan, End::Writer(end)) => {
                let mut loan = end.try_reserve(MAX).unwrap();
                loan.write(&message(first)).unwrap();
                loan.commit().unwrap();
            }
            (Pop, End::Reader(end)) => assert!(end.try_pop(&mut [0; MAX]).unwrap().len == MAX),
            (PeekRelease, End::Reader(end)) => end.try_peek().unwrap().release(),
            (PeekBack, End::Reader(end)) => drop(end.try_peek().unwrap().len()),
            (Op::End, End::Reader(end)) => assert!(end.try_pop(&mut [0; MAX]) == Err(Error::Closed)),
            // SAFETY: nobody else uses it.
            (Init, _) => drop(unsafe { Stream::init(memory.as_ptr().cast(), LEN, &CONFIG) }.unwrap()),
            (Close, _) => stream.close(),
            (ClaimWriter, _) => core::mem::forget(stream.writer().unwrap()),
            (ClaimReader, _) => core::mem::forget(stream.reader().unwrap()),
            // SAFETY: forgotten.
            (TakeWriter, _) => core::mem::forget(unsafe { stream.take_over_writer() }.unwrap()),
            // SAFETY: forgotten.
            (TakeReader, _) => core::mem::forget(unsafe { stream.take_over_reader() }.unwrap()),
            _ => unreachable!(),
        }
    }

    impl StreamScene {
        fn new(op: Op, stopped: bool) -> Self {
            // SAFETY: atomics of zero.
            StreamScene { op, stopped, board: Board::new(), memory: unsafe { Shared::zeroed() } }
        }

        fn stream(&self) -> Stream<'static> {
            // SAFETY: the mapping lives as long as the scene, which outlives what is made of this.
            unsafe { Stream::attach(self.memory.as_ptr().cast(), LEN) }.expect("a stream")
        }

        /// The numbers that are there, and how often each was in hand.
        fn drain(reader: &mut StreamReader) -> Result<Vec<(u32, u8)>, String> {
            let (mut buffer, mut all) = ([0; MAX], vec![]);
            loop {
                match reader.try_pop(&mut buffer) {
                    Ok(popped) => {
                        let number = (0..64).find(|number| message(*number) == buffer);
                        let number =
                            number.filter(|_| popped.len == MAX).ok_or("a message that nobody sent")?;
                        all.push((number, popped.attempt));
                    }
                    Err(Error::WouldBlock | Error::Closed) => return Ok(all),
                    Err(error) => return Err(format!("pop says {error:?}")),
                }
            }
        }

        fn ask(&self, done: bool, got: &[(u32, u8)]) -> Result<(), String> {
            let op = self.op;
            // Each list that would be right.
            let mut right = vec![];
            let firsts: &[&[(u32, u8)]] = match op {
                Init | Op::End => &[&[]],
                Pop | PeekRelease if done => &[&[]],
                Pop | PeekRelease => &[&[(0, 0)], &[(0, 1)], &[]],
                PeekBack if done => &[&[(0, 1)]],
                PeekBack => &[&[(0, 0)], &[(0, 1)]],
                TakeReader => &[&[(0, 1)]],
                _ => &[&[(0, 0)]],
            };
            for first in firsts {
                let mut list = first.to_vec();
                list.extend((1..op.before()).map(|number| (number, 0)));
                if op.sends() {
                    let mut sent = list.clone();
                    sent.push((op.before(), 0));
                    right.push(sent);
                }
                if !(done && op.sends()) {
                    right.push(list);
                }
            }
            if right.iter().any(|list| list == got) { Ok(()) } else { Err(format!("{got:?}, not {right:?}")) }
        }
    }

    impl Scene for StreamScene {
        fn set(&mut self) -> Victim {
            self.board.clear();
            let op = self.op;
            let config = if op == Init { OTHER } else { CONFIG };
            // SAFETY: aligned to a page; the victim before is gone.
            let stream: Stream<'static> =
                unsafe { Stream::init(self.memory.as_ptr().cast(), LEN, &config) }.unwrap();
            let (mut writer, mut reader) = (stream.writer().unwrap(), stream.reader().unwrap());
            if op == PushRound {
                // So far that the one behind those before does not fit in front of the end.
                writer.try_push(&[0; 8]).unwrap();
                reader.try_pop(&mut [0; MAX]).unwrap();
                for number in 0..SLOTS - op.before() {
                    writer.try_push(&message(number)).unwrap();
                    reader.try_pop(&mut [0; MAX]).unwrap();
                }
            }
            (0..op.before()).for_each(|number| writer.try_push(&message(number)).unwrap());
            match op {
                TakeReader => {
                    let _ = reader.try_peek().unwrap().len(); // in hand, marked
                    core::mem::forget(reader);
                }
                TakeWriter => core::mem::forget(writer),
                _ => drop((writer, reader)),
            }
            if matches!(op, Init | Op::End) {
                stream.close();
            }
            let (board, memory) = (&*self.board, &self.memory);
            Victim::start(|| {
                let mut end = match op {
                    Push | PushRound | PushClosed | PushTwice | Loan => End::Writer(stream.writer().unwrap()),
                    Pop | PeekRelease | PeekBack | Op::End => End::Reader(stream.reader().unwrap()),
                    _ => End::None,
                };
                trap();
                act(op, board, memory, stream, &mut end, op.before());
                board.set(DONE, 1);
            })
        }

        fn over(&self) -> bool {
            self.board.get(DONE) != 0
        }

        fn judge(&mut self, mut victim: Victim) -> Result<(), String> {
            if self.op == Init {
                let done = self.over();
                victim.kill();
                // SAFETY: as in `stream`.
                let found = unsafe { Stream::attach(self.memory.as_ptr().cast(), LEN) };
                match found.map(|it| (it.capacity() as u32, it.max_message_bytes(), it.is_closed())) {
                    Err(Error::BadRegion) if !done => {
                        // SAFETY: as above; nobody uses it.
                        unsafe { Stream::init(self.memory.as_ptr().cast(), LEN, &CONFIG) }.unwrap();
                    }
                    Ok((capacity, 20, true)) if !done && capacity == OTHER.slots => return Ok(()),
                    Ok((SLOTS, MAX, false)) => {}
                    other => return Err(format!("attach says {other:?}")),
                }
            }
            let stream = self.stream();
            let mut got = vec![];
            if self.op == PushClosed {
                stream.close();
                let mut reader = stream.reader().map_err(|error| error.to_string())?;
                got.extend(Self::drain(&mut reader)?);
                let end = reader.try_pop(&mut [0; MAX]);
                if end != Err(Error::Closed) {
                    return Err(format!("closed and drained, but {end:?}"));
                }
                if !victim.finish(WATCHDOG) {
                    return Err("going on, the victim does not come to its end".into());
                }
                let sent = self.board.get(SENT) != 0;
                let is_there = got.contains(&(self.op.before(), 0));
                return if sent == is_there { Ok(()) } else { Err(format!("sent {sent}, but {got:?}")) };
            }
            if self.stopped {
                // The other end goes on.
                if self.op.sends() {
                    got = Self::drain(&mut stream.reader().map_err(|error| error.to_string())?)?;
                } else {
                    let mut writer = stream.writer().map_err(|error| error.to_string())?;
                    let pushed = writer.try_push(&message(self.op.before()));
                    if !matches!(pushed, Ok(())) {
                        return Err(format!("a push beside a stopped reader: {pushed:?}"));
                    }
                }
                if !victim.finish(WATCHDOG) {
                    return Err("going on, the victim does not come to its end".into());
                }
            }
            let done = self.over();
            victim.kill();
            drop(victim);
            // SAFETY: who had them is dead.
            let (writer, reader) = unsafe { (stream.take_over_writer(), stream.take_over_reader()) };
            let mut reader = reader.map_err(|error| format!("the reader's end: {error}"))?;
            let mut writer = writer.map_err(|error| format!("the writer's end: {error}"))?;
            got.extend(Self::drain(&mut reader)?);
            if self.stopped && !self.op.sends() {
                let pushed = got.pop();
                if pushed != Some((self.op.before(), 0)) {
                    return Err(format!("pushed meanwhile, came {pushed:?}"));
                }
            }
            self.ask(done, &got)?;
            if stream.is_closed() {
                let (pushed, popped) = (writer.try_push(b""), reader.try_pop(&mut [0; MAX]));
                return match (pushed, popped) {
                    (Err(Error::Closed), Err(Error::Closed)) => Ok(()),
                    other => Err(format!("closed, but {other:?}")),
                };
            }
            if done && self.op == Close {
                return Err("close returned, and it is open".into());
            }
            for _ in 0..3 {
                (0..SLOTS).for_each(|number| writer.try_push(&message(number)).unwrap());
                let all: Vec<_> = (0..SLOTS).map(|number| (number, 0)).collect();
                if Self::drain(&mut reader)? != all {
                    return Err("the room is not what it was".into());
                }
            }
            Ok(())
        }
    }

    pub fn cases() -> Vec<Case> {
        let mut cases = vec![];
        let all = [
            Init,
            Push,
            PushRound,
            Loan,
            Pop,
            PeekRelease,
            PeekBack,
            Close,
            Op::End,
            ClaimWriter,
            ClaimReader,
            TakeWriter,
            TakeReader,
        ];
        for op in all {
            cases.push(clean(format!("{op:?}, killed"), 10, move |tally: &Tally| {
                sweep(&mut StreamScene::new(op, false), tally);
            }));
        }
        for op in [Push, PushRound, PushClosed, Loan, Pop, PeekRelease] {
            cases.push(clean(format!("{op:?}, stopped"), 10, move |tally: &Tally| {
                sweep(&mut StreamScene::new(op, true), tally);
            }));
        }
        cases.push(planted("a writer that sends twice", |tally| {
            sweep(&mut StreamScene::new(PushTwice, false), tally);
        }));
        cases
    }
}
