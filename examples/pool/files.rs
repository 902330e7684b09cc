//! Which files are counted, and the pieces they are cut into.

use super::count;
use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

/// Of a file at a time: about as long as a millisecond takes.
const PIECE: u64 = 256 * 1024;
/// A task has to hold it.
const LONGEST_PATH: usize = 4000;
/// Without names we stop after so many bytes.
const USUAL: u64 = 32 << 20;

pub struct File {
    pub path: PathBuf,
    pub len: u64,
    /// Which pieces are its own.
    pub pieces: Range<usize>,
}

pub struct Piece {
    file: usize,
    offset: u64,
    len: u64,
}

#[derive(Default)]
pub struct Files {
    pub files: Vec<File>,
    pub pieces: Vec<Piece>,
}

impl Files {
    /// Those of that name, and all in folders of that name, without following links. Without names: files that are
    /// there on every machine that could compile this.
    pub fn find(paths: &[PathBuf]) -> Result<Files, String> {
        let mut files = Files::default();
        let failed = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        for path in paths {
            if path.is_dir() {
                files.add_folder(path, u64::MAX);
            } else {
                let found = fs::File::open(path).and_then(|_| path.metadata());
                files.add(path.clone(), &found.map_err(|error| failed(path, error))?);
            }
        }
        if paths.is_empty() {
            let program = std::env::current_exe().map_err(|error| format!("who am I? {error}"))?;
            let found = program.metadata().map_err(|error| failed(&program, error))?;
            files.add(program, &found);
            let package = Path::new(env!("CARGO_MANIFEST_DIR"));
            for folder in [Path::new("/usr/include"), &package.join("src")] {
                files.add_folder(folder, USUAL);
            }
        }
        if files.files.is_empty() { Err("no files there".into()) } else { Ok(files) }
    }

    /// All that can be read, but no more than `most` bytes or a bit.
    fn add_folder(&mut self, folder: &Path, most: u64) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if self.files.iter().map(|file| file.len).sum::<u64>() >= most {
                return;
            }
            match path.symlink_metadata() {
                Ok(found) if found.is_dir() => self.add_folder(&path, most),
                Ok(found) if found.is_file() && fs::File::open(&path).is_ok() => self.add(path, &found),
                _ => {}
            }
        }
    }

    fn add(&mut self, path: PathBuf, found: &fs::Metadata) {
        if !found.is_file() || path.as_os_str().len() > LONGEST_PATH {
            return eprintln!("pool: {}: not a file that can be counted", path.display());
        }
        let (len, first) = (found.len(), self.pieces.len());
        // An empty file has a piece too.
        for offset in (0..len.max(1)).step_by(PIECE as usize) {
            self.pieces.push(Piece { file: self.files.len(), offset, len: PIECE.min(len - offset) });
        }
        self.files.push(File { path, len, pieces: first..self.pieces.len() });
    }

    /// A piece, as workers are told.
    pub fn task(&self, piece: &Piece) -> Vec<u8> {
        count::task(piece.offset, piece.len, &self.files[piece.file].path)
    }

    /// In what file a piece is.
    pub fn path(&self, piece: usize) -> &Path {
        &self.files[self.pieces[piece].file].path
    }
}
