//! Where a region's memory comes from on Linux: the caller's pointer, an anonymous mapping, a memfd, or
//! a name in `/dev/shm`.
//!
//! Every page of a file is allocated before anybody is told of the region, so running out of room is an
//! error here and never a SIGBUS later; an anonymous mapping gets its pages on first use. A memfd is
//! sealed against resizing. A named region is made in an
//! unnamed file, initialised, and then linked under its name in one step: it is there whole or not at
//! all, and a creator that is killed leaves nothing behind.

use super::{Region, RegionConfig};
use crate::{
    error::{Error, Result},
    sys::{Os, linux},
};
use core::{ffi::CStr, ptr::NonNull};

/// What `Drop` has to undo.
pub(super) enum Mapping {
    /// The caller's memory.
    Borrowed,
    /// Ours, with the descriptor if there is one.
    Owned { len: usize, fd: Option<i32> },
}

/// A path or a name, ended by a zero. Longer ones are refused as `Invalid`.
type Path = heapless::Vec<u8, 320>;

fn path(parts: &[&[u8]]) -> Result<Path> {
    let mut path = Path::new();
    for part in parts {
        path.extend_from_slice(part).map_err(|_| Error::Invalid)?;
    }
    path.push(0).map_err(|_| Error::Invalid)?;
    Ok(path)
}

fn c_str(path: &Path) -> Result<&CStr> {
    CStr::from_bytes_with_nul(path).map_err(|_| Error::Invalid)
}

/// `/dev/shm/NAME`, as `shm_open` has it.
fn shm_path(name: &str) -> Result<Path> {
    let name = name.strip_prefix('/').unwrap_or(name);
    if name.is_empty() || name.len() > 255 || name.contains(['/', '\0']) || name == "." || name == ".." {
        return Err(Error::Invalid);
    }
    path(&[b"/dev/shm/", name.as_bytes()])
}

fn last_error() -> Error {
    // SAFETY: errno of this thread.
    match unsafe { *libc::__errno_location() } {
        libc::ENOENT => Error::NotFound,
        libc::EEXIST => Error::Exists,
        libc::ENOSPC | libc::EDQUOT => Error::NoSpace,
        libc::ENOMEM => Error::NoMemory,
        libc::ENOSYS | libc::EOPNOTSUPP => Error::NotSupported,
        errno => Error::Os(errno),
    }
}

/// A descriptor that is closed unless it is kept.
struct Fd(i32);

/// Bytes of memory that this machine has; more than any number if it does not say.
fn all_memory() -> u64 {
    // SAFETY: zeros are a valid sysinfo.
    let mut info: libc::sysinfo = unsafe { core::mem::zeroed() };
    // SAFETY: a valid out-pointer.
    if unsafe { libc::sysinfo(&raw mut info) } != 0 {
        return u64::MAX;
    }
    #[allow(clippy::unnecessary_cast)] // 32 bits elsewhere
    (info.totalram as u64).saturating_add(info.totalswap as u64).saturating_mul(u64::from(info.mem_unit))
}

impl Fd {
    fn open(path: &Path, flags: i32) -> Result<Fd> {
        // SAFETY: a C string; no memory of ours is touched.
        let fd = unsafe { libc::open(c_str(path)?.as_ptr(), flags | libc::O_CLOEXEC, 0o600) };
        if fd < 0 { Err(last_error()) } else { Ok(Fd(fd)) }
    }

    /// Gives the file its size and all its pages.
    fn allocate(&self, len: usize) -> Result<()> {
        // On 32-bit targets this keeps to `isize`, too, as offsets in memory must.
        let size = libc::off_t::try_from(len).map_err(|_| Error::Invalid)?;
        // The kernel would begin, and end by killing processes for want of memory.
        if size as u64 > all_memory() {
            return Err(Error::NoSpace);
        }
        loop {
            // SAFETY: no memory of ours is touched.
            if unsafe { libc::fallocate(self.0, 0, 0, size) } == 0 {
                return Ok(());
            }
            match last_error() {
                Error::Os(libc::EINTR) => {}
                error => return Err(error),
            }
        }
    }

