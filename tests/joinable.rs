//! A joinable queue: the documentation of `multiprocessing.JoinableQueue` and `queue.Queue`, case by case, and
//! what is different here on purpose (a ticket for each message instead of a count). Every case on a ring and
//! on an indexed queue; the region's tick is a minute, so whoever has to be woken must be woken.
//! TESTING.md has the table.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Depth, Error, OnDeath, Popped, Queue, QueueConfig, QueueKind, Region, Ticket};
use std::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::{Duration, Instant},
};
use sync_kit::*;

const KINDS: [QueueKind; 2] = [QueueKind::Ring, QueueKind::Indexed];

fn config(kind: QueueKind) -> QueueConfig {
    QueueConfig { kind, joinable: true, ..QueueConfig::new(4, 8) }
}

/// For each kind: a joinable queue of four, in a region of its own.
fn each(f: impl Fn(&'static Region, Queue<'static>)) {
    for kind in KINDS {
        let region = region(NO_TICK_MS);
        f(region, region.create_queue("q", &config(kind)).unwrap());
    }
}

fn pop(queue: Queue) -> Popped {
    queue.try_pop(&mut [0; 8]).expect("a message")
}

// ---- task_done and join

#[test]
fn join_of_a_queue_that_never_had_anything_returns_at_once() {
    each(|_, queue| {
        assert_eq!((queue.unfinished(), queue.join(), queue.join_timeout(0)), (0, Ok(()), Ok(())));
    });
}

/// "The count of unfinished tasks goes up whenever an item is added to the queue. The count goes down whenever
/// a consumer calls task_done()": not when it is gotten.
#[test]
fn the_count_goes_up_with_every_way_to_push_and_down_with_task_done_only() {
    each(|_, queue| {
        queue.push(b"1").unwrap();
        assert_eq!(queue.push_many(&[b"2", b"3"]), Ok(2));
        let loan = queue.reserve(1).unwrap();
        assert_eq!(queue.unfinished(), 3, "a loan is no message yet");
        loan.commit().map_err(|(_, error)| error).unwrap();
        assert_eq!(queue.unfinished(), 4);
        let mut popped = [Popped::default(); 4];
        let mut tickets = vec![pop(queue).ticket];
        assert_eq!(queue.pop_many(&mut [0; 24], &mut popped), Ok(3));
        tickets.extend(popped[..3].iter().map(|popped| popped.ticket));
        assert_eq!((queue.unfinished(), queue.len()), (4, 0));
        for (done, ticket) in tickets.into_iter().enumerate() {
            assert_eq!(queue.join_timeout(0), Err(Error::WouldBlock));
            assert_eq!((queue.unfinished(), queue.task_done(ticket)), (4 - done, Ok(())));
        }
        assert_eq!((queue.unfinished(), queue.join()), (0, Ok(())));
    });
}

/// "If a join() is currently blocking, it will resume when all items have been processed."
#[test]
fn all_who_join_go_on_at_the_last_task_done_and_not_before() {
    each(|_, queue| {
        queue.push_many(&[b"1", b"2", b"3"]).unwrap();
        let joining: Vec<_> = (0..3).map(|_| Waiter::asleep(move || queue.join())).collect();
        let tickets = [(); 3].map(|()| pop(queue).ticket);
        for ticket in tickets {
            assert!(joining.iter().all(|joining| !joining.is_done()));
            joining.iter().for_each(Waiter::wait_asleep);
            queue.task_done(ticket).unwrap();
        }
        joining.into_iter().for_each(|joining| assert_eq!(joining.join(), Ok(())));
    });
}

#[test]
fn a_processs_join_goes_on_when_another_process_is_done() {
    each(|_, queue| {
        queue.push(b"1").unwrap();
        let joining = Child::fork(|| ensure!(queue.join() == Ok(())));
        joining.wait_asleep();
        let worker = Child::fork(|| ensure!(queue.task_done(pop(queue).ticket) == Ok(())));
        worker.succeeded();
        joining.succeeded();
    });
}

