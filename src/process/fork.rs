//! A fork whose child can be named by a descriptor before it does anything.
//!
//! Between `fork` and `pidfd_open` a child could end, be reaped (by the kernel, if SIGCHLD is ignored, or by another
//! thread's `wait`), and its number be given to somebody else. So it waits at a gate: an eventfd, which its parent
//! opens with what is to be done: 1, go on; 2, end.

use super::os::{Fd, getpid, last_error, leave, pidfd_open, readable};
use crate::{
    error::Result,
    sys::{Os, linux::errno},
    time::Deadline,
};
use core::ffi::c_int;

const GO: u64 = 1;
const END: u64 = 2;
/// How often a child at the gate looks whether its parent is still there.
const LOOK_NS: u64 = 100_000_000;

/// In the parent: the child, and its descriptor. `None`: this is the child.
///
/// # Safety
/// Of a threaded process the child must only do what is async-signal-safe, until it ends or runs a program.
pub(super) unsafe fn fork() -> Result<Option<(i32, Fd)>> {
    // SAFETY: no memory involved.
    let gate = Fd::new(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
    let parent = getpid();
    // SAFETY: the caller's word.
    match unsafe { libc::fork() } {
        -1 => Err(last_error()),
        0 => {
            wait_at(gate.raw(), parent);
            Ok(None)
        }
        pid => {
            let pidfd = pidfd_open(pid);
            let word = if pidfd.is_ok() { GO } else { END };
            // SAFETY: eight bytes that are there.
            unsafe { libc::write(gate.raw(), (&raw const word).cast(), 8) };
            if pidfd.is_err() {
                // SAFETY: our child, which ends; no out-parameter.
                while unsafe { libc::waitpid(pid, core::ptr::null_mut(), 0) } == -1 && errno() == libc::EINTR
                {
                }
            }
            pidfd.map(|pidfd| Some((pid, pidfd)))
        }
    }
}

fn wait_at(gate: c_int, parent: i32) {
    loop {
        let _ = readable(gate, Deadline::after(Os::default(), LOOK_NS));
        let mut word = 0u64;
        // SAFETY: room for eight bytes.
        let n = unsafe { libc::read(gate, (&raw mut word).cast(), 8) };
        match word {
            GO if n == 8 => return,
            END if n == 8 => leave(super::BAD_START),
            _ => {}
        }
        // SAFETY: no arguments.
        if unsafe { libc::getppid() } != parent {
            return; // nobody will open it; what is to become of orphans, is for others to say
        }
    }
}
