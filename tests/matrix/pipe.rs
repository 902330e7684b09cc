//! `Pipe`, duplex: who sends on way 0 dies, or who receives there. The survivor has the other end, and asks it all:
//! what was sent whole comes first, then the end of the stream, and a broken pipe. And pipe(2), framed as CPython's
//! `Connection` does it, for information.

use super::{
    permits::region,
    stage::{Got, Stage, Trouble, Verdict, place},
};
use rialto::{Connection, Error, PipeConfig, pipe};
use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering::*},
};

const RING: u32 = 1024;
const SHORT: [u8; 100] = [1; 100];
/// Far more than the ring takes.
const LONG: [u8; 4000] = [2; 4000];

struct World {
    pipe: pipe::Pipe<'static, rialto::Region>,
    /// Whole messages that the survivor received.
    received: &'static AtomicU64,
}

impl World {
    fn new() -> World {
        let config = PipeConfig { max_message_bytes: LONG.len() as u32, ..PipeConfig::new(RING) };
        World { pipe: region().create_pipe("matrix", &config).expect("room"), received: place() }
    }

    fn end(&self, end: usize) -> Connection<'static> {
        self.pipe.connect(end).expect("nobody has it")
    }

    /// All that comes, until something else than a message does.
    fn receive_all(&self, end: &mut Connection) -> Got {
        let mut buffer = [0; 4096];
        loop {
            match end.recv(&mut buffer) {
                Ok(len) if [&SHORT[..], &LONG].contains(&&buffer[..len]) => {
                    self.received.fetch_add(1, SeqCst);
                }
                Err(Error::Closed) => break Got::CLOSED,
                _ => break Got::WRONG,
            }
        }
    }

    /// Until the first failure: then it is said what that was.
    fn send_all(&self, end: &mut Connection) -> Got {
        loop {
            match end.send(&SHORT) {
                Ok(()) => {}
                Err(Error::BrokenPipe) => break Got::BROKEN_PIPE,
                Err(_) => break Got::WRONG,
            }
        }
    }

    /// What a survivor got while it slept, if all else is as it should be behind it.
    fn and_after(&self, got: Got, end: &mut Connection) -> Got {
        let after = (self.receive_all(end), self.send_all(end), end.poll(0));
        let well = after == (Got::CLOSED, Got::BROKEN_PIPE, Ok(true)) && end.is_peer_closed();
        if well { got } else { Got::WRONG }
    }

    /// End 1 as a survivor that receives.
    fn receiver(&self) -> Got {
        let mut end = self.end(1);
        let got = self.receive_all(&mut end);
        self.and_after(got, &mut end)
    }

    /// End 1 as a survivor that fills its own way.
    fn sender(&self) -> Got {
        let mut end = self.end(1);
        let got = self.send_all(&mut end);
        self.and_after(got, &mut end)
    }

    /// Nobody has the dead one's end again, and so many messages came.
    fn whole(&self, verdict: Verdict, got: Got, received: u64) -> Verdict {
        let ended = verdict?.with(vec![got])?;
        let again = [0, 1].map(|end| self.pipe.connect(end).err());
        let ended = ended.and(again == [Some(Error::EndTaken); 2], || format!("claimed again: {again:?}"))?;
        let came = self.received.load(SeqCst);
        ended.and(came == received, || format!("{came} messages, not {received}"))
    }

    /// The victim's end, claimed before `call`; it is never closed but by its death.
    fn inside(
        &self,
        stage: &Stage,
        survivor: impl Fn() -> Got,
        call: impl FnOnce(Connection<'static>),
    ) -> Verdict {
        let end = Cell::new(None);
        let before = || end.set(Some(self.end(0)));
        stage.alone().inside(survivor, before, || call(end.take().expect("claimed")))
    }
}

/// The victim sends.
pub mod sender {
    use super::*;

    /// Idle behind a whole message.
    pub fn holding(stage: &Stage) -> Verdict {
        let world = World::new();
        let take = || {
            let mut end = world.end(0);
            end.send(&SHORT).expect("room");
            std::mem::forget(end);
        };
        world.whole(stage.alone().holding(|| world.receiver(), take, || {}), Got::CLOSED, 1)
    }

