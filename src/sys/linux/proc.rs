//! Whether another thread still exists, and whether it is the same one: `kill`, `/proc/TID/stat`.
//!
//! A thread id alone proves nothing: ids are reused, and every PID namespace has its own. So a tag
//! says which namespace the id is of and when the thread started. No heap.
//!
//! # Memory
//! | bits of the tag | what |
//! |---|---|
//! | 63 | `UNDERTAKER`, not ours |
//! | 41..63 | thread id |
//! | 17..41 | PID namespace: its inode minus [`FIRST_INODE`]; exact, never hashed |
//! | 0..17 | hash of the start time, not 0; 0: unknown |
//!
//! # Limits
//! - The namespace must fit 24 bits: more than 16 million namespaces alive at once, and the tag is 0.
//! - A reused id whose start time hashes alike (1 in 131071) counts as alive until it dies too.
//! - Start times are shifted by time namespaces, so they are compared in the initial one only.
//! - `hidepid` hides `/proc/TID` of living threads: a file that is missing proves nothing, ESRCH does.

use super::FAILED;
use crate::sys::{Liveness, TAG_ID, tag_id};
use core::{ffi::CStr, mem::MaybeUninit};

/// Below the kernel's first dynamic and all its fixed namespace inodes (include/linux/proc_ns.h).
const FIRST_INODE: u64 = 0xEFFF_FFF0;
const NAMESPACE: u32 = 17;
const NAMESPACE_MASK: u64 = (1 << 24) - 1;
const START_MASK: u64 = (1 << NAMESPACE) - 1;
const TAG_ID_MASK: u32 = (1 << (63 - TAG_ID)) - 1;
/// `PROC_TIME_INIT_INO`.
const INITIAL_TIME_NAMESPACE: u64 = 0xEFFF_FFFA;

/// What this process can say about others.
struct View {
    /// Our PID namespace as tags have it; 0: unknown.
    namespace: u64,
    /// `/proc` shows our PID namespace, and start times are not shifted.
    starts: bool,
}

impl View {
    fn now() -> View {
        let namespace = match inode(c"/proc/self/ns/pid") {
            Some(inode) => inode.wrapping_sub(FIRST_INODE),
            None => 0,
        };
        let namespace = if namespace > NAMESPACE_MASK { 0 } else { namespace };
        // A kernel without time namespaces has no such file.
        let shifted = inode(c"/proc/self/ns/time").is_some_and(|i| i != INITIAL_TIME_NAMESPACE);
        // SAFETY: no arguments.
        let pid = unsafe { libc::getpid() } as u64;
        // A /proc mounted for another namespace shows us under another number.
        let starts = !shifted && stat(c"/proc/self/stat").is_some_and(|me| me.pid == pid);
        View { namespace, starts }
    }
}

fn inode(path: &CStr) -> Option<u64> {
    let mut out = MaybeUninit::<super::stat>::uninit();
    // SAFETY: a terminated path and room for the answer.
    let result = unsafe { super::stat(path.as_ptr(), out.as_mut_ptr()) };
    if result != 0 {
        return None;
    }
    // SAFETY: filled in, as the call succeeded.
    let out = unsafe { out.assume_init() };
    #[allow(clippy::unnecessary_cast)] // 32 bits on 32-bit targets
    Some(out.st_ino as u64)
}

struct Stat {
    pid: u64,
    state: u8,
    threads: u64,
    start: u64,
}

fn stat(path: &CStr) -> Option<Stat> {
    // Fields 1..22 with a name of at most 64 bytes need less than 400.
    let mut buffer = [0u8; 512];
    // SAFETY: a terminated path; the descriptor is closed below.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        return None;
    }
    // SAFETY: the buffer has that many bytes.
    let n = unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) };
    // SAFETY: ours, and not used again.
    unsafe { libc::close(fd) };
    parse(buffer.get(..usize::try_from(n).ok()?)?)
}

/// `pid (name) state ppid ... start`, see proc_pid_stat(5). The name may contain anything.
fn parse(text: &[u8]) -> Option<Stat> {
    let pid = number(text.split(|b| *b == b' ').next()?)?;
    let name_end = text.iter().rposition(|b| *b == b')')?;
    let mut fields = text.get(name_end + 2..)?.split(|b| *b == b' ');
    let state = *fields.next()?.first()?; // field 3
    let threads = number(fields.nth(16)?)?; // field 20
    let start = number(fields.nth(1)?)?; // field 22
    Some(Stat { pid, state, threads, start })
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, b| {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 { None } else { sum.checked_mul(10)?.checked_add(u64::from(digit)) }
    })
}

