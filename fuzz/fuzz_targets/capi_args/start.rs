//! The state that most inputs begin with: one region, with one live object of every type; and the end of it.

use super::{kind::What, machine::Machine};
use rialto::capi::*;
use std::{
    ffi::{CStr, CString, c_int},
    mem::zeroed,
    ptr::{null, null_mut},
};

/// Objects that there are at first, and some that there are not.
pub const NAMES: [&str; 23] = [
    "queue",
    "joinable",
    "pipe",
    "spsc",
    "tracked_semaphore",
    "barrier",
    "value",
    "array",
    "list",
    "dict",
    "namespace",
    "lock",
    "rlock",
    "event",
    "semaphore",
    "condition",
    "raw_value",
    "raw_array",
    "pool",
    "pool.table",
    "new",
    "newer",
    "newest",
];

/// Of a region in /dev/shm: no other program's.
pub fn file(i: usize) -> String {
    format!("rialto-fuzz-{}-{i}", std::process::id())
}

pub fn set_timeout(what: What, view: *mut u8) {
    // SAFETY: a live view of that type.
    unsafe {
        match what {
            What::Value => rialto_value_set_timeout(view.cast(), 1_000_000),
            What::Array => rialto_array_set_timeout(view.cast(), 1_000_000),
            What::List => rialto_list_set_timeout(view.cast(), 1_000_000),
            What::Dict => rialto_dict_set_timeout(view.cast(), 1_000_000),
            _ => rialto_namespace_set_timeout(view.cast(), 1_000_000),
        };
    }
}

/// # Safety
/// A live view.
pub unsafe fn fd_of(region: *const rialto_region_t) -> c_int {
    let mut fd = -1;
    // SAFETY: the caller's word.
    unsafe { rialto_region_fd(region, &mut fd) };
    fd
}

fn ok(status: c_int) {
    assert_eq!(status, RIALTO_OK, "at the start");
}

/// Makes a view in a place of its own. `made_of` are those that it needs, and what has its name.
fn make<T>(
    m: &mut Machine,
    what: What,
    made_of: &[usize],
    name: &CStr,
    call: impl FnOnce(*mut T) -> c_int,
) -> usize {
    let free = m.homes(what).into_iter().find(|i| m.slots[*i].alive.is_none()).expect("some at first");
    ok(call(m.slots[free].at.cast()));
    let needs = m.needs(made_of);
    let slot = &mut m.slots[free];
    (slot.alive, slot.needs, slot.name) = (Some(what), needs, name.to_bytes().to_vec());
    free
}

