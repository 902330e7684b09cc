//! The region's directory: what may be removed, and when; what becomes of the room; what is listed.
#![cfg(all(target_os = "linux", feature = "os", not(rialto_loom)))]
// SAFETY of each named lock: no region here goes while another thread holds a lock in it.
#![allow(clippy::undocumented_unsafe_blocks)]

mod procs;

use procs::{fork, wait_until};
use rialto::{
    Depth, Error, Event, Lock, PipeConfig, Queue, QueueConfig, Region, RegionConfig, SpscConfig,
    region::{Kind, Space},
};
use std::sync::atomic::{AtomicU32, Ordering::*};

const LEN: usize = 1 << 17;

fn config() -> RegionConfig {
    RegionConfig { members: 8, objects: 16, tick_ms: 20 }
}

fn region() -> Region {
    Region::create_anonymous(LEN, &config()).unwrap()
}

/// Another handle to it, as another process has.
fn again(region: &Region) -> Region {
    // SAFETY: each test drops it before the region.
    unsafe { Region::attach(region.as_ptr(), region.len()) }.unwrap()
}

fn small() -> QueueConfig {
    QueueConfig::new(4, 16)
}

fn names(region: &Region) -> Vec<String> {
    region.objects().unwrap().map(|object| object.name.to_string()).collect()
}

fn users(region: &Region, name: &str) -> u32 {
    region.objects().unwrap().find(|object| object.name.as_str() == name).unwrap().users
}

/// Flags that processes share.
fn flags() -> &'static [AtomicU32; 8] {
    // SAFETY: a fresh shared mapping of zeros, never unmapped.
    unsafe {
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let at = libc::mmap(std::ptr::null_mut(), 4096, prot, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1, 0);
        assert_ne!(at, libc::MAP_FAILED);
        &*at.cast()
    }
}

fn nap() {
    std::thread::sleep(std::time::Duration::from_millis(1));
}

#[test]
fn a_removed_object_is_gone_and_its_name_and_room_are_free() {
    let region = region();
    let before = region.space();
    region.create_queue("q", &small()).unwrap();
    assert!(region.space().free < before.free);
    assert_eq!(region.remove("q"), Ok(()));
    assert_eq!(region.open_queue("q").err(), Some(Error::NotFound));
    assert_eq!(region.remove("q"), Err(Error::NotFound));
    assert_eq!((region.space(), names(&region).len()), (before, 0));
    for name in ["", "x\0y", "a name of more than 31 bytes, too long"] {
        assert_eq!(region.remove(name), Err(Error::Invalid));
    }
    // As another kind, and new.
    let lock = unsafe { region.create_lock("q") }.unwrap();
    assert_eq!(region.open_queue("q").err(), Some(Error::WrongKind));
    drop(lock.try_acquire().unwrap());
}

#[test]
fn an_object_that_comes_where_one_was_is_as_new() {
    let region = region();
    for round in 0..20u8 {
        let queue = region.create_queue("q", &small()).unwrap();
        assert_eq!((queue.len(), queue.is_closed()), (0, false));
        for _ in 0..4 {
            queue.try_push(&[round; 16]).unwrap();
        }
        assert_eq!(queue.try_push(b"full"), Err(Error::WouldBlock));
        queue.close();
        region.remove("q").unwrap();

        let (mut producer, consumer) = {
            let spsc = region.create_spsc("s", &SpscConfig::new(4, 16)).unwrap();
            (spsc.producer().unwrap(), spsc.consumer().unwrap())
        };
        producer.try_push(&[round; 16]).unwrap();
        producer.try_push(&[round; 16]).unwrap();
        assert_eq!(consumer.len(), 2);
        assert_eq!(region.remove("s"), Err(Error::Busy), "its ends are in hand");
        drop((producer, consumer));
        region.remove("s").unwrap();

        let event = region.create_event("e").unwrap();
        assert!(!event.is_set());
        event.set();
        region.remove("e").unwrap();
        let semaphore = region.create_semaphore("t", 2).unwrap();
        assert_eq!(semaphore.value(), 2);
        let permit = semaphore.try_acquire().unwrap();
        assert_eq!(region.remove("t"), Err(Error::Busy));
        drop(permit);
        region.remove("t").unwrap();
    }
    assert_eq!(region.space().used, 0);
}

