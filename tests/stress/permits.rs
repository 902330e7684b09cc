//! The semaphores. Plain: permits in use never exceed what there is (quiet), and books that must agree with the
//! value at the end up to what the dead had begun (storm). Bounded: books, and a release beyond the bound is
//! never accepted. Tracked: a permit has one holder at a time, and all come back.

use super::{Crew, Game, Random, WORKERS, Worker, place};
use rialto::{Depth, Error, Permit, Region, RegionConfig, Semaphore, TrackedSemaphore};
use std::sync::atomic::{AtomicU64, Ordering::*};

const PERMITS: u32 = 3;

fn make(value: u32, bounded: bool) -> &'static Semaphore {
    let semaphore = place::<Semaphore>();
    let at = std::ptr::from_ref(semaphore).cast_mut();
    // SAFETY: fresh memory, 64-aligned (a page), for ever.
    unsafe { if bounded { Semaphore::init_bounded(at, value) } else { Semaphore::init(at, value) } }
        .expect("few enough");
    semaphore
}

fn timeout_ns(random: &mut Random) -> u64 {
    [u64::MAX, u64::MAX, 0, random.below(3_000_000)][random.below(4) as usize]
}

/// Who acquires releases.
pub struct InUse {
    semaphore: &'static Semaphore,
    in_use: &'static AtomicU64,
}

impl InUse {
    pub fn new() -> InUse {
        InUse { semaphore: make(PERMITS, false), in_use: place() }
    }
}

impl Game for InUse {
    fn work(&self, crew: &Crew, me: Worker, random: &mut Random) {
        while !crew.is_over() {
            match self.semaphore.acquire_timeout(timeout_ns(random)) {
                Ok(()) => {}
                Err(Error::WouldBlock | Error::TimedOut) => continue,
                Err(error) => panic!("acquire: {error:?}"),
            }
            let n = 1 + u64::from(random.below(2) == 0 && self.semaphore.try_acquire().is_ok());
            let now = self.in_use.fetch_add(n, SeqCst) + n;
            assert!(now <= PERMITS.into(), "{now} permits in use of {PERMITS}");
            random.pause(300);
            self.in_use.fetch_sub(n, SeqCst);
            crew.round(me);
            self.semaphore.release_many(n as u32).expect("far from the bound");
        }
    }

    fn judge(&self, _: &Crew, _: u64) -> String {
        assert_eq!((self.semaphore.value(), self.in_use.load(SeqCst)), (PERMITS, 0));
        String::new()
    }
}

/// Anybody releases and acquires as many as he likes.
pub struct Books {
    semaphore: &'static Semaphore,
    bounded: bool,
    book: &'static Book,
}

/// A word for each worker: what was begun counts before the call, what was done after it.
#[derive(Default)]
struct Book {
    given: [[AtomicU64; WORKERS]; 2],
    taken: [[AtomicU64; WORKERS]; 2],
    refused: AtomicU64,
}

const BEGUN: usize = 0;
const DONE: usize = 1;

impl Books {
    pub fn new(bounded: bool) -> Books {
        Books { semaphore: make(PERMITS, bounded), bounded, book: place() }
    }
}

impl Game for Books {
    fn work(&self, crew: &Crew, me: Worker, random: &mut Random) {
        let Book { given, taken, refused } = self.book;
        while !crew.is_over() {
            // At times more than fits at all.
            let n = 1 + random.below(u64::from(PERMITS) + 1);
            // Unbounded, it stays small all the same.
            if random.below(3) == 0 && (self.bounded || self.semaphore.value() < 10) {
                given[BEGUN][me.at].fetch_add(n, SeqCst);
                match self.semaphore.release_many(n as u32) {
                    Ok(()) => {
                        assert!(!self.bounded || n <= PERMITS.into(), "{n} accepted where {PERMITS} fit");
                        given[DONE][me.at].fetch_add(n, SeqCst);
                        crew.round(me);
                    }
                    Err(Error::Overflow) if self.bounded => {
                        given[BEGUN][me.at].fetch_sub(n, SeqCst);
                        refused.fetch_add(1, Relaxed);
                    }
                    Err(error) => panic!("release: {error:?}"),
                }
            } else {
                taken[BEGUN][me.at].fetch_add(1, SeqCst);
                // Not for ever: who should release may be waiting.
                match self.semaphore.acquire_timeout(random.below(2) * random.below(1_000_000)) {
                    Ok(()) => {
                        taken[DONE][me.at].fetch_add(1, SeqCst);
                        crew.round(me);
                    }
                    Err(Error::WouldBlock | Error::TimedOut) => {
                        taken[BEGUN][me.at].fetch_sub(1, SeqCst);
                    }
                    Err(error) => panic!("acquire: {error:?}"),
                }
            }
            let value = self.semaphore.value();
            assert!(value <= self.semaphore.bound(), "{value} permits, above the bound");
        }
    }

