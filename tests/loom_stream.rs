//! Models of the stream and of its ends: every interleaving, within a bound of preemptions, of a writer, a
//! reader and who goes on in their place, with deaths at every shared access. Payloads are loom cells: whoever
//! touches one without being entitled to is found out, whatever the words say.
//!
//! `RUSTFLAGS="--cfg rialto_loom" cargo test --release --test loom_stream --target-dir target/loom`
//!
//! Each line was tried once, and the model named (among others) failed:
//!
//! | weakened in `src/ring/stream.rs` | fails |
//! |---|---|
//! | `publish`: SeqCst -> Acquire | `a_record_is_whole_...` |
//! | `look_at`: Acquire -> Relaxed | `a_record_is_whole_...` |
//! | `release`: SeqCst -> Relaxed | `a_record_is_whole_...` |
//! | `hold`: Release -> Relaxed | `a_record_is_whole_...` |
//! | the writer's load of `head`: Acquire -> Relaxed | `a_record_is_whole_...` |
//! | `publish` does not zero the word behind | `a_record_is_whole_...` |
//! | the tail may reach the head | `a_record_is_whole_...` |
//! | `release` leaves the marks | `a_record_is_whole_...` |
//! | `prepare` publishes | `a_batch_appears_at_once` |
//! | `publish` or `end` stores | `either_the_reader_finds_...` |
//! | `Writer::take_over` does not walk | `a_writer_killed_anywhere_...` |
//! | `hold` does not mark | `a_reader_killed_anywhere_...` |
//!
//! | weakened in `src/spsc/ends.rs` | fails |
//! |---|---|
//! | `claim`: AcqRel -> Release | `a_writer_killed_anywhere_...` |
//! | `claim`: AcqRel -> Acquire | `a_late_recoverer_...` |
//! | `give_back`: SeqCst -> Acquire | `a_writer_killed_anywhere_...` |
//! | `sweep`: load Acquire -> Relaxed | `a_late_recoverer_...` |
//! | `sweep`: CAS SeqCst -> Relaxed | `a_writer_killed_anywhere_...` |
//! | `sweep` does not ask, or no count in the word | `a_late_recoverer_...` |
//!
//! Not shown: SeqCst against AcqRel, see `loom_wait`. Relaxed in the code, and so in every model: the word behind
//! a SKIP, tags, the words of a batch but the first, both words at a hand-over, the end of the stream.
#![cfg(rialto_loom)]

#[path = "models/memory.rs"]
mod memory;
mod models;

use loom::{sync::Arc, thread::yield_now};
use memory::{LONG, Memory, SHORT, beside, pop, prepare, push, reader, rest, writer};
use models::{Object, World, killed_at_every_access, leave, model, spawn, spawn_victim};
use rialto::{
    Error, Recovered,
    member::{Home, Incarnation, MemberId},
    ring::stream::{Reader, Refused, Writer},
    spsc::ends::{Claimed, End, Swept},
    sync::{AtomicU32, Ordering::*},
    sys::model::Model,
    time::Deadline,
    wait::{EventCount, NO_FD, Signal},
};
use std::sync::{Mutex, MutexGuard};

// ---- two parties, one at each end

#[test]
fn a_record_is_whole_when_it_is_seen_and_its_memory_free_when_it_is_reused() {
    model(4, || {
        let memory = Memory::new(48, 32); // two fit
        let mut first = writer(&memory);
        push(&mut first, SHORT, 1).unwrap();
        push(&mut first, SHORT, 2).unwrap();
        assert_eq!(push(&mut first, SHORT, 3), Err(Refused::Full));
        let (memory, sent, mut got) = beside(
            memory,
            |memory| {
                let mut writer = writer(memory);
                [3, 4].into_iter().filter(|m| push(&mut writer, SHORT, *m).is_ok()).collect::<Vec<_>>()
            },
            |memory| {
                let mut reader = reader(memory);
                (0..3).filter_map(|_| pop(&mut reader).ok()).collect::<Vec<_>>()
            },
        );
        got.extend(rest(&memory));
        let expected: Vec<_> = [1, 2].into_iter().chain(sent).map(|message| (message, 0)).collect();
        assert_eq!(got, expected);
    });
}

