//! Kills one acquire .. release at every machine instruction, and sees who gets the lock next.
//!
//! # Points
//! Every instruction from the trap to the word written after the release; nothing is merged, except on
//! a thread's first use, while falling asleep and when a wait expires, where thousands of instructions
//! spin or read /proc: there every system call, what follows a change of the lock or of the list that
//! the kernel reads at a death, and every 16th to 128th besides; all with `RIALTO_SWEEP_STRIDE=1`.
//!
//! # What is asked
//! The next one gets the lock within the watchdog, whoever waits or comes; it is never told `Clean`
//! when the victim died in its critical section, and never `OwnerDied` when it had released; libc's own
//! robust mutexes, held in the same thread in interleaved order, tell the death too.
//!
//! # Cases
//! The victim alone; with one or two that block as soon as it owns the lock; the victim woken from its
//! sleep with another behind it; the same after a third has slipped in; inheriting from a dead owner;
//! between libc's robust mutexes; on its thread's first use; at the end of a timed wait. Stopping is
//! not swept: a lock waits for its owner.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

mod support;

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    sweep::main();
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the sweep reads x86-64 registers through Linux's ptrace");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod sweep {
    use crate::support::{
        process::{Child, Exit, asleep, fork},
        queue::fingerprint,
        runner::{self, Scene, Tally, clean, planted, sweep, sweep_merged},
        shared::{Board, Shared},
        step::{Victim, trap},
    };
    use core::mem::MaybeUninit;
    use rialto::{Error, Lock, Outcome};
    use std::{
        sync::atomic::{AtomicU32, Ordering::*},
        time::Duration,
    };

    const WATCHDOG: Duration = Duration::from_secs(15);
    // Words of the board.
    const DONE: usize = 0;
    /// 1 while somebody is in the critical section.
    const INSIDE: usize = 1;
    const RELEASED: usize = 2;
    const OUTCOME: usize = 3;
    const OTHERS: usize = 10;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Got {
        Nothing,
        Clean,
        Died,
    }

    /// A lock under the sweep, in shared memory.
    trait Subject {
        fn create() -> Self;
        fn acquire(&self, wait: Duration) -> Got;
        fn mark_consistent(&self);
        fn release(&self);
        fn is_locked(&self) -> bool;
    }

    struct Real(Shared<MaybeUninit<Lock>>);

    impl Real {
        fn lock(&self) -> &Lock {
            // SAFETY: initialised in `create`; the lock is all atomics.
            unsafe { (*self.0).assume_init_ref() }
        }
    }

    impl Subject for Real {
        fn create() -> Self {
            // SAFETY: any bytes are a MaybeUninit.
            let at: Shared<MaybeUninit<Lock>> = unsafe { Shared::zeroed() };
            // SAFETY: fresh, page-aligned memory.
            unsafe { Lock::init(at.as_ptr().cast()) };
            Real(at)
        }

        #[inline(never)]
        fn acquire(&self, wait: Duration) -> Got {
            match self.lock().acquire_raw(wait.as_nanos() as u64) {
                Ok(Outcome::Clean) => Got::Clean,
                Ok(Outcome::OwnerDied) => Got::Died,
                Err(Error::TimedOut | Error::WouldBlock) => Got::Nothing,
                Err(error) => panic!("unexpected: {error:?}"),
            }
        }

        fn mark_consistent(&self) {
            self.lock().mark_consistent().unwrap();
        }

        #[inline(never)]
        fn release(&self) {
            self.lock().release().unwrap();
        }

        fn is_locked(&self) -> bool {
            self.lock().is_locked()
        }
    }

    /// Planted: the textbook mutex of three states, whose owner's death nobody hears of.
    struct Plain(Shared<AtomicU32>);

    fn futex(word: &AtomicU32, op: i32, value: u32, wait: Duration) {
        let wait = libc::timespec { tv_sec: wait.as_secs() as _, tv_nsec: wait.subsec_nanos() as _ };
        // SAFETY: a live word, our own timespec.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), op, value, &raw const wait) };
    }

    impl Subject for Plain {
        fn create() -> Self {
            // SAFETY: an atomic of zero.
            Plain(unsafe { Shared::zeroed() })
        }

        #[inline(never)]
        fn acquire(&self, wait: Duration) -> Got {
            if self.0.compare_exchange(0, 1, Acquire, Relaxed).is_ok() {
                return Got::Clean;
            }
            let wait = wait.min(Duration::from_millis(300)); // planted cases need not wait longer
            let start = std::time::Instant::now();
            while self.0.swap(2, Acquire) != 0 {
                if start.elapsed() >= wait {
                    return Got::Nothing;
                }
                futex(&self.0, libc::FUTEX_WAIT, 2, wait);
            }
            Got::Clean
        }

        fn mark_consistent(&self) {}

        #[inline(never)]
        fn release(&self) {
            if self.0.swap(0, Release) == 2 {
                futex(&self.0, libc::FUTEX_WAKE, 1, Duration::ZERO);
            }
        }

        fn is_locked(&self) -> bool {
            self.0.load(SeqCst) != 0
        }
    }

    /// Planted: the real lock, whose users are not told of deaths.
    struct Silent(Real);

    impl Subject for Silent {
        fn create() -> Self {
            Silent(Real::create())
        }
        fn acquire(&self, wait: Duration) -> Got {
            let got = self.0.acquire(wait);
            if got == Got::Died {
                self.0.mark_consistent();
                return Got::Clean;
            }
            got
        }
        fn mark_consistent(&self) {}
        fn release(&self) {
            self.0.release();
        }
        fn is_locked(&self) -> bool {
            self.0.is_locked()
        }
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Setting {
        Alone,
        Waiters(usize),
        Woken,
        Barged,
        Inherits,
        Nested,
        FirstUse,
        Expires,
        FallsAsleep,
    }
    use Setting::*;

    /// Two of libc's robust mutexes.
    struct Libc(Shared<[MaybeUninit<libc::pthread_mutex_t>; 2]>);

    impl Libc {
        fn new() -> Libc {
            // SAFETY: any bytes are a MaybeUninit.
            let at: Shared<[MaybeUninit<libc::pthread_mutex_t>; 2]> = unsafe { Shared::zeroed() };
            let libc = Libc(at);
            for i in 0..2 {
                // SAFETY: fresh memory of ours; the attribute lives through the call.
                unsafe {
                    let mut attr = MaybeUninit::uninit();
                    libc::pthread_mutexattr_init(attr.as_mut_ptr());
                    libc::pthread_mutexattr_setpshared(attr.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED);
                    libc::pthread_mutexattr_setrobust(attr.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST);
                    libc::pthread_mutex_init(libc.at(i), attr.as_ptr());
                }
            }
            libc
        }

        fn at(&self, i: usize) -> *mut libc::pthread_mutex_t {
            self.0.as_ptr().cast::<libc::pthread_mutex_t>().wrapping_add(i)
        }

        fn acquire(&self, i: usize) -> i32 {
            // SAFETY: initialised in `new`.
            unsafe { libc::pthread_mutex_trylock(self.at(i)) }
        }

        fn repair(&self, i: usize) {
            // SAFETY: we hold it, its owner died.
            unsafe {
                libc::pthread_mutex_consistent(self.at(i));
                libc::pthread_mutex_unlock(self.at(i));
            }
        }
    }

    struct Locking<S> {
        setting: Setting,
        board: Shared<Board>,
        lock: Option<S>,
        inner: Option<S>,
        libc: Option<Libc>,
        others: Vec<Child>,
        /// This process holds the lock.
        held: bool,
        ended: bool,
    }

    /// The critical section, for whoever got in. What it finds and leaves is on the board.
    #[inline(always)]
    fn inside(lock: &impl Subject, board: &Board, got: Got, at: usize) {
        board.set(at, got as u64 + 1);
        board.set(at + 1, board.get(INSIDE));
        if got == Got::Died {
            board.set(INSIDE, 0);
            lock.mark_consistent();
        }
        board.set(INSIDE, 1);
        board.set(INSIDE, 0);
    }

    impl<S: Subject> Locking<S> {
        fn new(setting: Setting) -> Self {
            let (others, board) = (vec![], Board::new());
            Locking { setting, board, lock: None, inner: None, libc: None, others, held: false, ended: false }
        }

        fn lock(&self) -> &S {
            self.lock.as_ref().expect("a world")
        }

        /// Somebody who acquires, passes the critical section, and releases.
        fn add_other(&mut self) {
            let at = OTHERS + 3 * self.others.len();
            let (lock, board) = (self.lock(), &*self.board);
            let other = fork(|| {
                let got = lock.acquire(WATCHDOG);
                if got != Got::Nothing {
                    inside(lock, board, got, at);
                    lock.release();
                    board.set(at + 2, 1);
                }
            });
            self.others.push(other);
        }

        fn add_sleeper(&mut self) {
            self.add_other();
            assert!(self.others.last_mut().unwrap().wait_asleep(WATCHDOG), "the other one does not sleep");
        }

        fn try_set(&mut self) -> Option<Victim> {
            self.others.clear();
            if core::mem::take(&mut self.held) {
                self.lock().release();
            }
            self.board.clear();
            self.ended = false;
            (self.lock, self.inner, self.libc) = (Some(S::create()), Some(S::create()), Some(Libc::new()));
            let setting = self.setting;
            if matches!(setting, Woken | Barged | Expires | FallsAsleep) {
                assert!(self.lock().acquire(Duration::ZERO) == Got::Clean);
                self.held = true;
            }
            if setting == Inherits {
                let (lock, board) = (self.lock(), &*self.board);
                let mut dead = fork(|| {
                    lock.acquire(WATCHDOG);
                    board.set(INSIDE, 1);
                });
                dead.wait(WATCHDOG);
            }
            let (lock, board) = (self.lock(), &*self.board);
            let (inner, libc) = (self.inner.as_ref()?, self.libc.as_ref()?);
            let mut victim = Victim::start(|| {
                if setting != FirstUse {
                    let other = S::create();
                    for wait in [Duration::ZERO, Duration::from_millis(1)] {
                        assert!(other.acquire(wait) == Got::Clean);
                        other.release();
                    }
                }
                if setting == Nested {
                    assert!(
                        libc.acquire(0) == 0 && inner.acquire(WATCHDOG) == Got::Clean && libc.acquire(1) == 0
                    );
                }
                trap();
                let got = lock.acquire(if setting == Expires { Duration::from_millis(5) } else { WATCHDOG });
                if got != Got::Nothing {
                    inside(lock, board, got, OUTCOME);
                    if setting == Nested {
                        inner.release();
                    }
                    lock.release();
                    board.set(RELEASED, 1);
                }
                board.set(DONE, 1);
            });
            if matches!(setting, Woken | Barged | Expires) {
                if !victim.run_to_sleep() {
                    return None; // so late that the time was up before
                }
                self.add_sleeper();
                if setting != Expires {
                    // If a tick has ended its sleep, the wake-up would go to the other one.
                    if !asleep(victim.pid()) {
                        return None;
                    }
                    self.lock().release();
                    self.held = false;
                }
                assert!(victim.woken(WATCHDOG), "the victim is never woken");
                if setting == Barged {
                    if self.lock().acquire(Duration::ZERO) == Got::Nothing {
                        return None;
                    }
                    self.held = true;
                }
                victim.start_counting();
            }
            Some(victim)
        }
    }

    impl<S: Subject> Scene for Locking<S> {
        fn set(&mut self) -> Victim {
            (0..100).find_map(|_| self.try_set()).expect("the victim is never the first sleeper")
        }

        fn over(&self) -> bool {
            self.ended || self.board.get(DONE) != 0
        }

        fn due(&mut self, victim: &Victim) -> bool {
            match self.setting {
                Waiters(_) => self.others.is_empty() && self.lock().is_locked(),
                Barged => self.held && victim.before_futex_wait(),
                FallsAsleep => {
                    self.ended = victim.before_futex_wait();
                    false
                }
                _ => false,
            }
        }

        fn act(&mut self, victim: &mut Victim) {
            match self.setting {
                Waiters(n) => (0..n).for_each(|_| self.add_sleeper()),
                _ => {
                    // The victim goes to sleep again, behind the other one.
                    victim.step_or_sleep();
                    self.lock().release();
                    self.held = false;
                    assert!(victim.woken(WATCHDOG), "the victim is never woken");
                }
            }
        }

        fn fingerprint(&self, victim: &Victim) -> u64 {
            let lock = self.lock.as_ref().map_or(0, |lock| {
                let _ = lock.is_locked();
                lock_fingerprint(lock)
            });
            lock ^ victim.robust_list()
        }

        fn judge(&mut self, mut victim: Victim) -> Result<(), String> {
            let (inside_then, released) = (self.board.get(INSIDE) == 1, self.board.get(RELEASED) == 1);
            victim.kill();
            drop(victim);
            let wanted = match self.setting {
                Waiters(n) => n,
                FallsAsleep => 1,
                _ => 0,
            };
            while self.others.len() < wanted {
                self.add_other();
            }
            if core::mem::take(&mut self.held) {
                self.lock().release();
            }
            let mut told = 0;
            for i in 0..self.others.len() {
                let ended = self.others[i].wait(WATCHDOG);
                let at = OTHERS + 3 * i;
                let (got, found) = (self.board.get(at), self.board.get(at + 1));
                if ended != Some(Exit::Code(0)) || self.board.get(at + 2) == 0 {
                    return Err(format!("waiter {i} does not get the lock ({ended:?}, {got})"));
                }
                told += u64::from(got == Got::Died as u64 + 1);
                if got == Got::Clean as u64 + 1 && found == 1 {
                    return Err(format!("waiter {i} is told Clean, and finds the victim's work half done"));
                }
            }
            let (lock, board) = (self.lock(), &*self.board);
            let got = lock.acquire(WATCHDOG);
            if got == Got::Nothing {
                return Err("the lock is never free again".into());
            }
            if got == Got::Clean && board.get(INSIDE) == 1 {
                lock.release();
                return Err("the next one is told Clean, and finds the victim's work half done".into());
            }
            told += u64::from(got == Got::Died);
            inside(lock, board, got, 60);
            lock.release();
            // The death of a dead victim's dead predecessor may be told twice, if it had not marked.
            if told > 1 || released && told > 0 || inside_then && told != 1 {
                return Err(format!(
                    "the death was told {told} times; inside {inside_then}, released {released}"
                ));
            }
            if lock.acquire(Duration::ZERO) != Got::Clean {
                return Err("after all, the lock is not clean and free".into());
            }
            lock.release();
            if self.setting == Nested {
                let (libc, inner) =
                    (self.libc.as_ref().ok_or("no world")?, self.inner.as_ref().ok_or("no world")?);
                for i in 0..2 {
                    match libc.acquire(i) {
                        libc::EOWNERDEAD => libc.repair(i),
                        other => return Err(format!("libc's mutex {i} does not tell the death: {other}")),
                    }
                }
                match inner.acquire(WATCHDOG) {
                    Got::Nothing => return Err("the inner lock is never free again".into()),
                    Got::Died => inner.mark_consistent(),
                    Got::Clean => {}
                }
                inner.release();
            }
            Ok(())
        }
    }

    fn lock_fingerprint<S: Subject>(lock: &S) -> u64 {
        // A subject is nothing but the pointer to its page.
        assert!(size_of::<S>() == size_of::<*const u8>());
        // SAFETY: see above; every subject here owns at least 4 mapped, page-aligned bytes, thus a page.
        fingerprint(unsafe { *core::ptr::from_ref(lock).cast::<*const u8>() }, 64)
    }

    /// A sleeper is killed in its sleep; then the lock is released.
    fn killed_asleep(tally: &Tally) {
        for _ in 0..10 {
            let mut scene = Locking::<Real>::new(FallsAsleep);
            let mut victim = scene.set();
            assert!(victim.run_to_sleep());
            scene.add_sleeper();
            tally.point("asleep", scene.judge(victim));
        }
    }

    pub fn main() {
        let mut cases = vec![];
        for (setting, at_least) in [
            (Alone, 100),
            (Waiters(1), 100),
            (Waiters(2), 100),
            (Woken, 100),
            (Barged, 100),
            (Inherits, 100),
            (Nested, 100),
        ] {
            let name = format!("Kill acquire .. release: {setting:?}");
            cases.push(clean(name, at_least, move |tally| sweep(&mut Locking::<Real>::new(setting), tally)));
        }
        // Thousands of instructions that read /proc: who we are, who the owner is.
        for (setting, gap) in [(FirstUse, 128), (Expires, 32)] {
            let name = format!("Kill acquire .. release: {setting:?}");
            cases.push(clean(name, 50, move |tally| {
                sweep_merged(&mut Locking::<Real>::new(setting), tally, gap)
            }));
        }
        cases.push(clean("Kill acquire until it sleeps", 20, |tally| {
            sweep_merged(&mut Locking::<Real>::new(FallsAsleep), tally, 16)
        }));
        cases.push(clean("Kill acquire in its sleep", 10, killed_asleep));
        for setting in [Alone, Waiters(1)] {
            let name = format!("a mutex that is not robust: {setting:?}");
            cases.push(planted(name, move |tally| sweep(&mut Locking::<Plain>::new(setting), tally)));
            let name = format!("deaths are not told: {setting:?}");
            cases.push(planted(name, move |tally| sweep(&mut Locking::<Silent>::new(setting), tally)));
        }
        runner::main("sweep_lock", cases);
    }
}
