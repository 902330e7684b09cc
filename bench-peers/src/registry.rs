//! Contestants by name. A new kind of queue is a line here, and rows in `goals`.

#[cfg(have_boost)]
use crate::boost::Boost;
#[cfg(feature = "iceoryx2")]
use crate::iceoryx;
use crate::{
    contest::{Contest, Kind, contest},
    floor::{Futex, Memcpy},
    kernel::{Channel, MQ, PIPE, SEQPACKET},
    ours::{
        mpmc::{INDEXED, KILL_ONLY, Mpmc, STOP_SAFE},
        pipe::Pipe,
        spsc::Spsc,
    },
    rings::{Crossbeam, HeaplessMpmc, HeaplessSpsc, Rtrb, RtrbBytes},
};

pub const SIZES: [usize; 4] = [8, 64, 1024, 65536];

/// The bracket: it is not run as a contestant.
pub const LINE: &str = "cache line";
/// As often as `Platform::SPINS` of Linux says.
const OUR_SPINS: u32 = 100;

type Made = Result<Box<dyn Contest>, String>;

/// `who`, ready to run. Errors: why it is left out.
pub fn make(who: &str, kind: Kind, size: usize) -> Made {
    match size {
        8 => sized::<8, 1024>(who, kind),
        64 => sized::<64, 1024>(who, kind),
        1024 => sized::<1024, 1024>(who, kind),
        65536 => sized::<65536, 64>(who, kind),
        _ => unreachable!("see SIZES"),
    }
}

/// For messages of N bytes, of which D fit when it is about throughput.
fn sized<const N: usize, const D: usize>(who: &str, kind: Kind) -> Made {
    match who {
        "queue" => contest::<N, Mpmc<STOP_SAFE, false>>(kind, D),
        "queue kill-only" => contest::<N, Mpmc<KILL_ONLY, false>>(kind, D),
        "queue indexed" => contest::<N, Mpmc<INDEXED, false>>(kind, D),
        "queue loans" => contest::<N, Mpmc<STOP_SAFE, true>>(kind, D),
        "queue indexed loans" => contest::<N, Mpmc<INDEXED, true>>(kind, D),
        "spsc" => contest::<N, Spsc<false>>(kind, D),
        "spsc loans" => contest::<N, Spsc<true>>(kind, D),
        "rialto pipe" => contest::<N, Pipe>(kind, D),
        "2 memcpy" => Ok(Box::new(Memcpy::<N>::new(D))),
        "futex" => contest::<N, Futex<N, 0>>(kind, D),
        "futex, spins as we do" => contest::<N, Futex<N, OUR_SPINS>>(kind, D),
        "rtrb" => contest::<N, Rtrb<N>>(kind, D),
        "rtrb bytes" => contest::<N, RtrbBytes>(kind, D),
        "crossbeam" => contest::<N, Crossbeam<N>>(kind, D),
        "heapless spsc" => contest::<N, HeaplessSpsc<N, D>>(kind, D),
        "heapless mpmc" => contest::<N, HeaplessMpmc<N, D>>(kind, D),
        "pipe" => contest::<N, Channel<PIPE>>(kind, D),
        "seqpacket" => contest::<N, Channel<SEQPACKET>>(kind, D),
        "posix mq" => contest::<N, Channel<MQ>>(kind, D),
        #[cfg(feature = "iceoryx2")]
        "iceoryx2 spsc" => contest::<N, iceoryx::Spsc<N, D>>(kind, D),
        #[cfg(feature = "iceoryx2")]
        "iceoryx2 pub-sub" => contest::<N, iceoryx::PubSub<N>>(kind, D),
        #[cfg(not(feature = "iceoryx2"))]
        "iceoryx2 spsc" | "iceoryx2 pub-sub" => Err("built without the feature iceoryx2".into()),
        #[cfg(have_boost)]
        "boost mq" => contest::<N, Boost>(kind, D),
        #[cfg(not(have_boost))]
        "boost mq" => Err("its headers were not found: apt-get install libboost-dev, touch build.rs".into()),
        _ => unreachable!("{who} is no contestant"),
    }
}
