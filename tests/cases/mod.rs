//! Runs cases, each in a fresh process: this program again, with `--case NAME`, so that its descriptors, children and
//! mappings can be counted. Whatever a case leaves behind is killed with it.
//!
//! Arguments: words that a case's name must contain; options of the usual harness are ignored.

use rialto::process::{ForkServer, Method, Program};
use std::{
    fs::File,
    io::{Read, Seek},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

pub struct Case {
    pub name: String,
    pub run: Box<dyn Fn()>,
}

pub fn case(name: impl Into<String>, run: impl Fn() + 'static) -> Case {
    Case { name: name.into(), run: Box::new(run) }
}

/// How a process is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Fork,
    Spawn,
    Server,
}

pub const WAYS: [Way; 3] = [Way::Fork, Way::Spawn, Way::Server];

impl Way {
    pub fn name(self) -> &'static str {
        match self {
            Way::Fork => "fork",
            Way::Spawn => "spawn",
            Way::Server => "fork server",
        }
    }
}

/// What starts processes so.
pub struct Starter {
    pub way: Way,
    pub server: Option<ForkServer>,
}

pub fn starter(way: Way) -> Starter {
    let server = (way == Way::Server).then(|| ForkServer::start(Program::this()).expect("a server"));
    Starter { way, server }
}

impl Starter {
    pub fn method(&self) -> Method<'_> {
        match (&self.server, self.way) {
            (Some(server), _) => Method::fork_server(server),
            // SAFETY: the cases that start processes so have one thread, or their entries do what is allowed.
            (None, Way::Fork) => unsafe { Method::fork() },
            (None, _) => Method::spawn(Program::this()),
        }
    }
}

pub fn sleep_ms(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

/// No child of this process is left, not even a zombie.
#[track_caller]
pub fn no_children() {
    // SAFETY: no out-parameter.
    let (left, errno) = unsafe {
        let left = libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG);
        (left, *libc::__errno_location())
    };
    assert!(left == -1 && errno == libc::ECHILD, "a child is left: {left}");
}

/// What the program's `main` does: `cases` of this test, none of which takes longer than so many seconds on the busiest
/// machine.
pub fn run(test: &str, cases: &[Case], watchdog_seconds: u32) {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [option, name] = &words[..] {
        if option == "--case" {
            // SAFETY: no memory involved.
            unsafe { libc::alarm(watchdog_seconds) };
            let case = cases.iter().find(|case| case.name == *name).expect("such a case");
            return (case.run)();
        }
    }
    if words.iter().any(|word| word == "--list") {
        return cases.iter().for_each(|case| println!("{}: test", case.name));
    }
    let words: Vec<_> = words.iter().filter(|word| !word.starts_with('-')).collect();
    if words.is_empty() {
        the_table_names_cases(test, cases);
    }
    let chosen = cases.iter().filter(|case| words.iter().all(|word| case.name.contains(word.as_str())));
    let begin = Instant::now();
    let (mut count, mut failed) = (0, vec![]);
    for case in chosen {
        count += 1;
        if !succeeds(case) {
            failed.push(&case.name);
        }
    }
    println!("{test}: {count} cases, {} failed, {:.1} s", failed.len(), begin.elapsed().as_secs_f32());
    if !failed.is_empty() || count == 0 {
        println!("{failed:#?}");
        std::process::exit(1);
    }
}

/// Says how it went.
fn succeeds(case: &Case) -> bool {
    let start = Instant::now();
    // Files, not pipes: a process that was left behind would keep a pipe open.
    let (mut said, mut cried) = (nameless(), nameless());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--case", &case.name])
        .stdin(Stdio::null())
        .stdout(said.try_clone().unwrap())
        .stderr(cried.try_clone().unwrap())
        .process_group(0)
        .spawn()
        .expect("ourselves");
    let status = child.wait().expect("our own child");
    // SAFETY: no memory involved; nobody else gets this number while there is one of the group, and then there is no group.
    unsafe { libc::kill(-(child.id() as i32), libc::SIGKILL) };
    let verdict = if status.success() { "ok  " } else { "FAIL" };
    println!("{verdict} {:64} {:5.1} s {}", case.name, start.elapsed().as_secs_f32(), text(&mut said).trim());
    if !status.success() {
        println!("{status}: {}", text(&mut cried));
    }
    status.success()
}

fn nameless() -> File {
    // SAFETY: a fresh descriptor of ours.
    unsafe {
        let fd = libc::memfd_create(c"case".as_ptr(), libc::MFD_CLOEXEC);
        std::os::fd::FromRawFd::from_raw_fd(fd)
    }
}

fn text(file: &mut File) -> String {
    let mut bytes = vec![];
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("a file");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Each case in the third column of this test's table in TESTING.md exists, and each case is there; `x...` is all that begin so.
fn the_table_names_cases(test: &str, cases: &[Case]) {
    let testing = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("TESTING.md")).unwrap();
    let (_, table) = testing.split_once(&format!(": `tests/{test}.rs`\n")).expect("a table in TESTING.md");
    let table = table.split("\n### ").next().unwrap();
    let column =
        table.lines().filter(|line| line.starts_with("| ")).filter_map(|line| line.split(" | ").nth(2));
    let names: Vec<_> = column.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(names.len() > 20, "the table was not understood");
    let is = |name: &str, case: &Case| match name.strip_suffix("...") {
        Some(begin) => case.name.starts_with(begin),
        None => case.name.split(" (").next() == Some(name),
    };
    for name in names.iter().filter(|name| !name.contains(".rs")) {
        assert!(cases.iter().any(|case| is(name, case)), "TESTING.md names a case that is not there: {name}");
    }
    for case in cases {
        assert!(names.iter().any(|name| is(name, case)), "TESTING.md does not name: {}", case.name);
    }
}
