//! Models of `Barrier`: every interleaving within the preemption bound stated, and every point at which a party
//! or a recoverer can be killed.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_barrier --target-dir target/loom`
//!
//! Each line was tried once, and the model named (among others) failed:
//!
//! | weakened in `src/barrier.rs` (and `src/wait.rs`) | fails |
//! |---|---|
//! | a place taken: SeqCst -> Relaxed; failing: Acquire -> Relaxed | `the_action_sees_what_all_brought_and_...` |
//! | `take_place`: load Acquire -> Relaxed | `the_action_sees_what_all_brought_and_all_see_what_it_made` |
//! | `break_for_the_dead`: load Acquire -> Relaxed | `a_late_recoverer_breaks_nothing_that_came_after_...` |
//! | no fence in `prepare`, or in `notify_many` | `a_place_that_is_vacated_is_seen_or_who_waits_for_it_is_woken` |
//! | vacating wakes nobody | `a_place_that_is_vacated_is_seen_or_who_waits_for_it_is_woken` |
//! | completing does not wake those who arrived | `the_action_sees_what_all_brought_and_all_see_what_it_made` |
//! | a timeout breaks whatever generation there is | `completed_or_broken_by_a_timeout_for_all` |
//! | completed although broken meanwhile | `completed_or_broken_by_a_timeout_for_all` |
//! | who was reset is asked by the state alone | `who_waited_at_a_reset_holds_up_nobody_and_...` |
//! | `take_place` does not look at the state again | `who_comes_late_is_not_let_through_for_a_...` |
//! | one bank of places; a place taken twice | `a_place_that_is_vacated_is_seen_or_who_waits_for_it_is_woken` |
//! | `sweep` vacates before it breaks | `a_recoverer_killed_anywhere_is_followed_by_another` |
//! | `sweep` does not ask whether the member is dying | `a_late_recoverer_breaks_nothing_that_came_after_...` |
//! | the last one does not look for the dead | `who_comes_after_a_death_is_never_let_through` |
//! | `Table::death_of` passes over a recovery just begun | `who_comes_after_a_death_is_never_let_through` |
//!
//! Not shown: the Release of the completing step and the Acquire of `end_of` (every way out of `wait` goes
//! through a notify, whose fence in models orders as well); the Acquire of `sweep`'s load of a place or
//! registration (with it, the state that is read next is not older than the one that the party came to); SeqCst of the steps that
//! break, reset and vacate (nobody reads data by them, and against sleepers the fences stand in for it); the
//! Acquire of `arrive`'s load of the state (the place's CAS decides); that `sweep` breaks only the generation
//! that a party came to.
#![cfg(rialto_loom)]

mod models;

use loom::{cell::UnsafeCell, sync::Arc, thread::yield_now};
use models::{Object, World, killed_at_every_access, leave, model, spawn, spawn_victim, until_asleep};
use rialto::{
    Error, Recovered, Result,
    barrier::{Barrier, Parts},
    member::{Incarnation, MemberId},
    sync::{AtomicU64, Ordering::*, fuel::run_killed_at},
    time::FOREVER,
    wait::EventCount,
};

struct Shared {
    state: AtomicU64,
    released: EventCount,
    vacated: EventCount,
    /// The registry, then the places of even and of odd generations.
    words: [Vec<AtomicU64>; 3],
    /// What each member brings, and what the action makes of it. loom reports any unordered access.
    brought: Vec<UnsafeCell<u32>>,
    made: UnsafeCell<u32>,
}

// SAFETY: loom's UnsafeCell reports the accesses that the barrier does not order.
unsafe impl Sync for Shared {}
unsafe impl Send for Shared {}

impl Object for Shared {
    fn sweep(w: &World<Shared>, dead: Incarnation, is_dying: &dyn Fn() -> bool) -> (Recovered, bool) {
        barrier(w).sweep(dead, is_dying)
    }
}

type Party = World<Shared>;

fn parts(w: &Party) -> Parts<'_> {
    let s = &w.object;
    let [registry, even, odd] = &s.words;
    Parts { state: &s.state, released: &s.released, vacated: &s.vacated, registry, places: [even, odd] }
}

fn barrier(w: &Party) -> Barrier<'_, Party> {
    Barrier::over(w, parts(w))
}

