//! Workers that cannot be started, or do not get through their start; configurations that there cannot be.

use super::{Case, Place, Way, apply, case, config, no_children, outcomes::done};
use crate::pool;
use rialto::{
    Error, FOREVER, Region, RegionConfig, Result,
    pool::{MAX_INITIALIZER_BYTES, MAX_SLOTS, Outcome, Pool, PoolConfig},
    process::Process,
};
use std::time::{Duration, Instant};

pub fn cases() -> Vec<Case> {
    vec![
        case("start: fails at once", fails_at_once),
        case("start: fails for a while", fails_for_a_while),
        case("start: fails for good", fails_for_good),
        case("start: finds nothing any more", finds_nothing),
        case("start: fails, and fails once again much later", fails_again),
        case("start: workers that end at once", end_at_once),
        case("initializer: comes before all tasks", initializer),
        case("start: workers that are killed as they start", killed_as_they_start),
        case("initializer: fails", initializer_fails),
        case("configurations", configurations),
        case("a region as large as it says", sizes),
        case("most workers", most_workers),
    ]
}

fn fails_at_once() {
    let place = Place::new(Way::Fork);
    let mut start = place.starter("worker");
    let mut count = 0;
    let third = |told: &[u8]| {
        count += 1;
        if count == 3 { Err(Error::Os(libc::EAGAIN)) } else { start(told) }
    };
    let failed = Pool::create(&place.region, "pool", &config(), third);
    assert_eq!(failed.err(), Some(Error::Os(libc::EAGAIN)));
    no_children();
    // Nothing is left, not even the name.
    assert_eq!(apply(&mut pool!(place, 1), "double", "x"), done(b"xx"));
}

fn fails_for_a_while() {
    let place = Place::new(Way::Fork);
    let mut start = place.starter("worker");
    let mut count = 0;
    let some = |told: &[u8]| {
        count += 1;
        if (4..9).contains(&count) { Err(Error::NoMemory) } else { start(told) }
    };
    let mut pool = Pool::create(&place.region, "pool", &config(), some).unwrap();
    // They lose all their workers while none can be started.
    let reports = pool.map_to_vec("dies twice", (0..9u32).map(u32::to_le_bytes), 1).unwrap();
    assert!(reports.iter().all(|report| report.attempt == 2 && matches!(report.outcome, Outcome::Done(_))));
    drop(pool);
    assert!(count >= 9);
}

/// One worker, and no other in its place.
fn pool_of_one_start(place: &Place, then: Error) -> Pool<'_, impl FnMut(&[u8]) -> Result<Process>> {
    let one = move |told: &[u8]| match place.starts.get() {
        0 => place.start("worker", told),
        _ => Err(then),
    };
    Pool::create(&place.region, "pool", &PoolConfig::new(1), one).unwrap()
}

fn fails_for_good() {
    let place = Place::new(Way::Fork);
    let mut pool = pool_of_one_start(&place, Error::NoMemory);
    let id = pool.submit("dies", b"").unwrap();
    let begin = Instant::now();
    assert_eq!(pool.wait(id, FOREVER).map(|_| ()), Err(Error::NoMemory));
    assert!(begin.elapsed() >= Duration::from_secs(5), "there was some patience");
    assert_eq!(pool.wait(id, 0).map(|_| ()), Err(Error::WouldBlock), "it can be asked again");
    assert_eq!(pool.map("double", ["x"], 1, |_, _| ()), Err(Error::NoMemory));
    pool.close();
    assert_eq!(pool.join(FOREVER), Err(Error::NoMemory));
    pool.terminate();
    assert_eq!(pool.wait(id, 0).unwrap().outcome, Outcome::Cancelled);
}

