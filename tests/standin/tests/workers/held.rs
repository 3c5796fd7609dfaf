//! Exports of a deployment that is to be held: nobody may write from before they are asked for until they are judged.

use std::{fs, time::Duration};

use convex_operator::{convex::deployment::ImportState, worker::job::Ended};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    common::{Backend, Container, filled},
    fixture::{deployment, exported, exporting, importing, importing_by_hand, latest, made},
    proxy::Proxy,
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
    assert_eq!(latest(&backend).await["state"], "canceled", "nobody waits for it any more");
}

/// What was counted as a snapshot stays one, as long as there is nothing to put in its place.
#[tokio::test]
async fn a_worker_that_comes_late_takes_nothing_away_where_users_are_let_in() {
    let backend = filled(&Container::new()).await;
    let folder = TempDir::new().unwrap();
    exported(&backend, folder.path()).await;
    let late = made(&exporting(&backend.at(), folder.path(), &["--held"])).await;
    assert_eq!(late.unwrap_err().reason(), "NotHeld");
    assert!(folder.path().join("export.json").exists(), "an import asks for it");
    made(&importing(&Container::new().serving().await.at(), folder.path(), &[])).await.unwrap();
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

/// A backend that is held and ends no export, where this folder has a snapshot of before.
async fn stalled_after_a_snapshot(folder: &TempDir) -> Backend {
    let container = Container::new();
    let before = filled(&container).await;
    exported(&before, folder.path()).await;
    before.kill();
    let backend = container.with("STANDIN_EXPORT_STALLS_VERSIONS", "v1").serving().await;
    backend.pauses(true).await;
    backend
}

/// An archive without a manifest would never be found, and its room never be had again.
#[tokio::test]
async fn what_a_worker_makes_anew_takes_no_room_meanwhile() {
    let folder = TempDir::new().unwrap();
    let backend = stalled_after_a_snapshot(&folder).await;
    let options = exporting(&backend.at(), folder.path(), &["--held", "soon"]);
    assert_eq!(made(&options).await.unwrap_err().reason(), "DeadlineExceeded");
    assert!(!folder.path().join("snapshot.zip").exists());
}

/// It may be that of a later attempt, or of the owner.
#[tokio::test]
async fn an_export_of_somebody_else_is_waited_for_and_named_and_not_canceled() {
    let folder = TempDir::new().unwrap();
    let backend = stalled_after_a_snapshot(&folder).await;
    deployment(&backend).request_export().await.unwrap();
    let theirs = latest(&backend).await;
    let options = exporting(&backend.at(), folder.path(), &["--held", "later"]);
    let error = made(&options).await.unwrap_err();
    let id = theirs["_id"].as_str().unwrap();
    assert!(error.to_string().contains(&format!("export {id} of somebody else")), "{error}");
    assert_eq!(latest(&backend).await, theirs);
}

/// The pause is asked for all the time, and answered: that says nothing of the download, whose pauses grow to ten seconds.
#[tokio::test]
async fn what_keeps_an_export_from_being_fetched_is_told_and_tried_ever_later() {
    let backend = filled(&Container::new()).await;
    backend.pauses(true).await;
    let proxy = Proxy::that_never_brings(backend.at(), Some("/export/zip/")).await;
    let folder = TempDir::new().unwrap();
    let options = exporting(&proxy.at.to_string(), folder.path(), &["--held", "late"]);
    let error = made(&options).await.unwrap_err();
    let tries = proxy.asked_in_vain();
    assert!((2..15).contains(&tries), "{tries} tries");
    let Ended::DeadlineExceeded { trouble: Some(trouble), .. } = &error else {
        panic!("{error:?}")
    };
    assert!(!trouble.is_empty(), "{error}");
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

/// The export was begun while the import was performed, so that what it brought is not in it.
#[tokio::test]
async fn an_export_that_somebody_has_asked_for_before_an_import_was_done_is_not_taken_for_ours() {
    let container = Container::new();
    let stalls = container.clone().with("STANDIN_IMPORT_STALLS_VERSIONS", "v1");
    let (elsewhere, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let backend = filled(&stalls).await;
    exported(&backend, elsewhere.path()).await;
    backend.pauses(true).await;
    importing_by_hand(&backend, &elsewhere.path().join("snapshot.zip")).await;
    let proxy = Proxy::before(backend.at()).await;
    let at = proxy.at.to_string();
    let options = exporting(&at, folder.path(), &["--held"]);
    let meanwhile = async {
        // It has seen which export is the latest one, and waits for the import.
        backend.waits_for(|| proxy.lost().iter().any(|it| it.contains("queryImport:list"))).await;
        let before = latest(&backend).await["_id"].clone();
        deployment(&backend).request_export().await.unwrap();
        let theirs = |it: &Value| it["_id"] != before && it["state"] == "completed";
        backend.awaits("_system/cli/exports:getLatest", json!({}), theirs).await;
        let theirs = latest(&backend).await;
        backend.kill();
        (theirs, container.serving().await)
    };
    let (done, (theirs, backend)) = tokio::join!(made(&options), meanwhile);
    done.unwrap();
    assert_ne!(latest(&backend).await["_id"], theirs["_id"]);
    let asked = fs::read_to_string(folder.path().join("export.json")).unwrap();
    assert!(asked.contains(theirs["_id"].as_str().unwrap()), "known as one of before: {asked}");
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
