//! The C and Python examples, built by the commands in their first comments, and run; what they print is checked.

use ffi_tests::{Peer, Unlink, WARNINGS, compile_example, compiler, libraries, root, run_example, succeed};
use std::{env, fs, process::Command, time::Duration};

/// A test for each of these examples: it succeeds, and prints just that.
macro_rules! examples {
    ($($test:ident: $name:literal prints $lines:literal)*) => {
        $(#[test]
        fn $test() {
            assert_eq!(run_example($name), $lines);
        })*
        /// What this file runs.
        const RUN: &[&str] = &[$($name,)* "consumer", "epoll", "parserpool", "poolcount", "producer", "zerocopy"];
    };
}

examples! {
    an_edit_of_an_array_is_all_or_nothing: "array" prints
        "40 traders killed, 0 wrong sums\n"
    a_dead_party_breaks_the_barrier: "barrier" prints
        "1 died, 2 found the barrier broken; after reset 3 parties went 5 phases together\n"
    who_waits_with_a_condition_is_told_of_a_death: "condition" prints
        "1000 sold, 1 deaths, 1000 delivered\n"
    an_update_of_a_dict_is_all_or_nothing: "dict" prints
        "to 4000, be 4000, or 2000, not 2000, 12000 in all; 20 writers killed, 0 torn twins\n"
    an_event_outlives_who_set_it: "event" prints
        "before: timed out, 0 running; after: set, 3 running\n"
    join_waits_for_what_a_dead_worker_had: "joinable" prints
        "100 unfinished after a worker's death, 0 after join; 100 of 100 tasks done once\n"
    an_extension_of_a_list_is_all_or_nothing: "list" prints
        "popped Bach, left Haydn Monteverdi Verdi; 20 writers killed, 0 halves\n"
    the_next_owner_of_a_lock_repairs: "lock" prints
        "4 x 10000 rounds: 40000\nowner died: found 60, repaired to 100; next owner: done\n"
    a_member_is_whose_death_counts: "member" prints
        "given back: 1 by a killed process, 1 by an ended thread, 0 by a thread that acted for us; attempt 2\n"
    a_dead_writer_of_a_namespace_holds_nobody_up: "namespace" prints
        "host localhost, port 9090, patience 2.5, verbose true\n\
         host as a number: RIALTO_EWRONGKIND; colour: RIALTO_ENOENT; 3 attributes left\n"
    the_other_end_of_a_pipe_is_told: "pipe" prints
        "12 right, and 169 from the dead; then recv: RIALTO_EPIPE; send: RIALTO_ECONNRESET\n"
    a_pool_replaces_its_workers: "pool" prints
        "one: ONE\ntwo: TWO\nevil: 3 workers died of it\nthree: THREE\n"
    a_process_is_told_and_waited_for: "process" prints
        "Counter-1 counted 5 words\nexit code 5; killed by signal 9\n"
    a_dead_worker_s_message_goes_to_the_next: "queue" prints
        "one, two, four, five, three (redelivered); 1 worker lost\n"
    programs_meet_in_a_region_whoever_is_first: "region" prints
        "3 hellos of the dead; objects: lock (kind 13, 1 user) queue (kind 1, 1 user); \
         removing the queue freed its room\n"
    a_recursive_lock_of_a_dead_owner_is_held_once: "rlock" prints
        "acquired; the last owner died: 6 begun, 3 ended; we hold it 1 time\n\
         after repair: 4 begun, 4 ended\n"
    a_plain_semaphore_s_permit_dies_with_its_holder: "semaphore" prints
        "1000 signals taken; one more? would block\na holder died: 1 of 2 left; put back; \
         and another? more than can be counted, or than the bound\n"
    both_ends_of_an_spsc_queue_are_replaced: "spsc" prints
        "100000 numbers in order, 2 ends lost\n"
    a_tracked_semaphore_s_permits_come_back: "tracked_semaphore" prints
        "3 guests died, 3 left, never more than 3 seated: true; 3 of 3 seats free\n"
    a_value_is_whole: "value" prints
        "counted 4000, raw 4000; 20 writers killed, 0 torn pages\n"
}

/// The examples in `examples/c`, without `.c`.
fn sources() -> Vec<String> {
    let files = fs::read_dir(root().join("examples/c")).expect("examples/c");
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".c").map(str::to_owned)).collect();
    names.sort();
    names
}

#[test]
fn each_example_is_run_here() {
    let mut run = RUN.to_vec();
    run.sort();
    assert_eq!(sources(), run);
    // Those without a row above have a test of their own.
    let this = include_str!("examples.rs");
    for name in &run {
        let row = format!("{name:?} prints");
        let run = format!("run_example({name:?})");
        let compiled = format!("compile_example(\"examples/c\", {name:?})");
        assert!([row, run, compiled].iter().any(|way| this.contains(way)), "{name} is not run");
    }
}

