//! `rialto_connection_t`: the end itself.

use super::answer;
use crate::{
    Connection,
    capi::{View, status, take},
};
use core::ffi::c_int;

/// One end of a pipe, claimed: a pinned view, ended by rialto_connection_close. One thread at a time
/// uses it, whichever. It belongs to the member that claimed the end: when that one's thread ends or
/// dies, the end is closed, and all calls here say RIALTO_EPERM.
#[repr(C)]
pub struct rialto_connection_t {
    /// Private.
    pub _private: [u64; 48],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_connection_t {
    type Handle = Connection<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c end   ");
    const PINNED: bool = true;
}

/// The longest message that goes in one piece: about half of the pipe's ring_bytes.
///
/// connection  alive.
/// chunk_bytes gets its length. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe, unless it interrupts a call on this connection.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_max_chunk_bytes(
    connection: *const rialto_connection_t,
    chunk_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(connection, chunk_bytes, |handle| handle.max_chunk_bytes()) }
}

/// Whether the other end was closed, or its holder is known to have died.
///
/// connection  alive.
/// is_closed   gets the answer. Once true, always true; an end that nobody has claimed yet is not
///             closed. What it sent before may still be there to receive.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency one thread at a time, whichever.  Blocks: no.
/// Signals     async-signal-safe, unless it interrupts a call on this connection.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_is_peer_closed(
    connection: *const rialto_connection_t,
    is_closed: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(connection, is_closed, |handle| handle.is_peer_closed()) }
}

/// Closes the end, for good, and ends the view. The other end receives what was sent, then end of
/// stream; its sends say RIALTO_ECONNRESET.
///
/// connection  alive, used by nobody else.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: closed already).
/// Concurrency one thread, whichever.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   it is closed in any case; sleepers notice at their tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_connection_close(connection: *mut rialto_connection_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { take(connection) }.map(drop))
}
