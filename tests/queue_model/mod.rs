//! A queue as one thread sees it, written down as plainly as possible: what each call must bring, exactly.
//!
//! A queue is places, each with a message in some state. A *ring* gives places out in the order of positions
//! that never end (no wraps here: that is the point), and messages come in that order:
//! - A push takes the first position from the tail on whose place is empty. On its way it may pass over a
//!   place that somebody holds, or whose message was given back (the position is void, a message in the
//!   making there has lost its place in the order), but never over a message that waits: then there is no
//!   room. Kill-only, it passes over what was given back only.
//! - A pop takes the first message. A message in the making before that loses its place in the order; or,
//!   kill-only, has to be waited for.
//!
//! An *indexed* queue has room while any place is empty, and messages come in the order of their commits.
//!
//! In both, messages that were given back come first, with their attempts counted.

use rialto::{Error, OnDeath, QueueConfig, QueueKind};

/// Whoever acts: one of two members.
pub type Who = usize;

/// The largest attempt that can be told.
const LAST_ATTEMPT: u8 = 31;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Empty,
    /// A message in the making that has this place in the order.
    Writing {
        who: Who,
        at: u64,
    },
    /// One that has lost it.
    Void {
        who: Who,
    },
    Waiting {
        at: u64,
        bytes: Vec<u8>,
    },
    InHand {
        who: Who,
        bytes: Vec<u8>,
        attempt: u8,
    },
    /// Whoever had it last, had it for the `attempt`th time.
    GivenBack {
        bytes: Vec<u8>,
        attempt: u8,
    },
}

use Place::*;

pub struct Model {
    config: QueueConfig,
    places: Vec<Place>,
    /// Of a ring: the next position. Of an indexed queue: counts commits.
    tail: u64,
    pub closed: bool,
    pub dropped: u64,
}

impl Model {
    pub fn new(config: QueueConfig) -> Model {
        let capacity = config.slots.max(2).next_power_of_two() as usize;
        Model { config, places: vec![Empty; capacity], tail: 0, closed: false, dropped: 0 }
    }

    fn is_ring(&self) -> bool {
        self.config.kind == QueueKind::Ring
    }

    /// Messages that were given back with this attempt or a higher one are set aside.
    fn limit(&self) -> u8 {
        if self.config.on_death == OnDeath::Stop { 0 } else { self.config.max_attempts }
    }

    fn index(&self, at: u64) -> usize {
        (at % self.places.len() as u64) as usize
    }

    // ---- producing

    fn room(&self) -> Option<u64> {
        if !self.is_ring() {
            return self.places.iter().position(|place| *place == Empty).map(|index| index as u64);
        }
        for at in self.tail..self.tail + self.places.len() as u64 {
            match self.places[self.index(at)] {
                Empty => return Some(at),
                GivenBack { .. } => {}
                Writing { .. } | Void { .. } | InHand { .. } if !self.config.kill_only => {}
                _ => return None,
            }
        }
        None
    }

    /// The place, if there is one.
    pub fn reserve(&mut self, who: Who, len: usize) -> Result<usize, Error> {
        if len > self.config.max_message_bytes as usize {
            return Err(Error::MessageTooLarge);
        }
        if self.closed {
            return Err(Error::Closed);
        }
        let at = self.room().ok_or(Error::WouldBlock)?;
        if self.is_ring() {
            for passed in self.tail..at {
                let index = self.index(passed);
                if let Writing { who, .. } = self.places[index] {
                    self.places[index] = Void { who };
                }
            }
            self.tail = at + 1;
        }
        let index = self.index(at);
        self.places[index] = Writing { who, at };
        Ok(index)
    }

    /// Sends what was written at a place; the place that it came to.
    pub fn publish(&mut self, index: usize, bytes: Vec<u8>) -> Result<usize, Error> {
        let (place, at) = match self.places[index] {
            Writing { at, .. } if self.is_ring() => (index, at),
            Writing { .. } => {
                self.tail += 1;
                (index, self.tail)
            }
            Void { who } => {
                let place = self.reserve(who, 0)?;
                self.places[index] = Empty;
                return self.publish(place, bytes);
            }
            _ => panic!("nobody writes there"),
        };
        self.places[place] = Waiting { at, bytes };
        Ok(place)
    }

    pub fn push(&mut self, who: Who, bytes: &[u8]) -> Result<(), Error> {
        let place = self.reserve(who, bytes.len())?;
        self.publish(place, bytes.to_vec()).map(drop)
    }

