//! Conditions: who was notified returns, holding the lock, whoever died meanwhile; what the dead one was
//! notified of reaches another; the lock tells the death of an owner, and of no other.

use super::{
    condition_subjects::{Kind, Real, Subject, Tokens},
    *,
};
use rialto::{Lock, Outcome, RLock};
use std::marker::PhantomData;

// Words of the victim.
/// 1 while it is in the critical section.
const INSIDE: usize = VICTIM;
const RELEASED: usize = VICTIM + 1;
/// What the sleepers of a predicate wait for.
const TRUE: usize = VICTIM + 2;
/// How often a death was told.
const TOLD: usize = VICTIM + 3;
/// Somebody was told Clean, and found half-done work.
const HALF_DONE: usize = VICTIM + 4;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    Wait,
    WaitFor,
    /// A wait whose time is up.
    Expire,
    /// So many (0: all); holding the lock, or not.
    Notify(u32, bool),
}

/// What wakes the victim of a wait.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wake {
    One,
    /// The same, holding the lock until the victim sleeps on that.
    OneLocked,
    /// All, holding the lock: they are moved to it, and its release wakes the first.
    AllLocked,
}

struct Play<S> {
    op: Op,
    wake: Wake,
    /// The sleepers wait for a predicate.
    predicate: bool,
    of: PhantomData<S>,
}

impl<S> Clone for Play<S> {
    fn clone(&self) -> Self {
        Play { of: PhantomData, ..*self }
    }
}

fn play<S: Subject>(op: Op, wake: Wake, predicate: bool) -> Play<S> {
    Play { op, wake, predicate, of: PhantomData }
}

/// Having acquired the lock: what one was told, and what one found.
fn note<S: Subject>(subject: &S, board: &Board, outcome: Outcome) {
    if outcome == Outcome::OwnerDied {
        board.set(TOLD, board.get(TOLD) + 1);
        board.set(INSIDE, 0);
        subject.mark_consistent();
    } else if board.get(INSIDE) == 1 {
        board.set(HALF_DONE, 1);
    }
}

fn locked<S: Subject>(subject: &S, board: &Board, f: impl FnOnce()) -> Verdict {
    let outcome = subject.acquire(Os {}).ok_or("the lock is never free again")?;
    note(subject, board, outcome);
    f();
    subject.release();
    Ok(())
}

impl<S: Subject> super::Play for Play<S> {
    type World = S;

    fn build(&self, _: u32, _: &Board) -> S {
        S::create()
    }

    fn early(&self) -> bool {
        true
    }

    fn prepare(&self, subject: &S, board: &Board) {
        let other = S::create();
        assert!(other.acquire(Os {}).is_some());
        other.notify(1);
        other.notify_all();
        other.release();
        if matches!(self.op, Op::Notify(_, false)) {
            board.set(RELEASED, 1);
        } else {
            assert!(subject.acquire(Os {}) == Some(Outcome::Clean));
            board.set(INSIDE, 1);
        }
    }

    #[inline(always)]
    fn act(&self, subject: &S, board: &Board) {
        if let Op::Notify(n, held) = self.op {
            if held {
                board.set(TRUE, 1);
                board.set(INSIDE, 0);
            }
            if n == 0 {
                subject.notify_all()
            } else {
                subject.notify(n)
            }
            if held {
                subject.release();
                board.set(RELEASED, 1);
            }
            return;
        }
        board.set(INSIDE, 0);
        let outcome = match self.op {
            Op::Expire => {
                subject.expire();
                Outcome::Clean
            }
            Op::WaitFor => subject.wait_for(Os {}, || board.get(TRUE) != 0),
            _ => subject.wait(Os {}),
        };
        assert!(outcome == Outcome::Clean);
        board.set(INSIDE, 1);
        board.set(INSIDE, 0);
        subject.release();
        board.set(RELEASED, 1);
    }

    fn sleep<P: Platform>(&self, platform: P, subject: &S, board: &Board, at: usize) {
        let outcome = subject.acquire(platform).unwrap();
        note(subject, board, outcome);
        loop {
            let outcome = if self.predicate {
                subject.wait_for(platform, || board.get(TRUE) != 0)
            } else {
                subject.wait(platform)
            };
            note(subject, board, outcome);
            // Not asked since: see `wait_for`.
            if !self.predicate || outcome == Outcome::Clean || board.get(TRUE) != 0 {
                break;
            }
        }
        subject.release();
        board.set(at, 1);
    }

    fn wake(&self, subject: &S, board: &Board) {
        if self.op == Op::Expire {
            return;
        }
        assert!(subject.acquire(Os {}) == Some(Outcome::Clean));
        board.set(TRUE, 1);
        if self.wake == Wake::AllLocked {
            subject.notify_all();
        } else {
            subject.notify(1);
        }
        if self.wake != Wake::OneLocked {
            subject.release();
        }
    }

    fn let_go(&self, subject: &S) {
        subject.release();
    }

    fn memory(&self, subject: &S) -> (*const u8, usize) {
        (subject.page(), 128)
    }

