//! Python's `multiprocessing` vocabulary in memory that the caller provides, safe under `kill -9`.
//!
//! Start with [`Region`] (memory that several processes see), then [`Queue`] and [`Lock`].
//!
//! | | where |
//! |---|---|
//! | [`Lock`], [`RLock`], [`Condition`], [`Event`], [`Semaphore`] | 64 bytes each, anywhere in shared memory |
//! | [`Queue`], [`Spsc`], [`Pipe`], [`TrackedSemaphore`], [`Barrier`] | in a region, which knows its members and gives back what the dead had |
//! | [`List`], [`Dict`], [`Namespace`] | in a region or anywhere else; an update is all or nothing |
//!
//! Every type exists twice: as the plain name for the `os` platform (Linux), and generic over [`sys::Platform`]
//! for programs that bring their own. What each word in shared memory means, who may write it, and
//! what is left when its writer dies, stands at the top of each module.
//!
//! ```
//! use rialto::{QueueConfig, Region, RegionConfig};
//!
//! let region = Region::create_anonymous(1 << 20, &RegionConfig::default())?;
//! let jobs = region.create_queue("jobs", &QueueConfig::new(64, 256))?;
//! jobs.push(b"count these words")?;
//!
//! // In a worker process: take a job in hand, do it, release it. Killed in between, it goes to
//! // somebody else, marked.
//! let job = jobs.peek()?;
//! assert_eq!((job.len(), job.redelivered()), (17, false));
//! job.release();
//! # Ok::<(), rialto::Error>(())
//! ```
//!
//! Features: `std` (default), `os` (default): the Linux backend; `capi`: the C functions of
//! `include/rialto.h`; `header`, for maintainers: writes that file. Without `std` and `os` the crate uses
//! neither std, libc nor a heap.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(target_endian = "big")]
compile_error!("shared memory is little-endian, see LAYOUT.md, and nothing swaps bytes yet");

#[cfg(any(feature = "std", rialto_loom))]
extern crate std;

pub mod barrier;
pub mod bytes;
pub mod condition;
pub mod dict;
pub mod error;
pub mod event;
pub mod layout;
pub mod list;
pub mod lock;
pub mod member;
pub mod namespace;
pub mod permits;
pub mod pipe;
#[cfg(not(rialto_loom))]
mod place;
pub mod queue;
pub mod region;
pub mod ring;
pub mod rlock;
pub mod semaphore;
pub mod shadow;
pub mod spsc;
pub mod sync;
pub mod sys;
pub mod time;
pub mod wait;

#[cfg(all(feature = "capi", target_os = "linux", not(rialto_loom)))]
pub mod capi;

pub use condition::Condition;
pub use dict::DictConfig;
pub use error::{Error, Result};
pub use event::Event;
pub use list::ListConfig;
pub use lock::{Acquired, Guard, Lock, Lockable, Outcome};
pub use member::{Depth, Recovered};
pub use namespace::{Attribute, NamespaceConfig};
pub use pipe::PipeConfig;
pub use queue::{OnDeath, Popped, QueueConfig, QueueKind, Ticket};
pub use region::{Region, RegionConfig};
pub use rlock::RLock;
pub use semaphore::Semaphore;
pub use spsc::SpscConfig;
pub use time::FOREVER;

/// A queue of a [`Region`] on this platform.
pub type Queue<'r> = queue::Queue<'r, Region>;
/// A queue of plain values.
pub type TypedQueue<'r, T> = queue::TypedQueue<'r, T, Region>;
/// A pipe of a [`Region`].
pub type Pipe<'r> = pipe::Pipe<'r, Region>;
/// One end of a pipe.
pub type Connection<'r> = pipe::Connection<'r, Region>;
/// Room for a message, to be written in place.
pub type Reserved<'r> = queue::Reserved<'r, Region>;
/// A message in hand.
pub type Peeked<'r> = queue::Peeked<'r, Region>;
/// A queue of a [`Region`] with one producer and one consumer.
pub type Spsc<'r> = spsc::Spsc<'r, Region>;
/// Its producer's end.
pub type Producer<'r> = spsc::Producer<'r, Region>;
/// Its consumer's end.
pub type Consumer<'r> = spsc::Consumer<'r, Region>;
/// A semaphore of a [`Region`] that gets the permits of the dead back.
pub type TrackedSemaphore<'r> = permits::TrackedSemaphore<'r, Region>;
/// One of its permits.
pub type Permit<'r> = permits::Permit<'r, Region>;
/// A barrier of a [`Region`].
pub type Barrier<'r> = barrier::Barrier<'r, Region>;
/// A list of byte strings.
pub type List<'r> = list::List<'r, sys::Os>;
/// A dict of byte strings.
pub type Dict<'r> = dict::Dict<'r, sys::Os>;
/// Named attributes.
pub type Namespace<'r> = namespace::Namespace<'r, sys::Os>;
/// An explicit membership.
pub type Member<'r> = member::Member<'r, Region>;

/// The README's Rust is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
