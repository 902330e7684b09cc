//! Regions and queues between processes that are killed, stopped, forked, exec'ed or in other PID
//! namespaces: who is noticed, what comes back, and who is never taken for dead.

mod procs;

use procs::{Child, End, Shared, WATCHDOG_SECONDS, fork, wait_until, watchdog};
use rialto::{Depth, Error, QueueConfig, Region, RegionConfig};
use std::{
    os::unix::process::CommandExt,
    process::Command,
    sync::atomic::{AtomicU32, Ordering::*},
    thread,
    time::Duration,
};

const LEN: usize = 1 << 17;
const TICK: Duration = Duration::from_millis(100);

/// A region with one queue `q` of 4 slots, and a word that children report through.
struct Scene {
    region: Region,
    word: Shared<AtomicU32>,
}

fn scene(members: u16) -> Scene {
    let config = RegionConfig { members, ..Default::default() };
    let region = Region::create_anonymous(LEN, &config).unwrap();
    region.create_queue("q", &QueueConfig::new(4, 64)).unwrap();
    // SAFETY: zero is a valid atomic.
    Scene { region, word: unsafe { Shared::zeroed() } }
}

impl Scene {
    fn queue(&self) -> rialto::Queue<'_> {
        self.region.open_queue("q").unwrap()
    }
    /// Pops without waiting.
    fn take(&self) -> Option<(Vec<u8>, u8)> {
        let mut buffer = [0; 64];
        match self.queue().try_pop(&mut buffer) {
            Ok(popped) => Some((buffer[..popped.len].to_vec(), popped.attempt)),
            Err(Error::WouldBlock) => None,
            Err(error) => panic!("{error:?}"),
        }
    }
    /// A child with `count` messages in hand, which it keeps until it is ended.
    fn holder(&self, count: u32) -> Child {
        let before = self.word.load(SeqCst);
        let child = fork(|| {
            for _ in 0..count {
                std::mem::forget(self.queue().peek().unwrap());
            }
            self.word.fetch_add(1, SeqCst);
            sleep_for_ever()
        });
        wait_until("the child has its messages", || self.word.load(SeqCst) == before + 1);
        child
    }
    /// A child blocked in pop, which then expects `message` with `attempt`.
    fn waiter(&self, message: &'static [u8], attempt: u8) -> Child {
        let child = fork(|| {
            let mut buffer = [0; 64];
            let popped = self.queue().pop(&mut buffer).unwrap();
            assert_eq!((&buffer[..popped.len], popped.attempt), (message, attempt));
            0
        });
        child.wait_until_asleep();
        child
    }
}

fn sleep_for_ever() -> i32 {
    loop {
        thread::sleep(Duration::from_secs(1000));
    }
}

/// Runs `f` as process 1 of a new PID namespace. Ends with 77 if this user may not have one.
fn fork_into_namespace(f: impl FnOnce() -> i32) -> Child {
    fork(|| {
        // SAFETY: no memory is involved; this process has one thread.
        let alone = unsafe {
            libc::unshare(libc::CLONE_NEWPID) == 0
                || libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWPID) == 0
        };
        if !alone {
            return 77;
        }
        // Ends with its parent's death, so killing the outer one kills both.
        match fork(f).wait() {
            End::Exit(code) => code,
            End::Signal(signal) => 128 + signal,
        }
    })
}

#[test]
fn a_killed_consumers_message_comes_to_a_blocked_process_marked() {
    let scene = scene(8);
    scene.queue().push(b"precious").unwrap();
    let victim = scene.holder(1);
    let survivor = scene.waiter(b"precious", 1);
    victim.kill();
    survivor.succeeds();
    assert_eq!(scene.take(), None);
}

#[test]
fn every_death_of_a_holder_counts_as_one_attempt() {
    let scene = scene(4);
    scene.queue().push(b"m").unwrap();
    for _ in 0..5 {
        scene.holder(1).kill();
        // Nobody is blocked here, so somebody has to look.
        assert_eq!(scene.region.recover(Depth::Marked).redelivered, 1);
    }
    // Five times is the limit of `QueueConfig::new`: the sixth holder gets it as the last one.
    let mut buffer = [0; 64];
    let last = scene.queue().try_pop(&mut buffer).unwrap();
    assert_eq!((last.attempt, last.redelivered()), (5, true));
}

