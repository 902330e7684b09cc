//! What is in a region: how much room, and which objects. Looks only; takes no lock, waits for nobody, writes
//! nothing.

use super::{
    Region,
    directory::{Directory, Kind, Name},
};
use crate::{error::Result, sys::Platform};
use core::fmt;

/// The room for objects, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// All of it: the region without its header and tables.
    pub total: u64,
    /// What objects have, rounded up to 128 each.
    pub used: u64,
    /// The rest, perhaps in pieces.
    pub free: u64,
    /// The largest piece: the size of the largest object that can be created.
    pub largest: u64,
}

/// An object's name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectName([u8; 32]);

impl ObjectName {
    pub(crate) fn unpack(name: Name) -> ObjectName {
        ObjectName(bytemuck::cast(name))
    }

    /// With the zeros behind it; there is one at least.
    #[cfg(all(feature = "capi", target_os = "linux", not(rialto_loom)))]
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = self.0;
        bytes[31] = 0;
        bytes
    }

    /// As it was created.
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// The same; if a peer has damaged it, as much as is UTF-8.
    pub fn as_str(&self) -> &str {
        self.as_bytes().utf8_chunks().next().map_or("", |chunk| chunk.valid())
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// One object of a region, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Under which it was created.
    pub name: ObjectName,
    /// What it is.
    pub kind: Kind,
    /// Where it lies in the region.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
    /// How many handles to the region use it, see [`Region::remove`]; those of the dead do not count.
    pub users: u32,
}

/// See [`Region::objects`].
pub struct Objects<'r, P: Platform> {
    region: &'r Region<P>,
    directory: Directory<'r>,
    next: usize,
    me: u64,
}

impl<P: Platform> Objects<'_, P> {
    /// How far it has got in the directory.
    #[cfg(all(feature = "capi", target_os = "linux", not(rialto_loom)))]
    pub(crate) fn position(&self) -> usize {
        self.next
    }
}

impl<P: Platform> Iterator for Objects<'_, P> {
    type Item = ObjectInfo;

    fn next(&mut self) -> Option<ObjectInfo> {
        while self.next < self.directory.entries.len() {
            let index = self.next;
            self.next += 1;
            let Some(seen) = self.directory.seen_twice(index) else { continue };
            let (Some(kind), Some(place)) = (Kind::from_number(seen.kind), seen.place) else { continue };
            let users = self.region.users().count(self.region.platform, self.me, index);
            let name = ObjectName::unpack(seen.name);
            return Some(ObjectInfo { name, kind, offset: place.offset, size: place.size, users });
        }
        None
    }
}

impl<P: Platform> Region<P> {
    /// How much room there is. While others create and remove, about that much.
    pub fn space(&self) -> Space {
        let total = self.geometry.size - self.geometry.data_offset;
        let (mut free, mut largest) = (0u64, 0);
        for (begin, end) in self.directory().gaps() {
            let gap = end.saturating_sub(begin);
            free = free.saturating_add(gap);
            largest = largest.max(gap);
        }
        let free = free.min(total); // what others write meanwhile could be counted twice
        Space { total, used: total - free, free, largest }
    }

    /// The objects, in the directory's order. Each is one that was there; while others create and remove, one
    /// may be missed, or appear twice.
    ///
    /// Errors: those of the thread's first use of Rialto.
    pub fn objects(&self) -> Result<Objects<'_, P>> {
        self.objects_from(0)
    }

    /// Those that are at or behind that [`Objects::position`].
    pub(crate) fn objects_from(&self, next: usize) -> Result<Objects<'_, P>> {
        let me = self.platform.process()?;
        Ok(Objects { region: self, directory: self.directory(), next, me })
    }
}
