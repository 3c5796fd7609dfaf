//! What can be wrong with an export.

use std::io;

/// Why an archive is no whole export. What is named here comes from the archive and holds no document.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its bytes cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// Its directory, which a ZIP has at its end, is not there: it was cut off, or is something else.
    #[error(
        "it has no ZIP directory at its end ({0}): it was cut off, or is no export. Take it again."
    )]
    NotAnArchive(#[source] zip::result::ZipError),
    /// An entry does not read as its directory says.
    #[error("entry \"{entry}\" is damaged: {why}. Take the export again.")]
    Damaged {
        /// The name of the entry.
        entry: String,
        /// What does not fit.
        why: String,
    },
    /// A table's documents are not JSON, one after the other.
    #[error(
        "entry \"{entry}\" is no JSON after {documents} documents: {why}. Take the export again."
    )]
    NotJson {
        /// The name of the entry.
        entry: String,
        /// How many documents were read before.
        documents: u64,
        /// What the parser says, without the text.
        why: String,
    },
    /// What every export has is not there.
    #[error("it has no entry \"{0}\", which every export has: it is no export of a Convex backend")]
    NoExport(String),
    /// It was made without files: with them there is a list of them, which may be empty.
    #[error(
        "it has no list of files: it was made without file storage. Take the export again, with file storage."
    )]
    NoFiles,
    /// A table is listed and its documents are not there.
    #[error("table \"{0}\" is listed and its documents are not there. Take the export again.")]
    TableMissing(String),
    /// A file is listed and its content is not there.
    #[error(
        "{missing} of {listed} files of \"{storage}\" are listed without their content. Take the export again, with file storage."
    )]
    FilesMissing {
        /// The folder of files.
        storage: String,
        /// How many have no content.
        missing: u64,
        /// How many are listed.
        listed: u64,
    },
}

impl Error {
    /// One `CamelCase` word for a report.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "SnapshotUnreadable",
            Self::NotAnArchive(_) => "SnapshotTruncated",
            Self::Damaged { .. } | Self::NotJson { .. } => "SnapshotCorrupt",
            Self::NoExport(_) => "SnapshotNotAnExport",
            Self::NoFiles | Self::TableMissing(_) | Self::FilesMissing { .. } => {
                "SnapshotIncomplete"
            }
        }
    }
}
