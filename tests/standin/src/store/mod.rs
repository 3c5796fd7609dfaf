//! What a deployment keeps: documents, files, functions, variables, and what it knows about itself.
//!
//! It lies in `<DATA_DIR>/documents/`. `state.json` ([`state`]) is the only commit point: it is replaced as a whole ([`durable`]),
//! and it says which file holds the documents of a table and how many bytes of it count. Documents are appended, so the
//! tables of a state are a snapshot that stays true while others write; an import writes new files and changes the names in
//! one step. Files that no state names any more are removed at the next start.
//!
//! Where a server keeps the documents, its transaction is the commit point in the place of `state.json`, and the files with
//! documents are a copy for reading, written anew at every start. What is no document is a blob ([`crate::blobs`]).

pub mod documents;
pub mod durable;
pub mod state;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use state::State;
use tokio::sync::watch;

use crate::{
    blobs::{Blob, Blobs, BlobsError},
    database::{
        DatabaseError,
        server::{Change, CommitError, Server},
    },
};

/// The store of one data directory, or of one database.
pub struct Store {
    folder: PathBuf,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
    server: Option<Server>,
    blobs: Blobs,
    lost: watch::Sender<bool>,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Where files are.
    #[error(transparent)]
    Blobs(#[from] BlobsError),
    /// The disk refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Store {
    /// Opens the store in `data`, or begins one at `metadata_version`.
    ///
    /// # Errors
    /// Where it cannot be read or written.
    pub fn open(data: &Path, metadata_version: u32) -> Result<Self, OpenError> {
        Self::open_with(data, metadata_version, None, Blobs::Local)
    }

    /// Opens a store whose documents a server may keep, and whose files may be in buckets.
    ///
    /// # Errors
    /// Where it cannot be read or written, or keeps files in another kind of place.
    pub fn open_with(
        data: &Path,
        metadata_version: u32,
        server: Option<Server>,
        blobs: Blobs,
    ) -> Result<Self, OpenError> {
        let folder = data.join("documents");
        for inner in ["tables", "exports", "imports", "modules", "uploads"] {
            fs::create_dir_all(folder.join(inner))?;
        }
        let path = folder.join("state.json");
        let found: Option<State> = match &server {
            Some(server) => server.load(&folder.join("tables"))?,
            None if path.exists() => {
                Some(serde_json::from_slice(&fs::read(&path)?).map_err(io::Error::from)?)
            }
            None => None,
        };
        let is_new = found.is_none();
        let state = found.unwrap_or_else(|| State::new(metadata_version));
        let kept = state.storage.clone();
        let storage = blobs.pinned(kept.as_ref())?;
        let store = Self {
            folder,
            state: Mutex::new(state),
            changes: watch::Sender::new(0),
            server,
            blobs: blobs.within(&storage),
            lost: watch::Sender::new(false),
        };
        if is_new || kept.as_ref() != Some(&storage) {
            store.change(|state| {
                state.storage = Some(storage);
                io::Result::Ok(())
            })?;
        }
        store.sweep()?;
        Ok(store)
    }

    /// Looks at the state.
    pub fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.locked())
    }

    /// Changes the state: nothing of the change is seen, here or after a crash, unless `alter` succeeds and all is kept.
    ///
    /// # Errors
    /// What `alter` says, or that the state cannot be written.
    pub fn change<T, E: From<io::Error>>(
        &self,
        alter: impl FnOnce(&mut State) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut state = self.locked();
        let mut next = state.clone();
        let outcome = alter(&mut next)?;
        self.commit(&state, &next)?;
        *state = next;
        drop(state);
        self.changes.send_modify(|count| *count += 1);
        Ok(outcome)
    }

    /// Ends when another backend has taken the database, or nobody knows what was kept: nothing may be done any more.
    pub async fn lost(&self) {
        let mut lost = self.lost.subscribe();
        // The sender lives as long as the store.
        let _ = lost.wait_for(|lost| *lost).await;
    }

    /// Tells of every change from now on.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// A path inside the store.
    #[must_use]
    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.join(inside)
    }

    /// Puts what lies at `draft` where blobs are.
    ///
    /// # Errors
    /// Where the disk or the server refuses.
    pub fn keep(&self, blob: &Blob, draft: &Path) -> io::Result<()> {
        self.blobs.keep(&self.folder, blob, draft)
    }

    /// The content of a blob.
    ///
    /// # Errors
    /// Where it is not there, or cannot be read.
    pub fn content(&self, blob: &Blob) -> io::Result<fs::File> {
        self.blobs.content(&self.folder, blob)
    }

    /// Removes a blob that has served.
    ///
    /// # Errors
    /// Where the disk or the server refuses.
    pub fn forget(&self, blob: &Blob) -> io::Result<()> {
        self.blobs.forget(&self.folder, blob)
    }

    fn commit(&self, before: &State, after: &State) -> io::Result<()> {
        let Some(server) = &self.server else {
            let bytes = serde_json::to_vec(after)?;
            return durable::replace(&self.folder.join("state.json"), &bytes);
        };
        let change = Change::between(before, after, &self.folder.join("tables"))?;
        server.commit(change).map_err(|error| {
            if !matches!(error, CommitError::Refused(_)) {
                tracing::error!("Received a fatal error. Shutting down immediately: {error}");
                self.lost.send_replace(true);
            }
            io::Error::other(error)
        })
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes what an interrupted import left, and what a finished one replaced.
    fn sweep(&self) -> io::Result<()> {
        let kept = self.read(|state| {
            state.tables.values().map(|table| table.file.clone()).collect::<Vec<_>>()
        });
        for entry in fs::read_dir(self.path("tables"))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if kept.iter().any(|file| name == *file || name == format!("{file}.files")) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
