//! What a region promises, claim by claim: where its memory comes from, what attach refuses, names.

mod procs;

use procs::{WATCHDOG_SECONDS, fork, watchdog};
use rialto::{Error, Lock, QueueConfig, Region, RegionConfig};
use std::{
    ffi::CString,
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering::*},
        mpsc,
    },
    thread,
};

const LEN: usize = 1 << 16;

fn config() -> RegionConfig {
    RegionConfig { members: 8, objects: 4, tick_ms: 100 }
}

/// Zeroed private memory, aligned as a region wants it; the caller's own memory in these tests.
#[repr(C, align(128))]
struct Memory([u8; LEN]);

impl Memory {
    fn new() -> Box<Memory> {
        // SAFETY: all-zero is a valid array; its alignment is the type's.
        unsafe { Box::<Memory>::new_zeroed().assume_init() }
    }
    fn ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr()
    }
    /// Attaches to `len` bytes at `skew`, returns what it said.
    fn attach(&mut self, skew: usize, len: usize) -> Result<(), Error> {
        assert!(skew + len <= LEN);
        // SAFETY: inside this memory, which outlives the handle.
        unsafe { Region::attach(self.ptr().add(skew), len) }.map(drop)
    }
    /// A finished region.
    fn with_region() -> Box<Memory> {
        let mut memory = Memory::new();
        // SAFETY: our memory, dropped after the handle.
        drop(unsafe { Region::init(memory.ptr(), LEN, &config()) }.unwrap());
        memory
    }
}

/// A name that no other test (process) uses.
fn name(what: &str) -> String {
    format!("rialto-test-{what}-{}", std::process::id())
}

/// Unlinks when the test ends, however it ends.
struct Unlink(String);
impl Drop for Unlink {
    fn drop(&mut self) {
        let _ = Region::unlink_named(&self.0);
    }
}

#[test]
fn two_handles_to_the_callers_memory_see_the_same_objects() {
    let mut memory = Memory::new();
    // SAFETY: our memory, dropped after the handles.
    let first = unsafe { Region::init(memory.ptr(), LEN, &config()) }.unwrap();
    // SAFETY: as above.
    let second = unsafe { Region::attach(memory.ptr(), LEN) }.unwrap();
    assert_eq!((second.len(), second.as_ptr(), second.fd()), (LEN, memory.ptr(), None));
    first.create_queue("q", &QueueConfig::new(4, 8)).unwrap().push(b"hello").unwrap();
    let mut buffer = [0; 8];
    assert_eq!(second.open_queue("q").unwrap().pop(&mut buffer).map(|popped| popped.len), Ok(5));
    assert_eq!(&buffer[..5], b"hello");
}

#[test]
fn layout_says_what_init_needs_and_init_refuses_a_byte_less() {
    for config in [config(), RegionConfig::default(), RegionConfig { members: 1, objects: 1, tick_ms: 1 }] {
        let layout = config.layout().unwrap();
        let len = layout.size as usize;
        assert_eq!(layout.align, 128);
        let mut memory = Memory::new();
        // SAFETY: our memory, dropped after the handles.
        unsafe {
            assert_eq!(Region::init(memory.ptr(), len - 1, &config).err(), Some(Error::NoSpace));
            assert!(memory.0.iter().all(|byte| *byte == 0), "a refused init wrote something");
            let region = Region::init(memory.ptr(), len, &config).unwrap();
            let queue = QueueConfig::new(2, 8);
            assert_eq!(region.create_queue("q", &queue).err(), Some(Error::NoSpace));
        }
    }
}

#[test]
fn a_region_of_impossible_parameters_is_refused() {
    let good = config();
    let mut memory = Memory::new();
    for bad in [
        RegionConfig { members: 0, ..good },
        RegionConfig { members: 4096, ..good },
        RegionConfig { objects: 0, ..good },
        RegionConfig { objects: 4097, ..good },
        RegionConfig { tick_ms: 0, ..good },
        RegionConfig { tick_ms: 60_001, ..good },
    ] {
        assert_eq!(bad.layout().err(), Some(Error::Invalid));
        // SAFETY: our memory, dropped after the handle.
        assert_eq!(unsafe { Region::init(memory.ptr(), LEN, &bad) }.err(), Some(Error::Invalid));
        assert_eq!(Region::create_anonymous(LEN, &bad).err(), Some(Error::Invalid));
    }
}