/// A message that was released, not popped, is done too.
#[test]
fn a_message_that_was_peeked_is_done_when_it_is_released() {
    each(|_, queue| {
        queue.push(b"1").unwrap();
        let peeked = queue.peek().unwrap();
        let joining = Waiter::asleep(move || queue.join());
        assert_eq!(queue.unfinished(), 1);
        peeked.release();
        assert_eq!(joining.join(), Ok(()));
    });
}

/// "Raises a ValueError if called more times than there were items placed in the queue."
#[test]
fn task_done_too_often_is_refused_and_changes_nothing() {
    each(|_, queue| {
        assert_eq!(queue.task_done(Ticket::default()), Err(Error::NotOwner));
        queue.push_many(&[b"1", b"2"]).unwrap();
        assert_eq!(queue.task_done(Ticket::default()), Err(Error::NotOwner));
        let (first, second) = (pop(queue).ticket, pop(queue).ticket);
        assert_eq!(queue.task_done(first), Ok(()));
        for _ in 0..3 {
            assert_eq!(queue.task_done(first), Err(Error::NotOwner));
            assert_eq!(queue.give_back(first), Err(Error::NotOwner));
        }
        assert_eq!((queue.unfinished(), queue.join_timeout(0)), (1, Err(Error::WouldBlock)));
        assert_eq!(queue.task_done(second), Ok(()));
    });
}

/// The slot is another message's by now.
#[test]
fn a_used_ticket_finishes_none_of_the_messages_that_come_later() {
    each(|_, queue| {
        let mut used = vec![];
        for lap in 0..20 {
            queue.push(b"m").unwrap();
            let ticket = pop(queue).ticket;
            used.iter().for_each(|old| assert_eq!(queue.task_done(*old), Err(Error::NotOwner), "lap {lap}"));
            assert_eq!(queue.task_done(ticket), Ok(()));
            used.push(ticket);
        }
    });
}

/// In Python anybody may call it, for any item; here it is whose message it is.
#[test]
fn task_done_by_another_member_is_refused() {
    each(|region, queue| {
        queue.push(b"1").unwrap();
        let ticket = pop(queue).ticket;
        let refused = Err(Error::NotOwner);
        assert_eq!(std::thread::spawn(move || queue.task_done(ticket)).join().unwrap(), refused);
        let member = region.join().unwrap();
        assert_eq!(queue.as_member(&member).task_done(ticket), refused);
        Child::fork(|| ensure!(queue.task_done(ticket) == refused)).succeeded();
        assert_eq!((queue.unfinished(), queue.task_done(ticket)), (1, Ok(())));
    });
}

#[test]
fn any_thread_may_say_it_as_the_member_who_popped() {
    each(|region, queue| {
        queue.push(b"1").unwrap();
        let member = region.join().unwrap();
        let ticket = queue.as_member(&member).pop(&mut [0; 8]).unwrap().ticket;
        std::thread::scope(|scope| {
            let result = scope.spawn(|| queue.as_member(&member).task_done(ticket));
            assert_eq!(result.join().unwrap(), Ok(()));
        });
    });
}

/// Two threads, one ticket: one of them is told that it is done already.
#[test]
fn of_two_who_finish_the_same_message_at_once_one_is_refused() {
    each(|region, queue| {
        let member = region.join().unwrap();
        let queue = queue.as_member(&member);
        for _ in 0..2000 {
            queue.push(b"1").unwrap();
            let ticket = queue.pop(&mut [0; 8]).unwrap().ticket;
            let standing = AtomicU32::new(0);
            let finish = || {
                standing.fetch_add(1, SeqCst);
                (0..10_000).take_while(|_| standing.load(SeqCst) < 2).for_each(|_| std::hint::spin_loop());
                queue.task_done(ticket)
            };
            let (one, other) = std::thread::scope(|scope| {
                let other = scope.spawn(finish);
                (finish(), other.join().unwrap())
            });
            assert!([one, other].contains(&Ok(())) && [one, other].contains(&Err(Error::NotOwner)));
        }
        assert_eq!(queue.join(), Ok(()));
    });
}

