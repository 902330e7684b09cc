//! Storms on what has one holder at each end: the producer and the consumer of an SPSC queue, and the two ends of
//! pipes, are killed and stopped at random, for `RIALTO_STORM_SECONDS` (2) each, and the books must balance.
//!
//! # The books
//! `Spsc`: the producer sends 0, 1, 2 ... and counts what was pushed; one that takes over sends the first number
//! again that was not counted, which the dead one may have sent. The consumer peeks, counts, releases. So each number
//! comes in order, none is left out, and one comes again only marked, or once per killed producer.
//!
//! Pipe: one sends numbers, some of them long; one receives and counts. One of them is killed. The other gets to
//! the end: what was received is what was sent, from the beginning, none left out; all of it if the receiver
//! lives.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod procs;
mod storms;

use processes::{Child, SECOND, now_ns, shared};
use procs::watchdog;
use rialto::{Error, PipeConfig, Region, RegionConfig, SpscConfig};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use storms::{Random, number_of};

fn duration_ns() -> u64 {
    number_of("RIALTO_STORM_SECONDS", 2) * SECOND
}

fn doze(us: u64) {
    std::thread::sleep(std::time::Duration::from_micros(us));
}

#[derive(Default)]
struct Books {
    pushed: AtomicU64,
    got: AtomicU64,
    marked_again: AtomicU64,
    unmarked_again: AtomicU64,
}

/// A message: its number, and as many bytes more as that says.
fn message(number: u64, buffer: &mut [u8]) -> &[u8] {
    let len = 8 + (number * 7 % 57) as usize;
    buffer[..8].copy_from_slice(&number.to_le_bytes());
    buffer[8..len].fill(number as u8);
    &buffer[..len]
}

fn check(bytes: &[u8]) -> u64 {
    let number = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    ensure!(bytes == message(number, &mut [0; 64]));
    number
}

fn produce(region: &Region, books: &Books) {
    let mut producer = region.open_spsc("q").unwrap().producer_timeout(60 * SECOND).unwrap();
    let mut buffer = [0; 64];
    loop {
        let number = books.pushed.load(SeqCst);
        // In batches of two now and then, and in place.
        let done = match number % 5 {
            0 => {
                let (mut one, mut two) = ([0; 64], [0; 64]);
                producer.push_many(&[message(number, &mut one), message(number + 1, &mut two)])
            }
            1 => producer.reserve(message(number, &mut buffer).len()).and_then(|mut loan| {
                loan.write(message(number, &mut [0; 64]))?;
                loan.commit().map(|()| 1)
            }),
            _ => producer.push(message(number, &mut buffer)).map(|()| 1),
        };
        match done {
            Ok(count) => books.pushed.store(number + count as u64, SeqCst),
            Err(error) => return ensure!(error == Error::Closed),
        }
    }
}

fn consume(region: &Region, books: &Books) {
    let mut consumer = region.open_spsc("q").unwrap().consumer_timeout(60 * SECOND).unwrap();
    let mut buffer = [0; 64];
    loop {
        let peeked = match consumer.peek() {
            Ok(peeked) => peeked,
            Err(error) => return ensure!(error == Error::Closed),
        };
        let len = peeked.copy_to(&mut buffer);
        let (number, got) = (check(&buffer[..len]), books.got.load(SeqCst));
        if number == got {
            books.got.store(got + 1, SeqCst);
        } else {
            // A batch that was not counted may come again: two numbers.
            ensure!(number < got && got - number <= 2);
            let again = if peeked.redelivered() { &books.marked_again } else { &books.unmarked_again };
            again.fetch_add(1, SeqCst);
        }
        peeked.release();
    }
}

