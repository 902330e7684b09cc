//! A barrier's bytes; see the table in `barrier`.

use super::{Barrier, MAX_PARTIES, Parts};
use crate::{
    error::{Error, Result},
    layout::{CACHE_LINE, Layout, Line, round_up},
    member::Home,
    sync::{AtomicU32, AtomicU64, Ordering::*},
    wait::EventCount,
};
use core::ptr::NonNull;

const MAGIC: u32 = u32::from_le_bytes(*b"RLTB");
const WORDS_OFFSET: u64 = 512;

#[repr(C)]
struct Header {
    magic: AtomicU32,
    parties: AtomicU32,
    _line: [AtomicU32; 30],
    state: Line<AtomicU64>,
    released: Line<EventCount>,
    vacated: Line<EventCount>,
}

#[cfg(not(rialto_loom))]
static_assertions::const_assert_eq!(core::mem::offset_of!(Header, state), 128);
#[cfg(not(rialto_loom))]
static_assertions::const_assert_eq!(core::mem::size_of::<Header>(), WORDS_OFFSET as usize);

/// Bytes for `parties` parties. Errors: `Invalid` (0, or more than [`MAX_PARTIES`]).
pub(crate) fn layout(parties: u32) -> Result<Layout> {
    if parties == 0 || parties > u32::from(MAX_PARTIES) {
        return Err(Error::Invalid);
    }
    let size = round_up(WORDS_OFFSET + 24 * u64::from(parties), CACHE_LINE).ok_or(Error::Invalid)?;
    Ok(Layout { size, align: CACHE_LINE })
}

impl<'r, H: Home> Barrier<'r, H> {
    /// Makes one of fresh memory, before generation `completed`.
    ///
    /// # Safety
    /// `at` is 128-aligned; `layout(parties)` bytes from it stay mapped and shared for 'r, and nobody uses
    /// them yet.
    pub(crate) unsafe fn format(home: &'r H, at: NonNull<u8>, parties: u32, completed: u64) -> Result<Self> {
        layout(parties)?;
        // SAFETY: the caller's word; all fields are atomics, so any bytes are valid.
        let header = unsafe { at.cast::<Header>().as_ref() };
        header.magic.store(0, Relaxed);
        header.parties.store(parties, Relaxed);
        header.released.0.reset();
        header.vacated.0.reset();
        // SAFETY: the caller's word.
        let parts = unsafe { parts(at, parties) };
        parts.format(completed);
        header.magic.store(MAGIC, Release);
        Ok(Barrier::over(home, parts))
    }

    /// Attaches to `size` bytes that claim to be one.
    ///
    /// # Safety
    /// `at` is 128-aligned and `size` bytes from it stay mapped and shared for 'r.
    pub(crate) unsafe fn attach(home: &'r H, at: NonNull<u8>, size: u64) -> Result<Self> {
        if size < WORDS_OFFSET {
            return Err(Error::BadRegion);
        }
        // SAFETY: the header fits; all fields are atomics, so any bytes are valid.
        let header = unsafe { at.cast::<Header>().as_ref() };
        if header.magic.load(Acquire) != MAGIC {
            return Err(Error::BadRegion);
        }
        let parties = header.parties.load(Relaxed);
        if layout(parties).map_err(|_| Error::BadRegion)?.size > size {
            return Err(Error::BadRegion);
        }
        // SAFETY: so many fit.
        Ok(Barrier::over(home, unsafe { parts(at, parties) }))
    }
}

/// # Safety
/// `at` is 128-aligned; `layout(parties)` bytes from it stay mapped and shared for 'r.
unsafe fn parts<'r>(at: NonNull<u8>, parties: u32) -> Parts<'r> {
    let n = parties as usize;
    // SAFETY: the caller's word; atomics, 8-aligned.
    unsafe {
        let header = at.cast::<Header>().as_ref();
        let words = at.add(WORDS_OFFSET as usize).cast::<AtomicU64>();
        let row = |i: usize| core::slice::from_raw_parts(words.add(i * n).as_ptr(), n);
        Parts {
            state: &header.state.0,
            released: &header.released.0,
            vacated: &header.vacated.0,
            registry: row(0),
            places: [row(1), row(2)],
        }
    }
}
