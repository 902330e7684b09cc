//! One case for each way of starting and each thing that is done to a process.

use super::{Case, SECOND, Way, case, heard, no_children, pipe, readable, sleep_ms};
use crate::procs::wait_until;
use rialto::{
    Error,
    process::{PANICKED, ProcessConfig},
};
use std::time::Instant;

pub fn cases(way: Way) -> Vec<Case> {
    let cell = |what: &str, run: fn(Way)| case(format!("{what} ({})", way.name()), move || run(way));
    vec![
        cell("join", join),
        cell("join with a timeout", timeout),
        cell("join goes on after signals", signals),
        cell("terminate", terminate),
        cell("kill", kill),
        cell("stopped and continued", stopped),
        cell("exit code", exit_code),
        cell("is_alive", is_alive),
        cell("sentinel", sentinel),
        cell("close", close),
        cell("drop", drop_waits),
        cell("drop of a daemon", drop_kills),
        cell("not its owner", not_owner),
        cell("what it printed is there", printed),
    ]
}

fn join(way: Way) {
    let starter = way.starter();
    let (_, tell) = pipe();
    let mut process = starter.start("exit", b"7", &[&tell]);
    assert!(process.pid() > 0 && process.pid() as u32 != std::process::id());
    assert_eq!(process.join(), Ok(7));
    assert_eq!(process.join(), Ok(7), "again");
    assert_eq!(process.join_timeout(0), Ok(7));
    assert_eq!(process.exit_code(), Some(7));
    // Several at a time, joined in another order.
    let mut some: Vec<_> = (0..5).map(|i| starter.start("exit", i.to_string().as_bytes(), &[])).collect();
    for (i, process) in some.iter_mut().enumerate().rev() {
        assert_eq!(process.join(), Ok(i as i32));
    }
    drop(starter);
    no_children();
}

fn timeout(way: Way) {
    let starter = way.starter();
    let (mut hear, tell) = pipe();
    let mut process = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    for ms in [1, 50, 200] {
        let begin = Instant::now();
        assert_eq!(process.join_timeout(ms * SECOND / 1000), Err(Error::TimedOut));
        assert!(begin.elapsed().as_millis() as u64 >= ms);
    }
    assert_eq!(process.join_timeout(0), Err(Error::WouldBlock));
    assert!(process.is_alive() && process.exit_code().is_none());
    process.kill().unwrap();
    assert_eq!(process.join_timeout(60 * SECOND), Ok(-libc::SIGKILL));
}

extern "C" fn nothing(_: i32) {}

fn signals(way: Way) {
    let starter = way.starter();
    let (mut hear, tell) = pipe();
    let mut process = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    // SAFETY: a handler that does nothing, without SA_RESTART; our own timer.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as extern "C" fn(i32) as usize;
        libc::sigaction(libc::SIGPROF, &raw const action, std::ptr::null_mut());
        libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut());
    }
    let me = std::process::id() as i32;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..100 {
                // SAFETY: ourselves; whichever thread gets it.
                unsafe { libc::kill(me, libc::SIGUSR1) };
                sleep_ms(2);
            }
        });
        let begin = Instant::now();
        assert_eq!(process.join_timeout(SECOND / 10), Err(Error::TimedOut));
        assert!(begin.elapsed().as_millis() >= 100);
        process.kill().unwrap();
        assert_eq!(process.join(), Ok(-9));
    });
}

fn terminate(way: Way) {
    let starter = way.starter();
    let (mut hear, tell) = pipe();
    let mut process = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    process.terminate().unwrap();
    assert_eq!(process.join(), Ok(-libc::SIGTERM));
    assert_eq!(process.terminate(), Ok(()), "fine if it has ended");
    // It may refuse.
    let mut process = starter.start("stubborn", b"", &[&tell]);
    heard(&mut hear);
    process.terminate().unwrap();
    assert_eq!(process.join_timeout(SECOND / 5), Err(Error::TimedOut));
    process.kill().unwrap();
    assert_eq!(process.join(), Ok(-libc::SIGKILL));
}

fn kill(way: Way) {
    let starter = way.starter();
    let (mut hear, tell) = pipe();
    let mut process = starter.start("stubborn", b"", &[&tell]);
    heard(&mut hear);
    process.kill().unwrap();
    assert_eq!(process.join(), Ok(-libc::SIGKILL));
    assert_eq!(process.kill(), Ok(()));
    // At once, wherever it is on its way.
    for _ in 0..20 {
        let mut process = starter.start("stubborn", b"", &[&tell]);
        process.kill().unwrap();
        assert_eq!(process.join(), Ok(-libc::SIGKILL));
    }
    let mut process = starter.start("stubborn", b"", &[&tell]);
    assert_eq!(process.signal(1000), Err(Error::Invalid));
    process.signal(libc::SIGUSR2).unwrap();
    assert_eq!(process.join(), Ok(-libc::SIGUSR2));
}

