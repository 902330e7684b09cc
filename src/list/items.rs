//! A list within a copy of its state: where things are, and how they are changed in place.

use super::ListConfig;
use crate::{
    error::{Error, Result},
    layout::round_up,
    shadow::{Draft, MAX_BYTES, View},
};
use core::ops::Range;

const LEN: u32 = 0;
const ORDER: u32 = 16;
/// Bytes of a slot before the payload.
const HEAD: u32 = 4;

/// Where an item's bytes are in a copy; `len` is at most `max_item`, and `slot` is a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub slot: u32,
    pub at: u32,
    pub len: u32,
}

/// The geometry. All offsets lie below 2^30.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Items {
    pub capacity: u32,
    pub max_item: u32,
    scratch: u32,
    slots: u32,
    stride: u32,
}

impl Items {
    /// And the bytes of a copy. None: impossible, or more than a copy may have.
    pub fn new(config: &ListConfig) -> Option<(Items, u64)> {
        let ListConfig { capacity, max_item } = *config;
        if capacity == 0 || capacity > MAX_BYTES || max_item == 0 || max_item > MAX_BYTES {
            return None;
        }
        // Nothing wraps: factors are at most 2^30 and 2^31.
        let stride = round_up(u64::from(HEAD) + u64::from(max_item), 16)?;
        let scratch = u64::from(ORDER) + 4 * u64::from(capacity);
        let slots = round_up(scratch + 4 * u64::from(capacity), 16)?;
        let bytes = slots + u64::from(capacity) * stride;
        if bytes > u64::from(MAX_BYTES) {
            return None;
        }
        let (scratch, slots, stride) = (scratch as u32, slots as u32, stride as u32);
        Some((Items { capacity, max_item, scratch, slots, stride }, bytes))
    }

    /// In a copy of zeros: an empty list.
    pub fn format(&self, draft: &mut Draft) -> Result<()> {
        (0..self.capacity).try_for_each(|slot| draft.set_u32(Self::order(slot), slot))
    }

    /// Where the `i`-th slot number is, `i` being below the capacity.
    fn order(i: u32) -> u32 {
        ORDER + 4 * i
    }

    pub fn len(&self, view: &View) -> Result<u32> {
        let len = view.u32(LEN)?;
        if len > self.capacity { Err(Error::BadRegion) } else { Ok(len) }
    }

    /// `i` as an index of the list. Errors: `NotFound`.
    pub fn index(&self, view: &View, i: usize) -> Result<u32> {
        let len = self.len(view)?;
        if i < len as usize { Ok(i as u32) } else { Err(Error::NotFound) }
    }

    /// What there is of `range`, as Python's slices: nothing is out of bounds.
    pub fn part(&self, view: &View, range: Range<usize>) -> Result<Range<u32>> {
        let len = self.len(view)?;
        let clamp = |i: usize| i.min(len as usize) as u32;
        Ok(clamp(range.start)..clamp(range.end))
    }

    /// The `i`-th item, `i` being below the capacity.
    pub fn item(&self, view: &View, i: u32) -> Result<Item> {
        self.in_slot(view, view.u32(Self::order(i))?)
    }

    fn in_slot(&self, view: &View, slot: u32) -> Result<Item> {
        if slot >= self.capacity {
            return Err(Error::BadRegion);
        }
        let start = self.slots + slot * self.stride;
        let len = view.u32(start)?;
        if len > self.max_item {
            return Err(Error::BadRegion);
        }
        Ok(Item { slot, at: start + HEAD, len })
    }

    /// The first of `part` that equals `value`.
    pub fn find(&self, view: &View, part: Range<u32>, value: &[u8]) -> Result<Option<u32>> {
        for i in part {
            if self.equals(view, i, value)? {
                return Ok(Some(i));
            }
        }
        Ok(None)
    }

    pub fn equals(&self, view: &View, i: u32, value: &[u8]) -> Result<bool> {
        let item = self.item(view, i)?;
        Ok(item.len as usize == value.len() && view.is(item.at, value)?)
    }

    /// Copies the item to the beginning of `to`; its length. Errors: `BufferTooSmall`.
    pub fn copy(&self, view: &View, i: u32, to: &mut [u8]) -> Result<usize> {
        let item = self.item(view, i)?;
        let to = to.get_mut(..item.len as usize).ok_or(Error::BufferTooSmall)?;
        view.read(item.at, to)?;
        Ok(to.len())
    }

