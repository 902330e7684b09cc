//! `rialto_pool_t`: made, looked at, ended.

use super::config::{config_at, rialto_pool_config_t};
use crate::{
    capi::{View, check, get, name, put, rialto_process_t, rialto_region_t, status, take},
    error::{Error, Result},
    pool::{MAX_WORKERS, Pool, Progress, Start, scratch::Scratch},
    process::Process,
};
use core::{
    cell::Cell,
    ffi::{c_char, c_int, c_void},
    mem::MaybeUninit,
    ptr::NonNull,
};

/// A pool, as its parent sees it. A pinned view, private to the process that created it: in one that
/// this forks, every call says RIALTO_EPERM. It has memory and descriptors of the process, which
/// rialto_pool_end gives back. What a worker closes, breaks or overwrites, being killed or not, ends
/// its task or the worker, not the pool. Callbacks (`start`, and `each` of rialto_pool_map) do not
/// use the pool: RIALTO_EDEADLK.
#[repr(C)]
pub struct rialto_pool_t {
    /// Private.
    pub _private: [u64; 8],
}

/// What starts workers, from C.
pub(super) struct CStart {
    start: unsafe extern "C" fn(*const c_void, usize, *mut rialto_process_t, *mut c_void) -> c_int,
    context: *mut c_void,
}

impl Start for CStart {
    fn start(&mut self, told: &[u8]) -> Result<Process> {
        let mut process = MaybeUninit::<rialto_process_t>::zeroed();
        // SAFETY: `rialto_pool_create`'s caller said that it may be called with this.
        let started =
            unsafe { (self.start)(told.as_ptr().cast(), told.len(), process.as_mut_ptr(), self.context) };
        if started < 0 {
            return Err(Error::from_code(started));
        }
        // SAFETY: a view that is alive, or zeros, which are refused.
        unsafe { take(process.as_mut_ptr()) }
    }
}

/// It is too large for a view, so it has memory of its own.
pub struct Place {
    at: NonNull<Pool<'static, CStart>>,
    /// Whether a call is in it.
    is_used: Cell<bool>,
    _memory: Scratch,
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_pool_t {
    type Handle = Place;
    const TAG: u64 = u64::from_le_bytes(*b"c   pool");
    const PINNED: bool = true;
}

/// Uses the pool; meanwhile nobody else can, not even callbacks. Errors: also `NotOwner`: a forked child has a copy of what
/// its parent knows, and shares the rest; `Deadlock`: called from within a callback.
///
/// # Safety
/// As [`get`].
pub(super) unsafe fn with<'a, T>(
    pool: *mut rialto_pool_t,
    it: impl FnOnce(&'a mut Pool<'static, CStart>) -> Result<T>,
) -> Result<T> {
    // SAFETY: the caller's word. The place stays: what would end it is refused meanwhile.
    let place = unsafe { get(pool.cast_const()) }?;
    if place.is_used.get() {
        return Err(Error::Deadlock);
    }
    // SAFETY: written in `rialto_pool_create`, and there until `rialto_pool_end`; nobody else uses it: no other thread, the
    // caller says, and no call of ours further out, `is_used` says.
    let at = unsafe { &mut *place.at.as_ptr() };
    if !at.is_mine() {
        return Err(Error::NotOwner);
    }
    place.is_used.set(true);
    let done = it(at);
    place.is_used.set(false);
    done
}

/// Creates a pool's objects in a region, and starts its workers. Python's Pool(workers).
///
/// region      alive; its view must outlive the pool's.
/// name        1 to 24 bytes; the objects' names begin with it: .tasks, .table, .done.
/// config      how.
/// start       starts a process (rialto_process_start, in a way that you choose) into `process`,
///             and returns what that returned; the process's entry calls rialto_pool_work with
///             these bytes, which are its args. Called now, and in the functions below whenever a
///             worker is to be replaced; does not use the pool. Start daemons: they end with this
///             process.
/// context     what it gets.
/// pool        gets the view. Do not pass one that is alive: its workers would be forgotten.
/// Returns     RIALTO_OK; as rialto_queue_create; what `start` returned; RIALTO_EMSGSIZE (the
///             initializer's argument); RIALTO_ENFILE (the region has not a member for each worker
///             and this thread). Negative: nothing is left.
/// Concurrency one thread.  Blocks: as `start` does, and as rialto_queue_create.
/// Signals     not async-signal-safe.
/// If we die   workers that are daemons are killed, others end when they have ended their task. The
///             objects stay in the region: rialto_region_remove.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_create(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_pool_config_t,
    start: Option<
        unsafe extern "C" fn(
            args: *const c_void,
            args_bytes: usize,
            process: *mut rialto_process_t,
            context: *mut c_void,
        ) -> c_int,
    >,
    context: *mut c_void,
    pool: *mut rialto_pool_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the pool.
    status(check(pool).and_then(|()| unsafe {
        let region = get::<'static, _>(region)?;
        let (name, config) = (self::name(name)?, config_at(config)?);
        let start = CStart { start: start.ok_or(Error::Invalid)?, context };
        let mut memory = Scratch::<u8>::new(size_of::<Pool<'static, CStart>>())?;
        // A mapping: aligned for anything.
        let at = NonNull::from(memory.get_mut()).cast::<Pool<'static, CStart>>();
        at.write(Pool::create_with(region, name, &config, start)?);
        put(pool, Place { at, is_used: Cell::new(false), _memory: memory });
        Ok(())
    }))
}