#[test]
fn all_messages_of_a_dead_holder_come_back_and_room_with_them() {
    let scene = scene(8);
    let queue = scene.queue();
    for i in 0..4u8 {
        queue.push(&[i]).unwrap();
    }
    let victim = scene.holder(4);
    assert_eq!(queue.try_push(b"x"), Err(Error::WouldBlock));
    let producer = fork(|| scene.queue().push(b"later").map_or(1, |()| 0));
    producer.wait_until_asleep();
    victim.kill();
    let mut got: Vec<u8> = (0..4)
        .map(|_| {
            let mut buffer = [0; 64];
            let popped = queue.pop(&mut buffer).unwrap();
            assert_eq!((popped.len, popped.attempt), (1, 1));
            buffer[0]
        })
        .collect();
    got.sort();
    assert_eq!(got, [0, 1, 2, 3]);
    producer.succeeds();
    assert_eq!(scene.take(), Some((b"later".to_vec(), 0)));
    for i in 0..4u8 {
        queue.try_push(&[i]).unwrap();
    }
    assert_eq!(queue.try_push(b"x"), Err(Error::WouldBlock));
}

#[test]
fn a_producer_killed_while_it_waits_for_room_leaves_nothing_behind() {
    let scene = scene(8);
    let queue = scene.queue();
    for i in 0..4u8 {
        queue.push(&[i]).unwrap();
    }
    let victims: Vec<Child> =
        (0..2).map(|_| fork(|| scene.queue().push(b"never").map_or(1, |()| 0))).collect();
    victims.iter().for_each(Child::wait_until_asleep);
    let survivor = fork(|| scene.queue().push(b"survivor").map_or(1, |()| 0));
    survivor.wait_until_asleep();
    victims.into_iter().for_each(Child::kill);
    assert_eq!(scene.take(), Some((vec![0], 0)));
    survivor.succeeds();
    for i in 1..4u8 {
        assert_eq!(scene.take(), Some((vec![i], 0)));
    }
    assert_eq!(scene.take(), Some((b"survivor".to_vec(), 0)));
    assert_eq!(scene.take(), None);
}

#[test]
fn a_wake_up_does_not_die_with_a_killed_sleeper() {
    let scene = scene(8);
    let victims: Vec<Child> = (0..3).map(|_| scene.waiter(b"never", 0)).collect();
    let survivor = scene.waiter(b"m", 0);
    victims.into_iter().for_each(Child::kill);
    scene.queue().push(b"m").unwrap();
    survivor.succeeds();
}

#[test]
fn a_woken_sleeper_that_is_stopped_delays_others_by_no_more_than_a_tick() {
    // The stopped one may have been woken and have nothing in hand yet; the message is free for others.
    let scene = scene(8);
    let stopped = scene.waiter(b"m", 0);
    stopped.stop();
    let survivor = scene.waiter(b"m", 0);
    scene.queue().push(b"m").unwrap();
    survivor.succeeds();
    scene.queue().push(b"m").unwrap();
    stopped.go_on();
    stopped.succeeds();
}

#[test]
fn places_of_the_dead_are_used_again_and_a_table_full_of_the_living_is_refused() {
    let scene = scene(3);
    let queue = scene.queue();
    queue.push(b"m").unwrap();
    // One place is this thread's; each child dies without leaving.
    for death in 0..20 {
        scene.holder(1).kill();
        let next = scene.holder(0);
        next.kill();
        wait_until("redelivered", || {
            scene.region.recover(Depth::Marked);
            queue.len() == 1
        });
        let mut buffer = [0; 64];
        assert_eq!(queue.try_pop(&mut buffer).unwrap().attempt, 1, "death {death}");
        queue.push(b"m").unwrap();
    }
    let living = [
        scene.holder(1),
        fork(|| {
            queue.push(b"n").unwrap();
            scene.word.fetch_add(1, SeqCst);
            sleep_for_ever()
        }),
    ];
    let joined = scene.word.load(SeqCst);
    wait_until("both are members", || scene.region.member_count() == 3 && scene.word.load(SeqCst) >= joined);
    fork(|| (queue.try_push(b"x") != Err(Error::TooManyMembers)).into()).succeeds();
    let [first, _second] = living;
    first.kill();
    fork(|| (queue.try_push(b"x") != Ok(())).into()).succeeds();
}

#[test]
fn a_dead_members_place_is_found_by_whoever_needs_one_without_being_asked() {
    let scene = scene(2);
    for _ in 0..10 {
        // Nobody calls recover: the joining child itself finds the table full and looks.
        fork(|| {
            scene.queue().push(b"m").unwrap();
            // SAFETY: ourselves.
            unsafe { libc::raise(libc::SIGKILL) }
        })
        .wait();
        fork(|| {
            let mut buffer = [0; 64];
            scene.queue().pop(&mut buffer).unwrap();
            // SAFETY: ourselves.
            unsafe { libc::raise(libc::SIGKILL) }
        })
        .wait();
    }
    assert_eq!(scene.take(), None);
}

