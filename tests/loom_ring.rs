//! Models of the ring: every interleaving, within a bound of preemptions, of two or three parties on two
//! slots, with deaths at every shared access. Payloads are loom cells: whoever touches one without owning
//! its slot is found out, whatever the words say.
//!
//! ```text
//! RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_ring --target-dir target/loom
//! ```
//!
//! Each ordering of `ring/mpmc`'s table was weakened once, alone, and these models then failed:
//!
//! | weakened | fails |
//! |---|---|
//! | reserve E->W, without Acquire | a_hand_over_*, k_a_slow_reader.., k_a_writer.. |
//! | reserve, without Release | g_two_victims_unpublished |
//! | claim F->R, without Acquire | d, h, k_a_writer.. |
//! | claim, without Release | g_two_victims_message_in_hand, g_.._lapped_message |
//! | adopt O->R, without Acquire | i_an_orphan_found_early.. |
//! | adopt, without Release | g_two_victims_message_in_hand |
//! | publish W->F, Relaxed | d, h, k_a_writer.. |
//! | publish by store, Relaxed (kill-only) | h |
//! | release R->E, Relaxed | a_hand_over_stop_safe, k_a_slow_reader.. |
//! | release by store, Relaxed (kill-only) | a_hand_over_kill_only |
//! | give back, Relaxed | k_a_slow_reader.. |
//! | cancel by store, Relaxed (kill-only) | k_a_cancelled_slot.. |
//! | abandon R->O, Relaxed | i_an_orphan_found_early.. |
//! | `recover`'s load of the slot, Relaxed | g_two_victims_*, all |
//! | `recover`'s compare-and-swap, Relaxed | e_producer_killed_* |
//! | raise, the generation, Relaxed | i_a_clear_never_loses_a_raise |
//! | raise, the bit, Relaxed | nothing: it continues the generation's release sequence. It is SeqCst only for the sleeper (below) |
//! | `claim`'s load of the orphan word, Relaxed | i_a_clear.., f_adopter_killed.. |
//! | no fences in h | h |
//!
//! SeqCst itself cannot be weakened here: loom treats it as AcqRel. h shows with fences why reserve and
//! `has_writers` need it; that publishing needs it is `loom_wait`'s matter. The Relaxed loads and stores
//! of hints, of `look`, and the Relaxed voids and laps are as they are in the code: every model runs on
//! them.
//!
//! And these changes of the algorithm: `recover` without asking `still_dying`, or asking before it reads
//! the slot word (g, all); adoption that does not raise the attempt (g_.._message_in_hand); no raise, or
//! a raise only for orphans made, not for those met (g_.._message_in_hand); a raise without a generation
//! (i_a_clear..); publishing by a plain store in a stop-safe ring (k_a_writer..); a lapped reader that
//! does not give back (k_a_slow_reader..). A jump of one lap too far by a stale head hint and a producer
//! that does not lap writers need longer histories: `prop_ring` finds both, and names them.
#![cfg(rialto_loom)]

use loom::{
    cell::UnsafeCell,
    model::Builder,
    thread::{self, JoinHandle},
};
use rialto::{
    ring::{
        Header, MemberId, Recovery, Ring, Slots,
        word::{HOLE, Word},
    },
    sync::{AtomicU64, Ordering::*, fuel, model_fence},
};
use std::{
    cell::Cell,
    sync::{Arc, atomic::AtomicBool},
};

const LIMIT: u8 = 5;
/// Slots of every model's ring: two.
const SHIFT: u32 = 1;
const CAPACITY: usize = 2;

const FREE: u64 = 0;
const LIVE: u64 = 1;
const DYING: u64 = 2;

#[derive(Clone, Copy)]
struct Words<'a>(&'a [AtomicU64]);

impl Slots for Words<'_> {
    fn word(&self, index: u32) -> &AtomicU64 {
        &self.0[index as usize]
    }
}

/// A ring, its payloads, and the member table: `epoch << 2 | state`, all LIVE in epoch 0.
struct World {
    header: Header,
    words: Vec<AtomicU64>,
    payload: Vec<UnsafeCell<u64>>,
    members: Vec<AtomicU64>,
    stop_safe: bool,
}

