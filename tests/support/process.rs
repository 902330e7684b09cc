//! Forked children: killed with their parent, reaped when dropped, waited for with a watchdog.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

/// A forked child. Dropping it kills and reaps it.
#[derive(Debug)]
pub struct Child {
    pid: i32,
    exit: Option<Exit>,
}

/// Runs `f` in a child, which then exits with 0, or 101 if `f` panics. The child dies with this thread,
/// and in any case after five minutes.
pub fn fork(f: impl FnOnce()) -> Child {
    // SAFETY: the child runs `f` and `_exit`s; see the module's comment on what `f` may do.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: plain system calls.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            libc::alarm(300);
        }
        let ok = catch_unwind(AssertUnwindSafe(f)).is_ok();
        exit(if ok { 0 } else { 101 });
    }
    Child { pid, exit: None }
}

/// Ends this process at once: no destructors, no buffers.
pub fn exit(code: i32) -> ! {
    // SAFETY: never returns.
    unsafe { libc::_exit(code) }
}

impl Child {
    pub fn pid(&self) -> i32 {
        self.pid
    }

    pub fn signal(&self, signal: i32) {
        if self.exit.is_none() {
            // SAFETY: not reaped yet, so the pid is our child's.
            unsafe { libc::kill(self.pid, signal) };
        }
    }

    /// SIGKILL; when this returns, the child is gone and the kernel has marked what it held.
    pub fn kill(&mut self) {
        self.signal(libc::SIGKILL);
        while self.exit.is_none() {
            self.poll(0);
        }
    }

    /// Waits for its end; `None` if it still runs (or is stopped) after `within`.
    pub fn wait(&mut self, within: Duration) -> Option<Exit> {
        let start = Instant::now();
        let mut looks = 0;
        while self.exit.is_none() {
            self.poll(libc::WNOHANG);
            looks += 1;
            if self.exit.is_none() {
                if start.elapsed() > within {
                    return None;
                }
                relax(looks);
            }
        }
        self.exit
    }

    /// One `waitpid`; the raw status if there is news.
    pub fn poll(&mut self, flags: i32) -> Option<i32> {
        if self.exit.is_some() {
            return None;
        }
        let mut status = 0;
        // SAFETY: our buffer, our child.
        let pid = unsafe { libc::waitpid(self.pid, &mut status, flags) };
        if pid != self.pid {
            return None;
        }
        if libc::WIFEXITED(status) {
            self.exit = Some(Exit::Code(libc::WEXITSTATUS(status)));
        } else if libc::WIFSIGNALED(status) {
            self.exit = Some(Exit::Signal(libc::WTERMSIG(status)));
        }
        Some(status)
    }

    pub fn exited(&self) -> Option<Exit> {
        self.exit
    }

    /// Waits until it sleeps in a futex call; false if it ends first, or after `within`.
    pub fn wait_asleep(&mut self, within: Duration) -> bool {
        self.wait_asleep_in(libc::SYS_futex, within)
    }

    /// As [`Child::wait_asleep`], in that call.
    pub fn wait_asleep_in(&mut self, call: libc::c_long, within: Duration) -> bool {
        let start = Instant::now();
        let mut looks = 0;
        while !asleep_in(self.pid, call) {
            self.poll(libc::WNOHANG);
            if self.exit.is_some() || start.elapsed() > within {
                return false;
            }
            looks += 1;
            relax(looks);
        }
        true
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Yields a few times, then naps.
pub fn relax(looks: u32) {
    // SAFETY: plain system calls.
    unsafe {
        if looks < 30 {
            libc::sched_yield();
        } else {
            libc::usleep(50);
        }
    }
}

/// Reads a small file of /proc without allocating.
fn read_small<'a>(path: &str, buffer: &'a mut [u8]) -> &'a [u8] {
    let mut name = [0u8; 64];
    name[..path.len()].copy_from_slice(path.as_bytes());
    // SAFETY: a C string (the buffer is longer than any path used here) and our own buffer.
    let n = unsafe {
        let fd = libc::open(name.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC);
        if fd < 0 {
            return &[];
        }
        let n = libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len());
        libc::close(fd);
        n
    };
    &buffer[..n.max(0) as usize]
}

/// Whether that process sleeps in a futex call (not: is stopped in one).
pub fn asleep(pid: i32) -> bool {
    asleep_in(pid, libc::SYS_futex)
}

/// As [`asleep`], in that call.
pub fn asleep_in(pid: i32, wanted: libc::c_long) -> bool {
    let (mut stat, mut call) = ([0u8; 256], [0u8; 128]);
    let stat = read_small(&format!("/proc/{pid}/stat"), &mut stat);
    let state = stat.iter().rposition(|&b| b == b')').and_then(|at| stat.get(at + 2));
    if state != Some(&b'S') {
        return false;
    }
    let call = read_small(&format!("/proc/{pid}/syscall"), &mut call);
    let number: &[u8] = call.split(|&b| b == b' ').next().unwrap_or(&[]);
    // Not every kernel has the file; then any sleep counts.
    call.is_empty()
        || number == wanted.to_string().as_bytes()
        || wanted == libc::SYS_futex && number == b"449"
}

/// Keeps this process and its children on one processor: a tracer and its victim take turns anyway,
/// and waking on another processor costs more than the turn.
pub fn pin(nth: usize) {
    // SAFETY: all-zero is an empty set; our own buffers.
    unsafe {
        let mut allowed: libc::cpu_set_t = core::mem::zeroed();
        if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut allowed) != 0 {
            return;
        }
        let cpus: Vec<usize> =
            (0..libc::CPU_SETSIZE as usize).filter(|&cpu| libc::CPU_ISSET(cpu, &allowed)).collect();
        let mut one: libc::cpu_set_t = core::mem::zeroed();
        libc::CPU_SET(cpus[nth % cpus.len()], &mut one);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &one);
    }
}
