//! The content of one file, in constant memory, its holes kept as holes.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::{fs::Advice, io::Errno};
use sha2::{Digest, Sha256};

use super::{Error, error::At};
use crate::worker::progress::Progress;

/// How much is held of a file at a time.
const BUFFER: usize = 1 << 20;

/// Copies a file onto a new one, and gives the digest of what was read, in lower-case hexadecimal.
pub(super) fn copy(from: &Path, to: &Path, progress: &mut Progress) -> Result<String, Error> {
    let mut source = File::open(from).at(from)?;
    let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).at(to)?;
    let length = source.metadata().at(from)?.len();
    let mut hash = Sha256::new();
    let mut buffer = vec![0_u8; BUFFER];
    let mut at = 0;
    while at < length {
        let Some((data, hole)) = extent(&source, at, length).at(from)? else { break };
        zeros(&mut hash, data - at, &mut buffer);
        progress.add(data - at);
        source.seek(SeekFrom::Start(data)).at(from)?;
        target.seek(SeekFrom::Start(data)).at(to)?;
        let mut left = hole - data;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            let read = source.read(&mut buffer[..most]).at(from)?;
            if read == 0 {
                return Err(Error::SourceChanged(from.to_owned()));
            }
            hash.update(&buffer[..read]);
            target.write_all(&buffer[..read]).at(to)?;
            progress.add(read as u64);
            left -= read as u64;
        }
        at = hole;
    }
    zeros(&mut hash, length.saturating_sub(at), &mut buffer);
    progress.add(length.saturating_sub(at));
    target.set_len(length).at(to)?;
    target.sync_all().at(to)?;
    forgotten(&target);
    Ok(hex::encode(hash.finalize()))
}

/// The digest of a file as the disk has it.
pub(super) fn digest(path: &Path, progress: &mut Progress) -> Result<String, Error> {
    let mut file = File::open(path).at(path)?;
    forgotten(&file);
    let mut hash = Sha256::new();
    let mut buffer = vec![0_u8; BUFFER];
    loop {
        match file.read(&mut buffer).at(path)? {
            0 => return Ok(hex::encode(hash.finalize())),
            read => {
                hash.update(&buffer[..read]);
                progress.add(read as u64);
            }
        }
    }
}

/// The next stretch of data from here, as start and end; none where only a hole is left. A file system that
/// does not know of holes has none.
fn extent(file: &File, at: u64, length: u64) -> io::Result<Option<(u64, u64)>> {
    let data = match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(at)) {
        Ok(data) => data,
        Err(Errno::NXIO) => return Ok(None),
        Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(Some((at, length))),
        Err(error) => return Err(error.into()),
    };
    let hole = rustix::fs::seek(file, rustix::fs::SeekFrom::Hole(data))?;
    Ok(Some((data.min(length), hole.min(length))))
}

/// A hole reads as zeros.
fn zeros(hash: &mut Sha256, mut count: u64, buffer: &mut [u8]) {
    buffer.fill(0);
    while count > 0 {
        let most = usize::try_from(count).unwrap_or(BUFFER).min(BUFFER);
        hash.update(&buffer[..most]);
        count -= most as u64;
    }
}

/// What is in memory of a file says nothing about the disk. Best effort: not every file system can.
fn forgotten(file: &File) {
    let _ = rustix::fs::fadvise(file, 0, None, Advice::DontNeed);
}
