//! Too little room: for members, for tasks in slots, for messages in the queue. And tasks that nobody has begun.

use super::{Case, MS, Place, Way, apply, case, outcomes::done, sleep_ms};
use crate::{pool, procs::wait_until};
use rialto::{
    Error, FOREVER, RegionConfig,
    pool::{Outcome, Pool, PoolConfig},
};
use std::time::Instant;

pub fn cases() -> Vec<Case> {
    vec![
        case("room: more workers than a region has members", few_members),
        case("room: members that others took", taken_members),
        case("room: slots of tasks that nobody will ask for", forgotten),
        case("room: tasks that nobody has begun are not begun any more", not_begun),
        case("since when a task is worked on", since),
        case("room: a queue full of tasks that were taken back", taken_back),
    ]
}

pub fn place(members: u16) -> Place {
    Place::of(&RegionConfig { members, ..Default::default() }, Way::Fork)
}

/// The parent is a member, too.
fn few_members() {
    let place = place(3);
    let create =
        |workers| Pool::create(&place.region, "pool", &PoolConfig::new(workers), place.starter("worker"));
    assert_eq!(create(3).err(), Some(Error::TooManyMembers));
    assert_eq!(place.starts.get(), 0);
    let mut pool = create(2).unwrap();
    let both = pool.map_to_vec("sleep", [[200, 0, 0, 0]; 2], 1).unwrap();
    assert_eq!(both, [done(&[200, 0, 0, 0].repeat(2)), done(&[200, 0, 0, 0].repeat(2))]);
    assert_eq!(place.starts.get(), 2, "each became a member");
}

/// Workers that cannot become members are not begun again for ever.
fn taken_members() {
    let place = place(3);
    let _members = (place.region.join().unwrap(), place.region.join().unwrap());
    let mut pool = pool!(place, 2);
    assert_eq!(pool.apply("double", b"x", FOREVER).map(|_| ()), Err(Error::Broken));
    assert!(place.starts.get() <= 10, "{}", place.starts.get());
}

fn forgotten() {
    let place = Place::new(Way::Fork);
    let mut pool = pool!(place, 1, slots: 1);
    for chunk in [1, 2] {
        place.clear_counters();
        let mut imap = pool.imap("counts and sleeps", [[7, 0, 0, 0]], 1).unwrap();
        assert_eq!(imap.next_timeout(0), Err(Error::WouldBlock));
        wait_until("it is begun", || place.counter(7) == 1);
        drop(imap);
        let mut imap = pool.imap_unordered("double", ["x", "y"], chunk).unwrap();
        assert_eq!(imap.next_timeout(0), Err(Error::WouldBlock));
        let begin = Instant::now();
        assert_eq!(imap.next_timeout(50 * MS), Err(Error::TimedOut));
        assert!(begin.elapsed().as_millis() >= 50);
        let all: Result<Vec<_>, _> = imap.collect();
        assert_eq!(all.unwrap(), [(0, done(b"xx")), (1, done(b"yy"))]);
    }
    assert_eq!(place.starts.get(), 1);
}

/// What was not begun when `imap` was dropped is not done.
fn not_begun() {
    let place = Place::new(Way::Fork);
    let mut pool = pool!(place, 1);
    let mut imap = pool.imap("counts and sleeps", (1..9u32).map(u32::to_le_bytes), 1).unwrap();
    assert_eq!(imap.next_timeout(0), Err(Error::WouldBlock));
    wait_until("the first is begun", || place.counter(1) == 1);
    drop(imap);
    pool.close();
    pool.join(FOREVER).unwrap();
    assert_eq!((1..9).map(|i| place.counter(i)).collect::<Vec<_>>(), [1, 0, 0, 0, 0, 0, 0, 0]);
}

/// A task has been worked on since it was begun, however long its worker had looked for one.
fn since() {
    let place = Place::new(Way::Fork);
    let mut pool = pool!(place, 1);
    for i in 0..5 {
        assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
        sleep_ms(90 - 10 * i);
        let begin = Instant::now();
        let id = pool.submit("hangs", &[i as u8, 0, 0, 0]).unwrap();
        wait_until("it is begun", || place.counter(i as u32) == 1);
        let busy_ns = pool.progress().workers[0].busy_ns;
        assert!(busy_ns > 0 && u128::from(busy_ns) <= begin.elapsed().as_nanos(), "{busy_ns}");
        assert_eq!(pool.cancel(id), Ok(true));
        assert_eq!(pool.wait(id, 0).unwrap().outcome, Outcome::Cancelled);
    }
}

/// Nobody looks at them while the worker is busy. Who submits hears of it; no item gets lost.
fn taken_back() {
    let place = Place::new(Way::Fork);
    let mut pool = pool!(place, 1, slots: 4);
    let sleep = pool.submit("counts and sleeps", &3000u32.to_le_bytes()).unwrap();
    wait_until("it is begun", || place.counter(3000) == 1);
    let refused = (0..1000).find(|_| match pool.submit("double", b"") {
        Ok(id) => {
            assert_eq!(pool.cancel(id), Ok(true));
            assert_eq!(pool.wait(id, 0).unwrap().outcome, Outcome::Cancelled);
            false
        }
        error => {
            assert_eq!(error, Err(Error::WouldBlock));
            true
        }
    });
    assert!(refused.is_some_and(|refused| refused >= 4), "{refused:?}");
    let progress = pool.progress();
    assert_eq!((progress.pending, progress.running), (0, 1), "what was refused is nowhere");
    let items: Vec<_> = (0..20u8).map(|i| [i]).collect();
    for chunk in [1, 3] {
        let mut imap = pool.imap("double", &items, chunk).unwrap();
        if chunk == 1 {
            assert_eq!(imap.next_timeout(0), Err(Error::WouldBlock));
            assert_eq!(imap.next_timeout(20 * MS), Err(Error::TimedOut));
        }
        for item in &items {
            assert_eq!(imap.next_timeout(FOREVER).unwrap().unwrap().to_vec(), done(&[item[0]; 2]));
        }
        assert_eq!(imap.next_timeout(FOREVER), Ok(None));
    }
    assert!(matches!(pool.wait(sleep, 0).unwrap().outcome, Outcome::Done(_)));
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
}