/// Whoever has the id of a member that is gone has none of its messages.
#[test]
fn the_ticket_of_one_who_died_frees_nothing_of_the_ids_next_holder() {
    for (kind, on_death) in
        KINDS.into_iter().flat_map(|kind| [(kind, OnDeath::Drop), (kind, OnDeath::Redeliver)])
    {
        let region = region(NO_TICK_MS);
        let config = QueueConfig { on_death, slots: 2, ..config(kind) };
        let queue = region.create_queue("q", &config).unwrap();
        queue.push(b"old").unwrap();
        let first = region.join().unwrap();
        let (id, ticket) = (first.id(), queue.as_member(&first).pop(&mut [0; 8]).unwrap().ticket);
        drop(first);
        if on_death == OnDeath::Redeliver {
            queue.peek().unwrap().release();
        }
        let second = region.join().unwrap();
        assert_eq!(second.id(), id, "the test is about one id");
        let theirs = queue.as_member(&second);
        for _ in 0..4 {
            theirs.push(b"new").unwrap();
            let peeked = theirs.try_peek().unwrap();
            assert_eq!(theirs.task_done(ticket), Err(Error::NotOwner), "{config:?}");
            assert_eq!(queue.unfinished(), 1, "it is in hand still");
            peeked.release();
        }
    }
}

#[test]
fn without_joinable_there_is_no_join_and_no_ticket() {
    for kind in KINDS {
        let config = QueueConfig { joinable: false, ..config(kind) };
        let queue = region(NO_TICK_MS).create_queue("q", &config).unwrap();
        assert_eq!(
            (queue.join(), queue.join_timeout(MS)),
            (Err(Error::NotSupported), Err(Error::NotSupported))
        );
        queue.push(b"1").unwrap();
        assert_eq!(queue.task_done(pop(queue).ticket), Err(Error::NotOwner));
        assert_eq!(queue.unfinished(), 0, "done when it was popped");
    }
}

/// Python's has no timeout.
#[test]
fn join_with_a_timeout_is_never_early_and_0_polls() {
    each(|_, queue| {
        queue.push(b"1").unwrap();
        assert_eq!(queue.join_timeout(0), Err(Error::WouldBlock));
        for timeout_ns in [1, 1000, 30 * MS] {
            let begin = Instant::now();
            assert_eq!(queue.join_timeout(timeout_ns), Err(Error::TimedOut));
            assert!(begin.elapsed() >= Duration::from_nanos(timeout_ns), "early: {:?}", begin.elapsed());
        }
        let joining = Waiter::asleep(move || queue.join_timeout(60 * SECOND));
        queue.task_done(pop(queue).ticket).unwrap();
        assert_eq!(joining.join(), Ok(()));
    });
}

/// Tasks that make tasks: "meaning that a task_done() call was received for every item that had been put()".
#[test]
fn join_waits_for_what_is_pushed_while_it_waits() {
    each(|_, queue| {
        queue.push(b"1").unwrap();
        let joining = Waiter::asleep(move || queue.join());
        for _ in 0..50 {
            let ticket = pop(queue).ticket;
            queue.push(b"next").unwrap();
            queue.task_done(ticket).unwrap();
            assert!(!joining.is_done());
        }
        queue.task_done(pop(queue).ticket).unwrap();
        assert_eq!(joining.join(), Ok(()));
    });
}

// ---- maxsize: what is unfinished takes room

/// "Insertion will block once this size has been reached, until queue items are consumed": here, until they
/// are done.
#[test]
fn unfinished_messages_take_room_until_task_done() {
    each(|_, queue| {
        assert_eq!(queue.capacity(), 4);
        assert_eq!(queue.try_push_many(&[b"1", b"2", b"3", b"4", b"5"]), Ok(4));
        assert!(queue.is_full());
        let tickets = [(); 4].map(|()| pop(queue).ticket);
        assert_eq!(
            (queue.try_push(b"6"), queue.try_reserve(1).err()),
            (Err(Error::WouldBlock), Some(Error::WouldBlock))
        );
        assert!(queue.is_full() && queue.is_empty());
        let pushing = Waiter::asleep(move || queue.push(b"6"));
        queue.task_done(tickets[2]).unwrap();
        assert_eq!(pushing.join(), Ok(()));
        assert_eq!(queue.unfinished(), 4);
    });
}

