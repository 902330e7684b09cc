//! Hostile bytes from libFuzzer, through the same driver as `tests/hostile.rs`; AddressSanitizer is on.
//!
//! `cargo +nightly fuzz run attach_bytes -- -max_total_time=60`, in this directory.
#![no_main]

#[path = "../../tests/hostile_driver/mod.rs"]
mod hostile_driver;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile_driver::run(bytes));
