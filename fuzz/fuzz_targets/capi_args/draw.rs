//! How each kind of argument is drawn.

use super::{
    frame::Frame,
    kind::{Kind, What},
    machine::Machine,
    start::{NAMES, file},
};
use rialto::capi::*;

const TYPE_SIZES: [usize; 12] = [0, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 1];

/// A word for an argument; `pointee` is the size and alignment of what it points to.
pub fn draw(kind: Kind, pointee: (usize, usize), m: &mut Machine, f: &mut Frame) -> u64 {
    match kind {
        Kind::View(what) => view(what, pointee.0, m, f, |_, _| true),
        Kind::Change(what) => view(what, pointee.0, m, f, |m, i| !m.busy.contains(&i)),
        Kind::End(what) => {
            // Within a callback, what is used stays: the edit, the walk and the wait need it.
            let is_free = move |m: &Machine, i: usize| {
                !m.busy.contains(&i) && (m.depth == 0 || !matches!(what, What::Region | What::Member))
            };
            let word = view(what, pointee.0, m, f, is_free);
            f.ended = f.used.last().copied();
            word
        }
        Kind::New(what) => new_view(what, pointee.0, m, f),
        Kind::Cell(what) => cell(what, m, f, |_| true),
        Kind::Fresh(what) => cell(what, m, f, is_unlocked),
        Kind::Out => out(pointee, m, f),
        Kind::OutOrNull if m.input.once_in(4) => 0,
        Kind::OutOrNull => {
            let was_bad = f.is_bad;
            let word = out(pointee, m, f);
            f.is_bad = was_bad || (f.is_bad && word != 0);
            word
        }
        Kind::Found(what) => {
            let word = out(pointee, m, f);
            f.found = Some((word as usize, what));
            word
        }
        Kind::TicketOut => {
            let word = out(pointee, m, f);
            f.ticket = Some(word as usize);
            word
        }
        Kind::PermitOut => {
            let word = out(pointee, m, f);
            f.permit = Some(word as usize);
            word
        }
        Kind::InOut => {
            let number = m.input.number() as u32;
            let at = f.scratch(pointee.0, pointee.1);
            // SAFETY: of that size.
            unsafe { at.cast::<u32>().write(number) };
            at.expose_provenance() as u64
        }
        Kind::Ticket => {
            let random = [m.input.nasty(), m.input.nasty()];
            let known = if m.tickets.is_empty() { random } else { m.input.pick(&m.tickets) };
            let ticket = if m.input.once_in(8) { random } else { known };
            let at = f.scratch(16, 8);
            // SAFETY: of that size.
            unsafe { at.cast::<[u64; 2]>().write(ticket) };
            odd(at, (16, 8), m, f)
        }
        Kind::Permit if m.permits.is_empty() || m.input.once_in(8) => m.input.nasty(),
        Kind::Permit => m.input.pick(&m.permits),
        Kind::Name(_) | Kind::Removed | Kind::File | Kind::Attribute | Kind::String => string(kind, m, f),
        Kind::From | Kind::Expected => {
            let bytes = content(m);
            from(bytes, m, f)
        }
        Kind::To | Kind::ToOrNull => {
            let len = length(m);
            if m.input.once_in(24) {
                (f.has_null, f.room) = (true, Some(0));
                return 0;
            }
            f.room = Some(f.room.unwrap_or(usize::MAX).min(len));
            f.scratch(len, 1).wrapping_add(usize::from(len == 0)).expose_provenance() as u64
        }
        Kind::Len => len(m, f),
        Kind::Messages => messages(m, f),
        Kind::Pairs => pairs(m, f),
        Kind::Results => {
            let count = m.input.below(9);
            f.room = Some(count);
            let at = f.scratch(count * pointee.0, pointee.1);
            if pointee.0 == size_of::<rialto_popped_t>() {
                f.popped = (at.expose_provenance(), count);
            }
            at.expose_provenance() as u64
        }
        Kind::Count => len(m, f),
        Kind::Type => {
            let type_of = m.input.pick(&[RIALTO_U64, RIALTO_U64, RIALTO_BLOCK, RIALTO_U8, RIALTO_F64]);
            let type_of = if m.input.once_in(4) { m.input.number() as u32 } else { type_of };
            f.type_size = TYPE_SIZES.get(type_of as usize).copied().unwrap_or(0);
            u64::from(type_of)
        }
        Kind::Size => {
            let size = if f.type_size == 0 { 8 } else { f.type_size };
            let size =
                if m.input.once_in(4) { m.input.pick(&[0, 1, 3, 8, 64, 1 << 24, usize::MAX]) } else { size };
            f.elements.0 = size;
            size as u64
        }
        Kind::Elements => {
            f.elements.1 = m.input.pick(&[0, 1, 1, 2, 3, 8, 64, 1 << 20, u32::MAX as usize]);
            f.elements.1 as u64
        }
        Kind::Initial => match f.elements.0.checked_mul(f.elements.1).filter(|size| *size <= 4096) {
            Some(size) if !m.input.once_in(4) => {
                f.copy(&vec![m.input.byte(); size]).expose_provenance() as u64
            }
            _ => 0,
        },
        // No element is larger than 64 bytes, and no array has more than 64 elements.
        Kind::FromElements => {
            f.copy(&vec![m.input.byte(); f.elements.1.min(64) * 64]).expose_provenance() as u64
        }
        Kind::ToElements => f.scratch(f.elements.1.min(64) * 64, 1).expose_provenance() as u64,
        Kind::RegionConfig | Kind::QueueConfig | Kind::PipeConfig | Kind::SpscConfig => {
            super::config::draw(kind, pointee, m, f)
        }
        Kind::ProcessConfig => process_config(pointee, m, f),
        Kind::PoolConfig => pool_config(pointee, m, f),
        Kind::Functions => functions(m, f),
        Kind::Null => refused(0, f),
        Kind::Memory => {
            let i = m.input.below(m.memories.len());
            f.memory = Some(i);
            f.room = Some(m.memories[i].len);
            match m.input.below(16) {
                0 => refused(0, f),
                1 => {
                    f.room = Some(m.memories[i].len - 64);
                    refused(m.memories[i].at.addr() as u64 + 64, f)
                }
                _ => m.memories[i].at.expose_provenance() as u64,
            }
        }
        Kind::MemoryBytes => {
            let room = f.room.take().unwrap_or(0);
            if m.input.once_in(4) { (m.input.nasty() as usize % (room + 1)) as u64 } else { room as u64 }
        }
        Kind::RegionBytes => {
            m.input.pick(&[0, 1, 4096, 16 << 10, 32 << 10, 64 << 10, 1 << 20, 1 << 60, u64::MAX])
        }
        Kind::Mostly(number) if !m.input.once_in(3) => u64::from(number),
        Kind::Number | Kind::Mostly(_) => m.input.number(),
        Kind::Bool => u64::from(m.input.byte() & 1),
        Kind::F64 => m.input.word(),
        Kind::Timeout => {
            f.has_timeout = true;
            m.input.pick(&[0, 0, 0, 0, 0, 1, 1000, 100_000, 1_000_000])
        }
        Kind::Patience if m.is_honest && m.input.once_in(2) => m.input.nasty(),
        Kind::Patience => m.input.pick(&[0, 1, 1_000_000]),
        Kind::SignalFd => {
            let [a, b, null] = m.fds;
            m.input.pick(&[-1, a, a, b, null, 999, -7, i32::MIN]) as u32 as u64
        }
        Kind::RegionFd => {
            let mut fds = vec![-1, 999, m.fds[0], m.fds[2]];
            for i in m.alive(What::Region) {
                // SAFETY: a live view.
                fds.push(unsafe { super::start::fd_of(m.slots[i].at.cast()) });
            }
            m.input.pick(&fds) as u32 as u64
        }
        Kind::Callback => {
            f.has_callback = true;
            if m.input.once_in(16) { refused(0, f) } else { 1 }
        }
        Kind::Context => (&raw mut *m).expose_provenance() as u64,
        Kind::Edit if m.edit.is_null() || m.input.once_in(16) => refused(m.input.pick(&[0, 1, 4]), f),
        Kind::Edit => m.edit.expose_provenance() as u64,
    }
}

