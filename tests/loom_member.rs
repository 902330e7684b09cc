//! Models of the member table: every interleaving within the preemption bound stated, and every point at
//! which one of them can be killed.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_member --target-dir target/loom`
//!
//! How each ordering and each rule of `src/member/mod.rs` was weakened once, and which models failed:
//!
//! | weakened | failed |
//! |---|---|
//! | `try_join`: CAS to LIVE, AcqRel -> Relaxed | `a_late_recoverer_...`, `two_recoverers_...`, and three more |
//! | `death_of`: load of the state, Acquire -> Relaxed | `a_member_that_joins_and_stays_...`, and nine more |
//! | `death_of`: load of the word, Acquire -> Relaxed | `two_recoverers_...`, `a_member_killed_anywhere_...`, and two more |
//! | `bury`: CAS to DYING, AcqRel/Acquire -> Relaxed | `a_second_recoverer_sees_...` |
//! | `begin_leave`: CAS to DYING, AcqRel -> Relaxed | `a_leaver_killed_anywhere_...` |
//! | `set_free` Relaxed **and** `try_join` takes the word Relaxed | `a_late_recoverer_...`, `a_leaver_and_a_recoverer_...`, and three more |
//! | `try_join` acquires nothing (both loads and both CAS) | `a_death_under_a_joiner_...`, and five more |
//! | `is_dying` always true | `a_late_recoverer_...`, `a_death_that_the_kernel_did_not_tell_...` |
//! | `bury`: FREE before the sweep | `a_joiner_killed_anywhere_...`, `a_death_under_a_joiner_...`, and more |
//! | `undertake`: no CAS on the tag | `a_stalled_undertaker_does_not_bury_a_namesake` |
//! | `try_join`: a licence cleared without a second look at the word | `a_joiner_overtaken_by_an_unmarked_one_does_not_look_dead` |
//! | `try_join`: a cell taken under another's death is kept | `a_death_under_a_joiner_...`, `a_joiner_killed_while_...`, and more |
//!
//! One belt of two, so that no model fails when it alone is weakened: `set_free`, and the CAS and loads of
//! `try_join` (each join reads both the word and the state that the last sweeper wrote); the Acquire of
//! `is_dying` (the sweeper's load of the claim has acquired as much); `give_up`'s CAS (FREE was written
//! first); the second look of `death_of`, the clearing of DIED in `bury`, the order of the two loads in
//! `try_join` and of FREE and giving up in a leave (the CAS on the state word finds out each time);
//! whether a mis-acquired cell is given up as 0 or DIED (both mean: no owner); `bury` going on although it
//! saw another state (`is_dying` and the last CAS refuse).
#![cfg(rialto_loom)]

use loom::{model::Builder, sync::Arc, thread};
use rialto::{
    Error,
    member::{Incarnation, MemberId, Table},
    sync::{AtomicU64, Ordering::*, fuel::run_killed_at},
    sys::{Cell, DIED, OWNER, Platform, Thread, model::Model},
};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst as STD};

/// One member cell, and one object with one slot: `generation << 16 | owner`. The generation rises at each
/// change, as a ring's slot word does.
struct World {
    cells: Vec<Cell>,
    slot: AtomicU64,
}

fn owner(word: u64) -> MemberId {
    word as u16
}

fn next(word: u64, owner: MemberId) -> u64 {
    ((word >> 16) + 1) << 16 | u64::from(owner)
}

impl World {
    fn new() -> Arc<World> {
        Arc::new(World { cells: vec![Table::new_cell()], slot: AtomicU64::new(0) })
    }

