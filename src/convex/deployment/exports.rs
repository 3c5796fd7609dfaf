//! Exports: asking for one, seeing how it stands, fetching it.
//!
//! `crates/local_backend/src/snapshot_export.rs` upstream.

use std::io;

use http_body_util::BodyExt;
use hyper::{body::Bytes, header::CONTENT_LENGTH};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Deployment, Error, SILENCE, is_served, refusal, unclear};
use crate::convex::client::{
    Error as Unanswered, answer,
    exchange::{self, Opened, Question},
};

/// How an export stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its id among the backend's documents.
    pub id: String,
    /// What the backend says of it.
    pub state: ExportState,
    /// Its size in bytes, where the backend knows.
    pub size: Option<u64>,
    /// How far it is, in the backend's words.
    pub progress: Option<String>,
    /// Whether files are in it, where the backend says so.
    pub files: Option<bool>,
}

impl Export {
    /// Whether it is still being made.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, ExportState::Requested | ExportState::InProgress)
    }
}

/// How far an export is. The backend never says that one failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// It is asked for.
    Requested,
    /// It is being made.
    InProgress,
    /// It can be downloaded.
    Completed,
    /// It was made and could not be: no backend says so today.
    Failed,
    /// Somebody stopped it.
    Canceled,
}

impl Deployment {
    /// Asks for an export of everything, files included. It is made in the background.
    ///
    /// # Errors
    /// [`Error::ExportInProgress`] where there is one already; otherwise see [`Error`].
    pub async fn request_export(&self) -> Result<(), Error> {
        let answer = self.post("/api/export/request/zip?includeStorage=true", None).await?;
        match answer.status {
            200 => Ok(()),
            400 if answer::code(&answer) == "ExportInProgress" => Err(Error::ExportInProgress),
            _ => Err(refusal("an export", &answer)),
        }
    }

    /// The export that was asked for last; none where there never was one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn latest_export(&self) -> Result<Option<Export>, Error> {
        #[derive(Deserialize)]
        struct Document {
            #[serde(rename = "_id")]
            id: String,
            state: ExportState,
            #[serde(default)]
            size: Value,
            #[serde(default)]
            progress_message: Option<String>,
            #[serde(default)]
            format: Value,
        }
        let value = self.query("_system/cli/exports:getLatest", json!({})).await?;
        if value.is_null() {
            return Ok(None);
        }
        let it: Document = serde_json::from_value(value).map_err(|_| unclear("an export"))?;
        // As JSON an int64 is a string of digits.
        let size = it.size.as_u64().or_else(|| it.size.as_str()?.parse().ok());
        let files = it.format["include_storage"].as_bool();
        Ok(Some(Export { id: it.id, state: it.state, size, progress: it.progress_message, files }))
    }

    /// Stops an export.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn cancel_export(&self, id: &str) -> Result<(), Error> {
        let answer = self.post(&format!("/api/export/cancel/{id}"), None).await?;
        if answer.status == 200 { Ok(()) } else { Err(refusal("to stop an export", &answer)) }
    }

    /// Hands a completed export out as it comes, and says how many bytes it has.
    ///
    /// # Errors
    /// [`Error::BrokenOff`] where fewer bytes came than were announced; otherwise see [`Error`].
    pub async fn download(
        &self,
        id: &str,
        mut take: impl AsyncFnMut(Bytes) -> io::Result<()>,
    ) -> Result<u64, Error> {
        let mut opened = self.opened(id).await?;
        let body = &mut opened.response;
        let length = body.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|it| it.to_str().ok()?.parse().ok());
        let mut read = 0;
        loop {
            let frame = tokio::time::timeout(SILENCE, body.frame()).await;
            let Some(frame) = frame.map_err(|_| Unanswered::TimedOut)? else { break };
            let frame = match (frame, length) {
                (Ok(frame), _) => frame,
                (Err(_), Some(length)) => return Err(Error::BrokenOff { read, length }),
                (Err(why), None) => return Err(exchange::broken(&why).into()),
            };
            let Ok(data) = frame.into_data() else { continue };
            read += data.len() as u64;
            take(data).await.map_err(Error::Write)?;
        }
        match length {
            Some(length) if length != read => Err(Error::BrokenOff { read, length }),
            _ => Ok(read),
        }
    }

    async fn opened(&self, id: &str) -> Result<Opened, Error> {
        let path = format!("/api/export/zip/{id}");
        let question = Question::get(&path, Some(&self.key));
        let opened = exchange::open(self.address, self.patience.connect, question);
        let opened = tokio::time::timeout(SILENCE, opened).await;
        let opened = opened.map_err(|_| Unanswered::TimedOut)??;
        let status = opened.response.status().as_u16();
        let code = || format!("HTTP {status}");
        is_served(status, code)?;
        if status == 200 {
            return Ok(opened);
        }
        Err(Error::Refused { what: "a download", code: code() })
    }
}
