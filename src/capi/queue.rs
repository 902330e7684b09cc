//! `rialto_queue_t`: the object itself, push and pop. Messages in hand are in `peeked`.

use super::{
    RIALTO_OK, RIALTO_REDELIVERED, View, buffer, bytes, check, check_optional, code, get, layout_of, name,
    put, put_optional, rialto_layout_t, rialto_member_t, rialto_region_t, status,
};
use crate::{
    Queue,
    error::{Error, Result},
    queue::{Popped, QueueConfig},
    time::FOREVER,
};
use core::ffi::{c_char, c_int, c_void};

/// What a queue is created with. Fill it with rialto_queue_config_default, then change what you like.
#[repr(C)]
pub struct rialto_queue_config_t {
    /// Messages that fit; rounded up to a power of two. 1 to 65536; 1 is taken as 2.
    pub slots: u32,
    /// The longest message, in bytes. 1 to 2^30; every slot takes that much room.
    pub max_message_bytes: u32,
    /// How often a message is redelivered after its holders died before pop passes over it and only
    /// rialto_queue_take_poisoned gets it. 1 to 30.
    pub max_attempts: u32,
    /// 0, or RIALTO_QUEUE_KILL_ONLY.
    pub flags: u32,
    /// Must be 0.
    pub _reserved: [u32; 4],
}

/// A queue flag: cheaper, and still kill-safe, but a stopped participant blocks others at its slot.
pub const RIALTO_QUEUE_KILL_ONLY: u32 = 1;

/// This process's view of a queue, private to the process. It refers to its region's view, which must
/// not move and must outlive it. It may be copied, is used by any number of threads, and needs no end.
#[repr(C)]
pub struct rialto_queue_t {
    /// Not for you.
    pub _private: [u64; 16],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_queue_t {
    type Handle = Queue<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c queue ");
    const PINNED: bool = false;
}

/// # Safety
/// Null, misaligned, or valid for reads.
unsafe fn config(ptr: *const rialto_queue_config_t) -> Result<QueueConfig> {
    check(ptr)?;
    // SAFETY: checked, and the caller's word.
    let config = unsafe { &*ptr };
    if config._reserved != [0; 4] || config.flags & !RIALTO_QUEUE_KILL_ONLY != 0 {
        return Err(Error::Invalid);
    }
    Ok(QueueConfig {
        slots: config.slots,
        max_message_bytes: config.max_message_bytes,
        max_attempts: u8::try_from(config.max_attempts).map_err(|_| Error::Invalid)?,
        kill_only: config.flags & RIALTO_QUEUE_KILL_ONLY != 0,
        ..QueueConfig::new(config.slots, config.max_message_bytes)
    })
}

/// # Safety
/// As [`get`], for a view whose region outlives the result.
pub(super) unsafe fn queue_at(queue: *const rialto_queue_t) -> Result<Queue<'static>> {
    // SAFETY: the caller's word.
    unsafe { get(queue) }.copied()
}

/// What tells C of a message's history.
pub(super) fn told(attempt: u8) -> c_int {
    if attempt > 0 { RIALTO_REDELIVERED } else { RIALTO_OK }
}

/// # Safety
/// The pointers are as C says.
unsafe fn create(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_queue_config_t,
    timeout_ns: u64,
    queue: *mut rialto_queue_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the queue.
    status(check(queue).and_then(|()| unsafe {
        let (name, config) = (self::name(name)?, self::config(config)?);
        put(queue, get::<'static, _>(region)?.create_queue_timeout(name, &config, timeout_ns)?);
        Ok(())
    }))
}

/// # Safety
/// The pointers are as C says.
#[inline]
unsafe fn push(queue: *const rialto_queue_t, message: *const c_void, len: usize, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    let done =
        unsafe { queue_at(queue).and_then(|queue| queue.push_timeout(bytes(message, len)?, timeout_ns)) };
    status(done)
}

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
        let popped = pop(queue_at(queue)?, buffer(to.0, to.1)?)?;
        length_bytes.write(popped.len);
        put_optional(attempt, u32::from(popped.attempt));
        Ok(told(popped.attempt))
    }))
}

/// Stop-safe, 5 attempts.
///
/// slots       messages that fit.
/// max_message_bytes
///             the longest message.
/// config      gets these and the usual for the rest; the numbers are not checked yet.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread.  Signals: async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_config_default(
    slots: u32,
    max_message_bytes: u32,
    config: *mut rialto_queue_config_t,
) -> c_int {
    let usual = QueueConfig::new(slots, max_message_bytes);
    let usual = rialto_queue_config_t {
        slots,
        max_message_bytes,
        max_attempts: u32::from(usual.max_attempts),
        flags: if usual.kill_only { RIALTO_QUEUE_KILL_ONLY } else { 0 },
        _reserved: [0; 4],
    };
    // SAFETY: checked, and the caller's word.
    status(check(config).map(|()| unsafe { config.write(usual) }))
}

/// What a queue takes in its region.
///
/// config      of the queue.
/// layout      gets bytes and alignment (128).
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range).
/// Concurrency any thread.  Signals: async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_layout(
    config: *const rialto_queue_config_t,
    layout: *mut rialto_layout_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(layout).and_then(|()| unsafe {
        layout.write(layout_of(self::config(config)?.layout()?));
        Ok(())
    }))
}

