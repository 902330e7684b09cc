//! Our part in the table of users: the handle's row, and looks at objects that others may remove. See `users`.
//!
//! # Memory
//! [`Region`]'s private word: process `46` bits of the tag | index + 1 of its row `13`; 0: it has none yet. So a
//! forked child, which has its parent's word, knows that the row is not its own.
//!
//! # Without a row
//! Where no row is to be had, nothing is opened: `TooManyMembers`. Recovery must go on: it holds the region's
//! lock meanwhile, so that nothing can be removed; if that is not to be had at once, somebody else has to
//! recover, or we at the next tick.

use super::{
    Region,
    directory::{Directory, Kind, Place, Seen},
    object::Claims,
    users::{InUse, Row, Visit},
};
use crate::{
    error::{Error, Result},
    lock::Outcome,
    member::{Incarnation, MemberId, Recovered},
    sync::{AtomicU32, Ordering::*},
    sys::Platform,
    time::Deadline,
};

const INDEX_BITS: u32 = 13;
const _: () = assert!(4095 + super::users::SPARE_ROWS < 1 << INDEX_BITS);
/// Of a tag: the hash of the start time is not needed to tell a child from its forebears.
const PROCESS_AT: u32 = 17;

fn owner_of(word: u64) -> u64 {
    word >> INDEX_BITS
}

fn same_process(word: u64, tag: u64) -> bool {
    owner_of(word) == (tag & !(1 << 63)) >> PROCESS_AT
}

/// Whether both are tags of one process. A thread that finds no descriptor free to look into /proc when it first
/// uses Rialto does not know when its process began; others do.
fn same_tag(a: u64, b: u64) -> bool {
    let start = |tag: u64| tag & ((1 << PROCESS_AT) - 1);
    a >> PROCESS_AT == b >> PROCESS_AT && (start(a) == start(b) || start(a) == 0 || start(b) == 0)
}

fn word_of(tag: u64, index: usize) -> u64 {
    (tag & !(1 << 63)) >> PROCESS_AT << INDEX_BITS | (index as u64 + 1)
}

/// Holds the region's lock.
struct Held<'r, P: Platform>(&'r Region<P>);

impl<P: Platform> Held<'_, P> {
    /// As dropping it, and says whether a peer has overwritten the lock.
    fn release(self) -> Result<()> {
        let region = self.0;
        core::mem::forget(self);
        region.header().lock.release_on(region.platform)
    }
}

impl<P: Platform> Drop for Held<'_, P> {
    fn drop(&mut self) {
        let _ = self.0.header().lock.release_on(self.0.platform);
    }
}

