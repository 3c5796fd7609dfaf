//! What holds of buckets alone.

use convex_operator::worker::snapshot::{Archive, Draft, Keep, Location, Note, prune};

use super::{
    laws::{content, drafted},
    place::{BUCKET, COMMON, InBucket, Place},
};

const MIB: usize = 1024 * 1024;

fn some(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_of_several_parts_is_read_at_several_places_at_once() {
    let place = InBucket::new().await;
    let at = place.at("7-1").await;
    let bytes = some(19 * MIB + 5);
    drafted(&at, &bytes).await;
    at.publish().await.unwrap();
    let archive = at.archive().await.unwrap();
    let read = move || {
        std::thread::scope(|both| {
            // Backwards, and far apart.
            for step in [MIB + 1, 3 * MIB] {
                let (archive, bytes) = (&archive, &bytes);
                both.spawn(move || {
                    for from in (0..bytes.len()).rev().step_by(step) {
                        let to = bytes.len().min(from + 2 * MIB);
                        let mut some = vec![0; to - from];
                        archive.read_all_at(&mut some, from as u64).unwrap();
                        assert!(some == bytes[from..to], "from {from}");
                    }
                });
            }
        });
    };
    tokio::task::spawn_blocking(read).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_has_told_the_size_of_is_taken_too_and_so_is_what_is_empty() {
    let place = InBucket::new().await;
    let at = place.at("7-1").await;
    for length in [0, 6 * MIB] {
        let bytes = some(length);
        let mut draft = at.draft(None).await.unwrap();
        draft.take(&bytes).await.unwrap();
        assert_eq!(draft.end().await.unwrap().bytes, length as u64);
        assert!(content(at.drafted().await.unwrap()).await == bytes);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_was_not_ended_takes_no_room_for_long() {
    let place = InBucket::new().await;
    let at = place.at("7-1").await;
    for _ in 0..2 {
        let mut half = at.draft(Some(20 * MIB as u64)).await.unwrap();
        half.take(&some(9 * MIB)).await.unwrap();
        drop(half);
        assert_eq!(place.uploads().await, 1, "the one before is gone");
    }
    at.discard().await.unwrap();
    assert_eq!(place.uploads().await, 0);
    // Of another snapshot that is taken away, too.
    place.snapshot("3-1", 1).await;
    let other = place.at("3-1").await;
    let _half = other.draft(None).await.unwrap();
    assert_eq!(place.uploads().await, 1);
    let keep = Keep { new: "20-1", instance: "2b1c", newest: 1, needed: &[] };
    prune(&at, keep).await.unwrap();
    assert_eq!(place.uploads().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_that_somebody_writes_over_is_not_read_as_what_was_published() {
    let place = InBucket::new().await;
    let at = place.at("7-1").await;
    drafted(&at, &some(9 * MIB)).await;
    at.publish().await.unwrap();
    let open = at.archive().await.unwrap();
    place.holds("7-1/snapshot.zip", "PK of somebody").await;
    let told = at.archive().await.unwrap_err().to_string();
    assert!(told.contains("written over"), "{told}");
    let read = tokio::task::spawn_blocking(move || open.read_at(&mut [0; 9], 0)).await.unwrap();
    let told = read.unwrap_err().to_string();
    assert!(told.contains("written over"), "{told}");
}

/// Their names may be the same, and larger for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_instance_keeps_in_the_same_bucket_is_not_even_seen() {
    let place = InBucket::new().await;
    let common = COMMON.replace("2b1c", "another");
    let theirs = place.below(&format!("{common}/3-1"));
    drafted(&theirs, b"PK").await;
    theirs.publish().await.unwrap();
    let manifest = super::place::manifest("3-1", 1, chrono::Utc::now());
    theirs.note(Note::Manifest, &manifest).await.unwrap();
    let new = place.snapshot("7-1", 1).await;
    assert_eq!(new.others().await.unwrap(), []);
    let keep = Keep { new: "20-1", instance: "2b1c", newest: 1, needed: &[] };
    prune(&new, keep).await.unwrap();
    assert_eq!(content(theirs.archive().await.unwrap()).await, b"PK");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_objects_than_a_page_of_a_list_are_all_seen() {
    let place = InBucket::new().await;
    for number in 0..1010 {
        place.holds(&format!("1-1/{number}.txt"), "mine").await;
    }
    place.snapshot("3-1", 1).await;
    let new = place.at("7-1").await;
    let others: Vec<_> = new.others().await.unwrap().into_iter().map(|it| it.id).collect();
    assert_eq!(others, ["3-1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_not_there_or_not_ours_is_told_by_its_reason() {
    let place = InBucket::new().await;
    place.server.user("somebody", "else").unwrap();
    place.server.bucket("theirs", "somebody").unwrap();
    let told = async |bucket: &str| {
        let client = place.client.clone();
        let at = convex_operator::worker::snapshot::Bucket::open(
            client,
            &place.settings,
            bucket,
            "a/7-1",
        );
        at.note(Note::Export, &0).await.unwrap_err().to_string()
    };
    let missing = told("nowhere").await;
    assert!(missing.contains("BucketMissing") && missing.contains("Make it"), "{missing}");
    let denied = told("theirs").await;
    assert!(denied.contains("BucketAccessDenied") && denied.contains("s3:PutObject"), "{denied}");
    assert_ne!(BUCKET, "theirs");
}
