//! Why there is no export. The names of the variants are reasons.

use std::io;

use crate::{
    convex::deployment,
    worker::{job::Failure, snapshot, storage::Refused},
};

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The backend did not do what it was asked to.
    #[error(transparent)]
    Backend(#[from] deployment::Error),
    /// What was fetched is no whole export.
    #[error(transparent)]
    Snapshot(#[from] snapshot::Error),
    /// Somebody may write, or may have written.
    #[error(
        "the deployment {0}: somebody may have written since, and the export is no way back. Hold it, then take the export again."
    )]
    NotHeld(&'static str),
    /// Somebody's import was performed meanwhile.
    #[error(
        "import {0} of somebody else was performed meanwhile: what it brings is not in the export. Take the export again."
    )]
    ImportPerformed(String),
    /// Somebody stopped it.
    #[error("the export was canceled. Take it again.")]
    ExportCanceled,
    /// There is too little room; sizes in bytes.
    #[error(
        "an export takes {needed} bytes and {free} are free; nothing was fetched. Raise spec.maintenance.snapshots.size."
    )]
    NoRoom {
        /// What an export takes, or took last time.
        needed: u64,
        /// What is free.
        free: u64,
    },
    /// The backend says another size than came.
    #[error("the backend says that the export has {told} bytes, and {bytes} came. Take it again.")]
    SizeDiffers {
        /// What the backend says.
        told: u64,
        /// What came.
        bytes: u64,
    },
    /// A table is not in the export as it is in the backend.
    #[error(
        "table \"{table}\" has {there} documents, and the export has {exported}. Take it again; where nobody can be held, set acceptUnheldExport."
    )]
    DocumentsDiffer {
        /// The table.
        table: String,
        /// Its documents in the backend.
        there: u64,
        /// Its documents in the export.
        exported: u64,
    },
    /// What is there cannot be compared with what is exported.
    #[error(
        "the backend does not tell how many documents its tables have ({0}): whether an import brings all of them back could not be found out either, and the export is no way back. Choose maintenance.preUpgradeSnapshot: Copy."
    )]
    TablesUntold(#[source] deployment::Error),
    /// There is another snapshot, or that of another instance.
    #[error("there is snapshot {0} of another attempt or instance, which was left as it is")]
    FolderTaken(String),
    /// What was judged whole has changed since.
    #[error("the snapshot is not what it was when it was judged whole. It is not to be used")]
    Changed,
    /// Where snapshots are kept does not do what it should.
    #[error("where snapshots are kept: {0}")]
    Io(#[from] io::Error),
}

impl Error {
    /// Whether it is the export itself that is no good: another one has to be asked for.
    #[must_use]
    pub const fn is_of_the_export(&self) -> bool {
        matches!(
            self,
            Self::Snapshot(_)
                | Self::NotHeld(_)
                | Self::ImportPerformed(_)
                | Self::ExportCanceled
                | Self::SizeDiffers { .. }
                | Self::DocumentsDiffer { .. }
        )
    }
}

impl Failure for Error {
    fn reason(&self) -> &'static str {
        match self {
            Self::Backend(_) => "BackendRefused",
            Self::Snapshot(error) => error.reason(),
            Self::NotHeld(_) => "NotHeld",
            Self::ImportPerformed(_) => "ImportPerformed",
            Self::ExportCanceled => "ExportCanceled",
            Self::NoRoom { .. } => "NoRoom",
            Self::SizeDiffers { .. } => "SizeDiffers",
            Self::DocumentsDiffer { .. } => "DocumentsDiffer",
            Self::TablesUntold(_) => "TablesUntold",
            Self::FolderTaken(_) => "FolderTaken",
            Self::Changed => "SnapshotCorrupt",
            Self::Io(error) => Refused::reason(error).unwrap_or("Io"),
        }
    }
}
