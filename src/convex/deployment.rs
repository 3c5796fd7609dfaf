//! What a worker asks of the one backend that holds the data: exports, imports, variables, the pause.
//!
//! All of it is plain HTTP with the admin key, as Convex's own CLI and dashboard use it
//! (`crates/local_backend/src/{snapshot_export,snapshot_import,environment_variables}.rs` upstream). System queries are
//! promised by nobody: what is not understood is "cannot tell", and never "done".

mod content;
mod error;
mod exports;
mod imports;

use std::{net::SocketAddr, time::Duration};

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use self::error::{refusal, unclear};
pub use self::{
    error::Error,
    exports::{Export, ExportState},
    imports::{ImportState, Imports},
};
use super::{
    AdminKey,
    client::{
        Error as Unanswered, Patience,
        answer::{self, Answer},
        exchange::{self, JSON, Question},
    },
};

/// The largest answer to a question of a worker, in bytes: all variables of a deployment.
const LARGEST: usize = 8 * 1024 * 1024;
/// How long a download may be silent.
const SILENCE: Duration = Duration::from_mins(1);
/// How long the backend may take over a part of an upload, and over putting all parts together.
const PATIENT: Duration = Duration::from_mins(5);

/// A deployment, asked as its administrator at the address of its one pod.
#[derive(Clone, Debug)]
pub struct Deployment {
    address: SocketAddr,
    key: AdminKey,
    patience: Patience,
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

    /// Whether this version can be paused at all: a route that is there refuses another method with 405.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn can_be_paused(&self) -> Result<bool, Error> {
        let path = "/api/v1/pause_deployment";
        let question = Question { method: Method::GET, path, key: Some(&self.key), body: None };
        Ok(self.ask(question).await?.status != 404)
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
        let body = body.map(|it| it.to_string()).unwrap_or_default().into_bytes();
        let body = Some((JSON, body));
        self.ask(Question { method: Method::POST, path, key: Some(&self.key), body }).await
    }

    async fn ask(&self, question: Question<'_>) -> Result<Answer, Error> {
        self.ask_within(question, self.patience.total).await
    }

    async fn ask_within(&self, question: Question<'_>, total: Duration) -> Result<Answer, Error> {
        let exchange = exchange::ask(self.address, self.patience.connect, question, LARGEST);
        let answer = tokio::time::timeout(total, exchange).await;
        let answer = answer.map_err(|_| Unanswered::TimedOut)??;
        is_served(answer.status, || answer::code(&answer))?;
        Ok(answer)
    }
}

/// Whether an answer is one to the question. 560 is: a function of the deployment has failed.
fn is_served(status: u16, code: impl FnOnce() -> String) -> Result<(), Error> {
    match status {
        401 | 403 => Err(Unanswered::KeyRejected { code: code() }.into()),
        429 | 500..=559 | 561..=599 => Err(Unanswered::Unready { status }.into()),
        _ => Ok(()),
    }
}
