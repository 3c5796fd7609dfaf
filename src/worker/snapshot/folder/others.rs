//! The snapshots in the folders beside one.
//!
//! A folder is one of ours where its manifest names it as it is called. Everything else on the volume is somebody's,
//! and is never touched.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use super::PART;
use crate::worker::snapshot::{
    Manifest, Neighbour,
    names::{self, ARCHIVE, MANIFEST},
};

/// Every snapshot of ours beside this folder, newest first.
pub(super) fn all(folder: &Path) -> io::Result<Vec<Neighbour>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(volume(folder))? {
        let entry = entry?;
        // A link is not followed: what it leads to is not ours.
        if entry.file_type()?.is_dir() && Some(entry.file_name().as_os_str()) != folder.file_name()
        {
            all.extend(read(&entry.path()));
        }
    }
    all.sort_by(|one, other| (other.time, &other.id).cmp(&(one.time, &one.id)));
    Ok(all)
}

/// Takes away the folder of a snapshot beside this one.
pub(super) fn remove(folder: &Path, other: &Neighbour) -> io::Result<()> {
    let folder = volume(folder).join(&other.id);
    let entries = fs::read_dir(&folder)?.collect::<io::Result<Vec<_>>>()?;
    if let Some(foreign) = entries.iter().find(|it| !is_own(&it.file_name())) {
        let path = foreign.path();
        return Err(io::Error::other(format!("{} is not ours", path.display())));
    }
    let is_manifest = |it: &&fs::DirEntry| it.file_name() == *MANIFEST;
    let others = entries.iter().filter(|it| !is_manifest(it));
    for entry in others.chain(entries.iter().filter(is_manifest)) {
        fs::remove_file(entry.path())?;
    }
    fs::remove_dir(folder)
}

fn volume(folder: &Path) -> PathBuf {
    let parent = folder.parent().filter(|it| !it.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

/// The snapshot in a folder; none where it is no finished snapshot of ours.
fn read(folder: &Path) -> Option<Neighbour> {
    let manifest = fs::read(folder.join(MANIFEST)).ok()?;
    let manifest: Manifest = serde_json::from_slice(&manifest).ok()?;
    let named = folder.file_name().is_some_and(|name| *name == *manifest.id);
    let (bytes, time) = (manifest.content.bytes, manifest.time);
    let (id, instance) = (manifest.id, manifest.instance);
    // Where nobody can tell, it is left as it is.
    let whole = folder.join(ARCHIVE).try_exists().unwrap_or(true);
    named.then_some(Neighbour { id, instance, bytes, time, whole })
}

/// Whether something in such a folder is by its name what a worker of ours has put there.
fn is_own(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let note = name.strip_suffix(".json").or_else(|| name.strip_suffix(".draft"));
    name == ARCHIVE || name == PART || note.is_some_and(names::is_note)
}