#[test]
fn what_another_handle_uses_stays_until_that_handle_goes() {
    let region = region();
    let queue = region.create_queue("q", &small()).unwrap();
    assert_eq!(users(&region, "q"), 1);
    let other = again(&region);
    assert_eq!(other.remove("q"), Err(Error::Busy), "its creator may use it");
    other.open_queue("q").unwrap();
    assert_eq!((users(&region, "q"), users(&other, "q")), (2, 2));
    assert_eq!(region.remove("q"), Err(Error::Busy));
    // Refused: nothing changed.
    queue.try_push(b"still").unwrap();
    assert_eq!(other.open_queue("q").unwrap().len(), 1);
    drop(other);
    assert_eq!(users(&region, "q"), 1);
    assert_eq!(region.remove("q"), Ok(()));
}

#[test]
fn a_look_that_failed_is_no_use() {
    let region = region();
    region.create_queue("q", &small()).unwrap();
    let other = again(&region);
    assert_eq!(other.open_pipe("q").err(), Some(Error::WrongKind));
    assert_eq!(other.open_queue_as("q", &QueueConfig::new(64, 16)).err(), Some(Error::WrongKind));
    assert_eq!(other.create_queue("q", &small()).err(), Some(Error::Exists));
    other.recover(Depth::Thorough);
    assert_eq!((other.objects().unwrap().count(), other.space().used > 0), (1, true));
    assert_eq!((users(&region, "q"), region.remove("q")), (1, Ok(())));
    // A handle that goes takes its use with it, also of what it created.
    other.create_queue("o", &small()).unwrap();
    drop(other);
    assert_eq!((users(&region, "o"), region.remove("o")), (0, Ok(())));
}

#[test]
fn a_process_that_died_uses_nothing() {
    let region = region();
    region.create_queue("q", &small()).unwrap();
    let flags = flags();
    let child = fork(|| {
        // SAFETY: as long as the child.
        let own = unsafe { Region::attach(region.as_ptr(), region.len()) }.unwrap();
        own.open_queue("q").unwrap();
        unsafe { own.create_lock("l") }.unwrap();
        flags[0].store(1, SeqCst);
        loop {
            nap();
        }
    });
    wait_until("opened", || flags[0].load(SeqCst) == 1);
    assert_eq!((users(&region, "q"), users(&region, "l")), (2, 1));
    child.stop();
    assert_eq!((region.remove("q"), region.remove("l")), (Err(Error::Busy), Err(Error::Busy)));
    child.kill();
    assert_eq!((users(&region, "q"), users(&region, "l")), (1, 0));
    assert_eq!((region.remove("q"), region.remove("l")), (Ok(()), Ok(())));
}

#[test]
fn a_process_whose_leader_has_ended_lives_on() {
    let region = region();
    region.create_queue("q", &small()).unwrap();
    let (flags, this) = (flags(), &region);
    let child = fork(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // SAFETY: as long as the child.
                let own = unsafe { Region::attach(this.as_ptr(), this.len()) }.unwrap();
                own.open_queue("q").unwrap();
                flags[0].store(1, SeqCst);
                loop {
                    nap();
                }
            });
            // Only this thread, the leader.
            // SAFETY: nothing of its stack goes.
            unsafe { libc::syscall(libc::SYS_exit, 0) };
        });
        0
    });
    wait_until("opened", || flags[0].load(SeqCst) == 1);
    wait_until("the leader is a zombie", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.pid())).unwrap();
        stat.rsplit(") ").next().unwrap().starts_with('Z')
    });
    assert_eq!((users(&region, "q"), region.remove("q")), (2, Err(Error::Busy)));
    child.kill();
    assert_eq!(region.remove("q"), Ok(()));
}

