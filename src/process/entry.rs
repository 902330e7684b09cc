//! What children run: entries, found by name, and how a child begins and ends.
//!
//! `main` says where this program's entries are, once; then it looks whether this process was started to run one of
//! them. The table is C's or Rust's, so a lookup goes with it.

use super::{
    BAD_START, Child, NO_ENTRY, PANICKED,
    child::{self, Fds},
    letter::{self, Letter},
    lifeline,
    os::{complain, getpid, leave},
    place::FIRST,
    server,
};
use crate::{
    error::{Error, Result},
    sync::{AtomicU32, Ordering::*},
};
use core::{cell::UnsafeCell, ffi::CStr, ffi::c_int};

/// Which process this is for, and its letter: `RIALTO_CHILD=pid,descriptor`. Of another process: not for us.
pub(super) const VARIABLE: &CStr = c"RIALTO_CHILD";

/// Something that a child can run, by name. Programs that start each other agree on names.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// 1 to 31 bytes.
    pub name: &'static str,
    /// Its lowest eight bits are the exit code.
    pub run: fn(&Child) -> i32,
}

/// What stands behind a name.
#[derive(Clone, Copy)]
pub(crate) struct Job {
    /// Gets the child, and `what`.
    pub run: fn(&Child, *const ()) -> i32,
    pub what: *const (),
}

/// A table of them.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    pub first: *const (),
    pub len: usize,
    /// Of the table, so long.
    pub find: fn(*const (), usize, &str) -> Option<Job>,
}

struct Registry(UnsafeCell<Option<Table>>);

// SAFETY: written by who has set `REGISTERED` to 1 and read by who has seen 2.
unsafe impl Sync for Registry {}

static TABLE: Registry = Registry(UnsafeCell::new(None));
/// 0: no table, 1: being written, 2: there.
static REGISTERED: AtomicU32 = AtomicU32::new(0);

/// What a Rust program calls first of all in its `main`. In a process that was started to run an entry it does
/// that, and does not return; in any other one it returns, and the entries can be started from now on.
///
/// Errors: `Invalid` (a bad name), `Exists` (called before, with another table).
pub fn main(entries: &'static [Entry]) -> Result<()> {
    if entries.iter().any(|entry| entry.name.is_empty() || letter::name(entry.name).is_err()) {
        return Err(Error::Invalid);
    }
    fn find(first: *const (), len: usize, name: &str) -> Option<Job> {
        // SAFETY: the table that `main` was given, which lives for ever.
        let entries: &'static [Entry] = unsafe { core::slice::from_raw_parts(first.cast(), len) };
        let entry = entries.iter().find(|entry| entry.name == name)?;
        Some(Job { run: call, what: core::ptr::from_ref(entry).cast() })
    }
    fn call(child: &Child, what: *const ()) -> i32 {
        // SAFETY: what `find` found.
        let entry = unsafe { &*what.cast::<Entry>() };
        (entry.run)(child)
    }
    // SAFETY: `find` fits, and the table lives for ever.
    unsafe { main_with(Table { first: entries.as_ptr().cast(), len: entries.len(), find }) }
}

/// As [`main`], for tables of whatever kind.
///
/// # Safety
/// `find` may be called with the table for ever, and what it finds, run.
pub(crate) unsafe fn main_with(table: Table) -> Result<()> {
    match REGISTERED.compare_exchange(0, 1, Acquire, Acquire) {
        Ok(_) => {
            // SAFETY: nobody reads before 2, and nobody else writes.
            unsafe { *TABLE.0.get() = Some(table) };
            REGISTERED.store(2, Release);
        }
        Err(_) => {
            let same = registered().is_some_and(|it| (it.first, it.len) == (table.first, table.len));
            return if same { Ok(()) } else { Err(Error::Exists) };
        }
    }
    if let Some(fd) = told() {
        begin_with(fd)
    }
    Ok(())
}

/// Errors: `NotFound`: this program's `main` has not called ours (yet). Begun again, it would start itself again, and so on.
pub(super) fn knows_children() -> Result<()> {
    registered().map(drop).ok_or(Error::NotFound)
}

