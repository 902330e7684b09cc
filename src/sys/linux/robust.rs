//! Our part of the robust list that the thread's libc registered: two private sentinels, and the
//! cells that this thread holds between them.
//!
//! When a thread dies, the kernel walks its list: every word that still holds the thread's id gets
//! [`crate::sys::DIED`] for an owner, and one sleeper is woken. A thread has one list, and libc's own
//! robust mutexes are on it, so we join that list; to register another (`set_robust_list`) would
//! silently break libc's.
//!
//! # Memory
//! `head -> [libc's newer nodes] -> FIRST -> [cells held, newest first] -> LAST -> [older nodes] -> head`
//!
//! A node is a `next` pointer at `word - futex_offset`, where the offset is libc's. libc's neighbours
//! are the sentinels, which lie in the thread's private page; they alone carry a `prev`, one pointer
//! before the node (32-bit glibc, offset -20, has none).
//!
//! # Invariants
//! 1. No pointer is read from shared memory. Neighbours of a cell are known from the private array
//!    of held cells; a `next` in shared memory is written by us and read by the kernel only.
//! 2. A node is complete before it is reachable, and the announced cell is set before the word holds
//!    our id and until the node is reachable (or, releasing, until the word is given away).
//! 3. Every store here is one instruction in program order: the kernel looks on after a SIGKILL
//!    between any two.
//!
//! # Limits
//! - Known offsets only, see [`known`]; otherwise nothing is registered, and a death is noticed at
//!   the tick by `proc`. The same where there is no list (`qemu-user`, a thread made by a bare `clone`).
//! - Announcing nests (a signal handler that acquires a lock while libc or we are in the middle of an
//!   operation puts back what it found) to a depth of [`DEPTH`].

use super::FAILED;
use crate::{
    sync::{Ordering::*, compiler_fence},
    sys::{CELL_KIND, Cell, OWNER},
};
use core::{ffi::c_void, mem::size_of, ptr};

/// A node: the address of a `next` pointer. Bit 0 marks a PI mutex, in pointers to its node.
pub(super) type Node = *mut u8;

const POINTER: usize = size_of::<Node>();
const DEPTH: usize = 4;

/// The kernel's `struct robust_list_head`.
#[repr(C)]
struct Head {
    next: Node,
    offset: isize,
    pending: Node,
}

/// All-zero: not attached.
#[repr(C)]
pub(super) struct List {
    head: *mut Head,
    offset: isize,
    depth: usize,
    saved: [Node; DEPTH],
    first: Cell,
    last: Cell,
}

fn untag(node: Node) -> Node {
    node.map_addr(|a| a & !1)
}

/// Stores a pointer with one instruction, in program order against everything around.
///
/// # Safety
/// `at` is valid for a write of one pointer. It may be misaligned only where [`known`] says so.
#[inline(always)]
unsafe fn put(at: Node, value: Node) {
    compiler_fence(SeqCst);
    // 64-bit musl's node is 4 bytes off, and a misaligned volatile write would be undefined.
    // SAFETY: the caller's.
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
    unsafe {
        core::arch::asm!("mov [{}], {}", in(reg) at, in(reg) value, options(nostack, preserves_flags));
    }
    // SAFETY: the caller's.
    #[cfg(all(target_arch = "aarch64", target_pointer_width = "64"))]
    unsafe {
        core::arch::asm!("str {1}, [{0}]", in(reg) at, in(reg) value, options(nostack, preserves_flags));
    }
    // SAFETY: the caller's; aligned, see `known`.
    #[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), target_pointer_width = "64")))]
    unsafe {
        at.cast::<Node>().write_volatile(value);
    }
    compiler_fence(SeqCst);
}

/// # Safety
/// `at` is valid for a read of one pointer in this thread's private memory or libc's head.
unsafe fn get(at: Node) -> Node {
    compiler_fence(SeqCst);
    // SAFETY: the caller's.
    unsafe { at.cast::<Node>().read_unaligned() }
}

/// glibc64 -32; musl64 and x32 -28; glibc32 -20; musl32 -12.
fn known(offset: isize) -> bool {
    let offsets = [-32, -28, -20, -12];
    let misaligned = (8 - offset) as usize % POINTER != 0;
    let may_misalign = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
    // The node must lie within bytes 16..48 of the cell, which are the owner's.
    let inside = 8 - offset + POINTER as isize <= 48;
    offsets.contains(&offset) && inside && (!misaligned || may_misalign)
}

