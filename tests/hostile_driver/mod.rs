//! Bytes decide everything: what lies in a region's memory, and what is then done with it.
//!
//! Shared by `tests/hostile.rs` (proptest) and `fuzz/fuzz_targets` (cargo-fuzz). One input
//! is one case: a memory that is either the input's bytes as they are, or a sound region, damaged as the input
//! says; then a script of calls and further damage. The region is one with queues, members and messages, or
//! one with shared state (`state`).
//!
//! What is checked: no panic, no signal (the memory ends at a page that may not be touched, and begins
//! behind bytes that must not change), and no call that outlives its deadline: a clock aborts the process.
//!
//! Each case has a thread of its own, and its memory goes only when that thread has ended: damage may make
//! it impossible for a member to leave.
#![allow(dead_code)]

mod state;

use rialto::{
    Barrier, Condition, Depth, Error, Event, Lock, Member, OnDeath, Peeked, Permit, Popped, Queue,
    QueueConfig, QueueKind, Region, RegionConfig, Reserved, Semaphore, Ticket, TrackedSemaphore,
};
use std::{
    ptr::null_mut,
    sync::Once,
    sync::atomic::{AtomicU8, AtomicU64, Ordering::*},
    thread,
    time::{Duration, Instant},
};

const PAGE: usize = 4096;
const CANARY: u8 = 0xA5;
/// What no bounded call may need; the longest deadline below is 5 ms.
const HUNG_SECONDS: u64 = 10;

/// Reads an input from front to back; zeros when it is used up.
pub struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((byte, rest)) => {
                self.0 = rest;
                *byte
            }
            None => 0,
        }
    }
    fn below(&mut self, n: usize) -> usize {
        if n <= 256 {
            return self.byte() as usize % n.max(1);
        }
        (self.word() % n as u64) as usize
    }
    fn word(&mut self) -> u64 {
        (0..8).fold(0, |word, _| word << 8 | u64::from(self.byte()))
    }
    /// Values that break things more often than random ones.
    fn nasty(&mut self) -> u64 {
        match self.byte() % 8 {
            0 => 0,
            1 => u64::MAX,
            2 => u64::from(self.byte()),
            3 => 1 << (self.byte() % 64),
            4 => (1u64 << (self.byte() % 64)).wrapping_sub(1),
            5 => u64::from(self.byte()) << 32 | u64::from(self.byte()),
            6 => i64::from(self.byte() as i8) as u64,
            _ => self.word(),
        }
    }
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `len` bytes that end (up to alignment) where the next page may not be touched.
pub struct Arena {
    map: *mut u8,
    pages: usize,
    at: *mut u8,
    len: usize,
}

// SAFETY: plain memory; what is in it is only touched through atomics and raw copies.
unsafe impl Send for Arena {}
// SAFETY: as above.
unsafe impl Sync for Arena {}

impl Arena {
    /// Shared with forked children; all zero.
    pub fn new(len: usize) -> Arena {
        let pages = len.div_ceil(PAGE) + 2;
        let (none, both) = (libc::PROT_NONE, libc::PROT_READ | libc::PROT_WRITE);
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping, and pages inside it.
        unsafe {
            let map = libc::mmap(null_mut(), pages * PAGE, none, flags, -1, 0).cast::<u8>();
            assert_ne!(map.cast(), libc::MAP_FAILED);
            assert_eq!(libc::mprotect(map.add(PAGE).cast(), (pages - 2) * PAGE, both), 0);
            map.add(PAGE).write_bytes(CANARY, (pages - 2) * PAGE);
            let at = map.add((pages - 1) * PAGE - len.next_multiple_of(128));
            at.write_bytes(0, len);
            Arena { map, pages, at, len }
        }
    }
    pub fn ptr(&self) -> *mut u8 {
        self.at
    }
    pub fn len(&self) -> usize {
        self.len
    }
    fn fill(&self, bytes: &[u8]) {
        // SAFETY: inside.
        unsafe { self.at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len().min(self.len)) };
    }
    /// Overwrites up to eight bytes, cut to the memory, as another process would.
    pub fn scribble(&self, offset: usize, width: usize, value: u64) {
        for i in 0..width.min(8) {
            if offset + i < self.len {
                // SAFETY: inside.
                unsafe { &*self.at.add(offset + i).cast::<AtomicU8>() }
                    .store((value >> (8 * i)) as u8, Relaxed);
            }
        }
    }
    /// Flips bits of one byte.
    pub fn flip(&self, offset: usize, mask: u8) {
        // SAFETY: inside.
        unsafe { &*self.at.add(offset % self.len).cast::<AtomicU8>() }.fetch_xor(mask, Relaxed);
    }
    fn check_surroundings(&self) {
        let (begin, end) = (self.map.wrapping_add(PAGE), self.map.wrapping_add((self.pages - 1) * PAGE));
        // SAFETY: inside the mapping, outside the region's bytes.
        let (before, after) = unsafe {
            let after = self.at.add(self.len);
            (
                std::slice::from_raw_parts(begin, self.at.offset_from(begin) as usize),
                std::slice::from_raw_parts(after, end.offset_from(after) as usize),
            )
        };
        assert!(before.iter().chain(after).all(|byte| *byte == CANARY), "wrote outside the region");
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { libc::munmap(self.map.cast(), self.pages * PAGE) };
    }
}

