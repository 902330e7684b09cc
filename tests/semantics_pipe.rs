//! Pipes: the documentation of `multiprocessing.Pipe` and `Connection`, case by case; differences are named.
//! TESTING.md has the table. Deaths are in `pipe_deaths.rs`.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Connection, Error, FOREVER, Pipe, PipeConfig, QueueConfig, Region, RegionConfig};
use std::sync::atomic::{AtomicU32, Ordering::*};
use sync_kit::*;

const RING: u32 = 1024;

fn pipe_of(config: PipeConfig) -> Pipe<'static> {
    region(NO_TICK_MS).create_pipe("p", &config).unwrap()
}

fn both(pipe: &Pipe<'static>) -> (Connection<'static>, Connection<'static>) {
    (pipe.connect(0).unwrap(), pipe.connect(1).unwrap())
}

fn ends(ring_bytes: u32) -> (Connection<'static>, Connection<'static>) {
    both(&pipe_of(PipeConfig::new(ring_bytes)))
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + len) as u8).collect()
}

/// Nobody is able to send until somebody receives.
fn fill(end: &mut Connection) -> usize {
    (0..).find(|_| end.try_send(&[7; 100]) == Err(Error::WouldBlock)).unwrap()
}

/// How long `f` took.
fn timed<T>(f: impl FnOnce() -> T) -> (T, u64) {
    let begin = now_ns();
    (f(), now_ns() - begin)
}

// ---- Pipe([duplex])

#[test]
fn both_ends_of_a_duplex_pipe_send_and_receive() {
    let pipe = pipe_of(PipeConfig::new(RING));
    let (mut a, mut b) = both(&pipe);
    let mut buffer = [0; 8];
    a.send(b"there").unwrap();
    b.send(b"back").unwrap();
    assert_eq!((b.recv(&mut buffer), &buffer[..5]), (Ok(5), &b"there"[..]));
    assert_eq!((a.recv(&mut buffer), &buffer[..4]), (Ok(4), &b"back"[..]));
    assert!(pipe.is_duplex());
}

#[test]
fn of_a_simplex_pipe_end_0_only_receives_and_end_1_only_sends() {
    let pipe = pipe_of(PipeConfig { duplex: false, ..PipeConfig::new(RING) });
    assert!(!pipe.is_duplex());
    let (mut receiver, mut sender) = both(&pipe);
    let no = Err(Error::NotSupported);
    for sent in [receiver.send(b"x"), receiver.try_send(b"x"), receiver.send_timeout(b"x", MS)] {
        assert_eq!(sent, no);
    }
    let no = Err(Error::NotSupported);
    assert_eq!((sender.recv(&mut [0; 8]), sender.try_recv(&mut []), sender.next_len()), (no, no, no));
    assert_eq!(sender.poll(MS), Err(Error::NotSupported));
    assert_eq!(sender.set_space_fd(1), Err(Error::NotSupported));
    assert_eq!(receiver.set_data_fd(1), Err(Error::NotSupported));
    sender.send(b"one way").unwrap();
    assert_eq!(receiver.recv(&mut [0; 8]), Ok(7));
    receiver.close();
    assert_eq!(sender.send(b"x"), Err(Error::BrokenPipe));
}

/// Python says that data may be corrupted if two use the same end: here a second one is refused, for good.
#[test]
fn an_end_is_claimed_once() {
    let pipe = pipe_of(PipeConfig::new(RING));
    assert_eq!(pipe.connect(2).err(), Some(Error::Invalid));
    let (a, b) = both(&pipe);
    assert_eq!(
        (pipe.connect(0).err(), pipe.connect(1).err()),
        (Some(Error::EndTaken), Some(Error::EndTaken))
    );
    a.close();
    drop(b);
    assert_eq!(
        (pipe.connect(0).err(), pipe.connect(1).err()),
        (Some(Error::EndTaken), Some(Error::EndTaken))
    );
}

