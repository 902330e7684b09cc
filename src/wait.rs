//! Eventcount: the one place that sleeps and wakes. Publish-then-[`EventCount::notify`] on one side;
//! [`EventCount::prepare`], look again, [`EventCount::wait`] on the other.
//!
//! # Memory
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `word`: bit 0 "maybe a sleeper", bits 1.. a generation | sleepers, wakers |
//!
//! Four bytes: whoever has one in a contended place gives it a [`crate::layout::Line`] of its own.
//!
//! [`Signal`] is two of them, 8 bytes: one that threads sleep on, one for event loops, which sleep on a file
//! descriptor that every process has a number of its own for.
//!
//! # States
//! *quiet* (bit clear): a notify is one load. *maybe a sleeper* (bit set): a notify bumps the
//! generation and wakes as many as it was told; it clears the bit only if the kernel woke fewer and the
//! word did not change meanwhile.
//!
//! # Invariants
//! 1. A sleeper sleeps only on the value that its own `prepare` stored.
//! 2. The bit is set before a sleeper looks for the last time at what it waits for.
//! 3. Nobody counts sleepers: a sleeper that is killed leaves one wasted wake behind, nothing else.
//!
//! # Ordering
//! Each side writes one thing and then reads the other's (Dekker), so acquire/release is not enough.
//!
//! | side | writes | then reads | made total by |
//! |---|---|---|---|
//! | notifier | what it publishes (by a SeqCst RMW, see [`EventCount::notify`]) | `word` SeqCst | the SeqCst order |
//! | sleeper | `word` (RMW in `prepare`) | what is published, any load | `fence(SeqCst)` in `prepare` |
//!
//! If the sleeper misses the publication, its fence precedes the publishing RMW in the SeqCst order,
//! hence its word precedes the notifier's load of `word`, which sees the bit. The fence is on the
//! side that is about to sleep; the fast side pays nothing on x86-64 and a `casal; ldar` on arm64.
//!
//! *Light* notifiers publish by a plain Release store, and so pay for no fence at all; their sleepers
//! block for them ([`Notifiers::Light`]), and their [`Platform::heavy_fence`] stands for both fences: if the sleeper's
//! look misses the store, the notifier's load comes after the fence that it was made to execute, and sees
//! the bit. The fence may have holes (`sys::linux` tells of one), so the first sleep behind a bit that was not
//! set before lasts a millisecond at most: after that whoever stores sees the bit. A sleeper whose platform
//! refuses looks again every millisecond.
//!
//! # Crash
//! - notifier killed between publishing and waking, or a woken sleeper killed before it acts: the
//!   others sleep on although there is work, until their tick (the region's, usually [`crate::time::TICK_NS`]).
//! - sleeper killed after `prepare`: the bit stays; the next notify wakes nobody and clears it.
//! - mover killed in [`EventCount::notify_all_onto`]: as a notifier. What it moved sleeps elsewhere, with
//!   its deadlines.
//!
//! # Limits
//! The generation has 31 bits. A sleeper preempted between `prepare` and `wait` for exactly 2^31
//! transitions would sleep through a wake, until its tick.
//!
//! # Checked by
//! `tests/loom_wait.rs`, `tests/loom_light.rs` (light notifiers), `tests/sweep_queue.rs` and `sweep_sync.rs` (with sleepers), `tests/timeouts_sync.rs`.

use crate::{
    error::{Error, Result},
    sync::{self, AtomicU32, Ordering::*},
    sys::{Platform, Waited},
    time::Deadline,
};

/// A count that includes everybody.
pub const EVERYBODY: u32 = i32::MAX as u32;
const MAYBE_SLEEPER: u32 = 1;
const GENERATION: u32 = 2;
/// Far more than honest contention needs; only a hostile writer gets here.
const PREPARE_TRIES: u32 = 1000;
/// How long a sleeper sleeps that light notifiers may overlook.
const UNFENCED_NS: u64 = 1_000_000;
/// How often a move is tried that others' going to sleep gets in the way of.
const MOVE_TRIES: u32 = 3;

/// See the module's comment. All-zero is a valid quiet state.
#[repr(C)]
#[derive(Debug)]
pub struct EventCount {
    word: AtomicU32,
}

/// Whom a sleeper expects to be woken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notifiers {
    /// They publish as [`EventCount::notify`] asks.
    Fenced,
    /// Some of them are light: see Ordering.
    Light,
}

