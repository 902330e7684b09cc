//! Kills, and stops, one operation on a pipe at every machine instruction, and asks the other end how it fares.
//!
//! # Points
//! From the victim's trap to the word it writes behind the operation: send (short; round the end of the ring;
//! in chunks; to one who sleeps), recv (one record, chunks, with a sender asleep), close of either end, connect,
//! and somebody's recovery of a dead holder (two victims). Long ones: the points where shared memory changed,
//! those around system calls, and every n-th besides (`RIALTO_SWEEP_STRIDE=1`: all). recv and poll that
//! fall asleep: the same, and asleep.
//!
//! # What is asked
//! Killed: the peer, asleep since before or come later, gets all that was sent whole, in order, at most one
//! message that the victim was just sending, then end of stream, which stays; or `BrokenPipe`. Stopped: the
//! peer's bounded calls come back; when the victim goes on, everything arrives.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

mod support;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the sweep reads x86-64 registers through Linux's ptrace");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    support::runner::main("sweep_pipe", scenes::cases());
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod scenes {
    use crate::support::{
        process::{Child, Exit, fork, relax},
        queue::fingerprint,
        runner::{Case, Scene, Tally, clean, planted, sweep, sweep_merged},
        shared::{Board, Shared},
        step::{Victim, trap},
    };
    use rialto::{Connection, Depth, Error, Pipe, PipeConfig, Region, RegionConfig};
    use std::time::{Duration, Instant};

    const WATCHDOG: Duration = Duration::from_secs(15);
    const RING: u32 = 1024;
    /// In three chunks.
    const LONG: usize = 600;

    // Words of the board.
    const DONE: usize = 0;
    /// The peer has made its bounded calls.
    const TRIED: usize = 1;
    /// 1 + how many messages the peer received.
    const GOT: usize = 2;

    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Op {
        Send(usize),
        /// Round the end of the ring.
        SendRound,
        /// Of one this long, from a peer that waits for room.
        Recv(usize),
        RecvAsleep,
        PollAsleep,
        CloseSender,
        CloseReceiver,
        Connect,
        /// Of a holder that was killed.
        Recover,
    }

    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Fate {
        Killed,
        Stopped,
    }

    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Peer {
        /// It sleeps before the operation begins.
        Asleep,
        Late,
    }

    impl Op {
        /// The victim sends on end 0, or receives there.
        fn peer_sends(self) -> bool {
            use Op::*;
            matches!(self, Recv(_) | CloseReceiver)
        }

        fn falls_asleep(self) -> bool {
            matches!(self, Op::RecvAsleep | Op::PollAsleep)
        }

        /// How many messages were sent before, and how many the victim sends.
        fn messages(self) -> (u64, u64) {
            match self {
                Op::Send(_) => (1, 1),
                // So much that the next one goes to the ring's beginning, when the peer has received it.
                Op::SendRound => (8, 1),
                Op::CloseSender => (2, 0),
                Op::Connect => (0, 0),
                _ => (1, 0),
            }
        }
    }

    fn message(number: u64, len: usize) -> Vec<u8> {
        (0..len as u64).map(|i| (number * 31 + i * 7) as u8).collect()
    }

    const LENS: [usize; 5] = [0, 8, 100, 300, LONG];

    /// Whatever length it has, the number is known by the order.
    fn is_message(number: u64, bytes: &[u8]) -> bool {
        LENS.contains(&bytes.len()) && bytes == message(number, bytes.len())
    }

    struct PipeScene {
        op: Op,
        fate: Fate,
        peer: Peer,
        tick_ms: u32,
        patience: Duration,
        board: Shared<Board>,
        world: Option<(Pipe<'static>, Box<Region>)>,
        other: Option<Child>,
        ended: bool,
    }

    impl PipeScene {
        fn new(op: Op, fate: Fate, peer: Peer) -> Self {
            // One that sleeps ticks into the walk that looks for changes: seldom.
            let (tick_ms, patience) = (if peer == Peer::Asleep { 20 } else { 5 }, WATCHDOG);
            let (board, world, other) = (Board::new(), None, None);
            PipeScene { op, fate, peer, tick_ms, patience, board, world, other, ended: false }
        }

        fn region(&self) -> &Region {
            &self.world.as_ref().expect("a world").1
        }

        fn tear_down(&mut self) {
            self.other = None;
            self.world = None;
        }

        /// The child that has end 1.
        fn start_peer(&mut self) {
            let (op, fate, pipe) = (self.op, self.fate, self.world.as_ref().expect("a world").0);
            let board = &*self.board;
            self.other = Some(fork(|| {
                let mut end = pipe.connect(1).unwrap();
                if op.peer_sends() {
                    peer_sends(&mut end, op, fate, board)
                } else {
                    peer_receives(&mut end, fate, board)
                }
            }));
        }
    }

    fn peer_receives(end: &mut Connection, fate: Fate, board: &Board) {
        let (mut buffer, mut got) = ([0; 2048], 0);
        if fate == Fate::Stopped {
            for _ in 0..3 {
                let _ = end.poll(1_000_000).unwrap();
                match end.recv_timeout(&mut buffer, 1_000_000) {
                    Ok(len) => {
                        assert!(is_message(got, &buffer[..len]));
                        got += 1;
                    }
                    Err(error) => assert!(matches!(error, Error::TimedOut | Error::Closed)),
                }
            }
            board.set(TRIED, 1);
        }
        loop {
            match end.recv(&mut buffer) {
                Ok(len) => {
                    assert!(is_message(got, &buffer[..len]));
                    got += 1;
                }
                Err(error) => break assert!(error == Error::Closed),
            }
        }
        assert!(end.recv(&mut buffer) == Err(Error::Closed) && end.received_bytes() == 0);
        assert!(end.poll(0) == Ok(true) && end.send(b"x") == Err(Error::BrokenPipe));
        board.set(GOT, 1 + got);
    }

    /// Until nobody receives any more.
    fn peer_sends(end: &mut Connection, op: Op, fate: Fate, board: &Board) {
        let message = [7; LONG];
        let message = &message[..if let Op::Recv(len) = op { len } else { 300 }];
        if fate == Fate::Stopped {
            for _ in 0..3 {
                let sent = end.send_timeout(message, 1_000_000);
                assert!(matches!(sent, Ok(()) | Err(Error::TimedOut | Error::BrokenPipe)));
                let sent = end.try_send(message);
                assert!(matches!(sent, Ok(()) | Err(Error::WouldBlock | Error::BrokenPipe)));
            }
            board.set(TRIED, 1);
        }
        while end.send(message) != Err(Error::BrokenPipe) {}
        assert!(end.try_send(b"") == Err(Error::BrokenPipe) && end.recv(&mut []) == Err(Error::Closed));
        board.set(GOT, 1);
    }

    /// What the victim does before its trap.
    fn prepare(op: Op, pipe: &Pipe<'static>, region: &Region) -> Option<Connection<'static>> {
        use Op::*;
        if matches!(op, Recover | Connect) {
            // A member already.
            drop(region.open_pipe("other").unwrap().connect(0));
            return None;
        }
        let mut end = pipe.connect(0).unwrap();
        if matches!(op, Send(_) | SendRound | CloseSender) {
            (0..op.messages().0).for_each(|number| end.send(&message(number, 100)).unwrap());
        }
        Some(end)
    }

    #[inline(never)]
    fn act(op: Op, pipe: &Pipe<'static>, end: Option<Connection<'static>>, region: &Region, message: &[u8]) {
        use Op::*;
        let mut buffer = [0; 2048];
        match (op, end) {
            (Send(_) | SendRound, Some(mut end)) => {
                end.send(message).unwrap();
                core::mem::forget(end);
            }
            (Recv(len), Some(mut end)) => {
                assert!(end.recv(&mut buffer) == Ok(len));
                core::mem::forget(end);
            }
            (RecvAsleep, Some(mut end)) => {
                let _ = end.recv(&mut buffer);
                core::mem::forget(end);
            }
            (PollAsleep, Some(mut end)) => {
                let _ = end.poll(5_000_000_000);
                core::mem::forget(end);
            }
            (CloseSender | CloseReceiver, Some(end)) => drop(end),
            (Connect, _) => core::mem::forget(pipe.connect(0).unwrap()),
            (Recover, _) => drop(region.recover(Depth::Marked)),
            _ => unreachable!(),
        }
    }

    impl Drop for PipeScene {
        fn drop(&mut self) {
            self.tear_down();
        }
    }

    impl Scene for PipeScene {
        fn set(&mut self) -> Victim {
            self.tear_down();
            self.board.clear();
            self.ended = false;
            let config = RegionConfig { members: 8, objects: 2, tick_ms: self.tick_ms };
            let region = Box::new(Region::create_anonymous(1 << 13, &config).expect("region"));
            // SAFETY: the box is not moved out of, and what borrows is dropped first.
            let forever: &'static Region = unsafe { &*core::ptr::from_ref::<Region>(&*region) };
            let pipe = forever.create_pipe("p", &PipeConfig::new(RING)).unwrap();
            forever.create_pipe("other", &PipeConfig { duplex: false, ..PipeConfig::new(128) }).unwrap();
            self.world = Some((pipe, region));
            let op = self.op;
            if op == Op::Recover {
                let mut holder = fork(|| {
                    let mut end = pipe.connect(0).unwrap();
                    end.send(&message(0, 100)).unwrap();
                    core::mem::forget(end);
                    // SAFETY: ends this process as a kill does.
                    unsafe { libc::raise(libc::SIGKILL) };
                });
                assert_eq!(holder.wait(WATCHDOG), Some(Exit::Signal(libc::SIGKILL)));
            }
            let (board, region) = (&*self.board, self.region());
            let peer_first = self.peer == Peer::Asleep && op.peer_sends();
            let victim = if peer_first { None } else { Some(start_victim(op, pipe, region, board)) };
            if self.peer == Peer::Asleep {
                self.start_peer();
                let other = self.other.as_mut().expect("a peer");
                assert!(other.wait_asleep(WATCHDOG), "the peer does not sleep: {:?}", other.exited());
            }
            let (board, region) = (&*self.board, self.region());
            victim.unwrap_or_else(|| start_victim(op, pipe, region, board))
        }

        fn over(&self) -> bool {
            self.ended || self.board.get(DONE) != 0
        }

        fn valid(&self) -> bool {
            self.ended == self.op.falls_asleep()
        }

        fn due(&mut self, victim: &Victim) -> bool {
            self.ended |= victim.before_futex_wait();
            false
        }

        fn fingerprint(&self, victim: &Victim) -> u64 {
            fingerprint(self.region().as_ptr(), self.region().len()) ^ victim.robust_list()
        }

        fn judge(&mut self, mut victim: Victim) -> Result<(), String> {
            if self.fate == Fate::Stopped {
                if self.other.is_none() {
                    self.start_peer();
                }
                let start = Instant::now();
                let mut looks = 0;
                while self.board.get(TRIED) == 0 {
                    if start.elapsed() > self.patience {
                        return Err("the peer's bounded calls do not come back".into());
                    }
                    looks += 1;
                    relax(looks);
                }
                if !victim.finish(WATCHDOG) {
                    return Err("going on, the victim does not come to its end".into());
                }
            }
            let done = self.board.get(DONE) != 0;
            victim.kill();
            drop(victim);
            let closed = self.world.as_ref().expect("a world").0.connect(0).err();
            match (self.op, closed) {
                // Claimed or not: in the second case we have claimed and closed it now.
                (Op::Connect, None | Some(Error::EndTaken)) if !done => {}
                (_, Some(Error::EndTaken)) => {}
                (_, other) => return Err(format!("the end is claimed again: {other:?}")),
            }
            if self.other.is_none() {
                self.start_peer();
            }
            let other = self.other.as_mut().expect("a peer");
            match other.wait(self.patience) {
                Some(Exit::Code(0)) => {}
                Some(exit) => return Err(format!("the peer ended with {exit:?}")),
                None => return Err("the peer does not end".into()),
            }
            let got = self.board.get(GOT);
            let (before, more) = self.op.messages();
            let least = before + if done { more } else { 0 };
            let most = before + more;
            if !self.op.peer_sends() && !self.op.falls_asleep() && !(1 + least..=1 + most).contains(&got) {
                return Err(format!("the peer received {} of {before} and {more}", got.wrapping_sub(1)));
            }
            let ends = self.region().recover(Depth::Thorough).ends;
            if ends > 1 {
                return Err(format!("{ends} ends are still to be closed"));
            }
            Ok(())
        }
    }

    fn start_victim(op: Op, pipe: Pipe<'static>, region: &Region, board: &Board) -> Victim {
        Victim::start(|| {
            let end = prepare(op, &pipe, region);
            let message = match op {
                Op::Send(len) => message(1, len),
                _ => message(8, 300),
            };
            trap();
            act(op, &pipe, end, region, &message);
            board.set(DONE, 1);
        })
    }

    fn give(scene: &mut PipeScene, tally: &Tally, gap: u64) {
        if gap == 1 {
            sweep(scene, tally)
        } else {
            sweep_merged(scene, tally, gap)
        }
        if scene.op.falls_asleep() {
            for _ in 0..3 {
                let mut victim = scene.set();
                assert!(victim.run_to_sleep(), "the victim does not sleep");
                tally.point("asleep", scene.judge(victim));
            }
        }
    }

    pub fn cases() -> Vec<Case> {
        use Op::*;
        let mut cases = vec![];
        let mut add = |op: Op, fate: Fate, peer: Peer, gap: u64, at_least: u64| {
            let name = format!("{op:?}, {fate:?}, peer {peer:?}");
            cases.push(clean(name, at_least, move |tally| {
                give(&mut PipeScene::new(op, fate, peer), tally, gap)
            }));
        };
        for (fate, gap) in [(Fate::Killed, 1), (Fate::Stopped, 4)] {
            for op in [Send(0), Send(8), Send(LONG), CloseSender, CloseReceiver, Connect] {
                add(op, fate, Peer::Late, gap * if op == Send(LONG) { 8 } else { 1 }, 10);
            }
        }
        for op in [Send(8), Send(LONG), SendRound, CloseSender, CloseReceiver, Recv(300), Recv(LONG)] {
            add(op, Fate::Killed, Peer::Asleep, 6, 10);
        }
        add(Recover, Fate::Killed, Peer::Late, 4, 10);
        for op in [RecvAsleep, PollAsleep] {
            add(op, Fate::Killed, Peer::Late, 24, 10);
        }
        cases.push(planted("a receiver without a tick", |tally| {
            let mut scene = PipeScene::new(Send(8), Fate::Killed, Peer::Asleep);
            (scene.tick_ms, scene.patience) = (60_000, Duration::from_millis(500));
            give(&mut scene, tally, 16);
        }));
        cases
    }
}
