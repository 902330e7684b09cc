//! `rialto_consumer_t`: taking messages, one or several, copied.

use super::fd_of;
use crate::{
    Region,
    capi::{
        View, buffer, check, check_optional, code, get_mut, put_optional, rialto_popped_t, rialto_ticket_t,
        slots_at, status, take, told,
    },
    error::{Error, Result},
    spsc::{Consumer, Popped, Record},
};
use core::ffi::{c_int, c_void};

/// The consumer's end of an SPSC queue: a pinned view, ended by rialto_consumer_end. One thread at a
/// time uses it, whichever. It belongs to the member that claimed the end: when that one's thread
/// ends or dies, the end is free for others, and calls here say RIALTO_EPERM.
#[repr(C)]
pub struct rialto_consumer_t {
    /// Private.
    pub _private: [u64; 40],
}

/// What is in the view.
pub struct ConsumersView {
    pub(super) consumer: Consumer<'static, Region>,
    /// The message in hand.
    pub(super) peeked: Option<Record>,
}

impl ConsumersView {
    pub(super) fn of(consumer: Consumer<'static, Region>) -> Self {
        ConsumersView { consumer, peeked: None }
    }

    /// `Busy` while a message in hand would borrow the consumer.
    pub(super) fn free(&mut self) -> Result<&mut Consumer<'static, Region>> {
        if self.peeked.is_some() { Err(Error::Busy) } else { Ok(&mut self.consumer) }
    }
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_consumer_t {
    type Handle = ConsumersView;
    const TAG: u64 = u64::from_le_bytes(*b"c consum");
    const PINNED: bool = true;
}

/// Checks all pointers, pops, and tells.
///
/// # Safety
/// The pointers are as C says.
#[inline]
unsafe fn popped(
    consumer: *mut rialto_consumer_t,
    to: (*mut c_void, usize),
    length_bytes: *mut usize,
    attempt: *mut u32,
    pop: impl FnOnce(&mut Consumer<'static, Region>, &mut [u8]) -> Result<Popped>,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    code(check(length_bytes).and(check_optional(attempt)).and_then(|()| unsafe {
        let popped = pop(get_mut(consumer)?.free()?, buffer(to.0, to.1)?)?;
        length_bytes.write(popped.len);
        put_optional(attempt, u32::from(popped.attempt));
        Ok(told(popped.attempt))
    }))
}

fn to_c(popped: Popped) -> rialto_popped_t {
    rialto_popped_t {
        length_bytes: popped.len,
        attempt: popped.attempt,
        _reserved: [0; 3],
        ticket: rialto_ticket_t { _private: [0; 2] },
    }
}

/// # Safety
/// The pointers are as C says.
unsafe fn pop_many(
    consumer: *mut rialto_consumer_t,
    to: (*mut c_void, usize),
    (messages, count): (*mut rialto_popped_t, usize),
    timeout_ns: u64,
    popped: *mut usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    code(check(popped).and_then(|()| unsafe {
        let messages = slots_at(messages, count)?;
        let consumer = get_mut(consumer)?.free()?;
        let count = consumer.pop_many_as(buffer(to.0, to.1)?, messages, to_c, timeout_ns)?;
        popped.write(count);
        Ok(told(messages[..count].iter().map(|popped| popped.attempt).max().unwrap_or(0)))
    }))
}

/// Writes what a consumer answers that has nothing in hand.
///
/// # Safety
/// The pointers are as C says.
unsafe fn answer<T>(
    consumer: *mut rialto_consumer_t,
    out: *mut T,
    ask: impl FnOnce(&mut Consumer<'static, Region>) -> T,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| unsafe {
        out.write(ask(get_mut(consumer)?.free()?));
        Ok(())
    }))
}

