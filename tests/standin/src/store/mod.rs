//! What a deployment keeps: documents, files, functions, variables, and what it knows about itself.
//!
//! It lies in `<DATA_DIR>/documents/`. `state.json` ([`state`]) is the only commit point: it is replaced as a whole ([`durable`]),
//! and it says which file holds the documents of a table and how many bytes of it count. Documents are appended, so the
//! tables of a state are a snapshot that stays true while others write; an import writes new files and changes the names in
//! one step. Files that no state names any more are removed at the next start.

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

/// The store of one data directory.
pub struct Store {
    folder: PathBuf,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

impl Store {
    /// Opens the store in `data`, or begins one at `metadata_version`.
    ///
    /// # Errors
    /// Where it cannot be read or written.
    pub fn open(data: &Path, metadata_version: u32) -> io::Result<Self> {
        let folder = data.join("documents");
        for inner in ["tables", "exports", "imports", "uploads"] {
            fs::create_dir_all(folder.join(inner))?;
        }
        let path = folder.join("state.json");
        let state = if path.exists() {
            serde_json::from_slice(&fs::read(&path)?)?
        } else {
            let state = State::new(metadata_version);
            durable::replace(&path, &serde_json::to_vec(&state)?)?;
            state
        };
        let store = Self { folder, state: Mutex::new(state), changes: watch::Sender::new(0) };
        store.sweep()?;
        Ok(store)
    }

    /// Looks at the state.
    pub fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.locked())
    }

    /// Changes the state: nothing of the change is seen, here or after a crash, unless `alter` succeeds and all is on disk.
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
        let bytes = serde_json::to_vec(&next).map_err(io::Error::from)?;
        durable::replace(&self.folder.join("state.json"), &bytes)?;
        *state = next;
        drop(state);
        self.changes.send_modify(|count| *count += 1);
        Ok(outcome)
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
