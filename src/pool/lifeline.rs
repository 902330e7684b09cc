//! Whether a worker's parent lives: its lifeline (see `process`), if that is still the one it was.

use crate::{process, sys::linux};
use core::mem::MaybeUninit;

/// The parent, as a worker sees it.
pub(super) struct Lifeline {
    parent: Option<process::Parent>,
    /// Device and inode of the descriptor.
    file: Option<(u64, u64)>,
}

fn file(fd: i32) -> Option<(u64, u64)> {
    let mut stat = MaybeUninit::<linux::stat>::uninit();
    // SAFETY: room for the answer, which is looked at if there is one.
    let stat = unsafe {
        if linux::fstat(fd, stat.as_mut_ptr()) != 0 {
            return None;
        }
        stat.assume_init()
    };
    #[allow(clippy::unnecessary_cast)] // 32 bits on 32-bit targets
    Some((stat.st_dev as u64, stat.st_ino as u64))
}

impl Lifeline {
    pub fn new() -> Lifeline {
        let parent = process::parent();
        Lifeline { file: parent.as_ref().and_then(|parent| file(parent.sentinel())), parent }
    }

    /// Whether the parent has ended, or this process has lost its lifeline (functions close what they like): then
    /// nobody would tell it, so it had better end.
    pub fn is_cut(&self) -> bool {
        self.parent.as_ref().is_some_and(|parent| {
            !parent.is_alive() || self.file.is_none() || self.file != file(parent.sentinel())
        })
    }
}
