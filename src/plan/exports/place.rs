//! Which place an export is at: of the one that is to be made, and of each that is kept.
//!
//! Where exports of an upgrade go is decided once, in the status write that begins it (`status.upgrade.bucket`); where one is kept
//! stands beside it in `status.snapshots`. What the spec says later moves neither.

use kube::ResourceExt;
use statemachine::pins::Snapshot;

use crate::{
    api::{ConvexInstance, S3, SnapshotDestination, SnapshotStatus},
    observe::jobs::Jobs,
    plan::{
        names::{Errand, Names, attempt},
        outside::Values,
    },
};

/// What the keys of all snapshots of ours begin with: no key of a backend does, for those begin with an instance name.
const FOLDER: &str = ".convex-operator/snapshots";
/// The variable of the backend with the bucket that it keeps exports in.
const EXPORTS: &str = "S3_STORAGE_EXPORTS_BUCKET";

/// What a bucket begins with that is named in a Secret.
const SECRET: &str = "secret/";

/// Where one export is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a folder of the claim for exports.
    Claim,
    /// In a bucket.
    Bucket {
        /// Its name, or where that is: `secret/NAME/KEY`.
        bucket: String,
        /// What the keys begin with, without the slash after it.
        prefix: String,
    },
}

/// Nobody knows yet which bucket the backend keeps exports in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketUnknown;

/// The bucket that exports of the next upgrade go to; none where they go to the claim.
///
/// # Errors
/// It follows from the backend's own, which are not known.
pub fn bucket(
    instance: &ConvexInstance,
    storage: Option<&Values>,
) -> Result<Option<String>, BucketUnknown> {
    let snapshots = &instance.spec.maintenance.snapshots;
    if destination(instance) == SnapshotDestination::Claim {
        return Ok(None);
    }
    let of_the_backend = || {
        let bucket = storage.and_then(|it| it.get(EXPORTS))?;
        String::from_utf8(bucket.to_vec()).ok()
    };
    let named = snapshots.bucket.clone().or_else(|| of_secret(&instance.spec.backend.s3));
    let known = of_the_backend();
    match named {
        Some(bucket) if snapshots.bucket.is_some() || known.is_some() => Ok(Some(bucket)),
        _ => known.map(Some).ok_or(BucketUnknown),
    }
}

/// What stands for a bucket whose name is in a Secret alone, for no value of one is ever told: where it is. No bucket is called
/// so, for none has a slash in its name. The Secret of an `ObjectBucketClaim` is called like its `ConfigMap`.
fn of_secret(s3: &S3) -> Option<String> {
    let claimed = s3.config_map_ref.as_ref().filter(|_| s3.auto_detect_obc == Some(true));
    let (key, secret) = s3.bucket_key.as_ref().zip(s3.secret_ref.as_ref().or(claimed))?;
    s3.buckets.is_none().then(|| format!("{SECRET}{secret}/{key}"))
}

/// The Secret and its key that stand for a bucket.
fn secret_of(bucket: &str) -> Option<(&str, &str)> {
    bucket.strip_prefix(SECRET)?.split_once('/')
}

/// Where the spec wants exports: what is in object storage anyway goes there.
fn destination(instance: &ConvexInstance) -> SnapshotDestination {
    let enabled = instance.spec.backend.s3.enabled;
    let usual =
        if enabled { SnapshotDestination::ObjectStorage } else { SnapshotDestination::Claim };
    instance.spec.maintenance.snapshots.destination.unwrap_or(usual)
}

impl Place {
    /// Where an export of this name is: in this bucket, or on the claim.
    #[must_use]
    pub fn of(instance: &ConvexInstance, bucket: Option<&str>, id: &str) -> Self {
        bucket.map_or(Self::Claim, |bucket| Self::Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix(instance, id),
        })
    }

    /// Where an export goes that is made now.
    #[must_use]
    pub fn of_upgrade(instance: &ConvexInstance, id: &str) -> Self {
        let upgrade = instance.status.as_ref().and_then(|it| it.upgrade.as_ref());
        Self::of(instance, upgrade.and_then(|it| it.bucket.as_deref()), id)
    }

    /// Where an export is kept, as the status says, or else its Job, or else as it would be made now.
    #[must_use]
    pub fn kept(instance: &ConvexInstance, jobs: &Jobs, snapshot: &Snapshot) -> Self {
        let id = attempt(snapshot);
        let mut told = instance.status.iter().flat_map(|it| &it.snapshots);
        if let Some(told) = told.find(|it| it.id == id) {
            return Self::told(instance, told);
        }
        match jobs.find(Errand::Export, snapshot) {
            Some(job) => Self::of(instance, job.bucket.as_deref(), &id),
            None => Self::of_upgrade(instance, &id),
        }
    }

    /// Where an export is that the status lists.
    fn told(instance: &ConvexInstance, told: &SnapshotStatus) -> Self {
        let own = || prefix(instance, &told.id);
        told.bucket.clone().map_or(Self::Claim, |bucket| Self::Bucket {
            bucket,
            prefix: told.prefix.clone().unwrap_or_else(own),
        })
    }

    /// The bucket as a worker is told it: by its name, or by the variable of the backend that has it.
    #[must_use]
    pub fn variable(&self) -> Option<&'static str> {
        self.bucket().and_then(secret_of).map(|_| EXPORTS)
    }

    /// The bucket, where it is one.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Claim => None,
            Self::Bucket { bucket, .. } => Some(bucket),
        }
    }

    /// What the keys begin with, where it is one.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        match self {
            Self::Claim => None,
            Self::Bucket { prefix, .. } => Some(prefix),
        }
    }

    /// The place in words: `claim dev-snapshots`, `bucket orders`.
    #[must_use]
    pub fn words(&self, names: &Names) -> String {
        words(self.bucket(), names)
    }

    /// The same as messages have it: `claim "dev-snapshots"`.
    #[must_use]
    pub fn quoted(&self, names: &Names) -> String {
        match self {
            Self::Claim => format!("claim \"{}\"", names.snapshots()),
            Self::Bucket { bucket, .. } => match secret_of(bucket) {
                Some(_) => words(Some(bucket), names),
                None => format!("bucket \"{bucket}\""),
            },
        }
    }

    /// Where exactly: `claim dev-snapshots, folder 7-1`, or bucket and prefix.
    #[must_use]
    pub fn location(&self, names: &Names, id: &str) -> String {
        match self {
            Self::Claim => format!("{}, folder {id}", self.words(names)),
            Self::Bucket { prefix, .. } => format!("{}, {prefix}/", self.words(names)),
        }
    }
}

/// A place in words, by its bucket, where it has one.
#[must_use]
pub fn words(bucket: Option<&str>, names: &Names) -> String {
    match bucket.map(|it| (it, secret_of(it))) {
        None => format!("claim {}", names.snapshots()),
        Some((_, Some((secret, key)))) => {
            format!("the bucket that key \"{key}\" of Secret \"{secret}\" names")
        }
        Some((name, None)) => format!("bucket {name}"),
    }
}

/// What the keys of an export begin with. The UID in it keeps instances apart that are called the same, whichever cluster
/// they are in.
fn prefix(instance: &ConvexInstance, id: &str) -> String {
    format!("{}/{id}", common(instance))
}

/// What the keys of all exports of an instance begin with.
#[must_use]
pub fn common(instance: &ConvexInstance) -> String {
    let (namespace, name) = (instance.namespace().unwrap_or_default(), instance.name_any());
    format!("{FOLDER}/{namespace}/{name}/{}", instance.uid().unwrap_or_default())
}

#[cfg(test)]
mod tests;
