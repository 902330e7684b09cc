//! List: Python's `list`, as a manager shares it, of byte strings, in shared memory.
//!
//! Items are byte strings of up to `max_item` bytes, at most `capacity` of them. What an operation does, it
//! does whole or not at all, whenever it is killed; readers wait for nobody. The bytes lie in a [`crate::shadow`].
//!
//! # Memory
//! Magic `RLTL`, params `capacity, max_item`. A copy, with C = capacity, S = 4 + max_item rounded up to 16:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `len`, 0..=C |
//! | 16 | 4 C | `order`: the slots of the items, in the list's order, behind them the free slots |
//! | 16 + 4 C | 4 C | scratch: where `sort` merges; means nothing else |
//! | 16 + 8 C, rounded up to 16 | C S | slots: length (4 bytes), payload |
//!
//! # Invariants
//! 1. `order` has each slot once. So an item moves by its number, 4 bytes, and nothing is ever searched to be free.
//! 2. A reader sees torn bytes, and a peer may write any: a length is checked against its maximum and a slot
//!    against the capacity whenever one is read. Without invariant 1 items are garbled, and nothing worse.
//! 3. Every walk is along an index below a `len` that was checked. `sort` ends whatever the comparator says.
//!
//! # Ordering, crash
//! See [`crate::shadow`]: killed anywhere in an operation, it is done or was never begun. What `pop` had taken out is
//! then with the dead. The user's code runs within an update only as a comparator; if it panics, nothing changed.
//!
//! # Limits
//! - No negative indices and no steps: `len() - 1 - i` under [`List::lock`]. Python's insert and slices clamp, so do ours.
//! - Items are compared as bytes. `insert` and `pop(i)` move 4 bytes for each item behind `i`; `index`, `remove`,
//!   `count`, `contains` compare each item. Twice the memory.
//! - `sort_by` wants a buffer for two items, as there is no heap.
//!
//! # Checked by
//! `tests/list.rs`, `tests/prop_state.rs`, `tests/sweep_state.rs`, `tests/hostile.rs`.

mod items;

use crate::{
    error::{Error, Result},
    layout::Layout,
    shadow::{self, PARAMS, Shadow, View},
    sys::Platform,
};
use core::{cmp::Ordering, ops::Range, ptr::NonNull};
use items::{Item, Items};

const MAGIC: u32 = u32::from_le_bytes(*b"RLTL");

/// What a list is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct ListConfig {
    /// Items at most, 1 and more.
    pub capacity: u32,
    /// The longest item in bytes, 1 and more.
    pub max_item: u32,
}

impl ListConfig {
    /// For `capacity` items of up to `max_item` bytes.
    pub const fn new(capacity: u32, max_item: u32) -> Self {
        ListConfig { capacity, max_item }
    }

    /// Bytes and alignment of such a list. Errors: `Invalid` (a 0, or a copy of more than 2^30 bytes).
    pub fn layout(&self) -> Result<Layout> {
        shadow::layout(Items::new(self).ok_or(Error::Invalid)?.1)
    }
}

/// A handle to a list. Small, copyable, usable from every thread.
///
/// Errors of all operations that change something: those of [`List::lock`], `TimedOut` (see
/// [`List::with_timeout`]), `Deadlock` (from within a comparator), `BadRegion` (a peer wrote what cannot be). Of those that only
/// read: `BadRegion`; and, when writers overtake them again and again, so that they take their turn, those of
/// `lock`. After an error the list is as it was; what a buffer holds then, means nothing.
pub struct List<'r, P: Platform> {
    shadow: Shadow<'r, P>,
    items: Items,
}

impl<P: Platform> Clone for List<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for List<'_, P> {}

impl<'r, P: Platform> List<'r, P> {
    /// Formats a list in fresh memory.
    ///
    /// # Safety
    /// As [`Shadow::format`], for `config.layout()`.
    pub(crate) unsafe fn format(platform: P, at: NonNull<u8>, config: &ListConfig) -> Result<Self> {
        let (items, bytes) = Items::new(config).ok_or(Error::Invalid)?;
        let mut params = [0; PARAMS];
        params[..2].copy_from_slice(&[config.capacity, config.max_item]);
        // SAFETY: the caller's word.
        let shadow =
            unsafe { Shadow::format(platform, at, MAGIC, params, bytes, |draft| items.format(draft))? };
        Ok(List { shadow, items })
    }