/// It is not that there is nothing to wait for.
fn finds_nothing() {
    let place = Place::new(Way::Fork);
    let mut pool = pool_of_one_start(&place, Error::NotFound);
    let id = pool.submit("dies", b"").unwrap();
    assert_eq!(pool.next(FOREVER).map(|_| ()), Err(Error::Broken));
    assert_eq!(pool.wait(id, FOREVER).map(|_| ()), Err(Error::Broken));
    assert_eq!(pool.tend(), Err(Error::NotFound));
    pool.terminate();
    assert_eq!(pool.next(0).unwrap().1.outcome, Outcome::Cancelled);
    assert_eq!(pool.next(0).map(|_| ()), Err(Error::NotFound), "now there is nothing");
}

/// Patience begins anew.
fn fails_again() {
    let place = Place::new(Way::Fork);
    let mut start = place.starter("worker");
    let mut count = 0;
    let most = |told: &[u8]| {
        count += 1;
        if [2, 4].contains(&count) { Err(Error::NoMemory) } else { start(told) }
    };
    let config = PoolConfig { retries: 0, ..PoolConfig::new(1) };
    let mut pool = Pool::create(&place.region, "pool", &config, most).unwrap();
    assert_eq!(apply(&mut pool, "dies", "").outcome, Outcome::Died);
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
    std::thread::sleep(Duration::from_millis(5300));
    assert_eq!(apply(&mut pool, "dies", "").outcome, Outcome::Died);
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
    drop(pool);
    assert_eq!(count, 5);
}

fn end_at_once() {
    for (entry, most) in [("exits", 15), ("killed", 300)] {
        let place = Place::new(Way::Fork);
        let mut pool = Pool::create(&place.region, "pool", &config(), place.starter(entry)).unwrap();
        let id = pool.submit("double", b"x").unwrap();
        assert_eq!(pool.wait(id, FOREVER).map(|_| ()), Err(Error::Broken));
        assert_eq!(pool.next(FOREVER).map(|_| ()), Err(Error::Broken));
        assert_eq!(pool.submit("double", b"x"), Err(Error::Broken));
        assert_eq!(pool.map("double", ["x"], 1, |_, _| ()), Err(Error::Broken));
        assert!(place.starts.get() <= most, "{}", place.starts.get());
        pool.close();
        assert_eq!(pool.join(FOREVER), Err(Error::Broken));
        drop(pool);
        no_children();
    }
}

/// As a storm of kills does on a busy machine.
fn killed_as_they_start() {
    let place = Place::new(Way::Fork);
    let mut count = 0;
    let start = |told: &[u8]| {
        count += 1;
        place.start(if count <= 40 { "killed" } else { "worker" }, told)
    };
    let mut pool = Pool::create(&place.region, "pool", &PoolConfig::new(1), start).unwrap();
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
    drop(pool);
    assert_eq!(count, 41);
}

fn initializer() {
    for way in super::WAYS {
        let place = Place::new(way);
        let five = 5u32.to_le_bytes();
        let mut pool = pool!(place, 2, initializer: Some(("initialize", &five)), tasks_per_worker: 2);
        let reports = pool.map_to_vec("initial", [""; 20], 1).unwrap();
        assert!(
            reports.iter().all(|report| *report == done(&5u64.to_le_bytes())),
            "once in each: {reports:?}"
        );
        drop(pool);
    }
}

fn initializer_fails() {
    let place = Place::new(Way::Fork);
    for name in ["fails", "panics", "none", "dies", "exits"] {
        let mut pool = pool!(place, 2, initializer: Some((name, b"")));
        let id = pool.submit("double", b"x").unwrap();
        assert_eq!(pool.wait(id, FOREVER).map(|_| ()), Err(Error::Broken), "{name}");
        pool.remove().unwrap();
    }
    // One that fails now and then breaks nothing.
    let mut pool = pool!(place, 2, initializer: Some(("dies twice", b"")));
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
    pool.remove().unwrap();
    let long = [1; MAX_INITIALIZER_BYTES];
    let mut pool = pool!(place, 2, initializer: Some(("initialize", &long)));
    assert_eq!(apply(&mut pool, "initial", ""), done(&0x0101_0101u64.to_le_bytes()));
}

