//! Reads libFuzzer's bytes from front to back, then goes on with numbers that follow from them.
//!
//! So a short input is a whole case too, and a mutation of its first bytes is a mutation of its first calls. Bytes
//! that are copied into views never come from the input itself, see [`Input::mixed`]: libFuzzer watches comparisons,
//! and would put a live view's tag there, which the contract excludes by its probability.

pub struct Input<'a> {
    bytes: &'a [u8],
    state: u64,
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Input<'a> {
        let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3);
        Input { bytes, state: bytes.iter().fold(0xCBF2_9CE4_8422_2325, fnv) }
    }
    /// A number that the input chooses only among 2^64 mixed ones (splitmix64).
    pub fn mixed(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((byte, rest)) => {
                self.bytes = rest;
                *byte
            }
            None => (self.mixed() >> 56) as u8,
        }
    }
    /// 0 to `n - 1`; `n` is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        let mut number = usize::from(self.byte());
        if n > 256 {
            number = number << 8 | usize::from(self.byte());
        }
        number % n
    }
    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }
    pub fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }
    pub fn word(&mut self) -> u64 {
        (0..8).fold(0, |word, _| word << 8 | u64::from(self.byte()))
    }
    /// Numbers that break things more often than random ones.
    pub fn nasty(&mut self) -> u64 {
        match self.byte() % 8 {
            0 => 0,
            1 => u64::MAX,
            2 => u64::from(self.byte()),
            3 => 1 << (self.byte() % 64),
            4 => (1u64 << (self.byte() % 64)).wrapping_sub(1),
            5 => u64::from(self.byte()) << 32 | u64::from(self.byte()),
            6 => i64::from(self.byte() as i8) as u64,
            _ => self.word(),
        }
    }
    /// Mostly a small number.
    pub fn number(&mut self) -> u64 {
        if self.once_in(10) { self.nasty() } else { u64::from(self.byte() % 9) }
    }
}