    /// Attaches to `size` bytes that claim to be a list.
    ///
    /// # Safety
    /// As [`Shadow::attach`].
    pub(crate) unsafe fn attach(platform: P, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        let (shadow, params) = unsafe { Shadow::attach(platform, at, size, MAGIC)? };
        match Items::new(&ListConfig::new(params[0], params[1])) {
            Some((items, bytes)) if bytes == u64::from(shadow.bytes()) => Ok(List { shadow, items }),
            _ => Err(Error::BadRegion),
        }
    }

    /// Makes a list of memory outside a region. Errors: `Invalid` (null, not 128-aligned, bad config), `NoSpace`
    /// (`config.layout()` has more than `len` bytes). If we die here, `attach_on` says `BadRegion`.
    ///
    /// # Safety
    /// `len` bytes from `ptr` stay mapped and shared for 'r, and as long as a thread of ours holds the list's
    /// lock; nobody uses them yet.
    pub unsafe fn init_on(platform: P, ptr: *mut u8, len: usize, config: &ListConfig) -> Result<Self> {
        let at = shadow::place(ptr)?;
        if config.layout()?.size > len as u64 {
            return Err(Error::NoSpace);
        }
        // SAFETY: aligned and large enough, as was just seen; else the caller's word.
        unsafe { Self::format(platform, at, config) }
    }

    /// The list that somebody made at `ptr`. Errors: `Invalid` (null, not 128-aligned), `BadRegion`.
    ///
    /// # Safety
    /// `len` bytes from `ptr` stay mapped and shared for 'r, and as long as a thread of ours holds the list's
    /// lock. What is in them does not matter.
    pub unsafe fn attach_on(platform: P, ptr: *mut u8, len: usize) -> Result<Self> {
        // SAFETY: aligned; else the caller's word.
        unsafe { Self::attach(platform, shadow::place(ptr)?, len as u64) }
    }

    shadow::locking!();

    /// What it was made with. Never changes.
    pub fn config(&self) -> ListConfig {
        ListConfig::new(self.items.capacity, self.items.max_item)
    }

    /// Items at most. Never changes.
    pub fn capacity(&self) -> usize {
        self.items.capacity as usize
    }

    /// The longest item in bytes. Never changes.
    pub fn max_item_bytes(&self) -> usize {
        self.items.max_item as usize
    }

    /// Python's `len(s)`; old as soon as it is returned, but under the lock.
    pub fn len(&self) -> Result<usize> {
        self.shadow.read(|view| Ok(self.items.len(&view)? as usize))
    }

    /// Whether `len` is 0.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// `s.append(value)`. Errors: `NoSpace`, `MessageTooLarge`.
    pub fn append(&self, value: &[u8]) -> Result<()> {
        self.extend(&[value])
    }

    /// `s.extend(values)`: all of them, or none, also if we die here. Errors: `NoSpace`, `MessageTooLarge`.
    pub fn extend(&self, values: &[&[u8]]) -> Result<()> {
        self.extend_as(values, |value| value)
    }

    /// As [`List::extend`], for values of any form; `bytes` says the same at each time.
    pub(crate) fn extend_as<M>(&self, values: &[M], bytes: impl Fn(&M) -> &[u8]) -> Result<()> {
        values.iter().try_for_each(|value| self.items.check(bytes(value)))?;
        self.shadow.update(|draft| {
            values.iter().try_for_each(|value| self.items.insert(draft, u32::MAX, bytes(value)))
        })
    }

    /// `s.insert(i, value)`: before the item `i`; behind the last one, if there are no more than `i`. Errors:
    /// `NoSpace`, `MessageTooLarge`.
    pub fn insert(&self, i: usize, value: &[u8]) -> Result<()> {
        self.items.check(value)?;
        let i = u32::try_from(i).unwrap_or(u32::MAX);
        self.shadow.update(|draft| self.items.insert(draft, i, value))
    }

