//! A pool's other side.

use crate::{
    capi::{bytes, check, get, rialto_region_t, room, status, text},
    error::{Error, Result},
    pool::{Functions, Output, work_with},
};
use core::ffi::{c_char, c_int, c_void};

/// Where a function writes its result. Only ever pointed to, until the function returns.
#[repr(C)]
pub struct rialto_output_t {
    /// Private.
    pub _private: [u64; 1],
}

const _: () = assert!(align_of::<Output<'_>>() >= align_of::<rialto_output_t>());

/// A function that tasks name.
#[repr(C)]
pub struct rialto_function_t {
    /// 1 to 31 bytes.
    pub name: *const c_char,
    /// Gets a task, a private copy, and writes its result (rialto_output_write). Returns 0; or
    /// another number if it failed: then what it wrote says why. No exception, no longjmp out of it.
    pub run: Option<
        unsafe extern "C" fn(
            task: *const c_void,
            task_bytes: usize,
            output: *mut rialto_output_t,
            context: *mut c_void,
        ) -> c_int,
    >,
    /// What `run` gets.
    pub context: *mut c_void,
}

struct Table<'a>(&'a [rialto_function_t]);

impl Functions for Table<'_> {
    fn call(&self, name: &str, task: &[u8], output: &mut Output<'_>) -> Option<i64> {
        // SAFETY: `rialto_pool_work` has checked the names.
        let is_it =
            |function: &&rialto_function_t| unsafe { text(function.name, 31, Error::Invalid) } == Ok(name);
        let function = self.0.iter().find(is_it)?;
        let run = function.run?;
        let output = core::ptr::from_mut(output).cast();
        // SAFETY: its caller said that it may be called so.
        Some(unsafe { run(task.as_ptr().cast(), task.len(), output, function.context) }.into())
    }
}

/// Works for the pool, in a process that its `start` has started, until that is closed and empty, or
/// has ended, or wants no more tasks of this worker.
///
/// args, args_bytes
///             what `start` was given: the entry's args.
/// region      alive; the pool's, also if it is attached anew.
/// functions   what tasks can name.
/// count       how many.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such pool there, or it cannot be opened, or is damaged);
///             RIALTO_EBROKEN (the initializer failed); RIALTO_EINVAL (NULL, a bad name, a name
///             without a function). The pool does not care what the entry returns then.
/// Concurrency one thread of the process.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   what we had in hand is another worker's, as often as the pool's `retries` say.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_work(
    args: *const c_void,
    args_bytes: usize,
    region: *const rialto_region_t,
    functions: *const rialto_function_t,
    count: u32,
) -> c_int {
    let work = || -> Result<()> {
        // SAFETY: checked, and the caller's word; read only.
        unsafe {
            let functions = &*room(functions.cast_mut(), count as usize)?;
            for function in functions {
                if function.run.is_none() || text(function.name, 31, Error::Invalid)?.is_empty() {
                    return Err(Error::Invalid);
                }
            }
            let region = get::<'static, _>(region)?;
            match work_with(bytes(args, args_bytes)?, region, &Table(functions)) {
                0 => Ok(()),
                1 => Err(Error::NotFound),
                _ => Err(Error::Broken),
            }
        }
    };
    status(work())
}

/// Appends to a task's result.
///
/// output      as the function got it.
/// from, from_bytes
///             what; NULL is fine for none.
/// Returns     RIALTO_OK; RIALTO_EMSGSIZE (too long: the task has failed, and will say how long it
///             would have been); RIALTO_EINVAL.
/// Concurrency the function's thread.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   as for rialto_pool_work.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_output_write(
    output: *mut rialto_output_t,
    from: *const c_void,
    from_bytes: usize,
) -> c_int {
    // SAFETY: checked, and the caller's word: it is what `Table::call` has passed.
    status(
        check(output)
            .and_then(|()| unsafe { (*output.cast::<Output<'_>>()).write(bytes(from, from_bytes)?) }),
    )
}

/// Forgets what was written: to say what went wrong instead.
///
/// output      as the function got it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency the function's thread.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   as for rialto_pool_work.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_output_clear(output: *mut rialto_output_t) -> c_int {
    // SAFETY: checked, and the caller's word: it is what `Table::call` has passed.
    status(check(output).map(|()| unsafe { (*output.cast::<Output<'_>>()).clear() }))
}
