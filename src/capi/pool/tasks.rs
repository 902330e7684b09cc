//! Tasks: submitted, waited for, taken back.

use super::object::{rialto_pool_t, with};
use crate::{
    capi::{bytes, check, name, rialto_message_t, room, status},
    error::{Error, Result},
    pool::{Outcome, Report, TaskId},
    time::FOREVER,
};
use core::ffi::{c_char, c_int, c_void};

/// The function returned 0: here is what it wrote.
pub const RIALTO_TASK_DONE: u32 = 0;
/// It returned another number, see `code`; what it wrote says why.
pub const RIALTO_TASK_FAILED: u32 = 1;
/// It was in Rust, and panicked, saying this.
pub const RIALTO_TASK_PANICKED: u32 = 2;
/// Its result was too long: `result_bytes` says how long, there is no `result`.
pub const RIALTO_TASK_TOO_LARGE: u32 = 3;
/// The worker has no function of that name.
pub const RIALTO_TASK_NO_FUNCTION: u32 = 4;
/// Its workers died, as often as the pool allows.
pub const RIALTO_TASK_DIED: u32 = 5;
/// It took too long; its worker was killed.
pub const RIALTO_TASK_TIMED_OUT: u32 = 6;
/// By rialto_pool_cancel or rialto_pool_terminate.
pub const RIALTO_TASK_CANCELLED: u32 = 7;
/// What the pool's table said of it is nonsense: a process has written wild.
pub const RIALTO_TASK_LOST: u32 = 8;

/// How a task went.
#[repr(C)]
pub struct rialto_report_t {
    /// Which one, as rialto_pool_submit said; of rialto_pool_map, the item's index.
    pub task: u64,
    /// What the function wrote, in the pool's memory until the next call with the pool (of
    /// rialto_pool_map, until `each` returns); NULL if there is nothing.
    pub result: *const c_void,
    /// How many bytes. Of RIALTO_TASK_TOO_LARGE, how many there would have been.
    pub result_bytes: usize,
    /// RIALTO_TASK_DONE, RIALTO_TASK_FAILED ...
    pub outcome: u32,
    /// What the function returned, of RIALTO_TASK_FAILED; else 0.
    pub code: i32,
    /// 0, or how many workers had it in hand before and died: some of its effects may have
    /// happened twice.
    pub attempt: u32,
    /// 0.
    pub _reserved: u32,
}

fn number(id: TaskId) -> u64 {
    id.serial << 16 | u64::from(id.slot)
}

fn id(number: u64) -> TaskId {
    TaskId { serial: number >> 16, slot: number as u32 & 0xffff }
}

fn to_c(task: u64, report: Report<&[u8]>) -> rialto_report_t {
    let (outcome, code, bytes, len) = match report.outcome {
        Outcome::Done(bytes) => (RIALTO_TASK_DONE, 0, bytes, bytes.len()),
        Outcome::Failed(code, bytes) => (RIALTO_TASK_FAILED, code, bytes, bytes.len()),
        Outcome::Panicked(bytes) => (RIALTO_TASK_PANICKED, 0, bytes, bytes.len()),
        Outcome::TooLarge(len) => {
            (RIALTO_TASK_TOO_LARGE, 0, &[][..], usize::try_from(len).unwrap_or(usize::MAX))
        }
        Outcome::NoFunction => (RIALTO_TASK_NO_FUNCTION, 0, &[][..], 0),
        Outcome::Died => (RIALTO_TASK_DIED, 0, &[][..], 0),
        Outcome::TimedOut => (RIALTO_TASK_TIMED_OUT, 0, &[][..], 0),
        Outcome::Cancelled => (RIALTO_TASK_CANCELLED, 0, &[][..], 0),
        Outcome::Lost => (RIALTO_TASK_LOST, 0, &[][..], 0),
    };
    rialto_report_t {
        task,
        result: if bytes.is_empty() { core::ptr::null() } else { bytes.as_ptr().cast() },
        result_bytes: len,
        outcome,
        code,
        attempt: report.attempt.into(),
        _reserved: 0,
    }
}

/// Gives the workers a task. Does not wait for a slot. Python's apply_async.
///
/// pool        alive.
/// function    its name, which the workers know: 1 to 31 bytes.
/// task, task_bytes
///             what it gets; NULL is fine for none.
/// id          gets which one it is.
/// Returns     RIALTO_OK; RIALTO_EAGAIN (as many are under way as there are slots: collect a
///             report first; or, after a second, busy workers have left the queue full of tasks
///             that were taken back); RIALTO_EMSGSIZE; RIALTO_EPIPE (closed, or terminated);
///             RIALTO_EBROKEN (no worker gets through its start); RIALTO_EPERM (a forked child of
///             its owner); RIALTO_EDEADLK (within a callback); RIALTO_EINVAL; as
///             rialto_queue_push; what `start` returned, as for rialto_pool_join. Negative: nothing
///             submitted.
/// Concurrency one thread at a time for each pool.  Blocks: as `start` does, if a worker is to be
///             replaced; after deaths, while places that the dead had in the queue are not free.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_pool_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_submit(
    pool: *mut rialto_pool_t,
    function: *const c_char,
    task: *const c_void,
    task_bytes: usize,
    id: *mut u64,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(id).and_then(|()| unsafe {
        let (function, task) = (name(function)?, bytes(task, task_bytes)?);
        id.write(number(with(pool, |pool| pool.submit(function, task))?));
        Ok(())
    }))
}

