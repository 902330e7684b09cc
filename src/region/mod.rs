//! Region: memory that several processes see, its members, and its named objects.
//!
//! # Memory
//! See `header` (the first 256 bytes), `directory` and `member` (the tables). Everything is reached by
//! offsets from the start, so each process may map it elsewhere.
//!
//! # Invariants
//! 1. `Geometry` was checked against the bytes that are really there; tables and objects lie inside.
//! 2. The memory stays mapped as long as a `Region` of this process has a member in it: `detach` is
//!    refused then, and a dropped `Region` leaks the mapping instead. Who is a member is known from
//!    private memory (see `Platform::claim`): a peer cannot lie a thread away whose list runs in here.
//! 3. What is read from the region is read once, checked, and used from the private copy.
//!
//! # Crash
//! - creator killed during `init`: `magic` is still 0 and `attach` says `BadRegion`; `init` may be run
//!   again. A named region appears under its name only when whole (see `map`).
//! - a participant killed while creating an object: see `directory`.
//! - a participant killed while recovering or leaving: see `member`.
//!
//! # Limits
//! - 4095 members, 4096 objects. A region cannot grow.
//! - Objects are not closed: who has opened one uses it until its `Region` is dropped. See `remove` for what that means.
//! - A thread is a member of at most 16 regions at a time, see [`Region`].
//! - 255 `Region`s of a process at a time are unmapped when dropped; more are leaked, and their `detach`
//!   says `Busy`. So is one in which a thread ended without dropping its explicit `Member`.
//!
//! # Threat model
//! A peer that can write the region can break the protocol of its objects: lose, repeat or garble
//! messages, hold locks, make calls return `BadRegion`, keep a call that waits for ever waiting. It
//! cannot make us read or write outside the region, crash us, or hang us past a deadline (a condition's `wait`
//! has none for acquiring its lock again). With a named
//! region it can also truncate the file (SIGBUS); a memfd of ours is sealed against that.

mod collections;
mod directory;
mod header;
#[cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]
mod map;
mod object;
mod objects;
#[cfg(not(rialto_loom))]
mod plain;
mod remove;
mod space;
mod state;
mod users;
mod visit;

pub use directory::{Kind, MAX_NAME_BYTES};
#[cfg(not(rialto_loom))]
pub(crate) use header::{Geometry, MAGIC_BYTES, OBJECTS_OFFSET};
pub use header::{LAYOUT_VERSION, RegionConfig};
pub use space::{ObjectInfo, ObjectName, Objects, Space};

use crate::{
    error::{Error, Result},
    layout::CACHE_LINE,
    member::{Depth, Home, Incarnation, Member, MemberId, Recovered, Table},
    sync::{AtomicU32, AtomicU64, Ordering::*},
    sys::{Cell, Os, Platform, Thread},
    time::{Deadline, FOREVER},
};
use core::ptr::NonNull;
use directory::{Directory, Entry, Place};
use header::Header;
#[cfg(rialto_loom)]
use header::{Geometry, OBJECTS_OFFSET};
use users::Users;

/// A process's handle to a region. A thread that uses two handles to one region is two members there.
/// `Sync`: threads share it. A forked child may go on using it; its threads become members of their own.
///
/// A thread becomes a member on first use and stays one until it ends or calls [`Region::leave`] on that
/// very handle, also when other threads drop the handle. It can be a member of 16 regions at a time, then
/// operations say `TooManyHeld`: a thread that outlives many regions has to leave each before it gives
/// up its share of the handle.
pub struct Region<P: Platform = Os> {
    base: NonNull<u8>,
    geometry: Geometry,
    platform: P,
    /// Distinguishes the regions of this process, in a thread's table of memberships and where its
    /// memberships are counted.
    uid: u64,
    /// The member that was asked about last; see [`Depth::Tick`]. Threads may mix it up.
    asked: AtomicU32,
    /// Locks in here, of values and the like, that this process holds; see `Shadow::counted_in`.
    held: AtomicU32,
    /// Our row among the users of objects, and whose it is; see `visit`.
    row: AtomicU64,
    #[cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]
    mapping: map::Mapping,
}

