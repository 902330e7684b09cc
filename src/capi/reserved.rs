//! `rialto_reserved_t`: room for a message, to be written in place.
#![allow(clippy::result_large_err)] // as in `queue::reserved`

use super::{
    View, bytes, check, check_optional, end, get_mut, put, put_optional, queue_at, rialto_queue_t, status,
    take,
};
use crate::{
    Queue, Reserved,
    error::{Error, Result},
    time::FOREVER,
};
use core::ffi::{c_int, c_void};

/// Room for a message, in a queue: a pinned view. Write the message, then end the view with commit
/// (sent) or abort (nothing was sent). If its member dies first, nothing was sent.
#[repr(C)]
pub struct rialto_reserved_t {
    /// Private.
    pub _private: [u64; 32],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_reserved_t {
    type Handle = Reserved<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c loan  ");
    const PINNED: bool = true;
}

/// # Safety
/// The pointers are as C says.
#[inline]
unsafe fn reserve(
    queue: *const rialto_queue_t,
    reserved: *mut rialto_reserved_t,
    reserve: impl FnOnce(Queue<'static>) -> Result<Reserved<'static>>,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(reserved).and_then(|()| unsafe {
        put(reserved, reserve(queue_at(queue)?)?);
        Ok(())
    }))
}

/// # Safety
/// The pointer is as C says.
#[inline]
unsafe fn commit(
    reserved: *mut rialto_reserved_t,
    commit: impl FnOnce(Reserved<'static>) -> core::result::Result<(), (Reserved<'static>, Error)>,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { end(reserved, commit) })
}

/// Reserves room for a message, waiting for it as long as it takes. What is in it means nothing.
/// Until it is committed or aborted it takes a slot, and consumers of a queue that was closed wait
/// for it instead of getting RIALTO_EPIPE. If it is held for long, others overtake it in a
/// RIALTO_QUEUE_RING: its message comes after theirs then, and if the queue was closed meanwhile the
/// commit says RIALTO_EPIPE. In a kill-only one the messages behind it wait for it.
///
/// queue       alive; its region's view must outlive the reserved view.
/// message_bytes
///             how many, at most the queue's longest.
/// reserved    gets the view. Do not pass one that is alive: its room would stay taken.
/// Returns     RIALTO_OK; RIALTO_EPIPE (closed); RIALTO_EMSGSIZE; RIALTO_EPERM
///             (rialto_queue_as_member: the member is gone); RIALTO_ENFILE, RIALTO_EMFILE,
///             RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   before it is committed: the room is free again, nothing was sent.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_reserve(
    queue: *const rialto_queue_t,
    message_bytes: usize,
    reserved: *mut rialto_reserved_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { reserve(queue, reserved, |queue| queue.reserve_timeout(message_bytes, FOREVER)) }
}

/// Reserves room for a message if there is some now.
///
/// queue, message_bytes, reserved
///             as for rialto_queue_reserve.
/// Returns     as rialto_queue_reserve; RIALTO_EAGAIN (full).
/// Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_reserve.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_try_reserve(
    queue: *const rialto_queue_t,
    message_bytes: usize,
    reserved: *mut rialto_reserved_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { reserve(queue, reserved, |queue| queue.try_reserve(message_bytes)) }
}

/// Reserves room for a message, waiting for it at most `timeout_ns` nanoseconds.
///
/// queue, message_bytes, reserved
///             as for rialto_queue_reserve.
/// timeout_ns  0 is rialto_queue_try_reserve; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_queue_reserve; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_reserve.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_reserve_timeout(
    queue: *const rialto_queue_t,
    message_bytes: usize,
    timeout_ns: u64,
    reserved: *mut rialto_reserved_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { reserve(queue, reserved, |queue| queue.reserve_timeout(message_bytes, timeout_ns)) }
}

