//! What an export holds, read from every byte of it.
//!
//! Memory grows by about 240 bytes for each entry (measured with 200,000 of them, whose names have 45 bytes), nearly all
//! of it the directory of the archive as the zip crate keeps it, and never by the size of an entry.
//!
//! Its layout is upstream's: `_tables/documents.jsonl` lists the tables, `<table>/documents.jsonl` has a document a
//! line, `_storage/documents.jsonl` lists the files, and `_storage/<id>.<ext>` is one; components have the same
//! below `_components/<name>/` (`crates/exports/src/lib.rs`).

mod files;
mod reader;

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read},
    thread,
};

use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use zip::{ZipArchive, read::ZipFile};

use self::{
    files::Files,
    reader::{Reader, digest},
};
use super::{Archive, Error, Sum};

/// Where a table's documents are.
const DOCUMENTS: &str = "/documents.jsonl";
/// The list of tables, of the app or of a component.
const TABLES: &str = "_tables";
/// The list of tables of the app, which every export has.
const ROOT: &str = "_tables/documents.jsonl";
/// The files, of the app or of a component.
const STORAGE: &str = "_storage";
/// The most that is read at once.
const CHUNK: usize = 1 << 16;
/// No document has a line as long as this: upstream takes one MiB, and every byte of it may be escaped.
const LONGEST: u64 = 1 << 24;

/// What an export holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// The size of the archive, in bytes.
    pub bytes: u64,
    /// The SHA-256 of the archive, in lower-case hexadecimal.
    pub sha256: String,
    /// Documents of each table by its path in the archive: `messages`, `_components/waitlist/entries`. Lists of
    /// tables and files are not among them.
    pub documents: BTreeMap<String, u64>,
    /// How many files there are, each listed and with its content.
    pub files: u64,
}

/// What is looked at in a document: of a list of tables the name, of a list of files the id.
#[derive(Deserialize)]
struct Listed {
    name: Option<String>,
    #[serde(rename = "_id")]
    id: Option<String>,
}

/// What the lists of an archive say is in it.
#[derive(Default)]
struct Lists {
    tables: Vec<String>,
    /// By their folder.
    files: BTreeMap<String, Files>,
}

impl Content {
    /// Reads an archive to its last byte: its digest, its directory, the checksum of every entry, every document as JSON.
    ///
    /// # Errors
    /// See [`Error`]: any doubt is one.
    pub fn read(archive: &impl Archive) -> Result<Self, Error> {
        thread::scope(|both| {
            let sum = both.spawn(|| digest(archive));
            let content = Self::judge(archive, Sum::default());
            let cut_off = |_| Err(io::Error::other("it was not read to its end"));
            let sum = sum.join().unwrap_or_else(cut_off).map_err(Error::Unreadable)?;
            Ok(Self { bytes: sum.bytes, sha256: sum.sha256, ..content? })
        })
    }

