//! The message that everybody carries. Each receive checks its number in the first eight bytes and, in longer
//! ones, the number's complement in the last eight; the last message of a burst is checked to the last byte.
//! `black_box` makes the compiler believe that somebody writes and reads all of it, so no contestant gets
//! away with copying only what is checked.

use std::hint::black_box;

pub struct Message<const N: usize>([u8; N]);

const fn pattern(at: usize) -> u8 {
    (at as u8).wrapping_mul(31) ^ 0x5a
}

impl<const N: usize> Message<N> {
    /// To send.
    pub fn filled() -> Self {
        Message(std::array::from_fn(pattern))
    }
    /// To receive into.
    pub fn empty() -> Self {
        Message([0; N])
    }

    /// The message as number `i`.
    #[inline(always)]
    pub fn stamp(&mut self, i: u64) -> &[u8; N] {
        self.0[..8].copy_from_slice(&i.to_ne_bytes());
        if N >= 16 {
            self.0[N - 8..].copy_from_slice(&(!i).to_ne_bytes());
        }
        black_box(&self.0)
    }

    #[inline(always)]
    pub fn room(&mut self) -> &mut [u8; N] {
        &mut self.0
    }

    /// What was received is number `i`.
    #[inline(always)]
    pub fn check(&mut self, i: u64) -> &[u8; N] {
        let got = black_box(&mut self.0);
        assert_eq!(got[..8], i.to_ne_bytes(), "another message than the one expected");
        if N >= 16 {
            assert_eq!(got[N - 8..], (!i).to_ne_bytes(), "torn message");
        }
        got
    }

    /// Every byte between the numbers.
    pub fn check_all(&self) {
        for at in 8..N.saturating_sub(8) {
            assert_eq!(self.0[at], pattern(at), "byte {at} of {N}");
        }
    }
}
