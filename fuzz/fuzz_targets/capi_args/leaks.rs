//! Counts descriptors and shared mappings, which an input must leave as they were.

use std::{
    fs,
    path::PathBuf,
    sync::OnceLock,
    sync::atomic::{AtomicU64, Ordering::*},
};

/// What is open, without pipes: those are the symbolizer's. And the number of shared mappings.
fn now() -> (Vec<PathBuf>, usize) {
    let maps = fs::read_to_string("/proc/self/maps").expect("/proc");
    let shared = maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|may| may.ends_with('s')));
    let open = fs::read_dir("/proc/self/fd").expect("/proc").flatten();
    let open = open.filter_map(|fd| fs::read_link(fd.path()).ok());
    let mut open: Vec<PathBuf> = open.filter(|path| !path.to_string_lossy().starts_with("pipe:")).collect();
    open.sort();
    (open, shared.count())
}

/// After the first few inputs, each a case to be reproduced perhaps; then now and then.
pub fn check() {
    static INPUTS: AtomicU64 = AtomicU64::new(0);
    static FIRST: OnceLock<(Vec<PathBuf>, usize)> = OnceLock::new();
    let input = INPUTS.fetch_add(1, Relaxed);
    if input < 4 || input % 64 == 0 {
        assert_eq!(&now(), FIRST.get_or_init(now), "descriptors and shared mappings: now, and at first");
    }
}
