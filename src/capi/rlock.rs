//! `rialto_rlock_t`.

use super::{acquired, check, status};
use crate::{error::Result, rlock::RLock, time::FOREVER};
use core::ffi::c_int;

/// A lock in shared memory that its owner may acquire again, and must then release as often:
/// otherwise a rialto_lock_t, and all that is said there holds here. Initialise it with
/// RIALTO_RLOCK_INIT or rialto_rlock_init. Cf. pthread_mutex_t with PTHREAD_PROCESS_SHARED,
/// PTHREAD_MUTEX_ROBUST and PTHREAD_MUTEX_RECURSIVE.
#[repr(C, align(64))]
pub struct rialto_rlock_t {
    /// Private.
    pub _private: [u32; 16],
}

/// RIALTO_RLOCK_INIT in `cbindgen.toml` says these numbers too.
const INIT: [u32; 16] = [0x4b4c_5252, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const _: () = {
    assert!(size_of::<rialto_rlock_t>() == size_of::<RLock>());
    assert!(align_of::<rialto_rlock_t>() == align_of::<RLock>());
    // SAFETY: never acquired; 64 bytes without padding; an `UnsafeCell` of a constant is a value like any
    // other.
    let new: [u32; 16] = unsafe { core::mem::transmute(RLock::new()) };
    let mut i = 0;
    while i < INIT.len() {
        assert!(new[i] == INIT[i]);
        i += 1;
    }
};

/// The lock at `ptr`. Its magic is checked by who needs it.
///
/// # Safety
/// Null, misaligned, or valid for 64 bytes during `'a`.
pub(super) unsafe fn rlock_at<'a>(ptr: *const rialto_rlock_t) -> Result<&'a RLock> {
    check(ptr)?;
    // SAFETY: any bytes are a valid cell, shared or not.
    Ok(unsafe { &*ptr.cast::<RLock>() })
}

/// # Safety
/// As [`rlock_at`].
#[inline]
unsafe fn acquire(rlock: *const rialto_rlock_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    acquired(unsafe { rlock_at(rlock) }.and_then(|rlock| rlock.acquire_raw(timeout_ns)))
}

/// Makes a free lock in place, whatever was there. Cf. pthread_mutex_init.
///
/// rlock       64 bytes, 64-aligned, that nobody uses as a lock now.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency one thread; publish the lock to others afterwards.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   rialto_rlock_attach and acquire refuse what is left.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_init(rlock: *mut rialto_rlock_t) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(rlock).map(|()| unsafe { RLock::init(rlock.cast()) }))
}

/// Checks that there is a recursive lock. Takes nothing, so it needs no counterpart.
///
/// rlock       64 readable bytes; what is in them does not matter.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned); RIALTO_EBADREGION (none there; also if
///             it is a rialto_lock_t).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_attach(rlock: *const rialto_rlock_t) -> c_int {
    // SAFETY: the caller's word; `attach` checks the rest.
    status(unsafe { RLock::attach(rlock.cast()) }.map(|_| ()))
}

/// Acquires `rlock`, waiting for another owner as long as it takes; once more, if this thread holds
/// it. Cf. pthread_mutex_lock.
///
/// rlock       initialised by rialto_rlock_init or RIALTO_RLOCK_INIT.
/// Returns     RIALTO_OK (also once more, repaired or not); RIALTO_OWNER_DIED (held once, however
///             often the dead owner held it; repair first, then mark_consistent); RIALTO_EOVERFLOW
///             (held 2^32 - 1 times, as before); RIALTO_ENOTRECOVERABLE; RIALTO_EMFILE;
///             RIALTO_ENOMEM (first use); RIALTO_EBADREGION; RIALTO_EINVAL. On a negative value it
///             is not held once more.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   waiting: a wake-up may be late by a tick, 100 ms. From the winning instruction on:
///             the next acquirer is told.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_acquire(rlock: *mut rialto_rlock_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(rlock, FOREVER) }
}

/// Acquires `rlock` if that needs no waiting. Cf. pthread_mutex_trylock.
///
/// rlock       as for rialto_rlock_acquire.
/// Returns     as rialto_rlock_acquire; RIALTO_EAGAIN (another thread holds it).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_rlock_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_try_acquire(rlock: *mut rialto_rlock_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(rlock, 0) }
}

