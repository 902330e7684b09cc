//! `rialto_process_t`.

use super::{
    check,
    config::{config_at, method_at},
    end,
    entry::call,
    get, put, rialto_child_t, rialto_process_config_t, status,
};
use crate::{
    capi::{View, check_optional, name, put_optional},
    error::{Error, Result},
    process::Process,
    time::FOREVER,
};
use core::ffi::{c_char, c_int, c_void};

/// A child. A pinned view, private to the process that started it: in one that this forks, waiting,
/// signalling and closing say RIALTO_EPERM. What it has (descriptors, and the zombie that an ended
/// child is) is given back by rialto_process_close.
#[repr(C)]
pub struct rialto_process_t {
    /// Private.
    pub _private: [u64; 16],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_process_t {
    type Handle = Process;
    const TAG: u64 = u64::from_le_bytes(*b"cprocess");
    const PINNED: bool = true;
}

/// The exit code of a process of which nobody can say how it ended: SIGCHLD is ignored, somebody
/// else has waited for it, or its fork server is gone.
pub const RIALTO_EXIT_UNKNOWN: i32 = -2147483648;
/// The exit code of a child in whose entry Rust code panicked.
pub const RIALTO_EXIT_PANICKED: i32 = 101;
/// The exit code of a child that could not begin.
pub const RIALTO_EXIT_BAD_START: i32 = 126;
/// The exit code of a spawned child whose program has no such entry.
pub const RIALTO_EXIT_NO_ENTRY: i32 = 127;

const _: () = {
    assert!(RIALTO_EXIT_UNKNOWN == crate::process::UNKNOWN);
    assert!(RIALTO_EXIT_PANICKED == crate::process::PANICKED);
    assert!(RIALTO_EXIT_BAD_START == crate::process::BAD_START);
    assert!(RIALTO_EXIT_NO_ENTRY == crate::process::NO_ENTRY);
};

/// Starts a process that runs the entry of that name. Cf. posix_spawn. Python's Process.start.
///
/// An entry that is missing in a spawned program is told by the exit code, RIALTO_EXIT_NO_ENTRY.
///
/// entry       in the child's program: as it told rialto_process_main. 1 to 31 bytes.
/// config      how; with RIALTO_PROCESS_FORK see there.
/// process     gets the view. Do not pass one that is alive: its child would be forgotten.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such entry here or in the server's program; no such
///             file; this program is to be begun anew, and has not called rialto_process_main);
///             RIALTO_ECONNRESET (the server has ended); RIALTO_EMFILE (descriptors; the server's
///             children); RIALTO_ENFILE, RIALTO_ENOSPC, RIALTO_ENOMEM (of the system);
///             RIALTO_EAGAIN (too many processes); RIALTO_ENOTSUP (no /proc; before Linux 5.4);
///             RIALTO_EVERSION, RIALTO_EBADREGION (the server has another version of the library, or
///             is none); RIALTO_EINVAL (a bad name or number; more than 64 descriptors, or one that
///             is not open; a server that is not alive); what else execve says of the program, a
///             negated errno. Negative: nothing is left running.
/// Concurrency any thread; but a spawn copies the environment, which nobody may change meanwhile.
///             Blocks: a spawn until the child runs its program, a fork server's child until the
///             server has answered; a fork, no.
/// Signals     not async-signal-safe.
/// If we die   a child that runs already, runs; as a daemon it is killed.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_start(
    entry: *const c_char,
    config: *const rialto_process_config_t,
    process: *mut rialto_process_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(process).and_then(|()| unsafe {
        let entry = name(entry)?;
        let (method, config) = (method_at(config)?, config_at(config)?);
        put(process, Process::start(method, entry, &config)?);
        Ok(())
    }))
}

/// Starts a forked process that runs a function, which needs no entry and sees all that this process
/// has. Cf. fork.
///
/// run         returns the exit code, of which 8 bits count. What it may do: see
///             RIALTO_PROCESS_FORK.
/// context     what it gets.
/// config      as for rialto_process_start; its method, program, argv and server are not looked at.
/// process     gets the view. Do not pass one that is alive: its child would be forgotten.
/// Returns     RIALTO_OK; RIALTO_EMFILE (descriptors); RIALTO_ENFILE, RIALTO_ENOMEM (of the system);
///             RIALTO_EAGAIN (too many processes); RIALTO_ENOTSUP (no /proc; before Linux 5.4);
///             RIALTO_EINVAL (also: run is NULL). Negative: nothing is left running.
/// Concurrency any thread.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_process_start.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_fork(
    run: Option<unsafe extern "C" fn(child: *const rialto_child_t, context: *mut c_void) -> c_int>,
    context: *mut c_void,
    config: *const rialto_process_config_t,
    process: *mut rialto_process_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(process).and_then(|()| unsafe {
        let run = run.ok_or(Error::Invalid)?;
        let config = config_at(config)?;
        put(process, Process::fork(&config, |child| call(child, run, context))?);
        Ok(())
    }))
}