#[test]
fn init_refuses_memory_that_is_misaligned_null_or_a_region_already() {
    let mut memory = Memory::new();
    // SAFETY: our memory, dropped after the handles; null is what is tested.
    unsafe {
        for skew in [1, 8, 64] {
            let at = memory.ptr().add(skew);
            assert_eq!(Region::init(at, LEN - skew, &config()).err(), Some(Error::Invalid));
        }
        assert_eq!(Region::init(std::ptr::null_mut(), LEN, &config()).err(), Some(Error::Invalid));
        let _region = Region::init(memory.ptr(), LEN, &config()).unwrap();
        assert_eq!(Region::init(memory.ptr(), LEN, &config()).err(), Some(Error::Exists));
    }
}

#[test]
fn attach_refuses_what_is_no_region() {
    let mut zero = Memory::new();
    assert_eq!(zero.attach(0, LEN), Err(Error::BadRegion));
    assert_eq!(zero.attach(0, 0), Err(Error::BadRegion));
    assert!(zero.0.iter().all(|byte| *byte == 0), "attach wrote something");
    // SAFETY: null is what is tested.
    assert_eq!(unsafe { Region::attach(std::ptr::null_mut(), LEN) }.err(), Some(Error::Invalid));

    let mut memory = Memory::with_region();
    assert_eq!(memory.attach(0, LEN), Ok(()));
    assert_eq!(memory.attach(64, LEN - 64), Err(Error::Invalid), "misaligned");
    assert_eq!(memory.attach(128, LEN - 128), Err(Error::BadRegion), "not its beginning");
    for short in [0, 1, 255, 256, LEN / 2, LEN - 1] {
        assert_eq!(memory.attach(0, short), Err(Error::BadRegion), "only {short} bytes are there");
    }
}

#[test]
fn attach_refuses_each_damaged_field_of_the_header() {
    let damage: &[(&str, usize, &[u8], Error)] = &[
        ("magic", 0, b"RIALTx", Error::BadRegion),
        ("magic's end", 6, &[1, 0], Error::BadRegion),
        ("version 0", 8, &0u32.to_le_bytes(), Error::Version),
        ("version 2", 8, &2u32.to_le_bytes(), Error::Version),
        ("a feature", 12, &1u32.to_le_bytes(), Error::Version),
        ("size 0", 16, &0u64.to_le_bytes(), Error::BadRegion),
        ("size + 1", 16, &(LEN as u64 + 1).to_le_bytes(), Error::BadRegion),
        ("size of everything", 16, &u64::MAX.to_le_bytes(), Error::BadRegion),
        ("size below the tables", 16, &512u64.to_le_bytes(), Error::BadRegion),
        ("no members", 24, &0u32.to_le_bytes(), Error::BadRegion),
        ("members", 24, &4096u32.to_le_bytes(), Error::BadRegion),
        ("members, narrowed", 24, &0x1_0008u32.to_le_bytes(), Error::BadRegion),
        ("more members than bytes", 24, &4095u32.to_le_bytes(), Error::BadRegion),
        ("no objects", 28, &0u32.to_le_bytes(), Error::BadRegion),
        ("objects", 28, &u32::MAX.to_le_bytes(), Error::BadRegion),
        ("more objects than bytes", 28, &4096u32.to_le_bytes(), Error::BadRegion),
        ("tick 0", 32, &0u32.to_le_bytes(), Error::BadRegion),
        ("tick", 32, &60_001u32.to_le_bytes(), Error::BadRegion),
    ];
    for (what, at, bytes, error) in damage {
        let mut memory = Memory::with_region();
        if what.starts_with("more") {
            // Otherwise legal: a small region that claims large tables.
            memory.0[16..24].copy_from_slice(&4096u64.to_le_bytes());
        }
        memory.0[*at..at + bytes.len()].copy_from_slice(bytes);
        assert_eq!(memory.attach(0, LEN), Err(*error), "{what}");
    }
}

#[test]
fn names_are_unique_found_and_checked() {
    let region = Region::create_anonymous(LEN, &config()).unwrap();
    let small = QueueConfig::new(2, 8);
    let longest = "n".repeat(31);
    region.create_queue("a", &small).unwrap();
    region.create_queue(&longest, &small).unwrap();
    region.create_queue("größe", &small).unwrap();
    assert_eq!(region.create_queue("a", &small).err(), Some(Error::Exists));
    for bad in ["", "n\0", &"n".repeat(32)] {
        assert_eq!(region.create_queue(bad, &small).err(), Some(Error::Invalid), "{bad:?}");
        assert_eq!(region.open_queue(bad).err(), Some(Error::Invalid), "{bad:?}");
    }
    for absent in ["b", "A", "aa", &"n".repeat(30)] {
        assert_eq!(region.open_queue(absent).err(), Some(Error::NotFound), "{absent:?}");
    }
    for there in ["a", &longest, "größe"] {
        assert!(region.open_queue(there).is_ok(), "{there:?}");
    }
}

