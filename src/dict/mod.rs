//! Dict: Python's `dict`, as a manager shares it, of byte strings, in shared memory.
//!
//! At most `capacity` keys of up to `max_key` bytes, with values of up to `max_value` bytes; in the order in which the
//! keys came, as Python's. What an operation does, it does whole or not at all, whenever it is killed; readers
//! wait for nobody. The bytes lie in a [`crate::shadow`].
//!
//! # Memory
//! Magic `RLTD`, params `capacity, max_key, max_value`. A copy, with C = capacity, B = C rounded up to a power of two,
//! V = 32 + max_key rounded up to 16, S = V + max_value rounded up to 16; a link is a slot's number plus 1, or 0:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `len`, 0..=C |
//! | 4 | 4 | `fresh`: slots from this one on were never used |
//! | 8 | 4 | `free`: link to the first of the slots that were; they are chained |
//! | 12 | 4 | `first`: link to the key that came first |
//! | 16 | 4 | `last` |
//! | 20 | 4 | `changes`: how often a key came or went; wraps |
//! | 32 | 4 B | buckets: link to the first slot of the chain; a key's is hash mod B |
//! | 32 + 4 B, rounded up to 16 | C S | slots |
//!
//! | in a slot | size | field |
//! |---|---|---|
//! | 0 | 4 | `hash`: FNV-1a of 64 bits over the key, its upper half XORed to its lower |
//! | 4 | 4 | `chain`: link to the next slot of the bucket, or of the free ones |
//! | 8 | 4 | `before`: link to the key that came before |
//! | 12 | 4 | `after` |
//! | 16 | 4 | key's length |
//! | 20 | 4 | value's length |
//! | 32 | max_key | key |
//! | V | max_value | value |
//!
//! # Invariants
//! 1. A slot is in one bucket's chain and in the order, or free, or fresh.
//! 2. A reader sees torn bytes, and a peer may write any: a link is checked against C, a length against its
//!    maximum, whenever one is read. Without invariant 1 a dict is garbled, and nothing worse.
//! 3. Every walk ends after C steps: an honest one is through by then, a ring that a peer made is `BadRegion`.
//!
//! # Ordering, crash
//! See [`crate::shadow`]: killed anywhere in an operation, it is done or was never begun. What `pop` had taken out
//! is then with the dead.
//!
//! # Limits
//! - FNV is no defence against who chooses keys: they can all have one bucket, and each look is then a walk
//!   through all of them. Twice the memory. `clear` writes all buckets.
//! - While [`Dict::for_each`] walks, no key may come or go: `Busy` then, Python's RuntimeError.
//!
//! # Checked by
//! `tests/dict.rs`, `tests/prop_state.rs`, `tests/sweep_state.rs`, `tests/hostile.rs`.

mod table;

pub(crate) use table::Table;

use crate::{
    error::{Error, Result},
    layout::Layout,
    shadow::{self, PARAMS, Shadow},
    sys::Platform,
};
use core::ptr::NonNull;

const MAGIC: u32 = u32::from_le_bytes(*b"RLTD");

/// What a dict is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct DictConfig {
    /// Keys at most, 1 and more.
    pub capacity: u32,
    /// The longest key in bytes, 1 and more.
    pub max_key: u32,
    /// The longest value in bytes; 0 makes a set of keys.
    pub max_value: u32,
}

impl DictConfig {
    /// For `capacity` keys of up to `max_key` bytes, with values of up to `max_value`.
    pub const fn new(capacity: u32, max_key: u32, max_value: u32) -> Self {
        DictConfig { capacity, max_key, max_value }
    }

    fn table(&self) -> Option<(Table, u64)> {
        Table::new(self.capacity, self.max_key, self.max_value)
    }

    /// Bytes and alignment of such a dict. Errors: `Invalid` (a 0, or a copy of more than 2^30 bytes).
    pub fn layout(&self) -> Result<Layout> {
        shadow::layout(self.table().ok_or(Error::Invalid)?.1)
    }
}

