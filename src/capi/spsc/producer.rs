//! `rialto_producer_t`: appending messages, one or several.

use super::fd_of;
use crate::{
    Region,
    capi::{View, bytes, bytes_of, check, get_mut, messages_at, rialto_message_t, status, take},
    error::{Error, Result},
    spsc::{Place, Producer},
    time::FOREVER,
};
use core::ffi::{c_int, c_void};

/// The producer's end of an SPSC queue: a pinned view, ended by rialto_producer_end. One thread at a
/// time uses it, whichever. It belongs to the member that claimed the end: when that one's thread
/// ends or dies, the end is free for others, and calls here say RIALTO_EPERM.
#[repr(C)]
pub struct rialto_producer_t {
    /// Private.
    pub _private: [u64; 40],
}

/// What is in the view.
pub struct ProducersView {
    pub(super) producer: Producer<'static, Region>,
    /// What was reserved.
    pub(super) loan: Option<Place>,
}

impl ProducersView {
    pub(super) fn of(producer: Producer<'static, Region>) -> Self {
        ProducersView { producer, loan: None }
    }

    /// `Busy` while a loan would borrow the producer.
    pub(super) fn free(&mut self) -> Result<&mut Producer<'static, Region>> {
        if self.loan.is_some() { Err(Error::Busy) } else { Ok(&mut self.producer) }
    }
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_producer_t {
    type Handle = ProducersView;
    const TAG: u64 = u64::from_le_bytes(*b"c produc");
    const PINNED: bool = true;
}

/// # Safety
/// The pointers are as C says.
#[inline]
unsafe fn push(
    producer: *mut rialto_producer_t,
    message: *const c_void,
    len: usize,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe {
        get_mut(producer).and_then(|view| view.free()?.push_timeout(bytes(message, len)?, timeout_ns))
    })
}

/// # Safety
/// The pointers are as C says.
unsafe fn push_many(
    producer: *mut rialto_producer_t,
    (messages, count): (*const rialto_message_t, usize),
    timeout_ns: u64,
    pushed: *mut usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(pushed).and_then(|()| unsafe {
        let messages = messages_at(messages, count)?;
        pushed.write(get_mut(producer)?.free()?.push_many_as(messages, bytes_of, timeout_ns)?);
        Ok(())
    }))
}

/// Writes what a producer answers that has reserved nothing.
///
/// # Safety
/// The pointers are as C says.
unsafe fn answer(
    producer: *mut rialto_producer_t,
    out: *mut bool,
    ask: impl FnOnce(&mut Producer<'static, Region>) -> bool,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| unsafe {
        out.write(ask(get_mut(producer)?.free()?));
        Ok(())
    }))
}

/// Appends a message, waiting for room as long as it takes.
///
/// producer    alive, used by nobody else.
/// message     the bytes, in private memory; NULL if there are none.
/// message_bytes
///             how many, at most the queue's longest.
/// Returns     RIALTO_OK; RIALTO_EPIPE (closed); RIALTO_EMSGSIZE; RIALTO_EBUSY (room is reserved:
///             commit it or abort first); RIALTO_EPERM (the member that claimed the end is gone, or
///             was taken for dead); RIALTO_EBADREGION; RIALTO_EINVAL. Negative: nothing appended.
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   the message is in the queue, or goes with us. A consumer that sleeps notices at its
///             tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_push(
    producer: *mut rialto_producer_t,
    message: *const c_void,
    message_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push(producer, message, message_bytes, FOREVER) }
}

/// Appends a message if there is room now.
///
/// producer, message, message_bytes
///             as for rialto_producer_push.
/// Returns     as rialto_producer_push; RIALTO_EAGAIN (full).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_producer_push.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_try_push(
    producer: *mut rialto_producer_t,
    message: *const c_void,
    message_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push(producer, message, message_bytes, 0) }
}

/// Appends a message, waiting for room at most `timeout_ns` nanoseconds.
///
/// producer, message, message_bytes
///             as for rialto_producer_push.
/// timeout_ns  0 is rialto_producer_try_push; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_producer_push; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_producer_push.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_push_timeout(
    producer: *mut rialto_producer_t,
    message: *const c_void,
    message_bytes: usize,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push(producer, message, message_bytes, timeout_ns) }
}

