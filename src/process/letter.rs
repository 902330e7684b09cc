//! What a process is told that was started by another program: a sealed memfd.
//!
//! # Memory
//! Little-endian.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | magic `RLTL` |
//! | 4 | 4 | version, 1 |
//! | 8 | 4 | flags: 1 daemon, 2 be a fork server |
//! | 12 | 4 | how many descriptors were passed, at most 64 |
//! | 16 | 4 | the parent's process id |
//! | 20 | 4 | 0 |
//! | 24 | 8 | bytes of arguments |
//! | 32 | 32 | the entry's name, 1 to 31 bytes, zeros behind |
//! | 64 | 32 | the process's name, 0 to 31 bytes, zeros behind |
//! | 96 | | arguments |
//!
//! The receiver takes nothing that is not sealed, so it cannot change, and not be cut short, while it is read; it
//! checks each field, and that the file ends where the arguments do.

use super::{
    MAX_FDS, Name,
    os::{Fd, last_error, ok},
};
use crate::{
    error::{Error, Result},
    sys::linux,
};
use core::{ffi::c_int, ptr, str};

const MAGIC: &[u8; 4] = b"RLTL";
const VERSION: u32 = 1;
const HEADER: usize = 96;
const NAME_BYTES: usize = 32;
/// A flag.
pub(super) const DAEMON: u32 = 1;
/// A flag.
pub(super) const SERVER: u32 = 2;
const SEALS: c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL;

/// What stands in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter<'a> {
    pub flags: u32,
    pub fds: usize,
    pub parent: i32,
    pub entry: Name,
    pub name: Name,
    pub args: &'a [u8],
}

/// A name as Rust has it. Errors: `Invalid` if it is longer than 31 bytes, or has a zero in it.
pub(super) fn name(text: &str) -> Result<Name> {
    if text.contains('\0') {
        return Err(Error::Invalid);
    }
    Name::try_from(text).map_err(|()| Error::Invalid)
}

impl Letter<'_> {
    /// Writes and seals it.
    pub fn send(&self) -> Result<Fd> {
        let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        // SAFETY: a C string.
        let fd = Fd::new(unsafe { libc::memfd_create(c"rialto letter".as_ptr(), flags) })?;
        write_all(&fd, &self.header(), 0)?;
        write_all(&fd, self.args, HEADER)?;
        // SAFETY: our descriptor.
        ok(unsafe { libc::fcntl(fd.raw(), libc::F_ADD_SEALS, SEALS) })?;
        Ok(fd)
    }

    fn header(&self) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, MAGIC);
        put(4, &VERSION.to_le_bytes());
        put(8, &self.flags.to_le_bytes());
        put(12, &(self.fds as u32).to_le_bytes());
        put(16, &self.parent.to_le_bytes());
        put(24, &(self.args.len() as u64).to_le_bytes());
        put(32, self.entry.as_bytes());
        put(64, self.name.as_bytes());
        header
    }
}

fn write_all(fd: &Fd, mut bytes: &[u8], mut at: usize) -> Result<()> {
    while !bytes.is_empty() {
        // SAFETY: bytes that are there.
        let n = unsafe { libc::pwrite(fd.raw(), bytes.as_ptr().cast(), bytes.len(), at as libc::off_t) };
        match usize::try_from(n) {
            Ok(n) => (bytes, at) = (bytes.get(n..).unwrap_or(&[]), at + n),
            Err(_) if last_error() == Error::Os(libc::EINTR) => {}
            Err(_) => return Err(last_error()),
        }
    }
    Ok(())
}

/// Reads one, which stays mapped for ever. What is no letter is `BadRegion`, another version `Version`.
pub(super) fn read(fd: c_int) -> Result<Letter<'static>> {
    // SAFETY: no memory involved.
    let seals = unsafe { libc::fcntl(fd, libc::F_GET_SEALS) };
    if seals < 0 || seals & SEALS != SEALS {
        return Err(Error::BadRegion);
    }
    // SAFETY: zeros are a stat.
    let mut stat: linux::stat = unsafe { core::mem::zeroed() };
    // SAFETY: our own out-parameter.
    ok(unsafe { linux::fstat(fd, &raw mut stat) })?;
    let len = usize::try_from(stat.st_size).map_err(|_| Error::BadRegion)?;
    if len < HEADER || isize::try_from(len).is_err() {
        return Err(Error::BadRegion);
    }
    // SAFETY: a new mapping, placed by the kernel.
    let at = unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_READ, libc::MAP_PRIVATE, fd, 0) };
    if at == libc::MAP_FAILED {
        return Err(last_error());
    }
    // SAFETY: as long as the file, which is sealed: it neither changes nor ends sooner. It stays mapped.
    let bytes: &'static [u8] = unsafe { core::slice::from_raw_parts(at.cast(), len) };
    let letter = parse(bytes);
    if letter.is_err() {
        // SAFETY: ours, and nothing of it is kept.
        unsafe { libc::munmap(at, len) };
    }
    letter
}