pub fn start(m: &mut Machine) {
    let memory = m.memories[0];
    let bytes = [7u8; 8];
    let from = bytes.as_ptr().cast();
    // SAFETY: configurations are plain numbers; views and memory are as the header wants them.
    unsafe {
        let config = rialto_region_config_t { members: 16, objects: 32, tick_ms: 20, ..zeroed() };
        let r = make(m, What::Region, &[], c"", |at| {
            rialto_region_init(at, memory.at.cast(), memory.len, &config)
        });
        m.slots[r].memory = Some(0);
        let region: *const rialto_region_t = m.slots[r].at.cast();
        macro_rules! view {
            ($what:ident, $of:expr, $name:expr, $call:ident($($before:expr),*) $(, $after:expr)?) => {{
                let slot = make(m, What::$what, &$of, $name, |at| $call($($before,)* at));
                (slot, m.slots[slot].at)
            }};
        }
        let (me, member) = view!(Member, [r], c"", rialto_region_join(region));
        let member: *const rialto_member_t = member.cast();

        let mut config: rialto_queue_config_t = zeroed();
        ok(rialto_queue_config_default(4, 64, &mut config));
        let (q, queue) = view!(Queue, [r], c"queue", rialto_queue_create(region, c"queue".as_ptr(), &config));
        let queue: *const rialto_queue_t = queue.cast();
        for _ in 0..2 {
            ok(rialto_queue_push(queue, from, 8));
        }
        view!(Queue, [q, me], c"queue", rialto_queue_as_member(queue, member));
        view!(Reserved, [q], c"queue", rialto_queue_reserve(queue, 8));
        view!(Peeked, [q], c"queue", rialto_queue_peek(queue));
        config.flags = RIALTO_QUEUE_JOINABLE;
        let (_, queue) =
            view!(Queue, [r], c"joinable", rialto_queue_create(region, c"joinable".as_ptr(), &config));
        let queue: *const rialto_queue_t = queue.cast();
        let (mut buffer, mut length, mut ticket) = ([0u8; 64], 0, zeroed::<rialto_ticket_t>());
        for _ in 0..2 {
            ok(rialto_queue_push(queue, from, 8));
        }
        ok(rialto_queue_pop_ticket(
            queue,
            buffer.as_mut_ptr().cast(),
            64,
            &mut length,
            null_mut(),
            &mut ticket,
        ));
        m.tickets.push(std::mem::transmute::<rialto_ticket_t, [u64; 2]>(ticket));

        let mut config: rialto_pipe_config_t = zeroed();
        ok(rialto_pipe_config_default(512, &mut config));
        config.flags = RIALTO_PIPE_DUPLEX;
        let (p, pipe) = view!(Pipe, [r], c"pipe", rialto_pipe_create(region, c"pipe".as_ptr(), &config));
        let pipe: *const rialto_pipe_t = pipe.cast();
        let (_, one) = view!(Connection, [p], c"pipe", rialto_pipe_connect(pipe, 0));
        let (_, other) = view!(Connection, [p, me], c"pipe", rialto_pipe_connect_as(pipe, member, 1));
        ok(rialto_connection_send(one.cast(), from, 8));
        ok(rialto_connection_send(other.cast(), from, 8));

        let mut config: rialto_spsc_config_t = zeroed();
        ok(rialto_spsc_config_default(4, 64, &mut config));
        let (s, spsc) = view!(Spsc, [r], c"spsc", rialto_spsc_create(region, c"spsc".as_ptr(), &config));
        let spsc: *const rialto_spsc_t = spsc.cast();
        let (_, producer) = view!(Producer, [s], c"spsc", rialto_spsc_producer(spsc));
        view!(Consumer, [s], c"spsc", rialto_spsc_consumer(spsc));
        for _ in 0..2 {
            ok(rialto_producer_push(producer.cast(), from, 8));
        }

        let name = c"tracked_semaphore";
        let (_, tracked) =
            view!(Tracked, [r], name, rialto_tracked_semaphore_create(region, name.as_ptr(), 3));
        let mut permit = 0;
        ok(rialto_tracked_semaphore_acquire(tracked.cast(), &mut permit));
        m.permits.push(permit);
        view!(Barrier, [r], c"barrier", rialto_barrier_create(region, c"barrier".as_ptr(), 1));

        let long = u64::MAX;
        view!(
            Value,
            [r],
            c"value",
            rialto_value_create(region, c"value".as_ptr(), RIALTO_U64, from, 8, long)
        );
        let array = c"array".as_ptr();
        view!(Array, [r], c"array", rialto_array_create(region, array, RIALTO_U64, 8, 8, null(), long));
        let (_, list) = view!(List, [r], c"list", rialto_list_create(region, c"list".as_ptr(), 16, 16, long));
        let list: *const rialto_list_t = list.cast();
        let (_, dict) =
            view!(Dict, [r], c"dict", rialto_dict_create(region, c"dict".as_ptr(), 8, 16, 16, long));
        let dict: *const rialto_dict_t = dict.cast();
        for key in [c"a", c"b"] {
            ok(rialto_list_append(list, key.as_ptr().cast(), 1));
            ok(rialto_dict_set(dict, key.as_ptr().cast(), 1, from, 8));
        }
        let name = c"namespace";
        let (_, ns) =
            view!(Namespace, [r], name, rialto_namespace_create(region, name.as_ptr(), 8, 8, 16, long));
        let ns: *const rialto_namespace_t = ns.cast();
        ok(rialto_namespace_set_i64(ns, c"a".as_ptr(), -1));
        ok(rialto_namespace_set_u64(ns, c"b".as_ptr(), 1));
        ok(rialto_namespace_set_f64(ns, c"c".as_ptr(), 1.0));
        ok(rialto_namespace_set_bool(ns, c"d".as_ptr(), true));
        ok(rialto_namespace_set_bytes(ns, c"e".as_ptr(), from, 8));
        ok(rialto_namespace_set_str(ns, c"f".as_ptr(), c"g".as_ptr()));
        let mut data = null_mut();
        ok(rialto_raw_value_create(region, c"raw_value".as_ptr(), RIALTO_U64, 8, &mut data));
        ok(rialto_raw_array_create(region, c"raw_array".as_ptr(), RIALTO_U64, 8, 8, &mut data));
        for cell in &m.cells {
            ok(match cell.home {
                What::Lock => rialto_lock_init(cell.at.cast()),
                What::Rlock => rialto_rlock_init(cell.at.cast()),
                What::Event => rialto_event_init(cell.at.cast()),
                What::Semaphore => rialto_semaphore_init_bounded(cell.at.cast(), 2),
                _ => rialto_condition_init(cell.at.cast()),
            });
        }
    }
    // SAFETY: cells, and a configuration of plain numbers.
    unsafe {
        let at = |what| m.cells.iter().find(|cell| cell.home == what).expect("some of each").at;
        ok(rialto_lock_acquire(at(What::Lock).cast()));
        ok(rialto_rlock_acquire(at(What::Rlock).cast()));
        ok(rialto_event_set(at(What::Event).cast()));
        if m.is_honest && m.input.once_in(4) {
            let config = rialto_region_config_t { members: 8, objects: 8, tick_ms: 20, ..zeroed() };
            let name = CString::new(file(0)).expect("no zero in it");
            make(m, What::Region, &[], c"", |at| {
                rialto_region_create_named(at, name.as_ptr(), 1 << 16, &config)
            });
            m.files.push(file(0).into());
        }
    }
    if !m.is_honest {
        for slot in &m.slots {
            if let Some(what) = slot.alive.filter(|what| what.is_state()) {
                set_timeout(what, slot.at);
            }
        }
    }
}

