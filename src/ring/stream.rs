//! A stream of records of any size in one piece of memory, from one writer to one reader; each of them may be
//! killed at any instruction and another one go on in its place. Wait-free, on 32-bit words only.
//!
//! # Memory
//! Positions are offsets in `0..bytes` (a multiple of 16), themselves multiples of 16. Of a record at `p`:
//!
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | p+8 | 4 | `word`: below | writer; the reader, once, at the end |
//! | p+12 | 4 | `tag`: the caller's | writer |
//! | p+16 | len | payload, 16-aligned | writer |
//! | p+round_up(8+len, 16) | | the next record | |
//!
//! A record never wraps. One that ends at `bytes` (its last 8 bytes may lie behind) is followed by the one at 0;
//! one that does not fit is written at 0, and where it would have begun stands SKIP.
//!
//! And two words, on a line each of their owner's:
//! | word | | writer |
//! |---|---|---|
//! | `tail` | where the next record begins, or the one (or the batch) that was committed last; in bit 0 *busy* | writer |
//! | `head` | the first record not released, or the SKIP before it; in the low 4 bits how often it was taken in hand | reader |
//!
//! # States
//! | word | means |
//! |---|---|
//! | 0 | nothing here yet |
//! | 1..=2^30+1 | a record of one byte less |
//! | SKIP, u32::MAX | go on at 0 |
//! | CLOSED, u32::MAX-1 | the end of the stream, for ever |
//!
//! A record: reserved and filled behind the tail, where nobody looks; **committed by one compare-and-swap** of
//! the word at the tail, 0 -> its word; in hand (`head` marked); released (`head` moved). Of a batch, the words
//! of all but the first are stored plainly, and the compare-and-swap of the first commits them all.
//!
//! # Invariants
//! 1. The word at the tail is 0 until the commit: each commit zeroes the word behind what it commits, before.
//!    So one who follows the words from `head`, or from `tail`, ends at the true tail.
//! 2. The tail never reaches the head: `used + skip + record + 16 <= bytes`, and what lies between tail and
//!    head is the writer's. So a stream of `(n+1) * record_bytes(len)` takes n records of `len` at any offset.
//! 3. The word at the tail is changed by compare-and-swap from 0 only: by the writer to commit, or by the reader
//!    to end. So either the reader finds the record, or its commit fails.
//!    A *light* writer stores its word plainly instead: then it is the caller who ends the stream only when no
//!    commit can be under way, see Light.
//! 4. `head` is marked before a record is handed out, and unmarked by the store that releases it. So one that
//!    died with its holder is known, and how many died; and it is never one that nobody had.
//! 5. The cursors of [`Writer`] and [`Reader`] are private. Of what a peer can write, only the words, tags and
//!    `head` are read again, once each, and range-checked. A bad one is [`Refused::Bad`].
//!
//! Who is writer and reader, and when another may go on (not before the one before it is gone), is the
//! caller's. Handing over must order what the one before did before what the next does.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | records, their words and tags, the zero behind | the committing CAS, Release | reader's Acquire load of the word |
//! | that the reader is through with the memory | `head`, each store Release | writer's Acquire load of `head` |
//! | there is a record | the same CAS, SeqCst, then `notify` | a sleeping reader, see `wait` |
//! | there is room | `release`'s store, SeqCst, then `notify` | a sleeping writer, see `wait` |
//!
//! Marking is a Release store too: a writer that reads the mark has missed the release before it, and a later
//! store by the same thread continues no release sequence.
//!
//! # Light
//! A locked operation is most of what a message costs. A writer and a reader whose process accepts heavy fences
//! (see `wait`) do without: commit and release are Release stores, the notify behind them is a light one, and
//! sleepers block heavily. What the compare-and-swap was for besides, the end of the stream, is then made sure of
//! by the side that is in no hurry: a light writer says *busy* in `tail` before it looks at the caller's closed
//! flag; who wants to end, having seen the flag, has a slow fence executed and then looks at `tail`. If that
//! says idle, the writer's next look at the flag comes behind the fence, and its commit never. Light writers and
//! readers, and others, may follow each other and mix.
//!
//! # Crash
//! - writer killed while busy: the bit stays until the next writer; an end that nobody has is not busy.
//! - writer killed before the commit: nothing has happened. What it wrote lies behind the tail.
//! - writer killed behind the commit, before its store of `tail`: the next writer finds the words, and goes past.
//! - reader killed with a record in hand: the next reader gets the same, `attempt` one higher. Killed before the
//!   mark or behind the release, it leaves nothing marked.
//! - reader killed behind its end of the stream: the word says so to the next one.
//!
//! # Limits
//! 2^30 bytes; a record of about half of that ([`max_len`]). 15 marks: `attempt` ends at 15.
//!
//! # Checked by
//! `tests/loom_stream.rs`, `tests/loom_light.rs`, `tests/prop_spsc.rs`, `tests/spsc.rs`.

