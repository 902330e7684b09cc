//! Forked children, PID namespaces, single steps: what the process tests share.
//!
//! Children use Rialto and libc only and leave by `_exit`. Every child has an alarm, so that nothing
//! outlives a test by much, and only processes forked here are ever killed.
#![allow(dead_code)]

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

pub const MS: u64 = 1_000_000;
pub const SECOND: u64 = 1000 * MS;

/// A zeroed `T` in memory shared with the children.
pub fn shared<T>() -> &'static mut T {
    let len = size_of::<T>().next_multiple_of(4096);
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    // SAFETY: a fresh mapping, never unmapped, page-aligned, zeroed; T is made of atomics and such.
    unsafe {
        let p = libc::mmap(std::ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        assert_ne!(p, libc::MAP_FAILED);
        &mut *p.cast::<T>()
    }
}

/// In a child: leaves with a status that names the line.
#[macro_export]
macro_rules! ensure {
    ($condition:expr) => {
        if !$condition {
            $crate::processes::child_failed(file!(), line!(), stringify!($condition));
        }
    };
}

pub fn child_failed(file: &str, line: u32, what: &str) -> ! {
    eprintln!("{file}:{line}: in a child: {what}");
    // SAFETY: ends the process.
    unsafe { libc::_exit(99) }
}

pub fn sleep_ms(ms: u64) {
    std::thread::sleep(std::time::Duration::from_millis(ms));
}

pub fn now_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid clock and out-pointer.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut t) };
    t.tv_sec as u64 * SECOND + t.tv_nsec as u64
}

/// Waits for a condition that must come.
pub fn until(what: &str, condition: impl Fn() -> bool) {
    let end = now_ns() + 10 * SECOND;
    while !condition() {
        assert!(now_ns() < end, "never came: {what}");
        std::thread::sleep(std::time::Duration::from_micros(50));
    }
}

pub struct Child(pub i32);

impl Child {
    pub fn fork(body: impl FnOnce()) -> Child {
        // SAFETY: the child runs Rialto and libc, then leaves.
        unsafe {
            match libc::fork() {
                -1 => panic!("fork: {}", std::io::Error::last_os_error()),
                0 => {
                    libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                    libc::alarm(120);
                    body();
                    libc::_exit(0)
                }
                pid => Child(pid),
            }
        }
    }

    /// A child that has no list in the kernel, as libc knows nothing of it.
    pub fn clone_without_libc(body: impl FnOnce()) -> Child {
        Self::clone3(0, body)
    }

    /// A child with a chosen process id. It must not use libc's threads or mutexes.
    pub fn clone3(pid: i32, body: impl FnOnce()) -> Child {
        // SAFETY: all-zero is valid.
        let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
        args.exit_signal = libc::SIGCHLD as u64;
        if pid != 0 {
            args.set_tid = (&raw const pid) as u64;
            args.set_tid_size = 1;
        }
        // SAFETY: like fork, as no memory is shared.
        unsafe {
            match libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>()) {
                -1 => panic!("clone3({pid}): {}", std::io::Error::last_os_error()),
                0 => {
                    libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                    libc::alarm(120);
                    body();
                    libc::_exit(0)
                }
                child => Child(child as i32),
            }
        }
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: our own child, not reaped yet.
        assert_eq!(unsafe { libc::kill(self.0, signal) }, 0);
    }

    /// SIGKILL, and gone for good.
    pub fn kill(self) {
        self.signal(libc::SIGKILL);
        self.status();
    }

    pub fn status(self) -> i32 {
        let mut status = 0;
        // SAFETY: our own child.
        let r = unsafe { libc::waitpid(self.0, &raw mut status, 0) };
        assert_eq!(r, self.0);
        status
    }

    /// It ended by itself, and well.
    pub fn succeeded(self) {
        let status = self.status();
        assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "child: status {status:#x}");
    }

    pub fn wait_asleep(&self) {
        until("asleep in a futex", || asleep(self.0));
    }
}

/// A grandchild that is process 1 of its own PID namespace. Single-threaded callers only.
pub struct Namespaced {
    parent: Child,
    pid: &'static AtomicU32,
}

impl Namespaced {
    pub fn fork(body: impl FnOnce()) -> Namespaced {
        let pid: &'static AtomicU32 = shared();
        let parent = Child::fork(|| {
            // SAFETY: affects children of this process only.
            if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
                eprintln!("unshare(CLONE_NEWPID): {}; this test needs it", std::io::Error::last_os_error());
                child_failed(file!(), line!(), "unshare");
            }
            let child = Child::fork(|| {
                // SAFETY: no arguments.
                ensure!(unsafe { libc::getpid() } == 1);
                body();
            });
            pid.store(child.0 as u32, SeqCst);
            child.status();
        });
        until("a process in a new PID namespace", || pid.load(SeqCst) != 0);
        Namespaced { parent, pid }
    }

    pub fn pid(&self) -> i32 {
        self.pid.load(SeqCst) as i32
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: our own grandchild; its parent reaps it only when it is dead.
        assert_eq!(unsafe { libc::kill(self.pid(), signal) }, 0);
    }

    pub fn wait_asleep(&self) {
        until("asleep in a futex", || asleep(self.pid()));
    }

    pub fn kill(self) {
        self.signal(libc::SIGKILL);
        self.parent.succeeded();
    }
}