#[test]
fn a_forked_child_uses_what_it_inherited_once_it_is_a_member() {
    let region = region();
    let queue = region.create_queue("q", &small()).unwrap();
    region.create_event("never opened by the child").unwrap();
    let flags = flags();
    let child = fork(|| {
        queue.try_push(b"joined").unwrap();
        flags[0].store(1, SeqCst);
        while flags[1].load(SeqCst) == 0 {
            nap();
        }
        0
    });
    wait_until("joined", || flags[0].load(SeqCst) == 1);
    assert_eq!(users(&region, "q"), 2);
    assert_eq!(region.remove("q"), Err(Error::Busy));
    flags[1].store(1, SeqCst);
    child.succeeds();
    assert_eq!(region.remove("q"), Ok(()));
}

#[test]
fn a_forked_child_s_end_is_not_its_parent_s() {
    let region = region();
    region.create_queue("q", &small()).unwrap();
    let other = again(&region);
    let mut region = Some(region);
    let child = fork(|| {
        region = None;
        0
    });
    child.succeeds();
    assert!(region.is_some());
    assert_eq!((users(&other, "q"), other.remove("q")), (1, Err(Error::Busy)));
}

#[test]
fn what_is_in_a_hand_is_not_removed() {
    let region = region();
    let queue = region.create_queue("q", &small()).unwrap();
    queue.try_push(b"one").unwrap();
    let peeked = queue.try_peek().unwrap();
    assert_eq!(region.remove("q"), Err(Error::Busy));
    peeked.release();
    let reserved = queue.try_reserve(3).unwrap();
    assert_eq!(region.remove("q"), Err(Error::Busy));
    drop(reserved);
    assert_eq!(region.remove("q"), Ok(()));

    let pipe = region.create_pipe("p", &PipeConfig::new(256)).unwrap();
    let end = pipe.connect(0).unwrap();
    assert_eq!(region.remove("p"), Err(Error::Busy));
    drop(end);
    assert_eq!(region.remove("p"), Ok(()));

    let barrier = region.create_barrier("b", 2).unwrap();
    barrier.register().unwrap();
    assert_eq!(region.remove("b"), Err(Error::Busy));
    barrier.unregister().unwrap();
    assert_eq!(region.remove("b"), Ok(()));

    let (lock, rlock) =
        (unsafe { region.create_lock("l") }.unwrap(), unsafe { region.create_rlock("r") }.unwrap());
    let held = (lock.acquire().unwrap(), rlock.acquire().unwrap());
    assert_eq!((region.remove("l"), region.remove("r")), (Err(Error::Busy), Err(Error::Busy)));
    drop(held);
    assert_eq!((region.remove("l"), region.remove("r")), (Ok(()), Ok(())));
}

#[test]
fn what_a_dead_one_had_in_hand_is_recovered_first() {
    let region = region();
    let queue = region.create_queue("q", &small()).unwrap();
    let lock = unsafe { region.create_lock("l") }.unwrap();
    queue.try_push(b"one").unwrap();
    fork(|| {
        std::mem::forget(queue.try_peek().unwrap());
        std::mem::forget(lock.acquire().unwrap());
        0
    })
    .succeeds();
    assert_eq!((region.remove("q"), region.remove("l")), (Ok(()), Ok(())));
}

#[test]
fn nobody_is_buried_before_every_object_was_swept() {
    let region = region();
    region.create_queue("large", &QueueConfig::new(64, 1024)).unwrap();
    region.create_event("other").unwrap();
    let queue = region.create_queue("q", &small()).unwrap();
    queue.try_push(b"one").unwrap();
    fork(|| {
        std::mem::forget(queue.try_peek().unwrap());
        0
    })
    .succeeds();
    // SAFETY: the second entry of the directory; nobody else is here.
    let other = unsafe { region.as_ptr().add(256 + 64).cast::<[u64; 8]>() };
    // SAFETY: as above. A walk that sees the large one again, where it was created anew meanwhile.
    let saved = unsafe { other.replace(other.sub(1).read()) };
    assert_eq!(region.recover(Depth::Thorough).members, 0);
    // SAFETY: as above.
    unsafe { other.write(saved) };
    let found = region.recover(Depth::Thorough);
    assert_eq!((found.members, found.redelivered), (1, 1));
    assert_eq!(queue.try_peek().unwrap().attempt(), 1);
}

