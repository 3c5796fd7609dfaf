//! Whether the backend would find what it depends on: asked in its own pod, with its own settings, before it starts.
//!
//! A backend that lacks its database or a bucket ends with an error, or keeps files elsewhere without a word. Here the cause is
//! found one step at a time, and told in words that hold no value of a Secret.

mod code;
mod database;
mod mysql;
mod patience;
mod postgres;
mod reach;
pub mod reason;
pub(in crate::worker) mod refusal;
pub(in crate::worker) mod storage;
pub mod subject;
pub mod verdict;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use futures::future::join_all;
use tokio::signal::unix::{SignalKind, signal};

use self::{
    patience::Patience,
    reason::{Reason, Why},
    subject::Subject,
    verdict::{Failure, Finding, Passed, Verdict},
};

/// How long one look at everything may take.
const LOOK: Duration = Duration::from_secs(15);

/// What the preflight is told; what it looks at is in its environment, as the backend reads it.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)] // by its name it would be the gate's own
pub struct Options {
    /// Look at database and buckets too.
    #[arg(long = "preflight", requires = "told")]
    pub asked: bool,
    /// A file that lives as long as the pod: what was told of it last.
    #[arg(long, env = "TOLD")]
    pub told: Option<PathBuf>,
}

/// Why the backend is not let through.
#[derive(Debug, thiserror::Error)]
pub enum Unmet {
    /// Something that it depends on cannot be used.
    #[error(
        "the backend could not use what it depends on: {0}. The status of the instance says what to do."
    )]
    Failed(String),
    /// It was told to stop.
    #[error("it was told to stop")]
    Stopped,
    /// What was found cannot be told.
    #[error("what was found of database and object storage cannot be told: {0}")]
    Io(#[from] io::Error),
}

/// Looks at everything until it is well, or until there is something to tell.
///
/// # Errors
/// See [`Unmet`]; the report tells the same.
pub fn run(options: &Options, report: &Path) -> Result<(), Unmet> {
    reach::provide();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let mut told = signal(SignalKind::terminate())?;
        tokio::select! {
            done = passed(options, report, environment) => done,
            _ = told.recv() => Err(Unmet::Stopped),
        }
    });
    // Whoever still resolves a name has nobody any more who waits for it.
    runtime.shutdown_background();
    done
}

/// The kubelet shows a verdict only once its container has ended, and then waits ever longer. So the first one is told soon, and
/// whoever comes after it stays and asks again, for as long as there is nothing else to tell.
async fn passed(
    options: &Options,
    report: &Path,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), Unmet> {
    let before = options.told.as_deref().and_then(|it| fs::read_to_string(it).ok());
    let mut patience = Patience::after(before.as_deref(), Instant::now());
    loop {
        let verdict = Box::pin(look(&variable)).await;
        let failures = summary(&verdict);
        if failures.is_empty() {
            verdict.write(report)?;
            // A pod whose sandbox is made anew begins from the start.
            let _none = options.told.as_deref().map(fs::remove_file);
            return Ok(());
        }
        let Some(pause) = patience.next(&failures, Instant::now()) else {
            verdict.write(report)?;
            // Without it the next one tells again what is told already, and is as soon over.
            let _untold = options.told.as_deref().map(|it| fs::write(it, &failures));
            return Err(Unmet::Failed(failures));
        };
        tokio::time::sleep(pause).await;
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Every failure in a line, for the log and to be compared.
fn summary(verdict: &Verdict) -> String {
    let told = |(subject, failure): (&Subject, &Failure)| {
        let word = failure.reason.word();
        match (&failure.code, failure.why) {
            (Some(code), _) => format!("{subject}: {word} ({code})"),
            (None, Some(why)) => format!("{subject}: {word} ({why:?})"),
            (None, None) => format!("{subject}: {word}"),
        }
    };
    verdict.failures().map(told).collect::<Vec<_>>().join("; ")
}

/// Looks at everything that the environment names, once.
pub async fn look(variable: impl Fn(&str) -> Option<String>) -> Verdict {
    let (database, buckets) = futures::join!(database(&variable), buckets(&variable));
    Verdict::of(database.into_iter().chain(buckets).collect())
}

/// What a MySQL server is asked once its version was found to do. `MariaDB` answers the same way and is never asked by
/// [`look`], which refuses it: this is for tests, for which no MySQL is to be had.
///
/// # Errors
/// See [`Failure`].
#[doc(hidden)]
pub async fn look_past_version(variable: impl Fn(&str) -> Option<String>) -> Result<(), Failure> {
    let asked = database::Asked::of(variable);
    let asked = asked.ok_or(Failure::of(Reason::DatabaseCheckFailed))?;
    let mut conn = mysql::login(&asked).await?;
    mysql::questions(&mut conn, &asked).await.map(|_| ())
}

async fn database(variable: &impl Fn(&str) -> Option<String>) -> Option<Finding> {
    let asked = database::Asked::of(variable)?;
    let unreachable = || Failure::of(Reason::DatabaseUnreachable).why(Why::TimedOut);
    let checked = reach::within(LOOK, asked.check()).await;
    Some(Finding::of(Subject::Database, checked.unwrap_or_else(|_| Err(unreachable()))))
}

async fn buckets(variable: &impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let Some(asked) = storage::Asked::of(variable) else { return Vec::new() };
    let client = Box::pin(asked.client()).await;
    let check = async |bucket: &str| -> Result<Passed, Failure> {
        let client = client.as_ref().map_err(Failure::clone)?;
        let checked = reach::within(LOOK, asked.check(client, bucket)).await;
        checked.unwrap_or_else(|why| Err(Failure::of(Reason::ObjectStorageUnreachable).why(why)))
    };
    let all = asked
        .buckets
        .iter()
        .map(async |(subject, bucket)| Finding::of(subject.clone(), check(bucket).await));
    join_all(all).await
}

#[cfg(test)]
mod tests;
