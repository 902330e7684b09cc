//! Large blocks of the heap come from shared mappings, so that the rings of peers which live in one process
//! lie in the same kind of pages as ours do.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    ptr::null_mut,
};

const LARGE: usize = 32 << 10;

pub struct SharedWhenLarge;

fn is_large(layout: Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= 4096
}

// SAFETY: by size alone a block is one mapping of its own or the system allocator's, which keep the promises.
unsafe impl GlobalAlloc for SharedWhenLarge {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_large(layout) {
            // SAFETY: the caller's word.
            return unsafe { System.alloc(layout) };
        }
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: a fresh mapping.
        let at = unsafe { libc::mmap(null_mut(), layout.size(), access, flags, -1, 0) };
        if at == libc::MAP_FAILED { null_mut() } else { at.cast() }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `alloc` gave it, by the same decision.
        unsafe {
            if is_large(layout) {
                libc::munmap(at.cast(), layout.size());
            } else {
                System.dealloc(at, layout);
            }
        }
    }
}
