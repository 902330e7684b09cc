//! Ratios against peers, interleaved in one run: `cargo bench --bench ratios`.
//!
//! Two threads (or one, where it says so) on the cores that the scheduler gives them. Every round runs
//! each contestant once, in turn (see `harness`); a row prints the medians and the ratio *Rialto's speed / the peer's*:
//! above 1 Rialto is faster. Received values are checked. The first row is the distance of the two cores,
//! a cache line's round trip: machines that move virtual processors change it under your feet.

mod harness;

use crossbeam_queue::ArrayQueue;
use harness::{Robust, distance, pair, row, time};
use rialto::{Lock, Queue, QueueConfig, Region, RegionConfig};
use std::{
    hint::spin_loop,
    sync::atomic::{AtomicU64, Ordering::*},
};

fn message<const N: usize>(i: u64) -> [u8; N] {
    let mut m = [0; N];
    m[..8].copy_from_slice(&i.to_ne_bytes());
    m
}

fn rialto<const N: usize>(region: &Region, slots: u32, kill_only: bool) -> Queue<'_> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("bench{}", NUMBER.fetch_add(1, Relaxed));
    let config = QueueConfig { kill_only, ..QueueConfig::new(slots, N as u32) };
    region.create_queue(&name, &config).unwrap()
}

fn throughput_ours<const N: usize>(queue: Queue<'_>, n: u64) -> f64 {
    let send = || {
        for i in 0..n {
            while queue.try_push(&message::<N>(i)).is_err() {
                spin_loop();
            }
        }
    };
    let receive = || {
        let mut buffer = [0; N];
        for i in 0..n {
            while queue.try_pop(&mut buffer).is_err() {
                spin_loop();
            }
            assert_eq!(buffer[..8], i.to_ne_bytes());
        }
    };
    pair(n, receive, send)
}

fn throughput_crossbeam<const N: usize>(n: u64) -> f64 {
    let queue = ArrayQueue::<[u8; N]>::new(1024);
    let send = || {
        for i in 0..n {
            while queue.push(message::<N>(i)).is_err() {
                spin_loop();
            }
        }
    };
    let receive = || {
        for i in 0..n {
            let m = loop {
                if let Some(m) = queue.pop() {
                    break m;
                }
                spin_loop();
            };
            assert_eq!(m[..8], i.to_ne_bytes());
        }
    };
    pair(n, receive, send)
}

fn round_trip_ours<const N: usize>(there: Queue<'_>, back: Queue<'_>, n: u64) -> f64 {
    let pop = |queue: &Queue<'_>, buffer: &mut [u8; N]| {
        while queue.try_pop(buffer).is_err() {
            spin_loop();
        }
    };
    pair(
        n,
        || {
            let mut buffer = [0; N];
            for i in 0..n {
                there.try_push(&message::<N>(i)).unwrap();
                pop(&back, &mut buffer);
                assert_eq!(buffer[..8], i.to_ne_bytes());
            }
        },
        || {
            let mut buffer = [0; N];
            for _ in 0..n {
                pop(&there, &mut buffer);
                back.try_push(&buffer).unwrap();
            }
        },
    )
}

fn round_trip_crossbeam<const N: usize>(n: u64) -> f64 {
    let (there, back) = (ArrayQueue::<[u8; N]>::new(64), ArrayQueue::<[u8; N]>::new(64));
    let pop = |queue: &ArrayQueue<[u8; N]>| loop {
        if let Some(m) = queue.pop() {
            return m;
        }
        spin_loop();
    };
    pair(
        n,
        || {
            for i in 0..n {
                there.push(message::<N>(i)).unwrap();
                assert_eq!(pop(&back)[..8], i.to_ne_bytes());
            }
        },
        || {
            for _ in 0..n {
                back.push(pop(&there)).unwrap();
            }
        },
    )
}

fn throughput_pipe<const N: usize>(n: u64) -> f64 {
    let mut ends = [0; 2];
    // SAFETY: two descriptors come back.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    let [from, to] = ends;
    let io = |result: isize| assert_eq!(result, N as isize);
    let elapsed = pair(
        n,
        || {
            let mut m = [0u8; N];
            for i in 0..n {
                // SAFETY: the buffer has N bytes; writes of N <= PIPE_BUF bytes are whole.
                io(unsafe { libc::read(from, m.as_mut_ptr().cast(), N) });
                assert_eq!(m[..8], i.to_ne_bytes());
            }
        },
        || {
            for i in 0..n {
                // SAFETY: as above.
                io(unsafe { libc::write(to, message::<N>(i).as_ptr().cast(), N) });
            }
        },
    );
    // SAFETY: ours.
    unsafe { libc::close(from) };
    // SAFETY: ours.
    unsafe { libc::close(to) };
    elapsed
}