use crate::{
    error::Error,
    sync::{AtomicU32, Ordering::*, compiler_fence},
};

pub(crate) const EMPTY: u32 = 0;
pub(crate) const SKIP: u32 = u32::MAX;
pub(crate) const CLOSED: u32 = u32::MAX - 1;
/// The low bits of `head`.
pub(crate) const MARKS: u32 = 15;
/// The low bits of `tail`.
const BUSY: u32 = 1;

/// Positions and sizes are multiples of this.
pub const UNIT: u32 = 16;
/// The largest stream.
pub const MAX_BYTES: u32 = 1 << 30;
/// The smallest.
pub const MIN_BYTES: u32 = 2 * UNIT;
/// The largest limit of redeliveries that a caller can keep: one more must still be told.
pub const MAX_REDELIVERIES: u8 = MARKS as u8 - 1;

/// What a stream lies in: in a region, see [`super::RawArea`], or, in models, a `Vec`.
pub trait Area: Copy {
    /// A multiple of [`UNIT`], [`MIN_BYTES`]`..=`[`MAX_BYTES`]; always the same.
    fn bytes(&self) -> u32;
    /// The word of a record at `at`, a multiple of [`UNIT`] below `bytes`.
    fn word(&self, at: u32) -> &AtomicU32;
    /// Its tag.
    fn tag(&self, at: u32) -> &AtomicU32;
    /// The word that is called so.
    fn tail(&self) -> &AtomicU32;
    /// The word that is called so.
    fn head(&self) -> &AtomicU32;
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No room now.
    Full,
    /// No record now.
    Empty,
    /// The reader has ended the stream, and all records were read.
    Ended,
    /// Longer than [`max_len`].
    TooLarge,
    /// A word that no honest party writes.
    Bad,
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Error {
        match refused {
            Refused::Full | Refused::Empty => Error::WouldBlock,
            Refused::Ended => Error::Closed,
            Refused::TooLarge => Error::MessageTooLarge,
            Refused::Bad => Error::BadRegion,
        }
    }
}

/// Bytes from a record of `len` to the next. `len` is at most [`MAX_BYTES`].
#[inline(always)]
pub const fn record_bytes(len: u32) -> u32 {
    debug_assert!(len <= MAX_BYTES);
    (len + 8 + UNIT - 1) & !(UNIT - 1)
}

/// The longest record of a stream of `bytes`: one that fits when all others are read, wherever it begins.
#[inline(always)]
pub const fn max_len(bytes: u32) -> u32 {
    ((bytes / 2) & !(UNIT - 1)).saturating_sub(8)
}

/// Makes an empty stream that begins at `first` (a multiple of [`UNIT`] below `bytes`; 0, but for tests). Only
/// while nobody uses it; whoever makes it known to others publishes this too.
pub fn format(area: impl Area, first: u32) {
    area.word(first).store(EMPTY, Relaxed);
    area.tail().store(first, Relaxed);
    area.head().store(first, Relaxed);
}

/// How many records are not released, that in hand included, at about this time; exact for the reader. Walks
/// them all.
pub fn len(area: impl Area) -> u32 {
    let mut count = 0;
    // While the reader goes on, what it leaves behind may be overwritten under our eyes.
    for _ in 0..3 {
        let head = area.head().load(Acquire);
        count = 0;
        let mut at = head & !MARKS;
        while at < area.bytes() && count < area.bytes() / UNIT {
            let Ok(record) = look_at(&area, at) else { break };
            count += 1;
            at = record.next;
        }
        if area.head().load(Acquire) & !MARKS == head & !MARKS {
            break;
        }
    }
    count
}

/// Whether [`len`] is 0. One look.
pub fn is_empty(area: impl Area) -> bool {
    let head = area.head().load(Acquire) & !MARKS;
    !is_position(&area, head) || look_at(&area, head).is_err()
}

