//! `rialto_lock_t`.

use super::{RIALTO_OK, RIALTO_OWNER_DIED, check, code, status};
use crate::{
    error::Result,
    lock::{Lock, Outcome},
    time::FOREVER,
};
use core::ffi::c_int;

/// A lock in shared memory: robust, not recursive, not fair, owned by a thread. Embed it in your own
/// struct, anywhere; the struct then is 64-aligned as well (mmap aligns so, malloc does not).
/// Initialise it with RIALTO_LOCK_INIT or rialto_lock_init, once, before anybody else sees it;
/// zeroed memory is refused. A copy is not a lock. While a thread holds it, is about to acquire it,
/// or is still inside release (the next owner may have it by then) or any other call on it, its
/// memory must not be moved, unmapped, freed or used for anything else. Cf. pthread_mutex_t with
/// PTHREAD_PROCESS_SHARED and PTHREAD_MUTEX_ROBUST.
#[repr(C, align(64))]
pub struct rialto_lock_t {
    /// Private.
    pub _private: [u32; 16],
}

/// RIALTO_LOCK_INIT in `cbindgen.toml` says these numbers too.
const INIT: [u32; 16] = [0x4b43_4c52, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const _: () = {
    assert!(size_of::<rialto_lock_t>() == size_of::<Lock>());
    assert!(align_of::<rialto_lock_t>() == align_of::<Lock>());
    // SAFETY: never acquired; 64 bytes without padding; an `UnsafeCell` of a constant is a value like any
    // other.
    let new: [u32; 16] = unsafe { core::mem::transmute(Lock::new()) };
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
pub(super) unsafe fn lock_at<'a>(ptr: *const rialto_lock_t) -> Result<&'a Lock> {
    check(ptr)?;
    // SAFETY: any bytes are a valid cell, shared or not.
    Ok(unsafe { &*ptr.cast::<Lock>() })
}

/// What tells C how a lock came to be held.
#[inline]
pub(super) fn acquired(outcome: Result<Outcome>) -> c_int {
    code(outcome.map(|outcome| match outcome {
        Outcome::Clean => RIALTO_OK,
        Outcome::OwnerDied => RIALTO_OWNER_DIED,
    }))
}

/// # Safety
/// As [`lock_at`].
#[inline]
unsafe fn acquire(lock: *const rialto_lock_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    acquired(unsafe { lock_at(lock) }.and_then(|lock| lock.acquire_raw(timeout_ns)))
}

/// Makes a free lock in place, whatever was there. Cf. pthread_mutex_init.
///
/// lock        64 bytes, 64-aligned, that nobody uses as a lock now.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency one thread; publish the lock to others afterwards.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   rialto_lock_attach and acquire refuse what is left.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_init(lock: *mut rialto_lock_t) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(lock).map(|()| unsafe { Lock::init(lock.cast()) }))
}

/// Checks that there is a lock. Takes nothing, so it needs no counterpart.
///
/// lock        64 readable bytes; what is in them does not matter.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned); RIALTO_EBADREGION (no lock there).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_attach(lock: *const rialto_lock_t) -> c_int {
    // SAFETY: the caller's word; `attach` checks the rest.
    status(unsafe { Lock::attach(lock.cast()) }.map(|_| ()))
}

/// Acquires `lock`, waiting as long as it takes. Cf. pthread_mutex_lock.
///
/// lock        initialised by rialto_lock_init or RIALTO_LOCK_INIT.
/// Returns     RIALTO_OK; RIALTO_OWNER_DIED (held; repair first, then mark_consistent);
///             RIALTO_EDEADLK; RIALTO_ENOTRECOVERABLE; RIALTO_EMFILE; RIALTO_ENOMEM (first use);
///             RIALTO_EBADREGION; RIALTO_EINVAL. On a negative value the lock is not held.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe: the interrupted thread may hold the lock.
/// If we die   waiting: a wake-up may be late by a tick, 100 ms. From the winning instruction on:
///             the next acquirer is told.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_acquire(lock: *mut rialto_lock_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(lock, FOREVER) }
}

/// Acquires `lock` if that needs no waiting. Cf. pthread_mutex_trylock.
///
/// lock        as for rialto_lock_acquire.
/// Returns     as rialto_lock_acquire; RIALTO_EAGAIN (held by whomever; also instead of
///             RIALTO_EDEADLK).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_lock_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_try_acquire(lock: *mut rialto_lock_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(lock, 0) }
}

