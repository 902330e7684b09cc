//! Recursive locks: as `sweep_lock`, and whoever comes next holds it once, however often the dead one did.

use super::*;
use rialto::{Error, Lock, Outcome, RLock};
use std::{mem::MaybeUninit, sync::atomic::Ordering::SeqCst};

pub trait Subject: Sized + 'static {
    fn create() -> Self;
    fn acquire<P: Platform>(&self, platform: P) -> Option<Outcome>;
    fn mark_consistent(&self);
    /// False if it is not ours.
    fn release(&self) -> bool;
    fn recursion(&self) -> u32;
    fn is_locked(&self) -> bool;
    fn page(&self) -> *const u8;
}

pub struct Real(Shared<MaybeUninit<RLock>>);

impl Real {
    fn lock(&self) -> &RLock {
        // SAFETY: initialised in `create`; the lock is all atomics.
        unsafe { (*self.0).assume_init_ref() }
    }
}

impl Subject for Real {
    fn create() -> Self {
        // SAFETY: any bytes are a MaybeUninit.
        let at: Shared<MaybeUninit<RLock>> = unsafe { Shared::zeroed() };
        // SAFETY: fresh, page-aligned memory, unmapped when nobody holds the lock.
        unsafe { RLock::init(at.as_ptr().cast()) };
        Real(at)
    }
    #[inline(never)]
    fn acquire<P: Platform>(&self, platform: P) -> Option<Outcome> {
        self.lock().acquire_on(platform, limit::<P>()).ok()
    }
    fn mark_consistent(&self) {
        self.lock().mark_consistent().unwrap();
    }
    #[inline(never)]
    fn release(&self) -> bool {
        match self.lock().release() {
            Ok(()) => true,
            Err(Error::NotOwner) => false,
            Err(error) => panic!("unexpected: {error:?}"),
        }
    }
    fn recursion(&self) -> u32 {
        self.lock().recursion()
    }
    fn is_locked(&self) -> bool {
        self.lock().is_locked()
    }
    fn page(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }
}

/// Planted: a lock with a count beside it that nobody resets. Whoever inherits holds it too often.
pub struct Counted(Shared<(MaybeUninit<Lock>, AtomicU32)>);

impl Counted {
    fn lock(&self) -> &Lock {
        // SAFETY: initialised in `create`; the lock is all atomics.
        unsafe { self.0.0.assume_init_ref() }
    }
}

impl Subject for Counted {
    fn create() -> Self {
        // SAFETY: any bytes are a MaybeUninit, and zero is an atomic.
        let at: Shared<(MaybeUninit<Lock>, AtomicU32)> = unsafe { Shared::zeroed() };
        // SAFETY: fresh, page-aligned memory, unmapped when nobody holds the lock.
        unsafe { Lock::init((&raw const (*at.as_ptr()).0).cast_mut().cast()) };
        Counted(at)
    }
    #[inline(never)]
    fn acquire<P: Platform>(&self, platform: P) -> Option<Outcome> {
        let mine = self.lock().is_mine_on(platform);
        let outcome =
            if mine { Outcome::Clean } else { self.lock().acquire_on(platform, limit::<P>()).ok()? };
        self.0.1.fetch_add(1, SeqCst);
        Some(outcome)
    }
    fn mark_consistent(&self) {
        self.lock().mark_consistent().unwrap();
    }
    #[inline(never)]
    fn release(&self) -> bool {
        if !self.lock().is_mine_on(Os {}) {
            return false;
        }
        self.0.1.fetch_sub(1, SeqCst) > 1 || self.lock().release().is_ok()
    }
    fn recursion(&self) -> u32 {
        if self.lock().is_mine_on(Os {}) { self.0.1.load(SeqCst) } else { 0 }
    }
    fn is_locked(&self) -> bool {
        self.lock().is_locked()
    }
    fn page(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }
}

// Words of the victim.
/// 1 while it is in the critical section.
const INSIDE: usize = VICTIM;
const RELEASED: usize = VICTIM + 1;
/// This process holds the lock.
const OURS: usize = VICTIM + 2;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Setting {
    Free,
    /// The parent holds it until the victim sleeps.
    Held,
    /// A dead one held it three times.
    Dead,
}

struct Play<S>(Setting, core::marker::PhantomData<S>);

impl<S> Clone for Play<S> {
    fn clone(&self) -> Self {
        Play(self.0, self.1)
    }
}

fn play<S: Subject>(setting: Setting) -> Play<S> {
    Play(setting, core::marker::PhantomData)
}