#[test]
fn a_thread_that_ends_is_no_member_any_more() {
    let scene = scene(3);
    let queue = scene.queue();
    queue.push(b"m").unwrap();
    for _ in 0..50 {
        thread::spawn({
            // SAFETY: the thread is joined before the scene goes.
            let scene: &'static Scene = unsafe { &*std::ptr::from_ref(&scene) };
            move || scene.queue().push(b"m").and_then(|()| scene.queue().pop(&mut [0; 64])).unwrap()
        })
        .join()
        .unwrap();
        scene.region.recover(Depth::Marked);
        assert_eq!(scene.region.member_count(), 1);
    }
    // In a child, by a thread that has a message in hand.
    fork(|| {
        thread::scope(|scope| scope.spawn(|| std::mem::forget(queue.peek().unwrap())).join().unwrap());
        wait_until("given back", || scene.region.recover(Depth::Marked).members > 0 || queue.len() == 1);
        let mut buffer = [0; 64];
        i32::from(queue.pop(&mut buffer).unwrap().attempt != 1)
    })
    .succeeds();
}

#[test]
fn a_forked_child_is_a_member_of_its_own_and_never_its_parent() {
    let scene = scene(4);
    let queue = scene.queue();
    queue.push(b"parent's").unwrap();
    queue.push(b"child's").unwrap();
    let in_hand = queue.peek().unwrap();
    assert_eq!(scene.region.member_count(), 1);
    // The child dies with a message in hand. Only that one comes back; the parent's stays in its hand.
    let child = scene.holder(1);
    assert_eq!(scene.region.member_count(), 2, "the child joined by itself");
    child.kill();
    let found = scene.region.recover(Depth::Thorough);
    assert_eq!((found.members, found.redelivered), (1, 1));
    assert_eq!(scene.take(), Some((b"child's".to_vec(), 1)));
    assert_eq!(scene.take(), None);
    // A child that leaves, or ends in an orderly way, does not take the parent along either.
    fork(|| {
        scene.region.leave().unwrap();
        i32::from(scene.region.member_count() != 1)
    })
    .succeeds();
    fork(|| {
        scene.queue().push(b"x").unwrap();
        scene.queue().pop(&mut [0; 64]).unwrap();
        scene.region.leave().unwrap();
        i32::from(scene.region.member_count() != 1)
    })
    .succeeds();
    assert_eq!(scene.region.recover(Depth::Thorough).redelivered, 0);
    assert_eq!(in_hand.attempt(), 0);
    in_hand.release();
    assert_eq!(scene.take(), None);
    assert_eq!(queue.len(), 0);
}

#[test]
fn an_explicit_membership_of_the_parent_is_not_the_childs_to_end() {
    let scene = scene(4);
    let member = scene.region.join().unwrap();
    scene.queue().push(b"m").unwrap();
    std::mem::forget(scene.queue().as_member(&member).peek().unwrap());
    fork(|| {
        drop(scene.region.join().unwrap());
        // SAFETY: a copy of the parent's handle, dropped as a careless child would.
        drop(unsafe { std::ptr::read(&member) });
        i32::from(scene.region.member_count() != 2)
    })
    .succeeds();
    assert_eq!(scene.take(), None, "still in the parent's hand");
    drop(member);
    assert_eq!(scene.take(), Some((b"m".to_vec(), 1)));
}

#[test]
fn after_exec_a_process_is_no_member_any_more() {
    let scene = scene(8);
    scene.queue().push(b"m").unwrap();
    let child = fork(|| {
        std::mem::forget(scene.queue().peek().unwrap());
        scene.word.store(1, SeqCst);
        let error = Command::new("sleep").arg("1000").exec();
        panic!("{error}");
    });
    wait_until("it has the message", || scene.word.load(SeqCst) == 1);
    let survivor = fork(|| i32::from(scene.queue().pop(&mut [0; 64]).unwrap().attempt != 1));
    survivor.succeeds();
    // SAFETY: only asks.
    assert_eq!(unsafe { libc::kill(child.pid(), 0) }, 0, "the process itself lives on");
}

