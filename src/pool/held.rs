//! What the parent itself knows of its tasks: which slots they have, in the order in which they were submitted. No worker can
//! change that, so the parent is never led astray by the table, which is shared.
//!
//! # Memory
//! One entry for each slot, private. Entries under way are a doubly linked list, oldest first; others a list of
//! free ones. Links are slot + 1, 0 is the end.

use super::{TaskId, scratch::Scratch};
use crate::error::Result;
use bytemuck::Zeroable;

/// A task under way.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Entry {
    /// 0: the slot is free.
    pub serial: u64,
    /// Of its first item, for `map` and the like.
    pub index: u64,
    /// Of a chunk; 0: it is none.
    pub items: u32,
    /// 1: nobody will ask for its report.
    forgotten: u32,
    newer: u32,
    older: u32,
}

// SAFETY: numbers.
unsafe impl Zeroable for Entry {}

pub(super) struct Held {
    entries: Scratch<Entry>,
    free: u32,
    oldest: u32,
    newest: u32,
    /// Under way, and wanted.
    wanted: u32,
    forgotten: u32,
}

impl Held {
    pub fn new(slots: u32) -> Result<Held> {
        let mut entries = Scratch::<Entry>::new(slots as usize)?;
        for (slot, entry) in (1u32..).zip(entries.get_mut()) {
            entry.newer = if slot == slots { 0 } else { slot + 1 };
        }
        Ok(Held { entries, free: 1, oldest: 0, newest: 0, wanted: 0, forgotten: 0 })
    }

    fn at(&mut self, link: u32) -> Option<&mut Entry> {
        self.entries.get_mut().get_mut(link.checked_sub(1)? as usize)
    }

    pub fn entry(&self, slot: u32) -> Option<&Entry> {
        self.entries.get().get(slot as usize).filter(|entry| entry.serial != 0)
    }

    /// Under way, those that nobody will ask for not counted.
    pub fn wanted(&self) -> u32 {
        self.wanted
    }

    pub fn any_forgotten(&self) -> bool {
        self.forgotten > 0
    }

    /// The slot that `take` will take.
    pub fn free(&self) -> Option<u32> {
        self.free.checked_sub(1)
    }

    /// Takes the slot that `free` said.
    pub fn take(&mut self, serial: u64, index: u64, items: u32) {
        let (link, older) = (self.free, self.newest);
        let Some(entry) = self.at(link) else { return };
        let next = entry.newer;
        *entry = Entry { serial, index, items, forgotten: 0, newer: 0, older };
        self.free = next;
        match self.at(older) {
            Some(before) => before.newer = link,
            None => self.oldest = link,
        }
        self.newest = link;
        self.wanted += 1;
    }

    /// The slot is free again.
    pub fn give_back(&mut self, slot: u32) {
        let Some(&entry) = self.entry(slot) else { return };
        match self.at(entry.older) {
            Some(before) => before.newer = entry.newer,
            None => self.oldest = entry.newer,
        }
        match self.at(entry.newer) {
            Some(behind) => behind.older = entry.older,
            None => self.newest = entry.older,
        }
        let count = if entry.forgotten == 0 { &mut self.wanted } else { &mut self.forgotten };
        *count -= 1;
        let next = self.free;
        self.free = slot + 1;
        if let Some(it) = self.at(slot + 1) {
            *it = Entry { newer: next, ..Entry::zeroed() };
        }
    }

    pub fn forget(&mut self, slot: u32) {
        let Some(entry) = self.at(slot + 1) else { return };
        if entry.serial != 0 && entry.forgotten == 0 {
            entry.forgotten = 1;
            self.wanted -= 1;
            self.forgotten += 1;
        }
    }

    pub fn is_forgotten(&self, slot: u32) -> bool {
        self.entry(slot).is_some_and(|entry| entry.forgotten != 0)
    }

    /// Where the task is.
    pub fn slot_of(&self, id: TaskId) -> Option<u32> {
        self.entry(id.slot).filter(|entry| entry.serial == id.serial && entry.forgotten == 0).map(|_| id.slot)
    }

    /// The task that was submitted after that of this slot.
    pub fn newer(&self, slot: u32) -> Option<TaskId> {
        let slot = self.entry(slot)?.newer.checked_sub(1)?;
        Some(TaskId { serial: self.entry(slot)?.serial, slot })
    }

    /// Slots and entries, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        let mut link = self.oldest;
        core::iter::from_fn(move || {
            let slot = link.checked_sub(1)?;
            let entry = self.entry(slot)?;
            link = entry.newer;
            Some((slot, entry))
        })
    }

    /// One of them, that is wanted so.
    pub fn find(&self, mut wanted: impl FnMut(u32, &Entry) -> bool) -> Option<u32> {
        self.iter().find(|(slot, entry)| wanted(*slot, entry)).map(|(slot, _)| slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Against a list of pairs.
    #[test]
    fn it_is_a_list_in_order_of_submission_whatever_is_given_back() {
        for slots in [1, 2, 7] {
            let mut held = Held::new(slots).unwrap();
            let mut model: Vec<(u32, u64)> = Vec::new();
            let mut random = 12345u64;
            for serial in 1..2000 {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                if (random >> 33) % 2 == 0 && model.len() < slots as usize {
                    let slot = held.free().unwrap();
                    held.take(serial, serial * 10, 3);
                    model.push((slot, serial));
                } else if !model.is_empty() {
                    let at = (random >> 40) as usize % model.len();
                    if serial % 3 == 0 {
                        held.forget(model[at].0);
                        assert!(held.is_forgotten(model[at].0) && held.any_forgotten());
                    }
                    held.give_back(model.remove(at).0);
                }
                assert_eq!(held.iter().map(|(slot, entry)| (slot, entry.serial)).collect::<Vec<_>>(), model);
                assert_eq!(held.free().is_none(), model.len() == slots as usize);
                assert_eq!((held.wanted() as usize, held.any_forgotten()), (model.len(), false));
                for pair in model.windows(2) {
                    assert_eq!(held.newer(pair[0].0), Some(TaskId { serial: pair[1].1, slot: pair[1].0 }));
                }
                for &(slot, serial) in &model {
                    assert_eq!(held.slot_of(TaskId { serial, slot }), Some(slot));
                    assert_eq!(held.slot_of(TaskId { serial: serial + 1, slot }), None);
                    assert_eq!(held.entry(slot).unwrap().index, serial * 10);
                }
            }
        }
    }
}
