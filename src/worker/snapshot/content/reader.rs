//! An archive read through for its digest, and read in pieces for its content.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use sha2::{Digest, Sha256};

use crate::worker::{
    progress::Progress,
    snapshot::{Archive, Sum},
};

/// The most that is read at once.
const CHUNK: usize = 1 << 16;

/// An archive whose reading is told in the log.
pub(super) struct Reader<'a, A> {
    archive: &'a A,
    bytes: u64,
    at: u64,
    progress: Progress,
}

impl<'a, A: Archive> Reader<'a, A> {
    pub(super) fn told(archive: &'a A) -> io::Result<Self> {
        let bytes = archive.bytes()?;
        let progress = Progress::of("the snapshot is judged", Some(bytes));
        Ok(Self { archive, bytes, at: 0, progress })
    }
}

impl<A: Archive> Read for Reader<'_, A> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.archive.read_at(into, self.at)?;
        self.at += read as u64;
        self.progress.add(read as u64);
        Ok(read)
    }
}

impl<A: Archive> Seek for Reader<'_, A> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The size of an archive, and its digest.
pub(super) fn digest(archive: &impl Archive) -> io::Result<Sum> {
    let mut sum = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let read = match archive.read_at(&mut chunk, bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Ok(Sum { bytes, sha256: hex::encode(sum.finalize()) });
        }
        sum.update(&chunk[..read]);
        bytes += read as u64;
    }
}