/// Whoever comes too late neither looks at what is being written, nor writes.
#[test]
fn who_comes_too_late_is_told_so_whatever_is_in_the_pipe() {
    let region = region(NO_TICK_MS);
    let pipe = region.create_pipe("p", &PipeConfig::new(RING)).unwrap();
    let (a, b) = both(&pipe);
    // SAFETY: the region's memory, as atomics.
    let words = unsafe { std::slice::from_raw_parts(region.as_ptr().cast::<AtomicU32>(), region.len() / 4) };
    let magic = u32::from_le_bytes(*b"RLTP");
    let at = words.iter().position(|word| word.load(Relaxed) == magic).unwrap();
    for way in [384, 896] {
        let (tail, head) = (&words[at + (way + 256) / 4], &words[at + (way + 384) / 4]);
        tail.store(64, Relaxed);
        head.store(7 | 1 << 31, Relaxed);
        for end in [0, 1] {
            assert_eq!(pipe.connect(end).err(), Some(Error::EndTaken));
        }
        assert_eq!((tail.load(Relaxed), head.load(Relaxed)), (64, 7 | 1 << 31));
    }
    drop((a, b));
}

// ---- send_bytes

#[test]
fn a_message_arrives_as_it_was_sent_with_its_boundaries() {
    let (mut a, mut b) = ends(RING);
    let lens = [0, 1, 7, 8, 9, 15, 16, 17, 24, 25, 100];
    for len in lens {
        a.send(&bytes(len)).unwrap();
    }
    let mut buffer = [0; 100];
    for len in lens {
        assert_eq!((b.next_len(), b.recv(&mut buffer)), (Ok(len), Ok(len)));
        assert_eq!(buffer[..len], bytes(len));
    }
    assert_eq!(b.try_recv(&mut buffer), Err(Error::WouldBlock));
}

/// Python: "very large buffers may raise a ValueError". Here the limit is known, and nothing is sent.
#[test]
fn a_message_above_the_maximum_is_refused_whole() {
    let (mut a, mut b) = both(&pipe_of(PipeConfig { max_message_bytes: 3000, ..PipeConfig::new(RING) }));
    assert_eq!((a.max_message_bytes(), b.max_message_bytes()), (3000, 3000));
    for len in [3001, 100_000] {
        assert_eq!(a.send(&bytes(len)), Err(Error::MessageTooLarge));
        assert_eq!(a.try_send(&bytes(len)), Err(Error::MessageTooLarge));
    }
    assert_eq!(a.try_send(&bytes(a.max_chunk_bytes() + 1)), Err(Error::MessageTooLarge));
    assert_eq!(b.poll(0), Ok(false));
    a.try_send(&bytes(a.max_chunk_bytes())).unwrap();
    assert_eq!(b.next_len(), Ok(a.max_chunk_bytes()));
}

#[test]
fn send_waits_for_room_and_a_recv_makes_it() {
    let (mut a, mut b) = ends(RING);
    let sent = fill(&mut a);
    let sender = Waiter::asleep(move || (a.send(&[8; 100]), a));
    assert!(!sender.is_done());
    for _ in 0..sent {
        assert_eq!(b.recv(&mut [0; 100]), Ok(100));
    }
    assert_eq!(sender.join().0, Ok(()));
    let mut buffer = [0; 100];
    assert_eq!((b.recv(&mut buffer), buffer), (Ok(100), [8; 100]));
}

#[test]
fn a_message_larger_than_the_ring_goes_in_pieces_and_arrives_whole() {
    let (mut a, mut b) = ends(RING);
    let len = 1_000_003;
    let sender = Waiter::start(move || a.send(&bytes(len)));
    let mut buffer = vec![0; len];
    assert_eq!(b.recv(&mut buffer), Ok(len));
    assert!(buffer == bytes(len));
    assert_eq!(sender.join(), Ok(()));
}

// ---- recv_bytes, recv_bytes_into

