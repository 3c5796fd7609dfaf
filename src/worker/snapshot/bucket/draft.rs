//! An archive on its way into a bucket: in parts of one size, of which one is sent while the next one is filled.

use std::io;

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use super::objects::{Objects, has_code};
use crate::worker::{
    snapshot::{Draft, Sum},
    storage::{Doing, refused},
};

const MIB: u64 = 1024 * 1024;
/// The smallest part; servers take none below 5 MiB but the last.
const SMALLEST: u64 = 8 * MIB;
/// A part of an archive whose size nobody has told: 312 GiB fit.
const UNTOLD: u64 = 32 * MIB;
/// How many parts an upload may have (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const MOST: u64 = 10_000;

/// An upload that was begun.
pub struct Upload {
    objects: Objects,
    key: String,
    id: String,
    /// The size of a part, in bytes.
    size: usize,
    filled: Vec<u8>,
    /// What is on its way; it ends with this.
    sent: JoinSet<io::Result<CompletedPart>>,
    parts: Vec<CompletedPart>,
    number: i32,
    bytes: u64,
    sum: Sha256,
}

impl Upload {
    pub(super) async fn begin(
        objects: Objects,
        key: String,
        bytes: Option<u64>,
    ) -> io::Result<Self> {
        let create = objects.client.create_multipart_upload().bucket(&objects.bucket).key(&key);
        let create = create
            .set_server_side_encryption(objects.settings.encryption())
            .set_checksum_algorithm(objects.settings.checksum());
        let begun = create.send().await;
        let begun = begun.map_err(|error| refused(Doing::Writing, &error))?;
        let id = begun.upload_id().map(str::to_owned);
        let id = id.ok_or_else(|| io::Error::other("the upload was given no id"))?;
        let size = usize::try_from(part_of(bytes)).map_err(io::Error::other)?;
        Ok(Self {
            objects,
            key,
            id,
            size,
            filled: Vec::with_capacity(size),
            sent: JoinSet::new(),
            parts: Vec::new(),
            number: 0,
            bytes: 0,
            sum: Sha256::new(),
        })
    }

    /// Sends what was filled, once what was sent before has arrived: two parts are in memory and no more.
    async fn hand_over(&mut self) -> io::Result<()> {
        self.arrived().await?;
        self.number += 1;
        if i64::from(self.number) > MOST.cast_signed() {
            let size = self.size as u64 / MIB;
            return Err(io::Error::other(format!(
                "the export is larger than {MOST} parts of {size} MiB, which is all that an upload may have"
            )));
        }
        let part = std::mem::take(&mut self.filled);
        self.sent.spawn(Box::pin(sent(
            self.objects.clone(),
            (self.key.clone(), self.id.clone(), self.number),
            part,
        )));
        Ok(())
    }

    async fn arrived(&mut self) -> io::Result<()> {
        while let Some(part) = self.sent.join_next().await {
            self.parts.push(part.map_err(io::Error::other)??);
        }
        Ok(())
    }

    /// Makes the object of all parts. Where an answer was lost it is asked for once more, and the upload is not known any
    /// more: then the object is there, for there was none when this began.
    async fn complete(&mut self) -> io::Result<()> {
        let objects = &self.objects;
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(std::mem::take(&mut self.parts)))
            .build();
        let complete = objects.client.complete_multipart_upload().bucket(&objects.bucket);
        let complete = complete.key(&self.key).upload_id(&self.id).multipart_upload(parts);
        match complete.send().await {
            Err(error) if has_code(&error, "NoSuchUpload") => {
                let found = objects.found(&self.key).await?;
                let whole = found.is_some_and(|(_, bytes)| bytes == self.bytes);
                if whole { Ok(()) } else { Err(refused(Doing::Writing, &error)) }
            }
            Err(error) => Err(refused(Doing::Writing, &error)),
            Ok(_) => Ok(()),
        }
    }
}

impl Draft for Upload {
    async fn take(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(self.size - self.filled.len()));
            self.filled.extend_from_slice(now);
            bytes = rest;
            if self.filled.len() == self.size {
                self.hand_over().await?;
                self.filled = Vec::with_capacity(self.size);
            }
        }
        Ok(())
    }

    async fn end(mut self) -> io::Result<Sum> {
        // What is empty is one part, too.
        if !self.filled.is_empty() || self.number == 0 {
            self.hand_over().await?;
        }
        self.arrived().await?;
        Box::pin(self.complete()).await?;
        Ok(Sum { bytes: self.bytes, sha256: hex::encode(self.sum.finalize()) })
    }
}

async fn sent(
    objects: Objects,
    (key, id, number): (String, String, i32),
    part: Vec<u8>,
) -> io::Result<CompletedPart> {
    let upload = objects.client.upload_part().bucket(&objects.bucket).key(key).upload_id(id);
    let upload = upload
        .part_number(number)
        .set_checksum_algorithm(objects.settings.checksum())
        .body(ByteStream::from(part));
    let sent = upload.send().await.map_err(|error| refused(Doing::Writing, &error))?;
    Ok(CompletedPart::builder()
        .part_number(number)
        .set_e_tag(sent.e_tag().map(str::to_owned))
        .set_checksum_crc32(sent.checksum_crc32().map(str::to_owned))
        .build())
}

/// The size of the parts of an archive, all of which have the same: not every server takes others.
fn part_of(bytes: Option<u64>) -> u64 {
    let needed = |bytes: u64| bytes.div_ceil(MOST).div_ceil(MIB) * MIB;
    bytes.map_or(UNTOLD, |bytes| SMALLEST.max(needed(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_of_any_size_that_was_told_fits_into_as_many_parts_as_there_may_be() {
        let tib = 1 << 40;
        for bytes in [0, 1, SMALLEST * MOST, SMALLEST * MOST + 1, tib, 5 * tib] {
            let part = part_of(Some(bytes));
            assert!(
                part >= SMALLEST && part.is_multiple_of(MIB) && part * MOST >= bytes,
                "{bytes}"
            );
        }
        assert_eq!(part_of(Some(SMALLEST * MOST)), SMALLEST);
        assert_eq!(part_of(None), UNTOLD);
    }
}
