//! The cells of the kill matrix.

pub mod barrier;
pub mod condition;
pub mod locks;
pub mod peers;
pub mod permits;
pub mod queue;
pub mod stage;
