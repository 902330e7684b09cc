//! Locks, events, plain semaphores and conditions under a name in a region: pointers into it, to be used with the
//! functions of their types.

use super::{
    check, get, name, rialto_condition_t, rialto_event_t, rialto_lock_t, rialto_region_t, rialto_rlock_t,
    rialto_semaphore_t, status,
};
use crate::{error::Result, region::Region};
use core::ffi::{c_char, c_int};

/// # Safety
/// The pointers are as C says; `T` and `C` are the same bytes.
unsafe fn put_address<T: 'static, C>(
    region: *const rialto_region_t,
    name: *const c_char,
    out: *mut *mut C,
    find: impl FnOnce(&'static Region, &str) -> Result<&'static T>,
) -> c_int {
    const { assert!(size_of::<T>() == size_of::<C>() && align_of::<T>() == align_of::<C>()) };
    // SAFETY: checked, and the caller's word: the region outlives the object's use.
    status(check(out).and_then(|()| unsafe {
        let object = find(get::<'static, _>(region)?, self::name(name)?)?;
        out.write(core::ptr::from_ref(object).cast_mut().cast());
        Ok(())
    }))
}

/// Creates a lock, free, under a name in a region, waiting for others who create there as long as it
/// takes.
///
/// region      alive; its view must outlive the object's use.
/// name        1 to 31 bytes of UTF-8.
/// lock        gets its address in this process.
/// Returns     RIALTO_OK; RIALTO_EEXIST; RIALTO_ENOSPC (no room, or no entry free); RIALTO_ENFILE
///             (the region's table of views is full); RIALTO_EMFILE; RIALTO_EBADREGION;
///             RIALTO_ENOTRECOVERABLE (a peer has damaged the directory's lock: nothing can be
///             created here any more); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
/// Signals     not async-signal-safe.
/// If we die   there is a whole one or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_create(
    region: *const rialto_region_t,
    name: *const c_char,
    lock: *mut *mut rialto_lock_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, lock, |region, name| region.create_lock(name)) }
}

/// Finds the lock of that name.
///
/// region      alive; its view must outlive the object's use.
/// name        as it was created.
/// lock        gets its address in this process.
/// Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EWRONGKIND; RIALTO_EBADREGION; RIALTO_ENFILE (the
///             region's table of views is full); RIALTO_EBUSY (six threads are stopped in the middle
///             of such a call through this region's view); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_open(
    region: *const rialto_region_t,
    name: *const c_char,
    lock: *mut *mut rialto_lock_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, lock, |region, name| region.open_lock(name)) }
}

/// The lock of that name, which is created if there is none.
///
/// region, name, lock
///             as for rialto_lock_create.
/// Returns     as rialto_lock_open and rialto_lock_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_lock_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_lock_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_lock_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    lock: *mut *mut rialto_lock_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, lock, |region, name| region.open_or_create_lock(name)) }
}

/// Creates a recursive lock, free, under a name in a region, waiting for others who create there as
/// long as it takes.
///
/// region      alive; its view must outlive the object's use.
/// name        1 to 31 bytes of UTF-8.
/// rlock       gets its address in this process.
/// Returns     as rialto_lock_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
/// Signals     not async-signal-safe.
/// If we die   there is a whole one or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_create(
    region: *const rialto_region_t,
    name: *const c_char,
    rlock: *mut *mut rialto_rlock_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, rlock, |region, name| region.create_rlock(name)) }
}

/// Finds the recursive lock of that name.
///
/// region      alive; its view must outlive the object's use.
/// name        as it was created.
/// rlock       gets its address in this process.
/// Returns     as rialto_lock_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_open(
    region: *const rialto_region_t,
    name: *const c_char,
    rlock: *mut *mut rialto_rlock_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, rlock, |region, name| region.open_rlock(name)) }
}

/// The recursive lock of that name, which is created if there is none.
///
/// region, name, rlock
///             as for rialto_rlock_create.
/// Returns     as rialto_rlock_open and rialto_rlock_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_rlock_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_rlock_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_rlock_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    rlock: *mut *mut rialto_rlock_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, rlock, |region, name| region.open_or_create_rlock(name)) }
}

