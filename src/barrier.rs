//! A barrier: as many parties as were agreed upon wait for each other. Python's `multiprocessing.Barrier`.
//!
//! `wait` waits; everything else is lock-free. A party that times out, dies or aborts breaks the barrier for
//! all, until somebody resets it.
//!
//! # Example
//! ```
//! use rialto::{Error, Region, RegionConfig};
//!
//! let region = Region::create_anonymous(1 << 16, &RegionConfig::default())?;
//! let barrier = region.create_barrier("start", 3)?;
//! std::thread::scope(|scope| {
//!     let parties = [(); 3].map(|()| scope.spawn(|| barrier.wait()));
//!     let mut indices = parties.map(|party| party.join().unwrap().unwrap());
//!     indices.sort();
//!     assert_eq!(indices, [0, 1, 2]);
//! });
//! assert_eq!(barrier.wait_timeout(1_000_000), Err(Error::TimedOut)); // alone
//! assert_eq!(barrier.wait(), Err(Error::Broken));
//! barrier.reset();
//! # Ok::<(), Error>(())
//! ```
//!
//! # Memory
//! An object of a region:
//!
//! | offset | size | field | writer |
//! |---|---|---|---|
//! | 0 | 4 | `magic` "RLTB", set last | creator |
//! | 4 | 4 | `parties`, n: 1..=4095 | creator |
//! | 128 | 8 | `state`: `completed:26`, `resets:26`, 11 unused, `broken:1` | by CAS: anybody |
//! | 256 | 4 | `released`, an [`EventCount`]: those who arrived | sleepers, wakers |
//! | 384 | 4 | `vacated`, another: those who want to come in | sleepers, wakers |
//! | 512 | 8 n | registry: `generation:52`, `owner:12` | by CAS: registered member, recoverer |
//! | 512 + 8 n | 8 n | places of even generations: `completed:26`, `resets:26`, `owner:12` | by CAS: party, recoverer |
//! | 512 + 16 n | 8 n | places of odd generations | as above |
//!
//! # States
//! `completed` and `resets` together are the generation, 52 bits, here called its *tag*. It ends by being
//! completed, or by a reset; a broken one only by a reset. A place: free (owner 0, with the tag of its last
//! user) -> taken, with the tag of the generation that its party came to -> free, when that one has left.
//!
//! # Invariants
//! 1. Places are taken in order, and vacated only when their generation is over or broken. So whoever takes
//!    the last one knows that all the others are taken, runs the action, and completes the generation.
//! 2. A generation is completed, broken or reset by one CAS on `state` from a state of exactly that tag,
//!    unbroken (resets: also broken). So it ends in one way, for all.
//! 3. A generation that was reset has its places taken from those who have not left yet by who comes next
//!    (the same `completed`, other `resets`), as somebody stopped in it must hold nobody up. A completed one
//!    has not. So a party learns how its generation ended: if `completed` has not moved, it was broken or
//!    reset; if it has, and the party still has its place, it was completed; else reset.
//! 4. Recovery breaks the generation before it vacates a dead party's place or registration.
//! 5. Who takes a place has seen the state twice, with the place's word in between. A place that was used, and
//!    left, in a later generation bears a word that is not older than that generation's state (Acquire), so
//!    it is not taken for one that is over: with more members than parties, one may come so late.
//!
//! # Ordering
//! | publishes | by | to |
//! |---|---|---|
//! | what a party wrote before it came | its place, SeqCst CAS | the last one's Acquire loads of places |
//! | that, and what the action wrote | `state`, SeqCst CAS | Acquire load of `state` by all |
//! | end of the generation; a place is vacated | SeqCst CAS, then `notify_all` | sleeper, see `wait` (the module) |
//!
//! # Crash
//! - party killed before it takes a place: not noticed, unless it is registered; then as below.
//! - killed with a place (waiting, in the action, before or after completing): whoever waits recovers at
//!   its next tick, or sooner. If the generation is not completed by then, it is broken. The last one
//!   looks for the marked dead before it completes, and breaks it if its time is up before it has seen all.
//! - killed in `reset`, `abort`, or having completed, before waking: sleepers look at their tick.
//! - killed while leaving: its place is vacated by recovery.
//!
//! # Limits
//! - 4095 parties. Parties are members, not numbers: n different ones need not be n members.
//! - A party stopped while it leaves a completed generation keeps others out of the one after the next.
//! - A waiter would have to be stopped through exactly 2^26 resets to mistake its generation.
//! - A reset does not look for the dead: a party whose death has been recovered by then is not missed in what
//!   comes next, one whose death is still to be noticed breaks it (`Region::recover` first). A reset at the
//!   very time of a recovery may be undone by it.
//! - Deaths that the kernel does not mark are noticed as those of all members, see `member`.
//!
//! # Checked by
//! `tests/semantics_barrier.rs`, `tests/semantics_barrier_members.rs`,
//! `tests/sweep_sync.rs`, `tests/loom_barrier.rs`, `tests/kill_matrix.rs`,
//! `tests/barrier_deaths.rs`, `tests/stress_sync.rs`.

