//! What is said about a snapshot, beside it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Content;

/// What is said about a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// What the operator calls it: the upgrade and the attempt that asked for it.
    pub id: String,
    /// The UID of the instance that it was made for.
    #[serde(default)]
    pub instance: String,
    /// The version that the data was exported from.
    pub version: String,
    /// When it was judged whole.
    pub time: DateTime<Utc>,
    /// What is in it.
    #[serde(flatten)]
    pub content: Content,
    /// How many environment variables are kept beside it.
    pub variables: usize,
}
