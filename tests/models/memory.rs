//! A stream in memory of its own, whose payloads are loom cells: whoever touches one without being entitled to
//! is found out, whatever the words say.
#![allow(dead_code)]

use loom::{cell::UnsafeCell, sync::Arc};
use rialto::{
    ring::stream::{self, Area, Reader, Refused, Writer},
    sync::AtomicU32,
};

/// A payload of 8 bytes: the next record begins 16 bytes on.
pub const SHORT: u32 = 8;
/// 24: the next begins 32 bytes on.
pub const LONG: u32 = 24;

/// A stream whose every 16 bytes have a cell.
pub struct Memory {
    words: Vec<AtomicU32>,
    tags: Vec<AtomicU32>,
    cells: Vec<UnsafeCell<u64>>,
    tail: AtomicU32,
    head: AtomicU32,
}

impl Area for &Memory {
    fn bytes(&self) -> u32 {
        16 * self.words.len() as u32
    }
    fn word(&self, at: u32) -> &AtomicU32 {
        &self.words[at as usize / 16]
    }
    fn tag(&self, at: u32) -> &AtomicU32 {
        &self.tags[at as usize / 16]
    }
    fn tail(&self) -> &AtomicU32 {
        &self.tail
    }
    fn head(&self) -> &AtomicU32 {
        &self.head
    }
}

impl Memory {
    pub fn new(bytes: u32, first: u32) -> Memory {
        // What an earlier life left: no word may be relied on to be 0 but that at the tail.
        let words = |value| (0..bytes / 16).map(|_| AtomicU32::new(value)).collect();
        let memory = Memory {
            words: words(SHORT + 1),
            tags: words(77),
            cells: (0..bytes / 16).map(|_| UnsafeCell::new(0)).collect(),
            tail: AtomicU32::new(0),
            head: AtomicU32::new(0),
        };
        stream::format(&memory, first);
        memory
    }

    pub fn cells(&self, at: u32, len: u32) -> &[UnsafeCell<u64>] {
        &self.cells[at as usize / 16..][..if len > SHORT { 2 } else { 1 }]
    }

    pub fn write(&self, at: u32, len: u32, message: u32) {
        for cell in self.cells(at, len) {
            // SAFETY: the place is reserved for the caller; loom reports it if not.
            cell.with_mut(|payload| unsafe { *payload = message.into() });
        }
    }

    pub fn read(&self, at: u32, len: u32) -> u32 {
        let mut message = None;
        for cell in self.cells(at, len) {
            // SAFETY: as in `write`.
            let payload = cell.with(|payload| unsafe { *payload }) as u32;
            assert_eq!(*message.get_or_insert(payload), payload, "torn");
        }
        message.unwrap()
    }
}

// SAFETY: loom's UnsafeCell reports the accesses that the stream does not order.
unsafe impl Sync for Memory {}
unsafe impl Send for Memory {}

/// Appends; `Full` as it is.
pub fn push(writer: &mut Writer<&Memory>, len: u32, message: u32) -> Result<(), Refused> {
    prepare(writer, len, message)?;
    writer.publish()
}

pub fn prepare(writer: &mut Writer<&Memory>, len: u32, message: u32) -> Result<(), Refused> {
    let place = writer.reserve(len)?;
    writer.area().write(place.at(), len, message);
    writer.prepare(place, len, !message);
    Ok(())
}

/// A message and its attempt.
pub fn pop(reader: &mut Reader<&Memory>) -> Result<(u32, u8), Refused> {
    let record = reader.claim()?;
    let message = reader.area().read(record.at(), record.len());
    assert_eq!(record.tag(), !message);
    reader.release(&record);
    Ok((message, record.attempt()))
}

pub fn writer(memory: &Memory) -> Writer<&Memory> {
    Writer::take_over(memory).unwrap()
}

pub fn reader(memory: &Memory) -> Reader<&Memory> {
    Reader::take_over(memory).unwrap()
}

/// All that is left, as somebody who comes later finds it.
pub fn rest(memory: &Memory) -> Vec<(u32, u8)> {
    let mut reader = reader(memory);
    let mut found = vec![];
    loop {
        match pop(&mut reader) {
            Ok(message) => found.push(message),
            Err(error) => {
                assert!(matches!(error, Refused::Empty | Refused::Ended), "{error:?}");
                return found;
            }
        }
    }
}

/// A writer and a reader at work at once.
pub fn beside<W: 'static, R: 'static>(
    memory: Memory,
    write: fn(&Memory) -> W,
    read: fn(&Memory) -> R,
) -> (Arc<Memory>, W, R) {
    let memory = Arc::new(memory);
    let (one, two) = (memory.clone(), memory.clone());
    let write = loom::thread::spawn(move || write(&one));
    let read = loom::thread::spawn(move || read(&two));
    let (write, read) = (write.join().unwrap(), read.join().unwrap());
    (memory, write, read)
}