/// A barrier of `parties`, and `members` of whom nobody is registered.
fn new(parties: usize, members: u16) -> Arc<Party> {
    let row = || (0..parties).map(|_| AtomicU64::new(0)).collect();
    let w = World::new(
        members,
        Shared {
            state: AtomicU64::new(0),
            released: EventCount::new(),
            vacated: EventCount::new(),
            words: [row(), row(), row()],
            brought: (0..members).map(|_| UnsafeCell::new(0)).collect(),
            made: UnsafeCell::new(0),
        },
    );
    parts(&w).format(0);
    w
}

/// Registers member `id`.
fn register(w: &Party, id: MemberId) {
    w.play(id);
    barrier(w).register().unwrap();
}

/// How many generations were completed.
fn completed(w: &Party) -> u64 {
    w.object.state.load(Relaxed) >> 38
}

fn owned(word: &AtomicU64, by: MemberId) -> bool {
    word.load(Relaxed) & 0xfff == u64::from(by)
}

/// Whether member `id` has a place.
fn has_place(w: &Party, id: MemberId) -> bool {
    w.object.words[1..].iter().flatten().any(|word| owned(word, id))
}

/// Brings something, waits, and looks at what came of it.
fn meet(w: &Party, id: MemberId) -> Result<u32> {
    let shared = &w.object;
    // SAFETY: here and below, loom checks that no unordered access is made.
    shared.brought[usize::from(id) - 1].with_mut(|own| unsafe { *own = 1 });
    let index = barrier(w).wait_with(FOREVER, || {
        let sum: u32 = shared.brought.iter().map(|one| one.with(|one| unsafe { *one })).sum();
        shared.made.with_mut(|made| unsafe { *made += sum });
        true
    })?;
    shared.made.with(|made| assert_eq!(unsafe { *made }, shared.brought.len() as u32));
    shared.brought.iter().for_each(|one| one.with(|one| assert_eq!(unsafe { *one }, 1)));
    Ok(index)
}

fn wait(w: &Party) -> Result<u32> {
    let result = barrier(w).wait();
    w.finished.add();
    result
}

/// Nothing is left in it.
fn finish(w: &Party) {
    w.recover();
    barrier(w).reset();
    for word in w.object.words.iter().flatten() {
        assert_eq!(word.load(Relaxed) & 0xfff, 0, "somebody was left in it");
    }
}

/// Two results of one generation.
fn all_or_none(results: [&Result<u32>; 2]) {
    let [a, b] = results;
    assert_eq!(a.is_ok(), b.is_ok(), "{a:?} {b:?}");
    if let (Ok(a), Ok(b)) = (a, b) {
        assert_eq!(a + b, 1, "indices {a} {b}");
    }
}

#[test]
fn the_action_sees_what_all_brought_and_all_see_what_it_made() {
    model(3, || {
        let w = new(2, 2);
        let parties = [1, 2].map(|id| spawn(&w, id, move |w| meet(w, id)));
        let results = parties.map(|party| party.join().unwrap());
        all_or_none([&results[0], &results[1]]);
        assert!(results[0].is_ok());
        finish(&w);
    });
}

#[test]
fn three_parties_let_each_other_through() {
    model(1, || {
        let w = new(3, 3);
        let parties = [1, 2, 3].map(|id| spawn(&w, id, move |w| meet(w, id)));
        let mut indices = parties.map(|party| party.join().unwrap().unwrap());
        indices.sort();
        assert_eq!(indices, [0, 1, 2]);
        finish(&w);
    });
}

/// The third generation has the places of the first.
#[test]
fn generations_follow_each_other() {
    model(2, || {
        let w = new(2, 2);
        let parties = [1, 2].map(|id| spawn(&w, id, |w| [(); 3].map(|()| wait(w))));
        let [a, b] = parties.map(|party| party.join().unwrap());
        for (a, b) in a.iter().zip(&b) {
            all_or_none([a, b]);
            assert!(a.is_ok());
        }
        assert_eq!(completed(&w), 3);
        finish(&w);
    });
}

/// A barrier of one: each who comes completes, and whoever has not left yet keeps the one after the next out.
#[test]
fn a_place_that_is_vacated_is_seen_or_who_waits_for_it_is_woken() {
    model(3, || {
        let w = new(1, 2);
        let parties = [1, 2].map(|id| spawn(&w, id, |w| [(); 2].map(|()| wait(w))));
        for party in parties {
            assert_eq!(party.join().unwrap(), [Ok(0), Ok(0)]);
        }
        assert_eq!(completed(&w), 4);
        finish(&w);
    });
}

