//! Loans: room that is reserved, written in place and committed; in rings and in indexed queues. What happens
//! when others overtake one, when the queue is closed with one out, and when there is no room for one. Those
//! of killed processes are in `policies.rs`. Where not said otherwise the region's tick is a minute.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Error, Queue, QueueConfig, QueueKind, Region, Ticket};
use std::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::{Duration, Instant},
};
use sync_kit::*;

const KINDS: [QueueKind; 2] = [QueueKind::Ring, QueueKind::Indexed];

fn each(f: impl Fn(&'static Region, Queue<'static>)) {
    for i in 0..4 {
        let config = QueueConfig { kind: KINDS[i & 1], kill_only: i & 2 != 0, ..QueueConfig::new(4, 64) };
        let region = region(NO_TICK_MS);
        f(region, region.create_queue("q", &config).unwrap());
    }
}

fn is_stop_safe_ring(queue: Queue) -> bool {
    queue.config().kind == QueueKind::Ring && !queue.config().kill_only
}

fn commit(loan: rialto::Reserved) -> Result<(), Error> {
    loan.try_commit().map_err(|(_, error)| error)
}

fn pop(queue: Queue) -> Result<Vec<u8>, Error> {
    let mut buffer = [0; 64];
    queue.try_pop(&mut buffer).map(|popped| buffer[..popped.len].to_vec())
}

#[test]
fn what_is_committed_is_popped_and_what_is_dropped_is_not() {
    each(|_, queue| {
        for round in 0..20u8 {
            let mut loan = queue.reserve(5).unwrap();
            loan.write(&[round; 5]).unwrap();
            assert!(queue.is_empty());
            commit(loan).unwrap();
            drop(queue.reserve(64).unwrap());
            assert_eq!(pop(queue), Ok(vec![round; 5]));
            assert_eq!(pop(queue), Err(Error::WouldBlock));
        }
    });
}

#[test]
fn a_message_is_read_where_it_was_written() {
    each(|_, queue| {
        let mut loan = queue.reserve(64).unwrap();
        let at = loan.as_mut_ptr();
        assert_eq!(at as usize % 16, 0);
        // SAFETY: 64 bytes that are ours until the commit.
        unsafe { at.write_bytes(0xab, 64) };
        loan.truncate(40);
        loan.truncate(50);
        assert_eq!((loan.len(), loan.write(&[1; 50])), (40, Err(Error::Invalid)));
        commit(loan).unwrap();
        let peeked = queue.peek().unwrap();
        assert_eq!((peeked.as_ptr(), peeked.len()), (at.cast_const(), 40));
        let mut bytes = [0; 64];
        assert_eq!((peeked.copy_to(&mut bytes), &bytes[..40]), (40, &[0xab; 40][..]));
        peeked.release();
    });
}

#[test]
fn a_loan_that_is_too_long_is_refused_and_one_of_nothing_is_a_message() {
    each(|_, queue| {
        assert_eq!(queue.reserve(65).err(), Some(Error::MessageTooLarge));
        assert_eq!(queue.reserve_timeout(65, MS).err(), Some(Error::MessageTooLarge));
        let loan = queue.reserve(0).unwrap();
        assert!(loan.is_empty());
        commit(loan).unwrap();
        assert_eq!(pop(queue), Ok(vec![]));
    });
}

#[test]
fn a_loan_takes_room() {
    each(|_, queue| {
        let loans = [(); 4].map(|()| queue.try_reserve(1).unwrap());
        assert!(queue.is_full() && queue.is_empty());
        assert_eq!(
            (queue.try_push(b"5"), queue.try_reserve(1).err()),
            (Err(Error::WouldBlock), Some(Error::WouldBlock))
        );
        drop(loans);
        assert_eq!(queue.try_push(b"5"), Ok(()));
    });
}

#[test]
fn a_loan_that_others_overtook_comes_after_theirs() {
    for kind in KINDS {
        let queue =
            region(NO_TICK_MS).create_queue("q", &QueueConfig { kind, ..QueueConfig::new(4, 64) }).unwrap();
        let mut loan = queue.reserve(2).unwrap();
        loan.write(b"me").unwrap();
        for _ in 0..30 {
            queue.try_push(b"others").unwrap();
            assert_eq!(pop(queue), Ok(b"others".to_vec()));
        }
        // Full but for the loan's own slot: a ring has no room to copy to.
        while queue.try_push(b"others").is_ok() {}
        loan = match loan.try_commit() {
            Err((loan, Error::WouldBlock)) if kind == QueueKind::Ring => loan,
            Ok(()) if kind == QueueKind::Indexed => continue,
            other => panic!("{kind:?}: {:?}", other.map_err(|(_, error)| error)),
        };
        assert_eq!(pop(queue), Ok(b"others".to_vec()));
        commit(loan).unwrap();
        let mut all = vec![];
        while let Ok(message) = pop(queue) {
            all.push(message);
        }
        assert_eq!(all.pop().as_deref(), Some(&b"me"[..]), "unharmed, and last");
        assert!(all.iter().all(|message| message == b"others"));
    }
}

