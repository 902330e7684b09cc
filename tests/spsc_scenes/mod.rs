//! Of `sweep_spsc`: one party is killed at an instruction of its operation while the other one is asleep, in pop, in
//! push, or waiting for the dead one's end.

use crate::support::{
    process::{Child, Exit, fork, relax},
    queue::fingerprint,
    runner::{Case, Scene, Tally, clean, planted, sweep_merged},
    shared::{Board, Shared},
    step::{Victim, trap},
};
use rialto::{
    Depth, Error, FOREVER, Region, RegionConfig, SpscConfig,
    spsc::{Consumer, Popped, Producer, Spsc},
};
use std::time::{Duration, Instant};

const WATCHDOG: Duration = Duration::from_secs(15);
/// The first sleep lasts a millisecond where light notifiers may overlook it; then it is a tick.
const SETTLED: Duration = Duration::from_millis(3);
const TICK_MS: u32 = 10;
const SLOTS: u8 = 4;
const MAX: usize = 40;

// Words of the board.
const DONE: usize = 0;
const COUNT: usize = 1;
/// The numbers that the sleeper popped, and how often each was in hand, from here on.
const NUMBERS: usize = 2;

/// From a successor: the last message.
const LAST: u8 = 60;
/// From the sleeping producer.
const SLEEPERS: u8 = 50;

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Op {
    // To a consumer asleep in an empty queue.
    Push,
    PushMany,
    Loan,
    Close,
    // To a producer asleep in a full one.
    Pop,
    PopMany,
    PeekRelease,
    CloseFull,
    // To one that waits for the end.
    LeaveProducer,
    LeaveConsumer,
}
use Op::*;

/// How the parties publish: light where the kernel executes fences for others.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Mode {
    Light,
    /// `membarrier` is refused to all.
    Locked,
    /// ... to the sleeper: the victim is light.
    SleeperRefused,
    /// ... to the victim: the sleeper might be.
    VictimRefused,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Waits {
    InPop,
    InPush,
    ForProducer,
    ForConsumer,
}

impl Op {
    fn sleeper(self) -> Waits {
        match self {
            Push | PushMany | Loan | Close => Waits::InPop,
            Pop | PopMany | PeekRelease | CloseFull => Waits::InPush,
            LeaveProducer => Waits::ForProducer,
            LeaveConsumer => Waits::ForConsumer,
        }
    }

    /// The victim has the producer's end.
    fn produces(self) -> bool {
        matches!(self, Push | PushMany | Loan | Close | LeaveProducer)
    }

    fn sends(self) -> u8 {
        match self {
            Push | Loan => 1,
            PushMany => 2,
            _ => 0,
        }
    }

    fn takes(self) -> u8 {
        match self {
            Pop | PeekRelease => 1,
            PopMany => 2,
            _ => 0,
        }
    }
}

