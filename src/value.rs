//! A value that several processes share: a store is all or nothing under SIGKILL, and a load never waits for a
//! writer that died. Python's `multiprocessing.Value`.
//!
//! # Example
//! ```
//! use rialto::{Region, RegionConfig};
//!
//! let region = Region::create_anonymous(1 << 16, &RegionConfig::default())?;
//! let position = region.create_value("position", [0.0f64; 3])?;
//! position.store([1.0, 2.0, 3.0])?;
//! assert_eq!(position.load()?, [1.0, 2.0, 3.0]);
//! position.update(|[x, y, z]| [x + 1.0, y, z])?;
//!
//! // Several steps that nobody comes between: Python's `with value.get_lock():`.
//! let held = position.lock()?;
//! let [x, ..] = position.load()?;
//! position.store([x, x, x])?;
//! drop(held);
//! # Ok::<(), rialto::Error>(())
//! ```
//!
//! # Memory
//! A [`Shadow`] with magic "RLTV", copies of the value's size, and params: `type` (see [`Code`]).
//!
//! # Invariants and crash
//! Those of `shadow`: a writer killed at any instruction leaves the old value or the new one. One killed between
//! two operations under [`Value::lock`] leaves what the first one did: hold your own [`crate::Lock`] to be told.
//!
//! # Limits
//! A load does not wait for who holds the lock (Python's does): it returns what was stored last.
//!
//! # Checked by
//! `tests/value.rs`, `tests/torn.rs`, `tests/sweep_state.rs`, `tests/loom_shadow.rs`.

use crate::{
    element::{Code, Element, Number, read_with},
    error::{Error, Result},
    layout::Layout,
    shadow::{self, Held, PARAMS, Shadow},
    sys::Platform,
    time::FOREVER,
};
use core::{marker::PhantomData, ptr::NonNull};

/// A handle to a value. Small, copyable, usable from every thread.
pub struct Value<'r, T, P: Platform> {
    shadow: Shadow<'r, P>,
    of: PhantomData<fn() -> T>,
}

impl<T, P: Platform> Clone for Value<'_, T, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, P: Platform> Copy for Value<'_, T, P> {}

const MAGIC: u32 = u32::from_le_bytes(*b"RLTV");

/// Bytes for a value of `size` bytes. Errors: `Invalid` (0, or more than 2^30).
pub fn layout(size: u64) -> Result<Layout> {
    shadow::layout(size)
}

/// Makes a value of any type.
///
/// # Safety
/// As [`Shadow::format`].
pub(crate) unsafe fn format<'r, P: Platform>(
    platform: P,
    at: NonNull<u8>,
    code: Code,
    bytes: &[u8],
) -> Result<Shadow<'r, P>> {
    if code.size().is_some_and(|size| size as usize != bytes.len()) {
        return Err(Error::Invalid);
    }
    let mut params = [0; PARAMS];
    params[0] = code as u32;
    // SAFETY: the caller's word.
    unsafe { Shadow::format(platform, at, MAGIC, params, bytes.len() as u64, |draft| draft.write(0, bytes)) }
}

/// Attaches to a value of any type, and says which. Errors: `BadRegion`.
///
/// # Safety
/// As [`Shadow::attach`].
pub(crate) unsafe fn attach<'r, P: Platform>(
    platform: P,
    at: NonNull<u8>,
    size: u64,
) -> Result<(Shadow<'r, P>, Code)> {
    // SAFETY: the caller's word.
    let (shadow, params) = unsafe { Shadow::attach(platform, at, size, MAGIC) }?;
    let code = Code::from_u32(params[0]).ok_or(Error::BadRegion)?;
    if code.size().is_some_and(|size| size != shadow.bytes()) {
        return Err(Error::BadRegion);
    }
    Ok((shadow, code))
}

impl<'r, T: Element, P: Platform> Value<'r, T, P> {
    /// # Safety
    /// As [`Shadow::format`].
    pub(crate) unsafe fn format(platform: P, at: NonNull<u8>, value: T) -> Result<Self> {
        // SAFETY: the caller's word.
        let shadow = unsafe { format(platform, at, Code::of::<T>(), bytemuck::bytes_of(&value)) }?;
        Ok(Value { shadow, of: PhantomData })
    }

    /// Errors: `BadRegion`; `WrongKind` (another type, or size).
    ///
    /// # Safety
    /// As [`Shadow::attach`].
    pub(crate) unsafe fn attach(platform: P, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        let (shadow, code) = unsafe { attach(platform, at, size) }?;
        if code != Code::of::<T>() || shadow.bytes() != T::SIZE {
            return Err(Error::WrongKind);
        }
        Ok(Value { shadow, of: PhantomData })
    }

