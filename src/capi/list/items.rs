//! One operation each of Python's list.

use super::{answer, list_at, rialto_list_t};
use crate::capi::{bytes, bytes_of, messages_at, rialto_message_t, room, status};
use core::ffi::{c_int, c_void};

/// How many items there are.
///
/// list        alive.
/// items       gets the number: old when you read it, unless you hold the lock.
/// Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
///             row, also as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_len(list: *const rialto_list_t, items: *mut usize) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, items, |list| list.len()) }
}

/// Whether rialto_list_len would say 0.
///
/// list        alive.
/// is_empty    gets the answer: as old as that.
/// Returns     as rialto_list_len.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_is_empty(list: *const rialto_list_t, is_empty: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, is_empty, |list| list.is_empty()) }
}

/// Removes all items. Python's s.clear().
///
/// list        alive.
/// Returns     RIALTO_OK; RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
///             RIALTO_ETIMEDOUT, RIALTO_EAGAIN (only after rialto_list_set_timeout); RIALTO_EDEADLK
///             (from within a comparator of it); RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE (a peer
///             has damaged the lock); RIALTO_EINVAL. Negative: nothing has changed.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   everybody finds the list as it was, or everybody as it is then.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_clear(list: *const rialto_list_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { list_at(list) }.and_then(|list| list.clear()))
}

/// Adds an item at the end. Python's s.append(item).
///
/// list        alive.
/// item, length_bytes
///             the bytes; NULL is fine for none.
/// Returns     RIALTO_OK; RIALTO_ENOSPC (the list is full); RIALTO_EMSGSIZE (longer than the longest
///             item); as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_list_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_append(
    list: *const rialto_list_t,
    item: *const c_void,
    length_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { list_at(list) }.and_then(|list| {
        // SAFETY: the caller's word.
        list.append(unsafe { bytes(item, length_bytes) }?)
    }))
}

/// Adds items at the end, all of them or none, also if we die. Python's s.extend(items).
///
/// list        alive.
/// items       which; may be NULL if count is 0.
/// count       how many.
/// Returns     as rialto_list_append.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_list_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_extend(
    list: *const rialto_list_t,
    items: *const rialto_message_t,
    count: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { list_at(list) }.and_then(|list| {
        // SAFETY: the caller's word.
        list.extend_as(unsafe { messages_at(items, count) }?, bytes_of)
    }))
}

/// Adds an item before the one at `index`; at the end, if there are no more than that. Python's
/// s.insert(index, item).
///
/// list, item, length_bytes
///             as for rialto_list_append.
/// index       from 0.
/// Returns     as rialto_list_append.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_list_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_insert(
    list: *const rialto_list_t,
    index: usize,
    item: *const c_void,
    length_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { list_at(list) }.and_then(|list| {
        // SAFETY: the caller's word.
        list.insert(index, unsafe { bytes(item, length_bytes) }?)
    }))
}

/// Puts another item in the place of the one at `index`. Python's `s[index] = item`.
///
/// list, item, length_bytes
///             as for rialto_list_append.
/// index       from 0.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such index); RIALTO_EMSGSIZE (longer than the longest
///             item); as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_list_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_set(
    list: *const rialto_list_t,
    index: usize,
    item: *const c_void,
    length_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { list_at(list) }.and_then(|list| {
        // SAFETY: the caller's word.
        list.set(index, unsafe { bytes(item, length_bytes) }?)
    }))
}

/// The item at `index`. Python's `s[index]`.
///
/// list        alive.
/// index       from 0.
/// buffer      private memory, gets the item; nobody else uses it meanwhile. After an error it may
///             be overwritten. NULL is fine for none.
/// buffer_bytes
///             how large it is; rialto_list_max_item_bytes is enough for each.
/// length_bytes
///             gets the item's length.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such index); RIALTO_ENOBUFS (the buffer is too small);
///             RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a row, also
///             as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_get(
    list: *const rialto_list_t,
    index: usize,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, length_bytes, |list| list.get(index, room(buffer.cast::<u8>(), buffer_bytes)?)) }
}

/// Items of one moment, one behind the other. Python's `s[begin:end]`; as there, what is not there
/// is left out.
///
/// list        alive.
/// begin, end  from 0; the item at `end` is not copied. SIZE_MAX: up to the last.
/// buffer, buffer_bytes
///             private memory, gets the bytes of all of them, without gaps. As for rialto_list_get.
/// lengths     private memory, gets each one's length. After an error it may be overwritten.
/// max_items   how many it has room for.
/// items       gets how many there are.
/// Returns     RIALTO_OK; RIALTO_ENOBUFS (they do not fit in buffer, or lengths); RIALTO_EBADREGION;
///             RIALTO_EINVAL; where writers overtake us 64 times in a row, also as
///             rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_copy_range(
    list: *const rialto_list_t,
    begin: usize,
    end: usize,
    buffer: *mut c_void,
    buffer_bytes: usize,
    lengths: *mut u32,
    max_items: usize,
    items: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(list, items, |list| {
            let buffer = room(buffer.cast::<u8>(), buffer_bytes)?;
            list.copy_range(begin..end, buffer, room(lengths, max_items)?)
        })
    }
}

