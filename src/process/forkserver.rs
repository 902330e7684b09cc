//! A fork server as its clients see it.

use super::{
    Process, Program,
    letter::{self, DAEMON, Letter, SERVER},
    lifeline,
    messages::{MOST_FDS, Message, What, pair, recv, send},
    os::{Fd, getpid, poll},
    spawn::spawn,
};
use crate::{
    error::{Error, Result},
    time::Deadline,
};
use core::ffi::c_int;
use libc::pollfd;

/// A process that forks others, see [`super::Method::fork_server`]. Any thread may start them at any time, also of
/// processes that this one forks. Dropping it kills the server: its children run on, with exit codes that nobody
/// knows. It ends with the process that started it.
#[derive(Debug)]
pub struct ForkServer {
    process: Process,
    socket: Fd,
}

impl ForkServer {
    /// Starts one, of this program or of another one whose `main` begins with [`super::main`] too (else this waits
    /// until that program ends).
    ///
    /// Errors: as [`Process::start`]; `BrokenPipe` (the program ended without becoming a server).
    pub fn start(program: Program) -> Result<ForkServer> {
        let (socket, theirs) = pair()?;
        let letter = Letter {
            flags: SERVER | DAEMON,
            fds: 1,
            parent: getpid(),
            entry: letter::name("fork server")?,
            name: letter::name("rialto-forks")?,
            args: &[],
        };
        let started = spawn(&program, &letter, &[theirs.raw()], lifeline::for_child(true)?)?;
        drop(theirs);
        let server = ForkServer { process: Process::new(started, None, &letter), socket };
        match server.hear(&server.socket)?.what {
            What::Hello => Ok(server),
            _ => Err(Error::BadRegion),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// The server's process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends it. Errors, with the handle: `Busy` while children of it run (or it has not noticed yet that they do not),
    /// `NotOwner` in a forked child, `BrokenPipe` (it has ended before).
    pub fn stop(mut self) -> core::result::Result<(), (ForkServer, Error)> {
        let stopped = match self.process.join_timeout(0) {
            Ok(_) => Err(Error::BrokenPipe),
            Err(Error::WouldBlock) => self.ask(What::Stop, &[]).and_then(|_| self.process.join().map(drop)),
            Err(error) => Err(error),
        };
        stopped.map_err(|error| (self, error))
    }

    pub(super) fn start_child(&self, letter: &Letter, fds: &[c_int]) -> Result<Process> {
        let line = lifeline::for_child(letter.flags & DAEMON != 0)?;
        let paper = letter.send()?;
        let passed: heapless::Vec<c_int, MOST_FDS> =
            [paper.raw(), line.raw()].into_iter().chain(fds.iter().copied()).collect();
        let (reply, pid, pidfd) = self.ask(What::Start, &passed)?;
        let pidfd = pidfd.filter(|_| pid > 0).ok_or(Error::BadRegion)?;
        Ok(Process::new((pid, pidfd), Some(reply), letter))
    }

    /// Asks for something; the answer's socket, process id and descriptor.
    fn ask(&self, what: What, fds: &[c_int]) -> Result<(Fd, i32, Option<Fd>)> {
        let (reply, theirs) = pair()?;
        let passed: heapless::Vec<c_int, MOST_FDS> =
            core::iter::once(theirs.raw()).chain(fds.iter().copied()).collect();
        send(self.socket.raw(), Message::new(what), &passed)?;
        drop(theirs);
        self.await_word(&reply)?;
        let Some((message, mut passed)) = recv(reply.raw())? else { return Err(Error::BrokenPipe) };
        match message {
            Message { what: What::Answer, status: 0, pid } => Ok((reply, pid, passed.pop())),
            Message { what: What::Answer, status, .. } => Err(Error::from_code(status)),
            _ => Err(Error::BadRegion),
        }
    }

    fn hear(&self, from: &Fd) -> Result<Message> {
        self.await_word(from)?;
        recv(from.raw())?.map(|(message, _)| message).ok_or(Error::BrokenPipe)
    }

    /// Waits until the server has said something there, or has ended: a copy of its end of the socket, in a process
    /// that somebody forked just now, would keep that quiet.
    fn await_word(&self, from: &Fd) -> Result<()> {
        let ask = |fd| pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut asked = [ask(from.raw()), ask(self.process.sentinel())];
        poll(&mut asked, Deadline::NEVER)?;
        // Its last word may have come between its end and this look.
        if asked[0].revents == 0 && !super::os::readable(from.raw(), Deadline::NOW)? {
            return Err(Error::BrokenPipe);
        }
        Ok(())
    }
}
