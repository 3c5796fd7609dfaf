//! Why nothing was imported. The names of the variants are reasons.

use std::io;

use crate::{
    convex::deployment,
    worker::{job::Failure, permit, snapshot, storage::Refused},
};

/// Why nothing was imported, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The record of the instance does not permit this attempt.
    #[error(transparent)]
    Refused(#[from] permit::Refused),
    /// There is no such snapshot.
    #[error("there is no snapshot {0} where it was kept; nothing was done")]
    SnapshotMissing(String),
    /// There is another snapshot.
    #[error(
        "there is snapshot {found}, made for another attempt or instance, and not {wanted}; nothing was done"
    )]
    OtherSnapshot {
        /// What is to be imported.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// The snapshot has changed since it was judged whole.
    #[error("the snapshot is not what it was when it was judged whole; nothing was done")]
    Changed,
    /// The snapshot is no whole export.
    #[error(transparent)]
    Snapshot(#[from] snapshot::Error),
    /// The backend did not do what it was asked to.
    #[error(transparent)]
    Backend(#[from] deployment::Error),
    /// The backend gave up; it has changed nothing.
    #[error("the backend says that the import failed; its data is as it was. Its log says why.")]
    ImportFailed,
    /// Somebody else has imported since the snapshot was taken.
    #[error(
        "import {0} of somebody else was performed after the snapshot was taken: this one would replace what it brought, and nothing was done. Go back to the version of before, see that what it brought is there or import it again, then upgrade again."
    )]
    ImportPerformed(String),
    /// Fewer rows were written than there are documents.
    #[error("the backend wrote {rows} rows, and the snapshot has {documents} documents")]
    RowsMissing {
        /// What the backend says.
        rows: u64,
        /// What the snapshot has.
        documents: u64,
    },
    /// A table is not in the backend as it is in the snapshot.
    #[error(
        "table \"{table}\" has {there} documents in the backend, and {snapshot} in the snapshot"
    )]
    DocumentsDiffer {
        /// The table.
        table: String,
        /// Its documents in the backend.
        there: u64,
        /// Its documents in the snapshot.
        snapshot: u64,
    },
    /// Where snapshots are kept does not do what it should.
    #[error("where snapshots are kept: {0}")]
    Io(#[from] io::Error),
}

impl Failure for Error {
    fn reason(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.reason(),
            Self::SnapshotMissing(_) => "SnapshotMissing",
            Self::OtherSnapshot { .. } => "OtherSnapshot",
            Self::Changed => "SnapshotCorrupt",
            Self::Snapshot(error) => error.reason(),
            Self::Backend(_) => "BackendRefused",
            Self::ImportFailed => "ImportFailed",
            Self::ImportPerformed(_) => "ImportPerformed",
            Self::RowsMissing { .. } => "RowsMissing",
            Self::DocumentsDiffer { .. } => "DocumentsDiffer",
            Self::Io(error) => Refused::reason(error).unwrap_or("Io"),
        }
    }
}
