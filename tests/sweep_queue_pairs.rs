//! Two victims at once in a queue in full: the first is killed or stopped at instruction k of its operation,
//! then the second at instruction j of its own, in what the first left behind. As `sweep_two`, for the
//! indexed kind, loans that were overtaken, batches, tasks, and what happens on a death.
//!
//! # Points
//! Every n-th k and every n-th j, in a pattern that shifts with k; n differs, or is `RIALTO_SWEEP_STRIDE`: 1 takes
//! all, some hundred thousand points for each pair.
//!
//! # What is asked
//! As in `sweep_queue_full`; while two stand still, as many slots are missing as they may have at most.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod queue_scenes;
mod support;

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    support::runner::main("sweep_queue_pairs", queue_scenes::bill::double());
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the sweep reads x86-64 registers through Linux's ptrace");
}
