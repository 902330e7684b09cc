//! Event loops: real eventfds, poll(2), processes with descriptor numbers of their own. The region's tick is a
//! minute unless the test is about it, and loops poll without a timeout: a signal that is lost hangs.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Depth, Error, OnDeath, Popped, Queue, QueueConfig, QueueKind, Region};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use sync_kit::*;

const KINDS: [QueueKind; 2] = [QueueKind::Ring, QueueKind::Indexed];

struct EventFd(i32);

impl EventFd {
    fn new() -> EventFd {
        // SAFETY: no memory involved.
        let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK) };
        assert!(fd >= 0);
        EventFd(fd)
    }

    /// What was written since the last read, added up; `None` where nothing was (EAGAIN).
    fn read(&self) -> Option<u64> {
        let mut count = 0u64;
        // SAFETY: eight bytes of ours.
        let n = unsafe { libc::read(self.0, (&raw mut count).cast(), 8) };
        if n == 8 {
            return Some(count);
        }
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EAGAIN));
        None
    }

    /// poll(2); whether it is readable.
    fn poll(&self, timeout_ms: i32) -> bool {
        let mut poll = libc::pollfd { fd: self.0, events: libc::POLLIN, revents: 0 };
        // SAFETY: one structure of ours.
        let n = unsafe { libc::poll(&raw mut poll, 1, timeout_ms) };
        n == 1 && poll.revents == libc::POLLIN
    }
}

impl Drop for EventFd {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { libc::close(self.0) };
    }
}

fn each(config: QueueConfig, tick_ms: u32, f: impl Fn(&'static Region, Queue<'static>)) {
    for kind in KINDS {
        let region = region(tick_ms);
        f(region, region.create_queue("q", &QueueConfig { kind, ..config }).unwrap());
    }
}

const FOUR: QueueConfig = QueueConfig::new(4, 8);

fn pop(queue: Queue) -> Result<Popped, Error> {
    queue.try_pop(&mut [0; 8])
}

// ---- when it is written, and when not

#[test]
fn nothing_is_written_unless_somebody_has_armed() {
    each(FOUR, NO_TICK_MS, |_, queue| {
        let (data, space) = (EventFd::new(), EventFd::new());
        let both = queue.with_data_fd(data.0).with_space_fd(space.0);
        for _ in 0..10 {
            both.push(b"m").unwrap();
            pop(both).unwrap();
            both.push_many(&[b"1", b"2"]).unwrap();
            both.peek().unwrap().release();
            drop(both.peek().unwrap());
            pop(both).unwrap();
        }
        both.close();
        assert_eq!((data.read(), space.read()), (None, None));
        assert!(!data.poll(0));
    });
}

#[test]
fn each_arming_is_worth_one_write() {
    each(FOUR, NO_TICK_MS, |_, queue| {
        let data = EventFd::new();
        let producer = queue.with_data_fd(data.0);
        for _ in 0..3 {
            assert!(!queue.arm_data());
            assert!(!data.poll(0));
            (0..3).for_each(|_| producer.push(b"m").unwrap());
            assert!(data.poll(0));
            assert_eq!((data.read(), data.read()), (Some(1), None));
            producer.push(b"m").unwrap();
            assert_eq!(data.read(), None);
            (0..4).for_each(|_| assert!(pop(queue).is_ok()));
        }
        // Armed three times, or looked at again: still one.
        (0..3).for_each(|_| assert!(!queue.arm_data() && !queue.recheck_data()));
        producer.push(b"m").unwrap();
        assert_eq!(data.read(), Some(1));
    });
}

#[test]
fn arming_says_what_is_there_already_and_arms_all_the_same() {
    each(FOUR, NO_TICK_MS, |_, queue| {
        let (data, space) = (EventFd::new(), EventFd::new());
        let both = queue.with_data_fd(data.0).with_space_fd(space.0);
        assert!(queue.arm_space() && queue.recheck_space());
        both.push(b"1").unwrap();
        assert!(queue.arm_data() && queue.recheck_data());
        both.push(b"2").unwrap();
        assert_eq!(data.read(), Some(1));
        both.push_many(&[b"3", b"4"]).unwrap();
        assert!(!queue.arm_space() && !queue.recheck_space());
        pop(both).unwrap();
        assert_eq!(space.read(), Some(1));
        queue.close();
        (0..3).for_each(|_| assert!(pop(queue).is_ok()));
        // The end of the stream is worth a pop, too; and so is Closed, of a push.
        assert!(queue.arm_data() && queue.recheck_data() && queue.arm_space() && queue.recheck_space());
    });
}

