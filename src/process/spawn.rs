//! Another program as a child, with a letter.
//!
//! As `posix_spawn` does it: the child shares our memory, on a stack of its own, while the calling thread waits in
//! the kernel until it runs its program or ends (`CLONE_VM`, `CLONE_VFORK`). So its failure is a word in memory, which
//! no process forked meanwhile can hold up as it could a pipe's end; the size of our memory costs nothing; and
//! nothing in the child waits for a lock that another thread of ours held.
//!
//! # Invariants
//! 1. No handler of ours runs in the child: all signals are blocked before the clone, and unblocked, to what the
//!    caller had, when all handlers are gone. What is ignored stays so, but for SIGPIPE.
//! 2. The child changes nothing of our memory but `Plan` and its own stack (and errno, which is looked at by nobody).

use super::{
    entry::{VARIABLE, knows_children},
    letter::Letter,
    lifeline,
    os::{Fd, getpid, last_error, leave, ok, readable, reap},
    place::{FIRST, place},
};
use crate::{
    error::{Error, Result},
    time::Deadline,
};
use core::{
    ffi::{CStr, c_char, c_int, c_void},
    fmt::Write,
    mem, ptr,
};

/// What runs as a child: this program or another one, and the arguments that its `main` sees behind its own name.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    path: Option<&'a CStr>,
    argv: Argv<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Argv<'a> {
    Rust(&'a [&'a CStr]),
    /// Ends with a null; null for none.
    C(*const *const c_char),
}

impl<'a> Program<'a> {
    /// The program that runs in this process, also if its file has been replaced.
    pub const fn this() -> Program<'a> {
        Program { path: None, argv: Argv::Rust(&[]) }
    }

    /// The program in that file. There is no search: without a slash it is in the current folder.
    pub const fn at(path: &'a CStr) -> Program<'a> {
        Program { path: Some(path), argv: Argv::Rust(&[]) }
    }

    /// Arguments behind the program's name.
    pub const fn with_argv(self, argv: &'a [&'a CStr]) -> Program<'a> {
        Program { argv: Argv::Rust(argv), ..self }
    }

    /// As C has them.
    ///
    /// # Safety
    /// Null, or C strings and a null, which stay as long as this.
    #[allow(dead_code)] // the C functions'
    pub(crate) unsafe fn with_c_argv(self, argv: *const *const c_char) -> Program<'a> {
        Program { argv: Argv::C(argv), ..self }
    }

    fn arguments(&self) -> impl Iterator<Item = *const c_char> {
        let argv = self.argv;
        (0..).map_while(move |i| match argv {
            Argv::Rust(argv) => argv.get(i).map(|argument: &&CStr| argument.as_ptr()),
            Argv::C(argv) if argv.is_null() => None,
            // SAFETY: `with_c_argv`: there is a null, and nobody asks behind it.
            Argv::C(argv) => Some(unsafe { *argv.add(i) }).filter(|argument| !argument.is_null()),
        })
    }
}

unsafe extern "C" {
    /// POSIX.
    static environ: *const *const c_char;
}

fn environment() -> impl Iterator<Item = *const c_char> {
    // SAFETY: libc's own; changing it while others look is forbidden by POSIX too.
    let all = unsafe { environ };
    let ours = |variable: &*const c_char| {
        // SAFETY: a C string of the environment.
        let text = unsafe { CStr::from_ptr(*variable) }.to_bytes();
        text.strip_prefix(VARIABLE.to_bytes()).is_some_and(|rest| rest.starts_with(b"="))
    };
    (0..)
        .map_while(move |i| {
            // SAFETY: ends with a null, and nobody asks behind it.
            let variable = if all.is_null() { ptr::null() } else { unsafe { *all.add(i) } };
            Some(variable).filter(|variable| !variable.is_null())
        })
        .filter(move |variable| !ours(variable))
}

const STACK: usize = 64 * 1024;

/// The child's stack, and lists of pointers above it.
struct Area {
    base: *mut c_void,
    len: usize,
}

impl Area {
    fn new(pointers: usize) -> Result<Area> {
        let len = pointers.checked_mul(size_of::<usize>()).and_then(|len| len.checked_add(STACK));
        let len = len.ok_or(Error::NoMemory)?;
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping, placed by the kernel.
        let base = unsafe { libc::mmap(ptr::null_mut(), len, access, flags, -1, 0) };
        if base == libc::MAP_FAILED { Err(last_error()) } else { Ok(Area { base, len }) }
    }

    /// The stack grows down from here, and the lists begin.
    fn middle(&self) -> *mut c_void {
        // SAFETY: inside.
        unsafe { self.base.byte_add(STACK) }
    }

    /// Room for `pointers`, zeroed: lists end with nulls.
    fn list(&mut self) -> &mut [*const c_char] {
        // SAFETY: the mapping's upper part, zeroed, page-aligned, and ours alone.
        unsafe {
            let len = (self.len - STACK) / size_of::<usize>();
            core::slice::from_raw_parts_mut(self.middle().cast(), len)
        }
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        // SAFETY: ours, and the child has a memory of its own by now, or is gone.
        unsafe { libc::munmap(self.base, self.len) };
    }
}

