//! The kill matrix: for each primitive, a process is killed while it holds, while it waits, between being
//! woken and acting, and inside release, set, notify, abort. Two others sleep there; of an `Spsc` or a `Pipe`,
//! which have two parties, one: the other party, or who is to take the dead one's place. They must finish, with
//! the right outcome, and nothing may be lost; the table says what they got, and how long after.
//!
//! # Places
//! The victim is traced, so that each place is exact: *waiting* is asleep in its futex call; *woken* is the
//! return from that call, woken by another and with no further instruction done, and it was the first in
//! the row, so that the wake-up died with it; *inside* is the entry of the futex call that would have woken
//! the others, the state being changed. Without ptrace the test fails.
//!
//! # What is asked
//! - The survivors finish within the watchdog, 10 s. The bound that is promised is the tick, 100 ms; the
//!   table has the median of the measured times, and no time is asserted.
//! - Of two who wait for a lock, one is told of the death of who held it, or none if it was released.
//! - Permits, tokens, messages are all there afterwards, each once; where all parties of a barrier had come,
//!   all are released, else all find it broken, and it goes on after a reset.
//!
//! - Room that a dead one had reserved is there again; a task that it had not finished is done by another, and
//!   `join` returns then.
//! - An end of an `Spsc` is claimed by another, and goes on where it was; a message in the hand of the dead comes
//!   marked. The other end of a `Pipe` gets all that was sent whole, then the end of the stream, or a broken pipe.
//!
//! `-`: there is no such place. The second table is libc's cousins in the same cells, with one second of
//! patience: for information.
//!
//! Arguments: words that a row's name must contain. `RIALTO_MATRIX_RUNS`: runs of each cell (3).
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod matrix;
mod support;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the matrix reads x86-64 registers through Linux's ptrace");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    table::main();
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod table {
    use crate::{
        matrix::{
            barrier, condition, locks,
            peers::{self, condition as cond},
            permits::{event, plain, tracked},
            pipe, queue, spsc,
            stage::{Stage, Trouble, Verdict, list},
        },
        support::{
            process::{Exit, fork},
            shared::Shared,
        },
    };
    use rialto::{Lock, RLock};
    use std::{
        sync::atomic::{AtomicU8, AtomicU64, Ordering::*},
        time::Duration,
    };

    type Case = (&'static str, fn(&Stage) -> Verdict);

    /// A primitive: cases of holding, waiting, woken, inside.
    struct Row(&'static str, [Vec<Case>; 4]);

    fn ours() -> Vec<Row> {
        fn lock<L: locks::Kind>(name: &'static str) -> Row {
            Row(
                name,
                [
                    vec![("", locks::holding::<L>)],
                    vec![("", locks::waiting::<L>)],
                    vec![("", locks::woken::<L>), ("a third has it: ", locks::barged::<L>)],
                    vec![("", locks::release::<L>)],
                ],
            )
        }
        fn on<L: locks::Kind, const ALL: bool>(name: &'static str) -> Row {
            Row(
                name,
                [
                    vec![("", condition::holding::<L, ALL>)],
                    vec![("", condition::waiting::<L, ALL>)],
                    vec![("", condition::woken::<L, ALL>)],
                    vec![
                        ("with the lock: ", condition::notify_locked::<L, ALL>),
                        ("without: ", condition::notify_unlocked::<L, ALL>),
                    ],
                ],
            )
        }
        fn queue<const INDEXED: bool>(name: &'static str) -> Row {
            Row(
                name,
                [
                    vec![("", queue::holding::<INDEXED>)],
                    vec![("", queue::waiting::<INDEXED>)],
                    vec![("", queue::woken::<INDEXED>)],
                    vec![("push: ", queue::push::<INDEXED>), ("close: ", queue::close::<INDEXED>)],
                ],
            )
        }
        fn loans<const INDEXED: bool>(name: &'static str) -> Row {
            use queue::loans::*;
            let mut inside: Vec<Case> = vec![("commit: ", commit::<INDEXED>)];
            if INDEXED {
                inside.push(("abort: ", abort));
            }
            Row(
                name,
                [
                    vec![("", holding::<INDEXED>)],
                    vec![("", waiting::<INDEXED>)],
                    vec![("", woken::<INDEXED>)],
                    inside,
                ],
            )
        }
        fn batch<const INDEXED: bool>(name: &'static str) -> Row {
            use queue::batch::*;
            Row(
                name,
                [
                    vec![],
                    vec![("", waiting::<INDEXED>)],
                    vec![("", woken::<INDEXED>)],
                    vec![("push_many: ", push_many::<INDEXED>), ("pop_many: ", pop_many::<INDEXED>)],
                ],
            )
        }
        fn tasks<const INDEXED: bool>(name: &'static str) -> Row {
            use queue::tasks::*;
            Row(
                name,
                [
                    vec![("pop: ", holding::<INDEXED>), ("join: ", awaited::<INDEXED>)],
                    vec![("", waiting::<INDEXED>)],
                    vec![("", woken::<INDEXED>)],
                    vec![("task_done: ", task_done::<INDEXED>)],
                ],
            )
        }
        vec![
            lock::<Lock>("Lock"),
            lock::<RLock>("RLock, 3 deep"),
            Row(
                "Semaphore, plain",
                [
                    vec![("one of two gone, as documented: ", plain::holding)],
                    vec![("", plain::waiting)],
                    vec![("", plain::woken)],
                    vec![("", plain::release)],
                ],
            ),
            Row(
                "Semaphore, tracked",
                [
                    vec![("", tracked::holding)],
                    vec![("", tracked::waiting)],
                    vec![("", tracked::woken)],
                    vec![("", tracked::release)],
                ],
            ),
            Row(
                "Event",
                [
                    vec![],
                    vec![("", event::waiting)],
                    vec![("", event::woken)],
                    vec![("", event::set), ("then cleared: ", event::set_and_cleared)],
                ],
            ),
            on::<Lock, false>("Condition on Lock, notify"),
            on::<Lock, true>("Condition on Lock, notify_all"),
            on::<RLock, false>("Condition on RLock, notify"),
            on::<RLock, true>("Condition on RLock, notify_all"),
            Row(
                "Barrier",
                [
                    vec![("registered: ", barrier::registered), ("in the action: ", barrier::in_the_action)],
                    vec![("", barrier::waiting)],
                    vec![("", barrier::woken)],
                    vec![
                        ("last wait: ", barrier::completing),
                        ("abort: ", barrier::abort),
                        ("reset: ", barrier::reset),
                    ],
                ],
            ),
            queue::<false>("Queue"),
            queue::<true>("Queue, indexed"),
            loans::<false>("Queue, loans"),
            loans::<true>("Queue, indexed, loans"),
            batch::<false>("Queue, batches"),
            batch::<true>("Queue, indexed, batches"),
            tasks::<false>("Queue, joinable"),
            tasks::<true>("Queue, indexed, joinable"),
            Row(
                "Spsc, its producer dies",
                [
                    vec![
                        ("loan, then a successor: ", spsc::producer::reserved),
                        ("loan, the successor: ", spsc::producer::succeeded),
                    ],
                    vec![("", spsc::producer::waiting)],
                    vec![("", spsc::producer::woken)],
                    vec![
                        ("push: ", spsc::producer::push_one),
                        ("commit: ", spsc::producer::commit),
                        ("push_many: ", spsc::producer::push_many),
                        ("close: ", spsc::producer::close),
                    ],
                ],
            ),
            Row(
                "Spsc, its consumer dies",
                [
                    vec![
                        ("peek, then a successor: ", spsc::consumer::peeked),
                        ("peek, the successor: ", spsc::consumer::succeeded),
                    ],
                    vec![("", spsc::consumer::waiting)],
                    vec![("", spsc::consumer::woken)],
                    vec![
                        ("pop: ", spsc::consumer::pop_one),
                        ("release: ", spsc::consumer::release),
                        ("pop_many: ", spsc::consumer::pop_many),
                        ("close: ", spsc::consumer::close),
                    ],
                ],
            ),
            Row(
                "Pipe, the sender dies",
                [
                    vec![("", pipe::sender::holding)],
                    vec![("", pipe::sender::waiting)],
                    vec![("", pipe::sender::woken)],
                    vec![
                        ("send: ", pipe::sender::send),
                        ("in the middle of a message: ", pipe::sender::chunk),
                        ("close: ", pipe::sender::close),
                    ],
                ],
            ),
            Row(
                "Pipe, the receiver dies",
                [
                    vec![("", pipe::receiver::holding)],
                    vec![("", pipe::receiver::waiting)],
                    vec![("", pipe::receiver::woken)],
                    vec![
                        ("recv: ", pipe::receiver::recv),
                        ("in the middle of a message: ", pipe::receiver::chunk),
                        ("close: ", pipe::receiver::close),
                    ],
                ],
            ),
        ]
    }

    fn libcs() -> Vec<Row> {
        fn on<const ALL: bool>(name: &'static str) -> Row {
            Row(
                name,
                [
                    vec![("", cond::holding::<ALL>)],
                    vec![("", cond::waiting::<ALL>)],
                    vec![("", cond::woken::<ALL>)],
                    vec![
                        ("with the lock: ", cond::notify_locked::<ALL>),
                        ("without: ", cond::notify_unlocked::<ALL>),
                    ],
                ],
            )
        }
        vec![
            Row(
                "pthread_mutex, robust",
                [
                    vec![("", peers::mutex::holding)],
                    vec![("", peers::mutex::waiting)],
                    vec![("", peers::mutex::woken)],
                    vec![("", peers::mutex::unlock)],
                ],
            ),
            Row(
                "sem_t",
                [
                    vec![("", peers::semaphore::holding)],
                    vec![("", peers::semaphore::waiting)],
                    vec![("", peers::semaphore::woken)],
                    vec![("", peers::semaphore::post)],
                ],
            ),
            on::<false>("pthread_cond on it, signal"),
            on::<true>("pthread_cond on it, broadcast"),
            Row(
                "pthread_barrier",
                [
                    vec![],
                    vec![("", peers::barrier::waiting)],
                    vec![("", peers::barrier::woken)],
                    vec![("last wait: ", peers::barrier::completing)],
                ],
            ),
            Row(
                "JoinableQueue, as CPython builds it on sem_t",
                [
                    vec![("join: ", peers::tasks::holding)],
                    vec![],
                    vec![],
                    vec![("task_done: ", peers::tasks::task_done)],
                ],
            ),
            Row(
                "pipe(2), framed as CPython's Connection, half a message sent",
                [
                    vec![
                        ("the only writer: ", pipe::framed::only_sender),
                        ("another one writes: ", pipe::framed::one_of_two),
                        ("another one has it open: ", pipe::framed::open_elsewhere),
                    ],
                    vec![],
                    vec![],
                    vec![],
                ],
            ),
        ]
    }

    /// How one run of a cell went, in words that the referee shares with us.
    #[derive(Debug)]
    enum Run {
        Well { got: String, after_ns: u64 },
        Badly(String),
    }

    #[repr(C)]
    struct Page {
        kind: AtomicU64,
        after_ns: AtomicU64,
        text: [AtomicU8; 400],
    }

    /// In a process of its own; again if the victim was missed.
    fn run(case: Case, patience: Duration) -> Run {
        for _ in 0..30 {
            // SAFETY: atomics of zero.
            let page: Shared<Page> = unsafe { Shared::zeroed() };
            let say = |kind, text: &str| {
                page.text.iter().zip(text.bytes()).for_each(|(to, from)| to.store(from, SeqCst));
                page.kind.store(kind, SeqCst);
            };
            let mut referee =
                fork(|| match (case.1)(&Stage { patience, survivors: 2, call: libc::SYS_futex }) {
                    Ok(ended) => {
                        page.after_ns.store(ended.after_ns, SeqCst);
                        say(1, &list(&ended.got));
                    }
                    Err(Trouble::Missed) => say(2, ""),
                    Err(Trouble::Failed(what)) => say(3, &what),
                    Err(Trouble::Lost(what)) => say(3, &format!("lost: {what}")),
                });
            let exit = referee.wait(Duration::from_secs(120));
            if exit != Some(Exit::Code(0)) {
                return Run::Badly(format!("the referee ended with {exit:?}"));
            }
            let bytes: Vec<u8> = page.text.iter().map(|b| b.load(SeqCst)).take_while(|b| *b > 0).collect();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            match page.kind.load(SeqCst) {
                1 => return Run::Well { got: text, after_ns: page.after_ns.load(SeqCst) },
                2 => {}
                _ => return Run::Badly(text),
            }
        }
        Run::Badly("the victim was missed each time".into())
    }

    /// What is printed in a cell, and whether all went well.
    fn cell(cases: &[Case], runs: usize, patience: Duration) -> (String, bool) {
        let mut good = true;
        let mut parts = vec![];
        for case in cases {
            let (mut times, mut what) = (vec![], String::new());
            for _ in 0..runs {
                match run(*case, patience) {
                    Run::Well { got, after_ns } => {
                        times.push(after_ns);
                        what = got;
                    }
                    Run::Badly(why) => {
                        times.clear();
                        what = why;
                        good = false;
                        break;
                    }
                }
            }
            times.sort();
            let median = times.get(times.len() / 2).map(|ns| format!(", {:.1} ms", *ns as f64 / 1e6));
            parts.push(format!("{}{what}{}", case.0, median.unwrap_or_default()));
        }
        (if parts.is_empty() { "-".into() } else { parts.join("; ") }, good)
    }

    fn print(rows: Vec<Row>, title: &str, filter: &[String], runs: usize, patience: Duration) -> bool {
        let mut good = true;
        println!("| {title} | holding | waiting | woken, not acted | inside release/set/notify/abort |");
        println!("|---|---|---|---|---|");
        for Row(name, cells) in rows {
            if !filter.iter().all(|word| name.contains(word.as_str())) {
                continue;
            }
            let mut line = format!("| {name} |");
            for cases in &cells {
                let (text, well) = cell(cases, runs, patience);
                good &= well;
                line += &format!(" {}{text} |", if well { "" } else { "**" });
            }
            println!("{line}");
        }
        println!();
        good
    }

    pub fn main() {
        let filter: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
        let runs = std::env::var("RIALTO_MATRIX_RUNS").map_or(3, |n| n.parse().expect("a number")).max(1);
        println!(
            "kill_matrix: what the sleepers got, and the median time of {runs} runs; the tick is 100 ms\n"
        );
        let good = print(ours(), "Rialto", &filter, runs, Duration::from_secs(10));
        println!("libc, given 1 s, one run each (not asserted; ** marks what a survivor must not see):\n");
        print(libcs(), "libc", &filter, 1, Duration::from_secs(1));
        if !good {
            println!("FAILED: the cells marked ** in the first table");
            std::process::exit(1);
        }
    }
}
