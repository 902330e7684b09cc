//! The calls about the lock of a list.

use super::{acquire, answer, release, set_timeout};
use crate::capi::rialto_list_t;
use core::ffi::c_int;

/// Keeps all others from changing the list until rialto_list_release. As rialto_value_acquire.
///
/// list, timeout_ns
///             as for rialto_value_acquire.
/// Returns     as rialto_value_acquire.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_value_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_acquire(list: *const rialto_list_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(list, timeout_ns) }
}

/// Ends what rialto_list_acquire began.
///
/// list        alive.
/// Returns     RIALTO_OK; RIALTO_EPERM (this thread has not acquired it; an edit, sort or walk of
///             its own does not count); RIALTO_EBADREGION; RIALTO_EINVAL.
/// Concurrency the thread that acquired it.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   others go on, in any case.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_release(list: *const rialto_list_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { release(list) }
}

/// How long the operations of this view wait for others who change the list; at first, as long as it
/// takes.
///
/// list        alive. Copies of the view keep theirs.
/// timeout_ns  for each operation, which returns RIALTO_ETIMEDOUT then, and has changed nothing. 0:
///             RIALTO_EAGAIN at once. RIALTO_WAIT_FOREVER never passes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread; nobody else uses the view meanwhile.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_set_timeout(list: *mut rialto_list_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set_timeout(list, timeout_ns) }
}

/// Whether the calling thread holds the list's lock.
///
/// list        alive.
/// is_mine     gets the answer, which stays true until this thread releases.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_is_mine(list: *const rialto_list_t, is_mine: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, is_mine, |it| it.is_mine()) }
}

/// Whether anybody holds the list's lock.
///
/// list        alive.
/// is_locked   gets the answer, which may be old when you read it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_is_locked(list: *const rialto_list_t, is_locked: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, is_locked, |it| it.is_locked()) }
}

/// How many threads died in the middle of a change of the list, which then was taken back or
/// completed; a death is counted by the next who changes something.
///
/// list        alive.
/// deaths      gets the number; stays at UINT32_MAX.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_deaths(list: *const rialto_list_t, deaths: *mut u32) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, deaths, |it| it.deaths()) }
}
