//! Writes a snapshot as a ZIP in the documented layout, a line and a chunk at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Write},
};

use serde_json::{Value, json};
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

use super::shape::{Shape, schema, to_decimal};
use crate::{
    blobs::Blob,
    store::{Store, documents::STORAGE, state::Table},
};

const README: &str =
    "# Welcome to your snapshot export\n\nIt was written by a stand-in for tests, not by Convex.\n";
/// Number of the first table, as upstream counts.
const FIRST_TABLE: usize = 10_001;

/// Why a ZIP cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Its structure.
    #[error("invalid ZIP: {0}")]
    Zip(#[from] ZipError),
    /// The disk, or a checksum.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line of documents.
    #[error("invalid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A file is listed and not there.
    #[error("storage file {0} is listed and its content is missing")]
    FileMissing(String),
}

/// A ZIP that is being written.
struct Archive<'store> {
    store: &'store Store,
    zip: ZipWriter<File>,
}

/// Writes `tables` to `file`; those of files only with `include_storage`.
///
/// # Errors
/// Where something cannot be read or written.
pub fn write(
    store: &Store,
    tables: &BTreeMap<String, Table>,
    include_storage: bool,
    file: File,
) -> Result<File, ArchiveError> {
    let mut archive = Archive { store, zip: ZipWriter::new(file) };
    archive.text("README.md", README)?;
    let mut roots: BTreeSet<&str> = tables.keys().map(|path| root_and_name(path).0).collect();
    roots.insert("");
    for root in roots {
        archive.list(root, tables)?;
        for (path, table) in tables.iter().filter(|(path, _)| root_and_name(path).0 == root) {
            if root_and_name(path).1 != STORAGE {
                archive.documents(path, table)?;
            }
        }
        if include_storage {
            let path = format!("{root}{STORAGE}");
            archive.storage(&path, tables.get(&path).unwrap_or(&Table::default()))?;
        }
    }
    Ok(archive.zip.finish()?)
}

impl Archive<'_> {
    fn text(&mut self, path: &str, text: &str) -> Result<(), ArchiveError> {
        self.begin(path, CompressionMethod::Deflated, text.len() as u64)?;
        Ok(self.zip.write_all(text.as_bytes())?)
    }

    fn begin(
        &mut self,
        path: &str,
        method: CompressionMethod,
        bytes: u64,
    ) -> Result<(), ArchiveError> {
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .large_file(bytes >= u64::from(u32::MAX / 2));
        Ok(self.zip.start_file(path, options)?)
    }

    fn list(&mut self, root: &str, tables: &BTreeMap<String, Table>) -> Result<(), ArchiveError> {
        let names = tables.keys().map(|path| root_and_name(path)).filter(|(at, _)| *at == root);
        let lines = (FIRST_TABLE..).zip(names).map(|(id, (_, name))| {
            let line = json!({ "name": name, "id": id });
            format!("{line}\n")
        });
        let lines: Vec<_> = lines.collect();
        self.text(&format!("{root}_tables/documents.jsonl"), &lines.concat())
    }

    fn documents(&mut self, path: &str, table: &Table) -> Result<(), ArchiveError> {
        let mut shape = Shape::default();
        for line in self.store.lines(table)? {
            shape.see(&mut serde_json::from_str(&line?)?);
        }
        let integers = shape.integers();
        let name = format!("{path}/documents.jsonl");
        self.begin(&name, CompressionMethod::Deflated, table.bytes)?;
        for line in self.store.lines(table)? {
            let mut document: Value = serde_json::from_str(&line?)?;
            to_decimal(&mut document, &integers);
            writeln!(self.zip, "{document}")?;
        }
        self.text(&format!("{path}/generated_schema.jsonl"), &schema(&integers))
    }

    /// Files are stored as they are: they are rarely worth compressing, and never in a test.
    fn storage(&mut self, path: &str, table: &Table) -> Result<(), ArchiveError> {
        self.documents(path, table)?;
        for line in self.store.lines(table)? {
            let document: Value = serde_json::from_str(&line?)?;
            let id = document["_id"].as_str().unwrap_or_default();
            let mut file = self.store.content(&Blob::file(table, id))?;
            let name = format!("{path}/{id}{}", extension(&document));
            self.begin(&name, CompressionMethod::Stored, file.metadata()?.len())?;
            io::copy(&mut file, &mut self.zip)?;
        }
        Ok(())
    }
}

/// `_components/waitlist/` and `entries` of `_components/waitlist/entries`; tables of the app have no root.
#[must_use]
pub fn root_and_name(path: &str) -> (&str, &str) {
    path.rfind('/').map_or(("", path), |at| path.split_at(at + 1))
}

fn extension(document: &Value) -> &'static str {
    match document["contentType"].as_str() {
        Some("image/png") => ".png",
        Some("image/jpeg") => ".jpeg",
        Some("text/plain") => ".txt",
        Some("application/json") => ".json",
        _ => "",
    }
}
