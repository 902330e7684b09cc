//! Barriers: the rest get `Broken`, or all of them an index of their own, and never some this and some that;
//! who waits on is waited for by nobody dead; a reset makes it whole, and the dead are no party of it.

use super::{
    barrier_subjects::{Counting, Got, Real, Subject},
    *,
};
use std::cell::RefCell;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    /// Of more than there are.
    Middle,
    /// The one that was missing, with an action.
    Last,
    Register,
    Unregister,
    Abort,
    Reset,
    /// A wait whose time is up.
    Expire,
    /// Of somebody who died in the barrier.
    Recover,
    /// Of somebody who died elsewhere, registered.
    RecoverAway,
}

struct Play<S> {
    op: Op,
    sleepers: usize,
    /// The victim of a wait has registered.
    registered: bool,
    of: core::marker::PhantomData<S>,
}

impl<S> Clone for Play<S> {
    fn clone(&self) -> Self {
        Play { of: core::marker::PhantomData, ..*self }
    }
}

impl<S> Play<S> {
    /// There is one missing, besides the victim where it comes; it is the missing one itself if it is last.
    fn parties(&self) -> u32 {
        self.sleepers as u32 + if self.op == Op::Last { 1 } else { 2 }
    }
}

pub struct World<S> {
    barrier: S,
    party: RefCell<Option<Child>>,
}

// Words of the victim: what it got.
const GOT: usize = VICTIM;
/// What this process got.
const OURS: usize = VICTIM + 1;
/// How often the action was run.
const ACTION: usize = VICTIM + 2;
const READY: usize = VICTIM + 3;

fn code(got: Got) -> u64 {
    match got {
        Got::Index(index) => 1 + u64::from(index),
        Got::Broken => 100,
        Got::TimedOut => 101,
    }
}

/// One generation: all in it were told the same, and each index once. True: it was completed.
fn one_end(codes: &[u64], parties: u32) -> Result<Option<bool>, String> {
    check(codes.iter().all(|code| *code <= 100), || {
        format!("{codes:?} (101: never told; 102: cannot register)")
    })?;
    let known: Vec<u64> = codes.iter().copied().filter(|code| *code != 0).collect();
    let Some(first) = known.first() else { return Ok(None) };
    let broken = known.iter().filter(|code| **code == 100).count();
    if broken == known.len() {
        return Ok(Some(false));
    }
    let mut indices = known.clone();
    indices.sort();
    indices.dedup();
    let right = broken == 0 && indices.len() == known.len() && indices.iter().all(|i| *i <= parties.into());
    check(right, || format!("mixed: {known:?} of {parties} (100: broken)"))?;
    Ok(Some(*first < 100))
}

impl<S: Subject> super::Play for Play<S> {
    type World = World<S>;

    fn build(&self, tick_ms: u32, board: &Board) -> World<S> {
        // Sleepers must not be the first to see the dead one.
        let dead = matches!(self.op, Op::Recover | Op::RecoverAway);
        let barrier = S::create(if dead { tick_ms.max(100) } else { tick_ms }, self.parties());
        let party = dead.then(|| {
            let mut party = fork(|| {
                if self.op == Op::RecoverAway {
                    assert!(barrier.register());
                    board.set(READY, 1);
                    nap_until(board, GO);
                }
                barrier.wait(FOREVER, || true);
            });
            match self.op {
                Op::RecoverAway => nap_until(board, READY),
                _ => assert!(party.wait_asleep(WATCHDOG)),
            }
            party
        });
        World { barrier, party: RefCell::new(party) }
    }

    fn prepare(&self, world: &World<S>, _: &Board) {
        world.barrier.warm();
        if self.registered || self.op == Op::Unregister {
            assert!(world.barrier.register());
        }
    }

    fn eve(&self, world: &World<S>, _: &Board) {
        world.party.take();
    }

    fn act(&self, world: &World<S>, board: &Board) {
        let barrier = &world.barrier;
        match self.op {
            Op::Middle => board.set(GOT, code(barrier.wait(VICTIM_NS, || true))),
            Op::Expire => board.set(GOT, code(barrier.wait(8_000_000, || true))),
            Op::Last => {
                let action = || {
                    board.set(ACTION, board.get(ACTION) + 1);
                    true
                };
                board.set(GOT, code(barrier.wait(WATCHDOG_NS, action)));
            }
            Op::Register => assert!(barrier.register()),
            Op::Unregister => assert!(barrier.unregister()),
            Op::Abort => barrier.abort(),
            Op::Reset => barrier.reset(),
            Op::Recover | Op::RecoverAway => barrier.recover(),
        }
    }

    fn sleep<P: Platform>(&self, _: P, world: &World<S>, board: &Board, at: usize) {
        board.set(at, code(world.barrier.wait(FOREVER, || true)));
    }

    fn wake(&self, world: &World<S>, board: &Board) {
        if self.op == Op::Middle {
            board.set(OURS, code(world.barrier.wait(WATCHDOG_NS, || true)));
        }
    }

    fn memory(&self, world: &World<S>) -> (*const u8, usize) {
        world.barrier.memory()
    }

