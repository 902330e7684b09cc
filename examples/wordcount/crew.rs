//! The worker processes: started, killed on purpose, buried, replaced.

use rialto::Region;
use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::{BuildHasher, Hasher},
    os::{fd::BorrowedFd, unix::process::ExitStatusExt},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// Workers that end by themselves before they are told to: more than this is a failure.
const ACCIDENTS_MAX: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Rust,
    C,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Language::Rust { "Rust" } else { "C" })
    }
}

struct Worker {
    child: Child,
    language: Language,
    /// We sent it SIGKILL and have not yet seen it go.
    doomed: bool,
}

/// One that is no more.
pub struct Death {
    pub pid: u32,
    pub language: Language,
    pub status: ExitStatus,
    pub by_us: bool,
}

pub struct Crew<'r> {
    region: &'r Region,
    workers: Vec<Worker>,
    /// The C program, if it could be built.
    c_program: Option<PathBuf>,
    linger: Duration,
    /// When the next one is killed, if at all.
    next_kill: Option<Instant>,
    accidents: usize,
}

impl<'r> Crew<'r> {
    /// Starts `size` workers; the last one in C if there is a program for it.
    pub fn start(
        region: &'r Region,
        size: usize,
        c_program: Option<PathBuf>,
        linger: Duration,
        kill: bool,
    ) -> Result<Self, String> {
        let next_kill = kill.then(|| Instant::now() + pause());
        let mut crew = Crew { region, workers: Vec::new(), c_program, linger, next_kill, accidents: 0 };
        for n in 1..=size {
            let language = if n == size && crew.c_program.is_some() { Language::C } else { Language::Rust };
            let worker = crew.spawn(language)?;
            crew.workers.push(worker);
        }
        Ok(crew)
    }

    pub fn languages(&self) -> impl Iterator<Item = Language> {
        self.workers.iter().map(|worker| worker.language)
    }

    fn spawn(&self, language: Language) -> Result<Worker, String> {
        let linger = self.linger.as_micros().to_string();
        let mut command = match (language, &self.c_program) {
            (Language::C, Some(program)) => Command::new(program),
            _ => Command::new(std::env::current_exe().map_err(|error| format!("who am I? {error}"))?),
        };
        if language == Language::Rust {
            command.arg("--worker");
        }
        let fd = self.region.fd().ok_or("the region has no descriptor")?;
        // SAFETY: the region keeps its descriptor open as long as it lives, and we borrow the region.
        let memory = unsafe { BorrowedFd::borrow_raw(fd) };
        // The simplest way to hand a descriptor over an exec: it is the worker's standard input.
        let memory = memory.try_clone_to_owned().map_err(|error| error.to_string())?;
        let child = command.arg(linger).stdin(Stdio::from(memory)).spawn();
        let child = child.map_err(|error| format!("cannot start a {language} worker: {error}"))?;
        Ok(Worker { child, language, doomed: false })
    }

    /// Buries the dead, starts others in their place, kills one if it is time to. Calls `tell` for each
    /// death.
    pub fn tend(&mut self, mut tell: impl FnMut(&Death)) -> Result<(), String> {
        for n in 0..self.workers.len() {
            let worker = &mut self.workers[n];
            let Some(status) = worker.child.try_wait().map_err(|error| error.to_string())? else { continue };
            let death =
                Death { pid: worker.child.id(), language: worker.language, status, by_us: worker.doomed };
            tell(&death);
            self.accidents += usize::from(!death.by_us);
            if self.accidents > ACCIDENTS_MAX {
                return Err(format!("workers keep dying by themselves, the last one: {}", death.status));
            }
            self.workers[n] = self.spawn(death.language)?;
        }
        if self.next_kill.is_some_and(|at| Instant::now() >= at) {
            self.next_kill = Some(Instant::now() + pause());
            let n = random() as usize % self.workers.len();
            let worker = &mut self.workers[n];
            // SIGKILL, at whatever instruction it is. `Child` knows that the pid is still its own.
            worker.doomed |= worker.child.kill().is_ok();
        }
        Ok(())
    }

    /// Waits for all to end by themselves, their queue being closed. True if they did, in time.
    pub fn dismiss(&mut self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        while self.workers.iter_mut().any(|worker| !matches!(worker.child.try_wait(), Ok(Some(_)))) {
            if Instant::now() >= end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let fine =
            |w: &mut Worker| w.doomed || matches!(w.child.try_wait(), Ok(Some(status)) if status.success());
        self.workers.iter_mut().all(fine)
    }

    /// Who is there, for a report of what went wrong.
    pub fn describe(&mut self) -> String {
        let describe = |worker: &mut Worker| {
            let state = match worker.child.try_wait() {
                Ok(None) => "running".to_owned(),
                Ok(Some(status)) => status.to_string(),
                Err(error) => error.to_string(),
            };
            format!("  worker {} ({}): {state}\n", worker.child.id(), worker.language)
        };
        let lines: String = self.workers.iter_mut().map(describe).collect();
        format!("  {} members in the region\n{lines}", self.region.member_count())
    }
}

/// Whatever happens to the coordinator, no worker stays behind.
impl Drop for Crew<'_> {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            let _ = worker.child.kill();
            let _ = worker.child.wait();
        }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pid, self.language)?;
        match self.status.signal() {
            Some(libc::SIGKILL) if self.by_us => Ok(()),
            _ => write!(f, " ({})", self.status),
        }
    }
}

/// Between two kills: 20 to 100 ms.
fn pause() -> Duration {
    Duration::from_micros(20_000 + random() % 80_000)
}

/// Good enough to choose a victim.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
