//! What no queue can be faster than: copying the message in and out, and a futex with one word.
//! The third floor, the cache line's round trip, is the bracket of each burst (see `duo`).

use crate::{
    contest::Contest,
    duo::{Duo, Raced, Start, nanoseconds_each},
    pair::{Pair, Rx, Tx},
    payload::{check, filled, stamp},
};
use std::{
    cell::UnsafeCell,
    hint::{black_box, spin_loop},
    ptr::null,
    sync::atomic::{AtomicU32, Ordering::*},
};

/// Two copies by one thread, through as many slots as the queues have.
pub struct Memcpy<const N: usize>(Vec<[u8; N]>);

impl<const N: usize> Memcpy<N> {
    pub fn new(depth: usize) -> Self {
        Memcpy(vec![[0; N]; depth])
    }
}

impl<const N: usize> Contest for Memcpy<N> {
    fn burst(&mut self, duo: Duo, n: u64) -> Raced {
        let (mut from, mut to) = (filled::<N>(), [0; N]);
        let depth = self.0.len();
        let copy = || {
            for i in 0..n {
                let slot = &mut self.0[i as usize % depth];
                *slot = *stamp(&mut from, i);
                to = *black_box(slot);
                check(&mut to, i);
            }
        };
        duo.race(Start::wait, |start| {
            start.wait();
            nanoseconds_each(n, copy)
        })
    }
}

const EMPTY: u32 = 0;
const FULL: u32 = 1;
const SLEEPER: u32 = 2;

/// A place for one message and a futex word, good for ping-pong only: the sender never meets a full one. The
/// receiver looks up to SPINS pauses long, as politely as our queues do, before it sleeps.
pub struct Futex<const N: usize, const SPINS: u32>(Box<Place<N>>);

#[repr(C, align(64))]
pub struct Place<const N: usize> {
    word: AtomicU32,
    message: UnsafeCell<[u8; N]>,
}
// SAFETY: the word says whose turn it is.
unsafe impl<const N: usize> Sync for Place<N> {}

pub struct End<'a, const N: usize, const SPINS: u32>(&'a Place<N>);

impl<const N: usize, const SPINS: u32> Pair<N> for Futex<N, SPINS> {
    type Tx<'a> = End<'a, N, SPINS>;
    type Rx<'a> = End<'a, N, SPINS>;
    const BLOCKS: bool = true;
    const POLLS: bool = false;

    fn new(_: usize, _: bool) -> Result<Self, String> {
        Ok(Futex(Box::new(Place { word: AtomicU32::new(EMPTY), message: UnsafeCell::new([0; N]) })))
    }
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send) {
        (|| End(&self.0), || End(&self.0))
    }
}

impl<const N: usize, const SPINS: u32> Tx<N> for End<'_, N, SPINS> {
    fn try_send(&mut self, _: &[u8; N]) -> bool {
        unreachable!("has no calls that poll")
    }
    #[inline(always)]
    fn send(&mut self, message: &[u8; N]) {
        let word = &self.0.word;
        assert_ne!(word.load(Acquire), FULL);
        // SAFETY: not full: the sender's turn.
        unsafe { *self.0.message.get() = *message };
        if word.swap(FULL, AcqRel) == SLEEPER {
            // SAFETY: a living word, shared as our queues' are.
            unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAKE, 1) };
        }
    }
}

impl<const N: usize, const SPINS: u32> Rx<N> for End<'_, N, SPINS> {
    fn try_recv(&mut self, _: &mut [u8; N]) -> bool {
        unreachable!("has no calls that poll")
    }
    #[inline(always)]
    fn recv(&mut self, into: &mut [u8; N]) {
        let word = &self.0.word;
        let (mut pauses, mut left) = (1, SPINS);
        while word.load(Acquire) != FULL && left > 0 {
            let n = left.min(pauses);
            (0..n).for_each(|_| spin_loop());
            left -= n;
            pauses = (pauses * 2).min(64);
        }
        while word.load(Acquire) != FULL {
            let _ = word.compare_exchange(EMPTY, SLEEPER, AcqRel, Acquire);
            // SAFETY: as above; for ever.
            unsafe {
                libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAIT, SLEEPER, null::<libc::timespec>())
            };
        }
        // SAFETY: full: the receiver's turn.
        unsafe { *into = *self.0.message.get() };
        word.store(EMPTY, Release);
    }
}
