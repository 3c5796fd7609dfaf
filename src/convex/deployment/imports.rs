//! Imports: an upload in parts, a yes, and how it stands. Everything that is there is replaced, in one step.
//!
//! `crates/local_backend/src/snapshot_import.rs` upstream. The backend goes on by itself once it was told yes,
//! whoever has told it.

use std::collections::BTreeSet;

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Deployment, Error, PATIENT, refusal, unclear};
use crate::convex::client::{
    answer::Answer,
    exchange::{BYTES, JSON, Question},
};

/// How an import stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// It was uploaded and is being read.
    Uploaded,
    /// It waits for a yes.
    WaitingForConfirmation,
    /// It is being done.
    InProgress,
    /// The data is in place.
    Completed {
        /// How many documents were written; files and what describes them are not among them.
        rows: u64,
    },
    /// Nothing was changed.
    Failed,
}

/// The imports that have been told yes, whoever has asked for them, by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imports {
    /// Those that the backend performs now.
    pub in_progress: BTreeSet<String>,
    /// Those that the backend is known to have performed.
    pub completed: BTreeSet<String>,
}

impl Imports {
    /// One that is not known, if there is any.
    pub fn besides(&self, is_known: impl Fn(&String) -> bool) -> Option<&String> {
        self.in_progress.union(&self.completed).find(|it| !is_known(it))
    }
}

impl Deployment {
    /// Begins an upload and gives its token.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start_upload(&self) -> Result<String, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Started {
            upload_token: String,
        }
        let answer = self.post("/api/import/start_upload", None).await?;
        let started: Started = success("an upload", &answer)?;
        Ok(started.upload_token)
    }

    /// Uploads one part, numbered from 1, and gives its token. A part may be sent again.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn upload_part(
        &self,
        upload: &str,
        number: u64,
        part: Vec<u8>,
    ) -> Result<Value, Error> {
        let token: String = upload.bytes().flat_map(escaped).collect();
        let path = format!("/api/import/upload_part?uploadToken={token}&partNumber={number}");
        let question = Question {
            method: Method::POST,
            path: &path,
            key: Some(&self.key),
            body: Some((BYTES, part)),
        };
        success("a part of an upload", &self.ask_within(question, PATIENT).await?)
    }

    /// Ends an upload: an import that replaces everything, and waits for a yes. Gives its id.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn finish_upload(&self, upload: &str, parts: &[Value]) -> Result<String, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Finished {
            import_id: String,
        }
        let body = json!({
            "import": {"mode": "replaceAll", "format": "zip"},
            "uploadToken": upload,
            "partTokens": parts,
        });
        let question = Question {
            method: Method::POST,
            path: "/api/import/finish_upload",
            key: Some(&self.key),
            body: Some((JSON, body.to_string().into_bytes())),
        };
        let answer = self.ask_within(question, PATIENT).await?;
        let finished: Finished = success("the end of an upload", &answer)?;
        Ok(finished.import_id)
    }

    /// How an import stands; none where the backend knows no such import.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn import(&self, id: &str) -> Result<Option<ImportState>, Error> {
        let value = self.query("_system/cli/queryImport", json!({ "importId": id })).await?;
        if value.is_null() {
            return Ok(None);
        }
        let state = &value["state"];
        Ok(Some(match state["state"].as_str() {
            Some("uploaded") => ImportState::Uploaded,
            Some("waiting_for_confirmation") => ImportState::WaitingForConfirmation,
            Some("in_progress") => ImportState::InProgress,
            Some("failed") => ImportState::Failed,
            Some("completed") => {
                let rows = &state["num_rows_written"];
                let rows = rows.as_u64().or_else(|| rows.as_str()?.parse().ok());
                ImportState::Completed { rows: rows.ok_or_else(|| unclear("an import"))? }
            }
            _ => return Err(unclear("an import")),
        }))
    }

    /// The imports that the backend performs now or is known to have performed, as they are at one moment.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn imports(&self) -> Result<Imports, Error> {
        let value = self.query("_system/cli/queryImport:list", json!({})).await?;
        let all = value.as_array().ok_or_else(|| unclear("its imports"))?;
        let that_are = |state: &str| -> BTreeSet<String> {
            let chosen = all.iter().filter(|it| it["state"]["state"] == state);
            chosen.filter_map(|it| it["_id"].as_str().map(str::to_owned)).collect()
        };
        Ok(Imports { in_progress: that_are("in_progress"), completed: that_are("completed") })
    }

    /// Says yes to an import. Said again it changes nothing.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn perform_import(&self, id: &str) -> Result<(), Error> {
        let answer = self.post("/api/perform_import", Some(json!({ "importId": id }))).await?;
        if answer.status == 200 { Ok(()) } else { Err(refusal("an import", &answer)) }
    }

    /// Gives up an import that is not done.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn cancel_import(&self, id: &str) -> Result<(), Error> {
        let answer = self.post("/api/cancel_import", Some(json!({ "importId": id }))).await?;
        if answer.status == 200 { Ok(()) } else { Err(refusal("to stop an import", &answer)) }
    }
}

fn success<T: for<'de> Deserialize<'de>>(what: &'static str, answer: &Answer) -> Result<T, Error> {
    match serde_json::from_slice(&answer.body) {
        Ok(value) if answer.status == 200 => Ok(value),
        _ => Err(refusal(what, answer)),
    }
}

#[test]
fn an_import_is_unknown_whether_it_is_performed_now_or_was_before() {
    let of = |ids: &[&str]| ids.iter().map(|it| (*it).to_owned()).collect();
    let known = |it: &String| it == "ours";
    let none = Imports { in_progress: of(&["ours"]), completed: of(&["ours"]) };
    assert_eq!(none.besides(known), None);
    let now = Imports { in_progress: of(&["theirs"]), completed: of(&["ours"]) };
    let before = Imports { in_progress: of(&["ours"]), completed: of(&["theirs"]) };
    for imports in [now, before] {
        assert_eq!(imports.besides(known).map(String::as_str), Some("theirs"));
    }
}

/// What a query may hold of a token as it is, and everything else as its bytes.
fn escaped(byte: u8) -> Vec<char> {
    let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    if plain { vec![char::from(byte)] } else { format!("%{byte:02X}").chars().collect() }
}
