//! Models of a joinable queue, the real one: `join` against pop, push, `task_done`, `give_back`, close. A wake-up
//! that is lost shows as a deadlock, as there are no ticks.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_join --target-dir target/loom`
//!
//! Each line was tried once, alone:
//!
//! | weakened or broken | fails |
//! |---|---|
//! | `looks`: loads Relaxed | a_chain_of_messages.. |
//! | `was_finished` walks once | a_chain_of_messages.. |
//! | a message in hand counts as finished | a_chain_of_messages.. |
//! | W and E differ in its sum | who_joins_does_not_wait_for_a_loan |
//! | the stamp not asked by `task_done` | a_ticket_is_good_once |
//! | nobody told when a message is done | of_two_who_finish_at_once.. |
//! | told before the slot is free | of_two_who_finish_at_once.. |
//! | no fence in `prepare` | of_two_who_finish_at_once.. |
//! | nobody told when a message is set aside | who_joins_is_woken_when_the_last_one_is_set_aside |
//! | nobody told of a slot given back at a close | who_joins_sees_through_a_close |
//!
//! No model fails for:
//! - no fence in `notify_all_if` (in models it stands for SeqCst): the one for those who wait for room has come
//!   just before, between the same two accesses.
//! - a poisoned orphan as one with E, W and H in the sum: takes a ring of four slots. The argument is at
//!   `was_finished`.
//! - the slot not looked at by `task_done`: the stamp alone refuses what these models try. The look is for
//!   tickets of the dead.
//!
//! A lap between both walks of two tries running costs a tick; see `was_finished`.
#![cfg(rialto_loom)]

#[path = "models/crew.rs"]
mod crew;
mod models;

use crew::*;
use loom::{sync::Arc, thread};
use models::model;
use rialto::{
    Error, OnDeath, QueueConfig, Ticket,
    queue::Queue,
    sync::{AtomicU64, Ordering::*},
};

fn joinable() -> QueueConfig {
    QueueConfig { joinable: true, ..ring() }
}

fn both(config: QueueConfig) -> [QueueConfig; 2] {
    [config, QueueConfig { kind: indexed().kind, ..config }]
}

/// Pops, without saying that it is done.
fn take(queue: &Queue<'_, Crew>) -> (usize, Ticket) {
    let mut buffer = [0; LONGEST];
    let popped = queue.pop(&mut buffer).unwrap();
    (number(&buffer[..popped.len]), popped.ticket)
}

fn work(queue: &Queue<'_, Crew>) {
    let (_, ticket) = take(queue);
    queue.task_done(ticket).unwrap();
}

// ---- never true unless there was an instant

/// Each message is followed by the next one before it is done: there is always one, until the last.
fn a_chain(config: QueueConfig, links: usize, preemptions: usize) {
    model(preemptions, move || {
        let crew = Crew::new(config, false);
        let over = Arc::new(AtomicU64::new(0));
        crew.play(1).try_push(&message(1)).unwrap();
        let last = over.clone();
        let worker = spawn(&crew, 1, move |queue| {
            for link in 1..=links {
                let (number, ticket) = take(&queue);
                assert_eq!(number, link);
                if link < links {
                    queue.try_push(&message(link + 1)).unwrap();
                } else {
                    last.store(1, Relaxed);
                }
                queue.task_done(ticket).unwrap();
            }
        });
        let joiner = spawn(&crew, 2, move |queue| {
            if queue.join_timeout(0).is_ok() {
                assert_eq!(over.load(Relaxed), 1, "joined in the midst");
            }
        });
        worker.join().unwrap();
        joiner.join().unwrap();
    });
}

#[test]
fn a_chain_of_messages_is_not_over_before_the_last_one() {
    for config in both(joinable()) {
        a_chain(config, 2, 3);
        a_chain(config, 3, 3);
    }
}

// ---- no wake-up is lost

#[test]
fn who_joins_is_woken_by_the_last_one_done() {
    for config in both(joinable()) {
        model(3, move || {
            let crew = Crew::new(config, false);
            crew.play(1).try_push(&message(1)).unwrap();
            let worker = spawn(&crew, 1, |queue| work(&queue));
            let joiner = spawn(&crew, 2, |queue| assert_eq!(queue.join(), Ok(())));
            worker.join().unwrap();
            joiner.join().unwrap();
        });
    }
}

