//! What every worker that talks to a backend has in common: whom it asks, how long it may take, how it ends.

use std::{future::Future, net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::report::Report;
use crate::{
    convex::{AdminKey, InvalidAdminKey, deployment::Deployment},
    telemetry::{self, Format},
};

/// What a Job that talks to a backend is told.
#[derive(Args, Clone, Debug)]
pub struct Task {
    /// What the operator calls this attempt.
    #[arg(long)]
    pub id: String,
    /// Address and port of the backend's one pod.
    #[arg(long)]
    pub backend: SocketAddr,
    /// The folder of the snapshot.
    #[arg(long)]
    pub folder: PathBuf,
    /// How long it may take, in seconds.
    #[arg(long)]
    pub deadline_seconds: u64,
    /// Where the report is written.
    #[arg(long, default_value = "/dev/termination-log")]
    pub report: PathBuf,
    /// The admin key.
    #[arg(long, env = "CONVEX_SELF_HOSTED_ADMIN_KEY", hide_env_values = true)]
    admin_key: String,
}

/// How a worker ends that is not done.
pub trait Failure: std::error::Error {
    /// One `CamelCase` word.
    fn reason(&self) -> &'static str;
}

/// Why a worker did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Ended<E: Failure> {
    /// What it does failed.
    #[error(transparent)]
    Failed(E),
    /// It took too long.
    #[error("it was not done within {0:?}; the backend never says that it failed")]
    DeadlineExceeded(Duration),
    /// It was told to stop; the next run goes on where this one was.
    #[error("it was told to stop")]
    Stopped,
    /// The key that it was given is none.
    #[error("the admin key {0}")]
    KeyInvalid(#[from] InvalidAdminKey),
    /// It cannot say how it ended, or not run at all.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl<E: Failure> Ended<E> {
    /// One `CamelCase` word.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Failed(error) => error.reason(),
            Self::DeadlineExceeded(_) => "DeadlineExceeded",
            Self::Stopped => "Stopped",
            Self::KeyInvalid(_) => "KeyInvalid",
            Self::Io(_) => "Io",
        }
    }
}

impl Task {
    /// The backend, asked as its administrator.
    ///
    /// # Errors
    /// The key is none.
    pub fn deployment(&self) -> Result<Deployment, InvalidAdminKey> {
        Ok(Deployment::at(self.backend, AdminKey::parse(&self.admin_key)?))
    }

    /// Does the work, and reports how it ended.
    ///
    /// # Errors
    /// See [`Ended`]; the report tells the same.
    pub(super) fn run<E: Failure>(
        &self,
        work: impl Future<Output = Result<Report, Ended<E>>>,
    ) -> Result<(), Ended<E>> {
        telemetry::start(Format::Json);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(work);
        let told = match &done {
            Ok(report) => report.clone(),
            Err(error) => Report::failed(error.reason(), &error.to_string()),
        };
        told.write(&self.report)?;
        done.map(|_| ())
    }

    /// Does the work within its time, and gives it up where that is over.
    pub(super) async fn done<E, Work, GiveUp>(
        &self,
        work: impl FnOnce(Deployment) -> Work,
        give_up: impl FnOnce(Deployment) -> GiveUp,
    ) -> Result<Report, Ended<E>>
    where
        E: Failure,
        Work: Future<Output = Result<Report, E>>,
        GiveUp: Future<Output = ()>,
    {
        let deployment = self.deployment()?;
        let mut told = signal(SignalKind::terminate())?;
        let deadline = Duration::from_secs(self.deadline_seconds);
        tokio::select! {
            done = work(deployment.clone()) => done.map_err(Ended::Failed),
            _ = told.recv() => Err(Ended::Stopped),
            () = tokio::time::sleep(deadline) => {
                give_up(deployment).await;
                Err(Ended::DeadlineExceeded(deadline))
            }
        }
    }
}
