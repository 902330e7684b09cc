//! A joinable queue: tickets, and waiting until all is done.

use super::{answer, queue_at, rialto_queue_t};
use crate::{
    capi::{check, status},
    queue::Ticket,
};
use core::ffi::c_int;

/// Which popped message is done: what a pop of a joinable queue gives, and rialto_queue_task_done
/// wants. Private to the process; copy it as you like. {0} is nobody's.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rialto_ticket_t {
    /// Private.
    pub _private: [u64; 2],
}

const _: () = assert!(align_of::<rialto_ticket_t>() == align_of::<Ticket>());

impl rialto_ticket_t {
    pub(super) fn of(ticket: Ticket) -> Self {
        // SAFETY: two u64 each.
        unsafe { core::mem::transmute::<Ticket, rialto_ticket_t>(ticket) }
    }
}

/// # Safety
/// Null, misaligned, or valid for reads.
unsafe fn ticket_at(ticket: *const rialto_ticket_t) -> crate::Result<Ticket> {
    check(ticket)?;
    // SAFETY: checked, and the caller's word; any bits are a ticket.
    Ok(unsafe { ticket.cast::<Ticket>().read() })
}

/// Done with a popped message: its slot is free, and if it was the last, those who join go on. A
/// message in hand by rialto_queue_peek is done when it is released.
///
/// queue       alive; any view that acts as the member who popped.
/// ticket      what the pop gave. Not changed, but good for one time only.
/// Returns     RIALTO_OK; RIALTO_EPERM (done already, or given back; or the calling thread, or the
///             view's member, is not who popped it; or the queue is not joinable); RIALTO_ENFILE,
///             RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL.
/// Concurrency the thread that popped; of a view made by rialto_queue_as_member, any.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the message is done, or goes to somebody else, marked. Who joins notices within a
///             tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_task_done(
    queue: *const rialto_queue_t,
    ticket: *const rialto_ticket_t,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { queue_at(queue).and_then(|queue| queue.task_done(ticket_at(ticket)?)) })
}

/// Gives a popped message of a joinable queue to somebody else (or us), who gets it marked, as if we
/// had died.
///
/// queue, ticket
///             as for rialto_queue_task_done.
/// Returns     as rialto_queue_task_done.
/// Concurrency as rialto_queue_task_done.
/// Signals     not async-signal-safe.
/// If we die   somebody else gets the message, marked, in any case.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_give_back(
    queue: *const rialto_queue_t,
    ticket: *const rialto_ticket_t,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { queue_at(queue).and_then(|queue| queue.give_back(ticket_at(ticket)?)) })
}

/// Waits until there was an instant, during this call, at which no message was unfinished. Messages
/// pushed meanwhile count too; those set aside as poisoned do not.
///
/// queue       alive, joinable.
/// Returns     RIALTO_OK; RIALTO_ENOTSUP (not joinable); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: yes, through signals. Walks all slots, twice,
///             each time it looks.
/// Signals     not async-signal-safe.
/// If we die   nobody notices.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_join(queue: *const rialto_queue_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { queue_at(queue) }.and_then(|queue| queue.join()))
}

/// As rialto_queue_join, waiting at most `timeout_ns` nanoseconds.
///
/// queue       alive, joinable.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_queue_join; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and there are unfinished
///             ones).
/// Concurrency as rialto_queue_join.
/// Signals     not async-signal-safe.
/// If we die   nobody notices.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_join_timeout(queue: *const rialto_queue_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { queue_at(queue) }.and_then(|queue| queue.join_timeout(timeout_ns)))
}

/// Messages that wait or are in hand, but not those set aside as poisoned.
///
/// queue       alive.
/// messages    gets the number: as old as rialto_queue_len's. Walks all slots.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_unfinished(
    queue: *const rialto_queue_t,
    messages: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, messages, |queue| queue.unfinished()) }
}
