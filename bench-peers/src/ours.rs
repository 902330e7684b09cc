//! Rialto's queues.

use crate::pair::{Pair, Rx, Tx};
use rialto::{Error, Queue, QueueConfig, Region, RegionConfig};
use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering::*},
};

/// Pages come on first use.
const REGION_BYTES: u64 = 1 << 30;

fn region() -> &'static Region {
    static REGION: OnceLock<Region> = OnceLock::new();
    REGION.get_or_init(|| Region::create_anonymous(REGION_BYTES as _, &RegionConfig::default()).unwrap())
}

fn fresh_name() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("bench{}", NUMBER.fetch_add(1, Relaxed))
}

/// Whether it was done; `WouldBlock` is the only reason not to.
#[inline(always)]
fn done<T>(result: rialto::Result<T>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(Error::WouldBlock) => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// Which of the queue's kinds.
pub const STOP_SAFE: u8 = 0;
pub const KILL_ONLY: u8 = 1;

pub struct Mpmc<const WHICH: u8>(Queue<'static>);

impl<const N: usize, const WHICH: u8> Pair<N> for Mpmc<WHICH> {
    type Tx<'a> = Queue<'static>;
    type Rx<'a> = Queue<'static>;
    const BLOCKS: bool = true;

    fn new(depth: usize, _: bool) -> Result<Self, String> {
        let config =
            QueueConfig { kill_only: WHICH == KILL_ONLY, ..QueueConfig::new(depth as u32, N as u32) };
        region().create_queue(&fresh_name(), &config).map(Mpmc).map_err(|error| format!("{error:?}"))
    }
    fn split(&mut self) -> (impl FnOnce() -> Queue<'static> + Send, impl FnOnce() -> Queue<'static> + Send) {
        let queue = self.0;
        (move || queue, move || queue)
    }
}

impl<const N: usize> Tx<N> for Queue<'static> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        done(self.try_push(message)).is_some()
    }
    #[inline(always)]
    fn send(&mut self, message: &[u8; N]) {
        self.push(message).unwrap();
    }
}

impl<const N: usize> Rx<N> for Queue<'static> {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        done(self.try_pop(into)).is_some_and(|got| {
            assert_eq!(got.len, N);
            true
        })
    }
    #[inline(always)]
    fn recv(&mut self, into: &mut [u8; N]) {
        assert_eq!(self.pop(into).unwrap().len, N);
    }
}
