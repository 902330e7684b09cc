//! What is in a region, and removing it: `rialto_region_remove`, `_space`, `_next_object`.

use super::{check, get, name, rialto_region_t, status};
use crate::{
    error::Error,
    region::{Kind, Space},
    time::FOREVER,
};
use core::ffi::{c_char, c_int};

/// The room for objects in a region, in bytes.
#[repr(C)]
pub struct rialto_space_t {
    /// All of it: the region without its header and tables.
    pub total: u64,
    /// What objects have, rounded up to 128 each.
    pub used: u64,
    /// The rest, perhaps in pieces.
    pub free: u64,
    /// The largest piece: the size of the largest object that can be created.
    pub largest: u64,
}

/// One object of a region, a moment ago.
#[repr(C)]
pub struct rialto_object_info_t {
    /// Under which it was created; ends with a zero.
    pub name: [u8; 32],
    /// One of RIALTO_KIND_...
    pub kind: u32,
    /// How many views of the region use it, see rialto_region_remove; those of the dead do not
    /// count.
    pub users: u32,
    /// Where it lies in the region.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
    /// 0.
    pub _reserved: u64,
}

/// In rialto_object_info_t: a rialto_queue_t.
pub const RIALTO_KIND_QUEUE: u32 = 1;
/// In rialto_object_info_t: a rialto_tracked_semaphore_t.
pub const RIALTO_KIND_TRACKED_SEMAPHORE: u32 = 2;
/// In rialto_object_info_t: a rialto_barrier_t.
pub const RIALTO_KIND_BARRIER: u32 = 3;
/// In rialto_object_info_t: a rialto_spsc_t.
pub const RIALTO_KIND_SPSC: u32 = 4;
/// In rialto_object_info_t: a rialto_pipe_t.
pub const RIALTO_KIND_PIPE: u32 = 5;
/// In rialto_object_info_t: a rialto_value_t.
pub const RIALTO_KIND_VALUE: u32 = 6;
/// In rialto_object_info_t: a rialto_array_t.
pub const RIALTO_KIND_ARRAY: u32 = 7;
/// In rialto_object_info_t: a rialto_list_t.
pub const RIALTO_KIND_LIST: u32 = 8;
/// In rialto_object_info_t: a rialto_dict_t.
pub const RIALTO_KIND_DICT: u32 = 9;
/// In rialto_object_info_t: a rialto_namespace_t.
pub const RIALTO_KIND_NAMESPACE: u32 = 10;
/// In rialto_object_info_t: made by rialto_raw_value_create.
pub const RIALTO_KIND_RAW_VALUE: u32 = 11;
/// In rialto_object_info_t: made by rialto_raw_array_create.
pub const RIALTO_KIND_RAW_ARRAY: u32 = 12;
/// In rialto_object_info_t: a rialto_lock_t.
pub const RIALTO_KIND_LOCK: u32 = 13;
/// In rialto_object_info_t: a rialto_rlock_t.
pub const RIALTO_KIND_RLOCK: u32 = 14;
/// In rialto_object_info_t: a rialto_event_t.
pub const RIALTO_KIND_EVENT: u32 = 15;
/// In rialto_object_info_t: a rialto_semaphore_t.
pub const RIALTO_KIND_SEMAPHORE: u32 = 16;
/// In rialto_object_info_t: a rialto_condition_t.
pub const RIALTO_KIND_CONDITION: u32 = 17;

