//! What a `Stream` promises, claim by claim. Random calls: `prop_stream`; every instruction: `sweep_stream`.
#![cfg(all(target_os = "linux", feature = "os", not(rialto_loom)))]

mod procs;

use procs::{WATCHDOG_SECONDS, fork};
use rialto::{
    Error, Stream, StreamConfig, StreamReader, StreamWriter,
    stream::Popped,
    sys::{Liveness, Os, Platform, Thread, Waited},
};
use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering::*},
    thread,
    time::{Duration, Instant},
};

const PAGES: usize = 8192;
const CONFIG: StreamConfig = StreamConfig::new(4, 40);

/// Shared memory, seen at two addresses and by forked children.
struct Memory {
    at: [*mut u8; 2],
}

// SAFETY: a mapping; what is in it is the streams' matter.
unsafe impl Sync for Memory {}

impl Memory {
    fn new() -> Memory {
        // SAFETY: new mappings of a new file.
        unsafe {
            let fd = libc::memfd_create(c"stream".as_ptr(), 0);
            assert!(fd >= 0 && libc::ftruncate(fd, PAGES as i64) == 0);
            let at = [0; 2].map(|_| {
                let at = libc::mmap(
                    core::ptr::null_mut(),
                    PAGES,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_SHARED,
                    fd,
                    0,
                );
                assert!(at != libc::MAP_FAILED);
                at.cast()
            });
            libc::close(fd);
            Memory { at }
        }
    }

    fn init(&self, config: &StreamConfig) -> Stream<'_> {
        // SAFETY: mapped as long as self, used for this only.
        unsafe { Stream::init(self.at[0], PAGES, config) }.unwrap()
    }

    fn attach(&self) -> rialto::Result<Stream<'_>> {
        // SAFETY: as above.
        unsafe { Stream::attach(self.at[1], PAGES) }
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        assert!(offset % 4 == 0 && offset < PAGES);
        // SAFETY: inside, aligned.
        unsafe { &*self.at[0].add(offset).cast() }
    }

    fn words(&self) -> Vec<u32> {
        (0..PAGES).step_by(4).map(|at| self.word(at).load(Relaxed)).collect()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        for at in self.at {
            // SAFETY: ours.
            unsafe { libc::munmap(at.cast(), PAGES) };
        }
    }
}

fn watched(test: impl FnOnce()) {
    let _watchdog = procs::watchdog("a stream's", WATCHDOG_SECONDS);
    test();
}

fn ends<'m>(stream: &Stream<'m>) -> (StreamWriter<'m>, StreamReader<'m>) {
    (stream.writer().unwrap(), stream.reader().unwrap())
}

fn pop(reader: &mut StreamReader) -> Result<(Vec<u8>, u8), Error> {
    let mut buffer = [0; 64];
    reader.try_pop(&mut buffer).map(|Popped { len, attempt }| (buffer[..len].to_vec(), attempt))
}

#[test]
fn layout_says_what_is_needed() {
    // 256 for the header, 5 records of 48, 16 behind; rounded to 64.
    assert_eq!(CONFIG.layout().map(|it| (it.size, it.align)), Ok((512, 64)));
    const { assert!(StreamConfig::new(1, 1).layout().is_ok()) };
    let largest = StreamConfig::new((1 << 26) - 1, 8);
    assert_eq!(largest.layout().map(|it| it.size), Ok((1 << 30) + 320));
    for (slots, max) in [(0, 1), (1, 0), (1, u32::MAX), (u32::MAX, 1), (1 << 26, 8), (u32::MAX, u32::MAX)] {
        assert_eq!(StreamConfig::new(slots, max).layout(), Err(Error::Invalid), "{slots} {max}");
    }
}

