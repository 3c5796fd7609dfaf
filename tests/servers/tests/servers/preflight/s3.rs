//! Object storage.

use convex_operator::worker::preflight::{
    reason::{Reason, Why},
    verdict::Note,
};
use servers::{Encryption, Fate, Network, S3};

use super::{PASSWORD, Variables};
use crate::Ground;

const KEY: &str = "canary-key";
const BUCKETS: [&str; 5] = [
    "S3_STORAGE_EXPORTS_BUCKET",
    "S3_STORAGE_FILES_BUCKET",
    "S3_STORAGE_MODULES_BUCKET",
    "S3_STORAGE_SEARCH_BUCKET",
    "S3_STORAGE_SNAPSHOT_IMPORTS_BUCKET",
];

fn asks(server: &S3, bucket: &str) -> Variables {
    let base = Variables::of(&[
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", PASSWORD),
        ("AWS_REGION", server.region()),
        ("S3_ENDPOINT_URL", &server.endpoint()),
        ("AWS_S3_FORCE_PATH_STYLE", "true"),
        ("AWS_S3_DISABLE_SSE", "true"),
        ("POD_UID", "some-pod"),
    ]);
    BUCKETS.iter().fold(base, |all, name| all.with(name, bucket))
}

#[tokio::test]
async fn a_bucket_is_written_read_and_left_as_it_was() {
    let ground = Ground::new().unwrap();
    let mut server = S3::start(&ground.place, Encryption::None).await.unwrap();
    server.user(KEY, PASSWORD).unwrap();
    server.bucket("canary-bucket", KEY).unwrap();
    let asks = asks(&server, "canary-bucket");
    let found = asks.well().await;
    assert_eq!((found.name.to_string().as_str(), found.note), ("objectStorage", None));
    assert_eq!(server.objects("canary-bucket").unwrap(), [""; 0]);
    asks.with("AWS_S3_DISABLE_CHECKSUMS", "true").well().await;

    let asks = self::asks(&server, "canary-bucket");
    server.stop();
    assert_eq!(asks.amiss().await, (Reason::ObjectStorageUnreachable, Some(Why::Refused)));
    server.resume().await.unwrap();
    asks.well().await;
}

#[tokio::test]
async fn what_is_wrong_with_keys_region_and_bucket_has_a_reason_each() {
    let ground = Ground::new().unwrap();
    let server = S3::start(&ground.place, Encryption::None).await.unwrap();
    server.user(KEY, PASSWORD).unwrap();
    server.user("somebody", "else").unwrap();
    server.bucket("canary-bucket", KEY).unwrap();
    server.bucket("canary-other", "somebody").unwrap();
    let asks = |bucket| asks(&server, bucket);
    asks("canary-bucket").well().await;

    assert_eq!(asks("canary-none").amiss().await.0, Reason::BucketMissing);
    let denied = (Reason::BucketAccessDenied, Some(Why::Put));
    assert_eq!(asks("canary-other").amiss().await, denied);
    let region = asks("canary-bucket").with("AWS_REGION", "eu-north-7");
    assert_eq!(region.amiss().await.0, Reason::ObjectStorageRegionWrong);
    let secret = asks("canary-bucket").with("AWS_SECRET_ACCESS_KEY", "canary");
    assert_eq!(secret.amiss().await, (Reason::ObjectStorageLoginFailed, Some(Why::Signature)));
    let key = asks("canary-bucket").with("AWS_ACCESS_KEY_ID", "canary-nobody");
    assert_eq!(key.amiss().await, (Reason::ObjectStorageLoginFailed, Some(Why::Key)));
}

/// Behind a network that lets all but one thing through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_is_written_found_read_and_taken_away_and_each_of_it_has_to_be_allowed() {
    let ground = Ground::new().unwrap();
    let server = S3::start(&ground.place, Encryption::None).await.unwrap();
    server.user(KEY, PASSWORD).unwrap();
    server.bucket("canary-bucket", KEY).unwrap();
    let network = Network::before(server.address()).await.unwrap();
    let asks = asks(&server, "canary-bucket").with("S3_ENDPOINT_URL", network.endpoint());
    asks.well().await;
    let methods: Vec<_> = network.asked().into_iter().map(|it| it.method).collect();
    assert_eq!(methods, ["PUT", "HEAD", "GET", "DELETE"]);

    for (method, why) in [("PUT", Why::Put), ("HEAD", Why::Get), ("GET", Why::Get)] {
        network.refuses(move |it| it.method == method, 403, "AccessDenied");
        let denied = (Reason::BucketAccessDenied, Some(why));
        assert_eq!(asks.amiss().await, denied, "{method}");
        assert_eq!(server.objects("canary-bucket").unwrap(), [""; 0], "{method}");
    }
    network.refuses(|it| it.method == "DELETE", 403, "AccessDenied");
    assert_eq!(asks.well().await.note, Some(Note::Undeletable));
    assert_eq!(server.objects("canary-bucket").unwrap(), [".convex-operator/preflight/some-pod"]);
}

/// Such as a cache before it that keeps what was there, or a disk that is going.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_gives_back_something_else_is_not_taken_for_one() {
    let ground = Ground::new().unwrap();
    let server = S3::start(&ground.place, Encryption::None).await.unwrap();
    server.user(KEY, PASSWORD).unwrap();
    server.bucket("canary-bucket", KEY).unwrap();
    let network = Network::before(server.address()).await.unwrap();
    let asks = asks(&server, "canary-bucket").with("S3_ENDPOINT_URL", network.endpoint());
    network.does(|it| if it.method == "GET" { Fate::Altered } else { Fate::Carried });
    let differs = (Reason::ObjectStorageCheckFailed, Some(Why::Content));
    assert_eq!(asks.amiss().await, differs);
    // Nobody but the operator looks then.
    assert_eq!(asks.with("AWS_S3_DISABLE_CHECKSUMS", "true").amiss().await, differs);
}

#[tokio::test]
async fn every_bucket_is_looked_at_by_itself() {
    let ground = Ground::new().unwrap();
    let server = S3::start(&ground.place, Encryption::None).await.unwrap();
    server.user(KEY, PASSWORD).unwrap();
    server.bucket("canary-bucket", KEY).unwrap();
    let asks = asks(&server, "canary-bucket").with("S3_STORAGE_FILES_BUCKET", "canary-none");
    let found = asks.look().await.dependencies;
    let told: Vec<_> = found
        .iter()
        .map(|it| (it.name.to_string(), it.failure.as_ref().map(|it| it.reason)))
        .collect();
    let rest = "objectStorage/exports,modules,search,snapshotImports".to_owned();
    let files = "objectStorage/files".to_owned();
    assert_eq!(told, [(rest, None), (files, Some(Reason::BucketMissing))]);
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_nobody_knows_is_not_trusted() {
    let ground = Ground::new().unwrap();
    let server = S3::start(&ground.place, Encryption::Required(&ground.ours)).await.unwrap();
    let invalid = (Reason::ObjectStorageCertificateInvalid, Some(Why::Issuer));
    assert_eq!(asks(&server, "any-bucket").amiss().await, invalid);
    let plain = server.endpoint().replace("https", "http");
    let plain = asks(&server, "any-bucket").with("S3_ENDPOINT_URL", plain);
    assert_ne!(plain.found().await.failure, None);
}
