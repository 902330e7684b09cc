//! The objects of a region that are state and nothing else: nobody has anything of them in hand, so there is
//! nothing to sweep when a member dies; their lock tells the next owner.

use super::{Region, directory::Kind};
#[cfg(feature = "capi")]
use crate::{any::Any, element::Code, raw::Elements};
use crate::{
    array::{self, Array},
    element::Element,
    error::Result,
    raw::{self, RawArray, RawValue},
    sys::Platform,
    time::FOREVER,
    value::{self, Value},
};

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
        self.create(name, Kind::Value, value::layout(u64::from(T::SIZE))?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { Value::format(self.platform, at, value) }
        })
    }

    /// The value of that name. Never blocks. Errors: as [`Region::open_queue`]; `WrongKind` also if it is of
    /// another type.
    pub fn open_value<T: Element>(&self, name: &str) -> Result<Value<'_, T, P>> {
        let place = self.directory().find(name, Kind::Value)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Value::attach(self.platform, self.at(place), place.size) }
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
        })
    }

    /// The array of that name. Never blocks. Errors: as [`Region::open_value`].
    pub fn open_array<T: Element>(&self, name: &str) -> Result<Array<'_, T, P>> {
        let place = self.directory().find(name, Kind::Array)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Array::attach(self.platform, self.at(place), place.size) }
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
        self.create(name, Kind::RawValue, raw::layout(T::SIZE, 1)?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { RawValue::format(at, value) }
        })
    }

    /// The raw value of that name. Never blocks. Errors: as [`Region::open_value`].
    pub fn open_raw_value<T: Element>(&self, name: &str) -> Result<RawValue<'_, T>> {
        let place = self.directory().find(name, Kind::RawValue)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { RawValue::attach(self.at(place), place.size) }
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
        self.create(name, Kind::RawArray, raw::layout(T::SIZE, len)?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { RawArray::format(at, len, &[]) }
        })
    }

    /// The raw array of that name. Never blocks. Errors: as [`Region::open_value`].
    pub fn open_raw_array<T: Element>(&self, name: &str) -> Result<RawArray<'_, T>> {
        let place = self.directory().find(name, Kind::RawArray)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { RawArray::attach(self.at(place), place.size) }
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
        })
    }

    pub(crate) fn open_any_value(&self, name: &str) -> Result<Any<'_, P>> {
        let place = self.directory().find(name, Kind::Value)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Any::attach_value(self.platform, self.at(place), place.size) }
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
        })
    }

    pub(crate) fn open_any_array(&self, name: &str) -> Result<Any<'_, P>> {
        let place = self.directory().find(name, Kind::Array)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Any::attach_array(self.platform, self.at(place), place.size) }
    }

    pub(crate) fn create_any_raw_value(
        &self,
        name: &str,
        (code, size): (Code, u32),
        timeout_ns: u64,
    ) -> Result<Elements<'_>> {
        self.create(name, Kind::RawValue, raw::layout(size, 1)?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { Elements::format_any(at, true, (code, size, 1)) }
        })
    }

    pub(crate) fn open_any_raw_value(&self, name: &str) -> Result<(Elements<'_>, Code)> {
        let place = self.directory().find(name, Kind::RawValue)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Elements::attach_any(self.at(place), true, place.size) }
    }

    pub(crate) fn create_any_raw_array(
        &self,
        name: &str,
        shape: (Code, u32, u32),
        timeout_ns: u64,
    ) -> Result<Elements<'_>> {
        self.create(name, Kind::RawArray, raw::layout(shape.1, shape.2)?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { Elements::format_any(at, false, shape) }
        })
    }

    pub(crate) fn open_any_raw_array(&self, name: &str) -> Result<(Elements<'_>, Code)> {
        let place = self.directory().find(name, Kind::RawArray)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Elements::attach_any(self.at(place), false, place.size) }
    }
}
