//! The Linux backend: futexes shared between processes, the monotonic clock, and deaths told by the
//! kernel through the robust list that the thread's libc registered.
//!
//! | file | what |
//! |---|---|
//! | `mod` | sleeping, waking, the clock |
//! | `thread` | the calling thread's private page: its id, what it holds, its memberships |
//! | `tls` | how a thread finds its page, and what runs when it exits |
//! | `robust` | our part of libc's robust list |
//! | `proc` | whether another thread lives, and since when |
//! | `users` | how many memberships this process has in each of its regions |
//!
//! `membarrier` serves the streams of `spsc` and `pipe`, see `wait`.

mod proc;
mod robust;
mod thread;
mod tls;
mod users;

pub use thread::LinuxThread;

use super::{Liveness, Platform, Waited};
use crate::{error::Result, sync::AtomicU32};
use libc::{c_long, timespec};

// Where glibc's `long` has 32 bits its plain calls refuse files whose inode number or size has more.
#[cfg(not(all(target_env = "gnu", target_pointer_width = "32")))]
pub(crate) use libc::{fstat, stat};
#[cfg(all(target_env = "gnu", target_pointer_width = "32"))]
pub(crate) use libc::{fstat64 as fstat, stat64 as stat};

/// Linux, for the calling process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linux;

// Never FUTEX_PRIVATE_FLAG: a private futex is keyed by the address in *this* process, and a waker in
// another process would not find the sleeper. The shared key is the page of the file (or of the
// anonymous shared mapping) and the offset in it, whatever the address.
const WAIT: i32 = libc::FUTEX_WAIT_BITSET; // the form with an absolute deadline; CLOCK_MONOTONIC unless told
const WAKE: i32 = libc::FUTEX_WAKE;
const ANY: u32 = u32::MAX;

pub(crate) fn errno() -> i32 {
    // SAFETY: libc gives every thread its errno.
    unsafe { *libc::__errno_location() }
}

fn set_errno(value: i32) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = value }
}

/// An absolute deadline as the kernel wants it. What does not fit a 32-bit `time_t` is later than any
/// uptime.
fn timespec_of(ns: u64) -> timespec {
    let seconds = ns / 1_000_000_000;
    timespec {
        tv_sec: libc::time_t::try_from(seconds).unwrap_or(libc::time_t::MAX),
        tv_nsec: (ns % 1_000_000_000) as _,
    }
}

impl Platform for Linux {
    type Thread = LinuxThread;

    /// About 2 us of `pause`: less than a sleep and a wake-up cost, so a short critical section on
    /// another core is over before we would be asleep.
    const SPINS: u32 = 100;
    const TICK_NS: u64 = crate::time::TICK_NS;

    fn now_ns(self) -> u64 {
        let mut now = timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: a valid clock and a valid out-pointer.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
        (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
    }

    fn wait(self, word: &AtomicU32, expected: u32, deadline_ns: u64) -> Waited {
        let deadline = timespec_of(deadline_ns);
        let until = if deadline_ns == u64::MAX { core::ptr::null() } else { &raw const deadline };
        // SAFETY: `word` is four aligned bytes that outlive the call; the kernel only reads them.
        let result = unsafe {
            libc::syscall(
                libc::SYS_futex,
                core::ptr::from_ref(word),
                WAIT,
                expected,
                until,
                core::ptr::null::<u32>(),
                ANY,
            )
        };
        if result == 0 {
            return Waited::Woken;
        }
        match errno() {
            libc::ETIMEDOUT => Waited::TimedOut,
            // The word had another value, or a signal came: the caller looks again in any case.
            libc::EAGAIN | libc::EINTR => Waited::Woken,
            _ => {
                // No futex here (a sandbox?): the caller polls, and others get to run.
                // SAFETY: no arguments.
                unsafe { libc::sched_yield() };
                Waited::Woken
            }
        }
    }

    fn wake(self, word: &AtomicU32, count: u32) -> u32 {
        let saved = errno(); // a signal handler may call this
        let count = count.min(i32::MAX as u32) as i32;
        // SAFETY: FUTEX_WAKE does not even read the word; a bad address is an error.
        let woken = unsafe { libc::syscall(libc::SYS_futex, core::ptr::from_ref(word), WAKE, count) };
        set_errno(saved);
        if woken > 0 { woken as u32 } else { 0 }
    }

    fn requeue(self, from: &AtomicU32, expected: u32, to: &AtomicU32, wake: u32) -> bool {
        let saved = errno();
        let wake = wake.min(i32::MAX as u32) as i32;
        // SAFETY: `from` is four aligned bytes, of which the kernel reads; of `to` it takes the address.
        // How many to move at most stands where other operations have a timeout.
        let done = unsafe {
            libc::syscall(
                libc::SYS_futex,
                core::ptr::from_ref(from),
                libc::FUTEX_CMP_REQUEUE,
                wake,
                i32::MAX as libc::c_long,
                core::ptr::from_ref(to),
                expected,
            )
        };
        set_errno(saved);
        done != FAILED
    }

    fn signal(self, fd: i32) -> bool {
        let saved = errno();
        let one = 1u64;
        // SAFETY: eight bytes of a local are read; a bad descriptor is an error, not a fault.
        let written = unsafe { libc::write(fd, core::ptr::from_ref(&one).cast(), 8) };
        // A counter at its top (EAGAIN) is readable already.
        let readable = written == 8 || errno() == libc::EAGAIN;
        set_errno(saved);
        readable
    }

    fn accept_heavy_fences(self) -> bool {
        // Not remembered: whether a forked child still accepts is nowhere promised.
        membarrier(libc::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED)
    }

    // Linux (to 6.18 at least) may leave a processor out: where a thread of the process has just exited and another
    // one of it runs next, the kernel believes until the next process that nobody there is registered (`exit_mm`
    // clears `rq->membarrier_state`, `membarrier_switch_mm` does not look when the memory stays the same). Seen as
    // some 30 misses in a million beside threads that come and go. So it is good for wake-ups, which the tick heals.
    fn heavy_fence(self) -> bool {
        membarrier(libc::MEMBARRIER_CMD_GLOBAL_EXPEDITED)
    }

    // This one waits for a grace period, 20 ms or so, and leaves nobody out.
    fn slow_fence(self) -> bool {
        membarrier(libc::MEMBARRIER_CMD_GLOBAL)
    }

    #[inline]
    fn thread(self) -> Result<LinuxThread> {
        LinuxThread::current()
    }

    fn claim(self) -> u64 {
        users::claim()
    }

    fn enter(self, region: u64) {
        users::enter(region);
    }

    fn exit(self, region: u64) {
        users::exit(region);
    }

    fn users(self, region: u64) -> u32 {
        users::users(region)
    }

    fn give_back(self, region: u64) {
        users::give_back(region);
    }

    fn liveness(self, id: u32, tag: u64) -> Liveness {
        proc::liveness(id, tag)
    }

    fn process(self) -> Result<u64> {
        Ok(LinuxThread::current()?.process())
    }

    fn process_liveness(self, tag: u64) -> Liveness {
        proc::process_liveness(tag)
    }
}

/// A system call's result as `c_long` compares with this.
const FAILED: c_long = -1;

/// Linux 4.16; refused by old kernels, some sandboxes and emulators.
fn membarrier(command: libc::c_int) -> bool {
    let saved = errno();
    // SAFETY: touches no memory of ours.
    let done = unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) };
    set_errno(saved);
    done == 0
}
