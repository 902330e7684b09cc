//! Which ratios are printed, and what each is meant to be.

use crate::{
    contest::Kind::{self, *},
    registry::{LINE, SIZES},
};

/// A bound on a ratio.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// Our speed by the peer's.
    AtLeast(f64),
    /// Our time by the floor's.
    AtMost(f64),
}
use Goal::*;

/// One ratio: one of ours against one peer or floor.
#[derive(Clone, Debug)]
pub struct Row {
    pub ours: &'static str,
    pub peer: &'static str,
    pub kind: Kind,
    pub size: usize,
    /// When the processors are near, and when they are far; none where the row only informs.
    pub goals: [Option<Goal>; 2],
}

impl Row {
    /// What a filter is looked for in.
    pub fn label(&self) -> String {
        format!("{} | {} | {} {}", self.ours, self.peer, self.kind.name(), size_name(self.size))
    }
    /// The peer is a floor: the ratio is our time by its, so smaller is better.
    pub fn against_floor(&self) -> bool {
        FLOORS.contains(&self.peer)
    }
}

pub fn size_name(size: usize) -> String {
    if size < 1024 { format!("{size}B") } else { format!("{}KiB", size / 1024) }
}

const FUTEX: &str = "futex";
const FUTEX_SPINS: &str = "futex, spins as we do";
const MEMCPY: &str = "2 memcpy";
const FLOORS: [&str; 4] = [LINE, MEMCPY, FUTEX, FUTEX_SPINS];

