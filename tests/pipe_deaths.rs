//! Pipes whose holders are killed, for real, or end, or leave: what the others get, and that they get it.
//! Where regions tick, they tick every 20 ms; a call that never returns ends the test.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

mod processes;
mod sync_kit;

use processes::*;
use rialto::{Connection, Depth, Error, Member, Pipe, PipeConfig, Region, RegionConfig};
use std::sync::{
    atomic::{AtomicU32, Ordering::*},
    mpsc,
};
use sync_kit::*;

const RING: u32 = 1024;
const TICK_MS: u32 = 20;

fn pipe_in(region: &'static Region) -> Pipe<'static> {
    region.create_pipe("p", &PipeConfig::new(RING)).unwrap()
}

fn pipe() -> Pipe<'static> {
    pipe_in(region(TICK_MS))
}

/// A child that claims `end`, does `f` with it, and then sleeps until it is killed.
fn holder(pipe: &Pipe<'static>, end: usize, f: impl FnOnce(&mut Connection<'static>)) -> Child {
    let ready: &'static mut AtomicU32 = shared();
    let child = Child::fork(|| {
        let Ok(mut connection) = pipe.connect(end) else { child_failed(file!(), line!(), "connect") };
        ready.store(1, SeqCst);
        f(&mut connection);
        ready.store(2, SeqCst);
        // SAFETY: sleeps.
        unsafe { libc::pause() };
    });
    until("the child has done its part", || ready.load(SeqCst) == 2);
    child
}

/// The same, for an `f` that ends asleep.
fn sleeper(pipe: &Pipe<'static>, end: usize, f: impl FnOnce(&mut Connection<'static>)) -> Child {
    let child = Child::fork(|| {
        let Ok(mut connection) = pipe.connect(end) else { child_failed(file!(), line!(), "connect") };
        f(&mut connection);
        child_failed(file!(), line!(), "it did not sleep");
    });
    child.wait_asleep();
    child
}

fn fill(end: &mut Connection) -> usize {
    (0..).find(|_| end.try_send(&[7; 100]) == Err(Error::WouldBlock)).unwrap()
}

/// Of whoever is dead, or has ended, or left.
fn is_at_its_end(end: &mut Connection) {
    let mut buffer = [0; 100];
    for _ in 0..3 {
        assert_eq!(
            (end.recv(&mut buffer), end.try_recv(&mut buffer)),
            (Err(Error::Closed), Err(Error::Closed))
        );
        assert_eq!((end.poll(0), end.next_len()), (Ok(true), Err(Error::Closed)));
        assert_eq!((end.send(b"x"), end.try_send(b"x")), (Err(Error::BrokenPipe), Err(Error::BrokenPipe)));
        assert_eq!(end.send(&[0; 5000]), Err(Error::BrokenPipe));
        assert!(end.is_peer_closed() && end.arm_data() && end.arm_space(1));
    }
}

#[test]
fn who_sleeps_in_recv_is_told_when_the_sender_is_killed() {
    for poll in [false, true] {
        let pipe = pipe();
        let mut b = pipe.connect(1).unwrap();
        let child = holder(&pipe, 0, |_| ());
        let receiver = Waiter::asleep(move || {
            if poll {
                assert_eq!(b.poll(20 * SECOND), Ok(true));
            }
            (b.recv(&mut [0; 8]), b)
        });
        child.kill();
        let (got, mut b) = receiver.join();
        assert_eq!(got, Err(Error::Closed));
        is_at_its_end(&mut b);
    }
}

#[test]
fn who_sleeps_in_a_full_way_is_told_when_the_receiver_is_killed() {
    for message in [100, 5000] {
        let pipe = pipe();
        let mut a = pipe.connect(0).unwrap();
        let child = holder(&pipe, 1, |_| ());
        fill(&mut a);
        let sender = Waiter::asleep(move || (a.send(&vec![7; message]), a));
        child.kill();
        let (sent, mut a) = sender.join();
        assert_eq!(sent, Err(Error::BrokenPipe));
        is_at_its_end(&mut a);
    }
}

