//! The cells of locks and members: who has them, and whether that thread is alive. The rules are those of `lock`
//! and `member`; nothing is decided here that would be acted upon.

use super::{Inspector, Source};
use crate::{
    error::Result,
    member::MemberId,
    sys::{DIED, Liveness, OWNER, Platform, TAG_ID, UNDERTAKER, UNRECOVERABLE, WAITERS, tag_id},
};

const WORD: u64 = 8;
const TAG: u64 = 48;
const AUX: u64 = 56;
const STATE: u64 = 3;
const FREE: u64 = 0;
const LIVE: u64 = 1;
/// How often a cell that changes under our eyes is looked at again.
const LOOKS: u32 = 8;

// What `tag_id` takes out.
const _: () = assert!(tag_id(7 << TAG_ID) == 7);

/// A lock, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockLook {
    /// Whether anybody holds it.
    pub state: LockState,
    /// The thread that holds it, or died with it; 0: none, or it is not known.
    pub thread: u32,
    /// Whether that one is alive.
    pub liveness: Liveness,
    /// An owner died, and nobody has said since that what the lock protects is consistent.
    pub owner_died: bool,
    /// Somebody may sleep on it.
    pub waiters: bool,
    /// Of a recursive lock that is held: how often.
    pub count: u64,
}

/// Whether anybody holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// Nobody.
    Free,
    /// A thread that is not known to be dead.
    Held,
    /// A thread that is dead: who acquires it next is told so.
    OwnerDied,
    /// It was released unrepaired after an owner's death: only `reset` helps.
    NotRecoverable,
}

/// A member, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberLook {
    /// Its place in the table.
    pub id: MemberId,
    /// How often that place was given away before.
    pub epoch: u64,
    /// See there.
    pub state: MemberState,
    /// The thread whose death is the member's; 0: not known.
    pub thread: u32,
    /// Whether that one is alive.
    pub liveness: Liveness,
}

/// What the table says of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// It is about to join, or has left this very moment.
    Joining,
    /// A member, perhaps dead.
    Live,
    /// It was found dead, or leaves: what it had in hand is being given back.
    Dying,
}

struct Owner {
    word: u32,
    aux: u64,
    /// 0: nobody.
    thread: u32,
    /// Whom the tag names.
    named: u32,
    liveness: Liveness,
}

impl<S: Source, P: Platform> Inspector<S, P> {
    /// A verdict about what was there before and after it. None: it went on changing.
    fn owner_at(&self, at: u64) -> Result<Option<Owner>> {
        for _ in 0..LOOKS {
            let aux = self.u64(at + AUX)?;
            let word = self.u32(at + WORD)?;
            let tag = self.u64(at + TAG)?;
            let thread = word & OWNER;
            let undertaken = tag & UNDERTAKER != 0;
            let liveness = match thread {
                0 | UNRECOVERABLE => Liveness::Unknown,
                // Somebody has found the owner dead, and is about to say so.
                _ if undertaken => Liveness::Dead,
                _ => self.platform.liveness(thread, tag),
            };
            let same = self.u32(at + WORD)? == word && self.u64(at + TAG)? == tag;
            if same && self.u64(at + AUX)? == aux {
                let named = if undertaken { 0 } else { tag_id(tag) };
                return Ok(Some(Owner { word, aux, thread, named, liveness }));
            }
        }
        Ok(None)
    }

    pub(super) fn lock_at(&self, at: u64) -> Result<LockLook> {
        let Some(owner) = self.owner_at(at)? else {
            // So busy that nobody can be dead.
            return Ok(LockLook {
                state: LockState::Held,
                thread: 0,
                liveness: Liveness::Unknown,
                owner_died: false,
                waiters: false,
                count: 0,
            });
        };
        let Owner { word, aux, thread, named, liveness } = owner;
        let (state, thread, liveness) = match thread {
            UNRECOVERABLE => (LockState::NotRecoverable, 0, Liveness::Unknown),
            0 if word & DIED != 0 => (LockState::OwnerDied, named, Liveness::Dead),
            0 => (LockState::Free, 0, Liveness::Unknown),
            _ if liveness == Liveness::Dead => (LockState::OwnerDied, thread, liveness),
            _ => (LockState::Held, thread, liveness),
        };
        Ok(LockLook {
            state,
            thread,
            liveness,
            owner_died: state == LockState::OwnerDied || word & DIED != 0,
            waiters: word & WAITERS != 0,
            count: if state == LockState::Held { aux } else { 0 },
        })
    }

    /// None: it is free, or cannot be read.
    pub(super) fn member_at(&self, id: MemberId, at: u64) -> Option<MemberLook> {
        let Some(Owner { aux, thread, named, liveness, .. }) = self.owner_at(at).ok()? else {
            let state = MemberState::Joining;
            return Some(MemberLook { id, epoch: 0, state, thread: 0, liveness: Liveness::Unknown });
        };
        let state = match aux & STATE {
            FREE if thread == 0 => return None,
            FREE => MemberState::Joining,
            LIVE => MemberState::Live,
            _ => MemberState::Dying,
        };
        // A member without an owner is a death: `member`, invariant 1.
        let (thread, liveness) = if thread == 0 { (named, Liveness::Dead) } else { (thread, liveness) };
        Some(MemberLook { id, epoch: aux >> 2, state, thread, liveness })
    }
}
