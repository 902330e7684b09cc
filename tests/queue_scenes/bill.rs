//! Which scenes are played.

use super::{
    alone::{Alone, Fate},
    company::{After, Company, Sleeper},
    pair::pair,
    queue::{Corpse, Op, Plant, Setup, TheQueue},
};
use crate::support::runner::{Case, clean, planted, sweep_merged};
use rialto::{OnDeath, QueueKind};

pub const KINDS: [QueueKind; 2] = [QueueKind::Ring, QueueKind::Indexed];

/// What differs from a plain queue, for a case's name.
fn name(setup: &Setup) -> String {
    let (config, mut name) = (&setup.config, format!("{:?}, {} in it", setup.config.kind, setup.pre));
    let mut add = |what: &str| name += &format!(", {what}");
    for (is_so, what) in [
        (config.joinable, "joinable"),
        (config.kill_only, "kill-only"),
        (setup.first_turn > 0, "at the wrap"),
        (setup.closed, "closed"),
    ] {
        if is_so {
            add(what);
        }
    }
    if config.on_death != OnDeath::Redeliver {
        add(&format!("{:?}", config.on_death));
    }
    if setup.corpse != Corpse::None {
        add(&format!("a dead {:?}", setup.corpse));
    }
    for (count, what) in [
        (setup.given_back, "given back"),
        (setup.poisoned, "poisoned"),
        (setup.passing, "passing"),
        (setup.behind, "behind"),
    ] {
        if count > 0 {
            add(&format!("{count} {what}"));
        }
    }
    name
}

pub struct Bill {
    pub cases: Vec<Case>,
    /// Of the next ones: besides the instructions before which something changed that others can see, every
    /// so many are points, if killed there, and if stopped.
    gaps: [u64; 2],
}

impl Bill {
    fn alone(&mut self, fates: &[Fate], op: Op, setup: Setup, at_least: u64) {
        for &fate in fates {
            let name = format!("{fate:?} {op:?}: {}", name(&setup));
            let gap = self.gaps[usize::from(fate != Fate::Kill)];
            self.cases.push(clean(name, at_least, move |tally| {
                sweep_merged(&mut Alone::<TheQueue>::new(setup, op, fate), tally, gap)
            }));
        }
    }

    /// `lives`: the victim's operation is what the sleeper waits for.
    fn company(&mut self, op: Op, sleeper: Sleeper, setup: Setup, lives: bool) {
        let name = format!("{op:?}, {sleeper:?} asleep: {}", name(&setup));
        self.cases.push(clean(name, 5, move |tally| {
            // To recheck is some thousand instructions of reading /proc.
            let gap = if op == Op::RecheckSpace { 512 } else { 48 };
            sweep_merged(&mut Company::<TheQueue>::new(setup, op, sleeper, After::Ticks), tally, gap);
            if lives {
                let mut scene = Company::<TheQueue>::new(setup, op, sleeper, After::Lives);
                tally.point("alive", scene.lives());
            }
        }));
    }

    fn plant(&mut self, fate: Fate, op: Op, setup: Setup) {
        let name = format!("{fate:?} {op:?}, {:?}: {}", setup.plant, name(&setup));
        self.cases.push(planted(name, move |tally| {
            sweep_merged(&mut Alone::<TheQueue>::new(setup, op, fate), tally, 8)
        }));
    }
}

fn tasks(setup: Setup) -> Setup {
    Setup { config: rialto::QueueConfig { joinable: true, ..setup.config }, ..setup }
}

fn policy(setup: Setup, on_death: OnDeath) -> Setup {
    Setup { config: rialto::QueueConfig { on_death, ..setup.config }, ..setup }
}

/// Messages are set aside after one redelivery.
fn strict(setup: Setup) -> Setup {
    Setup { config: rialto::QueueConfig { max_attempts: 1, ..setup.config }, ..setup }
}

const KILL_AND_STOP: [Fate; 2] = [Fate::Kill, Fate::Stop];