/// In the order of the reservations in a ring, unless overtaken; of the commits in an indexed queue.
#[test]
fn the_order_of_loans() {
    each(|_, queue| {
        let mut first = queue.reserve(1).unwrap();
        first.write(b"1").unwrap();
        queue.push(b"2").unwrap();
        commit(first).unwrap();
        let ordered = [pop(queue).unwrap(), pop(queue).unwrap()].concat();
        assert_eq!(ordered, if queue.config().kind == QueueKind::Ring { b"12" } else { b"21" });
    });
}

/// A kill-only ring waits for who writes; the others go round.
#[test]
fn whoever_is_long_in_writing_holds_up_a_kill_only_ring_only() {
    each(|_, queue| {
        let go: &'static mut AtomicU32 = shared();
        let slow = Child::fork(|| {
            let loan = queue.try_reserve(1).expect("room");
            go.store(1, SeqCst);
            sleep_ms(100_000);
            drop(loan);
        });
        until("a loan", || go.load(SeqCst) == 1);
        slow.signal(libc::SIGSTOP);
        let held_up = queue.config().kill_only && queue.config().kind == QueueKind::Ring;
        for _ in 0..20 {
            queue.try_push(b"m").unwrap();
            let got = pop(queue);
            assert_eq!(got, if held_up { Err(Error::WouldBlock) } else { Ok(b"m".to_vec()) });
            if held_up {
                break;
            }
        }
        slow.kill();
    });
}

// ---- waiting

fn never_early(timeout_ns: u64, call: impl FnOnce() -> Option<Error>) {
    let begin = Instant::now();
    assert_eq!(call(), Some(Error::TimedOut));
    assert!(begin.elapsed() >= Duration::from_nanos(timeout_ns), "early: {:?}", begin.elapsed());
}

#[test]
fn a_timeout_is_never_early_and_0_polls() {
    each(|_, queue| {
        (0..4).for_each(|_| queue.push(b"m").unwrap());
        assert_eq!(queue.reserve_timeout(1, 0).err(), Some(Error::WouldBlock));
        for timeout_ns in [1, 1000, 30 * MS] {
            never_early(timeout_ns, || queue.reserve_timeout(1, timeout_ns).err());
        }
        assert_eq!(queue.len(), 4);
    });
}

/// A loan of a stop-safe ring that was overtaken, with no room for it now.
fn overtaken(queue: Queue) -> rialto::Reserved {
    let mut loan = queue.reserve(2).unwrap();
    loan.write(b"me").unwrap();
    queue.push(b"m").unwrap();
    pop(queue).unwrap();
    while queue.try_push(b"m").is_ok() {}
    loan
}

#[test]
fn a_commit_that_has_no_room_waits_for_it() {
    each(|_, queue| {
        if !is_stop_safe_ring(queue) {
            return;
        }
        let mut loan = overtaken(queue);
        loan = match loan.commit_timeout(0) {
            Err((loan, Error::WouldBlock)) => loan,
            other => panic!("{:?}", other.map_err(|(_, error)| error)),
        };
        for timeout_ns in [1, 1000, 30 * MS] {
            let mut back = None;
            never_early(timeout_ns, || {
                let (loan, error) = loan.commit_timeout(timeout_ns).err()?;
                back = Some(loan);
                Some(error)
            });
            loan = back.unwrap();
        }
        drop(loan);
        while pop(queue).is_ok() {}
        let committing = Waiter::asleep(move || overtaken(queue).commit().map_err(|(_, error)| error));
        assert_eq!(pop(queue), Ok(b"m".to_vec()));
        assert_eq!(committing.join(), Ok(()));
    });
}

#[test]
fn who_waits_for_room_is_woken_by_a_pop_and_by_a_loan_that_is_dropped() {
    each(|_, queue| {
        let loans = [(); 4].map(|()| queue.reserve(1).unwrap());
        let reserving = Waiter::asleep(move || commit(queue.reserve(1).unwrap()));
        drop(loans);
        assert_eq!(reserving.join(), Ok(()));
        while queue.try_push(b"m").is_ok() {}
        let reserving = Waiter::asleep(move || commit(queue.reserve(1).unwrap()));
        pop(queue).unwrap();
        assert_eq!(reserving.join(), Ok(()));
    });
}

// ---- close

#[test]
fn close_ends_the_waiting_for_room() {
    each(|_, queue| {
        (0..4).for_each(|_| queue.push(b"m").unwrap());
        let reserving: Vec<_> = (0..3).map(|_| Waiter::asleep(move || queue.reserve(1).err())).collect();
        queue.close();
        reserving.into_iter().for_each(|reserving| assert_eq!(reserving.join(), Some(Error::Closed)));
        assert_eq!(queue.try_reserve(1).err(), Some(Error::Closed));
    });
}