/// Takes the next message, waiting for one as long as it takes. From then on it is yours: if it must
/// survive your death, use rialto_consumer_peek.
///
/// consumer    alive, used by nobody else.
/// buffer      private memory, gets the message.
/// buffer_bytes
///             how large it is; at least the queue's longest message.
/// length_bytes
///             gets the message's length.
/// attempt     gets how often it was in hand before, of a consumer that died or gave it back; may be
///             NULL.
/// Returns     RIALTO_OK; RIALTO_REDELIVERED (a message, and attempt is not 0); RIALTO_EPIPE (closed
///             and drained); RIALTO_EBADMSG (see rialto_consumer_take_poisoned); RIALTO_ENOBUFS
///             (nothing taken); RIALTO_EBUSY (one is in hand: release it or give it back first);
///             RIALTO_EPERM (the member that claimed the end is gone, or was taken for dead);
///             RIALTO_EBADREGION (a peer damaged the queue); RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   before it is taken: the next consumer gets it, marked (or as the queue's on_death
///             says). After: it goes with us.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_pop(
    consumer: *mut rialto_consumer_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    let to = (buffer, buffer_bytes);
    // SAFETY: the caller's word.
    unsafe { popped(consumer, to, length_bytes, attempt, |consumer, to| consumer.pop(to)) }
}

/// Takes the next message if there is one now.
///
/// consumer, buffer, buffer_bytes, length_bytes, attempt
///             as for rialto_consumer_pop.
/// Returns     as rialto_consumer_pop; RIALTO_EAGAIN (empty).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_consumer_pop.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_try_pop(
    consumer: *mut rialto_consumer_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    let to = (buffer, buffer_bytes);
    // SAFETY: the caller's word.
    unsafe { popped(consumer, to, length_bytes, attempt, |consumer, to| consumer.try_pop(to)) }
}

/// Takes the next message, waiting for one at most `timeout_ns` nanoseconds.
///
/// consumer, buffer, buffer_bytes, length_bytes, attempt
///             as for rialto_consumer_pop.
/// timeout_ns  0 is rialto_consumer_try_pop; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_consumer_pop; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_consumer_pop.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_pop_timeout(
    consumer: *mut rialto_consumer_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    timeout_ns: u64,
    length_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    let to = (buffer, buffer_bytes);
    let pop = |consumer: &mut Consumer<'static, Region>, to: &mut [u8]| consumer.pop_timeout(to, timeout_ns);
    // SAFETY: the caller's word.
    unsafe { popped(consumer, to, length_bytes, attempt, pop) }
}

/// Takes as many messages as there are, at least one, waiting for the first as long as it takes. All
/// are in hand until all are copied, then released with one wake.
///
/// consumer    alive, used by nobody else.
/// buffer      private memory: message i begins at i times rialto_spsc_max_message_bytes.
/// buffer_bytes
///             how large it is; if fewer than max_messages fit, fewer are taken.
/// messages    private memory, gets each message's length and attempt; of an SPSC queue tickets are
///             nobody's.
/// max_messages
///             how many at most; not 0.
/// popped      gets how many.
/// Returns     as rialto_consumer_pop; RIALTO_REDELIVERED: the attempt of one of them at least is
///             not 0; RIALTO_ENOBUFS: not one fits. Negative: what is in buffer and messages means
///             nothing.
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   before they are released: all come again, the first one marked. After: with us.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_pop_many(
    consumer: *mut rialto_consumer_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    messages: *mut rialto_popped_t,
    max_messages: usize,
    popped: *mut usize,
) -> c_int {
    let forever = crate::time::FOREVER;
    // SAFETY: the caller's word.
    unsafe { pop_many(consumer, (buffer, buffer_bytes), (messages, max_messages), forever, popped) }
}

/// As rialto_consumer_pop_many, but does not wait for the first.
///
/// consumer, buffer, buffer_bytes, messages, max_messages, popped
///             as for rialto_consumer_pop_many.
/// Returns     as rialto_consumer_pop_many; RIALTO_EAGAIN (empty).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_consumer_pop_many.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_try_pop_many(
    consumer: *mut rialto_consumer_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    messages: *mut rialto_popped_t,
    max_messages: usize,
    popped: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { pop_many(consumer, (buffer, buffer_bytes), (messages, max_messages), 0, popped) }
}

