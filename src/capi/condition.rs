//! `rialto_condition_t`, on a `rialto_lock_t` or a `rialto_rlock_t`.

use super::{acquired, check, lock_at, rialto_lock_t, rialto_rlock_t, rlock_at, status};
use crate::{
    condition::Condition,
    error::{Error, Result},
    lock::{Lock, Lockable},
    rlock::RLock,
    time::FOREVER,
};
use core::ffi::{c_int, c_void};

/// A condition variable in shared memory, for what a rialto_lock_t or rialto_rlock_t protects; all
/// who wait with it use the same lock. Embed it in your own struct, anywhere; the struct then is
/// 64-aligned as well. Initialise it with RIALTO_CONDITION_INIT or rialto_condition_init, once,
/// before anybody else sees it; zeroed memory is refused. It belongs to nobody, so no death damages
/// it. Its memory must not be unmapped, freed or used for anything else before all calls have
/// returned. Cf. pthread_cond_t with PTHREAD_PROCESS_SHARED.
#[repr(C, align(64))]
pub struct rialto_condition_t {
    /// Private.
    pub _private: [u32; 16],
}

/// RIALTO_CONDITION_INIT in `cbindgen.toml` says these numbers too.
const INIT: [u32; 16] = [0x444e_4352, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const _: () = {
    assert!(size_of::<rialto_condition_t>() == size_of::<Condition>());
    assert!(align_of::<rialto_condition_t>() == align_of::<Condition>());
    // SAFETY: 64 bytes without padding; an `UnsafeCell` of a constant is a value like any other.
    let new: [u32; 16] = unsafe { core::mem::transmute(Condition::new()) };
    let mut i = 0;
    while i < INIT.len() {
        assert!(new[i] == INIT[i]);
        i += 1;
    }
};

/// What `wait_for` asks; null is refused.
type Predicate = Option<unsafe extern "C" fn(arg: *mut c_void) -> bool>;

/// The condition at `ptr`.
///
/// # Safety
/// Null, misaligned, or valid for 64 bytes during `'a`.
unsafe fn condition_at<'a>(ptr: *const rialto_condition_t) -> Result<&'a Condition> {
    // SAFETY: the caller's word; `attach` checks the rest.
    unsafe { Condition::attach(ptr.cast()) }
}

/// The condition and the lock. A pointer that is NULL or misaligned is told before anything in the other's memory.
///
/// # Safety
/// As [`condition_at`].
unsafe fn both<L>(condition: *const rialto_condition_t, lock: Result<&L>) -> Result<(&Condition, &L)> {
    check(condition)?;
    let lock = lock?;
    // SAFETY: the caller's word.
    Ok((unsafe { condition_at(condition) }?, lock))
}

/// # Safety
/// As [`condition_at`].
unsafe fn wait<L: Lockable>(
    condition: *const rialto_condition_t,
    lock: Result<&L>,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    let both = unsafe { both(condition, lock) };
    acquired(both.and_then(|(condition, lock)| condition.wait_timeout(lock, timeout_ns)))
}

/// # Safety
/// As [`condition_at`]; `predicate` can be called with `arg`.
unsafe fn wait_for<L: Lockable>(
    condition: *const rialto_condition_t,
    lock: Result<&L>,
    timeout_ns: u64,
    predicate: Predicate,
    arg: *mut c_void,
) -> c_int {
    acquired(predicate.ok_or(Error::Invalid).and_then(|predicate| {
        // SAFETY: the caller's word.
        let (condition, lock) = unsafe { both(condition, lock) }?;
        // SAFETY: the caller's word.
        condition.wait_for_timeout(lock, timeout_ns, || unsafe { predicate(arg) })
    }))
}

/// # Safety
/// As [`condition_at`].
unsafe fn notify_all<L: Lockable>(condition: *const rialto_condition_t, lock: Result<&L>) -> c_int {
    // SAFETY: the caller's word.
    let both = unsafe { both(condition, lock) };
    status(both.map(|(condition, lock)| condition.notify_all(lock)))
}

/// Makes a condition in place, whatever was there. It needs no end. Cf. pthread_cond_init.
///
/// condition   64 bytes, 64-aligned, that nobody uses as a condition now.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency one thread; publish the condition to others afterwards.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   all other calls refuse what is left.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_init(condition: *mut rialto_condition_t) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(condition).map(|()| unsafe { Condition::init(condition.cast()) }))
}