#[test]
fn what_a_killed_sender_has_sent_whole_is_read_and_what_it_was_sending_is_not() {
    let pipe = pipe();
    let mut b = pipe.connect(1).unwrap();
    let child = sleeper(&pipe, 0, |a| {
        ensure!(a.send(b"first") == Ok(()) && a.send(b"") == Ok(()));
        let _ = a.send(&[9; 5000]);
    });
    child.kill();
    let mut buffer = [0; 5000];
    assert_eq!((b.recv(&mut buffer), &buffer[..5]), (Ok(5), &b"first"[..]));
    assert_eq!(b.recv(&mut buffer), Ok(0));
    assert_eq!((b.recv(&mut buffer), b.received_bytes()), (Err(Error::Closed), 0));
    is_at_its_end(&mut b);
}

/// The receiver has some of it when the sender dies, and sleeps for the rest.
#[test]
fn who_sleeps_in_the_middle_of_a_message_is_told_when_the_sender_is_killed() {
    let pipe = pipe();
    let mut b = pipe.connect(1).unwrap();
    let child = sleeper(&pipe, 0, |a| _ = a.send(&[9; 5000]));
    child.signal(libc::SIGSTOP);
    let mut buffer = [0; 5000];
    assert_eq!(b.recv_timeout(&mut buffer, 30 * MS), Err(Error::TimedOut));
    let came = b.received_bytes();
    assert!(came > 0 && buffer[..came].iter().all(|byte| *byte == 9));
    let receiver = Waiter::asleep(move || (b.recv(&mut buffer), b.received_bytes(), b));
    child.kill();
    let (got, came, mut b) = receiver.join();
    assert_eq!((got, came), (Err(Error::Closed), 0));
    is_at_its_end(&mut b);
}

#[test]
fn an_end_that_is_claimed_and_lost_before_anything_is_sent_is_closed() {
    let pipe = pipe();
    let mut b = pipe.connect(1).unwrap();
    holder(&pipe, 0, |_| ()).kill();
    assert_eq!(b.recv(&mut [0; 8]), Err(Error::Closed));
    is_at_its_end(&mut b);
    assert_eq!(pipe.connect(0).err(), Some(Error::EndTaken), "sticky");
}

#[test]
fn both_ends_lost_are_found_by_recover_once() {
    let region = region(NO_TICK_MS);
    let pipe = pipe_in(region);
    let child = Child::fork(|| {
        let (a, b) = (pipe.connect(0), pipe.connect(1));
        ensure!(a.is_ok() && b.is_ok());
        core::mem::forget((a, b));
        // SAFETY: sleeps.
        unsafe { libc::raise(libc::SIGKILL) };
    });
    child.status();
    assert_eq!(region.recover(Depth::Thorough).ends, 2);
    assert_eq!(region.recover(Depth::Thorough).ends, 0);
    assert_eq!(
        (pipe.connect(0).err(), pipe.connect(1).err()),
        (Some(Error::EndTaken), Some(Error::EndTaken))
    );
}

#[test]
fn an_end_that_nobody_has_is_not_closed_by_the_death_of_who_only_looked() {
    let pipe = pipe();
    let mut b = pipe.connect(1).unwrap();
    let child = Child::fork(|| ensure!(pipe.connect(1).err() == Some(Error::EndTaken)));
    child.succeeded();
    assert_eq!(b.recv_timeout(&mut [0; 8], 60 * MS), Err(Error::TimedOut));
    assert!(!b.is_peer_closed() && !b.arm_data());
    fill(&mut b);
    assert_eq!(b.send_timeout(&[7; 100], 60 * MS), Err(Error::TimedOut));
    let mut a = pipe.connect(0).unwrap();
    assert_eq!(a.recv(&mut [0; 100]), Ok(100));
}

