//! What is said about a snapshot, beside it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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
    /// A digest of them, see [`variables_digest`]; none where an earlier version of the operator has made it.
    #[serde(default)]
    pub variables_sha256: Option<String>,
}

/// The environment variables of a deployment, by their names.
pub type Variables = BTreeMap<String, String>;

/// The SHA-256 of variables, as a manifest holds it, whatever file they are in.
#[must_use]
pub fn variables_digest(variables: &Variables) -> String {
    let mut sum = Sha256::new();
    for (name, value) in variables {
        for text in [name, value] {
            sum.update((text.len() as u64).to_be_bytes());
            sum.update(text);
        }
    }
    hex::encode(sum.finalize())
}

impl Manifest {
    /// Whether these are the variables that are kept beside it.
    #[must_use]
    pub fn keeps(&self, variables: &Variables) -> bool {
        self.variables == variables.len()
            && self.variables_sha256.as_ref().is_none_or(|it| *it == variables_digest(variables))
    }

    /// Whether it is that of this snapshot, made for this instance or before instances were told.
    #[must_use]
    pub fn is_of(&self, id: &str, instance: &str) -> bool {
        self.id == id && self.instance.as_deref().is_none_or(|it| it == instance)
    }
}