// ---- the clock

static CALL_BEGAN_MS: AtomicU64 = AtomicU64::new(0);
static WHICH_CALL: AtomicU64 = AtomicU64::new(0);

fn now_ms() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64 + 1
}

/// From here to the next `tick`, [`HUNG_SECONDS`] may pass.
fn tick(call: u64) {
    static CLOCK: Once = Once::new();
    CLOCK.call_once(|| {
        thread::spawn(|| {
            loop {
                thread::sleep(Duration::from_millis(200));
                let began = CALL_BEGAN_MS.load(Relaxed);
                if began != 0 && now_ms() > began + HUNG_SECONDS * 1000 {
                    eprintln!("call {} outlived its deadline", WHICH_CALL.load(Relaxed));
                    std::process::abort();
                }
            }
        });
    });
    WHICH_CALL.store(call, Relaxed);
    CALL_BEGAN_MS.store(now_ms(), Relaxed);
}

fn no_tick() {
    CALL_BEGAN_MS.store(0, Relaxed);
}

// ---- a sound region to damage

const NAMES: [&str; 3] = ["q0", "q1", "no such queue"];
/// Members, objects: small, so that damage hits something.
const CONFIG: RegionConfig = RegionConfig { members: 4, objects: OBJECTS as u16, tick_ms: 2 };
const OBJECTS: usize = 5;
const DIRECTORY: usize = 256;
const MEMBERS: usize = 256 + OBJECTS * 64 + 64;
/// Who uses which object: rows of 64 bytes for as many and 16 more.
const USERS: usize = MEMBERS + 4 * 64;
const DATA: usize = USERS + 20 * 64;
/// `q0` is 1024 bytes and 4 slots of 64.
const SECOND: usize = DATA + 1024 + 4 * 64;
/// `q1` is 1024 bytes and 8 slots of 256; or, indexed, 16 entries of 16 bytes before 8 blocks of 256.
const ENTRIES: usize = SECOND + 1536;
const BLOCKS: usize = ENTRIES + 16 * 16;
pub const SOUND_BYTES: usize = 12288;

/// Where what follows lies: three permits, and a barrier of two parties.
const fn semaphore_at(indexed: bool) -> usize {
    8 * 256 + if indexed { BLOCKS } else { SECOND + 1024 }
}
const fn barrier_at(indexed: bool) -> usize {
    semaphore_at(indexed) + 384
}
/// All of it, and nothing behind: whoever reads on touches the page that may not be touched.
const fn tight_bytes(indexed: bool) -> usize {
    barrier_at(indexed) + 640
}

