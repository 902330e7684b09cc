//! What a child is told, and what it has: names, bytes, descriptors, signals.

use super::{Case, Starter, Way, all, case, descriptors, pipe, starter};
use rialto::process::{self, Method, Process, ProcessConfig, Program};
use std::{
    fs::File,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

pub fn cases(way: Way) -> Vec<Case> {
    let cell = |what: &str, run: fn(Way)| case(format!("{what} ({})", way.name()), move || run(way));
    let mut cases = vec![
        cell("names, arguments, current and parent", about),
        cell("arguments of any length", long_arguments),
        cell("descriptors are those that were passed", exactly_those),
        cell("descriptors in each other's places", crossed),
        cell("signals", signals),
        cell("a region's descriptor", region),
        cell("other programs see nothing of us", environment),
    ];
    if way == Way::Fork {
        cases.push(case("descriptors of a forked child", forked_descriptors));
        cases.push(case("a forked function", function));
        cases.push(case("an ordinary process", ordinary));
        cases.push(case("arguments of a program", argv));
    }
    cases
}

fn told(starter: &Starter, config: &ProcessConfig) -> String {
    let (hear, tell) = pipe();
    assert_eq!(starter.start_with("about", config, &[&tell]).join(), Ok(0));
    drop(tell);
    all(hear)
}

fn about(way: Way) {
    let starter = starter(way);
    let me = std::process::id();
    // A fork shows the arguments of its parent, which is this case.
    let argv = |text: String| text.split(" | argv").next().unwrap().to_owned();
    let config = ProcessConfig { args: b"bytes", ..ProcessConfig::default() };
    assert_eq!(
        argv(told(&starter, &config)),
        format!(
            "entry \"about\" name \"about\" args bytes daemon false | \"about\" false true | parent {me} alive true | comm about"
        )
    );
    let config = ProcessConfig { name: "a name of more than 15, and 31", daemon: true, ..config };
    assert_eq!(
        argv(told(&starter, &config)),
        format!(
            "entry \"about\" name \"{0}\" args bytes daemon true | \"{0}\" true true | parent {me} alive true | comm a name of more ",
            config.name
        )
        .trim_end()
    );
    assert!(told(&starter, &config).ends_with("variable Err(NotPresent)"));
    // Ends of one's own name for it.
    assert_eq!(starter.start_with("exit", &ProcessConfig { args: b"0", ..config }, &[]).name(), config.name);
    assert_eq!(starter.start("exit", b"0", &[]).name(), "exit");
}

fn long_arguments(way: Way) {
    let starter = starter(way);
    for len in [0, 1, 4000, 5_000_000] {
        let args: String = (0..len).map(|i| char::from(b'a' + (i % 26) as u8)).collect();
        let (hear, tell) = pipe();
        let config = ProcessConfig { args: args.as_bytes(), ..ProcessConfig::default() };
        let mut process = starter.start_with("about", &config, &[&tell]);
        drop(tell);
        assert!(all(hear).contains(&format!(" args {args} daemon")), "{len}");
        assert_eq!(process.join(), Ok(0));
    }
}

/// Stray descriptors that every program inherits by default.
fn strays() -> Vec<OwnedFd> {
    // SAFETY: C strings; ours.
    let open = || unsafe { OwnedFd::from_raw_fd(libc::open(c"/dev/zero".as_ptr(), libc::O_RDONLY)) };
    (0..20).map(|_| open()).collect()
}

fn exactly_those(way: Way) {
    let _strays = strays();
    let starter = starter(way);
    let _more = strays();
    // SAFETY: as in `strays`.
    let null =
        unsafe { OwnedFd::from_raw_fd(libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC)) };
    for (daemon, count) in [(false, 1), (true, 3), (true, process::MAX_FDS)] {
        let (hear, tell) = pipe();
        let config = ProcessConfig { daemon, only_fds: true, ..ProcessConfig::default() };
        let mut fds = vec![&null; count];
        fds[0] = &tell;
        assert_eq!(starter.start_with("descriptors", &config, &fds).join(), Ok(0));
        drop(tell);
        let mut wanted = String::from("0 standard\n1 standard\n2 standard\n3 pipe\n");
        for fd in 4..3 + count {
            wanted += &format!("{fd} /dev/null\n");
        }
        wanted += &format!("{} pipe\n", 3 + count); // the lifeline
        wanted += &format!("passed {:?}\n", (3..3 + count).collect::<Vec<_>>());
        assert_eq!(all(hear), wanted);
    }
}

