//! `include/rialto.hpp`: its tests with every compiler and standard that is there, and that nothing of the C library
//! is left out. And the C++ examples.

use ffi_tests::{cpp_compilers, functions, root, run_cpp, run_cpp_example, run_cpp_source};
use std::fs;

/// Each includes the header: five translation units in one program.
const PARTS: [&str; 5] = ["main", "sync", "queues", "state", "moves"];

#[test]
fn cpp17() {
    for compiler in cpp_compilers() {
        assert_eq!(run_cpp(&PARTS, &compiler, &["-std=c++17"]), "ok\n");
    }
}

#[test]
fn cpp20() {
    for compiler in cpp_compilers() {
        assert_eq!(run_cpp(&PARTS, &compiler, &["-std=c++20"]), "ok\n");
    }
}

#[test]
fn without_exceptions() {
    for compiler in cpp_compilers() {
        assert_eq!(run_cpp(&["nothrow"], &compiler, &["-std=c++17", "-fno-exceptions", "-O2"]), "ok\n");
    }
}

#[test]
fn processes_and_pools() {
    for compiler in cpp_compilers() {
        for flags in [&["-std=c++17"][..], &["-std=c++20"], &["-std=c++17", "-fno-exceptions", "-O2"]] {
            assert_eq!(run_cpp(&["processes"], &compiler, flags), "ok\n");
        }
    }
}

#[test]
fn with_and_without_in_one_program() {
    for compiler in cpp_compilers() {
        for parts in [["mixed", "mixed_without"], ["mixed_without", "mixed"]] {
            assert_eq!(run_cpp(&parts, &compiler, &["-std=c++17"]), "ok\n");
        }
    }
}

#[test]
fn the_program_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let block = readme.split("```cpp\n").nth(1).expect("a block").split("```").next().unwrap();
    assert_eq!(run_cpp_source("readme", block), "5050\n");
}

/// The header's code, without comments.
fn code() -> String {
    let folder = fs::read_dir(root().join("include/rialto")).expect("include/rialto");
    let mut code = String::new();
    for file in folder {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for (i, piece) in text.split("/*").enumerate() {
            let outside = if i == 0 { piece } else { piece.split_once("*/").expect("an ended comment").1 };
            code.extend(outside.lines().flat_map(|line| [line.split("//").next().unwrap(), "\n"]));
        }
    }
    code
}

#[test]
fn nothing_of_the_c_library_is_left_out() {
    let code = code();
    let words: std::collections::BTreeSet<_> =
        code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    // Predicates may throw in C++: Condition::wait_for asks them itself, between the plain waits.
    let exempt = ["wait_for", "wait_for_timeout", "wait_for_rlock", "wait_for_timeout_rlock"]
        .map(|name| format!("rialto_condition_{name}"));
    let functions = functions();
    assert!(functions.len() > 300, "{functions:?}");
    for name in functions {
        let is_exempt = exempt.contains(&name);
        assert!(words.contains(name.as_str()) != is_exempt, "{name} and rialto.hpp");
    }
}

#[test]
fn every_part_is_in_the_header() {
    let header = fs::read_to_string(root().join("include/rialto.hpp")).unwrap();
    let mut parts = 0;
    for file in fs::read_dir(root().join("include/rialto")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let by_others = ["copies.hpp", "ends.hpp", "message.hpp", "state.hpp", "view.hpp"];
        let line = format!("#include \"rialto/{name}\"\n");
        assert!(header.contains(&line) || by_others.contains(&name.as_str()), "{name}");
        parts += 1;
    }
    assert!(parts > 15);
}

const POOL: &str = concat!(
    "quarantined: 7 \"evil\" 87 \"evil\" 167 \"evil\"\n",
    "200 inputs: 197 results, each once; 3 quarantined; 9 workers died\n"
);

/// Name, and how what it prints begins.
const EXAMPLES: [(&str, &str); 16] = [
    ("barrier", "3 workers, 5 rounds, in step\n"),
    ("collections", "tasks: b c\n"),
    ("condition", "received 0 1 2 3 4, none lost\n"),
    ("event", "started when told\n"),
    ("inspect", "jobs: queue\n"),
    ("lock", "3000 counted; a killed owner was noticed, its change repaired\n"),
    ("parser_pool", POOL),
    ("pipe", "hello -> HELLO\n"),
    ("pool", "ONE TWO THREE; four: not a word\n"),
    ("process", "counted 5; killed by signal 9\n"),
    ("queue", "5 jobs done, one of them twice\n"),
    ("rlock", "counted 6, held 3 times at most\n"),
    ("semaphore", "never more than 2 of 6 at once\n"),
    ("spsc", "1000 samples in order\n"),
    ("tracked_semaphore", "the dead one's permit came back\n"),
    ("value", "4000 hits, histogram 1000 1000 1000 1000\n"),
];

#[test]
fn examples() {
    let mut there: Vec<_> = fs::read_dir(root().join("examples/cpp"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".cpp"))
        .collect();
    there.sort();
    assert_eq!(there, EXAMPLES.map(|(name, _)| format!("{name}.cpp")));
    for (name, begins) in EXAMPLES {
        let printed = run_cpp_example(name);
        assert!(printed.starts_with(begins), "{name}: {printed}");
    }
}
