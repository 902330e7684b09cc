//! What is done with `rialto_spsc_t`, and with its ends, `rialto_producer_t` and `rialto_consumer_t`:
//!
//! | file | functions |
//! |---|---|
//! | `config` | what it is created with |
//! | `object` | create, open, close, claim an end |
//! | `looks` | len and the like |
//! | `producer` | one message or several, event loops |
//! | `reserved` | room for a message, in place |
//! | `consumer` | one message or several, event loops |
//! | `peeked` | a message in hand |
//!
//! In Rust a loan borrows its end. Here the end's view remembers it, and while it does, refuses what the borrow
//! would.

mod config;
mod consumer;
mod looks;
mod object;
mod peeked;
mod producer;
mod reserved;

pub use config::*;
pub use consumer::*;
pub use looks::*;
pub use object::*;
pub use peeked::*;
pub use producer::*;
pub use reserved::*;

use super::{check, get, status};
use crate::{
    Spsc,
    error::{Error, Result},
    wait::{Fd, NO_FD},
};
use core::ffi::c_int;

/// # Safety
/// As [`get`], for a view whose region outlives the result.
unsafe fn spsc_at(spsc: *const rialto_spsc_t) -> Result<Spsc<'static>> {
    // SAFETY: the caller's word.
    unsafe { get(spsc) }.copied()
}

/// Writes what a queue answers.
///
/// # Safety
/// The pointers are as C says.
unsafe fn answer<T>(spsc: *const rialto_spsc_t, out: *mut T, ask: impl FnOnce(Spsc<'static>) -> T) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| unsafe {
        out.write(ask(spsc_at(spsc)?));
        Ok(())
    }))
}

/// A descriptor, or none.
fn fd_of(fd: c_int) -> Result<Fd> {
    if fd < NO_FD { Err(Error::Invalid) } else { Ok(fd) }
}
