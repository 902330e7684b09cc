//! C and Rust in separate processes, at different addresses. Each side is killed once while it holds
//! the lock and a message; the other is told.

use ffi_tests::{Link, Peer, Unlink, compile};
use rialto::{Acquired, Lock, Queue, QueueConfig, Region, RegionConfig};
use std::{path::PathBuf, sync::OnceLock, time::Duration};

const FIVE_SECONDS: u64 = 5_000_000_000;
const SIZE: usize = 1 << 17;

/// What both sides keep in the region's last bytes; `struct shared` in `c/peer.c`.
#[repr(C)]
struct Shared {
    left: u64,
    right: u64,
    lock: Lock,
}

fn shared(region: &Region) -> *mut Shared {
    // SAFETY: inside the mapping; both sides left these bytes free.
    unsafe { region.as_ptr().add(region.len() - size_of::<Shared>()).cast() }
}

fn lock(region: &Region) -> &Lock {
    // SAFETY: aligned (the region is), mapped as long as the region, and only ever a lock.
    unsafe { Lock::attach(&raw const (*shared(region)).lock) }.expect("a lock that somebody initialised")
}

fn name(what: &str) -> String {
    format!("rialto-ffi-{what}-{}", std::process::id())
}

/// The C program; compiled once, removed with the folder.
fn program(link: Link) -> PathBuf {
    static STATIC: OnceLock<PathBuf> = OnceLock::new();
    static SHARED: OnceLock<PathBuf> = OnceLock::new();
    let cell = if link == Link::Static { &STATIC } else { &SHARED };
    cell.get_or_init(|| compile("peer", link)).clone()
}

fn create(name: &str) -> Region {
    let region = Region::create_named(name, SIZE, &RegionConfig::default()).unwrap();
    region.create_queue("jobs", &QueueConfig::new(8, 64)).unwrap();
    region.create_queue("sums", &QueueConfig::new(8, 64)).unwrap();
    // SAFETY: the region's last bytes, which no queue took; nobody else is here yet.
    unsafe { Lock::init(&raw mut (*shared(&region)).lock) };
    region
}

/// Sends jobs, gets sums, as long as the C side works.
fn exchange(region: &Region, jobs: &Queue<'_>, sums: &Queue<'_>) {
    let wanted: u64 = (1..=500u64).map(|i| (0..i % 64).map(|j| (i + j) % 251).sum::<u64>()).sum();
    let got = std::thread::scope(|scope| {
        let adder = scope.spawn(|| {
            let mut buffer = [0; 64];
            let sums = (0..500).map(|_| {
                let popped = sums.pop_timeout(&mut buffer, FIVE_SECONDS).unwrap();
                assert_eq!((popped.len, popped.attempt), (8, 0));
                u64::from_ne_bytes(buffer[..8].try_into().unwrap())
            });
            sums.sum::<u64>()
        });
        for i in 1..=500u64 {
            let job: Vec<u8> = (0..i % 64).map(|j| ((i + j) % 251) as u8).collect();
            jobs.push_timeout(&job, FIVE_SECONDS).unwrap();
            let guard = lock(region).acquire_timeout(FIVE_SECONDS).unwrap();
            assert!(!guard.owner_died());
            let guard = guard.guard();
            // SAFETY: the lock is held; all who write hold it.
            unsafe {
                let shared = shared(region);
                assert_eq!((*shared).left, (*shared).right);
                (*shared).left += 1;
                (*shared).right += 1;
            }
            drop(guard);
        }
        adder.join().unwrap()
    });
    assert_eq!(got, wanted);
}

fn rust_creates_c_attaches(link: Link) {
    let name = name(&format!("{link:?}"));
    let unlink = Unlink(name.clone());
    let region = create(&name);
    let (jobs, sums) = (region.open_queue("jobs").unwrap(), region.open_queue("sums").unwrap());

    // Killed with both hands full.
    jobs.push(b"not done").unwrap();
    let mut holder = Peer::start(&program(link), "hold", &name);
    holder.wait_for("holding");
    assert!(lock(&region).is_locked() && jobs.is_empty());
    assert_eq!(lock(&region).try_acquire().unwrap_err(), rialto::Error::WouldBlock);
    std::thread::scope(|scope| {
        // Both sleep when it dies.
        let told = scope.spawn(|| match lock(&region).acquire_timeout(FIVE_SECONDS).unwrap() {
            Acquired::Clean(_) => panic!("the C holder was killed"),
            Acquired::OwnerDied(guard) => {
                // SAFETY: the lock is held.
                unsafe {
                    let shared = shared(&region);
                    assert_eq!(((*shared).left, (*shared).right), (1, 0));
                    (*shared).right = 1;
                }
                guard.mark_consistent();
            }
        });
        let inherits = scope.spawn(|| {
            let job = jobs.peek_timeout(FIVE_SECONDS).unwrap();
            assert_eq!((job.attempt(), job.len()), (1, 8));
            let mut bytes = [0; 8];
            job.copy_to(&mut bytes);
            assert_eq!(&bytes, b"not done");
            job.release();
        });
        std::thread::sleep(Duration::from_millis(50));
        holder.kill();
        told.join().unwrap();
        inherits.join().unwrap();
    });

    let mut worker = Peer::start(&program(link), "work", &name);
    exchange(&region, &jobs, &sums);
    jobs.close();
    worker.wait_for("done");
    worker.succeed();
    // SAFETY: nobody else is here any more.
    let count = unsafe { (*shared(&region)).left };
    assert_eq!(count, 1 + 1000);
    drop(unlink);
}

#[test]
fn rust_creates_and_c_is_killed() {
    rust_creates_c_attaches(Link::Static);
}

#[test]
fn rust_creates_and_c_is_killed_with_the_shared_library() {
    rust_creates_c_attaches(Link::Shared);
}

/// In a process of its own: `tests/c_rust.rs` runs itself with this variable set.
const VICTIM: &str = "RIALTO_FFI_VICTIM";

/// Takes the lock and a message, says so, and waits to be killed. Does nothing in an ordinary run.
#[test]
fn victim() {
    let Ok(name) = std::env::var(VICTIM) else { return };
    let region = Region::attach_named(&name).unwrap();
    std::mem::forget(lock(&region).acquire().unwrap());
    // SAFETY: the lock is held.
    unsafe { (*shared(&region)).left += 1 };
    std::mem::forget(region.open_queue("sums").unwrap().peek().unwrap());
    println!("holding");
    std::thread::sleep(Duration::from_secs(60));
    panic!("nobody came to kill us");
}

#[test]
fn c_creates_and_rust_is_killed() {
    let name = name("host");
    let _unlink = Unlink(name.clone());
    let mut host = Peer::start(&program(Link::Static), "host", &name);
    host.wait_for("ready");
    let region = Region::attach_named(&name).unwrap();
    let (jobs, sums) = (region.open_queue("jobs").unwrap(), region.open_queue("sums").unwrap());
    exchange(&region, &jobs, &sums);
    jobs.close();
    host.wait_for("worked");
    host.wait_for("pushed");

    let victim = Peer::victim(VICTIM, &name);
    victim.kill();
    host.tell("dead");
    host.wait_for("inherited");
    host.succeed();
}
