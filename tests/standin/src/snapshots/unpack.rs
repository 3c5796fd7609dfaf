//! Reads a ZIP in the documented layout into tables that no state names yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
};

use serde_json::{Map, Value};
use zip::{ZipArchive, result::ZipError};

use super::{
    archive::{ArchiveError, root_and_name},
    shape::{from_decimal, integers_of},
};
use crate::{
    blobs::Blob,
    store::{
        Store,
        documents::{STORAGE, complete},
        state::{Table, new_id},
    },
};

const DOCUMENTS: &str = "/documents.jsonl";

/// A ZIP that is being read.
struct Unpacking<'store> {
    store: &'store Store,
    zip: ZipArchive<BufReader<File>>,
}

/// Opens a ZIP, reads its lists of tables, and says of which ones it carries documents.
///
/// # Errors
/// Where it is no ZIP, or a list is damaged.
pub fn tables(file: &File) -> Result<Vec<String>, ArchiveError> {
    let mut zip = ZipArchive::new(BufReader::new(file.try_clone()?))?;
    let names = zip.file_names().map(|name| Ok(name?.into_owned()));
    let names = names.collect::<Result<Vec<_>, ZipError>>()?;
    let tables = names.iter().filter_map(|name| name.strip_suffix(DOCUMENTS));
    let (lists, tables): (Vec<_>, Vec<_>) =
        tables.partition(|path| root_and_name(path).1 == "_tables");
    for list in lists {
        for line in BufReader::new(zip.by_name(&format!("{list}{DOCUMENTS}"))?).lines() {
            serde_json::from_str::<Map<String, Value>>(&line?)?;
        }
    }
    Ok(tables.into_iter().map(str::to_owned).collect())
}

/// Reads every table of a ZIP, and every file.
///
/// # Errors
/// Where the ZIP is damaged, a line is no document, or a file is missing.
pub fn unpack(store: &Store, file: File) -> Result<BTreeMap<String, Table>, ArchiveError> {
    let found = tables(&file)?;
    let zip = ZipArchive::new(BufReader::new(file))?;
    let mut unpacking = Unpacking { store, zip };
    found
        .into_iter()
        .map(|path| {
            let (table, ids) = unpacking.documents(&path)?;
            if root_and_name(&path).1 == STORAGE {
                unpacking.files(&path, &table, &ids)?;
            }
            Ok((path, table))
        })
        .collect()
}

impl Unpacking<'_> {
    /// Reads the documents of a table; of files also the ids, since their content is looked up by them.
    fn documents(&mut self, path: &str) -> Result<(Table, Vec<String>), ArchiveError> {
        let integers = self.integers(path)?;
        let mut table = Table::empty();
        let file = File::create(self.store.path("tables").join(&table.file))?;
        let mut out = BufWriter::new(file);
        let entry = self.zip.by_name(&format!("{path}{DOCUMENTS}"))?;
        let mut ids = Vec::new();
        for line in BufReader::new(entry).lines() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let mut document: Value = serde_json::from_str::<Map<String, Value>>(&line)?.into();
            from_decimal(&mut document, &integers);
            if let Some(fields) = document.as_object_mut() {
                let id = complete(fields);
                ids.extend((root_and_name(path).1 == STORAGE).then_some(id));
            }
            let line = format!("{document}\n");
            out.write_all(line.as_bytes())?;
            table.bytes += line.len() as u64;
            table.documents += 1;
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok((table, ids))
    }

    fn integers(&mut self, path: &str) -> Result<BTreeSet<String>, ArchiveError> {
        let name = format!("{path}/generated_schema.jsonl");
        let Some(at) = self.zip.index_for_name(&name) else { return Ok(BTreeSet::new()) };
        let mut schema = String::new();
        self.zip.by_index(at)?.read_to_string(&mut schema)?;
        Ok(integers_of(&schema))
    }

    fn files(&mut self, path: &str, table: &Table, ids: &[String]) -> Result<(), ArchiveError> {
        let entries = self.contents(path)?;
        for id in ids {
            let name = entries.get(id).ok_or_else(|| ArchiveError::FileMissing(id.clone()))?;
            let draft = self.store.path(&format!("uploads/{}", new_id()));
            io::copy(&mut self.zip.by_name(name)?, &mut File::create(&draft)?)?;
            self.store.keep(&Blob::file(table, id), &draft)?;
        }
        Ok(())
    }

    /// The names of the entries that are files, by id: what stands before the extension.
    fn contents(&self, path: &str) -> Result<BTreeMap<String, String>, ArchiveError> {
        let names = self.zip.file_names().collect::<Result<Vec<_>, _>>()?;
        let inside = |name: &str| {
            let file = name.strip_prefix(path)?.strip_prefix('/')?;
            let id = file.split('.').next().filter(|id| is_plain(id))?;
            if matches!(file, "documents.jsonl" | "generated_schema.jsonl") {
                return None;
            }
            Some((id.to_owned(), name.to_owned()))
        };
        Ok(names.iter().filter_map(|name| inside(name)).collect())
    }
}

/// Ids become names of files, so they must not lead elsewhere.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '-')
}