/// Makes an empty queue in a region, waiting for others who create there as long as it takes.
///
/// region      alive; its view must not move, and must outlive the queue's.
/// name        1 to 31 bytes of UTF-8.
/// config      how many slots, how long.
/// queue       gets the view.
/// Returns     RIALTO_OK; RIALTO_EEXIST; RIALTO_ENOSPC (no room, or no entry free); RIALTO_EMFILE;
///             RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE (a peer has damaged the
///             directory's lock: nothing can be created here any more); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates (a
///             stopped one holds it up).
/// Signals     not async-signal-safe.
/// If we die   there is a whole queue or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_create(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_queue_config_t,
    queue: *mut rialto_queue_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { create(region, name, config, FOREVER, queue) }
}

/// As rialto_queue_create, waiting at most `timeout_ns` nanoseconds for others who create.
///
/// region, name, config, queue
///             as for rialto_queue_create.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_queue_create; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates).
/// Concurrency as rialto_queue_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_create_timeout(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_queue_config_t,
    timeout_ns: u64,
    queue: *mut rialto_queue_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { create(region, name, config, timeout_ns, queue) }
}

/// Finds the queue of that name.
///
/// region      alive; its view must not move, and must outlive the queue's.
/// name        as it was created.
/// queue       gets the view.
/// Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EWRONGKIND; RIALTO_EVERSION; RIALTO_EBADREGION;
///             RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_open(
    region: *const rialto_region_t,
    name: *const c_char,
    queue: *mut rialto_queue_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the queue.
    status(check(queue).and_then(|()| unsafe {
        let name = self::name(name)?;
        put(queue, get::<'static, _>(region)?.open_queue(name)?);
        Ok(())
    }))
}

/// The same queue, seen by a member that you made, whichever thread calls.
///
/// queue       alive.
/// member      alive, of the same region; it must outlive the new view's use. One of another
///             region is refused by what then acts as it, RIALTO_EINVAL. Stays the parent's in a
///             forked child, which must not act as it.
/// as_member   gets the new view; may be `queue`.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Signals: async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_as_member(
    queue: *const rialto_queue_t,
    member: *const rialto_member_t,
    as_member: *mut rialto_queue_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the member outlives the new view.
    status(check(as_member).and_then(|()| unsafe {
        let view = queue_at(queue)?.as_member(get::<'static, _>(member)?);
        put(as_member, view);
        Ok(())
    }))
}

/// Appends a message, waiting for room as long as it takes. Cf. mq_send.
///
/// queue       alive.
/// message     the bytes, in private memory; NULL if there are none.
/// message_bytes
///             how many, at most the queue's longest.
/// Returns     RIALTO_OK; RIALTO_EPIPE (closed); RIALTO_EMSGSIZE; RIALTO_ENFILE, RIALTO_EMFILE,
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

/// Appends a message, waiting for room at most `timeout_ns` nanoseconds. Cf. mq_timedsend, but relative
/// and monotonic.
///
/// queue, message, message_bytes
///             as for rialto_queue_push.
/// timeout_ns  0 is rialto_queue_try_push; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_queue_push; RIALTO_ETIMEDOUT.
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
///             and drained); RIALTO_ENOBUFS (nothing taken); RIALTO_EBADREGION (a peer damaged the
///             message; it is gone); RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's
///             first use); RIALTO_EINVAL.
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

/// Takes the next message, waiting for one at most `timeout_ns` nanoseconds. Cf. mq_timedreceive, but
/// relative and monotonic.
///
/// queue, buffer, buffer_bytes, length_bytes, attempt
///             as for rialto_queue_pop.
/// timeout_ns  0 is rialto_queue_try_pop; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_queue_pop; RIALTO_ETIMEDOUT.
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

/// Takes a message that so many holders died with that pop passes it over.
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

/// No more pushes; pop and peek drain what is there, then say RIALTO_EPIPE. Wakes everybody. Again is
/// fine.
///
/// queue       alive.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is closed or it is not; sleepers notice at their tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_close(queue: *const rialto_queue_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { queue_at(queue) }.map(|queue| queue.close()))
}

/// Whether the queue is closed.
///
/// queue       alive.
/// is_closed   gets the answer. Once true, always true.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Signals: async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_is_closed(queue: *const rialto_queue_t, is_closed: *mut bool) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(is_closed).and_then(|()| unsafe {
        is_closed.write(queue_at(queue)?.is_closed());
        Ok(())
    }))
}

/// Messages that a pop could take at about this time, redelivered ones included and those in hand not.
///
/// queue       alive.
/// messages    gets the number: old when you read it, unless you are the only consumer (then it can
///             only grow) or the only producer (then only shrink). Walks all slots.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Signals: async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_len(queue: *const rialto_queue_t, messages: *mut usize) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(messages).and_then(|()| unsafe {
        messages.write(queue_at(queue)?.len());
        Ok(())
    }))
}

/// Messages that fit: what was asked for, rounded up to a power of two.
///
/// queue       alive.
/// slots       gets the number.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Signals: async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_capacity(queue: *const rialto_queue_t, slots: *mut usize) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(slots).and_then(|()| unsafe {
        slots.write(queue_at(queue)?.capacity());
        Ok(())
    }))
}

/// The longest message, in bytes; what a buffer for pop needs.
///
/// queue       alive.
/// max_message_bytes
///             gets it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Signals: async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_max_message_bytes(
    queue: *const rialto_queue_t,
    max_message_bytes: *mut usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(max_message_bytes).and_then(|()| unsafe {
        max_message_bytes.write(queue_at(queue)?.max_message_bytes());
        Ok(())
    }))
}