/// What the child is to do, and why it could not.
struct Plan<'a> {
    path: *const c_char,
    argv: *const *const c_char,
    /// Its first place is for the variable.
    envp: *mut *const c_char,
    /// The passed ones, the lifeline, the letter.
    sources: &'a [c_int],
    lifeline: c_int,
    mask: libc::sigset_t,
    error: Option<Error>,
}

extern "C" fn in_the_child(plan: *mut c_void) -> c_int {
    // SAFETY: the parent's, who waits.
    let plan = unsafe { &mut *plan.cast::<Plan>() };
    let mut variable = heapless::String::<48>::new();
    let result = write!(
        variable,
        "{}={},{}\0",
        VARIABLE.to_str().unwrap_or_default(),
        getpid(),
        FIRST + plan.sources.len() as c_int - 1
    );
    let done = result
        .map_err(|_| Error::Invalid)
        .and_then(|()| lifeline::own(plan.lifeline))
        .and_then(|()| place(plan.sources));
    if done.is_ok() {
        default_signals(&plan.mask);
        // SAFETY: C strings and lists that end with nulls; the parent made them.
        unsafe {
            *plan.envp = variable.as_ptr().cast();
            libc::execve(plan.path, plan.argv, plan.envp);
        }
    }
    plan.error = Some(done.err().unwrap_or_else(last_error));
    leave(super::NO_ENTRY)
}

/// No handlers, and the mask that the caller had.
fn default_signals(mask: &libc::sigset_t) {
    for signal in 1..=64 {
        // SAFETY: zeros are a sigaction (the default); our own in and out-parameters. What libc keeps for
        // itself it refuses.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            if libc::sigaction(signal, ptr::null(), &raw mut action) != 0 {
                continue;
            }
            let handler = action.sa_sigaction;
            if handler == libc::SIG_DFL || (handler == libc::SIG_IGN && signal != libc::SIGPIPE) {
                continue;
            }
            let default: libc::sigaction = mem::zeroed();
            libc::sigaction(signal, &raw const default, ptr::null_mut());
        }
    }
    // SAFETY: the parent's, who waits.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, mask, ptr::null_mut()) };
}

/// Starts it. The error of the child's `exec` is ours.
pub(super) fn spawn(program: &Program, letter: &Letter, fds: &[c_int], lifeline: Fd) -> Result<(i32, Fd)> {
    if program.path.is_none() {
        knows_children()?;
    }
    let letter = letter.send()?;
    let sources: heapless::Vec<c_int, { super::place::MOST }> =
        fds.iter().copied().chain([lifeline.raw(), letter.raw()]).collect();
    let mut this = [0u8; 4096];
    // SAFETY: room for all but the zero at the end.
    unsafe { libc::readlink(c"/proc/self/exe".as_ptr(), this.as_mut_ptr().cast(), this.len() - 1) };
    let (path, shown) = match program.path {
        Some(path) => (path.as_ptr(), path.as_ptr()),
        None => (c"/proc/self/exe".as_ptr(), this.as_ptr().cast()),
    };
    let (argc, envc) = (1 + program.arguments().count(), 1 + environment().count());
    let mut area = Area::new(argc + 1 + envc + 1)?;
    let middle = area.middle();
    let (argv, envp) = area.list().split_at_mut_checked(argc + 1).ok_or(Error::NoMemory)?;
    let shown = core::iter::once(shown);
    argv.iter_mut().zip(shown.chain(program.arguments()).take(argc)).for_each(|(to, from)| *to = from);
    envp.iter_mut().skip(1).zip(environment().take(envc - 1)).for_each(|(to, from)| *to = from);
    // SAFETY: zeros are a set.
    let (mut all, mask): (libc::sigset_t, libc::sigset_t) = unsafe { mem::zeroed() };
    let mut plan = Plan {
        path,
        argv: argv.as_ptr(),
        envp: envp.as_mut_ptr(),
        sources: &sources,
        lifeline: lifeline.raw(),
        mask,
        error: None,
    };
    let at = &raw mut plan;
    let mut pidfd: c_int = -1;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: the stack is large enough for `in_the_child` and its own; the plan stays while this thread waits for
    // the child; nothing of ours runs there but that function (invariant 1).
    let pid = unsafe {
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut (*at).mask);
        let pid = libc::clone(in_the_child, middle, flags, at.cast(), &raw mut pidfd);
        let failed = last_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const (*at).mask, ptr::null_mut());
        if pid == -1 {
            return Err(failed);
        }
        pid
    };
    // SAFETY: ours again; written by the child, if at all.
    let error = unsafe { (&raw const (*at).error).read_volatile() };
    let Ok(pidfd) = Fd::new(pidfd) else {
        // Before Linux 5.2. It is a child of ours all the same.
        // SAFETY: our child, and no out-parameter.
        unsafe {
            libc::kill(pid, libc::SIGKILL);
            ok(libc::waitpid(pid, ptr::null_mut(), 0))?;
        }
        return Err(Error::NotSupported);
    };
    if let Some(error) = error {
        readable(pidfd.raw(), Deadline::NEVER)?;
        reap(pidfd.raw())?;
        return Err(error);
    }
    Ok((pid, pidfd))
}
