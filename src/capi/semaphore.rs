//! `rialto_semaphore_t`: the plain one. The one that gives the permits of the dead back is in `permits`.

use super::{check, status};
use crate::{error::Result, semaphore::Semaphore, time::FOREVER};
use core::ffi::c_int;

/// A counting semaphore in shared memory, for signalling: anybody may release, whoever acquired. A
/// permit belongs to nobody, so that of a process that dies is gone; where the same party acquires
/// and releases, use a rialto_tracked_semaphore_t. Embed it in your own struct, anywhere; the struct
/// then is 64-aligned as well. Initialise it with RIALTO_SEMAPHORE_INIT,
/// RIALTO_BOUNDED_SEMAPHORE_INIT or rialto_semaphore_init, once, before anybody else sees it; zeroed
/// memory is refused. Its memory must not be unmapped, freed or used for anything else before all
/// calls have returned: who released may still be waking somebody when the permit is taken already.
/// Cf. sem_t.
#[repr(C, align(64))]
pub struct rialto_semaphore_t {
    /// Private.
    pub _private: [u32; 16],
}

/// What RIALTO_SEMAPHORE_INIT and RIALTO_BOUNDED_SEMAPHORE_INIT in `cbindgen.toml` say too, but for the
/// numbers that they are given.
const fn init(value: u32, bound: u32) -> [u32; 16] {
    [0x4d45_5352, 0, value, bound, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

const fn is(semaphore: Semaphore, words: [u32; 16]) -> bool {
    // SAFETY: 64 bytes without padding; an `UnsafeCell` of a constant is a value like any other.
    let new: [u32; 16] = unsafe { core::mem::transmute(semaphore) };
    let mut i = 0;
    while i < new.len() && new[i] == words[i] {
        i += 1;
    }
    i == new.len()
}

const _: () = {
    assert!(size_of::<rialto_semaphore_t>() == size_of::<Semaphore>());
    assert!(align_of::<rialto_semaphore_t>() == align_of::<Semaphore>());
    assert!(is(Semaphore::new(7), init(7, 0x7fff_ffff)));
    assert!(is(Semaphore::bounded(7), init(7, 7)));
};

/// The semaphore at `ptr`.
///
/// # Safety
/// Null, misaligned, or valid for 64 bytes during `'a`.
#[inline]
unsafe fn semaphore_at<'a>(ptr: *const rialto_semaphore_t) -> Result<&'a Semaphore> {
    // SAFETY: the caller's word; `attach` checks the rest.
    unsafe { Semaphore::attach(ptr.cast()) }
}

/// # Safety
/// As [`semaphore_at`].
#[inline]
unsafe fn acquire(semaphore: *const rialto_semaphore_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { semaphore_at(semaphore) }.and_then(|semaphore| semaphore.acquire_timeout(timeout_ns)))
}

/// Makes a semaphore in place, whatever was there, that can have 2^31 - 1 permits. It needs no end.
/// Cf. sem_init.
///
/// semaphore   64 bytes, 64-aligned, that nobody uses as a semaphore now.
/// value       how many permits it has at first; 0 to 2^31 - 1.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, value).
/// Concurrency one thread; publish the semaphore to others afterwards.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   all other calls refuse what is left.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_init(semaphore: *mut rialto_semaphore_t, value: u32) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(semaphore).and_then(|()| unsafe { Semaphore::init(semaphore.cast(), value) }))
}

/// As rialto_semaphore_init, for one that never has more permits than at first: who releases too
/// often is told.
///
/// semaphore   as for rialto_semaphore_init.
/// value       how many permits it has at first and at most; 0 to 2^31 - 1.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, value).
/// Concurrency one thread; publish the semaphore to others afterwards.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   all other calls refuse what is left.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_init_bounded(
    semaphore: *mut rialto_semaphore_t,
    value: u32,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(semaphore).and_then(|()| unsafe { Semaphore::init_bounded(semaphore.cast(), value) }))
}

