//! What a fork server and its clients say to each other, with descriptors (`SCM_RIGHTS`).
//!
//! Messages of 16 bytes on sockets that keep them apart (`SOCK_SEQPACKET`):
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | magic `RLTM` |
//! | 4 | 4 | what: see [`What`] |
//! | 8 | 4 | a status (0, or an [`Error::code`]), or an exit code |
//! | 12 | 4 | a process id, or 0 |
//!
//! Each request brings a socket for its answers, so that nobody's are mixed up. A child's stays open until the
//! server has reported its end there.

use super::{
    os::{Fd, last_error, ok},
    place::MOST,
};
use crate::error::{Error, Result};
use core::{ffi::c_int, mem, ptr};

const MAGIC: &[u8; 4] = b"RLTM";
const BYTES: usize = 16;
/// The reply socket besides what a child gets.
pub(super) const MOST_FDS: usize = MOST + 1;
pub(super) type Passed = heapless::Vec<Fd, MOST_FDS>;

/// The second field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The server listens.
    Hello = 1,
    /// Start a child: brings the reply socket, the letter, the lifeline, and what is passed on.
    Start = 2,
    /// End, unless children run: brings the reply socket.
    Stop = 3,
    /// The answer to one of these. To a start that went well it brings the child's pidfd.
    Answer = 4,
    /// The child has ended.
    Ended = 5,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub what: What,
    pub status: i32,
    pub pid: i32,
}

impl Message {
    pub fn new(what: What) -> Message {
        Message { what, status: 0, pid: 0 }
    }

    fn bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let words = [u32::from_le_bytes(*MAGIC), self.what as u32, self.status as u32, self.pid as u32];
        for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Message> {
        let word = |at: usize| {
            let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u32::from_le_bytes)
        };
        if bytes.len() != BYTES || word(0) != u32::from_le_bytes(*MAGIC) {
            return Err(Error::BadRegion);
        }
        let all = [What::Hello, What::Start, What::Stop, What::Answer, What::Ended];
        let what = all.into_iter().find(|what| *what as u32 == word(4)).ok_or(Error::BadRegion)?;
        Ok(Message { what, status: word(8) as i32, pid: word(12) as i32 })
    }
}

