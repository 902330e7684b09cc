//! The C functions of `include/rialto.h`, one file per C object, in the header's order. They check
//! pointers, call, and translate; there is no algorithm here. Only with the feature `capi`.
//!
//! # Memory
//! `rialto_lock_t` is a [`crate::Lock`], in shared memory; so are `rialto_rlock_t`, `rialto_event_t`,
//! `rialto_semaphore_t` and `rialto_condition_t` what their names say. Everything else is a *view*: a Rust
//! handle in words on the caller's stack, behind a tag that says "alive" (see `View`). Sizes are asserted
//! here and, as golden numbers, in `ffi-tests/c/abi.c`.
//!
//! # Invariants
//! 1. Null and misaligned pointers are `RIALTO_EINVAL` before anything else happens.
//! 2. Out-parameters are written only when the status is zero or positive.
//! 3. A view whose tag is not right (zeroed, ended, or moved where it must not) is `RIALTO_EINVAL`.
//!    Bytes that the caller never initialised are right with a probability of 2^-64.
//!
//! # Safety
//! Each function's comment is written for the header and is its contract: what pointers must point
//! to, for how long, and who may call it when. The rest of the header's promises is in `cbindgen.toml`.
//!
//! # Crash
//! No panic crosses the boundary: it ends the process. None is known. What a C++ predicate or action throws is the
//! caller's affair: the header forbids it, `rialto.hpp` ends the process.
//!
//! # Checked by
//! `ffi-tests`, and `cargo build --features capi,header`, which writes the header anew.

// A `# Safety` section would go into the header, where the whole comment is about that.
#![allow(clippy::missing_safety_doc, non_camel_case_types)]

mod status;

mod array;
mod barrier;
mod condition;
mod connection;
mod dict;
mod directory;
mod event;
mod list;
mod lock;
mod locking;
mod member;
mod named;
mod namespace;
#[cfg(all(feature = "panic_handler", not(feature = "std"), not(test)))]
mod panic;
mod peeked;
mod permits;
mod pipe;
mod pool;
mod process;
mod queue;
mod raw;
mod region;
mod reserved;
mod rlock;
mod semaphore;
mod spsc;
mod value;

pub use array::*;
pub use barrier::*;
pub use condition::*;
pub use connection::*;
pub use dict::*;
pub use directory::*;
pub use event::*;
pub use list::*;
pub use lock::*;
pub use locking::*;
pub use member::*;
pub use named::*;
pub use namespace::*;
pub use peeked::*;
pub use permits::*;
pub use pipe::*;
pub use pool::*;
pub use process::*;
pub use queue::*;
pub use raw::*;
pub use region::*;
pub use reserved::*;
pub use rlock::*;
pub use semaphore::*;
pub use spsc::*;
pub use status::*;
pub use value::*;

use crate::error::{Error, Result};
use core::{
    ffi::{c_char, c_int, c_void},
    mem::MaybeUninit,
    slice, str,
};

/// The status of a call that has nothing else to say.
fn status(result: Result<()>) -> c_int {
    code(result.map(|()| RIALTO_OK))
}

/// The status of a call that may have a positive one.
fn code(result: Result<c_int>) -> c_int {
    result.unwrap_or_else(Error::code)
}

/// Refuses a pointer that nothing can be read or written through (invariant 1).
fn check<T>(ptr: *const T) -> Result<()> {
    if ptr.is_null() || !ptr.is_aligned() { Err(Error::Invalid) } else { Ok(()) }
}

/// As [`check`], for an out-parameter that may be left out.
fn check_optional<T>(ptr: *const T) -> Result<()> {
    if ptr.is_null() { Ok(()) } else { check(ptr) }
}

/// # Safety
/// Null, or valid for writes.
unsafe fn put_optional<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: the caller's word.
        unsafe { out.write(value) }
    }
}

/// Longest C string that is looked at; more than any name may have.
const MAX_STRING_BYTES: usize = 512;

/// A name. Errors: `Invalid` if it is null, longer than [`MAX_STRING_BYTES`], or not UTF-8.
///
/// # Safety
/// Null, or a C string that nobody changes during `'a`.
unsafe fn name<'a>(string: *const c_char) -> Result<&'a str> {
    // SAFETY: the caller's word.
    unsafe { text(string, MAX_STRING_BYTES, Error::Invalid) }
}

/// Bytes to be read. Null is fine for none.
///
/// # Safety
/// Valid for reads of `len` bytes that nobody changes during `'a`.
unsafe fn bytes<'a>(from: *const c_void, len: usize) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    check(from.cast::<u8>())?;
    if isize::try_from(len).is_err() {
        return Err(Error::MessageTooLarge);
    }
    // SAFETY: not null, not too long, and the caller's word.
    Ok(unsafe { slice::from_raw_parts(from.cast(), len) })
}