/// What [`EventCount::prepare`] saw; good for one [`EventCount::wait`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Ticket {
    word: u32,
    /// Before, nobody may have slept: light notifiers may not have seen the bit yet.
    is_first: bool,
}

macro_rules! new_event_count {
    ($($const:tt)?) => {
        /// With nobody asleep.
        #[allow(clippy::new_without_default)]
        pub $($const)? fn new() -> Self {
            EventCount { word: AtomicU32::new(0) }
        }
    };
}

impl EventCount {
    // loom's atomics cannot be made in a constant.
    #[cfg(not(rialto_loom))]
    new_event_count!(const);
    #[cfg(rialto_loom)]
    new_event_count!();

    /// Wakes one sleeper, if there may be any. The caller must have published by a **SeqCst**
    /// read-modify-write before (see Ordering). One load when nobody sleeps. Async-signal-safe.
    #[inline]
    pub fn notify(&self, platform: impl Platform) {
        self.notify_many(platform, 1);
    }

    /// As [`EventCount::notify`], by a notifier that has published by a **Release** store only, in a process
    /// that accepts heavy fences, to sleepers that all block for [`Notifiers::Light`].
    #[inline]
    pub fn notify_light(&self, platform: impl Platform) {
        sync::compiler_fence(SeqCst); // partner: the sleeper's heavy fence, see Ordering
        if self.word.load(SeqCst) & MAYBE_SLEEPER != 0 {
            self.wake(platform, 1);
        }
    }

    /// Wakes everybody, if there may be anybody. As [`EventCount::notify`].
    pub fn notify_all(&self, platform: impl Platform) {
        self.notify_many(platform, EVERYBODY);
    }

    /// As [`EventCount::notify_all`], if there may be anybody and `worth_it` says so then.
    #[inline]
    pub fn notify_all_if(&self, platform: impl Platform, worth_it: impl FnOnce() -> bool) {
        sync::model_fence();
        if self.word.load(SeqCst) & MAYBE_SLEEPER != 0 && worth_it() {
            self.wake(platform, EVERYBODY);
        }
    }

    /// Wakes at most `count` sleepers. As [`EventCount::notify`].
    #[inline]
    pub fn notify_many(&self, platform: impl Platform, count: u32) {
        self.notify_so_many(platform, || count);
    }

    /// Wakes at most `count()` sleepers, which is asked only if there may be any. As [`EventCount::notify`].
    #[inline]
    pub fn notify_so_many(&self, platform: impl Platform, count: impl FnOnce() -> u32) {
        sync::model_fence();
        if self.word.load(SeqCst) & MAYBE_SLEEPER != 0 {
            self.wake(platform, count());
        }
    }

    /// As [`EventCount::notify_all`], but wakes at most `wake()` of them; the others sleep on at `to`, where
    /// each is woken when whoever uses that word wakes it. Everybody at once, where the kernel cannot.
    #[inline]
    pub fn notify_all_onto<P: Platform>(&self, platform: P, to: &AtomicU32, wake: impl FnOnce() -> u32) {
        sync::model_fence();
        if self.word.load(SeqCst) & MAYBE_SLEEPER != 0 {
            self.wake_onto(platform, to, wake());
        }
    }

    #[cold]
    #[inline(never)]
    fn wake_onto<P: Platform>(&self, platform: P, to: &AtomicU32, wake: u32) {
        for _ in 0..MOVE_TRIES {
            // As in `wake`. If somebody prepares before the move, the kernel refuses it.
            let word = self.word.fetch_add(GENERATION, SeqCst).wrapping_add(GENERATION);
            if platform.requeue(&self.word, word, to, wake) {
                let _ = self.word.compare_exchange(word, word & !MAYBE_SLEEPER, Relaxed, Relaxed);
                return;
            }
        }
        self.wake(platform, EVERYBODY);
    }

    #[cold]
    #[inline(never)]
    fn wake(&self, platform: impl Platform, count: u32) {
        // The new generation turns back whoever has prepared but does not sleep yet.
        let word = self.word.fetch_add(GENERATION, SeqCst).wrapping_add(GENERATION);
        if platform.wake(&self.word, count) < count {
            // Fewer than asked for: nobody is left. A failure means that somebody came meanwhile.
            // Relaxed: the bit is set anew by whoever sleeps next, and that is an ordered RMW.
            let _ = self.word.compare_exchange(word, word & !MAYBE_SLEEPER, Relaxed, Relaxed);
        }
    }

