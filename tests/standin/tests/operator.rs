//! The operator's own client against the stand-in: two readings of one protocol.

#![allow(clippy::unwrap_used, reason = "a fixture that fails is a failed test")]

mod common;

use std::{fs::File, io::Write, net::SocketAddr, path::PathBuf};

use common::{Backend, Container, KEY};
use convex_operator::{
    convex::{
        AdminKey, Error as Unanswered,
        deployment::{Deployment, Error, ExportState},
    },
    worker::snapshot::Content,
};
use serde_json::json;
use tempfile::TempDir;

fn deployment(backend: &Backend) -> Deployment {
    let url = backend.url("");
    let address: SocketAddr =
        url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    Deployment::at(address, AdminKey::parse(KEY).unwrap())
}

async fn completed(backend: &Backend) -> String {
    let deployment = deployment(backend);
    deployment.request_export().await.unwrap();
    let done = |it: &serde_json::Value| it["state"] == "completed";
    backend.awaits("_system/cli/exports:getLatest", json!({}), done).await;
    let export = deployment.latest_export().await.unwrap().unwrap();
    assert_eq!(export.state, ExportState::Completed);
    assert!(export.size.is_some());
    export.id
}

async fn downloaded(backend: &Backend) -> (TempDir, PathBuf, Result<u64, Error>) {
    let id = completed(backend).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.zip");
    let mut file = std::fs::File::create(&path).unwrap();
    let read = deployment(backend).download(&id, async |bytes| file.write_all(&bytes)).await;
    (folder, path, read)
}

#[tokio::test]
async fn an_export_is_asked_for_awaited_downloaded_and_judged_whole() {
    let backend = Container::new().serving().await;
    assert_eq!(deployment(&backend).latest_export().await.unwrap(), None);
    backend.holds("messages", json!([{"text": "one"}, {"text": "two"}])).await;
    backend.holds_file("hello").await;
    let (_folder, path, read) = downloaded(&backend).await;
    let content = Content::read(&File::open(&path).unwrap()).unwrap();
    assert_eq!(content.bytes, read.unwrap());
    assert_eq!((content.documents["messages"], content.files), (2, 1));
}

#[tokio::test]
async fn an_export_that_lies_is_found_out_by_its_length_or_its_content() {
    for (lie, reason) in [
        ("STANDIN_EXPORT_TRUNCATED_VERSIONS", "SnapshotTruncated"),
        ("STANDIN_EXPORT_WRONG_CHECKSUM_VERSIONS", "SnapshotCorrupt"),
    ] {
        let container = Container::new().with("CONVEX_RELEASE_VERSION_DEV", "v1").with(lie, "v1");
        let backend = container.serving().await;
        backend.holds("messages", json!([{"text": "one"}])).await;
        let (_folder, path, read) = downloaded(&backend).await;
        read.unwrap();
        assert_eq!(
            Content::read(&File::open(&path).unwrap()).unwrap_err().reason(),
            reason,
            "{lie}"
        );
    }
    let lies = "STANDIN_EXPORT_LENGTH_LIES_VERSIONS";
    let container = Container::new().with("CONVEX_RELEASE_VERSION_DEV", "v1").with(lies, "v1");
    let backend = container.serving().await;
    let (_folder, _path, read) = downloaded(&backend).await;
    assert!(matches!(read, Err(Error::BrokenOff { .. })), "{read:?}");
}

#[tokio::test]
async fn one_export_at_a_time() {
    let stalls = "STANDIN_EXPORT_STALLS_VERSIONS";
    let container = Container::new().with("CONVEX_RELEASE_VERSION_DEV", "v1").with(stalls, "v1");
    let backend = container.serving().await;
    let deployment = deployment(&backend);
    deployment.request_export().await.unwrap();
    assert!(matches!(deployment.request_export().await, Err(Error::ExportInProgress)));
    let export = deployment.latest_export().await.unwrap().unwrap();
    assert_eq!(export.state, ExportState::Requested);
    deployment.cancel_export(&export.id).await.unwrap();
    let state = deployment.latest_export().await.unwrap().unwrap().state;
    assert!(matches!(state, ExportState::Canceled | ExportState::Failed), "{state:?}");
}

#[tokio::test]
async fn a_pause_is_observed_and_a_backend_that_cannot_says_so() {
    let backend = Container::new().serving().await;
    let deployment_ = deployment(&backend);
    assert_eq!(deployment_.is_paused().await.unwrap(), Some(false));
    deployment_.pause(true).await.unwrap();
    assert_eq!(deployment_.is_paused().await.unwrap(), Some(true));
    deployment_.pause(false).await.unwrap();
    assert_eq!(deployment_.is_paused().await.unwrap(), Some(false));
    let old = "STANDIN_NO_PAUSE_VERSIONS";
    let container = Container::new().with("CONVEX_RELEASE_VERSION_DEV", "v1").with(old, "v1");
    let backend = container.serving().await;
    assert!(matches!(deployment(&backend).pause(true).await, Err(Error::Unsupported(_))));
}

#[tokio::test]
async fn variables_are_read_as_they_were_set() {
    let backend = Container::new().serving().await;
    let changes = json!({"changes": [{"name": "TOKEN", "value": "a\nb \"c\""}]});
    backend.posts("/api/update_environment_variables", changes).await;
    let variables = deployment(&backend).variables().await.unwrap();
    assert_eq!(variables["TOKEN"], "a\nb \"c\"");
}

#[tokio::test]
async fn a_wrong_key_is_told_as_one_and_never_repeated() {
    let backend = Container::new().serving().await;
    let url = backend.url("");
    let address = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let wrong = Deployment::at(address, AdminKey::parse(format!("{KEY}00")).unwrap());
    let error = wrong.latest_export().await.unwrap_err();
    assert!(matches!(error, Error::Unanswered(Unanswered::KeyRejected { .. })), "{error:?}");
    assert!(!error.to_string().contains(KEY));
}