fn forked_descriptors() {
    let strays = strays();
    let (hear, tell) = pipe();
    // SAFETY: a single thread.
    let method = unsafe { Method::fork() };
    let fds = [tell.as_raw_fd()];
    let config = ProcessConfig { fds: &fds, ..ProcessConfig::default() };
    Process::start(method, "exit", &ProcessConfig { args: b"0", ..config }).unwrap().join().unwrap();
    let before = descriptors(std::process::id());
    assert_eq!(Process::start(method, "descriptors", &config).unwrap().join(), Ok(0));
    assert_eq!(descriptors(std::process::id()), before);
    drop(tell);
    let text = all(hear);
    let has: Vec<i32> = text.lines().filter_map(|line| line.split(' ').next()?.parse().ok()).collect();
    // The write end of our lifeline is not the child's, and its own end of it is.
    let not_ours: Vec<_> = has.iter().filter(|fd| !before.contains(fd)).collect();
    let not_its: Vec<_> = before.iter().filter(|fd| !has.contains(fd)).collect();
    assert!(not_ours.len() <= 1 && not_its.len() <= 1 && has.len() == before.len(), "{before:?} {text}");
    assert!(text.ends_with(&format!("passed {fds:?}\n")));
    drop(strays);
}

/// Each one's place is the number that another one has here; in a server, the numbers that come.
fn crossed(way: Way) {
    let (hears, tells): (Vec<_>, Vec<_>) = (0..6).map(|_| pipe()).unzip();
    // SAFETY: a single thread.
    let mut between = unsafe {
        Process::fork(&ProcessConfig::default(), |_| {
            let starter = starter(way);
            // Out of the way first, then 3, 4, ... but passed in reverse. The server's socket stays where it is.
            let away: Vec<i32> =
                tells.iter().map(|tell| libc::fcntl(tell.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 100)).collect();
            let low: Vec<i32> = match way {
                Way::Server => away,
                _ => away.iter().zip(3..).map(|(from, to)| libc::dup2(*from, to)).collect(),
            };
            let reversed: Vec<i32> = low.iter().rev().copied().collect();
            let config = ProcessConfig { fds: &reversed, only_fds: true, ..ProcessConfig::default() };
            Process::start(starter.method(), "numbers", &config).unwrap().join().unwrap()
        })
    }
    .unwrap();
    assert_eq!(between.join(), Ok(0));
    drop(tells);
    for (i, hear) in hears.into_iter().enumerate() {
        assert_eq!(all(hear), format!("{} is {}\n", 5 - i, 3 + 5 - i));
    }
}

fn signals(way: Way) {
    extern "C" fn handler(_: i32) {}
    // SAFETY: a handler that does nothing.
    unsafe {
        libc::signal(libc::SIGUSR1, handler as extern "C" fn(i32) as usize);
        libc::signal(libc::SIGUSR2, libc::SIG_IGN);
        // As a shell starts what it runs in the background, we may have it ignored.
        libc::signal(libc::SIGINT, libc::SIG_DFL);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigaddset(&raw mut set, libc::SIGWINCH);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
    let starter = starter(way);
    let (hear, tell) = pipe();
    assert_eq!(starter.start("signals", b"", &[&tell]).join(), Ok(0));
    drop(tell);
    let text = all(hear);
    let bits = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
    };
    let bit = |signal: i32| 1u64 << (signal - 1);
    assert_eq!(bits("SigBlk") & !bit(33) & !bit(34), bit(libc::SIGWINCH), "{text}");
    assert_eq!(bits("SigCgt") & bit(libc::SIGUSR1) != 0, way == Way::Fork, "{text}");
    assert!(bits("SigIgn") & bit(libc::SIGUSR2) != 0, "{text}");
    assert!(bits("SigIgn") & (bit(libc::SIGCHLD) | bit(libc::SIGINT)) == 0, "{text}");
}

fn region(way: Way) {
    let region = super::entries::queue_region();
    let (jobs, answers) = (region.open_queue("jobs").unwrap(), region.open_queue("answers").unwrap());
    let starter = starter(way);
    let fds = [region.fd().unwrap()];
    let config = ProcessConfig { fds: &fds, ..ProcessConfig::default() };
    jobs.push(b"job").unwrap();
    let mut process = Process::start(starter.method(), "queue", &config).unwrap();
    let mut buffer = [0; 64];
    let answer = answers.pop_timeout(&mut buffer, 30 * super::SECOND).unwrap();
    assert_eq!(&buffer[..answer.len], b"job");
    assert_eq!(process.join(), Ok(0));
}

