//! The synchronization family between C and Rust in separate processes, at different addresses: each
//! side makes the objects once, and is killed once while it has its hands full.

use ffi_tests::{Link, Peer, Unlink, compile};
use rialto::{
    Barrier, Condition, Error, Event, Outcome, RLock, Region, RegionConfig, Semaphore, TrackedSemaphore,
};
use std::{
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

const TWENTY_SECONDS: u64 = 20_000_000_000;
const SIZE: usize = 1 << 17;
const ROUNDS: usize = 200;
const PERMITS: u32 = 2;

/// What both sides keep in the region's last bytes; `struct shared` in `c/family.c`.
#[repr(C)]
struct Shared {
    rlock: RLock,
    event: Event,
    semaphore: Semaphore,
    bounded: Semaphore,
    condition: Condition,
    turn: AtomicU32,
    seen: [AtomicU32; ROUNDS],
}

fn place(region: &Region) -> *mut Shared {
    // SAFETY: inside the mapping; both sides left these bytes free.
    unsafe { region.as_ptr().add(region.len() - size_of::<Shared>()).cast() }
}

/// What somebody has made there.
fn shared(region: &Region) -> &Shared {
    let at = place(region);
    // SAFETY: aligned (the region is), mapped as long as the region, and only ever these objects.
    unsafe {
        RLock::attach(&raw const (*at).rlock).unwrap();
        Event::attach(&raw const (*at).event).unwrap();
        Semaphore::attach(&raw const (*at).semaphore).unwrap();
        Semaphore::attach(&raw const (*at).bounded).unwrap();
        Condition::attach(&raw const (*at).condition).unwrap();
        &*at
    }
}

fn name(what: &str) -> String {
    format!("rialto-ffi-sync-{what}-{}", std::process::id())
}

/// The C program; compiled once, removed with the folder.
fn program(link: Link) -> PathBuf {
    static STATIC: OnceLock<PathBuf> = OnceLock::new();
    static SHARED: OnceLock<PathBuf> = OnceLock::new();
    let cell = if link == Link::Static { &STATIC } else { &SHARED };
    cell.get_or_init(|| compile("family", link)).clone()
}

fn create(name: &str) -> Region {
    let region = Region::create_named(name, SIZE, &RegionConfig::default()).unwrap();
    region.create_semaphore("permits", PERMITS).unwrap();
    region.create_barrier("barrier", 2).unwrap();
    let at = place(&region);
    // SAFETY: the region's last bytes, which no object took; nobody else is here yet.
    unsafe {
        RLock::init(&raw mut (*at).rlock);
        Event::init(&raw mut (*at).event);
        Semaphore::init(&raw mut (*at).semaphore, 0).unwrap();
        Semaphore::init_bounded(&raw mut (*at).bounded, 1).unwrap();
        Condition::init(&raw mut (*at).condition);
    }
    region
}

/// The other half of `use` in `c/family.c`.
fn converse(shared: &Shared, permits: &TrackedSemaphore<'_>, barrier: &Barrier<'_>) {
    for seen in &shared.seen {
        let index = barrier.wait_timeout(TWENTY_SECONDS).unwrap();
        seen.fetch_or(1 << index, SeqCst);
    }
    for _ in 0..ROUNDS {
        let guard = shared.rlock.acquire_timeout(TWENTY_SECONDS).unwrap().guard();
        let ours = || shared.turn.load(SeqCst) == 0;
        let outcome = shared.condition.wait_for_timeout(guard.lock(), TWENTY_SECONDS, ours);
        assert_eq!(outcome, Ok(Outcome::Clean));
        assert_eq!(guard.lock().recursion(), 1);
        shared.turn.store(1, SeqCst);
        shared.condition.notify_all(guard.lock());
    }
    shared.event.set();
    for _ in 0..3 {
        shared.semaphore.acquire_timeout(TWENTY_SECONDS).unwrap();
    }
    assert_eq!(shared.semaphore.value(), 0);
    for _ in 0..ROUNDS {
        permits.acquire_timeout(TWENTY_SECONDS).unwrap().release().unwrap();
    }
}

/// Rust's objects, C's hands.
fn rust_creates_c_attaches(link: Link) {
    let program = program(link);
    let name = name(&format!("{link:?}"));
    let unlink = Unlink(name.clone());
    let region = create(&name);
    let (shared, permits) = (shared(&region), region.open_semaphore("permits").unwrap());
    let barrier = region.open_barrier("barrier").unwrap();

    let mut user = Peer::start(&program, "use", &name);
    converse(shared, &permits, &barrier);
    user.wait_for("used");
    user.succeed();
    assert!(shared.seen.iter().all(|seen| seen.load(SeqCst) == 0b11), "each index once");
    assert_eq!((shared.bounded.value(), permits.value(), barrier.n_waiting()), (0, PERMITS, 0));
    assert_eq!(shared.bounded.release(), Ok(()));
    assert_eq!(shared.bounded.release(), Err(Error::Overflow));

    let mut holder = Peer::start(&program, "hold", &name);
    holder.wait_for("holding");
    assert_eq!((permits.value(), barrier.is_broken()), (PERMITS - 1, false));
    assert_eq!(shared.rlock.try_acquire().unwrap_err(), Error::WouldBlock);
    let mine = permits.acquire().unwrap();
    assert!(matches!(permits.try_acquire(), Err(Error::WouldBlock)));
    std::thread::scope(|scope| {
        // All three sleep when it dies.
        let inherits = scope.spawn(|| permits.acquire_timeout(TWENTY_SECONDS).unwrap().release());
        let stands = scope.spawn(|| barrier.wait_timeout(TWENTY_SECONDS));
        let told = scope.spawn(|| {
            let acquired = shared.rlock.acquire_timeout(TWENTY_SECONDS).unwrap();
            assert!(acquired.owner_died());
            assert_eq!(shared.rlock.recursion(), 1);
            acquired.guard().mark_consistent();
        });
        std::thread::sleep(Duration::from_millis(50));
        holder.kill();
        assert_eq!(inherits.join().unwrap(), Ok(()));
        assert_eq!(stands.join().unwrap(), Err(Error::Broken));
        told.join().unwrap();
    });
    assert!(barrier.is_broken());
    mine.release().unwrap();
    assert_eq!(permits.value(), PERMITS);
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

/// In a process of its own: `tests/c_rust_sync.rs` runs itself with this variable set.
const VICTIM: &str = "RIALTO_FFI_SYNC_VICTIM";

/// Fills its hands, says so, and waits to be killed. Does nothing in an ordinary run.
#[test]
fn victim() {
    let Ok(name) = std::env::var(VICTIM) else { return };
    let region = Region::attach_named(&name).unwrap();
    let shared = shared(&region);
    for _ in 0..2 {
        std::mem::forget(shared.rlock.acquire().unwrap());
    }
    let _token = region.open_semaphore("permits").unwrap().acquire().unwrap().into_token();
    region.open_barrier("barrier").unwrap().register().unwrap();
    shared.event.set();
    shared.semaphore.release().unwrap();
    println!("holding");
    std::thread::sleep(Duration::from_secs(60));
    panic!("nobody came to kill us");
}

#[test]
fn c_creates_and_rust_is_killed() {
    let program = program(Link::Static);
    let name = name("host");
    let _unlink = Unlink(name.clone());
    let mut host = Peer::start(&program, "host", &name);
    host.wait_for("ready");

    let victim = Peer::victim(VICTIM, &name);
    host.tell("held");
    host.wait_for("waiting");
    std::thread::sleep(Duration::from_millis(50));
    victim.kill();
    host.wait_for("inherited");
    host.succeed();
}
