//! Where a Job was told that a snapshot is. Which kinds of places there are is known here alone.

use std::{io, path::PathBuf};

use clap::Args;

use super::{Bucket, Folder};
use crate::worker::{
    preflight::{
        reason::{Reason, Why},
        verdict::Failure,
    },
    storage::{Patience, Refused, Settings},
};

/// The variable with the name of a bucket that is in no argument.
pub const BUCKET: &str = "SNAPSHOTS_BUCKET";

/// Where a Job was told that a snapshot is: in a folder or below a prefix of a bucket. How object storage is reached is in the
/// environment, as the backend has it.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = true)]
pub struct Place {
    /// The folder of the snapshot.
    #[arg(long, conflicts_with = "bucket")]
    folder: Option<PathBuf>,
    /// The bucket of the snapshot. A name that comes from a Secret comes in the environment.
    #[arg(long, env = BUCKET, hide_env_values = true, requires = "prefix")]
    bucket: Option<String>,
    /// What the keys of the snapshot begin with, without the slash after it.
    #[arg(long, requires = "bucket")]
    prefix: Option<String>,
}

/// Where a snapshot is kept.
#[derive(Clone, Debug)]
pub enum Kept {
    /// In a folder of a volume.
    Folder(Folder),
    /// In a bucket.
    Bucket(Bucket),
}

impl Place {
    /// Opens it.
    ///
    /// # Errors
    /// It cannot be made, or there are no credentials for it.
    pub async fn open(&self) -> io::Result<Kept> {
        self.open_by(Settings::of_environment()).await
    }

    async fn open_by(&self, settings: Settings) -> io::Result<Kept> {
        if let Some((bucket, prefix)) = self.bucket.as_ref().zip(self.prefix.as_ref()) {
            let none = || Failure::of(Reason::ObjectStorageLoginFailed).why(Why::Credentials);
            let client = Box::pin(settings.client(Patience::Tries)).await;
            let client = client.map_err(|_| Refused(none()))?;
            return Ok(Kept::Bucket(Bucket::open(client, &settings, bucket, prefix)));
        }
        let missing = || io::Error::other("neither --folder nor --bucket was told");
        Ok(Kept::Folder(Folder::open(self.folder.as_deref().ok_or_else(missing)?)?))
    }
}
