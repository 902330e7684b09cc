//! What C functions call back: it uses what is used already, and whatever else the input says.

use super::machine::Machine;
use rialto::capi::{
    RIALTO_EAGAIN, rialto_array_edit_t, rialto_child_t, rialto_output_t, rialto_process_t, rialto_report_t,
};
use std::ffi::{c_int, c_void};

/// Calls in a callback, and in theirs.
const DEPTH: usize = 2;

/// # Safety
/// `context` is the machine, and who called us does not use it until we return.
unsafe fn inside(context: *mut c_void, may_call: impl Fn(&str) -> bool) -> u8 {
    let m = context.cast::<Machine>();
    // SAFETY: the caller's word; no reference outlives a statement that calls.
    unsafe {
        if (*m).depth <= DEPTH {
            let calls = (*m).input.pick(&[0, 0, 1, 1, 2]);
            for _ in 0..calls {
                super::step(m, &may_call);
            }
        }
        (*m).input.byte()
    }
}

/// Mostly "go on".
fn answer(byte: u8) -> c_int {
    match byte % 16 {
        0 => 77,
        1 => -1,
        2 => i32::MIN,
        _ => 0,
    }
}

/// Must not release the lock.
pub unsafe extern "C" fn predicate(context: *mut c_void) -> bool {
    let locks = ["rialto_lock", "rialto_rlock", "rialto_condition", "rialto_region"];
    // SAFETY: the context that `draw` gives.
    let byte = unsafe { inside(context, |name| !locks.iter().any(|lock| name.starts_with(lock))) };
    // SAFETY: as above.
    byte % 4 != 0 || !unsafe { (*context.cast::<Machine>()).has_timeout }
}

pub unsafe extern "C" fn action(context: *mut c_void) -> c_int {
    // SAFETY: as above.
    answer(unsafe { inside(context, |_| true) })
}

pub unsafe extern "C" fn change(edit: *mut rialto_array_edit_t, context: *mut c_void) -> c_int {
    let m = context.cast::<Machine>();
    // SAFETY: as above; the edit is the innermost one until we return.
    unsafe {
        let before = std::mem::replace(&mut (*m).edit, edit);
        let is_edit = (*m).input.once_in(2);
        let byte =
            inside(
                context,
                |name| if is_edit { name.contains("array_edit_") } else { name.contains("array") },
            );
        (*m).edit = before;
        answer(byte)
    }
}

pub unsafe extern "C" fn visit_item(
    _: usize,
    item: *const c_void,
    len: usize,
    context: *mut c_void,
) -> c_int {
    // SAFETY: `item` has `len` bytes.
    unsafe { touch(item, len) };
    // SAFETY: as above.
    answer(unsafe { inside(context, |name| name.contains("list") || name.contains("dict")) })
}

/// Visits a key and its value, or compares two items: in no order at all, now and then.
pub unsafe extern "C" fn pair(
    a: *const c_void,
    len: usize,
    b: *const c_void,
    other: usize,
    context: *mut c_void,
) -> c_int {
    // SAFETY: they have as many bytes.
    unsafe {
        touch(a, len);
        touch(b, other);
    }
    // SAFETY: as above.
    let byte = unsafe { inside(context, |name| name.contains("list") || name.contains("dict")) };
    if byte % 2 == 0 { len.cmp(&other) as c_int } else { answer(byte >> 1) }
}

/// Starts no worker, and says so; or says that it has.
pub unsafe extern "C" fn start_worker(
    args: *const c_void,
    len: usize,
    _: *mut rialto_process_t,
    context: *mut c_void,
) -> c_int {
    // SAFETY: `args` has `len` bytes.
    unsafe { touch(args, len) };
    // SAFETY: the context that `draw` gives; one call of nothing that the pool needs.
    match unsafe { inside(context, |name| name.contains("list") || name.contains("dict")) } % 4 {
        0 => 0,
        1 => 77,
        2 => i32::MIN,
        _ => RIALTO_EAGAIN,
    }
}

/// There is no child.
pub unsafe extern "C" fn child(_: *const rialto_child_t, _: *mut c_void) -> c_int {
    std::process::abort()
}

/// There is no pool with reports.
pub unsafe extern "C" fn each(_: *const rialto_report_t, _: *mut c_void) {
    std::process::abort()
}

/// There is no pool with tasks.
pub unsafe extern "C" fn work(_: *const c_void, _: usize, _: *mut rialto_output_t, _: *mut c_void) -> c_int {
    std::process::abort()
}

/// # Safety
/// What AddressSanitizer is to check.
unsafe fn touch(at: *const c_void, len: usize) {
    for i in 0..len {
        // SAFETY: the caller's word.
        unsafe { at.cast::<u8>().add(i).read_volatile() };
    }
}