#[test]
fn bytes_are_as_the_specification_says() {
    let memory = Memory::new();
    let stream = memory.init(&CONFIG);
    let (mut writer, mut reader) = ends(&stream);
    writer.try_push(b"abc").unwrap();
    drop(reader.try_peek().unwrap());
    writer.close();
    let mut expected = vec![0; PAGES / 4];
    expected[..8].copy_from_slice(&[u32::from_le_bytes(*b"RSTR"), 1, 1, 6, 512, 4, 40, 240]);
    expected[64 / 4] = 3; // claimed, once
    expected[68 / 4] = 16;
    expected[128 / 4] = 3;
    expected[132 / 4] = 1; // at 0, in hand once
    expected[192 / 4] = 1;
    expected[256 / 4 + 2] = 4; // three bytes and one
    expected[256 / 4 + 4] = u32::from_le_bytes(*b"abc\0");
    assert_eq!(memory.words(), expected);
    drop((writer, reader));
    assert_eq!((memory.word(64).load(Relaxed), memory.word(128).load(Relaxed)), (2, 2));
}

#[test]
fn attach_finds_what_init_made_at_another_address() {
    let memory = Memory::new();
    let here = memory.init(&CONFIG);
    let there = memory.attach().unwrap();
    assert_eq!((there.capacity(), there.max_message_bytes(), there.size_bytes()), (4, 40, 512));
    let (mut writer, mut reader) = (here.writer().unwrap(), there.reader().unwrap());
    for lap in 0..20u8 {
        writer.try_push(&[lap; 33]).unwrap();
        assert_eq!((there.len(), there.is_empty()), (1, false));
        assert_eq!(pop(&mut reader), Ok((vec![lap; 33], 0)));
    }
    assert!(here.is_empty());
}

#[test]
fn attach_refuses_what_is_no_stream() {
    let memory = Memory::new();
    assert_eq!(memory.attach().err(), Some(Error::BadRegion)); // zeros
    let stream = memory.init(&CONFIG);
    let refused = [
        (0, Error::BadRegion),
        (4, Error::Version),
        (8, Error::Version),
        (12, Error::WrongKind),
        (16, Error::BadRegion),
        (20, Error::BadRegion),
        (24, Error::BadRegion),
        (28, Error::BadRegion),
    ];
    for (at, error) in refused {
        let word = memory.word(at);
        let right = word.load(Relaxed);
        for wrong in [0, right ^ 1, right + 1, right ^ 1 << 31, u32::MAX] {
            word.store(wrong, Relaxed);
            assert_eq!(memory.attach().err(), Some(error), "{wrong} at {at}");
        }
        word.store(right, Relaxed);
    }
    assert!(memory.attach().is_ok());
    for len in [0, 1, 255, 256, 511] {
        // SAFETY: so many bytes are there.
        assert_eq!(unsafe { Stream::attach(memory.at[0], len) }.err(), Some(Error::BadRegion));
        // SAFETY: as above.
        let made = unsafe { Stream::init(memory.at[1], len, &CONFIG) };
        assert_eq!(made.err(), Some(Error::NoSpace));
    }
    // SAFETY: as above.
    assert!(unsafe { Stream::attach(memory.at[0], 512) }.is_ok());
    for wrong in [core::ptr::null_mut(), memory.at[0].wrapping_add(16), memory.at[0].wrapping_add(1)] {
        // SAFETY: refused before it is looked at.
        assert_eq!(unsafe { Stream::attach(wrong, 600) }.err(), Some(Error::Invalid));
        // SAFETY: as above.
        assert_eq!(unsafe { Stream::init(wrong, 600, &CONFIG) }.err(), Some(Error::Invalid));
    }
    let writer = stream.writer().unwrap();
    assert_eq!(stream.destroy(), Err(Error::Busy));
    drop(writer);
    stream.destroy().unwrap();
    assert_eq!(memory.attach().err(), Some(Error::BadRegion));
}

#[test]
fn an_end_is_one_partys_until_it_gives_it_back() {
    let memory = Memory::new();
    let stream = memory.init(&CONFIG);
    for _ in 0..3 {
        let (writer, reader) = ends(&stream);
        assert_eq!(stream.writer().err(), Some(Error::EndTaken));
        assert_eq!(memory.attach().unwrap().reader().err(), Some(Error::EndTaken));
        drop((writer, reader));
    }
}

