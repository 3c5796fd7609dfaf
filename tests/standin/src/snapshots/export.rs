//! The worker that makes exports, one at a time.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use zip::ZipArchive;

use super::{
    archive::{self, ArchiveError},
    records::{Export, ExportState},
};
use crate::{
    blobs::Blob,
    steering::{Fault, Steering},
    store::{
        Store,
        state::{State, new_id, now_ms},
    },
};

/// How long upstream keeps a ZIP: 14 days, in nanoseconds.
const RETENTION: i64 = 14 * 24 * 3600 * 1_000_000_000;
/// Upstream's longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// Why an export cannot be asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// One is requested or running.
    #[error("There is already an export requested or in progress.")]
    InProgress,
    /// The disk refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Records the wish for an export and begins it.
///
/// # Errors
/// While another one is open, or where the disk refuses.
pub fn request(
    store: &Arc<Store>,
    steering: &Steering,
    include_storage: bool,
) -> Result<(), RequestError> {
    let export = Export {
        id: new_id(),
        created: now_ms(),
        state: ExportState::Requested,
        include_storage,
        start_ts: None,
        complete_ts: None,
        expiration_ts: None,
        size: None,
    };
    store.change(|state| {
        if state.exports.iter().any(Export::is_open) {
            return Err(RequestError::InProgress);
        }
        state.exports.push(export);
        Ok(())
    })?;
    resume(store, steering);
    Ok(())
}

/// Goes on with the export that is open, if one is: after a request, and after every start.
pub fn resume(store: &Arc<Store>, steering: &Steering) {
    let open = store.read(|state| state.exports.iter().find(|export| export.is_open()).cloned());
    let Some(export) = open.filter(|_| !steering.has(Fault::ExportStalls)) else { return };
    let (store, steering) = (store.clone(), steering.clone());
    thread::spawn(move || {
        let mut pause = Duration::from_secs(1);
        while let Err(error) = make(&store, &steering, &export.id) {
            tracing::error!("Export worker failed, sleeping {pause:?}: {error}");
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    });
}

fn make(store: &Store, steering: &Steering, id: &str) -> Result<(), ArchiveError> {
    let Some(mut snapshot) = begin(store, id)? else { return Ok(()) };
    if steering.has(Fault::ExportNeverCompletes) {
        return Ok(());
    }
    if steering.has(Fault::ExportCanceled) {
        return Ok(cancel(store, id).map(drop)?);
    }
    if steering.has(Fault::ExportEmpty) {
        let of_the_app = snapshot.tables.iter_mut().filter(|(path, _)| !path.contains('_'));
        of_the_app.for_each(|(_, table)| (table.bytes, table.documents) = (0, 0));
    }
    let draft = store.path(&format!("uploads/{id}.draft"));
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&draft)?;
    let include_storage = snapshot.exports.iter().any(|it| it.id == id && it.include_storage);
    let file = archive::write(store, &snapshot.tables, include_storage, file)?;
    spoil(&file, &draft, steering)?;
    let size = i64::try_from(file.metadata()?.len()).unwrap_or(i64::MAX);
    store.keep(&Blob::export(id), &draft)?;
    Ok(complete(store, id, told(size, steering))?)
}

/// The size as the export's document tells it.
fn told(size: i64, steering: &Steering) -> i64 {
    if steering.has(Fault::ExportSizeHuge) {
        return i64::MAX;
    }
    size + i64::from(steering.has(Fault::ExportSizeLies))
}

/// The state as the export shows it, unless the export was canceled.
fn begin(store: &Store, id: &str) -> io::Result<Option<State>> {
    store.change(|state| {
        let now = state.next_ts();
        let found = state.exports.iter_mut().find(|export| export.id == id && export.is_open());
        let Some(export) = found else { return Ok(None) };
        export.state = ExportState::InProgress;
        export.start_ts = Some(now);
        Ok(Some(state.clone()))
    })
}

fn complete(store: &Store, id: &str, size: i64) -> io::Result<()> {
    store.change(|state| {
        let now = state.next_ts();
        let open = |export: &&mut Export| export.id == id && export.is_open();
        if let Some(export) = state.exports.iter_mut().find(open) {
            export.state = ExportState::Completed;
            export.complete_ts = Some(now);
            export.expiration_ts = Some(now.saturating_add(RETENTION));
            export.size = Some(size);
        }
        Ok(())
    })
}

/// Gives up an export; what is done already stays.
///
/// # Errors
/// Where the disk refuses.
pub fn cancel(store: &Store, id: &str) -> io::Result<bool> {
    store.change(|state| {
        let found = state.exports.iter_mut().find(|export| export.id == id && export.is_open());
        Ok(found.map(|export| export.state = ExportState::Canceled).is_some())
    })
}

/// Makes the ZIP as wrong as a test asked.
fn spoil(file: &File, path: &Path, steering: &Steering) -> Result<(), ArchiveError> {
    if steering.has(Fault::ExportWrongChecksum) {
        flip_checksum(path)?;
    }
    if steering.has(Fault::ExportTruncated) {
        file.set_len(fs::metadata(path)?.len() * 2 / 3)?;
    }
    Ok(())
}

/// Changes the checksum in the directory's line for the list of tables, which every export has.
fn flip_checksum(path: &Path) -> Result<(), ArchiveError> {
    /// Where the checksum lies in a line of a ZIP's directory.
    const OFFSET: u64 = 16;
    let mut zip = ZipArchive::new(File::open(path)?)?;
    let line = zip.by_name("_tables/documents.jsonl")?.central_header_start();
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.seek(SeekFrom::Start(line + OFFSET))?;
    file.read_exact(&mut byte)?;
    file.seek(SeekFrom::Start(line + OFFSET))?;
    Ok(file.write_all(&[!byte[0]])?)
}

#[cfg(test)]
mod tests;
