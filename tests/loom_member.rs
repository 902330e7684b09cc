//! Models of the member table: every interleaving within the preemption bound stated, and every point at
//! which one of them can be killed.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_member --target-dir target/loom`
//!
//! Each line was tried once, and the model named (among others) failed:
//!
//! | broken in `src/member.rs` | fails |
//! |---|---|
//! | `undertake`: no CAS on the tag | `a_stalled_undertaker_does_not_bury_a_namesake` |
//! | `try_join`: a licence cleared without a second look at the word | `a_joiner_overtaken_by_an_unmarked_one_does_not_look_dead` |
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
    fn sweep(&self, dead: Incarnation) -> bool {
        for _ in 0..4 {
            let seen = self.slot.load(Acquire);
            if owner(seen) != dead.id {
                return true;
            }
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
        let table = self.table();
        let dead = (1..=table.capacity()).filter_map(|id| table.death_of(Model, id, ask));
        dead.map(|dead| u32::from(table.bury(dead, || self.sweep(dead)))).sum()
    }

    /// As `Home::leave`.
    fn leave(&self, me: Incarnation) -> Result<(), Error> {
        self.table().begin_leave(Model, me)?;
        let complete = self.sweep(me);
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

#[test]
fn of_two_joiners_for_one_place_one_is_refused_unless_the_other_left() {
    model(5, || {
        let w = World::new();
        let v = w.clone();
        let other = thread::spawn(move || v.table().join(Model).is_ok());
        let ours = w.table().join(Model);
        assert_ne!(ours.is_ok(), other.join().unwrap(), "one place, one member");
        if let Ok(me) = ours {
            let mine = w.claim(me).expect("nobody else is a member");
            w.release(mine);
            w.leave(me).unwrap();
            w.finish();
        } else {
            assert_eq!(ours, Err(Error::TooManyMembers));
        }
    });
}

#[test]
fn the_living_are_never_taken_for_dead() {
    model(5, || {
        let w = World::new();
        let v = w.clone();
        let member = thread::spawn(move || {
            let me = v.table().join(Model).unwrap();
            let mine = v.claim(me).unwrap();
            v.release(mine);
            v.leave(me).unwrap();
        });
        // It may find a leaver and finish for it, but never before that.
        w.recover(true);
        w.recover(false);
        member.join().unwrap();
        w.finish();
    });
}

#[test]
fn a_member_that_joins_and_stays_is_not_buried() {
    model(5, || {
        let w = World::new();
        let v = w.clone();
        let member = thread::spawn(move || {
            let me = v.table().join(Model).unwrap();
            (me, v.claim(me).unwrap())
        });
        assert_eq!(w.recover(true) + w.recover(false), 0, "the living were buried");
        let (_, mine) = member.join().unwrap();
        w.release(mine);
    });
}

#[test]
fn a_joiner_killed_anywhere_leaves_the_place_to_another() {
    killed_at_every_access(5, 3, |n| {
        let w = World::new();
        let v = w.clone();
        let victim = thread::spawn(move || {
            let killed = run_killed_at(n, || v.live()).is_none();
            v.die();
            killed
        });
        w.live();
        let killed = victim.join().unwrap();
        w.finish();
        killed
    });
}

#[test]
fn a_member_killed_anywhere_is_buried_by_two_at_once() {
    killed_at_every_access(10, 2, |n| {
        let w = World::new();
        let (v, u) = (w.clone(), w.clone());
        let victim = thread::spawn(move || {
            let killed = run_killed_at(n, || v.live()).is_none();
            v.die();
            killed
        });
        let other = thread::spawn(move || u.recover(false));
        w.recover(false);
        other.join().unwrap();
        let killed = victim.join().unwrap();
        w.finish();
        killed
    });
}

#[test]
fn two_recoverers_of_one_death_count_it_once_and_overlook_nothing() {
    model(4, || {
        let w = World::new();
        let (v, u) = (w.clone(), w.clone());
        let victim = thread::spawn(move || v.live_and_die());
        let other = thread::spawn(move || u.recover(false));
        let buried = w.recover(false) + other.join().unwrap();
        victim.join().unwrap();
        let rest = w.recover(false);
        assert_eq!(buried + rest, 1, "one death, one burial");
        w.finish();
    });
}

#[test]
fn a_recoverer_killed_anywhere_is_followed_by_another() {
    killed_at_every_access(5, 2, |n| {
        let w = World::new();
        let v = w.clone();
        let dead = thread::spawn({
            let w = w.clone();
            move || w.live_and_die()
        });
        dead.join().unwrap();
        let victim = thread::spawn(move || {
            let killed = run_killed_at(n, || v.recover(false)).is_none();
            v.die();
            killed
        });
        w.recover(false);
        w.live();
        let killed = victim.join().unwrap();
        w.finish();
        killed
    });
}

#[test]
fn a_late_recoverer_does_not_rob_the_ids_next_holder() {
    model(3, || {
        let w = World::new();
        let v = w.clone();
        let dead = thread::spawn({
            let w = w.clone();
            move || w.live_and_die()
        });
        dead.join().unwrap();
        let late = thread::spawn(move || v.recover(false));
        w.recover(false);
        // `live` checks that nothing of its own is claimed when it joins, nor robbed before it releases.
        w.live();
        late.join().unwrap();
        w.finish();
    });
}

#[test]
fn a_leaver_and_a_recoverer_may_finish_for_each_other() {
    model(4, || {
        let w = World::new();
        let me = w.table().join(Model).unwrap();
        w.claim(me).unwrap();
        let v = w.clone();
        let other = thread::spawn(move || {
            v.recover(true);
            v.live();
        });
        w.leave(me).unwrap();
        other.join().unwrap();
        w.finish();
    });
}

#[test]
fn a_leaver_killed_anywhere_is_finished_by_another() {
    killed_at_every_access(5, 3, |n| {
        let w = World::new();
        let v = w.clone();
        let victim = thread::spawn(move || {
            let Ok(me) = v.table().join(Model) else { return false };
            v.claim(me);
            let killed = run_killed_at(n, || v.leave(me)).is_none();
            v.die();
            killed
        });
        w.recover(false);
        w.live();
        let killed = victim.join().unwrap();
        w.finish();
        killed
    });
}

/// A cell that a joiner left marked: killed between taking it and becoming a member.
fn marked_but_free() -> Arc<World> {
    let w = World::new();
    let v = w.clone();
    let victim = thread::spawn(move || {
        // Its fourth access takes the word; it dies at the fifth.
        assert_eq!(run_killed_at(4, || v.live()), None);
        assert_eq!(v.owned(), 1, "the fuel is wrong: the word was not taken");
        v.die();
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
        let v = w.clone();
        let dead = thread::spawn(move || v.live_and_die());
        w.live();
        dead.join().unwrap();
        w.finish();
    });
}

#[test]
fn a_joiner_killed_while_it_stands_on_anothers_death_leaves_it_to_be_found() {
    killed_at_every_access(5, 3, |n| {
        let w = marked_but_free();
        let (v, u) = (w.clone(), w.clone());
        let dead = thread::spawn(move || v.live_and_die());
        let victim = thread::spawn(move || {
            let killed = run_killed_at(n, || u.live()).is_none();
            u.die();
            killed
        });
        w.recover(false);
        dead.join().unwrap();
        let killed = victim.join().unwrap();
        w.finish();
        killed
    });
}

#[test]
fn a_death_that_the_kernel_did_not_tell_is_found_by_asking() {
    model(3, || {
        let w = World::new();
        let v = w.clone();
        let dead = thread::spawn(move || {
            let me = v.table().join(Model).unwrap();
            v.claim(me);
            Model.bury(&[]); // dead, and nobody marked anything
        });
        dead.join().unwrap();
        let v = w.clone();
        let other = thread::spawn(move || {
            v.recover(true);
            v.live();
        });
        assert!(w.recover(false) <= 1);
        w.recover(true);
        w.live();
        other.join().unwrap();
        w.finish();
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
        let v = w.clone();
        let other = thread::spawn(move || v.recover(true));
        let buried = w.recover(true) + other.join().unwrap();
        assert_eq!(buried + w.recover(false), 1, "one death, one burial");
        w.finish();
    });
}

#[test]
fn an_undertaker_killed_anywhere_is_buried_by_the_next() {
    for marked in [true, false] {
        killed_at_every_access(10, 3, move |n| {
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
            w.recover(true);
            w.live();
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
        let v = w.clone();
        let other = thread::spawn(move || v.recover(true));
        w.recover(true);
        live_as(&w, id);
        other.join().unwrap();
        w.finish();
    });
}

#[test]
fn an_undertaker_of_a_death_that_is_marked_meanwhile_does_not_bury_a_namesake() {
    model(4, || {
        let w = World::new();
        let v = w.clone();
        let me = w.table().join(Model).unwrap();
        w.claim(me);
        let id = Model.thread().unwrap().id();
        let other = thread::spawn(move || v.recover(true));
        // Marked, then dead: `liveness` says so only when the kernel is through with its list.
        w.cells[0].word().compare_exchange(id, DIED, AcqRel, Relaxed).expect("alive");
        Model.vanish();
        w.recover(false);
        live_as(&w, id);
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
        let v = w.clone();
        let other = thread::spawn(move || v.recover(true));
        assert_eq!(w.recover(true), 0, "it was not a member yet");
        live_as(&w, id);
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
        w.recover(true);
        live_as(&w, id);
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
        let v = w.clone();
        let other = thread::spawn(move || v.recover(true));
        assert!(live_as(&w, id), "refused, and nobody else was there");
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
            let (v, u) = (w.clone(), w.clone());
            let first = thread::spawn(move || {
                let Ok(me) = v.table().join(Model) else { return };
                assert_eq!(v.cells[0].word().load(Relaxed), Model.thread().unwrap().id(), "robbed");
                v.leave(me).expect("nobody else ends our membership");
            });
            run_killed_at(5, || u.live());
            Model.vanish();
            run_killed_at(n, || u.recover(true));
            Model.vanish();
            u.recover(true);
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
        w.recover(true);
        w.live();
        let killed = victim.join().unwrap();
        if !unnoticed(&w) {
            w.finish();
        }
        killed
    });
}
