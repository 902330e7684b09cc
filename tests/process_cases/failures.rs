//! What cannot be started, who else takes an exit code, and servers that end.

use super::{Case, Starter, WAYS, Way, case, descriptors, heard, no_children, pipe, starter};
use crate::procs::wait_until;
use rialto::{
    Error,
    process::{ForkServer, MAX_FDS, Method, NO_ENTRY, Process, ProcessConfig, Program, UNKNOWN},
};
use std::{
    ffi::CString,
    os::fd::{AsRawFd, FromRawFd},
};

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("a program that cannot be run", no_program),
        case("an entry that is not there", no_entry),
        case("bad arguments", bad_arguments),
        case("no descriptors left", no_descriptors),
        case("letters that are none", bad_letters),
        case("a server of a program that is none", no_server),
        case("a server is stopped", server_stops),
        case("a server is killed", server_killed),
        case("a server hears nonsense", server_hears_nonsense),
        case("a number that somebody else has got", reused_number),
    ];
    for way in WAYS {
        cases.push(case(format!("SIGCHLD is ignored ({})", way.name()), move || ignored(way)));
        cases.push(case(format!("somebody else waits ({})", way.name()), move || stolen(way)));
    }
    cases
}

fn no_program() {
    let before = descriptors(std::process::id());
    // Once, for what is made once.
    let mut first = Process::start(
        Method::spawn(Program::this()),
        "exit",
        &ProcessConfig { args: b"0", ..Default::default() },
    )
    .unwrap();
    first.join().unwrap();
    drop(first);
    let made = descriptors(std::process::id());
    assert_eq!(made.len(), before.len() + 1, "the lifeline");
    let folder = std::env::temp_dir().join(format!("rialto-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let text = folder.join("text");
    std::fs::write(&text, "no program").unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o755)).unwrap();
    let text = CString::new(text.to_str().unwrap()).unwrap();
    for (path, error) in [
        (c"/nowhere/at/all", Error::NotFound),
        (c"/etc/passwd", Error::Os(libc::EACCES)),
        (c"/etc", Error::Os(libc::EACCES)),
        (c"/etc/passwd/x", Error::Os(libc::ENOTDIR)),
        (c"", Error::NotFound),
        (&text, Error::Os(libc::ENOEXEC)),
    ] {
        for daemon in [false, true] {
            let config = ProcessConfig { daemon, ..Default::default() };
            let result = Process::start(Method::spawn(Program::at(path)), "exit", &config);
            assert_eq!(result.unwrap_err(), error, "{path:?}");
        }
        assert_eq!(ForkServer::start(Program::at(path)).unwrap_err(), error);
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(descriptors(std::process::id()), made);
    no_children();
    // A program that knows nothing of all this runs as it always does.
    let mut plain =
        Process::start(Method::spawn(Program::at(c"/bin/true")), "exit", &Default::default()).unwrap();
    assert_eq!(plain.join(), Ok(0));
}

fn no_entry() {
    for way in [Way::Fork, Way::Server] {
        let starter = starter(way);
        let result = Process::start(starter.method(), "nobody", &ProcessConfig::default());
        assert_eq!(result.unwrap_err(), Error::NotFound);
        assert_eq!(starter.start("exit", b"3", &[]).join(), Ok(3), "others can be started");
    }
    let mut process = starter(Way::Spawn).start("nobody", b"", &[]);
    assert_eq!(process.join(), Ok(NO_ENTRY));
    drop(process);
    no_children();
}

fn bad_arguments() {
    let long = "x".repeat(32);
    for way in WAYS {
        let starter = starter(way);
        let usual = ProcessConfig { args: b"0", ..ProcessConfig::default() };
        let refused = |entry: &str, config: &ProcessConfig| {
            Process::start(starter.method(), entry, config).unwrap_err() == Error::Invalid
        };
        for entry in ["", &long, "a\0b"] {
            assert!(refused(entry, &usual), "{entry:?}");
        }
        for name in [&long[..], "a\0b"] {
            assert!(refused("exit", &ProcessConfig { name, ..usual }));
        }
        let many = [0; MAX_FDS + 1];
        for fds in [&many[..], &[-1], &[0, 19_000]] {
            assert!(refused("exit", &ProcessConfig { fds, ..usual }));
        }
        assert_eq!(starter.start("exit", b"3", &[]).join(), Ok(3));
    }
    no_children();
}

/// An error, wherever on the way it happens, and nothing is left.
fn no_descriptors() {
    for way in WAYS {
        let starter = starter(way);
        starter.start("exit", b"0", &[]).join().unwrap();
        // No number is free below the highest one, whatever else this process was given.
        let highest = *descriptors(std::process::id()).last().unwrap();
        let mut fill = vec![];
        loop {
            fill.push(std::fs::File::open("/dev/null").unwrap());
            if fill.last().unwrap().as_raw_fd() > highest {
                break;
            }
        }
        let before = descriptors(std::process::id());
        let mut usual = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: our out-parameter.
        unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut usual) };
        let highest = *before.last().unwrap() as u64 + 1;
        let (mut refused, mut started) = (0, 0);
        for more in 0..12 {
            let limit = libc::rlimit { rlim_cur: highest + more, ..usual };
            // SAFETY: our in-parameter.
            unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
            let result = Process::start(
                starter.method(),
                "exit",
                &ProcessConfig { args: b"0", daemon: more % 2 == 0, ..Default::default() },
            );
            // SAFETY: as above.
            unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const usual) };
            match result {
                Ok(mut process) => {
                    started += 1;
                    assert_eq!(process.join(), Ok(0), "{way:?} {more}");
                }
                Err(error) => {
                    refused += 1;
                    assert_eq!(error, Error::TooManyHeld, "{way:?} {more}");
                }
            }
        }
        assert!(refused > 0 && started > 0, "{way:?} {refused} {started}");
        assert_eq!(descriptors(std::process::id()), before, "{way:?}");
        drop(starter);
        no_children();
    }
}