/// As rialto_consumer_pop_many, waiting for the first at most `timeout_ns` nanoseconds.
///
/// consumer, buffer, buffer_bytes, messages, max_messages, popped
///             as for rialto_consumer_pop_many.
/// timeout_ns  0 is rialto_consumer_try_pop_many; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_consumer_pop_many; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_consumer_pop_many.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_pop_many_timeout(
    consumer: *mut rialto_consumer_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    timeout_ns: u64,
    messages: *mut rialto_popped_t,
    max_messages: usize,
    popped: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { pop_many(consumer, (buffer, buffer_bytes), (messages, max_messages), timeout_ns, popped) }
}

/// Takes the next message if it is poisoned: it was in hand max_attempts + 1 times (with
/// RIALTO_ON_DEATH_STOP: once) and came back each time. Nothing else comes before somebody takes it.
///
/// consumer, buffer, buffer_bytes, length_bytes, attempt
///             as for rialto_consumer_pop.
/// Returns     as rialto_consumer_pop, usually RIALTO_REDELIVERED; RIALTO_EAGAIN (there is none).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_consumer_pop; it stays poisoned.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_take_poisoned(
    consumer: *mut rialto_consumer_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
    attempt: *mut u32,
) -> c_int {
    let to = (buffer, buffer_bytes);
    // SAFETY: the caller's word.
    unsafe { popped(consumer, to, length_bytes, attempt, |consumer, to| consumer.take_poisoned(to)) }
}

/// Whether the next message is poisoned.
///
/// consumer    alive, used by nobody else.
/// messages    gets 1 if it is, else 0. Stays so until you take it.
/// Returns     RIALTO_OK; RIALTO_EBUSY (one is in hand); RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_poisoned(
    consumer: *mut rialto_consumer_t,
    messages: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(consumer, messages, |consumer| consumer.poisoned()) }
}

/// As rialto_spsc_set_space_fd, for what this consumer takes.
///
/// consumer    alive, used by nobody else.
/// fd          as for rialto_spsc_set_data_fd.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: a negative fd, other than -1).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_set_space_fd(consumer: *mut rialto_consumer_t, fd: c_int) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get_mut(consumer) }.and_then(|view| {
        view.consumer.set_space_fd(fd_of(fd)?);
        Ok(())
    }))
}

/// Before an event loop polls for data: from now on the next message is signalled, once, by a
/// producer that knows the descriptor (rialto_producer_set_data_fd). Read the descriptor before you
/// arm again.
///
/// consumer    alive, used by nobody else.
/// is_ready    gets whether a pop is worth a try at once (a message is there, or something else to
///             be told than RIALTO_EAGAIN): then do not poll.
/// Returns     RIALTO_OK; RIALTO_EBUSY (one is in hand); RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   a message is signalled that nobody waits for.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_arm_data(
    consumer: *mut rialto_consumer_t,
    is_ready: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(consumer, is_ready, |consumer| consumer.arm_data()) }
}

/// What the loop calls at least once per tick (rialto_spsc_tick_ns): recovers the dead, looks, and
/// arms. A producer killed between its push and its signal leaves the descriptor silent: only this
/// finds the message. Takes some 15 us.
///
/// consumer, is_ready
///             as for rialto_consumer_arm_data.
/// Returns     as rialto_consumer_arm_data.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_consumer_arm_data; somebody else recovers.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_recheck_data(
    consumer: *mut rialto_consumer_t,
    is_ready: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(consumer, is_ready, |consumer| consumer.recheck_data()) }
}

/// Gives the end back, for somebody else (or us) to claim; the view ends. A message in hand is given
/// back too: the next consumer gets it, marked.
///
/// consumer    alive, used by nobody else.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
/// Concurrency one thread, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the end is free again in any case; who waits for it notices at its tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_consumer_end(consumer: *mut rialto_consumer_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { take(consumer) }.map(drop))
}
