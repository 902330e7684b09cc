//! What each kind of object tells besides its entry.

use super::{Hand, Held, Inspector, LockLook, Object, PipeLook, QueueLook, Source, SpscLook};
use crate::{
    barrier,
    element::Code,
    error::{Error, Result},
    member::MemberId,
    permits,
    region::Kind,
    shadow,
    sys::Platform,
};

/// How often a state that is published under our eyes is looked at again.
const LOOKS: u32 = 16;

/// Who sleeps, perhaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Threads; false: none for certain.
    pub sleepers: bool,
    /// Event loops.
    pub pollers: bool,
}

/// What an object of that kind tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // the kinds
pub enum Details {
    Queue(QueueLook),
    Spsc(SpscLook),
    Pipe(PipeLook),
    TrackedSemaphore(PermitsLook),
    Barrier(BarrierLook),
    Lock(LockLook),
    RLock(LockLook),
    Event { is_set: bool, waiting: Waiting },
    Condition { notified: u32, waiting: Waiting },
    Semaphore(SemaphoreLook),
    State(StateLook),
    Raw(RawLook),
}

/// A tracked semaphore, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermitsLook {
    /// How many there are.
    pub permits: u32,
    /// How many of them nobody has.
    pub free: u32,
    /// Who sleeps.
    pub waiting: Waiting,
}

/// A barrier, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierLook {
    /// How many must come.
    pub parties: u32,
    /// How many are there.
    pub arrived: u32,
    /// How many have registered.
    pub registered: u32,
    /// Whether it is broken.
    pub is_broken: bool,
    /// How often it was completed, modulo 2^26.
    pub completed: u32,
    /// How often it was reset, modulo 2^26.
    pub resets: u32,
    /// Who sleeps.
    pub waiting: Waiting,
}

/// A plain semaphore, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SemaphoreLook {
    /// Free permits.
    pub free: u32,
    /// So many at most.
    pub bound: u32,
    /// Who sleeps.
    pub waiting: Waiting,
}

/// A value, an array, a list, a dict or a namespace, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateLook {
    /// Bytes of a copy.
    pub bytes: u32,
    /// Of an array: elements. Of a list, a dict, a namespace: what is in it.
    pub len: Option<u32>,
    /// Of those: how many fit.
    pub capacity: Option<u32>,
    /// Of a value and an array: the type.
    pub code: Option<Code>,
    /// How often it was changed.
    pub updates: u64,
    /// Somebody is in the middle of a change, or died there.
    pub is_drafting: bool,
    /// How many have died there; theirs were taken back, or completed.
    pub deaths: u32,
    /// Who holds its lock.
    pub lock: LockLook,
}

/// A raw value or array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawLook {
    /// The type.
    pub code: Code,
    /// Bytes of an element.
    pub element_bytes: u32,
    /// Elements.
    pub len: u32,
}

impl<S: Source, P: Platform> Inspector<S, P> {
    /// What there is to say of the object; `hands` gets what is in the hands of members there.
    ///
    /// Errors: `BadRegion`: it is not what the directory says, or is not [`Object::is_sound`]; what `hands` got
    /// until then means nothing.
    pub fn details(&self, object: &Object, mut hands: impl FnMut(Hand)) -> Result<Details> {
        let kind = object.kind.filter(|_| object.is_sound).ok_or(Error::BadRegion)?;
        let at = object.offset;
        let hands = &mut hands;
        Ok(match kind {
            Kind::Queue => Details::Queue(self.queue(object, hands)?),
            Kind::Spsc => Details::Spsc(self.spsc(object, hands)?),
            Kind::Pipe => Details::Pipe(self.pipe(object, hands)?),
            Kind::TrackedSemaphore => Details::TrackedSemaphore(self.permits(object, hands)?),
            Kind::Barrier => Details::Barrier(self.barrier(object, hands)?),
            Kind::Lock => Details::Lock(self.lone_lock(object, *b"RLCK")?),
            Kind::RLock => Details::RLock(self.lone_lock(object, *b"RRLK")?),
            Kind::Event => {
                self.check(object, *b"REVT", 64)?;
                Details::Event { is_set: self.u32(at + 8)? & 1 != 0, waiting: self.sleeping(at + 4)? }
            }
            Kind::Condition => {
                self.check(object, *b"RCND", 64)?;
                Details::Condition { notified: self.u32(at + 8)?, waiting: self.sleeping(at + 4)? }
            }
            Kind::Semaphore => {
                self.check(object, *b"RSEM", 64)?;
                let (free, bound) = (self.u32(at + 8)?, self.u32(at + 12)?);
                Details::Semaphore(SemaphoreLook { free, bound, waiting: self.sleeping(at + 4)? })
            }
            Kind::Value => Details::State(self.state(object, kind, *b"RLTV")?),
            Kind::Array => Details::State(self.state(object, kind, *b"RLTA")?),
            Kind::List => Details::State(self.state(object, kind, *b"RLTL")?),
            Kind::Dict => Details::State(self.state(object, kind, *b"RLTD")?),
            Kind::Namespace => Details::State(self.state(object, kind, *b"RLTN")?),
            Kind::RawValue => Details::Raw(self.raw(object, *b"RLRV")?),
            Kind::RawArray => Details::Raw(self.raw(object, *b"RLRA")?),
        })
    }

    fn check(&self, object: &Object, magic: [u8; 4], size: u64) -> Result<()> {
        let fine = object.size >= size && self.u32(object.offset)? == u32::from_le_bytes(magic);
        if fine { Ok(()) } else { Err(Error::BadRegion) }
    }

    /// At an eventcount.
    fn sleeping(&self, at: u64) -> Result<Waiting> {
        Ok(Waiting { sleepers: self.u32(at)? & 1 != 0, pollers: false })
    }