#[test]
fn of_many_who_claim_one_gets_it() {
    let memory = Memory::new();
    let stream = memory.init(&CONFIG);
    let inside = AtomicU32::new(0);
    let got = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    let Ok(writer) = stream.writer() else { continue };
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    if got.fetch_add(1, Relaxed) % 100 == 0 {
                        thread::yield_now(); // with the end in hand
                    }
                    inside.fetch_sub(1, SeqCst);
                    drop(writer);
                }
            });
        }
    });
    assert!(got.load(Relaxed) > 0);
}

#[test]
fn who_lost_its_end_does_nothing_any_more() {
    let memory = Memory::new();
    let stream = memory.init(&CONFIG);
    let (mut old_writer, mut old_reader) = ends(&stream);
    old_writer.try_push(b"one").unwrap();
    let loan = old_writer.try_reserve(3).unwrap();
    let in_hand = old_reader.try_peek().unwrap();
    // SAFETY: the old ones do nothing more that counts: it is this thread, and what they do is refused.
    let (mut writer, mut reader) =
        unsafe { (stream.take_over_writer().unwrap(), stream.take_over_reader().unwrap()) };
    let before = memory.words();
    assert_eq!(loan.commit(), Err(Error::NotOwner));
    in_hand.release();
    assert_eq!(old_writer.try_push(b"no"), Err(Error::NotOwner));
    assert_eq!(old_writer.push(b"no"), Err(Error::NotOwner));
    assert_eq!(pop(&mut old_reader), Err(Error::NotOwner));
    drop((old_writer, old_reader));
    assert_eq!(memory.words(), before);
    assert_eq!(stream.writer().err(), Some(Error::EndTaken));
    writer.try_push(b"two").unwrap();
    assert_eq!(pop(&mut reader), Ok((b"one".to_vec(), 1)));
    assert_eq!(pop(&mut reader), Ok((b"two".to_vec(), 0)));
}

#[test]
fn what_the_dead_reader_had_in_hand_comes_first_and_marked() {
    watched(|| {
        let memory = Memory::new();
        let stream = memory.init(&CONFIG);
        let mut writer = stream.writer().unwrap();
        for message in [b"1", b"2"] {
            writer.try_push(message).unwrap();
        }
        for attempt in 0..20 {
            let died = fork(|| {
                // SAFETY: the one before was waited for.
                let mut reader = unsafe { memory.attach().unwrap().take_over_reader().unwrap() };
                let message = reader.peek().unwrap();
                assert_eq!((message.attempt(), message.len()), (attempt.min(15), 1));
                // SAFETY: ends this process as a kill does.
                unsafe { libc::raise(libc::SIGKILL) }
            });
            assert_eq!(died.wait(), procs::End::Signal(libc::SIGKILL));
            assert_eq!(stream.reader().err(), Some(Error::EndTaken));
        }
        // SAFETY: as above.
        let mut reader = unsafe { stream.take_over_reader().unwrap() };
        assert_eq!(pop(&mut reader), Ok((b"1".to_vec(), 15)));
        assert_eq!(pop(&mut reader), Ok((b"2".to_vec(), 0)));
        assert_eq!(pop(&mut reader), Err(Error::WouldBlock));
    });
}

#[test]
fn a_writers_successor_goes_on_behind_it() {
    watched(|| {
        let memory = Memory::new();
        let stream = memory.init(&CONFIG);
        let mut reader = stream.reader().unwrap();
        for lap in 0..20u8 {
            let died = fork(|| {
                // SAFETY: the one before was waited for.
                let mut writer = unsafe { memory.attach().unwrap().take_over_writer().unwrap() };
                writer.try_push(&[lap; 21]).unwrap();
                let mut loan = writer.try_reserve(40).unwrap();
                loan.write(&[0xee; 40]).unwrap();
                // SAFETY: as above.
                unsafe { libc::raise(libc::SIGKILL) }
            });
            assert_eq!(died.wait(), procs::End::Signal(libc::SIGKILL));
            assert_eq!(pop(&mut reader), Ok((vec![lap; 21], 0)));
            assert_eq!(pop(&mut reader), Err(Error::WouldBlock));
        }
    });
}

