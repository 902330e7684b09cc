//! Events: whoever waits for a set that happened returns; one that did not happen can be made up for.

use super::*;
use rialto::Event;
use std::{
    mem::MaybeUninit,
    sync::atomic::Ordering::{Acquire, SeqCst},
};

pub trait Subject: Sized + 'static {
    const PATIENCE: Duration = WATCHDOG;
    fn create() -> Self;
    fn set(&self);
    fn clear(&self);
    fn is_set(&self) -> bool;
    fn wait<P: Platform>(&self, platform: P) -> bool;
    /// Odd: set. Every clear makes a new one.
    fn phase(&self) -> u32;
    fn page(&self) -> *const u8;
}

pub struct Real(Shared<MaybeUninit<Event>>);

impl Real {
    fn event(&self) -> &Event {
        // SAFETY: initialised in `create`; the event is all atomics.
        unsafe { (*self.0).assume_init_ref() }
    }
}

impl Subject for Real {
    fn create() -> Self {
        // SAFETY: any bytes are a MaybeUninit.
        let at: Shared<MaybeUninit<Event>> = unsafe { Shared::zeroed() };
        // SAFETY: fresh, page-aligned memory.
        unsafe { Event::init(at.as_ptr().cast()) };
        Real(at)
    }
    #[inline(never)]
    fn set(&self) {
        self.event().set();
    }
    #[inline(never)]
    fn clear(&self) {
        self.event().clear();
    }
    fn is_set(&self) -> bool {
        self.event().is_set()
    }
    #[inline(never)]
    fn wait<P: Platform>(&self, platform: P) -> bool {
        self.event().wait_on(platform, limit::<P>()).is_ok()
    }
    fn phase(&self) -> u32 {
        // SAFETY: the word at offset 8, as the module's table has it.
        unsafe { (*self.0.as_ptr().cast::<AtomicU32>().add(2)).load(SeqCst) }
    }
    fn page(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }
}

/// Planted: a flag and a futex. What is set already is not set again, and sleepers rely on the wake-up.
pub struct Flag(Shared<AtomicU32>);

impl Subject for Flag {
    const PATIENCE: Duration = Duration::from_millis(500);
    fn create() -> Self {
        // SAFETY: an atomic of zero.
        Flag(unsafe { Shared::zeroed() })
    }
    #[inline(never)]
    fn set(&self) {
        if self.0.swap(1, SeqCst) == 0 {
            futex(&self.0, libc::FUTEX_WAKE, i32::MAX as u32, Duration::ZERO);
        }
    }
    #[inline(never)]
    fn clear(&self) {
        self.0.store(0, SeqCst);
    }
    fn is_set(&self) -> bool {
        self.0.load(Acquire) != 0
    }
    #[inline(never)]
    fn wait<P: Platform>(&self, _: P) -> bool {
        while self.0.load(SeqCst) == 0 {
            futex(&self.0, libc::FUTEX_WAIT, 0, WATCHDOG);
        }
        true
    }
    fn phase(&self) -> u32 {
        self.0.load(SeqCst)
    }
    fn page(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    Set,
    /// Of one that is set.
    SetAgain,
    SetAndClear,
    Clear,
    Wait,
    /// For one that is set.
    Pass,
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

impl<S: Subject> super::Play for Play<S> {
    type World = S;

    fn build(&self, _: u32, _: &Board) -> S {
        let event = S::create();
        if matches!(self.0, Op::SetAgain | Op::Clear | Op::Pass) {
            event.set();
        }
        event
    }

    fn prepare(&self, _: &S, _: &Board) {
        let other = S::create();
        other.set();
        other.wait(Os {});
        other.clear();
    }

    fn act(&self, event: &S, _: &Board) {
        match self.0 {
            Op::Set | Op::SetAgain => event.set(),
            Op::SetAndClear => {
                event.set();
                event.clear();
            }
            Op::Clear => event.clear(),
            Op::Wait | Op::Pass => assert!(event.wait(Os {})),
        }
    }

    fn sleep<P: Platform>(&self, platform: P, event: &S, board: &Board, at: usize) {
        board.set(at, u64::from(event.wait(platform)));
    }

    fn wake(&self, event: &S, _: &Board) {
        event.set();
    }

    fn memory(&self, event: &S) -> (*const u8, usize) {
        (event.page(), 64)
    }

    fn judge(&self, cast: &mut Cast<S>) -> Verdict {
        let (op, event, phase) = (self.0, cast.world, cast.world.phase());
        let before = u32::from(matches!(op, Op::SetAgain | Op::Clear | Op::Pass));
        let ends: &[u32] = match op {
            Op::Set => &[0, 1],
            Op::SetAndClear => &[0, 1, 2],
            Op::Clear => &[1, 2],
            Op::SetAgain | Op::Pass => &[1],
            Op::Wait => &[0, 1],
        };
        check(ends.contains(&phase), || format!("{op:?} ends in phase {phase}"))?;
        let last = ends.last() == Some(&phase) || op == Op::Wait;
        check(last || !cast.done(), || format!("{op:?} has ended in phase {phase}"))?;
        // It was set: they go by themselves. Else, or if nobody ticks, somebody sets it for them.
        if phase == before || cast.after == After::Again {
            event.set();
        }
        cast.finish(S::PATIENCE)?;
        // As new, for those who come later.
        event.clear();
        check(!event.is_set(), || "cleared, it is set".into())?;
        let mut later = fork(|| assert!(event.wait(Ticking::<60_000>)));
        check(later.wait_asleep(WATCHDOG), || "nobody can wait for it any more".into())?;
        event.set();
        check(event.is_set() && event.wait(Os {}), || "set, it is not set".into())?;
        finish(&mut later, 9, S::PATIENCE)
    }
}

pub fn cases(bill: &mut Bill) {
    use Course::*;
    for n in 0..3 {
        bill.add("event.set", play::<Real>(Op::Set), Runs, n, 15);
        bill.add("event.set and clear", play::<Real>(Op::SetAndClear), Runs, n, 25);
        bill.add("event.wait", play::<Real>(Op::Wait), FallsAsleep, n, 15);
        bill.add("event.wait", play::<Real>(Op::Wait), Woken, n, 8);
    }
    bill.add("event.set of a set one", play::<Real>(Op::SetAgain), Runs, 0, 15);
    bill.add("event.clear", play::<Real>(Op::Clear), Runs, 0, 10);
    bill.add("event.wait for a set one", play::<Real>(Op::Pass), Runs, 0, 10);
    for n in 1..3 {
        bill.again("event.set", play::<Real>(Op::Set), Runs, n, 15);
    }
    for n in 1..3 {
        bill.plant("event: a flag, no tick", play::<Flag>(Op::Set), Runs, n);
    }
}
