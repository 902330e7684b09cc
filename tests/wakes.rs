//! Wake-ups that reach the wrong one: whoever is woken and cannot go on, or finds more than it needs, must not
//! keep the wake-up from those who could. Nobody dies, and the region's tick is a minute: only the wake-up helps.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod procs;

use procs::{WATCHDOG_SECONDS, watchdog};
use rialto::{Error, OnDeath, Queue, QueueConfig, Region, RegionConfig};
use std::{
    thread,
    time::{Duration, Instant},
};

fn region() -> Region {
    let config = RegionConfig { tick_ms: 60_000, ..RegionConfig::default() };
    Region::create_anonymous(1 << 20, &config).unwrap()
}

/// Long enough for threads to fall asleep; if they have not, the test proves less.
fn let_them_sleep() {
    thread::sleep(Duration::from_millis(200));
}

#[test]
fn room_that_comes_out_of_order_reaches_all_who_wait_for_it() {
    let _watchdog = watchdog("room out of order", WATCHDOG_SECONDS);
    // Kill-only: in the others a producer passes what is held, and then waits until what is behind is popped.
    let config = QueueConfig { kill_only: true, ..QueueConfig::new(4, 8) };
    let region = region();
    let queue = region.create_queue("q", &config).unwrap();
    (0..4).for_each(|_| queue.push(b"first").unwrap());
    let mut held: Vec<_> = (0..4).map(|_| queue.peek().unwrap()).collect();
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| queue.push(b"second").unwrap());
        }
        let_them_sleep();
        // The last slot first: as long as the first one is held there is no room.
        while let Some(message) = held.pop() {
            message.release();
            let_them_sleep();
        }
    });
    assert!(start.elapsed() < Duration::from_secs(30), "somebody slept to its tick");
    assert_eq!(queue.len(), 4);
}

fn pop_until_there_is_one(queue: Queue) {
    let mut buffer = [0; 8];
    while let Err(error) = queue.pop(&mut buffer) {
        assert_eq!(error, Error::Poisoned);
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_queue_that_stops_and_goes_on_tells_all_who_wait() {
    let _watchdog = watchdog("stop and go", WATCHDOG_SECONDS);
    let region = region();
    let queue =
        region.create_queue("q", &QueueConfig { on_death: OnDeath::Stop, ..QueueConfig::new(8, 8) }).unwrap();
    queue.push(b"bad").unwrap();
    let held = queue.peek().unwrap();
    let start = Instant::now();
    thread::scope(|scope| {
        // Three who go away at the first Poisoned.
        let told: Vec<_> = (0..3).map(|_| scope.spawn(|| queue.pop(&mut [0; 8]))).collect();
        let_them_sleep();
        drop(held);
        for thread in told {
            assert_eq!(thread.join().unwrap(), Err(Error::Poisoned));
        }
        // Three who come back until there is a message each.
        let served: Vec<_> = (0..3).map(|_| scope.spawn(|| pop_until_there_is_one(queue))).collect();
        let_them_sleep();
        (0..3).for_each(|_| queue.push(b"good").unwrap());
        queue.take_poisoned(&mut [0; 8]).unwrap();
        served.into_iter().for_each(|thread| thread.join().unwrap());
    });
    assert!(start.elapsed() < Duration::from_secs(30), "somebody slept to its tick");
}