#[test]
fn lengths_are_checked() {
    let memory = Memory::new();
    let stream = memory.init(&CONFIG);
    let (mut writer, mut reader) = ends(&stream);
    assert_eq!(writer.try_push(&[0; 41]), Err(Error::MessageTooLarge));
    assert_eq!(writer.push(&[0; 41]), Err(Error::MessageTooLarge));
    assert_eq!(writer.try_reserve(usize::MAX).err(), Some(Error::MessageTooLarge));
    assert_eq!(writer.try_reserve(3).unwrap().write(b"four"), Err(Error::Invalid));
    writer.try_push(&[7; 40]).unwrap();
    writer.try_push(b"").unwrap();
    assert_eq!(reader.try_pop(&mut [0; 39]), Err(Error::BufferTooSmall));
    let message = reader.try_peek().unwrap();
    let mut part = [0; 7];
    assert_eq!((message.copy_to(&mut part), part, message.as_ptr().addr() % 16), (7, [7; 7], 0));
    message.release();
    assert_eq!(pop(&mut reader), Ok((vec![], 0)));
}

#[test]
fn as_many_as_promised_fit_wherever_it_begins() {
    let memory = Memory::new();
    for first in (0..240).step_by(16) {
        // SAFETY: as in `init`; nobody uses the one before.
        let stream = unsafe { Stream::init_at(Os {}, memory.at[0], PAGES, &CONFIG, first) }.unwrap();
        let (mut writer, mut reader) = ends(&stream);
        for lap in 0..3 {
            (0..4).for_each(|i| writer.try_push(&[lap * 4 + i; 40]).unwrap());
            assert!(stream.is_full() && stream.len() == 4);
            assert_eq!(writer.try_push(&[0; 40]), Err(Error::WouldBlock));
            assert_eq!(writer.push_timeout(&[0; 40], 1_000_000), Err(Error::TimedOut));
            (0..4).for_each(|i| assert_eq!(pop(&mut reader), Ok((vec![lap * 4 + i; 40], 0))));
            assert_eq!(pop(&mut reader), Err(Error::WouldBlock));
        }
    }
}

#[test]
fn a_loan_is_sent_as_far_as_it_is_written_or_not_at_all() {
    let memory = Memory::new();
    let stream = memory.init(&CONFIG);
    let (mut writer, mut reader) = ends(&stream);
    drop(writer.try_reserve(40).unwrap());
    assert!(stream.is_empty());
    let mut loan = writer.try_reserve(40).unwrap();
    loan.truncate(50);
    loan.truncate(5);
    assert_eq!((loan.len(), loan.is_empty(), loan.as_mut_ptr().addr() % 16), (5, false, 0));
    loan.write(b"short").unwrap();
    loan.commit().unwrap();
    let loan = writer.reserve_timeout(1, 1).unwrap();
    memory.attach().unwrap().close();
    assert_eq!(loan.commit(), Err(Error::Closed));
    assert_eq!(pop(&mut reader), Ok((b"short".to_vec(), 0)));
    assert_eq!(pop(&mut reader), Err(Error::Closed));
}

#[test]
fn what_is_closed_is_drained_and_then_it_ends_for_everybody() {
    let memory = Memory::new();
    let stream = memory.init(&CONFIG);
    let (mut writer, mut reader) = ends(&stream);
    writer.try_push(b"last").unwrap();
    assert!(!stream.is_closed());
    stream.close();
    stream.close();
    assert!(stream.is_closed());
    assert_eq!(writer.push(b"no"), Err(Error::Closed));
    assert_eq!(pop(&mut reader), Ok((b"last".to_vec(), 0)));
    assert_eq!(reader.pop(&mut [0; 40]), Err(Error::Closed));
    drop((writer, reader));
    let (mut writer, mut reader) = ends(&stream);
    assert_eq!(writer.try_push(b"no"), Err(Error::Closed));
    assert_eq!(pop(&mut reader), Err(Error::Closed));
}

