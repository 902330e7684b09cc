//! The books: what was put, what the survivors took, and what the dead can have done without a word. They
//! balance, or a message is lost, comes twice, or comes without its mark.

use super::{
    Verdict, check,
    diary::{Diary, Note},
};
use rialto::OnDeath;

/// What a survivor took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub value: u64,
    pub attempt: u8,
    /// It had been set aside, and was asked for as such.
    pub set_aside: bool,
}

/// In the order in which the survivors took them.
pub type Log = Vec<Delivery>;

/// What was promised.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub on_death: OnDeath,
    /// Messages with more attempts are set aside.
    pub limit: u8,
    /// What the queue says it gave up.
    pub dropped: u64,
    /// Whoever gives up a message may have been killed before counting it.
    pub uncounted: bool,
}

/// How somebody's hold on a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done,
    /// It died with the message in hand.
    Died,
    /// It died ending it.
    Ending,
    Back,
    /// It died giving it back.
    GivingBack,
}

pub struct Books<'a> {
    /// What lay there at first, and the attempt that its next holder is told.
    pub first: &'a [(u64, u8)],
    /// What others have put for certain.
    pub put: &'a [u64],
    pub log: &'a Log,
    pub diaries: &'a [Diary],
    pub terms: Terms,
}

impl Books<'_> {
    pub fn balance(&self) -> Verdict {
        self.try_balance().map_err(|what| {
            let notes: Vec<_> = self.diaries.iter().map(Diary::notes).filter(|it| !it.is_empty()).collect();
            format!("{what}: {:?}, {notes:?}", short(self.log))
        })
    }

    fn try_balance(&self) -> Verdict {
        let terms = self.terms;
        let (mut silent, mut silent_ends) = (0, 0);
        for diary in self.diaries {
            let (count, ends) = silence(&diary.notes());
            silent += count;
            silent_ends += if ends || terms.on_death == OnDeath::Drop { count } else { 0 };
        }
        let (mut marks, mut lost, mut dropped, mut perhaps_dropped) = (0, 0, 0, 0);
        let known = self.known();
        for &(value, base, sure) in &known {
            let mut takes = self.takes(value);
            takes.sort_by_key(|take| take.0);
            let mut next = base;
            for (i, &(attempt, end)) in takes.iter().enumerate() {
                let wrong = |what: &str| Err(format!("{value} {what}"));
                if i > 0 && takes[i - 1].0 == attempt {
                    return wrong("was taken twice with the same mark");
                }
                if attempt < next {
                    return wrong("has lost a mark");
                }
                if sure == Some(false) {
                    return wrong("was not put, and is there");
                }
                marks += u64::from(attempt - next);
                next = attempt + 1;
                if i + 1 < takes.len() {
                    if end == End::Done {
                        return wrong("came again after its end");
                    }
                    if terms.on_death == OnDeath::Drop && matches!(end, End::Died | End::Ending) {
                        return wrong("was to be dropped, and came again");
                    }
                }
            }
            let drops = terms.on_death == OnDeath::Drop;
            match takes.last().map(|take| take.1) {
                None => lost += u64::from(sure == Some(true)),
                Some(End::Done) => {}
                Some(End::Ending) => perhaps_dropped += 1,
                Some(End::Died) if drops => dropped += 1,
                Some(End::GivingBack) if drops => perhaps_dropped += 1,
                Some(_) => lost += 1,
            }
        }
        check(marks + lost <= silent, || {
            format!("{lost} lost, {marks} marks too many, {silent} in silent hands")
        })?;
        check(lost <= silent_ends, || format!("{lost} lost in hands that ended nothing"))?;
        if terms.on_death == OnDeath::Drop {
            check(marks == 0, || "a mark where messages are dropped".into())?;
            let (least, most) = (dropped, dropped + perhaps_dropped + silent);
            let least = if terms.uncounted { 0 } else { least };
            check((least..=most).contains(&terms.dropped), || {
                format!("{} dropped, not {least} to {most}", terms.dropped)
            })?;
        } else {
            check(terms.dropped == 0, || format!("{} dropped", terms.dropped))?;
        }
        for it in self.log {
            check(known.iter().any(|known| known.0 == it.value), || format!("{it:?} was never put"))?;
            check(it.set_aside == (it.attempt > terms.limit), || format!("{it:?} came on the wrong way"))?;
        }
        self.in_order(self.first.iter().map(|it| it.0))?;
        for diary in self.diaries {
            self.whole_batch(&diary.notes())?;
        }
        Ok(())
    }

    /// (value, the first attempt, whether it was put: surely, surely not, or nobody knows).
    fn known(&self) -> Vec<(u64, u8, Option<bool>)> {
        let mut known: Vec<_> = self.first.iter().map(|it| (it.0, it.1, Some(true))).collect();
        known.extend(self.put.iter().map(|it| (*it, 0, Some(true))));
        for diary in self.diaries {
            for note in diary.notes() {
                let place = |known: &mut Vec<(u64, u8, Option<bool>)>, value, sure| match known
                    .iter_mut()
                    .find(|it| it.0 == value)
                {
                    Some(it) => it.2 = sure,
                    None => known.push((value, 0, sure)),
                };
                match note {
                    Note::Putting(value) => place(&mut known, value, None),
                    Note::Put(value) => place(&mut known, value, Some(true)),
                    Note::NotPut(value) => place(&mut known, value, Some(false)),
                    _ => {}
                }
            }
        }
        known
    }

    fn takes(&self, value: u64) -> Vec<(u8, End)> {
        let mine = self.log.iter().filter(|it| it.value == value).map(|it| (it.attempt, End::Done));
        let mut takes: Vec<_> = mine.collect();
        for diary in self.diaries {
            let mut held = None;
            for note in diary.notes() {
                held = match note {
                    Note::Saw(v, attempt) if v == value => Some((attempt, End::Died)),
                    Note::Got(v, attempt) if v == value => Some((attempt, End::Done)),
                    Note::Ending(v) if v == value => held.map(|it| (it.0, End::Ending)),
                    Note::Ended(v) if v == value => held.map(|it| (it.0, End::Done)),
                    Note::GivingBack(v) if v == value => held.map(|it| (it.0, End::GivingBack)),
                    Note::GaveBack(v) if v == value => held.map(|it| (it.0, End::Back)),
                    _ => held,
                };
            }
            takes.extend(held);
        }
        takes
    }

    /// The unmarked of these came in this order.
    fn in_order(&self, values: impl Iterator<Item = u64>) -> Verdict {
        let at = |v| self.log.iter().position(|it| it.value == v && it.attempt == 0);
        let places: Vec<usize> = values.filter_map(at).collect();
        check(places.is_sorted(), || "out of order".into())
    }

    /// Of what one call puts there, the first so many are there, in order.
    fn whole_batch(&self, notes: &[Note]) -> Verdict {
        let batch: Vec<u64> =
            notes.iter().filter_map(|it| if let Note::Putting(v) = it { Some(*v) } else { None }).collect();
        self.in_order(batch.iter().copied())?;
        // Those that somebody may have taken without a word do not show.
        if self.diaries.iter().any(|diary| silence(&diary.notes()).0 > 0) {
            return Ok(());
        }
        let there: Vec<bool> = batch.iter().map(|v| !self.takes(*v).is_empty()).collect();
        check(there.is_sorted_by(|a, b| a >= b), || "a batch has holes".into())
    }
}

/// How many messages an actor can have taken without a word, and whether its call would have ended them.
fn silence(notes: &[Note]) -> (u64, bool) {
    let mut silent = (0, false);
    for note in notes {
        match note {
            Note::Taking { count, ends } => silent = (*count, *ends),
            Note::Took => silent = (0, false),
            Note::Saw(..) | Note::Got(..) => silent.0 = silent.0.saturating_sub(1),
            _ => {}
        }
    }
    silent
}

fn short(log: &Log) -> Vec<(u64, u8)> {
    log.iter().map(|it| (it.value, it.attempt)).collect()
}

/// What was given back or redelivered comes before what nobody had; what is set aside for its attempts, after.
pub fn marked_first(log: &[Delivery], terms: Terms) -> Verdict {
    let late = |it: &Delivery| it.set_aside && terms.on_death != OnDeath::Stop;
    let ranks: Vec<u8> = log.iter().map(|it| if late(it) { 2 } else { u8::from(it.attempt == 0) }).collect();
    check(ranks.is_sorted(), || format!("redelivered ones do not come first: {:?}", short(&log.to_vec())))
}
