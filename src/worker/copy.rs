//! A cold copy: one volume onto another, byte for byte, while nobody has either open.
//!
//! What is copied is read back from the target and compared by digest; only then is the copy whole, and its
//! manifest says so. A run that was cut off is started anew by the next one, and never taken for a copy.

mod content;
mod entry;
mod error;
mod manifest;
mod verify;

use std::{
    collections::{HashMap, HashSet},
    fs,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
};

use clap::Args;

pub use self::error::Error;
use self::{
    entry::{Entry, Kind, entries, size},
    error::At,
    manifest::Manifest,
};
use super::{gate::memory, permit, progress::Progress, report::Report};

/// What a copy of ours keeps beside the data, at the root of its volume.
pub const OWN: &str = ".convex-operator";
/// What some file systems make at their root; it holds nothing of the user's.
const LOST_AND_FOUND: &str = "lost+found";

/// A copy that is to be made.
#[derive(Clone, Debug)]
pub struct Copy {
    /// What the operator calls it; a copy of another name is never written over.
    pub id: String,
    /// The root of the volume that is copied.
    pub from: PathBuf,
    /// The root of the volume that it is copied to.
    pub to: PathBuf,
}

/// What a Job that copies is told.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// What the operator calls the copy.
    #[arg(long)]
    id: String,
    /// The root of the volume that is copied.
    #[arg(long)]
    from: PathBuf,
    /// The root of the volume that it is copied to.
    #[arg(long)]
    to: PathBuf,
    /// The record, as JSON, as it was when this container started; empty where there is none.
    #[arg(long, env = "RECORD", default_value = "")]
    record: String,
    /// Where the report is written.
    #[arg(long, default_value = "/dev/termination-log")]
    report: PathBuf,
}

/// Makes a copy where that is permitted, and reports how it ended. That it was permitted to its end,
/// [`super::permitted`] says.
///
/// # Errors
/// See [`Error`]; the report tells the same.
pub fn run(options: &Options) -> Result<(), Error> {
    let Options { id, from, to, record, report } = options.clone();
    let permitted = permit::to_copy(&record, &id).map_err(Error::from);
    told(permitted.and_then(|()| Copy { id, from, to }.make()), &report)
}

/// Reports how it ended.
pub(super) fn told(made: Result<Report, Error>, to: &Path) -> Result<(), Error> {
    let told = match &made {
        Ok(copied) => copied.clone(),
        Err(error) => Report::failed(error.reason(), &error.to_string()),
    };
    told.write(to).at(to)?;
    made.map(|_| ())
}

/// What the copy of this name on a volume has reported once it was whole.
pub(super) fn reported(to: &Path, id: &str) -> Result<Report, Error> {
    let own = to.join(OWN);
    let none = || Error::NotMade { id: id.to_owned(), volume: to.to_owned() };
    let sealed = manifest::state(&own)?.filter(|it| it.id == id && it.whole).ok_or_else(none)?;
    match manifest::report(&own)? {
        // The report of an earlier copy may lie beside a later one.
        Some(Report::Copied { id: of, entries, bytes, sha256 })
            if of == id && sealed.sha256.as_ref() == Some(&sha256) =>
        {
            Ok(Report::Copied { id: of, entries, bytes, sha256 })
        }
        _ => Err(none()),
    }
}

/// Whether a volume holds a copy that was read back as a whole.
///
/// # Errors
/// What is known of it cannot be read.
pub fn is_whole(volume: &Path) -> Result<bool, Error> {
    Ok(manifest::state(&volume.join(OWN))?.is_some_and(|it| it.whole))
}

impl Copy {
    /// Copies, reads back, and says what was copied. A copy of this name that is whole is read back only.
    ///
    /// # Errors
    /// See [`Error`]. The source is never changed, and a target that holds anything else is left alone.
    pub fn make(&self) -> Result<Report, Error> {
        if !self.is_whole()? {
            self.clear()?;
            self.has_room()?;
            let mut manifest = Manifest::begin(&self.own(), &self.id)?;
            self.fill(&mut manifest)?;
            memory::carry(&self.from, &self.to).at(&self.own())?;
            manifest.end()?;
        }
        let read_back = verify::all(&self.to, &self.own(), &self.id)?;
        manifest::seal(&self.own(), &self.id, &read_back)?;
        let report = Report::Copied {
            id: self.id.clone(),
            entries: read_back.entries,
            bytes: read_back.bytes,
            sha256: read_back.sha256,
        };
        manifest::keep(&self.own(), &report)?;
        Ok(report)
    }

