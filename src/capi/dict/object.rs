//! `rialto_dict_t`: create, open, and what never changes.

use super::answer;
use crate::{
    Dict, DictConfig,
    capi::{View, check, get, layout_of, name, put, rialto_layout_t, rialto_region_t, status},
};
use core::ffi::{c_char, c_int};

/// A dict from byte strings to byte strings that several processes share, as Python's
/// Manager().dict(), in the order in which the keys came: an operation is all or nothing, whoever is
/// killed when, and readers never wait for the dead. A plain view.
#[repr(C)]
pub struct rialto_dict_t {
    /// Private.
    pub _private: [u64; 16],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_dict_t {
    type Handle = Dict<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c   dict");
    const PINNED: bool = false;
}

/// What a dict takes in its region.
///
/// capacity    keys at most, 1 and more.
/// max_key_bytes
///             the longest key, 1 and more.
/// max_value_bytes
///             the longest value; 0 makes a set of keys.
/// layout      gets bytes and alignment (128).
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range, more than 2^30
///             bytes).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_layout(
    capacity: u32,
    max_key_bytes: u32,
    max_value_bytes: u32,
    layout: *mut rialto_layout_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(layout).and_then(|()| unsafe {
        layout.write(layout_of(DictConfig::new(capacity, max_key_bytes, max_value_bytes).layout()?));
        Ok(())
    }))
}

/// Makes a dict in a region, empty, waiting at most `timeout_ns` for others who create there.
///
/// region      alive; its view must outlive the dict's.
/// name        1 to 31 bytes of UTF-8.
/// capacity, max_key_bytes, max_value_bytes
///             as for rialto_dict_layout, which says how much room it takes.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// dict        gets the view.
/// Returns     as rialto_value_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
///             (a stopped one holds it up).
/// Signals     not async-signal-safe.
/// If we die   there is a whole dict or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_create(
    region: *const rialto_region_t,
    name: *const c_char,
    capacity: u32,
    max_key_bytes: u32,
    max_value_bytes: u32,
    timeout_ns: u64,
    dict: *mut rialto_dict_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the dict.
    status(check(dict).and_then(|()| unsafe {
        let (name, region) = (self::name(name)?, get::<'static, _>(region)?);
        let config = DictConfig::new(capacity, max_key_bytes, max_value_bytes);
        put(dict, region.create_dict_timeout(name, &config, timeout_ns)?);
        Ok(())
    }))
}

/// Finds the dict of that name, whatever its numbers are.
///
/// region      alive; its view must outlive the dict's.
/// name        as it was created.
/// dict        gets the view.
/// Returns     as rialto_lock_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_open(
    region: *const rialto_region_t,
    name: *const c_char,
    dict: *mut rialto_dict_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the dict.
    status(check(dict).and_then(|()| unsafe {
        let name = self::name(name)?;
        put(dict, get::<'static, _>(region)?.open_dict(name)?);
        Ok(())
    }))
}

/// As rialto_dict_open, if it was created with these numbers.
///
/// region, name, dict
///             as for rialto_dict_open.
/// capacity, max_key_bytes, max_value_bytes
///             as for rialto_dict_create.
/// Returns     as rialto_dict_open; RIALTO_EWRONGKIND also if it was created with other numbers.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_open_as(
    region: *const rialto_region_t,
    name: *const c_char,
    capacity: u32,
    max_key_bytes: u32,
    max_value_bytes: u32,
    dict: *mut rialto_dict_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the dict.
    status(check(dict).and_then(|()| unsafe {
        let (name, config) = (self::name(name)?, DictConfig::new(capacity, max_key_bytes, max_value_bytes));
        put(dict, get::<'static, _>(region)?.open_dict_as(name, &config)?);
        Ok(())
    }))
}

/// The dict of that name, which is created if there is none, waiting for others who create there as
/// long as it takes.
///
/// region, name, dict
///             as for rialto_dict_create.
/// capacity, max_key_bytes, max_value_bytes
///             as for rialto_dict_create.
/// Returns     as rialto_dict_open and rialto_dict_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST (nor, as it waits as long as it takes, RIALTO_ETIMEDOUT and
///             RIALTO_EAGAIN); RIALTO_EWRONGKIND also if it was created with other numbers.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_dict_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_dict_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    capacity: u32,
    max_key_bytes: u32,
    max_value_bytes: u32,
    dict: *mut rialto_dict_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the dict.
    status(check(dict).and_then(|()| unsafe {
        let (name, config) = (self::name(name)?, DictConfig::new(capacity, max_key_bytes, max_value_bytes));
        put(dict, get::<'static, _>(region)?.open_or_create_dict(name, &config)?);
        Ok(())
    }))
}

/// Keys at most.
///
/// dict        alive.
/// capacity    gets the number. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_capacity(dict: *const rialto_dict_t, capacity: *mut u32) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(dict, capacity, |dict| Ok(dict.config().capacity)) }
}

/// The longest key, in bytes.
///
/// dict        alive.
/// max_key_bytes
///             gets the number. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_max_key_bytes(
    dict: *const rialto_dict_t,
    max_key_bytes: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(dict, max_key_bytes, |dict| Ok(dict.config().max_key)) }
}

/// The longest value, in bytes; what a buffer for any of them needs.
///
/// dict        alive.
/// max_value_bytes
///             gets the number. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_dict_max_value_bytes(
    dict: *const rialto_dict_t,
    max_value_bytes: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(dict, max_value_bytes, |dict| Ok(dict.config().max_value)) }
}
