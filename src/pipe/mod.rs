//! Pipe: byte messages between two ends, one way or both. Each end is claimed once, by one member; when that
//! one closes it, or dies, the other is told: end of stream to `recv`, behind all that was sent whole, and
//! `BrokenPipe` to `send`.
//!
//! | file | idea |
//! |---|---|
//! | `shared` | the bytes: two end words, one or two ways |
//! | `send`, `recv` | messages, in chunks where they are long |
//! | `poll` | waiting for a message without taking it; event loops |
//!
//! # Memory
//! See `shared`. A *way* is a stream of `ring::stream` from one end to the other; end 0 sends on way 0, end 1 on
//! way 1. A pipe that is not duplex has only way 1: end 0 receives, end 1 sends, as Python's `Pipe(False)`.
//!
//! # States
//! | end word | means | left by |
//! |---|---|---|
//! | 0 | nobody's yet: not closed, whoever sends to it waits when the way is full | `connect` |
//! | OPEN, member | claimed | its holder (close), or recovery |
//! | CLOSED | closed by its holder | nobody: sticky |
//! | DIED | its holder died | nobody: sticky |
//!
//! A message is one record, or several if it is longer than a record can be: the first one's tag is the length of
//! the whole, the others' say how much came before. The receiver gets a message when its last chunk is there.
//!
//! # Invariants
//! 1. Only the member in an end's word writes to the way that the end sends on, and moves the head of the other.
//!    No end is claimed twice, so nothing has to be taken over.
//! 2. `recv` says `Closed` only when the other end's word says so **and then** it could end the stream (see
//!    `ring::stream`), which it cannot if there is a message. So what was sent whole before is read first, and
//!    nothing ever comes behind: not even from a holder that lives but is given up (its thread has ended)
//!    and just sends, whose commit then fails.
//! 3. A chunk that does not go on where the last one ended begins a new message: the one before was given up
//!    by its sender (timed out), and is discarded.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | chunks | as `ring::stream` | as there |
//! | everything that was sent | the closing CAS of the end word, SeqCst | [`Connection::is_peer_closed`]'s Acquire load |
//! | "closed", to sleepers | the same, then `notify_all` | the fence in `EventCount::prepare`, then a load of it |
//!
//! Recovery's CAS to DIED comes after the certain death, so after all that the dead one did. But an end is lost too
//! when the thread that claimed it ends, and another one may be sending with its connection. A light commit is a
//! plain store; so the receiver, having seen DIED, waits out a grace (see `wait`) before it looks for the last
//! time, and the sender looks at its end behind each commit: one of them finds out. Where both commit and end are
//! compare-and-swaps of one word, that word decides.
//!
//! # Crash
//! - killed before the claiming CAS: the end is nobody's still; behind it: DIED.
//! - sender killed between two chunks: the receiver discards what came of that message, then end of stream.
//! - killed between a commit (or a release, or closing) and the wake: sleepers notice at their tick.
//! - receiver killed: what lies in the way is lost with it, as with every pipe. Senders get `BrokenPipe`.
//! - Who recovers: whoever sleeps, before the first sleep and at each tick; an event loop's `recheck`.
//!
//! # Limits
//! Messages of 2^30 bytes, ways of 2^30. An end is as its member: a thread's own membership ends with the thread,
//! and the end with it. A message that a live sender has begun and does not go on with blocks `recv` behind
//! it, up to its deadline.
//!
//! # Checked by
//! `tests/pipe.rs`, `tests/prop_pipe.rs`, `tests/sweep_pipe.rs`, `tests/loom_pipe.rs`.

#[cfg(rialto_loom)]
mod model;
mod poll;
mod recv;
mod send;
mod shared;

#[cfg(not(rialto_loom))]
pub(crate) use send::GOES_ON;
pub use shared::PipeConfig;

use crate::{
    error::{Error, Result},
    member::{Actor, Home, Incarnation, Member, MemberId, Recovered},
    ring::{RawArea, stream},
    sync::{AtomicU32, Ordering::*},
    sys::Platform,
    wait::{Fd, Grace, NO_FD, Signal},
};
use core::ptr::NonNull;
use shared::{Shared, Way, word};

/// A handle to a pipe in a region: [`Pipe::connect`] claims one of its ends. Small, copyable.
pub struct Pipe<'r, H: Home> {
    home: &'r H,
    shared: Shared<'r>,
    actor: Actor,
}

impl<H: Home> Clone for Pipe<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<H: Home> Copy for Pipe<'_, H> {}

