//! Non-blocking rings over slot words. They import leaves only: nothing here sleeps, knows a platform,
//! casts memory or touches a payload; `queue` adds all that.
//!
//! | file | idea |
//! |---|---|
//! | `index` | wrapping arithmetic on turns and positions; pure |
//! | `word` | what the 64 bits of a slot mean, and the order they move in; pure |
//! | `mpmc` | the owner-tagged ring: its parts and **the argument** why it survives kill and stop |
//! | `produce`, `consume` | reserve, publish, cancel; claim, release |
//! | `recovery` | what happens to slots whose owner died: freed, or orphaned and adopted |

mod consume;
pub mod index;
pub mod mpmc;
mod produce;
mod recovery;
pub mod word;

pub use mpmc::{Claim, Header, MAX_ATTEMPTS, Position, Refused, Ring, Slots};
pub use recovery::Recovery;
pub use word::{MAX_MEMBERS, MemberId};