impl World {
    fn new(stop_safe: bool) -> World {
        let world = World {
            header: Header::new(),
            words: (0..CAPACITY).map(|_| AtomicU64::new(0)).collect(),
            payload: (0..CAPACITY).map(|_| UnsafeCell::new(0)).collect(),
            members: (0..6).map(|_| AtomicU64::new(LIVE)).collect(),
            stop_safe,
        };
        world.ring().format(1);
        world
    }

    fn ring(&self) -> Ring<'_, Words<'_>> {
        Ring::new(&self.header, Words(&self.words), SHIFT, self.stop_safe)
    }

    fn word(&self, index: u32) -> Word {
        Word(self.words[index as usize].load(Acquire))
    }

    fn write(&self, index: u32, message: u64) {
        // SAFETY: the slot is reserved for the caller; loom reports it if not.
        self.payload[index as usize].with_mut(|payload| unsafe { *payload = message });
    }

    fn read(&self, index: u32) -> u64 {
        // SAFETY: as in `write`.
        self.payload[index as usize].with(|payload| unsafe { *payload })
    }

    /// False: full.
    fn push(&self, me: MemberId, message: u64) -> bool {
        while let Ok(position) = self.ring().reserve(me) {
            self.write(position.index, message);
            if self.ring().publish(me, position) {
                return true;
            }
        }
        false
    }

    /// A message and its attempt.
    fn pop(&self, me: MemberId) -> Option<(u64, u8)> {
        let claim = self.ring().claim(me, LIMIT).ok()?;
        let message = self.read(claim.index);
        self.ring().release(me, claim);
        Some((message, claim.attempt))
    }

    /// What a kernel and somebody who asked it do: `member` is known dead from here on.
    fn bury(&self, member: MemberId) {
        let word = &self.members[usize::from(member)];
        word.compare_exchange(LIVE, DYING, AcqRel, Acquire).unwrap();
    }

    /// Recovers `member`'s epoch 0; frees the id if this recovery was whole.
    fn recover(&self, member: MemberId) -> Recovery {
        let word = &self.members[usize::from(member)];
        let recovery = self.ring().recover(member, || word.load(Acquire) == DYING);
        if recovery.complete {
            let _ = word.compare_exchange(DYING, 1 << 2 | FREE, AcqRel, Acquire);
        }
        recovery
    }

    /// Takes over the id for epoch 1, if it is free.
    fn reissue(&self, member: MemberId) -> bool {
        let word = &self.members[usize::from(member)];
        word.compare_exchange(1 << 2 | FREE, 1 << 2 | LIVE, AcqRel, Acquire).is_ok()
    }

    /// Alone at the end: buries nobody, recovers the dying, takes out what is left, and finds the ring as
    /// good as new.
    fn finish(&self) -> Vec<(u64, u8)> {
        for member in 1..6 {
            if self.members[usize::from(member)].load(Acquire) == DYING {
                assert!(self.recover(member).complete);
            }
        }
        let mut left = vec![];
        while let Some(message) = self.pop(5) {
            left.push(message);
        }
        assert!(!self.ring().has_orphans());
        for message in [71, 72] {
            assert!(self.push(5, message), "capacity lost");
        }
        assert!(!self.push(5, 73));
        assert_eq!([self.pop(5), self.pop(5), self.pop(5)], [Some((71, 0)), Some((72, 0)), None]);
        left
    }
}

std::thread_local! { static OTHERS_FIRST: Cell<bool> = const { Cell::new(false) }; }

/// Explores `model` twice: from an execution in which the model's own thread runs on after a [`spawn`],
/// and from one in which it lets the others go first. loom remembers only the last access to each atomic,
/// and so does not see that a party's load conflicts with a later compare-and-swap by another one that
/// loads first, as all of ours do: from the first kind alone it never gets to the second.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let model = Arc::new(model);
    for others_first in [false, true] {
        let mut builder = Builder::new();
        builder.preemption_bound = Some(preemptions);
        OTHERS_FIRST.set(others_first); // loom's threads all run on this one
        let model = model.clone();
        builder.check(move || model());
    }
}