#[test]
fn room_is_used_again_first_fit_and_no_space_changes_nothing() {
    let region = region();
    let Space { total, used, free, largest } = region.space();
    assert_eq!((used, free, largest), (0, total, total));
    let offset = |name: &str| {
        let object = region.objects().unwrap().find(|object| object.name.as_str() == name).unwrap();
        (object.offset, object.size.next_multiple_of(128))
    };
    for name in ["a", "b", "c", "d"] {
        region.create_queue(name, &small()).unwrap();
    }
    let (b, size) = offset("b");
    region.remove("b").unwrap();
    region.remove("c").unwrap();
    let space = region.space();
    assert_eq!((space.used, space.free), (2 * size, total - 2 * size));
    assert_eq!(space.largest, total - 4 * size);
    // Into the gap of two, then what is left of it.
    unsafe { region.create_lock("x") }.unwrap();
    assert_eq!(offset("x"), (b, 128));
    region.create_queue("b2", &small()).unwrap();
    assert_eq!(offset("b2").0, b + 128);
    region.create_queue("behind", &small()).unwrap();
    assert_eq!(offset("behind").0, offset("d").0 + size, "the rest of the gap is too small");

    let (before, list) = (region.space(), names(&region));
    let large = QueueConfig::new(64, 4000);
    assert!(large.layout().unwrap().size > before.largest);
    assert_eq!(region.create_queue("too large", &large).err(), Some(Error::NoSpace));
    assert_eq!((region.space(), names(&region)), (before, list));
}

#[test]
fn the_largest_gap_takes_an_object_of_its_size_and_none_larger() {
    let region = region();
    for (i, name) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        region.create_semaphore(name, 100 * (i as u32 + 1)).unwrap();
    }
    region.remove("b").unwrap();
    region.remove("d").unwrap();
    while region.space().largest > 4000 {
        let rest = ((region.space().largest - 256) / 8).min(60000) as u32;
        region.create_semaphore(&format!("fill {}", names(&region).len()), rest).unwrap();
    }
    let permits = ((region.space().largest - 256) / 8) as u32;
    assert_eq!(region.create_semaphore("n", permits + 1).err(), Some(Error::NoSpace));
    region.create_semaphore("n", permits).unwrap();
}

#[test]
fn all_entries_come_again() {
    let region = region();
    for round in 0..5 {
        for i in 0..16 {
            region.create_event(&format!("{round} {i}")).unwrap();
        }
        assert_eq!(region.create_event("one more").err(), Some(Error::NoSpace));
        for object in names(&region) {
            region.remove(&object).unwrap();
        }
    }
    assert_eq!(region.space().used, 0);
}

#[test]
fn the_list_says_what_is_there() {
    let region = region();
    region.create_queue("queue", &small()).unwrap();
    region.create_spsc("spsc", &SpscConfig::new(4, 16)).unwrap();
    region.create_semaphore("tracked", 3).unwrap();
    region.create_barrier("barrier", 2).unwrap();
    region.create_pipe("pipe", &PipeConfig::new(256)).unwrap();
    unsafe { region.create_lock("lock") }.unwrap();
    unsafe { region.create_rlock("rlock") }.unwrap();
    region.create_event("event").unwrap();
    region.create_plain_semaphore("plain", 3).unwrap();
    region.create_condition("condition").unwrap();
    let found: Vec<_> = region.objects().unwrap().map(|o| (o.name.to_string(), o.kind, o.users)).collect();
    let expected = [
        ("queue", Kind::Queue),
        ("spsc", Kind::Spsc),
        ("tracked", Kind::TrackedSemaphore),
        ("barrier", Kind::Barrier),
        ("pipe", Kind::Pipe),
        ("lock", Kind::Lock),
        ("rlock", Kind::RLock),
        ("event", Kind::Event),
        ("plain", Kind::Semaphore),
        ("condition", Kind::Condition),
    ];
    assert_eq!(found, expected.map(|(name, kind)| (name.to_string(), kind, 1)));
    let sizes: u64 = region.objects().unwrap().map(|object| object.size.next_multiple_of(128)).sum();
    assert_eq!(region.space().used, sizes);
    let queue = region.objects().unwrap().next().unwrap();
    assert_eq!(queue.size, small().layout().unwrap().size);
    assert_eq!((Kind::from_number(queue.kind.number()), queue.kind.name()), (Some(Kind::Queue), "Queue"));
    for number in [0, 18, u32::MAX] {
        assert_eq!(Kind::from_number(number), None);
    }
}

