//! Python's `ns.name = value`, of each type.

use super::{named, namespace_at, rialto_namespace_t};
use crate::{
    capi::{bytes, check, status, text},
    error::{Error, Result},
    namespace::Attribute,
};
use core::ffi::{c_char, c_int, c_void};

/// # Safety
/// The pointers are as C says.
unsafe fn set(ns: *const rialto_namespace_t, name: *const c_char, value: Result<Attribute<'_>>) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { named(ns, name, Error::MessageTooLarge) }.and_then(|(ns, name)| ns.set(name, value?)))
}

/// Sets an attribute to an int64_t, whatever it was. Python's ns.name = value.
///
/// ns          alive.
/// name        the attribute's, a string of UTF-8.
/// value       the number.
/// Returns     RIALTO_OK; RIALTO_ENOSPC (a new name, and the namespace is full); RIALTO_EMSGSIZE
///             (longer than the longest name); as rialto_namespace_remove, but for RIALTO_ENOENT.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_namespace_remove.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_set_i64(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    value: i64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set(ns, name, Ok(Attribute::I64(value))) }
}

/// Sets an attribute to a uint64_t, whatever it was.
///
/// ns, name    as for rialto_namespace_set_i64.
/// value       the number.
/// Returns     as rialto_namespace_set_i64.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_namespace_remove.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_set_u64(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    value: u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set(ns, name, Ok(Attribute::U64(value))) }
}

/// Sets an attribute to a double, whatever it was.
///
/// ns, name    as for rialto_namespace_set_i64.
/// value       the number; its bits are kept.
/// Returns     as rialto_namespace_set_i64.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_namespace_remove.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_set_f64(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    value: f64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set(ns, name, Ok(Attribute::F64(value))) }
}

/// Sets an attribute to a bool, whatever it was.
///
/// ns, name    as for rialto_namespace_set_i64.
/// value       true or false.
/// Returns     as rialto_namespace_set_i64.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_namespace_remove.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_set_bool(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    value: bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set(ns, name, Ok(Attribute::Bool(value))) }
}

/// Sets an attribute to bytes, whatever it was.
///
/// ns, name    as for rialto_namespace_set_i64.
/// value, value_bytes
///             the bytes; NULL is fine for none.
/// Returns     as rialto_namespace_set_i64; RIALTO_EMSGSIZE (also: longer than the longest string).
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_namespace_remove.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_set_bytes(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    value: *const c_void,
    value_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set(ns, name, bytes(value, value_bytes).map(Attribute::Bytes)) }
}

/// Sets an attribute to a string, whatever it was.
///
/// ns, name    as for rialto_namespace_set_i64.
/// value       a string of UTF-8.
/// Returns     as rialto_namespace_set_bytes; RIALTO_EINVAL (also: no UTF-8).
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   as rialto_namespace_remove.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_set_str(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    value: *const c_char,
) -> c_int {
    if let Err(error) = check(value) {
        return error.code(); // before the name's length is looked at
    }
    // SAFETY: the caller's word.
    unsafe {
        let value = namespace_at(ns).and_then(|ns| {
            text(value, ns.config().max_bytes as usize, Error::MessageTooLarge).map(Attribute::Str)
        });
        set(ns, name, value)
    }
}
