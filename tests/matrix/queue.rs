//! `Queue`: its survivors wait for messages, for room, or for the end of all tasks.

use super::{
    permits::region,
    stage::{Got, Stage, Verdict, place},
};
use rialto::{Error, Popped, Queue, QueueConfig, QueueKind};
use std::sync::atomic::{AtomicU64, Ordering::*};

struct World {
    queue: Queue<'static>,
    /// Of all numbers popped.
    sum: &'static AtomicU64,
}

impl World {
    fn of(indexed: bool, joinable: bool) -> World {
        let kind = if indexed { QueueKind::Indexed } else { QueueKind::Ring };
        let config = QueueConfig { kind, joinable, ..QueueConfig::new(4, 8) };
        World { queue: region().create_queue("matrix", &config).expect("room"), sum: place() }
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
        if self.queue.config().joinable && self.queue.task_done(popped.ticket).is_err() {
            return Got::WRONG;
        }
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
pub fn holding<const INDEXED: bool>(stage: &Stage) -> Verdict {
    let world = World::of(INDEXED, false);
    (1..=2).for_each(|number| world.push(number));
    let take = || {
        let peeked = [(); 2].map(|()| world.queue.peek().expect("a message"));
        std::mem::forget(peeked);
    };
    world.whole(stage.holding(|| world.pop(false), take, || {}), Got::MARKED, 3, 0)
}

pub fn waiting<const INDEXED: bool>(stage: &Stage) -> Verdict {
    let world = World::of(INDEXED, false);
    let wait = || _ = world.pop(false);
    let wake = || (1..=2).for_each(|number| world.push(number));
    world.whole(stage.waiting(|| world.pop(false), wait, wake), Got::MESSAGE, 3, 0)
}

pub fn woken<const INDEXED: bool>(stage: &Stage) -> Verdict {
    let world = World::of(INDEXED, false);
    let wait = || _ = world.pop(false);
    world.whole(stage.woken(|| world.pop(true), wait, || world.push(1)), Got::MESSAGE, 2, 1)
}

pub fn push<const INDEXED: bool>(stage: &Stage) -> Verdict {
    let world = World::of(INDEXED, false);
    world.whole(stage.inside(|| world.pop(true), || {}, || world.push(1)), Got::MESSAGE, 2, 1)
}

pub fn close<const INDEXED: bool>(stage: &Stage) -> Verdict {
    let world = World::of(INDEXED, false);
    world.whole(stage.inside(|| world.pop(false), || {}, || world.queue.close()), Got::CLOSED, 0, 0)
}

/// Loans: the survivors wait for room, and give it back.
pub mod loans {
    use super::*;

    impl World {
        pub(super) fn full(indexed: bool, messages: u8) -> World {
            let world = World::of(indexed, false);
            (0..messages).for_each(|_| world.push(0));
            world
        }

        /// A loan, sent; then the room is given to the next.
        pub(super) fn lend(&self, hand_on: bool) -> Got {
            let Ok(mut loan) = self.queue.reserve(1) else { return Got::WRONG };
            let sent = loan.write(&[0]).is_ok() && loan.commit().is_ok();
            if hand_on && self.queue.try_pop(&mut [0; 8]).is_err() {
                return Got::WRONG;
            }
            if sent { Got::ROOM } else { Got::WRONG }
        }

        pub(super) fn roomy(&self, verdict: Verdict, left: usize) -> Verdict {
            let ended = verdict?.with(vec![Got::ROOM; 2])?;
            let len = self.queue.len();
            let ended = ended.and(len == left, || format!("{len} left, not {left}"))?;
            while self.queue.try_pop(&mut [0; 8]).is_ok() {}
            let fit = (0..9).take_while(|_| self.queue.try_push(&[0]).is_ok()).count();
            ended.and(fit == 4, || format!("room for {fit}"))
        }
    }

    /// Two blocks or slots reserved, and not sent; the others are full.
    pub fn holding<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::of(INDEXED, false);
        let take = || {
            let loans = [(); 2].map(|()| world.queue.reserve(1).expect("room"));
            std::mem::forget(loans);
            (0..2).for_each(|_| world.push(0));
        };
        world.roomy(stage.holding(|| world.lend(false), take, || {}), 4)
    }

    pub fn waiting<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::full(INDEXED, 4);
        let wake = || (0..2).for_each(|_| _ = world.queue.pop(&mut [0; 8]));
        world.roomy(stage.waiting(|| world.lend(false), || _ = world.lend(false), wake), 4)
    }

