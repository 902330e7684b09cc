//! What of Rialto is valid in a forked child, and what may be started from threads.

use super::{Case, SECOND, Way, case, heard, no_children, pipe, starter};
use crate::procs::Shared;
use rialto::{
    Acquired, Error, Lock, Region, RegionConfig,
    process::{Method, Process, ProcessConfig},
};
use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::*},
};

pub fn cases(way: Way) -> Vec<Case> {
    match way {
        // Only what is allowed in one: see below.
        Way::Fork => vec![],
        _ => vec![case(format!("started by threads ({})", way.name()), move || by_threads(way))],
    }
}

pub fn more() -> Vec<Case> {
    vec![
        case("forked: held locks are the parent's", held_locks),
        case("forked: a lock that the child dies with", dies_with_a_lock),
        case("forked: members join by themselves", members),
        case("forked: what the parent has in hand stays its own", in_hand),
        case("forked from threads: Rialto works", from_threads),
        case("a forked child starts others by itself", grandchildren),
    ]
}

fn fork(f: impl FnOnce() -> i32) -> Process {
    // SAFETY: `f` does what is allowed in a child of these cases.
    unsafe { Process::fork(&ProcessConfig::default(), |_| f()) }.unwrap()
}

/// In shared memory.
fn shared_lock() -> Shared<[u64; 8]> {
    // SAFETY: zeros are no lock yet.
    unsafe { Shared::zeroed() }
}

fn lock_of(at: &Shared<[u64; 8]>) -> &'static Lock {
    // SAFETY: a page that is never unmapped; each process releases what it acquires, or ends.
    unsafe {
        let ptr = core::ptr::from_ref::<[u64; 8]>(at).cast_mut().cast();
        Lock::init(ptr);
        Lock::attach(ptr).unwrap()
    }
}

fn held_locks() {
    let at = shared_lock();
    let lock = lock_of(&at);
    let guard = lock.acquire().unwrap();
    let mut child = fork(|| {
        let taken = matches!(lock.try_acquire(), Err(Error::WouldBlock))
            && matches!(lock.acquire_timeout(SECOND / 20), Err(Error::TimedOut))
            && !lock.is_mine()
            && lock.release() == Err(Error::NotOwner);
        if !taken {
            return 1;
        }
        match lock.acquire() {
            Ok(Acquired::Clean(guard)) => drop(guard),
            _ => return 2,
        }
        0
    });
    assert_eq!(child.join_timeout(SECOND / 5), Err(Error::TimedOut));
    drop(guard);
    assert_eq!(child.join(), Ok(0));
    assert!(matches!(lock.try_acquire(), Ok(Acquired::Clean(_))));
}

fn dies_with_a_lock() {
    let at = shared_lock();
    let lock = lock_of(&at);
    for entry in 0..3 {
        let (mut hear, tell) = pipe();
        let mut child = fork(|| {
            std::mem::forget(lock.acquire().unwrap());
            use std::os::fd::AsRawFd;
            // SAFETY: a byte that is there.
            unsafe { libc::write(tell.as_raw_fd(), b"!".as_ptr().cast(), 1) };
            match entry {
                // SAFETY: waits to be killed.
                0 => unsafe { libc::pause() },
                1 => panic!("on purpose"),
                _ => 0,
            }
        });
        heard(&mut hear);
        if entry == 0 {
            child.kill().unwrap();
        }
        child.join().unwrap();
        let Ok(Acquired::OwnerDied(guard)) = lock.acquire_timeout(20 * SECOND) else { panic!("{entry}") };
        guard.mark_consistent();
    }
}

fn members() {
    let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let queue = region.create_queue("q", &rialto::QueueConfig::new(4, 16)).unwrap();
    queue.push(b"parent").unwrap();
    assert_eq!(region.member_count(), 1);
    let mut child = fork(|| {
        let before = region.member_count();
        let mut buffer = [0; 16];
        let n = queue.pop(&mut buffer).unwrap().len;
        if &buffer[..n] != b"parent" || before != 1 || region.member_count() != 2 {
            return 1;
        }
        queue.push(b"child").unwrap();
        0
    });
    assert_eq!(child.join(), Ok(0));
    let mut buffer = [0; 16];
    let n = queue.pop(&mut buffer).unwrap().len;
    assert_eq!(&buffer[..n], b"child");
    region.recover(rialto::Depth::Thorough);
    assert_eq!(region.member_count(), 1, "the child's membership ended with it");
}