fn registered() -> Option<Table> {
    if REGISTERED.load(Acquire) != 2 {
        return None;
    }
    // SAFETY: not written any more, pairs with the store above.
    unsafe { *TABLE.0.get() }
}

/// What this program has under that name. `NotFound`: nothing, or `main` was not called.
pub(super) fn find(name: &str) -> Result<Job> {
    let table = registered().ok_or(Error::NotFound)?;
    (table.find)(table.first, table.len, name).ok_or(Error::NotFound)
}

/// The letter's descriptor, if there is one for this process. Programs that this one starts see nothing of it.
fn told() -> Option<c_int> {
    // SAFETY: a C string; `main` is called before there are threads that change the environment.
    let value = unsafe { libc::getenv(VARIABLE.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: what getenv returned, until the environment is changed.
    let text = unsafe { CStr::from_ptr(value) }.to_str().ok();
    let numbers = text.and_then(|text| {
        let (pid, fd) = text.split_once(',')?;
        Some((pid.parse::<i32>().ok()?, fd.parse::<c_int>().ok()?))
    });
    // SAFETY: as above.
    unsafe { libc::unsetenv(VARIABLE.as_ptr()) };
    // Left over in the environment of somebody else's child, it is not for us.
    numbers.filter(|(pid, fd)| *pid == getpid() && *fd >= FIRST).map(|(_, fd)| fd)
}

/// In a process that was started with a letter: does what it says.
fn begin_with(fd: c_int) -> ! {
    let letter = letter::read(fd).unwrap_or_else(|error| {
        complain("a child was started with a bad letter: ", error.message());
        leave(BAD_START)
    });
    let lifeline = FIRST + letter.fds as c_int;
    if fd != lifeline + 1 {
        complain("a child's letter is not in its place", "");
        leave(BAD_START)
    }
    // SAFETY: ours, and read.
    unsafe { libc::close(fd) };
    if letter.flags & letter::SERVER != 0 {
        if letter.fds != 1 {
            leave(BAD_START)
        }
        child::begin(&letter, lifeline);
        server::serve(FIRST)
    }
    run_letter(&letter, lifeline)
}

/// Runs a letter's entry, its descriptors in their places, and ends as a program does that returns from `main`.
pub(super) fn run_letter(letter: &Letter<'static>, lifeline: c_int) -> ! {
    child::begin(letter, lifeline);
    let job = find(&letter.entry).unwrap_or_else(|_| {
        complain("no such entry in this program: ", &letter.entry);
        leave(NO_ENTRY)
    });
    let fds: Fds = (FIRST..lifeline).collect();
    let code = call(&Child::new(letter, fds), |child| (job.run)(child, job.what));
    // SAFETY: this process is the entry's alone: what stdio has not written yet is its own.
    unsafe { libc::exit(code) }
}

/// Ends the process where a panic would leave the entry.
struct Fence;

impl Drop for Fence {
    fn drop(&mut self) {
        leave(PANICKED)
    }
}

/// Runs `f`; a panic does not come out of it.
pub(super) fn call(child: &Child, f: impl FnOnce(&Child) -> i32) -> i32 {
    let fence = Fence;
    let code = f(child);
    core::mem::forget(fence);
    code
}

/// A forked child from its fork to its end; `passed`: it keeps no other descriptors.
pub(super) fn run_forked(
    letter: &Letter,
    fds: &[c_int],
    lifeline: c_int,
    passed: bool,
    f: impl FnOnce(&Child) -> i32,
) -> ! {
    let (mut fds, mut lifeline): (Fds, c_int) = (fds.iter().copied().collect(), lifeline);
    let ready = lifeline::own(lifeline).and_then(|()| match passed {
        true => {
            let behind = FIRST + fds.len() as c_int;
            let sources: heapless::Vec<c_int, { super::place::MOST }> =
                fds.iter().copied().chain([lifeline]).collect();
            super::place::place(&sources)?;
            (fds, lifeline) = ((FIRST..behind).collect(), behind);
            Ok(())
        }
        false => Ok(()),
    });
    if ready.is_err() {
        leave(BAD_START)
    }
    child::begin(letter, lifeline);
    leave(call(&Child::new(letter, fds), f))
}