#[test]
fn a_record_that_does_not_fit_before_the_end_is_found_at_the_beginning() {
    model(4, || {
        let memory = Memory::new(80, 32); // 32..64 is taken, then 16 bytes are skipped
        let mut first = writer(&memory);
        push(&mut first, LONG, 1).unwrap();
        let (memory, sent, mut got) = beside(
            memory,
            |memory| {
                let mut writer = writer(memory);
                [2, 3].into_iter().filter(|m| push(&mut writer, LONG, *m).is_ok()).collect::<Vec<_>>()
            },
            |memory| {
                let mut reader = reader(memory);
                (0..3).filter_map(|_| pop(&mut reader).ok()).collect::<Vec<_>>()
            },
        );
        got.extend(rest(&memory));
        let expected: Vec<_> = [1].into_iter().chain(sent).map(|message| (message, 0)).collect();
        assert_eq!(got, expected);
    });
}

#[test]
fn a_batch_appears_at_once() {
    for first in [0, 16, 32, 48, 64] {
        model(4, move || {
            let (memory, (), seen) = beside(
                Memory::new(80, first), // with a skip within the batch, for some
                |memory| {
                    let mut writer = writer(memory);
                    for (len, message) in [(SHORT, 1), (LONG, 2)] {
                        prepare(&mut writer, len, message).unwrap();
                    }
                    writer.publish().unwrap();
                },
                |memory| {
                    let mut reader = reader(memory);
                    let record = reader.claim().ok()?;
                    let behind = reader.look_behind(&record).expect("the second came later than the first");
                    assert_eq!(memory.read(record.at(), record.len()), 1);
                    assert_eq!(memory.read(behind.at(), behind.len()), 2);
                    reader.release(&behind);
                    Some(())
                },
            );
            let expected = if seen.is_some() { vec![] } else { vec![(1, 0), (2, 0)] };
            assert_eq!(rest(&memory), expected);
        });
    }
}

#[test]
fn either_the_reader_finds_the_record_or_its_commit_fails() {
    model(4, || {
        let (memory, sent, ended) = beside(
            Memory::new(48, 0),
            |memory| {
                let mut writer = writer(memory);
                match push(&mut writer, SHORT, 1) {
                    Ok(()) => true,
                    Err(error) => {
                        assert_eq!(error, Refused::Ended);
                        // Not again, and not for who comes later.
                        assert_eq!(push(&mut writer, SHORT, 1), Err(Refused::Ended));
                        assert_eq!(push(&mut self::writer(memory), SHORT, 1), Err(Refused::Ended));
                        false
                    }
                }
            },
            |memory| reader(memory).end(),
        );
        assert_ne!(sent, ended);
        assert_eq!(rest(&memory), if sent { vec![(1, 0)] } else { vec![] });
        assert!(reader(&memory).end());
    });
}

// ---- sleepers

/// A stream of one record, and who sleeps.
struct Sleepy {
    memory: Memory,
    closed: AtomicU32,
    data: Signal,
    space: Signal,
}

fn sleepy() -> Arc<Sleepy> {
    let signal = || Signal { sleepers: EventCount::new(), pollers: EventCount::new() };
    let (data, space) = (signal(), signal());
    Arc::new(Sleepy { memory: Memory::new(32, 0), closed: AtomicU32::new(0), data, space })
}

impl Sleepy {
    fn push(&self, writer: &mut Writer<&Memory>, message: u32) -> Result<(), Error> {
        self.space.sleepers.block(
            Model,
            u64::MAX,
            Deadline::NEVER,
            |_| {},
            || {
                if self.closed.load(Acquire) != 0 {
                    return Err(Error::Closed);
                }
                push(writer, SHORT, message)?;
                self.data.notify(Model, NO_FD);
                Ok(())
            },
        )
    }

