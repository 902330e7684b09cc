//! push_many and pop_many: in order, one wake, waiting for what the caller asked for and no longer. What they
//! take and leave, exactly, is in `prop_queue.rs`. The region's tick is a minute: a lost wake-up hangs.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod calls;
mod processes;
mod sync_kit;

use processes::*;
use rialto::{Error, Popped, Queue, QueueConfig, QueueKind, Region};
use std::time::{Duration, Instant};
use sync_kit::*;

fn each(f: impl Fn(&'static Region, Queue<'static>)) {
    for i in 0..4 {
        let kind = [QueueKind::Ring, QueueKind::Indexed][i & 1];
        let config = QueueConfig { kind, kill_only: i & 2 != 0, ..QueueConfig::new(4, 8) };
        let region = region(NO_TICK_MS);
        f(region, region.create_queue("q", &config).unwrap());
    }
}

fn pop(queue: Queue) -> Option<u8> {
    let mut buffer = [0; 8];
    queue.try_pop(&mut buffer).ok().map(|_| buffer[0])
}

fn never_early<T: std::fmt::Debug + PartialEq>(timeout_ns: u64, expected: T, call: impl FnOnce() -> T) {
    let begin = Instant::now();
    assert_eq!(call(), expected);
    assert!(begin.elapsed() >= Duration::from_nanos(timeout_ns), "early: {:?}", begin.elapsed());
}