/// Acquires `rlock`, waiting at most `timeout_ns` nanoseconds. Cf. pthread_mutex_timedlock, but
/// relative and monotonic.
///
/// rlock       as for rialto_rlock_acquire.
/// timeout_ns  0 is rialto_rlock_try_acquire; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_rlock_acquire; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_rlock_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_acquire_timeout(rlock: *mut rialto_rlock_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(rlock, timeout_ns) }
}

/// Undoes one acquisition of `rlock`; the last one releases it. After RIALTO_OWNER_DIED without
/// mark_consistent it becomes unusable then until reset, and all waiters get RIALTO_ENOTRECOVERABLE.
/// Cf. pthread_mutex_unlock.
///
/// rlock       held by the calling thread.
/// Returns     RIALTO_OK; RIALTO_EPERM (not held by this thread); RIALTO_EBADREGION (somebody
///             overwrote it: not touched, and not held any more); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency the thread that acquired it.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   before it is free: the next acquirer is told. After: a waiter may be late by a tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_release(rlock: *mut rialto_rlock_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { rlock_at(rlock) }.and_then(|rlock| rlock.release()))
}

/// Says that what `rlock` protects is repaired: the next owners are not told any more. No effect if
/// it was acquired with RIALTO_OK. Cf. pthread_mutex_consistent.
///
/// rlock       held by the calling thread.
/// Returns     RIALTO_OK; RIALTO_EPERM (not held by this thread); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency the thread that acquired it.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the next acquirer is told of our death.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_mark_consistent(rlock: *mut rialto_rlock_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { rlock_at(rlock) }.and_then(|rlock| rlock.mark_consistent()))
}

/// Whether the calling thread holds `rlock`.
///
/// rlock       a recursive lock.
/// is_mine     gets the answer, which stays true until this thread releases.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_is_mine(rlock: *const rialto_rlock_t, is_mine: *mut bool) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(is_mine).and_then(|()| unsafe {
        is_mine.write(rlock_at(rlock)?.is_mine());
        Ok(())
    }))
}

/// Whether anybody holds `rlock`, or it is not recoverable.
///
/// rlock       a recursive lock.
/// is_locked   gets the answer, which may be old when you read it.
/// Returns     RIALTO_OK; RIALTO_EBADREGION (no recursive lock there); RIALTO_EINVAL (NULL,
///             misaligned).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_is_locked(rlock: *const rialto_rlock_t, is_locked: *mut bool) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(is_locked).and_then(|()| unsafe {
        is_locked.write(RLock::attach(rlock.cast())?.is_locked());
        Ok(())
    }))
}

/// How often the calling thread holds `rlock`, and so has to release it.
///
/// rlock       a recursive lock.
/// times       gets the number; 0 if it is not held by this thread.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_recursion(rlock: *const rialto_rlock_t, times: *mut u32) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(times).and_then(|()| unsafe {
        times.write(rlock_at(rlock)?.recursion());
        Ok(())
    }))
}

/// Makes a lock that is not recoverable usable again. Who calls it vouches for what the lock
/// protects. No effect on a free one.
///
/// rlock       a recursive lock.
/// Returns     RIALTO_OK; RIALTO_EBUSY (held); RIALTO_EBADREGION (no recursive lock there);
///             RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is reset or it is not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_reset(rlock: *mut rialto_rlock_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { rlock_at(rlock) }.and_then(RLock::reset))
}

/// Ends a lock that nobody will use again: from here on there is none. The memory is yours, once no
/// thread is in any call on it any more, which is not checked. Locks need not be destroyed; this
/// finds mistakes. Cf. pthread_mutex_destroy.
///
/// rlock       a recursive lock that no thread waits for.
/// Returns     RIALTO_OK; RIALTO_EBUSY (held); RIALTO_EBADREGION (no recursive lock there);
///             RIALTO_EINVAL.
/// Concurrency one thread, the last.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is destroyed or it is not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_destroy(rlock: *mut rialto_rlock_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { rlock_at(rlock) }.and_then(RLock::destroy))
}
