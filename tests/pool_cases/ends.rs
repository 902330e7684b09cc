//! The parent is killed: no worker is left. And what a forked child that has a copy of the pool can do to it.

use super::{Case, Place, WAYS, Way, apply, case, outcomes::done};
use crate::{pool, procs::wait_until};
use rialto::{
    Error, FOREVER,
    pool::Progress,
    process::{Process, ProcessConfig, Program},
};
use std::{
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    time::Instant,
};

pub fn cases(way: Way) -> Vec<Case> {
    let cell = |what: &str, run: fn(Way)| case(format!("{what} ({})", way.name()), move || run(way));
    vec![
        cell("parent killed: daemons are gone, busy, stopped, and idle", |way| parent_killed(way, true)),
        cell("parent killed: others are gone too, when idle", |way| parent_killed(way, false)),
        cell("a forked copy does no harm", forked_copy),
        cell("parent killed: its workers are not the next pool's", late),
    ]
}

/// One that begins after its parent's death, when there is another pool of that name.
fn late(way: Way) {
    let place = Place::new(Way::Fork);
    let mut parent = place.start("late parent", b"").unwrap();
    wait_until("its worker is there", || place.counter(1) != 0);
    let late = pidfd(place.counter(1) as i32);
    parent.kill().unwrap();
    assert_eq!(parent.join(), Ok(-9));
    for name in ["pool.tasks", "pool.table", "pool.done"] {
        place.region.remove(name).unwrap();
    }
    let fd = place.region.fd().unwrap();
    let place = Place::over(place.region, fd, way);
    let mut pool = pool!(place, 1);
    let id = pool.submit("hangs", &9u32.to_le_bytes()).unwrap();
    wait_until("it is begun", || place.counter(9) == 1);
    let before = pool.progress().workers[0].pid;
    place.region.open_raw_array::<u64>("counters").unwrap().set(0, 1).unwrap();
    let mut asked = libc::pollfd { fd: late.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry.
    assert_eq!(unsafe { libc::poll(&raw mut asked, 1, 30_000) }, 1, "it works on");
    assert_eq!(pool.progress().workers[0].pid, before);
    // Its worker is known still to have it, so it is killed.
    assert_eq!(pool.cancel(id), Ok(true));
    assert_eq!(pool.pids()[0], 0);
}

fn pidfd(pid: i32) -> OwnedFd {
    // SAFETY: no memory involved; what comes is ours.
    unsafe { OwnedFd::from_raw_fd(libc::syscall(libc::SYS_pidfd_open, pid, 0) as i32) }
}

fn parent_killed(way: Way, daemons: bool) {
    let place = Place::new(Way::Fork);
    let number = WAYS.iter().position(|it| *it == way).unwrap() as u8;
    let args = [number, daemons.into()];
    let fds = [place.region.fd().unwrap()];
    let config = ProcessConfig { args: &args, fds: &fds, ..ProcessConfig::default() };
    let method = rialto::process::Method::spawn(Program::this());
    let mut parent = Process::start(method, "parent", &config).unwrap();
    let mut workers = vec![];
    wait_until("three workers, two of them busy if they are to be", || {
        let Ok(progress) = Progress::read(&place.region, "pool") else { return false };
        workers = progress.workers[..3].iter().map(|worker| worker.pid as i32).collect();
        workers.iter().all(|pid| *pid != 0)
            && (!daemons || place.counter(0) == 1 && progress.running == 2)
            && (daemons || progress.ended == 0)
    });
    let fds: Vec<_> = workers.iter().map(|pid| pidfd(*pid)).collect();
    let mut asked: Vec<_> =
        fds.iter().map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }).collect();
    // SAFETY: three entries.
    assert_eq!(unsafe { libc::poll(asked.as_mut_ptr(), 3, 300) }, 0, "too early");
    parent.kill().unwrap();
    let begin = Instant::now();
    assert_eq!(parent.join(), Ok(-9));
    for one in &mut asked {
        // SAFETY: one entry.
        assert_eq!(unsafe { libc::poll(one, 1, 30_000) }, 1, "a worker is left");
    }
    println!("gone after {} ms", begin.elapsed().as_millis());
}

fn forked_copy(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2);
    let id = pool.submit("hangs", b"").unwrap();
    // SAFETY: a single thread.
    let mut child = unsafe {
        Process::fork(&ProcessConfig::default(), |_| {
            pool.close();
            pool.terminate();
            let refused = pool.tend() == Err(Error::NotOwner) && pool.cancel(id) == Err(Error::NotOwner);
            // SAFETY: a copy that this process does not use otherwise.
            drop(std::ptr::read(&pool));
            i32::from(!refused)
        })
    }
    .unwrap();
    assert_eq!(child.join(), Ok(0));
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
    assert_eq!(pool.progress().running, 1);
    assert_eq!(pool.cancel(id), Ok(true));
    pool.close();
    pool.join(FOREVER).unwrap();
    assert_eq!(place.starts.get(), 2);
}
