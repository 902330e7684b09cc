//! What a child knows of itself, and of its parent.

use super::{
    Name,
    letter::{DAEMON, Letter},
    lifeline,
    os::{getpid, is_hung_up, poll},
};
use crate::{
    error::{Error, Result},
    sync::{AtomicU64, Ordering::*},
    sys::Os,
    time::{Deadline, FOREVER},
};
use core::{cell::UnsafeCell, ffi::c_int};

pub(super) type Fds = heapless::Vec<c_int, { super::MAX_FDS }>;

/// What an entry gets.
#[derive(Debug)]
pub struct Child<'a> {
    entry: &'a str,
    name: &'a str,
    args: &'a [u8],
    fds: Fds,
    is_daemon: bool,
}

impl<'a> Child<'a> {
    pub(super) fn new(letter: &'a Letter<'a>, fds: Fds) -> Child<'a> {
        Child {
            entry: &letter.entry,
            name: &letter.name,
            args: letter.args,
            fds,
            is_daemon: letter.flags & DAEMON != 0,
        }
    }

    /// The entry's name; empty for a forked function that has none.
    pub fn entry(&self) -> &'a str {
        self.entry
    }

    /// The process's name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// What the parent gave it.
    pub fn args(&self) -> &'a [u8] {
        self.args
    }

    /// The passed descriptors, in the parent's order: 3, 4, ... in a child that has only these; in other
    /// forked ones the parent's own numbers.
    pub fn fds(&self) -> &[c_int] {
        &self.fds
    }

    /// Whether it ends with its parent.
    pub fn is_daemon(&self) -> bool {
        self.is_daemon
    }
}

/// The calling process, see [`current`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    name: Name,
    is_daemon: bool,
    pid: i32,
}

impl Current {
    /// `MainProcess` where nobody gave one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it ends with its parent.
    pub fn is_daemon(&self) -> bool {
        self.is_daemon
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.pid
    }
}

/// The process that started this one, see [`parent`].
#[derive(Clone, Debug)]
pub struct Parent {
    pid: i32,
    lifeline: c_int,
}

impl Parent {
    /// Its process id. Once it has ended this can be another one's: ask `is_alive` afterwards.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        !is_hung_up(self.lifeline)
    }

    /// Waits for its end.
    pub fn join(&self) -> Result<()> {
        self.join_timeout(FOREVER)
    }

    /// Waits for its end. Errors: `TimedOut`, `WouldBlock` (0).
    pub fn join_timeout(&self, timeout_ns: u64) -> Result<()> {
        let mut asked = [libc::pollfd { fd: self.lifeline, events: 0, revents: 0 }];
        match poll(&mut asked, Deadline::after(Os::default(), timeout_ns))? {
            true => Ok(()),
            false if timeout_ns == 0 => Err(Error::WouldBlock),
            false => Err(Error::TimedOut),
        }
    }

    /// A descriptor that hangs up (POLLHUP) when it has ended. Not yours to close or read.
    pub fn sentinel(&self) -> c_int {
        self.lifeline
    }
}

struct State(UnsafeCell<Option<(Current, Parent)>>);

// SAFETY: written before the child runs anything else, in its only thread; read by who has seen `OWNER`.
unsafe impl Sync for State {}

static STATE: State = State(UnsafeCell::new(None));
/// Whose `STATE` is; 0: being written. A child that was forked by other means is not that process.
static OWNER: AtomicU64 = AtomicU64::new(0);

/// In a fresh child, which has a single thread: who it is. Ends a daemon whose parent is gone.
pub(super) fn begin(letter: &Letter, lifeline: c_int) {
    let is_daemon = letter.flags & DAEMON != 0;
    // A daemon that runs another program stays one; others have no use for it there.
    // SAFETY: no memory involved.
    unsafe { libc::fcntl(lifeline, libc::F_SETFD, if is_daemon { 0 } else { libc::FD_CLOEXEC }) };
    if is_daemon {
        lifeline::end_if_orphaned(lifeline);
    }
    OWNER.store(0, Relaxed);
    let pid = getpid();
    let me = Current { name: letter.name.clone(), is_daemon, pid };
    // SAFETY: the only thread, see above.
    unsafe { *STATE.0.get() = Some((me, Parent { pid: letter.parent, lifeline })) };
    OWNER.store(u64::from(pid.unsigned_abs()), Release);
    if !letter.name.is_empty() {
        let mut name = [0u8; 32];
        for (to, from) in name.iter_mut().take(31).zip(letter.name.bytes()) {
            *to = from;
        }
        // SAFETY: a C string, of which the kernel takes 15 bytes.
        unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
    }
}

fn state() -> Option<&'static (Current, Parent)> {
    if OWNER.load(Acquire) != u64::from(getpid().unsigned_abs()) {
        return None;
    }
    // SAFETY: written by this process before the store that was seen, and not again.
    unsafe { &*STATE.0.get() }.as_ref()
}

/// The calling process, as Python's `current_process`.
pub fn current() -> Current {
    let ordinary = || Current {
        name: Name::try_from("MainProcess").unwrap_or_default(),
        is_daemon: false,
        pid: getpid(),
    };
    state().map_or_else(ordinary, |(me, _)| me.clone())
}

/// The process that started this one, as Python's `parent_process`; `None` where that was not done by
/// [`super::Process`].
pub fn parent() -> Option<Parent> {
    state().map(|(_, parent)| parent.clone())
}
