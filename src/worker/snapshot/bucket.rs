//! A snapshot in a bucket: objects below a prefix.
//!
//! Nothing can be renamed there. An archive that is being written is an upload of parts, which is no object before it is ended. It has
//! one key then, and is a draft for as long as a small object beside it does not name it by its entity tag: that one is
//! written and taken away as a whole, so that at every moment the archive is published or it is not.

mod archive;
mod draft;
mod objects;
mod others;

use std::io::{self, ErrorKind};

use aws_sdk_s3::Client;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use self::{archive::Object, draft::Upload, objects::Objects};
use super::{
    Location, Neighbour, Note,
    names::{self, ARCHIVE},
};
use crate::worker::storage::Settings;

/// What says that the archive is published.
const MARK: &str = "published.json";

/// The prefix of one snapshot in a bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    objects: Objects,
    prefix: String,
}

/// Which archive is published.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// Its entity tag, as the server gives it.
    etag: String,
    /// Its size.
    bytes: u64,
}

impl Bucket {
    /// The prefix in the bucket; nothing is asked of it yet.
    #[must_use]
    pub fn open(client: Client, settings: &Settings, bucket: &str, prefix: &str) -> Self {
        let objects = Objects::of(client, settings.clone(), bucket);
        Self { objects, prefix: prefix.trim_end_matches('/').to_owned() }
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    /// The archive that is there, published or not.
    async fn found(&self) -> io::Result<Option<Mark>> {
        let found = self.objects.found(&self.key(ARCHIVE)).await?;
        Ok(found.map(|(etag, bytes)| Mark { etag, bytes }))
    }

    async fn published(&self) -> io::Result<Option<Mark>> {
        let bytes = self.objects.read(&self.key(MARK)).await?;
        Ok(bytes.map(|it| serde_json::from_slice(&it)).transpose()?)
    }

    fn object(&self, Mark { etag, bytes }: Mark) -> Object {
        Object::of(self.objects.clone(), self.key(ARCHIVE), etag, bytes)
    }
}

impl Location for Bucket {
    type Archive = Object;
    type Draft = Upload;

    async fn noted<T: DeserializeOwned>(&self, what: Note<'_>) -> io::Result<Option<T>> {
        let bytes = self.objects.read(&self.key(&names::of(what))).await?;
        Ok(bytes.map(|it| serde_json::from_slice(&it)).transpose()?)
    }

    async fn note(&self, what: Note<'_>, value: &impl Serialize) -> io::Result<()> {
        self.objects.write(&self.key(&names::of(what)), serde_json::to_vec(value)?).await
    }

    async fn forget(&self, what: Note<'_>) -> io::Result<()> {
        self.objects.remove(&self.key(&names::of(what))).await
    }

    /// A bucket does not say how much it takes.
    async fn room(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// What takes the place of an archive has its key: nothing is published from here on.
    async fn draft(&self, bytes: Option<u64>) -> io::Result<Upload> {
        self.withdraw().await?;
        self.discard().await?;
        Upload::begin(self.objects.clone(), self.key(ARCHIVE), bytes).await
    }

    async fn drafted(&self) -> io::Result<Object> {
        let (found, published) = (self.found().await?, self.published().await?);
        let draft = found.filter(|it| published.as_ref() != Some(it));
        draft.map(|it| self.object(it)).ok_or_else(|| self.missing("no draft of an archive"))
    }

    async fn publish(&self) -> io::Result<()> {
        let Some(found) = self.found().await? else {
            return Err(self.missing("no draft of an archive"));
        };
        self.objects.write(&self.key(MARK), serde_json::to_vec(&found)?).await
    }

    async fn discard(&self) -> io::Result<()> {
        let key = self.key(ARCHIVE);
        self.objects.abort(&key).await?;
        match self.found().await? {
            Some(found) if self.published().await?.as_ref() != Some(&found) => {
                self.objects.remove(&key).await
            }
            _ => Ok(()),
        }
    }

    /// The mark goes first: what is left then is a draft.
    async fn withdraw(&self) -> io::Result<()> {
        let Some(published) = self.published().await? else { return Ok(()) };
        self.objects.remove(&self.key(MARK)).await?;
        match self.found().await? {
            Some(found) if found == published => self.objects.remove(&self.key(ARCHIVE)).await,
            _ => Ok(()),
        }
    }

    async fn archive(&self) -> io::Result<Object> {
        let (published, found) = (self.published().await?, self.found().await?);
        match published.zip(found) {
            Some((published, found)) if published == found => Ok(self.object(found)),
            Some(_) => Err(io::Error::other(format!(
                "{} is not what was published: somebody has written over it",
                self.key(ARCHIVE)
            ))),
            None => Err(self.missing("no archive")),
        }
    }

    async fn others(&self) -> io::Result<Vec<Neighbour>> {
        others::all(&self.objects, &self.prefix).await
    }

    async fn remove(&self, other: &Neighbour) -> io::Result<()> {
        others::remove(&self.objects, &self.prefix, other).await
    }
}

impl Bucket {
    fn missing(&self, what: &str) -> io::Error {
        io::Error::new(ErrorKind::NotFound, format!("there is {what} below {}/", self.prefix))
    }
}
