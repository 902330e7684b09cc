//! What libc has of the same kind, in the same cells: robust mutex, condition, semaphore, barrier, all
//! process-shared; and what CPython builds of them. For information: nothing is asserted of it.

use super::stage::{Got, Stage, Trouble, Verdict, check, place};
use std::{
    cell::UnsafeCell,
    sync::atomic::{AtomicI32, Ordering::*},
};

struct Words {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    condition: UnsafeCell<libc::pthread_cond_t>,
    semaphore: UnsafeCell<libc::sem_t>,
    barrier: UnsafeCell<libc::pthread_barrier_t>,
    tokens: AtomicI32,
}

// SAFETY: process-shared objects of libc's, and an atomic.
unsafe impl Sync for Words {}

fn make(permits: u32, parties: u32) -> &'static Words {
    let words = place::<Words>();
    let shared = libc::PTHREAD_PROCESS_SHARED;
    // SAFETY: fresh memory for all of them, for ever.
    unsafe {
        let mut attr: libc::pthread_mutexattr_t = std::mem::zeroed();
        libc::pthread_mutexattr_init(&raw mut attr);
        libc::pthread_mutexattr_setpshared(&raw mut attr, shared);
        libc::pthread_mutexattr_setrobust(&raw mut attr, libc::PTHREAD_MUTEX_ROBUST);
        assert_eq!(libc::pthread_mutex_init(words.mutex.get(), &raw const attr), 0);
        let mut attr: libc::pthread_condattr_t = std::mem::zeroed();
        libc::pthread_condattr_init(&raw mut attr);
        libc::pthread_condattr_setpshared(&raw mut attr, shared);
        assert_eq!(libc::pthread_cond_init(words.condition.get(), &raw const attr), 0);
        assert_eq!(libc::sem_init(words.semaphore.get(), 1, permits), 0);
        let mut attr: libc::pthread_barrierattr_t = std::mem::zeroed();
        libc::pthread_barrierattr_init(&raw mut attr);
        libc::pthread_barrierattr_setpshared(&raw mut attr, shared);
        assert_eq!(libc::pthread_barrier_init(words.barrier.get(), &raw const attr, parties), 0);
    }
    words
}

impl Words {
    /// As an acquisition reports: told, it is repaired at once.
    fn acquired(&self, status: i32) -> Got {
        match status {
            0 => Got::CLEAN,
            libc::EOWNERDEAD => {
                // SAFETY: we hold it.
                unsafe { libc::pthread_mutex_consistent(self.mutex.get()) };
                Got::TOLD
            }
            _ => Got::WRONG,
        }
    }

    fn lock(&self) -> Got {
        // SAFETY: initialised; so in all that follow.
        self.acquired(unsafe { libc::pthread_mutex_lock(self.mutex.get()) })
    }

    fn unlock(&self) {
        // SAFETY: as above.
        unsafe { libc::pthread_mutex_unlock(self.mutex.get()) };
    }

    fn turn(&self) -> Got {
        let got = self.lock();
        self.unlock();
        got
    }

    fn notify(&self, n: i32, all: bool) {
        // SAFETY: as above.
        unsafe {
            if all {
                libc::pthread_cond_broadcast(self.condition.get());
            } else {
                (0..n).for_each(|_| _ = libc::pthread_cond_signal(self.condition.get()));
            }
        }
    }

    fn put(&self, n: i32, all: bool) {
        self.lock();
        self.tokens.fetch_add(n, SeqCst);
        self.notify(n, all);
    }

    fn get(&self, hand_on: bool, all: bool) -> Got {
        let mut got = self.lock();
        while self.tokens.load(SeqCst) == 0 {
            // SAFETY: as above, the mutex is held.
            let status = unsafe { libc::pthread_cond_wait(self.condition.get(), self.mutex.get()) };
            got = got.min(self.acquired(status)); // told, if ever
        }
        if hand_on {
            self.notify(1, all);
        } else {
            self.tokens.fetch_sub(1, SeqCst);
        }
        self.unlock();
        got
    }

    fn take(&self) -> Got {
        // SAFETY: as above.
        check(unsafe { libc::sem_wait(self.semaphore.get()) } == 0, "sem_wait", Got::PERMIT)
    }

    fn give(&self) {
        // SAFETY: as above.
        unsafe { libc::sem_post(self.semaphore.get()) };
    }

    fn use_it(&self) -> Got {
        let got = self.take();
        self.give();
        got
    }

    fn whole(&self, verdict: Verdict, permits: i32) -> Verdict {
        let mut left = 0;
        // SAFETY: as above.
        unsafe { libc::sem_getvalue(self.semaphore.get(), &raw mut left) };
        verdict?.with(vec![Got::PERMIT; 2])?.and(left == permits, || format!("{left} permits, not {permits}"))
    }

    fn arrive(&self) -> Got {
        // SAFETY: as above.
        match unsafe { libc::pthread_barrier_wait(self.barrier.get()) } {
            0 | libc::PTHREAD_BARRIER_SERIAL_THREAD => Got::RELEASED,
            _ => Got::WRONG,
        }
    }
}

const TOLD: [Got; 2] = [Got::TOLD, Got::CLEAN];
const CLEAN: [Got; 2] = [Got::CLEAN; 2];

pub mod mutex {
    use super::*;

