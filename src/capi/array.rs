//! `rialto_array_t`, `rialto_array_edit_t`.

use super::{
    View, buffer, bytes, check, code, get, name, put, rialto_region_t, rialto_type_t, status,
    value::{add, check_type, exchange, swap, type_of},
};
use crate::{
    any::{Any, AnyEdit},
    error::{Error, Result},
    sys::Os,
};
use core::ffi::{c_char, c_int, c_void};

/// An array that several processes share: an update, of one element or of many, is all or nothing,
/// whoever is killed when, and a read never waits for the dead. A plain view.
#[repr(C)]
pub struct rialto_array_t {
    /// Private.
    pub _private: [u64; 8],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_array_t {
    type Handle = Any<'static, Os>;
    const TAG: u64 = u64::from_le_bytes(*b"c  array");
    const PINNED: bool = false;
}

/// An edit under way, see rialto_array_edit. Only ever pointed to.
#[repr(C)]
pub struct rialto_array_edit_t {
    /// Private.
    pub _private: [u64; 1],
}

type Edit = AnyEdit<'static, 'static, Os>;

const _: () = assert!(align_of::<Edit>() >= align_of::<rialto_array_edit_t>());

/// # Safety
/// As [`get`], for a view whose region outlives the result.
unsafe fn array_at(array: *const rialto_array_t) -> Result<Any<'static, Os>> {
    // SAFETY: the caller's word.
    unsafe { get(array) }.copied()
}

/// Bytes of `count` elements. Errors: `NotFound`, there cannot be as many.
fn span(array: &Any<'static, Os>, count: u32) -> Result<usize> {
    if count > array.len() { Err(Error::NotFound) } else { Ok(array.size() as usize * count as usize) }
}

/// Makes an array in a region, waiting at most `timeout_ns` for others who create there.
///
/// region      alive; its view must outlive the array's.
/// name        1 to 31 bytes of UTF-8.
/// type        RIALTO_BLOCK, RIALTO_U8 ...
/// size        bytes of an element; a number's own.
/// count       elements, 1 and more; at most 2^30 bytes in all. It takes 256 bytes, and twice those
///             bytes rounded up to 128.
/// initial     `count` elements, or NULL: zeros.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// array       gets the view.
/// Returns     as rialto_value_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
///             (a stopped one holds it up).
/// Signals     not async-signal-safe.
/// If we die   there is a whole array or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_create(
    region: *const rialto_region_t,
    name: *const c_char,
    r#type: rialto_type_t,
    size: usize,
    count: u32,
    initial: *const c_void,
    timeout_ns: u64,
    array: *mut rialto_array_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the array.
    status(check(array).and_then(|()| unsafe {
        let len = size.checked_mul(count as usize).filter(|len| *len <= 1 << 30).ok_or(Error::Invalid)?;
        let initial = if initial.is_null() { &[] } else { bytes(initial, len)? };
        let shape = (type_of(r#type)?, size as u32, count);
        let region = get::<'static, _>(region)?;
        put(array, region.create_any_array(self::name(name)?, shape, initial, timeout_ns)?);
        Ok(())
    }))
}

/// Finds the array of that name.
///
/// region      alive; its view must outlive the array's.
/// name        as it was created.
/// type, size  as it was created.
/// array       gets the view.
/// Returns     as rialto_value_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_open(
    region: *const rialto_region_t,
    name: *const c_char,
    r#type: rialto_type_t,
    size: usize,
    array: *mut rialto_array_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the array.
    status(check(array).and_then(|()| unsafe {
        let any = get::<'static, _>(region)?.open_any_array(self::name(name)?)?;
        check_type((any.code(), any.size()), (r#type, size))?;
        put(array, any);
        Ok(())
    }))
}

/// How many elements there are; it never changes.
///
/// array       alive.
/// count       gets the number.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_len(array: *const rialto_array_t, count: *mut u32) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(count).and_then(|()| unsafe {
        count.write(array_at(array)?.len());
        Ok(())
    }))
}

/// Elements as they were stored last, all of one moment. Does not wait for who holds the lock.
///
/// array       alive.
/// index       of the first.
/// count       how many.
/// to          gets them; nobody else uses those bytes meanwhile. After an error they may be
///             overwritten.
/// Returns     RIALTO_OK; RIALTO_ENOENT (there are not as many); RIALTO_EINVAL; where writers
///             overtake us 64 times in a row, also as rialto_array_write.
/// Concurrency any thread of any process.  Blocks: only where `Returns` says so.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_read(
    array: *const rialto_array_t,
    index: u32,
    count: u32,
    to: *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { array_at(array) }.and_then(|array| {
        // SAFETY: the caller's word.
        array.read(index, unsafe { buffer(to, span(&array, count)?) }?)
    }))
}

