//! `Barrier`: the documentation of `threading` and `multiprocessing`, case by case. Members, registration and
//! deaths are in `semantics_barrier_members.rs`; TESTING.md has the table.
//!
//! The region's tick is a minute: whoever is not woken when it should be hangs the test.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Barrier, Error, FOREVER};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use sync_kit::*;

fn barrier(parties: u32) -> Barrier<'static> {
    region(NO_TICK_MS).create_barrier("b", parties).unwrap()
}

/// Threads that wait and say how it ended; all of them are asleep in it.
fn waiters(b: Barrier<'static>, n: u32) -> Vec<Waiter<rialto::Result<u32>>> {
    let before = b.n_waiting();
    let waiters = (0..n).map(|_| Waiter::asleep(move || b.wait())).collect();
    assert_eq!(b.n_waiting(), before + n);
    waiters
}

fn join<T: Send + 'static>(waiters: Vec<Waiter<T>>) -> Vec<T> {
    waiters.into_iter().map(Waiter::join).collect()
}

/// A whole round: everybody gets another index.
fn passes(b: Barrier<'static>) {
    assert!(!b.is_broken());
    let parties = b.parties();
    let mut indices: Vec<_> = join((0..parties).map(|_| Waiter::start(move || b.wait().unwrap())).collect());
    indices.sort_unstable();
    assert_eq!(indices, (0..parties).collect::<Vec<_>>());
    assert_eq!((b.n_waiting(), b.is_broken()), (0, false));
}

#[test]
fn parties_n_waiting_and_broken_at_first() {
    for parties in [1, 2, 7, 4095] {
        let b = barrier(parties);
        assert_eq!((b.parties(), b.n_waiting(), b.is_broken()), (parties, 0, false));
    }
    let region = region(NO_TICK_MS);
    for parties in [0, 4096, u32::MAX] {
        assert_eq!(region.create_barrier("b", parties).err(), Some(Error::Invalid));
    }
    region.create_barrier("b", 2).unwrap();
    assert_eq!(region.create_barrier("b", 2).err(), Some(Error::Exists));
    assert_eq!(region.open_barrier("b").unwrap().parties(), 2);
    assert_eq!(region.open_barrier("a").err(), Some(Error::NotFound));
    assert_eq!(region.open_semaphore("b").err(), Some(Error::WrongKind));
}

#[test]
fn all_are_released_when_the_last_one_comes_and_n_waiting_counts_them() {
    let b = barrier(4);
    let mut early = Vec::new();
    for n in 0..3 {
        assert_eq!(b.n_waiting(), n);
        early.extend(waiters(b, 1));
    }
    assert!(early.iter().all(|waiter| !waiter.is_done()));
    assert_eq!(b.wait(), Ok(3));
    assert_eq!(join(early), [Ok(0), Ok(1), Ok(2)]); // in the order in which they came
    assert_eq!((b.n_waiting(), b.is_broken()), (0, false));
}

#[test]
fn it_is_reusable_for_ever_with_every_index_once_each_time() {
    const ROUNDS: u64 = 2000;
    let b = barrier(4);
    let sums: &'static mut [AtomicU64; 2] = shared();
    let sums: &'static [AtomicU64; 2] = sums;
    let play = move || {
        for round in 0..ROUNDS {
            // Each index is a digit; this sum is complete when the next round's is.
            let index = b.wait().unwrap();
            sums[(round % 2) as usize].fetch_add(1 << (16 * index), SeqCst);
            if b.wait().unwrap() == 0 {
                let sum = sums[(round % 2) as usize].swap(0, SeqCst);
                assert_eq!(sum, 0x1_0001_0001_0001);
            }
        }
    };
    let child = Child::fork(play);
    let threads: Vec<_> = (0..3).map(|_| Waiter::start(play)).collect();
    join(threads);
    child.succeeded();
    assert_eq!((b.n_waiting(), b.is_broken()), (0, false));
}