/// Where the message goes: nobody else reads or writes there, unless they write wild.
///
/// reserved    alive, used by nobody else.
/// message     gets the address, 16-aligned, good until the view ends or a commit fails: that may
///             move it, then ask again.
/// message_bytes
///             gets how many bytes; may be NULL.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
/// Concurrency the thread that reserved; of a view made by rialto_queue_as_member, any, one.
///             Blocks: no.
/// Signals     async-signal-safe.
/// If we die   as rialto_queue_reserve.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_reserved_bytes(
    reserved: *mut rialto_reserved_t,
    message: *mut *mut c_void,
    message_bytes: *mut usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(message).and(check_optional(message_bytes)).and_then(|()| unsafe {
        let handle = get_mut(reserved)?;
        message.write(handle.as_mut_ptr().cast());
        put_optional(message_bytes, handle.len());
        Ok(())
    }))
}

/// Copies the whole message in.
///
/// reserved    alive, used by nobody else.
/// message     the bytes, in private memory; NULL if there are none.
/// message_bytes
///             how many: as many as are reserved.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already, or another length).
/// Concurrency as rialto_reserved_bytes.
/// Signals     async-signal-safe.
/// If we die   as rialto_queue_reserve.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_reserved_write(
    reserved: *mut rialto_reserved_t,
    message: *const c_void,
    message_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get_mut(reserved).and_then(|handle| handle.write(bytes(message, message_bytes)?)) })
}

/// Makes the message shorter, for who knows only after writing how long it is. A greater length
/// changes nothing.
///
/// reserved    alive, used by nobody else.
/// message_bytes
///             its new length.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
/// Concurrency as rialto_reserved_bytes.
/// Signals     async-signal-safe.
/// If we die   as rialto_queue_reserve.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_reserved_truncate(
    reserved: *mut rialto_reserved_t,
    message_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get_mut(reserved) }.map(|handle| handle.truncate(message_bytes)))
}

/// Sends the message; the view ends. Waits, as long as it takes, only where others have overtaken it
/// and there is no room.
///
/// reserved    alive, used by nobody else.
/// Returns     RIALTO_OK; RIALTO_EPIPE (closed; only where it had to wait or be copied);
///             RIALTO_EPERM (its member was taken for dead); RIALTO_EINVAL (also: ended already).
///             Negative, but for RIALTO_EINVAL: the view is alive still, and nothing was sent.
/// Concurrency as rialto_reserved_bytes.  Blocks: seldom, through signals.
/// Signals     not async-signal-safe.
/// If we die   the message is in the queue, or nothing was sent.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_reserved_commit(reserved: *mut rialto_reserved_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { commit(reserved, |handle| handle.commit()) }
}

/// As rialto_reserved_commit, but does not wait.
///
/// reserved    alive, used by nobody else.
/// Returns     as rialto_reserved_commit; RIALTO_EAGAIN (overtaken, and full).
/// Concurrency as rialto_reserved_bytes.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_reserved_commit.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_reserved_try_commit(reserved: *mut rialto_reserved_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { commit(reserved, |handle| handle.try_commit()) }
}

/// As rialto_reserved_commit, waiting at most `timeout_ns` nanoseconds.
///
/// reserved    alive, used by nobody else.
/// timeout_ns  0 is rialto_reserved_try_commit; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_reserved_commit; RIALTO_ETIMEDOUT (overtaken, and full all the time);
///             RIALTO_EAGAIN (0).
/// Concurrency as rialto_reserved_bytes.  Blocks: seldom, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_reserved_commit.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_reserved_commit_timeout(
    reserved: *mut rialto_reserved_t,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { commit(reserved, |handle| handle.commit_timeout(timeout_ns)) }
}

/// Gives the room back: nothing is sent, the view ends.
///
/// reserved    alive, used by nobody else.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
/// Concurrency as rialto_reserved_bytes.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the room is free again in any case.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_reserved_abort(reserved: *mut rialto_reserved_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { take(reserved) }.map(drop))
}
