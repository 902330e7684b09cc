//! Kills, or stops, creating, opening, removing and finding-or-making an object at their machine instructions,
//! and sees whether the others have the old directory or the new one, never another.
//!
//! # Points
//! Every instruction, where the process has a row among the users already. At its first use (which asks the
//! system who it is), and removing: those before which the region has changed, those around system
//! calls, and every 16th, or 8th, besides; `RIALTO_SWEEP_STRIDE=1` takes all.
//!
//! # What is asked
//! Killed: the object is there, whole, or it is not; if the operation had ended, as it said. Its room and
//! nothing else is used. Nobody uses it any more but those who live, so it can be removed, and then all room
//! is there again. Stopped: an opener finds the object that a stopped remover has not removed, and the
//! remover then says Busy; nothing that a stopped opener has got can be removed; and a recoverer that
//! was stopped and comes back late takes nothing in what has come where an object was.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

mod support;

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    sweep::main();
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the sweep reads x86-64 registers through Linux's ptrace");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod sweep {
    use crate::support::{
        process::{Exit, fork},
        queue::*,
        runner::{self, Scene, clean, planted, sweep, sweep_merged},
        shared::{Board, Shared},
        step::{Victim, trap},
    };
    use rialto::{Depth, Error, QueueConfig, Region, RegionConfig, region::Space};

    const LEN: usize = 1 << 14;
    const DONE: usize = 0;
    const RESULT: usize = 1;
    const WAIT_NS: u64 = 15_000_000_000;
    const GONE: u64 = 1;
    const BUSY: u64 = 2;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Rite {
        Create,
        Open,
        FirstOpen,
        OpenOrCreate,
        Remove,
        /// Of a dead member with a message of the object in hand.
        Recover,
    }
    use Rite::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fate {
        Kill,
        Stop,
    }

    struct World {
        rite: Rite,
        fate: Fate,
        board: Shared<Board>,
        region: Option<Region>,
        /// The room with and without the object.
        with: Option<Space>,
        without: Option<Space>,
        /// Planted: somebody has bitten a piece off.
        planted: bool,
    }

    fn config() -> RegionConfig {
        RegionConfig { members: 4, objects: 8, tick_ms: TICK_MS }
    }

    fn queue_config() -> QueueConfig {
        QueueConfig::new(4, 16)
    }

    /// A handle of its own, as another process has.
    fn again(region: &Region) -> Region {
        // SAFETY: dropped before the region, or in a child that ends without unmapping.
        unsafe { Region::attach(region.as_ptr(), region.len()) }.unwrap()
    }

    /// It takes as many messages as it should, and gives them.
    fn works(region: &Region) -> Result<(), String> {
        let queue = region.open_queue("x").map_err(|error| format!("open: {error:?}"))?;
        let pushed = (0..10).take_while(|_| queue.try_push(&[3; 16]).is_ok()).count();
        let popped = (0..10).take_while(|_| queue.try_pop(&mut [0; 16]).is_ok()).count();
        region.leave().map_err(|error| format!("leave: {error:?}"))?;
        if (pushed, popped) == (4, 4) { Ok(()) } else { Err(format!("takes {pushed} and gives {popped}")) }
    }

    impl World {
        fn new(rite: Rite, fate: Fate) -> World {
            World { rite, fate, board: Board::new(), region: None, with: None, without: None, planted: false }
        }

        fn region(&self) -> &Region {
            self.region.as_ref().expect("a world")
        }

        #[inline(never)]
        fn victim(&self) {
            let region = again(self.region());
            if self.rite != FirstOpen {
                region.open_queue("a").unwrap();
            }
            trap();
            let result = match self.rite {
                Create => region.create_queue("x", &queue_config()).map(drop),
                Open | FirstOpen => region.open_queue("x").map(drop),
                OpenOrCreate => region.open_or_create_queue("x", &queue_config()).map(drop),
                Remove => region.remove("x"),
                Recover => {
                    region.recover(Depth::Marked);
                    Ok(())
                }
            };
            self.board.set(RESULT, if result == Ok(()) { GONE } else { BUSY });
            self.board.set(DONE, 1);
            // It goes on living as long as it is let: its row stays.
            std::mem::forget(region);
        }

        /// Whether the object is there, and that it is whole; that it has its room, and nobody else any.
        fn look(&self) -> Result<bool, String> {
            let other = again(self.region());
            // Whoever takes the lock repairs what the dead left.
            other.create_event_timeout("lock", WAIT_NS).map_err(|e| format!("create: {e:?}"))?;
            other.remove_timeout("lock", WAIT_NS).map_err(|e| format!("remove again: {e:?}"))?;
            let there = other.objects().unwrap().any(|object| object.name.as_str() == "x");
            if there {
                works(&other)?;
            } else if other.open_queue("x").err() != Some(Error::NotFound) {
                return Err("opened, but not in the list".into());
            }
            let expected = if there { self.with } else { self.without };
            if Some(other.space()) != expected {
                return Err(format!("{:?}, not {expected:?}", other.space()));
            }
            Ok(there)
        }

        /// Nobody uses it: it goes, and its room comes.
        fn removes(&self) -> Result<(), String> {
            let other = again(self.region());
            match other.remove_timeout("x", WAIT_NS) {
                Ok(()) | Err(Error::NotFound) => {}
                Err(error) => return Err(format!("cannot be removed: {error:?}")),
            }
            if Some(other.space()) != self.without {
                return Err(format!("its room is not free: {:?}", other.space()));
            }
            other.create_queue_timeout("x", &queue_config(), WAIT_NS).map_err(|e| format!("anew: {e:?}"))?;
            works(&other)
        }

        /// A stopped remover or opener, and what the others may do meanwhile.
        fn judge_stopped(&self, mut victim: Victim) -> Result<(), String> {
            let region = self.region();
            let other = again(region);
            let before = self.board.get(DONE) != 0;
            match self.rite {
                Remove => {
                    let listed = other.objects().unwrap().any(|object| object.name.as_str() == "x");
                    let opened = other.open_queue("x").is_ok();
                    if listed != opened {
                        return Err(format!("listed: {listed}, opened: {opened}"));
                    }
                    if !victim.finish(WATCHDOG) {
                        return Err("resumed, the remover does not finish".into());
                    }
                    let result = self.board.get(RESULT);
                    let expected = if opened && !before { BUSY } else { GONE };
                    if result != expected {
                        return Err(format!("opened: {opened}; the remover says {result}"));
                    }
                    if opened {
                        works(&other)?;
                    }
                }
                Recover => match other.remove_timeout("x", WAIT_NS) {
                    Ok(()) => {
                        // Another one in its place, with a message in the hand of one who has the dead one's id.
                        let queue = other.create_queue("x", &queue_config()).map_err(|e| format!("{e:?}"))?;
                        // The maker had id 1, the dead one 2.
                        let _first = other.join().map_err(|error| format!("join: {error:?}"))?;
                        queue.try_push(&[1; 16]).map_err(|error| format!("push: {error:?}"))?;
                        let hand = queue.try_peek().map_err(|error| format!("peek: {error:?}"))?;
                        if !victim.finish(WATCHDOG) {
                            return Err("resumed, the recoverer does not finish".into());
                        }
                        if queue.try_peek().is_ok() {
                            return Err("the message was taken from its live holder".into());
                        }
                        hand.release();
                    }
                    Err(Error::Busy) if !before => {
                        if !victim.finish(WATCHDOG) {
                            return Err("resumed, the recoverer does not finish".into());
                        }
                        other.recover(Depth::Marked);
                        let queue = other.open_queue("x").map_err(|error| format!("open: {error:?}"))?;
                        if queue.try_pop(&mut [0; 16]).map(|popped| popped.attempt) != Ok(1) {
                            return Err("the dead one's message does not come".into());
                        }
                    }
                    Err(error) => return Err(format!("remove: {error:?}")),
                },
                _ => {
                    let removed = other.remove_timeout("x", 0);
                    if !victim.finish(WATCHDOG) {
                        return Err("resumed, the opener does not finish".into());
                    }
                    let result = self.board.get(RESULT);
                    match (removed, result) {
                        (Ok(()), BUSY) | (Err(Error::Busy), GONE) => {}
                        other => return Err(format!("(removed, opened: 1) is {other:?}")),
                    }
                }
            }
            drop(other);
            self.look()?;
            self.removes()
        }
    }

    impl Scene for World {
        fn set(&mut self) -> Victim {
            self.board.clear();
            self.region = None;
            let region = Region::create_anonymous(LEN, &config()).expect("region");
            // A place in the middle: with something before and behind.
            region.create_event("a").unwrap();
            region.remove("a").unwrap();
            region.create_queue("a", &queue_config()).unwrap();
            self.without = Some(region.space());
            let maker = again(&region);
            maker.create_queue("x", &queue_config()).unwrap();
            self.with = Some(region.space());
            if matches!(self.rite, Create | OpenOrCreate) {
                maker.remove("x").unwrap();
            }
            if self.rite == Recover {
                let queue = maker.open_queue("x").unwrap();
                queue.try_push(&[1; 16]).unwrap();
                let mut dead = fork(|| std::mem::forget(queue.try_peek().unwrap()));
                assert!(dead.wait(WATCHDOG) == Some(Exit::Code(0)));
                maker.leave().unwrap();
            }
            drop(maker);
            self.region = Some(region);
            let this = &*self;
            Victim::start(|| this.victim())
        }

        fn over(&self) -> bool {
            self.board.get(DONE) != 0
        }

        fn fingerprint(&self, victim: &Victim) -> u64 {
            fingerprint(self.region().as_ptr(), LEN) ^ victim.robust_list()
        }

        fn judge(&mut self, mut victim: Victim) -> Result<(), String> {
            if self.fate == Fate::Stop {
                return self.judge_stopped(victim);
            }
            victim.kill();
            if self.planted {
                self.without = self.without.map(|space| Space { free: space.free - 128, ..space });
            }
            let there = self.look()?;
            if self.board.get(DONE) != 0 && there == (self.rite == Remove) {
                return Err(format!("it had ended; the object is there: {there}"));
            }
            if matches!(self.rite, Open | FirstOpen) && !there {
                return Err("opened to death".into());
            }
            self.removes()
        }
    }

    pub fn main() {
        let mut cases = vec![];
        for (rite, at_least) in [(Create, 400), (Open, 100), (OpenOrCreate, 400)] {
            let name = format!("Kill {rite:?}");
            cases.push(clean(name, at_least, move |tally| sweep(&mut World::new(rite, Fate::Kill), tally)));
        }
        cases.push(clean("Kill FirstOpen, every 16th besides", 50, |tally| {
            sweep_merged(&mut World::new(FirstOpen, Fate::Kill), tally, 16)
        }));
        cases.push(clean("Stop Open", 100, |tally| sweep(&mut World::new(Open, Fate::Stop), tally)));
        // It walks through the members and, twice, the users.
        cases.push(clean("Stop Recover, every 8th besides", 100, |tally| {
            sweep_merged(&mut World::new(Recover, Fate::Stop), tally, 8)
        }));
        for fate in [Fate::Kill, Fate::Stop] {
            let name = format!("{fate:?} Remove, every 8th besides");
            cases.push(clean(name, 300, move |tally| sweep_merged(&mut World::new(Remove, fate), tally, 8)));
        }
        cases.push(planted("Kill Remove: some room is lost", |tally| {
            sweep(&mut World { planted: true, ..World::new(Remove, Fate::Kill) }, tally)
        }));
        runner::main("sweep_directory", cases);
    }
}
