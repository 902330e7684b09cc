//! Rialto's queues, one kind per file.

pub mod mpmc;
pub mod pipe;
pub mod spsc;

use rialto::{Error, Member, Region, RegionConfig};
use std::{
    cell::OnceCell,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::*},
    },
};

/// Pages come on first use.
const REGION_BYTES: usize = 1 << 30;

fn region() -> &'static Region {
    static REGION: OnceLock<Region> = OnceLock::new();
    let config = RegionConfig { objects: 1024, ..RegionConfig::default() };
    REGION.get_or_init(|| Region::create_anonymous(REGION_BYTES as _, &config).unwrap())
}

/// As whom the main thread claims ends that outlast the threads which use them.
fn member() -> &'static Member<'static> {
    thread_local!(static MEMBER: OnceCell<&'static Member<'static>> = const { OnceCell::new() });
    MEMBER.with(|member| *member.get_or_init(|| Box::leak(Box::new(region().join().unwrap()))))
}

fn fresh_name() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("bench{}", NUMBER.fetch_add(1, Relaxed))
}

fn say(error: Error) -> String {
    format!("{error:?}")
}

/// What was done; `WouldBlock` is the only reason not to.
#[inline(always)]
fn done<T>(result: rialto::Result<T>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(Error::WouldBlock) => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// A batch, as our calls take it.
#[inline(always)]
fn slices<const N: usize>(messages: &[[u8; N]]) -> heapless::Vec<&[u8], { crate::pair::BATCH }> {
    messages.iter().map(|message| &message[..]).collect()
}