#[test]
fn a_handle_without_a_descriptor_says_nothing_and_the_next_one_with_it_does() {
    each(FOUR, NO_TICK_MS, |_, queue| {
        let data = EventFd::new();
        queue.arm_data();
        queue.push(b"silent").unwrap();
        assert_eq!(data.read(), None);
        queue.with_data_fd(data.0).push(b"told").unwrap();
        assert_eq!(data.read(), Some(1));
    });
}

#[test]
fn every_way_to_bring_a_message_signals() {
    let config = QueueConfig { joinable: true, ..FOUR };
    each(config, NO_TICK_MS, |_, queue| {
        let data = EventFd::new();
        let producer = queue.with_data_fd(data.0);
        type Way<'a> = (&'a str, &'a dyn Fn());
        let ways: [Way; 8] = [
            ("push", &|| producer.push(b"m").unwrap()),
            ("push_timeout", &|| producer.push_timeout(b"m", SECOND).unwrap()),
            ("push_many", &|| assert_eq!(producer.push_many(&[b"m"]), Ok(1))),
            ("loan", &|| assert!(producer.reserve(1).unwrap().commit().is_ok())),
            ("peek dropped", &|| {
                queue.push(b"m").unwrap();
                drop(producer.peek().unwrap());
            }),
            ("give_back", &|| {
                queue.push(b"m").unwrap();
                producer.give_back(pop(queue).unwrap().ticket).unwrap();
            }),
            ("typed", &|| producer.typed::<u64>().unwrap().push(&7).unwrap()),
            ("close", &|| producer.close()),
        ];
        for (name, way) in ways {
            assert!(!queue.arm_data(), "{name}");
            way();
            assert_eq!(data.read(), Some(1), "{name}");
            assert!(queue.arm_data(), "{name}");
            if name != "close" {
                queue.task_done(pop(queue).unwrap().ticket).unwrap();
            }
            let _ = data.read();
        }
    });
}

#[test]
fn every_way_to_make_room_signals() {
    for joinable in [false, true] {
        each(QueueConfig { joinable, max_attempts: 1, ..FOUR }, NO_TICK_MS, |_, queue| {
            let space = EventFd::new();
            let consumer = queue.with_space_fd(space.0);
            let done = |popped: Popped| {
                if joinable {
                    consumer.task_done(popped.ticket).unwrap();
                }
            };
            let poison = || {
                while queue.poisoned() == 0 {
                    drop(queue.try_peek().unwrap());
                }
            };
            type Way<'a> = (&'a str, &'a dyn Fn());
            let ways: [Way; 6] = [
                ("pop", &|| done(pop(consumer).unwrap())),
                ("pop_many", &|| {
                    let mut popped = [Popped::default(); 1];
                    assert_eq!(consumer.pop_many(&mut [0; 8], &mut popped), Ok(1));
                    done(popped[0]);
                }),
                ("peek", &|| consumer.peek().unwrap().release()),
                ("take_poisoned", &|| {
                    poison();
                    done(consumer.take_poisoned(&mut [0; 8]).unwrap());
                }),
                ("dropped loan", &|| {
                    (0..4).for_each(|_| queue.peek().unwrap().release());
                    let first = consumer.reserve(1).unwrap();
                    let _others = [(); 3].map(|()| queue.reserve(1).unwrap());
                    assert!(!queue.arm_space());
                    drop(first);
                    assert!(queue.arm_space());
                }),
                ("close", &|| consumer.close()),
            ];
            for (name, way) in ways {
                while queue.try_push(b"m").is_ok() {}
                assert!(!queue.arm_space(), "{name}");
                way();
                assert_eq!(space.read(), Some(1), "{name}, joinable: {joinable}");
                assert!(queue.arm_space(), "{name}");
            }
        });
    }
}

