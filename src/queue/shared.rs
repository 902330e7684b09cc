//! A queue's bytes: where they lie, and how a claim of theirs is checked before it is believed.
//!
//! # Memory
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` "RLTQ", written last | creator |
//! | 4 | 4 | `flags`: bit 0 kill-only, bit 1 indexed, bit 2 joinable, bits 4..6 [`OnDeath`] | creator |
//! | 8 | 4 | `shift`: log2 of the slots, 1..=16 (indexed: ..=15) | creator |
//! | 12 | 4 | `max_message_bytes` | creator |
//! | 16 | 4 | `stride`: bytes from slot to slot | creator |
//! | 20 | 4 | `max_attempts`: 1..=30 | creator |
//! | 128 | 4 | `closed`: 0 or 1 | closer |
//! | 136 | 8 | signal: all messages may be done | see `wait` |
//! | 256 | 8 | signal: a message may be there | see `wait` |
//! | 384 | 8 | signal: room may be there | see `wait` |
//! | 512 | 512 | the header of the ring, or of the blocks: tail, head, orphan word, counters | see `ring::mpmc` |
//! | 1024 | stride x slots | slots or blocks: 8 slot word, 4 length, 4 stamp, payload | claimer |
//!
//! An indexed queue has its ring of entries before the blocks:
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 1024 | 512 | the header of the ring of entries | see `ring::mpmc` |
//! | 1536 | 16 x 2 x slots | entries: 8 slot word, 8 value (see `ring::indexed`) | claimer |
//! | then, 128-aligned | stride x slots | blocks | claimer |
//!
//! A stamp is 0, or that of the ticket that a joinable queue's `pop` gave out; see `join`.
//!
//! Everything below 128 is written once, before the object is announced. Readers copy it into their
//! handle at attach, range-check it there, and never read it again.

use crate::{
    error::{Error, Result},
    layout::{self, CACHE_LINE, Layout, Line},
    ring::{self, Claim, Entries, Indexed, MemberId, OnDeath, Position, Refused, Slots, indexed::Published},
    sync::{AtomicU32, AtomicU64, Ordering::*},
    wait::Signal,
};
use core::{marker::PhantomData, ptr::NonNull};

const MAGIC: u32 = u32::from_le_bytes(*b"RLTQ");
const KILL_ONLY: u32 = 1;
const INDEXED: u32 = 2;
const JOINABLE: u32 = 4;
const ON_DEATH_AT: u32 = 4;
const ON_DEATH: u32 = 3 << ON_DEATH_AT;
const SLOTS_OFFSET: u64 = 1024;
const ENTRIES_OFFSET: u64 = 1536;
const ENTRY_BYTES: u32 = 16;
/// Slot word, length, stamp. loom's atomics take eight bytes each.
const STAMP_OFFSET: usize = if cfg!(rialto_loom) { 16 } else { 12 };
const PAYLOAD_OFFSET: usize = if cfg!(rialto_loom) { 32 } else { 16 };
/// Payloads are this much aligned, so any type up to that can be used in place.
pub(super) const PAYLOAD_ALIGN: u64 = 16;

/// No slot lies on more of the processor's lines than it must: a small one on a part of one, a larger one on
/// whole ones. Who fills a slot then takes nothing away from who looks at the next.
const PROCESSOR_LINE: u64 = 64;

fn stride_of(slot_bytes: u64) -> Option<u64> {
    if slot_bytes <= PROCESSOR_LINE {
        return Some(slot_bytes.next_power_of_two().max(PAYLOAD_ALIGN));
    }
    layout::round_up(slot_bytes, PROCESSOR_LINE)
}

/// What a queue is created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// Messages that fit; rounded up to a power of two. 1 to 65536; 1 is taken as 2.
    pub slots: u32,
    /// The longest message, in bytes. 1 to 2^30; every slot takes that much room.
    pub max_message_bytes: u32,
    /// How often a message is redelivered after its holders died before `pop` passes over it and only
    /// `take_poisoned` gets it. 1 to 30. Says nothing in a queue that stops on death.
    pub max_attempts: u8,
    /// Cheaper, and still kill-safe, but a *stopped* participant blocks others at the slot it is in.
    pub kill_only: bool,
    /// How messages lie in memory.
    pub kind: QueueKind,
    /// What becomes of a message whose holder died with it in hand.
    pub on_death: OnDeath,
    /// A message that `pop` brought stays in hand, and in its slot, until `task_done`.
    pub joinable: bool,
}

/// How a queue's messages lie in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueKind {
    /// In the slots of a ring: the fastest, for messages that are written and read at once. Somebody who is
    /// long in writing one (or holds one for long) costs the others a look each time they pass; and if
    /// others overtake it, `commit` has to copy.
    #[default]
    Ring,
    /// In blocks of their own, with a ring of their indices: for large messages that are written, or held,
    /// for long. Four more locked operations per message, never a copy. At most 32768 slots.
    Indexed,
}

impl QueueConfig {
    /// A ring; stop-safe; redelivers 5 times; not joinable.
    pub const fn new(slots: u32, max_message_bytes: u32) -> Self {
        QueueConfig {
            slots,
            max_message_bytes,
            max_attempts: 5,
            kill_only: false,
            kind: QueueKind::Ring,
            on_death: OnDeath::Redeliver,
            joinable: false,
        }
    }

    /// Bytes that the queue takes in its region.
    pub fn layout(&self) -> Result<Layout> {
        Ok(Layout { size: Geometry::new(self)?.size, align: CACHE_LINE })
    }

    /// Where in it the slots (or blocks) begin, and how far they are apart.
    #[cfg(not(rialto_loom))]
    pub(crate) fn slots(&self) -> Result<(u64, u32)> {
        Geometry::new(self).map(|geometry| (geometry.offset, geometry.stride))
    }
}

/// The checked numbers of a queue, private to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub shift: u32,
    pub max_message: u32,
    pub stride: u32,
    pub max_attempts: u8,
    pub kill_only: bool,
    pub indexed: bool,
    pub joinable: bool,
    pub on_death: OnDeath,
    /// Of the slots, or blocks.
    offset: u64,
    pub size: u64,
}

impl Geometry {
    pub fn new(config: &QueueConfig) -> Result<Self> {
        if !(1..=1 << 16).contains(&config.slots) {
            return Err(Error::Invalid);
        }
        let shift = config.slots.max(2).next_power_of_two().trailing_zeros();
        let flags = [
            (config.kill_only, KILL_ONLY),
            (config.kind == QueueKind::Indexed, INDEXED),
            (config.joinable, JOINABLE),
        ];
        let flags = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum::<u32>()
            | (config.on_death as u32) << ON_DEATH_AT;
        let attempts = u32::from(config.max_attempts);
        Self::checked(shift, config.max_message_bytes, attempts, flags).ok_or(Error::Invalid)
    }

    fn checked(shift: u32, max_message: u32, max_attempts: u32, flags: u32) -> Option<Self> {
        let indexed = flags & INDEXED != 0;
        let shifts = if indexed { 1..=15 } else { 1..=16 };
        let sane = shifts.contains(&shift) && (1..=1 << 30).contains(&max_message);
        if !sane || !(1..=30).contains(&max_attempts) {
            return None;
        }
        let on_death = OnDeath::from_u32((flags & ON_DEATH) >> ON_DEATH_AT)?;
        let stride = stride_of(PAYLOAD_OFFSET as u64 + u64::from(max_message))?;
        let entries = ENTRIES_OFFSET + (u64::from(ENTRY_BYTES) << (shift + 1));
        let offset = if indexed { layout::round_up(entries, CACHE_LINE)? } else { SLOTS_OFFSET };
        Some(Geometry {
            shift,
            max_message,
            stride: u32::try_from(stride).ok()?,
            max_attempts: max_attempts as u8,
            kill_only: flags & KILL_ONLY != 0,
            indexed,
            joinable: flags & JOINABLE != 0,
            on_death,
            offset,
            size: layout::round_up(offset + (stride << shift), CACHE_LINE)?,
        })
    }

    pub fn config(&self) -> QueueConfig {
        QueueConfig {
            slots: 1 << self.shift,
            max_message_bytes: self.max_message,
            max_attempts: self.max_attempts,
            kill_only: self.kill_only,
            kind: if self.indexed { QueueKind::Indexed } else { QueueKind::Ring },
            on_death: self.on_death,
            joinable: self.joinable,
        }
    }

    fn flags(&self) -> u32 {
        (if self.kill_only { KILL_ONLY } else { 0 })
            | (if self.indexed { INDEXED } else { 0 })
            | (if self.joinable { JOINABLE } else { 0 })
            | (self.on_death as u32) << ON_DEATH_AT
    }

    /// Messages are claimed at the head of the ring, orphans apart, and nowhere else.
    #[inline(always)]
    pub fn is_plain(&self) -> bool {
        !self.indexed && self.on_death as u32 != OnDeath::Stop as u32
    }

    /// `pop` has something to say of orphans with fewer redeliveries.
    fn max_orphan(&self) -> u8 {
        if self.on_death == OnDeath::Stop { u8::MAX } else { self.max_attempts }
    }

    /// How often a message is redelivered before [`ring::Ring::claim`] passes over it.
    pub fn limit(&self) -> u8 {
        if self.on_death == OnDeath::Stop { 0 } else { self.max_attempts }
    }
}

/// The first 1024 bytes.
#[repr(C, align(128))]
pub(super) struct Header {
    magic: AtomicU32,
    flags: AtomicU32,
    shift: AtomicU32,
    max_message: AtomicU32,
    stride: AtomicU32,
    max_attempts: AtomicU32,
    pub life: Line<Life>,
    pub data: Line<Signal>,
    pub space: Line<Signal>,
    ring: ring::Header,
}

/// What changes seldom.
#[repr(C)]
pub(super) struct Life {
    pub closed: AtomicU32,
    _unused: u32,
    pub done: Signal,
}

#[cfg(rialto_loom)]
const _: () = assert!(size_of::<Header>() == SLOTS_OFFSET as usize && size_of::<AtomicU64>() == 8);
#[cfg(not(rialto_loom))]
const _: () = {
    use core::mem::{offset_of, size_of};
    static_assertions::const_assert_eq!(offset_of!(Header, life), 128);
    static_assertions::const_assert_eq!(offset_of!(Life, done), 8);
    static_assertions::const_assert_eq!(offset_of!(Header, data), 256);
    static_assertions::const_assert_eq!(offset_of!(Header, space), 384);
    static_assertions::const_assert_eq!(offset_of!(Header, ring), 512);
    static_assertions::const_assert_eq!(size_of::<Header>(), SLOTS_OFFSET as usize);
};

/// The slots in memory: `1 << shift` of them, `stride` bytes apart.
#[derive(Clone, Copy)]
pub(super) struct RawSlots<'r> {
    base: NonNull<u8>,
    stride: u32,
    mask: u32,
    _region: PhantomData<&'r AtomicU64>,
}

// SAFETY: it only hands out references to atomics and raw payload pointers; whoever holds a claim on a
// slot is the only one to use its payload.
unsafe impl Send for RawSlots<'_> {}
// SAFETY: as above.
unsafe impl Sync for RawSlots<'_> {}

impl<'r> RawSlots<'r> {
    fn at(self, index: u32) -> *mut u8 {
        // SAFETY: masked, so below `1 << shift`; `checked` made sure that so many strides fit `size`,
        // and whoever made the handle that `size` bytes are mapped there.
        unsafe { self.base.as_ptr().add((index & self.mask) as usize * self.stride as usize) }
    }

    pub fn length(self, index: u32) -> &'r AtomicU32 {
        // SAFETY: inside the slot (stride >= 16+1), 4-aligned as slots are 16-aligned, alive for 'r.
        unsafe { &*self.at(index).add(8).cast::<AtomicU32>() }
    }

    /// See `join`.
    pub fn stamp(self, index: u32) -> &'r AtomicU32 {
        // SAFETY: as above.
        unsafe { &*self.at(index).add(STAMP_OFFSET).cast::<AtomicU32>() }
    }

    pub fn payload(self, index: u32) -> *mut u8 {
        // SAFETY: inside the slot.
        unsafe { self.at(index).add(PAYLOAD_OFFSET) }
    }
}

impl Slots for RawSlots<'_> {
    #[inline(always)]
    fn word(&self, index: u32) -> &AtomicU64 {
        // SAFETY: the slot's first eight bytes, 16-aligned, alive for 'r, never accessed but atomically.
        unsafe { &*self.at(index).cast::<AtomicU64>() }
    }
}

/// The entries of an indexed queue.
#[derive(Clone, Copy)]
pub(super) struct RawEntries<'r>(RawSlots<'r>);

impl Slots for RawEntries<'_> {
    #[inline(always)]
    fn word(&self, index: u32) -> &AtomicU64 {
        self.0.word(index)
    }
}

impl Entries for RawEntries<'_> {
    #[inline(always)]
    fn value(&self, index: u32) -> &AtomicU64 {
        // SAFETY: the second eight bytes of an entry's sixteen; otherwise as `RawSlots::word`.
        unsafe { &*self.0.at(index).add(8).cast::<AtomicU64>() }
    }
}

/// A queue's bytes, checked.
#[derive(Clone, Copy)]
pub(super) struct Shared<'r> {
    pub header: &'r Header,
    /// The slots, or the blocks of an indexed queue: all that is done to a message in hand is done here.
    pub ring: ring::Ring<'r, RawSlots<'r>>,
    pub geometry: Geometry,
}

impl<'r> Shared<'r> {
    /// # Safety
    /// `at` is 128-aligned and `geometry.size` bytes from it stay mapped, shared, for 'r.
    pub(super) unsafe fn over(at: NonNull<u8>, geometry: Geometry) -> Self {
        // SAFETY: all fields of Header are atomics: any bytes are valid, and others may write them.
        let header = unsafe { at.cast::<Header>().as_ref() };
        // SAFETY: the slots begin inside the object.
        let base = unsafe { at.add(geometry.offset as usize) };
        let mask = (1 << geometry.shift) - 1;
        let slots = RawSlots { base, stride: geometry.stride, mask, _region: PhantomData };
        let ring = ring::Ring::new(&header.ring, slots, geometry.shift, !geometry.kill_only);
        Shared { header, ring, geometry }
    }

    /// Makes loom's atomics where [`Shared::format`] expects some: no bytes are valid ones.
    ///
    /// # Safety
    /// As [`Shared::over`], and nobody uses the memory yet.
    #[cfg(rialto_loom)]
    pub unsafe fn make_atomics(at: NonNull<u8>, geometry: Geometry) {
        let header = Header {
            magic: AtomicU32::new(0),
            flags: AtomicU32::new(0),
            shift: AtomicU32::new(0),
            max_message: AtomicU32::new(0),
            stride: AtomicU32::new(0),
            max_attempts: AtomicU32::new(0),
            life: Line(Life { closed: AtomicU32::new(0), _unused: 0, done: Signal::new() }),
            data: Line(Signal::new()),
            space: Line(Signal::new()),
            ring: ring::Header::new(),
        };
        // SAFETY: the caller's word; the places are those of `RawSlots`, `RawEntries` and `Shared::indexed`.
        unsafe {
            at.cast::<Header>().write(header);
            if geometry.indexed {
                at.add(SLOTS_OFFSET as usize).cast::<ring::Header>().write(ring::Header::new());
                for entry in 0..2 << geometry.shift {
                    let entry = at.add(ENTRIES_OFFSET as usize + entry * ENTRY_BYTES as usize);
                    entry.cast::<AtomicU64>().write(AtomicU64::new(0));
                    entry.add(8).cast::<AtomicU64>().write(AtomicU64::new(0));
                }
            }
            for slot in 0..1 << geometry.shift {
                let slot = at.add(geometry.offset as usize + slot * geometry.stride as usize);
                slot.cast::<AtomicU64>().write(AtomicU64::new(0));
                slot.add(8).cast::<AtomicU32>().write(AtomicU32::new(0));
                slot.add(STAMP_OFFSET).cast::<AtomicU32>().write(AtomicU32::new(0));
            }
        }
    }

    /// Makes an empty queue of memory that nobody else uses yet, whatever is in it.
    ///
    /// # Safety
    /// As [`Shared::over`] for `config`'s layout.
    pub unsafe fn format(at: NonNull<u8>, config: &QueueConfig, first_turn: u64) -> Result<Self> {
        let geometry = Geometry::new(config)?;
        // SAFETY: the caller's word.
        let shared = unsafe { Self::over(at, geometry) };
        let header = shared.header;
        header.magic.store(0, Relaxed);
        header.flags.store(geometry.flags(), Relaxed);
        header.shift.store(geometry.shift, Relaxed);
        header.max_message.store(geometry.max_message, Relaxed);
        header.stride.store(geometry.stride, Relaxed);
        header.max_attempts.store(u32::from(geometry.max_attempts), Relaxed);
        header.life.0.closed.store(0, Relaxed);
        header.life.0.done.reset();
        header.data.0.reset();
        header.space.0.reset();
        shared.ring.format(first_turn);
        if geometry.indexed {
            shared.indexed().entries.format(first_turn);
        }
        (0..1 << geometry.shift).for_each(|index| shared.slots().stamp(index).store(0, Relaxed));
        header.magic.store(MAGIC, Release);
        Ok(shared)
    }

    /// Looks at `size` bytes that claim to be a queue.
    ///
    /// # Safety
    /// `at` is 128-aligned and `size` bytes from it stay mapped, shared, for 'r.
    pub unsafe fn attach(at: NonNull<u8>, size: u64) -> Result<Self> {
        if size < SLOTS_OFFSET {
            return Err(Error::BadRegion);
        }
        // SAFETY: the header fits; see `over`.
        let header = unsafe { at.cast::<Header>().as_ref() };
        if header.magic.load(Acquire) != MAGIC {
            return Err(Error::BadRegion);
        }
        let flags = header.flags.load(Relaxed);
        if flags & !(KILL_ONLY | INDEXED | JOINABLE | ON_DEATH) != 0 {
            return Err(Error::Version);
        }
        let (shift, max) = (header.shift.load(Relaxed), header.max_message.load(Relaxed));
        let attempts = header.max_attempts.load(Relaxed);
        let geometry = Geometry::checked(shift, max, attempts, flags).ok_or(Error::BadRegion)?;
        if geometry.stride != header.stride.load(Relaxed) || geometry.size > size {
            return Err(Error::BadRegion);
        }
        // SAFETY: `geometry.size <= size`.
        Ok(unsafe { Self::over(at, geometry) })
    }

    #[inline(always)]
    pub fn slots(&self) -> RawSlots<'r> {
        self.ring.slots()
    }

    pub fn indexed(&self) -> Indexed<'r, RawSlots<'r>, RawEntries<'r>> {
        let shift = self.geometry.shift + 1;
        // SAFETY: only of an indexed queue: between the first 1024 bytes and the blocks there is room for the
        // ring's header and, 16 bytes each, for twice as many entries as blocks; atomics only.
        let (header, base) = unsafe {
            let start = self.slots().base.sub(self.geometry.offset as usize);
            (
                start.add(SLOTS_OFFSET as usize).cast::<ring::Header>().as_ref(),
                start.add(ENTRIES_OFFSET as usize),
            )
        };
        let mask = (1 << shift) - 1;
        let slots = RawEntries(RawSlots { base, stride: ENTRY_BYTES, mask, _region: PhantomData });
        Indexed {
            blocks: self.ring,
            entries: ring::Ring::new(header, slots, shift, !self.geometry.kill_only),
        }
    }

    // ---- what is done differently in the two kinds

    #[inline(always)]
    pub fn reserve(&self, me: MemberId) -> core::result::Result<Position, Refused> {
        if self.geometry.indexed { self.take_block(me) } else { self.ring.reserve(me) }
    }

    /// A position that was voided stays ours, in both kinds.
    #[inline(always)]
    pub fn publish(&self, me: MemberId, position: Position) -> bool {
        if self.geometry.joinable {
            // Whoever died with an earlier message here left its stamp. Relaxed: published with the message.
            self.slots().stamp(position.index).store(0, Relaxed);
        }
        if self.geometry.indexed {
            self.publish_block(me, position)
        } else {
            self.ring.try_publish(me, position)
        }
    }

    #[inline(always)]
    pub fn claim(&self, me: MemberId) -> core::result::Result<Claim, Refused> {
        let limit = self.geometry.limit();
        if self.geometry.indexed { self.claim_block(me, limit) } else { self.ring.claim(me, limit) }
    }

    // Out of line, so that a ring's few instructions stay few.

    #[inline(never)]
    fn take_block(&self, me: MemberId) -> core::result::Result<Position, Refused> {
        self.indexed().take(me)
    }

    #[inline(never)]
    fn publish_block(&self, me: MemberId, position: Position) -> bool {
        self.indexed().publish(me, position) == Published::Done
    }

    #[inline(never)]
    fn claim_block(&self, me: MemberId, limit: u8) -> core::result::Result<Claim, Refused> {
        self.indexed().claim(me, limit)
    }

    /// Whether a claim is worth a try.
    pub fn has_message(&self) -> bool {
        let ordered = if self.geometry.indexed {
            let entries = self.indexed().entries;
            entries.has_message() || entries.has_orphan(ring::MAX_ATTEMPTS)
        } else {
            self.ring.has_message()
        };
        ordered || self.ring.has_orphan(self.geometry.max_orphan())
    }

    /// Whether there is a message where one is looked for first.
    #[inline]
    pub fn looks_ready(&self) -> bool {
        if self.geometry.indexed { self.indexed().entries.looks_ready() } else { self.ring.looks_ready() }
    }

    /// Whether a reservation is worth a try.
    pub fn has_room(&self) -> bool {
        if self.geometry.indexed {
            self.ring.has_free_slot() && self.indexed().entries.has_room()
        } else {
            self.ring.has_room()
        }
    }
}
