//! Two harts of qemu's riscv32 virt machine: the other party is hart 1.

use crate::{main_party, other_party};
use core::{
    arch::global_asm,
    hint::spin_loop,
    sync::atomic::{AtomicU32, Ordering::*},
};

global_asm!(
    ".section .reset,\"ax\"",
    ".global reset",
    "reset:",
    "csrr t0, mhartid",
    "bnez t0, 2f",
    "la sp, _stack_end",
    "la t1, _bss",
    "la t2, _bss_end",
    "1: bgeu t1, t2, 3f",
    "sw zero, 0(t1)",
    "addi t1, t1, 4",
    "j 1b",
    "3: call main_on_stack",
    "2: la sp, _other_stack_end",
    "call other_on_stack",
    ".text",
);

#[unsafe(no_mangle)]
extern "C" fn main_on_stack() -> ! {
    main_party()
}

/// Not in .bss, which the other hart may not have zeroed yet.
#[unsafe(link_section = ".data")]
static GO: AtomicU32 = AtomicU32::new(1);

#[unsafe(no_mangle)]
extern "C" fn other_on_stack() -> ! {
    while GO.load(Acquire) != 2 {
        spin_loop();
    }
    loop {
        other_party();
    }
}

/// From here on the other party runs.
pub fn start_other() {
    GO.store(2, Release);
}

/// The machine's timer, of 10 MHz.
pub fn now_ns() -> u64 {
    let timer = 0x0200_bff8 as *const u32;
    // SAFETY: the chip's `mtime`. The low half may wrap between the reads: then they are done again.
    let (low, high) = unsafe {
        loop {
            let high = timer.add(1).read_volatile();
            let low = timer.read_volatile();
            if timer.add(1).read_volatile() == high {
                break (low, high);
            }
        }
    };
    (u64::from(high) << 32 | u64::from(low)) * 100
}

/// `text` ends with a 0.
pub fn print(text: &str) {
    for byte in text.bytes().filter(|byte| *byte != 0) {
        // SAFETY: the machine's UART.
        unsafe { (0x1000_0000 as *mut u8).write_volatile(byte) };
    }
}

pub fn exit(code: u32) -> ! {
    let value = if code == 0 { 0x5555 } else { code << 16 | 0x3333 };
    loop {
        // SAFETY: the machine's power switch.
        unsafe { (0x0010_0000 as *mut u32).write_volatile(value) };
    }
}
