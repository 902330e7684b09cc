//! One error type, one table of codes. A leaf.
//!
//! Codes are negated Linux errno values on every platform, so that C programmers recognise them;
//! Rialto's own start at -4096, clear of errno. The C header prints the same table.

use core::fmt;

/// Why a call did not do what it was asked. Nothing was changed, unless the variant says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// `release` (or `mark_consistent`, or a condition's `wait`) by a thread that does not hold the lock,
    /// `leave` by one that did not join, a permit that is not held any more, or an end (of an SPSC queue) whose
    /// member is gone; a process that is another one's child.
    NotOwner,
    /// No object of that name in the region, or no region of that name; no such index, item, key or attribute; no
    /// such entry or program.
    NotFound,
    /// A `try_` call would have had to wait: held, empty or full.
    WouldBlock,
    /// A buffer, the region, or `/dev/shm` has no room; a list, dict or namespace is full.
    NoSpace,
    /// The kernel would not give this process memory.
    NoMemory,
    /// Still in use: a lock that somebody holds (`reset`, `destroy`); a region in which a thread of this
    /// process is a member or this one holds a lock (`detach`), or a member with a message or permit in hand,
    /// or registered with a barrier (`leave`). Keys came or went while a dict was walked through. The process,
    /// or a child of the fork server, runs (`close`, `stop`).
    Busy,
    /// An object or region of that name exists already.
    Exists,
    /// A bad argument: misaligned or null memory, a size of zero, a name that is too long.
    Invalid,
    /// Every member slot of the region is in use.
    TooManyMembers,
    /// This thread holds as many locks and memberships as one thread can (64), or is a member of as many
    /// regions (16); this process has no descriptor left.
    TooManyHeld,
    /// Closed, and (for `pop`) drained.
    Closed,
    /// More permits than the semaphore may have, or a lock acquired by its owner more often than can be
    /// counted; nothing was changed.
    Overflow,
    /// The barrier is broken: somebody timed out, died, failed or aborted it. `reset` makes it whole. Or no worker of the
    /// pool gets through its start.
    Broken,
    /// This thread holds the lock already, or is within an update of that very object. In C: or in a callback of that pool.
    Deadlock,
    /// The other end of the pipe was closed, or its holder died; nothing will read this message. The fork
    /// server has ended.
    BrokenPipe,
    /// That end of the object is somebody else's, who is alive: a second producer or consumer of an SPSC
    /// queue, an end of a pipe that was claimed before.
    EndTaken,
    /// The next message killed its holders, or was given back by them, as often as the queue allows (or the
    /// queue is to stop at the first time): nothing comes before somebody takes it, see `take_poisoned`.
    Poisoned,
    /// The message is longer than the queue's maximum, or an item, key, name or value than its own; nothing was
    /// written.
    MessageTooLarge,
    /// The buffer is smaller than the queue's maximum, or than what is to be copied to it; nothing was taken.
    BufferTooSmall,
    /// This platform or kernel cannot do that.
    NotSupported,
    /// The deadline passed. After a condition's `wait` the lock is held again; a barrier is broken by it.
    TimedOut,
    /// The lock was released unrepaired after an owner's death. `reset` makes it usable again. After a
    /// condition's `wait` it is not held.
    NotRecoverable,
    /// Not a Rialto object, or its bytes contradict themselves.
    BadRegion,
    /// A Rialto region of another layout version, or with features that this build does not know.
    Version,
    /// The object of that name is of another kind or has other parameters; the attribute is of another type.
    WrongKind,
    /// The operating system said no; the value is its errno.
    Os(i32),
}

