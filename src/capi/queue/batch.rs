//! Several messages with one wake.

use super::{queue_at, rialto_queue_t, rialto_ticket_t, told};
use crate::{
    capi::{buffer, bytes, check, code, status},
    error::Result,
    queue::{Popped, Ticket},
    time::FOREVER,
};
use core::{
    ffi::{c_int, c_void},
    mem::offset_of,
    slice,
};

/// One of the messages to push.
#[repr(C)]
pub struct rialto_message_t {
    /// The bytes, in private memory; NULL if there are none.
    pub bytes: *const c_void,
    /// How many, at most the queue's longest.
    pub length_bytes: usize,
}

/// One of the messages that were popped.
#[repr(C)]
pub struct rialto_popped_t {
    /// The message's length.
    pub length_bytes: usize,
    /// How many holders before you died with it in hand, or gave it back.
    pub attempt: u8,
    /// Private.
    pub _reserved: [u8; 3],
    /// Of a joinable queue: for rialto_queue_task_done.
    pub ticket: rialto_ticket_t,
}

// `popped_at` takes the one for the other.
const _: () = {
    assert!(size_of::<rialto_popped_t>() == size_of::<Popped>());
    assert!(align_of::<rialto_popped_t>() == align_of::<Popped>());
    assert!(offset_of!(rialto_popped_t, length_bytes) == offset_of!(Popped, len));
    assert!(offset_of!(rialto_popped_t, attempt) == offset_of!(Popped, attempt));
    assert!(offset_of!(rialto_popped_t, ticket) == offset_of!(Popped, ticket));
    assert!(size_of::<rialto_ticket_t>() == size_of::<Ticket>());
};

/// An array of the caller's.
///
/// # Safety
/// Null, misaligned, or valid for reads of `count` elements that nobody changes during `'a`.
pub(crate) unsafe fn messages_at<'a>(
    at: *const rialto_message_t,
    count: usize,
) -> Result<&'a [rialto_message_t]> {
    if count == 0 {
        return Ok(&[]);
    }
    check(at)?;
    let count = count.min(isize::MAX as usize / size_of::<rialto_message_t>()); // as `buffer`
    // SAFETY: checked, and the caller's word.
    let messages = unsafe { slice::from_raw_parts(at, count) };
    for message in messages {
        // SAFETY: as above.
        unsafe { bytes(message.bytes, message.length_bytes)? };
    }
    Ok(messages)
}

/// Of one that [`messages_at`] has checked.
pub(crate) fn bytes_of(message: &rialto_message_t) -> &[u8] {
    // SAFETY: the caller of C vouched for the bytes, for as long as its array is looked at.
    unsafe { bytes(message.bytes, message.length_bytes) }.unwrap_or(&[])
}

/// Where to write what was popped.
///
/// # Safety
/// Null, misaligned, or valid for writes of `count` elements that nobody else uses during `'a`.
pub(crate) unsafe fn slots_at<'a>(
    at: *mut rialto_popped_t,
    count: usize,
) -> Result<&'a mut [rialto_popped_t]> {
    check(at)?;
    let count = count.min(isize::MAX as usize / size_of::<rialto_popped_t>()); // as `buffer`
    // SAFETY: checked, and the caller's word; any bits are one, and memory that comes from C has some value.
    Ok(unsafe { slice::from_raw_parts_mut(at, count) })
}

/// # Safety
/// As [`slots_at`].
unsafe fn popped_at<'a>(at: *mut rialto_popped_t, count: usize) -> Result<&'a mut [Popped]> {
    // SAFETY: the caller's word; the same layout (asserted above), any bits are a `Popped`.
    unsafe {
        let slots = slots_at(at, count)?;
        Ok(slice::from_raw_parts_mut(slots.as_mut_ptr().cast(), slots.len()))
    }
}

/// # Safety
/// The pointers are as C says.
unsafe fn push_many(
    queue: *const rialto_queue_t,
    (messages, count): (*const rialto_message_t, usize),
    timeout_ns: u64,
    pushed: *mut usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(pushed).and_then(|()| unsafe {
        let messages = messages_at(messages, count)?;
        pushed.write(queue_at(queue)?.push_many_as(messages, bytes_of, timeout_ns)?);
        Ok(())
    }))
}

/// # Safety
/// The pointers are as C says.
unsafe fn pop_many(
    queue: *const rialto_queue_t,
    to: (*mut c_void, usize),
    (messages, count): (*mut rialto_popped_t, usize),
    timeout_ns: u64,
    popped: *mut usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    code(check(popped).and_then(|()| unsafe {
        let messages = popped_at(messages, count)?;
        let count = queue_at(queue)?.pop_many_timeout(buffer(to.0, to.1)?, messages, timeout_ns)?;
        popped.write(count);
        Ok(told(messages[..count].iter().map(|popped| popped.attempt).max().unwrap_or(0)))
    }))
}

