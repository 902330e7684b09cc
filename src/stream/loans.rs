//! Messages where they lie: being written, and in hand.

use super::{StreamReader, StreamWriter};
use crate::{
    bytes,
    error::{Error, Result},
    ring::stream::{Place, Record},
    sys::{Os, Platform},
};

/// Room for a message in a stream. [`Reserved::commit`] appends it; dropped, nothing has happened.
#[must_use = "nothing is appended before `commit`"]
pub struct Reserved<'w, 'm, P: Platform = Os> {
    pub(super) writer: &'w mut StreamWriter<'m, P>,
    pub(super) place: Place,
    pub(super) len: usize,
}

impl<P: Platform> Reserved<'_, '_, P> {
    /// The message's bytes.
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
    /// write wild. A DMA may. [`Reserved::write`] is the safe way.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.writer.bytes_of(&self.place)
    }

    /// Writes the whole message. `Invalid` if `message` is not `len` bytes long.
    pub fn write(&mut self, message: &[u8]) -> Result<()> {
        if message.len() != self.len {
            return Err(Error::Invalid);
        }
        // SAFETY: the place is ours until the commit, and has `len` bytes; `message` is private memory.
        unsafe { bytes::copy_in(message, self.as_mut_ptr()) };
        Ok(())
    }

    /// Appends the message. Wait-free.
    ///
    /// Errors, with nothing appended, for good: `Closed` (meanwhile), `NotOwner`, `BadRegion`.
    pub fn commit(self) -> Result<()> {
        self.writer.commit(self.place, self.len)
    }
}

/// A message of a stream in hand. Released by [`Peeked::release`]; dropped, it is given back: it comes again,
/// marked, as if we had died.
pub struct Peeked<'r, 'm, P: Platform = Os> {
    pub(super) reader: &'r mut StreamReader<'m, P>,
    pub(super) record: Record,
}

impl<P: Platform> Peeked<'_, '_, P> {
    /// The message's bytes.
    pub fn len(&self) -> usize {
        self.record.len() as usize
    }

    /// An empty message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// 0, or how often it was in hand before, of a reader that died or gave it back; 15 may be more.
    pub fn attempt(&self) -> u8 {
        self.record.attempt()
    }

    /// Somebody may have acted on this message already.
    pub fn redelivered(&self) -> bool {
        self.attempt() > 0
    }

    /// The bytes, 16-aligned. A peer that writes wild may change them while you look; [`Peeked::copy_to`] is
    /// the safe way.
    pub fn as_ptr(&self) -> *const u8 {
        self.reader.bytes_of(&self.record)
    }

    /// Copies the message, or as much of it as fits; returns how much.
    pub fn copy_to(&self, buffer: &mut [u8]) -> usize {
        self.reader.copy_some(&self.record, buffer)
    }

    /// Done with it: the writer may have the memory. Wait-free.
    pub fn release(self) {
        self.reader.release(&self.record);
    }
}
