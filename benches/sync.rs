//! The synchronization family against glibc's process-shared cousins, interleaved in one run:
//! `cargo bench --bench sync`. As `ratios` otherwise: above 1 Rialto is faster.
//!
//! "Hand over" rows are round trips between two threads that sleep when they must. None of the peers survives
//! the death of a participant, but for the mutex.

mod harness;

use harness::{Robust, distance, memory, pair, row, time};
use rialto::{Barrier, Condition, Event, FOREVER, Lock, RLock, Region, RegionConfig, Semaphore};
use std::sync::atomic::{AtomicU64, Ordering::*};

/// glibc's process-shared objects, in memory that stays.
struct Sem(*mut libc::sem_t);
// SAFETY: it is a semaphore.
unsafe impl Sync for Sem {}

impl Sem {
    fn new(value: u32) -> Sem {
        let sem = memory();
        // SAFETY: room for a semaphore.
        assert_eq!(unsafe { libc::sem_init(sem, 1, value) }, 0);
        Sem(sem)
    }
    fn wait(&self) {
        // SAFETY: an initialised semaphore.
        assert_eq!(unsafe { libc::sem_wait(self.0) }, 0);
    }
    fn post(&self) {
        // SAFETY: as above.
        assert_eq!(unsafe { libc::sem_post(self.0) }, 0);
    }
}

struct Cond(*mut libc::pthread_cond_t, Robust);
// SAFETY: it is a condition with its mutex.
unsafe impl Sync for Cond {}

impl Cond {
    fn new() -> Cond {
        let cond = memory();
        // SAFETY: room for a condition.
        unsafe {
            let mut attr = std::mem::zeroed();
            libc::pthread_condattr_init(&mut attr);
            libc::pthread_condattr_setpshared(&mut attr, libc::PTHREAD_PROCESS_SHARED);
            assert_eq!(libc::pthread_cond_init(cond, &attr), 0);
        }
        Cond(cond, Robust::new(false))
    }
    /// `turn` is handed from `mine` to the next number, `n` times.
    fn hand_over(&self, turn: &AtomicU64, mine: u64, n: u64) {
        for i in 0..n {
            // SAFETY: initialised; the mutex is held around the wait.
            unsafe {
                libc::pthread_mutex_lock(self.1.0);
                while turn.load(Relaxed) != 2 * i + mine {
                    libc::pthread_cond_wait(self.0, self.1.0);
                }
                turn.store(2 * i + mine + 1, Relaxed);
                libc::pthread_cond_signal(self.0);
                libc::pthread_mutex_unlock(self.1.0);
            }
        }
    }
}

struct Meeting(*mut libc::pthread_barrier_t);
// SAFETY: it is a barrier.
unsafe impl Sync for Meeting {}

impl Meeting {
    fn new(parties: u32) -> Meeting {
        let barrier = memory();
        // SAFETY: room for a barrier.
        unsafe {
            let mut attr = std::mem::zeroed();
            libc::pthread_barrierattr_init(&mut attr);
            libc::pthread_barrierattr_setpshared(&mut attr, libc::PTHREAD_PROCESS_SHARED);
            assert_eq!(libc::pthread_barrier_init(barrier, &attr, parties), 0);
        }
        Meeting(barrier)
    }
    fn wait(&self, n: u64) {
        for _ in 0..n {
            // SAFETY: initialised.
            unsafe { libc::pthread_barrier_wait(self.0) };
        }
    }
}

fn hand_over(condition: &Condition, lock: &Lock, turn: &AtomicU64, mine: u64, n: u64) {
    for i in 0..n {
        lock.acquire_raw(FOREVER).unwrap();
        condition.wait_for(lock, || turn.load(Relaxed) == 2 * i + mine).unwrap();
        turn.store(2 * i + mine + 1, Relaxed);
        condition.notify(1);
        lock.release().unwrap();
    }
}

fn wait(barrier: Barrier, n: u64) {
    for _ in 0..n {
        barrier.wait().unwrap();
    }
}

fn main() {
    let region = Region::create_anonymous(1 << 20, &RegionConfig::default()).unwrap();
    distance();
    let n = 300_000;

    // SAFETY: both stay in `main`'s frame, and each acquisition is followed by a release.
    let (lock, rlock) = unsafe { (Lock::new(), RLock::new()) };
    let recursive = Robust::new(true);
    let cycle = || {
        for _ in 0..n {
            rlock.acquire_raw(FOREVER).unwrap();
            rlock.release().unwrap();
        }
    };
    row("rlock", || time(n, cycle), "glibc robust recursive", || time(n, || recursive.cycle(n)));
    rlock.acquire_raw(FOREVER).unwrap();
    recursive.cycle(0);
    // SAFETY: initialised; released below.
    unsafe { libc::pthread_mutex_lock(recursive.0) };
    row("rlock, nested", || time(n, cycle), "glibc robust recursive", || time(n, || recursive.cycle(n)));
    // SAFETY: as above.
    unsafe { libc::pthread_mutex_unlock(recursive.0) };
    rlock.release().unwrap();

    let (plain, tracked, sem) =
        (Semaphore::new(1), region.create_semaphore("tracked", 4).unwrap(), Sem::new(1));
    let theirs = || {
        time(n, || {
            for _ in 0..n {
                sem.wait();
                sem.post();
            }
        })
    };
    let ours = || {
        time(n, || {
            for _ in 0..n {
                plain.acquire().unwrap();
                plain.release().unwrap();
            }
        })
    };
    row("semaphore, plain", ours, "glibc sem_t", theirs);
    let ours = || {
        time(n, || {
            for _ in 0..n {
                tracked.acquire().unwrap().release().unwrap();
            }
        })
    };
    row("semaphore, tracked", ours, "glibc sem_t", theirs);
    let event = Event::new();
    let ours = || {
        time(n, || {
            for _ in 0..n {
                event.set();
                event.wait().unwrap();
                event.clear();
            }
        })
    };
    row("event: set, wait, clear", ours, "glibc sem_t", theirs);

    let n = 10_000;
    let [there, back] = [0, 0].map(Semaphore::new);
    let [their_there, their_back] = [0, 0].map(Sem::new);
    row(
        "semaphores, hand over",
        || {
            pair(
                n,
                || {
                    for _ in 0..n {
                        there.release().unwrap();
                        back.acquire().unwrap();
                    }
                },
                || {
                    for _ in 0..n {
                        there.acquire().unwrap();
                        back.release().unwrap();
                    }
                },
            )
        },
        "glibc sem_t",
        || {
            pair(
                n,
                || {
                    for _ in 0..n {
                        their_there.post();
                        their_back.wait();
                    }
                },
                || {
                    for _ in 0..n {
                        their_there.wait();
                        their_back.post();
                    }
                },
            )
        },
    );
    let condition = Condition::new();
    let (cond, turn) = (Cond::new(), AtomicU64::new(0));
    row(
        "condition, hand over",
        || {
            turn.store(0, Relaxed);
            let to = |mine| hand_over(&condition, &lock, &turn, mine, n);
            pair(n, || to(0), || to(1))
        },
        "glibc cond, robust mutex",
        || {
            turn.store(0, Relaxed);
            pair(n, || cond.hand_over(&turn, 0, n), || cond.hand_over(&turn, 1, n))
        },
    );
    let (barrier, meeting) = (region.create_barrier("barrier", 2).unwrap(), Meeting::new(2));
    row(
        "barrier of two",
        || pair(n, || wait(barrier, n), || wait(barrier, n)),
        "glibc barrier",
        || pair(n, || meeting.wait(n), || meeting.wait(n)),
    );
}
