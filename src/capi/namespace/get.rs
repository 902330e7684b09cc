//! Python's `ns.name`, of each type.

use super::{answer, named, rialto_namespace_t};
use crate::{
    capi::{rialto_attribute_type_t, room},
    error::Error,
    namespace::Attribute,
};
use core::ffi::{c_char, c_int, c_void};

/// An attribute of whatever type, from rialto_namespace_get. What it is not, is 0.
#[repr(C)]
pub struct rialto_attribute_t {
    /// RIALTO_ATTRIBUTE_...
    pub r#type: rialto_attribute_type_t,
    /// Of RIALTO_ATTRIBUTE_BOOL.
    pub boolean: bool,
    /// Private.
    pub _reserved: [u8; 3],
    /// Of RIALTO_ATTRIBUTE_BYTES and RIALTO_ATTRIBUTE_STR: how many bytes are in the buffer, without
    /// the zero.
    pub length_bytes: usize,
    /// Of RIALTO_ATTRIBUTE_I64.
    pub i64: i64,
    /// Of RIALTO_ATTRIBUTE_U64.
    pub u64: u64,
    /// Of RIALTO_ATTRIBUTE_F64.
    pub f64: f64,
}

/// An attribute of whatever type. Python's ns.name.
///
/// ns          alive.
/// name        the attribute's, a string of UTF-8.
/// buffer      private memory, gets what is bytes, or a string with a zero behind it; nobody else
///             uses it meanwhile. After an error it may be overwritten. NULL is fine for none.
/// buffer_bytes
///             how large it is; one more than rialto_namespace_max_string_bytes is enough for each.
/// attribute   gets the rest.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such attribute); RIALTO_ENOBUFS (the buffer is too
///             small); RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
///             row, also as rialto_namespace_remove.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_get(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    buffer: *mut c_void,
    buffer_bytes: usize,
    attribute: *mut rialto_attribute_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(ns, attribute, |_| {
            let (ns, name) = named(ns, name, Error::NotFound)?;
            let buffer = room(buffer.cast::<u8>(), buffer_bytes)?;
            let mut it = rialto_attribute_t {
                r#type: 0,
                boolean: false,
                _reserved: [0; 3],
                length_bytes: 0,
                i64: 0,
                u64: 0,
                f64: 0.0,
            };
            let value = ns.get(name, buffer)?;
            it.r#type = value.type_of() as u32;
            let mut is_str = false;
            match value {
                Attribute::I64(value) => it.i64 = value,
                Attribute::U64(value) => it.u64 = value,
                Attribute::F64(value) => it.f64 = value,
                Attribute::Bool(value) => it.boolean = value,
                Attribute::Bytes(value) => it.length_bytes = value.len(),
                Attribute::Str(value) => (it.length_bytes, is_str) = (value.len(), true),
            }
            if is_str {
                *buffer.get_mut(it.length_bytes).ok_or(Error::BufferTooSmall)? = 0;
            }
            Ok(it)
        })
    }
}

/// An attribute that is an int64_t.
///
/// ns          alive.
/// name        the attribute's, a string of UTF-8.
/// value       gets it.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such attribute); RIALTO_EWRONGKIND (it is of another
///             type); RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a row,
///             also as rialto_namespace_remove.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_get_i64(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    value: *mut i64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(ns, value, |_| {
            let (ns, name) = named(ns, name, Error::NotFound)?;
            ns.get_i64(name)
        })
    }
}

/// An attribute that is a uint64_t.
///
/// ns, name    as for rialto_namespace_get_i64.
/// value       gets it.
/// Returns     as rialto_namespace_get_i64.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_get_u64(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    value: *mut u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(ns, value, |_| {
            let (ns, name) = named(ns, name, Error::NotFound)?;
            ns.get_u64(name)
        })
    }
}

/// An attribute that is a double.
///
/// ns, name    as for rialto_namespace_get_i64.
/// value       gets it.
/// Returns     as rialto_namespace_get_i64.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_get_f64(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    value: *mut f64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(ns, value, |_| {
            let (ns, name) = named(ns, name, Error::NotFound)?;
            ns.get_f64(name)
        })
    }
}

/// An attribute that is a bool.
///
/// ns, name    as for rialto_namespace_get_i64.
/// value       gets it.
/// Returns     as rialto_namespace_get_i64.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_get_bool(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    value: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(ns, value, |_| {
            let (ns, name) = named(ns, name, Error::NotFound)?;
            ns.get_bool(name)
        })
    }
}

/// An attribute that is bytes.
///
/// ns, name    as for rialto_namespace_get_i64.
/// buffer      private memory, gets it; nobody else uses it meanwhile. After an error it may be
///             overwritten. NULL is fine for none.
/// buffer_bytes
///             how large it is; rialto_namespace_max_string_bytes is enough for each.
/// length_bytes
///             gets how many there are.
/// Returns     as rialto_namespace_get_i64; RIALTO_ENOBUFS (the buffer is too small).
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_get_bytes(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    buffer: *mut c_void,
    buffer_bytes: usize,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(ns, length_bytes, |_| {
            let (ns, name) = named(ns, name, Error::NotFound)?;
            let buffer = room(buffer.cast::<u8>(), buffer_bytes)?;
            ns.get_bytes(name, buffer).map(<[u8]>::len)
        })
    }
}

/// An attribute that is a string.
///
/// ns, name    as for rialto_namespace_get_i64.
/// buffer      private memory, gets the string and a zero behind it; nobody else uses it meanwhile.
///             After an error it may be overwritten.
/// buffer_bytes
///             how large it is; one more than rialto_namespace_max_string_bytes is enough for each.
/// length_bytes
///             gets the string's length, without the zero. One set by a program in Rust may have
///             zeros within.
/// Returns     as rialto_namespace_get_bytes.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_get_str(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    buffer: *mut c_char,
    buffer_bytes: usize,
    length_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(ns, length_bytes, |_| {
            let (ns, name) = named(ns, name, Error::NotFound)?;
            let buffer = room(buffer.cast::<u8>(), buffer_bytes)?;
            let len = ns.get_str(name, buffer)?.len();
            *buffer.get_mut(len).ok_or(Error::BufferTooSmall)? = 0;
            Ok(len)
        })
    }
}