/// Unmaps one that was read.
///
/// # Safety
/// What `read` returned; nobody has its arguments any more.
pub(super) unsafe fn unmap(letter: Letter<'static>) {
    let (args, len) = (letter.args.as_ptr(), letter.args.len());
    // SAFETY: the arguments lie behind the header in the mapping that `read` made.
    unsafe { libc::munmap(args.byte_sub(HEADER).cast_mut().cast(), HEADER + len) };
}

fn parse(bytes: &[u8]) -> Result<Letter<'_>> {
    let (header, args) = bytes.split_at_checked(HEADER).ok_or(Error::BadRegion)?;
    let word = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    };
    if !header.starts_with(MAGIC) {
        return Err(Error::BadRegion);
    }
    if word(4) != VERSION || word(8) & !(DAEMON | SERVER) != 0 || word(20) != 0 {
        return Err(Error::Version);
    }
    let (fds, parent) = (word(12) as usize, word(16) as i32);
    let len = u64::from(word(24)) | u64::from(word(28)) << 32;
    if fds > MAX_FDS || parent <= 0 || len != args.len() as u64 {
        return Err(Error::BadRegion);
    }
    let (entry, process) = (name_in(header, 32)?, name_in(header, 64)?);
    if entry.is_empty() {
        return Err(Error::BadRegion);
    }
    Ok(Letter { flags: word(8), fds, parent, entry, name: process, args })
}

/// A name that ends with zeros.
fn name_in(header: &[u8], at: usize) -> Result<Name> {
    let field = header.get(at..at + NAME_BYTES).ok_or(Error::BadRegion)?;
    let len = field.iter().position(|byte| *byte == 0).ok_or(Error::BadRegion)?;
    let (text, rest) = field.split_at(len);
    if rest.iter().any(|byte| *byte != 0) {
        return Err(Error::BadRegion);
    }
    name(str::from_utf8(text).map_err(|_| Error::BadRegion)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn letter(args: &[u8]) -> Letter<'_> {
        Letter {
            flags: DAEMON,
            fds: 3,
            parent: 77,
            entry: name("count").unwrap(),
            name: name("Wörker-1").unwrap(),
            args,
        }
    }

    fn bytes(letter: &Letter) -> Vec<u8> {
        let mut bytes = letter.header().to_vec();
        bytes.extend_from_slice(letter.args);
        bytes
    }

    #[test]
    fn what_is_sent_is_read() {
        for args in [&b""[..], b"x", &[7; 100_000]] {
            let sent = letter(args);
            let fd = sent.send().unwrap();
            assert_eq!(read(fd.raw()).unwrap(), sent);
        }
    }

    #[test]
    fn what_is_not_sealed_is_refused() {
        let sent = letter(b"args");
        for seals in [0, SEALS & !libc::F_SEAL_WRITE, SEALS & !libc::F_SEAL_SHRINK] {
            // SAFETY: a C string.
            let fd = Fd::new(unsafe { libc::memfd_create(c"x".as_ptr(), libc::MFD_ALLOW_SEALING) }).unwrap();
            write_all(&fd, &bytes(&sent), 0).unwrap();
            // SAFETY: ours.
            unsafe { libc::fcntl(fd.raw(), libc::F_ADD_SEALS, seals) };
            assert_eq!(read(fd.raw()), Err(Error::BadRegion), "{seals}");
        }
        assert_eq!(read(2), Err(Error::BadRegion));
        assert_eq!(read(-1), Err(Error::BadRegion));
    }

    #[test]
    fn no_byte_of_the_header_is_taken_on_trust() {
        let good = bytes(&letter(b"args"));
        assert!(parse(&good).is_ok());
        for len in 0..good.len() {
            assert!(parse(&good[..len]).is_err(), "cut at {len}");
        }
        assert!(parse(&[&good[..], b"x"].concat()).is_err());
        let names = 32 + 5..96;
        for at in 0..HEADER {
            for value in [0, 1, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] = value;
                // Whatever is read is what it says, and within bounds.
                if let Ok(read) = parse(&bad) {
                    let same = bad == bytes(&read);
                    assert!(same && read.fds <= MAX_FDS && read.parent > 0, "{at} {value}");
                }
            }
        }
        let mut bad = good.clone();
        bad[names.start] = 0xff;
        assert_eq!(parse(&bad), Err(Error::BadRegion), "no UTF-8");
        bad[names.start] = 0;
        bad[names.start + 1] = b'x';
        assert_eq!(parse(&bad), Err(Error::BadRegion), "bytes behind the end of a name");
        bad[32..64].fill(b'x');
        assert_eq!(parse(&bad), Err(Error::BadRegion), "a name without an end");
        for (at, value) in [(12, 65), (16, 0), (19, 0x80), (24, 5), (31, 1), (32, 0)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert_eq!(parse(&bad), Err(Error::BadRegion), "{at}");
        }
        for (at, value) in [(4, 2), (8, 4), (20, 1)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert_eq!(parse(&bad), Err(Error::Version), "{at}");
        }
    }

    #[test]
    fn names_have_31_bytes_and_no_zeros() {
        assert!(name("").is_ok() && name(&"x".repeat(31)).is_ok());
        assert_eq!(name(&"x".repeat(32)), Err(Error::Invalid));
        assert_eq!(name("a\0b"), Err(Error::Invalid));
    }
}