#[test]
fn open_or_create_finds_what_is_there_or_makes_it() {
    let region = region();
    let other = again(&region);
    region.open_or_create_queue("q", &small()).unwrap().try_push(b"x").unwrap();
    assert_eq!(other.open_or_create_queue("q", &small()).unwrap().len(), 1);
    assert_eq!(other.open_or_create_queue("q", &QueueConfig::new(64, 16)).err(), Some(Error::WrongKind));
    assert_eq!(unsafe { other.open_or_create_lock("q") }.err(), Some(Error::WrongKind));

    let spsc = SpscConfig::new(4, 16);
    region.open_or_create_spsc("s", &spsc).unwrap();
    other.open_or_create_spsc("s", &spsc).unwrap();
    let more = SpscConfig::new(8, 16);
    assert_eq!(other.open_or_create_spsc("s", &more).err(), Some(Error::WrongKind));
    let pipe = PipeConfig::new(256);
    region.open_or_create_pipe("p", &pipe).unwrap();
    other.open_or_create_pipe("p", &pipe).unwrap();
    region.open_or_create_semaphore("t", 3).unwrap();
    other.open_or_create_semaphore("t", 3).unwrap();
    assert_eq!(other.open_or_create_semaphore("t", 4).err(), Some(Error::WrongKind));
    region.open_or_create_barrier("b", 3).unwrap();
    other.open_or_create_barrier("b", 3).unwrap();
    assert_eq!(other.open_or_create_barrier("b", 4).err(), Some(Error::WrongKind));

    let lock = unsafe { region.open_or_create_lock("l") }.unwrap();
    let held = lock.acquire().unwrap();
    assert!(unsafe { other.open_or_create_lock("l") }.unwrap().is_locked());
    drop(held);
    unsafe { region.open_or_create_rlock("r") }.unwrap();
    unsafe { other.open_or_create_rlock("r") }.unwrap();
    region.open_or_create_event("e").unwrap().set();
    assert!(other.open_or_create_event("e").unwrap().is_set());
    region.open_or_create_condition("c").unwrap();
    other.open_or_create_condition("c").unwrap();
    region.open_or_create_plain_semaphore("m", 2).unwrap().try_acquire().unwrap();
    assert_eq!(other.open_or_create_plain_semaphore("m", 2).unwrap().value(), 1);
    assert_eq!(other.open_or_create_bounded_semaphore("m", 2).err(), Some(Error::WrongKind));
    region.open_or_create_bounded_semaphore("n", 2).unwrap();
    assert_eq!(other.open_plain_semaphore("n").unwrap().bound(), 2);
    assert_eq!(region.objects().unwrap().count(), 11);
    assert!(region.objects().unwrap().all(|object| object.users == 2));
}

#[test]
fn threads_that_could_not_look_into_proc_share_their_process_row() {
    fork(|| {
        let region = region();
        region.create_queue("q", &small()).unwrap();
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: our buffer; so below.
        assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
        let none = libc::rlimit { rlim_cur: 0, ..limit };
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &none) }, 0);
        // More often than there are rows.
        for _ in 0..40 {
            std::thread::scope(|scope| {
                scope.spawn(|| region.open_queue("q").map(drop)).join().unwrap().unwrap();
            });
            region.open_queue("q").unwrap();
        }
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
        assert_eq!(users(&region, "q"), 1);
        assert_eq!(region.remove("q"), Ok(()));
        0
    })
    .succeeds();
}

