//! Waiting for a message without taking it, and event loops.

use super::{answer, change, rialto_connection_t};
use crate::{
    Connection,
    capi::{get_mut, status},
    error::{Error, Result},
    wait::NO_FD,
};
use core::ffi::c_int;

/// # Safety
/// The pointer is as C says, and nobody else uses the view.
unsafe fn set_fd(
    connection: *mut rialto_connection_t,
    fd: c_int,
    set: impl FnOnce(&mut Connection<'static>) -> Result<()>,
) -> c_int {
    if fd < NO_FD {
        return status(Err(Error::Invalid));
    }
    // SAFETY: the caller's word.
    status(unsafe { get_mut(connection) }.and_then(set))
}

/// Waits at most `timeout_ns` nanoseconds until a receive would bring something; takes nothing. Cf.
/// poll.
///
/// connection  alive, used by nobody else.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// is_ready    gets whether a message has begun to arrive, or the stream has ended. False: the time
///             is up.
/// Returns     RIALTO_OK; RIALTO_ENOTSUP (this end only sends); RIALTO_EPERM; RIALTO_EBADREGION;
///             RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_connection_recv.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_poll(
    connection: *mut rialto_connection_t,
    timeout_ns: u64,
    is_ready: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { change(connection, is_ready, |handle| handle.poll(timeout_ns)) }
}

/// From now on, what is sent here, and closing, signals `fd` if the other end has armed for data
/// since the last signal (rialto_connection_arm_data).
///
/// connection  alive, used by nobody else.
/// fd          this process's descriptor of the eventfd (EFD_NONBLOCK) that an event loop, here or
///             in another process, polls. It is not closed and must stay what it is. -1: none.
/// Returns     RIALTO_OK; RIALTO_ENOTSUP (this end only receives); RIALTO_EINVAL (also: a negative
///             fd, other than -1).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe, unless it interrupts a call on this connection.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_set_data_fd(
    connection: *mut rialto_connection_t,
    fd: c_int,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set_fd(connection, fd, |handle| handle.set_data_fd(fd)) }
}

/// From now on, what is received here, and closing, signals `fd` if the other end has armed for room
/// since the last signal (rialto_connection_arm_space).
///
/// connection, fd
///             as for rialto_connection_set_data_fd.
/// Returns     RIALTO_OK; RIALTO_ENOTSUP (this end only sends); RIALTO_EINVAL (also: a negative fd,
///             other than -1).
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe, unless it interrupts a call on this connection.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_set_space_fd(
    connection: *mut rialto_connection_t,
    fd: c_int,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set_fd(connection, fd, |handle| handle.set_space_fd(fd)) }
}

/// Before an event loop polls for data: from now on the next message, and the end of the stream, is
/// signalled, once, by the other end if it knows the descriptor. Read the descriptor before you arm
/// again.
///
/// connection  alive, used by nobody else.
/// is_ready    gets whether a receive is worth a try at once: then do not poll. False is never wrong
///             but for what the dead left.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   a message is signalled that nobody waits for.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_arm_data(
    connection: *mut rialto_connection_t,
    is_ready: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { change(connection, is_ready, |handle| Ok(handle.arm_data())) }
}

/// What the loop calls at least once per tick (rialto_connection_tick_ns): recovers the dead, looks,
/// and arms. A sender killed between its message and its signal leaves the descriptor silent, and
/// the other end's death signals nothing: only this finds them.
///
/// connection  alive, used by nobody else.
/// is_ready    as for rialto_connection_arm_data.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_connection_arm_data; somebody else recovers.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_recheck_data(
    connection: *mut rialto_connection_t,
    is_ready: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { change(connection, is_ready, |handle| Ok(handle.recheck_data())) }
}

/// As rialto_connection_arm_data, for room: what is received next, and closing, is signalled.
///
/// connection  alive, used by nobody else.
/// message_bytes
///             how long the message is that is to be sent.
/// is_ready    gets whether sending it (or its next chunk) is worth a try at once: there is room, or
///             the other end is closed.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_connection_arm_data.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_arm_space(
    connection: *mut rialto_connection_t,
    message_bytes: usize,
    is_ready: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { change(connection, is_ready, |handle| Ok(handle.arm_space(message_bytes))) }
}

/// As rialto_connection_recheck_data, for room.
///
/// connection, message_bytes, is_ready
///             as for rialto_connection_arm_space.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_connection_recheck_data.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_recheck_space(
    connection: *mut rialto_connection_t,
    message_bytes: usize,
    is_ready: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { change(connection, is_ready, |handle| Ok(handle.recheck_space(message_bytes))) }
}

/// How often an event loop rechecks: the region's tick.
///
/// connection  alive.
/// tick_ns     gets it, in nanoseconds. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe, unless it interrupts a call on this connection.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_tick_ns(
    connection: *const rialto_connection_t,
    tick_ns: *mut u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(connection, tick_ns, |handle| handle.tick_ns()) }
}
