//! A queue of plain values.

use super::{Popped, Queue};
use crate::{
    error::{Error, Result},
    member::Home,
};
use bytemuck::Pod;
use core::marker::PhantomData;

/// A [`Queue`] whose messages are values of `T`: any type that is plain bytes ([`bytemuck::Pod`]).
pub struct TypedQueue<'r, T: Pod, H: Home> {
    bytes: Queue<'r, H>,
    _values: PhantomData<fn(T) -> T>,
}

impl<T: Pod, H: Home> Clone for TypedQueue<'_, T, H> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Pod, H: Home> Copy for TypedQueue<'_, T, H> {}

impl<'r, T: Pod, H: Home> TypedQueue<'r, T, H> {
    pub(super) fn new(bytes: Queue<'r, H>) -> Result<Self> {
        if size_of::<T>() != bytes.max_message_bytes() {
            return Err(Error::WrongKind);
        }
        Ok(TypedQueue { bytes, _values: PhantomData })
    }

    /// See [`Queue::push`].
    pub fn push(&self, value: &T) -> Result<()> {
        self.bytes.push(bytemuck::bytes_of(value))
    }

    /// See [`Queue::try_push`].
    #[inline]
    pub fn try_push(&self, value: &T) -> Result<()> {
        self.bytes.try_push(bytemuck::bytes_of(value))
    }

    /// See [`Queue::push_timeout`].
    pub fn push_timeout(&self, value: &T, timeout_ns: u64) -> Result<()> {
        self.bytes.push_timeout(bytemuck::bytes_of(value), timeout_ns)
    }

    /// See [`Queue::pop`]. `BadRegion` if the message is no `T` (a peer pushed other bytes); it is gone.
    pub fn pop(&self) -> Result<T> {
        Self::value(|buffer| self.bytes.pop(buffer))
    }

    /// See [`Queue::try_pop`].
    #[inline]
    pub fn try_pop(&self) -> Result<T> {
        Self::value(|buffer| self.bytes.try_pop(buffer))
    }

    /// See [`Queue::pop_timeout`].
    pub fn pop_timeout(&self, timeout_ns: u64) -> Result<T> {
        Self::value(|buffer| self.bytes.pop_timeout(buffer, timeout_ns))
    }

    /// The queue of bytes below, for everything else: `close`, `len`, `peek`.
    pub fn bytes(&self) -> Queue<'r, H> {
        self.bytes
    }

    #[inline]
    fn value(pop: impl FnOnce(&mut [u8]) -> Result<Popped>) -> Result<T> {
        let mut value = T::zeroed();
        if pop(bytemuck::bytes_of_mut(&mut value))?.len != size_of::<T>() {
            return Err(Error::BadRegion);
        }
        Ok(value)
    }
}