    /// `s[i] = value`. Errors: `NotFound`, `MessageTooLarge`.
    pub fn set(&self, i: usize, value: &[u8]) -> Result<()> {
        self.items.check(value)?;
        self.shadow.update(|draft| {
            let i = self.items.index(draft, i)?;
            self.items.replace(draft, i, value)
        })
    }

    /// `s[i]`, copied to the beginning of `buffer`; returns its length. Errors: `NotFound`, `BufferTooSmall`.
    pub fn get(&self, i: usize, buffer: &mut [u8]) -> Result<usize> {
        self.shadow.read(|view| self.items.copy(&view, self.items.index(&view, i)?, buffer))
    }

    /// `s[range]`, of one moment: the items one behind the other to `buffer`, their lengths to `lens`; returns how many there are. As
    /// in Python, what is not there is left out. Errors: `BufferTooSmall` (either).
    pub fn copy_range(&self, range: Range<usize>, buffer: &mut [u8], lens: &mut [u32]) -> Result<usize> {
        self.shadow.read(|view| {
            let part = self.items.part(&view, range.clone())?;
            let (mut at, count) = (0, part.len());
            let lens = lens.get_mut(..count).ok_or(Error::BufferTooSmall)?;
            for (i, len) in part.zip(lens) {
                let copied = self.items.copy(&view, i, &mut buffer[at..])?;
                *len = copied as u32;
                at += copied;
            }
            Ok(count)
        })
    }

    /// `s.pop(i)`, to the beginning of `buffer`; returns its length. If we die here, it may be gone. Errors:
    /// `NotFound`, `BufferTooSmall`.
    pub fn pop(&self, i: usize, buffer: &mut [u8]) -> Result<usize> {
        self.shadow.update(|draft| {
            let i = self.items.index(draft, i)?;
            let len = self.items.copy(draft, i, buffer)?;
            self.items.remove(draft, i)?;
            Ok(len)
        })
    }

    /// `s.pop()`: as [`List::pop`], the last one. Errors: `NotFound` (empty), `BufferTooSmall`.
    pub fn pop_last(&self, buffer: &mut [u8]) -> Result<usize> {
        self.shadow.update(|draft| {
            let last = self.items.len(draft)?.checked_sub(1).ok_or(Error::NotFound)?;
            let len = self.items.copy(draft, last, buffer)?;
            self.items.remove(draft, last)?;
            Ok(len)
        })
    }

    /// `del s[i]`. Errors: `NotFound`.
    pub fn delete(&self, i: usize) -> Result<()> {
        self.shadow.update(|draft| {
            let i = self.items.index(draft, i)?;
            self.items.remove(draft, i)
        })
    }

    /// `s.remove(value)`: the first item that equals it. Errors: `NotFound`.
    pub fn remove(&self, value: &[u8]) -> Result<()> {
        self.shadow.update(|draft| {
            let len = self.items.len(draft)?;
            let i = self.items.find(draft, 0..len, value)?.ok_or(Error::NotFound)?;
            self.items.remove(draft, i)
        })
    }

    /// `s.index(value)`: where the first item that equals it is. Errors: `NotFound`.
    pub fn index(&self, value: &[u8]) -> Result<usize> {
        self.index_in(0..usize::MAX, value)
    }

    /// `s.index(value, start, end)`: the first in that range; counted from the list's beginning. Errors: `NotFound`.
    pub fn index_in(&self, range: Range<usize>, value: &[u8]) -> Result<usize> {
        self.shadow.read(|view| {
            let part = self.items.part(&view, range.clone())?;
            Ok(self.items.find(&view, part, value)?.ok_or(Error::NotFound)? as usize)
        })
    }

    /// `value in s`.
    pub fn contains(&self, value: &[u8]) -> Result<bool> {
        match self.index(value) {
            Err(Error::NotFound) => Ok(false),
            other => other.map(|_| true),
        }
    }

    /// `s.count(value)`: how many items equal it.
    pub fn count(&self, value: &[u8]) -> Result<usize> {
        self.shadow.read(|view| {
            let mut count = 0;
            for i in 0..self.items.len(&view)? {
                count += usize::from(self.items.equals(&view, i, value)?);
            }
            Ok(count)
        })
    }

    /// `s.clear()`.
    pub fn clear(&self) -> Result<()> {
        self.shadow.update(|draft| self.items.clear(draft))
    }