    /// A loan or a message in hand ends, and its place is free.
    pub fn free(&mut self, index: usize) {
        self.places[index] = Empty;
    }

    // ---- consuming

    /// Where the next message may come from: one place; of messages given back in an indexed queue, which
    /// are in no order, any.
    pub fn next(&self) -> Result<Vec<usize>, Error> {
        let given_back = self.given_back(|attempt| attempt < self.limit());
        if self.config.on_death == OnDeath::Stop && self.poisoned() > 0 {
            return Err(Error::Poisoned);
        }
        if !given_back.is_empty() {
            return Ok(given_back);
        }
        let waiting = self.places.iter().enumerate().filter_map(|(index, place)| match place {
            Waiting { at, .. } => Some((*at, index)),
            _ => None,
        });
        let first = waiting.min().filter(|first| !self.has_to_wait(first.0));
        let writing = self.places.iter().any(|place| matches!(place, Writing { .. }));
        match first {
            Some((_, index)) => Ok(vec![index]),
            None if self.closed && !writing => Err(Error::Closed),
            None => Err(Error::WouldBlock),
        }
    }

    fn has_to_wait(&self, first: u64) -> bool {
        let before = |place: &Place| matches!(place, Writing { at, .. } if *at < first);
        self.is_ring() && self.config.kill_only && self.places.iter().any(before)
    }

    /// As [`Model::next`], of those set aside.
    pub fn next_poisoned(&self) -> Result<Vec<usize>, Error> {
        let found = self.given_back(|attempt| attempt >= self.limit());
        if found.is_empty() { Err(Error::WouldBlock) } else { Ok(found) }
    }

    fn given_back(&self, which: impl Fn(u8) -> bool) -> Vec<usize> {
        let places = self.places.iter().enumerate();
        let found = places.filter(|(_, place)| matches!(place, GivenBack { attempt, .. } if which(*attempt)));
        found.map(|(index, _)| index).take(if self.is_ring() { 1 } else { usize::MAX }).collect()
    }

    /// The message at a place where the next one may come from, as its next holder sees it.
    pub fn message_at(&self, index: usize) -> (Vec<u8>, u8) {
        match &self.places[index] {
            Waiting { bytes, .. } => (bytes.clone(), 0),
            GivenBack { bytes, attempt } => (bytes.clone(), attempt + 1),
            InHand { bytes, attempt, .. } => (bytes.clone(), *attempt),
            _ => panic!("no message there"),
        }
    }

    pub fn take(&mut self, who: Who, index: usize) {
        let (bytes, attempt) = self.message_at(index);
        if let (Waiting { at: taken, .. }, true) = (&self.places[index], self.is_ring()) {
            let taken = *taken;
            for place in &mut self.places {
                match *place {
                    Writing { who, at } if at < taken => *place = Void { who },
                    _ => {}
                }
            }
        }
        self.places[index] = InHand { who, bytes, attempt };
    }

    pub fn give_back(&mut self, index: usize) {
        let (bytes, attempt) = self.message_at(index);
        let counts = attempt < LAST_ATTEMPT;
        self.dropped += u64::from(!counts);
        self.places[index] = if counts { GivenBack { bytes, attempt } } else { Empty };
    }

    pub fn die(&mut self, dead: Who) {
        for index in 0..self.places.len() {
            match self.places[index] {
                InHand { who, .. } if who == dead && self.config.on_death == OnDeath::Drop => {
                    self.dropped += 1;
                    self.places[index] = Empty;
                }
                InHand { who, .. } if who == dead => self.give_back(index),
                Writing { who, .. } | Void { who } if who == dead => self.places[index] = Empty,
                _ => {}
            }
        }
    }

    // ---- looking

    fn count(&self, which: impl Fn(&Place) -> bool) -> usize {
        self.places.iter().filter(|place| which(place)).count()
    }

    pub fn capacity(&self) -> usize {
        self.places.len()
    }

    pub fn len(&self) -> usize {
        self.count(|place| matches!(place, Waiting { .. } | GivenBack { .. }))
    }

    pub fn poisoned(&self) -> usize {
        self.count(|place| matches!(place, GivenBack { attempt, .. } if *attempt >= self.limit()))
    }

    pub fn unfinished(&self) -> usize {
        self.len() - self.poisoned() + self.count(|place| matches!(place, InHand { .. }))
    }

    pub fn is_full(&self) -> bool {
        self.room().is_none()
    }

    /// Whether a message that is being made has lost its place in the order.
    pub fn is_void(&self, index: usize) -> bool {
        matches!(self.places[index], Void { .. })
    }
}
