//! Both semaphores, and the event.

use super::stage::{Got, Stage, Verdict, check, place, until};
use rialto::{Error, Event, Region, RegionConfig, Semaphore, TrackedSemaphore};
use std::{
    sync::atomic::{AtomicU32, Ordering::*},
    time::Duration,
};

const LONG: Duration = Duration::from_secs(20);

pub fn region() -> &'static Region {
    Box::leak(Box::new(Region::create_anonymous(1 << 20, &RegionConfig::default()).expect("a region")))
}

/// Plain: permits that belong to nobody.
pub mod plain {
    use super::*;

    fn make(value: u32) -> &'static Semaphore {
        let semaphore = place::<Semaphore>();
        // SAFETY: fresh memory, 64-aligned (a page), for ever.
        unsafe { Semaphore::init_bounded(std::ptr::from_ref(semaphore).cast_mut(), 2) }.expect("2 are few");
        (value..2).for_each(|_| semaphore.try_acquire().expect("there are 2"));
        semaphore
    }

    fn take(semaphore: &Semaphore) -> Got {
        check(semaphore.acquire().is_ok(), "no permit", Got::PERMIT)
    }

    fn use_it(semaphore: &Semaphore) -> Got {
        let got = take(semaphore);
        check(semaphore.release().is_ok(), "one too many", got)
    }

    fn whole(verdict: Verdict, semaphore: &Semaphore, value: u32) -> Verdict {
        let left = semaphore.value();
        verdict?.and(left == value, || format!("{left} permits, not {value}"))
    }

    /// One is gone, as documented; the other goes on.
    pub fn holding(stage: &Stage) -> Verdict {
        let semaphore = make(1); // the referee has one
        let take = || _ = take(semaphore);
        let then = || semaphore.release().expect("below the bound");
        let ended = stage.holding(|| use_it(semaphore), take, then)?;
        whole(ended.with(vec![Got::PERMIT; 2]), semaphore, 1)
    }

    pub fn waiting(stage: &Stage) -> Verdict {
        let semaphore = make(0);
        let wait = || _ = take(semaphore);
        let wake = || semaphore.release_many(2).expect("below the bound");
        let ended = stage.waiting(|| take(semaphore), wait, wake)?;
        whole(ended.with(vec![Got::PERMIT; 2]), semaphore, 0)
    }

    pub fn woken(stage: &Stage) -> Verdict {
        let semaphore = make(0);
        let wait = || _ = take(semaphore);
        let wake = || semaphore.release().expect("below the bound");
        let ended = stage.woken(|| use_it(semaphore), wait, wake)?;
        whole(ended.with(vec![Got::PERMIT; 2]), semaphore, 1)
    }

    pub fn release(stage: &Stage) -> Verdict {
        let semaphore = make(0);
        let call = || semaphore.release_many(2).expect("below the bound");
        let ended = stage.inside(|| take(semaphore), || {}, call)?;
        whole(ended.with(vec![Got::PERMIT; 2]), semaphore, 0)
    }
}

/// Tracked: permits that belong to members.
pub mod tracked {
    use super::*;

    type Semaphore = TrackedSemaphore<'static>;

    fn make(permits: u32) -> Semaphore {
        region().create_semaphore("matrix", permits).expect("room")
    }

    fn hold(semaphore: Semaphore, n: u32) -> Vec<u64> {
        (0..n).map(|_| semaphore.acquire().expect("a permit").into_token()).collect()
    }

    fn give(semaphore: Semaphore, tokens: Vec<u64>) {
        tokens.into_iter().for_each(|token| semaphore.release_token(token).expect("held"));
    }

    fn use_it(semaphore: Semaphore) -> Got {
        let Ok(permit) = semaphore.acquire() else { return Got::WRONG };
        check(permit.release().is_ok(), "not ours", Got::PERMIT)
    }

    /// Keeps it until the other has one, too.
    fn together(semaphore: Semaphore, here: &AtomicU32) -> Got {
        let Ok(permit) = semaphore.acquire() else { return Got::WRONG };
        here.fetch_add(1, SeqCst);
        let both = until(LONG, || here.load(SeqCst) == 2);
        let returned = permit.release().is_ok();
        check(both && returned, "not one for each", Got::PERMIT)
    }

    /// All are back, each once.
    fn whole(verdict: Verdict, semaphore: Semaphore) -> Verdict {
        let ended = verdict?.with(vec![Got::PERMIT; 2])?;
        let (free, bound) = (semaphore.value(), semaphore.bound());
        let all: Vec<_> = (0..bound).map_while(|_| semaphore.try_acquire().ok()).collect();
        let one_more = semaphore.try_acquire().err();
        let whole = free == bound && all.len() as u32 == bound && one_more == Some(Error::WouldBlock);
        ended.and(whole, || format!("{free} of {bound} free, {} can be taken", all.len()))
    }

    pub fn holding(stage: &Stage) -> Verdict {
        let (semaphore, here) = (make(2), place());
        let take = || drop(hold(semaphore, 2));
        whole(stage.holding(|| together(semaphore, here), take, || {}), semaphore)
    }

    pub fn waiting(stage: &Stage) -> Verdict {
        let (semaphore, here) = (make(2), place());
        let mine = hold(semaphore, 2);
        let wait = || drop(hold(semaphore, 1));
        let wake = || give(semaphore, mine);
        whole(stage.waiting(|| together(semaphore, here), wait, wake), semaphore)
    }

    pub fn woken(stage: &Stage) -> Verdict {
        let semaphore = make(1);
        let mine = hold(semaphore, 1);
        let wait = || drop(hold(semaphore, 1));
        let wake = || give(semaphore, mine);
        whole(stage.woken(|| use_it(semaphore), wait, wake), semaphore)
    }

    pub fn release(stage: &Stage) -> Verdict {
        let semaphore = make(1);
        let token = std::cell::Cell::new(0);
        let before = || token.set(hold(semaphore, 1)[0]);
        let call = || give(semaphore, vec![token.get()]);
        whole(stage.inside(|| use_it(semaphore), before, call), semaphore)
    }
}

/// An event is held by nobody.
pub mod event {
    use super::*;

    fn make() -> &'static Event {
        let event = place::<Event>();
        // SAFETY: fresh memory, 64-aligned (a page), for ever.
        unsafe { Event::init(std::ptr::from_ref(event).cast_mut()) };
        event
    }

    fn wait(event: &Event) -> Got {
        check(event.wait().is_ok(), "no event", Got::SET)
    }

    fn whole(verdict: Verdict, event: &Event, set: bool) -> Verdict {
        let ended = verdict?.with(vec![Got::SET; 2])?;
        ended.and(event.wait_timeout(0).is_ok() == set, || "not as it was left".into())
    }

    pub fn waiting(stage: &Stage) -> Verdict {
        let event = make();
        whole(stage.waiting(|| wait(event), || _ = wait(event), || event.set()), event, true)
    }

    pub fn woken(stage: &Stage) -> Verdict {
        let event = make();
        whole(stage.woken(|| wait(event), || _ = wait(event), || event.set()), event, true)
    }

    pub fn set(stage: &Stage) -> Verdict {
        let event = make();
        whole(stage.inside(|| wait(event), || {}, || event.set()), event, true)
    }

    /// Cleared by another before anybody has looked: they were waiting when it was set.
    pub fn set_and_cleared(stage: &Stage) -> Verdict {
        let event = make();
        let ended = stage.inside_then(|| wait(event), || {}, || event.set(), || event.clear());
        whole(ended, event, false)
    }
}
