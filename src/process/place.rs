//! A child's descriptors: 0, 1, 2, and exactly those that were passed, at 3, 4, ...
//!
//! Async-signal-safe: runs in children of threaded parents, also in those that have their parent's memory still.

use super::os::{error_of, last_error, ok};
use crate::error::{Error, Result};
use core::ffi::c_int;

/// Where the passed ones begin.
pub(super) const FIRST: c_int = 3;
/// The passed ones, a lifeline and a letter.
pub(super) const MOST: usize = super::MAX_FDS + 2;

/// Errors: `Invalid` if one of them is not open.
pub(super) fn check(fds: &[c_int]) -> Result<()> {
    if fds.len() > super::MAX_FDS {
        return Err(Error::Invalid);
    }
    for fd in fds {
        // SAFETY: no memory involved.
        if unsafe { libc::fcntl(*fd, libc::F_GETFD) } == -1 {
            return Err(Error::Invalid);
        }
    }
    // What `place` needs on its way.
    let most = FIRST as u64 + 2 * (fds.len() as u64 + 2);
    if limit() < most { Err(Error::TooManyHeld) } else { Ok(()) }
}

/// No descriptor of this process has that number, or a higher one.
fn limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: our own out-parameter.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } {
        0 => limit.rlim_cur,
        _ => 1024,
    }
}

/// Puts them at 3, 4, ..., to stay over `exec`, and closes all others above 2.
pub(super) fn place(sources: &[c_int]) -> Result<()> {
    if sources.len() > MOST {
        return Err(Error::Invalid);
    }
    let behind = FIRST + sources.len() as c_int;
    // One's place may be another one's number: so all of them go out of the way first.
    let mut away = [-1; MOST];
    for (away, source) in away.iter_mut().zip(sources) {
        // SAFETY: no memory involved.
        *away = ok(unsafe { libc::fcntl(*source, libc::F_DUPFD_CLOEXEC, behind) })?;
    }
    for (away, to) in away.iter().take(sources.len()).zip(FIRST..) {
        // SAFETY: what is there now has been put away, or is not wanted.
        ok(unsafe { libc::dup2(*away, to) })?;
    }
    close_from(behind)
}

fn close_from(first: c_int) -> Result<()> {
    // SAFETY: they are nobody's in this process any more.
    if unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) } == 0 {
        return Ok(());
    }
    match last_error() {
        Error::NotSupported => {} // before Linux 5.9
        Error::Os(errno) => return Err(error_of(errno)),
        error => return Err(error),
    }
    for fd in first..c_int::try_from(limit()).unwrap_or(c_int::MAX) {
        // SAFETY: as above.
        unsafe { libc::close(fd) };
    }
    Ok(())
}