fn refused(word: u64, f: &mut Frame) -> u64 {
    f.is_bad = true;
    word
}

/// A pointer, or now and then NULL or one that is misaligned. The allocation need not be larger: nobody looks there.
fn odd(at: *mut u8, pointee: (usize, usize), m: &mut Machine, f: &mut Frame) -> u64 {
    let at = at.expose_provenance() as u64;
    match m.input.below(48) {
        0 => refused(0, f),
        1 if pointee.1 > 1 => refused(at + 1, f),
        _ => at,
    }
}

fn view(
    what: What,
    size: usize,
    m: &mut Machine,
    f: &mut Frame,
    fits: impl Fn(&Machine, usize) -> bool,
) -> u64 {
    let all = |m: &Machine, is_it: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (0..m.slots.len()).filter(|i| is_it(*i) && m.slots[*i].size >= size && fits(m, *i)).collect()
    };
    let any = |m: &Machine| all(m, &|_| true);
    let homes = |m: &Machine| all(m, &|i| m.slots[i].home == what);
    let alive = |m: &Machine| all(m, &|i| m.slots[i].alive == Some(what));
    let from = match m.input.below(48) {
        0 => return refused(0, f),
        1 => {
            let at = m.slots[m.homes(what)[0]].at.addr() as u64;
            return refused(at + m.input.pick(&[1, 2, 4]), f);
        }
        2 => any(m),
        3 => homes(m),
        _ => alive(m),
    };
    let from = if from.is_empty() { homes(m) } else { from };
    if from.is_empty() {
        return refused(0, f);
    }
    let slot = m.input.pick(&from);
    f.is_bad |= m.slots[slot].alive != Some(what);
    f.used.push(slot);
    m.slots[slot].at.expose_provenance() as u64
}

