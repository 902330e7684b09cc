//! Sizes, alignments and the arithmetic on offsets inside a region. A leaf; pure, no atomics.
//!
//! All sums are checked: a size that does not fit 64 bits, or the region, is `None`, never a wrap.

/// Every contended word has this many bytes to itself. One constant for every target, because the
/// processes of a region may be built for different ones: 128 covers arm64's lines and x86-64's
/// adjacent-line prefetch (Intel SDM 2.5.5, "spatial prefetcher").
pub const CACHE_LINE: u64 = 128;

/// Bytes and alignment of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Layout {
    /// Bytes.
    pub size: u64,
    /// A power of two.
    pub align: u64,
}

/// `value` rounded up to a multiple of `align`, a power of two.
pub const fn round_up(value: u64, align: u64) -> Option<u64> {
    match value.checked_add(align - 1) {
        Some(sum) => Some(sum & !(align - 1)),
        None => None,
    }
}

/// Whether `size` bytes at `offset` lie inside `0..total`.
pub const fn fits(offset: u64, size: u64, total: u64) -> bool {
    match offset.checked_add(size) {
        Some(end) => end <= total,
        None => false,
    }
}

/// A value with its own cache line.
#[repr(C, align(128))]
pub struct Line<T>(pub T);