    /// Makes a value at `ptr`, outside of a region.
    ///
    /// Errors: `Invalid` (null, not 128-aligned), `NoSpace` (`len` is less than [`layout`] says).
    ///
    /// # Safety
    /// `len` bytes from `ptr` stay mapped and shared for 'r, and as long as a thread of ours holds the value's
    /// lock; nobody uses them yet.
    pub unsafe fn init_on(platform: P, ptr: *mut u8, len: usize, value: T) -> Result<Self> {
        let at = shadow::place(ptr)?;
        if (len as u64) < layout(u64::from(T::SIZE))?.size {
            return Err(Error::NoSpace);
        }
        // SAFETY: the caller's word; it fits.
        unsafe { Self::format(platform, at, value) }
    }

    /// Attaches to the value that somebody made at `ptr`.
    ///
    /// Errors: `Invalid`; `BadRegion`, `WrongKind` (another type).
    ///
    /// # Safety
    /// As [`Value::init_on`], but that others use it, and what is in it does not matter.
    pub unsafe fn attach_on(platform: P, ptr: *mut u8, len: usize) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { Self::attach(platform, shadow::place(ptr)?, len as u64) }
    }

    /// The value as it was stored last. Lock-free, unless writers overtake us 64 times in a row: then we wait
    /// for the lock. Errors: `BadRegion` (the bytes are no `T`).
    #[inline]
    pub fn load(&self) -> Result<T> {
        self.shadow.read(|view| read_with(|bytes| view.read(0, bytes)))
    }

    /// Stores `value`. Waits for others who hold the lock.
    ///
    /// Errors: `TooManyHeld`, `NoMemory` (first use), `BadRegion`; so below. If we die here, the value is the old or the new one, for
    /// everybody.
    #[inline]
    pub fn store(&self, value: T) -> Result<()> {
        self.shadow.update(FOREVER, |draft| draft.write(0, bytemuck::bytes_of(&value)))
    }

    /// Stores `value`; returns what was there.
    pub fn swap(&self, value: T) -> Result<T> {
        self.fetch_update(|_| Some(value)).map(|(before, _)| before)
    }

    /// Stores what `f` makes of the value, which nobody changes meanwhile; returns that. If `f` panics, nothing
    /// is stored.
    pub fn update(&self, f: impl FnOnce(T) -> T) -> Result<T> {
        self.fetch_update(|value| Some(f(value))).map(|(_, after)| after)
    }

    /// As [`Value::update`], unless `f` says None; returns the value before and after.
    pub fn fetch_update(&self, f: impl FnOnce(T) -> Option<T>) -> Result<(T, T)> {
        // Held, so `f` may use this value itself.
        let _held = self.lock()?;
        let before = self.load()?;
        match f(before) {
            Some(after) => self.store(after).map(|()| (before, after)),
            None => Ok((before, before)),
        }
    }

    /// Stores `new` if the value's bytes are those of `current`. Returns what was there: `Ok` if it was
    /// `current`. (Bytes: -0.0 is not 0.0, and a NaN may be itself.)
    pub fn compare_exchange(&self, current: T, new: T) -> Result<core::result::Result<T, T>> {
        let equal = |value: &T| bytemuck::bytes_of(value) == bytemuck::bytes_of(&current);
        let (before, _) = self.fetch_update(|value| equal(&value).then_some(new))?;
        Ok(if equal(&before) { Ok(before) } else { Err(before) })
    }

    /// Adds (integers wrap); returns what was there.
    pub fn fetch_add(&self, more: T) -> Result<T>
    where
        T: Number,
    {
        self.fetch_update(|value| Some(value.plus(more))).map(|(before, _)| before)
    }

    /// Keeps all others from changing the value until the guard is dropped: Python's `with value.get_lock()`.
    /// This thread's own operations go on as ever. Guards may be nested, and dropped in any order: the last one releases.
    pub fn lock(&self) -> Result<Held<'r, P>> {
        self.shadow.lock(FOREVER)
    }

    /// As [`Value::lock`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn lock_timeout(&self, timeout_ns: u64) -> Result<Held<'r, P>> {
        self.shadow.lock(timeout_ns)
    }

    /// How many threads died while they stored here. Their stores were completed, or never were.
    pub fn deaths(&self) -> u32 {
        self.shadow.deaths()
    }
}
