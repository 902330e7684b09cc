//! Kills, or stops, one push, pop, or peek and release at every machine instruction, and asks the
//! others how they fare.
//!
//! # Points
//! The victim has joined and done each operation once; from its trap to the word it writes after the
//! operation, every instruction is a point (see `support::step`). Nothing is merged, except in the
//! "woken" cases and in falling asleep, where a point costs a tick: there every instruction counts that
//! follows a change of the shared memory, and every 16th (stopped: 8th) besides; with
//! `RIALTO_SWEEP_STRIDE=1` all.
//!
//! # What is asked
//! *Killed*: nobody who is owed a message or room sleeps past the watchdog; every message comes out
//! once, or again and marked if the victim had it in hand; unmarked ones in order; after recovery all
//! room is back. The dead are recovered explicitly ("alone"), by callers that come later and block
//! ("later"), or by one that was asleep already ("asleep").
//! *Stopped*: the `try_` calls of others fill and empty the queue, with at most one slot less; nobody
//! takes the victim for dead; when it goes on, everything adds up with its own result.
//!
//! # Left out
//! A popper asleep on a queue that holds messages, or a pusher asleep on one with room, exists only
//! between a wake-up and its effect: that is the victim of the "woken" cases, with another behind it.
//! A kill-only queue promises nothing while a party is stopped; only the books are checked then.
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
        planted::{NeverRecovers, Unmarked, Vyukov},
        process::{Child, Exit, asleep, fork},
        queue::*,
        runner::{self, Case, Scene, clean, planted, sweep, sweep_merged},
        shared::{Board, Shared},
        step::{Victim, trap},
    };
    use rialto::Depth;
    use std::time::{Duration, Instant};

    const NOW: Duration = Duration::ZERO;
    // Words of the board.
    const DONE: usize = 0;
    const HAND: usize = 1; // value, attempt, returned
    const PUSHED: usize = 4;
    const OTHER: usize = 10; // its done; then its hand
    // Messages besides 100, 101, ... that lie in the queue at first.
    const VICTIMS: u64 = 999;
    const SLEEPERS: u64 = 888;
    const HELP: u64 = 500;
    const MORE: u64 = 600;
    const PROBE: u64 = 700;
    /// Of the cases with two sleepers: the other one must not tick while a victim is stepped.
    const TICK: Duration = Duration::from_millis(60);

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Op {
        Push,
        Pop,
        Peek,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fate {
        Kill,
        Stop,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Company {
        Alone,
        Later,
        Asleep,
    }

    /// Does `op` and says so on the board.
    #[inline(always)]
    fn act(subject: &impl Subject, board: &Board, op: Op, wait: Duration, value: u64, at: usize) {
        match op {
            Op::Push => board.set(PUSHED + at, if subject.push(value, wait) { 1 } else { 2 }),
            Op::Pop => drop(subject.take(Take::Pop, wait, |value, attempt| {
                board.set(HAND + at + 1, attempt.into());
                board.set(HAND + at + 2, 1);
                board.set(HAND + at, value);
            })),
            Op::Peek => {
                let got = subject.take(Take::Peek, wait, |value, attempt| {
                    board.set(HAND + at + 1, attempt.into());
                    board.set(HAND + at, value);
                });
                board.set(HAND + at + 2, u64::from(got));
            }
        }
        board.set(DONE + at, 1);
    }

    fn prepare<S: Subject>(kind: Kind, pre: u64) -> S {
        let subject = S::create(kind);
        for i in 0..21 {
            assert!(subject.push(i, NOW) && subject.take(Take::Pop, NOW, |_, _| ()));
        }
        for i in 0..pre {
            assert!(subject.push(100 + i, NOW));
        }
        subject
    }

    /// One `try_` operation.
    struct Trying<S> {
        op: Op,
        pre: u64,
        orphans: u64,
        kind: Kind,
        fate: Fate,
        company: Company,
        /// How long a sleeper that is owed something may sleep on.
        patience: Duration,
        board: Shared<Board>,
        subject: Option<S>,
        sleeper: Option<Child>,
    }

    impl<S: Subject> Scene for Trying<S> {
        fn set(&mut self) -> Victim {
            (self.sleeper, self.subject) = (None, None);
            self.board.clear();
            let subject: S = prepare(self.kind, self.pre);
            if self.orphans > 0 {
                let n = self.orphans;
                fork(|| (0..n).for_each(|_| assert!(subject.take(Take::Keep, NOW, |_, _| ()))))
                    .wait(WATCHDOG);
                assert!(subject.recover(Depth::Marked) == 1, "no orphans were made");
            }
            let (board, op) = (&*self.board, self.op);
            if self.company == Company::Asleep {
                let other = if op == Op::Push { Op::Pop } else { Op::Push };
                let mut sleeper = fork(|| act(&subject, board, other, WATCHDOG, SLEEPERS, OTHER));
                assert!(sleeper.wait_asleep(WATCHDOG), "the sleeper does not sleep");
                self.sleeper = Some(sleeper);
            }
            let victim = Victim::start(|| {
                subject.warm();
                trap();
                act(&subject, board, op, NOW, VICTIMS, 0);
            });
            self.subject = Some(subject);
            victim
        }

        fn over(&self) -> bool {
            self.board.get(DONE) != 0
        }

        fn judge(&mut self, mut victim: Victim) -> Result<(), String> {
            let subject = self.subject.as_ref().ok_or("no world")?;
            let (stop, blocks) = (self.fate == Fate::Stop, self.fate == Fate::Stop && self.kind.kill_only);
            let (mut log, mut extra) = (Log::new(), vec![]);
            if !stop {
                victim.kill();
            }
            match (self.company, self.fate) {
                // A sleeper may be gone by now; then it is asked below.
                (Company::Asleep, Fate::Stop) => {}
                (_, Fate::Stop) => nobody_died(subject)?,
                (Company::Alone, Fate::Kill) => match subject.recover(Depth::Marked) {
                    1 => {}
                    n => return Err(format!("recover found {n} dead")),
                },
                _ => {}
            }
            if let Some(mut sleeper) = self.sleeper.take().filter(|_| !blocks) {
                if self.op == Op::Push {
                    // What is there wakes it, at the latest at its tick.
                    if subject.len() == 0 {
                        extra.push(HELP);
                        if !subject.push(HELP, WATCHDOG) {
                            return Err("no room in an empty queue".into());
                        }
                    }
                } else {
                    extra.push(SLEEPERS);
                    subject.recover(Depth::Marked);
                    // Full: nothing is owed to it yet. A stopped victim may hold the room.
                    if stop || subject.len() == CAPACITY {
                        subject.take(Take::Pop, WATCHDOG, |v, a| log.push((v, a)));
                    }
                }
                finish(&mut sleeper, self.patience)?;
                drop(sleeper);
                subject.recover(Depth::Marked);
                let got = Hand::read(&self.board, HAND + OTHER);
                if self.op == Op::Push {
                    log.push((got.value, got.attempt as u8));
                }
            }
            if self.company == Company::Later && !stop {
                later(subject, self.op, &self.board, &mut log, &mut extra)?;
            }
            if !blocks {
                log.extend(drain(subject));
            }
            if stop {
                if !blocks {
                    laps(subject, 3, 2000, CAPACITY - 1, &mut log)?;
                    nobody_died(subject)?;
                }
                if !victim.finish(WATCHDOG) {
                    return Err("resumed, the victim does not finish".into());
                }
                log.extend(drain(subject));
            }
            laps(subject, 3, 5000, CAPACITY, &mut log)?;
            let books = Books {
                log: &log,
                hand: Hand::read(&self.board, HAND),
                heads: if self.op == Op::Push { 0..0 } else { 100..100 + self.orphans.max(1) },
                pops: self.op == Op::Pop,
                orphans: self.orphans,
                alive: stop,
            };
            books.balance(100..100 + self.pre)?;
            books.exactly_once(&extra)?;
            books.pushed(VICTIMS, if self.op == Op::Push { self.board.get(PUSHED) } else { 2 })?;
            books.nothing_else(|v| v == VICTIMS || extra.contains(&v) || (100..100 + self.pre).contains(&v))
        }
    }

    fn nobody_died(subject: &impl Subject) -> Result<(), String> {
        match subject.recover(Depth::Thorough) {
            0 => Ok(()),
            n => Err(format!("{n} buried alive")),
        }
    }

    fn finish(child: &mut Child, patience: Duration) -> Result<(), String> {
        match child.wait(patience) {
            Some(Exit::Code(0)) => Ok(()),
            Some(exit) => Err(format!("the sleeper ended with {exit:?}")),
            None => Err("a sleeper is never woken".into()),
        }
    }

    /// Nobody recovers explicitly: those who come and block must do it.
    fn later(
        subject: &impl Subject,
        op: Op,
        board: &Board,
        log: &mut Log,
        extra: &mut Vec<u64>,
    ) -> Result<(), String> {
        if op == Op::Push {
            log.extend(drain(subject));
            for i in 0..CAPACITY {
                if !subject.push(1000 + i, WATCHDOG) {
                    return Err(format!("a pusher with {i} messages in the queue is never woken"));
                }
                extra.push(1000 + i);
            }
            return Ok(());
        }
        log.extend(drain(subject));
        let mut popper = fork(|| act(subject, board, Op::Pop, WATCHDOG, 0, OTHER));
        if popper.wait_asleep(WATCHDOG) {
            // It has looked for the dead before it went to sleep; so there was nothing in hand.
            extra.push(HELP);
            subject.push(HELP, WATCHDOG);
        }
        finish(&mut popper, WATCHDOG)?;
        let got = Hand::read_at(board, HAND + OTHER);
        log.push((got.value, got.attempt as u8));
        Ok(())
    }

    fn trying<S: Subject>(op: Op, pre: u64, fate: Fate, company: Company) -> Trying<S> {
        let (board, kind, patience) = (Board::new(), Kind::default(), WATCHDOG);
        Trying { op, pre, orphans: 0, kind, fate, company, patience, board, subject: None, sleeper: None }
    }

    /// A blocking operation, from the wake-up to its end; another one sleeps behind it.
    struct Woken {
        op: Op,
        fate: Fate,
        /// For how many there is something, of the two.
        portions: u64,
        board: Shared<Board>,
        subject: Option<Rialto>,
        other: Option<Child>,
        log: Log,
    }

    impl Woken {
        fn try_set(&mut self) -> Option<Victim> {
            (self.other, self.subject) = (None, None);
            self.board.clear();
            self.log.clear();
            let op = self.op;
            let kind = Kind { tick_ms: TICK.as_millis() as u32, ..Kind::default() };
            let subject: Rialto = prepare(kind, if op == Op::Push { CAPACITY } else { 0 });
            let board = &*self.board;
            let mut victim = Victim::start(|| {
                subject.warm();
                trap();
                act(&subject, board, op, WATCHDOG, VICTIMS, 0);
            });
            assert!(victim.run_to_sleep(), "the victim does not sleep");
            let mut other = fork(|| act(&subject, board, op, WATCHDOG, SLEEPERS, OTHER));
            assert!(other.wait_asleep(WATCHDOG), "the other one does not sleep");
            if !asleep(victim.pid()) {
                return None;
            }
            for i in 0..self.portions {
                if op == Op::Push {
                    assert!(subject.take(Take::Pop, NOW, |v, a| self.log.push((v, a))));
                } else {
                    assert!(subject.push(100 + i, NOW));
                }
            }
            assert!(victim.woken(WATCHDOG), "the victim is never woken");
            victim.start_counting();
            let robbed = self.portions == 1 && !asleep(other.pid());
            (self.subject, self.other) = (Some(subject), Some(other));
            (!robbed).then_some(victim)
        }
    }

    impl Scene for Woken {
        fn set(&mut self) -> Victim {
            // If a tick ends the victim's sleep before the wake-up, the wake-up is the other one's.
            (0..100).find_map(|_| self.try_set()).expect("the victim is never the first sleeper")
        }

        fn over(&self) -> bool {
            self.board.get(DONE) != 0 || self.portions == 1 && self.board.get(DONE + OTHER) != 0
        }

        fn valid(&self) -> bool {
            self.board.get(DONE) != 0
        }

        fn fingerprint(&self, _: &Victim) -> u64 {
            self.subject.as_ref().map_or(0, Subject::fingerprint)
        }

        fn judge(&mut self, mut victim: Victim) -> Result<(), String> {
            let subject = self.subject.as_ref().ok_or("no world")?;
            let mut other = self.other.take().ok_or("no other")?;
            let (mut log, mut extra) = (core::mem::take(&mut self.log), vec![]);
            let (stop, pushes) = (self.fate == Fate::Stop, self.op == Op::Push);
            if !stop {
                victim.kill();
            }
            if stop && pushes {
                // The stopped victim may hold the room that there was.
                subject.take(Take::Pop, WATCHDOG, |v, a| log.push((v, a)));
            }
            let start = Instant::now();
            let mut helped = false;
            while other.wait(Duration::from_millis(1)).is_none() {
                if start.elapsed() > WATCHDOG {
                    let (ready, members) = (subject.len(), subject.region().member_count());
                    let dead = subject.recover(Depth::Marked);
                    return Err(format!(
                        "the other sleeper is never woken: {ready} messages ready, {members} members of whom {dead} \
                         dead; helped: {helped}"
                    ));
                }
                // Nothing is owed to it if the victim is alive, or buried, and has taken it all.
                let settled = stop || subject.region().member_count() == 2;
                // A dead writer's position stays void until the messages before it are taken. So there may be
                // no room for it though a slot is free; if there is, it should have been told by now.
                let void = subject.len() < CAPACITY;
                if settled && !helped && pushes && (!void || start.elapsed() > 10 * TICK) {
                    if void && subject.push(PROBE, NOW) {
                        return Err("there is room, and the other sleeper is not woken in ten ticks".into());
                    }
                    helped = true;
                    subject.take(Take::Pop, WATCHDOG, |v, a| log.push((v, a)));
                }
                if settled && !helped && !pushes && subject.len() == 0 {
                    helped = true;
                    extra.push(HELP);
                    subject.push(HELP, WATCHDOG);
                }
            }
            finish(&mut other, WATCHDOG)?;
            if pushes {
                extra.push(SLEEPERS);
            } else {
                let got = Hand::read(&self.board, HAND + OTHER);
                log.push((got.value, got.attempt as u8));
            }
            log.extend(drain(subject));
            subject.recover(Depth::Marked);
            log.extend(drain(subject));
            if stop {
                nobody_died(subject)?;
                laps(subject, 3, 2000, CAPACITY - 1, &mut log)?;
                if !pushes {
                    extra.push(MORE);
                    subject.push(MORE, WATCHDOG);
                }
                if !victim.finish(WATCHDOG) {
                    return Err("resumed, the victim does not finish".into());
                }
                log.extend(drain(subject));
            }
            laps(subject, 3, 5000, CAPACITY, &mut log)?;
            let pre = if pushes { CAPACITY } else { self.portions };
            let hand = Hand::read(&self.board, HAND);
            // A stopped one that goes on may find what was meant for the end.
            if stop && (hand.value == MORE || hand.value == HELP) {
                log.push((hand.value, hand.attempt as u8));
            }
            let (heads, pops) = (if pushes { 0..0 } else { 100..100 + pre }, self.op == Op::Pop);
            let books = Books { log: &log, hand, heads, pops, orphans: 0, alive: stop };
            books.balance(100..100 + pre)?;
            books.exactly_once(&extra)?;
            books.pushed(VICTIMS, if pushes { self.board.get(PUSHED) } else { 2 })?;
            books.nothing_else(|v| v == VICTIMS || extra.contains(&v) || (100..100 + pre).contains(&v))
        }
    }

    /// A blocking pop of an empty queue, until it sleeps.
    struct FallingAsleep {
        board: Shared<Board>,
        subject: Option<Rialto>,
        asleep: bool,
    }

    impl Scene for FallingAsleep {
        fn set(&mut self) -> Victim {
            self.subject = None;
            self.asleep = false;
            self.board.clear();
            let (subject, board): (Rialto, _) = (prepare(Kind::default(), 0), &*self.board);
            let victim = Victim::start(|| {
                subject.warm();
                trap();
                act(&subject, board, Op::Pop, WATCHDOG, 0, 0);
            });
            self.subject = Some(subject);
            victim
        }

        fn over(&self) -> bool {
            self.asleep
        }

        fn due(&mut self, victim: &Victim) -> bool {
            self.asleep = victim.before_futex_wait();
            false
        }

        fn fingerprint(&self, _: &Victim) -> u64 {
            self.subject.as_ref().map_or(0, Subject::fingerprint)
        }

        fn judge(&mut self, mut victim: Victim) -> Result<(), String> {
            let subject = self.subject.as_ref().ok_or("no world")?;
            victim.kill();
            let (mut log, mut extra) = (Log::new(), vec![]);
            later(subject, Op::Pop, &self.board, &mut log, &mut extra)?;
            laps(subject, 2, 5000, CAPACITY, &mut log)?;
            let hand = Hand::default();
            let books = Books { log: &log, hand, heads: 0..0, pops: true, orphans: 0, alive: false };
            books.exactly_once(&extra)?;
            books.nothing_else(|v| extra.contains(&v))
        }
    }

    fn try_cases(cases: &mut Vec<Case>, op: Op, pre: u64, fate: Fate, company: Company, at_least: u64) {
        let name = format!("{fate:?} {op:?}, {pre} of {CAPACITY}, {company:?}");
        cases.push(clean(name, at_least, move |tally| {
            sweep(&mut trying::<Rialto>(op, pre, fate, company), tally)
        }));
    }

    pub fn main() {
        use {Company::*, Fate::*, Op::*};
        let mut cases = vec![];
        for fate in [Kill, Stop] {
            for pre in [0, 4, 7, 8] {
                try_cases(&mut cases, Push, pre, fate, Alone, 150);
            }
            try_cases(&mut cases, Push, 0, fate, Asleep, 150);
            for op in [Pop, Peek] {
                for pre in [0, 1, 4, 8] {
                    try_cases(&mut cases, op, pre, fate, Alone, 150);
                }
                try_cases(&mut cases, op, 8, fate, Asleep, 150);
            }
            for (op, portions) in [(Pop, 1), (Pop, 2), (Peek, 1), (Push, 1), (Push, 2)] {
                let name = format!("{fate:?} woken {op:?}, another asleep, enough for {portions}");
                // Woken, it looks at once: there is less before its effect than behind it.
                cases.push(clean(name, 20, move |tally| {
                    let (board, log) = (Board::new(), Log::new());
                    let mut scene = Woken { op, fate, portions, board, subject: None, other: None, log };
                    sweep_merged(&mut scene, tally, if fate == Kill { 16 } else { 8 })
                }));
            }
            for (op, pre, orphans) in [(Peek, 4, 1), (Pop, 4, 2), (Push, 4, 1), (Peek, 8, 8)] {
                let name = format!("{fate:?} {op:?}, {pre} of {CAPACITY}, {orphans} of them orphans");
                cases.push(clean(name, 50, move |tally| {
                    sweep(&mut Trying { orphans, ..trying::<Rialto>(op, pre, fate, Alone) }, tally)
                }));
            }
            for (op, pre) in [(Push, 4), (Push, 7), (Peek, 4), (Peek, 8)] {
                let name = format!("{fate:?} {op:?}, {pre} of {CAPACITY}, at the wrap of the turn");
                let kind = Kind { first_turn: (1 << 44) - 3, ..Kind::default() };
                cases.push(clean(name, 50, move |tally| {
                    sweep(&mut Trying { kind, ..trying::<Rialto>(op, pre, fate, Alone) }, tally)
                }));
            }
            for (op, pre) in [(Push, 0), (Push, 7), (Pop, 4), (Peek, 8)] {
                let name = format!("{fate:?} {op:?}, {pre} of {CAPACITY}, kill-only");
                let kind = Kind { kill_only: true, ..Kind::default() };
                cases.push(clean(name, 50, move |tally| {
                    sweep(&mut Trying { kind, ..trying::<Rialto>(op, pre, fate, Alone) }, tally)
                }));
            }
        }
        for (op, pre) in [(Push, 0), (Push, 7), (Pop, 1), (Peek, 8)] {
            try_cases(&mut cases, op, pre, Kill, Later, 150);
        }
        cases.push(clean("Kill a blocking Pop until it sleeps", 50, |tally| {
            let mut scene = FallingAsleep { board: Board::new(), subject: None, asleep: false };
            sweep_merged(&mut scene, tally, 16)
        }));
        for (fate, op, pre) in [(Kill, Push, 4), (Kill, Pop, 4), (Stop, Push, 4), (Stop, Pop, 4)] {
            let name = format!("{fate:?} {op:?}: a ring whose claims name no owner");
            cases.push(planted(name, move |tally| sweep(&mut trying::<Vyukov>(op, pre, fate, Alone), tally)));
        }
        cases.push(planted("Kill Push: a sleeper without a tick", |tally| {
            let kind = Kind { tick_ms: 60_000, ..Kind::default() };
            let patience = Duration::from_millis(500);
            sweep(&mut Trying { kind, patience, ..trying::<Rialto>(Push, 0, Kill, Asleep) }, tally)
        }));
        for op in [Push, Peek] {
            let name = format!("Kill {op:?}: survivors that never recover");
            cases.push(planted(name, move |tally| {
                sweep(&mut trying::<NeverRecovers>(op, 7, Kill, Alone), tally)
            }));
        }
        cases.push(planted("Kill Peek: redelivery without a mark", |tally| {
            sweep(&mut trying::<Unmarked>(Peek, 4, Kill, Alone), tally)
        }));
        runner::main("sweep_queue", cases);
    }
}
