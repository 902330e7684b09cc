//! The ring without threads: its arithmetic against 128-bit numbers, its operations against a model, and
//! everything against a peer that writes what it likes.
#![cfg(not(rialto_loom))]

use proptest::prelude::*;
use rialto::{
    ring::{
        Claim, Header, MAX_ATTEMPTS, Position, Refused, Ring, Slots,
        index::{Geometry, MAX_SHIFT, TURN_BITS, next_turn, previous_turn, turns_ahead},
        word::{self, Word},
    },
    sync::{AtomicU64, Ordering::*},
};
use std::{cell::Cell, collections::BTreeMap};

const LIMIT: u8 = 2;
const TURNS: i128 = 1 << TURN_BITS;

// ---- arithmetic

proptest! {
    #[test]
    fn positions_are_numbers_modulo_their_width(
        shift in 1..=MAX_SHIFT, raw: u64, count: u32, back in 0u64..1 << 40,
    ) {
        let g = Geometry::new(shift);
        let capacity = 1i128 << shift;
        let width = TURNS * capacity;
        let at = g.wrap(raw);
        let number = i128::from(raw).rem_euclid(width);
        prop_assert_eq!(i128::from(at), number);
        prop_assert_eq!(i128::from(g.turn(at)), number / capacity);
        prop_assert_eq!(i128::from(g.index(at)), number % capacity);
        prop_assert_eq!(g.position(g.turn(at), g.index(at)), at);
        let later = g.add(at, count);
        prop_assert_eq!(i128::from(later), (number + i128::from(count)).rem_euclid(width));
        prop_assert_eq!(g.ahead(later, at), i64::from(count));
        let earlier = g.wrap(at.wrapping_sub(back));
        prop_assert_eq!(i128::from(g.ahead(at, earlier)), i128::from(back) % width);
        prop_assert_eq!(g.ahead(earlier, at), -g.ahead(at, earlier));
    }

    #[test]
    fn turns_compare_across_the_wrap(turn in 0..1u64 << TURN_BITS, laps in -(1i64 << 43) + 1..1i64 << 43) {
        let other = (i128::from(turn) + i128::from(laps)).rem_euclid(TURNS) as u64;
        prop_assert_eq!(turns_ahead(other, turn), laps);
        prop_assert_eq!(i128::from(next_turn(turn)), (i128::from(turn) + 1) % TURNS);
        prop_assert_eq!(previous_turn(next_turn(turn)), turn);
    }

    #[test]
    fn jumps_go_where_a_seen_turn_proves(shift in 1..=MAX_SHIFT, raw: u64, laps in 1i128..1000) {
        let g = Geometry::new(shift);
        let capacity = 1i128 << shift;
        let at = g.wrap(raw);
        let seen = (i128::from(g.turn(at)) + laps).rem_euclid(TURNS) as u64;
        let number = i128::from(at);
        let expect = |proven: i128| (number.max(proven) + 1).rem_euclid(TURNS * capacity);
        prop_assert_eq!(i128::from(g.after_spent(seen, at)), expect(number + (laps - 1) * capacity));
        prop_assert_eq!(i128::from(g.after_dead(seen, at)), expect(number + (laps - 2) * capacity));
    }

    #[test]
    fn any_bits_decode(shift: u32, a: u64, b: u64, index: u32) {
        let g = Geometry::new(shift);
        for at in [a, g.wrap(a), g.after_spent(b, a), g.after_dead(b, a), g.position(b, index)] {
            prop_assert!(g.index(at) < g.capacity());
            prop_assert!(g.turn(at) < 1 << TURN_BITS);
        }
        let word = Word(a);
        prop_assert!(word.turn() < 1 << TURN_BITS && word.attempt() < 32 && word.owner() < 4096);
        prop_assert_eq!(word.freed(), Word::empty(next_turn(word.turn())));
    }
}

// ---- a ring in private memory

#[derive(Clone, Copy)]
struct Words<'a>(&'a [AtomicU64]);

impl Slots for Words<'_> {
    fn word(&self, index: u32) -> &AtomicU64 {
        &self.0[index as usize]
    }
}

struct Memory {
    header: Header,
    words: Vec<AtomicU64>,
    shift: u32,
    stop_safe: bool,
}