#[test]
fn a_close_raced_with_pushes_loses_none_that_succeeded() {
    watched(|| {
        for round in 0..3000u32 {
            let memory = Memory::new();
            let stream = memory.init(&StreamConfig::new(64, 4));
            let (mut writer, mut reader) = ends(&stream);
            let (sent, got) = thread::scope(|scope| {
                let sender = scope.spawn(move || {
                    (0..60u32).take_while(|i| writer.try_push(&i.to_le_bytes()).is_ok()).count()
                });
                let receiver = scope.spawn(move || {
                    let (mut got, mut buffer) = (0u32, [0; 4]);
                    loop {
                        match reader.pop(&mut buffer) {
                            Ok(_) => assert_eq!(u32::from_le_bytes(buffer), got),
                            Err(error) => break assert_eq!(error, Error::Closed),
                        }
                        got += 1;
                    }
                    got
                });
                (0..round % 300).for_each(|_| core::hint::spin_loop());
                stream.close();
                (sender.join().unwrap(), receiver.join().unwrap())
            });
            assert_eq!(sent, got as usize);
        }
    });
}

#[test]
fn sleepers_are_woken_by_messages_room_and_close() {
    watched(|| {
        let memory = Memory::new();
        let stream = memory.init(&StreamConfig::new(1, 100));
        let (mut writer, mut reader) = ends(&stream);
        thread::scope(|scope| {
            scope.spawn(move || {
                for i in 0..20_000u32 {
                    let len = 4 + i as usize % 97;
                    let mut message = vec![i as u8; len];
                    message[..4].copy_from_slice(&i.to_le_bytes());
                    writer.push(&message).unwrap();
                    if i % 1000 == 0 {
                        thread::sleep(Duration::from_millis(1)); // long enough for the reader to sleep
                    }
                }
                thread::sleep(Duration::from_millis(20));
                writer.close();
            });
            let mut buffer = [0; 100];
            for i in 0..20_000u32 {
                let popped = reader.pop(&mut buffer).unwrap();
                assert_eq!(popped, Popped { len: 4 + i as usize % 97, attempt: 0 });
                assert_eq!(buffer[..4], i.to_le_bytes());
                assert!(buffer[4..popped.len].iter().all(|byte| *byte == i as u8));
                if i % 777 == 0 {
                    thread::sleep(Duration::from_millis(1)); // or the writer
                }
            }
            assert_eq!(reader.pop(&mut buffer), Err(Error::Closed));
        });
    });
}

#[test]
fn a_sleeping_writer_is_told_of_the_end() {
    watched(|| {
        let memory = Memory::new();
        let stream = memory.init(&StreamConfig::new(1, 100));
        let mut writer = stream.writer().unwrap();
        writer.try_push(&[1; 100]).unwrap();
        thread::scope(|scope| {
            let sleeper = scope.spawn(move || writer.push(&[2; 100]));
            thread::sleep(Duration::from_millis(20));
            stream.close();
            assert_eq!(sleeper.join().unwrap(), Err(Error::Closed));
        });
    });
}

#[test]
fn no_call_comes_back_early() {
    let memory = Memory::new();
    let stream = memory.init(&StreamConfig::new(1, 100));
    let (mut writer, mut reader) = ends(&stream);
    for ms in [0, 1, 30] {
        let begin = Instant::now();
        let late = if ms == 0 { Error::WouldBlock } else { Error::TimedOut };
        assert_eq!(reader.pop_timeout(&mut [0; 100], ms * 1_000_000), Err(late));
        assert!(begin.elapsed() >= Duration::from_millis(ms));
    }
    writer.try_push(&[1; 100]).unwrap();
    let begin = Instant::now();
    assert_eq!(writer.reserve_timeout(100, 30_000_000).err(), Some(Error::TimedOut));
    assert!(begin.elapsed() >= Duration::from_millis(30));
}

