//! From what the user calls a region to a file.

use rialto::Error;
use std::{
    fmt,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// A region's file.
pub struct Opened {
    pub file: File,
    /// Where it was found.
    pub path: String,
}

/// Why there is nothing to show.
#[derive(Debug)]
pub enum Failure {
    NotOpened(String, io::Error),
    Region(String, Error),
    Io(io::Error),
    Other(String),
}

impl Failure {
    /// See `--help`.
    pub fn code(&self) -> u8 {
        match self {
            Failure::NotOpened(..) => 3,
            Failure::Region(_, Error::BadRegion | Error::Version) => 4,
            _ => 5,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotOpened(path, error) => write!(f, "{path}: {error}"),
            Failure::Region(path, Error::BadRegion) => write!(f, "{path}: not a region, or a damaged one"),
            Failure::Region(path, error) => write!(f, "{path}: {error}"),
            Failure::Io(error) => error.fmt(f),
            Failure::Other(text) => f.write_str(text),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

/// The files that it may be, best first: a name is one in `/dev/shm` before it is one in this directory.
fn candidates(region: &str) -> Vec<String> {
    let name = region.strip_prefix('/').unwrap_or(region);
    let mut paths = Vec::new();
    if !name.is_empty() && !name.contains('/') {
        paths.push(format!("/dev/shm/{name}"));
    }
    paths.push(region.to_owned());
    paths
}

fn open(region: &str, options: &mut OpenOptions) -> Result<Opened, Failure> {
    let candidates = candidates(region);
    let path = candidates.iter().find(|path| Path::new(path).exists()).unwrap_or(&candidates[0]);
    // A FIFO would keep us waiting, a terminal become ours.
    let file = options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    let file = file.map_err(|error| Failure::NotOpened(path.clone(), error))?;
    let kind = file.metadata().map_err(|error| Failure::NotOpened(path.clone(), error))?;
    if !kind.is_file() {
        return Err(Failure::Region(path.clone(), Error::BadRegion));
    }
    Ok(Opened { file, path: path.clone() })
}

/// Nothing can be written through it.
pub fn to_read(region: &str) -> Result<Opened, Failure> {
    open(region, OpenOptions::new().read(true))
}

/// For `recover`.
pub fn to_write(region: &str) -> Result<Opened, Failure> {
    open(region, OpenOptions::new().read(true).write(true))
}