/// What `sweep_queue` asks of a ring, of the indexed kind.
fn indexed(bill: &mut Bill) {
    let new = |pre| Setup::new(QueueKind::Indexed, pre);
    for pre in [0, 4, 7, 8] {
        bill.alone(&KILL_AND_STOP, Op::Push, new(pre), 8);
    }
    for op in [Op::Pop, Op::Peek] {
        for pre in [0, 1, 4, 8] {
            bill.alone(&KILL_AND_STOP, op, new(pre), 8);
        }
        for (pre, given_back) in [(4, 1), (8, 8)] {
            bill.alone(&KILL_AND_STOP, op, Setup { given_back, ..new(pre) }, 8);
        }
    }
    for (op, pre) in [(Op::Push, 4), (Op::Pop, 4), (Op::Peek, 8)] {
        let first_turn = (1 << 44) - 3;
        bill.alone(&KILL_AND_STOP, op, Setup { first_turn, ..new(pre) }, 8);
        let config = rialto::QueueConfig { kill_only: true, ..new(pre).config };
        bill.alone(&[Fate::Kill], op, Setup { config, ..new(pre) }, 8);
    }
}

fn loans(bill: &mut Bill) {
    for kind in KINDS {
        let new = |pre| Setup::new(kind, pre);
        for pre in [4, 7, 8] {
            bill.alone(&KILL_AND_STOP, Op::Loan, new(pre), 8);
        }
        bill.alone(&KILL_AND_STOP, Op::Commit, new(4), 8);
        for behind in [0, 5, 7] {
            let setup = Setup { passing: 20, behind, ..new(0) };
            bill.alone(&KILL_AND_STOP, Op::Commit, setup, 8);
        }
        bill.alone(&KILL_AND_STOP, Op::Commit, Setup { closed: true, ..new(2) }, 8);
        bill.alone(&KILL_AND_STOP, Op::Abort, new(4), 8);
        bill.alone(&KILL_AND_STOP, Op::Abort, Setup { passing: 20, ..new(0) }, 8);
        bill.alone(&KILL_AND_STOP, Op::PeekBack, new(4), 8);
        bill.alone(&KILL_AND_STOP, Op::PeekBack, Setup { given_back: 2, ..new(8) }, 8);
    }
}

fn batches(bill: &mut Bill) {
    for kind in KINDS {
        let new = |pre| Setup::new(kind, pre);
        for pre in [0, 6, 8] {
            bill.alone(&KILL_AND_STOP, Op::PushMany, new(pre), 8);
        }
        for pre in [0, 2, 8] {
            bill.alone(&KILL_AND_STOP, Op::PopMany, new(pre), 8);
        }
        bill.alone(&KILL_AND_STOP, Op::PopMany, Setup { given_back: 2, ..new(4) }, 8);
        bill.alone(&KILL_AND_STOP, Op::PopMany, tasks(new(4)), 8);
        bill.alone(&KILL_AND_STOP, Op::PushMany, tasks(new(6)), 8);
    }
}

fn joinable(bill: &mut Bill) {
    for kind in KINDS {
        let new = |pre| tasks(Setup::new(kind, pre));
        bill.alone(&KILL_AND_STOP, Op::Pop, new(4), 8);
        bill.alone(&KILL_AND_STOP, Op::Pop, Setup { given_back: 1, ..new(8) }, 8);
        bill.alone(&KILL_AND_STOP, Op::Peek, new(1), 8);
        bill.alone(&KILL_AND_STOP, Op::TaskDone, new(1), 8);
        bill.alone(&KILL_AND_STOP, Op::TaskDone, new(8), 8);
        bill.alone(&KILL_AND_STOP, Op::GiveBack, new(1), 8);
        bill.alone(&KILL_AND_STOP, Op::GiveBack, Setup { given_back: 1, ..new(4) }, 8);
        for pre in [0, 1] {
            bill.alone(&KILL_AND_STOP, Op::Join, new(pre), 8);
        }
        bill.alone(&KILL_AND_STOP, Op::Join, strict(Setup { poisoned: 2, ..new(2) }), 8);
    }
}

fn policies(bill: &mut Bill) {
    for kind in KINDS {
        let new = |pre| Setup::new(kind, pre);
        for on_death in [OnDeath::Drop, OnDeath::Stop] {
            for op in [Op::Pop, Op::Peek, Op::PopMany] {
                bill.alone(&KILL_AND_STOP, op, policy(new(4), on_death), 8);
            }
            for op in [Op::TaskDone, Op::GiveBack] {
                bill.alone(&KILL_AND_STOP, op, tasks(policy(new(4), on_death)), 8);
            }
        }
        for setup in [strict(new(8)), policy(new(8), OnDeath::Stop), tasks(strict(new(4)))] {
            let setup = Setup { poisoned: 2, ..setup };
            bill.alone(&KILL_AND_STOP, Op::TakePoisoned, setup, 8);
            bill.alone(&KILL_AND_STOP, Op::Pop, setup, 8);
        }
    }
}

