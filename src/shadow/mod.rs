//! Two copies of an object's state, of which one is published: an update is all or nothing under SIGKILL, and
//! no reader ever waits for a writer that died. What [`crate::value`], `array`, `list`, `dict` and `namespace` lie in.
//!
//! Databases call it shadow paging. A writer changes the copy that is not published, as it likes and in
//! any order, publishes it by one store, and then does the same to the other copy. So there is no log, nothing to
//! undo, and no step at which the published copy is half of anything.
//!
//! # Memory
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` of the object, set last | creator |
//! | 4 | 4 | `bytes` of a copy, 1..=2^30 | creator |
//! | 8 | 32 | `params`, the object's own | creator |
//! | 64 | 64 | `lock`, a [`Lock`]; its `aux`: how often its owner holds it, without meaning while nobody does | its owner |
//! | 128 | 8 | `seq`: how often was published; bit 0: which copy is | lock's owner |
//! | 136 | 4 | `drafting`: 1 while the copies may differ, else 0 | lock's owner |
//! | 140 | 4 | `deaths`: how many owners died while it was 1 | lock's owner |
//! | 256 | bytes | copy 0 | lock's owner |
//! | next multiple of 128 | bytes | copy 1 | lock's owner |
//!
//! # States
//! (drafting 0, copies equal) -> (1, the other copy is being changed) -> `seq` + 1 -> (1, what was changed is
//! being copied to the other one) -> (0, equal).
//!
//! # Invariants
//! 1. Only the owner of the lock writes; the copy that `seq` names, nobody.
//! 2. While `drafting` is 0 and nobody holds the lock, the copies are equal.
//! 3. An update holds the lock itself, whoever holds it besides: no guard that is dropped within one releases it.
//! 4. `bytes` and `params` are read once, at attach, and checked; whatever else is read in a copy is an input.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | the new copy | `seq` Release in `publish` | `seq` Acquire in `read` |
//! | that a copy is not to be read any more | fence(Release) in `begin` and behind `publish`, before the first write to it | fence(Acquire) in `read`, before the second look at `seq` |
//! | all of it, to the next writer | the lock | the lock |
//!
//! A reader that has read but one byte of what a writer wrote to the copy that it reads, sees by that pair of
//! fences another `seq` than before, and reads again. Payload bytes are volatile, see `bytes`.
//!
//! # Crash
//! - writer killed before `publish`: the old state. Behind it: the new one. In both cases `drafting` stays 1, and
//!   the next owner of the lock copies the published copy to the other, whole, before it does anything.
//! - that one killed on the way: `drafting` is 1 still.
//! - reader killed: it has written nothing.
//! - owner killed before it has written how often it holds the lock: the next one writes its own.
//!
//! # Limits
//! A peer that writes 1 to `drafting` while a thread holds the lock makes that thread's updates `Deadlock` until it
//! releases. A child that is forked within an update must not use it; its own end of it changes nothing.
//! Twice the memory, and each change is written twice. 2^30 bytes. A reader whom writers overtake
//! [`LOOKS`] times in a row waits for the lock, like a writer. A peer that scribbles on the count makes the owner
//! release too early or too late; 0 counts as 1. After a writer's death one writer copies everything once.
//!
//! # Checked by
//! `tests/loom_shadow.rs`, `tests/sweep_state.rs`, `tests/torn.rs`.

mod draft;
mod handle;

pub use draft::{Draft, View};
pub(crate) use handle::locking;

use crate::{
    bytes,
    error::{Error, Result},
    layout::{CACHE_LINE, Layout, Line, fits, round_up},
    lock::{Lock, Outcome},
    sync::{AtomicU32, AtomicU64, Ordering::*, fence, spin_loop},
    sys::Platform,
    time::FOREVER,
};
use core::{marker::PhantomData, ops::Range, ptr::NonNull};

/// How often a reader tries without the lock.
pub const LOOKS: u32 = 64;
/// The largest copy.
pub const MAX_BYTES: u32 = 1 << 30;
const COPIES_OFFSET: u64 = 256;
/// How many numbers an object may keep in its header.
pub const PARAMS: usize = 8;

/// Who is published, and whether somebody is at work. Public for models.
#[repr(C)]
#[derive(Debug)]
#[doc(hidden)]
pub struct Control {
    seq: AtomicU64,
    drafting: AtomicU32,
    deaths: AtomicU32,
}

#[allow(missing_docs, clippy::new_without_default)]
impl Control {
    #[cfg(rialto_loom)]
    pub fn new() -> Control {
        Control { seq: AtomicU64::new(0), drafting: AtomicU32::new(0), deaths: AtomicU32::new(0) }
    }

    /// Copy 0 is published.
    fn reset(&self) {
        self.seq.store(0, Relaxed);
        self.drafting.store(0, Relaxed);
        self.deaths.store(0, Relaxed);
    }

    /// The published copy, for the lock's owner.
    pub fn published(&self) -> usize {
        (self.seq.load(Relaxed) & 1) as usize
    }

    /// Whether the lock's owner before us died at work (or we are asked within our own update).
    pub fn is_drafting(&self) -> bool {
        self.drafting.load(Relaxed) != 0
    }

    /// From here on the copy that is not published may be written.
    pub fn begin(&self) {
        self.drafting.store(1, Relaxed);
        fence(Release); // partner: the fence in `read`
    }

    /// That copy becomes the published one, and the other may be written.
    pub fn publish(&self) {
        self.seq.store(self.seq.load(Relaxed).wrapping_add(1), Release);
        fence(Release); // as in `begin`
    }

    /// The copies are equal.
    pub fn end(&self) {
        self.drafting.store(0, Release); // behind the writes, should we be killed
    }

    fn count_death(&self) {
        self.deaths.store(self.deaths.load(Relaxed).saturating_add(1), Relaxed);
    }

    /// One try to read the published copy. None: it was overtaken by a writer.
    #[inline(always)]
    pub fn read<T>(&self, read: impl FnOnce(usize) -> T) -> Option<T> {
        let before = self.seq.load(Acquire); // partner: `publish`
        let result = read((before & 1) as usize);
        fence(Acquire); // partners: the fences in `begin` and `publish`
        (self.seq.load(Relaxed) == before).then_some(result)
    }
}

#[repr(C, align(128))]
struct Header {
    magic: AtomicU32,
    bytes: AtomicU32,
    params: [AtomicU32; PARAMS],
    _reserved: [AtomicU32; 6],
    lock: Lock,
    control: Line<Control>,
}

#[cfg(not(rialto_loom))]
const _: () = {
    use core::mem::{offset_of, size_of};
    assert!(offset_of!(Header, params) == 8 && offset_of!(Header, lock) == 64);
    assert!(offset_of!(Header, control) == 128 && size_of::<Header>() as u64 == COPIES_OFFSET);
};

/// A handle to such an object. Small, copyable, usable from every thread of its process. Made in this crate only: who
/// exchanged the drafts of two updates, or kept a view, would reach past the copies.
pub struct Shadow<'r, P: Platform> {
    header: &'r Header,
    copies: NonNull<u8>,
    stride: u32,
    bytes: u32,
    timeout_ns: u64,
    /// How many locks of objects of its region this process holds; kept here for `Region::in_use`.
    held: Option<&'r AtomicU32>,
    platform: P,
}

impl<P: Platform> Clone for Shadow<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Shadow<'_, P> {}

// SAFETY: behind the pointers is shared memory, which is written under the lock only and read as an input.
unsafe impl<P: Platform> Send for Shadow<'_, P> {}
// SAFETY: as above.
unsafe impl<P: Platform> Sync for Shadow<'_, P> {}

/// Bytes for an object with copies of `bytes`. Errors: `Invalid` (0, or more than [`MAX_BYTES`]).
pub fn layout(bytes: u64) -> Result<Layout> {
    if bytes == 0 || bytes > u64::from(MAX_BYTES) {
        return Err(Error::Invalid);
    }
    let stride = round_up(bytes, CACHE_LINE).ok_or(Error::Invalid)?;
    Ok(Layout { size: COPIES_OFFSET + 2 * stride, align: CACHE_LINE })
}

/// Where an object outside of a region is. Errors: `Invalid` (null, or not 128-aligned).
pub fn place(ptr: *mut u8) -> Result<NonNull<u8>> {
    match NonNull::new(ptr) {
        Some(at) if at.addr().get() % CACHE_LINE as usize == 0 => Ok(at),
        _ => Err(Error::Invalid),
    }
}

impl<'r, P: Platform> Shadow<'r, P> {
    /// Makes an object whose copies are all zero, but for what `init` writes.
    ///
    /// # Safety
    /// `at` is 128-aligned; `layout(bytes)` bytes from it stay mapped and shared for 'r, and as long as a thread
    /// of ours holds the object's lock; nobody uses them yet.
    pub(crate) unsafe fn format(
        platform: P,
        at: NonNull<u8>,
        magic: u32,
        params: [u32; PARAMS],
        bytes: u64,
        init: impl FnOnce(&mut Draft) -> Result<()>,
    ) -> Result<Self> {
        layout(bytes)?;
        // SAFETY: the caller's word; any bytes are valid for atomics.
        unsafe {
            // SeqCst: before anything else, should we be killed on the way.
            (*at.cast::<AtomicU32>().as_ptr()).swap(0, SeqCst);
            let lock = at.add(core::mem::offset_of!(Header, lock)).cast::<Lock>();
            lock.write(Lock::new());
        }
        // SAFETY: as above, and the lock was made.
        let header = unsafe { at.cast::<Header>().as_ref() };
        header.bytes.store(bytes as u32, Relaxed);
        for (word, value) in header.params.iter().zip(params) {
            word.store(value, Relaxed);
        }
        header.control.0.reset();
        // SAFETY: as above.
        let shadow = unsafe { Self::over(platform, at, bytes as u32) };
        let (first, second) = (shadow.copy(0), shadow.copy(1));
        // SAFETY: the copies have `bytes` bytes each, and are ours still.
        unsafe { bytes::fill_zero(first.as_ptr(), bytes as usize) };
        init(&mut Draft::new(first, bytes as u32))?;
        // SAFETY: as above; they do not overlap.
        unsafe { bytes::copy_shared(first.as_ptr(), second.as_ptr(), bytes as usize) };
        header.magic.store(magic, Release); // partner: `attach`
        Ok(shadow)
    }

    /// Attaches to `size` bytes that claim to be one; returns its params, unchecked. Errors: `BadRegion`.
    ///
    /// # Safety
    /// `at` is 128-aligned; `size` bytes from it stay mapped and shared for 'r, and as long as a thread of ours
    /// holds the object's lock. What is in them does not matter.
    pub(crate) unsafe fn attach(
        platform: P,
        at: NonNull<u8>,
        size: u64,
        magic: u32,
    ) -> Result<(Self, [u32; PARAMS])> {
        if size < COPIES_OFFSET {
            return Err(Error::BadRegion);
        }
        // SAFETY: it fits; any bytes are valid for atomics, and a lock is.
        let header = unsafe { at.cast::<Header>().as_ref() };
        if header.magic.load(Acquire) != magic {
            return Err(Error::BadRegion);
        }
        let bytes = header.bytes.load(Relaxed);
        let layout = layout(u64::from(bytes)).map_err(|_| Error::BadRegion)?;
        if !fits(0, layout.size, size) {
            return Err(Error::BadRegion);
        }
        let params = core::array::from_fn(|i| header.params[i].load(Relaxed));
        // SAFETY: the caller's word; the copies lie inside.
        Ok((unsafe { Self::over(platform, at, bytes) }, params))
    }

    /// # Safety
    /// As for `attach`, and the copies were seen to fit.
    unsafe fn over(platform: P, at: NonNull<u8>, bytes: u32) -> Self {
        // SAFETY: the caller's word.
        let (header, copies) = unsafe { (at.cast::<Header>().as_ref(), at.add(COPIES_OFFSET as usize)) };
        let stride = bytes.next_multiple_of(CACHE_LINE as u32);
        Shadow { header, copies, stride, bytes, timeout_ns: FOREVER, held: None, platform }
    }

    fn copy(&self, which: usize) -> NonNull<u8> {
        // SAFETY: `over` was told that both lie inside.
        unsafe { self.copies.add((which & 1) * self.stride as usize) }
    }

    /// This handle, whose [`Shadow::update`], [`Shadow::lock`] and [`Shadow::read`] wait at most so long for the
    /// lock; a new one waits for ever.
    #[must_use = "the handle itself is as it was"]
    pub fn with_timeout(self, timeout_ns: u64) -> Self {
        Shadow { timeout_ns, ..self }
    }

    /// This handle, whose lock is counted in `held` while this process holds it: a region does not go from under
    /// a guard that was forgotten.
    pub(crate) fn counted_in(self, held: Option<&'r AtomicU32>) -> Self {
        Shadow { held, ..self }
    }

    /// One more, or (`u32::MAX`) one less.
    fn count_held(&self, change: u32) {
        if let Some(held) = self.held {
            held.fetch_add(change, AcqRel); // partner: `Region::in_use`
        }
    }

    /// Bytes of a copy.
    pub fn bytes(&self) -> u32 {
        self.bytes
    }

    /// How many threads died in the middle of an update, which then was taken back or completed.
    pub fn deaths(&self) -> u32 {
        self.header.control.0.deaths.load(Relaxed)
    }

    /// Whether anybody holds the lock, a moment ago.
    pub fn is_locked(&self) -> bool {
        self.header.lock.is_locked()
    }

    /// Whether the calling thread holds the lock.
    pub fn is_mine(&self) -> bool {
        self.header.lock.is_mine_on(self.platform)
    }

    /// What `read` makes of the published copy. It may be called several times, and on bytes that change under
    /// its eyes: only what it returned undisturbed counts, errors too. Others' updates, one behind the other,
    /// can make it wait in turn with them: then the errors of [`Shadow::acquire`].
    #[inline]
    pub fn read<T>(&self, mut read: impl FnMut(View) -> Result<T>) -> Result<T> {
        let mut look = |which: usize| read(View::new(self.copy(which), self.bytes));
        match self.header.control.0.read(&mut look) {
            Some(result) => result,
            None => self.read_again(&mut look),
        }
    }

    #[cold]
    fn read_again<T>(&self, look: &mut impl FnMut(usize) -> Result<T>) -> Result<T> {
        for _ in 1..LOOKS {
            spin_loop();
            if let Some(result) = self.header.control.0.read(&mut *look) {
                return result;
            }
        }
        // Writers publish as fast as we read: then in turn with them.
        let held = self.lock()?;
        let result = look(self.header.control.0.published());
        drop(held);
        result
    }

    /// Acquires the lock, waiting at most `timeout_ns`, and repairs what a dead owner left: from here on nobody
    /// else changes anything. Errors: `Deadlock` (it is ours already), and as [`Lock::acquire_on`].
    pub fn acquire(&self, timeout_ns: u64) -> Result<()> {
        self.count_held(1);
        let acquired = self.header.lock.acquire_on(self.platform, timeout_ns);
        if acquired.inspect_err(|_| self.count_held(u32::MAX))? == Outcome::OwnerDied {
            self.header.lock.mark_consistent_on(self.platform)?;
        }
        self.set_count(1);
        let control = &self.header.control.0;
        if control.is_drafting() {
            control.begin(); // the fence: see Ordering
            self.level(0..self.bytes);
            control.count_death();
            control.end();
        }
        Ok(())
    }

    /// Makes the other copy there what the published one is. `part` begins at a multiple of 16 and lies in a copy; the
    /// lock is ours (invariant 1).
    fn level(&self, part: Range<u32>) {
        let published = self.header.control.0.published();
        let (from, to, at) = (self.copy(published), self.copy(published + 1), part.start as usize);
        // SAFETY: as was said; the copies lie apart.
        unsafe { bytes::copy_shared(from.as_ptr().add(at), to.as_ptr().add(at), part.len()) };
    }

    /// Undoes one acquisition; the last one releases the lock. Errors: `NotOwner` (also: all that is left is an
    /// update's own), `BadRegion`.
    pub fn release(&self) -> Result<()> {
        if self.count() <= 1 && self.header.control.0.is_drafting() {
            return Err(Error::NotOwner);
        }
        self.release_one()
    }

    fn release_one(&self) -> Result<()> {
        let count = self.count();
        if count <= 1 {
            let released = self.header.lock.release_on(self.platform);
            // `BadRegion`: it is not held any more either.
            if matches!(released, Ok(()) | Err(Error::BadRegion)) {
                self.count_held(u32::MAX);
            }
            return released;
        }
        if !self.is_mine() {
            return Err(Error::NotOwner);
        }
        self.set_count(count - 1);
        Ok(())
    }

    /// How often the lock's owner holds it: read and written by that one only.
    fn count(&self) -> u32 {
        self.header.lock.cell().count()
    }

    fn set_count(&self, count: u32) {
        self.header.lock.cell().set_count(count);
    }

    /// As [`Shadow::acquire`], until the guard is dropped, waiting as long as the handle does; once more if the lock
    /// is ours already. Errors: also `Overflow` (2^32 - 1 times).
    #[inline]
    pub fn lock(&self) -> Result<Held<'r, P>> {
        if self.is_mine() {
            self.set_count(self.count().max(1).checked_add(1).ok_or(Error::Overflow)?);
        } else {
            self.acquire(self.timeout_ns)?;
        }
        Ok(Held { shadow: *self, thread: PhantomData })
    }

    /// Has `change` change the copy that is not published, and publishes it: all of it, or, if `change` says
    /// an error or panics, nothing.
    ///
    /// Errors: `change`'s; those of [`Shadow::acquire`]; `Deadlock` from within an update of the same object.
    pub fn update<T>(&self, change: impl FnOnce(&mut Draft) -> Result<T>) -> Result<T> {
        let _held = self.lock()?;
        let control = &self.header.control.0;
        if control.is_drafting() {
            return Err(Error::Deadlock);
        }
        control.begin();
        let draft = Draft::new(self.copy(control.published() + 1), self.bytes);
        let mut work = Work { shadow: self, draft, is_done: false };
        let result = change(&mut work.draft);
        work.is_done = result.is_ok();
        drop(work);
        result
    }
}

/// An update under way. Its end publishes what was done, or nothing if it was not, and makes the copies equal again where
/// the draft was written.
struct Work<'a, 'r, P: Platform> {
    shadow: &'a Shadow<'r, P>,
    draft: Draft,
    is_done: bool,
}

impl<P: Platform> Drop for Work<'_, '_, P> {
    fn drop(&mut self) {
        if !self.shadow.is_mine() {
            return; // a child that was forked in there: nothing of this is its own
        }
        let control = &self.shadow.header.control.0;
        if self.is_done && self.draft.is_changed() {
            control.publish();
        }
        self.draft.changed().for_each(|part| self.shadow.level(part));
        control.end();
    }
}

/// Holds an object's lock, once, for the thread that took it:
/// ```compile_fail,E0277
/// fn is_send<T: Send>() {}
/// is_send::<rialto::shadow::Held<rialto::sys::Os>>();
/// ```
/// The last of a thread's guards that is dropped releases it.
#[must_use = "dropping it releases the lock at once"]
pub struct Held<'r, P: Platform> {
    shadow: Shadow<'r, P>,
    /// Not Send: the lock belongs to the thread.
    thread: PhantomData<*mut ()>,
}

impl<P: Platform> Drop for Held<'_, P> {
    fn drop(&mut self) {
        // Fails in a forked child, or if released by hand meanwhile, or overwritten by a peer: nothing is held then.
        let _ = self.shadow.release_one();
    }
}
