//! The calls about the locks of values, arrays, lists, dicts and namespaces: the same for all, one file for each.

mod array;
mod dict;
mod list;
mod namespace;
mod value;

pub use array::*;
pub use dict::*;
pub use list::*;
pub use namespace::*;
pub use value::*;

use super::{View, check, get, get_mut, status};
use crate::{any::Any, dict::Dict, error::Result, list::List, namespace::Namespace, sys::Os};
use core::ffi::c_int;

/// What all these handles can, see [`crate::shadow`]; the rest has no need to be generic.
trait Locking: Copy {
    fn with_timeout(self, timeout_ns: u64) -> Self;
    fn acquire(&self, timeout_ns: u64) -> Result<()>;
    fn release(&self) -> Result<()>;
}

macro_rules! locking {
    ($($handle:ident)*) => { $(
        impl Locking for $handle<'static, Os> {
            fn with_timeout(self, timeout_ns: u64) -> Self {
                $handle::with_timeout(self, timeout_ns)
            }
            fn acquire(&self, timeout_ns: u64) -> Result<()> {
                $handle::acquire(self, timeout_ns)
            }
            fn release(&self) -> Result<()> {
                $handle::release(self)
            }
        }
    )* };
}
locking!(Any List Dict Namespace);

/// # Safety
/// As [`get`].
unsafe fn acquire<V: View<Handle: Locking>>(view: *const V, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word. A copy: the view may be written by what ends it.
    status(unsafe { get(view) }.copied().and_then(|handle| handle.acquire(timeout_ns)))
}

/// # Safety
/// As [`get`].
unsafe fn release<V: View<Handle: Locking>>(view: *const V) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get(view) }.copied().and_then(|handle| handle.release()))
}

/// # Safety
/// As [`get_mut`].
unsafe fn set_timeout<V: View<Handle: Locking>>(view: *mut V, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get_mut(view) }.map(|handle| *handle = handle.with_timeout(timeout_ns)))
}

/// # Safety
/// As [`get`]; `out` is null, misaligned, or valid for writes.
unsafe fn answer<V: View<Handle: Locking>, T>(
    view: *const V,
    out: *mut T,
    ask: impl FnOnce(V::Handle) -> T,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| unsafe {
        out.write(ask(*get(view)?));
        Ok(())
    }))
}
