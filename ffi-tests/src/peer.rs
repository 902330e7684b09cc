//! A program that runs beside the test, in C mostly, and says on standard output how far it has come.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// One of them; it ends with the test, if not before.
pub struct Peer {
    child: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
}

impl Peer {
    /// Starts `program role name`.
    pub fn start(program: &Path, role: &str, name: &str) -> Peer {
        Self::start_with(program, &[role, name])
    }

    /// Starts this test program once more, for its test `victim` alone, with `variable` set to `name`; returns when that
    /// says "holding".
    pub fn victim(variable: &str, name: &str) -> Peer {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "victim", "--nocapture", "--test-threads=1"]).env(variable, name);
        let mut victim = Self::run(command);
        // Behind what the test harness says.
        while !victim.line().ends_with("holding") {
            assert!(victim.child.try_wait().unwrap().is_none(), "the victim failed");
        }
        victim
    }

    /// Starts `program` with these arguments.
    pub fn start_with(program: &Path, arguments: &[&str]) -> Peer {
        let mut command = crate::runner(program);
        command.args(arguments);
        Self::run(command)
    }

    fn run(mut command: Command) -> Peer {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        let says = BufReader::new(child.stdout.take().unwrap());
        let hears = child.stdin.take().unwrap();
        Peer { child, says, hears }
    }

    /// Waits for the next line that it says; nothing if it has ended.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Waits until it has said that word.
    pub fn wait_for(&mut self, word: &str) {
        assert_eq!(self.line(), word, "the C side failed, see above");
    }

    /// Writes a line to its standard input.
    pub fn tell(&mut self, word: &str) {
        writeln!(self.hears, "{word}").unwrap();
    }

    /// SIGKILL; it is gone when this returns.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends, and wants it to have succeeded.
    pub fn succeed(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Both fail, and do nothing, if it has been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
