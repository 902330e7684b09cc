//! SPSC queues and pipes: who has the ends, and how much is on its way.

use super::{Hand, Held, Inspector, Object, Source, details::Waiting};
use crate::{
    error::{Error, Result},
    member::MemberId,
    pipe::{GOES_ON, PipeConfig},
    queue::OnDeath,
    ring::stream::{CLOSED, EMPTY, MARKS, SKIP, record_bytes},
    spsc::{
        SpscConfig,
        ends::{DIED, OWNER},
    },
    sys::Platform,
};

const SPSC_MAGIC: u32 = u32::from_le_bytes(*b"RLT1");
const PIPE_MAGIC: u32 = u32::from_le_bytes(*b"RLTP");
/// As often is a stream looked at whose reader overtakes us.
const LOOKS: u32 = 4;

/// A stream of records, a moment ago.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamLook {
    /// Messages on their way, that in hand included.
    pub len: u32,
    /// What they take, in bytes.
    pub used: u32,
    /// Of so many.
    pub bytes: u32,
    /// How often the first one was taken in hand and not released, 0 to 15.
    pub marks: u8,
    /// There is something that nobody writes.
    pub is_damaged: bool,
    /// Those who wait for messages.
    pub readers: Waiting,
    /// Those who wait for room.
    pub writers: Waiting,
}

/// Who has an end, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndLook {
    /// See there.
    pub state: EndState,
    /// If it is open: whose.
    pub member: MemberId,
}

/// What became of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndState {
    /// Nobody has it.
    Free,
    /// A member has it.
    Open,
    /// Its holder has closed it (a pipe's).
    Closed,
    /// Its holder died, or left with it. That of an SPSC queue may be claimed again.
    Died,
}

/// An SPSC queue, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpscLook {
    /// What it was created with.
    pub config: SpscConfig,
    /// Its messages.
    pub stream: StreamLook,
    /// No more messages are taken.
    pub is_closed: bool,
    /// Messages given up.
    pub dropped: u32,
    /// Who writes.
    pub producer: EndLook,
    /// Who reads.
    pub consumer: EndLook,
}

/// A pipe, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipeLook {
    /// What it was created with, sizes rounded up.
    pub config: PipeConfig,
    /// Ends 0 and 1.
    pub ends: [EndLook; 2],
    /// What is on its way from end 0 and from end 1; from 0 only if it is duplex.
    pub ways: [Option<StreamLook>; 2],
}

/// Where a stream lies.
struct Place {
    base: u64,
    bytes: u32,
    head: u64,
    readers: u64,
    writers: u64,
}

impl<S: Source, P: Platform> Inspector<S, P> {
    fn stream(&self, place: &Place) -> Result<StreamLook> {
        let mut look = StreamLook::default();
        for _ in 0..LOOKS {
            let head = self.u32(place.head)?;
            look = StreamLook {
                bytes: place.bytes,
                marks: (head & MARKS) as u8,
                readers: self.waiting(place.readers)?,
                writers: self.waiting(place.writers)?,
                ..StreamLook::default()
            };
            self.follow(place, head & !MARKS, &mut look)?;
            if self.u32(place.head)? & !MARKS == head & !MARKS {
                return Ok(look);
            }
        }
        look.is_damaged = false; // a reader that is as fast as we are
        Ok(look)
    }

    /// From record to record: each takes 16 bytes at least, so it ends.
    fn follow(&self, place: &Place, head: u32, look: &mut StreamLook) -> Result<()> {
        let (mut at, mut left) = (head, place.bytes);
        look.is_damaged = at >= place.bytes;
        while at < place.bytes {
            let mut word = self.u32(place.base + u64::from(at) + 8)?;
            if word == SKIP {
                left = left.saturating_sub(place.bytes - at);
                at = 0;
                word = self.u32(place.base + 8)?;
                look.is_damaged = matches!(word, EMPTY | SKIP | CLOSED);
            }
            if matches!(word, EMPTY | SKIP | CLOSED) {
                break;
            }
            let size = if word - 1 > place.bytes { u32::MAX } else { record_bytes(word - 1) };
            if size > place.bytes - at || size > left {
                look.is_damaged = true;
                break;
            }
            let tag = self.u32(place.base + u64::from(at) + 12)?;
            look.len += u32::from(tag & GOES_ON == 0);
            left -= size;
            at = if at + size == place.bytes { 0 } else { at + size };
        }
        look.used = place.bytes - left;
        Ok(())
    }

