//! The operator's workers against the stand-in: exports and imports, cut off and run again.

#![allow(clippy::unwrap_used, reason = "a fixture that fails is a failed test")]

mod common;

use std::{fs, path::Path, time::Duration};

use clap::{Args, Command, FromArgMatches};
use common::{Backend, Container, KEY};
use convex_operator::{
    convex::AdminKey,
    plan::gate::Record,
    worker::{
        export, import,
        job::{self, Ended, Work},
        report::Report,
        snapshot::Manifest,
    },
};
use serde_json::json;
use statemachine::worlds::born;
use tempfile::TempDir;

fn options<O: Args + FromArgMatches>(
    backend: &Backend,
    folder: &Path,
    id: &str,
    more: &[&str],
) -> O {
    let address = backend.url("");
    let address = address.trim_start_matches("http://").trim_end_matches('/');
    let folder = folder.to_str().unwrap();
    let mut line = vec!["worker", "--id", id, "--backend", address, "--folder", folder];
    line.push("--deadline-seconds");
    line.extend(if more.contains(&"soon") { ["2"] } else { ["60"] });
    line.extend(more.iter().filter(|it| **it != "soon"));
    let matches = O::augment_args(Command::new("worker")).try_get_matches_from(line).unwrap();
    O::from_arg_matches(&matches).unwrap()
}

fn exporting(backend: &Backend, folder: &Path, more: &[&str]) -> export::Options {
    options(backend, folder, "7-1", &[&["--version", "v1"], more].concat())
}

fn importing(backend: &Backend, folder: &Path, more: &[&str]) -> import::Options {
    let record = permitting("9-1");
    let told = ["--snapshot", "7-1", "--record", &record];
    options(backend, folder, "9-1", &[&told, more].concat())
}

/// A record that lets this attempt move data.
fn permitting(attempt: &str) -> String {
    let record = Record::next(None, &born(), true).permitting(Some(attempt.to_owned()));
    serde_json::to_string(&record).unwrap()
}

async fn made<W: Work>(work: &W) -> Result<Report, Ended<W::Error>> {
    job::made(work, AdminKey::parse(KEY).unwrap()).await
}

/// A backend with documents, a file and a variable.
async fn filled(container: &Container) -> Backend {
    let backend = container.serving().await;
    backend.holds("messages", json!([{"text": "one"}, {"text": "two"}])).await;
    backend.holds("users", json!([{"name": "ann"}])).await;
    backend.holds_file("hello").await;
    let changes = json!({"changes": [{"name": "TOKEN", "value": "s3cr3t"}]});
    backend.posts("/api/update_environment_variables", changes).await;
    backend
}

async fn exported(backend: &Backend, folder: &Path) -> Report {
    made(&exporting(backend, folder, &["--held"])).await.unwrap()
}

fn steered(variable: &str) -> Container {
    Container::new().with(variable, "v1")
}

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
    assert_eq!(exported(&backend, folder.path()).await, first);
    assert_eq!(backend.query("_system/cli/exports:getLatest", json!({})).await, latest);
    // A snapshot that has changed since is none.
    fs::write(folder.path().join("snapshot.zip"), "PK").unwrap();
    let spoilt = made(&exporting(&backend, folder.path(), &[])).await.unwrap_err();
    assert_eq!(spoilt.reason(), "SnapshotTruncated");
}

