//! Semaphores in plain mode: no permit is lost but one that the victim may have had in hand, and none
//! is made; what is there, sleepers find by themselves.

use super::*;
use rialto::Semaphore;
use std::{
    mem::MaybeUninit,
    sync::atomic::Ordering::{Relaxed, SeqCst},
};

pub trait Subject: Sized + 'static {
    const PATIENCE: Duration = WATCHDOG;
    fn create(value: u32, bound: Option<u32>) -> Self;
    fn acquire<P: Platform>(&self, platform: P) -> bool;
    fn release(&self, n: u32) -> bool;
    fn value(&self) -> u32;
    fn page(&self) -> *const u8;
}

pub struct Real(Shared<MaybeUninit<Semaphore>>);

impl Real {
    fn semaphore(&self) -> &Semaphore {
        // SAFETY: initialised in `create`; the semaphore is all atomics.
        unsafe { (*self.0).assume_init_ref() }
    }
}

impl Subject for Real {
    fn create(value: u32, bound: Option<u32>) -> Self {
        // SAFETY: any bytes are a MaybeUninit.
        let at: Shared<MaybeUninit<Semaphore>> = unsafe { Shared::zeroed() };
        let ptr = at.as_ptr().cast();
        // SAFETY: fresh, page-aligned memory.
        unsafe {
            if bound.is_some() { Semaphore::init_bounded(ptr, 2) } else { Semaphore::init(ptr, value) }
        }
        .unwrap();
        let semaphore = Real(at);
        (value..bound.unwrap_or(value)).for_each(|_| semaphore.semaphore().try_acquire().unwrap());
        semaphore
    }
    #[inline(never)]
    fn acquire<P: Platform>(&self, platform: P) -> bool {
        self.semaphore().acquire_on(platform, limit::<P>()).is_ok()
    }
    #[inline(never)]
    fn release(&self, n: u32) -> bool {
        self.semaphore().release_many(n).is_ok()
    }
    fn value(&self) -> u32 {
        self.semaphore().value()
    }
    fn page(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }
}

/// Planted: as POSIX's. A count of waiters decides whether anybody is woken; sleepers rely on it.
pub struct Posix(Shared<[AtomicU32; 2]>);

impl Subject for Posix {
    const PATIENCE: Duration = Duration::from_millis(500);
    fn create(value: u32, _: Option<u32>) -> Self {
        // SAFETY: atomics of zero.
        let words: Shared<[AtomicU32; 2]> = unsafe { Shared::zeroed() };
        words[0].store(value, SeqCst);
        Posix(words)
    }
    #[inline(never)]
    fn acquire<P: Platform>(&self, _: P) -> bool {
        self.0[1].fetch_add(1, SeqCst);
        loop {
            let value = self.0[0].load(Relaxed);
            if value == 0 {
                futex(&self.0[0], libc::FUTEX_WAIT, 0, WATCHDOG);
            } else if self.0[0].compare_exchange(value, value - 1, SeqCst, Relaxed).is_ok() {
                self.0[1].fetch_sub(1, SeqCst);
                return true;
            }
        }
    }
    #[inline(never)]
    fn release(&self, n: u32) -> bool {
        self.0[0].fetch_add(n, SeqCst);
        if self.0[1].load(SeqCst) > 0 {
            futex(&self.0[0], libc::FUTEX_WAKE, n, Duration::ZERO);
        }
        true
    }
    fn value(&self) -> u32 {
        self.0[0].load(SeqCst)
    }
    fn page(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    /// One of two.
    Acquire,
    /// The only one, and back.
    Pair,
    Release(u32),
    /// Of a bounded one; full: refused.
    ReleaseBounded {
        full: bool,
    },
    /// Of none; so many come.
    Wait(u32),
}

struct Play<S>(Op, core::marker::PhantomData<S>);

impl<S> Clone for Play<S> {
    fn clone(&self) -> Self {
        Play(self.0, self.1)
    }
}

fn play<S: Subject>(op: Op) -> Play<S> {
    Play(op, core::marker::PhantomData)
}

/// The victim's own words.
const WOKEN_WITH: usize = VICTIM;

impl<S: Subject> super::Play for Play<S> {
    type World = S;

    fn build(&self, _: u32, _: &Board) -> S {
        match self.0 {
            Op::Acquire => S::create(2, None),
            Op::Pair => S::create(1, None),
            Op::ReleaseBounded { full } => S::create(if full { 2 } else { 1 }, Some(2)),
            Op::Release(_) | Op::Wait(_) => S::create(0, None),
        }
    }

    fn prepare(&self, _: &S, _: &Board) {
        let other = S::create(1, None);
        assert!(other.acquire(Os {}) && other.release(1));
    }

