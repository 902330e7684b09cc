//! iceoryx2: its publish-subscribe between two nodes, and the queue of one producer and one consumer inside it.

use crate::pair::{Pair, Rx, Tx};
use iceoryx2::{
    node::{Node, NodeBuilder},
    port::{backpressure_strategy::BackpressureStrategy, publisher::Publisher, subscriber::Subscriber},
    prelude::{LogLevel, set_log_level},
    service::{ipc::Service, port_factory::publish_subscribe::PortFactory},
};
use iceoryx2_bb_lock_free::spsc::queue::{Consumer, Producer, Queue};
use std::{
    fmt::Debug,
    ptr::copy_nonoverlapping,
    sync::atomic::{AtomicU64, Ordering::*},
};

fn say(error: impl Debug) -> String {
    format!("{error:?}")
}

type Shared<const N: usize> = PortFactory<Service, [u8; N], ()>;

/// One end: a port, and what must outlive it, dropped in this order.
pub struct End<const N: usize, P> {
    port: P,
    _service: Shared<N>,
    _node: Node<Service>,
}

// SAFETY: reference counts that are not atomic keep ports on their thread. An end shares them with nobody: each
// has its own node, service and port, and moves with all of them; the threads that use it do so one after
// another, joined in between.
unsafe impl<const N: usize, P> Send for End<N, P> {}

impl<const N: usize, P> End<N, P> {
    fn new(
        name: &str,
        depth: usize,
        port: impl FnOnce(&Shared<N>) -> Result<P, String>,
    ) -> Result<Self, String> {
        let node = NodeBuilder::new().create::<Service>().map_err(say)?;
        let service = node
            .service_builder(&name.try_into().map_err(say)?)
            .publish_subscribe::<[u8; N]>()
            .max_publishers(1)
            .max_subscribers(1)
            .subscriber_max_buffer_size(depth)
            .subscriber_max_borrowed_samples(1)
            .history_size(0)
            .enable_safe_overflow(false)
            .open_or_create()
            .map_err(say)?;
        Ok(End { port: port(&service)?, _service: service, _node: node })
    }
}

/// Nothing is lost when the subscriber is slow: `send` says that nobody got it, and is asked again.
pub struct PubSub<const N: usize> {
    rx: End<N, Subscriber<Service, [u8; N], ()>>,
    tx: End<N, Publisher<Service, [u8; N], ()>>,
}

impl<const N: usize> Pair<N> for PubSub<N> {
    type Tx<'a> = &'a mut End<N, Publisher<Service, [u8; N], ()>>;
    type Rx<'a> = &'a mut End<N, Subscriber<Service, [u8; N], ()>>;

    fn new(depth: usize, _: bool) -> Result<Self, String> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        set_log_level(LogLevel::Error);
        let name = format!("rialto-bench/{}/{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let rx = End::new(&name, depth, |service| service.subscriber_builder().create().map_err(say))?;
        let tx = End::new(&name, depth, |service| {
            let builder = service.publisher_builder().max_loaned_samples(1);
            builder.backpressure_strategy(BackpressureStrategy::DiscardData).create().map_err(say)
        })?;
        Ok(PubSub { rx, tx })
    }
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send) {
        let PubSub { tx, rx } = self;
        (move || tx, move || rx)
    }
}
impl<const N: usize> Tx<N> for &mut End<N, Publisher<Service, [u8; N], ()>> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        let mut sample = self.port.loan_uninit().unwrap();
        // SAFETY: N bytes, then they are there.
        let sample = unsafe {
            copy_nonoverlapping(message.as_ptr(), sample.payload_mut().as_mut_ptr().cast(), N);
            sample.assume_init()
        };
        sample.send().unwrap() == 1
    }
}
impl<const N: usize> Rx<N> for &mut End<N, Subscriber<Service, [u8; N], ()>> {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        self.port.receive().unwrap().map(|sample| into.copy_from_slice(sample.payload())).is_some()
    }
}

/// The queue inside it.
pub struct Spsc<const N: usize, const D: usize>(Box<Queue<[u8; N], D>>);

impl<const N: usize, const D: usize> Pair<N> for Spsc<N, D> {
    type Tx<'a> = Producer<'a, [u8; N], D>;
    type Rx<'a> = Consumer<'a, [u8; N], D>;

    fn new(_: usize, _: bool) -> Result<Self, String> {
        Ok(Spsc(Box::new(Queue::new())))
    }
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send) {
        (|| self.0.acquire_producer().unwrap(), || self.0.acquire_consumer().unwrap())
    }
}
impl<const N: usize, const D: usize> Tx<N> for Producer<'_, [u8; N], D> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        self.push(message)
    }
}
impl<const N: usize, const D: usize> Rx<N> for Consumer<'_, [u8; N], D> {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        self.pop().map(|message| *into = message).is_some()
    }
}
