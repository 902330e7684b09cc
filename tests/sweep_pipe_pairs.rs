//! Both ends of one pipe die at once: who sends is killed at instruction k of its operation (or stands there, and is
//! killed last), who receives at instruction j of its own, in what the first left behind.
//!
//! # Points
//! Every n-th k and every n-th j, in a pattern that shifts with k; n differs, or is `RIALTO_SWEEP_STRIDE`: 1 takes
//! all. One that falls asleep in its operation: up to there.
//!
//! # What is asked
//! Whoever recovers finds all the ends that the two had, once, and no end of the pipe is claimed again. A third
//! party that receives from the first on another pipe, or sends to the second on one more, gets what was sent
//! whole and the end of the stream, or a broken pipe: asleep in it since before, at its tick, or late. No member
//! is left, and as many as ever can join.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

mod support;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the sweep reads x86-64 registers through Linux's ptrace");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    support::runner::main("sweep_pipe_pairs", scenes::cases());
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod scenes {
    use crate::support::{
        process::{Child, Exit, fork, relax},
        runner::{Case, Scene, Tally, clean, planted, point, reach, record, stride},
        shared::{Board, Shared},
        step::{Route, Victim, trap},
    };
    use rialto::{Connection, Depth, Error, Pipe, PipeConfig, Region, RegionConfig};
    use std::time::Duration;

    const WATCHDOG: Duration = Duration::from_secs(15);
    const RING: u32 = 1024;
    const MEMBERS: u16 = 8;
    const SHORT: [u8; 100] = [3; 100];
    /// In three chunks.
    const LONG: [u8; 600] = [4; 600];

    // Words of the board: each victim's end.
    const DONE: [usize; 2] = [0, 1];

    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Op {
        Send,
        SendLong,
        /// Of two messages, the second of which may not be there.
        Recv,
        Close,
        Connect,
        /// Somebody else's work, in the midst of its own.
        Recover,
    }
    use Op::*;

    /// Who has the other ends of what the two have besides.
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Third {
        /// Nobody yet.
        Late,
        /// Sleeps until the first sends.
        Receives,
        /// Sleeps until the second makes room.
        Sends,
    }

    struct World {
        /// Between the two.
        pipe: Pipe<'static>,
        /// From the first to the third.
        from_first: Pipe<'static>,
        /// From the third to the second.
        to_second: Pipe<'static>,
        region: Box<Region>,
    }

    /// What a victim does, who it is, and which end it has.
    #[derive(Clone, Copy)]
    struct Role {
        op: Op,
        who: usize,
        end: usize,
    }

    fn prepare(role: Role, world: &World) -> [Option<Connection<'static>>; 2] {
        let mut other = if role.who == 0 {
            world.from_first.connect(1).unwrap()
        } else {
            world.to_second.connect(0).unwrap()
        };
        if role.who == 0 {
            other.send(&SHORT).unwrap();
        }
        let end = (role.op != Connect).then(|| world.pipe.connect(role.end).unwrap());
        [end, Some(other)]
    }

    #[inline(never)]
    fn act(role: Role, world: &World, end: Option<Connection<'static>>) {
        let mut buffer = [0; 1024];
        match (role.op, end) {
            (Send | SendLong, Some(mut end)) => {
                let message = if role.op == Send { &SHORT[..] } else { &LONG };
                let sent = end.send(message);
                assert!(matches!(sent, Ok(()) | Err(Error::BrokenPipe)));
                core::mem::forget(end);
            }
            (Recv, Some(mut end)) => {
                for _ in 0..2 {
                    match end.recv(&mut buffer) {
                        Ok(len) => assert!([&SHORT[..], &LONG].contains(&&buffer[..len])),
                        Err(error) => assert!(error == Error::Closed),
                    }
                }
                core::mem::forget(end);
            }
            (Close, Some(end)) => drop(end),
            (Connect, _) => core::mem::forget(world.pipe.connect(role.end).unwrap()),
            (Recover, end) => {
                world.region.recover(Depth::Marked);
                core::mem::forget(end);
            }
            _ => unreachable!(),
        }
    }

    fn start(role: Role, world: &World, board: &Board) -> Victim {
        Victim::start(|| {
            let [end, other] = prepare(role, world);
            trap();
            act(role, world, end);
            board.set(DONE[role.who], 1);
            core::mem::forget(other);
        })
    }

    fn receive_all(end: &mut Connection) {
        let mut buffer = [0; 1024];
        assert!(end.recv(&mut buffer) == Ok(SHORT.len()) && buffer[..SHORT.len()] == SHORT);
        assert!((0..2).all(|_| end.recv(&mut buffer) == Err(Error::Closed)));
    }

    fn third(kind: Third, world: &World) {
        let (mut receives, mut sends) =
            (world.from_first.connect(0).unwrap(), world.to_second.connect(1).unwrap());
        if kind == Third::Receives {
            receive_all(&mut receives);
        }
        while sends.send(&SHORT) != Err(Error::BrokenPipe) {}
        // The two may have died one after the other.
        let mut looks = 0;
        while !(sends.is_peer_closed() && receives.is_peer_closed()) {
            world.region.recover(Depth::Marked);
            looks += 1;
            relax(looks);
        }
    }

    /// The first victim, to learn its way, and to take it to k; the second stands at its trap meanwhile.
    struct First {
        roles: [Role; 2],
        duplex: bool,
        kind: Third,
        tick_ms: u32,
        board: Shared<Board>,
        // In the order in which they are dropped.
        second: Option<Victim>,
        third: Option<Child>,
        world: Option<Box<World>>,
    }

    impl First {
        fn new(ops: [Op; 2], duplex: bool) -> Self {
            // Of a simplex pipe, end 1 sends.
            let ends = if duplex { [0, 1] } else { [1, 0] };
            let roles = [0, 1].map(|who| Role { op: ops[who], who, end: ends[who] });
            let (board, kind) = (Board::new(), Third::Late);
            First { roles, duplex, kind, tick_ms: 10, board, second: None, third: None, world: None }
        }

        fn world(&self) -> &World {
            self.world.as_ref().expect("a world")
        }
    }

    impl Scene for First {
        fn set(&mut self) -> Victim {
            self.board.clear();
            (self.second, self.third, self.world) = (None, None, None);
            let config = RegionConfig { members: MEMBERS, objects: 3, tick_ms: self.tick_ms };
            let region = Box::new(Region::create_anonymous(1 << 14, &config).expect("region"));
            // SAFETY: the box is not moved out of, and what borrows is dropped first.
            let forever: &'static Region = unsafe { &*core::ptr::from_ref::<Region>(&*region) };
            let make = |name, duplex| {
                forever.create_pipe(name, &PipeConfig { duplex, ..PipeConfig::new(RING) }).unwrap()
            };
            let (pipe, from_first, to_second) = (make("p", self.duplex), make("q", false), make("r", false));
            forever.leave().unwrap();
            let world = Box::new(World { pipe, from_first, to_second, region });
            let first = start(self.roles[0], &world, &self.board);
            self.second = Some(start(self.roles[1], &world, &self.board));
            if self.kind != Third::Late {
                let kind = self.kind;
                let mut child = fork(|| third(kind, &world));
                // Nor in its first sleep, which is a short one.
                for _ in 0..2 {
                    assert!(child.wait_asleep(WATCHDOG), "it does not sleep: {:?}", child.exited());
                    std::thread::sleep(Duration::from_millis(2));
                }
                self.third = Some(child);
            }
            self.world = Some(world);
            first
        }

        fn over(&self) -> bool {
            self.board.get(DONE[0]) != 0
        }

        fn judge(&mut self, _: Victim) -> Result<(), String> {
            unreachable!("the first victim is judged with the second")
        }
    }

    struct Second<'a> {
        first: First,
        route: &'a Route,
        k: u64,
        /// The first stands, and is killed when the second is where it is to be.
        stands: bool,
        standing: Option<Victim>,
        asleep: bool,
        patience: Duration,
    }

    impl Scene for Second<'_> {
        fn set(&mut self) -> Victim {
            (self.standing, self.asleep) = (None, false);
            let (first, _) = reach(&mut self.first, self.route, None, self.k);
            let mut first = first.expect("the first victim comes where it came before");
            if self.stands {
                self.standing = Some(first);
            } else {
                first.kill();
            }
            self.first.second.take().expect("at its trap")
        }

        fn over(&self) -> bool {
            self.asleep || self.first.board.get(DONE[1]) != 0
        }

        fn due(&mut self, victim: &Victim) -> bool {
            self.asleep |= victim.before_futex_wait();
            false
        }

        fn judge(&mut self, mut second: Victim) -> Result<(), String> {
            second.kill();
            self.standing = None;
            self.ask().map_err(|what| format!("{what}; the first at {}, stood: {}", self.k, self.stands))
        }
    }

    impl Second<'_> {
        fn ask(&mut self) -> Result<(), String> {
            let kind = self.first.kind;
            if let Some(third) = &mut self.first.third {
                match third.wait(self.patience) {
                    Some(Exit::Code(0)) => {}
                    Some(exit) => return Err(format!("the third ended with {exit:?}")),
                    None => return Err("the third sleeps on".into()),
                }
            }
            let world = self.first.world();
            let found = world.region.recover(Depth::Thorough);
            if kind == Third::Late {
                self.late(world, found.ends)?;
            }
            // Claimed or not: in the second case we claim and close it now.
            for role in self.first.roles {
                match world.pipe.connect(role.end).err() {
                    Some(Error::EndTaken) => {}
                    None if role.op == Connect && self.first.board.get(DONE[role.who]) == 0 => {}
                    other => return Err(format!("end {} is claimed again: {other:?}", role.end)),
                }
            }
            world.region.leave().map_err(|error| error.to_string())?;
            let found = world.region.recover(Depth::Thorough);
            let left = world.region.member_count();
            if found.ends + found.members + left > 0 {
                return Err(format!("found again: {found:?}; {left} members are left"));
            }
            let members: Vec<_> = (0..MEMBERS).map(|_| world.region.join()).collect();
            if members.iter().all(Result::is_ok) { Ok(()) } else { Err("no room for as many members".into()) }
        }

        fn late(&self, world: &World, ends: u32) -> Result<(), String> {
            // Two each; one less where it was closed, or not claimed. Who waits, or recovers, behind the first one's
            // death may have found its ends before.
            let [first, second] = self.first.roles;
            let has = |role: Role| 2 - u32::from(matches!(role.op, Close | Connect));
            let finds = matches!(second.op, Recv | Recover) && !self.stands;
            let least = has(second) + if finds { 0 } else { has(first) };
            if !(least..=4).contains(&ends) {
                return Err(format!("{ends} ends were found"));
            }
            let (receives, sends) = (world.from_first.connect(0), world.to_second.connect(1));
            let (mut receives, mut sends) = (receives.unwrap(), sends.unwrap());
            let got = receives.try_recv(&mut [0; 1024]);
            let (sent, closed) = (sends.try_send(&SHORT), receives.is_peer_closed());
            if got == Ok(SHORT.len()) && sent == Err(Error::BrokenPipe) && closed {
                Ok(())
            } else {
                Err(format!("late: received {got:?}, sent {sent:?}, closed: {closed}"))
            }
        }
    }

    fn pair(ops: [Op; 2], duplex: bool, gap: u64, tally: &Tally) {
        let n = stride(gap);
        let (route, ..) = record(&mut First::new(ops, duplex), false);
        let patience = WATCHDOG;
        for (row, k) in (0..route.len()).step_by(n as usize).enumerate() {
            let (first, stands) = (First::new(ops, duplex), row % 2 == 1);
            let mut scene =
                Second { first, route: &route, k, stands, standing: None, asleep: false, patience };
            let (second, ..) = record(&mut scene, false);
            for (column, j) in (row as u64 % n..second.len()).step_by(n as usize).enumerate() {
                // To find the end of a stream takes a slow fence, some tens of milliseconds.
                scene.first.kind = match (row + column) % 16 {
                    0 => Third::Receives,
                    4 | 9 | 13 => Third::Sends,
                    _ => Third::Late,
                };
                point(&mut scene, tally, &second, None, j);
            }
        }
    }

    /// Nobody tells a third party that sleeps, and it does not look.
    fn without_a_tick(tally: &Tally) {
        let ops = [Send, Recv];
        let (route, ..) = record(&mut First::new(ops, true), false);
        for kind in [Third::Receives, Third::Sends, Third::Sends] {
            let mut first = First::new(ops, true);
            (first.tick_ms, first.kind) = (60_000, kind);
            let (standing, patience) = (None, Duration::from_millis(500));
            let mut scene =
                Second { first, route: &route, k: 1, stands: true, standing, asleep: false, patience };
            let victim = scene.set();
            tally.point(format_args!("{kind:?}"), scene.judge(victim));
        }
    }

    pub fn cases() -> Vec<Case> {
        let mut cases = vec![];
        for (ops, duplex, gap) in [
            ([Send, Recv], true, 53),
            ([Send, Recv], false, 53),
            ([SendLong, Recv], true, 101),
            ([Close, Recv], false, 31),
            ([Connect, Recv], true, 59),
            ([Send, Send], true, 23),
            ([SendLong, Close], true, 23),
            ([Close, Close], true, 7),
            ([Connect, Connect], true, 19),
            ([Send, Recover], false, 47),
        ] {
            let name = format!("{:?} x {:?}, {}", ops[0], ops[1], if duplex { "duplex" } else { "simplex" });
            cases.push(clean(name, 100, move |tally| pair(ops, duplex, gap, tally)));
        }
        cases.push(planted("a third party without a tick", without_a_tick));
        cases
    }
}
