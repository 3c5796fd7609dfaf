use serde_json::json;

use super::*;
use crate::{
    snapshots::archive,
    store::state::{new_id, now_ms},
    values::integer,
};

struct Deployment {
    _data: tempfile::TempDir,
    store: Arc<Store>,
}

impl Deployment {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(data.path(), 128).unwrap());
        Self { _data: data, store }
    }

    fn holding(self, table: &str, documents: &[Value]) -> Self {
        let documents = documents.iter().map(|it| it.as_object().unwrap().clone()).collect();
        self.store.append(table, documents).unwrap();
        self
    }

    fn with_file(self, bytes: &str) -> Self {
        let draft = self.store.path("draft");
        std::fs::write(&draft, bytes).unwrap();
        self.store.append_file(&draft, serde_json::Map::new()).unwrap();
        self
    }

    fn documents(&self, table: &str) -> Vec<Value> {
        self.store.documents(table).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let storage = self.store.read(|state| state.tables[STORAGE].clone());
        let bytes = |file: &Value| {
            let blob = Blob::file(&storage, file["_id"].as_str().unwrap());
            io::read_to_string(self.store.content(&blob).unwrap()).unwrap()
        };
        self.documents(STORAGE).iter().map(bytes).collect()
    }

    /// Imports an export of `source` up to its end.
    fn imports(&self, source: &Self, storage: bool, mode: Mode) -> ImportState {
        let import = Import { id: new_id(), created: now_ms(), mode, state: ImportState::Uploaded };
        let draft = self.store.path("draft.zip");
        let file = File::create(&draft).unwrap();
        let tables = source.store.read(|state| state.tables.clone());
        archive::write(&source.store, &tables, storage, file).unwrap();
        self.store.keep(&Blob::import(&import.id), &draft).unwrap();
        self.store
            .change(|state| {
                state.imports.push(import.clone());
                io::Result::Ok(())
            })
            .unwrap();
        if let Err(error) = read(&self.store, &import, &Steering::default()) {
            fail(&self.store, &import.id, &error).unwrap();
        }
        self.store.read(|state| state.imports[0].state.clone())
    }
}

#[test]
fn replace_all_brings_the_documents_back_as_they_were_and_deletes_other_tables() {
    let source = Deployment::new()
        .holding("messages", &[json!({ "n": integer(5), "zip": "012" }), json!({ "n": 1.5 })])
        .holding("_components/list/entries", &[json!({ "a": [1] })])
        .holding("empty", &[]);
    let target = Deployment::new().holding("messages", &[json!({})]).holding("old", &[json!({})]);
    let outcome = target.imports(&source, false, Mode::ReplaceAll);
    assert_eq!(outcome, ImportState::Completed { num_rows_written: 3 });
    for table in ["messages", "_components/list/entries", "empty", "old"] {
        assert_eq!(target.documents(table), source.documents(table), "{table}");
    }
}

#[test]
fn files_stay_unless_the_archive_carries_files() {
    let source = Deployment::new().holding("messages", &[json!({})]).with_file("new");
    for (storage, left) in [(false, "old"), (true, "new")] {
        let target = Deployment::new().with_file("old");
        let outcome = target.imports(&source, storage, Mode::ReplaceAll);
        assert_eq!(outcome, ImportState::Completed { num_rows_written: 1 }, "files are no rows");
        assert_eq!(target.files(), [left]);
    }
}

#[test]
fn an_append_adds_documents_and_files() {
    let source = Deployment::new().holding("messages", &[json!({ "n": 2 })]).with_file("two");
    let target = Deployment::new().holding("messages", &[json!({ "n": 1 })]).with_file("one");
    target.imports(&source, true, Mode::Append);
    let numbers: Vec<_> = target.documents("messages").iter().map(|it| it["n"].clone()).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(target.files(), ["one", "two"]);
}

#[test]
fn an_import_that_requires_empty_tables_changes_nothing_where_they_are_not() {
    let source = Deployment::new().holding("a", &[json!({})]).holding("messages", &[json!({})]);
    let target = Deployment::new().holding("messages", &[json!({ "n": 1 })]);
    let outcome = target.imports(&source, false, Mode::RequireEmpty);
    assert!(
        matches!(outcome, ImportState::Failed { error_message } if error_message.contains("messages"))
    );
    assert!(target.documents("a").is_empty());
    assert_eq!(target.documents("messages")[0]["n"], 1);
}

#[test]
fn a_replacement_leaves_tables_alone_that_the_archive_lacks() {
    let source = Deployment::new().holding("messages", &[json!({ "n": 2 })]);
    let target = Deployment::new().holding("messages", &[json!({})]).holding("old", &[json!({})]);
    target.imports(&source, false, Mode::Replace);
    assert_eq!((target.documents("messages").len(), target.documents("old").len()), (1, 1));
}

#[test]
fn the_message_to_confirm_names_what_would_be_lost() {
    let target = Deployment::new().holding("messages", &[json!({}), json!({})]).with_file("x");
    let lost = |mode, tables: &[&str]| {
        let tables: Vec<_> = tables.iter().map(|it| (*it).to_owned()).collect();
        target.store.read(|state| summary(state, mode, &tables))
    };
    assert_eq!(lost(Mode::ReplaceAll, &["new"]), "messages: 2 documents to delete");
    assert!(lost(Mode::ReplaceAll, &[STORAGE]).contains("_storage: 1"));
    assert_eq!(lost(Mode::Replace, &["new"]), "");
    assert_eq!(lost(Mode::Append, &["messages"]), "");
}
