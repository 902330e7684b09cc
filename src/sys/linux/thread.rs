//! The calling thread's private page: its id, the cells it holds, its memberships.
//!
//! # Memory
//! One private anonymous page per thread, found through `tls`, marked `MADV_WIPEONFORK`: in a forked
//! child it reads as zeros, and is set up anew in place. So a child holds nothing of its parent's, and
//! no operation asks for the thread's id (that would cost 15 times the rest).
//!
//! # States
//! `state`: 0 (fresh or wiped) -> READY, or CHECKED where the kernel cannot wipe (before 4.14;
//! `qemu-user`): there every call compares `getpid`.
//!
//! # Invariants
//! 1. Only the thread itself touches its page; the kernel reads the list nodes when it is dead.
//! 2. `held[..count]` are exactly the cells between the sentinels, oldest first.
//!
//! # Crash
//! A thread that exits marks what it holds, its memberships included, as the kernel would have done; a
//! kill anywhere in that leaves the rest to the kernel. A page that cannot be taken out of
//! libc's list stays mapped.
//!
//! # Limits
//! - 64 cells (locks and memberships), 16 memberships per thread.
//! - CHECKED mode takes a child in a new PID namespace that has its parent's number for its parent.
//! - A child of `vfork` has its parent's thread context: it must not call Rialto.
//!
//! # Checked by
//! The tests below, `tests/proc_lock.rs`, `tests/mapping.rs`.

use super::{Linux, proc, robust::List, tls, users};
use crate::{
    error::{Error, Result},
    sync::Ordering::*,
    sys::{Cell, DIED, OWNER, Platform, Thread, WAITERS},
};
use core::{
    mem::{align_of, size_of},
    ptr,
};

const MAX_HELD: usize = 64;
const MAX_MEMBERSHIPS: usize = 16;
const PAGE: usize = 4096;

const READY: u32 = 1;
const CHECKED: u32 = 2;

/// What a thread remembers of a region that it has joined.
#[derive(Clone, Copy)]
struct Membership {
    /// Which region, in this process; 0 in an empty entry.
    region: u64,
    epoch: u64,
    id: u16,
}

pub(super) struct Context {
    state: u32,
    id: u32,
    pid: i32,
    count: u32,
    tag: u64,
    /// The process's tag; 0 until it is asked for.
    process: u64,
    list: List,
    held: [*const Cell; MAX_HELD],
    /// The one used last is first.
    memberships: [Membership; MAX_MEMBERSHIPS],
}

const _: () = assert!(size_of::<Context>() <= PAGE && align_of::<Context>() <= PAGE);

/// The calling thread; a pointer to its private page.
#[derive(Clone, Copy, Debug)]
pub struct LinuxThread(*mut Context);

impl Context {
    /// The thread is about to end: what it still holds is marked, the page goes.
    ///
    /// # Safety
    /// Null, or the calling thread's context, which nothing uses afterwards.
    pub(super) unsafe fn exit(context: *mut Context) {
        if context.is_null() {
            return;
        }
        // SAFETY: the caller's. Cells held are mapped, as those who linked them promised.
        unsafe {
            let state = (*context).state;
            // A forked child that never used Rialto: zeros, or the parent's. It stays mapped, as musl
            // leaves the parent's list, with our sentinels, to the child.
            if state != READY && !(state == CHECKED && (*context).pid == libc::getpid()) {
                return;
            }
            let me = LinuxThread(context);
            while let Some(newest) = (*context).count.checked_sub(1) {
                me.mark_dead(&*(*context).held[newest as usize]);
            }
            // Not before: from here on the regions may be unmapped.
            for membership in (*context).memberships.iter().filter(|m| m.region != 0) {
                users::exit(membership.region);
            }
            tls::set(ptr::null_mut());
            if List::detach(&raw mut (*context).list) {
                libc::munmap(context.cast(), PAGE);
            }
        }
    }
}

impl LinuxThread {
    #[inline]
    pub(super) fn current() -> Result<LinuxThread> {
        let context = tls::get();
        // SAFETY: a context that `tls` knows is mapped until the thread ends.
        if !context.is_null() && unsafe { (*context).state } == READY {
            return Ok(LinuxThread(context));
        }
        Self::prepare(context)
    }