#[test]
fn a_barrier_of_one_never_waits() {
    let b = barrier(1);
    for timeout in [0, 1, FOREVER] {
        assert_eq!(b.wait_timeout(timeout), Ok(0));
    }
    let mut acted = 0;
    let act = || {
        acted += 1;
        true
    };
    assert_eq!((b.wait_with(0, act), acted), (Ok(0), 1));
}

#[test]
fn processes_meet() {
    let b = barrier(3);
    let children: Vec<_> = (0..2).map(|_| Child::fork(|| ensure!(b.wait().is_ok_and(|i| i < 2)))).collect();
    children.iter().for_each(Child::wait_asleep);
    assert_eq!((b.n_waiting(), b.wait()), (2, Ok(2)));
    children.into_iter().for_each(Child::succeeded);
}

#[test]
fn the_action_is_run_by_exactly_one_when_all_are_there_and_before_any_is_released() {
    let b = barrier(4);
    static ACTED: AtomicU32 = AtomicU32::new(0);
    static LEFT: AtomicU32 = AtomicU32::new(0);
    for round in 1..=300 {
        let wait = move || {
            let mut mine = false;
            let index = b.wait_with(FOREVER, || {
                assert_eq!((b.n_waiting(), LEFT.load(SeqCst)), (4, 4 * (round - 1)));
                mine = true;
                ACTED.fetch_add(1, SeqCst);
                if round % 100 == 0 {
                    sleep_ms(5);
                }
                true
            });
            assert_eq!(ACTED.load(SeqCst), round);
            LEFT.fetch_add(1, SeqCst);
            assert_eq!(mine, index == Ok(3)); // the last one to come
        };
        join((0..4).map(|_| Waiter::start(wait)).collect::<Vec<_>>());
        assert_eq!((ACTED.load(SeqCst), LEFT.load(SeqCst)), (round, 4 * round));
    }
}

#[test]
fn an_action_that_fails_breaks_the_barrier() {
    let b = barrier(3);
    let early = waiters(b, 2);
    assert_eq!(b.wait_with(FOREVER, || false), Err(Error::Broken));
    assert_eq!(join(early), [Err(Error::Broken); 2]);
    assert_eq!((b.is_broken(), b.n_waiting()), (true, 0));
    b.reset();
    passes(b);
}

#[test]
fn an_action_that_panics_breaks_the_barrier() {
    let b = barrier(3);
    let early = waiters(b, 2);
    let panicking = || b.wait_with(FOREVER, || std::panic::resume_unwind(Box::new(7)));
    let thrown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panicking));
    assert_eq!(thrown.unwrap_err().downcast_ref(), Some(&7));
    assert_eq!(join(early), [Err(Error::Broken); 2]);
    assert!(b.is_broken());
    b.reset();
    passes(b);
}

/// Differs: Python raises BrokenBarrierError in the one whose timeout it was, too.
#[test]
fn a_timeout_breaks_it_for_all_and_the_one_is_told_that_it_was_its_own() {
    let b = barrier(4);
    let early = waiters(b, 2);
    assert_eq!(b.wait_timeout(5 * MS), Err(Error::TimedOut));
    assert_eq!(join(early), [Err(Error::Broken); 2]);
    assert_eq!((b.is_broken(), b.n_waiting()), (true, 0));
    // And stays so.
    for timeout in [0, 1, FOREVER] {
        assert_eq!(b.wait_timeout(timeout), Err(Error::Broken));
    }
    assert!(b.is_broken());
    b.reset();
    passes(b);
}

#[test]
fn who_polls_breaks_it_unless_it_is_the_last() {
    let b = barrier(2);
    assert_eq!((b.wait_timeout(0), b.is_broken()), (Err(Error::TimedOut), true));
    b.reset();
    let early = waiters(b, 1);
    assert_eq!(b.wait_timeout(0), Ok(1));
    assert_eq!(join(early), [Ok(0)]);
    assert!(!b.is_broken());
}

