//! A region of its own with two workers: one is killed with a lock and a message in hand, the other stopped with a
//! message. Nothing is left behind: the region is a memfd, and the workers die with us.

use crate::{
    open::{self, Failure},
    report::Report,
    text,
};
use rialto::{Depth, QueueConfig, Region, RegionConfig};
use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitCode, Stdio},
};

/// Which worker.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Role {
    /// To be killed.
    Victim,
    /// To be stopped.
    Sleeper,
}

/// Killed and reaped when it goes.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn failed(what: &str) -> impl Fn(rialto::Error) -> Failure {
    move |error| Failure::Other(format!("{what}: {error}"))
}

impl Worker {
    /// Waits until it has in hand what it is to have.
    fn start(region: &str, role: &str) -> Result<Worker, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["demo-worker", region, role]).stdout(Stdio::piped()).stdin(Stdio::null());
        // SAFETY: one system call; it dies with us.
        unsafe {
            command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            });
        }
        let mut worker = Worker(command.spawn()?);
        let mut line = String::new();
        if let Some(output) = worker.0.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        if line == "ready\n" { Ok(worker) } else { Err(Failure::Other("a worker did not start".to_owned())) }
    }

    fn stop(&self) -> Result<(), Failure> {
        let pid = self.0.id() as i32;
        // SAFETY: our child, not reaped yet.
        if unsafe { libc::kill(pid, libc::SIGSTOP) } != 0 {
            return Err(io::Error::last_os_error().into());
        }
        let mut status = 0;
        // SAFETY: our child and our buffer. It stays to be reaped: it is stopped, not ended.
        unsafe { libc::waitpid(pid, &mut status, libc::WUNTRACED) };
        Ok(())
    }
}

pub fn demo() -> Result<ExitCode, Failure> {
    let region = Region::create_memfd(1 << 18, &RegionConfig { members: 8, objects: 8, tick_ms: 100 })
        .map_err(failed("the region"))?;
    let fd = region.fd().ok_or_else(|| Failure::Other("no descriptor".to_owned()))?;
    let path = format!("/proc/{}/fd/{fd}", std::process::id());
    let jobs = region.create_queue("jobs", &QueueConfig::new(8, 64)).map_err(failed("the queue"))?;
    for job in ["count the words", "sort the words", "print the words"] {
        jobs.push(job.as_bytes()).map_err(failed("a push"))?;
    }
    // SAFETY: only processes that are killed hold it.
    unsafe { region.create_lock("printer") }.map_err(failed("the lock"))?;
    let value = region.create_value("progress", 0u64).map_err(failed("the value"))?;
    value.store(3).map_err(failed("a store"))?;

    let victim = Worker::start(&path, "victim")?;
    let sleeper = Worker::start(&path, "sleeper")?;
    show(&path, "Two workers, each with a message in hand; one has locked \"printer\"")?;
    drop(victim);
    sleeper.stop()?;
    show(&path, "That one was killed, the other stopped")?;
    let found = region.recover(Depth::Thorough);
    println!(
        "==== rialto recover\n\ndead members recovered {}, messages for somebody else {}\n",
        found.members, found.redelivered
    );
    show(&path, "The dead one's message waits again. Its lock tells the next owner of the death")?;
    Ok(ExitCode::SUCCESS)
}

fn show(path: &str, title: &str) -> Result<(), Failure> {
    let report = Report::of(&open::to_read(path)?)?;
    let mut out = io::stdout().lock();
    writeln!(out, "==== {title}:\n     rialto inspect {path}\n")?;
    text::write(&mut out, &report)?;
    writeln!(out)?;
    Ok(())
}

/// What the worker does: takes what it is to have, says so, and sleeps.
pub fn work(region: &str, role: Role) -> Result<ExitCode, Failure> {
    use std::os::fd::AsRawFd;
    let file = open::to_write(region)?.file;
    let region = Region::attach_fd(file.as_raw_fd()).map_err(failed("the region"))?;
    let jobs = region.open_queue("jobs").map_err(failed("the queue"))?;
    let _job = jobs.peek().map_err(failed("a message"))?;
    if let Role::Victim = role {
        // SAFETY: as above.
        let lock = unsafe { region.open_lock("printer") }.map_err(failed("the lock"))?;
        std::mem::forget(lock.acquire().map_err(failed("the lock"))?);
    }
    println!("ready");
    io::stdout().flush()?;
    loop {
        std::thread::park();
    }
}