    fn table(&self) -> Table<'_> {
        // SAFETY: a loom thread has no list in the cells, only their addresses.
        unsafe { Table::new(&self.cells) }
    }

    /// How many cells have an owner.
    fn owned(&self) -> usize {
        self.cells.iter().filter(|cell| cell.word().load(Acquire) & OWNER != 0).count()
    }

    /// The kernel's part of the calling thread's death.
    fn die(&self) {
        Model.bury(&self.cells.iter().collect::<Vec<_>>());
    }

    /// As a member, claims the slot if it is free. What was claimed is ours until we release it.
    fn claim(&self, me: Incarnation) -> Option<u64> {
        let seen = self.slot.load(Acquire);
        assert_ne!(owner(seen), me.id, "the id was issued before the last holder's claims were swept");
        if owner(seen) != 0 {
            return None;
        }
        let mine = next(seen, me.id);
        self.slot.compare_exchange(seen, mine, AcqRel, Relaxed).is_ok().then_some(mine)
    }

    fn release(&self, mine: u64) {
        let result = self.slot.compare_exchange(mine, next(mine, 0), AcqRel, Relaxed);
        assert_eq!(result, Ok(mine), "somebody robbed the living");
    }

    /// As `Ring::recover`.
    fn sweep(&self, dead: Incarnation, pause: fn()) -> bool {
        for _ in 0..4 {
            pause();
            let seen = self.slot.load(Acquire);
            if owner(seen) != dead.id {
                return true;
            }
            pause();
            if !self.table().is_dying(dead) {
                return false;
            }
            if self.slot.compare_exchange(seen, next(seen, 0), AcqRel, Relaxed).is_ok() {
                return true;
            }
        }
        panic!("a slot of the dead changes and changes");
    }

    /// As `Region::recover`: how many were buried by this call.
    fn recover(&self, ask: bool) -> u32 {
        self.recover_by(ask, || {})
    }

    /// loom 0.7 remembers one last access per object, and so overlooks some orders of three accesses by
    /// two threads; `pause` (a yield) between them makes it try these.
    fn recover_by(&self, ask: bool, pause: fn()) -> u32 {
        let table = self.table();
        let dead = (1..=table.capacity()).filter_map(|id| table.death_of(Model, id, ask));
        dead.map(|dead| u32::from(table.bury(dead, || self.sweep(dead, pause)))).sum()
    }

    /// As `Home::leave`.
    fn leave(&self, me: Incarnation) -> Result<(), Error> {
        self.table().begin_leave(Model, me)?;
        let complete = self.sweep(me, || {});
        self.table().finish_leave(Model, me, complete)
    }

    /// A member's life: join, claim, release, leave. False: there was no place.
    fn live(&self) -> bool {
        let Ok(me) = self.table().join(Model) else { return false };
        if let Some(mine) = self.claim(me) {
            self.release(mine);
        }
        self.leave(me).expect("nobody else ends our membership");
        true
    }

    /// A member that dies with the slot in hand. False: there was no place.
    fn live_and_die(&self) -> bool {
        let Ok(me) = self.table().join(Model) else { return false };
        self.claim(me);
        self.die();
        true
    }

    /// Everybody is gone: whatever the dead left is found now, once, and the place is good again.
    fn finish(&self) {
        for _ in 0..2 {
            self.recover(true);
        }
        assert_eq!(owner(self.slot.load(Acquire)), 0, "a claim of the dead was overlooked");
        assert_eq!(self.table().live(), 0, "a death was overlooked");
        assert!(
            self.live(),
            "the place is lost {:x} {:x} {:x}",
            self.cells[0].word().load(Relaxed),
            self.cells[0].tag().load(Relaxed),
            self.table().epoch(1)
        );
        assert_eq!(self.owned(), 0);
    }
}

fn model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(f);
}

/// Runs `f` for fuel 0, 1, 2 ... until a whole exploration in which the victim never died.
fn killed_at_every_access(
    at_least: u32,
    preemptions: usize,
    f: impl Fn(u32) -> bool + Sync + Send + Copy + 'static,
) {
    for n in 0.. {
        assert!(n < 100, "the victim never finishes");
        let deaths = std::sync::Arc::new(AtomicUsize::new(0));
        let count = deaths.clone();
        model(preemptions, move || {
            if f(n) {
                count.fetch_add(1, STD);
            }
        });
        if deaths.load(STD) == 0 {
            assert!(n >= at_least, "too few kill points: {n}");
            println!("{n} kill points");
            return;
        }
    }
}

