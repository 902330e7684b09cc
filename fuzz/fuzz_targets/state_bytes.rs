//! libFuzzer's bytes as a region's directory and as the headers and both copies of its values, arrays, lists, dicts and
//! namespaces; then what the rest of the input says is done with them. AddressSanitizer is on.
//!
//! `cargo +nightly fuzz run state_bytes -- -max_total_time=60`, in this directory.
#![no_main]

#[path = "../../tests/hostile_driver/mod.rs"]
mod hostile_driver;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile_driver::run_state(bytes));