/// No more tasks. Workers end when those that there are have ended. Python's Pool.close.
///
/// pool        alive. Closed already is fine.
/// Returns     RIALTO_OK; RIALTO_EPERM (a forked child of its owner); RIALTO_EDEADLK (within
///             a callback); RIALTO_EINVAL.
/// Concurrency one thread at a time for each pool.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_pool_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_close(pool: *mut rialto_pool_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe {
        with(pool, |pool| {
            pool.close();
            Ok(())
        })
    })
}

/// Waits until all tasks have ended, and all workers. Reports can be collected afterwards. Python's
/// Pool.join.
///
/// pool        alive, and closed.
/// timeout_ns  how long; 0 polls; RIALTO_WAIT_FOREVER never passes.
/// Returns     RIALTO_OK; RIALTO_EBUSY (it is not closed); RIALTO_ETIMEDOUT, RIALTO_EAGAIN
///             (polling); RIALTO_EBROKEN (no worker gets through its start); RIALTO_EPERM (a forked
///             child of its owner); RIALTO_EDEADLK (within a callback); RIALTO_EINVAL; what
///             `start` returned, if there is no worker and has not been one for five seconds: then
///             it can be called again. (Of that, RIALTO_ENOENT, RIALTO_EAGAIN and others that mean
///             something else here are RIALTO_EBROKEN; rialto_pool_tend says which.)
/// Concurrency one thread at a time for each pool.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_pool_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_join(pool: *mut rialto_pool_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { with(pool, |pool| pool.join(timeout_ns)) })
}

/// Kills all workers, and waits for their ends. Tasks that had not ended are
/// RIALTO_TASK_CANCELLED; all reports can be collected. Python's Pool.terminate.
///
/// pool        alive.
/// Returns     RIALTO_OK; RIALTO_EPERM (a forked child of its owner); RIALTO_EDEADLK (within
///             a callback); RIALTO_EINVAL.
/// Concurrency one thread at a time for each pool.  Blocks: for as long as the kernel takes to end
///             processes.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_pool_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_terminate(pool: *mut rialto_pool_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe {
        with(pool, |pool| {
            pool.terminate();
            Ok(())
        })
    })
}

/// Terminates the pool, and removes its objects from the region. The view is not alive any more,
/// but for RIALTO_EPERM and RIALTO_EDEADLK.
///
/// pool        alive.
/// Returns     RIALTO_OK; RIALTO_EPERM (a forked child of its owner: not done); RIALTO_EDEADLK
///             (within a callback: not done); RIALTO_EINVAL; as rialto_region_remove, for the
///             first of its objects that stays (RIALTO_EBUSY: another process has it open): the pool
///             has ended all the same, and they can be removed one by one.
/// Concurrency one thread.  Blocks: as rialto_pool_terminate, and as rialto_region_remove.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_pool_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_end(pool: *mut rialto_pool_t) -> c_int {
    // SAFETY: the caller's word; the memory goes after what is in it was taken out.
    status(unsafe {
        with(pool, |_| Ok(())).and_then(|()| take(pool)).and_then(|place| place.at.read().remove())
    })
}

/// Replaces workers that have ended, and kills those whose task takes too long. All functions that
/// wait do this each half tick, and rialto_pool_submit if it is time; who calls neither for long,
/// calls this now and then.
///
/// pool        alive.
/// Returns     RIALTO_OK; what `start` returned, of a worker that is to be replaced (it is tried
///             again at the next look); RIALTO_EPERM (a forked child of its owner); RIALTO_EDEADLK
///             (within a callback); RIALTO_EINVAL.
/// Concurrency one thread at a time for each pool.  Blocks: as `start` does.
/// Signals     not async-signal-safe.
/// If we die   as for rialto_pool_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_tend(pool: *mut rialto_pool_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { with(pool, Pool::tend) })
}

/// What a worker is at, as it says itself.
#[repr(C)]
pub struct rialto_worker_t {
    /// Its process, as that sees its own id; 0: none yet.
    pub pid: u32,
    /// Whether it has a task.
    pub is_busy: bool,
    /// For how long, in nanoseconds.
    pub busy_ns: u64,
    /// How many tasks workers in its place have done.
    pub done: u64,
}

/// How far a pool is. Figures of several moments: they may be one off against each other.
#[repr(C)]
pub struct rialto_progress_t {
    /// Tasks submitted; of rialto_pool_map, chunks.
    pub submitted: u64,
    /// Tasks that ended, however.
    pub ended: u64,
    /// How often a task was begun again after a death.
    pub redone: u64,
    /// Tasks that nobody has begun.
    pub pending: u32,
    /// Tasks being worked on.
    pub running: u32,
    /// How many of `worker` there are.
    pub workers: u32,
    /// 0.
    pub _reserved: u32,
    /// Each of them.
    pub worker: [rialto_worker_t; 64],
}

const _: () = assert!(MAX_WORKERS == 64);

/// How far a pool is, for any process that is attached to the region.
///
/// region      alive.
/// name        the pool's.
/// progress    gets the figures.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no such pool); RIALTO_EWRONGKIND (that is none); else as
///             rialto_raw_array_open.
/// Concurrency any thread of any process.  Blocks: as rialto_raw_array_open.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pool_progress(
    region: *const rialto_region_t,
    name: *const c_char,
    progress: *mut rialto_progress_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(progress).and_then(|()| unsafe {
        let seen = Progress::read(get::<'static, _>(region)?, self::name(name)?)?;
        progress.write(rialto_progress_t {
            submitted: seen.submitted,
            ended: seen.ended,
            redone: seen.redone,
            pending: seen.pending,
            running: seen.running,
            workers: seen.worker_count,
            _reserved: 0,
            worker: seen.workers.map(|worker| rialto_worker_t {
                pid: worker.pid,
                is_busy: worker.is_busy,
                busy_ns: worker.busy_ns,
                done: worker.done,
            }),
        });
        Ok(())
    }))
}
