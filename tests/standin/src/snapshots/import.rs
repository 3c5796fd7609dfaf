//! The worker that reads imports: looks at the ZIP, waits for a yes, then replaces the data in one step.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Seek, SeekFrom},
    sync::Arc,
    thread,
};

use serde_json::Value;

use super::{
    archive::{ArchiveError, root_and_name},
    records::{Import, ImportState, Mode},
    unpack,
};
use crate::{
    blobs::Blob,
    steering::{Fault, Steering},
    store::{
        Store,
        documents::STORAGE,
        state::{State, Table, new_id},
    },
};

/// Why an import fails.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("table {0} is not empty: use append or replace")]
    NotEmpty(String),
    #[error("import failed, as a test asked")]
    Steered,
    #[error("the import was canceled")]
    Canceled,
}

/// Records an import whose ZIP is in place, and begins to look at it.
///
/// # Errors
/// Where the disk refuses.
pub fn begin(store: &Arc<Store>, steering: &Steering, import: Import) -> io::Result<()> {
    store.change(|state| {
        state.imports.push(import.clone());
        io::Result::Ok(())
    })?;
    go_on(store, steering, import);
    Ok(())
}

/// Goes on with every import that nobody has to answer: after a start.
pub fn resume(store: &Arc<Store>, steering: &Steering) {
    for import in store.read(|state| state.imports.clone()) {
        go_on(store, steering, import);
    }
}

/// The yes to an import. Said again it changes nothing; `None` means that there is no such import to say yes to.
///
/// # Errors
/// Where the disk refuses.
pub fn perform(store: &Arc<Store>, steering: &Steering, id: &str) -> io::Result<Option<()>> {
    let (known, begun) = store.change(|state| {
        let Some(import) = state.imports.iter_mut().find(|import| import.id == id) else {
            return io::Result::Ok((None, None));
        };
        match import.state {
            ImportState::WaitingForConfirmation { .. } => {
                import.state = ImportState::InProgress { progress_message: "Importing".to_owned() };
                Ok((Some(()), Some(import.clone())))
            }
            ImportState::InProgress { .. } | ImportState::Completed { .. } => Ok((Some(()), None)),
            ImportState::Uploaded | ImportState::Failed { .. } => Ok((None, None)),
        }
    })?;
    if let Some(import) = begun {
        go_on(store, steering, import);
    }
    Ok(known)
}

/// Gives up an import that is not done.
///
/// # Errors
/// Where the disk refuses.
pub fn cancel(store: &Store, id: &str) -> io::Result<bool> {
    fail(store, id, &ImportError::Canceled)
}

fn go_on(store: &Arc<Store>, steering: &Steering, import: Import) {
    let work = match import.state {
        ImportState::Uploaded if !steering.has(Fault::ImportUnparsed) => look,
        ImportState::InProgress { .. } if !steering.has(Fault::ImportStalls) => read,
        _ => return,
    };
    let (store, steering) = (store.clone(), steering.clone());
    thread::spawn(move || {
        let done = work(&store, &import, &steering);
        let told = done.or_else(|error| fail(&store, &import.id, &error).map(drop));
        if let Err(error) = told {
            tracing::error!("Import worker failed: {error}");
        }
    });
}

fn look(store: &Store, import: &Import, _: &Steering) -> Result<(), ImportError> {
    let tables = unpack::tables(&store.content(&Blob::import(&import.id))?)?;
    store.change(|state| {
        let message_to_confirm = summary(state, import.mode, &tables);
        let require_manual_confirmation = !message_to_confirm.is_empty();
        if let Some(found) = open(state, &import.id) {
            found.state = ImportState::WaitingForConfirmation {
                message_to_confirm,
                require_manual_confirmation,
            };
        }
        Ok(())
    })
}

/// What would be deleted, or nothing.
fn summary(state: &State, mode: Mode, tables: &[String]) -> String {
    let replaced = |path: &str| match mode {
        Mode::RequireEmpty | Mode::Append => false,
        Mode::Replace => tables.iter().any(|table| table == path),
        Mode::ReplaceAll => !is_kept(path, |storage| tables.iter().any(|table| table == storage)),
    };
    let lost = state.tables.iter().filter(|(path, table)| table.documents > 0 && replaced(path));
    let lines =
        lost.map(|(path, table)| format!("{path}: {} documents to delete", table.documents));
    lines.collect::<Vec<_>>().join("\n")
}