#[test]
fn recv_blocks_until_there_is_something_also_between_processes() {
    let (mut a, mut b) = ends(RING);
    let child = Child::fork(|| {
        // The end belongs to the process that claimed it, see `pipe_deaths`: this one claims its own.
        sleep_ms(20);
    });
    let receiver = Waiter::asleep(move || {
        let mut buffer = [0; 8];
        (b.recv(&mut buffer), buffer)
    });
    child.succeeded();
    assert!(!receiver.is_done());
    a.send(b"here").unwrap();
    assert_eq!(receiver.join(), (Ok(4), *b"here\0\0\0\0"));
    // As it should be: each end in a process of its own.
    let pipe = pipe_of(PipeConfig::new(RING));
    let child = Child::fork(|| {
        let Ok(mut end) = pipe.connect(0) else { child_failed(file!(), line!(), "connect") };
        let mut buffer = [0; 2000];
        ensure!(end.recv(&mut buffer) == Ok(2000) && buffer[..] == bytes(2000));
        ensure!(end.send(b"thanks") == Ok(()));
        ensure!(end.recv(&mut buffer) == Err(Error::Closed));
    });
    let mut end = pipe.connect(1).unwrap();
    child.wait_asleep();
    end.send(&bytes(2000)).unwrap();
    assert_eq!(end.recv(&mut [0; 8]), Ok(6));
    drop(end);
    child.succeeded();
}

/// Python: the message comes with the exception, or the connection is no longer readable. Here it stays.
#[test]
fn a_buffer_too_short_takes_nothing() {
    let (mut a, mut b) = ends(RING);
    a.send(&bytes(50)).unwrap();
    a.send(b"next").unwrap();
    let mut buffer = [0xee; 50];
    for len in [0, 1, 49] {
        assert_eq!(b.recv(&mut buffer[..len]), Err(Error::BufferTooSmall));
        assert_eq!(b.try_recv(&mut buffer[..len]), Err(Error::BufferTooSmall));
        assert_eq!((b.poll(0), b.next_len()), (Ok(true), Ok(50)));
    }
    assert_eq!(buffer, [0xee; 50]);
    assert_eq!((b.recv(&mut buffer), &buffer[..]), (Ok(50), &bytes(50)[..]));
    assert_eq!((b.recv(&mut buffer), &buffer[..4]), (Ok(4), &b"next"[..]));
}

#[test]
fn a_buffer_too_short_for_a_message_in_pieces_takes_nothing_either() {
    let (mut a, mut b) = ends(RING);
    let sender = Waiter::asleep(move || a.send(&bytes(5000)));
    assert_eq!(b.recv(&mut [0; 4999]), Err(Error::BufferTooSmall));
    assert_eq!((b.next_len(), b.received_bytes()), (Ok(5000), 0));
    let mut buffer = vec![0; 5000];
    // Also when some of it has come.
    loop {
        match b.recv_timeout(&mut buffer, 1) {
            Err(Error::TimedOut) if b.received_bytes() > 0 => {
                let came = b.received_bytes();
                assert_eq!(b.next_len().unwrap_or(5000), 5000);
                let short = b.try_recv(&mut [0; 10]);
                assert!(matches!(short, Err(Error::BufferTooSmall | Error::WouldBlock)), "{short:?}");
                assert_eq!(b.received_bytes(), came);
            }
            Err(Error::TimedOut) => {}
            got => break assert_eq!(got, Ok(5000)),
        }
    }
    assert!(buffer == bytes(5000));
    assert_eq!((sender.join(), b.received_bytes()), (Ok(()), 0));
}

/// Python: EOFError, when nothing is left to receive and the other end was closed.
#[test]
fn end_of_stream_comes_behind_all_that_was_sent_and_stays() {
    let (mut a, mut b) = ends(RING);
    for len in [3, 0, 90] {
        a.send(&bytes(len)).unwrap();
    }
    assert!(!b.is_peer_closed());
    drop(a);
    assert!(b.is_peer_closed());
    for len in [3, 0, 90] {
        assert_eq!(b.recv(&mut [0; 90]), Ok(len));
    }
    for _ in 0..3 {
        let closed = Err(Error::Closed);
        assert_eq!(
            (b.recv(&mut []), b.try_recv(&mut []), b.recv_timeout(&mut [], MS)),
            (closed, closed, closed)
        );
        assert_eq!((b.next_len(), b.poll(0), b.poll(FOREVER)), (closed, Ok(true), Ok(true)));
    }
}

#[test]
fn end_of_stream_discards_a_message_that_was_cut_short() {
    let (mut a, mut b) = ends(RING);
    a.send(b"whole").unwrap();
    assert_eq!(a.send_timeout(&bytes(5000), MS), Err(Error::TimedOut));
    drop(a);
    let mut buffer = vec![0; 5000];
    assert_eq!(b.recv(&mut buffer), Ok(5));
    assert_eq!(b.recv(&mut buffer), Err(Error::Closed));
    assert_eq!((b.recv(&mut buffer), b.received_bytes()), (Err(Error::Closed), 0));
}