fn new_view(what: What, size: usize, m: &mut Machine, f: &mut Frame) -> u64 {
    let is_free = |m: &Machine, f: &Frame, i: usize| m.is_writable(i) && !f.used.contains(&i);
    let any: Vec<usize> =
        (0..m.slots.len()).filter(|i| m.slots[*i].size >= size && is_free(m, f, *i)).collect();
    let homes: Vec<usize> = any.iter().copied().filter(|i| m.slots[*i].home == what).collect();
    let fresh: Vec<usize> = homes.iter().copied().filter(|i| m.slots[*i].alive.is_none()).collect();
    let from = match m.input.below(16) {
        0 => &any,
        1 | 2 => &homes,
        _ if fresh.is_empty() => &homes,
        _ => &fresh,
    };
    if from.is_empty() {
        return refused(0, f);
    }
    let slot = m.input.pick(from);
    f.made = Some((slot, what));
    f.watch(m.slots[slot].at, m.slots[slot].size);
    odd(m.slots[slot].at, (size, 8), m, f)
}

fn is_unlocked(at: *mut u8) -> bool {
    let (mut a, mut b) = (false, false);
    // SAFETY: 64 bytes, 64-aligned.
    unsafe {
        rialto_lock_is_mine(at.cast(), &mut a);
        rialto_rlock_is_mine(at.cast(), &mut b);
    }
    !a && !b
}

fn cell(what: What, m: &mut Machine, f: &mut Frame, fits: impl Fn(*mut u8) -> bool) -> u64 {
    let any: Vec<usize> = (0..m.cells.len()).filter(|i| fits(m.cells[*i].at)).collect();
    let homes: Vec<usize> = any.iter().copied().filter(|i| m.cells[*i].home == what).collect();
    let from = if homes.is_empty() || m.input.once_in(24) { &any } else { &homes };
    if from.is_empty() {
        return refused(0, f);
    }
    let at = m.cells[m.input.pick(from)].at;
    match m.input.below(48) {
        0 => refused(0, f),
        1 => refused(at.addr() as u64 + m.input.pick(&[1, 4, 32]), f),
        _ => at.expose_provenance() as u64,
    }
}

fn out(pointee: (usize, usize), m: &mut Machine, f: &mut Frame) -> u64 {
    let at = f.scratch(pointee.0, pointee.1);
    f.watch(at, pointee.0);
    odd(at, pointee, m, f)
}

