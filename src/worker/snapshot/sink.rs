//! Where a download goes: to a file and through its digest, on a thread of its own, while the next bytes come.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use sha2::{Digest, Sha256};
use tokio::{sync::mpsc, task::JoinHandle};

use super::Draft;

/// How much is handed over at a time.
const BLOCK: usize = 512 * 1024;
/// How many blocks may wait for the disk.
const BLOCKS: usize = 4;
/// After how many bytes the disk is waited for: what it has not written yet is memory, too, and a wait at the end would
/// be as long as the whole.
const WRITTEN: usize = 32 * 1024 * 1024;

/// The size and the digest of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The size, in bytes.
    pub bytes: u64,
    /// The SHA-256, in lower-case hexadecimal.
    pub sha256: String,
}

/// A file that is being written.
pub struct Sink {
    filled: Vec<u8>,
    blocks: mpsc::Sender<Vec<u8>>,
    writer: JoinHandle<io::Result<Sum>>,
}

impl Sink {
    /// Begins a file, anew where there is one.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        let (blocks, coming) = mpsc::channel(BLOCKS);
        let writer = tokio::task::spawn_blocking(move || written(file, coming));
        Ok(Self { filled: Vec::with_capacity(BLOCK), blocks, writer })
    }

    async fn hand_over(&mut self, block: Vec<u8>) -> io::Result<()> {
        if self.blocks.send(block).await.is_ok() {
            return Ok(());
        }
        // It takes nothing more: it says why.
        (&mut self.writer).await.map_err(io::Error::other)?.and(Ok(()))
    }
}

impl Draft for Sink {
    async fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.filled.extend_from_slice(bytes);
        if self.filled.len() < BLOCK {
            return Ok(());
        }
        let block = std::mem::replace(&mut self.filled, Vec::with_capacity(BLOCK));
        self.hand_over(block).await
    }

    async fn end(mut self) -> io::Result<Sum> {
        let block = std::mem::take(&mut self.filled);
        self.hand_over(block).await?;
        drop(self.blocks);
        self.writer.await.map_err(io::Error::other)?
    }
}

fn written(mut file: File, mut coming: mpsc::Receiver<Vec<u8>>) -> io::Result<Sum> {
    let (mut sum, mut bytes, mut waiting) = (Sha256::new(), 0, 0);
    while let Some(block) = coming.blocking_recv() {
        file.write_all(&block)?;
        sum.update(&block);
        bytes += block.len() as u64;
        waiting += block.len();
        if waiting >= WRITTEN {
            file.sync_data()?;
            waiting = 0;
        }
    }
    file.sync_all()?;
    Ok(Sum { bytes, sha256: hex::encode(sum.finalize()) })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn what_was_taken_is_in_the_file_and_in_the_digest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        let mut sink = Sink::create(&path).unwrap();
        let all: Vec<u8> = (0..3 * BLOCK + 5).map(|at| u8::try_from(at % 251).unwrap()).collect();
        for bytes in all.chunks(70_001) {
            sink.take(bytes).await.unwrap();
        }
        let sum = sink.end().await.unwrap();
        assert_eq!(sum.bytes, all.len() as u64);
        assert_eq!(sum.sha256, hex::encode(Sha256::digest(&all)));
        assert_eq!(fs::read(path).unwrap(), all);
    }

    #[tokio::test]
    async fn a_disk_that_is_full_is_told() {
        let mut sink = Sink::create(Path::new("/dev/full")).unwrap();
        let block = vec![0; BLOCK];
        let error = loop {
            if let Err(error) = sink.take(&block).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
