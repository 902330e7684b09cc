//! `rialto_type_t`, `rialto_value_t`.

use super::{View, buffer, bytes, check, code, get, name, put, rialto_region_t, status};
use crate::{
    any::Any,
    element::Code,
    error::{Error, Result},
    sys::Os,
};
use core::ffi::{c_char, c_int, c_void};

/// What a value is, or an element of an array: one of RIALTO_BLOCK, RIALTO_U8, ... A number's is
/// checked when the object is opened, and of any the size.
pub type rialto_type_t = u32;

/// Bytes of some structure; only its size is checked. All processes must agree on the structure.
pub const RIALTO_BLOCK: rialto_type_t = 0;
/// uint8_t
pub const RIALTO_U8: rialto_type_t = 1;
/// int8_t
pub const RIALTO_I8: rialto_type_t = 2;
/// uint16_t
pub const RIALTO_U16: rialto_type_t = 3;
/// int16_t
pub const RIALTO_I16: rialto_type_t = 4;
/// uint32_t
pub const RIALTO_U32: rialto_type_t = 5;
/// int32_t
pub const RIALTO_I32: rialto_type_t = 6;
/// uint64_t
pub const RIALTO_U64: rialto_type_t = 7;
/// int64_t
pub const RIALTO_I64: rialto_type_t = 8;
/// float
pub const RIALTO_F32: rialto_type_t = 9;
/// double
pub const RIALTO_F64: rialto_type_t = 10;
/// bool, one byte: 0 or 1
pub const RIALTO_BOOL: rialto_type_t = 11;

/// A value that several processes share: a store is all or nothing, whoever is killed when, and a
/// load never waits for the dead. A plain view.
#[repr(C)]
pub struct rialto_value_t {
    /// Private.
    pub _private: [u64; 8],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_value_t {
    type Handle = Any<'static, Os>;
    const TAG: u64 = u64::from_le_bytes(*b"c  value");
    const PINNED: bool = false;
}

/// The type of that number. Errors: `Invalid`.
pub(super) fn type_of(number: rialto_type_t) -> Result<Code> {
    Code::from_u32(number).ok_or(Error::Invalid)
}

/// # Safety
/// As [`get`], for a view whose region outlives the result.
unsafe fn value_at(value: *const rialto_value_t) -> Result<Any<'static, Os>> {
    // SAFETY: the caller's word.
    unsafe { get(value) }.copied()
}

/// Makes a value in a region, waiting at most `timeout_ns` for others who create there.
///
/// region      alive; its view must outlive the value's.
/// name        1 to 31 bytes of UTF-8.
/// type        RIALTO_BLOCK, RIALTO_U8 ...
/// initial     `size` bytes: what it is at first.
/// size        1 to 2^30; a number's own. It takes 256 bytes, and twice `size` rounded up to 128.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// value       gets the view.
/// Returns     RIALTO_OK; RIALTO_EEXIST; RIALTO_ENOSPC (no room, or no entry free);
///             RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates); RIALTO_ENFILE (the
///             region's table of views is full); RIALTO_EMFILE; RIALTO_EBADREGION;
///             RIALTO_ENOTRECOVERABLE (a peer has damaged the directory's lock: nothing can be
///             created here any more); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
///             (a stopped one holds it up).
/// Signals     not async-signal-safe.
/// If we die   there is a whole value or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_create(
    region: *const rialto_region_t,
    name: *const c_char,
    r#type: rialto_type_t,
    initial: *const c_void,
    size: usize,
    timeout_ns: u64,
    value: *mut rialto_value_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the value.
    status(check(value).and_then(|()| unsafe {
        let (name, initial) = (self::name(name)?, bytes(initial, size)?);
        let region = get::<'static, _>(region)?;
        put(value, region.create_any_value(name, type_of(r#type)?, initial, timeout_ns)?);
        Ok(())
    }))
}

/// Finds the value of that name.
///
/// region      alive; its view must outlive the value's.
/// name        as it was created.
/// type, size  as it was created.
/// value       gets the view.
/// Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EWRONGKIND (also: of another type or size);
///             RIALTO_EBADREGION; RIALTO_ENFILE (the region's table of views is full); RIALTO_EBUSY
///             (six threads are stopped in the middle of such a call through this region's view);
///             RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_open(
    region: *const rialto_region_t,
    name: *const c_char,
    r#type: rialto_type_t,
    size: usize,
    value: *mut rialto_value_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the value.
    status(check(value).and_then(|()| unsafe {
        let any = get::<'static, _>(region)?.open_any_value(self::name(name)?)?;
        check_type((any.code(), any.size()), (r#type, size))?;
        put(value, any);
        Ok(())
    }))
}

/// The value as it was stored last. Does not wait for who holds the lock.
///
/// value       alive.
/// to          gets it; nobody else uses those bytes meanwhile. After an error they may be
///             overwritten.
/// size        its size.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: another size); where writers overtake us 64 times in
///             a row, also as rialto_value_store.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_load(
    value: *const rialto_value_t,
    to: *mut c_void,
    size: usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(unsafe { value_at(value) }.and_then(|value| {
        only(&value, size)?;
        // SAFETY: the caller's word.
        value.read(0, unsafe { buffer(to, size) }?)
    }))
}

/// Refuses another size than the value's.
fn only(value: &Any<'static, Os>, size: usize) -> Result<()> {
    if value.size() as usize == size { Ok(()) } else { Err(Error::Invalid) }
}

/// Stores a value, waiting for others who hold the lock, see rialto_value_set_timeout.
///
/// value       alive.
/// from, size  the bytes; as many as it has. A bool is 0 or 1.
/// Returns     RIALTO_OK; RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
///             RIALTO_ETIMEDOUT, RIALTO_EAGAIN (only after rialto_value_set_timeout); RIALTO_EDEADLK
///             (from within an edit of it); RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE (a peer has
///             damaged the lock); RIALTO_EINVAL (also: another size).
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   everybody finds the old value, or everybody the new one.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_store(
    value: *const rialto_value_t,
    from: *const c_void,
    size: usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(unsafe { value_at(value) }.and_then(|value| {
        only(&value, size)?;
        // SAFETY: the caller's word.
        value.write(0, unsafe { bytes(from, size) }?)
    }))
}

/// Stores a value, and tells what was there.
///
/// value, from, size
///             as for rialto_value_store; at most 64 bytes.
/// before      gets `size` bytes; may be `from`.
/// Returns     as rialto_value_store; RIALTO_ENOTSUP (larger than 64 bytes).
/// Concurrency as rialto_value_store.
/// Signals     not async-signal-safe.
/// If we die   as rialto_value_store.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_swap(
    value: *const rialto_value_t,
    from: *const c_void,
    before: *mut c_void,
    size: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { value_at(value) }.and_then(|value| unsafe { swap(&value, 0, from, before, size) }))
}