#[test]
fn an_spsc_queues_ends_are_killed_and_taken_over() {
    let duration = duration_ns();
    let _watchdog = watchdog("storm of an SPSC queue", 120 + duration / SECOND);
    let config = RegionConfig { tick_ms: 10, ..RegionConfig::default() };
    let region = Region::create_anonymous(1 << 16, &config).unwrap();
    let config = SpscConfig { max_attempts: 14, ..SpscConfig::new(8, 64) };
    let queue = region.create_spsc("q", &config).unwrap();
    let books: &Books = shared();
    let ends: [fn(&Region, &Books); 2] = [produce, consume];
    let start = |end: usize| Child::fork(|| ends[end](&region, books));
    let mut children = [start(0), start(1)];
    let mut random = Random::new(7);
    let mut kills = [0u64; 2];
    let until = now_ns() + duration;
    while now_ns() < until {
        doze(random.below(1500));
        let end = random.below(2) as usize;
        if random.below(4) == 0 {
            children[end].signal(libc::SIGSTOP);
            doze(random.below(1500));
            children[end].signal(libc::SIGCONT);
        } else {
            std::mem::replace(&mut children[end], Child(0)).kill();
            children[end] = start(end);
            kills[end] += 1;
        }
    }
    queue.close();
    children.into_iter().for_each(Child::succeeded);
    let [pushed, got, marked, unmarked] =
        [&books.pushed, &books.got, &books.marked_again, &books.unmarked_again].map(|word| word.load(SeqCst));
    println!(
        "{kills:?} killed; {pushed} pushed, {got} got, {marked} came again marked, {unmarked} sent again"
    );
    assert!(kills[0] > 0 && kills[1] > 0 && pushed > 1000);
    assert!(got == pushed || got <= pushed + 2, "{pushed} pushed, {got} got");
    assert!(got >= pushed, "lost: {pushed} pushed, {got} got");
    assert!(marked <= kills[1] + kills[0] * 2, "{marked} came again");
    assert!(unmarked <= 2 * kills[0], "{unmarked} came again unmarked, {} producers were killed", kills[0]);
}

fn send_all(region: &Region, books: &Books) {
    let mut end = region.open_pipe("p").unwrap().connect(0).unwrap();
    for number in 0u64.. {
        let mut long = vec![number as u8; if number % 7 == 3 { 3000 } else { 8 }];
        long[..8].copy_from_slice(&number.to_le_bytes());
        match end.send(&long) {
            Ok(()) => books.pushed.store(number + 1, SeqCst),
            Err(error) => return ensure!(error == Error::BrokenPipe),
        }
    }
}

fn recv_all(region: &Region, books: &Books) {
    let mut end = region.open_pipe("p").unwrap().connect(1).unwrap();
    let mut buffer = vec![0; 3000];
    for number in 0u64.. {
        match end.recv(&mut buffer) {
            Ok(len) => {
                ensure!(len == if number % 7 == 3 { 3000 } else { 8 });
                ensure!(buffer[..8] == number.to_le_bytes());
                ensure!(buffer[8..len].iter().all(|byte| *byte == number as u8));
                books.got.store(number + 1, SeqCst);
            }
            Err(error) => return ensure!(error == Error::Closed),
        }
    }
}

#[test]
fn of_a_pipes_two_ends_one_is_killed_and_the_other_is_told() {
    let duration = duration_ns();
    let _watchdog = watchdog("storm of pipes", 120 + duration / SECOND);
    let books: &Books = shared();
    let mut random = Random::new(11);
    let (mut rounds, mut most) = (0, 0);
    let until = now_ns() + duration;
    while now_ns() < until {
        let config = RegionConfig { tick_ms: 10, ..RegionConfig::default() };
        let region = Region::create_anonymous(1 << 15, &config).unwrap();
        region.create_pipe("p", &PipeConfig::new(1024)).unwrap();
        books.pushed.store(0, SeqCst);
        books.got.store(0, SeqCst);
        let mut children =
            [Child::fork(|| send_all(&region, books)), Child::fork(|| recv_all(&region, books))];
        // Both have their ends: one that is never claimed is never closed.
        processes::until("messages", || books.got.load(SeqCst) > 0);
        doze(random.below(2000));
        let end = random.below(2) as usize;
        if random.below(3) == 0 {
            children[1 - end].signal(libc::SIGSTOP);
            doze(random.below(1000));
            children[1 - end].signal(libc::SIGCONT);
        }
        std::mem::replace(&mut children[end], Child(0)).kill();
        std::mem::replace(&mut children[1 - end], Child(0)).succeeded();
        let (pushed, got) = (books.pushed.load(SeqCst), books.got.load(SeqCst));
        assert!(got <= pushed + 1, "{pushed} sent, {got} received");
        assert!(end == 1 || got >= pushed, "lost: {pushed} sent, {got} received");
        rounds += 1;
        most = most.max(got);
    }
    println!("{rounds} pipes, up to {most} messages");
    assert!(rounds > 3);
}
