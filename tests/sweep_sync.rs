//! Kills one operation of `RLock`, `Event`, `Semaphore`, `TrackedSemaphore`, `Condition`, `Barrier`, and
//! `Queue::close`, at every machine instruction, and asks the others how they fare.
//!
//! # Points
//! Every instruction from the victim's trap to the word it writes after the operation ("Runs"; "Meets": the
//! sleepers come on the way). Where it falls asleep or is woken, spinning and looking at the clock, every
//! instruction counts that follows a change of the shared memory or of the list that the kernel reads at a
//! death, those around system calls, and every 16th besides; with `RIALTO_SWEEP_STRIDE=1` all.
//!
//! # What is asked
//! Killed: sleepers get by themselves, by their tick, what is there for them: a set event, a permit, a notify
//! that died with its receiver, the end of a generation. "Done again": without ticks, a survivor's doing it
//! again wakes them. Alive, once for each case: without ticks, the victim itself has woken whom it had to.
//! Then everything adds up, and works as new: see the top comments in `sync_scenes`.
//!
//! # Left out
//! The victim's first use of Rialto, and libc's robust mutexes beside ours: `sweep_lock` has them. Stopping:
//! these wait for whom they wait for.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

mod support;
#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod sync_scenes;

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    let mut bill = sync_scenes::Bill::new();
    sync_scenes::rlock::cases(&mut bill);
    sync_scenes::event::cases(&mut bill);
    sync_scenes::semaphore::cases(&mut bill);
    sync_scenes::tracked::cases(&mut bill);
    sync_scenes::condition::cases(&mut bill);
    sync_scenes::barrier::cases(&mut bill);
    sync_scenes::close::cases(&mut bill);
    sync_scenes::life::cases(&mut bill);
    support::runner::main("sweep_sync", bill.cases);
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the sweep reads x86-64 registers through Linux's ptrace");
}
