//! What is measured, written once for all contestants.

use crate::{
    duo::{Duo, Raced, nanoseconds_each},
    pair::{Pair, get, put},
    payload::Message,
};
use std::time::{Duration, Instant};

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
            Kind::RoundTrip => "rtt",
            Kind::RoundTripBlocking => "rtt-blocking",
            Kind::Asleep => "rtt-asleep",
        }
    }
    fn blocks(self) -> bool {
        !matches!(self, Kind::Throughput | Kind::RoundTrip)
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
    let pair = |depth| P::new(depth, kind.blocks());
    let two = || Ok::<_, String>((pair(ROUND_TRIP_DEPTH)?, pair(ROUND_TRIP_DEPTH)?));
    Ok(match kind {
        Kind::Throughput => Box::new(Throughput::<N, false, P>(pair(depth)?)),
        Kind::ThroughputBlocking => Box::new(Throughput::<N, true, P>(pair(depth)?)),
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
                let (mut tx, mut message) = (tx(), Message::<N>::filled());
                start.wait();
                for i in 0..n {
                    put::<N, BLOCK>(&mut tx, message.stamp(i));
                }
            },
            move |start| {
                let (mut rx, mut message) = (rx(), Message::<N>::empty());
                start.wait();
                let each = nanoseconds_each(n, || {
                    for i in 0..n {
                        get::<N, BLOCK>(&mut rx, message.room());
                        message.check(i);
                    }
                });
                message.check_all();
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
                let (mut rx, mut tx, mut message) = (there_rx(), back_tx(), Message::<N>::empty());
                start.wait();
                for i in 0..n {
                    get::<N, BLOCK>(&mut rx, message.room());
                    if !away.is_zero() {
                        be_away(away);
                    }
                    put::<N, BLOCK>(&mut tx, message.check(i));
                }
            },
            move |start| {
                let (mut tx, mut rx, mut message) = (there_tx(), back_rx(), Message::<N>::filled());
                start.wait();
                let each = nanoseconds_each(n, || {
                    for i in 0..n {
                        put::<N, BLOCK>(&mut tx, message.stamp(i));
                        get::<N, BLOCK>(&mut rx, message.room());
                        message.check(i);
                        if !away.is_zero() {
                            be_away(away);
                        }
                    }
                });
                message.check_all();
                each - 2.0 * away.as_nanos() as f64
            },
        )
    }
}
