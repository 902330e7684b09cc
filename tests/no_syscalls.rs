//! While nobody sleeps and nobody contends, nothing makes a system call (P4). A traced child does each
//! operation a hundred times between two traps, and every call that it makes there is counted; the last
//! case, a release with a sleeper, shows that the counting counts.
#![cfg(all(feature = "std", feature = "os", target_os = "linux", target_arch = "x86_64", not(rialto_loom)))]

mod support;

use rialto::{
    Barrier, Condition, Event, FOREVER, Lock, Popped, Queue, QueueConfig, QueueKind, RLock, Region,
    RegionConfig, Semaphore, TrackedSemaphore,
};
use std::time::Duration;
use support::{
    process::fork,
    shared::{Board, Shared},
    step::{Victim, trap},
};

const TIMES: usize = 100;

fn ptrace(request: impl Into<i64>, pid: i32, addr: u64) -> i64 {
    // SAFETY: requests on our own traced child; none used here writes to our memory.
    unsafe { libc::ptrace(request.into() as _, pid, addr, 0) }
}

/// The numbers of the calls that `f` makes. `f` runs in a child, once to get warm and then `TIMES` times.
fn calls(f: impl Fn()) -> Vec<u64> {
    const ORIG_RAX: u64 = 15 * 8;
    const RIP: u64 = 16 * 8;
    let victim = Victim::start(|| {
        f();
        trap();
        (0..TIMES).for_each(|_| f());
        trap();
    });
    let pid = victim.pid();
    let mut seen = vec![];
    loop {
        ptrace(libc::PTRACE_SYSCALL, pid, 0);
        let mut status = 0;
        // SAFETY: our child, our word.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert!(libc::WIFSTOPPED(status), "the child ended before its second trap");
        let behind = ptrace(libc::PTRACE_PEEKUSER, pid, RIP) as u64 - 1;
        if ptrace(libc::PTRACE_PEEKTEXT, pid, behind) & 0xff == 0xcc {
            return seen;
        }
        seen.push(ptrace(libc::PTRACE_PEEKUSER, pid, ORIG_RAX) as u64); // entry and exit: twice
    }
}

struct World {
    lock: Lock,
    rlock: RLock,
    event: Event,
    semaphore: Semaphore,
    condition: Condition,
}

/// Queues of every kind, and everything that is done to them; `fd`: a descriptor that nobody has armed for.
fn queues<'r>(region: &'r Region, fd: i32) -> Vec<Queue<'r>> {
    let kinds = [QueueKind::Ring, QueueKind::Indexed];
    let kinds = kinds.into_iter().flat_map(|kind| [(kind, false), (kind, true)]);
    let kinds = kinds.flat_map(|(kind, joinable)| [(kind, joinable, false), (kind, joinable, true)]);
    let make = |(i, (kind, joinable, kill_only))| {
        let config = QueueConfig { kind, joinable, kill_only, ..QueueConfig::new(4, 64) };
        let queue = region.create_queue(&format!("q{i}"), &config).unwrap();
        if i % 3 == 0 { queue } else { queue.with_data_fd(fd).with_space_fd(fd) }
    };
    kinds.enumerate().map(make).collect()
}

fn all_of_a_queue(queue: Queue) {
    let (mut buffer, mut popped) = ([0; 256], [Popped::default(); 4]);
    let finish =
        |popped: &Popped| assert_eq!(queue.task_done(popped.ticket).is_ok(), queue.config().joinable);
    let mut loan = queue.reserve(4).unwrap();
    loan.write(b"loan").unwrap();
    assert!(loan.commit().is_ok());
    drop(queue.reserve(4).unwrap());
    finish(&queue.pop(&mut buffer).unwrap());
    assert_eq!(queue.push_many(&[b"1", b"2", b"3"]), Ok(3));
    assert_eq!(queue.pop_many(&mut buffer, &mut popped[..2]), Ok(2));
    popped[..2].iter().for_each(finish);
    drop(queue.peek().unwrap());
    queue.peek().unwrap().release();
    assert_eq!(queue.join_timeout(0).is_ok(), queue.config().joinable);
    assert_eq!((queue.len(), queue.unfinished(), queue.poisoned(), queue.dropped()), (0, 0, 0, 0));
    assert!(!queue.is_full());
}

