//! Runs `examples/async_queue.rs` as a user would.
#![cfg(all(feature = "std", feature = "os", target_os = "linux", not(rialto_loom)))]

use std::process::Command;

/// `cargo test` has built the example before; `cargo test --test async_queue` has not.
#[test]
fn a_tokio_task_awaits_messages_of_another_process() {
    // target/PROFILE/deps/async_queue-HASH
    let deps = std::env::current_exe().unwrap();
    let profile = deps.ancestors().nth(2).unwrap();
    let release = profile.file_name().is_some_and(|name| name == "release");
    let cargo = std::env::var_os("CARGO").unwrap_or(env!("CARGO").into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--example", "async_queue", "--profile"]);
    build.arg(if release { "release" } else { "test" }).current_dir(env!("CARGO_MANIFEST_DIR"));
    build.arg("--target-dir").arg(profile.parent().unwrap());
    assert!(build.status().unwrap().success());

    let output = Command::new(profile.join("examples/async_queue")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    assert_eq!(text.trim(), "100 messages in order, awaited");
}
