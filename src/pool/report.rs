//! Which task, and what came of it.

use super::worker::{NO_FUNCTION, PANICKED, TOO_LARGE};
use core::fmt;

/// Which task it is. Goes up with each one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    pub(crate) serial: u64,
    pub(crate) slot: u32,
}

/// How a task went. `B` is `&[u8]`, the pool's own copy, or `Vec<u8>` ([`Report::to_vec`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report<B> {
    /// 0, or how many workers had it in hand before and died: then some of its effects may have happened twice.
    pub attempt: u8,
    /// What came of it.
    pub outcome: Outcome<B>,
}

/// What came of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<B> {
    /// The function returned 0, and wrote this.
    Done(B),
    /// It returned this, and wrote that.
    Failed(i32, B),
    /// It panicked, saying this.
    Panicked(B),
    /// Its result would have had so many bytes.
    TooLarge(u64),
    /// The worker has no function of that name.
    NoFunction,
    /// Its workers died, as often as the pool allows.
    Died,
    /// It took too long; its worker was killed.
    TimedOut,
    /// By [`super::Pool::cancel`] or [`super::Pool::terminate`].
    Cancelled,
    /// What the table said of it is nonsense: a process has written wild.
    Lost,
}

impl<B> Report<B> {
    /// The result of a task that was done; what came of it otherwise.
    pub fn done(self) -> Result<B, Outcome<B>> {
        match self.outcome {
            Outcome::Done(bytes) => Ok(bytes),
            other => Err(other),
        }
    }
}

impl<B> Outcome<B> {
    /// The same, with what `f` makes of the bytes, if there are any.
    pub fn map<C>(self, f: impl FnOnce(B) -> C) -> Outcome<C> {
        match self {
            Outcome::Done(bytes) => Outcome::Done(f(bytes)),
            Outcome::Failed(code, bytes) => Outcome::Failed(code, f(bytes)),
            Outcome::Panicked(bytes) => Outcome::Panicked(f(bytes)),
            Outcome::TooLarge(len) => Outcome::TooLarge(len),
            Outcome::NoFunction => Outcome::NoFunction,
            Outcome::Died => Outcome::Died,
            Outcome::TimedOut => Outcome::TimedOut,
            Outcome::Cancelled => Outcome::Cancelled,
            Outcome::Lost => Outcome::Lost,
        }
    }
}

#[cfg(feature = "std")]
impl Report<&[u8]> {
    /// A copy that is yours.
    pub fn to_vec(&self) -> Report<std::vec::Vec<u8>> {
        Report { attempt: self.attempt, outcome: self.outcome.map(<[u8]>::to_vec) }
    }
}

impl<B: AsRef<[u8]>> fmt::Display for Outcome<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &B, f: &mut fmt::Formatter<'_>| match core::str::from_utf8(bytes.as_ref()) {
            Ok("") => Ok(()),
            Ok(text) => write!(f, ": {text}"),
            Err(_) => write!(f, ", {} bytes", bytes.as_ref().len()),
        };
        match self {
            Outcome::Done(bytes) => write!(f, "done, {} bytes", bytes.as_ref().len()),
            Outcome::Failed(code, bytes) => write!(f, "failed with {code}").and_then(|()| text(bytes, f)),
            Outcome::Panicked(bytes) => f.write_str("panicked").and_then(|()| text(bytes, f)),
            Outcome::TooLarge(len) => write!(f, "a result of {len} bytes is too long"),
            Outcome::NoFunction => f.write_str("the worker has no function of that name"),
            Outcome::Died => f.write_str("its workers died"),
            Outcome::TimedOut => f.write_str("took too long"),
            Outcome::Cancelled => f.write_str("cancelled"),
            Outcome::Lost => f.write_str("the pool's table was overwritten"),
        }
    }
}

impl<'p> Outcome<&'p [u8]> {
    /// What a worker says.
    pub(super) fn of(code: i64, len: u64, bytes: &'p [u8]) -> Self {
        match code {
            0 => Outcome::Done(bytes),
            TOO_LARGE => Outcome::TooLarge(len),
            NO_FUNCTION => Outcome::NoFunction,
            PANICKED => Outcome::Panicked(bytes),
            _ => match i32::try_from(code) {
                Ok(code) => Outcome::Failed(code, bytes),
                Err(_) => Outcome::Lost,
            },
        }
    }
}
