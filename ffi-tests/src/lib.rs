//! Builds the C libraries as a user would, compiles C programs against the header, runs them.
//!
//! Everything lands in `target/ffi`: a target folder of its own, so that this cargo does not wait
//! for the one that runs the tests. A missing C compiler is a failure with a message, not a skip: C programs
//! are half of what Rialto promises.
//!
//! `ffi-tests/matrix` runs these tests again with other compilers, languages, widths and checkers. It says so in the
//! environment:
//!
//! | variable | what |
//! |---|---|
//! | `CC`, `CXX` | the compiler, with flags if need be: `gcc -m32` |
//! | `RIALTO_C_FLAGS` | the language and so on, instead of [`FLAGS`] |
//! | `RIALTO_C_LIBRARY` | another `librialto.a`, for programs of another width |
//! | `RIALTO_C_RUNNER` | a command that runs them: `valgrind -q` |
//! | `RIALTO_C_PATIENCE` | by how much to multiply watchdogs, also in `c/check.h` |

mod cpp;
pub mod documented;
mod peer;

pub use cpp::{cpp_compilers, cpp_example_line, run_cpp, run_cpp_example, run_cpp_source};
pub use peer::Peer;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// A named region's name; removed also if the test fails.
pub struct Unlink(pub String);

impl Drop for Unlink {
    fn drop(&mut self) {
        let _ = rialto::Region::unlink_named(&self.0);
    }
}

/// How a program gets the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// `librialto.a`.
    Static,
    /// `librialto.so`, which is not unloaded.
    Shared,
}

/// What a C program needs besides `librialto.a`.
pub const STATIC_FLAGS: [&str; 1] = ["-pthread"];

/// C programs get these, unless the environment has others.
pub const FLAGS: &str = "-std=c11 -O2 -g";

/// Every program gets these.
pub const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-pedantic", "-Werror"];

/// A program that runs longer than this hangs.
const WATCHDOG: Duration = Duration::from_secs(120);

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("ffi-tests lies in the repository")
}

/// The committed header.
pub fn header() -> String {
    fs::read_to_string(root().join("include/rialto.h")).expect("include/rialto.h is committed")
}

/// The header's functions, by name, in its order.
pub fn functions() -> Vec<String> {
    let header = header();
    let starts = header.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    let names = starts.filter_map(|line| {
        let (before, _) = line.split_once('(')?;
        let name = before.rsplit([' ', '*']).next()?;
        name.starts_with("rialto_").then(|| name.to_owned())
    });
    names.collect()
}

/// Where the libraries and programs are.
pub fn target() -> PathBuf {
    root().join("target/ffi")
}

/// The folder of `librialto.a` and `librialto.so`, built once per test program.
pub fn libraries() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
        let mut build = Command::new(cargo);
        build
            .current_dir(root())
            .arg("clib") // .cargo/config.toml
            // What the tests are instrumented with, C programs cannot link.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_BUILD_TARGET");
        succeed(&mut build, "cannot build the C libraries");
        target().join("c")
    })
}

/// The words of a variable; of `usual` if it is not set.
fn words(variable: &str, usual: &str) -> Vec<String> {
    let words = env::var(variable).unwrap_or_else(|_| usual.to_owned());
    words.split_whitespace().map(str::to_owned).collect()
}

/// A program, and its first arguments.
fn command(words: &[String]) -> Command {
    let [name, arguments @ ..] = words else { panic!("no program is named") };
    let mut command = Command::new(name);
    command.args(arguments);
    command
}

