//! An upload of a snapshot in parts, one after the other, each of which may be sent again.

use std::{io, sync::Arc};

use serde_json::Value;

use crate::{
    convex::deployment,
    worker::{backend::Backend, job::beside, progress::Progress, snapshot::Archive},
};

/// The smallest part of an upload; Convex's own CLI sends as much.
const PART: u64 = 5 * 1024 * 1024;
/// How many parts an upload may have is one more.
const PARTS: u64 = 9_999;

/// An upload that is to be made.
pub(super) struct Upload<'a, A> {
    pub(super) backend: &'a Backend,
    pub(super) archive: Arc<A>,
    pub(super) bytes: u64,
}

impl<A: Archive> Upload<'_, A> {
    /// Uploads everything, and gives the id of the import. Only its very end is not asked for twice.
    pub(super) async fn done(&self) -> Result<String, super::Error> {
        let token = self.backend.ask(deployment::Deployment::start_upload).await?;
        let size = PART.max(self.bytes.div_ceil(PARTS));
        let mut progress = Progress::of("the snapshot is uploaded", Some(self.bytes));
        let mut parts: Vec<Value> = Vec::new();
        // What is empty is uploaded as one part, too.
        for number in 0..self.bytes.div_ceil(size).max(1) {
            let at = number * size;
            let length = size.min(self.bytes - at);
            parts.push(self.part(&token, number + 1, at, length).await?);
            progress.add(length);
        }
        tracing::info!(bytes = self.bytes, parts = parts.len(), "the snapshot was uploaded");
        Ok(self.backend.once.finish_upload(&token, &parts).await?)
    }

    async fn part(
        &self,
        token: &str,
        number: u64,
        at: u64,
        length: u64,
    ) -> Result<Value, super::Error> {
        loop {
            // It is read again where it is sent again: two of them are not held in memory.
            let archive = self.archive.clone();
            let part = beside(move || read(&*archive, at, length)).await??;
            match self.backend.once.upload_part(token, number, part).await {
                Err(error) if error.is_transient() => self.backend.wait(&error).await,
                uploaded => return Ok(uploaded?),
            }
        }
    }
}

fn read(archive: &impl Archive, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let mut part = vec![0; length];
    archive.read_all_at(&mut part, at)?;
    Ok(part)
}
