//! An array that several processes share. An update, of one element or of many, is all or nothing under
//! SIGKILL; reading never waits for a writer that died. Python's `multiprocessing.Array`.
//!
//! # Example
//! ```
//! use rialto::{Error, Region, RegionConfig};
//!
//! let region = Region::create_anonymous(1 << 16, &RegionConfig::default())?;
//! let counts = region.create_array::<u32>("counts", 8)?;
//! counts.set(3, 7)?;
//! counts.write_slice(4, &[1, 2, 3])?; // all three or none
//! counts.edit(|counts| { // moves one from here to there, or does not
//!     counts.set(3, counts.get(3)? - 1)?;
//!     counts.set(0, counts.get(0)? + 1)
//! })?;
//! let mut all = [0; 8];
//! counts.read_slice(0, &mut all)?;
//! assert_eq!(all, [1, 0, 0, 6, 1, 2, 3, 0]);
//! assert_eq!(counts.get(8), Err(Error::NotFound));
//! # Ok::<(), Error>(())
//! ```
//!
//! # Memory
//! A [`Shadow`] with magic "RLTA", copies of `len` elements without gaps, and params: `type` (see [`Code`]), `len`.
//!
//! # Invariants and crash
//! Those of `shadow`.
//!
//! # Limits
//! 2^30 bytes, twice. An update costs two writes of what it changes (up to 12 places of it, otherwise of all between
//! them), and after a writer's death one writer copies the whole array once. [`crate::raw::RawArray`] costs nothing,
//! and promises one word only.
//!
//! # Checked by
//! `tests/array.rs`, `tests/sweep_state.rs`, `tests/loom_shadow.rs`.

use crate::{
    element::{Code, Element, Number, offset, read_all, read_with},
    error::{Error, Result},
    layout::Layout,
    shadow::{self, Draft, Held, PARAMS, Shadow, View},
    sys::Platform,
    time::FOREVER,
};
use core::{marker::PhantomData, ptr::NonNull};

/// A handle to an array. Small, copyable, usable from every thread. Indices out of bounds are `NotFound`; nothing
/// is changed then.
pub struct Array<'r, T, P: Platform> {
    shadow: Shadow<'r, P>,
    len: u32,
    of: PhantomData<fn() -> T>,
}

impl<T, P: Platform> Clone for Array<'_, T, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, P: Platform> Copy for Array<'_, T, P> {}

const MAGIC: u32 = u32::from_le_bytes(*b"RLTA");

/// Bytes for `len` elements of `size` bytes. Errors: `Invalid` (none, or more than 2^30 bytes).
pub fn layout(size: u32, len: u32) -> Result<Layout> {
    shadow::layout(u64::from(size) * u64::from(len))
}

/// Makes an array of any type, all zero but for what `init` writes.
///
/// # Safety
/// As [`Shadow::format`].
pub(crate) unsafe fn format<'r, P: Platform>(
    platform: P,
    at: NonNull<u8>,
    (code, size, len): (Code, u32, u32),
    init: impl FnOnce(&mut Draft) -> Result<()>,
) -> Result<Shadow<'r, P>> {
    if code.size().is_some_and(|known| known != size) {
        return Err(Error::Invalid);
    }
    let mut params = [0; PARAMS];
    (params[0], params[1]) = (code as u32, len);
    // SAFETY: the caller's word.
    unsafe { Shadow::format(platform, at, MAGIC, params, u64::from(size) * u64::from(len), init) }
}

/// Attaches to an array of any type; says which, how large an element is, and how many. Errors: `BadRegion`.
///
/// # Safety
/// As [`Shadow::attach`].
pub(crate) unsafe fn attach<'r, P: Platform>(
    platform: P,
    at: NonNull<u8>,
    size: u64,
) -> Result<(Shadow<'r, P>, (Code, u32, u32))> {
    // SAFETY: the caller's word.
    let (shadow, params) = unsafe { Shadow::attach(platform, at, size, MAGIC) }?;
    let (code, len) = (Code::from_u32(params[0]).ok_or(Error::BadRegion)?, params[1]);
    if len == 0 || shadow.bytes() % len != 0 {
        return Err(Error::BadRegion);
    }
    let size = shadow.bytes() / len;
    if code.size().is_some_and(|known| known != size) {
        return Err(Error::BadRegion);
    }
    Ok((shadow, (code, size, len)))
}