    #[cold]
    #[inline(never)]
    fn prepare(known: *mut Context) -> Result<LinuxThread> {
        let mut context = known;
        // SAFETY: the page is this thread's own; zeros are a valid Context (numbers, null pointers,
        // `None`s, cells). gettid and getpid take no arguments.
        unsafe {
            let pid = libc::getpid();
            if !context.is_null() && (*context).state == CHECKED {
                if (*context).pid == pid {
                    return Ok(LinuxThread(context));
                }
                ptr::write_bytes(context, 0, 1); // a forked child, not wiped
            }
            let mut state = READY;
            if context.is_null() {
                context = libc::mmap(
                    ptr::null_mut(),
                    PAGE,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                )
                .cast();
                if context.cast() == libc::MAP_FAILED {
                    return Err(Error::NoMemory);
                }
                if !tls::set(context) {
                    libc::munmap(context.cast(), PAGE);
                    return Err(Error::NoMemory);
                }
                tls::arm();
            }
            if libc::madvise(context.cast(), PAGE, libc::MADV_WIPEONFORK) != 0 {
                state = CHECKED;
            }
            (*context).id = libc::syscall(libc::SYS_gettid) as u32;
            (*context).pid = pid;
            (*context).tag = proc::own_tag((*context).id);
            List::attach(&raw mut (*context).list, (*context).id, !known.is_null());
            (*context).state = state;
        }
        Ok(LinuxThread(context))
    }

    /// Whether the kernel tells this thread's death; if not, it is noticed at a tick.
    pub fn is_robust(self) -> bool {
        // SAFETY: the context is mapped and ours (invariant 1).
        unsafe { (*self.0).list.attached() }
    }

    /// See [`crate::sys::Platform::process`]. Exact in a forked child too, whose page is a fresh one.
    pub(super) fn process(self) -> u64 {
        // SAFETY: the context is mapped and ours (invariant 1).
        let context = unsafe { &mut *self.0 };
        if context.process == 0 {
            let pid = context.pid.unsigned_abs();
            let tag = if pid == context.id { context.tag } else { proc::own_tag(pid) };
            context.process = if tag == 0 { proc::tag_of_unknown(pid) } else { tag };
        }
        context.process
    }

    fn memberships(&mut self) -> &mut [Membership; MAX_MEMBERSHIPS] {
        // SAFETY: invariant 1; zeros are a valid table of empty entries.
        unsafe { &mut (*self.0).memberships }
    }

    #[cold]
    fn find(&mut self, region: u64) -> Option<usize> {
        self.memberships().iter().position(|m| m.region == region)
    }

    #[inline]
    fn held(&self) -> &[*const Cell] {
        // SAFETY: invariants 1 and 2; `count` never exceeds the array.
        unsafe { &(&(*self.0).held)[..(*self.0).count as usize] }
    }

    /// Does to a cell that we hold what the kernel would do if we were gone.
    ///
    /// # Safety
    /// What is linked is mapped and in place, `cell` until this returns.
    unsafe fn mark_dead(self, cell: &Cell) {
        // SAFETY: the caller's.
        unsafe {
            self.announce(cell);
            self.unlink(cell);
        }
        cell.tag.store(0, Relaxed);
        let mut word = cell.word.load(Relaxed);
        // Others only ever add WAITERS, once; the bound is for a word that somebody scribbles on.
        for _ in 0..1000 {
            if word & OWNER != self.id() {
                break;
            }
            match cell.word.compare_exchange(word, word & WAITERS | DIED, Release, Relaxed) {
                Ok(_) => {
                    self.settle();
                    if word & WAITERS != 0 {
                        Linux.wake(&cell.word, 1);
                    }
                    return;
                }
                Err(now) => word = now,
            }
        }
        self.settle();
    }
}

impl Thread for LinuxThread {
    #[inline]
    fn id(self) -> u32 {
        // SAFETY: invariant 1; so for all below.
        unsafe { (*self.0).id }
    }

    #[inline]
    fn tag(self) -> u64 {
        // SAFETY: invariant 1.
        unsafe { (*self.0).tag }
    }

    #[inline]
    fn has_room(self) -> bool {
        self.held().len() < MAX_HELD
    }

    #[inline]
    unsafe fn announce(self, cell: &Cell) {
        // SAFETY: invariant 1, and the caller's.
        unsafe { List::announce(&raw mut (*self.0).list, cell) }
    }

    #[inline]
    fn settle(self) {
        // SAFETY: invariant 1.
        unsafe { List::settle(&raw mut (*self.0).list) }
    }

    #[inline]
    unsafe fn link(self, cell: &Cell) {
        let held = self.held();
        let (count, newest) = (held.len(), held.last().copied());
        if count >= MAX_HELD {
            return; // the caller broke its contract: untold is better than out of bounds
        }
        // SAFETY: invariant 1; what is in `held` is ours, and mapped as those who linked it promised.
        unsafe {
            List::insert(&raw mut (*self.0).list, cell, newest);
            (*self.0).held[count] = cell;
            (*self.0).count = count as u32 + 1;
        }
    }

