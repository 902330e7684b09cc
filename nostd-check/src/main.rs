//! Rialto on bare ground: a region in a static buffer, messages through a queue, a lock; on a platform
//! that this file brings along. No std, no libc, no allocator; two system calls to say how it went.
#![no_std]
#![no_main]

use core::{
    arch::{asm, global_asm},
    cell::UnsafeCell,
    panic::PanicInfo,
    sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::*},
};
use rialto::{
    Condition, Error, Event, FOREVER, Lock, Outcome, QueueConfig, RLock, Region, RegionConfig, Semaphore,
    sys::{Cell, Liveness, Platform, Thread, Waited},
};

// ---- a platform of one thread that spins

#[derive(Clone, Copy, Default)]
struct Bare;

/// Thread 1, the only one.
#[derive(Clone, Copy)]
struct Only;

const HELD: usize = 8;
static CELLS: [AtomicUsize; HELD] = [const { AtomicUsize::new(0) }; HELD];
/// {region, id << 48 | epoch}; region 0: none.
static MEMBERSHIPS: [[AtomicU64; 2]; HELD] = [const { [const { AtomicU64::new(0) }; 2] }; HELD];
static CLOCK: AtomicU64 = AtomicU64::new(1);
static REGIONS: AtomicU64 = AtomicU64::new(1);

fn find(region: u64) -> Option<&'static [AtomicU64; 2]> {
    MEMBERSHIPS.iter().find(|entry| entry[0].load(Relaxed) == region)
}

impl Platform for Bare {
    type Thread = Only;
    const SPINS: u32 = 10;
    const TICK_NS: u64 = 1_000_000;

    fn now_ns(self) -> u64 {
        CLOCK.fetch_add(1000, Relaxed) // a cycle counter would do
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
        0 // whoever waits, spins
    }
    fn thread(self) -> rialto::Result<Only> {
        Ok(Only)
    }
    fn claim(self) -> u64 {
        REGIONS.fetch_add(1, Relaxed)
    }
    // Nothing is ever unmapped here.
    fn enter(self, _: u64) {}
    fn exit(self, _: u64) {}
    fn users(self, _: u64) -> u32 {
        0
    }
    fn give_back(self, _: u64) {}
    fn liveness(self, id: u32, _: u64) -> Liveness {
        if id == 1 { Liveness::Alive } else { Liveness::Unknown }
    }
}

fn address(cell: &Cell) -> usize {
    core::ptr::from_ref(cell).addr()
}

impl Thread for Only {
    fn id(self) -> u32 {
        1
    }
    fn tag(self) -> u64 {
        1
    }
    fn has_room(self) -> bool {
        CELLS.iter().any(|held| held.load(Relaxed) == 0)
    }
    unsafe fn announce(self, _: &Cell) {}
    fn settle(self) {}
    unsafe fn link(self, cell: &Cell) {
        let free = CELLS.iter().find(|held| held.load(Relaxed) == 0);
        free.map(|held| held.store(address(cell), Relaxed)).unwrap_or(());
    }
    unsafe fn unlink(self, cell: &Cell) {
        CELLS
            .iter()
            .filter(|held| held.load(Relaxed) == address(cell))
            .for_each(|held| held.store(0, Relaxed));
    }
    fn holds(self, cell: &Cell) -> bool {
        CELLS.iter().any(|held| held.load(Relaxed) == address(cell))
    }
    fn holds_within(self, start: *const u8, len: usize) -> bool {
        CELLS.iter().any(|held| held.load(Relaxed).wrapping_sub(start.addr()) < len)
    }
    fn membership(self, region: u64) -> Option<u16> {
        find(region).map(|entry| (entry[1].load(Relaxed) >> 48) as u16)
    }
    fn set_membership(self, region: u64, id: u16, epoch: u64) -> rialto::Result<()> {
        let entry = find(0).ok_or(Error::TooManyHeld)?;
        entry[1].store(u64::from(id) << 48 | epoch, Relaxed);
        entry[0].store(region, Relaxed);
        Ok(())
    }
    fn remove_membership(self, region: u64) -> Option<(u16, u64)> {
        let entry = find(region)?;
        entry[0].store(0, Relaxed);
        let value = entry[1].load(Relaxed);
        Some(((value >> 48) as u16, value & ((1 << 48) - 1)))
    }
}