impl Memory {
    fn new(shift: u32, stop_safe: bool, first_turn: u64) -> Memory {
        let words = (0..1 << shift).map(|_| AtomicU64::new(0)).collect();
        let memory = Memory { header: Header::new(), words, shift, stop_safe };
        memory.ring().format(first_turn);
        memory
    }
    fn ring(&self) -> Ring<'_, Words<'_>> {
        Ring::new(&self.header, Words(&self.words), self.shift, self.stop_safe)
    }
    fn word(&self, index: u32) -> Word {
        Word(self.words[index as usize].load(SeqCst))
    }
    fn push(&self, me: u16) -> u32 {
        let position = self.ring().reserve(me).unwrap();
        assert!(self.ring().publish(me, position));
        position.index
    }
    fn pop(&self, me: u16) -> (u32, u8) {
        let claim = self.ring().claim(me, LIMIT).unwrap();
        self.ring().release(me, claim);
        (claim.index, claim.attempt)
    }
}

#[test]
fn fills_drains_and_laps_in_order_across_the_wrap() {
    for stop_safe in [false, true] {
        for shift in [1, 3] {
            let memory = Memory::new(shift, stop_safe, (1 << TURN_BITS) - 3);
            for _ in 0..10 {
                for index in 0..1 << shift {
                    assert_eq!(memory.push(1), index);
                }
                assert_eq!(memory.ring().reserve(1), Err(Refused::Full));
                assert_eq!(memory.ring().len(), 1 << shift);
                for index in 0..1 << shift {
                    assert_eq!(memory.pop(2), (index, 0));
                }
                assert_eq!(memory.ring().claim(2, LIMIT), Err(Refused::Empty));
            }
            let ten_laps = Geometry::new(shift).position(7, 0);
            assert_eq!(memory.header.hints(), (ten_laps, ten_laps), "hints must cross the wrap too");
        }
    }
}

/// A writer is stopped; everybody who claims behind it dies before publishing. Nothing is published, so
/// no consumer voids the stopped one's position: producers must pass it by themselves.
#[test]
fn a_gap_behind_a_stopped_writer_does_not_fill_the_ring_for_ever() {
    let memory = Memory::new(3, true, (1 << TURN_BITS) - 1);
    let ring = memory.ring();
    let stopped = ring.reserve(2).unwrap();
    for _ in 0..7 {
        let _ = ring.reserve(3).unwrap();
        assert_eq!(ring.recover(3, || true).freed, 1);
    }
    for _ in 0..4 {
        for _ in 0..7 {
            memory.push(4);
        }
        assert!(!ring.has_writers(), "the stopped one's position is void");
        assert_eq!(ring.reserve(4), Err(Refused::Full));
        for _ in 0..7 {
            memory.pop(5);
        }
        assert_eq!(ring.claim(5, LIMIT), Err(Refused::Empty));
    }
    assert!(!ring.publish(2, stopped), "the position was voided");
    for _ in 0..8 {
        memory.push(2);
    }
}

/// A slot at turn x proves only that consumers are past its position of lap x - 2: here lap 1's was
/// voided while lap 0 still held messages.
#[test]
fn a_head_hint_set_back_a_lap_skips_no_message() {
    let memory = Memory::new(3, true, 0);
    let ring = memory.ring();
    for _ in 0..8 {
        memory.push(1);
    }
    let held = ring.claim(2, LIMIT).unwrap();
    memory.pop(3);
    memory.pop(3);
    assert_eq!(memory.push(1), 1); // voids position 8 on its way
    ring.release(2, held);
    assert_eq!(memory.word(0), Word::empty(2));
    let (tail, head) = memory.header.hints();
    assert_eq!(head, 3);
    memory.header.set_hints(tail, 0);
    let order: Vec<u32> = (0..6).map(|_| memory.pop(3).0).collect();
    assert_eq!(order, [3, 4, 5, 6, 7, 1]);
}

