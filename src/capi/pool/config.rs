//! `rialto_pool_config_t`.

use crate::{
    capi::{bytes, check, name, status},
    error::{Error, Result},
    pool::PoolConfig,
    time::FOREVER,
};
use core::{
    ffi::{c_char, c_int, c_void},
    ptr,
};

/// What a pool is created with. Fill it with rialto_pool_config_default, then change what you
/// like.
#[repr(C)]
pub struct rialto_pool_config_t {
    /// 1 to 64. Each is a member of the region, and so is the parent.
    pub workers: u32,
    /// Tasks under way at a time, those counted whose report waits to be collected. 1 to 32768.
    pub slots: u32,
    /// Longest task; of several items in one, 4 bytes for each besides. Up to 2^26.
    pub max_task_bytes: u32,
    /// Longest result; of several items in one, 16 bytes for each besides. Up to 2^26.
    pub max_result_bytes: u32,
    /// How often a task is begun again after the death of the worker that had it, before it is
    /// RIALTO_TASK_DIED. 0 to 20.
    pub retries: u32,
    /// A worker that has done so many tasks (several items in one count once) is replaced. 0: none
    /// is.
    pub tasks_per_worker: u32,
    /// How long a task may take, in nanoseconds, from when a worker has begun it; then that worker
    /// is killed, at the pool's next look (see rialto_pool_tend). Workers that were stopped between
    /// tasks are killed as well, after 2 s at least. RIALTO_WAIT_FOREVER: as long as it likes; 0 is
    /// no such word, but too short for any.
    pub timeout_ns: u64,
    /// A function that each worker calls first. If it fails in worker after worker, the pool is
    /// broken. May be NULL.
    pub initializer: *const c_char,
    /// What that gets.
    pub argument: *const c_void,
    /// So many bytes, at most 1024.
    pub argument_bytes: usize,
    /// Must be 0.
    pub _reserved: [u64; 2],
}

/// Fills in the defaults: 16 tasks under way for each worker, of up to 4096 bytes, results too;
/// begun again twice; no timeout; no initializer.
///
/// workers     how many.
/// config      gets this and the usual for the rest; the number is not checked yet.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_config_default(
    workers: u32,
    config: *mut rialto_pool_config_t,
) -> c_int {
    let usual = PoolConfig::new(workers);
    let usual = rialto_pool_config_t {
        workers,
        slots: usual.slots,
        max_task_bytes: usual.max_task_bytes,
        max_result_bytes: usual.max_result_bytes,
        retries: usual.retries.into(),
        tasks_per_worker: usual.tasks_per_worker,
        timeout_ns: FOREVER,
        initializer: ptr::null(),
        argument: ptr::null(),
        argument_bytes: 0,
        _reserved: [0; 2],
    };
    // SAFETY: checked, and the caller's word.
    status(check(config).map(|()| unsafe { config.write(usual) }))
}

/// # Safety
/// Null, misaligned, or valid for reads, with what it points to, during `'a`.
pub(super) unsafe fn config_at<'a>(config: *const rialto_pool_config_t) -> Result<PoolConfig<'a>> {
    check(config)?;
    // SAFETY: checked, and the caller's word.
    unsafe {
        let config = &*config;
        if config._reserved != [0; 2] {
            return Err(Error::Invalid);
        }
        let argument = bytes(config.argument, config.argument_bytes)?;
        let initializer = match config.initializer.is_null() {
            true => None,
            false => Some((name(config.initializer)?, argument)),
        };
        Ok(PoolConfig {
            workers: config.workers,
            slots: config.slots,
            max_task_bytes: config.max_task_bytes,
            max_result_bytes: config.max_result_bytes,
            retries: u8::try_from(config.retries).map_err(|_| Error::Invalid)?,
            timeout_ns: config.timeout_ns,
            tasks_per_worker: config.tasks_per_worker,
            initializer,
        })
    }
}

/// How many bytes a pool takes in its region, at most.
///
/// config      of the pool.
/// pool_bytes  gets the number; the region's own bookkeeping comes on top.
/// Returns     RIALTO_OK; RIALTO_ENOSPC (more than any region has); RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_bytes(
    config: *const rialto_pool_config_t,
    pool_bytes: *mut u64,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(pool_bytes).and_then(|()| unsafe {
        pool_bytes.write(config_at(config)?.bytes()?);
        Ok(())
    }))
}