/// From here on this process, and its children, are refused `membarrier`.
fn refuse_membarrier() {
    let stmt = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let mut program = [
        stmt(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0), // the call's number
        libc::sock_filter {
            jf: 1,
            ..stmt(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, libc::SYS_membarrier as u32)
        },
        stmt(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        stmt(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the program is read; nothing of ours is written.
    let refused = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
            && libc::syscall(libc::SYS_membarrier, 0, 0, 0) == -1
    };
    assert!(refused, "no filter: {}", std::io::Error::last_os_error());
}

type Queue = Spsc<'static, Region>;

enum End {
    Producer(Producer<'static, Region>),
    Consumer(Consumer<'static, Region>),
}

fn message(number: u8) -> [u8; MAX] {
    core::array::from_fn(|i| number.wrapping_mul(31).wrapping_add(i as u8))
}

fn number_of(popped: Popped, buffer: &[u8; MAX]) -> u8 {
    let number = (0..=LAST).find(|number| message(*number) == *buffer);
    number.filter(|_| popped.len == MAX).expect("a message that somebody sent")
}

#[inline(never)]
fn act(op: Op, queue: Queue, end: End) {
    let mut buffer = [0; 2 * MAX];
    match (op, end) {
        (Close | CloseFull, end) => {
            queue.close();
            core::mem::forget(end);
        }
        (LeaveProducer | LeaveConsumer, end) => drop(end),
        (_, End::Producer(mut end)) => {
            match op {
                Push => end.push(&message(0)).unwrap(),
                PushMany => assert!(end.push_many(&[&message(0), &message(1)]) == Ok(2)),
                _ => {
                    let mut loan = end.reserve(MAX).unwrap();
                    loan.write(&message(0)).unwrap();
                    loan.commit().unwrap();
                }
            }
            core::mem::forget(end);
        }
        (_, End::Consumer(mut end)) => {
            match op {
                Pop => assert!(end.pop(&mut buffer).unwrap().attempt == 0),
                PopMany => assert!(end.pop_many(&mut buffer, &mut [Popped::default(); 2]) == Ok(2)),
                _ => end.peek().unwrap().release(),
            }
            core::mem::forget(end);
        }
    }
}

/// The other party. Its end stays its own: it is found dead.
fn sleep_in(waits: Waits, queue: Queue, board: &Board) {
    match waits {
        Waits::InPop => {
            let mut end = queue.consumer().unwrap();
            let mut buffer = [0; MAX];
            loop {
                match end.pop(&mut buffer) {
                    Ok(popped) => {
                        let (number, at) = (number_of(popped, &buffer), board.get(COUNT));
                        board.set(NUMBERS + at as usize, u64::from(number) | u64::from(popped.attempt) << 8);
                        board.set(COUNT, at + 1);
                        if number == LAST {
                            break;
                        }
                    }
                    Err(error) => break assert!(error == Error::Closed && queue.is_closed()),
                }
            }
            core::mem::forget(end);
        }
        Waits::InPush => {
            let mut end = queue.producer().unwrap();
            match end.push(&message(SLEEPERS)) {
                Ok(()) => board.set(COUNT, 1),
                Err(error) => assert!(error == Error::Closed && queue.is_closed()),
            }
            core::mem::forget(end);
        }
        Waits::ForProducer => core::mem::forget(queue.producer_timeout(FOREVER).unwrap()),
        Waits::ForConsumer => core::mem::forget(queue.consumer_timeout(FOREVER).unwrap()),
    }
}

struct AsleepScene {
    op: Op,
    mode: Mode,
    tick_ms: u32,
    patience: Duration,
    board: Shared<Board>,
    world: Option<(Queue, Box<Region>)>,
    sleeper: Option<Child>,
}

impl AsleepScene {
    fn new(op: Op, mode: Mode) -> Self {
        let (tick_ms, patience) = (TICK_MS, WATCHDOG);
        AsleepScene { op, mode, tick_ms, patience, board: Board::new(), world: None, sleeper: None }
    }

    fn region(&self) -> &Region {
        &self.world.as_ref().expect("a world").1
    }

    fn sleeper_ends(&mut self, when: &str) -> Result<(), String> {
        match self.sleeper.as_mut().expect("a sleeper").wait(self.patience) {
            Some(Exit::Code(0)) => Ok(()),
            Some(exit) => Err(format!("{when}, the sleeper ended with {exit:?}")),
            None => Err(format!("{when}, the sleeper sleeps on")),
        }
    }

    /// Nobody does anything meanwhile.
    fn until(&self, what: &str, holds: impl Fn() -> bool) -> Result<(), String> {
        let (start, mut looks) = (Instant::now(), 0);
        while !holds() {
            if start.elapsed() > self.patience {
                return Err(format!("{what}, and the sleeper sleeps on"));
            }
            looks += 1;
            relax(looks);
        }
        Ok(())
    }

    /// What was sent comes without anybody's help; then a successor sends the last one.
    fn judge_popper(&mut self, queue: Queue, done: bool) -> Result<(), String> {
        let op = self.op;
        if queue.is_closed() {
            self.sleeper_ends("closed")?;
        } else {
            self.until("there is a message", || queue.is_empty())?;
            let successor = queue.producer_timeout(WATCHDOG.as_nanos() as u64);
            let mut successor = successor.map_err(|error| format!("the producer's end: {error}"))?;
            successor.push(&message(LAST)).map_err(|error| format!("the successor's push: {error}"))?;
            drop(successor);
            self.sleeper_ends("the last one sent")?;
        }
        let count = self.board.get(COUNT) as usize;
        let got: Vec<u64> = (0..count).map(|i| self.board.get(NUMBERS + i)).collect();
        let last = (!queue.is_closed()).then_some(u64::from(LAST));
        let all: Vec<u64> = (0..u64::from(op.sends())).chain(last).collect();
        let none: Vec<u64> = last.into_iter().collect();
        if got == all || !done && got == none { Ok(()) } else { Err(format!("{got:?} came, not {all:?}")) }
    }

    /// Room that was made is used without anybody's help; else a successor makes some.
    fn judge_pusher(&mut self, queue: Queue, done: bool) -> Result<(), String> {
        let mut successor = None;
        if queue.is_closed() || !queue.is_full() {
            self.sleeper_ends("closed, or room made")?;
        }
        let mut got = vec![];
        let mut buffer = [0; MAX];
        loop {
            let end = match &mut successor {
                Some(end) => end,
                None => {
                    let claimed = queue.consumer_timeout(WATCHDOG.as_nanos() as u64);
                    successor.insert(claimed.map_err(|error| format!("the consumer's end: {error}"))?)
                }
            };
            match end.try_pop(&mut buffer) {
                Ok(popped) => got.push((number_of(popped, &buffer), popped.attempt)),
                Err(Error::WouldBlock) if self.board.get(COUNT) == 0 && !queue.is_closed() => {
                    self.sleeper_ends("room made by a successor")?;
                }
                Err(Error::WouldBlock | Error::Closed) if self.sleeper_ends("drained").is_ok() => {
                    match end.try_pop(&mut buffer) {
                        Ok(popped) => got.push((number_of(popped, &buffer), popped.attempt)),
                        Err(_) => break,
                    }
                }
                Err(error) => return Err(format!("pop says {error:?}")),
            }
        }
        let pushed = self.board.get(COUNT) == 1;
        if pushed && got.pop() != Some((SLEEPERS, 0)) {
            return Err(format!("the sleeper's message does not come last: {got:?}"));
        }
        if !pushed && !queue.is_closed() {
            return Err("the sleeper did not push".into());
        }
        // The first one may come again, marked, if its taker was not through.
        let gone = SLOTS - got.len() as u8;
        let is_marked = got.first().is_some_and(|(_, attempt)| *attempt > 0);
        let numbers = got.iter().map(|(number, _)| *number).eq(gone..SLOTS);
        let marks = got.iter().skip(1).all(|(_, attempt)| *attempt == 0)
            && got.first().is_none_or(|(_, attempt)| *attempt <= 1);
        let takes = self.op.takes();
        let whole = gone == takes || gone == 0 && !done;
        if numbers && marks && whole && (!is_marked || gone == 0 && takes > 0) {
            Ok(())
        } else {
            Err(format!("{takes} taken, and {got:?} came"))
        }
    }
}

impl Drop for AsleepScene {
    fn drop(&mut self) {
        self.sleeper = None;
        self.world = None;
    }
}

impl Scene for AsleepScene {
    fn set(&mut self) -> Victim {
        self.sleeper = None;
        self.world = None;
        self.board.clear();
        let config = RegionConfig { members: 8, objects: 1, tick_ms: self.tick_ms };
        let region = Box::new(Region::create_anonymous(1 << 13, &config).expect("region"));
        // SAFETY: the box is not moved out of, and what borrows is dropped first.
        let forever: &'static Region = unsafe { &*core::ptr::from_ref::<Region>(&*region) };
        let queue = forever.create_spsc("q", &SpscConfig::new(SLOTS.into(), MAX as u32)).unwrap();
        let (op, mode) = (self.op, self.mode);
        if op.sleeper() == Waits::InPush {
            let mut producer = queue.producer().unwrap();
            (0..SLOTS).for_each(|number| producer.try_push(&message(number)).unwrap());
        }
        forever.leave().unwrap();
        self.world = Some((queue, region));
        let board = &*self.board;
        let victim = Victim::start(|| {
            if mode == Mode::VictimRefused {
                refuse_membarrier();
            }
            let end = if op.produces() {
                End::Producer(queue.producer().unwrap())
            } else {
                End::Consumer(queue.consumer().unwrap())
            };
            trap();
            act(op, queue, end);
            board.set(DONE, 1);
        });
        let mut sleeper = fork(|| {
            if mode == Mode::SleeperRefused {
                refuse_membarrier();
            }
            sleep_in(op.sleeper(), queue, board)
        });
        assert!(sleeper.wait_asleep(WATCHDOG), "it does not sleep: {:?}", sleeper.exited());
        std::thread::sleep(SETTLED);
        assert!(sleeper.wait_asleep(WATCHDOG), "it does not sleep: {:?}", sleeper.exited());
        self.sleeper = Some(sleeper);
        victim
    }

    fn over(&self) -> bool {
        self.board.get(DONE) != 0
    }

    fn fingerprint(&self, victim: &Victim) -> u64 {
        fingerprint(self.region().as_ptr(), self.region().len()) ^ victim.robust_list()
    }

    fn judge(&mut self, mut victim: Victim) -> Result<(), String> {
        let done = self.board.get(DONE) != 0;
        victim.kill();
        drop(victim);
        let queue = self.world.as_ref().expect("a world").0;
        match self.op.sleeper() {
            Waits::InPop => self.judge_popper(queue, done)?,
            Waits::InPush => self.judge_pusher(queue, done)?,
            _ => self.sleeper_ends("the end is nobody's")?,
        }
        self.region().recover(Depth::Thorough);
        if !queue.is_closed() {
            let (mut producer, mut consumer) = (queue.producer().unwrap(), queue.consumer().unwrap());
            while consumer.try_pop(&mut [0; MAX]).is_ok() {}
            for number in 0..SLOTS {
                producer.try_push(&message(number)).map_err(|_| format!("room for {number} only"))?;
            }
        }
        self.region().leave().map_err(|error| error.to_string())?;
        match self.region().member_count() {
            0 => Ok(()),
            left => Err(format!("{left} members are left")),
        }
    }
}

/// Points where it is killed; and one where it lives, and nobody ticks: it must have woken the sleeper itself.
fn give(op: Op, mode: Mode, tally: &Tally) {
    if mode == Mode::Locked {
        refuse_membarrier();
    }
    let mut scene = AsleepScene::new(op, mode);
    sweep_merged(&mut scene, tally, 3);
    scene.tick_ms = 60_000;
    let mut victim = scene.set();
    tally.point(
        "alive",
        if victim.finish(WATCHDOG) { scene.judge(victim) } else { Err("the victim does not end".into()) },
    );
}

pub fn cases() -> Vec<Case> {
    let mut cases = vec![];
    let ops =
        [Push, PushMany, Loan, Close, Pop, PopMany, PeekRelease, CloseFull, LeaveProducer, LeaveConsumer];
    for op in ops {
        for mode in [Mode::Light, Mode::Locked, Mode::SleeperRefused, Mode::VictimRefused] {
            // Ends, and whether a queue is closed, are told by locked operations in every mode.
            let is_light = matches!(op, Push | PushMany | Loan | Pop | PopMany | PeekRelease);
            if is_light || matches!(mode, Mode::Light | Mode::Locked) {
                let name = format!("{op:?}, killed, {:?} asleep, {mode:?}", op.sleeper());
                cases.push(clean(name, if is_light { 40 } else { 15 }, move |tally| give(op, mode, tally)));
            }
        }
    }
    for op in [Push, Pop, LeaveProducer] {
        cases.push(planted(format!("{op:?}, a sleeper without a tick"), move |tally| {
            let mut scene = AsleepScene::new(op, Mode::Light);
            (scene.tick_ms, scene.patience) = (60_000, Duration::from_millis(500));
            sweep_merged(&mut scene, tally, 16);
        }));
    }
    cases
}
