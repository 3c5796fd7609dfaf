//! Exports and imports over plain HTTP, as an operator makes them.

#![allow(clippy::unwrap_used, reason = "a fixture that fails is a failed test")]

mod common;

use std::io::{Cursor, Read};

use common::{Backend, Container};
use serde_json::{Value, json};
use zip::ZipArchive;

fn unpacked(zip: &[u8]) -> Vec<(String, String)> {
    let mut zip = ZipArchive::new(Cursor::new(zip)).unwrap();
    let entries = 0..zip.len();
    entries
        .map(|at| {
            let mut entry = zip.by_index(at).unwrap();
            let (name, mut text) = (entry.name().unwrap().into_owned(), String::new());
            entry.read_to_string(&mut text).unwrap();
            (name, text)
        })
        .collect()
}

async fn zip(backend: &Backend, with_files: bool) -> Vec<u8> {
    let export = backend.exports(with_files).await;
    backend.downloads(&export).await.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn an_export_has_the_documented_layout_and_headers() {
    let backend = Container::new().serving().await;
    backend.holds("messages", json!([{ "n": { "$integer": "BQAAAAAAAAA=" } }])).await;
    let file = backend.holds_file("hello").await;
    let export = backend.exports(true).await;
    let answer = backend.downloads(&export).await;
    let ts = export["start_ts"].as_str().unwrap();
    let name = format!("attachment; filename=snapshot_convex-self-hosted_{ts}.zip");
    assert_eq!(answer.headers()["content-disposition"], name.as_str());
    let length = answer.headers()["content-length"].to_str().unwrap().to_owned();
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(length, bytes.len().to_string());
    assert_eq!(export["size"], length);
    let entries = unpacked(&bytes);
    let names: Vec<_> = entries.iter().map(|(name, _)| name.as_str()).collect();
    let content = format!("_storage/{file}.txt");
    assert_eq!(
        names,
        [
            "README.md",
            "_tables/documents.jsonl",
            "messages/documents.jsonl",
            "messages/generated_schema.jsonl",
            "_storage/documents.jsonl",
            "_storage/generated_schema.jsonl",
            &content,
        ]
    );
    assert!(entries[2].1.contains("\"n\":\"5\""), "{}", entries[2].1);
    assert_eq!(entries[6].1, "hello");
}

#[tokio::test]
async fn without_storage_an_export_has_no_files() {
    let backend = Container::new().serving().await;
    backend.holds_file("hello").await;
    let entries = unpacked(&zip(&backend, false).await);
    assert!(entries.iter().all(|(name, _)| !name.starts_with("_storage")), "{entries:?}");
}

#[tokio::test]
async fn a_second_export_waits_for_the_first_which_can_be_canceled() {
    let backend = Container::new().with("STANDIN_EXPORT_STALLS_VERSIONS", "v1").serving().await;
    let request = || backend.posts("/api/export/request/zip", Value::Null);
    assert_eq!(request().await.0, 200);
    let (status, body) = request().await;
    assert_eq!((status, &body["code"]), (400, &json!("ExportInProgress")));
    let export = backend.query("_system/cli/exports:getLatest", json!({})).await;
    assert_eq!(export["state"], "requested");
    let cancel = format!("/api/export/cancel/{}", export["_id"].as_str().unwrap());
    assert_eq!(backend.posts(&cancel, Value::Null).await.0, 200);
    assert_eq!(request().await.0, 200);
}

#[tokio::test]
async fn an_import_replaces_the_data_and_leaves_functions_and_variables_alone() {
    let source = Container::new().serving().await;
    source.holds("messages", json!([{ "text": "one" }, { "text": "two" }])).await;
    source.holds_file("hello").await;
    let zip = zip(&source, true).await;
    let target = Container::new().serving().await;
    target.holds("old", json!([{}])).await;
    target.posts("/stand-in/deploy", json!({ "functions": ["messages:list"] })).await;
    let changes = json!({ "changes": [{ "name": "KEY", "value": "kept" }] });
    target.posts("/api/update_environment_variables", changes).await;
    let id = target.uploads(&zip, 100, "replaceAll").await;
    let asked = target.import_is(&id, "waiting_for_confirmation").await;
    assert!(asked["message_to_confirm"].as_str().unwrap().contains("old: 1"), "{asked}");
    assert_eq!(target.performs(&id).await, 200);
    let done = target.import_is(&id, "completed").await;
    assert_eq!(done["num_rows_written"], "2", "files are no rows");
    for table in ["messages", "old", "_storage"] {
        assert_eq!(target.documents(table).await, source.documents(table).await, "{table}");
    }
    assert_eq!(
        target.query("_system/cli/modules:apiSpec", json!({})).await.as_array().unwrap().len(),
        1
    );
    assert_eq!(
        target.query("_system/cli/queryEnvironmentVariables", json!({})).await[0]["value"],
        "kept"
    );
    let again = target.posts("/api/perform_import", json!({ "importId": id })).await;
    assert_eq!(again.0, 200, "a yes said twice");
}

#[tokio::test]
async fn a_confirmed_import_is_finished_after_a_kill() {
    let container = Container::new().with("STANDIN_IMPORT_STALLS_VERSIONS", "v1");
    let backend = container.serving().await;
    backend.holds("messages", json!([{ "n": 1 }])).await;
    let id = backend.uploads(&zip(&backend, false).await, 1 << 20, "replaceAll").await;
    backend.holds("messages", json!([{ "n": 2 }])).await;
    backend.performs(&id).await;
    backend.import_is(&id, "in_progress").await;
    backend.kill();
    let backend = container.without("STANDIN_IMPORT_STALLS_VERSIONS").serving().await;
    backend.import_is(&id, "completed").await;
    assert_eq!(backend.documents("messages").await.len(), 1);
}

#[tokio::test]
async fn a_damaged_archive_fails_and_changes_nothing() {
    let lying = Container::new().with("STANDIN_EXPORT_WRONG_CHECKSUM_VERSIONS", "v1");
    let backend = lying.serving().await;
    backend.holds("messages", json!([{ "n": 1 }])).await;
    let spoilt = zip(&backend, false).await;
    let failure = ZipArchive::new(Cursor::new(&spoilt)).unwrap();
    let read = |mut zip: ZipArchive<_>| {
        let mut text = String::new();
        zip.by_name("_tables/documents.jsonl").unwrap().read_to_string(&mut text)
    };
    assert!(read(failure).is_err());
    for (bytes, why) in [(spoilt.as_slice(), "checksum"), (b"no archive", "ZIP")] {
        let id = backend.uploads(bytes, 1000, "replaceAll").await;
        let failed = backend.import_is(&id, "failed").await;
        let message = failed["error_message"].as_str().unwrap().to_lowercase();
        assert!(message.contains(&why.to_lowercase()), "{failed}");
        assert_eq!(backend.posts("/api/perform_import", json!({ "importId": id })).await.0, 400);
    }
    assert_eq!(backend.documents("messages").await.len(), 1);
}

#[tokio::test]
async fn an_import_fails_or_is_canceled_without_a_trace() {
    let backend = Container::new().with("STANDIN_IMPORT_FAILS_VERSIONS", "v1").serving().await;
    backend.holds("messages", json!([{ "n": 1 }])).await;
    let zip = zip(&backend, false).await;
    backend.holds("messages", json!([{ "n": 2 }])).await;
    let id = backend.uploads(&zip, 1 << 20, "replaceAll").await;
    backend.performs(&id).await;
    backend.import_is(&id, "failed").await;
    let id = backend.uploads(&zip, 1 << 20, "replaceAll").await;
    backend.import_is(&id, "waiting_for_confirmation").await;
    assert_eq!(backend.posts("/api/cancel_import", json!({ "importId": id })).await.0, 200);
    backend.import_is(&id, "failed").await;
    assert_eq!(backend.documents("messages").await.len(), 2);
}

#[tokio::test]
async fn an_import_that_nobody_parses_takes_no_yes() {
    let container = Container::new().with("STANDIN_IMPORT_UNPARSED_VERSIONS", "v1");
    let backend = container.serving().await;
    let id = backend.uploads(&zip(&backend, false).await, 1 << 20, "replaceAll").await;
    backend.import_is(&id, "uploaded").await;
    assert_eq!(backend.posts("/api/perform_import", json!({ "importId": id })).await.0, 400);
    backend.kill();
    let backend = container.without("STANDIN_IMPORT_UNPARSED_VERSIONS").serving().await;
    assert_eq!(backend.performs(&id).await, 200);
    backend.import_is(&id, "completed").await;
}
