//! A queue, the real one, in a model: its members, each played by a thread, and what the region does for it.
#![allow(dead_code)]

use crate::models::Finished;
use loom::{sync::Arc, thread};
use rialto::{
    Error, Popped, QueueConfig, QueueKind, Result,
    member::{Depth, Home, Incarnation, MemberId},
    queue::Queue,
    sync::{AtomicU64, Ordering::*, fuel::run_killed_at},
    sys::model::Model,
    time::Deadline,
};
use std::{cell::Cell, ptr::NonNull};

/// Bytes for any queue of a model.
#[repr(C, align(128))]
struct Memory([u8; 4096]);

/// Of a member's word: `epoch << 2 | state`.
const LIVE: u64 = 1;
const DYING: u64 = 2;

/// Members 1 to 6 and their queue.
pub struct Crew {
    memory: NonNull<Memory>,
    config: QueueConfig,
    members: Vec<AtomicU64>,
    /// If nobody dies, nobody need look for the dead, which makes models larger.
    mortal: bool,
    pub finished: Finished,
}

// SAFETY: the memory is only used through queues, which are made for that.
unsafe impl Send for Crew {}
// SAFETY: as above.
unsafe impl Sync for Crew {}

loom::thread_local! { static ME: Cell<MemberId> = Cell::new(0); }

pub const FD: i32 = 7;
pub const LONGEST: usize = 8;

pub fn ring() -> QueueConfig {
    QueueConfig::new(2, LONGEST as u32)
}

pub fn indexed() -> QueueConfig {
    QueueConfig { kind: QueueKind::Indexed, ..ring() }
}

impl Crew {
    pub fn new(config: QueueConfig, mortal: bool) -> Arc<Crew> {
        assert!(config.layout().unwrap().size <= size_of::<Memory>() as u64);
        let memory = NonNull::from(Box::leak(Box::new(Memory([0; 4096]))));
        let members = (0..7).map(|_| AtomicU64::new(LIVE)).collect();
        let crew = Crew { memory, config, members, mortal, finished: Finished::new() };
        // SAFETY: the memory is aligned, large enough, and lives until `crew` is dropped.
        let _ = unsafe { Queue::make(&crew, memory.cast(), &config, 1) }.unwrap();
        Arc::new(crew)
    }

    pub fn queue(&self) -> Queue<'_, Crew> {
        // SAFETY: as in `new`, where it was made.
        unsafe { Queue::handle(self, self.memory.cast(), &self.config) }.unwrap()
    }

    /// As this member, for what outlives the call: a loan that another thread goes on with.
    ///
    /// # Safety
    /// It is not used after the last `Arc` of the crew is gone.
    pub unsafe fn play_on(&self, id: MemberId) -> Queue<'static, Crew> {
        ME.with(|me| me.set(id));
        // SAFETY: the caller's word; otherwise as in `queue`.
        unsafe { Queue::handle(&*core::ptr::from_ref(self), self.memory.cast(), &self.config) }.unwrap()
    }

    /// The calling thread is this member from here on.
    pub fn play(&self, id: MemberId) -> Queue<'_, Crew> {
        ME.with(|me| me.set(id));
        self.queue()
    }

    /// The kernel's part of a member's death.
    pub fn bury(&self, id: MemberId) {
        let _ = self.members[usize::from(id)].compare_exchange(LIVE, DYING, AcqRel, Acquire);
    }

    /// Gives the id of somebody who is recovered to somebody new.
    pub fn reissue(&self, id: MemberId) {
        let word = &self.members[usize::from(id)];
        word.compare_exchange(1 << 2, 1 << 2 | LIVE, AcqRel, Acquire).unwrap();
    }

    /// As `Region::recover`.
    pub fn recover(&self) {
        for (id, word) in self.members.iter().enumerate().skip(1) {
            let seen = word.load(Acquire);
            if seen & 3 != DYING {
                continue;
            }
            let dead = Incarnation { id: id as MemberId, epoch: seen >> 2 };
            let (_, whole) = self.queue().recover(dead, || word.load(Acquire) == seen);
            if whole {
                let _ = word.compare_exchange(seen, (dead.epoch + 1) << 2, AcqRel, Acquire);
            }
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        // SAFETY: from `new`; nobody has a queue any more.
        drop(unsafe { Box::from_raw(self.memory.as_ptr()) });
    }
}

