//! What targets without 64-bit atomics have, used on bare ground: a stream between two parties that really run
//! at once, locks whose owner dies, and the rest. No std, no libc, no heap.
#![no_std]
#![no_main]

#[cfg(target_arch = "arm")]
#[path = "arm.rs"]
mod chip;
#[cfg(target_arch = "riscv32")]
#[path = "riscv.rs"]
mod chip;

use core::{
    cell::UnsafeCell,
    panic::PanicInfo,
    sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::*},
};
use rialto::{
    Condition, Error, Event, FOREVER, Lock, Outcome, RLock, Semaphore, Stream, StreamConfig, StreamWriter,
    sys::{Cell, DIED, Liveness, OWNER, Platform, TAG_ID, Thread, Waited},
};

// ---- a platform that spins; its threads are told apart by a word, as cores are by a register

#[derive(Clone, Copy, Default)]
struct Bare;

#[derive(Clone, Copy)]
struct Core(u32);

static ME: AtomicU32 = AtomicU32::new(1);
/// What the watchdog knows.
static DEAD: AtomicU32 = AtomicU32::new(0);
const HELD: usize = 4;
static CELLS: [[AtomicUsize; HELD]; 4] = [const { [const { AtomicUsize::new(0) }; HELD] }; 4];
static WAKES: AtomicU32 = AtomicU32::new(0);

impl Platform for Bare {
    type Thread = Core;
    const SPINS: u32 = 10;
    const TICK_NS: u64 = 1_000_000;

    fn now_ns(self) -> u64 {
        chip::now_ns()
    }
    fn wait(self, word: &AtomicU32, expected: u32, deadline_ns: u64) -> Waited {
        while word.load(SeqCst) == expected {
            if self.now_ns() >= deadline_ns {
                return Waited::TimedOut;
            }
            core::hint::spin_loop();
        }
        Waited::Woken
    }
    fn wake(self, _: &AtomicU32, _: u32) -> u32 {
        WAKES.fetch_add(1, Relaxed);
        0 // whoever waits, spins
    }
    fn thread(self) -> rialto::Result<Core> {
        Ok(Core(ME.load(Relaxed)))
    }
    fn claim(self) -> u64 {
        1
    }
    fn enter(self, _: u64) {}
    fn exit(self, _: u64) {}
    fn users(self, _: u64) -> u32 {
        0
    }
    fn give_back(self, _: u64) {}
    fn liveness(self, id: u32, tag: u64) -> Liveness {
        let dead = DEAD.load(Relaxed);
        if id == dead && tag == Core(dead).tag() { Liveness::Dead } else { Liveness::Unknown }
    }
}

fn address(cell: &Cell) -> usize {
    core::ptr::from_ref(cell).addr()
}

impl Core {
    fn held(self) -> &'static [AtomicUsize; HELD] {
        &CELLS[self.0 as usize]
    }
}

impl Thread for Core {
    fn id(self) -> u32 {
        self.0
    }
    fn tag(self) -> u64 {
        u64::from(self.0) << TAG_ID | 0x1a5
    }
    fn has_room(self) -> bool {
        self.held().iter().any(|held| held.load(Relaxed) == 0)
    }
    unsafe fn announce(self, _: &Cell) {}
    fn settle(self) {}
    unsafe fn link(self, cell: &Cell) {
        if let Some(free) = self.held().iter().find(|held| held.load(Relaxed) == 0) {
            free.store(address(cell), Relaxed);
        }
    }
    unsafe fn unlink(self, cell: &Cell) {
        for held in self.held().iter().filter(|held| held.load(Relaxed) == address(cell)) {
            held.store(0, Relaxed);
        }
    }
    fn holds(self, cell: &Cell) -> bool {
        self.held().iter().any(|held| held.load(Relaxed) == address(cell))
    }
    fn holds_within(self, start: *const u8, len: usize) -> bool {
        self.held().iter().any(|held| held.load(Relaxed).wrapping_sub(start.addr()) < len)
    }
    fn membership(self, _: u64) -> Option<u16> {
        None
    }
    fn set_membership(self, _: u64, _: u16, _: u64) -> rialto::Result<()> {
        Err(Error::NotSupported)
    }
    fn remove_membership(self, _: u64) -> Option<(u16, u64)> {
        None
    }
}

