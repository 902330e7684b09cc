//! Pools:
//!
//! | file | functions |
//! |---|---|
//! | `config` | what one is made with |
//! | `object` | create, close, join, terminate, look |
//! | `tasks` | submit, wait, map, cancel |
//! | `worker` | the other side: `rialto_pool_work` |

mod config;
mod object;
mod tasks;
mod worker;

pub use config::*;
pub use object::*;
pub use tasks::*;
pub use worker::*;