    pub fn woken<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::full(INDEXED, 4);
        let wake = || _ = world.queue.pop(&mut [0; 8]);
        world.roomy(stage.woken(|| world.lend(true), || _ = world.lend(false), wake), 3)
    }

    pub fn commit<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::of(INDEXED, false);
        let call = || {
            let mut loan = world.queue.reserve(1).expect("room");
            loan.write(&[1]).expect("as long");
            _ = loan.commit();
        };
        world.whole(stage.inside(|| world.pop(true), || {}, call), Got::MESSAGE, 2, 1)
    }

    /// Of an indexed queue: there the room of a loan is room at once.
    pub fn abort(stage: &Stage) -> Verdict {
        let world = World::full(true, 3);
        let loan = std::cell::Cell::new(None);
        let before = || loan.set(world.queue.try_reserve(1).ok());
        world.roomy(stage.inside(|| world.lend(true), before, || drop(loan.take())), 3)
    }
}

pub mod batch {
    use super::*;

    fn pop_two(world: &World) {
        _ = world.queue.pop_many(&mut [0; 16], &mut [Popped::default(); 2]);
    }

    pub fn waiting<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::of(INDEXED, false);
        let wake = || (1..=2).for_each(|number| world.push(number));
        world.whole(stage.waiting(|| world.pop(false), || pop_two(&world), wake), Got::MESSAGE, 3, 0)
    }

    pub fn woken<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::of(INDEXED, false);
        world.whole(stage.woken(|| world.pop(true), || pop_two(&world), || world.push(1)), Got::MESSAGE, 2, 1)
    }

    pub fn push_many<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::of(INDEXED, false);
        let call = || _ = world.queue.push_many(&[&[1], &[2]]);
        world.whole(stage.inside(|| world.pop(false), || {}, call), Got::MESSAGE, 3, 0)
    }

    pub fn pop_many<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::full(INDEXED, 4);
        world.roomy(stage.inside(|| world.lend(false), || {}, || pop_two(&world)), 4)
    }
}

/// A joinable queue: the survivors do what the dead one had to do, or wait until all is done.
pub mod tasks {
    use super::*;

    impl World {
        fn join(&self) -> Got {
            if self.queue.join().is_ok() && self.queue.unfinished() == 0 { Got::JOINED } else { Got::WRONG }
        }

        fn joined(&self, verdict: Verdict) -> Verdict {
            let ended = verdict?.with(vec![Got::JOINED; 2])?;
            let unfinished = self.queue.unfinished();
            ended.and(unfinished == 0, || format!("{unfinished} unfinished"))
        }

        fn take(&self) -> rialto::Ticket {
            self.queue.pop(&mut [0; 8]).expect("a message").ticket
        }
    }

    /// Two tasks taken, none done: others do them.
    pub fn holding<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::of(INDEXED, true);
        (1..=2).for_each(|number| world.push(number));
        let take = || (0..2).for_each(|_| _ = world.take());
        world.whole(stage.holding(|| world.pop(false), take, || {}), Got::MARKED, 3, 0)
    }

    /// The same, and the survivors wait for the end.
    pub fn awaited<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::of(INDEXED, true);
        world.push(1);
        let then = || _ = world.pop(false);
        world.joined(stage.holding(|| world.join(), || _ = world.take(), then))
    }

    pub fn waiting<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::of(INDEXED, true);
        world.push(1);
        world.joined(stage.waiting(|| world.join(), || _ = world.join(), || _ = world.pop(false)))
    }

    pub fn woken<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::of(INDEXED, true);
        world.push(1);
        world.joined(stage.woken(|| world.join(), || _ = world.join(), || _ = world.pop(false)))
    }

    pub fn task_done<const INDEXED: bool>(stage: &Stage) -> Verdict {
        let world = World::of(INDEXED, true);
        world.push(1);
        let ticket = std::cell::Cell::new(rialto::Ticket::default());
        let call = || _ = world.queue.task_done(ticket.get());
        world.joined(stage.inside(|| world.join(), || ticket.set(world.take()), call))
    }
}