#[test]
fn a_commit_that_waits_for_room_is_told_of_close_and_the_loan_is_still_there() {
    each(|_, queue| {
        if !is_stop_safe_ring(queue) {
            return;
        }
        let committing = Waiter::asleep(move || match overtaken(queue).commit() {
            Err((loan, Error::Closed)) => {
                assert_eq!(loan.len(), 2);
                drop(loan);
                true
            }
            _ => false,
        });
        queue.close();
        assert!(committing.join());
        (0..3).for_each(|_| assert_eq!(pop(queue), Ok(b"m".to_vec())));
        assert_eq!(pop(queue), Err(Error::Closed));
    });
}

/// Whoever drains waits for it: what is committed comes, and only then the end.
#[test]
fn close_with_a_loan_out_does_not_end_the_stream_before_it_is_committed() {
    each(|_, queue| {
        let mut loan = queue.reserve(4).unwrap();
        loan.write(b"last").unwrap();
        let popping = || Waiter::asleep(move || queue.pop(&mut [0; 64]).map(|popped| popped.len));
        let popping = [(); 3].map(|()| popping());
        queue.close();
        assert_eq!((queue.try_reserve(1).err(), pop(queue)), (Some(Error::Closed), Err(Error::WouldBlock)));
        popping.iter().for_each(Waiter::wait_asleep);
        commit(loan).unwrap();
        let mut results = popping.map(Waiter::join);
        results.sort_by_key(|result| result.is_err());
        assert_eq!(results, [Ok(4), Err(Error::Closed), Err(Error::Closed)]);
        // Polling may say WouldBlock: three threads have ended, and each call sees to one of them.
        assert_eq!(queue.pop(&mut [0; 64]), Err(Error::Closed));
    });
}

#[test]
fn close_with_a_loan_out_does_not_end_the_stream_before_it_is_dropped() {
    each(|_, queue| {
        let loan = queue.reserve(4).unwrap();
        let popping =
            [(); 3].map(|()| Waiter::asleep(move || queue.pop(&mut [0; 64]).map(|popped| popped.len)));
        queue.close();
        popping.iter().for_each(Waiter::wait_asleep);
        drop(loan);
        popping.into_iter().for_each(|popping| assert_eq!(popping.join(), Err(Error::Closed)));
    });
}

/// The holder is killed: whoever drains goes on at its tick.
#[test]
fn close_with_a_dead_ones_loan_out_ends_at_the_tick() {
    for kind in KINDS {
        let queue = region(20).create_queue("q", &QueueConfig { kind, ..QueueConfig::new(4, 64) }).unwrap();
        let reserved: &'static mut AtomicU32 = shared();
        let holder = Child::fork(|| {
            std::mem::forget(queue.try_reserve(4).expect("room"));
            reserved.store(1, SeqCst);
            sleep_ms(100_000);
        });
        until("a loan", || reserved.load(SeqCst) == 1);
        queue.close();
        let popping = Waiter::asleep(move || queue.pop(&mut [0; 64]).map(|popped| popped.len));
        assert_eq!(pop(queue), Err(Error::WouldBlock));
        holder.kill();
        assert_eq!(popping.join(), Err(Error::Closed));
    }
}

#[test]
fn a_default_ticket_is_nobodys() {
    let region = Region::create_anonymous(1 << 16, &rialto::RegionConfig::default()).unwrap();
    let queue = region.create_queue("q", &QueueConfig { joinable: true, ..QueueConfig::new(4, 8) }).unwrap();
    let mut buffer = [0; 8];
    queue.push(b"task").unwrap();
    let ticket = queue.pop(&mut buffer).unwrap().ticket;
    assert_eq!(queue.task_done(Ticket::default()), Err(Error::NotOwner));
    assert_eq!(queue.give_back(Ticket::default()), Err(Error::NotOwner));
    assert_eq!(queue.task_done(ticket), Ok(()));
}

/// Overtaken in a ring, it has no place any more, and there will be none: the stream ends without it.
#[test]
fn a_loan_that_was_overtaken_before_close_is_refused() {
    each(|_, queue| {
        let loan = queue.reserve(4).unwrap();
        queue.push(b"m").unwrap();
        queue.close();
        let overtaken = is_stop_safe_ring(queue);
        let held_up = queue.config().kill_only && queue.config().kind == QueueKind::Ring;
        if !held_up {
            pop(queue).unwrap();
        }
        assert_eq!(pop(queue), Err(if overtaken { Error::Closed } else { Error::WouldBlock }));
        assert_eq!(commit(loan), if overtaken { Err(Error::Closed) } else { Ok(()) });
        assert_eq!(queue.len(), if overtaken { 0 } else { 1 + usize::from(held_up) });
    });
}
