//! What /proc says of a living thread.

use serde::Serialize;
use std::fs;

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    Running,
    Sleeping,
    /// In the kernel, and not to be killed now.
    Waiting,
    /// By SIGSTOP or a debugger.
    Stopped,
    Ended,
}

/// A thread's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub process: u32,
    pub command: String,
    pub run: Run,
}

/// Of a thread that is alive and in our PID namespace.
pub fn about(thread: u32) -> Option<About> {
    let status = fs::read(format!("/proc/{thread}/status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let run = match field("State:")?.chars().next()? {
        'R' => Run::Running,
        'D' => Run::Waiting,
        'T' | 't' => Run::Stopped,
        'Z' | 'X' | 'x' => Run::Ended,
        _ => Run::Sleeping,
    };
    let process = field("Tgid:")?.parse().ok()?;
    Some(About { process, command: field("Name:")?.to_owned(), run })
}
