//! Runs `examples/pool` as a user would, workers killed and all.
#![cfg(all(feature = "std", feature = "process", target_os = "linux", not(rialto_loom)))]

mod example;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

#[allow(dead_code)]
#[path = "../examples/pool/count.rs"]
mod count;

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| example::program("pool"))
}

fn run(args: &[&str], folder: &Folder) -> Output {
    Command::new(program()).args(args).arg(&folder.0).output().unwrap()
}

/// The lines that a run has printed that must be exact.
fn exact(args: &[&str], folder: &Folder) -> Vec<String> {
    let output = run(args, folder);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_exact = text.lines().last().is_some_and(|line| line.starts_with("exact: "));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && is_exact, "{args:?}: {}\n{text}\n{errors}", output.status);
    text.lines().map(str::to_owned).collect()
}

/// The number in front of `what`.
fn number(line: &str, what: &str) -> u64 {
    let before = line.split_once(what).unwrap_or_else(|| panic!("no `{what}` in {line}")).0;
    before.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{line}"))
}

/// A folder of a test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Of each length that matters to pieces of 256 KiB, some with a last line that does not end.
fn sizes(name: &str) -> Folder {
    let folder = Folder::new(name);
    let bytes: Vec<u8> = (0..5_000_000u32).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 13) as u8).collect();
    for len in [0, 1, 262_143, 262_144, 262_145, 524_288, 5_000_000] {
        folder.write(&format!("{len}"), &bytes[..len]);
    }
    folder.write("open", b"one\ntwo");
    folder
}

#[test]
fn whoever_is_killed_the_answer_is_exact() {
    let folder = sizes("killed");
    let mut redone = 0;
    for args in [
        &["--list"][..],
        &["--list", "--kill"],
        &["--list", "--kill", "--workers", "1"],
        &["--list", "--kill", "--workers", "16"],
        &["--list", "--kill", "--rust-only"],
    ] {
        let lines = exact(args, &folder);
        let last = lines.last().unwrap();
        assert_eq!(number(last, " files"), 8);
        assert_eq!(number(last, " bytes"), 6_310_728);
        let killed = number(last, " workers killed");
        if args.contains(&"--kill") {
            assert!(killed >= 20, "{last}");
            redone += number(last, " pieces redone");
        } else {
            assert_eq!((killed, number(last, " pieces redone")), (0, 0));
        }
        // Where both languages are there, both have counted.
        let by_c = number(&lines[0], " % of them counted by workers in C");
        if args.contains(&"--rust-only") {
            assert_eq!(by_c, 0);
        } else if !args.contains(&"1") {
            assert!(by_c < 100, "{lines:?}");
        }
        // As gzip and wc say.
        for (crc, lines_there, file) in [("00000000", "0", "0"), ("0288c675", "1", "open")] {
            let name = format!("/{file}");
            let line = lines.iter().find(|line| line.ends_with(&name)).unwrap();
            assert_eq!(line.split_whitespace().take(2).collect::<Vec<_>>(), [crc, lines_there], "{line}");
        }
    }
    assert!(redone > 0, "nobody had a piece in hand when it was killed");
}

#[test]
fn many_small_files_and_a_single_empty_one() {
    let folder = Folder::new("small");
    folder.write("empty", b"");
    assert_eq!(number(&exact(&["--kill"], &folder)[1], " bytes"), 0);
    for i in 0..1000 {
        folder.write(&i.to_string(), format!("{i}\n").as_bytes());
    }
    for args in [&[][..], &["--kill"]] {
        let lines = exact(args, &folder);
        assert_eq!((number(&lines[1], " files"), number(&lines[1], " lines")), (1001, 1000));
    }
}

#[test]
fn parts_make_the_whole() {
    let folder = sizes("parts");
    for (len, cuts) in
        [(262_145u64, [1, 262_144]), (5_000_000, [262_144, 4_000_000]), (0, [0, 0]), (1, [0, 1])]
    {
        let path = folder.0.join(len.to_string());
        let whole = count::count_file(&path, len).unwrap();
        let ends = [0, cuts[0], cuts[1], len];
        let parts = ends
            .windows(2)
            .map(|end| count::count_part(&count::task(end[0], end[1] - end[0], &path)).unwrap());
        assert_eq!(parts.fold(count::Count::default(), |sum, next| sum.and(&next)), whole);
    }
}

#[test]
fn the_parent_is_killed_and_nobody_is_left() {
    let folder = Folder::new("sparse");
    // 8 GiB of nothing: takes long enough.
    fs::File::create(folder.0.join("zeros")).unwrap().set_len(8 << 30).unwrap();
    let mut parent = Command::new(program());
    let parent = parent.arg("--kill").arg(&folder.0).stdout(Stdio::null()).stderr(Stdio::null());
    let mut parent = parent.spawn().unwrap();
    let begin = Instant::now();
    let mut family = Vec::new();
    // The fork server, and three of four workers: there may be one that was killed just now.
    while family.len() < 4 {
        assert!(begin.elapsed() < Duration::from_secs(120), "{family:?}");
        assert!(parent.try_wait().unwrap().is_none(), "it has ended");
        family.clear();
        descendants(parent.id(), &mut family);
    }
    parent.kill().unwrap();
    let begin = Instant::now();
    while family.iter().any(is_alive) {
        assert!(begin.elapsed() < Duration::from_secs(10), "left behind: {family:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    parent.wait().unwrap();
}

/// Process id, and when it was started.
type Id = (u32, String);

/// What is behind the name in `/proc/PID/stat`; none if there is no such process, or it is a zombie.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let words: Vec<String> = text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect();
    (words[0] != "Z").then_some(words)
}

fn is_alive((pid, since): &Id) -> bool {
    stat(*pid).is_some_and(|words| words[19] == *since)
}

fn descendants(pid: u32, all: &mut Vec<Id>) {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    for child in children.split_whitespace().map(|child| child.parse().unwrap()) {
        all.extend(stat(child).map(|words| (child, words[19].clone())));
        descendants(child, all);
    }
}

#[test]
fn bad_arguments_and_input() {
    let folder = Folder::new("none");
    for args in [&["--workers", "0"][..], &["--workers"], &["--what"], &["/no/such/file"], &[]] {
        let output = run(args, &folder);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stderr.starts_with(b"pool: "), "{args:?}");
    }
}
