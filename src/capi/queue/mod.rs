//! What is done with `rialto_queue_t`:
//!
//! | file | functions |
//! |---|---|
//! | `config` | what it is created with |
//! | `object` | create, open, close |
//! | `looks` | len and the like |
//! | `push`, `pop` | one message, copied |
//! | `batch` | several with one wake |
//! | `join` | a joinable queue's tickets, and waiting until all is done |
//! | `poll` | event loops |
//!
//! Messages in hand are in `peeked`, room for one in `reserved`.

mod batch;
mod config;
mod join;
mod looks;
mod object;
mod poll;
mod pop;
mod push;

pub use batch::*;
pub use config::*;
pub use join::*;
pub use looks::*;
pub use object::*;
pub use poll::*;
pub use pop::*;
pub use push::*;

use super::{RIALTO_OK, RIALTO_REDELIVERED, check, get, status};
use crate::{Queue, error::Result};
use core::ffi::c_int;

/// # Safety
/// As [`get`], for a view whose region outlives the result.
pub(super) unsafe fn queue_at(queue: *const rialto_queue_t) -> Result<Queue<'static>> {
    // SAFETY: the caller's word.
    unsafe { get(queue) }.copied()
}

/// Writes what a queue answers.
///
/// # Safety
/// The pointers are as C says.
unsafe fn answer<T>(
    queue: *const rialto_queue_t,
    out: *mut T,
    ask: impl FnOnce(Queue<'static>) -> T,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| unsafe {
        out.write(ask(queue_at(queue)?));
        Ok(())
    }))
}

/// What tells C of a message's history.
pub(super) fn told(attempt: u8) -> c_int {
    if attempt > 0 { RIALTO_REDELIVERED } else { RIALTO_OK }
}
