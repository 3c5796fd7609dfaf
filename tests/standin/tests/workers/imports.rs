//! Imports: permitted, judged before, counted after.

use std::{fs, time::Duration};

use convex_operator::worker::{job::Ended, report::Report};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    common::{Container, filled},
    fixture::{
        exported, exporting, importing, importing_as, importing_back, importing_by_hand,
        importing_with, latest, made, permitting, steered,
    },
};

#[tokio::test]
async fn a_snapshot_replaces_everything_and_brings_the_variables_back() {
    let folder = TempDir::new().unwrap();
    exported(&filled(&Container::new()).await, folder.path()).await;
    let other = Container::new().serving().await;
    other.holds("messages", json!([{"text": "old"}])).await;
    other.holds("leftover", json!([{"a": 1}])).await;
    let done = made(&importing(&other.at(), folder.path(), &[])).await.unwrap();
    let Report::Imported { documents, variables, .. } = &done else { panic!("{done:?}") };
    assert_eq!((*documents, *variables), (3, 1));
    assert_eq!(other.documents("messages").await.len(), 2);
    assert_eq!(other.documents("leftover").await.len(), 0);
    // Once more: it is only counted, and no variable is set again.
    let again = made(&importing(&other.at(), folder.path(), &[])).await.unwrap();
    let Report::Imported { variables, .. } = again else { panic!("{again:?}") };
    assert_eq!(variables, 0);
    let imports = other.query("_system/cli/queryImport:list", json!({})).await;
    assert_eq!(imports.as_array().unwrap().len(), 1);
}

/// What somebody has imported after the export is not in it, and would be replaced.
#[tokio::test]
async fn nothing_is_imported_over_what_somebody_else_has_imported_since() {
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let theirs = Container::new().serving().await;
    theirs.holds("messages", json!([{"text": "theirs"}])).await;
    exported(&theirs, elsewhere.path()).await;
    let backend = filled(&Container::new()).await;
    exported(&backend, folder.path()).await;
    // Imports of ours stand in nobody's way, of whatever attempt.
    made(&importing_back("9-1", &backend.at(), folder.path())).await.unwrap();
    made(&importing_back("9-2", &backend.at(), folder.path())).await.unwrap();
    let import = importing_by_hand(&backend, &elsewhere.path().join("snapshot.zip")).await;
    let done = |it: &Value| it["state"]["state"] == "completed";
    backend.awaits("_system/cli/queryImport", json!({"importId": import}), done).await;
    let count = async || {
        let all = backend.query("_system/cli/queryImport:list", json!({})).await;
        all.as_array().unwrap().len()
    };
    let before = count().await;
    let refused = made(&importing_back("9-3", &backend.at(), folder.path())).await.unwrap_err();
    assert_eq!(count().await, before, "nothing was even uploaded");
    assert_eq!(refused.reason(), "ImportPerformed");
    assert!(refused.to_string().contains(&import), "{refused}");
    assert_eq!(backend.documents("messages").await.len(), 1, "what they brought is there");
    let imports = backend.query("_system/cli/queryImport:list", json!({})).await;
    let waits = |it: &&Value| it["state"]["state"] == "waiting_for_confirmation";
    assert_eq!(imports.as_array().unwrap().iter().filter(waits).count(), 0, "nobody confirms it");
    // Nobody relies yet on what is in a store that is being filled.
    made(&importing_as("9-4", &backend.at(), folder.path(), &[])).await.unwrap();
    assert_eq!(backend.documents("messages").await.len(), 2);
}

