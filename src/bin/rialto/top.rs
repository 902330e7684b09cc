//! The refreshing view.

use crate::{
    open::{self, Failure, Opened},
    report::{DetailsPart, Report},
    text::{self, clean},
};
use std::{
    collections::HashMap,
    io::{self, Write},
    mem::MaybeUninit,
    process::ExitCode,
    time::{Duration, Instant},
};

const KEYBOARD: i32 = 0;
const SCREEN: i32 = 1;
/// Rows if the terminal does not say.
const ROWS: usize = 24;

/// A keyboard that tells each key at once. Undone when it goes.
struct Keys(libc::termios);

impl Keys {
    fn new() -> Option<Keys> {
        let mut old = MaybeUninit::<libc::termios>::uninit();
        // SAFETY: our buffer.
        if unsafe { libc::tcgetattr(KEYBOARD, old.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: filled in, as the call succeeded.
        let old = unsafe { old.assume_init() };
        let mut raw = old;
        raw.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ISIG); // ctrl-c is a key like others
        // SAFETY: a buffer that was filled in.
        (unsafe { libc::tcsetattr(KEYBOARD, libc::TCSANOW, &raw) } == 0).then_some(Keys(old))
    }

    /// Whether somebody wants to go, within that time.
    fn quit_within(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let mut poll = libc::pollfd { fd: KEYBOARD, events: libc::POLLIN, revents: 0 };
            // SAFETY: our buffer.
            if unsafe { libc::poll(&mut poll, 1, left.as_millis().max(1) as i32) } > 0 {
                let mut key = 0u8;
                // SAFETY: our buffer.
                let n = unsafe { libc::read(KEYBOARD, (&raw mut key).cast(), 1) };
                if n < 1 || matches!(key, b'q' | b'Q' | 3 | 4) {
                    return true;
                }
            }
            if left.is_zero() {
                return false;
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // SAFETY: what tcgetattr told us.
        unsafe { libc::tcsetattr(KEYBOARD, libc::TCSANOW, &self.0) };
    }
}

/// A screen of our own. Undone when it goes.
struct Screen;

impl Screen {
    fn new() -> Screen {
        print!("\x1b[?1049h\x1b[?25l");
        Screen
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        print!("\x1b[?25h\x1b[?1049l");
        let _ = io::stdout().flush();
    }
}

fn is_terminal(fd: i32) -> bool {
    // SAFETY: no memory is involved.
    unsafe { libc::isatty(fd) == 1 }
}

fn rows() -> usize {
    // SAFETY: zeros are a valid winsize.
    let mut size: libc::winsize = unsafe { core::mem::zeroed() };
    // SAFETY: our buffer, of the type that the call wants.
    let told = unsafe { libc::ioctl(SCREEN, libc::TIOCGWINSZ, &mut size) } == 0;
    if told && size.ws_row > 0 { usize::from(size.ws_row) } else { ROWS }
}

/// What counts up in an object, at an instant.
type Counts = HashMap<String, (u64, Instant)>;

pub fn top(region: &str, interval: f64, once: bool) -> Result<ExitCode, Failure> {
    let opened = open::to_read(region)?;
    let mut counts = Counts::new();
    let mut frame = frame(&opened, &mut counts)?;
    if once {
        io::stdout().write_all(&frame)?;
        return Ok(ExitCode::SUCCESS);
    }
    let keys = is_terminal(KEYBOARD).then(Keys::new).flatten();
    let screen = is_terminal(SCREEN).then(Screen::new);
    let interval = Duration::from_secs_f64(interval);
    loop {
        let mut out = io::stdout().lock();
        if screen.is_some() {
            out.write_all(b"\x1b[H")?;
            let lines: Vec<&[u8]> = frame.split(|byte| *byte == b'\n').collect();
            for line in lines.iter().take(rows() - 1) {
                out.write_all(line)?;
                out.write_all(b"\x1b[K\n")?;
            }
            out.write_all(b"\x1b[J")?;
        } else {
            out.write_all(&frame)?;
        }
        out.flush()?;
        drop(out);
        match &keys {
            Some(keys) if keys.quit_within(interval) => return Ok(ExitCode::SUCCESS),
            Some(_) => {}
            None => std::thread::sleep(interval),
        }
        frame = self::frame(&opened, &mut counts)?;
    }
}

/// One look.
fn frame(opened: &Opened, counts: &mut Counts) -> Result<Vec<u8>, Failure> {
    let report = Report::of(opened)?;
    let now = Instant::now();
    let mut out = Vec::new();
    text::head(&mut out, &report)?;
    let dead = report.members.iter().filter(|member| member.liveness == "dead").count();
    writeln!(
        out,
        "{} members, {dead} dead; {} lines of trouble\n",
        report.members.len(),
        report.trouble.len()
    )?;
    for trouble in &report.trouble {
        writeln!(out, "! {}", trouble.text)?;
    }
    writeln!(
        out,
        "{:<20} {:<16} {:>5} {:>7} {:>10}  STATE",
        "NAME", "KIND", "USERS", "IN HAND", "CHANGES/s"
    )?;
    let mut seen = Counts::new();
    for object in &report.objects {
        let count = counter(object.details.as_ref());
        let rate = count.and_then(|count| {
            let (before, then) = counts.get(&object.name)?;
            let seconds = now.duration_since(*then).as_secs_f64();
            Some(count.saturating_sub(*before) as f64 / seconds.max(0.001))
        });
        if let Some(count) = count {
            seen.insert(object.name.clone(), (count, now));
        }
        let rate = rate.map_or("-".to_owned(), |rate| format!("{rate:.0}"));
        writeln!(
            out,
            "{:<20} {:<16} {:>5} {:>7} {rate:>10}  {}",
            clean(&object.name),
            object.kind.unwrap_or("?"),
            object.users,
            object.in_hand_count,
            text::details(object)
        )?;
    }
    writeln!(out)?;
    for member in &report.members {
        writeln!(out, "{}", text::member(member))?;
    }
    *counts = seen;
    Ok(out)
}

/// What grows as the object is used.
fn counter(details: Option<&DetailsPart>) -> Option<u64> {
    match details? {
        DetailsPart::Queue { pushed, .. } => Some(*pushed),
        DetailsPart::State { updates, .. } => Some(*updates),
        DetailsPart::Barrier { completed, .. } => Some(u64::from(*completed)),
        DetailsPart::Condition { notified, .. } => Some(u64::from(*notified)),
        _ => None,
    }
}