/// Its end gives nothing back that was its parent's.
fn in_hand() {
    let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let queue = region.create_queue("q", &rialto::QueueConfig::new(4, 16)).unwrap();
    let permits = region.create_semaphore("s", 1).unwrap();
    queue.push(b"message").unwrap();
    let message = queue.peek().unwrap();
    let permit = permits.acquire().unwrap();
    let mut child = fork(|| {
        let nothing = matches!(queue.try_peek().map(drop), Err(Error::WouldBlock))
            && matches!(permits.try_acquire().map(drop), Err(Error::WouldBlock));
        i32::from(!nothing)
    });
    assert_eq!(child.join(), Ok(0));
    region.recover(rialto::Depth::Thorough);
    assert!(matches!(queue.try_peek().map(drop), Err(Error::WouldBlock)));
    assert!(matches!(permits.try_acquire().map(drop), Err(Error::WouldBlock)));
    assert!(!message.redelivered());
    message.release();
    permit.release().unwrap();
}

/// Threads that hold `malloc`'s and std's locks all the time.
fn busy<T>(f: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    let texts: Vec<_> = (0..50).map(|i| vec![0u8; i * 40]).collect();
                    black_box(&texts);
                    black_box(std::env::var_os("HOME"));
                }
            });
        }
        let result = f();
        over.store(true, Relaxed);
        result
    })
}

/// The child uses Rialto only: its locks, its regions. Whoever held libc's locks at the fork.
fn from_threads() {
    let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let queue = region.create_queue("q", &rialto::QueueConfig::new(64, 16)).unwrap();
    let at = shared_lock();
    let lock = lock_of(&at);
    busy(|| {
        for i in 0..200u32 {
            let mut child = fork(|| {
                let Ok(guard) = lock.acquire() else { return 1 };
                if queue.push(&i.to_ne_bytes()).is_err() {
                    return 2;
                }
                drop(guard);
                0
            });
            assert_eq!(child.join_timeout(60 * SECOND), Ok(0), "{i}");
            let mut buffer = [0; 16];
            assert_eq!(queue.try_pop(&mut buffer).map(|popped| popped.len), Ok(4));
            assert_eq!(buffer[..4], i.to_ne_bytes());
        }
    });
}

/// Children that do what they like: they have locks of their own.
fn by_threads(way: Way) {
    let starter = starter(way);
    let started = AtomicU32::new(0);
    busy(|| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for i in 0..40 {
                        let config = ProcessConfig { daemon: i % 2 == 0, args: &[0], ..Default::default() };
                        let mut process = starter.start_with("allocates", &config, &[]);
                        assert_eq!(process.join_timeout(60 * SECOND), Ok(0));
                        started.fetch_add(1, Relaxed);
                    }
                });
            }
        });
    });
    assert_eq!(started.load(Relaxed), 160);
    drop(starter);
    no_children();
}

/// With a lifeline of its own: they end with it, not with its parent.
fn grandchildren() {
    let starter = starter(Way::Spawn);
    let (mut hear, tell) = pipe();
    let config = ProcessConfig { daemon: true, ..ProcessConfig::default() };
    // One of our own first, so that there is a lifeline to be mistaken for the child's.
    let mut ours = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    ours.kill().unwrap();
    ours.join().unwrap();
    let mut child = fork(|| {
        std::mem::forget(starter.start_with("sleep", &config, &[&tell]));
        // SAFETY: a single thread.
        let second = Process::start(unsafe { Method::fork() }, "sleep", &config);
        // SAFETY: waits to be killed.
        unsafe { libc::pause() };
        i32::from(second.is_err())
    });
    drop(tell);
    heard(&mut hear);
    child.kill().unwrap();
    assert_eq!(child.join(), Ok(-9));
    super::ended(hear);
}
