//! What is done with `rialto_list_t`:
//!
//! | file | functions |
//! |---|---|
//! | `object` | create, open, what never changes |
//! | `items` | one operation each of Python's list |
//! | `walks` | callbacks: sort_by, for_each |
//!
//! Its lock is in `locking`.

mod items;
mod object;
mod walks;

pub use items::*;
pub use object::*;
pub use walks::*;

use super::{check, get, status};
use crate::{List, error::Result};
use core::ffi::c_int;

/// # Safety
/// As [`get`], for a view whose region outlives the result.
unsafe fn list_at(list: *const rialto_list_t) -> Result<List<'static>> {
    // SAFETY: the caller's word.
    unsafe { get(list) }.copied()
}

/// Writes what a list answers.
///
/// # Safety
/// The pointers are as C says.
unsafe fn answer<T>(
    list: *const rialto_list_t,
    out: *mut T,
    ask: impl FnOnce(List<'static>) -> Result<T>,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| unsafe {
        out.write(ask(list_at(list)?)?);
        Ok(())
    }))
}