/// Stores elements: all of them or, if we are killed, perhaps none. Waits for others who hold the
/// lock, see rialto_array_set_timeout.
///
/// array       alive.
/// index       of the first.
/// count       how many.
/// from        as many elements. A bool is 0 or 1.
/// Returns     RIALTO_OK; RIALTO_ENOENT (there are not as many: nothing is stored); as
///             rialto_value_store.
/// Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
/// Signals     not async-signal-safe.
/// If we die   everybody finds the old elements, or everybody the new ones.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_write(
    array: *const rialto_array_t,
    index: u32,
    count: u32,
    from: *const c_void,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { array_at(array) }.and_then(|array| {
        // SAFETY: the caller's word.
        array.write(index, unsafe { bytes(from, span(&array, count)?) }?)
    }))
}

/// Stores an element, and tells what was there.
///
/// array, index
///             which one.
/// from, before, size
///             as for rialto_value_swap.
/// Returns     as rialto_value_swap; RIALTO_ENOENT.
/// Concurrency as rialto_array_write.
/// Signals     not async-signal-safe.
/// If we die   as rialto_array_write.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_swap(
    array: *const rialto_array_t,
    index: u32,
    from: *const c_void,
    before: *mut c_void,
    size: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { array_at(array) }.and_then(|array| unsafe { swap(&array, index, from, before, size) }))
}

/// Stores an element if it is, byte by byte, the expected one.
///
/// array, index
///             which one.
/// expected, from, size
///             as for rialto_value_compare_exchange.
/// Returns     as rialto_value_compare_exchange; RIALTO_ENOENT.
/// Concurrency as rialto_array_write.
/// Signals     not async-signal-safe.
/// If we die   as rialto_array_write.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_compare_exchange(
    array: *const rialto_array_t,
    index: u32,
    expected: *mut c_void,
    from: *const c_void,
    size: usize,
) -> c_int {
    // SAFETY: the caller's word.
    code(
        unsafe { array_at(array) }.and_then(|array| unsafe { exchange(&array, index, expected, from, size) }),
    )
}

/// Adds to an element that is a number; integers wrap.
///
/// array, index
///             which one.
/// more, before, size
///             as for rialto_value_fetch_add.
/// Returns     as rialto_value_fetch_add; RIALTO_ENOENT.
/// Concurrency as rialto_array_write.
/// Signals     not async-signal-safe.
/// If we die   as rialto_array_write.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_fetch_add(
    array: *const rialto_array_t,
    index: u32,
    more: *const c_void,
    before: *mut c_void,
    size: usize,
) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { array_at(array) }.and_then(|array| unsafe { add(&array, index, more, before, size) }))
}

/// Has `change` change as many elements as it likes: all of that or nothing.
///
/// array       alive.
/// change      called once, at once, by this thread, with the edit and `context`. It reads and
///             writes by rialto_array_edit_read and _write; the array itself is meanwhile as it was
///             before, and writing to it is RIALTO_EDEADLK. What it returns is returned: if that is
///             negative, nothing is changed. It must return: no longjmp, no exception, no
///             pthread_exit.
/// context     yours.
/// Returns     what `change` returned; as rialto_array_write.
/// Concurrency any thread of any process.  Blocks: yes, while others hold the lock; and others, who
///             write, while `change` runs.
/// Signals     not async-signal-safe.
/// If we die   also in `change`: everybody finds what was before, or everybody all of it.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_edit(
    array: *const rialto_array_t,
    change: Option<unsafe extern "C" fn(edit: *mut rialto_array_edit_t, context: *mut c_void) -> c_int>,
    context: *mut c_void,
) -> c_int {
    // SAFETY: the caller's word.
    code(unsafe { array_at(array) }.and_then(|array| {
        let change = change.ok_or(Error::Invalid)?;
        let mut told = 0;
        let done = array.edit(|edit| {
            // SAFETY: the caller's word; the edit is alive during the call.
            told = unsafe { change(core::ptr::from_mut(edit).cast(), context) };
            if told < 0 { Err(Error::WouldBlock) } else { Ok(told) }
        });
        if told < 0 { Ok(told) } else { done }
    }))
}

/// Elements within an edit, with what it has written before.
///
/// edit        what `change` was called with, during that call.
/// index       of the first.
/// to, size    gets whole elements, as many as there are bytes for.
/// Returns     RIALTO_OK; RIALTO_ENOENT (there are not as many); RIALTO_EINVAL (also: no whole
///             elements).
/// Concurrency the thread that edits.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_array_edit.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_edit_read(
    edit: *const rialto_array_edit_t,
    index: u32,
    to: *mut c_void,
    size: usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(edit).and_then(|()| unsafe { (*edit.cast::<Edit>()).read(index, buffer(to, size)?) }))
}

/// Writes elements within an edit.
///
/// edit        what `change` was called with, during that call.
/// index       of the first.
/// from, size  whole elements.
/// Returns     RIALTO_OK; RIALTO_ENOENT (there are not as many); RIALTO_EINVAL (also: no whole
///             elements, a bool that is none).
/// Concurrency the thread that edits.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_array_edit.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_array_edit_write(
    edit: *mut rialto_array_edit_t,
    index: u32,
    from: *const c_void,
    size: usize,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(edit).and_then(|()| unsafe { (*edit.cast::<Edit>()).write(index, bytes(from, size)?) }))
}