/// Acquires, once more, and releases both; notes on the board what it was told: 1 clean, 2 died, and what
/// is wrong: 1 half done, 2 count.
fn pass<S: Subject, P: Platform>(platform: P, lock: &S, board: &Board, at: usize) -> bool {
    let Some(outcome) = lock.acquire(platform) else { return false };
    let half_done = outcome == Outcome::Clean && board.get(INSIDE) == 1;
    if outcome == Outcome::OwnerDied {
        board.set(INSIDE, 0);
        lock.mark_consistent();
    }
    let mut right = lock.recursion() == 1;
    right &= lock.acquire(platform) == Some(Outcome::Clean) && lock.recursion() == 2;
    right &= lock.release() && lock.recursion() == 1;
    right &= lock.release() && lock.recursion() == 0 && !lock.release();
    board.set(at + 1, u64::from(half_done) + 2 * u64::from(!right));
    board.set(at, outcome as u64 + 1);
    true
}

impl<S: Subject> super::Play for Play<S> {
    type World = S;

    fn build(&self, _: u32, board: &Board) -> S {
        let lock = S::create();
        match self.0 {
            Setting::Free => {}
            Setting::Held => {
                assert!(lock.acquire(Os {}).is_some());
                board.set(OURS, 1);
            }
            Setting::Dead => {
                let mut dead = fork(|| (0..3).for_each(|_| assert!(lock.acquire(Os {}).is_some())));
                assert!(dead.wait(WATCHDOG) == Some(Exit::Code(0)));
            }
        }
        lock
    }

    fn prepare(&self, _: &S, board: &Board) {
        let other = S::create();
        pass(Os {}, &other, board, VICTIM + 4);
    }

    #[inline(always)]
    fn act(&self, lock: &S, board: &Board) {
        let outcome = lock.acquire(Os {}).unwrap();
        board.set(INSIDE, 1);
        if outcome == Outcome::OwnerDied {
            lock.mark_consistent();
        }
        assert!(lock.acquire(Os {}) == Some(Outcome::Clean));
        assert!(lock.release());
        board.set(INSIDE, 0);
        assert!(lock.release());
        board.set(RELEASED, 1);
    }

    fn sleep<P: Platform>(&self, platform: P, lock: &S, board: &Board, at: usize) {
        assert!(pass(platform, lock, board, at));
    }

    fn wake(&self, lock: &S, board: &Board) {
        lock.release();
        board.set(OURS, 0);
    }

    fn give_up(&self, lock: &S, board: &Board) {
        if board.get(OURS) == 1 {
            self.wake(lock, board);
        }
    }

    fn busy(&self, lock: &S) -> bool {
        lock.is_locked()
    }

    fn memory(&self, lock: &S) -> (*const u8, usize) {
        (lock.page(), 64)
    }

    fn judge(&self, cast: &mut Cast<S>) -> Verdict {
        let (lock, board) = (cast.world, cast.board);
        let (inside, released) = (board.get(INSIDE) == 1, board.get(RELEASED) == 1);
        self.give_up(lock, board);
        cast.finish(WATCHDOG)?;
        let last = cast.others.len();
        if !pass(Os {}, lock, board, seat(last)) {
            return Err("the lock is never free again".into());
        }
        for i in 0..=last {
            match board.get(seat(i) + 1) {
                0 => {}
                1 => return Err(format!("number {i} is told Clean, and finds the victim's work half done")),
                _ => return Err(format!("number {i} does not hold it as often as it acquired it")),
            }
        }
        let told = (0..=last).filter(|i| board.get(seat(*i)) == Outcome::OwnerDied as u64 + 1).count();
        // The first death may be told again, if the victim died before it marked.
        let wrong = told > 1 || released && told > 0 || inside && told != 1;
        check(!wrong, || format!("told {told} times; inside {inside}, released {released}"))?;
        check(!lock.is_locked(), || "in the end it is not free".into())
    }
}

pub fn cases(bill: &mut Bill) {
    use Course::*;
    use Setting::*;
    let name = "rlock: acquire twice .. release twice";
    bill.add(name, play::<Real>(Free), Runs, 0, 150);
    bill.add(name, play::<Real>(Free), Meets, 1, 150);
    bill.add(name, play::<Real>(Free), Meets, 2, 150);
    for n in 0..3 {
        bill.add(name, play::<Real>(Held), FallsAsleep, n, 15);
        bill.add(name, play::<Real>(Held), Woken, n, 40);
    }
    bill.add("rlock of a dead one", play::<Real>(Dead), Runs, 0, 150);
    bill.plant("rlock: a count that outlives its owner", play::<Counted>(Free), Runs, 0);
    bill.plant("rlock: a count that outlives its owner", play::<Counted>(Free), Meets, 1);
}
