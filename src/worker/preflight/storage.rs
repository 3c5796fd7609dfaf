//! The buckets of the backend, by the client that the backend uses, as its environment says it.

use std::{
    fmt::Debug,
    time::{Duration, SystemTime},
};

use aws_sdk_s3::{Client, primitives::ByteStream};

use super::{
    reach,
    reason::{Reason, Why},
    refusal::failure,
    subject::{Subject, distinct},
    verdict::{Failure, Note, Passed},
};
use crate::worker::storage::{Patience, Settings};

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(5);
/// Where probes are: no key of a backend begins so, for those begin with an instance name.
const FOLDER: &str = ".convex-operator/preflight";

/// What is asked of object storage.
pub(super) struct Asked {
    /// Every bucket once.
    pub(super) buckets: Vec<(Subject, String)>,
    settings: Settings,
    key: String,
}

impl Asked {
    /// What the environment says; none where the backend keeps files on a volume.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let buckets = distinct(|it| variable(it.variable()));
        let whose = variable("POD_UID").unwrap_or_else(|| "unknown".to_owned());
        (!buckets.is_empty()).then(|| Self {
            buckets,
            settings: Settings::of(&variable),
            key: format!("{FOLDER}/{whose}"),
        })
    }

    /// A client which tries once.
    pub(super) async fn client(&self) -> Result<Client, Failure> {
        let none = |_| Failure::of(Reason::ObjectStorageLoginFailed).why(Why::Credentials);
        self.settings.client(Patience::Once).await.map_err(none)
    }

    /// Writes an object, finds it, reads it and takes it away again.
    pub(super) async fn check(&self, client: &Client, bucket: &str) -> Result<Passed, Failure> {
        Probe { settings: &self.settings, client, bucket, key: &self.key }.check().await
    }
}

/// A small object that is written to see whether objects can be.
pub(in crate::worker) struct Probe<'a> {
    pub(in crate::worker) settings: &'a Settings,
    pub(in crate::worker) client: &'a Client,
    pub(in crate::worker) bucket: &'a str,
    pub(in crate::worker) key: &'a str,
}

impl Probe<'_> {
    /// Writes it, finds it, reads it and takes it away again: one that stays is worth a note.
    pub(in crate::worker) async fn check(&self) -> Result<Passed, Failure> {
        let (latency, gone) = self.tried().await?;
        let note = gone.is_err().then_some(Note::Undeletable);
        Ok(Passed { latency, note })
    }

    /// The same, by how long it took to write it and by what became of taking it away.
    pub(in crate::worker) async fn tried(
        &self,
    ) -> Result<(Duration, Result<(), Failure>), Failure> {
        let content = format!("{:?}", SystemTime::now());
        let (written, latency) = reach::timed(self.put(&content)).await;
        written?;
        let found = self.read_back(&content).await;
        let gone = self.client.delete_object().bucket(self.bucket).key(self.key).send().await;
        found?;
        Ok((latency, gone.map(|_| ()).map_err(|error| failure(&error, Why::Put))))
    }

    async fn put(&self, content: &str) -> Result<(), Failure> {
        let put = self
            .client
            .put_object()
            .bucket(self.bucket)
            .key(self.key)
            .set_server_side_encryption(self.settings.encryption())
            .set_checksum_algorithm(self.settings.checksum())
            .body(ByteStream::from(content.as_bytes().to_vec()));
        put.send().await.map(|_| ()).map_err(|error| failure(&error, Why::Put))
    }

    async fn read_back(&self, content: &str) -> Result<(), Failure> {
        let head = self.client.head_object().bucket(self.bucket).key(self.key).send().await;
        head.map_err(|error| failure(&error, Why::Get))?;
        let got = self.client.get_object().bucket(self.bucket).key(self.key).send().await;
        let got = got.map_err(|error| failure(&error, Why::Get))?;
        let differs = || Failure::of(Reason::ObjectStorageCheckFailed).why(Why::Content);
        let read = reach::within(REQUEST, got.body.collect()).await;
        let read = read.map_err(|why| Failure::of(Reason::ObjectStorageUnreachable).why(why))?;
        let bytes = read.map_err(|_| differs())?.into_bytes();
        if bytes == content.as_bytes() { Ok(()) } else { Err(differs()) }
    }
}

impl Debug for Asked {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Asked of {} buckets", self.buckets.len())
    }
}
