//! The C examples, built by the commands in their first comments, and run.

use ffi_tests::{Peer, Unlink, compile_example, run_example};
use std::time::Duration;

/// Ends the test if an example hangs.
fn watchdog() {
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(120));
        eprintln!("an example hangs");
        std::process::exit(1);
    });
}

#[test]
fn a_consumer_survives_a_killed_producer_and_inherits_from_a_killed_consumer() {
    watchdog();
    let (producer, consumer) = (compile_example("producer"), compile_example("consumer"));
    let name = format!("rialto-example-{}", std::process::id());
    let _unlink = Unlink(name.clone());

    // It never finishes its first message.
    let mut first = Peer::start_with(&consumer, &[&name, "3600000"]);
    first.wait_for("ready");
    let mut killed = Peer::start_with(&producer, &[&name, "1000000", "1"]);
    let sent: Vec<String> = (0..3).map(|_| killed.line()).collect();
    killed.kill();
    let text = |i: usize| sent[i].strip_prefix("sent ").expect("what it sent").to_owned();
    assert_eq!(first.line(), format!("working on {}", text(0)));
    first.kill();

    let mut second = Peer::start_with(&consumer, &[&name, "0"]);
    second.wait_for("ready");
    let mut successor = Peer::start_with(&producer, &[&name, "2", "1"]);
    let last: Vec<String> = (0..2).map(|_| successor.line().replace("sent ", "working on ")).collect();
    successor.succeed();
    let mut lines = Vec::new();
    while !lines.last().is_some_and(|line: &String| line.starts_with("end: ")) {
        lines.push(second.line());
        assert_ne!(lines.last().unwrap(), "", "it ended early: {lines:?}");
    }
    second.succeed();
    assert_eq!(lines.pop().unwrap(), format!("end: {} done, 1 of them redelivered", lines.len()));

    // What the dead consumer had in hand comes when somebody first has to wait, once.
    let again = format!("working on {} (redelivered: 1 before us)", text(0));
    let place = lines.iter().position(|line| *line == again).expect("it is redelivered");
    lines.remove(place);
    // All else comes in order and once: what the dead producer sent, then its successor's.
    let its = lines.len() - 2;
    assert!(its >= 2 && lines[its..] == last, "{lines:?}");
    for (i, line) in lines[..its].iter().enumerate() {
        assert_eq!(*line, format!("working on {}", text(0).replacen('1', &(i + 2).to_string(), 1)));
    }
}

#[test]
fn frames_without_a_copy() {
    let printed = run_example("zerocopy");
    assert!(printed.starts_with("90 frames of 4194304 bytes, 0 wrong"), "{printed}");
}

#[test]
fn a_queue_in_an_event_loop() {
    let printed = run_example("epoll");
    assert!(
        printed.starts_with("20 messages in order, one producer killed, by signals and by the tick"),
        "{printed}"
    );
}
