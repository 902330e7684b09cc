//! Whose hand a message is in: across threads, across regions, after the end of a thread, after close.
#![cfg(all(feature = "std", feature = "os", target_os = "linux"))]

mod procs;

use procs::{WATCHDOG_SECONDS, fork, watchdog};
use rialto::{Depth, Error, QueueConfig, Region, RegionConfig};
use std::{mem::forget, sync::mpsc, thread};

const SECOND: u64 = 1_000_000_000;

fn region() -> &'static Region {
    let config = RegionConfig { members: 3, objects: 4, tick_ms: 100 };
    Box::leak(Box::new(Region::create_anonymous(1 << 16, &config).unwrap()))
}

/// A `Peeked` outlives the thread whose member holds the message; the member id is issued anew, and its
/// new holder gets the same message, in the same slot. Ending the old handle must not take it away.
fn late_handle(kill_only: bool, end: impl FnOnce(rialto::Peeked<'static>) + Send + 'static) {
    let region = region();
    let config = QueueConfig { kill_only, ..QueueConfig::new(2, 8) };
    let queue = region.create_queue("q", &config).unwrap();
    queue.push(b"once").unwrap();
    // The ids: the first thread's is 2.
    let late = thread::spawn(move || queue.peek().unwrap()).join().unwrap();
    assert_eq!(region.recover(Depth::Thorough).redelivered, 1);
    let (told, tell) = mpsc::channel();
    let (go, gone) = mpsc::channel();
    let holder = thread::spawn(move || {
        let message = queue.peek_timeout(SECOND).unwrap();
        assert_eq!(message.attempt(), 1);
        told.send(()).unwrap();
        gone.recv().unwrap();
        message // the thread ends with it in hand: to be redelivered
    });
    tell.recv().unwrap();
    end(late);
    // Nobody may get what the living holder has in hand.
    let taken = queue.pop_timeout(&mut [0; 8], SECOND / 5);
    assert_eq!(taken, Err(Error::TimedOut), "robbed of a message in hand");
    go.send(()).unwrap();
    forget(holder.join().unwrap());
    region.recover(Depth::Thorough);
    assert_eq!(queue.pop_timeout(&mut [0; 8], SECOND).map(|p| p.attempt), Ok(2), "lost");
    for i in 0..10u8 {
        queue.push_timeout(&[i], SECOND).unwrap();
        assert_eq!(queue.pop_timeout(&mut [0; 8], SECOND).map(|p| p.len), Ok(1));
    }
}

#[test]
fn a_late_release_takes_nothing_from_the_next_holder_of_the_id() {
    let _watchdog = watchdog("a late handle", WATCHDOG_SECONDS);
    late_handle(false, |late| late.release());
}

#[test]
fn a_late_drop_takes_nothing_from_the_next_holder_of_the_id() {
    let _watchdog = watchdog("a late handle", WATCHDOG_SECONDS);
    late_handle(false, drop);
}

#[test]
fn a_late_release_in_a_kill_only_queue_takes_nothing_either() {
    let _watchdog = watchdog("a late handle", WATCHDOG_SECONDS);
    late_handle(true, |late| late.release());
}

/// Laps later a plain store of a late release would turn the slot back for ever.
#[test]
fn a_late_release_does_not_turn_back_a_kill_only_slot() {
    let _watchdog = watchdog("a late release", WATCHDOG_SECONDS);
    {
        let region = region();
        let config = QueueConfig { kill_only: true, ..QueueConfig::new(2, 8) };
        let queue = region.create_queue("q", &config).unwrap();
        queue.push(b"once").unwrap();
        let late = thread::spawn(move || queue.peek().unwrap()).join().unwrap();
        region.recover(Depth::Thorough);
        for i in 0..10u8 {
            queue.push_timeout(&[i], SECOND).unwrap();
            queue.pop_timeout(&mut [0; 8], SECOND).unwrap();
        }
        late.release();
        for i in 0..10u8 {
            queue.push_timeout(&[i], SECOND).expect("the queue is stuck");
            queue.pop_timeout(&mut [0; 8], SECOND).expect("the queue is stuck");
        }
    }
}

#[test]
fn a_member_of_another_region_is_refused() {
    let (here, there) = (region(), region());
    let queue = here.create_queue("q", &QueueConfig::new(2, 8)).unwrap();
    let stranger = there.join().unwrap();
    assert_eq!(queue.as_member(&stranger).try_push(b"x"), Err(Error::Invalid));
    assert_eq!(queue.len(), 0);
}

/// "Closed" is the end for most programs: what a dead consumer had in hand has to come before it.
#[test]
fn what_the_dead_had_in_hand_is_redelivered_before_closed_is_said() {
    for blocking in [false, true] {
        let _watchdog = watchdog("closed", WATCHDOG_SECONDS);
        {
            let region = region();
            let queue = region.create_queue("q", &QueueConfig::new(2, 8)).unwrap();
            queue.push(b"once").unwrap();
            let child = fork(|| {
                forget(queue.peek().unwrap());
                0
            });
            child.wait();
            queue.close();
            let timeout = if blocking { SECOND } else { 0 };
            let popped = queue.pop_timeout(&mut [0; 8], timeout);
            assert_eq!(popped.map(|p| (p.len, p.attempt)), Ok((4, 1)));
            assert_eq!(queue.try_pop(&mut [0; 8]), Err(Error::Closed));
        }
    }
}
