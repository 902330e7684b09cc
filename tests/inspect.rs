//! What an inspector says is what the objects' own handles say; it writes nothing, and no bytes bring it down.
// SAFETY of each named lock: no region here goes while another thread holds a lock in it.
#![allow(clippy::undocumented_unsafe_blocks)]
#![cfg(all(feature = "std", feature = "os", target_os = "linux", not(rialto_loom)))]

mod procs;
mod zoo;

use procs::{WATCHDOG_SECONDS, fork, wait_until, watchdog};
use rialto::{Error, QueueConfig, Region, element::Code, inspect::*, region::Kind, sys::Liveness};
use std::{collections::BTreeMap, os::fd::AsRawFd, ptr::null_mut};

type Found = BTreeMap<String, (Object, Result<Details, Error>, Vec<Hand>)>;

fn look<S: Source>(inspector: &Inspector<S>) -> Found {
    let mut all = Found::new();
    for object in inspector.objects() {
        let mut hands = Vec::new();
        let details = inspector.details(&object, |hand| hands.push(hand));
        all.insert(object.name.as_str().to_owned(), (object, details, hands));
    }
    all
}

fn descriptor(region: &Region) -> Inspector<Descriptor> {
    Inspector::new(Descriptor::new(region.fd().unwrap()).unwrap()).unwrap()
}

/// A second mapping, for reading only: who wrote through it would be killed.
struct ReadOnly(*mut libc::c_void);

impl ReadOnly {
    fn new(region: &Region) -> ReadOnly {
        let fd = region.fd().unwrap();
        // SAFETY: a new mapping.
        let at = unsafe { libc::mmap(null_mut(), region.len(), libc::PROT_READ, libc::MAP_SHARED, fd, 0) };
        assert_ne!(at, libc::MAP_FAILED);
        ReadOnly(at)
    }

    fn inspector(&self, region: &Region) -> Inspector<Memory<'_>> {
        // SAFETY: mapped as long as `self`.
        Inspector::new(unsafe { Memory::new(self.0.cast(), region.len()) }.unwrap()).unwrap()
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        // SAFETY: our mapping, at most this long; nobody looks at it any more.
        unsafe { libc::munmap(self.0, zoo::BYTES) };
    }
}

