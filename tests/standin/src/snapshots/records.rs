//! What is known about an export and an import, and how the system queries tell it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::values::integer;

/// One export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Export {
    /// Id of its document.
    pub id: String,
    /// When it was asked for, in milliseconds.
    pub created: f64,
    /// How far it is.
    pub state: ExportState,
    /// Whether files are to be in it.
    pub include_storage: bool,
    /// The moment that it shows, in nanoseconds; set when the work begins.
    pub start_ts: Option<i64>,
    /// When it was done.
    pub complete_ts: Option<i64>,
    /// When it may be removed; nothing here does.
    pub expiration_ts: Option<i64>,
    /// Bytes of the ZIP.
    pub size: Option<i64>,
}

/// How far an export is. It never fails: upstream's worker retries for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// Nobody works on it yet.
    Requested,
    /// It is being written.
    InProgress,
    /// Its ZIP can be fetched.
    Completed,
    /// Somebody did not want it any more.
    Canceled,
}

impl Export {
    /// Whether another one has to wait for it.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, ExportState::Requested | ExportState::InProgress)
    }

    /// The document of the system query.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut document = json!({
            "_id": self.id,
            "_creationTime": self.created,
            "state": self.state,
            "requestor": "snapshotExport",
            "format": { "format": "zip", "include_storage": self.include_storage },
        });
        let times = [
            ("start_ts", self.start_ts),
            ("complete_ts", self.complete_ts),
            ("expiration_ts", self.expiration_ts),
            ("size", self.size),
        ];
        for (name, value) in times {
            if let Some(value) = value {
                document[name] = integer(value);
            }
        }
        if self.state == ExportState::Completed {
            document["zip_object_key"] = json!(self.id);
        }
        document
    }
}

/// One import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {
    /// Id of its document; its ZIP is `imports/<id>.zip`.
    pub id: String,
    /// When it was uploaded, in milliseconds.
    pub created: f64,
    /// What happens to data that is there.
    pub mode: Mode,
    /// How far it is.
    pub state: ImportState,
}

/// What an import does with data that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Tables of the ZIP must be empty.
    #[default]
    RequireEmpty,
    /// Documents are added.
    Append,
    /// Tables of the ZIP are replaced; others stay.
    Replace,
    /// Tables of the ZIP are replaced; others are deleted.
    ReplaceAll,
}

/// How far an import is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ImportState {
    /// The ZIP is there and is being looked at.
    Uploaded,
    /// Somebody has to say yes.
    WaitingForConfirmation {
        /// What would be deleted.
        message_to_confirm: String,
        /// Whether a person should be asked.
        require_manual_confirmation: bool,
    },
    /// It is being read.
    InProgress {
        /// For people.
        progress_message: String,
    },
    /// The data is in place.
    Completed {
        /// How many documents, those of files included.
        num_rows_written: i64,
    },
    /// Nothing was changed.
    Failed {
        /// Why.
        error_message: String,
    },
}

impl Import {
    /// The document of the system query.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut state = json!(self.state);
        if let ImportState::Completed { num_rows_written } = self.state {
            state["num_rows_written"] = integer(num_rows_written);
        }
        json!({
            "_id": self.id,
            "_creationTime": self.created,
            "format": { "format": "zip" },
            "mode": self.mode,
            "object_key": self.id,
            "requestor": { "type": "snapshotImport" },
            "state": state,
        })
    }
}
