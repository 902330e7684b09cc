//! Stream: byte messages from one writer to one reader in memory that the caller provides, without a region, on
//! 32-bit words only: for microcontrollers, for two cores of one chip, for an interrupt and the main loop; and
//! for two processes that need nothing else.
//!
//! What it gives up against [`Spsc`](crate::Spsc): nobody here knows who is alive. A dead party's end stays
//! claimed until somebody who *knows* that it is dead (it has waited for the process; a watchdog has reset the
//! core) takes it over. `try_push`, `try_pop`, reserving, peeking and releasing are wait-free and make no system
//! call but to wake a sleeper; the others wait, through the [`Platform`].
//!
//! | file | idea |
//! |---|---|
//! | `shared` | the bytes |
//! | `end` | who has an end: claim, give back, take over |
//! | `writer`, `reader` | the two ends |
//! | `loans` | a message being written, or in hand, where it lies |
//!
//! # Example
//! ```
//! use rialto::{Error, Stream, StreamConfig};
//!
//! const CONFIG: StreamConfig = StreamConfig::new(8, 32);
//! #[repr(align(64))]
//! struct Memory([u8; 1024]);
//! let mut memory = Memory([0; 1024]); // a static, or a linker section that both cores see
//!
//! assert!(CONFIG.layout()?.size <= 1024);
//! // SAFETY: aligned, long enough, used for nothing else, and alive for longer than the stream.
//! let samples = unsafe { Stream::init(memory.0.as_mut_ptr(), 1024, &CONFIG)? };
//! let mut sensor = samples.writer()?;
//! assert_eq!(samples.writer().err(), Some(Error::EndTaken)); // one at a time
//! sensor.try_push(b"21.5 C")?;
//!
//! let mut display = samples.reader()?;
//! let sample = display.try_peek()?; // in hand, not copied
//! assert_eq!((sample.len(), sample.attempt()), (6, 0));
//! sample.release();
//! # Ok::<(), Error>(())
//! ```
//!
//! # Memory
//! See `shared`, and `ring::stream` for the messages.
//!
//! # States
//! An end: free -> claimed -> free, or claimed by somebody else (taken over). The stream: open -> closed -> ended
//! (closed, and the reader has found nothing more). A message: see `ring::stream`.
//!
//! # Invariants
//! 1. The ring's writer is who has the writer's end, its reader who has the reader's; a handle looks at its end's
//!    word at the beginning of each call and does nothing once it has lost the end.
//! 2. A message is delivered once, or again only with `attempt > 0`, after its reader died or gave it back.
//! 3. After `close` returned, no push that begins later succeeds. A pop says `Closed` only after no push can
//!    succeed any more: it has ended the stream in the place of the next message, by compare-and-swap, and so
//!    are all messages published (nobody is *light* here, see `ring::stream`).
//!
//! # Ordering
//! The ring's and the ends' own, and:
//! | publishes | by | to |
//! |---|---|---|
//! | message, room | the ring, then `notify` | sleeper, see `wait` |
//! | closed | `close`'s SeqCst swap, then `notify_all` | sleeper, see `wait`; all others: SeqCst load |
//! | the header | `magic`, Release in `init` | Acquire in `attach` |
//!
//! # Crash
//! - killed in `init`: `attach` refuses what is left.
//! - writer killed before the commit: nothing has happened. After it, before waking: the sleeper finds the message
//!   at its tick. Who takes the end over goes on behind it.
//! - reader killed with a message in hand: who takes the end over gets it first, `attempt` one higher. Killed
//!   behind the release, before waking: a sleeping writer finds the room at its tick.
//! - claimer or taker-over killed behind its compare-and-swap: the end is claimed, for the next to take over. It has
//!   changed nothing yet, or what it changed is whole.
//! - closer killed before waking: sleepers find the stream closed at their tick.
//! - Nobody is told of a death: who waits for the dead waits for its successor, or until its deadline.
//!
//! # Limits
//! 2^30 bytes of messages. `attempt` ends at 15; there is no limit of redeliveries: who gets a message for the n-th
//! time may drop it by releasing it. One writer and one reader; not re-entrant: an interrupt that may come in the
//! middle of a call must not use the same end. Without an operating system (or a platform of the caller's) a
//! call that waits for ever polls, and one with a deadline does not wait.
//!
//! On a chip whose cores do not see each other's caches, the memory must be uncached.
//!
//! # Checked by
//! `tests/stream.rs`, `tests/prop_stream.rs`, `tests/sweep_stream.rs`, `tests/loom_stream.rs` (the ring and the
//! ends), and on a Cortex-M4 in `.ci/run targets`.