/// Appends messages in order, waiting for room as long as it takes, and wakes consumers once for as
/// many as fit at a time. Others' messages may come between them.
///
/// queue       alive.
/// messages    which; may be NULL if count is 0.
/// count       how many.
/// pushed      gets how many were appended: all, or fewer if the queue was closed meanwhile.
/// Returns     RIALTO_OK (pushed is at least 1, unless count is 0); RIALTO_EPIPE (closed);
///             RIALTO_EMSGSIZE (one of them is too long); RIALTO_EPERM (rialto_queue_as_member: the
///             member is gone); RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first
///             use); RIALTO_EINVAL. Negative: nothing appended.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   the first few are in the queue, the others go with us.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_push_many(
    queue: *const rialto_queue_t,
    messages: *const rialto_message_t,
    count: usize,
    pushed: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push_many(queue, (messages, count), FOREVER, pushed) }
}

/// As rialto_queue_push_many, but only as many as there is room for now.
///
/// queue, messages, count, pushed
///             as for rialto_queue_push_many.
/// Returns     as rialto_queue_push_many; RIALTO_EAGAIN (room for none).
/// Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_push_many.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_try_push_many(
    queue: *const rialto_queue_t,
    messages: *const rialto_message_t,
    count: usize,
    pushed: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push_many(queue, (messages, count), 0, pushed) }
}

/// As rialto_queue_push_many, waiting for room at most `timeout_ns` nanoseconds in all.
///
/// queue, messages, count, pushed
///             as for rialto_queue_push_many; fewer also if the time is up.
/// timeout_ns  0 is rialto_queue_try_push_many; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_queue_push_many; RIALTO_ETIMEDOUT (none); RIALTO_EAGAIN (0).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_push_many.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_push_many_timeout(
    queue: *const rialto_queue_t,
    messages: *const rialto_message_t,
    count: usize,
    timeout_ns: u64,
    pushed: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push_many(queue, (messages, count), timeout_ns, pushed) }
}

/// Takes as many messages as there are, at least one, waiting for the first as long as it takes. All
/// are in hand until all are copied; then their slots are free, with one wake (of a joinable queue:
/// each by rialto_queue_task_done).
///
/// queue       alive.
/// buffer      private memory: message i begins at i times rialto_queue_max_message_bytes.
/// buffer_bytes
///             how large it is; if fewer than max_messages fit, fewer are taken.
/// messages    private memory, gets each message's length, attempt and ticket.
/// max_messages
///             how many at most; not 0.
/// popped      gets how many.
/// Returns     RIALTO_OK; RIALTO_REDELIVERED (and the attempt of one of them at least is not 0);
///             RIALTO_EPIPE (closed and drained); RIALTO_EBADMSG (see RIALTO_ON_DEATH_STOP);
///             RIALTO_ENOBUFS (not one fits); RIALTO_EBADREGION (a peer damaged the first message;
///             it is gone); RIALTO_EPERM (rialto_queue_as_member: the member is gone);
///             RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
///             RIALTO_EINVAL. Negative: what is in buffer and messages means nothing.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   each goes to somebody else, marked, or with us, as with rialto_queue_pop.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_pop_many(
    queue: *const rialto_queue_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    messages: *mut rialto_popped_t,
    max_messages: usize,
    popped: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { pop_many(queue, (buffer, buffer_bytes), (messages, max_messages), FOREVER, popped) }
}

/// As rialto_queue_pop_many, but does not wait for the first.
///
/// queue, buffer, buffer_bytes, messages, max_messages, popped
///             as for rialto_queue_pop_many.
/// Returns     as rialto_queue_pop_many; RIALTO_EAGAIN (empty).
/// Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_pop_many.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_try_pop_many(
    queue: *const rialto_queue_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    messages: *mut rialto_popped_t,
    max_messages: usize,
    popped: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { pop_many(queue, (buffer, buffer_bytes), (messages, max_messages), 0, popped) }
}

/// As rialto_queue_pop_many, waiting for the first at most `timeout_ns` nanoseconds.
///
/// queue, buffer, buffer_bytes, messages, max_messages, popped
///             as for rialto_queue_pop_many.
/// timeout_ns  0 is rialto_queue_try_pop_many; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_queue_pop_many; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_pop_many.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_pop_many_timeout(
    queue: *const rialto_queue_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    timeout_ns: u64,
    messages: *mut rialto_popped_t,
    max_messages: usize,
    popped: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { pop_many(queue, (buffer, buffer_bytes), (messages, max_messages), timeout_ns, popped) }
}
