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
        #[allow(clippy::unnecessary_cast)] // 32 bits on 32-bit targets
        0 => limit.rlim_cur as u64,
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
        // Before Linux 5.9; containers that refuse what they do not know.
        Error::NotSupported | Error::Os(libc::EPERM) => close_listed(first),
        Error::Os(errno) => Err(error_of(errno)),
        error => Err(error),
    }
}

/// The same, by the kernel's list of them. (Their limit may be a thousand million.)
fn close_listed(first: c_int) -> Result<()> {
    /// Of a `linux_dirent64`: where its length is, and its name.
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    // SAFETY: a C string.
    let list = ok(unsafe { libc::open(c"/proc/self/fd".as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY) })?;
    let mut buffer = [0u8; 1024];
    loop {
        // SAFETY: room for so many bytes.
        let got = unsafe { libc::syscall(libc::SYS_getdents64, list, buffer.as_mut_ptr(), buffer.len()) };
        let mut entries = match usize::try_from(got) {
            Ok(0) => break,
            Ok(length) => &buffer[..length],
            Err(_) => return Err(last_error()),
        };
        while let Some(length) = entries.get(LENGTH..LENGTH + 2) {
            let length = usize::from(u16::from_ne_bytes([length[0], length[1]]));
            let Some(name) = entries.get(NAME..length) else { break };
            let digits = name.iter().take_while(|byte| byte.is_ascii_digit());
            let fd = digits
                .fold(0, |fd: c_int, digit| fd.saturating_mul(10).saturating_add((digit - b'0').into()));
            if fd >= first && fd != list {
                // SAFETY: as above.
                unsafe { libc::close(fd) };
            }
            entries = &entries[length..];
        }
    }
    // SAFETY: ours.
    ok(unsafe { libc::close(list) }).map(drop)
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    /// More than fit into one reading of the list, with gaps.
    #[test]
    fn all_that_are_listed_are_closed_and_no_others() {
        // SAFETY: the child calls nothing that needs memory or a lock.
        let status = unsafe {
            let child = libc::fork();
            if child == 0 {
                for fd in (40..400).step_by(3) {
                    libc::dup2(2, fd);
                }
                let closed = close_listed(43) == Ok(());
                let is_open = |fd| libc::fcntl(fd, libc::F_GETFD) != -1;
                libc::_exit(i32::from(!closed || !is_open(2) || !is_open(40) || (43..500).any(is_open)));
            }
            let mut status = 0;
            assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
            status
        };
        assert_eq!(status, 0);
    }
}
