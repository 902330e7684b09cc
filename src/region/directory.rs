//! The region's directory: named objects, created under the region's lock, found without it.
//!
//! # Memory
//! One entry of 64 bytes per object:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `state`: 0 free, 1 being created, 2 ready |
//! | 4 | 4 | `kind`: 1 queue, 2 tracked semaphore, 3 barrier, 4 SPSC queue, 5 pipe, 6 value, 7 array, 8 list, 9 dict, 10 namespace, 11 raw value, 12 raw array |
//! | 8 | 8 | `offset` of the object in the region, a multiple of 128 |
//! | 16 | 8 | `size` in bytes |
//! | 32 | 32 | `name`, padded with zeros; 1 to 31 bytes |
//!
//! # Invariants
//! 1. Only the owner of the region's lock writes an entry, and never a ready one.
//! 2. `state` becomes ready after everything else of the entry and of the object (Release; partner: the
//!    Acquire load in `find`).
//! 3. Objects do not overlap: a new one begins at or after the end of every ready one.
//!
//! # Crash
//! A creator killed half way leaves an entry in state 1 and the lock to be inherited: the next creator
//! is told, takes such entries back, and their room with them (it looks at ready entries only).
//! Readers never see the entry.
//!
//! # Checked by
//! `tests/sweep_region.rs`, `tests/proc_region.rs`, `tests/region.rs`, `tests/hostile.rs`.

use crate::{
    error::{Error, Result},
    layout::{CACHE_LINE, Layout, fits, round_up},
    sync::{AtomicU32, AtomicU64, Ordering::*},
};

const FREE: u32 = 0;
const CREATING: u32 = 1;
const READY: u32 = 2;

/// The longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 31;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    Queue = 1,
    Semaphore = 2,
    Barrier = 3,
    Spsc = 4,
    Pipe = 5,
    Value = 6,
    Array = 7,
    List = 8,
    Dict = 9,
    Namespace = 10,
    RawValue = 11,
    RawArray = 12,
}

/// One object. See the module's comment.
#[repr(C, align(64))]
pub(super) struct Entry {
    state: AtomicU32,
    kind: AtomicU32,
    offset: AtomicU64,
    size: AtomicU64,
    _reserved: u64,
    name: [AtomicU64; 4],
}

#[cfg(not(rialto_loom))]
static_assertions::const_assert_eq!(core::mem::size_of::<Entry>(), 64);

type Name = [u64; 4];

fn pack(name: &str) -> Result<Name> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.as_bytes().contains(&0) {
        return Err(Error::Invalid);
    }
    let mut bytes = [0u8; 32];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Ok(bytemuck::cast(bytes))
}

impl Entry {
    fn has_name(&self, name: &Name) -> bool {
        self.name.iter().zip(name).all(|(a, b)| a.load(Relaxed) == *b)
    }

    /// Where a ready object lies, if what the entry says is possible.
    fn place(&self, data: u64, total: u64) -> Option<Place> {
        let (offset, size) = (self.offset.load(Relaxed), self.size.load(Relaxed));
        let sound = offset >= data && offset % CACHE_LINE == 0 && fits(offset, size, total);
        sound.then_some(Place { offset, size })
    }
}

/// An object's bytes in the region, checked to lie inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub offset: u64,
    pub size: u64,
}

#[derive(Clone, Copy)]
pub(super) struct Directory<'r> {
    pub entries: &'r [Entry],
    /// Objects lie in `data..total`.
    pub data: u64,
    pub total: u64,
}

impl<'r> Directory<'r> {
    /// All entries free. While nobody else uses the region.
    pub fn format(self) {
        for entry in self.entries {
            entry.state.store(FREE, Relaxed);
        }
    }

    fn ready(self) -> impl Iterator<Item = &'r Entry> {
        self.entries.iter().filter(|entry| entry.state.load(Acquire) == READY)
    }

    /// Every ready object of `kind`.
    pub fn all(self, kind: Kind) -> impl Iterator<Item = Place> + use<'r> {
        self.ready()
            .filter(move |entry| entry.kind.load(Relaxed) == kind as u32)
            .filter_map(move |entry| entry.place(self.data, self.total))
    }

    /// The object of that name and kind.
    pub fn find(self, name: &str, kind: Kind) -> Result<Place> {
        let name = pack(name)?;
        let entry = self.ready().find(|entry| entry.has_name(&name)).ok_or(Error::NotFound)?;
        if entry.kind.load(Relaxed) != kind as u32 {
            return Err(Error::WrongKind);
        }
        entry.place(self.data, self.total).ok_or(Error::BadRegion)
    }

    /// Takes back what a dead creator left. The caller holds the region's lock.
    pub fn repair(self) {
        for entry in self.entries.iter().filter(|entry| entry.state.load(Relaxed) == CREATING) {
            entry.state.store(FREE, Relaxed);
        }
    }

    /// Makes room for an object, has `build` make it, and announces it. The caller holds the lock.
    pub fn create<T>(
        self,
        name: &str,
        kind: Kind,
        layout: Layout,
        build: impl FnOnce(Place) -> Result<T>,
    ) -> Result<T> {
        let name = pack(name)?;
        if self.ready().any(|entry| entry.has_name(&name)) {
            return Err(Error::Exists);
        }
        let entry =
            self.entries.iter().find(|entry| entry.state.load(Relaxed) == FREE).ok_or(Error::NoSpace)?;
        let end = self
            .ready()
            .filter_map(|entry| entry.place(self.data, self.total))
            .map(|p| p.offset + p.size)
            .max();
        let offset = round_up(end.unwrap_or(self.data), CACHE_LINE).ok_or(Error::NoSpace)?;
        if !fits(offset, layout.size, self.total) {
            return Err(Error::NoSpace);
        }
        let place = Place { offset, size: layout.size };
        entry.state.store(CREATING, Relaxed);
        entry.kind.store(kind as u32, Relaxed);
        entry.offset.store(place.offset, Relaxed);
        entry.size.store(place.size, Relaxed);
        for (word, value) in entry.name.iter().zip(name) {
            word.store(value, Relaxed);
        }
        match build(place) {
            Ok(object) => {
                entry.state.store(READY, Release); // invariant 2
                Ok(object)
            }
            Err(error) => {
                entry.state.store(FREE, Relaxed);
                Err(error)
            }
        }
    }
}