/// A participant. The main thread of a model only spawns and joins: loom 0.7 hardly ever preempts it
/// before its first accesses (measured here: 135 executions where a third thread instead gave 800 000).
fn spawn<R: 'static>(w: &Arc<World>, f: impl FnOnce(&World) -> R + 'static) -> thread::JoinHandle<R> {
    let w = w.clone();
    thread::spawn(move || f(&w))
}

/// A participant that dies at its access `n`, if it gets that far; else in the end. True: it was killed.
fn spawn_victim<R: 'static>(
    w: &Arc<World>,
    n: u32,
    f: impl FnOnce(&World) -> R + 'static,
) -> thread::JoinHandle<bool> {
    spawn(w, move |w| {
        let killed = run_killed_at(n, || f(w)).is_none();
        w.die();
        killed
    })
}

#[test]
fn of_two_joiners_for_one_place_one_is_refused_unless_the_other_left() {
    model(5, || {
        let w = World::new();
        let join = |w: &World| w.table().join(Model).map(|me| w.release(w.claim(me).expect("alone")));
        let (a, b) = (spawn(&w, join), spawn(&w, join));
        let results = [a.join().unwrap(), b.join().unwrap()];
        assert!(results.contains(&Ok(())) && results.contains(&Err(Error::TooManyMembers)), "{results:?}");
    });
}

#[test]
fn a_member_that_joins_and_stays_is_not_buried() {
    model(4, || {
        let w = World::new();
        let member = spawn(&w, |w| {
            let me = w.table().join(Model).unwrap();
            w.release(w.claim(me).unwrap());
            w.claim(me).unwrap()
        });
        let recoverer = spawn(&w, |w| w.recover(true) + w.recover(false));
        assert_eq!(recoverer.join().unwrap(), 0, "the living were buried");
        w.release(member.join().unwrap());
    });
}

#[test]
fn a_leaver_is_never_robbed_before_it_leaves() {
    model(3, || {
        let w = World::new();
        let member = spawn(&w, |w| assert!(w.live() && w.live()));
        let recoverer = spawn(&w, |w| {
            w.recover(true);
            w.recover(false);
        });
        member.join().unwrap();
        recoverer.join().unwrap();
        w.finish();
    });
}

#[test]
fn a_joiner_killed_anywhere_leaves_the_place_to_another() {
    killed_at_every_access(5, 3, |n| {
        let w = World::new();
        let victim = spawn_victim(&w, n, World::live);
        let other = spawn(&w, World::live);
        other.join().unwrap();
        let killed = victim.join().unwrap();
        w.finish();
        killed
    });
}

#[test]
fn a_member_killed_anywhere_is_buried_by_two_at_once() {
    killed_at_every_access(10, 2, |n| {
        let w = World::new();
        let victim = spawn_victim(&w, n, World::live);
        let recoverers = [spawn(&w, |w| w.recover(false)), spawn(&w, |w| w.recover(false))];
        for recoverer in recoverers {
            recoverer.join().unwrap();
        }
        let killed = victim.join().unwrap();
        w.finish();
        killed
    });
}

#[test]
fn two_recoverers_of_one_death_count_it_once_and_overlook_nothing() {
    model(3, || {
        let w = World::new();
        let victim = spawn(&w, World::live_and_die);
        let recoverers = [spawn(&w, |w| w.recover(false)), spawn(&w, |w| w.recover(false))];
        let buried: u32 = recoverers.into_iter().map(|recoverer| recoverer.join().unwrap()).sum();
        victim.join().unwrap();
        assert_eq!(buried + w.recover(false), 1, "one death, one burial");
        w.finish();
    });
}

/// A world whose one member is dead, with the slot in hand.
fn with_a_dead_member() -> Arc<World> {
    let w = World::new();
    spawn(&w, World::live_and_die).join().unwrap();
    w
}

#[test]
fn a_recoverer_killed_anywhere_is_followed_by_another() {
    killed_at_every_access(5, 2, |n| {
        let w = with_a_dead_member();
        let victim = spawn_victim(&w, n, |w| w.recover(false));
        let other = spawn(&w, |w| {
            w.recover(false);
            w.live();
        });
        other.join().unwrap();
        let killed = victim.join().unwrap();
        w.finish();
        killed
    });
}

