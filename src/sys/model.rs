//! loom's platform: a kernel made of a loom mutex, so that every interleaving of sleepers, wakers and
//! deaths is explored.
//!
//! There are no ticks here: a wake-up that is lost shows as a deadlock, unless the model itself calls
//! [`Model::tick`]. A sleep with a finite deadline ends at once with `TimedOut` and moves the clock there.
//! [`Model::bury`] is what the kernel does when a thread is dead: mark what it held, wake one sleeper
//! each. [`Model::vanish`] is a death that the kernel fails to mark.
//!
//! A thread can be killed (by fuel, see `sync`) at every shared access, and before each system call.
#![allow(missing_docs)]

use super::{Cell, DIED, Liveness, OWNER, Platform, TAG_ID, Thread, WAITERS, Waited, tag_id};
use crate::{
    error::Result,
    sync::{AtomicU32, Ordering::*, fuel, light},
};
use std::vec::Vec;

#[derive(Default)]
struct Kernel {
    next_region: u64,
    clock: u64,
    next_id: u32,
    /// Tags of the dead: an id may come back with another tag.
    dead: Vec<u64>,
    /// (word's address, sleeper's tag, its handle)
    sleepers: Vec<(usize, u64, loom::thread::Thread)>,
    /// Descriptors that were signalled and not read.
    readable: Vec<i32>,
}

/// What only the thread itself touches, so that loom has nothing to interleave.
#[derive(Default)]
struct Own {
    tag: u64,
    held: Vec<usize>,
    announced: Vec<usize>,
    /// (region, member, epoch)
    memberships: Vec<(u64, u16, u64)>,
}

loom::lazy_static! {
    static ref KERNEL: loom::sync::Mutex<Kernel> = loom::sync::Mutex::new(Kernel::default());
}
loom::thread_local! {
    static OWN: core::cell::RefCell<Own> = core::cell::RefCell::new(Own::default());
}

fn kernel<R>(f: impl FnOnce(&mut Kernel) -> R) -> R {
    f(&mut KERNEL.lock().unwrap())
}

