//! What holds of buckets whatever the network loses on the way, and whatever a server makes of it.

use std::collections::BTreeSet;

use convex_operator::worker::{
    reachable,
    snapshot::{Archive, Bucket, Draft, Location, Note},
    storage::Settings,
};
use servers::{Asked, Fate, Network};

use super::{
    laws::{content, drafted},
    place::{BUCKET, COMMON, InBucket, Place},
};

const MIB: usize = 1024 * 1024;

/// A bucket, and the way to it.
struct Way {
    network: Network,
    settings: Settings,
    at: Bucket,
    place: InBucket,
}

impl Way {
    async fn new() -> Self {
        Self::that_encrypts(false).await
    }

    async fn that_encrypts(encrypts: bool) -> Self {
        let place = InBucket::new().await;
        let network = Network::before(place.server.address()).await.unwrap();
        let (settings, client) = place.through(&network, encrypts).await;
        let at = Bucket::open(client, &settings, BUCKET, &format!("{COMMON}/7-1"));
        Self { network, settings, at, place }
    }

    /// How often this was asked since it was said what becomes of it.
    fn count(&self, which: fn(&Asked) -> bool) -> usize {
        self.network.asked().iter().filter(|it| which(it)).count()
    }
}

/// The end of an upload in parts.
fn is_end(asked: &Asked) -> bool {
    asked.method == "POST" && asked.has("uploadId")
}

fn is_read(asked: &Asked) -> bool {
    asked.method == "GET" && !asked.has("prefix")
}

/// Bytes that are others with each seed.
fn some(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at + seed) % 251).unwrap()).collect()
}

/// What needs no signature can be asked without the condition, which is signed as well.
async fn open_to_anybody(place: &InBucket) {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::{BUCKET}","arn:aws:s3:::{BUCKET}/*"]}}]}}"#
    );
    place.client.put_bucket_policy().bucket(BUCKET).policy(policy).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_server_that_looks_at_no_condition_nobody_reads_a_mixture_of_two_archives() {
    let way = Way::new().await;
    open_to_anybody(&way.place).await;
    way.network.does(|asked| match asked.header("if-match") {
        Some(_) => Fate::Without(&["if-match", "authorization"]),
        None => Fate::Carried,
    });
    let (one, other) = (some(19 * MIB, 0), some(19 * MIB, 1));
    drafted(&way.at, &one).await;
    way.at.publish().await.unwrap();
    assert!(content(way.at.archive().await.unwrap()).await == one, "it is read nevertheless");
    let (open, known) = (way.at.archive().await.unwrap(), one.clone());
    let first = move || {
        let mut first = vec![0; MIB];
        open.read_all_at(&mut first, 0).unwrap();
        assert!(first == known[..MIB]);
        open
    };
    let open = tokio::task::spawn_blocking(first).await.unwrap();
    // Somebody else writes, of just this size.
    let theirs = way.place.at("7-1").await;
    drafted(&theirs, &other).await;
    theirs.publish().await.unwrap();
    let read = move || open.read_at(&mut [0; 9], 10 * MIB as u64);
    let told = tokio::task::spawn_blocking(read).await.unwrap().unwrap_err().to_string();
    assert!(told.contains("written over while it was read"), "{told}");
    let last = way.network.asked().pop().unwrap();
    assert!(last.header("if-match").is_some(), "it is a condition as well, for those who look");
}

/// Asked for the end once more some servers say the same again, as this one does, and others that there is no such upload.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_ended_and_nobody_hears_of_it_is_the_draft() {
    let way = Way::new().await;
    let bytes = some(9 * MIB, 0);
    for again in [Fate::Carried, Fate::Refused(404, "NoSuchUpload")] {
        let mut ends = 0;
        way.network.does(move |asked| {
            ends += usize::from(is_end(asked));
            match (is_end(asked), ends) {
                (false, _) => Fate::Carried,
                (true, 1) => Fate::Unheard,
                (true, _) => again,
            }
        });
        drafted(&way.at, &bytes).await;
        assert_eq!(way.count(is_end), 2);
        assert!(content(way.at.drafted().await.unwrap()).await == bytes, "{again:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_somebody_has_taken_away_is_no_draft_whatever_is_in_its_place() {
    let way = Way::new().await;
    way.network.refuses(is_end, 404, "NoSuchUpload");
    for theirs in [None, Some("PK of somebody")] {
        let mut draft = way.at.draft(Some(3)).await.unwrap();
        draft.take(b"PK ours").await.unwrap();
        if let Some(theirs) = theirs {
            way.place.holds("7-1/snapshot.zip", theirs).await;
        }
        let told = draft.end().await.unwrap_err().to_string();
        assert!(told.contains("NoSuchUpload"), "{theirs:?}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_off_while_it_is_read_is_read_again() {
    let way = Way::new().await;
    let bytes = some(9 * MIB, 0);
    drafted(&way.at, &bytes).await;
    way.at.publish().await.unwrap();
    way.at.note(Note::Export, &"of some length").await.unwrap();
    let mut seen = BTreeSet::new();
    way.network.does(move |asked| {
        let range = asked.header("range").unwrap_or_default();
        let breaks = is_read(asked) && seen.insert(format!("{}{range}", asked.path));
        if breaks {
            Fate::BrokenOff(if range.is_empty() { 4 } else { MIB / 2 })
        } else {
            Fate::Carried
        }
    });
    let noted = way.at.noted::<String>(Note::Export).await.unwrap();
    assert_eq!(noted.as_deref(), Some("of some length"));
    assert_eq!(way.count(is_read), 2);
    // The mark, and two windows.
    assert!(content(way.at.archive().await.unwrap()).await == bytes);
    assert_eq!(way.count(is_read), 8);
}

/// The worker's Job is tried again then, and in the end the upgrade has failed: nothing goes on with half of a way back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_off_again_and_again_is_given_up() {
    let way = Way::new().await;
    way.at.note(Note::Export, &"of some length").await.unwrap();
    way.network.does(|it| if is_read(it) { Fate::BrokenOff(4) } else { Fate::Carried });
    let told = way.at.noted::<String>(Note::Export).await.unwrap_err().to_string();
    assert!(told.contains("broke off 6 times"), "{told}");
    assert_eq!(way.count(is_read), 6);
}

/// By `spec.backend.s3.disableSSE`, which is this variable of the backend and of the workers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_written_is_to_be_encrypted_by_the_server_unless_that_is_switched_off() {
    for (encrypts, wanted) in [(true, Some("AES256")), (false, None)] {
        let way = Way::that_encrypts(encrypts).await;
        drafted(&way.at, b"PK").await;
        way.at.publish().await.unwrap();
        way.at.note(Note::Export, &0).await.unwrap();
        reachable::look(&way.settings, BUCKET, &format!("{COMMON}/9-1")).await.unwrap();
        let begins = |it: &Asked| {
            it.method == "PUT" && !it.has("partNumber") || it.method == "POST" && it.has("uploads")
        };
        let written: Vec<_> = way.network.asked().into_iter().filter(begins).collect();
        for name in ["snapshot.zip", "published.json", "export.json", "probe-", "upload"] {
            let one = written.iter().find(|it| it.path.contains(&format!("-1/{name}")));
            let one = one.unwrap_or_else(|| panic!("{name} was not written: {written:?}"));
            assert_eq!(one.header("x-amz-server-side-encryption"), wanted, "{name}");
        }
    }
}