    pub fn holding(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        stage.holding(|| words.turn(), || _ = words.lock(), || {})?.with(TOLD.into())
    }
    pub fn waiting(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        words.lock();
        stage.waiting(|| words.turn(), || _ = words.turn(), || words.unlock())?.with(CLEAN.into())
    }
    pub fn woken(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        words.lock();
        stage.woken(|| words.turn(), || _ = words.turn(), || words.unlock())?.with(CLEAN.into())
    }
    pub fn unlock(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        stage.inside(|| words.turn(), || _ = words.lock(), || words.unlock())?.with(CLEAN.into())
    }
}

pub mod condition {
    use super::*;

    pub fn holding<const ALL: bool>(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        stage.holding_late(|| words.get(false, ALL), || words.put(2, ALL))?.with(TOLD.into())
    }
    pub fn waiting<const ALL: bool>(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        let wake = || {
            words.put(2, ALL);
            words.unlock();
        };
        let wait = || _ = words.get(false, ALL);
        stage.waiting(|| words.get(false, ALL), wait, wake)?.with(CLEAN.into())
    }
    pub fn woken<const ALL: bool>(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        let wake = || {
            words.put(1, ALL);
            words.unlock();
        };
        let wait = || _ = words.get(false, ALL);
        stage.woken(|| words.get(true, ALL), wait, wake)?.with(CLEAN.into())
    }
    pub fn notify_locked<const ALL: bool>(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        stage.inside(|| words.get(false, ALL), || {}, || words.put(2, ALL))?.with(TOLD.into())
    }
    pub fn notify_unlocked<const ALL: bool>(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        let call = || {
            words.lock();
            words.tokens.store(2, SeqCst);
            words.unlock();
            words.notify(2, ALL);
        };
        stage.inside(|| words.get(false, ALL), || {}, call)?.with(CLEAN.into())
    }
}

pub mod semaphore {
    use super::*;

    /// The only permit there is: as a lock.
    pub fn holding(stage: &Stage) -> Verdict {
        let words = make(1, 1);
        words.whole(stage.holding(|| words.use_it(), || _ = words.take(), || {}), 1)
    }
    pub fn waiting(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        let wake = || (0..2).for_each(|_| words.give());
        words.whole(stage.waiting(|| words.take(), || _ = words.take(), wake), 0)
    }
    pub fn woken(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        words.whole(stage.woken(|| words.use_it(), || _ = words.take(), || words.give()), 1)
    }
    pub fn post(stage: &Stage) -> Verdict {
        let words = make(0, 1);
        words.whole(stage.inside(|| words.use_it(), || {}, || words.give()), 1)
    }
}

/// A dead party's barrier cannot be broken, so released or not is all there is.
pub mod barrier {
    use super::*;

    fn released(verdict: Verdict) -> Verdict {
        let ended = verdict?;
        if ended.got.contains(&Got::WRONG) { Err(Trouble::Failed("wrong".into())) } else { Ok(ended) }
    }

    pub fn waiting(stage: &Stage) -> Verdict {
        let words = make(0, 4);
        released(stage.waiting(|| words.arrive(), || _ = words.arrive(), || {}))
    }
    pub fn woken(stage: &Stage) -> Verdict {
        let words = make(0, 4);
        let wake = || _ = words.arrive();
        released(stage.woken(|| words.arrive(), || _ = words.arrive(), wake))
    }
    pub fn completing(stage: &Stage) -> Verdict {
        let words = make(0, 3);
        released(stage.inside(|| words.arrive(), || {}, || _ = words.arrive()))
    }
}

/// The counting and the waiting of CPython's `multiprocessing.JoinableQueue` (3.11): a lock, a count of unfinished
/// tasks and a condition's wait semaphore, each a `sem_t`.
pub mod tasks {
    use super::*;

    struct Tasks {
        lock: &'static Words,
        unfinished: &'static Words,
        /// Its tokens count who sleeps there.
        wait: &'static Words,
    }

    impl Tasks {
        fn new(unfinished: u32) -> Tasks {
            Tasks { lock: make(1, 1), unfinished: make(unfinished, 1), wait: make(0, 1) }
        }

        fn is_zero(&self) -> bool {
            let mut value = 0;
            // SAFETY: initialised.
            unsafe { libc::sem_getvalue(self.unfinished.semaphore.get(), &raw mut value) };
            value == 0
        }

        fn join(&self) -> Got {
            self.lock.take();
            if !self.is_zero() {
                self.wait.tokens.fetch_add(1, SeqCst);
                self.lock.give();
                self.wait.take();
                self.lock.take();
            }
            self.lock.give();
            Got::JOINED
        }

        fn task_done(&self) {
            self.lock.take();
            self.unfinished.take();
            if self.is_zero() {
                (0..self.wait.tokens.swap(0, SeqCst)).for_each(|_| self.wait.give());
            }
            self.lock.give();
        }
    }

    /// The victim has taken the only task from the pipe; nobody else knows of it.
    pub fn holding(stage: &Stage) -> Verdict {
        let tasks = Tasks::new(1);
        stage.holding(|| tasks.join(), || {}, || {})?.with(vec![Got::JOINED; 2])
    }

    pub fn task_done(stage: &Stage) -> Verdict {
        let tasks = Tasks::new(1);
        stage.inside(|| tasks.join(), || {}, || tasks.task_done())?.with(vec![Got::JOINED; 2])
    }
}
