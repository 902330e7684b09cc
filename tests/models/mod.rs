//! What the models of the synchronization objects share: how one is explored, how somebody is killed in it at
//! each of its accesses, and a region without a region: members and one object ([`World`]).
#![cfg(rialto_loom)]
#![allow(dead_code)]

use loom::{model::Builder, sync::Arc, thread};
use rialto::{
    Error, Recovered, Result,
    member::{Depth, Home, Incarnation, MemberId, Table},
    sync::{AtomicU32, Ordering::*, fuel::run_killed_at},
    sys::{Cell, Platform, Thread, model::Model},
    time::Deadline,
};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst as STD};

pub fn model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(f);
}

/// Runs `f` for fuel 0, 1, 2 ... until a whole exploration in which the victim never died.
pub fn killed_at_every_access(
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

/// How many of those who must finish have. After a death, time passes until they all have.
pub struct Finished(AtomicU32);

impl Finished {
    pub fn new() -> Finished {
        Finished(AtomicU32::new(0))
    }

    pub fn add(&self) {
        self.0.fetch_add(1, SeqCst);
    }

    pub fn get(&self) -> u32 {
        self.0.load(SeqCst)
    }

    /// Ticks until `n` have finished. Who has looked before a tick may fall asleep after it, and is woken by
    /// the next.
    pub fn tick_until(&self, n: u32) {
        self.repeat_until(n, || Model.tick());
    }

    /// Does `f` until `n` have finished, whenever all of them that have not are asleep.
    pub fn repeat_until(&self, n: u32, f: impl Fn()) {
        loop {
            let finished = self.0.load(SeqCst);
            if finished >= n {
                return;
            }
            if finished + Model.asleep() as u32 >= n {
                f();
            }
            thread::yield_now();
        }
    }
}

/// Until at least `n` threads are asleep.
pub fn until_asleep(n: usize) {
    while Model.asleep() < n {
        thread::yield_now();
    }
}

/// What a region does with an object of it when a member is gone.
pub trait Object: Sync + Send + Sized + 'static {
    fn sweep(world: &World<Self>, dead: Incarnation, is_dying: &dyn Fn() -> bool) -> (Recovered, bool);
}

/// Members, and an object that they use.
pub struct World<O> {
    pub cells: Vec<Cell>,
    pub object: O,
    pub finished: Finished,
}

/// The members that exist from the beginning are of these threads.
const FIRST_THREAD: u32 = 100;
const REGION: u64 = 1;

impl<O: Object> World<O> {
    /// Members 1 to `members`, who have joined, and room for one more. Each of them is played by one
    /// [`World::spawn`]; nobody interleaves with the joining, which `loom_member` is about.
    pub fn new(members: u16, object: O) -> Arc<World<O>> {
        let cells = (0..=members).map(|_| Table::new_cell()).collect();
        let world = World { cells, object, finished: Finished::new() };
        for id in 1..=members {
            Model.reincarnate(FIRST_THREAD + u32::from(id));
            assert_eq!(world.table().join(Model).unwrap().id, id);
        }
        Arc::new(world)
    }

    pub fn table(&self) -> Table<'_> {
        // SAFETY: a loom thread has no list in the cells, only their addresses.
        unsafe { Table::new(&self.cells) }
    }

    /// The calling thread is member `id` from here on.
    pub fn play(&self, id: MemberId) {
        Model.reincarnate(FIRST_THREAD + u32::from(id));
        let thread = Model.thread().unwrap();
        thread.remove_membership(REGION);
        // SAFETY: only the address is kept.
        unsafe { thread.link(&self.cells[usize::from(id) - 1]) };
        thread.set_membership(REGION, id, self.table().epoch(id)).unwrap();
    }

    /// The kernel's part of the calling thread's death.
    pub fn die(&self) {
        Model.bury(&self.cells.iter().collect::<Vec<_>>());
    }

    /// As `Region::recover`.
    pub fn recover(&self) -> Recovered {
        self.recover_by(|| {})
    }

    /// loom 0.7 overlooks some orders of three accesses by two threads; `pause` (a yield) before each
    /// question whether somebody is dying makes it try these.
    pub fn recover_by(&self, pause: fn()) -> Recovered {
        let (table, mut sum) = (self.table(), Recovered::default());
        for id in 1..=table.capacity() {
            let Some(dead) = table.death_of(Model, id, false) else { continue };
            let whole = table.bury(dead, || {
                pause();
                let (found, whole) = O::sweep(self, dead, &|| {
                    let dying = table.is_dying(dead);
                    pause();
                    dying
                });
                sum.permits += found.permits;
                sum.broken += found.broken;
                whole
            });
            sum.members += u32::from(whole);
        }
        sum
    }
}

impl<O: Object> Home for World<O> {
    type Platform = Model;
    fn platform(&self) -> Model {
        Model
    }
    fn tick_ns(&self) -> u64 {
        Model::TICK_NS
    }
    fn me(&self) -> Result<MemberId> {
        let thread = Model.thread()?;
        if let Some(id) = thread.membership(REGION) {
            return Ok(id);
        }
        let me = self.table().join(Model).or_else(|_| {
            self.recover();
            self.table().join(Model)
        })?;
        thread.set_membership(REGION, me.id, me.epoch)?;
        Ok(me.id)
    }
    fn recover_until(&self, _depth: Depth, _until: Deadline) -> bool {
        self.recover();
        true
    }
    fn leave(&self, member: Incarnation) -> Result<()> {
        let table = self.table();
        table.begin_leave(Model, member)?;
        let (_, whole) = O::sweep(self, member, &|| table.is_dying(member));
        Model.thread()?.remove_membership(REGION);
        table.finish_leave(Model, member, whole)
    }
    fn epoch(&self, id: MemberId) -> u64 {
        self.table().epoch(id)
    }
    fn is_still(&self, member: Incarnation) -> bool {
        self.table().is_still(member)
    }
    fn has_in_hand(&self, _member: MemberId) -> bool {
        false
    }
}

/// A participant that is nobody's member (`id` 0), or member `id`. The main thread of a model only spawns and
/// joins: loom 0.7 hardly ever preempts it before its first accesses.
pub fn spawn<O: Object, R: 'static>(
    w: &Arc<World<O>>,
    id: MemberId,
    f: impl FnOnce(&World<O>) -> R + 'static,
) -> thread::JoinHandle<R> {
    let w = w.clone();
    thread::spawn(move || {
        if id != 0 {
            w.play(id);
        }
        f(&w)
    })
}

/// A participant that is killed at its access `n`; the kernel marks it, and `then` somebody else goes on in
/// its thread. True: it was killed.
pub fn spawn_victim<O: Object, R: 'static>(
    w: &Arc<World<O>>,
    id: MemberId,
    n: u32,
    f: impl FnOnce(&World<O>) -> R + 'static,
    then: impl FnOnce(&World<O>) + 'static,
) -> thread::JoinHandle<bool> {
    spawn(w, id, move |w| {
        let killed = run_killed_at(n, || f(w)).is_none();
        if killed {
            w.die();
            then(w);
        }
        killed
    })
}

/// Leaves as member `id`, whom the calling thread plays.
pub fn leave<O: Object>(w: &World<O>, id: MemberId) -> core::result::Result<(), Error> {
    w.leave(Incarnation { id, epoch: w.table().epoch(id) })
}
