//! Queues of every kind seen at several addresses: one region mapped twice in one process, and by processes
//! that start in whatever order; and who asks for a queue that is another is told so.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Error, OnDeath, Popped, Queue, QueueConfig, QueueKind, Region, RegionConfig};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use sync_kit::*;

const LEN: usize = 1 << 16;
const REGION: RegionConfig = RegionConfig { members: 16, objects: 16, tick_ms: NO_TICK_MS };

/// All kinds, with their names.
fn kinds() -> Vec<(String, QueueConfig)> {
    let make = |i: usize| {
        let kind = [QueueKind::Ring, QueueKind::Indexed][i & 1];
        let config =
            QueueConfig { kind, joinable: i & 2 != 0, kill_only: i & 4 != 0, ..QueueConfig::new(4, 16) };
        (format!("q{i}"), config)
    };
    (0..8).map(make).collect()
}

fn forever(region: Region) -> &'static Region {
    Box::leak(Box::new(region))
}

/// Everything that goes through one view comes out of the other.
fn exchange(here: Queue<'static>, there: Queue<'static>) {
    let mut buffer = [0; 64];
    let mut popped = [Popped::default(); 4];
    let finish =
        |popped: &Popped| assert_eq!(there.task_done(popped.ticket).is_ok(), there.config().joinable);
    assert_eq!(here.config(), there.config());

    here.push(b"copied").unwrap();
    let mut loan = here.reserve(7).unwrap();
    let written = loan.as_mut_ptr();
    loan.write(b"in situ").unwrap();
    assert!(loan.commit().is_ok());
    assert_eq!(here.push_many(&[b"1", b"2"]), Ok(2));
    assert!(here.is_full() && there.is_full());
    assert_eq!((there.len(), here.unfinished()), (4, 4));
    let first = there.pop(&mut buffer).unwrap();
    assert_eq!(&buffer[..first.len], b"copied");
    finish(&first);
    let peeked = there.peek().unwrap();
    assert_ne!(peeked.as_ptr(), written.cast_const(), "the same bytes elsewhere");
    assert_eq!((peeked.copy_to(&mut buffer), &buffer[..7]), (7, &b"in situ"[..]));
    drop(peeked);
    // Given back, it comes first, to whomever.
    let again = here.peek().unwrap();
    assert_eq!((again.len(), again.attempt()), (7, 1));
    again.release();
    assert_eq!(there.pop_many(&mut buffer, &mut popped), Ok(2));
    if there.config().joinable {
        // Another view is another member: tickets are nobody else's.
        assert_eq!(here.task_done(popped[0].ticket), Err(Error::NotOwner));
        let joining = Waiter::asleep(move || here.join());
        popped[..2].iter().for_each(finish);
        assert_eq!(joining.join(), Ok(()));
    }
    assert_eq!((here.len(), here.unfinished(), there.unfinished()), (0, 0, 0));
    // Who sleeps at one address is woken at the other.
    let popping = Waiter::asleep(move || {
        let popped = there.pop(&mut [0; 16])?;
        let _ = there.task_done(popped.ticket);
        Ok::<_, Error>(popped.len)
    });
    here.push(b"wake up").unwrap();
    assert_eq!(popping.join(), Ok(7));
    while there.try_push(b"m").is_ok() {}
    let pushing = Waiter::asleep(move || there.push(b"m"));
    here.peek().unwrap().release();
    assert_eq!(pushing.join(), Ok(()));
    let reserving = Waiter::asleep(move || here.reserve(1).err());
    there.close();
    assert!(here.is_closed());
    assert_eq!(reserving.join(), Some(Error::Closed));
}

#[test]
fn a_region_mapped_at_two_addresses_of_one_process_is_one() {
    let first = forever(Region::create_memfd(LEN, &REGION).unwrap());
    let second = forever(Region::attach_fd(first.fd().unwrap()).unwrap());
    assert_ne!(first.as_ptr(), second.as_ptr());
    for (i, (name, config)) in kinds().into_iter().enumerate() {
        let (made, opened) = if i % 2 == 0 { (first, second) } else { (second, first) };
        let here = made.create_queue(&name, &config).unwrap();
        exchange(here, opened.open_queue_as(&name, &config).unwrap());
    }
    // What one member has in hand is found through the other view when it has left.
    let (here, there) = (first.open_queue("q0").unwrap(), second.open_queue("q0").unwrap());
    let member = first.join().unwrap();
    std::mem::forget(here.as_member(&member).peek().unwrap());
    drop(member);
    assert_eq!(there.try_peek().map(|peeked| peeked.attempt()), Ok(1));
}

fn name_of(test: &str) -> String {
    format!("/rialto-{test}-{}", std::process::id())
}

/// Attached by name as soon as it is there, at an address of its own.
fn attach(name: &str) -> Region {
    loop {
        match Region::attach_named(name) {
            Ok(region) => return region,
            Err(error) => ensure!(error == Error::NotFound || error == Error::BadRegion),
        }
        sleep_ms(1);
    }
}

fn open<'r>(region: &'r Region, name: &str, config: &QueueConfig) -> Queue<'r> {
    loop {
        match region.open_queue_as(name, config) {
            Ok(queue) => return queue,
            Err(error) => ensure!(error == Error::NotFound),
        }
        sleep_ms(1);
    }
}