    /// As [`EventCount::notify_all`], for sleepers that `wake` reaches and says true.
    #[inline]
    pub fn notify_by(&self, wake: impl FnOnce() -> bool) {
        sync::model_fence();
        if self.word.load(SeqCst) & MAYBE_SLEEPER != 0 {
            // As in `wake`: who announced itself after this, must be reached by the next one.
            let word = self.word.fetch_add(GENERATION, SeqCst).wrapping_add(GENERATION);
            if wake() {
                let _ = self.word.compare_exchange(word, word & !MAYBE_SLEEPER, Relaxed, Relaxed);
            }
        }
    }

    /// Announces that the caller is about to sleep. It must then look once more at what it waits for,
    /// and either go on (nothing to undo) or [`EventCount::wait`].
    pub fn prepare(&self) -> Ticket {
        let mut ticket = Ticket { word: self.word.load(Relaxed), is_first: true };
        // Bounded against a peer that scribbles: without the bit, the sleep ends at the tick.
        for _ in 0..PREPARE_TRIES {
            let mine = ticket.word.wrapping_add(GENERATION) | MAYBE_SLEEPER;
            match self.word.compare_exchange(ticket.word, mine, SeqCst, Relaxed) {
                Ok(before) => {
                    ticket = Ticket { word: mine, is_first: before & MAYBE_SLEEPER == 0 };
                    break;
                }
                Err(now) => ticket.word = now,
            }
        }
        sync::fence(SeqCst); // partner: the notifier's load of `word`, see Ordering
        ticket
    }

    /// Sleeps until a notification since `prepare`, or `until`. May return early; look again.
    pub fn wait<P: Platform>(&self, platform: P, ticket: Ticket, until: Deadline) -> Waited {
        platform.wait(&self.word, ticket.word, until.0)
    }

    /// Does `once` until it says something else than `WouldBlock`: tries, spins politely, then sleeps between
    /// tries until `deadline`, at most `tick_ns` at a time. `look` runs before each sleep, told whether a
    /// tick has passed since it was told so last. Errors: `TimedOut`; polling, `WouldBlock`.
    #[inline]
    pub fn block<P: Platform, T>(
        &self,
        platform: P,
        tick_ns: u64,
        deadline: Deadline,
        look: impl FnMut(bool),
        once: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        self.block_for(platform, Notifiers::Fenced, tick_ns, deadline, look, once)
    }

    /// As [`EventCount::block`], for those notifiers.
    #[inline]
    pub fn block_for<P: Platform, T>(
        &self,
        platform: P,
        notifiers: Notifiers,
        tick_ns: u64,
        deadline: Deadline,
        look: impl FnMut(bool),
        mut once: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        match once() {
            Err(Error::WouldBlock) if deadline != Deadline::NOW => {
                self.block_slow(platform, notifiers, tick_ns, deadline, look, once)
            }
            other => other,
        }
    }

    #[cold]
    #[inline(never)]
    fn block_slow<P: Platform, T>(
        &self,
        platform: P,
        notifiers: Notifiers,
        tick_ns: u64,
        deadline: Deadline,
        mut look: impl FnMut(bool),
        mut once: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        let heavy = notifiers == Notifiers::Light;
        let (mut pauses, mut left) = (1, P::SPINS);
        while left > 0 {
            let n = left.min(pauses);
            (0..n).for_each(|_| sync::spin_loop());
            left -= n;
            pauses = (pauses * 2).min(64);
            match once() {
                Err(Error::WouldBlock) => {}
                other => return other,
            }
        }
        let mut now = platform.now_ns();
        let mut next_tick = now.saturating_add(tick_ns);
        let mut ticked = false;
        loop {
            look(ticked);
            let ticket = self.prepare();
            let is_fenced = !heavy || platform.heavy_fence();
            match once() {
                Err(Error::WouldBlock) => {}
                other => return other,
            }
            if now >= deadline.0 {
                return Err(Error::TimedOut);
            }
            let mut until = next_tick;
            // Not in models, which have no ticks, and whose fence has no holes. By the clock as it is now: what is
            // before this took time.
            if heavy && (!is_fenced || ticket.is_first) && tick_ns != u64::MAX {
                until = until.min(platform.now_ns().saturating_add(UNFENCED_NS));
            }
            self.wait(platform, ticket, Deadline(deadline.0.min(until)));
            match once() {
                Err(Error::WouldBlock) => {}
                other => return other,
            }
            // By the clock, not by how the wait ended: who is woken steadily looks around too.
            now = platform.now_ns();
            ticked = now >= next_tick;
            if ticked {
                next_tick = now.saturating_add(tick_ns);
            }
        }
    }

