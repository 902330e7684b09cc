//! Kills, or stops, joining, leaving, attaching, creating and recovering at their machine
//! instructions, and sees whether the region is whole for the others.
//!
//! # Points
//! Joining (by a thread that Rialto knows), leaving, attaching, and creating regions and queues: every
//! instruction. A thread's first use and a recovery contain libc and system calls, or walk everything,
//! thousands of instructions that nobody else can see: there the points are those before which the
//! region or the list that the kernel reads at a death has changed, those before and behind every system
//! call, and every n-th besides (n stands with the case; `RIALTO_SWEEP_STRIDE=1` takes all).
//!
//! # What is asked
//! The dead are found and buried; the member table has all its places again; messages in a dead
//! hand come out once more, marked, the others once, unmarked; the queues have all their room;
//! the region has no less space. A recoverer that was stopped and comes back late takes nothing from
//! the next holder of the id.
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
        process::{Child, Exit, fork},
        queue::*,
        runner::{self, Scene, clean, planted, sweep, sweep_merged},
        shared::{Board, Shared},
        step::{Victim, trap},
    };
    use rialto::{Depth, Error, QueueConfig, Region, RegionConfig};
    use std::time::Duration;

    const NOW: Duration = Duration::ZERO;
    const DONE: usize = 0;
    const PUSHED: usize = 1;
    /// A new holder: ready, go, done; its two hands' attempts.
    const HOLDER: usize = 10;
    const PRE: u64 = 5;
    const MEMBERS: u16 = 4;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Rite {
        Join,
        FirstUse,
        Leave,
        AttachPointer,
        AttachFd,
        AttachName,
        Create,
        Recover,
        Init,
    }
    use Rite::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fate {
        Kill,
        /// Stopped while the others go on; resumed at the end.
        Stop,
        /// As that; the id that it was burying is somebody else's when it goes on.
        Reissued,
        /// Planted: the others do not look for the dead.
        KillForgotten,
    }

    struct World {
        rite: Rite,
        fate: Fate,
        board: Shared<Board>,
        subject: Option<Rialto>,
        memfd: Option<Region>,
        raw: Option<Shared<[u64; 4096]>>,
        name: String,
        /// How many queues fit into a region besides the two.
        fits: usize,
        /// The instruction at which a pusher has claimed its slot and not filled it.
        writing: u64,
    }

    fn config() -> RegionConfig {
        RegionConfig { members: MEMBERS, objects: 8, tick_ms: TICK_MS }
    }

    fn queue_config() -> QueueConfig {
        QueueConfig::new(CAPACITY as u32, 16)
    }

    /// Creates queues until there is no room; how many.
    fn fill_region(region: &Region) -> Result<usize, String> {
        for i in 0..100 {
            match region.create_queue_timeout(&format!("more {i}"), &queue_config(), 15_000_000_000) {
                Ok(_) => {}
                Err(Error::NoSpace) => return Ok(i),
                Err(error) => return Err(format!("creating a queue: {error:?}")),
            }
        }
        Err("the region never gets full".into())
    }

    fn push_and_die(subject: &Rialto) -> Victim {
        Victim::start(|| {
            subject.warm();
            trap();
            subject.push(999, NOW);
        })
    }

    impl World {
        fn new(rite: Rite, fate: Fate) -> World {
            let name = format!("rialto-sweep-{}-{rite:?}", std::process::id());
            let (board, raw, memfd) = (Board::new(), None, None);
            let mut world = World { rite, fate, board, subject: None, memfd, raw, name, fits: 0, writing: 0 };
            if rite == Create {
                world.fits = fill_region(Rialto::with(Kind::default(), MEMBERS).region()).expect("room");
            }
            if rite == Recover {
                world.writing = (0..).find(|&k| writes(k)).expect("an instruction where the slot is claimed");
            }
            world
        }

        fn subject(&self) -> &Rialto {
            self.subject.as_ref().expect("a world")
        }

        /// One who dies with 100 and 101 in hand, and one who dies with a slot claimed.
        fn make_dead(&self) {
            let subject = self.subject();
            let mut taker = fork(|| (0..2).for_each(|_| assert!(subject.take(Take::Keep, NOW, |_, _| ()))));
            let mut pusher = push_and_die(subject);
            assert!(pusher.walk(self.writing));
            assert!(taker.wait(WATCHDOG) == Some(Exit::Code(0)));
            pusher.kill();
        }

        /// The next holder of the dead one's id adopts its messages and holds them until told.
        fn new_holder(&self) -> Result<Child, String> {
            let (subject, board) = (self.subject(), &*self.board);
            let holder = fork(|| {
                let queue = subject.queue();
                let hands = [queue.try_peek().unwrap(), queue.try_peek().unwrap()];
                board.set(HOLDER + 3, hands[0].attempt().into());
                board.set(HOLDER + 4, hands[1].attempt().into());
                board.set(HOLDER, 1);
                while board.get(HOLDER + 1) == 0 {
                    // SAFETY: a nap.
                    unsafe { libc::usleep(50) };
                }
                hands.into_iter().for_each(|hand| hand.release());
                board.set(HOLDER + 2, 1);
            });
            for _ in 0..100_000 {
                if board.get(HOLDER) == 1 {
                    return Ok(holder);
                }
                // SAFETY: a nap.
                unsafe { libc::usleep(100) };
            }
            Err("the next holder finds no orphans".into())
        }

        /// All places of the table can be taken, by one thread.
        fn table_is_whole(&self) -> Result<(), String> {
            let (region, mut members) = (self.subject().region(), vec![]);
            loop {
                match region.join() {
                    Ok(member) => members.push(member),
                    Err(Error::TooManyMembers) => break,
                    Err(error) => return Err(format!("join: {error:?}")),
                }
            }
            // This process's own is the one more.
            match members.len() + 1 {
                n if n == usize::from(MEMBERS) => Ok(()),
                n => Err(format!("{n} places in a table of {MEMBERS}")),
            }
        }

        fn afterwards(&self) -> Result<(), String> {
            let subject = self.subject();
            match self.rite {
                AttachPointer | AttachFd | AttachName => {
                    let mut other = fork(|| {
                        let region = self.attach();
                        let queue = region.open_queue("sweep").unwrap();
                        queue.try_push(&[7; 16]).unwrap();
                        queue.try_pop(&mut [0; 16]).unwrap();
                    });
                    if other.wait(WATCHDOG) != Some(Exit::Code(0)) {
                        return Err("another one cannot attach".into());
                    }
                }
                Create => {
                    let region = subject.region();
                    let queue = match region.create_queue_timeout("new", &queue_config(), 15_000_000_000) {
                        Ok(queue) => queue,
                        Err(Error::Exists) => {
                            region.open_queue("new").map_err(|e| format!("half a queue: {e:?}"))?
                        }
                        Err(error) => return Err(format!("create again: {error:?}")),
                    };
                    let pushed = (0..100).take_while(|_| queue.try_push(&[3; 16]).is_ok()).count();
                    let popped = (0..100).take_while(|_| queue.try_pop(&mut [0; 16]).is_ok()).count();
                    if (pushed, popped) != (CAPACITY as usize, CAPACITY as usize) {
                        return Err(format!("the new queue takes {pushed} and gives {popped}"));
                    }
                    let fits = fill_region(region)? + 1;
                    if fits != self.fits {
                        return Err(format!("{fits} queues fit, not {}", self.fits));
                    }
                }
                Init => {
                    let raw = self.raw.as_ref().ok_or("no memory")?;
                    let (at, len) = (raw.as_ptr().cast::<u8>(), size_of::<[u64; 4096]>());
                    // SAFETY: 32 KiB, mapped as long as `raw`; the victim is dead or done.
                    let region =
                        unsafe { Region::attach(at, len).or_else(|_| Region::init(at, len, &config())) };
                    let region = region.map_err(|error| format!("neither attach nor init: {error:?}"))?;
                    let queue =
                        region.create_queue("q", &queue_config()).map_err(|e| format!("create: {e:?}"))?;
                    queue.try_push(&[3; 16]).map_err(|error| format!("push: {error:?}"))?;
                }
                _ => {}
            }
            Ok(())
        }

        /// As the victim attaches.
        fn attach(&self) -> Region {
            let region = self.subject().region();
            match self.rite {
                // SAFETY: the region outlives this handle in this process (it exits without unmapping).
                AttachPointer => unsafe { Region::attach(region.as_ptr(), region.len()) }.unwrap(),
                AttachFd => Region::attach_fd(self.memfd.as_ref().and_then(Region::fd).unwrap()).unwrap(),
                _ => Region::attach_named(&self.name).unwrap(),
            }
        }

        #[inline(never)]
        fn victim(&self) {
            let (subject, board) = (self.subject(), &*self.board);
            let region = subject.region();
            if !matches!(self.rite, FirstUse | Join) {
                subject.warm();
            }
            if self.rite == Join {
                // The thread is known to Rialto, not yet to this region.
                Rialto::create(Kind::default()).warm();
            }
            trap();
            match self.rite {
                Join => core::mem::forget(region.join().unwrap()),
                FirstUse => board.set(PUSHED, if subject.push(999, NOW) { 1 } else { 2 }),
                Leave => region.leave().unwrap(),
                AttachPointer | AttachFd | AttachName => drop(self.attach()),
                Create => drop(region.create_queue("new", &queue_config()).unwrap()),
                Recover => drop(region.recover(Depth::Marked)),
                Init => {
                    let raw = self.raw.as_ref().unwrap();
                    let (at, len) = (raw.as_ptr().cast(), size_of::<[u64; 4096]>());
                    // SAFETY: 32 KiB of zeroes; nobody else uses them yet.
                    core::mem::forget(unsafe { Region::init(at, len, &config()) }.unwrap());
                }
            }
            board.set(DONE, 1);
        }
    }

    /// Whether a pusher killed at instruction `k` leaves a claimed slot.
    fn writes(k: u64) -> bool {
        let subject = Rialto::with(Kind::default(), MEMBERS);
        let mut pusher = push_and_die(&subject);
        assert!(pusher.walk(k), "no instruction where the slot is claimed");
        pusher.kill();
        subject.region().recover(Depth::Marked).freed == 1
    }

    impl Scene for World {
        fn set(&mut self) -> Victim {
            self.board.clear();
            (self.subject, self.memfd, self.raw) = (None, None, None);
            let subject = Rialto::with(Kind::default(), MEMBERS);
            for i in 0..21 {
                assert!(subject.push(i, NOW) && subject.take(Take::Pop, NOW, |_, _| ()));
            }
            for i in 0..PRE {
                assert!(subject.push(100 + i, NOW));
            }
            self.subject = Some(subject);
            match self.rite {
                AttachFd => self.memfd = Some(Region::create_memfd(1 << 15, &config()).expect("memfd")),
                AttachName => {
                    let _ = Region::unlink_named(&self.name);
                    self.memfd = Some(Region::create_named(&self.name, 1 << 15, &config()).expect("named"));
                }
                // SAFETY: integers of zero.
                Init => self.raw = Some(unsafe { Shared::zeroed() }),
                Recover => self.make_dead(),
                _ => {}
            }
            if let Some(region) = &self.memfd {
                region.create_queue("sweep", &queue_config()).expect("queue");
            }
            let this = &*self;
            Victim::start(|| this.victim())
        }

        fn over(&self) -> bool {
            self.board.get(DONE) != 0
        }

        fn fingerprint(&self, victim: &Victim) -> u64 {
            let raw = self.raw.as_ref().map_or(0, |raw| fingerprint(raw.as_ptr().cast(), 1 << 15));
            let region = self.memfd.as_ref().map_or(0, |region| fingerprint(region.as_ptr(), region.len()));
            self.subject().fingerprint() ^ raw ^ region ^ victim.robust_list()
        }

        fn judge(&mut self, mut victim: Victim) -> Result<(), String> {
            let subject = self.subject();
            let mut log = Log::new();
            let mut holder = None;
            let hands = if self.rite == Recover { 2 } else { 0 };
            match self.fate {
                Fate::Kill => {
                    victim.kill();
                    subject.recover(Depth::Marked);
                }
                Fate::KillForgotten => victim.kill(),
                Fate::Stop => {
                    subject.recover(Depth::Thorough);
                    log.extend(drain(subject));
                    laps(subject, 2, 2000, CAPACITY, &mut log)?;
                    if !victim.finish(WATCHDOG) {
                        return Err("resumed, the victim does not finish".into());
                    }
                    // It has exited: that member is dead now.
                    subject.recover(Depth::Marked);
                }
                Fate::Reissued => {
                    subject.recover(Depth::Thorough);
                    holder = Some(self.new_holder()?);
                    if !victim.finish(WATCHDOG) {
                        return Err("resumed, the victim does not finish".into());
                    }
                    log.extend(drain(subject));
                    self.board.set(HOLDER + 1, 1);
                }
            }
            if let Some(mut holder) = holder {
                if holder.wait(WATCHDOG) != Some(Exit::Code(0)) {
                    return Err("the next holder does not finish".into());
                }
                for i in 0..hands {
                    if count(&log, 100 + i) != 0 {
                        return Err(format!("{} was taken from its live holder: {log:?}", 100 + i));
                    }
                    let attempt = self.board.get(HOLDER + 3 + i as usize);
                    if attempt != 1 {
                        return Err(format!("the next holder gets attempt {attempt}"));
                    }
                    log.push((100 + i, 1));
                }
                subject.recover(Depth::Marked);
            }
            log.extend(drain(subject));
            laps(subject, 3, 5000, CAPACITY, &mut log)?;
            // What was in the dead one's hand.
            for i in 0..hands {
                if count(&log, 100 + i) != 1 || !log.contains(&(100 + i, 1)) {
                    return Err(format!("{} is not redelivered once, with attempt 1: {log:?}", 100 + i));
                }
            }
            let (heads, hand) = (0..0, Hand::default());
            let books = Books { log: &log, hand, heads, pops: false, orphans: hands, alive: false };
            books.balance(100..100 + PRE)?;
            books.pushed(999, if self.rite == FirstUse { self.board.get(PUSHED) } else { 2 })?;
            books.nothing_else(|v| v == 999 || (100..100 + PRE).contains(&v))?;
            self.table_is_whole()?;
            self.afterwards()
        }
    }

    impl Drop for World {
        fn drop(&mut self) {
            if self.rite == AttachName {
                let _ = Region::unlink_named(&self.name);
            }
        }
    }

    pub fn main() {
        let mut cases = vec![];
        for fate in [Fate::Kill, Fate::Stop, Fate::Reissued] {
            let name = format!("{fate:?} recover, two messages in hand, one slot claimed");
            cases.push(clean(name, 200, move |tally| sweep_merged(&mut World::new(Recover, fate), tally, 4)));
        }
        for fate in [Fate::Kill, Fate::Stop] {
            let name = format!("{fate:?} leave");
            cases.push(clean(name, 100, move |tally| sweep(&mut World::new(Leave, fate), tally)));
            let name = format!("{fate:?} join");
            cases.push(clean(name, 50, move |tally| sweep(&mut World::new(Join, fate), tally)));
        }
        for (rite, at_least, gap) in [
            (FirstUse, 50, 64),
            (AttachPointer, 150, 1),
            (AttachFd, 250, 1),
            (AttachName, 800, 1),
            (Create, 400, 1),
            (Init, 100, 1),
        ] {
            let besides = if gap == 1 { String::new() } else { format!(", every {gap}th besides") };
            let name = format!("Kill {rite:?}{besides}");
            cases.push(clean(name, at_least, move |tally| {
                sweep_merged(&mut World::new(rite, Fate::Kill), tally, gap)
            }));
        }
        cases.push(planted("Kill recover: nobody does it again", |tally| {
            sweep(&mut World::new(Recover, Fate::KillForgotten), tally)
        }));
        runner::main("sweep_region", cases);
    }
}
