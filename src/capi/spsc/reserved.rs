//! Room for a message, written in place. The producer's view remembers it.

use super::rialto_producer_t;
use crate::{
    capi::{check, get_mut, status},
    error::Error,
    time::FOREVER,
};
use core::ffi::{c_int, c_void};

/// # Safety
/// The pointers are as C says.
unsafe fn reserve(
    producer: *mut rialto_producer_t,
    len: usize,
    timeout_ns: u64,
    message: *mut *mut c_void,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(message).and_then(|()| unsafe {
        let view = get_mut(producer)?;
        let producer = view.free()?;
        let place = producer.place_timeout(len, timeout_ns)?;
        message.write(producer.bytes_of(&place).cast());
        view.loan = Some(place);
        Ok(())
    }))
}

/// Reserves room for a message, waiting for it as long as it takes; write it there, then commit or
/// abort. What is in it means nothing. Until then the producer does nothing else.
///
/// producer    alive, used by nobody else.
/// message_bytes
///             how many, at most the queue's longest; fewer may be committed.
/// message     gets the address, 16-aligned, good until commit, abort or rialto_producer_end. Nobody
///             else reads or writes there, unless they write wild.
/// Returns     RIALTO_OK; RIALTO_EPIPE (closed); RIALTO_EMSGSIZE; RIALTO_EBUSY (room is reserved
///             already); RIALTO_EPERM (the member that claimed the end is gone); RIALTO_EBADREGION;
///             RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   before it is committed: nothing was sent.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_reserve(
    producer: *mut rialto_producer_t,
    message_bytes: usize,
    message: *mut *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { reserve(producer, message_bytes, FOREVER, message) }
}

/// Reserves room for a message if there is some now.
///
/// producer, message_bytes, message
///             as for rialto_producer_reserve.
/// Returns     as rialto_producer_reserve; RIALTO_EAGAIN (full).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_producer_reserve.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_try_reserve(
    producer: *mut rialto_producer_t,
    message_bytes: usize,
    message: *mut *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { reserve(producer, message_bytes, 0, message) }
}

/// Reserves room for a message, waiting for it at most `timeout_ns` nanoseconds.
///
/// producer, message_bytes, message
///             as for rialto_producer_reserve.
/// timeout_ns  0 is rialto_producer_try_reserve; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_producer_reserve; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_producer_reserve.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_reserve_timeout(
    producer: *mut rialto_producer_t,
    message_bytes: usize,
    timeout_ns: u64,
    message: *mut *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { reserve(producer, message_bytes, timeout_ns, message) }
}

/// Sends what was reserved. Never waits.
///
/// producer    alive, used by nobody else.
/// message_bytes
///             how many of the bytes are the message: as many as were reserved, or fewer.
/// Returns     RIALTO_OK; RIALTO_EPIPE (closed meanwhile); RIALTO_EPERM (the member that claimed the
///             end is gone, or was taken for dead); RIALTO_EBADREGION; RIALTO_EINVAL (also: nothing
///             is reserved; or more bytes than were reserved, which stay so). Negative, but for
///             RIALTO_EINVAL: nothing was sent, for good.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the message is in the queue, or nothing was sent.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_commit(
    producer: *mut rialto_producer_t,
    message_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get_mut(producer) }.and_then(|view| {
        let place = view.loan.ok_or(Error::Invalid)?;
        if message_bytes > place.len() as usize {
            return Err(Error::Invalid);
        }
        view.loan = None;
        view.producer.commit(place, message_bytes)
    }))
}

/// Gives the room back: nothing is sent.
///
/// producer    alive, used by nobody else.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: nothing is reserved).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   nothing was sent in any case.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_abort(producer: *mut rialto_producer_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get_mut(producer) }.and_then(|view| view.loan.take().map(drop).ok_or(Error::Invalid)))
}
