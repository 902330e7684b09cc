//! A queue in an async runtime: a task awaits messages that another process pushes. With tokio; any runtime
//! that can wait for a descriptor will do.
//!
//! ```sh
//! cargo run --release --example async_queue
//! ```
//!
//! This process makes an eventfd and passes it on; the other one tells it to its handle
//! ([`Queue::with_data_fd`](rialto::Queue)), which then signals it after a push, but only if somebody has armed.
//! In between, nothing is polled. Every tick the task looks all the same: a process that is killed between
//! its push and its signal leaves the descriptor silent, and a dead consumer's message comes back silently.

use rialto::{Error, Queue, QueueConfig, Region, RegionConfig};
use std::{
    env,
    fs::File,
    io::{self, ErrorKind, Read},
    os::fd::{AsFd, AsRawFd, FromRawFd},
    process::{Command, Stdio},
    time::Duration,
};
use tokio::{
    io::unix::AsyncFd,
    time::{Instant, timeout_at},
};

const MESSAGES: u32 = 100;

/// The queue's messages, awaited.
struct Messages<'r> {
    queue: Queue<'r>,
    event: AsyncFd<File>,
    next_tick: Instant,
}

impl Messages<'_> {
    /// The next message into `buffer`, once there is one: its length. `Closed` after the last.
    async fn next(&mut self, buffer: &mut [u8]) -> io::Result<Result<usize, Error>> {
        loop {
            match self.queue.try_pop(buffer) {
                Err(Error::WouldBlock) => {}
                popped => return Ok(popped.map(|popped| popped.len)),
            }
            // From here on a message is signalled. If one came meanwhile, take it first.
            let is_ready = if Instant::now() < self.next_tick {
                self.queue.arm_data()
            } else {
                self.next_tick = Instant::now() + Duration::from_nanos(self.queue.tick_ns());
                self.queue.recheck_data() // arms, too
            };
            if is_ready {
                continue;
            }
            if let Ok(readable) = timeout_at(self.next_tick, self.event.readable()).await {
                let mut count = [0; 8];
                // Err: it was not readable after all, and is awaited again.
                let _ = readable?.try_io(|event| match event.get_ref().read(&mut count) {
                    Ok(_) => Err(ErrorKind::WouldBlock.into()), // read, so not readable any more
                    refused => refused,
                });
            }
        }
    }
}

/// The other process: attaches to the region on its standard input, pushes, closes.
fn produce(fd: i32) -> Result<(), Error> {
    let region = Region::attach_fd(io::stdin().as_raw_fd())?;
    let queue = region.open_queue("messages")?.with_data_fd(fd);
    for number in 0..MESSAGES {
        queue.push(format!("message {number}").as_bytes())?;
        std::thread::sleep(Duration::from_millis(u64::from(number % 3)));
    }
    queue.close();
    Ok(())
}

async fn consume(mut messages: Messages<'_>) -> Result<u32, Box<dyn std::error::Error>> {
    let mut buffer = [0; 64];
    let mut count = 0;
    loop {
        match messages.next(&mut buffer).await? {
            Ok(len) if buffer[..len] == *format!("message {count}").as_bytes() => count += 1,
            Ok(len) => return Err(format!("odd: {:?}", String::from_utf8_lossy(&buffer[..len])).into()),
            Err(Error::Closed) => return Ok(count),
            Err(error) => return Err(error.into()),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(fd) = env::args().nth(1) {
        return Ok(produce(fd.parse()?)?);
    }
    let region = Region::create_memfd(1 << 17, &RegionConfig::default())?;
    let queue = region.create_queue("messages", &QueueConfig::new(16, 64))?;
    // SAFETY: a fresh descriptor that nobody else has. Not closed by exec: the other process gets it.
    let event = unsafe { File::from_raw_fd(libc::eventfd(0, libc::EFD_NONBLOCK)) };
    // SAFETY: the region keeps its descriptor open.
    let memory = unsafe { std::os::fd::BorrowedFd::borrow_raw(region.fd().ok_or("a memfd has one")?) };
    let mut producer = Command::new(env::current_exe()?)
        .arg(event.as_fd().as_raw_fd().to_string())
        .stdin(Stdio::from(memory.try_clone_to_owned()?))
        .spawn()?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let count = runtime.block_on(async {
        let next_tick = Instant::now() + Duration::from_nanos(queue.tick_ns());
        // SAFETY: `File` owns its descriptor, and we neither replace nor close it.
        let event = unsafe { AsyncFd::register(event)? };
        consume(Messages { queue, event, next_tick }).await
    })?;
    let succeeded = producer.wait()?.success();
    println!("{count} messages in order, awaited");
    if succeeded && count == MESSAGES { Ok(()) } else { Err("some are missing".into()) }
}
