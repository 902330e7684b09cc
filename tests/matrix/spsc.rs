//! `Spsc`: a producer or a consumer dies. The survivor is the other party, asleep, or who is to go on in the dead
//! one's place and waits for its end. Where the other party can only be woken by a successor (the dead one
//! had changed nothing), that one comes after the kill.

use super::{
    permits::region,
    stage::{Got, Stage, Verdict, place},
};
use rialto::{Error, FOREVER, Region, SpscConfig, spsc};
use std::sync::atomic::{AtomicU64, Ordering::*};

const SLOTS: usize = 4;
const MAX: usize = 8;

type Producer = spsc::Producer<'static, Region>;
type Consumer = spsc::Consumer<'static, Region>;

struct World {
    queue: spsc::Spsc<'static, Region>,
    /// Of all numbers popped.
    sum: &'static AtomicU64,
}

impl World {
    fn new() -> World {
        let queue = region().create_spsc("matrix", &SpscConfig::new(SLOTS as u32, MAX as u32));
        World { queue: queue.expect("room"), sum: place() }
    }

    /// With messages 1 to 4.
    fn full() -> World {
        let world = World::new();
        let mut producer = world.producer();
        (1..=SLOTS as u8).for_each(|number| _ = push(&mut producer, number));
        world
    }

    /// Of somebody who lives for the moment only.
    fn producer(&self) -> Producer {
        self.queue.producer_timeout(FOREVER).expect("the end, some day")
    }

    fn consumer(&self) -> Consumer {
        self.queue.consumer_timeout(FOREVER).expect("the end, some day")
    }

    fn pop(&self, consumer: &mut Consumer) -> Got {
        let mut buffer = [0; MAX];
        match consumer.pop(&mut buffer) {
            Ok(popped) => {
                self.sum.fetch_add(buffer[0].into(), SeqCst);
                if popped.attempt > 0 { Got::MARKED } else { Got::MESSAGE }
            }
            Err(Error::Closed) => Got::CLOSED,
            Err(_) => Got::WRONG,
        }
    }

    /// Nothing is lost: these numbers were popped, these are left; both ends can be claimed, and there is room for
    /// as many as ever.
    fn whole(&self, verdict: Verdict, got: Got, sum: u64, left: usize) -> Verdict {
        let ended = verdict?.with(vec![got])?;
        let (popped, len) = (self.sum.load(SeqCst), self.queue.len());
        let ended = ended.and(popped == sum && len == left, || {
            format!("popped {popped} of {sum}, {len} left, not {left}")
        })?;
        let (mut producer, mut consumer) = (self.producer(), self.consumer());
        while consumer.try_pop(&mut [0; MAX]).is_ok() {}
        if got == Got::CLOSED {
            return ended.and(consumer.try_pop(&mut [0; MAX]) == Err(Error::Closed), || "open".into());
        }
        let fit = (0..9).take_while(|_| producer.try_push(&[0; MAX]).is_ok()).count();
        ended.and(fit == SLOTS, || format!("room for {fit}"))
    }
}

fn push(producer: &mut Producer, number: u8) -> Got {
    match producer.push(&[number; MAX]) {
        Ok(()) => Got::ROOM,
        Err(Error::Closed) => Got::CLOSED,
        Err(_) => Got::WRONG,
    }
}

/// What a handle did is done: the end stays claimed until its holder is found dead.
fn keep<T>(handle: T) {
    std::mem::forget(handle);
}

/// The victim has the producer's end.
pub mod producer {
    use super::*;

    fn reserve(world: &World) {
        let mut producer = world.producer();
        keep(producer.reserve(MAX).expect("room"));
        keep(producer);
    }

    /// A loan, not sent. The consumer sleeps; a successor sends instead.
    pub fn reserved(stage: &Stage) -> Verdict {
        let world = World::new();
        let then = || _ = push(&mut world.producer(), 1);
        let survivor = || world.pop(&mut world.consumer());
        world.whole(stage.alone().holding(survivor, || reserve(&world), then), Got::MESSAGE, 1, 0)
    }

    /// The same; the successor sleeps until it has the end.
    pub fn succeeded(stage: &Stage) -> Verdict {
        let world = World::new();
        let survivor = || push(&mut world.producer(), 1);
        world.whole(stage.alone().holding(survivor, || reserve(&world), || {}), Got::ROOM, 0, 1)
    }

    fn block(world: &World) {
        let mut producer = world.producer();
        push(&mut producer, 9);
        keep(producer);
    }

    /// In a full queue; a successor waits for the end, and then for room.
    pub fn waiting(stage: &Stage) -> Verdict {
        let world = World::full();
        let wake = || _ = world.pop(&mut world.consumer());
        let survivor = || push(&mut world.producer(), 5);
        world.whole(stage.alone().waiting(survivor, || block(&world), wake), Got::ROOM, 1, SLOTS)
    }

