//! A snapshot in a folder of a volume.

mod others;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Location, Neighbour, Note, Sink,
    names::{self, ARCHIVE},
};

/// The archive while it is written.
const PART: &str = "snapshot.zip.part";

/// The folder of one snapshot on a volume.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder, made where it is missing.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self(path.to_owned()))
    }

    fn part(&self) -> PathBuf {
        self.0.join(PART)
    }

    fn path_of(&self, note: Note<'_>) -> PathBuf {
        self.0.join(names::of(note))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

/// What the workers do next waits for the disk anyway: the disk may keep their thread.
impl Location for Folder {
    type Archive = File;
    type Draft = Sink;

    async fn noted<T: DeserializeOwned>(&self, what: Note<'_>) -> io::Result<Option<T>> {
        match fs::read(self.path_of(what)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn note(&self, what: Note<'_>, value: &impl Serialize) -> io::Result<()> {
        let path = self.path_of(what);
        let draft = path.with_extension("draft");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec(value)?)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        self.sync()
    }

    async fn forget(&self, what: Note<'_>) -> io::Result<()> {
        gone(&self.path_of(what))
    }

    async fn room(&self) -> io::Result<Option<u64>> {
        let room = rustix::fs::statvfs(&self.0)?;
        Ok(Some(room.f_bavail * room.f_frsize))
    }

    async fn draft(&self, _: Option<u64>) -> io::Result<Sink> {
        Sink::create(&self.part())
    }

    async fn drafted(&self) -> io::Result<File> {
        File::open(self.part())
    }

    async fn publish(&self) -> io::Result<()> {
        fs::rename(self.part(), self.0.join(ARCHIVE))?;
        self.sync()
    }

    async fn discard(&self) -> io::Result<()> {
        gone(&self.part())
    }

    async fn withdraw(&self) -> io::Result<()> {
        gone(&self.0.join(ARCHIVE))
    }

    async fn archive(&self) -> io::Result<File> {
        File::open(self.0.join(ARCHIVE))
    }

    async fn others(&self) -> io::Result<Vec<Neighbour>> {
        others::all(&self.0)
    }

    async fn remove(&self, other: &Neighbour) -> io::Result<()> {
        others::remove(&self.0, other)
    }
}

fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
