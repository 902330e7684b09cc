//! A dict within a copy of its state: where things are, and how they are changed in place. What `namespace` lies
//! in, too.

use crate::{
    error::{Error, Result},
    layout::round_up,
    shadow::{Draft, MAX_BYTES, View},
};
use core::hash::Hasher;

const LEN: u32 = 0;
const FRESH: u32 = 4;
const FREE: u32 = 8;
const FIRST: u32 = 12;
const LAST: u32 = 16;
const CHANGES: u32 = 20;
const BUCKETS: u32 = 32;

/// In a slot.
const HASH: u32 = 0;
const CHAIN: u32 = 4;
const BEFORE: u32 = 8;
const AFTER: u32 = 12;
const KEY_LEN: u32 = 16;
const VALUE_LEN: u32 = 20;
const KEY: u32 = 32;

/// A link that leads nowhere; else it is a slot's number plus 1.
const NONE: u32 = 0;

/// The geometry. All offsets lie below 2^30.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub capacity: u32,
    pub max_key: u32,
    pub max_value: u32,
    /// How many, minus 1.
    mask: u32,
    slots: u32,
    stride: u32,
    /// In a slot.
    value: u32,
}

/// Where a slot begins in a copy, and which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    link: u32,
    start: u32,
}

/// A slot, and the place of the link that leads to it along its bucket's chain.
struct Found {
    slot: Slot,
    from: u32,
}

/// FNV-1a of 64 bits, its halves XORed.
fn hash(key: &[u8]) -> u32 {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(key);
    let hash = hasher.finish();
    (hash ^ (hash >> 32)) as u32
}

impl Table {
    /// And the bytes of a copy. None: impossible, or more than a copy may have.
    pub fn new(capacity: u32, max_key: u32, max_value: u32) -> Option<(Table, u64)> {
        let possible = |n: u32| n <= MAX_BYTES;
        if capacity == 0 || max_key == 0 || ![capacity, max_key, max_value].into_iter().all(possible) {
            return None;
        }
        // Nothing wraps: the factors are at most 2^30 and 2^32.
        let buckets = u64::from(capacity.next_power_of_two());
        let value = round_up(u64::from(KEY) + u64::from(max_key), 16)?;
        let stride = round_up(value + u64::from(max_value), 16)?;
        let slots = round_up(u64::from(BUCKETS) + 4 * buckets, 16)?;
        let bytes = slots + u64::from(capacity) * stride;
        if bytes > u64::from(MAX_BYTES) {
            return None;
        }
        let (mask, slots, stride, value) = (buckets as u32 - 1, slots as u32, stride as u32, value as u32);
        Some((Table { capacity, max_key, max_value, mask, slots, stride, value }, bytes))
    }

    pub fn len(&self, view: &View) -> Result<u32> {
        let len = view.u32(LEN)?;
        if len > self.capacity { Err(Error::BadRegion) } else { Ok(len) }
    }

    /// How often a key came or went; wraps.
    pub fn changes(&self, view: &View) -> Result<u32> {
        view.u32(CHANGES)
    }

    /// Where a link leads.
    fn follow(&self, link: u32) -> Result<Option<Slot>> {
        match link.checked_sub(1) {
            None => Ok(None),
            Some(slot) if slot < self.capacity => {
                Ok(Some(Slot { link, start: self.slots + slot * self.stride }))
            }
            Some(_) => Err(Error::BadRegion),
        }
    }

    fn bucket(&self, hash: u32) -> u32 {
        BUCKETS + 4 * (hash & self.mask)
    }

    fn search(&self, view: &View, key: &[u8]) -> Result<Option<Found>> {
        let hash = hash(key);
        let mut from = self.bucket(hash);
        // An honest chain has no more; a ring of a peer's ends here.
        for _ in 0..=self.capacity {
            let Some(slot) = self.follow(view.u32(from)?)? else { return Ok(None) };
            if view.u32(slot.start + HASH)? == hash
                && view.u32(slot.start + KEY_LEN)? as usize == key.len()
                && key.len() <= self.max_key as usize
                && view.is(slot.start + KEY, key)?
            {
                return Ok(Some(Found { slot, from }));
            }
            from = slot.start + CHAIN;
        }
        Err(Error::BadRegion)
    }

