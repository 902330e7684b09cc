//! `Queue`: what is swept of it.

use super::{
    Verdict, World,
    books::{Delivery, Log, Terms},
    check,
    company::{Sleeper, poll},
    diary::{Diary, Note},
};
use crate::support::process::fork;
use rialto::{
    Depth, Error, OnDeath, Popped, Queue, QueueConfig, QueueKind, Region, RegionConfig, Reserved, Ticket,
};
use std::time::Duration;

/// Slots of every queue here.
pub const ROOM: u64 = 8;
const MAX_BYTES: usize = 32;
/// Messages in a batch.
const BATCH: usize = 3;

/// Of the messages that lie there at first, all are called 100, 101, ...
const FIRST: u64 = 100;
const EVE: u64 = 300;
/// What a pop said.
const CLOSED: u64 = 77;
/// A victim's begin here, the second's and the sleeper's behind.
const VICTIMS: u64 = 900;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Push,
    /// Of a joinable queue: and `task_done`.
    Pop,
    Peek,
    /// Peek, and let it go back.
    PeekBack,
    /// Reserve, write, commit.
    Loan,
    /// Commit; it was reserved long before.
    Commit,
    /// Let a loan go; it was reserved long before.
    Abort,
    PushMany,
    /// Of a joinable queue: and `task_done` for each.
    PopMany,
    /// `task_done`; it was popped long before.
    TaskDone,
    /// Pop, and give it back.
    GiveBack,
    TakePoisoned,
    /// A look whether all is done.
    Join,
    Close,
    ArmData,
    RecheckData,
    ArmSpace,
    RecheckSpace,
    Recover,
}

/// What somebody had in hand who died before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corpse {
    None,
    Reader,
    Writer,
    Both,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    Nothing,
    /// Survivors only say that they recover.
    NeverRecovers,
    /// Takers hide the attempt.
    Unmarked,
    /// A task is out of the queue once it is popped, as in Python.
    PopsAtOnce,
    /// The queue redelivers where it should drop.
    Redelivers,
    /// A loan's writer keeps its place by force: it goes on pushing what was overtaken, as a second message.
    SendsTwice,
}

#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub config: QueueConfig,
    pub first_turn: u64,
    /// Messages at first; so many of them were handed on too often, so many were given back once.
    pub pre: u64,
    pub poisoned: u64,
    pub given_back: u64,
    pub corpse: Corpse,
    /// So many messages pass, when the victim has what it holds; then so many come and stay.
    pub passing: u64,
    pub behind: u64,
    /// Handles have descriptors.
    pub fds: bool,
    pub closed: bool,
    pub plant: Plant,
}

impl Setup {
    pub fn new(kind: QueueKind, pre: u64) -> Setup {
        Setup {
            config: QueueConfig { kind, ..QueueConfig::new(ROOM as u32, MAX_BYTES as u32) },
            first_turn: 0,
            pre,
            poisoned: 0,
            given_back: 0,
            corpse: Corpse::None,
            passing: 0,
            behind: 0,
            fds: false,
            closed: false,
            plant: Plant::Nothing,
        }
    }

    fn limit(&self) -> u8 {
        if self.config.on_death == OnDeath::Stop { 0 } else { self.config.max_attempts }
    }
}

/// `queue` borrows from `region`, which stays where it is and is dropped last.
pub struct TheQueue {
    setup: Setup,
    joinable: bool,
    queue: Queue<'static>,
    warm: Queue<'static>,
    fds: [i32; 2],
    region: Box<Region>,
}

pub enum Held {
    Nothing,
    Loan(Reserved<'static>, u64),
    Task(Ticket, u64),
}

struct Message {
    bytes: [u8; MAX_BYTES],
    len: usize,
}

/// 16, 24 or 32 bytes.
fn message(value: u64) -> Message {
    let mut bytes = [0; MAX_BYTES];
    let len = 16 + 8 * (value % 3) as usize;
    bytes[..8].copy_from_slice(&value.to_ne_bytes());
    bytes[8..len].chunks_mut(8).for_each(|word| word.copy_from_slice(&(!value).to_ne_bytes()));
    Message { bytes, len }
}

impl Message {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// A torn or foreign message has a number that no book knows.
fn value(bytes: &[u8]) -> u64 {
    let Some(word) = bytes.first_chunk::<8>() else { return 0xdead };
    let value = u64::from_ne_bytes(*word);
    if message(value).bytes() == bytes { value } else { 0xdead }
}

/// Of a call that may find nothing.
fn there<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(it) => Some(it),
        Err(Error::WouldBlock | Error::Poisoned | Error::Closed) => None,
        Err(error) => panic!("unexpected: {error:?}"),
    }
}

