//! What a program that uses the library has: views, embeddable objects, memory for regions; and what it knows of
//! them. One machine is one input's.
//!
//! Each view and each embeddable object has an allocation of its own, of its type's size, so that AddressSanitizer
//! sees every byte too far. They live until the input's thread has ended: locks and regions are known to the thread.

use super::{input::Input, kind::What};
use rialto::capi::*;
use std::alloc::{Layout, alloc_zeroed, dealloc};

/// A place for a view.
pub struct Slot {
    pub at: *mut u8,
    pub size: usize,
    /// What it is meant for.
    pub home: What,
    /// What is alive in it.
    pub alive: Option<What>,
    /// The slots of the regions' and members' views that it needs.
    pub needs: Vec<usize>,
    /// The object's name, for who removes it.
    pub name: Vec<u8>,
    /// Which of the memories a region's view is in.
    pub memory: Option<usize>,
}

/// An embeddable object: a cell of ours, or one in a region.
pub struct Cell {
    pub at: *mut u8,
    pub home: What,
    pub needs: Vec<usize>,
    pub name: Vec<u8>,
}

/// Memory for a region, zero at first.
#[derive(Clone, Copy)]
pub struct Memory {
    pub at: *mut u8,
    pub len: usize,
}

pub struct Machine<'a> {
    pub input: Input<'a>,
    pub slots: Vec<Slot>,
    pub cells: Vec<Cell>,
    pub memories: [Memory; 3],
    pub tickets: Vec<[u64; 2]>,
    pub permits: Vec<u64>,
    pub files: Vec<Vec<u8>>,
    /// Two eventfds, and /dev/null.
    pub fds: [i32; 3],
    /// Nobody has written wild: then what waits without a timeout is known to return, and all can be ended.
    pub is_honest: bool,
    /// Slots that calls use which are under way, innermost last; more than the last one's are in callbacks.
    pub busy: Vec<usize>,
    pub depth: usize,
    /// The innermost edit under way.
    pub edit: *mut rialto_array_edit_t,
    /// Of the call under way, for predicates.
    pub has_timeout: bool,
}

fn size_of_view(what: What) -> usize {
    match what {
        What::Region => size_of::<rialto_region_t>(),
        What::Member => size_of::<rialto_member_t>(),
        What::Queue => size_of::<rialto_queue_t>(),
        What::Reserved => size_of::<rialto_reserved_t>(),
        What::Peeked => size_of::<rialto_peeked_t>(),
        What::Pipe => size_of::<rialto_pipe_t>(),
        What::Connection => size_of::<rialto_connection_t>(),
        What::Spsc => size_of::<rialto_spsc_t>(),
        What::Producer => size_of::<rialto_producer_t>(),
        What::Consumer => size_of::<rialto_consumer_t>(),
        What::Tracked => size_of::<rialto_tracked_semaphore_t>(),
        What::Barrier => size_of::<rialto_barrier_t>(),
        What::Value => size_of::<rialto_value_t>(),
        What::Array => size_of::<rialto_array_t>(),
        What::List => size_of::<rialto_list_t>(),
        What::Dict => size_of::<rialto_dict_t>(),
        What::Namespace => size_of::<rialto_namespace_t>(),
        What::Process => size_of::<rialto_process_t>(),
        What::Forkserver => size_of::<rialto_forkserver_t>(),
        What::Pool => size_of::<rialto_pool_t>(),
        _ => 64,
    }
}

fn layout(what: What) -> Layout {
    let align = if What::VIEWS.contains(&what) { 8 } else { 64 };
    Layout::from_size_align(size_of_view(what), align).expect("small")
}