    /// At a signal.
    pub(super) fn waiting(&self, at: u64) -> Result<Waiting> {
        Ok(Waiting { sleepers: self.u32(at)? & 1 != 0, pollers: self.u32(at + 4)? & 1 != 0 })
    }

    fn lone_lock(&self, object: &Object, magic: [u8; 4]) -> Result<LockLook> {
        self.check(object, magic, 64)?;
        self.lock_at(object.offset)
    }

    fn permits(&self, object: &Object, hands: &mut dyn FnMut(Hand)) -> Result<PermitsLook> {
        let at = object.offset;
        self.check(object, *b"RLTS", 256)?;
        let permits = self.u32(at + 4)?;
        if permits::layout(permits).map_err(|_| Error::BadRegion)?.size > object.size {
            return Err(Error::BadRegion);
        }
        let (mut free, waiting) = (0, self.sleeping(at + 128)?);
        self.words(at + 256, 8, permits, &mut |index, word| match (word >> 16 & 0xfff) as MemberId {
            0 => free += 1,
            member => hands(Hand { member, what: Held::Permit, index, attempt: 0, bytes: None }),
        })?;
        Ok(PermitsLook { permits, free, waiting })
    }

    /// A word of a table that says that the member has something, if it still does.
    fn claim(
        &self,
        table: u64,
        (index, word): (u32, u64),
        (member, what): (MemberId, Held),
        hands: &mut dyn FnMut(Hand),
    ) {
        if self.u64(table + 8 * u64::from(index)) == Ok(word) {
            hands(Hand { member, what, index, attempt: 0, bytes: None });
        }
    }

    fn barrier(&self, object: &Object, hands: &mut dyn FnMut(Hand)) -> Result<BarrierLook> {
        const OWNER: u64 = 0xfff;
        let at = object.offset;
        self.check(object, *b"RLTB", 512)?;
        let parties = self.u32(at + 4)?;
        if barrier::layout(parties).map_err(|_| Error::BadRegion)?.size > object.size {
            return Err(Error::BadRegion);
        }
        let state = self.u64(at + 128)?;
        let (is_broken, completed) = (state & 1 != 0, (state >> 38) as u32);
        let row = |row: u64| at + 512 + 8 * u64::from(parties) * row;
        let (mut registered, mut arrived) = (0, 0);
        self.words(row(0), 8, parties, &mut |index, word| {
            let member = (word & OWNER) as MemberId;
            if member != 0 {
                registered += 1;
                self.claim(row(0), (index, word), (member, Held::Registration), hands);
            }
        })?;
        for parity in 0..2 {
            self.words(row(1 + parity), 8, parties, &mut |index, word| {
                let member = (word & OWNER) as MemberId;
                if member != 0 {
                    let here = word & !OWNER == state & !OWNER;
                    arrived += u32::from(here && !is_broken && u64::from(completed) & 1 == parity);
                    self.claim(row(1 + parity), (index, word), (member, Held::Party), hands);
                }
            })?;
        }
        let (released, vacated) = (self.sleeping(at + 256)?, self.sleeping(at + 384)?);
        let waiting = Waiting { sleepers: released.sleepers || vacated.sleepers, pollers: false };
        let resets = (state >> 12) as u32 & ((1 << 26) - 1);
        Ok(BarrierLook { parties, arrived, registered, is_broken, completed, resets, waiting })
    }

    fn state(&self, object: &Object, kind: Kind, magic: [u8; 4]) -> Result<StateLook> {
        let at = object.offset;
        self.check(object, magic, 256)?;
        let bytes = self.u32(at + 4)?;
        if shadow::layout(u64::from(bytes)).map_err(|_| Error::BadRegion)?.size > object.size {
            return Err(Error::BadRegion);
        }
        let params = [self.u32(at + 8)?, self.u32(at + 12)?];
        let numbers = matches!(kind, Kind::Value | Kind::Array);
        let code = if numbers { Some(Code::from_u32(params[0]).ok_or(Error::BadRegion)?) } else { None };
        let (capacity, len) = match kind {
            Kind::Value => (None, None),
            Kind::Array => (None, Some(params[1])),
            _ => (Some(params[0]), self.published_len(object, bytes)?.filter(|len| *len <= params[0])),
        };
        Ok(StateLook {
            bytes,
            len,
            capacity,
            code,
            updates: self.u64(at + 128)?,
            is_drafting: self.u32(at + 136)? != 0,
            deaths: self.u32(at + 140)?,
            lock: self.lock_at(at + 64)?,
        })
    }

    /// The first number of the published copy. None: it changes faster than we look.
    fn published_len(&self, object: &Object, bytes: u32) -> Result<Option<u32>> {
        let at = object.offset;
        if bytes < 4 {
            return Err(Error::BadRegion);
        }
        for _ in 0..LOOKS {
            let seq = self.u64(at + 128)?;
            let len = self.u32(at + 256 + (seq & 1) * u64::from(bytes).next_multiple_of(128))?;
            if self.u64(at + 128)? == seq {
                return Ok(Some(len));
            }
        }
        Ok(None)
    }

    fn raw(&self, object: &Object, magic: [u8; 4]) -> Result<RawLook> {
        let at = object.offset;
        self.check(object, magic, 128)?;
        let code = Code::from_u32(self.u32(at + 4)?).ok_or(Error::BadRegion)?;
        let (element_bytes, len) = (self.u32(at + 8)?, self.u32(at + 12)?);
        let layout = crate::raw::layout(element_bytes, len).map_err(|_| Error::BadRegion)?;
        if layout.size > object.size {
            return Err(Error::BadRegion);
        }
        Ok(RawLook { code, element_bytes, len })
    }
}
