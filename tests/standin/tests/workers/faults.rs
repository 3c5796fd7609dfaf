//! Backends that are away for a while, and networks that lose what they carry.

use std::{
    fs,
    time::{Duration, Instant},
};

use convex_operator::worker::{job::Ended, report::Report};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    common::{Container, filled},
    fixture::{exported, exporting, importing, made, steered},
    proxy::Proxy,
};

/// Whatever is asked for, the first answer is lost: what was done already is found, and not done again.
#[tokio::test]
async fn an_export_gets_through_a_network_that_loses_answers_and_is_made_once() {
    let container = Container::new();
    let backend = filled(&container).await;
    backend.pauses(true).await;
    let proxy = Proxy::before(backend.at()).await;
    let folder = TempDir::new().unwrap();
    let at = proxy.at.to_string();
    let done = made(&exporting(&at, folder.path(), &["--held"])).await.unwrap();
    let Report::Exported { documents, files, .. } = done else { panic!("{done:?}") };
    assert_eq!((documents, files), (3, 1));
    let exports = container.path("convex/data/documents/exports");
    assert_eq!(fs::read_dir(exports).unwrap().count(), 1);
    let lost = proxy.lost().join(" ");
    for question in ["/api/export/request/zip", "/api/export/zip/", "getLatest", "deploymentState"]
    {
        assert!(lost.contains(question), "{question} in {lost}");
    }
}

#[tokio::test]
async fn an_import_gets_through_a_network_that_loses_answers_and_is_done_once() {
    let folder = TempDir::new().unwrap();
    exported(&filled(&Container::new()).await, folder.path()).await;
    let other = Container::new().serving().await;
    other.holds("messages", json!([{"text": "old"}])).await;
    let proxy = Proxy::before(other.at()).await;
    let at = proxy.at.to_string();
    let done = made(&importing(&at, folder.path(), &[])).await.unwrap();
    assert!(matches!(done, Report::Imported { documents: 3, .. }), "{done:?}");
    assert_eq!(other.documents("messages").await.len(), 2);
    let imports = other.query("_system/cli/queryImport:list", json!({})).await;
    let completed = |it: &&Value| it["state"]["state"] == "completed";
    assert_eq!(imports.as_array().unwrap().iter().filter(completed).count(), 1, "{imports}");
    let lost = proxy.lost().join(" ");
    for question in ["start_upload", "upload_part", "finish_upload", "perform_import"] {
        assert!(lost.contains(question), "{question} in {lost}");
    }
}

/// The backend goes on with an export after its start, and so does the worker.
#[tokio::test]
async fn a_backend_that_restarts_while_it_exports_is_waited_for() {
    let container = Container::new();
    let backend = filled(&container.clone().with("STANDIN_EXPORT_STALLS_VERSIONS", "v1")).await;
    let folder = TempDir::new().unwrap();
    let options = exporting(&backend.at(), folder.path(), &[]);
    let restart = async {
        let asked = |it: &Value| it["state"] == "requested";
        let first = backend.awaits("_system/cli/exports:getLatest", json!({}), asked).await;
        backend.kill();
        tokio::time::sleep(Duration::from_secs(1)).await;
        (first, container.serving().await)
    };
    let (done, (first, backend)) = tokio::join!(made(&options), restart);
    assert!(matches!(done.unwrap(), Report::Exported { documents: 3, .. }));
    let latest = backend.query("_system/cli/exports:getLatest", json!({})).await;
    assert_eq!(latest["_id"], first["_id"]);
}

#[tokio::test]
async fn a_backend_that_restarts_while_it_imports_is_waited_for() {
    let folder = TempDir::new().unwrap();
    exported(&filled(&Container::new()).await, folder.path()).await;
    let container = Container::new();
    let backend = container.clone().with("STANDIN_IMPORT_STALLS_VERSIONS", "v1").serving().await;
    let options = importing(&backend.at(), folder.path(), &[]);
    let restart = async {
        let confirmed = |it: &Value| it[0]["state"]["state"] == "in_progress";
        backend.awaits("_system/cli/queryImport:list", json!({}), confirmed).await;
        backend.kill();
        tokio::time::sleep(Duration::from_secs(1)).await;
        container.serving().await
    };
    let (done, backend) = tokio::join!(made(&options), restart);
    assert!(matches!(done.unwrap(), Report::Imported { documents: 3, .. }));
    assert_eq!(backend.documents("messages").await.len(), 2);
}

#[tokio::test]
async fn a_backend_that_does_not_come_back_is_told_when_the_time_is_over() {
    let backend = Container::new().serving().await;
    let at = backend.at();
    backend.kill();
    let folder = TempDir::new().unwrap();
    let error = made(&exporting(&at, folder.path(), &["soon"])).await.unwrap_err();
    assert!(matches!(error, Ended::DeadlineExceeded { .. }), "{error:?}");
    assert!(error.to_string().contains("cannot be reached: connection refused"), "{error}");
}

#[tokio::test]
async fn a_refusal_that_lasts_is_not_asked_for_again() {
    let backend = steered("STANDIN_REJECT_KEY_VERSIONS").serving().await;
    let folder = TempDir::new().unwrap();
    let began = Instant::now();
    let error = made(&exporting(&backend.at(), folder.path(), &[])).await.unwrap_err();
    assert_eq!(error.reason(), "BackendRefused");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}
