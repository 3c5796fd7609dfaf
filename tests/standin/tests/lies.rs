//! Exports that go wrong as a test asked.

#![allow(clippy::unwrap_used, reason = "a fixture that fails is a failed test")]

mod common;

use std::io::Cursor;

use common::{Backend, Container};
use serde_json::{Value, json};
use zip::ZipArchive;

async fn lying(variable: &str) -> Backend {
    let backend = Container::new().with(variable, "v1").serving().await;
    backend.holds("messages", json!([{ "text": "hello" }])).await;
    backend
}

fn size(export: &Value) -> usize {
    export["size"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_export_that_never_completes_stays_in_progress_and_can_be_canceled() {
    let backend = lying("STANDIN_EXPORT_NEVER_COMPLETES_VERSIONS").await;
    backend.posts("/api/export/request/zip", Value::Null).await;
    let running = |export: &Value| export["state"] == "in_progress";
    let export = backend.awaits("_system/cli/exports:getLatest", json!({}), running).await;
    let id = export["_id"].as_str().unwrap();
    assert_eq!(backend.get(&format!("/api/export/zip/{id}")).await.0, 403);
    assert_eq!(backend.downloads(&export).await.status(), 404);
    backend.posts(&format!("/api/export/cancel/{id}"), Value::Null).await;
    let export = backend.query("_system/cli/exports:getLatest", json!({})).await;
    assert_eq!(export["state"], "canceled");
}

#[tokio::test]
async fn a_truncated_export_arrives_whole_and_is_no_archive() {
    let backend = lying("STANDIN_EXPORT_TRUNCATED_VERSIONS").await;
    let export = backend.exports(false).await;
    let bytes = backend.downloads(&export).await.bytes().await.unwrap();
    assert_eq!(bytes.len(), size(&export));
    assert!(ZipArchive::new(Cursor::new(bytes)).is_err());
}

#[tokio::test]
async fn a_download_whose_length_lies_breaks_off() {
    let backend = lying("STANDIN_EXPORT_LENGTH_LIES_VERSIONS").await;
    let export = backend.exports(false).await;
    let answer = backend.downloads(&export).await;
    assert_eq!(answer.content_length().unwrap(), size(&export) as u64 + 1000);
    assert!(answer.bytes().await.is_err());
}

#[tokio::test]
async fn a_document_whose_size_lies_says_one_byte_too_many() {
    let backend = lying("STANDIN_EXPORT_SIZE_LIES_VERSIONS").await;
    let export = backend.exports(false).await;
    let bytes = backend.downloads(&export).await.bytes().await.unwrap();
    assert_eq!(bytes.len() + 1, size(&export));
    assert!(ZipArchive::new(Cursor::new(bytes)).is_ok());
}
