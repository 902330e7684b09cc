//! A message being written where it will lie.

use super::Producer;
use crate::{
    bytes,
    error::{Error, Result},
    member::Home,
    ring::stream::Place,
};

/// Room for a message in an SPSC queue. [`Reserved::commit`] appends it; dropped, nothing has happened.
///
/// A forked child inherits a copy that is not its own: it must not use it.
#[must_use = "nothing is appended before `commit`"]
pub struct Reserved<'p, 'r, H: Home> {
    pub(super) producer: &'p mut Producer<'r, H>,
    pub(super) place: Place,
}

impl<H: Home> Reserved<'_, '_, H> {
    /// Bytes that the message may have.
    pub fn len(&self) -> usize {
        self.place.len() as usize
    }

    /// Room for an empty message only.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where to write it: [`Reserved::len`] bytes, 16-aligned, with anything in them.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.producer.spsc.shared.area.payload(self.place.at())
    }

    /// Copies `message` to the beginning, or as much of it as fits; returns how much.
    pub fn write(&mut self, message: &[u8]) -> usize {
        let len = message.len().min(self.len());
        // SAFETY: the place is ours until the commit, and has `len` bytes; `message` is private memory.
        unsafe { bytes::copy_in(&message[..len], self.as_mut_ptr()) };
        len
    }

    /// Appends the first `len` bytes as a message.
    ///
    /// Errors, with nothing appended: `MessageTooLarge` (more than was reserved), `Closed` (meanwhile),
    /// `NotOwner`, `BadRegion`.
    pub fn commit(self, len: usize) -> Result<()> {
        if len > self.len() {
            return Err(Error::MessageTooLarge);
        }
        self.producer.ready()?;
        self.producer.writer.commit(self.place, len as u32, 0)?;
        self.producer.spsc.notify_data();
        Ok(())
    }
}
