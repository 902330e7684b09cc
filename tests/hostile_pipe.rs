//! Pipes whose bytes somebody writes over while both ends are used: no panic, no access outside the region, no
//! call that outlives its deadline, no length above the maximum. The region ends at a page that may not be
//! touched.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod hostile_driver;
mod procs;

use hostile_driver::Arena;
use procs::watchdog;
use rialto::{Connection, Error, PipeConfig, Region, RegionConfig};
use std::{
    sync::atomic::{AtomicU32, Ordering::*},
    thread,
    time::{Duration, Instant},
};

const RING: u32 = 512;
const MAX: u32 = 3000;
/// Of the pipe, found by its magic.
const ENDS: [usize; 2] = [128, 256];
const WAYS: [usize; 2] = [384, 896];
const STREAMS: usize = 1408;
const MS: u64 = 1_000_000;

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn nasty(state: &mut u64) -> u64 {
    match random(state) % 10 {
        0 => 0,
        1 => u64::from(u32::MAX),
        2 => u64::from(u32::MAX - 1),
        3 => (1 << 31) | (random(state) % 700),
        4 => random(state) % 64 * 16,
        5 => random(state) % 700,
        6 => (1 << 30) + random(state) % 3,
        7 => u64::from(RING) + random(state) % 33 - 16,
        8 => 1 << (random(state) % 32),
        _ => random(state),
    }
}

/// Some word that anybody believes, or any byte.
fn scribble(arena: &Arena, pipe: usize, state: &mut u64, also: Also) {
    let stream = STREAMS + (RING as usize + 128) * (random(state) % 2) as usize;
    let way = WAYS[random(state) as usize % 2];
    let offset = match random(state) % 10 {
        0 if also == Also::Ends => ENDS[random(state) as usize % 2],
        1 if also == Also::Ends => random(state) as usize % 16,
        2 => way + 256,
        3 => way + 384,
        4 => way + random(state) as usize % 136,
        // A record's word or tag, or anything.
        5..=8 => {
            stream + (random(state) as usize % (RING as usize / 16)) * 16 + 8 + random(state) as usize % 2 * 4
        }
        _ => stream + random(state) as usize % (RING as usize + 128),
    };
    let width = if random(state) % 8 == 0 { 1 } else { 4 };
    arena.scribble(pipe + offset, width, nasty(state));
}

#[derive(Clone, Copy, PartialEq)]
enum Also {
    /// End words and the header too.
    Ends,
    OnlyWays,
}

/// Errors are all right, each of them; so are messages of any content.
fn use_it(end: &mut Connection, state: &mut u64) -> bool {
    let mut buffer = [0; MAX as usize];
    let timeout = random(state) % 3 * MS;
    let len = random(state) as usize % if random(state) % 4 == 0 { MAX as usize + 1 } else { 60 };
    let bounded = |began: Instant| {
        let took = began.elapsed();
        assert!(took < Duration::from_secs(10), "outlived its deadline: {took:?}");
    };
    let began = Instant::now();
    let result = match random(state) % 10 {
        0..=2 => end.send_timeout(&[0xff; MAX as usize][..len], timeout),
        3 => end.try_send(&[0; 100]),
        4..=6 => end.recv_timeout(&mut buffer[..len], timeout).map(|got| assert!(got <= len)),
        7 => end.next_len().map(|len| assert!(len <= MAX as usize, "a length that no message has: {len}")),
        8 => end.poll(timeout).map(drop),
        _ => {
            let _ = (end.arm_data(), end.recheck_data(), end.arm_space(len), end.recheck_space(len));
            assert!(end.received_bytes() <= MAX as usize);
            Ok(())
        }
    };
    bounded(began);
    !matches!(result, Err(Error::Closed | Error::BrokenPipe | Error::NotOwner))
}

