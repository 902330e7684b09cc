//! Taking one message, copied.

use super::{queue_at, rialto_queue_t, rialto_ticket_t, told};
use crate::{
    Queue,
    capi::{buffer, check, check_optional, code, put_optional},
    error::{Error, Result},
    queue::Popped,
};
use core::ffi::{c_int, c_void};

/// Checks all pointers, pops, and tells.
///
/// # Safety
/// The pointers are as C says.
#[inline]
unsafe fn popped(
    queue: *const rialto_queue_t,
    to: (*mut c_void, usize),
    length_bytes: *mut usize,
    attempt: *mut u32,
    pop: impl FnOnce(Queue<'static>, &mut [u8]) -> Result<Popped>,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    code(check(length_bytes).and(check_optional(attempt)).and_then(|()| unsafe {
        let queue = queue_at(queue)?;
        if queue.config().joinable {
            return Err(Error::Invalid); // nobody could say that it is done
        }
        let popped = pop(queue, buffer(to.0, to.1)?)?;
        length_bytes.write(popped.len);
        put_optional(attempt, u32::from(popped.attempt));
        Ok(told(popped.attempt))
    }))
}

/// As [`popped`], with a ticket.
///
/// # Safety
/// The pointers are as C says.
#[inline]
unsafe fn ticketed(
    queue: *const rialto_queue_t,
    to: (*mut c_void, usize),
    length_bytes: *mut usize,
    attempt: *mut u32,
    ticket: *mut rialto_ticket_t,
    pop: impl FnOnce(Queue<'static>, &mut [u8]) -> Result<Popped>,
) -> c_int {
    let checked = check(length_bytes).and(check_optional(attempt)).and(check(ticket));
    // SAFETY: checked, and the caller's word.
    code(checked.and_then(|()| unsafe {
        let popped = pop(queue_at(queue)?, buffer(to.0, to.1)?)?;
        length_bytes.write(popped.len);
        put_optional(attempt, u32::from(popped.attempt));
        ticket.write(rialto_ticket_t::of(popped.ticket));
        Ok(told(popped.attempt))
    }))
}

/// Takes the next message, waiting for one as long as it takes. From then on it is yours: if it must
/// survive your death, use rialto_queue_peek. Cf. mq_receive.
///
/// queue       alive.
/// buffer      private memory, gets the message.
/// buffer_bytes
///             how large it is; at least the queue's longest message.
/// length_bytes
///             gets the message's length.
/// attempt     gets how many holders before you died with it in hand or gave it back; may be NULL.
/// Returns     RIALTO_OK; RIALTO_REDELIVERED (a message, and attempt is not 0); RIALTO_EPIPE (closed
///             and drained); RIALTO_EBADMSG (see RIALTO_ON_DEATH_STOP); RIALTO_ENOBUFS (nothing
///             taken); RIALTO_EBADREGION (a peer damaged the message; it is gone); RIALTO_EPERM
///             (rialto_queue_as_member: the member is gone); RIALTO_ENFILE, RIALTO_EMFILE,
///             RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL (also: a joinable queue, see
///             rialto_queue_pop_ticket).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   before it is taken: it goes to somebody else, marked. After: with us.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_pop(
    queue: *const rialto_queue_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { popped(queue, (buffer, buffer_bytes), length_bytes, attempt, |queue, to| queue.pop(to)) }
}

/// Takes the next message if there is one now.
///
/// queue, buffer, buffer_bytes, length_bytes, attempt
///             as for rialto_queue_pop.
/// Returns     as rialto_queue_pop; RIALTO_EAGAIN (empty).
/// Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_pop.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_try_pop(
    queue: *const rialto_queue_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { popped(queue, (buffer, buffer_bytes), length_bytes, attempt, |queue, to| queue.try_pop(to)) }
}