    fn judge(&self, cast: &mut Cast<World<S>>) -> Verdict {
        let (barrier, board, op, n) = (&cast.world.barrier, cast.board, self.op, cast.others.len());
        let (alive, done, parties) = (cast.after == After::Lives, cast.done(), self.parties());
        let came = board.get(OURS) != 0; // the missing one has come, and the generation was completed
        // Whether they must end by themselves, nobody recovering but they.
        let must_end = match op {
            Op::Middle | Op::Last => came || done || self.registered,
            Op::Register => done && !alive,
            Op::Unregister => false,
            Op::Abort | Op::Reset => done,
            Op::Expire | Op::Recover | Op::RecoverAway => true,
        };
        if must_end {
            cast.finish(S::PATIENCE)?;
        }
        barrier.recover();
        let waits_on = !must_end && !barrier.is_broken() && barrier.n_waiting() == n as u32 && n > 0;
        if waits_on {
            // They wait for as many as are missing, and for nobody else.
            self.complete(barrier, board, parties - n as u32, false)?;
        }
        cast.finish(S::PATIENCE)?;
        let mut codes: Vec<u64> = (0..n).map(|i| board.get(seat(i))).collect();
        codes.push(board.get(OURS));
        if op != Op::Expire {
            codes.push(board.get(GOT));
        }
        let completed = one_end(&codes, parties)?;
        let wrong =
            |what: &str| Err(format!("{what}: {codes:?}, broken: {}, done: {done}", barrier.is_broken()));
        match (op, completed) {
            (Op::Middle, Some(completed)) if !waits_on && completed != came => {
                return wrong("ended in the wrong way");
            }
            (Op::Last, Some(false)) if done => return wrong("completed for the last one only"),
            (Op::Last, Some(true)) if board.get(ACTION) != 1 && !waits_on => {
                return wrong("completed without the action");
            }
            (Op::Unregister, Some(false)) if done => return wrong("broken by one who had unregistered"),
            (Op::Register, Some(true)) if done && !alive => {
                return wrong("not broken by a registered one's death");
            }
            (Op::Abort | Op::Reset, Some(true)) if done => return wrong("completed"),
            (Op::Expire | Op::Recover | Op::RecoverAway, Some(true)) => return wrong("completed"),
            _ => {}
        }
        let breaks = match op {
            Op::Middle | Op::Last => self.registered && !alive,
            Op::Register => done && !alive,
            Op::Abort => done,
            Op::Expire | Op::Recover | Op::RecoverAway => true,
            Op::Unregister | Op::Reset => false,
        };
        if breaks && !barrier.is_broken() || op == Op::Reset && barrier.is_broken() {
            return wrong("broken or not, in the wrong way");
        }
        // As new, for as many as before; none of them is a dead one.
        barrier.recover();
        barrier.reset();
        check(!barrier.is_broken() && barrier.n_waiting() == 0, || "not whole after a reset".into())?;
        (0..2).for_each(|_| (0..14).for_each(|i| board.set(seat(i), 0)));
        // A victim that lives may be registered still.
        let register = !alive || !(self.registered || op == Op::Register);
        for _ in 0..2 {
            self.complete(barrier, board, parties, register)?;
        }
        Ok(())
    }
}

impl<S: Subject> Play<S> {
    /// So many come now, and it is completed, for each with an index of its own. They register, all of them.
    fn complete(&self, barrier: &S, board: &Board, missing: u32, register: bool) -> Verdict {
        let first = 5;
        let come_and_go = |at: usize, wait_ns: u64| {
            let right = !register || barrier.register();
            let got = barrier.wait(wait_ns, || true);
            let right = right && (!register || barrier.unregister());
            board.set(seat(at), if right { code(got) } else { 102 });
        };
        let mut come: Vec<Child> =
            (1..missing as usize).map(|i| fork(|| come_and_go(first + i, FOREVER))).collect();
        come_and_go(first, S::PATIENCE.as_nanos() as u64);
        come.iter_mut().enumerate().try_for_each(|(i, child)| finish(child, i, S::PATIENCE))?;
        let codes: Vec<u64> = (first..first + missing as usize).map(|i| board.get(seat(i))).collect();
        match one_end(&codes, self.parties())? {
            Some(true) => Ok(()),
            _ => Err(format!("newcomers do not complete it: {codes:?} (102: not registered)")),
        }
    }
}

fn play<S: Subject>(op: Op, sleepers: usize, registered: bool) -> Play<S> {
    Play { op, sleepers, registered, of: core::marker::PhantomData }
}

pub fn cases(bill: &mut Bill) {
    use Course::*;
    for n in 0..3 {
        for registered in [true, false] {
            let who = if registered { "registered" } else { "a stranger" };
            let middle = || play::<Real>(Op::Middle, n, registered);
            bill.gap = 16;
            bill.add(&format!("barrier.wait, {who}"), middle(), FallsAsleep, n, 80);
            bill.gap = 1;
            bill.add(&format!("barrier.wait, {who}"), middle(), Woken, n, 20);
            let last = play::<Real>(Op::Last, n, registered);
            bill.gap = 4;
            bill.add(&format!("barrier.wait of the last, {who}"), last, Runs, n, 200);
        }
        bill.gap = 1;
        for (op, at_least) in [(Op::Register, 80), (Op::Unregister, 60), (Op::Abort, 20), (Op::Reset, 20)] {
            bill.add(&format!("barrier.{op:?}"), play::<Real>(op, n, false), Runs, n, at_least);
        }
        bill.gap = 32;
        bill.add("barrier.wait, timed out", play::<Real>(Op::Expire, n, false), WokenLast, n, 40);
        bill.add("barrier: recover one inside", play::<Real>(Op::Recover, n, false), Runs, n, 60);
        bill.add("barrier: recover one elsewhere", play::<Real>(Op::RecoverAway, n, false), Runs, n, 60);
    }
    bill.plant("barrier: a count of arrivals", play::<Counting>(Op::Middle, 1, true), FallsAsleep, 1);
    bill.plant("barrier: a count of arrivals", play::<Counting>(Op::Last, 1, true), Runs, 1);
}
