//! Models of how the real queue ends: closed with loans out, closed while somebody pushes, stopped by a death.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_close --target-dir target/loom`
//!
//! Each line was tried once, alone:
//!
//! | weakened or broken | fails |
//! |---|---|
//! | a push does not look at `closed` behind its reservation | nothing_is_sent_behind_the_end |
//! | no fence before that look (in models: stands for SeqCst) | nothing_is_sent_behind_the_end |
//! | `drained` does not look for writers | nothing_is_sent.., a_loan_that_is_committed.. |
//! | that look Relaxed | nothing_is_sent.., a_loan_that_is_committed.. |
//! | an indexed queue's W->F Relaxed | nothing_is_sent.., a_loan_that_is_committed.. |
//! | the last message wakes one, not all | a_loan_that_is_committed_ends_the_stream_for_all |
//! | a dropped loan is told to nobody who pops | a_loan_that_is_dropped_ends_the_stream_for_all |
//! | a claim with limit 0 clears the orphan word | a_queue_that_stops_stays_stopped |
//!
//! No model fails for: no fence in `drained` (the closer here is the consumer itself, and `prepare`'s comes before
//! in the others; `loom_ring` h shows it); a slot given back at a close told to nobody (`loom_join` shows that
//! one). Not modelled: a push into an indexed queue that finds no entry while the queue is being closed.
#![cfg(rialto_loom)]

#[path = "models/crew.rs"]
mod crew;
mod models;

use crew::*;
use models::model;
use rialto::{Error, OnDeath, QueueConfig};

// ---- closed under a loan

/// A loan is out when the queue is closed. However it ends, all who pop get to the end, and behind it is nothing.
fn closed_under_a_loan(config: QueueConfig, consumers: u16, commit: bool, preemptions: usize) {
    model(preemptions, move || {
        let crew = Crew::new(config, false);
        // SAFETY: all threads are joined before the crew is gone.
        let mut loan = unsafe { crew.play_on(1) }.try_reserve(3).unwrap();
        loan.write(&message(3)).unwrap();
        crew.queue().close();
        let producer = spawn(&crew, 1, move |_| {
            // Nobody overtakes it, so it need not wait.
            commit && loan.try_commit().map_err(|(_, error)| error).is_ok()
        });
        let consumers: Vec<_> = (0..consumers).map(|c| spawn(&crew, 2 + c, |queue| pop(&queue))).collect();
        assert_eq!(producer.join().unwrap(), commit);
        let got: Vec<_> = consumers.into_iter().map(|c| c.join().unwrap()).collect();
        assert_eq!(got.iter().filter(|got| **got == Ok(3)).count(), usize::from(commit));
        assert!(got.iter().all(|got| matches!(got, Ok(3) | Err(Error::Closed))), "{got:?}");
        assert_eq!(finish(&crew), []);
    });
}

#[test]
fn a_loan_that_is_committed_ends_the_stream_for_all() {
    for config in [ring(), indexed()] {
        closed_under_a_loan(config, 1, true, 2);
        closed_under_a_loan(config, 2, true, 1);
    }
}

#[test]
fn a_loan_that_is_dropped_ends_the_stream_for_all() {
    for config in [ring(), indexed()] {
        closed_under_a_loan(config, 1, false, 2);
        closed_under_a_loan(config, 2, false, 1);
    }
}

/// A producer begins when the queue is just being closed: what it sends is not behind the end.
#[test]
fn nothing_is_sent_behind_the_end() {
    for config in [ring(), indexed()] {
        model(2, move || {
            let crew = Crew::new(config, false);
            let producer = spawn(&crew, 1, |queue| queue.try_push(&message(3)));
            let closer = spawn(&crew, 2, |queue| {
                queue.close();
                try_pop(&queue)
            });
            let sent = producer.join().unwrap();
            let got = closer.join().unwrap();
            let left = finish(&crew);
            if got == Err(Error::Closed) {
                assert_eq!(left, [], "sent behind the end");
            }
            assert_eq!(usize::from(got.is_ok()) + left.len(), usize::from(sent.is_ok()));
        });
    }
}

// ---- stopped

/// Whoever popped at the moment of the death does not hide it from the others.
#[test]
fn a_queue_that_stops_stays_stopped() {
    for config in [ring(), indexed()] {
        let config = QueueConfig { on_death: OnDeath::Stop, ..config };
        model(3, move || {
            let crew = Crew::new(config, true);
            let queue = crew.play(6);
            queue.try_push(&message(1)).unwrap();
            queue.try_push(&message(2)).unwrap();
            let queue = crew.play(1);
            core::mem::forget(queue.try_peek().unwrap());
            crew.bury(1);
            let c = crew.clone();
            let recoverer = spawn(&crew, 2, move |_| c.recover());
            let consumer = spawn(&crew, 3, |queue| try_pop(&queue));
            recoverer.join().unwrap();
            let got = consumer.join().unwrap();
            assert!(matches!(got, Ok(2) | Err(Error::Poisoned)), "{got:?}");
            let queue = crew.play(4);
            assert_eq!(try_pop(&queue), Err(Error::Poisoned));
        });
    }
}