fn spawn<T: 'static>(party: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    let handle = thread::spawn(party);
    if OTHERS_FIRST.get() {
        thread::yield_now();
    }
    handle
}

/// Runs `model(world, n)` for n = 0, 1, ... until no execution says that somebody was killed at its n-th
/// access; at least `at_least` accesses must have been tried.
fn kill_everywhere(
    at_least: u32,
    preemptions: usize,
    stop_safe: bool,
    model: impl Fn(Arc<World>, u32) -> bool + Send + Sync + Copy + 'static,
) {
    for n in 0.. {
        let killed = Arc::new(AtomicBool::new(false));
        let seen = killed.clone();
        check(preemptions, move || {
            if model(Arc::new(World::new(stop_safe)), n) {
                seen.store(true, SeqCst);
            }
        });
        if !killed.load(SeqCst) {
            assert!(n >= at_least, "only {n} accesses");
            return;
        }
    }
}

fn sorted(mut messages: Vec<u64>) -> Vec<u64> {
    messages.sort();
    messages
}

// ---- (a) hand-over, both ways

fn hands_over(stop_safe: bool) {
    check(3, move || {
        let world = Arc::new(World::new(stop_safe));
        assert!(world.push(1, 10) && world.push(1, 11));
        let other = world.clone();
        let producer = spawn(move || [12, 13].into_iter().filter(|m| other.push(1, *m)).count() as u64);
        let mut got: Vec<u64> = (0..2).filter_map(|_| world.pop(2)).map(|m| m.0).collect();
        let sent = producer.join().unwrap();
        got.extend(world.finish().into_iter().map(|m| m.0));
        let expected: Vec<u64> =
            [10, 11].into_iter().chain([12, 13].into_iter().take(got.len() - 2)).collect();
        // 12 may have found the ring full and 13 not.
        assert!(got == expected || got == [10, 11, 13]);
        assert_eq!(got.len() as u64, 2 + sent);
    });
}

#[test]
fn a_hand_over_stop_safe() {
    hands_over(true);
}

#[test]
fn a_hand_over_kill_only() {
    hands_over(false);
}

// ---- (b), (c) two of a kind

#[test]
fn b_two_producers_and_a_consumer() {
    for stop_safe in [false, true] {
        check(2, move || {
            let world = Arc::new(World::new(stop_safe));
            let (one, two) = (world.clone(), world.clone());
            let one = spawn(move || assert!(one.push(1, 10)));
            let two = spawn(move || assert!(two.push(2, 20)));
            let mut got: Vec<u64> = world.pop(3).into_iter().map(|m| m.0).collect();
            one.join().unwrap();
            two.join().unwrap();
            got.extend(world.finish().into_iter().map(|m| m.0));
            assert_eq!(sorted(got), [10, 20]);
        });
    }
}

#[test]
fn c_two_consumers_get_each_message_once() {
    for stop_safe in [false, true] {
        check(3, move || {
            let world = Arc::new(World::new(stop_safe));
            assert!(world.push(3, 10) && world.push(3, 20));
            let other = world.clone();
            let other = spawn(move || other.pop(1).unwrap());
            let mine = world.pop(2).unwrap();
            let theirs = other.join().unwrap();
            assert_eq!(world.finish(), []);
            assert_eq!(sorted(vec![mine.0, theirs.0]), [10, 20]);
            assert_eq!((mine.1, theirs.1), (0, 0));
        });
    }
}

// ---- (d) stale hints

#[test]
fn d_hints_set_back_by_laps_while_both_sides_work() {
    check(3, || {
        let world = Arc::new(World::new(true));
        for message in 0..7 {
            assert!(world.push(1, message));
            assert_eq!(world.pop(1), Some((message, 0)));
        }
        assert!(world.push(1, 10));
        let (tail, head) = world.header.hints();
        world.header.set_hints(tail - 6, head - 5);
        let other = world.clone();
        let producer = spawn(move || {
            assert!(other.push(1, 11));
            let (_, head) = other.header.hints();
            other.header.set_hints(tail - 3, head.min(tail - 4));
        });
        let mut got: Vec<_> = (0..2).filter_map(|_| world.pop(2)).collect();
        producer.join().unwrap();
        got.extend(world.finish());
        assert_eq!(got, [(10, 0), (11, 0)]);
    });
}