fn read(path: String) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Whether this thread sleeps in a wait of Rialto's: a shared futex. Its allocator's and its libc's are private.
pub fn asleep(pid: i32) -> bool {
    let call = read(format!("/proc/{pid}/syscall"));
    let mut call = call.split(' ');
    let futex = call.next() == Some(&libc::SYS_futex.to_string());
    let ours = call.nth(1) == Some(&format!("{:#x}", libc::FUTEX_WAIT_BITSET));
    let stat = read(format!("/proc/{pid}/stat"));
    futex && ours && stat.rsplit(')').next().is_some_and(|s| s.trim_start().starts_with('S'))
}

/// One instruction of a traced child.
#[derive(PartialEq, Eq)]
pub enum Step {
    Stopped,
    Asleep,
    Ended,
}

pub fn step(pid: i32) -> Step {
    let mut status = 0;
    // SAFETY: our own traced child.
    unsafe {
        assert_eq!(libc::ptrace(libc::PTRACE_SINGLESTEP, pid, 0, 0), 0);
        for i in 0.. {
            if libc::waitpid(pid, &raw mut status, libc::WNOHANG) == pid {
                break;
            }
            if i > 100 && asleep(pid) {
                return Step::Asleep;
            }
            if i > 50 {
                libc::usleep(10);
            } else {
                libc::sched_yield();
            }
        }
    }
    if libc::WIFSTOPPED(status) { Step::Stopped } else { Step::Ended }
}

/// Steps a traced child until it sleeps or ends, and says after how many instructions each kill point
/// lies: every instruction, but of a loop's the first round only.
pub fn points_of(child: Child) -> Vec<usize> {
    let mut seen = std::collections::HashMap::new();
    let mut points = vec![0];
    for k in 1.. {
        let end = step(child.0) != Step::Stopped;
        let times = seen.entry(if end { 0 } else { instruction_pointer(child.0) }).or_insert(0);
        *times += 1;
        if *times == 1 {
            points.push(k);
        }
        if end {
            break;
        }
    }
    child.kill();
    points
}

/// Any number that tells instructions apart.
#[cfg(target_arch = "x86_64")]
fn instruction_pointer(pid: i32) -> u64 {
    // SAFETY: our own stopped, traced child.
    unsafe {
        let mut registers: libc::user_regs_struct = std::mem::zeroed();
        libc::ptrace(libc::PTRACE_GETREGS, pid, 0, &raw mut registers);
        registers.rip
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn instruction_pointer(_pid: i32) -> u64 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    u64::from(NEXT.fetch_add(1, SeqCst))
}

/// In the child, before the instructions that count.
pub fn trace_me() {
    // SAFETY: no memory involved.
    unsafe {
        libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
        libc::raise(libc::SIGSTOP);
    }
}

/// How many nodes the calling thread's robust list has; it must be closed and have nothing pending.
pub fn robust_list_len() -> usize {
    #[repr(C)]
    struct Head {
        next: usize,
        offset: isize,
        pending: usize,
    }
    let mut head: *const Head = std::ptr::null();
    let mut len = 0usize;
    // SAFETY: the kernel gives our own head; all nodes are mapped while they are listed.
    unsafe {
        assert_eq!(libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut len), 0);
        assert_eq!((&raw const (*head).pending).read_volatile(), 0, "left pending");
        let mut node = (&raw const (*head).next).read_volatile() & !1;
        let mut n = 0;
        while node != head as usize {
            n += 1;
            assert!(n < 1000, "list not closed");
            node = (node as *const usize).read_volatile() & !1;
        }
        n
    }
}

/// libc's own robust mutex, process-shared.
pub struct Robust(std::cell::UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: a mutex.
unsafe impl Sync for Robust {}

impl Robust {
    pub fn init(&self) {
        // SAFETY: fresh memory for both.
        unsafe {
            let mut attr: libc::pthread_mutexattr_t = std::mem::zeroed();
            libc::pthread_mutexattr_init(&raw mut attr);
            libc::pthread_mutexattr_setpshared(&raw mut attr, libc::PTHREAD_PROCESS_SHARED);
            libc::pthread_mutexattr_setrobust(&raw mut attr, libc::PTHREAD_MUTEX_ROBUST);
            assert_eq!(libc::pthread_mutex_init(self.0.get(), &raw const attr), 0);
        }
    }
    pub fn lock(&self) -> i32 {
        // SAFETY: initialised.
        unsafe { libc::pthread_mutex_lock(self.0.get()) }
    }
    pub fn try_lock(&self) -> i32 {
        // SAFETY: initialised.
        unsafe { libc::pthread_mutex_trylock(self.0.get()) }
    }
    pub fn unlock(&self) -> i32 {
        // SAFETY: initialised.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) }
    }
    pub fn consistent(&self) -> i32 {
        // SAFETY: initialised.
        unsafe { libc::pthread_mutex_consistent(self.0.get()) }
    }
}

/// All orders of `0..n`.
pub fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for p in permutations(n - 1) {
        for at in 0..n {
            let mut q = p.clone();
            q.insert(at, n - 1);
            all.push(q);
        }
    }
    all
}

/// A thread of libc's, for children that must not use std's.
pub fn pthread(body: extern "C" fn(*mut libc::c_void) -> *mut libc::c_void) -> libc::pthread_t {
    // SAFETY: the function needs no argument.
    unsafe {
        let mut thread = std::mem::zeroed();
        let null = std::ptr::null_mut();
        ensure!(libc::pthread_create(&raw mut thread, null, body, std::ptr::null_mut()) == 0);
        thread
    }
}
