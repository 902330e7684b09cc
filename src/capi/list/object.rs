//! `rialto_list_t`: create, open, and what never changes.

use super::answer;
use crate::{
    List, ListConfig,
    capi::{View, check, get, layout_of, name, put, rialto_layout_t, rialto_region_t, status},
};
use core::ffi::{c_char, c_int};

/// A list of byte strings that several processes share, as Python's Manager().list(): an operation
/// is all or nothing, whoever is killed when, and readers never wait for the dead. A plain view.
#[repr(C)]
pub struct rialto_list_t {
    /// Private.
    pub _private: [u64; 16],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_list_t {
    type Handle = List<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c   list");
    const PINNED: bool = false;
}

/// What a list takes in its region.
///
/// capacity    items at most, 1 and more.
/// max_item_bytes
///             the longest item, 1 and more.
/// layout      gets bytes and alignment (128).
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range, more than 2^30
///             bytes).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_layout(
    capacity: u32,
    max_item_bytes: u32,
    layout: *mut rialto_layout_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(layout).and_then(|()| unsafe {
        layout.write(layout_of(ListConfig::new(capacity, max_item_bytes).layout()?));
        Ok(())
    }))
}

/// Makes a list in a region, empty, waiting at most `timeout_ns` for others who create there.
///
/// region      alive; its view must outlive the list's.
/// name        1 to 31 bytes of UTF-8.
/// capacity, max_item_bytes
///             as for rialto_list_layout, which says how much room it takes.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// list        gets the view.
/// Returns     as rialto_value_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
///             (a stopped one holds it up).
/// Signals     not async-signal-safe.
/// If we die   there is a whole list or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_create(
    region: *const rialto_region_t,
    name: *const c_char,
    capacity: u32,
    max_item_bytes: u32,
    timeout_ns: u64,
    list: *mut rialto_list_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the list.
    status(check(list).and_then(|()| unsafe {
        let (name, region) = (self::name(name)?, get::<'static, _>(region)?);
        let config = ListConfig::new(capacity, max_item_bytes);
        put(list, region.create_list_timeout(name, &config, timeout_ns)?);
        Ok(())
    }))
}

/// Finds the list of that name, whatever its numbers are.
///
/// region      alive; its view must outlive the list's.
/// name        as it was created.
/// list        gets the view.
/// Returns     as rialto_lock_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_open(
    region: *const rialto_region_t,
    name: *const c_char,
    list: *mut rialto_list_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the list.
    status(check(list).and_then(|()| unsafe {
        let name = self::name(name)?;
        put(list, get::<'static, _>(region)?.open_list(name)?);
        Ok(())
    }))
}

/// As rialto_list_open, if it was created with these numbers.
///
/// region, name, list
///             as for rialto_list_open.
/// capacity, max_item_bytes
///             as for rialto_list_create.
/// Returns     as rialto_list_open; RIALTO_EWRONGKIND also if it was created with other numbers.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_open_as(
    region: *const rialto_region_t,
    name: *const c_char,
    capacity: u32,
    max_item_bytes: u32,
    list: *mut rialto_list_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the list.
    status(check(list).and_then(|()| unsafe {
        let (name, config) = (self::name(name)?, ListConfig::new(capacity, max_item_bytes));
        put(list, get::<'static, _>(region)?.open_list_as(name, &config)?);
        Ok(())
    }))
}

/// The list of that name, which is created if there is none, waiting for others who create there as
/// long as it takes.
///
/// region, name, list
///             as for rialto_list_create.
/// capacity, max_item_bytes
///             as for rialto_list_create.
/// Returns     as rialto_list_open and rialto_list_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST (nor, as it waits as long as it takes, RIALTO_ETIMEDOUT and
///             RIALTO_EAGAIN); RIALTO_EWRONGKIND also if it was created with other numbers.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_list_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_list_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    capacity: u32,
    max_item_bytes: u32,
    list: *mut rialto_list_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the list.
    status(check(list).and_then(|()| unsafe {
        let (name, config) = (self::name(name)?, ListConfig::new(capacity, max_item_bytes));
        put(list, get::<'static, _>(region)?.open_or_create_list(name, &config)?);
        Ok(())
    }))
}

/// Items at most.
///
/// list        alive.
/// capacity    gets the number. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_capacity(list: *const rialto_list_t, capacity: *mut u32) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, capacity, |list| Ok(list.config().capacity)) }
}

/// The longest item, in bytes; what a buffer for any of them needs.
///
/// list        alive.
/// max_item_bytes
///             gets the number. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_list_max_item_bytes(
    list: *const rialto_list_t,
    max_item_bytes: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(list, max_item_bytes, |list| Ok(list.config().max_item)) }
}
