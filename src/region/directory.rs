//! The region's directory: named objects, created and removed under the region's lock, found without it.
//!
//! # Memory
//! One entry of 64 bytes per object:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `state`: 0 free, 1 being created, 2 ready, 3 being removed |
//! | 4 | 4 | `kind`, see [`Kind`] |
//! | 8 | 8 | `offset` of the object in the region, a multiple of 128 |
//! | 16 | 8 | `size` in bytes |
//! | 32 | 32 | `name`, padded with zeros; 1 to 31 bytes |
//!
//! # States
//! FREE -> CREATING -> READY -> REMOVING -> FREE, all by the owner of the region's lock; CREATING -> FREE if
//! creating fails; REMOVING -> READY by the remover that finds it in use, and by **anybody** who wants the object:
//! so nobody waits for a remover, and one that died or stops has not removed anything.
//!
//! # Invariants
//! 1. Only the owner of the region's lock writes an entry, but for REMOVING -> READY, and nothing but the state
//!    of one that is not CREATING.
//! 2. `state` becomes ready after everything else of the entry and of the object (Release; partner: the
//!    Acquire load in `find`).
//! 3. Objects do not overlap: a new one lies where no ready one (or one being removed) does. There is no other
//!    record of what room is free.
//!
//! # Removing
//! The remover stores REMOVING, then looks who uses the entry, then CAS REMOVING -> FREE. An opener announces
//! its visit (see `users`), then looks at the state: READY it relies on, REMOVING it makes READY by a CAS, and
//! fails if it is neither. Both orders are SeqCst, so one sees the other: the remover sees the visit, or the opener
//! sees REMOVING or what came after. If the opener's CAS comes first, the remover's fails, and it looks again.
//! A late CAS of an opener may save another object that is in the same entry by then: its remover looks again.
//!
//! # Crash
//! A creator killed half way leaves an entry in state 1 and the lock to be inherited: the next owner
//! is told, takes such entries back, and their room with them (3 counts ready entries only).
//! Readers never see the entry. A remover killed half way leaves state 3: the object is there, whole.
//!
//! # Checked by
//! `tests/sweep_region.rs`, `tests/sweep_directory.rs`, `tests/proc_region.rs`, `tests/region.rs`,
//! `tests/directory.rs`, `tests/hostile.rs`.

use crate::{
    error::{Error, Result},
    layout::{CACHE_LINE, fits, round_up},
    sync::{AtomicU32, AtomicU64, Ordering::*, model_fence},
};

const FREE: u32 = 0;
const CREATING: u32 = 1;
const READY: u32 = 2;
const REMOVING: u32 = 3;

/// The longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 31;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
#[non_exhaustive]
#[allow(missing_docs)] // their types say it
pub enum Kind {
    Queue = 1,
    TrackedSemaphore = 2,
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
    Lock = 13,
    RLock = 14,
    Event = 15,
    Semaphore = 16,
    Condition = 17,
}

impl Kind {
    const ALL: [Kind; 17] = [
        Kind::Queue,
        Kind::TrackedSemaphore,
        Kind::Barrier,
        Kind::Spsc,
        Kind::Pipe,
        Kind::Value,
        Kind::Array,
        Kind::List,
        Kind::Dict,
        Kind::Namespace,
        Kind::RawValue,
        Kind::RawArray,
        Kind::Lock,
        Kind::RLock,
        Kind::Event,
        Kind::Semaphore,
        Kind::Condition,
    ];

    /// As it stands in the directory.
    pub fn from_number(number: u32) -> Option<Kind> {
        Kind::ALL.get((number as usize).checked_sub(1)?).copied()
    }

    /// The same.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// Its type's name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Queue => "Queue",
            Kind::TrackedSemaphore => "TrackedSemaphore",
            Kind::Barrier => "Barrier",
            Kind::Spsc => "Spsc",
            Kind::Pipe => "Pipe",
            Kind::Value => "Value",
            Kind::Array => "Array",
            Kind::List => "List",
            Kind::Dict => "Dict",
            Kind::Namespace => "Namespace",
            Kind::RawValue => "RawValue",
            Kind::RawArray => "RawArray",
            Kind::Lock => "Lock",
            Kind::RLock => "RLock",
            Kind::Event => "Event",
            Kind::Semaphore => "Semaphore",
            Kind::Condition => "Condition",
        }
    }
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

pub(crate) type Name = [u64; 4];

pub(super) fn pack(name: &str) -> Result<Name> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.as_bytes().contains(&0) {
        return Err(Error::Invalid);
    }
    let mut bytes = [0u8; 32];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Ok(bytemuck::cast(bytes))
}

impl Entry {
    /// Ready, or being removed: that is there as well.
    fn is_there(&self) -> bool {
        matches!(self.state.load(Acquire), READY | REMOVING)
    }

    fn name(&self) -> Name {
        core::array::from_fn(|i| self.name[i].load(Relaxed))
    }

    /// As it stands there; see [`Kind::from_number`].
    fn kind(&self) -> u32 {
        self.kind.load(Relaxed)
    }

    /// Where it lies, if what the entry says is possible.
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

/// What an entry said a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub name: Name,
    pub kind: u32,
    pub place: Option<Place>,
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