fn thread_id() -> u32 {
    // SAFETY: no arguments.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}

fn check(found: &Found, region: &Region) {
    assert_eq!(found.len(), zoo::OBJECTS, "{:?}", found.keys());
    let infos: Vec<_> = region.objects().unwrap().collect();
    assert_eq!(infos.len(), found.len());
    for info in infos {
        let (object, details, _) = &found[info.name.as_str()];
        assert_eq!(object.kind, Some(info.kind));
        assert_eq!((object.offset, object.size, object.users), (info.offset, info.size, info.users));
        assert!(object.is_sound && !object.is_being_removed && object.users == 1);
        assert!(details.is_ok(), "{}: {details:?}", info.name);
    }
    let details = |name: &str| found[name].1.unwrap();
    let hands = |name: &str| found[name].2.as_slice();
    let hand = |what, index, attempt, bytes| Hand { member: 1, what, index, attempt, bytes };

    for (name, kind) in [("ring", 0), ("indexed", 1)] {
        let queue = region.open_queue(name).unwrap();
        let Details::Queue(look) = details(name) else { panic!("{:?}", details(name)) };
        assert_eq!(look.config, queue.config());
        assert_eq!(look.config.kind as u32, kind);
        assert_eq!((look.len as usize, look.reading, look.writing, look.orphans), (queue.len(), 1, 0, 0));
        assert_eq!((look.len, look.pushed, look.dropped), (2, 3, 0));
        assert!(!look.is_closed && !look.is_stopped && !look.consumers.sleepers);
        assert_eq!(hands(name), [hand(Held::Reading, 0, 0, Some(3))]);
    }
    let Details::Queue(look) = details("closed") else { panic!() };
    assert!(look.is_closed && look.len == 1 && hands("closed").is_empty());

    let spsc = region.open_spsc("spsc").unwrap();
    let Details::Spsc(look) = details("spsc") else { panic!() };
    assert_eq!((look.stream.len as usize, look.stream.marks, look.stream.is_damaged), (spsc.len(), 1, false));
    assert_eq!((look.config.slots as usize, look.stream.used), (spsc.capacity(), 32));
    assert_eq!((look.producer, look.consumer), (look.consumer, EndLook { state: EndState::Open, member: 1 }));
    let all =
        [hand(Held::Producer, 0, 0, None), hand(Held::Consumer, 0, 0, None), hand(Held::Reading, 0, 0, None)];
    assert_eq!(hands("spsc"), all);

    let Details::Pipe(look) = details("pipe") else { panic!() };
    assert_eq!(look.ends[0], EndLook { state: EndState::Open, member: 1 });
    assert_eq!(look.ends[1], EndLook { state: EndState::Free, member: 0 });
    assert_eq!(look.ways.map(|way| way.unwrap().len), [1, 0]);
    assert_eq!(look.ways.map(|way| way.unwrap().used), [16, 0]);
    assert_eq!(hands("pipe"), [hand(Held::End, 0, 0, None)]);

    let permits = region.open_semaphore("permits").unwrap();
    let Details::TrackedSemaphore(look) = details("permits") else { panic!() };
    assert_eq!((look.permits, look.free), (permits.bound(), permits.value()));
    assert_eq!((look.permits, look.free, hands("permits").len()), (3, 2, 1));
    assert_eq!((hands("permits")[0].what, hands("permits")[0].member), (Held::Permit, 1));

    let Details::Barrier(look) = details("barrier") else { panic!() };
    assert_eq!((look.parties, look.arrived, look.registered, look.is_broken), (5, 0, 1, false));
    assert_eq!(hands("barrier"), [hand(Held::Registration, 0, 0, None)]);
    let Details::Barrier(look) = details("broken") else { panic!() };
    assert!(look.is_broken && look.parties == 2);

    let Details::Lock(look) = details("lock") else { panic!() };
    assert_eq!((look.state, look.thread, look.liveness), (LockState::Held, thread_id(), Liveness::Alive));
    assert!(!look.owner_died && !look.waiters);
    let Details::RLock(look) = details("rlock") else { panic!() };
    assert_eq!((look.state, look.count), (LockState::Held, 2));
    assert!(matches!(details("event"), Details::Event { is_set: true, .. }));
    assert!(matches!(details("condition"), Details::Condition { notified: 0, .. }));
    let Details::Semaphore(look) = details("plain") else { panic!() };
    assert_eq!(look.free, 7);
    let Details::Semaphore(look) = details("bounded") else { panic!() };
    assert_eq!((look.free, look.bound), (1, 2));

    let state = |name| match details(name) {
        Details::State(look) => look,
        other => panic!("{other:?}"),
    };
    let value = state("value");
    assert_eq!((value.code, value.bytes, value.updates, value.len), (Some(Code::F64), 8, 1, None));
    assert_eq!(value.lock.state, LockState::Free);
    let array = state("array");
    assert_eq!((array.code, array.len, array.bytes), (Some(Code::U16), Some(3), 6));
    for (name, len, capacity) in [("list", 2, 8), ("dict", 1, 8), ("namespace", 1, 4)] {
        assert_eq!((state(name).len, state(name).capacity), (Some(len), Some(capacity)), "{name}");
        assert!(!state(name).is_drafting && state(name).deaths == 0);
    }
    let Details::Raw(look) = details("raw") else { panic!() };
    assert_eq!((look.code, look.element_bytes, look.len), (Code::U32, 4, 1));
}

#[test]
fn it_says_what_the_handles_say_and_writes_nothing() {
    let region = Box::leak(Box::new(zoo::region()));
    zoo::fill(region);
    let space = region.space();
    let read_only = ReadOnly::new(region);
    let before = zoo::bytes(region);
    let (by_memory, by_file) = (read_only.inspector(region), descriptor(region));
    let (first, second) = (look(&by_memory), look(&by_file));
    let members = [by_memory.members().collect::<Vec<_>>(), by_file.members().collect()];
    let (spaces, locks) = ([by_memory.space(), by_file.space()], [by_memory.lock(), by_file.lock()]);
    assert!(zoo::bytes(region) == before, "a look has written");
    check(&first, region);
    check(&second, region);
    for members in members {
        assert_eq!(members.len(), 1);
        let MemberLook { id, state, thread, liveness, .. } = members[0];
        assert_eq!((id, state, thread, liveness), (1, MemberState::Live, thread_id(), Liveness::Alive));
    }
    assert_eq!(spaces, [space, space]);
    assert!(locks.iter().all(|lock| lock.unwrap().state == LockState::Free));
    assert_eq!((by_file.size() as usize, by_file.config().members), (zoo::BYTES, 8));
}

#[test]
fn the_dead_are_told_from_the_stopped_and_from_the_living() {
    let region = zoo::region();
    let queue = region.create_queue("jobs", &QueueConfig::new(4, 8)).unwrap();
    for job in 0..3u8 {
        queue.push(&[job]).unwrap();
    }
    unsafe { region.create_lock("lock") }.unwrap();
    let worker = |locks: bool| {
        let child = fork(|| {
            std::mem::forget(queue.peek().unwrap());
            if locks {
                std::mem::forget(unsafe { region.open_lock("lock") }.unwrap().acquire().unwrap());
            }
            loop {
                std::thread::sleep(std::time::Duration::from_secs(1));
            }
        });
        wait_until("it has what it is to have", || {
            let busy = |name: &str, what: fn(&Details) -> bool| {
                look(&descriptor(&region))
                    .get(name)
                    .is_some_and(|(_, details, _)| what(details.as_ref().unwrap()))
            };
            (!locks
                || busy("lock", |details| matches!(details, Details::Lock(l) if l.state == LockState::Held)))
                && busy("jobs", |details| matches!(details, Details::Queue(q) if q.reading > 0))
        });
        child
    };
    let victim = worker(true);
    let victim_id = victim.pid() as u32;
    let living = descriptor(&region).members().filter(|member| member.liveness == Liveness::Alive).count();
    assert_eq!(living, 2);
    victim.kill();
    let sleeper = fork(|| {
        std::mem::forget(queue.peek().unwrap());
        loop {
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
    });
    wait_until("it has a message", || {
        let Details::Queue(look) = look(&descriptor(&region))["jobs"].1.unwrap() else { panic!() };
        look.reading == 2
    });
    sleeper.stop();

    let inspector = descriptor(&region);
    let found = look(&inspector);
    let Details::Lock(lock) = found["lock"].1.unwrap() else { panic!() };
    assert_eq!((lock.state, lock.thread, lock.owner_died), (LockState::OwnerDied, victim_id, true));
    assert_eq!(lock.liveness, Liveness::Dead);
    let holders: Vec<_> = found["jobs"].2.iter().map(|hand| inspector.member(hand.member).unwrap()).collect();
    let who: Vec<_> = holders.iter().map(|member| (member.thread, member.liveness)).collect();
    let expected = [(victim_id, Liveness::Dead), (sleeper.pid() as u32, Liveness::Alive)];
    assert_eq!(who, expected, "a stopped one is alive");

    region.recover(rialto::Depth::Thorough);
    let found = look(&descriptor(&region));
    let Details::Queue(queue) = found["jobs"].1.unwrap() else { panic!() };
    assert_eq!((queue.reading, queue.orphans, queue.len), (1, 1, 2));
    let lock = unsafe { region.open_lock("lock") }.unwrap();
    drop(lock.acquire().unwrap()); // unrepaired
    let Details::Lock(lock) = look(&descriptor(&region))["lock"].1.unwrap() else { panic!() };
    assert_eq!((lock.state, lock.thread), (LockState::NotRecoverable, 0));
}

#[test]
fn sleepers_are_seen() {
    let region = zoo::region();
    let queue = region.create_queue("empty", &QueueConfig::new(2, 8)).unwrap();
    region.create_event("event").unwrap();
    let reader = fork(|| queue.pop(&mut [0; 8]).map_or(1, |_| 0));
    let waiter = fork(|| region.open_event("event").unwrap().wait().map_or(1, |()| 0));
    wait_until("both sleep", || {
        let found = look(&descriptor(&region));
        let reads = matches!(found["empty"].1, Ok(Details::Queue(look)) if look.consumers.sleepers);
        reads && matches!(found["event"].1, Ok(Details::Event { waiting, .. }) if waiting.sleepers)
    });
    queue.push(b"x").unwrap();
    region.open_event("event").unwrap().set();
    reader.succeeds();
    waiter.succeeds();
}

/// All that can be said is said, and nothing is refused but as damaged.
fn exhaust<S: Source>(source: S) -> bool {
    let Ok(inspector) = Inspector::new(source) else { return false };
    let _ = (inspector.lock(), inspector.space(), inspector.members().count());
    let mut read = 0;
    for object in inspector.objects() {
        let _ = (object.name.as_str(), object.kind.map(Kind::name));
        match inspector.details(&object, |hand| assert!(hand.member <= 4095)) {
            Ok(_) => read += 1,
            Err(error) => assert_eq!(error, Error::BadRegion),
        }
    }
    read > 0
}

#[test]
fn damaged_bytes_are_looked_at_without_harm() {
    let _watchdog = watchdog("a look at damaged bytes", 4 * WATCHDOG_SECONDS);
    let good = std::thread::spawn(|| {
        let region = Box::leak(Box::new(zoo::region()));
        zoo::fill(region);
        zoo::bytes(region)
    });
    let good = good.join().unwrap();
    let mut random = zoo::xorshift(0x5eed_cafe);
    let (mut looked, cases) = (0, 5000);
    let mut memory = vec![0u64; good.len() / 8];
    for _ in 0..cases {
        let mut bytes = good.clone();
        zoo::corrupt(&mut bytes, &mut random);
        for (word, bytes) in memory.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().unwrap());
        }
        // A length that says less than there is, now and then.
        let len = if random() % 8 == 0 { random() as usize % good.len() } else { good.len() };
        // SAFETY: our vector, which outlives the look.
        looked += usize::from(exhaust(unsafe { Memory::new(memory.as_ptr().cast(), len) }.unwrap()));
    }
    println!("looked into {looked} of {cases}");
    assert!(looked > cases / 2, "most were refused at once: little was tested");
}