// ---- voiding

/// A slow writer's position is voided by a consumer that has something later to take; the slot is
/// given back and used again.
#[test]
fn k_a_writer_publishes_or_is_voided_never_both() {
    check(3, || {
        let world = Arc::new(World::new(true));
        let slow = world.ring().reserve(1).unwrap();
        world.write(slow.index, 10);
        assert!(world.push(2, 20));
        let other = world.clone();
        let writer = spawn(move || {
            let published = other.ring().publish(1, slow);
            if !published { other.push(1, 10) } else { published }
        });
        let mut got: Vec<u64> = (0..2).filter_map(|_| world.pop(3)).map(|m| m.0).collect();
        world.push(3, 30); // into a slot that both may just have given back
        let sent = writer.join().unwrap();
        got.extend(world.finish().into_iter().map(|m| m.0));
        assert_eq!(got.iter().filter(|m| **m == 10).count(), usize::from(sent));
        assert_eq!(got.iter().filter(|m| **m == 20).count(), 1);
    });
}

/// A producer passes a reader that is slow; the reader gives its slot back in the end.
#[test]
fn k_a_slow_reader_is_lapped_and_keeps_its_message() {
    check(3, || {
        let world = Arc::new(World::new(true));
        assert!(world.push(1, 10) && world.push(1, 11));
        let slow = world.ring().claim(2, LIMIT).unwrap();
        assert_eq!(world.pop(3), Some((11, 0)));
        let other = world.clone();
        let reader = spawn(move || {
            let message = other.read(slow.index);
            other.ring().release(2, slow);
            message
        });
        assert!(world.push(1, 12));
        let more = world.push(1, 13);
        assert_eq!(reader.join().unwrap(), 10);
        let left: Vec<u64> = world.finish().into_iter().map(|m| m.0).collect();
        assert_eq!(left, if more { vec![12, 13] } else { vec![12] });
    });
}

#[test]
fn k_a_cancelled_slot_is_used_again() {
    for stop_safe in [false, true] {
        check(3, move || {
            let world = Arc::new(World::new(stop_safe));
            let position = world.ring().reserve(1).unwrap();
            let other = world.clone();
            let canceller = spawn(move || {
                other.write(position.index, 99);
                other.ring().cancel(1, position);
            });
            let pushed = (20..23).filter(|message| world.push(2, *message)).count();
            canceller.join().unwrap();
            assert!((1..=2).contains(&pushed));
            assert_eq!(world.finish().len(), pushed);
        });
    }
}

// ---- (e) a producer is killed

fn producer_killed(stop_safe: bool, before: u64, meanwhile: Meanwhile) {
    kill_everywhere(3, 2, stop_safe, move |world, n| {
        for message in 0..before {
            assert!(world.push(3, message));
        }
        let other = world.clone();
        let victim = spawn(move || {
            let sent = fuel::run_killed_at(n, || other.push(1, 10));
            if sent.is_none() {
                other.bury(1);
                let _ = other.recover(1);
            }
            sent
        });
        let mut got = vec![];
        let mut pushed = vec![];
        match meanwhile {
            Meanwhile::Produce => pushed.extend([20, 21].into_iter().filter(|m| world.push(2, *m))),
            _ => got.extend((0..2).filter_map(|_| world.pop(2))),
        }
        let sent = victim.join().unwrap();
        got.extend(world.finish());
        if meanwhile == Meanwhile::Produce {
            let theirs: Vec<u64> = got.iter().map(|m| m.0).filter(|m| *m != 10).collect();
            assert!(theirs.len() == got.len() || sent != Some(false));
            assert!(theirs.len() < got.len() || sent != Some(true));
            assert_eq!(theirs, pushed);
            return sent.is_none();
        }
        let mut expected: Vec<_> = (0..before).map(|m| (m, 0)).collect();
        if sent == Some(true) || (sent.is_none() && got.len() > expected.len()) {
            expected.push((10, 0));
        }
        assert_eq!(got, expected);
        sent.is_none()
    });
}

