//! Values and arrays whose type is known when the program runs only: bytes, with a [`Code`]. What C has.
//!
//! A value is here an array of one element; what lies in memory is said in [`crate::value`] and
//! [`crate::array`], and these are the same operations, with the same promises.

use crate::{
    array,
    element::{Code, offset, plus},
    error::{Error, Result},
    shadow::{Draft, Shadow, locking},
    sys::Platform,
    value,
};
use core::ptr::NonNull;

/// The largest element that can be compared, swapped or added to: it passes through the stack.
pub const MAX_WORD: usize = 64;

/// A handle to a value or an array.
pub struct Any<'r, P: Platform> {
    shadow: Shadow<'r, P>,
    code: Code,
    size: u32,
    len: u32,
}

impl<P: Platform> Clone for Any<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Any<'_, P> {}

impl<'r, P: Platform> Any<'r, P> {
    /// A value.
    ///
    /// # Safety
    /// As [`Shadow::format`].
    pub(crate) unsafe fn format_value(
        platform: P,
        at: NonNull<u8>,
        code: Code,
        bytes: &[u8],
    ) -> Result<Self> {
        Self::refuse_odd_bools(code, bytes)?;
        // SAFETY: the caller's word.
        let shadow = unsafe { value::format(platform, at, code, bytes) }?;
        Ok(Any { shadow, code, size: shadow.bytes(), len: 1 })
    }

    /// # Safety
    /// As [`Shadow::attach`].
    pub(crate) unsafe fn attach_value(platform: P, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        let (shadow, code) = unsafe { value::attach(platform, at, size) }?;
        Ok(Any { shadow, code, size: shadow.bytes(), len: 1 })
    }

    /// An array, zero, or of all the bytes in `init`.
    ///
    /// # Safety
    /// As [`Shadow::format`].
    pub(crate) unsafe fn format_array(
        platform: P,
        at: NonNull<u8>,
        shape @ (code, size, len): (Code, u32, u32),
        init: &[u8],
    ) -> Result<Self> {
        Self::refuse_odd_bools(shape.0, init)?;
        let write = |draft: &mut Draft| draft.write(0, init);
        // SAFETY: the caller's word.
        let shadow = unsafe { array::format(platform, at, shape, write) }?;
        Ok(Any { shadow, code, size, len })
    }

    /// # Safety
    /// As [`Shadow::attach`].
    pub(crate) unsafe fn attach_array(platform: P, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        let (shadow, (code, size, len)) = unsafe { array::attach(platform, at, size) }?;
        Ok(Any { shadow, code, size, len })
    }

    /// Its type.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Bytes of an element.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Elements.
    #[allow(clippy::len_without_is_empty)] // it has some
    pub fn len(&self) -> u32 {
        self.len
    }

    locking!();

    /// Where as many elements as there are bytes for lie. Errors: `Invalid` (no whole number of them), `NotFound`.
    fn place(&self, index: u32, bytes: usize) -> Result<u32> {
        if bytes % self.size as usize != 0 {
            return Err(Error::Invalid);
        }
        offset(self.size, self.len, index, bytes / self.size as usize)
    }

    /// As [`array::Array::read_slice`]; what is no `bool` is refused there, not here.
    pub fn read(&self, index: u32, to: &mut [u8]) -> Result<()> {
        let at = self.place(index, to.len())?;
        self.shadow.read(|view| view.read(at, to))
    }

    /// As [`array::Array::write_slice`]. Errors: also `Invalid` (a `bool` that is none).
    pub fn write(&self, index: u32, from: &[u8]) -> Result<()> {
        let at = self.check(index, from)?;
        self.shadow.update(|draft| draft.write(at, from))
    }

    fn check(&self, index: u32, from: &[u8]) -> Result<u32> {
        Self::refuse_odd_bools(self.code, from)?;
        self.place(index, from.len())
    }

    fn refuse_odd_bools(code: Code, bytes: &[u8]) -> Result<()> {
        if code == Code::Bool && bytes.iter().any(|byte| *byte > 1) { Err(Error::Invalid) } else { Ok(()) }
    }

    /// Stores what `f` writes over element `index`, if it says true; `before` gets what was there. Errors: also
    /// `NotSupported` (larger than [`MAX_WORD`]).
    fn change(&self, index: u32, before: &mut [u8], f: impl FnOnce(&mut [u8]) -> bool) -> Result<()> {
        if before.len() != self.size as usize {
            return Err(Error::Invalid);
        }
        let mut after = [0; MAX_WORD];
        let after = after.get_mut(..before.len()).ok_or(Error::NotSupported)?;
        let _held = self.shadow.lock()?;
        self.read(index, after)?;
        before.copy_from_slice(after);
        if f(after) { self.write(index, after) } else { Ok(()) }
    }

    /// Stores `new` in element `index`; `before` gets what was there.
    pub fn swap(&self, index: u32, new: &[u8], before: &mut [u8]) -> Result<()> {
        if new.len() != self.size as usize {
            return Err(Error::Invalid);
        }
        self.check(index, new)?;
        self.change(index, before, |bytes| {
            bytes.copy_from_slice(new);
            true
        })
    }

    /// Stores `new` in element `index` if its bytes are those of `current`, and says whether; `current` gets what
    /// was there.
    pub fn compare_exchange(&self, index: u32, current: &mut [u8], new: &[u8]) -> Result<bool> {
        if new.len() != self.size as usize || current.len() != new.len() {
            return Err(Error::Invalid);
        }
        self.check(index, new)?;
        let mut before = [0; MAX_WORD];
        let before = before.get_mut(..new.len()).ok_or(Error::NotSupported)?;
        let mut equal = false;
        self.change(index, before, |bytes| {
            equal = *bytes == *current;
            bytes.copy_from_slice(new);
            equal
        })?;
        current.copy_from_slice(before);
        Ok(equal)
    }

    /// Adds to element `index`, a number; `before` gets what was there. Errors: also `WrongKind` (no number).
    pub fn fetch_add(&self, index: u32, more: &[u8], before: &mut [u8]) -> Result<()> {
        if more.len() != self.size as usize {
            return Err(Error::Invalid);
        }
        let mut result = Ok(());
        self.change(index, before, |bytes| {
            result = plus(self.code, bytes, more);
            result.is_ok()
        })?;
        result
    }

    /// As [`array::Array::edit`].
    pub fn edit<T>(&self, f: impl FnOnce(&mut AnyEdit<'_, 'r, P>) -> Result<T>) -> Result<T> {
        self.shadow.update(|draft| f(&mut AnyEdit { draft, any: *self }))
    }
}

/// As [`array::Edit`]. Aligned as C's type for it, which a pointer to it is said to point to.
#[repr(align(8))]
pub struct AnyEdit<'d, 'r, P: Platform> {
    draft: &'d mut Draft,
    any: Any<'r, P>,
}

impl<P: Platform> AnyEdit<'_, '_, P> {
    /// Elements from `index` on, as many as there are bytes for, with what was written before.
    pub fn read(&self, index: u32, to: &mut [u8]) -> Result<()> {
        self.draft.read(self.any.place(index, to.len())?, to)
    }

    /// Sets elements from `index` on.
    pub fn write(&mut self, index: u32, from: &[u8]) -> Result<()> {
        let at = self.any.check(index, from)?;
        self.draft.write(at, from)
    }
}