#[test]
fn each_example_is_c99_and_c11_without_a_warning() {
    let paths = sources().into_iter().map(|name| format!("examples/c/{name}.c"));
    for path in paths.chain(["examples/python/partner.c".to_owned()]) {
        for standard in [&["-std=c99", "-D_GNU_SOURCE"][..], &["-std=c11"]] {
            let mut cc = compiler("CC", "cc");
            cc.current_dir(root()).args(standard).arg("-fsyntax-only").args(WARNINGS);
            succeed(cc.args(["-I", "include", &path]), "an example is not C");
        }
    }
}

#[test]
fn a_pool_of_workers_survives_its_inputs() {
    let printed = run_example("parserpool");
    assert_eq!(printed, "1000 inputs: 987 parsed, 10 refused, 3 quarantined, 9 workers lost, exact\n");
}

#[test]
fn a_pool_of_workers_survives_its_inputs_and_kills() {
    watchdog();
    let mut pool = Peer::start_with(&compile_example("examples/c", "parserpool"), &["--kill"]);
    let (summary, kills) = (pool.line(), pool.line());
    let lost = summary.strip_prefix("1000 inputs: 987 parsed, 10 refused, 3 quarantined, ");
    let lost = lost
        .and_then(|rest| rest.strip_suffix(" workers lost, exact"))
        .unwrap_or_else(|| panic!("{summary}"));
    assert!(lost.parse::<u32>().unwrap() > 9, "{summary}");
    let doubles =
        kills.strip_prefix("39 workers killed, ").and_then(|rest| rest.split_once(" second results"));
    let (doubles, _) = doubles.unwrap_or_else(|| panic!("{kills}"));
    assert!(doubles.parse::<u32>().unwrap() > 0, "{kills}");
    pool.succeed();
}

/// The number in front of `what`, in what `poolcount` printed last.
fn counted(line: &str, what: &str) -> u64 {
    let before = line.split_once(what).unwrap_or_else(|| panic!("no `{what}` in {line}")).0;
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn a_pool_counts_files() {
    let printed = run_example("poolcount");
    assert!(printed.starts_with("exact: ") && printed.ends_with(" ms\n"), "{printed}");
    assert!(counted(&printed, " files") > 0 && counted(&printed, " lines") > 0, "{printed}");
    assert_eq!((counted(&printed, " workers killed"), counted(&printed, " pieces redone")), (0, 0));
}

#[test]
fn a_pool_counts_files_while_its_workers_are_killed() {
    watchdog();
    let folder = env::temp_dir().join(format!("rialto-poolcount-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let bytes: Vec<u8> =
        (0..3_000_000u32).map(|i| if i % 61 == 0 { b'\n' } else { i.to_le_bytes()[1] | 0x40 }).collect();
    for (name, length) in
        [("long", 3_000_000), ("empty", 0), ("one line, open", 7), ("two pieces", 512 * 1024)]
    {
        fs::write(folder.join(name), &bytes[3_000_000 - length..]).unwrap();
    }
    let newlines =
        |length: usize| bytes[3_000_000 - length..].iter().filter(|byte| **byte == b'\n').count() as u64;
    for workers in ["1", "4"] {
        let program = compile_example("examples/c", "poolcount");
        let arguments = ["--kill", "--workers", workers, folder.to_str().unwrap()];
        let mut pool = Peer::start_with(&program, &arguments);
        let last = pool.line();
        assert!(last.starts_with("exact: 4 files"), "{last}");
        assert_eq!(counted(&last, " lines"), newlines(3_000_000) + newlines(7) + newlines(512 * 1024));
        assert_eq!(counted(&last, " bytes"), 3_000_007 + 512 * 1024);
        assert!(counted(&last, " workers killed") >= 20, "{last}");
        pool.succeed();
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn python_and_c_share_a_queue_and_a_lock() {
    watchdog();
    let partner = compile_example("examples/python", "partner");
    let mut python = Command::new(env::var("PYTHON").unwrap_or("python3".to_owned()));
    python.arg(root().join("examples/python/share.py")).arg(partner).env("LD_LIBRARY_PATH", libraries());
    let output = succeed(&mut python, "share.py (Python 3 is needed; PYTHON names another one)");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "1000 messages to C and back\n\
         C killed with the lock: Python was told, and repaired\n\
         Python killed with the lock: C was told, and repaired\n"
    );
}

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
    let (producer, consumer) =
        (compile_example("examples/c", "producer"), compile_example("examples/c", "consumer"));
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
