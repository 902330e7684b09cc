//! What an SPSC queue says of itself. How long each answer holds stands at each function.

use super::{answer, rialto_spsc_t};
use core::ffi::c_int;

/// Messages that the consumer is not through with, that in its hand included.
///
/// spsc        alive.
/// messages    gets the number: old when you read it, unless you are the consumer (then it can only
///             grow) or the producer (then only shrink). Walks over all messages.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_len(spsc: *const rialto_spsc_t, messages: *mut usize) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(spsc, messages, |spsc| spsc.len()) }
}

/// Whether rialto_spsc_len would say 0.
///
/// spsc        alive.
/// is_empty    gets the answer: as old as that. Walks over all messages.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_is_empty(spsc: *const rialto_spsc_t, is_empty: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(spsc, is_empty, |spsc| spsc.is_empty()) }
}

/// Whether there is no room for a message of the longest kind. A message in hand takes room too.
///
/// spsc        alive.
/// is_full     gets the answer: as old as rialto_spsc_len's.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_is_full(spsc: *const rialto_spsc_t, is_full: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(spsc, is_full, |spsc| spsc.is_full()) }
}

/// Messages of the longest kind that fit; of shorter ones, more.
///
/// spsc        alive.
/// slots       gets the number, as the queue was created with. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_capacity(spsc: *const rialto_spsc_t, slots: *mut usize) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(spsc, slots, |spsc| spsc.capacity()) }
}

/// The longest message, in bytes; what a buffer for pop needs.
///
/// spsc        alive.
/// max_message_bytes
///             gets it. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_max_message_bytes(
    spsc: *const rialto_spsc_t,
    max_message_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(spsc, max_message_bytes, |spsc| spsc.max_message_bytes()) }
}

/// Messages given up since the queue was made: their holders died, and the queue is one of
/// RIALTO_ON_DEATH_DROP.
///
/// spsc        alive.
/// messages    gets the number. It only grows, when the consumer's end is claimed anew; whoever gave
///             one up and was killed before counting it is missed.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_dropped(spsc: *const rialto_spsc_t, messages: *mut u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(spsc, messages, |spsc| spsc.dropped()) }
}

/// How often an event loop rechecks: the region's tick.
///
/// spsc        alive.
/// tick_ns     gets it, in nanoseconds. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_tick_ns(spsc: *const rialto_spsc_t, tick_ns: *mut u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(spsc, tick_ns, |spsc| spsc.tick_ns()) }
}
