//! Contestants in turn, medians, ratios; and the peer that both benchmarks need.
#![allow(dead_code)]

use std::{
    hint::spin_loop,
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering::*},
    },
    time::Instant,
};

const ROUNDS: usize = 15;

/// Nanoseconds per operation.
pub fn time(operations: u64, f: impl FnOnce()) -> f64 {
    let start = Instant::now();
    f();
    start.elapsed().as_nanos() as f64 / operations as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub fn row(name: &str, mut ours: impl FnMut() -> f64, peer: &str, mut theirs: impl FnMut() -> f64) {
    let (mut a, mut b) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        a.push(ours());
        b.push(theirs());
    }
    let ratio = median(a.iter().zip(&b).map(|(a, b)| b / a).collect());
    println!("{name:34} {:9.1} ns   {peer:24} {:9.1} ns   ratio {ratio:.2}", median(a), median(b));
}

/// Runs `there` in a second thread and times `here`.
pub fn pair(operations: u64, here: impl FnOnce(), there: impl FnOnce() + Send) -> f64 {
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            there();
        });
        start.wait();
        time(operations, here)
    })
}

fn line_round_trip() -> f64 {
    let n = 100_000;
    let word = AtomicU64::new(0);
    let turn = |odd: u64| {
        for i in 0..n {
            while word.load(Acquire) != 2 * i + odd {
                spin_loop();
            }
            word.store(2 * i + odd + 1, Release);
        }
    };
    pair(n, || turn(0), || turn(1))
}

/// Prints how far the two cores are from each other now.
pub fn distance() {
    println!("cache line round trip {:.0} ns", median((0..ROUNDS).map(|_| line_round_trip()).collect()));
}

/// Zeros for an object of libc's, kept for ever.
pub fn memory<T>() -> *mut T {
    Box::leak(Box::new([0u128; 64])).as_mut_ptr().cast()
}

/// glibc's process-shared robust mutex, in shared memory.
pub struct Robust(pub *mut libc::pthread_mutex_t);
// SAFETY: it is a mutex.
unsafe impl Sync for Robust {}

impl Robust {
    pub fn new(recursive: bool) -> Robust {
        let mutex = memory();
        // SAFETY: room for a mutex that nobody uses yet.
        unsafe {
            let mut attr = std::mem::zeroed();
            libc::pthread_mutexattr_init(&mut attr);
            libc::pthread_mutexattr_setpshared(&mut attr, libc::PTHREAD_PROCESS_SHARED);
            libc::pthread_mutexattr_setrobust(&mut attr, libc::PTHREAD_MUTEX_ROBUST);
            if recursive {
                libc::pthread_mutexattr_settype(&mut attr, libc::PTHREAD_MUTEX_RECURSIVE);
            }
            libc::pthread_mutex_init(mutex, &attr);
        }
        Robust(mutex)
    }
    pub fn cycle(&self, n: u64) {
        for _ in 0..n {
            // SAFETY: an initialised mutex.
            unsafe {
                libc::pthread_mutex_lock(self.0);
                libc::pthread_mutex_unlock(self.0);
            }
        }
    }
}