fn own<R>(f: impl FnOnce(&mut Own) -> R) -> R {
    OWN.with(|own| f(&mut own.borrow_mut()))
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Model;

#[derive(Clone, Copy, Debug)]
pub struct ModelThread(u64);

impl Model {
    /// The calling thread is dead: does the kernel's part, and says how many cells it marked. `cells`
    /// are all cells of the model. What this loom thread does afterwards it does as somebody new.
    pub fn bury(self, cells: &[&Cell]) -> usize {
        let me = self.thread().unwrap();
        let (held, announced) = own(|own| (own.held.clone(), own.announced.clone()));
        self.vanish();
        let mut marked = 0;
        for (set, pending) in [(held, false), (announced, true)] {
            for cell in cells.iter().filter(|c| set.contains(&address(c))) {
                let mut word = cell.word.load(Relaxed);
                loop {
                    if pending && word & OWNER == 0 {
                        self.wake(&cell.word, 1);
                    }
                    if word & OWNER != me.id() {
                        break;
                    }
                    match cell.word.compare_exchange(word, word & WAITERS | DIED, AcqRel, Relaxed) {
                        Ok(_) => {
                            marked += 1;
                            if word & WAITERS != 0 {
                                self.wake(&cell.word, 1);
                            }
                            break;
                        }
                        Err(now) => word = now,
                    }
                }
            }
        }
        marked
    }

    /// The calling thread is dead, and the kernel did not notice what it held.
    pub fn vanish(self) {
        let me = self.thread().unwrap();
        kernel(|k| {
            k.dead.push(me.0);
            k.sleepers.retain(|s| s.1 != me.0);
        });
        own(|own| *own = Own::default());
    }

    /// The calling thread, new, gets the id of somebody who is dead.
    pub fn reincarnate(self, id: u32) {
        let incarnation = kernel(|k| k.dead.iter().filter(|tag| tag_id(**tag) == id).count()) as u64;
        own(|own| own.tag = u64::from(id) << TAG_ID | (1 + incarnation));
    }

    /// A tick: everybody asleep looks around.
    pub fn tick(self) {
        let all: Vec<_> = kernel(|k| k.sleepers.drain(..).collect());
        for sleeper in all {
            sleeper.2.unpark();
        }
    }

    /// Polls a descriptor that others [`Platform::signal`]: true once it is readable, which it then is no more
    /// (as if read); false after a tick.
    pub fn poll(self, fd: i32) -> bool {
        let me = self.thread().unwrap().0;
        let read = |k: &mut Kernel| {
            let at = k.readable.iter().position(|signalled| *signalled == fd)?;
            Some(k.readable.swap_remove(at))
        };
        let readable = kernel(|k| {
            let readable = read(k).is_some();
            if !readable {
                k.sleepers.push((fd as usize, me, loom::thread::current()));
            }
            readable
        });
        if readable {
            return true;
        }
        while kernel(|k| k.sleepers.iter().any(|s| s.1 == me)) {
            loom::thread::park();
        }
        kernel(|k| read(k).is_some())
    }

    /// How many threads sleep on `word`.
    pub fn sleepers(self, word: &AtomicU32) -> usize {
        let at = core::ptr::from_ref(word) as usize;
        kernel(|k| k.sleepers.iter().filter(|s| s.0 == at).count())
    }

    /// How many threads sleep, on whatever.
    pub fn asleep(self) -> usize {
        kernel(|k| k.sleepers.len())
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
        if !fuel::spend() {
            return Waited::Woken;
        }
        let me = self.thread().unwrap().0;
        let at = core::ptr::from_ref(word) as usize;
        if deadline_ns != u64::MAX {
            // No yield: loom would let the others finish first, and we are to judge them half-way.
            kernel(|k| k.clock = k.clock.max(deadline_ns));
            return Waited::TimedOut;
        }
        // The kernel's lock makes comparison and enqueueing one step against `wake`.
        let asleep = kernel(|k| {
            if word.kernel_load() != expected {
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
        if !fuel::spend() {
            return 0;
        }
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

    fn requeue(self, from: &AtomicU32, expected: u32, to: &AtomicU32, wake: u32) -> bool {
        if !fuel::spend() {
            return false;
        }
        let [at, to] = [from, to].map(|word| core::ptr::from_ref(word) as usize);
        let woken = kernel(|k| {
            if from.kernel_load() != expected {
                return None;
            }
            let mut woken = Vec::new();
            while let Some(i) = k.sleepers.iter().position(|s| s.0 == at) {
                match woken.len() < wake as usize {
                    true => woken.push(k.sleepers.remove(i)),
                    false => k.sleepers[i].0 = to,
                }
            }
            Some(woken)
        });
        for sleeper in woken.iter().flatten() {
            sleeper.2.unpark();
        }
        woken.is_some()
    }

    fn accept_heavy_fences(self) -> bool {
        light::accept();
        true
    }

    /// Without the holes that the real one may have, which only ticks heal.
    fn heavy_fence(self) -> bool {
        fuel::spend() && {
            light::heavy_fence();
            true
        }
    }

    fn slow_fence(self) -> bool {
        self.heavy_fence()
    }

    fn signal(self, fd: i32) -> bool {
        if !fuel::spend() {
            return false;
        }
        let woken = kernel(|k| {
            if !k.readable.contains(&fd) {
                k.readable.push(fd);
            }
            let mut woken = Vec::new();
            while let Some(i) = k.sleepers.iter().position(|s| s.0 == fd as usize) {
                woken.push(k.sleepers.remove(i));
            }
            woken
        });
        for poller in woken {
            poller.2.unpark();
        }
        true
    }

    fn thread(self) -> Result<ModelThread> {
        let mut tag = own(|own| own.tag);
        if tag == 0 {
            let id = kernel(|k| {
                k.next_id += 1;
                k.next_id
            });
            tag = u64::from(id) << TAG_ID | 1;
            own(|own| own.tag = tag);
        }
        Ok(ModelThread(tag))
    }

    fn claim(self) -> u64 {
        kernel(|k| {
            k.next_region += 1;
            k.next_region
        })
    }

    // Models map and unmap nothing.
    fn enter(self, _region: u64) {}
    fn exit(self, _region: u64) {}
    fn users(self, _region: u64) -> u32 {
        0
    }
    fn give_back(self, _region: u64) {}

    fn liveness(self, id: u32, tag: u64) -> Liveness {
        if tag == 0 || tag_id(tag) != id {
            Liveness::Unknown
        } else if kernel(|k| k.dead.contains(&tag)) {
            Liveness::Dead
        } else {
            Liveness::Alive
        }
    }
}

impl Thread for ModelThread {
    fn id(self) -> u32 {
        tag_id(self.0)
    }
    fn tag(self) -> u64 {
        self.0
    }
    fn has_room(self) -> bool {
        true
    }
    unsafe fn announce(self, cell: &Cell) {
        own(|own| own.announced.push(address(cell)));
    }
    fn settle(self) {
        own(|own| own.announced.clear());
    }
    unsafe fn link(self, cell: &Cell) {
        own(|own| own.held.push(address(cell)));
    }
    unsafe fn unlink(self, cell: &Cell) {
        own(|own| own.held.retain(|h| *h != address(cell)));
    }
    fn holds(self, cell: &Cell) -> bool {
        own(|own| own.held.contains(&address(cell)))
    }
    fn holds_within(self, start: *const u8, len: usize) -> bool {
        own(|own| own.held.iter().any(|cell| cell.wrapping_sub(start as usize) < len))
    }
    fn membership(self, region: u64) -> Option<u16> {
        own(|own| own.memberships.iter().find(|m| m.0 == region).map(|m| m.1))
    }
    fn set_membership(self, region: u64, id: u16, epoch: u64) -> Result<()> {
        own(|own| own.memberships.push((region, id, epoch)));
        Ok(())
    }
    fn remove_membership(self, region: u64) -> Option<(u16, u64)> {
        own(|own| {
            let at = own.memberships.iter().position(|m| m.0 == region)?;
            let (_, id, epoch) = own.memberships.swap_remove(at);
            Some((id, epoch))
        })
    }
}
