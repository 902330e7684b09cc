//! One task, and what its function does: each is reported as what it is, and others go on.

use super::{Case, MS, Place, SECOND, Way, apply, case, sleep_ms};
use crate::{pool, procs::wait_until};
use rialto::{
    Error, FOREVER,
    pool::{Outcome, Report},
};
use std::time::Instant;

pub fn cases(way: Way) -> Vec<Case> {
    let cell = |what: &str, run: fn(Way)| case(format!("{what} ({})", way.name()), move || run(way));
    vec![
        cell("function: returns, raises, panics, is not there", returns),
        cell("function: its result is as long as it may be, or longer", lengths),
        cell("function: dies always", dies),
        cell("function: dies twice", dies_twice),
        cell("function: exits", exits),
        cell("function: hangs", hangs),
        cell("function: stops", stops),
        cell("function: closes all descriptors", closes),
        cell("worker: stopped while it waits", stopped),
        cell("worker: stopped while it works, without a timeout", goes_on),
        cell("worker: idle for longer than a timeout", idle),
    ]
}

pub fn done(bytes: &[u8]) -> Report<Vec<u8>> {
    Report { attempt: 0, outcome: Outcome::Done(bytes.to_vec()) }
}

fn returns(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2);
    assert_eq!(apply(&mut pool, "double", "ab"), done(b"abab"));
    assert_eq!(apply(&mut pool, "double", ""), done(b""));
    assert_eq!(apply(&mut pool, "raises", "").outcome, Outcome::Failed(-7, b"why".to_vec()));
    assert_eq!(apply(&mut pool, "panics", "").outcome, Outcome::Panicked(b"no 1".to_vec()));
    assert_eq!(apply(&mut pool, "none", "").outcome, Outcome::NoFunction);
    assert_eq!(apply(&mut pool, "doubl", "").outcome, Outcome::NoFunction);
    assert_eq!(apply(&mut pool, "double", "ab"), done(b"abab"));
    assert_eq!(pool.submit("", b""), Err(Error::Invalid));
    assert_eq!(pool.submit(&"x".repeat(32), b""), Err(Error::Invalid));
    assert_eq!(place.starts.get(), 2, "nobody has died of it");
}

fn lengths(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2, max_task_bytes: 100, max_result_bytes: 50);
    for (bytes, outcome) in [
        (49u32, Outcome::Done(vec![1; 49])),
        (50, Outcome::Done(vec![1; 50])),
        (51, Outcome::TooLarge(51)),
        (100_000, Outcome::TooLarge(100_000)),
        (0, Outcome::Done(vec![])),
    ] {
        assert_eq!(apply(&mut pool, "much", bytes.to_le_bytes()).outcome, outcome);
    }
    assert_eq!(apply(&mut pool, "double", [7; 25]), done(&[7; 50]));
    assert_eq!(apply(&mut pool, "much", [0; 100]), done(b""));
    assert_eq!(pool.submit("much", &[0; 101]), Err(Error::MessageTooLarge));
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
}

fn dies(way: Way) {
    let place = Place::new(way);
    for retries in [0, 1, 3] {
        place.clear_counters();
        let mut pool = pool!(place, 2, retries: retries);
        let id = pool.submit("dies", b"").unwrap();
        let others: Vec<_> = (0..20).map(|_| pool.submit("double", b"x").unwrap()).collect();
        let report = pool.wait(id, FOREVER).unwrap();
        assert_eq!(report.outcome, Outcome::Died);
        assert!(report.attempt > retries, "{report:?}");
        assert_eq!(place.counter(0), u64::from(retries) + 1, "begun so often");
        for id in others {
            assert_eq!(pool.wait(id, FOREVER).unwrap().outcome, Outcome::Done(&b"xx"[..]));
        }
        assert_eq!(pool.progress().redone, u64::from(retries));
        pool.remove().unwrap();
    }
}

fn dies_twice(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2);
    let report = apply(&mut pool, "dies twice", [0; 4]);
    assert_eq!(report, Report { attempt: 2, outcome: Outcome::Done(vec![0; 8]) });
    assert_eq!(place.counter(0), 3);
    let progress = pool.progress();
    assert_eq!((progress.redone, progress.ended, progress.running, progress.pending), (2, 1, 0, 0));
}

fn exits(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2, retries: 1);
    assert_eq!(apply(&mut pool, "exits", "").outcome, Outcome::Died);
    assert_eq!(place.counter(0), 2);
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
}

fn hangs(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2, timeout_ns: 300 * MS);
    let begin = Instant::now();
    let id = pool.submit("hangs", b"").unwrap();
    let others: Vec<_> = (0..20).map(|_| pool.submit("double", b"x").unwrap()).collect();
    for id in others {
        assert_eq!(pool.wait(id, FOREVER).unwrap().to_vec(), done(b"xx"));
    }
    let report = pool.wait(id, FOREVER).unwrap();
    assert_eq!((report.attempt, report.outcome), (0, Outcome::TimedOut));
    assert!(begin.elapsed().as_millis() >= 300);
    assert_eq!(place.counter(0), 1, "it is not begun again");
    // Each in a chunk is told so, and who waits as long as there are workers gets them back.
    let reports = pool.map_to_vec("hangs", [b"1", b"2", b"3"], 3).unwrap();
    assert!(reports.iter().all(|report| report.outcome == Outcome::TimedOut) && reports.len() == 3);
    let reports = pool.map_to_vec("hangs", [[1; 4], [2; 4], [3; 4]], 1).unwrap();
    assert!(reports.iter().all(|report| report.outcome == Outcome::TimedOut) && reports.len() == 3);
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
}

fn stops(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 1, timeout_ns: 300 * MS);
    assert_eq!(apply(&mut pool, "stops", "").outcome, Outcome::TimedOut);
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
}

fn closes(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 1);
    assert_eq!(apply(&mut pool, "closes", "x"), done(b"xx"));
    // It has lost its lifeline, so it ends, and another one comes.
    wait_until("it is replaced", || {
        assert_eq!(apply(&mut pool, "double", "x").outcome, done(b"xx").outcome);
        place.starts.get() > 1
    });
}

fn stopped(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2, timeout_ns: SECOND);
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
    let pids = pool.pids();
    for pid in &pids[..2] {
        // SAFETY: no memory involved; ours, and not reaped, as the pool was not looked after since.
        unsafe { libc::kill(*pid, libc::SIGSTOP) };
    }
    assert_eq!(apply(&mut pool, "double", "x").outcome, done(b"xx").outcome);
    assert!(!pool.pids()[..2].iter().any(|pid| pids[..2].contains(pid)) || place.starts.get() > 2);
}

/// It looks for tasks now and then, so it is not taken for a stopped one.
fn idle(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 1, timeout_ns: 100 * MS);
    let end = Instant::now() + std::time::Duration::from_millis(2600);
    while Instant::now() < end {
        pool.tend().unwrap();
        sleep_ms(20);
    }
    assert_eq!(place.starts.get(), 1);
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
}

fn goes_on(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 1);
    let id = pool.submit("stops", b"").unwrap();
    wait_until("it is stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pool.pids()[0]));
        stat.is_ok_and(|stat| stat.contains(") T "))
    });
    assert_eq!(pool.wait(id, 200 * MS).map(|report| report.to_vec()), Err(Error::TimedOut));
    sleep_ms(10);
    // SAFETY: no memory involved; our worker.
    unsafe { libc::kill(pool.pids()[0], libc::SIGCONT) };
    assert_eq!(pool.wait(id, FOREVER).unwrap().to_vec(), done(b""));
}
