//! The snapshots beside a snapshot: how large they are, and which of them are no longer wanted.
//!
//! A folder is one of ours where its manifest names it as it is called. Everything else on the volume is somebody's,
//! and is never touched.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

use super::{Folder, Manifest};

/// Another snapshot on the same volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// What the operator calls it.
    pub id: String,
    /// The size of its archive, in bytes.
    pub bytes: u64,
    /// When it was judged whole.
    pub time: DateTime<Utc>,
    folder: PathBuf,
    /// Its archive is there: else it was cut off while it was taken away.
    whole: bool,
}

impl Neighbour {
    /// Every snapshot of ours beside this one, newest first.
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
        all.sort_by(|one, other| (other.time, &other.id).cmp(&(one.time, &one.id)));
        Ok(all)
    }

    /// The snapshot in a folder; none where it is no finished snapshot of ours.
    fn read(folder: PathBuf) -> Option<Self> {
        let manifest = fs::read(folder.join("manifest.json")).ok()?;
        let manifest: Manifest = serde_json::from_slice(&manifest).ok()?;
        let named = folder.file_name().is_some_and(|name| *name == *manifest.id);
        let (id, bytes, time) = (manifest.id, manifest.content.bytes, manifest.time);
        let whole = folder.join(super::folder::ARCHIVE).exists();
        named.then_some(Self { id, bytes, time, folder, whole })
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

/// Which snapshots stay beside a new one.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'a> {
    /// How many of the newest, the new one among them.
    pub newest: usize,
    /// Those that are needed, however old.
    pub needed: &'a [String],
}

/// Takes away every snapshot of ours beside this one but those to keep, and says which ones are left, newest first. What
/// stays is decided by what is on the volume and not by what anybody remembers. One that cannot be taken away is told in the
/// log and tried again by the next run: the snapshot that is there now is none the worse.
///
/// # Errors
/// The volume cannot be listed.
pub fn prune(of: &Folder, keep: Keep<'_>) -> io::Result<Vec<String>> {
    let mut left = Vec::new();
    let mut place = 1;
    for neighbour in Neighbour::all(of)? {
        place += usize::from(neighbour.whole);
        let stays = place <= keep.newest || keep.needed.contains(&neighbour.id);
        if neighbour.whole && stays {
            left.push(neighbour.id);
            continue;
        }
        match neighbour.remove() {
            Ok(()) => {
                tracing::info!(
                    snapshot = neighbour.id,
                    "a snapshot that is not wanted any more is gone"
                );
            }
            Err(error) => {
                tracing::warn!(snapshot = neighbour.id, %error, "a snapshot could not be taken away");
                left.push(neighbour.id);
            }
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests;
