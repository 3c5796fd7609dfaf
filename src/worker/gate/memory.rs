//! What a volume remembers of who has opened it, on the volume itself: it goes where the data goes.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::Error;
use crate::{plan::gate::left_behind, worker::copy::OWN};

/// What is remembered.
const FILE: &str = "opened.json";
/// How many versions are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 64;

/// Every version that has opened a volume, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    opened: Vec<String>,
}

/// Notes, where that is asked for, that a version is about to open the volume, unless another one has done so after it.
///
/// # Errors
/// [`Error::Outgrown`], or [`Error::Memory`] where that cannot be told.
pub(super) fn open(volume: &Path, version: &str, remember: bool) -> Result<(), Error> {
    let path = volume.join(OWN).join(FILE);
    let failed = |error| failed(&path, error);
    let mut memory = read(&path).map_err(failed)?;
    if memory.opened.last().is_some_and(|last| last == version) {
        return Ok(());
    }
    if let Some(last) = left_behind(&memory.opened, version) {
        return Err(Error::Outgrown { wanted: version.to_owned(), last: last.to_owned() });
    }
    if !remember {
        return Ok(());
    }
    memory.opened.push(version.to_owned());
    let forgotten = memory.opened.len().saturating_sub(REMEMBERED);
    memory.opened.drain(..forgotten);
    write(&path, &memory).map_err(failed)
}

/// Gives one volume the memory of another: a copy was opened by whoever opened the original.
///
/// # Errors
/// Either cannot be read or written.
pub(in crate::worker) fn carry(from: &Path, to: &Path) -> io::Result<()> {
    let path = |volume: &Path| volume.join(OWN).join(FILE);
    let memory = read(&path(from))?;
    if memory.opened.is_empty() { Ok(()) } else { write(&path(to), &memory) }
}

fn failed(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full(path.to_owned()),
        _ => Error::Memory(path.to_owned(), error),
    }
}

fn read(path: &Path) -> io::Result<Memory> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Memory::default()),
        Err(error) => Err(error),
    }
}

/// It is on the disk before the backend is.
fn write(path: &Path, memory: &Memory) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let draft = path.with_extension("draft");
    let mut file = File::create(&draft)?;
    file.write_all(&serde_json::to_vec(memory)?)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_without_room_is_told_apart_from_one_that_cannot_be_written() {
        let told = |kind: io::ErrorKind| failed(Path::new("opened.json"), kind.into()).to_string();
        for full in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            assert!(told(full).contains("Raise spec.backend.storage.pvc.size"), "{}", told(full));
        }
        let denied = told(io::ErrorKind::PermissionDenied);
        assert!(!denied.contains("full"), "{denied}");
    }
}