// ---- the stream: the other party writes, the main one reads

const CONFIG: StreamConfig = StreamConfig::new(8, 40);
const LEN: usize = match CONFIG.layout() {
    Ok(layout) => layout.size as usize,
    Err(_) => 0,
};
const MESSAGES: u32 = if cfg!(target_arch = "arm") { 2000 } else { 20_000 };

#[repr(align(64))]
struct Memory(UnsafeCell<[u8; LEN]>);
// SAFETY: the stream's.
unsafe impl Sync for Memory {}
static MEMORY: Memory = Memory(UnsafeCell::new([0; LEN]));

struct Slot(UnsafeCell<Option<StreamWriter<'static, Bare>>>);
// SAFETY: filled before the other party starts, then its own.
unsafe impl Sync for Slot {}
static WRITER: Slot = Slot(UnsafeCell::new(None));
static SENT: AtomicU32 = AtomicU32::new(0);
static FULL: AtomicBool = AtomicBool::new(false);

fn message(number: u32) -> ([u8; 40], usize) {
    let mut bytes = [number as u8; 40];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    (bytes, 4 + number as usize % 37)
}

/// One message, if there is room: called again and again.
fn other_party() {
    // SAFETY: see `Slot`.
    let slot = unsafe { &mut *WRITER.0.get() };
    let Some(writer) = slot else { return };
    let number = SENT.load(Relaxed);
    if number == MESSAGES {
        writer.close();
        *slot = None;
        return;
    }
    let (bytes, len) = message(number);
    match writer.try_push(&bytes[..len]) {
        Ok(()) => SENT.store(number + 1, Relaxed),
        Err(Error::WouldBlock) => FULL.store(true, Relaxed),
        Err(_) => fail("a push\n\0"),
    }
}

fn stream() -> rialto::Result<()> {
    let memory = MEMORY.0.get().cast::<u8>();
    // SAFETY: a static, aligned to 64, used by nobody else.
    let stream = unsafe { Stream::init_on(Bare, memory, LEN, &CONFIG)? };
    // A core with a message in hand is reset, and another goes on.
    let mut writer = stream.writer()?;
    writer.try_push(b"in hand")?;
    writer.try_push(b"behind")?;
    core::mem::forget(stream.reader()?.try_peek()?);
    let mut dead = stream.reader()?;
    let _ = dead.try_peek()?.len();
    core::mem::forget(dead);
    assert!(stream.reader().err() == Some(Error::EndTaken));
    // SAFETY: forgotten.
    let mut reader = unsafe { stream.take_over_reader()? };
    let mut buffer = [0; 40];
    let popped = reader.try_pop(&mut buffer)?;
    assert!(popped.attempt == 2 && buffer[..popped.len] == *b"in hand");
    let popped = reader.try_pop(&mut buffer)?;
    assert!(popped.attempt == 0 && buffer[..popped.len] == *b"behind");
    assert!(reader.pop_timeout(&mut buffer, 3_000_000) == Err(Error::TimedOut));
    // SAFETY: forgotten.
    core::mem::forget(writer);
    // SAFETY: as above.
    let writer = unsafe { stream.take_over_writer()? };

    // SAFETY: see `Slot`.
    unsafe { *WRITER.0.get() = Some(writer) };
    chip::start_other();
    // SAFETY: `LEN` bytes, a stream.
    let mut same = unsafe { Stream::attach_on(Bare, memory, LEN)? };
    assert!(same.max_message_bytes() == 40 && same.reader().err() == Some(Error::EndTaken));
    same = stream;
    for number in 0..MESSAGES {
        let popped = reader.pop(&mut buffer)?;
        let (bytes, len) = message(number);
        if popped.len != len || popped.attempt != 0 || buffer[..len] != bytes[..len] {
            fail("another message\n\0");
        }
        if number % 500 == 0 {
            // Until the writer finds it full.
            FULL.store(false, Relaxed);
            while !FULL.load(Relaxed) && SENT.load(Relaxed) < MESSAGES {
                core::hint::spin_loop();
            }
        }
    }
    assert!(reader.pop(&mut buffer) == Err(Error::Closed));
    assert!(same.is_empty() && WAKES.load(Relaxed) > 0);
    Ok(())
}

// ---- the rest

// SAFETY: statics are never moved or freed.
static LOCK: Lock = unsafe { Lock::new() };
// SAFETY: as above.
static RLOCK: RLock = unsafe { RLock::new() };
static EVENT: Event = Event::new();
static SEMAPHORE: Semaphore = Semaphore::bounded(1);
static CONDITION: Condition = Condition::new();

fn objects() -> rialto::Result<()> {
    assert!(LOCK.acquire_on(Bare, FOREVER)? == Outcome::Clean);
    assert!(LOCK.acquire_on(Bare, 0) == Err(Error::WouldBlock));
    assert!(LOCK.acquire_on(Bare, 1000) == Err(Error::Deadlock));
    LOCK.release_on(Bare)?;
    assert!(LOCK.release_on(Bare) == Err(Error::NotOwner));

    assert!(RLOCK.acquire_on(Bare, 0)? == Outcome::Clean && RLOCK.acquire_on(Bare, 0)? == Outcome::Clean);
    assert!(CONDITION.wait_on(Bare, &RLOCK, 5_000_000) == Err(Error::TimedOut));
    CONDITION.notify_on(Bare, 1);
    CONDITION.notify_all_on(Bare, &RLOCK);
    RLOCK.release_on(Bare)?;
    RLOCK.release_on(Bare)?;
    assert!(RLOCK.release_on(Bare) == Err(Error::NotOwner));

    assert!(EVENT.wait_on(Bare, 5_000_000) == Err(Error::TimedOut));
    EVENT.set_on(Bare);
    EVENT.wait_on(Bare, FOREVER)?;
    SEMAPHORE.acquire_on(Bare, FOREVER)?;
    assert!(SEMAPHORE.acquire_on(Bare, 5_000_000) == Err(Error::TimedOut));
    SEMAPHORE.release_on(Bare, 1)?;
    assert!(SEMAPHORE.release_on(Bare, 1) == Err(Error::Overflow));
    Ok(())
}

/// A core dies with the lock, and the others are told: because the platform marks what it held, or because the
/// watchdog says so to who waits.
fn deaths() -> rialto::Result<()> {
    for told in ["marked", "asked"] {
        ME.store(2, Relaxed);
        LOCK.acquire_on(Bare, 0)?;
        ME.store(1, Relaxed);
        assert!(LOCK.acquire_on(Bare, 3_000_000) == Err(Error::TimedOut)); // alive, for all we know
        if told == "marked" {
            let word = LOCK.cell().word();
            assert!(word.load(Relaxed) & OWNER == 2);
            word.store(word.load(Relaxed) & !OWNER | DIED, SeqCst);
        } else {
            DEAD.store(2, Relaxed);
        }
        for held in Core(2).held() {
            held.store(0, Relaxed);
        }
        assert!(LOCK.acquire_on(Bare, FOREVER)? == Outcome::OwnerDied);
        LOCK.mark_consistent_on(Bare)?;
        LOCK.release_on(Bare)?;
        DEAD.store(0, Relaxed);
        assert!(LOCK.acquire_on(Bare, 0)? == Outcome::Clean);
        LOCK.release_on(Bare)?;
    }
    Ok(())
}

fn main_party() -> ! {
    if objects().is_err() {
        fail("objects\n\0");
    }
    if deaths().is_err() {
        fail("deaths\n\0");
    }
    if stream().is_err() {
        fail("stream\n\0");
    }
    chip::print("no 64-bit atomics: ok\n\0");
    chip::exit(0)
}

fn fail(what: &str) -> ! {
    chip::print("failed: \0");
    chip::print(what);
    chip::exit(1)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    use core::fmt::Write;
    struct Out;
    impl Write for Out {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            let mut part = [0; 65];
            for chunk in text.as_bytes().chunks(64) {
                part[..chunk.len()].copy_from_slice(chunk);
                part[chunk.len()] = 0;
                chip::print(core::str::from_utf8(&part[..chunk.len() + 1]).unwrap_or("?\0"));
            }
            Ok(())
        }
    }
    let _ = writeln!(Out, "{info}");
    chip::exit(2)
}
