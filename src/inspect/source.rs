//! Where an inspector's bytes come from: memory that is mapped here, or a file.

use crate::{
    error::{Error, Result},
    sync::{AtomicU32, AtomicU64, Ordering::*},
};
use core::{marker::PhantomData, ptr::NonNull};

#[cfg(all(feature = "os", target_os = "linux"))]
use crate::sys::linux as sys;

/// Bytes that others may change at any time. Nothing here can write them.
pub trait Source {
    /// How many there are.
    fn size(&self) -> u64;
    /// The little-endian number at `at`, a multiple of 4. None: there are no such bytes (any more).
    fn u32(&self, at: u64) -> Option<u32>;
    /// The same of 8 bytes, at a multiple of 8.
    fn u64(&self, at: u64) -> Option<u64>;
    /// `count` numbers of 8 bytes, `stride` bytes apart, a multiple of 8: `each` gets the index and the number.
    fn words(&self, at: u64, stride: u64, count: u32, each: &mut dyn FnMut(u32, u64)) -> Option<()> {
        for index in 0..count {
            let offset = stride.checked_mul(u64::from(index))?.checked_add(at)?;
            each(index, self.u64(offset)?);
        }
        Some(())
    }
}

/// Memory that the caller has mapped; readable is enough.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'m> {
    base: NonNull<u8>,
    len: usize,
    of: PhantomData<&'m [AtomicU64]>,
}

impl Memory<'_> {
    /// `len` bytes at `ptr`. Errors: `Invalid` (null, or not 8-aligned).
    ///
    /// # Safety
    /// They stay mapped readable for `'m`. Others may write them, also other processes. A file that is cut short
    /// under the mapping is a SIGBUS: see [`Descriptor`].
    pub unsafe fn new(ptr: *const u8, len: usize) -> Result<Self> {
        match NonNull::new(ptr.cast_mut()) {
            Some(base) if base.addr().get() % 8 == 0 => Ok(Memory { base, len, of: PhantomData }),
            _ => Err(Error::Invalid),
        }
    }

    fn at(&self, at: u64, size: usize) -> Option<NonNull<u8>> {
        let at = usize::try_from(at).ok()?;
        let fits = at % size == 0 && at.checked_add(size)? <= self.len;
        // SAFETY: inside, as was just seen.
        fits.then(|| unsafe { self.base.add(at) })
    }
}

impl Source for Memory<'_> {
    fn size(&self) -> u64 {
        self.len as u64
    }
    fn u32(&self, at: u64) -> Option<u32> {
        // SAFETY: mapped, aligned, and read only; whoever else writes it does so atomically.
        Some(unsafe { self.at(at, 4)?.cast::<AtomicU32>().as_ref() }.load(Acquire))
    }
    fn u64(&self, at: u64) -> Option<u64> {
        // SAFETY: as above.
        Some(unsafe { self.at(at, 8)?.cast::<AtomicU64>().as_ref() }.load(Acquire))
    }
}

/// A file, or a memfd: read, not mapped. So a descriptor that was opened for reading is enough, a file that is cut
/// short is an error and not a SIGBUS, and no page comes into being that was not there.
#[cfg(all(feature = "os", target_os = "linux"))]
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    fd: i32,
    size: u64,
}

#[cfg(all(feature = "os", target_os = "linux"))]
impl Descriptor {
    /// As large as the file is now. The descriptor stays the caller's, and open as long as this is used; if not,
    /// every look says `BadRegion`.
    ///
    /// Errors: `BadRegion` (a directory, a pipe, a device), `Os`.
    pub fn new(fd: i32) -> Result<Self> {
        // SAFETY: all-zero is a valid stat buffer.
        let mut stat: sys::stat = unsafe { core::mem::zeroed() };
        // SAFETY: our buffer.
        if unsafe { sys::fstat(fd, &mut stat) } != 0 {
            return Err(Error::Os(sys::errno()));
        }
        if stat.st_mode & libc::S_IFMT != libc::S_IFREG {
            return Err(Error::BadRegion);
        }
        let size = u64::try_from(stat.st_size).map_err(|_| Error::BadRegion)?;
        Ok(Descriptor { fd, size })
    }

    /// True: all of `bytes` was there.
    fn read(&self, at: u64, bytes: &mut [u8]) -> bool {
        let Ok(offset) = libc::off_t::try_from(at) else { return false };
        loop {
            // SAFETY: our buffer.
            let n = unsafe { libc::pread(self.fd, bytes.as_mut_ptr().cast(), bytes.len(), offset) };
            if n >= 0 || sys::errno() != libc::EINTR {
                return usize::try_from(n) == Ok(bytes.len());
            }
        }
    }
}

#[cfg(all(feature = "os", target_os = "linux"))]
impl Source for Descriptor {
    fn size(&self) -> u64 {
        self.size
    }
    fn u32(&self, at: u64) -> Option<u32> {
        let mut bytes = [0; 4];
        (at % 4 == 0 && self.read(at, &mut bytes)).then(|| u32::from_le_bytes(bytes))
    }
    fn u64(&self, at: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        (at % 8 == 0 && self.read(at, &mut bytes)).then(|| u64::from_le_bytes(bytes))
    }
    fn words(&self, at: u64, stride: u64, count: u32, each: &mut dyn FnMut(u32, u64)) -> Option<()> {
        const CHUNK: usize = 4096;
        let mut chunk = [0u8; CHUNK];
        let per_chunk = (CHUNK as u64 / stride.max(8)).max(1) as u32;
        let mut index = 0;
        while index < count {
            let some = per_chunk.min(count - index);
            let from = stride.checked_mul(u64::from(index))?.checked_add(at)?;
            let bytes = (u64::from(some - 1) * stride + 8) as usize; // fits: one, or as many as do
            let bytes = chunk.get_mut(..bytes)?;
            if !self.read(from, bytes) {
                return None;
            }
            for i in 0..some {
                let word = bytes.get((u64::from(i) * stride) as usize..)?.first_chunk::<8>()?;
                each(index + i, u64::from_le_bytes(*word));
            }
            index += some;
        }
        Some(())
    }
}
