//! What a queue says of itself. How long each answer holds stands at each function.

use super::{answer, rialto_queue_t};
use core::ffi::c_int;

/// Messages that nobody has in hand at about this time: those that a pop could take, redelivered
/// ones too, and those that are set aside (rialto_queue_poisoned), which it would not.
///
/// queue       alive.
/// messages    gets the number: old when you read it, unless you are the only consumer (then it can
///             only grow) or the only producer (then only shrink). Walks all slots.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_len(queue: *const rialto_queue_t, messages: *mut usize) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, messages, |queue| queue.len()) }
}

/// Whether rialto_queue_len would say 0.
///
/// queue       alive.
/// is_empty    gets the answer: as old as that. Walks all slots.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_is_empty(queue: *const rialto_queue_t, is_empty: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, is_empty, |queue| queue.is_empty()) }
}

/// Whether rialto_queue_try_push would find no room. Messages in hand take room too, and of a
/// joinable queue those that are not done.
///
/// queue       alive.
/// is_full     gets the answer: as old as rialto_queue_len's.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_is_full(queue: *const rialto_queue_t, is_full: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, is_full, |queue| queue.is_full()) }
}

/// Messages that fit: what was asked for, rounded up to a power of two.
///
/// queue       alive.
/// slots       gets the number. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_capacity(queue: *const rialto_queue_t, slots: *mut usize) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, slots, |queue| queue.capacity()) }
}

/// The longest message, in bytes; what a buffer for pop needs.
///
/// queue       alive.
/// max_message_bytes
///             gets it. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_max_message_bytes(
    queue: *const rialto_queue_t,
    max_message_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, max_message_bytes, |queue| queue.max_message_bytes()) }
}

/// Messages that are set aside for rialto_queue_take_poisoned.
///
/// queue       alive.
/// messages    gets the number: as old as rialto_queue_len's, which counts them too. Walks all
///             slots.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_poisoned(queue: *const rialto_queue_t, messages: *mut usize) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, messages, |queue| queue.poisoned()) }
}

/// Messages given up since the queue was made: their holders died, and the queue is one of
/// RIALTO_ON_DEATH_DROP, or 31 holders did.
///
/// queue       alive.
/// messages    gets the number. It only grows; whoever gave one up and was killed before counting it
///             is missed.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_dropped(queue: *const rialto_queue_t, messages: *mut u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(queue, messages, |queue| queue.dropped()) }
}
