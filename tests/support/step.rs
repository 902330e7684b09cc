//! A victim: a traced child that is stopped before the k-th instruction of one operation.
//!
//! # How a point is reached
//! One run is single-stepped from [`trap`] to its end and its program counters are noted (a [`Route`]).
//! A later run that is to stop before instruction k puts a breakpoint on the last instruction at or
//! before k that the route had not met before, runs there at full speed, and single-steps the rest. On
//! the way it checks that it is where the route says. If it is not (another path was taken), the run
//! is told so ([`Reached::Elsewhere`]) and the caller steps a fresh victim all the way instead.
//! A sweep is thus linear in the length of the operation, and every instruction is a point.
//!
//! Without ptrace the tests fail: there is nothing else to do the same.

use super::process::{Child, asleep, fork, relax};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// Before the operation that is swept: stops the victim for its tracer.
#[inline(always)]
pub fn trap() {
    // SAFETY: a breakpoint; the tracer takes the signal. Everything is written to memory before.
    unsafe { core::arch::asm!("int3") };
}

/// What one step led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Stopped before the next instruction.
    Stopped,
    /// Inside a futex wait, not stopped: [`Victim::woken`] tells when it has returned.
    Asleep,
    /// Ended.
    Gone,
}

/// Whether the victim stands where it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    Yes,
    /// It took another path than the route did.
    Elsewhere,
}

/// The program counters of one whole run.
#[derive(Default)]
pub struct Route {
    pcs: Vec<u64>,
    /// For each point the last one at or before it whose address was new.
    fresh: Vec<usize>,
    met: HashSet<u64>,
}

impl Route {
    pub fn len(&self) -> u64 {
        self.pcs.len() as u64
    }

    /// The next point.
    pub fn push(&mut self, pc: u64) {
        let at = self.pcs.len();
        let last = self.fresh.last().copied().unwrap_or(0);
        self.fresh.push(if self.met.insert(pc) { at } else { last });
        self.pcs.push(pc);
    }
}

pub struct Victim {
    child: Child,
    /// Instructions executed since the trap (or since [`Victim::start_counting`]).
    at: u64,
}

/// The constants' type differs between C libraries.
fn ptrace(request: impl Into<i64>, pid: i32, addr: u64, data: u64) -> i64 {
    // SAFETY: requests on our own traced child; none used here writes to our memory.
    unsafe { libc::ptrace(request.into() as _, pid, addr, data) }
}

const RIP: u64 = 16 * 8;
const RAX: u64 = 10 * 8;
const RSI: u64 = 13 * 8;
const ORIG_RAX: u64 = 15 * 8;
/// How long anything that cannot block may take.
const SOON: Duration = Duration::from_secs(20);
/// Most runs to a breakpoint are over before anybody asks whether the victim sleeps.
const AWAKE: Duration = Duration::from_millis(5);

impl Victim {
    /// Forks; `f` warms up, calls [`trap`], does the operation. Returns with the victim at the trap.
    pub fn start(f: impl FnOnce()) -> Victim {
        let child = fork(|| {
            if ptrace(libc::PTRACE_TRACEME, 0, 0, 0) != 0 {
                super::process::exit(99);
            }
            f();
        });
        let mut victim = Victim { child, at: 0 };
        let step = victim.next_stop(libc::SIGTRAP);
        assert!(
            step == Step::Stopped,
            "the victim did not reach its trap: {:?}; 99 means: no ptrace",
            victim.child.exited()
        );
        ptrace(libc::PTRACE_SETOPTIONS, victim.pid(), 0, libc::PTRACE_O_EXITKILL as u64);
        victim
    }

    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    pub fn at(&self) -> u64 {
        self.at
    }

    fn register(&self, offset: u64) -> u64 {
        ptrace(libc::PTRACE_PEEKUSER, self.pid(), offset, 0) as u64
    }

    fn text(&self, at: u64) -> u64 {
        ptrace(libc::PTRACE_PEEKTEXT, self.pid(), at, 0) as u64
    }

    pub fn pc(&self) -> u64 {
        self.register(RIP)
    }

