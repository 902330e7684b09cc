//! `rialto_raw_value_*`, `rialto_raw_array_*`.

use super::{
    check, get, name, rialto_region_t, status,
    value::{check_type, rialto_type_t, type_of},
};
use crate::{
    error::{Error, Result},
    region::Kind,
};
use core::ffi::{c_char, c_int, c_void};

/// Makes a raw value, of one element, or a raw array; where it is.
///
/// # Safety
/// The pointers are as C says.
unsafe fn create_raw(
    kind: Kind,
    region: *const rialto_region_t,
    name: *const c_char,
    (r#type, size, count): (rialto_type_t, usize, u32),
) -> Result<*mut c_void> {
    let size = u32::try_from(size).map_err(|_| Error::Invalid)?;
    let shape = (type_of(r#type)?, size, count);
    // SAFETY: the caller's word.
    let (region, name) = unsafe { (get::<'static, _>(region)?, self::name(name)?) };
    Ok(region.create_any_raw(kind, name, shape)?.as_ptr().cast())
}

/// Finds one; where it is, and how many elements it has.
///
/// # Safety
/// The pointers are as C says.
unsafe fn open_raw(
    kind: Kind,
    region: *const rialto_region_t,
    name: *const c_char,
    wanted: (rialto_type_t, usize),
) -> Result<(*mut c_void, u32)> {
    // SAFETY: the caller's word.
    let (region, name) = unsafe { (get::<'static, _>(region)?, self::name(name)?) };
    let (elements, code) = region.open_any_raw(kind, name)?;
    check_type((code, elements.size()), wanted)?;
    Ok((elements.as_ptr().cast(), elements.len()))
}

/// Makes a raw value in a region, zero, waiting for others who create there as long as it takes:
/// bytes that are all yours. No lock, no copies, and all or nothing only what one instruction
/// stores. Python's RawValue.
///
/// region      alive; its view must outlive the use of `data`.
/// name        1 to 31 bytes of UTF-8.
/// type, size  as for rialto_value_create. It takes 128 bytes and `size` rounded up to 128.
/// data        gets where it is in this process, aligned to 128. Others store there at any moment:
///             use the compiler's __atomic builtins or volatile.
/// Returns     as rialto_value_create, but neither RIALTO_ETIMEDOUT nor RIALTO_EAGAIN.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
/// Signals     not async-signal-safe.
/// If we die   there is a whole value or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_raw_value_create(
    region: *const rialto_region_t,
    name: *const c_char,
    r#type: rialto_type_t,
    size: usize,
    data: *mut *mut c_void,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(data).and_then(|()| unsafe {
        data.write(create_raw(Kind::RawValue, region, name, (r#type, size, 1))?);
        Ok(())
    }))
}

/// Finds the raw value of that name.
///
/// region      alive; its view must outlive the use of `data`.
/// name        as it was created.
/// type, size  as it was created.
/// data        as for rialto_raw_value_create.
/// Returns     as rialto_value_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_raw_value_open(
    region: *const rialto_region_t,
    name: *const c_char,
    r#type: rialto_type_t,
    size: usize,
    data: *mut *mut c_void,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(data).and_then(|()| unsafe {
        data.write(open_raw(Kind::RawValue, region, name, (r#type, size))?.0);
        Ok(())
    }))
}

/// Makes a raw array in a region, zero. As rialto_raw_value_create.
///
/// region, name, type, size, data
///             as for rialto_raw_value_create; elements follow each other without gaps.
/// count       elements, 1 and more; at most 2^30 bytes in all.
/// Returns     as rialto_value_create, but neither RIALTO_ETIMEDOUT nor RIALTO_EAGAIN.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
/// Signals     not async-signal-safe.
/// If we die   there is a whole array or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_raw_array_create(
    region: *const rialto_region_t,
    name: *const c_char,
    r#type: rialto_type_t,
    size: usize,
    count: u32,
    data: *mut *mut c_void,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(data).and_then(|()| unsafe {
        data.write(create_raw(Kind::RawArray, region, name, (r#type, size, count))?);
        Ok(())
    }))
}

/// Finds the raw array of that name.
///
/// region, name, type, size, data
///             as for rialto_raw_value_open.
/// count       gets how many elements it has.
/// Returns     as rialto_value_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_raw_array_open(
    region: *const rialto_region_t,
    name: *const c_char,
    r#type: rialto_type_t,
    size: usize,
    data: *mut *mut c_void,
    count: *mut u32,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(data).and_then(|()| check(count)).and_then(|()| unsafe {
        let (elements, len) = open_raw(Kind::RawArray, region, name, (r#type, size))?;
        data.write(elements);
        count.write(len);
        Ok(())
    }))
}
