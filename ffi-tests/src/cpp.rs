//! Compiles C++ programs against `include/rialto.hpp`.

use crate::{STATIC_FLAGS, WARNINGS, compiler, libraries, root, run_program, succeed, target};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// As users have them who look closely.
const MORE_WARNINGS: [&str; 2] = ["-Wshadow", "-Wconversion"];

/// The C++ compilers, maybe with flags: `CXX`, or g++, which must be there, and clang++ if it is.
pub fn cpp_compilers() -> Vec<String> {
    compiler("CXX", "g++"); // or a message
    if let Ok(named) = std::env::var("CXX") {
        return vec![named];
    }
    let clang = Command::new("clang++").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let clang = clang.is_ok_and(|status| status.success()).then_some("clang++");
    ["g++"].into_iter().chain(clang).map(str::to_owned).collect()
}

fn command(compiler: &str) -> Command {
    let mut words = compiler.split_whitespace();
    let mut command = Command::new(words.next().expect("a compiler"));
    command.args(words);
    command
}

/// Compiles `ffi-tests/cpp/NAME.cpp`, one translation unit each, and links them to one program.
pub fn compile_cpp(names: &[&str], compiler: &str, flags: &[&str]) -> PathBuf {
    // Of its own: tests run at the same time, in this process and in others.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let folder = target().join(format!("cpp-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed)));
    fs::create_dir_all(&folder).expect("the target folder is writable");
    let mut link = command(compiler);
    for name in names {
        let object = folder.join(format!("{name}.o"));
        let mut cxx = command(compiler);
        cxx.args(flags).args(WARNINGS).args(MORE_WARNINGS).args(["-g", "-D_GNU_SOURCE", "-c", "-I"]);
        cxx.arg(root().join("include")).arg(root().join(format!("ffi-tests/cpp/{name}.cpp")));
        succeed(cxx.arg("-o").arg(&object), "cannot compile a C++ program");
        link.arg(object);
    }
    let program = folder.join("program");
    link.arg(libraries().join("librialto.a")).args(STATIC_FLAGS).arg("-o").arg(&program);
    succeed(&mut link, "cannot link a C++ program");
    program
}

/// Compiles a program, runs it without arguments, and wants it to succeed.
pub fn run_cpp(names: &[&str], compiler: &str, flags: &[&str]) -> String {
    let program = compile_cpp(names, compiler, flags);
    let folder = program.parent().map(PathBuf::from);
    let printed = run_program(program, &format!("{names:?} ({compiler} {flags:?})"));
    if let Some(folder) = folder {
        let _ = fs::remove_dir_all(folder);
    }
    printed
}

/// The line in its first comment by which an example in `examples/cpp` is built.
pub fn cpp_example_line(name: &str) -> String {
    format!("g++ -std=c++17 {name}.cpp $(pkg-config --cflags --libs rialto) -o {name}")
}

/// Builds `examples/cpp/NAME.cpp` as that line says, but with all warnings and without an installed library, and
/// runs it.
pub fn run_cpp_example(name: &str) -> String {
    let path = root().join(format!("examples/cpp/{name}.cpp"));
    let source = fs::read_to_string(&path).expect("an example");
    let line = format!(" *   {}", cpp_example_line(name));
    assert!(source.lines().take(20).any(|found| found == line), "{name}.cpp: its first comment says{line}");
    run_cpp_source(name, &source)
}

/// Builds a program of one file, with all warnings, and runs it.
pub fn run_cpp_source(name: &str, source: &str) -> String {
    let folder = target().join("examples");
    fs::create_dir_all(&folder).expect("the target folder is writable");
    let program = folder.join(format!("cpp-{name}-{}", std::process::id()));
    let file = program.with_extension("cpp");
    fs::write(&file, source).expect("the target folder is writable");
    let mut cxx = compiler("CXX", "g++");
    cxx.arg("-std=c++17").args(WARNINGS).args(MORE_WARNINGS).arg("-I").arg(root().join("include")).arg(&file);
    cxx.arg(libraries().join("librialto.a")).args(STATIC_FLAGS).arg("-o").arg(&program);
    succeed(&mut cxx, "cannot compile a C++ program");
    let _ = fs::remove_file(file);
    run_program(program, &format!("{name}.cpp"))
}
