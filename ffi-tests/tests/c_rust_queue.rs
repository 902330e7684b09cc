//! A joinable and an indexed queue between C and Rust processes, at different addresses. Each side is killed
//! once with a task popped and a frame half written; the other finds the task again, and the frame's room.

use ffi_tests::{Link, Peer, Unlink, compile};
use rialto::{Error, Queue, QueueConfig, QueueKind, Region, RegionConfig};
use std::{path::PathBuf, sync::OnceLock};

const TWENTY_SECONDS: u64 = 20_000_000_000;
/// As in `c/tasks.c`.
const TASKS: u32 = 300;
const FRAME: usize = 1 << 15;
const FRAMES: u32 = 4;

fn tasks_config() -> QueueConfig {
    QueueConfig { joinable: true, ..QueueConfig::new(8, 16) }
}

fn frames_config() -> QueueConfig {
    QueueConfig { kind: QueueKind::Indexed, ..QueueConfig::new(FRAMES, FRAME as u32) }
}

fn name(what: &str) -> String {
    format!("rialto-ffi-{what}-{}", std::process::id())
}

/// The C program; compiled once.
fn program() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| compile("tasks", Link::Static)).clone()
}

fn frame(task: u32) -> Vec<u8> {
    (0..FRAME - task as usize).map(|at| ((task as usize + at) % 251) as u8).collect()
}

/// Whether all frames are free.
fn frames_are_free(frames: &Queue<'_>) -> bool {
    let loans: Vec<_> = (0..FRAMES).map(|_| frames.try_reserve(FRAME)).collect();
    loans.iter().all(Result::is_ok)
}

#[test]
fn rust_creates_and_c_is_killed() {
    let name = name("tasks");
    let _unlink = Unlink(name.clone());
    let region = Region::create_named(&name, 1 << 20, &RegionConfig::default()).unwrap();
    let tasks = region.create_queue("tasks", &tasks_config()).unwrap();
    let frames = region.create_queue("frames", &frames_config()).unwrap();

    tasks.push(&0u32.to_ne_bytes()).unwrap();
    let mut holder = Peer::start(&program(), "hold", &name);
    holder.wait_for("holding");
    assert!(tasks.is_empty() && !frames_are_free(&frames));
    assert_eq!((tasks.unfinished(), tasks.join_timeout(0)), (1, Err(Error::WouldBlock)));
    holder.kill();

    // Its task comes first, marked.
    let mut buffer = [0; 16];
    let again = tasks.pop_timeout(&mut buffer, TWENTY_SECONDS).unwrap();
    assert_eq!((again.len, again.attempt, &buffer[..4]), (4, 1, &0u32.to_ne_bytes()[..]));
    assert!(frames_are_free(&frames) && frames.is_empty());
    tasks.give_back(again.ticket).unwrap();

    let mut worker = Peer::start(&program(), "work", &name);
    let mut sent = 1;
    for task in 0..TASKS {
        while sent < TASKS && tasks.try_push(&sent.to_ne_bytes()).is_ok() {
            sent += 1;
        }
        let got = frames.peek_timeout(TWENTY_SECONDS).unwrap();
        let mut bytes = vec![0; got.len()];
        got.copy_to(&mut bytes);
        assert!(bytes == frame(task), "frame {task}");
        got.release();
    }
    tasks.join_timeout(TWENTY_SECONDS).unwrap();
    tasks.close();
    worker.wait_for("done");
    worker.succeed();
}

/// In a process of its own: this program runs itself with this variable set.
const VICTIM: &str = "RIALTO_FFI_VICTIM";

/// Pops a task, reserves a frame, says so, and waits to be killed. Does nothing in an ordinary run.
#[test]
fn victim() {
    let Ok(name) = std::env::var(VICTIM) else { return };
    let region = Region::attach_named(&name).unwrap();
    let tasks = region.open_queue_as("tasks", &tasks_config()).unwrap();
    let frames = region.open_queue_as("frames", &frames_config()).unwrap();
    tasks.pop(&mut [0; 16]).unwrap();
    let mut loan = frames.reserve(FRAME).unwrap();
    loan.write(&[1; FRAME]).unwrap();
    println!("holding");
    std::thread::sleep(std::time::Duration::from_secs(60));
    panic!("nobody came to kill us");
}

#[test]
fn c_creates_and_rust_is_killed() {
    let name = name("host");
    let _unlink = Unlink(name.clone());
    let mut host = Peer::start(&program(), "host", &name);
    host.wait_for("ready");
    let region = Region::attach_named(&name).unwrap();
    let tasks = region.open_queue_as("tasks", &tasks_config()).unwrap();
    let frames = region.open_queue_as("frames", &frames_config()).unwrap();
    assert_eq!(region.open_queue_as("tasks", &frames_config()).err(), Some(Error::WrongKind));
    for _ in 0..TASKS {
        let mut buffer = [0; 16];
        let popped = tasks.pop_timeout(&mut buffer, TWENTY_SECONDS).unwrap();
        assert_eq!((popped.len, popped.attempt), (4, 0));
        let wanted = frame(u32::from_ne_bytes(buffer[..4].try_into().unwrap()));
        let mut loan = frames.reserve_timeout(FRAME, TWENTY_SECONDS).unwrap();
        loan.truncate(wanted.len());
        loan.write(&wanted).unwrap();
        loan.commit().map_err(|(_, error)| error).unwrap();
        tasks.task_done(popped.ticket).unwrap();
    }
    host.wait_for("joined");
    host.wait_for("pushed");

    let victim = Peer::victim(VICTIM, &name);
    victim.kill();
    host.tell("dead");
    host.wait_for("inherited");
    host.succeed();
}