    #[inline]
    unsafe fn unlink(self, cell: &Cell) {
        let held = self.held();
        let Some(i) = held.iter().rposition(|c| ptr::eq(*c, cell)) else {
            return;
        };
        let count = held.len();
        let newer = held.get(i + 1).copied();
        let older = i.checked_sub(1).map(|j| held[j]);
        // SAFETY: as in `link`; `i < count`.
        unsafe {
            List::remove(&raw mut (*self.0).list, newer, older);
            let held = &mut (*self.0).held;
            // Locks nest, so it is nearly always the newest: no call of memmove then.
            if i + 1 < count {
                held.copy_within(i + 1..count, i);
            }
            (*self.0).count = count as u32 - 1;
        }
    }

    #[inline]
    fn holds(self, cell: &Cell) -> bool {
        self.held().iter().rev().any(|c| ptr::eq(*c, cell))
    }

    fn holds_within(self, start: *const u8, len: usize) -> bool {
        self.held().iter().any(|cell| cell.addr().wrapping_sub(start.addr()) < len)
    }

    #[inline]
    fn membership(mut self, region: u64) -> Option<u16> {
        if self.memberships()[0].region != region {
            let i = self.find(region)?;
            self.memberships().swap(0, i);
        }
        Some(self.memberships()[0].id)
    }

    fn set_membership(mut self, region: u64, id: u16, epoch: u64) -> Result<()> {
        let i = self.find(region).or_else(|| self.find(0)).ok_or(Error::TooManyHeld)?;
        self.memberships()[i] = Membership { region, epoch, id };
        self.memberships().swap(0, i);
        Ok(())
    }

    fn remove_membership(mut self, region: u64) -> Option<(u16, u64)> {
        let i = self.find(region)?;
        let Membership { id, epoch, .. } = self.memberships()[i];
        self.memberships()[i] = Membership { region: 0, epoch: 0, id: 0 };
        Some((id, epoch))
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use std::{thread, vec::Vec};

    #[test]
    fn memberships_are_found_replaced_and_forgotten() {
        thread::spawn(|| {
            let me = LinuxThread::current().unwrap();
            // Numbers of regions without a place: at its end the thread leaves nobody's.
            let region = |n: u64| n << 8;
            assert!(me.membership(region(1)).is_none());
            for n in 1..=3 {
                me.set_membership(region(n), n as u16 * 10, n * 100).unwrap();
            }
            for n in [2, 2, 1, 3, 1] {
                assert_eq!(me.membership(region(n)), Some(n as u16 * 10));
            }
            me.set_membership(region(2), 7, 8).unwrap();
            assert_eq!(me.membership(region(2)), Some(7));
            assert_eq!(me.remove_membership(region(3)), Some((30, 300)));
            assert!(me.remove_membership(region(3)).is_none() && me.membership(region(3)).is_none());
            for n in 100..114 {
                me.set_membership(region(n), 1, 1).unwrap();
            }
            assert_eq!(me.set_membership(region(200), 1, 1), Err(Error::TooManyHeld));
        })
        .join()
        .unwrap();
    }

    /// What a signal handler does that acquires a lock in the middle of an operation.
    #[test]
    fn announcements_nest() {
        let me = LinuxThread::current().unwrap();
        assert!(me.is_robust());
        let cells: Vec<Cell> = (0..3).map(Cell::new).collect();
        // SAFETY: the calling thread's.
        let pending = || unsafe { List::pending(&raw const (*me.0).list) };
        let at = |i: usize| core::ptr::from_ref(&cells[i]).addr() + 8;
        assert_eq!(pending(), None);
        for (i, cell) in cells.iter().enumerate() {
            // SAFETY: the cells outlive this, and nothing is linked.
            unsafe { me.announce(cell) };
            assert_eq!(pending(), Some(at(i)));
        }
        for i in [1, 0] {
            me.settle();
            assert_eq!(pending(), Some(at(i)));
        }
        me.settle();
        assert_eq!(pending(), None);
    }

    #[test]
    fn what_is_held_within_a_range() {
        let me = LinuxThread::current().unwrap();
        let cells: Vec<Cell> = (0..3).map(Cell::new).collect();
        let start = cells.as_ptr().cast::<u8>();
        assert!(!me.holds_within(start, 192));
        // SAFETY: unlinked below, before the cells go.
        unsafe { me.link(&cells[1]) };
        assert!(me.holds(&cells[1]) && !me.holds(&cells[0]));
        assert!(me.holds_within(start, 192) && me.holds_within(start, 65));
        assert!(!me.holds_within(start, 64) && !me.holds_within(start.wrapping_add(65), 100));
        // SAFETY: nothing else is linked.
        unsafe { me.unlink(&cells[1]) };
        assert!(!me.holds_within(start, 192));
    }
}