#[test]
fn a_late_recoverer_does_not_rob_the_ids_next_holder() {
    model(3, || {
        let w = with_a_dead_member();
        let late = spawn(&w, |w| w.recover_by(false, thread::yield_now));
        // `live` checks that nothing of its own is claimed when it joins, nor robbed before it releases.
        let next = spawn(&w, |w| {
            w.recover(false);
            w.live();
        });
        next.join().unwrap();
        late.join().unwrap();
        w.finish();
    });
}

#[test]
fn whoever_joins_after_anothers_recovery_finds_nothing_of_the_dead() {
    model(3, || {
        let w = with_a_dead_member();
        let recoverer = spawn(&w, |w| w.recover_by(false, thread::yield_now));
        let joiner = spawn(&w, World::live);
        joiner.join().unwrap();
        recoverer.join().unwrap();
        w.finish();
    });
}

#[test]
fn a_leaver_and_a_recoverer_may_finish_for_each_other() {
    model(3, || {
        let w = World::new();
        let leaver = spawn(&w, |w| {
            let Ok(me) = w.table().join(Model) else { return };
            w.claim(me);
            w.leave(me).unwrap();
        });
        let other = spawn(&w, |w| {
            w.recover(true);
            w.live();
        });
        leaver.join().unwrap();
        other.join().unwrap();
        w.finish();
    });
}

#[test]
fn a_leaver_killed_anywhere_is_finished_by_another() {
    killed_at_every_access(10, 2, |n| {
        let w = World::new();
        let victim = spawn_victim(&w, n, |w| {
            let Ok(me) = w.table().join(Model) else { return };
            w.claim(me);
            w.leave(me).unwrap();
        });
        let other = spawn(&w, |w| {
            w.recover(false);
            w.live();
        });
        other.join().unwrap();
        let killed = victim.join().unwrap();
        w.finish();
        killed
    });
}

/// A cell that a joiner left marked: killed between taking it and becoming a member.
fn marked_but_free() -> Arc<World> {
    let w = World::new();
    let victim = spawn(&w, |w| {
        // Its fourth access takes the word; it dies at the fifth.
        assert_eq!(run_killed_at(4, || w.live()), None);
        assert_eq!(w.owned(), 1, "the fuel is wrong: the word was not taken");
        w.die();
    });
    victim.join().unwrap();
    assert_eq!(w.table().live(), 0);
    w
}

#[test]
fn a_death_under_a_joiner_that_looked_before_is_still_told() {
    // The second joiner may look at the marked word, be overtaken by a whole life and death there, and
    // then take a word that looks the same: it must leave the death to be found.
    model(4, || {
        let w = marked_but_free();
        let (dead, joiner) = (spawn(&w, World::live_and_die), spawn(&w, World::live));
        joiner.join().unwrap();
        dead.join().unwrap();
        w.finish();
    });
}

#[test]
fn a_joiner_killed_while_it_stands_on_anothers_death_leaves_it_to_be_found() {
    killed_at_every_access(5, 2, |n| {
        let w = marked_but_free();
        let dead = spawn(&w, World::live_and_die);
        let victim = spawn_victim(&w, n, World::live);
        let recoverer = spawn(&w, |w| w.recover(false));
        recoverer.join().unwrap();
        dead.join().unwrap();
        let killed = victim.join().unwrap();
        w.finish();
        killed
    });
}

#[test]
fn a_death_that_the_kernel_did_not_tell_is_found_by_asking() {
    model(2, || {
        let w = World::new();
        let dead = spawn(&w, |w| {
            let me = w.table().join(Model).unwrap();
            w.claim(me);
            Model.bury(&[]); // dead, and nobody marked anything
        });
        dead.join().unwrap();
        let others = [(); 2].map(|()| {
            spawn(&w, |w| {
                w.recover(true);
                w.live();
            })
        });
        for other in others {
            other.join().unwrap();
        }
        w.finish();
    });
}