/// `/proc/ID/stat`, which exists for threads that are not leaders too (it is only not listed).
fn stat_of(id: u32) -> Option<Stat> {
    let mut path = *b"/proc/\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut digits = [0u8; 10];
    let (mut rest, mut n) = (id, 0);
    while n == 0 || rest > 0 {
        digits[n] = b'0' + (rest % 10) as u8;
        rest /= 10;
        n += 1;
    }
    for i in 0..n {
        path[6 + i] = digits[n - 1 - i];
    }
    path[6 + n..6 + n + 5].copy_from_slice(b"/stat");
    stat(CStr::from_bytes_until_nul(&path).ok()?)
}

/// Knuth's multiplicative hash; start times are ticks since boot, so neighbours must differ.
fn hash(start: u64) -> u64 {
    let h = start.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - NAMESPACE);
    if h == 0 { 1 } else { h }
}

/// The tag of a thread of this process (its leader's stands for the process); `id` is its thread id.
pub(super) fn own_tag(id: u32) -> u64 {
    let view = View::now();
    if view.namespace == 0 || id >> (63 - TAG_ID) != 0 {
        return 0;
    }
    let start = if view.starts { stat_of(id).map_or(0, |me| hash(me.start)) } else { 0 };
    u64::from(id) << TAG_ID | view.namespace << NAMESPACE | start
}

/// A process whose namespace nobody can tell: never 0, and never dead for anybody.
pub(super) fn tag_of_unknown(pid: u32) -> u64 {
    u64::from(pid & TAG_ID_MASK) << TAG_ID | 1
}

/// See [`crate::sys::Platform::liveness`].
pub(super) fn liveness(id: u32, tag: u64) -> Liveness {
    if tag_id(tag) != id { Liveness::Unknown } else { look(tag, |_| true) }
}

/// See [`crate::sys::Platform::process_liveness`]. A leader that has ended stays a zombie while other threads of
/// its process run.
pub(super) fn process_liveness(tag: u64) -> Liveness {
    look(tag, |leader| leader.threads <= 1)
}

/// `is_over`: whether a zombie of that kind means a death.
fn look(tag: u64, is_over: impl Fn(&Stat) -> bool) -> Liveness {
    let id = tag_id(tag);
    if id == 0 || tag >> NAMESPACE & NAMESPACE_MASK == 0 {
        return Liveness::Unknown;
    }
    let view = View::now();
    if view.namespace == 0 || view.namespace != tag >> NAMESPACE & NAMESPACE_MASK {
        return Liveness::Unknown;
    }
    // SAFETY: signal 0 is never delivered. The raw call, as libc's may refuse a thread's id.
    let result = unsafe { libc::syscall(libc::SYS_kill, id as libc::pid_t, 0) };
    if result == FAILED && super::errno() == libc::ESRCH {
        return Liveness::Dead;
    }
    if !view.starts {
        return Liveness::Unknown;
    }
    match stat_of(id) {
        None => Liveness::Unknown,
        // The kernel walks the robust list before a thread becomes a zombie.
        Some(s) if matches!(s.state, b'Z' | b'X' | b'x') && is_over(&s) => Liveness::Dead,
        Some(_) if tag & START_MASK == 0 => Liveness::Unknown,
        Some(s) if hash(s.start) == tag & START_MASK => Liveness::Alive,
        Some(_) => Liveness::Dead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_confuse() {
        let text = b"77 (a) b) Z) S 1 77 77 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0\n";
        let stat = parse(text).unwrap();
        assert_eq!((stat.pid, stat.state, stat.threads, stat.start), (77, b'S', 1, 12345));
        assert!(parse(b"77 (a").is_none());
        assert!(parse(b"").is_none());
        assert!(parse(b"1 (a) S 1 2 3").is_none());
    }

    #[test]
    fn we_are_alive_and_a_namesake_who_started_earlier_is_dead() {
        // SAFETY: no arguments.
        let id = unsafe { libc::syscall(libc::SYS_gettid) } as u32;
        let tag = own_tag(id);
        assert_ne!(tag & START_MASK, 0, "this test needs /proc");
        assert_eq!(liveness(id, tag), Liveness::Alive);
        assert_eq!(liveness(id, tag ^ 1), Liveness::Dead);
        assert_eq!(liveness(id, tag & !START_MASK), Liveness::Unknown);
        assert_eq!(liveness(id, tag ^ 1 << NAMESPACE), Liveness::Unknown);
        assert_eq!(liveness(id + 1, tag), Liveness::Unknown);
        assert_eq!(liveness(id, 0), Liveness::Unknown);
    }
}