const _: () = {
    assert!(RIALTO_KIND_QUEUE == Kind::Queue as u32);
    assert!(RIALTO_KIND_TRACKED_SEMAPHORE == Kind::TrackedSemaphore as u32);
    assert!(RIALTO_KIND_BARRIER == Kind::Barrier as u32);
    assert!(RIALTO_KIND_SPSC == Kind::Spsc as u32);
    assert!(RIALTO_KIND_PIPE == Kind::Pipe as u32);
    assert!(RIALTO_KIND_VALUE == Kind::Value as u32);
    assert!(RIALTO_KIND_ARRAY == Kind::Array as u32);
    assert!(RIALTO_KIND_LIST == Kind::List as u32);
    assert!(RIALTO_KIND_DICT == Kind::Dict as u32);
    assert!(RIALTO_KIND_NAMESPACE == Kind::Namespace as u32);
    assert!(RIALTO_KIND_RAW_VALUE == Kind::RawValue as u32);
    assert!(RIALTO_KIND_RAW_ARRAY == Kind::RawArray as u32);
    assert!(RIALTO_KIND_LOCK == Kind::Lock as u32);
    assert!(RIALTO_KIND_RLOCK == Kind::RLock as u32);
    assert!(RIALTO_KIND_EVENT == Kind::Event as u32);
    assert!(RIALTO_KIND_SEMAPHORE == Kind::Semaphore as u32);
    assert!(RIALTO_KIND_CONDITION == Kind::Condition as u32);
};

/// Removes the object of that name, of whatever kind: its room and its name are free again.
///
/// Refused, and nothing changed, while anybody may use it: while another view of the region is alive
/// through which it was created or opened, in a process that may be alive; or while anybody, this
/// process included, has something of it in hand: a message, a permit, an end of a pipe or SPSC
/// queue, a place in a barrier, a lock. What was made through this very view you must not use any
/// more, on any thread; nor must a forked child that inherited it and has not yet called anything
/// that creates, opens or becomes a member. Used all the same, it acts on whatever lies in its place
/// then, inside the region.
///
/// region      alive.
/// name        as it was created.
/// Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EBUSY; RIALTO_ENOTRECOVERABLE (a peer has damaged
///             the directory's lock); RIALTO_EBADREGION; RIALTO_ENFILE (a forked child that finds
///             the region's table of views full); RIALTO_EMFILE; RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: yes, while another creates or removes (a stopped
///             one holds it up), and up to a tick while somebody recovers the dead in there.
/// Signals     not async-signal-safe.
/// If we die   the object is there, whole, or it is not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_remove(region: *const rialto_region_t, name: *const c_char) -> c_int {
    // SAFETY: the caller's word.
    unsafe { rialto_region_remove_timeout(region, name, FOREVER) }
}

/// As rialto_region_remove, waiting at most `timeout_ns` nanoseconds for others who create or
/// remove.
///
/// region, name
///             as for rialto_region_remove.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_region_remove; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates).
/// Concurrency as rialto_region_remove.
/// Signals     not async-signal-safe.
/// If we die   as rialto_region_remove.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_remove_timeout(
    region: *const rialto_region_t,
    name: *const c_char,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get(region).and_then(|region| region.remove_timeout(self::name(name)?, timeout_ns)) })
}

/// How much room there is. While others create and remove, about that much.
///
/// region      alive.
/// space       gets it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_space(
    region: *const rialto_region_t,
    space: *mut rialto_space_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(space).and_then(|()| unsafe {
        let Space { total, used, free, largest } = get(region)?.space();
        space.write(rialto_space_t { total, used, free, largest });
        Ok(())
    }))
}

/// Lists the objects, one each time, until RIALTO_ENOENT. While others create and remove, one may be
/// missed, or appear twice.
///
/// region      alive.
/// cursor      0 for the first one; is moved on.
/// info        gets the next object.
/// Returns     RIALTO_OK; RIALTO_ENOENT (no more); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_next_object(
    region: *const rialto_region_t,
    cursor: *mut u32,
    info: *mut rialto_object_info_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(info).and_then(|()| check(cursor)).and_then(|()| unsafe {
        let mut objects = get(region)?.objects_from(*cursor as usize)?;
        let object = objects.next().ok_or(Error::NotFound)?;
        cursor.write(objects.position() as u32);
        info.write(rialto_object_info_t {
            name: object.name.to_bytes(),
            kind: object.kind.number(),
            users: object.users,
            offset: object.offset,
            size: object.size,
            _reserved: 0,
        });
        Ok(())
    }))
}