#[test]
fn attempts_rise_to_the_limit_then_the_message_is_poisoned_and_in_the_end_dropped() {
    for stop_safe in [false, true] {
        let memory = Memory::new(1, stop_safe, 7);
        let ring = memory.ring();
        memory.push(1);
        for attempt in 0..=LIMIT {
            let claim = ring.claim(2, LIMIT).unwrap();
            assert_eq!(claim.attempt, attempt);
            let recovery = ring.recover(2, || true);
            assert!(recovery.complete && recovery.raised && recovery.redelivered == 1);
        }
        assert_eq!(ring.claim(2, LIMIT), Err(Refused::Empty));
        assert!(!ring.has_orphans());
        assert_eq!(ring.len(), 1);
        // One slot is left for the others, and it laps the poisoned one.
        for _ in 0..3 {
            memory.push(1);
            assert_eq!(ring.reserve(1), Err(Refused::Full));
            assert_eq!(memory.pop(3).1, 0);
        }
        for attempt in LIMIT + 1..=MAX_ATTEMPTS {
            let claim = ring.claim_poisoned(3, LIMIT).unwrap();
            assert_eq!(claim.attempt, attempt);
            assert!(ring.abandon(3, claim));
        }
        assert_eq!(ring.claim_poisoned(3, MAX_ATTEMPTS).unwrap().attempt, MAX_ATTEMPTS + 1);
        let recovery = ring.recover(3, || true);
        assert_eq!((recovery.dropped, recovery.redelivered), (1, 0));
        assert_eq!(memory.header.dropped(), 1);
        assert!(ring.is_empty());
        memory.push(1);
        memory.push(1);
    }
}

#[test]
fn a_recoverer_that_comes_late_changes_nothing_and_says_so() {
    let memory = Memory::new(2, true, 0);
    let ring = memory.ring();
    memory.push(1);
    let _held = ring.claim(2, LIMIT).unwrap();
    let before = memory.word(0);
    let recovery = ring.recover(2, || false);
    assert!(!recovery.complete && recovery.redelivered == 0);
    assert_eq!(memory.word(0), before);
}

// ---- random histories against a model

/// A compare-and-swap that some party had ready when it was stopped.
#[derive(Clone, Copy, Debug)]
struct Late {
    index: u32,
    seen: Word,
    next: Word,
    by: By,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Recoverer { of: usize, epoch: u32 },
    Adopter(usize),
    Lapper,
    Writer(usize),
    Reader(usize),
}

const MEMBERS: usize = 6;

/// What should be in the ring. Positions are counted from `origin`, without wrapping.
struct World {
    memory: Memory,
    origin: u64,
    payload: Vec<u32>,
    next_message: u32,
    published: BTreeMap<i64, u32>,
    writing: Vec<(usize, Position, u32)>,
    reading: Vec<(usize, Claim, u32)>,
    orphans: BTreeMap<u32, u8>,
    epoch: [u32; MEMBERS + 1],
    dying: [bool; MEMBERS + 1],
    late: Vec<Late>,
    last_reserved: i64,
    last_claimed: i64,
    /// Slots whose writer may have been voided by a late lapper.
    lapped: Vec<u32>,
}

impl World {
    fn new(shift: u32, stop_safe: bool, first_turn: u64) -> World {
        let memory = Memory::new(shift, stop_safe, first_turn);
        let (tail, head) = memory.header.hints();
        assert_eq!(tail, head);
        World {
            origin: tail,
            payload: vec![0; 1 << shift],
            memory,
            next_message: 1,
            published: BTreeMap::new(),
            writing: vec![],
            reading: vec![],
            orphans: BTreeMap::new(),
            epoch: [0; MEMBERS + 1],
            dying: [false; MEMBERS + 1],
            late: vec![],
            last_reserved: -1,
            last_claimed: -1,
            lapped: vec![],
        }
    }

    fn geometry(&self) -> Geometry {
        Geometry::new(self.memory.shift)
    }
    fn count(&self, turn: u64, index: u32) -> i64 {
        self.geometry().ahead(self.geometry().position(turn, index), self.origin)
    }
    fn capacity(&self) -> usize {
        self.payload.len()
    }
    fn occupied(&self) -> usize {
        self.published.len() + self.writing.len() + self.reading.len() + self.orphans.len()
    }

    fn on_reserved(&mut self, member: usize, position: Position) {
        let count = self.count(position.turn, position.index);
        assert!(count > self.last_reserved, "position {count} after {}", self.last_reserved);
        self.last_reserved = count;
        self.payload[position.index as usize] = self.next_message;
        self.writing.push((member, position, self.next_message));
        self.next_message += 1;
    }