/// Fills `arena` with a region in use: messages waiting, in hand, given back, and a member that is dead.
fn make_sound(arena: &Arena, input: &mut Input, indexed: bool) {
    let kill_only = input.byte() % 4 == 0;
    let joinable = input.byte() % 2 == 0;
    let on_death = [OnDeath::Redeliver, OnDeath::Drop, OnDeath::Stop][input.below(3)];
    // SAFETY: the arena outlives everything made here.
    let region = unsafe { Region::init(arena.ptr(), arena.len(), &CONFIG) }.expect("fresh memory");
    let first_turn = [0, 5, (1 << 44) - 1, (1 << 44) - 3][input.below(4)];
    let first = QueueConfig { kill_only, joinable, ..QueueConfig::new(4, 40) };
    let q0 = region.create_queue_at_turn("q0", &first, first_turn).expect("room");
    let kind = if indexed { QueueKind::Indexed } else { QueueKind::Ring };
    let second = QueueConfig { max_attempts: 1, kind, joinable, on_death, ..QueueConfig::new(8, 200) };
    let q1 = region.create_queue_at_turn("q1", &second, first_turn).expect("room");
    let semaphore = region.create_semaphore("s", 3).expect("room");
    let generation = [0, (1 << 26) - 1][input.below(2)];
    let barrier = region.create_barrier_at_generation("b", 2, generation).expect("room");
    let places = [(semaphore_at(indexed), *b"RLTS"), (barrier_at(indexed), *b"RLTB")];
    for (at, magic) in places.into_iter().chain([(SECOND, *b"RLTQ")]) {
        // SAFETY: inside the arena.
        assert_eq!(unsafe { arena.ptr().add(at).cast::<[u8; 4]>().read() }, magic, "damage misses {at}");
    }
    for i in 0..input.below(5) {
        q0.try_push(&[i as u8; 40][..i * 10]).expect("fits");
        q1.try_push(&[i as u8; 200]).expect("fits");
    }
    thread::scope(|scope| {
        // This one ends with messages in hand. Joined: only that waits for the thread's very end.
        let holder = scope.spawn(|| {
            for queue in [q0, q1] {
                if let Ok(peeked) = queue.try_peek() {
                    std::mem::forget(peeked);
                }
                // Joinable, it stays in hand, too.
                let _ = queue.try_pop(&mut [0; 200]);
                std::mem::forget(queue.try_reserve(9).ok());
            }
            std::mem::forget(semaphore.try_acquire());
            let _ = barrier.register();
        });
        holder.join().expect("no panic");
    });
    drop(q1.try_peek());
}

fn damage(arena: &Arena, input: &mut Input) {
    // Where the words are that anybody believes: header, directory, cells, queue headers, slots.
    let len = arena.len();
    let base = match input.byte() % 21 {
        0 => input.below(64),
        1 => 64 + input.below(64),
        2 => DIRECTORY + input.below(OBJECTS * 64),
        3 => MEMBERS + input.below(4 * 64),
        4 => DATA + input.below(64),
        5 => DATA + 512 + 128 * input.below(4),
        6 => DATA + 1024 + 64 * input.below(4) + input.below(16),
        // A slot's length.
        7 => DATA + 1024 + 64 * input.below(4) + 8,
        // The same of the second queue.
        8 => SECOND + 1024 + 256 * input.below(8) + input.below(16),
        9 => semaphore_at(input.byte() % 2 == 0) + input.below(132),
        10 => semaphore_at(input.byte() % 2 == 0) + 256 + input.below(24),
        11 => barrier_at(input.byte() % 2 == 0) + 128 * input.below(4) + input.below(8),
        12 => barrier_at(input.byte() % 2 == 0) + 512 + input.below(48),
        // Flags, shift, lengths, attempts; closed, and the three signals; hints of entries.
        13 => [DATA, SECOND][input.below(2)] + 4 + input.below(20),
        14 => [DATA, SECOND][input.below(2)] + [128, 136, 256, 384][input.below(4)] + input.below(8),
        15 => SECOND + 1024 + 128 * input.below(4),
        // Entries: word and value; blocks; stamps.
        16 => ENTRIES + 16 * input.below(16) + input.below(16),
        17 => BLOCKS + 256 * input.below(8) + input.below(16),
        // Mostly the rows that somebody has.
        19 => {
            let reach = [128, 20 * 64][input.below(2)];
            USERS + input.below(reach)
        }
        18 => [DATA + 1024, SECOND + 1024, BLOCKS][input.below(3)] + 12,
        _ => input.below(len),
    };
    let offset = base % len.max(1);
    match input.byte() % 4 {
        0 => arena.flip(offset, 1 << (input.byte() % 8)),
        1 => arena.scribble(offset & !3, 4, input.nasty()),
        2 => arena.scribble(offset & !7, 8, input.nasty()),
        _ => arena.scribble(offset, 1, input.nasty()),
    }
}

