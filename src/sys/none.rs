//! Stands for "no operating system": a platform that cannot exist, so that the plain type names do.

use super::{Cell, Liveness, Platform, Thread, Waited};
use crate::{
    error::{Error, Result},
    sync::{AtomicU32, spin_loop},
};

/// Its [`Platform::thread`] is refused, so what has owners (locks, members) is `NotSupported`. Events and plain
/// semaphores have none: they set, clear, release and poll. They cannot sleep, so a wait for ever polls for
/// ever, and any other times out at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct None;

/// Never made.
#[derive(Clone, Copy, Debug)]
pub enum Nobody {}

impl Platform for None {
    type Thread = Nobody;
    const SPINS: u32 = 0;
    const TICK_NS: u64 = crate::time::TICK_NS;

    fn now_ns(self) -> u64 {
        u64::MAX - 1 // later than every deadline, but for "never"
    }
    fn wait(self, _: &AtomicU32, _: u32, _: u64) -> Waited {
        spin_loop();
        Waited::TimedOut
    }
    fn wake(self, _: &AtomicU32, _: u32) -> u32 {
        0
    }
    fn thread(self) -> Result<Nobody> {
        Err(Error::NotSupported)
    }
    fn claim(self) -> u64 {
        1
    }
    fn enter(self, _: u64) {}
    fn exit(self, _: u64) {}
    fn users(self, _: u64) -> u32 {
        0
    }
    fn give_back(self, _: u64) {}
    fn liveness(self, _: u32, _: u64) -> Liveness {
        Liveness::Unknown
    }
}

impl Thread for Nobody {
    fn id(self) -> u32 {
        match self {}
    }
    fn tag(self) -> u64 {
        match self {}
    }
    fn has_room(self) -> bool {
        match self {}
    }
    unsafe fn announce(self, _: &Cell) {
        match self {}
    }
    fn settle(self) {
        match self {}
    }
    unsafe fn link(self, _: &Cell) {
        match self {}
    }
    unsafe fn unlink(self, _: &Cell) {
        match self {}
    }
    fn holds(self, _: &Cell) -> bool {
        match self {}
    }
    fn holds_within(self, _: *const u8, _: usize) -> bool {
        match self {}
    }
    fn membership(self, _: u64) -> Option<u16> {
        match self {}
    }
    fn set_membership(self, _: u64, _: u16, _: u64) -> Result<()> {
        match self {}
    }
    fn remove_membership(self, _: u64) -> Option<(u16, u64)> {
        match self {}
    }
}