impl<'r, T: Element, P: Platform> Array<'r, T, P> {
    /// # Safety
    /// As [`Shadow::format`].
    pub(crate) unsafe fn format(platform: P, at: NonNull<u8>, len: u32, init: &[T]) -> Result<Self> {
        // Only zeros that are no `T` need to be replaced.
        let zero = read_with::<T>(|_| Ok(()));
        if init.len() > len as usize || (zero.is_err() && init.len() < len as usize) {
            return Err(Error::Invalid);
        }
        let write = |draft: &mut Draft| draft.write(0, bytemuck::cast_slice(init));
        // SAFETY: the caller's word.
        let shadow = unsafe { format(platform, at, (Code::of::<T>(), T::SIZE, len), write) }?;
        Ok(Array { shadow, len, of: PhantomData })
    }

    /// Errors: `BadRegion`; `WrongKind` (another type, or size).
    ///
    /// # Safety
    /// As [`Shadow::attach`].
    pub(crate) unsafe fn attach(platform: P, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        let (shadow, (code, size, len)) = unsafe { attach(platform, at, size) }?;
        if code != Code::of::<T>() || size != T::SIZE {
            return Err(Error::WrongKind);
        }
        Ok(Array { shadow, len, of: PhantomData })
    }

    /// Makes an array of `len` elements at `ptr`, outside of a region: `init`, then zeros.
    ///
    /// Errors: `Invalid` (null, not 128-aligned, no elements or too many; zero is no `T`), `NoSpace` (`bytes` is less than [`layout`] says).
    ///
    /// # Safety
    /// `bytes` bytes from `ptr` stay mapped and shared for 'r, and as long as a thread of ours holds the array's
    /// lock; nobody uses them yet.
    pub unsafe fn init_on(platform: P, ptr: *mut u8, bytes: usize, len: u32, init: &[T]) -> Result<Self> {
        let at = shadow::place(ptr)?;
        if (bytes as u64) < layout(T::SIZE, len)?.size {
            return Err(Error::NoSpace);
        }
        // SAFETY: the caller's word; it fits.
        unsafe { Self::format(platform, at, len, init) }
    }

