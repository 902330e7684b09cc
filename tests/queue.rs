//! What a queue promises, claim by claim, inside one process.

mod procs;

use procs::{WATCHDOG_SECONDS, watchdog};
use rialto::{Error, Queue, QueueConfig, Region, RegionConfig};
use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering::*},
    thread,
    time::{Duration, Instant},
};

const FOREVER: u64 = u64::MAX;
const MS: u64 = 1_000_000;

fn region() -> Region {
    Region::create_anonymous(1 << 20, &RegionConfig::default()).unwrap()
}

/// A queue of `slots` messages of at most 64 bytes.
fn queue(region: &Region, slots: u32) -> Queue<'_> {
    region.create_queue("q", &QueueConfig::new(slots, 64)).unwrap()
}

/// Pops without waiting; `None` if there is nothing.
fn take(queue: &Queue) -> Option<(Vec<u8>, u8)> {
    let mut buffer = vec![0; queue.max_message_bytes()];
    match queue.try_pop(&mut buffer) {
        Ok(popped) => Some((buffer[..popped.len].to_vec(), popped.attempt)),
        Err(Error::WouldBlock) => None,
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn messages_come_out_in_the_order_they_went_in_with_the_bytes_they_had() {
    let region = region();
    let queue = queue(&region, 8);
    for lap in 0..10u8 {
        for i in 0..8u8 {
            queue.try_push(&[lap, i, 7]).unwrap();
        }
        for i in 0..8u8 {
            assert_eq!(take(&queue), Some((vec![lap, i, 7], 0)));
        }
        assert_eq!(take(&queue), None);
    }
}

#[test]
fn capacity_is_the_next_power_of_two_and_no_more_fit() {
    let region = region();
    for (asked, given) in [(1, 2), (2, 2), (3, 4), (4, 4), (5, 8)] {
        let queue = region.create_queue(&format!("q{asked}"), &QueueConfig::new(asked, 8)).unwrap();
        assert_eq!(queue.capacity(), given);
        for i in 0..given {
            assert_eq!(queue.len(), i);
            queue.try_push(&[i as u8]).unwrap();
        }
        assert_eq!(queue.try_push(b"x"), Err(Error::WouldBlock));
        assert_eq!(queue.len(), given);
        assert_eq!(take(&queue), Some((vec![0], 0)));
        queue.try_push(b"y").unwrap();
        assert_eq!(queue.try_push(b"z"), Err(Error::WouldBlock));
    }
}

#[test]
fn a_queue_of_impossible_parameters_is_refused() {
    let region = region();
    let good = QueueConfig::new(4, 8);
    for bad in [
        QueueConfig { slots: 0, ..good },
        QueueConfig { slots: 65537, ..good },
        QueueConfig { slots: u32::MAX, ..good },
        QueueConfig { max_message_bytes: 0, ..good },
        QueueConfig { max_message_bytes: (1 << 30) + 1, ..good },
        QueueConfig { max_message_bytes: u32::MAX, ..good },
        QueueConfig { max_attempts: 0, ..good },
        QueueConfig { max_attempts: 31, ..good },
    ] {
        assert_eq!(bad.layout(), Err(Error::Invalid), "{bad:?}");
        assert_eq!(region.create_queue("bad", &bad).err(), Some(Error::Invalid), "{bad:?}");
    }
    assert_eq!(region.open_queue("bad").err(), Some(Error::NotFound));
}

#[test]
fn empty_messages_and_the_longest_ones_are_messages() {
    let region = region();
    let queue = queue(&region, 4);
    let longest: Vec<u8> = (0..64).collect();
    queue.try_push(b"").unwrap();
    queue.try_push(&longest).unwrap();
    assert_eq!(take(&queue), Some((vec![], 0)));
    assert_eq!(take(&queue), Some((longest, 0)));
}

#[test]
fn a_message_that_is_too_long_is_refused_and_writes_nothing() {
    let region = region();
    let queue = queue(&region, 4);
    assert_eq!(queue.try_push(&[1; 65]), Err(Error::MessageTooLarge));
    assert_eq!(queue.push(&[1; 65]), Err(Error::MessageTooLarge));
    assert_eq!(queue.push_timeout(&[1; 65], MS), Err(Error::MessageTooLarge));
    assert!(queue.is_empty());
}

#[test]
fn a_buffer_that_might_be_too_small_is_refused_and_nothing_is_taken() {
    let region = region();
    let queue = queue(&region, 4);
    queue.try_push(b"abc").unwrap();
    let mut small = [0; 63];
    assert_eq!(queue.try_pop(&mut small), Err(Error::BufferTooSmall));
    assert_eq!(queue.pop(&mut small), Err(Error::BufferTooSmall));
    assert_eq!(queue.pop_timeout(&mut small, MS), Err(Error::BufferTooSmall));
    assert_eq!(queue.take_poisoned(&mut small), Err(Error::BufferTooSmall));
    assert_eq!(queue.len(), 1);
    assert_eq!(take(&queue), Some((b"abc".to_vec(), 0)));
}

#[test]
fn a_pop_writes_only_the_messages_bytes_of_a_larger_buffer() {
    let region = region();
    let queue = queue(&region, 4);
    queue.try_push(b"abc").unwrap();
    let mut buffer = [0xeeu8; 100];
    assert_eq!(queue.try_pop(&mut buffer).unwrap().len, 3);
    assert_eq!(&buffer[..3], b"abc");
    assert!(buffer[3..].iter().all(|byte| *byte == 0xee));
}

#[test]
fn polling_does_not_wait_and_a_timeout_is_never_early() {
    let region = region();
    let queue = queue(&region, 2);
    let mut buffer = [0; 64];
    assert_eq!(queue.try_pop(&mut buffer), Err(Error::WouldBlock));
    assert_eq!(queue.pop_timeout(&mut buffer, 0), Err(Error::WouldBlock));
    assert_eq!(queue.peek_timeout(0).err(), Some(Error::WouldBlock));
    let never_early = |timeout_ns: u64, call: &mut dyn FnMut(u64) -> Error| {
        let begin = Instant::now();
        assert_eq!(call(timeout_ns), Error::TimedOut);
        assert!(begin.elapsed() >= Duration::from_nanos(timeout_ns), "early: {:?}", begin.elapsed());
    };
    // Below a tick, a bit above one, and far below what a sleep costs.
    for timeout_ns in [1, 1000, 30 * MS, 130 * MS] {
        never_early(timeout_ns, &mut |ns| queue.pop_timeout(&mut buffer, ns).unwrap_err());
        never_early(timeout_ns, &mut |ns| queue.peek_timeout(ns).err().unwrap());
    }
    queue.try_push(b"1").unwrap();
    queue.try_push(b"2").unwrap();
    assert_eq!(queue.try_push(b"3"), Err(Error::WouldBlock));
    assert_eq!(queue.push_timeout(b"3", 0), Err(Error::WouldBlock));
    for timeout_ns in [1, 1000, 30 * MS, 130 * MS] {
        never_early(timeout_ns, &mut |ns| queue.push_timeout(b"3", ns).unwrap_err());
    }
    assert_eq!(queue.len(), 2);
}

#[test]
fn a_timeout_of_for_ever_and_one_that_overflows_the_clock_wait() {
    let _watchdog = watchdog("waiting for ever", WATCHDOG_SECONDS);
    let region = region();
    let queue = queue(&region, 2);
    for timeout_ns in [FOREVER, FOREVER - 1] {
        thread::scope(|scope| {
            let consumer = scope.spawn(|| queue.pop_timeout(&mut [0; 64], timeout_ns));
            thread::sleep(Duration::from_millis(20));
            queue.push(b"late").unwrap();
            assert_eq!(consumer.join().unwrap().map(|popped| popped.len), Ok(4));
        });
    }
}

#[test]
fn a_blocked_pop_is_woken_by_a_push_and_a_blocked_push_by_a_pop() {
    let _watchdog = watchdog("blocked calls", WATCHDOG_SECONDS);
    let region = region();
    let queue = queue(&region, 2);
    thread::scope(|scope| {
        let consumer = scope.spawn(|| {
            let mut buffer = [0; 64];
            let popped = queue.pop(&mut buffer).unwrap();
            buffer[..popped.len].to_vec()
        });
        thread::sleep(Duration::from_millis(20));
        queue.push(b"wake up").unwrap();
        assert_eq!(consumer.join().unwrap(), b"wake up");
    });
    queue.push(b"1").unwrap();
    queue.push(b"2").unwrap();
    thread::scope(|scope| {
        let producer = scope.spawn(|| queue.push(b"3"));
        thread::sleep(Duration::from_millis(20));
        assert_eq!(take(&queue), Some((b"1".to_vec(), 0)));
        assert_eq!(producer.join().unwrap(), Ok(()));
    });
    assert_eq!(take(&queue), Some((b"2".to_vec(), 0)));
    assert_eq!(take(&queue), Some((b"3".to_vec(), 0)));
}

#[test]
fn after_close_pushes_fail_and_pops_drain_then_say_closed() {
    let region = region();
    let queue = queue(&region, 4);
    queue.push(b"1").unwrap();
    queue.push(b"2").unwrap();
    assert!(!queue.is_closed());
    queue.close();
    queue.close();
    assert!(queue.is_closed());
    assert_eq!(queue.try_push(b"3"), Err(Error::Closed));
    assert_eq!(queue.push(b"3"), Err(Error::Closed));
    assert_eq!(queue.push_timeout(b"3", FOREVER), Err(Error::Closed));
    assert_eq!(queue.len(), 2);
    assert_eq!(take(&queue), Some((b"1".to_vec(), 0)));
    assert_eq!(queue.pop(&mut [0; 64]).map(|popped| popped.len), Ok(1));
    for _ in 0..3 {
        assert_eq!(queue.try_pop(&mut [0; 64]), Err(Error::Closed));
        assert_eq!(queue.pop(&mut [0; 64]), Err(Error::Closed));
        assert_eq!(queue.pop_timeout(&mut [0; 64], 0), Err(Error::Closed));
        assert_eq!(queue.peek().err(), Some(Error::Closed));
    }
    assert!(region.open_queue("q").unwrap().is_closed());
}

#[test]
fn close_wakes_everybody_who_is_blocked() {
    let _watchdog = watchdog("close", WATCHDOG_SECONDS);
    let region = region();
    let empty = queue(&region, 2);
    let full = region.create_queue("full", &QueueConfig::new(2, 8)).unwrap();
    full.push(b"1").unwrap();
    full.push(b"2").unwrap();
    thread::scope(|scope| {
        let poppers: Vec<_> = (0..4).map(|_| scope.spawn(|| empty.pop(&mut [0; 64]).err())).collect();
        let pushers: Vec<_> = (0..4).map(|_| scope.spawn(|| full.push(b"3").err())).collect();
        thread::sleep(Duration::from_millis(30));
        empty.close();
        full.close();
        for thread in poppers.into_iter().chain(pushers) {
            assert_eq!(thread.join().unwrap(), Some(Error::Closed));
        }
    });
    assert_eq!(full.len(), 2);
}

#[test]
fn a_message_in_hand_at_close_still_comes_to_somebody_if_it_is_given_back() {
    let region = region();
    let queue = queue(&region, 4);
    queue.push(b"1").unwrap();
    let peeked = queue.peek().unwrap();
    queue.close();
    drop(peeked);
    assert_eq!(take(&queue), Some((b"1".to_vec(), 1)));
    assert_eq!(queue.try_pop(&mut [0; 64]), Err(Error::Closed));
}

#[test]
fn a_peeked_message_is_nobody_elses_until_it_is_released() {
    let region = region();
    let queue = queue(&region, 2);
    queue.push(b"first").unwrap();
    queue.push(b"second").unwrap();
    let peeked = queue.peek().unwrap();
    assert_eq!((peeked.len(), peeked.is_empty()), (5, false));
    assert_eq!((peeked.attempt(), peeked.redelivered()), (0, false));
    let mut buffer = [0; 64];
    assert_eq!(peeked.copy_to(&mut buffer), 5);
    assert_eq!(&buffer[..5], b"first");
    assert_eq!(peeked.copy_to(&mut buffer[..2]), 2);
    assert_eq!(queue.len(), 1);
    assert_eq!(take(&queue), Some((b"second".to_vec(), 0)));
    assert_eq!(take(&queue), None);
    peeked.release();
    assert_eq!(take(&queue), None);
    queue.push(b"x").unwrap();
    queue.push(b"y").unwrap();
    assert_eq!(queue.len(), 2);
}

#[test]
fn a_dropped_peek_is_redelivered_first_and_marked_with_one_attempt_more() {
    let region = region();
    let queue = queue(&region, 4);
    queue.push(b"first").unwrap();
    queue.push(b"second").unwrap();
    drop(queue.peek().unwrap());
    assert_eq!(queue.len(), 2);
    for attempt in 1..4 {
        let peeked = queue.try_peek().unwrap();
        assert_eq!((peeked.attempt(), peeked.redelivered()), (attempt, true));
        let mut buffer = [0; 64];
        assert_eq!(peeked.copy_to(&mut buffer), 5);
        assert_eq!(&buffer[..5], b"first");
    }
    let mut buffer = [0; 64];
    let popped = queue.try_pop(&mut buffer).unwrap();
    assert_eq!((popped.len, popped.attempt, popped.redelivered()), (5, 4, true));
    assert_eq!(take(&queue), Some((b"second".to_vec(), 0)));
}

#[test]
fn a_dropped_peek_wakes_somebody_who_waits() {
    let _watchdog = watchdog("redelivery", WATCHDOG_SECONDS);
    let region = region();
    let queue = queue(&region, 4);
    queue.push(b"m").unwrap();
    let peeked = queue.peek().unwrap();
    thread::scope(|scope| {
        let consumer = scope.spawn(|| queue.pop(&mut [0; 64]).map(|popped| popped.attempt));
        thread::sleep(Duration::from_millis(20));
        drop(peeked);
        assert_eq!(consumer.join().unwrap(), Ok(1));
    });
}

#[test]
fn after_max_attempts_only_take_poisoned_gets_the_message() {
    let region = region();
    let config = QueueConfig { max_attempts: 2, ..QueueConfig::new(4, 64) };
    let queue = region.create_queue("q", &config).unwrap();
    queue.push(b"poison").unwrap();
    queue.push(b"fine").unwrap();
    for attempt in 0..=2 {
        assert_eq!(queue.take_poisoned(&mut [0; 64]), Err(Error::WouldBlock));
        assert_eq!(queue.try_peek().unwrap().attempt(), attempt);
    }
    assert_eq!(take(&queue), Some((b"fine".to_vec(), 0)));
    assert_eq!(take(&queue), None);
    let mut buffer = [0; 64];
    let popped = queue.take_poisoned(&mut buffer).unwrap();
    assert_eq!((&buffer[..popped.len], popped.attempt), (&b"poison"[..], 3));
    assert_eq!(queue.take_poisoned(&mut buffer), Err(Error::WouldBlock));
    // Its slot is back.
    for i in 0..4 {
        queue.try_push(&[i]).unwrap();
    }
    assert_eq!(queue.try_push(b"no"), Err(Error::WouldBlock));
}

#[test]
fn an_explicit_members_messages_go_back_when_it_leaves() {
    let region = region();
    let queue = queue(&region, 4);
    queue.push(b"m").unwrap();
    let member = region.join().unwrap();
    let before = region.member_count();
    // Forgotten, as by a thread that was cancelled: only the member's end brings the message back.
    std::mem::forget(queue.as_member(&member).peek().unwrap());
    assert_eq!(take(&queue), None);
    drop(member);
    assert_eq!(region.member_count(), before - 1);
    assert_eq!(take(&queue), Some((b"m".to_vec(), 1)));
}

#[test]
fn an_explicit_member_may_be_used_by_another_thread_than_its_own() {
    let region = region();
    let queue = queue(&region, 4);
    let member = region.join().unwrap();
    let members = region.member_count();
    thread::scope(|scope| {
        scope.spawn(|| queue.as_member(&member).push(b"m").unwrap());
    });
    assert_eq!(region.member_count(), members, "the other thread did not have to join");
    assert_eq!(queue.as_member(&member).pop(&mut [0; 64]).map(|popped| popped.len), Ok(1));
}

#[test]
fn a_threads_messages_in_hand_go_back_when_it_ends() {
    let region = region();
    let queue = queue(&region, 4);
    queue.push(b"m").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| std::mem::forget(queue.peek().unwrap()));
    });
    // The scope ends when the closure has returned; the thread's own end may be a little later.
    procs::wait_until("redelivered", || {
        region.recover(rialto::Depth::Marked);
        !queue.is_empty()
    });
    assert_eq!(take(&queue), Some((b"m".to_vec(), 1)));
}

