//! How far it is, on standard error: a bar on a terminal, now and then a line elsewhere.

use rialto::pool::Progress;
use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

const WIDTH: usize = 40;

pub struct Bar {
    terminal: bool,
    next: Instant,
}

impl Bar {
    pub fn new() -> Bar {
        Bar { terminal: io::stderr().is_terminal(), next: Instant::now() + Duration::from_millis(50) }
    }

    pub fn is_time(&self) -> bool {
        Instant::now() >= self.next
    }

    /// `tasks`: of all rounds that we know of.
    pub fn show(&mut self, progress: &Progress, tasks: usize, killed: u64) {
        self.next = Instant::now() + Duration::from_millis(if self.terminal { 50 } else { 1000 });
        let part = progress.ended as f64 / tasks as f64;
        let full = (part * WIDTH as f64) as usize;
        let bar: String = (0..WIDTH).map(|place| if place < full { '#' } else { '.' }).collect();
        let workers = &progress.workers[..progress.worker_count as usize];
        let workers: String = workers.iter().map(|worker| if worker.is_busy { '*' } else { '-' }).collect();
        let (before, behind) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        let percent = part * 100.0;
        let line = format!(
            "[{bar}] {percent:3.0} %  workers {workers}  {killed} killed, {} pieces redone",
            progress.redone
        );
        // A reader who went away is no reason to stop.
        let _ = write!(io::stderr(), "{before}{line}{behind}");
    }

    pub fn last(&mut self, progress: &Progress, tasks: usize, killed: u64) {
        self.show(progress, tasks, killed);
        if self.terminal {
            eprintln!();
        }
    }
}