/// Creates an event, clear, under a name in a region, waiting for others who create there as long as
/// it takes.
///
/// region      alive; its view must outlive the object's use.
/// name        1 to 31 bytes of UTF-8.
/// event       gets its address in this process.
/// Returns     as rialto_lock_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
/// Signals     not async-signal-safe.
/// If we die   there is a whole one or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_event_create(
    region: *const rialto_region_t,
    name: *const c_char,
    event: *mut *mut rialto_event_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, event, |region, name| region.create_event(name)) }
}

/// Finds the event of that name.
///
/// region      alive; its view must outlive the object's use.
/// name        as it was created.
/// event       gets its address in this process.
/// Returns     as rialto_lock_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_event_open(
    region: *const rialto_region_t,
    name: *const c_char,
    event: *mut *mut rialto_event_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, event, |region, name| region.open_event(name)) }
}

/// The event of that name, which is created if there is none.
///
/// region, name, event
///             as for rialto_event_create.
/// Returns     as rialto_event_open and rialto_event_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_event_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_event_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_event_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    event: *mut *mut rialto_event_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, event, |region, name| region.open_or_create_event(name)) }
}

/// Creates a condition, with nobody waiting, under a name in a region, waiting for others who create
/// there as long as it takes.
///
/// region      alive; its view must outlive the object's use.
/// name        1 to 31 bytes of UTF-8.
/// condition   gets its address in this process.
/// Returns     as rialto_lock_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
/// Signals     not async-signal-safe.
/// If we die   there is a whole one or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_create(
    region: *const rialto_region_t,
    name: *const c_char,
    condition: *mut *mut rialto_condition_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, condition, |region, name| region.create_condition(name)) }
}

/// Finds the condition of that name.
///
/// region      alive; its view must outlive the object's use.
/// name        as it was created.
/// condition   gets its address in this process.
/// Returns     as rialto_lock_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_open(
    region: *const rialto_region_t,
    name: *const c_char,
    condition: *mut *mut rialto_condition_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, condition, |region, name| region.open_condition(name)) }
}

/// The condition of that name, which is created if there is none.
///
/// region, name, condition
///             as for rialto_condition_create.
/// Returns     as rialto_condition_open and rialto_condition_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_condition_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_condition_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_condition_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    condition: *mut *mut rialto_condition_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, condition, |region, name| region.open_or_create_condition(name)) }
}

/// Creates a plain semaphore under a name in a region, waiting for others who create there as long
/// as it takes.
///
/// region      alive; its view must outlive the object's use.
/// name        1 to 31 bytes of UTF-8.
/// value       permits that are free at first, 0 to 2^31 - 1.
/// is_bounded  whether there are never more.
/// semaphore   gets its address in this process.
/// Returns     as rialto_lock_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
/// Signals     not async-signal-safe.
/// If we die   there is a whole one or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_create(
    region: *const rialto_region_t,
    name: *const c_char,
    value: u32,
    is_bounded: bool,
    semaphore: *mut *mut rialto_semaphore_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        put_address(region, name, semaphore, |region, name| match is_bounded {
            true => region.create_bounded_semaphore(name, value),
            false => region.create_plain_semaphore(name, value),
        })
    }
}

/// Finds the plain semaphore of that name.
///
/// region      alive; its view must outlive the object's use.
/// name        as it was created.
/// semaphore   gets its address in this process.
/// Returns     as rialto_lock_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_open(
    region: *const rialto_region_t,
    name: *const c_char,
    semaphore: *mut *mut rialto_semaphore_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { put_address(region, name, semaphore, |region, name| region.open_plain_semaphore(name)) }
}

/// The plain semaphore of that name, which is created if there is none.
///
/// region, name, value, is_bounded, semaphore
///             as for rialto_semaphore_create.
/// Returns     as rialto_semaphore_open and rialto_semaphore_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created with another bound.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_semaphore_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_semaphore_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_semaphore_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    value: u32,
    is_bounded: bool,
    semaphore: *mut *mut rialto_semaphore_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe {
        put_address(region, name, semaphore, |region, name| match is_bounded {
            true => region.open_or_create_bounded_semaphore(name, value),
            false => region.open_or_create_plain_semaphore(name, value),
        })
    }
}