/// Ends all that is alive. If nobody has written wild, everything can be ended.
pub fn finish(m: &mut Machine) {
    for name in std::mem::take(&mut m.files) {
        let name = CString::new(name).expect("from a C string");
        // SAFETY: a C string.
        unsafe { rialto_region_unlink_named(name.as_ptr()) };
    }
    use What::*;
    for what in [Reserved, Peeked, Producer, Consumer, Connection, Value, Array, List, Dict, Namespace] {
        for slot in m.alive(what) {
            let at = m.slots[slot].at;
            // SAFETY: a live view of that type.
            let status = unsafe {
                match what {
                    Reserved => rialto_reserved_abort(at.cast()),
                    Peeked => rialto_peeked_release(at.cast()),
                    Producer => rialto_producer_end(at.cast()),
                    Consumer => rialto_consumer_end(at.cast()),
                    Connection => rialto_connection_close(at.cast()),
                    _ => {
                        release(what, at);
                        RIALTO_OK
                    }
                }
            };
            assert!(status == RIALTO_OK || !m.is_honest, "{what:?} cannot be ended: {status}");
        }
    }
    m.alive(Region).iter().for_each(|slot| give_back(m, m.slots[*slot].at.cast()));
    for cell in &m.cells {
        // SAFETY: 64 bytes, 64-aligned: whether or not they are a lock.
        unsafe {
            rialto_lock_release(cell.at.cast());
            for _ in 0..64 {
                rialto_rlock_release(cell.at.cast());
            }
        }
    }
    // As members, then for the threads themselves.
    for (what, is_end) in [(Member, true), (Region, false), (Region, true)] {
        for slot in m.alive(what) {
            let at = m.slots[slot].at;
            // SAFETY: a live view of that type.
            let status = unsafe {
                match (what, is_end) {
                    (Member, _) => rialto_member_leave(at.cast()),
                    // Two views may be of one region.
                    (_, false) => rialto_region_leave(at.cast()),
                    _ => rialto_region_detach(at.cast()),
                }
            };
            assert!(
                status == RIALTO_OK || !m.is_honest,
                "{what:?} {slot} cannot be ended ({is_end}): {status}"
            );
        }
    }
}

/// Releases a lock, if this thread has it.
///
/// # Safety
/// A live view of that type.
unsafe fn release(what: What, at: *mut u8) {
    // SAFETY: the caller's word.
    unsafe {
        match what {
            What::Value => rialto_value_release(at.cast()),
            What::Array => rialto_array_release(at.cast()),
            What::List => rialto_list_release(at.cast()),
            What::Dict => rialto_dict_release(at.cast()),
            _ => rialto_namespace_release(at.cast()),
        };
    }
}

/// What this thread and its members may have of the objects in a region, perhaps through views that are gone.
fn give_back(m: &Machine, region: *mut rialto_region_t) {
    // SAFETY: live views; tickets and permits are numbers.
    unsafe {
        let (mut cursor, mut info): (u32, rialto_object_info_t) = (0, zeroed());
        while rialto_region_next_object(region, &mut cursor, &mut info) == RIALTO_OK {
            let name = info.name.as_ptr().cast();
            let members = m.alive(What::Member);
            let members =
                members.iter().map(|i| m.slots[*i].at.cast::<rialto_member_t>()).chain([null_mut()]);
            let (mut queue, mut tracked, mut barrier) = (zeroed(), zeroed(), zeroed());
            for member in members {
                match info.kind {
                    RIALTO_KIND_QUEUE if rialto_queue_open(region, name, &mut queue) == RIALTO_OK => {
                        rialto_queue_as_member(&queue, member, &mut queue);
                        for ticket in &m.tickets {
                            rialto_queue_task_done(&queue, (&raw const *ticket).cast());
                        }
                    }
                    RIALTO_KIND_TRACKED_SEMAPHORE
                        if rialto_tracked_semaphore_open(region, name, &mut tracked) == RIALTO_OK =>
                    {
                        for permit in &m.permits {
                            rialto_tracked_semaphore_release(&tracked, *permit);
                        }
                    }
                    RIALTO_KIND_BARRIER if rialto_barrier_open(region, name, &mut barrier) == RIALTO_OK => {
                        rialto_barrier_as_member(&barrier, member, &mut barrier);
                        rialto_barrier_unregister(&barrier);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Whether this thread has the object's lock: its view is not overwritten then.
///
/// # Safety
/// A live view of that type.
pub unsafe fn is_mine(what: What, at: *mut u8) -> bool {
    let mut is_mine = false;
    // SAFETY: the caller's word.
    unsafe {
        match what {
            What::Value => rialto_value_is_mine(at.cast(), &mut is_mine),
            What::Array => rialto_array_is_mine(at.cast(), &mut is_mine),
            What::List => rialto_list_is_mine(at.cast(), &mut is_mine),
            What::Dict => rialto_dict_is_mine(at.cast(), &mut is_mine),
            What::Namespace => rialto_namespace_is_mine(at.cast(), &mut is_mine),
            _ => RIALTO_OK,
        };
    }
    is_mine
}
