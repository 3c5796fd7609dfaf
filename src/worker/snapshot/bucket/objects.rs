//! The objects of one bucket, asked for again where an answer breaks off.

use std::{fmt, io, time::Duration};

use aws_sdk_s3::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use hyper::body::Bytes;
use tokio::time::{sleep, timeout};

use crate::worker::storage::{Doing, Settings, refused};

/// How long the body of an answer may take: a window of 8 MiB comes within by 30 KiB a second.
const BODY: Duration = Duration::from_mins(5);
/// How often a body that breaks off is asked for.
const TRIES: u32 = 6;
/// The pause after the first time; each later one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// One bucket. `Debug` does not show which.
#[derive(Clone)]
pub(super) struct Objects {
    pub(super) client: Client,
    pub(super) settings: Settings,
    pub(super) bucket: String,
}

/// Which bytes of an object, and of which state of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range<'a> {
    pub(super) etag: &'a str,
    pub(super) from: u64,
    /// The one after the last.
    pub(super) to: u64,
}

impl Objects {
    pub(super) fn of(client: Client, settings: Settings, bucket: &str) -> Self {
        Self { client, settings, bucket: bucket.to_owned() }
    }

    /// Entity tag and size of an object; none where it is not there.
    pub(super) async fn found(&self, key: &str) -> io::Result<Option<(String, u64)>> {
        match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(found) => {
                let size = found.content_length().and_then(|it| u64::try_from(it).ok());
                let both = found.e_tag().map(str::to_owned).zip(size);
                let told = || io::Error::other(format!("{key} has neither entity tag nor size"));
                both.map(Some).ok_or_else(told)
            }
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(refused(Doing::Reading, &error)),
        }
    }

    /// All of a small object; none where it is not there.
    pub(super) async fn read(&self, key: &str) -> io::Result<Option<Bytes>> {
        self.patiently(key, None).await
    }

    /// Some bytes of an object.
    pub(super) async fn read_range(&self, key: &str, range: Range<'_>) -> io::Result<Bytes> {
        let bytes = self.patiently(key, Some(range)).await?;
        let bytes = bytes.ok_or_else(|| io::Error::other(format!("{key} is gone")))?;
        if bytes.len() as u64 == range.to - range.from {
            return Ok(bytes);
        }
        Err(io::Error::other(format!("{} bytes of {key} came for {range:?}", bytes.len())))
    }

    pub(super) async fn write(&self, key: &str, content: Vec<u8>) -> io::Result<()> {
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .set_server_side_encryption(self.settings.encryption())
            .set_checksum_algorithm(self.settings.checksum())
            .body(ByteStream::from(content));
        put.send().await.map(drop).map_err(|error| refused(Doing::Writing, &error))
    }

    /// Takes an object away, where there is one.
    pub(super) async fn remove(&self, key: &str) -> io::Result<()> {
        match self.client.delete_object().bucket(&self.bucket).key(key).send().await {
            Err(error) if !is_missing(&error) => Err(refused(Doing::Writing, &error)),
            _ => Ok(()),
        }
    }

    /// The keys of all objects that begin so.
    pub(super) async fn keys(&self, begin: &str) -> io::Result<Vec<String>> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(begin);
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refused(Doing::Listing, &error))?;
            keys.extend(page.contents().iter().filter_map(|it| it.key().map(str::to_owned)));
        }
        Ok(keys)
    }

    /// Ends every upload to this key that nobody has ended. It is looked for by the whole key: not every server lists what only
    /// begins so.
    pub(super) async fn abort(&self, key: &str) -> io::Result<()> {
        let list = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(key);
        let begun = list.send().await.map_err(|error| refused(Doing::Listing, &error))?;
        let ours = begun.uploads().iter().filter(|it| it.key() == Some(key));
        for id in ours.filter_map(|it| it.upload_id()) {
            let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(key);
            match abort.upload_id(id).send().await {
                Err(error) if !is_missing(&error) => {
                    return Err(refused(Doing::Writing, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The client asks again for what does not begin; what breaks off is asked for again here.
    async fn patiently(&self, key: &str, range: Option<Range<'_>>) -> io::Result<Option<Bytes>> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.once(key, range).await? {
                Got::All(bytes) => return Ok(Some(bytes)),
                Got::Missing => return Ok(None),
                Got::BrokenOff => tracing::warn!(key, ?pause, "an answer broke off"),
            }
            sleep(pause).await;
            pause *= 2;
        }
        match self.once(key, range).await? {
            Got::All(bytes) => Ok(Some(bytes)),
            Got::Missing => Ok(None),
            Got::BrokenOff => {
                Err(io::Error::other(format!("{key} broke off {TRIES} times while it was read")))
            }
        }
    }

    async fn once(&self, key: &str, range: Option<Range<'_>>) -> io::Result<Got> {
        let bytes = range.map(|it| format!("bytes={}-{}", it.from, it.to.saturating_sub(1)));
        let etag = range.map(|it| it.etag.to_owned());
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let got = match get.set_range(bytes).set_if_match(etag.clone()).send().await {
            Ok(got) => got,
            Err(error) if is_missing(&error) => return Ok(Got::Missing),
            Err(error) if has_code(&error, "PreconditionFailed") => return Err(replaced(key)),
            Err(error) => return Err(refused(Doing::Reading, &error)),
        };
        // Not every server looks at the condition.
        if etag.as_deref().is_some_and(|wanted| got.e_tag() != Some(wanted)) {
            return Err(replaced(key));
        }
        Ok(match timeout(BODY, got.body.collect()).await {
            Ok(Ok(body)) => Got::All(body.into_bytes()),
            Ok(Err(_)) | Err(_) => Got::BrokenOff,
        })
    }
}

enum Got {
    All(Bytes),
    Missing,
    BrokenOff,
}

fn replaced(key: &str) -> io::Error {
    io::Error::other(format!("{key} was written over while it was read"))
}

pub(super) fn has_code<E: ProvideErrorMetadata>(
    error: &SdkError<E, HttpResponse>,
    code: &str,
) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(code)
}

/// Whether there is no such object or upload; of a bucket that is not there that is not said, unless the answer has no words.
fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let status = error.raw_response().map(|it| it.status().as_u16());
    status == Some(404) && !has_code(error, "NoSuchBucket")
}

impl fmt::Debug for Objects {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Objects")
    }
}
