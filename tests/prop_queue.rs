//! Random sequences of calls by two members of one thread, against the model in `queue_model`: every kind of
//! queue, policy and size, every way to put a message in and to take it out, tickets used twice or by
//! somebody else, and a member that dies with whatever it has in hand. What each call returns must be what
//! the model says, exactly, and all that a queue says of itself after each.
//!
//! Positions begin near all wraps: of the turn (44 bits), of the part of it that a stamp has (26 bits), of 32
//! bits; slots are few, so the index wraps all the time.

mod queue_model;

use proptest::{collection::vec, prelude::*, test_runner::Config, test_runner::TestRunner};
use queue_model::{Model, Who};
use rialto::{
    Error, Member, OnDeath, Peeked, Popped, Queue, QueueConfig, QueueKind, Region, RegionConfig, Reserved,
    Ticket,
};
use std::{collections::BTreeMap, sync::Mutex};

type Checked = Result<(), TestCaseError>;

/// One of however many there are.
#[derive(Clone, Copy, Debug)]
struct Pick(usize);

impl Pick {
    fn index(self, count: usize) -> usize {
        self.0 % count
    }
}

fn pick() -> impl Strategy<Value = Pick> {
    any::<usize>().prop_map(Pick)
}

#[derive(Clone, Debug)]
enum Op {
    Push(Who, Pick),
    PushMany(Who, Vec<Pick>),
    Reserve(Who, Pick),
    Truncate(Pick, Pick),
    Commit(Pick),
    DropLoan(Pick),
    Pop(Who),
    PopMany(Who, usize, usize),
    Peek(Who),
    /// Release, or task_done.
    Finish(Pick),
    GiveBack(Pick),
    /// The same message given back so many times.
    Wear(Who, usize),
    /// A ticket that was used, or whose holder died, by whomever.
    OldTicket(Who, Pick),
    /// A ticket by the other member.
    WrongMember(Pick),
    TakePoisoned(Who),
    /// The second member dies; of its handles, some are used later.
    Die(bool),
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    let (who, index) = (|| 0..2usize, pick);
    prop_oneof![
        8 => (who(), index()).prop_map(|(who, len)| Op::Push(who, len)),
        2 => (who(), vec(index(), 0..6)).prop_map(|(who, lens)| Op::PushMany(who, lens)),
        3 => (who(), index()).prop_map(|(who, len)| Op::Reserve(who, len)),
        1 => (index(), index()).prop_map(|(which, len)| Op::Truncate(which, len)),
        3 => index().prop_map(Op::Commit),
        1 => index().prop_map(Op::DropLoan),
        5 => who().prop_map(Op::Pop),
        2 => (who(), 0..5usize, 0..4usize).prop_map(|(who, n, fit)| Op::PopMany(who, n, fit)),
        3 => who().prop_map(Op::Peek),
        4 => index().prop_map(Op::Finish),
        2 => index().prop_map(Op::GiveBack),
        1 => (who(), 1..34usize).prop_map(|(who, times)| Op::Wear(who, times)),
        1 => (who(), index()).prop_map(|(who, which)| Op::OldTicket(who, which)),
        1 => index().prop_map(Op::WrongMember),
        1 => who().prop_map(Op::TakePoisoned),
        1 => any::<bool>().prop_map(Op::Die),
    ]
}

fn message(number: u64, len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (number.wrapping_mul(31) + i) as u8).collect()
}

enum Handle {
    Peeked(Peeked<'static>),
    Ticket(Ticket),
}

struct Hand {
    who: Who,
    place: usize,
    handle: Handle,
}

struct Loan {
    who: Who,
    place: usize,
    bytes: Vec<u8>,
    handle: Reserved<'static>,
}

/// How often what came out, to see that the cases reach all that there is.
static SEEN: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

fn seen(what: String) {
    *SEEN.lock().unwrap().entry(what).or_default() += 1;
}

fn note<T>(call: &str, result: &Result<T, Error>) {
    seen(match result {
        Ok(_) => format!("{call} Ok"),
        Err(error) => format!("{call} {error:?}"),
    });
}

struct World {
    config: QueueConfig,
    model: Model,
    hands: Vec<Hand>,
    loans: Vec<Loan>,
    old: Vec<Ticket>,
    /// The first acts as the thread's own member.
    queues: [Queue<'static>; 2],
    member: *mut Member<'static>,
    region: *mut Region,
    next: u64,
}

impl World {
    fn new(config: QueueConfig, first_turn: u64) -> World {
        let created = Region::create_anonymous(1 << 15, &RegionConfig::default()).unwrap();
        let region = Box::into_raw(Box::new(created));
        // SAFETY: freed by our drop, after everything that borrows from it.
        let forever: &'static Region = unsafe { &*region };
        let queue = forever.create_queue_at_turn("q", &config, first_turn).unwrap();
        let mut world = World {
            config,
            model: Model::new(config),
            hands: vec![],
            loans: vec![],
            old: vec![],
            queues: [queue, queue],
            member: std::ptr::null_mut(),
            region,
            next: 0,
        };
        world.join();
        world
    }