#[test]
fn a_second_recoverer_sees_the_claims_of_the_dead_or_leaves_them_to_the_first() {
    model(3, || {
        let w = World::new();
        let me = w.table().join(Model).unwrap();
        let dying = spawn(&w, move |w| {
            w.claim(me);
            // What the kernel does when it finds the owner dead.
            let word = w.cells[0].word();
            let mine = word.load(Relaxed);
            word.compare_exchange(mine, DIED, AcqRel, Relaxed).unwrap();
        });
        // The first is stopped where it has begun, or where it has seen the claim.
        let slow = spawn(&w, |w| w.recover_by(false, thread::yield_now));
        let quick = spawn(&w, |w| w.recover(false));
        let buried = slow.join().unwrap() + quick.join().unwrap();
        dying.join().unwrap();
        assert_eq!(buried + w.recover(false), 1, "one death, one burial");
        assert_eq!(owner(w.slot.load(Acquire)), 0, "a claim of the dead was overlooked");
    });
}

/// A member that dies with the slot in hand, and the kernel does not mark it. Says its thread's id.
fn unmarked_death(w: &Arc<World>) -> u32 {
    let v = w.clone();
    let dead = thread::spawn(move || {
        let me = v.table().join(Model).unwrap();
        v.claim(me);
        let id = Model.thread().unwrap().id();
        Model.vanish();
        id
    });
    dead.join().unwrap()
}

/// A joiner that dies just before it would be a member; `marked`: by the kernel. Says its thread's id.
fn dead_joiner(w: &Arc<World>, marked: bool) -> u32 {
    let v = w.clone();
    let dead = thread::spawn(move || {
        let id = Model.thread().unwrap().id();
        // Its fourth access takes the word, the fifth writes the tag.
        assert_eq!(run_killed_at(5, || v.live()), None);
        assert_ne!(v.cells[0].tag().load(Relaxed), 0, "the fuel is wrong: there is no tag");
        if marked {
            v.die()
        } else {
            Model.vanish()
        }
        id
    });
    let id = dead.join().unwrap();
    assert_eq!(w.table().live(), 0);
    id
}

/// A new thread's life that got the id of a dead one. False: there was no place.
fn live_as(w: &World, id: u32) -> bool {
    Model.vanish();
    Model.reincarnate(id);
    let Ok(me) = w.table().join(Model) else { return false };
    if let Some(mine) = w.claim(me) {
        w.release(mine);
    }
    let word = w.cells[0].word().load(Relaxed);
    assert_eq!(word, id, "the living were marked as dead");
    w.leave(me).expect("nobody else ends our membership");
    true
}

#[test]
fn of_two_undertakers_of_an_unmarked_death_one_buries() {
    model(4, || {
        let w = World::new();
        unmarked_death(&w);
        let others = [spawn(&w, |w| w.recover(true)), spawn(&w, |w| w.recover(true))];
        let buried: u32 = others.into_iter().map(|other| other.join().unwrap()).sum();
        assert_eq!(buried + w.recover(false), 1, "one death, one burial");
        w.finish();
    });
}

#[test]
fn an_undertaker_killed_anywhere_is_buried_by_the_next() {
    for marked in [true, false] {
        killed_at_every_access(10, 2, move |n| {
            let w = World::new();
            unmarked_death(&w);
            let v = w.clone();
            let victim = thread::spawn(move || {
                let killed = run_killed_at(n, || v.recover(true)).is_none();
                if marked {
                    v.die()
                } else {
                    Model.vanish()
                }
                killed
            });
            let other = spawn(&w, |w| {
                w.recover(true);
                w.live();
            });
            other.join().unwrap();
            let killed = victim.join().unwrap();
            w.finish();
            killed
        });
    }
}

#[test]
fn a_stalled_undertaker_does_not_bury_a_namesake() {
    model(4, || {
        let w = World::new();
        let id = unmarked_death(&w);
        let other = spawn(&w, |w| w.recover(true));
        let namesake = spawn(&w, move |w| {
            w.recover(true);
            live_as(w, id);
        });
        namesake.join().unwrap();
        other.join().unwrap();
        w.finish();
    });
}