    fn own(&self) -> PathBuf {
        self.to.join(OWN)
    }

    /// Whether the target holds this copy and it was whole once.
    fn is_whole(&self) -> Result<bool, Error> {
        Ok(manifest::state(&self.own())?.is_some_and(|it| it.id == self.id && it.whole))
    }

    /// Takes away what an earlier run of this very copy has left.
    fn clear(&self) -> Result<(), Error> {
        let state = manifest::state(&self.own())?;
        let ours = state.as_ref().is_some_and(|it| it.id == self.id);
        let mut others = fs::read_dir(&self.to).at(&self.to)?.filter_map(Result::ok);
        if !ours {
            return match others.find(|it| it.file_name() != LOST_AND_FOUND) {
                None => Ok(()),
                Some(_) => Err(Error::TargetNotEmpty(self.to.clone())),
            };
        }
        for entry in others.filter(|it| it.file_name() != LOST_AND_FOUND && it.file_name() != OWN) {
            let path = entry.path();
            let is_folder = entry.file_type().at(&path)?.is_dir();
            if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.at(&path)?;
        }
        Ok(())
    }

    /// Refuses before anything is written what cannot end well.
    fn has_room(&self) -> Result<(), Error> {
        let needed = self.needed()?;
        let room = rustix::fs::statvfs(&self.to).map_err(std::io::Error::from).at(&self.to)?;
        let free = room.f_bavail * room.f_frsize;
        fits(needed, free)
    }

    /// The bytes that everything takes up. What has several names is there once, here as there.
    fn needed(&self) -> Result<u64, Error> {
        let (mut needed, mut counted) = (0_u64, HashSet::new());
        for entry in entries(&self.from) {
            let entry = entry?;
            entry.is_copied()?;
            if !entry.has_several_names() || counted.insert(entry.inode()) {
                needed += entry.metadata.blocks() * 512;
            }
        }
        Ok(needed)
    }

    fn fill(&self, manifest: &mut Manifest) -> Result<(), Error> {
        let mut progress = Progress::of("the data is copied", Some(size(&self.from)?));
        // Links within the volume stay links: by device and inode, the first path that was copied.
        let mut linked: HashMap<(u64, u64), PathBuf> = HashMap::new();
        let mut folders = Vec::new();
        for entry in entries(&self.from) {
            let entry = entry?;
            let inode = entry.inode();
            let several = entry.has_several_names();
            let first = linked.get(&inode).filter(|_| several).cloned();
            let digest = self.put(&entry, first.as_deref(), &mut progress)?;
            if several {
                linked.entry(inode).or_insert_with(|| entry.path.clone());
            }
            manifest.add(&entry, digest.as_deref())?;
            folders.extend(Some(entry).filter(|it| it.kind == Kind::Folder));
        }
        // The time of a folder moves with what is put into it, and its permissions may forbid that: they are
        // set once all is there, from the inside out.
        folders.iter().rev().try_for_each(|it| it.dress(&self.to.join(&it.path)))
    }

    /// One entry onto the target, and the digest of its content.
    fn put(
        &self,
        entry: &Entry,
        first: Option<&Path>,
        progress: &mut Progress,
    ) -> Result<Option<String>, Error> {
        let target = self.to.join(&entry.path);
        let digest = match (&entry.kind, first) {
            (Kind::Socket, _) => return Ok(None),
            (Kind::Device, _) => return Err(Error::Device(entry.absolute.clone())),
            (Kind::Folder, _) => return fs::create_dir(&target).map(|()| None).at(&target),
            (Kind::File, Some(first)) => {
                fs::hard_link(self.to.join(first), &target).at(&target)?;
                return content::digest(&target, progress).map(Some);
            }
            (Kind::Link(to), _) => symlink(to, &target).map(|()| None).at(&target)?,
            (Kind::File, None) => Some(content::copy(&entry.absolute, &target, progress)?),
        };
        entry.unchanged()?;
        entry.dress(&target)?;
        Ok(digest)
    }
}

/// The manifest and the file system's own tables take a little.
fn fits(needed: u64, free: u64) -> Result<(), Error> {
    let with_tables = needed + needed / 100 + (1 << 20);
    if free < with_tables { Err(Error::NoRoom { needed: with_tables, free }) } else { Ok(()) }
}

/// Whether a path at the root of a volume is no part of its data.
fn is_own(path: &Path) -> bool {
    path == Path::new(OWN) || path == Path::new(LOST_AND_FOUND)
}

#[cfg(test)]
mod tests;
