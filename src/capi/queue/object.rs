//! `rialto_queue_t`: the object itself.

use super::{answer, config::config_at, queue_at, rialto_queue_config_t};
use crate::{
    Queue,
    capi::{View, check, get, put, rialto_member_t, rialto_region_t, status},
    time::FOREVER,
};
use core::ffi::{c_char, c_int};

/// A bounded queue of byte messages, for any number of producers and consumers. A plain view. Cf.
/// mq_open.
#[repr(C)]
pub struct rialto_queue_t {
    /// Private.
    pub _private: [u64; 24],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_queue_t {
    type Handle = Queue<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c queue ");
    const PINNED: bool = false;
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
        let (name, config) = (crate::capi::name(name)?, config_at(config)?);
        put(queue, get::<'static, _>(region)?.create_queue_timeout(name, &config, timeout_ns)?);
        Ok(())
    }))
}

/// Makes an empty queue in a region, waiting for others who create there as long as it takes.
///
/// region      alive; its view must outlive the queue's.
/// name        1 to 31 bytes of UTF-8.
/// config      how many slots, how long.
/// queue       gets the view.
/// Returns     RIALTO_OK; RIALTO_EEXIST; RIALTO_ENOSPC (no room, or no entry free); RIALTO_ENFILE
///             (the region's table of views is full); RIALTO_EMFILE; RIALTO_EBADREGION;
///             RIALTO_ENOTRECOVERABLE (a peer has damaged the directory's lock: nothing can be
///             created here any more); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
///             (a stopped one holds it up).
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
/// region      alive; its view must outlive the queue's.
/// name        as it was created.
/// queue       gets the view.
/// Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EWRONGKIND; RIALTO_EVERSION; RIALTO_EBADREGION;
///             RIALTO_ENFILE (the region's table of views is full); RIALTO_EBUSY (six threads are
///             stopped in the middle of such a call through this region's view); RIALTO_ENOMEM;
///             RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_open(
    region: *const rialto_region_t,
    name: *const c_char,
    queue: *mut rialto_queue_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the queue.
    status(check(queue).and_then(|()| unsafe {
        let name = crate::capi::name(name)?;
        put(queue, get::<'static, _>(region)?.open_queue(name)?);
        Ok(())
    }))
}

/// As rialto_queue_open, if the queue was created with these parameters (and as many slots, rounded
/// up).
///
/// region, name, queue
///             as for rialto_queue_open.
/// config      what is expected.
/// Returns     as rialto_queue_open; RIALTO_EWRONGKIND also if it was created with other parameters.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_open_as(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_queue_config_t,
    queue: *mut rialto_queue_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the queue.
    status(check(queue).and_then(|()| unsafe {
        let (name, config) = (crate::capi::name(name)?, config_at(config)?);
        put(queue, get::<'static, _>(region)?.open_queue_as(name, &config)?);
        Ok(())
    }))
}

/// The queue of that name, which is created if there is none.
///
/// region, name, config, queue
///             as for rialto_queue_create.
/// Returns     as rialto_queue_open and rialto_queue_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created with another config.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_queue_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_queue_config_t,
    queue: *mut rialto_queue_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives it.
    status(check(queue).and_then(|()| unsafe {
        let name = crate::capi::name(name)?;
        put(queue, get::<'static, _>(region)?.open_or_create_queue(name, &config_at(config)?)?);
        Ok(())
    }))
}

/// The same queue, seen by a member that you made, whichever thread calls.
///
/// queue       alive.
/// member      alive, of the same region; it must outlive the new view's use. One of another region
///             is refused by what then acts as it, RIALTO_EINVAL. Stays the parent's in a forked
///             child, which must not act as it.
/// as_member   gets the new view; may be `queue`.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
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

/// No more pushes; pop and peek drain what is there, then say RIALTO_EPIPE. Wakes everybody. Again
/// is harmless.
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
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_is_closed(queue: *const rialto_queue_t, is_closed: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, is_closed, |queue| queue.is_closed()) }
}