fn configurations() {
    let place = Place::new(Way::Fork);
    let long: &'static [u8] = &[0; MAX_INITIALIZER_BYTES + 1];
    let with = |change: &dyn Fn(PoolConfig<'static>) -> PoolConfig<'static>, name: &str| {
        let config = change(PoolConfig::new(2));
        Pool::create(&place.region, name, &config, place.starter("worker")).err()
    };
    for wrong in [
        with(&|config| config, ""),
        with(&|config| config, "a name of 25 bytes, or so."),
        with(&|config| PoolConfig { workers: 0, ..config }, "pool"),
        with(&|config| PoolConfig { workers: 65, ..config }, "pool"),
        with(&|config| PoolConfig { slots: 0, ..config }, "pool"),
        with(&|config| PoolConfig { slots: MAX_SLOTS + 1, ..config }, "pool"),
        with(&|config| PoolConfig { slots: u32::MAX, ..config }, "pool"),
        with(&|config| PoolConfig { max_task_bytes: 0, ..config }, "pool"),
        with(&|config| PoolConfig { max_task_bytes: u32::MAX, ..config }, "pool"),
        with(&|config| PoolConfig { max_result_bytes: 0, ..config }, "pool"),
        with(&|config| PoolConfig { max_result_bytes: u32::MAX, ..config }, "pool"),
        with(&|config| PoolConfig { retries: 21, ..config }, "pool"),
        with(&|config| PoolConfig { initializer: Some(("", b"")), ..config }, "pool"),
    ] {
        assert_eq!(wrong, Some(Error::Invalid));
    }
    assert_eq!(
        with(&|config| PoolConfig { initializer: Some(("initialize", long)), ..config }, "pool"),
        Some(Error::MessageTooLarge)
    );
    assert_eq!(with(&|config| PoolConfig { slots: 2000, ..config }, "pool"), Some(Error::NoSpace));
    assert_eq!(
        with(&|config| PoolConfig { max_result_bytes: 1 << 20, ..config }, "pool"),
        Some(Error::NoSpace)
    );
    assert_eq!(place.starts.get(), 0);
    assert_eq!(with(&|config| config, "pool"), None);
}

fn sizes() {
    for (workers, slots, task, result) in
        [(1, 1, 1, 1), (2, 3, 100, 5), (64, 1000, 200, 300), (3, 9, 70_000, 1)]
    {
        let config =
            PoolConfig { slots, max_task_bytes: task, max_result_bytes: result, ..PoolConfig::new(workers) };
        let len = (1 << 19) + config.bytes().unwrap() as usize;
        let region =
            Region::create_memfd(len, &RegionConfig { members: 65, ..RegionConfig::default() }).unwrap();
        let fd = region.fd().unwrap();
        let place = Place::over(region, fd, Way::Fork);
        let before = place.region.space().free;
        let pool = Pool::create(&place.region, "pool", &config, place.starter("worker")).unwrap();
        let used = before - place.region.space().free;
        assert!(used <= config.bytes().unwrap(), "{used} {config:?}");
        assert!(used + 4096 > config.bytes().unwrap(), "{used} {config:?}");
        drop(pool);
    }
}

fn most_workers() {
    let place = super::room::place(65);
    let mut pool = pool!(place, 64, slots: 200, max_task_bytes: 64, max_result_bytes: 64);
    let items: Vec<String> = (0..500).map(|i| i.to_string()).collect();
    for (report, item) in pool.map_to_vec("double", &items, 1).unwrap().into_iter().zip(&items) {
        assert_eq!(report, done(item.repeat(2).as_bytes()));
    }
    assert!(pool.pids().iter().all(|pid| *pid > 0));
    pool.close();
    pool.join(FOREVER).unwrap();
}
