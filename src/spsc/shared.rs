//! An SPSC queue's bytes: where they lie, and how a claim of theirs is checked before it is believed.
//!
//! # Memory
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` "RLT1", written last | creator |
//! | 4 | 4 | `flags`: bits 0..2 [`OnDeath`] | creator |
//! | 8 | 4 | `slots`: of the largest messages, as many fit at least | creator |
//! | 12 | 4 | `max_message_bytes`: 1 and more | creator |
//! | 16 | 4 | `bytes` of the stream: `(slots + 1) * record_bytes(max_message_bytes)`, at most 2^30 | creator |
//! | 20 | 4 | `max_attempts`: 1..=14 | creator |
//! | 128 | 4 | `closed`: 0 or 1 | closer |
//! | 132 | 4 | eventcount: an end may be free | see `wait` |
//! | 256 | 8 | signal: a message may be there | see `wait` |
//! | 384 | 8 | signal: room may be there | see `wait` |
//! | 512 | 4 | the producer's owner word, see `ends` | claimers, recoverers |
//! | 516 | 4 | `tail` of the stream, see `ring::stream` | producer |
//! | 640 | 4 | the consumer's owner word | claimers, recoverers |
//! | 644 | 4 | `head` of the stream | consumer |
//! | 648 | 4 | `dropped`: messages given up | consumer |
//! | 768 | bytes + 16 | the stream | producer |
//!
//! Everything below 128 is written once, before the object is announced. Readers copy it into their
//! handle at attach, range-check it there, and never read it again.

use crate::{
    error::{Error, Result},
    layout::{self, CACHE_LINE, Layout, Line},
    ring::{
        OnDeath, RawArea,
        stream::{self, MAX_BYTES, MAX_REDELIVERIES, UNIT, record_bytes},
    },
    sync::{AtomicU32, Ordering::*},
    wait::{EventCount, Signal},
};
use core::ptr::NonNull;

const MAGIC: u32 = u32::from_le_bytes(*b"RLT1");
const STREAM_OFFSET: u64 = if cfg!(rialto_loom) { size_of::<Header>() as u64 } else { 768 };

/// What an SPSC queue is created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpscConfig {
    /// How many messages of the largest size fit; of smaller ones, more. 1 and more, and `slots + 1` times
    /// `max_message_bytes + 8`, rounded up to 16, is at most 2^30.
    pub slots: u32,
    /// The longest message, in bytes. A message takes what it needs, not this.
    pub max_message_bytes: u32,
    /// How often a message is redelivered after its holders died, or gave it back, before `pop` says
    /// `Poisoned` and only `take_poisoned` gets it. 1 to 14. Says nothing in a queue that stops on death.
    pub max_attempts: u8,
    /// What becomes of a message whose holder died with it in hand.
    pub on_death: OnDeath,
}

impl SpscConfig {
    /// Redelivers 5 times.
    pub const fn new(slots: u32, max_message_bytes: u32) -> Self {
        SpscConfig { slots, max_message_bytes, max_attempts: 5, on_death: OnDeath::Redeliver }
    }

    /// Bytes that the queue takes in its region.
    pub fn layout(&self) -> Result<Layout> {
        Ok(Layout { size: Geometry::new(self)?.size, align: CACHE_LINE })
    }
}

/// The checked numbers of a queue, private to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub slots: u32,
    pub max_message: u32,
    pub bytes: u32,
    pub max_attempts: u8,
    pub on_death: OnDeath,
    pub size: u64,
}

impl Geometry {
    pub fn new(config: &SpscConfig) -> Result<Self> {
        let SpscConfig { slots, max_message_bytes, max_attempts, on_death } = *config;
        Self::checked(slots, max_message_bytes, u32::from(max_attempts), on_death).ok_or(Error::Invalid)
    }

    fn checked(slots: u32, max_message: u32, max_attempts: u32, on_death: OnDeath) -> Option<Self> {
        let sane = slots >= 1 && (1..MAX_BYTES).contains(&max_message);
        if !sane || !(1..=u32::from(MAX_REDELIVERIES)).contains(&max_attempts) {
            return None;
        }
        let bytes = (u64::from(slots) + 1) * u64::from(record_bytes(max_message));
        if bytes > u64::from(MAX_BYTES) {
            return None;
        }
        let bytes = bytes as u32;
        let size = layout::round_up(STREAM_OFFSET + RawArea::memory_bytes(bytes), CACHE_LINE)?;
        Some(Geometry { slots, max_message, bytes, max_attempts: max_attempts as u8, on_death, size })
    }

    /// A message that was in hand more often than this is poisoned.
    pub fn limit(&self) -> u8 {
        if self.on_death == OnDeath::Stop { 0 } else { self.max_attempts }
    }
}

#[repr(C)]
pub(super) struct Life {
    pub closed: AtomicU32,
    pub ends: EventCount,
}

#[repr(C)]
pub(super) struct ProducersLine {
    pub owner: AtomicU32,
    tail: AtomicU32,
}

#[repr(C)]
pub(super) struct ConsumersLine {
    pub owner: AtomicU32,
    head: AtomicU32,
    pub dropped: AtomicU32,
}

/// The first 768 bytes.
#[repr(C, align(128))]
pub(super) struct Header {
    magic: AtomicU32,
    flags: AtomicU32,
    slots: AtomicU32,
    max_message: AtomicU32,
    bytes: AtomicU32,
    max_attempts: AtomicU32,
    pub life: Line<Life>,
    pub data: Line<Signal>,
    pub space: Line<Signal>,
    pub producer: Line<ProducersLine>,
    pub consumer: Line<ConsumersLine>,
}

#[cfg(not(rialto_loom))]
const _: () = {
    use core::mem::{offset_of, size_of};
    static_assertions::const_assert_eq!(offset_of!(Header, life), 128);
    static_assertions::const_assert_eq!(offset_of!(Header, data), 256);
    static_assertions::const_assert_eq!(offset_of!(Header, space), 384);
    static_assertions::const_assert_eq!(offset_of!(Header, producer), 512);
    static_assertions::const_assert_eq!(offset_of!(Header, consumer), 640);
    static_assertions::const_assert_eq!(size_of::<Header>(), STREAM_OFFSET as usize);
    static_assertions::const_assert_eq!(offset_of!(ConsumersLine, dropped), 8);
};

/// A queue's bytes, checked.
#[derive(Clone, Copy)]
pub(super) struct Shared<'r> {
    pub header: &'r Header,
    pub area: RawArea<'r>,
    pub geometry: Geometry,
}

impl<'r> Shared<'r> {
    /// # Safety
    /// `at` is 128-aligned and `geometry.size` bytes from it stay mapped, shared, for 'r, for such a queue only.
    pub unsafe fn over(at: NonNull<u8>, geometry: Geometry) -> Self {
        // SAFETY: all fields of Header are atomics: any bytes are valid, and others may write them.
        let header = unsafe { at.cast::<Header>().as_ref() };
        let (tail, head) = (&header.producer.0.tail, &header.consumer.0.head);
        // SAFETY: the stream lies inside the object (`checked`), 128-aligned.
        let area = unsafe { RawArea::new(at.add(STREAM_OFFSET as usize), geometry.bytes, tail, head) };
        Shared { header, area, geometry }
    }

    /// Makes loom's atomics where [`Shared::format`] expects some: no bytes are valid ones.
    ///
    /// # Safety
    /// As [`Shared::over`], and nobody uses the memory yet.
    #[cfg(rialto_loom)]
    pub unsafe fn make_atomics(at: NonNull<u8>, geometry: Geometry) {
        let word = || AtomicU32::new(0);
        let header = Header {
            magic: word(),
            flags: word(),
            slots: word(),
            max_message: word(),
            bytes: word(),
            max_attempts: word(),
            life: Line(Life { closed: word(), ends: EventCount::new() }),
            data: Line(Signal::new()),
            space: Line(Signal::new()),
            producer: Line(ProducersLine { owner: word(), tail: word() }),
            consumer: Line(ConsumersLine { owner: word(), head: word(), dropped: word() }),
        };
        // SAFETY: the caller's word.
        unsafe {
            at.cast::<Header>().write(header);
            Self::over(at, geometry).area.make_atomics();
        }
    }

    /// Makes an empty queue of memory that nobody else uses yet, whatever is in it. Its stream begins at about
    /// `first`.
    ///
    /// # Safety
    /// As [`Shared::over`] for `config`'s layout.
    pub unsafe fn format(at: NonNull<u8>, config: &SpscConfig, first: u32) -> Result<Self> {
        let geometry = Geometry::new(config)?;
        // SAFETY: the caller's word.
        let shared = unsafe { Self::over(at, geometry) };
        let header = shared.header;
        header.magic.store(0, Relaxed);
        header.flags.store(geometry.on_death as u32, Relaxed);
        header.slots.store(geometry.slots, Relaxed);
        header.max_message.store(geometry.max_message, Relaxed);
        header.bytes.store(geometry.bytes, Relaxed);
        header.max_attempts.store(u32::from(geometry.max_attempts), Relaxed);
        header.life.0.closed.store(0, Relaxed);
        header.life.0.ends.reset();
        header.data.0.reset();
        header.space.0.reset();
        header.producer.0.owner.store(0, Relaxed);
        header.consumer.0.owner.store(0, Relaxed);
        header.consumer.0.dropped.store(0, Relaxed);
        stream::format(shared.area, first % geometry.bytes / UNIT * UNIT);
        header.magic.store(MAGIC, Release);
        Ok(shared)
    }

    /// Looks at `size` bytes that claim to be a queue.
    ///
    /// # Safety
    /// `at` is 128-aligned and `size` bytes from it stay mapped, shared, for 'r.
    pub unsafe fn attach(at: NonNull<u8>, size: u64) -> Result<Self> {
        if size < STREAM_OFFSET {
            return Err(Error::BadRegion);
        }
        // SAFETY: the header fits; see `over`.
        let header = unsafe { at.cast::<Header>().as_ref() };
        if header.magic.load(Acquire) != MAGIC {
            return Err(Error::BadRegion);
        }
        let on_death = OnDeath::from_u32(header.flags.load(Relaxed)).ok_or(Error::Version)?;
        let (slots, max) = (header.slots.load(Relaxed), header.max_message.load(Relaxed));
        let attempts = header.max_attempts.load(Relaxed);
        let geometry = Geometry::checked(slots, max, attempts, on_death).ok_or(Error::BadRegion)?;
        if geometry.bytes != header.bytes.load(Relaxed) || geometry.size > size {
            return Err(Error::BadRegion);
        }
        // SAFETY: `geometry.size <= size`.
        Ok(unsafe { Self::over(at, geometry) })
    }
}
