//! A lock whose owner's death is told: a robust mutex in 64 bytes of shared memory.
//!
//! `try_acquire` is lock-free; `acquire` and `acquire_timeout` wait; `release` never waits. Not fair,
//! not recursive. It belongs to a thread. POSIX cousin: `pthread_mutex_t`, process-shared and robust.
//!
//! # Memory
//! One [`Cell`] (see `sys::cell` for every byte), `aux` unused and 0. All-zero is not initialised, and
//! refused.
//!
//! # States
//! Owner part of the word / `DIED` / `WAITERS`:
//!
//! | word | meaning | goes to |
//! |---|---|---|
//! | 0, 0, any | free | held |
//! | T, 0, any | held by T | free; *died* (by the kernel, by T's exit, by the backstop) |
//! | 0, D, any | *died*: the owner died, nobody holds it | inherited |
//! | T, D, any | inherited: held by T, not repaired yet | held (`mark_consistent`); *died*; not recoverable |
//! | UNRECOVERABLE, 0, 0 | released unrepaired | free (`reset`) |
//!
//! `WAITERS` is set by whoever is going to sleep, and by whoever slept and then acquires (others may
//! sleep still). A release of a word with `WAITERS` keeps the bit, wakes one, and clears it only if
//! the kernel woke nobody: if the woken one is killed while a third party has slipped in, that party's
//! release still wakes the next.
//!
//! # Invariants
//! 1. The proof of ownership is the thread's private set of held cells, never the word: another PID
//!    namespace may have the same thread id.
//! 2. The cell is announced (see [`Thread`]) around a CAS on a word just seen free or certainly dead,
//!    or that is ours; never while asleep. So the death of a thread that merely waits marks nothing.
//! 3. The tag is 0, or is not about the word's owner, from before a release until after the next
//!    acquisition.
//! 4. Nothing but the kernel, the owner and the undertaker takes a word from an owner; an undertaker
//!    holds the licence in the tag (see `sys::cell`), of which there is one.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | what the owner wrote | `word` Release (CAS or swap) in `release_on` | `word` Acquire (CAS) in `take` |
//! | what a dead owner wrote | the kernel's marking of `word` | `word` Acquire in `take` |
//! | tag cleared | `word` Release in `release_on`; AcqRel in `take` of a *died* word | `word` Acquire before `bury` |
//! | the word that a licence is about | `tag` Release (CAS) in `bury` | `tag` Acquire in `disown_tag` |
//!
//! Otherwise a licence needs no order: one CAS on the tag succeeds. What an owner wrote whom the kernel
//! did not mark is ordered by the kernel, which had to be asked (`liveness`).
//!
//! Sleeping needs no more: sleeper and releaser meet in one word, and the kernel compares it.
//! Relaxed: setting and clearing `WAITERS` (a hint), clearing `DIED` (our own word), spinning.
//!
//! # Crash
//! Killed in `acquire` before the CAS: nothing happened. Between the CAS and the end: the cell is
//! announced, or linked, or both; the next acquirer is told. Killed in `release` before the CAS: told.
//! Between the CAS and the wake, or killed after being woken: a sleeper sleeps on until its tick (100
//! ms); everybody else sees a free lock. The price of invariant 2, which the same code pays everywhere.
//!
//! The kernel does not mark in three known cases: exec by a thread that is not the leader, a list cut
//! by `munmap`, a thread without a list. Then a sleeper that has slept a whole tick asks whether the
//! owner still exists (same PID namespace only) and inherits. An undertaker killed half-way is buried
//! in turn by the next.
//!
//! # Limits
//! - 64 cells per thread. One PID namespace is seen by the backstop; the kernel sees all of them.
//! - Two threads of equal id in two PID namespaces: if one is killed within the few instructions
//!   between seeing a free word (or giving it away) and `settle`, while the other acquires in exactly
//!   those, the other is robbed.
//! - A thread without a list that is killed in the two instructions between CAS and tag is not noticed.
//! - Unmapping the lock while another thread is still inside `release`: as with glibc bug 14485.
//! - Not async-signal-safe.
//!
//! # Checked by
//! `tests/loom_lock.rs`, `tests/sweep_lock.rs`, `tests/proc_lock.rs`.

mod kind;
mod life;
mod os;

pub use kind::Lockable;
pub(crate) use kind::Suspend;
pub use os::{Acquired, Guard};

use crate::{
    error::{Error, Result},
    sync::{Ordering::*, spin_loop},
    sys::{
        Cell, DIED, Liveness, OWNER, Platform, Thread, UNDERTAKER, UNRECOVERABLE, WAITERS, Waited, tag_id,
    },
    time::{Deadline, FOREVER},
};

/// "RLCK".
const MAGIC: u32 = u32::from_le_bytes(*b"RLCK");
/// Failed attempts in a row without a sleep before the clock is looked at: bounds a call against a
/// peer that scribbles on the word for ever.
const CHURN: u32 = 1000;