impl<'a> Machine<'a> {
    pub fn new(input: Input<'a>, memories: [Memory; 3], fds: [i32; 3]) -> Machine<'a> {
        // SAFETY: no size is 0.
        let place = |what| unsafe { alloc_zeroed(layout(what)) };
        let slot = |home| Slot {
            at: place(home),
            size: size_of_view(home),
            home,
            alive: None,
            needs: vec![],
            name: vec![],
            memory: None,
        };
        let cell = |home| Cell { at: place(home), home, needs: vec![], name: vec![] };
        Machine {
            input,
            slots: What::VIEWS.iter().flat_map(|what| (0..5).map(move |_| slot(*what))).collect(),
            cells: What::EMBEDDABLE.iter().flat_map(|what| (0..3).map(move |_| cell(*what))).collect(),
            memories,
            tickets: vec![],
            permits: vec![],
            files: vec![],
            fds,
            is_honest: true,
            busy: vec![],
            depth: 0,
            edit: std::ptr::null_mut(),
            has_timeout: true,
        }
    }
    /// Frees the views and the cells. The input's thread has ended.
    pub fn free(self) {
        for (at, home) in self.slots.iter().map(|slot| (slot.at, slot.home)) {
            // SAFETY: from `new`.
            unsafe { dealloc(at, layout(home)) };
        }
        for cell in self.cells.iter().filter(|cell| cell.needs.is_empty()) {
            // SAFETY: from `new`; those in regions need their region.
            unsafe { dealloc(cell.at, layout(cell.home)) };
        }
    }
    pub fn alive(&self, what: What) -> Vec<usize> {
        (0..self.slots.len()).filter(|i| self.slots[*i].alive == Some(what)).collect()
    }
    pub fn homes(&self, what: What) -> Vec<usize> {
        (0..self.slots.len()).filter(|i| self.slots[*i].home == what).collect()
    }
    /// Whether a view may be made there, or anything else be written.
    pub fn is_writable(&self, slot: usize) -> bool {
        let at = self.slots[slot].at;
        // SAFETY: a live view of that type.
        let holds = |what: What| what.is_owner() || unsafe { super::start::is_mine(what, at) };
        !self.slots[slot].alive.is_some_and(holds) && !self.busy.contains(&slot)
    }
    /// What these slots need, and a view that was made with them needs so too.
    pub fn needs(&self, used: &[usize]) -> Vec<usize> {
        let mut needs = vec![];
        for i in used {
            needs.extend_from_slice(&self.slots[*i].needs);
            if matches!(self.slots[*i].alive, Some(What::Region | What::Member)) {
                needs.push(*i);
            }
        }
        needs.sort();
        needs.dedup();
        needs
    }
    /// A view's end, as the library says; what needs it is forgotten, as a program must.
    pub fn ended(&mut self, slot: usize) {
        self.slots[slot].alive = None;
        self.slots[slot].memory = None;
        self.forget(|needs, _| needs.contains(&slot));
    }
    /// Zeroes the views and drops the addresses of what is gone.
    pub fn forget(&mut self, is_gone: impl Fn(&[usize], &[u8]) -> bool) {
        for slot in
            self.slots.iter_mut().filter(|slot| slot.alive.is_some() && is_gone(&slot.needs, &slot.name))
        {
            let holds = slot.alive.is_some_and(What::is_owner);
            assert!(!holds || !self.is_honest, "{:?} is alive, and what it needs is gone", slot.alive);
            slot.alive = None;
            slot.needs.clear();
            // SAFETY: all of an allocation.
            unsafe { slot.at.write_bytes(0, slot.size) };
        }
        self.cells.retain(|cell| cell.needs.is_empty() || !is_gone(&cell.needs, &cell.name));
    }

    /// Something that a program does with its own memory, or a peer with what is shared.
    pub fn tamper(&mut self) {
        let (from, to) = (self.input.below(self.slots.len()), self.input.below(self.slots.len()));
        let what = self.input.below(5);
        super::statistics::trace(
            "tamper",
            &[what as u64, self.slots[from].at.addr() as u64, self.slots[to].at.addr() as u64],
        );
        match what {
            0 => {
                // A copy, of the same type; to the left or to the right.
                let homes = self.homes(self.slots[from].home);
                let to = self.input.pick(&homes);
                if to != from && self.is_writable(to) {
                    // SAFETY: two allocations of one size.
                    unsafe {
                        self.slots[to].at.copy_from_nonoverlapping(self.slots[from].at, self.slots[to].size)
                    };
                    let (alive, needs, name) = {
                        let from = &self.slots[from];
                        // What must not move, is not alive elsewhere.
                        (from.alive.filter(|what| !what.is_owner()), from.needs.clone(), from.name.clone())
                    };
                    (self.slots[to].alive, self.slots[to].needs, self.slots[to].name) = (alive, needs, name);
                }
            }
            1 if self.is_writable(to) => {
                // Never initialised; or zeroed.
                let is_zero = self.input.once_in(4);
                for i in 0..self.slots[to].size {
                    let byte = if is_zero { 0 } else { self.input.mixed() as u8 };
                    // SAFETY: inside.
                    unsafe { self.slots[to].at.add(i).write(byte) };
                }
                self.slots[to].alive = None;
            }
            2 => {
                let i = self.input.below(self.memories.len());
                if !self.slots.iter().any(|slot| slot.memory == Some(i)) {
                    // SAFETY: all of it; nobody uses it.
                    unsafe { self.memories[i].at.write_bytes(0, self.memories[i].len) };
                }
            }
            _ if !self.is_honest => self.scribble(),
            _ => {}
        }
    }
    /// Writes wild, as a hostile peer.
    fn scribble(&mut self) {
        let Memory { at, len } = self.memories[0];
        for _ in 0..=self.input.below(4) {
            let offset = (self.input.word() as usize % len) & !7;
            let value = self.input.nasty();
            let width = self.input.pick(&[1, 2, 4, 8]);
            if self.input.once_in(8) {
                let cell = self.input.below(self.cells.len());
                // SAFETY: a cell has 64 bytes.
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        (&raw const value).cast(),
                        self.cells[cell].at.add(offset % 64),
                        width,
                    )
                };
            } else {
                // SAFETY: inside.
                unsafe { std::ptr::copy_nonoverlapping((&raw const value).cast(), at.add(offset), width) };
            }
        }
    }
}