fn read(store: &Store, import: &Import, steering: &Steering) -> Result<(), ImportError> {
    if steering.has(Fault::ImportFails) {
        return Err(ImportError::Steered);
    }
    let mut tables = unpack::unpack(store, store.content(&Blob::import(&import.id))?)?;
    // Convex counts no rows for the tables of files.
    let counted = tables.iter().filter(|(path, _)| root_and_name(path).1 != STORAGE);
    let written: u64 = counted.map(|(_, table)| table.documents).sum();
    let rows = written.saturating_sub(steering.has(Fault::ImportMiscounts).into());
    if steering.has(Fault::ImportLoses)
        && let Some((_, table)) =
            tables.iter_mut().find(|(path, _)| !path.contains('/') && *path != STORAGE)
    {
        (table.bytes, table.documents) = (0, 0);
    }
    store.change(|state| {
        let found = open(state, &import.id).ok_or(ImportError::Canceled)?;
        let num_rows_written = i64::try_from(rows).unwrap_or(i64::MAX);
        found.state = ImportState::Completed { num_rows_written };
        place(store, state, import.mode, tables)
    })?;
    // The upload has served; what stays behind of it harms nobody.
    let _ = store.forget(&Blob::import(&import.id));
    Ok(())
}

/// Puts the tables of the ZIP in their place.
fn place(
    store: &Store,
    state: &mut State,
    mode: Mode,
    tables: BTreeMap<String, Table>,
) -> Result<(), ImportError> {
    if mode == Mode::RequireEmpty {
        let full = |path: &&String| state.tables.get(*path).is_some_and(|it| it.documents > 0);
        if let Some(path) = tables.keys().find(full) {
            return Err(ImportError::NotEmpty(path.clone()));
        }
    }
    if mode == Mode::ReplaceAll {
        state.tables.retain(|path, _| is_kept(path, |storage| tables.contains_key(storage)));
    }
    for (path, table) in tables {
        match state.tables.get_mut(&path).filter(|_| mode == Mode::Append) {
            Some(old) => add(store, &path, old, &table)?,
            None => drop(state.tables.insert(path, table)),
        }
    }
    Ok(())
}

/// Files survive a replacement of everything unless the ZIP carries files.
fn is_kept(path: &str, carried: impl Fn(&str) -> bool) -> bool {
    root_and_name(path).1 == STORAGE && !carried(path)
}

fn add(store: &Store, path: &str, old: &mut Table, new: &Table) -> io::Result<()> {
    let at = |table: &Table| store.path("tables").join(&table.file);
    let mut to = OpenOptions::new().create(true).truncate(false).write(true).open(at(old))?;
    to.set_len(old.bytes)?;
    to.seek(SeekFrom::Start(old.bytes))?;
    io::copy(&mut File::open(at(new))?, &mut to)?;
    to.sync_all()?;
    if root_and_name(path).1 == STORAGE {
        for line in store.lines(new)? {
            let document: Value = serde_json::from_str(&line?)?;
            let id = document["_id"].as_str().unwrap_or_default();
            let draft = store.path(&format!("uploads/{}", new_id()));
            io::copy(&mut store.content(&Blob::file(new, id))?, &mut File::create(&draft)?)?;
            store.keep(&Blob::file(old, id), &draft)?;
        }
    }
    old.bytes += new.bytes;
    old.documents += new.documents;
    Ok(())
}

fn open<'state>(state: &'state mut State, id: &str) -> Option<&'state mut Import> {
    let done = |state: &ImportState| {
        matches!(state, ImportState::Completed { .. } | ImportState::Failed { .. })
    };
    state.imports.iter_mut().find(|import| import.id == id && !done(&import.state))
}

fn fail(store: &Store, id: &str, error: &ImportError) -> io::Result<bool> {
    store.change(|state| {
        let error_message = error.to_string();
        Ok(open(state, id).map(|it| it.state = ImportState::Failed { error_message }).is_some())
    })
}

#[cfg(test)]
mod tests;
