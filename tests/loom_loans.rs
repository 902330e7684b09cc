//! Models of loans and batches on the real queue: loans that are overtaken, dropped, or outlive their member;
//! borrowers killed at every shared access; one wake for several messages. Messages are told by their length,
//! which loom watches, and their bytes are compared with it.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_loans --target-dir target/loom`
//!
//! Each line was tried once, alone:
//!
//! | broken in `src/queue/reserved.rs`, `push`, `pop` | fails |
//! |---|---|
//! | the old slot given back before it is copied | a_loan_that_was_overtaken_is_delivered_once |
//! | the new slot's length not written | a_loan_that_was_overtaken_*, a_killed_borrower_whom.. |
//! | the old slot kept | a_loan_that_was_overtaken_*, a_killed_borrower_whom.. |
//! | nobody told that the old slot is free | a_loan_that_was_overtaken_is_delivered_once |
//! | consumers told before the publish | a_loan_that_was_overtaken_is_delivered_once |
//! | a dropped loan's room told to nobody | who_waits_for_room_is_told_when_a_loan_is_dropped |
//! | `is_still` not asked before a loan moves | a_loan_that_outlives_its_member_is_not_sent |
//! | `cancel_if` without asking | a_loan_that_outlives_its_member_takes_nothing_from_the_next |
//! | `pop_many` tells one of two who wait for room | a_batch_makes_room_for_as_many_as_it_took |
//!
//! No model fails for:
//! - `push_many` waking one consumer of two: each who is woken and sees more, wakes the next. The count saves
//!   time only (or where one of them is killed).
//! - that passing on left out: then the count does it.
//! - `try_publish`'s failure Relaxed: an old answer to `is_still` makes the loan move and be sent under an id that
//!   is nobody's, which the counts here do not tell.
#![cfg(rialto_loom)]

#[path = "models/crew.rs"]
mod crew;
mod models;

use crew::*;
use loom::sync::Arc;
use models::{killed_at_every_access, model};
use rialto::{
    Error, Popped, QueueConfig,
    queue::{Queue, Reserved},
};

/// A loan of member `id`'s, of message 3, written, to go on with in another thread. All threads are joined before
/// the crew is gone.
fn loan(crew: &Arc<Crew>, id: u16) -> Reserved<'static, Crew> {
    // SAFETY: see above.
    let mut loan = unsafe { crew.play_on(id) }.try_reserve(3).unwrap();
    loan.write(&message(3)).unwrap();
    loan
}

fn commit(loan: Reserved<'_, Crew>) -> rialto::Result<()> {
    loan.commit().map_err(|(_, error)| error)
}

fn sorted(mut numbers: Vec<usize>) -> Vec<usize> {
    numbers.sort();
    numbers
}

// ---- overtaken

/// A later message is popped while the loan is out: its place is void, and it is copied into another slot.
#[test]
fn a_loan_that_was_overtaken_is_delivered_once() {
    for kill_only in [false, true] {
        for config in [ring(), indexed()] {
            from_both_ends(2, move || {
                let crew = Crew::new(QueueConfig { kill_only, ..config }, false);
                let loan = loan(&crew, 1);
                crew.play(2).try_push(&message(2)).unwrap();
                let writer = spawn(&crew, 1, move |_| commit(loan));
                let reader = spawn(&crew, 3, |queue| {
                    let first = pop(&queue);
                    queue.push(&message(5)).unwrap(); // into the slot that the loan has left, maybe
                    [first, pop(&queue), pop(&queue)]
                });
                assert_eq!(writer.join().unwrap(), Ok(()));
                let got = reader.join().unwrap().map(|got| got.unwrap());
                assert_eq!(sorted(got.to_vec()), [2, 3, 5]);
                assert_eq!(finish(&crew), []);
            });
        }
    }
}

/// There is no room for the copy until somebody pops: the loan waits, and is woken.
#[test]
fn a_loan_that_was_overtaken_waits_for_room() {
    model(2, || {
        let crew = Crew::new(ring(), false);
        let loan = loan(&crew, 1);
        let queue = crew.play(2);
        queue.try_push(&message(2)).unwrap();
        assert_eq!(try_pop(&queue), Ok(2)); // overtaken
        queue.try_push(&message(4)).unwrap();
        let writer = spawn(&crew, 1, move |_| commit(loan));
        let reader = spawn(&crew, 3, |queue| [pop(&queue), pop(&queue)]);
        assert_eq!(writer.join().unwrap(), Ok(()));
        assert_eq!(reader.join().unwrap(), [Ok(4), Ok(3)]);
        assert_eq!(finish(&crew), []);
    });
}