/// A letter that is not one ends the child, and says why.
fn bad_letters() {
    let program = std::env::current_exe().unwrap();
    for text in [
        "",
        "RLTL",
        "no letter at all, but a file that is long enough for one: ......................................................",
    ] {
        // SAFETY: a C string; ours.
        let mut file =
            unsafe { std::fs::File::from_raw_fd(libc::memfd_create(c"x".as_ptr(), libc::MFD_ALLOW_SEALING)) };
        use std::io::Write;
        file.write_all(text.as_bytes()).unwrap();
        // SAFETY: ours.
        unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, 15) };
        let shell = format!("RIALTO_CHILD=$$,{} exec {}", file.as_raw_fd(), program.display());
        let output = std::process::Command::new("/bin/sh").args(["-c", &shell]).output().unwrap();
        assert_eq!(output.status.code(), Some(rialto::process::BAD_START));
        assert!(
            String::from_utf8_lossy(&output.stderr)
                .starts_with("rialto: a child was started with a bad letter")
        );
    }
}

fn no_server() {
    let before = descriptors(std::process::id()).len();
    assert_eq!(ForkServer::start(Program::at(c"/bin/true")).unwrap_err(), Error::BrokenPipe);
    assert!(descriptors(std::process::id()).len() <= before + 1);
    no_children();
}

fn server_stops() {
    let starter = starter(Way::Server);
    let (mut hear, tell) = pipe();
    let mut process = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    let (server, error) = starter.server.unwrap().stop().unwrap_err();
    assert_eq!(error, Error::Busy);
    process.kill().unwrap();
    assert_eq!(process.join(), Ok(-9));
    assert!(server.stop().is_ok());
    no_children();
}

fn server_killed() {
    let mut starter = starter(Way::Server);
    let (mut hear, tell) = pipe();
    let mut process = starter.start("sleep", b"", &[&tell]);
    let mut other = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    heard(&mut hear);
    let server = starter.server.as_mut().unwrap().process();
    server.kill().unwrap();
    assert_eq!(server.join(), Ok(-9));
    // The children run on, can be ended and waited for; how they ended, nobody knows.
    assert_eq!(process.join_timeout(super::SECOND / 10), Err(Error::TimedOut));
    assert!(process.is_alive() && process.exit_code().is_none());
    process.kill().unwrap();
    assert_eq!(process.join(), Ok(UNKNOWN));
    other.terminate().unwrap();
    assert_eq!(other.join_timeout(60 * super::SECOND), Ok(UNKNOWN));
    let result =
        Process::start(starter.method(), "exit", &ProcessConfig { args: b"0", ..Default::default() });
    assert_eq!(result.unwrap_err(), Error::BrokenPipe);
    let (server, error) = starter.server.unwrap().stop().unwrap_err();
    assert_eq!(error, Error::BrokenPipe);
    drop(server);
    no_children();
}

