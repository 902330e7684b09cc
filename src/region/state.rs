//! The objects of a region that are state and nothing else: nobody has anything of them in hand but their lock,
//! which tells the next owner; so there is nothing to sweep when a member dies.

use super::{
    Region,
    directory::Kind,
    object::{Claims, Object},
};
#[cfg(feature = "capi")]
use crate::{any::Any, element::Code, raw::Elements};
use crate::{
    array::{self, Array},
    element::Element,
    error::Result,
    layout::Layout,
    raw::{self, RawArray, RawValue},
    shadow::Shadow,
    sys::Platform,
    time::FOREVER,
    value::{self, Value},
};
use core::ptr::NonNull;

impl<P: Platform> Region<P> {
    /// Creates a value under a name of 1 to 31 bytes. Waits for others who create, and errors, as
    /// [`Region::create_queue`].
    pub fn create_value<T: Element>(&self, name: &str, value: T) -> Result<Value<'_, T, P>> {
        self.create_value_timeout(name, value, FOREVER)
    }

    /// As [`Region::create_value`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_value_timeout<T: Element>(
        &self,
        name: &str,
        value: T,
        timeout_ns: u64,
    ) -> Result<Value<'_, T, P>> {
        self.make(name, &value, timeout_ns)
    }

    /// The value of that name. Never blocks. Errors: as [`Region::open_queue`]; `WrongKind` also if it is of
    /// another type.
    pub fn open_value<T: Element>(&self, name: &str) -> Result<Value<'_, T, P>> {
        self.find(name)
    }

    /// The one of that name, which is created if there is none. As [`Region::open_or_create_queue`]; `WrongKind` also if
    /// it is of another type.
    pub fn open_or_create_value<T: Element>(&self, name: &str, value: T) -> Result<Value<'_, T, P>> {
        self.find_or_make(name, &value)
    }

    /// Creates an array of `len` elements, all zero, under a name of 1 to 31 bytes. Waits for others who create,
    /// and errors, as [`Region::create_queue`]; `Invalid` also if zero is no `T`, see
    /// [`Region::create_array_of`].
    pub fn create_array<T: Element>(&self, name: &str, len: u32) -> Result<Array<'_, T, P>> {
        self.create_array_until(name, len, &[], FOREVER)
    }

    /// As [`Region::create_array`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_array_timeout<T: Element>(
        &self,
        name: &str,
        len: u32,
        timeout_ns: u64,
    ) -> Result<Array<'_, T, P>> {
        self.create_array_until(name, len, &[], timeout_ns)
    }

    /// As [`Region::create_array`], of these elements.
    pub fn create_array_of<T: Element>(&self, name: &str, elements: &[T]) -> Result<Array<'_, T, P>> {
        let len = u32::try_from(elements.len()).unwrap_or(u32::MAX); // too many in any case
        self.create_array_until(name, len, elements, FOREVER)
    }

    fn create_array_until<T: Element>(
        &self,
        name: &str,
        len: u32,
        elements: &[T],
        timeout_ns: u64,
    ) -> Result<Array<'_, T, P>> {
        self.create(name, Kind::Array, array::layout(T::SIZE, len)?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { Array::format(self.platform, at, len, elements) }
                .map(|array| array.counted_in(self.counter()))
        })
    }

    /// The array of that name. Never blocks. Errors: as [`Region::open_value`].
    pub fn open_array<T: Element>(&self, name: &str) -> Result<Array<'_, T, P>> {
        self.find(name)
    }

    /// The one of that name, which is created if there is none. As [`Region::open_or_create_queue`]; `WrongKind` also if
    /// it is of another type or length.
    pub fn open_or_create_array<T: Element>(&self, name: &str, len: u32) -> Result<Array<'_, T, P>> {
        self.find_or_make(name, &len)
    }

    /// Creates a raw value under a name of 1 to 31 bytes. Waits for others who create, and errors, as
    /// [`Region::create_queue`].
    pub fn create_raw_value<T: Element>(&self, name: &str, value: T) -> Result<RawValue<'_, T>> {
        self.create_raw_value_timeout(name, value, FOREVER)
    }

    /// As [`Region::create_raw_value`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_raw_value_timeout<T: Element>(
        &self,
        name: &str,
        value: T,
        timeout_ns: u64,
    ) -> Result<RawValue<'_, T>> {
        self.make(name, &value, timeout_ns)
    }

    /// The raw value of that name. Never blocks. Errors: as [`Region::open_value`].
    pub fn open_raw_value<T: Element>(&self, name: &str) -> Result<RawValue<'_, T>> {
        self.find(name)
    }

    /// The one of that name, which is created if there is none. As [`Region::open_or_create_queue`]; `WrongKind` also if
    /// it is of another type.
    pub fn open_or_create_raw_value<T: Element>(&self, name: &str, value: T) -> Result<RawValue<'_, T>> {
        self.find_or_make(name, &value)
    }

    /// Creates a raw array of `len` elements, all zero, under a name of 1 to 31 bytes. Waits for others who
    /// create, and errors, as [`Region::create_array`].
    pub fn create_raw_array<T: Element>(&self, name: &str, len: u32) -> Result<RawArray<'_, T>> {
        self.create_raw_array_timeout(name, len, FOREVER)
    }

    /// As [`Region::create_raw_array`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_raw_array_timeout<T: Element>(
        &self,
        name: &str,
        len: u32,
        timeout_ns: u64,
    ) -> Result<RawArray<'_, T>> {
        self.make(name, &len, timeout_ns)
    }

    /// The raw array of that name. Never blocks. Errors: as [`Region::open_value`].
    pub fn open_raw_array<T: Element>(&self, name: &str) -> Result<RawArray<'_, T>> {
        self.find(name)
    }

    /// The one of that name, which is created if there is none. As [`Region::open_or_create_queue`]; `WrongKind` also if
    /// it is of another type or length.
    pub fn open_or_create_raw_array<T: Element>(&self, name: &str, len: u32) -> Result<RawArray<'_, T>> {
        self.find_or_make(name, &len)
    }
}

