//! A copy of an object's state: to read ([`View`]), or to change ([`Draft`], which remembers where it did).

use crate::{
    bytes,
    error::{Error, Result},
};
use core::{ops::Deref, ops::Range, ptr::NonNull};

/// As many separate places are remembered; more are joined to the last one.
const RANGES: usize = 12;
/// Ranges begin and end at multiples of this.
const UNIT: u32 = 16;

/// Bytes to read, range-checked: whatever they hold.
#[derive(Clone, Copy)]
pub struct View {
    base: NonNull<u8>,
    bytes: u32,
}

impl View {
    /// `bytes` readable bytes at `base`, 16-aligned, for as long as this lives.
    pub(super) fn new(base: NonNull<u8>, bytes: u32) -> View {
        View { base, bytes }
    }

    #[inline(always)]
    fn check(&self, at: u32, len: usize) -> Result<*mut u8> {
        let end = u64::from(at) + len as u64;
        if end > u64::from(self.bytes) {
            return Err(Error::BadRegion);
        }
        // SAFETY: inside, as was just seen.
        Ok(unsafe { self.base.as_ptr().add(at as usize) })
    }

    /// The bytes from `at` on. Errors: `BadRegion` if there are not as many; so below.
    #[inline(always)]
    pub fn read(&self, at: u32, to: &mut [u8]) -> Result<()> {
        let from = self.check(at, to.len())?;
        // SAFETY: they are there, and shared.
        unsafe { bytes::copy_out_any(from, to) };
        Ok(())
    }

    /// The number at `at`, a multiple of 4.
    #[inline(always)]
    pub fn u32(&self, at: u32) -> Result<u32> {
        debug_assert!(at % 4 == 0);
        let from = self.check(at & !3, 4)?;
        // SAFETY: four bytes, aligned.
        Ok(unsafe { from.cast::<u32>().read_volatile() })
    }

    /// Whether the bytes from `at` on are these.
    pub fn is(&self, at: u32, expected: &[u8]) -> Result<bool> {
        self.check(at, expected.len())?;
        let mut part = [0; 64];
        let mut at = at;
        for expected in expected.chunks(64) {
            let part = &mut part[..expected.len()];
            self.read(at, part)?;
            if part != expected {
                return Ok(false);
            }
            at += 64;
        }
        Ok(true)
    }

    /// Where the bytes from `at` on are: to be read, if at all, as volatile.
    pub fn pointer(&self, at: u32, len: usize) -> Result<*const u8> {
        self.check(at, len).map(|pointer| pointer.cast_const())
    }
}

/// The copy that is not published. Reads see what was written before.
pub struct Draft {
    view: View,
    ranges: [(u32, u32); RANGES],
    count: usize,
}

impl Deref for Draft {
    type Target = View;
    fn deref(&self) -> &View {
        &self.view
    }
}

impl Draft {
    pub(super) fn new(base: NonNull<u8>, bytes: u32) -> Draft {
        Draft { view: View::new(base, bytes), ranges: [(0, 0); RANGES], count: 0 }
    }

    /// Whether anything was written.
    pub(super) fn is_changed(&self) -> bool {
        self.count > 0
    }

    /// Where. Each begins at a multiple of 16, lies in the copy, and others may overlap it.
    pub(super) fn changed(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        let bytes = self.view.bytes;
        self.ranges[..self.count].iter().map(move |&(start, end)| start..end.min(bytes))
    }

    /// Before the write.
    #[inline(always)]
    fn note(&mut self, at: u32, len: usize) {
        let start = at & !(UNIT - 1);
        let end = (at + len as u32).next_multiple_of(UNIT);
        for range in &mut self.ranges[..self.count] {
            if start <= range.1 && end >= range.0 {
                *range = (range.0.min(start), range.1.max(end));
                return;
            }
        }
        match self.ranges.get_mut(self.count) {
            Some(range) => {
                *range = (start, end);
                self.count += 1;
            }
            None => {
                let last = &mut self.ranges[RANGES - 1];
                *last = (last.0.min(start), last.1.max(end));
            }
        }
    }

    /// Writes the bytes from `at` on.
    #[inline(always)]
    pub fn write(&mut self, at: u32, from: &[u8]) -> Result<()> {
        let to = self.view.check(at, from.len())?;
        if !from.is_empty() {
            self.note(at, from.len());
            // SAFETY: they are there, shared, and ours to write (the caller holds the lock).
            unsafe { bytes::copy_in_any(from, to) };
        }
        Ok(())
    }

    /// Writes the number at `at`, a multiple of 4.
    #[inline(always)]
    pub fn set_u32(&mut self, at: u32, value: u32) -> Result<()> {
        debug_assert!(at % 4 == 0);
        let to = self.view.check(at & !3, 4)?;
        self.note(at & !3, 4);
        // SAFETY: four bytes, aligned, ours to write.
        unsafe { to.cast::<u32>().write_volatile(value) };
        Ok(())
    }

    /// Moves `count` numbers from `from` to `to`, both multiples of 4; they may overlap.
    pub fn move_u32s(&mut self, from: u32, to: u32, count: u32) -> Result<()> {
        debug_assert!(from % 4 == 0 && to % 4 == 0);
        let len = usize::try_from(u64::from(count) * 4).map_err(|_| Error::BadRegion)?;
        let source = self.view.check(from & !3, len)?.cast::<u32>();
        let target = self.view.check(to & !3, len)?.cast::<u32>();
        if count == 0 || from == to {
            return Ok(());
        }
        self.note(to & !3, len);
        let step = |i: usize| {
            // SAFETY: both ranges were checked; aligned; ours to write.
            unsafe { target.add(i).write_volatile(source.add(i).read_volatile()) }
        };
        let count = count as usize;
        if to < from {
            (0..count).for_each(step)
        } else {
            (0..count).rev().for_each(step)
        }
        Ok(())
    }
}
