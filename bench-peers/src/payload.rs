//! The message that everybody carries. Each receive checks its number in the first eight bytes and, in longer
//! ones, the number's complement in the last eight; the last message of a burst is checked to the last byte.
//! `black_box` makes the compiler believe that somebody writes and reads all of it, so no contestant gets
//! away with copying only what is checked.

use std::hint::black_box;

const fn pattern(at: usize) -> u8 {
    (at as u8).wrapping_mul(31) ^ 0x5a
}

/// A message to send; what it is received into is zero.
pub fn filled<const N: usize>() -> [u8; N] {
    std::array::from_fn(pattern)
}

/// Makes it number `i`.
#[inline(always)]
pub fn stamp<const N: usize>(message: &mut [u8; N], i: u64) -> &[u8; N] {
    message[..8].copy_from_slice(&i.to_ne_bytes());
    if N >= 16 {
        message[N - 8..].copy_from_slice(&(!i).to_ne_bytes());
    }
    black_box(message)
}

/// What was received is number `i`.
#[inline(always)]
pub fn check<const N: usize>(message: &mut [u8; N], i: u64) -> &[u8; N] {
    let message = black_box(message);
    assert_eq!(message[..8], i.to_ne_bytes(), "another message than the one expected");
    if N >= 16 {
        assert_eq!(message[N - 8..], (!i).to_ne_bytes(), "torn message");
    }
    message
}

/// Every byte between the numbers.
pub fn check_all<const N: usize>(message: &[u8; N]) {
    for (at, &byte) in message.iter().enumerate().take(N.saturating_sub(8)).skip(8) {
        assert_eq!(byte, pattern(at), "byte {at} of {N}");
    }
}
