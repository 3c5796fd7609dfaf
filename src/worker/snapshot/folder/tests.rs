use std::os::unix::fs::symlink;

use chrono::Utc;
use tempfile::TempDir;

use super::*;
use crate::worker::snapshot::{Content, Draft, Keep, Manifest, prune};

/// No other one stays.
const ALONE: Keep<'_> = Keep { new: "20-1", instance: "uid", newest: 1, needed: &[] };

async fn snapshot(volume: &TempDir, folder: &str, id: &str, bytes: u64) -> Folder {
    let folder = Folder::open(&volume.path().join(folder)).unwrap();
    let content = Content { bytes, ..Content::default() };
    let (version, time) = ("v1".to_owned(), Utc::now());
    let (id, instance) = (id.to_owned(), Some("uid".to_owned()));
    let manifest =
        Manifest { id, instance, version, time, content, variables: 0, variables_sha256: None };
    let mut draft = folder.draft(None).await.unwrap();
    draft.take(b"PK").await.unwrap();
    draft.end().await.unwrap();
    folder.publish().await.unwrap();
    for note in [Note::Variables, Note::Export, Note::Import("9-1"), Note::Imports] {
        folder.note(note, &0).await.unwrap();
    }
    folder.note(Note::Manifest, &manifest).await.unwrap();
    folder
}

fn there(volume: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(volume.path()).unwrap();
    let mut names: Vec<_> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn everything_of_ours_goes_but_the_new_one_and_what_is_to_be_kept() {
    let volume = TempDir::new().unwrap();
    for id in ["3-1", "4-1", "5-2"] {
        snapshot(&volume, id, id, 1).await;
    }
    let new = snapshot(&volume, "7-1", "7-1", 1).await;
    let needed = ["4-1".to_owned(), "never-made".to_owned()];
    let keep = Keep { new: "20-1", instance: "uid", newest: 1, needed: &needed };
    assert_eq!(prune(&new, keep).await.unwrap(), ["4-1"]);
    assert_eq!(there(&volume), ["4-1", "7-1"]);
    assert_eq!(prune(&new, keep).await.unwrap(), ["4-1"]);
}

#[tokio::test]
async fn the_newest_stay_whoever_remembers_them() {
    let volume = TempDir::new().unwrap();
    for id in ["3-1", "11-1", "4-1", "5-2"] {
        snapshot(&volume, id, id, 1).await;
    }
    let new = snapshot(&volume, "7-1", "7-1", 1).await;
    let newest = |newest| Keep { new: "20-1", instance: "uid", newest, needed: &[] };
    assert_eq!(prune(&new, newest(usize::MAX)).await.unwrap(), ["5-2", "4-1", "11-1", "3-1"]);
    assert_eq!(prune(&new, newest(3)).await.unwrap(), ["5-2", "4-1"]);
    assert_eq!(there(&volume), ["4-1", "5-2", "7-1"]);
}

#[tokio::test]
async fn what_is_no_snapshot_of_ours_is_never_touched() {
    let volume = TempDir::new().unwrap();
    let new = snapshot(&volume, "7-1", "7-1", 1).await;
    // A file, a folder of somebody, a snapshot by another name, one that is not finished, and a link to one of ours.
    fs::write(volume.path().join("notes.txt"), "mine").unwrap();
    fs::create_dir(volume.path().join("lost+found")).unwrap();
    fs::create_dir(volume.path().join("theirs")).unwrap();
    fs::write(volume.path().join("theirs/manifest.json"), r#"{"id":"theirs"}"#).unwrap();
    snapshot(&volume, "kept-by-hand", "2-1", 1).await;
    snapshot(&volume, "6-1", "6-1", 1).await.forget(Note::Manifest).await.unwrap();
    let elsewhere = TempDir::new().unwrap();
    snapshot(&elsewhere, "5-1", "5-1", 1).await;
    symlink(elsewhere.path().join("5-1"), volume.path().join("5-1")).unwrap();
    // And one of ours into which somebody has put something.
    snapshot(&volume, "4-1", "4-1", 1).await;
    fs::write(volume.path().join("4-1/README"), "mine").unwrap();
    let before = there(&volume);
    assert_eq!(prune(&new, ALONE).await.unwrap(), ["4-1"]);
    assert_eq!(there(&volume), before);
    assert!(
        volume.path().join("4-1/snapshot.zip").exists()
            && elsewhere.path().join("5-1/snapshot.zip").exists()
    );
}

#[tokio::test]
async fn what_was_cut_off_while_it_was_taken_away_is_found_again() {
    let volume = TempDir::new().unwrap();
    let new = snapshot(&volume, "7-1", "7-1", 1).await;
    snapshot(&volume, "3-1", "3-1", 1).await;
    fs::remove_file(volume.path().join("3-1/snapshot.zip")).unwrap();
    assert_eq!(
        prune(&new, Keep { new: "20-1", instance: "uid", newest: 9, needed: &[] }).await.unwrap(),
        [""; 0]
    );
}

#[tokio::test]
async fn the_sizes_of_the_others_are_known() {
    let volume = TempDir::new().unwrap();
    let new = Folder::open(&volume.path().join("7-1")).unwrap();
    assert_eq!(new.others().await.unwrap(), []);
    snapshot(&volume, "3-1", "3-1", 50).await;
    snapshot(&volume, "4-1", "4-1", 20).await;
    let sizes: Vec<_> = new.others().await.unwrap().into_iter().map(|it| it.bytes).collect();
    assert_eq!(sizes, [20, 50]);
}
