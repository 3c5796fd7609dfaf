//! What a worker asks of the one backend that holds the data: exports, variables, the pause.
//!
//! All of it is plain HTTP with the admin key, as Convex's own CLI and dashboard use it
//! (`crates/local_backend/src/{snapshot_export,environment_variables}.rs` upstream). System queries are promised
//! by nobody: what is not understood is "cannot tell", and never "done".

use std::{collections::BTreeMap, io, net::SocketAddr, time::Duration};

use http_body_util::BodyExt;
use hyper::{Method, header::CONTENT_LENGTH};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{
    AdminKey,
    client::{
        Error as Unanswered, Patience,
        answer::{self, Answer},
        exchange::{self, Question},
    },
};

/// The largest answer to a question of a worker, in bytes: all variables of a deployment.
const LARGEST: usize = 8 * 1024 * 1024;
/// How long a download may be silent.
const SILENCE: Duration = Duration::from_mins(1);

/// Why a worker's question has no good answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// See [`Unanswered`].
    #[error("the backend {0}")]
    Unanswered(#[from] Unanswered),
    /// One export at a time: another one is under way.
    #[error("another export is under way")]
    ExportInProgress,
    /// The backend is too old for what was asked.
    #[error("the backend is too old for {0}")]
    Unsupported(&'static str),
    /// It is asked properly and does not do it.
    #[error("the backend refuses {what} ({code})")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// Convex's own code, or the HTTP status.
        code: String,
    },
    /// The download broke off.
    #[error("the export broke off after {read} of {length} bytes")]
    BrokenOff {
        /// How many bytes came.
        read: u64,
        /// How many were announced.
        length: u64,
    },
    /// What came cannot be written.
    #[error("writing the export: {0}")]
    Write(#[source] io::Error),
}

/// A deployment, asked as its administrator at the address of its one pod.
#[derive(Clone, Debug)]
pub struct Deployment {
    address: SocketAddr,
    key: AdminKey,
    patience: Patience,
}

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
    /// The deployment that answers at a pod's address.
    #[must_use]
    pub fn at(address: SocketAddr, key: AdminKey) -> Self {
        Self { address, key, patience: Patience::default() }
    }

    /// Runs a query and gives its value, in plain JSON.
    ///
    /// # Errors
    /// See [`Error`]; a query that fails is [`Error::Refused`].
    pub async fn query(&self, path: &str, arguments: Value) -> Result<Value, Error> {
        #[derive(Deserialize)]
        struct Outcome {
            status: String,
            #[serde(default)]
            value: Value,
        }
        let body = json!({"path": path, "format": "json", "args": [arguments]});
        let answer = self.post("/api/query", Some(body)).await?;
        let outcome: Result<Outcome, _> = serde_json::from_slice(&answer.body);
        match outcome {
            Ok(outcome) if outcome.status == "success" => Ok(outcome.value),
            Ok(_) => Err(Error::Refused { what: "a query", code: "FunctionError".to_owned() }),
            Err(_) => Err(refusal("a query", &answer)),
        }
    }

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
        }
        let value = self.query("_system/cli/exports:getLatest", json!({})).await?;
        if value.is_null() {
            return Ok(None);
        }
        let it: Document = serde_json::from_value(value).map_err(|_| unclear("an export"))?;
        // As JSON an int64 is a string of digits.
        let size = it.size.as_u64().or_else(|| it.size.as_str()?.parse().ok());
        Ok(Some(Export { id: it.id, state: it.state, size, progress: it.progress_message }))
    }

    /// Stops an export.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn cancel_export(&self, id: &str) -> Result<(), Error> {
        let answer = self.post(&format!("/api/export/cancel/{id}"), None).await?;
        if answer.status == 200 { Ok(()) } else { Err(refusal("to stop an export", &answer)) }
    }

    /// Writes a completed export out as it comes, and says how many bytes it has.
    ///
    /// # Errors
    /// [`Error::BrokenOff`] where fewer bytes came than were announced; otherwise see [`Error`].
    pub async fn download(
        &self,
        id: &str,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<u64, Error> {
        let path = format!("/api/export/zip/{id}");
        let question = Question::get(&path, Some(&self.key));
        let opened = exchange::open(self.address, self.patience.connect, question);
        let opened = tokio::time::timeout(SILENCE, opened).await;
        let mut response = opened.map_err(|_| Unanswered::TimedOut)??;
        let (status, headers) = (response.response.status(), response.response.headers());
        if status.as_u16() != 200 {
            let code = format!("HTTP {}", status.as_u16());
            return Err(Error::Refused { what: "a download", code });
        }
        let length = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
        let mut read = 0;
        loop {
            let frame = tokio::time::timeout(SILENCE, response.response.frame()).await;
            let Some(frame) = frame.map_err(|_| Unanswered::TimedOut)? else { break };
            let frame = match (frame, length) {
                (Ok(frame), _) => frame,
                (Err(_), Some(length)) => return Err(Error::BrokenOff { read, length }),
                (Err(why), None) => return Err(exchange::broken(&why).into()),
            };
            let Some(data) = frame.data_ref() else { continue };
            to.write_all(data).await.map_err(Error::Write)?;
            read += data.len() as u64;
        }
        to.flush().await.map_err(Error::Write)?;
        match length {
            Some(length) if length != read => Err(Error::BrokenOff { read, length }),
            _ => Ok(read),
        }
    }

    /// The environment variables of the deployment's functions: no part of an export.
    ///
    /// # Errors
    /// [`Error::Unsupported`] before 2025-08-28; otherwise see [`Error`].
    pub async fn variables(&self) -> Result<BTreeMap<String, String>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Listed {
            environment_variables: BTreeMap<String, String>,
        }
        let question = Question::get("/api/v1/list_environment_variables", Some(&self.key));
        let answer = self.ask(question).await?;
        if answer.status == 404 {
            return Err(Error::Unsupported("listing environment variables"));
        }
        let listed: Result<Listed, _> = serde_json::from_slice(&answer.body);
        match listed {
            Ok(listed) if answer.status == 200 => Ok(listed.environment_variables),
            _ => Err(refusal("environment variables", &answer)),
        }
    }

    /// Stops everything that users and schedules do, or lets it go on. Administrators still get through.
    ///
    /// # Errors
    /// [`Error::Unsupported`] before 2026-01-07; otherwise see [`Error`].
    pub async fn pause(&self, pause: bool) -> Result<(), Error> {
        let verb = if pause { "pause" } else { "unpause" };
        let answer = self.post(&format!("/api/v1/{verb}_deployment"), None).await?;
        match answer.status {
            200 => Ok(()),
            404 => Err(Error::Unsupported("a pause")),
            _ => Err(refusal("a pause", &answer)),
        }
    }

    /// Whether the deployment says that it is paused; none where it does not say.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn is_paused(&self) -> Result<Option<bool>, Error> {
        let path = "_system/frontend/deploymentState:deploymentState";
        let value = self.query(path, json!({})).await?;
        Ok(match value["state"].as_str() {
            Some("paused") => Some(true),
            Some("running") => Some(false),
            _ => None,
        })
    }

    async fn post(&self, path: &str, body: Option<Value>) -> Result<Answer, Error> {
        let body = Some(body.map(|it| it.to_string()).unwrap_or_default().into_bytes());
        self.ask(Question { method: Method::POST, path, key: Some(&self.key), body }).await
    }

    async fn ask(&self, question: Question<'_>) -> Result<Answer, Error> {
        let exchange = exchange::ask(self.address, self.patience.connect, question, LARGEST);
        let answer = tokio::time::timeout(self.patience.total, exchange).await;
        let answer = answer.map_err(|_| Unanswered::TimedOut)??;
        match answer.status {
            401 | 403 => Err(Unanswered::KeyRejected { code: answer::code(&answer) }.into()),
            429 | 500..=599 => Err(Unanswered::Unready { status: answer.status }.into()),
            _ => Ok(answer),
        }
    }
}

/// In the backend's own code, and never in its words.
fn refusal(what: &'static str, answer: &Answer) -> Error {
    Error::Refused { what, code: answer::code(answer) }
}

fn unclear(what: &str) -> Error {
    answer::not_convex(format!("its answer about {what} is not understood")).into()
}