/// Whether a record of `len` would find room at about this time. For others than the writer.
pub fn has_room(area: impl Area, len: u32) -> bool {
    let (tail, head) = (area.tail().load(Acquire) & !BUSY, area.head().load(Acquire) & !MARKS);
    let sane = is_position(&area, tail) && is_position(&area, head) && len <= max_len(area.bytes());
    sane && place(area.bytes(), tail, head, record_bytes(len)).is_some()
}

/// Whether the first record is in hand, or was when its holder died or gave it back.
pub fn is_marked(area: impl Area) -> bool {
    area.head().load(Acquire) & MARKS != 0
}

/// Whether a light writer may be between [`Writer::begin`] and its commit. Behind a slow fence: see Light.
pub fn is_busy(area: impl Area) -> bool {
    area.tail().load(Acquire) & BUSY != 0
}

fn is_position(area: &impl Area, at: u32) -> bool {
    at < area.bytes() && at % UNIT == 0
}

/// Where a record of `size` goes, if it and the word behind it fit between `next` and `head` (invariant 2).
#[inline(always)]
fn place(bytes: u32, next: u32, head: u32, size: u32) -> Option<u32> {
    let before_end = bytes - next;
    let free = if head > next { head - next } else { before_end + head };
    if size <= before_end { (size < free).then_some(next) } else { (before_end + size < free).then_some(0) }
}

/// The record at `at`, or behind the SKIP there.
#[inline(always)]
fn look_at(area: &impl Area, at: u32) -> Result<Record, Refused> {
    let bytes = area.bytes();
    let mut at = at;
    let mut word = area.word(at).load(Acquire); // partner: the committing CAS
    if word == SKIP {
        // It was committed together with the record at 0.
        at = 0;
        word = area.word(0).load(Relaxed);
        if matches!(word, EMPTY | CLOSED | SKIP) {
            return Err(Refused::Bad);
        }
    }
    match word {
        EMPTY => return Err(Refused::Empty),
        CLOSED => return Err(Refused::Ended),
        _ => {}
    }
    let len = word - 1;
    if len > bytes || record_bytes(len) > bytes - at {
        return Err(Refused::Bad);
    }
    let tag = area.tag(at).load(Relaxed);
    Ok(Record { at, len, tag, attempt: 0, next: wrap(bytes, at + record_bytes(len)) })
}

#[inline(always)]
fn wrap(bytes: u32, at: u32) -> u32 {
    if at == bytes { 0 } else { at }
}

/// Room for a record. Good for one [`Writer::prepare`]; forgotten, nothing has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    at: u32,
    len: u32,
}

impl Place {
    /// The record's position: its payload is 16 bytes behind.
    pub fn at(&self) -> u32 {
        self.at
    }
    /// Bytes that the payload may have.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u32 {
        self.len
    }
}

/// The writer's end: whoever has it is the only one.
#[derive(Debug)]
pub struct Writer<A> {
    area: A,
    /// As committed.
    tail: u32,
    /// As seen last.
    head: u32,
    /// Where the next record would begin: the tail, or behind what was prepared.
    next: u32,
    /// What will be committed at the tail; EMPTY: nothing was prepared.
    first: u32,
    /// See Light.
    light: bool,
}

impl<A: Area> Writer<A> {
    /// Goes on where the writer before ended, or was killed: also past what it committed and did not say in
    /// `tail`. `Bad`.
    pub fn take_over(area: A) -> Result<Self, Refused> {
        // Relaxed: handing over orders more than this.
        let mut tail = area.tail().load(Relaxed) & !BUSY;
        if !is_position(&area, tail) {
            return Err(Refused::Bad);
        }
        // A batch has at most so many records (invariant 1).
        for _ in 0..=area.bytes() / UNIT {
            match look_at(&area, tail) {
                Ok(record) => tail = record.next,
                Err(Refused::Bad) => return Err(Refused::Bad),
                Err(_) => {
                    // Killed here: the next one walks again.
                    area.tail().store(tail, Relaxed);
                    let mut writer =
                        Writer { area, tail, head: tail, next: tail, first: EMPTY, light: false };
                    writer.look_at_head()?;
                    return Ok(writer);
                }
            }
        }
        Err(Refused::Bad)
    }

    /// Whether to publish by plain stores from here on: only if this process accepts heavy fences, and all
    /// sleepers have them executed.
    #[must_use]
    pub fn lighten(self, light: bool) -> Self {
        Writer { light, ..self }
    }