    /// Two whole messages, and then one that does not fit.
    fn block(world: &World) {
        let mut end = world.end(0);
        (0..2).for_each(|_| end.send(&SHORT).expect("room"));
        _ = end.send(&LONG);
        std::mem::forget(end);
    }

    /// Both are asleep, for room; what lies in the victim's way is read behind its death.
    pub fn waiting(stage: &Stage) -> Verdict {
        let world = World::new();
        let verdict = stage.alone().waiting(|| world.sender(), || block(&world), || {});
        world.whole(verdict, Got::BROKEN_PIPE, 2)
    }

    /// Woken by the survivor, which receives one and then goes to sleep itself.
    pub fn woken(stage: &Stage) -> Verdict {
        let world = World::new();
        let survivor = || {
            let mut end = world.end(1);
            if end.recv(&mut [0; 4096]) != Ok(SHORT.len()) {
                return Got::WRONG;
            }
            let got = world.send_all(&mut end);
            world.and_after(got, &mut end)
        };
        let verdict = stage.alone().woken(survivor, || block(&world), || {});
        world.whole(verdict, Got::BROKEN_PIPE, 1)
    }

    pub fn send(stage: &Stage) -> Verdict {
        let world = World::new();
        let call = |mut end: Connection| _ = end.send(&SHORT);
        world.whole(world.inside(stage, || world.receiver(), call), Got::CLOSED, 1)
    }

    /// Behind the first chunk of many.
    pub fn chunk(stage: &Stage) -> Verdict {
        let world = World::new();
        let call = |mut end: Connection| _ = end.send(&LONG);
        world.whole(world.inside(stage, || world.receiver(), call), Got::CLOSED, 0)
    }

    pub fn close(stage: &Stage) -> Verdict {
        let world = World::new();
        world.whole(world.inside(stage, || world.receiver(), |end| end.close()), Got::CLOSED, 0)
    }
}

/// The victim receives.
pub mod receiver {
    use super::*;

    /// Idle; the survivor has filled the way to it.
    pub fn holding(stage: &Stage) -> Verdict {
        let world = World::new();
        let take = || std::mem::forget(world.end(0));
        world.whole(stage.alone().holding(|| world.sender(), take, || {}), Got::BROKEN_PIPE, 0)
    }

    /// Behind the first chunk of many; its sender sleeps in the middle of the message.
    pub fn chunk(stage: &Stage) -> Verdict {
        let world = World::new();
        let survivor = || {
            let mut end = world.end(1);
            match end.send(&LONG) {
                Err(Error::BrokenPipe) => world.and_after(Got::BROKEN_PIPE, &mut end),
                _ => Got::WRONG,
            }
        };
        let call = |mut end: Connection| _ = end.recv(&mut [0; 4096]);
        world.whole(world.inside(stage, survivor, call), Got::BROKEN_PIPE, 0)
    }

    fn block(world: &World) {
        let mut end = world.end(0);
        _ = end.recv(&mut [0; 4096]);
        std::mem::forget(end);
    }

    /// Both are asleep, for a message.
    pub fn waiting(stage: &Stage) -> Verdict {
        let world = World::new();
        let verdict = stage.alone().waiting(|| world.receiver(), || block(&world), || {});
        world.whole(verdict, Got::CLOSED, 0)
    }

    /// Woken by the survivor's message, which is lost with it.
    pub fn woken(stage: &Stage) -> Verdict {
        let world = World::new();
        let survivor = || {
            let mut end = world.end(1);
            if end.send(&SHORT).is_err() {
                return Got::WRONG;
            }
            let got = world.receive_all(&mut end);
            world.and_after(got, &mut end)
        };
        world.whole(stage.alone().woken(survivor, || block(&world), || {}), Got::CLOSED, 0)
    }

