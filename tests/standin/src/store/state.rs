//! What `state.json` says.

use std::{
    collections::BTreeMap,
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    keys::random_bytes,
    snapshots::records::{Export, Import},
};

/// Everything but the documents themselves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Unique to this store.
    pub store: String,
    /// What migrations raise.
    pub metadata_version: u32,
    /// Where files are, once a backend has begun to keep some.
    #[serde(default)]
    pub storage: Option<Storage>,
    /// Whether user functions are refused.
    pub paused: bool,
    /// Deployed functions, as `apiSpec` lists them.
    pub functions: Vec<Value>,
    /// Environment variables of the functions.
    pub variables: BTreeMap<String, String>,
    /// Tables by their path in an export: `messages`, `_storage`, `_components/waitlist/entries`.
    pub tables: BTreeMap<String, Table>,
    /// The latest timestamp that was given out, in nanoseconds.
    pub latest_ts: i64,
    /// Exports, the latest last.
    pub exports: Vec<Export>,
    /// Imports, the latest last.
    pub imports: Vec<Import>,
}

/// Where files are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Storage {
    /// In the data directory.
    Local,
    /// In buckets.
    S3 {
        /// What every key begins with: `<INSTANCE_NAME>-<uuid>/`.
        prefix: String,
    },
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("Local"),
            Self::S3 { prefix } => write!(f, "S3 ({prefix})"),
        }
    }
}

/// Where the documents of a table are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Name below `tables/`; files of `_storage` are in the folder `<file>.files` beside it.
    pub file: String,
    /// How many bytes of the file count: what follows was never committed.
    pub bytes: u64,
    /// How many documents these are.
    pub documents: u64,
}

impl Table {
    /// A table without documents, in a file of its own.
    #[must_use]
    pub fn empty() -> Self {
        Self { file: new_id(), ..Self::default() }
    }
}

impl State {
    /// A store as it begins.
    #[must_use]
    pub fn new(metadata_version: u32) -> Self {
        Self {
            store: new_id(),
            metadata_version,
            storage: None,
            paused: false,
            functions: Vec::new(),
            variables: BTreeMap::new(),
            tables: BTreeMap::new(),
            latest_ts: 0,
            exports: Vec::new(),
            imports: Vec::new(),
        }
    }

    /// The time in nanoseconds, later than every time that this store gave out before.
    pub fn next_ts(&mut self) -> i64 {
        self.latest_ts = now_ns().max(self.latest_ts + 1);
        self.latest_ts
    }
}

/// The time as documents have it: milliseconds.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "Convex keeps creation times as floats too")]
pub fn now_ms() -> f64 {
    (now_ns() / 1_000_000) as f64
}

fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// An id for a document, a file or a table.
#[must_use]
pub fn new_id() -> String {
    hex::encode(random_bytes::<16>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_stands_still_even_when_the_clock_goes_back() {
        let mut state = State::new(128);
        let first = state.next_ts();
        assert!(state.next_ts() > first);
        state.latest_ts = i64::MAX - 1;
        assert_eq!(state.next_ts(), i64::MAX);
    }
}
