//! Every call of the synchronization family that waits with a timeout: never early, whatever signals come and
//! whatever the wall clock does, and no timeout is too long.
//!
//! How it is shown that the wall clock does not matter, without changing the machine's: `calls` stands
//! between us and the kernel. Sleeps are FUTEX_WAIT_BITSET with absolute deadlines on the monotonic clock,
//! no other clock is ever asked, and those lie in every recorded stretch.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

mod calls;
mod processes;
mod sync_kit;

use calls::record;
use processes::*;
use rialto::{Barrier, Condition, Error, Event, Lock, RLock, Result, Semaphore, TrackedSemaphore};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use sync_kit::*;

/// Objects that everybody waits for in vain: the main thread holds the locks and the permit, nobody sets,
/// notifies or comes.
struct Scene {
    lock: Lock,
    rlock: RLock,
    semaphore: Semaphore,
    event: Event,
    condition: Condition,
    its_lock: Lock,
    its_rlock: RLock,
    come_true: AtomicU32,
    permits: Option<TrackedSemaphore<'static>>,
    permit: std::sync::atomic::AtomicU64,
    barrier: Option<Barrier<'static>>,
}

/// One call that waits, and what ends its wait.
struct Case {
    name: &'static str,
    call: fn(&'static Scene, u64) -> Result<()>,
    satisfy: fn(&'static Scene),
    /// What a poll says.
    polled: Error,
}

fn waits_with<L: rialto::Lockable>(scene: &Scene, lock: &L, timeout: u64, for_it: bool) -> Result<()> {
    use rialto::sys::Os;
    lock.acquire_on(Os {}, rialto::FOREVER)?;
    let result = if for_it {
        scene.condition.wait_for_timeout(lock, timeout, || scene.come_true.load(SeqCst) != 0)
    } else {
        scene.condition.wait_timeout(lock, timeout)
    };
    lock.release_on(Os {})?;
    result.map(drop)
}

fn notify<L: rialto::Lockable>(scene: &Scene, lock: &L) {
    use rialto::sys::Os;
    lock.acquire_on(Os {}, rialto::FOREVER).unwrap();
    scene.come_true.store(1, SeqCst);
    scene.condition.notify(1);
    lock.release_on(Os {}).unwrap();
}

const CASES: &[Case] = &[
    Case {
        name: "Lock::acquire_timeout",
        call: |s, t| s.lock.acquire_timeout(t).map(drop),
        satisfy: |s| s.lock.release().unwrap(),
        polled: Error::WouldBlock,
    },
    Case {
        name: "RLock::acquire_timeout",
        call: |s, t| s.rlock.acquire_timeout(t).map(drop),
        satisfy: |s| s.rlock.release().unwrap(),
        polled: Error::WouldBlock,
    },
    Case {
        name: "Semaphore::acquire_timeout",
        call: |s, t| s.semaphore.acquire_timeout(t),
        satisfy: |s| s.semaphore.release().unwrap(),
        polled: Error::WouldBlock,
    },
    Case {
        name: "TrackedSemaphore::acquire_timeout",
        call: |s, t| s.permits.unwrap().acquire_timeout(t).map(drop),
        satisfy: |s| s.permits.unwrap().release_token(s.permit.load(SeqCst)).unwrap(),
        polled: Error::WouldBlock,
    },
    Case {
        name: "Event::wait_timeout",
        call: |s, t| s.event.wait_timeout(t),
        satisfy: |s| s.event.set(),
        polled: Error::WouldBlock,
    },
    Case {
        name: "Condition::wait_timeout on a Lock",
        call: |s, t| waits_with(s, &s.its_lock, t, false),
        satisfy: |s| notify(s, &s.its_lock),
        polled: Error::WouldBlock,
    },
    Case {
        name: "Condition::wait_timeout on an RLock",
        call: |s, t| waits_with(s, &s.its_rlock, t, false),
        satisfy: |s| notify(s, &s.its_rlock),
        polled: Error::WouldBlock,
    },
    Case {
        name: "Condition::wait_for_timeout on a Lock",
        call: |s, t| waits_with(s, &s.its_lock, t, true),
        satisfy: |s| notify(s, &s.its_lock),
        polled: Error::WouldBlock,
    },
    Case {
        name: "Condition::wait_for_timeout on an RLock",
        call: |s, t| waits_with(s, &s.its_rlock, t, true),
        satisfy: |s| notify(s, &s.its_rlock),
        polled: Error::WouldBlock,
    },
    Case {
        name: "Barrier::wait_timeout",
        call: |s, t| s.barrier.unwrap().wait_timeout(t).map(drop),
        satisfy: |s| assert!(s.barrier.unwrap().wait().is_ok()),
        polled: Error::TimedOut,
    },
    Case {
        name: "Barrier::wait_with",
        call: |s, t| s.barrier.unwrap().wait_with(t, || true).map(drop),
        satisfy: |s| assert!(s.barrier.unwrap().wait().is_ok()),
        polled: Error::TimedOut,
    },
];

/// Held by the calling thread. The ticks are the usual 100 ms.
fn scene() -> &'static Scene {
    let scene: &'static mut Scene = shared();
    // SAFETY: fresh memory, never unmapped.
    unsafe {
        Lock::init(&mut scene.lock);
        RLock::init(&mut scene.rlock);
        Semaphore::init(&mut scene.semaphore, 0).unwrap();
        Event::init(&mut scene.event);
        Condition::init(&mut scene.condition);
        Lock::init(&mut scene.its_lock);
        RLock::init(&mut scene.its_rlock);
    }
    let region = region(100);
    scene.permits = Some(region.create_semaphore("permits", 1).unwrap());
    scene.barrier = Some(region.create_barrier("barrier", 2).unwrap());
    scene.lock.acquire_raw(0).unwrap();
    scene.rlock.acquire_raw(0).unwrap();
    scene.permit.store(scene.permits.unwrap().acquire().unwrap().into_token(), SeqCst);
    scene
}

/// Does the call in another thread, between two looks at the clock; it must time out, and not early.
fn must_time_out(scene: &'static Scene, case: &'static Case, timeout: u64, storm: bool) {
    let (result, took) = Waiter::start(move || {
        let _storm = storm.then(Storm::on_this_thread);
        let begin = now_ns();
        let result = (case.call)(scene, timeout);
        (result, now_ns() - begin)
    })
    .join();
    assert_eq!(result, Err(Error::TimedOut), "{} {timeout}", case.name);
    assert!(took >= timeout, "{}: {took} ns instead of {timeout}", case.name);
    scene.barrier.unwrap().reset();
}

#[test]
fn no_call_times_out_early() {
    let scene = scene();
    for case in CASES {
        // 130 ms: longer than a tick.
        for timeout in [1, 1000, 70_000, MS, 13 * MS, 130 * MS] {
            must_time_out(scene, case, timeout, false);
        }
    }
}

#[test]
fn a_timeout_of_zero_polls_and_never_sleeps() {
    let scene = scene();
    for case in CASES {
        let ask = move || record(|| (case.call)(scene, 0));
        let (result, calls) = Waiter::start(ask).join();
        assert_eq!(result, Err(case.polled), "{}", case.name);
        assert!(!calls.futex.iter().any(calls::Futex::is_wait), "{}: {:?}", case.name, calls.futex);
        scene.barrier.unwrap().reset();
    }
}

#[test]
fn sleeps_are_on_the_monotonic_clock_and_no_other_clock_is_asked() {
    let scene = scene();
    for case in CASES {
        let timeout = 120 * MS;
        let (result, calls, begin, end) = Waiter::start(move || {
            let begin = now_ns();
            let (result, calls) = record(|| (case.call)(scene, timeout));
            (result, calls, begin, now_ns())
        })
        .join();
        scene.barrier.unwrap().reset();
        assert_eq!(result, Err(Error::TimedOut), "{}", case.name);
        assert!(end - begin >= timeout, "{}", case.name);
        let sleeps: Vec<_> = calls.futex.iter().filter(|call| call.is_wait()).collect();
        assert!(!sleeps.is_empty(), "{}: did not sleep through `syscall`", case.name);
        for sleep in sleeps {
            // Nothing else: not relative, not private to the process, not CLOCK_REALTIME.
            assert_eq!(sleep.op, libc::FUTEX_WAIT_BITSET, "{}: {sleep:?}", case.name);
            let until = sleep.until.expect("a deadline, as there is a tick");
            assert!(until >= begin && until <= end + timeout, "{}: {sleep:?}", case.name);
        }
        assert!(!calls.clocks.is_empty(), "{}: did not look at the clock", case.name);
        for clock in calls.clocks {
            assert_eq!(clock, libc::CLOCK_MONOTONIC, "{}", case.name);
        }
        let sleeping = [libc::SYS_nanosleep, libc::SYS_clock_nanosleep, libc::SYS_ppoll];
        assert!(!calls.others.iter().any(|call| sleeping.contains(call)), "{}", case.name);
    }
}

#[test]
fn the_recorder_sees_other_clocks_and_makes_them_lie() {
    let ((first, second), calls) = record(|| (std::time::SystemTime::now(), std::time::SystemTime::now()));
    assert_eq!(calls.clocks, [libc::CLOCK_REALTIME; 2]);
    let apart = second.duration_since(first).unwrap_or_else(|e| e.duration());
    assert!(apart.as_secs() > 3600);
}

#[test]
fn no_timeout_is_too_long() {
    let ages = 1 << 62;
    for case in CASES {
        let scene = scene();
        for timeout in [u64::MAX, u64::MAX - 1, u64::MAX - now_ns(), u64::MAX / 2 + 1, i64::MAX as u64, ages]
        {
            let waiter = Waiter::asleep(move || (case.call)(scene, timeout));
            sleep_ms(1);
            assert!(!waiter.is_done(), "{}: {timeout} is over already", case.name);
            (case.satisfy)(scene);
            assert_eq!(waiter.join(), Ok(()), "{}: {timeout}", case.name);
            mend(scene);
        }
    }
}

/// After a `satisfy`.
fn mend(scene: &Scene) {
    let permits = scene.permits.unwrap();
    for (mine, again) in [
        (scene.lock.is_mine(), &(|| scene.lock.acquire_raw(0).map(drop)) as &dyn Fn() -> Result<()>),
        (scene.rlock.is_mine(), &|| scene.rlock.acquire_raw(0).map(drop)),
        (permits.value() == 0, &|| {
            scene.permit.store(permits.try_acquire()?.into_token(), SeqCst);
            Ok(())
        }),
    ] {
        assert!(mine || again() == Ok(()));
    }
    scene.event.clear();
    scene.come_true.store(0, SeqCst);
}

/// A signal every 100 us to the thread that made it, with a handler without SA_RESTART.
struct Storm(libc::timer_t);

static SIGNALS: AtomicU32 = AtomicU32::new(0);

impl Storm {
    fn on_this_thread() -> Storm {
        extern "C" fn count(_: i32) {
            SIGNALS.fetch_add(1, SeqCst);
        }
        // SAFETY: all-zero is valid for both; a handler that only counts; our own thread and timer.
        unsafe {
            let mut action: libc::sigaction = core::mem::zeroed();
            action.sa_sigaction = count as extern "C" fn(i32) as usize;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, core::ptr::null_mut()), 0);
            let mut to: libc::sigevent = core::mem::zeroed();
            to.sigev_notify = libc::SIGEV_THREAD_ID;
            to.sigev_signo = libc::SIGUSR1;
            to.sigev_notify_thread_id = libc::gettid();
            let mut timer = core::ptr::null_mut();
            assert_eq!(libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut to, &raw mut timer), 0);
            let every = libc::timespec { tv_sec: 0, tv_nsec: 100_000 };
            let times = libc::itimerspec { it_interval: every, it_value: every };
            assert_eq!(libc::timer_settime(timer, 0, &raw const times, core::ptr::null_mut()), 0);
            Storm(timer)
        }
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        // SAFETY: our own timer.
        unsafe { libc::timer_delete(self.0) };
    }
}

