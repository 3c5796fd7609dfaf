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
    /// The UID of the instance that it was made for; none where an earlier version of the operator has made it.
    #[serde(default)]
    pub instance: Option<String>,
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

impl Manifest {
    /// Whether it is that of this snapshot, made for this instance or before instances were told.
    #[must_use]
    pub fn is_of(&self, id: &str, instance: &str) -> bool {
        self.id == id && self.instance.as_deref().is_none_or(|it| it == instance)
    }
}