#[test]
fn an_object_that_does_not_fit_changes_nothing_and_one_that_just_fits_does() {
    let config = config();
    let tables = config.layout().unwrap().size as usize;
    let queue = QueueConfig::new(4, 100);
    let one = queue.layout().unwrap().size as usize;
    let region = Region::create_anonymous(tables + 2 * one, &config).unwrap();
    let first = region.create_queue("1", &queue).unwrap();
    first.push(b"still there").unwrap();
    assert_eq!(region.create_queue("too much", &QueueConfig::new(8, 100)).err(), Some(Error::NoSpace));
    assert_eq!(region.open_queue("too much").err(), Some(Error::NotFound));
    let second = region.create_queue("2", &queue).unwrap();
    assert_eq!(region.create_queue("3", &QueueConfig::new(2, 1)).err(), Some(Error::NoSpace));
    for _ in 0..4 {
        second.try_push(&[0xff; 100]).unwrap();
    }
    let mut buffer = [0; 100];
    assert_eq!(first.pop(&mut buffer).map(|popped| popped.len), Ok(11));
    assert_eq!(&buffer[..11], b"still there");
}

#[test]
fn the_directory_holds_as_many_objects_as_it_was_made_for() {
    let region = Region::create_anonymous(LEN, &RegionConfig { objects: 3, ..config() }).unwrap();
    let small = QueueConfig::new(2, 8);
    for i in 0..3 {
        region.create_queue(&format!("q{i}"), &small).unwrap();
    }
    assert_eq!(region.create_queue("q3", &small).err(), Some(Error::NoSpace));
    // Each is its own.
    for i in 0..3u8 {
        region.open_queue(&format!("q{i}")).unwrap().push(&[i]).unwrap();
    }
    for i in 0..3u8 {
        let mut buffer = [9; 8];
        region.open_queue(&format!("q{i}")).unwrap().pop(&mut buffer).unwrap();
        assert_eq!(buffer[0], i);
    }
}

#[test]
fn of_many_who_create_the_same_name_one_succeeds() {
    let _watchdog = watchdog("creation race", WATCHDOG_SECONDS);
    for _ in 0..50 {
        let region = Region::create_anonymous(LEN, &config()).unwrap();
        let made = AtomicU32::new(0);
        thread::scope(|scope| {
            for i in 0..4u8 {
                let (region, made) = (&region, &made);
                scope.spawn(move || {
                    match region.create_queue("q", &QueueConfig::new(4, 8)) {
                        Ok(_) => made.fetch_add(1, SeqCst),
                        Err(error) => {
                            assert_eq!(error, Error::Exists);
                            0
                        }
                    };
                    region.open_queue("q").expect("whoever lost the race finds it").push(&[i]).unwrap();
                });
            }
        });
        assert_eq!((made.load(SeqCst), region.open_queue("q").unwrap().len()), (1, 4));
    }
}

#[test]
#[cfg(target_pointer_width = "64")]
fn a_region_larger_than_the_machine_is_refused() {
    for len in [1usize << 50, 1 << 62] {
        assert_eq!(Region::create_memfd(len, &RegionConfig::default()).err(), Some(Error::NoSpace));
        let name = format!("rialto-huge-{}", std::process::id());
        assert_eq!(Region::create_named(&name, len, &RegionConfig::default()).err(), Some(Error::NoSpace));
        assert_eq!(Region::attach_named(&name).err(), Some(Error::NotFound));
    }
}

