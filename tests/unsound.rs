//! What would be memory unsafety if it went wrong: memory that goes while a thread's list runs through it.
#![cfg(all(feature = "std", feature = "os", target_os = "linux", not(rialto_loom)))]

mod procs;

use procs::{End, WATCHDOG_SECONDS, fork, watchdog};
use rialto::{Error, QueueConfig, Region, RegionConfig};
use std::{
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

const LEN: usize = 1 << 16;

fn region() -> Region {
    let config = RegionConfig { members: 2, objects: 1, tick_ms: 100 };
    let region = Region::create_anonymous(LEN, &config).unwrap();
    region.create_queue("q", &QueueConfig::new(2, 8)).unwrap();
    region
}

fn push(region: &Region) -> Result<(), Error> {
    region.open_queue("q").unwrap().try_push(b"x")
}

fn is_mapped(at: *mut u8) -> bool {
    // SAFETY: only asks.
    unsafe { libc::msync(at.cast(), LEN, libc::MS_ASYNC) == 0 }
}

/// A thread that is a member without a handle, until the sender is used or dropped.
fn member_of(region: &Arc<Region>) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (end, may_end) = mpsc::channel();
    let (joined, has_joined) = mpsc::channel();
    let theirs = region.clone();
    let member = thread::spawn(move || {
        push(&theirs).unwrap();
        drop(theirs);
        joined.send(()).unwrap();
        let _ = may_end.recv();
    });
    has_joined.recv().unwrap();
    (end, member)
}

/// What a peer writes into the member cells must not make us believe that nobody is a member.
fn scribbled(undo: impl FnOnce(Region)) -> End {
    let child = fork(|| {
        let region = Arc::new(region());
        let (end, member) = member_of(&region);
        let (cells, at) = ((256 + 64usize).next_multiple_of(128), region.as_ptr());
        for i in 0..2 {
            // SAFETY: the words of the region's two member cells.
            unsafe { at.add(cells + 64 * i + 8).cast::<u32>().write_volatile(0) };
        }
        undo(Arc::into_inner(region).unwrap());
        assert!(is_mapped(at), "unmapped under a member");
        drop(end);
        // It marks its cell.
        member.join().unwrap();
        0
    });
    child.wait()
}

#[test]
fn shared_bytes_cannot_get_a_dropped_region_unmapped_under_a_member() {
    let _watchdog = watchdog("scribbled, drop", WATCHDOG_SECONDS);
    assert_eq!(scribbled(drop), End::Exit(0));
}

#[test]
fn shared_bytes_cannot_get_a_region_detached_under_a_member() {
    let _watchdog = watchdog("scribbled, detach", WATCHDOG_SECONDS);
    let detach = |region: Region| {
        let (region, error) = region.detach().expect_err("there is a member");
        assert_eq!(error, Error::Busy);
        drop(region);
    };
    assert_eq!(scribbled(detach), End::Exit(0));
}

/// In a process with one thread at the end, or another test might map something at the same address.
#[test]
fn regions_leaked_under_a_member_cost_later_ones_nothing_once_it_has_ended() {
    let _watchdog = watchdog("many leaks", WATCHDOG_SECONDS);
    fork(|| {
        for _ in 0..600 {
            let region = Arc::new(region());
            let (end, member) = member_of(&region);
            let at = region.as_ptr();
            drop(region);
            assert!(is_mapped(at));
            drop(end);
            member.join().unwrap();
            // SAFETY: the leaked mapping, which nobody uses any more.
            assert_eq!(unsafe { libc::munmap(at.cast(), LEN) }, 0);
        }
        let region = region();
        let at = region.as_ptr();
        push(&region).unwrap();
        region.detach().map_err(|(_, error)| error).expect("nobody else is a member");
        i32::from(is_mapped(at))
    })
    .succeeds();
}

#[test]
fn more_regions_than_can_be_counted_are_leaked_and_never_unmapped() {
    fork(|| {
        let mut regions: Vec<Region> = (0..256).map(|_| region()).collect();
        let last = regions.pop().unwrap();
        let at = last.as_ptr();
        let (last, error) = last.detach().expect_err("nobody knows who is a member");
        assert_eq!(error, Error::Busy);
        drop(last);
        assert!(is_mapped(at));
        let counted = regions.pop().unwrap();
        let at = counted.as_ptr();
        drop(counted);
        i32::from(is_mapped(at))
    })
    .succeeds();
}

#[test]
fn an_explicit_member_forgotten_by_an_ended_thread_keeps_the_mapping() {
    fork(|| {
        let region = region();
        thread::scope(|scope| {
            scope.spawn(|| std::mem::forget(region.join().unwrap())).join().unwrap();
        });
        let at = region.as_ptr();
        let (region, error) = region.detach().expect_err("it cannot be told from one that lives");
        assert_eq!(error, Error::Busy);
        drop(region);
        i32::from(!is_mapped(at))
    })
    .succeeds();
}

/// A thread goes through many regions if it leaves each; else the 17th refuses it, and stays free of it.
#[test]
fn a_thread_is_a_member_of_sixteen_regions_until_it_leaves() {
    fork(|| {
        let (give, given) = mpsc::channel::<Arc<Region>>();
        let (done, is_done) = mpsc::channel();
        thread::spawn(move || {
            for theirs in given {
                let pushed = push(&theirs);
                theirs.leave().unwrap();
                drop(theirs);
                done.send(pushed).unwrap();
            }
        });
        for i in 0..20 {
            let region = Arc::new(region());
            let at = region.as_ptr();
            give.send(region.clone()).unwrap();
            assert_eq!(is_done.recv().unwrap(), Ok(()), "region {i}");
            drop(region);
            assert!(!is_mapped(at), "region {i}");
        }
        let regions: Vec<Region> = (0..17).map(|_| region()).collect();
        for (i, region) in regions.iter().enumerate() {
            let expected = if i < 16 { Ok(()) } else { Err(Error::TooManyHeld) };
            assert_eq!(push(region), expected, "region {i}");
        }
        for region in regions {
            let at = region.as_ptr();
            region.detach().map_err(|(_, error)| error).unwrap();
            assert!(!is_mapped(at));
        }
        0
    })
    .succeeds();
}
