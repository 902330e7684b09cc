//! What README.md shows in C compiles and runs. (What it shows in Rust is a doc-test, see `lib.rs`.)
#![cfg(all(feature = "std", feature = "os", target_os = "linux", not(rialto_loom)))]

#[allow(dead_code)]
#[path = "../examples/wordcount/c_worker.rs"]
mod c_worker;

use std::{fs, path::Path, process::Command};

/// The README's code blocks in `language`.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(Path::new(c_worker::PACKAGE).join("README.md")).unwrap();
    let blocks = readme.split("\n```").skip(1).step_by(2);
    let of_language =
        blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n').map(str::to_owned));
    of_language.collect()
}

#[test]
fn the_c_program_in_the_readme_compiles_without_a_warning_and_succeeds() {
    if Command::new("cc").arg("--version").output().is_err() {
        println!("SKIPPED: no C compiler here");
        return;
    }
    let programs = blocks("c");
    assert!(!programs.is_empty(), "README.md has no ```c block");
    let library = c_worker::static_library().unwrap();
    for (n, program) in programs.iter().enumerate() {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("readme-{n}-{}.c", std::process::id()));
        fs::write(&path, program).unwrap();
        let binary = path.with_extension("out");
        c_worker::compile(&path, &library, &binary, &["-Werror"]).unwrap();
        assert!(Command::new(&binary).status().unwrap().success(), "{program}");
        fs::remove_file(path).unwrap();
        fs::remove_file(binary).unwrap();
    }
}

#[test]
fn the_quick_start_is_two_commands() {
    let commands = blocks("sh");
    let lines: Vec<&str> = commands[0].lines().map(|line| line.split('#').next().unwrap().trim()).collect();
    assert_eq!(lines, ["cargo run --release --example wordcount", "cargo test"]);
}

#[test]
fn the_commands_for_c_are_those_that_are_tested() {
    let source =
        fs::read_to_string(Path::new(c_worker::PACKAGE).join("examples/wordcount/c_worker.rs")).unwrap();
    let command = &blocks("sh")[1];
    for word in
        command.lines().flat_map(str::split_whitespace).filter(|word| word.starts_with('-') && *word != "-o")
    {
        let word = if word.starts_with("-I") { "-I" } else { word };
        assert!(source.contains(&format!("\"{word}\"")), "{word} of the README is not in c_worker.rs");
    }
}
