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
//! | `stream` | records of any size from one writer to one reader, and **why** each can be replaced |
//! | `area` | its bytes in shared memory |

mod area;
mod consume;
pub mod index;
pub mod mpmc;
mod produce;
mod recovery;
pub mod stream;
pub mod word;

pub use area::RawArea;
pub use mpmc::{Claim, Header, MAX_ATTEMPTS, Position, Refused, Ring, Slots};
pub use recovery::Recovery;
pub use word::{MAX_MEMBERS, MemberId};

/// What becomes of a message whose holder died with it in hand (or gave it back).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum OnDeath {
    /// Somebody else gets it, marked: it may have been acted on. For work that can be done twice; after
    /// `max_attempts` redeliveries it is set aside as poisoned.
    #[default]
    Redeliver = 0,
    /// It is given up, and counted as dropped: for work that must not be done twice.
    Drop = 1,
    /// It is poisoned at once: nothing is done before somebody has looked at it.
    Stop = 2,
}
