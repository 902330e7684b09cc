//! A pipe's bytes.
//!
//! # Memory
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` "RLTP", written last | creator |
//! | 4 | 4 | `flags`: bit 0 duplex | creator |
//! | 8 | 4 | `ring_bytes`: of each way, a multiple of 128 | creator |
//! | 12 | 4 | `max_message_bytes` | creator |
//! | 128 | 4 | end 0: `member:12 from bit 8 | state:8`; see [`word`] | its holder, recovery |
//! | 256 | 4 | end 1 | the same |
//! | 384 | 512 | way 0, from end 0 to end 1; unused if not duplex | |
//! | 896 | 512 | way 1, from end 1 to end 0 | |
//! | 1408 | ring_bytes + 128 | the stream of way 1 | see `ring::stream` |
//! | then | ring_bytes + 128 | the stream of way 0, if duplex | see `ring::stream` |
//!
//! A way: 0 signal "a message may be there", 128 signal "room may be there" (see `wait`), 256 `tail`, 384 `head`.

use crate::{
    error::{Error, Result},
    layout::{CACHE_LINE, Layout, Line},
    ring::{RawArea, stream},
    sync::{AtomicU32, Ordering::*},
    wait::Signal,
};
use core::ptr::NonNull;

const MAGIC: u32 = u32::from_le_bytes(*b"RLTP");
const DUPLEX: u32 = 1;
const STREAMS_OFFSET: u64 = if cfg!(rialto_loom) { size_of::<Header>() as u64 } else { 1408 };
const MIN_RING_BYTES: u32 = 128;
const LARGEST: u32 = 1 << 30;

/// What an end's word says.
pub(super) mod word {
    use crate::ring::MemberId;

    pub const UNCLAIMED: u32 = 0;
    const OPEN: u32 = 1;
    pub const CLOSED: u32 = 2;
    pub const DIED: u32 = 3;

    pub const fn open(member: MemberId) -> u32 {
        (member as u32) << 8 | OPEN
    }
    pub const fn is_open(word: u32) -> bool {
        word & 0xff == OPEN
    }
    pub const fn is_closed(word: u32) -> bool {
        matches!(word, CLOSED | DIED)
    }
}

/// What a pipe is created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipeConfig {
    /// Room for messages on their way, in each direction; a message takes 8 bytes more than its length, rounded
    /// up to 16. 1 to 2^30, rounded up to a multiple of 128.
    pub ring_bytes: u32,
    /// The longest message, in bytes. 1 to 2^30; one that is longer than about half of `ring_bytes` goes in chunks.
    pub max_message_bytes: u32,
    /// Both directions. If not: end 0 receives, end 1 sends.
    pub duplex: bool,
}

impl PipeConfig {
    /// Duplex; messages of any length.
    pub const fn new(ring_bytes: u32) -> Self {
        PipeConfig { ring_bytes, max_message_bytes: LARGEST, duplex: true }
    }

    /// Bytes that the pipe takes in its region.
    pub fn layout(&self) -> Result<Layout> {
        Ok(Layout { size: Geometry::new(self)?.size(), align: CACHE_LINE })
    }
}

/// The checked numbers of a pipe, private to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub ring_bytes: u32,
    pub max_message: u32,
    pub duplex: bool,
}

impl Geometry {
    pub fn new(config: &PipeConfig) -> Result<Self> {
        let ring_bytes = match config.ring_bytes {
            1..=LARGEST => config.ring_bytes.next_multiple_of(CACHE_LINE as u32),
            _ => return Err(Error::Invalid),
        };
        let geometry = Geometry { ring_bytes, max_message: config.max_message_bytes, duplex: config.duplex };
        if geometry.is_sane() { Ok(geometry) } else { Err(Error::Invalid) }
    }

    fn is_sane(&self) -> bool {
        (MIN_RING_BYTES..=LARGEST).contains(&self.ring_bytes)
            && u64::from(self.ring_bytes) % CACHE_LINE == 0
            && (1..=LARGEST).contains(&self.max_message)
    }

    fn stream_bytes(&self) -> u64 {
        // A stream's last record may end a little behind.
        RawArea::memory_bytes(self.ring_bytes).next_multiple_of(CACHE_LINE)
    }

    fn size(&self) -> u64 {
        STREAMS_OFFSET + self.stream_bytes() * if self.duplex { 2 } else { 1 }
    }
}

#[repr(C)]
struct Header {
    magic: AtomicU32,
    flags: AtomicU32,
    ring_bytes: AtomicU32,
    max_message: AtomicU32,
    _line: [AtomicU32; 28],
    ends: [Line<AtomicU32>; 2],
    ways: [RawWay; 2],
}

#[repr(C)]
struct RawWay {
    data: Line<Signal>,
    space: Line<Signal>,
    tail: Line<AtomicU32>,
    head: Line<AtomicU32>,
}

#[cfg(not(rialto_loom))]
const _: () = {
    use core::mem::{offset_of, size_of};
    static_assertions::const_assert_eq!(offset_of!(Header, ends), 128);
    static_assertions::const_assert_eq!(offset_of!(Header, ways), 384);
    static_assertions::const_assert_eq!(offset_of!(RawWay, tail), 256);
    static_assertions::const_assert_eq!(size_of::<Header>(), STREAMS_OFFSET as usize);
    static_assertions::const_assert!(RawArea::memory_bytes(0) <= CACHE_LINE);
};

/// One direction.
#[derive(Clone, Copy)]
pub(super) struct Way<'r> {
    pub data: &'r Signal,
    pub space: &'r Signal,
    pub area: RawArea<'r>,
}

/// A pipe's bytes, checked.
#[derive(Clone, Copy)]
pub(super) struct Shared<'r> {
    pub ends: [&'r AtomicU32; 2],
    pub geometry: Geometry,
    ways: [Option<Way<'r>>; 2],
}

impl<'r> Shared<'r> {
    /// # Safety
    /// `at` is 128-aligned and `geometry.size()` bytes from it stay mapped, shared, for 'r.
    pub(super) unsafe fn over(at: NonNull<u8>, geometry: Geometry) -> Self {
        // SAFETY: all fields of Header are atomics: any bytes are valid, and others may write them.
        let header = unsafe { at.cast::<Header>().as_ref() };
        let way = |index: usize, place: u64| {
            let raw = &header.ways[index];
            // SAFETY: both streams lie inside the object, 128-aligned, with a line to spare behind each.
            let area = unsafe {
                let base = at.add((STREAMS_OFFSET + place * geometry.stream_bytes()) as usize);
                RawArea::new(base, geometry.ring_bytes, &raw.tail.0, &raw.head.0)
            };
            Way { data: &raw.data.0, space: &raw.space.0, area }
        };
        Shared {
            ends: [&header.ends[0].0, &header.ends[1].0],
            geometry,
            ways: [geometry.duplex.then(|| way(0, 1)), Some(way(1, 0))],
        }
    }

    /// Makes loom's atomics where [`Shared::format`] expects some: no bytes are valid ones.
    ///
    /// # Safety
    /// As [`Shared::over`], and nobody uses the memory yet.
    #[cfg(rialto_loom)]
    pub(super) unsafe fn make_atomics(at: NonNull<u8>, geometry: Geometry) {
        use crate::wait::EventCount;
        let word = || AtomicU32::new(0);
        let signal = || Line(Signal { sleepers: EventCount::new(), pollers: EventCount::new() });
        let way = || RawWay { data: signal(), space: signal(), tail: Line(word()), head: Line(word()) };
        let header = Header {
            magic: word(),
            flags: word(),
            ring_bytes: word(),
            max_message: word(),
            _line: core::array::from_fn(|_| word()),
            ends: [Line(word()), Line(word())],
            ways: [way(), way()],
        };
        // SAFETY: the caller's word.
        unsafe {
            at.cast::<Header>().write(header);
            Self::over(at, geometry).ways.iter().flatten().for_each(|way| way.area.make_atomics());
        }
    }

    /// The way that `end` sends on.
    pub fn way(&self, end: usize) -> Option<Way<'r>> {
        self.ways[end & 1]
    }

    /// Makes a pipe of memory that nobody else uses yet, whatever is in it.
    ///
    /// # Safety
    /// As [`Shared::over`] for `config`'s layout.
    pub unsafe fn format(at: NonNull<u8>, config: &PipeConfig) -> Result<Self> {
        let geometry = Geometry::new(config)?;
        // SAFETY: all fields are atomics.
        let header = unsafe { at.cast::<Header>().as_ref() };
        header.magic.store(0, Relaxed);
        header.flags.store(if geometry.duplex { DUPLEX } else { 0 }, Relaxed);
        header.ring_bytes.store(geometry.ring_bytes, Relaxed);
        header.max_message.store(geometry.max_message, Relaxed);
        // SAFETY: the caller's word.
        let shared = unsafe { Self::over(at, geometry) };
        for end in shared.ends {
            end.store(word::UNCLAIMED, Relaxed);
        }
        for way in shared.ways.iter().flatten() {
            way.data.reset();
            way.space.reset();
            stream::format(way.area, 0);
        }
        header.magic.store(MAGIC, Release);
        Ok(shared)
    }

    /// Looks at `size` bytes that claim to be a pipe.
    ///
    /// # Safety
    /// `at` is 128-aligned and `size` bytes from it stay mapped, shared, for 'r.
    pub unsafe fn attach(at: NonNull<u8>, size: u64) -> Result<Self> {
        if size < STREAMS_OFFSET {
            return Err(Error::BadRegion);
        }
        // SAFETY: the header fits; see `over`.
        let header = unsafe { at.cast::<Header>().as_ref() };
        if header.magic.load(Acquire) != MAGIC {
            return Err(Error::BadRegion);
        }
        let flags = header.flags.load(Relaxed);
        if flags & !DUPLEX != 0 {
            return Err(Error::Version);
        }
        let geometry = Geometry {
            ring_bytes: header.ring_bytes.load(Relaxed),
            max_message: header.max_message.load(Relaxed),
            duplex: flags & DUPLEX != 0,
        };
        if !geometry.is_sane() || geometry.size() > size {
            return Err(Error::BadRegion);
        }
        // SAFETY: `geometry.size() <= size`.
        Ok(unsafe { Self::over(at, geometry) })
    }
}
