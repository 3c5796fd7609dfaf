//! The snapshots beside a new one: which of them go, and when.

use std::{fs, path::Path};

use convex_operator::worker::{
    report::Report,
    snapshot::{Content, Manifest},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    common::{Container, filled},
    fixture::{INSTANCE, exporting, latest, made, steered},
};

/// A snapshot by this name and of this size, beside others.
fn beside(volume: &TempDir, id: &str, bytes: u64) {
    beside_of(INSTANCE, volume, id, bytes);
}

fn beside_of(instance: &str, volume: &TempDir, id: &str, bytes: u64) {
    let folder = volume.path().join(id);
    fs::create_dir(&folder).unwrap();
    let (version, time) = ("v1".to_owned(), chrono::Utc::now());
    let content = Content { bytes, ..Content::default() };
    let (id, instance) = (id.to_owned(), Some(instance.to_owned()));
    let manifest =
        Manifest { id, instance, version, time, content, variables: 0, variables_sha256: None };
    fs::write(folder.join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
    fs::write(folder.join("snapshot.zip"), "PK").unwrap();
}

fn names(of: &Path) -> Vec<String> {
    let entries = fs::read_dir(of).unwrap();
    let mut names: Vec<_> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn older_snapshots_go_once_the_new_one_is_there_and_only_where_that_is_asked_for() {
    let backend = filled(&Container::new()).await;
    let volume = TempDir::new().unwrap();
    for id in ["3-1", "4-1", "5-1"] {
        beside(&volume, id, 2);
    }
    fs::create_dir(volume.path().join("theirs")).unwrap();
    let folder = volume.path().join("7-1");
    let kept = async |more: &[&str]| {
        let Report::Exported { kept, .. } =
            made(&exporting(&backend.at(), &folder, more)).await.unwrap()
        else {
            panic!("no export")
        };
        kept
    };
    assert_eq!(kept(&[]).await, ["7-1", "5-1", "4-1", "3-1"]);
    assert_eq!(kept(&["--retain", "2", "--keep", "3-1"]).await, ["7-1", "5-1", "3-1"]);
    assert_eq!(names(volume.path()), ["3-1", "5-1", "7-1", "theirs"]);
    assert_eq!(kept(&["--retain", "1"]).await, ["7-1"]);
    assert_eq!(names(volume.path()), ["7-1", "theirs"]);
}

#[tokio::test]
async fn nothing_is_pruned_for_an_export_that_failed() {
    let backend = steered("STANDIN_EXPORT_TRUNCATED_VERSIONS").serving().await;
    let volume = TempDir::new().unwrap();
    beside(&volume, "3-1", 2);
    let folder = volume.path().join("7-1");
    made(&exporting(&backend.at(), &folder, &["--retain", "1"])).await.unwrap_err();
    assert_eq!(names(volume.path()), ["3-1", "7-1"]);
}

#[tokio::test]
async fn too_little_room_is_found_out_before_anything_is_asked_for_or_fetched() {
    let backend = filled(&Container::new()).await;
    let volume = TempDir::new().unwrap();
    beside(&volume, "3-1", 1 << 60);
    let folder = volume.path().join("7-1");
    let error = made(&exporting(&backend.at(), &folder, &[])).await.unwrap_err();
    assert_eq!(error.reason(), "NoRoom", "{error}");
    assert_eq!(latest(&backend).await, Value::Null);
    // What the others say is not enough: the export itself is larger.
    let backend = steered("STANDIN_EXPORT_SIZE_HUGE_VERSIONS").serving().await;
    let folder = TempDir::new().unwrap();
    let error = made(&exporting(&backend.at(), folder.path(), &[])).await.unwrap_err();
    assert_eq!(error.reason(), "NoRoom", "{error}");
    assert_eq!(names(folder.path()), ["export.json"]);
}

/// One of an attempt that was begun later may be needed by now, and a worker that comes late cannot know.
#[tokio::test]
async fn a_snapshot_of_a_later_attempt_is_never_taken_away() {
    let backend = filled(&Container::new()).await;
    let volume = TempDir::new().unwrap();
    for id in ["6-2", "7-2", "10-1"] {
        beside(&volume, id, 2);
    }
    let folder = volume.path().join("7-1");
    made(&exporting(&backend.at(), &folder, &["--retain", "1"])).await.unwrap();
    assert_eq!(names(volume.path()), ["10-1", "7-1", "7-2"]);
}

/// Their names were given elsewhere, and may be larger for ever.
#[tokio::test]
async fn snapshots_that_another_instance_has_left_go_by_their_age() {
    let backend = filled(&Container::new()).await;
    let volume = TempDir::new().unwrap();
    for id in ["900-1", "901-1"] {
        beside_of("another", &volume, id, 2);
    }
    let folder = volume.path().join("7-1");
    made(&exporting(&backend.at(), &folder, &["--retain", "2"])).await.unwrap();
    assert_eq!(names(volume.path()), ["7-1", "901-1"]);
}

#[tokio::test]
async fn too_little_room_takes_away_what_would_go_anyhow_and_leaves_one() {
    let backend = steered("STANDIN_EXPORT_SIZE_HUGE_VERSIONS").serving().await;
    let volume = TempDir::new().unwrap();
    for id in ["3-1", "4-1", "5-1"] {
        beside(&volume, id, 2);
    }
    let folder = volume.path().join("7-1");
    let room = async |more: &[&str]| {
        let error = made(&exporting(&backend.at(), &folder, more)).await.unwrap_err();
        assert_eq!(error.reason(), "NoRoom", "{error}");
        names(volume.path())
    };
    assert_eq!(room(&[]).await, ["3-1", "4-1", "5-1", "7-1"], "all of them are to stay");
    assert_eq!(room(&["--retain", "3"]).await, ["4-1", "5-1", "7-1"]);
    assert_eq!(room(&["--retain", "1"]).await, ["5-1", "7-1"]);
}

/// A volume may come from elsewhere, where another upgrade was called the same.
#[tokio::test]
async fn a_snapshot_of_another_instance_is_not_taken_for_ours() {
    let backend = filled(&Container::new()).await;
    let volume = TempDir::new().unwrap();
    beside_of("another", &volume, "7-1", 2);
    let folder = volume.path().join("7-1");
    let error = made(&exporting(&backend.at(), &folder, &[])).await.unwrap_err();
    assert_eq!(error.reason(), "FolderTaken", "{error}");
    assert_eq!(fs::read(folder.join("snapshot.zip")).unwrap(), b"PK");
}