#[test]
fn e_producer_killed_stop_safe() {
    producer_killed(true, 0, Meanwhile::Recover);
    producer_killed(true, 1, Meanwhile::Recover);
    producer_killed(true, 0, Meanwhile::Produce);
}

#[test]
fn e_producer_killed_kill_only() {
    producer_killed(false, 0, Meanwhile::Recover);
    producer_killed(false, 1, Meanwhile::Recover);
    producer_killed(false, 0, Meanwhile::Produce);
}

// ---- (f) a consumer is killed

/// What the others do meanwhile.
#[derive(Clone, Copy, PartialEq)]
enum Meanwhile {
    Recover,
    Adopt,
    Produce,
}

fn consumer_killed(stop_safe: bool, meanwhile: Meanwhile, abandon: bool) {
    kill_everywhere(4, 2, stop_safe, move |world, n| {
        assert!(world.push(3, 10) && world.push(3, 11));
        if meanwhile == Meanwhile::Adopt {
            // 10 is an orphan before, so the victim is an adopter.
            let held = world.ring().claim(4, LIMIT).unwrap();
            assert!(world.ring().abandon(4, held));
        }
        let other = world.clone();
        let victim = spawn(move || {
            let done = fuel::run_killed_at(n, || match other.ring().claim(1, LIMIT) {
                Ok(claim) if abandon => {
                    assert!(other.ring().abandon(1, claim));
                    None
                }
                Ok(claim) => {
                    let message = other.read(claim.index);
                    other.ring().release(1, claim);
                    Some((message, claim.attempt))
                }
                Err(_) => None,
            });
            if done.is_none() {
                other.bury(1);
                if meanwhile != Meanwhile::Recover {
                    let _ = other.recover(1);
                }
            }
            done
        });
        let mut got = vec![];
        let mut pushed = false;
        match meanwhile {
            Meanwhile::Recover => {
                // Whoever notices first; here, between two calls.
                got.extend(world.pop(2));
                let _ = world.ring().recover(1, || world.members[1].load(Acquire) == DYING);
                got.extend(world.pop(2));
            }
            Meanwhile::Adopt => got.extend((0..2).filter_map(|_| world.pop(2))),
            Meanwhile::Produce => {
                got.extend(world.pop(2));
                pushed = world.push(3, 12);
            }
        }
        let done = victim.join().unwrap();
        let killed = done.is_none();
        got.extend(done.flatten());
        got.extend(world.finish());
        let mut expected = vec![10, 11];
        if pushed {
            expected.push(12);
        }
        let messages = sorted(got.iter().map(|m| m.0).collect());
        if killed && !abandon && messages.len() + 1 == expected.len() {
            // Killed behind its releasing access: what it had taken, nobody else may see again.
            expected.retain(|m| messages.contains(m));
        }
        assert_eq!(messages, expected);
        killed
    });
}

#[test]
fn f_consumer_killed_and_recovered_by_another() {
    consumer_killed(true, Meanwhile::Recover, false);
    consumer_killed(false, Meanwhile::Recover, false);
}

#[test]
fn f_consumer_killed_while_a_producer_laps() {
    consumer_killed(true, Meanwhile::Produce, false);
}

#[test]
fn f_adopter_killed_while_another_adopts() {
    consumer_killed(true, Meanwhile::Adopt, false);
    consumer_killed(false, Meanwhile::Adopt, false);
}

#[test]
fn f_killed_while_abandoning() {
    consumer_killed(true, Meanwhile::Recover, true);
    consumer_killed(true, Meanwhile::Produce, true);
}

// ---- (g) two victims: the holder is dead, and a recoverer dies or comes late

/// What the dead holder (member 1) has.
#[derive(Clone, Copy, PartialEq)]
enum Holds {
    Message,
    LappedMessage,
    Reserved,
    Hole,
}

