//! C and Rust at the two ends of a pipe and of SPSC queues. Each side is killed once while it holds ends, a message
//! and a lock; the other gets what was sent, what was not done, and the dead one's place.

use ffi_tests::{Link, Peer, Unlink, compile};
use rialto::{Error, Lock, PipeConfig, Region, RegionConfig, SpscConfig, sys::DIED};
use std::{
    path::PathBuf,
    sync::{OnceLock, atomic::Ordering::SeqCst},
    time::Duration,
};

const TWENTY_SECONDS: u64 = 20_000_000_000;
const SIZE: usize = 1 << 17;
const MESSAGES: u32 = 3000;

/// The C program; compiled once.
fn program() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| compile("ends", Link::Static)).clone()
}

fn name(what: &str) -> Unlink {
    Unlink(format!("rialto-ffi-ends-{what}-{}", std::process::id()))
}

/// In the region's last bytes.
fn place(region: &Region) -> *mut Lock {
    // SAFETY: inside the mapping; both sides left these bytes free.
    unsafe { region.as_ptr().add(region.len() - size_of::<Lock>()).cast() }
}

fn lock(region: &Region) -> &Lock {
    // SAFETY: aligned (the region is), mapped as long as the region, and only ever a lock.
    unsafe { Lock::attach(place(region)) }.expect("a lock that somebody initialised")
}

fn create(name: &str) -> Region {
    let region = Region::create_named(name, SIZE, &RegionConfig::default()).unwrap();
    region.create_pipe("both", &PipeConfig::new(1024)).unwrap();
    for queue in ["down", "up"] {
        region.create_spsc(queue, &SpscConfig::new(8, 64)).unwrap();
    }
    // SAFETY: the region's last bytes, which no object took; nobody else is here yet.
    unsafe { Lock::init(place(&region)) };
    region
}

/// Of every length up to 5000, so in one piece and in many.
fn message(round: usize) -> Vec<u8> {
    (0..round * 7919 % 5001).map(|j| (round + j) as u8).collect()
}

#[test]
fn what_either_sends_the_other_gets() {
    let name = name("use");
    let region = create(&name.0);
    let mut user = Peer::start(&program(), "use", &name.0);
    user.wait_for("connected");

    let mut end = region.open_pipe("both").unwrap().connect(0).unwrap();
    let mut buffer = [0; 5000];
    for round in 0..200 {
        end.send_timeout(&message(round), TWENTY_SECONDS).unwrap();
        let len = end.recv_timeout(&mut buffer, TWENTY_SECONDS).unwrap();
        assert!(buffer[..len] == message(round), "round {round}");
    }
    end.close();

    let (down, up) = (region.open_spsc("down").unwrap(), region.open_spsc("up").unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut producer = down.producer().unwrap();
            for i in 0..MESSAGES {
                let bytes = [i.to_le_bytes(); 16];
                producer
                    .push_timeout(&bytes.as_flattened()[..(4 + i % 60) as usize], TWENTY_SECONDS)
                    .unwrap();
            }
            down.close();
        });
        let mut consumer = up.consumer().unwrap();
        for i in 0..MESSAGES {
            let popped = consumer.pop_timeout(&mut buffer, TWENTY_SECONDS).unwrap();
            let bytes = [i.to_le_bytes(); 16];
            assert_eq!(&buffer[..popped.len], &bytes.as_flattened()[..(4 + i % 60) as usize]);
            assert_eq!(popped.attempt, 0);
        }
    });
    user.wait_for("used");
    user.succeed();
}

#[test]
fn rust_creates_and_c_is_killed() {
    let name = name("hold");
    let region = create(&name.0);
    let (down, up) = (region.open_spsc("down").unwrap(), region.open_spsc("up").unwrap());
    let mut end = region.open_pipe("both").unwrap().connect(0).unwrap();
    down.producer().unwrap().push(b"not done").unwrap();
    let mut holder = Peer::start(&program(), "hold", &name.0);
    holder.wait_for("holding");
    assert_eq!(down.consumer_timeout(0).err(), Some(Error::EndTaken));
    assert_eq!(up.producer_timeout(0).err(), Some(Error::EndTaken));
    holder.kill();

    // The kernel has said so, through the list of a thread whose pointers may be shorter than ours.
    assert_ne!(lock(&region).cell().word().load(SeqCst) & DIED, 0);
    let acquired = lock(&region).acquire_timeout(TWENTY_SECONDS).unwrap();
    assert!(acquired.owner_died());
    acquired.guard().mark_consistent();
    let mut buffer = [0; 64];
    assert_eq!(end.recv_timeout(&mut buffer, TWENTY_SECONDS), Ok(10));
    assert_eq!(&buffer[..10], b"last words");
    assert_eq!(end.recv_timeout(&mut buffer, TWENTY_SECONDS), Err(Error::Closed));
    let mut consumer = down.consumer_timeout(TWENTY_SECONDS).unwrap();
    let popped = consumer.pop_timeout(&mut buffer, TWENTY_SECONDS).unwrap();
    assert_eq!((popped.len, popped.attempt, &buffer[..8]), (8, 1, &b"not done"[..]));
    drop(up.producer_timeout(TWENTY_SECONDS).unwrap());
    let popped = up.consumer().unwrap().pop_timeout(&mut buffer, TWENTY_SECONDS).unwrap();
    assert_eq!((popped.len, popped.attempt, &buffer[..4]), (4, 0, &b"sent"[..]));
}

/// In a process of its own: `tests/c_rust_ends.rs` runs itself with this variable set.
const VICTIM: &str = "RIALTO_FFI_ENDS_VICTIM";

/// Fills its hands, says so, and waits to be killed. Does nothing in an ordinary run.
#[test]
fn victim() {
    let Ok(name) = std::env::var(VICTIM) else { return };
    let region = Region::attach_named(&name).unwrap();
    let mut end = region.open_pipe("both").unwrap().connect(1).unwrap();
    end.send(b"last words").unwrap();
    let mut producer = region.open_spsc("up").unwrap().producer().unwrap();
    producer.push(b"sent").unwrap();
    let mut consumer = region.open_spsc("down").unwrap().consumer().unwrap();
    let job = consumer.peek().unwrap();
    assert_eq!((job.len(), job.attempt()), (8, 0));
    std::mem::forget(lock(&region).acquire().unwrap());
    println!("holding");
    std::thread::sleep(Duration::from_secs(60));
    panic!("nobody came to kill us");
}

#[test]
fn c_creates_and_rust_is_killed() {
    let name = name("host");
    let mut host = Peer::start(&program(), "host", &name.0);
    host.wait_for("ready");
    let victim = Peer::victim(VICTIM, &name.0);
    victim.kill();
    host.tell("dead");
    host.wait_for("inherited");
    host.succeed();
}
