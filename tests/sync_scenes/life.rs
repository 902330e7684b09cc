//! What stands alone is made in memory that may hold anything, also the like of it in use; whoever attaches
//! meanwhile finds nothing there, or all of it, as new.

use super::*;
use rialto::{Condition, Error, Event, Lock, Outcome, RLock, Result, Semaphore};
use std::{marker::PhantomData, sync::atomic::Ordering::SeqCst};

/// One of them.
trait Kind: Sized + 'static {
    const NAME: &'static str;
    fn init(at: *mut Self);
    fn attach<'a>(at: *const Self) -> Result<&'a Self>;
    /// Uses it so that it is not as new.
    fn spoil(&self);
    /// Uses it, and says whether it was as new.
    fn is_new(&self) -> bool;
}

macro_rules! kind {
    ($kind:ty, $name:literal, $init:expr, |$spoilt:ident| $spoil:expr, |$new:ident| $is_new:expr) => {
        impl Kind for $kind {
            const NAME: &'static str = $name;
            #[inline(never)]
            fn init(at: *mut Self) {
                // SAFETY: memory of the case, which nobody uses meanwhile.
                unsafe { $init(at) };
            }
            fn attach<'a>(at: *const Self) -> Result<&'a Self> {
                // SAFETY: as above; it stays until the case is over.
                unsafe { <$kind>::attach(at) }
            }
            fn spoil(&self) {
                let $spoilt = self;
                $spoil;
            }
            fn is_new(&self) -> bool {
                let $new = self;
                $is_new
            }
        }
    };
}

kind!(Event, "event", Event::init, |e| e.set(), |e| {
    !e.is_set() && e.wait_timeout(1) == Err(Error::TimedOut) && {
        e.set();
        e.wait().is_ok()
    }
});
kind!(Semaphore, "semaphore", |at| Semaphore::init_bounded(at, 2).unwrap(), |s| s.acquire().unwrap(), |s| s
    .value()
    == 2
    && s.release() == Err(Error::Overflow)
    && s.acquire().is_ok()
    && s.release().is_ok());
kind!(Condition, "condition", Condition::init, |c| c.notify(1), |c| {
    // SAFETY: released before it goes.
    let lock = unsafe { Lock::new() };
    let _guard = lock.acquire().unwrap();
    c.wait_timeout(&lock, 1) == Err(Error::TimedOut)
});
kind!(Lock, "lock", Lock::init, |l| lose(l.acquire_raw(0), || l.release()), |l| {
    !l.is_locked() && l.acquire_raw(0) == Ok(Outcome::Clean) && l.release().is_ok()
});
kind!(RLock, "rlock", RLock::init, |l| lose(l.acquire_raw(0), || l.release()), |l| {
    !l.is_locked()
        && l.acquire_raw(0) == Ok(Outcome::Clean)
        && l.recursion() == 1
        && l.acquire_raw(0) == Ok(Outcome::Clean)
        && l.release().is_ok()
        && l.release().is_ok()
});

/// It has been used.
fn lose(acquired: Result<Outcome>, release: impl FnOnce() -> Result<()>) {
    assert_eq!((acquired, release()), (Ok(Outcome::Clean), Ok(())));
}

struct Play<K> {
    /// There was one already.
    again: bool,
    of: PhantomData<K>,
}

impl<K> Clone for Play<K> {
    fn clone(&self) -> Self {
        Play { ..*self }
    }
}

impl<K: Kind> super::Play for Play<K> {
    type World = Shared<[AtomicU32; 16]>;

    fn build(&self, _: u32, _: &Board) -> Self::World {
        // SAFETY: atomics of zero.
        let world: Self::World = unsafe { Shared::zeroed() };
        if self.again {
            K::init(world.as_ptr().cast());
            K::attach(world.as_ptr().cast()).unwrap().spoil();
        } else {
            world.iter().for_each(|word| word.store(0x5a5a_5a5a, SeqCst));
        }
        world
    }

    fn prepare(&self, _: &Self::World, _: &Board) {}

    #[inline(always)]
    fn act(&self, world: &Self::World, _: &Board) {
        K::init(world.as_ptr().cast());
    }

    fn sleep<P: Platform>(&self, _: P, _: &Self::World, _: &Board, _: usize) {
        unreachable!("nobody sleeps on what is being made")
    }

    fn memory(&self, world: &Self::World) -> (*const u8, usize) {
        (world.as_ptr().cast(), 64)
    }

    fn judge(&self, cast: &mut Cast<Self::World>) -> Verdict {
        let at = cast.world.as_ptr().cast::<K>();
        match K::attach(at) {
            // Before its first step the one from before is there, behind its last the new one.
            Ok(_) if !cast.done() && self.again => {}
            Ok(it) => check(it.is_new(), || "it is there, and not as new".into())?,
            Err(Error::BadRegion) => check(!cast.done(), || "made, and nothing is there".into())?,
            Err(error) => return Err(format!("attach says {error:?}")),
        }
        K::init(at);
        check(K::attach(at).is_ok_and(K::is_new), || "made by a survivor, it is not as new".into())
    }
}

fn family<K: Kind>(bill: &mut Bill) {
    for again in [false, true] {
        let name = format!("{}.init{}", K::NAME, if again { " over another" } else { "" });
        bill.add(&name, Play::<K> { again, of: PhantomData }, Course::Runs, 0, 8);
    }
}

pub fn cases(bill: &mut Bill) {
    bill.gap = 1;
    family::<Event>(bill);
    family::<Semaphore>(bill);
    family::<Condition>(bill);
    family::<Lock>(bill);
    family::<RLock>(bill);
}
