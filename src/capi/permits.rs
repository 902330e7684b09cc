//! `rialto_tracked_semaphore_t`.

use super::{View, check, get, name, put, rialto_member_t, rialto_region_t, status};
use crate::{Permit, TrackedSemaphore, error::Result, time::FOREVER};
use core::ffi::{c_char, c_int};

/// A semaphore whose permits belong to the member that acquired them, and come back when that member
/// dies. A plain view.
#[repr(C)]
pub struct rialto_tracked_semaphore_t {
    /// Private.
    pub _private: [u64; 8],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_tracked_semaphore_t {
    type Handle = TrackedSemaphore<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c permit");
    const PINNED: bool = false;
}

/// # Safety
/// As [`get`], for a view whose region outlives the result.
unsafe fn semaphore_at(semaphore: *const rialto_tracked_semaphore_t) -> Result<TrackedSemaphore<'static>> {
    // SAFETY: the caller's word.
    unsafe { get(semaphore) }.copied()
}

/// # Safety
/// The pointers are as C says.
unsafe fn create(
    region: *const rialto_region_t,
    name: *const c_char,
    permits: u32,
    timeout_ns: u64,
    semaphore: *mut rialto_tracked_semaphore_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the semaphore.
    status(check(semaphore).and_then(|()| unsafe {
        let name = self::name(name)?;
        put(semaphore, get::<'static, _>(region)?.create_semaphore_timeout(name, permits, timeout_ns)?);
        Ok(())
    }))
}

/// # Safety
/// The pointers are as C says.
unsafe fn acquire(semaphore: *const rialto_tracked_semaphore_t, timeout_ns: u64, permit: *mut u64) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(permit).and_then(|()| unsafe {
        permit.write(semaphore_at(semaphore)?.acquire_timeout(timeout_ns).map(Permit::into_token)?);
        Ok(())
    }))
}

/// Makes a tracked semaphore in a region, all permits free, waiting for others who create there as
/// long as it takes.
///
/// region      alive; its view must outlive the semaphore's.
/// name        1 to 31 bytes of UTF-8.
/// permits     how many there are; 1 to 65536. It takes 256 bytes and 8 for each.
/// semaphore   gets the view.
/// Returns     as rialto_queue_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
///             (a stopped one holds it up).
/// Signals     not async-signal-safe.
/// If we die   there is a whole semaphore or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_tracked_semaphore_create(
    region: *const rialto_region_t,
    name: *const c_char,
    permits: u32,
    semaphore: *mut rialto_tracked_semaphore_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { create(region, name, permits, FOREVER, semaphore) }
}

/// As rialto_tracked_semaphore_create, waiting at most `timeout_ns` nanoseconds for others who
/// create.
///
/// region, name, permits, semaphore
///             as for rialto_tracked_semaphore_create.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_tracked_semaphore_create; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody
///             creates).
/// Concurrency as rialto_tracked_semaphore_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_tracked_semaphore_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_tracked_semaphore_create_timeout(
    region: *const rialto_region_t,
    name: *const c_char,
    permits: u32,
    timeout_ns: u64,
    semaphore: *mut rialto_tracked_semaphore_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { create(region, name, permits, timeout_ns, semaphore) }
}

/// Finds the tracked semaphore of that name.
///
/// region      alive; its view must outlive the semaphore's.
/// name        as it was created.
/// semaphore   gets the view.
/// Returns     as rialto_lock_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_tracked_semaphore_open(
    region: *const rialto_region_t,
    name: *const c_char,
    semaphore: *mut rialto_tracked_semaphore_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the semaphore.
    status(check(semaphore).and_then(|()| unsafe {
        let name = self::name(name)?;
        put(semaphore, get::<'static, _>(region)?.open_semaphore(name)?);
        Ok(())
    }))
}

/// The tracked semaphore of that name, which is created if there is none.
///
/// region, name, permits, semaphore
///             as for rialto_tracked_semaphore_create.
/// Returns     as rialto_tracked_semaphore_open and rialto_tracked_semaphore_create, but neither
///             RIALTO_ENOENT nor RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created with
///             another number of permits.
/// Concurrency any thread of any process: all get the same.  Blocks: as
///             rialto_tracked_semaphore_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_tracked_semaphore_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_tracked_semaphore_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    permits: u32,
    semaphore: *mut rialto_tracked_semaphore_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives it.
    status(check(semaphore).and_then(|()| unsafe {
        let name = self::name(name)?;
        put(semaphore, get::<'static, _>(region)?.open_or_create_semaphore(name, permits)?);
        Ok(())
    }))
}

