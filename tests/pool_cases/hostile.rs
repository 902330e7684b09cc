//! A process that writes wild into the pool's table: nobody panics, nothing hangs longer than its timeout, nobody but the
//! pool's own workers is killed, and it works again when the scribbler is gone.

use super::{Case, MS, Place, SECOND, Way, apply, case, outcomes::done};
use crate::{pool, procs, procs::wait_until};
use rialto::{
    Error, FOREVER, RawArray,
    pool::{Outcome, Progress},
};
use std::time::{Duration, Instant};

pub fn cases() -> Vec<Case> {
    vec![
        case("hostile: random words, all the time", random_words),
        case("hostile: counts of items, results, codes", answers),
        case("hostile: stamps of tasks under way", stamps),
        case("hostile: notes that are another worker's", notes),
        case("hostile: a task that kills for ever", kills_for_ever),
        case("hostile: messages that are none", messages),
        case("hostile: a table that is none", tables),
    ]
}

fn table(place: &Place) -> RawArray<'_, u64> {
    place.region.open_raw_array("pool.table").unwrap()
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn random_words() {
    for seed in 1..4 {
        let place = Place::new(Way::Fork);
        let mut pool = pool!(place, 3, timeout_ns: 100 * MS, max_result_bytes: 64, slots: 8);
        let mut bystander = place.start("onlooker", b"").unwrap();
        let scribbler = procs::fork(|| {
            let (words, mut random) = (table(&place), Random(seed));
            loop {
                let index = (random.next() % u64::from(words.len())) as u32;
                let word = words.get(index).unwrap();
                let new = match random.next() % 6 {
                    0 => random.next(),
                    1 => 0,
                    2 => word ^ 1 << (random.next() % 64),
                    3 => u64::MAX,
                    4 => word & !0xff | (random.next() % 8),
                    _ => words.get((random.next() % u64::from(words.len())) as u32).unwrap(),
                };
                // Not the phase, or nothing could be submitted; and what new workers check, in one of the rounds only: after
                // that none can begin.
                if index > 3 || index < 3 && seed == 3 {
                    words.set(index, new).unwrap();
                }
                std::thread::sleep(Duration::from_micros(20));
            }
        });
        let end = Instant::now() + Duration::from_secs(1);
        let mut sane = 0;
        while Instant::now() < end {
            match pool.apply("double", b"x", 200 * MS) {
                Ok(report) => sane += u32::from(report.outcome == Outcome::Done(&b"xx"[..])),
                Err(error) => assert!(
                    matches!(error, Error::TimedOut | Error::WouldBlock | Error::BadRegion | Error::Broken),
                    "{error}"
                ),
            }
            let mut imap = pool.imap_unordered("double", ["a", "b", "c", "d", "e"], 2).ok();
            let mut reported = [false; 5];
            while let Some(Ok(Some((index, _)))) = imap.as_mut().map(|imap| imap.next_timeout(100 * MS)) {
                assert!(!std::mem::replace(&mut reported[index], true));
            }
            drop(imap);
            let _ = pool.next(10 * MS);
            let _ = (pool.progress(), Progress::read(&place.region, "pool"));
        }
        scribbler.kill();
        pool.close();
        let _ = pool.join(500 * MS);
        let _ = pool.remove();
        assert!(sane > 0 || seed == 3, "it did nothing at all");
        // It may have seen nonsense, or not; nobody has killed it.
        wait_until("the bystander ends by itself", || {
            bystander.exit_code().is_some() || bystander.kill().is_ok()
        });
    }
}

/// Where a slot's words begin, of a pool of one worker with results of 64 bytes.
fn slot(index: u32) -> u32 {
    16 + 8 + index * (4 + 8)
}

