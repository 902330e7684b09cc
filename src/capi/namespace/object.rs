//! `rialto_namespace_t`: create, open, and what never changes.

use super::answer;
use crate::{
    Namespace, NamespaceConfig,
    capi::{View, check, get, layout_of, name, put, rialto_layout_t, rialto_region_t, status},
};
use core::ffi::{c_char, c_int};

/// Attributes with names and types that several processes share, as Python's Manager().Namespace():
/// an operation is all or nothing, whoever is killed when, and readers never wait for the dead. A
/// plain view.
#[repr(C)]
pub struct rialto_namespace_t {
    /// Private.
    pub _private: [u64; 16],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_namespace_t {
    type Handle = Namespace<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c  attrs");
    const PINNED: bool = false;
}

/// What a namespace takes in its region.
///
/// capacity    attributes at most, 1 and more.
/// max_name_bytes
///             the longest name of an attribute, without the zero, 1 and more.
/// max_string_bytes
///             the longest string (without the zero) or byte string; numbers fit in any case.
/// layout      gets bytes and alignment (128).
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range, more than 2^30
///             bytes).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_layout(
    capacity: u32,
    max_name_bytes: u32,
    max_string_bytes: u32,
    layout: *mut rialto_layout_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(layout).and_then(|()| unsafe {
        layout.write(layout_of(NamespaceConfig::new(capacity, max_name_bytes, max_string_bytes).layout()?));
        Ok(())
    }))
}

/// Makes a namespace in a region, empty, waiting at most `timeout_ns` for others who create there.
///
/// region      alive; its view must outlive the namespace's.
/// name        1 to 31 bytes of UTF-8.
/// capacity, max_name_bytes, max_string_bytes
///             as for rialto_namespace_layout, which says how much room it takes.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// ns          gets the view.
/// Returns     as rialto_value_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
///             (a stopped one holds it up).
/// Signals     not async-signal-safe.
/// If we die   there is a whole namespace or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_create(
    region: *const rialto_region_t,
    name: *const c_char,
    capacity: u32,
    max_name_bytes: u32,
    max_string_bytes: u32,
    timeout_ns: u64,
    ns: *mut rialto_namespace_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the namespace.
    status(check(ns).and_then(|()| unsafe {
        let (name, region) = (self::name(name)?, get::<'static, _>(region)?);
        let config = NamespaceConfig::new(capacity, max_name_bytes, max_string_bytes);
        put(ns, region.create_namespace_timeout(name, &config, timeout_ns)?);
        Ok(())
    }))
}

/// Finds the namespace of that name, whatever its numbers are.
///
/// region      alive; its view must outlive the namespace's.
/// name        as it was created.
/// ns          gets the view.
/// Returns     as rialto_lock_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_open(
    region: *const rialto_region_t,
    name: *const c_char,
    ns: *mut rialto_namespace_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the namespace.
    status(check(ns).and_then(|()| unsafe {
        let name = self::name(name)?;
        put(ns, get::<'static, _>(region)?.open_namespace(name)?);
        Ok(())
    }))
}

/// As rialto_namespace_open, if it was created with these numbers.
///
/// region, name, ns
///             as for rialto_namespace_open.
/// capacity, max_name_bytes, max_string_bytes
///             as for rialto_namespace_create.
/// Returns     as rialto_namespace_open; RIALTO_EWRONGKIND also if it was created with other
///             numbers.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_open_as(
    region: *const rialto_region_t,
    name: *const c_char,
    capacity: u32,
    max_name_bytes: u32,
    max_string_bytes: u32,
    ns: *mut rialto_namespace_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the namespace.
    status(check(ns).and_then(|()| unsafe {
        let (name, config) =
            (self::name(name)?, NamespaceConfig::new(capacity, max_name_bytes, max_string_bytes));
        put(ns, get::<'static, _>(region)?.open_namespace_as(name, &config)?);
        Ok(())
    }))
}

/// The namespace of that name, which is created if there is none, waiting for others who create
/// there as long as it takes.
///
/// region, name, ns
///             as for rialto_namespace_create.
/// capacity, max_name_bytes, max_string_bytes
///             as for rialto_namespace_create.
/// Returns     as rialto_namespace_open and rialto_namespace_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST (nor, as it waits as long as it takes, RIALTO_ETIMEDOUT and
///             RIALTO_EAGAIN); RIALTO_EWRONGKIND also if it was created with other numbers.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_namespace_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_namespace_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    capacity: u32,
    max_name_bytes: u32,
    max_string_bytes: u32,
    ns: *mut rialto_namespace_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the namespace.
    status(check(ns).and_then(|()| unsafe {
        let (name, config) =
            (self::name(name)?, NamespaceConfig::new(capacity, max_name_bytes, max_string_bytes));
        put(ns, get::<'static, _>(region)?.open_or_create_namespace(name, &config)?);
        Ok(())
    }))
}

/// Attributes at most.
///
/// ns          alive.
/// capacity    gets the number. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_capacity(
    ns: *const rialto_namespace_t,
    capacity: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(ns, capacity, |ns| Ok(ns.config().capacity)) }
}

/// The longest name of an attribute, in bytes, without the zero.
///
/// ns          alive.
/// max_name_bytes
///             gets the number. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_max_name_bytes(
    ns: *const rialto_namespace_t,
    max_name_bytes: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(ns, max_name_bytes, |ns| Ok(ns.config().max_name)) }
}

/// The longest string (without the zero) or byte string, in bytes.
///
/// ns          alive.
/// max_string_bytes
///             gets the number. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_namespace_max_string_bytes(
    ns: *const rialto_namespace_t,
    max_string_bytes: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(ns, max_string_bytes, |ns| Ok(ns.config().max_bytes)) }
}