#[test]
fn a_file_that_is_cut_short_is_damaged_and_kills_nobody() {
    let region = zoo::region();
    region.create_queue("jobs", &QueueConfig::new(4, 8)).unwrap();
    let path =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("short-{}", std::process::id()));
    zoo::write(&path, &zoo::bytes(&region));
    let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let inspector = Inspector::new(Descriptor::new(file.as_raw_fd()).unwrap()).unwrap();
    let object = inspector.objects().next().unwrap();
    assert!(inspector.details(&object, |_| {}).is_ok());
    file.set_len(object.offset + 64).unwrap();
    assert_eq!(inspector.details(&object, |_| {}), Err(Error::BadRegion));
    file.set_len(100).unwrap();
    assert_eq!(inspector.objects().count(), 0);
    assert_eq!(inspector.lock(), Err(Error::BadRegion));
    exhaust(Descriptor::new(file.as_raw_fd()).unwrap());
}

#[test]
fn what_is_no_region_is_refused() {
    let zeros = [0u64; 64];
    // SAFETY: ours.
    let memory = |len| unsafe { Memory::new(zeros.as_ptr().cast(), len) }.unwrap();
    for len in [0, 7, 8, 12, 256, 512] {
        assert_eq!(Inspector::new(memory(len)).err(), Some(Error::BadRegion), "{len}");
    }
    // SAFETY: as above; not looked at, as it is misaligned.
    assert_eq!(unsafe { Memory::new(zeros.as_ptr().cast::<u8>().add(4), 8) }.err(), Some(Error::Invalid));
    let directory = std::fs::File::open("/").unwrap();
    assert_eq!(Descriptor::new(directory.as_raw_fd()).err(), Some(Error::BadRegion));
    assert!(Descriptor::new(-1).is_err());
}

