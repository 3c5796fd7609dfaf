//! The snapshots beside a snapshot: how large they are, and which of them are no longer wanted.
//!
//! A folder is one of ours where its manifest names it as it is called. Everything else on the volume is somebody's,
//! and is never touched.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Folder, Manifest};

/// Another snapshot on the same volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// What the operator calls it.
    pub id: String,
    /// The size of its archive, in bytes.
    pub bytes: u64,
    folder: PathBuf,
}

impl Neighbour {
    /// Every snapshot of ours beside this one, by name.
    ///
    /// # Errors
    /// The volume cannot be listed.
    pub fn all(of: &Folder) -> io::Result<Vec<Self>> {
        let parent = of.path().parent().filter(|it| !it.as_os_str().is_empty());
        let own = of.path().file_name();
        let mut all = Vec::new();
        for entry in fs::read_dir(parent.unwrap_or(Path::new(".")))? {
            let entry = entry?;
            // A link is not followed: what it leads to is not ours.
            if entry.file_type()?.is_dir() && Some(entry.file_name().as_os_str()) != own {
                all.extend(Self::read(entry.path()));
            }
        }
        all.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(all)
    }

    /// The snapshot in a folder; none where it is no finished snapshot of ours.
    fn read(folder: PathBuf) -> Option<Self> {
        let manifest = fs::read(folder.join("manifest.json")).ok()?;
        let manifest: Manifest = serde_json::from_slice(&manifest).ok()?;
        let named = folder.file_name().is_some_and(|name| *name == *manifest.id);
        named.then_some(Self { id: manifest.id, bytes: manifest.content.bytes, folder })
    }

    /// Takes it away. The manifest goes last, so that what was cut off here is found and ended by the next run.
    ///
    /// # Errors
    /// The file system refuses, or somebody has put something into the folder: then nothing of it is touched.
    pub fn remove(&self) -> io::Result<()> {
        let entries = fs::read_dir(&self.folder)?.collect::<io::Result<Vec<_>>>()?;
        if let Some(foreign) = entries.iter().find(|it| !Folder::is_own(&it.file_name())) {
            let path = foreign.path();
            return Err(io::Error::other(format!("{} is not ours", path.display())));
        }
        let is_manifest = |it: &&fs::DirEntry| it.file_name() == "manifest.json";
        let others = entries.iter().filter(|it| !is_manifest(it));
        for entry in others.chain(entries.iter().filter(is_manifest)) {
            fs::remove_file(entry.path())?;
        }
        fs::remove_dir(&self.folder)
    }
}

/// Takes away every snapshot of ours beside this one but those to keep, and says which ones are gone. One that cannot be
/// taken away is told in the log and tried again by the next run: the snapshot that is there now is none the worse.
///
/// # Errors
/// The volume cannot be listed.
pub fn prune(of: &Folder, keep: &[String]) -> io::Result<Vec<String>> {
    let mut pruned = Vec::new();
    for neighbour in Neighbour::all(of)?.into_iter().filter(|it| !keep.contains(&it.id)) {
        match neighbour.remove() {
            Ok(()) => {
                tracing::info!(
                    snapshot = neighbour.id,
                    "a snapshot that is not wanted any more is gone"
                );
                pruned.push(neighbour.id);
            }
            Err(error) => {
                tracing::warn!(snapshot = neighbour.id, %error, "a snapshot could not be taken away");
            }
        }
    }
    Ok(pruned)
}

#[cfg(test)]
mod tests;
