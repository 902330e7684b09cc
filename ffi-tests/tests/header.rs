//! The header compiles alone and twice, as C99, C11, C++17 and C++20, with all warnings as errors; and links.

use ffi_tests::{STATIC_FLAGS, WARNINGS, compiler, functions, header, libraries, root, succeed, target};
use std::{fs, process::Command};

#[test]
fn compiles_alone_and_twice_in_four_languages() {
    let folder = target().join("header");
    fs::create_dir_all(&folder).unwrap();
    for standard in ["c99", "c11", "c++17", "c++20"] {
        let (language, cc) =
            if standard.contains('+') { ("c++", ("CXX", "c++")) } else { ("c", ("CC", "cc")) };
        for twice in [false, true] {
            let program = folder.join(format!("{standard}-{twice}"));
            let mut command = compiler(cc.0, cc.1);
            command.arg(format!("-std={standard}")).args(WARNINGS).args(["-x", language]);
            if twice {
                command.arg("-DTWICE");
            }
            command.arg("-I").arg(root().join("include")).arg(root().join("ffi-tests/c/twice.c"));
            command.args(["-x", "none"]).arg(libraries().join("librialto.a")).args(STATIC_FLAGS);
            succeed(command.arg("-o").arg(&program), "the header does not compile");
            succeed(&mut Command::new(&program), "the program does not run");
        }
    }
}

#[test]
fn every_function_is_documented_in_full() {
    let header = header();
    for name in functions() {
        let declares = |line: &&str| {
            line.starts_with(|c: char| c.is_ascii_lowercase()) && line.contains(&format!("{name}("))
        };
        let before: Vec<_> = header.lines().take_while(|line| !declares(line)).collect();
        let comment: Vec<_> = before.iter().rev().take_while(|line| !line.is_empty()).collect();
        let says = |what: &str| comment.iter().any(|line| line.contains(what));
        assert!(says("Since ") && says("Concurrency "), "{name}: Since, Concurrency");
        assert!(says("Signals"), "{name}: Signals");
        let status = !matches!(name.as_str(), "rialto_version" | "rialto_layout_version");
        assert!(!status || says("Returns "), "{name}: Returns");
    }
}

#[test]
fn no_dependant_builds_cbindgen() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let tree = |features: &str| {
        let mut command = Command::new(&cargo);
        command.current_dir(root()).args([
            "tree",
            "-p",
            "rialto",
            "-e",
            "normal,build",
            "--features",
            features,
        ]);
        String::from_utf8(succeed(&mut command, "cargo tree failed").stdout).unwrap()
    };
    assert!(!tree("capi").contains("cbindgen"));
    assert!(tree("capi,header").contains("cbindgen"), "the test cannot see it");
}