#[test]
fn completed_or_broken_by_an_abort_for_all() {
    model(2, || {
        let w = new(2, 2);
        let parties = [1, 2].map(|id| spawn(&w, id, wait));
        let breaker = spawn(&w, 0, |w| barrier(w).abort());
        let results = parties.map(|party| party.join().unwrap());
        breaker.join().unwrap();
        all_or_none([&results[0], &results[1]]);
        assert!(results.iter().all(|r| matches!(r, Ok(_) | Err(Error::Broken))), "{results:?}");
        assert_eq!(completed(&w), u64::from(results[0].is_ok()));
        finish(&w);
    });
}

#[test]
fn completed_or_broken_by_a_timeout_for_all() {
    model(3, || {
        let w = new(2, 2);
        let patient = spawn(&w, 1, wait);
        let hasty = spawn(&w, 2, |w| barrier(w).wait_timeout(10));
        let results = [patient.join().unwrap(), hasty.join().unwrap()];
        all_or_none([&results[0], &results[1]]);
        if results[0].is_err() {
            assert_eq!(results, [Err(Error::Broken), Err(Error::TimedOut)]);
            assert!(barrier(&w).is_broken());
        }
        assert_eq!(completed(&w), u64::from(results[0].is_ok()));
        finish(&w);
    });
}

#[test]
fn completed_or_reset_or_timed_out_for_all() {
    model(2, || {
        let w = new(2, 2);
        let hasty = [1, 2].map(|id| spawn(&w, id, |w| barrier(w).wait_timeout(10)));
        let resetter = spawn(&w, 0, |w| barrier(w).reset());
        let results = hasty.map(|party| party.join().unwrap());
        resetter.join().unwrap();
        all_or_none([&results[0], &results[1]]);
        assert_eq!(completed(&w), u64::from(results[0].is_ok()));
        finish(&w);
    });
}

/// Who waits when it is reset is let go, whatever comes next.
#[test]
fn who_waits_is_let_go_by_a_reset() {
    model(2, || {
        let w = new(2, 2);
        let early = spawn(&w, 1, |w| {
            assert_eq!(wait(w), Err(Error::Broken));
            wait(w)
        });
        let other = spawn(&w, 2, |w| {
            until_asleep(1);
            barrier(w).reset();
            wait(w)
        });
        let results = [early.join().unwrap(), other.join().unwrap()];
        all_or_none([&results[0], &results[1]]);
        assert!(results[0].is_ok());
        assert_eq!(completed(&w), 1);
        finish(&w);
    });
}

/// A party that is killed with a place breaks the generation, or it was completed before. If it had none (not
/// yet, or not any more) somebody aborts.
#[test]
fn a_party_killed_anywhere_is_missed_within_a_tick_unless_all_had_come() {
    killed_at_every_access(20, 2, |n| {
        let w = new(2, 2);
        let victim = spawn_victim(&w, 1, n, wait, |w| {
            if !has_place(w, 1) {
                barrier(w).abort();
            }
            w.finished.tick_until(1);
        });
        let survivor = spawn(&w, 2, wait);
        let result = survivor.join().unwrap();
        let killed = victim.join().unwrap();
        assert_eq!(result.is_ok(), completed(&w) == 1, "{result:?}");
        if !killed {
            assert!(result.is_ok());
        }
        finish(&w);
        killed
    });
}

/// Killed right behind its completing step, it runs none of the fences that in models follow.
#[test]
fn what_was_made_is_seen_even_if_its_maker_is_killed() {
    killed_at_every_access(15, 2, |n| {
        let w = new(2, 2);
        let victim = spawn_victim(
            &w,
            1,
            n,
            |w| meet(w, 1),
            |w| {
                if !has_place(w, 1) {
                    barrier(w).abort();
                }
                w.finished.tick_until(1);
            },
        );
        let survivor = spawn(&w, 2, |w| {
            let result = meet(w, 2);
            w.finished.add();
            result
        });
        let result = survivor.join().unwrap();
        let killed = victim.join().unwrap();
        assert_eq!(result.is_ok(), completed(&w) == 1, "{result:?}");
        finish(&w);
        killed
    });
}

#[test]
fn a_registered_party_killed_anywhere_is_missed_even_if_it_never_came() {
    killed_at_every_access(20, 2, |n| {
        let w = new(2, 2);
        register(&w, 1);
        let victim = spawn_victim(&w, 1, n, wait, |w| w.finished.tick_until(1));
        let survivor = spawn(&w, 2, wait);
        let result = survivor.join().unwrap();
        let killed = victim.join().unwrap();
        assert_eq!(result.is_ok(), completed(&w) == 1, "{result:?}");
        if killed {
            w.recover();
            assert!(barrier(&w).is_broken(), "its death broke nothing");
        } else {
            w.play(1);
            barrier(&w).unregister().unwrap();
        }
        finish(&w);
        killed
    });
}

