//! What a pool's messages look like: a task in the queue, the items of a chunk, and what a new worker is told.
//!
//! # Memory
//! | task | bytes |
//! |---|---|
//! | id | 8 |
//! | slot | 4 |
//! | flags: bit 0, a chunk | 4 |
//! | function's name, padded with zeros | 32 |
//! | its argument, or of a chunk its items, each a length (4), then the bytes | rest |
//!
//! The result of a chunk: for each item its code (8) and length (8), then the bytes.
//!
//! | what a worker is told | bytes |
//! |---|---|
//! | "RLTPOOL" and the version 1 | 8 |
//! | its index, and how many tasks it does (0: as many as there are) | 4, 4 |
//! | pool's name, initializer's name, padded with zeros | 32, 32 |
//! | initializer's argument | rest |
//!
//! All is input, whoever wrote it: a length is checked before it is used.

use crate::error::{Error, Result};

pub(super) const TASK_BYTES: usize = 48;
pub(super) const CHUNK: u32 = 1;
const MAGIC: [u8; 8] = *b"RLTPOOL\x01";
/// Longest argument of an initializer.
pub const MAX_INITIALIZER_BYTES: usize = 1024;
pub(super) const TOLD_BYTES: usize = 80 + MAX_INITIALIZER_BYTES;

/// Up to 31 bytes, padded with zeros.
pub(super) type Name = [u8; 32];

pub(super) fn pack(name: &str) -> Result<Name> {
    if name.is_empty() || name.len() > 31 || name.contains('\0') {
        return Err(Error::Invalid);
    }
    let mut packed = [0; 32];
    packed[..name.len()].copy_from_slice(name.as_bytes());
    Ok(packed)
}

pub(super) fn unpack(name: &Name) -> &str {
    let len = name.iter().position(|byte| *byte == 0).unwrap_or(31);
    core::str::from_utf8(&name[..len]).unwrap_or("")
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

fn name_at(bytes: &[u8], at: usize) -> Option<Name> {
    bytes.get(at..at.checked_add(32)?)?.try_into().ok()
}

/// Which task a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub id: u64,
    pub slot: u32,
    pub flags: u32,
    pub function: Name,
}

impl Task {
    pub fn pack(&self) -> [u8; TASK_BYTES] {
        let mut bytes = [0; TASK_BYTES];
        bytes[..8].copy_from_slice(&self.id.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.slot.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.flags.to_le_bytes());
        bytes[16..].copy_from_slice(&self.function);
        bytes
    }

    /// The task, and what follows it.
    pub fn unpack(message: &[u8]) -> Option<(Task, &[u8])> {
        let task = Task {
            id: u64_at(message, 0)?,
            slot: u32_at(message, 8)?,
            flags: u32_at(message, 12)?,
            function: name_at(message, 16)?,
        };
        Some((task, &message[TASK_BYTES..]))
    }
}

/// The items of a chunk.
pub(super) struct Items<'a>(pub &'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let len = u32_at(self.0, 0)? as usize;
        let item = self.0.get(4..len.checked_add(4)?)?;
        self.0 = &self.0[4 + len..];
        Some(item)
    }
}

/// How a chunk's item went: code, the result's length, its bytes (none if they were too many).
pub(super) struct Results<'a>(pub &'a [u8]);

impl<'a> Iterator for Results<'a> {
    type Item = (i64, u64, &'a [u8]);

    fn next(&mut self) -> Option<(i64, u64, &'a [u8])> {
        let (code, len) = (u64_at(self.0, 0)? as i64, u64_at(self.0, 8)?);
        let written = if code == super::worker::TOO_LARGE { 0 } else { usize::try_from(len).ok()? };
        let bytes = self.0.get(16..written.checked_add(16)?)?;
        self.0 = &self.0[16 + written..];
        Some((code, len, bytes))
    }
}

/// What a new worker is told.
pub(super) struct Told<'a> {
    pub worker: u32,
    pub tasks: u32,
    pub pool: Name,
    pub initializer: Option<(Name, &'a [u8])>,
}

impl<'a> Told<'a> {
    /// Writes it to `to`; returns what was written.
    pub fn pack<'t>(&self, to: &'t mut [u8; TOLD_BYTES]) -> Result<&'t [u8]> {
        let (name, argument) = self.initializer.unwrap_or(([0; 32], &[]));
        to[..8].copy_from_slice(&MAGIC);
        to[8..12].copy_from_slice(&self.worker.to_le_bytes());
        to[12..16].copy_from_slice(&self.tasks.to_le_bytes());
        to[16..48].copy_from_slice(&self.pool);
        to[48..80].copy_from_slice(&name);
        let end = 80 + argument.len();
        to.get_mut(80..end).ok_or(Error::MessageTooLarge)?.copy_from_slice(argument);
        Ok(&to[..end])
    }

    /// Errors: `Invalid`: this is no pool's.
    pub fn unpack(bytes: &'a [u8]) -> Result<Told<'a>> {
        let told = || {
            let name = name_at(bytes, 48)?;
            Some(Told {
                worker: u32_at(bytes, 8)?,
                tasks: u32_at(bytes, 12)?,
                pool: name_at(bytes, 16)?,
                initializer: (name != [0; 32]).then_some((name, &bytes[80..])),
            })
        };
        if bytes.get(..8) != Some(&MAGIC[..]) {
            return Err(Error::Invalid);
        }
        told().ok_or(Error::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn what_is_packed_is_unpacked_and_cut_off_is_nothing() {
        let task = Task { id: 7, slot: 3, flags: CHUNK, function: pack("count").unwrap() };
        let mut message = task.pack().to_vec();
        message.extend(b"rest");
        assert_eq!(Task::unpack(&message), Some((task, &b"rest"[..])));
        assert_eq!(Task::unpack(&message[..47]), None);
        assert_eq!(unpack(&task.function), "count");

        let items = [3, 0, 0, 0, b'o', b'n', b'e', 0, 0, 0, 0, 9, 0, 0, 0, b'x'];
        assert_eq!(Items(&items).collect::<Vec<_>>(), [&b"one"[..], b""]); // the third is cut off
        assert_eq!(Items(&[0xff; 8]).count(), 0);
        assert_eq!(Results(&[0xff; 32]).count(), 0);

        let told = Told { worker: 2, tasks: 9, pool: pack("p").unwrap(), initializer: None };
        let mut bytes = [0; TOLD_BYTES];
        let bytes = told.pack(&mut bytes).unwrap();
        let back = Told::unpack(bytes).unwrap();
        assert_eq!((back.worker, back.tasks, back.pool), (2, 9, told.pool));
        assert!(back.initializer.is_none() && Told::unpack(&bytes[..79]).is_err());
    }
}