// SAFETY: everything behind `base` is atomics, or payloads that a claim gives to one thread.
unsafe impl<P: Platform> Send for Region<P> {}
// SAFETY: as above.
unsafe impl<P: Platform> Sync for Region<P> {}

impl<P: Platform> Region<P> {
    /// Makes a region of `len` bytes at `ptr`, on `platform`. For the first party; the memory must be
    /// fresh (zero-filled, or the leavings of a creator that died in here).
    ///
    /// Errors: `Invalid` (null, not 128-aligned, more than `isize::MAX` bytes, bad config), `NoSpace` (no room for the tables),
    /// `Exists` (a finished region is there).
    ///
    /// # Safety
    /// `len` bytes from `ptr` are mapped readable and writable until the `Region` is gone **and** no thread
    /// of this process is a member any more (threads that used it end, or call [`Region::leave`];
    /// `detach` says `Busy` until then) or holds a lock in it: their robust lists run through it. Used by no one but
    /// Rialto, and by nobody else at all before this returns.
    pub unsafe fn init_on(platform: P, ptr: *mut u8, len: usize, config: &RegionConfig) -> Result<Self> {
        let base = memory(ptr, len)?;
        let geometry = Geometry::new(config, len as u64).ok_or(Error::Invalid)?;
        if geometry.data_offset > geometry.size {
            return Err(Error::NoSpace);
        }
        let region = Self::over(platform, base, geometry);
        if region.header().is_ready() {
            return Err(Error::Exists);
        }
        region.header().write(&geometry);
        // SAFETY: inside the region (invariant 1), and nobody else uses it yet. The lock and the cells stay
        // where they are, and mapped while a thread of ours holds one (the caller's word, or invariant 2).
        unsafe {
            core::ptr::from_ref(&region.header().lock).cast_mut().write(crate::lock::Lock::new());
            let cells = base.add(geometry.members_offset as usize).cast::<Cell>();
            for i in 0..usize::from(geometry.members) {
                cells.add(i).write(Table::new_cell());
            }
        }
        region.directory().format();
        region.users().format();
        region.header().publish();
        Ok(region)
    }

    /// Attaches to a region that somebody made at `ptr` (in this process's view), on `platform`.
    ///
    /// Errors: `Invalid`, `BadRegion` (no region, a half-made or damaged one, or a larger one than
    /// `len`), `Version`.
    ///
    /// # Safety
    /// `len` bytes from `ptr` are mapped readable and writable, shared, for as long as [`Region::init_on`]
    /// says. What is in them does not matter.
    pub unsafe fn attach_on(platform: P, ptr: *mut u8, len: usize) -> Result<Self> {
        let base = memory(ptr, len)?;
        if len < OBJECTS_OFFSET as usize {
            return Err(Error::BadRegion);
        }
        // SAFETY: the header fits, is aligned, and consists of atomics.
        let geometry = unsafe { base.cast::<Header>().as_ref() }.read(len as u64)?;
        Ok(Self::over(platform, base, geometry))
    }

    fn over(platform: P, base: NonNull<u8>, geometry: Geometry) -> Self {
        Region {
            base,
            geometry,
            platform,
            uid: platform.claim(),
            asked: AtomicU32::new(0),
            held: AtomicU32::new(0),
            row: AtomicU64::new(0),
            #[cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]
            mapping: map::Mapping::Borrowed,
        }
    }

    /// Where locks of values and the like are counted. Not in the caller's memory: several handles may be over
    /// that, a lock be acquired through one and released through another, and its end is the caller's affair.
    pub(crate) fn counter(&self) -> Option<&AtomicU32> {
        #[cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]
        if matches!(self.mapping, map::Mapping::Borrowed) {
            return None;
        }
        Some(&self.held)
    }

    /// Where this process sees it.
    pub fn as_ptr(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Bytes.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.geometry.size as usize
    }

    fn header(&self) -> &Header {
        // SAFETY: invariant 1.
        unsafe { self.base.cast::<Header>().as_ref() }
    }

