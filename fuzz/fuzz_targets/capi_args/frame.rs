//! One call: its arguments' memory, what is expected of it, and what the machine learns from its status.

use super::{
    callee::Entry,
    kind::What,
    machine::{Cell, Machine},
};
use rialto::capi::*;
use std::alloc::{Layout, alloc, dealloc};

#[derive(Default)]
pub struct Frame {
    scratch: Vec<(usize, Layout)>,
    /// Out-parameters, and what is in them before.
    outs: Vec<(usize, Vec<u8>)>,
    /// An argument that is to be refused, whatever the others are.
    pub is_bad: bool,
    /// The smallest of the buffers whose length comes next.
    pub room: Option<usize>,
    pub has_null: bool,
    /// Of an array.
    pub type_size: usize,
    pub elements: (usize, usize),
    /// Slots of views that are used.
    pub used: Vec<usize>,
    pub made: Option<(usize, What)>,
    pub ended: Option<usize>,
    pub found: Option<(usize, What)>,
    pub ticket: Option<usize>,
    /// Where several tickets are, perhaps.
    pub popped: (usize, usize),
    pub permit: Option<usize>,
    pub memory: Option<usize>,
    pub name: Vec<u8>,
    pub is_removal: bool,
    pub file: Option<Vec<u8>>,
    pub has_callback: bool,
    pub has_timeout: bool,
}

impl Drop for Frame {
    fn drop(&mut self) {
        for (at, layout) in &self.scratch {
            // SAFETY: from `scratch`.
            unsafe { dealloc(*at as *mut u8, *layout) };
        }
    }
}

impl Frame {
    /// Memory for the time of the call, of exactly that size, full of a pattern.
    pub fn scratch(&mut self, size: usize, align: usize) -> *mut u8 {
        let layout = Layout::from_size_align(size.max(1), align).expect("small");
        // SAFETY: not of size 0.
        let at = unsafe { alloc(layout) };
        // SAFETY: all of it.
        unsafe { at.write_bytes(0xA5, layout.size()) };
        self.scratch.push((at.expose_provenance(), layout));
        at
    }
    /// As `scratch`, with these bytes; 0 bytes are an address where nothing may be read.
    pub fn copy(&mut self, bytes: &[u8]) -> *mut u8 {
        let at = self.scratch(bytes.len(), 1);
        // SAFETY: as large.
        unsafe { at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        at.wrapping_add(usize::from(bytes.is_empty()))
    }
    /// As `copy`, aligned.
    pub fn copy_aligned(&mut self, bytes: &[u8], align: usize) -> *mut u8 {
        let at = self.scratch(bytes.len(), align);
        // SAFETY: as large.
        unsafe { at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        at
    }
    /// From now to the call's end, those bytes stay as they are if the call fails.
    pub fn watch(&mut self, at: *mut u8, size: usize) {
        // SAFETY: ours, of that size.
        let before = unsafe { std::slice::from_raw_parts(at, size) }.to_vec();
        self.outs.push((at.expose_provenance(), before));
    }

    /// Checks what the call has done, and notes it.
    pub fn settle(&mut self, m: &mut Machine, entry: &Entry, status: i32) {
        let name = entry.name;
        assert!(
            !self.is_bad || status == RIALTO_EINVAL,
            "{name}: {status} for an argument that must be refused"
        );
        let is_code = (-4099..=2).contains(&status);
        assert!(is_code || self.has_callback, "{name}: {status} is no status");
        if status < 0 {
            for (at, before) in &self.outs {
                // SAFETY: from `watch`; the call has not ended what lies there.
                let after = unsafe { std::slice::from_raw_parts(*at as *const u8, before.len()) };
                assert!(after == before, "{name}: {status}, and an out-parameter is written");
            }
            return;
        }
        if let Some(slot) = self.ended {
            m.ended(slot);
        }
        if self.is_removal {
            let (region, name) = (self.used[0], std::mem::take(&mut self.name));
            m.forget(|needs, named| needs.contains(&region) && named == name);
        }
        let needs = m.needs(&self.used);
        let inherited = self.used.iter().map(|i| m.slots[*i].name.clone()).find(|name| !name.is_empty());
        if self.name.is_empty() {
            self.name = inherited.unwrap_or_default();
        }
        if let Some((slot, what)) = self.made {
            let name = self.name.clone();
            let slot = &mut m.slots[slot];
            (slot.alive, slot.needs, slot.name, slot.memory) = (Some(what), needs.clone(), name, self.memory);
            if what.is_state() && !m.is_honest {
                super::start::set_timeout(what, slot.at);
            }
        }
        // SAFETY: out-parameters that the call has written.
        unsafe {
            if let Some((at, home)) = self.found {
                let at = *(at as *const *mut u8);
                if !m.cells.iter().any(|cell| cell.at == at && cell.needs == needs) {
                    m.cells.push(Cell { at, home, needs, name: self.name.clone() });
                }
            }
            if let Some(ticket) = self.ticket {
                m.tickets.push(*(ticket as *const [u64; 2]));
            }
            for i in 0..self.popped.1 {
                m.tickets.push(
                    (&raw const (*(self.popped.0 as *const rialto_popped_t).add(i)).ticket)
                        .cast::<[u64; 2]>()
                        .read(),
                );
            }
            if let Some(permit) = self.permit {
                m.permits.push(*(permit as *const u64));
            }
        }
        m.files.extend(self.file.take());
    }
}