    /// `s.reverse()`.
    pub fn reverse(&self) -> Result<()> {
        self.shadow.update(|draft| self.items.reverse(draft))
    }

    /// `s.sort()`: by the items' bytes, shorter ones first if one begins with the other.
    pub fn sort(&self) -> Result<()> {
        self.shadow
            .update(|draft| self.items.sort(draft, |view, a, b| Ok(by_bytes(view, a, b)? == Ordering::Less)))
    }

    /// `s.sort(key=cmp_to_key(compare))`: stable, about n log2 n comparisons. Others' updates wait as long as it takes; they
    /// and `compare` go on reading the list as it was. If `compare` panics, nothing changed; if it
    /// contradicts itself, some order results.
    ///
    /// `buffer` has room for two of the longest items. Errors: `BufferTooSmall`; `compare`'s own changes to this
    /// list say `Deadlock`.
    pub fn sort_by(
        &self,
        buffer: &mut [u8],
        mut compare: impl FnMut(&[u8], &[u8]) -> Ordering,
    ) -> Result<()> {
        let max_item = self.items.max_item as usize;
        let (a_buffer, rest) = buffer.split_at_mut_checked(max_item).ok_or(Error::BufferTooSmall)?;
        let b_buffer = rest.get_mut(..max_item).ok_or(Error::BufferTooSmall)?;
        self.shadow.update(|draft| {
            // One of the two is the same as the last time.
            let (mut a_held, mut b_held) = (None, None);
            self.items.sort(draft, |view, a, b| {
                let a = load(view, a, a_buffer, &mut a_held)?;
                let b = load(view, b, b_buffer, &mut b_held)?;
                Ok(compare(a, b) == Ordering::Less)
            })
        })
    }

    /// `for item in s`, over one state of the list: holds its lock until it is through, so others' updates wait.
    /// `f` gets the index and the item, which lies in `buffer`; it may use the list, and sees items come and go
    /// by index then, as in Python. Errors: those of [`List::lock`], `BufferTooSmall`.
    pub fn for_each(&self, buffer: &mut [u8], mut f: impl FnMut(usize, &[u8])) -> Result<()> {
        self.walk(buffer, |i, item| {
            f(i, item);
            true
        })
    }

    /// As [`List::for_each`], as long as `f` says true.
    pub(crate) fn walk(&self, buffer: &mut [u8], mut f: impl FnMut(usize, &[u8]) -> bool) -> Result<()> {
        let _held = self.shadow.lock()?;
        let mut i = 0;
        loop {
            match self.get(i, buffer) {
                Ok(len) if f(i, &buffer[..len]) => i += 1,
                Ok(_) | Err(Error::NotFound) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// `list(s)`: all items, of one moment; as [`List::for_each`].
    #[cfg(feature = "std")]
    pub fn to_vec(&self) -> Result<std::vec::Vec<std::vec::Vec<u8>>> {
        let mut buffer = std::vec![0; self.max_item_bytes()];
        let mut all = std::vec::Vec::new();
        self.for_each(&mut buffer, |_, item| all.push(item.to_vec()))?;
        Ok(all)
    }
}

/// The item's bytes, in `buffer`, where `held` may have been read before.
fn load<'b>(view: &View, item: Item, buffer: &'b mut [u8], held: &mut Option<Item>) -> Result<&'b [u8]> {
    let to = buffer.get_mut(..item.len as usize).ok_or(Error::BufferTooSmall)?;
    if *held != Some(item) {
        *held = None;
        view.read(item.at, to)?;
        *held = Some(item);
    }
    Ok(to)
}

fn by_bytes(view: &View, a: Item, b: Item) -> Result<Ordering> {
    let (mut x, mut y) = ([0; 64], [0; 64]);
    let both = a.len.min(b.len);
    let mut at = 0;
    while at < both {
        let step = (both - at).min(64);
        let (x, y) = (&mut x[..step as usize], &mut y[..step as usize]);
        view.read(a.at + at, x)?;
        view.read(b.at + at, y)?;
        match x.cmp(&y) {
            Ordering::Equal => at += step,
            other => return Ok(other),
        }
    }
    Ok(a.len.cmp(&b.len))
}
