//! What every storm needs: how long, with which choices, and messages that tell when they are torn.
#![allow(dead_code)]

/// The number of that name in the environment.
pub fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |value| value.parse().expect("a number"))
}

/// xorshift64*: Vigna 2016.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }
    /// Now and then long, so that many die there.
    pub fn dawdle(&mut self) {
        let pause = if self.below(32) == 0 { self.below(10_000) } else { 0 };
        (0..pause).for_each(|_| std::hint::spin_loop());
    }
}

/// The longest message of [`write`].
pub const BYTES: usize = 48;

/// A message: its number, as many times over as the number says.
pub fn write(number: u64, buffer: &mut [u8; BYTES]) -> &[u8] {
    let words = 1 + number % 6;
    for i in 0..words {
        let at = 8 * i as usize;
        buffer[at..at + 8].copy_from_slice(&(number ^ i << 56).to_le_bytes());
    }
    &buffer[..8 * words as usize]
}

/// Its number, if it is whole.
pub fn read(message: &[u8]) -> u64 {
    let number = u64::from_le_bytes(message[..8].try_into().unwrap());
    assert_eq!(write(number, &mut [0; BYTES]), message, "a message is torn");
    number
}