    /// Errors: `MessageTooLarge`.
    pub fn check(&self, value: &[u8]) -> Result<()> {
        if value.len() > self.max_item as usize { Err(Error::MessageTooLarge) } else { Ok(()) }
    }

    fn store(&self, draft: &mut Draft, slot: u32, value: &[u8]) -> Result<()> {
        self.check(value)?;
        if slot >= self.capacity {
            return Err(Error::BadRegion);
        }
        let start = self.slots + slot * self.stride;
        draft.set_u32(start, value.len() as u32)?;
        draft.write(start + HEAD, value)
    }

    /// Another value for the `i`-th item.
    pub fn replace(&self, draft: &mut Draft, i: u32, value: &[u8]) -> Result<()> {
        let slot = draft.u32(Self::order(i))?;
        self.store(draft, slot, value)
    }

    /// Before the `i`-th item, or behind the last. Errors: `NoSpace`.
    pub fn insert(&self, draft: &mut Draft, i: u32, value: &[u8]) -> Result<()> {
        let len = self.len(draft)?;
        if len == self.capacity {
            return Err(Error::NoSpace);
        }
        let slot = draft.u32(Self::order(len))?;
        self.store(draft, slot, value)?;
        let i = i.min(len);
        draft.move_u32s(Self::order(i), Self::order(i) + 4, len - i)?;
        draft.set_u32(Self::order(i), slot)?;
        draft.set_u32(LEN, len + 1)
    }

    /// Without the `i`-th item, which there is.
    pub fn remove(&self, draft: &mut Draft, i: u32) -> Result<()> {
        let Some(last) = self.len(draft)?.checked_sub(1) else { return Err(Error::BadRegion) };
        let behind = last.checked_sub(i).ok_or(Error::BadRegion)?;
        let slot = draft.u32(Self::order(i))?;
        draft.move_u32s(Self::order(i) + 4, Self::order(i), behind)?;
        draft.set_u32(Self::order(last), slot)?;
        draft.set_u32(LEN, last)
    }

    /// Nothing is left; all slots are free as they are.
    pub fn clear(&self, draft: &mut Draft) -> Result<()> {
        draft.set_u32(LEN, 0)
    }

    pub fn reverse(&self, draft: &mut Draft) -> Result<()> {
        let len = self.len(draft)?;
        for i in 0..len / 2 {
            let (a, b) = (Self::order(i), Self::order(len - 1 - i));
            let (x, y) = (draft.u32(a)?, draft.u32(b)?);
            draft.set_u32(a, y)?;
            draft.set_u32(b, x)?;
        }
        Ok(())
    }

    /// Stable: runs of 1, 2, 4 ... items are merged, from `order` to the scratch and back. However `is_less`
    /// answers, it ends, and every slot is there once.
    pub fn sort(
        &self,
        draft: &mut Draft,
        mut is_less: impl FnMut(&View, Item, Item) -> Result<bool>,
    ) -> Result<()> {
        let len = self.len(draft)?;
        let (mut from, mut to) = (ORDER, self.scratch);
        let mut run = 1;
        while run < len {
            let mut start = 0;
            while start < len {
                let middle = len.min(start + run);
                let end = len.min(middle + run);
                self.merge(draft, (from, to), start..middle, middle..end, &mut is_less)?;
                start = end;
            }
            (from, to) = (to, from);
            run *= 2;
        }
        if from == ORDER { Ok(()) } else { draft.move_u32s(from, ORDER, len) }
    }

    fn merge(
        &self,
        draft: &mut Draft,
        (from, to): (u32, u32),
        mut left: Range<u32>,
        mut right: Range<u32>,
        is_less: &mut impl FnMut(&View, Item, Item) -> Result<bool>,
    ) -> Result<()> {
        for out in left.start..right.end {
            let take_right = match (left.is_empty(), right.is_empty()) {
                (true, _) => true,
                (_, true) => false,
                _ => {
                    let a = self.in_slot(draft, draft.u32(from + 4 * left.start)?)?;
                    let b = self.in_slot(draft, draft.u32(from + 4 * right.start)?)?;
                    is_less(draft, b, a)?
                }
            };
            let next = if take_right { right.next() } else { left.next() };
            let slot = draft.u32(from + 4 * next.ok_or(Error::BadRegion)?)?;
            draft.set_u32(to + 4 * out, slot)?;
        }
        Ok(())
    }
}
