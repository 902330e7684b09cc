//! The calling process, and its parent.

use super::{entry::c_name, status};
use crate::{
    capi::check,
    error::{Error, Result},
    process::{Parent, current, parent},
    time::FOREVER,
};
use core::ffi::{c_char, c_int};

/// The calling process.
#[repr(C)]
pub struct rialto_current_t {
    /// Ends with a zero; "MainProcess" where nobody gave one.
    pub name: [c_char; 32],
    /// Its process id.
    pub pid: i32,
    /// RIALTO_PROCESS_DAEMON or 0.
    pub flags: u32,
}

/// The calling process, as it was started. Python's current_process.
///
/// current     gets it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_current(current: *mut rialto_current_t) -> c_int {
    let make = || {
        let me = self::current();
        let flags = if me.is_daemon() { super::RIALTO_PROCESS_DAEMON } else { 0 };
        rialto_current_t { name: c_name(me.name()), pid: me.pid(), flags }
    };
    // SAFETY: checked, and the caller's word.
    status(check(current).map(|()| unsafe { current.write(make()) }))
}

fn mine() -> Result<Parent> {
    parent().ok_or(Error::NotFound)
}

/// Who started this process. Python's parent_process.
///
/// pid         gets the process id; another one's, perhaps, once the parent has ended.
/// Returns     RIALTO_OK; RIALTO_ENOENT (it was not started by Rialto); RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_parent_pid(pid: *mut i32) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(pid).and_then(|()| unsafe {
        pid.write(mine()?.pid());
        Ok(())
    }))
}

/// Whether who started this process still runs, and still runs the program that it ran then.
///
/// is_alive    gets the answer; true may be old when you read it.
/// Returns     RIALTO_OK; RIALTO_ENOENT (it was not started by Rialto); RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_parent_is_alive(is_alive: *mut bool) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(is_alive).and_then(|()| unsafe {
        is_alive.write(mine()?.is_alive());
        Ok(())
    }))
}

/// Waits for the end of who started this process (or until that one runs another program), as long
/// as it takes.
///
/// Returns     RIALTO_OK; RIALTO_ENOENT (it was not started by Rialto).
/// Concurrency any thread.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub extern "C" fn rialto_parent_join() -> c_int {
    rialto_parent_join_timeout(FOREVER)
}

/// Waits for the end of who started this process, at most `timeout_ns` nanoseconds.
///
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_parent_join; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and it runs).
/// Concurrency any thread.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub extern "C" fn rialto_parent_join_timeout(timeout_ns: u64) -> c_int {
    status(mine().and_then(|parent| parent.join_timeout(timeout_ns)))
}

/// A descriptor that hangs up (POLLHUP) when who started this process has ended, or runs another
/// program. Not yours to close or read.
///
/// fd          gets it.
/// Returns     RIALTO_OK; RIALTO_ENOENT (it was not started by Rialto); RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_parent_sentinel(fd: *mut c_int) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(fd).and_then(|()| unsafe {
        fd.write(mine()?.sentinel());
        Ok(())
    }))
}