    fn reserve(&mut self, member: usize) -> bool {
        match self.memory.ring().reserve(member as u16) {
            Ok(position) => {
                assert!(self.occupied() < self.capacity());
                self.on_reserved(member, position);
                true
            }
            Err(refused) => {
                assert_eq!(refused, Refused::Full);
                let held = self.writing.len() + self.reading.len();
                let full = self.occupied() == self.capacity();
                let excused = !self.published.is_empty() || (!self.memory.stop_safe && held > 0);
                assert!(full || excused, "Full with {} of {} in use", self.occupied(), self.capacity());
                false
            }
        }
    }

    fn publish(&mut self, which: usize) {
        let (member, position, message) = self.writing.remove(which);
        let count = self.count(position.turn, position.index);
        if self.memory.ring().publish(member as u16, position) {
            assert!(count > self.last_claimed, "published behind what was popped already");
            self.published.insert(count, message);
        } else {
            assert!(self.memory.stop_safe);
            let lapped =
                self.last_reserved > count + self.capacity() as i64 || self.lapped.contains(&position.index);
            assert!(count < self.last_claimed || lapped, "voided without need");
        }
    }

    fn on_claimed(&mut self, member: usize, claim: Claim) {
        let message = self.payload[claim.index as usize];
        if claim.attempt == 0 {
            let first = self.published.pop_first();
            assert_eq!(first, Some((self.count(claim.turn, claim.index), message)), "out of order");
            self.last_claimed = first.unwrap().0;
        } else {
            let before = self.orphans.remove(&message);
            assert_eq!(before, Some(claim.attempt - 1), "message {message} was no such orphan");
        }
        self.reading.push((member, claim, message));
    }

    fn claim(&mut self, member: usize) -> bool {
        let adoptable = self.orphans.values().any(|attempt| *attempt < LIMIT);
        let announced = !self.dying.contains(&true); // else a recovery may be half done
        match self.memory.ring().claim(member as u16, LIMIT) {
            Ok(claim) => {
                assert!(claim.attempt > 0 || !(adoptable && announced), "an orphan comes first");
                assert!(claim.attempt <= LIMIT);
                self.on_claimed(member, claim);
                true
            }
            Err(refused) => {
                assert_eq!(refused, Refused::Empty);
                assert!(!(adoptable && announced), "Empty with orphans {:?}", self.orphans);
                if let Some((first, _)) = self.published.first_key_value() {
                    let waits_for = |w: &(usize, Position, u32)| self.count(w.1.turn, w.1.index) < *first;
                    assert!(!self.memory.stop_safe && self.writing.iter().any(waits_for), "Empty");
                }
                false
            }
        }
    }

    fn release(&mut self, which: usize, abandon: bool) {
        let (member, claim, message) = self.reading.remove(which);
        assert_eq!(self.payload[claim.index as usize], message, "overwritten in hand");
        if !abandon {
            self.memory.ring().release(member as u16, claim);
        } else if self.memory.ring().abandon(member as u16, claim) {
            self.orphans.insert(message, claim.attempt);
        } else {
            assert!(claim.attempt > MAX_ATTEMPTS);
        }
    }

    /// `member` dies. Somebody begins to recover it and is stopped with its next step in hand.
    fn die(&mut self, member: usize) {
        if self.dying[member] {
            return;
        }
        self.dying[member] = true;
        let dead = |by: By| by == By::Adopter(member) || by == By::Writer(member) || by == By::Reader(member);
        self.late.retain(|late| !dead(late.by));
        for index in 0..self.capacity() as u32 {
            let seen = self.memory.word(index);
            if seen.is_held_by(member as u16) {
                let keep = seen.phase() == word::READING && seen.attempt() < word::LAST_ATTEMPT;
                let next = if keep { Word::orphan(seen.turn(), seen.attempt()) } else { seen.freed() };
                let by = By::Recoverer { of: member, epoch: self.epoch[member] };
                self.late.push(Late { index, seen, next, by });
            }
        }
    }

    /// A whole recovery, after which the id belongs to somebody else.
    fn recover(&mut self, member: usize) {
        let result = self.memory.ring().recover(member as u16, || true);
        assert!(result.complete);
        let mut redelivered = 0;
        let mut dropped = 0;
        for (_, claim, message) in self.reading.extract_if(.., |held| held.0 == member) {
            assert_eq!(self.payload[claim.index as usize], message, "overwritten in a dead hand");
            if claim.attempt < word::LAST_ATTEMPT {
                self.orphans.insert(message, claim.attempt);
                redelivered += 1;
            } else {
                dropped += 1;
            }
        }
        let freed = self.writing.extract_if(.., |held| held.0 == member).count() as u32;
        assert_eq!((result.redelivered, result.dropped, result.freed), (redelivered, dropped, freed));
        assert_eq!(result.raised, !self.orphans.is_empty());
        self.dying[member] = false;
        self.epoch[member] += 1;
    }

