//! The fuzz target over C arguments knows every function of the header, and no other.

use ffi_tests::{functions, root};
use std::{collections::BTreeSet, fs};

#[test]
fn every_function_is_fuzzed() {
    let folder = root().join("fuzz/fuzz_targets/capi_args");
    let mut fuzzed: Vec<String> = Vec::new();
    for file in fs::read_dir(folder).expect("the fuzz target") {
        let source = fs::read_to_string(file.expect("a file").path()).expect("Rust");
        // A line of a table: `rialto_x: View(Queue) From Len;`.
        let lines =
            source.lines().map(str::trim).filter(|line| line.starts_with("rialto_") && line.ends_with(';'));
        fuzzed.extend(lines.filter_map(|line| Some(line.split_once(": ")?.0.to_owned())));
    }
    // Without pointers, and no statuses, or not to be called twice: `constants` calls them.
    let constants = [
        "rialto_strerror",
        "rialto_version",
        "rialto_layout_version",
        "rialto_parent_join",
        "rialto_process_main",
    ];
    fuzzed.extend(constants.map(str::to_owned));
    let once: BTreeSet<&String> = fuzzed.iter().collect();
    assert_eq!(once.len(), fuzzed.len(), "a function is in two lines");
    let header = functions();
    let missing: Vec<_> = header.iter().filter(|name| !once.contains(name)).collect();
    assert!(missing.is_empty(), "not in fuzz/fuzz_targets/capi_args: {missing:?}");
    assert_eq!(fuzzed.len(), header.len(), "the tables have functions that the header has not");
}