fn length(m: &mut Machine) -> usize {
    m.input.pick(&[8, 8, 8, 64, 64, 256, 1024, 0, 1, 2, 3, 7, 16, 33])
}

/// Few different contents, so that keys and items are found again.
fn content(m: &mut Machine) -> Vec<u8> {
    let len = m.input.pick(&[1, 1, 1, 2, 8, 8, 8, 8, 0, 3, 16, 33, 64, 65, 300]);
    vec![m.input.pick(&[b'a', b'b', 1, 0]); len]
}

fn from(bytes: Vec<u8>, m: &mut Machine, f: &mut Frame) -> u64 {
    if m.input.once_in(24) {
        (f.has_null, f.room) = (true, Some(0));
        return 0;
    }
    f.room = Some(f.room.unwrap_or(usize::MAX).min(bytes.len()));
    f.copy(&bytes).expose_provenance() as u64
}

/// As many as there are, or fewer. With NULL any number, as its bytes are not looked at.
fn len(m: &mut Machine, f: &mut Frame) -> u64 {
    let room = f.room.take().unwrap_or(0);
    if std::mem::take(&mut f.has_null) {
        return if m.input.once_in(2) { m.input.nasty() } else { 0 };
    }
    if m.input.once_in(16) { m.input.below(room + 1) as u64 } else { room as u64 }
}

fn message(m: &mut Machine, f: &mut Frame) -> rialto_message_t {
    let bytes = content(m);
    let word = from(bytes, m, f);
    let length_bytes = len(m, f) as usize;
    rialto_message_t { bytes: std::ptr::with_exposed_provenance(word as usize), length_bytes }
}

fn messages(m: &mut Machine, f: &mut Frame) -> u64 {
    let all: Vec<_> = (0..m.input.below(6)).map(|_| message(m, f)).collect();
    let at = f.scratch(size_of_val(&all[..]), 8);
    // SAFETY: as large.
    unsafe { at.cast::<rialto_message_t>().copy_from_nonoverlapping(all.as_ptr(), all.len()) };
    f.room = Some(all.len());
    at.expose_provenance() as u64
}

fn pairs(m: &mut Machine, f: &mut Frame) -> u64 {
    let pair = |m: &mut Machine, f: &mut Frame| rialto_pair_t { key: message(m, f), value: message(m, f) };
    let all: Vec<_> = (0..m.input.below(6)).map(|_| pair(m, f)).collect();
    let at = f.scratch(size_of_val(&all[..]), 8);
    // SAFETY: as large.
    unsafe { at.cast::<rialto_pair_t>().copy_from_nonoverlapping(all.as_ptr(), all.len()) };
    f.room = Some(all.len());
    at.expose_provenance() as u64
}

/// A string that may be NULL.
fn optional(kind: Kind, m: &mut Machine, f: &mut Frame) -> u64 {
    let (was_bad, name) = (f.is_bad, std::mem::take(&mut f.name));
    let word = if m.input.once_in(2) { 0 } else { string(kind, m, f) };
    (f.is_bad, f.name) = (was_bad, name);
    word
}

/// Of a process that cannot be started: the program has no entries, no fork server, and never asks for another one.
fn process_config(pointee: (usize, usize), m: &mut Machine, f: &mut Frame) -> u64 {
    let fds = [m.input.pick(&m.fds), -1, m.input.pick(&m.fds)];
    let fd_count = m.input.below(fds.len() + 1);
    let fds: Vec<u8> = fds[..fd_count].iter().flat_map(|fd| fd.to_ne_bytes()).collect();
    let (args, server) = (message(m, f), m.slots[m.homes(What::Forkserver)[0]].at);
    let config = rialto_process_config_t {
        name: pointer(optional(Kind::String, m, f)),
        args: args.bytes,
        args_bytes: args.length_bytes,
        fds: pointer(f.copy_aligned(&fds, 4).expose_provenance() as u64),
        fd_count: fd_count as u32,
        flags: m.input.pick(&[0, 0, 1, 2, 3, 4, u32::MAX]),
        method: m.input.pick(&[
            RIALTO_PROCESS_FORK,
            RIALTO_PROCESS_FORK,
            RIALTO_PROCESS_FORKSERVER,
            3,
            u32::MAX,
        ]),
        _reserved_word: u32::from(m.input.once_in(16)),
        program: pointer(optional(Kind::String, m, f)),
        argv: std::ptr::null(),
        server: if m.input.once_in(4) { std::ptr::null() } else { server.cast() },
        _reserved: [0, u64::from(m.input.once_in(16))],
    };
    let at = f.scratch(pointee.0, pointee.1);
    // SAFETY: of that size and alignment.
    unsafe { at.cast::<rialto_process_config_t>().write(config) };
    odd(at, pointee, m, f)
}

