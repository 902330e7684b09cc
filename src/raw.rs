//! Values and arrays without a lock and without copies: `multiprocessing.RawValue` and `RawArray`.
//!
//! One element of 1, 2, 4 or 8 bytes is stored by one instruction, so it is all or nothing; such numbers can be
//! swapped, compared and added to, too. Of anything larger a reader may see parts of two stores, for ever if the
//! writer died between them: that is what [`crate::value`] and [`crate::array`] are for.
//!
//! # Example
//! ```
//! use rialto::{Region, RegionConfig};
//!
//! let region = Region::create_anonymous(1 << 16, &RegionConfig::default())?;
//! let samples = region.create_raw_array::<u16>("samples", 1000)?;
//! samples.set(7, 40)?;
//! assert_eq!(samples.fetch_add(7, 2)?, 40);
//! assert_eq!(samples.get(7)?, 42);
//! # Ok::<(), rialto::Error>(())
//! ```
//!
//! # Memory
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` "RLRA" (an array) or "RLRV" (a value), set last | creator |
//! | 4 | 4 | `type`, see [`Code`] | creator |
//! | 8 | 4 | `size` of an element, 1..=2^30 | creator |
//! | 12 | 4 | `len`, 1 in a value | creator |
//! | 128 | size x len | elements, without gaps | everybody |
//!
//! # Invariants
//! 1. The first 128 bytes are written once, read once, at attach, and checked.
//!
//! # Ordering
//! A store or an update of a number is Release, a load Acquire: who sees it, sees what the storer wrote before.
//! Numbers of 1 and 2 bytes are stored as part of the 4-byte word around them, by compare-and-swap, so that
//! stores to their neighbours are not undone. Other elements are copied with volatile accesses, unordered.
//!
//! # Crash
//! Numbers: stored, or not. Others: any prefix of the copy is.
//!
//! # Limits
//! 2^30 bytes. A number that others change all the time makes an update of it, or of a 1- or 2-byte neighbour, try again.
//!
//! # Checked by
//! `tests/raw.rs`, `tests/sweep_state.rs`.

use crate::{
    bytes,
    element::{Code, Element, Number, Word, offset, read_all, read_with},
    error::{Error, Result},
    layout::{CACHE_LINE, Layout, fits, round_up},
    sync::{AtomicU32, AtomicU64, Ordering::*},
};
use core::{marker::PhantomData, ptr::NonNull};

const ARRAY: u32 = u32::from_le_bytes(*b"RLRA");
const VALUE: u32 = u32::from_le_bytes(*b"RLRV");
const DATA_OFFSET: u64 = 128;
const MAX_BYTES: u64 = 1 << 30;

/// Where elements of one size lie, whatever their type.
#[derive(Clone, Copy)]
pub(crate) struct Elements<'r> {
    base: NonNull<u8>,
    size: u32,
    len: u32,
    memory: PhantomData<&'r AtomicU64>,
}

// SAFETY: what is behind `base` is shared memory, accessed by atomics and volatile copies only.
unsafe impl Send for Elements<'_> {}
// SAFETY: as above.
unsafe impl Sync for Elements<'_> {}

#[repr(C, align(128))]
struct Header {
    magic: AtomicU32,
    code: AtomicU32,
    size: AtomicU32,
    len: AtomicU32,
}

/// Bytes for `len` elements of `size` bytes. Errors: `Invalid` (none, or more than 2^30 bytes).
pub fn layout(size: u32, len: u32) -> Result<Layout> {
    let bytes = u64::from(size) * u64::from(len);
    if bytes == 0 || bytes > MAX_BYTES {
        return Err(Error::Invalid);
    }
    let size = round_up(DATA_OFFSET + bytes, CACHE_LINE).ok_or(Error::Invalid)?;
    Ok(Layout { size, align: CACHE_LINE })
}

impl<'r> Elements<'r> {
    /// Makes them, zero.
    ///
    /// # Safety
    /// `at` is 128-aligned; `layout(size, len)` bytes from it stay mapped and shared for 'r; nobody uses them yet.
    unsafe fn format(at: NonNull<u8>, code: Code, size: u32, len: u32) -> Result<Self> {
        let bytes = layout(size, len)?.size - DATA_OFFSET;
        if code.size().is_some_and(|known| known != size) {
            return Err(Error::Invalid);
        }
        // SAFETY: the caller's word; any bytes are valid for atomics.
        let header = unsafe { at.cast::<Header>().as_ref() };
        header.magic.swap(0, SeqCst); // before anything else, should we be killed on the way
        header.code.store(code as u32, Relaxed);
        header.size.store(size, Relaxed);
        header.len.store(len, Relaxed);
        // SAFETY: the caller's word.
        let base = unsafe { at.add(DATA_OFFSET as usize) };
        // SAFETY: as above, 16-aligned.
        unsafe { bytes::fill_zero(base.as_ptr(), bytes as usize) };
        Ok(Elements { base, size, len, memory: PhantomData })
    }

    /// What `format` and the first stores made, exists from here on. Partner: `attach`.
    ///
    /// # Safety
    /// As for `format`, of the same memory.
    unsafe fn publish(magic: u32, at: NonNull<u8>) {
        // SAFETY: the caller's word.
        unsafe { at.cast::<Header>().as_ref() }.magic.store(magic, Release);
    }

    /// Attaches to `size` bytes. Errors: `BadRegion`.
    ///
    /// # Safety
    /// `at` is 128-aligned; `size` bytes from it stay mapped and shared for 'r. What is in them does not matter.
    unsafe fn attach(magic: u32, at: NonNull<u8>, size: u64) -> Result<(Self, Code)> {
        if size < DATA_OFFSET {
            return Err(Error::BadRegion);
        }
        // SAFETY: it fits; any bytes are valid for atomics.
        let header = unsafe { at.cast::<Header>().as_ref() };
        if header.magic.load(Acquire) != magic {
            return Err(Error::BadRegion);
        }
        let code = Code::from_u32(header.code.load(Relaxed)).ok_or(Error::BadRegion)?;
        let (each, len) = (header.size.load(Relaxed), header.len.load(Relaxed));
        let layout = layout(each, len).map_err(|_| Error::BadRegion)?;
        let odd = code.size().is_some_and(|known| known != each) || (magic == VALUE && len != 1);
        if odd || !fits(0, layout.size, size) {
            return Err(Error::BadRegion);
        }
        // SAFETY: inside, as was just seen.
        let base = unsafe { at.add(DATA_OFFSET as usize) };
        Ok((Elements { base, size: each, len, memory: PhantomData }, code))
    }

    /// The first element.
    #[cfg(feature = "capi")]
    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Bytes of an element.
    #[cfg(feature = "capi")]
    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// Elements.
    #[cfg(feature = "capi")]
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Zeros that exist from here on, for who does not know their type: a value (`len` 1), or an array.
    ///
    /// # Safety
    /// As [`Elements::format`].
    #[cfg(feature = "capi")]
    pub(crate) unsafe fn format_any(
        at: NonNull<u8>,
        is_value: bool,
        (code, size, len): (Code, u32, u32),
    ) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe {
            let elements = Self::format(at, code, size, len)?;
            Self::publish(if is_value { VALUE } else { ARRAY }, at);
            Ok(elements)
        }
    }

    /// As [`Elements::attach`].
    ///
    /// # Safety
    /// As that.
    #[cfg(feature = "capi")]
    pub(crate) unsafe fn attach_any(at: NonNull<u8>, is_value: bool, size: u64) -> Result<(Self, Code)> {
        // SAFETY: the caller's word.
        unsafe { Self::attach(if is_value { VALUE } else { ARRAY }, at, size) }
    }

    /// The address of `count` elements from `index` on. Errors: `NotFound`.
    fn at(&self, index: u32, count: usize) -> Result<*mut u8> {
        let at = offset(self.size, self.len, index, count)?;
        // SAFETY: inside.
        Ok(unsafe { self.base.as_ptr().add(at as usize) })
    }

    pub(crate) fn read(&self, index: u32, count: usize, to: &mut [u8]) -> Result<()> {
        let from = self.at(index, count)?;
        debug_assert_eq!(to.len(), count * self.size as usize);
        // SAFETY: they are there.
        unsafe { bytes::copy_out_any(from, to) };
        Ok(())
    }

    pub(crate) fn write(&self, index: u32, count: usize, from: &[u8]) -> Result<()> {
        let to = self.at(index, count)?;
        debug_assert_eq!(from.len(), count * self.size as usize);
        // SAFETY: they are there.
        unsafe { bytes::copy_in_any(from, to) };
        Ok(())
    }

    /// The number at `index`, of 1, 2, 4 or 8 bytes. Acquire.
    pub(crate) fn load(&self, index: u32) -> Result<u64> {
        let at = self.at(index, 1)?;
        Ok(match self.size {
            // SAFETY: `at` lies inside, and elements of 8 bytes are aligned to that.
            8 => unsafe { &*at.cast::<AtomicU64>() }.load(Acquire),
            _ => {
                let (word, shift, mask) = self.word_around(at);
                u64::from(word.load(Acquire) >> shift & mask)
            }
        })
    }

    /// Stores the number at `index`. Release.
    pub(crate) fn store(&self, index: u32, value: u64) -> Result<()> {
        let at = self.at(index, 1)?;
        match self.size {
            // SAFETY: as in `load`.
            8 => unsafe { &*at.cast::<AtomicU64>() }.store(value, Release),
            // SAFETY: as in `load`.
            4 => unsafe { &*at.cast::<AtomicU32>() }.store(value as u32, Release),
            _ => return self.update(index, |_| Some(value)).map(|_| ()),
        }
        Ok(())
    }

    /// Stores what `f` makes of the number at `index`, unless it says None; returns what was there.
    pub(crate) fn update(&self, index: u32, mut f: impl FnMut(u64) -> Option<u64>) -> Result<u64> {
        let at = self.at(index, 1)?;
        if self.size == 8 {
            // SAFETY: as in `load`.
            let word = unsafe { &*at.cast::<AtomicU64>() };
            let mut before = word.load(Acquire);
            while let Some(after) = f(before) {
                match word.compare_exchange(before, after, AcqRel, Acquire) {
                    Ok(_) => break,
                    Err(now) => before = now,
                }
            }
            return Ok(before);
        }
        let (word, shift, mask) = self.word_around(at);
        let mut whole = word.load(Acquire);
        loop {
            let before = u64::from(whole >> shift & mask);
            let Some(after) = f(before) else { return Ok(before) };
            let new = whole & !(mask << shift) | (after as u32 & mask) << shift;
            match word.compare_exchange(whole, new, AcqRel, Acquire) {
                Ok(_) => return Ok(before),
                Err(now) => whole = now,
            }
        }
    }

    /// The 4-byte word that has a number of 1, 2 or 4 bytes, and where in it.
    #[inline(always)]
    fn word_around(&self, at: *mut u8) -> (&'r AtomicU32, u32, u32) {
        let within = at.addr() % 4;
        // SAFETY: the elements begin at a multiple of 128, and their bytes are followed by padding up to one: the
        // word lies inside.
        let word = unsafe { &*at.sub(within).cast::<AtomicU32>() };
        let mask = match self.size {
            1 => 0xff,
            2 => 0xffff,
            _ => u32::MAX,
        };
        (word, within as u32 * 8, mask)
    }
}

/// A handle to a raw array. Small, copyable, usable from every thread. Indices out of bounds are `NotFound`.
pub struct RawArray<'r, T> {
    elements: Elements<'r>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for RawArray<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for RawArray<'_, T> {}

impl<'r, T: Element> RawArray<'r, T> {
    /// Makes one of zeros, and `init`.
    ///
    /// # Safety
    /// As [`Elements::format`].
    unsafe fn format_as(magic: u32, at: NonNull<u8>, len: u32, init: &[T]) -> Result<Self> {
        if read_with::<T>(|_| Ok(())).is_err() && init.len() < len as usize {
            return Err(Error::Invalid);
        }
        // SAFETY: the caller's word.
        let elements = unsafe { Elements::format(at, Code::of::<T>(), T::SIZE, len) }?;
        let array = RawArray { elements, of: PhantomData };
        array.write_slice(0, init).map_err(|_| Error::Invalid)?;
        // SAFETY: the caller's word.
        unsafe { Elements::publish(magic, at) };
        Ok(array)
    }

    /// # Safety
    /// As [`Elements::attach`].
    unsafe fn attach_as(magic: u32, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        let (elements, code) = unsafe { Elements::attach(magic, at, size) }?;
        if code != Code::of::<T>() || elements.size != T::SIZE {
            return Err(Error::WrongKind);
        }
        Ok(RawArray { elements, of: PhantomData })
    }

    /// # Safety
    /// As [`Elements::format`].
    pub(crate) unsafe fn format(at: NonNull<u8>, len: u32, init: &[T]) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { Self::format_as(ARRAY, at, len, init) }
    }

    /// # Safety
    /// As [`Elements::attach`].
    pub(crate) unsafe fn attach(at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { Self::attach_as(ARRAY, at, size) }
    }

    /// Elements.
    #[allow(clippy::len_without_is_empty)] // it has some
    pub fn len(&self) -> u32 {
        self.elements.len
    }

    /// The first element, in this process, aligned to 128. Others store there at any moment.
    pub fn as_ptr(&self) -> *mut T {
        self.elements.base.as_ptr().cast()
    }

    /// Element `index`. Of more than 8 bytes it may be parts of several stores.
    #[inline]
    pub fn get(&self, index: u32) -> Result<T> {
        if is_word::<T>() {
            let word = self.elements.load(index)?.to_le_bytes();
            return read_with(|to| {
                to.copy_from_slice(&word[..size_of::<T>()]);
                Ok(())
            });
        }
        read_with(|to| self.elements.read(index, 1, to))
    }

    /// Stores element `index`; all or nothing only if it is one of 1, 2, 4 or 8 bytes.
    #[inline]
    pub fn set(&self, index: u32, value: T) -> Result<()> {
        if is_word::<T>() {
            let mut word = [0; 8];
            word[..size_of::<T>()].copy_from_slice(bytemuck::bytes_of(&value));
            return self.elements.store(index, u64::from_le_bytes(word));
        }
        self.elements.write(index, 1, bytemuck::bytes_of(&value))
    }

    /// As many elements as `to` has, from `index` on, of several moments.
    pub fn read_slice(&self, index: u32, to: &mut [T]) -> Result<()> {
        self.elements.at(index, to.len())?;
        let each = T::SIZE as usize;
        read_all(to, |i, bytes| self.elements.read(index + i as u32, bytes.len() / each, bytes))
    }

    /// Stores these elements from `index` on, one after the other. Next to elements of 1 or 2 bytes that others
    /// store at the same time, use [`RawArray::set`].
    pub fn write_slice(&self, index: u32, from: &[T]) -> Result<()> {
        self.elements.write(index, from.len(), bytemuck::cast_slice(from))
    }

    /// The elements, one by one, each of its own moment. It ends at the first that is no `T`.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'r, T> {
        let array = *self;
        (0..self.len()).map_while(move |i| array.get(i).ok())
    }
}

impl<T: Word> RawArray<'_, T> {
    /// Stores `value` in element `index`; returns what was there.
    pub fn swap(&self, index: u32, value: T) -> Result<T> {
        T::from_word(self.elements.update(index, |_| Some(value.to_word()))?)
    }

    /// Stores `new` in element `index` if it is, bit by bit, `current`. Returns what was there: `Ok` if it was.
    pub fn compare_exchange(&self, index: u32, current: T, new: T) -> Result<core::result::Result<T, T>> {
        let current = current.to_word();
        let before = self.elements.update(index, |word| (word == current).then_some(new.to_word()))?;
        let value = T::from_word(before)?;
        Ok(if before == current { Ok(value) } else { Err(value) })
    }

    /// Adds to element `index` (integers wrap); returns what was there.
    pub fn fetch_add(&self, index: u32, more: T) -> Result<T>
    where
        T: Number,
    {
        // A number of any bits is one: `from_word` does not fail.
        let sum = |word| T::from_word(word).ok().map(|value| value.plus(more).to_word());
        T::from_word(self.elements.update(index, sum)?)
    }
}

/// Whether one instruction stores a `T`.
const fn is_word<T>() -> bool {
    matches!(size_of::<T>(), 1 | 2 | 4 | 8)
}

/// A handle to a raw value: a [`RawArray`] of one element, by another name and kind.
pub struct RawValue<'r, T> {
    one: RawArray<'r, T>,
}

impl<T> Clone for RawValue<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for RawValue<'_, T> {}

impl<T: Element> RawValue<'_, T> {
    /// # Safety
    /// As [`Elements::format`].
    pub(crate) unsafe fn format(at: NonNull<u8>, value: T) -> Result<Self> {
        // SAFETY: the caller's word.
        let one = unsafe { RawArray::format_as(VALUE, at, 1, core::slice::from_ref(&value)) }?;
        Ok(RawValue { one })
    }

    /// # Safety
    /// As [`Elements::attach`].
    pub(crate) unsafe fn attach(at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        Ok(RawValue { one: unsafe { RawArray::attach_as(VALUE, at, size) }? })
    }

    /// The value. Of more than 8 bytes it may be parts of several stores.
    pub fn load(&self) -> Result<T> {
        self.one.get(0)
    }

    /// Stores it; all or nothing only if it has 1, 2, 4 or 8 bytes.
    pub fn store(&self, value: T) -> Result<()> {
        self.one.set(0, value)
    }

    /// Where it is in this process. Others store there at any moment.
    pub fn as_ptr(&self) -> *mut T {
        self.one.as_ptr()
    }
}

impl<T: Word> RawValue<'_, T> {
    /// Stores `value`; returns what was there.
    pub fn swap(&self, value: T) -> Result<T> {
        self.one.swap(0, value)
    }

    /// As [`RawArray::compare_exchange`].
    pub fn compare_exchange(&self, current: T, new: T) -> Result<core::result::Result<T, T>> {
        self.one.compare_exchange(0, current, new)
    }

    /// Adds (integers wrap); returns what was there.
    pub fn fetch_add(&self, more: T) -> Result<T>
    where
        T: Number,
    {
        self.one.fetch_add(0, more)
    }
}
