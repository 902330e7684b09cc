//! `notify_all` does not wake a herd that can only queue for the lock: while the notifier holds it, those
//! whom it notified sleep on (they were moved to the lock), and each release wakes one.
//!
//! Seen from outside: how often the kernel switched to each waiter. A tick may fall into the look at them, so
//! the calmest of several attempts counts; a herd is never calm.
#![cfg(all(feature = "std", feature = "os", target_os = "linux", not(rialto_loom)))]

use rialto::{Condition, Lock, Outcome, RLock};
use std::{
    fs,
    sync::atomic::{AtomicI32, AtomicU32, Ordering::*},
    thread,
    time::Duration,
};

const WAITERS: usize = 8;
const ATTEMPTS: usize = 20;

/// Whether thread `tid` of this process sleeps, and how often it has gone to sleep so far.
fn sleeps(tid: i32) -> (bool, u64) {
    let status = fs::read_to_string(format!("/proc/self/task/{tid}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    (field("State:") == "S", field("voluntary_ctxt_switches:").parse().unwrap())
}

macro_rules! calm {
    ($lock:expr) => {{
        let (lock, condition) = ($lock, Condition::new());
        let (round, waiting) = (AtomicU32::new(0), AtomicU32::new(0));
        let tids = [const { AtomicI32::new(0) }; WAITERS];
        let mut calmest = WAITERS;
        thread::scope(|scope| {
            for tid in &tids {
                let (lock, condition, round, waiting) = (&lock, &condition, &round, &waiting);
                scope.spawn(move || {
                    // SAFETY: no arguments.
                    tid.store(unsafe { libc::gettid() }, Relaxed);
                    for n in 1..=ATTEMPTS as u32 {
                        let guard = lock.acquire().unwrap().guard();
                        waiting.fetch_add(1, Relaxed);
                        let outcome = condition.wait_for(guard.lock(), || round.load(Relaxed) >= n).unwrap();
                        assert_eq!(outcome, Outcome::Clean);
                    }
                });
            }
            for n in 1..=ATTEMPTS as u32 {
                let all_asleep = || tids.iter().all(|tid| sleeps(tid.load(Relaxed)).0);
                while waiting.load(Relaxed) != n * WAITERS as u32 || !all_asleep() {
                    thread::sleep(Duration::from_millis(1));
                }
                let guard = lock.acquire().unwrap().guard();
                let before: Vec<_> = tids.iter().map(|tid| sleeps(tid.load(Relaxed)).1).collect();
                round.store(n, Relaxed);
                condition.notify_all(&lock);
                thread::sleep(Duration::from_millis(5));
                let after = tids.iter().map(|tid| sleeps(tid.load(Relaxed)).1);
                calmest = calmest.min(before.iter().zip(after).filter(|(b, a)| *b != a).count());
                drop(guard); // everybody returns, or the scope does not end
            }
        });
        calmest
    }};
}

#[test]
fn those_who_are_notified_sleep_until_the_lock_is_free() {
    // SAFETY: neither moves while somebody may hold it.
    assert!(calm!(unsafe { Lock::new() }) <= 1);
    // SAFETY: as above.
    assert!(calm!(unsafe { RLock::new() }) <= 1);
}