/// Appends messages in order, waiting for room as long as it takes. As many as fit at a time appear
/// all at once, with one wake.
///
/// producer    alive, used by nobody else.
/// messages    which; may be NULL if count is 0.
/// count       how many.
/// pushed      gets how many were appended: all, or fewer if the queue was closed meanwhile.
/// Returns     as rialto_producer_push; RIALTO_OK: pushed is at least 1, unless count is 0;
///             RIALTO_EMSGSIZE: one of them is too long. Negative: nothing appended.
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   the first few are in the queue, the others go with us.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_push_many(
    producer: *mut rialto_producer_t,
    messages: *const rialto_message_t,
    count: usize,
    pushed: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push_many(producer, (messages, count), FOREVER, pushed) }
}

/// As rialto_producer_push_many, but only as many as there is room for now.
///
/// producer, messages, count, pushed
///             as for rialto_producer_push_many.
/// Returns     as rialto_producer_push_many; RIALTO_EAGAIN (room for none).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_producer_push_many.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_try_push_many(
    producer: *mut rialto_producer_t,
    messages: *const rialto_message_t,
    count: usize,
    pushed: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push_many(producer, (messages, count), 0, pushed) }
}

/// As rialto_producer_push_many, waiting for room at most `timeout_ns` nanoseconds in all.
///
/// producer, messages, count, pushed
///             as for rialto_producer_push_many; fewer also if the time is up.
/// timeout_ns  0 is rialto_producer_try_push_many; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_producer_push_many; RIALTO_ETIMEDOUT (none); RIALTO_EAGAIN (0).
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_producer_push_many.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_push_many_timeout(
    producer: *mut rialto_producer_t,
    messages: *const rialto_message_t,
    count: usize,
    timeout_ns: u64,
    pushed: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { push_many(producer, (messages, count), timeout_ns, pushed) }
}

/// As rialto_spsc_set_data_fd, for what this producer pushes.
///
/// producer    alive, used by nobody else.
/// fd          as for rialto_spsc_set_data_fd.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: a negative fd, other than -1).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_set_data_fd(producer: *mut rialto_producer_t, fd: c_int) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get_mut(producer) }.and_then(|view| {
        view.producer.set_data_fd(fd_of(fd)?);
        Ok(())
    }))
}

/// Before an event loop polls for room: from now on the next release is signalled, once, by a
/// consumer that knows the descriptor (rialto_consumer_set_space_fd). Read the descriptor before you
/// arm again.
///
/// producer    alive, used by nobody else.
/// is_ready    gets whether a push is worth a try at once (there is room for the longest message, or
///             something else to be told than RIALTO_EAGAIN): then do not poll.
/// Returns     RIALTO_OK; RIALTO_EBUSY (room is reserved); RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   room is signalled that nobody waits for.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_arm_space(
    producer: *mut rialto_producer_t,
    is_ready: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(producer, is_ready, |producer| producer.arm_space()) }
}

/// What the loop calls at least once per tick (rialto_spsc_tick_ns): recovers the dead, looks, and
/// arms. A consumer killed between its release and its signal leaves the descriptor silent: only
/// this finds the room. Takes some 15 us.
///
/// producer, is_ready
///             as for rialto_producer_arm_space.
/// Returns     as rialto_producer_arm_space.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_producer_arm_space; somebody else recovers.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_recheck_space(
    producer: *mut rialto_producer_t,
    is_ready: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(producer, is_ready, |producer| producer.recheck_space()) }
}

/// Gives the end back, for somebody else (or us) to claim; the view ends. What is reserved is
/// aborted. The queue stays open: see rialto_spsc_close.
///
/// producer    alive, used by nobody else.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
/// Concurrency one thread, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the end is free again in any case; who waits for it notices at its tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_producer_end(producer: *mut rialto_producer_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { take(producer) }.map(drop))
}
