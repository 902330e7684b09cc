//! The bytes of a job and of a result. All numbers little-endian; `worker.c` writes the same.
//!
//! | job | size | |
//! |---|---|---|
//! | 0 | 8 | record id |
//! | 8 | rest | text |
//!
//! | result | size | |
//! |---|---|---|
//! | 0 | 8 | record id |
//! | 8 | 4 | bytes |
//! | 12 | 4 | lines |
//! | 16 | 2 | distinct words |
//! | 18 | 1 | how many workers had the job in hand before this one and died |
//! | 19 | 1 | language of the worker: 'R' or 'C' |
//! | 20 | rest | for each distinct word: length (1), count (2), bytes |

use super::text::{ByWord, Counts, WORD_MAX, lines, words};

const JOB_HEADER: usize = 8;
const RESULT_HEADER: usize = 20;

/// The longest text of a record, so that a job takes 16 KiB.
pub const TEXT_MAX: usize = 16384 - JOB_HEADER;
/// The longest job.
pub const JOB_MAX: usize = JOB_HEADER + TEXT_MAX;
/// The longest result. A word of w bytes takes w + 3 here, and at least w + 1 in the text (a separator
/// follows, except at the end and between the chunks of an overlong word): never more than double.
pub const RESULT_MAX: usize = RESULT_HEADER + 2 * (TEXT_MAX + 1);

/// Makes a job of a record.
pub fn write_job(message: &mut Vec<u8>, id: u64, text: &[u8]) {
    message.clear();
    message.extend_from_slice(&id.to_le_bytes());
    message.extend_from_slice(text);
}

/// Record id and text of a job; the text may be changed in place.
pub fn read_job(job: &mut [u8]) -> Option<(u64, &mut [u8])> {
    let (id, text) = job.split_first_chunk_mut::<JOB_HEADER>()?;
    Some((u64::from_le_bytes(*id), text))
}

/// Counts a record's words and makes the result. Turns `text` to lower case.
pub fn write_result(message: &mut Vec<u8>, id: u64, text: &mut [u8], attempt: u8) {
    text.make_ascii_lowercase();
    let mut counts = ByWord::<&[u8], u16>::with_capacity_and_hasher(2048, Default::default());
    for word in words(text) {
        *counts.entry(word).or_default() += 1; // at most TEXT_MAX
    }
    message.clear();
    message.extend_from_slice(&id.to_le_bytes());
    message.extend_from_slice(&(text.len() as u32).to_le_bytes());
    message.extend_from_slice(&(lines(text) as u32).to_le_bytes());
    message.extend_from_slice(&(counts.len() as u16).to_le_bytes());
    message.extend_from_slice(&[attempt, b'R']);
    for (word, count) in counts {
        message.push(word.len() as u8);
        message.extend_from_slice(&count.to_le_bytes());
        message.extend_from_slice(word);
    }
}

/// A result, taken apart. It comes from another process: nothing in it is believed unchecked.
pub struct Tally<'m> {
    pub id: u64,
    pub bytes: u32,
    pub lines: u32,
    pub attempt: u8,
    pub language: u8,
    distinct: u16,
    words: &'m [u8],
}

impl<'m> Tally<'m> {
    /// `None` if the message is no result.
    pub fn read(message: &'m [u8]) -> Option<Self> {
        let mut rest = message;
        let tally = Tally {
            id: u64::from_le_bytes(take(&mut rest)?),
            bytes: u32::from_le_bytes(take(&mut rest)?),
            lines: u32::from_le_bytes(take(&mut rest)?),
            distinct: u16::from_le_bytes(take(&mut rest)?),
            attempt: take::<1>(&mut rest)?[0],
            language: take::<1>(&mut rest)?[0],
            words: rest,
        };
        let sound =
            tally.words().filter(|(word, count)| (1..=WORD_MAX).contains(&word.len()) && *count > 0).count()
                == usize::from(tally.distinct)
                && tally.words().map(|(word, _)| word.len() + 3).sum::<usize>() == tally.words.len();
        sound.then_some(tally)
    }

    /// The words and how often each occurs.
    fn words(&self) -> impl Iterator<Item = (&'m [u8], u16)> {
        let mut rest = self.words;
        std::iter::from_fn(move || {
            let [len] = take(&mut rest)?;
            let count = u16::from_le_bytes(take(&mut rest)?);
            let (word, after) = rest.split_at_checked(usize::from(len))?;
            rest = after;
            Some((word, count))
        })
    }

    pub fn add_to(&self, counts: &mut Counts) {
        counts.bytes += u64::from(self.bytes);
        counts.lines += u64::from(self.lines);
        for (word, count) in self.words() {
            counts.add(word, u64::from(count));
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}
