//! A queue's bytes: where they lie, and how a claim of theirs is checked before it is believed.
//!
//! # Memory
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` "RLTQ", written last | creator |
//! | 4 | 4 | `flags`: bit 0 kill-only | creator |
//! | 8 | 4 | `shift`: log2 of the slots, 1..=16 | creator |
//! | 12 | 4 | `max_message_bytes` | creator |
//! | 16 | 4 | `stride`: bytes from slot to slot | creator |
//! | 20 | 4 | `max_attempts`: 1..=30 | creator |
//! | 128 | 4 | `closed`: 0 or 1 | closer |
//! | 256 | 128 | eventcount: a message may be there | see `wait` |
//! | 384 | 128 | eventcount: room may be there | see `wait` |
//! | 512 | 512 | the ring's header: tail, head, orphan word, counters | see `ring::mpmc` |
//! | 1024 | stride x slots | slots: 8 slot word, 4 length, 4 unused, payload | claimer |
//!
//! Everything below 128 is written once, before the object is announced. Readers copy it into their
//! handle at attach, range-check it there, and never read it again.

use crate::{
    error::{Error, Result},
    layout::{self, CACHE_LINE, Layout, Line},
    ring::{self, Slots},
    sync::{AtomicU32, AtomicU64, Ordering::*},
    wait::EventCount,
};
use core::{marker::PhantomData, ptr::NonNull};

const MAGIC: u32 = u32::from_le_bytes(*b"RLTQ");
const KILL_ONLY: u32 = 1;
const SLOTS_OFFSET: u64 = 1024;
/// Slot word, length, four bytes unused.
const PAYLOAD_OFFSET: usize = 16;
/// Payloads are this much aligned, so any type up to that can be used in place.
pub(super) const PAYLOAD_ALIGN: u64 = 16;

/// What a queue is created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// Messages that fit; rounded up to a power of two. 1 to 65536; 1 is taken as 2.
    pub slots: u32,
    /// The longest message, in bytes. 1 to 2^30; every slot takes that much room.
    pub max_message_bytes: u32,
    /// How often a message is redelivered after its holders died before `pop` passes over it and only
    /// `take_poisoned` gets it. 1 to 30.
    pub max_attempts: u8,
    /// Cheaper, and still kill-safe, but a *stopped* participant blocks others at the slot it is in.
    pub kill_only: bool,
}

impl QueueConfig {
    /// Stop-safe, 5 attempts.
    pub const fn new(slots: u32, max_message_bytes: u32) -> Self {
        QueueConfig { slots, max_message_bytes, max_attempts: 5, kill_only: false }
    }

    /// Bytes that the queue takes in its region.
    pub fn layout(&self) -> Result<Layout> {
        Ok(Layout { size: Geometry::new(self)?.size, align: CACHE_LINE })
    }
}

/// The checked numbers of a queue, private to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub shift: u32,
    pub max_message: u32,
    pub stride: u32,
    pub max_attempts: u8,
    pub kill_only: bool,
    pub size: u64,
}

impl Geometry {
    pub fn new(config: &QueueConfig) -> Result<Self> {
        if !(1..=1 << 16).contains(&config.slots) {
            return Err(Error::Invalid);
        }
        let shift = config.slots.max(2).next_power_of_two().trailing_zeros();
        let attempts = u32::from(config.max_attempts);
        Self::checked(shift, config.max_message_bytes, attempts, config.kill_only).ok_or(Error::Invalid)
    }

    fn checked(shift: u32, max_message: u32, max_attempts: u32, kill_only: bool) -> Option<Self> {
        let sane = (1..=16).contains(&shift) && (1..=1 << 30).contains(&max_message);
        if !sane || !(1..=30).contains(&max_attempts) {
            return None;
        }
        let stride = layout::round_up(PAYLOAD_OFFSET as u64 + u64::from(max_message), PAYLOAD_ALIGN)?;
        let size = layout::round_up(SLOTS_OFFSET + (stride << shift), CACHE_LINE)?;
        let stride = u32::try_from(stride).ok()?;
        Some(Geometry { shift, max_message, stride, max_attempts: max_attempts as u8, kill_only, size })
    }
}

/// The first 1024 bytes.
#[repr(C, align(128))]
pub(super) struct Header {
    magic: AtomicU32,
    flags: AtomicU32,
    shift: AtomicU32,
    max_message: AtomicU32,
    stride: AtomicU32,
    max_attempts: AtomicU32,
    pub closed: Line<AtomicU32>,
    pub not_empty: Line<EventCount>,
    pub not_full: Line<EventCount>,
    pub ring: ring::Header,
}

#[cfg(not(rialto_loom))]
const _: () = {
    use core::mem::{offset_of, size_of};
    static_assertions::const_assert_eq!(offset_of!(Header, closed), 128);
    static_assertions::const_assert_eq!(offset_of!(Header, not_empty), 256);
    static_assertions::const_assert_eq!(offset_of!(Header, not_full), 384);
    static_assertions::const_assert_eq!(offset_of!(Header, ring), 512);
    static_assertions::const_assert_eq!(size_of::<Header>(), SLOTS_OFFSET as usize);
};

/// The slots in memory: `1 << shift` of them, `stride` bytes apart.
#[derive(Clone, Copy)]
pub(super) struct RawSlots<'r> {
    base: NonNull<u8>,
    stride: u32,
    mask: u32,
    _region: PhantomData<&'r AtomicU64>,
}

// SAFETY: it only hands out references to atomics and raw payload pointers; whoever holds a claim on a
// slot is the only one to use its payload.
unsafe impl Send for RawSlots<'_> {}
// SAFETY: as above.
unsafe impl Sync for RawSlots<'_> {}

impl<'r> RawSlots<'r> {
    fn at(self, index: u32) -> *mut u8 {
        // SAFETY: masked, so below `1 << shift`; `checked` made sure that so many strides fit `size`,
        // and whoever made the handle that `size` bytes are mapped there.
        unsafe { self.base.as_ptr().add((index & self.mask) as usize * self.stride as usize) }
    }

    pub fn length(self, index: u32) -> &'r AtomicU32 {
        // SAFETY: inside the slot (stride >= 16+1), 4-aligned as slots are 16-aligned, alive for 'r.
        unsafe { &*self.at(index).add(8).cast::<AtomicU32>() }
    }

    pub fn payload(self, index: u32) -> *mut u8 {
        // SAFETY: inside the slot.
        unsafe { self.at(index).add(PAYLOAD_OFFSET) }
    }
}

impl Slots for RawSlots<'_> {
    #[inline(always)]
    fn word(&self, index: u32) -> &AtomicU64 {
        // SAFETY: the slot's first eight bytes, 16-aligned, alive for 'r, never accessed but atomically.
        unsafe { &*self.at(index).cast::<AtomicU64>() }
    }
}

/// A queue's bytes, checked.
#[derive(Clone, Copy)]
pub(super) struct Shared<'r> {
    pub header: &'r Header,
    pub slots: RawSlots<'r>,
    pub geometry: Geometry,
}

impl<'r> Shared<'r> {
    /// # Safety
    /// `at` is 128-aligned and `geometry.size` bytes from it stay mapped, shared, for 'r.
    unsafe fn over(at: NonNull<u8>, geometry: Geometry) -> Self {
        // SAFETY: all fields of Header are atomics: any bytes are valid, and others may write them.
        let header = unsafe { at.cast::<Header>().as_ref() };
        // SAFETY: the slots begin inside the object.
        let base = unsafe { at.add(SLOTS_OFFSET as usize) };
        let mask = (1 << geometry.shift) - 1;
        let slots = RawSlots { base, stride: geometry.stride, mask, _region: PhantomData };
        Shared { header, slots, geometry }
    }

    /// Makes an empty queue of memory that nobody else uses yet, whatever is in it.
    ///
    /// # Safety
    /// As [`Shared::over`] for `config`'s layout.
    pub unsafe fn format(at: NonNull<u8>, config: &QueueConfig, first_turn: u64) -> Result<Self> {
        let geometry = Geometry::new(config)?;
        // SAFETY: the caller's word.
        let shared = unsafe { Self::over(at, geometry) };
        let header = shared.header;
        header.magic.store(0, Relaxed);
        header.flags.store(if config.kill_only { KILL_ONLY } else { 0 }, Relaxed);
        header.shift.store(geometry.shift, Relaxed);
        header.max_message.store(geometry.max_message, Relaxed);
        header.stride.store(geometry.stride, Relaxed);
        header.max_attempts.store(u32::from(geometry.max_attempts), Relaxed);
        header.closed.0.store(0, Relaxed);
        header.not_empty.0.reset();
        header.not_full.0.reset();
        shared.ring().format(first_turn);
        header.magic.store(MAGIC, Release);
        Ok(shared)
    }

    /// Looks at `size` bytes that claim to be a queue.
    ///
    /// # Safety
    /// `at` is 128-aligned and `size` bytes from it stay mapped, shared, for 'r.
    pub unsafe fn attach(at: NonNull<u8>, size: u64) -> Result<Self> {
        if size < SLOTS_OFFSET {
            return Err(Error::BadRegion);
        }
        // SAFETY: the header fits; see `over`.
        let header = unsafe { at.cast::<Header>().as_ref() };
        if header.magic.load(Acquire) != MAGIC {
            return Err(Error::BadRegion);
        }
        let flags = header.flags.load(Relaxed);
        if flags & !KILL_ONLY != 0 {
            return Err(Error::Version);
        }
        let (shift, max) = (header.shift.load(Relaxed), header.max_message.load(Relaxed));
        let attempts = header.max_attempts.load(Relaxed);
        let geometry =
            Geometry::checked(shift, max, attempts, flags & KILL_ONLY != 0).ok_or(Error::BadRegion)?;
        if geometry.stride != header.stride.load(Relaxed) || geometry.size > size {
            return Err(Error::BadRegion);
        }
        // SAFETY: `geometry.size <= size`.
        Ok(unsafe { Self::over(at, geometry) })
    }

    pub fn ring(&self) -> ring::Ring<'r, RawSlots<'r>> {
        ring::Ring::new(&self.header.ring, self.slots, self.geometry.shift, !self.geometry.kill_only)
    }
}