    fn join(&mut self) {
        // SAFETY: freed by our drop only, and the member by `leave`, after which nothing is done as it but
        // with handles that know (`Peeked` may be on another thread when its own ends).
        unsafe {
            self.member = Box::into_raw(Box::new((*self.region).join().unwrap()));
            self.queues[1] = self.queues[0].as_member(&*self.member);
        }
    }

    fn leave(&mut self) {
        // SAFETY: made in `join`.
        drop(unsafe { Box::from_raw(self.member) });
    }

    fn bytes(&mut self, len: Pick) -> Vec<u8> {
        self.next += 1;
        // Now and then one too long.
        message(self.next, len.index(self.config.max_message_bytes as usize + 2))
    }

    /// What a call brought must come from a place where the model says that the next message may come from.
    fn taken(
        &mut self,
        who: Who,
        places: Result<Vec<usize>, Error>,
        got: Result<(Vec<u8>, u8), Error>,
    ) -> Result<Option<usize>, TestCaseError> {
        match (places, got) {
            (Ok(places), Ok(got)) => {
                let place = places.iter().find(|place| self.model.message_at(**place) == got);
                prop_assert!(place.is_some(), "{:?}, which is not one of {:?}", got, places);
                self.model.take(who, *place.unwrap());
                Ok(place.copied())
            }
            (places, got) => {
                prop_assert_eq!(got.err(), places.err());
                Ok(None)
            }
        }
    }

    /// After a message was copied out.
    fn copied(&mut self, who: Who, place: usize, ticket: Ticket) {
        if self.config.joinable {
            self.hands.push(Hand { who, place, handle: Handle::Ticket(ticket) });
        } else {
            self.model.free(place);
            self.old.push(ticket);
        }
    }

    fn pop(&mut self, who: Who, poisoned: bool) -> Checked {
        let mut buffer = vec![0; self.config.max_message_bytes as usize];
        let queue = self.queues[who];
        let (places, popped) = if poisoned {
            (self.model.next_poisoned(), queue.take_poisoned(&mut buffer))
        } else {
            (self.model.next(), queue.try_pop(&mut buffer))
        };
        note(if poisoned { "take_poisoned" } else { "pop" }, &popped);
        let got = popped.map(|popped| (buffer[..popped.len].to_vec(), popped.attempt));
        if let Some(place) = self.taken(who, places, got)? {
            self.copied(who, place, popped.unwrap().ticket);
        }
        Ok(())
    }

    fn pop_many(&mut self, who: Who, n: usize, fit: usize) -> Checked {
        let max = self.config.max_message_bytes as usize;
        // Never quite room for one more.
        let mut buffer = vec![0; fit * max + max - 1];
        let mut popped = vec![Popped::default(); n];
        let result = self.queues[who].try_pop_many(&mut buffer, &mut popped);
        note("pop_many", &result);
        if n == 0 || fit == 0 {
            prop_assert_eq!(result, Err(if n == 0 { Error::Invalid } else { Error::BufferTooSmall }));
            return Ok(());
        }
        let mut places = vec![];
        for (i, popped) in popped[..result.unwrap_or(0)].iter().enumerate() {
            let got = (buffer[i * max..][..popped.len].to_vec(), popped.attempt);
            let next = self.model.next();
            places.extend(self.taken(who, next, Ok(got))?);
        }
        // All are in hand until all are copied. Why there are no more:
        match result {
            Ok(count) => prop_assert!(count == n.min(fit) || self.model.next().is_err(), "{} of more", count),
            Err(error) => prop_assert_eq!(Some(error), self.model.next().err()),
        }
        places.into_iter().zip(&popped).for_each(|(place, popped)| self.copied(who, place, popped.ticket));
        Ok(())
    }