fn pool_config(pointee: (usize, usize), m: &mut Machine, f: &mut Frame) -> u64 {
    let argument = message(m, f);
    let mut number = |among: &[u32]| {
        let usual = m.input.pick(among);
        if m.input.once_in(16) { m.input.nasty() as u32 } else { usual }
    };
    let config = rialto_pool_config_t {
        workers: number(&[1, 2, 64]),
        slots: number(&[1, 4, 16]),
        max_task_bytes: number(&[8, 64, 1]),
        max_result_bytes: number(&[8, 64, 1]),
        retries: number(&[0, 2, 20, 21]),
        tasks_per_worker: number(&[0, 1]),
        timeout_ns: u64::from(number(&[u32::MAX, 1])),
        initializer: pointer(optional(Kind::String, m, f)),
        argument: argument.bytes,
        argument_bytes: argument.length_bytes,
        _reserved: [0, u64::from(m.input.once_in(16))],
    };
    let at = f.scratch(pointee.0, pointee.1);
    // SAFETY: of that size and alignment.
    unsafe { at.cast::<rialto_pool_config_t>().write(config) };
    odd(at, pointee, m, f)
}

fn functions(m: &mut Machine, f: &mut Frame) -> u64 {
    let function = |m: &mut Machine, f: &mut Frame| rialto_function_t {
        name: pointer(optional(Kind::String, m, f)),
        run: (!m.input.once_in(8)).then_some(super::callbacks::work),
        context: std::ptr::null_mut(),
    };
    let all: Vec<_> = (0..m.input.below(4)).map(|_| function(m, f)).collect();
    let at = f.scratch(size_of_val(&all[..]), 8);
    // SAFETY: as large.
    unsafe { at.cast::<rialto_function_t>().copy_from_nonoverlapping(all.as_ptr(), all.len()) };
    f.room = Some(all.len());
    at.expose_provenance() as u64
}

fn pointer<T>(word: u64) -> *const T {
    std::ptr::with_exposed_provenance(word as usize)
}

fn string(kind: Kind, m: &mut Machine, f: &mut Frame) -> u64 {
    let mut bytes: Vec<u8> = match kind {
        Kind::Name(name) if !m.input.once_in(3) => name.into(),
        // Within a callback nothing is removed that is in use.
        Kind::Removed if m.depth > 0 => b"nothing".into(),
        Kind::Name(_) | Kind::Removed if !m.input.once_in(8) => m.input.pick(&NAMES).into(),
        Kind::File => file(m.input.below(2)).into(),
        Kind::Attribute | Kind::String if !m.input.once_in(16) => vec![m.input.pick(b"abcdefgh")],
        _ => m
            .input
            .pick(&[
                &b"x"[..],
                b"",
                b"a b",
                &[b'n'; 31],
                &[b'n'; 32],
                &[b'n'; 600],
                b"\xFF\xFE",
                b"/",
                b"a/b",
            ])
            .into(),
    };
    if kind == Kind::File && m.input.once_in(8) {
        bytes.extend_from_slice(m.input.pick(&[
            &b"/"[..],
            b"/..",
            b"\xFF",
            b"\n",
            &[b'n'; 255],
            &[b'n'; 600],
        ]));
    }
    match kind {
        Kind::File => f.file = Some(bytes.clone()),
        Kind::Name(_) | Kind::Removed => f.name = bytes.clone(),
        _ => {}
    }
    f.is_removal |= kind == Kind::Removed;
    bytes.push(0);
    if m.input.once_in(48) { refused(0, f) } else { f.copy(&bytes).expose_provenance() as u64 }
}