impl TheQueue {
    /// Brings `count` messages through it.
    fn spin(&self, count: u64) {
        for i in 0..count {
            assert!(self.put(i) && self.take().is_some_and(|it| it.value == i));
        }
    }

    /// The first `count` messages are given back once more.
    fn give_back(&self, count: u64) {
        let peeked: Vec<_> = (0..count).map(|_| self.queue.try_peek().expect("a message")).collect();
        drop(peeked);
    }

    fn put_many(&self, base: u64, diary: &Diary) {
        let messages: [Message; BATCH] = core::array::from_fn(|i| message(base + i as u64));
        (0..BATCH as u64).for_each(|i| diary.note(Note::Putting(base + i)));
        let sent = there(self.queue.try_push_many(&messages.each_ref().map(Message::bytes))).unwrap_or(0);
        for i in 0..BATCH {
            let value = base + i as u64;
            diary.note(if i < sent { Note::Put(value) } else { Note::NotPut(value) });
        }
    }

    fn take_many(&self, diary: &Diary) {
        let (mut buffer, mut popped) = ([0; BATCH * MAX_BYTES], [Popped::default(); BATCH]);
        diary.note(Note::Taking { count: BATCH as u64, ends: !self.tasks() });
        let count = there(self.queue.try_pop_many(&mut buffer, &mut popped)).unwrap_or(0);
        let taken = popped[..count].iter().zip(buffer.chunks(MAX_BYTES));
        let taken = taken.map(|(popped, bytes)| (*popped, value(&bytes[..popped.len])));
        taken.clone().for_each(|(popped, value)| self.saw(value, popped.attempt, diary));
        diary.note(Note::Took);
        taken.for_each(|(popped, value)| self.done(popped.ticket, value, diary));
    }

    /// Whether a popped message waits for its `task_done`.
    fn tasks(&self) -> bool {
        self.setup.config.joinable
    }

    fn saw(&self, value: u64, attempt: u8, diary: &Diary) {
        diary.note(if self.tasks() { Note::Saw(value, attempt) } else { Note::Got(value, attempt) });
    }

    fn done(&self, ticket: Ticket, value: u64, diary: &Diary) {
        if !self.tasks() {
            return;
        }
        diary.note(Note::Ending(value));
        if self.joinable {
            self.queue.task_done(ticket).expect("it is ours");
        }
        diary.note(Note::Ended(value));
    }

    /// Whatever `pop` is.
    fn took(&self, result: Result<Popped, Error>, buffer: &[u8], diary: &Diary) -> Option<(Ticket, u64)> {
        if result == Err(Error::Closed) {
            diary.note(Note::Said(CLOSED));
        }
        let popped = there(result);
        let taken = popped.map(|popped| (popped, value(&buffer[..popped.len])));
        taken.iter().for_each(|(popped, value)| self.saw(*value, popped.attempt, diary));
        diary.note(Note::Took);
        taken.map(|(popped, value)| (popped.ticket, value))
    }

    fn commit(&self, mut loan: Reserved<'static>, value: u64, diary: &Diary) {
        loan.write(message(value).bytes()).expect("as long as it is");
        match loan.try_commit() {
            Ok(()) => {
                if self.setup.plant == Plant::SendsTwice {
                    let _ = self.queue.try_push(message(value).bytes());
                }
                diary.note(Note::Put(value));
            }
            Err((loan, error)) => {
                assert!(matches!(error, Error::WouldBlock | Error::Closed), "commit: {error:?}");
                drop(loan);
                diary.note(Note::NotPut(value));
            }
        }
    }
}

impl World for TheQueue {
    type Setup = Setup;
    type Op = Op;
    type Held = Held;