/// # Safety
/// As C says.
unsafe fn join(process: *mut rialto_process_t, timeout_ns: u64, exit_code: *mut i32) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check_optional(exit_code).and_then(|()| unsafe {
        put_optional(exit_code, get(process)?.join_shared(timeout_ns)?);
        Ok(())
    }))
}

/// Waits for its end, as long as it takes. Again is fine. Cf. waitpid. Python's join.
///
/// process     alive.
/// exit_code   gets 0 to 255, what the entry returned; negative, the signal that killed it;
///             RIALTO_EXIT_UNKNOWN. May be NULL.
/// Returns     RIALTO_OK; RIALTO_EPERM (a forked child of its owner); RIALTO_EINVAL.
/// Concurrency one thread at a time for each process; others may signal it meanwhile.  Blocks: yes,
///             through signals.
/// Signals     not async-signal-safe.
/// If we die   the child runs on; as a daemon it is killed.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_join(process: *mut rialto_process_t, exit_code: *mut i32) -> c_int {
    // SAFETY: the caller's word.
    unsafe { join(process, FOREVER, exit_code) }
}

/// Waits for its end, at most `timeout_ns` nanoseconds.
///
/// process     alive.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// exit_code   as for rialto_process_join.
/// Returns     as rialto_process_join; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and it runs).
/// Concurrency as rialto_process_join.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_process_join.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_join_timeout(
    process: *mut rialto_process_t,
    timeout_ns: u64,
    exit_code: *mut i32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { join(process, timeout_ns, exit_code) }
}

/// How it ended. Python's exitcode.
///
/// process     alive.
/// exit_code   as for rialto_process_join, but not NULL.
/// Returns     RIALTO_OK; RIALTO_EAGAIN (it runs, or its fork server has not said yet how it ended);
///             RIALTO_EPERM (a forked child of its owner); RIALTO_EINVAL.
/// Concurrency as rialto_process_join.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_exit_code(
    process: *mut rialto_process_t,
    exit_code: *mut i32,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(exit_code).and_then(|()| unsafe {
        exit_code.write(get(process)?.join_shared(0)?);
        Ok(())
    }))
}

/// Whether it runs (or is stopped). In a forked child of its owner: false.
///
/// process     alive.
/// is_alive    gets the answer; true may be old when you read it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency as rialto_process_join.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_is_alive(
    process: *mut rialto_process_t,
    is_alive: *mut bool,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(is_alive).and_then(|()| unsafe {
        is_alive.write(get(process)?.is_alive_shared());
        Ok(())
    }))
}

/// # Safety
/// As C says.
unsafe fn tell(process: *const rialto_process_t, tell: impl FnOnce(&Process) -> Result<()>) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get(process) }.and_then(tell))
}

/// SIGTERM, which it can handle or ignore. Cf. kill.
///
/// process     alive. Fine if the process has ended.
/// Returns     RIALTO_OK; RIALTO_EPERM (a forked child of its owner; it runs a program of another
///             user); RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it gets the signal, or not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_terminate(process: *const rialto_process_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { tell(process, Process::terminate) }
}

/// SIGKILL. Cf. kill.
///
/// process     alive. Fine if the process has ended.
/// Returns     as rialto_process_terminate.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it gets the signal, or not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_kill(process: *const rialto_process_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { tell(process, Process::kill) }
}

/// Any signal; never one to a process that has got its number since. Cf. pidfd_send_signal.
///
/// process     alive. Fine if the process has ended.
/// signal      a number of the system's.
/// Returns     as rialto_process_terminate.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it gets the signal, or not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_signal(process: *const rialto_process_t, signal: c_int) -> c_int {
    // SAFETY: the caller's word.
    unsafe { tell(process, |process| process.signal(signal)) }
}

/// Its process id. Nobody else's while it is not joined.
///
/// process     alive.
/// pid         gets it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_pid(process: *const rialto_process_t, pid: *mut i32) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(pid).and_then(|()| unsafe {
        pid.write(get(process)?.pid());
        Ok(())
    }))
}

/// A descriptor that polls as readable when the process has ended. Not yours to close or read. Cf.
/// pidfd_open.
///
/// process     alive; closing it closes the descriptor.
/// fd          gets it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_sentinel(process: *const rialto_process_t, fd: *mut c_int) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(fd).and_then(|()| unsafe {
        fd.write(get(process)?.sentinel());
        Ok(())
    }))
}

/// Ends the view of a process that has ended, and gives back all that it had.
///
/// process     alive; no other thread is using it.
/// Returns     RIALTO_OK; RIALTO_EBUSY (the process runs: not done); RIALTO_EPERM (a forked child of
///             its owner: not done); RIALTO_EINVAL (also: closed already).
/// Concurrency one thread.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   nothing is left of it.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_close(process: *mut rialto_process_t) -> c_int {
    // SAFETY: the caller's word: nobody else uses it.
    status(unsafe { end(process, Process::close) })
}
