//! Random creating, opening, removing and ending against a `HashMap`, by this process and by children, some of
//! which are killed in the middle of an operation; and a storm of processes on the same few names.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod procs;

use procs::{ALONE, fork, watchdog};
use proptest::{collection::vec, prelude::*, test_runner::Config};
use rialto::{Error, Region, RegionConfig};
use std::collections::HashMap;

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const OBJECTS: u16 = 5;
const LEN: usize = 1 << 14;
const HANDLES: usize = 3;
const WAIT_NS: u64 = 20_000_000_000;

#[derive(Clone, Debug)]
enum Op {
    /// By that handle, that name, so many permits.
    Create(usize, usize, u32),
    Open(usize, usize),
    OpenOrCreate(usize, usize, u32),
    Remove(usize, usize),
    /// The handle goes, and another one comes.
    Renew(usize),
    /// One of the above by a child, which is killed after so many microseconds.
    Killed(Box<Op>, u64),
}

fn op() -> impl Strategy<Value = Op> {
    let (handle, name, permits) = (0..HANDLES, 0..NAMES.len(), prop_oneof![1..20u32, 100..900u32]);
    let sound = prop_oneof![
        8 => (handle.clone(), name.clone(), permits.clone()).prop_map(|(h, n, p)| Op::Create(h, n, p)),
        3 => (handle.clone(), name.clone()).prop_map(|(h, n)| Op::Open(h, n)),
        2 => (handle.clone(), name.clone(), permits).prop_map(|(h, n, p)| Op::OpenOrCreate(h, n, p)),
        8 => (handle.clone(), name).prop_map(|(h, n)| Op::Remove(h, n)),
        3 => handle.prop_map(Op::Renew),
    ];
    let killed = (sound.clone(), 0..600u64).prop_map(|(op, us)| Op::Killed(Box::new(op), us));
    prop_oneof![9 => sound, 1 => killed]
}

/// What should be there.
#[derive(Clone, Debug, PartialEq)]
struct Object {
    permits: u32,
    users: Vec<usize>,
}

fn bytes(permits: u32) -> u64 {
    (256 + 8 * u64::from(permits)).next_multiple_of(128)
}

struct World {
    /// They go before the region.
    handles: Vec<Region>,
    region: Region,
    oracle: HashMap<&'static str, Object>,
}

fn again(region: &Region) -> Region {
    // SAFETY: dropped before the region, or in a child that only ends.
    unsafe { Region::attach(region.as_ptr(), region.len()) }.unwrap()
}

impl World {
    fn new() -> World {
        let config = RegionConfig { members: 2, objects: OBJECTS, tick_ms: 20 };
        let region = Region::create_anonymous(LEN, &config).unwrap();
        let handles = (0..HANDLES).map(|_| again(&region)).collect();
        World { region, handles, oracle: HashMap::new() }
    }

    fn use_it(&mut self, handle: usize, name: &'static str) {
        let users = &mut self.oracle.get_mut(name).unwrap().users;
        if !users.contains(&handle) {
            users.push(handle);
        }
    }

