//! The calls about the lock of a value.

use super::{acquire, answer, release, set_timeout};
use crate::capi::rialto_value_t;
use core::ffi::c_int;

/// Keeps all others from changing the value until rialto_value_release: several operations of this
/// thread, that nobody comes between. Python's `with value.get_lock():`. Others load meanwhile.
///
/// value       alive.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     RIALTO_OK; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and it is held, by whomever);
///             RIALTO_EDEADLK (held by this thread already); RIALTO_EMFILE; RIALTO_ENOMEM;
///             RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   others go on, with what the last whole operation left: hold a rialto_lock_t of your
///             own if they are to be told.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_acquire(value: *const rialto_value_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(value, timeout_ns) }
}

/// Ends what rialto_value_acquire began.
///
/// value       alive.
/// Returns     RIALTO_OK; RIALTO_EPERM (this thread has not acquired it; an edit, sort or walk of
///             its own does not count); RIALTO_EBADREGION; RIALTO_EINVAL.
/// Concurrency the thread that acquired it.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   others go on, in any case.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_release(value: *const rialto_value_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { release(value) }
}

/// How long the operations of this view wait for others who change the value; at first, as long as
/// it takes.
///
/// value       alive. Copies of the view keep theirs.
/// timeout_ns  for each operation, which returns RIALTO_ETIMEDOUT then, and has changed nothing. 0:
///             RIALTO_EAGAIN at once. RIALTO_WAIT_FOREVER never passes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread; nobody else uses the view meanwhile.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_set_timeout(value: *mut rialto_value_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set_timeout(value, timeout_ns) }
}

/// Whether the calling thread holds the value's lock.
///
/// value       alive.
/// is_mine     gets the answer, which stays true until this thread releases.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_is_mine(value: *const rialto_value_t, is_mine: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(value, is_mine, |it| it.is_mine()) }
}

/// Whether anybody holds the value's lock.
///
/// value       alive.
/// is_locked   gets the answer, which may be old when you read it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_is_locked(value: *const rialto_value_t, is_locked: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(value, is_locked, |it| it.is_locked()) }
}

/// How many threads died in the middle of a change of the value, which then was taken back or
/// completed; a death is counted by the next who changes something.
///
/// value       alive.
/// deaths      gets the number; stays at UINT32_MAX.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_deaths(value: *const rialto_value_t, deaths: *mut u32) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(value, deaths, |it| it.deaths()) }
}
