//! C programs that use only the header, with the static and the shared library.

use ffi_tests::{Link, functions, libraries, root, run, succeed};
use std::{collections::BTreeSet, fs, process::Command};

#[test]
fn locks_between_c_processes() {
    run("lock", Link::Static);
}

#[test]
fn queues_between_c_processes() {
    run("queue", Link::Static);
}

#[test]
fn messages_written_in_place_between_c_processes() {
    run("loans", Link::Static);
}

#[test]
fn batches_between_c_processes() {
    run("batch", Link::Static);
}

#[test]
fn joinable_queues_between_c_processes() {
    run("join", Link::Static);
}

#[test]
fn event_loops_between_c_processes() {
    run("poll", Link::Static);
}

#[test]
fn what_becomes_of_messages_whose_holder_died() {
    run("policies", Link::Static);
}

#[test]
fn recursive_locks_between_c_processes() {
    run("rlock", Link::Static);
}

#[test]
fn events_between_c_processes() {
    run("event", Link::Static);
}

#[test]
fn semaphores_between_c_processes() {
    run("semaphore", Link::Static);
}

#[test]
fn conditions_between_c_processes() {
    run("condition", Link::Static);
}

#[test]
fn tracked_semaphores_between_c_processes() {
    run("permits", Link::Static);
}

#[test]
fn barriers_between_c_processes() {
    run("barrier", Link::Static);
}

#[test]
fn pipes_between_c_processes() {
    run("pipe", Link::Static);
}

#[test]
fn spsc_queues_between_c_processes() {
    run("spsc", Link::Static);
}

#[test]
fn values_and_arrays_between_c_processes() {
    run("state", Link::Static);
}

#[test]
fn lists_dicts_and_namespaces_between_c_processes() {
    run("collections", Link::Static);
}

#[test]
fn named_objects_between_c_processes() {
    run("directory", Link::Static);
}

#[test]
fn regions_of_every_kind() {
    run("region", Link::Static);
}

#[test]
fn processes_by_spawn_fork_and_server() {
    run("process", Link::Static);
}

#[test]
fn pools_of_c_workers() {
    run("pool", Link::Static);
}

#[test]
fn threads_are_members() {
    run("threads", Link::Static);
}

#[test]
fn golden_sizes_and_bytes() {
    run("abi", Link::Static);
}

#[test]
fn every_macro() {
    run("macros", Link::Static);
}

#[test]
fn every_function_refuses_null() {
    let source = fs::read_to_string(root().join("ffi-tests/c/null.c")).unwrap();
    // These take no pointer.
    let exempt = [
        "rialto_strerror",
        "rialto_version",
        "rialto_layout_version",
        "rialto_parent_join",
        "rialto_parent_join_timeout",
    ];
    for name in functions() {
        let tested = source.contains(&format!("REFUSED({name}("));
        assert!(tested != exempt.contains(&name.as_str()), "{name}: null.c must pass it NULL");
    }
    run("null", Link::Static);
}

#[test]
fn all_of_them_with_the_shared_library() {
    for name in ["lock", "queue", "region", "threads", "abi", "macros", "null", "state", "collections"] {
        run(name, Link::Shared);
    }
    for name in ["loans", "batch", "join", "poll", "policies", "process", "pool"] {
        run(name, Link::Shared);
    }
    for name in
        ["rlock", "event", "semaphore", "condition", "permits", "barrier", "pipe", "spsc", "directory"]
    {
        run(name, Link::Shared);
    }
}

#[test]
fn the_shared_library_exports_what_the_header_says_and_stays_loaded() {
    let library = libraries().join("librialto.so");
    let listed =
        succeed(Command::new("nm").args(["-D", "--defined-only"]).arg(&library), "nm (binutils) failed");
    let listed = String::from_utf8(listed.stdout).unwrap();
    let exported: BTreeSet<_> = listed.lines().filter_map(|line| line.split_whitespace().last()).collect();
    let promised = functions();
    assert!(promised.len() > 160, "{promised:?}");
    let promised: BTreeSet<_> = promised.iter().map(String::as_str).collect();
    let ours: BTreeSet<_> = exported.into_iter().filter(|name| name.starts_with("rialto")).collect();
    assert_eq!(ours, promised);

    let dynamic = succeed(Command::new("readelf").arg("-d").arg(&library), "readelf (binutils) failed");
    assert!(String::from_utf8_lossy(&dynamic.stdout).contains("NODELETE"));
}
