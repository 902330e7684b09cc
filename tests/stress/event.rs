//! Four events in a ring: each worker waits for its own, and sets the next one's. A turn that gets lost stops
//! the ring for ever. Whoever begins anew sets the next one's event: the one before may have died
//! between the turn and that.

use super::{Crew, Game, Random, WORKERS, Worker, place};
use rialto::{Error, Event};
use std::sync::atomic::{AtomicU64, Ordering::*};

pub struct Ring {
    events: [&'static Event; WORKERS],
    /// Whose turn it is, modulo four.
    turn: &'static AtomicU64,
}

impl Ring {
    pub fn new() -> Ring {
        let make = |_| {
            let event = place::<Event>();
            // SAFETY: fresh memory, 64-aligned (a page), for ever.
            unsafe { Event::init(std::ptr::from_ref(event).cast_mut()) };
            event
        };
        Ring { events: std::array::from_fn(make), turn: place() }
    }
}

impl Game for Ring {
    fn work(&self, crew: &Crew, me: Worker, random: &mut Random) {
        let (mine, next) = (self.events[me.at], self.events[(me.at + 1) % WORKERS]);
        next.set();
        loop {
            mine.clear(); // before the look: a set from here on counts
            let turn = self.turn.load(SeqCst);
            if turn % WORKERS as u64 == me.at as u64 {
                random.pause(50);
                let moved = self.turn.compare_exchange(turn, turn + 1, SeqCst, SeqCst);
                assert!(moved.is_ok(), "another moved in our turn");
                let over = crew.is_over();
                next.set();
                crew.round(me);
                if over {
                    return; // the others get their turns yet, and nobody helps
                }
            } else {
                mine.wait().expect("an event");
                assert!(matches!(mine.wait_timeout(0), Ok(()) | Err(Error::WouldBlock)));
            }
        }
    }

    fn judge(&self, crew: &Crew, kills: u64) -> String {
        let (turn, rounds) = (self.turn.load(SeqCst), crew.total());
        assert!(rounds <= turn && turn <= rounds + kills, "{rounds} rounds, {kills} kills, but {turn} turns");
        let each: Vec<u64> = crew.rounds.iter().map(|n| n.load(SeqCst)).collect();
        let (least, most) = (each.iter().min().unwrap(), each.iter().max().unwrap());
        assert!(most - least <= 1 + kills, "somebody was passed over: {each:?}");
        String::new()
    }
}