impl<P: Platform> Claims for Shadow<'_, P> {
    fn is_in_hand(&self) -> bool {
        self.is_locked()
    }
}

impl<T: Element, P: Platform> Claims for Value<'_, T, P> {
    fn is_in_hand(&self) -> bool {
        self.is_locked()
    }
}

impl<T: Element, P: Platform> Claims for Array<'_, T, P> {
    fn is_in_hand(&self) -> bool {
        self.is_locked()
    }
}

impl<T> Claims for RawValue<'_, T> {
    fn is_in_hand(&self) -> bool {
        false
    }
}

impl<T> Claims for RawArray<'_, T> {
    fn is_in_hand(&self) -> bool {
        false
    }
}

impl<'r, T: Element, P: Platform> Object<'r, P> for Value<'r, T, P> {
    const KIND: Kind = Kind::Value;
    type Config = T;

    fn layout(_config: &T) -> Result<Layout> {
        value::layout(u64::from(T::SIZE))
    }

    unsafe fn format(region: &'r Region<P>, at: NonNull<u8>, config: &T) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { Value::format(region.platform, at, *config) }
            .map(|object| object.counted_in(region.counter()))
    }

    unsafe fn attach(region: &'r Region<P>, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { Value::attach(region.platform, at, size) }.map(|object| object.counted_in(region.counter()))
    }

    fn has(&self, _config: &T) -> bool {
        true
    }
}

impl<'r, T: Element, P: Platform> Object<'r, P> for Array<'r, T, P> {
    const KIND: Kind = Kind::Array;
    type Config = u32;

    fn layout(config: &u32) -> Result<Layout> {
        array::layout(T::SIZE, *config)
    }

    unsafe fn format(region: &'r Region<P>, at: NonNull<u8>, config: &u32) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { Array::format(region.platform, at, *config, &[]) }
            .map(|object| object.counted_in(region.counter()))
    }

    unsafe fn attach(region: &'r Region<P>, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { Array::attach(region.platform, at, size) }.map(|object| object.counted_in(region.counter()))
    }

    fn has(&self, config: &u32) -> bool {
        self.len() == *config
    }
}