/// Checks that there is a condition. Takes nothing, so it needs no counterpart.
///
/// condition   64 readable bytes; what is in them does not matter.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned); RIALTO_EBADREGION (no condition there).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_attach(condition: *const rialto_condition_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { condition_at(condition) }.map(|_| ()))
}

/// Gives `lock` up, waits for a notification as long as it takes, and acquires `lock` again, which
/// has no timeout in any of these calls. It may return without a notification for us if others were
/// notified, so look at what you wait for, or use rialto_condition_wait_for. The death of somebody
/// who holds the lock meanwhile, and who would have notified, does not end the wait. Cf.
/// pthread_cond_wait.
///
/// condition   initialised by rialto_condition_init or RIALTO_CONDITION_INIT.
/// lock        held by the calling thread, and repaired: acquired with RIALTO_OK or marked
///             consistent.
/// Returns     HOLDING THE LOCK AGAIN: RIALTO_OK; RIALTO_OWNER_DIED (an owner died meanwhile: repair
///             first, then mark_consistent; whether there was a notification is not said). Not
///             holding it: RIALTO_EPERM (this thread did not hold it: nothing happened);
///             RIALTO_ENOTRECOVERABLE (released unrepaired: by another owner, or by this very call
///             if it was not repaired); RIALTO_EBADREGION (somebody overwrote the lock);
///             RIALTO_ENOMEM. As it was before: RIALTO_EBADREGION (no condition there:
///             rialto_lock_is_mine tells which); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   holding the lock, before or after: its next acquirer is told. Waiting: nothing is
///             lost; a notification that only we got reaches another waiter within a tick, 100 ms.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_wait(
    condition: *mut rialto_condition_t,
    lock: *mut rialto_lock_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait(condition, lock_at(lock), FOREVER) }
}

/// As rialto_condition_wait, waiting for a notification at most `timeout_ns` nanoseconds. Note that
/// the lock is held after RIALTO_ETIMEDOUT, too. Cf. pthread_cond_timedwait, but relative and
/// monotonic.
///
/// condition, lock
///             as for rialto_condition_wait.
/// timeout_ns  0 polls, giving the lock up for a moment; RIALTO_WAIT_FOREVER never passes. Never
///             early.
/// Returns     as rialto_condition_wait; and HOLDING THE LOCK AGAIN, although negative:
///             RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0). If an owner died meanwhile it is
///             RIALTO_OWNER_DIED instead, whether or not the time has passed.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_condition_wait.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_wait_timeout(
    condition: *mut rialto_condition_t,
    lock: *mut rialto_lock_t,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait(condition, lock_at(lock), timeout_ns) }
}

/// Waits until `predicate` says true, as long as it takes: rialto_condition_wait in a loop.
///
/// condition, lock
///             as for rialto_condition_wait.
/// predicate   called holding the lock, at once and after each notification. It must return, and
///             must not release the lock.
/// arg         passed to it.
/// Returns     as rialto_condition_wait. HOLDING THE LOCK: RIALTO_OK (the predicate is true now);
///             RIALTO_OWNER_DIED (repair first; the predicate was not asked since).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_condition_wait.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_wait_for(
    condition: *mut rialto_condition_t,
    lock: *mut rialto_lock_t,
    predicate: Option<unsafe extern "C" fn(arg: *mut c_void) -> bool>,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait_for(condition, lock_at(lock), FOREVER, predicate, arg) }
}

/// Waits until `predicate` says true, at most `timeout_ns` nanoseconds. Note that the lock is held
/// after RIALTO_ETIMEDOUT, too.
///
/// condition, lock, predicate, arg
///             as for rialto_condition_wait_for.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_condition_wait_for; and HOLDING THE LOCK, although negative:
///             RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0): the predicate was false to the last. If an owner
///             died meanwhile it is RIALTO_OWNER_DIED instead, whether or not the time has passed.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_condition_wait.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_wait_for_timeout(
    condition: *mut rialto_condition_t,
    lock: *mut rialto_lock_t,
    timeout_ns: u64,
    predicate: Option<unsafe extern "C" fn(arg: *mut c_void) -> bool>,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait_for(condition, lock_at(lock), timeout_ns, predicate, arg) }
}

/// As rialto_condition_wait, with a recursive lock: given up wholly, however often it is held, and
/// held as often again afterwards, also with RIALTO_OWNER_DIED.
///
/// condition   as for rialto_condition_wait.
/// rlock       as the lock there.
/// Returns     as rialto_condition_wait: HOLDING THE LOCK AGAIN with RIALTO_OK and
///             RIALTO_OWNER_DIED.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_condition_wait.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_wait_rlock(
    condition: *mut rialto_condition_t,
    rlock: *mut rialto_rlock_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait(condition, rlock_at(rlock), FOREVER) }
}

