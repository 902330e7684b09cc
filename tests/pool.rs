#![cfg(all(feature = "std", feature = "process", target_os = "linux", not(rialto_loom)))]
use rialto::{
    Error, FOREVER, Region, RegionConfig,
    pool::{Function, Outcome, Output, Pool, PoolConfig, Progress, Report, work},
    process::{Process, ProcessConfig},
};
use std::time::{Duration, Instant};

fn double(task: &[u8], result: &mut Output<'_>) -> i32 {
    let _ = result.write(task);
    let _ = result.write(task);
    0
}
fn die(task: &[u8], result: &mut Output<'_>) -> i32 {
    if task == b"die" {
        unsafe { libc::raise(9) };
    }
    double(task, result)
}
fn raises(_: &[u8], result: &mut Output<'_>) -> i32 {
    result.write(b"why").unwrap();
    7
}
fn panics(_: &[u8], _: &mut Output<'_>) -> i32 {
    panic!("no {}", 1)
}
fn much(_: &[u8], result: &mut Output<'_>) -> i32 {
    let _ = result.write(&[1; 10000]);
    0
}
fn hangs(_: &[u8], _: &mut Output<'_>) -> i32 {
    loop {
        std::thread::sleep(Duration::from_secs(1))
    }
}
fn stops(_: &[u8], _: &mut Output<'_>) -> i32 {
    unsafe { libc::raise(libc::SIGSTOP) };
    0
}
fn closes(task: &[u8], result: &mut Output<'_>) -> i32 {
    for fd in 0..1000 {
        unsafe { libc::close(fd) };
    }
    double(task, result)
}
fn pid(_: &[u8], result: &mut Output<'_>) -> i32 {
    let _ = result.write(&std::process::id().to_le_bytes());
    0
}
fn fails(_: &[u8], _: &mut Output<'_>) -> i32 {
    3
}
const FUNCTIONS: &[Function] = &[
    Function::new("double", &double),
    Function::new("die", &die),
    Function::new("raises", &raises),
    Function::new("panics", &panics),
    Function::new("much", &much),
    Function::new("hangs", &hangs),
    Function::new("stops", &stops),
    Function::new("closes", &closes),
    Function::new("pid", &pid),
    Function::new("fails", &fails),
];

fn region() -> Region {
    Region::create_anonymous(1 << 20, &RegionConfig::default()).unwrap()
}

fn start(region: &Region) -> impl FnMut(&[u8]) -> rialto::Result<Process> + '_ {
    move |told| {
        let config = ProcessConfig { args: told, daemon: true, ..Default::default() };
        // SAFETY: run with --test-threads 1.
        unsafe { Process::fork(&config, |child| work(child, region, FUNCTIONS)) }
    }
}

#[test]
fn all() {
    let region = region();
    let config = PoolConfig { timeout_ns: 300_000_000, ..PoolConfig::new(3) };
    let mut pool = Pool::create(&region, "p", &config, start(&region)).unwrap();
    let report = pool.apply("double", b"ab", FOREVER).unwrap();
    assert_eq!(report, Report { attempt: 0, outcome: Outcome::Done(b"abab") });
    assert_eq!(pool.apply("raises", b"", FOREVER).unwrap().outcome, Outcome::Failed(7, b"why"));
    assert_eq!(pool.apply("panics", b"", FOREVER).unwrap().outcome, Outcome::Panicked(b"no 1"));
    assert_eq!(pool.apply("much", b"", FOREVER).unwrap().outcome, Outcome::TooLarge(10000));
    assert_eq!(pool.apply("none", b"", FOREVER).unwrap().outcome, Outcome::NoFunction);
    assert_eq!(pool.apply("hangs", b"", FOREVER).unwrap().outcome, Outcome::TimedOut);
    assert_eq!(pool.apply("stops", b"", FOREVER).unwrap().outcome, Outcome::TimedOut);
    assert_eq!(pool.apply("closes", b"x", FOREVER).unwrap().outcome, Outcome::Done(b"xx"));
    assert_eq!(pool.apply("die", b"die", FOREVER).unwrap(), Report { attempt: 3, outcome: Outcome::Died });
    assert_eq!(pool.apply("double", &[0; 5000], FOREVER), Err(Error::MessageTooLarge));
    let items: Vec<String> = (0..1000).map(|i| format!("item {i}")).collect();
    let mut n = 0;
    let t = Instant::now();
    pool.map("double", &items, 10, |index, report| {
        assert_eq!(report.outcome, Outcome::Done(items[index].repeat(2).as_bytes()));
        assert_eq!(index, n);
        n += 1;
    })
    .unwrap();
    assert_eq!(n, 1000);
    println!("map {:?}", t.elapsed());
    let t = Instant::now();
    let mut imap = pool.imap("double", &items).unwrap();
    let mut i = 0;
    while let Some(report) = imap.next(FOREVER).unwrap() {
        assert_eq!(report.outcome, Outcome::Done(items[i].repeat(2).as_bytes()));
        i += 1;
    }
    assert_eq!(i, 1000);
    println!("imap {:?}", t.elapsed());
    let t = Instant::now();
    let mut imap = pool.imap_unordered("double", &items).unwrap();
    let mut seen = vec![false; 1000];
    while let Some((i, report)) = imap.next(FOREVER).unwrap() {
        assert_eq!(report.outcome, Outcome::Done(items[i].repeat(2).as_bytes()));
        assert!(!seen[i]);
        seen[i] = true;
    }
    assert!(seen.iter().all(|s| *s));
    println!("unordered {:?}", t.elapsed());
    let id = pool.submit("hangs", b"").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert!(pool.cancel(id).unwrap());
    assert_eq!(pool.wait(id, 0).unwrap().outcome, Outcome::Cancelled);
    let p = Progress::read(&region, "p").unwrap();
    println!("{} {} {} {}", p.submitted, p.ended, p.redone, p.pending + p.running);
    pool.close();
    pool.join(FOREVER).unwrap();
}

#[test]
fn killed() {
    let region = region();
    let mut pool =
        Pool::create(&region, "p", &PoolConfig { retries: 20, ..PoolConfig::new(3) }, start(&region))
            .unwrap();
    let end = Instant::now() + Duration::from_secs(3);
    let items: Vec<String> = (0..300).map(|i| format!("item {i}")).collect();
    let (mut kills, mut rounds, mut redone) = (0, 0, 0);
    let mut next = Instant::now();
    while Instant::now() < end {
        let mut imap = pool.imap_unordered("double", &items).unwrap();
        let mut seen = vec![false; 300];
        while let Some((i, report)) = imap.next(FOREVER).unwrap() {
            assert_eq!(report.outcome, Outcome::Done(items[i].repeat(2).as_bytes()));
            assert!(!seen[i]);
            seen[i] = true;
            redone += u32::from(report.attempt);
        }
        assert!(seen.iter().all(|s| *s));
        drop(imap);
        if Instant::now() > next {
            let pids = pool.pids();
            let p = pids[kills % 3];
            if p > 0 {
                unsafe { libc::kill(p, 9) };
                kills += 1;
            }
            next += Duration::from_millis(20);
        }
        rounds += 1;
    }
    println!("{kills} {rounds} {redone}");
}
