//! What is counted of a part of a file, and how parts are added up. `examples/c/poolcount.c` does the same.

use std::{
    fs::File,
    io,
    os::unix::{ffi::OsStrExt, fs::FileExt},
    path::Path,
};

/// Of a part of a file, or of a whole one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many bytes there were.
    pub len: u64,
    /// Newlines, as `wc -l` has it.
    pub lines: u64,
    /// As of gzip.
    pub crc: u32,
}

/// The bytes of a result: length, lines, CRC, and a letter for the language; each as this machine has it.
pub const RESULT: usize = 24;

impl Count {
    /// And the letter.
    pub fn read(bytes: &[u8]) -> Option<(Count, u8)> {
        let bytes: &[u8; RESULT] = bytes.try_into().ok()?;
        let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
        let half = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap());
        Some((Count { len: word(0), lines: word(8), crc: half(16) }, half(20) as u8))
    }

    pub fn write(&self) -> [u8; RESULT] {
        let mut bytes = [0; RESULT];
        bytes[..8].copy_from_slice(&self.len.to_ne_bytes());
        bytes[8..16].copy_from_slice(&self.lines.to_ne_bytes());
        bytes[16..20].copy_from_slice(&self.crc.to_ne_bytes());
        bytes[20..].copy_from_slice(&u32::from(b'R').to_ne_bytes());
        bytes
    }

    /// With some more bytes.
    fn add(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let step = |crc: u32, byte: &u8| crc >> 8 ^ TABLE[(crc as u8 ^ byte) as usize];
        self.crc = !bytes.iter().fold(!self.crc, step);
    }

    /// Of this part and the one behind it. Of both CRCs comes that of the whole: the first one's, moved along by as many
    /// places as there are bytes behind it, plus the second one's.
    pub fn and(&self, next: &Count) -> Count {
        let (mut power, mut square, mut n) = (ONE, BYTE, next.len);
        while n != 0 {
            if n & 1 != 0 {
                power = product(power, square);
            }
            square = product(square, square);
            n >>= 1;
        }
        Count {
            len: self.len + next.len,
            lines: self.lines + next.lines,
            crc: product(power, self.crc) ^ next.crc,
        }
    }
}

const POLYNOMIAL: u32 = 0xedb8_8320;
/// The polynomials 1 and x^8: the highest bit is x^0.
const ONE: u32 = 1 << 31;
const BYTE: u32 = 1 << 23;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u32, 0);
        while bit < 8 {
            crc = times_x(crc);
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// Modulo the CRC's polynomial.
const fn times_x(a: u32) -> u32 {
    a >> 1 ^ if a & 1 != 0 { POLYNOMIAL } else { 0 }
}

fn product(a: u32, mut b: u32) -> u32 {
    let mut sum = 0;
    for bit in (0..32).rev() {
        if a >> bit & 1 != 0 {
            sum ^= b;
        }
        b = times_x(b);
    }
    sum
}

/// The bytes of a task: where the part begins, how long it is, in what file.
pub fn task(offset: u64, len: u64, path: &Path) -> Vec<u8> {
    [&offset.to_ne_bytes(), &len.to_ne_bytes(), path.as_os_str().as_bytes()].concat()
}

/// Counts what a task says.
pub fn count_part(task: &[u8]) -> io::Result<Count> {
    let (numbers, path) = task.split_at_checked(16).ok_or(io::ErrorKind::InvalidInput)?;
    let number = |at: usize| u64::from_ne_bytes(numbers[at..at + 8].try_into().unwrap());
    count(Path::new(std::ffi::OsStr::from_bytes(path)), number(0), number(8))
}

/// Counts a file, of which `len` bytes were there when we began.
pub fn count_file(path: &Path, len: u64) -> io::Result<Count> {
    count(path, 0, len)
}

fn count(path: &Path, mut offset: u64, len: u64) -> io::Result<Count> {
    let mut buffer = vec![0; 64 * 1024];
    let file = File::open(path)?;
    let mut count = Count::default();
    while count.len < len {
        let most = buffer.len().min((len - count.len).try_into().unwrap_or(usize::MAX));
        let got = match file.read_at(&mut buffer[..most], offset) {
            Ok(0) => break, // it has become shorter: then the lengths tell
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        count.add(&buffer[..got]);
        offset += got as u64;
    }
    Ok(count)
}