/// How a lock was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The last owner released it.
    Clean,
    /// The last owner died. Repair what the lock protects, then `mark_consistent`.
    OwnerDied,
}

/// See the module's comment.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Lock {
    cell: Cell,
}

#[cfg(not(rialto_loom))]
const _: () = assert!(size_of::<Lock>() == 64 && align_of::<Lock>() == 64);

impl Lock {
    /// The cell, for models and tests.
    #[doc(hidden)]
    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// Acquires, waiting at most `timeout_ns` (0 polls, [`crate::time::FOREVER`]).
    ///
    /// Errors: `WouldBlock` (polling), `TimedOut`, `Deadlock` (held by this thread already; a poll says
    /// `WouldBlock`), `NotRecoverable`, `TooManyHeld`, `BadRegion`, `NoMemory` (first use).
    #[inline]
    pub fn acquire_on<P: Platform>(&self, platform: P, timeout_ns: u64) -> Result<Outcome> {
        self.check_kind(MAGIC)?;
        self.acquire_checked(platform, platform.thread()?, timeout_ns)
    }

    #[inline]
    pub(crate) fn check_kind(&self, magic: u32) -> Result<()> {
        if self.cell.magic.load(Relaxed) == magic { Ok(()) } else { Err(Error::BadRegion) }
    }

    #[inline]
    pub(crate) fn acquire_checked<P: Platform>(
        &self,
        platform: P,
        me: P::Thread,
        timeout_ns: u64,
    ) -> Result<Outcome> {
        if me.has_room() && self.cell.word.load(Relaxed) == 0 && self.take(me, 0, me.id()).is_ok() {
            return Ok(Outcome::Clean);
        }
        self.acquire_slow(platform, me, timeout_ns, 0)
    }

    /// For ever, by one who slept elsewhere and may have been moved here, others with it.
    #[cold]
    pub(crate) fn acquire_again<P: Platform>(&self, platform: P) -> Result<Outcome> {
        self.acquire_slow(platform, platform.thread()?, FOREVER, WAITERS)
    }