#[test]
fn a_signal_every_100_us_makes_no_timeout_shorter_or_endless() {
    let scene = scene();
    let before = SIGNALS.load(SeqCst);
    for case in CASES {
        for timeout in [MS, 40 * MS, 120 * MS] {
            must_time_out(scene, case, timeout, true);
        }
    }
    let signals = SIGNALS.load(SeqCst) - before;
    println!("{signals} signals");
    // Of some 17,000; a machine that is busy elsewhere merges them.
    assert!(signals > 500, "only {signals} signals");
}

#[test]
fn a_signal_every_100_us_does_not_end_a_wait_without_a_timeout() {
    for case in CASES {
        let scene = scene();
        let waiter = Waiter::start(move || {
            let _storm = Storm::on_this_thread();
            (case.call)(scene, rialto::FOREVER)
        });
        sleep_ms(30);
        assert!(!waiter.is_done(), "{}", case.name);
        (case.satisfy)(scene);
        assert_eq!(waiter.join(), Ok(()), "{}", case.name);
    }
}

/// A deadline is looked at even if there is always something new.
#[test]
fn notifies_that_never_stop_do_not_lengthen_a_wait_for() {
    static BUSY: Condition = Condition::new();
    let scene = scene();
    for (timeout, late) in [(0, Error::WouldBlock), (5 * MS, Error::TimedOut)] {
        let waiter = Waiter::start(move || {
            scene.its_lock.acquire_raw(rialto::FOREVER).unwrap();
            MEANWHILE.set(Some(|| BUSY.notify(1))); // each time it gives the lock up
            let begin = now_ns();
            let mut asked = 0;
            let result = BUSY.wait_for_on(NoTick, &scene.its_lock, timeout, || {
                asked += 1;
                false
            });
            MEANWHILE.set(None);
            assert!(scene.its_lock.is_mine() && asked > 1);
            scene.its_lock.release().unwrap();
            (result, now_ns() - begin)
        });
        let (result, took) = waiter.join();
        assert_eq!(result, Err(late));
        assert!(took >= timeout);
    }
}

/// A permit or a flag that is gone again whenever it is looked for.
#[test]
fn others_being_served_all_the_time_does_not_lengthen_a_timeout() {
    static STOP: AtomicU32 = AtomicU32::new(0);
    let scene = scene();
    let thief = Waiter::start(move || {
        while STOP.load(SeqCst) == 0 {
            scene.semaphore.release().unwrap();
            let _ = scene.semaphore.try_acquire();
        }
    });
    for _ in 0..20 {
        let begin = now_ns();
        match scene.semaphore.acquire_timeout(MS) {
            Ok(()) => scene.semaphore.release().unwrap(),
            Err(error) => assert!(error == Error::TimedOut && now_ns() - begin >= MS),
        }
    }
    STOP.store(1, SeqCst);
    thief.join();
}
