//! Queues: what each slot says.

use super::{Hand, Held, Inspector, Object, Source, details::Waiting};
use crate::{
    error::{Error, Result},
    queue::{OnDeath, QueueConfig, QueueKind},
    ring::word::{FULL, HOLE, ORPHAN, READING, WRITING, Word},
    sys::Platform,
};

const MAGIC: u32 = u32::from_le_bytes(*b"RLTQ");
const HEADER: u64 = 1024;
const BLOCKS_HEADER: u64 = 512;
const ENTRIES_HEADER: u64 = 1024;

/// A queue, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLook {
    /// What it was created with.
    pub config: QueueConfig,
    /// Messages that wait, those that nobody gets any more included.
    pub len: u32,
    /// Messages in hand.
    pub reading: u32,
    /// Messages in the making.
    pub writing: u32,
    /// Of those that wait: they were in hand before.
    pub orphans: u32,
    /// Of those: only `take_poisoned` gets them.
    pub poisoned: u32,
    /// No more messages are taken.
    pub is_closed: bool,
    /// Nobody gets anything before somebody takes the orphans: see [`OnDeath::Stop`].
    pub is_stopped: bool,
    /// Messages given up.
    pub dropped: u64,
    /// About how many messages were pushed since the beginning. May lag.
    pub pushed: u64,
    /// Consumers who sleep.
    pub consumers: Waiting,
    /// Producers who sleep.
    pub producers: Waiting,
    /// Those who sleep in `join`.
    pub joiners: Waiting,
}

impl<S: Source, P: Platform> Inspector<S, P> {
    pub(super) fn queue(&self, object: &Object, hands: &mut dyn FnMut(Hand)) -> Result<QueueLook> {
        let at = object.offset;
        let field = |offset| self.u32(at + offset);
        if object.size < HEADER || field(0)? != MAGIC {
            return Err(Error::BadRegion);
        }
        let (flags, shift) = (field(4)?, field(8)?);
        if !(1..=16).contains(&shift) {
            return Err(Error::BadRegion);
        }
        let config = QueueConfig {
            slots: 1 << shift,
            max_message_bytes: field(12)?,
            max_attempts: u8::try_from(field(20)?).map_err(|_| Error::BadRegion)?,
            kill_only: flags & 1 != 0,
            kind: if flags & 2 != 0 { QueueKind::Indexed } else { QueueKind::Ring },
            on_death: OnDeath::from_u32(flags >> 4 & 3).ok_or(Error::BadRegion)?,
            joinable: flags & 4 != 0,
        };
        // Checks them all.
        let layout = config.layout().map_err(|_| Error::BadRegion)?;
        if layout.size > object.size || flags & !0x37 != 0 {
            return Err(Error::BadRegion);
        }
        let indexed = config.kind == QueueKind::Indexed;
        let (slots, stride) = config.slots().map_err(|_| Error::BadRegion)?;
        let stride = u64::from(stride);
        let tail = at + if indexed { ENTRIES_HEADER } else { BLOCKS_HEADER };
        let mut look = QueueLook {
            config,
            len: 0,
            reading: 0,
            writing: 0,
            orphans: 0,
            poisoned: 0,
            is_closed: field(128)? != 0,
            is_stopped: false,
            dropped: self.u64(at + BLOCKS_HEADER + 384)?,
            pushed: self.u64(tail)?,
            consumers: self.waiting(at + 256)?,
            producers: self.waiting(at + 384)?,
            joiners: self.waiting(at + 136)?,
        };
        let limit = if config.on_death == OnDeath::Stop { 0 } else { config.max_attempts };
        self.words(at + slots, stride, config.slots, &mut |index, word| {
            let slot = at + slots + stride * u64::from(index);
            let word = Word(word);
            let what = match word.phase() {
                WRITING => Held::Writing,
                READING => Held::Reading,
                HOLE => Held::Hole,
                FULL => return look.len += 1,
                ORPHAN => {
                    look.len += 1;
                    look.orphans += 1;
                    look.poisoned += u32::from(word.attempt() >= limit);
                    return;
                }
                _ => return,
            };
            // Its length, then the word again.
            let bytes = self.u32(slot + 8).ok().filter(|bytes| *bytes <= config.max_message_bytes);
            if self.u64(slot) != Ok(word.0) {
                return;
            }
            match what {
                Held::Reading => look.reading += 1,
                Held::Writing => look.writing += 1,
                _ => {}
            }
            let bytes = bytes.filter(|_| what == Held::Reading);
            hands(Hand { member: word.owner(), what, index, attempt: word.attempt(), bytes });
        })?;
        look.is_stopped = config.on_death == OnDeath::Stop && look.orphans > 0;
        Ok(look)
    }
}