#[doc(hidden)]
pub mod end;
mod loans;
mod reader;
mod shared;
mod writer;

pub use loans::{Peeked, Reserved};
pub use reader::{Popped, StreamReader};
pub use shared::StreamConfig;
pub use writer::StreamWriter;

use crate::{
    error::{Error, Result},
    ring::stream::{self, Reader, Writer},
    sync::Ordering::*,
    sys::{Os, Platform},
};
use core::{marker::PhantomData, ptr::NonNull};
use end::End;
use shared::Shared;

/// A handle to a stream: claims its ends, and looks at it. Small, copyable, usable from every thread. See the
/// module's comment.
#[derive(Clone, Copy)]
pub struct Stream<'m, P: Platform = Os> {
    shared: Shared<'m>,
    platform: P,
    _memory: PhantomData<&'m [u8]>,
}

impl<'m> Stream<'m> {
    /// As [`Stream::init_on`], for the operating system's threads (or none).
    ///
    /// # Safety
    /// As [`Stream::init_on`].
    pub unsafe fn init(memory: *mut u8, len: usize, config: &StreamConfig) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { Self::init_on(Os {}, memory, len, config) }
    }

    /// As [`Stream::attach_on`], for the operating system's threads (or none).
    ///
    /// # Safety
    /// As [`Stream::attach_on`].
    pub unsafe fn attach(memory: *mut u8, len: usize) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { Self::attach_on(Os {}, memory, len) }
    }
}

