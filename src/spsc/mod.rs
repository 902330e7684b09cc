//! Spsc: a queue of byte messages from one producer to one consumer. What it gives up against `Queue` is having
//! several of each; what it gains: the fastest path there is here, messages that take no more room than they
//! need, and batches that appear all at once. Each end is claimed by one member at a time; when that one dies,
//! somebody else claims it and goes on where it was.
//!
//! | file | idea |
//! |---|---|
//! | `shared` | the bytes |
//! | `ends` | the owner words: claim, give back, sweep |
//! | `producer`, `reserved` | producing: copies and batches; loans |
//! | `consumer`, `peeked` | consuming: copies and batches; loans |
//!
//! # Example
//! ```
//! use rialto::{Error, Region, RegionConfig, SpscConfig};
//!
//! let region = Region::create_anonymous(1 << 16, &RegionConfig::default())?;
//! let frames = region.create_spsc("frames", &SpscConfig::new(16, 1024))?;
//! let mut camera = frames.producer()?;
//! assert_eq!(frames.producer().err(), Some(Error::EndTaken)); // one at a time
//! camera.push(b"picture")?;
//!
//! let mut viewer = frames.consumer()?;
//! let picture = viewer.peek()?; // in hand, not copied
//! assert_eq!(picture.len(), 7);
//! picture.release();
//! # Ok::<(), Error>(())
//! ```
//!
//! # Memory
//! See `shared`, and `ring::stream` for the messages.
//!
//! # States
//! An end: free -> claimed -> free (given back, or its owner swept). The queue: open -> closed -> ended (closed,
//! and the consumer has found nothing more). A message: see `ring::stream`.
//!
//! # Invariants
//! 1. The stream's writer is who has the producer's end, its reader who has the consumer's; a handle looks at
//!    its owner word at the beginning of each call and does nothing once it has lost the end. This and the
//!    closed flag are all that a call reads besides the record: the word is on the owner's own line, and no
//!    thread-local is asked.
//! 2. A message is delivered once, or again only with `attempt > 0`, after its holder died or gave it back.
//! 3. After `close` returned, no push that begins later succeeds. A pop says `Closed` only after no push can
//!    succeed any more: it has ended the stream (see there) in the place of the next message.
//!
//! # Ordering
//! The stream's and the ends' own, and:
//! | publishes | by | to |
//! |---|---|---|
//! | message, room | the stream, then `notify`, both light where the process accepts heavy fences | sleeper, see `wait` |
//! | closed | `close`'s SeqCst swap, then `notify` | sleeper, see `wait`; all others: Acquire load |
//! | a push is under way | a light producer's *busy*, then its look at closed | the consumer's look at closed, slow fence, *busy* |
//! | nobody can push | the consumer's SeqCst look at closed, then at the producer's end: free | a later claim, SeqCst, then a SeqCst look at closed |
//! | an end is free | giving back or sweeping, SeqCst, then `notify` | who waits for it, see `wait` |
//!
//! # Crash
//! - producer killed before the commit: the message was in its hand. After it, before waking: the sleeper
//!   finds it at its tick. The next producer goes on behind it.
//! - consumer killed with a message in hand: see [`OnDeath`]; under `Redeliver` the next consumer gets it
//!   first, `attempt` one higher. Killed after the release: a sleeping producer finds the room at its tick.
//! - claimer killed behind its claim: as an owner. It has changed nothing yet, or what it changed is whole.
//! - who drops a message (`OnDeath::Drop`) killed before it counts: one less is counted.
//! - closer killed before waking: sleepers find the queue closed at their tick.
//! - Who recovers: who claims an end that is taken, any blocked caller before its first sleep and at each
//!   tick, `Region::recover`.
//!
//! # Limits
//! A stream of 2^30 bytes. 14 redeliveries. A queue whose consumer died stays as it is until somebody claims
//! the end: nobody is told; so with the producer.
//!
//! A handle may move to another thread, but the end is the member's that claimed it. If that is a thread's own
//! membership and the thread ends, the end is free for others and the handle says `NotOwner`; but a call that is
//! under way in that moment may damage the stream for good (messages lost or repeated, `BadRegion`, an end
//! that does not come). Claim as a `Member` that outlives it, or in the thread that uses it. A message that was
//! given back and not taken again before a consumer died counts as one that died with it.
//!
//! A producer that is *stopped* inside a push withholds the end of a closed stream until it goes on or dies. To
//! find that end takes a fence of up to some tens of milliseconds, once, unless the producer's end is free; and so
//! may the first claim of an end in a process.
//!
//! # Checked by
//! `tests/spsc.rs`, `tests/prop_spsc.rs`, `tests/sweep_spsc.rs`, `tests/loom_stream.rs`, `tests/loom_light.rs`.