#[test]
fn leave_is_refused_with_a_message_in_hand_and_a_thread_that_left_may_come_back() {
    let region = region();
    let queue = queue(&region, 4);
    queue.push(b"m").unwrap();
    let peeked = queue.peek().unwrap();
    assert_eq!(region.leave(), Err(Error::Busy));
    assert_eq!((region.member_count(), take(&queue)), (1, None));
    peeked.release();
    region.leave().unwrap();
    region.leave().unwrap();
    assert_eq!(region.member_count(), 0);
    queue.push(b"n").unwrap();
    assert_eq!(region.member_count(), 1, "joined again on use");
    assert_eq!(take(&queue), Some((b"n".to_vec(), 0)));
}

#[test]
fn typed_queues_carry_values_and_refuse_other_types() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Point {
        x: f64,
        id: u64,
    }
    // SAFETY: all-zero is a point.
    unsafe impl bytemuck::Zeroable for Point {}
    // SAFETY: any bytes are a point; no padding.
    unsafe impl bytemuck::Pod for Point {}
    let region = region();
    let bytes = region.create_queue("points", &QueueConfig::new(4, size_of::<Point>() as u32)).unwrap();
    let points = bytes.typed::<Point>().unwrap();
    points.push(&Point { x: 1.5, id: 1 }).unwrap();
    points.try_push(&Point { x: 2.5, id: 2 }).unwrap();
    points.push_timeout(&Point { x: 3.5, id: 3 }, MS).unwrap();
    assert_eq!(points.pop(), Ok(Point { x: 1.5, id: 1 }));
    assert_eq!(points.try_pop(), Ok(Point { x: 2.5, id: 2 }));
    assert_eq!(points.pop_timeout(MS), Ok(Point { x: 3.5, id: 3 }));
    assert_eq!(points.try_pop(), Err(Error::WouldBlock));
    assert_eq!(bytes.typed::<u64>().err(), Some(Error::WrongKind));
    assert_eq!(bytes.typed::<[u64; 3]>().err(), Some(Error::WrongKind));
    points.bytes().push(b"no point").unwrap();
    assert_eq!(points.pop(), Err(Error::BadRegion));
    assert_eq!(points.try_pop(), Err(Error::WouldBlock), "the odd one is gone");
}