#[test]
fn the_timeouts_of_those_who_are_released_in_time_do_nothing() {
    let b = barrier(2);
    for _ in 0..50 {
        let early = Waiter::asleep(move || b.wait_timeout(20 * SECOND));
        assert_eq!((b.wait_timeout(20 * SECOND), early.join()), (Ok(1), Ok(0)));
    }
    assert!(!b.is_broken());
}

#[test]
fn a_broken_barrier_runs_no_action_and_lets_nobody_wait() {
    let b = barrier(1);
    b.abort();
    let mut acted = false;
    let act = || {
        acted = true;
        true
    };
    assert_eq!((b.wait_with(FOREVER, act), acted), (Err(Error::Broken), false));
}

#[test]
fn abort_breaks_it_for_those_who_wait_and_those_who_come() {
    let b = barrier(3);
    let early = waiters(b, 2);
    b.abort();
    assert_eq!(join(early), [Err(Error::Broken); 2]);
    assert_eq!((b.is_broken(), b.n_waiting(), b.wait()), (true, 0, Err(Error::Broken)));
    b.abort();
    assert!(b.is_broken());
    b.reset();
    passes(b);
    // Also when nobody waits, by somebody who is no party, in another process.
    Child::fork(|| b.abort()).succeeded();
    assert_eq!((b.is_broken(), b.wait()), (true, Err(Error::Broken)));
}

#[test]
fn reset_breaks_it_for_those_who_wait_only() {
    let b = barrier(3);
    let early = waiters(b, 2);
    b.reset();
    assert_eq!((b.is_broken(), b.n_waiting()), (false, 0));
    assert_eq!(join(early), [Err(Error::Broken); 2]);
    assert!(!b.is_broken());
    passes(b);
    let child = Child::fork(|| ensure!(b.wait() == Err(Error::Broken)));
    child.wait_asleep();
    Child::fork(|| b.reset()).succeeded();
    child.succeeded();
    passes(b);
}

#[test]
fn reset_of_an_empty_barrier_changes_nothing_and_of_a_broken_one_makes_it_whole() {
    let b = barrier(2);
    b.reset();
    b.reset();
    assert_eq!((b.is_broken(), b.n_waiting()), (false, 0));
    passes(b);
    b.abort();
    b.reset();
    assert!(!b.is_broken());
    passes(b);
}

#[test]
fn who_comes_after_a_reset_meets_those_who_come_after_it() {
    let b = barrier(2);
    for _ in 0..100 {
        let old = waiters(b, 1);
        b.reset();
        let new = Waiter::start(move || b.wait());
        until("the new one is there", || b.n_waiting() == 1);
        assert_eq!((b.wait(), new.join()), (Ok(1), Ok(0)));
        assert_eq!(join(old), [Err(Error::Broken)]);
    }
}

/// While the last one is in its action, `stir` happens.
fn while_acting(b: Barrier<'static>, stir: fn(Barrier<'static>)) -> Vec<rialto::Result<u32>> {
    let mut results = waiters(b, 1);
    results.push(Waiter::start(move || {
        b.wait_with(FOREVER, || {
            stir(b);
            true
        })
    }));
    join(results)
}

#[test]
fn what_happens_to_it_during_the_action_ends_the_generation_for_all_in_one_way() {
    let b = barrier(2);
    assert_eq!(while_acting(b, |_| ()), [Ok(0), Ok(1)]);
    assert_eq!(while_acting(b, |b| b.reset()), [Err(Error::Broken); 2]);
    assert!(!b.is_broken());
    assert_eq!(while_acting(b, |b| b.abort()), [Err(Error::Broken); 2]);
    assert!(b.is_broken());
    b.reset();
    // Those who were waiting have no timeout any more that could break it: but who has one may be late.
    let timed = Waiter::asleep(move || b.wait_timeout(30 * MS));
    let acting = b.wait_with(FOREVER, || {
        sleep_ms(100);
        true
    });
    assert_eq!((timed.join(), acting, b.is_broken()), (Err(Error::TimedOut), Err(Error::Broken), true));
}