/// Takes the next message, waiting for one at most `timeout_ns` nanoseconds. Cf. mq_timedreceive,
/// but relative and monotonic.
///
/// queue, buffer, buffer_bytes, length_bytes, attempt
///             as for rialto_queue_pop.
/// timeout_ns  0 is rialto_queue_try_pop; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_queue_pop; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_pop.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_pop_timeout(
    queue: *const rialto_queue_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    timeout_ns: u64,
    length_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    let to = (buffer, buffer_bytes);
    // SAFETY: the caller's word.
    unsafe { popped(queue, to, length_bytes, attempt, |queue, to| queue.pop_timeout(to, timeout_ns)) }
}

/// Takes a message that so many holders died with that pop passes it over, or for which pop says
/// RIALTO_EBADMSG.
///
/// queue, buffer, buffer_bytes, length_bytes, attempt
///             as for rialto_queue_pop.
/// Returns     as rialto_queue_pop, usually RIALTO_REDELIVERED; RIALTO_EAGAIN (there is none).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_pop; it stays poisoned.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_take_poisoned(
    queue: *const rialto_queue_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        popped(queue, (buffer, buffer_bytes), length_bytes, attempt, |queue, to| queue.take_poisoned(to))
    }
}

/// As rialto_queue_pop, with a ticket. Of a joinable queue the message stays in hand, and in its
/// slot, until rialto_queue_task_done; of another queue the ticket is good for nothing.
///
/// queue, buffer, buffer_bytes, length_bytes, attempt
///             as for rialto_queue_pop.
/// ticket      gets the message's ticket: keep it for rialto_queue_task_done.
/// Returns     as rialto_queue_pop, of a joinable queue too.
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   before rialto_queue_task_done: it goes to somebody else, marked.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_pop_ticket(
    queue: *const rialto_queue_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
    attempt: *mut u32,
    ticket: *mut rialto_ticket_t,
) -> c_int {
    let to = (buffer, buffer_bytes);
    // SAFETY: the caller's word.
    unsafe { ticketed(queue, to, length_bytes, attempt, ticket, |queue, to| queue.pop(to)) }
}

/// As rialto_queue_try_pop, with a ticket.
///
/// queue, buffer, buffer_bytes, length_bytes, attempt, ticket
///             as for rialto_queue_pop_ticket.
/// Returns     as rialto_queue_pop_ticket; RIALTO_EAGAIN (empty).
/// Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_pop_ticket.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_try_pop_ticket(
    queue: *const rialto_queue_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
    attempt: *mut u32,
    ticket: *mut rialto_ticket_t,
) -> c_int {
    let to = (buffer, buffer_bytes);
    // SAFETY: the caller's word.
    unsafe { ticketed(queue, to, length_bytes, attempt, ticket, |queue, to| queue.try_pop(to)) }
}

/// As rialto_queue_pop_timeout, with a ticket.
///
/// queue, buffer, buffer_bytes, length_bytes, attempt, ticket
///             as for rialto_queue_pop_ticket.
/// timeout_ns  0 is rialto_queue_try_pop_ticket; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_queue_pop_ticket; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_pop_ticket.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_pop_timeout_ticket(
    queue: *const rialto_queue_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    timeout_ns: u64,
    length_bytes: *mut usize,
    attempt: *mut u32,
    ticket: *mut rialto_ticket_t,
) -> c_int {
    let pop = |queue: Queue<'static>, to: &mut [u8]| queue.pop_timeout(to, timeout_ns);
    // SAFETY: the caller's word.
    unsafe { ticketed(queue, (buffer, buffer_bytes), length_bytes, attempt, ticket, pop) }
}

/// As rialto_queue_take_poisoned, with a ticket: of a joinable queue rialto_queue_task_done ends it.
///
/// queue, buffer, buffer_bytes, length_bytes, attempt, ticket
///             as for rialto_queue_pop_ticket.
/// Returns     as rialto_queue_take_poisoned, of a joinable queue too.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   before rialto_queue_task_done: it stays poisoned.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_take_poisoned_ticket(
    queue: *const rialto_queue_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
    attempt: *mut u32,
    ticket: *mut rialto_ticket_t,
) -> c_int {
    let to = (buffer, buffer_bytes);
    // SAFETY: the caller's word.
    unsafe { ticketed(queue, to, length_bytes, attempt, ticket, |queue, to| queue.take_poisoned(to)) }
}
