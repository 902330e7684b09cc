//! Appending one message.

use super::{queue_at, rialto_queue_t};
use crate::{
    capi::{bytes, status},
    time::FOREVER,
};
use core::ffi::{c_int, c_void};

/// # Safety
/// The pointers are as C says.
#[inline]
unsafe fn push(queue: *const rialto_queue_t, message: *const c_void, len: usize, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    let done =
        unsafe { queue_at(queue).and_then(|queue| queue.push_timeout(bytes(message, len)?, timeout_ns)) };
    status(done)
}

/// Appends a message, waiting for room as long as it takes. Cf. mq_send.
///
/// queue       alive.
/// message     the bytes, in private memory; NULL if there are none.
/// message_bytes
///             how many, at most the queue's longest.
/// Returns     RIALTO_OK; RIALTO_EPIPE (closed); RIALTO_EMSGSIZE; RIALTO_EPERM
///             (rialto_queue_as_member: the member is gone); RIALTO_ENFILE, RIALTO_EMFILE,
///             RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL. Negative: nothing appended.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   the message is in the queue, or goes with us. Nobody is held up beyond a tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_push(
    queue: *const rialto_queue_t,
    message: *const c_void,
    message_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push(queue, message, message_bytes, FOREVER) }
}

/// Appends a message if there is room now.
///
/// queue, message, message_bytes
///             as for rialto_queue_push.
/// Returns     as rialto_queue_push; RIALTO_EAGAIN (full).
/// Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_push.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_try_push(
    queue: *const rialto_queue_t,
    message: *const c_void,
    message_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push(queue, message, message_bytes, 0) }
}

/// Appends a message, waiting for room at most `timeout_ns` nanoseconds. Cf. mq_timedsend, but
/// relative and monotonic.
///
/// queue, message, message_bytes
///             as for rialto_queue_push.
/// timeout_ns  0 is rialto_queue_try_push; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_queue_push; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_push.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_push_timeout(
    queue: *const rialto_queue_t,
    message: *const c_void,
    message_bytes: usize,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push(queue, message, message_bytes, timeout_ns) }
}
