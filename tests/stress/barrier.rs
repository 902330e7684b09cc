//! A barrier of four, generation after generation. Each generation gives each index once, runs its action
//! once, when all have come and before anybody is released. A death breaks it; whoever finds it broken
//! resets it, and all come again.

use super::{Crew, Game, Random, WORKERS, Worker, permits::region, place};
use rialto::{Barrier, Depth, Error, FOREVER, Region};
use std::sync::atomic::{AtomicU64, Ordering::*};

pub struct Generations {
    region: &'static Region,
    barrier: Barrier<'static>,
    book: &'static Book,
}

struct Book {
    /// How many actions were run. From then until all four have come again, the generation's number.
    actions: AtomicU64,
    /// Which indices were given, by generation; a word is used again 8 later.
    given: [AtomicU64; 8],
    /// Whether each is inside `wait`.
    waiting: [AtomicU64; WORKERS],
    /// The last generation, when it is known.
    last: AtomicU64,
    broken: AtomicU64,
}

impl Generations {
    pub fn new() -> Generations {
        let region = region();
        let barrier = region.create_barrier("stress", WORKERS as u32).expect("room");
        Generations { region, barrier, book: place() }
    }

    /// `quiet`: as many kills as were done when the caller called, if none was under way.
    fn action(&self, crew: &Crew, quiet: Option<u64>) -> bool {
        let Book { actions, given, waiting, last, .. } = self.book;
        let here = waiting.iter().filter(|word| word.load(SeqCst) == 1).count();
        if quiet == Some(crew.kills_begun.load(SeqCst)) {
            assert_eq!(here, WORKERS, "not all have come");
        }
        let before = actions.load(SeqCst);
        if crew.kills_begun.load(SeqCst) == 0 && before > 0 {
            let indices = given[before as usize % 8].load(SeqCst);
            assert_eq!(indices, (1 << WORKERS) - 1, "the indices that generation {before} gave");
        }
        let number = before + 1;
        given[(number as usize + 4) % 8].store(0, SeqCst);
        if crew.is_over() {
            last.store(number, SeqCst);
        }
        assert_eq!(actions.swap(number, SeqCst), before, "two actions at a time");
        true
    }
}

impl Game for Generations {
    fn work(&self, crew: &Crew, me: Worker, random: &mut Random) {
        let Book { actions, given, waiting, last, broken } = self.book;
        self.barrier.register().expect("as many as there are parties");
        let mut passed = 0;
        loop {
            let begun = crew.kills_begun.load(SeqCst);
            let quiet = (crew.kills_done.load(SeqCst) == begun).then_some(begun);
            waiting[me.at].store(1, SeqCst);
            let result = self.barrier.wait_with(FOREVER, || self.action(crew, quiet));
            // Until we come again, nobody runs the next action.
            let number = actions.load(SeqCst);
            waiting[me.at].store(0, SeqCst);
            match result {
                Ok(index) => {
                    assert!(index < WORKERS as u32);
                    let before = given[number as usize % 8].fetch_or(1 << index, SeqCst);
                    assert_eq!(before & 1 << index, 0, "index {index} was given twice in {number}");
                    passed += 1;
                    crew.round(me);
                    if crew.kills_begun.load(SeqCst) == 0 {
                        assert_eq!(number, passed, "somebody is a generation ahead or behind");
                    }
                    if last.load(SeqCst) == number {
                        self.barrier.unregister().expect("registered");
                        return;
                    }
                    random.pause(100);
                }
                Err(Error::Broken) => {
                    assert!(crew.kills_begun.load(SeqCst) > 0, "broken, and nobody has died");
                    broken.fetch_add(1, Relaxed);
                    if self.barrier.is_broken() {
                        self.barrier.reset();
                    }
                }
                Err(error) => panic!("wait: {error:?}"),
            }
        }
    }

    fn buried(&self, me: Worker) {
        self.book.waiting[me.at].store(0, SeqCst);
    }

    fn judge(&self, _: &Crew, kills: u64) -> String {
        self.region.recover(Depth::Thorough);
        assert_eq!((self.barrier.n_waiting(), self.barrier.is_broken()), (0, false));
        assert_eq!(self.region.member_count(), 0, "nobody is left");
        let broken = self.book.broken.load(SeqCst);
        assert!(broken > 0 || kills == 0, "deaths, and nobody found it broken");
        format!(", {} generations, found broken {broken} times", self.book.actions.load(SeqCst))
    }
}