/// Its socket is found among our descriptors: only who has that could say it.
fn server_hears_nonsense() {
    let starter = starter(Way::Server);
    let is_socket = |fd: &&i32| {
        std::fs::read_link(format!("/proc/self/fd/{fd}"))
            .is_ok_and(|to| to.to_str().unwrap().starts_with("socket"))
    };
    let list = descriptors(std::process::id());
    let sockets: Vec<_> = list.iter().filter(is_socket).collect();
    assert_eq!(sockets.len(), 1);
    let say = |bytes: &[u8]| {
        // SAFETY: bytes that are there.
        let n = unsafe { libc::send(*sockets[0], bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
        assert_eq!(n, bytes.len() as isize);
    };
    let mut good = *b"RLTM\x02\0\0\0\0\0\0\0\0\0\0\0";
    say(b"x");
    say(&[0; 16]);
    say(&[0xff; 4000]);
    for what in 0..7 {
        good[4] = what;
        say(&good); // without descriptors
    }
    assert_eq!(starter.start("exit", b"3", &[]).join(), Ok(3));
}

fn ignore() {
    // SAFETY: no handler.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}

/// Nobody can say how it ended, but that it did. A server's children are reaped by the server.
fn ignored(way: Way) {
    ignore();
    let starter = starter(way);
    let known = |code: i32| if way == Way::Server { code } else { UNKNOWN };
    let mut process = starter.start("exit", b"7", &[]);
    assert_eq!(process.join(), Ok(known(7)));
    assert_eq!(process.exit_code(), Some(known(7)));
    assert!(!process.is_alive());
    let (mut hear, tell) = pipe();
    let mut process = starter.start("sleep", b"", &[&tell]);
    heard(&mut hear);
    assert_eq!(process.join_timeout(super::SECOND / 20), Err(Error::TimedOut));
    process.kill().unwrap();
    assert_eq!(process.join_timeout(60 * super::SECOND), Ok(known(-9)));
    // Ended and gone before the handle is asked; a signal then is fine.
    let mut some: Vec<_> = (0..20).map(|_| starter.start("exit", b"1", &[])).collect();
    super::sleep_ms(100);
    for process in &mut some {
        process.kill().unwrap();
        let code = process.join().unwrap();
        assert!(code == known(1) || code == known(-9));
    }
}

fn stolen(way: Way) {
    let starter = starter(way);
    let mut process = starter.start("exit", b"7", &[]);
    wait_until("it has ended", || super::readable(process.sentinel()));
    let mut status = 0;
    // SAFETY: our out-parameter; a server's child is none of ours.
    let got = unsafe { libc::waitpid(process.pid(), &raw mut status, 0) };
    assert_eq!(got == process.pid(), way != Way::Server);
    assert_eq!(process.join(), Ok(if way == Way::Server { 7 } else { UNKNOWN }));
}

/// A signal never reaches it.
fn reused_number() {
    let starter: Starter = starter(Way::Spawn);
    let mut process = starter.start("exit", b"7", &[]);
    let pid = process.pid();
    assert!(super::readable(process.sentinel()));
    // SAFETY: our child, no out-parameter.
    assert_eq!(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }, pid);
    // SAFETY: zeros are valid; like fork, as no memory is shared.
    let other = unsafe {
        let mut args: libc::clone_args = std::mem::zeroed();
        args.exit_signal = libc::SIGCHLD as u64;
        args.set_tid = (&raw const pid) as u64;
        args.set_tid_size = 1;
        libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>())
    };
    if other == 0 {
        // SAFETY: ends this child by itself, if nothing else does.
        unsafe {
            libc::alarm(20);
            libc::pause();
            libc::_exit(0)
        }
    }
    if other == -1 {
        // Choosing a number needs CAP_CHECKPOINT_RESTORE.
        let error = std::io::Error::last_os_error();
        println!("not shown: clone3 with a chosen number: {error}");
        assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}");
        return;
    }
    assert_eq!(other as i32, pid, "the number is somebody else's now");
    process.kill().unwrap();
    process.terminate().unwrap();
    assert_eq!(process.join(), Ok(UNKNOWN));
    drop(process);
    super::sleep_ms(50);
    // SAFETY: our child, which has not been waited for.
    unsafe {
        assert_eq!(libc::waitpid(pid, std::ptr::null_mut(), libc::WNOHANG), 0, "it lives");
        libc::kill(pid, libc::SIGKILL);
        assert_eq!(libc::waitpid(pid, std::ptr::null_mut(), 0), pid);
    }
}
