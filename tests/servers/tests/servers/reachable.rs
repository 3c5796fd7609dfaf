//! Whether a bucket takes exports, where one thing that they need is denied.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use convex_operator::worker::{
    preflight::{reason::Reason, verdict::Failure},
    reachable::look,
    storage::{Patience, Refused, Settings},
};
use servers::{Asked, Encryption, Fate, Network, S3};

use crate::Ground;

const WHO: (&str, &str) = ("orders", "canary-secret");
const BUCKET: &str = "canary-exports";
const PREFIX: &str = ".convex-operator/snapshots/shop/orders/2b1c/7-1";

type Which = fn(&Asked) -> bool;

/// Everything that exports need, by the permission that it takes.
const NEEDED: [(&str, Which); 7] = [
    ("s3:PutObject", |it| it.method == "PUT"),
    ("s3:PutObject", |it| it.method == "POST" && it.has("uploads")),
    ("s3:GetObject", |it| it.method == "GET" && it.path.contains("/probe-")),
    ("s3:DeleteObject", |it| it.method == "DELETE" && !it.has("uploadId")),
    ("s3:ListBucket", |it| it.method == "GET" && it.has("list-type")),
    ("s3:ListBucketMultipartUploads", |it| it.method == "GET" && it.has("uploads")),
    ("s3:AbortMultipartUpload", |it| it.method == "DELETE" && it.has("uploadId")),
];

/// A bucket behind a network.
struct Bucket {
    server: S3,
    network: Network,
    _ground: Ground,
}

impl Bucket {
    async fn new() -> Self {
        let ground = Ground::new().unwrap();
        let server = S3::start(&ground.place, Encryption::None).await.unwrap();
        server.user(WHO.0, WHO.1).unwrap();
        server.bucket(BUCKET, WHO.0).unwrap();
        let network = Network::before(server.address()).await.unwrap();
        Self { server, network, _ground: ground }
    }

    fn settings(&self, endpoint: &str) -> Settings {
        Settings::of(|name| match name {
            "AWS_ACCESS_KEY_ID" => Some(WHO.0.to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some(WHO.1.to_owned()),
            "AWS_REGION" => Some(self.server.region().to_owned()),
            "S3_ENDPOINT_URL" => Some(endpoint.to_owned()),
            "AWS_S3_FORCE_PATH_STYLE" | "AWS_S3_DISABLE_SSE" => Some("true".to_owned()),
            _ => None,
        })
    }

    async fn look(&self) -> Result<(), Failure> {
        Box::pin(look(&self.settings(&self.network.endpoint()), BUCKET, PREFIX)).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_alone_is_denied_of_what_exports_need_is_told_by_what_is_to_be_allowed() {
    let bucket = Bucket::new().await;
    bucket.look().await.unwrap();
    for (permission, which) in NEEDED {
        bucket.network.refuses(which, 403, "AccessDenied");
        let failure = bucket.look().await.expect_err(permission);
        assert_eq!(failure.reason, Reason::BucketAccessDenied, "{permission}");
        let told = Refused(failure).to_string();
        let words = told.split([' ', ',', '.']).any(|it| it == permission);
        assert!(words && told.contains("(AccessDenied)"), "{permission}: {told}");
        assert!(!told.contains("canary"), "{told}");
        assert!(bucket.network.asked().iter().any(which), "{permission} was not needed");
    }
    bucket.network.does(|_| Fate::Carried);
    bucket.look().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_uploads_may_not_be_listed_none_is_left_behind() {
    let bucket = Bucket::new().await;
    let lists = |it: &Asked| it.method == "GET" && it.has("uploads");
    bucket.network.refuses(lists, 403, "AccessDenied");
    bucket.look().await.unwrap_err();
    let settings = bucket.settings(&bucket.server.endpoint());
    let client = Box::pin(settings.client(Patience::Once)).await.unwrap();
    let left = client.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    assert_eq!(left.uploads().len(), 0);
}
