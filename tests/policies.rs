//! What becomes of a message whose holder was killed with it in hand: each policy, each kind, with really
//! killed processes; and what `Region::recover` says that it found.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Depth, Error, OnDeath, Popped, Queue, QueueConfig, QueueKind, Recovered, Region, RegionConfig};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use sync_kit::*;

/// For each kind, joinable or not: a queue of four of that policy, two redeliveries allowed.
fn each(on_death: OnDeath, f: impl Fn(&'static Region, Queue<'static>)) {
    for i in 0..8 {
        let kind = [QueueKind::Ring, QueueKind::Indexed][i & 1];
        let (joinable, kill_only) = (i & 2 != 0, i & 4 != 0);
        let config =
            QueueConfig { kind, on_death, joinable, kill_only, max_attempts: 2, ..QueueConfig::new(4, 8) };
        let region = region(NO_TICK_MS);
        f(region, region.create_queue("q", &config).unwrap());
        region.leave().unwrap(); // a thread is a member of 16 at most
    }
}

/// A process takes `take` messages by that and is killed with them in hand.
fn killed(take: u32, by: impl Fn()) {
    let taken: &'static mut AtomicU32 = shared();
    let child = Child::fork(|| {
        for _ in 0..take {
            by();
            taken.fetch_add(1, SeqCst);
        }
        sleep_ms(100_000);
    });
    until("all taken", || taken.load(SeqCst) == take);
    child.kill();
}

fn peeks(queue: Queue) -> impl Fn() {
    move || std::mem::forget(queue.try_peek().expect("a message"))
}

fn found(region: &Region) -> Recovered {
    region.recover(Depth::Marked)
}

fn pop(queue: Queue) -> Result<(Vec<u8>, u8), Error> {
    let mut buffer = [0; 8];
    finished(queue, queue.try_pop(&mut buffer)).map(|popped| (buffer[..popped.len].to_vec(), popped.attempt))
}

fn take_poisoned(queue: Queue) -> Result<(Vec<u8>, u8), Error> {
    let mut buffer = [0; 8];
    let taken = finished(queue, queue.take_poisoned(&mut buffer));
    taken.map(|popped| (buffer[..popped.len].to_vec(), popped.attempt))
}

fn finished(queue: Queue, popped: Result<Popped, Error>) -> Result<Popped, Error> {
    if let (Ok(popped), true) = (popped, queue.config().joinable) {
        assert_eq!(queue.task_done(popped.ticket), Ok(()));
    }
    popped
}

fn message(text: &str, attempt: u8) -> Result<(Vec<u8>, u8), Error> {
    Ok((text.into(), attempt))
}

fn has_all_its_room(queue: Queue) {
    for i in 0..4 {
        assert_eq!(queue.try_push(&[i]), Ok(()));
    }
    assert_eq!(queue.try_push(b"5"), Err(Error::WouldBlock));
}

#[test]
fn a_message_is_redelivered_so_many_times_and_then_set_aside() {
    each(OnDeath::Redeliver, |region, queue| {
        queue.push_many(&[b"bad", b"good"]).unwrap();
        for death in 1..=3 {
            killed(1, peeks(queue));
            assert_eq!(found(region), Recovered { members: 1, redelivered: 1, ..Recovered::default() });
            assert_eq!(found(region), Recovered::default(), "once");
            assert_eq!((queue.len(), queue.poisoned()), (2, usize::from(death == 3)));
            if death < 3 {
                assert_eq!(take_poisoned(queue), Err(Error::WouldBlock));
            }
        }
        // Three have died with it.
        assert_eq!(pop(queue), message("good", 0));
        assert_eq!(pop(queue), Err(Error::WouldBlock));
        assert_eq!(take_poisoned(queue), message("bad", 3));
        assert_eq!((queue.poisoned(), queue.dropped(), queue.unfinished()), (0, 0, 0));
        assert_eq!(take_poisoned(queue), Err(Error::WouldBlock));
        has_all_its_room(queue);
    });
}

#[test]
fn each_holder_is_told_how_many_had_it_before() {
    each(OnDeath::Redeliver, |region, queue| {
        queue.push(b"m").unwrap();
        for attempt in 0..=2u8 {
            let look = move || {
                let peeked = queue.try_peek().expect("a message");
                ensure!((peeked.attempt(), peeked.redelivered()) == (attempt, attempt > 0));
                std::mem::forget(peeked);
            };
            killed(1, look);
            found(region);
        }
        assert_eq!((pop(queue), queue.poisoned()), (Err(Error::WouldBlock), 1));
    });
}