    fn peek(&mut self, who: Who) -> Checked {
        let (places, peeked) = (self.model.next(), self.queues[who].try_peek());
        note("peek", &peeked);
        let got = peeked.as_ref().map(bytes_of).map_err(|error| *error);
        if let Some(place) = self.taken(who, places, got)? {
            self.hands.push(Hand { who, place, handle: Handle::Peeked(peeked.ok().unwrap()) });
        }
        Ok(())
    }

    fn finish(&mut self, which: Pick, give_back: bool) -> Checked {
        if self.hands.is_empty() {
            return Ok(());
        }
        let Hand { who, place, handle } = self.hands.swap_remove(which.index(self.hands.len()));
        match handle {
            Handle::Peeked(peeked) => {
                prop_assert_eq!(bytes_of(&peeked), self.model.message_at(place), "it changed in our hand");
                if give_back { drop(peeked) } else { peeked.release() }
            }
            Handle::Ticket(ticket) => {
                let queue = self.queues[who];
                let result = if give_back { queue.give_back(ticket) } else { queue.task_done(ticket) };
                note("ticket", &result);
                prop_assert_eq!(result, Ok(()));
                self.old.push(ticket);
            }
        }
        if give_back {
            self.model.give_back(place)
        } else {
            self.model.free(place)
        }
        Ok(())
    }

    fn refuses(&self, who: Who, ticket: Ticket) -> Checked {
        let queue = self.queues[who];
        prop_assert_eq!(queue.task_done(ticket), Err(Error::NotOwner));
        prop_assert_eq!(queue.give_back(ticket), Err(Error::NotOwner));
        Ok(())
    }

    fn commit(&mut self, which: Pick) -> Checked {
        if self.loans.is_empty() {
            return Ok(());
        }
        let mut loan = self.loans.swap_remove(which.index(self.loans.len()));
        let was_void = self.model.is_void(loan.place);
        let (result, back) = match loan.handle.try_commit() {
            Ok(()) => (Ok(()), None),
            Err((back, error)) => (Err(error), Some(back)),
        };
        note(if was_void { "commit, overtaken," } else { "commit" }, &result);
        prop_assert_eq!(result, self.model.publish(loan.place, loan.bytes.clone()).map(drop));
        if let Some(back) = back {
            loan.handle = back;
            self.loans.push(loan);
        }
        Ok(())
    }

    /// What the second member has in hand goes as if it had been killed; of what has a handle that may outlive
    /// it, that does nothing any more.
    fn die(&mut self, late: bool) {
        let (hands, mut theirs): (Vec<Hand>, Vec<Hand>) = self.hands.drain(..).partition(|it| it.who == 0);
        let (loans, dead): (Vec<Loan>, Vec<Loan>) = self.loans.drain(..).partition(|it| it.who == 0);
        (self.hands, self.loans) = (hands, loans);
        self.leave();
        self.model.die(1);
        self.join();
        // Half of them released, half given back.
        for (i, hand) in theirs.drain(..).enumerate() {
            match hand.handle {
                Handle::Ticket(ticket) => self.old.push(ticket),
                Handle::Peeked(peeked) if late && i % 2 == 0 => peeked.release(),
                Handle::Peeked(peeked) if late => drop(peeked),
                Handle::Peeked(peeked) => std::mem::forget(peeked),
            }
        }
        for loan in dead {
            if late { drop(loan.handle) } else { std::mem::forget(loan.handle) }
        }
    }