    /// Waits for the next stop by `signal`; anything else that stops it is passed on to it.
    fn next_stop(&mut self, signal: i32) -> Step {
        while let Some(status) = self.child.poll(0) {
            if !libc::WIFSTOPPED(status) {
                return Step::Gone;
            }
            let got = libc::WSTOPSIG(status);
            if got == signal || got == libc::SIGTRAP {
                return Step::Stopped;
            }
            ptrace(libc::PTRACE_CONT, self.pid(), 0, got as u64);
        }
        Step::Gone
    }

    /// As `next_stop`, of one that runs and must not sleep: `Asleep` if it does, astray.
    fn next_stop_awake(&mut self) -> Step {
        let (start, mut looks) = (Instant::now(), 0);
        loop {
            match self.child.poll(libc::WNOHANG) {
                Some(status) if libc::WIFSTOPPED(status) => {
                    let got = libc::WSTOPSIG(status);
                    if got == libc::SIGTRAP {
                        return Step::Stopped;
                    }
                    ptrace(libc::PTRACE_CONT, self.pid(), 0, got as u64);
                }
                Some(_) => return Step::Gone,
                None if start.elapsed() > AWAKE && asleep(self.pid()) => return Step::Asleep,
                None => {}
            }
            looks += 1;
            relax(looks);
        }
    }

    /// Whether the next instruction is a system call.
    pub fn before_call(&self) -> bool {
        self.text(self.pc()) & 0xffff == 0x050f
    }

    /// Whether the next instruction is a futex call that may sleep.
    pub fn before_futex_wait(&self) -> bool {
        self.before_call() && self.register(RAX) == libc::SYS_futex as u64 && is_wait(self.register(RSI))
    }

    /// One instruction, which must not sleep.
    pub fn step(&mut self) -> Step {
        ptrace(libc::PTRACE_SINGLESTEP, self.pid(), 0, 0);
        self.at += 1;
        self.next_stop(libc::SIGTRAP)
    }

    /// One instruction, which may be a futex wait.
    pub fn step_or_sleep(&mut self) -> Step {
        if !self.before_futex_wait() {
            return self.step();
        }
        ptrace(libc::PTRACE_SINGLESTEP, self.pid(), 0, 0);
        self.at += 1;
        self.sleeping()
    }

    fn sleeping(&mut self) -> Step {
        let start = Instant::now();
        let mut looks = 0;
        loop {
            match self.child.poll(libc::WNOHANG) {
                Some(status) if libc::WIFSTOPPED(status) => return Step::Stopped,
                Some(_) => return Step::Gone,
                None if asleep(self.pid()) => return Step::Asleep,
                None => {}
            }
            assert!(start.elapsed() < SOON, "the victim neither sleeps nor stops");
            looks += 1;
            relax(looks);
        }
    }

    /// After [`Step::Asleep`]: waits until the call has returned and the victim is stopped behind it.
    pub fn woken(&mut self, within: Duration) -> bool {
        let start = Instant::now();
        let mut looks = 0;
        loop {
            match self.child.poll(libc::WNOHANG) {
                Some(status) => return libc::WIFSTOPPED(status),
                None if start.elapsed() > within => return false,
                None => {}
            }
            looks += 1;
            relax(looks);
        }
    }

    /// Runs at full speed into the next futex wait that really sleeps, and leaves the victim asleep.
    /// False if it ended before.
    pub fn run_to_sleep(&mut self) -> bool {
        loop {
            ptrace(libc::PTRACE_SYSCALL, self.pid(), 0, 0);
            if self.next_stop(libc::SIGTRAP) == Step::Gone {
                return false;
            }
            // Entry or exit of a call; of a futex wait, step in and see. From the exit, a step is
            // one instruction and no sleep, which is harmless.
            if self.register(ORIG_RAX) == libc::SYS_futex as u64 && is_wait(self.register(RSI)) {
                // At entry, the kernel has put -ENOSYS there.
                if self.register(RAX) as i64 == -i64::from(libc::ENOSYS) {
                    ptrace(libc::PTRACE_SINGLESTEP, self.pid(), 0, 0);
                    match self.sleeping() {
                        Step::Asleep => return true,
                        Step::Stopped => {}
                        Step::Gone => return false,
                    }
                }
            }
        }
    }

