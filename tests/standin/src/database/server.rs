//! A database of a Postgres server: one writer by its lease, and every change of the store as one transaction.

use std::{
    fs, io,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Mutex;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{DatabaseError, tables, tls};
use crate::{
    store::state::{State, Table},
    waiting::{wait, whole},
};

/// Upstream's patience with a server (`POSTGRES_TIMEOUT_SECONDS`).
const PATIENCE: Duration = Duration::from_secs(30);

/// A database whose lease is ours, unless somebody took it since.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    config: Config,
    tls: MakeRustlsConnect,
    lease: i64,
    client: Mutex<Client>,
}

/// A change of the store as the server is told it.
pub struct Change {
    /// Everything but the documents.
    pub state: String,
    /// The parts that the state names.
    pub parts: Vec<String>,
    /// Documents that are new: of which part, from which place on.
    pub added: Vec<(String, i64, Vec<String>)>,
}

/// Why a change is not there.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Another backend has taken the lease.
    #[error("LeaseLost")]
    LeaseLost,
    /// Nobody knows whether it is there or not.
    #[error("the outcome of a commit is unknown: {0}")]
    Unknown(String),
    /// It is not there, and may be tried again.
    #[error("{0}")]
    Refused(String),
}

impl Server {
    /// Connects, makes the tables, and takes the lease.
    ///
    /// # Errors
    /// The server cannot be reached or refuses, the database is read-only, or the lease is of a later time.
    pub fn open(config: Config, name: &str, bundle: Option<&Path>) -> Result<Self, DatabaseError> {
        let tls = tls::connector(bundle)?;
        let name = name.to_owned();
        // Whoever waits for a change must not be who drives the connection.
        wait(async move { Inner::open(config, tls, &name).await })?.map(|it| Self(Arc::new(it)))
    }

    /// What is kept: the state, and the documents as files in `folder`.
    ///
    /// # Errors
    /// The server refuses, or holds what cannot be understood.
    pub fn load(&self, folder: &Path) -> Result<Option<State>, DatabaseError> {
        let (inner, folder) = (self.0.clone(), folder.to_owned());
        wait(async move { inner.load(&folder).await })?
    }

    /// Makes a change, whole or not at all.
    ///
    /// # Errors
    /// It is not there, or nobody knows.
    pub fn commit(&self, change: Change) -> Result<(), CommitError> {
        let inner = self.0.clone();
        wait(async move { inner.commit(&change).await })
            .map_err(|error| CommitError::Refused(error.to_string()))?
    }
}

impl Inner {
    async fn open(
        mut config: Config,
        tls: MakeRustlsConnect,
        name: &str,
    ) -> Result<Self, DatabaseError> {
        config.connect_timeout(PATIENCE);
        let mut client = connect(&config, &tls).await?;
        tracing::info!("Connected to Postgres database: {name}");
        tables::make(&mut client).await?;
        if tables::is_read_only(&client).await? {
            return Err(DatabaseError::ReadOnly);
        }
        let lease = now_ns();
        tracing::info!("attempting to acquire lease");
        tables::steal(&client, lease).await?;
        tracing::info!("lease acquired with ts {lease}");
        Ok(Self { config, tls, lease, client: Mutex::new(client) })
    }

    async fn load(&self, folder: &Path) -> Result<Option<State>, DatabaseError> {
        let client = self.client.lock().await;
        let Some(text) = tables::state(&client).await? else { return Ok(None) };
        let state: State = serde_json::from_str(&text)
            .map_err(|error| DatabaseError::Spoilt(error.to_string()))?;
        for (path, table) in &state.tables {
            let lines = tables::lines(&client, &table.file).await?;
            let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            if (text.len() as u64, lines.len() as u64) != (table.bytes, table.documents) {
                return Err(DatabaseError::Spoilt(format!("documents of {path} are missing")));
            }
            fs::write(folder.join(&table.file), text)?;
        }
        Ok(Some(state))
    }

    async fn commit(&self, change: &Change) -> Result<(), CommitError> {
        let refused = |error: tokio_postgres::Error| CommitError::Refused(whole(&error));
        let mut client = self.client.lock().await;
        if client.is_closed() {
            *client = connect(&self.config, &self.tls).await.map_err(refused)?;
        }
        let transaction = client.transaction().await.map_err(refused)?;
        if !tables::holds(&transaction, self.lease).await.map_err(refused)? {
            return Err(CommitError::LeaseLost);
        }
        tables::keep_only(&transaction, &change.parts).await.map_err(refused)?;
        for (part, first, lines) in &change.added {
            tables::add(&transaction, part, *first, lines).await.map_err(refused)?;
        }
        tables::set_state(&transaction, &change.state).await.map_err(refused)?;
        transaction.commit().await.map_err(|error| CommitError::Unknown(whole(&error)))
    }
}

impl Change {
    /// From one state to another; the documents are in files of `folder`.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn between(before: &State, after: &State, folder: &Path) -> io::Result<Self> {
        let known = |file: &str| before.tables.values().find(|table| table.file == file);
        let mut added = Vec::new();
        for table in after.tables.values() {
            let old = known(&table.file).cloned().unwrap_or_default();
            if table.bytes > old.bytes {
                let first = i64::try_from(old.documents).map_err(io::Error::other)?;
                added.push((table.file.clone(), first, new_lines(&old, table, folder)?));
            }
        }
        let parts = after.tables.values().map(|table| table.file.clone()).collect();
        Ok(Self { state: serde_json::to_string(after)?, parts, added })
    }
}

fn new_lines(old: &Table, new: &Table, folder: &Path) -> io::Result<Vec<String>> {
    let text = fs::read_to_string(folder.join(&new.file))?;
    let range = usize::try_from(old.bytes).ok().zip(usize::try_from(new.bytes).ok());
    let lines = range.and_then(|(from, to)| text.get(from..to));
    let lines = lines.ok_or_else(|| io::Error::other("a file of documents is too short"))?;
    Ok(lines.lines().map(str::to_owned).collect())
}

async fn connect(
    config: &Config,
    tls: &MakeRustlsConnect,
) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(tls.clone()).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!("the connection to the database is lost: {}", whole(&error));
        }
    });
    Ok(client)
}

/// The lease is a time, of this machine's clock.
fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