/// Acquires `lock`, waiting at most `timeout_ns` nanoseconds. Cf. pthread_mutex_timedlock, but
/// relative and monotonic.
///
/// lock        as for rialto_lock_acquire.
/// timeout_ns  0 is rialto_lock_try_acquire; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_lock_acquire; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_lock_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_acquire_timeout(lock: *mut rialto_lock_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(lock, timeout_ns) }
}

/// Releases `lock`. After RIALTO_OWNER_DIED without mark_consistent it becomes unusable until reset,
/// and all waiters get RIALTO_ENOTRECOVERABLE. Cf. pthread_mutex_unlock.
///
/// lock        held by the calling thread.
/// Returns     RIALTO_OK; RIALTO_EPERM (not held by this thread); RIALTO_EBADREGION (somebody
///             overwrote it: not touched, and not held any more); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency the thread that acquired it.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   before it is free: the next acquirer is told. After: a waiter may be late by a tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_release(lock: *mut rialto_lock_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { lock_at(lock) }.and_then(|lock| lock.release()))
}

/// Says that what `lock` protects is repaired: the next owners are not told any more. No effect if
/// it was acquired with RIALTO_OK. Cf. pthread_mutex_consistent.
///
/// lock        held by the calling thread.
/// Returns     RIALTO_OK; RIALTO_EPERM (not held by this thread); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency the thread that acquired it.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the next acquirer is told of our death.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_mark_consistent(lock: *mut rialto_lock_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { lock_at(lock) }.and_then(|lock| lock.mark_consistent()))
}

/// Whether the calling thread holds `lock`.
///
/// lock        a lock.
/// is_mine     gets the answer, which stays true until this thread releases.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_is_mine(lock: *const rialto_lock_t, is_mine: *mut bool) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(is_mine).and_then(|()| unsafe {
        is_mine.write(lock_at(lock)?.is_mine());
        Ok(())
    }))
}

/// Whether anybody holds `lock`, or it is not recoverable.
///
/// lock        a lock.
/// is_locked   gets the answer, which may be old when you read it.
/// Returns     RIALTO_OK; RIALTO_EBADREGION (no lock there); RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_is_locked(lock: *const rialto_lock_t, is_locked: *mut bool) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(is_locked).and_then(|()| unsafe {
        is_locked.write(Lock::attach(lock.cast())?.is_locked());
        Ok(())
    }))
}

/// Makes a lock that is not recoverable usable again. Who calls it vouches for what the lock
/// protects. No effect on a free one.
///
/// lock        a lock.
/// Returns     RIALTO_OK; RIALTO_EBUSY (held); RIALTO_EBADREGION (no lock there); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is reset or it is not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_reset(lock: *mut rialto_lock_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { lock_at(lock) }.and_then(Lock::reset))
}

/// Ends a lock that nobody will use again: from here on there is none. The memory is yours, once no
/// thread is in any call on it any more, which is not checked. Locks need not be destroyed; this
/// finds mistakes. Cf. pthread_mutex_destroy.
///
/// lock        a lock that no thread waits for.
/// Returns     RIALTO_OK; RIALTO_EBUSY (held); RIALTO_EBADREGION (no lock there); RIALTO_EINVAL.
/// Concurrency one thread, the last.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is destroyed or it is not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_destroy(lock: *mut rialto_lock_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { Lock::attach(lock.cast()) }.and_then(Lock::destroy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn null_and_misaligned_are_invalid() {
        let mut locks = [const { rialto_lock_t { _private: INIT } }; 2];
        let odd = locks.as_mut_ptr().wrapping_byte_add(4);
        for lock in [core::ptr::null_mut(), odd] {
            // SAFETY: null or misaligned.
            assert_eq!(unsafe { rialto_lock_acquire(lock) }, Error::Invalid.code());
        }
        // SAFETY: a lock of ours.
        assert_eq!(unsafe { rialto_lock_acquire(&mut locks[0]) }, RIALTO_OK);
        // SAFETY: as above.
        assert_eq!(unsafe { rialto_lock_release(&mut locks[0]) }, RIALTO_OK);
    }
}
