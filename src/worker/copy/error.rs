//! What keeps a copy from being made. The names of the variants are reasons.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::worker::permit;

/// What keeps a copy from being made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The record does not let it be made, or not any more.
    #[error(transparent)]
    Refused(#[from] permit::Refused),
    /// There is no whole copy of this name.
    #[error("there is no whole copy {id} on {volume:?}")]
    NotMade {
        /// What the operator calls it.
        id: String,
        /// The volume.
        volume: PathBuf,
    },
    /// The target holds something that is not an unfinished copy of this name.
    #[error(
        "{0:?} is not empty and not an unfinished copy of this name; it was left as it is. Name an empty volume"
    )]
    TargetNotEmpty(PathBuf),
    /// The target has too little room; sizes in bytes.
    #[error(
        "the data takes {needed} bytes and {free} are free; nothing was copied. Raise spec.backend.storage.pvc.size"
    )]
    NoRoom {
        /// What the data takes.
        needed: u64,
        /// What is free.
        free: u64,
    },
    /// The source holds a device, which is no data.
    #[error("{0:?} is a device, which cannot be copied; take it away")]
    Device(PathBuf),
    /// Something changed while it was copied: somebody has the source open.
    #[error("{0:?} changed while it was copied: somebody still writes to the source")]
    SourceChanged(PathBuf),
    /// What was read back is not what was copied.
    #[error("{path:?} is not what was copied: {what}. The copy is not to be used")]
    Differs {
        /// The entry, relative to the volume.
        path: PathBuf,
        /// In what it differs.
        what: &'static str,
    },
    /// The manifest of a copy cannot be read.
    #[error("the manifest {0:?} cannot be read: {1}")]
    Manifest(PathBuf, #[source] serde_json::Error),
    /// The file system did not do what it was asked to.
    #[error("{0:?}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

impl Error {
    /// The reason, one CamelCase word.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.reason(),
            Self::NotMade { .. } => "NotMade",
            Self::TargetNotEmpty(_) => "TargetNotEmpty",
            Self::NoRoom { .. } => "NoRoom",
            Self::Device(_) => "Device",
            Self::SourceChanged(_) => "SourceChanged",
            Self::Differs { .. } => "Differs",
            Self::Manifest(..) => "Manifest",
            Self::Io(..) => "Io",
        }
    }
}

/// Says at which path something failed.
pub(super) trait At<T> {
    /// The same result, with the path in its error.
    fn at(self, path: &Path) -> Result<T, Error>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, Error> {
        self.map_err(|error| Error::Io(path.to_owned(), error))
    }
}
