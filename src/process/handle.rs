//! A child as its parent sees it, and how it is started.

use super::{
    Child, MAX_FDS, Name, Program, UNKNOWN,
    entry::{find, run_forked},
    fork::fork,
    forkserver::ForkServer,
    letter::{self, DAEMON, Letter},
    lifeline,
    messages::{What, recv},
    os::{Fd, getpid, nap, pidfd_signal, readable, reap},
    place, spawn,
};
use crate::{
    error::{Error, Result},
    sync::{AtomicU32, Ordering::Relaxed},
    sys::Os,
    time::{Deadline, FOREVER},
};
use core::{ffi::c_int, mem};

/// What a process is started with. `ProcessConfig::default()`, then change what you like.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessConfig<'a> {
    /// At most 31 bytes; empty: the entry's. `ps` shows 15 of them.
    pub name: &'a str,
    /// What the entry gets.
    pub args: &'a [u8],
    /// Descriptors that the entry gets, at most 64.
    pub fds: &'a [c_int],
    /// The child is killed when this process ends, however that ends.
    pub daemon: bool,
    /// A forked child keeps 0, 1, 2 and `fds` only, these at 3, 4, ... Others have nothing else anyway.
    pub only_fds: bool,
}

/// How a process is started.
#[derive(Clone, Copy, Debug)]
pub struct Method<'a>(How<'a>);