fn blocking_round_trip(there: Queue<'_>, back: Queue<'_>, n: u64) -> f64 {
    let mut here = [0; 64];
    pair(
        n,
        || {
            for i in 0..n {
                there.push(&message::<64>(i)).unwrap();
                back.pop(&mut here).unwrap();
                assert_eq!(here[..8], i.to_ne_bytes());
            }
        },
        || {
            let mut buffer = [0; 64];
            for _ in 0..n {
                there.pop(&mut buffer).unwrap();
                back.push(&buffer).unwrap();
            }
        },
    )
}

fn blocking_round_trip_pipe(n: u64) -> f64 {
    let mut ends = [0; 4];
    // SAFETY: two descriptors come back each time.
    unsafe {
        assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
        assert_eq!(libc::pipe(ends.as_mut_ptr().add(2)), 0);
    }
    let turn = |from: i32, to: i32, first: bool| {
        let mut m = [0u8; 64];
        for i in 0..n {
            // SAFETY: buffers of 64 bytes.
            unsafe {
                if first {
                    assert_eq!(libc::write(to, message::<64>(i).as_ptr().cast(), 64), 64);
                    assert_eq!(libc::read(from, m.as_mut_ptr().cast(), 64), 64);
                } else {
                    assert_eq!(libc::read(from, m.as_mut_ptr().cast(), 64), 64);
                    assert_eq!(libc::write(to, m.as_ptr().cast(), 64), 64);
                }
            }
        }
    };
    let elapsed = pair(n, || turn(ends[2], ends[1], true), || turn(ends[0], ends[3], false));
    for end in ends {
        // SAFETY: ours.
        unsafe { libc::close(end) };
    }
    elapsed
}

fn main() {
    let region = Region::create_anonymous(64 << 20, &RegionConfig::default()).unwrap();
    // SAFETY: it stays in `main`'s frame, and each acquisition below is followed by a release.
    let (lock, robust) = (unsafe { Lock::new() }, Robust::new(false));
    let cycle = |n: u64| {
        for _ in 0..n {
            let _ = lock.acquire_raw(u64::MAX);
            let _ = lock.release();
        }
    };
    distance();
    let n = 300_000;
    row("lock, uncontended", || time(n, || cycle(n)), "glibc robust mutex", || time(n, || robust.cycle(n)));
    let n = 100_000;
    row(
        "lock, two threads contend",
        || pair(n, || cycle(n), || cycle(n)),
        "glibc robust mutex",
        || pair(n, || robust.cycle(n), || robust.cycle(n)),
    );
    macro_rules! queue_rows {
        ($n:literal, $count:literal) => {
            let stop_safe = rialto::<$n>(&region, 1024, false);
            let kill_only = rialto::<$n>(&region, 1024, true);
            let crossbeam = || throughput_crossbeam::<$n>($count);
            let name = format!("queue, {} B", $n);
            row(&name, || throughput_ours::<$n>(stop_safe, $count), "crossbeam ArrayQueue", crossbeam);
            let kill = format!("queue, {} B, kill-only", $n);
            row(&kill, || throughput_ours::<$n>(kill_only, $count), "crossbeam ArrayQueue", crossbeam);
            row(
                &name,
                || throughput_ours::<$n>(stop_safe, $count),
                "pipe",
                || throughput_pipe::<$n>($count / 10),
            );
        };
    }
    queue_rows!(8, 400_000);
    queue_rows!(64, 400_000);
    queue_rows!(1024, 100_000);
    let n = 50_000;
    let (there, back) = (rialto::<64>(&region, 64, false), rialto::<64>(&region, 64, false));
    let ours = || round_trip_ours::<64>(there, back, n);
    row("round trip, 64 B, polling", ours, "crossbeam ArrayQueue", || round_trip_crossbeam::<64>(n));
    let (there8, back8) = (rialto::<8>(&region, 64, false), rialto::<8>(&region, 64, false));
    let ours = || round_trip_ours::<8>(there8, back8, n);
    row("round trip, 8 B, polling", ours, "crossbeam ArrayQueue", || round_trip_crossbeam::<8>(n));
    let n = 5_000;
    row(
        "round trip, 64 B, blocking",
        || blocking_round_trip(there, back, n),
        "pipe",
        || blocking_round_trip_pipe(n),
    );
}