#[test]
fn several_who_open_or_create_at_once_have_the_same() {
    for _ in 0..20 {
        let region = region();
        let children: Vec<_> = (0..4)
            .map(|_| {
                fork(|| {
                    region.open_or_create_plain_semaphore("s", 0).unwrap().release().unwrap();
                    0
                })
            })
            .collect();
        children.into_iter().for_each(|child| child.succeeds());
        assert_eq!(region.open_plain_semaphore("s").unwrap().value(), 4);
    }
}

#[test]
fn named_locks_events_and_conditions_serve_two_processes() {
    let region = region();
    let (lock, event): (&Lock, &Event) =
        (unsafe { region.create_lock("l") }.unwrap(), region.create_event("e").unwrap());
    region.create_condition("c").unwrap();
    let held = lock.acquire().unwrap();
    let child = fork(|| {
        // SAFETY: as long as the child.
        let own = unsafe { Region::attach(region.as_ptr(), region.len()) }.unwrap();
        let (lock, event) = (unsafe { own.open_lock("l") }.unwrap(), own.open_event("e").unwrap());
        let condition = own.open_condition("c").unwrap();
        assert!(lock.is_locked());
        event.set();
        let held = lock.acquire().unwrap();
        condition.notify_all(lock);
        drop(held);
        0
    });
    event.wait_timeout(20_000_000_000).unwrap();
    region.open_condition("c").unwrap().wait_timeout(lock, 20_000_000_000).unwrap();
    drop(held);
    child.succeeds();
}

#[test]
fn a_region_takes_as_many_handles_as_members_and_sixteen_more() {
    let region = region();
    region.create_queue("q", &small()).unwrap();
    let handles: Vec<_> = (0..8 + 16 - 1).map(|_| again(&region)).collect();
    for handle in &handles {
        handle.open_queue("q").unwrap();
    }
    let one_more = again(&region);
    assert_eq!(one_more.open_queue("q").err(), Some(Error::TooManyMembers));
    assert_eq!(one_more.open_queue("none").err(), Some(Error::NotFound));
    assert_eq!(one_more.create_queue("q2", &small()).err(), Some(Error::TooManyMembers));
    assert_eq!(one_more.remove("q"), Err(Error::Busy));
    assert_eq!((users(&one_more, "q"), one_more.objects().unwrap().count()), (24, 1));

    // Without a row it recovers all the same: what a dead one had in hand.
    let queue = region.open_queue("q").unwrap();
    queue.try_push(b"x").unwrap();
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| std::mem::forget(queue.try_peek().unwrap()));
        holder.join().unwrap();
    });
    let found = one_more.recover(Depth::Marked);
    assert_eq!((found.members, found.redelivered), (1, 1));
    drop(handles);
    assert_eq!(one_more.open_queue("q").unwrap().len(), 1);
}

#[test]
fn the_rows_of_the_dead_come_again() {
    let region = region();
    region.create_queue("q", &small()).unwrap();
    for _ in 0..60 {
        fork(|| {
            // SAFETY: as long as the child.
            let own = unsafe { Region::attach(region.as_ptr(), region.len()) }.unwrap();
            own.open_queue("q").unwrap();
            std::mem::forget(own);
            0
        })
        .succeeds();
    }
    assert_eq!((users(&region, "q"), region.remove("q")), (1, Ok(())));
}

/// Threads of one handle that create, open and remove the same names never have an object go under another's
/// hand by way of each other's marks: what one has just opened, another handle cannot remove.
#[test]
fn threads_of_a_handle_do_not_unmark_each_other_s_objects() {
    let region = region();
    let (a, b) = (again(&region), again(&region));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    let _ = a.open_queue("mine");
                    let _ = a.open_event("mine");
                    // Leaving looks at every object.
                    drop(a.join().unwrap());
                }
            });
        }
        scope.spawn(|| {
            let _: Queue = loop {
                if let Ok(queue) = a.create_queue("mine", &small()) {
                    break queue;
                }
            };
            for _ in 0..2000 {
                assert_eq!(b.remove("mine"), Err(Error::Busy));
            }
        });
    });
}
