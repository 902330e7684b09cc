//! What is left of many processes: nothing.

use super::{Case, Way, case, descriptors, no_children, starter};
use crate::procs::wait_until;
use rialto::process::ProcessConfig;
use std::process::id;

pub fn cases(way: Way) -> Vec<Case> {
    vec![case(format!("1000 processes leave nothing behind ({})", way.name()), move || thousand(way))]
}

/// A server reports an end before it closes the socket of it: until it sleeps again, and it sleeps nowhere else.
fn settle(server: u32) -> u32 {
    wait_until("the server waits for requests", || {
        let stat = std::fs::read_to_string(format!("/proc/{server}/stat"));
        stat.is_ok_and(|stat| stat.contains(") S "))
    });
    server
}

/// Descriptors; mappings; kilobytes of address space; kilobytes of memory.
fn holds(pid: u32) -> (Vec<i32>, usize, u64, u64) {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (descriptors(pid), maps.lines().count(), line("VmSize:"), line("VmRSS:"))
}

fn thousand(way: Way) {
    let mut starter = starter(way);
    let round = |starter: &super::Starter, count: usize, at_a_time: usize| {
        for first in (0..count).step_by(at_a_time) {
            let start = |i: usize| {
                let config = ProcessConfig {
                    args: format!("{}", (first + i) % 100).leak().as_bytes(),
                    daemon: i % 2 == 0,
                    ..ProcessConfig::default()
                };
                starter.start_with("exit", &config, &[])
            };
            let mut some: Vec<_> = (0..at_a_time).map(start).collect();
            for (i, process) in some.iter_mut().enumerate() {
                assert_eq!(process.join(), Ok(((first + i) % 100) as i32));
            }
        }
    };
    // What is made once for all: the lifeline, libc's buffers, the heap's first pages.
    round(&starter, 100, 20);
    let server = starter.server.as_mut().map(|server| server.process().pid() as u32);
    let before = (holds(id()), server.map(settle).map(holds));
    round(&starter, 1000, 20);
    let after = (holds(id()), server.map(settle).map(holds));
    let compare = |before: &(Vec<i32>, usize, u64, u64), after: &(Vec<i32>, usize, u64, u64)| {
        assert_eq!(before.0, after.0, "descriptors");
        assert_eq!(before.1, after.1, "mappings");
        assert!(after.2 <= before.2 + 300, "address space: {} {}", before.2, after.2);
        assert!(after.3 <= before.3 + 1500, "memory: {} {}", before.3, after.3);
    };
    compare(&before.0, &after.0);
    if let (Some(before), Some(after)) = (&before.1, &after.1) {
        compare(before, after);
    }
    if let Some(server) = starter.server.take() {
        server.stop().expect("nothing of it runs");
    }
    no_children();
}
