//! `rialto_peeked_t`: a message in hand.

use super::{
    View, buffer, check, check_optional, code, get, put, put_optional, queue_at, rialto_queue_t, status,
};
use super::{take, told};
use crate::{Peeked, Queue, error::Result, time::FOREVER};
use core::ffi::{c_int, c_void};

/// A message in hand, still in its slot: a pinned view. End it with release (done) or abandon
/// (somebody else shall have it); any thread may. If its member dies first, somebody else gets the
/// message, marked.
#[repr(C)]
pub struct rialto_peeked_t {
    /// Private.
    pub _private: [u64; 32],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_peeked_t {
    type Handle = Peeked<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c peeked");
    const PINNED: bool = true;
}

/// # Safety
/// The pointers are as C says.
#[inline]
unsafe fn peek(
    queue: *const rialto_queue_t,
    peeked: *mut rialto_peeked_t,
    peek: impl FnOnce(Queue<'static>) -> Result<Peeked<'static>>,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    code(check(peeked).and_then(|()| unsafe {
        let handle = peek(queue_at(queue)?)?;
        let told = told(handle.attempt());
        put(peeked, handle);
        Ok(told)
    }))
}

/// Takes the next message in hand, waiting for one as long as it takes: nobody else gets it while
/// you and the view live.
///
/// queue       alive; its region's view must outlive the peeked view.
/// peeked      gets the view. Do not pass one that is alive: its message would stay in your hand.
/// Returns     RIALTO_OK; RIALTO_REDELIVERED (a message that others had in hand before);
///             RIALTO_EPIPE (closed and drained); RIALTO_EBADMSG (see RIALTO_ON_DEATH_STOP);
///             RIALTO_EBADREGION (a peer damaged the message; it is gone); RIALTO_EPERM
///             (rialto_queue_as_member: the member is gone); RIALTO_ENFILE, RIALTO_EMFILE,
///             RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   somebody else gets the message, marked with an attempt count one higher (or as the
///             queue's on_death says).
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_peek(
    queue: *const rialto_queue_t,
    peeked: *mut rialto_peeked_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { peek(queue, peeked, |queue| queue.peek_timeout(FOREVER)) }
}

/// Takes the next message in hand if there is one now.
///
/// queue, peeked
///             as for rialto_queue_peek.
/// Returns     as rialto_queue_peek; RIALTO_EAGAIN (empty).
/// Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_peek.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_try_peek(
    queue: *const rialto_queue_t,
    peeked: *mut rialto_peeked_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { peek(queue, peeked, |queue| queue.try_peek()) }
}

/// Takes the next message in hand, waiting for one at most `timeout_ns` nanoseconds.
///
/// queue, peeked
///             as for rialto_queue_peek.
/// timeout_ns  0 is rialto_queue_try_peek; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_queue_peek; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_peek.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_peek_timeout(
    queue: *const rialto_queue_t,
    timeout_ns: u64,
    peeked: *mut rialto_peeked_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { peek(queue, peeked, |queue| queue.peek_timeout(timeout_ns)) }
}

/// The message's bytes in their slot, 16-aligned, to be read until the view ends. A peer that writes
/// wild may change them while you look: if you do not trust your peers, use rialto_peeked_copy.
///
/// peeked      alive.
/// message     gets their address.
/// message_bytes
///             gets how many they are; may be NULL.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
/// Concurrency any thread, while nobody ends the view.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   as rialto_queue_peek.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_peeked_bytes(
    peeked: *const rialto_peeked_t,
    message: *mut *const c_void,
    message_bytes: *mut usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(message).and(check_optional(message_bytes)).and_then(|()| unsafe {
        let handle = get(peeked)?;
        message.write(handle.as_ptr().cast());
        put_optional(message_bytes, handle.len());
        Ok(())
    }))
}

/// Copies the message, or as much of it as fits.
///
/// peeked      alive.
/// buffer      private memory.
/// buffer_bytes
///             how large it is.
/// copied_bytes
///             gets how many were copied; may be NULL.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
/// Concurrency any thread, while nobody ends the view.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   as rialto_queue_peek.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_peeked_copy(
    peeked: *const rialto_peeked_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    copied_bytes: *mut usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check_optional(copied_bytes).and_then(|()| unsafe {
        let copied = get(peeked)?.copy_to(self::buffer(buffer, buffer_bytes)?);
        put_optional(copied_bytes, copied);
        Ok(())
    }))
}

/// How many holders before you died with the message in hand, or gave it back.
///
/// peeked      alive.
/// attempt     gets the number: 0 for a message that was nobody's yet.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
/// Concurrency any thread, while nobody ends the view.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   as rialto_queue_peek.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_peeked_attempt(peeked: *const rialto_peeked_t, attempt: *mut u32) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(attempt).and_then(|()| unsafe {
        attempt.write(u32::from(get(peeked)?.attempt()));
        Ok(())
    }))
}

/// Done with the message: its slot is free again, the view ends. Of a joinable queue: what
/// rialto_queue_task_done is for a popped one.
///
/// peeked      alive, used by nobody else.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
/// Concurrency one thread, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   somebody else gets the message, marked, or it is done.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_peeked_release(peeked: *mut rialto_peeked_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { take(peeked) }.map(Peeked::release))
}

/// Gives the message back, for somebody else (or us) to get, marked; the view ends.
///
/// peeked      alive, used by nobody else.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
/// Concurrency one thread, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   somebody else gets the message, marked, in any case.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_peeked_abandon(peeked: *mut rialto_peeked_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { take(peeked) }.map(drop))
}