/// Where to put a file that nobody else writes: tests run at the same time, in this process and in others.
fn own(folder: &str, name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let folder = target().join(folder);
    fs::create_dir_all(&folder).expect("the target folder is writable");
    folder.join(format!("{name}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// A C (or C++) compiler. `CC` and `CXX` choose another one.
pub fn compiler(variable: &str, usual: &str) -> Command {
    let words = words(variable, usual);
    let name = words.first().unwrap_or_else(|| panic!("{variable} is empty"));
    let there = Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
    assert!(
        there,
        "no compiler `{name}`: these tests run C programs. Install one (Debian: apt-get install gcc g++), or name \
         it in {variable}."
    );
    command(&words)
}

/// What runs a compiled program.
fn runner(program: &Path) -> Command {
    match &words("RIALTO_C_RUNNER", "")[..] {
        [] => Command::new(program),
        runner => {
            let mut command = command(runner);
            command.arg(program);
            command
        }
    }
}

/// Compiles `ffi-tests/c/NAME.c` and links it.
pub fn compile(name: &str, link: Link) -> PathBuf {
    let libraries = libraries();
    let program = own(&format!("c-{link:?}").to_lowercase(), name);
    let mut cc = compiler("CC", "cc");
    cc.args(words("RIALTO_C_FLAGS", FLAGS)).arg("-D_GNU_SOURCE").args(WARNINGS);
    cc.arg("-I").arg(root().join("include")).arg("-include").arg(documented::include());
    cc.arg(root().join(format!("ffi-tests/c/{name}.c")));
    match link {
        Link::Static => {
            let library = env::var_os("RIALTO_C_LIBRARY").map(PathBuf::from);
            let library = library.unwrap_or_else(|| libraries.join("librialto.a"));
            cc.args(["-x", "none"]).arg(library).args(STATIC_FLAGS)
        }
        Link::Shared => {
            let rpath = format!("-Wl,-rpath,{}", libraries.display());
            cc.arg("-L").arg(libraries).args(["-lrialto", "-lpthread", &rpath])
        }
    };
    succeed(cc.arg("-o").arg(&program), "cannot compile a C program");
    program
}

/// How an example gets Rialto where it is installed.
const PKG_CONFIG: &str = "$(pkg-config --cflags --libs rialto)";

/// Builds `FOLDER/NAME.c` by the command in its first comment, but with all warnings, and with the header and the
/// library that are here instead of those that pkg-config knows.
pub fn compile_example(folder: &str, name: &str) -> PathBuf {
    let path = format!("{folder}/{name}.c");
    let source = fs::read_to_string(root().join(&path)).expect("an example");
    let line = source.lines().find_map(|line| line.strip_prefix(" *   ").filter(|l| l.starts_with("gcc ")));
    let line = line.unwrap_or_else(|| panic!("{path}: its first comment says how to build it, with gcc"));
    let command = line.strip_prefix("gcc ").and_then(|rest| rest.strip_suffix(&format!(" -o {name}")));
    let command = command.unwrap_or_else(|| panic!("{path}: {line}"));
    let file = format!("{name}.c");
    assert!(command.contains(PKG_CONFIG) && command.contains(&file), "{path}: {line}");
    let program = own("examples", name);
    let mut cc = compiler("CC", "cc");
    cc.current_dir(root()).args(WARNINGS).args(["-I", "include"]);
    for word in command.replace(PKG_CONFIG, "").split_whitespace() {
        cc.arg(if word == file { &path } else { word });
    }
    cc.arg(libraries().join("librialto.a")).args(STATIC_FLAGS);
    succeed(cc.arg("-o").arg(&program), "cannot compile an example");
    program
}

/// Compiles a program, runs it without arguments, and wants it to succeed.
pub fn run(name: &str, link: Link) -> String {
    run_program(compile(name, link), &format!("{name}.c ({link:?})"))
}

/// As [`run`], an example of `examples/c`.
pub fn run_example(name: &str) -> String {
    run_program(compile_example("examples/c", name), &format!("examples/c/{name}.c"))
}

fn run_program(program: PathBuf, name: &str) -> String {
    let output = finish(runner(&program), name);
    let _ = fs::remove_file(&program);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{name} failed, {}:\n{printed}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    print!("{printed}");
    printed
}

/// Runs a command to its end, or kills it at the watchdog's.
fn finish(mut command: Command, name: &str) -> Output {
    use std::{os::unix::process::CommandExt, process::Stdio};
    let mut child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {name}: {error}"));
    let patience = words("RIALTO_C_PATIENCE", "1")[0].parse::<u32>().expect("RIALTO_C_PATIENCE is a number");
    let start = Instant::now();
    while child.try_wait().expect("our child").is_none() {
        if start.elapsed() > WATCHDOG * patience {
            // With its children, who have our pipes open.
            // SAFETY: no memory of ours; the group is the child's, which has not been waited for.
            unsafe { libc::kill(-(child.id() as i32), libc::SIGKILL) };
            panic!("{name} hangs: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("our child")
}

/// Runs a tool and wants it to succeed.
pub fn succeed(command: &mut Command, otherwise: &str) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{otherwise}: {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{otherwise}: {command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