// ---- a script of calls

fn act(region: &Region, arena: &Arena, input: &mut Input, calls: usize) {
    let mut queues: Vec<Queue> = Vec::new();
    let mut in_hand: Vec<Peeked> = Vec::new();
    let mut loans: Vec<Reserved> = Vec::new();
    let mut tickets: Vec<(Queue, Ticket)> = Vec::new();
    let mut members: Vec<Member> = Vec::new();
    let mut permits: Vec<Permit> = Vec::new();
    let mut semaphore: Option<TrackedSemaphore> = region.open_semaphore("s").ok();
    let mut barrier: Option<Barrier> = region.open_barrier("b").ok();
    let mut buffer = vec![0u8; 4096];
    if input.byte() % 8 != 0 {
        queues.extend(NAMES[..2].iter().filter_map(|name| region.open_queue(name).ok()));
    }
    // Errors are all right, each and every one; panics are not.
    for call in 0..calls {
        if input.is_empty() {
            break;
        }
        let op = input.byte() % 56;
        tick(call as u64 * 100 + u64::from(op));
        let queue = if queues.is_empty() { None } else { Some(queues[input.below(queues.len())]) };
        let timeout_ns = 1_000_000 * (1 + u64::from(input.byte() % 5));
        match (op, queue) {
            (0, _) => queues.extend(region.open_queue(NAMES[input.below(3)]).ok()),
            (1, _) => {
                let config = QueueConfig::new(1 << input.below(6), 1 + input.below(300) as u32);
                queues.extend(region.create_queue_timeout("q2", &config, timeout_ns).ok());
            }
            (2, _) => drop(region.recover(Depth::Marked)),
            (3, _) => drop(region.recover(Depth::Thorough)),
            (4, _) => drop(region.member_count()),
            (5, _) => drop(region.leave()),
            (6, _) if members.len() < 4 => members.extend(region.join().ok()),
            (7, _) => drop(members.pop()),
            (8..=10, _) => damage(arena, input),
            (11, Some(queue)) => drop(queue.try_push(&buffer[..input.below(257)])),
            (12, Some(queue)) => drop(queue.push_timeout(&buffer[..input.below(41)], timeout_ns)),
            (13, Some(queue)) => drop(queue.try_pop(&mut buffer)),
            (14, Some(queue)) => drop(queue.pop_timeout(&mut buffer, timeout_ns)),
            (15 | 16, Some(queue)) if in_hand.len() < 6 => in_hand.extend(queue.try_peek().ok()),
            (17, Some(queue)) if in_hand.len() < 6 => in_hand.extend(queue.peek_timeout(timeout_ns).ok()),
            (18, _) => {
                if let Some(peeked) = in_hand.pop() {
                    assert!(peeked.copy_to(&mut buffer) <= peeked.len());
                    peeked.release();
                }
            }
            (19, _) => drop(in_hand.pop()),
            (20, Some(queue)) => drop(queue.take_poisoned(&mut buffer)),
            (21, Some(queue)) => queue.close(),
            (22, Some(queue)) => assert!(queue.len() <= queue.capacity()),
            (23, Some(queue)) => {
                if let Ok(typed) = queue.typed::<[u64; 5]>() {
                    let _ = typed.try_push(&[7; 5]);
                    let _ = typed.try_pop();
                }
            }
            (24, _) => {
                semaphore = region.open_semaphore("s").ok();
                barrier = region.open_barrier("b").ok();
            }
            (25..=27, _) => {
                let Some(semaphore) = semaphore else { continue };
                match op {
                    25 if permits.len() < 6 => permits.extend(semaphore.acquire_timeout(timeout_ns).ok()),
                    26 => drop(semaphore.release_token(input.nasty())),
                    _ => assert!(semaphore.value() <= semaphore.bound()),
                }
            }
            (28, _) => drop(permits.pop()),
            (29..=33, _) => {
                let Some(barrier) = barrier else { continue };
                match op {
                    29 => drop(barrier.wait_with(timeout_ns, || input.byte() % 2 == 0)),
                    30 => drop(barrier.register()),
                    31 => drop(barrier.unregister()),
                    32 if input.byte() % 2 == 0 => barrier.abort(),
                    32 => barrier.reset(),
                    _ => assert!(barrier.n_waiting() <= barrier.parties()),
                }
            }
            (34..=35, _) => alone(arena, input, timeout_ns),
            (36, Some(queue)) if loans.len() < 6 => loans.extend(queue.try_reserve(input.below(41)).ok()),
            (37, Some(queue)) if loans.len() < 6 => {
                loans.extend(queue.reserve_timeout(input.below(41), timeout_ns).ok());
            }
            (38..=39, _) => {
                let Some(mut loan) = loans.pop() else { continue };
                loan.truncate(input.below(41));
                let len = loan.len();
                // Our member may have been written over.
                assert!(matches!(loan.write(&buffer[..len]), Ok(()) | Err(Error::NotOwner)));
                let done = if op == 38 { loan.try_commit() } else { loan.commit_timeout(timeout_ns) };
                loans.extend(done.err().map(|(loan, _)| loan));
            }
            (40, _) => drop(loans.pop()),
            (41..=42, Some(queue)) => {
                let messages = [&buffer[..input.below(41)]; 5];
                let messages = &messages[..input.below(6)];
                let pushed = match op {
                    41 => queue.try_push_many(messages),
                    _ => queue.push_many_timeout(messages, timeout_ns),
                };
                assert!(pushed.unwrap_or(0) <= messages.len());
            }
            (43..=44, Some(queue)) => {
                let mut popped = [Popped::default(); 5];
                let count = match op {
                    43 => queue.try_pop_many(&mut buffer, &mut popped),
                    _ => queue.pop_many_timeout(&mut buffer, &mut popped, timeout_ns),
                };
                let popped = &popped[..count.unwrap_or(0)];
                assert!(popped.iter().all(|popped| popped.len <= queue.max_message_bytes()));
                tickets.extend(popped.iter().map(|popped| (queue, popped.ticket)));
            }
            (45, Some(queue)) => {
                let popped = queue.try_pop(&mut buffer);
                tickets.extend(popped.map(|popped| (queue, popped.ticket)));
            }
            (46..=47, _) if !tickets.is_empty() => {
                // Now and then of another queue, or a second time.
                let (own, ticket) = tickets[input.below(tickets.len())];
                let queue = queue.filter(|_| input.byte() % 4 == 0).unwrap_or(own);
                let _ = if op == 46 { queue.task_done(ticket) } else { queue.give_back(ticket) };
            }
            (48, Some(queue)) => drop(queue.join_timeout(timeout_ns)),
            (49, Some(queue)) => {
                assert!(queue.unfinished() <= queue.capacity() && queue.poisoned() <= queue.capacity());
                let _ = (queue.dropped(), queue.is_full(), queue.config());
            }
            (50, Some(queue)) => {
                let _ = (queue.arm_data(), queue.arm_space(), queue.recheck_data(), queue.recheck_space());
            }
            (51, _) => {
                let kind = [QueueKind::Ring, QueueKind::Indexed][input.below(2)];
                let config = QueueConfig { kind, joinable: true, ..QueueConfig::new(4, 40) };
                queues.extend(region.open_queue_as(NAMES[input.below(3)], &config).ok());
                queues.extend(region.create_queue_timeout("q3", &config, timeout_ns).ok());
            }
            // Also what we go on using: it must not hurt anybody but us.
            (52, _) => {
                let _ = region.remove_timeout(["q0", "q1", "q2", "l", "s"][input.below(5)], timeout_ns);
            }
            (53, _) => {
                let space = region.space();
                assert!(space.used + space.free == space.total && space.largest <= space.free);
                let within =
                    |at: u64, size: u64| at.checked_add(size).is_some_and(|end| end <= arena.len() as u64);
                assert!(region.objects().unwrap().all(|object| within(object.offset, object.size)));
            }
            // SAFETY: the region stays until all of this is over; so below.
            (54, _) => drop(unsafe { region.create_lock_timeout("l", timeout_ns) }),
            (55, _) => {
                // SAFETY: as above.
                let lock = unsafe { region.open_lock("l") };
                let Ok(lock) = lock else { continue };
                drop(lock.acquire_timeout(timeout_ns));
            }
            _ => {}
        }
    }
    tick(10_000);
    drop(permits);
    drop(loans);
    drop(in_hand);
    drop(members);
}

