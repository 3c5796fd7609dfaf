//! A volume and a bucket, for the laws that hold on both.

use std::fs;

use aws_sdk_s3::Client;
use chrono::{DateTime, Utc};
use convex_operator::worker::{
    snapshot::{Bucket, Content, Draft, Folder, Location, Manifest, Note},
    storage::{Patience, Settings},
};
use servers::{Encryption, Network, S3};
use tempfile::TempDir;

use crate::Ground;

/// Who writes to the bucket, and its name.
const WHO: (&str, &str) = ("orders", "let it be");
pub const BUCKET: &str = "orders-exports";
/// What everything of the instance begins with.
pub const COMMON: &str = ".convex-operator/snapshots/shop/orders/2b1c";

/// Where snapshots of one instance are kept.
pub trait Place {
    type At: Location;

    async fn new() -> Self;

    /// The place of one of them.
    async fn at(&self, id: &str) -> Self::At;

    /// Puts something of somebody beside them, or into one.
    async fn holds(&self, path: &str, content: &str);

    /// Whether it is there.
    async fn has(&self, path: &str) -> bool;

    /// The names of everything beside one another, in order.
    async fn names(&self) -> Vec<String>;

    /// A snapshot that is whole, called as its place is.
    async fn snapshot(&self, id: &str, bytes: u64) -> Self::At {
        self.snapshot_called(id, id, bytes).await
    }

    /// The same, called otherwise.
    async fn snapshot_called(&self, place: &str, id: &str, bytes: u64) -> Self::At {
        let at = self.at(place).await;
        let mut draft = at.draft(Some(2)).await.unwrap();
        draft.take(b"PK").await.unwrap();
        draft.end().await.unwrap();
        at.publish().await.unwrap();
        for note in [Note::Variables, Note::Export, Note::Import("9-1"), Note::Imports] {
            at.note(note, &0).await.unwrap();
        }
        at.note(Note::Manifest, &manifest(id, bytes, Utc::now())).await.unwrap();
        at
    }
}

/// What is said about a snapshot of the instance.
pub fn manifest(id: &str, bytes: u64, time: DateTime<Utc>) -> Manifest {
    let content = Content { bytes, ..Content::default() };
    let (id, instance) = (id.to_owned(), Some("2b1c".to_owned()));
    let version = "v1".to_owned();
    Manifest { id, instance, version, time, content, variables: 0, variables_sha256: None }
}

pub struct OnVolume(TempDir);

impl Place for OnVolume {
    type At = Folder;

    async fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    async fn at(&self, id: &str) -> Folder {
        Folder::open(&self.0.path().join(id)).unwrap()
    }

    async fn holds(&self, path: &str, content: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    async fn has(&self, path: &str) -> bool {
        self.0.path().join(path).exists()
    }

    async fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub struct InBucket {
    pub settings: Settings,
    pub client: Client,
    pub server: S3,
    _ground: Ground,
}

impl InBucket {
    /// The same bucket as a worker sees it whose way goes through a network.
    pub async fn through(&self, network: &Network, encrypts: bool) -> (Settings, Client) {
        let settings = settings(&self.server, &network.endpoint(), encrypts);
        let client = Box::pin(settings.client(Patience::Tries)).await.unwrap();
        (settings, client)
    }

    /// The place of this prefix.
    pub fn below(&self, prefix: &str) -> Bucket {
        Bucket::open(self.client.clone(), &self.settings, BUCKET, prefix)
    }

    /// Every key of the bucket, in order.
    pub async fn keys(&self) -> Vec<String> {
        let found = self.client.list_objects_v2().bucket(BUCKET).send().await.unwrap();
        found.contents().iter().map(|it| it.key().unwrap().to_owned()).collect()
    }

    /// How many uploads nobody has ended.
    pub async fn uploads(&self) -> usize {
        let found = self.client.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
        found.uploads().len()
    }
}

impl Place for InBucket {
    type At = Bucket;

    async fn new() -> Self {
        let ground = Ground::new().unwrap();
        let server = S3::start(&ground.place, Encryption::None).await.unwrap();
        server.user(WHO.0, WHO.1).unwrap();
        server.bucket(BUCKET, WHO.0).unwrap();
        let settings = settings(&server, &server.endpoint(), false);
        let client = Box::pin(settings.client(Patience::Tries)).await.unwrap();
        Self { settings, client, server, _ground: ground }
    }

    async fn at(&self, id: &str) -> Bucket {
        self.below(&format!("{COMMON}/{id}"))
    }

    async fn holds(&self, path: &str, content: &str) {
        let put = self.client.put_object().bucket(BUCKET).key(format!("{COMMON}/{path}"));
        put.body(content.as_bytes().to_vec().into()).send().await.unwrap();
    }

    async fn has(&self, path: &str) -> bool {
        self.keys().await.contains(&format!("{COMMON}/{path}"))
    }

    async fn names(&self) -> Vec<String> {
        let keys = self.keys().await;
        let below = keys.iter().map(|it| it.strip_prefix(&format!("{COMMON}/")).unwrap());
        let mut names: Vec<_> = below.map(|it| it.split('/').next().unwrap().to_owned()).collect();
        names.dedup();
        names
    }
}

/// The environment of a backend.
fn settings(server: &S3, endpoint: &str, encrypts: bool) -> Settings {
    let told = [
        ("AWS_ACCESS_KEY_ID", WHO.0),
        ("AWS_SECRET_ACCESS_KEY", WHO.1),
        ("AWS_REGION", server.region()),
        ("S3_ENDPOINT_URL", endpoint),
        ("AWS_S3_FORCE_PATH_STYLE", "true"),
        ("AWS_S3_DISABLE_SSE", if encrypts { "" } else { "true" }),
    ];
    let told = |name: &str| told.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
    Settings::of(told)
}
