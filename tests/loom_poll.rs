//! Models of event loops: a signal alone, and the loop of `queue::poll` on the real queue. A descriptor that stays
//! silent though something is there shows as a deadlock, as there are no ticks unless somebody was killed.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_poll --target-dir target/loom`
//!
//! Each line was tried once, alone:
//!
//! | weakened or broken | fails |
//! |---|---|
//! | `arm` looks before it prepares | a_killed_producer.. |
//! | no fence in `prepare` | the same |
//! | `arm` does not say that the queue is closed | a_loop_hears_of_a_close |
//! | `has_message` does not look behind a loan | a_loop_sees_the_message_behind_a_loan |
//! | `has_room` does not look behind a message in hand | a_loop_sees_the_room_behind_a_message_in_hand |
//! | the bit cleared although the word has changed (armed again) | a_loop_gets_the_messages_of_two |
//! | only pollers are told | sleepers_and_pollers_are_told_each |
//!
//! No model fails for:
//! - no fence in `notify_by` (in models it stands for SeqCst): the sleepers' has come just before.
//! - no new generation by `notify_by`: `prepare` makes one, and nobody compares the word before he polls.
//! - the bit cleared before the signal: who published in between is silent, but the signal is still to come. It
//!   matters to who is killed in between: then those after him are silent too, until the tick.
//! - the bit never cleared: costs signals that nobody asked for.
//!
//! Two loops with a descriptor each are not modelled: what one handle signals is its own, see `queue::poll`.
#![cfg(rialto_loom)]

#[path = "models/crew.rs"]
mod crew;
mod models;

use crew::*;
use loom::{sync::Arc, thread};
use models::{killed_at_every_access, model};
use rialto::{
    Error, QueueConfig, Result,
    queue::Queue,
    sync::{AtomicU32, Ordering::*},
    sys::model::Model,
    wait::Signal,
};

// ---- a signal alone, with more preemptions than a queue allows

/// A count of what is there, and who polls for it.
struct Permits {
    count: AtomicU32,
    signal: Signal,
}

impl Permits {
    fn new() -> Arc<Permits> {
        Arc::new(Permits { count: AtomicU32::new(0), signal: Signal::new() })
    }

    fn put(&self) {
        self.count.fetch_add(1, SeqCst);
        self.signal.notify(Model, FD);
    }

    fn try_take(&self) -> bool {
        let mut count = self.count.load(Relaxed);
        while count > 0 {
            match self.count.compare_exchange(count, count - 1, SeqCst, Relaxed) {
                Ok(_) => return true,
                Err(now) => count = now,
            }
        }
        false
    }

    /// As an event loop does it.
    fn take_polling(&self) {
        while !self.try_take() {
            let _ = self.signal.pollers.prepare();
            if self.count.load(Relaxed) == 0 {
                Model.poll(FD);
            }
        }
    }
}

#[test]
fn a_publication_is_seen_or_the_descriptor_is_signalled() {
    model(5, || {
        let permits = Permits::new();
        let (p, q) = (permits.clone(), permits.clone());
        let threads = [thread::spawn(move || p.put()), thread::spawn(move || q.take_polling())];
        threads.into_iter().for_each(|t| t.join().unwrap());
    });
}

/// Armed again between the signal and the clearing of the bit.
#[test]
fn who_arms_again_at_once_is_signalled_again() {
    model(4, || {
        let permits = Permits::new();
        let (p, q) = (permits.clone(), permits.clone());
        let producer = thread::spawn(move || (0..2).for_each(|_| p.put()));
        let poller = thread::spawn(move || (0..2).for_each(|_| q.take_polling()));
        producer.join().unwrap();
        poller.join().unwrap();
    });
}

#[test]
fn of_two_who_publish_at_once_one_signals() {
    model(3, || {
        let permits = Permits::new();
        let producers = [permits.clone(), permits.clone()].map(|p| thread::spawn(move || p.put()));
        let poller = thread::spawn(move || (0..2).for_each(|_| permits.take_polling()));
        producers.into_iter().for_each(|t| t.join().unwrap());
        poller.join().unwrap();
    });
}

