//! What every worker that talks to a backend has in common: whom it asks, how long it may take, how it ends.

use std::{ffi::OsString, future::Future, io, net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use super::{
    backend::Backend,
    report::Report,
    snapshot::{Kept, Location, Place},
};
use crate::{
    convex::{AdminKey, InvalidAdminKey, deployment::Deployment},
    plan::secrets::ADMIN_KEY,
};

/// What there is to say of a backend that answers and does not come to an end.
const NEVER: &str =
    "the backend goes on with it, and never says that it failed. Its log says more.";

/// What a Job that talks to a backend is told. The admin key is no argument, which everybody on a node can read: it
/// comes in the environment alone.
#[derive(Args, Clone, Debug)]
pub struct Task {
    /// What the operator calls this attempt.
    #[arg(long)]
    pub id: String,
    /// The UID of the instance: an attempt of another one may be called the same.
    #[arg(long)]
    pub instance: String,
    /// Address and port of the backend's one pod.
    #[arg(long)]
    pub backend: SocketAddr,
    /// Where the snapshot is.
    #[command(flatten)]
    pub place: Place,
    /// How long it may take, in seconds.
    #[arg(long)]
    pub deadline_seconds: u64,
    /// Where the report is written.
    #[arg(long, default_value = "/dev/termination-log")]
    pub report: PathBuf,
}

/// What a worker does with a backend.
pub trait Work {
    /// How it fails.
    type Error: Failure + From<io::Error>;

    /// What it is told.
    fn task(&self) -> &Task;

    /// Does it, with a snapshot that is here. It may be cut off anywhere, and begun again.
    fn work<L: Location>(
        &self,
        backend: Backend,
        location: L,
    ) -> impl Future<Output = Result<Report, Self::Error>>;

    /// Stops what the backend still does for it.
    fn give_up<L: Location>(&self, backend: Backend, location: L) -> impl Future<Output = ()>;

    /// Whether the next one goes on with what the backend does for it.
    fn is_gone_on_with(&self) -> bool;
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
    #[error("it was not done within {within:?}: {}", trouble.as_deref().unwrap_or(NEVER))]
    DeadlineExceeded {
        /// How long it was given.
        within: Duration,
        /// Why the backend gave no answer in the end, where it gave none.
        trouble: Option<String>,
    },
    /// It was told to stop.
    #[error("it was told to stop")]
    Stopped,
    /// The key that it was given is none.
    #[error("the admin key in {ADMIN_KEY} {0}")]
    KeyInvalid(#[from] InvalidAdminKey),
    /// It cannot say how it ended, or not run at all.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl<E: Failure> Ended<E> {
    /// One `CamelCase` word.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Failed(error) => error.reason(),
            Self::DeadlineExceeded { .. } => "DeadlineExceeded",
            Self::Stopped => "Stopped",
            Self::KeyInvalid(_) => "KeyInvalid",
            Self::Io(_) => "Io",
        }
    }
}

/// Does the work with the key of the environment, and reports how it ended.
///
/// # Errors
/// See [`Ended`]; the report tells the same.
pub fn run<W: Work>(work: &W) -> Result<(), Ended<W::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let key = std::env::var_os(ADMIN_KEY).map(OsString::into_encoded_bytes).unwrap_or_default();
    let key = AdminKey::parse(Zeroizing::new(key).as_slice());
    let done = runtime.block_on(async { made(work, key?).await });
    let told = match &done {
        Ok(report) => report.clone(),
        Err(error) => Report::failed(error.reason(), &error.to_string()),
    };
    told.write(&work.task().report)?;
    // What still reads a large file has nobody any more who waits for it.
    runtime.shutdown_background();
    done.map(|_| ())
}

/// Does the work within its time, and gives it up where that is over.
///
/// # Errors
/// See [`Ended`].
pub async fn made<W: Work>(work: &W, key: AdminKey) -> Result<Report, Ended<W::Error>> {
    let task = work.task();
    let backend = Backend::new(Deployment::at(task.backend, key));
    let mut told = signal(SignalKind::terminate())?;
    let deadline = Duration::from_secs(task.deadline_seconds);
    tokio::select! {
        done = done(work, backend.clone()) => done.map_err(Ended::Failed),
        _ = told.recv() => {
            if !work.is_gone_on_with() {
                give_up(work, backend).await;
            }
            Err(Ended::Stopped)
        }
        () = tokio::time::sleep(deadline) => {
            let trouble = backend.trouble();
            give_up(work, backend).await;
            Err(Ended::DeadlineExceeded { within: deadline, trouble })
        }
    }
}

async fn done<W: Work>(work: &W, backend: Backend) -> Result<Report, W::Error> {
    match work.task().place.open().await? {
        Kept::Folder(location) => work.work(backend, location).await,
        Kept::Bucket(location) => Box::pin(work.work(backend, location)).await,
    }
}

async fn give_up<W: Work>(work: &W, backend: Backend) {
    match work.task().place.open().await {
        Ok(Kept::Folder(location)) => work.give_up(backend, location).await,
        Ok(Kept::Bucket(location)) => Box::pin(work.give_up(backend, location)).await,
        Err(error) => tracing::warn!(%error, "what the backend does for it is not given up"),
    }
}

/// Does what takes the processor or the disk for long beside everything else.
///
/// # Errors
/// It did not come to its end.
pub async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}
