//! Two victims: the first is killed or stopped at instruction k of its operation, the second at instruction j
//! of its own, in what the first left behind. Every other k is a stop, and within a k every other j.

use super::{
    TICK_MS, Verdict, World,
    alone::{finish, start},
    books::{Books, Log, Terms},
    diary::{CORPSE, Diary, FIRST, SECOND, diaries},
    drain, laps,
};
use crate::support::{
    runner::{Scene, Tally, point, reach, record, stride},
    shared::Shared,
    step::{Route, Victim},
};
use rialto::Depth;

/// The first victim alone, to learn its way, and to take it to k.
struct First<W: World> {
    setup: W::Setup,
    op: W::Op,
    diaries: Shared<[Diary; 4]>,
    world: Option<W>,
    put: Vec<u64>,
    log: Log,
}

impl<W: World> Scene for First<W> {
    fn set(&mut self) -> Victim {
        self.world = None;
        self.diaries.iter().for_each(Diary::clear);
        (self.put, self.log) = (vec![], vec![]);
        let world = self.world.insert(W::create(&self.setup, TICK_MS));
        world.leave_corpses(&self.diaries[CORPSE]);
        let victim = start(world, self.op, 0, &self.diaries[FIRST]);
        world.eve(&mut self.put, &mut self.log);
        victim
    }

    fn over(&self) -> bool {
        self.diaries[FIRST].is_closed()
    }

    fn judge(&mut self, _: Victim) -> Verdict {
        unreachable!("the first victim is judged with the second")
    }
}

/// The second in what the first left.
struct Second<'a, W: World> {
    op: W::Op,
    first: First<W>,
    route: &'a Route,
    k: u64,
    stops: [bool; 2],
    stopped: Option<Victim>,
}

impl<W: World> Scene for Second<'_, W> {
    fn set(&mut self) -> Victim {
        self.stopped = None;
        let (first, _) = reach(&mut self.first, self.route, None, self.k);
        let mut first = first.expect("the first victim comes where it came before");
        if self.stops[0] {
            self.stopped = Some(first);
        } else {
            first.kill();
        }
        start(self.first.world.as_ref().expect("a world"), self.op, 1, &self.first.diaries[SECOND])
    }

    fn over(&self) -> bool {
        self.first.diaries[SECOND].is_closed()
    }

    fn judge(&mut self, second: Victim) -> Verdict {
        let stops = self.stops;
        self.verdict(second).map_err(|what| format!("{what}; stopped: {stops:?}"))
    }
}

impl<W: World> Second<'_, W> {
    fn verdict(&mut self, mut second: Victim) -> Verdict {
        let world = self.first.world.as_ref().ok_or("no world")?;
        let mut log = core::mem::take(&mut self.first.log);
        let mut kept = 0;
        if self.stops[0] {
            kept += world.keeps(self.first.op);
        }
        if self.stops[1] {
            kept += world.keeps(self.op);
        } else {
            second.kill();
        }
        world.recover(Depth::Thorough);
        drain(world, &mut log);
        laps(world, 3, 2000, world.room() - kept, &mut log)?;
        for victim in [self.stopped.as_mut(), self.stops[1].then_some(&mut second)].into_iter().flatten() {
            finish(victim)?;
        }
        world.recover(Depth::Marked);
        drain(world, &mut log);
        laps(world, 3, 5000, world.room(), &mut log)?;
        world.is_settled()?;
        let (first, put, diaries) = (&world.first(), &self.first.put, &self.first.diaries[..]);
        let terms = Terms { uncounted: true, ..world.terms() };
        Books { first, put, log: &log, diaries, terms }.balance()
    }
}

/// Every n-th k and every n-th j, in a pattern that shifts with k; n is `gap`, or `RIALTO_SWEEP_STRIDE`.
pub fn pair<W: World>(setup: W::Setup, ops: [W::Op; 2], gap: u64, tally: &Tally) {
    let n = stride(gap);
    let first = || First::<W> {
        setup: setup.clone(),
        op: ops[0],
        diaries: diaries(),
        world: None,
        put: vec![],
        log: vec![],
    };
    let (route, ..) = record(&mut first(), false);
    for (row, k) in (0..route.len()).step_by(n as usize).enumerate() {
        let stops = [row % 2 == 1, false];
        let mut scene = Second { op: ops[1], first: first(), route: &route, k, stops, stopped: None };
        let (second, ..) = record(&mut scene, false);
        for (column, j) in (row as u64 % n..second.len()).step_by(n as usize).enumerate() {
            scene.stops[1] = (column + row / 2) % 2 == 1;
            point(&mut scene, tally, &second, None, j);
        }
    }
}
