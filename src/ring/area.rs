//! A stream's bytes in memory that others see: the one place in `ring` that casts.

use super::stream::{Area, MAX_BYTES, MIN_BYTES, UNIT};
use crate::sync::AtomicU32;
use core::ptr::NonNull;

/// Where a record's word lies.
const WORD: usize = 8;
/// Where its tag lies. In models all is farther apart: loom's atomics take eight bytes each.
const TAG: usize = if cfg!(rialto_loom) { 16 } else { 12 };
/// Where its payload begins.
const PAYLOAD: usize = if cfg!(rialto_loom) { 32 } else { 16 };
/// Bytes of memory for one of a stream's.
pub(crate) const SCALE: usize = if cfg!(rialto_loom) { 4 } else { 1 };

/// [`Area`] over raw memory.
#[derive(Clone, Copy, Debug)]
pub struct RawArea<'r> {
    base: NonNull<u8>,
    bytes: u32,
    tail: &'r AtomicU32,
    head: &'r AtomicU32,
}

// SAFETY: it only hands out references to atomics, and raw payload pointers; who may use those is the
// stream's matter.
unsafe impl Send for RawArea<'_> {}
// SAFETY: as above.
unsafe impl Sync for RawArea<'_> {}

impl<'r> RawArea<'r> {
    /// How much memory a stream of `bytes` takes: the last record may end a little behind.
    pub const fn memory_bytes(bytes: u32) -> u64 {
        bytes as u64 * SCALE as u64 + PAYLOAD as u64
    }

    /// A stream of `bytes` at `base`.
    ///
    /// # Safety
    /// `bytes` is what [`Area::bytes`] allows; `base` is 16-aligned; [`RawArea::memory_bytes`] from it stay mapped and shared for 'r, and are used for
    /// this stream only. What is in them does not matter.
    pub unsafe fn new(base: NonNull<u8>, bytes: u32, tail: &'r AtomicU32, head: &'r AtomicU32) -> Self {
        debug_assert!((MIN_BYTES..=MAX_BYTES).contains(&bytes) && bytes % UNIT == 0);
        RawArea { base, bytes, tail, head }
    }

    #[inline(always)]
    fn at(&self, at: u32, offset: usize) -> *mut u8 {
        // What the stream asks for is in range; that it is, costs one comparison that always falls the same way.
        let at = if at < self.bytes { at & !(UNIT - 1) } else { 0 };
        // SAFETY: below `bytes`, and 16 more were promised to be there.
        unsafe { self.base.as_ptr().add(at as usize * SCALE + offset) }
    }

    /// Makes loom's atomics of all words and tags.
    ///
    /// # Safety
    /// Nobody uses the memory yet.
    #[cfg(rialto_loom)]
    pub unsafe fn make_atomics(&self) {
        for at in (0..self.bytes).step_by(UNIT as usize) {
            // SAFETY: inside, see `at`; 8-aligned.
            unsafe {
                self.at(at, WORD).cast::<AtomicU32>().write(AtomicU32::new(77));
                self.at(at, TAG).cast::<AtomicU32>().write(AtomicU32::new(77));
            }
        }
    }

    /// The payload of the record at `at`: valid for as many bytes as its `Place` or `Record` says, 16-aligned.
    #[inline(always)]
    pub fn payload(&self, at: u32) -> *mut u8 {
        self.at(at, PAYLOAD)
    }
}

impl Area for RawArea<'_> {
    #[inline(always)]
    fn bytes(&self) -> u32 {
        self.bytes
    }
    #[inline(always)]
    fn word(&self, at: u32) -> &AtomicU32 {
        // SAFETY: inside (see `at`), 4-aligned, alive for 'r, atomic: any bytes are valid.
        unsafe { &*self.at(at, WORD).cast::<AtomicU32>() }
    }
    #[inline(always)]
    fn tag(&self, at: u32) -> &AtomicU32 {
        // SAFETY: as above.
        unsafe { &*self.at(at, TAG).cast::<AtomicU32>() }
    }
    #[inline(always)]
    fn tail(&self) -> &AtomicU32 {
        self.tail
    }
    #[inline(always)]
    fn head(&self) -> &AtomicU32 {
        self.head
    }
}