mod consumer;
#[doc(hidden)]
pub mod ends;
#[cfg(rialto_loom)]
mod model;
mod peeked;
mod producer;
mod reserved;
mod shared;

pub use crate::ring::OnDeath;
/// What a loan is inside, for the C views, which keep it apart from the end.
#[cfg(all(feature = "capi", target_os = "linux", not(rialto_loom)))]
pub(crate) use crate::ring::stream::{Place, Record};
pub use consumer::{Consumer, Popped};
pub use peeked::Peeked;
pub use producer::Producer;
pub use reserved::Reserved;
pub use shared::SpscConfig;

use crate::{
    error::{Error, Result},
    member::{Actor, Depth, Home, Incarnation, Member, MemberId, Recovered},
    ring::stream::{self, Reader, Writer},
    sync::{self, Ordering::*},
    sys::Platform,
    time::Deadline,
    wait::{Fd, Grace, NO_FD},
};
use core::ptr::NonNull;
use ends::{Claimed, End, Swept};
use shared::Shared;

/// A handle to an SPSC queue in a region: claims its ends, and looks at it. Small, copyable, usable from every
/// thread; the calling thread's own membership is used (joined on first use), or an explicit one after
/// [`Spsc::as_member`].
pub struct Spsc<'r, H: Home> {
    home: &'r H,
    shared: Shared<'r>,
    actor: Actor,
    data_fd: Fd,
    space_fd: Fd,
}

impl<H: Home> Clone for Spsc<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<H: Home> Copy for Spsc<'_, H> {}

impl<'r, H: Home> Spsc<'r, H> {
    /// Formats a queue in fresh memory, its stream beginning at about `first`.
    ///
    /// # Safety
    /// `at` is 128-aligned; `config.layout()` bytes from it stay mapped and shared for 'r, and nobody
    /// uses them yet.
    pub(crate) unsafe fn format(
        home: &'r H,
        at: NonNull<u8>,
        config: &SpscConfig,
        first: u32,
    ) -> Result<Self> {
        // SAFETY: the caller's word.
        Ok(Self::over(home, unsafe { Shared::format(at, config, first)? }))
    }

    /// Attaches to `size` bytes that claim to be a queue.
    ///
    /// # Safety
    /// `at` is 128-aligned and `size` bytes from it stay mapped and shared for 'r.
    pub(crate) unsafe fn attach(home: &'r H, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        Ok(Self::over(home, unsafe { Shared::attach(at, size)? }))
    }

    fn over(home: &'r H, shared: Shared<'r>) -> Self {
        Spsc { home, shared, actor: Actor::Thread, data_fd: NO_FD, space_fd: NO_FD }
    }

    /// The same queue, whose ends are then claimed for `member` instead of the calling thread's own membership.
    /// A member of another region (or made with another handle) is refused, as `Invalid`.
    pub fn as_member<'m>(&self, member: &'m Member<'r, H>) -> Spsc<'m, H>
    where
        'r: 'm,
    {
        Spsc { actor: Actor::explicit(member, self.home), ..*self }
    }

    /// The same queue; this handle, and the ends claimed with it, signal `fd` when they push or close, if
    /// somebody has armed for data ([`Consumer::arm_data`]). `fd` is not closed, and must stay what it is;
    /// if it is closed, nothing is signalled. How event loops go, says `queue::poll`'s comment.
    #[must_use]
    pub fn with_data_fd(&self, fd: Fd) -> Self {
        Spsc { data_fd: fd, ..*self }
    }

    /// As [`Spsc::with_data_fd`], when they release or close, if somebody has armed for room
    /// ([`Producer::arm_space`]).
    #[must_use]
    pub fn with_space_fd(&self, fd: Fd) -> Self {
        Spsc { space_fd: fd, ..*self }
    }

