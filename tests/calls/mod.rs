//! Stands between the program and libc's `syscall` and `clock_gettime`, and writes down what a chosen stretch
//! of a thread asks the kernel for. The other clocks can be made to lie meanwhile.
//!
//! An executable's own definition of a symbol goes before that of a shared library, so std's and Rialto's
//! calls come here.
#![allow(dead_code)]

use core::cell::{Cell, RefCell};
use libc::{c_int, c_long, timespec};

/// A futex call.
#[derive(Clone, Copy, Debug)]
pub struct Futex {
    pub word: usize,
    pub op: i32,
    /// How many to wake, or the expected value.
    pub value: u32,
    /// Absolute, in nanoseconds; `None`: none.
    pub until: Option<u64>,
    pub result: c_long,
}

#[derive(Default)]
pub struct Calls {
    pub futex: Vec<Futex>,
    /// Clocks asked.
    pub clocks: Vec<c_int>,
    /// Other calls' numbers.
    pub others: Vec<c_long>,
}

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
    /// This thread's futex calls fail, as in a sandbox that does not let them through.
    pub static NO_FUTEX: Cell<bool> = const { Cell::new(false) };
    static CALLS: RefCell<Calls> = const {
        RefCell::new(Calls { futex: Vec::new(), clocks: Vec::new(), others: Vec::new() })
    };
}

/// What `f` asked the kernel for, on this thread. Every clock but the monotonic one jumps meanwhile.
pub fn record<T>(f: impl FnOnce() -> T) -> (T, Calls) {
    CALLS.with(|calls| drop(calls.take()));
    ON.set(true);
    let result = f();
    ON.set(false);
    (result, CALLS.with(RefCell::take))
}

fn note(f: impl FnOnce(&mut Calls)) {
    if ON.get() {
        CALLS.with(|calls| f(&mut calls.borrow_mut()));
    }
}

fn is_wait(op: i32) -> bool {
    let op = op & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    op == libc::FUTEX_WAIT || op == libc::FUTEX_WAIT_BITSET
}

impl Futex {
    pub fn is_wait(&self) -> bool {
        is_wait(self.op)
    }
}

/// libc's, with the arguments that every call can have.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> c_long {
    let result = if number == libc::SYS_futex && NO_FUTEX.get() {
        -c_long::from(libc::ENOSYS)
    } else {
        // SAFETY: the caller's.
        unsafe { raw(number, [a, b, c, d, e, f]) }
    };
    note(|calls| {
        if number != libc::SYS_futex {
            calls.others.push(number);
            return;
        }
        let op = b as i32;
        let until = (is_wait(op) && d != 0).then(|| {
            // SAFETY: the caller's timespec, which the kernel has just read.
            let at = unsafe { *(d as *const timespec) };
            at.tv_sec as u64 * 1_000_000_000 + at.tv_nsec as u64
        });
        calls.futex.push(Futex { word: a, op, value: c as u32, until, result });
    });
    if (-4095..0).contains(&result) {
        // SAFETY: our own errno.
        unsafe { *libc::__errno_location() = -result as c_int };
        return -1;
    }
    result
}

/// libc's, but the wall clock jumps when it is looked at in a recorded stretch.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: c_int, now: *mut timespec) -> c_int {
    thread_local!(static JUMPS: Cell<i64> = const { Cell::new(1) });
    // SAFETY: the caller's.
    let result = unsafe { raw(libc::SYS_clock_gettime, [clock as usize, now as usize, 0, 0, 0, 0]) };
    note(|calls| {
        calls.clocks.push(clock);
        if clock != libc::CLOCK_MONOTONIC && result == 0 {
            // A day on, a day back, three days on ...
            JUMPS.set(-3 * JUMPS.get() % 1000);
            // SAFETY: the caller's.
            unsafe { (*now).tv_sec += 86_400 * JUMPS.get() };
        }
    });
    if result == 0 { 0 } else { -1 }
}

#[cfg(target_arch = "x86_64")]
unsafe fn raw(number: c_long, args: [usize; 6]) -> c_long {
    let result;
    // SAFETY: the caller's.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") args[0], in("rsi") args[1], in("rdx") args[2],
            in("r10") args[3], in("r8") args[4], in("r9") args[5],
            lateout("rcx") _, lateout("r11") _,
        );
    }
    result
}

#[cfg(target_arch = "aarch64")]
unsafe fn raw(number: c_long, args: [usize; 6]) -> c_long {
    let result;
    // SAFETY: the caller's.
    unsafe {
        core::arch::asm!(
            "svc 0",
            in("x8") number, inlateout("x0") args[0] => result,
            in("x1") args[1], in("x2") args[2], in("x3") args[3], in("x4") args[4], in("x5") args[5],
        );
    }
    result
}
