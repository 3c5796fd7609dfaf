//! How a worker ends: one line of JSON in the termination message of its container.
//!
//! Kubernetes keeps 4,096 bytes of it
//! (<https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/>).

use std::{fs, io, path::Path};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The longest message of a failure, in characters.
const LONGEST: usize = 1000;

/// How a worker ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Report {
    /// Everything was copied, and read back as it was.
    Copied {
        /// The copy, as the operator named it.
        id: String,
        /// Files, directories and links.
        entries: u64,
        /// The sum of the sizes of the files, in bytes.
        bytes: u64,
        /// The digest of the manifest, in lower-case hexadecimal.
        sha256: String,
    },
    /// The export is there, and was judged whole.
    Exported {
        /// The snapshot, as the operator named it.
        id: String,
        /// The size of the archive, in bytes.
        bytes: u64,
        /// The digest of the archive, in lower-case hexadecimal.
        sha256: String,
        /// How many tables there are.
        tables: u64,
        /// The documents of all tables.
        documents: u64,
        /// How many files there are.
        files: u64,
        /// The version that the data was exported from.
        version: String,
        /// When it was judged whole.
        time: DateTime<Utc>,
        /// Every snapshot that is there now, this one included, newest first.
        kept: Vec<String>,
    },
    /// The snapshot is in the backend, and was counted there.
    Imported {
        /// The attempt, as the operator named it.
        id: String,
        /// The snapshot, as the operator named it.
        snapshot: String,
        /// The documents of all tables.
        documents: u64,
        /// How many environment variables had to be set.
        variables: u64,
    },
    /// It was not done.
    Failed {
        /// One CamelCase word.
        reason: String,
        /// What happened, and what to do about it.
        message: String,
    },
}

impl Report {
    /// A failure, cut to what Kubernetes keeps.
    #[must_use]
    pub fn failed(reason: &str, message: &str) -> Self {
        let message = message.chars().take(LONGEST).collect();
        Self::Failed { reason: reason.to_owned(), message }
    }

    /// Writes it where the kubelet reads it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, to: &Path) -> io::Result<()> {
        fs::write(to, serde_json::to_vec(self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_fits_a_termination_message_however_much_there_is_to_say() {
        let report = Report::failed("NoRoom", &"ä".repeat(9000));
        assert!(serde_json::to_vec(&report).unwrap().len() <= 4096);
    }

    #[test]
    fn a_report_says_first_how_it_ended() {
        let report = Report::failed("NoRoom", "12 bytes are free");
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(text, r#"{"result":"failed","reason":"NoRoom","message":"12 bytes are free"}"#);
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }
}
