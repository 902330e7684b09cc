//! Random sequences of calls on both ends of a pipe against two plain queues, and both ends used at once by two
//! threads: every message arrives once, in order, whole, and end of stream comes behind all of them.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod procs;

use procs::{WATCHDOG_SECONDS, watchdog};
use proptest::{collection::vec, prelude::*, test_runner::Config};
use rialto::{Connection, Error, PipeConfig, Region, RegionConfig};
use std::{collections::VecDeque, thread};

#[derive(Clone, Debug)]
enum Op {
    /// Of that end, so long.
    TrySend(usize, usize),
    /// With a timeout of 1 ns: of a long one, as many chunks go as fit.
    SendSoon(usize, usize),
    /// Into a buffer of that length.
    TryRecv(usize, usize),
    RecvSoon(usize),
    Look(usize),
    Close(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let end = || 0..2usize;
    prop_oneof![
        8 => (end(), 0..=MAX).prop_map(|(end, len)| Op::TrySend(end, len)),
        4 => (end(), 0..=MAX).prop_map(|(end, len)| Op::SendSoon(end, len)),
        8 => (end(), 0..=MAX).prop_map(|(end, len)| Op::TryRecv(end, len)),
        8 => end().prop_map(Op::RecvSoon),
        4 => end().prop_map(Op::Look),
        1 => (0..20usize).prop_map(Op::Close),
    ]
}

const MAX: usize = 600;
/// The longest that is sent.
const LIMIT: usize = 590;

fn message(number: u32, len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (number.wrapping_mul(31) + i * 7) as u8).collect()
}

/// What was sent on one way and not received.
#[derive(Default)]
struct Way {
    /// Whole ones, and (false) ones whose sender gave them up: of those, any number of chunks went.
    sent: VecDeque<(bool, Vec<u8>)>,
    /// A recv found nothing, and nothing was sent since.
    drained: bool,
}

impl Way {
    /// What may come next: given-up ones, and the first whole one.
    fn next(&self) -> impl Iterator<Item = &Vec<u8>> {
        let whole = self.sent.iter().position(|sent| sent.0).unwrap_or(self.sent.len());
        self.sent.iter().take(whole + 1).map(|sent| &sent.1)
    }

    fn has_whole(&self) -> bool {
        self.sent.iter().any(|sent| sent.0)
    }

    fn received(&mut self, bytes: &[u8]) -> Result<(), TestCaseError> {
        while let Some((whole, sent)) = self.sent.pop_front() {
            if whole {
                prop_assert_eq!(&sent[..], bytes);
                return Ok(());
            }
        }
        prop_assert!(false, "nobody sent that");
        Ok(())
    }
}

struct Case {
    ends: [Option<Connection<'static>>; 2],
    /// The one that end i sends on.
    ways: [Way; 2],
    buffers: [Vec<u8>; 2],
    duplex: bool,
    number: u32,
}

impl Case {
    fn send(&mut self, at: usize, len: usize, soon: bool) -> Result<(), TestCaseError> {
        let (is_broken, sends) = (self.ends[at ^ 1].is_none(), self.duplex || at == 1);
        let (Some(end), way) = (&mut self.ends[at], &mut self.ways[at]) else { return Ok(()) };
        self.number += 1;
        let bytes = message(self.number, len);
        let in_chunks = len > end.max_chunk_bytes();
        let result = if soon { end.send_timeout(&bytes, 1) } else { end.try_send(&bytes) };
        let no_room = Err(if soon { Error::TimedOut } else { Error::WouldBlock });
        let expected = if len > LIMIT || in_chunks && !soon {
            Err(Error::MessageTooLarge)
        } else if !sends {
            Err(Error::NotSupported)
        } else if is_broken {
            Err(Error::BrokenPipe)
        } else if result == no_room && (in_chunks || !way.drained) {
            no_room
        } else {
            Ok(())
        };
        prop_assert_eq!(result, expected);
        if result == Ok(()) || result == no_room && in_chunks {
            way.sent.push_back((result == Ok(()), bytes));
            way.drained = false;
        }
        Ok(())
    }

    fn recv(&mut self, at: usize, room: usize, soon: bool) -> Result<(), TestCaseError> {
        let (is_closed, receives) = (self.ends[at ^ 1].is_none(), self.duplex || at == 0);
        let (Some(end), way) = (&mut self.ends[at], &mut self.ways[at ^ 1]) else { return Ok(()) };
        let buffer = &mut self.buffers[at];
        let result =
            if soon { end.recv_timeout(&mut buffer[..room], 1) } else { end.try_recv(&mut buffer[..room]) };
        match result {
            _ if !receives => prop_assert_eq!(result, Err(Error::NotSupported)),
            Ok(len) => {
                way.received(&buffer[..len])?;
                prop_assert_eq!(end.received_bytes(), 0);
            }
            Err(Error::BufferTooSmall) => prop_assert!(way.next().any(|bytes| bytes.len() > room)),
            Err(error) => {
                let nothing = if soon { Error::TimedOut } else { Error::WouldBlock };
                prop_assert_eq!(error, if is_closed { Error::Closed } else { nothing });
                prop_assert!(!way.has_whole(), "{:?}, but there are messages", error);
                way.drained = true;
                let came = end.received_bytes();
                prop_assert!(came == 0 || !is_closed);
                let is_part = |bytes: &Vec<u8>| bytes.len() > came && bytes[..came] == buffer[..came];
                prop_assert!(came == 0 || way.next().any(is_part));
            }
        }
        Ok(())
    }

