//! Workers: started as the pool wants them, in Rust and in C in turn; and killed.

use super::{c_worker, count};
use rialto::{
    Region, Result,
    pool::{Function, Output, Progress, work},
    process::{Child, Entry, ForkServer, Method, Process, ProcessConfig, Program},
};
use std::{
    cell::{Cell, RefCell},
    collections::hash_map::RandomState,
    ffi::CString,
    hash::{BuildHasher, Hasher},
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
    time::Duration,
};

/// What this program can be started for. The C program has an entry of the same name.
pub const ENTRIES: &[Entry] = &[Entry { name: "worker", run: run_worker }];

/// What tasks can name. Workers in C have a function of the same name.
const FUNCTIONS: &[Function] = &[Function::new("count", &run_count)];

fn run_worker(child: &Child) -> i32 {
    match Region::attach_fd(child.fds()[0]) {
        Ok(region) => work(child.args(), &region, FUNCTIONS),
        Err(_) => 1,
    }
}

fn run_count(task: &[u8], output: &mut Output<'_>) -> i32 {
    match count::count_part(task) {
        Ok(count) => output.write(&count.write()).map_or(1, |()| 0),
        Err(error) => error.raw_os_error().unwrap_or(libc::EINVAL),
    }
}

/// Builds `examples/c/poolcount.c`.
pub fn build_c_program(library: &Path) -> std::result::Result<CString, String> {
    let package = Path::new(c_worker::PACKAGE);
    let program = package.join("target/ffi/poolcount");
    c_worker::compile(&package.join("examples/c/poolcount.c"), library, &program, &[])?;
    CString::new(program.into_os_string().into_encoded_bytes()).map_err(|error| error.to_string())
}

pub struct Crew<'r> {
    region: &'r Region,
    /// Forks Rust workers: faster than a program's start.
    server: ForkServer,
    c_program: Option<CString>,
    started: Cell<usize>,
    /// Of those that were started, and not yet killed, the process id and a descriptor: see `kill_one`.
    sentinels: RefCell<Vec<(i32, OwnedFd)>>,
}

impl<'r> Crew<'r> {
    pub fn new(region: &'r Region, c_program: Option<CString>) -> Result<Crew<'r>> {
        let server = ForkServer::start(Program::this())?;
        Ok(Crew { region, server, c_program, started: Cell::new(0), sentinels: RefCell::default() })
    }

    /// What the pool calls, at first and for each worker that it replaces.
    pub fn start(&self, told: &[u8]) -> Result<Process> {
        let fds = [self.region.fd().expect("a memfd")];
        let config = ProcessConfig { args: told, fds: &fds, daemon: true, ..Default::default() };
        self.started.set(self.started.get() + 1);
        let method = match &self.c_program {
            Some(file) if self.started.get() % 2 == 0 => Method::spawn(Program::at(file)),
            _ => Method::fork_server(&self.server),
        };
        let process = Process::start(method, "worker", &config)?;
        // SAFETY: open as long as the process's handle is.
        let sentinel = unsafe { BorrowedFd::borrow_raw(process.sentinel()) };
        self.sentinels.borrow_mut().extend(sentinel.try_clone_to_owned().map(|fd| (process.pid(), fd)));
        Ok(process)
    }

    /// Kills one of the workers; false if there was none just now. By its descriptor: the pool buries who has ended, and
    /// then the number could be a stranger's. Only who is there, as `progress` says: a pool whose workers die in
    /// their start, one after the other, gives up.
    pub fn kill_one(&self, progress: &Progress) -> bool {
        let mut sentinels = self.sentinels.borrow_mut();
        sentinels.retain(|(_, sentinel)| {
            let mut asked = libc::pollfd { fd: sentinel.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one descriptor, ours.
            unsafe { libc::poll(&mut asked, 1, 0) == 0 }
        });
        let is_there = |pid: i32| progress.workers.iter().any(|worker| worker.pid == pid as u32);
        let there: Vec<usize> = (0..sentinels.len()).filter(|n| is_there(sentinels[*n].0)).collect();
        if there.is_empty() {
            return false;
        }
        let (_, victim) = sentinels.swap_remove(there[random() as usize % there.len()]);
        let none: *const libc::siginfo_t = std::ptr::null();
        // SAFETY: sends a signal to the process behind the descriptor, and to no other.
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, victim.as_raw_fd(), libc::SIGKILL, none, 0) == 0 }
    }
}

/// Between two kills: 5 to 30 ms.
pub fn pause() -> Duration {
    Duration::from_micros(5_000 + random() % 25_000)
}

/// Good enough to choose a victim.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
