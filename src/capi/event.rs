//! `rialto_event_t`.

use super::{check, status};
use crate::{event::Event, time::FOREVER};
use core::ffi::c_int;

/// A flag in shared memory that any number of threads wait for. Embed it in your own struct,
/// anywhere; the struct then is 64-aligned as well. Initialise it with RIALTO_EVENT_INIT or
/// rialto_event_init, once, before anybody else sees it; zeroed memory is refused. It belongs to
/// nobody, so no death damages it. Its memory must not be unmapped, freed or used for anything else
/// before all calls have returned: who set it may still be waking others when a waiter has gone on.
#[repr(C, align(64))]
pub struct rialto_event_t {
    /// Private.
    pub _private: [u32; 16],
}

/// RIALTO_EVENT_INIT in `cbindgen.toml` says these numbers too.
const INIT: [u32; 16] = [0x5456_4552, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const _: () = {
    assert!(size_of::<rialto_event_t>() == size_of::<Event>());
    assert!(align_of::<rialto_event_t>() == align_of::<Event>());
    // SAFETY: 64 bytes without padding; an `UnsafeCell` of a constant is a value like any other.
    let new: [u32; 16] = unsafe { core::mem::transmute(Event::new()) };
    let mut i = 0;
    while i < INIT.len() {
        assert!(new[i] == INIT[i]);
        i += 1;
    }
};

/// # Safety
/// Null, misaligned, or valid for 64 bytes.
#[inline]
unsafe fn wait(event: *mut rialto_event_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { Event::attach(event.cast()) }.and_then(|event| event.wait_timeout(timeout_ns)))
}

/// Makes a clear event in place, whatever was there. It needs no end.
///
/// event       64 bytes, 64-aligned, that nobody uses as an event now.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency one thread; publish the event to others afterwards.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   all other calls refuse what is left.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_event_init(event: *mut rialto_event_t) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(event).map(|()| unsafe { Event::init(event.cast()) }))
}

/// Checks that there is an event. Takes nothing, so it needs no counterpart.
///
/// event       64 readable bytes; what is in them does not matter.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned); RIALTO_EBADREGION (no event there).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_event_attach(event: *const rialto_event_t) -> c_int {
    // SAFETY: the caller's word; `attach` checks the rest.
    status(unsafe { Event::attach(event.cast()) }.map(|_| ()))
}

/// Sets `event` and wakes everybody who waits for it. What was written before is seen by those who
/// then find it set. Again is harmless.
///
/// event       initialised by rialto_event_init or RIALTO_EVENT_INIT.
/// Returns     RIALTO_OK; RIALTO_EBADREGION (no event there); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is set or it is not; waiters notice which within a tick, 100 ms.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_event_set(event: *mut rialto_event_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { Event::attach(event.cast()) }.map(Event::set))
}

/// Clears `event`. Whoever was waiting when it was set returns all the same. Again is harmless.
///
/// event       as for rialto_event_set.
/// Returns     RIALTO_OK; RIALTO_EBADREGION (no event there); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is clear or it is not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_event_clear(event: *mut rialto_event_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { Event::attach(event.cast()) }.map(Event::clear))
}

/// Whether `event` is set.
///
/// event       as for rialto_event_set.
/// is_set      gets the answer, which may be old when you read it.
/// Returns     RIALTO_OK; RIALTO_EBADREGION (no event there); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_event_is_set(event: *const rialto_event_t, is_set: *mut bool) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(is_set).and_then(|()| unsafe {
        is_set.write(Event::attach(event.cast())?.is_set());
        Ok(())
    }))
}

/// Waits until `event` is set, as long as it takes.
///
/// event       as for rialto_event_set.
/// Returns     RIALTO_OK (it was set since the call began, if only for a moment); RIALTO_EBADREGION
///             (no event there); RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: yes, through signals.
/// Signals     not async-signal-safe: the interrupted thread may be the one that would set it.
/// If we die   nobody notices.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_event_wait(event: *mut rialto_event_t) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait(event, FOREVER) }
}

/// Waits until `event` is set, at most `timeout_ns` nanoseconds.
///
/// event       as for rialto_event_set.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_event_wait; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and it is clear).
/// Concurrency any thread of any process.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   nobody notices.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_event_wait_timeout(event: *mut rialto_event_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait(event, timeout_ns) }
}