/// Others push and pop around a loan that ends unused: its slot comes back, whatever its turn is by then.
#[test]
fn a_loan_that_is_dropped_gives_its_room_back() {
    for config in [ring(), indexed()] {
        model(3, move || {
            let crew = Crew::new(config, false);
            let loan = loan(&crew, 1);
            let dropper = spawn(&crew, 1, move |_| drop(loan));
            let other = spawn(&crew, 2, |queue| {
                let mut got = vec![];
                for number in [4, 5] {
                    queue.push(&message(number)).unwrap();
                    got.push(pop(&queue).unwrap());
                }
                got
            });
            dropper.join().unwrap();
            assert_eq!(other.join().unwrap(), [4, 5]);
            assert_eq!(finish(&crew), []);
        });
    }
}

/// Two slots are full, one of a loan: who waits for room is told when it is dropped.
#[test]
fn who_waits_for_room_is_told_when_a_loan_is_dropped() {
    for config in [ring(), indexed()] {
        model(3, move || {
            let crew = Crew::new(config, false);
            let loan = loan(&crew, 1);
            crew.play(2).try_push(&message(2)).unwrap();
            let dropper = spawn(&crew, 1, move |_| drop(loan));
            let producer = spawn(&crew, 2, |queue| queue.push(&message(4)));
            dropper.join().unwrap();
            assert_eq!(producer.join().unwrap(), Ok(()));
            assert_eq!(finish(&crew), [2, 4]);
        });
    }
}

// ---- the borrower dies

/// Killed anywhere between the reservation and the end of the commit, overtaken or not.
fn borrower_killed(config: QueueConfig, overtaken: bool) {
    killed_at_every_access(4, 2, move |n| {
        let crew = Crew::new(config, true);
        let victim = spawn_victim(
            &crew,
            1,
            n,
            |queue| {
                let mut loan = queue.try_reserve(3).unwrap();
                loan.write(&message(3)).unwrap();
                loan.try_commit().map_err(|(_, error)| error)
            },
            |_| {},
        );
        let other = spawn(&crew, 2, move |queue| {
            let mut got = vec![];
            let pushed = overtaken && queue.try_push(&message(2)).is_ok();
            got.extend(try_pop(&queue));
            queue.arm_data(); // recovers
            got.extend(try_pop(&queue));
            (got, pushed)
        });
        let sent = victim.join().unwrap();
        let (mut got, pushed) = other.join().unwrap();
        got.extend(finish(&crew));
        let mut expected = vec![];
        expected.extend(pushed.then_some(2));
        expected.extend((sent == Some(Ok(())) || sent.is_none() && got.contains(&3)).then_some(3));
        assert_eq!(sorted(got), expected, "{sent:?}");
        sent.is_none()
    });
}

#[test]
fn a_killed_borrower_has_sent_its_message_or_not_and_keeps_no_room() {
    borrower_killed(ring(), false);
    borrower_killed(indexed(), false);
    borrower_killed(QueueConfig { kill_only: true, ..ring() }, false);
}

#[test]
fn a_killed_borrower_whom_others_overtook_keeps_no_room() {
    borrower_killed(ring(), true);
    borrower_killed(indexed(), true);
}

/// Its member is found dead, and recovered, before it commits or drops (it has left, or its thread is gone): it is
/// told, and takes nothing from whoever has the slot now. (What it writes there, its length too, nobody can hinder:
/// all messages are of one length here.)
#[test]
fn a_loan_that_outlives_its_member_is_not_sent() {
    for config in [ring(), indexed()] {
        for dropped in [false, true] {
            from_both_ends(2, move || {
                let crew = Crew::new(config, true);
                let loan = loan(&crew, 1);
                let writer =
                    spawn(&crew, 1, move |_| if dropped { Err(Error::NotOwner) } else { commit(loan) });
                let c = crew.clone();
                let other = spawn(&crew, 2, move |queue| {
                    c.bury(1);
                    c.recover();
                    (0..2).filter(|_| queue.try_push(&message(3)).is_ok()).count()
                });
                let sent = writer.join().unwrap();
                let pushed = other.join().unwrap();
                if let Err(error) = sent {
                    assert_eq!(error, Error::NotOwner);
                }
                let left = finish(&crew).len();
                if config == ring() {
                    assert_eq!(left, pushed + usize::from(sent.is_ok()));
                } else {
                    // Its entry was sent, and the block it names freed just before.
                    assert!((pushed..=pushed + usize::from(sent.is_ok())).contains(&left));
                }
            });
        }
    }
}

