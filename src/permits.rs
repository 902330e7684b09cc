//! A semaphore in tracked mode: each permit belongs to the member that holds it, and comes back when that
//! one dies. What Python's `multiprocessing.Semaphore` is used for, and nobody else's survives.
//!
//! `try_acquire` and `release` are lock-free; `acquire` waits. For signalling between different parties
//! there is the plain [`crate::Semaphore`].
//!
//! # Example
//! ```
//! use rialto::{Error, Region, RegionConfig};
//!
//! let region = Region::create_anonymous(1 << 16, &RegionConfig::default())?;
//! let crane = region.create_semaphore("crane", 1)?;
//! std::thread::scope(|scope| {
//!     // A thread (or a process: killed, say) that ends with a permit.
//!     scope.spawn(|| std::mem::forget(crane.acquire()));
//! });
//! let permit = crane.acquire()?; // it came back
//! assert_eq!(crane.try_acquire().err(), Some(Error::WouldBlock));
//! permit.release()?;
//! # Ok::<(), Error>(())
//! ```
//!
//! # Memory
//! An object of a region:
//!
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` "RLTS", set last | creator |
//! | 4 | 4 | `permits`, how many there are: 1..=65536 | creator |
//! | 128 | 4 | `event`, an [`EventCount`] | sleepers, wakers |
//! | 256 | 8 x permits | one word per permit: `generation:36`, `owner:12`, `index:16` | by CAS: taker, holder, recoverer |
//!
//! # States
//! A permit: free (owner 0) -> held (owner: a member) -> free, of the next generation. The word of a held
//! permit is the token that `acquire` gives, and that `release` takes.
//!
//! # Invariants
//! 1. A word changes by CAS only, from what was read; a generation is held at most once. So of a release
//!    and a recovery, or two of either, one succeeds: a permit comes back exactly once.
//! 2. A recoverer asks whether the member is still dying after it has read the word, and before the CAS: see
//!    `member`'s invariant 2.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | what the holder wrote | the releasing CAS, SeqCst | the acquiring CAS, AcqRel |
//! | that there is a permit | the same CAS, then `notify` | sleeper, see `wait` |
//! | who holds it | the acquiring CAS, AcqRel | a recoverer's Acquire load, before it asks the member table |
//!
//! # Crash
//! - acquirer killed before the CAS: nothing; from the CAS on it is a holder.
//! - holder killed: whoever waits here recovers, before its first sleep and at each tick; or
//!   `Region::recover`. The permit is free again, and a sleeper is woken.
//! - releaser killed behind the CAS, a woken sleeper killed before it takes: others asleep find the
//!   permit at their tick.
//!
//! # Limits
//! 65536 permits; a look for a free one walks over those that are taken. It looks at one after the other:
//! `try_acquire` may say `WouldBlock` if others take and give back meanwhile, although at no moment all
//! were taken. A late CAS after exactly 2^36 uses of one permit would be mistaken for an early one.
//!
//! # Checked by
//! `tests/semantics_permits.rs`, `tests/sweep_sync.rs`, `tests/loom_semaphore.rs`, `tests/kill_matrix.rs`.

use crate::{
    error::{Error, Result},
    layout::{CACHE_LINE, Layout, Line, round_up},
    member::{Actor, Home, Incarnation, Member, MemberId, Recovered},
    sync::{AtomicU32, AtomicU64, Ordering::*},
    time::Deadline,
    wait::EventCount,
};
use core::ptr::NonNull;

const MAGIC: u32 = u32::from_le_bytes(*b"RLTS");
/// The most permits that a tracked semaphore can have.
pub const MAX_PERMITS: u32 = 1 << INDEX_BITS;

const INDEX_BITS: u32 = 16;
const OWNER_AT: u32 = 16;
const OWNER_MASK: u64 = 0xfff;
const GENERATION: u64 = 1 << 28;

fn owner(word: u64) -> MemberId {
    (word >> OWNER_AT & OWNER_MASK) as MemberId
}

fn index(word: u64) -> usize {
    (word & (u64::from(MAX_PERMITS) - 1)) as usize
}

fn held_by(free: u64, me: MemberId) -> u64 {
    free | u64::from(me) << OWNER_AT
}

fn freed(held: u64) -> u64 {
    (held & !(OWNER_MASK << OWNER_AT)).wrapping_add(GENERATION)
}

#[repr(C)]
struct Header {
    magic: AtomicU32,
    permits: AtomicU32,
    _line: [AtomicU32; 30],
    event: Line<EventCount>,
}

#[cfg(not(rialto_loom))]
static_assertions::const_assert_eq!(core::mem::offset_of!(Header, event), 128);

const WORDS_OFFSET: u64 = 256;

/// A handle to a tracked semaphore in a region. Small, copyable, usable from every thread; the calling
/// thread's own membership is used (joined on first use), or an explicit one after
/// [`TrackedSemaphore::as_member`].
pub struct TrackedSemaphore<'r, H: Home> {
    home: &'r H,
    event: &'r EventCount,
    words: &'r [AtomicU64],
    actor: Actor,
}

impl<H: Home> Clone for TrackedSemaphore<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<H: Home> Copy for TrackedSemaphore<'_, H> {}

/// A permit in hand. Dropped, it is given back; so it is if the member that acquired it dies or leaves. It
/// may be moved to another thread.
///
/// A forked child inherits a copy that is not its own: it must neither use nor drop it.
#[must_use = "dropping it gives the permit back at once"]
pub struct Permit<'r, H: Home> {
    semaphore: TrackedSemaphore<'r, H>,
    token: u64,
}

impl<H: Home> Permit<'_, H> {
    /// Gives it back. `NotOwner`: the member that acquired it is gone, and so was the permit.
    pub fn release(self) -> Result<()> {
        let (semaphore, token) = (self.semaphore, self.into_token());
        semaphore.release_token(token)
    }

    /// The permit as a number, for [`TrackedSemaphore::release_token`]; never 0.
    pub fn into_token(self) -> u64 {
        let token = self.token;
        core::mem::forget(self);
        token
    }
}

impl<H: Home> Drop for Permit<'_, H> {
    fn drop(&mut self) {
        // It fails if the member is gone: nothing is held then.
        let _ = self.semaphore.release_token(self.token);
    }
}

/// Bytes for `permits` permits. Errors: `Invalid` (0, or more than [`MAX_PERMITS`]).
pub(crate) fn layout(permits: u32) -> Result<Layout> {
    if permits == 0 || permits > MAX_PERMITS {
        return Err(Error::Invalid);
    }
    let size = round_up(WORDS_OFFSET + 8 * u64::from(permits), CACHE_LINE).ok_or(Error::Invalid)?;
    Ok(Layout { size, align: CACHE_LINE })
}

/// Words of free permits, for [`TrackedSemaphore::over`]. Public for models.
#[doc(hidden)]
pub fn format(words: &[AtomicU64]) {
    for (i, word) in words.iter().enumerate() {
        word.store(i as u64, Relaxed);
    }
}

impl<'r, H: Home> TrackedSemaphore<'r, H> {
    /// Makes one of fresh memory.
    ///
    /// # Safety
    /// `at` is 128-aligned; `layout(permits)` bytes from it stay mapped and shared for 'r, and nobody uses
    /// them yet.
    pub(crate) unsafe fn format(home: &'r H, at: NonNull<u8>, permits: u32) -> Result<Self> {
        layout(permits)?;
        // SAFETY: the caller's word; all fields are atomics, so any bytes are valid.
        let header = unsafe { at.cast::<Header>().as_ref() };
        header.magic.store(0, Relaxed);
        header.permits.store(permits, Relaxed);
        header.event.0.reset();
        // SAFETY: the caller's word.
        let semaphore = unsafe { Self::at(home, at, permits) };
        format(semaphore.words);
        header.magic.store(MAGIC, Release);
        Ok(semaphore)
    }

    /// Attaches to `size` bytes that claim to be one.
    ///
    /// # Safety
    /// `at` is 128-aligned and `size` bytes from it stay mapped and shared for 'r.
    pub(crate) unsafe fn attach(home: &'r H, at: NonNull<u8>, size: u64) -> Result<Self> {
        if size < WORDS_OFFSET {
            return Err(Error::BadRegion);
        }
        // SAFETY: the header fits; all fields are atomics, so any bytes are valid.
        let header = unsafe { at.cast::<Header>().as_ref() };
        if header.magic.load(Acquire) != MAGIC {
            return Err(Error::BadRegion);
        }
        let permits = header.permits.load(Relaxed);
        if layout(permits).map_err(|_| Error::BadRegion)?.size > size {
            return Err(Error::BadRegion);
        }
        // SAFETY: so many fit.
        Ok(unsafe { Self::at(home, at, permits) })
    }

    /// # Safety
    /// As [`TrackedSemaphore::format`]; the memory may be used already.
    unsafe fn at(home: &'r H, at: NonNull<u8>, permits: u32) -> Self {
        // SAFETY: the caller's word; atomics, 8-aligned.
        unsafe {
            let first = at.add(WORDS_OFFSET as usize).cast::<AtomicU64>();
            let words = core::slice::from_raw_parts(first.as_ptr(), permits as usize);
            Self::over(home, &at.cast::<Header>().as_ref().event.0, words)
        }
    }

    /// Over its parts, at most [`MAX_PERMITS`] words. Public for models.
    #[doc(hidden)]
    pub fn over(home: &'r H, event: &'r EventCount, words: &'r [AtomicU64]) -> Self {
        TrackedSemaphore { home, event, words, actor: Actor::Thread }
    }

    /// The same semaphore, acting as `member` instead of the calling thread's own membership. A member of
    /// another region (or made with another handle) is refused by what acts as a member, as `Invalid`. In a
    /// forked child the member is still the parent's: do not act as it there.
    pub fn as_member<'m>(&self, member: &'m Member<'r, H>) -> TrackedSemaphore<'m, H>
    where
        'r: 'm,
    {
        TrackedSemaphore { actor: Actor::explicit(member, self.home), ..*self }
    }

    /// Takes a permit, waiting for one for ever.
    ///
    /// Errors: `TooManyMembers` and `TooManyHeld` (on the thread's first use), `NoMemory`; `NotOwner` (the
    /// explicit member is none any more). Blocks; not
    /// async-signal-safe. If we die here, or later with the permit in hand, it comes back within a tick of
    /// somebody's waiting for it.
    pub fn acquire(&self) -> Result<Permit<'r, H>> {
        self.acquire_until(Deadline::NEVER)
    }

    /// As [`TrackedSemaphore::acquire`], but `WouldBlock` instead of waiting.
    pub fn try_acquire(&self) -> Result<Permit<'r, H>> {
        self.acquire_until(Deadline::NOW)
    }

    /// As [`TrackedSemaphore::acquire`], waiting at most `timeout_ns`: then `TimedOut`. 0 polls.
    pub fn acquire_timeout(&self, timeout_ns: u64) -> Result<Permit<'r, H>> {
        self.acquire_until(Deadline::after(self.home.platform(), timeout_ns))
    }

    fn acquire_until(&self, deadline: Deadline) -> Result<Permit<'r, H>> {
        let me = self.actor.id(self.home)?;
        let token = self.home.block(self.event, deadline, || self.take(me))?;
        let permit = Permit { semaphore: *self, token };
        if self.actor.is_gone(self.home) {
            return Err(Error::NotOwner);
        }
        Ok(permit)
    }

    /// The first free permit, looking from a place of our own on: members meet seldom.
    fn take(&self, me: MemberId) -> Result<u64> {
        let from = usize::from(me) % self.words.len();
        for i in (from..self.words.len()).chain(0..from) {
            let word = &self.words[i];
            let free = word.load(Relaxed);
            // An index that is not its own: a peer has scribbled here. Nobody could release it.
            if owner(free) != 0 || index(free) != i {
                continue;
            }
            let token = held_by(free, me);
            if word.compare_exchange(free, token, AcqRel, Relaxed).is_ok() {
                return Ok(token);
            }
        }
        Err(Error::WouldBlock)
    }

    /// Gives back the permit that `token` stands for. Any thread may. Never waits.
    ///
    /// Errors: `NotOwner` (given back already, or its holder died or left), `Invalid` (it cannot be a token of
    /// this semaphore; another's may be taken for one). Async-signal-safe. If we die here, it is given back, now or as a dead one's.
    pub fn release_token(&self, token: u64) -> Result<()> {
        let word = self.words.get(index(token)).ok_or(Error::Invalid)?;
        if owner(token) == 0 {
            return Err(Error::Invalid);
        }
        word.compare_exchange(token, freed(token), SeqCst, Relaxed).map_err(|_| Error::NotOwner)?;
        self.event.notify(self.home.platform());
        Ok(())
    }

    /// Free permits at about this time. Walks over all of them.
    pub fn value(&self) -> u32 {
        self.words.iter().filter(|word| owner(word.load(Relaxed)) == 0).count() as u32
    }

    /// How many permits there are.
    pub fn bound(&self) -> u32 {
        self.words.len() as u32
    }

    /// Whether `member` holds a permit.
    pub(crate) fn holds(&self, member: MemberId) -> bool {
        self.words.iter().any(|word| owner(word.load(Relaxed)) == member)
    }

    /// Whether anybody holds a permit.
    pub(crate) fn is_in_hand(&self) -> bool {
        self.words.iter().any(|word| owner(word.load(Relaxed)) != 0)
    }

    /// Takes the permits of `dead` back and wakes sleepers. `is_dying` as the member table says it.
    /// Idempotent, several at once. The second value: whether nothing of `dead` is left here. Public for
    /// models.
    #[doc(hidden)]
    pub fn sweep(&self, dead: Incarnation, is_dying: impl Fn() -> bool) -> (Recovered, bool) {
        let mut found = Recovered::default();
        for word in self.words {
            let held = word.load(Acquire);
            if owner(held) != dead.id {
                continue;
            }
            if !is_dying() {
                return (found, false); // invariant 2
            }
            if word.compare_exchange(held, freed(held), SeqCst, Relaxed).is_ok() {
                found.permits += 1;
                self.event.notify(self.home.platform());
            }
        }
        (found, true)
    }
}