/// The region of `zoo::fill`, in memory of ours.
struct Snapshot(Vec<u64>);

impl Snapshot {
    fn new() -> Snapshot {
        let bytes = std::thread::spawn(|| {
            let region = Box::leak(Box::new(zoo::region()));
            zoo::fill(region);
            zoo::bytes(region)
        });
        let bytes = bytes.join().unwrap();
        Snapshot(bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect())
    }

    fn inspector(&self) -> Inspector<Memory<'_>> {
        // SAFETY: ours, and borrowed as long.
        Inspector::new(unsafe { Memory::new(self.0.as_ptr().cast(), 8 * self.0.len()) }.unwrap()).unwrap()
    }

    fn word(&mut self, at: u64) -> &mut u64 {
        &mut self.0[at as usize / 8]
    }

    /// Where the entry of that object is.
    fn entry(&self, name: &str) -> u64 {
        let mut bytes = [0; 8];
        bytes[..name.len().min(8)].copy_from_slice(&name.as_bytes()[..name.len().min(8)]);
        let first = u64::from_le_bytes(bytes);
        (256..256 + 32 * 64).step_by(64).find(|at| self.0[(*at as usize + 32) / 8] == first).unwrap()
    }
}

#[test]
fn an_object_is_as_large_as_its_entry_says_or_damaged() {
    let mut copy = Snapshot::new();
    let objects: Vec<Object> = copy.inspector().objects().collect();
    assert_eq!(objects.len(), zoo::OBJECTS);
    for object in &objects {
        let size = copy.entry(object.name.as_str()) + 16;
        *copy.word(size) /= 2;
        assert_eq!(look(&copy.inspector())[object.name.as_str()].1, Err(Error::BadRegion), "{object:?}");
        *copy.word(size) = object.size;
        assert!(look(&copy.inspector())[object.name.as_str()].1.is_ok());
    }
    // All of them everywhere: as much is looked at as there is, once.
    for object in &objects {
        let (entry, data) = (copy.entry(object.name.as_str()), objects[0].offset);
        *copy.word(entry + 8) = data;
        *copy.word(entry + 16) = zoo::BYTES as u64 - data;
    }
    assert_eq!(copy.inspector().objects().filter(|object| object.is_sound).count(), 1);
}