mod deaths;
mod shared;

pub(crate) use shared::layout;

use crate::{
    error::{Error, Result},
    member::{Actor, Depth, Home, Member, MemberId},
    sync::{AtomicU64, Ordering::*},
    time::{Deadline, FOREVER},
    wait::EventCount,
};

/// The most parties.
pub const MAX_PARTIES: u16 = 4095;

const BROKEN: u64 = 1;
const OWNER: u64 = 0xfff;
const TAG: u64 = !OWNER;
const RESET: u64 = 1 << 12;
const COMPLETED: u64 = 1 << 38;
/// A CAS fails because another succeeds; a scribbling peer might make it fail for ever.
const TRIES: u32 = 100_000;
/// Generations that end while a party looks for its place, before it sleeps and looks anew.
const ARRIVE_TRIES: u32 = 16;

fn owner(word: u64) -> MemberId {
    (word & OWNER) as MemberId
}

fn completed(state: u64) -> u64 {
    state / COMPLETED
}

fn after_completion(state: u64) -> u64 {
    (state & TAG).wrapping_add(COMPLETED)
}

/// The resets wrap within their bits.
fn after_reset(state: u64) -> u64 {
    let resets = COMPLETED - RESET;
    state & !(COMPLETED - 1) | (state & resets).wrapping_add(RESET) & resets
}

/// A barrier's parts in shared memory. Public for models.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Parts<'r> {
    pub state: &'r AtomicU64,
    pub released: &'r EventCount,
    pub vacated: &'r EventCount,
    pub registry: &'r [AtomicU64],
    /// Of even and odd generations; as many as in the registry.
    pub places: [&'r [AtomicU64]; 2],
}

impl Parts<'_> {
    /// Empty, before generation `completed`. Places are of other generations.
    pub fn format(&self, completed: u64) {
        let state = completed.wrapping_mul(COMPLETED);
        self.state.store(state, Relaxed);
        self.registry.iter().for_each(|word| word.store(0, Relaxed));
        for word in self.places.into_iter().flatten() {
            word.store(state.wrapping_sub(2 * COMPLETED) & TAG, Relaxed);
        }
    }
}

/// A handle to a barrier in a region. Small, copyable, usable from every thread; the calling thread's own
/// membership is used (joined on first use), or an explicit one after [`Barrier::as_member`].
pub struct Barrier<'r, H: Home> {
    home: &'r H,
    parts: Parts<'r>,
    actor: Actor,
}

impl<H: Home> Clone for Barrier<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<H: Home> Copy for Barrier<'_, H> {}

/// A place taken.
#[derive(Clone, Copy)]
struct Arrival {
    tag: u64,
    index: usize,
    me: MemberId,
}

/// Breaks the barrier if whoever took the place does not see its generation end: the action panics, say.
struct Unfinished<'a, 'r, H: Home>(&'a Barrier<'r, H>, Arrival);

impl<H: Home> Drop for Unfinished<'_, '_, H> {
    fn drop(&mut self) {
        self.0.break_generation(self.1.tag);
        self.0.vacate(self.1);
    }
}

impl<'r, H: Home> Barrier<'r, H> {
    /// Over its parts. Public for models.
    #[doc(hidden)]
    pub fn over(home: &'r H, parts: Parts<'r>) -> Self {
        Barrier { home, parts, actor: Actor::Thread }
    }