    fn act(&self, semaphore: &S, _: &Board) {
        match self.0 {
            Op::Acquire | Op::Wait(_) => assert!(semaphore.acquire(Os {})),
            Op::Pair => assert!(semaphore.acquire(Os {}) && semaphore.release(1)),
            Op::Release(n) => assert!(semaphore.release(n)),
            Op::ReleaseBounded { full } => assert!(semaphore.release(1) != full),
        }
    }

    fn sleep<P: Platform>(&self, platform: P, semaphore: &S, board: &Board, at: usize) {
        board.set(at, u64::from(semaphore.acquire(platform)));
    }

    fn wake(&self, semaphore: &S, board: &Board) {
        if let Op::Wait(n) = self.0 {
            board.set(WOKEN_WITH, n.into());
            semaphore.release(n);
        }
    }

    fn busy(&self, semaphore: &S) -> bool {
        self.0 == Op::Pair && semaphore.value() == 0
    }

    fn memory(&self, semaphore: &S) -> (*const u8, usize) {
        (semaphore.page(), 64)
    }

    fn judge(&self, cast: &mut Cast<S>) -> Verdict {
        let (op, semaphore) = (self.0, cast.world);
        let sleepers = cast.others.len() as u32;
        let mut helped = 0;
        if cast.after == After::Again {
            // One release for each, in turn: each must wake one.
            helped = sleepers;
            (0..sleepers).for_each(|_| assert!(semaphore.release(1)));
        } else {
            // What is there they get by themselves. Nothing there: nothing is owed.
            let start = Instant::now();
            while semaphore.value() > 0 && cast.through() < cast.others.len() {
                if start.elapsed() > S::PATIENCE {
                    return Err(format!("there are {} permits, and a sleeper sleeps on", semaphore.value()));
                }
                relax(100);
            }
            if cast.through() < cast.others.len() {
                helped = sleepers;
                semaphore.release(sleepers);
            }
        }
        cast.finish(S::PATIENCE)?;
        let total = i64::from(semaphore.value()) + i64::from(sleepers) - i64::from(helped);
        let woken_with = cast.board.get(WOKEN_WITH) as i64;
        // Without the operation, and with it.
        let (without, with) = match op {
            Op::Acquire => (2, 1),
            Op::Pair => (1, 1),
            Op::Release(n) => (0, i64::from(n)),
            Op::ReleaseBounded { full: false } => (1, 2),
            Op::ReleaseBounded { full: true } => (2, 2),
            Op::Wait(_) => (woken_with, woken_with - 1),
        };
        let in_hand = op == Op::Pair && total == 0;
        let right = if cast.done() { total == with } else { total == with || total == without || in_hand };
        check(right, || format!("{total} permits; {without} without, {with} with; done: {}", cast.done()))?;
        // As new, for those who come later.
        while semaphore.value() > 0 {
            check(semaphore.acquire(Os {}), || "a permit that cannot be had".into())?;
        }
        let mut later = fork(|| assert!(semaphore.acquire(Ticking::<60_000>)));
        check(later.wait_asleep(WATCHDOG), || "nobody can wait for it any more".into())?;
        check(semaphore.release(1), || "nobody can release any more".into())?;
        finish(&mut later, 9, S::PATIENCE)?;
        check(semaphore.value() == 0, || format!("in the end there are {}", semaphore.value()))
    }
}

pub fn cases(bill: &mut Bill) {
    use Course::*;
    bill.add("semaphore.acquire", play::<Real>(Op::Acquire), Runs, 0, 10);
    bill.add("semaphore.release, bounded", play::<Real>(Op::ReleaseBounded { full: false }), Runs, 0, 15);
    bill.add("semaphore.release too often", play::<Real>(Op::ReleaseBounded { full: true }), Runs, 0, 10);
    for n in 0..3 {
        let course = if n == 0 { Runs } else { Meets };
        bill.add("semaphore.acquire .. release", play::<Real>(Op::Pair), course, n, 30);
        bill.add("semaphore.release(1)", play::<Real>(Op::Release(1)), Runs, n, 15);
        bill.add("semaphore.release(2)", play::<Real>(Op::Release(2)), Runs, n, 15);
        bill.add("semaphore.acquire", play::<Real>(Op::Wait(1)), FallsAsleep, n, 15);
        bill.add("semaphore.acquire of 1", play::<Real>(Op::Wait(1)), Woken, n, 8);
    }
    bill.add("semaphore.acquire of 2", play::<Real>(Op::Wait(2)), Woken, 1, 8);
    bill.add("semaphore.acquire of 2", play::<Real>(Op::Wait(2)), Woken, 2, 8);
    for n in 1..3 {
        bill.again("semaphore.release(1)", play::<Real>(Op::Release(1)), Runs, n, 15);
        bill.again("semaphore.acquire of 1", play::<Real>(Op::Wait(1)), Woken, n, 8);
    }
    bill.plant("semaphore: a count of waiters, no tick", play::<Posix>(Op::Release(1)), Runs, 1);
    bill.plant("semaphore: a count of waiters, no tick", play::<Posix>(Op::Wait(1)), Woken, 1);
}