    fn create(setup: &Setup, tick_ms: u32) -> Self {
        let region = RegionConfig { members: 8, objects: 4, tick_ms };
        let region = Box::new(Region::create_anonymous(1 << 13, &region).expect("region"));
        // SAFETY: the box is not moved out of, and outlives both handles (see the fields' order).
        let forever: &'static Region = unsafe { &*core::ptr::from_ref::<Region>(&*region) };
        let joinable = setup.config.joinable && setup.plant != Plant::PopsAtOnce;
        let mut config = QueueConfig { joinable, ..setup.config };
        if setup.plant == Plant::Redelivers {
            config.on_death = OnDeath::Redeliver;
        }
        let queue = forever.create_queue_at_turn("sweep", &config, setup.first_turn).expect("queue");
        let warm = QueueConfig { slots: 2, ..QueueConfig::new(2, MAX_BYTES as u32) };
        let warm = forever.create_queue("warm", &warm).expect("queue");
        let fds = [0; 2].map(|_| {
            // SAFETY: a new descriptor.
            if setup.fds { unsafe { libc::eventfd(0, libc::EFD_NONBLOCK) } } else { -1 }
        });
        let queue = queue.with_data_fd(fds[0]).with_space_fd(fds[1]);
        let world = TheQueue { setup: *setup, joinable, queue, warm, fds, region };
        world.spin(21);
        (0..setup.pre).for_each(|i| assert!(world.put(FIRST + i)));
        (0..=setup.limit()).for_each(|_| world.give_back(setup.poisoned));
        world.give_back(setup.given_back);
        world
    }

    fn first(&self) -> Vec<(u64, u8)> {
        let setup = &self.setup;
        let attempt = |i| match i {
            _ if i < setup.poisoned => setup.limit() + 1,
            _ if i < setup.poisoned + setup.given_back => 1,
            _ => 0,
        };
        (0..setup.pre).map(|i| (FIRST + i, attempt(i))).collect()
    }

    fn leave_corpses(&self, diary: &Diary) -> u32 {
        let corpse = self.setup.corpse;
        if corpse == Corpse::None {
            return 0;
        }
        let mut child = fork(|| {
            if corpse != Corpse::Reader {
                core::mem::forget(self.queue.try_reserve(16).expect("room"));
            }
            if corpse != Corpse::Writer {
                let peeked = self.queue.try_peek().expect("a message");
                let mut buffer = [0; MAX_BYTES];
                let len = peeked.copy_to(&mut buffer);
                diary.note(Note::Saw(value(&buffer[..len]), peeked.attempt()));
                core::mem::forget(peeked);
            }
        });
        assert!(child.wait(super::WATCHDOG).is_some(), "the corpse lives");
        1
    }

    fn prepare(&self, op: Op, who: usize, diary: &Diary) -> Held {
        let mut buffer = [0; MAX_BYTES];
        self.warm.try_push(&[1]).unwrap();
        self.warm.try_pop(&mut buffer).unwrap();
        let mine = VICTIMS + 20 * who as u64;
        match op {
            Op::Commit => {
                diary.note(Note::Putting(mine));
                Held::Loan(self.queue.try_reserve(message(mine).len).expect("room"), mine)
            }
            Op::Abort => Held::Loan(self.queue.try_reserve(16).expect("room"), mine),
            Op::TaskDone => {
                let popped = self.queue.try_pop(&mut buffer).expect("a message");
                let value = value(&buffer[..popped.len]);
                diary.note(Note::Saw(value, popped.attempt));
                Held::Task(popped.ticket, value)
            }
            _ => Held::Nothing,
        }
    }

    fn eve(&self, put: &mut Vec<u64>, log: &mut Log) {
        for i in 0..self.setup.passing {
            assert!(self.put(EVE + i));
            put.push(EVE + i);
            log.extend(self.take());
        }
        for i in 0..self.setup.behind {
            let value = EVE + self.setup.passing + i;
            if self.put(value) {
                put.push(value);
            }
        }
        if self.setup.closed {
            self.queue.close();
        }
    }