/// Two sockets that are connected.
pub(super) fn pair() -> Result<(Fd, Fd)> {
    let mut ends = [0; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: room for two.
    ok(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
    Ok((Fd::new(ends[0])?, Fd::new(ends[1])?))
}

/// Room for a control message with `MOST_FDS` descriptors, aligned for its header.
#[repr(C, align(8))]
struct Control([u8; 320]);

const FD_BYTES: usize = MOST_FDS * size_of::<c_int>();
// SAFETY: arithmetic only.
const _: () = assert!(unsafe { libc::CMSG_SPACE(FD_BYTES as u32) } as usize <= size_of::<Control>());

/// Sends one. `BrokenPipe`: nobody is at the other end. Never blocks for long: the other side reads at once.
pub(super) fn send(socket: c_int, message: Message, fds: &[c_int]) -> Result<()> {
    if fds.len() > MOST_FDS {
        return Err(Error::Invalid);
    }
    let mut bytes = message.bytes();
    let mut control = Control([0; 320]);
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: zeros are an empty header.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    if !fds.is_empty() {
        let len = size_of_val(fds) as u32;
        header.msg_control = control.0.as_mut_ptr().cast();
        // SAFETY: arithmetic only; and there is room for the header and the descriptors, see above.
        unsafe {
            header.msg_controllen = libc::CMSG_SPACE(len) as _;
            let first = libc::CMSG_FIRSTHDR(&raw const header);
            (*first).cmsg_level = libc::SOL_SOCKET;
            (*first).cmsg_type = libc::SCM_RIGHTS;
            (*first).cmsg_len = libc::CMSG_LEN(len) as _;
            ptr::copy_nonoverlapping(fds.as_ptr().cast(), libc::CMSG_DATA(first), len as usize);
        }
    }
    loop {
        // SAFETY: all that the header points to is there.
        if unsafe { libc::sendmsg(socket, &raw const header, libc::MSG_NOSIGNAL) } >= 0 {
            return Ok(());
        }
        match last_error() {
            Error::Os(libc::EINTR) => {}
            error => return Err(error),
        }
    }
}

/// Receives one; `None`: the other end is gone. `BadRegion`: what came is no message; its descriptors are closed.
pub(super) fn recv(socket: c_int) -> Result<Option<(Message, Passed)>> {
    let mut bytes = [0u8; BYTES];
    let mut control = Control([0; 320]);
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: zeros are an empty header.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = size_of::<Control>() as _;
    let n = loop {
        // SAFETY: all that the header points to is there.
        let n = unsafe { libc::recvmsg(socket, &raw mut header, libc::MSG_CMSG_CLOEXEC) };
        if n >= 0 {
            break n as usize;
        }
        match last_error() {
            Error::Os(libc::EINTR) => {}
            Error::BrokenPipe => break 0,
            error => return Err(error),
        }
    };
    let (passed, complete) = passed(&header);
    if n == 0 {
        return Ok(None);
    }
    if !complete || header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0 {
        return Err(Error::BadRegion);
    }
    Ok(Some((Message::read(bytes.get(..n).unwrap_or(&[]))?, passed)))
}

/// The descriptors that came, and whether that was all.
fn passed(header: &libc::msghdr) -> (Passed, bool) {
    let (mut passed, mut complete) = (Passed::new(), true);
    // SAFETY: the kernel has written whole headers, and how many bytes of them.
    unsafe {
        let mut at = libc::CMSG_FIRSTHDR(header);
        while !at.is_null() {
            if (*at).cmsg_level == libc::SOL_SOCKET && (*at).cmsg_type == libc::SCM_RIGHTS {
                #[allow(clippy::unnecessary_cast)] // 32 bits in musl
                let bytes = ((*at).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
                for i in 0..bytes / size_of::<c_int>() {
                    let fd = libc::CMSG_DATA(at).cast::<c_int>().add(i).read_unaligned();
                    if let Ok(fd) = Fd::new(fd) {
                        complete &= passed.push(fd).is_ok(); // what has no room is closed
                    }
                }
            }
            at = libc::CMSG_NXTHDR(header, at);
        }
    }
    (passed, complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_received_with_its_descriptors() {
        let (a, b) = pair().unwrap();
        let message = Message { what: What::Answer, status: -5, pid: 77 };
        let some = [a.raw(); MOST_FDS];
        for fds in [&some[..0], &some[..1], &some] {
            send(a.raw(), message, fds).unwrap();
            let (got, passed) = recv(b.raw()).unwrap().unwrap();
            assert_eq!((got, passed.len()), (message, fds.len()));
        }
        drop(a);
        assert!(recv(b.raw()).unwrap().is_none());
        assert_eq!(send(b.raw(), message, &[]), Err(Error::BrokenPipe));
    }

    #[test]
    fn what_is_no_message_is_refused_and_its_descriptors_are_closed() {
        let (a, b) = pair().unwrap();
        let good = Message::new(What::Start).bytes();
        let mut bad = [good; 3];
        bad[0][0] ^= 1;
        bad[1][4] = 9;
        bad[2][4] = 0;
        let say = |bytes: &[u8]| {
            // SAFETY: bytes that are there.
            let n = unsafe { libc::send(a.raw(), bytes.as_ptr().cast(), bytes.len(), 0) };
            assert_eq!(n, bytes.len() as isize);
        };
        for bytes in [&bad[0][..], &bad[1], &bad[2], &good[..15], &[good, good].concat()] {
            say(bytes);
            assert_eq!(recv(b.raw()).map(drop), Err(Error::BadRegion));
        }
        say(&good);
        assert_eq!(recv(b.raw()).unwrap().unwrap().0.what, What::Start);
    }
}
