//! `Condition`, on either lock, by `notify` and by `notify_all`. What is waited for is a token under the lock.

use super::{
    locks::Kind,
    stage::{Got, Stage, Verdict, check, place},
};
use rialto::{Condition, Outcome, sys::Os};
use std::sync::atomic::{AtomicU64, Ordering::*};

struct World<L: Kind, const ALL: bool> {
    lock: &'static L,
    condition: &'static Condition,
    /// Under the lock.
    tokens: &'static AtomicU64,
}

impl<L: Kind, const ALL: bool> World<L, ALL> {
    fn new() -> Self {
        let condition = place::<Condition>();
        // SAFETY: fresh memory, 64-aligned (a page), for ever.
        unsafe { Condition::init(std::ptr::from_ref(condition).cast_mut()) };
        World { lock: L::make(), condition, tokens: place() }
    }

    fn notify(&self, n: u32) {
        if ALL {
            self.condition.notify_all(self.lock);
        } else {
            self.condition.notify(n);
        }
    }

    /// Notifies while it holds the lock.
    fn put(&self, n: u32) {
        self.lock.take();
        self.tokens.fetch_add(n.into(), SeqCst);
        self.notify(n);
    }

    /// Waits for a token; puts it back for the next one if it is to be handed on.
    fn get(&self, hand_on: bool) -> Got {
        let mut got = self.lock.take();
        loop {
            match self.condition.wait_for(self.lock, || self.tokens.load(SeqCst) > 0) {
                Ok(Outcome::Clean) => break,
                Ok(Outcome::OwnerDied) => {
                    got = Got::TOLD;
                    self.lock.mark_consistent_on(Os {}).expect("held");
                }
                Err(error) => return check(false, &format!("{error:?}"), got),
            }
        }
        got = check(self.lock.depth() == L::DEPTH, "held less or more often than before", got);
        if hand_on {
            self.notify(1);
        } else {
            self.tokens.fetch_sub(1, SeqCst);
        }
        self.lock.give();
        got
    }

    fn whole(&self, verdict: Verdict, told: bool, tokens: u64) -> Verdict {
        let ended = verdict?.with(vec![if told { Got::TOLD } else { Got::CLEAN }, Got::CLEAN])?;
        let left = self.tokens.load(SeqCst);
        let ended = ended.and(left == tokens, || format!("{left} tokens, not {tokens}"))?;
        ended.and(!self.lock.is_held(), || "it stays locked".into())
    }
}

/// Holding the lock, having notified: they wait for the lock by now.
pub fn holding<L: Kind, const ALL: bool>(stage: &Stage) -> Verdict {
    let world = World::<L, ALL>::new();
    world.whole(stage.holding_late(|| world.get(false), || world.put(2)), true, 0)
}

pub fn waiting<L: Kind, const ALL: bool>(stage: &Stage) -> Verdict {
    let world = World::<L, ALL>::new();
    let wait = || _ = world.get(false);
    let wake = || {
        world.put(2);
        world.lock.give();
    };
    world.whole(stage.waiting(|| world.get(false), wait, wake), false, 0)
}

/// `notify` wakes the victim where it waits; after `notify_all` it is the lock's release that does.
pub fn woken<L: Kind, const ALL: bool>(stage: &Stage) -> Verdict {
    let world = World::<L, ALL>::new();
    let wait = || _ = world.get(false);
    let wake = || {
        world.put(1);
        world.lock.give();
    };
    world.whole(stage.woken(|| world.get(true), wait, wake), false, 1)
}

/// Notifying while it holds the lock.
pub fn notify_locked<L: Kind, const ALL: bool>(stage: &Stage) -> Verdict {
    let world = World::<L, ALL>::new();
    world.whole(stage.inside(|| world.get(false), || {}, || world.put(2)), true, 0)
}

/// Notifying when it has released the lock.
pub fn notify_unlocked<L: Kind, const ALL: bool>(stage: &Stage) -> Verdict {
    let world = World::<L, ALL>::new();
    let call = || {
        world.lock.take();
        world.tokens.store(2, SeqCst);
        world.lock.give();
        world.notify(2);
    };
    world.whole(stage.inside(|| world.get(false), || {}, call), false, 0)
}
