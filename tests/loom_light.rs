//! Models of light streams (see Light in `src/ring/stream.rs`): who publishes by plain stores, against who sleeps,
//! closes, ends or goes on in its place. The queue is the real one; so is what stands in for `membarrier`, see `light`
//! in `src/sync.rs`: a light fence and a heavy one are always ordered, nothing else about them is.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_light --target-dir target/loom`
//!
//! Each line was tried once, and the model named (among others) failed:
//!
//! | weakened | fails |
//! |---|---|
//! | `notify_light`: no compiler fence | `a_push_is_seen_...`, `a_release_is_seen_...` |
//! | `block_slow`: no heavy fence, or only behind the last look | `a_push_is_seen_...`, `a_release_is_seen_...` |
//! | the consumer, or the producer, blocks for fenced notifiers | `a_push_is_seen_...`, or `a_release_is_seen_...` |
//! | `publish`: Release -> Relaxed | `a_record_is_whole_...` |
//! | `release`: Release -> Relaxed | `a_record_is_whole_...` |
//! | `begin`: no compiler fence, or does not say busy | `a_message_is_delivered_or_refused_...` |
//! | the producer looks at closed before `begin` only | `a_message_is_delivered_or_refused_...` |
//! | idle before the commit | `a_message_is_delivered_or_refused_...` |
//! | `rest` does nothing | `..._while_somebody_closes_and_the_consumer_waits` (it never ends) |
//! | the consumer does not ask whether a push is under way | `a_message_is_delivered_or_refused_...` |
//! | it does: no slow fence; busy not asked, or before the fence | `a_message_is_delivered_or_refused_...` |
//! | `is_push_under_way`: no fence between the SeqCst looks | `a_message_is_delivered_or_refused_...` |
//! | `end` stores | `a_message_is_delivered_or_refused_...` |
//! | a push that is withdrawn tells nobody | `..._while_somebody_closes_and_the_consumer_waits` (a deadlock) |
//! | a pop tells nobody | `a_release_is_seen_...` (a deadlock) |
//! | `take_over` leaves busy | `the_next_producer_of_a_closed_queue_...` |
//! | who claims a closed queue's end tells nobody | `the_next_producer_of_a_closed_queue_...` |
//!
//! No model fails where busy is found and the end is not asked for again (the next look finds it free), nor for the
//! `model_fence` of a claim (its first registration has one). Not shown: `committed`'s store of `tail` Relaxed, and
//! `is_busy` Relaxed: loom does not reorder two stores of a thread, and the compare-and-swap that ends the stream
//! sees the newest word. Not modelled: fences with holes, or refused, which only time heals.
#![cfg(rialto_loom)]

#[path = "models/memory.rs"]
mod memory;
mod models;

use loom::{sync::Arc, thread::yield_now};
use memory::{Memory, SHORT, beside, pop, prepare, reader, rest, writer};
use models::{Object, World, killed_at_every_access, model, spawn, spawn_victim};
use rialto::{
    Error, Recovered, SpscConfig,
    member::Incarnation,
    ring::stream::{Refused, Writer},
    spsc::{Consumer, Producer, Spsc},
};
use std::{
    ptr::NonNull,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

/// One message at a time.
const CONFIG: SpscConfig = SpscConfig::new(1, 8);

/// A queue in memory of its own.
struct Bytes(Box<[Aligned]>);

#[repr(C, align(128))]
#[derive(Clone)]
struct Aligned([u8; 128]);

impl Bytes {
    fn new() -> Bytes {
        let size = CONFIG.layout().unwrap().size as usize;
        Bytes(vec![Aligned([0; 128]); size.div_ceil(128)].into_boxed_slice())
    }
    fn at(&self) -> NonNull<u8> {
        NonNull::from(&*self.0).cast()
    }
}

// SAFETY: what is in it are atomics, and payloads that the stream guards.
unsafe impl Sync for Bytes {}
unsafe impl Send for Bytes {}

impl Object for Bytes {
    fn sweep(world: &World<Self>, dead: Incarnation, is_dying: &dyn Fn() -> bool) -> (Recovered, bool) {
        queue(world).recover(dead, is_dying)
    }
}

type W = World<Bytes>;

/// With members 1 to `members`.
fn world(members: u16) -> Arc<W> {
    let world = World::new(members, Bytes::new());
    // SAFETY: as long as the world, and fresh.
    unsafe { Spsc::make(&*world, world.object.at(), &CONFIG) }.unwrap();
    world
}

fn queue(world: &W) -> Spsc<'_, W> {
    // SAFETY: made in `world`.
    unsafe { Spsc::handle(world, world.object.at(), &CONFIG) }.unwrap()
}