#[derive(Clone, Copy, Debug)]
enum How<'a> {
    Fork,
    Spawn(Program<'a>),
    Server(&'a ForkServer),
}

impl<'a> Method<'a> {
    /// `fork`: the child begins as a copy of this process. The fastest.
    ///
    /// # Safety
    /// Whenever a process is started by this, the calling process has a single thread, or the entry does only what
    /// is async-signal-safe, until it ends or runs another program: locks of libc, of its `malloc` or of std could
    /// be held by threads that the child does not have. See the module on what is valid in such a child.
    pub const unsafe fn fork() -> Method<'static> {
        Method(How::Fork)
    }

    /// A program, begun anew. Right in threaded processes too.
    pub const fn spawn(program: Program<'a>) -> Method<'a> {
        Method(How::Spawn(program))
    }

    /// A copy of the server. Right in threaded processes too, and faster than a program's start.
    pub const fn fork_server(server: &'a ForkServer) -> Method<'a> {
        Method(How::Server(server))
    }
}

/// A child. Dropping it waits for its end; a daemon is killed first. Nothing is left of it then. In a child that was
/// forked from its owner it is not its own: calls say `NotOwner`, and dropping it does nothing.
#[derive(Debug)]
pub struct Process {
    pid: i32,
    pidfd: c_int,
    /// Where a fork server reports its end; -1: it is our own child.
    report: c_int,
    /// Whose it is.
    owner: i32,
    /// How it ended: the code, or `NOT_KNOWN`. Relaxed: one thread at a time waits and writes it; those that send signals
    /// meanwhile only save a call, since the pidfd is nobody else's.
    exit: AtomicU32,
    is_daemon: bool,
    name: Name,
}

/// No exit code.
const NOT_KNOWN: i32 = i32::MAX;

/// How long a fork server may take to report an end that we know of already, before it counts as dead.
const GRACE_NS: u64 = 5_000_000_000;

impl Process {
    pub(super) fn new(started: (i32, Fd), report: Option<Fd>, letter: &Letter) -> Process {
        let (pid, pidfd) = started;
        Process {
            pid,
            pidfd: pidfd.keep(),
            report: report.map_or(-1, Fd::keep),
            owner: getpid(),
            exit: AtomicU32::new(NOT_KNOWN as u32),
            is_daemon: letter.flags & DAEMON != 0,
            name: letter.name.clone(),
        }
    }

    /// Starts a process that runs the entry of that name.
    ///
    /// Errors: `NotFound` (no such entry here or in the server's program; no such file; this program is to be begun
    /// anew, and has not called [`super::main`]), `Invalid` (a bad name; more than 64 descriptors, or one that is not
    /// open), `BrokenPipe` (the server has ended), `NotSupported` (no
    /// `/proc`; before Linux 5.4), `TooManyHeld` (descriptors; a server's children), `NoMemory`, `Os` (`EAGAIN`: too many
    /// processes; what `execve` says of the program). Nothing is left running then.
    pub fn start(method: Method, entry: &str, config: &ProcessConfig) -> Result<Process> {
        let letter = config.letter(entry)?;
        match method.0 {
            How::Fork => {
                let job = find(entry)?;
                // SAFETY: `Method::fork`.
                unsafe { fork_as(&letter, config, |child| (job.run)(child, job.what)) }
            }
            How::Spawn(program) => {
                let lifeline = lifeline::for_child(config.daemon)?;
                Ok(Process::new(spawn::spawn(&program, &letter, config.fds, lifeline)?, None, &letter))
            }
            How::Server(server) => server.start_child(&letter, config.fds),
        }
    }

    /// Starts a forked process that runs `f`, which needs no entry. Errors: as [`Process::start`].
    ///
    /// # Safety
    /// As [`Method::fork`].
    pub unsafe fn fork(config: &ProcessConfig, f: impl FnOnce(&Child) -> i32) -> Result<Process> {
        // A letter has an entry; this one is not sent.
        let mut letter = config.letter("f")?;
        letter.entry = Name::new();
        if config.name.is_empty() {
            letter.name = Name::new();
        }
        // SAFETY: the caller's word.
        unsafe { fork_as(&letter, config, f) }
    }

    /// Its process id. Nobody else's while it is not joined.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// As it was started with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it ends with this process.
    pub fn is_daemon(&self) -> bool {
        self.is_daemon
    }

    /// A descriptor that is readable when it has ended. Closed with the handle.
    pub fn sentinel(&self) -> c_int {
        self.pidfd
    }

    /// Waits for its end, and says how it ended, see [`Process::exit_code`]. Again is fine.
    pub fn join(&mut self) -> Result<i32> {
        self.join_timeout(FOREVER)
    }

    /// As `join`. Errors: `TimedOut`, `WouldBlock` (0), `NotOwner`.
    pub fn join_timeout(&mut self, timeout_ns: u64) -> Result<i32> {
        self.join_shared(timeout_ns)
    }

    /// As `join_timeout`, while other threads may send signals. One thread at a time: two who reap take it from each other.
    pub(crate) fn join_shared(&self, timeout_ns: u64) -> Result<i32> {
        self.mine()?;
        match self.wait(Deadline::after(Os::default(), timeout_ns))? {
            Some(code) => Ok(code),
            None if timeout_ns == 0 => Err(Error::WouldBlock),
            None => Err(Error::TimedOut),
        }
    }

    /// How it ended: 0 to 255, what its entry returned; negative, the signal that killed it;
    /// [`UNKNOWN`]. `None`: it has not (or its fork server has not said so yet).
    pub fn exit_code(&mut self) -> Option<i32> {
        match self.mine() {
            Ok(()) => self.wait(Deadline::NOW).ok().flatten(),
            Err(_) => self.exit(),
        }
    }

    /// Whether it still runs. In a forked child of its owner, false.
    pub fn is_alive(&mut self) -> bool {
        self.is_alive_shared()
    }

    /// As `is_alive`, under the conditions of `join_shared`.
    pub(crate) fn is_alive_shared(&self) -> bool {
        let runs = || readable(self.pidfd, Deadline::NOW) == Ok(false);
        self.mine().is_ok() && !matches!(self.wait(Deadline::NOW), Ok(Some(_))) && runs()
    }

    /// SIGTERM, which it can handle. Fine if it has ended.
    pub fn terminate(&self) -> Result<()> {
        self.signal(libc::SIGTERM)
    }

    /// SIGKILL. Fine if it has ended.
    pub fn kill(&self) -> Result<()> {
        self.signal(libc::SIGKILL)
    }

    /// Any signal; never one to a process that has got its number since. Fine if it has ended. Errors: `Invalid`,
    /// `NotOwner`, `Os` (`EPERM`: it runs a program of another user).
    pub fn signal(&self, signal: c_int) -> Result<()> {
        self.mine()?;
        if self.exit().is_some() { Ok(()) } else { pidfd_signal(self.pidfd, signal) }
    }

    /// Gives the handle back, of a process that has ended. Errors: `Busy`, with the handle, while it runs.
    pub fn close(mut self) -> core::result::Result<(), (Process, Error)> {
        match self.mine() {
            Err(error) => Err((self, error)),
            Ok(()) if self.exit_code().is_none() => Err((self, Error::Busy)),
            Ok(()) => Ok(()),
        }
    }

    fn mine(&self) -> Result<()> {
        if self.owner == getpid() { Ok(()) } else { Err(Error::NotOwner) }
    }

    fn exit(&self) -> Option<i32> {
        let code = self.exit.load(Relaxed) as i32;
        (code != NOT_KNOWN).then_some(code)
    }

    /// `None`: the deadline passed.
    fn wait(&self, deadline: Deadline) -> Result<Option<i32>> {
        loop {
            let known = self.exit();
            if known.is_some() {
                return Ok(known);
            }
            if !readable(self.pidfd, deadline)? {
                return Ok(None);
            }
            match if self.report == -1 { reap(self.pidfd)? } else { self.reported(deadline)? } {
                Some(code) => self.exit.store(code as u32, Relaxed),
                // A tracer has it, or its server is slow.
                None if deadline.passed(Os::default()) => return Ok(None),
                None => nap(1_000_000),
            }
        }
    }

    /// What the fork server says of a child that has ended.
    fn reported(&self, deadline: Deadline) -> Result<Option<i32>> {
        let grace = Deadline::after(Os::default(), GRACE_NS);
        if !readable(self.report, deadline.min(grace))? {
            return Ok(if grace <= deadline { Some(UNKNOWN) } else { None });
        }
        Ok(Some(match recv(self.report) {
            Ok(Some((message, _))) if message.what == What::Ended && (-64..256).contains(&message.status) => {
                message.status
            }
            _ => UNKNOWN,
        }))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.mine().is_err() {
            return; // the numbers may be others' descriptors in this process
        }
        if self.is_daemon {
            let _ = self.kill();
        }
        let _ = self.wait(Deadline::NEVER);
        for fd in [self.pidfd, self.report] {
            drop(Fd::new(fd));
        }
    }
}

impl ProcessConfig<'_> {
    fn letter(&self, entry: &str) -> Result<Letter<'_>> {
        if entry.is_empty() {
            return Err(Error::Invalid);
        }
        place::check(self.fds)?;
        let entry = letter::name(entry)?;
        let name = if self.name.is_empty() { entry.clone() } else { letter::name(self.name)? };
        let flags = if self.daemon { DAEMON } else { 0 };
        Ok(Letter { flags, fds: self.fds.len().min(MAX_FDS), parent: getpid(), entry, name, args: self.args })
    }
}

/// # Safety
/// As [`Method::fork`].
unsafe fn fork_as(letter: &Letter, config: &ProcessConfig, f: impl FnOnce(&Child) -> i32) -> Result<Process> {
    let lifeline = lifeline::for_child(config.daemon)?;
    // SAFETY: the caller's word.
    match unsafe { fork() }? {
        Some(started) => Ok(Process::new(started, None, letter)),
        None => {
            let line = lifeline.raw();
            mem::forget(lifeline);
            run_forked(letter, config.fds, line, config.only_fds, f)
        }
    }
}
