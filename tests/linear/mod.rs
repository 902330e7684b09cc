//! Is a recorded history of calls, which overlapped in time, one of a bounded first-in-first-out queue?
//!
//! Wing and Gong's search, with a memory: every order of steps that keeps the order of calls which did not
//! overlap is tried against a sequential queue, until one fits. What a state can still become depends only on
//! how far each thread is and on what waits in which order; no such state is looked at twice. Threads do one
//! thing after another, so there are never more choices than threads, and long histories can be searched, too.
//!
//! A call that moves several messages (a batch) is several steps in their order, others' steps in between.
#![allow(dead_code)]

use std::collections::{BTreeMap, HashSet, VecDeque};

/// What happened at an instant within a call. Messages are numbers, each pushed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// At the end of what waits; only if there is room.
    Push(u32),
    /// From the front of it, to be done later; never delivered before.
    Take(u32),
    /// Of what was given back, in whatever order; this attempt.
    TakeAgain(u32, u8),
    /// Its room is free.
    Done(u32),
    /// By its holder.
    GiveBack(u32),
    /// Nothing waits. (What was given back is looked at separately: see [`Call`]'s checks.)
    Nothing,
    /// Nothing waits, is in hand, or was given back.
    AllDone,
}

/// One call: when it began and ended on a clock that all threads share, and its steps.
#[derive(Clone, Debug)]
pub struct Call {
    pub began: u64,
    pub ended: u64,
    pub steps: Vec<Step>,
}

/// The sequential queue.
#[derive(Clone, Default)]
struct State {
    waiting: VecDeque<u32>,
    /// In hand, or given back: with how many had it.
    out: BTreeMap<u32, (bool, u8)>,
}

impl State {
    fn step(&mut self, step: Step, capacity: usize) -> bool {
        match step {
            Step::Push(message) => {
                self.waiting.push_back(message);
                self.waiting.len() + self.out.len() <= capacity
            }
            Step::Take(message) => {
                self.out.insert(message, (true, 0));
                self.waiting.pop_front() == Some(message)
            }
            Step::TakeAgain(message, attempt) => {
                let given_back = attempt.checked_sub(1).map(|before| (false, before));
                self.out.insert(message, (true, attempt)) == given_back
            }
            Step::Done(message) => self.out.remove(&message).is_some_and(|(in_hand, _)| in_hand),
            Step::GiveBack(message) => match self.out.get_mut(&message) {
                Some((in_hand, _)) => std::mem::replace(in_hand, false),
                None => false,
            },
            Step::Nothing => self.waiting.is_empty(),
            Step::AllDone => self.waiting.is_empty() && self.out.is_empty(),
        }
    }
}

/// How far a thread is: calls done, and steps of the next one.
type Progress = Vec<(usize, usize)>;

/// Whether there is an order. `threads`: the calls of each, one after another.
pub fn is_linearizable(threads: &[Vec<Call>], capacity: usize) -> bool {
    let mut seen: HashSet<(Progress, Vec<u32>)> = HashSet::new();
    // What is done, and which thread to let go on next.
    let mut path: Vec<(Progress, State, usize)> = vec![(vec![(0, 0); threads.len()], State::default(), 0)];
    while let Some((progress, state, next)) = path.last_mut() {
        let pending = |thread: usize| threads[thread].get(progress[thread].0);
        let Some(first_end) = (0..threads.len()).filter_map(pending).map(|call| call.ended).min() else {
            return true; // everything is done
        };
        let thread = *next;
        if thread == threads.len() {
            path.pop();
            continue;
        }
        *next += 1;
        let Some(call) = pending(thread).filter(|call| call.began < first_end) else { continue };
        let (mut progress, mut state) = (progress.clone(), state.clone());
        let (calls, steps) = &mut progress[thread];
        if let Some(step) = call.steps.get(*steps) {
            if !state.step(*step, capacity) {
                continue;
            }
            *steps += 1;
        }
        if *steps >= call.steps.len() {
            (*calls, *steps) = (*calls + 1, 0);
        }
        if seen.insert((progress.clone(), state.waiting.iter().copied().collect())) {
            path.push((progress, state, 0));
        }
    }
    false
}

/// Necessary conditions that a search for one order does not show. Panics where one is broken.
///
/// 1. A message that was given back comes before any that waits: nobody takes a fresh one, or finds nothing,
///    in a call throughout which one that was given back was there.
/// 2. Conservation: what was pushed is taken once fresh, and done once.
pub fn check(threads: &[Vec<Call>]) {
    let calls = || threads.iter().flatten();
    let with = |wanted: Step| calls().filter(move |call| call.steps.contains(&wanted)).collect::<Vec<_>>();
    for call in calls() {
        for step in &call.steps {
            match *step {
                Step::Push(message) => {
                    for once in [step, &Step::Take(message), &Step::Done(message)] {
                        assert_eq!(with(*once).len(), 1, "{once:?}");
                    }
                }
                Step::GiveBack(message) => {
                    // Every time it was there: from the end of this call to the beginning of the next one that
                    // takes it.
                    let takes_it = |later: &&Call| {
                        let is_it = |it: &Step| matches!(it, Step::TakeAgain(m, _) if *m == message);
                        later.ended > call.began && later.steps.iter().any(is_it)
                    };
                    let again = calls().filter(takes_it).min_by_key(|later| later.ended);
                    let again = again.expect("it never came again").began;
                    let passed = calls().find(|other| {
                        let passes = |it: &Step| matches!(it, Step::Take(_) | Step::Nothing);
                        other.began > call.ended && other.ended < again && other.steps.iter().any(passes)
                    });
                    assert!(passed.is_none(), "{message} was there, but {passed:?}");
                }
                _ => {}
            }
        }
    }
}