#[test]
fn of_processes_that_race_for_an_end_one_gets_it() {
    for _ in 0..20 {
        let region = region(TICK_MS);
        let pipe = pipe_in(region);
        let words: &'static mut [AtomicU32; 2] = shared();
        let words: &'static [AtomicU32; 2] = words;
        let children = [(); 4].map(|()| {
            Child::fork(|| {
                while words[0].load(SeqCst) == 0 {
                    std::hint::spin_loop();
                }
                match pipe.connect(0) {
                    Ok(mut end) => {
                        words[1].fetch_add(1, SeqCst);
                        ensure!(end.send(b"mine") == Ok(()));
                        ensure!(end.recv(&mut [0; 8]) == Err(Error::Closed));
                    }
                    Err(error) => ensure!(error == Error::EndTaken),
                }
            })
        });
        let mut b = pipe.connect(1).unwrap();
        words[0].store(1, SeqCst);
        assert_eq!(b.recv(&mut [0; 8]), Ok(4));
        drop(b);
        children.into_iter().for_each(Child::succeeded);
        assert_eq!(words[1].load(SeqCst), 1);
        region.leave().unwrap(); // a thread is a member of 16 at most
    }
}

// ---- members

/// The end is the thread's that claimed it. Here it is used by another one, when that has ended, and somebody
/// has noticed.
#[test]
fn a_connection_does_not_outlive_the_thread_that_claimed_it() {
    let region = region(NO_TICK_MS);
    let pipe = pipe_in(region);
    let mut b = pipe.connect(1).unwrap();
    let mut a = std::thread::spawn(move || {
        let mut a = pipe.connect(0).unwrap();
        a.send(b"before").unwrap();
        a
    })
    .join()
    .unwrap();
    assert_eq!(region.recover(Depth::Marked).ends, 1);
    let gone = Err(Error::NotOwner);
    assert_eq!((a.send(b"x"), a.try_send(b"x"), a.send(&[0; 5000])), (gone, gone, gone));
    let gone = Err(Error::NotOwner);
    assert_eq!((a.recv(&mut []), a.try_recv(&mut []), a.next_len()), (gone, gone, gone));
    assert_eq!(a.poll(0), Err(Error::NotOwner));
    assert_eq!(b.recv(&mut [0; 8]), Ok(6));
    is_at_its_end(&mut b);
    drop(a);
}

