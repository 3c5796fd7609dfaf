//! What is no document: files of users, ZIPs of exports and imports, modules. It lies in the data directory, or in buckets.
//!
//! Which of the two is pinned in the database, and so is what the keys in buckets begin with: `<INSTANCE_NAME>-<uuid>/`.

mod bucket;

use std::{
    fs::{self, File},
    io,
    path::Path,
};

pub use bucket::Buckets;

use crate::store::{
    durable,
    state::{Storage, Table, new_id},
};

/// What a blob is for: each use has a bucket. Nothing here is searched, so that the fifth one stays empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A file of a user.
    File,
    /// The ZIP of an export.
    Export,
    /// The ZIP of an import.
    Import,
    /// What was deployed.
    Module,
}

/// One blob.
#[derive(Clone, Debug)]
pub struct Blob {
    kind: Use,
    /// Its path below the store's folder, where it is kept there.
    path: String,
    /// Its name in a bucket, where it is kept there.
    name: String,
}

impl Blob {
    /// A file of a table of files.
    #[must_use]
    pub fn file(storage: &Table, id: &str) -> Self {
        let part = &storage.file;
        let (path, name) = (format!("tables/{part}.files/{id}"), format!("{part}-{id}"));
        Self { kind: Use::File, path, name }
    }

    /// The ZIP of an export.
    #[must_use]
    pub fn export(id: &str) -> Self {
        Self { kind: Use::Export, path: format!("exports/{id}.zip"), name: id.to_owned() }
    }

    /// The ZIP of an import.
    #[must_use]
    pub fn import(id: &str) -> Self {
        Self { kind: Use::Import, path: format!("imports/{id}.zip"), name: id.to_owned() }
    }

    /// What was deployed.
    #[must_use]
    pub fn module(id: &str) -> Self {
        Self { kind: Use::Module, path: format!("modules/{id}"), name: id.to_owned() }
    }
}

/// Why blobs cannot be kept where they are to be.
#[derive(Debug, thiserror::Error)]
pub enum BlobsError {
    /// Upstream's wording: the kind is pinned.
    #[error("Database was initialized with {0}, but backend started up with {1}")]
    OtherKind(Storage, Storage),
    /// Upstream's wording: the prefix begins with the instance's name.
    #[error("Cannot use s3 storage path {0}: this instance is called {1}")]
    OtherName(String, String),
    /// Nobody says who we are.
    #[error("failed to load AWS credentials: {0}")]
    Credentials(String),
    /// A variable that the entrypoint would not have let through.
    #[error("{0} is not set")]
    NotSet(&'static str),
    /// There is nothing that asks, or no authorities.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Where blobs are.
pub enum Blobs {
    /// In the data directory.
    Local,
    /// In buckets.
    Buckets(Box<Buckets>),
}

impl Blobs {
    /// Where they are by what was kept, or where they will be from now on.
    ///
    /// # Errors
    /// They are elsewhere.
    pub fn pinned(&self, kept: Option<&Storage>) -> Result<Storage, BlobsError> {
        let ours = match self {
            Self::Local => Storage::Local,
            Self::Buckets(buckets) => Storage::S3 { prefix: buckets.new_prefix() },
        };
        match (kept, self) {
            (None, _) => Ok(ours),
            (Some(Storage::Local), Self::Local) => Ok(Storage::Local),
            (Some(Storage::S3 { prefix }), Self::Buckets(buckets)) => {
                buckets.own(prefix)?;
                Ok(Storage::S3 { prefix: prefix.clone() })
            }
            (Some(other), _) => Err(BlobsError::OtherKind(other.clone(), ours)),
        }
    }

    /// The same with the prefix that was kept.
    #[must_use]
    pub fn within(self, storage: &Storage) -> Self {
        match (self, storage) {
            (Self::Buckets(buckets), Storage::S3 { prefix }) => {
                Self::Buckets(Box::new(buckets.within(prefix)))
            }
            (other, _) => other,
        }
    }

    /// Puts what lies at `draft` in its place.
    ///
    /// # Errors
    /// Where the disk or the server refuses.
    pub fn keep(&self, folder: &Path, blob: &Blob, draft: &Path) -> io::Result<()> {
        match self {
            Self::Local => {
                let path = folder.join(&blob.path);
                path.parent().map_or(Ok(()), fs::create_dir_all)?;
                durable::publish(&File::open(draft)?, draft, &path)
            }
            Self::Buckets(buckets) => {
                buckets.put(blob.kind, &blob.name, draft)?;
                fs::remove_file(draft)
            }
        }
    }

    /// The content of a blob.
    ///
    /// # Errors
    /// Where it is not there, or cannot be read.
    pub fn content(&self, folder: &Path, blob: &Blob) -> io::Result<File> {
        match self {
            Self::Local => File::open(folder.join(&blob.path)),
            Self::Buckets(buckets) => {
                let path = folder.join("uploads").join(new_id());
                buckets.get(blob.kind, &blob.name, &path)?;
                let file = File::open(&path)?;
                // It is there for as long as somebody reads it.
                fs::remove_file(path)?;
                Ok(file)
            }
        }
    }

    /// Removes a blob.
    ///
    /// # Errors
    /// Where the disk or the server refuses.
    pub fn forget(&self, folder: &Path, blob: &Blob) -> io::Result<()> {
        match self {
            Self::Local => fs::remove_file(folder.join(&blob.path)),
            Self::Buckets(buckets) => buckets.delete(blob.kind, &blob.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_in_one_kind_of_place_is_not_looked_for_in_another() {
        let s3 = Storage::S3 { prefix: "orders-1/".to_owned() };
        assert_eq!(Blobs::Local.pinned(None).unwrap(), Storage::Local);
        assert_eq!(Blobs::Local.pinned(Some(&Storage::Local)).unwrap(), Storage::Local);
        let said = Blobs::Local.pinned(Some(&s3)).unwrap_err().to_string();
        assert_eq!(
            said,
            "Database was initialized with S3 (orders-1/), but backend started up with Local"
        );
    }

    #[test]
    fn a_local_blob_is_kept_read_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let draft = folder.path().join("draft");
        fs::write(&draft, "bytes").unwrap();
        let blob = Blob::file(&Table::empty(), "a");
        Blobs::Local.keep(folder.path(), &blob, &draft).unwrap();
        let read = io::read_to_string(Blobs::Local.content(folder.path(), &blob).unwrap());
        assert_eq!(read.unwrap(), "bytes");
        Blobs::Local.forget(folder.path(), &blob).unwrap();
        assert!(Blobs::Local.content(folder.path(), &blob).is_err());
    }
}
