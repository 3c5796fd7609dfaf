//! Exports: described, made once, judged by what is in them.

use std::{fs, time::Duration};

use convex_operator::worker::{job::Ended, report::Report, snapshot::Manifest};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    common::{Container, KEY, filled},
    fixture::{exported, exporting, made, steered},
};

#[tokio::test]
async fn an_export_is_described_and_made_once() {
    let backend = filled(&Container::new()).await;
    let folder = TempDir::new().unwrap();
    let first = exported(&backend, folder.path()).await;
    let Report::Exported { documents, tables, files, .. } = &first else { panic!("{first:?}") };
    assert_eq!((*documents, *tables, *files), (3, 2, 1));
    let manifest = fs::read(folder.path().join("manifest.json")).unwrap();
    let manifest: Manifest = serde_json::from_slice(&manifest).unwrap();
    assert_eq!((manifest.version.as_str(), manifest.variables), ("v1", 1));
    // Once more: the same, and nothing is asked of the backend.
    let latest = backend.query("_system/cli/exports:getLatest", json!({})).await;
    let again = || exporting(&backend.at(), folder.path(), &[]);
    assert_eq!(made(&again()).await.unwrap(), first);
    assert_eq!(backend.query("_system/cli/exports:getLatest", json!({})).await, latest);
    // A snapshot that has changed since is none.
    fs::write(folder.path().join("snapshot.zip"), "PK").unwrap();
    let spoilt = made(&again()).await.unwrap_err();
    assert_eq!(spoilt.reason(), "SnapshotTruncated");
}

/// The run that comes after finds the export that the first one has asked for.
#[tokio::test]
async fn an_export_that_is_cut_off_anywhere_is_gone_on_with() {
    let backend = filled(&Container::new()).await;
    let folder = TempDir::new().unwrap();
    backend.pauses(true).await;
    for milliseconds in [1, 3, 6, 10, 20, 50, 100, 200, 400, 1100] {
        let options = exporting(&backend.at(), folder.path(), &["--held"]);
        let run = made(&options);
        let _ = tokio::time::timeout(Duration::from_millis(milliseconds), run).await;
    }
    let Report::Exported { id, documents, .. } = exported(&backend, folder.path()).await else {
        panic!("no export")
    };
    assert_eq!((id.as_str(), documents), ("7-1", 3));
}

#[tokio::test]
async fn an_export_of_somebody_else_is_waited_for_and_not_taken_for_ours() {
    let backend = filled(&Container::new()).await;
    let folder = TempDir::new().unwrap();
    let theirs = backend.exports(false).await;
    exported(&backend, folder.path()).await;
    let latest = backend.query("_system/cli/exports:getLatest", json!({})).await;
    assert_ne!(latest["_id"], theirs["_id"]);
    // One without files that came between our note and our request is not ours either.
    let other = TempDir::new().unwrap();
    let note = json!({"before": latest["_id"]});
    fs::write(other.path().join("export.json"), note.to_string()).unwrap();
    backend.exports(false).await;
    let Report::Exported { files, .. } = exported(&backend, other.path()).await else {
        panic!("no export")
    };
    assert_eq!(files, 1);
}

#[tokio::test]
async fn every_lie_of_a_backend_has_a_reason_of_its_own() {
    for (lie, reason) in [
        ("STANDIN_EXPORT_TRUNCATED_VERSIONS", "SnapshotTruncated"),
        ("STANDIN_EXPORT_WRONG_CHECKSUM_VERSIONS", "SnapshotCorrupt"),
        ("STANDIN_EXPORT_LENGTH_LIES_VERSIONS", "BackendRefused"),
        ("STANDIN_EXPORT_SIZE_LIES_VERSIONS", "SizeDiffers"),
        ("STANDIN_REJECT_KEY_VERSIONS", "BackendRefused"),
    ] {
        let backend = steered(lie).serving().await;
        let folder = TempDir::new().unwrap();
        let error = made(&exporting(&backend.at(), folder.path(), &[])).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{lie}: {error}");
        assert!(!error.to_string().contains(KEY), "{error}");
        assert!(!folder.path().join("manifest.json").exists(), "{lie}");
    }
}

/// The backend never says that an export failed, and would go on for ever.
#[tokio::test]
async fn an_export_that_hangs_is_given_up_and_canceled() {
    let backend = steered("STANDIN_EXPORT_NEVER_COMPLETES_VERSIONS").serving().await;
    let folder = TempDir::new().unwrap();
    let error = made(&exporting(&backend.at(), folder.path(), &["soon"])).await.unwrap_err();
    assert!(matches!(error, Ended::DeadlineExceeded { .. }), "{error:?}");
    let latest = backend.query("_system/cli/exports:getLatest", json!({})).await;
    assert_eq!(latest["state"], "canceled");
}

#[tokio::test]
async fn a_table_that_the_export_lacks_is_missed_where_nobody_can_write() {
    let backend = filled(&steered("STANDIN_EXPORT_EMPTY_VERSIONS")).await;
    backend.pauses(true).await;
    let folder = TempDir::new().unwrap();
    let error = made(&exporting(&backend.at(), folder.path(), &["--held"])).await.unwrap_err();
    assert_eq!(error.reason(), "DocumentsDiffer", "{error}");
    assert!(error.to_string().contains("\"messages\" has 2"), "{error}");
}

#[tokio::test]
async fn an_export_that_cannot_be_compared_with_what_is_there_is_none() {
    let backend = steered("STANDIN_TABLES_UNTOLD_VERSIONS").serving().await;
    backend.pauses(true).await;
    let folder = TempDir::new().unwrap();
    let error = made(&exporting(&backend.at(), folder.path(), &["--held"])).await.unwrap_err();
    assert_eq!(error.reason(), "TablesUntold", "{error}");
    assert!(error.to_string().contains("preUpgradeSnapshot: Copy"), "{error}");
    assert!(!folder.path().join("manifest.json").exists());
}

#[tokio::test]
async fn an_export_that_has_changed_since_it_was_judged_is_none() {
    let backend = filled(&Container::new()).await;
    let (folder, another) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    exported(&backend, folder.path()).await;
    backend.holds("messages", json!([{"text": "later"}])).await;
    exported(&backend, another.path()).await;
    let archive = |of: &TempDir| {
        let found = fs::read_dir(of.path()).unwrap().filter_map(Result::ok);
        found.map(|it| it.path()).find(|it| it.extension().is_some_and(|it| it == "zip")).unwrap()
    };
    fs::copy(archive(&another), archive(&folder)).unwrap();
    let error = made(&exporting(&backend.at(), folder.path(), &[])).await.unwrap_err();
    assert_eq!(error.reason(), "SnapshotCorrupt", "{error}");
}