/// It sleeps in the call when the thread that claimed ends, and finds that out by itself.
#[test]
fn who_sleeps_for_a_thread_that_ends_is_told() {
    type Call = fn(&mut Connection<'static>) -> Error;
    let calls: [Call; 4] = [
        |a| a.recv(&mut [0; 8]).unwrap_err(),
        |a| a.poll(20 * SECOND).unwrap_err(),
        |a| loop {
            if let Err(error) = a.send(&[7; 100]) {
                break error;
            }
        },
        |a| a.send(&[7; 5000]).unwrap_err(),
    ];
    for call in calls {
        let pipe = pipe();
        let mut b = pipe.connect(1).unwrap();
        let (give, given) = mpsc::channel();
        let (end, may_end) = mpsc::channel::<()>();
        let claimer = std::thread::spawn(move || {
            give.send(pipe.connect(0).unwrap()).unwrap();
            may_end.recv().unwrap();
        });
        let mut a = given.recv().unwrap();
        let user = Waiter::asleep(move || call(&mut a));
        end.send(()).unwrap();
        claimer.join().unwrap();
        assert_eq!(user.join(), Error::NotOwner);
        while b.try_recv(&mut [0; 5000]).is_ok() {}
        is_at_its_end(&mut b);
    }
}

/// End of stream is sticky also for a sender that is cut off while it sends: what it sends then never arrives.
#[test]
fn nothing_comes_behind_the_end_of_the_stream() {
    for round in 0..300 {
        let region = region(NO_TICK_MS);
        let pipe = pipe_in(region);
        let mut b = pipe.connect(1).unwrap();
        let (give, given) = mpsc::channel();
        let claimer = std::thread::spawn(move || {
            give.send(pipe.connect(0).unwrap()).unwrap();
            (0..round * 10).for_each(|_| std::hint::spin_loop());
        });
        let mut a = given.recv().unwrap();
        let sender = Waiter::start(move || {
            (0..).find_map(|i: u32| {
                let error = a.try_send(&i.to_le_bytes()).err();
                error.filter(|error| *error != Error::WouldBlock)
            })
        });
        let mut buffer = [0; 4];
        let mut last = None;
        let end = loop {
            match b.try_recv(&mut buffer) {
                Ok(4) => {
                    let number = u32::from_le_bytes(buffer);
                    assert!(last.is_none_or(|last| last < number));
                    last = Some(number);
                }
                Err(Error::WouldBlock) => _ = region.recover(Depth::Marked),
                other => break other,
            }
        };
        assert_eq!(end, Err(Error::Closed));
        for _ in 0..100 {
            assert_eq!(b.try_recv(&mut buffer), Err(Error::Closed), "there is more behind the end");
        }
        let error = sender.join();
        assert_eq!(error, Some(Error::NotOwner));
        assert_eq!(b.try_recv(&mut buffer), Err(Error::Closed), "there is more behind the end");
        claimer.join().unwrap();
        drop(b);
        region.leave().unwrap();
    }
}

#[test]
fn an_end_of_an_explicit_member_is_used_by_any_thread_and_closed_when_it_leaves() {
    let region = region(NO_TICK_MS);
    let pipe = pipe_in(region);
    let mut b = pipe.connect(1).unwrap();
    let member = region.join().unwrap();
    std::thread::scope(|scope| {
        let claimer = scope.spawn(|| pipe.as_member(&member).connect(0).unwrap());
        let mut a = claimer.join().unwrap();
        a.send(b"from here").unwrap();
        scope.spawn(move || {
            a.send(b"from there").unwrap();
            core::mem::forget(a);
        });
    });
    let mut buffer = [0; 16];
    assert_eq!((b.recv(&mut buffer), b.recv(&mut buffer)), (Ok(9), Ok(10)));
    assert_eq!(b.try_recv(&mut buffer), Err(Error::WouldBlock));
    assert!(member.leave().is_ok());
    is_at_its_end(&mut b);
}

#[test]
fn a_member_that_is_gone_and_one_of_another_region_claim_nothing() {
    let here = region(TICK_MS);
    let pipe = pipe_in(here);
    // Its thread ends, and it with it: without leaving.
    let gone: &'static Member =
        std::thread::spawn(move || &*Box::leak(Box::new(here.join().unwrap()))).join().unwrap();
    here.recover(Depth::Thorough);
    assert_eq!(pipe.as_member(gone).connect(0).err(), Some(Error::NotOwner));
    let other = Region::create_anonymous(1 << 16, &RegionConfig::default()).unwrap();
    let stranger = other.join().unwrap();
    let there = other.create_pipe("p", &PipeConfig::new(RING)).unwrap();
    assert_eq!(there.as_member(gone).connect(0).err(), Some(Error::Invalid));
    assert!(there.as_member(&stranger).connect(0).is_ok());
    assert!(pipe.connect(0).is_ok(), "nothing was claimed");
}

/// The event loop's tick finds what no descriptor tells.
#[test]
fn a_tick_of_an_event_loop_finds_that_the_peer_was_killed() {
    let pipe = pipe();
    let mut b = pipe.connect(1).unwrap();
    fill(&mut b);
    let child = holder(&pipe, 0, |_| ());
    assert!(!b.arm_data() && !b.recheck_data() && !b.arm_space(100));
    child.kill();
    let end = now_ns() + 10 * SECOND;
    while !b.recheck_data() {
        assert!(now_ns() < end, "no tick finds it");
    }
    assert!(b.recheck_space(100));
    is_at_its_end(&mut b);
}