/// Ours, against whom, what, sizes, near, far.
type Line = (&'static str, &'static str, Kind, &'static [usize], Goal, Goal);

#[rustfmt::skip]
const GOALS: &[Line] = &[
    ("spsc", LINE, RoundTrip, &[8], AtMost(1.4), AtMost(1.4)),
    ("spsc", MEMCPY, Throughput, &[1024, 65536], AtMost(1.2), AtMost(1.2)),
    ("spsc", "rtrb", Throughput, &[8], AtLeast(1.0), AtLeast(1.5)),
    ("spsc", "rtrb bytes", Throughput, &[8, 64, 1024], AtLeast(2.0), AtLeast(2.0)),
    ("spsc", "heapless spsc", Throughput, &[8], AtLeast(4.0), AtLeast(4.0)),
    ("spsc", "iceoryx2 spsc", Throughput, &[8], AtLeast(4.0), AtLeast(4.0)),
    ("queue", LINE, RoundTrip, &[8], AtMost(1.6), AtMost(1.6)),
    ("queue", MEMCPY, Throughput, &[1024, 65536], AtMost(1.2), AtMost(1.2)),
    ("queue", "crossbeam", RoundTrip, &[8], AtLeast(1.8), AtLeast(1.8)),
    ("queue", "crossbeam", RoundTrip, &[64], AtLeast(1.3), AtLeast(1.3)),
    ("queue", "crossbeam", Throughput, &[1024], AtLeast(1.5), AtLeast(1.5)),
    ("queue", "crossbeam", Throughput, &[64], AtLeast(1.0), AtLeast(1.0)),
    ("queue", "crossbeam", Throughput, &[8], AtLeast(0.8), AtLeast(1.0)),
    ("queue", "iceoryx2 pub-sub", Throughput, &[8, 64, 1024], AtLeast(8.0), AtLeast(8.0)),
    ("queue", "iceoryx2 pub-sub", Throughput, &[65536], AtLeast(1.2), AtLeast(1.2)),
    ("queue", "iceoryx2 pub-sub", RoundTrip, &[64], AtLeast(4.0), AtLeast(4.0)),
    ("queue", "boost mq", Throughput, &[8, 64, 1024], AtLeast(6.0), AtLeast(6.0)),
    ("queue", "boost mq", RoundTrip, &[64], AtLeast(8.0), AtLeast(8.0)),
    ("queue", "pipe", Throughput, &[64], AtLeast(12.0), AtLeast(12.0)),
    ("queue", "seqpacket", Throughput, &[64], AtLeast(40.0), AtLeast(40.0)),
    ("queue", "posix mq", Throughput, &[64], AtLeast(30.0), AtLeast(30.0)),
    ("spsc", FUTEX, Asleep, &[64], AtMost(1.15), AtMost(1.15)),
    ("spsc", FUTEX_SPINS, RoundTripBlocking, &[64], AtMost(1.15), AtMost(1.15)),
    ("queue", FUTEX, Asleep, &[64], AtMost(1.15), AtMost(1.15)),
    ("queue", FUTEX_SPINS, RoundTripBlocking, &[64], AtMost(1.15), AtMost(1.15)),
];

/// What else is worth knowing: ours, against whom.
const OTHERS: &[(&str, &str)] = &[
    ("spsc", "rtrb"),
    ("spsc", "rtrb bytes"),
    ("spsc", "heapless spsc"),
    ("spsc", "iceoryx2 spsc"),
    ("spsc", "iceoryx2 pub-sub"),
    ("spsc", "queue"),
    ("spsc loans", "spsc"),
    ("queue", "crossbeam"),
    ("queue", "heapless mpmc"),
    ("queue", "iceoryx2 pub-sub"),
    ("queue", "boost mq"),
    ("queue", "pipe"),
    ("queue", "seqpacket"),
    ("queue", "posix mq"),
    ("queue kill-only", "crossbeam"),
    ("queue kill-only", LINE),
    ("queue loans", "queue"),
    ("queue indexed", "queue"),
    ("queue indexed loans", "queue"),
    ("rialto pipe", "pipe"),
    ("rialto pipe", "seqpacket"),
];

/// Who takes many messages at a time.
const BATCHING: &[(&str, &str)] = &[("spsc", "rtrb"), ("spsc", "queue"), ("queue", "rtrb")];

/// Who waits by its own means, at the one size where that is looked at.
const BLOCKING: &[(&str, &str)] = &[
    ("queue", "boost mq"),
    ("queue", "pipe"),
    ("queue", "seqpacket"),
    ("queue", "posix mq"),
    ("spsc", "queue"),
    ("rialto pipe", "pipe"),
    ("rialto pipe", "seqpacket"),
];

/// All rows, those with goals first.
pub fn rows() -> Vec<Row> {
    let mut rows = vec![];
    for &(ours, peer, kind, sizes, near, far) in GOALS {
        let goals = [Some(near), Some(far)];
        rows.extend(sizes.iter().map(|&size| Row { ours, peer, kind, size, goals }));
    }
    let mut add = |ours, peer, kind, size| {
        let known = |row: &Row| (row.ours, row.peer, row.kind, row.size) == (ours, peer, kind, size);
        if !rows.iter().any(known) {
            rows.push(Row { ours, peer, kind, size, goals: [None; 2] });
        }
    };
    for kind in [Throughput, RoundTrip] {
        for &(ours, peer) in OTHERS {
            if peer != LINE || kind == RoundTrip {
                SIZES.iter().for_each(|&size| add(ours, peer, kind, size));
            }
        }
    }
    for &(ours, peer) in BATCHING {
        SIZES.iter().for_each(|&size| add(ours, peer, Batches, size));
    }
    for kind in [ThroughputBlocking, RoundTripBlocking, Asleep] {
        BLOCKING.iter().for_each(|&(ours, peer)| add(ours, peer, kind, 64));
    }
    rows
}

impl Goal {
    pub fn met_by(self, ratio: f64) -> bool {
        match self {
            AtLeast(bound) => ratio >= bound,
            AtMost(bound) => ratio <= bound,
        }
    }
    pub fn name(self) -> String {
        match self {
            AtLeast(bound) => format!(">= {bound}"),
            AtMost(bound) => format!("<= {bound}"),
        }
    }
}
