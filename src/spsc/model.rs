//! What models need to run the queue itself under loom: one in memory of the model's, and the region's part of a
//! recovery. Payloads are plain bytes, which loom does not watch; words and tags are atomics, which it does.
#![allow(missing_docs, clippy::missing_safety_doc)]

use super::{
    Spsc, SpscConfig,
    shared::{Geometry, Shared},
};
use crate::{
    error::Result,
    member::{Home, Incarnation, Recovered},
};
use core::ptr::NonNull;

impl<'r, H: Home> Spsc<'r, H> {
    /// Makes a queue. `at` is 128-aligned and has `config.layout()` bytes, for 'r, that nobody uses yet.
    pub unsafe fn make(home: &'r H, at: NonNull<u8>, config: &SpscConfig) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe {
            Shared::make_atomics(at, Geometry::new(config)?);
            Self::format(home, at, config, 0)
        }
    }

    /// A handle to what `make` made there, without a look at it.
    pub unsafe fn handle(home: &'r H, at: NonNull<u8>, config: &SpscConfig) -> Result<Self> {
        // SAFETY: the caller's word.
        Ok(Self::over(home, unsafe { Shared::over(at, Geometry::new(config)?) }))
    }

    /// What `Region::recover` does in this queue.
    pub fn recover(&self, dead: Incarnation, is_dying: impl Fn() -> bool) -> (Recovered, bool) {
        self.sweep(dead, is_dying)
    }
}
