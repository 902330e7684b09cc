//! Kills, and stops, one operation on an SPSC queue at every machine instruction; somebody else claims the ends
//! and asks what is there.
//!
//! # Points
//! From the victim's trap to the word it writes behind the operation: push (short; one that goes to the
//! stream's beginning), a batch, a loan, pop, a batch, peek and release, peek and give back, close, the pop that
//! ends a closed stream, a claim of either end behind a dead holder, and somebody's recovery of one (two
//! victims).
//! With the other party asleep (`spsc_scenes`): the points where shared memory changed, those around system calls,
//! and every n-th besides (`RIALTO_SWEEP_STRIDE=1`: all). Light, locked, and one of each.
//!
//! # What is asked
//! Every message comes once, in order; or, if it was in the hand of a dead consumer, first and marked, or not at
//! all where that one may have had it whole. What a dead producer was sending is there whole or not at all,
//! a batch too. Afterwards as many of the largest messages fit as before. Stopped: the other end's bounded calls
//! come back meanwhile, and when the victim goes on, everything arrives. Asleep: whoever sleeps gets what is
//! there (a message, room, the end of a queue, the dead one's end) without anybody's help, at its tick; what is
//! not there, by a successor. Once for each case the victim lives and nobody ticks: it must have woken the
//! sleeper itself.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod spsc_scenes;
mod support;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the sweep reads x86-64 registers through Linux's ptrace");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    let cases = scenes::cases().into_iter().chain(spsc_scenes::cases());
    support::runner::main("sweep_spsc", cases.collect());
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod scenes {
    use crate::support::{
        process::{Exit, fork},
        queue::fingerprint,
        runner::{Case, Scene, Tally, clean, planted, sweep, sweep_merged},
        shared::{Board, Shared},
        step::{Victim, trap},
    };
    use rialto::{
        Depth, Error, Region, RegionConfig, SpscConfig,
        spsc::{Consumer, Popped, Producer, Spsc},
    };
    use std::time::Duration;

    const WATCHDOG: Duration = Duration::from_secs(15);
    const SLOTS: u32 = 4;
    const MAX: usize = 40;
    const DONE: usize = 0;

    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Op {
        Push,
        /// To the stream's beginning, past what is left before its end.
        PushRound,
        /// Planted: the same message again.
        PushTwice,
        PushMany,
        Loan,
        Pop,
        PopMany,
        PeekRelease,
        PeekBack,
        Close,
        /// The pop that finds a closed queue empty.
        End,
        /// Behind a dead holder, already swept.
        ClaimProducer,
        ClaimConsumer,
        /// Of a consumer that was killed with a message in hand.
        Recover,
    }
    use Op::*;

    impl Op {
        fn sends(self) -> u32 {
            match self {
                Push | PushRound | PushTwice | Loan => 1,
                PushMany => 2,
                _ => 0,
            }
        }

        /// Messages in the hand of who is killed in it.
        fn takes(self) -> u32 {
            match self {
                Pop | PeekRelease | PeekBack => 1,
                PopMany => 2,
                _ => 0,
            }
        }

        fn before(self) -> u32 {
            match self {
                End => 0,
                PushMany => 1,
                _ => 2,
            }
        }

        /// A consumer died with message 0 in hand before the victim began.
        fn after_a_death(self) -> bool {
            matches!(self, ClaimConsumer | Recover)
        }
    }

    type Queue = Spsc<'static, Region>;

    fn message(number: u32) -> [u8; MAX] {
        core::array::from_fn(|i| (number as u8).wrapping_mul(31).wrapping_add(i as u8))
    }

    struct SpscScene {
        op: Op,
        stopped: bool,
        board: Shared<Board>,
        world: Option<(Queue, Box<Region>)>,
    }

    enum End {
        Producer(Producer<'static, Region>),
        Consumer(Consumer<'static, Region>),
        None,
    }

    fn push(producer: &mut Producer<'static, Region>, number: u32) {
        producer.try_push(&message(number)).unwrap();
    }

    #[inline(never)]
    fn act(op: Op, queue: Queue, end: &mut End, region: &Region, first: u32) {
        let mut buffer = [0; 2 * MAX];
        match (op, end) {
            (Push | PushRound, End::Producer(end)) => push(end, first),
            (PushTwice, End::Producer(end)) => {
                push(end, first);
                push(end, first);
            }
            (PushMany, End::Producer(end)) => {
                assert!(end.try_push_many(&[&message(first), &message(first + 1)]) == Ok(2));
            }
            (Loan, End::Producer(end)) => {
                let mut loan = end.try_reserve(MAX).unwrap();
                loan.write(&message(first)).unwrap();
                loan.commit().unwrap();
            }
            (Pop, End::Consumer(end)) => assert!(end.try_pop(&mut buffer).unwrap().len == MAX),
            (PopMany, End::Consumer(end)) => {
                assert!(end.try_pop_many(&mut buffer, &mut [Popped::default(); 2]) == Ok(2));
            }
            (PeekRelease, End::Consumer(end)) => end.try_peek().unwrap().release(),
            (PeekBack, End::Consumer(end)) => drop(end.try_peek().unwrap().len()),
            (Op::End, End::Consumer(end)) => assert!(end.try_pop(&mut buffer) == Err(Error::Closed)),
            (Close, _) => queue.close(),
            (ClaimProducer, _) => core::mem::forget(queue.producer().unwrap()),
            (ClaimConsumer, _) => core::mem::forget(queue.consumer().unwrap()),
            (Recover, _) => drop(region.recover(Depth::Marked)),
            _ => unreachable!(),
        }
    }

    impl SpscScene {
        fn new(op: Op, stopped: bool) -> Self {
            SpscScene { op, stopped, board: Board::new(), world: None }
        }

        fn region(&self) -> &Region {
            &self.world.as_ref().expect("a world").1
        }

        fn queue(&self) -> Queue {
            self.world.as_ref().expect("a world").0
        }

        /// The numbers that are there, and how often each was in hand.
        fn drain(consumer: &mut Consumer<Region>) -> Result<Vec<(u32, u8)>, String> {
            let (mut buffer, mut all) = ([0; MAX], vec![]);
            loop {
                match consumer.try_pop(&mut buffer) {
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

        fn ask(&self, done: bool, got: Vec<(u32, u8)>) -> Result<(), String> {
            let (op, before) = (self.op, self.op.before());
            let mut rest = &got[..];
            let in_hand = if op.after_a_death() { 1 } else { op.takes() };
            let keeps = op == PeekBack || op.after_a_death();
            // What was in hand: all of it, the first marked if it was begun, or none.
            if rest.first().is_some_and(|(number, _)| *number == 0) && before > 0 {
                let (_, attempt) = rest[0];
                if done && in_hand > 0 && !keeps {
                    return Err("a message comes twice".into());
                }
                let must = op.after_a_death() || done && op == PeekBack;
                if attempt > u8::from(in_hand > 0) || must && attempt != 1 {
                    return Err(format!("marked {attempt}"));
                }
            } else {
                if before > 0 && (in_hand == 0 || keeps) {
                    return Err("a message is lost".into());
                }
                let gone = in_hand.min(before);
                if before > gone && rest.first() != Some(&(gone, 0)) {
                    return Err(format!("{rest:?} behind what was in hand"));
                }
                let left = (gone..before + op.sends()).map(|number| (number, 0)).collect::<Vec<_>>();
                return if *rest == left[..] { Ok(()) } else { Err(format!("{rest:?}, not {left:?}")) };
            }
            rest = &rest[1..];
            let all = (1..before + op.sends()).map(|number| (number, 0)).collect::<Vec<_>>();
            let without = &all[..all.len() - op.sends() as usize];
            if *rest == all[..] || !done && rest == without {
                Ok(())
            } else {
                Err(format!("{rest:?}, not {all:?}"))
            }
        }
    }

    impl Scene for SpscScene {
        fn set(&mut self) -> Victim {
            self.world = None;
            self.board.clear();
            let config = RegionConfig { members: 8, objects: 1, tick_ms: 60_000 };
            let region = Box::new(Region::create_anonymous(1 << 13, &config).expect("region"));
            // SAFETY: the box is not moved out of, and what borrows is dropped first.
            let forever: &'static Region = unsafe { &*core::ptr::from_ref::<Region>(&*region) };
            let queue = forever.create_spsc("q", &SpscConfig::new(SLOTS, MAX as u32)).unwrap();
            let op = self.op;
            {
                let (mut producer, mut consumer) = (queue.producer().unwrap(), queue.consumer().unwrap());
                // So far that the one behind those before does not fit in front of the end: a short one shifts all.
                let skip = if op == PushRound { SLOTS - op.before() } else { 0 };
                if op == PushRound {
                    producer.try_push(&[0; 8]).unwrap();
                    consumer.try_pop(&mut [0; MAX]).unwrap();
                }
                for number in 0..skip {
                    push(&mut producer, number);
                    consumer.try_pop(&mut [0; MAX]).unwrap();
                }
                (0..op.before()).for_each(|number| push(&mut producer, number));
            }
            forever.leave().unwrap();
            if op.after_a_death() || op == ClaimProducer {
                let mut holder = fork(|| {
                    if op == ClaimProducer {
                        core::mem::forget(queue.producer().unwrap());
                    } else {
                        let mut consumer = queue.consumer().unwrap();
                        let _ = consumer.peek().unwrap().len(); // in hand, marked
                        core::mem::forget(consumer);
                    }
                    // SAFETY: ends this process as a kill does.
                    unsafe { libc::raise(libc::SIGKILL) };
                });
                assert_eq!(holder.wait(WATCHDOG), Some(Exit::Signal(libc::SIGKILL)));
                if op != Recover {
                    forever.recover(Depth::Thorough);
                }
            }
            if op == Op::End {
                queue.close();
            }
            self.world = Some((queue, region));
            let (board, region) = (&*self.board, self.region());
            Victim::start(|| {
                let mut end = match op {
                    Push | PushRound | PushTwice | PushMany | Loan => {
                        End::Producer(queue.producer().unwrap())
                    }
                    Pop | PopMany | PeekRelease | PeekBack | Op::End => {
                        End::Consumer(queue.consumer().unwrap())
                    }
                    // A member already; recovers nobody.
                    _ => {
                        drop(region.join());
                        End::None
                    }
                };
                trap();
                act(op, queue, &mut end, region, op.before());
                board.set(DONE, 1);
            })
        }

        fn over(&self) -> bool {
            self.board.get(DONE) != 0
        }

        fn fingerprint(&self, victim: &Victim) -> u64 {
            fingerprint(self.region().as_ptr(), self.region().len()) ^ victim.robust_list()
        }

        fn judge(&mut self, mut victim: Victim) -> Result<(), String> {
            let queue = self.queue();
            let mut got = vec![];
            if self.stopped {
                // The other end goes on.
                if self.op.sends() > 0 {
                    got = Self::drain(&mut queue.consumer().map_err(|error| error.to_string())?)?;
                } else {
                    let mut producer = queue.producer().map_err(|error| error.to_string())?;
                    let pushed = producer.try_push(&message(self.op.before()));
                    if !matches!(pushed, Ok(())) {
                        return Err(format!("a push beside a stopped consumer: {pushed:?}"));
                    }
                }
                if !victim.finish(WATCHDOG) {
                    return Err("going on, the victim does not come to its end".into());
                }
            }
            let done = self.board.get(DONE) != 0;
            victim.kill();
            drop(victim);
            self.region().recover(Depth::Thorough);
            let mut consumer = queue.consumer().map_err(|error| format!("the consumer's end: {error}"))?;
            got.extend(Self::drain(&mut consumer)?);
            if self.stopped && self.op.sends() == 0 {
                let pushed = got.pop();
                if pushed != Some((self.op.before(), 0)) {
                    return Err(format!("pushed meanwhile, came {pushed:?}"));
                }
            }
            self.ask(done, got)?;
            let mut producer = queue.producer().map_err(|error| format!("the producer's end: {error}"))?;
            if queue.is_closed() {
                let (pushed, popped) = (producer.try_push(b""), consumer.try_pop(&mut [0; MAX]));
                return match (pushed, popped) {
                    (Err(Error::Closed), Err(Error::Closed)) => Ok(()),
                    other => Err(format!("closed, but {other:?}")),
                };
            }
            if done && self.op == Close {
                return Err("close returned, and it is open".into());
            }
            for _ in 0..3 {
                (0..SLOTS).for_each(|number| push(&mut producer, number));
                let all: Vec<_> = (0..SLOTS).map(|number| (number, 0)).collect();
                if Self::drain(&mut consumer)? != all {
                    return Err("the room is not what it was".into());
                }
            }
            drop((producer, consumer));
            self.region().leave().map_err(|error| error.to_string())
        }
    }

    pub fn cases() -> Vec<Case> {
        let mut cases = vec![];
        let all = [
            Push,
            PushRound,
            PushMany,
            Loan,
            Pop,
            PopMany,
            PeekRelease,
            PeekBack,
            Close,
            Op::End,
            ClaimProducer,
            ClaimConsumer,
            Recover,
        ];
        for op in all {
            // Claims and recoveries are long: changes, system calls, and every 4th instruction.
            let gap = if matches!(op, ClaimProducer | ClaimConsumer | Recover | Op::End) { 4 } else { 1 };
            cases.push(clean(format!("{op:?}, killed"), 10, move |tally: &Tally| {
                let mut scene = SpscScene::new(op, false);
                if gap == 1 { sweep(&mut scene, tally) } else { sweep_merged(&mut scene, tally, gap) }
            }));
        }
        for op in [Push, PushRound, PushMany, Loan, Pop, PopMany, PeekRelease] {
            cases.push(clean(format!("{op:?}, stopped"), 10, move |tally: &Tally| {
                sweep(&mut SpscScene::new(op, true), tally);
            }));
        }
        cases.push(planted("a producer that sends twice", |tally| {
            sweep_merged(&mut SpscScene::new(PushTwice, false), tally, 16);
        }));
        cases
    }
}