fn uncontended(world: &World, tracked: TrackedSemaphore, barrier: Barrier, queue: Queue) {
    world.lock.acquire_raw(FOREVER).unwrap();
    world.condition.notify(1);
    world.condition.notify_all(&world.lock);
    world.condition.wait_for(&world.lock, || true).unwrap();
    world.lock.release().unwrap();
    world.rlock.acquire_raw(FOREVER).unwrap();
    world.rlock.acquire_raw(0).unwrap();
    world.rlock.release().unwrap();
    world.rlock.release().unwrap();
    world.event.set();
    world.event.wait().unwrap();
    world.event.clear();
    world.semaphore.release().unwrap();
    world.semaphore.acquire().unwrap();
    tracked.acquire().unwrap().release().unwrap();
    barrier.wait().unwrap();
    barrier.abort();
    barrier.reset();
    queue.push(b"message").unwrap();
    queue.pop(&mut [0; 64]).unwrap();
    queue.push(b"message").unwrap();
    queue.peek().unwrap().release();
}

#[test]
fn nobody_sleeps_so_nobody_calls() {
    let region = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let tracked = region.create_semaphore("s", 2).unwrap();
    let barrier = region.create_barrier("b", 1).unwrap();
    let queue = region.create_queue("q", &QueueConfig::new(4, 64)).unwrap();
    let world = World {
        // SAFETY: released as often as acquired, by a child that ends before this frame.
        lock: unsafe { Lock::new() },
        // SAFETY: as above.
        rlock: unsafe { RLock::new() },
        event: Event::new(),
        semaphore: Semaphore::new(0),
        condition: Condition::new(),
    };
    let seen = calls(|| uncontended(&world, tracked, barrier, queue));
    assert_eq!(seen, [], "system calls (by number) in {TIMES} rounds");
}

#[test]
fn no_way_to_use_a_queue_calls_while_nobody_sleeps_and_nobody_has_armed() {
    let region = Region::create_anonymous(1 << 17, &RegionConfig::default()).unwrap();
    // SAFETY: no memory involved.
    let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK) };
    let queues = queues(&region, fd);
    let seen = calls(|| queues.iter().for_each(|queue| all_of_a_queue(*queue)));
    assert_eq!(seen, [], "system calls (by number) in {TIMES} rounds");
    // Armed for, and with nothing to tell it by: none either. With it: the write, once.
    let armed = |queue: &Queue| {
        let _ = (queue.arm_data(), queue.arm_space());
        all_of_a_queue(*queue);
    };
    assert_eq!(calls(|| armed(&queues[0])), [], "handles without a descriptor");
    let seen = calls(|| armed(&queues[1]));
    assert_eq!(seen.len(), 2 * 2 * TIMES, "entry and exit, data and space, each round: {seen:?}");
    assert!(seen.iter().all(|number| *number == libc::SYS_write as u64));
    // SAFETY: ours.
    unsafe { libc::close(fd) };
}

#[test]
fn a_sleeper_is_worth_a_call() {
    // SAFETY: zeros are an event that nobody can use yet.
    let at: Shared<[u64; 8]> = unsafe { Shared::zeroed() };
    // SAFETY: a page of our own, which outlives the children.
    let event = unsafe {
        Event::init(at.as_ptr().cast());
        Event::attach(at.as_ptr().cast()).unwrap()
    };
    let board = Board::new();
    let mut sleeper = fork(|| {
        event.wait().unwrap();
        board.set(0, 1);
    });
    assert!(sleeper.wait_asleep(Duration::from_secs(20)));
    // Not warmed up: the first `set` wakes it.
    let armed = std::cell::Cell::new(false);
    let seen = calls(|| {
        if armed.replace(true) {
            event.set();
        }
    });
    assert!(seen.contains(&(libc::SYS_futex as u64)), "{seen:?}");
    assert!(sleeper.wait(Duration::from_secs(20)).is_some() && board.get(0) == 1);
}
