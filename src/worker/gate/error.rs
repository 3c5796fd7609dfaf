//! Why a backend is not let through. The names of the variants are reasons.

use std::{io, path::PathBuf};

use statemachine::pins::Backend;

use crate::worker::{copy, preflight};

/// Why a backend is not let through.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Whoever scales by hand gets more pods with the same claim.
    #[error("only pod {only} may open the data; this is {pod}")]
    AnotherPod {
        /// This one.
        pod: String,
        /// The one that may.
        only: String,
    },
    /// Without a record the gate is closed.
    #[error("there is no record of which version may open the data; the operator writes it anew")]
    RecordMissing,
    /// A record that cannot be read is none.
    #[error("the record of which version may open the data cannot be read: {0}")]
    RecordUnreadable(#[source] serde_json::Error),
    /// The pod does not say what it is for.
    #[error("what this pod is for cannot be read: {0}")]
    TemplateUnreadable(#[source] serde_json::Error),
    /// Somebody has edited the template, or an older operator has written it.
    #[error(
        "this pod is for {}, and the record asks for {}: the data is not opened. A version is asked for by spec.version of the instance; a StatefulSet that was changed by hand is put right by the operator once it runs.",
        told(template),
        told(record)
    )]
    Other {
        /// What the pod is for.
        template: Box<Backend>,
        /// What the record asks for.
        record: Box<Backend>,
    },
    /// Nobody is to open the data now.
    #[error("the gate is closed for {}: the data is being copied, or the instance is stopped", told(.0))]
    Closed(Box<Backend>),
    /// The volume was opened by another version after this one.
    #[error(
        "this volume was last opened by version {last}, and by {wanted} before that; what was migrated is not opened by an older version. To go back, take a copy from before, or export and import into a fresh store."
    )]
    Outgrown {
        /// The version that asks.
        wanted: String,
        /// The version that opened it last.
        last: String,
    },
    /// Whoever would open it would begin with nothing, and take it for everything.
    #[error(
        "the claim was made for a cold copy that never became whole: what is on it is not the data. Open the claim that it was to be copied from."
    )]
    CopyUnfinished,
    /// Whether the copy is whole cannot be found out.
    #[error("whether the cold copy on the volume is whole cannot be found out: {0}")]
    Copy(#[source] copy::Error),
    /// There is no room to note who opens the volume, and none for the backend either.
    #[error(
        "the volume is full: what it remembers, {0:?}, cannot be written, and the data is not opened. Raise spec.backend.storage.pvc.size"
    )]
    Full(PathBuf),
    /// What the volume remembers cannot be read or written.
    #[error("what the volume remembers, {0:?}: {1}. It was left as it is")]
    Memory(PathBuf, #[source] io::Error),
    /// What the backend depends on cannot be used.
    #[error(transparent)]
    Unmet(#[from] preflight::Unmet),
}

/// A backend in a few words.
fn told(backend: &Backend) -> String {
    let release = &backend.release;
    let store = String::from(backend.store.clone());
    format!("version {} (image {}) on store {store}", release.version, release.image)
}
