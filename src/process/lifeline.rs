//! How a child learns that its parent is gone, and how a daemon ends with it.
//!
//! A process that starts others has one pipe whose write end nobody else has. Each child gets a reading
//! description of that pipe of its own: it hangs up when the last write end is closed, which is when the parent
//! has ended (all its threads, however it ended), or runs another program. A daemon's description is set to
//! O_ASYNC, with SIGKILL for the signal and the child for its owner: closing the last write end, the kernel
//! (`pipe_release`, `kill_fasync`, `send_sigio`) sends that signal, whatever the child does meanwhile.
//! `PR_SET_PDEATHSIG` would fire when the *thread* ends that started the child, and not for a fork server's.
//!
//! # States
//! `WRITE_END` is 0, or the process that made the pipe and its descriptor's number plus 1. Another process's says
//! nothing: a forked child makes a pipe of its own when it starts others.
//!
//! # Invariants
//! 1. A child of `fork` closes the write end before anything else of it runs: an `atfork` handler does it, so also
//!    for children that the program forks by itself. One that was started by `exec` loses it there (O_CLOEXEC).
//! 2. A daemon's description has signal and owner before the child's own copy of the write end is closed (spawn),
//!    or is looked at afterwards (fork): a parent that dies in between is noticed by the one or the other.
//!
//! # Limits
//! - Who closes descriptors that are not his own can close this one: closed in the parent, it ends the daemons;
//!   closed in a daemon, that daemon stays.
//! - A process forked by `clone` itself, without libc, holds the write end until it runs another program or ends;
//!   so does one that another thread forks in the very moment in which the first child is started.
//! - A daemon that runs a set-user-id program cannot be signalled (unless the kernel lets its owner).
//! - `/proc` must be mounted.

use super::os::{Fd, getpid, is_hung_up, leave, ok};
use crate::{
    error::{Error, Result},
    sync::{AtomicU32, AtomicU64, Ordering::*},
};
use core::{ffi::c_int, fmt::Write};
use heapless::String;

/// Of fcntl: which signal comes instead of SIGIO. include/uapi/asm-generic/fcntl.h; libc has no name for it.
const F_SETSIG: c_int = 10;

static WRITE_END: AtomicU64 = AtomicU64::new(0);
/// Whether the handler below is registered; inherited by forked children, as the registration is.
static REGISTERED: AtomicU32 = AtomicU32::new(0);

fn pack(pid: i32, fd: c_int) -> u64 {
    u64::from(pid.unsigned_abs()) << 32 | (u64::from(fd.unsigned_abs()) + 1)
}

/// This process's, if it has one already.
fn mine(word: u64) -> Option<c_int> {
    let is_mine = word >> 32 == u64::from(getpid().unsigned_abs()) && word as u32 != 0;
    is_mine.then(|| (word as u32 - 1) as c_int)
}

extern "C" fn in_a_forked_child() {
    let word = WRITE_END.swap(0, Relaxed);
    if word != 0 {
        // SAFETY: the parent's write end; nothing in the child uses it.
        unsafe { libc::close((word as u32 - 1) as c_int) };
    }
}

fn write_end() -> Result<c_int> {
    loop {
        let word = WRITE_END.load(Acquire);
        if let Some(fd) = mine(word) {
            return Ok(fd);
        }
        if REGISTERED.swap(1, AcqRel) == 0 {
            // SAFETY: a function of this library, which stays loaded, or is unregistered by libc when it is not.
            let error = unsafe { libc::pthread_atfork(None, None, Some(in_a_forked_child)) };
            if error != 0 {
                REGISTERED.store(0, Release);
                return Err(super::os::error_of(error));
            }
        }
        let mut ends = [0; 2];
        // SAFETY: room for two.
        ok(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
        let (read, write) = (Fd::new(ends[0])?, Fd::new(ends[1])?);
        drop(read);
        if WRITE_END.compare_exchange(word, pack(getpid(), write.raw()), AcqRel, Relaxed).is_ok() {
            return Ok(write.keep());
        }
    }
}

/// The end for a new child, made in its parent. Errors: `NotSupported` without `/proc`.
pub(super) fn for_child(daemon: bool) -> Result<Fd> {
    let mut path = String::<40>::new();
    let of = write_end()?;
    write!(path, "/proc/self/fd/{of}\0").map_err(|_| Error::Invalid)?;
    let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK;
    // SAFETY: a C string.
    let end = Fd::new(unsafe { libc::open(path.as_ptr().cast(), flags) }).map_err(|error| match error {
        Error::NotFound => Error::NotSupported,
        error => error,
    })?;
    if daemon {
        // Without an owner it signals nobody yet. All that needs memory happens here.
        // SAFETY: our descriptor.
        ok(unsafe { libc::fcntl(end.raw(), F_SETSIG, libc::SIGKILL) })?;
        // SAFETY: as above.
        ok(unsafe { libc::fcntl(end.raw(), libc::F_SETFL, libc::O_NONBLOCK | libc::O_ASYNC) })?;
    }
    Ok(end)
}

/// In the child: it is this process that is killed, if that is a daemon's end. Async-signal-safe.
pub(super) fn own(end: c_int) -> Result<()> {
    // SAFETY: no memory involved.
    ok(unsafe { libc::fcntl(end, libc::F_SETOWN, getpid()) }).map(drop)
}

/// In a daemon that has no copy of the write end (any more): ends it if its parent died before `own`.
pub(super) fn end_if_orphaned(end: c_int) {
    if is_hung_up(end) {
        // SAFETY: this process.
        unsafe { libc::kill(getpid(), libc::SIGKILL) };
        leave(255);
    }
}
