//! The cells of the kill matrix.

pub mod barrier;
pub mod condition;
pub mod locks;
pub mod peers;
pub mod permits;
pub mod pipe;
pub mod queue;
pub mod spsc;
pub mod stage;