    fn act(&mut self, op: &Op) -> Checked {
        match op {
            Op::Push(who, len) => {
                let bytes = self.bytes(*len);
                let result = self.queues[*who].try_push(&bytes);
                note("push", &result);
                prop_assert_eq!(result, self.model.push(*who, &bytes));
            }
            Op::PushMany(who, lens) => {
                let messages: Vec<Vec<u8>> = lens.iter().map(|len| self.bytes(*len)).collect();
                let slices: Vec<&[u8]> = messages.iter().map(|bytes| &bytes[..]).collect();
                let result = self.queues[*who].try_push_many(&slices);
                note("push_many", &result);
                let max = self.config.max_message_bytes as usize;
                if messages.iter().any(|bytes| bytes.len() > max) {
                    prop_assert_eq!(result, Err(Error::MessageTooLarge));
                } else {
                    let mut refused = None;
                    let pushed = messages.iter().take_while(|bytes| {
                        refused = self.model.push(*who, bytes).err();
                        refused.is_none()
                    });
                    let expected = match (pushed.count(), refused) {
                        (0, Some(error)) => Err(error),
                        (count, _) => Ok(count),
                    };
                    prop_assert_eq!(result, expected);
                }
            }
            Op::Reserve(who, len) => {
                let bytes = self.bytes(*len);
                let result = self.queues[*who].try_reserve(bytes.len());
                note("reserve", &result);
                let place = self.model.reserve(*who, bytes.len());
                prop_assert_eq!(result.as_ref().err(), place.as_ref().err());
                if let (Ok(mut handle), Ok(place)) = (result, place) {
                    prop_assert_eq!((handle.len(), handle.is_empty()), (bytes.len(), bytes.is_empty()));
                    prop_assert_eq!(handle.as_mut_ptr() as usize % 16, 0);
                    prop_assert_eq!(handle.write(&vec![7; bytes.len() + 1]), Err(Error::Invalid));
                    prop_assert_eq!(handle.write(&bytes), Ok(()));
                    self.loans.push(Loan { who: *who, place, bytes, handle });
                }
            }
            Op::Truncate(which, len) if !self.loans.is_empty() => {
                let at = which.index(self.loans.len());
                let loan = &mut self.loans[at];
                let len = len.index(loan.bytes.len() + 2);
                loan.handle.truncate(len);
                loan.bytes.truncate(len);
                prop_assert_eq!(loan.handle.len(), loan.bytes.len());
            }
            Op::Commit(which) => self.commit(*which)?,
            Op::DropLoan(which) if !self.loans.is_empty() => {
                let loan = self.loans.swap_remove(which.index(self.loans.len()));
                drop(loan.handle);
                self.model.free(loan.place);
            }
            Op::Pop(who) => self.pop(*who, false)?,
            Op::TakePoisoned(who) => self.pop(*who, true)?,
            Op::PopMany(who, n, fit) => self.pop_many(*who, *n, *fit)?,
            Op::Peek(who) => self.peek(*who)?,
            Op::Finish(which) => self.finish(*which, false)?,
            Op::GiveBack(which) => self.finish(*which, true)?,
            Op::Wear(who, times) => {
                for _ in 0..*times {
                    let before = self.hands.len();
                    self.peek(*who)?;
                    if self.hands.len() > before {
                        let hand = self.hands.pop().unwrap();
                        drop(hand.handle);
                        self.model.give_back(hand.place);
                        seen("worn".into());
                    }
                }
            }
            Op::OldTicket(who, which) if !self.old.is_empty() => {
                self.refuses(*who, self.old[which.index(self.old.len())])?;
            }
            Op::WrongMember(which) if !self.hands.is_empty() => {
                let hand = &self.hands[which.index(self.hands.len())];
                if let Handle::Ticket(ticket) = hand.handle {
                    self.refuses(1 - hand.who, ticket)?;
                }
            }
            Op::Die(late) => self.die(*late),
            Op::Close => {
                self.queues[0].close();
                self.model.closed = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// All that the queue says of itself.
    fn look(&self) -> Checked {
        let (queue, model) = (self.queues[0], &self.model);
        prop_assert_eq!(queue.len(), model.len(), "len");
        prop_assert_eq!(queue.is_empty(), model.len() == 0);
        prop_assert_eq!(queue.is_full(), model.is_full(), "full");
        prop_assert_eq!(queue.capacity(), model.capacity());
        prop_assert_eq!(queue.is_closed(), model.closed);
        prop_assert_eq!(queue.poisoned(), model.poisoned(), "poisoned");
        prop_assert_eq!(queue.dropped(), model.dropped, "dropped");
        prop_assert_eq!(queue.unfinished(), model.unfinished(), "unfinished");
        let joined = match (self.config.joinable, model.unfinished()) {
            (false, _) => Err(Error::NotSupported),
            (true, 0) => Ok(()),
            (true, _) => Err(Error::WouldBlock),
        };
        prop_assert_eq!(queue.join_timeout(0), joined);
        let worth_a_pop = model.next() != Err(Error::WouldBlock);
        prop_assert_eq!(queue.arm_data(), worth_a_pop, "arm_data");
        prop_assert_eq!(queue.arm_space(), !model.is_full() || model.closed, "arm_space");
        Ok(())
    }

    /// Everything comes back: all room is there when all is out again.
    fn empty(&mut self) -> Checked {
        while !self.loans.is_empty() {
            self.act(&Op::DropLoan(Pick(0)))?;
        }
        while !self.hands.is_empty() {
            self.finish(Pick(0), false)?;
        }
        while self.model.len() > 0 {
            let poisoned = self.model.poisoned() > 0;
            self.pop(0, poisoned)?;
            while !self.hands.is_empty() {
                self.finish(Pick(0), false)?;
            }
            self.look()?;
        }
        if !self.model.closed {
            for number in 0..self.model.capacity() {
                prop_assert_eq!(self.queues[0].try_push(&message(number as u64, 1)), Ok(()), "room is lost");
            }
            prop_assert_eq!(self.queues[0].try_push(b"x"), Err(Error::WouldBlock));
        }
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.hands.drain(..).for_each(|hand| std::mem::forget(hand.handle));
        self.loans.drain(..).for_each(|loan| std::mem::forget(loan.handle));
        self.leave();
        // SAFETY: made in `new`; nothing borrows from it any more.
        drop(unsafe { Box::from_raw(self.region) });
    }
}

fn bytes_of(peeked: &Peeked) -> (Vec<u8>, u8) {
    let mut buffer = vec![0; peeked.len()];
    assert_eq!(peeked.copy_to(&mut buffer), buffer.len());
    (buffer, peeked.attempt())
}

fn config() -> impl Strategy<Value = QueueConfig> {
    let kind = prop_oneof![Just(QueueKind::Ring), Just(QueueKind::Indexed)];
    let on_death =
        prop_oneof![2 => Just(OnDeath::Redeliver), 1 => Just(OnDeath::Drop), 1 => Just(OnDeath::Stop)];
    let attempts = prop_oneof![3 => 1..4u8, 1 => Just(30u8)];
    let bytes = prop_oneof![1 => Just(1u32), 1 => Just(16u32), 2 => 2..60u32];
    (kind, on_death, attempts, bytes, 1..10u32, any::<[bool; 2]>()).prop_map(
        |(kind, on_death, max_attempts, max_message_bytes, slots, [kill_only, joinable])| QueueConfig {
            kind,
            on_death,
            max_attempts,
            kill_only,
            joinable,
            ..QueueConfig::new(slots, max_message_bytes)
        },
    )
}

/// Shortly before a wrap of so many bits.
fn near(bits: u32) -> impl Strategy<Value = u64> {
    (1u64 << bits) - 6..1 << bits
}

#[test]
fn a_queue_is_what_the_model_says() {
    let cases = std::env::var("RIALTO_PROP_CASES").ok().map_or(3000, |n| n.parse().expect("a number"));
    let config_of_runner = Config { cases, failure_persistence: None, ..Config::default() };
    let first_turn = prop_oneof![Just(0u64), near(44), near(26), near(27), near(32), any::<u64>()];
    let close_at = proptest::option::weighted(0.4, pick());
    let case = (vec(op(), 1..150), config(), first_turn, close_at);
    let result = TestRunner::new(config_of_runner).run(&case, |(mut ops, config, first_turn, close_at)| {
        if let Some(at) = close_at {
            ops.insert(at.index(ops.len() + 1), Op::Close);
        }
        let mut world = World::new(config, first_turn);
        for (number, op) in ops.iter().enumerate() {
            let checked = world.act(op).and_then(|()| world.look());
            checked.map_err(|error| TestCaseError::fail(format!("op {number}, {op:?}: {error}")))?;
        }
        world.empty()
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let seen = SEEN.lock().unwrap();
    println!("{seen:#?}");
    for (call, errors) in [
        ("push", &["WouldBlock", "Closed", "MessageTooLarge"][..]),
        ("push_many", &["WouldBlock", "Closed", "MessageTooLarge"]),
        ("reserve", &["WouldBlock", "Closed", "MessageTooLarge"]),
        ("commit", &[]),
        ("commit, overtaken,", &["WouldBlock", "Closed"]),
        ("pop", &["WouldBlock", "Closed", "Poisoned"]),
        ("pop_many", &["WouldBlock", "Closed", "Poisoned", "Invalid", "BufferTooSmall"]),
        ("peek", &["WouldBlock", "Closed", "Poisoned"]),
        ("take_poisoned", &["WouldBlock"]),
        ("ticket", &[]),
    ] {
        for outcome in errors.iter().chain(&["Ok"]) {
            let what = format!("{call} {outcome}");
            assert!(seen.contains_key(&what), "no case came to {what}");
        }
    }
}