/// As rialto_condition_wait_timeout, with a recursive lock.
///
/// condition, timeout_ns
///             as for rialto_condition_wait_timeout.
/// rlock       as for rialto_condition_wait_rlock.
/// Returns     as rialto_condition_wait_timeout: HOLDING THE LOCK AGAIN with RIALTO_OK,
///             RIALTO_OWNER_DIED, RIALTO_ETIMEDOUT and RIALTO_EAGAIN.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_condition_wait.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_wait_timeout_rlock(
    condition: *mut rialto_condition_t,
    rlock: *mut rialto_rlock_t,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait(condition, rlock_at(rlock), timeout_ns) }
}

/// As rialto_condition_wait_for, with a recursive lock.
///
/// condition, predicate, arg
///             as for rialto_condition_wait_for.
/// rlock       as for rialto_condition_wait_rlock.
/// Returns     as rialto_condition_wait_for: HOLDING THE LOCK with RIALTO_OK and RIALTO_OWNER_DIED.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_condition_wait.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_wait_for_rlock(
    condition: *mut rialto_condition_t,
    rlock: *mut rialto_rlock_t,
    predicate: Option<unsafe extern "C" fn(arg: *mut c_void) -> bool>,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait_for(condition, rlock_at(rlock), FOREVER, predicate, arg) }
}

/// As rialto_condition_wait_for_timeout, with a recursive lock.
///
/// condition, timeout_ns, predicate, arg
///             as for rialto_condition_wait_for_timeout.
/// rlock       as for rialto_condition_wait_rlock.
/// Returns     as rialto_condition_wait_for_timeout: HOLDING THE LOCK with RIALTO_OK,
///             RIALTO_OWNER_DIED, RIALTO_ETIMEDOUT and RIALTO_EAGAIN.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_condition_wait.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_wait_for_timeout_rlock(
    condition: *mut rialto_condition_t,
    rlock: *mut rialto_rlock_t,
    timeout_ns: u64,
    predicate: Option<unsafe extern "C" fn(arg: *mut c_void) -> bool>,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait_for(condition, rlock_at(rlock), timeout_ns, predicate, arg) }
}

/// Notifies `waiters` of those who wait, or all if there are fewer; others may return, too. Nothing
/// is remembered if nobody waits. The lock need not be held; but what the waiters wait for must have
/// been changed under it, or one that is just about to wait may miss the change. Cf.
/// pthread_cond_signal.
///
/// condition   as for rialto_condition_wait.
/// waiters     how many; 0 does nothing.
/// Returns     RIALTO_OK, whether or not anybody waited; RIALTO_EBADREGION (no condition there);
///             RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   nobody is notified, or all who wait return within a tick, 100 ms.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_notify(condition: *mut rialto_condition_t, waiters: u32) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { condition_at(condition) }.map(|condition| condition.notify(waiters)))
}

/// Notifies all who wait. They get the lock one after the other and are woken in that order, not as
/// a herd. Otherwise as rialto_condition_notify. Cf. pthread_cond_broadcast.
///
/// condition   as for rialto_condition_wait.
/// lock        the one that they wait with; need not be held.
/// Returns     RIALTO_OK, whether or not anybody waited; RIALTO_EBADREGION (no condition or no lock
///             there: nobody is notified); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   nobody is notified, or all who wait return within a tick, 100 ms.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_notify_all(
    condition: *mut rialto_condition_t,
    lock: *mut rialto_lock_t,
) -> c_int {
    // SAFETY: the caller's word. Attached, unlike a waiter's: nobody need hold it, and its word is written.
    unsafe { notify_all(condition, Lock::attach(lock.cast())) }
}

/// As rialto_condition_notify_all, for those who wait with a recursive lock.
///
/// condition   as for rialto_condition_wait.
/// rlock       the one that they wait with; need not be held.
/// Returns     as rialto_condition_notify_all.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_condition_notify_all.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_notify_all_rlock(
    condition: *mut rialto_condition_t,
    rlock: *mut rialto_rlock_t,
) -> c_int {
    // SAFETY: as in rialto_condition_notify_all.
    unsafe { notify_all(condition, RLock::attach(rlock.cast())) }
}
