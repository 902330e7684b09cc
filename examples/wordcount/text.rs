//! What a word is, how text is cut into records, and where the text comes from.

use std::{
    borrow::Cow,
    collections::HashMap,
    fs,
    hash::{BuildHasherDefault, Hasher},
    path::{Path, PathBuf},
};

/// A longer run of word bytes counts as several words of this many bytes. So every word fits a result,
/// and text without a single space can be cut.
pub const WORD_MAX: usize = 64;

/// Letters, digits, and all bytes of non-ASCII characters. `worker.c` says the same.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The words of text that is in lower case already.
pub fn words(lower: &[u8]) -> impl Iterator<Item = &[u8]> {
    lower.split(|byte| !is_word(*byte)).flat_map(|run| run.chunks(WORD_MAX))
}

/// The newlines in a text.
pub fn lines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

/// How much of `text`, at most `max` bytes (at least [`WORD_MAX`]), makes a record: `words` finds the
/// same words in the two parts as in the whole.
pub fn cut(text: &[u8], max: usize) -> usize {
    if text.len() <= max {
        return text.len();
    }
    let run = text[..max].iter().rposition(|byte| !is_word(*byte)).map_or(0, |at| at + 1);
    // Between two words, or between two chunks of an overlong one; not 0, since max >= WORD_MAX.
    run + (max - run) / WORD_MAX * WORD_MAX
}

/// From words to numbers, with a hash that is quick on short words (the one of `rustc-hash`).
pub type ByWord<K, V> = HashMap<K, V, BuildHasherDefault<WordHasher>>;

/// See [`ByWord`].
#[derive(Default)]
pub struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = self.0.wrapping_add(word).wrapping_mul(0xf135_7aea_2e62_a9c5);
    }

    fn write_usize(&mut self, length: usize) {
        self.write_u64(length as u64);
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

/// A count of words. Two counts of the same text are equal.
#[derive(Default, PartialEq, Eq)]
pub struct Counts {
    pub bytes: u64,
    pub lines: u64,
    pub words: u64,
    pub by_word: ByWord<Box<[u8]>, u64>,
}

impl Counts {
    pub fn add(&mut self, word: &[u8], times: u64) {
        self.words += times;
        match self.by_word.get_mut(word) {
            Some(count) => *count += times,
            None => {
                self.by_word.insert(word.into(), times);
            }
        }
    }

    /// All of a text, in this process and thread.
    pub fn add_text(&mut self, text: &[u8]) {
        self.bytes += text.len() as u64;
        self.lines += lines(text) as u64;
        for word in words(&text.to_ascii_lowercase()) {
            self.add(word, 1);
        }
    }
}

/// Some texts, to be counted a number of times over.
pub struct Source {
    texts: Vec<Vec<u8>>,
    passes: usize,
    /// Whether each pass gets words of its own, so that a record mistaken for another would show.
    marked: bool,
    /// For people: where it came from.
    pub origin: String,
}

/// Every so many words of a marked text comes one that is nowhere else: several in each record.
const MARK_EVERY: usize = 128;

impl Source {
    /// The files, once, or repeated until there are `mib` MiB.
    pub fn from_files(paths: &[PathBuf], mib: Option<usize>) -> Result<Source, String> {
        let mut texts = Vec::new();
        for path in paths {
            let text = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            if text.is_empty() {
                return Err(format!("{} is empty", path.display()));
            }
            texts.push(text);
        }
        let origin = match paths {
            [path] => path.display().to_string(),
            paths => format!("{} files", paths.len()),
        };
        Ok(Source::repeated(texts, mib, origin))
    }

    /// The licence texts of a Debian machine, elsewhere those of this repository.
    pub fn default_text(mib: usize) -> Result<Source, String> {
        let debian = "/usr/share/common-licenses";
        let here = env!("CARGO_MANIFEST_DIR");
        for (folder, prefix) in [(debian, ""), (here, "LICENSE-"), (here, "README")] {
            let texts = texts_in(Path::new(folder), prefix);
            if !texts.is_empty() {
                let origin = format!("{} texts from {folder}", texts.len());
                return Ok(Source { marked: true, ..Source::repeated(texts, Some(mib), origin) });
            }
        }
        Err(format!("no text in {debian} or {here}; name a FILE"))
    }

    fn repeated(texts: Vec<Vec<u8>>, mib: Option<usize>, origin: String) -> Source {
        let once: usize = texts.iter().map(Vec::len).sum();
        let passes = mib.map_or(1, |mib| (mib << 20).div_ceil(once));
        Source { texts, passes, marked: passes > 1, origin }
    }

    /// How often the texts are to be counted.
    pub fn passes(&self) -> usize {
        self.passes
    }

    /// Whether more passes make sense: the text is there to keep workers busy.
    pub fn is_endless(&self) -> bool {
        self.marked
    }

    /// About how many bytes `passes` passes are.
    pub fn bytes(&self, passes: usize) -> usize {
        self.texts.iter().map(Vec::len).sum::<usize>() * passes
    }

    /// The `index`-th text of all passes. The texts are made as they are needed, not kept.
    fn text(&self, index: usize) -> Cow<'_, [u8]> {
        let (pass, file) = (index / self.texts.len(), index % self.texts.len());
        let text = &self.texts[file];
        if !self.marked {
            return Cow::Borrowed(text);
        }
        let mut marked = Vec::with_capacity(text.len() + text.len() / 32);
        for (n, word) in text.split_inclusive(|byte| *byte == b' ' || *byte == b'\n').enumerate() {
            marked.extend_from_slice(word);
            if n % MARK_EVERY == 0 {
                marked.extend_from_slice(format!(" pass{pass}file{file}word{n} ").as_bytes());
            }
        }
        Cow::Owned(marked)
    }

    /// Counts `passes` passes in this process: what everything is compared with.
    pub fn count(&self, passes: usize) -> Counts {
        let mut counts = Counts::default();
        for index in 0..passes * self.texts.len() {
            counts.add_text(&self.text(index));
        }
        counts
    }
}

fn texts_in(folder: &Path, prefix: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let files = entries.flatten().filter(|entry| {
        // No links: on Debian, GPL is GPL-3 once more.
        entry.file_type().is_ok_and(|kind| kind.is_file())
            && entry.file_name().to_string_lossy().starts_with(prefix)
    });
    let mut paths: Vec<_> = files.map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| fs::read(path).ok()).filter(|text| !text.is_empty()).collect()
}

/// Cuts a source into records.
pub struct Records<'s> {
    source: &'s Source,
    passes: usize,
    next_text: usize,
    text: Cow<'s, [u8]>,
    at: usize,
}

impl<'s> Records<'s> {
    pub fn new(source: &'s Source) -> Self {
        Records { source, passes: source.passes, next_text: 0, text: Cow::Borrowed(&[]), at: 0 }
    }

    /// One pass more than was planned.
    pub fn extend(&mut self) {
        self.passes += 1;
    }

    /// Passes so far planned.
    pub fn passes(&self) -> usize {
        self.passes
    }

    /// The next record, of at most `max` bytes.
    pub fn next(&mut self, max: usize) -> Option<&[u8]> {
        if self.at == self.text.len() {
            if self.next_text == self.passes * self.source.texts.len() {
                return None;
            }
            self.text = self.source.text(self.next_text);
            self.next_text += 1;
            self.at = 0;
        }
        let rest = &self.text[self.at..];
        let record = &rest[..cut(rest, max)];
        self.at += record.len();
        Some(record)
    }
}