/// A sender's time is up in the middle; it goes on with other messages, short and long ones.
#[test]
fn a_message_that_was_given_up_is_passed_over() {
    let (mut a, mut b) = ends(RING);
    let mut buffer = vec![0; 5000];
    for next in [2usize, 0, 4000] {
        assert_eq!(a.send_timeout(&bytes(5000), MS), Err(Error::TimedOut));
        // What has come is there, the rest never comes.
        assert_eq!(b.recv_timeout(&mut buffer, MS), Err(Error::TimedOut));
        assert!(b.received_bytes() > 0);
        let sender = Waiter::start(move || (a.send(&bytes(next)), a));
        assert_eq!(b.recv(&mut buffer), Ok(next));
        assert!(buffer[..next] == bytes(next));
        assert_eq!(b.received_bytes(), 0);
        let (sent, end) = sender.join();
        assert_eq!(sent, Ok(()));
        a = end;
    }
}

// ---- poll

#[test]
fn poll_without_a_timeout_returns_immediately() {
    let (mut a, mut b) = ends(RING);
    assert_eq!(b.poll(0), Ok(false));
    a.send(b"").unwrap();
    assert_eq!((b.poll(0), b.poll(0)), (Ok(true), Ok(true)), "it takes nothing");
    assert_eq!(b.recv(&mut []), Ok(0));
    assert_eq!(b.poll(0), Ok(false));
}

#[test]
fn poll_waits_so_long_and_no_less() {
    let (mut a, mut b) = ends(RING);
    for timeout in [1, MS, 30 * MS] {
        let (polled, took) = timed(|| b.poll(timeout));
        assert_eq!(polled, Ok(false));
        assert!(took >= timeout, "early: {took} of {timeout} ns");
    }
    let poller = Waiter::asleep(move || (b.poll(FOREVER), b.try_recv(&mut [0; 8])));
    a.send(b"now").unwrap();
    assert_eq!(poller.join(), (Ok(true), Ok(3)));
}

/// As in Python, where `recv` then raises EOFError.
#[test]
fn poll_says_true_at_the_end_of_the_stream() {
    let (a, mut b) = ends(RING);
    let poller = Waiter::asleep(move || (b.poll(FOREVER), b.try_recv(&mut [0; 8])));
    drop(a);
    assert_eq!(poller.join(), (Ok(true), Err(Error::Closed)));
}

// ---- close

#[test]
fn close_wakes_who_receives_and_who_sends() {
    let (a, mut b) = ends(RING);
    let receiver = Waiter::asleep(move || b.recv(&mut [0; 8]));
    a.close();
    assert_eq!(receiver.join(), Err(Error::Closed));
    let (mut a, b) = ends(RING);
    fill(&mut a);
    let sender = Waiter::asleep(move || a.send(&[7; 100]));
    b.close();
    assert_eq!(sender.join(), Err(Error::BrokenPipe));
    // In the midst of a long one.
    let (mut a, b) = ends(RING);
    let sender = Waiter::asleep(move || a.send(&[7; 10_000]));
    b.close();
    assert_eq!(sender.join(), Err(Error::BrokenPipe));
}

/// Python: EPIPE. Also when there is room.
#[test]
fn to_send_to_a_closed_end_is_a_broken_pipe() {
    let (mut a, b) = ends(RING);
    a.send(b"unread").unwrap();
    drop(b);
    let broken = Err(Error::BrokenPipe);
    for _ in 0..2 {
        assert_eq!((a.send(b"x"), a.try_send(b""), a.send_timeout(b"x", MS)), (broken, broken, broken));
        assert_eq!((a.send(&[7; 10_000]), a.recv(&mut [0; 8])), (broken, Err(Error::Closed)));
    }
}

