//! Semaphores in tracked mode: the dead one's permits come back, each once; sleepers get them; its tokens
//! are worth nothing any more.

use super::*;
use rialto::{Depth, Error, TrackedSemaphore};
use std::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

const BOUND: usize = 2;

/// A tracked semaphore of two permits. Tokens are never 0.
pub trait Subject: Sized + 'static {
    const PATIENCE: Duration = WATCHDOG;
    fn create(tick_ms: u32) -> Self;
    fn acquire(&self, wait_ns: u64) -> u64;
    /// As a new member, which stays one.
    fn acquire_as_another(&self) -> u64;
    /// False: not a token that holds a permit.
    fn release(&self, token: u64) -> bool;
    fn value(&self) -> usize;
    fn recover(&self);
    fn memory(&self) -> (*const u8, usize);
}

pub struct Real {
    semaphore: TrackedSemaphore<'static>,
    another: RefCell<Vec<rialto::Member<'static>>>,
    forever: &'static Region,
    _region: Box<Region>,
}

impl Subject for Real {
    fn create(tick_ms: u32) -> Self {
        let (region, forever) = region(tick_ms);
        let semaphore = forever.create_semaphore("sweep", BOUND as u32).unwrap();
        Real { semaphore, another: RefCell::default(), forever, _region: region }
    }
    #[inline(never)]
    fn acquire(&self, wait_ns: u64) -> u64 {
        match self.semaphore.acquire_timeout(wait_ns) {
            Ok(permit) => permit.into_token(),
            Err(Error::WouldBlock | Error::TimedOut) => 0,
            Err(error) => panic!("unexpected: {error:?}"),
        }
    }
    fn acquire_as_another(&self) -> u64 {
        let member = self.forever.join().unwrap();
        let token = self.semaphore.as_member(&member).try_acquire().map_or(0, |permit| permit.into_token());
        self.another.borrow_mut().push(member);
        token
    }
    #[inline(never)]
    fn release(&self, token: u64) -> bool {
        match self.semaphore.release_token(token) {
            Ok(()) => true,
            Err(Error::NotOwner) => false,
            Err(error) => panic!("unexpected: {error:?}"),
        }
    }
    fn value(&self) -> usize {
        self.semaphore.value() as usize
    }
    #[inline(never)]
    fn recover(&self) {
        self.forever.recover(Depth::Marked);
    }
    fn memory(&self) -> (*const u8, usize) {
        (self.forever.as_ptr(), self.forever.len())
    }
}

/// Planted: a permit says who has it, and nothing else. So does a token: it is good again when the next one of
/// that name has the permit. Here this process is 1, and everybody else in turn is 2.
pub struct Nameless(Shared<[AtomicU64; BOUND]>, u32);

impl Nameless {
    fn take(&self, me: u64) -> u64 {
        let free = (0..BOUND).find(|i| self.0[*i].compare_exchange(0, me, SeqCst, SeqCst).is_ok());
        free.map_or(0, |i| me << 8 | i as u64)
    }
}

impl Subject for Nameless {
    fn create(_: u32) -> Self {
        // SAFETY: atomics of zero.
        Nameless(unsafe { Shared::zeroed() }, std::process::id())
    }
    #[inline(never)]
    fn acquire(&self, wait_ns: u64) -> u64 {
        if wait_ns > 0 && self.value() == 0 {
            self.recover();
        }
        self.take(if std::process::id() == self.1 { 1 } else { 2 })
    }
    fn acquire_as_another(&self) -> u64 {
        self.take(2)
    }
    #[inline(never)]
    fn release(&self, token: u64) -> bool {
        self.0[token as usize & 0xff].compare_exchange(token >> 8, 0, SeqCst, SeqCst).is_ok()
    }
    fn value(&self) -> usize {
        self.0.iter().filter(|word| word.load(SeqCst) == 0).count()
    }
    fn recover(&self) {
        // Of the victim, who is dead whenever this is called.
        for word in self.0.iter() {
            let _ = word.compare_exchange(2, 0, SeqCst, SeqCst);
        }
    }
    fn memory(&self) -> (*const u8, usize) {
        (self.0.as_ptr().cast(), 16)
    }
}

