//! Calls that call back: a sort with a comparator, and a walk over all items.

use super::{list_at, rialto_list_t};
use crate::{
    capi::{code, room, status},
    error::Error,
};
use core::ffi::{c_int, c_void};

/// Sorts as `compare` says, stable, in about n log2 n comparisons. Python's
/// s.sort(key=cmp_to_key(compare)). Others who change the list wait meanwhile; they and `compare`
/// read it as it was.
///
/// list        alive.
/// buffer      private memory for two items, which `compare` sees there; nobody else uses it
///             meanwhile.
/// buffer_bytes
///             how large it is: twice rialto_list_max_item_bytes, or more.
/// compare     called by this thread with two items and `context`; says a number below 0, 0, or
///             above, as qsort's. If it contradicts itself, some order results. Changing the list in
///             it is RIALTO_EDEADLK. It must return: no longjmp, no exception, no pthread_exit.
/// context     yours.
/// Returns     RIALTO_OK; RIALTO_ENOBUFS (the buffer is too small); as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   also in `compare`: as rialto_list_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_sort_by(
    list: *const rialto_list_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    compare: Option<
        unsafe extern "C" fn(
            item: *const c_void,
            item_bytes: usize,
            other: *const c_void,
            other_bytes: usize,
            context: *mut c_void,
        ) -> c_int,
    >,
    context: *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { list_at(list) }.and_then(|list| {
        let compare = compare.ok_or(Error::Invalid)?;
        // SAFETY: the caller's word.
        let buffer = unsafe { room(buffer.cast::<u8>(), buffer_bytes) }?;
        list.sort_by(buffer, |a, b| {
            // SAFETY: the caller's word; the items are there during the call.
            let told = unsafe { compare(a.as_ptr().cast(), a.len(), b.as_ptr().cast(), b.len(), context) };
            told.cmp(&0)
        })
    }))
}

/// Has `visit` look at all items of one state of the list: holds its lock until it is through, so
/// others who change it wait. Python's `for item in s`.
///
/// list        alive.
/// buffer      private memory, where each item lies in turn; nobody else uses it meanwhile.
/// buffer_bytes
///             how large it is; rialto_list_max_item_bytes is enough for each. NULL is fine for 0.
/// visit       called by this thread with index, item and `context`. It returns 0 to go on; what
///             else it returns ends the walk, and is returned. It may use the list, and sees items
///             come and go by index then, as in Python. It must return: no longjmp, no exception, no
///             pthread_exit.
/// context     yours.
/// Returns     RIALTO_OK (all were visited); what `visit` returned; RIALTO_ENOBUFS (the buffer is
///             too small for the next); as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   the lock is free; the list is what `visit` has made of it so far.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_for_each(
    list: *const rialto_list_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    visit: Option<
        unsafe extern "C" fn(
            index: usize,
            item: *const c_void,
            item_bytes: usize,
            context: *mut c_void,
        ) -> c_int,
    >,
    context: *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    code(unsafe { list_at(list) }.and_then(|list| {
        let visit = visit.ok_or(Error::Invalid)?;
        // SAFETY: the caller's word.
        let buffer = unsafe { room(buffer.cast::<u8>(), buffer_bytes) }?;
        let mut told = 0;
        list.walk(buffer, |i, item| {
            // SAFETY: the caller's word; the item is there during the call.
            told = unsafe { visit(i, item.as_ptr().cast(), item.len(), context) };
            told == 0
        })?;
        Ok(told)
    }))
}