/// Checks that there is a semaphore. Takes nothing, so it needs no counterpart.
///
/// semaphore   64 readable bytes; what is in them does not matter.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned); RIALTO_EBADREGION (no semaphore there).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_attach(semaphore: *const rialto_semaphore_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { semaphore_at(semaphore) }.map(|_| ()))
}

/// Takes a permit, waiting for one as long as it takes. Cf. sem_wait.
///
/// semaphore   initialised by rialto_semaphore_init, _init_bounded or one of the macros.
/// Returns     RIALTO_OK; RIALTO_EBADREGION (no semaphore there); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe: the interrupted thread may be the one that would release.
/// If we die   waiting: nothing is lost, but a waiter may be late by a tick, 100 ms. From the
///             winning instruction on: the permit is gone with us.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_acquire(semaphore: *mut rialto_semaphore_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(semaphore, FOREVER) }
}

/// Takes a permit if there is one now. Cf. sem_trywait.
///
/// semaphore   as for rialto_semaphore_acquire.
/// Returns     as rialto_semaphore_acquire; RIALTO_EAGAIN (there is none).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   as rialto_semaphore_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_try_acquire(semaphore: *mut rialto_semaphore_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(semaphore, 0) }
}

/// Takes a permit, waiting for one at most `timeout_ns` nanoseconds. Cf. sem_timedwait, but relative
/// and monotonic.
///
/// semaphore   as for rialto_semaphore_acquire.
/// timeout_ns  0 is rialto_semaphore_try_acquire; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_semaphore_acquire; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_semaphore_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_acquire_timeout(
    semaphore: *mut rialto_semaphore_t,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(semaphore, timeout_ns) }
}

/// Gives one permit, and wakes somebody who waits for it. Cf. sem_post.
///
/// semaphore   as for rialto_semaphore_acquire.
/// Returns     RIALTO_OK; RIALTO_EOVERFLOW (all that it can have are there: nothing changed);
///             RIALTO_EBADREGION (no semaphore there); RIALTO_EINVAL.
/// Concurrency any thread of any process, whoever acquired.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   the permit is there or it is not; waiters find it within a tick, 100 ms.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_release(semaphore: *mut rialto_semaphore_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { semaphore_at(semaphore) }.and_then(Semaphore::release))
}

/// Gives `permits` permits, all or none, and wakes as many of those who wait.
///
/// semaphore   as for rialto_semaphore_acquire.
/// permits     how many; at least 1.
/// Returns     RIALTO_OK; RIALTO_EOVERFLOW (more than it can have: nothing changed);
///             RIALTO_EBADREGION (no semaphore there); RIALTO_EINVAL (also: 0).
/// Concurrency any thread of any process, whoever acquired.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   all of them are there or none; waiters find them within a tick, 100 ms.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_release_many(
    semaphore: *mut rialto_semaphore_t,
    permits: u32,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { semaphore_at(semaphore) }.and_then(|semaphore| semaphore.release_many(permits)))
}

/// How many permits there are to be had. Cf. sem_getvalue.
///
/// semaphore   as for rialto_semaphore_acquire.
/// value       gets the number, which may be old when you read it.
/// Returns     RIALTO_OK; RIALTO_EBADREGION (no semaphore there); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_value(
    semaphore: *const rialto_semaphore_t,
    value: *mut u32,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(value).and_then(|()| unsafe {
        value.write(semaphore_at(semaphore)?.value());
        Ok(())
    }))
}

/// How many permits there can be at most.
///
/// semaphore   as for rialto_semaphore_acquire.
/// bound       gets the number; 2^31 - 1 if it was not made bounded.
/// Returns     RIALTO_OK; RIALTO_EBADREGION (no semaphore there); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_bound(
    semaphore: *const rialto_semaphore_t,
    bound: *mut u32,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(bound).and_then(|()| unsafe {
        bound.write(semaphore_at(semaphore)?.bound());
        Ok(())
    }))
}
