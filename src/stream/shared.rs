//! A stream's bytes: where they lie, and how a claim of theirs is checked before it is believed.
//!
//! # Memory
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` "RSTR", written last; 0 = not initialised | init |
//! | 4 | 4 | `version` of the layout, 1 | init |
//! | 8 | 4 | `features`: bit 0, 32-bit words only; must be 1 | init |
//! | 12 | 4 | `kind`: 6 | init |
//! | 16 | 4 | `size`: bytes of all this, a multiple of 64 | init |
//! | 20 | 4 | `slots`: of the largest messages, as many fit at least | init |
//! | 24 | 4 | `max_message_bytes`: 1 and more | init |
//! | 28 | 4 | `bytes` of the ring: `(slots + 1) * record_bytes(max_message_bytes)`, at most 2^30 | init |
//! | 64 | 4 | the writer's owner word, see `end` | claimers |
//! | 68 | 4 | `tail`, see `ring::stream` | writer |
//! | 128 | 4 | the reader's owner word | claimers |
//! | 132 | 4 | `head` | reader |
//! | 192 | 4 | `closed`: 0 or 1 | closer |
//! | 196 | 4 | eventcount: a message may be there | see `wait` |
//! | 200 | 4 | eventcount: room may be there | see `wait` |
//! | 256 | bytes + 16 | the ring | writer |
//!
//! Everything below 64 is written once, before `magic`. Readers copy it into their handle at attach, range-check
//! it there, and never read it again. Lines of 64 bytes, not of 128 as elsewhere: memory is dear where this is
//! used, and its two parties are all that can disturb each other.

use crate::{
    error::{Error, Result},
    layout::{self, Layout},
    ring::{
        RawArea,
        stream::{self, MAX_BYTES, UNIT, record_bytes},
    },
    sync::{AtomicU32, Ordering::*},
    wait::EventCount,
};
use core::ptr::NonNull;

const MAGIC: u32 = u32::from_le_bytes(*b"RSTR");
/// The version of this layout.
const VERSION: u32 = 1;
const FEATURES: u32 = 1;
/// Among the kinds of a region's directory, which has none of these.
const KIND: u32 = 6;
pub(super) const ALIGN: u64 = 64;
const RING_OFFSET: u64 = 256;

/// What a stream is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamConfig {
    /// How many messages of the largest size fit; of smaller ones, more. 1 and more, and `slots + 1` times
    /// `max_message_bytes + 8`, rounded up to 16, is at most 2^30.
    pub slots: u32,
    /// The longest message, in bytes. A message takes what it needs, not this.
    pub max_message_bytes: u32,
}

impl StreamConfig {
    /// As many messages, of so many bytes.
    pub const fn new(slots: u32, max_message_bytes: u32) -> Self {
        StreamConfig { slots, max_message_bytes }
    }

    /// Bytes that the stream takes; to be aligned to 64. Errors: `Invalid`.
    pub const fn layout(&self) -> Result<Layout> {
        match Geometry::new(self.slots, self.max_message_bytes) {
            Some(geometry) => Ok(Layout { size: geometry.size, align: ALIGN }),
            None => Err(Error::Invalid),
        }
    }
}

/// The checked numbers of a stream, private to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub slots: u32,
    pub max_message: u32,
    pub bytes: u32,
    pub size: u64,
}

impl Geometry {
    const fn new(slots: u32, max_message: u32) -> Option<Self> {
        if slots == 0 || max_message == 0 || max_message >= MAX_BYTES {
            return None;
        }
        let bytes = (slots as u64 + 1) * record_bytes(max_message) as u64;
        if bytes > MAX_BYTES as u64 {
            return None;
        }
        let bytes = bytes as u32;
        match layout::round_up(RING_OFFSET + RawArea::memory_bytes(bytes), ALIGN) {
            Some(size) => Some(Geometry { slots, max_message, bytes, size }),
            None => None,
        }
    }
}

/// A line of its own, for one party.
#[repr(C, align(64))]
pub(super) struct Side {
    pub owner: AtomicU32,
    /// Of the ring.
    cursor: AtomicU32,
}

/// What is read at every call and written rarely.
#[repr(C, align(64))]
pub(super) struct Life {
    pub closed: AtomicU32,
    pub data: EventCount,
    pub space: EventCount,
}

/// The first 256 bytes.
#[repr(C, align(64))]
pub(super) struct Header {
    magic: AtomicU32,
    version: AtomicU32,
    features: AtomicU32,
    kind: AtomicU32,
    size: AtomicU32,
    slots: AtomicU32,
    max_message: AtomicU32,
    bytes: AtomicU32,
    pub writer: Side,
    pub reader: Side,
    pub life: Life,
}

#[cfg(not(rialto_loom))]
const _: () = {
    use core::mem::{offset_of, size_of};
    static_assertions::const_assert_eq!(offset_of!(Header, bytes), 28);
    static_assertions::const_assert_eq!(offset_of!(Header, writer), 64);
    static_assertions::const_assert_eq!(offset_of!(Header, reader), 128);
    static_assertions::const_assert_eq!(offset_of!(Header, life), 192);
    static_assertions::const_assert_eq!(offset_of!(Side, cursor), 4);
    static_assertions::const_assert_eq!(offset_of!(Life, space), 8);
    static_assertions::const_assert_eq!(size_of::<Header>(), RING_OFFSET as usize);
};

impl Header {
    /// No stream from here on.
    pub fn unmake(&self) {
        self.magic.store(0, Relaxed); // nobody else is there to see it
    }
}

/// A stream's bytes, checked.
#[derive(Clone, Copy)]
pub(super) struct Shared<'m> {
    pub header: &'m Header,
    pub area: RawArea<'m>,
    pub geometry: Geometry,
}

impl<'m> Shared<'m> {
    /// # Safety
    /// `at` is 64-aligned and `geometry.size` bytes from it stay mapped for 'm, for such a stream only.
    unsafe fn over(at: NonNull<u8>, geometry: Geometry) -> Self {
        // SAFETY: all fields of Header are atomics: any bytes are valid, and others may write them.
        let header: &'m Header = unsafe { at.cast::<Header>().as_ref() };
        let (tail, head) = (&header.writer.cursor, &header.reader.cursor);
        // SAFETY: the ring lies inside the object (`Geometry::new`), 64-aligned.
        let area = unsafe { RawArea::new(at.add(RING_OFFSET as usize), geometry.bytes, tail, head) };
        Shared { header, area, geometry }
    }

    /// Makes an empty stream that begins at about `first`.
    ///
    /// # Safety
    /// `at` is 64-aligned and `len` bytes from it stay mapped for 'm; nobody else uses them yet.
    pub unsafe fn format(at: NonNull<u8>, len: u64, config: &StreamConfig, first: u32) -> Result<Self> {
        let geometry = Geometry::new(config.slots, config.max_message_bytes).ok_or(Error::Invalid)?;
        if geometry.size > len {
            return Err(Error::NoSpace);
        }
        // SAFETY: the caller's word, and there is room.
        let shared = unsafe { Self::over(at, geometry) };
        let header = shared.header;
        // SeqCst: before all that follows, for who dies in between and leaves an old magic.
        header.magic.swap(0, SeqCst);
        header.version.store(VERSION, Relaxed);
        header.features.store(FEATURES, Relaxed);
        header.kind.store(KIND, Relaxed);
        header.size.store(geometry.size as u32, Relaxed);
        header.slots.store(geometry.slots, Relaxed);
        header.max_message.store(geometry.max_message, Relaxed);
        header.bytes.store(geometry.bytes, Relaxed);
        header.writer.owner.store(0, Relaxed);
        header.reader.owner.store(0, Relaxed);
        header.life.closed.store(0, Relaxed);
        header.life.data.reset();
        header.life.space.reset();
        stream::format(shared.area, first % geometry.bytes / UNIT * UNIT);
        header.magic.store(MAGIC, Release); // partner: `attach`
        Ok(shared)
    }

    /// Looks at `len` bytes that claim to be a stream.
    ///
    /// # Safety
    /// `at` is 64-aligned and `len` bytes from it stay mapped for 'm.
    pub unsafe fn attach(at: NonNull<u8>, len: u64) -> Result<Self> {
        if len < RING_OFFSET {
            return Err(Error::BadRegion);
        }
        // SAFETY: the header fits; see `over`.
        let header = unsafe { at.cast::<Header>().as_ref() };
        if header.magic.load(Acquire) != MAGIC {
            return Err(Error::BadRegion);
        }
        if header.version.load(Relaxed) != VERSION || header.features.load(Relaxed) != FEATURES {
            return Err(Error::Version);
        }
        if header.kind.load(Relaxed) != KIND {
            return Err(Error::WrongKind);
        }
        let (slots, max) = (header.slots.load(Relaxed), header.max_message.load(Relaxed));
        let geometry = Geometry::new(slots, max).ok_or(Error::BadRegion)?;
        let (bytes, size) = (header.bytes.load(Relaxed), header.size.load(Relaxed));
        if geometry.bytes != bytes || geometry.size != u64::from(size) || geometry.size > len {
            return Err(Error::BadRegion);
        }
        // SAFETY: `geometry.size <= len`.
        Ok(unsafe { Self::over(at, geometry) })
    }
}
