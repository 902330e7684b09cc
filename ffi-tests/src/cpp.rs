//! Compiles C++ programs against `include/rialto.hpp`.

use crate::{STATIC_FLAGS, WARNINGS, command, compiler, libraries, own, root, run_program, succeed};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
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

/// Compiles these files, one translation unit each, links them to one program, and runs that.
fn run_files(name: &str, files: &[PathBuf], compiler: &str, flags: &[&str]) -> String {
    let folder = own("cpp", name);
    fs::create_dir_all(&folder).expect("the target folder is writable");
    let words: Vec<_> = compiler.split_whitespace().map(str::to_owned).collect();
    let mut link = command(&words);
    for file in files {
        let object = folder.join(file.with_extension("o").file_name().expect("a file"));
        let mut cxx = command(&words);
        cxx.args(flags).args(WARNINGS).args(MORE_WARNINGS).args(["-g", "-D_GNU_SOURCE", "-c", "-I"]);
        cxx.arg(root().join("include")).arg(file).arg("-o").arg(&object);
        succeed(&mut cxx, "cannot compile a C++ program");
        link.arg(object);
    }
    let program = folder.join("program");
    link.arg(libraries().join("librialto.a")).args(STATIC_FLAGS).arg("-o").arg(&program);
    succeed(&mut link, "cannot link a C++ program");
    let printed = run_program(program, &format!("{name} ({compiler} {flags:?})"));
    let _ = fs::remove_dir_all(folder);
    printed
}

/// Compiles `ffi-tests/cpp/NAME.cpp` to one program, runs it without arguments, and wants it to succeed.
pub fn run_cpp(names: &[&str], compiler: &str, flags: &[&str]) -> String {
    let files: Vec<_> = names.iter().map(|name| root().join(format!("ffi-tests/cpp/{name}.cpp"))).collect();
    run_files(&names.join("-"), &files, compiler, flags)
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
    run_alone(name, path)
}

/// Builds a program of one file, with all warnings, and runs it.
pub fn run_cpp_source(name: &str, source: &str) -> String {
    let file = own("cpp", name).with_extension("cpp");
    fs::write(&file, source).expect("the target folder is writable");
    let printed = run_alone(name, file.clone());
    let _ = fs::remove_file(file);
    printed
}

fn run_alone(name: &str, file: PathBuf) -> String {
    run_files(name, &[file], &cpp_compilers()[0], &["-std=c++17"])
}
