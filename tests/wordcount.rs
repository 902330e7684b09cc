//! Runs `examples/wordcount` as a user would, workers killed and all, and checks its parts.
#![cfg(all(feature = "std", feature = "os", target_os = "linux", not(rialto_loom)))]

#[allow(dead_code)]
#[path = "../examples/wordcount/message.rs"]
mod message;
#[allow(dead_code)]
#[path = "../examples/wordcount/text.rs"]
mod text;

use proptest::prelude::*;
mod example;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| example::program("wordcount"))
}

fn wordcount(args: &[&str]) -> Output {
    Command::new(program()).args(args).output().unwrap()
}

/// Standard output of a run that must be exact.
fn exact(args: &[&str]) -> String {
    let output = wordcount(args);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().last().unwrap_or("");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && last.contains("exact"),
        "{args:?}: {}\n{text}\n{errors}",
        output.status
    );
    println!("{text}");
    text
}

/// The number before `what` in the summary.
fn number(text: &str, what: &str) -> usize {
    let before = text.split(what).next().filter(|before| before.len() < text.len()).expect(what);
    before.trim_end().rsplit(' ').next().unwrap().parse().expect(what)
}

/// A file of its own for this test process.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("wordcount-{}-{name}", std::process::id()));
    fs::write(&path, bytes).unwrap();
    path
}

/// Text that is hard to cut: no spaces for long, bytes of all kinds, no newline at the end.
fn nasty() -> Vec<u8> {
    let mut text = vec![b'A'; 100_000];
    text.extend((0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8));
    text.extend(b"a b c d e f g h ".repeat(10_000));
    text.extend((0..30_000u32).flat_map(|n| format!("{n:x} ").into_bytes()));
    text.extend([0xc3, 0xa4].repeat(20_000));
    text
}

#[test]
fn killing_workers_does_not_change_the_count() {
    let text = exact(&["--kill", "--mib", "8"]);
    // The example goes on until so many were killed.
    assert!(number(&text, "Rust and") + number(&text, "C workers") >= 20, "{text}");
}

#[test]
fn records_that_were_counted_twice_are_dropped_once() {
    let text = exact(&["--kill", "--mib", "2", "--linger-us", "5000", "--rust-only"]);
    // Nearly all their time the workers sleep between push and release, so that is where they die.
    assert!(number(&text, "duplicates dropped") >= 1, "{text}");
    assert!(number(&text, "jobs redelivered") >= number(&text, "duplicates dropped"), "{text}");
}

#[test]
fn rust_workers_count_nasty_text_exactly() {
    let path = file("nasty-rust", &nasty());
    exact(&["--rust-only", "--workers", "2", path.to_str().unwrap()]);
    fs::remove_file(path).unwrap();
}

#[test]
fn the_c_worker_counts_nasty_text_exactly() {
    let path = file("nasty-c", &nasty());
    let text = exact(&["--workers", "1", path.to_str().unwrap()]);
    fs::remove_file(path).unwrap();
    if Command::new("cc").arg("--version").output().is_err() {
        assert!(text.contains("no C worker"), "{text}");
        println!("SKIPPED: no C compiler here, so no C worker");
        return;
    }
    assert_eq!(number(&text, "% of the records by the C worker"), 100, "{text}");
}

#[test]
fn bad_input_is_a_clear_error() {
    let empty = file("empty", b"");
    let empty_name = empty.to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["/nonexistent/file"], "cannot read /nonexistent/file"),
        (&["/"], "cannot read /"),
        (&[empty_name], "is empty"),
        (&["--workers", "0"], "--workers 0"),
        (&["--workers"], "--workers needs a number"),
        (&["--mib=many"], "--mib many"),
        (&["--frobnicate"], "unknown option --frobnicate"),
        (&["--kill=3"], "--kill takes no value"),
    ];
    for (args, complaint) in cases {
        let output = wordcount(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {errors}");
        assert!(errors.contains(complaint) && output.stdout.is_empty(), "{args:?}: {errors}");
    }
    fs::remove_file(empty).unwrap();
    let help = wordcount(&["--help"]);
    assert!(help.status.success() && help.stdout.starts_with(b"usage: wordcount"));
}

/// Text with words of all lengths, so that cuts fall everywhere.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..2000),
        prop::collection::vec(prop_oneof![9 => Just(b'x'), 1 => Just(b' ')], 0..2000),
        prop::collection::vec(prop_oneof![200 => b'a'..b'e', 1 => Just(b'\n')], 0..2000),
    ]
}

proptest! {
    #[test]
    fn cutting_changes_no_word(text in any_text(), max in text::WORD_MAX..300) {
        let (mut rest, mut pieces, mut whole) = (&text[..], text::Counts::default(), text::Counts::default());
        while !rest.is_empty() {
            let at = text::cut(rest, max);
            prop_assert!((1..=max).contains(&at));
            pieces.add_text(&rest[..at]);
            rest = &rest[at..];
        }
        whole.add_text(&text);
        prop_assert!(pieces == whole);
    }

    #[test]
    fn a_result_says_what_is_in_its_record(mut text in any_text(), id: u64, attempt: u8) {
        let (mut result, mut told, mut counted) = (Vec::new(), text::Counts::default(), text::Counts::default());
        counted.add_text(&text);
        message::write_result(&mut result, id, &mut text, attempt);
        prop_assert!(result.len() <= 20 + 2 * (text.len() + 1));
        let tally = message::Tally::read(&result).unwrap();
        prop_assert_eq!((tally.id, tally.attempt, tally.language), (id, attempt, b'R'));
        tally.add_to(&mut told);
        prop_assert!(told == counted);
        // A part of it is no result, and no panic.
        for len in (0..result.len()).step_by(1 + result.len() / 50) {
            prop_assert!(message::Tally::read(&result[..len]).is_none());
        }
    }

    #[test]
    fn hostile_results_are_refused_or_read_within_their_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(tally) = message::Tally::read(&bytes) {
            tally.add_to(&mut text::Counts::default());
        }
    }
}