/// Objects that stand alone, wherever the input says: on top of the region's own, too. Not locks: those must
/// not overlap with what a thread's list runs through.
fn alone(arena: &Arena, input: &mut Input, timeout_ns: u64) {
    let at = input.below(arena.len().max(64)) & !63;
    if at + 64 > arena.len() {
        return;
    }
    let magic = [*b"REVT", *b"RSEM", *b"RCND"][input.below(3)];
    if input.byte() % 4 != 0 {
        arena.scribble(at, 4, u64::from(u32::from_le_bytes(magic)));
    }
    let at = arena.ptr().wrapping_add(at);
    // SAFETY: inside the arena, which outlives this.
    let (event, semaphore, condition) =
        unsafe { (Event::attach(at.cast()), Semaphore::attach(at.cast()), Condition::attach(at.cast())) };
    if let Ok(event) = event {
        match input.below(3) {
            0 => event.set(),
            1 => event.clear(),
            _ => drop(event.wait_timeout(timeout_ns)),
        }
    }
    if let Ok(semaphore) = semaphore {
        match input.below(2) {
            0 => drop(semaphore.acquire_timeout(timeout_ns)),
            _ => drop(semaphore.release_many(input.nasty() as u32)),
        }
    }
    if let Ok(condition) = condition {
        // SAFETY: it stays here until it is released below.
        let lock = unsafe { Lock::new() };
        let guard = lock.acquire().expect("ours alone").guard();
        match input.below(3) {
            0 => condition.notify(input.nasty() as u32),
            1 => condition.notify_all(&lock),
            _ => drop(condition.wait_timeout(&lock, timeout_ns)),
        }
        drop(guard);
    }
}

