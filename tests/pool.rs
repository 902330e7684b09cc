//! Pools: what becomes of tasks whatever their functions and workers do; many tasks under random kills; the parent's death.
//!
//! A program of its own, as its workers are this program again: `process::main` comes before everything else. Each case runs
//! in a fresh process (`--case NAME`), so that descriptors and children can be counted. Arguments: words that a case's name
//! must contain; options of the usual harness are ignored. Storms last `RIALTO_STORM_SECONDS` (2) each.

#[cfg(all(feature = "process", feature = "std", target_os = "linux", not(rialto_loom)))]
mod cases;
#[cfg(all(feature = "process", feature = "std", target_os = "linux", not(rialto_loom)))]
mod pool_cases;
#[cfg(all(feature = "process", feature = "std", target_os = "linux", not(rialto_loom)))]
mod procs;

#[cfg(not(all(feature = "process", feature = "std", target_os = "linux", not(rialto_loom))))]
fn main() {
    println!("not run here: needs Linux processes");
}

#[cfg(all(feature = "process", feature = "std", target_os = "linux", not(rialto_loom)))]
fn main() {
    rialto::process::main(&pool_cases::workers::ENTRIES).expect("entries");
    pool_cases::run();
}
