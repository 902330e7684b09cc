//! Submitting, waiting, taking back; close, join, terminate; what others see.

use super::{Case, MS, Place, SECOND, Way, apply, case, descriptors, no_children, outcomes::done, sleep_ms};
use crate::{pool, procs::wait_until};
use rialto::{
    Error, FOREVER,
    pool::{Outcome, Pool, PoolConfig},
};
use std::{collections::HashMap, time::Instant};

pub fn cases(way: Way) -> Vec<Case> {
    let cell = |what: &str, run: fn(Way)| case(format!("{what} ({})", way.name()), move || run(way));
    vec![
        cell("wait: timeouts", timeouts),
        cell("next: whatever has ended", next),
        cell("back-pressure: full slots", back_pressure),
        cell("cancel", cancel),
        cell("close and join", close_and_join),
        cell("close: workers that are not needed leave", no_needless_starts),
        cell("terminate", terminate),
        cell("remove, and create anew", remove),
        cell("progress, seen from another process", progress),
        cell("tasks per worker", tasks_per_worker),
        cell("nothing is left behind", nothing_left),
    ]
}

fn ms(ms: u32) -> [u8; 4] {
    ms.to_le_bytes()
}

fn timeouts(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 1);
    let begin = Instant::now();
    let id = pool.submit("sleep", &ms(400)).unwrap();
    assert_eq!(pool.wait(id, 0).map(|_| ()), Err(Error::WouldBlock));
    assert_eq!(pool.next(0).map(|_| ()), Err(Error::WouldBlock));
    assert_eq!(pool.wait(id, 100 * MS).map(|_| ()), Err(Error::TimedOut));
    assert!(begin.elapsed().as_millis() >= 100);
    assert_eq!(pool.wait(id, FOREVER).unwrap().outcome, Outcome::Done(&[ms(400), ms(400)].concat()[..]));
    assert!(begin.elapsed().as_millis() >= 400);
    assert_eq!(pool.wait(id, FOREVER).map(|_| ()), Err(Error::NotFound), "collected");
    assert_eq!(pool.next(FOREVER).map(|_| ()), Err(Error::NotFound));
    // Of `apply`, nothing is left.
    assert_eq!(pool.apply("hangs", b"", 100 * MS).map(|_| ()), Err(Error::TimedOut));
    assert_eq!(pool.next(FOREVER).map(|_| ()), Err(Error::NotFound));
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
}

fn next(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2);
    let slow = pool.submit("sleep", &ms(1000)).unwrap();
    let mut quick: Vec<_> = (0..10u8).map(|i| (pool.submit("double", &[i]).unwrap(), i)).collect();
    assert!(quick.windows(2).all(|pair| pair[0].0 < pair[1].0));
    while !quick.is_empty() {
        let (id, report) = pool.next(FOREVER).unwrap();
        let at = quick.iter().position(|(quick, _)| *quick == id).expect("not the slow one");
        let (_, i) = quick.remove(at);
        assert_eq!(report.outcome, Outcome::Done(&[i, i][..]));
    }
    assert_eq!(pool.next(FOREVER).unwrap().0, slow);
}

fn back_pressure(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2, slots: 5);
    let ids: Vec<_> = (0..5u8).map(|i| pool.submit("double", &[i]).unwrap()).collect();
    for _ in 0..3 {
        assert_eq!(pool.submit("double", b""), Err(Error::WouldBlock));
        sleep_ms(50); // done or not: they are to be collected
    }
    assert_eq!(pool.apply("double", b"", FOREVER).map(|_| ()), Err(Error::WouldBlock));
    assert_eq!(pool.map("double", ["x"], 1, |_, _| ()), Err(Error::WouldBlock));
    assert_eq!(pool.wait(ids[3], FOREVER).unwrap().outcome, Outcome::Done(&[3, 3][..]));
    let more = pool.submit("double", b"x").unwrap();
    assert_eq!(pool.submit("double", b""), Err(Error::WouldBlock));
    // With one slot left, `map` gets along.
    assert_eq!(pool.wait(more, FOREVER).unwrap().outcome, Outcome::Done(&b"xx"[..]));
    let items: Vec<String> = (0..50).map(|i| i.to_string()).collect();
    let reports = pool.map_to_vec("double", &items, 3).unwrap();
    assert!(reports.iter().zip(&items).all(|(report, item)| *report == done(item.repeat(2).as_bytes())));
    for (i, id) in ids.into_iter().enumerate().filter(|(i, _)| *i != 3) {
        let i = i as u8;
        assert_eq!(pool.wait(id, FOREVER).unwrap().outcome, Outcome::Done(&[i, i][..]));
    }
}