#[test]
fn exec_by_a_second_thread_ends_the_memberships_of_both() {
    // The kernel gives the calling thread the leader's id before it reads the robust list, so it does not
    // recognise the cell as that thread's: the backstop at the tick has to.
    let scene = scene(8);
    scene.queue().push(b"leader's").unwrap();
    scene.queue().push(b"second's").unwrap();
    let child = fork(|| {
        std::mem::forget(scene.queue().peek().unwrap());
        thread::scope(|scope| {
            scope.spawn(|| {
                std::mem::forget(scene.queue().peek().unwrap());
                scene.word.store(1, SeqCst);
                let error = Command::new("sleep").arg("1000").exec();
                panic!("{error}");
            });
        });
        1
    });
    wait_until("both have a message", || scene.word.load(SeqCst) == 1);
    let survivor = fork(|| {
        let mut attempts = 0;
        for _ in 0..2 {
            attempts += scene.queue().pop(&mut [0; 64]).unwrap().attempt;
        }
        i32::from(attempts != 2)
    });
    survivor.succeeds();
    // SAFETY: only asks.
    assert_eq!(unsafe { libc::kill(child.pid(), 0) }, 0, "the process itself lives on");
}

#[test]
fn a_stopped_member_is_never_declared_dead() {
    let _watchdog = watchdog("a stopped member", WATCHDOG_SECONDS);
    let scene = scene(8);
    scene.queue().push(b"m").unwrap();
    let child = fork(|| {
        let peeked = scene.queue().peek().unwrap();
        scene.word.store(1, SeqCst);
        while scene.word.load(SeqCst) != 2 {
            thread::sleep(Duration::from_millis(1));
        }
        let mut buffer = [0; 64];
        assert_eq!(peeked.copy_to(&mut buffer), 1);
        peeked.release();
        0
    });
    wait_until("it has the message", || scene.word.load(SeqCst) == 1);
    child.stop();
    for depth in [Depth::Marked, Depth::Thorough] {
        assert_eq!(scene.region.recover(depth), rialto::Recovered::default());
    }
    // Blocked callers look by themselves at each tick; three of them pass.
    let result = scene.queue().pop_timeout(&mut [0; 64], 3 * TICK.as_nanos() as u64 + 50_000_000);
    assert_eq!(result, Err(Error::TimedOut));
    scene.word.store(2, SeqCst);
    child.go_on();
    child.succeeds();
    scene.region.recover(Depth::Thorough);
    assert_eq!(scene.take(), None, "it was released, by its holder");
    for i in 0..4u8 {
        scene.queue().try_push(&[i]).unwrap();
    }
}

#[test]
fn a_stopped_holder_keeps_only_its_slot() {
    let scene = scene(8);
    scene.queue().push(b"held").unwrap();
    let stopped = scene.holder(1);
    stopped.stop();
    // 4 slots, one of them held: three messages fit, lap after lap.
    for lap in 0..20u8 {
        for i in 0..3 {
            scene.queue().try_push(&[lap, i]).unwrap();
        }
        for i in 0..3 {
            assert_eq!(scene.take(), Some((vec![lap, i], 0)));
        }
        assert_eq!(scene.take(), None);
    }
    stopped.kill();
    scene.region.recover(Depth::Marked);
    assert_eq!(scene.take(), Some((b"held".to_vec(), 1)));
}