    #[inline(always)]
    fn act(&self, op: Op, who: usize, held: Held, diary: &Diary) {
        let (queue, mine) = (&self.queue, VICTIMS + 20 * who as u64);
        let mut buffer = [0; MAX_BYTES];
        let taking = Note::Taking { count: 1, ends: !self.tasks() };
        match op {
            Op::Push => {
                diary.note(Note::Putting(mine));
                let put = there(queue.try_push(message(mine).bytes())).is_some();
                diary.note(if put { Note::Put(mine) } else { Note::NotPut(mine) });
            }
            Op::Pop | Op::TakePoisoned => {
                diary.note(taking);
                let result = match op {
                    Op::Pop => queue.try_pop(&mut buffer),
                    _ => queue.take_poisoned(&mut buffer),
                };
                if let Some((ticket, value)) = self.took(result, &buffer, diary) {
                    self.done(ticket, value, diary);
                }
            }
            Op::GiveBack => {
                diary.note(taking);
                if let Some((ticket, value)) = self.took(queue.try_pop(&mut buffer), &buffer, diary) {
                    diary.note(Note::GivingBack(value));
                    queue.give_back(ticket).expect("it is ours");
                    diary.note(Note::GaveBack(value));
                }
            }
            Op::Peek | Op::PeekBack => {
                diary.note(Note::Taking { count: 1, ends: false });
                let peeked = there(queue.try_peek());
                let value = peeked.as_ref().map_or(0, |peeked| {
                    let len = peeked.copy_to(&mut buffer);
                    let value = value(&buffer[..len]);
                    diary.note(Note::Saw(value, peeked.attempt()));
                    value
                });
                diary.note(Note::Took);
                if let Some(peeked) = peeked {
                    let back = op == Op::PeekBack;
                    diary.note(if back { Note::GivingBack(value) } else { Note::Ending(value) });
                    if back {
                        drop(peeked);
                    } else {
                        peeked.release();
                    }
                    diary.note(if back { Note::GaveBack(value) } else { Note::Ended(value) });
                }
            }
            Op::Loan => {
                diary.note(Note::Putting(mine));
                match there(queue.try_reserve(message(mine).len)) {
                    Some(loan) => self.commit(loan, mine, diary),
                    None => diary.note(Note::NotPut(mine)),
                }
            }
            Op::Commit => {
                if let Held::Loan(loan, value) = held {
                    self.commit(loan, value, diary);
                }
            }
            Op::Abort => {
                if let Held::Loan(loan, _) = held {
                    drop(loan);
                }
            }
            Op::PushMany => self.put_many(mine, diary),
            Op::PopMany => self.take_many(diary),
            Op::TaskDone => {
                if let Held::Task(ticket, value) = held {
                    self.done(ticket, value, diary);
                }
            }
            Op::Join => {
                let joined = queue.join_timeout(0);
                assert!(matches!(joined, Ok(()) | Err(Error::WouldBlock)), "join: {joined:?}");
                diary.note(Note::Said(u64::from(joined.is_ok())));
            }
            Op::Close => queue.close(),
            Op::ArmData => diary.note(Note::Said(u64::from(queue.arm_data()))),
            Op::RecheckData => diary.note(Note::Said(u64::from(queue.recheck_data()))),
            Op::ArmSpace => diary.note(Note::Said(u64::from(queue.arm_space()))),
            Op::RecheckSpace => diary.note(Note::Said(u64::from(queue.recheck_space()))),
            Op::Recover => _ = self.recover(Depth::Marked),
        }
    }

    fn sleep(&self, sleeper: Sleeper, tick: Duration, diary: &Diary) {
        let (queue, mine) = (&self.queue, VICTIMS + 40);
        let mut buffer = [0; MAX_BYTES];
        let [data, space] = self.fds;
        let loops = matches!(sleeper, Sleeper::DataLoop | Sleeper::SpaceLoop);
        match sleeper {
            Sleeper::Popper | Sleeper::DataLoop => {
                diary.note(Note::Taking { count: 1, ends: !self.tasks() });
                let result = loop {
                    if !loops {
                        break queue.pop(&mut buffer);
                    }
                    let result = queue.try_pop(&mut buffer);
                    if result != Err(Error::WouldBlock) {
                        break result;
                    }
                    if !queue.arm_data() && !poll(data, tick) {
                        queue.recheck_data();
                    }
                };
                if let Some((ticket, value)) = self.took(result, &buffer, diary) {
                    self.done(ticket, value, diary);
                }
            }
            Sleeper::Pusher | Sleeper::SpaceLoop => {
                diary.note(Note::Putting(mine));
                let message = message(mine);
                loop {
                    if !loops {
                        break queue.push(message.bytes()).expect("open");
                    }
                    match queue.try_push(message.bytes()) {
                        Err(Error::WouldBlock) => {}
                        other => break other.expect("open"),
                    }
                    if !queue.arm_space() && !poll(space, tick) {
                        queue.recheck_space();
                    }
                }
                diary.note(Note::Put(mine));
            }
            Sleeper::Joiner => {
                queue.join().expect("joinable");
                diary.note(Note::Said(queue.unfinished() as u64));
            }
        }
    }

    fn owes_nothing(&self, sleeper: Sleeper) -> bool {
        match sleeper {
            Sleeper::Popper | Sleeper::DataLoop => self.queue.is_empty() && !self.is_closed(),
            Sleeper::Pusher | Sleeper::SpaceLoop => self.queue.is_full(),
            Sleeper::Joiner => self.queue.unfinished() > 0,
        }
    }

    fn put(&self, value: u64) -> bool {
        there(self.queue.try_push(message(value).bytes())).is_some()
    }