    /// The key's slot.
    pub fn find(&self, view: &View, key: &[u8]) -> Result<Option<Slot>> {
        Ok(self.search(view, key)?.map(|found| found.slot))
    }

    /// The key's slot. Errors: `NotFound`.
    pub fn get(&self, view: &View, key: &[u8]) -> Result<Slot> {
        self.find(view, key)?.ok_or(Error::NotFound)
    }

    /// The key that came first of those that are there.
    pub fn first(&self, view: &View) -> Result<Option<Slot>> {
        self.follow(view.u32(FIRST)?)
    }

    /// The key that came last.
    pub fn last(&self, view: &View) -> Result<Option<Slot>> {
        self.follow(view.u32(LAST)?)
    }

    /// The one that came next.
    pub fn after(&self, view: &View, slot: Slot) -> Result<Option<Slot>> {
        self.follow(view.u32(slot.start + AFTER)?)
    }

    /// Each key's slot, in order.
    pub fn each(&self, view: &View, mut f: impl FnMut(Slot) -> Result<()>) -> Result<()> {
        let mut next = self.first(view)?;
        for _ in 0..self.len(view)? {
            let slot = next.ok_or(Error::BadRegion)?;
            f(slot)?;
            next = self.after(view, slot)?;
        }
        Ok(())
    }

    /// Copies the key to the beginning of `to`; its length. Errors: `BufferTooSmall`.
    pub fn copy_key(&self, view: &View, slot: Slot, to: &mut [u8]) -> Result<usize> {
        copy(view, slot.start + KEY_LEN, slot.start + KEY, self.max_key, to)
    }

    /// As [`Table::copy_key`], the value.
    pub fn copy_value(&self, view: &View, slot: Slot, to: &mut [u8]) -> Result<usize> {
        copy(view, slot.start + VALUE_LEN, slot.start + self.value, self.max_value, to)
    }

    /// How long the value is, and where.
    pub fn value(&self, view: &View, slot: Slot) -> Result<(u32, u32)> {
        let len = view.u32(slot.start + VALUE_LEN)?;
        if len > self.max_value { Err(Error::BadRegion) } else { Ok((len, slot.start + self.value)) }
    }

    /// Errors: `MessageTooLarge`.
    pub fn check(&self, key: &[u8], value_len: usize) -> Result<()> {
        if key.len() > self.max_key as usize || value_len > self.max_value as usize {
            return Err(Error::MessageTooLarge);
        }
        Ok(())
    }

    /// Another value for the key; a new key comes last. The value is both parts, one behind the other. Errors: `NoSpace`,
    /// `MessageTooLarge`.
    pub fn set(&self, draft: &mut Draft, key: &[u8], head: &[u8], value: &[u8]) -> Result<()> {
        self.check(key, head.len().saturating_add(value.len()))?;
        let slot = match self.find(draft, key)? {
            Some(slot) => slot,
            None => self.add(draft, key)?,
        };
        draft.set_u32(slot.start + VALUE_LEN, (head.len() + value.len()) as u32)?;
        draft.write(slot.start + self.value, head)?;
        draft.write(slot.start + self.value + head.len() as u32, value)
    }