#[test]
fn close_signals_both_sides_and_leaves_other_handles_alone() {
    each(FOUR, NO_TICK_MS, |_, queue| {
        let (data, space, other) = (EventFd::new(), EventFd::new(), EventFd::new());
        let _unused = queue.with_data_fd(other.0);
        queue.arm_data();
        queue.arm_space();
        queue.with_data_fd(data.0).with_space_fd(space.0).close();
        assert_eq!((data.read(), space.read(), other.read()), (Some(1), Some(1), None));
    });
}

/// Else a loop would spin for as long as the loan is out. Who ends it, signals.
#[test]
fn closed_with_a_loan_out_it_is_not_yet_the_end() {
    for committed in [true, false] {
        each(FOUR, NO_TICK_MS, |_, queue| {
            let data = EventFd::new();
            let loan = queue.with_data_fd(data.0).reserve(1).unwrap();
            queue.close();
            assert!(!queue.arm_data() && !queue.recheck_data());
            assert_eq!((pop(queue), data.read()), (Err(Error::WouldBlock), None));
            if committed {
                assert!(loan.commit().is_ok())
            } else {
                drop(loan)
            }
            assert_eq!(data.read(), Some(1));
            assert!(queue.arm_data());
            assert_eq!(pop(queue).is_ok(), committed);
            assert!(queue.arm_data());
            assert_eq!(pop(queue), Err(Error::Closed));
        });
    }
}

/// A descriptor that is none any more: the message is there, nothing else happens, and errno is as it was.
#[test]
fn a_closed_descriptor_is_no_harm_and_a_full_one_is_readable() {
    each(FOUR, NO_TICK_MS, |_, queue| {
        let data = EventFd::new();
        // A number so high that no test beside this one gets it anew: it would be the one told.
        // SAFETY: no memory involved.
        let number = unsafe { libc::fcntl(data.0, libc::F_DUPFD, 900) };
        assert!(number >= 900);
        // SAFETY: ours, open.
        assert_eq!(unsafe { libc::close(number) }, 0);
        queue.arm_data();
        // SAFETY: our own errno.
        unsafe { *libc::__errno_location() = 4711 };
        queue.with_data_fd(number).push(b"m").unwrap();
        // SAFETY: as above.
        assert_eq!(unsafe { *libc::__errno_location() }, 4711);
        // Nobody was told, so the next one who can, does.
        let almost = u64::MAX - 1;
        // SAFETY: eight bytes of ours.
        assert_eq!(unsafe { libc::write(data.0, (&raw const almost).cast(), 8) }, 8);
        queue.with_data_fd(data.0).push(b"m").unwrap();
        assert_eq!(data.read(), Some(almost));
        queue.with_data_fd(data.0).push(b"m").unwrap();
        assert_eq!(data.read(), None, "readable already, so it was told");
    });
}

// ---- processes

#[test]
fn each_process_has_its_own_number_for_it() {
    each(FOUR, NO_TICK_MS, |_, queue| {
        let data = EventFd::new();
        let go: &'static mut AtomicU32 = shared();
        let producer = Child::fork(|| {
            // SAFETY: no memory involved.
            let mine = unsafe { libc::fcntl(data.0, libc::F_DUPFD, 300) };
            ensure!(mine >= 300);
            // SAFETY: as above.
            unsafe { libc::close(data.0) };
            let queue = queue.with_data_fd(mine);
            while go.load(SeqCst) == 0 {
                sleep_ms(1);
            }
            ensure!(queue.push(b"hello") == Ok(()));
        });
        assert!(!queue.arm_data());
        go.store(1, SeqCst);
        assert!(data.poll(60_000));
        assert_eq!(data.read(), Some(1));
        let mut buffer = [0; 8];
        assert_eq!(queue.try_pop(&mut buffer).map(|popped| popped.len), Ok(5));
        producer.succeeded();
    });
}

