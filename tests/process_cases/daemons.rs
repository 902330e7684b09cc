//! Daemons end with their parent, and not sooner; others do not.

use super::{Case, Way, case, ended, heard, is_quiet, pipe, starter};
use rialto::process::{Method, Process, ProcessConfig, Program};
use std::os::fd::{AsRawFd, OwnedFd};

pub fn cases(way: Way) -> Vec<Case> {
    let cell = |what: &str, run: fn(Way)| case(format!("{what} ({})", way.name()), move || run(way));
    vec![
        cell("daemon: the parent is killed", killed),
        cell("daemon: the parent is killed at any time", killed_at_any_time),
        cell("daemon: the thread that started it ends", thread_ends),
        cell("daemon: it runs another program", runs_another),
        cell("daemon: the parent runs another program", parent_runs_another),
        cell("daemon: the parent has forked others", forks_too),
        cell("no daemon: lives on, and knows", lives_on),
    ]
}

/// A process that starts, in that way, what is then looked at.
fn parent(entry: &str, args: &str, fds: &[&OwnedFd]) -> Process {
    let fds: Vec<_> = fds.iter().map(|fd| fd.as_raw_fd()).collect();
    let config = ProcessConfig { args: args.as_bytes(), fds: &fds, ..ProcessConfig::default() };
    Process::start(Method::spawn(Program::this()), entry, &config).unwrap()
}

fn killed(way: Way) {
    for entry in ["sleep", "stubborn"] {
        let (mut hear, tell) = pipe();
        let mut parent = parent("parent", &format!("{}:daemon:{entry}", way.name()), &[&tell]);
        drop(tell);
        heard(&mut hear);
        assert!(is_quiet(hear.as_raw_fd(), 100), "too early");
        parent.kill().unwrap();
        assert_eq!(parent.join(), Ok(-9));
        ended(hear);
    }
}

fn killed_at_any_time(way: Way) {
    let (rounds, step) = if way == Way::Fork { (150, 37) } else { (100, 97) };
    for i in 0..rounds {
        let (hear, tell) = pipe();
        let mut parent = parent("parent", &format!("{}:daemon:stubborn", way.name()), &[&tell]);
        drop(tell);
        // SAFETY: no memory involved.
        unsafe { libc::usleep(i * step) };
        parent.kill().unwrap();
        assert_eq!(parent.join(), Ok(-9));
        ended(hear);
    }
}

fn thread_ends(way: Way) {
    let (mut hear, tell) = pipe();
    let mut parent = parent("in a thread", &format!("{}:", way.name()), &[&tell]);
    drop(tell);
    heard(&mut hear);
    assert!(is_quiet(hear.as_raw_fd(), 300), "it ended with the thread");
    parent.kill().unwrap();
    assert_eq!(parent.join(), Ok(-9));
    ended(hear);
}

fn runs_another(way: Way) {
    let (mut hear, tell) = pipe();
    let mut parent = parent("parent", &format!("{}:daemon:runs another", way.name()), &[&tell]);
    drop(tell);
    heard(&mut hear);
    assert!(is_quiet(hear.as_raw_fd(), 300));
    parent.kill().unwrap();
    assert_eq!(parent.join(), Ok(-9));
    ended(hear);
}

fn parent_runs_another(way: Way) {
    let starter = starter(way);
    let (mut hear, tell) = pipe();
    let config = ProcessConfig::default();
    // SAFETY: a single thread.
    let mut parent = unsafe {
        Process::fork(&config, |_| {
            let config = ProcessConfig { daemon: true, ..ProcessConfig::default() };
            std::mem::forget(starter.start_with("sleep", &config, &[&tell]));
            // SAFETY: no memory involved.
            libc::usleep(100_000);
            let argv = [c"sleep".as_ptr(), c"100".as_ptr(), std::ptr::null()];
            // SAFETY: C strings and a null.
            libc::execv(c"/bin/sleep".as_ptr(), argv.as_ptr());
            1
        })
    }
    .unwrap();
    drop(tell);
    heard(&mut hear);
    ended(hear);
    assert!(parent.is_alive());
    parent.kill().unwrap();
    assert_eq!(parent.join(), Ok(-9));
}

/// What is forked by other means has no end of the lifeline.
fn forks_too(way: Way) {
    let (mut hear, tell) = pipe();
    let (mut hear_other, tell_other) = pipe();
    let mut parent = parent("forks too", &format!("{}:", way.name()), &[&tell, &tell_other]);
    drop((tell, tell_other));
    heard(&mut hear);
    heard(&mut hear_other);
    parent.kill().unwrap();
    assert_eq!(parent.join(), Ok(-9));
    ended(hear);
    assert!(is_quiet(hear_other.as_raw_fd(), 100), "it lives on: that is what was to be shown");
}

fn lives_on(way: Way) {
    let (mut hear, tell) = pipe();
    let mut parent = parent("parent", &format!("{}:no:orphan", way.name()), &[&tell]);
    drop(tell);
    assert_eq!(heard(&mut hear), b'!');
    assert!(is_quiet(hear.as_raw_fd(), 100), "its parent lives");
    parent.kill().unwrap();
    assert_eq!(parent.join(), Ok(-9));
    assert_eq!(heard(&mut hear), b'?');
    ended(hear);
}
