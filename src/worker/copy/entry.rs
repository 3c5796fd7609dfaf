//! One entry of a volume: what it is, and what is told about it.

use std::{
    fs::{self, File, FileTimes, Metadata, Permissions},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown},
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use walkdir::WalkDir;

use super::{Error, error::At, is_own};

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file.
    File,
    /// A directory.
    Folder,
    /// A symbolic link, to this.
    Link(PathBuf),
    /// A socket or a pipe: it holds no data, and whoever needs it makes it anew.
    Socket,
    /// A device.
    Device,
}

/// One entry of a volume.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where it is, relative to the volume.
    pub(super) path: PathBuf,
    /// Where it is.
    pub(super) absolute: PathBuf,
    /// What it is.
    pub(super) kind: Kind,
    /// What the file system tells about it.
    pub(super) metadata: Metadata,
}

/// Every entry of a volume but its root, which is whoever's the volume is: folders before what is in them,
/// in the order of names, the same in every run.
pub(super) fn entries(root: &Path) -> impl Iterator<Item = Result<Entry, Error>> + use<> {
    let walk = WalkDir::new(root).min_depth(1).sort_by_file_name().follow_links(false).into_iter();
    let within = root.to_owned();
    let data = walk
        .filter_entry(move |it| it.path().strip_prefix(&within).is_ok_and(|path| !is_own(path)));
    let within = root.to_owned();
    data.map(move |found| {
        let found = found.map_err(|error| {
            let path = error.path().unwrap_or(&within).to_owned();
            Error::Io(path, error.into())
        })?;
        Entry::read(&within, found.into_path())
    })
}

/// The sizes of all files of a volume, holes included, in bytes.
pub(super) fn size(root: &Path) -> Result<u64, Error> {
    entries(root).try_fold(0, |sum, entry| Ok(sum + entry?.length()))
}

impl Entry {
    /// The size of a file, in bytes; anything else has none.
    pub(super) fn length(&self) -> u64 {
        if self.kind == Kind::File { self.metadata.len() } else { 0 }
    }

    /// Whether the same file is there under another name as well.
    pub(super) fn has_several_names(&self) -> bool {
        self.kind == Kind::File && self.metadata.nlink() > 1
    }

    /// What it is whatever its name: the device and the number on it.
    pub(super) fn inode(&self) -> (u64, u64) {
        (self.metadata.dev(), self.metadata.ino())
    }

    fn read(root: &Path, absolute: PathBuf) -> Result<Self, Error> {
        let metadata = fs::symlink_metadata(&absolute).at(&absolute)?;
        let type_ = metadata.file_type();
        let kind = if type_.is_file() {
            Kind::File
        } else if type_.is_dir() {
            Kind::Folder
        } else if type_.is_symlink() {
            Kind::Link(fs::read_link(&absolute).at(&absolute)?)
        } else if type_.is_socket() || type_.is_fifo() {
            Kind::Socket
        } else {
            Kind::Device
        };
        let path = absolute.strip_prefix(root).unwrap_or(&absolute).to_owned();
        Ok(Self { path, absolute, kind, metadata })
    }

    /// Whether it can be copied at all.
    pub(super) fn is_copied(&self) -> Result<(), Error> {
        if self.kind == Kind::Device { Err(Error::Device(self.absolute.clone())) } else { Ok(()) }
    }

    /// Nobody wrote to it since it was looked at.
    pub(super) fn unchanged(&self) -> Result<(), Error> {
        let now = fs::symlink_metadata(&self.absolute).at(&self.absolute)?;
        let of = |it: &Metadata| (it.len(), it.mtime(), it.mtime_nsec(), it.ino());
        if of(&now) == of(&self.metadata) {
            return Ok(());
        }
        Err(Error::SourceChanged(self.absolute.clone()))
    }

    /// Gives the target owner, mode and time of the source.
    pub(super) fn dress(&self, target: &Path) -> Result<(), Error> {
        let now = fs::symlink_metadata(target).at(target)?;
        let (uid, gid) = (self.metadata.uid(), self.metadata.gid());
        // Who is not root may keep what is its own, and may not ask.
        if (now.uid(), now.gid()) != (uid, gid) {
            lchown(target, Some(uid), Some(gid)).at(target)?;
        }
        if matches!(self.kind, Kind::Link(_)) {
            return self.dress_link(target);
        }
        let times = FileTimes::new()
            .set_accessed(self.metadata.accessed().at(target)?)
            .set_modified(self.metadata.modified().at(target)?);
        // Opened before its permissions may forbid that.
        let opened = File::open(target).at(target)?;
        opened.set_permissions(Permissions::from_mode(self.mode())).at(target)?;
        opened.set_times(times).at(target)
    }

    fn dress_link(&self, target: &Path) -> Result<(), Error> {
        let time = |seconds, nanoseconds| Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
        let times = Timestamps {
            last_access: time(self.metadata.atime(), self.metadata.atime_nsec()),
            last_modification: time(self.metadata.mtime(), self.metadata.mtime_nsec()),
        };
        utimensat(CWD, target, &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(io::Error::from)
            .at(target)
    }

    /// The permissions, with the bits for set-user-id and the like.
    pub(super) fn mode(&self) -> u32 {
        self.metadata.mode() & 0o7777
    }
}
