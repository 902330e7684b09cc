//! A [`Cell`](super::Cell)'s tag in 32 bits, for targets without 64-bit atomics.
//!
//! # Memory
//! At the tag's place; the four bytes behind it stay 0.
//!
//! | bits of the word | of the tag | |
//! |---|---|---|
//! | 0..9 | 0..9 | the platform's own evidence, see [`super::Thread::tag`] |
//! | 9..31 | 41..63 | the id of the thread that it is about |
//! | 31 | 63 | [`super::UNDERTAKER`] |
//!
//! # Limits
//! Evidence above bit 9 is lost: two threads of one id that differ only there are taken for one another.

use crate::sync::{AtomicU32, Ordering};

const EVIDENCE: u32 = (1 << 9) - 1;

/// As an `AtomicU64`, of tags.
#[derive(Debug)]
#[repr(C)]
pub struct ShortTag {
    word: AtomicU32,
    zero: u32,
}

const fn pack(tag: u64) -> u32 {
    (tag >> 32) as u32 & !EVIDENCE | tag as u32 & EVIDENCE
}

const fn unpack(word: u32) -> u64 {
    ((word & !EVIDENCE) as u64) << 32 | (word & EVIDENCE) as u64
}

#[allow(missing_docs)] // an atomic's
impl ShortTag {
    pub(crate) const fn new(tag: u64) -> Self {
        ShortTag { word: AtomicU32::new(pack(tag)), zero: 0 }
    }
    pub fn load(&self, order: Ordering) -> u64 {
        unpack(self.word.load(order))
    }
    pub fn store(&self, tag: u64, order: Ordering) {
        self.word.store(pack(tag), order);
    }
    pub fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.word.compare_exchange(pack(current), pack(new), success, failure).map(unpack).map_err(unpack)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::*, *};
    use crate::sync::Ordering::*;

    #[test]
    fn a_tag_keeps_its_thread_its_licence_and_nine_bits_of_evidence() {
        for id in [0, 1, 2, 0x15_5555, (1 << 22) - 1] {
            for evidence in [0, 1, 0x155, 0x1ff] {
                for licence in [0, UNDERTAKER] {
                    let tag = u64::from(id) << TAG_ID | evidence | licence;
                    let short = ShortTag::new(0);
                    short.store(tag, Relaxed);
                    assert_eq!(short.load(Relaxed), tag);
                    assert_eq!(tag_id(short.load(Relaxed)), id);
                    assert_eq!(short.compare_exchange(tag, 0, Relaxed, Relaxed), Ok(tag));
                    assert_eq!(short.compare_exchange(0x1_0001, tag, Relaxed, Relaxed), Err(0));
                }
            }
        }
        assert_eq!((size_of::<ShortTag>(), align_of::<ShortTag>()), (8, 4));
    }
}