fn cancel(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 1);
    let running = pool.submit("hangs", &ms(1)).unwrap();
    let waiting = pool.submit("hangs", &ms(2)).unwrap();
    let last = pool.submit("double", b"x").unwrap();
    wait_until("it is begun", || place.counter(1) == 1);
    assert_eq!(pool.cancel(waiting), Ok(true));
    assert_eq!(pool.cancel(waiting), Ok(false), "over");
    let begin = pool.pids()[0];
    assert_eq!(pool.cancel(running), Ok(true));
    assert_ne!(pool.pids()[0], begin, "its worker was killed");
    for id in [running, waiting] {
        assert_eq!(pool.wait(id, 0).unwrap().outcome, Outcome::Cancelled);
        assert_eq!(pool.cancel(id), Err(Error::NotFound));
    }
    assert_eq!(pool.wait(last, FOREVER).unwrap().to_vec(), done(b"xx"));
    assert_eq!((place.counter(1), place.counter(2)), (1, 0));
    // At any time: it is reported as cancelled, or as done.
    for i in 0..100 {
        let id = pool.submit("double", b"x").unwrap();
        (0..i * 50).for_each(|_| std::hint::spin_loop());
        let cancelled = pool.cancel(id).unwrap();
        let outcome = pool.wait(id, FOREVER).unwrap().outcome;
        assert_eq!(outcome, if cancelled { Outcome::Cancelled } else { Outcome::Done(&b"xx"[..]) });
    }
}

fn close_and_join(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2);
    assert_eq!(pool.join(FOREVER), Err(Error::Busy), "not closed");
    let slow = pool.submit("sleep", &ms(500)).unwrap();
    let dies = pool.submit("dies twice", b"").unwrap();
    let ids: Vec<_> = (0..10).map(|_| pool.submit("double", b"x").unwrap()).collect();
    pool.close();
    assert_eq!(pool.submit("double", b""), Err(Error::Closed));
    assert_eq!(pool.map("double", ["x"], 1, |_, _| ()), Err(Error::Closed));
    assert_eq!(pool.join(0), Err(Error::WouldBlock));
    assert_eq!(pool.join(10 * MS), Err(Error::TimedOut));
    assert_eq!(pool.join(FOREVER), Ok(()));
    assert_eq!(pool.join(FOREVER), Ok(()));
    assert!(pool.pids().iter().all(|pid| *pid == 0));
    for id in ids {
        assert_eq!(pool.wait(id, 0).unwrap().outcome, Outcome::Done(&b"xx"[..]));
    }
    assert!(matches!(pool.wait(slow, 0).unwrap().outcome, Outcome::Done(_)));
    // What a dead worker had was done by another one, closed or not.
    let report = pool.wait(dies, 0).unwrap();
    assert_eq!((report.attempt, report.outcome), (2, Outcome::Done(&b""[..])));
    // An empty one.
    let mut empty =
        Pool::create(&place.region, "empty", &PoolConfig::new(2), place.starter("worker")).unwrap();
    empty.close();
    empty.join(FOREVER).unwrap();
}

fn no_needless_starts(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 3);
    pool.submit("sleep", &ms(1500)).unwrap();
    wait_until("it is begun", || pool.progress().running == 1);
    pool.close();
    pool.join(FOREVER).unwrap();
    assert_eq!(place.starts.get(), 3);
}

