//! A condition with its lock under the sweep: what is asked of it, the real one, and a planted one.

use super::{WATCHDOG, futex, limit};
use crate::support::shared::Shared;
use rialto::{
    Condition, Lock, Lockable, Outcome, RLock,
    sys::{Os, Platform},
};
use std::{
    mem::MaybeUninit,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

/// A condition with its lock, in one page.
pub trait Subject: Sized + 'static {
    const PATIENCE: Duration = WATCHDOG;
    /// A wait after all this is as a first one.
    const AS_NEW: bool = true;
    fn create() -> Self;
    /// As often as the lock's kind can; so `release`.
    fn acquire<P: Platform>(&self, platform: P) -> Option<Outcome>;
    fn release(&self);
    fn mark_consistent(&self);
    fn wait<P: Platform>(&self, platform: P) -> Outcome;
    /// Waits in vain, for a moment.
    fn expire(&self);
    fn wait_for<P: Platform>(&self, platform: P, predicate: impl FnMut() -> bool) -> Outcome;
    fn notify(&self, n: u32);
    fn notify_all(&self);
    /// How often anybody was notified.
    fn notified(&self) -> u32;
    fn is_locked(&self) -> bool;
    fn page(&self) -> *const u8;
}

/// What the two locks do under different names.
pub trait Kind: Lockable + 'static {
    const DEPTH: u32;
    /// # Safety
    /// As [`Lock::init`].
    unsafe fn init(at: *mut Self);
    fn is_locked(&self) -> bool;
}

impl Kind for Lock {
    const DEPTH: u32 = 1;
    unsafe fn init(at: *mut Self) {
        // SAFETY: the caller's.
        unsafe { Lock::init(at) }
    }
    fn is_locked(&self) -> bool {
        Lock::is_locked(self)
    }
}

impl Kind for RLock {
    const DEPTH: u32 = 2;
    unsafe fn init(at: *mut Self) {
        // SAFETY: the caller's.
        unsafe { RLock::init(at) }
    }
    fn is_locked(&self) -> bool {
        RLock::is_locked(self)
    }
}

#[repr(C)]
struct Both<L> {
    condition: MaybeUninit<Condition>,
    lock: MaybeUninit<L>,
}

pub struct Real<L>(Shared<Both<L>>);

impl<L: Kind> Real<L> {
    fn condition(&self) -> &Condition {
        // SAFETY: initialised in `create`; all atomics. So below.
        unsafe { self.0.condition.assume_init_ref() }
    }
    fn lock(&self) -> &L {
        // SAFETY: as above.
        unsafe { self.0.lock.assume_init_ref() }
    }
}

impl<L: Kind> Subject for Real<L> {
    fn create() -> Self {
        // SAFETY: any bytes are a MaybeUninit.
        let at: Shared<Both<L>> = unsafe { Shared::zeroed() };
        // SAFETY: fresh, page-aligned memory, unmapped when nobody holds the lock.
        unsafe {
            Condition::init((&raw mut (*at.as_ptr()).condition).cast());
            L::init((&raw mut (*at.as_ptr()).lock).cast());
        }
        Real(at)
    }
    #[inline(never)]
    fn acquire<P: Platform>(&self, platform: P) -> Option<Outcome> {
        let outcome = self.lock().acquire_on(platform, limit::<P>()).ok()?;
        (1..L::DEPTH)
            .for_each(|_| assert!(self.lock().acquire_on(platform, limit::<P>()) == Ok(Outcome::Clean)));
        Some(outcome)
    }
    #[inline(never)]
    fn release(&self) {
        (0..L::DEPTH).for_each(|_| self.lock().release_on(Os {}).unwrap());
    }
    fn mark_consistent(&self) {
        self.lock().mark_consistent_on(Os {}).unwrap();
    }
    #[inline(never)]
    fn wait<P: Platform>(&self, platform: P) -> Outcome {
        self.condition().wait_on(platform, self.lock(), limit::<P>()).unwrap()
    }
    #[inline(never)]
    fn expire(&self) {
        let result = self.condition().wait_timeout(self.lock(), 20_000_000);
        assert_eq!(result, Err(rialto::Error::TimedOut));
    }
    #[inline(never)]
    fn wait_for<P: Platform>(&self, platform: P, predicate: impl FnMut() -> bool) -> Outcome {
        self.condition().wait_for_on(platform, self.lock(), limit::<P>(), predicate).unwrap()
    }
    #[inline(never)]
    fn notify(&self, n: u32) {
        self.condition().notify(n);
    }
    #[inline(never)]
    fn notify_all(&self) {
        self.condition().notify_all(self.lock());
    }
    fn notified(&self) -> u32 {
        // SAFETY: the word at offset 8, as the module's table has it.
        unsafe { (*self.0.as_ptr().cast::<AtomicU32>().add(2)).load(SeqCst) }
    }
    fn is_locked(&self) -> bool {
        self.lock().is_locked()
    }
    fn page(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }
}

/// Planted: waiters are counted, and each notify hands tokens to as many; a token that dies with its
/// receiver is gone. It even ticks.
pub struct Tokens(Real<Lock>, Shared<[AtomicU32; 3]>);

impl Tokens {
    fn give(&self, n: u32) {
        self.1[2].fetch_add(1, SeqCst);
        let n = n.min(self.1[0].load(SeqCst));
        self.1[0].fetch_sub(n, SeqCst);
        self.1[1].fetch_add(n, SeqCst);
        futex(&self.1[1], libc::FUTEX_WAKE, n, Duration::ZERO);
    }
}

impl Subject for Tokens {
    const PATIENCE: Duration = Duration::from_millis(500);
    /// The dead one is still counted, which is not what is to be found here.
    const AS_NEW: bool = false;
    fn create() -> Self {
        // SAFETY: atomics of zero.
        Tokens(Real::create(), unsafe { Shared::zeroed() })
    }
    fn acquire<P: Platform>(&self, platform: P) -> Option<Outcome> {
        self.0.acquire(platform)
    }
    fn release(&self) {
        self.0.release();
    }
    fn mark_consistent(&self) {
        self.0.mark_consistent();
    }
    #[inline(never)]
    fn wait<P: Platform>(&self, platform: P) -> Outcome {
        self.1[0].fetch_add(1, SeqCst);
        self.0.release();
        loop {
            let tokens = self.1[1].load(SeqCst);
            if tokens == 0 {
                futex(&self.1[1], libc::FUTEX_WAIT, 0, Duration::from_nanos(P::TICK_NS));
            } else if self.1[1].compare_exchange(tokens, tokens - 1, SeqCst, SeqCst).is_ok() {
                break;
            }
        }
        self.0.acquire(platform).unwrap()
    }
    fn expire(&self) {
        unreachable!("no case of its")
    }
    fn wait_for<P: Platform>(&self, platform: P, mut predicate: impl FnMut() -> bool) -> Outcome {
        while !predicate() {
            self.wait(platform);
        }
        Outcome::Clean
    }
    #[inline(never)]
    fn notify(&self, n: u32) {
        self.give(n);
    }
    #[inline(never)]
    fn notify_all(&self) {
        self.give(u32::MAX);
    }
    fn notified(&self) -> u32 {
        self.1[2].load(SeqCst)
    }
    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
    fn page(&self) -> *const u8 {
        self.0.page()
    }
}
