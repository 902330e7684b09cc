//! Compiles C++ programs against `include/rialto.hpp`.

use crate::{STATIC_FLAGS, WARNINGS, compiler, libraries, root, run_program, succeed, target};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

/// As users have them who look closely.
const MORE_WARNINGS: [&str; 2] = ["-Wshadow", "-Wconversion"];

/// The C++ compilers that are there: `CXX` or g++, which must be, and clang++.
pub fn cpp_compilers() -> Vec<String> {
    let name = std::env::var("CXX").unwrap_or_else(|_| "g++".to_owned());
    compiler("CXX", "g++"); // or a message
    let clang = Command::new("clang++").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let has_clang = name != "clang++" && clang.is_ok_and(|status| status.success());
    [name].into_iter().chain(has_clang.then(|| "clang++".to_owned())).collect()
}

/// Compiles `ffi-tests/cpp/NAME.cpp`, one translation unit each, and links them to one program.
pub fn compile_cpp(names: &[&str], compiler: &str, flags: &[&str]) -> PathBuf {
    let folder =
        target().join(format!("cpp-{}-{}{}", std::process::id(), compiler.replace('/', "_"), flags.concat()));
    fs::create_dir_all(&folder).expect("the target folder is writable");
    let mut link = Command::new(compiler);
    for name in names {
        let object = folder.join(format!("{name}.o"));
        let mut cxx = Command::new(compiler);
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
    let folder = target().join("examples");
    fs::create_dir_all(&folder).expect("the target folder is writable");
    let program = folder.join(format!("cpp-{name}-{}", std::process::id()));
    let mut cxx = compiler("CXX", "g++");
    cxx.arg("-std=c++17").args(WARNINGS).args(MORE_WARNINGS).arg("-I").arg(root().join("include")).arg(&path);
    cxx.arg(libraries().join("librialto.a")).args(STATIC_FLAGS).arg("-o").arg(&program);
    succeed(&mut cxx, "cannot compile a C++ example");
    run_program(program, &format!("examples/cpp/{name}.cpp"))
}