impl<'r, T: Element, P: Platform> Object<'r, P> for RawValue<'r, T> {
    const KIND: Kind = Kind::RawValue;
    type Config = T;

    fn layout(_config: &T) -> Result<Layout> {
        raw::layout(T::SIZE, 1)
    }

    unsafe fn format(_: &'r Region<P>, at: NonNull<u8>, config: &T) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { RawValue::format(at, *config) }
    }

    unsafe fn attach(_: &'r Region<P>, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { RawValue::attach(at, size) }
    }

    fn has(&self, _config: &T) -> bool {
        true
    }
}

impl<'r, T: Element, P: Platform> Object<'r, P> for RawArray<'r, T> {
    const KIND: Kind = Kind::RawArray;
    type Config = u32;

    fn layout(config: &u32) -> Result<Layout> {
        raw::layout(T::SIZE, *config)
    }

    unsafe fn format(_: &'r Region<P>, at: NonNull<u8>, config: &u32) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { RawArray::format(at, *config, &[]) }
    }

    unsafe fn attach(_: &'r Region<P>, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { RawArray::attach(at, size) }
    }

    fn has(&self, config: &u32) -> bool {
        self.len() == *config
    }
}

/// For who does not know their types: C.
#[cfg(feature = "capi")]
impl<P: Platform> Region<P> {
    pub(crate) fn create_any_value(
        &self,
        name: &str,
        code: Code,
        bytes: &[u8],
        timeout_ns: u64,
    ) -> Result<Any<'_, P>> {
        self.create(name, Kind::Value, value::layout(bytes.len() as u64)?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { Any::format_value(self.platform, at, code, bytes) }
                .map(|any| any.counted_in(self.counter()))
        })
    }

    pub(crate) fn open_any_value(&self, name: &str) -> Result<Any<'_, P>> {
        // SAFETY: the place lies in the region, which outlives the handle.
        self.open_with(name, Kind::Value, |place| unsafe {
            Any::attach_value(self.platform, self.at(place), place.size)
                .map(|any| any.counted_in(self.counter()))
        })
    }

    /// `shape`: the type, and how large and how many its elements are.
    pub(crate) fn create_any_array(
        &self,
        name: &str,
        shape: (Code, u32, u32),
        init: &[u8],
        timeout_ns: u64,
    ) -> Result<Any<'_, P>> {
        self.create(name, Kind::Array, array::layout(shape.1, shape.2)?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { Any::format_array(self.platform, at, shape, init) }
                .map(|any| any.counted_in(self.counter()))
        })
    }

    pub(crate) fn open_any_array(&self, name: &str) -> Result<Any<'_, P>> {
        // SAFETY: the place lies in the region, which outlives the handle.
        self.open_with(name, Kind::Array, |place| unsafe {
            Any::attach_array(self.platform, self.at(place), place.size)
                .map(|any| any.counted_in(self.counter()))
        })
    }

    /// `kind`: a raw value, of one element, or a raw array.
    pub(crate) fn create_any_raw(
        &self,
        kind: Kind,
        name: &str,
        shape: (Code, u32, u32),
    ) -> Result<Elements<'_>> {
        self.create(name, kind, raw::layout(shape.1, shape.2)?, FOREVER, |at| {
            // SAFETY: as `create` says.
            unsafe { Elements::format_any(at, kind == Kind::RawValue, shape) }
        })
    }

    pub(crate) fn open_any_raw(&self, kind: Kind, name: &str) -> Result<(Elements<'_>, Code)> {
        // SAFETY: the place lies in the region, which outlives the handle.
        self.open_with(name, kind, |place| unsafe {
            Elements::attach_any(self.at(place), kind == Kind::RawValue, place.size)
        })
    }
}