/// One case. Panics (or dies, or aborts) on whatever must not happen.
pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let first = input.byte();
    let (indexed, state) = (first & 4 != 0, first & 8 != 0);
    let arena = match first % 4 {
        0 => {
            // The bytes as they are; with the magic number and the version, or nothing gets anywhere.
            let script = input.below(64);
            let helped = input.byte() % 2 == 0;
            let memory = input.0.get(script..).unwrap_or(&[]);
            let arena = Arena::new(memory.len());
            arena.fill(memory);
            if helped {
                arena.fill(b"RIALTO\0\0\x01\0\0\0\0\0\0\0");
            }
            arena
        }
        1 => Arena::new(SOUND_BYTES),
        _ if state => Arena::new(state::tight_bytes() + input.byte() as usize % 4 * 70),
        _ => Arena::new(tight_bytes(indexed) + input.byte() as usize % 4 * 70),
    };
    let sound = bytes.first().is_some_and(|byte| byte % 4 != 0);
    thread::scope(|scope| {
        let case = scope.spawn(|| {
            tick(0);
            match sound {
                true if state => {
                    state::make_sound(&arena, &mut input);
                    (0..input.below(12)).for_each(|_| state::damage(&arena, &mut input));
                }
                true => {
                    make_sound(&arena, &mut input, indexed);
                    (0..input.below(8)).for_each(|_| damage(&arena, &mut input));
                }
                false => {}
            }
            let skew = if input.byte() % 16 == 0 { 64 } else { 0 };
            if skew < arena.len() {
                // SAFETY: inside the arena, which outlives this thread.
                match unsafe { Region::attach(arena.ptr().add(skew), arena.len() - skew) } {
                    Ok(region) if state => state::act(&region, &arena, &mut input, 48),
                    Ok(region) => act(&region, &arena, &mut input, 48),
                    Err(Error::Invalid | Error::BadRegion | Error::Version) => {}
                    Err(error) => panic!("attach: {error:?}"),
                }
            }
            tick(20_000);
        });
        if let Err(panic) = case.join() {
            std::panic::resume_unwind(panic);
        }
    });
    no_tick();
    arena.check_surroundings();
}