impl<'r, H: Home> Pipe<'r, H> {
    /// Formats a pipe in fresh memory.
    ///
    /// # Safety
    /// `at` is 128-aligned; `config.layout()` bytes from it stay mapped and shared for 'r, and nobody
    /// uses them yet.
    pub(crate) unsafe fn format(home: &'r H, at: NonNull<u8>, config: &PipeConfig) -> Result<Self> {
        // SAFETY: the caller's word.
        let shared = unsafe { Shared::format(at, config)? };
        Ok(Pipe { home, shared, actor: Actor::Thread })
    }

    /// Attaches to `size` bytes that claim to be a pipe.
    ///
    /// # Safety
    /// `at` is 128-aligned and `size` bytes from it stay mapped and shared for 'r.
    pub(crate) unsafe fn attach(home: &'r H, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        let shared = unsafe { Shared::attach(at, size)? };
        Ok(Pipe { home, shared, actor: Actor::Thread })
    }

    /// The same pipe, whose ends `member` claims instead of the calling thread's own membership.
    pub fn as_member<'m>(&self, member: &'m Member<'r, H>) -> Pipe<'m, H>
    where
        'r: 'm,
    {
        Pipe { actor: Actor::explicit(member, self.home), ..*self }
    }

    /// Claims end 0 or 1, for good: nobody else can, even when it was closed or its holder died.
    ///
    /// Errors: `Invalid` (no such end), `EndTaken` (claimed before, by whomever), `BadRegion`, those of the
    /// thread's first use of the region, and `NotOwner` (an explicit member that has left). Never blocks. If
    /// we die here, the end is unclaimed or closed.
    pub fn connect(&self, end: usize) -> Result<Connection<'r, H>> {
        let (Some(mine), Some(peer)) = (self.shared.ends.get(end), self.shared.ends.get(end ^ 1)) else {
            return Err(Error::Invalid);
        };
        let id = self.actor.id(self.home)?;
        let ends = Ends { mine, peer, open: word::open(id) };
        let (sends, receives) = (self.shared.way(end), self.shared.way(end ^ 1));
        // The words of a way in use are nobody's but its holder's to follow (invariant 1).
        if mine.load(Relaxed) != word::UNCLAIMED {
            return Err(Error::EndTaken);
        }
        // Before the claim: a damaged pipe must not cost us the end. If somebody claims it meanwhile, we may
        // take what it writes for damage; and our store of the first tail is one that nobody reads any more.
        let writer = sends.as_ref().map(|way| stream::Writer::take_over(way.area)).transpose();
        let reader = receives.as_ref().map(|way| stream::Reader::take_over(way.area)).transpose();
        let (writer, reader) = match (writer, reader) {
            (Ok(writer), Ok(reader)) => (writer, reader),
            // A read-modify-write: what we took for damage may be newer than what a load would say.
            _ => {
                let free = mine.compare_exchange(word::UNCLAIMED, word::UNCLAIMED, AcqRel, Relaxed);
                return Err(if free.is_ok() { Error::BadRegion } else { Error::EndTaken });
            }
        };
        let light = self.home.platform().accept_heavy_fences();
        mine.compare_exchange(word::UNCLAIMED, ends.open, AcqRel, Relaxed).map_err(|_| Error::EndTaken)?;
        let connection = Connection {
            home: self.home,
            ends,
            max_message: self.shared.geometry.max_message,
            sender: sends.zip(writer).map(|(way, writer)| Half {
                way,
                stream: writer.lighten(light),
                fd: NO_FD,
                over: false,
                grace: Grace::default(),
            }),
            receiver: receives.zip(reader).map(|(way, reader)| Half {
                way,
                stream: reader.lighten(light),
                fd: NO_FD,
                over: false,
                grace: Grace::default(),
            }),
            begun: None,
        };
        if self.actor.is_gone(self.home) {
            // The sweep at its end may have been before our claim: then nobody else closes the end.
            drop(connection);
            return Err(Error::NotOwner);
        }
        Ok(connection)
    }

    /// Whether both ways exist. Never changes.
    pub fn is_duplex(&self) -> bool {
        self.shared.geometry.duplex
    }

    /// Bytes of each way, headers of messages included: at least what was asked for. Never changes.
    pub fn ring_bytes(&self) -> usize {
        self.shared.geometry.ring_bytes as usize
    }

    /// The longest message. Never changes.
    pub fn max_message_bytes(&self) -> usize {
        self.shared.geometry.max_message as usize
    }

    /// Whether it was created with these parameters.
    pub(crate) fn has(&self, config: &PipeConfig) -> bool {
        shared::Geometry::new(config) == Ok(self.shared.geometry)
    }

    /// Whether `member` holds an end of this pipe.
    pub(crate) fn holds(&self, member: MemberId) -> bool {
        self.shared.ends.iter().any(|end| end.load(Acquire) == word::open(member))
    }

    /// Whether anybody has an end.
    pub(crate) fn is_in_hand(&self) -> bool {
        self.shared.ends.iter().any(|end| word::is_open(end.load(Acquire)))
    }

    /// Closes the ends of `dead` and wakes everybody. `is_dying` as the member table says it. Idempotent,
    /// several at once. The second value: whether nothing of `dead` is left here.
    pub(crate) fn sweep(&self, dead: Incarnation, is_dying: impl Fn() -> bool) -> (Recovered, bool) {
        let (mut found, mut whole) = (Recovered::default(), true);
        for end in self.shared.ends {
            let open = word::open(dead.id);
            // Acquire: the member word must be read after this. No end is claimed twice, so the CAS takes
            // it from the incarnation that was seen, or fails.
            if end.load(Acquire) != open {
                continue;
            }
            if !is_dying() {
                whole = false;
                break;
            }
            if end.compare_exchange(open, word::DIED, SeqCst, Relaxed).is_ok() {
                found.ends += 1;
            }
        }
        if found.ends > 0 {
            for way in [0, 1].into_iter().filter_map(|end| self.shared.way(end)) {
                way.data.notify_all(self.home.platform(), NO_FD);
                way.space.notify_all(self.home.platform(), NO_FD);
            }
        }
        (found, whole)
    }
}

