//! Objects that stand alone, anywhere in shared memory: made in place, found in place.
//!
//! Each is 64 bytes, a cache line of most machines, begins with a `magic` word that is written last, and
//! has no padding. All-zero memory is not an object.

use crate::{
    error::{Error, Result},
    sync::{AtomicU32, Ordering::*},
};
use core::mem::{align_of, size_of};

/// An object that begins with its magic.
///
/// # Safety
/// `repr(C)`, without padding; any bytes are valid for it, others may write them, and nothing is read from what
/// is not atomic. It begins with the magic, an `AtomicU32`.
pub(crate) unsafe trait Placed: Sized {
    const MAGIC: u32;
}

/// Makes `value` at `ptr`, whatever was there. Killed half-way: [`attach`] refuses what is left.
///
/// # Safety
/// `ptr` is aligned and valid for writes of a `T`, which nobody uses as one now.
pub(crate) unsafe fn init<T: Placed>(ptr: *mut T, value: T) {
    const { assert!(size_of::<T>() == 64 && align_of::<T>() == 64) };
    let first = ptr.cast::<AtomicU32>();
    // SAFETY: the caller's; nobody else looks at the bytes behind a magic that is 0.
    unsafe {
        (*first).store(0, SeqCst);
        let from = (&raw const value).cast::<u8>().add(4);
        ptr.cast::<u8>().add(4).copy_from_nonoverlapping(from, size_of::<T>() - 4);
        (*first).store(T::MAGIC, Release); // partner: `attach`
    }
}

/// The object at `ptr`. Errors: `Invalid` (null or misaligned), `BadRegion` (another magic).
///
/// # Safety
/// If aligned, `ptr` is valid for reads of a `T` during `'a`, and written as a `T` only.
pub(crate) unsafe fn attach<'a, T: Placed>(ptr: *const T) -> Result<&'a T> {
    if ptr.is_null() || !ptr.is_aligned() {
        return Err(Error::Invalid);
    }
    // SAFETY: the caller's, and `Placed`: any bytes are a valid `T`.
    unsafe {
        if (*ptr.cast::<AtomicU32>()).load(Acquire) != T::MAGIC {
            return Err(Error::BadRegion);
        }
        Ok(&*ptr)
    }
}
