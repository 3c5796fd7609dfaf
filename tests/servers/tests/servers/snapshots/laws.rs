//! The laws.

use std::io::ErrorKind;

use convex_operator::worker::snapshot::{Archive, Draft, Keep, Location, Note, prune};
use sha2::{Digest, Sha256};

pub use super::cut_off::{
    however_a_worker_is_cut_off_no_half_snapshot_is_called_whole,
    however_a_worker_is_cut_off_while_it_makes_another_archive_it_is_the_one_or_the_other,
    however_a_worker_is_cut_off_while_it_starts_over_no_half_snapshot_is_called_whole,
    however_a_worker_is_cut_off_while_it_takes_one_away_the_next_one_ends_it,
};
use super::place::Place;

/// No other one stays.
pub const ALONE: Keep<'_> = Keep { new: "20-1", instance: "2b1c", newest: 1, needed: &[] };

/// Every byte of an archive.
pub async fn content<A: Archive>(archive: A) -> Vec<u8> {
    let read = move || {
        let mut all = vec![0; usize::try_from(archive.bytes().unwrap()).unwrap()];
        archive.read_all_at(&mut all, 0).unwrap();
        assert_eq!(archive.read_at(&mut [0; 9], all.len() as u64).unwrap(), 0);
        all
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

pub async fn drafted(at: &impl Location, bytes: &[u8]) {
    let mut draft = at.draft(Some(bytes.len() as u64)).await.unwrap();
    for some in bytes.chunks(70_001) {
        draft.take(some).await.unwrap();
    }
    let sum = draft.end().await.unwrap();
    assert_eq!((sum.bytes, sum.sha256), (bytes.len() as u64, hex::encode(Sha256::digest(bytes))));
}

pub async fn an_archive_is_there_once_it_is_published_and_until_it_is_withdrawn(
    place: &impl Place,
) {
    let at = place.at("7-1").await;
    assert!(at.drafted().await.is_err() && at.archive().await.is_err());
    drafted(&at, b"PK one").await;
    assert_eq!(content(at.drafted().await.unwrap()).await, b"PK one");
    assert!(at.archive().await.is_err(), "nobody has published it");
    at.publish().await.unwrap();
    assert_eq!(content(at.archive().await.unwrap()).await, b"PK one");
    assert!(at.drafted().await.is_err(), "it is no draft any more");
    at.discard().await.unwrap();
    assert_eq!(content(at.archive().await.unwrap()).await, b"PK one");
    at.withdraw().await.unwrap();
    assert!(at.archive().await.is_err() && at.drafted().await.is_err());
}

pub async fn a_draft_that_is_begun_anew_leaves_nothing_of_the_one_before(place: &impl Place) {
    let at = place.at("7-1").await;
    drafted(&at, b"PK the longer one").await;
    let mut half = at.draft(Some(9)).await.unwrap();
    half.take(b"PK").await.unwrap();
    drop(half);
    drafted(&at, b"PK two").await;
    at.publish().await.unwrap();
    assert_eq!(content(at.archive().await.unwrap()).await, b"PK two");
    drafted(&at, b"PK three").await;
    at.publish().await.unwrap();
    assert_eq!(content(at.archive().await.unwrap()).await, b"PK three");
}

/// Seen from beside as well: who looks there reads no archive.
pub async fn what_is_to_take_the_place_of_an_archive_is_not_called_whole_before_it_does(
    place: &impl Place,
) {
    let at = place.snapshot("7-1", 1).await;
    let is_the_one_or_none = async |what: &str| {
        let beside = place.at("9-1").await.others().await.unwrap();
        assert_eq!(beside.len(), 1, "its manifest is there");
        match at.archive().await {
            Ok(archive) => assert_eq!(content(archive).await, b"PK", "{what}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NotFound, "{what}: {error}");
                assert!(!beside[0].whole, "{what}");
            }
        }
    };
    let mut half = at.draft(Some(9)).await.unwrap();
    is_the_one_or_none("it is begun").await;
    half.take(b"PK another").await.unwrap();
    half.end().await.unwrap();
    is_the_one_or_none("it is written").await;
    at.publish().await.unwrap();
    assert_eq!(content(at.archive().await.unwrap()).await, b"PK another");
}

pub async fn what_is_discarded_or_withdrawn_was_maybe_never_there(place: &impl Place) {
    let at = place.at("7-1").await;
    for _ in 0..2 {
        at.discard().await.unwrap();
        at.withdraw().await.unwrap();
        at.forget(Note::Export).await.unwrap();
        drafted(&at, b"PK").await;
    }
    at.withdraw().await.unwrap();
    assert!(at.drafted().await.is_ok(), "a draft is not withdrawn");
    at.discard().await.unwrap();
    assert!(at.drafted().await.is_err());
}

pub async fn notes_are_kept_each_by_itself_and_the_last_one_counts(place: &impl Place) {
    let at = place.at("7-1").await;
    assert_eq!(at.noted::<u32>(Note::Export).await.unwrap(), None);
    for (note, value) in
        [(Note::Export, 1), (Note::Import("9-1"), 2), (Note::Import("9-2"), 3), (Note::Export, 4)]
    {
        at.note(note, &value).await.unwrap();
    }
    let noted = async |note| at.noted::<u32>(note).await.unwrap();
    assert_eq!(noted(Note::Export).await, Some(4));
    assert_eq!(noted(Note::Import("9-1")).await, Some(2));
    at.forget(Note::Import("9-1")).await.unwrap();
    assert_eq!(
        (noted(Note::Import("9-1")).await, noted(Note::Import("9-2")).await),
        (None, Some(3))
    );
    assert!(at.noted::<String>(Note::Export).await.is_err(), "it is something else");
}

pub async fn everything_of_ours_goes_but_the_new_one_and_what_is_to_be_kept(place: &impl Place) {
    for id in ["3-1", "4-1", "5-2"] {
        place.snapshot(id, 1).await;
    }
    let new = place.snapshot("7-1", 1).await;
    let needed = ["4-1".to_owned(), "never-made".to_owned()];
    let keep = Keep { needed: &needed, ..ALONE };
    assert_eq!(prune(&new, keep).await.unwrap(), ["4-1"]);
    assert_eq!(place.names().await, ["4-1", "7-1"]);
    assert_eq!(prune(&new, keep).await.unwrap(), ["4-1"]);
}

pub async fn the_newest_stay_whoever_remembers_them(place: &impl Place) {
    for id in ["3-1", "11-1", "4-1", "5-2"] {
        place.snapshot(id, 1).await;
    }
    let new = place.snapshot("7-1", 1).await;
    let newest = |newest| Keep { newest, ..ALONE };
    assert_eq!(prune(&new, newest(usize::MAX)).await.unwrap(), ["5-2", "4-1", "11-1", "3-1"]);
    assert_eq!(prune(&new, newest(3)).await.unwrap(), ["5-2", "4-1"]);
    assert_eq!(place.names().await, ["4-1", "5-2", "7-1"]);
}

pub async fn what_is_no_snapshot_of_ours_is_never_touched(place: &impl Place) {
    let new = place.snapshot("7-1", 1).await;
    // A file, something of somebody, a snapshot by another name, one that is not finished.
    place.holds("notes.txt", "mine").await;
    place.holds("theirs/manifest.json", r#"{"id":"theirs"}"#).await;
    place.snapshot_called("kept-by-hand", "2-1", 1).await;
    place.snapshot("6-1", 1).await.forget(Note::Manifest).await.unwrap();
    // And one of ours into which somebody has put something.
    place.snapshot("4-1", 1).await;
    place.holds("4-1/README", "mine").await;
    let before = place.names().await;
    assert_eq!(prune(&new, ALONE).await.unwrap(), ["4-1"]);
    assert_eq!(place.names().await, before);
    assert!(place.has("4-1/snapshot.zip").await && place.has("kept-by-hand/snapshot.zip").await);
}

pub async fn what_was_cut_off_while_it_was_taken_away_is_found_again(place: &impl Place) {
    let new = place.snapshot("7-1", 1).await;
    place.snapshot("3-1", 1).await.withdraw().await.unwrap();
    let others = new.others().await.unwrap();
    assert_eq!(others.iter().map(|it| it.whole).collect::<Vec<_>>(), [false]);
    assert_eq!(prune(&new, Keep { newest: 9, ..ALONE }).await.unwrap(), [""; 0]);
    assert_eq!(place.names().await, ["7-1"]);
}

pub async fn the_sizes_of_the_others_are_known(place: &impl Place) {
    let new = place.at("7-1").await;
    assert_eq!(new.others().await.unwrap(), []);
    place.snapshot("3-1", 50).await;
    place.snapshot("4-1", 20).await;
    let sizes: Vec<_> = new.others().await.unwrap().into_iter().map(|it| it.bytes).collect();
    assert_eq!(sizes, [20, 50]);
}