/// Who makes the region, makes the queues, pushes, and pops may each be first, and may be gone when the next
/// one comes.
#[test]
fn processes_may_start_in_any_order() {
    for (number, order) in permutations(3).into_iter().enumerate() {
        for overlap in [false, true] {
            let name = name_of(&format!("order{number}{overlap}"));
            let addresses: &'static mut [AtomicU32; 3] = shared();
            let start = |role: usize| {
                Child::fork(|| {
                    // Each at an address of its own.
                    let padding = Region::create_anonymous(LEN << role, &REGION).unwrap();
                    let region = if role == 0 {
                        Region::create_named(&name, LEN, &REGION).unwrap()
                    } else {
                        attach(&name)
                    };
                    addresses[role].store((region.as_ptr() as usize >> 12) as u32, SeqCst);
                    for (name, config) in kinds() {
                        match role {
                            0 => drop(region.create_queue(&name, &config).map(|_| ())),
                            1 => {
                                let queue = open(&region, &name, &config);
                                ensure!(queue.push_many(&[b"1", b"2"]) == Ok(2));
                                let mut loan = queue.reserve(3).expect("room");
                                loan.write(b"end").unwrap();
                                ensure!(loan.commit().is_ok());
                                queue.close();
                            }
                            _ => {
                                let queue = open(&region, &name, &config);
                                let (mut buffer, mut all) = ([0; 16], vec![]);
                                loop {
                                    // It may be too early; the tick is too late.
                                    match queue.pop_timeout(&mut buffer, SECOND) {
                                        Ok(popped) => {
                                            all.extend_from_slice(&buffer[..popped.len]);
                                            ensure!(
                                                queue.task_done(popped.ticket).is_ok() == config.joinable
                                            );
                                        }
                                        Err(Error::TimedOut) => {}
                                        Err(error) => break ensure!(error == Error::Closed),
                                    }
                                }
                                ensure!(all == b"12end");
                                ensure!(!config.joinable || queue.join() == Ok(()));
                            }
                        }
                    }
                    drop(padding);
                })
            };
            let mut running = vec![];
            for role in order.iter().copied() {
                let child = start(role);
                // Where that can be, one has ended before the next begins.
                if !overlap && running.is_empty() && role == 0 {
                    child.succeeded();
                } else {
                    running.push(child);
                }
            }
            running.into_iter().for_each(Child::succeeded);
            Region::unlink_named(&name).unwrap();
            let addresses = addresses.each_ref().map(|it| it.load(SeqCst));
            assert!(addresses[0] != addresses[1] || addresses[1] != addresses[2], "{addresses:?}");
        }
    }
}

// ---- another queue than was asked for

#[test]
fn a_queue_of_other_parameters_is_refused_as_the_wrong_kind() {
    let region = Region::create_anonymous(1 << 18, &RegionConfig { objects: 64, ..REGION }).unwrap();
    for (name, config) in kinds() {
        region.create_queue(&name, &config).unwrap();
        let other = if config.kind == QueueKind::Ring { QueueKind::Indexed } else { QueueKind::Ring };
        let others = [
            QueueConfig { slots: 8, ..config },
            QueueConfig { slots: 2, ..config },
            QueueConfig { max_message_bytes: 15, ..config },
            QueueConfig { max_message_bytes: 17, ..config },
            QueueConfig { max_attempts: 4, ..config },
            QueueConfig { kill_only: !config.kill_only, ..config },
            QueueConfig { kind: other, ..config },
            QueueConfig { joinable: !config.joinable, ..config },
            QueueConfig { on_death: OnDeath::Drop, ..config },
            QueueConfig { on_death: OnDeath::Stop, ..config },
            // None at all.
            QueueConfig { slots: 0, ..config },
            QueueConfig { max_message_bytes: u32::MAX, ..config },
        ];
        for other in others {
            assert_eq!(
                region.open_queue_as(&name, &other).err(),
                Some(Error::WrongKind),
                "{config:?} {other:?}"
            );
        }
        // As many slots, rounded up.
        for slots in [3, 4] {
            let queue = region.open_queue_as(&name, &QueueConfig { slots, ..config }).unwrap();
            assert_eq!(queue.config(), config);
        }
        assert_eq!(region.open_queue(&name).unwrap().config(), config, "whatever it is");
        assert_eq!(region.create_queue(&name, &config).err(), Some(Error::Exists));
    }
    assert_eq!(region.open_queue_as("none", &QueueConfig::new(4, 16)).err(), Some(Error::NotFound));
}

#[test]
fn what_is_no_queue_is_no_queue_and_a_queue_is_nothing_else() {
    let region = Region::create_anonymous(LEN, &REGION).unwrap();
    let config = QueueConfig::new(4, 16);
    region.create_queue("queue", &config).unwrap();
    region.create_queue("indexed", &QueueConfig { kind: QueueKind::Indexed, ..config }).unwrap();
    region.create_semaphore("semaphore", 2).unwrap();
    region.create_barrier("barrier", 2).unwrap();
    for name in ["semaphore", "barrier"] {
        assert_eq!(region.open_queue(name).err(), Some(Error::WrongKind));
        assert_eq!(region.open_queue_as(name, &config).err(), Some(Error::WrongKind));
    }
    for name in ["queue", "indexed"] {
        assert_eq!(region.open_semaphore(name).err(), Some(Error::WrongKind));
        assert_eq!(region.open_barrier(name).err(), Some(Error::WrongKind));
    }
}
