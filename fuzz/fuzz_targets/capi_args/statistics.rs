//! For who looks at it: with RIALTO_FUZZ_STATISTICS=1, which functions have succeeded so far, and which have not; with
//! RIALTO_FUZZ_TRACE=1, each call.

use std::{
    collections::BTreeMap,
    env,
    sync::atomic::{AtomicU64, Ordering::*},
    sync::{Mutex, OnceLock},
};

static COUNTS: Mutex<BTreeMap<&str, BTreeMap<i32, u64>>> = Mutex::new(BTreeMap::new());

fn is_wanted() -> bool {
    static WANTED: OnceLock<bool> = OnceLock::new();
    *WANTED.get_or_init(|| env::var_os("RIALTO_FUZZ_STATISTICS").is_some())
}

fn is_traced() -> bool {
    static WANTED: OnceLock<bool> = OnceLock::new();
    *WANTED.get_or_init(|| env::var_os("RIALTO_FUZZ_TRACE").is_some())
}

/// Before a call: it may not return.
pub fn trace(name: &str, words: &[u64]) {
    if is_traced() {
        eprintln!("{name}{words:x?}");
    }
}

pub fn count(name: &'static str, words: &[u64], status: i32) {
    if is_traced() {
        eprintln!("{name}{words:x?} = {status}");
    }
    if is_wanted() {
        let mut counts = COUNTS.lock().expect("short");
        *counts.entry(name).or_default().entry(status).or_default() += 1;
    }
}

/// Now and then.
pub fn print() {
    static INPUTS: AtomicU64 = AtomicU64::new(0);
    if !is_wanted() || INPUTS.fetch_add(1, Relaxed) % 500 != 499 {
        return;
    }
    let counts = COUNTS.lock().expect("short");
    let (mut calls, mut successes, mut never) = (0, 0, vec![]);
    for entry in super::table() {
        let by_status = counts.get(entry.name);
        calls += by_status.map_or(0, |by| by.values().sum());
        let done: u64 = by_status.map_or(0, |by| by.range(0..).map(|(_, n)| n).sum());
        successes += done;
        if done == 0 {
            never.push(format!("{} {:?}", entry.name, by_status));
        }
    }
    let all = super::table().len();
    eprintln!("{} of {all} functions have succeeded; {successes} of {calls} calls. Not:", all - never.len());
    never.iter().for_each(|line| eprintln!("  {line}"));
}
