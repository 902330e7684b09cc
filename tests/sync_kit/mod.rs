//! What the tests of the synchronization family share, besides `processes`: threads that are seen to sleep,
//! regions that stay, a platform without ticks.
#![allow(dead_code)]

use crate::processes::{SECOND, asleep, now_ns, until};
use rialto::{
    Region, RegionConfig, Result,
    sync::AtomicU32,
    sys::{Liveness, Os, Platform, Waited, linux::LinuxThread},
};
use std::{cell::Cell, sync::mpsc, thread::JoinHandle};

/// Of a region in which a lost wake-up must show: far beyond every watchdog.
pub const NO_TICK_MS: u32 = 60_000;

/// A region that is never unmapped; a tick of `tick_ms`.
pub fn region(tick_ms: u32) -> &'static Region {
    let config = RegionConfig { members: 64, objects: 16, tick_ms };
    Box::leak(Box::new(Region::create_anonymous(1 << 20, &config).expect("region")))
}

/// A thread that is expected to wait.
pub struct Waiter<T> {
    thread: JoinHandle<T>,
    id: i32,
}

impl<T: Send + 'static> Waiter<T> {
    pub fn start(f: impl FnOnce() -> T + Send + 'static) -> Self {
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            // SAFETY: no arguments.
            tell.send(unsafe { libc::gettid() }).unwrap();
            f()
        });
        Waiter { thread, id: told.recv().unwrap() }
    }

    /// Returns when it sleeps in a futex call.
    pub fn asleep(f: impl FnOnce() -> T + Send + 'static) -> Self {
        let waiter = Self::start(f);
        waiter.wait_asleep();
        waiter
    }

    pub fn wait_asleep(&self) {
        until("the thread sleeps", || asleep(self.id));
    }

    pub fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// What it returned. Ends the test if it does not.
    pub fn join(self) -> T {
        let end = now_ns() + 30 * SECOND;
        while !self.is_done() {
            assert!(now_ns() < end, "a thread waits although it has nothing to wait for");
            std::thread::sleep(std::time::Duration::from_micros(100));
        }
        self.thread.join().expect("the thread did not panic")
    }
}

thread_local! {
    /// What [`NoTick`] does when it is asked for this thread: something happens in the midst of an operation.
    pub static MEANWHILE: Cell<Option<fn()>> = const { Cell::new(None) };
}

/// This platform, on which nobody looks around at ticks: a lost wake-up is a hang.
#[derive(Clone, Copy, Default)]
pub struct NoTick;

impl Platform for NoTick {
    type Thread = LinuxThread;
    const SPINS: u32 = 0;
    const TICK_NS: u64 = u64::MAX;

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
    fn thread(self) -> Result<LinuxThread> {
        if let Some(meanwhile) = MEANWHILE.get() {
            meanwhile();
        }
        Os {}.thread()
    }
    fn claim(self) -> u64 {
        Os {}.claim()
    }
    fn enter(self, region: u64) {
        Os {}.enter(region);
    }
    fn exit(self, region: u64) {
        Os {}.exit(region);
    }
    fn users(self, region: u64) -> u32 {
        Os {}.users(region)
    }
    fn give_back(self, region: u64) {
        Os {}.give_back(region);
    }
    fn liveness(self, id: u32, tag: u64) -> Liveness {
        Os {}.liveness(id, tag)
    }
}

/// Whether the bytes of two objects of 64 bytes are the same.
pub fn same_bytes<T>(a: &T, b: &T) -> bool {
    // SAFETY: both are 64 bytes of plain words, used by nobody else now.
    let bytes = |it: &T| unsafe { *core::ptr::from_ref(it).cast::<[u8; 64]>() };
    assert_eq!(size_of::<T>(), 64);
    bytes(a) == bytes(b)
}

/// A word of an object, by its offset in the documented layout.
pub fn word_at<T>(object: &T, offset: usize) -> &std::sync::atomic::AtomicU32 {
    assert!(offset % 4 == 0 && offset + 4 <= size_of::<T>());
    // SAFETY: inside, aligned; all objects here are made of atomics that anybody may write.
    unsafe { &*core::ptr::from_ref(object).cast::<u8>().add(offset).cast() }
}
