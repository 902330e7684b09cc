//! The calls about the lock of a namespace.

use super::{acquire, answer, release, set_timeout};
use crate::capi::rialto_namespace_t;
use core::ffi::c_int;

/// Keeps all others from changing the namespace until rialto_namespace_release. As
/// rialto_value_acquire.
///
/// ns, timeout_ns
///             as for rialto_value_acquire.
/// Returns     as rialto_value_acquire.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_value_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_acquire(ns: *const rialto_namespace_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(ns, timeout_ns) }
}

/// Ends what rialto_namespace_acquire began.
///
/// ns          alive.
/// Returns     RIALTO_OK; RIALTO_EPERM (this thread has not acquired it; an edit, sort or walk of
///             its own does not count); RIALTO_EBADREGION; RIALTO_EINVAL.
/// Concurrency the thread that acquired it.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   others go on, in any case.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_release(ns: *const rialto_namespace_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { release(ns) }
}

/// How long the operations of this view wait for others who change the namespace; at first, as long
/// as it takes.
///
/// ns          alive. Copies of the view keep theirs.
/// timeout_ns  for each operation, which returns RIALTO_ETIMEDOUT then, and has changed nothing. 0:
///             RIALTO_EAGAIN at once. RIALTO_WAIT_FOREVER never passes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread; nobody else uses the view meanwhile.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_set_timeout(ns: *mut rialto_namespace_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set_timeout(ns, timeout_ns) }
}

/// Whether the calling thread holds the namespace's lock.
///
/// ns          alive.
/// is_mine     gets the answer, which stays true until this thread releases.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_is_mine(
    ns: *const rialto_namespace_t,
    is_mine: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(ns, is_mine, |it| it.is_mine()) }
}

/// Whether anybody holds the namespace's lock.
///
/// ns          alive.
/// is_locked   gets the answer, which may be old when you read it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_is_locked(
    ns: *const rialto_namespace_t,
    is_locked: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(ns, is_locked, |it| it.is_locked()) }
}

/// How many threads died in the middle of a change of the namespace, which then was taken back or
/// completed; a death is counted by the next who changes something.
///
/// ns          alive.
/// deaths      gets the number; stays at UINT32_MAX.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_deaths(ns: *const rialto_namespace_t, deaths: *mut u32) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(ns, deaths, |it| it.deaths()) }
}