/// It came while ours was uploaded and not yet told yes.
#[tokio::test]
async fn no_yes_is_said_once_somebody_else_has_imported() {
    let (folder, elsewhere, container) =
        (TempDir::new().unwrap(), TempDir::new().unwrap(), Container::new());
    let theirs = Container::new().serving().await;
    theirs.holds("messages", json!([{"text": "theirs"}])).await;
    exported(&theirs, elsewhere.path()).await;
    let before = filled(&container).await;
    exported(&before, folder.path()).await;
    before.kill();
    let unparsed = container.clone().with("STANDIN_IMPORT_UNPARSED_VERSIONS", "v1").serving().await;
    let options = importing_back("9-1", &unparsed.at(), folder.path());
    let uploaded = |it: &Value| it[0]["state"]["state"] == "uploaded";
    let listed = unparsed.awaits("_system/cli/queryImport:list", json!({}), uploaded);
    tokio::select! {
        ended = made(&options) => panic!("{ended:?}"),
        _ = listed => {}
    }
    // What was uploaded is noted in the next moment.
    let noted = || folder.path().join("import-9-1.json").exists();
    tokio::select! {
        ended = made(&options) => panic!("{ended:?}"),
        () = unparsed.waits_for(noted) => {}
    }
    unparsed.kill();
    let backend = container.serving().await;
    let import = importing_by_hand(&backend, &elsewhere.path().join("snapshot.zip")).await;
    let done = |it: &Value| it["state"]["state"] == "completed";
    backend.awaits("_system/cli/queryImport", json!({"importId": import}), done).await;
    let refused = made(&importing_back("9-1", &backend.at(), folder.path())).await.unwrap_err();
    assert_eq!(refused.reason(), "ImportPerformed");
    assert_eq!(backend.documents("messages").await.len(), 1, "what they brought is there");
}

#[tokio::test]
async fn an_import_that_lost_documents_and_counted_them_is_found_out_table_by_table() {
    let folder = TempDir::new().unwrap();
    exported(&filled(&Container::new()).await, folder.path()).await;
    let loses = steered("STANDIN_IMPORT_LOSES_VERSIONS").serving().await;
    let error = made(&importing(&loses.at(), folder.path(), &[])).await.unwrap_err();
    assert_eq!(error.reason(), "DocumentsDiffer", "{error}");
    assert!(error.to_string().contains("\"messages\" has 0 documents"), "{error}");
}

/// Whether it is performed is what nobody may guess: their import would be replaced, or be missing in an export.
#[tokio::test]
async fn a_backend_that_does_not_tell_its_imports_is_asked_again_until_the_time_is_over() {
    let (folder, container) = (TempDir::new().unwrap(), Container::new());
    let before = filled(&container).await;
    exported(&before, folder.path()).await;
    before.kill();
    let untold = container.with("STANDIN_IMPORTS_UNTOLD_VERSIONS", "v1").serving().await;
    untold.pauses(true).await;
    let elsewhere = TempDir::new().unwrap();
    let latest_before = latest(&untold).await;
    let options = exporting(&untold.at(), elsewhere.path(), &["--held", "soon"]);
    let error = made(&options).await.unwrap_err();
    assert!(matches!(error, Ended::DeadlineExceeded { .. }), "{error:?}");
    assert_eq!(latest(&untold).await, latest_before, "an export was asked for");
    let back = importing_as("9-1", &untold.at(), folder.path(), &["--same-store", "soon"]);
    let error = made(&back).await.unwrap_err();
    assert!(matches!(error, Ended::DeadlineExceeded { .. }), "{error:?}");
    untold.pauses(false).await;
    assert_eq!(untold.documents("messages").await.len(), 2);
}

#[tokio::test]
async fn variables_that_are_not_those_that_were_kept_stop_an_import_before_it_begins() {
    for kept in [None, Some("{}"), Some("{\"TOKEN\":\"other\"}")] {
        let folder = TempDir::new().unwrap();
        exported(&filled(&Container::new()).await, folder.path()).await;
        let path = folder.path().join("variables.json");
        match kept {
            None => fs::remove_file(&path).unwrap(),
            Some(text) => fs::write(&path, text).unwrap(),
        }
        let other = Container::new().serving().await;
        let error = made(&importing(&other.at(), folder.path(), &[])).await.unwrap_err();
        assert_eq!(error.reason(), "SnapshotCorrupt", "{kept:?}: {error}");
        assert_eq!(other.query("_system/cli/queryImport:list", json!({})).await, json!([]));
    }
}

