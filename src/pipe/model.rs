//! What models need to run the pipe itself under loom: one in memory of the model's, and the region's part of a
//! recovery. Payloads are plain bytes, which loom does not watch; words and tags are atomics, which it does.
#![allow(missing_docs, clippy::missing_safety_doc)]

use super::{
    Pipe, PipeConfig,
    shared::{Geometry, Shared},
};
use crate::{
    error::Result,
    member::{Actor, Home, Incarnation, Recovered},
};
use core::ptr::NonNull;

impl<'r, H: Home> Pipe<'r, H> {
    /// Makes a pipe. `at` is 128-aligned and has `config.layout()` bytes, for 'r, that nobody uses yet.
    pub unsafe fn make(home: &'r H, at: NonNull<u8>, config: &PipeConfig) -> Result<Self> {
        // SAFETY: the caller's word.
        unsafe {
            Shared::make_atomics(at, Geometry::new(config)?);
            Self::format(home, at, config)
        }
    }

    /// A handle to what `make` made there, without a look at it.
    pub unsafe fn handle(home: &'r H, at: NonNull<u8>, config: &PipeConfig) -> Result<Self> {
        // SAFETY: the caller's word.
        let shared = unsafe { Shared::over(at, Geometry::new(config)?) };
        Ok(Pipe { home, shared, actor: Actor::Thread })
    }

    /// What `Region::recover` does in this pipe.
    pub fn recover(&self, dead: Incarnation, is_dying: impl Fn() -> bool) -> (Recovered, bool) {
        self.sweep(dead, is_dying)
    }
}
