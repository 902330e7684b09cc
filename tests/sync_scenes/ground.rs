//! What the plays stand on: sleepers' platforms, a region, a futex.

use super::WATCHDOG_NS;
use rialto::{
    FOREVER, Region, RegionConfig, Result,
    sys::{Liveness, Os, Platform, Waited},
};
use std::{sync::atomic::AtomicU32, time::Duration};

/// This system, with another tick: for sleepers. The victim is as users run it.
#[derive(Clone, Copy, Default)]
pub struct Ticking<const MS: u64>;

impl<const MS: u64> Platform for Ticking<MS> {
    type Thread = <Os as Platform>::Thread;
    const SPINS: u32 = 1;
    const TICK_NS: u64 = MS * 1_000_000;

    fn now_ns(self) -> u64 {
        Os {}.now_ns()
    }
    fn wait(self, word: &AtomicU32, expected: u32, deadline_ns: u64) -> Waited {
        Os {}.wait(word, expected, deadline_ns)
    }
    fn wake(self, word: &AtomicU32, count: u32) -> u32 {
        Os {}.wake(word, count)
    }
    fn requeue(self, from: &AtomicU32, expected: u32, to: &AtomicU32, wake: u32) -> bool {
        Os {}.requeue(from, expected, to, wake)
    }
    fn thread(self) -> Result<Self::Thread> {
        Os {}.thread()
    }
    fn claim(self) -> u64 {
        Os {}.claim()
    }
    fn enter(self, region: u64) {
        Os {}.enter(region)
    }
    fn exit(self, region: u64) {
        Os {}.exit(region)
    }
    fn users(self, region: u64) -> u32 {
        Os {}.users(region)
    }
    fn give_back(self, region: u64) {
        Os {}.give_back(region)
    }
    fn liveness(self, id: u32, tag: u64) -> Liveness {
        Os {}.liveness(id, tag)
    }
}

/// How long to wait. Sleepers for ever: at the end of their time they would look once more, and a wake-up that
/// was lost would not show.
pub fn limit<P: Platform>() -> u64 {
    if P::TICK_NS == Os::TICK_NS { WATCHDOG_NS } else { FOREVER }
}

/// A futex call of the planted ones: at most `wait` long.
pub fn futex(word: &AtomicU32, op: i32, value: u32, wait: Duration) -> i64 {
    let wait = libc::timespec { tv_sec: wait.as_secs() as _, tv_nsec: wait.subsec_nanos() as _ };
    // SAFETY: a live word, our own timespec.
    (unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), op, value, &raw const wait) }) as i64
}

/// A region that stays where it is; whoever borrows from it "for ever" is dropped first.
pub fn region(tick_ms: u32) -> (Box<Region>, &'static Region) {
    let config = RegionConfig { members: 12, objects: 4, tick_ms };
    let region = Box::new(Region::create_anonymous(1 << 14, &config).expect("region"));
    // SAFETY: the box is not moved out of, and the callers keep it longer than what borrows.
    let forever: &'static Region = unsafe { &*core::ptr::from_ref::<Region>(&*region) };
    (region, forever)
}
