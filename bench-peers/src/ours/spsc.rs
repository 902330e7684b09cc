//! `Spsc`, by copies and by loans.

use super::{done, fresh_name, member, region, say, slices};
use crate::pair::{BATCH, Pair, Rx, Tx};
use rialto::{Consumer, Producer, SpscConfig, spsc::Popped};

/// LOANS: by `reserve` and `peek`, else by `push` and `pop`.
pub struct Spsc<const LOANS: bool>(Producer<'static>, Consumer<'static>);
pub struct TxEnd<'a, const LOANS: bool>(&'a mut Producer<'static>);
pub struct RxEnd<'a, const LOANS: bool>(&'a mut Consumer<'static>);

impl<const N: usize, const LOANS: bool> Pair<N> for Spsc<LOANS> {
    type Tx<'a> = TxEnd<'a, LOANS>;
    type Rx<'a> = RxEnd<'a, LOANS>;
    const BLOCKS: bool = true;
    const BATCHES: bool = !LOANS;

    fn new(depth: usize, _: bool) -> Result<Self, String> {
        let config = SpscConfig::new(depth as u32, N as u32);
        let spsc = region().create_spsc(&fresh_name(), &config).map_err(say)?.as_member(member());
        Ok(Spsc(spsc.producer().map_err(say)?, spsc.consumer().map_err(say)?))
    }
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send) {
        (|| TxEnd(&mut self.0), || RxEnd(&mut self.1))
    }
}

impl<const N: usize, const LOANS: bool> Tx<N> for TxEnd<'_, LOANS> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        if !LOANS {
            return done(self.0.try_push(message)).is_some();
        }
        let Some(mut room) = done(self.0.try_reserve(N)) else { return false };
        room.write(message).unwrap();
        room.commit().unwrap();
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

impl<const N: usize, const LOANS: bool> Rx<N> for RxEnd<'_, LOANS> {
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
