//! A bounded buffer under a lock with two conditions, two producers and two consumers, `notify(1)` and
//! `notify_all` mixed. Each item is its number, so order, loss and repetition show at once.
//!
//! Whoever changes the buffer notifies before it releases the lock: if it is killed in between, the next
//! owner is told, and notifies everybody in its place. At the end the producers go home, and the consumers
//! when all is taken.

use super::{Crew, Game, Random, Worker, locks::Kind, place};
use rialto::{Condition, Error, Outcome, sys::Os};
use std::sync::atomic::{AtomicU64, Ordering::*};

const ROOM: u64 = 4;

pub struct Buffer<L: Kind> {
    lock: &'static L,
    not_full: &'static Condition,
    not_empty: &'static Condition,
    /// Whether some wait with a timeout. It would help them over a lost wake-up.
    timed: bool,
    book: &'static Book,
}

/// Under the lock.
struct Book {
    head: AtomicU64,
    tail: AtomicU64,
    slots: [AtomicU64; ROOM as usize],
    /// Producers who went home.
    gone: AtomicU64,
    inside: AtomicU64,
    told: AtomicU64,
}

fn condition() -> &'static Condition {
    let condition = place::<Condition>();
    // SAFETY: fresh memory, 64-aligned (a page), for ever.
    unsafe { Condition::init(std::ptr::from_ref(condition).cast_mut()) };
    condition
}

impl<L: Kind> Buffer<L> {
    pub fn new(timed: bool) -> Self {
        Buffer { lock: L::make(), not_full: condition(), not_empty: condition(), timed, book: place() }
    }

    /// How many there are; checks on the way that nobody else is here.
    fn look(&self, who: u64) -> u64 {
        assert_eq!(self.book.inside.swap(who, Relaxed), 0, "two inside, or a death that nobody was told of");
        let (head, tail) = (self.book.head.load(Relaxed), self.book.tail.load(Relaxed));
        assert!(head <= tail && tail <= head + ROOM, "{head} taken, {tail} put");
        assert_eq!(self.book.inside.swap(0, Relaxed), who, "two inside");
        tail - head
    }

    fn notify_everybody(&self) {
        self.not_full.notify_all(self.lock);
        self.not_empty.notify_all(self.lock);
    }

    fn after(&self, outcome: Outcome) {
        if outcome == Outcome::OwnerDied {
            self.book.inside.store(0, Relaxed);
            self.book.told.fetch_add(1, Relaxed);
            self.lock.mark_consistent_on(Os {}).expect("held");
            self.notify_everybody();
        }
    }

    fn acquire(&self) {
        let outcome = self.lock.acquire_on(Os {}, u64::MAX).expect("a lock");
        self.after(outcome);
    }

    /// Acquires and waits until `ready` of how many there are.
    fn acquire_when(&self, me: Worker, random: &mut Random, on: &Condition, ready: impl Fn(u64) -> bool) {
        self.acquire();
        let depth = 1 + random.below(L::DEPTH);
        (1..depth).for_each(|_| assert_eq!(self.lock.acquire_on(Os {}, 0), Ok(Outcome::Clean)));
        loop {
            let timed = self.timed && random.below(8) == 0;
            let timeout_ns = if timed { random.below(2_000_000) } else { u64::MAX };
            let result = on.wait_for_timeout(self.lock, timeout_ns, || ready(self.look(me.who)));
            assert_eq!(self.lock.depth(), depth, "held more or less often than before");
            match result {
                Ok(Outcome::Clean) => break,
                Ok(outcome) => self.after(outcome),
                Err(Error::TimedOut | Error::WouldBlock) if timed => {}
                Err(error) => panic!("wait_for: {error:?}"),
            }
        }
        (1..depth).for_each(|_| self.lock.release_on(Os {}).expect("held"));
    }

    fn release(&self) {
        self.lock.release_on(Os {}).expect("held");
    }

    fn notify(&self, condition: &Condition, random: &mut Random) {
        if random.below(4) == 0 {
            condition.notify_all(self.lock);
        } else {
            condition.notify(1);
        }
    }
}

impl<L: Kind> Game for Buffer<L> {
    fn work(&self, crew: &Crew, me: Worker, random: &mut Random) {
        let Book { head, tail, slots, gone, .. } = self.book;
        let slot = |position: u64| &slots[(position % ROOM) as usize];
        let mut over = false;
        while !over {
            if me.at % 2 == 0 {
                self.acquire_when(me, random, self.not_full, |n| n < ROOM);
                let position = tail.load(Relaxed);
                slot(position).store(position, Relaxed);
                tail.store(position + 1, Relaxed);
                crew.round(me);
                over = crew.is_over();
                if over {
                    gone.fetch_add(1, Relaxed);
                    self.not_empty.notify_all(self.lock);
                } else {
                    self.notify(self.not_empty, random);
                }
            } else {
                self.acquire_when(me, random, self.not_empty, |n| n > 0 || gone.load(Relaxed) == 2);
                let position = head.load(Relaxed);
                over = position == tail.load(Relaxed);
                if !over {
                    assert_eq!(slot(position).load(Relaxed), position, "not the item that is next");
                    head.store(position + 1, Relaxed);
                    crew.round(me);
                    self.notify(self.not_full, random);
                }
            }
            self.release();
        }
    }

    fn judge(&self, crew: &Crew, kills: u64) -> String {
        self.acquire();
        assert_eq!(self.look(u64::MAX), 0, "left in the buffer");
        self.release();
        let rounds = |at: usize| crew.rounds[at].load(SeqCst);
        let (put, taken) = (rounds(0) + rounds(2), rounds(1) + rounds(3));
        let (head, tail) = (self.book.head.load(SeqCst), self.book.tail.load(SeqCst));
        let about = |counted: u64, is: u64| counted <= is && is <= counted + kills;
        assert!(
            about(put, tail) && about(taken, head),
            "{put} put, {tail}; {taken} taken, {head}; {kills} kills"
        );
        let told = self.book.told.load(SeqCst);
        assert!(told <= kills, "told of {told} deaths, there were {kills}");
        format!(", {told} told of a death")
    }
}