    /// Somebody is stopped with a compare-and-swap in hand, on the slot at a hint or elsewhere.
    fn stop_somebody(&mut self, member: usize, choice: u8) {
        if self.dying[member] || self.late.len() > 12 {
            return;
        }
        let (tail, head) = self.memory.header.hints();
        let (g, me) = (self.geometry(), member as u16);
        let at = if choice & 1 == 0 { tail } else { head };
        let index = if choice & 2 == 0 { g.index(at) } else { g.mask(u32::from(choice >> 2)) };
        let seen = self.memory.word(index);
        let later = |from: u64, is: &dyn Fn(Word, u64) -> bool| {
            let mut after = (1..g.capacity()).map(|n| g.add(from, n));
            after.any(|p| is(self.memory.word(g.index(p)), g.turn(p)))
        };
        let free_later = later(tail, &|word, turn| word == Word::empty(turn));
        let message_later = later(head, &|word, turn| word == Word::full(turn));
        let at_tail = index == g.index(tail) && next_turn(seen.turn()) == g.turn(tail) && free_later;
        let unfinished_before = |count: i64| {
            let word = |w: &(usize, Position, u32)| (self.memory.word(w.1.index), w.1.turn, w.1.index);
            let mut held = self.writing.iter().map(word);
            held.any(|(w, turn, index)| {
                w.phase() == word::WRITING && w.turn() == turn && self.count(turn, index) < count
            })
        };
        let (next, by) = match seen.phase() {
            word::EMPTY if index == g.index(tail) && seen.turn() == g.turn(tail) => {
                (Word::writing(seen.turn(), me), By::Writer(member))
            }
            word::FULL
                if self.published.keys().next() == Some(&self.count(seen.turn(), index))
                    && !unfinished_before(self.count(seen.turn(), index)) =>
            {
                (Word::reading(seen.turn(), 0, me), By::Reader(member))
            }
            word::ORPHAN if choice & 1 == 0 && seen.attempt() < LIMIT => {
                (Word::reading(seen.turn(), seen.attempt() + 1, me), By::Adopter(member))
            }
            word::ORPHAN if at_tail => (seen.lapped(g.turn(tail)), By::Lapper),
            word::WRITING | word::READING | word::HOLE if at_tail && self.memory.stop_safe => {
                (seen.lapped(g.turn(tail)), By::Lapper)
            }
            word::WRITING
                if self.memory.stop_safe
                    && index == g.index(head)
                    && seen.turn() == g.turn(head)
                    && message_later =>
            {
                (Word::hole(seen.turn(), seen.owner()), By::Lapper)
            }
            _ => return,
        };
        self.late.push(Late { index, seen, next, by });
    }

    /// It goes on, however much later.
    fn resume_somebody(&mut self, which: usize) {
        let Late { index, seen, next, by } = self.late.swap_remove(which);
        let slot = &self.memory.words[index as usize];
        if slot.compare_exchange(seen.0, next.0, SeqCst, SeqCst).is_err() {
            return;
        }
        let message = self.payload[index as usize];
        match by {
            By::Lapper => self.lapped.push(index),
            By::Writer(member) => self.on_reserved(member, Position { index, turn: next.turn() }),
            By::Reader(member) | By::Adopter(member) => {
                self.on_claimed(member, Claim { index, attempt: next.attempt(), turn: next.turn() });
            }
            By::Recoverer { of, epoch } => {
                assert!(self.dying[of] && self.epoch[of] == epoch, "a living holder was robbed");
                if next.phase() == word::ORPHAN {
                    self.reading.retain(|held| held.2 != message);
                    self.orphans.insert(message, next.attempt());
                } else {
                    self.writing.retain(|held| held.1.index != index);
                    self.reading.retain(|held| held.1.index != index);
                }
            }
        }
    }