/// A handle to a dict. Small, copyable, usable from every thread.
///
/// Errors of all operations that change something: those of [`Dict::lock`], `TimedOut` (see
/// [`Dict::with_timeout`]), `BadRegion` (a peer wrote what cannot be). Of those that only read: `BadRegion`;
/// and, when writers overtake them again and again, so that they take their turn, those of `lock`. After an error
/// the dict is as it was; what a buffer holds then, means nothing.
pub struct Dict<'r, P: Platform> {
    shadow: Shadow<'r, P>,
    table: Table,
}

impl<P: Platform> Clone for Dict<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Dict<'_, P> {}

impl<'r, P: Platform> Dict<'r, P> {
    /// Formats a dict in fresh memory.
    ///
    /// # Safety
    /// As [`Shadow::format`], for `config.layout()`.
    pub(crate) unsafe fn format(platform: P, at: NonNull<u8>, config: &DictConfig) -> Result<Self> {
        let (table, bytes) = config.table().ok_or(Error::Invalid)?;
        let mut params = [0; PARAMS];
        params[..3].copy_from_slice(&[config.capacity, config.max_key, config.max_value]);
        // SAFETY: the caller's word.
        let shadow = unsafe { Shadow::format(platform, at, MAGIC, params, bytes, |_| Ok(()))? };
        Ok(Dict { shadow, table })
    }

    /// Attaches to `size` bytes that claim to be a dict.
    ///
    /// # Safety
    /// As [`Shadow::attach`].
    pub(crate) unsafe fn attach(platform: P, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        let (shadow, params) = unsafe { Shadow::attach(platform, at, size, MAGIC)? };
        match Table::new(params[0], params[1], params[2]) {
            Some((table, bytes)) if bytes == u64::from(shadow.bytes()) => Ok(Dict { shadow, table }),
            _ => Err(Error::BadRegion),
        }
    }

    /// Makes a dict of memory outside a region. Errors: `Invalid` (null, not 128-aligned, bad config), `NoSpace`
    /// (`config.layout()` has more than `len` bytes). If we die here, `attach_on` says `BadRegion`.
    ///
    /// # Safety
    /// `len` bytes from `ptr` stay mapped and shared for 'r, and as long as a thread of ours holds the dict's
    /// lock; nobody uses them yet.
    pub unsafe fn init_on(platform: P, ptr: *mut u8, len: usize, config: &DictConfig) -> Result<Self> {
        let at = shadow::place(ptr)?;
        if config.layout()?.size > len as u64 {
            return Err(Error::NoSpace);
        }
        // SAFETY: aligned and large enough, as was just seen; else the caller's word.
        unsafe { Self::format(platform, at, config) }
    }

    /// The dict that somebody made at `ptr`. Errors: `Invalid` (null, not 128-aligned), `BadRegion`.
    ///
    /// # Safety
    /// `len` bytes from `ptr` stay mapped and shared for 'r, and as long as a thread of ours holds the dict's
    /// lock. What is in them does not matter.
    pub unsafe fn attach_on(platform: P, ptr: *mut u8, len: usize) -> Result<Self> {
        // SAFETY: aligned; else the caller's word.
        unsafe { Self::attach(platform, shadow::place(ptr)?, len as u64) }
    }

    shadow::locking!();

    /// What it was made with. Never changes.
    pub fn config(&self) -> DictConfig {
        DictConfig::new(self.table.capacity, self.table.max_key, self.table.max_value)
    }

    /// Keys at most. Never changes.
    pub fn capacity(&self) -> usize {
        self.table.capacity as usize
    }

    /// The longest key in bytes. Never changes.
    pub fn max_key_bytes(&self) -> usize {
        self.table.max_key as usize
    }

    /// The longest value in bytes. Never changes.
    pub fn max_value_bytes(&self) -> usize {
        self.table.max_value as usize
    }

    /// Python's `len(d)`; old as soon as it is returned, but under the lock.
    pub fn len(&self) -> Result<usize> {
        self.shadow.read(|view| Ok(self.table.len(&view)? as usize))
    }

    /// Whether `len` is 0.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// `key in d`.
    pub fn contains(&self, key: &[u8]) -> Result<bool> {
        self.shadow.read(|view| Ok(self.table.find(&view, key)?.is_some()))
    }