/// The run that comes after finds the export that the first one has asked for.
#[tokio::test]
async fn an_export_that_is_cut_off_anywhere_is_gone_on_with() {
    let backend = filled(&Container::new()).await;
    let folder = TempDir::new().unwrap();
    for milliseconds in [1, 3, 6, 10, 20, 50, 100, 200, 400, 1100] {
        let options = exporting(&backend, folder.path(), &["--held"]);
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
        let error = made(&exporting(&backend, folder.path(), &[])).await.unwrap_err();
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
    let error = made(&exporting(&backend, folder.path(), &["soon"])).await.unwrap_err();
    assert!(matches!(error, Ended::DeadlineExceeded { .. }), "{error:?}");
    let latest = backend.query("_system/cli/exports:getLatest", json!({})).await;
    assert_eq!(latest["state"], "canceled");
}

#[tokio::test]
async fn a_table_that_the_export_lacks_is_missed_where_nobody_can_write() {
    let backend = filled(&Container::new()).await;
    let folder = TempDir::new().unwrap();
    // Our export was asked for and is made; then a document comes, which a held backend would not let in.
    let before = backend.query("_system/cli/exports:getLatest", json!({})).await;
    let note = json!({"before": before["_id"]});
    fs::write(folder.path().join("export.json"), note.to_string()).unwrap();
    backend.exports(true).await;
    backend.holds("messages", json!([{"text": "late"}])).await;
    let error = made(&exporting(&backend, folder.path(), &["--held"])).await.unwrap_err();
    assert_eq!(error.reason(), "DocumentsDiffer", "{error}");
    assert!(error.to_string().contains("\"messages\" has 3"), "{error}");
}

#[tokio::test]
async fn a_snapshot_replaces_everything_and_brings_the_variables_back() {
    let folder = TempDir::new().unwrap();
    exported(&filled(&Container::new()).await, folder.path()).await;
    let other = Container::new().serving().await;
    other.holds("messages", json!([{"text": "old"}])).await;
    other.holds("leftover", json!([{"a": 1}])).await;
    let done = made(&importing(&other, folder.path(), &[])).await.unwrap();
    let Report::Imported { documents, variables, .. } = &done else { panic!("{done:?}") };
    assert_eq!((*documents, *variables), (3, 1));
    assert_eq!(other.documents("messages").await.len(), 2);
    assert_eq!(other.documents("leftover").await.len(), 0);
    // Once more: it is only counted, and no variable is set again.
    let again = made(&importing(&other, folder.path(), &[])).await.unwrap();
    let Report::Imported { variables, .. } = again else { panic!("{again:?}") };
    assert_eq!(variables, 0);
    let imports = other.query("_system/cli/queryImport:list", json!({})).await;
    assert_eq!(imports.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_import_that_is_cut_off_anywhere_is_gone_on_with() {
    let folder = TempDir::new().unwrap();
    exported(&filled(&Container::new()).await, folder.path()).await;
    let other = Container::new().serving().await;
    for milliseconds in [1, 3, 6, 10, 15, 25, 50, 100, 300, 1100] {
        let options = importing(&other, folder.path(), &[]);
        let run = made(&options);
        let _ = tokio::time::timeout(Duration::from_millis(milliseconds), run).await;
    }
    made(&importing(&other, folder.path(), &[])).await.unwrap();
    assert_eq!(other.documents("messages").await.len(), 2);
    assert_eq!(other.documents("users").await.len(), 1);
}

#[tokio::test]
async fn nothing_is_imported_without_a_permit_or_from_a_snapshot_that_has_changed() {
    let folder = TempDir::new().unwrap();
    exported(&filled(&Container::new()).await, folder.path()).await;
    let other = Container::new().serving().await;
    other.holds("messages", json!([{"text": "old"}])).await;
    let (ours, theirs) = (permitting("9-1"), permitting("8-1"));
    let told = ["--snapshot", "7-1", "--record", &theirs];
    let stale: import::Options = options(&other, folder.path(), "9-1", &told);
    assert_eq!(made(&stale).await.unwrap_err().reason(), "NotPermitted");
    let told = ["--snapshot", "6-1", "--record", &ours];
    let wrong: import::Options = options(&other, folder.path(), "9-1", &told);
    assert_eq!(made(&wrong).await.unwrap_err().reason(), "OtherSnapshot");
    let nowhere = TempDir::new().unwrap();
    let none = made(&importing(&other, nowhere.path(), &[])).await.unwrap_err();
    assert_eq!(none.reason(), "SnapshotMissing");
    let path = folder.path().join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap().replace("\"messages\":2", "\"messages\":3");
    fs::write(path, manifest).unwrap();
    let changed = made(&importing(&other, folder.path(), &[])).await.unwrap_err();
    assert_eq!(changed.reason(), "SnapshotCorrupt");
    assert_eq!(other.documents("messages").await.len(), 1, "nothing was touched");
}

#[tokio::test]
async fn an_import_that_fails_or_hangs_says_so() {
    let folder = TempDir::new().unwrap();
    exported(&filled(&Container::new()).await, folder.path()).await;
    let fails = steered("STANDIN_IMPORT_FAILS_VERSIONS").serving().await;
    fails.holds("messages", json!([{"text": "old"}])).await;
    let error = made(&importing(&fails, folder.path(), &[])).await.unwrap_err();
    assert_eq!(error.reason(), "ImportFailed", "{error}");
    assert_eq!(fails.documents("messages").await.len(), 1);
    for lie in ["STANDIN_IMPORT_STALLS_VERSIONS", "STANDIN_IMPORT_UNPARSED_VERSIONS"] {
        let folder = TempDir::new().unwrap();
        exported(&filled(&Container::new()).await, folder.path()).await;
        let hangs = steered(lie).serving().await;
        let error = made(&importing(&hangs, folder.path(), &["soon"])).await.unwrap_err();
        assert!(matches!(error, Ended::DeadlineExceeded { .. }), "{lie}: {error:?}");
        let imports = hangs.query("_system/cli/queryImport:list", json!({})).await;
        assert_eq!(imports[0]["state"]["state"], "failed", "{lie}: canceled");
    }
}
