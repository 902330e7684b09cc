//! Sending and receiving.

use super::{answer, change, rialto_connection_t};
use crate::{
    capi::{buffer, bytes, get_mut, status},
    time::FOREVER,
};
use core::ffi::{c_int, c_void};

/// # Safety
/// The pointers are as C says.
#[inline]
unsafe fn send(
    connection: *mut rialto_connection_t,
    message: *const c_void,
    len: usize,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe {
        get_mut(connection).and_then(|handle| handle.send_timeout(bytes(message, len)?, timeout_ns))
    })
}

/// # Safety
/// The pointers are as C says.
#[inline]
unsafe fn recv(
    connection: *mut rialto_connection_t,
    to: (*mut c_void, usize),
    length_bytes: *mut usize,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { change(connection, length_bytes, |handle| handle.recv_timeout(buffer(to.0, to.1)?, timeout_ns)) }
}

/// Sends a message, waiting for room as long as it takes. Cf. write, send.
///
/// connection  alive, used by nobody else.
/// message     the bytes, in private memory; NULL if there are none.
/// message_bytes
///             how many, at most the pipe's longest. More than rialto_connection_max_chunk_bytes go
///             in chunks, while the other end receives.
/// Returns     RIALTO_OK; RIALTO_ECONNRESET (the other end is closed, or its holder died: nobody
///             reads this message); RIALTO_EMSGSIZE; RIALTO_ENOTSUP (this end only receives);
///             RIALTO_EPERM (the member was taken for dead, or its thread has ended);
///             RIALTO_EBADREGION; RIALTO_EINVAL. Negative: nothing of the message is delivered.
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   the other end gets the whole message or nothing of it, then end of stream within a
///             tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_send(
    connection: *mut rialto_connection_t,
    message: *const c_void,
    message_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { send(connection, message, message_bytes, FOREVER) }
}

/// Sends a message if there is room now.
///
/// connection, message, message_bytes
///             as for rialto_connection_send.
/// Returns     as rialto_connection_send; RIALTO_EAGAIN (full); RIALTO_EMSGSIZE also for a message
///             that would have to go in chunks.
/// Concurrency one thread at a time, whichever.  Blocks: no; nobody who is stopped holds it up.
/// Signals     not async-signal-safe.
/// If we die   as rialto_connection_send.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_try_send(
    connection: *mut rialto_connection_t,
    message: *const c_void,
    message_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { send(connection, message, message_bytes, 0) }
}

/// Sends a message, waiting for room at most `timeout_ns` nanoseconds.
///
/// connection, message, message_bytes
///             as for rialto_connection_send.
/// timeout_ns  0 is rialto_connection_try_send; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_connection_send; RIALTO_ETIMEDOUT (chunks that went already are discarded
///             by the other end); RIALTO_EAGAIN (0).
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_connection_send.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_send_timeout(
    connection: *mut rialto_connection_t,
    message: *const c_void,
    message_bytes: usize,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { send(connection, message, message_bytes, timeout_ns) }
}

/// Receives the next message, waiting for it as long as it takes. Cf. read, recv.
///
/// connection  alive, used by nobody else.
/// buffer      private memory, gets the message; not NULL.
/// buffer_bytes
///             how large it is; rialto_connection_next_len says how large it must be.
/// length_bytes
///             gets the message's length; 0 is an empty message, not the end.
/// Returns     RIALTO_OK; RIALTO_EPIPE (end of stream: the other end is closed or its holder died,
///             and all that it had sent whole was received); RIALTO_ENOBUFS (nothing taken; again
///             with a larger one); RIALTO_ENOTSUP (this end only sends); RIALTO_EPERM (the member
///             was taken for dead, or its thread has ended); RIALTO_EBADREGION (a peer damaged the
///             message); RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   the message is lost with us, and so is what lies in the pipe; who sends to us gets
///             RIALTO_ECONNRESET within a tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_recv(
    connection: *mut rialto_connection_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { recv(connection, (buffer, buffer_bytes), length_bytes, FOREVER) }
}

/// Receives the next message if it is there whole.
///
/// connection, buffer, buffer_bytes, length_bytes
///             as for rialto_connection_recv; if only some chunks of a long message are there, as
///             for rialto_connection_recv_timeout.
/// Returns     as rialto_connection_recv; RIALTO_EAGAIN (none).
/// Concurrency one thread at a time, whichever.  Blocks: no; nobody who is stopped holds it up.
/// Signals     not async-signal-safe.
/// If we die   as rialto_connection_recv.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_try_recv(
    connection: *mut rialto_connection_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { recv(connection, (buffer, buffer_bytes), length_bytes, 0) }
}

/// Receives the next message, waiting for it at most `timeout_ns` nanoseconds. If the time is up in
/// the middle of a message that goes in chunks, what has come is in `buffer` already, and the next
/// call goes on behind it: give it the same buffer, or one with the same bytes in it. See
/// rialto_connection_received_bytes.
///
/// connection, buffer, buffer_bytes, length_bytes
///             as for rialto_connection_recv.
/// timeout_ns  0 is rialto_connection_try_recv; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_connection_recv; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_connection_recv.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_recv_timeout(
    connection: *mut rialto_connection_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    timeout_ns: u64,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { recv(connection, (buffer, buffer_bytes), length_bytes, timeout_ns) }
}

/// The length of the next message, if it has begun to arrive; of one in chunks that of the whole.
///
/// connection  alive, used by nobody else.
/// length_bytes
///             gets it.
/// Returns     RIALTO_OK; RIALTO_EAGAIN (none yet); RIALTO_EPIPE (end of stream); RIALTO_ENOTSUP
///             (this end only sends); RIALTO_EPERM; RIALTO_EBADREGION; RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_next_len(
    connection: *mut rialto_connection_t,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { change(connection, length_bytes, |handle| handle.next_len()) }
}

/// How much of a message that goes in chunks is in the buffer of a receive that ran out of time in
/// it.
///
/// connection  alive, used by nobody else.
/// received_bytes
///             gets the bytes; mostly 0.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe, unless it interrupts a call on this connection.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_received_bytes(
    connection: *const rialto_connection_t,
    received_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(connection, received_bytes, |handle| handle.received_bytes()) }
}
