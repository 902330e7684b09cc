//! Subjects that look right until somebody dies: the sweeps must find fault with each of them.

use super::{
    queue::{CAPACITY, Kind, Rialto, Subject, Take},
    shared::Shared,
};
use rialto::Depth;
use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::*},
    time::{Duration, Instant},
};

/// Vyukov's bounded queue: tickets from two counters, so a claim does not say whose it is. Its
/// sleepers wait for a wake-up and for nothing else. All-zero plus slot numbers is its start.
pub struct Vyukov(Shared<Tickets>);

#[repr(C)]
struct Tickets {
    tail: AtomicU64,
    head: AtomicU64,
    changes: AtomicU32,
    slots: [(AtomicU64, AtomicU64); CAPACITY as usize],
}

impl Vyukov {
    fn try_push(&self, value: u64) -> bool {
        let mut tail = self.0.tail.load(Relaxed);
        loop {
            let slot = &self.0.slots[(tail % CAPACITY) as usize];
            let turn = slot.0.load(Acquire);
            if turn == tail {
                match self.0.tail.compare_exchange(tail, tail + 1, Relaxed, Relaxed) {
                    Ok(_) => {
                        slot.1.store(value, Relaxed);
                        slot.0.store(tail + 1, Release);
                        break;
                    }
                    Err(now) => tail = now,
                }
            } else if turn < tail {
                return false;
            } else {
                tail = self.0.tail.load(Relaxed);
            }
        }
        self.changed();
        true
    }

    fn try_pop(&self) -> Option<u64> {
        let mut head = self.0.head.load(Relaxed);
        let value = loop {
            let slot = &self.0.slots[(head % CAPACITY) as usize];
            let turn = slot.0.load(Acquire);
            if turn == head + 1 {
                match self.0.head.compare_exchange(head, head + 1, Relaxed, Relaxed) {
                    Ok(_) => {
                        let value = slot.1.load(Relaxed);
                        slot.0.store(head + CAPACITY, Release);
                        break value;
                    }
                    Err(now) => head = now,
                }
            } else if turn < head + 1 {
                return None;
            } else {
                head = self.0.head.load(Relaxed);
            }
        };
        self.changed();
        Some(value)
    }

    fn changed(&self) {
        self.0.changes.fetch_add(1, SeqCst);
        // SAFETY: FUTEX_WAKE touches nothing.
        unsafe { libc::syscall(libc::SYS_futex, self.0.changes.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
    }

    fn until(&self, wait: Duration, mut once: impl FnMut() -> bool) -> bool {
        // Planted cases wait less: each failure costs this much.
        let (start, wait) = (Instant::now(), wait.min(Duration::from_millis(500)));
        loop {
            let seen = self.0.changes.load(SeqCst);
            if once() {
                return true;
            }
            if start.elapsed() >= wait {
                return false;
            }
            sleep(&self.0.changes, seen, wait);
        }
    }
}

fn sleep(word: &AtomicU32, seen: u32, wait: Duration) {
    let wait = libc::timespec { tv_sec: wait.as_secs() as _, tv_nsec: wait.subsec_nanos() as _ };
    // SAFETY: a live word, our own timespec.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, seen, &raw const wait) };
}

impl Subject for Vyukov {
    fn create(_: Kind) -> Self {
        // SAFETY: atomics of zero.
        let tickets: Shared<Tickets> = unsafe { Shared::zeroed() };
        tickets.slots.iter().zip(0..).for_each(|(slot, turn)| slot.0.store(turn, Relaxed));
        Vyukov(tickets)
    }

    fn warm(&self) {
        let other = Vyukov::create(Kind::default());
        other.push(1, Duration::ZERO);
        other.take(Take::Pop, Duration::ZERO, |_, _| ());
    }

    #[inline(never)]
    fn push(&self, value: u64, wait: Duration) -> bool {
        self.until(wait, || self.try_push(value))
    }

    #[inline(never)]
    fn take(&self, _: Take, wait: Duration, seen: impl FnOnce(u64, u8)) -> bool {
        let mut got = None;
        let there = self.until(wait, || {
            got = self.try_pop();
            got.is_some()
        });
        if let Some(value) = got {
            seen(value, 0);
        }
        there
    }

    fn len(&self) -> u64 {
        let ready =
            |slot: &&(AtomicU64, AtomicU64)| slot.0.load(SeqCst) % CAPACITY != slot_number(&self.0, slot);
        self.0.slots.iter().filter(ready).count() as u64
    }

    fn recover(&self, depth: Depth) -> u32 {
        u32::from(depth == Depth::Marked)
    }
}

fn slot_number(tickets: &Tickets, slot: &(AtomicU64, AtomicU64)) -> u64 {
    tickets.slots.iter().position(|it| core::ptr::eq(it, slot)).unwrap_or(0) as u64
}

/// The real queue, whose survivors only say that they recover.
pub struct NeverRecovers(Rialto);

impl Subject for NeverRecovers {
    fn create(kind: Kind) -> Self {
        NeverRecovers(Rialto::create(kind))
    }
    fn warm(&self) {
        self.0.warm();
    }
    #[inline(always)]
    fn push(&self, value: u64, wait: Duration) -> bool {
        self.0.push(value, wait)
    }
    #[inline(always)]
    fn take(&self, how: Take, wait: Duration, seen: impl FnOnce(u64, u8)) -> bool {
        self.0.take(how, wait, seen)
    }
    fn len(&self) -> u64 {
        self.0.len()
    }
    fn recover(&self, _: Depth) -> u32 {
        1
    }
}

/// The real queue, whose takers hide the attempt.
pub struct Unmarked(Rialto);

impl Subject for Unmarked {
    fn create(kind: Kind) -> Self {
        Unmarked(Rialto::create(kind))
    }
    fn warm(&self) {
        self.0.warm();
    }
    #[inline(always)]
    fn push(&self, value: u64, wait: Duration) -> bool {
        self.0.push(value, wait)
    }
    #[inline(always)]
    fn take(&self, how: Take, wait: Duration, seen: impl FnOnce(u64, u8)) -> bool {
        self.0.take(how, wait, |value, _| seen(value, 0))
    }
    fn len(&self) -> u64 {
        self.0.len()
    }
    fn recover(&self, depth: Depth) -> u32 {
        self.0.recover(depth)
    }
}
