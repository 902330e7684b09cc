//! A fork server: a process with one thread that forks children for others.
//!
//! Started early, or as a program of its own, it has none of the threads, locks and memory of those that it forks
//! for. It reads a request at a time (see `messages`), forks, answers with the child's pidfd, and reports each child's
//! end on the socket that came with its request. It is its starter's daemon, and ends when nobody is left who could
//! ask. A child of it has a letter, as spawned ones have, and its requester's lifeline.
//!
//! # Limits
//! 4096 children at a time. A server that is killed leaves its children running; their exit codes are unknown.

use super::{
    entry::{find, run_letter},
    fork::fork,
    letter::{self, Letter},
    lifeline,
    messages::{Message, Passed, What, recv, send},
    os::{Fd, leave, poll},
    place::place,
};
use crate::{
    error::{Error, Result},
    time::Deadline,
};
use core::{ffi::c_int, mem, ptr};
use libc::pollfd;

const MOST_CHILDREN: usize = 4096;

/// Children that run, and where to report their end.
type Children = heapless::Vec<(i32, Fd), MOST_CHILDREN>;

/// What this process had before it became a server, and its children are to have.
struct Before {
    mask: libc::sigset_t,
    child: libc::sigaction,
    interrupt: libc::sigaction,
}

impl Before {
    /// Deaths of children are read from the returned descriptor. Ctrl-C is for the clients to handle.
    fn change() -> Result<(Before, Fd)> {
        // SAFETY: zeros are sets and actions (the default).
        let (mut before, mut set, mut action): (Before, libc::sigset_t, libc::sigaction) =
            unsafe { mem::zeroed() };
        // SAFETY: our own in and out-parameters.
        unsafe {
            libc::sigaction(libc::SIGCHLD, &raw const action, &raw mut before.child);
            action.sa_sigaction = libc::SIG_IGN;
            libc::sigaction(libc::SIGINT, &raw const action, &raw mut before.interrupt);
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, libc::SIGCHLD);
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, &raw mut before.mask);
            let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
            Fd::new(fd).map(|fd| (before, fd))
        }
    }

    /// In a child.
    fn restore(&self) {
        // SAFETY: what was there before.
        unsafe {
            libc::sigaction(libc::SIGCHLD, &raw const self.child, ptr::null_mut());
            libc::sigaction(libc::SIGINT, &raw const self.interrupt, ptr::null_mut());
            libc::sigprocmask(libc::SIG_SETMASK, &raw const self.mask, ptr::null_mut());
        }
    }
}

/// Serves until the last client is gone.
pub(super) fn serve(socket: c_int) -> ! {
    let Ok((before, deaths)) = Before::change() else { leave(super::BAD_START) };
    let mut children = Children::new();
    if send(socket, Message::new(What::Hello), &[]).is_err() {
        leave(0)
    }
    loop {
        let ask = |fd| pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut asked = [ask(socket), ask(deaths.raw())];
        if poll(&mut asked, Deadline::NEVER).is_err() {
            leave(super::BAD_START)
        }
        if asked[1].revents != 0 {
            report_ends(&deaths, &mut children);
        }
        if asked[0].revents != 0 {
            match recv(socket) {
                Ok(Some((message, passed))) => answer(&before, message, passed, &mut children),
                Ok(None) => leave(0),
                Err(_) => {} // no message of ours; whoever sent it gets no answer
            }
        }
    }
}

/// Reaps who has ended and tells those who wait for it.
fn report_ends(deaths: &Fd, children: &mut Children) {
    let mut info = mem::MaybeUninit::<libc::signalfd_siginfo>::uninit();
    // SAFETY: room for one. One signal can stand for many deaths, so what it says is not looked at.
    while unsafe { libc::read(deaths.raw(), info.as_mut_ptr().cast(), size_of_val(&info)) } > 0 {}
    loop {
        let mut status = 0;
        // SAFETY: our own out-parameter.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
        if pid <= 0 {
            return;
        }
        let code = if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -libc::WTERMSIG(status) };
        if let Some(at) = children.iter().position(|child| child.0 == pid) {
            let (_, reply) = children.swap_remove(at);
            let _ = send(reply.raw(), Message { what: What::Ended, status: code, pid }, &[]);
        }
    }
}

fn answer(before: &Before, message: Message, mut passed: Passed, children: &mut Children) {
    if passed.is_empty() {
        return;
    }
    let reply = passed.remove(0);
    let answer = |status, pid, fds: &[c_int]| {
        let _ = send(reply.raw(), Message { what: What::Answer, status, pid }, fds);
    };
    match message.what {
        What::Start => match start(before, &passed, children.is_full()) {
            Ok((pid, pidfd)) => {
                answer(0, pid, &[pidfd.raw()]);
                let _ = children.push((pid, reply)); // there is room
            }
            Err(error) => answer(error.code(), 0, &[]),
        },
        What::Stop if !children.is_empty() => answer(Error::Busy.code(), 0, &[]),
        What::Stop => {
            answer(0, 0, &[]);
            leave(0)
        }
        _ => answer(Error::Invalid.code(), 0, &[]),
    }
}

/// `passed`: the letter, the lifeline, and what the child gets.
fn start(before: &Before, passed: &[Fd], is_full: bool) -> Result<(i32, Fd)> {
    let [paper, line, fds @ ..] = passed else { return Err(Error::BadRegion) };
    let letter = letter::read(paper.raw())?;
    let started = match fork_for(before, &letter, line, fds, is_full) {
        Ok(Some(started)) => Ok(started),
        Ok(None) => run_letter(&letter, super::place::FIRST + fds.len() as c_int),
        Err(error) => Err(error),
    };
    // SAFETY: read above, and not used any more.
    unsafe { letter::unmap(letter) };
    started
}

/// `None`: this is the child, its descriptors in their places.
fn fork_for(
    before: &Before,
    letter: &Letter,
    line: &Fd,
    fds: &[Fd],
    is_full: bool,
) -> Result<Option<(i32, Fd)>> {
    let fds: heapless::Vec<c_int, { super::place::MOST }> = fds.iter().map(Fd::raw).collect();
    if letter.flags & letter::SERVER != 0 || letter.fds != fds.len() {
        return Err(Error::BadRegion);
    }
    super::place::check(&fds)?;
    find(&letter.entry)?;
    if is_full {
        return Err(Error::TooManyHeld);
    }
    // SAFETY: a single thread: this program has done nothing yet but `main`.
    if let Some(started) = unsafe { fork() }? {
        return Ok(Some(started));
    }
    before.restore();
    let sources: heapless::Vec<c_int, { super::place::MOST }> =
        fds.iter().copied().chain([line.raw()]).collect();
    if lifeline::own(line.raw()).and_then(|()| place(&sources)).is_err() {
        leave(super::BAD_START)
    }
    Ok(None)
}