impl Error {
    /// The C status: negative, see the table in `include/rialto.h`.
    pub const fn code(self) -> i32 {
        match self {
            Error::NotOwner => -1,
            Error::NotFound => -2,
            Error::WouldBlock => -11,
            Error::NoMemory => -12,
            Error::Busy => -16,
            Error::Exists => -17,
            Error::Invalid => -22,
            Error::TooManyMembers => -23,
            Error::TooManyHeld => -24,
            Error::NoSpace => -28,
            Error::Closed => -32,
            Error::Deadlock => -35,
            Error::Poisoned => -74,
            Error::Overflow => -75,
            Error::EndTaken => -87,
            Error::MessageTooLarge => -90,
            Error::NotSupported => -95,
            Error::BrokenPipe => -104,
            Error::BufferTooSmall => -105,
            Error::TimedOut => -110,
            Error::NotRecoverable => -131,
            Error::BadRegion => -4096,
            Error::Version => -4097,
            Error::WrongKind => -4098,
            Error::Broken => -4099,
            // An errno is 1..=4095. Anything else cannot come from the kernel.
            Error::Os(errno) => {
                if errno > 0 && errno < 4096 {
                    -errno
                } else {
                    -5
                }
            }
        }
    }

    /// What [`Error::code`] made that status of, where that is one thing only; else the errno that it has.
    #[cfg(all(feature = "process", target_os = "linux", target_has_atomic = "64", not(rialto_loom)))]
    pub(crate) fn from_code(status: i32) -> Error {
        let all = [
            Error::NotFound,
            Error::NoSpace,
            Error::NoMemory,
            Error::Busy,
            Error::Invalid,
            Error::TooManyMembers,
            Error::TooManyHeld,
            Error::NotSupported,
            Error::BadRegion,
            Error::Version,
            Error::WrongKind,
            Error::Broken,
        ];
        let known = all.into_iter().find(|error| error.code() == status);
        known.unwrap_or(Error::Os(status.checked_neg().unwrap_or(0)))
    }

    /// One line for people; the C function `rialto_strerror` returns the same text.
    pub const fn message(self) -> &'static str {
        match self {
            Error::NotOwner => "not the owner",
            Error::NotFound => "not found",
            Error::WouldBlock => "would block",
            Error::NoMemory => "out of memory",
            Error::Busy => "still in use, or running, or not closed",
            Error::Exists => "exists already",
            Error::Invalid => "invalid argument",
            Error::TooManyMembers => "the region's member table is full",
            Error::TooManyHeld => "too many locks or memberships of this thread, or open descriptors",
            Error::NoSpace => "no space",
            Error::Closed => "closed",
            Error::Overflow => "more than can be counted, or than the bound",
            Error::Broken => "the barrier is broken, or no worker of the pool starts",
            Error::Deadlock => "this thread holds the lock already, or is within a call with it",
            Error::BrokenPipe => "the other end is closed or its holder died",
            Error::EndTaken => "that end is somebody else's",
            Error::Poisoned => "the next message killed its holders; take_poisoned takes it",
            Error::MessageTooLarge => "message too large",
            Error::NotSupported => "not supported here",
            Error::BufferTooSmall => "the buffer is too small",
            Error::TimedOut => "timed out",
            Error::NotRecoverable => "lock not recoverable: released unrepaired after an owner died",
            Error::BadRegion => "not a Rialto object, or damaged",
            Error::Version => "another layout version",
            Error::WrongKind => "an object of another kind or with other parameters",
            Error::Os(_) => "system call failed",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Os(errno) => write!(f, "{} (errno {errno})", self.message()),
            other => f.write_str(other.message()),
        }
    }
}

impl core::error::Error for Error {}

/// The result of every fallible call here.
pub type Result<T> = core::result::Result<T, Error>;

#[cfg(all(test, feature = "process", target_os = "linux", target_has_atomic = "64", not(rialto_loom)))]
mod tests {
    use super::*;

    #[test]
    fn errors_come_back_as_they_were() {
        for error in [
            Error::NotFound,
            Error::TooManyHeld,
            Error::Busy,
            Error::Os(libc::EAGAIN),
            Error::Version,
            Error::Broken,
        ] {
            assert_eq!(Error::from_code(error.code()), error);
        }
        assert_eq!(Error::from_code(i32::MIN).code(), -5);
    }
}