#[test]
fn a_memfd_region_is_sealed_and_shared_between_two_addresses() {
    let first = Region::create_memfd(LEN, &config()).unwrap();
    let fd = first.fd().unwrap();
    // SAFETY: only asks and fails.
    unsafe {
        for seal in [libc::F_SEAL_SHRINK, libc::F_SEAL_GROW, libc::F_SEAL_SEAL] {
            assert_ne!(libc::fcntl(fd, libc::F_GET_SEALS) & seal, 0);
        }
        assert_eq!(libc::ftruncate(fd, 4096), -1, "shrinking is refused");
        assert_eq!(libc::ftruncate(fd, 1 << 20), -1, "growing is refused");
    }
    let second = Region::attach_fd(fd).unwrap();
    assert_ne!(first.as_ptr(), second.as_ptr());
    assert_eq!((second.len(), second.fd()), (LEN, None));
    let (producer, consumer) =
        (first.create_queue("q", &QueueConfig::new(4, 8)).unwrap(), second.open_queue("q").unwrap());
    // Through the two mappings, blocked ones included.
    thread::scope(|scope| {
        scope.spawn(|| (0..1000u64).for_each(|i| producer.push(&i.to_le_bytes()).unwrap()));
        for i in 0..1000u64 {
            let mut buffer = [0; 8];
            consumer.pop(&mut buffer).unwrap();
            assert_eq!(u64::from_le_bytes(buffer), i);
        }
    });
}

#[test]
fn a_file_that_is_no_region_is_refused() {
    // SAFETY: a C string; descriptors of ours.
    unsafe {
        let fd = libc::memfd_create(c"test".as_ptr(), libc::MFD_CLOEXEC);
        assert_eq!(Region::attach_fd(fd).err(), Some(Error::BadRegion), "empty");
        assert_eq!(libc::ftruncate(fd, 100), 0);
        assert_eq!(Region::attach_fd(fd).err(), Some(Error::BadRegion), "shorter than a header");
        assert_eq!(libc::ftruncate(fd, 1 << 16), 0);
        assert_eq!(Region::attach_fd(fd).err(), Some(Error::BadRegion), "zeros");
        libc::close(fd);
    }
    assert!(Region::attach_fd(-1).is_err());
}

#[test]
fn a_file_cut_shorter_than_its_region_is_refused() {
    let name = name("cut");
    let _unlink = Unlink(name.clone());
    let region = Region::create_named(&name, LEN, &config()).unwrap();
    let path = CString::new(format!("/dev/shm/{name}")).unwrap();
    drop(region);
    // SAFETY: a C string.
    assert_eq!(unsafe { libc::truncate(path.as_ptr(), LEN as i64 / 2) }, 0);
    assert_eq!(Region::attach_named(&name).err(), Some(Error::BadRegion));
}

#[test]
fn a_named_region_is_found_by_name_until_it_is_unlinked_and_lives_on() {
    let name = name("named");
    let _unlink = Unlink(name.clone());
    assert_eq!(Region::attach_named(&name).err(), Some(Error::NotFound));
    let first = Region::create_named(&name, LEN, &config()).unwrap();
    assert_eq!(Region::create_named(&name, LEN, &config()).err(), Some(Error::Exists));
    let second = Region::attach_named(&format!("/{name}")).unwrap();
    first.create_queue("q", &QueueConfig::new(4, 8)).unwrap().push(b"m").unwrap();
    Region::unlink_named(&name).unwrap();
    assert_eq!(Region::unlink_named(&name), Err(Error::NotFound));
    assert_eq!(Region::attach_named(&name).err(), Some(Error::NotFound));
    drop(first);
    assert_eq!(second.open_queue("q").unwrap().pop(&mut [0; 8]).map(|popped| popped.len), Ok(1));
    // The name is free for another.
    Region::create_named(&name, LEN, &config()).unwrap();
}

#[test]
fn impossible_region_names_are_refused() {
    for bad in ["", "/", ".", "..", "a/b", "../a", "a\0b", &"n".repeat(256)] {
        assert_eq!(Region::create_named(bad, LEN, &config()).err(), Some(Error::Invalid), "{bad:?}");
        assert_eq!(Region::attach_named(bad).err(), Some(Error::Invalid), "{bad:?}");
        assert_eq!(Region::unlink_named(bad), Err(Error::Invalid), "{bad:?}");
    }
}

#[test]
fn a_named_region_appears_whole() {
    let _watchdog = watchdog("naming race", WATCHDOG_SECONDS);
    let name = name("whole");
    let _unlink = Unlink(name.clone());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let seen = scope.spawn(|| {
            let mut seen = 0;
            while !done.load(Relaxed) {
                match Region::attach_named(&name) {
                    Ok(region) => {
                        assert_eq!(region.len(), LEN);
                        match region.create_queue("q", &QueueConfig::new(2, 8)) {
                            Ok(_) => seen += 1,
                            // We were here before, with this one.
                            Err(error) => assert_eq!(error, Error::Exists),
                        }
                    }
                    Err(error) => assert_eq!(error, Error::NotFound, "half-made"),
                }
            }
            seen
        });
        for _ in 0..200 {
            let region = Region::create_named(&name, LEN, &config()).unwrap();
            thread::yield_now();
            Region::unlink_named(&name).unwrap();
            drop(region);
        }
        done.store(true, Relaxed);
        println!("attached in time: {} of 200", seen.join().unwrap());
    });
}