    fn judge(&self, cast: &mut Cast<S>) -> Verdict {
        let (subject, board, sleepers) = (cast.world, cast.board, cast.others.len());
        let (inside, released) = (board.get(INSIDE) == 1, board.get(RELEASED) == 1);
        let notified = subject.notified() > 0;
        check(notified || !cast.done() || self.op == Op::Expire, || "it has notified nobody".into())?;
        // So many were notified. What the victim of a wait swallowed reaches another, if that ticks.
        let owed = match (self.op, cast.after) {
            (_, After::Again) | (Op::Expire, _) => 0,
            (Op::Notify(0, _), _) => sleepers,
            (Op::Notify(n, _), _) => sleepers.min(n as usize),
            _ if self.wake == Wake::AllLocked => sleepers,
            (_, After::Lives) => 0,
            _ => sleepers.min(1),
        };
        let true_yet = !self.predicate || board.get(TRUE) != 0;
        if notified && true_yet {
            cast.expect(owed, S::PATIENCE)?;
        }
        if cast.after == After::Again {
            if let Op::Notify(n @ 1.., _) = self.op {
                // As often as there are sleepers: each wakes one at least.
                for _ in 0..sleepers {
                    locked(subject, board, || {
                        board.set(TRUE, 1);
                        subject.notify(n);
                    })?;
                }
                cast.expect(sleepers, S::PATIENCE)?;
            }
        }
        locked(subject, board, || {
            board.set(TRUE, 1);
            subject.notify_all();
        })?;
        cast.finish(S::PATIENCE)?;
        check(board.get(HALF_DONE) == 0, || {
            "somebody is told Clean, and finds the victim's work half done".into()
        })?;
        locked(subject, board, || ())?;
        let told = board.get(TOLD);
        let wrong = told > 1 || released && told > 0 || inside && told != 1;
        check(!wrong, || format!("told {told} times; inside {inside}, released {released}"))?;
        check(!subject.is_locked(), || "in the end the lock is not free".into())?;
        if !S::AS_NEW {
            return Ok(());
        }
        let mut later = fork(|| {
            assert!(subject.acquire(Ticking::<60_000>) == Some(Outcome::Clean));
            assert!(subject.wait(Ticking::<60_000>) == Outcome::Clean);
            subject.release();
        });
        check(later.wait_asleep(WATCHDOG), || "nobody can wait any more".into())?;
        locked(subject, board, || subject.notify(1))?;
        finish(&mut later, 9, S::PATIENCE)
    }
}

fn family<L: Kind>(bill: &mut Bill, on: &str) {
    use Course::*;
    let notify = |n, held, predicate| play::<Real<L>>(Op::Notify(n, held), Wake::One, predicate);
    let wait = |wake| play::<Real<L>>(Op::Wait, wake, false);
    for n in 0..3 {
        bill.gap = 1;
        for held in [true, false] {
            let what = format!("on {on}, {}", if held { "held" } else { "not held" });
            bill.add(&format!("notify(1) {what}"), notify(1, held, false), Runs, n, 15);
            bill.add(&format!("notify(2) {what}"), notify(2, held, false), Runs, n, 15);
            bill.add(&format!("notify_all {what}"), notify(0, held, false), Runs, n, 15);
        }
        // Each point of these costs a tick, if there are sleepers.
        bill.gap = if n == 0 { 1 } else { 8 };
        bill.add(&format!("condition.wait on {on}"), wait(Wake::One), FallsAsleep, n, 30);
        bill.add(&format!("condition.wait on {on}, notify(1)"), wait(Wake::One), Woken, n, 40);
        bill.add(&format!("condition.wait on {on}, notify_all"), wait(Wake::AllLocked), Woken, n, 40);
        bill.gap = 8;
        let expire = play::<Real<L>>(Op::Expire, Wake::One, false);
        bill.add(&format!("condition.wait on {on}, timed out"), expire, WokenLast, n, 30);
        bill.gap = 16;
        bill.add(&format!("condition.wait on {on}, held"), wait(Wake::OneLocked), Barred, n, 30);
    }
    for n in 1..3 {
        bill.gap = 8;
        let wait_for = play::<Real<L>>(Op::WaitFor, Wake::AllLocked, true);
        bill.add(&format!("condition.wait_for on {on}, notify_all"), wait_for, Woken, n, 40);
        bill.gap = 1;
        bill.add(&format!("notify_all for a predicate on {on}"), notify(0, true, true), Runs, n, 15);
        for (k, held) in [(1, true), (1, false), (0, true), (0, false)] {
            let what = if k == 0 { "notify_all".into() } else { format!("notify({k})") };
            let name = format!("{what} on {on}, {}", if held { "held" } else { "not held" });
            bill.again(&name, notify(k, held, false), Runs, n, 15);
        }
    }
}

pub fn cases(bill: &mut Bill) {
    bill.gap = 1;
    family::<Lock>(bill, "Lock");
    family::<RLock>(bill, "RLock");
    let wait = play::<Tokens>(Op::Wait, Wake::One, false);
    bill.plant("condition: tokens for counted waiters", wait, Course::Woken, 1);
    let notify = play::<Tokens>(Op::Notify(1, false), Wake::One, false);
    bill.plant("condition: tokens for counted waiters", notify, Course::Runs, 1);
}
