//! A barrier under the sweep: what is asked of it, the real one, and a planted one.

use super::{WATCHDOG, futex, region};
use crate::support::shared::Shared;
use rialto::{Barrier, Depth, Error, Region};
use std::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Got {
    Index(u32),
    Broken,
    TimedOut,
}

pub trait Subject: Sized + 'static {
    const PATIENCE: Duration = WATCHDOG;
    fn create(tick_ms: u32, parties: u32) -> Self;
    /// First uses, elsewhere.
    fn warm(&self) {}
    fn wait(&self, timeout_ns: u64, action: impl FnOnce() -> bool) -> Got;
    fn register(&self) -> bool;
    fn unregister(&self) -> bool;
    fn abort(&self);
    fn reset(&self);
    fn is_broken(&self) -> bool;
    fn n_waiting(&self) -> u32;
    fn recover(&self);
    fn memory(&self) -> (*const u8, usize);
}

pub struct Real {
    barrier: Barrier<'static>,
    warm: Barrier<'static>,
    forever: &'static Region,
    _region: Box<Region>,
}

impl Subject for Real {
    fn create(tick_ms: u32, parties: u32) -> Self {
        let (region, forever) = region(tick_ms);
        let barrier = forever.create_barrier("sweep", parties).unwrap();
        let warm = forever.create_barrier("warm", 1).unwrap();
        Real { barrier, warm, forever, _region: region }
    }
    fn warm(&self) {
        assert!(self.warm.wait() == Ok(0));
    }
    #[inline(never)]
    fn wait(&self, timeout_ns: u64, action: impl FnOnce() -> bool) -> Got {
        match self.barrier.wait_with(timeout_ns, action) {
            Ok(index) => Got::Index(index),
            Err(Error::Broken) => Got::Broken,
            Err(Error::TimedOut) => Got::TimedOut,
            Err(error) => panic!("unexpected: {error:?}"),
        }
    }
    #[inline(never)]
    fn register(&self) -> bool {
        self.barrier.register().is_ok()
    }
    #[inline(never)]
    fn unregister(&self) -> bool {
        self.barrier.unregister().is_ok()
    }
    #[inline(never)]
    fn abort(&self) {
        self.barrier.abort();
    }
    #[inline(never)]
    fn reset(&self) {
        self.barrier.reset();
    }
    fn is_broken(&self) -> bool {
        self.barrier.is_broken()
    }
    fn n_waiting(&self) -> u32 {
        self.barrier.n_waiting()
    }
    #[inline(never)]
    fn recover(&self) {
        self.forever.recover(Depth::Marked);
    }
    fn memory(&self) -> (*const u8, usize) {
        (self.forever.as_ptr(), self.forever.len())
    }
}

/// Planted: arrivals are counted, and a count does not say whose it is.
pub struct Counting(Shared<[AtomicU32; 4]>);

const COUNT: usize = 0;
const GENERATION: usize = 1;
const BROKEN: usize = 2;
const PARTIES: usize = 3;

impl Subject for Counting {
    const PATIENCE: Duration = Duration::from_millis(500);
    fn create(_: u32, parties: u32) -> Self {
        // SAFETY: atomics of zero.
        let words: Shared<[AtomicU32; 4]> = unsafe { Shared::zeroed() };
        words[PARTIES].store(parties, SeqCst);
        Counting(words)
    }
    #[inline(never)]
    fn wait(&self, _: u64, action: impl FnOnce() -> bool) -> Got {
        let generation = self.0[GENERATION].load(SeqCst);
        let index = self.0[COUNT].fetch_add(1, SeqCst);
        if index + 1 == self.0[PARTIES].load(SeqCst) {
            action();
            self.0[COUNT].store(0, SeqCst);
            self.0[GENERATION].fetch_add(1, SeqCst);
            futex(&self.0[GENERATION], libc::FUTEX_WAKE, i32::MAX as u32, Duration::ZERO);
        }
        while self.0[GENERATION].load(SeqCst) == generation {
            if self.is_broken() {
                return Got::Broken;
            }
            futex(&self.0[GENERATION], libc::FUTEX_WAIT, generation, Duration::from_millis(20));
        }
        Got::Index(index)
    }
    fn register(&self) -> bool {
        true
    }
    fn unregister(&self) -> bool {
        true
    }
    fn abort(&self) {
        self.0[BROKEN].store(1, SeqCst);
    }
    fn reset(&self) {
        self.0[COUNT].store(0, SeqCst);
        self.0[BROKEN].store(0, SeqCst);
    }
    fn is_broken(&self) -> bool {
        self.0[BROKEN].load(SeqCst) != 0
    }
    fn n_waiting(&self) -> u32 {
        self.0[COUNT].load(SeqCst)
    }
    fn recover(&self) {}
    fn memory(&self) -> (*const u8, usize) {
        (self.0.as_ptr().cast(), 16)
    }
}