    /// The indices of what is there.
    pub fn present(self) -> impl Iterator<Item = usize> + use<'r> {
        (0..self.entries.len()).filter(move |index| self.entries[*index].is_there())
    }

    /// The entry of that name. From here on it may go at any time, unless the caller has the lock.
    pub fn position(self, name: &Name) -> Option<usize> {
        self.present().find(|index| self.entries[*index].name() == *name)
    }

    /// What the entry says, which others may change meanwhile, unless it is protected (see `settle`).
    pub fn seen(self, index: usize) -> Seen {
        let entry = &self.entries[index];
        Seen { name: entry.name(), kind: entry.kind(), place: entry.place(self.data, self.total) }
    }

    /// As `seen`, without half-made sights, as far as two looks can tell.
    pub fn seen_twice(self, index: usize) -> Option<Seen> {
        let look = || self.entries[index].is_there().then(|| self.seen(index));
        look().filter(|first| look().as_ref() == Some(first))
    }

    /// After the caller has announced its visit: whether an object is there, which then stays there (see
    /// "Removing").
    pub fn settle(self, index: usize) -> bool {
        let state = &self.entries[index].state;
        match state.load(SeqCst) {
            READY => true,
            // If it fails, the remover was faster, or somebody like us.
            REMOVING => match state.compare_exchange(REMOVING, READY, SeqCst, SeqCst) {
                Ok(_) => true,
                Err(now) => now == READY,
            },
            _ => false,
        }
    }

    /// Takes back what a dead owner of the lock left. The caller holds the region's lock.
    pub fn repair(self) {
        for entry in self.entries {
            match entry.state.load(Relaxed) {
                CREATING => entry.state.store(FREE, Relaxed),
                REMOVING => drop(entry.state.compare_exchange(REMOVING, READY, SeqCst, Relaxed)),
                _ => {}
            }
        }
    }

    fn places(self) -> impl Iterator<Item = Place> + use<'r> {
        let places = self.present().filter_map(move |i| self.entries[i].place(self.data, self.total));
        places.filter(|place| place.size > 0)
    }

    /// Where nothing is, in order of their offsets: pairs of begin and end, each begin a multiple of 128; some
    /// may be empty. Exact for the lock's owner.
    pub fn gaps(self) -> impl Iterator<Item = (u64, u64)> + use<'r> {
        let mut begin = Some(self.data);
        // No more than one for each object and the last one, whatever others write meanwhile.
        (0..=self.entries.len()).map_while(move |_| {
            let from = self.skip(begin?)?;
            begin = self.places().map(|place| place.offset).filter(|offset| *offset > from).min();
            Some((from, begin.unwrap_or(self.total)))
        })
    }

    /// The first place from there on that no object covers. Few passes if entries and objects have the same order,
    /// never more than there are objects.
    fn skip(self, mut from: u64) -> Option<u64> {
        for _ in 0..=self.entries.len() {
            let before = from;
            for place in self.places() {
                let end = place.offset + place.size;
                if place.offset <= from && from < end {
                    from = round_up(end, CACHE_LINE)?;
                }
            }
            if from == before {
                break;
            }
        }
        (from <= self.total).then_some(from)
    }

    /// Makes room for an object under a name that is not there, and reserves an entry for it: state CREATING. The
    /// caller holds the lock.
    ///
    /// Errors: `Exists`, `NoSpace`.
    pub fn reserve(self, name: &Name, kind: Kind, size: u64) -> Result<(usize, Place)> {
        if self.position(name).is_some() {
            return Err(Error::Exists);
        }
        let is_free = |entry: &Entry| entry.state.load(Relaxed) == FREE;
        let index = self.entries.iter().position(is_free).ok_or(Error::NoSpace)?;
        let fit = self.gaps().find(|(begin, end)| end - begin >= size);
        let place = Place { offset: fit.ok_or(Error::NoSpace)?.0, size };
        let entry = &self.entries[index];
        entry.state.store(CREATING, SeqCst);
        entry.kind.store(kind as u32, Relaxed);
        entry.offset.store(place.offset, Relaxed);
        entry.size.store(place.size, Relaxed);
        for (word, value) in entry.name.iter().zip(name) {
            word.store(*value, Relaxed);
        }
        Ok((index, place))
    }

    /// The object is whole.
    pub fn announce(self, index: usize) {
        self.entries[index].state.store(READY, SeqCst); // invariant 2
    }

    /// It could not be made.
    pub fn give_up(self, index: usize) {
        self.entries[index].state.store(FREE, Relaxed);
    }

    /// From here on openers must say so. The caller holds the lock.
    pub fn begin_removal(self, index: usize) {
        self.entries[index].state.store(REMOVING, SeqCst);
        model_fence();
    }

    /// It stays.
    pub fn end_removal(self, index: usize) {
        let _ = self.entries[index].state.compare_exchange(REMOVING, READY, SeqCst, Relaxed);
    }

    /// It goes, unless somebody has come for it meanwhile: false.
    pub fn finish_removal(self, index: usize) -> bool {
        self.entries[index].state.compare_exchange(REMOVING, FREE, SeqCst, Relaxed).is_ok()
    }
}
