//! Boost.Interprocess' message_queue, through `shim/boost.cpp`.

use crate::pair::{Pair, Rx, Tx};
use std::{
    ffi::{CString, c_char, c_int, c_long, c_void},
    sync::atomic::{AtomicU64, Ordering::*},
};

// The shim says what is returned.
unsafe extern "C" {
    fn shim_create(name: *const c_char, slots: usize, bytes: usize) -> *mut c_void;
    fn shim_destroy(queue: *mut c_void);
    fn shim_try_send(queue: *mut c_void, from: *const c_void, bytes: usize) -> c_int;
    fn shim_send(queue: *mut c_void, from: *const c_void, bytes: usize) -> c_int;
    fn shim_try_receive(queue: *mut c_void, to: *mut c_void, room: usize) -> c_long;
    fn shim_receive(queue: *mut c_void, to: *mut c_void, room: usize) -> c_long;
}

pub struct Boost(*mut c_void);
// SAFETY: a message_queue is for any number of threads at once.
unsafe impl Sync for Boost {}

impl Drop for Boost {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody uses it any more.
        unsafe { shim_destroy(self.0) }
    }
}

impl<const N: usize> Pair<N> for Boost {
    type Tx<'a> = &'a Boost;
    type Rx<'a> = &'a Boost;
    const BLOCKS: bool = true;

    fn new(depth: usize, _: bool) -> Result<Self, String> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("rialto-bench-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let name = CString::new(name).unwrap();
        // SAFETY: a C string.
        let queue = unsafe { shim_create(name.as_ptr(), depth, N) };
        if queue.is_null() { Err("the queue could not be made".into()) } else { Ok(Boost(queue)) }
    }
    fn split<'a>(&'a mut self) -> (impl FnOnce() -> &'a Boost + Send, impl FnOnce() -> &'a Boost + Send) {
        let queue = &*self;
        (move || queue, move || queue)
    }
}
impl<const N: usize> Tx<N> for &Boost {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        // SAFETY: a living queue, N bytes.
        let sent = unsafe { shim_try_send(self.0, message.as_ptr().cast(), N) };
        assert!(sent >= 0);
        sent == 1
    }
    fn send(&mut self, message: &[u8; N]) {
        // SAFETY: as above.
        assert_eq!(unsafe { shim_send(self.0, message.as_ptr().cast(), N) }, 1);
    }
}
impl<const N: usize> Rx<N> for &Boost {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        // SAFETY: a living queue, room for N bytes.
        let got = unsafe { shim_try_receive(self.0, into.as_mut_ptr().cast(), N) };
        assert!(got == 0 || got == N as c_long);
        got != 0
    }
    fn recv(&mut self, into: &mut [u8; N]) {
        // SAFETY: as above.
        assert_eq!(unsafe { shim_receive(self.0, into.as_mut_ptr().cast(), N) }, N as c_long);
    }
}
