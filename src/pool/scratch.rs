//! Private memory of a size that is known only at run time: what a task or a result is copied to before anybody looks
//! at it. Mapped, because there is no heap here.

use crate::{
    error::{Error, Result},
    sys,
};
use core::{ptr::NonNull, slice};

pub(super) struct Scratch {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: memory that nobody else knows of.
unsafe impl Send for Scratch {}

impl Scratch {
    pub fn new(len: usize) -> Result<Scratch> {
        let len = len.max(1);
        // SAFETY: a fresh mapping.
        let at = unsafe {
            let (access, kind) =
                (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            libc::mmap(core::ptr::null_mut(), len, access, kind, -1, 0)
        };
        if at == libc::MAP_FAILED {
            return Err(match sys::linux::errno() {
                libc::ENOMEM => Error::NoMemory,
                errno => Error::Os(errno),
            });
        }
        Ok(Scratch { at: NonNull::new(at.cast()).ok_or(Error::NoMemory)?, len })
    }

    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: ours, of that length, zeroed by the kernel.
        unsafe { slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`; nobody has a reference left.
        unsafe { libc::munmap(self.at.as_ptr().cast(), self.len) };
    }
}