    fn directory(&self) -> Directory<'_> {
        // SAFETY: invariant 1; entries are atomics.
        let entries = unsafe {
            let first = self.base.add(OBJECTS_OFFSET as usize).cast::<Entry>();
            core::slice::from_raw_parts(first.as_ptr(), usize::from(self.geometry.objects))
        };
        Directory { entries, data: self.geometry.data_offset, total: self.geometry.size }
    }

    fn users(&self) -> Users<'_> {
        let Geometry { row_words, rows, users_offset, .. } = self.geometry;
        // SAFETY: invariant 1; they are atomics.
        let words = unsafe {
            let first = self.base.add(users_offset as usize).cast::<AtomicU64>();
            core::slice::from_raw_parts(first.as_ptr(), row_words * rows)
        };
        Users { words, width: row_words }
    }

    fn members(&self) -> Table<'_> {
        // SAFETY: invariant 1; a cell's shared fields are atomics. The cells stay as long as somebody is a
        // member (invariant 2; in the caller's memory, the caller's word).
        unsafe {
            let first = self.base.add(self.geometry.members_offset as usize).cast::<Cell>();
            let cells = core::slice::from_raw_parts(first.as_ptr(), usize::from(self.geometry.members));
            Table::new(cells)
        }
    }

    fn at(&self, place: Place) -> NonNull<u8> {
        // SAFETY: a place was checked to lie inside the region.
        unsafe { self.base.add(place.offset as usize) }
    }

    /// Makes the calling thread a member besides (or instead of) the implicit membership that it gets
    /// on first use. The handle may be used from any thread, while its death is that of this one: for
    /// thread pools and async runtimes, where the thread that acts is not the one that should answer.
    ///
    /// Errors: `TooManyMembers`, `TooManyHeld`.
    pub fn join(&self) -> Result<Member<'_, Self>> {
        Ok(Member::new(self, self.new_member()?))
    }

    fn new_member(&self) -> Result<Incarnation> {
        self.keep_row()?;
        let joined = match self.members().join(self.platform) {
            Err(Error::TooManyMembers) => {
                let until = Deadline::after(self.platform, u64::from(self.geometry.tick_ms) * 1_000_000);
                self.recover_some(Depth::Thorough, until);
                self.members().join(self.platform)
            }
            other => other,
        };
        if joined.is_ok() {
            self.platform.enter(self.uid); // until our `Home::leave`, or the thread's end
        }
        joined
    }

    #[cold]
    fn join_thread(&self, thread: P::Thread) -> Result<MemberId> {
        let member = self.new_member()?;
        if let Err(error) = thread.set_membership(self.uid, member.id, member.epoch) {
            let _ = Home::leave(self, member);
            return Err(error);
        }
        Ok(member.id)
    }

    /// Ends the calling thread's own (implicit) membership, if it has one. A thread that ends leaves
    /// without this; one that lives on stays a member of this region, one of its 16, until it calls this
    /// on this handle. Other threads' dropping or detaching of the handle ends nothing (only the last
    /// drop leaves, for the thread that does it).
    ///
    /// Errors: `Busy` while the thread has something in hand: a message (a `Peeked`), a permit, a registration
    /// with a barrier.
    pub fn leave(&self) -> Result<()> {
        let thread = self.platform.thread()?;
        let Some(me) = thread.membership(self.uid) else { return Ok(()) };
        if self.holds(me) {
            return Err(Error::Busy);
        }
        match thread.remove_membership(self.uid) {
            Some((id, epoch)) => Home::leave(self, Incarnation { id, epoch }),
            None => Ok(()),
        }
    }

    /// Looks for members that are certainly dead and gives back all they had in hand. Blocked callers
    /// do this by themselves; for programs that only poll. Never blocks. If we die here, somebody else
    /// does it again from the beginning.
    pub fn recover(&self, depth: Depth) -> Recovered {
        self.recover_some(depth, Deadline::NEVER).0
    }

    /// As [`Home::recover_until`].
    fn recover_some(&self, depth: Depth, until: Deadline) -> (Recovered, bool) {
        let table = self.members();
        let (mut total, mut begun) = (Recovered::default(), false);
        let next = (depth == Depth::Tick).then(|| self.next_live());
        for id in 1..=table.capacity() {
            let ask = depth == Depth::Thorough || next == Some(id);
            let Some(dead) = table.death_of(self.platform, id, ask) else { continue };
            // The first one in any case: so everybody's turn comes, however short the timeouts are.
            if begun && until.passed(self.platform) {
                return (total, false);
            }
            begun = true;
            if table.bury(dead, || self.sweep(dead, &mut total)) {
                total.members += 1;
            }
        }
        (total, true)
    }

    /// The live member whose turn it is to be asked about.
    fn next_live(&self) -> MemberId {
        let table = self.members();
        let last = self.asked.load(Relaxed) as u16 % table.capacity();
        let order = (last..table.capacity()).chain(0..last).map(|i| i + 1);
        let next = order.into_iter().find(|id| table.is_live(*id)).unwrap_or(1);
        self.asked.store(u32::from(next), Relaxed);
        next
    }

    /// How many there can be.
    #[cfg(all(feature = "process", target_os = "linux", not(rialto_loom)))]
    pub(crate) fn most_members(&self) -> u32 {
        self.geometry.members.into()
    }

    /// How many members there are at about this time.
    pub fn member_count(&self) -> u32 {
        self.members().live()
    }
}

