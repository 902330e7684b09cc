//! A call that calls back: a walk over all keys and values.

use super::{dict_at, rialto_dict_t};
use crate::{
    capi::{code, room},
    error::Error,
};
use core::ffi::{c_int, c_void};

/// Has `visit` look at all keys and values of one state of the dict, in the order in which they
/// came: holds its lock until it is through, so others who change it wait. Python's `for key, value
/// in d.items()`.
///
/// dict        alive.
/// key, max_key_bytes
///             private memory, where each key lies in turn, and how large it is; nobody else uses it
///             meanwhile. rialto_dict_max_key_bytes is enough for each.
/// value, max_value_bytes
///             the same for values; NULL is fine for 0.
/// visit       called by this thread with key, value and `context`. It returns 0 to go on; what else
///             it returns ends the walk, and is returned. It may use the dict, and set the values of
///             keys that are there. It must return: no longjmp, no exception, no pthread_exit.
/// context     yours.
/// Returns     RIALTO_OK (all were visited); what `visit` returned; RIALTO_EBUSY (`visit` has added
///             or removed a key: that is done, and the walk ended); RIALTO_ENOBUFS (key or value is
///             too small for the next); as rialto_dict_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   the lock is free; the dict is what `visit` has made of it so far.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_for_each(
    dict: *const rialto_dict_t,
    key: *mut c_void,
    max_key_bytes: usize,
    value: *mut c_void,
    max_value_bytes: usize,
    visit: Option<
        unsafe extern "C" fn(
            key: *const c_void,
            key_bytes: usize,
            value: *const c_void,
            value_bytes: usize,
            context: *mut c_void,
        ) -> c_int,
    >,
    context: *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    code(unsafe { dict_at(dict) }.and_then(|dict| {
        let visit = visit.ok_or(Error::Invalid)?;
        // SAFETY: the caller's word.
        let (key, value) =
            unsafe { (room(key.cast::<u8>(), max_key_bytes)?, room(value.cast::<u8>(), max_value_bytes)?) };
        let mut told = 0;
        dict.walk(key, value, |key, value| {
            let (at, to) = (key.as_ptr().cast(), value.as_ptr().cast());
            // SAFETY: the caller's word; both are there during the call.
            told = unsafe { visit(at, key.len(), to, value.len(), context) };
            told == 0
        })?;
        Ok(told)
    }))
}