/// Differs: Python has them wait at the entrance without a timeout.
#[test]
fn one_too_many_waits_for_the_next_generation_and_may_time_out_there() {
    static GO_ON: AtomicU32 = AtomicU32::new(0);
    let b = barrier(1);
    let act = move || {
        b.wait_with(FOREVER, || {
            until("it may go on", || GO_ON.swap(0, SeqCst) == 1);
            true
        })
    };
    for timeout in [FOREVER, 20 * SECOND, 5 * MS, 0] {
        let acting = Waiter::start(act);
        until("it is full", || b.n_waiting() == 1);
        if timeout > SECOND {
            let extra = Waiter::asleep(move || b.wait_timeout(timeout));
            assert_eq!(b.n_waiting(), 1);
            GO_ON.store(1, SeqCst);
            assert_eq!((acting.join(), extra.join()), (Ok(0), Ok(0)));
        } else {
            let begin = now_ns();
            assert_eq!(b.wait_timeout(timeout), Err(Error::TimedOut));
            assert!(now_ns() - begin >= timeout && b.is_broken());
            GO_ON.store(1, SeqCst);
            assert_eq!(acting.join(), Err(Error::Broken));
            b.reset();
        }
    }
}

#[test]
fn more_threads_than_parties_go_through_in_groups() {
    static VISITS: AtomicU32 = AtomicU32::new(0);
    let b = barrier(3);
    let play = move || {
        let mut sum = [0; 3];
        while VISITS.fetch_add(1, SeqCst) < 12_000 {
            sum[b.wait().unwrap() as usize] += 1;
        }
        sum
    };
    let sums = join((0..6).map(|_| Waiter::start(play)).collect());
    let total = sums.iter().fold([0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
    assert_eq!((total, b.n_waiting()), ([4000; 3], 0));
}

/// Of those who come to find the place taken, none may take it later for a generation that is over.
#[test]
fn a_barrier_of_one_lets_any_number_of_threads_pass_one_at_a_time() {
    static INSIDE: AtomicU32 = AtomicU32::new(0);
    static ACTED: AtomicU32 = AtomicU32::new(0);
    const VISITS: u32 = 20_000;
    let b = barrier(1);
    let play = move || {
        for _ in 0..VISITS {
            let result = b.wait_with(FOREVER, || {
                assert_eq!(INSIDE.swap(1, SeqCst), 0);
                ACTED.fetch_add(1, SeqCst);
                INSIDE.swap(0, SeqCst) == 1
            });
            assert_eq!(result, Ok(0));
        }
    };
    join((0..4).map(|_| Waiter::start(play)).collect::<Vec<_>>());
    assert_eq!((ACTED.load(SeqCst), b.is_broken()), (4 * VISITS, false));
}

#[test]
fn the_generations_wrap_without_harm() {
    let region = region(NO_TICK_MS);
    for (name, parties, before) in [("a", 3, 3), ("b", 1, 2), ("c", 2, 1)] {
        let b = region.create_barrier_at_generation(name, parties, (1 << 26) - before).unwrap();
        for round in 0..8 {
            passes(b);
            if round % 2 == 0 && parties > 1 {
                let early = waiters(b, 1);
                if round % 4 == 0 {
                    b.reset();
                } else {
                    b.abort();
                }
                assert_eq!(join(early), [Err(Error::Broken)]);
                b.reset();
            }
        }
    }
}

/// 2^26 of them, and a waiter from before the first is told.
#[test]
fn the_resets_wrap_without_harm() {
    let b = barrier(2);
    let early = waiters(b, 1);
    for _ in 0..(1 << 26) - 2 {
        b.reset();
    }
    assert_eq!(join(early), [Err(Error::Broken)]);
    for _ in 0..4 {
        passes(b);
        let early = waiters(b, 1);
        b.reset();
        assert_eq!(join(early), [Err(Error::Broken)]);
    }
}
