//! loom's platform: a kernel made of a loom mutex, so that every interleaving of sleepers, wakers and
//! deaths is explored.
//!
//! There are no ticks here: a wake-up that is lost shows as a deadlock. A sleep with a finite deadline
//! ends at once with `TimedOut` and moves the clock there. [`Model::bury`] is what the kernel does when
//! a thread is dead: mark what it held, wake one sleeper each.
#![allow(missing_docs)]

use super::{Cell, DIED, Liveness, OWNER, Platform, Thread, WAITERS, Waited};
use crate::{
    error::Result,
    sync::{AtomicU32, Ordering::*},
};
use std::vec::Vec;

#[derive(Default)]
struct Kernel {
    clock: u64,
    next_id: u32,
    dead: Vec<u32>,
    /// (word's address, sleeper's id, its handle)
    sleepers: Vec<(usize, u32, loom::thread::Thread)>,
    /// (thread, cell's address)
    held: Vec<(u32, usize)>,
    announced: Vec<(u32, usize)>,
    /// (thread, region, member, epoch)
    memberships: Vec<(u32, u64, u16, u64)>,
}

loom::lazy_static! {
    static ref KERNEL: loom::sync::Mutex<Kernel> = loom::sync::Mutex::new(Kernel::default());
}
loom::thread_local! {
    static ID: core::cell::Cell<u32> = core::cell::Cell::new(0);
}

fn kernel<R>(f: impl FnOnce(&mut Kernel) -> R) -> R {
    f(&mut KERNEL.lock().unwrap())
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Model;

#[derive(Clone, Copy, Debug)]
pub struct ModelThread(u32);

impl Model {
    /// The calling thread is dead: does the kernel's part. `cells` are all cells of the model.
    pub fn bury(self, cells: &[&Cell]) {
        let me = self.thread().unwrap().0;
        let mut touched: Vec<usize> = kernel(|k| {
            k.dead.push(me);
            k.sleepers.retain(|s| s.1 != me);
            let mut all: Vec<usize> = k.held.iter().filter(|h| h.0 == me).map(|h| h.1).collect();
            all.extend(k.announced.iter().filter(|h| h.0 == me).map(|h| h.1));
            k.held.retain(|h| h.0 != me);
            k.announced.retain(|h| h.0 != me);
            all
        });
        touched.dedup();
        for cell in cells.iter().filter(|c| touched.contains(&address(*c))) {
            let mut word = cell.word.load(Relaxed);
            while word & OWNER == me {
                match cell.word.compare_exchange(word, word & WAITERS | DIED, AcqRel, Relaxed) {
                    Ok(_) if word & WAITERS != 0 => {
                        self.wake(&cell.word, 1);
                        break;
                    }
                    Ok(_) => break,
                    Err(now) => word = now,
                }
            }
        }
        // Whatever this OS thread does from here on, it does as a new participant.
        ID.with(|id| id.set(0));
    }

    /// A tick: everybody asleep looks around.
    pub fn tick(self) {
        let all: Vec<_> = kernel(|k| k.sleepers.drain(..).collect());
        for sleeper in all {
            sleeper.2.unpark();
        }
    }

    /// How many threads sleep on `word`.
    pub fn sleepers(self, word: &AtomicU32) -> usize {
        let at = core::ptr::from_ref(word) as usize;
        kernel(|k| k.sleepers.iter().filter(|s| s.0 == at).count())
    }
}

fn address(cell: &Cell) -> usize {
    core::ptr::from_ref(cell) as usize
}

impl Platform for Model {
    type Thread = ModelThread;
    const SPINS: u32 = 0;
    const TICK_NS: u64 = u64::MAX;

    fn now_ns(self) -> u64 {
        kernel(|k| k.clock)
    }

    fn wait(self, word: &AtomicU32, expected: u32, deadline_ns: u64) -> Waited {
        let me = self.thread().unwrap().0;
        let at = core::ptr::from_ref(word) as usize;
        if deadline_ns != u64::MAX {
            kernel(|k| k.clock = k.clock.max(deadline_ns));
            loom::thread::yield_now();
            return Waited::TimedOut;
        }
        // The kernel's lock makes comparison and enqueueing one step against `wake`.
        let asleep = kernel(|k| {
            if word.load(SeqCst) != expected {
                return false;
            }
            k.sleepers.push((at, me, loom::thread::current()));
            true
        });
        while asleep && kernel(|k| k.sleepers.iter().any(|s| s.1 == me)) {
            loom::thread::park();
        }
        Waited::Woken
    }

    fn wake(self, word: &AtomicU32, count: u32) -> u32 {
        let at = core::ptr::from_ref(word) as usize;
        let mut woken = 0;
        while woken < count {
            let one = kernel(|k| {
                let i = k.sleepers.iter().position(|s| s.0 == at)?;
                Some(k.sleepers.remove(i))
            });
            match one {
                Some(sleeper) => sleeper.2.unpark(),
                None => break,
            }
            woken += 1;
        }
        woken
    }

    fn thread(self) -> Result<ModelThread> {
        let mut id = ID.with(core::cell::Cell::get);
        if id == 0 {
            id = kernel(|k| {
                k.next_id += 1;
                k.next_id
            });
            ID.with(|cell| cell.set(id));
        }
        Ok(ModelThread(id))
    }

    fn unique(self) -> u64 {
        kernel(|k| {
            k.next_id += 1;
            u64::from(k.next_id)
        })
    }

    fn in_this_process(self, _id: u32, _tag: u64) -> bool {
        false
    }

    fn liveness(self, id: u32, _tag: u64) -> Liveness {
        if kernel(|k| k.dead.contains(&id)) { Liveness::Dead } else { Liveness::Alive }
    }
}

impl Thread for ModelThread {
    fn id(self) -> u32 {
        self.0
    }
    fn tag(self) -> u64 {
        u64::from(self.0)
    }
    fn has_room(self) -> bool {
        true
    }
    fn announce(self, cell: &Cell) {
        kernel(|k| k.announced.push((self.0, address(cell))));
    }
    fn settle(self) {
        kernel(|k| k.announced.retain(|h| h.0 != self.0));
    }
    fn link(self, cell: &Cell) {
        kernel(|k| k.held.push((self.0, address(cell))));
    }
    fn unlink(self, cell: &Cell) {
        kernel(|k| k.held.retain(|h| *h != (self.0, address(cell))));
    }
    fn holds(self, cell: &Cell) -> bool {
        kernel(|k| k.held.contains(&(self.0, address(cell))))
    }
    fn holds_within(self, start: *const u8, len: usize) -> bool {
        let range = start as usize..start as usize + len;
        kernel(|k| k.held.iter().any(|h| h.0 == self.0 && range.contains(&h.1)))
    }
    fn membership(self, region: u64) -> Option<u16> {
        kernel(|k| k.memberships.iter().find(|m| (m.0, m.1) == (self.0, region)).map(|m| m.2))
    }
    fn set_membership(self, region: u64, id: u16, epoch: u64) -> Result<()> {
        kernel(|k| k.memberships.push((self.0, region, id, epoch)));
        Ok(())
    }
    fn remove_membership(self, region: u64) -> Option<(u16, u64)> {
        kernel(|k| {
            let at = k.memberships.iter().position(|m| (m.0, m.1) == (self.0, region))?;
            let m = k.memberships.remove(at);
            Some((m.2, m.3))
        })
    }
}