/// Somebody is dead and not buried yet; others bury it while the victim stands still.
fn beside_the_dead(bill: &mut Bill) {
    use Fate::*;
    for kind in KINDS {
        for on_death in [OnDeath::Redeliver, OnDeath::Drop, OnDeath::Stop] {
            let new = |corpse| policy(Setup { corpse, ..Setup::new(kind, 3) }, on_death);
            for op in [Op::Pop, Op::PopMany] {
                bill.alone(&[Kill, Pause], op, new(Corpse::Reader), 8);
            }
            bill.alone(&[Kill, Stop, Pause], Op::Recover, new(Corpse::Both), 8);
            let drained = Setup { closed: true, pre: 1, ..new(Corpse::Reader) };
            bill.alone(&[Kill, Pause], Op::Pop, drained, 8);
        }
        let new = |corpse| Setup { corpse, ..Setup::new(kind, 3) };
        bill.alone(&[Kill, Pause], Op::Push, new(Corpse::Writer), 8);
        bill.alone(&[Kill, Pause], Op::TaskDone, tasks(new(Corpse::Both)), 8);
        bill.alone(&[Kill, Pause], Op::Close, new(Corpse::Both), 3);
        bill.alone(&[Kill, Pause], Op::TakePoisoned, strict(Setup { poisoned: 1, ..new(Corpse::Reader) }), 8);
    }
}

fn loops(bill: &mut Bill) {
    for kind in KINDS {
        let new = |pre| Setup { fds: true, ..Setup::new(kind, pre) };
        bill.gaps = [32, 8];
        for pre in [0, 1, 8] {
            bill.alone(&KILL_AND_STOP, Op::ArmData, new(pre), 8);
            bill.alone(&KILL_AND_STOP, Op::ArmSpace, new(pre), 8);
        }
        // Some thousand instructions of reading /proc.
        bill.gaps = [128, 64];
        bill.alone(&KILL_AND_STOP, Op::RecheckData, new(1), 8);
        bill.alone(&KILL_AND_STOP, Op::RecheckSpace, new(8), 8);
    }
}

fn company(bill: &mut Bill) {
    use Sleeper::*;
    for kind in KINDS {
        let new = |pre| Setup::new(kind, pre);
        let fds = |pre| Setup { fds: true, ..new(pre) };
        for op in [Op::Push, Op::Loan, Op::Commit, Op::PushMany, Op::Close] {
            bill.company(op, Popper, new(0), true);
            bill.company(op, DataLoop, fds(0), true);
        }
        for op in [Op::Pop, Op::Peek, Op::PopMany] {
            bill.company(op, Pusher, new(8), true);
            bill.company(op, SpaceLoop, fds(8), true);
        }
        bill.company(Op::Peek, Pusher, policy(new(8), OnDeath::Drop), true);
        // In a ring, the place of a loan that was let go is void until the consumers have come past it.
        bill.company(Op::Abort, Pusher, new(7), kind == QueueKind::Indexed);
        bill.company(Op::TakePoisoned, Pusher, strict(Setup { poisoned: 1, ..new(8) }), true);
        bill.company(Op::TaskDone, Pusher, tasks(new(8)), true);
        bill.company(Op::TaskDone, Joiner, tasks(new(1)), true);
        bill.company(Op::TaskDone, Joiner, tasks(policy(new(1), OnDeath::Drop)), true);
        bill.company(Op::PopMany, Joiner, tasks(new(3)), true);
        bill.company(Op::TaskDone, Popper, tasks(new(1)), false);
        bill.company(Op::TaskDone, DataLoop, tasks(fds(1)), false);
        bill.company(Op::ArmData, DataLoop, fds(0), false);
        bill.company(Op::RecheckSpace, SpaceLoop, fds(8), false);
    }
}