    /// Room for one more is there, and then nobody to read it.
    pub fn recv(stage: &Stage) -> Verdict {
        let world = World::new();
        let call = |mut end: Connection| _ = end.recv(&mut [0; 4096]);
        world.whole(world.inside(stage, || world.sender(), call), Got::BROKEN_PIPE, 0)
    }

    pub fn close(stage: &Stage) -> Verdict {
        let world = World::new();
        world.whole(world.inside(stage, || world.sender(), |end| end.close()), Got::BROKEN_PIPE, 0)
    }
}

/// A pipe of the kernel's; each message is its length, then itself, in two writes.
pub mod framed {
    use super::*;

    const LEN: usize = 1000;

    struct Ends([i32; 2]);

    impl Ends {
        fn new() -> Ends {
            let mut ends = [0; 2];
            // SAFETY: room for two.
            assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
            Ends(ends)
        }

        fn write(&self, bytes: &[u8]) {
            // SAFETY: `bytes` is read; there is room for more than is ever written.
            let written = unsafe { libc::write(self.0[1], bytes.as_ptr().cast(), bytes.len()) };
            assert_eq!(written, bytes.len() as isize);
        }

        fn close_writer(&self) {
            // SAFETY: ours, and used no more in this process.
            unsafe { libc::close(self.0[1]) };
        }

        /// False at the end of the file.
        fn read(&self, mut bytes: &mut [u8]) -> bool {
            while !bytes.is_empty() {
                // SAFETY: `bytes` is written.
                let got = unsafe { libc::read(self.0[0], bytes.as_mut_ptr().cast(), bytes.len()) };
                if got <= 0 {
                    return false;
                }
                bytes = &mut bytes[got as usize..];
            }
            true
        }

        fn send(&self, byte: u8) {
            self.write(&(LEN as u32).to_ne_bytes());
            self.write(&[byte; LEN]);
        }

        fn receive(&self) -> Got {
            let mut len = [0; 4];
            if !self.read(&mut len) {
                return Got::CLOSED;
            }
            let mut message = vec![0; (u32::from_ne_bytes(len) as usize).min(1 << 20)];
            if !self.read(&mut message) {
                return Got::CUT;
            }
            let whole = message.len() == LEN && message.iter().all(|byte| *byte == message[0]);
            if whole { Got::MESSAGE } else { Got::GARBLED }
        }

        fn cut(&self) {
            self.write(&(LEN as u32).to_ne_bytes());
            self.write(&[1; LEN / 2]);
        }
    }

    impl Drop for Ends {
        fn drop(&mut self) {
            // SAFETY: ours; closing what is closed is an error, not a fault, and nothing was opened since.
            self.0.iter().for_each(|end| _ = unsafe { libc::close(*end) });
        }
    }

    fn ended(verdict: Verdict, well: Got) -> Verdict {
        let ended = verdict?;
        if ended.got == [well] {
            Ok(ended)
        } else {
            Err(Trouble::Failed(super::super::stage::list(&ended.got)))
        }
    }

    /// Killed in the middle of a message; nobody else had the writing end open.
    pub fn only_sender(stage: &Stage) -> Verdict {
        let ends = Ends::new();
        let survivor = || {
            ends.close_writer();
            ends.receive()
        };
        let stage = stage.alone().asleep_in(libc::SYS_read);
        let verdict = stage.holding(survivor, || ends.cut(), || ends.close_writer());
        ended(verdict, Got::CLOSED)
    }

    /// Another sender has it open, and goes on.
    pub fn one_of_two(stage: &Stage) -> Verdict {
        let ends = Ends::new();
        let stage = stage.alone().asleep_in(libc::SYS_read);
        ended(stage.holding(|| ends.receive(), || ends.cut(), || ends.send(2)), Got::MESSAGE)
    }

    /// Another one has it open, and does not.
    pub fn open_elsewhere(stage: &Stage) -> Verdict {
        let ends = Ends::new();
        let stage = stage.alone().asleep_in(libc::SYS_read);
        ended(stage.holding(|| ends.receive(), || ends.cut(), || {}), Got::CLOSED)
    }
}
