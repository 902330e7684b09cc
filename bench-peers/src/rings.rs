//! Queues that live in one process: rtrb, crossbeam, heapless.

use crate::pair::{Pair, Rx, Tx};
use crossbeam_queue::ArrayQueue;

/// rtrb, a message being a value.
pub struct Rtrb<const N: usize>(rtrb::Producer<[u8; N]>, rtrb::Consumer<[u8; N]>);

impl<const N: usize> Pair<N> for Rtrb<N> {
    type Tx<'a> = &'a mut rtrb::Producer<[u8; N]>;
    type Rx<'a> = &'a mut rtrb::Consumer<[u8; N]>;
    const BATCHES: bool = true;

    fn new(depth: usize, _: bool) -> Result<Self, String> {
        let (tx, rx) = rtrb::RingBuffer::new(depth);
        Ok(Rtrb(tx, rx))
    }
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send) {
        (|| &mut self.0, || &mut self.1)
    }
}
impl<const N: usize> Tx<N> for &mut rtrb::Producer<[u8; N]> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        self.push(*message).is_ok()
    }
    #[inline(always)]
    fn try_send_many(&mut self, messages: &[[u8; N]]) -> usize {
        self.push_partial_slice(messages).0.len()
    }
}
impl<const N: usize> Rx<N> for &mut rtrb::Consumer<[u8; N]> {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        self.pop().map(|message| *into = message).is_ok()
    }
    #[inline(always)]
    fn try_recv_many(&mut self, into: &mut [[u8; N]]) -> usize {
        self.pop_partial_slice(into).0.len()
    }
}

/// rtrb as its users send messages of any size: a ring of bytes, each message behind its length.
pub struct RtrbBytes(rtrb::Producer<u8>, rtrb::Consumer<u8>);
const LENGTH: usize = 4;

impl<const N: usize> Pair<N> for RtrbBytes {
    type Tx<'a> = &'a mut rtrb::Producer<u8>;
    type Rx<'a> = &'a mut rtrb::Consumer<u8>;

    fn new(depth: usize, _: bool) -> Result<Self, String> {
        let (tx, rx) = rtrb::RingBuffer::new(depth * (LENGTH + N));
        Ok(RtrbBytes(tx, rx))
    }
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send) {
        (|| &mut self.0, || &mut self.1)
    }
}
impl<const N: usize> Tx<N> for &mut rtrb::Producer<u8> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        let Ok(mut chunk) = self.write_chunk_uninit(LENGTH + N) else { return false };
        let (first, second) = chunk.as_mut_slices();
        let length = (N as u32).to_ne_bytes();
        let (a, b) = first.split_at_mut(first.len().min(LENGTH));
        let (c, d) = second.split_at_mut(LENGTH - a.len());
        a.write_copy_of_slice(&length[..a.len()]);
        c.write_copy_of_slice(&length[a.len()..]);
        let (head, rest) = message.split_at(b.len());
        b.write_copy_of_slice(head);
        d.write_copy_of_slice(rest);
        // SAFETY: all its bytes are written: a and c are LENGTH long together, b and d N.
        unsafe { chunk.commit_all() };
        true
    }
}
impl<const N: usize> Rx<N> for &mut rtrb::Consumer<u8> {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        let mut length = [0; LENGTH];
        if self.pop_entire_slice(&mut length).is_err() {
            return false;
        }
        assert_eq!(u32::from_ne_bytes(length), N as u32);
        self.pop_entire_slice(into).expect("a message behind its length");
        true
    }
}

/// crossbeam's bounded queue of many producers and consumers.
pub struct Crossbeam<const N: usize>(ArrayQueue<[u8; N]>);

impl<const N: usize> Pair<N> for Crossbeam<N> {
    type Tx<'a> = &'a ArrayQueue<[u8; N]>;
    type Rx<'a> = &'a ArrayQueue<[u8; N]>;

    fn new(depth: usize, _: bool) -> Result<Self, String> {
        Ok(Crossbeam(ArrayQueue::new(depth)))
    }
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send) {
        (|| &self.0, || &self.0)
    }
}
impl<const N: usize> Tx<N> for &ArrayQueue<[u8; N]> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        self.push(*message).is_ok()
    }
}
impl<const N: usize> Rx<N> for &ArrayQueue<[u8; N]> {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        self.pop().map(|message| *into = message).is_some()
    }
}

/// heapless' queue of one producer and one consumer; D - 1 messages fit.
pub struct HeaplessSpsc<const N: usize, const D: usize>(Box<heapless::spsc::Queue<[u8; N], D>>);

impl<const N: usize, const D: usize> Pair<N> for HeaplessSpsc<N, D> {
    type Tx<'a> = heapless::spsc::Producer<'a, [u8; N]>;
    type Rx<'a> = heapless::spsc::Consumer<'a, [u8; N]>;

    fn new(_: usize, _: bool) -> Result<Self, String> {
        Ok(HeaplessSpsc(Box::new(heapless::spsc::Queue::new())))
    }
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send) {
        let (tx, rx) = self.0.split();
        (|| tx, || rx)
    }
}
impl<const N: usize> Tx<N> for heapless::spsc::Producer<'_, [u8; N]> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        self.enqueue(*message).is_ok()
    }
}
impl<const N: usize> Rx<N> for heapless::spsc::Consumer<'_, [u8; N]> {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        self.dequeue().map(|message| *into = message).is_some()
    }
}

/// heapless' queue of many producers and consumers (deprecated there, for a stopped party blocks the others).
pub struct HeaplessMpmc<const N: usize, const D: usize>(Box<heapless::mpmc::Queue<[u8; N], D>>);

impl<const N: usize, const D: usize> Pair<N> for HeaplessMpmc<N, D> {
    type Tx<'a> = &'a heapless::mpmc::Queue<[u8; N], D>;
    type Rx<'a> = &'a heapless::mpmc::Queue<[u8; N], D>;

    fn new(_: usize, _: bool) -> Result<Self, String> {
        #[expect(deprecated)]
        Ok(HeaplessMpmc(Box::new(heapless::mpmc::Queue::new())))
    }
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send) {
        (|| &*self.0, || &*self.0)
    }
}
impl<const N: usize, const D: usize> Tx<N> for &heapless::mpmc::Queue<[u8; N], D> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        self.enqueue(*message).is_ok()
    }
}
impl<const N: usize, const D: usize> Rx<N> for &heapless::mpmc::Queue<[u8; N], D> {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        self.dequeue().map(|message| *into = message).is_some()
    }
}