/// Unlike in Python, where both ends exist from the start.
#[test]
fn an_end_that_nobody_has_claimed_yet_is_not_closed() {
    let pipe = pipe_of(PipeConfig::new(RING));
    let mut a = pipe.connect(0).unwrap();
    assert!(!a.is_peer_closed());
    assert_eq!((a.poll(MS), a.recv_timeout(&mut [], MS)), (Ok(false), Err(Error::TimedOut)));
    let sent = fill(&mut a);
    let sender = Waiter::asleep(move || (a.send(b"the last"), a));
    let mut b = pipe.connect(1).unwrap();
    for _ in 0..sent {
        assert_eq!(b.recv(&mut [0; 100]), Ok(100));
    }
    assert_eq!(b.recv(&mut [0; 100]), Ok(8));
    assert_eq!(sender.join().0, Ok(()));
}

// ---- what Python has not

#[test]
fn no_timeout_is_early_in_the_middle_of_a_message_neither() {
    let (mut a, mut b) = ends(RING);
    let mut buffer = vec![0; 5000];
    for timeout in [1, MS, 30 * MS, 130 * MS] {
        let (got, took) = timed(|| b.recv_timeout(&mut buffer, timeout));
        assert!(got == Err(Error::TimedOut) && took >= timeout, "{got:?} after {took} of {timeout} ns");
    }
    for timeout in [1, MS, 30 * MS, 130 * MS] {
        // Fills the ring, then waits; what is left of it comes to nothing.
        let (sent, took) = timed(|| a.send_timeout(&bytes(5000), timeout));
        assert!(sent == Err(Error::TimedOut) && took >= timeout, "{sent:?} after {took} of {timeout} ns");
        let (got, took) = timed(|| b.recv_timeout(&mut buffer, timeout));
        assert!(got == Err(Error::TimedOut) && took >= timeout, "{got:?} after {took} of {timeout} ns");
    }
    fill(&mut a);
    for timeout in [1, MS, 130 * MS] {
        let (sent, took) = timed(|| a.send_timeout(&[7; 100], timeout));
        assert!(sent == Err(Error::TimedOut) && took >= timeout, "{sent:?} after {took} of {timeout} ns");
    }
    assert_eq!(a.send_timeout(&[7; 100], 0), Err(Error::WouldBlock));
}

fn eventfd() -> i32 {
    // SAFETY: no memory.
    let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
    assert!(fd >= 0);
    fd
}

/// Whether it is readable within so many ms; reads it.
fn readable(fd: i32, ms: i32) -> bool {
    let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: our own buffers.
    unsafe {
        let ready = libc::poll(&raw mut poll, 1, ms) == 1;
        let mut count = 0u64;
        assert_eq!(libc::read(fd, (&raw mut count).cast(), 8) == 8, ready);
        ready
    }
}

/// Python: `multiprocessing.connection.wait`, `fileno`.
#[test]
fn a_descriptor_tells_an_event_loop_of_messages_and_of_the_end() {
    let (mut a, mut b) = ends(RING);
    let fd = eventfd();
    a.set_data_fd(fd).unwrap();
    a.send(b"nobody asked").unwrap();
    assert!(!readable(fd, 0), "not armed");
    assert!(b.arm_data(), "there is one already");
    assert_eq!(b.recv(&mut [0; 16]), Ok(12));
    assert!(!readable(fd, 0) && !b.arm_data() && !readable(fd, 0));
    let sender = Waiter::start(move || {
        sleep_ms(20);
        (a.send(b"x"), a.send(b"y"), a)
    });
    assert!(readable(fd, 10_000));
    let a = sender.join().2;
    assert!(!readable(fd, 0), "signalled once for each arming");
    assert_eq!((b.try_recv(&mut [0; 1]), b.try_recv(&mut [0; 1])), (Ok(1), Ok(1)));
    assert!(!b.arm_data() && !readable(fd, 0));
    drop(a);
    assert!(readable(fd, 10_000) && b.arm_data() && b.recheck_data());
    assert_eq!(b.try_recv(&mut []), Err(Error::Closed));
}

