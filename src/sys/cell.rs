//! The 64 bytes through which a thread's death is told: the body of every lock and of every member.
//!
//! # Memory
//! The word is in the kernel's robust-futex format, and the node that hangs it into the thread's
//! robust list lies where that thread's libc expects it: `futex_offset` differs, the word does not.
//!
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic`, set last by `init`; 0 = not initialised | init |
//! | 4 | 4 | `kind`, bit 7 set: musl's thread exit reads it as `_m_type`; bit 8: the tag is short | init |
//! | 8 | 4 | **`word`**: `OWNER` 30 bits, `DIED` 1<<30, `WAITERS` 1<<31 | anybody, by one atomic step; kernel |
//! | 12 | 4 | must stay 0 (musl reads it as `_m_waiters`) | nobody |
//! | 16 | 32 | the owner's list node: `next` at 20 (musl32), 28 (glibc32), 36 (musl64), 40 (glibc64) | owner |
//! | 48 | 8 | `tag`: who precisely the owner is, see below; 0 while ownership is in flux | owner, taker-over |
//! | 56 | 8 | `aux`, for the object that the cell is part of | that object |
//!
//! # Invariants
//! 1. Nothing that Rialto does depends on what is *read* from bytes 16..48: our list neighbours are
//!    process-private (see `sys::linux`). Only the kernel follows `next`, at our own death.
//! 2. `tag` is evidence only about the thread that it names in [`TAG_ID`]. It is 0, or names somebody
//!    else, whenever the word may change hands, so that a stopped new owner never looks dead.
//!
//! # The tag
//! Bit 63 [`UNDERTAKER`], bits 41..63 the thread's id, bits 0..41 the platform's own evidence (PID
//! namespace and start time on Linux). Whoever finds the owner dead although the kernel did not mark
//! the word first writes *itself* there with `UNDERTAKER`: an exclusive licence to change the word,
//! which passes on if the undertaker dies in turn.
//!
//! # Without 64-bit atomics
//! The tag is a short one (see `short`) and `aux` a word of 32 bits, both with four bytes of 0 behind. Such a cell
//! has another `kind`, so that targets of the two sorts refuse each other's instead of sharing them.

#[cfg(not(target_has_atomic = "64"))]
use super::short::ShortTag;
#[cfg(target_has_atomic = "64")]
use crate::sync::AtomicU64;
use crate::sync::{AtomicU32, Ordering::*};
use core::cell::UnsafeCell;

/// The owner's thread id in the word; 0 = free.
pub const OWNER: u32 = 0x3fff_ffff;
/// The kernel (or a backstop) found the owner dead.
pub const DIED: u32 = 0x4000_0000;
/// Somebody may sleep on the word.
pub const WAITERS: u32 = 0x8000_0000;
/// In the owner's place: released unrepaired. No thread has this id (TIDs are below 2^22).
pub const UNRECOVERABLE: u32 = OWNER;

/// In a tag: the owner in the word is certainly dead, and the thread named here sees to it.
pub const UNDERTAKER: u64 = 1 << 63;
/// In a tag: where the id of the thread begins that the tag is about; 22 bits, as Linux has for TIDs.
pub const TAG_ID: u32 = 41;

/// The thread that `tag` is about; 0 for none.
pub const fn tag_id(tag: u64) -> u32 {
    ((tag & !UNDERTAKER) >> TAG_ID) as u32
}

/// musl: process-shared (bit 7) and robust (4). Bit 8 is ours, see above.
pub(crate) const CELL_KIND: u32 = if cfg!(target_has_atomic = "64") { 0x84 } else { 0x184 };

/// A robust word, its list node, and its owner's tag.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Cell {
    pub(crate) magic: AtomicU32,
    pub(crate) kind: AtomicU32,
    pub(crate) word: AtomicU32,
    pub(crate) zero: u32,
    /// Written through raw pointers by the owner's thread only (invariant 1).
    pub(crate) node: UnsafeCell<[u32; 8]>,
    #[cfg(target_has_atomic = "64")]
    pub(crate) tag: AtomicU64,
    #[cfg(target_has_atomic = "64")]
    pub(crate) aux: AtomicU64,
    #[cfg(not(target_has_atomic = "64"))]
    pub(crate) tag: ShortTag,
    #[cfg(not(target_has_atomic = "64"))]
    pub(crate) aux: AtomicU32,
    #[cfg(not(target_has_atomic = "64"))]
    aux_zero: u32,
}

// SAFETY: the atomics are Sync; `node` is written only by the thread that owns the word, and never
// read by Rust code in another thread (invariant 1).
unsafe impl Sync for Cell {}
// SAFETY: nothing in a cell belongs to the thread that made it.
unsafe impl Send for Cell {}

#[cfg(not(rialto_loom))]
const _: () = {
    use core::mem::{align_of, offset_of, size_of};
    static_assertions::const_assert_eq!(size_of::<Cell>(), 64);
    static_assertions::const_assert_eq!(align_of::<Cell>(), 64);
    static_assertions::const_assert_eq!(offset_of!(Cell, word), 8);
    static_assertions::const_assert_eq!(offset_of!(Cell, node), 16);
    static_assertions::const_assert_eq!(offset_of!(Cell, tag), 48);
    static_assertions::const_assert_eq!(offset_of!(Cell, aux), 56);
};

macro_rules! new_cell {
    ($($const:tt)?) => {
        /// A free cell of the given magic.
        pub(crate) $($const)? fn new(magic: u32) -> Self {
            Cell {
                magic: AtomicU32::new(magic),
                kind: AtomicU32::new(CELL_KIND),
                word: AtomicU32::new(0),
                zero: 0,
                node: UnsafeCell::new([0; 8]),
                #[cfg(target_has_atomic = "64")]
                tag: AtomicU64::new(0),
                #[cfg(target_has_atomic = "64")]
                aux: AtomicU64::new(0),
                #[cfg(not(target_has_atomic = "64"))]
                tag: ShortTag::new(0),
                #[cfg(not(target_has_atomic = "64"))]
                aux: AtomicU32::new(0),
                #[cfg(not(target_has_atomic = "64"))]
                aux_zero: 0,
            }
        }
    };
}

impl Cell {
    // loom's atomics cannot be made in a constant.
    #[cfg(not(rialto_loom))]
    new_cell!(const);
    #[cfg(rialto_loom)]
    new_cell!();

    /// The word, for models and tests.
    #[doc(hidden)]
    pub fn word(&self) -> &AtomicU32 {
        &self.word
    }

    /// `aux` as a number of 32 bits. Relaxed: its owner's.
    #[inline]
    pub(crate) fn count(&self) -> u32 {
        self.aux.load(Relaxed) as u32
    }

    /// As above.
    #[inline]
    pub(crate) fn set_count(&self, count: u32) {
        self.aux.store(count.into(), Relaxed);
    }

    /// The tag, for models and tests.
    #[cfg(target_has_atomic = "64")]
    #[doc(hidden)]
    pub fn tag(&self) -> &AtomicU64 {
        &self.tag
    }
}