fn producer(world: &W) -> Producer<'_, W> {
    queue(world).producer().unwrap()
}

fn consumer(world: &W) -> Consumer<'_, W> {
    queue(world).consumer().unwrap()
}

fn message(number: u32) -> [u8; 8] {
    [number as u8; 8]
}

/// Pushes `messages`, until the queue is closed; says how many.
fn push_all(producer: &mut Producer<'_, W>, messages: u32) -> u32 {
    for number in 0..messages {
        if let Err(error) = producer.push(&message(number)) {
            assert_eq!(error, Error::Closed);
            return number;
        }
    }
    messages
}

/// Pops until the end, which stays; says how many came, in order, whole. `how` waits or polls.
fn drain(
    consumer: &mut Consumer<'_, W>,
    how: fn(&mut Consumer<'_, W>, &mut [u8]) -> Result<usize, Error>,
) -> u32 {
    let mut buffer = [0; 8];
    for number in 0.. {
        match how(consumer, &mut buffer) {
            Ok(len) => assert_eq!(buffer[..len], message(number)),
            Err(error) => {
                assert_eq!(error, Error::Closed);
                return number;
            }
        }
    }
    unreachable!()
}

fn wait(consumer: &mut Consumer<'_, W>, buffer: &mut [u8]) -> Result<usize, Error> {
    consumer.pop(buffer).map(|popped| popped.len)
}

fn poll(consumer: &mut Consumer<'_, W>, buffer: &mut [u8]) -> Result<usize, Error> {
    loop {
        match consumer.try_pop(buffer) {
            Err(Error::WouldBlock) => yield_now(),
            other => return other.map(|popped| popped.len),
        }
    }
}

/// Nothing was left, and nothing comes any more, whoever looks.
fn assert_ended(w: &Arc<W>) {
    let later = spawn(w, 1, |w| {
        assert_eq!(queue(w).len(), 0);
        assert_eq!(consumer(w).try_pop(&mut [0; 8]), Err(Error::Closed));
    });
    later.join().unwrap();
}

/// A light one's push.
fn light_push(writer: &mut Writer<&Memory>, message: u32) -> Result<(), Refused> {
    prepare(writer, SHORT, message)?;
    writer.begin();
    writer.publish()
}

#[test]
fn a_record_is_whole_when_it_is_seen_and_its_memory_free_when_it_is_reused() {
    model(4, || {
        let memory = Memory::new(48, 32); // two fit
        let mut first = writer(&memory).lighten(true);
        light_push(&mut first, 1).unwrap();
        light_push(&mut first, 2).unwrap();
        assert_eq!(light_push(&mut first, 3), Err(Refused::Full));
        let (memory, sent, mut got) = beside(
            memory,
            |memory| {
                let mut writer = writer(memory).lighten(true);
                [3, 4].into_iter().filter(|m| light_push(&mut writer, *m).is_ok()).collect::<Vec<_>>()
            },
            |memory| {
                let mut reader = reader(memory).lighten(true);
                (0..3).filter_map(|_| pop(&mut reader).ok()).collect::<Vec<_>>()
            },
        );
        got.extend(rest(&memory));
        let expected: Vec<_> = [1, 2].into_iter().chain(sent).map(|message| (message, 0)).collect();
        assert_eq!(got, expected);
    });
}

/// Nobody ticks.
#[test]
fn a_push_is_seen_or_the_sleeping_consumer_is_woken() {
    model(5, || {
        let w = world(2);
        let pops = spawn(&w, 1, |w| assert_eq!(consumer(w).pop(&mut [0; 8]).unwrap().len, 8));
        let pushes = spawn(&w, 2, |w| assert_eq!(push_all(&mut producer(w), 1), 1));
        pushes.join().unwrap();
        pops.join().unwrap();
    });
}

/// Nobody ticks.
#[test]
fn a_release_is_seen_or_the_sleeping_producer_is_woken() {
    model(5, || {
        let w = world(2);
        let mut before = producer(&w);
        push_all(&mut before, 1);
        drop(before);
        let pops = spawn(&w, 1, |w| {
            let mut end = consumer(w);
            assert!(end.try_pop(&mut [0; 8]).is_ok());
        });
        let pushes = spawn(&w, 2, |w| assert_eq!(push_all(&mut producer(w), 1), 1));
        pops.join().unwrap();
        pushes.join().unwrap();
    });
}

/// What was pushed is delivered, what was refused is not: for who waits, whom nobody ticks, and for who polls.
fn pushed_or_refused(
    preemptions: usize,
    messages: u32,
    how: fn(&mut Consumer<'_, W>, &mut [u8]) -> Result<usize, Error>,
) {
    model(preemptions, move || {
        let w = world(3);
        let pops = spawn(&w, 1, move |w| drain(&mut consumer(w), how));
        let pushes = spawn(&w, 2, move |w| push_all(&mut producer(w), messages));
        let closes = spawn(&w, 0, |w| queue(w).close());
        closes.join().unwrap();
        assert_eq!(pushes.join().unwrap(), pops.join().unwrap());
        assert_ended(&w);
    });
}

#[test]
fn a_message_is_delivered_or_refused_while_somebody_closes_and_the_consumer_waits() {
    pushed_or_refused(2, 1, wait);
}

#[test]
fn a_message_is_delivered_or_refused_while_somebody_closes_and_the_consumer_polls() {
    pushed_or_refused(2, 1, poll);
}

/// The producer keeps its end: it is idle, or busy, when the consumer comes to the end.
#[test]
fn a_closed_queue_ends_beside_a_producer_that_stays() {
    model(5, || {
        let w = world(2);
        let pops = spawn(&w, 1, |w| {
            let got = drain(&mut consumer(w), wait);
            w.finished.add();
            got
        });
        let pushes = spawn(&w, 2, |w| {
            let mut end = producer(w);
            end.close();
            let pushed = push_all(&mut end, 1);
            w.finished.repeat_until(1, || ());
            pushed
        });
        assert_eq!((pushes.join().unwrap(), pops.join().unwrap()), (0, 0));
    });
}

/// Whatever it had told is there, at most one message more, and then the end: its *busy* withholds that from nobody.
/// `heir`: what somebody else does in its place.
fn producer_killed(at_least: u32, preemptions: usize, heir: fn(&W)) {
    killed_at_every_access(at_least, preemptions, move |n| {
        let w = world(2);
        let pushed = std::sync::Arc::new(AtomicU32::new(0));
        let told = pushed.clone();
        let victim = spawn_victim(
            &w,
            2,
            n,
            move |w| {
                let mut end = producer(w);
                end.push(&message(0)).unwrap();
                told.fetch_add(1, SeqCst);
                end.close();
                assert_eq!(end.push(&message(1)), Err(Error::Closed));
            },
            move |w| {
                w.play(3);
                queue(w).close();
                heir(w);
            },
        );
        let pops = spawn(&w, 1, |w| {
            let got = drain(&mut consumer(w), wait);
            w.finished.add();
            got
        });
        let (killed, got) = (victim.join().unwrap(), pops.join().unwrap());
        let pushed = pushed.load(SeqCst);
        assert!((pushed..=1).contains(&got), "{got} of {pushed}");
        assert!(killed || got == 1);
        assert_ended(&w);
        killed
    });
}

#[test]
fn a_producer_killed_anywhere_does_not_withhold_the_end() {
    producer_killed(10, 2, |w| {
        w.recover();
        w.finished.tick_until(1);
    });
}

/// Nobody ticks: the sweep, and the claim, tell who waits for the dead one's push.
#[test]
fn the_next_producer_of_a_closed_queue_does_not_withhold_the_end() {
    producer_killed(10, 2, |w| {
        let end = producer(w);
        w.finished.repeat_until(1, || ());
        drop(end);
    });
}
