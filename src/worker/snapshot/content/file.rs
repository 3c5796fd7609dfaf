//! The archive as a file: read through for its digest, and read in pieces for its content.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::worker::{progress::Progress, snapshot::Sum};

/// The most that is read at once.
const CHUNK: usize = 1 << 16;

/// A file whose reading is told in the log.
pub(super) struct Told {
    file: File,
    progress: Progress,
}

impl Told {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { file, progress: Progress::of("the snapshot is judged", Some(bytes)) })
    }
}

impl Read for Told {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.progress.add(read as u64);
        Ok(read)
    }
}

impl Seek for Told {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// The size of a file, and its digest.
pub(super) fn digest(path: &Path) -> io::Result<Sum> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(Sum { bytes, sha256: hex::encode(sum.finalize()) });
        }
        sum.update(&chunk[..read]);
        bytes += read as u64;
    }
}
