//! The calls about the lock of a dict.

use super::{acquire, answer, release, set_timeout};
use crate::capi::rialto_dict_t;
use core::ffi::c_int;

/// Keeps all others from changing the dict until rialto_dict_release. As rialto_value_acquire.
///
/// dict, timeout_ns
///             as for rialto_value_acquire.
/// Returns     as rialto_value_acquire.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_value_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_acquire(dict: *const rialto_dict_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(dict, timeout_ns) }
}

/// Ends what rialto_dict_acquire began.
///
/// dict        alive.
/// Returns     RIALTO_OK; RIALTO_EPERM (this thread has not acquired it; an edit, sort or walk of
///             its own does not count); RIALTO_EBADREGION; RIALTO_EINVAL.
/// Concurrency the thread that acquired it.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   others go on, in any case.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_release(dict: *const rialto_dict_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { release(dict) }
}

/// How long the operations of this view wait for others who change the dict; at first, as long as it
/// takes.
///
/// dict        alive. Copies of the view keep theirs.
/// timeout_ns  for each operation, which returns RIALTO_ETIMEDOUT then, and has changed nothing. 0:
///             RIALTO_EAGAIN at once. RIALTO_WAIT_FOREVER never passes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread; nobody else uses the view meanwhile.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_set_timeout(dict: *mut rialto_dict_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set_timeout(dict, timeout_ns) }
}

/// Whether the calling thread holds the dict's lock.
///
/// dict        alive.
/// is_mine     gets the answer, which stays true until this thread releases.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_is_mine(dict: *const rialto_dict_t, is_mine: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(dict, is_mine, |it| it.is_mine()) }
}

/// Whether anybody holds the dict's lock.
///
/// dict        alive.
/// is_locked   gets the answer, which may be old when you read it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_is_locked(dict: *const rialto_dict_t, is_locked: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(dict, is_locked, |it| it.is_locked()) }
}

/// How many threads died in the middle of a change of the dict, which then was taken back or
/// completed; a death is counted by the next who changes something.
///
/// dict        alive.
/// deaths      gets the number; stays at UINT32_MAX.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_deaths(dict: *const rialto_dict_t, deaths: *mut u32) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(dict, deaths, |it| it.deaths()) }
}