fn stopped(way: Way) {
    let starter = way.starter();
    let (mut hear, tell) = pipe();
    let mut process = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    process.signal(libc::SIGSTOP).unwrap();
    wait_until("it is stopped", || {
        std::fs::read_to_string(format!("/proc/{}/stat", process.pid())).unwrap().contains(") T ")
    });
    assert_eq!(process.join_timeout(SECOND / 10), Err(Error::TimedOut));
    assert!(process.is_alive() && process.exit_code().is_none());
    process.signal(libc::SIGCONT).unwrap();
    assert_eq!(process.join_timeout(SECOND / 10), Err(Error::TimedOut));
    process.signal(libc::SIGSTOP).unwrap();
    process.kill().unwrap();
    assert_eq!(process.join(), Ok(-9));
}

fn exit_code(way: Way) {
    let starter = way.starter();
    for (returned, code) in [(0, 0), (1, 1), (255, 255), (256, 0), (-1, 255), (-15, 241)] {
        let mut process = starter.start("exit", returned.to_string().as_bytes(), &[]);
        assert_eq!(process.join(), Ok(code), "{returned}");
        assert_eq!(process.exit_code(), Some(code));
    }
    assert_eq!(starter.start("abort", b"", &[]).join(), Ok(-libc::SIGABRT));
    assert_eq!(starter.start("panic", b"", &[]).join(), Ok(PANICKED));
}

fn is_alive(way: Way) {
    let starter = way.starter();
    let (mut hear, tell) = pipe();
    let mut process = starter.start("sleep", b"", &[&tell]);
    assert!(process.is_alive());
    heard(&mut hear);
    assert!(process.is_alive());
    process.kill().unwrap();
    wait_until("it is dead", || !process.is_alive());
    assert_eq!(process.join(), Ok(-9));
    assert!(!process.is_alive());
}

fn sentinel(way: Way) {
    let starter = way.starter();
    let (mut hear, tell) = pipe();
    let process = starter.start("sleep", b"", &[&tell]);
    let mut other = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    heard(&mut hear);
    let ask = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let mut both = [ask(process.sentinel()), ask(other.sentinel())];
    // SAFETY: two entries.
    assert_eq!(unsafe { libc::poll(both.as_mut_ptr(), 2, 50) }, 0);
    other.kill().unwrap();
    // SAFETY: as above.
    assert_eq!(unsafe { libc::poll(both.as_mut_ptr(), 2, 30_000) }, 1);
    // And POLLHUP, if its server has waited for it already.
    assert_eq!((both[0].revents, both[1].revents & !libc::POLLHUP), (0, libc::POLLIN));
    assert_eq!(other.join(), Ok(-9));
    assert!(readable(other.sentinel()), "still so");
    process.kill().unwrap();
}

fn close(way: Way) {
    let starter = way.starter();
    let (mut hear, tell) = pipe();
    let process = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    let before = super::descriptors(std::process::id()).len();
    let (mut process, error) = process.close().unwrap_err();
    assert_eq!(error, Error::Busy);
    process.kill().unwrap();
    process.join().unwrap();
    assert!(process.close().is_ok());
    assert!(super::descriptors(std::process::id()).len() < before);
    drop(starter);
    no_children();
}

/// It waits as long as it takes.
fn drop_waits(way: Way) {
    let starter = way.starter();
    let (mut hear, tell) = pipe();
    let process = starter.start("allocates", &[200], &[]);
    let pid = process.pid();
    drop(process);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    // Also for one that is to be ended by somebody else.
    let process = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    let pid = process.pid();
    std::thread::spawn(move || {
        sleep_ms(100);
        // SAFETY: our child, which nobody else waits for before it is dead.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    });
    let begin = Instant::now();
    drop(process);
    assert!(begin.elapsed().as_millis() >= 90);
}

fn drop_kills(way: Way) {
    let starter = way.starter();
    let (mut hear, tell) = pipe();
    let config = ProcessConfig { daemon: true, ..ProcessConfig::default() };
    let process = starter.start_with("stubborn", &config, &[&tell]);
    assert!(process.is_daemon());
    heard(&mut hear);
    drop(tell);
    drop(process);
    super::ended(hear);
    drop(starter);
    no_children();
}

fn not_owner(way: Way) {
    let starter = way.starter();
    let (mut hear, tell) = pipe();
    let mut process = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    let config = ProcessConfig::default();
    // SAFETY: a single thread.
    let mut other = unsafe {
        rialto::process::Process::fork(&config, |_| {
            let refused = process.join() == Err(Error::NotOwner)
                && process.kill() == Err(Error::NotOwner)
                && process.exit_code().is_none()
                && !process.is_alive();
            // SAFETY: a copy that this process does not use otherwise.
            drop(std::ptr::read(&process));
            i32::from(!refused)
        })
    }
    .unwrap();
    assert_eq!(other.join(), Ok(0));
    assert!(process.is_alive());
    process.kill().unwrap();
    assert_eq!(process.join(), Ok(-9));
}

/// But not of a forked child, whose buffers were its parent's.
fn printed(way: Way) {
    let starter = way.starter();
    let (hear, tell) = pipe();
    assert_eq!(starter.start("print", b"", &[&tell]).join(), Ok(0));
    drop(tell);
    assert_eq!(super::all(hear), if way == Way::Fork { "" } else { "printed" });
}