    fn pop(&self, reader: &mut Reader<&Memory>) -> Result<u32, Error> {
        self.data.sleepers.block(
            Model,
            u64::MAX,
            Deadline::NEVER,
            |_| {},
            || {
                let popped = match pop(reader) {
                    Err(Refused::Empty) if self.closed.load(Acquire) == 0 => Err(Refused::Empty),
                    Err(Refused::Empty) if !reader.end() => pop(reader),
                    Err(Refused::Empty) => Err(Refused::Ended),
                    other => other,
                }?;
                self.space.notify(Model, NO_FD);
                Ok(popped.0)
            },
        )
    }

    fn close(&self) {
        self.closed.swap(1, SeqCst);
        self.data.notify_all(Model, NO_FD);
        self.space.notify_all(Model, NO_FD);
    }
}

#[test]
fn a_record_and_the_room_of_one_are_seen_or_the_sleeper_is_woken() {
    model(3, || {
        let s = sleepy();
        let (one, two) = (s.clone(), s.clone());
        let write = loom::thread::spawn(move || {
            let mut writer = writer(&one.memory);
            (1..=2).for_each(|message| one.push(&mut writer, message).unwrap());
        });
        let read = loom::thread::spawn(move || {
            let mut reader = reader(&two.memory);
            [(); 2].map(|()| two.pop(&mut reader).unwrap())
        });
        write.join().unwrap();
        assert_eq!(read.join().unwrap(), [1, 2]);
    });
}

#[test]
fn after_a_close_what_was_pushed_comes_then_the_end() {
    model(2, || {
        let s = sleepy();
        let (one, two, three) = (s.clone(), s.clone(), s.clone());
        let write = loom::thread::spawn(move || {
            let mut writer = writer(&one.memory);
            (1..=2).take_while(|message| one.push(&mut writer, *message).is_ok()).collect::<Vec<_>>()
        });
        let read = loom::thread::spawn(move || {
            let mut reader = reader(&two.memory);
            let mut got = vec![];
            loop {
                match two.pop(&mut reader) {
                    Ok(message) => got.push(message),
                    Err(error) => {
                        assert_eq!(error, Error::Closed);
                        return got;
                    }
                }
            }
        });
        let close = loom::thread::spawn(move || three.close());
        close.join().unwrap();
        assert_eq!(write.join().unwrap(), read.join().unwrap());
    });
}

// ---- somebody else goes on

/// What became of a message at a reader that may die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    InHand(u32),
    Released(u32),
}

/// A stream with ends that members claim.
struct Ended {
    memory: Memory,
    producer: AtomicU32,
    consumer: AtomicU32,
    free: EventCount,
    log: Mutex<Vec<Step>>,
}

impl Object for Ended {
    fn sweep(world: &World<Self>, dead: Incarnation, is_dying: &dyn Fn() -> bool) -> (Recovered, bool) {
        let mut whole = true;
        for end in [world.producer(), world.consumer()] {
            match end.sweep(dead.id, is_dying) {
                Swept::Freed => world.object.free.notify_all(Model),
                Swept::NotTheirs => {}
                Swept::Unknown => whole = false,
            }
        }
        (Recovered::default(), whole)
    }
}