    fn judge(&self, _: &Crew, kills: u64) -> String {
        let sum = |words: &[AtomicU64; WORKERS]| words.iter().map(|n| n.load(SeqCst)).sum::<u64>();
        let given = self.book.given.each_ref().map(sum);
        let taken = self.book.taken.each_ref().map(sum);
        let open = given[BEGUN] - given[DONE] + taken[BEGUN] - taken[DONE];
        assert!(open <= kills * u64::from(PERMITS + 1), "{open} permits begun and not done, {kills} kills");
        let value = u64::from(self.semaphore.value());
        let (least, most) = (given[DONE] + 3, given[BEGUN] + 3);
        assert!(
            least <= value + taken[BEGUN] && value + taken[DONE] <= most,
            "value {value}, given {given:?}, taken {taken:?} (begun, done)"
        );
        assert!(value <= self.semaphore.bound().into());
        let refused = self.book.refused.load(SeqCst);
        assert!(refused > 0 || !self.bounded, "nobody tried to release too many");
        if self.bounded { format!(", {refused} releases refused") } else { String::new() }
    }
}

pub struct Tracked {
    region: &'static Region,
    semaphore: TrackedSemaphore<'static>,
    /// Who holds each permit.
    holders: &'static [AtomicU64; PERMITS as usize],
}

/// A region whose sleepers tick quickly: more happens.
pub fn region() -> &'static Region {
    let config = RegionConfig { members: 16, objects: 2, tick_ms: 20 };
    Box::leak(Box::new(Region::create_anonymous(1 << 16, &config).expect("a region")))
}

impl Tracked {
    pub fn new() -> Tracked {
        let region = region();
        Tracked {
            region,
            semaphore: region.create_semaphore("stress", PERMITS).expect("room"),
            holders: place(),
        }
    }

    fn enter(&self, crew: &Crew, me: Worker, permit: Permit<'static>) -> u64 {
        let token = permit.into_token();
        // A token's low 16 bits are the permit's number.
        let before = self.holders[token as usize & 0xffff].swap(me.who, SeqCst);
        assert!(before == 0 || crew.is_condemned(before), "{before} holds that permit, too");
        token
    }

    fn leave(&self, me: Worker, token: u64) {
        assert_eq!(self.holders[token as usize & 0xffff].swap(0, SeqCst), me.who, "somebody holds it, too");
        self.semaphore.release_token(token).expect("ours");
    }
}

impl Game for Tracked {
    fn work(&self, crew: &Crew, me: Worker, random: &mut Random) {
        while !crew.is_over() {
            let first = match self.semaphore.acquire_timeout(timeout_ns(random)) {
                Ok(permit) => self.enter(crew, me, permit),
                Err(Error::WouldBlock | Error::TimedOut) => continue,
                Err(error) => panic!("acquire: {error:?}"),
            };
            let second = if random.below(2) == 0 { self.semaphore.try_acquire().ok() } else { None };
            let second = second.map(|permit| self.enter(crew, me, permit));
            random.pause(300);
            self.leave(me, first);
            second.into_iter().for_each(|token| self.leave(me, token));
            assert!(self.semaphore.release_token(first).is_err(), "one permit came back twice");
            crew.round(me);
        }
    }

    fn judge(&self, _: &Crew, _: u64) -> String {
        self.region.recover(Depth::Thorough);
        assert_eq!(self.semaphore.value(), PERMITS, "permits are gone");
        let all: Vec<_> = (0..PERMITS).map(|_| self.semaphore.try_acquire().expect("free")).collect();
        assert_eq!(self.semaphore.try_acquire().err(), Some(Error::WouldBlock));
        drop(all);
        let members = self.region.member_count();
        assert_eq!(members, 1, "only the referee is left");
        self.region.leave().expect("nothing in hand");
        String::new()
    }
}
