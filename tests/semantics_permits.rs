//! The tracked semaphore: what `threading` and `multiprocessing` document of `BoundedSemaphore`, and what they
//! cannot do: permits of the dead come back. TESTING.md has the table.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Depth, Error, Permit, Recovered, Region, TrackedSemaphore};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use sync_kit::*;

const TICK_MS: u32 = 20;

fn with(permits: u32) -> (&'static Region, TrackedSemaphore<'static>) {
    let region = region(TICK_MS);
    (region, region.create_semaphore("s", permits).unwrap())
}

fn token(s: TrackedSemaphore<'static>) -> u64 {
    s.try_acquire().unwrap().into_token()
}

/// A process that takes so many permits and waits to be killed; and the tokens it had.
fn holder(s: TrackedSemaphore<'static>, permits: usize) -> (Child, &'static [AtomicU64; 8]) {
    let tokens: &'static mut [AtomicU64; 8] = shared();
    let tokens: &'static [AtomicU64; 8] = tokens;
    let child = Child::fork(|| {
        for slot in &tokens[..permits] {
            slot.store(s.acquire().unwrap().into_token(), SeqCst);
        }
        loop {
            sleep_ms(1000);
        }
    });
    until("it holds them", || permits == 0 || tokens[permits - 1].load(SeqCst) != 0);
    (child, tokens)
}

#[test]
fn it_begins_with_all_its_permits_free() {
    let (region, s) = with(3);
    assert_eq!((s.value(), s.bound()), (3, 3));
    let opened = region.open_semaphore("s").unwrap();
    let _permit = opened.acquire().unwrap();
    assert_eq!((s.value(), s.bound()), (2, 3));
}

#[test]
fn impossible_numbers_of_permits_and_wrong_names_are_refused() {
    let (region, _) = with(1);
    for permits in [0, 65_537, u32::MAX] {
        assert_eq!(region.create_semaphore("t", permits).err(), Some(Error::Invalid));
    }
    assert_eq!(region.create_semaphore("s", 1).err(), Some(Error::Exists));
    assert_eq!(region.create_semaphore("", 1).err(), Some(Error::Invalid));
    assert_eq!(region.open_semaphore("t").err(), Some(Error::NotFound));
    assert_eq!(region.open_barrier("s").err(), Some(Error::WrongKind));
    assert_eq!(region.open_queue("s").err(), Some(Error::WrongKind));
    let most = region.create_semaphore("most", 65_536).unwrap();
    assert_eq!((most.value(), most.bound()), (65_536, 65_536));
    let _permit = most.acquire().unwrap();
    assert_eq!(most.value(), 65_535);
}

#[test]
fn so_many_can_be_had_and_no_more() {
    let (_, s) = with(3);
    let mut held: Vec<Permit> = Vec::new();
    held.push(s.acquire().unwrap());
    held.push(s.try_acquire().unwrap());
    held.push(s.acquire_timeout(MS).unwrap());
    assert_eq!(s.value(), 0);
    assert_eq!(s.try_acquire().err(), Some(Error::WouldBlock));
    assert_eq!(s.acquire_timeout(0).err(), Some(Error::WouldBlock));
    assert_eq!(s.acquire_timeout(30 * MS).err(), Some(Error::TimedOut));
    drop(held.pop());
    assert_eq!(s.value(), 1);
    assert_eq!(held.pop().unwrap().release(), Ok(()));
    assert_eq!(s.release_token(held.pop().unwrap().into_token()), Ok(()));
    assert_eq!(s.value(), 3);
}