    pub fn woken(stage: &Stage) -> Verdict {
        let world = World::full();
        let wake = || _ = world.pop(&mut world.consumer());
        let survivor = || push(&mut world.producer(), 5);
        world.whole(stage.alone().woken(survivor, || block(&world), wake), Got::ROOM, 1, SLOTS)
    }

    fn inside(stage: &Stage, got: Got, sum: u64, call: impl FnOnce(&World, &mut Producer)) -> Verdict {
        let world = World::new();
        let producer = std::cell::Cell::new(None);
        let before = || producer.set(Some(world.producer()));
        let call = || {
            let mut producer = producer.take().expect("claimed");
            call(&world, &mut producer);
            keep(producer);
        };
        let survivor = || world.pop(&mut world.consumer());
        let verdict = stage.alone().inside(survivor, before, call);
        world.whole(verdict, got, sum, if sum == 1 { 0 } else { 1 } * usize::from(got == Got::MESSAGE))
    }

    pub fn push_one(stage: &Stage) -> Verdict {
        inside(stage, Got::MESSAGE, 1, |_, producer| _ = push(producer, 1))
    }

    pub fn commit(stage: &Stage) -> Verdict {
        inside(stage, Got::MESSAGE, 1, |_, producer| {
            let mut loan = producer.reserve(MAX).expect("room");
            loan.write(&[1; MAX]).expect("as long");
            _ = loan.commit();
        })
    }

    /// Both are there; the survivor takes the first.
    pub fn push_many(stage: &Stage) -> Verdict {
        inside(stage, Got::MESSAGE, 2, |_, producer| {
            _ = producer.push_many(&[&[2; MAX], &[3; MAX]]);
        })
    }

    pub fn close(stage: &Stage) -> Verdict {
        inside(stage, Got::CLOSED, 0, |world, _| world.queue.close())
    }
}

/// The victim has the consumer's end.
pub mod consumer {
    use super::*;

    fn peek(world: &World) {
        let mut consumer = world.consumer();
        keep(consumer.peek().expect("a message"));
        keep(consumer);
    }

    /// A message in hand. The producer sleeps in a full queue; a successor takes the message instead.
    pub fn peeked(stage: &Stage) -> Verdict {
        let world = World::full();
        let then = || assert!(world.pop(&mut world.consumer()) == Got::MARKED);
        let survivor = || push(&mut world.producer(), 5);
        world.whole(stage.alone().holding(survivor, || peek(&world), then), Got::ROOM, 1, SLOTS)
    }

    /// The same; the successor sleeps until it has the end, and gets the message.
    pub fn succeeded(stage: &Stage) -> Verdict {
        let world = World::full();
        let survivor = || world.pop(&mut world.consumer());
        world.whole(stage.alone().holding(survivor, || peek(&world), || {}), Got::MARKED, 1, SLOTS - 1)
    }

    fn block(world: &World) {
        let mut consumer = world.consumer();
        world.pop(&mut consumer);
        keep(consumer);
    }

    /// In an empty queue; a successor waits for the end, and then for a message.
    pub fn waiting(stage: &Stage) -> Verdict {
        let world = World::new();
        let wake = || _ = push(&mut world.producer(), 1);
        let survivor = || world.pop(&mut world.consumer());
        world.whole(stage.alone().waiting(survivor, || block(&world), wake), Got::MESSAGE, 1, 0)
    }

    pub fn woken(stage: &Stage) -> Verdict {
        let world = World::new();
        let wake = || _ = push(&mut world.producer(), 1);
        let survivor = || world.pop(&mut world.consumer());
        world.whole(stage.alone().woken(survivor, || block(&world), wake), Got::MESSAGE, 1, 0)
    }

    fn inside(stage: &Stage, got: Got, left: usize, call: impl FnOnce(&World, &mut Consumer)) -> Verdict {
        let world = World::full();
        let consumer = std::cell::Cell::new(None);
        let before = || consumer.set(Some(world.consumer()));
        let call = || {
            let mut consumer = consumer.take().expect("claimed");
            call(&world, &mut consumer);
            keep(consumer);
        };
        let survivor = || push(&mut world.producer(), 5);
        world.whole(stage.alone().inside(survivor, before, call), got, 0, left)
    }

    pub fn pop_one(stage: &Stage) -> Verdict {
        inside(stage, Got::ROOM, SLOTS, |_, consumer| _ = consumer.pop(&mut [0; MAX]))
    }

    pub fn release(stage: &Stage) -> Verdict {
        inside(stage, Got::ROOM, SLOTS, |_, consumer| consumer.peek().expect("a message").release())
    }

    pub fn pop_many(stage: &Stage) -> Verdict {
        inside(stage, Got::ROOM, SLOTS - 1, |_, consumer| {
            _ = consumer.pop_many(&mut [0; 2 * MAX], &mut [spsc::Popped::default(); 2]);
        })
    }

    pub fn close(stage: &Stage) -> Verdict {
        inside(stage, Got::CLOSED, SLOTS, |world, _| world.queue.close())
    }
}