/// What is set aside takes a slot, and does not keep a closed queue open.
#[test]
fn what_is_set_aside_takes_room_until_it_is_taken_and_does_not_delay_the_end() {
    each(OnDeath::Redeliver, |region, queue| {
        queue.push(b"bad").unwrap();
        for _ in 0..3 {
            killed(1, peeks(queue));
            found(region);
        }
        let mut room = 0;
        while queue.try_push(b"m").is_ok() {
            room += 1;
        }
        assert_eq!(room, 3);
        queue.close();
        (0..3).for_each(|_| assert_eq!(pop(queue), message("m", 0)));
        assert_eq!(pop(queue), Err(Error::Closed));
        assert_eq!(take_poisoned(queue), message("bad", 3));
        assert_eq!(pop(queue), Err(Error::Closed));
    });
}

#[test]
fn drop_loses_what_the_dead_had_in_hand_and_counts_it() {
    each(OnDeath::Drop, |region, queue| {
        queue.push_many(&[b"1", b"2", b"3"]).unwrap();
        killed(2, peeks(queue));
        assert_eq!(queue.dropped(), 0, "nobody has looked yet");
        assert_eq!(found(region), Recovered { members: 1, dropped: 2, ..Recovered::default() });
        assert_eq!((queue.dropped(), queue.len(), queue.poisoned()), (2, 1, 0));
        assert_eq!((pop(queue), pop(queue)), (message("3", 0), Err(Error::WouldBlock)));
        assert_eq!(take_poisoned(queue), Err(Error::WouldBlock));
        has_all_its_room(queue);
    });
}

/// A living holder knows what it did with it.
#[test]
fn drop_redelivers_what_a_living_holder_gives_back() {
    each(OnDeath::Drop, |region, queue| {
        queue.push(b"m").unwrap();
        for attempt in 0..=2 {
            let peeked = queue.try_peek().unwrap();
            assert_eq!(peeked.attempt(), attempt);
            drop(peeked);
        }
        assert_eq!((pop(queue), queue.poisoned(), queue.dropped()), (Err(Error::WouldBlock), 1, 0));
        assert_eq!(take_poisoned(queue), message("m", 3));
        // Given back, then in the hand of one who dies.
        queue.push(b"n").unwrap();
        drop(queue.try_peek().unwrap());
        killed(1, peeks(queue));
        assert_eq!((found(region).dropped, queue.dropped(), queue.len()), (1, 1, 0));
    });
}

#[test]
fn stop_says_poisoned_to_all_until_somebody_has_looked() {
    each(OnDeath::Stop, |region, queue| {
        queue.push_many(&[b"bad", b"good"]).unwrap();
        killed(1, peeks(queue));
        assert_eq!(found(region), Recovered { members: 1, redelivered: 1, ..Recovered::default() });
        let mut popped = [Popped::default(); 2];
        let poisoned = Err(Error::Poisoned);
        assert_eq!(queue.try_pop(&mut [0; 8]), poisoned);
        assert_eq!(queue.pop(&mut [0; 8]), poisoned);
        assert_eq!(queue.pop_timeout(&mut [0; 8], SECOND), poisoned);
        assert_eq!(queue.try_pop_many(&mut [0; 16], &mut popped), Err(Error::Poisoned));
        assert_eq!(queue.pop_many(&mut [0; 16], &mut popped), Err(Error::Poisoned));
        assert_eq!(queue.peek().err(), Some(Error::Poisoned));
        assert!(queue.arm_data(), "worth a pop: it says Poisoned");
        // Those who push are not held up.
        assert_eq!(queue.try_push(b"more"), Ok(()));
        assert_eq!((queue.poisoned(), queue.dropped()), (1, 0));
        assert_eq!(take_poisoned(queue), message("bad", 1));
        assert_eq!((pop(queue), pop(queue)), (message("good", 0), message("more", 0)));
        assert_eq!(pop(queue), Err(Error::WouldBlock));
        has_all_its_room(queue);
    });
}

/// Closed or not: first somebody looks.
#[test]
fn stop_says_poisoned_before_closed_and_for_as_many_as_there_are() {
    each(OnDeath::Stop, |region, queue| {
        queue.push_many(&[b"1", b"2"]).unwrap();
        killed(2, peeks(queue));
        queue.close();
        assert_eq!(found(region).redelivered, 2);
        for text in ["1", "2"] {
            assert_eq!(pop(queue), Err(Error::Poisoned));
            assert_eq!(take_poisoned(queue), message(text, 1));
        }
        assert_eq!(pop(queue), Err(Error::Closed));
    });
}

