//! Python's `multiprocessing` vocabulary in memory that the caller provides, safe under `kill -9`.
#![no_std]

#[cfg(any(feature = "std", rialto_loom))]
extern crate std;

pub mod error;
pub mod layout;
pub mod lock;
pub mod ring;
pub mod sync;
pub mod sys;
pub mod time;
pub mod wait;

#[cfg(all(feature = "capi", not(rialto_loom)))]
mod capi;

pub use error::{Error, Result};