    fn made(&mut self, h: usize, name: &'static str, permits: u32, result: Result<(), Error>) {
        let (space, full) = (self.region.space(), self.oracle.len() == usize::from(OBJECTS));
        match result {
            Ok(()) => {
                assert!(!full);
                assert_eq!(self.oracle.insert(name, Object { permits, users: vec![h] }), None);
            }
            Err(Error::NoSpace) => assert!(full || space.largest < bytes(permits), "{space:?} for {permits}"),
            other => panic!("create: {other:?}"),
        }
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Create(h, n, permits) => {
                let result = self.handles[h].create_semaphore(NAMES[n], permits).map(drop);
                if self.oracle.contains_key(NAMES[n]) {
                    assert_eq!(result, Err(Error::Exists));
                } else {
                    self.made(h, NAMES[n], permits, result);
                }
            }
            Op::Open(h, n) => {
                let result = self.handles[h].open_semaphore(NAMES[n]).map(|it| it.bound());
                match self.oracle.get(NAMES[n]).map(|object| object.permits) {
                    Some(permits) => {
                        assert_eq!(result, Ok(permits));
                        self.use_it(h, NAMES[n]);
                    }
                    None => assert_eq!(result, Err(Error::NotFound)),
                }
            }
            Op::OpenOrCreate(h, n, permits) => {
                let result = self.handles[h].open_or_create_semaphore(NAMES[n], permits).map(drop);
                match self.oracle.get(NAMES[n]).map(|object| object.permits) {
                    Some(there) if there == permits => {
                        assert_eq!(result, Ok(()));
                        self.use_it(h, NAMES[n]);
                    }
                    Some(_) => assert_eq!(result, Err(Error::WrongKind)),
                    None => self.made(h, NAMES[n], permits, result),
                }
            }
            Op::Remove(h, n) => {
                let expected = match self.oracle.get(NAMES[n]) {
                    None => Err(Error::NotFound),
                    Some(object) if object.users.iter().any(|user| *user != h) => Err(Error::Busy),
                    Some(_) => Ok(()),
                };
                assert_eq!(self.handles[h].remove(NAMES[n]), expected);
                if expected == Ok(()) {
                    self.oracle.remove(NAMES[n]);
                }
            }
            Op::Renew(h) => {
                self.handles[h] = again(&self.region);
                self.oracle.values_mut().for_each(|object| object.users.retain(|user| *user != h));
            }
            Op::Killed(ref op, us) => self.killed(op, us),
        }
    }

    /// A child does it, perhaps, or half of it. Either there is a change, or there is none.
    fn killed(&mut self, op: &Op, us: u64) {
        let region = &self.region;
        let child = fork(|| {
            let own = again(region);
            let _ = match *op {
                Op::Create(_, n, permits) => own.create_semaphore(NAMES[n], permits).map(drop),
                Op::OpenOrCreate(_, n, permits) => own.open_or_create_semaphore(NAMES[n], permits).map(drop),
                Op::Remove(_, n) => own.remove(NAMES[n]),
                Op::Open(_, n) => own.open_semaphore(NAMES[n]).map(drop),
                Op::Renew(_) | Op::Killed(..) => Ok(()),
            };
            std::mem::forget(own);
            0
        });
        std::thread::sleep(std::time::Duration::from_micros(us));
        child.kill();
        // The lock may be the dead one's.
        assert!(matches!(again(region).remove_timeout("none of that name", WAIT_NS), Err(Error::NotFound)));
        let names: Vec<_> = region.objects().unwrap().map(|object| object.name.to_string()).collect();
        match *op {
            Op::Create(_, n, permits) | Op::OpenOrCreate(_, n, permits) => {
                let name = NAMES[n];
                if names.iter().any(|there| there == name) && !self.oracle.contains_key(name) {
                    self.oracle.insert(name, Object { permits, users: vec![] });
                }
            }
            Op::Remove(_, n) => {
                let unused = self.oracle.get(NAMES[n]).is_some_and(|object| object.users.is_empty());
                if unused && !names.iter().any(|there| there == NAMES[n]) {
                    self.oracle.remove(NAMES[n]);
                }
            }
            _ => {}
        }
    }

    fn compare(&self) {
        let mut there = HashMap::new();
        let (mut used, mut places) = (0, vec![]);
        for object in self.region.objects().unwrap() {
            let name = NAMES.into_iter().find(|name| *name == object.name.as_str()).unwrap();
            let size = object.size.next_multiple_of(128);
            used += size;
            places.push((object.offset, size));
            let permits = self.region_of(name);
            assert_eq!(there.insert(name, (bytes(permits), object.users)), None);
            assert_eq!(size, bytes(permits));
        }
        let expected: HashMap<_, _> = self
            .oracle
            .iter()
            .map(|(name, object)| (*name, (bytes(object.permits), object.users.len() as u32)))
            .collect();
        assert_eq!(there, expected);
        places.sort_unstable();
        assert!(places.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "{places:?} overlap");
        let space = self.region.space();
        assert_eq!((space.used, space.free), (used, space.total - used));
    }

    fn region_of(&self, name: &str) -> u32 {
        self.oracle.get(name).map_or(0, |object| object.permits)
    }
}

proptest! {
    #![proptest_config(Config { cases: 200, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_directory_is_what_a_hash_map_would_be(ops in vec(op(), 1..60)) {
        let _alone = ALONE.lock();
        let _watchdog = watchdog("prop_directory", 120);
        let mut world = World::new();
        for op in &ops {
            world.apply(op);
            world.compare();
        }
    }
}

/// Three processes create, open and remove two names as fast as they can, each marking what it has created or
/// opened; one is killed now and then. What one uses never goes.
#[test]
fn what_somebody_uses_does_not_go_in_a_storm() {
    let _alone = ALONE.lock();
    let _watchdog = watchdog("storm of the directory", 120);
    let world = World::new();
    let region = &world.region;
    let worker = |seed: u64| {
        let mut state = seed;
        move || {
            for _ in 0..4000 {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let own = again(region);
                let name = NAMES[(state >> 33) as usize % 2];
                let value = 1 + (state >> 40) as u32 % 500;
                match state >> 60 {
                    0..5 => drop(own.remove(name)),
                    5..8 => drop(own.create_event(name)),
                    _ => {
                        let Ok(semaphore) = own.open_or_create_bounded_semaphore(name, value) else {
                            continue;
                        };
                        // If it went from under us, it would be another one, or an event, soon.
                        for _ in 0..20 {
                            assert_eq!((semaphore.bound(), semaphore.value() <= value), (value, true));
                            std::hint::spin_loop();
                        }
                    }
                }
            }
            0
        }
    };
    for round in 0..6 {
        let children: Vec<_> = (0..3).map(|i| fork(worker(round * 3 + i + 1))).collect();
        let victim = fork(worker(1000 + round));
        std::thread::sleep(std::time::Duration::from_millis(3 + round * 7));
        victim.kill();
        children.into_iter().for_each(|child| child.succeeds());
    }
    for name in &NAMES[..2] {
        let _ = region.remove(name);
        assert_eq!(region.open_event(name).err(), Some(Error::NotFound));
    }
    assert_eq!(region.space().used, 0);
}