/// In Python a bounded semaphore released too often raises ValueError.
#[test]
fn a_permit_can_be_given_back_once() {
    let (_, s) = with(2);
    let (first, second) = (token(s), token(s));
    assert!(first != second && first != 0 && second != 0);
    assert_eq!((s.release_token(first), s.release_token(first)), (Ok(()), Err(Error::NotOwner)));
    let again = token(s);
    assert!(again != first); // the same place, another holding
    assert_eq!((s.release_token(first), s.value()), (Err(Error::NotOwner), 0));
    assert_eq!((s.release_token(again), s.release_token(second)), (Ok(()), Ok(())));
    assert_eq!((s.release_token(again), s.value()), (Err(Error::NotOwner), 2));
}

#[test]
fn what_is_no_token_is_refused() {
    let (_, s) = with(2);
    let held = token(s);
    for wrong in [0, 1, held ^ 2, held | 0xffff, u64::MAX] {
        assert_eq!(s.release_token(wrong), Err(Error::Invalid), "{wrong:#x}");
    }
    assert_eq!(s.release_token(held ^ (1 << 40)), Err(Error::NotOwner)); // another generation's
    assert_eq!(s.release_token(held ^ (1 << 17)), Err(Error::NotOwner)); // another member's
    assert_eq!((s.value(), s.release_token(held)), (1, Ok(())));
}

#[test]
fn acquire_waits_for_a_release_by_whatever_thread() {
    let region = region(NO_TICK_MS);
    let s = region.create_semaphore("s", 1).unwrap();
    let permit = s.acquire().unwrap();
    let waiter = Waiter::asleep(move || s.acquire().unwrap().release());
    Waiter::start(move || permit.release()).join().unwrap();
    assert_eq!((waiter.join(), s.value()), (Ok(()), 1));
    let held = token(s);
    let waiter = Waiter::asleep(move || s.acquire().unwrap().release());
    Waiter::start(move || s.release_token(held)).join().unwrap();
    assert_eq!((waiter.join(), s.value()), (Ok(()), 1));
}

#[test]
fn a_release_wakes_a_waiter_in_another_process() {
    let region = region(NO_TICK_MS);
    let s = region.create_semaphore("s", 1).unwrap();
    let permit = s.acquire().unwrap();
    let waiter = Child::fork(|| {
        let permit = s.acquire();
        ensure!(permit.is_ok_and(|permit| permit.release() == Ok(())));
    });
    waiter.wait_asleep();
    drop(permit);
    waiter.succeeded();
    assert_eq!(s.value(), 1);
}

#[test]
fn a_dead_holders_permits_come_back_exactly_once_and_its_tokens_are_worthless() {
    let (region, s) = with(3);
    let (child, tokens) = holder(s, 2);
    let mine = token(s);
    child.kill();
    assert_eq!(s.value(), 0); // nobody has looked yet
    let found = region.recover(Depth::Marked);
    assert_eq!(found, Recovered { members: 1, permits: 2, ..Recovered::default() });
    assert_eq!(region.recover(Depth::Thorough), Recovered::default());
    assert_eq!(s.value(), 2);
    for token in &tokens[..2] {
        assert_eq!(s.release_token(token.load(SeqCst)), Err(Error::NotOwner));
    }
    let (one, two) = (token(s), token(s));
    assert_eq!(s.release_token(tokens[0].load(SeqCst)), Err(Error::NotOwner));
    assert_eq!(s.try_acquire().err(), Some(Error::WouldBlock));
    assert!([one, two, mine].into_iter().all(|token| s.release_token(token) == Ok(())));
    assert_eq!(s.value(), 3);
}

#[test]
fn a_blocked_process_gets_the_permit_of_one_that_is_killed() {
    let (_, s) = with(1);
    let (child, _) = holder(s, 1);
    let waiter = Child::fork(|| ensure!(s.acquire().is_ok_and(|permit| permit.release() == Ok(()))));
    waiter.wait_asleep();
    child.kill();
    waiter.succeeded();
    assert_eq!(s.value(), 1);
}

#[test]
fn the_permit_of_one_who_died_before_is_had_without_waiting_a_tick() {
    let region = region(NO_TICK_MS);
    let s = region.create_semaphore("s", 1).unwrap();
    holder(s, 1).0.kill();
    assert!(Waiter::start(move || s.acquire().is_ok()).join());
}

