//! Exports of a deployment that is to be held: nobody may write from before they are asked for until they are judged.

use std::{fs, time::Duration};

use convex_operator::convex::deployment::ImportState;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    common::Container,
    fixture::{deployment, exported, exporting, filled, importing_by_hand, latest, made},
};

#[tokio::test]
async fn an_export_that_is_to_be_held_is_not_asked_for_where_somebody_may_write() {
    let backend = filled(&Container::new()).await;
    let folder = TempDir::new().unwrap();
    let error = made(&exporting(&backend.at(), folder.path(), &["--held"])).await.unwrap_err();
    assert_eq!(error.reason(), "NotHeld", "{error}");
    assert_eq!(latest(&backend).await, Value::Null);
    assert!(!folder.path().join("export.json").exists());
}

/// What was written meanwhile is not in it, and the next run must not take it for its own.
#[tokio::test]
async fn an_export_is_no_snapshot_where_somebody_was_let_in_meanwhile() {
    let container = Container::new();
    let stalls = container.clone().with("STANDIN_EXPORT_STALLS_VERSIONS", "v1");
    let backend = filled(&stalls).await;
    backend.pauses(true).await;
    let folder = TempDir::new().unwrap();
    let options = exporting(&backend.at(), folder.path(), &["--held"]);
    let meanwhile = async {
        let asked = |it: &Value| it["state"] == "requested";
        backend.awaits("_system/cli/exports:getLatest", json!({}), asked).await;
        backend.pauses(false).await;
        backend.kill();
        container.serving().await
    };
    let (done, backend) = tokio::join!(made(&options), meanwhile);
    assert_eq!(done.unwrap_err().reason(), "NotHeld");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let refused = latest(&backend).await;
    assert_eq!(refused["state"], "completed");
    exported(&backend, folder.path()).await;
    assert_ne!(latest(&backend).await["_id"], refused["_id"]);
}

/// Whoever looks only at its end sees it held.
#[tokio::test]
async fn an_export_that_is_waited_for_is_given_up_as_soon_as_somebody_is_let_in() {
    let container = Container::new().with("STANDIN_EXPORT_STALLS_VERSIONS", "v1");
    let backend = filled(&container).await;
    backend.pauses(true).await;
    let folder = TempDir::new().unwrap();
    let options = exporting(&backend.at(), folder.path(), &["--held"]);
    let meanwhile = async {
        let asked = |it: &Value| it["state"] == "requested";
        backend.awaits("_system/cli/exports:getLatest", json!({}), asked).await;
        backend.pauses(false).await;
    };
    let (done, ()) = tokio::join!(made(&options), meanwhile);
    assert_eq!(done.unwrap_err().reason(), "NotHeld");
    assert_eq!(latest(&backend).await["state"], "requested", "it was not waited for");
}

/// Nobody has looked whether users were let in between two workers, the first of which was evicted. As many documents may
/// have gone as have come.
#[tokio::test]
async fn each_worker_makes_an_export_of_its_own_where_nobody_may_write() {
    let backend = filled(&Container::new()).await;
    backend.pauses(true).await;
    let folder = TempDir::new().unwrap();
    let options = exporting(&backend.at(), folder.path(), &["--held"]);
    made(&options).await.unwrap();
    let first = latest(&backend).await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "its note is there still");
    made(&options).await.unwrap();
    assert_ne!(latest(&backend).await["_id"], first["_id"]);
}

/// It may never come to its end, and the next worker waits for the end of those that are not its own.
#[tokio::test]
async fn an_export_that_an_earlier_worker_has_asked_for_is_canceled() {
    let container = Container::new();
    let stalls = container.clone().with("STANDIN_EXPORT_STALLS_VERSIONS", "v1");
    let backend = filled(&stalls).await;
    backend.pauses(true).await;
    let folder = TempDir::new().unwrap();
    let options = exporting(&backend.at(), folder.path(), &["--held"]);
    let evicted = tokio::time::timeout(Duration::from_secs(2), made(&options)).await;
    assert!(evicted.is_err(), "{evicted:?}");
    let first = latest(&backend).await;
    assert_eq!(first["state"], "requested");
    let again = tokio::time::timeout(Duration::from_secs(2), made(&options)).await;
    assert!(again.is_err(), "{again:?}");
    let second = latest(&backend).await;
    assert!(second["_id"] != first["_id"] && second["state"] == "requested", "{second}");
}

/// It was performed between our export and its end, and has brought as many documents as it took.
#[tokio::test]
async fn an_export_that_somebody_has_imported_after_is_none() {
    let container = Container::new();
    let stalls = container.clone().with("STANDIN_EXPORT_STALLS_VERSIONS", "v1");
    let (elsewhere, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let before = filled(&container).await;
    exported(&before, elsewhere.path()).await;
    before.kill();
    let backend = stalls.serving().await;
    backend.pauses(true).await;
    let options = exporting(&backend.at(), folder.path(), &["--held"]);
    let meanwhile = async {
        let asked = |it: &Value| it["state"] == "requested";
        backend.awaits("_system/cli/exports:getLatest", json!({}), asked).await;
        let import = importing_by_hand(&backend, &elsewhere.path().join("snapshot.zip")).await;
        let done = |it: &Value| it["state"]["state"] == "completed";
        backend.awaits("_system/cli/queryImport", json!({"importId": import}), done).await;
        backend.kill();
        container.serving().await
    };
    let (done, _backend) = tokio::join!(made(&options), meanwhile);
    assert_eq!(done.unwrap_err().reason(), "ImportPerformed");
    assert!(!folder.path().join("manifest.json").exists());
}

/// A deployment that is paused performs imports all the same: what they bring would be missing.
#[tokio::test]
async fn an_import_of_somebody_else_is_waited_for_before_an_export_is_asked_for() {
    let container = Container::new();
    let stalls = container.clone().with("STANDIN_IMPORT_STALLS_VERSIONS", "v1");
    let backend = filled(&stalls).await;
    let (elsewhere, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    exported(&backend, elsewhere.path()).await;
    let before = latest(&backend).await;
    let import = importing_by_hand(&backend, &elsewhere.path().join("snapshot.zip")).await;
    let options = exporting(&backend.at(), folder.path(), &[]);
    let waits = tokio::time::timeout(Duration::from_secs(3), made(&options)).await;
    assert!(waits.is_err(), "{waits:?}");
    assert_eq!(latest(&backend).await, before, "an export was asked for");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    deployment(&backend).cancel_import(&import).await.unwrap();
    made(&options).await.unwrap();
    assert_ne!(latest(&backend).await["_id"], before["_id"]);
    let state = deployment(&backend).import(&import).await.unwrap();
    assert_eq!(state, Some(ImportState::Failed));
}
