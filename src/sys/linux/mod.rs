//! The Linux backend (next commit).
/// Linux.
#[derive(Clone, Copy, Debug)]
pub struct Linux;
