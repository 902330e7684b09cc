//! Imports go down only, see the layers in the design; and only `sync` opens the door to atomics and loom.
//!
//! Reads every `crate::` path in `src/**/*.rs` outside comments. A module may import what stands in its
//! line below, its own submodules, and nothing else.

use std::{collections::BTreeSet, fs, path::Path};

/// Each module, from the bottom to the top, and what it may import.
const LAYERS: &[(&str, &[&str])] = &[
    // Leaves. `time` and `sys` know of each other: `time` is above, `sys` takes raw nanoseconds.
    ("error", &[]),
    ("sync", &[]),
    ("bytes", &[]),
    ("layout", &["sync"]),
    ("sys", &["error", "layout", "sync", "TIME_CONSTANT"]),
    ("time", &["error", "sys", "sync"]),
    ("wait", &["error", "layout", "sync", "sys", "time"]),
    ("member", &["error", "layout", "sync", "sys", "time", "wait"]),
    ("place", &["error", "sync"]),
    ("lock", &["error", "layout", "sync", "sys", "time", "wait", "place"]),
    // Objects that stand alone.
    ("rlock", &["error", "sync", "sys", "time", "lock", "place"]),
    ("event", &["error", "sync", "sys", "time", "wait", "place"]),
    ("semaphore", &["error", "sync", "sys", "time", "wait", "place"]),
    ("condition", &["error", "sync", "sys", "time", "wait", "place", "lock"]),
    // State, in two copies.
    ("element", &["error"]),
    ("shadow", &["error", "layout", "sync", "bytes", "sys", "time", "lock"]),
    ("value", &["error", "layout", "sys", "time", "element", "shadow"]),
    ("array", &["error", "layout", "sys", "time", "element", "shadow"]),
    ("any", &["error", "sys", "time", "element", "shadow", "value", "array"]),
    ("raw", &["error", "layout", "sync", "bytes", "element"]),
    ("list", &["error", "layout", "sys", "shadow"]),
    ("dict", &["error", "layout", "sys", "shadow"]),
    ("namespace", &["error", "layout", "sys", "shadow", "dict"]),
    // Objects that know their users.
    ("permits", &["error", "layout", "sync", "time", "wait", "member"]),
    ("barrier", &["error", "layout", "sync", "time", "wait", "member"]),
    // Non-blocking only: never sees an operating system.
    ("ring", &["error", "layout", "sync", "bytes"]),
    ("queue", &["error", "layout", "sync", "bytes", "sys", "time", "wait", "member", "ring"]),
    ("spsc", &["error", "layout", "sync", "bytes", "sys", "time", "wait", "member", "ring"]),
    ("stream", &["error", "layout", "sync", "bytes", "sys", "time", "wait", "ring"]),
    ("pipe", &["error", "layout", "sync", "bytes", "sys", "time", "wait", "member", "ring"]),
    (
        "region",
        &[
            "error",
            "layout",
            "sync",
            "sys",
            "time",
            "member",
            "lock",
            "rlock",
            "event",
            "semaphore",
            "condition",
            "shadow",
            "queue",
            "spsc",
            "pipe",
            "permits",
            "barrier",
            "element",
            "value",
            "array",
            "any",
            "raw",
            "list",
            "dict",
            "namespace",
        ],
    ),
    // Looks, and never writes.
    (
        "inspect",
        &[
            "error", "layout", "sync", "sys", "member", "ring", "queue", "spsc", "pipe", "permits",
            "barrier", "element", "shadow", "raw", "region",
        ],
    ),
    // Beside the objects: it knows nothing of memory that is shared.
    ("process", &["error", "sync", "sys", "time"]),
    (
        "pool",
        &["error", "layout", "bytes", "sys", "time", "member", "event", "queue", "raw", "region", "process"],
    ),
    // The top: every object that C has.
    (
        "capi",
        &[
            "error",
            "layout",
            "sync",
            "sys",
            "time",
            "wait",
            "member",
            "lock",
            "rlock",
            "event",
            "semaphore",
            "condition",
            "queue",
            "spsc",
            "pipe",
            "region",
            "any",
            "element",
            "list",
            "dict",
            "namespace",
            "process",
            "pool",
            "ROOT",
        ],
    ),
];

/// `sys` names one constant of `time` as its default tick; nothing else may go up there.
const TIME_CONSTANT: &str = "crate::time::TICK_NS";

struct Source {
    path: String,
    text: String,
}

impl Source {
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

fn read(dir: &Path, below: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{below}{}", entry.file_name().to_str().unwrap());
        if path == "bin" {
            continue; // programs, which see the library from outside
        }
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &format!("{path}/"), sources);
        } else if path.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).unwrap();
            sources.push(Source { path, text: strip(&text) });
        }
    }
}

/// Without comments and without what only unit tests see (a `mod tests` ends each file that has one).
fn strip(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The first names behind each `crate::`, braces opened: `crate::{a::B, c}` gives a and c.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    for (at, _) in text.match_indices("crate::") {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        if !rest.starts_with('{') {
            found.insert(word(rest));
            continue;
        }
        let mut depth = 0;
        let mut fresh = true;
        for (i, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => fresh = true,
                c if depth == 1 && fresh && (c.is_alphabetic() || c == '_') => {
                    found.insert(word(&rest[i..]));
                    fresh = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut sources);
    assert!(sources.len() > 20, "the sources were not found");
    sources
}

#[test]
fn imports_go_down_only() {
    let mut wrong = Vec::new();
    for source in sources() {
        let module = source.module();
        if module == "lib" {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{}: a module that has no layer", source.path));
            continue;
        };
        let text = match allowed.contains(&"TIME_CONSTANT") {
            true => source.text.replace(TIME_CONSTANT, ""),
            false => source.text.clone(),
        };
        for import in imports(&text) {
            let known = LAYERS.iter().any(|(name, _)| *name == import);
            let fine = match known {
                true => import == module || allowed.contains(&import.as_str()),
                // A name that lib.rs re-exports, from whatever layer: only the top may use those.
                false => allowed.contains(&"ROOT"),
            };
            if !fine {
                wrong.push(format!("{} imports crate::{import}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn each_layer_is_listed_above_what_it_imports() {
    for (i, (module, allowed)) in LAYERS.iter().enumerate() {
        for import in *allowed {
            if *import == "ROOT" || *import == "TIME_CONSTANT" {
                continue;
            }
            assert!(
                LAYERS[..i].iter().any(|(name, _)| name == import),
                "{module} may import {import}: upward"
            );
        }
    }
}

#[test]
fn only_sync_imports_atomics_and_loom() {
    let mut wrong = Vec::new();
    for source in sources() {
        for door in ["core::sync::atomic", "std::sync::atomic", "loom::"] {
            // The model of a kernel is made of loom's mutex and threads; its atomics are `sync`'s.
            let fine = source.path == "sync.rs"
                || (source.path == "sys/model.rs"
                    && door == "loom::"
                    && !source.text.contains("loom::sync::atomic"));
            if !fine && source.text.contains(door) {
                wrong.push(format!("{} names {door}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_imports_reads_all_forms() {
    let all = imports(
        "use crate::{error::{Error, Result}, a, self_b::C};\nfn f() { crate::d::e() } mycrate::no $crate::no",
    );
    assert_eq!(all.into_iter().collect::<Vec<_>>(), ["a", "d", "error", "self_b"]);
    assert_eq!(strip("a // crate::b\nc"), "a \nc");
}
