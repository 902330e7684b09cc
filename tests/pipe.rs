//! Pipes: what two ends tell each other, and what is left when one of them closes or is killed.

mod procs;

use procs::{WATCHDOG_SECONDS, watchdog};
use rialto::{Error, PipeConfig, Region, RegionConfig};
use std::{thread, time::Duration};

fn region() -> Region {
    Region::create_anonymous(1 << 20, &RegionConfig::default()).unwrap()
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + len) as u8).collect()
}

#[test]
fn messages_go_both_ways_with_their_boundaries() {
    let region = region();
    let pipe = region.create_pipe("p", &PipeConfig::new(1024)).unwrap();
    let (mut a, mut b) = (pipe.connect(0).unwrap(), pipe.connect(1).unwrap());
    let mut buffer = [0; 512];
    for round in 0..200 {
        for len in [0, 1, 7, 8, 9, round, 400] {
            a.try_send(&bytes(len)).unwrap();
            assert_eq!(b.next_len(), Ok(len));
            assert_eq!(b.try_recv(&mut buffer), Ok(len));
            assert_eq!(buffer[..len], bytes(len));
            b.try_send(&bytes(len / 2)).unwrap();
            assert_eq!(a.try_recv(&mut buffer), Ok(len / 2));
        }
    }
    assert_eq!(a.try_recv(&mut buffer), Err(Error::WouldBlock));
    assert_eq!(a.recv_timeout(&mut buffer, 1_000_000), Err(Error::TimedOut));
}

#[test]
fn simplex_is_one_way_and_ends_are_claimed_once() {
    let region = region();
    let config = PipeConfig { duplex: false, ..PipeConfig::new(1024) };
    let pipe = region.create_pipe("p", &config).unwrap();
    let (mut receiver, mut sender) = (pipe.connect(0).unwrap(), pipe.connect(1).unwrap());
    assert_eq!(receiver.try_send(b""), Err(Error::NotSupported));
    assert_eq!(sender.try_recv(&mut []), Err(Error::NotSupported));
    assert_eq!(sender.poll(0), Err(Error::NotSupported));
    sender.send(b"one way").unwrap();
    assert_eq!(receiver.try_recv(&mut [0; 3]), Err(Error::BufferTooSmall));
    assert_eq!(receiver.poll(0), Ok(true));
    assert_eq!(receiver.recv(&mut [0; 7]), Ok(7));
    assert_eq!(pipe.connect(1).err(), Some(Error::EndTaken));
    assert_eq!(pipe.connect(2).err(), Some(Error::Invalid));
    sender.close();
    assert_eq!(pipe.connect(1).err(), Some(Error::EndTaken));
}

#[test]
fn close_is_end_of_stream_behind_what_was_sent_and_broken_pipe() {
    let region = region();
    let pipe = region.create_pipe("p", &PipeConfig::new(1024)).unwrap();
    let mut a = pipe.connect(0).unwrap();
    a.send(b"to nobody yet").unwrap();
    assert_eq!(a.poll(1_000), Ok(false), "an end that is not claimed is not closed");
    let mut b = pipe.connect(1).unwrap();
    b.send(b"last words").unwrap();
    drop(b);
    let mut buffer = [0; 64];
    assert_eq!(a.send(b"?"), Err(Error::BrokenPipe));
    assert_eq!(a.recv(&mut buffer), Ok(10));
    for _ in 0..3 {
        assert_eq!(a.recv(&mut buffer), Err(Error::Closed));
        assert_eq!(a.poll(0), Ok(true));
    }
}

#[test]
fn long_messages_go_in_chunks() {
    let _watchdog = watchdog("long messages", WATCHDOG_SECONDS);
    let region = region();
    let pipe =
        region.create_pipe("p", &PipeConfig { max_message_bytes: 100_000, ..PipeConfig::new(1000) }).unwrap();
    let (mut a, mut b) = (pipe.connect(0).unwrap(), pipe.connect(1).unwrap());
    assert_eq!(a.send(&bytes(100_001)), Err(Error::MessageTooLarge));
    assert_eq!(a.try_send(&bytes(a.max_chunk_bytes() + 1)), Err(Error::MessageTooLarge));
    // Given up in the middle: nothing of it is delivered.
    assert_eq!(a.send_timeout(&bytes(5000), 1_000_000), Err(Error::TimedOut));
    thread::scope(|scope| {
        let sender = scope.spawn(move || {
            for len in [100_000, 0, 1, 513, 99_999, 2000] {
                a.send(&bytes(len)).unwrap();
            }
            // Ended in the middle: the same.
            assert_eq!(a.send_timeout(&bytes(5000), 100_000_000), Err(Error::TimedOut));
        });
        let mut buffer = vec![0; 100_000];
        for len in [100_000, 0, 1, 513, 99_999, 2000] {
            // In slices of time that are too short for it.
            let got = loop {
                match b.recv_timeout(&mut buffer, 1_000) {
                    Err(Error::TimedOut) => {}
                    other => break other,
                }
            };
            assert_eq!(got, Ok(len));
            assert!(buffer[..len] == bytes(len));
        }
        while !sender.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(b.recv(&mut buffer), Err(Error::Closed));
        assert_eq!(b.received_bytes(), 0);
    });
}