    pub(super) fn spsc(&self, object: &Object, hands: &mut dyn FnMut(Hand)) -> Result<SpscLook> {
        let at = object.offset;
        let field = |offset| self.u32(at + offset);
        if object.size < 768 || field(0)? != SPSC_MAGIC {
            return Err(Error::BadRegion);
        }
        let config = SpscConfig {
            slots: field(8)?,
            max_message_bytes: field(12)?,
            max_attempts: u8::try_from(field(20)?).map_err(|_| Error::BadRegion)?,
            on_death: OnDeath::from_u32(field(4)?).ok_or(Error::BadRegion)?,
        };
        let layout = config.layout().map_err(|_| Error::BadRegion)?;
        let bytes = field(16)?;
        let expected = (u64::from(config.slots) + 1) * u64::from(record_bytes(config.max_message_bytes));
        if layout.size > object.size || u64::from(bytes) != expected {
            return Err(Error::BadRegion);
        }
        let place = Place { base: at + 768, bytes, head: at + 644, readers: at + 256, writers: at + 384 };
        let stream = self.stream(&place)?;
        let mut end = |offset, what| {
            let word = field(offset)?;
            let member = (word & OWNER) as MemberId;
            let state = match member {
                0 if word & DIED != 0 => EndState::Died,
                0 => EndState::Free,
                _ => EndState::Open,
            };
            if member != 0 {
                hands(Hand { member, what, index: 0, attempt: 0, bytes: None });
            }
            Ok::<_, Error>(EndLook { state, member })
        };
        let (producer, consumer) = (end(512, Held::Producer)?, end(640, Held::Consumer)?);
        if consumer.member != 0 && stream.marks > 0 && stream.len > 0 {
            // How often it was taken in hand before; that only counts up while nobody releases it.
            let (member, attempt) = (consumer.member, stream.marks - 1);
            hands(Hand { member, what: Held::Reading, index: 0, attempt, bytes: None });
        }
        let (is_closed, dropped) = (field(128)? != 0, field(648)?);
        Ok(SpscLook { config, stream, is_closed, dropped, producer, consumer })
    }

    pub(super) fn pipe(&self, object: &Object, hands: &mut dyn FnMut(Hand)) -> Result<PipeLook> {
        let at = object.offset;
        let field = |offset| self.u32(at + offset);
        if object.size < 1408 || field(0)? != PIPE_MAGIC {
            return Err(Error::BadRegion);
        }
        let (flags, ring_bytes) = (field(4)?, field(8)?);
        let config = PipeConfig { ring_bytes, max_message_bytes: field(12)?, duplex: flags & 1 != 0 };
        let layout = config.layout().map_err(|_| Error::BadRegion)?;
        if layout.size > object.size || flags > 1 || ring_bytes % 128 != 0 {
            return Err(Error::BadRegion);
        }
        let mut end = |index: u32| {
            let word = field(128 + 128 * u64::from(index))?;
            let (state, member) = match word & 0xff {
                0 => (EndState::Free, 0),
                1 => (EndState::Open, (word >> 8 & OWNER) as MemberId),
                2 => (EndState::Closed, 0),
                3 => (EndState::Died, 0),
                _ => return Err(Error::BadRegion),
            };
            if member != 0 {
                hands(Hand { member, what: Held::End, index, attempt: 0, bytes: None });
            }
            Ok(EndLook { state, member })
        };
        let ends = [end(0)?, end(1)?];
        let way = |words: u64, base: u64| {
            let (head, readers, writers) = (at + words + 384, at + words, at + words + 128);
            self.stream(&Place { base: at + base, bytes: ring_bytes, head, readers, writers })
        };
        let other = if config.duplex { Some(way(384, 1536 + u64::from(ring_bytes))?) } else { None };
        Ok(PipeLook { config, ends, ways: [other, Some(way(896, 1408)?)] })
    }
}