/// A child's own children, started by others, take nothing for theirs.
fn environment(way: Way) {
    let _starter = starter(way);
    // SAFETY: no other thread.
    unsafe { std::env::set_var("RIALTO_CHILD", "1,3") };
    let said = told(&_starter, &ProcessConfig::default());
    // A forked child has it as we have it; nobody takes it for his own.
    match way {
        Way::Fork => assert!(said.ends_with("variable Ok(\"1,3\")"), "{said}"),
        _ => assert!(said.ends_with("variable Err(NotPresent)"), "{said}"),
    }
    // A program that finds the variable of somebody else is an ordinary one.
    let program = std::env::current_exe().unwrap();
    for text in ["1,3", "x", "", "1,", ",3", "99999999999,3"] {
        let output = std::process::Command::new(&program).arg("--list").env("RIALTO_CHILD", text).output();
        let output = output.unwrap();
        assert!(output.status.success() && output.stdout.starts_with(b"join (fork): test"), "{text:?}");
    }
}

fn function() {
    let (hear, tell) = pipe();
    let fds = [tell.as_raw_fd()];
    let word = String::from("captured");
    let config = ProcessConfig { args: b"args", fds: &fds, ..ProcessConfig::default() };
    // SAFETY: a single thread.
    let mut process = unsafe {
        Process::fork(&config, |child| {
            // SAFETY: ours.
            let mut file = std::mem::ManuallyDrop::new(File::from_raw_fd(child.fds()[0]));
            use std::io::Write;
            write!(file, "{word} {:?} {:?} {:?}", child.entry(), child.name(), child.args()).unwrap();
            3
        })
    }
    .unwrap();
    drop(tell);
    assert_eq!(all(hear), format!("captured \"\" \"\" {:?}", b"args"));
    assert_eq!(process.join(), Ok(3));
    // A panic ends the child, and does not unwind into what was its parent's.
    let config = ProcessConfig::default();
    let me = std::process::id();
    // SAFETY: as above.
    let forked = std::panic::catch_unwind(|| unsafe { Process::fork(&config, |_| panic!("on purpose")) });
    if std::process::id() != me {
        // SAFETY: ends the child, which should have ended before.
        unsafe { libc::_exit(55) };
    }
    assert_eq!(forked.unwrap().unwrap().join(), Ok(process::PANICKED));
}

fn ordinary() {
    let me = process::current();
    assert_eq!((me.name(), me.is_daemon(), me.pid() as u32), ("MainProcess", false, std::process::id()));
    assert!(process::parent().is_none());
    assert_eq!(process::main(&super::entries::ENTRIES), Ok(()), "again, with the same table");
    static OTHER: [process::Entry; 1] = [process::Entry { name: "x", run: |_| 0 }];
    assert_eq!(process::main(&OTHER), Err(rialto::Error::Exists));
    static BAD: [process::Entry; 1] = [process::Entry { name: "", run: |_| 0 }];
    assert_eq!(process::main(&BAD), Err(rialto::Error::Invalid));
    // What a child forks by itself is nobody's child here.
    // SAFETY: a single thread.
    let mut child = unsafe {
        Process::fork(&ProcessConfig { name: "n", ..ProcessConfig::default() }, |_| {
            assert_eq!(process::current().name(), "n");
            // SAFETY: a single thread.
            let pid = libc::fork();
            if pid == 0 {
                let plain = process::current().name() == "MainProcess" && process::parent().is_none();
                // SAFETY: ends it.
                libc::_exit(i32::from(!plain));
            }
            let mut status = 0;
            // SAFETY: our child.
            libc::waitpid(pid, &raw mut status, 0);
            libc::WEXITSTATUS(status)
        })
    }
    .unwrap();
    assert_eq!(child.join(), Ok(0));
}

fn argv() {
    let argv = [c"one", c"two words", c""];
    let (hear, tell) = pipe();
    let fds = [tell.as_raw_fd()];
    let config = ProcessConfig { fds: &fds, ..ProcessConfig::default() };
    let program = Program::this().with_argv(&argv);
    assert_eq!(Process::start(Method::spawn(program), "about", &config).unwrap().join(), Ok(0));
    // The same program, by its path.
    let path = std::ffi::CString::new(std::env::current_exe().unwrap().to_str().unwrap()).unwrap();
    let program = Program::at(&path).with_argv(&argv[..1]);
    assert_eq!(Process::start(Method::spawn(program), "about", &config).unwrap().join(), Ok(0));
    drop(tell);
    let text = all(hear);
    assert!(text.contains("| argv one,two words, |") && text.contains("| argv one |"), "{text}");
}
