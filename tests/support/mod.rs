//! Helpers of the tests that fork: children that cannot be left behind, words that parent and child
//! share, a victim that is stopped before a chosen machine instruction, and the sweeps' runner.
//!
//! A forked child of a test runs only Rialto, libc and `_exit`; whatever else it would need (the test
//! harness, stdout's lock) may have been in another thread's hands at the fork.
#![allow(dead_code)]

pub mod process;
pub mod shared;

#[cfg(target_arch = "x86_64")]
pub mod planted;
#[cfg(target_arch = "x86_64")]
pub mod queue;
#[cfg(target_arch = "x86_64")]
pub mod runner;
#[cfg(target_arch = "x86_64")]
pub mod step;