#[test]
fn more_than_dev_shm_has_is_an_error_and_leaves_nothing_behind() {
    let name = name("huge");
    let _unlink = Unlink(name.clone());
    assert_eq!(Region::create_named(&name, 1 << 46, &config()).err(), Some(Error::NoSpace));
    assert_eq!(Region::attach_named(&name).err(), Some(Error::NotFound));
    assert!(Region::create_anonymous(usize::MAX / 2, &config()).is_err());
}

#[test]
fn a_full_dev_shm_is_an_error_and_never_a_sigbus() {
    // A small /dev/shm of the child's own. Not root: in a user namespace of its own, if that is allowed.
    let child = fork(|| {
        // SAFETY: C strings; the child has one thread.
        unsafe {
            let alone = libc::unshare(libc::CLONE_NEWNS) == 0
                || libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) == 0;
            let private = alone
                && libc::mount(
                    c"none".as_ptr(),
                    c"/".as_ptr(),
                    std::ptr::null(),
                    libc::MS_REC | libc::MS_PRIVATE,
                    std::ptr::null(),
                ) == 0;
            let (none, tmpfs, shm) = (c"none".as_ptr(), c"tmpfs".as_ptr(), c"/dev/shm".as_ptr());
            if !private || libc::mount(none, shm, tmpfs, 0, c"size=1m".as_ptr().cast()) != 0 {
                return 77;
            }
        }
        let files = || std::fs::read_dir("/dev/shm").unwrap().count();
        let first = Region::create_named("first", 600 << 10, &config()).unwrap();
        for _ in 0..3 {
            assert_eq!(Region::create_named("second", 600 << 10, &config()).err(), Some(Error::NoSpace));
            assert_eq!(files(), 1);
        }
        // All of the first is really there: writing to its last page is no SIGBUS.
        let queue = first.create_queue("q", &QueueConfig::new(8, 60 << 10)).unwrap();
        for _ in 0..8 {
            queue.try_push(&[0xff; 60 << 10]).unwrap();
        }
        // A file somebody made sparse, with a region's header in it, is refused at attach.
        let mut header = vec![0u8; 4096];
        // SAFETY: the first page of the mapping.
        unsafe { std::ptr::copy_nonoverlapping(first.as_ptr(), header.as_mut_ptr(), 4096) };
        header[16..24].copy_from_slice(&(900u64 << 10).to_le_bytes());
        std::fs::write("/dev/shm/sparse", &header).unwrap();
        std::fs::File::options().write(true).open("/dev/shm/sparse").unwrap().set_len(900 << 10).unwrap();
        assert_eq!(Region::attach_named("sparse").err(), Some(Error::NoSpace));
        // And the room comes back.
        std::fs::remove_file("/dev/shm/sparse").unwrap();
        Region::unlink_named("first").unwrap();
        drop(first);
        drop(Region::create_named("second", 600 << 10, &config()).unwrap());
        0
    });
    match child.wait() {
        procs::End::Exit(77) => println!("SKIPPED: this user may not mount a tmpfs"),
        end => assert_eq!(end, procs::End::Exit(0)),
    }
}

#[test]
fn detach_is_refused_while_another_thread_is_a_member() {
    let _watchdog = watchdog("detach", WATCHDOG_SECONDS);
    let region = std::sync::Arc::new(Region::create_anonymous(LEN, &config()).unwrap());
    region.create_queue("q", &QueueConfig::new(4, 8)).unwrap();
    let (joined, may_end) = (mpsc::channel(), mpsc::channel::<()>());
    let theirs = region.clone();
    let other = thread::spawn(move || {
        theirs.open_queue("q").unwrap().push(b"m").unwrap();
        drop(theirs);
        joined.0.send(()).unwrap();
        may_end.1.recv().unwrap();
    });
    joined.1.recv().unwrap();
    let region = std::sync::Arc::into_inner(region).unwrap();
    let (region, error) = region.detach().expect_err("the other thread is still a member");
    assert_eq!(error, Error::Busy);
    assert_eq!(region.open_queue("q").unwrap().pop(&mut [0; 8]).map(|popped| popped.len), Ok(1));
    may_end.0.send(()).unwrap();
    other.join().unwrap();
    region.detach().map_err(|(_, error)| error).expect("a thread that ended is no member");
}