/// Planted: the real one, whose survivors only say that they recover.
pub struct NeverRecovers(Real);

impl Subject for NeverRecovers {
    fn create(tick_ms: u32) -> Self {
        NeverRecovers(Real::create(tick_ms))
    }
    fn acquire(&self, _: u64) -> u64 {
        self.0.acquire(0)
    }
    fn acquire_as_another(&self) -> u64 {
        self.0.acquire_as_another()
    }
    fn release(&self, token: u64) -> bool {
        self.0.release(token)
    }
    fn value(&self) -> usize {
        self.0.value()
    }
    fn recover(&self) {}
    fn memory(&self) -> (*const u8, usize) {
        self.0.memory()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    /// One of two.
    Acquire,
    /// The last one, and back.
    Pair,
    /// One of the two that it holds.
    Release,
    /// Of none; so many come.
    Wait(usize),
    /// Another is dead that held both.
    Recover,
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

// Words of the victim, and of who died before: two tokens each.
const TOKENS: usize = VICTIM;
/// This process's.
const OURS: usize = VICTIM + 2;
const DEAD: usize = VICTIM + 4;

pub struct World<S> {
    semaphore: S,
    holder: RefCell<Option<Child>>,
}

impl<S: Subject> super::Play for Play<S> {
    type World = World<S>;

    fn build(&self, tick_ms: u32, board: &Board) -> World<S> {
        // Sleepers must not be the first to see the dead one.
        let semaphore = S::create(if self.0 == Op::Recover { tick_ms.max(100) } else { tick_ms });
        let ours = match self.0 {
            Op::Wait(_) => 2,
            Op::Pair => 1,
            _ => 0,
        };
        (0..ours).for_each(|i| board.set(OURS + i, semaphore.acquire(0)));
        let holder = (self.0 == Op::Recover).then(|| {
            let holder = fork(|| {
                (0..BOUND).for_each(|i| board.set(DEAD + i, semaphore.acquire(0)));
                nap_until(board, GO);
            });
            nap_until(board, DEAD + BOUND - 1);
            holder
        });
        World { semaphore, holder: RefCell::new(holder) }
    }

    fn prepare(&self, world: &World<S>, board: &Board) {
        let semaphore = &world.semaphore;
        // Its first use here; one of the permits may be free.
        let token = semaphore.acquire(0);
        assert!(token == 0 || semaphore.release(token));
        if self.0 == Op::Release {
            (0..BOUND).for_each(|i| board.set(TOKENS + i, semaphore.acquire(0)));
        }
    }

    fn eve(&self, world: &World<S>, _: &Board) {
        world.holder.take();
    }

    fn act(&self, world: &World<S>, board: &Board) {
        let semaphore = &world.semaphore;
        match self.0 {
            Op::Acquire | Op::Wait(_) => {
                let token = semaphore.acquire(VICTIM_NS);
                board.set(TOKENS, token);
                assert!(token != 0);
            }
            Op::Pair => {
                let token = semaphore.acquire(VICTIM_NS);
                board.set(TOKENS, token);
                assert!(semaphore.release(token));
            }
            Op::Release => assert!(semaphore.release(board.get(TOKENS))),
            Op::Recover => semaphore.recover(),
        }
    }

    fn sleep<P: Platform>(&self, _: P, world: &World<S>, board: &Board, at: usize) {
        let token = world.semaphore.acquire(FOREVER);
        board.set(at + 1, token);
        board.set(at, 1);
        nap_until(board, GO);
        // A second time it is worth nothing.
        assert!(token != 0 && world.semaphore.release(token) && !world.semaphore.release(token));
    }

    fn wake(&self, world: &World<S>, board: &Board) {
        let Op::Wait(n) = self.0 else { return };
        for i in 0..n {
            assert!(world.semaphore.release(board.get(OURS + i)));
            board.set(OURS + i, 0);
        }
    }

    fn give_up(&self, world: &World<S>, board: &Board) {
        // With a permit in hand, this thread would stay a member of that region.
        (OURS..OURS + 2).filter(|at| board.get(*at) != 0).for_each(|at| {
            world.semaphore.release(board.get(at));
        });
    }

    fn busy(&self, world: &World<S>) -> bool {
        self.0 == Op::Pair && world.semaphore.value() == 0
    }

    fn memory(&self, world: &World<S>) -> (*const u8, usize) {
        world.semaphore.memory()
    }

    fn judge(&self, cast: &mut Cast<World<S>>) -> Verdict {
        let (semaphore, board) = (&cast.world.semaphore, cast.board);
        let sleepers = cast.others.len();
        let mut ours: Vec<u64> = (0..2).map(|i| board.get(OURS + i)).filter(|token| *token != 0).collect();
        // Of a victim that lives.
        let theirs = match self.0 {
            _ if cast.after != After::Lives => 0,
            Op::Acquire | Op::Release | Op::Wait(_) => 1,
            Op::Pair | Op::Recover => 0,
        };
        // All the others are there for the sleepers, who look for the dead themselves.
        let owed = sleepers.min(BOUND - ours.len() - theirs);
        cast.expect(owed, S::PATIENCE)?;
        if sleepers == 0 && ours.len() + theirs < BOUND {
            // Whoever comes now and waits does, too.
            let token = semaphore.acquire(WATCHDOG_NS);
            check(token != 0 && semaphore.release(token), || "no permit comes back".into())?;
        }
        semaphore.recover();
        // The dead one's name and its permit are issued anew.
        while let token @ 1.. = semaphore.acquire_as_another() {
            ours.push(token);
        }
        let theirs_now: Vec<u64> =
            (0..sleepers).map(|i| board.get(seat(i) + 1)).filter(|t| *t != 0).collect();
        let held = ours.len() + theirs + theirs_now.len();
        check(held == BOUND && semaphore.value() == 0, || {
            format!("{held} permits are held and {} free, of {BOUND}", semaphore.value())
        })?;
        if theirs == 0 {
            for at in [TOKENS, TOKENS + 1, DEAD, DEAD + 1] {
                let stale = board.get(at);
                check(stale == 0 || !semaphore.release(stale), || format!("{stale:x}: a dead one's token"))?;
            }
        }
        // Enough for those who still sleep, then all comes back.
        board.set(GO, 1);
        ours.iter().try_for_each(|token| check(semaphore.release(*token), || "not released".into()))?;
        cast.finish(S::PATIENCE)?;
        let (free, all) = (semaphore.value(), BOUND - theirs);
        check(free == all, || format!("in the end {free} are free, of {all}"))?;
        if theirs > 0 {
            return Ok(());
        }
        // As new, for those who come later.
        let tokens: Vec<u64> = (0..BOUND).map(|_| semaphore.acquire(0)).collect();
        check(!tokens.contains(&0) && semaphore.acquire(0) == 0, || format!("in the end {tokens:x?}"))?;
        tokens.iter().try_for_each(|token| check(semaphore.release(*token), || "not released".into()))
    }
}

pub fn cases(bill: &mut Bill) {
    use Course::*;
    bill.gap = 1;
    bill.add("tracked.acquire", play::<Real>(Op::Acquire), Runs, 0, 150);
    for n in 0..3 {
        let course = if n == 0 { Runs } else { Meets };
        bill.gap = 1;
        bill.add("tracked.acquire .. release", play::<Real>(Op::Pair), course, n, 150);
        bill.add("tracked.release_token", play::<Real>(Op::Release), Runs, n, 30);
        bill.gap = 16;
        bill.add("tracked.acquire", play::<Real>(Op::Wait(1)), FallsAsleep, n, 80);
        bill.gap = 1;
        bill.add("tracked.acquire of 1", play::<Real>(Op::Wait(1)), Woken, n, 20);
        bill.gap = 16;
        bill.add("tracked: recover two permits", play::<Real>(Op::Recover), Runs, n, 60);
    }
    bill.gap = 1;
    bill.add("tracked.acquire of 2", play::<Real>(Op::Wait(2)), Woken, 2, 20);
    bill.plant("tracked: tokens without a generation", play::<Nameless>(Op::Pair), Runs, 0);
    bill.plant("tracked: nobody recovers", play::<NeverRecovers>(Op::Pair), Runs, 0);
    bill.plant("tracked: nobody recovers", play::<NeverRecovers>(Op::Release), Runs, 0);
}