// ---- the program

const LEN: usize = 16 << 10;

#[repr(align(128))]
struct Memory(UnsafeCell<[u8; LEN]>);
// SAFETY: one thread.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new([0; LEN]));
// SAFETY: a static is never moved or freed.
static LOCK: Lock = unsafe { Lock::new() };
// SAFETY: as above.
static RLOCK: RLock = unsafe { RLock::new() };
static EVENT: Event = Event::new();
static SEMAPHORE: Semaphore = Semaphore::bounded(1);
static CONDITION: Condition = Condition::new();

fn work() -> rialto::Result<()> {
    let config = RegionConfig { members: 4, objects: 4, tick_ms: 1 };
    let memory = MEMORY.0.get().cast::<u8>();
    // SAFETY: a static buffer, aligned to 128, used by nobody else.
    let region = unsafe { Region::init_on(Bare, memory, LEN, &config)? };
    let queue = region.create_queue("q", &QueueConfig::new(4, 100))?;
    let mut buffer = [0; 100];
    for lap in 0..10u8 {
        for i in 0..4 {
            queue.try_push(&[lap, i])?;
        }
        assert!(queue.try_push(b"full") == Err(Error::WouldBlock));
        assert!(queue.push_timeout(b"full", 5_000_000) == Err(Error::TimedOut));
        for i in 0..4 {
            assert!(queue.pop(&mut buffer)?.len == 2 && buffer[..2] == [lap, i]);
        }
        assert!(queue.pop_timeout(&mut buffer, 5_000_000) == Err(Error::TimedOut));
    }
    queue.push(b"again")?;
    drop(queue.peek()?);
    assert!(queue.pop(&mut buffer)?.attempt == 1);

    assert!(LOCK.acquire_on(Bare, FOREVER)? == Outcome::Clean);
    assert!(LOCK.acquire_on(Bare, 0) == Err(Error::WouldBlock));
    assert!(LOCK.acquire_on(Bare, 1000) == Err(Error::Deadlock));
    assert!(LOCK.is_mine_on(Bare));
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

    let permit = region.create_semaphore("s", 1)?.acquire()?;
    assert!(region.leave() == Err(Error::Busy));
    permit.release()?;
    let barrier = region.create_barrier("b", 1)?;
    assert!(barrier.wait()? == 0 && barrier.wait()? == 0);
    region.leave()
}

#[unsafe(no_mangle)]
extern "C" fn main_on_stack() -> ! {
    let code = match work() {
        Ok(()) => {
            let text = b"no std, no libc, no heap: ok\n";
            // SAFETY: write(1, text, len).
            unsafe { system_call(1, 1, text.as_ptr().addr(), text.len()) };
            0
        }
        Err(error) => error.code().unsigned_abs() as usize,
    };
    exit(code)
}

fn exit(code: usize) -> ! {
    loop {
        // SAFETY: exit_group(code).
        unsafe { system_call(231, code, 0, 0) };
    }
}

unsafe fn system_call(number: usize, a: usize, b: usize, c: usize) -> usize {
    let result;
    // SAFETY: the caller's word; x86-64 Linux's convention.
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a, in("rsi") b, in("rdx") c,
             out("rcx") _, out("r11") _, options(nostack));
    }
    result
}

// The stack as the kernel gives it is 16-aligned; a call pushes the return address.
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "call main_on_stack", "ud2");

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    exit(99)
}

// What the compiler itself calls; a bare-metal toolchain has them in its own runtime.

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: memcpy's contract.
    unsafe {
        asm!("rep movsb", inout("rcx") len => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack));
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
    // SAFETY: memset's contract.
    unsafe {
        asm!("rep stosb", inout("rcx") len => _, inout("rdi") to => _, in("al") byte as u8, options(nostack));
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    for i in 0..len {
        // SAFETY: memcmp's contract; volatile, or the compiler would call memcmp here.
        let (x, y) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    // SAFETY: the same contract.
    unsafe { memcmp(a, b, len) }
}

/// The precompiled `core` names it in its unwind tables; nothing unwinds here.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// As above.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    exit(98)
}
