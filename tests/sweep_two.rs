//! Two victims at once: the first is killed or stopped at instruction k of its operation, then the
//! second at instruction j of its own, in what the first left behind.
//!
//! # Pairs
//! Adopter and recoverer, consumer and recoverer, producer and consumer. Every other k is a stop, and
//! within a k every other j. What was stopped goes on at the end, when the others have recovered the
//! dead, filled and emptied the queue several times.
//!
//! # Points
//! Every n-th k and every n-th j, in a pattern that shifts with k; n is 17, or `RIALTO_SWEEP_STRIDE`: 1
//! takes all, some hundred thousand points for each pair.
//!
//! # What is asked
//! Each message is taken once, or again and marked higher after the death of who had it in hand; a
//! push is there if it said so; while two stand still at most two slots are missing; in the end all
//! room is back.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

mod support;

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    sweep::main();
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the sweep reads x86-64 registers through Linux's ptrace");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod sweep {
    use crate::support::{
        planted::{NeverRecovers, Unmarked},
        process::fork,
        queue::*,
        runner::{self, Scene, Tally, clean, planted, point, reach, record, stride},
        shared::{Board, Shared},
        step::{Route, Victim, trap},
    };
    use rialto::Depth;
    use std::time::Duration;

    const NOW: Duration = Duration::ZERO;
    const PRE: u64 = 4;
    /// Words of the board: the first's from here, the second's from there: done, then its result.
    const PLACES: [usize; 2] = [0, 10];
    const VALUES: [u64; 2] = [990, 991];

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Op {
        Push,
        Peek,
        Recover,
    }

    #[inline(always)]
    fn act(subject: &impl Subject, board: &Board, op: Op, who: usize) {
        let at = PLACES[who];
        match op {
            Op::Push => board.set(at + 4, if subject.push(VALUES[who], NOW) { 1 } else { 2 }),
            Op::Peek => {
                let got = subject.take(Take::Peek, NOW, |value, attempt| {
                    board.set(at + 2, attempt.into());
                    board.set(at + 1, value);
                });
                board.set(at + 3, u64::from(got));
            }
            Op::Recover => drop(subject.recover(Depth::Marked)),
        }
        board.set(at, 1);
    }

    fn start<S: Subject>(subject: &S, board: &Board, op: Op, who: usize) -> Victim {
        Victim::start(|| {
            subject.warm();
            trap();
            act(subject, board, op, who);
        })
    }

    /// The first victim alone, to learn its way, and to take it to k.
    struct First<S> {
        op: Op,
        orphans: u64,
        board: Shared<Board>,
        subject: Option<S>,
    }

    impl<S: Subject> Scene for First<S> {
        fn set(&mut self) -> Victim {
            self.board.clear();
            self.subject = None;
            let subject = S::create(Kind::default());
            for i in 0..21 {
                assert!(subject.push(i, NOW) && subject.take(Take::Pop, NOW, |_, _| ()));
            }
            for i in 0..PRE {
                assert!(subject.push(100 + i, NOW));
            }
            if self.orphans > 0 {
                let n = self.orphans;
                fork(|| (0..n).for_each(|_| assert!(subject.take(Take::Keep, NOW, |_, _| ()))))
                    .wait(WATCHDOG);
                subject.recover(Depth::Marked);
            }
            let victim = start(&subject, &self.board, self.op, 0);
            self.subject = Some(subject);
            victim
        }

        fn over(&self) -> bool {
            self.board.get(PLACES[0]) != 0
        }

        fn judge(&mut self, _: Victim) -> Result<(), String> {
            unreachable!("the first victim is judged with the second")
        }
    }

    /// The second in what the first left.
    struct Second<'a, S> {
        op: Op,
        first: First<S>,
        route: &'a Route,
        k: u64,
        stops: [bool; 2],
        stopped: Option<Victim>,
    }

    impl<S: Subject> Scene for Second<'_, S> {
        fn set(&mut self) -> Victim {
            self.stopped = None;
            let (first, _) = reach(&mut self.first, self.route, None, self.k);
            let mut first = first.expect("the first victim comes where it came before");
            if self.stops[0] {
                self.stopped = Some(first);
            } else {
                first.kill();
            }
            start(self.first.subject.as_ref().expect("a world"), &self.first.board, self.op, 1)
        }

        fn over(&self) -> bool {
            self.first.board.get(PLACES[1]) != 0
        }

        fn judge(&mut self, mut second: Victim) -> Result<(), String> {
            let subject = self.first.subject.as_ref().ok_or("no world")?;
            let board = &self.first.board;
            let mut log = Log::new();
            if !self.stops[1] {
                second.kill();
            }
            subject.recover(Depth::Thorough);
            log.extend(drain(subject));
            let still = self.stops.iter().filter(|stop| **stop).count() as u64;
            laps(subject, 2, 2000, CAPACITY - still, &mut log)?;
            for victim in [self.stopped.as_mut(), self.stops[1].then_some(&mut second)].into_iter().flatten()
            {
                if !victim.finish(WATCHDOG) {
                    return Err("resumed, a victim does not finish".into());
                }
            }
            subject.recover(Depth::Marked);
            log.extend(drain(subject));
            laps(subject, 2, 5000, CAPACITY, &mut log)?;
            self.books(board, &log).map_err(|what| format!("{what}; stopped: {:?}", self.stops))
        }
    }

    impl<S> Second<'_, S> {
        fn books(&self, board: &Board, log: &Log) -> Result<(), String> {
            let hands = PLACES.map(|at| Hand::read_at(board, at + 1));
            let mut dead = self.stops.iter().filter(|stop| !**stop).count() as u64;
            for v in 100..100 + PRE {
                let base = u64::from(v < 100 + self.first.orphans);
                let wrong = |what: &str| Err(format!("{v} {what}: {hands:?}, {log:?}"));
                let mut takes: Vec<(u64, bool)> = vec![]; // attempt, and whether it ended there
                for (hand, stop) in hands.iter().zip(self.stops) {
                    if hand.value == v {
                        takes.push((hand.attempt, hand.returned || stop));
                    }
                }
                match log.iter().filter(|it| it.0 == v).collect::<Vec<_>>()[..] {
                    [] => {}
                    [it] => takes.push((it.1.into(), true)),
                    _ => return wrong("delivered twice"),
                }
                takes.sort();
                if takes.is_empty() {
                    return wrong("lost");
                }
                if takes.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                    return wrong("delivered again without a higher mark");
                }
                // The last taker may have died between the release and the word that says so.
                if takes[..takes.len() - 1].iter().any(|take| take.1) {
                    return wrong("delivered again after its release");
                }
                // A mark is never lost, and each needs a death; a dead one that took it may not have said so.
                let marks = takes.last().map_or(0, |take| take.0);
                if marks < base {
                    return wrong("lost its mark");
                }
                if marks - base > dead {
                    return wrong("marked too often");
                }
                dead -= marks - base;
            }
            // A taker that went on at the end may have got what the other one then pushed.
            let mut log = log.clone();
            for (hand, stop) in hands.iter().zip(self.stops) {
                if stop && VALUES.contains(&hand.value) {
                    log.push((hand.value, hand.attempt as u8));
                }
            }
            let hand = Hand::default();
            let books = Books { log: &log, hand, heads: 0..0, pops: false, orphans: 0, alive: false };
            for who in [0, 1] {
                let op = if who == 0 { self.first.op } else { self.op };
                books.pushed(VALUES[who], if op == Op::Push { board.get(PLACES[who] + 4) } else { 2 })?;
            }
            books.nothing_else(|v| VALUES.contains(&v) || (100..100 + PRE).contains(&v))
        }
    }

    fn pair<S: Subject>(ops: [Op; 2], orphans: u64, tally: &Tally) {
        let n = stride(17);
        let first = || First::<S> { op: ops[0], orphans, board: Board::new(), subject: None };
        let (route, ..) = record(&mut first(), false);
        for (row, k) in (0..route.len()).step_by(n as usize).enumerate() {
            let stops = [row % 2 == 1, false];
            let mut scene = Second { op: ops[1], first: first(), route: &route, k, stops, stopped: None };
            let (second, ..) = record(&mut scene, false);
            for (column, j) in (row as u64 % n..second.len()).step_by(n as usize).enumerate() {
                scene.stops[1] = (column + row / 2) % 2 == 1;
                point(&mut scene, tally, &second, None, j);
            }
        }
    }

    pub fn main() {
        use Op::*;
        let mut cases = vec![];
        for (what, ops, orphans) in [
            ("adopter x recoverer", [Peek, Recover], 1),
            ("consumer x recoverer", [Peek, Recover], 0),
            ("producer x consumer", [Push, Peek], 0),
            ("adopter x adopter", [Peek, Peek], 1),
        ] {
            cases.push(clean(what, 300, move |tally| pair::<Rialto>(ops, orphans, tally)));
        }
        cases.push(planted("consumer x recoverer: survivors that never recover", |tally| {
            pair::<NeverRecovers>([Peek, Recover], 0, tally)
        }));
        cases.push(planted("adopter x recoverer: redelivery without a mark", |tally| {
            pair::<Unmarked>([Peek, Recover], 1, tally)
        }));
        runner::main("sweep_two", cases);
    }
}
