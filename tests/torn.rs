//! Large values and arrays in four processes, two that write and two that read; now and then a writer is killed,
//! wherever it is, and another one takes its place. Every read is something that was written, whole.
//!
//! `RIALTO_TORN_MS` says for how long; 1500 unless told.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;

use processes::{Child, MS, now_ns, shared, sleep_ms};
use rialto::{Array, Region, RegionConfig, Value};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const WORDS: usize = 1024;
type Block = [u64; WORDS];

/// What a writer's `n`th store is.
fn block(writer: u64, n: u64) -> Block {
    let first = writer << 48 | n;
    let mut block = [0; WORDS];
    let mut word = first;
    for place in &mut block {
        *place = word;
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    }
    block
}

/// What all see.
#[repr(C)]
struct Books {
    /// How many stores each writer has begun.
    begun: [AtomicU64; 2],
    reads: AtomicU64,
    over: AtomicU64,
}

fn check(books: &Books, read: &Block) {
    let (writer, n) = (read[0] >> 48, read[0] & ((1 << 48) - 1));
    ensure!(writer < 2);
    ensure!(n <= books.begun[writer as usize].load(SeqCst));
    ensure!(*read == block(writer, n));
    books.reads.fetch_add(1, SeqCst);
}

fn write(books: &Books, writer: usize, mut store: impl FnMut(&Block)) {
    while books.over.load(SeqCst) == 0 {
        let n = books.begun[writer].fetch_add(1, SeqCst) + 1;
        store(&block(writer as u64, n));
    }
}

fn play(
    store: impl Fn(&Block) + Copy,
    load: impl Fn(&mut Block) + Copy,
    deaths: impl Fn() -> u32,
) -> (u32, u64, u32) {
    let books: &'static Books = shared();
    let time: u64 = std::env::var("RIALTO_TORN_MS").map_or(1500, |ms| ms.parse().expect("milliseconds"));
    let readers = [(); 2].map(|()| {
        Child::fork(|| {
            let mut last = [0; 2];
            let mut read = [0; WORDS];
            while books.over.load(SeqCst) == 0 {
                load(&mut read);
                check(books, &read);
                // Of one writer nothing older comes behind something newer.
                let (writer, n) = ((read[0] >> 48) as usize, read[0] & ((1 << 48) - 1));
                ensure!(n >= last[writer]);
                last[writer] = n;
            }
        })
    });
    let writer = |which| Child::fork(move || write(books, which, store));
    let mut writers = [writer(0), writer(1)];
    let (end, mut kills) = (now_ns() + time * MS, 0);
    while now_ns() < end {
        sleep_ms(1 + u64::from(kills % 5));
        let which = kills as usize % 2;
        std::mem::replace(&mut writers[which], Child(0)).kill();
        writers[which] = writer(which);
        kills += 1;
    }
    books.over.store(1, SeqCst);
    writers.into_iter().chain(readers).for_each(Child::succeeded);
    (kills, books.reads.load(SeqCst), deaths())
}

fn region() -> Region {
    Region::create_anonymous(1 << 20, &RegionConfig::default()).unwrap()
}

#[test]
fn values_are_never_torn() {
    let region = region();
    let value: Value<'_, Block> = region.create_value("v", block(0, 0)).unwrap();
    let counts =
        play(|block| value.store(*block).unwrap(), |to| *to = value.load().unwrap(), || value.deaths());
    println!(
        "{} writers killed, {} whole reads, {} stores of the dead repaired",
        counts.0, counts.1, counts.2
    );
    assert!(counts.0 > 20 && counts.1 > 100, "{counts:?}");
    assert!(counts.2 > 0, "no writer was killed in a store: {counts:?}");
}

#[test]
fn slices_of_arrays_are_never_torn() {
    let region = region();
    let array: Array<'_, u64> = region.create_array_of("a", &block(0, 0)).unwrap();
    let counts = play(
        |block| array.write_slice(0, block).unwrap(),
        |to| array.read_slice(0, to).unwrap(),
        || array.deaths(),
    );
    println!(
        "{} writers killed, {} whole reads, {} writes of the dead repaired",
        counts.0, counts.1, counts.2
    );
    assert!(counts.0 > 20 && counts.1 > 100, "{counts:?}");
    assert!(counts.2 > 0, "no writer was killed in a write: {counts:?}");
}
