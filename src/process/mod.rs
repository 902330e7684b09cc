//! Processes: started, waited for, ended; as Python's `multiprocessing.Process`.
//!
//! A child runs an [`Entry`]: a function with a name, which the program lists in its `main`. It gets bytes and
//! descriptors (of a [`crate::Region`], say), and its result is the exit code.
//!
//! | file | what |
//! |---|---|
//! | `handle` | [`Process`]: start, join, signals |
//! | `entry` | [`main`], and a child's way from its beginning to its end |
//! | `child` | what a child knows: [`Child`], [`current`], [`parent`] |
//! | `fork`, `spawn`, `forkserver` | the three ways to start one |
//! | `server`, `messages` | a fork server, and what is said to it |
//! | `letter` | what a child is told that is no copy of its parent |
//! | `lifeline` | how a child learns of its parent's death, and how a daemon dies of it |
//! | `place` | a child's descriptors |
//! | `os` | system calls |
//!
//! # What a child has
//! | | fork | spawn | fork server |
//! |---|---|---|---|
//! | memory | the parent's, copied | its program's, fresh | the server's, copied |
//! | descriptors | the parent's (`only_fds`: as the others) | 0, 1, 2, the passed ones at 3, 4, ... | 0, 1, 2 of the server, the passed ones at 3, 4, ... |
//! | and one of ours | the lifeline, somewhere | the lifeline, behind them | the lifeline, behind them |
//! | signals | the parent's | the defaults; ignored ones stay so, but for SIGPIPE | as the server had them |
//! | its end | `_exit`: nothing is flushed, no `atexit` | `exit`, as from `main` | `exit`, as from `main` |
//! | a panic | code 101 | code 101 | code 101 |
//!
//! A forked child also has copies of its parent's [`Process`] handles' descriptors, which keep nobody alive, and say
//! nothing wrong; the handles themselves refuse to work there.
//!
//! # Forked children and the rest of Rialto
//! Locks that are held are the parent's: the child finds them taken. Memberships, permits and messages in hand are the
//! parent's; the child becomes a member by itself on first use. Handles of regions and what is in them go on working.
//! All of that is free of libc's locks and of `malloc`, so it may be used in a child of a threaded process too.
//!
//! # Invariants
//! 1. A handle is of one process for ever: it has a pidfd, made before the child did anything, so signals and waits
//!    never reach another one that got its number.
//! 2. No zombie: who drops a handle has waited; a child whose start failed was waited for.
//! 3. Nothing of a child's code returns into its parent's, or unwinds there.
//! 4. What comes from another process (letters, a server's messages and descriptors) is checked before it is used.
//!
//! # Crash
//! Starting, the parent dies: a child that runs already, runs; as a daemon it is killed, see `lifeline`. One that
//! waits at the gate of `fork` goes on within 0.1 s. The server dies: its children run on, joins say [`UNKNOWN`],
//! starts say `BrokenPipe`.
//!
//! # Limits
//! - An exit code is lost ([`UNKNOWN`]) if SIGCHLD is ignored, or if somebody else in the process waits for any child.
//! - A process that a tracer keeps has ended (`is_alive`), but how is not known, and joins wait, until it is let go.
//! - `environ` must not be changed by another thread during a `spawn`, as with any `exec`.
//!
//! # Checked by
//! `tests/process.rs`, `ffi-tests/c/process.c`; the unit tests of `letter` and `messages`.

mod child;
pub(crate) mod entry;
mod fork;
mod forkserver;
mod handle;
mod letter;
mod lifeline;
mod messages;
mod os;
mod place;
mod server;
mod spawn;

pub use child::{Child, Current, Parent, current, parent};
pub use entry::{Entry, main};
pub use forkserver::ForkServer;
pub use handle::{Method, Process, ProcessConfig};
pub(crate) use os::{getpid, last_error, nap};
pub use spawn::Program;

/// Of an entry or a process: at most 31 bytes.
type Name = heapless::String<31>;

/// So many descriptors can be passed to a child.
pub const MAX_FDS: usize = 64;

/// The exit code of a process of which nobody can say how it ended.
pub const UNKNOWN: i32 = i32::MIN;
/// The exit code of a child whose entry panicked.
pub const PANICKED: i32 = 101;
/// The exit code of a child that could not begin: a letter that is none.
pub const BAD_START: i32 = 126;
/// The exit code of a spawned child whose program has no such entry.
pub const NO_ENTRY: i32 = 127;