/// A thread sleeps and an event loop polls for the same: neither takes the other's wake-up.
#[test]
fn sleepers_and_pollers_are_told_each() {
    model(2, || {
        let permits = Permits::new();
        let (p, q, r) = (permits.clone(), permits.clone(), permits.clone());
        let producer = thread::spawn(move || (0..2).for_each(|_| p.put()));
        let poller = thread::spawn(move || q.take_polling());
        let sleeper = thread::spawn(move || {
            while !r.try_take() {
                let ticket = r.signal.sleepers.prepare();
                if r.try_take() {
                    return;
                }
                r.signal.sleepers.wait(Model, ticket, rialto::time::Deadline::NEVER);
            }
        });
        producer.join().unwrap();
        poller.join().unwrap();
        sleeper.join().unwrap();
    });
}

// ---- the queue

/// The loop of `queue::poll`, until one message or the end is there.
fn take_polling(queue: &Queue<'_, Crew>) -> Result<usize> {
    loop {
        match try_pop(queue) {
            Err(Error::WouldBlock) => {}
            other => return other,
        }
        if !queue.arm_data() && !Model.poll(FD) {
            queue.recheck_data();
        }
    }
}

/// The same for room.
fn push_polling(queue: &Queue<'_, Crew>, number: usize) -> Result<()> {
    loop {
        match queue.try_push(&message(number)) {
            Err(Error::WouldBlock) => {}
            other => return other,
        }
        if !queue.arm_space() && !Model.poll(FD) {
            queue.recheck_space();
        }
    }
}

#[test]
fn a_loop_gets_every_message() {
    for config in [ring(), indexed()] {
        model(3, move || {
            let crew = Crew::new(config, false);
            let producer = spawn(&crew, 1, |queue| queue.with_data_fd(FD).try_push(&message(1)));
            let consumer = spawn(&crew, 2, |queue| take_polling(&queue));
            assert_eq!(producer.join().unwrap(), Ok(()));
            assert_eq!(consumer.join().unwrap(), Ok(1));
        });
    }
}

#[test]
fn a_loop_gets_the_messages_of_two() {
    model(2, || {
        let crew = Crew::new(ring(), false);
        let producers = [1, 2].map(|id| {
            spawn(&crew, id, move |queue| queue.with_data_fd(FD).try_push(&message(usize::from(id))))
        });
        let consumer = spawn(&crew, 3, |queue| [take_polling(&queue), take_polling(&queue)]);
        producers.into_iter().for_each(|producer| assert_eq!(producer.join().unwrap(), Ok(())));
        let mut got = consumer.join().unwrap().map(|got| got.unwrap());
        got.sort();
        assert_eq!(got, [1, 2]);
    });
}

#[test]
fn a_loop_gets_a_loan_and_the_end() {
    for commit in [false, true] {
        model(3, move || {
            let crew = Crew::new(ring(), false);
            // SAFETY: all threads are joined before the crew is gone.
            let queue = unsafe { crew.play_on(1) }.with_data_fd(FD);
            let mut loan = queue.try_reserve(1).unwrap();
            loan.write(&message(1)).unwrap();
            queue.close();
            let producer = spawn(&crew, 1, move |_| {
                if commit {
                    assert!(loan.try_commit().is_ok());
                }
            });
            let consumer = spawn(&crew, 2, |queue| {
                // Until the loan ends there is nothing to pop; its end is signalled.
                let mut got = vec![];
                loop {
                    match take_polling(&queue) {
                        Ok(number) => got.push(number),
                        Err(error) => {
                            assert_eq!(error, Error::Closed);
                            break got;
                        }
                    }
                }
            });
            producer.join().unwrap();
            let mut got = consumer.join().unwrap();
            got.extend(finish(&crew));
            assert_eq!(got, if commit { vec![1] } else { vec![] });
        });
    }
}