    /// The same barrier, acting as `member` instead of the calling thread's own membership. A member of
    /// another region (or made with another handle) is refused by what acts as a member, as `Invalid`. In a
    /// forked child the member is still the parent's: do not act as it there.
    pub fn as_member<'m>(&self, member: &'m Member<'r, H>) -> Barrier<'m, H>
    where
        'r: 'm,
    {
        Barrier { actor: Actor::explicit(member, self.home), ..*self }
    }

    /// Waits until all parties have come. Gives each of them another number, 0 to `parties` - 1, in the
    /// order in which they came.
    ///
    /// Errors: `Broken` (it is, or was while we waited: by a timeout, a death, an abort, a reset),
    /// `TooManyMembers` and `TooManyHeld` (on the thread's first use), `NoMemory`; `NotOwner` (the explicit
    /// member is none any more). Blocks; not async-signal-safe. If we die here, the barrier is broken for the
    /// others within a tick, unless all had come already. Who dies elsewhere is missed only if it has registered: see [`Barrier::register`].
    pub fn wait(&self) -> Result<u32> {
        self.wait_with(FOREVER, || true)
    }

    /// As [`Barrier::wait`], at most `timeout_ns`: then `TimedOut`, and the barrier is broken for the others
    /// (also for those of the generation that is there if one waits for the next). So with 0, unless we are
    /// the last (and the time suffices to see to the dead).
    pub fn wait_timeout(&self, timeout_ns: u64) -> Result<u32> {
        self.wait_with(timeout_ns, || true)
    }

    /// As [`Barrier::wait_timeout`]; the last one to come runs its `action` before anybody is released. If
    /// that says false, or panics, the barrier is broken. It has no timeout.
    pub fn wait_with(&self, timeout_ns: u64, action: impl FnOnce() -> bool) -> Result<u32> {
        let me = self.actor.id(self.home)?;
        let deadline = Deadline::after(self.home.platform(), timeout_ns);
        let arrival = match self.home.block(self.parts.vacated, deadline, || self.arrive(me)) {
            Err(Error::TimedOut | Error::WouldBlock) => {
                self.abort();
                return Err(Error::TimedOut);
            }
            other => other?,
        };
        let Arrival { tag, index, .. } = arrival;
        let unfinished = Unfinished(self, arrival);
        if self.actor.is_gone(self.home) {
            return Err(Error::NotOwner);
        }
        let ended = if index + 1 == self.parts.registry.len() {
            self.complete(arrival, deadline, action)
        } else {
            match self.home.block(self.parts.released, deadline, || self.end_of(arrival)) {
                Err(Error::TimedOut | Error::WouldBlock) if self.break_generation(tag) => {
                    Err(Error::TimedOut)
                }
                // It has just ended some other way.
                Err(Error::TimedOut | Error::WouldBlock) => self.end_of(arrival),
                other => other,
            }
        };
        core::mem::forget(unfinished);
        self.vacate(arrival);
        ended.map(|()| index as u32)
    }

    /// Takes the next place of the present generation.
    fn arrive(&self, me: MemberId) -> Result<Arrival> {
        for _ in 0..ARRIVE_TRIES {
            let state = self.parts.state.load(Acquire);
            if state & BROKEN != 0 {
                return Err(Error::Broken);
            }
            let tag = state & TAG;
            if let Some(index) = self.take_place(state, me) {
                return Ok(Arrival { tag, index, me });
            }
            if self.parts.state.load(Relaxed) == state {
                // Full, and about to be completed; or somebody has not left yet.
                return Err(Error::WouldBlock);
            }
        }
        Err(Error::WouldBlock)
    }

    /// In the generation that `state`, unbroken, was seen in.
    fn take_place(&self, state: u64, me: MemberId) -> Option<usize> {
        let tag = state & TAG;
        for (index, place) in self.places(tag).iter().enumerate() {
            let mut word = place.load(Acquire);
            // Left; or of a generation that was reset (invariant 3).
            let reset = word & TAG != tag && completed(word) == completed(tag);
            if owner(word) == 0 || reset {
                if self.parts.state.load(Acquire) != state {
                    return None; // invariant 5
                }
                // Of all places up to here we have seen that they are taken: invariant 1.
                match place.compare_exchange(word, tag | u64::from(me), SeqCst, Acquire) {
                    Ok(_) => return Some(index),
                    Err(now) => word = now,
                }
            }
            if word & TAG != tag || owner(word) == 0 {
                return None; // not left yet, or we are late
            }
        }
        None
    }