#[test]
fn of_two_copies_the_published_one_is_looked_at() {
    let mut copy = Snapshot::new();
    for name in ["list", "dict", "namespace"] {
        let at = look(&copy.inspector())[name].0.offset;
        let Ok(Details::State(before)) = look(&copy.inspector())[name].1 else { panic!() };
        let stride = u64::from(before.bytes).next_multiple_of(128);
        let published = *copy.word(at + 128) & 1;
        let place = |which: u64| at + 256 + which * stride;
        // Little-endian: the length is the lower half.
        *copy.word(place(1 - published)) ^= 7;
        assert_eq!(look(&copy.inspector())[name].1, Ok(Details::State(before)));
        *copy.word(place(published)) ^= u64::from(before.len.unwrap() ^ 3);
        let Ok(Details::State(after)) = look(&copy.inspector())[name].1 else { panic!() };
        assert_eq!(after.len, Some(3));
    }
}

/// A lock whose owner goes on while it is looked at: the word that is read first is not there any more.
struct Moving {
    words: Snapshot,
    at: u64,
    looks: std::cell::Cell<u32>,
}

impl Source for Moving {
    fn size(&self) -> u64 {
        8 * self.words.0.len() as u64
    }
    fn u32(&self, at: u64) -> Option<u32> {
        let word = (self.words.0.get(at as usize / 8)? >> (at % 8 * 8)) as u32;
        if at != self.at {
            return Some(word);
        }
        self.looks.set(self.looks.get() + 1);
        Some(if self.looks.get() == 1 { word } else { 0 })
    }
    fn u64(&self, at: u64) -> Option<u64> {
        self.words.0.get(at as usize / 8).copied()
    }
}

#[test]
fn nobody_is_declared_dead_on_a_word_that_has_changed_meanwhile() {
    let region = zoo::region();
    unsafe { region.create_lock("lock") }.unwrap();
    let owner = fork(|| {
        std::mem::forget(unsafe { region.open_lock("lock") }.unwrap().acquire().unwrap());
        0
    });
    let thread = owner.pid() as u32;
    owner.succeeds();
    let bytes = zoo::bytes(&region);
    let words = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    let mut words = Snapshot(words);
    let at = look(&words.inspector())["lock"].0.offset + 8;
    *words.word(at) = u64::from(thread); // as if the kernel had not marked it
    let Details::Lock(lock) = look(&words.inspector())["lock"].1.unwrap() else { panic!() };
    assert_eq!((lock.state, lock.thread, lock.liveness), (LockState::OwnerDied, thread, Liveness::Dead));
    let inspector = Inspector::new(Moving { words, at, looks: 0.into() }).unwrap();
    let Details::Lock(lock) = look(&inspector)["lock"].1.unwrap() else { panic!() };
    assert_eq!((lock.state, lock.owner_died), (LockState::Free, false));
}
