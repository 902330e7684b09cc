//! What is done with `rialto_connection_t`, one end of a pipe:
//!
//! | file | functions |
//! |---|---|
//! | `object` | close, and what it says of itself |
//! | `messages` | send and receive |
//! | `poll` | waiting for a message without taking it; event loops |
//!
//! The end is claimed in `pipe`.

mod messages;
mod object;
mod poll;

pub use messages::*;
pub use object::*;
pub use poll::*;

use super::{check, get, get_mut, status};
use crate::{Connection, error::Result};
use core::ffi::c_int;

/// Writes what a connection answers to a call that changes it.
///
/// # Safety
/// The pointers are as C says, and nobody else uses the view.
#[inline]
unsafe fn change<T>(
    connection: *mut rialto_connection_t,
    out: *mut T,
    call: impl FnOnce(&mut Connection<'static>) -> Result<T>,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| unsafe {
        out.write(call(get_mut(connection)?)?);
        Ok(())
    }))
}

/// Writes what a connection answers.
///
/// # Safety
/// The pointers are as C says.
unsafe fn answer<T>(
    connection: *const rialto_connection_t,
    out: *mut T,
    ask: impl FnOnce(&Connection<'static>) -> T,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| unsafe {
        out.write(ask(get(connection)?));
        Ok(())
    }))
}