impl<'m, P: Platform> Stream<'m, P> {
    /// Makes an empty stream in place, whatever was there. If we die half-way, `attach` refuses it.
    ///
    /// Errors: `Invalid` (`config`; null, or not aligned to 64), `NoSpace` (`len` is less than its layout).
    ///
    /// # Safety
    /// `memory` is valid for reads and writes of `len` bytes for `'m`, used as this stream only from here on, and
    /// by nobody as one now.
    pub unsafe fn init_on(platform: P, memory: *mut u8, len: usize, config: &StreamConfig) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe { Self::init_at(platform, memory, len, config, 0) }
    }

    /// As [`Stream::init_on`], the first message at about `first`: tests begin near the end.
    ///
    /// # Safety
    /// As [`Stream::init_on`].
    #[doc(hidden)]
    pub unsafe fn init_at(
        platform: P,
        memory: *mut u8,
        len: usize,
        config: &StreamConfig,
        first: u32,
    ) -> Result<Self> {
        let at = aligned(memory)?;
        // SAFETY: aligned; the rest is the caller's word.
        Ok(Self::over(platform, unsafe { Shared::format(at, len as u64, config, first)? }))
    }

    /// The stream that somebody made at `memory`, of which `len` bytes are there.
    ///
    /// Errors: `Invalid` (null or misaligned), `BadRegion` (no stream, not finished, or longer than `len`),
    /// `Version` (another layout, or features that this build does not know), `WrongKind`.
    ///
    /// # Safety
    /// `memory` is valid for reads and writes of `len` bytes for `'m`. They may be anything, and others may write
    /// them; but if it is a stream, parties that are not hostile use it as one.
    pub unsafe fn attach_on(platform: P, memory: *mut u8, len: usize) -> Result<Self> {
        let at = aligned(memory)?;
        // SAFETY: aligned; the rest is the caller's word.
        Ok(Self::over(platform, unsafe { Shared::attach(at, len as u64)? }))
    }

    fn over(platform: P, shared: Shared<'m>) -> Self {
        Stream { shared, platform, _memory: PhantomData }
    }

    /// Claims the writer's end, until the handle is dropped.
    ///
    /// Errors: `EndTaken` (somebody has it, or died with it), `BadRegion`. Never blocks. If we die with it, it stays
    /// claimed until [`Stream::take_over_writer`].
    pub fn writer(&self) -> Result<StreamWriter<'m, P>> {
        self.write_as(self.writers_end().claim()?)
    }

    /// Claims the writer's end whoever has it, and goes on where that one was killed.
    ///
    /// Errors: `BadRegion`. Never blocks.
    ///
    /// # Safety
    /// Who has the end now is dead: it executes nothing any more; and nobody else claims it or takes it over
    /// meanwhile (if the dead one had given it back, somebody might). Its death happened before this call, as what
    /// tells of it usually makes sure: `waitpid`, joining the thread, the interrupt of the watchdog behind a reset.
    pub unsafe fn take_over_writer(&self) -> Result<StreamWriter<'m, P>> {
        self.write_as(self.writers_end().take_over()?)
    }

    fn write_as(&self, mine: u32) -> Result<StreamWriter<'m, P>> {
        match Writer::take_over(self.shared.area) {
            Ok(writer) => Ok(StreamWriter { stream: *self, mine, writer }),
            Err(refused) => {
                self.writers_end().give_back(mine);
                Err(refused.into())
            }
        }
    }

    /// Claims the reader's end, as [`Stream::writer`].
    pub fn reader(&self) -> Result<StreamReader<'m, P>> {
        self.read_as(self.readers_end().claim()?)
    }

    /// Claims the reader's end whoever has it. What that one had in hand comes first, `attempt` one higher.
    ///
    /// Errors: `BadRegion`. Never blocks.
    ///
    /// # Safety
    /// As [`Stream::take_over_writer`].
    pub unsafe fn take_over_reader(&self) -> Result<StreamReader<'m, P>> {
        self.read_as(self.readers_end().take_over()?)
    }

    fn read_as(&self, mine: u32) -> Result<StreamReader<'m, P>> {
        match Reader::take_over(self.shared.area) {
            Ok(reader) => Ok(StreamReader { stream: *self, mine, reader }),
            Err(refused) => {
                self.readers_end().give_back(mine);
                Err(refused.into())
            }
        }
    }

    #[inline(always)]
    fn writers_end(&self) -> End<'m> {
        End(&self.shared.header.writer.owner)
    }

    #[inline(always)]
    fn readers_end(&self) -> End<'m> {
        End(&self.shared.header.reader.owner)
    }

    /// No more pushes; pops drain what is there, then say `Closed`. Wakes both. Idempotent; async-signal-safe. If
    /// we die here, sleepers notice at their tick.
    pub fn close(&self) {
        let life = &self.shared.header.life;
        life.closed.swap(1, SeqCst);
        life.data.notify_all(self.platform);
        life.space.notify_all(self.platform);
    }

    /// Once true, always true.
    #[inline(always)]
    pub fn is_closed(&self) -> bool {
        self.shared.header.life.closed.load(SeqCst) != 0
    }

    /// Messages that the reader is not through with, that in its hand included. Exact for the reader, and it can
    /// only grow; others' answer is old as soon as it is given (the writer's can only shrink). Walks over all of them.
    pub fn len(&self) -> usize {
        stream::len(self.shared.area) as usize
    }

    /// Whether `len` is 0; as old as that. One look.
    pub fn is_empty(&self) -> bool {
        stream::is_empty(self.shared.area)
    }

    /// Whether there is no room for a message of the largest size. Old as soon as it is returned, but for the
    /// writer: then there can only be more.
    pub fn is_full(&self) -> bool {
        !stream::has_room(self.shared.area, self.shared.geometry.max_message)
    }

    /// How many messages of the largest size fit; of smaller ones, more.
    pub fn capacity(&self) -> usize {
        self.shared.geometry.slots as usize
    }

    /// The longest message, in bytes.
    #[inline(always)]
    pub fn max_message_bytes(&self) -> usize {
        self.shared.geometry.max_message as usize
    }

    /// Bytes that it takes.
    pub fn size_bytes(&self) -> usize {
        self.shared.geometry.size as usize
    }

    /// Ends a stream that nobody will use again: `attach` refuses it from here on. Overwriting it is as good; this
    /// one finds mistakes.
    ///
    /// Errors: `Busy` (somebody has an end).
    pub fn destroy(self) -> Result<()> {
        if self.writers_end().is_claimed() || self.readers_end().is_claimed() {
            return Err(Error::Busy);
        }
        self.shared.header.unmake();
        Ok(())
    }
}

fn aligned(memory: *mut u8) -> Result<NonNull<u8>> {
    NonNull::new(memory).filter(|at| at.addr().get() % shared::ALIGN as usize == 0).ok_or(Error::Invalid)
}
