//! What is done with `rialto_dict_t`:
//!
//! | file | functions |
//! |---|---|
//! | `object` | create, open, what never changes |
//! | `items` | one operation each of Python's dict |
//! | `walks` | callbacks: for_each |
//!
//! Its lock is in `locking`.

mod items;
mod object;
mod walks;

pub use items::*;
pub use object::*;
pub use walks::*;

use super::{check, get, status};
use crate::{Dict, error::Result};
use core::ffi::c_int;

/// # Safety
/// As [`get`], for a view whose region outlives the result.
unsafe fn dict_at(dict: *const rialto_dict_t) -> Result<Dict<'static>> {
    // SAFETY: the caller's word.
    unsafe { get(dict) }.copied()
}

/// Writes what a dict answers.
///
/// # Safety
/// The pointers are as C says.
unsafe fn answer<T>(
    dict: *const rialto_dict_t,
    out: *mut T,
    ask: impl FnOnce(Dict<'static>) -> Result<T>,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| unsafe {
        out.write(ask(dict_at(dict)?)?);
        Ok(())
    }))
}