fn run(also: Also, seconds: u64) {
    let _watchdog = watchdog("a pipe that somebody writes over", seconds + 60);
    let end = Instant::now() + Duration::from_secs(seconds);
    let config = RegionConfig { members: 4, objects: 1, tick_ms: 2 };
    let pipe_config = PipeConfig { max_message_bytes: MAX, ..PipeConfig::new(RING) };
    let (mut round, mut errors) = (0u64, 0u64);
    while Instant::now() < end {
        round += 1;
        let arena = Arena::new(LEN);
        // SAFETY: the arena outlives the region, and all threads that use it are joined.
        let region = unsafe { Region::init(arena.ptr(), arena.len(), &config) }.unwrap();
        let pipe = region.create_pipe("p", &pipe_config).expect("room");
        // SAFETY: inside the arena.
        let words = unsafe { std::slice::from_raw_parts(arena.ptr().cast::<AtomicU32>(), LEN / 4) };
        let magic = u32::from_le_bytes(*b"RLTP");
        let at = 4 * words.iter().position(|word| word.load(Relaxed) == magic).unwrap();
        assert_eq!(at + STREAMS + 2 * (RING as usize + 128), LEN, "the guard page is right behind");
        thread::scope(|scope| {
            let workers = [0, 1].map(|end| {
                let region = &region;
                scope.spawn(move || {
                    let mut state = (round << 8 | end as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
                    let mut connection = pipe.connect(end);
                    let mut failed = 0u64;
                    for _ in 0..200 {
                        let used = connection.as_mut().is_ok_and(|end| use_it(end, &mut state));
                        failed += u64::from(!used);
                        if failed > 20 && also == Also::Ends {
                            break;
                        }
                    }
                    let _ = (region.open_pipe("p").map(drop), pipe.connect(end).map(drop));
                    failed
                })
            });
            let mut state = round.wrapping_mul(0x1234_5678_9abc_def1) | 1;
            while !workers.iter().all(|worker| worker.is_finished()) {
                scribble(&arena, at, &mut state, also);
                if random(&mut state) % 16 == 0 {
                    thread::sleep(Duration::from_micros(200));
                }
            }
            errors += workers.into_iter().map(|worker| worker.join().expect("no panic")).sum::<u64>();
        });
    }
    println!("{round} rounds, {errors} ends lost");
    assert!(round > 3);
}

/// Cells, directory and one pipe.
/// Header, directory, members, users of objects, the pipe.
const LEN: usize = 256 + 64 + 64 + 4 * 64 + 20 * 64 + STREAMS + 2 * (RING as usize + 128);

#[test]
fn streams_written_over_while_both_ends_are_used_do_no_harm() {
    run(Also::OnlyWays, 2);
}

#[test]
fn end_words_and_the_header_written_over_do_no_harm() {
    run(Also::Ends, 2);
}

/// A length that the sender never sends: it is told as damage, not as a length to allocate.
#[test]
fn impossible_lengths_are_damage() {
    let region = Region::create_anonymous(1 << 14, &RegionConfig::default()).unwrap();
    let pipe =
        region.create_pipe("p", &PipeConfig { max_message_bytes: MAX, ..PipeConfig::new(RING) }).unwrap();
    let (mut a, mut b) = (pipe.connect(0).unwrap(), pipe.connect(1).unwrap());
    // SAFETY: the region's memory, as atomics.
    let words = unsafe { std::slice::from_raw_parts(region.as_ptr().cast::<AtomicU32>(), region.len() / 4) };
    for tag in [3001, 4, 3, u32::MAX, 1 << 31, 1 << 31 | 4, i32::MAX as u32, 1 << 30] {
        a.send(b"12345").unwrap();
        let tagged =
            words.windows(2).position(|pair| pair[0].load(Relaxed) == 6 && pair[1].load(Relaxed) == 5);
        words[tagged.unwrap() + 1].store(tag, Relaxed);
        assert_eq!((b.next_len(), b.poll(0)), (Err(Error::BadRegion), Ok(true)), "{tag:#x}");
        assert_eq!(b.try_recv(&mut [0; 5]), Err(Error::BadRegion), "{tag:#x}");
        assert_eq!(b.try_recv(&mut [0; 5]), Err(Error::WouldBlock), "it is gone, and only it");
    }
    a.send(b"12345").unwrap();
    assert_eq!(b.try_recv(&mut [0; 5]), Ok(5));
}