#[test]
fn of_three_parties_one_killed_anywhere_the_others_agree() {
    killed_at_every_access(20, 1, |n| {
        let w = new(3, 3);
        let victim = spawn_victim(&w, 1, n, wait, |w| {
            if !has_place(w, 1) {
                barrier(w).abort();
            }
            w.finished.tick_until(2);
        });
        let survivors = [2, 3].map(|id| spawn(&w, id, wait));
        let results = survivors.map(|survivor| survivor.join().unwrap());
        let killed = victim.join().unwrap();
        for result in &results {
            assert_eq!(result.is_ok(), completed(&w) == 1, "{results:?}");
        }
        assert!(killed || results[0].is_ok());
        finish(&w);
        killed
    });
}

/// A barrier of one. Killed in its generation, a party breaks it; killed while it leaves an ended one, it keeps
/// nobody out for longer than a tick.
#[test]
fn a_party_killed_while_it_leaves_keeps_nobody_out() {
    killed_at_every_access(15, 2, |n| {
        let w = new(1, 2);
        let victim = spawn_victim(&w, 1, n, |w| barrier(w).wait(), |w| w.finished.tick_until(1));
        let survivor = spawn(&w, 2, |w| [barrier(w).wait(), wait(w)]);
        let results = survivor.join().unwrap();
        let killed = victim.join().unwrap();
        assert!(killed || results == [Ok(0), Ok(0)], "{results:?}");
        let own = results.iter().filter(|result| result.is_ok()).count() as u64;
        assert!((own..=own + 1).contains(&completed(&w)));
        if results.contains(&Err(Error::Broken)) {
            assert!(barrier(&w).is_broken(), "broken, and whole again");
        }
        finish(&w);
        killed
    });
}

/// Somebody who waited when it was reset, and has not left yet, holds nobody up, and is not mistaken for a party
/// of what comes after.
#[test]
fn who_waited_at_a_reset_holds_up_nobody_and_is_not_let_through() {
    model(2, || {
        let w = new(2, 3);
        let waiter = spawn(&w, 1, wait);
        let resetter = spawn(&w, 2, |w| {
            until_asleep(1);
            barrier(w).reset();
            [(); 2].map(|()| wait(w))
        });
        let other = spawn(&w, 3, |w| {
            while has_generation(w, 0, 0) {
                yield_now();
            }
            [(); 2].map(|()| wait(w))
        });
        assert_eq!(waiter.join().unwrap(), Err(Error::Broken));
        let results = [resetter.join().unwrap(), other.join().unwrap()];
        for (a, b) in results[0].iter().zip(&results[1]) {
            assert!(matches!((a, b), (Ok(0), Ok(1)) | (Ok(1), Ok(0))), "{results:?}");
        }
        assert_eq!(completed(&w), 2);
        finish(&w);
    });
}

/// More members than parties: one has seen the state, and is overtaken by two generations that use the same
/// places. It does not take its place in one that is over.
#[test]
fn who_comes_late_is_not_let_through_for_a_generation_that_is_over() {
    model(2, || {
        let w = new(1, 2);
        let late = spawn(&w, 1, wait);
        let others = spawn(&w, 2, |w| [(); 3].map(|()| wait(w)));
        assert_eq!((late.join().unwrap(), others.join().unwrap()), (Ok(0), [Ok(0); 3]));
        assert_eq!(completed(&w), 4);
        finish(&w);
    });
}

#[test]
fn whoever_aborts_and_is_killed_anywhere_has_broken_it_for_all_or_not_at_all() {
    killed_at_every_access(5, 2, |n| {
        let w = new(2, 2);
        let waiter = spawn(&w, 2, wait);
        let victim = spawn_victim(
            &w,
            0,
            n,
            |w| barrier(w).abort(),
            |w| {
                if !barrier(w).is_broken() {
                    barrier(w).abort();
                } else {
                    w.finished.tick_until(1);
                }
            },
        );
        assert_eq!(waiter.join().unwrap(), Err(Error::Broken));
        let killed = victim.join().unwrap();
        finish(&w);
        killed
    });
}

