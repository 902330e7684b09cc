//! What children run: `rialto_entry_t`, `rialto_child_t`, `rialto_process_main`.

use super::status;
use crate::{
    capi::{room, text},
    error::{Error, Result},
    process::{
        Child,
        entry::{Job, Table, main_with},
    },
};
use core::{
    ffi::{c_char, c_int, c_void},
    ptr,
};

/// What a child is told. Lives until its entry returns; so does what it points to.
#[repr(C)]
pub struct rialto_child_t {
    /// The entry's name; "" for a function given to rialto_process_fork.
    pub entry: *const c_char,
    /// The process's name.
    pub name: *const c_char,
    /// What the parent gave it; NULL if there are none.
    pub args: *const c_void,
    /// So many.
    pub args_bytes: usize,
    /// The passed descriptors, in the parent's order: 3, 4, ...; in a forked child without
    /// RIALTO_PROCESS_ONLY_FDS, the parent's numbers.
    pub fds: *const c_int,
    /// So many.
    pub fd_count: u32,
    /// RIALTO_PROCESS_DAEMON or 0.
    pub flags: u32,
}

/// Something that a child can run, by name. Programs that start each other agree on names.
#[repr(C)]
pub struct rialto_entry_t {
    /// 1 to 31 bytes.
    pub name: *const c_char,
    /// Returns the exit code, of which 8 bits count. Must return, exit or run another program: no
    /// exception, no longjmp out of it.
    pub run: Option<unsafe extern "C" fn(child: *const rialto_child_t, context: *mut c_void) -> c_int>,
    /// What `run` gets; of the child's program, not of the parent's.
    pub context: *mut c_void,
}

/// A name with a zero behind it: it has at most 31 bytes.
pub(super) fn c_name(name: &str) -> [c_char; 32] {
    let mut text = [0; 32];
    for (to, from) in text.iter_mut().take(31).zip(name.bytes()) {
        *to = from as c_char;
    }
    text
}

/// Calls `run` with what C sees of a child.
///
/// # Safety
/// `run` may be called with `context`.
pub(super) unsafe fn call(
    child: &Child,
    run: unsafe extern "C" fn(*const rialto_child_t, *mut c_void) -> c_int,
    context: *mut c_void,
) -> i32 {
    let (entry, name) = (c_name(child.entry()), c_name(child.name()));
    let args = child.args();
    let child = rialto_child_t {
        entry: entry.as_ptr(),
        name: name.as_ptr(),
        args: if args.is_empty() { ptr::null() } else { args.as_ptr().cast() },
        args_bytes: args.len(),
        fds: child.fds().as_ptr(),
        fd_count: child.fds().len() as u32,
        flags: if child.is_daemon() { super::RIALTO_PROCESS_DAEMON } else { 0 },
    };
    // SAFETY: the caller's word.
    unsafe { run(&raw const child, context) }
}

fn run(child: &Child, what: *const ()) -> i32 {
    // SAFETY: what `find` found, in a table that lives for ever.
    let entry = unsafe { &*what.cast::<rialto_entry_t>() };
    match entry.run {
        // SAFETY: `rialto_process_main`'s caller said so.
        Some(run) => unsafe { call(child, run, entry.context) },
        None => crate::process::NO_ENTRY,
    }
}

fn find(first: *const (), len: usize, name: &str) -> Option<Job> {
    // SAFETY: `rialto_process_main` has checked it, and it lives for ever.
    let entries = unsafe { core::slice::from_raw_parts(first.cast::<rialto_entry_t>(), len) };
    // SAFETY: as above, for the names.
    let named = |entry: &&rialto_entry_t| unsafe { text(entry.name, 31, Error::Invalid) } == Ok(name);
    entries.iter().find(named).map(|entry| Job { run, what: ptr::from_ref(entry).cast() })
}

/// # Safety
/// As C says.
unsafe fn table(entries: *const rialto_entry_t, count: u32) -> Result<Table> {
    // SAFETY: the caller's word; read only.
    let all = unsafe { room(entries.cast_mut(), count as usize) }?;
    for entry in all.iter() {
        // SAFETY: the caller's word.
        let name = unsafe { text(entry.name, 31, Error::Invalid) }?;
        if name.is_empty() || entry.run.is_none() {
            return Err(Error::Invalid);
        }
    }
    Ok(Table { first: all.as_ptr().cast(), len: all.len(), find })
}

/// Call it first of all in main(), before anything else runs or writes. In a process that was
/// started to run one of the entries it does that, and does not return: the process ends as if
/// main() had returned the entry's result; a fork server begins to serve. In any other process it
/// returns, and the entries can be started from now on.
///
/// entries     what children can run; neither it nor the names ever change or go away.
/// count       how many; 0 if this program only starts others.
/// Returns     RIALTO_OK; RIALTO_EEXIST (called before, with another table); RIALTO_EINVAL (a name
///             is bad, an entry has no function).
/// Concurrency before there are other threads.  Blocks: no, where it returns.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_main(entries: *const rialto_entry_t, count: u32) -> c_int {
    // SAFETY: checked, and the caller's word: it lives for ever.
    status(unsafe { table(entries, count).and_then(|table| main_with(table)) })
}