    /// As it was told.
    #[inline(always)]
    pub fn is_light(&self) -> bool {
        self.light
    }

    /// Before a look at whatever tells that the stream is to end, and a [`Writer::publish`] (or
    /// [`Writer::rest`]) behind it: see Light.
    #[inline(always)]
    pub fn begin(&mut self) {
        if self.light {
            self.area.tail().store(self.tail | BUSY, Relaxed);
            // The processor's part is the heavy fence's.
            compiler_fence(SeqCst);
        }
    }

    /// Nothing will be published after all.
    pub fn rest(&mut self) {
        if self.light {
            self.area.tail().store(self.tail, Release);
        }
    }

    fn look_at_head(&mut self) -> Result<(), Refused> {
        // Acquire: the reader is through with what lies before.
        let head = self.area.head().load(Acquire) & !MARKS;
        if !is_position(&self.area, head) {
            return Err(Refused::Bad);
        }
        self.head = head;
        Ok(())
    }

    /// Room for a record of up to `len`, behind those prepared. `Full`, `TooLarge`, `Bad`.
    #[inline(always)]
    pub fn reserve(&mut self, len: u32) -> Result<Place, Refused> {
        let bytes = self.area.bytes();
        if len > max_len(bytes) {
            return Err(Refused::TooLarge);
        }
        let size = record_bytes(len);
        if let Some(at) = place(bytes, self.next, self.head, size) {
            return Ok(Place { at, len });
        }
        self.look_at_head()?;
        match place(bytes, self.next, self.head, size) {
            Some(at) => Ok(Place { at, len }),
            None => Err(Refused::Full),
        }
    }

    /// The record at `place`, reserved last and filled by now, is done, with `len` bytes (at most what was
    /// reserved); [`Writer::publish`] commits it, with all prepared before.
    #[inline(always)]
    pub fn prepare(&mut self, place: Place, len: u32, tag: u32) {
        debug_assert!(len <= place.len && (place.at == self.next || place.at == 0));
        let len = len.min(place.len);
        self.area.tag(place.at).store(tag, Relaxed);
        if place.at == self.next {
            self.put(len + 1);
        } else {
            self.area.word(place.at).store(len + 1, Relaxed);
            self.put(SKIP);
        }
        self.next = wrap(self.area.bytes(), place.at + record_bytes(len));
    }

    #[inline(always)]
    fn put(&mut self, word: u32) {
        if self.first == EMPTY {
            self.first = word;
        } else {
            self.area.word(self.next).store(word, Relaxed); // published by the commit
        }
    }

    /// Commits what was prepared, all at once. `Ended`: the reader has ended the stream, nothing was
    /// committed; `Bad`. The caller then notifies.
    #[inline(always)]
    pub fn publish(&mut self) -> Result<(), Refused> {
        if self.first == EMPTY {
            return Ok(());
        }
        self.area.word(self.next).store(EMPTY, Relaxed); // invariant 1
        if self.light {
            // Release: everything above. Partner: the heavy fence of who sleeps, or ends the stream.
            self.area.word(self.tail).store(self.first, Release);
            self.committed();
            return Ok(());
        }
        // Release: everything above. SeqCst: partner is the sleeper's fence, see Ordering.
        match self.area.word(self.tail).compare_exchange(EMPTY, self.first, SeqCst, Relaxed) {
            Ok(_) => {
                self.committed();
                Ok(())
            }
            Err(now) => {
                self.forget();
                Err(if now == CLOSED { Refused::Ended } else { Refused::Bad })
            }
        }
    }

    #[inline(always)]
    fn committed(&mut self) {
        self.tail = self.next;
        self.first = EMPTY;
        // For who takes over. Release: idle only behind the commit.
        self.area.tail().store(self.tail, Release);
    }

    /// Prepares and publishes one record.
    #[inline(always)]
    pub fn commit(&mut self, place: Place, len: u32, tag: u32) -> Result<(), Refused> {
        self.prepare(place, len, tag);
        self.publish()
    }

    /// Forgets what was prepared and not published.
    pub fn forget(&mut self) {
        self.next = self.tail;
        self.first = EMPTY;
    }

    /// Whether something is prepared and not published.
    pub fn has_prepared(&self) -> bool {
        self.first != EMPTY
    }

