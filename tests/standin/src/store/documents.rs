//! Documents and files of a store.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
};

use serde_json::{Map, Value, json};

use super::{
    Store,
    state::{State, Table, new_id, now_ms},
};
use crate::blobs::Blob;

/// The table that lists the files.
pub const STORAGE: &str = "_storage";

/// Why user functions cannot do what they want.
#[derive(Debug, thiserror::Error)]
pub enum RefusedError {
    /// The deployment is paused.
    #[error("Cannot run functions while this deployment is paused.")]
    Paused,
    /// The disk refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Store {
    /// Adds documents to a table as a user function would, and says their ids.
    ///
    /// # Errors
    /// While paused, or where the disk refuses.
    pub fn append(
        &self,
        table: &str,
        documents: Vec<Map<String, Value>>,
    ) -> Result<Vec<String>, RefusedError> {
        self.change(|state| {
            unless_paused(state)?;
            Ok(self.write(
                state.tables.entry(table.to_owned()).or_insert_with(Table::empty),
                documents,
            )?)
        })
    }

    /// Adds a file that lies at `draft`, with its document, as a user function would.
    ///
    /// # Errors
    /// While paused, or where the disk refuses.
    pub fn append_file(
        &self,
        draft: &std::path::Path,
        document: Map<String, Value>,
    ) -> Result<String, RefusedError> {
        self.change(|state| {
            unless_paused(state)?;
            let storage = state.tables.entry(STORAGE.to_owned()).or_insert_with(Table::empty);
            let id = new_id();
            self.keep(&Blob::file(storage, &id), draft)?;
            let mut document = document;
            document.insert("_id".to_owned(), json!(id));
            self.write(storage, vec![document])?;
            Ok(id)
        })
    }

    /// All documents of a table as a user function would read them.
    ///
    /// # Errors
    /// While paused, or where the disk refuses.
    pub fn documents(&self, table: &str) -> Result<Vec<Value>, RefusedError> {
        let found = self.read(|state| {
            unless_paused(state)?;
            Ok::<_, RefusedError>(state.tables.get(table).cloned())
        })?;
        let Some(table) = found else { return Ok(Vec::new()) };
        self.lines(&table)?
            .map(|line| Ok(serde_json::from_str(&line?).map_err(io::Error::from)?))
            .collect()
    }

    /// The documents of a table, a line each.
    ///
    /// # Errors
    /// Where the file cannot be opened.
    pub fn lines(
        &self,
        table: &Table,
    ) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
        let path = self.path("tables").join(&table.file);
        // A table without documents may have no file yet.
        let file = if table.bytes == 0 { None } else { Some(File::open(path)?.take(table.bytes)) };
        Ok(file.into_iter().flat_map(|file| BufReader::new(file).lines()))
    }

    fn write(
        &self,
        table: &mut Table,
        documents: Vec<Map<String, Value>>,
    ) -> io::Result<Vec<String>> {
        let path = self.path("tables").join(&table.file);
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        // What a writer that died left behind its last commit.
        file.set_len(table.bytes)?;
        file.seek(SeekFrom::Start(table.bytes))?;
        let (mut ids, mut lines) = (Vec::new(), Vec::new());
        for mut document in documents {
            ids.push(complete(&mut document));
            serde_json::to_writer(&mut lines, &document)?;
            lines.push(b'\n');
        }
        file.write_all(&lines)?;
        file.sync_data()?;
        table.bytes += lines.len() as u64;
        table.documents += ids.len() as u64;
        Ok(ids)
    }
}

/// Gives a document what every document has, and says its id.
pub fn complete(document: &mut Map<String, Value>) -> String {
    let id = document.entry("_id").or_insert_with(|| json!(new_id()));
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    document.entry("_creationTime").or_insert_with(|| json!(now_ms()));
    id
}

fn unless_paused(state: &State) -> Result<(), RefusedError> {
    if state.paused { Err(RefusedError::Paused) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn documents_come_back_in_order_with_an_id_and_a_time() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), 128).unwrap();
        store.append("messages", vec![object(json!({ "n": 1 }))]).unwrap();
        let ids = store.append("messages", vec![object(json!({ "_id": "own", "n": 2 }))]).unwrap();
        assert_eq!(ids, ["own"]);
        let read = Store::open(data.path(), 128).unwrap().documents("messages").unwrap();
        assert_eq!((&read[0]["n"], &read[1]["_id"]), (&json!(1), &json!("own")));
        assert!(read[0]["_id"].is_string() && read[0]["_creationTime"].is_f64());
        assert!(store.documents("nothing").unwrap().is_empty());
    }

    #[test]
    fn what_was_written_without_a_commit_does_not_count() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), 128).unwrap();
        store.append("messages", vec![object(json!({ "n": 1 }))]).unwrap();
        let table = store.read(|state| state.tables["messages"].clone());
        let path = store.path("tables").join(&table.file);
        OpenOptions::new().append(true).open(path).unwrap().write_all(b"{\"n\":").unwrap();
        assert_eq!(store.documents("messages").unwrap().len(), 1);
        store.append("messages", vec![object(json!({ "n": 2 }))]).unwrap();
        assert_eq!(store.documents("messages").unwrap()[1]["n"], 2);
    }

    #[test]
    fn a_paused_deployment_neither_reads_nor_writes_for_its_users() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), 128).unwrap();
        store
            .change(|state| {
                state.paused = true;
                io::Result::Ok(())
            })
            .unwrap();
        assert!(matches!(store.documents("messages"), Err(RefusedError::Paused)));
        assert!(matches!(store.append("messages", Vec::new()), Err(RefusedError::Paused)));
    }

    #[test]
    fn a_file_is_kept_with_its_document() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), 128).unwrap();
        let draft = data.path().join("draft");
        std::fs::write(&draft, "bytes").unwrap();
        let id = store.append_file(&draft, object(json!({ "size": 5 }))).unwrap();
        let storage = store.read(|state| state.tables[STORAGE].clone());
        let kept = store.content(&Blob::file(&storage, &id)).unwrap();
        assert_eq!(io::read_to_string(kept).unwrap(), "bytes");
        assert_eq!(store.documents(STORAGE).unwrap()[0]["_id"], json!(id));
    }
}