#[tokio::test]
async fn an_import_that_is_cut_off_anywhere_is_gone_on_with() {
    let folder = TempDir::new().unwrap();
    exported(&filled(&Container::new()).await, folder.path()).await;
    let other = Container::new().serving().await;
    for milliseconds in [1, 3, 6, 10, 15, 25, 50, 100, 300, 1100] {
        let options = importing(&other.at(), folder.path(), &[]);
        let run = made(&options);
        let _ = tokio::time::timeout(Duration::from_millis(milliseconds), run).await;
    }
    made(&importing(&other.at(), folder.path(), &[])).await.unwrap();
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
    for (snapshot, record, reason) in [
        ("7-1", theirs.as_str(), "NotPermitted"),
        ("7-1", "", "RecordMissing"),
        ("6-1", &ours, "OtherSnapshot"),
    ] {
        let told = ["--snapshot", snapshot, "--record", record];
        let refused = importing_with(&other.at(), folder.path(), &told, &[]);
        assert_eq!(made(&refused).await.unwrap_err().reason(), reason);
    }
    let nowhere = TempDir::new().unwrap();
    let none = made(&importing(&other.at(), nowhere.path(), &[])).await.unwrap_err();
    assert_eq!(none.reason(), "SnapshotMissing");
    let path = folder.path().join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap().replace("\"messages\":2", "\"messages\":3");
    fs::write(path, manifest).unwrap();
    let changed = made(&importing(&other.at(), folder.path(), &[])).await.unwrap_err();
    assert_eq!(changed.reason(), "SnapshotCorrupt");
    assert_eq!(other.documents("messages").await.len(), 1, "nothing was touched");
    let imports = other.query("_system/cli/queryImport:list", json!({})).await;
    assert_eq!(imports, json!([]));
}

#[tokio::test]
async fn an_import_that_fails_or_hangs_says_so() {
    let folder = TempDir::new().unwrap();
    exported(&filled(&Container::new()).await, folder.path()).await;
    let fails = steered("STANDIN_IMPORT_FAILS_VERSIONS").serving().await;
    fails.holds("messages", json!([{"text": "old"}])).await;
    let error = made(&importing(&fails.at(), folder.path(), &[])).await.unwrap_err();
    assert_eq!(error.reason(), "ImportFailed", "{error}");
    assert_eq!(fails.documents("messages").await.len(), 1);
    for lie in ["STANDIN_IMPORT_STALLS_VERSIONS", "STANDIN_IMPORT_UNPARSED_VERSIONS"] {
        let folder = TempDir::new().unwrap();
        exported(&filled(&Container::new()).await, folder.path()).await;
        let hangs = steered(lie).serving().await;
        let error = made(&importing(&hangs.at(), folder.path(), &["soon"])).await.unwrap_err();
        assert!(matches!(error, Ended::DeadlineExceeded { .. }), "{lie}: {error:?}");
        let imports = hangs.query("_system/cli/queryImport:list", json!({})).await;
        assert_eq!(imports[0]["state"]["state"], "failed", "{lie}: canceled");
    }
}

/// Tables of components are told by nobody, so that only the count of rows speaks for them.
#[tokio::test]
async fn an_import_that_wrote_fewer_rows_than_the_snapshot_has_is_none() {
    let folder = TempDir::new().unwrap();
    exported(&filled(&Container::new()).await, folder.path()).await;
    let miscounts = steered("STANDIN_IMPORT_MISCOUNTS_VERSIONS").serving().await;
    let error = made(&importing(&miscounts.at(), folder.path(), &[])).await.unwrap_err();
    assert_eq!(error.reason(), "RowsMissing", "{error}");
    assert_eq!(miscounts.documents("messages").await.len(), 2, "what is there is not taken back");
}