#[cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]
impl<P: Platform> Region<P> {
    /// Whether a thread of this process could still touch the memory: one that is a member, or (of memory that is ours)
    /// with a lock of a value and the like, or this one with any lock in it. Nothing in the region itself is asked:
    /// peers can write there.
    pub(crate) fn in_use(&self) -> bool {
        let locked =
            self.platform.thread().is_ok_and(|thread| thread.holds_within(self.as_ptr(), self.len()));
        locked || self.held.load(Acquire) > 0 || self.platform.users(self.uid) > 0
    }
}

impl<P: Platform> Drop for Region<P> {
    fn drop(&mut self) {
        let _ = self.leave();
        self.give_back_row();
        #[cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]
        {
            let leak = self.in_use();
            self.mapping.undo(self.base, leak);
        }
        self.platform.give_back(self.uid);
    }
}

/// What can be a region's: aligned, and offsets in it fit `isize`.
fn memory(ptr: *mut u8, len: usize) -> Result<NonNull<u8>> {
    let base = NonNull::new(ptr).ok_or(Error::Invalid)?;
    if base.addr().get() % CACHE_LINE as usize != 0 || isize::try_from(len).is_err() {
        return Err(Error::Invalid);
    }
    Ok(base)
}

impl<P: Platform> Home for Region<P> {
    type Platform = P;

    #[inline]
    fn platform(&self) -> P {
        self.platform
    }

    fn tick_ns(&self) -> u64 {
        if P::TICK_NS == FOREVER { FOREVER } else { u64::from(self.geometry.tick_ms) * 1_000_000 }
    }

    #[inline]
    fn me(&self) -> Result<MemberId> {
        let thread = self.platform.thread()?;
        match thread.membership(self.uid) {
            Some(id) => Ok(id),
            None => self.join_thread(thread),
        }
    }

    fn recover_until(&self, depth: Depth, until: Deadline) -> bool {
        self.recover_some(depth, until).1
    }

    fn leave(&self, member: Incarnation) -> Result<()> {
        let table = self.members();
        table.begin_leave(self.platform, member)?;
        let complete = self.sweep(member, &mut Recovered::default());
        table.finish_leave(self.platform, member, complete)?;
        self.platform.exit(self.uid);
        Ok(())
    }

    fn epoch(&self, id: MemberId) -> u64 {
        self.members().epoch(id)
    }

    fn is_still(&self, member: Incarnation) -> bool {
        self.members().is_still(member)
    }

    fn has_in_hand(&self, member: MemberId) -> bool {
        self.holds(member)
    }
}