/// Takes the item at `index` out. Python's s.pop(index).
///
/// list, buffer, buffer_bytes, length_bytes
///             as for rialto_list_get.
/// index       from 0.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such index); RIALTO_ENOBUFS (the buffer is too small:
///             nothing is taken); as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   it is there still, or gone with us.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_pop(
    list: *const rialto_list_t,
    index: usize,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, length_bytes, |list| list.pop(index, room(buffer.cast::<u8>(), buffer_bytes)?)) }
}

/// Takes the last item out. Python's s.pop().
///
/// list, buffer, buffer_bytes, length_bytes
///             as for rialto_list_get.
/// Returns     as rialto_list_pop; RIALTO_ENOENT (empty).
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_list_pop.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_pop_last(
    list: *const rialto_list_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, length_bytes, |list| list.pop_last(room(buffer.cast::<u8>(), buffer_bytes)?)) }
}

/// Removes the item at `index`. Python's `del s[index]`.
///
/// list        alive.
/// index       from 0.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such index); as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_list_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_delete(list: *const rialto_list_t, index: usize) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { list_at(list) }.and_then(|list| list.delete(index)))
}

/// Removes the first item that has these bytes. Python's s.remove(item).
///
/// list        alive.
/// item, length_bytes
///             the bytes to look for; NULL is fine for none.
/// Returns     RIALTO_OK; RIALTO_ENOENT (none has); as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_list_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_remove(
    list: *const rialto_list_t,
    item: *const c_void,
    length_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { list_at(list) }.and_then(|list| {
        // SAFETY: the caller's word.
        list.remove(unsafe { bytes(item, length_bytes) }?)
    }))
}

/// Where the first item is that has these bytes. Python's s.index(item).
///
/// list        alive.
/// item, length_bytes
///             the bytes to look for; NULL is fine for none.
/// index       gets where; from 0.
/// Returns     RIALTO_OK; RIALTO_ENOENT (none has); RIALTO_EBADREGION; RIALTO_EINVAL; where writers
///             overtake us 64 times in a row, also as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_index(
    list: *const rialto_list_t,
    item: *const c_void,
    length_bytes: usize,
    index: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, index, |list| list.index(bytes(item, length_bytes)?)) }
}

/// As rialto_list_index, among those from `begin` on and before `end`. Python's s.index(item, begin,
/// end).
///
/// list, item, length_bytes, index
///             as for rialto_list_index; also the index is from the list's beginning.
/// begin, end  from 0; SIZE_MAX: up to the last.
/// Returns     as rialto_list_index.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_index_in(
    list: *const rialto_list_t,
    begin: usize,
    end: usize,
    item: *const c_void,
    length_bytes: usize,
    index: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, index, |list| list.index_in(begin..end, bytes(item, length_bytes)?)) }
}

/// Whether an item has these bytes. Python's `item in s`.
///
/// list        alive.
/// item, length_bytes
///             the bytes to look for; NULL is fine for none.
/// contains    gets the answer.
/// Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
///             row, also as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_contains(
    list: *const rialto_list_t,
    item: *const c_void,
    length_bytes: usize,
    contains: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, contains, |list| list.contains(bytes(item, length_bytes)?)) }
}

/// How many items have these bytes. Python's s.count(item).
///
/// list        alive.
/// item, length_bytes
///             the bytes to look for; NULL is fine for none.
/// items       gets the number.
/// Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
///             row, also as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_count(
    list: *const rialto_list_t,
    item: *const c_void,
    length_bytes: usize,
    items: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, items, |list| list.count(bytes(item, length_bytes)?)) }
}

/// Turns the order around. Python's s.reverse().
///
/// list        alive.
/// Returns     as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_list_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_reverse(list: *const rialto_list_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { list_at(list) }.and_then(|list| list.reverse()))
}

/// Sorts by the items' bytes, as memcmp; shorter ones first if one begins with the other. Python's
/// s.sort().
///
/// list        alive.
/// Returns     as rialto_list_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_list_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_sort(list: *const rialto_list_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { list_at(list) }.and_then(|list| list.sort()))
}