#[test]
fn a_batch_comes_whole_and_in_order() {
    each(|_, queue| {
        let messages: [&[u8]; 5] = [b"a", b"bb", b"", b"dddd", b"eeeee"];
        assert_eq!(queue.try_push_many(&messages), Ok(4));
        assert_eq!(queue.try_push_many(&messages[4..]), Err(Error::WouldBlock));
        assert!(queue.is_full());
        let mut buffer = [0; 24];
        let mut popped = [Popped::default(); 9];
        assert_eq!(queue.try_pop_many(&mut buffer, &mut popped), Ok(3));
        assert_eq!(popped[..3].iter().map(|p| p.len).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!(&buffer[8..10], b"bb");
        assert_eq!(queue.try_pop_many(&mut buffer, &mut popped), Ok(1));
        assert_eq!(&buffer[..4], b"dddd");
        assert_eq!(queue.try_pop_many(&mut buffer, &mut popped), Err(Error::WouldBlock));
    });
}

#[test]
fn nothing_is_pushed_if_one_of_them_is_too_long() {
    each(|_, queue| {
        assert_eq!(queue.push_many(&[b"fine", b"far too long"]), Err(Error::MessageTooLarge));
        assert_eq!((queue.len(), queue.push_many(&[])), (0, Ok(0)));
    });
}

#[test]
fn a_batch_of_more_than_fits_waits_until_all_are_through() {
    each(|_, queue| {
        let pushing = Waiter::asleep(move || {
            let bytes: Vec<[u8; 1]> = (0..30).map(|i| [i]).collect();
            queue.push_many(&bytes.iter().map(|bytes| &bytes[..]).collect::<Vec<_>>())
        });
        for i in 0..26 {
            assert!(!pushing.is_done());
            until("a message", || !queue.is_empty());
            assert_eq!(pop(queue), Some(i));
        }
        assert_eq!(pushing.join(), Ok(30));
        assert_eq!([(); 5].map(|()| pop(queue)), [Some(26), Some(27), Some(28), Some(29), None]);
    });
}

#[test]
fn a_timeout_bounds_the_whole_batch_and_is_never_early() {
    each(|_, queue| {
        let messages: [&[u8]; 6] = [b"1", b"2", b"3", b"4", b"5", b"6"];
        // Those that fitted stay.
        never_early(30 * MS, Ok(4), || queue.push_many_timeout(&messages, 30 * MS));
        assert_eq!(queue.push_many_timeout(&messages[4..], 0), Err(Error::WouldBlock));
        for timeout_ns in [1, 1000, 30 * MS] {
            never_early(timeout_ns, Err(Error::TimedOut), || {
                queue.push_many_timeout(&messages[4..], timeout_ns)
            });
        }
        assert_eq!([(); 5].map(|()| pop(queue)), [b'1', b'2', b'3', b'4', 0].map(|c| (c > 0).then_some(c)));
        let (mut buffer, mut popped) = ([0; 32], [Popped::default(); 4]);
        assert_eq!(queue.pop_many_timeout(&mut buffer, &mut popped, 0), Err(Error::WouldBlock));
        for timeout_ns in [1, 1000, 30 * MS] {
            never_early(timeout_ns, Err(Error::TimedOut), || {
                queue.pop_many_timeout(&mut buffer, &mut popped, timeout_ns)
            });
        }
        // It waits for the first one only.
        queue.push(b"x").unwrap();
        assert_eq!(queue.pop_many_timeout(&mut buffer, &mut popped, u64::MAX), Ok(1));
    });
}

#[test]
fn a_pop_of_many_that_sleeps_takes_what_is_there_when_it_wakes() {
    each(|_, queue| {
        let popping = Waiter::asleep(move || {
            let (mut buffer, mut popped) = ([0; 32], [Popped::default(); 4]);
            queue.pop_many(&mut buffer, &mut popped).map(|count| (count, buffer[0]))
        });
        queue.push_many(&[b"1", b"2"]).unwrap();
        let (count, first) = popping.join().unwrap();
        assert!((1..=2).contains(&count) && first == b'1' && queue.len() == 2 - count);
    });
}

#[test]
fn close_ends_both_and_says_how_many_were_pushed() {
    each(|_, queue| {
        let popping = Waiter::asleep(move || queue.pop_many(&mut [0; 8], &mut [Popped::default()]));
        queue.close();
        assert_eq!(popping.join(), Err(Error::Closed));
        assert_eq!(queue.push_many(&[b"1"]), Err(Error::Closed));
    });
    each(|_, queue| {
        let pushing = Waiter::asleep(move || queue.push_many(&[b"1", b"2", b"3", b"4", b"5", b"6"]));
        queue.close();
        assert_eq!(pushing.join(), Ok(4));
        let (mut buffer, mut popped) = ([0; 32], [Popped::default(); 4]);
        assert_eq!(queue.pop_many(&mut buffer, &mut popped), Ok(4));
        assert_eq!(queue.pop_many(&mut buffer, &mut popped), Err(Error::Closed));
    });
}

/// How many sleepers each call was to wake.
fn wakes(f: impl FnOnce()) -> Vec<u32> {
    let ((), calls) = calls::record(f);
    assert!(calls.futex.iter().all(|futex| !futex.is_wait()));
    calls.futex.iter().map(|futex| futex.value).collect()
}

/// As many as are needed go on, for one system call; and none where nobody sleeps.
#[test]
fn a_batch_wakes_as_many_as_it_has_messages_with_one_call() {
    each(|_, queue| {
        let popping =
            [(); 4].map(|()| Waiter::asleep(move || queue.pop(&mut [0; 8]).map(|popped| popped.len)));
        let batch: [&[u8]; 3] = [b"1", b"2", b"3"];
        assert_eq!(wakes(|| assert_eq!(queue.push_many(&batch), Ok(3))), [3]);
        until("three go on", || popping.iter().filter(|popping| popping.is_done()).count() == 3);
        queue.push(b"4").unwrap();
        popping.into_iter().for_each(|popping| assert_eq!(popping.join(), Ok(1)));
        // The last one was woken by a call that found nobody else, or by one that did not look: one more.
        queue.push(b"5").unwrap();
        assert_eq!(pop(queue), Some(b'5'));
        assert_eq!(wakes(|| assert_eq!(queue.push_many(&batch), Ok(3))), []);
    });
}

#[test]
fn a_pop_of_many_wakes_as_many_as_it_makes_room_for_with_one_call() {
    each(|_, queue| {
        queue.push_many(&[b"1", b"2", b"3", b"4"]).unwrap();
        let pushing = [(); 3].map(|()| Waiter::asleep(move || queue.push(b"m")));
        let (mut buffer, mut popped) = ([0; 24], [Popped::default(); 3]);
        let wakes = wakes(|| assert_eq!(queue.try_pop_many(&mut buffer, &mut popped), Ok(3)));
        assert_eq!(wakes, [3]);
        pushing.into_iter().for_each(|pushing| assert_eq!(pushing.join(), Ok(())));
        assert_eq!(queue.len(), 4);
    });
}