    /// Runs at full speed to the next futex call that wakes or moves others, and stops before it. False if it
    /// ended before.
    pub fn run_to_wake(&mut self) -> bool {
        loop {
            ptrace(libc::PTRACE_SYSCALL, self.pid(), 0, 0);
            if self.next_stop(libc::SIGTRAP) == Step::Gone {
                return false;
            }
            let entered = self.register(RAX) as i64 == -i64::from(libc::ENOSYS);
            if entered && self.register(ORIG_RAX) == libc::SYS_futex as u64 && is_wake(self.register(RSI)) {
                return true;
            }
        }
    }

    /// Runs at full speed to its next [`trap`]. False if it ended before.
    pub fn run_to_trap(&mut self) -> bool {
        ptrace(libc::PTRACE_CONT, self.pid(), 0, 0);
        self.next_stop(libc::SIGTRAP) == Step::Stopped
    }

    /// What the system call said that it stands behind.
    pub fn returned(&self) -> i64 {
        self.register(RAX) as i64
    }

    /// A number for what the kernel will read of its robust list when it dies.
    pub fn robust_list(&self) -> u64 {
        let (mut head, mut len) = (0u64, 0usize);
        // SAFETY: our two words.
        let failed =
            unsafe { libc::syscall(libc::SYS_get_robust_list, self.pid(), &raw mut head, &raw mut len) } != 0;
        if failed || head == 0 {
            return 0;
        }
        let mut hash = self.text(head + 16); // list_op_pending
        let mut next = self.text(head);
        for _ in 0..64 {
            if next & !1 == head {
                break;
            }
            hash = hash.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ next;
            next = self.text(next & !1);
        }
        hash
    }

    /// What follows is counted from here.
    pub fn start_counting(&mut self) {
        self.at = 0;
    }

    /// Goes on to point `k` of the route. If it sleeps on the way, it is elsewhere.
    pub fn advance(&mut self, route: &Route, k: u64) -> Reached {
        let there = route.fresh[k as usize];
        if there as u64 > self.at {
            let address = route.pcs[there];
            let word = self.text(address);
            ptrace(libc::PTRACE_POKETEXT, self.pid(), address, word & !0xff | 0xcc);
            ptrace(libc::PTRACE_CONT, self.pid(), 0, 0);
            if self.next_stop_awake() != Step::Stopped || self.pc() != address + 1 {
                return Reached::Elsewhere;
            }
            ptrace(libc::PTRACE_POKETEXT, self.pid(), address, word);
            ptrace(libc::PTRACE_POKEUSER, self.pid(), RIP, address);
            self.at = there as u64;
        }
        while self.at < k {
            if self.step() == Step::Gone {
                return Reached::Elsewhere;
            }
        }
        if self.pc() == route.pcs[k as usize] { Reached::Yes } else { Reached::Elsewhere }
    }

    /// Goes on to instruction `k`, one by one. False if it ended before.
    pub fn walk(&mut self, k: u64) -> bool {
        while self.at < k {
            if self.step() == Step::Gone {
                return false;
            }
        }
        true
    }

    pub fn kill(&mut self) {
        self.child.kill();
    }

    /// Lets it run to its end; false if that does not come within the time.
    pub fn finish(&mut self, within: Duration) -> bool {
        ptrace(libc::PTRACE_CONT, self.pid(), 0, 0);
        self.child.wait(within) == Some(super::process::Exit::Code(0))
    }
}

fn is_wait(op: u64) -> bool {
    let op = op as i32 & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    op == libc::FUTEX_WAIT || op == libc::FUTEX_WAIT_BITSET
}

fn is_wake(op: u64) -> bool {
    let op = op as i32 & !libc::FUTEX_PRIVATE_FLAG;
    [
        libc::FUTEX_WAKE,
        libc::FUTEX_REQUEUE,
        libc::FUTEX_CMP_REQUEUE,
        libc::FUTEX_WAKE_OP,
        libc::FUTEX_WAKE_BITSET,
    ]
    .contains(&op)
}