fn answers() {
    let place = Place::new(Way::Fork);
    let mut pool = pool!(place, 1, max_result_bytes: 64, slots: 1);
    let words = table(&place);
    // A task's report, after the worker has written it: code and length.
    for (code, len, outcome) in [
        (0, u64::MAX, Outcome::Done(64)),
        (0, 65, Outcome::Done(64)),
        (1 << 32, u64::MAX, Outcome::TooLarge(u64::MAX)),
        (2 << 32, 9, Outcome::NoFunction),
        (3 << 32, u64::MAX, Outcome::Panicked(64)),
        (4 << 32, 9, Outcome::Lost),
        (-1i64 as u64, 9, Outcome::Failed(-1, 9)),
        (1 << 63, 9, Outcome::Lost),
    ] {
        let id = pool.submit("double", b"x").unwrap();
        wait_until("it has ended", || words.get(slot(0)).unwrap() & 0xff == 3);
        words.set(slot(0) + 1, code).unwrap();
        words.set(slot(0) + 2, len).unwrap();
        let outcome_is = match pool.wait(id, FOREVER).unwrap().outcome {
            Outcome::Done(bytes) => Outcome::Done(bytes.len()),
            Outcome::Failed(code, bytes) => Outcome::Failed(code, bytes.len()),
            Outcome::Panicked(bytes) => Outcome::Panicked(bytes.len()),
            Outcome::TooLarge(len) => Outcome::TooLarge(len),
            Outcome::NoFunction => Outcome::NoFunction,
            _ => Outcome::Lost,
        };
        assert_eq!(outcome_is, outcome);
    }
    // A chunk's: what it says of its items is nonsense. Each is reported once all the same.
    for (first, second) in [(u64::MAX, u64::MAX), (0, 1000), (0, u64::MAX), (0, 49)] {
        let mut imap = pool.imap("double", ["a", "b", "c"], 3).unwrap();
        assert_eq!(imap.next_timeout(0).map(|_| ()), Err(Error::WouldBlock));
        wait_until("it has ended", || words.get(slot(0)).unwrap() & 0xff == 3);
        words.set(slot(0) + 4, first).unwrap();
        words.set(slot(0) + 5, second).unwrap();
        let outcomes: Vec<_> = imap.by_ref().map(|report| report.unwrap().outcome).collect();
        assert!(
            outcomes.len() == 3 && outcomes.iter().all(|outcome| *outcome == Outcome::Lost),
            "{outcomes:?}"
        );
    }
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
}

fn stamps() {
    let place = Place::new(Way::Fork);
    let mut pool = pool!(place, 1, max_result_bytes: 64, slots: 2);
    let words = table(&place);
    for (i, stamp) in [0u64, u64::MAX, 7 << 24 | 3, 7 << 24 | 2, 7 << 24].into_iter().enumerate() {
        let id = pool.submit("hangs", &(i as u32).to_le_bytes()).unwrap();
        wait_until("it is begun", || place.counter(i as u32) == 1);
        let at = [slot(0), slot(1)].into_iter().find(|at| words.get(*at).unwrap() & 0xff == 2).unwrap();
        words.set(at, stamp).unwrap();
        let report = pool.wait(id, FOREVER).unwrap();
        assert_eq!((report.attempt, report.outcome), (0, Outcome::Lost));
        // The worker works on; its pool can be told to end.
        pool.terminate();
        pool.remove().unwrap();
        pool = pool!(place, 1, max_result_bytes: 64, slots: 2);
    }
    // A worker's number that there is not: nobody is killed.
    let id = pool.submit("hangs", &9u32.to_le_bytes()).unwrap();
    wait_until("it is begun", || place.counter(9) == 1);
    let at = [slot(0), slot(1)].into_iter().find(|at| words_of(&place, *at) & 0xff == 2).unwrap();
    table(&place).set(at, words_of(&place, at) | 0xff00).unwrap();
    let pids = pool.pids();
    assert_eq!(pool.cancel(id), Ok(true));
    assert_eq!(pool.pids(), pids);
    assert_eq!(pool.wait(id, 0).unwrap().outcome, Outcome::Cancelled);
}

