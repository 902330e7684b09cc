//! Random operations on semaphores, events and barriers, by several members in turn, against oracles that are
//! a few integers. One thread: what is refused here would have had to wait.
#![cfg(all(feature = "std", feature = "os", target_os = "linux"))]

use proptest::{collection::vec, prelude::*};
use rialto::{Error, Event, Permit, Region, RegionConfig, Semaphore};

const MEMBERS: usize = 3;

#[derive(Clone, Debug)]
enum Op {
    /// A member takes a permit.
    Acquire(usize),
    /// It gives back the i-th that it has.
    Release(usize, usize),
    /// A token that was given back already.
    ReleaseAgain(usize),
    /// It leaves the region with what it has, and comes back.
    Leave(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..MEMBERS).prop_map(Op::Acquire),
        3 => (0..MEMBERS, 0..4usize).prop_map(|(m, i)| Op::Release(m, i)),
        1 => (0..8usize).prop_map(Op::ReleaseAgain),
        1 => (0..MEMBERS).prop_map(Op::Leave),
    ]
}

proptest! {
    #[test]
    fn a_bounded_semaphore_is_an_integer(value in 0..5u32, ops in vec((any::<bool>(), 0..4u32), 0..60)) {
        for (semaphore, bound) in [
            (Semaphore::bounded(value), value),
            (Semaphore::new(value), Semaphore::MAX),
        ] {
            let mut free = value;
            for (acquire, n) in &ops {
                if *acquire {
                    let expected = if free > 0 { Ok(()) } else { Err(Error::WouldBlock) };
                    prop_assert_eq!(semaphore.try_acquire(), expected);
                    free -= u32::from(expected.is_ok());
                } else {
                    let expected = match n {
                        0 => Err(Error::Invalid),
                        n if free + n > bound => Err(Error::Overflow),
                        _ => Ok(()),
                    };
                    prop_assert_eq!(semaphore.release_many(*n), expected);
                    free += if expected.is_ok() { *n } else { 0 };
                }
                prop_assert_eq!(semaphore.value(), free);
            }
            prop_assert_eq!(semaphore.bound(), bound);
        }
    }

    #[test]
    fn a_tracked_semaphore_knows_who_has_what(bound in 1..7u32, ops in vec(op(), 0..60)) {
        let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
        let semaphore = region.create_semaphore("s", bound).unwrap();
        let mut members: Vec<_> = (0..MEMBERS).map(|_| region.join().unwrap()).collect();
        let mut held: Vec<Vec<u64>> = vec![vec![]; MEMBERS];
        let mut gone = vec![];
        for op in ops {
            let all = held.iter().map(Vec::len).sum::<usize>() as u32;
            match op {
                Op::Acquire(m) => match semaphore.as_member(&members[m]).try_acquire().map(Permit::into_token) {
                    Ok(token) => {
                        prop_assert!(all < bound && token != 0);
                        prop_assert!(!held.iter().flatten().chain(&gone).any(|other| *other == token));
                        held[m].push(token);
                    }
                    Err(error) => prop_assert_eq!((error, all), (Error::WouldBlock, bound)),
                },
                Op::Release(m, i) if !held[m].is_empty() => {
                    let i = i % held[m].len();
                    let token = held[m].swap_remove(i);
                    prop_assert_eq!(semaphore.release_token(token), Ok(()));
                    gone.push(token);
                }
                Op::ReleaseAgain(i) if !gone.is_empty() => {
                    let token = gone[i % gone.len()];
                    prop_assert_eq!(semaphore.release_token(token), Err(Error::NotOwner));
                }
                Op::Leave(m) => {
                    let member = std::mem::replace(&mut members[m], region.join().unwrap());
                    prop_assert!(member.leave().is_ok());
                    gone.append(&mut held[m]);
                }
                _ => {}
            }
            let all = held.iter().map(Vec::len).sum::<usize>() as u32;
            prop_assert_eq!(semaphore.value(), bound - all);
        }
    }

    #[test]
    fn an_event_is_a_flag(ops in vec(0..4u8, 0..60)) {
        let event = Event::new();
        let mut set = false;
        for op in ops {
            match op {
                0 => { event.set(); set = true; }
                1 => { event.clear(); set = false; }
                2 => prop_assert_eq!(event.wait_timeout(0), if set { Ok(()) } else { Err(Error::WouldBlock) }),
                _ => prop_assert_eq!(event.is_set(), set),
            }
        }
    }

    /// Parties that come one by one and never together: each breaks it, but for the only one.
    #[test]
    fn a_barrier_without_company_is_a_flag(
        parties in 1..4u32,
        first in prop_oneof![Just(0u64), Just((1 << 26) - 2), any::<u64>()],
        ops in vec(0..5u8, 0..40),
    ) {
        let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
        let barrier = region.create_barrier_at_generation("b", parties, first).unwrap();
        let mut broken = false;
        for op in ops {
            match op {
                0 => { barrier.abort(); broken = true; }
                1 => { barrier.reset(); broken = false; }
                2 => {
                    let mut acted = false;
                    let result = barrier.wait_with(0, || { acted = true; true });
                    let expected = match (broken, parties) {
                        (true, _) => Err(Error::Broken),
                        (false, 1) => Ok(0),
                        (false, _) => { broken = true; Err(Error::TimedOut) }
                    };
                    prop_assert_eq!((result, acted), (expected, expected.is_ok()));
                }
                3 => {
                    let mut acted = false;
                    let result = barrier.wait_with(0, || { acted = true; false });
                    let expected = if !broken && parties > 1 { Error::TimedOut } else { Error::Broken };
                    prop_assert_eq!((result, acted), (Err(expected), !broken && parties == 1));
                    broken = true;
                }
                _ => {}
            }
            prop_assert_eq!((barrier.is_broken(), barrier.n_waiting(), barrier.parties()), (broken, 0, parties));
        }
    }
}
