//! Event loops: a descriptor that becomes readable when a pop, or a push, may succeed.

use super::{answer, queue_at, rialto_queue_t};
use crate::{
    Queue,
    capi::{put, status},
    error::{Error, Result},
    wait::{Fd, NO_FD},
};
use core::ffi::c_int;

/// # Safety
/// The pointer is as C says, and nobody else uses the view.
unsafe fn set_fd(
    queue: *mut rialto_queue_t,
    fd: c_int,
    with: impl FnOnce(&Queue<'static>, Fd) -> Queue<'static>,
) -> c_int {
    let set = || -> Result<()> {
        if fd < NO_FD {
            return Err(Error::Invalid);
        }
        // SAFETY: the caller's word; alive, so it may be written.
        unsafe { put(queue, with(&queue_at(queue)?, fd)) };
        Ok(())
    };
    status(set())
}

/// From now on, what is pushed through this view signals `fd` if somebody has armed for data since
/// the last signal (rialto_queue_arm_data). Copies of the view made before, and messages reserved
/// before, do not; views made of it later do.
///
/// queue       alive, used by nobody else meanwhile.
/// fd          this process's descriptor of the eventfd (EFD_NONBLOCK) that an event loop, here or
///             in another process, polls. It is not closed and must stay what it is. -1: none. One
///             eventfd for the whole queue: a second one would not be signalled.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: a negative fd, other than -1).
/// Concurrency one thread, whichever.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_set_data_fd(queue: *mut rialto_queue_t, fd: c_int) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set_fd(queue, fd, |queue, fd| queue.with_data_fd(fd)) }
}

/// From now on, what is popped or released through this view signals `fd` if somebody has armed for
/// room since the last signal (rialto_queue_arm_space). Copies of the view made before, and messages
/// peeked before, do not; views made of it later do.
///
/// queue, fd   as for rialto_queue_set_data_fd.
/// Returns     as rialto_queue_set_data_fd.
/// Concurrency one thread, whichever.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_set_space_fd(queue: *mut rialto_queue_t, fd: c_int) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set_fd(queue, fd, |queue, fd| queue.with_space_fd(fd)) }
}

/// Before an event loop polls for data: from now on the next message is signalled, once, by those
/// whose view knows the descriptor. Read the descriptor before you arm again.
///
/// queue       alive.
/// is_ready    gets whether a pop is worth a try at once (a message, or the end of the stream, is
///             there): then do not poll. False is never wrong but for messages of the dead.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   a message is signalled that nobody waits for.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_arm_data(queue: *const rialto_queue_t, is_ready: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, is_ready, |queue| queue.arm_data()) }
}

/// What the loop calls at least once per tick (rialto_queue_tick_ns): recovers the dead, looks, and
/// arms. A producer killed between its push and its signal leaves the descriptor silent, and so does
/// the message of a dead consumer: only this finds them. Takes some 15 us.
///
/// queue       alive.
/// is_ready    as for rialto_queue_arm_data.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_arm_data; somebody else recovers.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_recheck_data(
    queue: *const rialto_queue_t,
    is_ready: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, is_ready, |queue| queue.recheck_data()) }
}

/// As rialto_queue_arm_data, for room: the next slot that is freed is signalled.
///
/// queue       alive.
/// is_ready    gets whether a push is worth a try at once (there is room, or the queue is closed).
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_arm_data.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_arm_space(queue: *const rialto_queue_t, is_ready: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, is_ready, |queue| queue.arm_space()) }
}

/// As rialto_queue_recheck_data, for room.
///
/// queue       alive.
/// is_ready    as for rialto_queue_arm_space.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_queue_recheck_data.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_recheck_space(
    queue: *const rialto_queue_t,
    is_ready: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, is_ready, |queue| queue.recheck_space()) }
}

/// How often an event loop rechecks: the region's tick.
///
/// queue       alive.
/// tick_ns     gets it, in nanoseconds. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_tick_ns(queue: *const rialto_queue_t, tick_ns: *mut u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, tick_ns, |queue| queue.tick_ns()) }
}
