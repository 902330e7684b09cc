//! The cases, and what they share.

mod cells;
mod daemons;
pub mod entries;
mod failures;
mod fork_safety;
mod leftovers;
mod told;

pub use crate::cases::{Case, Starter, WAYS, Way, case, no_children, sleep_ms, starter};
use rialto::process::{Process, ProcessConfig};
use std::{
    fs::File,
    io::Read,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

pub const SECOND: u64 = 1_000_000_000;
/// Nothing here takes longer, on the busiest machine.
pub const WATCHDOG_SECONDS: u32 = 120;

impl Starter {
    #[track_caller]
    pub fn start(&self, entry: &str, args: &[u8], fds: &[&OwnedFd]) -> Process {
        self.start_with(entry, &ProcessConfig { args, ..ProcessConfig::default() }, fds)
    }

    #[track_caller]
    pub fn start_with(&self, entry: &str, config: &ProcessConfig, fds: &[&OwnedFd]) -> Process {
        let fds: Vec<i32> = fds.iter().map(|fd| fd.as_raw_fd()).collect();
        Process::start(self.method(), entry, &ProcessConfig { fds: &fds, ..*config }).expect("a process")
    }
}

/// (read end, write end)
pub fn pipe() -> (File, OwnedFd) {
    let mut ends = [0; 2];
    // SAFETY: room for two, which are ours then.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        (File::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    }
}

/// Waits for one byte: an entry is ready.
#[track_caller]
pub fn heard(from: &mut File) -> u8 {
    let mut byte = [0];
    assert!(readable(from.as_raw_fd()), "nothing was said");
    from.read_exact(&mut byte).expect("a byte");
    byte[0]
}

/// Waits until nobody has the write end any more.
#[track_caller]
pub fn ended(mut from: File) {
    let mut rest = vec![];
    let mut buffer = [0; 64];
    loop {
        assert!(readable(from.as_raw_fd()), "somebody still has the other end");
        match from.read(&mut buffer).expect("a pipe") {
            0 => return,
            n => rest.extend_from_slice(&buffer[..n]),
        }
    }
}

/// Everything until the end.
#[track_caller]
pub fn all(mut from: File) -> String {
    let mut text = String::new();
    from.read_to_string(&mut text).expect("text");
    text
}

/// Within 30 seconds.
pub fn readable(fd: i32) -> bool {
    let mut asked = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry.
    unsafe { libc::poll(&raw mut asked, 1, 30_000) == 1 }
}

pub fn is_quiet(fd: i32, ms: i32) -> bool {
    let mut asked = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry.
    unsafe { libc::poll(&raw mut asked, 1, ms) == 0 }
}

/// Descriptors of a process, without the one that reads the list.
pub fn descriptors(pid: u32) -> Vec<i32> {
    let list = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("/proc");
    let mut list: Vec<i32> =
        list.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    list.sort();
    if pid == std::process::id() {
        // SAFETY: no memory involved.
        list.retain(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } != -1);
    }
    list
}

pub fn run() {
    let mut cases = vec![];
    for way in WAYS {
        cases.extend(cells::cases(way));
        cases.extend(daemons::cases(way));
        cases.extend(leftovers::cases(way));
        cases.extend(told::cases(way));
        cases.extend(fork_safety::cases(way));
    }
    cases.extend(failures::cases());
    cases.extend(fork_safety::more());
    crate::cases::run("process", &cases, WATCHDOG_SECONDS);
}