impl<P: Platform> Region<P> {
    fn row_in(&self, word: u64) -> Option<Row<'_>> {
        let index = (word & ((1 << INDEX_BITS) - 1)).checked_sub(1)?;
        self.users().row(index as usize)
    }

    /// The row that this handle has in this process.
    pub(super) fn own_row(&self, me: u64) -> Option<Row<'_>> {
        let word = self.row.load(Acquire);
        self.row_in(word).filter(|row| {
            let owner = row.owner();
            same_process(word, me) && owner != 0 && same_tag(owner, me)
        })
    }

    /// The same; claims one if there is none. Errors: `TooManyMembers`, those of [`Platform::thread`].
    pub(super) fn row(&self) -> Result<Row<'_>> {
        let me = self.platform.process()?;
        match self.own_row(me) {
            Some(row) => Ok(row),
            None => self.claim_row(me),
        }
    }

    #[cold]
    fn claim_row(&self, me: u64) -> Result<Row<'_>> {
        let seen = self.row.load(Acquire);
        let index = self.users().claim(self.platform, me)?;
        let row = self.users().row(index).ok_or(Error::BadRegion)?;
        // A forked child goes on with what its parent had opened before.
        let parent = self.row_in(seen).filter(|_| !same_process(seen, me));
        if let Some(parent) = parent.filter(|parent| same_process(seen, parent.owner())) {
            row.inherit(parent);
        }
        match self.row.compare_exchange(seen, word_of(me, index), AcqRel, Acquire) {
            Ok(_) => Ok(row),
            Err(_) => {
                // Another thread of ours was faster.
                row.give_back(me);
                self.own_row(me).ok_or(Error::BadRegion)
            }
        }
    }

    /// A forked child that goes on with its parent's handle becomes known as a user.
    pub(super) fn keep_row(&self) -> Result<()> {
        if self.row.load(Relaxed) == 0 { Ok(()) } else { self.row().map(drop) }
    }

    /// The handle goes. In a forked child the row may be its parent's still: then it stays.
    pub(super) fn give_back_row(&mut self) {
        if self.row.load(Relaxed) == 0 {
            return;
        }
        let Ok(me) = self.platform.process() else { return };
        if let Some(row) = self.own_row(me) {
            row.give_back(row.owner());
        }
    }

    /// Waits a moment for somebody who is about to be through.
    pub(super) fn nap(&self) {
        let until = self.platform.now_ns().saturating_add(100_000);
        let _ = self.platform.wait(&AtomicU32::new(0), 0, until);
    }

    /// How long to wait for those at most.
    pub(super) fn patience(&self) -> Deadline {
        Deadline::after(self.platform, u64::from(self.geometry.tick_ms) * 1_000_000)
    }

    /// Announces a look at an entry. Errors: `Busy` (too many threads of ours are looking at objects, and do
    /// not get on).
    pub(super) fn visit<'r>(&'r self, row: Row<'r>, index: usize) -> Result<Visit<'r>> {
        let mut until = None;
        loop {
            if let Some(visit) = row.visit(index) {
                return Ok(visit);
            }
            if until.get_or_insert_with(|| self.patience()).passed(self.platform) {
                return Err(Error::Busy);
            }
            self.nap();
        }
    }

    /// Has `look` look at every object, until it says false; none of them goes meanwhile. False: not all of
    /// them could be looked at.
    fn each(&self, mut look: impl FnMut(&dyn Claims) -> bool) -> bool {
        let row = self.row().ok();
        let _held = match row {
            Some(_) => None,
            // If it is free.
            None => match self.hold(0) {
                Ok(held) => Some(held),
                Err(_) => return false,
            },
        };
        let (directory, mut whole) = (self.directory(), true);
        // A walk through all of them takes no longer than one through the region. Honest objects do not overlap; but
        // one may be seen twice where objects come and go meanwhile. Then, and in a hostile directory, it is not whole.
        let mut room = self.geometry.size;
        for index in directory.present() {
            let visit = row.map(|row| self.visit(row, index)).transpose();
            if visit.is_err() {
                // It has waited a tick already, and would for each of the others.
                whole = false;
                break;
            }
            if !directory.settle(index) {
                continue;
            }
            let Seen { kind, place: Some(place), .. } = directory.seen(index) else { continue };
            let Some(rest) = room.checked_sub(place.size) else {
                whole = false;
                break;
            };
            room = rest;
            let Some(kind) = Kind::from_number(kind) else { continue };
            if self.with_object(kind, place, &mut look) == Some(false) {
                break;
            }
        }
        whole
    }

    /// The region's lock, and what a dead owner left of the directory repaired.
    fn hold(&self, timeout_ns: u64) -> Result<Held<'_, P>> {
        let lock = &self.header().lock;
        if lock.acquire_on(self.platform, timeout_ns)? == Outcome::OwnerDied {
            self.directory().repair();
            lock.mark_consistent_on(self.platform)?;
        }
        Ok(Held(self))
    }

    /// Takes the claims of `dead` out of every object. True: nothing of it is left.
    pub(super) fn sweep(&self, dead: Incarnation, total: &mut Recovered) -> bool {
        let is_dying = || self.members().is_dying(dead);
        let mut swept = true;
        let all = self.each(|object| {
            let (found, complete) = object.sweep(dead, &is_dying);
            total.add(found);
            swept &= complete;
            true
        });
        all && swept
    }

    /// Whether `member` has anything in hand, in any object; also if that cannot be told.
    pub(super) fn holds(&self, member: MemberId) -> bool {
        let mut holds = false;
        let all = self.each(|object| {
            holds = object.holds(member);
            !holds
        });
        holds || !all
    }

    /// The object of that name and kind, made a handle by `attach`; from here on it is in use by us, if `attach`
    /// says so. Never waits for others.
    ///
    /// Errors: `Invalid`, `NotFound`, `WrongKind`, `BadRegion`, `TooManyMembers`, `attach`'s.
    pub(super) fn open_with<T>(
        &self,
        name: &str,
        kind: Kind,
        attach: impl FnOnce(Place) -> Result<T>,
    ) -> Result<T> {
        let name = super::directory::pack(name)?;
        let directory = self.directory();
        let index = directory.position(&name).ok_or(Error::NotFound)?;
        let row = self.row()?;
        let visit = self.visit(row, index)?;
        // If it is gone, or another one came, there was an instant without one of that name.
        if !directory.settle(index) {
            return Err(Error::NotFound);
        }
        let seen = directory.seen(index);
        if seen.name != name {
            return Err(Error::NotFound);
        }
        if seen.kind != kind as u32 {
            return Err(Error::WrongKind);
        }
        let object = attach(seen.place.ok_or(Error::BadRegion)?)?;
        row.set(index);
        drop(visit);
        Ok(object)
    }

    /// As [`super::users::Users::in_use`].
    pub(super) fn in_use_by_others(&self, me: u64, own: Option<Row<'_>>, index: usize) -> InUse {
        self.users().in_use(self.platform, me, own, index)
    }

    pub(super) fn locked<'r, T>(
        &'r self,
        timeout_ns: u64,
        f: impl FnOnce(Directory<'r>) -> Result<T>,
    ) -> Result<T> {
        let held = self.hold(timeout_ns)?;
        let result = f(self.directory());
        held.release()?;
        result
    }
}
