//! `rialto_forkserver_t`.

use super::{check, config::program_of, end, get, put, status, take};
use crate::{capi::View, process::ForkServer};
use core::ffi::{c_char, c_int};

/// A process that forks others, see RIALTO_PROCESS_FORKSERVER. A pinned view. It ends with the
/// process that started it; its children need not, and it can have 4096 of them at a time. Forked
/// children of its owner may start processes by it, but not stop it.
#[repr(C)]
pub struct rialto_forkserver_t {
    /// Private.
    pub _private: [u64; 16],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_forkserver_t {
    type Handle = ForkServer;
    const TAG: u64 = u64::from_le_bytes(*b"c server");
    const PINNED: bool = true;
}

/// Starts a fork server: early, its children are copies of it.
///
/// program     the file of a program whose main begins with rialto_process_main (or Rust's
///             process::main); NULL: this program. One that does not is waited for until it ends.
/// argv        what that main gets behind its name, and a NULL; NULL: nothing.
/// server      gets the view.
/// Returns     as rialto_process_start; RIALTO_ECONNRESET (the program ended without becoming a
///             server).
/// Concurrency as rialto_process_start.  Blocks: yes, until it is ready.
/// Signals     not async-signal-safe.
/// If we die   it ends.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_forkserver_start(
    program: *const c_char,
    argv: *const *const c_char,
    server: *mut rialto_forkserver_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(server).and_then(|()| unsafe {
        put(server, ForkServer::start(program_of(program, argv)?)?);
        Ok(())
    }))
}

/// Its process id.
///
/// server      alive.
/// pid         gets it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_forkserver_pid(server: *const rialto_forkserver_t, pid: *mut i32) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(pid).and_then(|()| unsafe {
        pid.write(get(server)?.pid());
        Ok(())
    }))
}

/// Ends a server that has no children any more, and its view.
///
/// server      alive; no other thread is using it.
/// Returns     RIALTO_OK; RIALTO_EBUSY (children of it run, or it has not noticed yet that they do
///             not: not done); RIALTO_EPERM (a forked child of its owner: not done);
///             RIALTO_ECONNRESET (it has ended before: use rialto_forkserver_kill); RIALTO_EMFILE,
///             RIALTO_ENFILE; RIALTO_EINVAL.
/// Concurrency one thread.  Blocks: yes, until it has ended.
/// Signals     not async-signal-safe.
/// If we die   it ends.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_forkserver_stop(server: *mut rialto_forkserver_t) -> c_int {
    // SAFETY: the caller's word: nobody else uses it.
    status(unsafe { end(server, ForkServer::stop) })
}

/// Kills a server, if it has not ended, and ends its view. Its children run on, with exit codes that
/// nobody knows: RIALTO_EXIT_UNKNOWN. In a forked child of its owner only the child's view ends.
///
/// server      alive; no other thread is using it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread.  Blocks: yes, until it has ended.
/// Signals     not async-signal-safe.
/// If we die   it ends.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_forkserver_kill(server: *mut rialto_forkserver_t) -> c_int {
    // SAFETY: the caller's word: nobody else uses it.
    status(unsafe { take(server) }.map(drop))
}
