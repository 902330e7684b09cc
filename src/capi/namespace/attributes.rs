//! What an attribute is, and what is the same whatever it is.

use super::{answer, named, rialto_namespace_t};
use crate::{
    capi::{room, status},
    error::Error,
    namespace::Type,
};
use core::ffi::{c_char, c_int, c_void};

/// What an attribute is: one of RIALTO_ATTRIBUTE_...
pub type rialto_attribute_type_t = u32;

/// int64_t
pub const RIALTO_ATTRIBUTE_I64: rialto_attribute_type_t = 1;
/// uint64_t
pub const RIALTO_ATTRIBUTE_U64: rialto_attribute_type_t = 2;
/// double
pub const RIALTO_ATTRIBUTE_F64: rialto_attribute_type_t = 3;
/// bool
pub const RIALTO_ATTRIBUTE_BOOL: rialto_attribute_type_t = 4;
/// Bytes.
pub const RIALTO_ATTRIBUTE_BYTES: rialto_attribute_type_t = 5;
/// A string of UTF-8.
pub const RIALTO_ATTRIBUTE_STR: rialto_attribute_type_t = 6;

// The numbers above are literals, because cbindgen does not evaluate.
const _: () = {
    assert!(RIALTO_ATTRIBUTE_I64 == Type::I64 as u32);
    assert!(RIALTO_ATTRIBUTE_U64 == Type::U64 as u32);
    assert!(RIALTO_ATTRIBUTE_F64 == Type::F64 as u32);
    assert!(RIALTO_ATTRIBUTE_BOOL == Type::Bool as u32);
    assert!(RIALTO_ATTRIBUTE_BYTES == Type::Bytes as u32);
    assert!(RIALTO_ATTRIBUTE_STR == Type::Str as u32);
};

/// How many attributes there are.
///
/// ns          alive.
/// attributes  gets the number: old when you read it, unless you hold the lock.
/// Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
///             row, also as rialto_namespace_remove.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_len(
    ns: *const rialto_namespace_t,
    attributes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(ns, attributes, |ns| ns.len()) }
}

/// Whether rialto_namespace_len would say 0.
///
/// ns          alive.
/// is_empty    gets the answer: as old as that.
/// Returns     as rialto_namespace_len.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_is_empty(
    ns: *const rialto_namespace_t,
    is_empty: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(ns, is_empty, |ns| ns.is_empty()) }
}

/// Removes an attribute. Python's del ns.name.
///
/// ns          alive.
/// name        the attribute's, a string of UTF-8.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such attribute); RIALTO_EMFILE, RIALTO_ENOMEM (on the
///             thread's first use); RIALTO_ETIMEDOUT, RIALTO_EAGAIN (only after
///             rialto_namespace_set_timeout); RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE (a peer has
///             damaged the lock); RIALTO_EINVAL (also: no UTF-8). Negative: nothing has changed.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   everybody finds it as it was, or everybody as it is then.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_remove(
    ns: *const rialto_namespace_t,
    name: *const c_char,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { named(ns, name, Error::NotFound) }.and_then(|(ns, name)| ns.remove(name)))
}

/// Whether there is that attribute. Python's hasattr(ns, name).
///
/// ns          alive.
/// name        the attribute's, a string of UTF-8.
/// contains    gets the answer.
/// Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
///             row, also as rialto_namespace_remove.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_contains(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    contains: *mut bool,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(ns, contains, |_| match named(ns, name, Error::NotFound) {
            Err(Error::NotFound) => Ok(false), // longer than any is
            Err(error) => Err(error),
            Ok((ns, name)) => ns.contains(name),
        })
    }
}

/// What an attribute is. Python's type(ns.name).
///
/// ns          alive.
/// name        the attribute's, a string of UTF-8.
/// type        gets RIALTO_ATTRIBUTE_...
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such attribute); RIALTO_EBADREGION; RIALTO_EINVAL; where
///             writers overtake us 64 times in a row, also as rialto_namespace_remove.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_type_of(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    r#type: *mut rialto_attribute_type_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(ns, r#type, |_| {
            let (ns, name) = named(ns, name, Error::NotFound)?;
            ns.type_of(name).map(|it| it as u32)
        })
    }
}

/// All names of one moment, one behind the other, without zeros, in the order in which they came.
/// Python's dir(ns).
///
/// ns          alive.
/// buffer, buffer_bytes
///             private memory, gets the bytes of all of them, and how large it is; nobody else uses
///             it meanwhile. After an error it may be overwritten. NULL is fine for none.
/// lengths     private memory, gets each one's length. After an error it may be overwritten.
/// max_names   how many it has room for.
/// names       gets how many there are.
/// Returns     RIALTO_OK; RIALTO_ENOBUFS (they do not fit in buffer, or lengths); RIALTO_EBADREGION;
///             RIALTO_EINVAL; where writers overtake us 64 times in a row, also as
///             rialto_namespace_remove.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_copy_names(
    ns: *const rialto_namespace_t,
    buffer: *mut c_void,
    buffer_bytes: usize,
    lengths: *mut u32,
    max_names: usize,
    names: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        answer(ns, names, |ns| {
            let buffer = room(buffer.cast::<u8>(), buffer_bytes)?;
            ns.copy_names(buffer, room(lengths, max_names)?)
        })
    }
}
