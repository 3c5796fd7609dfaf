//! Fetching an export: as often as it takes, and only where there is room for it.

use hyper::body::Bytes;

use super::{Error, Exporter};
use crate::{
    convex::deployment::{self, Export},
    worker::{
        progress::Progress,
        snapshot::{self, Draft, Location, Sum},
    },
};

impl<L: Location> Exporter<'_, L> {
    /// The export as a file that is on the disk. A download that breaks off is begun again, unless it does so twice at
    /// the same byte: then there is no more.
    pub(super) async fn fetched(&self, export: &Export) -> Result<Sum, Error> {
        let mut broken = None;
        let sum = loop {
            match self.downloaded(export).await {
                Err(Error::Backend(deployment::Error::BrokenOff { read, length }))
                    if broken == Some(read) =>
                {
                    return Err(deployment::Error::BrokenOff { read, length }.into());
                }
                Err(Error::Backend(error)) if error.is_transient() => {
                    if let deployment::Error::BrokenOff { read, .. } = error {
                        broken = Some(read);
                    }
                    self.backend.wait(&error).await;
                }
                done => break done?,
            }
        };
        self.backend.is_back();
        tracing::info!(bytes = sum.bytes, sha256 = sum.sha256, "the export was fetched");
        match export.size {
            Some(told) if told != sum.bytes => Err(Error::SizeDiffers { told, bytes: sum.bytes }),
            _ => Ok(sum),
        }
    }

    async fn downloaded(&self, export: &Export) -> Result<Sum, Error> {
        // What an earlier try has left counts as room.
        self.location.discard().await?;
        self.has_room(export.size).await?;
        let mut draft = self.location.draft(export.size).await?;
        let mut progress = Progress::of("the export is fetched", export.size);
        let take = async |bytes: Bytes| {
            progress.add(bytes.len() as u64);
            draft.take(&bytes).await
        };
        self.backend.once.download(&export.id, take).await?;
        Ok(draft.end().await?)
    }

    /// Refuses before anything is written what cannot end well. Where there is too little room, what would go once the new
    /// snapshot is there goes before; one is left until then.
    pub(super) async fn has_room(&self, needed: Option<u64>) -> Result<(), Error> {
        if self.lacks_room(needed).await?.is_none() {
            return Ok(());
        }
        if let Some(retain) = self.options.retain.and_then(|it| usize::try_from(it).ok()) {
            snapshot::prune(&self.location, self.keep(retain.max(2))).await?;
        }
        self.lacks_room(needed).await?.map_or(Ok(()), Err)
    }

    async fn lacks_room(&self, needed: Option<u64>) -> Result<Option<Error>, Error> {
        Ok(match (needed, self.location.room().await?) {
            (Some(needed), Some(free)) if needed > free => Some(Error::NoRoom { needed, free }),
            _ => None,
        })
    }
}
