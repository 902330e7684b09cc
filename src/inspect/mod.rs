//! A look at a region from outside: what is in it, who has what in hand, who is dead. It joins nothing, takes no
//! lock, and cannot write: what it reads from has no way to ([`Source`]).
//!
//! For tools; the one that comes with Rialto is `src/bin/rialto`. A [`crate::Region`] is not for that: to attach is
//! to be able to write, and a handle over memory that is mapped for reading would be a SIGSEGV at the first use.
//!
//! # Memory
//! None of its own. What the words mean is said in LAYOUT.md and at the top of each object's module.
//!
//! # Invariants
//! 1. All is an input: each number is read once, checked, and used from the copy. An offset is checked against
//!    the object, the object against the region, and all of it by the [`Source`] against what is really there.
//! 2. Every walk ends: it has a bound, and all walks together [`MAX_LOOKS`] words. Objects that would fill the
//!    region twice are not looked into.
//! 3. Nothing is reported dead that was not seen dead by the rules of `member` and `lock`: the word of who holds
//!    something is read again after the verdict, and must be the same.
//!
//! # Limits
//! - A look, not a snapshot: while others go on, two numbers need not be of the same instant. One that says that
//!   somebody holds something is looked at twice.
//! - Who is alive is asked here: from another PID namespace it is `Unknown`.
//! - Lock words and claims tell who has something, not who waits: of sleepers only that there may be some.
//!
//! # Checked by
//! `tests/inspect.rs` (against what the objects' own handles say, over memory that is mapped for reading only),
//! `tests/cli.rs`.

mod cell;
mod details;
mod listing;
mod queue;
mod source;
mod stream;

pub use cell::{LockLook, LockState, MemberLook, MemberState};
pub use details::{BarrierLook, Details, PermitsLook, RawLook, SemaphoreLook, StateLook, Waiting};
pub use listing::Object;
pub use queue::QueueLook;
#[cfg(all(feature = "os", target_os = "linux"))]
pub use source::Descriptor;
pub use source::{Memory, Source};
pub use stream::{EndLook, EndState, PipeLook, SpscLook, StreamLook};

use crate::{
    error::{Error, Result},
    member::MemberId,
    region::{Geometry, LAYOUT_VERSION, MAGIC_BYTES, OBJECTS_OFFSET, RegionConfig},
    sys::{Os, Platform},
};
use core::cell::Cell;

/// So many words are read at most, then every look says `BadRegion`. Honest regions have fewer, unless they have
/// more than a thousand of the largest queues.
pub const MAX_LOOKS: u64 = 1 << 26;

/// Something in a member's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hand {
    /// Whose.
    pub member: MemberId,
    /// What it is.
    pub what: Held,
    /// Which: the slot, the permit, the place, the end.
    pub index: u32,
    /// Of a message: how often it was redelivered.
    pub attempt: u8,
    /// Of a message that is read: its length.
    pub bytes: Option<u32>,
}

/// What can be in a member's hand. Locks are threads', see [`LockLook`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Held {
    /// Room for a message that is being written.
    Writing,
    /// A message.
    Reading,
    /// Room that others have passed over; its writer does not know yet.
    Hole,
    /// A permit.
    Permit,
    /// The producer's end of an SPSC queue.
    Producer,
    /// The consumer's end of one.
    Consumer,
    /// An end of a pipe.
    End,
    /// A place in a barrier: it waits there, or is about to leave.
    Party,
    /// A registration with a barrier.
    Registration,
}

impl Held {
    /// For listings.
    pub fn name(self) -> &'static str {
        match self {
            Held::Writing => "writing",
            Held::Reading => "reading",
            Held::Hole => "hole",
            Held::Permit => "permit",
            Held::Producer => "producer",
            Held::Consumer => "consumer",
            Held::End => "end",
            Held::Party => "party",
            Held::Registration => "registration",
        }
    }
}

/// One look at a region. See the module's comment. Good for one report: make another one for the next.
pub struct Inspector<S: Source, P: Platform = Os> {
    source: S,
    platform: P,
    geometry: Geometry,
    looks: Cell<u64>,
}

impl<S: Source> Inspector<S> {
    /// Looks at what claims to be a region.
    ///
    /// Errors: `BadRegion` (no region, a half-made or damaged one, or a larger one than there are bytes), `Version`.
    pub fn new(source: S) -> Result<Self> {
        Self::new_on(Os::default(), source)
    }
}

impl<S: Source, P: Platform> Inspector<S, P> {
    /// As [`Inspector::new`]; `platform` says who is alive.
    pub fn new_on(platform: P, source: S) -> Result<Self> {
        let u32 = |at| source.u32(at).ok_or(Error::BadRegion);
        let u64 = |at| source.u64(at).ok_or(Error::BadRegion);
        if u64(0)? != u64::from_le_bytes(MAGIC_BYTES) {
            return Err(Error::BadRegion);
        }
        if u32(8)? != LAYOUT_VERSION || u32(12)? != 0 {
            return Err(Error::Version);
        }
        let narrow = |value| u16::try_from(value).map_err(|_| Error::BadRegion);
        let config =
            RegionConfig { members: narrow(u32(24)?)?, objects: narrow(u32(28)?)?, tick_ms: u32(32)? };
        let geometry = Geometry::new(&config, u64(16)?).ok_or(Error::BadRegion)?;
        if geometry.size > source.size() || geometry.data_offset > geometry.size {
            return Err(Error::BadRegion);
        }
        Ok(Inspector { source, platform, geometry, looks: Cell::new(0) })
    }

    /// What it was created with.
    pub fn config(&self) -> RegionConfig {
        let Geometry { members, objects, tick_ms, .. } = self.geometry;
        RegionConfig { members, objects, tick_ms }
    }

    /// Its bytes.
    pub fn size(&self) -> u64 {
        self.geometry.size
    }

    /// The lock that those hold who create and remove objects.
    pub fn lock(&self) -> Result<LockLook> {
        self.lock_at(64)
    }

    /// Those who are not free, in the order of their ids.
    pub fn members(&self) -> impl Iterator<Item = MemberLook> {
        (1..=self.geometry.members).filter_map(|id| self.member(id))
    }

    /// That one; None: it is free.
    pub fn member(&self, id: MemberId) -> Option<MemberLook> {
        let index = u64::from(id).checked_sub(1)?;
        if id > self.geometry.members {
            return None;
        }
        self.member_at(id, self.geometry.members_offset + 64 * index)
    }

    fn entry_at(&self, index: u32) -> u64 {
        OBJECTS_OFFSET + 64 * u64::from(index)
    }

    fn pay(&self, looks: u64) -> Result<()> {
        self.looks.set(self.looks.get().saturating_add(looks));
        if self.looks.get() > MAX_LOOKS { Err(Error::BadRegion) } else { Ok(()) }
    }

    fn u32(&self, at: u64) -> Result<u32> {
        self.pay(1)?;
        self.source.u32(at).ok_or(Error::BadRegion)
    }

    fn u64(&self, at: u64) -> Result<u64> {
        self.pay(1)?;
        self.source.u64(at).ok_or(Error::BadRegion)
    }

    fn words(&self, at: u64, stride: u64, count: u32, each: &mut dyn FnMut(u32, u64)) -> Result<()> {
        self.pay(u64::from(count))?;
        self.source.words(at, stride, count, each).ok_or(Error::BadRegion)
    }
}