#[test]
fn processes_pass_messages_through_inherited_memory() {
    watched(|| {
        let memory = Memory::new();
        let stream = memory.init(&StreamConfig::new(3, 8));
        let writer = fork(|| {
            let mut writer = memory.attach().unwrap().writer().unwrap();
            (0..50_000u64).for_each(|i| writer.push(&i.to_le_bytes()).unwrap());
            writer.close();
            0
        });
        let mut reader = stream.reader().unwrap();
        let mut buffer = [0; 8];
        for i in 0..50_000u64 {
            assert_eq!(reader.pop_timeout(&mut buffer, WATCHDOG_SECONDS * 1_000_000_000).unwrap().len, 8);
            assert_eq!(u64::from_le_bytes(buffer), i);
        }
        assert_eq!(reader.pop(&mut buffer), Err(Error::Closed));
        assert_eq!(writer.wait(), procs::End::Exit(0));
    });
}

/// Waits by spinning on its own clock: a platform that somebody brings. `Os` lends what has no part in it.
#[derive(Clone, Copy, Default)]
struct Spinning;

static ASLEEP: AtomicBool = AtomicBool::new(false);
static WAKES: AtomicU32 = AtomicU32::new(0);
static CLOCK: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

impl Platform for Spinning {
    type Thread = <Os as Platform>::Thread;
    const SPINS: u32 = 0;
    const TICK_NS: u64 = 1 << 40;
    fn now_ns(self) -> u64 {
        CLOCK.fetch_add(1, Relaxed)
    }
    fn wait(self, word: &AtomicU32, expected: u32, deadline_ns: u64) -> Waited {
        ASLEEP.store(true, SeqCst);
        while word.load(SeqCst) == expected {
            if self.now_ns() >= deadline_ns {
                return Waited::TimedOut;
            }
            thread::yield_now();
        }
        Waited::Woken
    }
    fn wake(self, _: &AtomicU32, _: u32) -> u32 {
        WAKES.fetch_add(1, SeqCst);
        0
    }
    fn thread(self) -> rialto::Result<Self::Thread> {
        Os {}.thread()
    }
    fn claim(self) -> u64 {
        1
    }
    fn enter(self, _: u64) {}
    fn exit(self, _: u64) {}
    fn users(self, _: u64) -> u32 {
        0
    }
    fn give_back(self, _: u64) {}
    fn liveness(self, _: u32, _: u64) -> Liveness {
        Liveness::Unknown
    }
}

#[test]
fn a_platform_of_the_callers_is_what_waits_and_wakes() {
    fn is_thread(_: impl Thread) {}
    is_thread(Spinning.thread().unwrap());
    watched(|| {
        let memory = Memory::new();
        // SAFETY: as in `init`.
        let stream = unsafe { Stream::init_on(Spinning, memory.at[0], PAGES, &CONFIG) }.unwrap();
        let (mut writer, mut reader) = (stream.writer().unwrap(), stream.reader().unwrap());
        assert_eq!(reader.pop_timeout(&mut [0; 40], 1000), Err(Error::TimedOut));
        ASLEEP.store(false, SeqCst);
        WAKES.store(0, SeqCst);
        thread::scope(|scope| {
            let sleeper = scope.spawn(move || reader.pop(&mut [0; 40]));
            while !ASLEEP.load(SeqCst) {
                thread::yield_now();
            }
            writer.try_push(b"up").unwrap();
            assert_eq!(sleeper.join().unwrap(), Ok(Popped { len: 2, attempt: 0 }));
        });
        assert_eq!(WAKES.load(SeqCst), 1);
        writer.try_push(b"nobody sleeps").unwrap();
        assert_eq!(WAKES.load(SeqCst), 1);
    });
}
