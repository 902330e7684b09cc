//! A message in hand, where it lies. The consumer's view remembers it.

use super::rialto_consumer_t;
use crate::{
    capi::{buffer, check, check_optional, code, get, get_mut, put_optional, status, told},
    error::Error,
    time::FOREVER,
};
use core::ffi::{c_int, c_void};

/// # Safety
/// The pointers are as C says.
unsafe fn peek(
    consumer: *mut rialto_consumer_t,
    timeout_ns: u64,
    message: *mut *const c_void,
    message_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    let checked = check(message).and(check(message_bytes)).and(check_optional(attempt));
    // SAFETY: checked, and the caller's word.
    code(checked.and_then(|()| unsafe {
        let view = get_mut(consumer)?;
        let consumer = view.free()?;
        let record = consumer.hold_timeout(timeout_ns)?;
        message.write(consumer.bytes_of(&record).cast());
        message_bytes.write(record.len() as usize);
        put_optional(attempt, u32::from(record.attempt()));
        view.peeked = Some(record);
        Ok(told(record.attempt()))
    }))
}

/// Takes the next message in hand, waiting for one as long as it takes. Until it is released or
/// given back the consumer does nothing else.
///
/// consumer    alive, used by nobody else.
/// message     gets the bytes' address, 16-aligned, to be read until it is released or given back,
///             or rialto_consumer_end. A peer that writes wild may change them while you look: if
///             you do not trust your peers, use rialto_consumer_copy.
/// message_bytes
///             gets how many they are.
/// attempt     gets how often it was in hand before, of a consumer that died or gave it back; may be
///             NULL.
/// Returns     RIALTO_OK; RIALTO_REDELIVERED (a message, and attempt is not 0); RIALTO_EPIPE (closed
///             and drained); RIALTO_EBADMSG (see rialto_consumer_take_poisoned); RIALTO_EBUSY (one
///             is in hand already); RIALTO_EPERM (the member that claimed the end is gone, or was
///             taken for dead); RIALTO_EBADREGION (a peer damaged the queue); RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   the next consumer gets the message, marked with an attempt count one higher (or as
///             the queue's on_death says).
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_peek(
    consumer: *mut rialto_consumer_t,
    message: *mut *const c_void,
    message_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { peek(consumer, FOREVER, message, message_bytes, attempt) }
}

/// Takes the next message in hand if there is one now.
///
/// consumer, message, message_bytes, attempt
///             as for rialto_consumer_peek.
/// Returns     as rialto_consumer_peek; RIALTO_EAGAIN (empty).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_consumer_peek.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_try_peek(
    consumer: *mut rialto_consumer_t,
    message: *mut *const c_void,
    message_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { peek(consumer, 0, message, message_bytes, attempt) }
}

/// Takes the next message in hand, waiting for one at most `timeout_ns` nanoseconds.
///
/// consumer, message, message_bytes, attempt
///             as for rialto_consumer_peek.
/// timeout_ns  0 is rialto_consumer_try_peek; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_consumer_peek; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_consumer_peek.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_peek_timeout(
    consumer: *mut rialto_consumer_t,
    timeout_ns: u64,
    message: *mut *const c_void,
    message_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { peek(consumer, timeout_ns, message, message_bytes, attempt) }
}

/// Copies the message in hand, or as much of it as fits.
///
/// consumer    alive, used by nobody else, with a message in hand.
/// buffer      private memory.
/// buffer_bytes
///             how large it is.
/// copied_bytes
///             gets how many were copied; may be NULL.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: nothing is in hand).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   as rialto_consumer_peek.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_copy(
    consumer: *const rialto_consumer_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    copied_bytes: *mut usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check_optional(copied_bytes).and_then(|()| unsafe {
        let view = get(consumer)?;
        let record = view.peeked.as_ref().ok_or(Error::Invalid)?;
        let copied = view.consumer.copy_some(record, self::buffer(buffer, buffer_bytes)?);
        put_optional(copied_bytes, copied);
        Ok(())
    }))
}

/// Done with the message in hand: the producer may have its room. If the member that claimed the end
/// is gone meanwhile, the message is somebody else's already and nothing happens.
///
/// consumer    alive, used by nobody else, with a message in hand.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: nothing is in hand).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the next consumer gets the message, marked, or it is done.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_release(consumer: *mut rialto_consumer_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get_mut(consumer) }.and_then(|view| {
        let record = view.peeked.take().ok_or(Error::Invalid)?;
        view.consumer.release(&record);
        Ok(())
    }))
}

/// Gives the message in hand back: it comes again, marked, to us or to the next consumer.
///
/// consumer    alive, used by nobody else, with a message in hand.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: nothing is in hand).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it comes to the next consumer, marked. With RIALTO_ON_DEATH_DROP it is dropped.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_give_back(consumer: *mut rialto_consumer_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get_mut(consumer) }.and_then(|view| view.peeked.take().map(drop).ok_or(Error::Invalid)))
}