    /// Claims the producer's end, until the handle is dropped or the member gone.
    ///
    /// Errors: `EndTaken` if a living member has it (the marked dead are recovered), `BadRegion`,
    /// `TooManyMembers` and `TooManyHeld` (on the thread's first use). Never blocks.
    pub fn producer(&self) -> Result<Producer<'r, H>> {
        self.claim_now(|| self.claim_producer())
    }

    /// As [`Spsc::producer`], waiting at most `timeout_ns` until it is free: then `TimedOut`. Whoever waits,
    /// recovers the dead. 0 polls: `EndTaken`.
    pub fn producer_timeout(&self, timeout_ns: u64) -> Result<Producer<'r, H>> {
        self.claim_until(timeout_ns, || self.claim_producer())
    }

    /// Claims the consumer's end, as [`Spsc::producer`]. What the one before had in hand is seen to: see
    /// [`OnDeath`].
    pub fn consumer(&self) -> Result<Consumer<'r, H>> {
        self.claim_now(|| self.claim_consumer())
    }

    /// As [`Spsc::consumer`], waiting as [`Spsc::producer_timeout`].
    pub fn consumer_timeout(&self, timeout_ns: u64) -> Result<Consumer<'r, H>> {
        self.claim_until(timeout_ns, || self.claim_consumer())
    }

    /// How often an event loop rechecks.
    pub fn tick_ns(&self) -> u64 {
        self.home.tick_ns()
    }

    fn claim_now<T>(&self, once: impl Fn() -> Result<T>) -> Result<T> {
        match once() {
            Err(Error::EndTaken) => {
                self.home.recover_until(Depth::Marked, Deadline::NEVER);
                once()
            }
            other => other,
        }
    }

    fn claim_until<T>(&self, timeout_ns: u64, once: impl Fn() -> Result<T>) -> Result<T> {
        let deadline = Deadline::after(self.home.platform(), timeout_ns);
        if deadline == Deadline::NOW {
            return self.claim_now(once);
        }
        self.home.block(&self.shared.header.life.0.ends, deadline, || match once() {
            Err(Error::EndTaken) => Err(Error::WouldBlock),
            other => other,
        })
    }

    fn claim(&self, end: End<'_>) -> Result<Claimed> {
        let claimed = end.claim(self.actor.id(self.home)?)?;
        if self.actor.is_gone(self.home) {
            self.give_back(end, claimed);
            return Err(Error::NotOwner);
        }
        Ok(claimed)
    }

    fn claim_producer(&self) -> Result<Producer<'r, H>> {
        let end = self.producers_end();
        let claimed = self.claim(end)?;
        match Writer::take_over(self.shared.area) {
            Ok(writer) => {
                let light = self.home.platform().accept_heavy_fences();
                sync::model_fence(); // for the SeqCst claim, and the SeqCst looks at closed that follow
                if self.is_closed() {
                    // Who ends the stream may be waiting for the one before, who died in a push.
                    sync::fence(SeqCst);
                    self.shared.header.data.0.notify_all(self.home.platform(), self.data_fd);
                }
                Ok(Producer { spsc: *self, mine: claimed.mine, writer: writer.lighten(light) })
            }
            Err(refused) => {
                self.give_back(end, claimed);
                Err(refused.into())
            }
        }
    }

    fn claim_consumer(&self) -> Result<Consumer<'r, H>> {
        let end = self.consumers_end();
        let claimed = self.claim(end)?;
        match Reader::take_over(self.shared.area) {
            Ok(reader) => {
                let light = self.home.platform().accept_heavy_fences();
                let reader = reader.lighten(light);
                let mut consumer =
                    Consumer { spsc: *self, mine: claimed.mine, reader, grace: Grace::default() };
                if claimed.died && self.shared.geometry.on_death == OnDeath::Drop {
                    consumer.drop_marked()?;
                }
                Ok(consumer)
            }
            Err(refused) => {
                self.give_back(end, claimed);
                Err(refused.into())
            }
        }
    }

    fn give_back(&self, end: End<'_>, claimed: Claimed) {
        if end.give_back(claimed) {
            self.shared.header.life.0.ends.notify_all(self.home.platform());
        }
    }

    fn producers_end(&self) -> End<'r> {
        End(&self.shared.header.producer.0.owner)
    }

    fn consumers_end(&self) -> End<'r> {
        End(&self.shared.header.consumer.0.owner)
    }

    #[inline(always)]
    fn notify_data(&self, light: bool) {
        self.shared.header.data.0.notify_if_light(self.home.platform(), self.data_fd, light);
    }

    #[inline(always)]
    fn notify_space(&self, light: bool) {
        self.shared.header.space.0.notify_if_light(self.home.platform(), self.space_fd, light);
    }

    /// No more pushes; pops drain what is there, then say `Closed`. Wakes everybody. Idempotent;
    /// async-signal-safe. If we die here, sleepers notice at their tick.
    pub fn close(&self) {
        let header = self.shared.header;
        header.life.0.closed.swap(1, SeqCst);
        header.data.0.notify_all(self.home.platform(), self.data_fd);
        header.space.0.notify_all(self.home.platform(), self.space_fd);
    }

    /// Once true, always true.
    pub fn is_closed(&self) -> bool {
        self.shared.header.life.0.closed.load(Acquire) != 0
    }

    /// Messages that the consumer is not through with, that in its hand included. Exact for the consumer, and it
    /// can only grow; others' answer is old as soon as it is given (the producer's can only shrink). Walks over
    /// all messages.
    pub fn len(&self) -> usize {
        stream::len(self.shared.area) as usize
    }

    /// Whether `len` is 0; as old as that. One look.
    pub fn is_empty(&self) -> bool {
        stream::is_empty(self.shared.area)
    }

    /// Whether there is no room for a message of the largest size. Old as soon as it is returned, but for the
    /// producer: then there can only be more.
    pub fn is_full(&self) -> bool {
        !stream::has_room(self.shared.area, self.shared.geometry.max_message)
    }

    /// How many messages of the largest size fit; of smaller ones, more.
    pub fn capacity(&self) -> usize {
        self.shared.geometry.slots as usize
    }

    /// The longest message, in bytes.
    #[inline]
    pub fn max_message_bytes(&self) -> usize {
        self.shared.geometry.max_message as usize
    }

    /// Whether these are the parameters that it was created with.
    pub(crate) fn has(&self, config: &SpscConfig) -> bool {
        shared::Geometry::new(config).is_ok_and(|geometry| geometry == self.shared.geometry)
    }

    /// Messages that were given up, under [`OnDeath::Drop`].
    pub fn dropped(&self) -> u64 {
        u64::from(self.shared.header.consumer.0.dropped.load(Relaxed))
    }

    /// Whether `member` has one of the ends.
    pub(crate) fn holds(&self, member: MemberId) -> bool {
        self.producers_end().is_held_by(member) || self.consumers_end().is_held_by(member)
    }

    /// Whether anybody has an end.
    pub(crate) fn is_in_hand(&self) -> bool {
        self.producers_end().is_held() || self.consumers_end().is_held()
    }

    /// Takes the ends from `dead` and wakes everybody. `is_dying` as the member table says it. Idempotent,
    /// several at once. The second value: whether nothing of `dead` is left here, as far as this call can
    /// vouch for it.
    pub(crate) fn sweep(&self, dead: Incarnation, is_dying: impl Fn() -> bool) -> (Recovered, bool) {
        let producer = self.producers_end().sweep(dead.id, &is_dying);
        let consumer = self.consumers_end().sweep(dead.id, &is_dying);
        if producer == Swept::Freed || consumer == Swept::Freed {
            // Those too who sleep with a handle that has lost its end.
            let (header, platform) = (self.shared.header, self.home.platform());
            header.life.0.ends.notify_all(platform);
            header.data.0.notify_all(platform, NO_FD);
            header.space.0.notify_all(platform, NO_FD);
        }
        let ends = [producer, consumer].iter().filter(|swept| **swept == Swept::Freed).count();
        let mut found = Recovered { ends: ends as u32, ..Recovered::default() };
        let redelivers = self.shared.geometry.on_death != OnDeath::Drop;
        if consumer == Swept::Freed && redelivers && stream::is_marked(self.shared.area) {
            found.redelivered = 1;
        }
        (found, producer != Swept::Unknown && consumer != Swept::Unknown)
    }
}
