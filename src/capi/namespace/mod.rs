//! What is done with `rialto_namespace_t`:
//!
//! | file | functions |
//! |---|---|
//! | `object` | create, open, what never changes |
//! | `attributes` | their types, and what is the same for all of them |
//! | `set`, `get` | one function for each type |
//!
//! Its lock is in `locking`.

mod attributes;
mod get;
mod object;
mod set;

pub use attributes::*;
pub use get::*;
pub use object::*;
pub use set::*;

use super::{check, get as view, status, text};
use crate::{
    Namespace,
    error::{Error, Result},
};
use core::ffi::{c_char, c_int};

/// # Safety
/// As [`view`], for a view whose region outlives the result.
unsafe fn namespace_at(ns: *const rialto_namespace_t) -> Result<Namespace<'static>> {
    // SAFETY: the caller's word.
    unsafe { view(ns) }.copied()
}

/// The namespace, and an attribute's name. Errors: `longer` than any may be.
///
/// # Safety
/// As [`namespace_at`]; and as [`text`], during `'a`.
unsafe fn named<'a>(
    ns: *const rialto_namespace_t,
    name: *const c_char,
    longer: Error,
) -> Result<(Namespace<'static>, &'a str)> {
    // SAFETY: the caller's word.
    unsafe {
        let ns = namespace_at(ns)?;
        Ok((ns, text(name, ns.config().max_name as usize, longer)?))
    }
}

/// Writes what a namespace answers.
///
/// # Safety
/// The pointers are as C says.
unsafe fn answer<T>(
    ns: *const rialto_namespace_t,
    out: *mut T,
    ask: impl FnOnce(Namespace<'static>) -> Result<T>,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| unsafe {
        out.write(ask(namespace_at(ns)?)?);
        Ok(())
    }))
}
