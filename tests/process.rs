//! Processes: each way to start one, with all that is done to one; what is left behind; fork safety.
//!
//! A program of its own, as it starts itself: `process::main` comes before everything else. Each case runs in a fresh
//! process (`--case NAME`), so that descriptors, children and mappings can be counted. Arguments: words that a case's
//! name must contain; options of the usual harness are ignored.

#[cfg(all(feature = "process", feature = "std", target_os = "linux", not(rialto_loom)))]
mod cases;
#[cfg(all(feature = "process", feature = "std", target_os = "linux", not(rialto_loom)))]
mod process_cases;
#[cfg(all(feature = "process", feature = "std", target_os = "linux", not(rialto_loom)))]
mod procs;

#[cfg(not(all(feature = "process", feature = "std", target_os = "linux", not(rialto_loom))))]
fn main() {
    println!("not run here: needs Linux processes");
}

#[cfg(all(feature = "process", feature = "std", target_os = "linux", not(rialto_loom)))]
fn main() {
    rialto::process::main(&process_cases::entries::ENTRIES).expect("entries");
    process_cases::run();
}