#[test]
fn a_loop_hears_of_a_close() {
    model(3, || {
        let crew = Crew::new(ring(), false);
        let closer = spawn(&crew, 1, |queue| queue.with_data_fd(FD).close());
        let consumer = spawn(&crew, 2, |queue| take_polling(&queue));
        closer.join().unwrap();
        assert_eq!(consumer.join().unwrap(), Err(Error::Closed));
    });
}

#[test]
fn a_loop_that_pushes_hears_of_room() {
    for (config, joinable) in [(ring(), false), (ring(), true), (indexed(), false)] {
        model(3, move || {
            let crew = Crew::new(QueueConfig { joinable, ..config }, false);
            (1..3).for_each(|n| crew.play(1).try_push(&message(n)).unwrap());
            let consumer = spawn(&crew, 1, |queue| try_pop(&queue.with_space_fd(FD)));
            let producer = spawn(&crew, 2, |queue| push_polling(&queue, 3));
            assert_eq!(consumer.join().unwrap(), Ok(1));
            assert_eq!(producer.join().unwrap(), Ok(()));
            assert_eq!(finish(&crew), [2, 3]);
        });
    }
}

/// Somebody is slow in writing an earlier message.
#[test]
fn a_loop_sees_the_message_behind_a_loan() {
    for config in [ring(), indexed()] {
        model(2, move || {
            let crew = Crew::new(config, false);
            let loan = crew.play(3).try_reserve(3).unwrap();
            let producer = spawn(&crew, 1, |queue| queue.with_data_fd(FD).try_push(&message(1)));
            let consumer = spawn(&crew, 2, |queue| take_polling(&queue));
            assert_eq!(producer.join().unwrap(), Ok(()));
            assert_eq!(consumer.join().unwrap(), Ok(1));
            drop(loan);
        });
    }
}

/// Somebody is slow in reading an earlier message.
#[test]
fn a_loop_sees_the_room_behind_a_message_in_hand() {
    for config in [ring(), indexed()] {
        model(2, move || {
            let crew = Crew::new(config, false);
            let queue = crew.play(3);
            (1..3).for_each(|n| queue.try_push(&message(n)).unwrap());
            let held = queue.try_peek().unwrap();
            let consumer = spawn(&crew, 1, |queue| try_pop(&queue.with_space_fd(FD)));
            let producer = spawn(&crew, 2, |queue| push_polling(&queue, 3));
            assert_eq!(consumer.join().unwrap(), Ok(2));
            assert_eq!(producer.join().unwrap(), Ok(()));
            held.release();
            assert_eq!(finish(&crew), [3]);
        });
    }
}

/// Killed between its publish and its signal, or anywhere: the loop's next tick finds it all. Another message
/// tells the loop that there is no more to wait for.
#[test]
fn a_killed_producer_costs_the_loop_a_tick_at_most() {
    for config in [ring(), indexed()] {
        killed_at_every_access(8, 2, move |n| {
            let crew = Crew::new(config, true);
            let victim = spawn_victim(
                &crew,
                1,
                n,
                |queue| queue.with_data_fd(FD).try_push(&message(1)),
                |crew| {
                    // Nobody signals for this one.
                    crew.play(3).try_push(&message(3)).unwrap();
                    crew.finished.tick_until(1);
                },
            );
            let c = crew.clone();
            let consumer = spawn(&crew, 2, move |queue| {
                let got = take_polling(&queue);
                c.finished.add();
                got
            });
            let sent = victim.join().unwrap();
            let got = consumer.join().unwrap();
            let left = finish(&crew);
            match sent {
                Some(sent) => assert_eq!((sent, got, &left[..]), (Ok(()), Ok(1), &[][..])),
                None => assert!(
                    (got == Ok(1) && left == [3]) || (got == Ok(3) && (left.is_empty() || left == [1])),
                    "{got:?} {left:?}"
                ),
            }
            sent.is_none()
        });
    }
}
