//! How many memberships the threads of this process have in each of its regions: what decides whether
//! a region may be unmapped. Private memory, because shared bytes may lie.
//!
//! # Memory
//! A static table of words, `retired:1 | count:31 | pid:32`, one for each `Region` of this process. A
//! region's number is `generation << 8 | place`; place 0 is no place.
//!
//! # States
//! 0 (unused) -> count 0 by `claim`; counted up by `enter`, down by `exit`; back to 0 by `give_back` if
//! nobody is a member, else *retired*: the last `exit` does it.
//!
//! # Invariants
//! 1. A word that another pid wrote says nothing here: a forked child got it from its parent, whose
//!    threads it does not have. It starts over at 0.
//! 2. While the `Region` lives, or anybody is counted in it, its place is nobody else's: so an `exit`
//!    always meets the word of its `enter`.
//!
//! # Ordering
//! What a leaver did in the region comes before the unmapping: `exit` Release, `users` Acquire.
//!
//! # Limits
//! 255 regions of a process at a time, among them those that were dropped while a thread was a member,
//! until that thread ends. Further ones have place 0: they count as always in use, so they are never
//! unmapped. A child in a new PID namespace that has its parent's number counts its parent's threads
//! too: the safe direction. `getpid` is a system call; nothing here is called by push and pop.
//!
//! # Checked by
//! The tests below, `tests/unsound.rs`, `tests/region.rs` (detach), `tests/proc_region.rs` (fork).

use crate::sync::{AtomicU64, Ordering::*};

const PLACES: usize = 256;
const PLACE: u64 = PLACES as u64 - 1;
const RETIRED: u64 = 1 << 63;
const ONE: u64 = 1 << 32;
const COUNT: u64 = !RETIRED & !PID;
const PID: u64 = ONE - 1;

static USERS: Table = Table { words: [const { AtomicU64::new(0) }; PLACES] };

struct Table {
    words: [AtomicU64; PLACES],
}

fn pid() -> u64 {
    // SAFETY: no arguments.
    u64::from(unsafe { libc::getpid() }.unsigned_abs())
}

impl Table {
    fn word(&self, region: u64) -> Option<&AtomicU64> {
        let place = (region & PLACE) as usize;
        if place == 0 { None } else { self.words.get(place) }
    }

    fn claim(&self, pid: u64, generation: u64) -> u64 {
        let free = |place: &usize| {
            self.words.get(*place).is_some_and(|w| w.compare_exchange(0, pid, AcqRel, Relaxed).is_ok())
        };
        generation << 8 | (1..PLACES).find(free).unwrap_or(0) as u64
    }

    /// Changes the word, unless `next` says that it stays. The loop goes round only if somebody else
    /// got on.
    fn change(&self, region: u64, next: impl Fn(u64) -> Option<u64>) {
        if let Some(word) = self.word(region) {
            let _ = word.fetch_update(AcqRel, Acquire, next);
        }
    }

    fn enter(&self, pid: u64, region: u64) {
        self.change(region, |word| {
            let ours = if word & PID == pid { word } else { pid };
            // 2^31 memberships do not fit in any memory; if they did, the region would never go.
            if ours & COUNT == COUNT { None } else { Some(ours + ONE) }
        });
    }

    fn exit(&self, pid: u64, region: u64) {
        self.change(region, |word| {
            if word & PID != pid || word & COUNT == 0 || word & COUNT == COUNT {
                return None;
            }
            let left = word - ONE;
            Some(if left & !PID == RETIRED { 0 } else { left })
        });
    }

    fn users(&self, pid: u64, region: u64) -> u32 {
        match self.word(region).map(|word| word.load(Acquire)) {
            Some(word) if word & PID == pid => ((word & COUNT) >> 32) as u32,
            Some(_) => 0,
            None => u32::MAX,
        }
    }

    fn give_back(&self, pid: u64, region: u64) {
        self.change(region, |word| {
            Some(if word & PID == pid && word & COUNT != 0 { word | RETIRED } else { 0 })
        });
    }
}

/// See [`crate::sys::Platform::claim`].
pub(super) fn claim() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    USERS.claim(pid(), LAST.fetch_add(1, Relaxed) + 1)
}

/// See [`crate::sys::Platform::enter`].
pub(super) fn enter(region: u64) {
    USERS.enter(pid(), region);
}

/// See [`crate::sys::Platform::exit`].
pub(super) fn exit(region: u64) {
    USERS.exit(pid(), region);
}

/// See [`crate::sys::Platform::users`].
pub(super) fn users(region: u64) -> u32 {
    USERS.users(pid(), region)
}

/// See [`crate::sys::Platform::give_back`].
pub(super) fn give_back(region: u64) {
    USERS.give_back(pid(), region);
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    const US: u64 = 7;
    const CHILD: u64 = 8;

    fn table() -> Table {
        Table { words: [const { AtomicU64::new(0) }; PLACES] }
    }

    #[test]
    fn who_enters_is_counted_until_it_exits() {
        let t = table();
        let (a, b) = (t.claim(US, 1), t.claim(US, 2));
        assert!(a != b && a & PLACE != b & PLACE);
        t.enter(US, a);
        t.enter(US, a);
        assert_eq!((t.users(US, a), t.users(US, b)), (2, 0));
        t.exit(US, a);
        t.exit(US, b); // never below 0
        assert_eq!((t.users(US, a), t.users(US, b)), (1, 0));
    }

    #[test]
    fn a_child_has_none_of_its_parents_threads() {
        let t = table();
        let a = t.claim(US, 1);
        t.enter(US, a);
        t.enter(US, a);
        assert_eq!(t.users(CHILD, a), 0);
        t.exit(CHILD, a); // not the child's to end
        assert_eq!(t.users(US, a), 2);
        t.enter(CHILD, a);
        assert_eq!(t.users(CHILD, a), 1);
        t.exit(CHILD, a);
        assert_eq!(t.users(CHILD, a), 0);
        t.give_back(CHILD, a);
        assert_eq!(t.claim(CHILD, 2) & PLACE, a & PLACE);
    }

    #[test]
    fn a_place_is_issued_anew_only_when_nobody_is_left() {
        let t = table();
        let a = t.claim(US, 1);
        t.enter(US, a);
        t.enter(US, a);
        t.give_back(US, a);
        assert_eq!(t.users(US, a), 2);
        t.exit(US, a);
        let b = t.claim(US, 2);
        assert_ne!(b & PLACE, a & PLACE);
        t.exit(US, a);
        let c = t.claim(US, 3);
        assert!(c & PLACE == a & PLACE && c != a);
        t.give_back(US, c);
        assert_eq!(t.claim(US, 4) & PLACE, a & PLACE);
    }

    #[test]
    fn without_a_place_a_region_is_always_in_use() {
        let t = table();
        let all: std::vec::Vec<u64> = (1..PLACES as u64).map(|i| t.claim(US, i)).collect();
        let more = t.claim(US, 1000);
        assert!(all.iter().all(|region| t.users(US, *region) == 0));
        assert_ne!((more, t.users(US, more)), (0, 0));
        t.exit(US, more);
        t.give_back(US, more);
        assert_eq!(t.users(US, more), u32::MAX);
        t.give_back(US, all[99]);
        assert_eq!(t.users(US, t.claim(US, 1001)), 0);
    }
}
