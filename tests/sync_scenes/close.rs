//! `queue.close()`: closed or not, for all; whoever sleeps there learns of it; what is in the queue stays.

use super::*;
use crate::support::queue::{CAPACITY, Kind, Rialto};
use rialto::Error;

#[derive(Clone, Copy)]
struct Play {
    /// Messages in it. Sleepers pop if there is none, and push otherwise.
    messages: u64,
    /// Planted: they do not tick.
    tickless: bool,
}

impl super::Play for Play {
    type World = Rialto;

    fn build(&self, tick_ms: u32, _: &Board) -> Rialto {
        let tick_ms = if self.tickless { 60_000 } else { tick_ms };
        let subject = Rialto::with(Kind { tick_ms, ..Kind::default() }, 8);
        (0..self.messages).for_each(|i| subject.queue().try_push(&[i as u8; 16]).unwrap());
        subject
    }

    fn prepare(&self, subject: &Rialto, _: &Board) {
        crate::support::queue::Subject::warm(subject);
    }

    fn act(&self, subject: &Rialto, _: &Board) {
        subject.queue().close();
    }

    fn sleep<P: Platform>(&self, _: P, subject: &Rialto, board: &Board, at: usize) {
        let got = match self.messages {
            0 => subject.queue().pop(&mut [0; 16]).map(|_| ()),
            _ => subject.queue().push(&[9; 16]),
        };
        assert!(got == Err(Error::Closed));
        board.set(at, 1);
    }

    fn memory(&self, subject: &Rialto) -> (*const u8, usize) {
        (subject.region().as_ptr(), subject.region().len())
    }

    fn judge(&self, cast: &mut Cast<Rialto>) -> Verdict {
        let (queue, closed) = (cast.world.queue(), cast.world.queue().is_closed());
        check(closed || !cast.done(), || "it has closed nothing".into())?;
        if !closed || cast.after == After::Again {
            queue.close();
        }
        cast.finish(if self.tickless { Duration::from_millis(500) } else { WATCHDOG })?;
        check(queue.try_push(&[9; 16]) == Err(Error::Closed), || "a push is not told".into())?;
        for i in 0..self.messages {
            let mut buffer = [0; 16];
            let popped = queue.try_pop(&mut buffer).map_err(|error| format!("message {i}: {error:?}"))?;
            check(popped.attempt == 0 && buffer == [i as u8; 16], || format!("message {i} is {buffer:?}"))?;
        }
        // Not a poll: that says so only when all the dead are seen to.
        let last = queue.pop_timeout(&mut [0; 16], WATCHDOG_NS).map(|_| ());
        check(last == Err(Error::Closed), || format!("in the end a pop says {last:?}"))
    }
}

pub fn cases(bill: &mut Bill) {
    use Course::*;
    bill.gap = 1;
    let play = |messages| Play { messages, tickless: false };
    bill.add("queue.close, 2 messages", play(2), Runs, 0, 10);
    for n in 0..3 {
        bill.add("queue.close, empty", play(0), Runs, n, 10);
        bill.add("queue.close, full", play(CAPACITY), Runs, n, 10);
    }
    for n in 1..3 {
        bill.again("queue.close, empty", play(0), Runs, n, 10);
        bill.again("queue.close, full", play(CAPACITY), Runs, n, 10);
    }
    bill.plant("queue.close: sleepers without a tick", Play { messages: 0, tickless: true }, Runs, 1);
}