/// The id is somebody else's by then, and the slot too.
#[test]
fn a_loan_that_outlives_its_member_takes_nothing_from_the_next() {
    for config in [ring(), indexed()] {
        from_both_ends(3, move || {
            let crew = Crew::new(config, true);
            let loan = loan(&crew, 1);
            let dropper = spawn(&crew, 1, move |_| drop(loan));
            let c = crew.clone();
            let next = spawn(&crew, 2, move |_| {
                c.bury(1);
                c.recover();
                c.reissue(1);
                let queue = c.play(1);
                let held = [queue.try_reserve(1).unwrap(), queue.try_reserve(1).unwrap()];
                assert_eq!(queue.try_push(&message(1)), Err(Error::WouldBlock), "robbed");
                drop(held);
            });
            dropper.join().unwrap();
            next.join().unwrap();
            assert_eq!(finish(&crew), []);
        });
    }
}

// ---- batches

/// One wake for two messages, and two who sleep.
#[test]
fn a_batch_wakes_as_many_as_it_has_messages() {
    model(0, || {
        let crew = Crew::new(ring(), false);
        let producer = spawn(&crew, 1, |queue| queue.try_push_many(&[&message(1)[..], &message(2)[..]]));
        let consumers = [2, 3].map(|id| spawn(&crew, id, |queue| pop(&queue)));
        assert_eq!(producer.join().unwrap(), Ok(2));
        let got = consumers.map(|consumer| consumer.join().unwrap().unwrap());
        assert_eq!(sorted(got.to_vec()), [1, 2]);
    });
}

fn pop_two(queue: &Queue<'_, Crew>) -> Vec<usize> {
    let (mut buffer, mut popped) = ([0; 2 * LONGEST], [Popped::default(); 2]);
    let count = queue.pop_many(&mut buffer, &mut popped).unwrap();
    let number = |i: usize| number(&buffer[i * LONGEST..][..popped[i].len]);
    (0..count).map(number).collect()
}

/// One wake for the room of two, and two who wait for room.
#[test]
fn a_batch_makes_room_for_as_many_as_it_took() {
    model(0, || {
        let crew = Crew::new(ring(), false);
        (1..3).for_each(|n| crew.play(1).try_push(&message(n)).unwrap());
        let producers = [2, 3].map(|id| spawn(&crew, id, move |queue| queue.push(&message(usize::from(id)))));
        let consumer = spawn(&crew, 1, |queue| pop_two(&queue));
        assert_eq!(consumer.join().unwrap(), [1, 2]);
        producers.into_iter().for_each(|producer| assert_eq!(producer.join().unwrap(), Ok(())));
        assert_eq!(sorted(finish(&crew)), [2, 3]);
    });
}

/// Killed with two in hand: both come again, marked, unless they were given back before.
#[test]
fn a_killed_batch_comes_again() {
    killed_at_every_access(8, 2, |n| {
        let crew = Crew::new(ring(), true);
        (1..3).for_each(|n| crew.play(6).try_push(&message(n)).unwrap());
        let victim = spawn_victim(&crew, 1, n, |queue| pop_two(&queue), |_| {});
        let other = spawn(&crew, 2, |queue| {
            let mut got = vec![];
            queue.arm_data(); // recovers
            got.extend(try_pop(&queue));
            got
        });
        let done = victim.join().unwrap();
        let mut got = other.join().unwrap();
        got.extend(finish(&crew));
        let killed = done.is_none();
        got.extend(done.into_iter().flatten());
        let got = sorted(got);
        assert!(got == [1, 2] || killed && got.len() < 2, "{got:?}");
        killed
    });
}