#[test]
fn a_descriptor_tells_an_event_loop_of_room() {
    let (mut a, mut b) = ends(RING);
    let fd = eventfd();
    b.set_space_fd(fd).unwrap();
    assert!(a.arm_space(100), "there is room");
    fill(&mut a);
    assert!(!a.arm_space(100) && !readable(fd, 0));
    // Room for a message less than one at the end of the ring: the first recv may not be enough.
    assert_eq!(b.recv(&mut [0; 100]), Ok(100));
    assert!(readable(fd, 10_000));
    if !a.recheck_space(100) {
        assert_eq!(b.recv(&mut [0; 100]), Ok(100));
        assert!(readable(fd, 10_000) && a.recheck_space(100));
    }
    a.try_send(&[7; 100]).unwrap();
    assert!(!a.arm_space(100) && !a.arm_space(usize::MAX) && !readable(fd, 0));
    while b.try_recv(&mut [0; 100]).is_ok() {}
    assert!(readable(fd, 10_000) && a.arm_space(100) && a.arm_space(usize::MAX));
    fill(&mut a);
    assert!(!a.arm_space(100) && !readable(fd, 0));
    drop(b);
    assert!(readable(fd, 10_000) && a.arm_space(100));
    assert_eq!(a.try_send(b"x"), Err(Error::BrokenPipe));
}

#[test]
fn the_ends_may_be_at_different_addresses() {
    let first = Region::create_memfd(1 << 18, &RegionConfig::default()).unwrap();
    let second = Region::attach_fd(first.fd().unwrap()).unwrap();
    assert_ne!(first.as_ptr(), second.as_ptr());
    let here = first.create_pipe("p", &PipeConfig::new(RING)).unwrap();
    let there = second.open_pipe("p").unwrap();
    let mut a = here.connect(0).unwrap();
    assert_eq!(there.connect(0).err(), Some(Error::EndTaken));
    let mut b = there.connect(1).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (0..200).for_each(|i| a.send(&bytes(i * 31)).unwrap());
            drop(a);
        });
        let mut buffer = [0; 200 * 31];
        for i in 0..200 {
            assert_eq!(b.recv(&mut buffer), Ok(i * 31));
            assert!(buffer[..i * 31] == bytes(i * 31));
        }
        assert_eq!(b.recv(&mut buffer), Err(Error::Closed));
    });
}

#[test]
fn another_kind_and_other_parameters_are_refused() {
    let region = region(NO_TICK_MS);
    let config = PipeConfig { max_message_bytes: 5000, duplex: false, ring_bytes: 1000 };
    let pipe = region.create_pipe("p", &config).unwrap();
    assert_eq!((pipe.ring_bytes(), pipe.max_message_bytes()), (1024, 5000));
    region.create_queue("q", &QueueConfig::new(4, 8)).unwrap();
    assert_eq!(region.open_pipe("q").err(), Some(Error::WrongKind));
    assert_eq!(region.open_queue("p").err(), Some(Error::WrongKind));
    assert_eq!(region.open_pipe("r").err(), Some(Error::NotFound));
    assert!(region.open_pipe_as("p", &config).is_ok());
    for other in [
        PipeConfig { ring_bytes: 2000, ..config },
        PipeConfig { max_message_bytes: 5001, ..config },
        PipeConfig { duplex: true, ..config },
    ] {
        assert_eq!(region.open_pipe_as("p", &other).err(), Some(Error::WrongKind));
    }
    for (ring_bytes, max_message_bytes) in [(0, 1), (1, 0), (1 << 30 | 1, 1), (u32::MAX, 1), (1, 1 << 30 | 1)]
    {
        let config = PipeConfig { ring_bytes, max_message_bytes, duplex: true };
        assert_eq!(region.create_pipe("s", &config).err(), Some(Error::Invalid));
    }
}

/// The smallest, where hardly anything fits, and every length that can make a difference.
#[test]
fn the_smallest_pipe_takes_messages_of_any_length() {
    let (mut a, mut b) = ends(1);
    assert_eq!(a.max_chunk_bytes(), 56);
    let progress: &'static mut AtomicU32 = shared();
    let progress: &'static AtomicU32 = progress;
    let sender = Waiter::start(move || {
        for len in 0..600 {
            a.send(&bytes(len)).unwrap();
            progress.store(len as u32, Relaxed);
        }
    });
    let mut buffer = [0; 600];
    for len in 0..600 {
        assert_eq!(b.recv(&mut buffer), Ok(len));
        assert!(buffer[..len] == bytes(len), "{len}");
    }
    sender.join();
}
