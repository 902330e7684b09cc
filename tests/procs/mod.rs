//! Forked children for tests, and a clock that ends what hangs.
//!
//! A child runs one closure and `_exit`s; it dies with the thread that forked it, so an aborted test
//! leaves nobody behind. Tests only ever signal children that they hold a [`Child`] of.
#![allow(dead_code)]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering::*},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// How long anything may take before a test is called hung. Nothing is ever asserted to be faster.
pub const WATCHDOG_SECONDS: u64 = 60;

/// A forked process.
pub struct Child {
    pid: i32,
    reaped: bool,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It returned, with this code. 101: it panicked.
    Exit(i32),
    /// A signal ended it.
    Signal(i32),
}

/// Forks; the child runs `f` and ends with its result.
pub fn fork(f: impl FnOnce() -> i32) -> Child {
    // SAFETY: the child only runs `f` and `_exit`s; glibc keeps malloc usable in it.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: no memory is involved.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        let code = catch_unwind(AssertUnwindSafe(f)).unwrap_or(101);
        // SAFETY: ends the process at once, without the parent's destructors.
        unsafe { libc::_exit(code) };
    }
    Child { pid, reaped: false }
}

impl Child {
    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    fn signal(&self, signal: i32) {
        assert!(!self.reaped);
        // SAFETY: a child of ours that was not reaped, so the id is still its own.
        assert_eq!(unsafe { libc::kill(self.pid, signal) }, 0);
    }

    /// SIGSTOP, and waits until it stands.
    pub fn stop(&self) {
        self.signal(libc::SIGSTOP);
        let mut status = 0;
        // SAFETY: our out-pointer.
        assert_eq!(unsafe { libc::waitpid(self.pid, &mut status, libc::WUNTRACED) }, self.pid);
        assert!(libc::WIFSTOPPED(status), "ended instead of stopping");
    }

    /// SIGSTOP without waiting.
    pub fn stop_soon(&self) {
        self.signal(libc::SIGSTOP);
    }

    /// SIGCONT.
    pub fn go_on(&self) {
        self.signal(libc::SIGCONT);
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(mut self) {
        self.kill_in_place();
    }

    /// SIGKILL, and waits until it is gone; another may be put in its place.
    pub fn kill_in_place(&mut self) {
        self.signal(libc::SIGKILL);
        self.reap();
    }

    /// Waits for its end, [`WATCHDOG_SECONDS`] at most.
    pub fn wait(mut self) -> End {
        let begin = Instant::now();
        loop {
            if let Some(end) = self.poll() {
                return end;
            }
            if begin.elapsed() > Duration::from_secs(WATCHDOG_SECONDS) {
                self.signal(libc::SIGKILL);
                self.reap();
                panic!("a child hung");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// How it ended, if it has.
    pub fn poll(&mut self) -> Option<End> {
        assert!(!self.reaped);
        let mut status = 0;
        // SAFETY: our out-pointer.
        let pid = unsafe { libc::waitpid(self.pid, &mut status, libc::WNOHANG) };
        if pid == 0 {
            return None;
        }
        assert_eq!(pid, self.pid);
        self.reaped = true;
        Some(if libc::WIFEXITED(status) {
            End::Exit(libc::WEXITSTATUS(status))
        } else {
            End::Signal(libc::WTERMSIG(status))
        })
    }

    fn reap(&mut self) {
        let mut status = 0;
        // SAFETY: our out-pointer.
        unsafe { libc::waitpid(self.pid, &mut status, 0) };
        self.reaped = true;
    }

    /// Asserts that it returned 0.
    #[track_caller]
    pub fn succeeds(self) {
        assert_eq!(self.wait(), End::Exit(0), "the child failed; its message is above");
    }

    /// Waits until all its threads sleep in the kernel (state S), so that what it does is blocked.
    pub fn wait_until_asleep(&self) {
        wait_until("the child sleeps", || {
            let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)) else { return false };
            stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))
        });
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            // SAFETY: our unreaped child.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
            self.reap();
        }
    }
}

/// Looks every millisecond until `done`; panics after [`WATCHDOG_SECONDS`].
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(WATCHDOG_SECONDS), "never happened: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Aborts the whole test process if it is not dropped within `seconds`: a call that hangs cannot be
/// ended in any other way.
pub struct Watchdog(Arc<AtomicBool>);

/// See [`Watchdog`].
pub fn watchdog(what: &'static str, seconds: u64) -> Watchdog {
    let done = Arc::new(AtomicBool::new(false));
    let seen = done.clone();
    std::thread::spawn(move || {
        let begin = Instant::now();
        while !seen.load(Relaxed) {
            if begin.elapsed() > Duration::from_secs(seconds) {
                eprintln!("watchdog: {what} took more than {seconds} s");
                std::process::abort();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    Watchdog(done)
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Zeroed memory shared with the children forked from now on: any struct of atomics.
pub struct Shared<T: 'static>(&'static T);

impl<T> Shared<T> {
    /// # Safety
    /// All-zero bytes are a valid `T`.
    pub unsafe fn zeroed() -> Self {
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping, never unmapped.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), size_of::<T>().max(1), access, flags, -1, 0) };
        assert_ne!(at, libc::MAP_FAILED);
        // SAFETY: zeroed, page-aligned, mapped for ever; the caller's word for the rest.
        Shared(unsafe { &*at.cast::<T>() })
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Shared<T> {}

impl<T> std::ops::Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0
    }
}

/// Tests of one file that must not run side by side take this.
pub static ALONE: Mutex<()> = Mutex::new(());