#[test]
fn detach_is_refused_while_this_thread_holds_a_lock_in_the_region() {
    let region = Region::create_anonymous(LEN, &config()).unwrap();
    // SAFETY: the last bytes of the region, which no object uses; mapped as long as the region.
    let lock = unsafe {
        let at = region.as_ptr().add(LEN - 128).cast::<Lock>();
        Lock::init(at);
        &*at
    };
    lock.acquire_raw(0).unwrap();
    let (region, error) = region.detach().expect_err("the kernel would write into the mapping at our death");
    assert_eq!(error, Error::Busy);
    lock.release().unwrap();
    region.detach().map_err(|(_, error)| error).unwrap();
}

#[test]
fn detach_ends_the_callers_own_membership_and_unmaps() {
    // In a process with one thread, or another test might map something at the same address meanwhile.
    fork(|| {
        detach_and_look();
        0
    })
    .succeeds();
}

fn detach_and_look() {
    let region = Region::create_memfd(LEN, &config()).unwrap();
    let watcher = Region::attach_fd(region.fd().unwrap()).unwrap();
    region.create_queue("q", &QueueConfig::new(4, 8)).unwrap().push(b"m").unwrap();
    assert_eq!(watcher.member_count(), 1);
    let at = region.as_ptr();
    region.detach().map_err(|(_, error)| error).unwrap();
    assert_eq!(watcher.member_count(), 0);
    // SAFETY: only asks.
    let result = unsafe { libc::msync(at.cast(), LEN, libc::MS_ASYNC) };
    assert_eq!(result, -1, "the mapping is still there");
}

#[test]
fn detach_is_refused_while_this_thread_has_a_message_in_hand() {
    let region = Region::create_anonymous(LEN, &config()).unwrap();
    region.create_queue("q", &QueueConfig::new(4, 8)).unwrap().push(b"m").unwrap();
    // The borrow checker would not let us; C has no borrow checker.
    std::mem::forget(region.open_queue("q").unwrap().peek().unwrap());
    let (region, error) = region.detach().expect_err("the message would be pulled from under its reader");
    assert_eq!((error, region.member_count()), (Error::Busy, 1));
}

#[test]
fn a_dropped_region_with_a_member_in_it_is_leaked_not_unmapped() {
    let _watchdog = watchdog("leak", WATCHDOG_SECONDS);
    let region = std::sync::Arc::new(Region::create_anonymous(LEN, &config()).unwrap());
    region.create_queue("q", &QueueConfig::new(4, 8)).unwrap();
    let (joined, may_end) = (mpsc::channel(), mpsc::channel::<()>());
    let theirs = region.clone();
    let other = thread::spawn(move || {
        theirs.open_queue("q").unwrap().push(b"m").unwrap();
        drop(theirs);
        joined.0.send(()).unwrap();
        may_end.1.recv().unwrap();
    });
    joined.1.recv().unwrap();
    let at = region.as_ptr();
    drop(region);
    // SAFETY: only asks.
    assert_eq!(
        // SAFETY: it only asks whether the pages are mapped.
        unsafe { libc::msync(at.cast(), LEN, libc::MS_ASYNC) },
        0,
        "still mapped for the other thread"
    );
    may_end.0.send(()).unwrap();
    other.join().unwrap();
}

#[test]
fn one_thread_can_be_a_member_only_so_often_and_is_told() {
    let config = RegionConfig { members: 4, objects: 1, tick_ms: 100 };
    let region = Region::create_anonymous(LEN, &config).unwrap();
    let members: Vec<_> = (0..4).map(|_| region.join().unwrap()).collect();
    assert_eq!(region.join().err(), Some(Error::TooManyMembers));
    let ids: std::collections::HashSet<_> = members.iter().map(|member| member.id()).collect();
    assert_eq!(ids.len(), 4);
    assert!(!ids.contains(&0));
    drop(members);
    assert_eq!(region.member_count(), 0);
    region.join().unwrap();

    let large = Region::create_anonymous(LEN, &RegionConfig { members: 200, ..config }).unwrap();
    let mut members = Vec::new();
    let error = loop {
        match large.join() {
            Ok(member) => members.push(member),
            Err(error) => break error,
        }
    };
    assert_eq!((error, members.len()), (Error::TooManyHeld, 64));
}
