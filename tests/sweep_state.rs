//! Kills every operation that changes a value, an array, a list, a dict or a namespace at every machine instruction;
//! somebody else reads, writes, and counts the room.
//!
//! # Points
//! From the victim's trap to the word it writes behind the operation. Of the longer ones (sorting, dicts, namespaces, the
//! stopped) those before which something changed that others or the kernel can see, those around system calls, and every
//! n-th besides (`RIALTO_SWEEP_STRIDE=1`: all). Two victims: the first is killed when its draft
//! differs from what is published, or right behind the publication; the second inherits that, and is killed in its
//! repair and in its own operation.
//!
//! # What is asked
//! Of each point, of the victim that stands there: who reads without waiting, reads the old state or the new one,
//! nothing else, and writes nothing; the new one does not give way to the old one. Killed: who reads, reads the same
//! again; who takes the lock gets it, reads the same, and its own operation does what it does to that
//! state. Afterwards the object's two copies are equal; it can be filled to its capacity and no further, emptied, and filled
//! again, and has exactly what was put in. Stopped: when the victim goes on, it comes to its end with the new state.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64", feature = "os")), allow(unused))]

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod state_scenes;
mod support;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: the sweep reads x86-64 registers through Linux's ptrace");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
fn main() {
    support::runner::main("sweep_state", cases::cases());
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", feature = "os", not(rialto_loom)))]
mod cases {
    use crate::{
        state_scenes::{
            Fate, Half, Plan, StateScene, Subject,
            subjects::{InTurn, Leaky, RawWords, Wide},
        },
        support::runner::{Case, Tally, clean, planted, sweep, sweep_merged},
    };
    use rialto::{Array, Attribute, Dict, List, Namespace, RawArray, RawValue, Value};

    type Ops<S> = Vec<(&'static str, fn(S))>;

    /// Runs the plan; `gap` 1 is every point.
    fn run<S: Subject>(plan: Plan<S>, gap: u64, tally: &Tally) {
        let mut scene = StateScene::new(plan);
        if gap == 1 {
            sweep(&mut scene, tally)
        } else {
            sweep_merged(&mut scene, tally, gap)
        }
        // Else the repair was never asked for.
        if S::LOCKED && plan.fate == Fate::Killed && scene.repairs == 0 && !tally.is_enough() {
            tally.point("all", Err("nobody was killed within an update".into()));
        }
    }

    /// Every point of these; see `each`.
    fn every<S: Subject>(cases: &mut Vec<Case>, of: &str, at_least: u64, ops: Ops<S>) {
        killed(cases, of, 1, at_least, ops);
    }

    /// The points before which something changed that others or the kernel see, and some besides.
    fn each<S: Subject>(cases: &mut Vec<Case>, of: &str, at_least: u64, ops: Ops<S>) {
        killed(cases, of, 4, at_least, ops);
    }

    fn killed<S: Subject>(cases: &mut Vec<Case>, of: &str, gap: u64, at_least: u64, ops: Ops<S>) {
        for (name, act) in ops {
            let plan = Plan { act, first: None, idle: false, fate: Fate::Killed };
            cases.push(clean(format!("{of}: {name}, killed"), at_least, move |tally| run(plan, gap, tally)));
        }
    }

    fn stopped<S: Subject>(cases: &mut Vec<Case>, of: &str, at_least: u64, ops: Ops<S>) {
        for (name, act) in ops {
            let plan = Plan { act, first: None, idle: false, fate: Fate::Stopped };
            cases.push(clean(format!("{of}: {name}, stopped"), at_least, move |tally| run(plan, 16, tally)));
        }
    }

    /// `act` by who inherits from one that was killed in `first`.
    fn inherited<S: Subject>(cases: &mut Vec<Case>, of: &str, first: fn(S), (name, act): (&str, fn(S))) {
        for half in [Half::Drafted, Half::Published] {
            let plan = Plan { act, first: Some((first, half)), idle: name == "the lock", fate: Fate::Killed };
            let name = format!("{of}: {name}, behind one killed when {half:?}");
            cases.push(clean(name, 150, move |tally| run(plan, 4, tally)));
        }
    }

    fn lock<S: Subject>(it: S) {
        it.take().unwrap();
        it.give().unwrap();
    }

    pub fn cases() -> Vec<Case> {
        let mut cases = vec![];
        values(&mut cases);
        lists(&mut cases);
        dicts(&mut cases);
        repairs(&mut cases);
        plants(&mut cases);
        cases
    }

    fn values(cases: &mut Vec<Case>) {
        every::<Value<'static, Wide>>(
            cases,
            "Value of 24 bytes",
            400,
            vec![
                ("store", |it| it.store([7, 8, 9]).unwrap()),
                ("swap", |it| assert!(it.swap([7, 8, 9]).is_ok())),
                ("update", |it| assert!(it.update(|[a, b, c]| [b, c, a]).is_ok())),
                ("compare_exchange", |it| {
                    assert!(it.compare_exchange([1, 2, 3], [7, 8, 9]).unwrap().is_ok())
                }),
            ],
        );
        every::<Value<'static, u64>>(
            cases,
            "Value of 8 bytes",
            400,
            vec![("store", |it| it.store(7).unwrap()), ("fetch_add", |it| assert!(it.fetch_add(7).is_ok()))],
        );
        stopped::<Value<'static, Wide>>(
            cases,
            "Value of 24 bytes",
            20,
            vec![
                ("store", |it| it.store([7, 8, 9]).unwrap()),
                ("update", |it| assert!(it.update(|[a, b, c]| [b, c, a]).is_ok())),
            ],
        );
        every::<Array<'static, u32>>(
            cases,
            "Array",
            400,
            vec![
                ("set", |it| it.set(2, 99).unwrap()),
                ("write_slice", |it| it.write_slice(1, &[97, 98, 99]).unwrap()),
                ("fill", |it| it.fill(99).unwrap()),
                ("update", |it| assert!(it.update(2, |was| was + 90).is_ok())),
                ("fetch_add", |it| assert!(it.fetch_add(2, 90).is_ok())),
                ("compare_exchange", |it| assert!(it.compare_exchange(2, 12, 99).unwrap().is_ok())),
                ("edit of three places", |it| {
                    it.edit(|edit| {
                        let moved = edit.get(0)?;
                        edit.set(0, 0)?;
                        edit.set(5, moved)?;
                        edit.write_slice(2, &[98, 99])
                    })
                    .unwrap();
                }),
            ],
        );
        stopped::<Array<'static, u32>>(cases, "Array", 20, vec![("fill", |it| it.fill(99).unwrap())]);
        every::<RawValue<'static, u64>>(
            cases,
            "RawValue",
            3,
            vec![
                ("store", |it| it.store(7).unwrap()),
                ("swap", |it| assert!(it.swap(7).is_ok())),
                ("fetch_add", |it| assert!(it.fetch_add(7).is_ok())),
                ("compare_exchange", |it| assert!(it.compare_exchange(1, 7).unwrap().is_ok())),
            ],
        );
        // Smaller than the word that is changed for them.
        every::<RawArray<'static, u16>>(
            cases,
            "RawArray",
            10,
            vec![
                ("set", |it| it.set(3, 99).unwrap()),
                ("swap", |it| assert!(it.swap(3, 99).is_ok())),
                ("fetch_add", |it| assert!(it.fetch_add(3, 90).is_ok())),
                ("compare_exchange", |it| assert!(it.compare_exchange(3, 13, 99).unwrap().is_ok())),
            ],
        );
    }

    fn lists(cases: &mut Vec<Case>) {
        every::<List<'static>>(
            cases,
            "List",
            400,
            vec![
                ("append", |it| it.append(b"new").unwrap()),
                ("extend by two", |it| it.extend(&[b"new", b"newer..."]).unwrap()),
                ("insert", |it| it.insert(1, b"new").unwrap()),
                ("set", |it| it.set(1, b"new").unwrap()),
                ("pop", |it| assert!(it.pop(1, &mut [0; 8]).is_ok())),
                ("pop_last", |it| assert!(it.pop_last(&mut [0; 8]).is_ok())),
                ("delete", |it| it.delete(0).unwrap()),
                ("remove", |it| it.remove(b"alpha").unwrap()),
                ("clear", |it| it.clear().unwrap()),
                ("reverse", |it| it.reverse().unwrap()),
            ],
        );
        each::<List<'static>>(
            cases,
            "List",
            250,
            vec![
                ("sort", |it| it.sort().unwrap()),
                ("sort_by", |it| it.sort_by(&mut [0; 16], |a, b| b.cmp(a)).unwrap()),
            ],
        );
        stopped::<List<'static>>(
            cases,
            "List",
            30,
            vec![
                ("extend by two", |it| it.extend(&[b"new", b"newer..."]).unwrap()),
                ("pop", |it| assert!(it.pop(1, &mut [0; 8]).is_ok())),
            ],
        );
    }

    fn dicts(cases: &mut Vec<Case>) {
        each::<Dict<'static>>(
            cases,
            "Dict",
            250,
            vec![
                ("set, a new key", |it| it.set(b"new", b"value").unwrap()),
                ("set, an old key", |it| it.set(b"three", b"value").unwrap()),
                ("setdefault", |it| assert!(it.setdefault(b"new", b"value", &mut [0; 8]) == Ok(5))),
                ("pop", |it| assert!(it.pop(b"three", &mut [0; 8]).is_ok())),
                ("popitem", |it| assert!(it.popitem(&mut [0; 8], &mut [0; 8]).is_ok())),
                ("remove", |it| it.remove(b"one").unwrap()),
                ("clear", |it| it.clear().unwrap()),
                ("update, old and new keys", |it| {
                    it.update(&[(b"new", b"1"), (b"one", b"again"), (b"newer...", b"22222222")]).unwrap();
                }),
            ],
        );
        stopped::<Dict<'static>>(
            cases,
            "Dict",
            30,
            vec![
                ("set, a new key", |it| it.set(b"new", b"value").unwrap()),
                ("remove", |it| it.remove(b"one").unwrap()),
            ],
        );
        each::<Namespace<'static>>(
            cases,
            "Namespace",
            250,
            vec![
                ("set, a new name", |it| it.set("new", 1.5).unwrap()),
                ("set, of another type", |it| it.set("rank", "five").unwrap()),
                ("remove", |it| it.remove("rank").unwrap()),
            ],
        );
        stopped::<Namespace<'static>>(
            cases,
            "Namespace",
            30,
            vec![("set, of another type", |it| {
                it.set("rank", Attribute::Bytes(b"five")).unwrap();
            })],
        );
    }

    fn repairs(cases: &mut Vec<Case>) {
        inherited::<Value<'static, Wide>>(
            cases,
            "Value",
            |it| it.store([7, 8, 9]).unwrap(),
            ("store", |it| {
                it.store([4, 5, 6]).unwrap();
            }),
        );
        inherited::<Value<'static, Wide>>(
            cases,
            "Value",
            |it| it.store([7, 8, 9]).unwrap(),
            ("the lock", lock),
        );
        inherited::<Array<'static, u32>>(
            cases,
            "Array",
            |it| it.fill(99).unwrap(),
            ("write_slice", |it| {
                it.write_slice(1, &[1, 2]).unwrap();
            }),
        );
        let extend = |it: List<'static>| it.extend(&[b"new", b"newer..."]).unwrap();
        inherited::<List<'static>>(
            cases,
            "List",
            extend,
            ("pop", |it| assert!(it.pop(1, &mut [0; 8]).is_ok())),
        );
        inherited::<List<'static>>(cases, "List", extend, ("the lock", lock));
        let set = |it: Dict<'static>| it.set(b"new", b"value").unwrap();
        inherited::<Dict<'static>>(cases, "Dict", set, ("remove", |it| it.remove(b"one").unwrap()));
        inherited::<Namespace<'static>>(
            cases,
            "Namespace",
            |it| it.set("rank", true).unwrap(),
            ("remove", |it| {
                it.remove("rank").unwrap();
            }),
        );
    }

    fn plants(cases: &mut Vec<Case>) {
        fn plant<S: Subject>(cases: &mut Vec<Case>, name: &str, act: fn(S), fate: Fate) {
            let plan = Plan { act, first: None, idle: false, fate };
            cases.push(planted(name, move |tally| run(plan, 16, tally)));
        }
        plant::<List<'static>>(
            cases,
            "two updates for one",
            |it| {
                it.append(b"new").unwrap();
                it.append(b"newer...").unwrap();
            },
            Fate::Killed,
        );
        plant::<RawWords>(cases, "words without a lock", |it| it.store([7, 8, 9, 10]), Fate::Killed);
        plant::<InTurn>(
            cases,
            "a reader that takes the lock",
            |it| it.0.store([7, 8, 9]).unwrap(),
            Fate::Killed,
        );
        plant::<Dict<'static>>(
            cases,
            "a death that nobody repairs",
            |it| it.remove(b"one").unwrap(),
            Fate::Forgotten,
        );
        plant::<Leaky>(cases, "a slot that is lost", |it| it.0.append(b"new").unwrap(), Fate::Killed);
    }
}