/// Bytes to be written.
///
/// # Safety
/// Valid for writes of `len` bytes that nobody else uses during `'a`.
unsafe fn buffer<'a>(to: *mut c_void, len: usize) -> Result<&'a mut [u8]> {
    check(to.cast::<u8>())?;
    let len = len.min(isize::MAX as usize); // no object is larger, so the caller cannot mean it
    // SAFETY: not null, not too long, and the caller's word. Memory that comes from C has some value,
    // whether or not C wrote it.
    Ok(unsafe { slice::from_raw_parts_mut(to.cast(), len) })
}

/// Elements to be written. Null is fine for none.
///
/// # Safety
/// Valid for writes of `count` elements that nobody else uses during `'a`; any bits are a `T`.
unsafe fn room<'a, T>(to: *mut T, count: usize) -> Result<&'a mut [T]> {
    if count == 0 {
        return Ok(&mut []);
    }
    check(to)?;
    let count = count.min(isize::MAX as usize / size_of::<T>()); // as `buffer`
    // SAFETY: checked, not too long, and the caller's word, as in `buffer`.
    Ok(unsafe { slice::from_raw_parts_mut(to, count) })
}

/// A string of at most `max` bytes. Errors: `Invalid` (null, no UTF-8), `longer`.
///
/// # Safety
/// Null, or a C string that nobody changes during `'a`.
unsafe fn text<'a>(string: *const c_char, max: usize, longer: Error) -> Result<&'a str> {
    check(string)?;
    for len in 0..=max {
        // SAFETY: no zero before `len`, so this byte belongs to the string still.
        if unsafe { *string.add(len) } == 0 {
            // SAFETY: as above, for all of them.
            let bytes = unsafe { slice::from_raw_parts(string.cast::<u8>(), len) };
            return str::from_utf8(bytes).map_err(|_| Error::Invalid);
        }
    }
    Err(longer)
}

/// A Rust handle in the words of a C struct.
///
/// # Safety
/// `Self` is `repr(C)`, as large and as aligned as `Tagged<Self::Handle>` at least, and any bytes are
/// valid for it.
unsafe trait View: Sized {
    type Handle;
    /// What a live view begins with.
    const TAG: u64;
    /// Whether it ends when it is moved: then copies are not alive, and cannot be ended twice.
    const PINNED: bool;

    fn tag(at: *const Self) -> u64 {
        if Self::PINNED { Self::TAG ^ at.addr() as u64 } else { Self::TAG }
    }
}

#[repr(C)]
struct Tagged<H> {
    tag: u64,
    handle: MaybeUninit<H>,
}

/// Whether a `T` has room for what `H` needs.
const fn has_room<T: View>() -> bool {
    size_of::<Tagged<T::Handle>>() <= size_of::<T>() && align_of::<Tagged<T::Handle>>() <= align_of::<T>()
}

/// Makes a view of fresh words.
///
/// # Safety
/// `out` has passed [`check`] and is valid for writes.
unsafe fn put<V: View>(out: *mut V, handle: V::Handle) {
    const { assert!(has_room::<V>()) };
    let tagged = Tagged { tag: V::tag(out), handle: MaybeUninit::new(handle) };
    // SAFETY: the caller's word; `View` says that it fits.
    unsafe { out.cast::<Tagged<V::Handle>>().write(tagged) }
}

/// The handle in a live view.
///
/// # Safety
/// Null, or valid for reads; if alive, then during `'a`.
unsafe fn get<'a, V: View>(view: *const V) -> Result<&'a V::Handle> {
    check(view)?;
    let tagged = view.cast::<Tagged<V::Handle>>();
    // SAFETY: `View` says that it fits; the tag vouches for the handle (module's invariant 3).
    unsafe {
        if (*tagged).tag != V::tag(view) {
            return Err(Error::Invalid);
        }
        Ok((*tagged).handle.assume_init_ref())
    }
}

/// As [`get`], to change the handle.
///
/// # Safety
/// As [`get`], and nobody else uses the view during `'a`.
unsafe fn get_mut<'a, V: View>(view: *mut V) -> Result<&'a mut V::Handle> {
    // SAFETY: the caller's word.
    unsafe {
        get(view.cast_const())?;
        Ok((*view.cast::<Tagged<V::Handle>>()).handle.assume_init_mut())
    }
}

/// Ends a view and takes the handle out.
///
/// # Safety
/// As [`get`], and nobody else uses the view now or later.
unsafe fn take<V: View>(view: *mut V) -> Result<V::Handle> {
    // SAFETY: the caller's word.
    unsafe {
        let handle = core::ptr::from_ref(get(view)?).read();
        (*view.cast::<Tagged<V::Handle>>()).tag = 0;
        Ok(handle)
    }
}

/// Ends a view by what takes its handle; where that refuses, the view is what it was.
///
/// # Safety
/// As [`take`].
#[inline]
unsafe fn end<V: View>(
    view: *mut V,
    by: impl FnOnce(V::Handle) -> core::result::Result<(), (V::Handle, Error)>,
) -> Result<()> {
    // SAFETY: the caller's word; a view that was alive may be written.
    unsafe {
        by(take(view)?).map_err(|(handle, error)| {
            put(view, handle);
            error
        })
    }
}