/// The same semaphore, seen by a member that you made, whichever thread calls: permits acquired
/// through the new view are that member's.
///
/// semaphore   alive.
/// member      alive, of the same region's view; it must outlive the new view's use. One of another
///             region is refused by what then acts as it, RIALTO_EINVAL. Stays the parent's in a
///             forked child, which must not act as it.
/// as_member   gets the new view; may be `semaphore`.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_tracked_semaphore_as_member(
    semaphore: *const rialto_tracked_semaphore_t,
    member: *const rialto_member_t,
    as_member: *mut rialto_tracked_semaphore_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the member outlives the new view.
    status(check(as_member).and_then(|()| unsafe {
        let view = semaphore_at(semaphore)?.as_member(get::<'static, _>(member)?);
        put(as_member, view);
        Ok(())
    }))
}

/// Takes a permit, waiting for one as long as it takes. It is yours until you release it, and comes
/// back by itself if you die. Cf. sem_wait.
///
/// semaphore   alive.
/// permit      gets the permit, a number that release wants; never 0.
/// Returns     RIALTO_OK; RIALTO_EPERM (rialto_tracked_semaphore_as_member: the member is gone);
///             RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
///             RIALTO_EINVAL (also: the member is not of this region).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   now or later, holding it: the permit is free again, once, within a tick of somebody's
///             waiting for it.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_tracked_semaphore_acquire(
    semaphore: *const rialto_tracked_semaphore_t,
    permit: *mut u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(semaphore, FOREVER, permit) }
}

/// Takes a permit if there is one now. Does not look for the dead: rialto_region_recover does.
///
/// semaphore, permit
///             as for rialto_tracked_semaphore_acquire.
/// Returns     as rialto_tracked_semaphore_acquire; RIALTO_EAGAIN (all are taken).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_tracked_semaphore_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_tracked_semaphore_try_acquire(
    semaphore: *const rialto_tracked_semaphore_t,
    permit: *mut u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(semaphore, 0, permit) }
}

/// Takes a permit, waiting for one at most `timeout_ns` nanoseconds. Cf. sem_timedwait, but relative
/// and monotonic.
///
/// semaphore, permit
///             as for rialto_tracked_semaphore_acquire.
/// timeout_ns  0 is rialto_tracked_semaphore_try_acquire; RIALTO_WAIT_FOREVER never passes. Never
///             early.
/// Returns     as rialto_tracked_semaphore_acquire; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
/// Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_tracked_semaphore_acquire.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_tracked_semaphore_acquire_timeout(
    semaphore: *const rialto_tracked_semaphore_t,
    timeout_ns: u64,
    permit: *mut u64,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { acquire(semaphore, timeout_ns, permit) }
}

/// Gives a permit back, and wakes somebody who waits for one. Cf. sem_post.
///
/// semaphore   alive; any view of the semaphore that it came from.
/// permit      what acquire gave, to whomever; not used any more afterwards.
/// Returns     RIALTO_OK; RIALTO_EPERM (given back already, or its member died or left: nothing
///             changed); RIALTO_EINVAL (also: it cannot be a permit of this semaphore; another's may
///             be taken for one).
/// Concurrency any thread of any process, also on behalf of the member that holds it.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is given back, now or as a dead one's; waiters find it within a tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_tracked_semaphore_release(
    semaphore: *const rialto_tracked_semaphore_t,
    permit: u64,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { semaphore_at(semaphore) }.and_then(|semaphore| semaphore.release_token(permit)))
}

/// How many permits are free. Walks over all of them. Cf. sem_getvalue.
///
/// semaphore   alive.
/// value       gets the number, which may be old when you read it; those of the dead count as taken
///             until somebody recovers them.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_tracked_semaphore_value(
    semaphore: *const rialto_tracked_semaphore_t,
    value: *mut u32,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(value).and_then(|()| unsafe {
        value.write(semaphore_at(semaphore)?.value());
        Ok(())
    }))
}

/// How many permits there are, free and taken.
///
/// semaphore   alive.
/// bound       gets the number that it was created with.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_tracked_semaphore_bound(
    semaphore: *const rialto_tracked_semaphore_t,
    bound: *mut u32,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(bound).and_then(|()| unsafe {
        bound.write(semaphore_at(semaphore)?.bound());
        Ok(())
    }))
}
