//! The directory, the table of users, and the room that is left.

use super::{Inspector, Source};
use crate::{
    layout::{CACHE_LINE, fits, round_up},
    region::{Kind, ObjectName, Space},
    sys::{Liveness, Platform},
};

const READY: u32 = 2;
const REMOVING: u32 = 3;
/// Members and spare rows.
const MAX_ROWS: usize = 4095 + 16;
const MAX_OBJECTS: usize = 4096;

/// An entry of the directory, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// Under which it was created.
    pub name: ObjectName,
    /// What it is; None: a number that means nothing.
    pub kind: Option<Kind>,
    /// Where it lies in the region.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
    /// How many handles use it, those of the dead not counted.
    pub users: u32,
    /// It is about to be removed, unless somebody uses it.
    pub is_being_removed: bool,
    /// It lies in the region, and not over others.
    pub is_sound: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    state: u32,
    kind: u32,
    offset: u64,
    size: u64,
    name: [u64; 4],
}

/// Which rows of the table of users are those of processes that are not dead.
struct Rows([u64; MAX_ROWS.div_ceil(64)]);

impl<S: Source, P: Platform> Inspector<S, P> {
    fn entry(&self, index: u32) -> Option<Entry> {
        let at = self.entry_at(index);
        let state = self.u32(at).ok()?;
        if !matches!(state, READY | REMOVING) {
            return None;
        }
        let word = |offset| self.u64(at + offset).ok();
        Some(Entry {
            state,
            kind: self.u32(at + 4).ok()?,
            offset: word(8)?,
            size: word(16)?,
            name: [word(32)?, word(40)?, word(48)?, word(56)?],
        })
    }

    fn entry_seen_twice(&self, index: u32) -> Option<Entry> {
        self.entry(index).filter(|first| self.entry(index).as_ref() == Some(first))
    }

    fn fits(&self, entry: &Entry) -> bool {
        let Entry { offset, size, .. } = *entry;
        offset >= self.geometry.data_offset
            && offset % CACHE_LINE == 0
            && fits(offset, size, self.geometry.size)
    }

    /// What there is, in the directory's order.
    pub fn objects(&self) -> impl Iterator<Item = Object> {
        let rows = self.rows();
        let mut room = self.geometry.size - self.geometry.data_offset;
        (0..u32::from(self.geometry.objects)).filter_map(move |index| {
            let entry = self.entry_seen_twice(index)?;
            let rest = if self.fits(&entry) { room.checked_sub(entry.size) } else { None };
            room = rest.unwrap_or(room);
            Some(Object {
                name: ObjectName::unpack(entry.name),
                kind: Kind::from_number(entry.kind),
                offset: entry.offset,
                size: entry.size,
                users: self.users(&rows, index),
                is_being_removed: entry.state == REMOVING,
                is_sound: rest.is_some(),
            })
        })
    }

    fn row_at(&self, row: usize) -> u64 {
        self.geometry.users_offset + 8 * (row * self.geometry.row_words) as u64
    }

    fn rows(&self) -> Rows {
        let mut rows = Rows([0; MAX_ROWS.div_ceil(64)]);
        for row in 0..self.geometry.rows.min(MAX_ROWS) {
            let Ok(owner) = self.u64(self.row_at(row)) else { break };
            if owner != 0 && self.platform.process_liveness(owner) != Liveness::Dead {
                rows.0[row / 64] |= 1 << (row % 64);
            }
        }
        rows
    }

    fn users(&self, rows: &Rows, object: u32) -> u32 {
        // The map is the end of a row.
        let map = self.geometry.row_words - usize::from(self.geometry.objects).div_ceil(64);
        let word = 8 * (map as u64 + u64::from(object) / 64);
        let alive =
            (0..self.geometry.rows.min(MAX_ROWS)).filter(|row| rows.0[row / 64] >> (row % 64) & 1 != 0);
        let uses =
            |row: &usize| self.u64(self.row_at(*row) + word).is_ok_and(|bits| bits >> (object % 64) & 1 != 0);
        alive.filter(uses).count() as u32
    }

    /// As [`crate::region::Region::space`]. Takes 64 KiB of stack.
    pub fn space(&self) -> Space {
        let total = self.geometry.size - self.geometry.data_offset;
        let mut places = heapless::Vec::<(u64, u64), MAX_OBJECTS>::new();
        for index in 0..u32::from(self.geometry.objects) {
            if let Some(entry) = self.entry_seen_twice(index).filter(|entry| self.fits(entry)) {
                let _ = places.push((entry.offset, entry.size)); // there are no more
            }
        }
        places.sort_unstable();
        let (mut free, mut largest, mut at) = (0, 0, self.geometry.data_offset);
        let end = (self.geometry.size, 0);
        for (offset, size) in places.iter().chain([&end]) {
            let gap = offset.saturating_sub(at);
            free += gap;
            largest = gap.max(largest);
            // They were seen to fit.
            at = at.max(round_up(offset + size, CACHE_LINE).unwrap_or(u64::MAX));
        }
        Space { total, used: total - free, free, largest }
    }
}
