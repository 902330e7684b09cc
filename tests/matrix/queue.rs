//! `Queue`, for completeness: its survivors wait for messages.

use super::{
    permits::region,
    stage::{Got, Stage, Verdict, place},
};
use rialto::{Error, Queue, QueueConfig};
use std::sync::atomic::{AtomicU64, Ordering::*};

struct World {
    queue: Queue<'static>,
    /// Of all numbers popped.
    sum: &'static AtomicU64,
}

impl World {
    fn new() -> World {
        World { queue: region().create_queue("matrix", &QueueConfig::new(4, 8)).expect("room"), sum: place() }
    }

    fn push(&self, number: u8) {
        self.queue.push(&[number]).expect("room");
    }

    fn pop(&self, hand_on: bool) -> Got {
        let mut buffer = [0; 8];
        let popped = match self.queue.pop(&mut buffer) {
            Ok(popped) => popped,
            Err(Error::Closed) => return Got::CLOSED,
            Err(_) => return Got::WRONG,
        };
        self.sum.fetch_add(buffer[0].into(), SeqCst);
        if hand_on {
            self.push(buffer[0]);
        }
        if popped.attempt > 0 { Got::MARKED } else { Got::MESSAGE }
    }

    fn whole(&self, verdict: Verdict, got: Got, sum: u64, left: usize) -> Verdict {
        let ended = verdict?.with(vec![got; 2])?;
        let (popped, len) = (self.sum.load(SeqCst), self.queue.len());
        ended
            .and(popped == sum && len == left, || format!("popped {popped} of {sum}, {len} left, not {left}"))
    }
}

/// Two messages peeked, not released.
pub fn holding(stage: &Stage) -> Verdict {
    let world = World::new();
    (1..=2).for_each(|number| world.push(number));
    let take = || {
        let peeked = [(); 2].map(|()| world.queue.peek().expect("a message"));
        std::mem::forget(peeked);
    };
    world.whole(stage.holding(|| world.pop(false), take, || {}), Got::MARKED, 3, 0)
}

pub fn waiting(stage: &Stage) -> Verdict {
    let world = World::new();
    let wait = || _ = world.pop(false);
    let wake = || (1..=2).for_each(|number| world.push(number));
    world.whole(stage.waiting(|| world.pop(false), wait, wake), Got::MESSAGE, 3, 0)
}

pub fn woken(stage: &Stage) -> Verdict {
    let world = World::new();
    let wait = || _ = world.pop(false);
    world.whole(stage.woken(|| world.pop(true), wait, || world.push(1)), Got::MESSAGE, 2, 1)
}

pub fn push(stage: &Stage) -> Verdict {
    let world = World::new();
    world.whole(stage.inside(|| world.pop(true), || {}, || world.push(1)), Got::MESSAGE, 2, 1)
}

pub fn close(stage: &Stage) -> Verdict {
    let world = World::new();
    world.whole(stage.inside(|| world.pop(false), || {}, || world.queue.close()), Got::CLOSED, 0, 0)
}