// ---- close (queue.Queue.shutdown)

/// "The queue can no longer grow; future calls to put() raise; once it is empty, future calls to get() raise."
/// Unfinished tasks are still to be done: join waits for them.
#[test]
fn after_close_what_is_there_is_popped_and_done_and_join_waits_for_it() {
    each(|_, queue| {
        queue.push_many(&[b"1", b"2"]).unwrap();
        let first = pop(queue).ticket;
        queue.close();
        assert_eq!(queue.push(b"3"), Err(Error::Closed));
        let joining = Waiter::asleep(move || queue.join());
        let second = pop(queue).ticket;
        assert_eq!(queue.pop(&mut [0; 8]), Err(Error::Closed));
        queue.task_done(first).unwrap();
        joining.wait_asleep();
        assert!(!joining.is_done());
        queue.task_done(second).unwrap();
        assert_eq!((joining.join(), queue.join_timeout(0)), (Ok(()), Ok(())));
    });
}

#[test]
fn a_message_given_back_after_close_comes_again_and_then_the_end_does() {
    each(|_, queue| {
        queue.push(b"1").unwrap();
        let ticket = pop(queue).ticket;
        queue.close();
        assert_eq!(queue.try_pop(&mut [0; 8]), Err(Error::Closed));
        queue.give_back(ticket).unwrap();
        let again = pop(queue);
        assert_eq!(again.attempt, 1);
        queue.task_done(again.ticket).unwrap();
        assert_eq!((queue.try_pop(&mut [0; 8]), queue.join()), (Err(Error::Closed), Ok(())));
    });
}

// ---- deaths, and messages that are given back: Python loses them

#[test]
fn a_message_that_was_given_back_is_unfinished_and_comes_again_marked() {
    each(|_, queue| {
        queue.push(b"1").unwrap();
        let ticket = pop(queue).ticket;
        queue.give_back(ticket).unwrap();
        assert_eq!((queue.unfinished(), queue.len(), queue.join_timeout(0)), (1, 1, Err(Error::WouldBlock)));
        let again = pop(queue);
        assert_eq!((again.attempt, again.redelivered()), (1, true));
        assert_eq!(queue.task_done(ticket), Err(Error::NotOwner), "that was the first time");
        assert_eq!((queue.task_done(again.ticket), queue.join()), (Ok(()), Ok(())));
    });
}

/// The worker is killed before its task_done: in Python the join never ends.
#[test]
fn a_dead_workers_message_comes_again_and_join_waits_for_that() {
    for kind in KINDS {
        let region = region(20);
        let queue = region.create_queue("q", &config(kind)).unwrap();
        queue.push_many(&[b"1", b"2"]).unwrap();
        let popped: &'static mut AtomicU32 = shared();
        let worker = Child::fork(|| {
            let first = pop(queue).ticket;
            pop(queue);
            ensure!(queue.task_done(first) == Ok(()));
            popped.store(1, SeqCst);
            sleep_ms(100_000);
        });
        until("popped", || popped.load(SeqCst) == 1);
        let joining = Waiter::asleep(move || queue.join());
        assert_eq!(queue.unfinished(), 1);
        worker.kill();
        let mut buffer = [0; 8];
        let again = queue.pop(&mut buffer).unwrap();
        assert_eq!((&buffer[..again.len], again.attempt), (&b"2"[..], 1));
        assert!(!joining.is_done());
        queue.task_done(again.ticket).unwrap();
        assert_eq!(joining.join(), Ok(()));
    }
}