    fn take(&self) -> Option<Delivery> {
        let mut buffer = [0; MAX_BYTES];
        let popped = match self.queue.try_pop(&mut buffer) {
            Ok(popped) => Some((popped, false)),
            // Also if nothing says so, for what is passed over.
            error => {
                there(error);
                there(self.queue.take_poisoned(&mut buffer)).map(|popped| (popped, true))
            }
        };
        let (popped, set_aside) = popped?;
        if self.joinable {
            self.queue.task_done(popped.ticket).expect("it is ours");
            assert_eq!(self.queue.task_done(popped.ticket), Err(Error::NotOwner), "twice");
            assert_eq!(self.queue.give_back(popped.ticket), Err(Error::NotOwner), "and back");
        }
        let value = value(&buffer[..popped.len]);
        let hide = self.setup.plant == Plant::Unmarked;
        let (attempt, set_aside) = if hide { (0, false) } else { (popped.attempt, set_aside) };
        Some(Delivery { value, attempt, set_aside })
    }

    fn room(&self) -> u64 {
        ROOM
    }

    fn keeps(&self, op: Op) -> u64 {
        match op {
            Op::PopMany => BATCH as u64,
            Op::Commit => 2,
            Op::Join | Op::Close | Op::Recover => 0,
            Op::ArmData | Op::RecheckData | Op::ArmSpace | Op::RecheckSpace => 0,
            _ => 1,
        }
    }

    fn is_settled(&self) -> Verdict {
        let (len, unfinished, poisoned) = (self.queue.len(), self.queue.unfinished(), self.queue.poisoned());
        check((len, unfinished, poisoned) == (0, 0, 0), || {
            format!("empty, and {len} wait, {unfinished} are unfinished, {poisoned} poisoned")
        })?;
        if self.joinable {
            let joined = self.queue.join_timeout(0);
            check(joined == Ok(()), || format!("all is done, and join says {joined:?}"))?;
        }
        let popped = self.queue.try_pop(&mut [0; MAX_BYTES]).map(|_| ());
        let expected = if self.is_closed() { Error::Closed } else { Error::WouldBlock };
        check(popped == Err(expected), || format!("empty, and pop says {popped:?}"))
    }

    fn after(&self, op: Op, over: bool, diary: &Diary) -> Verdict {
        let queue = &self.queue;
        if self.joinable {
            // Nobody has anything in hand now.
            let (unfinished, waiting) = (queue.unfinished(), queue.len() - queue.poisoned());
            check(unfinished == waiting, || format!("{unfinished} unfinished, {waiting} waiting"))?;
            let joined = queue.join_timeout(0).is_ok();
            check(joined == (unfinished == 0), || format!("{unfinished} unfinished, joined: {joined}"))?;
        }
        let early = diary.said() == Some(CLOSED) && !queue.is_empty();
        check(!early, || format!("a pop said Closed, and {} wait", queue.len()))?;
        if !over {
            return Ok(());
        }
        let said = diary.said().map(|said| said != 0);
        let expected = match op {
            Op::Join => Some(self.setup.pre == self.setup.poisoned),
            Op::ArmData => Some(self.setup.pre > 0 || self.is_closed()),
            Op::RecheckData => Some(self.setup.pre > 0 || self.is_closed()),
            Op::ArmSpace | Op::RecheckSpace => Some(self.setup.pre < ROOM || self.is_closed()),
            _ => None,
        };
        check(op != Op::Close || queue.is_closed(), || "it has closed nothing".into())?;
        check(expected.is_none() || expected == said, || format!("{op:?} says {said:?}, not {expected:?}"))
    }

    fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    fn recover(&self, depth: Depth) -> u32 {
        if self.setup.plant == Plant::NeverRecovers {
            return u32::from(depth == Depth::Marked);
        }
        self.region.recover(depth).members
    }

    fn members(&self) -> u32 {
        self.region.member_count()
    }

    fn terms(&self) -> Terms {
        let (on_death, limit) = (self.setup.config.on_death, self.setup.limit());
        Terms { on_death, limit, dropped: self.queue.dropped(), uncounted: false }
    }

    fn memory(&self) -> (*const u8, usize) {
        (self.region.as_ptr(), self.region.len())
    }
}

impl Drop for TheQueue {
    fn drop(&mut self) {
        for fd in self.fds.iter().filter(|fd| **fd >= 0) {
            // SAFETY: our own descriptors.
            unsafe { libc::close(*fd) };
        }
    }
}