trait Ends {
    fn producer(&self) -> End<'_>;
    fn consumer(&self) -> End<'_>;
    fn claim(&self, end: End<'_>, me: MemberId) -> u32;
    fn give_back(&self, end: End<'_>, mine: u32);
    fn log(&self) -> MutexGuard<'_, Vec<Step>>;
}

impl Ends for World<Ended> {
    fn producer(&self) -> End<'_> {
        End(&self.object.producer)
    }
    fn consumer(&self) -> End<'_> {
        End(&self.object.consumer)
    }
    /// Sleeps until it is free.
    fn claim(&self, end: End<'_>, me: MemberId) -> u32 {
        let claimed = self.block(&self.object.free, Deadline::NEVER, || {
            end.claim(me).map_err(|error| {
                assert_eq!(error, Error::EndTaken);
                Error::WouldBlock
            })
        });
        claimed.unwrap().mine
    }
    fn give_back(&self, end: End<'_>, mine: u32) {
        assert!(end.is(mine) && end.give_back(Claimed { mine, died: false }), "a living owner was robbed");
        self.object.free.notify_all(Model);
    }
    fn log(&self) -> MutexGuard<'_, Vec<Step>> {
        self.object.log.lock().unwrap()
    }
}

fn ended(members: u16, bytes: u32, first: u32) -> Arc<World<Ended>> {
    World::new(
        members,
        Ended {
            memory: Memory::new(bytes, first),
            producer: AtomicU32::new(0),
            consumer: AtomicU32::new(0),
            free: EventCount::new(),
            log: Mutex::new(vec![]),
        },
    )
}

/// What happens when somebody has died: others notice, at the latest at their tick.
fn heirs(w: &World<Ended>) {
    w.recover();
    w.finished.tick_until(1);
}

#[test]
fn a_writer_killed_anywhere_has_pushed_or_not_and_the_next_goes_on_behind() {
    for first in [0, 48] {
        killed_at_every_access(10, 2, move |n| {
            let w = ended(2, 80, first); // four short ones; from 48 on, the long one skips
            let victim = spawn_victim(
                &w,
                1,
                n,
                |w| {
                    let mine = w.claim(w.producer(), 1);
                    let mut writer = writer(&w.object.memory);
                    push(&mut writer, SHORT, 1).unwrap();
                    prepare(&mut writer, LONG, 2).unwrap();
                    prepare(&mut writer, SHORT, 3).unwrap_or_else(|full| assert_eq!(full, Refused::Full));
                    writer.publish().unwrap();
                    w.give_back(w.producer(), mine);
                },
                heirs,
            );
            let next = spawn(&w, 2, |w| {
                let mine = w.claim(w.producer(), 2);
                let mut writer = writer(&w.object.memory);
                let sent = push(&mut writer, SHORT, 4).is_ok();
                w.give_back(w.producer(), mine);
                w.finished.add();
                sent
            });
            let killed = victim.join().unwrap();
            let sent = next.join().unwrap();
            let mut got: Vec<u32> = rest(&w.object.memory).iter().map(|(message, _)| *message).collect();
            // First in the queue, if the next one was faster.
            let at = got.iter().position(|message| *message == 4);
            assert_eq!(at.is_some(), sent);
            at.map(|at| got.remove(at));
            assert!(at.is_none_or(|at| at == 0 || at == got.len() || at == 1 && killed && got.len() == 1));
            let batch = if got.contains(&3) { vec![1, 2, 3] } else { vec![1, 2] };
            assert!(got == batch || killed && (got.is_empty() || got == [1]), "{got:?}");
            killed
        });
    }
}