/// Waits until that task has ended, and collects its report. Python's AsyncResult.get.
///
/// pool        alive.
/// id          from rialto_pool_submit.
/// timeout_ns  how long; 0 polls; RIALTO_WAIT_FOREVER never passes.
/// report      gets the report.
/// Returns     RIALTO_OK, whatever came of the task; RIALTO_ENOENT (it was collected, or there was
///             none); RIALTO_EBADREGION; as rialto_pool_join, but not RIALTO_EBUSY.
/// Concurrency as rialto_pool_join.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_pool_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_wait(
    pool: *mut rialto_pool_t,
    id: u64,
    timeout_ns: u64,
    report: *mut rialto_report_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(report).and_then(|()| unsafe {
        report.write(to_c(id, with(pool, |pool| pool.wait(self::id(id), timeout_ns))?));
        Ok(())
    }))
}

/// Waits until any task has ended, and collects its report; of several, the oldest one's.
///
/// pool        alive.
/// timeout_ns  how long; 0 polls; RIALTO_WAIT_FOREVER never passes.
/// report      gets the report.
/// Returns     RIALTO_OK, whatever came of the task; RIALTO_ENOENT (none is under way);
///             RIALTO_EBADREGION; as rialto_pool_join, but not RIALTO_EBUSY.
/// Concurrency as rialto_pool_join.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_pool_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_next(
    pool: *mut rialto_pool_t,
    timeout_ns: u64,
    report: *mut rialto_report_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(report).and_then(|()| unsafe {
        let (id, next) = with(pool, |pool| pool.next(timeout_ns))?;
        report.write(to_c(number(id), next));
        Ok(())
    }))
}

/// Submits a task, and waits for it. Python's apply.
///
/// pool        alive.
/// function    its name, which the workers know: 1 to 31 bytes.
/// task, task_bytes
///             what it gets; NULL is fine for none.
/// timeout_ns  how long it may take; then it is taken back. 0 is too short for most.
/// report      gets the report; its `task` is 0.
/// Returns     RIALTO_OK, whatever came of the task; as rialto_pool_submit and rialto_pool_wait.
/// Concurrency as rialto_pool_join.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_pool_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_apply(
    pool: *mut rialto_pool_t,
    function: *const c_char,
    task: *const c_void,
    task_bytes: usize,
    timeout_ns: u64,
    report: *mut rialto_report_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(report).and_then(|()| unsafe {
        let (function, task) = (name(function)?, bytes(task, task_bytes)?);
        let done = with(pool, |pool| pool.apply(function, task, timeout_ns))?;
        report.write(to_c(0, done));
        Ok(())
    }))
}

struct Item(*const rialto_message_t);

impl AsRef<[u8]> for Item {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `rialto_pool_map` has checked it, and nobody changes it meanwhile.
        unsafe { bytes((*self.0).bytes, (*self.0).length_bytes).unwrap_or(&[]) }
    }
}

/// Calls a function for each item, some of them in a task. Python's map, imap and imap_unordered.
///
/// pool        alive.
/// function    its name, which the workers know: 1 to 31 bytes.
/// items       what it gets, one after the other; nobody changes it meanwhile.
/// count       how many.
/// chunk       so many items, or as many as fit, make a task; 0 is 1. What becomes of it, a death
///             or a timeout, becomes of each of its items. They share the room for its result.
/// is_ordered  whether reports come in the items' order, or as tasks end.
/// each        called with each report; does not use the pool (RIALTO_EDEADLK), and returns.
/// context     what it gets.
/// Returns     RIALTO_OK: all were reported, whatever came of them; RIALTO_EMSGSIZE (an item is
///             too long; all before it were reported); as rialto_pool_submit and rialto_pool_wait.
///             Negative: what was not begun is taken back, of the rest no report comes.
/// Concurrency as rialto_pool_join.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_pool_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_map(
    pool: *mut rialto_pool_t,
    function: *const c_char,
    items: *const rialto_message_t,
    count: usize,
    chunk: usize,
    is_ordered: bool,
    each: Option<unsafe extern "C" fn(report: *const rialto_report_t, context: *mut c_void)>,
    context: *mut c_void,
) -> c_int {
    // SAFETY: checked, and the caller's word; read only.
    status(unsafe {
        let map = || -> Result<()> {
            let each = each.ok_or(Error::Invalid)?;
            let function = name(function)?;
            let items = room(items.cast_mut(), count)?;
            for item in items.iter() {
                bytes(item.bytes, item.length_bytes)?;
            }
            let items = items.iter().map(|item| Item(item));
            with(pool, |pool| {
                if is_ordered {
                    return pool.map(function, items, chunk, |index, report| {
                        let report = to_c(index as u64, report);
                        each(&raw const report, context);
                    });
                }
                let mut walk = pool.imap_unordered(function, items, chunk)?;
                while let Some((index, report)) = walk.next_timeout(FOREVER)? {
                    let report = to_c(index as u64, report);
                    each(&raw const report, context);
                }
                Ok(())
            })
        };
        map()
    })
}

/// Takes a task back: one that nobody has begun, or from its worker, which is killed and
/// replaced. It is reported as RIALTO_TASK_CANCELLED.
///
/// pool        alive.
/// id          from rialto_pool_submit.
/// is_cancelled
///             gets whether it was; if not, it had ended.
/// Returns     RIALTO_OK; RIALTO_ENOENT (it was collected, or there was none); RIALTO_EPERM (a
///             forked child of the pool's owner); RIALTO_EDEADLK (within a callback);
///             RIALTO_EBADREGION; RIALTO_EINVAL.
/// Concurrency one thread at a time for each pool.  Blocks: as rialto_pool_terminate, for one
///             worker.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_pool_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_cancel(
    pool: *mut rialto_pool_t,
    id: u64,
    is_cancelled: *mut bool,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(is_cancelled).and_then(|()| unsafe {
        is_cancelled.write(with(pool, |pool| pool.cancel(self::id(id)))?);
        Ok(())
    }))
}