    /// A slot for a key that is not there, whose value is still to be written.
    fn add(&self, draft: &mut Draft, key: &[u8]) -> Result<Slot> {
        let len = self.len(draft)?;
        if len == self.capacity {
            return Err(Error::NoSpace);
        }
        let slot = match self.follow(draft.u32(FREE)?)? {
            Some(slot) => {
                let next = draft.u32(slot.start + CHAIN)?;
                draft.set_u32(FREE, next)?;
                slot
            }
            None => {
                let fresh = draft.u32(FRESH)?;
                let slot = self.follow(fresh.checked_add(1).ok_or(Error::BadRegion)?)?;
                draft.set_u32(FRESH, fresh + 1)?;
                slot.ok_or(Error::BadRegion)?
            }
        };
        let hash = hash(key);
        let bucket = self.bucket(hash);
        let (chain, last) = (draft.u32(bucket)?, draft.u32(LAST)?);
        draft.set_u32(slot.start + HASH, hash)?;
        draft.set_u32(slot.start + CHAIN, chain)?;
        draft.set_u32(slot.start + BEFORE, last)?;
        draft.set_u32(slot.start + AFTER, NONE)?;
        draft.set_u32(slot.start + KEY_LEN, key.len() as u32)?;
        draft.write(slot.start + KEY, key)?;
        draft.set_u32(bucket, slot.link)?;
        let from = self.follow(last)?.map_or(FIRST, |last| last.start + AFTER);
        draft.set_u32(from, slot.link)?;
        draft.set_u32(LAST, slot.link)?;
        self.count(draft, len + 1)?;
        Ok(slot)
    }

    /// Without the key. Errors: `NotFound`.
    pub fn remove(&self, draft: &mut Draft, key: &[u8]) -> Result<()> {
        let Found { slot, from } = self.search(draft, key)?.ok_or(Error::NotFound)?;
        self.unlink(draft, slot, from)
    }

    /// Without that slot's key.
    pub fn remove_slot(&self, draft: &mut Draft, slot: Slot) -> Result<()> {
        let mut from = self.bucket(draft.u32(slot.start + HASH)?);
        for _ in 0..self.capacity {
            let link = draft.u32(from)?;
            if link == slot.link {
                return self.unlink(draft, slot, from);
            }
            from = self.follow(link)?.ok_or(Error::BadRegion)?.start + CHAIN;
        }
        Err(Error::BadRegion)
    }

    fn unlink(&self, draft: &mut Draft, slot: Slot, from: u32) -> Result<()> {
        let len = self.len(draft)?.checked_sub(1).ok_or(Error::BadRegion)?;
        let chain = draft.u32(slot.start + CHAIN)?;
        let (before, after) = (draft.u32(slot.start + BEFORE)?, draft.u32(slot.start + AFTER)?);
        let forward = self.follow(before)?.map_or(FIRST, |before| before.start + AFTER);
        let back = self.follow(after)?.map_or(LAST, |after| after.start + BEFORE);
        draft.set_u32(from, chain)?;
        draft.set_u32(forward, after)?;
        draft.set_u32(back, before)?;
        let free = draft.u32(FREE)?;
        draft.set_u32(slot.start + CHAIN, free)?;
        draft.set_u32(FREE, slot.link)?;
        self.count(draft, len)
    }

    fn count(&self, draft: &mut Draft, len: u32) -> Result<()> {
        draft.set_u32(LEN, len)?;
        let changes = draft.u32(CHANGES)?;
        draft.set_u32(CHANGES, changes.wrapping_add(1))
    }

    /// Nothing is left; the slots are as if never used.
    pub fn clear(&self, draft: &mut Draft) -> Result<()> {
        for word in [FRESH, FREE, FIRST, LAST] {
            draft.set_u32(word, 0)?;
        }
        (0..=self.mask).try_for_each(|bucket| draft.set_u32(BUCKETS + 4 * bucket, NONE))?;
        self.count(draft, 0)
    }
}

fn copy(view: &View, len_at: u32, at: u32, max: u32, to: &mut [u8]) -> Result<usize> {
    let len = view.u32(len_at)?;
    if len > max {
        return Err(Error::BadRegion);
    }
    let to = to.get_mut(..len as usize).ok_or(Error::BufferTooSmall)?;
    view.read(at, to)?;
    Ok(to.len())
}
