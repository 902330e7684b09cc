//! The first bytes of a region: what it is, how big, and where its tables lie.
//!
//! # Memory
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 8 | `magic` "RIALTO" 0 0, written last | creator |
//! | 8 | 4 | `version` of the layout, 1 | creator |
//! | 12 | 4 | `features`: none yet, must be 0 | creator |
//! | 16 | 8 | `size` of the region in bytes | creator |
//! | 24 | 4 | `members`: places in the member table, 1..=4095 | creator |
//! | 28 | 4 | `objects`: entries of the directory, 1..=4096 | creator |
//! | 32 | 4 | `tick_ms`: 1..=60000 | creator |
//! | 64 | 64 | the directory's lock (a `Cell`) | its owner |
//! | 128 | 8 | `used`: where the objects begin; nobody reads it | creator |
//! | 256 | 64 x objects | directory | lock's owner |
//! | then, 128-aligned | 64 x members | member cells | see `member` |
//! | then, 128-aligned | 8 x (7 + objects / 64, rounded up) x (members + 16) | who uses which object | see `users` |
//! | then, 128-aligned | | objects | see each |
//!
//! The fields below 64 are written before `magic` and never again. A reader copies them once, checks
//! them against each other and against the memory that it really has, and keeps the copy.

use super::users;
use crate::{
    error::{Error, Result},
    layout::{CACHE_LINE, Layout, round_up},
    lock::Lock,
    sync::{AtomicU32, AtomicU64, Ordering::*},
};

/// The first bytes of a region.
pub(crate) const MAGIC_BYTES: [u8; 8] = *b"RIALTO\0\0";
const MAGIC: u64 = u64::from_le_bytes(MAGIC_BYTES);
/// The version of every layout in a region.
pub const LAYOUT_VERSION: u32 = 1;

/// What a region is created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionConfig {
    /// How many threads can be members at a time (explicit memberships included). 1 to 4095.
    pub members: u16,
    /// How many named objects there can be. 1 to 4096.
    pub objects: u16,
    /// The bound, in milliseconds, within which a sleeper notices what nobody told it. 1 to 60000.
    pub tick_ms: u32,
}

impl Default for RegionConfig {
    fn default() -> Self {
        RegionConfig { members: 64, objects: 32, tick_ms: 100 }
    }
}

impl RegionConfig {
    /// Bytes that header and tables take; the objects' layouts come on top. Align: 128.
    pub fn layout(&self) -> Result<Layout> {
        let geometry = Geometry::new(self, 0).ok_or(Error::Invalid)?;
        Ok(Layout { size: geometry.data_offset, align: CACHE_LINE })
    }
}

/// The checked numbers of a region, private to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub size: u64,
    pub members: u16,
    pub objects: u16,
    pub tick_ms: u32,
    pub members_offset: u64,
    pub users_offset: u64,
    /// Words of a row of that table.
    pub row_words: usize,
    pub rows: usize,
    pub data_offset: u64,
}

impl Geometry {
    pub fn new(config: &RegionConfig, size: u64) -> Option<Self> {
        let RegionConfig { members, objects, tick_ms } = *config;
        let sane = (1..=4095).contains(&members) && (1..=4096).contains(&objects);
        if !sane || !(1..=60_000).contains(&tick_ms) {
            return None;
        }
        let members_offset = round_up(OBJECTS_OFFSET + 64 * u64::from(objects), CACHE_LINE)?;
        let users_offset = round_up(members_offset + 64 * u64::from(members), CACHE_LINE)?;
        let (row_words, rows) = (users::row_words(objects), usize::from(members + users::SPARE_ROWS));
        let data_offset = round_up(users_offset + 8 * (row_words * rows) as u64, CACHE_LINE)?;
        Some(Geometry {
            size,
            members,
            objects,
            tick_ms,
            members_offset,
            users_offset,
            row_words,
            rows,
            data_offset,
        })
    }
}

pub(crate) const OBJECTS_OFFSET: u64 = 256;

/// The first 256 bytes.
#[repr(C, align(64))]
pub(super) struct Header {
    magic: AtomicU64,
    version: AtomicU32,
    features: AtomicU32,
    size: AtomicU64,
    members: AtomicU32,
    objects: AtomicU32,
    tick_ms: AtomicU32,
    pub lock: Lock,
    pub used: AtomicU64,
    _reserved: [u64; 15],
}

#[cfg(not(rialto_loom))]
const _: () = {
    use core::mem::{offset_of, size_of};
    static_assertions::const_assert_eq!(offset_of!(Header, size), 16);
    static_assertions::const_assert_eq!(offset_of!(Header, tick_ms), 32);
    static_assertions::const_assert_eq!(offset_of!(Header, lock), 64);
    static_assertions::const_assert_eq!(offset_of!(Header, used), 128);
    static_assertions::const_assert_eq!(size_of::<Header>(), OBJECTS_OFFSET as usize);
};

impl Header {
    /// Whether this is a finished region.
    pub fn is_ready(&self) -> bool {
        self.magic.load(Acquire) == MAGIC
    }

    /// Everything but `magic`.
    pub fn write(&self, geometry: &Geometry) {
        self.magic.store(0, Relaxed);
        self.version.store(LAYOUT_VERSION, Relaxed);
        self.features.store(0, Relaxed);
        self.size.store(geometry.size, Relaxed);
        self.members.store(u32::from(geometry.members), Relaxed);
        self.objects.store(u32::from(geometry.objects), Relaxed);
        self.tick_ms.store(geometry.tick_ms, Relaxed);
        self.used.store(geometry.data_offset, Relaxed);
    }

    /// The region exists from here on. Partner: the Acquire load in `is_ready`.
    pub fn publish(&self) {
        self.magic.store(MAGIC, Release);
    }

    /// What the header says, checked against itself and the `available` bytes.
    pub fn read(&self, available: u64) -> Result<Geometry> {
        if !self.is_ready() {
            return Err(Error::BadRegion);
        }
        if self.version.load(Relaxed) != LAYOUT_VERSION || self.features.load(Relaxed) != 0 {
            return Err(Error::Version);
        }
        let narrow = |value: &AtomicU32| u16::try_from(value.load(Relaxed)).map_err(|_| Error::BadRegion);
        let (members, objects) = (narrow(&self.members)?, narrow(&self.objects)?);
        let config = RegionConfig { members, objects, tick_ms: self.tick_ms.load(Relaxed) };
        let geometry = Geometry::new(&config, self.size.load(Relaxed)).ok_or(Error::BadRegion)?;
        if geometry.size > available || geometry.data_offset > geometry.size {
            return Err(Error::BadRegion);
        }
        Ok(geometry)
    }
}
