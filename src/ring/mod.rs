//! Non-blocking rings: of slot words, for many, and of records, for one writer and one reader. They import
//! leaves only: nothing here sleeps, knows a platform or touches a payload, and only `area` casts memory; the
//! objects above add all that.
//!
//! | file | idea |
//! |---|---|
//! | `index` | wrapping arithmetic on turns and positions; pure |
//! | `word` | what the 64 bits of a slot mean, and the order they move in; pure |
//! | `mpmc` | the owner-tagged ring: its parts and **the argument** why it survives kill and stop |
//! | `produce`, `consume` | reserve, publish, cancel; claim, release |
//! | `recovery` | what happens to slots whose owner died: freed, or orphaned and adopted |
//! | `looks` | is there a message, is there room, is all done: answers without a claim |
//! | `indexed` | the same slots out of order, and a ring of their indices: for long loans |
//! | `stream` | records of any size from one writer to one reader, and **why** each can be replaced |
//! | `area` | its bytes in shared memory |

mod area;
#[cfg(target_has_atomic = "64")]
mod consume;
pub mod index;
#[cfg(target_has_atomic = "64")]
pub mod indexed;
#[cfg(target_has_atomic = "64")]
mod looks;
#[cfg(target_has_atomic = "64")]
pub mod mpmc;
#[cfg(target_has_atomic = "64")]
mod produce;
#[cfg(target_has_atomic = "64")]
mod recovery;
pub mod stream;
pub mod word;

pub use area::RawArea;
#[cfg(target_has_atomic = "64")]
pub use indexed::{Entries, Indexed};
#[cfg(target_has_atomic = "64")]
pub use mpmc::{Claim, Header, MAX_ATTEMPTS, Position, Refused, Ring, Slots};
#[cfg(target_has_atomic = "64")]
pub use recovery::Recovery;
pub use word::{MAX_MEMBERS, MemberId};

/// What becomes of a message whose holder died with it in hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum OnDeath {
    /// Somebody else gets it, marked with how many had it before; after a number of deaths nobody but
    /// `take_poisoned`. Delivers at least once.
    #[default]
    Redeliver = 0,
    /// It is gone, and counted: see `dropped`. Delivers at most once, but for messages that a living holder
    /// gave back.
    Drop = 1,
    /// Nobody gets anything before somebody looks at it: `pop` says `Poisoned` until `take_poisoned` has
    /// taken it. The same if a living holder gave it back.
    Stop = 2,
}

impl OnDeath {
    /// Of its number in shared memory.
    pub const fn from_u32(number: u32) -> Option<OnDeath> {
        match number {
            0 => Some(OnDeath::Redeliver),
            1 => Some(OnDeath::Drop),
            2 => Some(OnDeath::Stop),
            _ => None,
        }
    }
}