impl Home for Crew {
    type Platform = Model;
    fn platform(&self) -> Model {
        Model
    }
    fn tick_ns(&self) -> u64 {
        u64::MAX
    }
    fn me(&self) -> Result<MemberId> {
        Ok(ME.with(|me| me.get()))
    }
    fn recover_until(&self, _depth: Depth, _until: Deadline) -> bool {
        if self.mortal {
            self.recover();
        }
        true
    }
    fn leave(&self, _member: Incarnation) -> Result<()> {
        Err(Error::NotSupported)
    }
    fn epoch(&self, id: MemberId) -> u64 {
        if self.mortal { self.members[usize::from(id)].load(Acquire) >> 2 } else { 0 }
    }
    fn is_still(&self, member: Incarnation) -> bool {
        !self.mortal || self.members[usize::from(member.id)].load(Acquire) == member.epoch << 2 | LIVE
    }
    fn has_in_hand(&self, _member: MemberId) -> bool {
        false
    }
}

std::thread_local! { static LATE: Cell<MemberId> = const { Cell::new(0) }; }

/// Explores a model twice: from an execution in which member 1 begins first, and from one in which it lets the
/// others go first. loom remembers only the last access to each atomic, and from one alone does not get to all
/// orders of a party that loads a word before it changes it.
pub fn from_both_ends(preemptions: usize, model: impl Fn() + Send + Sync + Copy + 'static) {
    for late in [0, 1] {
        LATE.set(late); // loom's threads all run on this one
        crate::models::model(preemptions, model);
    }
    LATE.set(0);
}

/// A participant. The main thread of a model only spawns and joins: loom 0.7 hardly ever preempts it before its
/// first accesses.
pub fn spawn<R: 'static>(
    crew: &Arc<Crew>,
    id: MemberId,
    f: impl FnOnce(Queue<'_, Crew>) -> R + 'static,
) -> thread::JoinHandle<R> {
    let crew = crew.clone();
    thread::spawn(move || {
        if LATE.get() == id {
            thread::yield_now();
        }
        f(crew.play(id))
    })
}

/// A participant that is killed at its access `n`; then somebody else goes on in its thread, as nobody. `None`: it
/// was killed.
pub fn spawn_victim<R: 'static>(
    crew: &Arc<Crew>,
    id: MemberId,
    n: u32,
    f: impl FnOnce(Queue<'_, Crew>) -> R + 'static,
    then: impl FnOnce(&Crew) + 'static,
) -> thread::JoinHandle<Option<R>> {
    let crew = crew.clone();
    thread::spawn(move || {
        let done = run_killed_at(n, || f(crew.play(id)));
        if done.is_none() {
            crew.bury(id);
            then(&crew);
        }
        done
    })
}

/// The message that is told by its length, 1 to [`LONGEST`]. loom watches the length.
pub fn message(number: usize) -> Vec<u8> {
    vec![number as u8; number]
}

/// Whole, and which one.
pub fn number(bytes: &[u8]) -> usize {
    assert!(bytes.iter().all(|byte| usize::from(*byte) == bytes.len()), "torn: {bytes:?}");
    bytes.len()
}

/// What a pop brought; done with at once.
fn got(queue: &Queue<'_, Crew>, buffer: &[u8], popped: Result<Popped>) -> Result<usize> {
    let popped = popped?;
    let number = number(&buffer[..popped.len]);
    if queue.config().joinable {
        queue.task_done(popped.ticket).unwrap();
    }
    Ok(number)
}

pub fn pop(queue: &Queue<'_, Crew>) -> Result<usize> {
    let mut buffer = [0; LONGEST];
    let popped = queue.pop(&mut buffer);
    got(queue, &buffer, popped)
}

pub fn try_pop(queue: &Queue<'_, Crew>) -> Result<usize> {
    let mut buffer = [0; LONGEST];
    let popped = queue.try_pop(&mut buffer);
    got(queue, &buffer, popped)
}

/// Alone at the end, as member 6: takes what is left, and finds the queue as good as new.
pub fn finish(crew: &Crew) -> Vec<usize> {
    let queue = crew.play(6);
    crew.recover();
    let mut left = vec![];
    while let Ok(number) = try_pop(&queue) {
        left.push(number);
    }
    if !queue.is_closed() {
        for number in [1, 2] {
            assert_eq!(queue.try_push(&message(number)), Ok(()), "capacity lost");
        }
        assert!(queue.is_full());
        assert_eq!([try_pop(&queue), try_pop(&queue)], [Ok(1), Ok(2)]);
    }
    assert!(queue.is_empty());
    left
}