/// Recoverer A is killed at its n-th access, or, once n is past its end, is merely stopped anywhere (that
/// is what loom's scheduler does to it). B recovers too, and gives the id to a new holder, from whom A
/// must take nothing. With `producer`, a third thread laps meanwhile.
fn two_victims(holds: Holds, stop_safe: bool, producer: bool, preemptions: usize) {
    kill_everywhere(3, preemptions, stop_safe, move |world, n| {
        let ring = world.ring();
        let mut messages = vec![];
        match holds {
            Holds::Message => {
                assert!(world.push(3, 10) && (producer || world.push(3, 11)));
                let _ = ring.claim(1, LIMIT).unwrap();
            }
            Holds::LappedMessage => {
                assert!(world.push(3, 10) && world.push(3, 0));
                let _ = ring.claim(1, LIMIT).unwrap();
                assert_eq!(world.pop(3), Some((0, 0)));
                assert!(world.push(3, 11));
            }
            Holds::Reserved => {
                let position = ring.reserve(1).unwrap();
                world.write(position.index, 99);
            }
            Holds::Hole => {
                let position = ring.reserve(1).unwrap();
                world.write(position.index, 99);
                assert!(world.push(3, 0));
                assert_eq!(world.pop(3), Some((0, 0)));
                assert_eq!(world.word(position.index).phase(), HOLE);
            }
        }
        world.bury(1);
        let a = world.clone();
        let a = spawn(move || {
            let done = fuel::run_killed_at(n, || a.recover(1));
            if done.is_none() {
                a.bury(2);
            }
            done.is_none()
        });
        let c = producer.then(|| {
            let c = world.clone();
            spawn(move || c.push(4, 11))
        });
        // B
        let _ = world.recover(1);
        assert!(world.reissue(1), "A and B are through or dead, and the id is not free");
        let killed;
        if matches!(holds, Holds::Message | Holds::LappedMessage) {
            let adopted = ring.claim(1, LIMIT).unwrap();
            assert_eq!((adopted.attempt, world.read(adopted.index)), (1, 10), "the raise was lost");
            let fresh = if producer { None } else { Some(ring.claim(1, LIMIT).unwrap()) };
            killed = a.join().unwrap();
            let pushed = c.map(|c| c.join().unwrap());
            for claim in [Some(adopted), fresh].into_iter().flatten() {
                let word = world.word(claim.index);
                assert!(word.is_held_by(1) && word.attempt() == claim.attempt, "robbed: {word:?}");
                messages.push(world.read(claim.index));
                ring.release(1, claim);
            }
            let left: Vec<u64> = world.finish().into_iter().map(|m| m.0).collect();
            messages.extend(left);
            assert_eq!(messages, if pushed == Some(false) { vec![10] } else { vec![10, 11] });
        } else {
            let mine = [ring.reserve(1).unwrap(), ring.reserve(1).unwrap()];
            killed = a.join().unwrap();
            for (position, message) in mine.into_iter().zip([10, 11]) {
                world.write(position.index, message);
                assert!(ring.publish(1, position), "robbed: {:?}", world.word(position.index));
            }
            assert_eq!(world.finish(), [(10, 0), (11, 0)]);
        }
        killed
    });
}

#[test]
fn g_two_victims_message_in_hand() {
    two_victims(Holds::Message, true, false, 3);
    two_victims(Holds::Message, false, false, 3);
}

#[test]
fn g_two_victims_lapped_message() {
    two_victims(Holds::LappedMessage, true, false, 3);
}

#[test]
fn g_two_victims_unpublished() {
    two_victims(Holds::Reserved, true, false, 3);
    two_victims(Holds::Reserved, false, false, 3);
    two_victims(Holds::Hole, true, false, 3);
}

#[test]
fn g_two_victims_and_a_lapping_producer() {
    two_victims(Holds::Message, true, true, 2);
}

// ---- (h) closing