fn registered() -> *mut Head {
    let mut head: *mut Head = ptr::null_mut();
    let mut len = 0usize;
    // SAFETY: 0 is the calling thread; two valid out-pointers.
    let result = unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut len) };
    if result == FAILED || len != size_of::<Head>() { ptr::null_mut() } else { head }
}

/// musl registers its head when a thread first locks a robust mutex.
fn make_libc_register() {
    use core::mem::MaybeUninit;
    let mut attr = MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    let mut mutex = MaybeUninit::<libc::pthread_mutex_t>::uninit();
    let (attr, mutex) = (attr.as_mut_ptr(), mutex.as_mut_ptr());
    // SAFETY: each is initialised by its own call first; the mutex is on this stack and free again
    // before it goes.
    unsafe {
        if libc::pthread_mutexattr_init(attr) != 0 {
            return;
        }
        libc::pthread_mutexattr_setpshared(attr, libc::PTHREAD_PROCESS_SHARED);
        libc::pthread_mutexattr_setrobust(attr, libc::PTHREAD_MUTEX_ROBUST);
        if libc::pthread_mutex_init(mutex, attr) == 0 {
            if libc::pthread_mutex_lock(mutex) == 0 {
                libc::pthread_mutex_unlock(mutex);
            }
            libc::pthread_mutex_destroy(mutex);
        }
        libc::pthread_mutexattr_destroy(attr);
    }
}

impl List {
    /// Hangs the sentinels into libc's list. `forked`: this is a child that has our page, wiped, but
    /// perhaps (musl) its parent's list. Without a list nothing is done, and nothing will be.
    ///
    /// # Safety
    /// `this` lies in the calling thread's private page, which stays mapped until [`List::detach`]
    /// says so, and is not attached.
    pub(super) unsafe fn attach(this: *mut List, id: u32, forked: bool) {
        let mut head = registered();
        if head.is_null() {
            make_libc_register();
            head = registered();
        }
        // SAFETY: what libc registered is a valid head for as long as the thread lives, and `this`
        // is ours. The cells of a zeroed page are valid cells.
        unsafe {
            if head.is_null() || !known((*head).offset) {
                return;
            }
            (*this).offset = (*head).offset;
            (*this).first.kind.store(CELL_KIND, Relaxed);
            (*this).last.kind.store(CELL_KIND, Relaxed);
            let end = head.cast::<u8>();
            let (first, last) = (Self::node(this, &(*this).first), Self::node(this, &(*this).last));
            let mut older = get(end);
            if forked && untag(older) != end {
                // musl leaves the parent's list to the child. What is not locked by *us* is not ours,
                // our own wiped sentinel (its word is 0) included.
                let word = untag(older).wrapping_offset((*this).offset).cast::<u32>().read_volatile();
                if word & OWNER != id {
                    older = end;
                }
            }
            put(last, older);
            put(first, last);
            if (*this).doubly() {
                put(last.wrapping_sub(POINTER), first);
                put(first.wrapping_sub(POINTER), end);
                if untag(older) != end {
                    put(untag(older).wrapping_sub(POINTER), last);
                }
            }
            (*this).head = head;
            put(end, first);
        }
    }

    /// Takes the sentinels out of libc's list; nothing may be between them. False: that cannot be
    /// done safely, and the page must stay mapped for ever.
    ///
    /// # Safety
    /// As [`List::attach`], attached or not.
    pub(super) unsafe fn detach(this: *mut List) -> bool {
        // SAFETY: head and sentinels are this thread's. The neighbours are libc's, which keeps the
        // sentinels' pointers to them up to date.
        unsafe {
            let head = (*this).head;
            if head.is_null() {
                return true;
            }
            let end = head.cast::<u8>();
            let (first, last) = (Self::node(this, &(*this).first), Self::node(this, &(*this).last));
            let older = get(last);
            // Without back pointers only the head can be the predecessor; a walk would read pointers
            // from shared memory.
            let newer = if (*this).doubly() { get(first.wrapping_sub(POINTER)) } else { end };
            if newer.is_null() || untag(get(untag(newer))) != first {
                return false;
            }
            if (*this).doubly() && untag(older) != end {
                put(untag(older).wrapping_sub(POINTER), newer);
            }
            put(untag(newer), older);
            (*this).head = ptr::null_mut();
            true
        }
    }

