//! Builds the C worker: Rialto's static library with Cargo, then `worker.c` with the C compiler.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// This package's folder.
pub const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// Builds the static library (Cargo does nothing if it is fresh); where it is, or why it is not.
pub fn static_library() -> Result<PathBuf, String> {
    let cargo = env::var_os("CARGO").unwrap_or("cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(PACKAGE)
        .args(["--quiet", "clib"]) // .cargo/config.toml
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET");
    run(&mut command, "cargo")?;
    Ok(Path::new(PACKAGE).join("target/ffi/c/librialto.a"))
}

/// Compiles and links one C file with `library` into `program`.
pub fn compile(source: &Path, library: &Path, program: &Path, flags: &[&str]) -> Result<(), String> {
    // Another process may be doing the same: write beside it, then rename.
    let fresh = program.with_extension(format!("{}", std::process::id()));
    let mut command = Command::new(env::var_os("CC").unwrap_or("cc".into()));
    command
        .args(["-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Wpedantic", "-I"])
        .arg(Path::new(PACKAGE).join("include"))
        .args(flags)
        .args([source, library])
        .args(["-pthread", "-o"])
        .arg(&fresh);
    run(&mut command, "the C compiler")?;
    fs::rename(&fresh, program).map_err(|error| format!("cannot write {}: {error}", program.display()))
}

/// The program, or why there is none.
pub fn build() -> Result<PathBuf, String> {
    let source = Path::new(PACKAGE).join("examples/wordcount/worker.c");
    if !source.exists() {
        return Err(format!("{} is not there", source.display()));
    }
    let library = static_library()?;
    let program = Path::new(PACKAGE).join("target/ffi/wordcount-worker");
    compile(&source, &library, &program, &[])?;
    Ok(program)
}

fn run(command: &mut Command, what: &str) -> Result<(), String> {
    match command.output() {
        Err(error) => Err(format!("cannot run {what}: {error}")),
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(Output { stderr, .. }) => {
            Err(format!("{what} failed:\n{}", String::from_utf8_lossy(&stderr).trim_end()))
        }
    }
}
