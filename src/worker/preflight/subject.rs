//! What a preflight looks at, by the names that `status.dependencies` has for it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// The name of the database.
const DATABASE: &str = "database";
/// The name of object storage; where buckets differ, followed by what this one is for.
const STORAGE: &str = "objectStorage";

/// What a preflight looks at. Buckets are told by what they are for: their names may come from a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Subject {
    /// The database.
    Database,
    /// The one bucket for everything, or the one for these purposes.
    Bucket(Vec<Purpose>),
}

/// What a bucket is for, as `spec.backend.s3.buckets` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Exports.
    Exports,
    /// Files of users.
    Files,
    /// Code.
    Modules,
    /// Search indexes.
    Search,
    /// Imports.
    SnapshotImports,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Exports, Self::Files, Self::Modules, Self::Search, Self::SnapshotImports];

    /// The field of the spec.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Exports => "exports",
            Self::Files => "files",
            Self::Modules => "modules",
            Self::Search => "search",
            Self::SnapshotImports => "snapshotImports",
        }
    }

    /// The variable with the name of its bucket.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Exports => "S3_STORAGE_EXPORTS_BUCKET",
            Self::Files => "S3_STORAGE_FILES_BUCKET",
            Self::Modules => "S3_STORAGE_MODULES_BUCKET",
            Self::Search => "S3_STORAGE_SEARCH_BUCKET",
            Self::SnapshotImports => "S3_STORAGE_SNAPSHOT_IMPORTS_BUCKET",
        }
    }
}

/// Every bucket once, with what it is for.
#[must_use]
pub fn distinct(bucket_of: impl Fn(Purpose) -> Option<String>) -> Vec<(Subject, String)> {
    let mut all = BTreeMap::<String, Vec<Purpose>>::new();
    for purpose in Purpose::ALL {
        if let Some(bucket) = bucket_of(purpose) {
            all.entry(bucket).or_default().push(purpose);
        }
    }
    all.into_iter().map(|(bucket, purposes)| (Subject::Bucket(purposes), bucket)).collect()
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database => out.write_str(DATABASE),
            Self::Bucket(purposes) if purposes.len() == Purpose::ALL.len() => {
                out.write_str(STORAGE)
            }
            Self::Bucket(purposes) => {
                let fields: Vec<_> = purposes.iter().map(|it| it.field()).collect();
                write!(out, "{STORAGE}/{}", fields.join(","))
            }
        }
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

impl TryFrom<String> for Subject {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        match name.as_str() {
            DATABASE => return Ok(Self::Database),
            STORAGE => return Ok(Self::Bucket(Purpose::ALL.to_vec())),
            _ => {}
        }
        let fields = name.strip_prefix(STORAGE).and_then(|it| it.strip_prefix('/'));
        let fields = fields.ok_or("nothing that is looked at")?;
        let of = |field| Purpose::ALL.into_iter().find(|it| it.field() == field);
        let purposes: Option<Vec<_>> = fields.split(',').map(of).collect();
        let purposes = purposes.ok_or("no such bucket")?;
        let ordered = purposes.is_sorted_by(|one, next| one < next);
        if ordered && purposes.len() < Purpose::ALL.len() {
            Ok(Self::Bucket(purposes))
        } else {
            Err("purposes are named once, in their order")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bucket_for_everything_is_looked_at_once() {
        let all = distinct(|_| Some("orders".to_owned()));
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].0.to_string().as_str(), all[0].1.as_str()), ("objectStorage", "orders"));
        assert_eq!(distinct(|_| None), []);
    }

    #[test]
    fn buckets_are_called_by_what_they_are_for() {
        let all =
            distinct(|it| Some(if it == Purpose::Files { "canary" } else { "other" }.to_owned()));
        let names: Vec<_> = all.iter().map(|it| it.0.to_string()).collect();
        let rest = "objectStorage/exports,modules,search,snapshotImports";
        assert_eq!(names, ["objectStorage/files", rest]);
        for (subject, _) in all {
            assert_eq!(Subject::try_from(subject.to_string()), Ok(subject));
        }
    }

    #[test]
    fn other_names_are_none() {
        for name in [
            "",
            "Database",
            "objectStorage/",
            "objectStorage/files,exports",
            "objectStorage/files,files",
            "objectStorage/exports,files,modules,search,snapshotImports",
            "objectStorage/<b>",
        ] {
            assert!(Subject::try_from(name.to_owned()).is_err(), "{name}");
        }
    }
}
