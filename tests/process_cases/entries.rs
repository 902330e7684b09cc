//! What the children of the cases run.

use super::{SECOND, Way, sleep_ms, starter};
use rialto::{
    Lock, QueueConfig, Region, RegionConfig,
    process::{self, Child, Entry, ProcessConfig},
};
use std::{
    fs::File,
    io::Write,
    mem::ManuallyDrop,
    os::fd::{FromRawFd, OwnedFd},
};

pub static ENTRIES: [Entry; 17] = [
    Entry { name: "exit", run: exit },
    Entry { name: "sleep", run: sleep },
    Entry { name: "stubborn", run: stubborn },
    Entry { name: "abort", run: |_| std::process::abort() },
    Entry { name: "panic", run: |_| panic!("on purpose") },
    Entry { name: "print", run: print },
    Entry { name: "descriptors", run: descriptors },
    Entry { name: "numbers", run: numbers },
    Entry { name: "about", run: about },
    Entry { name: "orphan", run: orphan },
    Entry { name: "parent", run: parent },
    Entry { name: "in a thread", run: in_a_thread },
    Entry { name: "forks too", run: forks_too },
    Entry { name: "runs another", run: runs_another },
    Entry { name: "queue", run: queue },
    Entry { name: "signals", run: signals },
    Entry { name: "allocates", run: allocates },
];

/// Ends it should the case be gone.
fn alarm() {
    // SAFETY: no memory involved.
    unsafe { libc::alarm(100) };
}

fn pause() -> ! {
    loop {
        // SAFETY: no arguments.
        unsafe { libc::pause() };
    }
}

/// A passed descriptor, which stays open.
fn file(child: &Child, i: usize) -> ManuallyDrop<File> {
    // SAFETY: the child's own.
    ManuallyDrop::new(unsafe { File::from_raw_fd(child.fds()[i]) })
}

fn say(child: &Child) {
    if !child.fds().is_empty() {
        file(child, 0).write_all(b"!").unwrap();
    }
}

fn number(child: &Child) -> i32 {
    std::str::from_utf8(child.args()).unwrap().parse().unwrap()
}

fn exit(child: &Child) -> i32 {
    alarm();
    number(child)
}

fn sleep(child: &Child) -> i32 {
    alarm();
    say(child);
    pause()
}

/// Ends by SIGKILL only (and its alarm, and what its case sends it).
fn stubborn(child: &Child) -> i32 {
    alarm();
    for signal in (1..32).filter(|signal| ![libc::SIGALRM, libc::SIGUSR2].contains(signal)) {
        // SAFETY: no handler.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    say(child);
    pause()
}

/// To standard output, in a buffer that is written at the end.
fn print(child: &Child) -> i32 {
    // SAFETY: a passed descriptor, and C strings.
    unsafe {
        libc::dup2(child.fds()[0], 1);
        libc::printf(c"printed".as_ptr());
    }
    0
}

fn descriptors(child: &Child) -> i32 {
    let mut text = String::new();
    for fd in super::descriptors(std::process::id()) {
        let target = std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap();
        // The standard ones may have changed since; what matters of the others is where they lead.
        let kind = target.to_str().unwrap().split(':').next().unwrap().to_owned();
        text += &format!("{fd} {}\n", if fd < 3 { "standard" } else { &kind });
    }
    text += &format!("passed {:?}\n", child.fds());
    file(child, 0).write_all(text.as_bytes()).unwrap();
    0
}

fn numbers(child: &Child) -> i32 {
    for i in 0..child.fds().len() {
        file(child, i).write_all(format!("{i} is {}\n", child.fds()[i]).as_bytes()).unwrap();
    }
    0
}

fn about(child: &Child) -> i32 {
    let me = process::current();
    let parent = process::parent().expect("a parent");
    let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
    let text = format!(
        "entry {:?} name {:?} args {} daemon {} | {:?} {} {} | parent {} alive {} | comm {} | argv {} | variable {:?}",
        child.entry(),
        child.name(),
        String::from_utf8_lossy(child.args()),
        child.is_daemon(),
        me.name(),
        me.is_daemon(),
        me.pid() as u32 == std::process::id(),
        parent.pid(),
        parent.is_alive(),
        comm.trim(),
        std::env::args().skip(1).collect::<Vec<_>>().join(","),
        std::env::var("RIALTO_CHILD"),
    );
    file(child, 0).write_all(text.as_bytes()).unwrap();
    0
}

/// Says so when its parent has ended.
fn orphan(child: &Child) -> i32 {
    alarm();
    let parent = process::parent().unwrap();
    assert!(parent.is_alive());
    assert_eq!(parent.join_timeout(0), Err(rialto::Error::WouldBlock));
    assert_eq!(parent.join_timeout(SECOND / 20), Err(rialto::Error::TimedOut));
    say(child);
    parent.join().unwrap();
    assert!(!parent.is_alive() && parent.join_timeout(0).is_ok());
    file(child, 0).write_all(b"?").unwrap();
    0
}

fn way(text: &str) -> (Way, &str) {
    let (way, rest) = text.split_once(':').unwrap();
    (super::WAYS.into_iter().find(|it| it.name() == way).unwrap(), rest)
}

/// Arguments "way:daemon:entry": starts that, with our descriptors, and waits to be killed.
fn parent(child: &Child) -> i32 {
    alarm();
    let (way, rest) = way(std::str::from_utf8(child.args()).unwrap());
    let (daemon, entry) = rest.split_once(':').unwrap();
    let starter = starter(way);
    let config = ProcessConfig { daemon: daemon == "daemon", ..ProcessConfig::default() };
    // SAFETY: our own.
    let fds: Vec<_> =
        child.fds().iter().map(|fd| ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(*fd) })).collect();
    let _process = starter.start_with(entry, &config, &fds.iter().map(|fd| &**fd).collect::<Vec<_>>());
    pause()
}

