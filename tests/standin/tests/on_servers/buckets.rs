//! Files in buckets: which, under what keys, and that the kind stays.

use anyhow::Result;
use serde_json::json;
use servers::{Encryption, Place, S3};

use crate::{Ground, common::Container, fails_with};

const SECRET: &str = "let me in";
const BUCKETS: [(&str, &str); 5] = [
    ("S3_STORAGE_EXPORTS_BUCKET", "of-exports"),
    ("S3_STORAGE_SNAPSHOT_IMPORTS_BUCKET", "of-imports"),
    ("S3_STORAGE_MODULES_BUCKET", "of-modules"),
    ("S3_STORAGE_FILES_BUCKET", "of-files"),
    ("S3_STORAGE_SEARCH_BUCKET", "of-search"),
];

async fn storage(ground: &Ground) -> Result<S3> {
    let server = S3::start(&Place::loopback(ground.folder.path())?, Encryption::None).await?;
    server.user("convex", SECRET)?;
    for (_, bucket) in BUCKETS {
        server.bucket(bucket, "convex")?;
    }
    Ok(server)
}

fn with_buckets(container: Container, server: &S3) -> Container {
    let container = container
        .with("AWS_REGION", server.region())
        .with("AWS_ACCESS_KEY_ID", "convex")
        .with("AWS_SECRET_ACCESS_KEY", SECRET)
        .with("AWS_S3_FORCE_PATH_STYLE", "true")
        .with("S3_ENDPOINT_URL", &server.endpoint());
    BUCKETS.iter().fold(container, |container, (name, bucket)| container.with(name, bucket))
}

#[tokio::test]
async fn files_exports_imports_and_modules_are_in_their_buckets_below_the_prefix() {
    let ground = Ground::plain().await.unwrap();
    let server = storage(&ground).await.unwrap();
    let first = with_buckets(ground.plain_container(), &server).serving().await;
    let file = first.holds_file("content of a file").await;
    first.posts("/stand-in/deploy", json!({ "functions": ["messages:list"] })).await;
    let export = first.exports(true).await;
    let zip = first.downloads(&export).await.bytes().await.unwrap();
    let import = first.uploads(&zip, 1000, "replaceAll").await;
    first.import_is(&import, "waiting_for_confirmation").await;
    for (bucket, count) in
        [("of-exports", 1), ("of-imports", 1), ("of-modules", 1), ("of-files", 1), ("of-search", 0)]
    {
        let keys = server.objects(bucket).unwrap();
        assert_eq!(keys.len(), count, "{bucket}: {keys:?}");
        assert!(keys.iter().all(|key| key.starts_with("convex-self-hosted-")), "{keys:?}");
    }
    assert_eq!(first.performs(&import).await, 200);
    first.import_is(&import, "completed").await;
    first.waits_for(|| server.objects("of-imports").unwrap().is_empty()).await;
    first.kill();

    // Another data directory: nothing of it was needed.
    let second = with_buckets(ground.plain_container(), &server).serving().await;
    let (status, content) = second.get(&format!("/stand-in/files/{file}")).await;
    assert_eq!((status, content.as_str()), (200, "content of a file"));
}

#[tokio::test]
async fn the_kind_of_storage_is_pinned_in_the_database() {
    let ground = Ground::plain().await.unwrap();
    let server = storage(&ground).await.unwrap();
    with_buckets(ground.plain_container(), &server).serving().await.kill();
    let local = with_buckets(ground.plain_container(), &server).without("AWS_REGION");
    fails_with(&local, "Database was initialized with S3");
    let words = "Cannot use s3 storage path convex-self-hosted-";
    ground.sql("CREATE DATABASE other TEMPLATE convex_self_hosted OWNER convex").unwrap();
    let other = with_buckets(ground.plain_container(), &server).with("INSTANCE_NAME", "other");
    fails_with(&other, words);

    let fresh = Ground::plain().await.unwrap();
    fresh.plain_container().serving().await.kill();
    let moved = with_buckets(fresh.plain_container(), &server);
    fails_with(&moved, "Database was initialized with Local, but backend started up with S3");
}

#[tokio::test]
async fn a_wrong_secret_is_refused_where_a_file_is_written_and_without_one_nothing_starts() {
    let ground = Ground::plain().await.unwrap();
    let server = storage(&ground).await.unwrap();
    let wrong = with_buckets(ground.plain_container(), &server).without("AWS_SECRET_ACCESS_KEY");
    let backend = wrong.clone().with("AWS_SECRET_ACCESS_KEY", "wrong").serving().await;
    let request = reqwest::Client::new().post(backend.url("/stand-in/files")).body("x");
    let (status, answer) = backend.asks(request).await;
    assert_eq!(status, 500);
    assert!(answer.to_string().contains("SignatureDoesNotMatch"), "{answer}");
    let nobody = wrong.without("AWS_ACCESS_KEY_ID").with("AWS_EC2_METADATA_DISABLED", "true");
    fails_with(&nobody, "failed to load AWS credentials");
}
