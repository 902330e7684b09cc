//! What is measured, written once for all contestants.

use crate::{
    duo::{Duo, Raced, nanoseconds_each},
    pair::{BATCH, Pair, Rx, Tx, get, poll, put},
    payload::{check, check_all, filled, stamp},
};
use std::{
    num::NonZero,
    time::{Duration, Instant},
};

/// How long a party of [`Kind::Asleep`] lets the other wait: far longer than anybody spins.
const AWAY: Duration = Duration::from_micros(50);
/// Messages that fit into the queues of a round trip.
const ROUND_TRIP_DEPTH: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One thread sends, the other receives; both poll.
    Throughput,
    /// The same, with the calls that wait.
    ThroughputBlocking,
    /// The same, polling, many messages at a time.
    Batches,
    /// There and back through two queues, polling.
    RoundTrip,
    /// The same, with the calls that wait: whoever spins before sleeping gets by without sleeping.
    RoundTripBlocking,
    /// The same, but each side is away for a while before it answers (not counted), so the other sleeps.
    Asleep,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Throughput => "throughput",
            Kind::ThroughputBlocking => "throughput-blocking",
            Kind::Batches => "batches",
            Kind::RoundTrip => "rtt",
            Kind::RoundTripBlocking => "rtt-blocking",
            Kind::Asleep => "rtt-asleep",
        }
    }
    fn blocks(self) -> bool {
        !matches!(self, Kind::Throughput | Kind::Batches | Kind::RoundTrip)
    }
}

/// Nanoseconds per message, or per round trip, over `n` of them.
pub trait Contest {
    fn burst(&mut self, duo: Duo, n: u64) -> Raced;
}

/// A contestant, ready to run. Errors: why it is left out.
pub fn contest<const N: usize, P: Pair<N> + 'static>(
    kind: Kind,
    depth: usize,
) -> Result<Box<dyn Contest>, String> {
    if kind.blocks() && !P::BLOCKS {
        return Err("has no calls that wait".into());
    }
    if !kind.blocks() && !P::POLLS {
        return Err("has no calls that poll".into());
    }
    if kind == Kind::Batches && !P::BATCHES {
        return Err("has no batches".into());
    }
    let pair = |depth| P::new(depth, kind.blocks());
    let two = || Ok::<_, String>((pair(ROUND_TRIP_DEPTH)?, pair(ROUND_TRIP_DEPTH)?));
    Ok(match kind {
        Kind::Throughput => Box::new(Throughput::<N, false, P>(pair(depth)?)),
        Kind::ThroughputBlocking => Box::new(Throughput::<N, true, P>(pair(depth)?)),
        Kind::Batches => Box::new(Batches::<N, P>(pair(depth)?)),
        Kind::RoundTrip => Box::new(RoundTrip::<N, false, P>(two()?, Duration::ZERO)),
        Kind::RoundTripBlocking => Box::new(RoundTrip::<N, true, P>(two()?, Duration::ZERO)),
        Kind::Asleep => Box::new(RoundTrip::<N, true, P>(two()?, AWAY)),
    })
}

struct Throughput<const N: usize, const BLOCK: bool, P>(P);

impl<const N: usize, const BLOCK: bool, P: Pair<N>> Contest for Throughput<N, BLOCK, P> {
    fn burst(&mut self, duo: Duo, n: u64) -> Raced {
        let (tx, rx) = self.0.split();
        duo.race(
            move |start| {
                let (mut tx, mut message) = (tx(), filled::<N>());
                start.wait();
                for i in 0..n {
                    put::<N, BLOCK>(&mut tx, stamp(&mut message, i));
                }
            },
            move |start| {
                let (mut rx, mut message) = (rx(), [0; N]);
                start.wait();
                let each = nanoseconds_each(n, || {
                    for i in 0..n {
                        get::<N, BLOCK>(&mut rx, &mut message);
                        check(&mut message, i);
                    }
                });
                check_all(&message);
                each
            },
        )
    }
}

struct Batches<const N: usize, P>(P);

impl<const N: usize, P: Pair<N>> Contest for Batches<N, P> {
    fn burst(&mut self, duo: Duo, n: u64) -> Raced {
        let n = n.next_multiple_of(BATCH as u64);
        let (tx, rx) = self.0.split();
        duo.race(
            move |start| {
                let (mut tx, mut batch) = (tx(), vec![filled::<N>(); BATCH]);
                start.wait();
                for first in (0..n).step_by(BATCH) {
                    for (message, i) in batch.iter_mut().zip(first..) {
                        stamp(message, i);
                    }
                    let mut left = &batch[..];
                    while !left.is_empty() {
                        let sent = poll(|| NonZero::new(tx.try_send_many(left)));
                        left = &left[sent.get()..];
                    }
                }
            },
            move |start| {
                let (mut rx, mut batch) = (rx(), vec![[0; N]; BATCH]);
                start.wait();
                let each = nanoseconds_each(n, || {
                    let mut i = 0;
                    while i < n {
                        let got = poll(|| NonZero::new(rx.try_recv_many(&mut batch)));
                        for message in &mut batch[..got.get()] {
                            check(message, i);
                            i += 1;
                        }
                    }
                });
                check_all(&batch[0]);
                each
            },
        )
    }
}

/// Two queues, there and back, and how long each side is away.
struct RoundTrip<const N: usize, const BLOCK: bool, P>((P, P), Duration);

fn be_away(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {}
}

impl<const N: usize, const BLOCK: bool, P: Pair<N>> Contest for RoundTrip<N, BLOCK, P> {
    fn burst(&mut self, duo: Duo, n: u64) -> Raced {
        let away = self.1;
        let (there_tx, there_rx) = self.0.0.split();
        let (back_tx, back_rx) = self.0.1.split();
        duo.race(
            move |start| {
                let (mut rx, mut tx, mut message) = (there_rx(), back_tx(), [0; N]);
                start.wait();
                for i in 0..n {
                    get::<N, BLOCK>(&mut rx, &mut message);
                    if !away.is_zero() {
                        be_away(away);
                    }
                    put::<N, BLOCK>(&mut tx, check(&mut message, i));
                }
            },
            move |start| {
                let (mut tx, mut rx, mut message) = (there_tx(), back_rx(), filled::<N>());
                start.wait();
                let each = nanoseconds_each(n, || {
                    for i in 0..n {
                        put::<N, BLOCK>(&mut tx, stamp(&mut message, i));
                        get::<N, BLOCK>(&mut rx, &mut message);
                        check(&mut message, i);
                        if !away.is_zero() {
                            be_away(away);
                        }
                    }
                });
                check_all(&message);
                each - 2.0 * away.as_nanos() as f64
            },
        )
    }
}