/// One end of a pipe, claimed. Dropped, it is closed. One thread at a time uses it; it may be moved to another
/// thread, but belongs to the member that claimed it: when that one's thread ends, the end is closed (as soon as
/// somebody notices, see Crash), and all calls here say `NotOwner`.
///
/// A forked child inherits a copy that is not its own: it must neither use nor drop it.
pub struct Connection<'r, H: Home> {
    home: &'r H,
    ends: Ends<'r>,
    max_message: u32,
    sender: Option<Half<'r, stream::Writer<RawArea<'r>>>>,
    receiver: Option<Half<'r, stream::Reader<RawArea<'r>>>>,
    /// What has come of a message, if `recv` ran out of time in it.
    begun: Option<recv::Begun>,
}

/// The words of both ends.
#[derive(Clone, Copy)]
struct Ends<'r> {
    mine: &'r AtomicU32,
    peer: &'r AtomicU32,
    /// What is in ours while it is ours.
    open: u32,
}

impl Ends<'_> {
    /// Errors: `NotOwner`, if we were given up for dead, or the thread that claimed has ended.
    #[inline(always)]
    fn check(self) -> Result<()> {
        if self.mine.load(Relaxed) == self.open { Ok(()) } else { Err(Error::NotOwner) }
    }

    fn has_peer_died(self) -> bool {
        self.peer.load(Relaxed) == word::DIED
    }

    fn is_peer_closed(self) -> bool {
        word::is_closed(self.peer.load(Acquire)) // see Ordering
    }
}

/// What one direction takes.
struct Half<'r, S> {
    way: Way<'r>,
    stream: S,
    /// Signalled by what we do here.
    fd: Fd,
    /// The end of the stream was found: nothing comes behind it.
    over: bool,
    /// The receiver's, since it first found its peer dead and the way empty.
    grace: Grace,
}

impl<H: Home> Connection<'_, H> {
    /// The longest message that can be sent. Never changes.
    pub fn max_message_bytes(&self) -> usize {
        self.max_message as usize
    }

    /// Closes it, as dropping it does: the peer reads what was sent, then end of stream; its sends fail.
    pub fn close(self) {}

    /// Whether the peer's end was closed, or its holder is known to have died. Once true, always true; an end
    /// that nobody has claimed yet is not closed.
    pub fn is_peer_closed(&self) -> bool {
        self.ends.is_peer_closed()
    }

    fn signals(&self) -> impl Iterator<Item = (&Signal, Fd)> {
        let sender = self.sender.as_ref().map(|half| (half.way.data, half.fd));
        let receiver = self.receiver.as_ref().map(|half| (half.way.space, half.fd));
        sender.into_iter().chain(receiver)
    }
}

impl<H: Home> Drop for Connection<'_, H> {
    fn drop(&mut self) {
        let Ends { mine, open, .. } = self.ends;
        if mine.compare_exchange(open, word::CLOSED, SeqCst, Relaxed).is_ok() {
            for (signal, fd) in self.signals() {
                signal.notify_all(self.home.platform(), fd);
            }
        }
    }
}