/// The loop of `queue::poll`'s comment, without a timeout.
fn consume(queue: Queue, data: &EventFd, mut seen: impl FnMut(u32)) {
    let mut bytes = [0; 8];
    loop {
        loop {
            match queue.try_pop(&mut bytes) {
                Ok(_) => seen(u32::from_le_bytes(bytes[..4].try_into().unwrap())),
                Err(Error::Closed) => return,
                Err(error) => {
                    ensure!(error == Error::WouldBlock);
                    break;
                }
            }
        }
        if queue.arm_data() {
            // Somebody else is at work in between, maybe for long: with one processor it must get there.
            std::thread::yield_now();
            continue;
        }
        ensure!(data.poll(-1));
        data.read();
    }
}

/// The same, for room.
fn produce(queue: Queue, space: &EventFd, numbers: std::ops::Range<u32>) {
    for number in numbers {
        while let Err(error) = match number % 3 {
            0 => queue.try_push_many(&[&number.to_le_bytes()]).map(drop),
            1 => queue.try_push(&number.to_le_bytes()),
            _ => queue.try_reserve(4).and_then(|mut loan| {
                loan.write(&number.to_le_bytes())?;
                loan.try_commit().map_err(|(_, error)| error)
            }),
        } {
            ensure!(error == Error::WouldBlock);
            if queue.arm_space() {
                std::thread::yield_now();
                continue;
            }
            ensure!(space.poll(-1));
            space.read();
        }
    }
}

/// Both sides sleep in poll(2) only, in processes of their own.
#[test]
fn no_signal_is_lost_between_loops_that_never_look_again() {
    const COUNT: u32 = 20_000;
    for kill_only in [false, true] {
        each(QueueConfig { kill_only, ..FOUR }, NO_TICK_MS, |_, queue| {
            let (data, space) = (EventFd::new(), EventFd::new());
            let producer = Child::fork(|| {
                let queue = queue.with_data_fd(data.0);
                produce(queue, &space, 0..COUNT);
                queue.close();
            });
            let consumer = Child::fork(|| {
                let mut next = 0;
                consume(queue.with_space_fd(space.0), &data, |number| {
                    ensure!(number == next);
                    next += 1;
                });
                ensure!(next == COUNT);
            });
            consumer.succeeded();
            producer.succeeded();
        });
    }
}

/// One message at a time: no other one makes up for a signal that was lost.
#[test]
fn no_signal_is_lost_where_each_waits_for_the_others_only_message() {
    const ROUNDS: u32 = 20_000;
    for kind in KINDS {
        let region = region(NO_TICK_MS);
        let config = QueueConfig { kind, ..QueueConfig::new(2, 8) };
        let queues = ["there", "back"].map(|name| region.create_queue(name, &config).unwrap());
        let fds = [EventFd::new(), EventFd::new()];
        let play = |side: usize| {
            let (mine, theirs) = (queues[side], queues[1 - side].with_data_fd(fds[1 - side].0));
            for round in 0..ROUNDS {
                if side == 0 || round > 0 {
                    ensure!(theirs.try_push(b"ball") == Ok(()));
                }
                // So that the ball comes back at every instant of the loop.
                (0..round.wrapping_mul(2_654_435_761) >> 24).for_each(|_| std::hint::spin_loop());
                while pop(mine).is_err() {
                    if !mine.arm_data() {
                        ensure!(fds[side].poll(20_000));
                        fds[side].read();
                    }
                }
            }
            if side == 1 {
                ensure!(theirs.try_push(b"ball") == Ok(()));
            }
        };
        let other = Child::fork(|| play(1));
        let one = Child::fork(|| play(0));
        one.succeeded();
        other.succeeded();
    }
}

