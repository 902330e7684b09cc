//! Memory that parent and child share: scratch pages, and a board of named words for results.

use std::{
    ops::Deref,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

/// A `T` in a shared anonymous mapping, all-zero at first.
pub struct Shared<T> {
    at: *mut T,
}

impl<T> Shared<T> {
    /// # Safety
    /// All-zero bytes are a valid `T`, and `T` may be used from several processes (atomics).
    pub unsafe fn zeroed() -> Self {
        // SAFETY: a new mapping, placed by the kernel.
        let at = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                size_of::<T>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert!(at != libc::MAP_FAILED, "mmap: {}", std::io::Error::last_os_error());
        Shared { at: at.cast() }
    }

    pub fn as_ptr(&self) -> *mut T {
        self.at
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: mapped until drop; valid by `zeroed`'s contract.
        unsafe { &*self.at }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: our own mapping.
        unsafe { libc::munmap(self.at.cast(), size_of::<T>()) };
    }
}

/// Words through which a child says what happened to it.
#[repr(C)]
pub struct Board([AtomicU64; 64]);

impl Board {
    pub fn new() -> Shared<Board> {
        // SAFETY: atomics of zero.
        unsafe { Shared::zeroed() }
    }

    pub fn get(&self, at: usize) -> u64 {
        self.0[at].load(SeqCst)
    }

    pub fn set(&self, at: usize, value: u64) {
        self.0[at].store(value, SeqCst);
    }

    pub fn clear(&self) {
        self.0.iter().for_each(|word| word.store(0, SeqCst));
    }
}