    /// Whether the kernel tells our death.
    pub(super) fn attached(&self) -> bool {
        !self.head.is_null()
    }

    /// The word that is announced to the kernel.
    #[cfg(all(test, feature = "std"))]
    pub(super) unsafe fn pending(this: *const List) -> Option<usize> {
        // SAFETY: the calling thread's own head.
        let (node, offset) =
            unsafe { ((&raw const (*(*this).head).pending).read_volatile(), (*this).offset) };
        (!node.is_null()).then(|| node.wrapping_offset(offset).addr())
    }

    fn doubly(&self) -> bool {
        self.offset != -20
    }

    /// The node of `cell`: within its bytes 16..48 (`known`).
    #[inline]
    unsafe fn node(this: *const List, cell: *const Cell) -> Node {
        // SAFETY: the caller's `this` and `cell` are valid; only an address is formed from the cell.
        unsafe {
            let bytes: *mut c_void = core::cell::UnsafeCell::raw_get(&raw const (*cell).node).cast();
            // node - word = -offset, and `node` (byte 16) is 8 after the word.
            bytes.cast::<u8>().wrapping_offset(-8 - (*this).offset)
        }
    }

    /// # Safety
    /// `this` is the calling thread's; `cell` is mapped until [`List::settle`].
    #[inline]
    pub(super) unsafe fn announce(this: *mut List, cell: *const Cell) {
        // SAFETY: the head is libc's, of this thread.
        unsafe {
            let head = (*this).head;
            if head.is_null() {
                return;
            }
            let before = (&raw const (*head).pending).read_volatile();
            if !before.is_null() {
                Self::nest(this, before);
            }
            put((&raw mut (*head).pending).cast(), Self::node(this, cell));
        }
    }

    /// We are in a signal handler that interrupted an operation of libc's or ours: remembers what was
    /// pending. `depth` goes up before `pending` changes and down after it is back, so that yet another
    /// handler in between nests properly.
    #[cold]
    unsafe fn nest(this: *mut List, before: Node) {
        // SAFETY: the caller's `this` is the calling thread's.
        unsafe {
            let depth = (*this).depth;
            (*this).saved[depth % DEPTH] = before;
            compiler_fence(SeqCst);
            (*this).depth = depth.wrapping_add(1);
        }
    }

    /// # Safety
    /// `this` is the calling thread's.
    #[inline]
    pub(super) unsafe fn settle(this: *mut List) {
        // SAFETY: as in `announce`.
        unsafe {
            let head = (*this).head;
            if head.is_null() {
                return;
            }
            let depth = (*this).depth;
            if depth == 0 {
                put((&raw mut (*head).pending).cast(), ptr::null_mut());
                return;
            }
            put((&raw mut (*head).pending).cast(), (*this).saved[(depth - 1) % DEPTH]);
            (*this).depth = depth - 1;
        }
    }

    /// Puts `cell` behind FIRST; `newest` was there, or nothing.
    ///
    /// # Safety
    /// `this` is the calling thread's; both cells are its own by their words, and mapped.
    #[inline]
    pub(super) unsafe fn insert(this: *mut List, cell: *const Cell, newest: Option<*const Cell>) {
        // SAFETY: bytes 16..48 of a cell are its owner's to write (invariant 1 of `sys::cell`).
        unsafe {
            if (*this).head.is_null() {
                return;
            }
            let node = Self::node(this, cell);
            put(node, Self::node(this, newest.unwrap_or(&raw const (*this).last)));
            put(Self::node(this, &raw const (*this).first), node);
        }
    }

    /// Takes out what is between `newer` and `older`; `None` is a sentinel.
    ///
    /// # Safety
    /// As [`List::insert`]; they are the neighbours.
    #[inline]
    pub(super) unsafe fn remove(this: *mut List, newer: Option<*const Cell>, older: Option<*const Cell>) {
        // SAFETY: as in `insert`.
        unsafe {
            if (*this).head.is_null() {
                return;
            }
            let to = Self::node(this, older.unwrap_or(&raw const (*this).last));
            put(Self::node(this, newer.unwrap_or(&raw const (*this).first)), to);
        }
    }
}
