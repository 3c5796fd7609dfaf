//! An archive read through for its digest, and read in pieces for its content.

use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom};

use sha2::{Digest, Sha256};

use crate::worker::{
    progress::Progress,
    snapshot::{Archive, Sum},
};

/// The most that is read at once.
const CHUNK: usize = 1 << 16;

/// An archive as a file with a place in it. The block around that place is kept: entries begin with a header of a few
/// bytes and a seek past it, and many are smaller than a block.
pub(super) struct Reader<'a, A> {
    archive: &'a A,
    bytes: u64,
    at: u64,
    block: Cursor<Vec<u8>>,
    /// Where the block begins.
    begins: u64,
    /// What was told as read. What is read twice, as the end of the archive is, is no progress.
    told: u64,
    progress: Progress,
}

impl<'a, A: Archive> Reader<'a, A> {
    pub(super) fn told(archive: &'a A) -> io::Result<Self> {
        let bytes = archive.bytes()?;
        let block = Cursor::new(Vec::with_capacity(CHUNK));
        let progress = Progress::of("the snapshot is judged", Some(bytes));
        Ok(Self { archive, bytes, at: 0, block, begins: 0, told: 0, progress })
    }

    /// Reads the block on.
    fn more(&mut self) -> io::Result<usize> {
        let block = self.block.get_mut();
        let before = block.len();
        block.resize(CHUNK, 0);
        let read = self.archive.read_at(&mut block[before..], self.begins + before as u64);
        block.truncate(before + read.as_ref().map_or(0, |read| *read));
        let read = read?;
        let new = (read as u64).min(self.bytes.saturating_sub(self.told));
        self.told += new;
        self.progress.add(new);
        Ok(read)
    }
}

impl<A: Archive> Read for Reader<'_, A> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let within = self.at % CHUNK as u64;
        if self.begins != self.at - within {
            self.begins = self.at - within;
            self.block.get_mut().clear();
        }
        while self.block.get_ref().len() as u64 <= within && self.more()? > 0 {}
        self.block.set_position(within);
        let read = self.block.read(into)?;
        self.at += read as u64;
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

#[cfg(test)]
mod tests;