    /// Attaches to the array that somebody made at `ptr`. Errors: `Invalid`, `BadRegion`, `WrongKind` (another
    /// type).
    ///
    /// # Safety
    /// As [`Array::init_on`], but that others use it, and what is in it does not matter.
    pub unsafe fn attach_on(platform: P, ptr: *mut u8, bytes: usize) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { Self::attach(platform, shadow::place(ptr)?, bytes as u64) }
    }

    /// Elements.
    #[allow(clippy::len_without_is_empty)] // it has some
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Element `index`, as it was stored last. Lock-free, as [`crate::value::Value::load`].
    #[inline]
    pub fn get(&self, index: u32) -> Result<T> {
        let at = offset(T::SIZE, self.len, index, 1)?;
        self.shadow.read(|view| get(&view, at))
    }

    /// As many elements as `to` has, from `index` on, all of one moment.
    pub fn read_slice(&self, index: u32, to: &mut [T]) -> Result<()> {
        let at = offset(T::SIZE, self.len, index, to.len())?;
        self.shadow.read(|view| get_all(&view, at, to))
    }

    /// Stores element `index`. Waits for others who hold the lock. Errors: `NotFound`, and as
    /// [`crate::value::Value::store`].
    #[inline]
    pub fn set(&self, index: u32, value: T) -> Result<()> {
        self.write_slice(index, core::slice::from_ref(&value))
    }

    /// Stores these elements from `index` on: all of them or none, for everybody.
    pub fn write_slice(&self, index: u32, from: &[T]) -> Result<()> {
        let at = offset(T::SIZE, self.len, index, from.len())?;
        self.shadow.update(FOREVER, |draft| draft.write(at, bytemuck::cast_slice(from)))
    }

    /// Stores `value` in every element: all of them or none.
    pub fn fill(&self, value: T) -> Result<()> {
        self.edit(|array| (0..array.len()).try_for_each(|i| array.set(i, value)))
    }

    /// Stores what `f` makes of element `index`, which nobody changes meanwhile; returns what was there. If `f`
    /// panics, nothing is stored.
    pub fn update(&self, index: u32, f: impl FnOnce(T) -> T) -> Result<T> {
        let _held = self.lock()?; // `f` may use the array
        let before = self.get(index)?;
        self.set(index, f(before)).map(|()| before)
    }

    /// Stores `new` in element `index` if its bytes are those of `current`. Returns what was there: `Ok` if it
    /// was `current`.
    pub fn compare_exchange(&self, index: u32, current: T, new: T) -> Result<core::result::Result<T, T>> {
        let _held = self.lock()?;
        let before = self.get(index)?;
        if bytemuck::bytes_of(&before) != bytemuck::bytes_of(&current) {
            return Ok(Err(before));
        }
        self.set(index, new).map(|()| Ok(before))
    }

    /// Adds to element `index` (integers wrap); returns what was there.
    pub fn fetch_add(&self, index: u32, more: T) -> Result<T>
    where
        T: Number,
    {
        self.update(index, |value| value.plus(more))
    }

    /// Has `f` change as many elements as it likes: all of that or, if it says an error or panics, nothing. Others see
    /// none of it before. Uses of the array but by its argument are `Deadlock` (changes), or see what was before.
    pub fn edit<R>(&self, f: impl FnOnce(&mut Edit<'_, T>) -> Result<R>) -> Result<R> {
        let len = self.len;
        self.shadow.update(FOREVER, |draft| f(&mut Edit { draft, len, of: PhantomData }))
    }

    /// Keeps all others from changing the array until the guard is dropped: Python's `with array.get_lock()`. This
    /// thread's own operations go on as ever. Guards may be nested, and dropped in any order: the last one releases.
    pub fn lock(&self) -> Result<Held<'r, P>> {
        self.shadow.lock(FOREVER)
    }

    /// As [`Array::lock`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls: `WouldBlock`.
    pub fn lock_timeout(&self, timeout_ns: u64) -> Result<Held<'r, P>> {
        self.shadow.lock(timeout_ns)
    }

    /// The elements, one by one, while nobody changes them: the iterator holds the lock (as [`Array::lock`]), so
    /// they are all of one moment. It ends at the first that cannot be read (`BadRegion`).
    pub fn iter(&self) -> Result<impl Iterator<Item = T> + use<'r, T, P>> {
        let (held, array) = (self.lock()?, *self);
        Ok((0..self.len).map_while(move |i| {
            let _ = &held;
            array.get(i).ok()
        }))
    }

    /// How many threads died while they stored here. Their stores were completed, or never were.
    pub fn deaths(&self) -> u32 {
        self.shadow.deaths()
    }
}

#[inline(always)]
fn get<T: Element>(view: &View, at: u32) -> Result<T> {
    read_with(|bytes| view.read(at, bytes))
}

fn get_all<T: Element>(view: &View, at: u32, to: &mut [T]) -> Result<()> {
    read_all(to, |i, bytes| view.read(at + i as u32 * T::SIZE, bytes))
}

/// An array under [`Array::edit`]: what is set here is seen here only, until all of it is seen by all.
pub struct Edit<'d, T> {
    draft: &'d mut Draft,
    len: u32,
    of: PhantomData<fn() -> T>,
}

impl<T: Element> Edit<'_, T> {
    /// Elements.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Element `index`, with what was set before. Errors: `NotFound`, `BadRegion`.
    pub fn get(&self, index: u32) -> Result<T> {
        get(self.draft, offset(T::SIZE, self.len, index, 1)?)
    }

    /// As many as `to` has, from `index` on.
    pub fn read_slice(&self, index: u32, to: &mut [T]) -> Result<()> {
        get_all(self.draft, offset(T::SIZE, self.len, index, to.len())?, to)
    }

    /// Sets element `index`. Errors: `NotFound`.
    pub fn set(&mut self, index: u32, value: T) -> Result<()> {
        self.write_slice(index, core::slice::from_ref(&value))
    }

    /// Sets these from `index` on.
    pub fn write_slice(&mut self, index: u32, from: &[T]) -> Result<()> {
        let at = offset(T::SIZE, self.len, index, from.len())?;
        self.draft.write(at, bytemuck::cast_slice(from))
    }
}
