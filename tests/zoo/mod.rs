//! A region with an object of every kind, none of them empty.
// SAFETY of each named lock: no region here goes while another thread holds a lock in it.
#![allow(clippy::undocumented_unsafe_blocks)]
#![allow(dead_code)]

use rialto::{
    DictConfig, ListConfig, NamespaceConfig, OnDeath, PipeConfig, QueueConfig, QueueKind, Region,
    RegionConfig, SpscConfig,
};
use std::{fs::File, io::Write, os::fd::BorrowedFd, path::Path};

pub const BYTES: usize = 1 << 18;
/// Of [`fill`].
pub const OBJECTS: usize = 20;

pub fn region() -> Region {
    let config = RegionConfig { members: 8, objects: 32, tick_ms: 100 };
    Region::create_memfd(BYTES, &config).unwrap()
}

/// The calling thread becomes a member and holds: a message of "ring" and of "indexed", one of 3 permits, both
/// ends of "spsc" with its first message in hand, end 0 of "pipe", a registration with "barrier", "lock" once and
/// "rlock" twice. They are held until it ends.
pub fn fill(region: &Region) {
    let ring =
        region.create_queue("ring", &QueueConfig { joinable: true, ..QueueConfig::new(8, 100) }).unwrap();
    let config =
        QueueConfig { kind: QueueKind::Indexed, on_death: OnDeath::Drop, ..QueueConfig::new(4, 100) };
    let indexed = region.create_queue("indexed", &config).unwrap();
    for queue in [ring, indexed] {
        for message in [&b"one"[..], b"two two", b"three"] {
            queue.push(message).unwrap();
        }
        std::mem::forget(queue.peek().unwrap());
    }
    let stopped = region.create_queue("closed", &QueueConfig::new(2, 8)).unwrap();
    stopped.push(b"last").unwrap();
    stopped.close();

    let spsc = region.create_spsc("spsc", &SpscConfig::new(4, 64)).unwrap();
    let (mut producer, mut consumer) = (spsc.producer().unwrap(), spsc.consumer().unwrap());
    producer.push(b"one").unwrap();
    producer.push(b"two").unwrap();
    let _in_hand = consumer.peek().unwrap(); // until it is released, and it is not
    std::mem::forget((producer, consumer));

    let pipe = region.create_pipe("pipe", &PipeConfig::new(256)).unwrap();
    let mut end = pipe.connect(0).unwrap();
    end.send(b"hello").unwrap();
    std::mem::forget(end);

    let permits = region.create_semaphore("permits", 3).unwrap();
    std::mem::forget(permits.acquire().unwrap());
    let barrier = region.create_barrier("barrier", 5).unwrap();
    barrier.register().unwrap();
    region.create_barrier("broken", 2).unwrap().abort();

    std::mem::forget(unsafe { region.create_lock("lock") }.unwrap().acquire().unwrap());
    let rlock = unsafe { region.create_rlock("rlock") }.unwrap();
    std::mem::forget((rlock.acquire().unwrap(), rlock.acquire().unwrap()));
    region.create_event("event").unwrap().set();
    region.create_condition("condition").unwrap();
    region.create_plain_semaphore("plain", 7).unwrap();
    region.create_bounded_semaphore("bounded", 2).unwrap().try_acquire().unwrap();

    region.create_value("value", 1.5f64).unwrap().store(2.5).unwrap();
    region.create_array_of("array", &[1u16, 2, 3]).unwrap();
    let list = region.create_list("list", &ListConfig::new(8, 16)).unwrap();
    list.append(b"first").unwrap();
    list.append(b"second").unwrap();
    let dict = region.create_dict("dict", &DictConfig::new(8, 16, 16)).unwrap();
    dict.set(b"key", b"value").unwrap();
    let namespace = region.create_namespace("namespace", &NamespaceConfig::new(4, 16, 16)).unwrap();
    namespace.set("attribute", 5i64).unwrap();
    region.create_raw_value("raw", 5u32).unwrap();
}

/// The region's bytes, read and not looked at through it.
pub fn bytes(region: &Region) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    // SAFETY: the region's descriptor, open as long as the region.
    let fd = unsafe { BorrowedFd::borrow_raw(region.fd().unwrap()) };
    let file = File::from(fd.try_clone_to_owned().unwrap());
    let mut bytes = vec![0; region.len()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

pub fn write(path: &Path, bytes: &[u8]) {
    let mut file = File::create(path).unwrap();
    file.write_all(bytes).unwrap();
}

pub fn xorshift(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// A few words of it become something else: random, extreme, another word of the region, or one bit off. The
/// header's magic and version stay, or little would be looked at.
pub fn corrupt(bytes: &mut [u8], random: &mut impl FnMut() -> u64) {
    for _ in 0..1 + random() % 8 {
        // Most of it in the tables and the heads of objects.
        let words = (bytes.len() / 4) as u64;
        let at = match random() % 4 {
            0 => 4 + random() % 60,
            1 => 64 + random() % (words.min(1024) - 64),
            _ => 4 + random() % (words - 4),
        };
        let at = at as usize * 4;
        let from = (random() % words) as usize * 4;
        let old = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let new = match random() % 6 {
            0 => random() as u32,
            1 => [0, 1, 2, 3, u32::MAX, 1 << 30, 1 << 31, 0x7fff_ffff][random() as usize % 8],
            2 => u32::from_le_bytes(bytes[from..from + 4].try_into().unwrap()),
            3 => old.wrapping_add(1),
            4 => old.wrapping_sub(1),
            _ => old ^ 1 << (random() % 32),
        };
        bytes[at..at + 4].copy_from_slice(&new.to_le_bytes());
    }
}