#[test]
fn a_reader_killed_anywhere_leaves_the_next_what_it_had_in_hand_marked() {
    for (first, preemptions, with_a_producer) in [(48, 2, false), (48, 1, true)] {
        killed_at_every_access(10, preemptions, move |n| {
            let w = ended(2, 80, first);
            let mut before = writer(&w.object.memory);
            push(&mut before, SHORT, 1).unwrap();
            push(&mut before, LONG, 2).unwrap(); // from 48 on, it skips
            let victim = spawn_victim(
                &w,
                1,
                n,
                |w| {
                    let mine = w.claim(w.consumer(), 1);
                    let mut reader = reader(&w.object.memory);
                    while let Ok(record) = reader.claim() {
                        let message = w.object.memory.read(record.at(), record.len());
                        w.log().push(Step::InHand(message));
                        reader.release(&record);
                        w.log().push(Step::Released(message));
                    }
                    w.give_back(w.consumer(), mine);
                },
                heirs,
            );
            let next = spawn(&w, 2, |w| {
                let mine = w.claim(w.consumer(), 2);
                let mut reader = reader(&w.object.memory);
                let mut got = vec![];
                while let Ok(message) = pop(&mut reader) {
                    got.push(message);
                }
                w.give_back(w.consumer(), mine);
                w.finished.add();
                got
            });
            // Into the memory that they leave.
            let w3 = w.clone();
            let producer = loom::thread::spawn(move || {
                with_a_producer && push(&mut writer(&w3.object.memory), SHORT, 3).is_ok()
            });
            let killed = victim.join().unwrap();
            let mut got = next.join().unwrap();
            let sent = producer.join().unwrap();
            got.extend(rest(&w.object.memory));
            let log = w.log().clone();
            if let Some(Step::InHand(message)) = log.last() {
                // Killed with it: it comes again, and says so.
                assert!(killed);
                let again = got.iter_mut().find(|again| **again == (*message, 1));
                again.expect("lost, or not marked").1 = 0;
            }
            assert!(got.iter().all(|(_, attempt)| *attempt == 0), "nobody had that: {got:?} {log:?}");
            let mut all: Vec<u32> = got.iter().map(|(message, _)| *message).collect();
            all.extend(log.iter().filter_map(|step| match step {
                Step::Released(message) => Some(*message),
                Step::InHand(_) => None,
            }));
            all.sort();
            assert_eq!(all, if sent { vec![1, 2, 3] } else { vec![1, 2] });
            killed
        });
    }
}

#[test]
fn a_late_recoverer_does_not_take_the_end_from_the_ids_next_holder() {
    for pause in [yield_now, || {}] {
        model(3, move || {
            let w = ended(1, 48, 0);
            let dead = spawn(&w, 1, |w| {
                w.claim(w.producer(), 1);
                w.die();
            });
            dead.join().unwrap();
            let late = spawn(&w, 0, move |w| drop(w.recover_by(pause)));
            // Joins, with the dead one's id.
            let next = spawn(&w, 0, |w| {
                w.recover();
                assert_eq!(w.me(), Ok(1), "it got another id, and the model shows nothing");
                let mine = w.claim(w.producer(), 1);
                yield_now();
                w.give_back(w.producer(), mine);
                leave(w, 1).unwrap();
            });
            next.join().unwrap();
            late.join().unwrap();
            assert!(!w.producer().is_held_by(1));
        });
    }
}

// ---- ends without members (`src/stream`)

#[test]
fn an_end_without_members_passes_on_with_all_that_was_done_there() {
    model(3, || {
        let all = Arc::new((Memory::new(80, 48), AtomicU32::new(0)));
        let claimer = |message| {
            let all = all.clone();
            loom::thread::spawn(move || {
                let (memory, end) = (&all.0, rialto::stream::end::End(&all.1));
                for _ in 0..2 {
                    let Ok(mine) = end.claim() else {
                        yield_now();
                        continue;
                    };
                    push(&mut writer(memory), SHORT, message).unwrap();
                    assert!(end.is(mine), "robbed");
                    end.give_back(mine);
                    return true;
                }
                false
            })
        };
        let (one, two) = (claimer(1), claimer(2));
        let sent = [(one.join().unwrap(), (1, 0)), (two.join().unwrap(), (2, 0))];
        let mut got = rest(&all.0);
        got.sort();
        assert_eq!(
            got,
            sent.iter().filter(|(sent, _)| *sent).map(|(_, message)| *message).collect::<Vec<_>>()
        );
        assert!(!got.is_empty() && !rialto::stream::end::End(&all.1).is_claimed());
    });
}
