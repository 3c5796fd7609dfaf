//! Where one snapshot is kept: the export, what is said about it, and what is no part of it.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

/// The archive, in the folder of a snapshot.
pub(super) const ARCHIVE: &str = "snapshot.zip";
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

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether something in such a folder is by its name what a worker of ours has put there.
    #[must_use]
    pub fn is_own(name: &OsStr) -> bool {
        let Some(name) = name.to_str() else { return false };
        let note = name.strip_suffix(".json").or_else(|| name.strip_suffix(".draft"));
        let is_note = |it: &str| {
            matches!(it, "manifest" | "variables" | "export") || it.starts_with("import-")
        };
        name == ARCHIVE || name == PART || note.is_some_and(is_note)
    }

    /// The export, once it is whole.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.0.join(ARCHIVE)
    }

    /// The export while it is fetched.
    #[must_use]
    pub fn part(&self) -> PathBuf {
        self.0.join(PART)
    }

    /// What is said about the export; there once everything else is.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.0.join("manifest.json")
    }

    /// The environment variables of the deployment, for nobody else to read.
    #[must_use]
    pub fn variables(&self) -> PathBuf {
        self.0.join("variables.json")
    }

    /// Takes away what was fetched and did not become a snapshot, where there is something.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn discard(&self) -> io::Result<()> {
        self.forget(&self.part())
    }

    /// Takes away a note, where there is one.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn forget(&self, note: &Path) -> io::Result<()> {
        match fs::remove_file(note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// What a worker has to remember over its own end.
    #[must_use]
    pub fn note(&self, of: &str) -> PathBuf {
        self.0.join(format!("{of}.json"))
    }

    /// How many bytes may still be written.
    ///
    /// # Errors
    /// The file system does not say.
    pub fn room(&self) -> io::Result<u64> {
        let room = rustix::fs::statvfs(&self.0)?;
        Ok(room.f_bavail * room.f_frsize)
    }

    /// What was fetched, and is on the disk, becomes the export.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn publish(&self) -> io::Result<()> {
        fs::rename(self.part(), self.archive())?;
        self.sync()
    }

    /// Writes a value so that it is there as a whole or not at all, readable by its owner alone.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn write(&self, path: &Path, value: &impl Serialize) -> io::Result<()> {
        let draft = path.with_extension("draft");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec(value)?)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        self.sync()
    }

    /// Reads a value; none where it was never written.
    ///
    /// # Errors
    /// It cannot be read, or is something else.
    pub fn read<T: DeserializeOwned>(&self, path: &Path) -> io::Result<Option<T>> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}