    fn step(&mut self, op: u8, a: u8, b: u8) {
        let member = 1 + usize::from(a) % MEMBERS;
        let pick = |len: usize| usize::from(b) % len.max(1);
        let alive = !self.dying[member];
        match op {
            0..=5 if alive && self.reserve(member) => self.publish(self.writing.len() - 1),
            6..=11 if alive && self.claim(member) => self.release(self.reading.len() - 1, false),
            12..=13 if alive => drop(self.reserve(member)),
            14..=16 if alive => drop(self.claim(member)),
            17..=18 => {
                let which = pick(self.writing.len());
                if self.writing.get(which).is_some_and(|held| !self.dying[held.0]) {
                    self.publish(which);
                }
            }
            19 => {
                let which = pick(self.writing.len());
                if self.writing.get(which).is_some_and(|held| !self.dying[held.0]) {
                    let (member, position, _) = self.writing.remove(which);
                    self.memory.ring().cancel(member as u16, position);
                }
            }
            20..=23 => {
                let which = pick(self.reading.len());
                if self.reading.get(which).is_some_and(|held| !self.dying[held.0]) {
                    self.release(which, op == 23);
                }
            }
            24 if alive => {
                if let Some(claim) = self.memory.ring().claim_poisoned(member as u16, LIMIT) {
                    assert!(claim.attempt > LIMIT);
                    self.on_claimed(member, claim);
                } else {
                    assert!(self.orphans.values().all(|attempt| *attempt < LIMIT));
                }
            }
            25..=26 => self.die(member),
            27..=28 if !alive => self.recover(member),
            29..=31 => self.stop_somebody(member, b),
            32..=34 if !self.late.is_empty() => self.resume_somebody(pick(self.late.len())),
            35 => {
                let (tail, head) = self.memory.header.hints();
                let back = u64::from(b) % (4 * self.capacity() as u64);
                let g = self.geometry();
                let set_back = |hint: u64| g.wrap(hint.wrapping_sub(back));
                match a & 1 {
                    0 => self.memory.header.set_hints(set_back(tail), head),
                    _ => self.memory.header.set_hints(tail, set_back(head)),
                }
            }
            _ => {}
        }
        let waiting = self.published.len() + self.orphans.len();
        assert_eq!(self.memory.ring().len() as usize, waiting);
        if !self.memory.stop_safe {
            assert_eq!(self.memory.ring().has_writers(), !self.writing.is_empty());
        }
    }

    /// Everybody comes home; nothing may be missing, and the ring is as good as new.
    fn finish(&mut self) {
        (1..=MEMBERS)
            .filter(|m| self.dying[*m])
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|m| self.recover(m));
        while !self.writing.is_empty() {
            self.publish(0);
        }
        while !self.reading.is_empty() {
            self.release(0, false);
        }
        while self.claim(1) {
            self.release(0, false);
        }
        while let Some(claim) = self.memory.ring().claim_poisoned(1, LIMIT) {
            self.on_claimed(1, claim);
            self.release(0, false);
        }
        assert!(self.published.is_empty() && self.orphans.is_empty(), "lost");
        for _ in 0..self.capacity() {
            assert!(self.reserve(2), "capacity lost");
            self.publish(0);
        }
        assert!(!self.reserve(2));
        for _ in 0..self.capacity() {
            assert!(self.claim(3));
            self.release(0, false);
        }
        assert!(!self.claim(3));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn random_histories_agree_with_a_queue_and_a_bag_of_orphans(
        shift in 1u32..4, stop_safe: bool, laps_before_wrap in 0u64..4,
        ops in prop::collection::vec((0u8..36, any::<u8>(), any::<u8>()), 0..300),
    ) {
        let mut world = World::new(shift, stop_safe, (1 << TURN_BITS) - laps_before_wrap);
        for (op, a, b) in ops {
            world.step(op, a, b);
        }
        world.finish();
    }
}

// ---- hostile memory

/// Slots whose contents a peer rewrites whenever we look.
#[derive(Clone, Copy)]
struct Hostile<'a> {
    words: &'a [AtomicU64],
    random: &'a Cell<u64>,
    accesses: &'a Cell<u64>,
    near_turn: u64,
    /// One access in so many is preceded by a rewrite; 0: none is.
    rate: u64,
}