/// # Safety
/// The pointers are as C says.
pub(super) unsafe fn swap(
    any: &Any<'static, Os>,
    index: u32,
    from: *const c_void,
    before: *mut c_void,
    size: usize,
) -> Result<()> {
    only(any, size)?;
    let (mut new, mut old) = ([0; crate::any::MAX_WORD], [0; crate::any::MAX_WORD]);
    let new = new.get_mut(..size).ok_or(Error::NotSupported)?;
    let old = &mut old[..size];
    // SAFETY: the caller's word; one after the other, as they may be the same.
    unsafe {
        new.copy_from_slice(bytes(from, size)?);
        check(before.cast::<u8>())?;
        any.swap(index, new, old)?;
        buffer(before, size)?.copy_from_slice(old);
    }
    Ok(())
}

/// Stores a value if it is, byte by byte, the expected one.
///
/// value       alive.
/// expected    `size` bytes: the value to be replaced. Gets what was there.
/// from, size  the new value; at most 64 bytes.
/// Returns     RIALTO_OK (replaced); RIALTO_EAGAIN (it was another one, which `expected` is now: the
///             one out-parameter that is written with a negative status. After
///             rialto_value_set_timeout to 0 also: somebody holds the lock, and `expected` is as it
///             was); RIALTO_ENOTSUP (larger than 64 bytes); as rialto_value_store.
/// Concurrency as rialto_value_store.
/// Signals     not async-signal-safe.
/// If we die   as rialto_value_store.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_compare_exchange(
    value: *const rialto_value_t,
    expected: *mut c_void,
    from: *const c_void,
    size: usize,
) -> c_int {
    // SAFETY: the caller's word.
    code(unsafe { value_at(value) }.and_then(|value| unsafe { exchange(&value, 0, expected, from, size) }))
}

/// # Safety
/// The pointers are as C says.
pub(super) unsafe fn exchange(
    any: &Any<'static, Os>,
    index: u32,
    expected: *mut c_void,
    from: *const c_void,
    size: usize,
) -> Result<c_int> {
    only(any, size)?;
    let mut new = [0; crate::any::MAX_WORD];
    let new = new.get_mut(..size).ok_or(Error::NotSupported)?;
    // SAFETY: the caller's word; one after the other, as they may be the same.
    new.copy_from_slice(unsafe { bytes(from, size) }?);
    // SAFETY: the caller's word.
    let expected = unsafe { buffer(expected, size) }?;
    if any.compare_exchange(index, expected, new)? { Ok(super::RIALTO_OK) } else { Err(Error::WouldBlock) }
}

/// Adds to a value that is a number; integers wrap.
///
/// value       alive.
/// more, size  a number of its type.
/// before      gets what was there; may be NULL, or `more`.
/// Returns     as rialto_value_store; RIALTO_EWRONGKIND (no number).
/// Concurrency as rialto_value_store.
/// Signals     not async-signal-safe.
/// If we die   as rialto_value_store.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_value_fetch_add(
    value: *const rialto_value_t,
    more: *const c_void,
    before: *mut c_void,
    size: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { value_at(value) }.and_then(|value| unsafe { add(&value, 0, more, before, size) }))
}

/// # Safety
/// The pointers are as C says.
pub(super) unsafe fn add(
    any: &Any<'static, Os>,
    index: u32,
    more: *const c_void,
    before: *mut c_void,
    size: usize,
) -> Result<()> {
    only(any, size)?;
    let mut old = [0; crate::any::MAX_WORD];
    let old = old.get_mut(..size).ok_or(Error::WrongKind)?;
    // SAFETY: the caller's word; one after the other, as they may be the same.
    unsafe {
        any.fetch_add(index, bytes(more, size)?, old)?;
        if !before.is_null() {
            buffer(before, size)?.copy_from_slice(old);
        }
    }
    Ok(())
}

/// Refuses another type or size than what is there.
pub(super) fn check_type(found: (Code, u32), wanted: (rialto_type_t, usize)) -> Result<()> {
    let same = found.0 == type_of(wanted.0)? && found.1 as usize == wanted.1;
    if same { Ok(()) } else { Err(Error::WrongKind) }
}