/// As one leaves them that was stopped there, or has died: who is in its place, or has its slot, does not answer for it.
fn notes() {
    let place = Place::new(Way::Fork);
    let mut pool = pool!(place, 2, timeout_ns: 30 * SECOND);
    let words = table(&place);
    let note = |worker: u32, what: u32| 16 + 8 * worker + what;
    wait_until("both are ready", || (0..2).all(|worker| words.get(note(worker, 4)).unwrap() == 2));
    let id = pool.submit("hangs", &9u32.to_le_bytes()).unwrap();
    wait_until("it is begun", || place.counter(9) == 1);
    let busy = (0..2).find(|worker| words.get(note(*worker, 1)).unwrap() != 0).unwrap();
    let idle = 1 - busy;
    let pids = pool.pids();
    // SAFETY: no memory involved; ours, and not reaped.
    unsafe { libc::kill(pids[idle as usize], libc::SIGSTOP) };
    wait_until("it is stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pids[idle as usize]));
        stat.is_ok_and(|stat| stat.contains(") T "))
    });
    // It says that it works on the other one's task, for ever: it goes, the task stays.
    words.set(note(idle, 1), words.get(note(busy, 1)).unwrap()).unwrap();
    words.set(note(idle, 2), 1).unwrap();
    assert_eq!(pool.wait(id, 200 * MS).map(|_| ()), Err(Error::TimedOut));
    assert_eq!(pool.pids()[busy as usize], pids[busy as usize]);
    // The task is said to be the idle one's: that one is not killed for it.
    let pids = pool.pids();
    wait_until("another one is there", || words.get(note(idle, 4)).unwrap() == 2);
    let at = slot_at(&words, busy);
    let stamp = words.get(at).unwrap();
    assert_eq!(stamp & 0xff, 2);
    words.set(at, stamp & !0xff00 | u64::from(idle) << 8).unwrap();
    assert_eq!(pool.cancel(id), Ok(true));
    assert_eq!(pool.pids(), pids);
    assert_eq!(pool.wait(id, 0).unwrap().outcome, Outcome::Cancelled);
}

/// Where the slot's words are that a worker of two says to work on; results are of 4096 bytes.
fn slot_at(words: &RawArray<'_, u64>, worker: u32) -> u32 {
    let slot = words.get(16 + 8 * worker + 1).unwrap() as u32 - 1;
    16 + 2 * 8 + slot * (4 + 512)
}

fn words_of(place: &Place, at: u32) -> u64 {
    table(place).get(at).unwrap()
}

/// The limit in the table says "for ever": then the queue's own holds.
fn kills_for_ever() {
    let place = Place::new(Way::Fork);
    let mut pool = pool!(place, 2);
    table(&place).set(7, u64::MAX).unwrap();
    let report = apply(&mut pool, "dies", "");
    assert_eq!(report.outcome, Outcome::Died);
    assert!((30..40).contains(&place.counter(0)), "{}", place.counter(0));
    assert!(report.attempt >= 30);
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
}

fn messages() {
    let place = Place::new(Way::Fork);
    let mut pool = pool!(place, 2);
    let tasks = place.region.open_queue("pool.tasks").unwrap();
    let mut random = Random(7);
    for len in [0, 1, 47, 48, 49, 100, 1000] {
        for _ in 0..20 {
            let mut message: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
            tasks.push(&message).unwrap();
            if len >= 48 {
                // Of a slot that there is, and a task that there was.
                message[..16].copy_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
                tasks.push(&message).unwrap();
            }
            assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
        }
    }
    assert_eq!(place.starts.get(), 2);
}

fn tables() {
    let place = Place::new(Way::Fork);
    place.region.create_raw_array::<u64>("short.table", 1).unwrap();
    place.region.create_raw_array::<u64>("empty.table", 100).unwrap();
    place.region.create_event("event.table").unwrap();
    assert_eq!(Progress::read(&place.region, "none").err(), Some(Error::NotFound));
    assert_eq!(Progress::read(&place.region, "empty").err(), Some(Error::WrongKind));
    assert!(
        Progress::read(&place.region, "short").is_err() && Progress::read(&place.region, "event").is_err()
    );
    let pool = pool!(place, 2);
    let words = table(&place);
    for (at, word) in [(0, 1), (1, u64::MAX), (1, 0), (2, 0), (2, u64::MAX), (1, 33 << 32 | 2)] {
        let before = words.get(at).unwrap();
        words.set(at, word).unwrap();
        assert_eq!(Progress::read(&place.region, "pool").err(), Some(Error::WrongKind));
        words.set(at, before).unwrap();
    }
    assert!(Progress::read(&place.region, "pool").is_ok());
    drop(pool);
}