/// The last one that was unfinished is nobody's to finish any more.
#[test]
fn a_message_that_is_set_aside_is_not_waited_for() {
    for (kind, on_death) in
        KINDS.into_iter().flat_map(|kind| [(kind, OnDeath::Redeliver), (kind, OnDeath::Stop)])
    {
        let region = region(NO_TICK_MS);
        let queue =
            region.create_queue("q", &QueueConfig { on_death, max_attempts: 1, ..config(kind) }).unwrap();
        queue.push(b"1").unwrap();
        if on_death == OnDeath::Redeliver {
            queue.give_back(pop(queue).ticket).unwrap();
        }
        let last = pop(queue).ticket;
        let joining = Waiter::asleep(move || queue.join());
        queue.give_back(last).unwrap();
        assert_eq!((joining.join(), queue.unfinished(), queue.poisoned()), (Ok(()), 0, 1));
        // Taken to be looked at, it is somebody's again.
        let poisoned = queue.take_poisoned(&mut [0; 8]).unwrap();
        assert_eq!((queue.unfinished(), queue.join_timeout(0)), (1, Err(Error::WouldBlock)));
        let joining = Waiter::asleep(move || queue.join());
        queue.task_done(poisoned.ticket).unwrap();
        assert_eq!((joining.join(), queue.poisoned()), (Ok(()), 0));
    }
}

/// The same by death: whoever finds it wakes those who join.
#[test]
fn join_goes_on_when_the_last_worker_dies_with_what_is_then_set_aside_or_dropped() {
    for (kind, on_death) in KINDS.into_iter().flat_map(|kind| [(kind, OnDeath::Drop), (kind, OnDeath::Stop)])
    {
        let region = region(NO_TICK_MS);
        let queue = region.create_queue("q", &QueueConfig { on_death, ..config(kind) }).unwrap();
        queue.push(b"1").unwrap();
        Child::fork(|| ensure!(pop(queue).len == 1)).succeeded();
        let joining = Waiter::start(move || queue.join());
        region.recover(Depth::Marked);
        assert_eq!((joining.join(), queue.unfinished()), (Ok(()), 0));
        assert_eq!(
            (queue.poisoned() as u64, queue.dropped()),
            if on_death == OnDeath::Stop { (1, 0) } else { (0, 1) }
        );
    }
}

#[test]
fn a_thread_with_a_message_to_finish_does_not_leave() {
    each(|region, queue| {
        queue.push(b"1").unwrap();
        let ticket = pop(queue).ticket;
        assert_eq!(region.leave(), Err(Error::Busy));
        queue.task_done(ticket).unwrap();
        assert_eq!(region.leave(), Ok(()));
    });
}

/// Work is shared out, and whoever gives a message back or dies takes none along.
#[test]
fn a_crew_finishes_everything_and_join_sees_it() {
    for kind in KINDS {
        let region = region(20);
        let queue = region.create_queue("q", &QueueConfig { max_attempts: 30, ..config(kind) }).unwrap();
        let done: &'static mut [AtomicU32; 200] = shared();
        let work = |die: bool| {
            let mut buffer = [0; 8];
            let mut count = 0;
            loop {
                let popped = match queue.pop(&mut buffer) {
                    Ok(popped) => popped,
                    Err(error) => return ensure!(error == Error::Closed),
                };
                count += 1;
                if die && count == 7 {
                    // SAFETY: no memory involved.
                    unsafe { libc::raise(libc::SIGKILL) };
                }
                if !die && count % 5 == 0 {
                    ensure!(queue.give_back(popped.ticket) == Ok(()));
                    continue;
                }
                done[usize::from(buffer[0])].fetch_add(1, SeqCst);
                ensure!(queue.task_done(popped.ticket) == Ok(()));
            }
        };
        let mut crew: Vec<Child> = (0..2).map(|_| Child::fork(|| work(false))).collect();
        let doomed = Child::fork(|| work(true));
        for number in 0..200u8 {
            queue.push(&[number]).unwrap();
        }
        assert_eq!(queue.join_timeout(60 * SECOND), Ok(()));
        assert_eq!(done.each_ref().map(|it| it.load(SeqCst)), [1; 200]);
        queue.close();
        crew.drain(..).for_each(Child::succeeded);
        // It got its seventh, or there was nothing left for it.
        doomed.status();
    }
}
