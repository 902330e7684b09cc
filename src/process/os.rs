//! System calls with their errors, and descriptors that close themselves.

use crate::{
    error::{Error, Result},
    sys::{Os, Platform, linux::errno},
    time::Deadline,
};
use core::{ffi::c_int, mem, ptr};
use libc::{pid_t, pollfd};

/// What `waitid` said of a child, and [`super::UNKNOWN`].
pub(super) type ExitCode = i32;

/// What the last call of this thread failed with.
pub(crate) fn last_error() -> Error {
    error_of(errno())
}

pub(super) fn error_of(errno: c_int) -> Error {
    match errno {
        libc::ENOENT => Error::NotFound,
        libc::ENOSPC | libc::EDQUOT => Error::NoSpace,
        libc::ENOMEM => Error::NoMemory,
        libc::ENOSYS | libc::EOPNOTSUPP => Error::NotSupported,
        libc::EPIPE | libc::ECONNRESET => Error::BrokenPipe,
        libc::EMFILE => Error::TooManyHeld,
        libc::ENFILE => Error::TooManyMembers,
        errno => Error::Os(errno),
    }
}

/// A call's result that is not -1.
pub(super) fn ok(result: c_int) -> Result<c_int> {
    if result == -1 { Err(last_error()) } else { Ok(result) }
}

/// As [`ok`], of `libc::syscall`.
fn ok_long(result: libc::c_long) -> Result<c_int> {
    if result == -1 { Err(last_error()) } else { Ok(result as c_int) }
}

/// A descriptor of ours, closed when it is dropped.
#[derive(Debug)]
pub(super) struct Fd(c_int);

impl Fd {
    /// Takes over what a call returned.
    pub fn new(result: c_int) -> Result<Fd> {
        ok(result).map(Fd)
    }

    pub fn raw(&self) -> c_int {
        self.0
    }

    /// Not ours to close any more.
    pub fn keep(self) -> c_int {
        let fd = self.0;
        mem::forget(self);
        fd
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { libc::close(self.0) };
    }
}

/// The calling process.
pub(crate) fn getpid() -> pid_t {
    // SAFETY: no arguments.
    unsafe { libc::getpid() }
}

/// Waits until one of them has something to say; `false`: the deadline passed first. Goes on after signals.
pub(super) fn poll(fds: &mut [pollfd], deadline: Deadline) -> Result<bool> {
    loop {
        let mut left = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let forever = deadline == Deadline::NEVER;
        if !forever && deadline != Deadline::NOW {
            let ns = deadline.0.saturating_sub(Os::default().now_ns());
            left.tv_sec = libc::time_t::try_from(ns / 1_000_000_000).unwrap_or(libc::time_t::MAX);
            left.tv_nsec = (ns % 1_000_000_000) as _;
        }
        let until = if forever { ptr::null() } else { &raw const left };
        // SAFETY: our own array, and a timespec or null.
        let n = unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as _, until, ptr::null()) };
        match n {
            0 => return Ok(false),
            1.. => return Ok(true),
            _ if errno() == libc::EINTR && deadline == Deadline::NOW => {}
            _ if errno() == libc::EINTR && deadline.passed(Os::default()) => return Ok(false),
            _ if errno() == libc::EINTR => {}
            _ => return Err(last_error()),
        }
    }
}

/// As [`poll`], for one descriptor to be read from, or ended.
pub(super) fn readable(fd: c_int, deadline: Deadline) -> Result<bool> {
    poll(&mut [pollfd { fd, events: libc::POLLIN, revents: 0 }], deadline)
}

/// Whether everybody at the other end of that pipe or socket is gone.
pub(super) fn is_hung_up(fd: c_int) -> bool {
    let mut asked = [pollfd { fd, events: 0, revents: 0 }];
    poll(&mut asked, Deadline::NOW).is_ok() && asked[0].revents & (libc::POLLHUP | libc::POLLERR) != 0
}

/// A descriptor of a child of ours.
pub(super) fn pidfd_open(pid: pid_t) -> Result<Fd> {
    // SAFETY: no memory involved.
    ok_long(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) }).map(Fd)
}

/// Sends a signal to the process that a pidfd is of. Fine if that has ended.
pub(super) fn pidfd_signal(pidfd: c_int, signal: c_int) -> Result<()> {
    let none = ptr::null::<libc::siginfo_t>();
    // SAFETY: no memory involved.
    match ok_long(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signal, none, 0) }) {
        Ok(_) | Err(Error::Os(libc::ESRCH)) => Ok(()),
        Err(Error::Os(libc::EINVAL)) => Err(Error::Invalid),
        Err(error) => Err(error),
    }
}

/// How the child that a pidfd is of has ended, and nothing is left of it; `None` if it has not, or if a tracer
/// keeps it. [`super::UNKNOWN`]: somebody else has waited for it, or the kernel did (SIGCHLD is ignored).
pub(super) fn reap(pidfd: c_int) -> Result<Option<ExitCode>> {
    loop {
        // SAFETY: zeros are a siginfo.
        let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
        let flags = libc::WEXITED | libc::WNOHANG;
        // SAFETY: our own out-parameter.
        let result = unsafe { libc::waitid(libc::P_PIDFD, pidfd as libc::id_t, &raw mut info, flags) };
        if result == 0 {
            // SAFETY: filled in, or the zeros, by waitid.
            let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
            return Ok(match info.si_code {
                _ if pid == 0 => None,
                libc::CLD_EXITED => Some(status),
                _ => Some(-status),
            });
        }
        match errno() {
            libc::EINTR => {}
            libc::ECHILD => return Ok(Some(super::UNKNOWN)),
            _ => return Err(last_error()),
        }
    }
}

/// Sleeps so long, or less.
pub(crate) fn nap(ns: u64) {
    let _ = poll(&mut [], Deadline::after(Os::default(), ns));
}

/// Ends this process: nothing is flushed, nothing registered with `atexit` runs.
pub(super) fn leave(code: c_int) -> ! {
    // SAFETY: ends it.
    unsafe { libc::_exit(code) }
}

/// One line on standard error, in one piece.
pub(super) fn complain(what: &str, name: &str) {
    let mut line = heapless::String::<160>::new();
    for part in ["rialto: ", what, name, "\n"] {
        // What does not fit is left out.
        let _ = line.push_str(part);
    }
    // SAFETY: bytes that are there.
    unsafe { libc::write(2, line.as_ptr().cast(), line.len()) };
}