#[test]
fn an_action_that_fails_breaks_it_for_all() {
    model(3, || {
        let w = new(2, 2);
        let parties = [1, 2].map(|id| spawn(&w, id, |w| barrier(w).wait_with(FOREVER, || false)));
        assert_eq!(parties.map(|party| party.join().unwrap()), [Err(Error::Broken); 2]);
        assert_eq!(completed(&w), 0);
        finish(&w);
    });
}

#[test]
fn a_registered_member_that_leaves_breaks_it() {
    model(3, || {
        let w = new(2, 2);
        register(&w, 1);
        let leaver = spawn(&w, 1, |w| leave(w, 1).unwrap());
        let waiter = spawn(&w, 2, wait);
        leaver.join().unwrap();
        assert_eq!(waiter.join().unwrap(), Err(Error::Broken));
        finish(&w);
    });
}

#[test]
fn of_two_who_register_for_one_place_one_is_refused() {
    model(3, || {
        let w = new(1, 2);
        let members = [1, 2].map(|id| spawn(&w, id, |w| barrier(w).register()));
        let results = members.map(|member| member.join().unwrap());
        assert!(results.contains(&Ok(())) && results.contains(&Err(Error::NoSpace)), "{results:?}");
    });
}

/// Member 1 of `members` has come to a barrier of `parties`, and is dead; the kernel has marked it.
fn with_a_dead_party(parties: usize, members: u16) -> Arc<Party> {
    let w = new(parties, members);
    let dead = spawn(&w, 1, |w| {
        // Three loads, and the fourth access takes the place.
        assert_eq!(run_killed_at(4, || barrier(w).wait()), None);
        assert!(has_place(w, 1), "the fuel is wrong: it has no place");
        w.die();
    });
    dead.join().unwrap();
    w
}

/// Member 1 of `members` was registered, and is dead.
fn with_a_dead_registered(parties: usize, members: u16) -> Arc<Party> {
    let w = new(parties, members);
    register(&w, 1);
    spawn(&w, 1, |w| w.die()).join().unwrap();
    w
}

/// Who waits recovers before it sleeps, so no tick is needed for a death before that.
#[test]
fn who_comes_after_a_death_is_never_let_through() {
    for make in [with_a_dead_party, with_a_dead_registered] {
        model(2, move || {
            let w = make(2, 2);
            let recoverer = spawn(&w, 0, World::recover);
            let waiter = spawn(&w, 2, wait);
            assert_eq!(waiter.join().unwrap(), Err(Error::Broken));
            assert_eq!(recoverer.join().unwrap().broken & !1, 0, "one death breaks one generation");
            finish(&w);
        });
    }
}

#[test]
fn a_recoverer_killed_anywhere_is_followed_by_another() {
    for make in [with_a_dead_party, with_a_dead_registered] {
        killed_at_every_access(10, 1, move |n| {
            let w = make(2, 2);
            let victim = spawn_victim(&w, 0, n, World::recover, |_| {});
            let waiter = spawn(&w, 2, wait);
            assert_eq!(waiter.join().unwrap(), Err(Error::Broken));
            let killed = victim.join().unwrap();
            finish(&w);
            killed
        });
    }
}

/// Whoever joins next gets the dead one's id, and the barrier, reset, knows nothing of the dead. With and
/// without a yield in the recoverer: with it loom tries more orders, without it older values.
fn late(make: fn(usize, u16) -> Arc<Party>, pause: fn(), preemptions: usize) {
    model(preemptions, move || {
        let w = make(1, 1);
        let late = spawn(&w, 0, move |w| w.recover_by(pause));
        let next = spawn(&w, 0, |w| {
            w.recover();
            barrier(w).reset();
            barrier(w).register().unwrap();
            assert_eq!(barrier(w).wait(), Ok(0));
            assert!(has_generation(w, 1, 1), "its own generation was broken later");
            assert_eq!(barrier(w).wait(), Ok(0));
            barrier(w).unregister().expect("the living were robbed");
        });
        next.join().unwrap();
        late.join().unwrap();
        assert!(!barrier(&w).is_broken());
        assert_eq!(completed(&w), 2);
        finish(&w);
    });
}

#[test]
fn a_late_recoverer_breaks_nothing_that_came_after_the_recovery() {
    for make in [with_a_dead_party, with_a_dead_registered] {
        late(make, yield_now, 2);
        late(make, || {}, 2);
    }
}

fn has_generation(w: &Party, completed: u64, resets: u64) -> bool {
    w.object.state.load(Acquire) == completed << 38 | resets << 12
}
