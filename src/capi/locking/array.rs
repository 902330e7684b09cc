//! The calls about the lock of an array.

use super::{acquire, answer, release, set_timeout};
use crate::capi::rialto_array_t;
use core::ffi::c_int;

/// Keeps all others from changing the array until rialto_array_release. As rialto_value_acquire.
///
/// array, timeout_ns
///             as for rialto_value_acquire.
/// Returns     as rialto_value_acquire.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_value_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_acquire(array: *const rialto_array_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(array, timeout_ns) }
}

/// Ends what rialto_array_acquire began.
///
/// array       alive.
/// Returns     RIALTO_OK; RIALTO_EPERM (this thread has not acquired it; an edit, sort or walk of
///             its own does not count); RIALTO_EBADREGION; RIALTO_EINVAL.
/// Concurrency the thread that acquired it.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   others go on, in any case.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_release(array: *const rialto_array_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { release(array) }
}

/// How long the operations of this view wait for others who change the array; at first, as long as
/// it takes.
///
/// array       alive. Copies of the view keep theirs.
/// timeout_ns  for each operation, which returns RIALTO_ETIMEDOUT then, and has changed nothing. 0:
///             RIALTO_EAGAIN at once. RIALTO_WAIT_FOREVER never passes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread; nobody else uses the view meanwhile.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_set_timeout(array: *mut rialto_array_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set_timeout(array, timeout_ns) }
}

/// Whether the calling thread holds the array's lock.
///
/// array       alive.
/// is_mine     gets the answer, which stays true until this thread releases.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_is_mine(array: *const rialto_array_t, is_mine: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(array, is_mine, |it| it.is_mine()) }
}

/// Whether anybody holds the array's lock.
///
/// array       alive.
/// is_locked   gets the answer, which may be old when you read it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_is_locked(array: *const rialto_array_t, is_locked: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(array, is_locked, |it| it.is_locked()) }
}

/// How many threads died in the middle of a change of the array, which then was taken back or
/// completed; a death is counted by the next who changes something.
///
/// array       alive.
/// deaths      gets the number; stays at UINT32_MAX.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_deaths(array: *const rialto_array_t, deaths: *mut u32) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(array, deaths, |it| it.deaths()) }
}
