//! `Barrier`. "Holding" is being registered and elsewhere, or running the action. After each cell the barrier
//! must be as good as new: it is reset if it is broken, and as many fresh parties go through it several times.

use super::{
    permits::region,
    stage::{Got, Stage, Trouble, Verdict},
};
use crate::support::{
    process::{Exit, fork},
    step::trap,
};
use rialto::{Barrier, Error, FOREVER};

fn make(parties: u32) -> Barrier<'static> {
    region().create_barrier("matrix", parties).expect("room")
}

fn wait(barrier: Barrier) -> Got {
    match barrier.wait() {
        Ok(index) => Got::index(index),
        Err(Error::Broken) => Got::BROKEN,
        Err(error) => {
            eprintln!("a survivor: {error:?}");
            Got::WRONG
        }
    }
}

fn whole(stage: &Stage, verdict: Verdict, got: [Got; 2], barrier: Barrier) -> Verdict {
    let ended = verdict?.with(got.to_vec())?;
    let broken = got[0] == Got::BROKEN;
    if barrier.is_broken() {
        if !broken {
            return Err(Trouble::Lost("broken, though all had come".into()));
        }
        barrier.reset();
    } else if broken && barrier.n_waiting() != 0 {
        return Err(Trouble::Lost("somebody waits in what was reset".into()));
    }
    let party = || (0..4).for_each(|_| _ = barrier.wait().expect("whole again"));
    let parties: Vec<_> = (0..barrier.parties()).map(|_| fork(party)).collect();
    for mut party in parties {
        if party.wait(stage.patience) != Some(Exit::Code(0)) {
            return Err(Trouble::Lost("the barrier is of no more use".into()));
        }
    }
    ended.and(barrier.n_waiting() == 0, || "somebody is left".into())
}

const BROKEN: [Got; 2] = [Got::BROKEN; 2];

pub fn registered(stage: &Stage) -> Verdict {
    let barrier = make(3);
    let take = || barrier.register().expect("room");
    whole(stage, stage.holding(|| wait(barrier), take, || {}), BROKEN, barrier)
}

/// The last one has come, and is in the action: too early for anybody to be released.
pub fn in_the_action(stage: &Stage) -> Verdict {
    let barrier = make(3);
    let action = || {
        trap();
        true
    };
    let last = || _ = barrier.wait_with(FOREVER, action);
    whole(stage, stage.holding_late(|| wait(barrier), last), BROKEN, barrier)
}

pub fn waiting(stage: &Stage) -> Verdict {
    let barrier = make(4);
    let waits = || _ = wait(barrier);
    whole(stage, stage.waiting(|| wait(barrier), waits, || {}), BROKEN, barrier)
}

/// All have come: nobody is held up.
pub fn woken(stage: &Stage) -> Verdict {
    let barrier = make(4);
    let waits = || _ = wait(barrier);
    let wake = || assert_eq!(barrier.wait(), Ok(3));
    let got = [Got::index(1), Got::index(2)];
    whole(stage, stage.woken(|| wait(barrier), waits, wake), got, barrier)
}

/// The last one has come, and completed the generation.
pub fn completing(stage: &Stage) -> Verdict {
    let barrier = make(3);
    let call = || _ = wait(barrier);
    let got = [Got::index(0), Got::index(1)];
    whole(stage, stage.inside(|| wait(barrier), || {}, call), got, barrier)
}

pub fn abort(stage: &Stage) -> Verdict {
    let barrier = make(3);
    whole(stage, stage.inside(|| wait(barrier), || {}, || barrier.abort()), BROKEN, barrier)
}

pub fn reset(stage: &Stage) -> Verdict {
    let barrier = make(3);
    whole(stage, stage.inside(|| wait(barrier), || {}, || barrier.reset()), BROKEN, barrier)
}
