//! Python's `multiprocessing` vocabulary in memory that the caller provides, safe under `kill -9`.
//!
//! Start with [`Region`] (memory that several processes see), then [`Queue`] and [`Lock`].
//!
//! | | where |
//! |---|---|
//! | [`Lock`], [`RLock`], [`Condition`], [`Event`], [`Semaphore`] | 64 bytes each, anywhere in shared memory |
//! | [`Value`], [`Array`], [`RawValue`], [`RawArray`] | in a region: state, found by name, never torn by a death |
//! | [`Queue`], [`Spsc`], [`Pipe`], [`TrackedSemaphore`], [`Barrier`] | in a region, which knows its members and gives back what the dead had |
//! | [`List`], [`Dict`], [`Namespace`] | in a region or anywhere else; an update is all or nothing |
//! | `process::Process` | starting others, waiting for them, ending them and with them |
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
//! Features: `std` (default), `os` (default): the Linux backend; `process` (default): starting processes; `capi`: the C functions of
//! `include/rialto.h`; `header`, for maintainers: writes that file. Without `std` and `os` the crate uses
//! neither std, libc nor a heap.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(target_endian = "big")]
compile_error!("shared memory is little-endian, see LAYOUT.md, and nothing swaps bytes yet");

#[cfg(all(feature = "os", target_os = "linux", not(target_has_atomic = "64")))]
compile_error!("the Linux backend needs 64-bit atomics: build without the feature `os`");

#[cfg(any(feature = "std", rialto_loom))]
extern crate std;

#[cfg(all(feature = "capi", target_has_atomic = "64"))]
pub mod any;
#[cfg(target_has_atomic = "64")]
pub mod array;
#[cfg(target_has_atomic = "64")]
pub mod barrier;
pub mod bytes;
pub mod condition;
#[cfg(target_has_atomic = "64")]
pub mod dict;
#[cfg(target_has_atomic = "64")]
pub mod element;
pub mod error;
pub mod event;
#[cfg(all(target_has_atomic = "64", not(rialto_loom)))]
pub mod inspect;
pub mod layout;
#[cfg(target_has_atomic = "64")]
pub mod list;
pub mod lock;
#[cfg(target_has_atomic = "64")]
pub mod member;
#[cfg(target_has_atomic = "64")]
pub mod namespace;
#[cfg(target_has_atomic = "64")]
pub mod permits;
#[cfg(target_has_atomic = "64")]
pub mod pipe;
#[cfg(not(rialto_loom))]
mod place;
#[cfg(all(feature = "process", target_os = "linux", target_has_atomic = "64", not(rialto_loom)))]
pub mod pool;
#[cfg(all(feature = "process", target_os = "linux", target_has_atomic = "64", not(rialto_loom)))]
pub mod process;
#[cfg(target_has_atomic = "64")]
pub mod queue;
#[cfg(target_has_atomic = "64")]
pub mod raw;
#[cfg(target_has_atomic = "64")]
pub mod region;
pub mod ring;
pub mod rlock;
pub mod semaphore;
#[cfg(target_has_atomic = "64")]
pub mod shadow;
#[cfg(target_has_atomic = "64")]
pub mod spsc;
pub mod stream;
pub mod sync;
pub mod sys;
pub mod time;
#[cfg(target_has_atomic = "64")]
pub mod value;
pub mod wait;

#[cfg(all(feature = "capi", target_os = "linux", target_has_atomic = "64", not(rialto_loom)))]
pub mod capi;

pub use condition::Condition;
#[cfg(target_has_atomic = "64")]
pub use dict::DictConfig;
pub use error::{Error, Result};
pub use event::Event;
#[cfg(target_has_atomic = "64")]
pub use list::ListConfig;
pub use lock::{Acquired, Guard, Lock, Lockable, Outcome};
#[cfg(target_has_atomic = "64")]
pub use member::{Depth, Recovered};
#[cfg(target_has_atomic = "64")]
pub use namespace::{Attribute, NamespaceConfig};
#[cfg(target_has_atomic = "64")]
pub use pipe::PipeConfig;
#[cfg(target_has_atomic = "64")]
pub use queue::{OnDeath, Popped, QueueConfig, QueueKind, Ticket};
#[cfg(target_has_atomic = "64")]
pub use raw::{RawArray, RawValue};
#[cfg(target_has_atomic = "64")]
pub use region::{Region, RegionConfig};
pub use rlock::RLock;
pub use semaphore::Semaphore;
#[cfg(target_has_atomic = "64")]
pub use spsc::SpscConfig;
pub use stream::{Stream, StreamConfig, StreamReader, StreamWriter};
pub use time::FOREVER;

/// A queue of a [`Region`] on this platform.
#[cfg(target_has_atomic = "64")]
pub type Queue<'r> = queue::Queue<'r, Region>;
/// A queue of plain values.
#[cfg(target_has_atomic = "64")]
pub type TypedQueue<'r, T> = queue::TypedQueue<'r, T, Region>;
/// A pipe of a [`Region`].
#[cfg(target_has_atomic = "64")]
pub type Pipe<'r> = pipe::Pipe<'r, Region>;
/// One end of a pipe.
#[cfg(target_has_atomic = "64")]
pub type Connection<'r> = pipe::Connection<'r, Region>;
/// Room for a message, to be written in place.
#[cfg(target_has_atomic = "64")]
pub type Reserved<'r> = queue::Reserved<'r, Region>;
/// A message in hand.
#[cfg(target_has_atomic = "64")]
pub type Peeked<'r> = queue::Peeked<'r, Region>;
/// A queue of a [`Region`] with one producer and one consumer.
#[cfg(target_has_atomic = "64")]
pub type Spsc<'r> = spsc::Spsc<'r, Region>;
/// Its producer's end.
#[cfg(target_has_atomic = "64")]
pub type Producer<'r> = spsc::Producer<'r, Region>;
/// Its consumer's end.
#[cfg(target_has_atomic = "64")]
pub type Consumer<'r> = spsc::Consumer<'r, Region>;
/// A semaphore of a [`Region`] that gets the permits of the dead back.
#[cfg(target_has_atomic = "64")]
pub type TrackedSemaphore<'r> = permits::TrackedSemaphore<'r, Region>;
/// One of its permits.
#[cfg(target_has_atomic = "64")]
pub type Permit<'r> = permits::Permit<'r, Region>;
/// A barrier of a [`Region`].
#[cfg(target_has_atomic = "64")]
pub type Barrier<'r> = barrier::Barrier<'r, Region>;
/// A value of a [`Region`].
#[cfg(target_has_atomic = "64")]
pub type Value<'r, T> = value::Value<'r, T, sys::Os>;
/// An array of a [`Region`].
#[cfg(target_has_atomic = "64")]
pub type Array<'r, T> = array::Array<'r, T, sys::Os>;
/// A list of byte strings.
#[cfg(target_has_atomic = "64")]
pub type List<'r> = list::List<'r, sys::Os>;
/// A dict of byte strings.
#[cfg(target_has_atomic = "64")]
pub type Dict<'r> = dict::Dict<'r, sys::Os>;
/// Named attributes.
#[cfg(target_has_atomic = "64")]
pub type Namespace<'r> = namespace::Namespace<'r, sys::Os>;
/// An explicit membership.
#[cfg(target_has_atomic = "64")]
pub type Member<'r> = member::Member<'r, Region>;

/// The README's Rust is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