    fn keep(self) -> i32 {
        let fd = self.0;
        core::mem::forget(self);
        fd
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { libc::close(self.0) };
    }
}

/// A mapping that is undone unless it is kept.
struct Map {
    base: NonNull<u8>,
    len: usize,
}

impl Map {
    fn new(len: usize, fd: Option<i32>) -> Result<Map> {
        let flags = if fd.is_some() { libc::MAP_SHARED } else { libc::MAP_SHARED | libc::MAP_ANONYMOUS };
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping, placed by the kernel.
        let at = unsafe { libc::mmap(core::ptr::null_mut(), len, access, flags, fd.unwrap_or(-1), 0) };
        if at == libc::MAP_FAILED {
            return Err(last_error());
        }
        NonNull::new(at.cast()).map(|base| Map { base, len }).ok_or(Error::NoMemory)
    }

    /// The region takes over the mapping, and the descriptor.
    fn keep(self, mut region: Region, fd: Option<i32>) -> Region {
        region.mapping = Mapping::Owned { len: self.len, fd };
        core::mem::forget(self);
        region
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: ours, and no region was made of it.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

impl Region<Os> {
    /// Makes a region in the caller's memory, see [`Region::init_on`].
    ///
    /// # Safety
    /// As there.
    pub unsafe fn init(ptr: *mut u8, len: usize, config: &RegionConfig) -> Result<Region> {
        // SAFETY: the caller's word.
        unsafe { Region::init_on(Os::default(), ptr, len, config) }
    }

    /// Attaches to a region in memory that the caller mapped, see [`Region::attach_on`].
    ///
    /// # Safety
    /// As there.
    pub unsafe fn attach(ptr: *mut u8, len: usize) -> Result<Region> {
        // SAFETY: the caller's word.
        unsafe { Region::attach_on(Os::default(), ptr, len) }
    }

    /// A region shared with the children that this process forks from now on.
    pub fn create_anonymous(len: usize, config: &RegionConfig) -> Result<Region> {
        let map = Map::new(len, None)?;
        // SAFETY: fresh, ours, kept as long as the region.
        let region = unsafe { Self::init(map.base.as_ptr(), len, config)? };
        Ok(map.keep(region, None))
    }

    /// A region in a memfd, to be passed by inheritance, `SCM_RIGHTS` or `/proc/PID/fd/N`. Sealed: no
    /// peer can shrink it under us.
    pub fn create_memfd(len: usize, config: &RegionConfig) -> Result<Region> {
        let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        // SAFETY: a C string.
        let fd = unsafe { libc::memfd_create(c"rialto".as_ptr(), flags) };
        if fd < 0 {
            return Err(last_error());
        }
        let fd = Fd(fd);
        fd.allocate(len)?;
        let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
        // SAFETY: our descriptor.
        if unsafe { libc::fcntl(fd.0, libc::F_ADD_SEALS, seals) } != 0 {
            return Err(last_error());
        }
        let map = Map::new(len, Some(fd.0))?;
        // SAFETY: fresh, ours, kept as long as the region.
        let region = unsafe { Self::init(map.base.as_ptr(), len, config)? };
        Ok(map.keep(region, Some(fd.keep())))
    }

    /// Attaches to the region in a file (memfd or named). The descriptor stays the caller's and may be
    /// closed. A creator that is not trusted could have left out the seals of `create_memfd`, and cut the
    /// file short later (SIGBUS): ask `F_GET_SEALS` first then.
    pub fn attach_fd(fd: i32) -> Result<Region> {
        // SAFETY: all-zero is a valid stat buffer.
        let mut stat: linux::stat = unsafe { core::mem::zeroed() };
        // SAFETY: our buffer.
        if unsafe { linux::fstat(fd, &mut stat) } != 0 {
            return Err(last_error());
        }
        let len = usize::try_from(stat.st_size).map_err(|_| Error::BadRegion)?;
        if len == 0 {
            return Err(Error::BadRegion);
        }
        let mut magic = [0u8; 8];
        // SAFETY: our buffer.
        let read = unsafe { libc::pread(fd, magic.as_mut_ptr().cast(), magic.len(), 0) };
        if read != 8 || magic != super::header::MAGIC_BYTES {
            return Err(Error::BadRegion);
        }
        // Pages that a careless creator left out would be a SIGBUS later. Not ours to close.
        let file = core::mem::ManuallyDrop::new(Fd(fd));
        file.allocate(len)?;
        let map = Map::new(len, Some(fd))?;
        // SAFETY: mapped, kept as long as the region.
        let region = unsafe { Self::attach(map.base.as_ptr(), len)? };
        Ok(map.keep(region, None))
    }

    /// A region under a name in `/dev/shm` (a leading `/` is ignored), readable by this user only.
    ///
    /// Errors: `Exists`, `NoSpace` (`/dev/shm` is full), `Invalid`.
    pub fn create_named(name: &str, len: usize, config: &RegionConfig) -> Result<Region> {
        let name = shm_path(name)?;
        let fd = Fd::open(&path(&[b"/dev/shm"])?, libc::O_RDWR | libc::O_TMPFILE)?;
        fd.allocate(len)?;
        let map = Map::new(len, Some(fd.0))?;
        // SAFETY: fresh, ours, kept as long as the region.
        let region = unsafe { Self::init(map.base.as_ptr(), len, config)? };
        let mut digits = [0u8; 10];
        let from = path(&[b"/proc/self/fd/", decimal(fd.0.unsigned_abs(), &mut digits)])?;
        let (from, to) = (c_str(&from)?.as_ptr(), c_str(&name)?.as_ptr());
        // SAFETY: two C strings.
        if unsafe { libc::linkat(libc::AT_FDCWD, from, libc::AT_FDCWD, to, libc::AT_SYMLINK_FOLLOW) } != 0 {
            return Err(last_error());
        }
        Ok(map.keep(region, Some(fd.keep())))
    }

    /// Attaches to the region of that name.
    pub fn attach_named(name: &str) -> Result<Region> {
        let fd = Fd::open(&shm_path(name)?, libc::O_RDWR | libc::O_NOFOLLOW)?;
        Self::attach_fd(fd.0)
    }

    /// Removes the name. Those who are attached keep the region.
    pub fn unlink_named(name: &str) -> Result<()> {
        let name = shm_path(name)?;
        // SAFETY: a C string.
        if unsafe { libc::unlink(c_str(&name)?.as_ptr()) } != 0 { Err(last_error()) } else { Ok(()) }
    }

    /// The descriptor, of a region that this process created as a memfd or under a name.
    pub fn fd(&self) -> Option<i32> {
        match self.mapping {
            Mapping::Owned { fd, .. } => fd,
            Mapping::Borrowed => None,
        }
    }

    /// Leaves, and unmaps what was mapped here. `Busy`, with the handle back, while a thread of this
    /// process is a member or this one holds a lock there. Dropping the handle does the same, except
    /// that it leaks the mapping instead of refusing.
    pub fn detach(self) -> core::result::Result<(), (Region, Error)> {
        match self.leave() {
            Ok(()) if self.in_use() => Err((self, Error::Busy)),
            Ok(()) => Ok(()),
            Err(error) => Err((self, error)),
        }
    }
}

impl Mapping {
    /// Undoes it; with `leak` only what nobody in this process can miss.
    pub fn undo(&mut self, base: NonNull<u8>, leak: bool) {
        if let Mapping::Owned { len, fd } = *self {
            if !leak {
                // SAFETY: our own mapping, and nobody in this process uses it any more.
                unsafe { libc::munmap(base.as_ptr().cast(), len) };
            }
            if let Some(fd) = fd {
                drop(Fd(fd));
            }
        }
        *self = Mapping::Borrowed;
    }
}

fn decimal(mut value: u32, digits: &mut [u8; 10]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return &digits[at..];
        }
    }
}