    fn places(&self, tag: u64) -> &'r [AtomicU64] {
        self.parts.places[(completed(tag) & 1) as usize]
    }

    /// How the generation ended, or `WouldBlock`. Invariant 3.
    fn end_of(&self, arrival: Arrival) -> Result<()> {
        let Arrival { tag, index, me } = arrival;
        let state = self.parts.state.load(Acquire);
        if state == tag {
            return Err(Error::WouldBlock);
        }
        // The state before the place: whoever completed a later generation saw ours taken from us before.
        let mine = || self.places(tag)[index].load(Relaxed) == tag | u64::from(me);
        if completed(state) != completed(tag) && mine() { Ok(()) } else { Err(Error::Broken) }
    }

    /// All are there, and we are the last.
    fn complete(&self, arrival: Arrival, deadline: Deadline, action: impl FnOnce() -> bool) -> Result<()> {
        let tag = arrival.tag;
        let looked = self.home.recover_until(Depth::Marked, deadline);
        if self.end_of(arrival) != Err(Error::WouldBlock) {
            return Err(Error::Broken);
        }
        if !looked {
            // There are more dead than there was time for: one of them may be a party.
            return Err(if self.break_generation(tag) { Error::TimedOut } else { Error::Broken });
        }
        if !action() {
            self.break_generation(tag);
            return Err(Error::Broken);
        }
        match self.parts.state.compare_exchange(tag, after_completion(tag), SeqCst, Relaxed) {
            Ok(_) => {
                self.wake_all();
                Ok(())
            }
            Err(_) => Err(Error::Broken),
        }
    }

    /// True if we broke it.
    fn break_generation(&self, tag: u64) -> bool {
        let broke = self.parts.state.compare_exchange(tag, tag | BROKEN, SeqCst, Relaxed).is_ok();
        if broke {
            self.wake_all();
        }
        broke
    }

    fn vacate(&self, arrival: Arrival) {
        let Arrival { tag, index, me } = arrival;
        // It fails if it was taken from us.
        let _ = self.places(tag)[index].compare_exchange(tag | u64::from(me), tag, SeqCst, Relaxed);
        self.parts.vacated.notify_all(self.home.platform());
    }

    fn wake_all(&self) {
        self.parts.released.notify_all(self.home.platform());
        self.parts.vacated.notify_all(self.home.platform());
    }

    /// Makes it whole and empty. Who waits now gets `Broken`. The number of parties stays: somebody must come
    /// in the place of a dead one. Deaths that nobody has noticed yet break it again: call `Region::recover`
    /// first. Never waits; async-signal-safe. If we die here, it is reset or it is not.
    pub fn reset(&self) {
        self.change(after_reset);
    }

    /// Breaks it: who waits now, or comes before a reset, gets `Broken`. Never waits; async-signal-safe. If we
    /// die here, it is broken or it is not.
    pub fn abort(&self) {
        self.change(|state| state | BROKEN);
    }

    fn change(&self, to: impl Fn(u64) -> u64) {
        let mut state = self.parts.state.load(Relaxed);
        for _ in 0..TRIES {
            match self.parts.state.compare_exchange(state, to(state), SeqCst, Relaxed) {
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        self.wake_all();
    }

    /// Whether it is broken, at about this time.
    pub fn is_broken(&self) -> bool {
        self.parts.state.load(Acquire) & BROKEN != 0
    }

    /// How many wait in it at about this time.
    pub fn n_waiting(&self) -> u32 {
        let state = self.parts.state.load(Acquire);
        if state & BROKEN != 0 {
            return 0;
        }
        let here = |word: &&AtomicU64| {
            let word = word.load(Relaxed);
            word & TAG == state & TAG && owner(word) != 0
        };
        self.places(state).iter().filter(here).count() as u32
    }

    /// How many must come.
    pub fn parties(&self) -> u32 {
        self.parts.registry.len() as u32
    }
}