    /// `d[key]`, copied to the beginning of `buffer`; returns its length. Errors: `NotFound`, `BufferTooSmall`.
    pub fn get(&self, key: &[u8], buffer: &mut [u8]) -> Result<usize> {
        self.shadow.read(|view| self.table.copy_value(&view, self.table.get(&view, key)?, buffer))
    }

    /// `d.get(key, default)`, copied to the beginning of `buffer`; returns its length. Errors: `BufferTooSmall`.
    pub fn get_or(&self, key: &[u8], default: &[u8], buffer: &mut [u8]) -> Result<usize> {
        match self.get(key, buffer) {
            Err(Error::NotFound) => copy_default(default, buffer),
            other => other,
        }
    }

    /// `d[key] = value`. Errors: `NoSpace` (for a new key), `MessageTooLarge` (either).
    pub fn set(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.update(&[(key, value)])
    }

    /// `d.update(pairs)`: all of them, one after the other, or none, also if we die here. Errors: `NoSpace`,
    /// `MessageTooLarge`.
    pub fn update(&self, pairs: &[(&[u8], &[u8])]) -> Result<()> {
        self.update_as(pairs, |pair| *pair)
    }

    /// As [`Dict::update`], for pairs of any form; `parts` says the same at each time.
    pub(crate) fn update_as<M>(&self, pairs: &[M], parts: impl Fn(&M) -> (&[u8], &[u8])) -> Result<()> {
        let parts = || pairs.iter().map(&parts);
        parts().try_for_each(|(key, value)| self.table.check(key, value.len()))?;
        self.shadow
            .update(|draft| parts().try_for_each(|(key, value)| self.table.set(draft, key, &[], value)))
    }

    /// `d.setdefault(key, default)`: sets it if there is no such key; copies the key's value, the old or the new
    /// one, to the beginning of `buffer` and returns its length. Errors: `NoSpace`, `MessageTooLarge` (either, or
    /// an unfit `default` that is not needed), `BufferTooSmall`.
    pub fn setdefault(&self, key: &[u8], default: &[u8], buffer: &mut [u8]) -> Result<usize> {
        self.table.check(key, default.len())?;
        self.shadow.update(|draft| match self.table.find(draft, key)? {
            Some(slot) => self.table.copy_value(draft, slot, buffer),
            None => {
                self.table.set(draft, key, &[], default)?;
                copy_default(default, buffer)
            }
        })
    }

    /// `d.pop(key)`, to the beginning of `buffer`; returns its length. If we die here, it may be gone. Errors:
    /// `NotFound`, `BufferTooSmall`.
    pub fn pop(&self, key: &[u8], buffer: &mut [u8]) -> Result<usize> {
        self.shadow.update(|draft| {
            let len = self.table.copy_value(draft, self.table.get(draft, key)?, buffer)?;
            self.table.remove(draft, key)?;
            Ok(len)
        })
    }

    /// `d.popitem()`: the key that came last, and its value; returns their lengths. If we die here, it may be
    /// gone. Errors: `NotFound` (empty), `BufferTooSmall` (either).
    pub fn popitem(&self, key: &mut [u8], value: &mut [u8]) -> Result<(usize, usize)> {
        self.shadow.update(|draft| {
            let slot = self.table.last(draft)?.ok_or(Error::NotFound)?;
            let lens = (self.table.copy_key(draft, slot, key)?, self.table.copy_value(draft, slot, value)?);
            self.table.remove_slot(draft, slot)?;
            Ok(lens)
        })
    }

    /// `del d[key]`. Errors: `NotFound`.
    pub fn remove(&self, key: &[u8]) -> Result<()> {
        self.shadow.update(|draft| self.table.remove(draft, key))
    }

    /// `d.clear()`.
    pub fn clear(&self) -> Result<()> {
        self.shadow.update(|draft| self.table.clear(draft))
    }

    /// `list(d)`, of one moment: the keys one behind the other to `buffer`, their lengths to `lens`; returns how
    /// many there are. Errors: `BufferTooSmall` (either).
    pub fn copy_keys(&self, buffer: &mut [u8], lens: &mut [u32]) -> Result<usize> {
        copy_keys(&self.shadow, &self.table, buffer, lens)
    }

