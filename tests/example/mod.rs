//! A Rust example's program, as a user builds it.

use std::{path::PathBuf, process::Command};

/// `cargo test` has built it before; `cargo test --test NAME` has not.
pub fn program(example: &str) -> PathBuf {
    // target/PROFILE/deps/TEST-HASH
    let deps = std::env::current_exe().unwrap();
    let profile = deps.ancestors().nth(2).unwrap();
    let release = profile.file_name().is_some_and(|name| name == "release");
    let cargo = std::env::var_os("CARGO").unwrap_or(env!("CARGO").into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--example", example, "--profile"]);
    build.arg(if release { "release" } else { "test" }).current_dir(env!("CARGO_MANIFEST_DIR"));
    build.arg("--target-dir").arg(profile.parent().unwrap());
    assert!(build.status().unwrap().success());
    profile.join("examples").join(example)
}
