//! Processes:
//!
//! | file | functions |
//! |---|---|
//! | `entry` | what children run, and `rialto_process_main` |
//! | `config` | what one is started with |
//! | `object` | start, join, signals, close |
//! | `server` | fork servers |
//! | `relatives` | the calling process, and its parent |

mod config;
mod entry;
mod object;
mod relatives;
mod server;

pub use config::*;
pub use entry::*;
pub use object::*;
pub use relatives::*;
pub use server::*;

use super::{check, end, get, put, status, take};