#[test]
fn an_undertaker_of_a_death_that_is_marked_meanwhile_does_not_bury_a_namesake() {
    model(4, || {
        let w = World::new();
        let dying = spawn(&w, |w| {
            let me = w.table().join(Model).unwrap();
            w.claim(me);
            let id = Model.thread().unwrap().id();
            // Marked, then dead: `liveness` says so only when the kernel is through with its list.
            w.cells[0].word().compare_exchange(id, DIED, AcqRel, Relaxed).expect("alive");
            Model.vanish();
            w.recover(false);
            live_as(w, id);
        });
        let other = spawn(&w, |w| w.recover(true));
        dying.join().unwrap();
        other.join().unwrap();
        w.finish();
    });
}

#[test]
fn a_joiner_dead_and_unmarked_is_cleared_away_by_two_at_once() {
    model(4, || {
        let w = World::new();
        let id = dead_joiner(&w, false);
        assert_eq!(w.recover(false), 0);
        assert!(!w.live(), "nobody was asked, and the place is free");
        let other = spawn(&w, |w| w.recover(true));
        let namesake = spawn(&w, move |w| {
            assert_eq!(w.recover(true), 0, "it was not a member yet");
            live_as(w, id);
        });
        namesake.join().unwrap();
        other.join().unwrap();
        w.finish();
    });
}

#[test]
fn whoever_clears_a_dead_joiner_away_may_be_killed_anywhere() {
    killed_at_every_access(7, 3, |n| {
        let w = World::new();
        let id = dead_joiner(&w, false);
        let v = w.clone();
        let victim = thread::spawn(move || {
            let killed = run_killed_at(n, || v.recover(true)).is_none();
            v.die();
            killed
        });
        let namesake = spawn(&w, move |w| {
            w.recover(true);
            live_as(w, id);
        });
        namesake.join().unwrap();
        let killed = victim.join().unwrap();
        w.finish();
        killed
    });
}

#[test]
fn a_namesake_that_joins_after_a_dead_joiner_does_not_look_dead() {
    model(4, || {
        let w = World::new();
        let id = dead_joiner(&w, true);
        let other = spawn(&w, |w| w.recover(true));
        let namesake = spawn(&w, move |w| assert!(live_as(w, id), "refused, and nobody else was there"));
        namesake.join().unwrap();
        other.join().unwrap();
        w.finish();
    });
}

#[test]
fn a_joiner_overtaken_by_an_unmarked_one_does_not_look_dead() {
    // It looks at the word and is stopped; another joins there and dies unmarked; an undertaker puts the
    // same word back and is killed: its licence must not be used against the first.
    for n in [7, 8] {
        model(4, move || {
            let w = World::new();
            let first = spawn(&w, |w| {
                let Ok(me) = w.table().join(Model) else { return };
                assert_eq!(w.cells[0].word().load(Relaxed), Model.thread().unwrap().id(), "robbed");
                w.leave(me).expect("nobody else ends our membership");
            });
            let others = spawn(&w, move |w| {
                run_killed_at(5, || w.live());
                Model.vanish();
                run_killed_at(n, || w.recover(true));
                Model.vanish();
                w.recover(true);
            });
            others.join().unwrap();
            first.join().unwrap();
            w.recover(true);
            w.finish();
        });
    }
}

/// Whether the place is lost: killed unmarked between the word and the tag, or the tag and the word.
fn unnoticed(w: &World) -> bool {
    w.cells[0].tag().load(Relaxed) == 0 && w.cells[0].word().load(Relaxed) & OWNER != 0
}

#[test]
fn whoever_joins_or_leaves_and_dies_unmarked_anywhere_is_found_if_it_has_a_tag() {
    killed_at_every_access(14, 2, |n| {
        let w = World::new();
        let v = w.clone();
        let victim = thread::spawn(move || {
            let killed = run_killed_at(n, || v.live()).is_none();
            Model.vanish();
            killed
        });
        let other = spawn(&w, |w| {
            w.recover(true);
            w.live();
        });
        other.join().unwrap();
        let killed = victim.join().unwrap();
        if !unnoticed(&w) {
            w.finish();
        }
        killed
    });
}