/// The writer reserves, then looks at the flag; the closer sets it, then looks for writers. As SeqCst is
/// not modelled, the fences stand for it.
#[test]
fn h_after_a_close_that_sees_no_writer_nothing_is_published() {
    for stop_safe in [false, true] {
        check(3, move || {
            let world = Arc::new(World::new(stop_safe));
            let closed = Arc::new(AtomicU64::new(0));
            let (other, flag) = (world.clone(), closed.clone());
            let writer = spawn(move || {
                let position = other.ring().reserve(1).unwrap();
                model_fence();
                if flag.load(SeqCst) != 0 {
                    other.ring().cancel(1, position);
                    return false;
                }
                other.write(position.index, 10);
                other.ring().publish(1, position)
            });
            closed.store(1, SeqCst);
            model_fence();
            let quiet = !world.ring().has_writers();
            let drained = world.pop(2);
            let sent = writer.join().unwrap();
            let left = world.finish();
            assert_eq!(drained.iter().chain(&left).count(), usize::from(sent));
            assert!(!quiet || left.is_empty(), "published behind the close");
        });
    }
}

// ---- (i) the orphan word

#[test]
fn i_a_clear_never_loses_a_raise() {
    for stop_safe in [false, true] {
        check(3, move || {
            let world = Arc::new(World::new(stop_safe));
            assert!(world.push(3, 10) && world.push(3, 11));
            let first = world.ring().claim(1, LIMIT).unwrap();
            assert!(world.ring().abandon(1, first));
            assert_eq!(world.pop(1), Some((10, 1)));
            assert!(world.ring().has_orphans(), "nothing has cleared it yet");
            let held = world.ring().claim(1, LIMIT).unwrap(); // clears
            let again = world.ring();
            assert!(again.abandon(1, held));
            let held = again.claim(1, LIMIT).unwrap(); // leaves it raised, without an orphan
            let other = world.clone();
            let clears = spawn(move || other.pop(2));
            assert!(again.abandon(1, held));
            let mut got: Vec<_> = clears.join().unwrap().into_iter().collect();
            assert!(!got.is_empty() || world.ring().has_orphans(), "an orphan that nobody looks for");
            got.extend(world.finish());
            assert_eq!(got, [(11, 2)]);
        });
    }
}

/// The word is still raised for an orphan long gone; a new one is found before its own raise.
#[test]
fn i_an_orphan_found_early_is_read_whole() {
    check(2, || {
        let world = Arc::new(World::new(true));
        assert!(world.push(3, 10));
        let first = world.ring().claim(1, LIMIT).unwrap();
        assert!(world.ring().abandon(1, first));
        assert_eq!(world.pop(1), Some((10, 1)));
        assert!(world.ring().has_orphans());
        let other = world.clone();
        let abandoner = spawn(move || {
            let sent = other.push(1, 20); // unless the ring is full by then
            if let Ok(claim) = other.ring().claim(1, LIMIT) {
                let _ = other.read(claim.index);
                assert!(other.ring().abandon(1, claim));
            }
            usize::from(sent)
        });
        let mut got: Vec<u64> = world.pop(2).into_iter().map(|m| m.0).collect();
        let pushed = (30..32).filter(|message| world.push(2, *message)).count();
        let sent = abandoner.join().unwrap();
        got.extend(world.finish().into_iter().map(|m| m.0));
        assert_eq!(got.iter().filter(|m| **m == 20).count(), sent);
        assert_eq!(got.len(), sent + pushed);
    });
}

/// What an abandoner read is not overwritten before it has read it.
#[test]
fn i_an_abandoned_message_is_adopted_and_its_slot_used_again() {
    check(3, || {
        let world = Arc::new(World::new(true));
        assert!(world.push(3, 10) && world.push(3, 11));
        let held = world.ring().claim(1, LIMIT).unwrap();
        let other = world.clone();
        let abandoner = spawn(move || {
            assert_eq!(other.read(held.index), 10);
            assert!(other.ring().abandon(1, held));
        });
        let mut got: Vec<u64> = (0..2).filter_map(|_| world.pop(2)).map(|m| m.0).collect();
        let pushed = world.push(3, 12) as usize + world.push(3, 13) as usize;
        abandoner.join().unwrap();
        got.extend(world.finish().into_iter().map(|m| m.0));
        assert_eq!(sorted(got), (10..12 + pushed as u64).collect::<Vec<_>>());
    });
}
