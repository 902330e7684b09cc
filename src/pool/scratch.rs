//! Private memory of a size that is known only at run time: what a task or a result is copied to before anybody looks
//! at it, and the parent's own notes. Mapped, because there is no heap here.

use crate::{
    error::{Error, Result},
    process::last_error,
};
use bytemuck::Zeroable;
use core::{ptr::NonNull, slice};

pub(crate) struct Scratch<T = u8> {
    at: NonNull<T>,
    len: usize,
}

// SAFETY: memory that nobody else knows of.
unsafe impl<T: Send> Send for Scratch<T> {}

impl<T: Zeroable + Copy> Scratch<T> {
    /// So many zeros. Errors: `NoMemory`, `Os`.
    pub fn new(len: usize) -> Result<Scratch<T>> {
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= 4096) };
        let len = len.max(1);
        let bytes = len.checked_mul(size_of::<T>()).ok_or(Error::NoMemory)?;
        // SAFETY: a fresh mapping.
        let at = unsafe {
            let (access, kind) =
                (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            libc::mmap(core::ptr::null_mut(), bytes, access, kind, -1, 0)
        };
        if at == libc::MAP_FAILED {
            return Err(last_error());
        }
        Ok(Scratch { at: NonNull::new(at.cast()).ok_or(Error::NoMemory)?, len })
    }

    pub fn get(&self) -> &[T] {
        // SAFETY: ours, of that length, zeroed by the kernel.
        unsafe { slice::from_raw_parts(self.at.as_ptr(), self.len) }
    }

    pub fn get_mut(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }
}

impl<T> Drop for Scratch<T> {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`; nobody has a reference left.
        unsafe { libc::munmap(self.at.as_ptr().cast(), self.len * size_of::<T>()) };
    }
}
