//! What a contestant is: something with a sending and a receiving end for messages of N bytes.

use std::{
    any::type_name,
    hint::spin_loop,
    sync::atomic::{AtomicU32, Ordering::*},
};

/// Messages in a batch.
pub const BATCH: usize = 16;

pub trait Tx<const N: usize> {
    /// Whether there was room. Copies the message in.
    fn try_send(&mut self, message: &[u8; N]) -> bool;
    /// Waits for room by the contestant's own means. Only asked of those that say [`Pair::BLOCKS`].
    fn send(&mut self, _: &[u8; N]) {
        unreachable!("{} cannot block", type_name::<Self>())
    }
    /// How many of at most `BATCH` messages there was room for. Only asked of those that say [`Pair::BATCHES`].
    fn try_send_many(&mut self, _: &[[u8; N]]) -> usize {
        unreachable!("{} has no batches", type_name::<Self>())
    }
}

pub trait Rx<const N: usize> {
    /// Whether there was a message. Copies it out.
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool;
    /// As [`Tx::send`].
    fn recv(&mut self, _: &mut [u8; N]) {
        unreachable!("{} cannot block", type_name::<Self>())
    }
    /// As [`Tx::try_send_many`].
    fn try_recv_many(&mut self, _: &mut [[u8; N]]) -> usize {
        unreachable!("{} has no batches", type_name::<Self>())
    }
}

/// A queue with its two ends. It is made once and used in every round, so its pages are there.
pub trait Pair<const N: usize>: Sized {
    type Tx<'a>: Tx<N>
    where
        Self: 'a;
    type Rx<'a>: Rx<N>
    where
        Self: 'a;
    /// Has `send` and `recv`.
    const BLOCKS: bool = false;
    /// Has `try_send_many` and `try_recv_many`.
    const BATCHES: bool = false;
    /// Has `try_send` and `try_recv`.
    const POLLS: bool = true;

    /// `depth` messages fit, if the contestant has a say in that. `block`: `send` and `recv` will be used, else
    /// `try_send` and `try_recv`. Errors: the reason why it must be left out.
    fn new(depth: usize, block: bool) -> Result<Self, String>;

    /// The two ends, each made in the thread that uses it.
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send);
}

/// How many pauses there are at most between two tries of who polls.
pub static MOST_PAUSES: AtomicU32 = AtomicU32::new(1);

/// Tries until it is done, with pauses in between that double up to [`MOST_PAUSES`]: the same for everybody.
#[inline(always)]
pub fn poll<T>(mut once: impl FnMut() -> Option<T>) -> T {
    let mut pauses = 1;
    loop {
        if let Some(done) = once() {
            return done;
        }
        (0..pauses).for_each(|_| spin_loop());
        pauses = (pauses * 2).min(MOST_PAUSES.load(Relaxed));
    }
}

/// Sends, by polling or by blocking.
#[inline(always)]
pub fn put<const N: usize, const BLOCK: bool>(tx: &mut impl Tx<N>, message: &[u8; N]) {
    if BLOCK {
        return tx.send(message);
    }
    poll(|| tx.try_send(message).then_some(()))
}

/// Receives, by polling or by blocking.
#[inline(always)]
pub fn get<const N: usize, const BLOCK: bool>(rx: &mut impl Rx<N>, into: &mut [u8; N]) {
    if BLOCK {
        return rx.recv(into);
    }
    poll(|| rx.try_recv(into).then_some(()))
}
