//! One operation each of Python's dict.

use super::{answer, dict_at, rialto_dict_t};
use crate::{
    capi::{bytes, bytes_of, check, rialto_message_t, room, status},
    error::Result,
};
use core::{
    ffi::{c_int, c_void},
    slice,
};

/// A key and its value, for rialto_dict_update.
#[repr(C)]
pub struct rialto_pair_t {
    /// The key.
    pub key: rialto_message_t,
    /// Its value.
    pub value: rialto_message_t,
}

/// The lengths of a key and its value, from rialto_dict_copy_items.
#[repr(C)]
pub struct rialto_pair_lengths_t {
    /// The key's.
    pub key_bytes: u32,
    /// The value's.
    pub value_bytes: u32,
}

/// An array of the caller's.
///
/// # Safety
/// Null, misaligned, or valid for reads of `count` elements that nobody changes during `'a`; so are their bytes.
unsafe fn pairs_at<'a>(at: *const rialto_pair_t, count: usize) -> Result<&'a [rialto_pair_t]> {
    if count == 0 {
        return Ok(&[]);
    }
    check(at)?;
    let count = count.min(isize::MAX as usize / size_of::<rialto_pair_t>()); // as `buffer`
    // SAFETY: checked, and the caller's word.
    let pairs = unsafe { slice::from_raw_parts(at, count) };
    for message in pairs.iter().flat_map(|pair| [&pair.key, &pair.value]) {
        // SAFETY: as above.
        unsafe { bytes(message.bytes, message.length_bytes)? };
    }
    Ok(pairs)
}

/// How many keys there are. Python's len(d).
///
/// dict        alive.
/// keys        gets the number: old when you read it, unless you hold the lock.
/// Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
///             row, also as rialto_dict_clear.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_len(dict: *const rialto_dict_t, keys: *mut usize) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(dict, keys, |dict| dict.len()) }
}

/// Whether rialto_dict_len would say 0.
///
/// dict        alive.
/// is_empty    gets the answer: as old as that.
/// Returns     as rialto_dict_len.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_is_empty(dict: *const rialto_dict_t, is_empty: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(dict, is_empty, |dict| dict.is_empty()) }
}

/// Removes all keys. Python's d.clear().
///
/// dict        alive.
/// Returns     RIALTO_OK; RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
///             RIALTO_ETIMEDOUT, RIALTO_EAGAIN (only after rialto_dict_set_timeout);
///             RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE (a peer has damaged the lock);
///             RIALTO_EINVAL. Negative: nothing has changed.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   everybody finds the dict as it was, or everybody as it is then.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_clear(dict: *const rialto_dict_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { dict_at(dict) }.and_then(|dict| dict.clear()))
}

/// Whether there is that key. Python's `key in d`.
///
/// dict        alive.
/// key, key_bytes
///             the key; NULL is fine for none.
/// contains    gets the answer.
/// Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
///             row, also as rialto_dict_clear.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_contains(
    dict: *const rialto_dict_t,
    key: *const c_void,
    key_bytes: usize,
    contains: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(dict, contains, |dict| dict.contains(bytes(key, key_bytes)?)) }
}

/// The key's value. Python's `d[key]`.
///
/// dict        alive.
/// key, key_bytes
///             the key; NULL is fine for none.
/// buffer      private memory, gets the value; nobody else uses it meanwhile. After an error it may
///             be overwritten. NULL is fine for none.
/// buffer_bytes
///             how large it is; rialto_dict_max_value_bytes is enough for each.
/// length_bytes
///             gets the value's length.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such key); RIALTO_ENOBUFS (the buffer is too small);
///             RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a row, also
///             as rialto_dict_clear.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_get(
    dict: *const rialto_dict_t,
    key: *const c_void,
    key_bytes: usize,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(dict, length_bytes, |dict| {
            dict.get(bytes(key, key_bytes)?, room(buffer.cast::<u8>(), buffer_bytes)?)
        })
    }
}

/// The key's value, or another one. Python's d.get(key, otherwise).
///
/// dict, key, key_bytes, buffer, buffer_bytes, length_bytes
///             as for rialto_dict_get.
/// otherwise, otherwise_bytes
///             the value to take if there is no such key; not in buffer. NULL is fine for none.
/// Returns     RIALTO_OK; RIALTO_ENOBUFS (the buffer is too small); RIALTO_EBADREGION;
///             RIALTO_EINVAL; where writers overtake us 64 times in a row, also as
///             rialto_dict_clear.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_get_or(
    dict: *const rialto_dict_t,
    key: *const c_void,
    key_bytes: usize,
    otherwise: *const c_void,
    otherwise_bytes: usize,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(dict, length_bytes, |dict| {
            dict.get_or(
                bytes(key, key_bytes)?,
                bytes(otherwise, otherwise_bytes)?,
                room(buffer.cast::<u8>(), buffer_bytes)?,
            )
        })
    }
}

/// Sets a key's value. Python's `d[key] = value`.
///
/// dict        alive.
/// key, key_bytes
///             the key; NULL is fine for none.
/// value, value_bytes
///             the value; NULL is fine for none.
/// Returns     RIALTO_OK; RIALTO_ENOSPC (a new key, and the dict is full); RIALTO_EMSGSIZE (longer
///             than the longest key, or value); as rialto_dict_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_dict_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_set(
    dict: *const rialto_dict_t,
    key: *const c_void,
    key_bytes: usize,
    value: *const c_void,
    value_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { dict_at(dict) }.and_then(|dict| {
        // SAFETY: the caller's word.
        let (key, value) = unsafe { (bytes(key, key_bytes)?, bytes(value, value_bytes)?) };
        dict.set(key, value)
    }))
}

