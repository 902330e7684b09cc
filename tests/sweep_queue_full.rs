//! Kills, or stops, one operation of a queue in full at every machine instruction, and asks the others how
//! they fare: the indexed kind, loans, batches, tasks, what happens on a death, event loops. (What is as old as
//! the ring itself is in `sweep_queue`.)
//!
//! # Points
//! Every instruction from the victim's trap to the word it writes after the operation. Where somebody sleeps,
//! and a point costs a tick: those instructions that follow a change of the shared memory, those around system
//! calls, and every 32nd besides; with `RIALTO_SWEEP_STRIDE=1` all.
//!
//! # What is asked
//! *Killed*: after recovery every message comes once, or again and marked if the victim had it in hand (or is
//! dropped and counted, or set aside, as the queue's policy is); unmarked ones in order; of a batch the first
//! so many; as many messages as ever fit, four times over, which uses every entry of an indexed queue twice;
//! nothing is unfinished, and `join` says so, not earlier.
//! *Stopped*: the others' `try_` calls fill and empty the queue four times, with as many slots less as the
//! victim may have; nobody takes it for dead; when it goes on, with hints as old as that, all of the above.
//! *Paused*: somebody else is dead, and buried while the victim stands.
//! *Asleep*: whoever sleeps gets what is there for it, at the latest at its tick: a message, room, the end
//! of all tasks; on a futex, or in an event loop on a descriptor. Once for each case the victim lives and
//! nobody ticks: it must have woken the sleeper itself.
//!
//! # Left out
//! Stopped with somebody asleep; victims that sleep themselves (`sweep_queue` and `sweep_sync` have those, and
//! it is the same code). A stopped party in a kill-only queue: nothing is promised then.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod queue_scenes;
mod support;

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    support::runner::main("sweep_queue_full", queue_scenes::bill::single());
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the sweep reads x86-64 registers through Linux's ptrace");
}