fn plants(bill: &mut Bill) {
    let plant = |setup, plant| Setup { plant, ..setup };
    for kind in KINDS {
        let new = |pre| Setup::new(kind, pre);
        bill.plant(Fate::Kill, Op::Loan, plant(new(4), Plant::NeverRecovers));
        bill.plant(Fate::Kill, Op::TaskDone, plant(tasks(new(4)), Plant::Unmarked));
        bill.plant(Fate::Kill, Op::TaskDone, plant(tasks(new(4)), Plant::PopsAtOnce));
        bill.plant(Fate::Kill, Op::Pop, plant(tasks(new(4)), Plant::PopsAtOnce));
        bill.plant(Fate::Kill, Op::Peek, plant(policy(new(4), OnDeath::Drop), Plant::Redelivers));
        bill.plant(Fate::Stop, Op::Commit, plant(new(4), Plant::SendsTwice));
        for (op, sleeper, setup) in [
            (Op::PushMany, Sleeper::Popper, new(0)),
            (Op::Push, Sleeper::DataLoop, Setup { fds: true, ..new(0) }),
            (Op::TaskDone, Sleeper::Joiner, tasks(new(1))),
        ] {
            let name = format!("{op:?}, {sleeper:?} asleep, nobody ticks: {}", name(&setup));
            bill.cases.push(planted(name, move |tally| {
                sweep_merged(&mut Company::<TheQueue>::new(setup, op, sleeper, After::Never), tally, 32)
            }));
        }
    }
}

/// One victim.
pub fn single() -> Vec<Case> {
    let mut bill = Bill { cases: vec![], gaps: [16, 5] };
    // Those that sleep come first: they take the longest.
    company(&mut bill);
    plants(&mut bill);
    indexed(&mut bill);
    loans(&mut bill);
    joinable(&mut bill);
    bill.gaps = [32, 12];
    batches(&mut bill);
    policies(&mut bill);
    beside_the_dead(&mut bill);
    loops(&mut bill);
    bill.cases
}

/// Two.
pub fn double() -> Vec<Case> {
    let mut cases = vec![];
    let new = |kind, pre| Setup::new(kind, pre);
    let mut add = |what: &str, setup: Setup, ops: [Op; 2], gap| {
        let name = format!("{what}: {}", name(&setup));
        cases.push(clean(name, 100, move |tally| pair::<TheQueue>(setup, ops, gap, tally)));
    };
    let [ring, indexed] = KINDS;
    add("producer x recoverer", new(indexed, 4), [Op::Push, Op::Recover], 53);
    add("consumer x recoverer", new(indexed, 4), [Op::Pop, Op::Recover], 61);
    add("producer x consumer", new(indexed, 4), [Op::Push, Op::Pop], 43);
    add("consumer x consumer", new(indexed, 4), [Op::Peek, Op::Pop], 43);
    for kind in KINDS {
        let overtaken = Setup { passing: 20, behind: 2, ..new(kind, 0) };
        add("overtaken committer x recoverer", overtaken, [Op::Commit, Op::Recover], 53);
        add("overtaken committer x consumer", overtaken, [Op::Commit, Op::Pop], 43);
        let task = tasks(new(kind, 4));
        add("task_done x recoverer", task, [Op::TaskDone, Op::Recover], 53);
        add("give_back x consumer", task, [Op::GiveBack, Op::Pop], 61);
        add("task_done x join", tasks(new(kind, 1)), [Op::TaskDone, Op::Join], 23);
        add("push_many x pop_many", new(kind, 2), [Op::PushMany, Op::PopMany], 97);
        add("pop_many x recoverer", new(kind, 4), [Op::PopMany, Op::Recover], 97);
        let dropping = policy(new(kind, 4), OnDeath::Drop);
        add("consumer x recoverer", dropping, [Op::Peek, Op::Recover], 61);
        let stopping = policy(Setup { corpse: Corpse::Reader, ..new(kind, 4) }, OnDeath::Stop);
        add("consumer x recoverer", stopping, [Op::Pop, Op::Recover], 61);
        let poisoned = strict(Setup { poisoned: 1, ..new(kind, 4) });
        add("take_poisoned x recoverer", poisoned, [Op::TakePoisoned, Op::Recover], 61);
    }
    let overtaken = Setup { passing: 20, behind: 2, plant: Plant::SendsTwice, ..new(ring, 0) };
    cases.push(planted("overtaken committer x consumer, SendsTwice", move |tally| {
        pair::<TheQueue>(overtaken, [Op::Commit, Op::Pop], 31, tally)
    }));
    let never = Setup { plant: Plant::NeverRecovers, ..new(indexed, 4) };
    cases.push(planted("consumer x recoverer, NeverRecovers", move |tally| {
        pair::<TheQueue>(never, [Op::Pop, Op::Recover], 43, tally)
    }));
    cases
}
