//! One victim, killed or stopped at one instruction; the others come afterwards, or go on meanwhile.

use super::{
    TICK_MS, Verdict, WATCHDOG, World,
    books::{Books, Log, Terms, marked_first},
    check,
    diary::{CORPSE, Diary, FIRST, diaries},
    drain, laps,
};
use crate::support::{
    queue::fingerprint,
    runner::Scene,
    shared::Shared,
    step::{Victim, trap},
};
use rialto::Depth;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Kill,
    /// The others use all the room there is; then it goes on.
    Stop,
    /// The others bury the dead; then it goes on.
    Pause,
}

pub struct Alone<W: World> {
    pub setup: W::Setup,
    pub op: W::Op,
    pub fate: Fate,
    diaries: Shared<[Diary; 4]>,
    world: Option<W>,
    corpses: u32,
    put: Vec<u64>,
    log: Log,
}

impl<W: World> Alone<W> {
    pub fn new(setup: W::Setup, op: W::Op, fate: Fate) -> Self {
        Alone { setup, op, fate, diaries: diaries(), world: None, corpses: 0, put: vec![], log: vec![] }
    }
}

/// Of all that others, or the kernel on the victim's behalf, can see.
pub fn print<W: World>(world: &W, diaries: &Shared<[Diary; 4]>, victim: &Victim) -> u64 {
    let (start, len) = world.memory();
    let diaries = fingerprint(diaries.as_ptr().cast(), size_of::<[Diary; 4]>());
    fingerprint(start, len) ^ diaries.rotate_left(1) ^ victim.robust_list()
}

/// A victim of `op`, at its trap.
pub fn start<W: World>(world: &W, op: W::Op, who: usize, diary: &Diary) -> Victim {
    Victim::start(|| {
        let held = world.prepare(op, who, diary);
        trap();
        world.act(op, who, held, diary);
        diary.close();
        trap();
    })
}

/// It goes on, to the end of its operation; it lives.
pub fn go_on(victim: &mut Victim) -> Verdict {
    check(victim.run_to_trap(), || "resumed, a victim does not come to its end".into())
}

/// It goes on, and ends.
pub fn finish(victim: &mut Victim) -> Verdict {
    go_on(victim)?;
    check(victim.finish(WATCHDOG), || "resumed, a victim does not finish".into())
}

impl<W: World> Scene for Alone<W> {
    fn set(&mut self) -> Victim {
        self.world = None;
        self.diaries.iter().for_each(Diary::clear);
        (self.put, self.log) = (vec![], vec![]);
        let world = self.world.insert(W::create(&self.setup, TICK_MS));
        self.corpses = world.leave_corpses(&self.diaries[CORPSE]);
        let victim = start(world, self.op, 0, &self.diaries[FIRST]);
        world.eve(&mut self.put, &mut self.log);
        victim
    }

    fn over(&self) -> bool {
        self.diaries[FIRST].is_closed()
    }

    fn fingerprint(&self, victim: &Victim) -> u64 {
        self.world.as_ref().map_or(0, |world| print(world, &self.diaries, victim))
    }

    fn judge(&mut self, mut victim: Victim) -> Verdict {
        let world = self.world.as_ref().ok_or("no world")?;
        let (mut log, mut rest) = (core::mem::take(&mut self.log), vec![]);
        let room = world.room();
        match self.fate {
            Fate::Kill => {
                victim.kill();
                let dead = world.recover(Depth::Marked);
                check((1..=1 + self.corpses).contains(&dead), || format!("recover found {dead} dead"))?;
                world.after(self.op, self.over(), &self.diaries[FIRST])?;
                drain(world, &mut rest);
                marked_first(&rest, world.terms())?;
            }
            Fate::Stop => {
                let dead = world.recover(Depth::Thorough);
                check(dead <= self.corpses, || format!("{dead} buried, of whom one lives"))?;
                drain(world, &mut rest);
                laps(world, 4, 2000, room - world.keeps(self.op), &mut rest)?;
                let dead = world.recover(Depth::Thorough);
                check(dead == 0, || format!("{dead} buried alive"))?;
                // Alive: its own burial would free what it has forgotten.
                go_on(&mut victim)?;
                drain(world, &mut rest);
                laps(world, 4, 3000, room, &mut rest)?;
                check(victim.finish(WATCHDOG), || "it does not end".into())?;
                world.recover(Depth::Marked);
                drain(world, &mut rest);
            }
            Fate::Pause => {
                world.recover(Depth::Thorough);
                // Alive: its own burial would look after what others are owed.
                go_on(&mut victim)?;
                drain(world, &mut rest);
                marked_first(&rest, world.terms())?;
                check(victim.finish(WATCHDOG), || "it does not end".into())?;
                world.recover(Depth::Marked);
                drain(world, &mut rest);
            }
        }
        log.extend(rest);
        laps(world, 4, 5000, room, &mut log)?;
        world.is_settled()?;
        let (first, put, diaries) = (&world.first(), &self.put, &self.diaries[..]);
        let uncounted = self.fate == Fate::Kill && self.corpses > 0;
        let terms = Terms { uncounted, ..world.terms() };
        Books { first, put, log: &log, diaries, terms }.balance()
    }
}