#[test]
fn positions_may_wrap() {
    let region = region();
    for (i, kill_only) in [false, true].into_iter().enumerate() {
        let config = QueueConfig { kill_only, ..QueueConfig::new(4, 8) };
        let queue = region.create_queue_at_turn(&format!("q{i}"), &config, (1 << 44) - 3).unwrap();
        for i in 0..40u8 {
            for j in 0..3 {
                queue.try_push(&[i, j]).unwrap();
            }
            if i % 5 == 0 {
                drop(queue.try_peek().unwrap());
                assert_eq!(take(&queue), Some((vec![i, 0], 1)), "lap {i}");
            } else {
                assert_eq!(take(&queue), Some((vec![i, 0], 0)), "lap {i}");
            }
            assert_eq!(take(&queue), Some((vec![i, 1], 0)), "lap {i}");
            assert_eq!(take(&queue), Some((vec![i, 2], 0)), "lap {i}");
            assert_eq!(take(&queue), None);
        }
        for i in 0..4 {
            queue.try_push(&[i]).unwrap();
        }
        assert_eq!(queue.try_push(b"no"), Err(Error::WouldBlock));
    }
}

/// `producers` threads push `count` numbered messages each, `consumers` pop until closed.
fn exchange(kill_only: bool, producers: u32, consumers: u32, slots: u32, count: u32) {
    let _watchdog = watchdog("threads exchanging messages", WATCHDOG_SECONDS);
    let region = region();
    let config = QueueConfig { kill_only, ..QueueConfig::new(slots, 8) };
    let queue = region.create_queue("q", &config).unwrap();
    let running = AtomicUsize::new(producers as usize);
    let got: Vec<Vec<[u32; 2]>> = thread::scope(|scope| {
        for producer in 0..producers {
            let (queue, running) = (&queue, &running);
            scope.spawn(move || {
                for i in 0..count {
                    queue.push(bytemuck::bytes_of(&[producer, i])).unwrap();
                }
                if running.fetch_sub(1, SeqCst) == 1 {
                    queue.close();
                }
            });
        }
        let consume = || {
            let mut got = Vec::new();
            let mut message = [0u32; 2];
            loop {
                match queue.pop(bytemuck::bytes_of_mut(&mut message)) {
                    Ok(popped) => assert_eq!((popped.len, popped.attempt), (8, 0)),
                    Err(Error::Closed) => return got,
                    Err(error) => panic!("{error:?}"),
                }
                got.push(message);
            }
        };
        let consumers: Vec<_> = (0..consumers).map(|_| scope.spawn(consume)).collect();
        consumers.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for by_one in &got {
        let mut last = vec![None; producers as usize];
        for [producer, i] in by_one {
            let last = &mut last[*producer as usize];
            assert!(last.is_none_or(|last| last < *i), "one consumer sees each producer's messages in order");
            *last = Some(*i);
        }
    }
    let all: HashSet<[u32; 2]> = got.iter().flatten().copied().collect();
    assert_eq!(all.len(), got.iter().map(Vec::len).sum::<usize>(), "a message came twice");
    assert_eq!(all.len(), (producers * count) as usize, "a message is lost");
}

#[test]
fn threads_exchange_messages_without_loss_or_repetition() {
    exchange(false, 3, 3, 8, 20_000);
    exchange(false, 1, 1, 2, 20_000);
    exchange(false, 4, 1, 64, 20_000);
    exchange(true, 3, 3, 8, 20_000);
    exchange(true, 1, 4, 2, 20_000);
}

#[test]
fn a_call_on_a_closed_and_drained_queue_says_closed_while_others_still_try() {
    // Many closers and producers against one consumer: `Closed` must be final.
    let _watchdog = watchdog("close races", WATCHDOG_SECONDS);
    // Long messages, so that a producer is mostly between reserving and publishing.
    const LONG: usize = 32 << 10;
    for round in 0..150 {
        let region = Region::create_anonymous(1 << 18, &RegionConfig::default()).unwrap();
        let queue = region.create_queue("q", &QueueConfig::new(4, LONG as u32)).unwrap();
        let pushed = AtomicUsize::new(0);
        let popped = thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while queue.try_push(b"m") != Err(Error::Closed) {
                        std::hint::spin_loop();
                    }
                });
            }
            scope.spawn(|| {
                loop {
                    match queue.push(&[b'n'; LONG]) {
                        Ok(()) => pushed.fetch_add(1, SeqCst),
                        Err(error) => return assert_eq!(error, Error::Closed),
                    };
                }
            });
            scope.spawn(|| {
                thread::sleep(Duration::from_micros(round));
                queue.close();
            });
            let consumer = scope.spawn(|| {
                let mut ours = 0;
                let mut buffer = [0; LONG];
                loop {
                    match queue.pop(&mut buffer) {
                        Ok(_) => ours += usize::from(buffer[0] == b'n'),
                        Err(error) => {
                            assert_eq!(error, Error::Closed);
                            return ours;
                        }
                    }
                }
            });
            consumer.join().unwrap()
        });
        assert_eq!(popped, pushed.load(SeqCst), "a push that returned was followed by Closed without it");
        assert!(queue.is_empty());
    }
}
