//! A Cortex-M4 in qemu's mps2-an386: the other party is the SysTick interrupt; semihosting says how it went.

use crate::{main_party, other_party};
use core::{
    arch::{asm, global_asm},
    sync::atomic::{AtomicU32, Ordering::*},
};

global_asm!(
    ".syntax unified",
    ".global reset",
    ".thumb_func",
    "reset:",
    // The FPU: this target's code may use it.
    "ldr r0, =0xE000ED88",
    "ldr r1, [r0]",
    "orr r1, r1, #0xF00000",
    "str r1, [r0]",
    "dsb",
    "isb",
    "ldr r0, =_data",
    "ldr r1, =_data_end",
    "ldr r2, =_data_source",
    "1: cmp r0, r1",
    "itt lo",
    "ldrlo r3, [r2], #4",
    "strlo r3, [r0], #4",
    "blo 1b",
    "ldr r0, =_bss",
    "ldr r1, =_bss_end",
    "movs r3, #0",
    "2: cmp r0, r1",
    "it lo",
    "strlo r3, [r0], #4",
    "blo 2b",
    "bl main_on_stack",
    ".ltorg",
    ".section .vectors,\"a\"",
    ".word _stack_end, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, 0, 0, fault, tick",
    ".text",
);

#[unsafe(no_mangle)]
extern "C" fn main_on_stack() -> ! {
    main_party()
}

#[unsafe(no_mangle)]
extern "C" fn fault() -> ! {
    print("fault\n\0");
    exit(1)
}

static TICKS: AtomicU32 = AtomicU32::new(0);

#[unsafe(no_mangle)]
extern "C" fn tick() {
    TICKS.fetch_add(1, Relaxed);
    other_party();
}

/// From here on the other party runs now and then.
pub fn start_other() {
    let systick = 0xE000_E010 as *mut u32;
    // SAFETY: the chip's SysTick registers: current value, reload value, control.
    unsafe {
        systick.add(2).write_volatile(0);
        systick.add(1).write_volatile(2000 - 1);
        systick.write_volatile(7);
    }
}

/// The ticks' time; before the first, that of being asked.
pub fn now_ns() -> u64 {
    // SAFETY: as above; not running yet.
    if unsafe { (0xE000_E010 as *const u32).read_volatile() } == 0 {
        TICKS.fetch_add(1, Relaxed);
    }
    u64::from(TICKS.load(Relaxed)) * 80_000
}

fn semihosting(operation: u32, argument: *const u32) {
    // SAFETY: the debugger reads what `argument` points to.
    unsafe { asm!("bkpt #0xab", inout("r0") operation => _, in("r1") argument, options(nostack)) };
}

/// `text` ends with a 0.
pub fn print(text: &str) {
    semihosting(4, text.as_ptr().cast());
}

pub fn exit(code: u32) -> ! {
    let block = [0x20026, code];
    loop {
        semihosting(0x20, block.as_ptr());
    }
}