    /// `list(d.items())`, of one moment: each key and behind it its value to `buffer`, their lengths to `lens`;
    /// returns how many there are. Errors: `BufferTooSmall` (either).
    pub fn copy_items(&self, buffer: &mut [u8], lens: &mut [(u32, u32)]) -> Result<usize> {
        self.copy_items_as(buffer, lens, |key, value| (key, value))
    }

    /// As [`Dict::copy_items`], with `lens` of any form.
    pub(crate) fn copy_items_as<L>(
        &self,
        buffer: &mut [u8],
        lens: &mut [L],
        pair: impl Fn(u32, u32) -> L,
    ) -> Result<usize> {
        self.shadow.read(|view| {
            let (mut at, mut count) = (0, 0);
            self.table.each(&view, |slot| {
                let key = self.table.copy_key(&view, slot, &mut buffer[at..])?;
                let value = self.table.copy_value(&view, slot, &mut buffer[at + key..])?;
                *lens.get_mut(count).ok_or(Error::BufferTooSmall)? = pair(key as u32, value as u32);
                (at, count) = (at + key + value, count + 1);
                Ok(())
            })?;
            Ok(count)
        })
    }

    /// `for key, value in d.items()`, over one state of the dict: holds its lock until it is through, so others'
    /// updates wait. `f` gets the key and the value, which lie in the buffers; it may use the dict, and set the
    /// values of keys that are there. Errors: those of [`Dict::lock`], `BufferTooSmall` (either), `Busy` (`f`
    /// added or removed a key: that is done, and the walk ends).
    pub fn for_each(&self, key: &mut [u8], value: &mut [u8], mut f: impl FnMut(&[u8], &[u8])) -> Result<()> {
        self.walk(key, value, |key, value| {
            f(key, value);
            true
        })
    }

    /// As [`Dict::for_each`], as long as `f` says true.
    pub(crate) fn walk(
        &self,
        key: &mut [u8],
        value: &mut [u8],
        mut f: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<()> {
        let _held = self.shadow.lock()?;
        let table = &self.table;
        let (mut next, len, changes) =
            self.shadow.read(|view| Ok((table.first(&view)?, table.len(&view)?, table.changes(&view)?)))?;
        for _ in 0..len {
            let slot = next.ok_or(Error::BadRegion)?;
            let (key_len, value_len) = self.shadow.read(|view| {
                Ok((table.copy_key(&view, slot, key)?, table.copy_value(&view, slot, value)?))
            })?;
            if !f(&key[..key_len], &value[..value_len]) {
                return Ok(());
            }
            let now;
            (next, now) = self.shadow.read(|view| Ok((table.after(&view, slot)?, table.changes(&view)?)))?;
            if now != changes {
                return Err(Error::Busy);
            }
        }
        Ok(())
    }

    /// `list(d.items())`, of one moment; as [`Dict::for_each`].
    #[cfg(feature = "std")]
    pub fn to_vec(&self) -> Result<std::vec::Vec<(std::vec::Vec<u8>, std::vec::Vec<u8>)>> {
        let mut key = std::vec![0; self.max_key_bytes()];
        let mut value = std::vec![0; self.max_value_bytes()];
        let mut all = std::vec::Vec::new();
        self.for_each(&mut key, &mut value, |key, value| all.push((key.to_vec(), value.to_vec())))?;
        Ok(all)
    }
}

/// As [`Dict::copy_keys`].
pub(crate) fn copy_keys<P: Platform>(
    shadow: &Shadow<'_, P>,
    table: &Table,
    buffer: &mut [u8],
    lens: &mut [u32],
) -> Result<usize> {
    shadow.read(|view| {
        let (mut at, mut count) = (0, 0);
        table.each(&view, |slot| {
            let len = table.copy_key(&view, slot, &mut buffer[at..])?;
            *lens.get_mut(count).ok_or(Error::BufferTooSmall)? = len as u32;
            (at, count) = (at + len, count + 1);
            Ok(())
        })?;
        Ok(count)
    })
}

fn copy_default(default: &[u8], buffer: &mut [u8]) -> Result<usize> {
    buffer.get_mut(..default.len()).ok_or(Error::BufferTooSmall)?.copy_from_slice(default);
    Ok(default.len())
}