    /// Quiet again; only while nobody else uses it.
    pub fn reset(&self) {
        self.word.store(0, Relaxed);
    }
}

/// An [`EventCount`] for threads, and one for event loops. All-zero is a valid quiet state.
#[repr(C)]
#[derive(Debug)]
pub struct Signal {
    /// Who sleeps here.
    pub sleepers: EventCount,
    /// Who polls a descriptor of [`Platform::signal`]. To [`EventCount::prepare`] here is to arm it.
    pub pollers: EventCount,
}

/// A file descriptor of this process that is signalled where it was asked for; [`NO_FD`]: none.
pub type Fd = i32;
/// No descriptor.
pub const NO_FD: Fd = -1;

impl Signal {
    /// With nobody waiting: loom's atomics are not all-zero.
    #[cfg(rialto_loom)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Signal { sleepers: EventCount::new(), pollers: EventCount::new() }
    }

    /// Wakes one sleeper, and whoever polls `fd`. The caller has published as for [`EventCount::notify`].
    #[inline]
    pub fn notify(&self, platform: impl Platform, fd: Fd) {
        self.notify_many(platform, 1, fd);
    }

    /// As [`Signal::notify`]; `light`: as [`EventCount::notify_light`]. Who polls has no heavy fence: where
    /// there is an `fd`, this is one fence dearer.
    #[inline]
    pub fn notify_if_light(&self, platform: impl Platform, fd: Fd, light: bool) {
        if light {
            if fd == NO_FD {
                return self.sleepers.notify_light(platform);
            }
            sync::fence(SeqCst); // for what was published, as if by a SeqCst store
        }
        self.notify(platform, fd);
    }

    /// Wakes everybody.
    pub fn notify_all(&self, platform: impl Platform, fd: Fd) {
        self.notify_many(platform, EVERYBODY, fd);
    }

    /// Wakes at most `count` sleepers, and whoever polls `fd`. One load where nobody sleeps and there is no
    /// `fd`.
    ///
    /// If we die here: sleepers as for `notify`; the descriptor stays silent, which is why event loops look
    /// again at each tick.
    #[inline]
    pub fn notify_many(&self, platform: impl Platform, count: u32, fd: Fd) {
        self.notify_so_many(platform, || count, fd);
    }

    /// As [`Signal::notify_many`]; `count` is asked only if somebody may sleep.
    #[inline]
    pub fn notify_so_many(&self, platform: impl Platform, count: impl FnOnce() -> u32, fd: Fd) {
        self.sleepers.notify_so_many(platform, count);
        if fd != NO_FD {
            self.pollers.notify_by(|| platform.signal(fd));
        }
    }

    /// Quiet again; only while nobody else uses it.
    pub fn reset(&self) {
        self.sleepers.reset();
        self.pollers.reset();
    }
}

/// Waits out, once, what light notifiers have published and nobody may see yet: for decisions that a heavy fence
/// with a hole in it is not good enough for.
#[cfg(target_has_atomic = "64")] // only objects of a region have such
#[derive(Debug, Default)]
pub(crate) struct Grace {
    since: Option<u64>,
    is_over: bool,
}

#[cfg(target_has_atomic = "64")]
impl Grace {
    /// Whether it is over: everything that a light notifier did before the first call here can be seen, and all
    /// that it does later sees what the caller had seen by then. The first call takes a
    /// [`Platform::slow_fence`]; where that is refused, a millisecond passes between the first and the last, and
    /// that no processor keeps a store to itself for a thousandth as long is an assumption.
    pub fn is_over(&mut self, platform: impl Platform) -> bool {
        if !self.is_over {
            self.is_over = platform.slow_fence() || {
                let now = platform.now_ns();
                now.saturating_sub(*self.since.get_or_insert(now)) >= UNFENCED_NS
            };
        }
        self.is_over
    }
}
