//! `Queue`: stop-safe, kill-only, indexed; by copies and by loans.

use super::{done, fresh_name, region, say, slices};
use crate::pair::{BATCH, Pair, Rx, Tx};
use rialto::{Popped, Queue, QueueConfig, QueueKind};

pub const STOP_SAFE: u8 = 0;
pub const KILL_ONLY: u8 = 1;
pub const INDEXED: u8 = 2;

/// LOANS: by `reserve` and `peek`, else by `push` and `pop`.
pub struct Mpmc<const WHICH: u8, const LOANS: bool>(Queue<'static>);
/// Either end.
pub struct End<const LOANS: bool>(Queue<'static>);

impl<const N: usize, const WHICH: u8, const LOANS: bool> Pair<N> for Mpmc<WHICH, LOANS> {
    type Tx<'a> = End<LOANS>;
    type Rx<'a> = End<LOANS>;
    const BLOCKS: bool = true;
    const BATCHES: bool = !LOANS;

    fn new(depth: usize, _: bool) -> Result<Self, String> {
        let config = QueueConfig {
            kill_only: WHICH == KILL_ONLY,
            kind: if WHICH == INDEXED { QueueKind::Indexed } else { QueueKind::Ring },
            ..QueueConfig::new(depth as u32, N as u32)
        };
        region().create_queue(&fresh_name(), &config).map(Mpmc).map_err(say)
    }
    fn split(&mut self) -> (impl FnOnce() -> End<LOANS> + Send, impl FnOnce() -> End<LOANS> + Send) {
        let queue = self.0;
        (move || End(queue), move || End(queue))
    }
}

impl<const N: usize, const LOANS: bool> Tx<N> for End<LOANS> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        if !LOANS {
            return done(self.0.try_push(message)).is_some();
        }
        let Some(mut room) = done(self.0.try_reserve(N)) else { return false };
        room.write(message).unwrap();
        room.commit().map_err(|(_, error)| error).unwrap();
        true
    }
    #[inline(always)]
    fn send(&mut self, message: &[u8; N]) {
        self.0.push(message).unwrap();
    }
    #[inline(always)]
    fn try_send_many(&mut self, messages: &[[u8; N]]) -> usize {
        done(self.0.try_push_many(&slices(messages))).unwrap_or(0)
    }
}

impl<const N: usize, const LOANS: bool> Rx<N> for End<LOANS> {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        if !LOANS {
            let Some(got) = done(self.0.try_pop(into)) else { return false };
            assert_eq!(got.len, N);
            return true;
        }
        let Some(message) = done(self.0.try_peek()) else { return false };
        assert_eq!(message.copy_to(into), N);
        message.release();
        true
    }
    #[inline(always)]
    fn recv(&mut self, into: &mut [u8; N]) {
        assert_eq!(self.0.pop(into).unwrap().len, N);
    }
    #[inline(always)]
    fn try_recv_many(&mut self, into: &mut [[u8; N]]) -> usize {
        let mut messages = [Popped::default(); BATCH];
        let got = done(self.0.try_pop_many(into.as_flattened_mut(), &mut messages)).unwrap_or(0);
        assert!(messages[..got].iter().all(|message| message.len == N));
        got
    }
}
