//! Non-blocking rings. They import leaves only: nothing here sleeps, knows a platform, or casts memory.
pub mod index;
pub mod mpmc;