#[test]
fn a_thread_that_ends_gives_its_permits_back() {
    let (region, s) = with(2);
    let tokens = Waiter::start(move || [token(s), token(s)]).join();
    assert_eq!(Waiter::start(move || s.acquire().unwrap().release()).join(), Ok(()));
    assert!(tokens.iter().all(|token| s.release_token(*token) == Err(Error::NotOwner)));
    region.recover(Depth::Marked);
    assert_eq!(s.value(), 2);
}

#[test]
fn a_member_with_a_permit_in_hand_does_not_leave() {
    let (region, s) = with(2);
    Waiter::start(move || {
        let permit = s.acquire().unwrap();
        assert_eq!(region.leave(), Err(Error::Busy));
        assert_eq!(permit.release(), Ok(()));
        let held = token(s);
        assert_eq!(region.leave(), Err(Error::Busy));
        assert_eq!(s.release_token(held), Ok(()));
        assert_eq!((region.leave(), region.leave()), (Ok(()), Ok(())));
        assert_eq!(region.member_count(), 0);
        drop(s.acquire().unwrap()); // a member anew
        assert_eq!(region.member_count(), 1);
    })
    .join();
}

#[test]
fn a_permit_belongs_to_the_explicit_member_it_was_acquired_as() {
    let (region, s) = with(2);
    let member = region.join().unwrap();
    let others = {
        let as_member = s.as_member(&member);
        assert_eq!((as_member.value(), as_member.bound()), (2, 2));
        // From any thread.
        let member = &member;
        std::thread::scope(|scope| {
            let acquire = || s.as_member(member).acquire().unwrap().into_token();
            scope.spawn(acquire).join().unwrap()
        })
    };
    assert_eq!(s.value(), 1);
    assert_eq!(region.leave(), Ok(())); // not ours
    let mine = token(s);
    assert!(member.leave().is_ok());
    assert_eq!(s.value(), 1); // its permit is back, ours is not
    assert_eq!((s.release_token(others), s.release_token(mine)), (Err(Error::NotOwner), Ok(())));
    assert_eq!(s.value(), 2);
}

#[test]
fn a_permit_outlives_its_membership_harmlessly() {
    let (region, s) = with(1);
    let member = region.join().unwrap();
    let late = s.as_member(&member).acquire().unwrap().into_token();
    drop(member);
    let permit = s.try_acquire().unwrap();
    assert_eq!((s.release_token(late), s.value()), (Err(Error::NotOwner), 0));
    assert_eq!((permit.release(), s.value()), (Ok(()), 1));
}

#[test]
fn a_member_of_another_region_is_refused() {
    let ((_, s), (other, t)) = (with(1), with(1));
    let foreign = other.join().unwrap();
    let (wrong, right) = (s.as_member(&foreign), t.as_member(&foreign));
    assert_eq!(wrong.acquire().err(), Some(Error::Invalid));
    assert_eq!(wrong.try_acquire().err(), Some(Error::Invalid));
    assert_eq!(wrong.acquire_timeout(MS).err(), Some(Error::Invalid));
    assert_eq!((s.value(), right.try_acquire().is_ok()), (1, true));
}

#[test]
fn no_more_are_inside_than_there_are_permits() {
    static INSIDE: AtomicU32 = AtomicU32::new(0);
    let (_, s) = with(2);
    let visit = move || {
        for _ in 0..2000 {
            let permit = s.acquire().unwrap();
            assert!(INSIDE.fetch_add(1, SeqCst) < 2);
            INSIDE.fetch_sub(1, SeqCst);
            drop(permit);
        }
    };
    let visitors: Vec<_> = (0..4).map(|_| Waiter::start(visit)).collect();
    visitors.into_iter().for_each(Waiter::join);
    assert_eq!(s.value(), 2);
}
