//! What the kernel offers: pipe, a pair of SEQPACKET sockets, a POSIX message queue. All three are descriptors
//! that messages go into and come out of; only how they are made and called differs.

use crate::pair::{Pair, Rx, Tx};
use std::{
    ffi::CString,
    hint::spin_loop,
    io::{Error, ErrorKind},
    sync::{
        Once,
        atomic::{AtomicU64, Ordering::*},
    },
};

pub const PIPE: u8 = 0;
pub const SEQPACKET: u8 = 1;
pub const MQ: u8 = 2;

/// What goes in at `to` comes out at `from`.
pub struct Channel<const WHICH: u8> {
    from: i32,
    to: i32,
}

pub struct End<const WHICH: u8>(i32);

fn check(result: i32) -> Result<i32, String> {
    if result < 0 { Err(Error::last_os_error().to_string()) } else { Ok(result) }
}

impl<const WHICH: u8> Channel<WHICH> {
    fn pipe(bytes: usize, nonblock: i32) -> Result<Self, String> {
        let mut ends = [0; 2];
        // SAFETY: two descriptors come back; their size is only asked for.
        unsafe {
            check(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | nonblock))?;
            libc::fcntl(ends[1], libc::F_SETPIPE_SZ, bytes.min(1 << 20) as i32);
        }
        Ok(Channel { from: ends[0], to: ends[1] })
    }

    fn seqpacket(bytes: usize, nonblock: i32) -> Result<Self, String> {
        let mut ends = [0; 2];
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | nonblock;
        let bytes = bytes as i32;
        // SAFETY: two descriptors come back; their size is only asked for.
        unsafe {
            check(libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()))?;
            let (level, name) = (libc::SOL_SOCKET, libc::SO_SNDBUF);
            libc::setsockopt(ends[1], level, name, (&raw const bytes).cast(), size_of_val(&bytes) as u32);
        }
        Ok(Channel { from: ends[0], to: ends[1] })
    }

    /// As deep as asked for if the limits allow it, else as deep as they do.
    fn mq(depth: usize, bytes: usize, nonblock: i32) -> Result<Self, String> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("/rialto-bench-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let name = CString::new(name).unwrap();
        let unlimited = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: a limit of this process'.
        unsafe { libc::setrlimit(libc::RLIMIT_MSGQUEUE, &unlimited) };
        let open = |depth: usize| {
            // SAFETY: zeros are a valid mq_attr; a C string; nobody else knows the name.
            unsafe {
                let mut attr: libc::mq_attr = std::mem::zeroed();
                attr.mq_maxmsg = depth as _;
                attr.mq_msgsize = bytes as _;
                let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR | libc::O_CLOEXEC | nonblock;
                let mq = check(libc::mq_open(name.as_ptr(), flags, 0o600, &attr));
                libc::mq_unlink(name.as_ptr());
                mq
            }
        };
        let mq = open(depth).or_else(|_| {
            static SAY: Once = Once::new();
            SAY.call_once(|| eprintln!("posix mq: this machine's limits allow 10 messages, not {depth}"));
            open(10)
        })?;
        Ok(Channel { from: mq, to: mq })
    }
}

impl<const WHICH: u8> Drop for Channel<WHICH> {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe {
            libc::close(self.from);
            if self.to != self.from {
                libc::close(self.to);
            }
        }
    }
}

impl<const N: usize, const WHICH: u8> Pair<N> for Channel<WHICH> {
    type Tx<'a> = End<WHICH>;
    type Rx<'a> = End<WHICH>;
    const BLOCKS: bool = true;

    fn new(depth: usize, block: bool) -> Result<Self, String> {
        let nonblock = if block { 0 } else { libc::O_NONBLOCK };
        match WHICH {
            PIPE => Self::pipe(depth * N, nonblock),
            SEQPACKET => Self::seqpacket(depth * N, nonblock),
            _ => Self::mq(depth, N, nonblock),
        }
    }
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send) {
        let Channel { from, to } = *self;
        (move || End(to), move || End(from))
    }
}

impl<const WHICH: u8> End<WHICH> {
    /// Does `step(done)` until `n` bytes are done; a pipe may take and give less at once. False if it would have
    /// to wait before the first.
    #[inline(always)]
    fn all(&self, n: usize, step: impl Fn(usize) -> isize) -> bool {
        let mut done = 0;
        while done < n {
            match step(done) {
                1.. if WHICH != PIPE => return true, // whole messages
                bytes @ 1.. => done += bytes as usize,
                _ => {
                    let error = Error::last_os_error();
                    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                    if done == 0 {
                        return false;
                    }
                    spin_loop();
                }
            }
        }
        true
    }
}

impl<const N: usize, const WHICH: u8> Tx<N> for End<WHICH> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        let bytes = message.as_ptr();
        // SAFETY: N - done bytes are left.
        self.all(N, |done| unsafe {
            match WHICH {
                MQ => libc::mq_send(self.0, bytes.cast(), N, 0) as isize + 1,
                _ => libc::write(self.0, bytes.add(done).cast(), N - done),
            }
        })
    }
    /// The descriptor itself is one that waits.
    fn send(&mut self, message: &[u8; N]) {
        assert!(self.try_send(message));
    }
}

impl<const N: usize, const WHICH: u8> Rx<N> for End<WHICH> {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        let room = into.as_mut_ptr();
        // SAFETY: room for N - done bytes is left.
        self.all(N, |done| unsafe {
            match WHICH {
                MQ => libc::mq_receive(self.0, room.cast(), N, std::ptr::null_mut()),
                _ => libc::read(self.0, room.add(done).cast(), N - done),
            }
        })
    }
    fn recv(&mut self, into: &mut [u8; N]) {
        assert!(<Self as Rx<N>>::try_recv(self, into));
    }
}
