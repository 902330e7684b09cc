//! A message in hand, where it lies.

use super::Consumer;
use crate::{member::Home, ring::stream::Record};

/// A message of an SPSC queue in hand. Released by [`Peeked::release`]; dropped, it is given back: it comes
/// again, marked. If the member that has the end dies, see [`super::OnDeath`].
///
/// A forked child inherits a copy that is not its own: it must not use it.
pub struct Peeked<'c, 'r, H: Home> {
    pub(super) consumer: &'c mut Consumer<'r, H>,
    pub(super) record: Record,
}

impl<H: Home> Peeked<'_, '_, H> {
    /// The message's bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.record.len() as usize
    }

    /// An empty message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// 0, or how often it was in hand before, of a consumer that died or gave it back.
    pub fn attempt(&self) -> u8 {
        self.record.attempt()
    }

    /// Somebody may have acted on this message already.
    pub fn redelivered(&self) -> bool {
        self.attempt() > 0
    }

    /// The bytes, 16-aligned. A peer that writes wild may change them while you look; [`Peeked::copy_to`] is
    /// the safe way.
    #[inline]
    pub fn as_ptr(&self) -> *const u8 {
        self.consumer.bytes_of(&self.record)
    }

    /// Copies the message, or as much of it as fits; returns how much.
    #[inline]
    pub fn copy_to(&self, buffer: &mut [u8]) -> usize {
        self.consumer.copy_some(&self.record, buffer)
    }

    /// Done with it: the producer may have the memory. If the member that claimed the end is gone meanwhile, the
    /// message is somebody else's already and nothing happens.
    #[inline]
    pub fn release(self) {
        self.consumer.release(&self.record);
    }
}
