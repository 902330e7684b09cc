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
    pub(super) len: usize,
}

impl<H: Home> Reserved<'_, '_, H> {
    /// The message's bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// An empty message.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes the message shorter (a longer `len` changes nothing): for who knows only after writing. What is
    /// left over stays free.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Where the message goes, 16-aligned, `len` bytes: others neither read nor write there, unless they
    /// write wild. [`Reserved::write`] is the safe way.
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.producer.bytes_of(&self.place)
    }

    /// Writes the whole message. `Invalid` if `message` is not `len` bytes long.
    #[inline]
    pub fn write(&mut self, message: &[u8]) -> Result<()> {
        if message.len() != self.len {
            return Err(Error::Invalid);
        }
        // SAFETY: the place is ours until the commit, and has `len` bytes; `message` is private memory.
        unsafe { bytes::copy_in(message, self.as_mut_ptr()) };
        Ok(())
    }

    /// Appends the message. Never waits.
    ///
    /// Errors, with nothing appended, for good: `Closed` (meanwhile), `NotOwner`, `BadRegion`.
    #[inline]
    pub fn commit(self) -> Result<()> {
        self.producer.commit(self.place, self.len)
    }
}