#[test]
fn a_member_in_another_pid_namespace_is_told_dead_by_the_kernel_and_not_before() {
    let _watchdog = watchdog("namespaces", WATCHDOG_SECONDS);
    let scene = scene(8);
    scene.queue().push(b"m").unwrap();
    let mut child = fork_into_namespace(|| {
        // SAFETY: no arguments.
        assert_eq!(unsafe { libc::getpid() }, 1);
        std::mem::forget(scene.queue().peek().unwrap());
        scene.word.store(1, SeqCst);
        sleep_for_ever()
    });
    loop {
        if child.poll() == Some(End::Exit(77)) {
            return println!("SKIPPED: this user may not have a PID namespace");
        }
        if scene.word.load(SeqCst) == 1 {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    // Its thread id, 1, is a stranger's here, and nothing can be said of it: it lives.
    for depth in [Depth::Marked, Depth::Thorough] {
        assert_eq!(scene.region.recover(depth).members, 0);
    }
    assert_eq!(scene.queue().pop_timeout(&mut [0; 64], 250_000_000), Err(Error::TimedOut));
    let survivor = scene.waiter(b"m", 1);
    child.kill();
    survivor.succeeds();
}

#[test]
fn a_member_elsewhere_whose_thread_id_nobody_has_here_is_not_dead() {
    // "No such process" is what the kernel says of its id here. That is no proof of anything.
    let _watchdog = watchdog("namespaces", WATCHDOG_SECONDS);
    let scene = scene(8);
    scene.queue().push(b"m").unwrap();
    let mut child = fork_into_namespace(|| {
        // `/proc` is still that of the outer namespace: spends ids until one is free out there.
        while scene.word.load(SeqCst) == 0 {
            let mut next = fork(|| {
                let outside = std::path::PathBuf::from(format!("/proc/{}", std::process::id()));
                if outside.exists() {
                    return 1;
                }
                std::mem::forget(scene.queue().peek().unwrap());
                scene.word.store(1, SeqCst);
                sleep_for_ever()
            });
            wait_until("the next id is tried", || scene.word.load(SeqCst) == 1 || next.poll().is_some());
            if scene.word.load(SeqCst) == 1 {
                sleep_for_ever();
            }
        }
        1
    });
    loop {
        if child.poll() == Some(End::Exit(77)) {
            return println!("SKIPPED: this user may not have a PID namespace");
        }
        if scene.word.load(SeqCst) == 1 {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(scene.region.recover(Depth::Thorough).members, 0);
    assert_eq!(scene.queue().pop_timeout(&mut [0; 64], 350_000_000), Err(Error::TimedOut));
    child.kill();
    assert_eq!(scene.queue().pop(&mut [0; 64]).unwrap().attempt, 1);
}

#[test]
fn members_of_two_namespaces_with_the_same_thread_id_are_not_taken_for_each_other() {
    let _watchdog = watchdog("namespaces", WATCHDOG_SECONDS);
    let scene = scene(8);
    scene.queue().push(b"1").unwrap();
    scene.queue().push(b"2").unwrap();
    let holders: Vec<Child> = (0..2)
        .filter_map(|i| {
            let mut child = fork_into_namespace(|| {
                std::mem::forget(scene.queue().peek().unwrap());
                scene.word.fetch_add(1, SeqCst);
                sleep_for_ever()
            });
            loop {
                if child.poll() == Some(End::Exit(77)) {
                    return None;
                }
                if scene.word.load(SeqCst) == i + 1 {
                    return Some(child);
                }
                thread::sleep(Duration::from_millis(1));
            }
        })
        .collect();
    let Ok([first, second]) = <[Child; 2]>::try_from(holders) else {
        return println!("SKIPPED: this user may not have a PID namespace");
    };
    first.kill();
    let mut buffer = [0; 64];
    assert_eq!(scene.queue().pop(&mut buffer).unwrap().attempt, 1);
    assert_eq!(buffer[0], b'1');
    assert_eq!(scene.queue().pop_timeout(&mut buffer, 250_000_000), Err(Error::TimedOut));
    second.kill();
    assert_eq!(scene.queue().pop(&mut buffer).unwrap().attempt, 1);
    assert_eq!(buffer[0], b'2');
}

#[test]
fn creators_killed_at_random_leave_whole_queues_or_none() {
    let _watchdog = watchdog("killed creators", WATCHDOG_SECONDS);
    let config = RegionConfig { members: 8, objects: 64, tick_ms: 100 };
    for round in 0..30u64 {
        let region = Region::create_anonymous(1 << 18, &config).unwrap();
        // SAFETY: zero is a valid atomic.
        let begun: Shared<AtomicU32> = unsafe { Shared::zeroed() };
        let victims: Vec<Child> = (0..2)
            .map(|who| {
                fork(|| {
                    begun.fetch_add(1, SeqCst);
                    for i in 0..24 {
                        region.create_queue(&format!("{who}-{i}"), &QueueConfig::new(4, 8)).unwrap();
                    }
                    sleep_for_ever()
                })
            })
            .collect();
        wait_until("both have begun", || begun.load(SeqCst) == 2);
        thread::sleep(Duration::from_micros(round * 10));
        victims.into_iter().for_each(Child::kill);
        let mut whole = 0;
        for who in 0..2 {
            let mut over = false;
            for i in 0..24 {
                match region.open_queue(&format!("{who}-{i}")) {
                    Ok(queue) => {
                        assert!(!over, "made in order");
                        (0..4).for_each(|_| queue.try_push(b"m").unwrap());
                        whole += 1;
                    }
                    Err(error) => {
                        assert_eq!(error, Error::NotFound);
                        over = true;
                    }
                }
            }
        }
        // All the rest of the directory and of the room is still there for others.
        for i in whole..64 {
            let made =
                region.create_queue_timeout(&format!("rest-{i}"), &QueueConfig::new(4, 8), 30_000_000_000);
            made.unwrap_or_else(|error| panic!("round {round}: {error:?} at {i}, {whole} whole"));
        }
    }
}