impl Hostile<'_> {
    fn random(&self) -> u64 {
        let mut x = self.random.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.random.set(x);
        x
    }
    /// Something that an honest peer might have written, or anything.
    fn junk(&self) -> u64 {
        let (kind, x) = (self.random(), self.random());
        let turn = self.near_turn.wrapping_add(x % 4).wrapping_sub(2) << 20;
        match kind % 4 {
            0 => x,
            1 => turn | (x >> 20 & 0xf_ffff),
            _ => turn | [0, 1 << 3 | 1, 2, 1 << 3 | 3, 1 << 3 | 4, 5][(x >> 20) as usize % 6],
        }
    }
}

impl Slots for Hostile<'_> {
    fn word(&self, index: u32) -> &AtomicU64 {
        self.accesses.set(self.accesses.get() + 1);
        let slot = &self.words[index as usize];
        if self.rate != 0 && self.random() % self.rate == 0 {
            slot.store(self.junk(), SeqCst);
        }
        slot
    }
}

fn survive(shift: u32, stop_safe: bool, seed: u64, hints: (u64, u64), rate: u64, calls: u32) {
    let header = Header::new();
    let words: Vec<AtomicU64> = (0..1 << shift).map(|_| AtomicU64::new(0)).collect();
    let (random, accesses) = (Cell::new(seed | 1), Cell::new(0));
    let near_turn = hints.0 >> shift & ((1 << TURN_BITS) - 1);
    let hostile = Hostile { words: &words, random: &random, accesses: &accesses, near_turn, rate };
    let ring = Ring::new(&header, hostile, shift, stop_safe);
    header.set_hints(hints.0, hints.1);
    words.iter().for_each(|word| word.store(hostile.junk(), SeqCst));
    // Each step of a budget makes at most two accesses; a call may spend one budget in each of two
    // loops, and look at every slot once more.
    let bound = 4 * (8 * (1 << shift) + 1000) + 4 * (1 << shift);
    for call in 0..calls {
        accesses.set(0);
        let member = 1 + (call % 3) as u16;
        let any = Claim { index: hostile.random() as u32, attempt: call as u8, turn: hostile.random() };
        match hostile.random() % 8 {
            0 | 1 => {
                if let Ok(position) = ring.reserve(member) {
                    assert!(position.index < ring.capacity());
                    let _ = ring.publish(member, position);
                }
            }
            2 | 3 => {
                if let Ok(claim) = ring.claim(member, call as u8) {
                    assert!(claim.index < ring.capacity() && claim.attempt < 32);
                    ring.release(member, claim);
                }
            }
            4 => drop(ring.recover(member, || call % 2 == 0)),
            5 => drop(ring.abandon(member, any)),
            6 => ring.cancel(member, Position { index: any.index, turn: any.turn }),
            _ => {
                if let Some(claim) = ring.claim_poisoned(member, call as u8) {
                    ring.release(member, claim);
                }
                assert!(ring.len() <= ring.capacity());
            }
        }
        assert!(accesses.get() <= bound, "{} accesses in one call", accesses.get());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_peer_that_scribbles_can_spoil_the_ring_but_not_hold_or_crash_us(
        shift in 1u32..7, stop_safe: bool, seed: u64, tail: u64, head: u64, rate in 0u64..4, close: bool,
    ) {
        let head = if close { tail.wrapping_sub(head % 100) } else { head };
        survive(shift, stop_safe, seed, (tail, head), rate, 60);
    }
}

#[test]
fn the_largest_ring_is_bounded_too() {
    for rate in [0, 1, 2] {
        survive(MAX_SHIFT, true, 99 + rate, (12345 << MAX_SHIFT, 12345 << MAX_SHIFT), rate, 12);
    }
}

/// Every slot held but the last: each must be lapped, and looking for the free one must not be done anew
/// for each. Then the same for consumers, over as many stopped writers.
#[test]
fn one_call_passes_a_whole_ring_of_stopped_parties() {
    let memory = Memory::new(MAX_SHIFT, true, 0);
    let ring = memory.ring();
    let slots = ring.capacity();
    for _ in 0..slots - 1 {
        let _ = ring.reserve(2).unwrap();
    }
    memory.push(1);
    assert_eq!(memory.pop(3).0, slots - 1); // voided all stopped writers
    assert_eq!(memory.push(1), slots - 1); // lapped them
    assert_eq!(memory.pop(3).0, slots - 1);
    assert_eq!(memory.word(slots - 1), Word::empty(2));
}