#[test]
fn of_two_who_finish_at_once_one_wakes_who_joins() {
    model(3, || {
        let crew = Crew::new(joinable(), false);
        let [one, two] = {
            let queue = crew.play(1);
            [1, 2].iter().for_each(|n| queue.try_push(&message(*n)).unwrap());
            [take(&queue).1, take(&queue).1]
        };
        let one = spawn(&crew, 1, move |queue| queue.task_done(one).unwrap());
        let two = spawn(&crew, 1, move |queue| queue.task_done(two).unwrap());
        let joiner = spawn(&crew, 2, |queue| assert_eq!(queue.join(), Ok(())));
        one.join().unwrap();
        two.join().unwrap();
        joiner.join().unwrap();
    });
}

/// Given back as often as allowed, it is set aside, and nobody would finish it.
#[test]
fn who_joins_is_woken_when_the_last_one_is_set_aside() {
    for on_death in [OnDeath::Redeliver, OnDeath::Stop] {
        model(3, move || {
            let config = QueueConfig { max_attempts: 1, on_death, ..joinable() };
            let crew = Crew::new(config, false);
            let ticket = {
                let queue = crew.play(1);
                queue.try_push(&message(1)).unwrap();
                let (_, mut ticket) = take(&queue);
                if on_death == OnDeath::Redeliver {
                    queue.give_back(ticket).unwrap();
                    ticket = take(&queue).1;
                }
                ticket
            };
            let worker = spawn(&crew, 1, move |queue| queue.give_back(ticket).unwrap());
            let joiner = spawn(&crew, 2, |queue| assert_eq!(queue.join(), Ok(())));
            worker.join().unwrap();
            joiner.join().unwrap();
            assert_eq!(crew.queue().poisoned(), 1);
        });
    }
}

/// A loan is no message: nobody waits for it to end.
#[test]
fn who_joins_does_not_wait_for_a_loan() {
    model(3, || {
        let crew = Crew::new(joinable(), false);
        let c = crew.clone();
        let producer = spawn(&crew, 1, move |queue| {
            drop(queue.try_reserve(1).unwrap());
            let loan = queue.try_reserve(1).unwrap();
            while c.finished.get() == 0 {
                thread::yield_now();
            }
            drop(loan);
        });
        let c = crew.clone();
        let joiner = spawn(&crew, 2, move |queue| {
            assert_eq!(queue.join(), Ok(()));
            c.finished.add();
        });
        producer.join().unwrap();
        joiner.join().unwrap();
    });
}

/// What a producer gave back at the last moment is told too.
#[test]
fn who_joins_sees_through_a_close() {
    model(3, || {
        let crew = Crew::new(joinable(), false);
        let ticket = {
            let queue = crew.play(1);
            queue.try_push(&message(1)).unwrap();
            take(&queue).1
        };
        let producer = spawn(&crew, 1, move |queue| {
            queue.task_done(ticket).unwrap();
            if queue.try_push(&message(1)).is_ok() {
                work(&queue);
            }
        });
        let closer = spawn(&crew, 2, |queue| queue.close());
        let joiner = spawn(&crew, 3, |queue| assert_eq!(queue.join(), Ok(())));
        producer.join().unwrap();
        closer.join().unwrap();
        joiner.join().unwrap();
    });
}

// ---- tickets

#[test]
fn a_ticket_is_good_once() {
    model(4, || {
        let crew = Crew::new(joinable(), false);
        let ticket = {
            let queue = crew.play(1);
            queue.try_push(&message(1)).unwrap();
            take(&queue).1
        };
        let done = [true, false].map(|done| {
            spawn(&crew, 1, move |queue| if done { queue.task_done(ticket) } else { queue.give_back(ticket) })
        });
        let results = done.map(|thread| thread.join().unwrap());
        assert!(
            matches!(results, [Ok(()), Err(Error::NotOwner)] | [Err(Error::NotOwner), Ok(())]),
            "{results:?}"
        );
        let left = finish(&crew);
        assert_eq!(left, if results[0].is_ok() { vec![] } else { vec![1] });
    });
}