/// As `parent`, but a thread starts it, and ends.
fn in_a_thread(child: &Child) -> i32 {
    alarm();
    let (way, _) = way(std::str::from_utf8(child.args()).unwrap());
    let starter = starter(way);
    // SAFETY: our own.
    let fd = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(child.fds()[0]) });
    std::thread::scope(|scope| {
        let (starter, fd) = (&starter, &*fd);
        let config = ProcessConfig { daemon: true, ..ProcessConfig::default() };
        scope.spawn(move || std::mem::forget(starter.start_with("sleep", &config, &[fd])));
    });
    pause()
}

/// As `parent`, but with another child that it forks by itself, and which lives on until nobody reads the second
/// pipe.
fn forks_too(child: &Child) -> i32 {
    alarm();
    let (way, _) = way(std::str::from_utf8(child.args()).unwrap());
    let starter = starter(way);
    // SAFETY: our own.
    let fd = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(child.fds()[0]) });
    let config = ProcessConfig { daemon: true, ..ProcessConfig::default() };
    let _process = starter.start_with("sleep", &config, &[&fd]);
    // SAFETY: a single thread; the child only waits.
    unsafe {
        if libc::fork() == 0 {
            alarm();
            libc::close(child.fds()[0]);
            libc::write(child.fds()[1], b"!".as_ptr().cast(), 1);
            let mut asked = libc::pollfd { fd: child.fds()[1], events: 0, revents: 0 };
            libc::poll(&raw mut asked, 1, -1);
            libc::_exit(0);
        }
        libc::close(child.fds()[1]);
    }
    pause()
}

/// Becomes another program, which has the passed descriptor too.
fn runs_another(child: &Child) -> i32 {
    say(child);
    // SAFETY: C strings and a null.
    unsafe {
        libc::fcntl(child.fds()[0], libc::F_SETFD, 0);
        let argv = [c"sleep".as_ptr(), c"100".as_ptr(), std::ptr::null()];
        libc::execv(c"/bin/sleep".as_ptr(), argv.as_ptr());
    }
    1
}

/// Takes a message from the region that was passed, and answers it.
fn queue(child: &Child) -> i32 {
    let region = Region::attach_fd(child.fds()[0]).unwrap();
    let (jobs, answers) = (region.open_queue("jobs").unwrap(), region.open_queue("answers").unwrap());
    let mut buffer = [0; 64];
    let job = jobs.pop_timeout(&mut buffer, 20 * SECOND).unwrap();
    answers.push(&buffer[..job.len]).unwrap();
    i32::from(job.attempt)
}

pub fn queue_region() -> Region {
    let region = Region::create_memfd(1 << 16, &RegionConfig::default()).unwrap();
    for name in ["jobs", "answers"] {
        region.create_queue(name, &QueueConfig::new(8, 64)).unwrap();
    }
    region
}

/// Which signals have handlers, are ignored, and are blocked.
fn signals(child: &Child) -> i32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let lines: Vec<_> = status.lines().filter(|line| line.starts_with("Sig")).collect();
    file(child, 0).write_all(lines.join("\n").as_bytes()).unwrap();
    0
}

/// What a child may do that is not forked from threads: memory, std, threads of its own.
fn allocates(child: &Child) -> i32 {
    let texts: Vec<_> = (0..100).map(|i| format!("{i}")).collect();
    let sum = std::thread::spawn(move || texts.iter().map(|text| text.len() as i32).sum::<i32>());
    // SAFETY: alone, on our stack.
    let lock = unsafe { Lock::new() };
    drop(lock.acquire().unwrap());
    sleep_ms(u64::from(child.args()[0]));
    i32::from(sum.join().unwrap() != 190)
}