    /// Whether `reserve(len)` would succeed, or fail for another reason than want of room.
    pub fn has_room(&mut self, len: u32) -> bool {
        self.reserve(len) != Err(Refused::Full)
    }

    /// Whether the reader has released everything that was published.
    pub fn is_drained(&mut self) -> Result<bool, Refused> {
        self.look_at_head()?;
        Ok(self.head == self.tail)
    }

    /// Whether the reader has ended the stream. A commit finds out, too.
    pub fn is_ended(&self) -> bool {
        self.area.word(self.tail).load(Relaxed) == CLOSED
    }

    /// What it writes to.
    pub fn area(&self) -> A {
        self.area
    }
}

/// A record that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    at: u32,
    len: u32,
    tag: u32,
    attempt: u8,
    next: u32,
}

impl Record {
    /// Its position: its payload is 16 bytes behind.
    pub fn at(&self) -> u32 {
        self.at
    }
    /// Bytes of its payload, which lies in the stream whatever a peer writes.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u32 {
        self.len
    }
    /// The writer's.
    pub fn tag(&self) -> u32 {
        self.tag
    }
    /// How often it was in hand and not released.
    pub fn attempt(&self) -> u8 {
        self.attempt
    }
}

/// The reader's end: whoever has it is the only one.
#[derive(Debug)]
pub struct Reader<A> {
    area: A,
    head: u32,
    /// How often the record at the head was in hand.
    marks: u32,
    /// See Light.
    light: bool,
}

impl<A: Area> Reader<A> {
    /// Goes on where the reader before ended, or was killed. `Bad`.
    pub fn take_over(area: A) -> Result<Self, Refused> {
        let word = area.head().load(Relaxed); // as in `Writer::take_over`
        let head = word & !MARKS;
        if !is_position(&area, head) {
            return Err(Refused::Bad);
        }
        Ok(Reader { area, head, marks: word & MARKS, light: false })
    }

    /// As [`Writer::lighten`].
    #[must_use]
    pub fn lighten(self, light: bool) -> Self {
        Reader { light, ..self }
    }

    /// As it was told.
    #[inline(always)]
    pub fn is_light(&self) -> bool {
        self.light
    }

    /// The next record, not in hand by this. `Empty`, `Ended`, `Bad`.
    #[inline(always)]
    pub fn look(&self) -> Result<Record, Refused> {
        let record = look_at(&self.area, self.head)?;
        Ok(Record { attempt: self.marks as u8, ..record })
    }

    /// The record behind `record`, which [`Reader::look`] or this found, and which is not released yet.
    #[inline(always)]
    pub fn look_behind(&self, record: &Record) -> Result<Record, Refused> {
        look_at(&self.area, record.next)
    }

    /// Takes the next record, that `look` found, in hand: whoever finds it unreleased is told. Not to release it
    /// gives it back, marked. Frees nothing, not even what was skipped before it: a sleeping writer is not told.
    #[inline(always)]
    pub fn hold(&mut self, record: &Record) {
        debug_assert!(u32::from(record.attempt) == self.marks);
        self.marks = (self.marks + 1).min(MARKS);
        self.area.head().store(self.head | self.marks, Release); // see Ordering
    }

    /// `look` and `hold`.
    #[inline(always)]
    pub fn claim(&mut self) -> Result<Record, Refused> {
        let record = self.look()?;
        self.hold(&record);
        Ok(record)
    }

    /// Done with `record`, and all before it: the writer may have the memory. The caller then notifies.
    #[inline(always)]
    pub fn release(&mut self, record: &Record) {
        self.head = record.next;
        self.marks = 0;
        // Release: who writes next must not overtake our reading. SeqCst: partner is the sleeper's fence.
        self.area.head().store(self.head, if self.light { Release } else { SeqCst });
    }

    /// Ends the stream if there is no record; false if there is one. After true no commit succeeds.
    #[cold]
    pub fn end(&mut self) -> bool {
        // Relaxed: nothing is handed over (invariant 3).
        match self.area.word(self.head).compare_exchange(EMPTY, CLOSED, Relaxed, Relaxed) {
            Ok(_) => true,
            Err(now) => now == CLOSED,
        }
    }

    /// How many records are not released. Walks them.
    pub fn count(&self) -> u32 {
        len(self.area)
    }

    /// What it reads from.
    pub fn area(&self) -> A {
        self.area
    }
}