    fn look(&mut self, at: usize) -> Result<(), TestCaseError> {
        let (is_closed, receives) = (self.ends[at ^ 1].is_none(), self.duplex || at == 0);
        let (Some(end), way) = (&mut self.ends[at], &mut self.ways[at ^ 1]) else { return Ok(()) };
        prop_assert_eq!(end.is_peer_closed(), is_closed);
        if !receives {
            prop_assert_eq!(
                (end.poll(0), end.next_len()),
                (Err(Error::NotSupported), Err(Error::NotSupported))
            );
            return Ok(());
        }
        let (next, ready) = (end.next_len(), end.poll(0).unwrap());
        match next {
            Ok(len) => prop_assert!(ready && way.next().any(|bytes| bytes.len() == len)),
            Err(error) => {
                prop_assert_eq!(error, if is_closed { Error::Closed } else { Error::WouldBlock });
                prop_assert!(!way.has_whole() && ready == is_closed);
            }
        }
        prop_assert_eq!(end.arm_data(), ready);
        Ok(())
    }
}

fn check(ring_bytes: u32, duplex: bool, begin: usize, ops: &[Op]) -> Result<(), TestCaseError> {
    let region = Box::new(Region::create_anonymous(1 << 14, &RegionConfig::default()).unwrap());
    // SAFETY: the region stays in its box, and what borrows from it ("for ever") goes first.
    let forever: &'static Region = unsafe { &*core::ptr::from_ref::<Region>(&*region) };
    let config = PipeConfig { duplex, max_message_bytes: LIMIT as u32, ring_bytes };
    let pipe = forever.create_pipe("p", &config).unwrap();
    let mut case = Case {
        ends: [0, 1].map(|end| pipe.connect(end).ok()),
        ways: [Way::default(), Way::default()],
        buffers: [vec![0; MAX], vec![0; MAX]],
        duplex,
        number: 0,
    };
    // Anywhere in the ring.
    for _ in 0..begin {
        for at in [0, 1] {
            case.send(at, 8, false)?;
            case.recv(at ^ 1, 8, false)?;
        }
    }
    for op in ops {
        match *op {
            Op::TrySend(at, len) => case.send(at, len, false)?,
            Op::SendSoon(at, len) => case.send(at, len, true)?,
            Op::TryRecv(at, room) => case.recv(at, room, false)?,
            Op::RecvSoon(at) => case.recv(at, MAX, true)?,
            Op::Look(at) => case.look(at)?,
            Op::Close(at) if at < 2 => case.ends[at] = None,
            Op::Close(_) => {}
        }
    }
    // All that is left comes, and nothing else.
    for at in [0, 1] {
        let left = case.ways[at ^ 1].sent.len();
        for _ in 0..=left {
            case.recv(at, MAX, false)?;
        }
        prop_assert!(case.ends[at].is_none() || !case.ways[at ^ 1].has_whole());
    }
    drop(case);
    drop(region);
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 2000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn random_calls_agree_with_two_queues(
        ring_bytes in 1..700u32,
        duplex in prop_oneof![3 => Just(true), 1 => Just(false)],
        begin in 0..50usize,
        ops in vec(op(), 0..80),
    ) {
        let _watchdog = watchdog("random calls", WATCHDOG_SECONDS);
        check(ring_bytes, duplex, begin, &ops)?;
    }
}

// ---- both directions at once

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Sends `count` messages and receives as many, whichever goes; all sorts of calls. No thread may wait for ever
/// to send: the other one does the same.
fn talk(end: &mut Connection, seed: u64, count: u32) {
    let mut state = seed | 1;
    let (mut sent, mut got) = (0, 0);
    let mut buffer = vec![0; LIMIT];
    while sent < count || got < count {
        let choice = random(&mut state);
        let len = (choice >> 8) as usize % if choice % 5 == 0 { LIMIT } else { 40 };
        if sent < count {
            let bytes = message(sent, len.max(4));
            let bytes = [&sent.to_le_bytes(), &bytes[4..]].concat();
            match end.send_timeout(&bytes, choice % 3 * 20_000) {
                Ok(()) => sent += 1,
                Err(Error::TimedOut | Error::WouldBlock | Error::MessageTooLarge) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        if choice % 4 == 0 && end.poll(choice % 7 * 1000) != Ok(true) {
            continue;
        }
        match end.recv_timeout(&mut buffer, choice % 2 * 20_000) {
            Ok(len) => {
                assert_eq!(buffer[..4], u32::to_le_bytes(got), "the next one, and only once");
                assert!(buffer[4..len] == message(got, len)[4..], "torn");
                got += 1;
            }
            Err(Error::TimedOut | Error::WouldBlock) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn two_threads_that_send_and_receive_at_once_get_every_message_once_and_in_order() {
    for (ring_bytes, count) in [(1, 3000), (300, 10_000), (4096, 20_000)] {
        let _watchdog = watchdog("both at once", 2 * WATCHDOG_SECONDS);
        let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
        let config = PipeConfig { max_message_bytes: LIMIT as u32, ..PipeConfig::new(ring_bytes) };
        let pipe = region.create_pipe("p", &config).unwrap();
        let (mut a, mut b) = (pipe.connect(0).unwrap(), pipe.connect(1).unwrap());
        thread::scope(|scope| {
            scope.spawn(|| talk(&mut a, 0x1234_5678_9abc, count));
            talk(&mut b, 0xfedc_ba98_7654, count);
        });
        drop(a);
        assert_eq!(b.recv(&mut []), Err(Error::Closed));
    }
}
