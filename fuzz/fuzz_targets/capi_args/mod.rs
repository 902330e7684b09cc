//! Draws calls, makes them, and checks them. See `../capi_args.rs`.

mod callbacks;
mod callee;
mod config;
mod dict;
mod draw;
mod frame;
mod input;
mod kind;
mod leaks;
mod list;
mod machine;
mod namespace;
mod permits;
mod pipe;
mod process;
mod queue;
mod ready;
mod region;
mod spsc;
mod start;
mod statistics;
mod sync;
mod value;
mod watchdog;

use callee::Entry;
use frame::Frame;
use input::Input;
use machine::{Machine, Memory};
use rialto::capi::*;
use std::{ptr::null_mut, sync::OnceLock, thread};

/// Calls and tampering of one input, but for those in callbacks.
const STEPS: usize = 100;
const MEMORY_BYTES: [usize; 3] = [64 << 10, 16 << 10, 16 << 10];

fn table() -> &'static [Entry] {
    static TABLE: OnceLock<Vec<Entry>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let parts = [
            sync::calls,
            region::calls,
            queue::calls,
            pipe::calls,
            spsc::calls,
            permits::calls,
            value::calls,
            list::calls,
            dict::calls,
            namespace::calls,
            process::calls,
        ];
        parts.iter().flat_map(|calls| calls()).collect()
    })
}

/// The three memories, each behind and before a page that may not be touched.
fn memories() -> [Memory; 3] {
    static PLACES: OnceLock<[usize; 3]> = OnceLock::new();
    const PAGE: usize = 4096;
    let places = PLACES.get_or_init(|| {
        MEMORY_BYTES.map(|len| {
            let (none, both) = (libc::PROT_NONE, libc::PROT_READ | libc::PROT_WRITE);
            let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
            // SAFETY: a new mapping, and pages inside it.
            unsafe {
                let map = libc::mmap(null_mut(), len + 2 * PAGE, none, flags, -1, 0).cast::<u8>();
                assert_ne!(map.cast(), libc::MAP_FAILED);
                assert_eq!(libc::mprotect(map.add(PAGE).cast(), len, both), 0);
                map.add(PAGE).expose_provenance()
            }
        })
    });
    let mut memories = places.map(|at| Memory { at: std::ptr::with_exposed_provenance_mut(at), len: 0 });
    for (memory, len) in memories.iter_mut().zip(MEMORY_BYTES) {
        memory.len = len;
        // SAFETY: all of it; no input is under way.
        unsafe { memory.at.write_bytes(0, len) };
    }
    memories
}

/// Two eventfds, and /dev/null.
fn descriptors() -> [i32; 3] {
    static OPEN: OnceLock<[i32; 3]> = OnceLock::new();
    *OPEN.get_or_init(|| {
        // SAFETY: plain system calls.
        let fds = unsafe {
            let event = || libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC);
            [event(), event(), libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC)]
        };
        assert!(fds.iter().all(|fd| *fd >= 0));
        fds
    })
}

/// One input.
pub fn run(bytes: &[u8]) {
    let (memories, fds) = (memories(), descriptors());
    let mut m = Machine::new(Input::new(bytes), memories, fds);
    watchdog::begins();
    thread::scope(|scope| {
        let m = Shared(&raw mut m);
        scope.spawn(move || case(m));
    });
    watchdog::ends();
    m.free();
    leaks::check();
    statistics::print();
}

/// Goes to the input's thread, and comes back when that has ended.
#[derive(Clone, Copy)]
struct Shared<'a>(*mut Machine<'a>);
// SAFETY: one thread uses it at a time.
unsafe impl Send for Shared<'_> {}

fn case(shared: Shared) {
    let m = { shared }.0;
    // SAFETY: ours alone; no reference lives while a callback may use it.
    unsafe {
        (*m).is_honest = !(*m).input.once_in(4);
        if !(*m).input.once_in(8) {
            start::start(&mut *m);
        }
        for _ in 0..STEPS {
            if (*m).input.once_in(16) {
                (*m).tamper();
            } else {
                step(m, &|_: &str| true);
            }
        }
        start::finish(&mut *m);
    }
}

/// One call.
///
/// # Safety
/// Nobody else uses the machine until this returns.
unsafe fn step(m: *mut Machine, may_call: &dyn Fn(&str) -> bool) {
    // SAFETY: the caller's word.
    let (mut frame, words, entry) = unsafe {
        let (before, after) = table().split_at((*m).input.below(table().len()));
        let Some(entry) = after.iter().chain(before).find(|entry| may_call(entry.name)) else { return };
        let mut frame = Frame::default();
        let kinds = entry.kinds.iter().zip(entry.pointees);
        let words: Vec<u64> = kinds.map(|(kind, of)| draw::draw(*kind, *of, &mut *m, &mut frame)).collect();
        if let Some(ready) = entry.ready.filter(|_| !frame.is_bad) {
            if !(*m).is_honest || !ready(&*m, &words) {
                return;
            }
        }
        (frame, words, entry)
    };
    // SAFETY: as above.
    unsafe {
        let before = ((*m).busy.len(), (*m).has_timeout);
        (*m).busy.extend_from_slice(&frame.used);
        (*m).depth += 1;
        (*m).has_timeout = frame.has_timeout;
        watchdog::calls(entry.name);
        statistics::trace(entry.name, &words);
        let status = (entry.call)(&words);
        ready::is_over();
        statistics::count(entry.name, &words, status);
        (*m).depth -= 1;
        (*m).busy.truncate(before.0);
        (*m).has_timeout = before.1;
        frame.settle(&mut *m, entry, status);
    }
}

/// Those without pointers, whose contracts have no room for much; and what would keep its table for ever.
pub fn constants(word: u32) {
    // SAFETY: refused: NULL, and not none.
    assert_eq!(unsafe { rialto_process_main(std::ptr::null(), word | 1) }, RIALTO_EINVAL);
    assert_eq!(rialto_parent_join(), RIALTO_ENOENT);
    // SAFETY: a C string that never dies.
    let text = unsafe { std::ffi::CStr::from_ptr(rialto_strerror(word as i32)) };
    assert!(!text.is_empty() && rialto_version() > 0 && rialto_layout_version() == RIALTO_LAYOUT_VERSION);
}