/// Killed at the very system call: the message is there, and nobody was told.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_producer_killed_between_publish_and_write_is_silent_and_recheck_finds_the_message() {
    each(FOUR, NO_TICK_MS, |_, queue| {
        let data = EventFd::new();
        assert!(!queue.arm_data());
        let producer = Child::fork(|| {
            let queue = queue.with_data_fd(data.0);
            // First use makes other calls.
            ensure!(queue.is_empty() && pop(queue) == Err(Error::WouldBlock));
            trace_me();
            ensure!(queue.push(b"m") == Ok(()));
        });
        let mut status = 0;
        // SAFETY: our own traced child.
        unsafe {
            assert_eq!(libc::waitpid(producer.0, &raw mut status, 0), producer.0);
            loop {
                assert_eq!(libc::ptrace(libc::PTRACE_SYSCALL, producer.0, 0, 0), 0);
                assert_eq!(libc::waitpid(producer.0, &raw mut status, 0), producer.0);
                assert!(libc::WIFSTOPPED(status), "it ended without a write");
                let mut registers: libc::user_regs_struct = std::mem::zeroed();
                libc::ptrace(libc::PTRACE_GETREGS, producer.0, 0, &raw mut registers);
                if registers.orig_rax == libc::SYS_write as u64 && registers.rdi == data.0 as u64 {
                    break; // before it
                }
            }
        }
        producer.kill();
        assert!(!data.poll(0), "silent");
        assert_eq!(queue.len(), 1);
        assert!(queue.recheck_data());
        assert!(pop(queue).is_ok());
        // And the next one is signalled as ever.
        assert!(!queue.recheck_data());
        queue.with_data_fd(data.0).push(b"m").unwrap();
        assert_eq!(data.read(), Some(1));
    });
}

#[test]
fn a_dead_consumers_message_comes_back_silently_and_recheck_finds_it() {
    for on_death in [OnDeath::Redeliver, OnDeath::Stop] {
        each(QueueConfig { on_death, ..FOUR }, NO_TICK_MS, |_, queue| {
            let data = EventFd::new();
            let producer = queue.with_data_fd(data.0);
            producer.push(b"m").unwrap();
            let consumer = Child::fork(|| std::mem::forget(producer.try_peek().expect("a message")));
            consumer.succeeded();
            assert_eq!(data.read(), None);
            assert!(queue.recheck_data(), "this is who recovers");
            let expected = if on_death == OnDeath::Stop { Err(Error::Poisoned) } else { Ok(1) };
            assert_eq!(pop(queue).map(|popped| popped.attempt), expected);
            assert_eq!(data.read(), None);
        });
    }
}

#[test]
fn the_room_of_the_dead_is_found_by_recheck() {
    let config = QueueConfig { on_death: OnDeath::Drop, slots: 2, ..FOUR };
    each(config, NO_TICK_MS, |_, queue| {
        let space = EventFd::new();
        queue.push(b"m").unwrap();
        let child = Child::fork(|| {
            std::mem::forget(queue.with_space_fd(space.0).try_reserve(1).expect("room"));
            std::mem::forget(queue.try_peek().expect("a message"));
        });
        child.succeeded();
        assert_eq!(queue.try_push(b"1"), Err(Error::WouldBlock));
        assert!(queue.is_full() && !space.poll(0));
        assert!(queue.recheck_space());
        assert_eq!((queue.try_push_many(&[b"1", b"2"]), queue.dropped()), (Ok(2), 1));
    });
}

/// A death that the kernel does not tell (no robust list): found within as many ticks as there are members.
#[test]
fn recheck_asks_about_those_who_are_not_marked() {
    each(FOUR, NO_TICK_MS, |region, queue| {
        queue.push(b"m").unwrap();
        let taken: &'static mut AtomicU32 = shared();
        let consumer = Child::fork(|| {
            std::mem::forget(queue.try_peek().expect("a message"));
            // SAFETY: from here on the kernel knows of no list of ours.
            ensure!(unsafe { libc::syscall(libc::SYS_set_robust_list, 0, 24) } == 0);
            taken.store(1, SeqCst);
            sleep_ms(100_000);
        });
        until("taken", || taken.load(SeqCst) == 1);
        consumer.kill();
        assert!(!queue.arm_data(), "not marked");
        assert_eq!(region.recover(Depth::Marked).members, 0);
        let rechecks = (0..region.member_count() + 1).take_while(|_| !queue.recheck_data()).count();
        assert!(rechecks as u32 <= region.member_count() + 1);
        assert_eq!(pop(queue).map(|popped| popped.attempt), Ok(1));
    });
}

#[test]
fn the_tick_is_the_regions() {
    for tick_ms in [1, 20, 1000] {
        each(FOUR, tick_ms, |_, queue| assert_eq!(queue.tick_ns(), u64::from(tick_ms) * MS));
    }
}