fn terminate(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2);
    let quick = pool.submit("double", b"x").unwrap();
    wait_until("it has ended", || pool.progress().ended == 1);
    let ids: Vec<_> = (0..5).map(|_| pool.submit("hangs", b"").unwrap()).collect();
    wait_until("they are begun", || place.counter(0) == 2);
    pool.terminate();
    assert!(pool.pids().iter().all(|pid| *pid == 0));
    assert_eq!(pool.submit("double", b""), Err(Error::Closed));
    assert_eq!(pool.wait(quick, 0).unwrap().to_vec(), done(b"xx"));
    for id in ids {
        assert_eq!(pool.wait(id, 0).unwrap().outcome, Outcome::Cancelled);
    }
    assert_eq!(pool.join(FOREVER), Ok(()));
    let progress = pool.progress();
    assert_eq!((progress.submitted, progress.ended, progress.pending, progress.running), (6, 6, 0, 0));
    pool.close();
    pool.terminate();
    assert_eq!(place.counter(0), 2);
}

fn remove(way: Way) {
    let place = Place::new(way);
    for _ in 0..5 {
        let mut pool = pool!(place, 2);
        assert_eq!(
            Pool::create(&place.region, "pool", &PoolConfig::new(1), place.starter("worker")).err(),
            Some(Error::Exists)
        );
        pool.submit("hangs", b"").unwrap();
        assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
        pool.remove().unwrap();
    }
    // Dropped, it stays, and can be removed by hand.
    drop(pool!(place, 2));
    for name in ["pool.tasks", "pool.table", "pool.done"] {
        place.region.remove(name).unwrap();
    }
    drop(pool!(place, 2));
}

fn progress(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2);
    pool.map("double", ["a", "b", "c"], 1, |_, _| ()).unwrap();
    let id = pool.submit("hangs", b"").unwrap();
    let mut onlooker = place.start("onlooker", b"").unwrap();
    assert_eq!(onlooker.join_timeout(100 * SECOND), Ok(0));
    let progress = pool.progress();
    let busy = progress.workers.iter().find(|worker| worker.is_busy).unwrap();
    assert!(pool.pids().contains(&(busy.pid as i32)) || way == Way::Server);
    wait_until("it says for how long", || {
        pool.progress().workers.iter().any(|worker| worker.busy_ns > 50 * MS)
    });
    pool.cancel(id).unwrap();
    assert_eq!(pool.progress().running, 0);
}

fn tasks_per_worker(way: Way) {
    let place = Place::new(way);
    for chunk in [1, 2] {
        let mut pool = pool!(place, 2, tasks_per_worker: 3);
        let reports = pool.map_to_vec("pid", [""; 40], chunk).unwrap();
        let mut done: HashMap<Vec<u8>, usize> = HashMap::new();
        for report in reports {
            assert_eq!(report.attempt, 0);
            *done.entry(report.done().unwrap()).or_default() += 1;
        }
        assert!(done.values().all(|count| *count <= 3 * chunk), "{done:?}");
        assert!(done.len() >= 40 / (3 * chunk));
        pool.remove().unwrap();
    }
}

fn nothing_left(way: Way) {
    {
        let place = Place::new(way);
        drop(pool!(place, 2));
        place.region.remove("pool.tasks").unwrap();
        place.region.remove("pool.table").unwrap();
        place.region.remove("pool.done").unwrap();
        let before = descriptors();
        for _ in 0..5 {
            let mut pool = pool!(place, 3, timeout_ns: 200 * MS, retries: 1);
            apply(&mut pool, "dies", "");
            apply(&mut pool, "hangs", "");
            apply(&mut pool, "double", "");
            pool.submit("hangs", b"").unwrap();
            pool.remove().unwrap();
            assert_eq!(descriptors(), before);
        }
    }
    no_children();
}