/// Sets several keys' values, one after the other: all of them or none, also if we die. Python's
/// d.update(pairs).
///
/// dict        alive.
/// pairs       which; may be NULL if count is 0.
/// count       how many.
/// Returns     as rialto_dict_set.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_dict_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_update(
    dict: *const rialto_dict_t,
    pairs: *const rialto_pair_t,
    count: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { dict_at(dict) }.and_then(|dict| {
        // SAFETY: the caller's word.
        let pairs = unsafe { pairs_at(pairs, count) }?;
        dict.update_as(pairs, |pair| (bytes_of(&pair.key), bytes_of(&pair.value)))
    }))
}

/// The key's value; if there is no such key, sets it. Python's d.setdefault(key, otherwise).
///
/// dict, key, key_bytes, buffer, buffer_bytes, length_bytes
///             as for rialto_dict_get.
/// otherwise, otherwise_bytes
///             the value to take if there is no such key; not in buffer. NULL is fine for none.
/// Returns     as rialto_dict_set (RIALTO_EMSGSIZE also if `otherwise` is not needed);
///             RIALTO_ENOBUFS (the buffer is too small: nothing is set).
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_dict_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_setdefault(
    dict: *const rialto_dict_t,
    key: *const c_void,
    key_bytes: usize,
    otherwise: *const c_void,
    otherwise_bytes: usize,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(dict, length_bytes, |dict| {
            dict.setdefault(
                bytes(key, key_bytes)?,
                bytes(otherwise, otherwise_bytes)?,
                room(buffer.cast::<u8>(), buffer_bytes)?,
            )
        })
    }
}

/// Takes a key and its value out. Python's d.pop(key).
///
/// dict, key, key_bytes, buffer, buffer_bytes, length_bytes
///             as for rialto_dict_get.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such key); RIALTO_ENOBUFS (the buffer is too small:
///             nothing is taken); as rialto_dict_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   it is there still, or gone with us.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_pop(
    dict: *const rialto_dict_t,
    key: *const c_void,
    key_bytes: usize,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(dict, length_bytes, |dict| {
            dict.pop(bytes(key, key_bytes)?, room(buffer.cast::<u8>(), buffer_bytes)?)
        })
    }
}

/// Takes the key that came last and its value out. Python's d.popitem().
///
/// dict        alive.
/// key, max_key_bytes
///             private memory, gets the key, and how large it is; as buffer for rialto_dict_get.
/// value, max_value_bytes
///             private memory, gets the value, and how large it is; not the key's.
/// lengths     gets both lengths.
/// Returns     RIALTO_OK; RIALTO_ENOENT (empty); RIALTO_ENOBUFS (one is too small: nothing is
///             taken); as rialto_dict_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_dict_pop.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_popitem(
    dict: *const rialto_dict_t,
    key: *mut c_void,
    max_key_bytes: usize,
    value: *mut c_void,
    max_value_bytes: usize,
    lengths: *mut rialto_pair_lengths_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(dict, lengths, |dict| {
            let (key, value) = (room(key.cast(), max_key_bytes)?, room(value.cast(), max_value_bytes)?);
            let (key, value) = dict.popitem(key, value)?;
            Ok(rialto_pair_lengths_t { key_bytes: key as u32, value_bytes: value as u32 })
        })
    }
}

/// Removes a key. Python's `del d[key]`.
///
/// dict        alive.
/// key, key_bytes
///             the key; NULL is fine for none.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such key); as rialto_dict_clear.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_dict_clear.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_remove(
    dict: *const rialto_dict_t,
    key: *const c_void,
    key_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { dict_at(dict) }.and_then(|dict| {
        // SAFETY: the caller's word.
        dict.remove(unsafe { bytes(key, key_bytes) }?)
    }))
}

/// All keys of one moment, one behind the other, in the order in which they came. Python's list(d).
///
/// dict        alive.
/// buffer, buffer_bytes
///             private memory, gets the bytes of all of them, without gaps, and how large it is. As
///             for rialto_dict_get.
/// lengths     private memory, gets each one's length. After an error it may be overwritten.
/// max_keys    how many it has room for.
/// keys        gets how many there are.
/// Returns     RIALTO_OK; RIALTO_ENOBUFS (they do not fit in buffer, or lengths); RIALTO_EBADREGION;
///             RIALTO_EINVAL; where writers overtake us 64 times in a row, also as
///             rialto_dict_clear.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_copy_keys(
    dict: *const rialto_dict_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    lengths: *mut u32,
    max_keys: usize,
    keys: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(dict, keys, |dict| {
            let buffer = room(buffer.cast::<u8>(), buffer_bytes)?;
            dict.copy_keys(buffer, room(lengths, max_keys)?)
        })
    }
}

/// All keys of one moment, each with its value behind it, in the order in which they came. Python's
/// list(d.items()).
///
/// dict, buffer, buffer_bytes, lengths, max_keys, keys
///             as for rialto_dict_copy_keys.
/// Returns     as rialto_dict_copy_keys.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_copy_items(
    dict: *const rialto_dict_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    lengths: *mut rialto_pair_lengths_t,
    max_keys: usize,
    keys: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(dict, keys, |dict| {
            let (buffer, lengths) = (room(buffer.cast::<u8>(), buffer_bytes)?, room(lengths, max_keys)?);
            dict.copy_items_as(buffer, lengths, |key_bytes, value_bytes| rialto_pair_lengths_t {
                key_bytes,
                value_bytes,
            })
        })
    }
}