    /// One attempt to make a word that was just seen as `from` (free, or certainly dead) ours.
    #[inline]
    fn take<T: Thread>(&self, me: T, from: u32, to: u32) -> core::result::Result<(), u32> {
        // SAFETY: whoever made or attached the lock promised that it stays while a thread is about to
        // acquire it or holds it; the same holds for the other locks that we hold, and for members' cells.
        unsafe { me.announce(&self.cell) };
        // Release, in case of DIED, hands our clearing of the tag to an undertaker. In the clean case
        // this CAS continues the release sequence of the store that cleared it.
        let order = if from & DIED == 0 { Acquire } else { AcqRel };
        match self.cell.word.compare_exchange(from, to, order, Relaxed) {
            Ok(_) => {
                self.cell.tag.store(me.tag(), Relaxed);
                // SAFETY: as above.
                unsafe { me.link(&self.cell) };
                me.settle();
                Ok(())
            }
            Err(now) => {
                me.settle();
                Err(now)
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn acquire_slow<P: Platform>(
        &self,
        platform: P,
        me: P::Thread,
        timeout_ns: u64,
        mut slept: u32, // WAITERS once we have slept: others may sleep still
    ) -> Result<Outcome> {
        let cell = &self.cell;
        let polling = timeout_ns == 0;
        if me.holds(cell) {
            return Err(if polling { Error::WouldBlock } else { Error::Deadlock });
        }
        if !me.has_room() {
            return Err(Error::TooManyHeld);
        }
        let late = if polling { Error::WouldBlock } else { Error::TimedOut };
        let deadline = Deadline::after(platform, timeout_ns);
        let (mut spins, mut churn) = (P::SPINS, 0);
        let mut word = cell.word.load(Relaxed);
        loop {
            churn += 1;
            if churn == CHURN {
                churn = 0;
                if deadline.passed(platform) {
                    return Err(late);
                }
            }
            if word & OWNER == 0 {
                if word & DIED != 0 {
                    self.disown_tag(me, word);
                }
                match self.take(me, word, word | slept | me.id()) {
                    Ok(()) if word & DIED == 0 => return Ok(Outcome::Clean),
                    Ok(()) => return Ok(Outcome::OwnerDied),
                    Err(now) => word = now,
                }
                continue;
            }
            if word & OWNER == UNRECOVERABLE {
                return Err(Error::NotRecoverable);
            }
            if polling {
                return Err(late);
            }
            if spins > 0 && word & WAITERS == 0 {
                spins -= 1;
                spin_loop();
                word = cell.word.load(Relaxed);
                continue;
            }
            if word & WAITERS == 0 {
                if let Err(now) = cell.word.compare_exchange(word, word | WAITERS, Relaxed, Relaxed) {
                    word = now;
                    continue;
                }
                word |= WAITERS;
            }
            slept = WAITERS;
            if deadline.passed(platform) {
                return Err(late);
            }
            churn = 0;
            let until = deadline.or_tick(platform, P::TICK_NS);
            let waited = platform.wait(&cell.word, word, until.0);
            let before = word;
            word = cell.word.load(Acquire); // partner: releases and takers, for what `bury` reads
            if waited == Waited::TimedOut && word == before && self.bury(platform, me, word) {
                return Ok(Outcome::OwnerDied);
            }
        }
    }

    /// Before we take a word with DIED: a tag that would be about us (a namesake's), or an undertaker's
    /// who died with the word, must go (invariant 3). Others' tags say nothing about us.
    ///
    /// `seen` is the word; if it is another by now, the tag may be a licence against somebody who came
    /// after our look, and stays. Acquire: partner is the licence's CAS in `bury`, which follows that one's
    /// appearance in the word.
    fn disown_tag<T: Thread>(&self, me: T, seen: u32) {
        let tag = self.cell.tag.load(Acquire);
        let about_us = tag & UNDERTAKER != 0 || tag_id(tag) == me.id();
        if about_us && self.cell.word.load(Relaxed) == seen {
            let _ = self.cell.tag.compare_exchange(tag, 0, Relaxed, Relaxed);
        }
    }

    /// The word was `seen` for a whole sleep: is its owner there at all? If it is certainly not, and
    /// the kernel has not noticed, we inherit.
    #[cold]
    fn bury<P: Platform>(&self, platform: P, me: P::Thread, seen: u32) -> bool {
        let cell = &self.cell;
        let tag = cell.tag.load(Relaxed); // not older than the word: that load was Acquire
        let undertaker = tag & UNDERTAKER != 0;
        // An undertaker has found the owner dead. If it is dead too, the licence passes on.
        let who = if undertaker { tag_id(tag) } else { seen & OWNER };
        if me.tag() == 0 || platform.liveness(who, tag & !UNDERTAKER) != Liveness::Dead {
            return false;
        }
        // The licence: the tag was not touched since, so the word is still the dead one's, and from here
        // on nobody else may change it. Release: partner is `disown_tag`, which must not see the licence
        // and an older word than we did.
        let licence = me.tag() | UNDERTAKER;
        if cell.tag.compare_exchange(tag, licence, Release, Relaxed).is_err() {
            return false;
        }
        if self.take(me, seen, me.id() | WAITERS | DIED).is_ok() {
            return true;
        }
        // Only a scribbling peer gets us here.
        let _ = cell.tag.compare_exchange(licence, 0, Relaxed, Relaxed);
        false
    }

    /// Releases.
    ///
    /// Errors: `NotOwner`; `BadRegion` (somebody overwrote the word: it is not touched, and not held
    /// any more).
    #[inline]
    pub fn release_on<P: Platform>(&self, platform: P) -> Result<()> {
        let me = platform.thread()?;
        let cell = &self.cell;
        if !me.holds(cell) {
            return Err(Error::NotOwner);
        }
        // SAFETY: as in `take`; we hold it.
        unsafe {
            me.announce(cell);
            me.unlink(cell);
        }
        cell.tag.store(0, Relaxed);
        match cell.word.compare_exchange(me.id(), 0, Release, Relaxed) {
            Ok(_) => {
                me.settle();
                Ok(())
            }
            Err(word) => self.release_slow(platform, me, word),
        }
    }

    #[cold]
    #[inline(never)]
    fn release_slow<P: Platform>(&self, platform: P, me: P::Thread, word: u32) -> Result<()> {
        let cell = &self.cell;
        if word & OWNER != me.id() {
            me.settle();
            return Err(Error::BadRegion);
        }
        // The swaps may lose a WAITERS that came meanwhile, which they set or make pointless; nobody
        // else changes a word of ours. Settled before the wake: see invariant 2.
        if word & DIED != 0 {
            cell.word.swap(UNRECOVERABLE, Release);
            me.settle();
            platform.wake(&cell.word, u32::MAX);
            return Ok(());
        }
        cell.word.swap(WAITERS, Release);
        me.settle();
        if platform.wake(&cell.word, 1) == 0 {
            let _ = cell.word.compare_exchange(WAITERS, 0, Relaxed, Relaxed);
        }
        Ok(())
    }

    /// What the dead owner left is repaired: the next owners are not told any more. No effect if the
    /// lock was acquired clean.
    ///
    /// Errors: `NotOwner`.
    pub fn mark_consistent_on<P: Platform>(&self, platform: P) -> Result<()> {
        if !platform.thread()?.holds(&self.cell) {
            return Err(Error::NotOwner);
        }
        self.cell.word.fetch_and(!DIED, Relaxed); // the release publishes it with the repairs
        Ok(())
    }

    /// Whether the calling thread holds it.
    pub fn is_mine_on<P: Platform>(&self, platform: P) -> bool {
        platform.thread().is_ok_and(|me| me.holds(&self.cell))
    }

    /// Whether anybody holds it, or it is not recoverable. True or false a moment ago.
    pub fn is_locked(&self) -> bool {
        self.cell.word.load(Relaxed) & OWNER != 0
    }
}