    /// The same, where the digest is known already.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn judge(archive: &impl Archive, sum: Sum) -> Result<Self, Error> {
        let reader = Reader::told(archive).map_err(Error::Unreadable)?;
        let mut archive = ZipArchive::new(reader).map_err(Error::NotAnArchive)?;
        let mut content = Self { bytes: sum.bytes, sha256: sum.sha256, ..Self::default() };
        let mut lists = Lists::default();
        for at in 0..archive.len() {
            let mut entry = archive.by_index(at).map_err(|error| {
                let which = format!("number {at}");
                damaged(&which, &error)
            })?;
            content.take(&mut entry, &mut lists)?;
        }
        if archive.index_for_name(ROOT).is_none() {
            return Err(Error::NoExport(ROOT.to_owned()));
        }
        if !lists.files.contains_key(STORAGE) {
            return Err(Error::NoFiles);
        }
        content.has_tables(&lists.tables)?;
        lists.files.values_mut().for_each(Files::sort);
        for name in archive.file_names() {
            lists.found(&name.map_err(|error| damaged("its name", &error))?);
        }
        lists.has_files()?;
        content.files = lists.files.values().map(Files::count).sum();
        Ok(content)
    }

    /// How many documents there are in all tables.
    #[must_use]
    pub fn all_documents(&self) -> u64 {
        self.documents.values().sum()
    }

    fn take<R: Read>(
        &mut self,
        entry: &mut ZipFile<'_, R>,
        lists: &mut Lists,
    ) -> Result<(), Error> {
        let name = entry.name().map_err(|error| damaged("its name", &error))?.into_owned();
        let Some(table) = name.strip_suffix(DOCUMENTS) else {
            return drained(entry, &name).map(|_| ());
        };
        let (parent, last) = table.rsplit_once('/').unwrap_or(("", table));
        let documents = match last {
            TABLES => documents(entry, &name, |it: Listed| {
                lists.tables.extend(it.name.map(|name| below(parent, &name)));
            }),
            STORAGE => {
                let files = lists.files.entry(table.to_owned()).or_default();
                documents(entry, &name, |it: Listed| it.id.iter().for_each(|id| files.list(id)))
            }
            _ => documents(entry, &name, |_: IgnoredAny| {}),
        }?;
        // The checksum is compared at the end, which a parser need not have reached.
        drained(entry, &name)?;
        if !matches!(last, TABLES | STORAGE) {
            self.documents.insert(table.to_owned(), documents);
        }
        Ok(())
    }

    fn has_tables(&self, listed: &[String]) -> Result<(), Error> {
        // Of tables of the system, which begin with an underscore, not all are exported.
        let user = |it: &&String| !it.rsplit('/').next().unwrap_or_default().starts_with('_');
        match listed.iter().filter(user).find(|it| !self.documents.contains_key(*it)) {
            Some(table) => Err(Error::TableMissing(table.clone())),
            None => Ok(()),
        }
    }
}

impl Lists {
    /// There is an entry of this name: a file of every folder that it is below.
    fn found(&mut self, name: &str) {
        for (at, _) in name.match_indices('/') {
            if let Some(files) = self.files.get_mut(&name[..at]) {
                files.find(&name[at + 1..]);
            }
        }
    }

    fn has_files(&self) -> Result<(), Error> {
        self.files.iter().try_for_each(|(storage, files)| match files.missing() {
            0 => Ok(()),
            missing => {
                let (storage, listed) = (storage.clone(), files.count());
                Err(Error::FilesMissing { storage, missing, listed })
            }
        })
    }
}

fn below(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

/// A line at a time: a parser that reads by itself takes several times as long.
fn documents<D: DeserializeOwned>(
    entry: &mut impl Read,
    name: &str,
    mut look: impl FnMut(D),
) -> Result<u64, Error> {
    let mut reader = BufReader::with_capacity(CHUNK, entry);
    let mut line = Vec::new();
    let mut count = 0;
    let broken = |documents, why| Error::NotJson { entry: name.to_owned(), documents, why };
    loop {
        line.clear();
        // A checksum that does not fit comes up as an error of reading.
        let read = (&mut reader).take(LONGEST).read_until(b'\n', &mut line);
        let read = read.map_err(|error| unread(name, &error))?;
        if read == 0 {
            return Ok(count);
        }
        if read as u64 == LONGEST {
            return Err(broken(count, "a line is longer than any document".to_owned()));
        }
        let document: Result<D, _> = serde_json::from_slice(&line);
        look(document.map_err(|it| broken(count, format!("{:?} error", it.classify())))?);
        count += 1;
    }
}

fn drained(entry: &mut impl Read, name: &str) -> Result<u64, Error> {
    io::copy(entry, &mut io::sink()).map_err(|error| unread(name, &error))
}

fn unread(entry: &str, error: &io::Error) -> Error {
    Error::Damaged { entry: entry.to_owned(), why: error.to_string() }
}

fn damaged(entry: &str, error: &zip::result::ZipError) -> Error {
    Error::Damaged { entry: entry.to_owned(), why: error.to_string() }
}

#[cfg(test)]
mod tests;