/// One case whose region's directory and objects are the input's bytes: for `fuzz/fuzz_targets/state_bytes.rs`.
pub fn run_state(bytes: &[u8]) {
    let mut input = Input(bytes);
    let spare = input.byte() as usize % 4 * 70;
    let arena = Arena::new(state::tight_bytes() + spare);
    thread::scope(|scope| {
        let case = scope.spawn(|| {
            tick(0);
            state::make_sound(&arena, &mut input);
            state::overlay(&arena, &mut input);
            // SAFETY: the arena outlives this thread.
            if let Ok(region) = unsafe { Region::attach(arena.ptr(), arena.len()) } {
                state::act(&region, &arena, &mut input, 64);
            }
            tick(60_000);
        });
        if let Err(panic) = case.join() {
            std::panic::resume_unwind(panic);
        }
    });
    no_tick();
    arena.check_surroundings();
}

// ---- a peer that writes wild while we work

/// Which objects a region has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum World {
    Queues,
    State,
}

/// Makes a sound region, and does what `script` says again and again until `until`, each time attaching
/// anew; returns how often attach was accepted. Meanwhile somebody else calls [`wild_writes`].
pub fn work_beside_a_wild_writer(
    arena: &Arena,
    what: World,
    script: impl Fn(u64) -> Vec<u8>,
    until: Instant,
) -> u64 {
    let mut accepted = 0;
    for round in 0.. {
        if Instant::now() >= until {
            break;
        }
        let bytes = script(round);
        thread::scope(|scope| {
            let work = scope.spawn(|| {
                tick(30_000);
                let mut input = Input(&bytes);
                if round % 4 == 0 {
                    // SAFETY: inside. Zeros first, or `init` would say that there is a region.
                    unsafe { arena.ptr().write_bytes(0, arena.len()) };
                    if what == World::State {
                        state::make_beside(arena);
                    }
                    // SAFETY: the arena outlives the thread.
                    let region = || unsafe { Region::init(arena.ptr(), arena.len(), &CONFIG) }.ok();
                    if let Some(region) = (what == World::Queues).then(region).flatten() {
                        for (i, name) in ["q0", "q1"].into_iter().enumerate() {
                            let kinds = [QueueKind::Ring, QueueKind::Indexed];
                            let (kind, joinable) =
                                (kinds[i ^ ((round as usize / 4) & 1)], round / 8 % 2 == 0);
                            let config = QueueConfig { kind, joinable, ..QueueConfig::new(4, 40) };
                            let _ = region.create_queue_timeout(name, &config, 1_000_000);
                        }
                        let _ = region.create_semaphore_timeout("s", 3, 1_000_000);
                        let _ = region.create_barrier_timeout("b", 2, 1_000_000);
                    }
                }
                // SAFETY: as above.
                if let Ok(region) = unsafe { Region::attach(arena.ptr(), arena.len()) } {
                    accepted += 1;
                    match what {
                        World::Queues => act(&region, arena, &mut input, 24),
                        World::State => state::act(&region, arena, &mut input, 24),
                    }
                }
            });
            if let Err(panic) = work.join() {
                std::panic::resume_unwind(panic);
            }
        });
        no_tick();
    }
    accepted
}

/// Damages whatever it likes until `go_on` says no.
pub fn wild_writes(
    arena: &Arena,
    what: World,
    mut random: impl FnMut() -> u64,
    mut go_on: impl FnMut() -> bool,
) {
    while go_on() {
        let bytes: Vec<u8> = (0..3).flat_map(|_| random().to_le_bytes()).collect();
        let mut input = Input(&bytes);
        match what {
            World::Queues => damage(arena, &mut input),
            World::State => state::damage(arena, &mut input),
        }
    }
}