/// Whoever was asleep when it happened is told at its tick.
#[test]
fn who_waits_is_told_of_the_death_whatever_the_policy() {
    for kind in [QueueKind::Ring, QueueKind::Indexed] {
        for on_death in [OnDeath::Redeliver, OnDeath::Stop] {
            let region = region(20);
            let config = QueueConfig { kind, on_death, ..QueueConfig::new(4, 8) };
            let queue = region.create_queue("q", &config).unwrap();
            queue.push(b"m").unwrap();
            let taken: &'static mut AtomicU32 = shared();
            let holder = Child::fork(|| {
                peeks(queue)();
                taken.store(1, SeqCst);
                sleep_ms(100_000);
            });
            until("taken", || taken.load(SeqCst) == 1);
            let waiting = Waiter::asleep(move || queue.pop(&mut [0; 8]).map(|popped| popped.attempt));
            holder.kill();
            let expected = if on_death == OnDeath::Stop { Err(Error::Poisoned) } else { Ok(1) };
            assert_eq!(waiting.join(), expected);
        }
        // Dropped, its room is there for who waits for that.
        let region = region(20);
        let config = QueueConfig { kind, on_death: OnDeath::Drop, ..QueueConfig::new(2, 8) };
        let queue = region.create_queue("q", &config).unwrap();
        queue.push_many(&[b"1", b"2"]).unwrap();
        let taken: &'static mut AtomicU32 = shared();
        let holder = Child::fork(|| {
            peeks(queue)();
            peeks(queue)();
            taken.store(1, SeqCst);
            sleep_ms(100_000);
        });
        until("taken", || taken.load(SeqCst) == 1);
        let waiting = Waiter::asleep(move || queue.push(b"3"));
        holder.kill();
        assert_eq!((waiting.join(), queue.dropped(), queue.len()), (Ok(()), 2, 1));
    }
}

/// Popped and not finished is in hand, whatever the policy.
#[test]
fn what_was_popped_and_not_finished_is_in_the_dead_ones_hand() {
    for on_death in [OnDeath::Redeliver, OnDeath::Drop, OnDeath::Stop] {
        each(on_death, |region, queue| {
            queue.push_many(&[b"1", b"2", b"3"]).unwrap();
            let joinable = queue.config().joinable;
            let child = Child::fork(|| {
                let mut popped = [Popped::default(); 3];
                ensure!(queue.try_pop_many(&mut [0; 24], &mut popped) == Ok(3));
                ensure!(queue.task_done(popped[1].ticket).is_ok() == joinable);
            });
            child.succeeded();
            let (redelivered, dropped) = match (joinable, on_death) {
                (false, _) => (0, 0),
                (true, OnDeath::Drop) => (0, 2),
                (true, _) => (2, 0),
            };
            assert_eq!(found(region), Recovered { members: 1, redelivered, dropped, ..Recovered::default() });
            assert_eq!((queue.len() as u32, queue.dropped()), (redelivered, dropped.into()));
        });
    }
}

/// Messages in the making are not messages, whatever the policy: nobody is told, and their room is back.
#[test]
fn a_killed_producers_loans_are_freed_and_counted() {
    for on_death in [OnDeath::Redeliver, OnDeath::Drop, OnDeath::Stop] {
        each(on_death, |region, queue| {
            killed(3, move || {
                let mut loan = queue.try_reserve(4).expect("room");
                loan.write(b"lost").unwrap();
                std::mem::forget(loan);
            });
            assert_eq!((queue.len(), queue.unfinished()), (0, 0));
            assert_eq!(found(region), Recovered { members: 1, freed: 3, ..Recovered::default() });
            assert_eq!((pop(queue), queue.dropped(), queue.poisoned()), (Err(Error::WouldBlock), 0, 0));
            // In a ring their positions are void until a pop has come past them.
            queue.try_push(b"1").unwrap();
            assert_eq!(pop(queue), message("1", 0));
            has_all_its_room(queue);
        });
    }
}

/// Two dead, in two queues of different policy: one recovery finds it all.
#[test]
fn one_recovery_goes_through_all_queues_by_their_own_policies() {
    let config = RegionConfig { members: 16, objects: 8, tick_ms: NO_TICK_MS };
    let region: &'static Region = Box::leak(Box::new(Region::create_anonymous(1 << 16, &config).unwrap()));
    let policies = [OnDeath::Redeliver, OnDeath::Drop, OnDeath::Stop];
    let queues: Vec<Queue> = policies
        .into_iter()
        .enumerate()
        .map(|(i, on_death)| {
            let kind = [QueueKind::Ring, QueueKind::Indexed][i % 2];
            let config = QueueConfig { on_death, kind, ..QueueConfig::new(4, 8) };
            let queue = region.create_queue(&format!("q{i}"), &config).unwrap();
            queue.push_many(&[b"1", b"2", b"3"]).unwrap();
            queue
        })
        .collect();
    for number in 0..2 {
        killed(1, || {
            queues.iter().for_each(|queue| peeks(*queue)());
            std::mem::forget(queues[number].try_reserve(1).expect("room"));
        });
    }
    let expected = Recovered { members: 2, redelivered: 4, dropped: 2, freed: 2, ..Recovered::default() };
    assert_eq!(found(region), expected);
    assert_eq!(pop(queues[0]), message("1", 1));
    assert_eq!((queues[1].dropped(), pop(queues[1])), (2, message("3", 0)));
    assert_eq!((queues[2].poisoned(), pop(queues[2])), (2, Err(Error::Poisoned)));
}
